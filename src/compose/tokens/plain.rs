//! Plain: links, hashtags and handles by the rules that any reader would guess, for the platforms
//! that publish none of theirs.

use std::ops::Range;

use super::is_wide_closing;
use super::letters::{is_digit, is_letter};
use super::punctuation::is_punctuation;
use super::{Found, Kind};

/// `http(s)://…`, not right after a letter, up to white space or a mark that closes the phrase.
pub fn links(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(colon) = text[from..].find("://").map(|at| from + at) {
        from = colon + 3;
        let scheme = ["https", "http"].into_iter().find(|scheme| {
            let start = colon.checked_sub(scheme.len());
            start
                .and_then(|start| text.get(start..colon))
                .is_some_and(|s| s.eq_ignore_ascii_case(scheme))
        });
        let Some(start) = scheme.map(|scheme| colon - scheme.len()) else { continue };
        if text[..start].ends_with(|c: char| c.is_ascii_alphanumeric()) {
            continue;
        }
        let body = &text[from..];
        let ends = |c: char| {
            c.is_whitespace() || c.is_control() || "<>\"".contains(c) || is_wide_closing(c)
        };
        let url = &text[start..from + body.find(ends).unwrap_or(body.len())];
        let url = trim(url);
        if url.len() > from - start {
            let range = start..start + url.len();
            from = range.end;
            found.push(Found { range, kind: Kind::Link, value: url.to_owned() });
        }
    }
    found
}

/// Closing marks at the end go, and brackets that nothing in the URL opens.
fn trim(url: &str) -> &str {
    let closers = [('(', ')'), ('[', ']'), ('{', '}')];
    let mut open = closers.map(|(opening, closing)| {
        url.matches(closing).count().saturating_sub(url.matches(opening).count())
    });
    let mut end = url.len();
    while let Some(last) = url[..end].chars().next_back() {
        match closers.iter().position(|&(_, closing)| closing == last) {
            Some(kind) if open[kind] > 0 => open[kind] -= 1,
            None if ".,;:!?'*".contains(last) => {}
            _ => break,
        }
        end -= last.len_utf8();
    }
    &url[..end]
}

/// `#` and letters, digits and `_` after it, at least one of them a letter; not within a word.
pub fn tags(text: &str) -> impl Iterator<Item = Found> {
    let is_part = |c: char| is_letter(c) || is_digit(c) || c == '_';
    text.match_indices(['#', '＃']).filter_map(move |(start, hash)| {
        let before = text[..start].chars().next_back();
        let body = &text[start + hash.len()..];
        let name = &body[..body.find(|c| !is_part(c)).unwrap_or(body.len())];
        let good = before.is_none_or(|c| !is_part(c) && !"&/#＃".contains(c))
            && !name.starts_with('\u{FE0F}')
            && name.contains(is_letter);
        let range = start..start + hash.len() + name.len();
        good.then(|| Found { range, kind: Kind::Tag, value: name.to_owned() })
    })
}

/// `@` and letters, digits, `_`, `.` and `-` after it, not within a word or an address.
pub fn mentions(text: &str) -> impl Iterator<Item = Found> {
    text.match_indices('@').filter_map(|(start, _)| {
        let before = text[..start].chars().next_back();
        let body = &text[start + 1..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let name = &body[..body.find(|c| !is_part(c)).unwrap_or(body.len())];
        let name = name.trim_end_matches(['.', '-']);
        let good = before.is_none_or(|c| {
            c.is_whitespace() || !c.is_ascii() || is_punctuation(c) && !"/@_.-".contains(c)
        }) && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && !body[name.len()..].starts_with('@');
        let range: Range<usize> = start..start + 1 + name.len();
        good.then(|| Found { range, kind: Kind::Mention, value: name.to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_rules_guess_as_a_reader_would() {
        let check = |text: &str, expect: &[&str]| {
            let mut found = links(text);
            found.extend(tags(text));
            found.extend(mentions(text));
            let found: Vec<&str> = found.into_iter().map(|f| &text[f.range]).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("see https://a.io/b.", &["https://a.io/b"]);
        check("(https://a.io/b_(c)) “https://d.io”", &["https://a.io/b_(c)", "https://d.io"]);
        check("[x](https://a.io/b),", &["https://a.io/b"]);
        check("HTTP://A.IO xhttps://a.io https:// ftp://a.io", &["HTTP://A.IO"]);
        check("日本語https://a.io/語。次", &["https://a.io/語"]);
        check("#one, #2 #3d a#b &#x #日本語。#_ (#ok)", &["#one", "#3d", "#日本語", "#ok"]);
        check("@ann. (@bob_b) a@b.c @ @.x @c@d.e", &["@ann", "@bob_b"]);
    }

    #[test]
    fn long_texts_are_read_in_a_breath() {
        for piece in ["http://", "https://a.io)", "#a", "@a", "(", "a.", "日本語", "@a@", "[]"] {
            let text = piece.repeat(60_000);
            assert!(links(&text).len() + tags(&text).count() + mentions(&text).count() <= 60_000);
        }
    }
}
