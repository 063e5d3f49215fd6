//! Sloppy documents are repaired, cut ones and others refused.

use posse_party::entry::Markup;
use posse_party::feed::parse::ParseError;
use posse_party::text::plain;

use super::{atom, only, problems, read, read_bytes, rss, titles};

#[test]
fn entities_and_ampersands_without_declaration() {
    let feed = read(&rss(
        "<item><title>Caf&eacute; &ndash; AT&T & Co &nbsp;&hellip;</title><guid>1</guid></item>",
    ));
    assert_eq!(titles(&feed), ["Café – AT&T & Co …"]);
    assert_eq!(problems(&feed), [""; 0]);
}

#[test]
fn tags_that_are_not_closed_or_not_opened() {
    let feed = read(&rss(
        "<item><guid>1</guid><title>One</title><description>a <b>b<br> c</description></item>
         <item><guid>2</guid><title>Two</title></b></item>
         <item><guid>3</guid><title>Three</title>
         <item><guid>4</guid><title>Four</item>
         <item><guid>5</guid><title>Five</title></item>",
    ));
    assert_eq!(titles(&feed), ["One", "Two", "Three", "Four", "Five"]);
    assert_eq!(problems(&feed), ["3 tags are not closed, or closed without being opened"]);
}

#[test]
fn a_description_of_the_feed_that_is_not_closed_hides_no_entry() {
    let feed = read("<rss><channel><description>About<item><guid>1</guid></item></channel></rss>");
    assert_eq!(feed.entries.len(), 1);
}

#[test]
fn links_of_atom_written_like_html() {
    let entry =
        only(&atom("<entry><link href='https://a.example/1'><id>1</id><title>x</title></entry>"));
    assert_eq!((&*entry.id, entry.title.as_deref()), ("1", Some("x")));
}

#[test]
fn attributes_as_they_come() {
    let entry =
        only("<feed><entry><link href=https://a.example/1 rel=alternate><ID>1</ID></entry></feed>");
    assert_eq!(entry.url.as_deref(), Some("https://a.example/1"));
}

#[test]
fn markup_that_is_not_escaped() {
    let entry = only(&rss(
        "<item><guid>1</guid><title>a <b>b</b> c</title><description>x <i>y</i> &amp; z</description></item>",
    ));
    assert_eq!(entry.title.as_deref(), Some("a b c"));
    assert_eq!(entry.summary, Some(Markup::Html("x <i>y</i> &amp; z".into())));
}

#[test]
fn unknown_types_are_plain_text_and_known_ones_what_they_say() {
    let content = |attributes: &str, body: &str| {
        only(&atom(&format!("<entry><id>1</id><content {attributes}>{body}</content></entry>")))
            .content
            .unwrap()
    };
    let text = |body: &str| Markup::Text(body.into());
    let html = |body: &str| Markup::Html(body.into());
    assert_eq!(content("type='markdown'", "a *b* &lt;c&gt;"), text("a *b* <c>"));
    assert_eq!(content("type='text'", "a &lt;b&gt; c"), text("a <b> c"));
    assert_eq!(content("", "a &lt;b&gt; c"), text("a <b> c"));
    assert_eq!(content("", "&lt;p&gt;a&lt;/p&gt;"), html("<p>a</p>"));
    assert_eq!(content("type=' HTML '", "&lt;p&gt;a"), html("<p>a"));
    assert_eq!(content("type='text/html' mode='base64'", "PHA+\nYTwvcD4="), html("<p>a</p>"));
    assert_eq!(
        content("type='xhtml'", "<div xmlns='http://www.w3.org/1999/xhtml'><p>a &lt; b</p></div>"),
        html("<p>a &lt; b</p>"),
    );
    assert_eq!(
        content(
            "type='xhtml' xmlns:h='http://www.w3.org/1999/xhtml'",
            "<h:div><h:p>a<h:br/></h:p></h:div>"
        ),
        html("<p>a<br /></p>"),
    );
}

#[test]
fn titles_of_rss_are_html_only_where_they_look_like_it() {
    let title = |written: &str| {
        only(&rss(&format!("<item><guid>1</guid><title>{written}</title></item>"))).title.unwrap()
    };
    assert_eq!(title("AT&amp;amp;T &amp;#8217;s"), "AT&T ’s");
    assert_eq!(title("&lt;i&gt;So&lt;/i&gt; it is"), "So it is");
    assert_eq!(title("When to use &lt;b&gt; and Vec&lt;u8&gt;"), "When to use <b> and Vec<u8>");
    assert_eq!(title("<![CDATA[Tom &amp; Jerry]]>"), "Tom & Jerry");
    assert_eq!(title("two\n  lines"), "two lines");
}

#[test]
fn text_that_was_encoded_twice() {
    let title = |written: &str| {
        only(&rss(&format!("<item><guid>1</guid><title>{written}</title></item>"))).title.unwrap()
    };
    assert_eq!(title("cafÃ© &#226;&#128;&#166; donâ€™t"), "café … don’t");
    assert_eq!(title("Grüße – «à la carte» Ã"), "Grüße – «à la carte» Ã");
    assert_eq!(title("why â€™ and not ’"), "why â€™ and not ’");
}

#[test]
fn html_that_would_hide_itself() {
    let check = |html: &str, text: &str| {
        let escaped = html.replace('&', "&amp;").replace('<', "&lt;");
        let entry = only(&atom(&format!(
            "<entry><id>1</id><title type='html'>{escaped}</title><content type='html'>{escaped}</content></entry>"
        )));
        assert_eq!(entry.title.as_deref(), Some(text), "{html}");
        assert_eq!(entry.content.as_ref().map(plain).as_deref(), Some(text), "{html}");
        let json = serde_json::json!({"items": [{"id": "1", "content_html": html}]});
        let entry = only(&json.to_string());
        assert_eq!(entry.content.as_ref().map(plain).as_deref(), Some(text), "{html}");
    };
    check("sa<!-- -- note >fe<script>alert(1);</script>", "safe");
    check("a <!-- b --> c <!-- cut off", "a c");
    check("<!DOCTYPE ~", "<!DOCTYPE ~");
    check("<![CDATA[<p>a</p>]]>", "a");
    check("<!' <b>a</b>", "<!' a");
    // addresses after it are made absolute, too
    let entry = only(&rss(
        "<item><guid>1</guid><description>&lt;!-- a &gt;&lt;a href='/b'&gt;b&lt;/a&gt;</description></item>",
    ));
    assert_eq!(
        entry.summary,
        Some(Markup::Html("<a href='https://example.org/b'>b</a>".to_owned()))
    );
}

#[test]
fn a_bad_date_is_told_and_the_entry_kept() {
    let feed = read(&rss("<item><guid>1</guid><pubDate>yesterday</pubDate></item>"));
    assert_eq!(feed.entries[0].published, None);
    assert_eq!(problems(&feed)[0], "the date `yesterday` can't be read, passed over");
    assert_eq!(feed.problems[0].entry.as_deref(), Some("1"));
}

#[test]
fn junk_around_the_feed() {
    let feed = read(&format!(
        "<br />\n<b>Warning</b>: oops\n{}\n<!-- 0.1 s --><script>x</script>",
        rss("<item><guid>1</guid></item>")
    ));
    assert_eq!(feed.entries.len(), 1);
    assert_eq!(
        problems(&feed)[..2],
        [
            "there is text before the feed's first tag, passed over",
            "there is something after the feed's last tag, passed over"
        ],
    );
    assert_eq!(read(&format!("\u{feff} \n\n{}\0\n", rss(""))).problems, []);
}

#[test]
fn an_id_that_only_begins_like_an_address_is_no_page() {
    let feed = read(
        r#"{"version": "https://jsonfeed.org/version/1.1", "items": [
            {"id": "https://example.com/1", "content_text": "x"},
            {"id": "https://example .com and more", "content_text": "y"}]}"#,
    );
    assert_eq!(feed.entries[0].url.as_deref(), Some("https://example.com/1"));
    assert_eq!(feed.entries[1].url, None);
    assert_eq!(feed.entries[1].id, "https://example .com and more");
}

#[test]
fn one_bad_item_of_a_json_feed_costs_only_itself() {
    let feed = read(
        r#"{"version": "https://jsonfeed.org/version/1.1", "title": 7, "items": [17, null,
            {"id": "1", "title": ["?"], "tags": "a, b", "authors": "Ada", "date_published": "soon",
             "attachments": [{"url": "/a.mp3"}, 3], "content_text": "x"}]}"#,
    );
    assert_eq!(feed.format, "json feed 1.1");
    let entry = &feed.entries[0];
    assert_eq!(entry.categories, ["a", "b"]);
    assert_eq!(entry.authors[0].name.as_deref(), Some("Ada"));
    assert_eq!(entry.media[0].media_type.as_deref(), Some("audio/mpeg"));
    assert_eq!(
        problems(&feed),
        [
            "entry 1 is no object, passed over",
            "entry 2 is no object, passed over",
            "the date `soon` can't be read, passed over"
        ],
    );
}

#[test]
fn titles_of_a_json_feed_may_be_escaped() {
    let check = |written: &str, expect: &str| {
        let json = serde_json::json!({"title": written, "items": [{"id": "1", "title": written}]});
        let feed = read(&json.to_string());
        assert_eq!(feed.title.as_deref(), Some(expect));
        assert_eq!(feed.entries[0].title.as_deref(), Some(expect));
    };
    check("Tom &amp; Jerry&#8217;s", "Tom & Jerry’s");
    check("AT&T, R&D; x", "AT&T, R&D; x");
    check("When to write &amp; for <b>", "When to write &amp; for <b>");
}

#[test]
fn what_is_no_feed_is_said() {
    let refuse = |body: &str, expect: &str| {
        assert_eq!(read_bytes(body.as_bytes()).unwrap_err().to_string(), expect, "{body}");
    };
    refuse("", "the body is empty");
    refuse(" \n\u{feff}", "the body is empty");
    refuse("<!DOCTYPE html><title>x</title><p>Not found", "this is a web page, not a feed");
    refuse("<!doctype html>\n<html><head>", "this is a web page, not a feed");
    refuse("<html lang='en'><body>x</body></html>", "this is a web page, not a feed");
    refuse("Not found", "this is no feed, but plain text");
    refuse("<opml version='1.0'><body/></opml>", "this is no feed, but an OPML outline");
    refuse("<urlset><url/></urlset>", "this is no feed, but a site map");
    refuse("<svg/>", "this is no feed, but a document whose root is `svg`");
    refuse("[]", "this is no feed, but a JSON list");
    refuse("{\"error\": 1}", "this is no feed, but JSON without `items`");
    refuse("<?xml version='1.0'?>", "the document is cut off");
}

#[test]
fn a_document_that_is_cut_off_is_never_half_a_feed() {
    let documents = [
        rss(
            "<item><guid isPermaLink='false'>1</guid><title><![CDATA[One]]></title><description>a &amp; b</description></item><!-- x --><item/>",
        ),
        atom(
            "<entry><id>1</id><link href='https://a.example/'/><content type='xhtml'><div>a<br/></div></content></entry>",
        ),
        r#"{"version": "1", "items": [{"id": "1", "content_html": "<p>x</p>"}, {"id": 2}]}"#
            .to_owned(),
    ];
    for document in documents {
        assert!(!read(&document).entries.is_empty());
        // the very last byte is the `>` of the root's end tag, or the `}`
        let last = document.len() - usize::from(document.ends_with('>'));
        for end in 0..last {
            let cut = read_bytes(&document.as_bytes()[..end]);
            let expected = matches!(cut, Err(ParseError::CutOff | ParseError::Empty));
            assert!(expected, "{:?} after {}", cut, &document[..end]);
        }
    }
}
