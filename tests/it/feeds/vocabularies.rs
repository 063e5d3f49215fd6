//! Every format and vocabulary ends in the same entry.

use std::time::Duration;

use posse_party::clock::Timestamp;
use posse_party::draft::Media;
use posse_party::entry::Person;

use super::{atom, only, read, rss};

fn format(body: &str) -> String {
    read(body).format
}

#[test]
fn formats() {
    assert_eq!(format("<rss version='2.0'><channel/></rss>"), "rss 2.0");
    assert_eq!(format("<rss version='2.00'><channel/></rss>"), "rss 2.0");
    assert_eq!(format("<rss version='0.91'><channel/></rss>"), "rss 0.91");
    let netscape = "<!DOCTYPE rss PUBLIC '-//Netscape Communications//DTD RSS 0.91//EN' 'x.dtd'>";
    assert_eq!(
        format(&format!("{netscape}<rss version='0.91'><channel/></rss>")),
        "rss 0.91 of netscape"
    );
    assert_eq!(format(&format!("{netscape}<rss version='2.0'><channel/></rss>")), "rss 2.0");
    assert_eq!(format("<rss><channel/></rss>"), "rss");
    assert_eq!(format("<feed xmlns='http://www.w3.org/2005/Atom'/>"), "atom 1.0");
    assert_eq!(format("<feed version='0.3' xmlns='http://purl.org/atom/ns#'/>"), "atom 0.3");
    assert_eq!(format("<a:feed xmlns:a='http://www.w3.org/2005/Atom'/>"), "atom 1.0");
    assert_eq!(
        format(
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'/>"
        ),
        "rss 1.0"
    );
    assert_eq!(
        format(
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'/>"
        ),
        "rss 0.90"
    );
    assert_eq!(
        format("{\"version\": \"https://jsonfeed.org/version/1.1\", \"items\": []}"),
        "json feed 1.1"
    );
    assert_eq!(format("<CHANNEL HREF='https://a.example/'><ITEM HREF='/1'/></CHANNEL>"), "cdf");
}

#[test]
fn rss_of_every_age_and_atom_of_both() {
    let item = "<item><title>One</title><link>https://a.example/1</link><description>Text</description></item>";
    let documents = [
        format!("<rss version='0.91'><channel><title>T</title><link>https://a.example/</link>{item}</channel></rss>"),
        format!("<rss version='0.92'><channel><title>T</title><link>https://a.example/</link></channel>{item}</rss>"),
        format!("<rss version='2.0' xmlns='http://backend.userland.com/rss2'><channel><title>T</title><link>https://a.example/</link>{item}</channel></rss>"),
        format!("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>
            <channel><title>T</title><link>https://a.example/</link><items><rdf:Seq><rdf:li resource='x'/></rdf:Seq></items></channel>{item}</rdf:RDF>"),
        format!("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'>
            <channel><title>T</title><link>https://a.example/</link></channel>{item}</rdf:RDF>"),
        "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><title>T</title><link rel='alternate' href='https://a.example/'/>
            <entry><title>One</title><link rel='alternate' type='text/html' href='https://a.example/1'/><summary>Text</summary></entry></feed>".to_owned(),
        "<f:feed xmlns:f='http://www.w3.org/2005/Atom'><f:title>T</f:title><f:link href='https://a.example/'/>
            <f:entry><f:title>One</f:title><f:link href='https://a.example/1'/><f:summary>Text</f:summary></f:entry></f:feed>".to_owned(),
        "<channel href='https://a.example/'><title>T</title><item href='https://a.example/1'><title>One</title><abstract>Text</abstract></item></channel>".to_owned(),
        r#"{"title": "T", "home_page_url": "https://a.example/", "items": [{"url": "https://a.example/1", "title": "One", "summary": "Text"}]}"#.to_owned(),
    ];
    for document in documents {
        let feed = read(&document);
        assert_eq!(
            (feed.title.as_deref(), feed.home_url.as_deref()),
            (Some("T"), Some("https://a.example/")),
            "{document}"
        );
        let entry = only(&document);
        assert_eq!(
            (&*entry.id, entry.title.as_deref(), entry.url.as_deref()),
            ("https://a.example/1", Some("One"), Some("https://a.example/1")),
            "{document}"
        );
        assert_eq!(entry.summary.unwrap().body(), "Text", "{document}");
        assert_eq!(feed.problems, [], "{document}");
    }
}

#[test]
fn dates_from_every_element() {
    let at = |item: &str| {
        let entry = only(&rss(&format!(
            "<item xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:dcterms='http://purl.org/dc/terms/'><guid>1</guid>{item}</item>"
        )));
        (entry.published.map(Timestamp::to_rfc3339), entry.updated.map(Timestamp::to_rfc3339))
    };
    let day = |day: u32| Some(format!("2024-01-0{day}T00:00:00.000Z"));
    assert_eq!(at("<dc:date>2024-01-03</dc:date><pubDate>2024-01-01</pubDate>"), (day(1), None));
    assert_eq!(at("<dc:date>2024-01-03</dc:date>"), (day(3), None));
    assert_eq!(
        at(
            "<dcterms:created>2024-01-01</dcterms:created><dcterms:modified>2024-01-02</dcterms:modified>"
        ),
        (day(1), day(2))
    );
    assert_eq!(
        at("<published>2024-01-01</published><updated>2024-01-02</updated>"),
        (day(1), day(2))
    );
    assert_eq!(at("<issued>2024-01-01</issued><modified>2024-01-02</modified>"), (day(1), day(2)));
    // of two that say the same thing the last one counts, of two that don't the one made for it
    assert_eq!(at("<pubDate>2024-01-01</pubDate><pubDate>2024-01-02</pubDate>"), (day(2), None));
    assert_eq!(at("<pubDate>2024-01-01</pubDate><pubDate>soon</pubDate>"), (day(1), None));
    assert_eq!(at("<updated>2024-01-02</updated><updated>2024-01-01</updated>"), (None, day(1)));
    assert_eq!(at("<pubDate>2024-01-01</pubDate><dc:date>2024-01-02</dc:date>"), (day(1), None));
    assert_eq!(at(""), (None, None));
}

#[test]
fn authors_from_every_place() {
    let person = |name: &str, email: Option<&str>| Person {
        name: Some(name.into()),
        email: email.map(Into::into),
        url: None,
    };
    let entry = only(&rss(
        "<managingEditor>boss@a.example (Boss)</managingEditor><item><guid>1</guid></item>",
    ));
    assert_eq!(entry.authors, [person("Boss", Some("boss@a.example"))]);
    let entry = only(&rss(
        "<managingEditor>Boss</managingEditor><item xmlns:dc='http://purl.org/dc/elements/1.1/'><guid>1</guid>
            <author>ada@a.example (Ada)</author><dc:creator>Ada</dc:creator><dc:creator>Bob</dc:creator></item>",
    ));
    assert_eq!(entry.authors, [person("Ada", Some("ada@a.example")), person("Bob", None)]);
    let entry = only(&atom(
        "<author><name>Eve</name><uri>/eve</uri><email>eve@a.example</email></author><entry><id>1</id></entry>",
    ));
    assert_eq!(
        entry.authors,
        [Person {
            url: Some("https://example.org/eve".into()),
            ..person("Eve", Some("eve@a.example"))
        }]
    );
    let entry = only(&atom(
        "<entry><id>1</id><source><author><name>Origin</name></author></source></entry>",
    ));
    assert_eq!(entry.authors, [person("Origin", None)]);
    let entry = only(
        r#"{"author": {"name": "Feed"}, "items": [{"id": "1", "authors": [{"name": "A"}, {"name": "B", "url": "mailto:b@a.example"}]}]}"#,
    );
    assert_eq!(entry.authors, [person("A", None), person("B", Some("b@a.example"))]);
}

#[test]
fn categories_from_every_place() {
    let entry = only(&rss(
        "<item xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><guid>1</guid>
            <category domain='x'>Rust &amp;amp; C</category><category/><dc:subject>b</dc:subject><category>b</category>
            <itunes:keywords>c, d,,c</itunes:keywords></item>",
    ));
    assert_eq!(entry.categories, ["Rust & C", "b", "c", "d"]);
    let entry = only(&atom(
        "<entry><id>1</id><category term='t' label='Shown'/><category label='l'/></entry>",
    ));
    assert_eq!(entry.categories, ["t", "l"]);
}

#[test]
fn languages_from_the_nearest_place() {
    let language = |body: &str| only(body).language;
    assert_eq!(
        language(&rss("<language> en-us </language><item><guid>1</guid></item>")),
        Some("en-us".into())
    );
    assert_eq!(
        language(&rss("<item><guid>1</guid></item><language>pt_BR</language>")),
        Some("pt-BR".into())
    );
    assert_eq!(
        language(&rss("<language>en</language><item xml:lang='de'><guid>1</guid></item>")),
        Some("de".into())
    );
    assert_eq!(
        language(
            "<feed xml:lang='en'><entry><id>1</id><title>x</title><content xml:lang='fr'>y</content></entry></feed>"
        ),
        Some("fr".into())
    );
    assert_eq!(
        language(
            "<feed xml:lang='en'><entry><id>1</id><title xml:lang='fr'>x</title></entry></feed>"
        ),
        Some("fr".into())
    );
    assert_eq!(language("<feed xml:lang='en'><entry xml:lang=''><id>1</id></entry></feed>"), None);
    assert_eq!(
        language(&rss("<language>English, please</language><item><guid>1</guid></item>")),
        None
    );
    assert_eq!(
        language(r#"{"language": "en", "items": [{"id": "1", "language": "de"}]}"#),
        Some("de".into())
    );
}

#[test]
fn media_from_every_place() {
    let media = |item: &str| {
        only(&rss(&format!("<item xmlns:media='http://search.yahoo.com/mrss/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><guid>1</guid>{item}</item>"))).media
    };
    let one = |kind: &str, url: &str, alt: Option<&str>| Media {
        media_type: Some(kind.into()),
        url: format!("https://example.org/{url}"),
        alt: alt.map(Into::into),
        ..Media::default()
    };
    let posed = |kind: &str, url: &str, alt: Option<&str>| Media {
        poster_url: Some("https://example.org/t.jpg".into()),
        ..one(kind, url, alt)
    };
    assert_eq!(
        media("<enclosure url='/a.mp3' type='audio/mpeg' length='1'/>"),
        [one("audio/mpeg", "a.mp3", None)]
    );
    assert_eq!(media("<enclosure url='/a.mp3'/>"), [one("audio/mpeg", "a.mp3", None)]);
    assert_eq!(
        media(
            "<media:content url='/a.jpg' medium='image'><media:description>A &amp;amp; B</media:description></media:content><media:thumbnail url='/t.jpg'/>"
        ),
        [one("image/jpeg", "a.jpg", Some("A & B"))],
    );
    assert_eq!(
        media(
            "<media:group><media:content url='/v' type='video/mp4'/><media:description>All</media:description><media:thumbnail url='/t.jpg'/></media:group>"
        ),
        [posed("video/mp4", "v", Some("All"))],
    );
    assert_eq!(
        media("<enclosure url='/v.mp4'/><media:thumbnail url='/t.jpg'/><itunes:image href='/i'/>"),
        [posed("video/mp4", "v.mp4", None), one("image", "i", None)],
    );
    assert_eq!(
        media(
            "<media:content url='/v' medium='video'><media:thumbnail url='/t.jpg'/></media:content><enclosure url='/w.mp4'/>"
        ),
        [posed("video", "v", None), one("video/mp4", "w.mp4", None)],
    );
    assert_eq!(media("<media:content url='/a' medium='image'/>"), [one("image", "a", None)]);
    assert_eq!(media("<itunes:image href='/cover'/>"), [one("image", "cover", None)]);
    assert_eq!(
        media(
            "<enclosure url='/a.jpg' type='image/jpeg'/><media:content url='/a.jpg'><media:description>x</media:description></media:content>"
        ),
        [one("image/jpeg", "a.jpg", Some("x"))],
    );
    let json = only(
        r#"{"items": [{"id": "1", "image": "/i", "attachments": [{"url": "/a", "mime_type": "video/mp4", "alt": "x"}]}]}"#,
    );
    assert_eq!(json.media, [one("video/mp4", "a", Some("x")), one("image", "i", None)]);
}

#[test]
fn content_and_summary() {
    let entry = only(&rss(
        "<item xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><guid>1</guid>
            <itunes:summary>third</itunes:summary><description>short</description><content:encoded><![CDATA[<p>full</p>]]></content:encoded></item>",
    ));
    assert_eq!(
        (entry.summary.unwrap().body(), entry.content.unwrap().body()),
        ("short", "<p>full</p>")
    );
    let entry = only(&rss(
        "<item><guid>1</guid><description>full</description><summary>short</summary></item>",
    ));
    assert_eq!((entry.summary.unwrap().body(), entry.content.unwrap().body()), ("short", "full"));
    let entry = only(&rss(
        "<item><guid>1</guid><body xmlns='http://www.w3.org/1999/xhtml'><p>full</p></body></item>",
    ));
    assert_eq!(entry.content.unwrap().body(), "<p>full</p>");
    let entry = only(&atom("<entry><id>1</id><title/><summary> </summary></entry>"));
    assert_eq!((entry.title, entry.summary, entry.content), (None, None, None));
}

#[test]
fn the_feed_itself() {
    let feed = read(&rss(
        "<title>ignored: the first one counts</title><link>https://a.example/</link>
            <atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='self' href='https://a.example/feed'/>
            <image><title>logo</title><link>https://b.example/</link></image><ttl>60</ttl>",
    ));
    assert_eq!(feed.title.as_deref(), Some("T"));
    assert_eq!(feed.home_url.as_deref(), Some("https://a.example/"));
    assert_eq!(feed.ttl, Some(Duration::from_secs(3600)));
}

#[test]
fn our_own_element_by_its_address_never_by_its_prefix() {
    const NS: &str = "https://posseparty.com/2024/Feed";
    let json = r#"{"syndicate": false}"#;
    let ours = [
        rss(&format!(
            "<item xmlns:posse='{NS}'><guid>1</guid><posse:post format='json'><![CDATA[{json}]]></posse:post></item>"
        )),
        rss(&format!(
            "<item><guid>1</guid><x:post xmlns:x='{NS}'>{}</x:post></item>",
            json.replace('"', "&quot;")
        )),
        atom(&format!("<entry><id>1</id><post xmlns='{NS}'>{json}</post></entry>")),
        atom(&format!(
            "<entry xmlns:p='{NS}'><id>1</id><p:post><![CDATA[{{\"syndicate\": ]]><![CDATA[false}}]]></p:post></entry>"
        )),
        r#"{"items": [{"id": "1", "_posse": {"syndicate": false}}]}"#.to_owned(),
    ];
    for body in ours {
        assert_eq!(only(&body).control.settings.syndicate, Some(false), "{body}");
    }
    let not_ours = [
        rss(&format!("<item><guid>1</guid><posse:post>{json}</posse:post></item>")),
        rss(&format!(
            "<item xmlns:posse='https://other.example/'><guid>1</guid><posse:post>{json}</posse:post></item>"
        )),
        atom(&format!(
            "<entry><id>1</id><content type='xhtml'><div><post xmlns='{NS}'>{json}</post></div></content></entry>"
        )),
        atom(&format!("<post xmlns='{NS}'>{json}</post><entry><id>1</id></entry>")),
    ];
    for body in not_ours {
        assert_eq!(only(&body).control.settings.syndicate, None, "{body}");
    }
    let feed = read(&atom(&format!(
        "<entry><id>1</id><title>x</title><post xmlns='{NS}'>{{oops</post></entry>"
    )));
    assert_eq!(feed.entries[0].title.as_deref(), Some("x"));
    assert_eq!(feed.problems[0].entry.as_deref(), Some("1"));
    assert!(
        feed.problems[0].message.starts_with("`posse:post` (line 1, column 6) can't be read: ")
    );
}
