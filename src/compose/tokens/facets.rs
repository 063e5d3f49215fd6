//! Facets: the links, hashtags, cashtags and mentions of a text as Bluesky's own clients would find
//! them.
//!
//! Nothing is linked by the server: what has no facet stays plain text. `detect` makes none for
//! mentions, so that a handle in a feed pings nobody. **Invariant:** facets are in order, do not
//! overlap, and start and end on a character.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::punctuation::is_punctuation;
use super::tld::is_tld;
use super::{Found, Kind};
use crate::draft::{Facet, Feature};

/// Longer hashtags are none (graphemes, without the `#`).
const TAG_MAX: usize = 64;

/// Finds the facets of `text`.
pub fn detect(text: &str) -> Vec<Facet> {
    let mut found: Vec<Facet> = links(text)
        .into_iter()
        .map(|(range, uri)| facet(range, Feature::Link(uri)))
        .chain(tags(text).into_iter().map(|(range, tag)| facet(range, Feature::Tag(tag))))
        .chain(cashtags(text).map(|(range, tag)| facet(range, Feature::Tag(tag))))
        .collect();
    found.sort_by_key(|facet| facet.byte_start);
    let mut end = 0;
    found.retain(|facet| {
        let apart = facet.byte_start >= end;
        end = if apart { facet.byte_end } else { end };
        apart
    });
    found
}

fn facet(range: Range<usize>, feature: Feature) -> Facet {
    Facet { byte_start: range.start, byte_end: range.end, feature }
}

/// Links with the address that they lead to: `http(s)://…`, or a bare domain with a known ending;
/// at the start, after white space or after `(`.
pub fn links(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    for (at, word) in words(text).filter(|(_, word)| word.contains(['.', ':'])) {
        let starts = std::iter::once(0).chain(word.match_indices('(').map(|(open, _)| open + 1));
        for start in starts {
            let rest = &word[start..];
            if let Some(scheme) = link_scheme(rest) {
                let link = trim_link(rest);
                if link.len() > scheme.len() {
                    let uri =
                        if scheme.is_empty() { format!("https://{link}") } else { link.into() };
                    found.push((at + start..at + start + link.len(), uri));
                }
                break;
            }
        }
    }
    found
}

/// The scheme that `text` starts with; empty where it starts with a bare domain.
fn link_scheme(text: &str) -> Option<&'static str> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme));
    scheme.or_else(|| starts_with_domain(text).then_some(""))
}

/// Whether `text` starts with a letter, dotted labels of ASCII letters and digits, and an ending
/// in lower case that is known.
fn starts_with_domain(text: &str) -> bool {
    let len = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(text.len());
    let run = &text[..len];
    let run = run.find("..").map_or(run, |at| &run[..at]).trim_end_matches('.');
    run.starts_with(|c: char| c.is_ascii_alphabetic())
        && run.rsplit_once('.').is_some_and(|(_, ending)| is_tld(ending))
}

/// One trailing mark, then one `)` that nothing in the link opens.
fn trim_link(link: &str) -> &str {
    let link = link.strip_suffix(['.', ',', ';', ':', '!', '?']).unwrap_or(link);
    link.strip_suffix(')').filter(|link| !link.contains('(')).unwrap_or(link)
}

/// Hashtags without their `#`: at the start or after white space.
pub fn tags(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    for (at, word) in words(text) {
        let Some(body) = word.strip_prefix(['#', '＃']) else { continue };
        let hash = word.len() - body.len();
        let body = body.find(ends_tag).map_or(body, |end| &body[..end]);
        let told = body.chars().any(|c| !c.is_ascii_digit() && !is_punctuation(c));
        if !told || body.starts_with('\u{FE0F}') {
            continue;
        }
        let tag = body.trim_end_matches(is_punctuation);
        if !tag.is_empty() && tag.graphemes(true).count() <= TAG_MAX {
            found.push((at..at + hash + tag.len(), tag.to_owned()));
        }
    }
    found
}

/// `$name` of one to five letters and digits, a letter first, with its name in capitals.
pub fn cashtags(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    text.match_indices('$').filter(|&(at, _)| may_follow(&text[..at])).filter_map(|(at, _)| {
        let body = &text[at + 1..];
        let len = body.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let closed = body[len..].chars().next();
        let closed = closed.is_none_or(|c| c.is_whitespace() || ".,;:!?)\"'’".contains(c));
        let good = (1..=5).contains(&len) && body.starts_with(|c: char| c.is_ascii_alphabetic());
        let range = at..at + 1 + len;
        (good && closed).then(|| (range.clone(), text[range].to_ascii_uppercase()))
    })
}

/// `@handle` of letters, digits, `.` and `-`, whatever its ending: `is_handle` tells which are
/// mentions.
pub fn mentions(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices('@').filter(|&(at, _)| may_follow(&text[..at])).filter_map(|(at, _)| {
        let body = &text[at + 1..];
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'.' || *b == b'-';
        let mut name = &body[..body.bytes().take_while(is_part).count()];
        if body[name.len()..].starts_with('_') {
            // the detector wants the end of a word, and goes back to the last one
            name = name.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
        }
        let name = name.trim_end_matches(['.', '-']);
        (!name.is_empty()).then(|| (at..at + 1 + name.len(), name))
    })
}

/// Whether the official detector takes `name` for a handle: it ends as a known domain does.
pub fn is_handle(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| is_tld(ending) || ending == "test")
}

/// Whether a mention or cashtag may stand right after `text`.
fn may_follow(text: &str) -> bool {
    text.chars().next_back().is_none_or(|c| c.is_whitespace() || c == '(')
}

/// What Bluesky's own clients would make of `text`.
pub fn read(text: &str) -> Vec<Found> {
    let mentions = mentions(text).filter(|(_, name)| is_handle(name));
    let mentions = mentions.map(|(range, name)| (range, Kind::Mention, name.to_owned()));
    links(text)
        .into_iter()
        .map(|(range, uri)| (range, Kind::Link, uri))
        .chain(tags(text).into_iter().map(|(range, tag)| (range, Kind::Tag, tag)))
        .chain(cashtags(text).map(|(range, tag)| (range, Kind::Tag, tag)))
        .chain(mentions)
        .map(|(range, kind, value)| Found { range, kind, value })
        .collect()
}

/// Characters that no one sees and that end a hashtag.
fn ends_tag(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{2060}' | '\u{200A}'..='\u{200D}' | '\u{20E2}')
}

/// What stands between white space, with its position.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = text.as_ptr() as usize;
    text.split_whitespace().map(move |word| (word.as_ptr() as usize - start, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sheet's vectors, `start..end value`. Mentions are left out on purpose.
    #[test]
    fn facets_are_those_of_the_official_detector() {
        let check = |text: &str, expect: &[&str]| {
            let shown = |facet: &Facet| {
                let (Feature::Link(value) | Feature::Tag(value) | Feature::Mention(value)) =
                    &facet.feature;
                format!("{}..{} {value}", facet.byte_start, facet.byte_end)
            };
            assert_eq!(detect(text).iter().map(shown).collect::<Vec<_>>(), expect, "{text}");
        };
        check("Read https://example.com/a, then rest", &["5..26 https://example.com/a"]);
        check(
            "(see https://en.wikipedia.org/wiki/Foo_(bar))",
            &["5..45 https://en.wikipedia.org/wiki/Foo_(bar))"],
        );
        check("https://example.com/a!!", &["0..22 https://example.com/a!"]);
        check("example.com/post now", &["0..16 https://example.com/post"]);
        check("my-site.com/post and Example.COM", &[]);
        check("HTTPS://EXAMPLE.COM/A", &[]);
        check("“https://example.com/a” <https://b.example>", &[]);
        check("foo https://example.com/a…", &["4..28 https://example.com/a…"]);
        check("é https://example.com/é #café ✅", &["3..25 https://example.com/é", "26..32 café"]);
        check("👨‍👩‍👧‍👧 #tag @alice.bsky.social", &["26..30 tag"]);
        check("#a,b #c. #1 #1a ##x #", &["0..4 a,b", "5..7 c", "12..15 1a", "16..19 #x"]);
        check("(#tag) #ok_ ＃full", &["7..10 ok", "12..19 full"]);
        check("@alice.bsky.social, (@bob.test) x@carol.com @dave", &[]);
        check("$aapl ($GOOG) $toolong", &["0..5 $AAPL", "7..12 $GOOG"]);
        check("日本語 https://例え.jp/x #日本語。", &["10..29 https://例え.jp/x", "30..40 日本語"]);
        let tag = "x".repeat(64);
        check(&format!("#{tag}"), &[&format!("0..65 {tag}")]);
        check(&format!("#{tag}x"), &[]);
    }

    #[test]
    fn mentions_and_cashtags_are_those_of_the_official_detector() {
        let check = |text: &str, expect: &[&str]| {
            let found: Vec<String> = read(text)
                .into_iter()
                .map(|f| format!("{}..{} {}", f.range.start, f.range.end, f.value))
                .collect();
            assert_eq!(found, expect, "{text}");
        };
        check("👨‍👩‍👧‍👧 #tag @alice.bsky.social", &["26..30 tag", "31..49 alice.bsky.social"]);
        check(
            "@alice.bsky.social, (@bob.test) x@carol.com @dave",
            &["0..18 alice.bsky.social", "21..30 bob.test"],
        );
        check(
            "@a.com. @a.com- @a.comé @a.com_x @a.COM @.com",
            &["0..6 a.com", "8..14 a.com", "16..22 a.com", "41..46 .com"],
        );
        check("$aapl ($GOOG) $toolong", &["0..5 $AAPL", "7..12 $GOOG"]);
        check("$A1. x$B $1a $ABC’s $C-D $é", &["0..3 $A1", "13..17 $ABC"]);
    }

    #[test]
    fn links_stand_where_links_may_stand() {
        let check = |text: &str, expect: &[&str]| {
            let found: Vec<_> = links(text).into_iter().map(|(range, _)| &text[range]).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("see (https://a.io).", &["https://a.io"]);
        check("see (https://a.io)", &["https://a.io"]);
        check("x(https://a.io", &["https://a.io"]);
        check("https:// http://. a..com a.com.", &["a.com"]);
        check("file.rs 1.2.3.4 v1.2 e.g. 2.com", &["file.rs"]);
    }
}
