//! Input made to do harm: bounded in time and memory, and never a panic.

use posse_party::feed::parse::{ENTRIES_MAX, ParseError};
use proptest::prelude::*;

use super::{atom, only, read, read_bytes, rss};

#[test]
fn deep_nesting() {
    let depth = 100_000;
    let (open, close) = ("<a>".repeat(depth), "</a>".repeat(depth));
    let feed =
        read(&rss(&format!("<item><guid>1</guid>{open}{close}</item><item><guid>2</guid></item>")));
    assert_eq!(feed.entries.len(), 2);
    let feed = read(&rss(&format!(
        "<item><guid>1</guid><description>{open}</description></item><item><guid>2</guid></item>"
    )));
    assert_eq!(feed.entries.len(), 2);
    assert_eq!(read_bytes(rss(&open).as_bytes()).unwrap().entries.len(), 0);
    assert!(read_bytes("[".repeat(depth).as_bytes()).is_err());
    let groups = "<media:group><media:content url='http://a.example/b'>".repeat(depth);
    only(&rss(&format!(
        "<item xmlns:media='http://search.yahoo.com/mrss/'><guid>1</guid>{groups}</item>"
    )));
}

#[test]
fn many_entries() {
    let empty = read(&rss(&"<item/>".repeat(500_000)));
    assert_eq!(empty.entries.len(), 1, "entries without anything are one");
    assert!(empty.problems.len() < 100);
    let items: String =
        (0..ENTRIES_MAX + 7).map(|n| format!("<item><guid>{n}</guid></item>")).collect();
    let feed = read(&rss(&items));
    assert_eq!(feed.entries.len(), ENTRIES_MAX);
    assert_eq!(feed.problems[0].message, "7 entries beyond the first 10000 were left out");
}

/// Were it not linear, this would take hours.
#[test]
fn many_declarations_in_html() {
    for piece in
        ["<!--", "<![CDATA[", "<![CDATA[]]", "<!x", "<!' ", "<?", "<a b=\"", "<!-- ' <a b='"]
    {
        let html = piece.repeat(2_000_000 / piece.len());
        let json = serde_json::json!({"items": [{"id": "1", "content_html": html}]});
        only(&json.to_string());
    }
}

#[test]
fn entity_bombs_and_files() {
    let lol = (1..10)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect::<String>();
    let entry = only(&format!(
        "<!DOCTYPE rss [<!ENTITY l0 \"lol\"><!ENTITY f SYSTEM 'file:///etc/passwd'>{lol}]>{}",
        rss("<item><guid>1</guid><title>&l9;|&f;|&l0;</title></item>"),
    ));
    let title = entry.title.unwrap();
    assert!(title.ends_with("|&f;|lol") && title.len() < 1000, "{title}");
    let long = format!("<!DOCTYPE rss [<!ENTITY l \"{}\">]>", "x".repeat(1000));
    let entry = only(
        &(long
            + &rss(&format!("<item><guid>1</guid><title>{}</title></item>", "&l;".repeat(10_000)))),
    );
    assert!(entry.title.unwrap().len() < 200_000);
}

#[test]
fn many_attributes_namespaces_links_and_categories() {
    let attributes: String = (0..32_000).map(|n| format!(" a{n}='{n}'")).collect();
    let namespaces: String = (0..32_000).map(|n| format!(" xmlns:a{n}='{n}'")).collect();
    let links: String = (0..32_000)
        .map(|n| format!("<link href='/{n}'/><category term='{n}'/><enclosure url='/{n}'/>"))
        .collect();
    let entry = only(&atom(&format!(
        "<entry{attributes}{namespaces}><id{attributes}>1</id>{links}</entry>"
    )));
    assert_eq!(entry.id, "1");
    assert!(entry.links.len() <= 200 && entry.categories.len() <= 200 && entry.media.len() <= 100);
}

/// A small feed with something of everything.
const EVERYTHING: &str = r#"<?xml version="1.0" encoding="utf-8"?><!DOCTYPE feed [<!ENTITY me "Ada">]>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:p="https://posseparty.com/2024/Feed" xmlns:media="http://search.yahoo.com/mrss/" xml:lang="en" xml:base="https://a.example/">
<title>Caf&eacute; &me;</title><link rel="self" href="f"/><author><name>&me;</name></author>
<entry><id>tag:a,2024:1</id><title type="html">A &lt;b&gt;bold&lt;/b&gt; one</title><link href="/1"/><updated>2024-01-01T00:00:00+01:00</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Grüße <a href="x">x</a><br/></p></div></content>
<p:post><![CDATA[{"syndicate": false}]]></p:post><media:group><media:content url="a.jpg"/></media:group><category term="x"/></entry>
<item><guid>2</guid><pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate><description><![CDATA[<p>ü]]></description></item></feed>"#;

#[test]
fn truncation_and_single_bytes_never_panic() {
    assert_eq!(read(EVERYTHING).entries.len(), 2);
    let is_panic = |body: &[u8]| matches!(read_bytes(body), Err(ParseError::Panic(_)));
    for at in 0..EVERYTHING.len() {
        assert!(!is_panic(&EVERYTHING.as_bytes()[..at]), "cut at {at}");
        for byte in [b'<', b'>', b'&', b'"', 0, 0xff] {
            let mut body = EVERYTHING.as_bytes().to_vec();
            body[at] = byte;
            assert!(!is_panic(&body), "{byte} at {at}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!matches!(read_bytes(&body), Err(ParseError::Panic(_))));
    }

    #[test]
    fn arbitrary_markup_never_panics(
        body in "(<[/!?]?(rss|feed|channel|item|entry|title|link|guid|content|description|media:group|x:post)( (xmlns|type|href|xml:base|rel)=['\"]?[a-z:/&;.]{0,9}['\"]?){0,2}/?>|<!\\[CDATA\\[|\\]\\]>|<!--|-->|&[a-z#0-9]{0,5};?|\\PC{0,3}){0,60}"
    ) {
        for body in [rss(&body), atom(&body), body] {
            prop_assert!(!matches!(read_bytes(body.as_bytes()), Err(ParseError::Panic(_))), "{}", body);
        }
    }

    #[test]
    fn mutated_feeds_never_panic_and_have_ids_of_their_own(
        cuts in proptest::collection::vec((0..EVERYTHING.len(), 0..60_usize, 0..EVERYTHING.len()), 1..8)
    ) {
        let mut body = EVERYTHING.as_bytes().to_vec();
        for (at, length, to) in cuts {
            let at = at.min(body.len());
            let piece: Vec<u8> = body.drain(at..(at + length).min(body.len())).collect();
            let to = to.min(body.len());
            body.splice(to..to, piece.iter().chain(&piece).copied());
        }
        match read_bytes(&body) {
            Err(ParseError::Panic(message)) => prop_assert!(false, "{}", message),
            Err(_) => {}
            Ok(feed) => {
                let mut ids: Vec<_> = feed.entries.iter().map(|entry| &entry.id).collect();
                prop_assert!(ids.iter().all(|id| !id.is_empty()));
                ids.sort();
                ids.dedup();
                prop_assert_eq!(ids.len(), feed.entries.len());
                prop_assert_eq!(&read_bytes(&body).unwrap(), &feed);
            }
        }
    }
}
