//! Tokens: the parts of a text that are more than letters: URLs, hashtags, handles.
//!
//! Every platform finds them in its own way: `read` tells what it will make of a text, `find` is
//! the widest reading, the one that a cut must respect whoever reads the text. **Invariant:** all
//! ranges are UTF-8 bytes, in order, and do not overlap; every scanner is linear in the text.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use crate::platform::{Links, Mentions, Platform};

pub mod facets;
pub mod handles;
mod letters;
pub mod mastodon;
mod plain;
mod punctuation;
pub mod shorten;
mod tld;
mod urls;
pub mod x;

/// What a platform makes of a part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it stands.
    pub range: Range<usize>,
    /// What it is.
    pub kind: Kind,
    /// Of a link the absolute address that it leads to; of a hashtag its name without `#`, of a
    /// cashtag with its `$`; of a mention the handle without the first `@`.
    pub value: String,
}

/// What a part of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A link.
    Link,
    /// A hashtag or cashtag.
    Tag,
    /// A mention.
    Mention,
}

/// What `platform` will make of `text`, when nobody tells it.
pub fn read(text: &str, platform: Platform) -> Vec<Found> {
    let rules = platform.rules();
    let mut found = match platform {
        Platform::Mastodon => mastodon::read(text),
        Platform::Bluesky => facets::read(text),
        Platform::X => x::read(text),
        Platform::Threads
        | Platform::Instagram
        | Platform::Facebook
        | Platform::LinkedIn
        | Platform::YouTube
        | Platform::Outbox => {
            let links = if rules.links == Links::None { Vec::new() } else { plain::links(text) };
            let mut found: Vec<Found> = links.into_iter().chain(plain::tags(text)).collect();
            if rules.mentions != Mentions::None {
                found.extend(plain::mentions(text));
            }
            found
        }
    };
    found.sort_by_key(|found| found.range.start);
    let mut end = 0;
    found.retain(|found| {
        let apart = found.range.start >= end;
        end = if apart { found.range.end } else { end };
        apart
    });
    if platform == Platform::Threads {
        // a post has one topic; further hashtags are text
        let topic = found.iter().position(|found| found.kind == Kind::Tag);
        let mut at = 0..;
        found.retain(|found| at.next() == topic || found.kind != Kind::Tag);
    }
    found
}

/// A part of the text that may not be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether a character right after it would become part of the link.
    pub is_url: bool,
}

/// All tokens of `text` in order, by whatever reading; those that overlap are one.
pub fn find(text: &str) -> Vec<Token> {
    let url = |range| Token { range, is_url: true };
    let name = |range| Token { range, is_url: false };
    let read = |found: Found| Token { range: found.range, is_url: found.kind == Kind::Link };
    let mut found: Vec<Token> = addresses(text).into_iter().map(url).collect();
    found.extend(facets::read(text).into_iter().map(read));
    found.extend(x::read(text).into_iter().map(read));
    found.extend(mastodon::read(text).into_iter().map(read));
    found.extend(plain::links(text).into_iter().map(read));
    found.extend(hashtags(text).into_iter().map(name));
    found.extend(handles::find(text).into_iter().map(name));
    joined(found)
}

/// `tokens` in order, those that overlap made one.
pub fn joined(mut tokens: Vec<Token>) -> Vec<Token> {
    tokens.sort_by_key(|token| token.range.start);
    let mut apart: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
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

/// `#` and the letters after it, wherever they stand.
fn hashtags(text: &str) -> Vec<Range<usize>> {
    let is_part = |c: char| mastodon::is_word(c) || mastodon::is_tag_mark(c);
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

/// Where the URL ends that `address` starts with: at a bracket that it did not open, and before
/// what closes a phrase. `https://a.io/x_(y)` is whole, of `https://a.io/x)).` only the start.
pub fn url_end(address: &str) -> usize {
    let url = &address[..unopened(address).unwrap_or(address.len())];
    url.trim_end_matches(|c| c != ')' && is_closing(c)).len()
}

/// Where the first `)` stands that nothing in `address` opens.
fn unopened(address: &str) -> Option<usize> {
    let mut open = 0_usize;
    address.bytes().position(|byte| {
        let is_unopened = byte == b')' && open == 0;
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
        is_unopened
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
        // what comes after a bracket that the URL did not open is no part of it anywhere
        let inside = &address[..unopened(address).unwrap_or(address.len())];
        let guessed = inside.get(closing..).and_then(|end| end.find(is_wide_closing));
        let guessed = guessed.map(|at| closing + at);
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
    fn every_platform_reads_in_its_own_way() {
        use crate::platform::Platform::*;
        let text = "https://a.io/x, b.com @ann @bob@c.org @d.com #one #2 $AAPL #two";
        let check = |platforms: &[Platform], expect: &[&str]| {
            for &platform in platforms {
                let found = read(text, platform);
                let found: Vec<&str> = found.iter().map(|found| found.value.as_str()).collect();
                assert_eq!(found, expect, "{platform:?}");
            }
        };
        check(&[Mastodon], &["https://a.io/x", "ann", "bob@c.org", "d.com", "one", "two"]);
        check(&[Bluesky], &["https://a.io/x", "https://b.com", "d.com", "one", "$AAPL", "two"]);
        check(&[X], &["https://a.io/x", "https://b.com", "ann", "d", "one", "$AAPL", "two"]);
        check(&[Threads], &["https://a.io/x", "ann", "d.com", "one"]);
        check(&[Instagram], &["ann", "d.com", "one", "two"]);
        check(&[Facebook, LinkedIn, Outbox], &["https://a.io/x", "one", "two"]);
        check(&[YouTube], &["https://a.io/x", "ann", "d.com", "one", "two"]);
    }

    #[test]
    fn mastodon_reads_hashtags_as_its_server_does() {
        let check = |text: &str, expect: &[&str]| {
            let found = read(text, Platform::Mastodon);
            let found: Vec<&str> = found.iter().map(|found| found.value.as_str()).collect();
            assert_eq!(found, expect, "{text}");
        };
        check("#one (#two) x#three ＃four", &["one", "four"]);
        check("#a-b #1 #1a #_ #il·lusió #a· #a·,", &["a", "1a", "il·lusió", "a", "a"]);
        check("https://a.io/#x #x@y", &["https://a.io/#x", "x"]);
    }

    #[test]
    fn what_is_read_is_in_order_and_on_characters() {
        let text = "“https://例え.jp/é” @é@b #日本$x $X ＃é·é example.comテスト @a@b.c/#d";
        let tokens = find(text);
        for platform in Platform::ALL {
            let mut end = 0;
            for found in read(text, platform) {
                assert!(end <= found.range.start && found.range.start < found.range.end);
                assert!(text.get(found.range.clone()).is_some(), "{platform:?} {found:?}");
                end = found.range.end;
                let inside = |t: &Token| t.range.start <= found.range.start && end <= t.range.end;
                assert!(tokens.iter().any(inside), "{platform:?} {found:?} may be cut");
            }
        }
    }

    #[test]
    fn long_texts_are_read_in_a_breath() {
        for piece in ["@a", "a.", "#", "##a", "日本語", "((", "[]", "a@b.c", "://", "https://a.b/("]
        {
            let text = piece.repeat(50_000);
            for platform in Platform::ALL {
                assert!(read(&text, platform).len() <= 50_000, "{piece}");
            }
            assert!(find(&text).len() <= 50_000, "{piece}");
        }
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
        check("(https://a.io/x_(y))…", "(https://a.io/x_(y))…");
        check("x (https://a.io/x)。y", "x (https://a.io/x)。y");
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
