//! Feeds are read as a lenient reader reads them.

mod control;
mod differential;
mod hostile;
mod identity;
mod links;
mod sloppy;
mod vocabularies;

use posse_party::entry::{Entry, ParsedFeed};
use posse_party::feed::parse::{Hint, ParseError, parse};
use url::Url;

fn read_bytes(body: &[u8]) -> Result<ParsedFeed, ParseError> {
    let url = Url::parse("https://example.org/feeds/main.xml").unwrap();
    parse(body, &Hint { url: &url, content_type: None })
}

fn read(body: &str) -> ParsedFeed {
    read_bytes(body.as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// An RSS 2.0 feed around items.
fn rss(items: &str) -> String {
    format!(
        "<?xml version='1.0'?><rss version='2.0'><channel><title>T</title>{items}</channel></rss>"
    )
}

/// An Atom feed around entries.
fn atom(entries: &str) -> String {
    format!("<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>{entries}</feed>")
}

/// The only entry of a feed.
fn only(body: &str) -> Entry {
    let mut feed = read(body);
    assert_eq!(feed.entries.len(), 1, "{body}");
    feed.entries.remove(0)
}

fn ids(feed: &ParsedFeed) -> Vec<&str> {
    feed.entries.iter().map(|entry| &*entry.id).collect()
}

fn titles(feed: &ParsedFeed) -> Vec<&str> {
    feed.entries.iter().map(|entry| entry.title.as_deref().unwrap_or("-")).collect()
}

fn problems(feed: &ParsedFeed) -> Vec<&str> {
    feed.problems.iter().map(|problem| &*problem.message).collect()
}
