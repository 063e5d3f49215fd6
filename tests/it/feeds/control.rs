//! What an entry says about its own syndication is found wherever it may stand, and nowhere else.

use posse_party::draft::Visibility;
use posse_party::entry::Entry;

use super::{atom, ids, only, problems, read, rss};

const OURS: &str = "https://posseparty.com/2024/Feed";

fn check(body: &str, expect: Option<bool>) -> Entry {
    let entry = only(body);
    assert_eq!(entry.control.settings.syndicate, expect, "{body}");
    entry
}

#[test]
fn the_namespace_counts_and_not_the_prefix() {
    let entry = |post: &str| atom(&format!("<entry><id>1</id><link href='/1'/>{post}</entry>"));
    let item = |post: &str| rss(&format!("<item><link>/1</link>{post}</item>"));
    let rdf = |post: &str| {
        format!(
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>
             <channel rdf:about='/'><title>T</title></channel>
             <item rdf:about='/1'><title>One</title><link>/1</link>{post}</item></rdf:RDF>"
        )
    };
    let ours = [
        format!(
            "<posse:post xmlns:posse='{OURS}' format='json'>{{\"syndicate\": false}}</posse:post>"
        ),
        format!("<p:post xmlns:p='{OURS}' p:format='json'>{{syndicate: false}}</p:post>"),
        format!("<post xmlns='{OURS}'>{{&quot;syndicate&quot;: false}}</post>"),
        format!(
            "<post xmlns='{OURS}' format=''>\n<![CDATA[\n{{'syndicate': false, /* <b> & ]] */}}\n]]>\n</post>"
        ),
        format!(
            "<posse:post xmlns:posse=' {OURS} '><![CDATA[{{\"synd]]><![CDATA[icate\": false}}]]></posse:post>"
        ),
    ];
    for ours in &ours {
        for document in [entry(ours), item(ours), rdf(ours)] {
            check(&document, Some(false));
            assert_eq!(read(&document).problems, [], "{document}");
        }
    }
    let outside = format!(
        "<rss version='2.0' xmlns:x='{OURS}'><channel><item><link>/1</link>
         <x:post>{{\"syndicate\": false}}</x:post></item></channel></rss>"
    );
    check(&outside, Some(false));

    let others = [
        "<posse:post xmlns:posse='https://example.com/posse'>{\"syndicate\": false}</posse:post>".to_owned(),
        "<posse:post xmlns:posse='http://posseparty.com/2024/feed'>{\"syndicate\": false}</posse:post>".to_owned(),
        "<post>{\"syndicate\": false}</post>".to_owned(),
        format!("<p:posts xmlns:p='{OURS}'>{{\"syndicate\": false}}</p:posts>"),
    ];
    for other in &others {
        for document in [entry(other), item(other), rdf(other)] {
            check(&document, None);
        }
    }
    let undeclared = entry("<posse:post>{\"syndicate\": false}</posse:post>");
    check(&undeclared, None);
    let told = format!("`posse:post` is passed over: want `xmlns:posse=\"{OURS}\"`");
    assert_eq!(problems(&read(&undeclared)), [told]);
}

/// An RSS item with a control.
fn item(rest: &str, post: &str) -> String {
    rss(&format!(
        "<item>{rest}<post xmlns='{OURS}' xml:base='https://b.example/x/'><![CDATA[{post}]]></post></item>"
    ))
}

#[test]
fn fields_are_put_into_the_entry_and_addresses_are_relative_to_the_nearest_base() {
    let entry = only(&item(
        "<title>Feed's</title><link>https://a.example/1</link><author>me@a.example (Me)</author>
         <pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate>",
        "{title: 'Own', url: '../own', subtitle: 'Sub', content: '<img src=\"i.png\">', author_name: 'Ada',
          published_at: '2026-11-24', og_image: '/og.png', short_url: ''}",
    ));
    assert_eq!(entry.title.as_deref(), Some("Own"));
    assert_eq!(entry.subtitle.as_deref(), Some("Sub"));
    assert_eq!(entry.url.as_deref(), Some("https://b.example/own"));
    assert_eq!(entry.alternate_url.as_deref(), Some("https://a.example/1"));
    assert_eq!(entry.short_url, None);
    assert_eq!(entry.content.unwrap().body(), "<img src=\"https://b.example/x/i.png\">");
    assert_eq!(entry.published.unwrap().to_string(), "2026-11-24T00:00:00.000Z");
    assert_eq!(entry.authors[0].name.as_deref(), Some("Ada"));
    assert_eq!(entry.control.settings.og_image.as_deref(), Some("https://b.example/og.png"));
}

#[test]
fn an_empty_text_takes_a_field_away() {
    let entry = only(&item(
        "<guid>1</guid><title>T</title><link>https://a.example/1</link><description>D</description>",
        "{title: '', summary: '', url: ''}",
    ));
    assert_eq!((entry.title, entry.summary, entry.url), (None, None, None));
    assert_eq!(entry.id, "1");
}

#[test]
fn only_an_id_changes_the_identity() {
    let link = "<link>https://a.example/1</link><title>T</title>";
    let id = |rest: &str, post: &str| only(&item(rest, post)).id;
    assert_eq!(id(link, "{}"), "https://a.example/1");
    let changed =
        "{url: 'https://c.example/', title: 'U', published_at: '2020-01-01', short_url: '/s'}";
    assert_eq!(id(link, changed), "https://a.example/1");
    assert_eq!(id("<title>T</title>", "{}"), id("<title>T</title>", changed));
    assert_eq!(id(link, "{id: 'mine'}"), "mine");
    assert_eq!(id("<guid>7</guid>", "{id: 'mine'}"), "mine");
    // two that say the same are told apart as two of one guid are
    let post = format!("<post xmlns='{OURS}'>{{id: 'mine'}}</post>");
    let two = read(&rss(&format!(
        "<item><guid>1</guid><pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate>{post}</item>
         <item><guid>2</guid><pubDate>Tue, 24 Nov 2026 10:00:00 GMT</pubDate>{post}</item>"
    )));
    assert_eq!(ids(&two), ["mine", "mine 2026-11-24T10:00:00.000Z"]);
}

#[test]
fn a_short_address_is_canonical_and_no_identity() {
    let short = "<link rel='shorturl' href='https://a.example/s'/>";
    let page = "<link href='https://a.example/1'/><link rel='related' href='https://b.example/'/>";
    let entry = only(&atom(&format!("<entry>{page}{short}</entry>")));
    assert_eq!(entry.id, "https://a.example/1");
    let urls = [&entry.url, &entry.alternate_url, &entry.related_url, &entry.short_url];
    let urls = urls.map(|url| url.as_deref().unwrap_or("none"));
    assert_eq!(
        urls,
        ["https://a.example/s", "https://a.example/1", "https://b.example/", "https://a.example/s"]
    );
    assert_eq!(only(&atom(&format!("<entry>{short}</entry>"))).id, "https://a.example/s");

    let item = r#"{"items": [{"url": "/1", "external_url": "https://b.example/", "title": "x"}]}"#;
    let entry = only(item);
    let urls = [&entry.url, &entry.alternate_url, &entry.related_url, &entry.short_url];
    let urls = urls.map(|url| url.as_deref().unwrap_or("none"));
    assert_eq!(
        urls,
        ["https://example.org/1", "https://example.org/1", "https://b.example/", "none"]
    );
}

#[test]
fn an_item_of_a_json_feed_says_it_in_an_object() {
    let feed = read(
        r#"{"items": [
            {"id": 1, "title": "A", "_posse": {"id": "a", "title": "B", "url": "/b", "visibility": "unlisted",
             "platform_overrides": {"bsky": {"summary": "<p>x</p>"}}}},
            {"id": 2, "title": "C", "_posse": {"visibility": 1, "account_overrides": {"me": {"titel": "x"}}}},
            {"id": 3, "title": "D", "_posse": "no"}
        ]}"#,
    );
    assert_eq!(ids(&feed), ["a", "2", "3"]);
    let [first, second, _] = &*feed.entries else { panic!("three") };
    assert_eq!(first.title.as_deref(), Some("B"));
    assert_eq!(first.url.as_deref(), Some("https://example.org/b"));
    assert_eq!(first.control.settings.visibility, Some(Visibility::Unlisted));
    assert_eq!(
        first.control.by_platform["bluesky"].fields.summary.as_ref().unwrap().body(),
        "<p>x</p>"
    );
    assert_eq!(second.control.problems.len(), 2);
    assert_eq!(
        problems(&feed),
        [
            "`_posse.visibility` is `1`, not `public`, `unlisted`, `private` or `direct`, ignored",
            "`_posse.account_overrides.me.titel` is unknown (did you mean `title`?), ignored",
            "`_posse` is `\"no\"`, not an object, ignored",
        ]
    );
    assert_eq!(feed.problems[0].entry.as_deref(), Some("2"));
}

#[test]
fn a_slip_is_told_with_its_entry_and_the_entry_is_read() {
    let feed = read(&item("<guid>1</guid><title>T</title>", "{\n\n  truncate: 'no'}"));
    let told = "`posse:post.truncate` (line 3, column 13) is `\"no\"`, not true or false, ignored";
    assert_eq!(problems(&feed), [told]);
    assert_eq!(feed.entries[0].control.problems, [told]);
    assert_eq!(feed.problems[0].entry.as_deref(), Some("1"));
    assert_eq!(feed.entries[0].title.as_deref(), Some("T"));

    let post = |json: &str| format!("<post xmlns='{OURS}'>{json}</post>");
    let twice = [post("{syndicate: false}"), post("{syndicate: true}")].concat();
    let feed = read(&rss(&format!("<item><guid>1</guid><title>T</title>{twice}</item>")));
    assert_eq!(feed.entries[0].control.settings.syndicate, Some(false));
    assert_eq!(problems(&feed), ["a second `posse:post` is passed over"]);
}
