//! On well-formed documents this reader and feed-rs see the same entries.

use super::{read, titles};

/// Well-formed documents of every format that feed-rs reads.
fn documents() -> Vec<String> {
    let rss = |version: &str| {
        let items: String = (0..20)
            .map(|n| {
                format!(
                    "<item><title>Entry {n} &amp; more</title><link>https://a.example/{n}</link>
                     <guid isPermaLink=\"false\">tag:{n}</guid><pubDate>Thu, 01 Jan 2004 19:48:{n:02} GMT</pubDate>
                     <description>&lt;p&gt;Text {n}&lt;/p&gt;</description><category>c{n}</category></item>"
                )
            })
            .collect();
        format!(
            "<?xml version=\"1.0\"?><rss version=\"{version}\"><channel><title>T</title><link>https://a.example/</link><description>D</description>{items}</channel></rss>"
        )
    };
    let entries: String = (0..20)
        .map(|n| {
            format!(
                "<entry><id>urn:{n}</id><title type=\"text\">Entry {n} &lt; &#x263a;</title><updated>2024-01-{:02}T10:00:00+02:00</updated>
                 <link href=\"https://a.example/{n}\"/><content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Text <b>{n}</b></p></div></content>
                 <author><name>Ada</name></author></entry>",
                n + 1
            )
        })
        .collect();
    let atom = format!(
        "<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:f</id><title>T</title><updated>2024-01-01T00:00:00Z</updated>{entries}</feed>"
    );
    let rdf = "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns=\"http://purl.org/rss/1.0/\">
        <channel rdf:about=\"https://a.example/\"><title>T</title><link>https://a.example/</link><description>D</description></channel>
        <item rdf:about=\"https://a.example/1\"><title>One</title><link>https://a.example/1</link></item>
        <item rdf:about=\"https://a.example/2\"><title>Two</title><link>https://a.example/2</link></item></rdf:RDF>";
    vec![rss("2.0"), rss("0.92"), rss("0.91"), atom, rdf.to_owned()]
}

#[test]
fn the_same_entries_titles_and_dates_as_feed_rs() {
    for document in documents() {
        let ours = read(&document);
        let theirs = feed_rs::parser::parse(document.as_bytes()).unwrap();
        let their_titles: Vec<_> = theirs
            .entries
            .iter()
            .map(|entry| entry.title.as_ref().map_or("-", |t| &*t.content))
            .collect();
        assert_eq!(titles(&ours), their_titles, "{document}");
        for (our, their) in ours.entries.iter().zip(&theirs.entries) {
            assert_eq!(our.url.as_deref(), their.links.first().map(|link| &*link.href));
            let dates = (our.published.or(our.updated), their.published.or(their.updated));
            assert_eq!(dates.0.map(|at| at.to_datetime()), dates.1, "{document}");
        }
        assert_eq!(ours.problems, [], "{document}");
    }
}
