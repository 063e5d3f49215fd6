//! Mastodon: where its validator sees URLs and mentions, so that a text is counted as it counts.
//!
//! twitter-text's grammar with Mastodon's own changes. **Invariant:** a URL without a protocol is
//! consumed as the pattern consumes it, but never reported.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use super::letters::is_letter;
use super::urls::{self, Dialect, is_accented_latin};
use super::{Found, Kind};

/// Longer domains make no mention (Mastodon's `Extractor`, characters).
const MENTION_DOMAIN_MAX: usize = 253;

/// What is not counted at its full length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A URL, at this range of bytes.
    Url(Range<usize>),
    /// A mention, and the range of its `@domain` within it.
    Mention(Range<usize>, Range<usize>),
}

impl Entity {
    fn range(&self) -> &Range<usize> {
        match self {
            Self::Url(range) | Self::Mention(range, _) => range,
        }
    }
}

/// The URLs and mentions of `text` in order; of two that overlap, the first.
pub fn entities(text: &str) -> Vec<Entity> {
    let urls = urls::matches(text, Dialect::Mastodon).into_iter().filter(|url| url.has_protocol);
    let mut found: Vec<Entity> = urls.map(|url| Entity::Url(url.range)).collect();
    found.extend(mentions(text));
    found.sort_by_key(|entity| entity.range().start);
    let mut end = 0;
    found.retain(|entity| {
        let apart = entity.range().start >= end;
        end = if apart { entity.range().end } else { end };
        apart
    });
    found
}

fn mentions(text: &str) -> Vec<Entity> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find('@').map(|at| from + at) {
        from = start + 1;
        let before = text[..start].chars().next_back();
        if before.is_some_and(|c| c == '=' || c == '/' || is_word(c)) {
            continue;
        }
        let user = dotted_len(&text[from..], |c| c.is_ascii_alphanumeric() || c == '_');
        if user == 0 {
            continue;
        }
        let user_end = from + user;
        let domain =
            text[user_end..].strip_prefix('@').map_or(0, |domain| dotted_len(domain, is_word));
        let end = if domain > 0 { user_end + 1 + domain } else { user_end };
        from = end;
        let long = text[user_end..end].chars().count() > MENTION_DOMAIN_MAX + 1;
        if !long && !blocks_mention(&text[end..]) {
            found.push(Entity::Mention(start..end, user_end..end));
        }
    }
    found
}

/// Runs of `is_part` joined by runs of `.` and `-`, at the start of `text`.
fn dotted_len(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    let mut end = 0;
    let mut joined = false;
    for (at, c) in text.char_indices() {
        if is_part(c) {
            (end, joined) = (at + c.len_utf8(), true);
        } else if !(joined && (c == '.' || c == '-')) {
            break;
        }
    }
    end
}

/// Ruby's `[[:word:]]`.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
}

/// What may not stand right after a mention (twitter-text `end_mention_match`).
fn blocks_mention(rest: &str) -> bool {
    rest.starts_with("://") || rest.starts_with(|c| matches!(c, '@' | '＠') || is_accented_latin(c))
}

/// Links, mentions and hashtags as the server will make them.
pub fn read(text: &str) -> Vec<Found> {
    let found = |range: Range<usize>, kind, value: &str| Found { range, kind, value: value.into() };
    let entity = |entity| match entity {
        Entity::Url(range) => found(range.clone(), Kind::Link, &text[range]),
        Entity::Mention(range, _) => {
            found(range.clone(), Kind::Mention, &text[range.start + 1..range.end])
        }
    };
    let tag = |(range, value)| found(range, Kind::Tag, value);
    entities(text).into_iter().map(entity).chain(hashtags(text).map(tag)).collect()
}

/// Hashtags with their names: at the start or after white space, with at least one letter; a mark
/// in the middle (`·`) is part of it, at the end it is not.
fn hashtags(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices(['#', '＃']).filter_map(|(start, hash)| {
        let before = text[..start].chars().next_back();
        let body = &text[start + hash.len()..];
        let name = body.find(|c| !is_word(c) && !is_tag_mark(c)).map_or(body, |end| &body[..end]);
        let name = name.trim_end_matches(is_tag_mark);
        let good = before.is_none_or(char::is_whitespace)
            && name.starts_with(is_word)
            && name.contains(is_letter);
        good.then(|| (start..start + hash.len() + name.len(), name))
    })
}

/// What may stand within a hashtag, beside letters, digits and `_`.
pub fn is_tag_mark(c: char) -> bool {
    "·・\u{200C}".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// twitter-text `MAX_URL_LENGTH`.
    const URL_MAX: usize = 4096;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<&str> =
            entities(text).iter().map(|entity| &text[entity.range().clone()]).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn urls_end_where_the_validator_ends_them() {
        check("https://example.com/a_(b)_(c(d)e) x", &["https://example.com/a_(b)_(c(d)e)"]);
        check("https://example.com/a(b(c(d)))", &["https://example.com/a"]);
        check("https://example.com:8080?q=ä,", &["https://example.com:8080?q=ä"]);
        check("https://example.com:x", &["https://example.com"]);
        check("https://a.b.co.uk.zzz/x", &["https://a.b.co.uk"]);
        check("https://sub_domain.example.com", &["https://sub_domain.example.com"]);
        check("https://foo.com@bar", &[]);
        check("https://example.xn--p1ai/x", &["https://example.xn--p1ai/x"]);
        check("HTTPS://EXAMPLE.COM/A", &["HTTPS://EXAMPLE.COM/A"]);
        check("ftp://example.com/x gemini://a.io", &["gemini://a.io"]);
        check("https://a.io,https://b.io", &["https://a.io", "https://b.io"]);
        check("example.com/https://a.io", &[]);
        check("$https://a.io\nhttps://b.io", &["https://b.io"]);
        check("日本語https://a.io/b 日本.語https://c.io", &["https://a.io/b", "https://c.io"]);
    }

    #[test]
    fn a_url_beyond_4096_characters_is_text() {
        let fits = format!("https://a.io/{}", "x".repeat(URL_MAX - 13));
        check(&fits, &[&fits]);
        check(&format!("{fits}x"), &[]);
    }

    #[test]
    fn mentions_end_where_the_validator_ends_them() {
        check("@a.b-c. (@d)", &["@a.b-c", "@d"]);
        check("a@b.c =@d /@e é@f", &[]);
        check("@bob@x.y. @bob@ @zoé", &["@bob@x.y"]);
        check(&format!("@bob@{}", "x".repeat(254)), &[]);
    }

    #[test]
    fn long_texts_are_scanned_in_a_breath() {
        let text = "日本語".repeat(20_000) + &"a.".repeat(20_000) + &"@a".repeat(20_000);
        assert_eq!(entities(&text).len(), 0);
    }
}
