//! What is new and what is not: baseline, ids, edits, floods, the undo window.

use std::time::Duration;

use posse_party::names::Label;
use posse_party::store::{feeds, people};

use crate::world::{Item, PLAIN, START, World, item, pass};

const DAY: Duration = Duration::from_secs(86_400);

fn items(ids: &[&str]) -> Vec<Item> {
    ids.iter().map(|id| item(id)).collect()
}

/// A world whose feed is known already, with one old entry.
async fn known(config: &str) -> World {
    let world = World::new(config).await;
    world.poll(&items(&["old"])).await;
    world
}

async fn public(world: &World) -> Vec<String> {
    world.deliver().await;
    world.remote.posts("me")
}

#[tokio::test(start_paused = true)]
async fn the_first_poll_publishes_nothing() {
    let world = World::new(PLAIN).await;
    world.poll(&items(&["3", "2", "1"])).await;
    assert!(public(&world).await.is_empty());
    let states = world.states().await;
    assert_eq!(states.len(), 3);
    assert!(states.iter().all(|state| state.ends_with("skipped (baseline)")), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn backfill_publishes_the_newest_at_first_sight_the_oldest_first() {
    let config = PLAIN.replace("poll =", "backfill = 2\npoll =");
    let world = World::new(&config).await;
    let mut three = items(&["3", "2", "1"]);
    for (days, item) in three.iter_mut().enumerate() {
        item.published = START.minus(DAY * (10 + u32::try_from(days).unwrap()));
    }
    world.poll(&three).await;
    let posts = public(&world).await;
    assert_eq!(posts, ["Entry 2 https://a.example/2", "Entry 3 https://a.example/3"]);
    assert_eq!(world.states().await[0], "Entry 1: skipped (baseline)");
}

#[tokio::test(start_paused = true)]
async fn a_new_entry_goes_out_once() {
    let world = known(PLAIN).await;
    for _ in 0..3 {
        world.poll(&items(&["new", "old"])).await;
        assert_eq!(public(&world).await, ["Entry new https://a.example/new"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_account_publishes_nothing_that_was_there() {
    let world = known(PLAIN).await;
    world.poll(&items(&["new", "old"])).await;
    assert_eq!(public(&world).await.len(), 1);
    let two =
        format!("{PLAIN}[accounts.two]\nplatform = \"outbox\"\npath = \"out2\"\ndelay = \"0s\"\n");
    let world = world.with_config(&two).await;
    // the entry that appeared between the last poll and the new account was there at first sight
    world.poll(&items(&["between", "new", "old"])).await;
    assert_eq!(public(&world).await.len(), 2);
    assert!(world.remote.posts("two").is_empty());
    world.poll(&items(&["newest", "between", "new", "old"])).await;
    assert_eq!(public(&world).await.len(), 3);
    assert_eq!(world.remote.posts("two"), ["Entry newest https://a.example/newest"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_account_is_baselined_by_an_unchanged_document_too() {
    let world = known(PLAIN).await;
    let two = format!("{PLAIN}[accounts.two]\nplatform = \"outbox\"\npath = \"out2\"\n");
    let world = world.with_config(&two).await;
    world.poll_all().await;
    assert_eq!(world.counts().await["skipped"], 2);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_away_is_not_flooded_with_what_it_missed() {
    let world = known(PLAIN).await;
    let away = PLAIN.replace("delay =", "active = false\ndelay =");
    let world = world.with_config(&away).await;
    world.poll(&items(&["missed", "old"])).await;
    let world = world.with_config(PLAIN).await;
    world.poll(&items(&["missed", "old"])).await;
    world.poll(&items(&["new", "missed", "old"])).await;
    assert_eq!(public(&world).await, ["Entry new https://a.example/new"]);
}

#[tokio::test(start_paused = true)]
async fn edits_reorderings_and_new_files_never_repost() {
    let world = known(PLAIN).await;
    let new = item("new");
    world.poll(&[new.clone(), item("old")]).await;
    assert_eq!(public(&world).await.len(), 1);
    let edits: [fn(&mut Item); 4] = [
        |item| item.title = "Another title".into(),
        |item| item.url = "https://a.example/moved".into(),
        |item| item.published = START.plus(DAY),
        |item| item.post = "{\"syndicate\": true}",
    ];
    for edit in edits {
        let mut edited = new.clone();
        edit(&mut edited);
        world.poll(&[edited.clone(), item("old")]).await;
        world.poll(&[item("old"), edited]).await;
        std::fs::remove_file(world.dir.path().join("blog.xml")).unwrap();
        world.poll_all().await;
        world.poll(&[new.clone(), item("old")]).await;
        pass(2 * DAY).await;
        assert_eq!(public(&world).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_entry_says_about_itself_later_reposts_nothing() {
    let world = known(PLAIN).await;
    world.poll(&items(&["new", "old"])).await;
    assert_eq!(public(&world).await.len(), 1);
    let said = [
        "{url: 'https://s.example/1', title: 'Own'}",
        "{url: 'https://s.example/2', short_url: 'https://s.example/3'}",
        "{id: 'another', title: 'Own again'}",
        "{id: 'a third', published_at: '2026-11-25'}",
        "{platform_overrides: {outbox: {url: 'https://s.example/4'}}, format_string: '{{url}}'}",
    ];
    for post in said.into_iter().flat_map(|post| [post, ""]) {
        world.poll(&[Item { post, ..item("new") }, item("old")]).await;
        assert_eq!(public(&world).await.len(), 1, "{post}");
        assert_eq!(world.states().await.len(), 2, "it is no second entry: {post}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_address_that_comes_or_goes_reposts_nothing() {
    // with ids, and without: the page is the identity then
    for with_ids in [true, false] {
        let world = World::new(PLAIN).await;
        let write = |short: &str, title: &str| {
            let mut feed = crate::world::atom(&[item("new"), item("old")]);
            let other = format!("{short}<title>{title}</title>");
            feed = feed.replace("<title>Entry new</title>", &other);
            if !with_ids {
                for id in ["new", "old"] {
                    feed = feed.replace(&format!("<id>tag:a.example,2026:{id}</id>"), "");
                }
            }
            world.write("blog.xml", &feed);
        };
        world.write("blog.xml", &crate::world::atom(&items(&["old"])));
        world.poll_all().await;
        let short = "<link rel='shorturl' href='https://s.example/new'/>";
        for (short, title) in [("", "One"), (short, "One"), (short, "Two"), ("", "Three")] {
            write(short, title);
            world.poll_all().await;
            assert_eq!(public(&world).await, ["One https://a.example/new"], "{short} {title}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_vanishes_and_comes_back_is_not_new() {
    let world = known(PLAIN).await;
    world.poll(&items(&["new", "old"])).await;
    assert_eq!(public(&world).await.len(), 1);
    world.poll(&items(&["old"])).await;
    world.poll(&items(&["new"])).await;
    world.poll(&items(&["new", "old"])).await;
    assert_eq!(public(&world).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_site_that_changes_all_its_ids_reposts_nothing() {
    let world = known(PLAIN).await;
    world.poll(&items(&["b", "a", "old"])).await;
    assert_eq!(public(&world).await.len(), 2);
    let renamed = |item: Item| Item { id: item.url.clone(), ..item };
    world.poll(&items(&["b", "a", "old"]).into_iter().map(renamed).collect::<Vec<_>>()).await;
    let moved = |item: Item| {
        let url = item.url.replace("a.example", "b.example");
        Item { id: url.clone(), url, ..item }
    };
    world.poll(&items(&["b", "a", "old"]).into_iter().map(moved).collect::<Vec<_>>()).await;
    assert_eq!(public(&world).await.len(), 2);
    assert!(world.incidents().await.is_empty(), "nothing was held either");
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_held_once_and_released_by_one_command() {
    let world = known(PLAIN).await;
    let flood = items(&["6", "5", "4", "3", "2", "1", "old"]);
    world.poll(&flood).await;
    assert!(public(&world).await.is_empty());
    assert_eq!(world.counts().await["held"], 6);
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].key, "held:blog");
    world.poll(&flood).await;
    let now = world.clock.now();
    let release = move |tx: &rusqlite::Transaction<'_>| {
        let feed = feeds::by_label(tx, &Label::new("blog").unwrap())?.unwrap();
        people::release(tx, feed.id, now)
    };
    assert_eq!(world.store.write(release).await.unwrap(), 6);
    let posts = public(&world).await;
    assert_eq!(posts.len(), 6);
    assert_eq!(posts[0], "Entry 1 https://a.example/1", "the oldest first");
}

#[tokio::test(start_paused = true)]
async fn as_many_as_max_new_are_no_flood() {
    let world = known(PLAIN).await;
    world.poll(&items(&["5", "4", "3", "2", "1", "old"])).await;
    assert_eq!(public(&world).await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn old_news_is_skipped_and_future_news_waits() {
    let world = known(PLAIN).await;
    let stale = Item { published: START.minus(8 * DAY), ..item("stale") };
    let future = Item { published: START.plus(DAY), ..item("future") };
    world.poll(&[future, stale, item("old")]).await;
    assert!(public(&world).await.is_empty());
    assert_eq!(world.states().await[1], "Entry stale: skipped (older than max_age)");
    pass(DAY).await;
    assert_eq!(public(&world).await, ["Entry future https://a.example/future"]);
}

#[tokio::test(start_paused = true)]
async fn the_undo_window_takes_back_what_its_owner_takes_back() {
    let config = PLAIN.replace("delay = \"0s\"", "delay = \"2m\"");
    let world = known(&config).await;
    world.poll(&items(&["typo", "gone", "no", "old"])).await;
    assert!(public(&world).await.is_empty(), "not before the delay");
    let fixed = Item { title: "Mended".into(), ..item("typo") };
    let no = Item { post: "{\"syndicate\": false}", ..item("no") };
    world.poll(&[fixed, no, item("old")]).await;
    pass(Duration::from_secs(120)).await;
    assert_eq!(public(&world).await, ["Mended https://a.example/typo"]);
    let states = world.states().await;
    assert!(states.contains(&"Entry no: skipped (the entry says syndicate: false)".into()));
    let gone = "Entry gone: skipped (withdrawn: its entry vanished from the feed)".to_owned();
    assert!(states.contains(&gone), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_only_away_for_a_moment_goes_out_after_all() {
    let config = PLAIN.replace("delay = \"0s\"", "delay = \"2m\"");
    let world = known(&config).await;
    world.poll(&items(&["new", "old"])).await;
    world.poll(&items(&["old"])).await;
    world.poll(&items(&["new", "old"])).await;
    pass(Duration::from_secs(120)).await;
    assert_eq!(public(&world).await, ["Entry new https://a.example/new"]);
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_only_scrolled_out_is_not_withdrawn() {
    let config = PLAIN.replace("delay = \"0s\"", "delay = \"2m\"");
    let world = known(&config).await;
    world.poll(&items(&["1", "old"])).await;
    // a short document that lists only what is newer
    world.poll(&items(&["3", "2"])).await;
    pass(Duration::from_secs(120)).await;
    assert_eq!(public(&world).await.len(), 3);
}

/// `PLAIN` with these lines in its account.
fn plain_with(lines: &str) -> String {
    PLAIN.replace("delay =", &format!("{lines}\ndelay ="))
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_to_be_asked_gets_only_what_asks_for_it() {
    let two = "[accounts.two]\nplatform = \"outbox\"\npath = \"out2\"\ndelay = \"0s\"\n";
    let world = known(&format!("{}{two}", plain_with("syndicate = false"))).await;
    let asks = Item { post: "{\"syndicate\": true}", ..item("asks") };
    let here = Item {
        post: "{\"syndicate\": false, \"account_overrides\": {\"me\": {\"syndicate\": true}}}",
        ..item("here")
    };
    let not_here = Item {
        post: "{\"syndicate\": true, \"platform_overrides\": {\"outbox\": {\"syndicate\": false}}}",
        ..item("not")
    };
    world.poll(&[not_here, here, asks, item("silent"), item("old")]).await;
    assert_eq!(
        public(&world).await,
        ["Entry asks https://a.example/asks", "Entry here https://a.example/here"]
    );
    let others = world.remote.posts("two");
    assert_eq!(
        others,
        ["Entry silent https://a.example/silent", "Entry asks https://a.example/asks"]
    );
    let states = world.states().await;
    let silent = "Entry silent: skipped (syndicate is off here, and the entry does not say \
                  syndicate: true)";
    assert!(states.contains(&silent.to_owned()), "{states:?}");
    let not = "Entry not: skipped (the entry says syndicate: false)";
    assert_eq!(states.iter().filter(|state| *state == not).count(), 2, "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_whole_config_keeps_back_goes_where_an_account_wants_it() {
    let two = "[accounts.two]\nplatform = \"outbox\"\npath = \"out2\"\ndelay = \"0s\"\n";
    let defaults = "[defaults]\nsyndicate = false\n";
    let world = known(&format!("{}{two}{defaults}", plain_with("syndicate = true"))).await;
    world.poll(&items(&["new", "old"])).await;
    assert_eq!(public(&world).await.len(), 1);
    assert!(world.remote.posts("two").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_an_account_does_not_want_is_skipped_with_the_rule() {
    let config = plain_with("include.title = [\"entry n*\", \"nothing\"]\nexclude.url = \"*/no\"");
    let world = known(&config).await;
    world.poll(&items(&["other", "no", "new", "old"])).await;
    assert_eq!(public(&world).await, ["Entry new https://a.example/new"]);
    assert_eq!(
        world.states().await,
        [
            "Entry old: skipped (baseline)",
            "Entry new: published",
            "Entry no: skipped (filtered: `exclude.url` `*/no` matches)",
            "Entry other: skipped (filtered: nothing in `include` matches)",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_filter_sees_what_the_entry_is_for_its_account() {
    let config = plain_with("exclude.title = \"private\"")
        .replace("outbox", "bluesky")
        .replace("path = \"out\"", "identifier = \"a.example\"\napp_password = \"secret\"");
    let world = known(&config).await;
    let mine = Item {
        post: "{\"account_overrides\": {\"me\": {\"title\": \"For all\"}}}",
        title: "Private".into(),
        ..item("mine")
    };
    let theirs = Item {
        post: "{\"platform_overrides\": {\"bluesky\": {\"title\": \"Private\"}}}",
        ..item("theirs")
    };
    let story = Item { post: "{\"channel\": \"story\"}", ..item("story") };
    world.poll(&[mine, theirs, story, item("old")]).await;
    assert_eq!(
        world.states().await[1..],
        [
            "Entry story: skipped (the entry is a story, and bluesky has none)",
            "Entry theirs: skipped (filtered: `exclude.title` `private` matches)",
            "Private: ready",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_goes_away_makes_no_old_entry_news() {
    let world = known(&plain_with("exclude.title = \"new\"")).await;
    world.poll(&items(&["new", "old"])).await;
    let world = world.with_config(PLAIN).await;
    world.poll(&items(&["newer", "new", "old"])).await;
    // not even when it is edited
    let edited = Item { title: "Another title".into(), ..item("new") };
    world.poll(&[item("newer"), edited, item("old")]).await;
    assert_eq!(public(&world).await, ["Entry newer https://a.example/newer"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_filtered_is_no_flood() {
    let world = known(&plain_with("exclude.title = \"entry\"")).await;
    world.poll(&items(&["6", "5", "4", "3", "2", "1", "old"])).await;
    assert_eq!(world.counts().await["skipped"], 7);
    assert!(world.incidents().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_edit_within_the_undo_window_may_bring_a_filter_into_effect() {
    let config = plain_with("exclude.title = \"*draft*\"").replace("\"0s\"", "\"2m\"");
    let world = known(&config).await;
    world.poll(&items(&["b", "a", "old"])).await;
    let draft = Item { title: "A (draft)".into(), ..item("a") };
    world.poll(&[item("b"), draft.clone(), item("old")]).await;
    let withdrawn = "A (draft): skipped (filtered: `exclude.title` `*draft*` matches)".to_owned();
    assert!(world.states().await.contains(&withdrawn), "{:?}", world.states().await);
    // it stays where it is, as what says `syndicate: false` does
    world.poll(&items(&["b", "a", "old"])).await;
    pass(Duration::from_secs(120)).await;
    assert_eq!(public(&world).await, ["Entry b https://a.example/b"]);
    // and what had vanished does not come back as one that is filtered
    world.poll(&items(&["d", "c", "b", "old"])).await;
    world.poll(&items(&["d", "b", "old"])).await;
    let draft = Item { title: "C (draft)".into(), ..item("c") };
    world.poll(&[item("d"), draft, item("b"), item("old")]).await;
    pass(Duration::from_secs(120)).await;
    assert_eq!(public(&world).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_a_reload_brings_counts_for_what_still_waits() {
    let slow = PLAIN.replace("\"0s\"", "\"2m\"");
    let world = known(&slow).await;
    world.poll(&items(&["a", "old"])).await;
    let filtered = plain_with("include.title = \"nothing\"").replace("\"0s\"", "\"2m\"");
    let world = world.with_config(&filtered).await;
    world.poll(&items(&["b", "a", "old"])).await;
    pass(Duration::from_secs(120)).await;
    assert!(public(&world).await.is_empty(), "{:?}", world.states().await);
}

#[tokio::test(start_paused = true)]
async fn one_url_in_two_feeds_is_one_post() {
    let config = format!("{PLAIN}[feeds.tags]\nurl = \"file:tags.xml\"\npoll = \"1m\"\n");
    let world = World::new(&config).await;
    world.write("tags.xml", &crate::world::atom(&items(&["old"])));
    world.poll(&items(&["old"])).await;
    let copy = Item { id: "tags:new".into(), ..item("new") };
    world.write("tags.xml", &crate::world::atom(&[copy, item("old")]));
    world.poll(&items(&["new", "old"])).await;
    assert_eq!(public(&world).await, ["Entry new https://a.example/new"]);
    let states = world.states().await;
    assert!(
        states.iter().any(|state| state.contains("duplicate: another feed has the same URL")),
        "{states:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_page_under_several_addresses_in_two_feeds_is_one_post() {
    let short = |name: &str| format!("<link rel='shorturl' href='https://s.example/{name}'/>");
    let said = "<posse:post format='json'>{\"url\": \"https://s.example/said\"}</posse:post>";
    let (plain, a, b) = (String::new(), short("a"), short("b"));
    let table = [
        (&a, &plain, "https://a.example/new", 1),
        (&plain, &a, "https://a.example/new", 1),
        (&a, &b, "https://a.example/new", 1),
        (&said.to_owned(), &plain, "https://a.example/new", 1),
        (&plain, &said.to_owned(), "https://a.example/new", 1),
        // the short address is the page of the other feed
        (&a, &plain, "https://s.example/a", 1),
        (&plain, &a, "https://a.example/other", 2),
        (&a, &b, "https://a.example/other", 2),
    ];
    let config = format!("{PLAIN}[feeds.tags]\nurl = \"file:tags.xml\"\npoll = \"1m\"\n");
    for (blog, tags, page, posts) in table {
        let world = World::new(&config).await;
        world.write("tags.xml", &crate::world::atom(&items(&["old"])));
        world.poll(&items(&["old"])).await;
        let with = |link: &str, item: Item| {
            let feed = crate::world::atom(&[item.clone(), self::item("old")]);
            let title = format!("<title>{}</title>", item.title);
            feed.replace(&title, &format!("{link}{title}"))
        };
        let copy = Item { id: "tags:new".into(), url: page.into(), ..item("new") };
        world.write("blog.xml", &with(blog, item("new")));
        world.write("tags.xml", &with(tags, copy));
        world.poll_all().await;
        let public = public(&world).await;
        assert_eq!(public.len(), posts, "`{blog}`, `{tags}` of {page}: {public:?}");
        let states = world.states().await;
        let is_told = |state: &String| state.contains("duplicate: another feed has the same URL");
        assert_eq!(states.iter().any(is_told), posts == 1, "{states:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_that_an_edit_adds_counts_from_then_on() {
    let config = format!("{PLAIN}[feeds.tags]\nurl = \"file:tags.xml\"\npoll = \"1m\"\n");
    let world = World::new(&config).await;
    world.write("tags.xml", &crate::world::atom(&items(&["old"])));
    world.poll(&items(&["old"])).await;
    world.poll(&items(&["new", "old"])).await;
    let short = "<link rel='shorturl' href='https://s.example/new'/><title>Entry new<";
    let feed = crate::world::atom(&items(&["new", "old"]));
    world.write("blog.xml", &feed.replace("<title>Entry new<", short));
    world.poll_all().await;
    for (id, url) in [("tags:1", "https://s.example/new"), ("tags:2", "https://a.example/new")] {
        let copy = Item { id: id.into(), url: url.into(), ..item("new") };
        world.write("tags.xml", &crate::world::atom(&[copy, item("old")]));
        world.poll_all().await;
        assert_eq!(public(&world).await.len(), 1, "{url}: {:?}", world.states().await);
    }
}

#[tokio::test(start_paused = true)]
async fn backfill_of_two_feeds_makes_one_post_of_one_url() {
    let config = format!("{PLAIN}[feeds.tags]\nurl = \"file:tags.xml\"\npoll = \"1m\"\n")
        .replace("poll =", "backfill = 2\npoll =");
    let world = World::new(&config).await;
    world.write("tags.xml", &crate::world::atom(&items(&["2", "1"])));
    world.poll(&items(&["2", "1"])).await;
    assert_eq!(public(&world).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_stays_held_when_it_comes_back() {
    let world = known(&PLAIN.replace("delay =", "approve = true\ndelay =")).await;
    world.poll(&items(&["new", "old"])).await;
    world.poll(&items(&["old"])).await;
    assert!(world.states().await[1].starts_with("Entry new: skipped (withdrawn"));
    world.poll(&items(&["new", "old"])).await;
    assert!(public(&world).await.is_empty());
    assert_eq!(world.states().await[1], "Entry new: held (waits for approval)");
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_after_another_feed_brought_it_is_not_posted_again() {
    let config = format!("{PLAIN}[feeds.tags]\nurl = \"file:tags.xml\"\npoll = \"1m\"\n")
        .replace("delay = \"0s\"", "delay = \"2m\"");
    let world = World::new(&config).await;
    let tags = |ids: &[&str]| {
        let copy = |item: Item| Item { id: format!("tags:{}", item.id), ..item };
        let items: Vec<Item> = items(ids).into_iter().map(copy).collect();
        world.write("tags.xml", &crate::world::atom(&items));
    };
    tags(&["old"]);
    world.poll(&items(&["old"])).await;
    world.poll(&items(&["new", "old"])).await;
    world.poll(&items(&["old"])).await;
    tags(&["new", "old"]);
    world.poll(&items(&["old"])).await;
    world.poll(&items(&["new", "old"])).await;
    pass(Duration::from_secs(600)).await;
    assert_eq!(public(&world).await, ["Entry new https://a.example/new"]);
}

#[tokio::test(start_paused = true)]
async fn a_person_is_not_overruled_by_the_feed() {
    let world = known(PLAIN).await;
    let no = Item { post: "{\"syndicate\": false}", ..item("new") };
    world.poll(&[no.clone(), item("old")]).await;
    let (id, now) = (world.list().await[1].id, world.clock.now());
    assert!(world.store.write(move |tx| people::publish(tx, id, now)).await.unwrap());
    world.poll(&[no, item("x"), item("old")]).await;
    assert_eq!(public(&world).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_feed_of_one_entry_that_all_link_to_one_page_loses_none_in_silence() {
    let world = known(PLAIN).await;
    let note = |n: u32| Item {
        id: format!("note:{n}"),
        url: "https://a.example/notes".into(),
        title: format!("Note {n}"),
        published: START.minus(Duration::from_secs(u64::from(9 - n))),
        post: "",
        content: String::new(),
    };
    for n in 1..=3 {
        world.poll(&[note(n)]).await;
    }
    // from the second on the page is known to be shared
    let wanted = ["Note 1 https://a.example/notes", "Note 3 https://a.example/notes"];
    assert_eq!(public(&world).await, wanted);
    assert_eq!(world.counts().await["held"], 1, "one may be a new id: a person decides");
}

#[tokio::test(start_paused = true)]
async fn another_feed_under_an_old_label_is_seen_for_the_first_time() {
    let world = known(PLAIN).await;
    let world = world.with_config(&PLAIN.replace("file:blog.xml", "file:other.xml")).await;
    let other = |id: &str| Item { url: format!("https://b.example/{id}"), ..item(id) };
    world.write("other.xml", &crate::world::atom(&[other("b"), other("a")]));
    world.poll_all().await;
    assert!(public(&world).await.is_empty());
    world.write("other.xml", &crate::world::atom(&[other("c"), other("b"), other("a")]));
    world.poll_all().await;
    assert_eq!(public(&world).await, ["Entry c https://b.example/c"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_feed_at_another_address_goes_on() {
    let world = known(PLAIN).await;
    let world = world.with_config(&PLAIN.replace("file:blog.xml", "file:other.xml")).await;
    world.write("other.xml", &crate::world::atom(&items(&["new", "old"])));
    world.poll_all().await;
    assert_eq!(public(&world).await, ["Entry new https://a.example/new"]);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_is_polled_rarely_was_not_down() {
    let config = PLAIN.replace("poll = \"1m\"", "catch_up = \"hold\"\npoll = \"12h\"");
    let world = known(&config).await;
    pass(DAY / 2).await;
    world.poll(&items(&["new", "old"])).await;
    assert_eq!(public(&world).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_flood_that_the_feed_takes_back_is_over_and_the_next_is_told() {
    let world = known(PLAIN).await;
    let flood = items(&["6", "5", "4", "3", "2", "1", "old"]);
    world.poll(&flood).await;
    world.poll(&items(&["old"])).await;
    assert!(world.incidents().await.is_empty());
    let next = items(&["f", "e", "d", "c", "b", "a", "old"]);
    world.poll(&next).await;
    assert_eq!(world.incidents().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_downtime_catch_up_decides() {
    for (catch_up, posts, held) in [("all", 3, 0), ("newest", 1, 0), ("hold", 0, 3)] {
        let config = PLAIN.replace("poll =", &format!("catch_up = \"{catch_up}\"\npoll ="));
        let world = known(&config).await;
        pass(DAY).await;
        let mut news = items(&["3", "2", "1", "old"]);
        for (hours, item) in news.iter_mut().enumerate() {
            item.published = START.plus(DAY).minus(Duration::from_secs(hours as u64 * 3600));
        }
        world.poll(&news).await;
        let public = public(&world).await;
        assert_eq!(public.len(), posts, "{catch_up}");
        assert_eq!(world.counts().await.get("held").copied().unwrap_or(0), held, "{catch_up}");
        if catch_up == "newest" {
            assert_eq!(public, ["Entry 3 https://a.example/3"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_downtime_the_newest_is_the_newest_that_the_account_wants() {
    let config = plain_with("exclude.title = \"entry 3\"")
        .replace("poll =", "catch_up = \"newest\"\npoll =");
    let world = known(&config).await;
    pass(DAY).await;
    let no = Item { post: "{\"syndicate\": false}", ..item("4") };
    world.poll(&[no, item("3"), item("2"), item("1"), item("old")]).await;
    assert_eq!(public(&world).await, ["Entry 2 https://a.example/2"]);
}

#[tokio::test(start_paused = true)]
async fn bad_answers_change_nothing_and_are_told_once() {
    let world = known(PLAIN).await;
    world.poll(&items(&["new", "old"])).await;
    assert_eq!(public(&world).await.len(), 1);
    let cut = &crate::world::atom(&items(&["x", "y"]))[..300];
    for bad in ["<html><body>Down for maintenance</body></html>", "", "not a feed", cut] {
        world.write("blog.xml", bad);
        world.poll_all().await;
        assert_eq!(world.incidents().await.len(), 1, "{bad}");
    }
    world.poll(&[]).await;
    assert_eq!(world.incidents().await.len(), 1, "no entries where there were some is a failure");
    world.poll(&items(&["new", "old"])).await;
    assert!(world.incidents().await.is_empty(), "it is over");
    assert_eq!(public(&world).await.len(), 1);
}

/// The entry with a picture; its control is JSON.
fn pictured(post: &'static str) -> Vec<Item> {
    vec![Item { post, ..item("new") }, item("old")]
}

const BARE: &str = r#"{"media": [{"url": "https://a.example/lake.jpg"}]}"#;
const TOLD: &str = r#"{"media": [{"url": "https://a.example/lake.jpg", "alt": "A lake"}]}"#;

#[tokio::test(start_paused = true)]
async fn what_lacks_alternative_text_waits_until_its_entry_has_it() {
    let world = known(&PLAIN.replace("delay =", "alt = \"require\"\ndelay =")).await;
    world.poll(&pictured(BARE)).await;
    assert!(public(&world).await.is_empty());
    let held = "Entry new: held (no alt text: `lake.jpg`; it goes when its entry has it)";
    assert_eq!(world.states().await[1], held);
    // another edit does not free it, and the reason names what is there now
    world.poll(&pictured(r#"{"media": [{"url": "https://a.example/hill.jpg"}]}"#)).await;
    assert!(public(&world).await.is_empty());
    assert_eq!(world.states().await[1], held.replace("lake", "hill"));
    // nor does it come back as another when it was away
    world.poll(&items(&["old"])).await;
    world.poll(&pictured(BARE)).await;
    assert!(public(&world).await.is_empty());
    assert_eq!(world.states().await[1], held);
    world.poll(&pictured(TOLD)).await;
    assert_eq!(public(&world).await, ["Entry new https://a.example/new"]);
    world.poll(&pictured(BARE)).await;
    assert_eq!(public(&world).await.len(), 1, "what is public stays as it is");
}

#[tokio::test(start_paused = true)]
async fn what_loses_its_alternative_text_before_it_goes_waits() {
    let config = PLAIN.replace("delay = \"0s\"", "alt = \"require\"\ndelay = \"2m\"");
    let world = known(&config).await;
    world.poll(&pictured(TOLD)).await;
    world.poll(&pictured(BARE)).await;
    pass(Duration::from_secs(600)).await;
    assert!(public(&world).await.is_empty());
    assert!(world.states().await[1].starts_with("Entry new: held (no alt text"));
    // away meanwhile, and back with its words: no person has to free it
    world.poll(&items(&["old"])).await;
    world.poll(&pictured(TOLD)).await;
    assert_eq!(public(&world).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_has_its_words_at_last_waits_for_approval_all_the_same() {
    let config = PLAIN.replace("delay =", "alt = \"require\"\ndelay =");
    let world = known(&config).await;
    world.poll(&pictured(BARE)).await;
    let world = world.with_config(&config.replace("delay =", "approve = true\ndelay =")).await;
    world.poll(&pictured(TOLD)).await;
    assert!(public(&world).await.is_empty());
    assert_eq!(world.states().await[1], "Entry new: held (waits for approval)");
}

#[tokio::test(start_paused = true)]
async fn a_person_may_let_it_go_without_alternative_text() {
    let world = known(&PLAIN.replace("delay =", "alt = \"require\"\ndelay =")).await;
    world.poll(&pictured(BARE)).await;
    let (id, now) = (world.list().await[1].id, world.clock.now());
    assert!(world.store.write(move |tx| people::publish(tx, id, now)).await.unwrap());
    world.poll(&[pictured(BARE), items(&["older"])].concat()).await;
    assert_eq!(public(&world).await.len(), 2, "{:?}", world.states().await);
}
