//! Feeds: documents like those of real sites, the same in every run but for the dates.
//!
//! Even numbers are Atom with escaped HTML, odd ones RSS 2.0 with `description` and CDATA in
//! `content:encoded`; entries with paragraphs, links, lists and umlauts, the newest first.

use std::fmt::Write;
use std::ops::Range;

/// Seconds between two entries of a feed.
const APART: i64 = 3000;

/// A feed of the numbered `entries` of about `bytes` bytes each, number 0 of the time `oldest`
/// (seconds since the epoch). An entry is the same in every feed of that number.
pub fn feed(number: usize, entries: Range<usize>, bytes: usize, oldest: i64) -> String {
    let site = format!("https://blog{number}.example.com");
    let mut out = String::with_capacity(entries.len() * (bytes + 64) + 1024);
    let atom = number.is_multiple_of(2);
    if atom {
        write!(
            out,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" \
             xml:lang=\"en\">\n  <title>The diary of number {number}</title>\n  \
             <link href=\"{site}/\"/>\n  <link rel=\"self\" href=\"{site}/atom.xml\"/>\n  \
             <id>{site}/</id>\n  <updated>{}</updated>\n  <author><name>Ada</name></author>\n",
            rfc3339(oldest + entries.end as i64 * APART)
        )
    } else {
        write!(
            out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" \
             xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
             xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
             xmlns:atom=\"http://www.w3.org/2005/Atom\">\n<channel>\n  \
             <title>The diary of number {number}</title>\n  <link>{site}/</link>\n  \
             <description>What happened</description>\n  <language>en</language>\n  \
             <atom:link href=\"{site}/rss.xml\" rel=\"self\" type=\"application/rss+xml\"/>\n"
        )
    }
    .unwrap();
    for at in entries.rev() {
        let mut words = Words(number as u64 * 1_000_003 + at as u64);
        let date = oldest + at as i64 * APART;
        entry(&mut out, atom, &site, at, date, &mut words, bytes);
    }
    out.push_str(if atom { "</feed>\n" } else { "</channel>\n</rss>\n" });
    out
}

fn entry(
    out: &mut String,
    atom: bool,
    site: &str,
    at: usize,
    date: i64,
    words: &mut Words,
    bytes: usize,
) {
    let start = out.len();
    let (title, summary) = (words.line(6), words.line(24));
    let url = format!("{site}/posts/{at}-{}", title.to_lowercase().replace(' ', "-"));
    if atom {
        write!(
            out,
            "  <entry>\n    <title>{title}</title>\n    <link href=\"{url}\"/>\n    \
             <id>{url}</id>\n    <published>{0}</published>\n    <updated>{0}</updated>\n    \
             <category term=\"{1}\"/>\n    <summary>{summary}</summary>\n    \
             <content type=\"html\">",
            rfc3339(date),
            words.next(),
        )
    } else {
        write!(
            out,
            "  <item>\n    <title>{title}</title>\n    <link>{url}</link>\n    \
             <guid isPermaLink=\"true\">{url}</guid>\n    <pubDate>{}</pubDate>\n    \
             <dc:creator>Ada</dc:creator>\n    <category>{}</category>\n    \
             <description>{summary}</description>\n    <content:encoded><![CDATA[",
            rfc2822(date),
            words.next(),
        )
    }
    .unwrap();
    while out.len() - start < bytes.saturating_sub(300) {
        let html = match words.random() % 4 {
            0 => format!("<ul><li>{}</li><li>{}</li></ul>\n", words.line(6), words.line(7)),
            1 => format!(
                "<p>{} <a href=\"{site}/tags/{}\">{}</a>.</p>\n",
                words.line(18),
                words.next(),
                words.line(3)
            ),
            _ => {
                format!("<p>{} <em>{}</em>, {}</p>\n", words.line(20), words.next(), words.line(14))
            }
        };
        if atom {
            out.push_str(&html.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
        } else {
            out.push_str(&html);
        }
    }
    out.push_str(if atom {
        "</content>\n  </entry>\n"
    } else {
        "]]></content:encoded>\n  </item>\n"
    });
}

/// Words in an order that only their seed decides.
struct Words(u64);

impl Words {
    fn random(&mut self) -> u64 {
        // splitmix64, Steele et al. 2014
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn next(&mut self) -> &'static str {
        const WORDS: &[&str] = &[
            "a",
            "the",
            "of",
            "and",
            "to",
            "in",
            "it",
            "was",
            "that",
            "we",
            "on",
            "with",
            "as",
            "garden",
            "morning",
            "train",
            "café",
            "keyboard",
            "rain",
            "window",
            "bread",
            "letter",
            "server",
            "mountain",
            "Zürich",
            "naïve",
            "river",
            "photograph",
            "yesterday",
            "because",
            "remember",
            "between",
            "quiet",
            "evening",
            "language",
            "library",
            "walking",
            "through",
            "nothing",
            "something",
            "paper",
            "music",
            "bicycle",
            "neighbour",
            "kitchen",
            "early",
        ];
        WORDS[usize::try_from(self.random() % WORDS.len() as u64).unwrap()]
    }

    fn line(&mut self, count: usize) -> String {
        let words: Vec<&str> = (0..count).map(|_| self.next()).collect();
        words.join(" ")
    }
}

fn rfc3339(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).unwrap().to_rfc3339()
}

fn rfc2822(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).unwrap().to_rfc2822()
}
