//! Truncate: the most of a text that fits, ended where a reader would end it.
//!
//! **Invariant:** what comes out fits; it ends on a grapheme, never inside a URL, hashtag or
//! handle; the tail is whole; a URL is followed by white space or the end.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::count;
use super::tokens::{self, Token};
use crate::platform::Limits;

/// Says that something was cut.
const MARKER: char = '…';

/// How far back (in graphemes) a cut goes to end with a word; longer words are cut.
const WORD_MAX: usize = 30;

/// Shortens `text` so that it fits together with `tail`, which follows the marker as it stands.
/// `None` where nothing of the text fits, or where what is left can't be cut.
pub fn shorten(text: &str, tail: &str, limits: &Limits) -> Option<String> {
    let tokens = tokens::find(text);
    let cuts = Cuts { text, tail, tokens: &tokens, limits };
    let ends = cuts.candidates();
    let last = cuts.last_that_fits(&ends)?;
    (0..=cuts.word_end(&ends, last)).rev().find_map(|index| {
        cuts.ending_at(ends[index]).filter(|shortened| count::fits(shortened, limits))
    })
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
        self.text
            .grapheme_indices(true)
            .map(|(at, _)| at)
            .filter(|&at| {
                while tokens.next_if(|token| token.range.end <= at).is_some() {}
                at > 0 && !tokens.peek().is_some_and(|token| inside(at, &token.range))
            })
            .collect()
    }

    /// The index of the last candidate that fits. Nearly every grapheme counts at least one, so
    /// the search starts at the limit and doubles, and the length of the text does not matter.
    fn last_that_fits(&self, ends: &[usize]) -> Option<usize> {
        let fits = |index: usize| {
            self.ending_at(ends[index]).is_none_or(|text| count::fits(&text, self.limits))
        };
        let most = ends.len().checked_sub(1)?;
        let mut high = most.min(self.limits.max as usize);
        while high < most && fits(high) {
            high = most.min(high.saturating_mul(2).max(1));
        }
        let (mut low, mut high) = (0, high + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if fits(middle) { low = middle + 1 } else { high = middle }
        }
        low.checked_sub(1)
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
                .find(|&index| index > 0 && bounds.binary_search(&ends[index]).is_ok())
                .unwrap_or(last)
        })
    }

    /// The text cut at `end`, with marker and tail.
    fn ending_at(&self, end: usize) -> Option<String> {
        let mut head = &self.text[..end];
        let solid = self.tokens.iter().rev().find(|token| token.range.end <= head.len());
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
        Some(format!("{head}{space}{MARKER}{}", self.tail))
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
    use crate::platform::Unit;

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
