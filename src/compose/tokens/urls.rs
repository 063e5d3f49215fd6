//! Urls: twitter-text 3.1's grammar of URLs, as X reads it and, with its own changes, Mastodon.
//!
//! The pattern, written as a scanner that is linear in the text (the pattern is not).
//! **Invariant:** a match is consumed as the pattern consumes it, also where the caller drops it.

use std::ops::Range;

use super::tld;

/// Longer URLs are no URLs (twitter-text `MAX_URL_LENGTH`, characters).
const URL_MAX: usize = 4096;
/// Labels that start beyond this many bytes are not looked at (DNS ends at 253).
const DOMAIN_MAX: usize = 1024;
/// Longer labels are none on X (DNS, bytes of punycode).
const LABEL_MAX: usize = 63;

const X_PROTOCOLS: &[&str] = &["https://", "http://"];
const MASTODON_PROTOCOLS: &[&str] = &[
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

/// Whose grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Mastodon: more protocols, and nearly every character in a path.
    Mastodon,
    /// X: twitter-text as it is.
    X,
}

/// Something that the grammar takes for a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// All of it.
    pub range: Range<usize>,
    /// Its domain.
    pub domain: Range<usize>,
    /// Whether it starts with a protocol.
    pub has_protocol: bool,
    /// Whether there is a path; a query alone is none.
    pub has_path: bool,
    /// Whether its ending is one that the frozen list does not know.
    pub is_newer: bool,
}

/// Every match in `text`, in order.
pub fn matches(text: &str, dialect: Dialect) -> Vec<Match> {
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
        let run = text[start..].find(|c| !is_domain_char(c)).unwrap_or(text.len() - start);
        let protocol = match text.as_bytes()[start + run..] {
            [b':', b'/', b'/', ..] => dialect.protocol_len(&text[start..]),
            [b'.' | b'-' | b'_', ..] => None,
            // most words are neither: no need to look closer
            _ => {
                while let Some((_, c)) = chars.next_if(|&(at, _)| at < start + run) {
                    before = Some(c);
                }
                continue;
            }
        };
        let at = start + protocol.unwrap_or(0);
        let end = match dialect.domain(&text[at..], protocol.is_some()) {
            Ok((len, is_newer)) => {
                let (path, tail) = dialect.tail(&text[at + len..]);
                let end = at + len + tail;
                consumed = end;
                if dialect.takes(&text[start..end], &text[at..at + len]) {
                    found.push(Match {
                        range: start..end,
                        domain: at..at + len,
                        has_protocol: protocol.is_some(),
                        has_path: path,
                        is_newer,
                    });
                }
                end
            }
            Err(skip) => at + skip - dialect.protocol_at_end(text, start, at + skip),
        };
        while let Some((_, c)) = chars.next_if(|&(at, _)| at < end) {
            before = Some(c);
        }
    }
    found
}

impl Dialect {
    const fn protocols(self) -> &'static [&'static str] {
        match self {
            Self::Mastodon => MASTODON_PROTOCOLS,
            Self::X => X_PROTOCOLS,
        }
    }

    fn protocol_len(self, text: &str) -> Option<usize> {
        let starts =
            |p: &&&str| text.get(..p.len()).is_some_and(|head| head.eq_ignore_ascii_case(p));
        self.protocols().iter().find(starts).map(|p| p.len())
    }

    /// How many bytes before `end` a protocol starts that goes on there (`日本語https` + `://`).
    fn protocol_at_end(self, text: &str, start: usize, end: usize) -> usize {
        if !text[end..].starts_with("://") {
            return 0;
        }
        let run = text[start..end].bytes().rev().take_while(u8::is_ascii_alphanumeric).count();
        let known = self.protocol_len(&text[end - run..]).is_some() && end - run > start;
        if known { run } else { 0 }
    }

    /// The domain at the start of `text` and whether its ending is a newer one; or how many bytes
    /// can be passed over, because no domain starts within them either.
    fn domain(self, text: &str, has_protocol: bool) -> Result<(usize, bool), usize> {
        match domain_len(text, self) {
            Ok(len) => {
                let ending = text[..len].rsplit('.').next().unwrap_or_default();
                Ok((len, self == Self::X && tld::is_newer(ending)))
            }
            Err(_) if self == Self::X && has_protocol && unknown_domain_len(text).is_some() => {
                Ok((unknown_domain_len(text).unwrap_or_default(), true))
            }
            Err(skip) => Err(skip),
        }
    }

    /// Whether a match is short enough, once its domain is written in punycode.
    fn takes(self, url: &str, domain: &str) -> bool {
        let ascii = if domain.is_ascii() {
            None
        } else {
            url::Host::parse(domain).ok().map(|host| host.to_string())
        };
        let sent = ascii.as_deref().unwrap_or(domain);
        let growth = sent.chars().count().saturating_sub(domain.chars().count());
        let may_be_sent = |label: &str| {
            label.len() <= LABEL_MAX && (label.is_ascii() || !label.starts_with("xn--"))
        };
        url.chars().count() + growth <= URL_MAX
            && (self == Self::Mastodon || sent.split('.').all(may_be_sent))
    }

    /// Whether there is a path at the start of `text`, and the length of port, path and query.
    fn tail(self, text: &str) -> (bool, usize) {
        let mut at = 0;
        if let Some(port) = text.strip_prefix(':') {
            let digits = port.bytes().take_while(u8::is_ascii_digit).count();
            at = if digits > 0 { 1 + digits } else { 0 };
        }
        let has_path = text[at..].starts_with('/');
        if has_path {
            at += 1 + self.path_len(&text[at + 1..]);
        }
        (has_path, at + self.query_len(&text[at..]))
    }

    fn is_path_char(self, c: char) -> bool {
        match self {
            Self::Mastodon => !c.is_whitespace() && !"<>()?".contains(c),
            Self::X => is_path_letter(c) || "!*';:=+,.$/%#[]-\u{2013}_~@|&".contains(c),
        }
    }

    fn may_end_path(self, c: char) -> bool {
        match self {
            Self::Mastodon => !"!*\"'「」;:=,.$%[]~&|".contains(c),
            Self::X => is_path_letter(c) || "+-=_#/".contains(c),
        }
    }

    /// The longest run of path characters and balanced parentheses that ends well.
    fn path_len(self, text: &str) -> usize {
        let (mut at, mut end) = (0, 0);
        while let Some(c) = text[at..].chars().next() {
            if let Some(len) = self.parens_len(&text[at..]) {
                at += len;
                end = at;
            } else if self.is_path_char(c) {
                at += c.len_utf8();
                if self.may_end_path(c) {
                    end = at;
                }
            } else {
                break;
            }
        }
        end
    }

    /// `(…)` with something in it and at most one pair of the same kind within.
    fn parens_len(self, text: &str) -> Option<usize> {
        let run = |text: &str| text.find(|c| !self.is_path_char(c)).unwrap_or(text.len());
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

    fn query_len(self, text: &str) -> usize {
        let Some(query) = text.strip_prefix('?') else { return 0 };
        let mut end = 0;
        for (at, c) in query.char_indices() {
            let wide = self == Self::Mastodon && (is_query_wide(c) || c == '^');
            if !(wide || c.is_ascii_alphanumeric() || "!?*'();:&=+$/%#[]-_.,~|@".contains(c)) {
                break;
            }
            if c != '^' && wide || c.is_ascii_alphanumeric() || "_&=#/-".contains(c) {
                end = 1 + at + c.len_utf8();
            }
        }
        end
    }
}

/// What may not stand right before a URL.
fn blocks_url(c: char) -> bool {
    c.is_ascii_alphanumeric() || "@＠$#＃\u{FFFE}\u{FEFF}\u{FFFF}".contains(c)
}

fn is_domain_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric()
            || matches!(c, '"' | '`')
            || c.is_control() && !c.is_whitespace();
    }
    !(c.is_whitespace()
        || matches!(c, '\u{180E}' | '\u{FFFE}' | '\u{FEFF}' | '\u{FFFF}' | '\u{61C}')
        || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(c, '\u{2066}'..='\u{2069}'))
}

/// ASCII letters and digits, Cyrillic, and Latin with accents.
fn is_path_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '\u{400}'..='\u{4FF}') || is_accented_latin(c)
}

/// twitter-text's `latinAccentChars`.
pub fn is_accented_latin(c: char) -> bool {
    matches!(c, '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{24F}')
        || matches!(c, '\u{300}'..='\u{36F}' | '\u{1E00}'..='\u{1EFF}')
        || "ɓɔɖɗəɛɣɨɯɲʉʋʻ".contains(c)
}

/// The domain at the start of `text`: as many labels as end in a known top-level domain; or how
/// many bytes can be passed over, because no domain starts within them either.
fn domain_len(text: &str, dialect: Dialect) -> Result<usize, usize> {
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
            best = ending_len(&text[at..], dialect).map(|len| at + len).or(best);
        }
        plain &= !name.contains('_');
        skip = if plain { at } else { skip };
    }
    best.ok_or(skip)
}

/// A top-level domain, or punycode, at the start of `text`.
pub fn ending_len(text: &str, dialect: Dialect) -> Option<usize> {
    let may_end =
        |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "@+-".contains(c));
    let known = |name: &str| tld::is_tld(name) || dialect == Dialect::X && tld::is_newer(name);
    tld::prefix_len(text, known, may_end).or_else(|| {
        let tail = text.get(..4).filter(|head| head.eq_ignore_ascii_case("xn--"))?.len();
        let run = text[tail..]
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(text.len() - tail);
        (run > 0).then_some(tail + run)
    })
}

/// A plain domain whose ending could be a name newer than the list: the server may know it.
fn unknown_domain_len(text: &str) -> Option<usize> {
    let run = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
    let run = &text[..run.unwrap_or(text.len()).min(DOMAIN_MAX)];
    let domain = run.trim_end_matches(['.', '-']);
    let (names, ending) = domain.rsplit_once('.')?;
    let bounded = |name: &str| !name.is_empty() && !name.starts_with('-') && !name.ends_with('-');
    let ending_is_new = ending.len() > 1
        && ending.bytes().all(|b| b.is_ascii_alphabetic())
        && !tld::is_tld(&ending.to_ascii_lowercase());
    let closed = !text[domain.len()..].starts_with(['@', '_', '+']);
    (ending_is_new && closed && names.split('.').all(bounded)).then_some(domain.len())
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
