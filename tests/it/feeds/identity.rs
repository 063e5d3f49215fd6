//! Ids of our own making: the same on every parse.

use super::{atom, ids, only, read, rss, titles};

/// The id of the only entry of `body`.
fn check(body: &str, expect: &str) {
    assert_eq!(only(body).id, expect, "{body}");
}

#[test]
fn an_id_is_what_the_document_states_else_the_link() {
    check(&rss("<item><guid> a b \n</guid><link>https://a.example/1</link></item>"), "a b");
    check(
        &atom("<entry><id>\n tag:x,1 </id><link href='https://a.example/1'/></entry>"),
        "tag:x,1",
    );
    check(
        &rss("<item><link>https://a.example/1</link><title>x</title></item>"),
        "https://a.example/1",
    );
    check(&rss("<item><guid></guid><link>/1</link></item>"), "https://example.org/1");
    check(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'
            xmlns='http://purl.org/rss/1.0/'><item rdf:about='https://a.example/about'>
            <link>https://a.example/link</link></item></rdf:RDF>",
        "https://a.example/about",
    );
    check(
        r#"{"version": "https://jsonfeed.org/version/1", "items": [{"id": 17, "url": "https://a.example/"}]}"#,
        "17",
    );
    check(r#"{"items": [{"id": 1.5}]}"#, "1.5");
    check(r#"{"items": [{"url": "https://a.example/"}]}"#, "https://a.example/");
}

#[test]
fn without_id_and_link_it_is_a_hash_of_title_and_date() {
    let id = |item: &str| only(&rss(item)).id;
    let plain = id("<item><title>A</title><pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate></item>");
    assert!(plain.starts_with("sha256:") && plain.len() == 7 + 32, "{plain}");
    let same = [
        "<item><title> A </title><pubDate>2004-01-01T19:48:21Z</pubDate></item>",
        "<item><pubDate>2004-01-01T20:48:21+01:00</pubDate><title>A</title><description>x</description></item>",
    ];
    same.iter().for_each(|item| assert_eq!(id(item), plain, "{item}"));
    let other = [
        "<item><title>B</title><pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate></item>",
        "<item><title>A</title><pubDate>Thu, 01 Jan 2004 19:48:22 GMT</pubDate></item>",
        "<item><title>A</title></item>",
        "<item><description>A note</description></item>",
        "<item><description>Another note</description></item>",
    ];
    let mut seen: Vec<String> = other.iter().map(|item| id(item)).collect();
    seen.push(plain);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), other.len() + 1);
}

#[test]
fn notes_without_title_keep_their_id_when_their_text_is_edited() {
    let note = |text: &str| {
        format!("<item><description>{text}</description><pubDate>2024-01-01</pubDate></item>")
    };
    assert_eq!(only(&rss(&note("Helo"))).id, only(&rss(&note("Hello"))).id);
    assert_eq!(read(&rss(&(note("One") + &note("Two")))).entries.len(), 2, "both of one day");
}

#[test]
fn the_address_of_the_feed_is_no_part_of_an_id() {
    let body = rss("<item><title>A</title></item>");
    let at = |url: &str| {
        let url = url.parse().unwrap();
        let hint = super::Hint { url: &url, content_type: None };
        super::parse(body.as_bytes(), &hint).unwrap().entries.remove(0).id
    };
    assert_eq!(at("https://a.example/feed"), at("https://cdn.example/x?signed=1"));
}

#[test]
fn an_edited_title_changes_no_id() {
    for named in ["<guid>1</guid>", "<link>https://a.example/1</link>"] {
        let item = |title: &str| rss(&format!("<item>{named}<title>{title}</title></item>"));
        assert_eq!(only(&item("Helo")).id, only(&item("Hello")).id);
    }
}

/// Three entries that share a link, without ids of their own.
const SHARING: [&str; 3] = [
    "<item><link>https://a.example/</link><title>C</title><pubDate>2024-01-03</pubDate></item>",
    "<item><link>https://a.example/</link><title>B</title><pubDate>2024-01-02</pubDate></item>",
    "<item><link>https://a.example/</link><title>A</title><pubDate>2024-01-01</pubDate></item>",
];

#[test]
fn entries_that_share_a_link_are_told_apart_by_date() {
    let feed = read(&rss(&SHARING.concat()));
    assert_eq!(
        ids(&feed),
        [
            "https://a.example/ 2024-01-03T00:00:00.000Z",
            "https://a.example/ 2024-01-02T00:00:00.000Z",
            "https://a.example/",
        ],
    );
    // the first one to come goes by the link, and goes on to when others come along
    assert_eq!(ids(&read(&rss(SHARING[2]))), ["https://a.example/"]);
    assert_eq!(ids(&read(&rss(&SHARING[1..].concat())))[1], "https://a.example/");
    let edited = SHARING.concat().replace("<title>B<", "<title>B, edited<");
    assert_eq!(ids(&read(&rss(&edited))), ids(&feed));
}

#[test]
fn the_order_of_the_entries_changes_no_id() {
    let (mut forward, mut backward) = (SHARING.to_vec(), SHARING.to_vec());
    for more in ["<item><title>D</title></item>", "<item><guid>g</guid></item>"] {
        forward.push(more);
        backward.insert(0, more);
    }
    backward.reverse();
    let sorted = |items: &[&str]| {
        let feed = read(&rss(&items.concat()));
        let mut ids: Vec<String> = ids(&feed).into_iter().map(str::to_owned).collect();
        ids.sort();
        ids
    };
    assert_eq!(sorted(&forward), sorted(&backward));
    assert_eq!(sorted(&forward).len(), 5);
}

#[test]
fn entries_that_share_a_guid_are_entries_and_it_is_told() {
    let item = |title: &str, day: u32| {
        format!(
            "<item><guid>g</guid><title>{title}</title><pubDate>2024-01-0{day}</pubDate></item>"
        )
    };
    let feed = read(&rss(&(item("B", 2) + &item("A", 1))));
    assert_eq!(ids(&feed), ["g 2024-01-02T00:00:00.000Z", "g"]);
    assert_eq!(feed.problems.len(), 1);
    assert_eq!(feed.problems[0].entry.as_deref(), Some("g 2024-01-02T00:00:00.000Z"));
    let feed = read(&rss(&(item("B", 1) + &item("A", 1))));
    assert_eq!(feed.entries.len(), 2);
    let feed = read(&rss(&(item("A", 1) + &item("A", 1))));
    assert_eq!(ids(&feed).len(), 1, "the very same entry twice is one");
}

#[test]
fn versions_of_an_atom_entry_are_one_entry_the_newest() {
    let version = |title: &str, day: u32| {
        format!("<entry><id>i</id><title>{title}</title><updated>2024-01-0{day}</updated></entry>")
    };
    for feed in [version("old", 1) + &version("new", 2), version("new", 2) + &version("old", 1)] {
        let feed = read(&atom(&feed));
        assert_eq!((ids(&feed), titles(&feed)), (vec!["i"], vec!["new"]));
        assert_eq!(feed.problems.len(), 1);
    }
}

#[test]
fn a_mended_feed_keeps_its_ids() {
    let sloppy = "<rss><channel><item><title>A & B<link>https://a.example/1</link></title>
        <item><guid>2</guid><title>Two</channel></rss>";
    let mended = rss("<item><title>A &amp; B</title><link>https://a.example/1</link></item>
        <item><guid>2</guid><title>Two</title></item>");
    assert_eq!(ids(&read(sloppy))[1], ids(&read(&mended))[1]);
}
