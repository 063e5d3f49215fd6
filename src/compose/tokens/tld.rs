//! Top-level domains: which endings make a dotted name a link.
//!
//! The names of twitter-text 3.1 (`tlds.txt`, generic and country codes, as of March 2020), by
//! which Mastodon's validator and X count. **Refuses:** to guess: newer names are told apart.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The longest name, in bytes.
const LONGEST: usize = 36;

/// Names that came after the list was frozen; whether a server knows them is not known.
const NEWER: &[&str] = &["amazon", "kids", "music", "spa"];

static NAMES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("tlds.txt").split_whitespace().collect());

/// Whether `name`, in this very spelling, is a top-level domain.
pub fn is_tld(name: &str) -> bool {
    NAMES.contains(name)
}

/// Whether `name` is not in the list, and could be a name that came after it.
pub fn is_newer(name: &str) -> bool {
    NEWER.iter().any(|newer| name.eq_ignore_ascii_case(newer))
}

/// The length in bytes of the longest name that is `known`, that `text` starts with, in any case,
/// and that `may_end` there (it is given what follows).
pub fn prefix_len(
    text: &str,
    known: impl Fn(&str) -> bool,
    may_end: impl Fn(&str) -> bool,
) -> Option<usize> {
    let run = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let mut low = [0; LONGEST];
    let most = text.len().min(LONGEST);
    low[..most].copy_from_slice(&text.as_bytes()[..most]);
    low.make_ascii_lowercase();
    let is_name = |&len: &usize| {
        text.is_char_boundary(len)
            && may_end(&text[len..])
            && std::str::from_utf8(&low[..len]).is_ok_and(&known)
    };
    // no name mixes ASCII with other letters
    let mut lengths = if run > 0 { run..=run.min(most) } else { 1..=most };
    lengths.rfind(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_that_may_end_wins() {
        let check =
            |text: &str, expect| assert_eq!(prefix_len(text, is_tld, |_| true), expect, "{text}");
        check("com/a", Some(3));
        check("COM", Some(3));
        check("community", Some(9));
        check("comみ", Some(3));
        check("zzz", None);
        check("テスト", None);
        check("みんな。", Some(9));
        check(&"com".repeat(20), None);
        assert!(NAMES.iter().all(|name| name.len() <= LONGEST), "LONGEST is too short");
    }

    #[test]
    fn the_list_is_that_of_march_2020() {
        for name in ["app", "dev", "blog", "social", "page", "new", "zip", "ai", "io", "so"] {
            assert!(is_tld(name), "{name}");
        }
        for name in ["music", "kids", "spa", "js", "test"] {
            assert!(!is_tld(name), "{name}");
        }
        assert!(NEWER.iter().all(|name| !is_tld(name) && is_newer(name)));
    }
}
