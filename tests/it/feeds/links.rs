//! The page's link is chosen by relation and type, not by position.

use super::{atom, only, rss};

fn check(body: &str, expect: &str) {
    assert_eq!(only(body).url.as_deref().unwrap_or("none"), expect, "{body}");
}

#[test]
fn relation_and_type_before_position() {
    let entry = |links: &str| atom(&format!("<entry><id>1</id>{links}</entry>"));
    let page = "<link rel='alternate' type='text/html' href='https://a.example/page'/>";
    let own = "<link rel='self' href='https://a.example/1.atom'/>";
    let sound = "<link rel='enclosure' type='audio/mpeg' href='https://a.example/1.mp3'/>";
    let json = "<link rel='alternate' type='application/json' href='https://a.example/1.json'/>";
    let short = "<link rel='shorturl' href='https://a.example/s'/>";
    let related = "<link rel='related' href='https://b.example/'/>";
    check(&entry(&[own, sound, json, page].concat()), "https://a.example/page");
    check(&entry(&[related, page].concat()), "https://a.example/page");
    check(&entry(&[page, short].concat()), "https://a.example/s");
    check(&entry(&[own, related].concat()), "https://b.example/");
    check(&entry(own), "https://a.example/1.atom");
    check(&entry("<link href='https://a.example/bare'/>"), "https://a.example/bare");
    check(
        &entry(
            "<link rel='http://www.iana.org/assignments/relation/alternate' href='https://a.example/i'/>",
        ),
        "https://a.example/i",
    );
    check(&entry(""), "none");
    check(&entry("<link href='javascript:alert(1)'/>"), "none");
    check(&entry("<link href=''/>"), "none");
}

#[test]
fn rss_takes_the_link_else_a_permalink() {
    let item = |inside: &str| rss(&format!("<item>{inside}</item>"));
    check(
        &item("<link> https://a.example/1\n</link><guid>https://a.example/2</guid>"),
        "https://a.example/1",
    );
    check(&item("<guid>https://a.example/2</guid>"), "https://a.example/2");
    check(&item("<guid isPermaLink='true'>https://a.example/2</guid>"), "https://a.example/2");
    check(&item("<guid isPermaLink='false'>https://a.example/2</guid><title>x</title>"), "none");
    check(&item("<guid>17</guid><title>x</title>"), "none");
    check(&item("<guid isPermaLink='true'>/17</guid>"), "https://example.org/17");
    check(
        &item("<link><![CDATA[https://a.example/?a=1&b=2]]></link>"),
        "https://a.example/?a=1&b=2",
    );
    check(
        &item("<link>https://a.example/?a=1&b=2&copy=3</link>"),
        "https://a.example/?a=1&b=2&copy=3",
    );
    check(&item("<link>https://a.example/?a=1&amp;b=2</link>"), "https://a.example/?a=1&b=2");
    check(&item("<link href='https://a.example/h'/><title>x</title>"), "https://a.example/h");
    let both = "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='https://a.example/self'/>
        <link>https://a.example/1</link>";
    check(&item(both), "https://a.example/1");
    check(&item("<link>https://a.example/with space</link>"), "https://a.example/with%20space");
    check(&item("<link>https://a.example/ä</link>"), "https://a.example/ä");
}

#[test]
fn relative_addresses_are_relative_to_what_is_nearest() {
    check(&rss("<item><link>../1</link></item>"), "https://example.org/1");
    check(&rss("<item><link>//b.example/1</link></item>"), "https://b.example/1");
    check(
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://b.example/x/'>
            <entry xml:base='y/'><link href='z' xml:base='../w/'/></entry></feed>",
        "https://b.example/x/w/z",
    );
    let entry = only(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id>
            <content type='html' xml:base='https://b.example/x/'>&lt;a href=\"y?a=1&amp;amp;b\"&gt;y&lt;/a&gt;
            &lt;img src=/z.png&gt; &lt;a href='#top'&gt;top&lt;/a&gt; &lt;a href='https://c.example/'&gt;c&lt;/a&gt;</content></entry></feed>",
    );
    let html = entry.content.unwrap().body().to_owned();
    assert!(html.contains("href=\"https://b.example/x/y?a=1&amp;b\""), "{html}");
    assert!(html.contains("src=https://b.example/z.png>"), "{html}");
    assert!(html.contains("'#top'") && html.contains("'https://c.example/'"), "{html}");
}

#[test]
fn all_links_are_kept_in_order() {
    let entry = only(&atom(
        "<entry><id>1</id><link rel='related' href='/r'/><link href='/p' type='text/html'/>
            <link rel='enclosure' href='/e.mp3' type='audio/mpeg' length='1'/></entry>",
    ));
    let links: Vec<_> = entry
        .links
        .iter()
        .map(|link| (&*link.rel, &*link.href, link.media_type.as_deref()))
        .collect();
    assert_eq!(
        links,
        [
            ("related", "https://example.org/r", None),
            ("alternate", "https://example.org/p", Some("text/html")),
            ("enclosure", "https://example.org/e.mp3", Some("audio/mpeg")),
        ],
    );
}

#[test]
fn json_feed_takes_url_and_keeps_the_external_one() {
    let entry =
        only(r#"{"items": [{"id": "1", "url": "/1", "external_url": "https://b.example/"}]}"#);
    assert_eq!(entry.url.as_deref(), Some("https://example.org/1"));
    assert_eq!((&*entry.links[1].rel, &*entry.links[1].href), ("related", "https://b.example/"));
    check(r#"{"items": [{"id": "https://a.example/1", "title": "x"}]}"#, "https://a.example/1");
}
