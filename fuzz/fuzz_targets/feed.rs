//! Feed: any body is a feed or an error, the same one each time.
//!
//! The first line of the input is the `Content-Type`, the rest is the body.
#![no_main]

use std::collections::HashSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use posse_party::entry::Entry;
use posse_party::feed::parse::{Hint, ParseError, parse};
use url::Url;

static BASE: LazyLock<Url> =
    LazyLock::new(|| Url::parse("https://example.com/blog/feed.xml").expect("it is a URL"));

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (first, body) = input.split_at(end);
    let content_type = std::str::from_utf8(first).ok().filter(|text| !text.is_empty());
    let hint = Hint { url: &BASE, content_type };
    let feed = match parse(body, &hint) {
        Ok(feed) => feed,
        Err(ParseError::Panic(message)) => panic!("the parser panicked: {message}"),
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let mut ids = HashSet::new();
    for entry in &feed.entries {
        assert!(!entry.id.is_empty(), "an entry without an id");
        assert!(ids.insert(&entry.id), "two entries are `{}`", entry.id);
        check(entry);
    }
    assert_eq!(parse(body, &hint).as_ref(), Ok(&feed), "the same bytes, another feed");
});

fn check(entry: &Entry) {
    let addresses = [&entry.url, &entry.alternate_url, &entry.related_url, &entry.short_url];
    let links = entry.links.iter().map(|link| &link.href);
    let media = entry.media.iter().map(|media| &media.url);
    for address in addresses.into_iter().flatten().chain(links).chain(media) {
        assert!(Url::parse(address).is_ok(), "`{address}` is not absolute");
    }
    for line in entry.title.iter().chain(&entry.categories) {
        assert!(!line.trim().is_empty() && !line.contains('\n'), "{line:?} is no line");
    }
}
