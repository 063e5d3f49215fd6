//! Facets: which parts of a finished text are links, hashtags and mentions, where we must say so.
//!
//! **Invariant:** facets are in order, do not overlap, and start and end on a character; nobody is
//! mentioned who is not in `[people]`.

use std::ops::Range;

use super::{mentions, tokens};
use crate::draft::{Facet, Feature};

/// The facets of `text`. `link`: where the entry's URL, or its label, stands at its end; it is one
/// whatever stands before it, and so is the URL within the text.
pub fn of(
    text: &str,
    url: Option<&str>,
    link: Option<&Range<usize>>,
    handles: &[&str],
) -> Vec<Facet> {
    let facet = |range: Range<usize>, feature| Facet {
        byte_start: range.start,
        byte_end: range.end,
        feature,
    };
    let mut sure: Vec<Facet> = Vec::new();
    if let Some(url) = url {
        let is_own = |range: &Range<usize>| {
            text[range.clone()].starts_with(url) && tokens::contains_url(&text[range.clone()], url)
        };
        let within = tokens::addresses(text).into_iter().filter(is_own);
        let within = within.map(|range| range.start..range.start + url.len());
        let ranges = within.chain(link.cloned());
        sure.extend(ranges.map(|range| facet(range, Feature::Link(url.to_owned()))));
    }
    for handle in handles {
        let feature = || Feature::Mention((*handle).to_owned());
        sure.extend(mentions::of(text, handle).map(|range| facet(range, feature())));
    }
    let overlaps = |one: &Facet, other: &Facet| {
        one.byte_start < other.byte_end && other.byte_start < one.byte_end
    };
    let guessed = tokens::facets::detect(text).into_iter();
    let guessed: Vec<Facet> =
        guessed.filter(|guess| !sure.iter().any(|it| overlaps(it, guess))).collect();
    sure.extend(guessed);
    sure.sort_by_key(|facet| facet.byte_start);
    sure.dedup_by(|later, earlier| overlaps(later, earlier));
    sure
}
