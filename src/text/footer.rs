//! Footer: what feeds put below an entry for readers who see only a part of it.
//!
//! `Continue reading (url)`, `The post X appeared first on Y (url)`, `★ (url)`: nobody types that
//! on a social network, where the link to the entry has its own place. It is known by where it
//! leads and not by its words, which are in every language. **Refuses:** to leave nothing.

use super::link::bare;
use crate::entry::Entry;

/// A link whose address is in the text.
#[derive(Debug)]
pub(super) struct Address {
    /// First byte of its text.
    pub start: usize,
    /// One past the last byte of its address.
    pub end: usize,
    pub href: String,
}

/// The most bytes of a footer besides its links: what is longer says something.
const WORDS_MAX: usize = 120;
/// The most footers below each other.
const COUNT_MAX: usize = 3;

/// Cuts off what stands at the end of `text` and only leads to `entry`.
pub(super) fn cut(text: &mut String, addresses: &[Address], entry: &Entry) {
    let Some(last) = addresses.last().filter(|last| text.len() - last.end <= WORDS_MAX) else {
        return;
    };
    let pages = Pages::of(entry);
    if !pages.is_own(&last.href) && !pages.is_home(&last.href) {
        return;
    }
    let mut addresses = addresses;
    for _ in 0..COUNT_MAX {
        text.truncate(text.trim_end().len());
        if let Some(end) = end_before_more(text, addresses, &pages) {
            return text.truncate(end);
        }
        let Some(start) = text.rfind("\n\n").map(|at| at + 2) else { return };
        let (before, links) =
            addresses.split_at(addresses.partition_point(|address| address.start < start));
        let linked: usize = links.iter().map(|link| link.end - link.start).sum();
        let is_footer = (text.len() - start).saturating_sub(linked) <= WORDS_MAX
            && !text[start..].contains('\n')
            && links.iter().any(|link| pages.is_own(&link.href))
            && links.iter().all(|link| pages.is_own(&link.href) || pages.is_home(&link.href));
        if !is_footer {
            return;
        }
        text.truncate(start);
        text.truncate(text.trim_end().len());
        addresses = before;
    }
}

/// Where a text ends that says that there is more, and then only where: `… [Read more (url)]`.
fn end_before_more(text: &str, addresses: &[Address], pages: &Pages) -> Option<usize> {
    let last = addresses.last().filter(|last| pages.is_own(&last.href))?;
    if !text.get(last.end..)?.chars().all(|c| matches!(c, ']' | ')' | ' ' | '\n')) {
        return None;
    }
    let opens = |c: char| c.is_whitespace() || matches!(c, '[' | '(');
    let before = text.get(..last.start)?.trim_end_matches(opens);
    ["…", "...", "…]", "...]"].iter().any(|mark| before.ends_with(mark)).then_some(before.len())
}

/// The addresses that lead to an entry.
struct Pages {
    own: Vec<String>,
    /// The front page of its site.
    home: Option<String>,
}

impl Pages {
    fn of(entry: &Entry) -> Self {
        let alternates = entry.links.iter().filter(|link| link.rel == "alternate");
        let own: Vec<String> = [&entry.url, &entry.alternate_url, &entry.short_url]
            .into_iter()
            .flatten()
            .chain(alternates.map(|link| &link.href))
            .map(|url| page(url))
            .collect();
        let home = own.first().and_then(|url| url.split(['/', '?']).next()).map(str::to_owned);
        Self { own, home }
    }

    fn is_own(&self, href: &str) -> bool {
        let page = page(href);
        self.own.contains(&page)
    }

    fn is_home(&self, href: &str) -> bool {
        self.home.as_deref() == Some(&page(href))
    }
}

/// An address without scheme and anchor.
fn page(url: &str) -> String {
    bare(url.split('#').next().unwrap_or_default())
}
