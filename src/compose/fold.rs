//! Fold: text in the one form that is posted: NFC, blanks folded, lines trimmed.
//!
//! **Invariant:** folding what is folded changes nothing.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The most line breaks in a row: one blank line.
const BREAKS_MAX: usize = 2;
/// Stands for a blank that is part of a text, on its way through a template. No text has it: control
/// characters are dropped where text comes in.
const KEPT: char = '\u{1F}';
/// How many blanks a tabulator is worth in a post, where it would be of any width.
const TAB: usize = 4;

/// Folds `text`: runs of blanks become one space, blanks at the ends of lines go, at most one blank
/// line stays, control characters go. A single wide blank (no-break, ideographic) stays as typed.
pub fn fold(text: &str) -> String {
    fold_around(text, None)
}

/// Folds `text` around the blanks that [`keep`] marked in it: they stay, but at the ends of lines.
pub fn fold_shaped(text: &str) -> String {
    fold_around(text, Some(KEPT))
}

fn fold_around(text: &str, mark: Option<char>) -> String {
    let mut folded = String::with_capacity(text.len());
    let (mut breaks, mut kept) = (0, 0);
    let mut blank: Option<char> = None;
    let mut chars = text.nfc().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if Some(c) == mark => kept += 1,
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' => {
                (breaks, kept) = (breaks + 1, 0);
            }
            '\u{2029}' => (breaks, kept) = (breaks + BREAKS_MAX, 0),
            c if c.is_whitespace() => {
                let alone = blank.is_none() && c != '\t';
                blank = Some(if alone { c } else { ' ' });
            }
            c if c.is_control() || matches!(c, '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}') => {}
            c => {
                if !folded.is_empty() {
                    folded.extend(std::iter::repeat_n('\n', breaks.min(BREAKS_MAX)));
                    folded.extend(std::iter::repeat_n(' ', kept));
                    folded.extend(blank.filter(|_| breaks == 0 && kept == 0));
                }
                (breaks, kept, blank) = (0, 0, None);
                folded.push(c);
            }
        }
    }
    // what was dropped between two characters may have kept them from being composed
    if unicode_normalization::is_nfc(&folded) { folded } else { folded.nfc().collect() }
}

/// Marks the blanks of a text that make its shape (they begin a line, or stand in a row), such as
/// those of code and of a list within a list, for [`fold_shaped`].
pub fn keep(text: &str) -> Cow<'_, str> {
    if !text.contains("\n ") && !text.contains("  ") && !text.contains('\t') {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut shapes = true;
    while let Some(c) = chars.next() {
        let is_blank = matches!(c, ' ' | '\t');
        shapes = match is_blank {
            true => shapes || c == '\t' || matches!(chars.peek(), Some(' ' | '\t')),
            false => c == '\n',
        };
        match c {
            ' ' if shapes => kept.push(KEPT),
            '\t' => kept.extend([KEPT; TAB]),
            c => kept.push(c),
        }
    }
    Cow::Owned(kept)
}

/// Folds what stands *between* two texts: its blanks at the ends stay.
pub fn fold_between(spacer: &str) -> String {
    let guarded = fold(&format!("|{spacer}|"));
    guarded.strip_prefix('|').and_then(|s| s.strip_suffix('|')).unwrap_or(" ").to_owned()
}

/// Whether there is nothing to see in `text`.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
            || matches!(c, '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
            || matches!(c, '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{3164}')
            || matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_folded_once_and_for_all() {
        let check = |text: &str, expect: &str| {
            assert_eq!(fold(text), expect, "{text:?}");
            assert_eq!(fold(expect), expect, "twice: {text:?}");
        };
        check("  a \t b  ", "a b");
        check("a  \n  b", "a\nb");
        check("a\n\n \n\t\nb\n\n", "a\n\nb");
        check("a\r\nb\rc\u{2028}d\u{2029}e", "a\nb\nc\nd\n\ne");
        check("cafe\u{301}", "caf\u{e9}");
        check("e\u{0}\u{301}", "\u{e9}");
        check("« oui\u{A0}»\u{A0} \u{202F}x\u{3000}y", "« oui\u{A0}» x\u{3000}y");
        check("\u{FEFF}a\u{7}b", "ab");
        check(" \n ", "");
    }

    #[test]
    fn what_stands_between_keeps_its_ends() {
        let check = |spacer: &str, expect: &str| assert_eq!(fold_between(spacer), expect);
        check(" ", " ");
        check("", "");
        check("\n\n\n", "\n\n");
        check("  —  ", " — ");
    }

    #[test]
    fn the_shape_of_a_text_outlasts_folding() {
        let check = |text: &str, expect: &str| {
            assert_eq!(fold_shaped(&keep(text)), expect, "{text:?}");
        };
        check("a\n  b\n    c\nd", "a\n  b\n    c\nd");
        check("let a   = 1;\nlet bcd = 2;", "let a   = 1;\nlet bcd = 2;");
        check("if x:\n\ty()", "if x:\n    y()");
        check("one two\n\nthree", "one two\n\nthree");
        check("a \tb", "a     b");
        check("a\n  \n   b  \n  ", "a\n\n   b");
        assert_eq!(fold(&keep("a  b")), "ab", "a mark is no text");
    }

    #[test]
    fn invisible_is_blank() {
        for blank in ["", " \n", "\u{200B}\u{2060}", "\u{3164}\u{FE0F}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        assert!(!is_blank("."));
    }
}
