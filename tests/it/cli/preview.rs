//! `preview`: what an entry becomes, seen before it is public.

use std::fs;

use insta::{assert_json_snapshot, assert_snapshot};
use posse_party::names::Label;
use posse_party::platform::Platform;
use posse_party::store::accounts;
use serde_json::{Value, json};

use super::site::{Said, Site, fed};
use crate::wire::{Reply, Server};

mod media; // pictures and videos
mod page; // for a browser

/// The keys of a post, in their order.
const KEYS: [&str; 18] = [
    "account",
    "platform",
    "text",
    "count",
    "limit",
    "unit",
    "valid",
    "tokens",
    "facets",
    "card",
    "media",
    "language",
    "visibility",
    "content_warning",
    "skipped",
    "warnings",
    "cost_usd",
    "explain",
];

/// Accounts that need no secret, because they only show.
const SHOWN: &str = "[accounts.fediverse]\nplatform = \"mastodon\"\ndry_run = true\n\
                     visibility = \"unlisted\"\ndelay = \"0s\"\n\
                     [accounts.sky]\nplatform = \"bluesky\"\ndry_run = true\nactive = false\n";

/// An entry with a hashtag, and a picture without alt text.
const TAGGED: &str = "<entry><id>tag:example.com,2026:1</id><title>Café #notes</title>\
     <link href=\"https://example.com/1\"/><summary>About a café</summary>\
     <link rel=\"enclosure\" type=\"image/png\" href=\"https://example.com/1.png\"/></entry>";

/// Previews `text`.
fn of_text(site: &Site, text: &str, arguments: &[&str]) -> Said {
    fed(&mut site.command(&[&["preview", "--text", "-"], arguments].concat()), text)
}

/// Puts entries into the feed, as Atom.
fn write_feed(site: &Site, entries: &str) {
    let feed = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\"><title>A blog</title>\
         <id>blog</id>{entries}</feed>"
    );
    fs::write(site.path("feed.xml"), feed).unwrap();
}

/// The posts of `preview --json`.
#[track_caller]
fn posts(site: &Site, arguments: &[&str]) -> Vec<Value> {
    let posts = site.json(&[&["preview"], arguments].concat());
    posts.as_array().unwrap().clone()
}

/// The post on `account`.
fn on<'p>(posts: &'p [Value], account: &str) -> &'p Value {
    posts.iter().find(|post| post["account"] == account).unwrap()
}

/// What the tokens are, with the bytes of the text that they stand for.
fn tokens(post: &Value) -> Vec<(String, String, String)> {
    let text = post["text"].as_str().unwrap();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let shown = |token: &Value| {
        let range = number(&token["byte_start"])..number(&token["byte_end"]);
        let word = |key: &str| token[key].as_str().unwrap().to_owned();
        (word("kind"), text[range].to_owned(), word("value"))
    };
    post["tokens"].as_array().unwrap().iter().map(shown).collect()
}

/// Without how long ago that is.
fn timeless(text: &str) -> String {
    let cut = |line: &str| match line.split_once("Z (") {
        Some((head, _)) => format!("{head}Z\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(cut).collect()
}

#[test]
fn a_newcomer_sees_the_newest_entry_before_the_first_start() {
    let site = Site::new("", SHOWN);
    let entry = |id: &str, title: &str, day: u32| {
        format!(
            "<entry><id>tag:example.com,2026:{id}</id><title>{title}</title>\
             <link href=\"https://example.com/{id}\"/>\
             <published>2026-11-{day}T10:00:00Z</published></entry>"
        )
    };
    write_feed(&site, &[entry("1", "Hello", 19), entry("2", "Newer, says the feed", 20)].concat());
    let text = site.well(&["preview", "--offline"]);
    assert_snapshot!(timeless(&text), @r#"
    "Newer, says the feed", in blog, 2026-11-20 10:00:00Z
    https://example.com/2
    note: not in the database: read from feed `blog` just now
    note: the first poll of `blog` takes what is there as known and publishes nothing of it; after it, `posse-party publish https://example.com/2` does

    fediverse (mastodon)
      │ Newer, says the feed https://example.com/2
      ██░░░░░░░░░░░░░░░░░░ 44/500 characters
      link       21..42    https://example.com/2
      language   en
      visibility unlisted
      note       the limit is mastodon's usual one: this server's own is not known before the first post
      note       dry run: it is shown in the log and not sent

    out (outbox)
      │ Newer, says the feed https://example.com/2
      █░░░░░░░░░░░░░░░░░░░ 42/100000 graphemes
      link       21..42    https://example.com/2
      language   en

    sky (bluesky): skipped: the account is not active
      │ Newer, says the feed
      ██░░░░░░░░░░░░░░░░░░ 20/300 graphemes
      card       Newer, says the feed (from the entry)
                 no picture
      language   en

    3 posts, 1 skipped; nothing was sent
    "#);
    assert!(!site.path("state").exists(), "a preview made a database");
}

#[test]
fn a_post_has_all_its_keys() {
    let site = Site::new("", SHOWN);
    write_feed(&site, TAGGED);
    for post in posts(&site, &["--offline"]) {
        let keys: Vec<_> = post.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, KEYS);
    }
    assert_json_snapshot!(posts(&site, &["--offline", "--account", "fediverse,sky"]), @r##"
    [
      {
        "account": "fediverse",
        "platform": "mastodon",
        "text": "Café #notes https://example.com/1",
        "count": 35,
        "limit": 500,
        "unit": "characters",
        "valid": true,
        "tokens": [
          {
            "kind": "tag",
            "byte_start": 6,
            "byte_end": 12,
            "value": "notes"
          },
          {
            "kind": "link",
            "byte_start": 13,
            "byte_end": 34,
            "value": "https://example.com/1"
          }
        ],
        "facets": [],
        "card": null,
        "media": [
          {
            "type": "image/png",
            "url": "https://example.com/1.png",
            "alt": null
          }
        ],
        "language": "en",
        "visibility": "unlisted",
        "content_warning": null,
        "skipped": null,
        "warnings": [
          "no alt text: https://example.com/1.png"
        ],
        "cost_usd": null,
        "explain": []
      },
      {
        "account": "sky",
        "platform": "bluesky",
        "text": "Café #notes example.com/1",
        "count": 25,
        "limit": 300,
        "unit": "graphemes",
        "valid": true,
        "tokens": [
          {
            "kind": "tag",
            "byte_start": 6,
            "byte_end": 12,
            "value": "notes"
          },
          {
            "kind": "link",
            "byte_start": 13,
            "byte_end": 26,
            "value": "https://example.com/1"
          }
        ],
        "facets": [
          {
            "byte_start": 6,
            "byte_end": 12,
            "kind": "tag",
            "value": "notes"
          },
          {
            "byte_start": 13,
            "byte_end": 26,
            "kind": "link",
            "value": "https://example.com/1"
          }
        ],
        "card": null,
        "media": [
          {
            "type": "image/png",
            "url": "https://example.com/1.png",
            "alt": null
          }
        ],
        "language": "en",
        "visibility": null,
        "content_warning": null,
        "skipped": "the account is not active",
        "warnings": [
          "no alt text: https://example.com/1.png"
        ],
        "cost_usd": null,
        "explain": []
      }
    ]
    "##);
}

#[test]
fn what_people_may_not_see_wants_an_alt_text() {
    let site = Site::new("", "");
    write_feed(
        &site,
        "<entry><id>1</id><title>Hello</title><link href=\"https://a.example/1\"/>\
         <post xmlns=\"https://posseparty.com/2024/Feed\">{media: [\
         {url: 'https://a.example/1.png', alt: 'A lake'}, {url: 'https://a.example/2.png', alt: ' '},\
         {url: 'https://a.example/3.mp4'}, {url: 'https://a.example/4.mp3'}]}</post></entry>",
    );
    let told =
        json!(["no alt text: https://a.example/2.png", "no alt text: https://a.example/3.mp4",]);
    assert_eq!(posts(&site, &["--offline"])[0]["warnings"], told);
}

#[test]
fn what_stands_in_the_ledger_is_told() {
    let mut site =
        Site::polled("", "[accounts.wary]\nplatform = \"outbox\"\npath = \"w\"\napprove = true\n");
    site.add("1", "Hello");
    site.once();
    let of_1 = posts(&site, &["https://a.example/1", "--offline"]);
    let place = format!("already published: file://{}", site.path("out.jsonl").display());
    assert_eq!(on(&of_1, "out")["skipped"], json!(place));
    assert_eq!(on(&of_1, "wary")["skipped"], Value::Null);
    let held = on(&of_1, "wary")["warnings"][0].as_str().unwrap();
    assert!(held.starts_with("it is held (waits for approval): publish it with"), "{held}");
    let old = posts(&site, &["https://a.example/old", "--offline"]);
    assert_eq!(on(&old, "out")["skipped"], "baseline");
    // the newest is one of three with the same date: the one that came last
    site.edit("1", "Hello again");
    let latest = posts(&site, &["--offline", "--account", "out"]);
    assert_eq!(latest[0]["text"], "Hello https://a.example/1", "as it is stored");
}

#[test]
fn the_card_says_what_the_page_says() {
    let server = Server::start(|_| {
        let page = "<title>no</title><meta property=og:title content=\"From the page\">\
                    <meta property=og:description content=\"It says this\">\
                    <meta property=og:image content=/pic.jpg>";
        Reply::ok(page).header("content-type", "text/html; charset=utf-8")
    });
    let site = Site::new("", SHOWN);
    let url = server.url("/").to_string();
    let url = url.trim_end_matches('/');
    write_feed(
        &site,
        &format!(
            "<entry><id>1</id><title>From the feed</title><link href=\"{url}/1\"/>\
             <summary>So it says</summary></entry>"
        ),
    );
    let card = |arguments: &[&str]| {
        let posts = posts(&site, &[&["--account", "sky"], arguments].concat());
        (posts[0]["card"].clone(), posts[0]["warnings"].clone())
    };
    let of_feed = json!({
        "url": format!("{url}/1"), "title": "From the feed", "description": "So it says",
        "image_url": null, "source": "entry",
    });
    assert_eq!(card(&["--offline"]), (of_feed.clone(), json!([])));
    let (guarded, warnings) = card(&[]);
    assert_eq!(guarded, of_feed, "a private address is not for URLs of feeds");
    let why = warnings[0].as_str().unwrap();
    assert!(why.starts_with("the card says what the feed says, because the page "), "{why}");
    assert_eq!(server.requests().len(), 0);

    let config = fs::read_to_string(site.path("config.toml")).unwrap();
    site.configure(&format!("{config}[http]\nallow_private = [\"127.0.0.0/8\"]\n"));
    let of_page = json!({
        "url": format!("{url}/1"), "title": "From the page", "description": "It says this",
        "image_url": format!("{url}/pic.jpg"), "source": "page",
    });
    assert_eq!(card(&[]), (of_page, json!([])));
    let text = site.well(&["preview"]);
    assert!(text.contains("card       From the page (from the page)"), "{text}");
    assert_eq!(server.requests().len(), 2, "one page for all accounts");
}

#[test]
fn what_does_not_suit_a_platform_is_skipped_and_shown() {
    let mut site = Site::new("", "");
    site.add("1", "Hello");
    let posts = posts(&site, &["--offline", "--platform", "instagram,youtube"]);
    for (post, what) in posts.iter().zip(["a picture or a video", "a video"]) {
        let why = post["skipped"].as_str().unwrap();
        assert!(why.ends_with(&format!("takes no post without {what}")), "{why}");
        assert_eq!((&post["valid"], &post["media"]), (&json!(false), &json!([])));
        assert!(post["text"].as_str().unwrap().contains("https://a.example/1"), "{post}");
    }
    assert_eq!(posts[1]["title"], "Hello");
}

#[test]
fn hashtags_of_the_text_itself_are_counted() {
    let site = Site::new("", "");
    let entry = |tags: &str| {
        write_feed(
            &site,
            &format!(
                "<entry><id>1</id><link href=\"https://a.example/1\"/><content>{tags}</content>\
                 <post xmlns=\"https://posseparty.com/2024/Feed\">\
                 {{media: [{{url: 'https://a.example/1.png', alt: 'A lake'}}]}}</post></entry>"
            ),
        );
        posts(&site, &["--offline", "--platform", "instagram"])[0]["warnings"].clone()
    };
    assert_eq!(entry("#a #b #c #d #e"), json!([]));
    assert_eq!(entry("#a #b #c #d #e #f"), json!(["6 hashtags, and instagram takes 5"]));
}

#[test]
fn what_does_not_go_out_has_no_time_to_go_out() {
    let site = Site::new("", "[accounts.sky]\nplatform = \"bluesky\"\ndry_run = true\n");
    let entry = |control: &str| {
        write_feed(
            &site,
            &format!(
                "<entry><id>1</id><title>Hello</title><link href=\"https://a.example/1\"/>\
                 <post xmlns=\"https://posseparty.com/2024/Feed\">{control}</post></entry>"
            ),
        );
        let said = site.run(&["preview", "--offline", "--account", "sky"]);
        (said.out.contains("would go out"), said.out.contains("dry run:"))
    };
    assert_eq!(entry("{}"), (true, true));
    assert_eq!(entry("{visibility: 'private'}"), (false, false), "it is skipped");
    assert_eq!(entry("{format_string: '{{ title'}"), (false, false), "it can't be sent");
}

#[test]
fn the_readme_shows_what_is_seen() {
    let site = Site::new("", "");
    for file in ["demo.toml", "demo.xml"] {
        fs::copy(format!("{}/config/{file}", env!("CARGO_MANIFEST_DIR")), site.path(file)).unwrap();
    }
    let readme = include_str!("../../../README.md");
    let (_, shown) = readme.split_once("```console\n$ posse-party preview ").unwrap();
    let (arguments, shown) = shown.split_once('\n').unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let mut arguments: Vec<&str> = arguments.split(' ').collect();
    let config = arguments.iter().position(|it| *it == "config/demo.toml").unwrap();
    arguments[config] = "demo.toml";
    arguments.insert(0, "preview");
    let seen = site.well(&arguments);
    assert_eq!(timeless(shown), timeless(&seen));
}

#[test]
fn nothing_is_written_not_even_beside_a_running_daemon() {
    let site = Site::polled("", "");
    let all = |site: &Site| {
        let files = fs::read_dir(site.path("state")).unwrap().map(|file| file.unwrap().path());
        // the index of the log is memory that its readers share
        let files = files.filter(|path| path.extension().is_none_or(|end| end != "db-shm"));
        let mut files: Vec<_> = files.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        files.sort();
        files
    };
    let before = all(&site);
    assert!(site.well(&["preview", "--offline"]).contains("\"Old\", in blog"));
    assert!(all(&site) == before, "a preview changed the database");
    let daemon = site.daemon();
    assert!(site.well(&["preview", "--offline"]).contains("\"Old\", in blog"));
    daemon.stop();
}

#[test]
fn an_entry_that_is_not_stored_is_read_from_the_feed() {
    let mut site = Site::polled("", "");
    site.add("1", "Hello");
    let text = site.well(&["preview", "https://a.example/1#part", "--offline"]);
    assert!(text.contains("not in the database: read from feed `blog` just now"), "{text}");
    assert!(text.contains("│ Hello https://a.example/1\n"), "{text}");
    assert_eq!(site.states(), ["skipped"], "nothing was recorded");
    let unknown = site.badly(&["preview", "https://a.example/none", "--offline"]);
    assert_eq!(
        unknown,
        "posse-party: error: no entry is known by `https://a.example/none`, here or in the feeds\n\
         hint: want `latest`, the URL of an entry or of a post, an entry's own id, or a number; \
         `posse-party feed LABEL` shows what there is\n"
    );
    fs::remove_file(site.path("feed.xml")).unwrap();
    let broken = site.badly(&["preview", "nothing", "--offline"]);
    assert!(broken.contains("; feed `blog` can't be read: "), "{broken}");
}

#[test]
fn why_it_would_not_go_out() {
    let more = "[accounts.elsewhere]\nplatform = \"outbox\"\npath = \"e\"\nfeeds = []\n\
                [accounts.off]\nplatform = \"outbox\"\npath = \"o\"\nactive = false\n\
                [accounts.no]\nplatform = \"outbox\"\npath = \"n\"\n";
    let site = Site::new("", more);
    write_feed(
        &site,
        "<entry><id>tag:a.example,2026:1</id><title>Hello</title>\
         <link href=\"https://a.example/1\"/>\
         <post xmlns=\"https://posseparty.com/2024/Feed\" format=\"json\">\
         {\"account_overrides\": {\"no\": {\"syndicate\": false}}}</post></entry>",
    );
    let posts = posts(&site, &["--offline"]);
    let check = |account: &str, expect: Value| assert_eq!(on(&posts, account)["skipped"], expect);
    check("out", Value::Null);
    check("elsewhere", json!("feed `blog` does not go to this account"));
    check("off", json!("the account is not active"));
    let unwanted = on(&posts, "no")["skipped"].as_str().unwrap();
    assert!(unwanted.contains("syndicate"), "{unwanted}");
    assert_eq!(on(&posts, "no")["text"], "Hello https://a.example/1", "it is shown all the same");
}

#[test]
fn a_post_that_can_not_be_sent_ends_with_1_and_a_skipped_one_with_0() {
    let long = "[accounts.sky]\nplatform = \"bluesky\"\ndry_run = true\ntruncate = false\n";
    let mut site = Site::new("", long);
    site.add("1", &"long ".repeat(80));
    let said = site.run(&["preview", "--offline"]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""));
    assert!(said.out.contains("sky (bluesky): can't be sent\n  │ long long"), "{}", said.out);
    assert!(said.out.contains("  error      too long: 399 of 300 "), "{}", said.out);
    assert!(said.out.ends_with("2 posts, 1 can't be sent; nothing was sent\n"), "{}", said.out);
    let said = site.run(&["preview", "--offline", "--json"]);
    assert_eq!(said.code, Some(1));
    let all: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let sky = on(&all, "sky");
    assert_eq!((&sky["valid"], &sky["count"]), (&json!(false), &json!(399)));
    site.well(&["preview", "--offline", "--account", "out"]);

    site.configure(&format!(
        "{}active = false\n",
        fs::read_to_string(site.path("config.toml")).unwrap()
    ));
    let skipped = site.well(&["preview", "--offline"]);
    assert!(skipped.contains("sky (bluesky): skipped: the account is not active"), "{skipped}");
}

#[test]
fn a_config_that_is_wrong_ends_with_78_and_a_platform_with_2() {
    let site = Site::new("", "");
    site.configure("[feeds.blog]\n");
    for arguments in [&["preview"][..], &["preview", "--text", "-"]] {
        let said = site.run(arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(78), ""), "{said:?}");
        assert!(said.err.ends_with("hint: run `posse-party check` after editing\n"), "{said:?}");
    }
    let said = site.run(&["preview", "--text", "-", "--platform", "mastodo"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("did you mean `mastodon`?"), "{}", said.err);
    let said = site.run(&["preview", "--text", "-", "--platform", "fax"]);
    assert!(said.err.contains("the platforms are `mastodon`, `bluesky`"), "{}", said.err);
}

#[test]
fn an_unknown_account_is_told_with_the_nearest_one() {
    let site = Site::polled("", "");
    assert_eq!(
        site.badly(&["preview", "--account", "uot"]),
        "posse-party: error: there is no account `uot`\nhint: did you mean `out`?\n"
    );
}

#[test]
fn a_text_needs_no_config() {
    let site = Site::new("", "");
    fs::remove_file(site.path("config.toml")).unwrap();
    let all: Vec<_> = Platform::ALL.iter().flat_map(|it| ["--platform", it.tag()]).collect();
    let said =
        of_text(&site, "日本 #café https://a.example/é\n", &[&all[..], &["--json"]].concat());
    let posts: Vec<Value> = serde_json::from_str(&said.well()).unwrap();
    let tags: Vec<_> = posts.iter().map(|post| post["platform"].as_str().unwrap()).collect();
    assert_eq!(tags, Platform::ALL.map(Platform::tag));
    for post in &posts {
        assert_eq!(post["text"], "日本 #café https://a.example/é", "without the final newline");
        assert_eq!(post["account"], Value::Null);
        assert_eq!(post["valid"], true, "{post}");
        for (kind, shown, value) in tokens(post) {
            match kind.as_str() {
                "tag" => assert_eq!((shown, value), ("#café".into(), "café".into())),
                kind => {
                    // some read `é` as the end of a link
                    assert_eq!(kind, "link");
                    assert!(shown.starts_with("https://a.example/") && shown == value, "{post}");
                }
            }
        }
        assert!(!tokens(post).is_empty(), "{post}");
    }
    let units: Vec<_> = posts.iter().map(|post| post["unit"].as_str().unwrap()).collect();
    assert_eq!(units[..3], ["characters", "graphemes", "bytes"]);
    assert_eq!(units[6], "weighted");
    let costs: Vec<_> = posts.iter().map(|post| post["cost_usd"].as_f64()).collect();
    assert_eq!((costs[0], costs[6]), (None, Some(0.2)));
}

#[test]
fn a_text_is_taken_as_it_stands() {
    let site = Site::new("", "format_string = \"never {{title}}\"\n");
    let text = |input: &str| {
        let said = of_text(&site, input, &["--json"]);
        let posts: Vec<Value> = serde_json::from_str(&said.out).unwrap();
        (said.code, posts[0]["text"].as_str().unwrap().to_owned(), posts[0]["valid"] == true)
    };
    assert_eq!(text("a  b \n\n"), (Some(0), "a  b \n".into(), true), "one newline is the file's");
    assert_eq!(text("a\r\n"), (Some(0), "a".into(), true));
    assert_eq!(text(" \n"), (Some(1), " ".into(), false), "nothing to post");
    fs::write(site.path("post.txt"), "x".repeat(100_001)).unwrap();
    let long = site.run(&["preview", "--text", "post.txt"]);
    assert_eq!(long.code, Some(1));
    assert!(long.out.contains("100001/100000 graphemes"), "{}", long.out);
    let missing = site.badly(&["preview", "--text", "none.txt"]);
    assert!(missing.contains("failed to read `none.txt`: "), "{missing}");
    fs::write(site.path("post.txt"), b"\xff").unwrap();
    assert!(site.badly(&["preview", "--text", "post.txt"]).contains("`post.txt` is not UTF-8"));
}

#[test]
fn a_platform_alone_goes_by_the_defaults() {
    let mut site = Site::new("", "");
    site.add("1", "Hello");
    let config = fs::read_to_string(site.path("config.toml")).unwrap();
    site.configure(&format!("{config}[defaults]\nformat_string = \"New: {{{{title}}}}\"\n"));
    let posts = posts(&site, &["--offline", "--platform", "x,bluesky", "--explain"]);
    let texts: Vec<_> = posts.iter().map(|post| post["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["New: Hello https://a.example/1", "New: Hello"]);
    let explained = posts[0]["explain"].as_array().unwrap();
    let of = |setting: &str| explained.iter().find(|it| it["setting"] == setting).unwrap();
    assert_eq!(of("format_string")["origin"], "defaults");
    assert_eq!(
        of("append_url"),
        &json!({
            "setting": "append_url", "value": true, "origin": "platform",
        })
    );
}

#[test]
fn the_limit_is_the_one_that_the_account_remembers() {
    let mut site = Site::polled("", SHOWN);
    site.add("1", &"word ".repeat(60));
    site.once();
    let usual = "the limit is mastodon's usual one";
    assert!(site.well(&["preview", "--offline", "--account", "fediverse"]).contains(usual));
    site.meddle(|db| {
        let account = accounts::by_label(db, &Label::new("fediverse").unwrap())?.unwrap();
        let limits = json!({
            "unit": { "mastodon": { "url": 23, "short_mentions": true } }, "max": 100,
            "max_bytes": null,
        });
        let known = json!({
            "family": "mastodon", "software": "mastodon 4.5.0", "domain": null, "limits": limits,
        });
        let memory = json!({
            "origin": "https://a.example", "asked_at": 0, "failed": false, "known": known,
        });
        accounts::set_note(db, account.id, "mastodon.instance", &memory)
    });
    let text = site.well(&["preview", "--offline", "--account", "fediverse"]);
    assert!(!text.contains(usual) && text.contains("/100 characters"), "{text}");
    let of_text = of_text(&site, "Hello", &["--account", "fediverse"]).well();
    assert!(of_text.contains("5/100 characters"), "{of_text}");
}

#[test]
fn colour_is_for_those_who_look() {
    let site = Site::new("", "");
    let coloured = |name: &str, value: &str| {
        let mut command = site.command(&["preview", "--text", "-", "--platform", "mastodon"]);
        fed(command.env(name, value), "\x1b[31m #tag https://example.com").well()
    };
    let plain = coloured("TERM", "xterm");
    assert!(
        !plain.contains('\x1b') && plain.contains("│  [31m #tag https://example.com\n"),
        "{plain}"
    );
    let forced = coloured("CLICOLOR_FORCE", "1");
    assert!(forced.contains("\x1b[36m#tag\x1b[0m"), "{forced}");
    assert!(forced.contains("\x1b[4m\x1b[34mhttps://example.com\x1b[0m"), "{forced}");
    assert!(!forced.contains("\x1b[31m #tag"), "{forced}");
    assert!(!coloured("NO_COLOR", "1").contains('\x1b'));
}
