//! Truncate: the most of a text that fits, ended where a reader would end it.
//!
//! `shorten` is for plain texts; `cut` for texts that bring their own facets, whose ranges may not
//! be cut either. Only the beginning of a text that surely is too long is looked at, so that the
//! length of an entry does not matter. For a text behind a content warning give the limits that
//! `count::beside` leaves.
//! **Invariant:** what comes out fits; it ends on a grapheme, never inside a URL, hashtag or
//! handle; the tail is whole; a URL is followed by white space or the end; what fits is not changed.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::count;
use super::tokens::shorten::Piece;
use super::tokens::{self, Token};
use crate::draft::{Facet, Feature};
use crate::platform::Limits;

/// Says that something was cut.
const MARKER: char = '…';

/// How far back (in graphemes) a cut goes to end with a word; longer words are cut.
const WORD_MAX: usize = 30;

/// How far (in bytes) a token may go on behind the part of the text that is looked at: a URL has at
/// most 4,096 characters.
const TOKEN_MAX: usize = 4 * 4096;

/// Shortens `text` so that it fits together with `tail`, which follows the marker as it stands.
/// `None` where nothing of the text fits, or where what is left can't be cut.
pub fn shorten(text: &str, tail: &str, limits: &Limits) -> Option<String> {
    Some(cut(&Piece::plain(text), &Piece::plain(tail), limits)?.text)
}

/// Shortens `head` so that it fits together with `tail`. What has a facet is not cut; the facets
/// of what stays stay.
pub fn cut(head: &Piece, tail: &Piece, limits: &Limits) -> Option<Piece> {
    let seen = seen_len(&head.text, limits);
    if seen == head.text.len() {
        let whole = head.clone().join(tail);
        if count::fits(&whole.text, limits) {
            return Some(whole);
        }
    }
    let tokens = tokens_of(head, seen);
    let cuts = Cuts { text: &head.text[..seen], tail: &tail.text, tokens: &tokens, limits };
    let ends = cuts.candidates();
    let last = cuts.last_that_fits(&ends)?;
    let (kept, text) = (0..=cuts.word_end(&ends, last)).rev().find_map(|index| {
        cuts.ending_at(ends[index]).filter(|(_, text)| count::fits(text, limits))
    })?;
    let mut facets = head.facets.clone();
    facets.retain(|facet| facet.byte_end <= kept);
    let tail_start = text.len() - tail.text.len();
    facets.extend(tail.facets.iter().map(|facet| Facet {
        byte_start: facet.byte_start + tail_start,
        byte_end: facet.byte_end + tail_start,
        feature: facet.feature.clone(),
    }));
    Some(Piece { text, facets })
}

/// How much of `text` must be looked at: all of it, or a beginning that alone is too long.
fn seen_len(text: &str, limits: &Limits) -> usize {
    // nearly every character counts at least one; where it doesn't, the next try is longer
    let mut least = (limits.max as usize).saturating_add(256);
    loop {
        let end = after_token(text, least);
        if end == text.len() || !count::fits(&text[..end], limits) {
            return end;
        }
        least = end.saturating_mul(2);
    }
}

/// The end of the word in which the byte `at` of `text` stands. No token holds a plain space.
fn after_token(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let most = text.len().min(at.saturating_add(TOKEN_MAX));
    let blank = text.as_bytes()[at..most].iter().position(|b| matches!(b, b' ' | b'\n' | b'\t'));
    text.ceil_char_boundary(blank.map_or(most, |len| at + len))
}

/// What may not be cut of the first `seen` bytes of `head`.
fn tokens_of(head: &Piece, seen: usize) -> Vec<Token> {
    let mut tokens = tokens::find(&head.text[..seen]);
    tokens.extend(head.facets.iter().filter(|facet| facet.byte_start < seen).map(|facet| Token {
        range: facet.byte_start..facet.byte_end,
        is_url: matches!(facet.feature, Feature::Link(_)),
    }));
    tokens::joined(tokens)
}

struct Cuts<'a> {
    text: &'a str,
    tail: &'a str,
    tokens: &'a [Token],
    limits: &'a Limits,
}

impl Cuts<'_> {
    /// The ends of graphemes that are not inside a token, except the end of the text.
    fn candidates(&self) -> Vec<usize> {
        let mut tokens = self.tokens.iter().peekable();
        let inside = |at: usize, range: &Range<usize>| range.start < at && at < range.end;
        count::graphemes::ends(self.text)
            .filter(|&at| {
                while tokens.next_if(|token| token.range.end <= at).is_some() {}
                at < self.text.len() && !tokens.peek().is_some_and(|t| inside(at, &t.range))
            })
            .collect()
    }

    /// The index of the last candidate that fits, by steps of doubled length from a guess: most
    /// graphemes count alike.
    fn last_that_fits(&self, ends: &[usize]) -> Option<usize> {
        let most = ends.len().checked_sub(1)?;
        let fits = |index: usize| {
            self.ending_at(ends[index]).is_none_or(|(_, text)| count::fits(&text, self.limits))
        };
        let guess = self.guess(ends).min(most);
        // `low` fits (one past it, so that none is zero), `high` does not
        let (mut low, mut high) = if fits(guess) { (guess + 1, most + 1) } else { (0, guess) };
        let up = low > 0;
        let mut step = 1;
        while low < high {
            let next = if up { (low - 1 + step).min(most) } else { guess.saturating_sub(step) };
            if next < low || next >= high {
                break;
            }
            match (fits(next), up) {
                (true, true) => low = next + 1,
                (false, false) => high = next,
                (true, false) => {
                    low = next + 1;
                    break;
                }
                (false, true) => {
                    high = next;
                    break;
                }
            }
            step *= 4;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if fits(middle) { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1)
    }

    /// Where the last candidate that fits could be, if all that is seen counted evenly.
    fn guess(&self, ends: &[usize]) -> usize {
        let share = |room: usize, whole: usize| room as f64 / whole.max(1) as f64;
        let room =
            |max: u32, tail: usize, marker: usize| (max as usize).saturating_sub(tail + marker);
        let unit = self.limits.unit;
        let tail = count::count(self.tail, unit);
        let marker = count::count("…", unit);
        let by_unit = share(room(self.limits.max, tail, marker), count::count(self.text, unit));
        let by_bytes = self.limits.max_bytes.map_or(1.0, |max| {
            share(room(max, self.tail.len(), MARKER.len_utf8()), self.text.len())
        });
        let end = by_unit.min(by_bytes).min(1.0) * self.text.len() as f64;
        ends.partition_point(|&at| at as f64 <= end).saturating_sub(1)
    }

    /// The index of the nearest end of a word at or before `last`: before white space, else
    /// between words as Unicode sees them, else `last` itself.
    fn word_end(&self, ends: &[usize], last: usize) -> usize {
        let near = last.saturating_sub(WORD_MAX)..=last;
        let before_blank =
            |index: &usize| self.text[ends[*index]..].starts_with(char::is_whitespace);
        let cut = self.text[..ends[last]].chars().next_back();
        if before_blank(&last) || cut.is_some_and(is_written_without_blanks) {
            return last;
        }
        near.clone().rev().find(before_blank).unwrap_or_else(|| {
            let start = ends[*near.start()];
            let stop =
                self.text[ends[last]..].chars().next().map_or(0, char::len_utf8) + ends[last];
            let bounds: Vec<usize> = self.text[start..stop]
                .split_word_bound_indices()
                .map(|(at, _)| start + at)
                .collect();
            near.rev()
                // where the part begins that is looked at, no word need do
                .find(|&index| ends[index] > start && bounds.binary_search(&ends[index]).is_ok())
                .unwrap_or(last)
        })
    }

    /// The text cut at `end`, with marker and tail; and how much of the text it keeps.
    fn ending_at(&self, end: usize) -> Option<(usize, String)> {
        let mut head = &self.text[..end];
        let before = self.tokens.partition_point(|token| token.range.end <= end);
        let solid = self.tokens[..before].last();
        let floor = solid.map_or(0, |token| token.range.end);
        while let Some(last) = head.graphemes(true).next_back().filter(|last| is_dangling(last)) {
            if head.len() - last.len() < floor {
                break;
            }
            head = &head[..head.len() - last.len()];
        }
        if head.is_empty() {
            return None;
        }
        let glued = solid.is_some_and(|token| token.is_url && token.range.end == head.len());
        let space = if glued { " " } else { "" };
        Some((head.len(), format!("{head}{space}{MARKER}{}", self.tail)))
    }
}

/// What looks lost before the marker.
fn is_dangling(grapheme: &str) -> bool {
    let mut chars = grapheme.chars();
    let alone = chars.next().filter(|_| chars.next().is_none());
    alone.is_some_and(|c| c.is_whitespace() || ",;:-–—([{<\"'“‘„«‹¿¡/&|·•…".contains(c))
}

/// Scripts without spaces between words: a cut anywhere is as good as any.
fn is_written_without_blanks(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' // Thai, Lao
        | '\u{1000}'..='\u{109F}' // Burmese
        | '\u{1780}'..='\u{17FF}' // Khmer
        | '\u{3000}'..='\u{30FF}' // Japanese
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::tokens::shorten;
    use crate::platform::{Platform, Unit};

    fn check(text: &str, tail: &str, max: u32, expect: Option<&str>) {
        let limits = Limits { unit: Unit::Graphemes, max, max_bytes: None };
        assert_eq!(shorten(text, tail, &limits).as_deref(), expect, "{text} + {tail} in {max}");
    }

    #[test]
    fn a_cut_ends_with_a_word() {
        check("one two three", "", 8, Some("one two…"));
        check("one two three", "", 7, Some("one…"));
        check("one, two three", "", 5, Some("one…"));
        check("one (two) three", "", 6, Some("one…"));
        check("well-known things", "", 9, Some("well…"));
        check(&"x".repeat(50), "", 10, Some("xxxxxxxxx…"));
        check(&"x".repeat(99), "", 50, Some(&format!("{}…", "x".repeat(49))));
        check("日本語の長い文章", "", 5, Some("日本語の…"));
        check("one two three", " https://a.io", 18, Some("one… https://a.io"));
    }

    #[test]
    fn nothing_is_cut_in_half() {
        check("see https://a.io/long/path and", "", 16, Some("see…"));
        check("see https://a.io/b and more", "", 21, Some("see https://a.io/b …"));
        check("see https://a.io/b and more", "", 19, Some("see…"));
        check("on #posseparty we go", "", 10, Some("on…"));
        check("by @\u{2060}ann@social.example now", "", 12, Some("by…"));
        check("ab👨‍👩‍👧‍👦👨‍👩‍👧‍👦cd", "", 4, Some("ab👨‍👩‍👧‍👦…"));
        check("https://a.io/long/path", "", 10, None);
        check("one two", "", 1, None);
        check("one two", " https://a.io", 5, None);
    }

    #[test]
    fn what_fits_is_not_changed() {
        check("one two", "", 7, Some("one two"));
        check("one two, ", " https://a.io", 22, Some("one two,  https://a.io"));
        check("", "", 1, Some(""));
        check("one two…", "", 8, Some("one two…"));
    }

    #[test]
    fn the_marker_and_the_tail_are_counted_as_the_platform_does() {
        let check = |platform: Platform, text: &str, tail: &str, max: u32, expect: &str| {
            let limits = Limits { max, ..platform.limits() };
            assert_eq!(shorten(text, tail, &limits).unwrap(), expect, "{platform:?}");
        };
        check(Platform::X, "one two three", "", 9, "one two…");
        check(Platform::X, "one two three", "", 8, "one…");
        check(Platform::X, "one two three", " https://a.io", 33, "one two… https://a.io");
        check(Platform::X, "one two three", " https://a.io", 32, "one… https://a.io");
        check(Platform::X, "日本語の文章", "", 8, "日本語…");
        check(Platform::Threads, "one two three", "", 10, "one two…");
        check(Platform::Threads, "one two three", "", 9, "one…");
        check(Platform::YouTube, "日本語の文章", "", 14, "日本語…");
        check(Platform::Instagram, "one two three", "", 8, "one two…");
        check(Platform::LinkedIn, "one (two) three", "", 13, "one (two)…");
        check(Platform::LinkedIn, "one (two) three", "", 11, "one…");
        check(Platform::LinkedIn, "on #two three", "", 22, "on #two…");
        check(Platform::LinkedIn, "on #two three", "", 19, "on…");
    }

    #[test]
    fn what_has_a_facet_is_kept_or_lost_whole() {
        let url = "https://a.io/2025/11/23/a-long-title/";
        let head = shorten::shorten(&format!("é see {url} and #more of it, really"), &[]);
        let tail = Piece::plain(" ").join(&Piece::link("https://b.io/1234567890123456"));
        let check = |max: u32, expect: &str, facets: &[&str]| {
            let piece = cut(&head, &tail, &Limits::of(Unit::Graphemes, max)).unwrap();
            assert_eq!(piece.text, expect);
            let told = |f: &Facet| &piece.text[f.byte_start..f.byte_end];
            assert_eq!(piece.facets.iter().map(told).collect::<Vec<_>>(), facets, "{expect}");
        };
        let short = "a.io/2025/11/23/a...";
        let last = "b.io/123456789012...";
        check(
            99,
            &format!("é see {short} and #more of it, really {last}"),
            &[short, "#more", last],
        );
        check(59, &format!("é see {short} and #more… {last}"), &[short, "#more", last]);
        check(57, &format!("é see {short} and… {last}"), &[short, last]);
        check(50, &format!("é see {short} … {last}"), &[short, last]);
        check(48, &format!("é see… {last}"), &[last]);
    }

    #[test]
    fn a_long_text_is_not_read_to_its_end() {
        let check = |piece: &str, limits: Limits| {
            let text = piece.repeat(1_000_000 / piece.len());
            let seen = seen_len(&text, &limits);
            assert!(seen < 200_000, "{seen} bytes of {piece}");
            let short = shorten(&text, " https://a.io/1", &limits);
            assert!(short.is_none_or(|short| count::fits(&short, &limits)), "{piece}");
        };
        for platform in [Platform::X, Platform::Mastodon, Platform::Bluesky, Platform::YouTube] {
            check("word ", platform.limits());
            check("日本語", platform.limits());
            check("https://example.com/a/long/path ", platform.limits());
            check("@a@b.example ", platform.limits());
            check("👨‍👩‍👧‍👦", platform.limits());
            check("x", platform.limits());
            check("#x", platform.limits());
        }
    }

    #[test]
    fn bytes_are_limited_too() {
        let limits = Limits { unit: Unit::Graphemes, max: 300, max_bytes: Some(60) };
        let family = "👨‍👩‍👧‍👦"; // 25 bytes
        assert_eq!(shorten(&family.repeat(9), "", &limits).unwrap(), format!("{family}{family}…"));
    }

    #[test]
    fn a_url_that_is_counted_short_leaves_room() {
        let unit = Unit::Mastodon { url: Some(23), short_mentions: true };
        let limits = Limits { unit, max: 40, max_bytes: None };
        let link = format!("https://example.com/{}", "x".repeat(200));
        let text = format!("{link} and then some more words");
        assert_eq!(shorten(&text, "", &limits).unwrap(), format!("{link} and then some…"));
    }
}

#[cfg(test)]
mod properties;
