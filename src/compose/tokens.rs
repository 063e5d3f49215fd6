//! Tokens: the parts of a text that are more than letters: URLs, hashtags, handles.
//!
//! Every server finds them in its own way (`mastodon`, `facets`); here is the widest reading, the
//! one that a cut must respect whoever reads the text. **Invariant:** all ranges are UTF-8 bytes.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

pub mod facets;
pub mod handles;
pub mod mastodon;
mod punctuation;
mod tld;

/// A part of the text that may not be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether a character right after it would become part of the link.
    pub is_url: bool,
}

/// All tokens of `text` in order; those that overlap are one.
pub fn find(text: &str) -> Vec<Token> {
    let url = |range| Token { range, is_url: true };
    let name = |range| Token { range, is_url: false };
    let mut found: Vec<Token> = addresses(text).into_iter().map(url).collect();
    found.extend(facets::links(text).into_iter().map(|(range, _)| url(range)));
    found.extend(facets::tags(text).into_iter().map(|(range, _)| name(range)));
    found.extend(hashtags(text).into_iter().map(name));
    found.extend(handles::find(text).into_iter().map(name));
    found.sort_by_key(|token| token.range.start);
    let mut apart: Vec<Token> = Vec::with_capacity(found.len());
    for token in found {
        match apart.last_mut() {
            Some(last) if token.range.start < last.range.end => {
                last.range.end = last.range.end.max(token.range.end);
                last.is_url |= token.is_url;
            }
            _ => apart.push(token),
        }
    }
    apart
}

/// Everything of the form `scheme://…` up to the next white space.
pub fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(colon) = text[from..].find("://").map(|at| from + at) {
        let scheme = text[from..colon]
            .rfind(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
            .map_or(from, |at| {
                from + at + text[from + at..].chars().next().map_or(0, char::len_utf8)
            });
        let end = text[colon..].find(char::is_whitespace).map_or(text.len(), |at| colon + at);
        if scheme < colon {
            found.push(scheme..end);
        }
        from = end;
    }
    found
}

/// `#` and the letters after it, as Mastodon reads a hashtag.
fn hashtags(text: &str) -> Vec<Range<usize>> {
    let is_part = |c: char| mastodon::is_word(c) || "·・\u{200C}".contains(c);
    text.match_indices(['#', '＃'])
        .map(|(start, hash)| {
            let body = start + hash.len();
            let len = text[body..].find(|c| !is_part(c)).unwrap_or(text.len() - body);
            start..body + len
        })
        .filter(|range| range.len() > '＃'.len_utf8() || text[range.clone()].len() > 1)
        .collect()
}

/// Whether `url` can be shown as a link: `http(s)`, and neither white space nor control characters.
pub fn is_web_address(url: &str) -> bool {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|s| url.get(..s.len()).is_some_and(|head| head.eq_ignore_ascii_case(s)));
    scheme.is_some_and(|scheme| url.len() > scheme.len())
        && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Whether `text` holds `url` itself, not only a longer URL that starts with it.
pub fn contains_url(text: &str, url: &str) -> bool {
    let composed: String = url.nfc().collect();
    addresses(text).into_iter().any(|range| {
        let address = &text[range];
        [url, composed.as_str()]
            .into_iter()
            .filter_map(|url| address.strip_prefix(url))
            .any(|rest| rest.strip_prefix('/').unwrap_or(rest).chars().all(is_closing))
    })
}

/// What closes a phrase, and is seldom the last character of a URL.
fn is_closing(c: char) -> bool {
    ".,;:!?'\")]}>".contains(c) || is_wide_closing(c)
}

/// Closing marks that servers take for a part of the URL before them (sheet, rule 8).
fn is_wide_closing(c: char) -> bool {
    "…—–‘’“”»›」』】〉》）］。、，．！？：；".contains(c)
}

/// Puts a space between a URL and the wide marks that close its phrase (`…`, `”`, `。`), which
/// would be swallowed into the link. `known` is a URL whose end needs no guess.
pub fn part_urls(text: &str, known: Option<&str>) -> String {
    let mut parted = String::with_capacity(text.len() + 8);
    let mut from = 0;
    for range in addresses(text) {
        let address = &text[range.clone()];
        let closing = address.trim_end_matches(is_closing).len();
        let guessed = address[closing..].find(is_wide_closing).map(|at| closing + at);
        let told = known
            .filter(|known| {
                address.strip_prefix(known).is_some_and(|r| r.starts_with(is_wide_closing))
            })
            .map(str::len);
        if let Some(end) = told.or(guessed).filter(|&end| !address[..end].ends_with("://")) {
            parted.push_str(&text[from..range.start + end]);
            parted.push(' ');
            from = range.start + end;
        }
        // a wide blank (no-break, ideographic) would be taken into a query
        let after = text[range.end..].chars().next().filter(|&c| c != '\n' && !c.is_ascii());
        if let Some(blank) = after {
            parted.push_str(&text[from..range.end]);
            parted.push(' ');
            from = range.end + blank.len_utf8();
        }
    }
    parted.push_str(&text[from..]);
    parted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_respects_urls_hashtags_and_handles() {
        let check = |text: &str, expect: &[&str]| {
            let found: Vec<_> = find(text).into_iter().map(|token| &text[token.range]).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("see https://a.io/b, c", &["https://a.io/b,"]);
        check("日本語https://a.io/b", &["https://a.io/b"]);
        check("gemini://a b.com/c #a-b ＃ｃ, # c#", &["gemini://a", "b.com/c", "#a-b", "＃ｃ"]);
        check("(@ann, @\u{2060}bob@b.io) a@b.c", &["@ann", "@\u{2060}bob@b.io", "@b.c"]);
        check("://x", &[]);
    }

    #[test]
    fn a_url_is_found_whole_or_not_at_all() {
        let check = |text: &str, url: &str, expect| {
            assert_eq!(contains_url(text, url), expect, "{url} in {text}");
        };
        check("x https://a.io/b.", "https://a.io/b", true);
        check("(https://a.io/b/)", "https://a.io/b", true);
        check("“https://a.io/b”…", "https://a.io/b", true);
        check("https://a.io/bc", "https://a.io/b", false);
        check("https://a.io/b?c", "https://a.io/b", false);
        check("https://a.io/\u{e9}", "https://a.io/e\u{301}", true);
        check("nothing", "https://a.io/b", false);
    }

    #[test]
    fn wide_marks_are_kept_out_of_links() {
        let check = |text: &str, expect: &str| {
            let parted = part_urls(text, Some("https://a.io/b"));
            assert_eq!(parted, expect, "{text}");
            assert_eq!(part_urls(&parted, Some("https://a.io/b")), expect, "twice: {text}");
        };
        check("“https://a.io/x” is", "“https://a.io/x ” is");
        check("https://a.io/x_(y)…", "https://a.io/x_(y) …");
        check("https://a.io/x.”", "https://a.io/x. ”");
        check("https://a.io/b—well", "https://a.io/b —well");
        check("https://a.io/モーニング娘。の", "https://a.io/モーニング娘。の");
        check("https://a.io/?x=1\u{A0}! y", "https://a.io/?x=1 ! y");
        check("https://a.io/x, (https://a.io/y).", "https://a.io/x, (https://a.io/y).");
        check("https://a.io/x\n…", "https://a.io/x\n…");
    }

    #[test]
    fn only_web_addresses_are_links() {
        for good in ["https://a.io", "HTTP://a"] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in ["", "https://", "/a", "ftp://a.io", "https://a.io/a b", "https://a\u{0}"] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
