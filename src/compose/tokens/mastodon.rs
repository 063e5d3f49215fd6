//! Mastodon: where its validator sees URLs and mentions, so that a text is counted as it counts.
//!
//! twitter-text 3.1's URL pattern with Mastodon's own overrides, written as a scanner that is
//! linear in the text (the pattern is not). **Invariant:** a URL without a protocol is consumed as
//! the pattern consumes it, but never reported.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

use super::tld;

/// Longer URLs are no URLs (twitter-text `MAX_URL_LENGTH`, characters).
const URL_MAX: usize = 4096;
/// Labels that start beyond this many bytes are not looked at (DNS ends at 253).
const DOMAIN_MAX: usize = 1024;
/// Longer domains make no mention (Mastodon's `Extractor`, characters).
const MENTION_DOMAIN_MAX: usize = 253;

const PROTOCOLS: [&str; 9] = [
    "https://",
    "http://",
    "dat://",
    "dweb://",
    "ipfs://",
    "ipns://",
    "ssb://",
    "gopher://",
    "gemini://",
];

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
    let mut found: Vec<Entity> = urls(text).into_iter().map(Entity::Url).collect();
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

fn urls(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut consumed = 0;
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let at_line_start = before.is_none_or(|b| b == '\n');
        let allowed = at_line_start || start > consumed && before.is_some_and(|b| !blocks_url(b));
        before = Some(c);
        if !allowed || !is_domain_char(c) {
            continue;
        }
        let protocol = protocol_len(&text[start..]);
        let domain = start + protocol.unwrap_or(0);
        let len = match domain_len(&text[domain..]) {
            Ok(len) => len,
            Err(skip) => {
                while let Some((_, c)) = chars.next_if(|&(at, _)| at < domain + skip) {
                    before = Some(c);
                }
                continue;
            }
        };
        let end = domain + len + tail_len(&text[domain + len..]);
        consumed = end;
        if protocol.is_some()
            && text[start..end].chars().count() + growth(&text[domain..][..len]) <= URL_MAX
        {
            found.push(start..end);
        }
        while let Some((_, c)) = chars.next_if(|&(at, _)| at < end) {
            before = Some(c);
        }
    }
    found
}

fn protocol_len(text: &str) -> Option<usize> {
    PROTOCOLS
        .iter()
        .find(|p| text.get(..p.len()).is_some_and(|head| head.eq_ignore_ascii_case(p)))
        .map(|p| p.len())
}

/// What may not stand right before a URL.
fn blocks_url(c: char) -> bool {
    c.is_ascii_alphanumeric() || "@＠$#＃\u{FFFE}\u{FEFF}\u{FFFF}".contains(c)
}

fn is_domain_char(c: char) -> bool {
    !(c.is_whitespace()
        || "!'#%&()*+,\\-./:;<=>?@[]^_{|}~$".contains(c)
        || matches!(c, '\u{180E}' | '\u{FFFE}' | '\u{FEFF}' | '\u{FFFF}' | '\u{61C}')
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(c, '\u{2066}'..='\u{2069}'))
}

/// The domain at the start of `text`: as many labels as end in a known top-level domain; or how
/// many bytes can be passed over, because no domain starts within them either.
fn domain_len(text: &str) -> Result<usize, usize> {
    let mut best = None;
    let mut skip = text.find(|c| !is_domain_char(c)).unwrap_or(text.len());
    let (mut at, mut plain) = (0, true);
    while at <= DOMAIN_MAX {
        let label = &text[at..];
        let len = label.find(|c| !is_domain_char(c) && c != '-' && c != '_').unwrap_or(label.len());
        let (name, rest) = label.split_at(len);
        let bounded = name.starts_with(is_domain_char) && name.ends_with(is_domain_char);
        if !bounded || !rest.starts_with('.') {
            break;
        }
        at += len + 1;
        // an underscore may stand in every label but the last one before the ending
        if !name.contains('_') {
            best = ending_len(&text[at..]).map(|len| at + len).or(best);
        }
        plain &= !name.contains('_');
        skip = if plain { at } else { skip };
    }
    best.ok_or(skip)
}

/// How many characters punycode adds to `domain`.
fn growth(domain: &str) -> usize {
    let shown = domain.chars().count();
    let sent = url::Host::parse(domain).map_or(shown, |host| host.to_string().len());
    sent.saturating_sub(shown)
}

/// A top-level domain, or punycode, at the start of `text`.
fn ending_len(text: &str) -> Option<usize> {
    let may_end =
        |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "@+-".contains(c));
    tld::prefix_len(text, may_end).or_else(|| {
        let tail = text.get(..4).filter(|head| head.eq_ignore_ascii_case("xn--"))?.len();
        let run = text[tail..]
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(text.len() - tail);
        (run > 0).then_some(tail + run)
    })
}

/// Port, path and query at the start of `text`.
fn tail_len(text: &str) -> usize {
    let mut at = 0;
    if let Some(port) = text.strip_prefix(':') {
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        at = if digits > 0 { 1 + digits } else { 0 };
    }
    if text[at..].starts_with('/') {
        at += 1 + path_len(&text[at + 1..]);
    }
    at + query_len(&text[at..])
}

fn is_path_char(c: char) -> bool {
    !c.is_whitespace() && !"<>()?".contains(c)
}

/// The longest run of path characters and balanced parentheses that ends well.
fn path_len(text: &str) -> usize {
    let (mut at, mut end) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        if let Some(len) = parens_len(&text[at..]) {
            at += len;
            end = at;
        } else if is_path_char(c) {
            at += c.len_utf8();
            if !"!*\"'「」;:=,.$%[]~&|".contains(c) {
                end = at;
            }
        } else {
            break;
        }
    }
    end
}

/// `(…)` with something in it and at most one pair of the same kind within.
fn parens_len(text: &str) -> Option<usize> {
    let run = |text: &str| text.find(|c| !is_path_char(c)).unwrap_or(text.len());
    let inner = text.strip_prefix('(')?;
    let first = run(inner);
    let rest = &inner[first..];
    if rest.starts_with(')') {
        return (first > 0).then_some(first + 2);
    }
    let nested = rest.strip_prefix('(')?;
    let second = run(nested);
    let rest = nested[second..].strip_prefix(')').filter(|_| second > 0)?;
    let third = run(rest);
    rest[third..].starts_with(')').then_some(first + second + third + 4)
}

fn query_len(text: &str) -> usize {
    let Some(query) = text.strip_prefix('?') else { return 0 };
    let mut end = 0;
    for (at, c) in query.char_indices() {
        let wide = is_query_wide(c);
        if !(wide || c.is_ascii_alphanumeric() || "!?*'();:&=+$/%#[]-_.,~|@^".contains(c)) {
            break;
        }
        if wide || c.is_ascii_alphanumeric() || "_&=#/-".contains(c) {
            end = 1 + at + c.len_utf8();
        }
    }
    end
}

/// The `ucschar` and `iprivate` of RFC 3987, as Mastodon spells them.
fn is_query_wide(c: char) -> bool {
    let c = u32::from(c);
    c >= 0xA0
        && !(0xFDD0..=0xFDEF).contains(&c)
        && !(0xFFF0..=0xFFFF).contains(&c)
        && !(0xE0000..=0xE0FFF).contains(&c)
        && c & 0xFFFE != 0xFFFE
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
    rest.starts_with("://")
        || rest.starts_with(|c| {
            matches!(c, '@' | '＠' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}')
                || matches!(c, '\u{F8}'..='\u{24F}' | '\u{300}'..='\u{36F}')
                || matches!(c, '\u{1E00}'..='\u{1EFF}')
                || "ɓɔɖɗəɛɣɨɯɲʉʋʻ".contains(c)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

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
