//! Redact: text with every known secret replaced by `[redacted]`.
//!
//! The last line of defence behind `Secret`, which does not print itself: libraries quote URLs and
//! servers quote headers. Secrets are known to the whole process, as is the log that they must not
//! reach; whoever gets a new token says so here. **Invariant:** a secret is found plain, percent-encoded (both cases), form-encoded and
//! escaped as in JSON, once or twice.  **Refuses:** secrets of fewer than 6 bytes, which would blot out words.

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::config::Secret;

const MASK: &str = "[redacted]";
/// Shorter secrets are not searched for. Bytes.
const SECRET_BYTES_MIN: usize = 6;
/// Renewed tokens that are remembered; older ones have expired long since.
const RENEWED_MAX: usize = 128;
/// What RFC 3986 leaves unencoded.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

static KNOWN: RwLock<Known> = RwLock::new(Known::new());

/// The secrets and the automaton that finds them.
struct Known {
    configured: BTreeSet<String>,
    renewed: VecDeque<String>,
    finder: Option<AhoCorasick>,
}

/// Adds secrets of the config to what the log hides; those of an earlier config stay hidden.
pub fn register_secrets<'a>(secrets: impl IntoIterator<Item = &'a Secret>) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known.configured.extend(secrets.into_iter().map(|secret| secret.expose().to_owned()));
    known.rebuild();
}

/// Adds a token that a platform has given us while running. The last 128 are remembered.
pub fn register_renewed(secret: &Secret) {
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    if known.renewed.iter().any(|old| old == secret.expose()) {
        return;
    }
    known.renewed.truncate(RENEWED_MAX - 1);
    known.renewed.push_front(secret.expose().to_owned());
    known.rebuild();
}

/// `text` without secrets, for what is shown or stored elsewhere than in the log.
pub fn redact(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    match &known.finder {
        Some(finder) if finder.is_match(text) => {
            Cow::Owned(finder.replace_all(text, &vec![MASK; finder.patterns_len()]))
        }
        _ => Cow::Borrowed(text),
    }
}

impl Known {
    const fn new() -> Self {
        Self { configured: BTreeSet::new(), renewed: VecDeque::new(), finder: None }
    }

    fn rebuild(&mut self) {
        let secrets = self.configured.iter().chain(&self.renewed);
        let spellings: BTreeSet<String> =
            secrets.filter(|secret| secret.len() >= SECRET_BYTES_MIN).flat_map(spell).collect();
        // the longest, so that a secret that begins with another one does not leave its end
        self.finder =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(spellings).ok();
    }
}

/// The ways in which `secret` can stand in a line.
fn spell(secret: &String) -> [String; 7] {
    let percent = utf8_percent_encode(secret, UNRESERVED).to_string();
    let inside = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
    let json = |text: &str| inside(serde_json::Value::from(text).to_string());
    let once = json(secret);
    [
        secret.clone(),
        lower_hex(&percent),
        percent.replace("%20", "+"),
        percent,
        inside(format!("{secret:?}")),
        json(&once), // a quoted body within a line of JSON
        once,
    ]
}

/// `%2F` as `%2f`; the rest as it is.
fn lower_hex(percent: &str) -> String {
    let mut pieces = percent.split('%');
    let mut lower = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (hex, rest) = piece.split_at(2); // the encoder writes two digits after each `%`
        lower.extend(["%", &hex.to_ascii_lowercase(), rest]);
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &str, text: &str, expect: &str) {
        register_secrets([&Secret::new(secret)]);
        assert_eq!(redact(text), expect);
    }

    #[test]
    fn every_spelling_of_a_secret_is_hidden() {
        check("plain-secret-1", "a plain-secret-1 b", "a [redacted] b");
        check("p/ä +2 secret", "?t=p%2F%C3%A4%20%2B2%20secret&x", "?t=[redacted]&x");
        check("p/ä +3 secret", "?t=p%2f%c3%a4%20%2b3%20secret&x", "?t=[redacted]&x");
        check("p/ä +4 secret", "t=p%2F%C3%A4+%2B4+secret&x", "t=[redacted]&x");
        check("q\"uo\\te5\n", r#"{"a":"q\"uo\\te5\n"}"#, r#"{"a":"[redacted]"}"#);
    }

    #[test]
    fn a_secret_within_a_longer_one_leaves_nothing() {
        let (short, long) = (Secret::new("prefix-of-6"), Secret::new("prefix-of-6-and-more"));
        register_secrets([&short, &long]);
        assert_eq!(redact("<prefix-of-6-and-more>"), "<[redacted]>");
    }

    #[test]
    fn words_are_too_short_to_be_secrets() {
        check("inbox", "the inbox is full", "the inbox is full");
    }

    #[test]
    fn renewed_tokens_are_hidden_and_the_number_is_bounded() {
        for number in 0..RENEWED_MAX + 10 {
            register_renewed(&Secret::new(format!("renewed-{number:04}")));
        }
        assert_eq!(redact("renewed-0137 renewed-0010"), "[redacted] [redacted]");
        assert_eq!(redact("renewed-0009"), "renewed-0009");
        assert!(KNOWN.read().unwrap().renewed.len() <= RENEWED_MAX);
    }
}
