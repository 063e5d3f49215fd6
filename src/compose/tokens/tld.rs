//! Top-level domains: which endings make a dotted name a link.
//!
//! The names of twitter-text 3.1, which Mastodon's validator counts by (`tlds.txt`, generic and
//! country codes). **Refuses:** to know newer ones: the servers don't either.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The longest name, in bytes.
const LONGEST: usize = 36;

static NAMES: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("tlds.txt").split_whitespace().collect());

/// Whether `name`, in this very spelling, is a top-level domain.
pub fn is_tld(name: &str) -> bool {
    NAMES.contains(name)
}

/// The length in bytes of the longest top-level domain that `text` starts with, in any case, and
/// that `may_end` there (it is given what follows).
pub fn prefix_len(text: &str, may_end: impl Fn(&str) -> bool) -> Option<usize> {
    let mut low = [0; LONGEST];
    let most = text.len().min(LONGEST);
    low[..most].copy_from_slice(&text.as_bytes()[..most]);
    low.make_ascii_lowercase();
    (1..=most)
        .rev()
        .filter(|&len| text.is_char_boundary(len))
        .find(|&len| std::str::from_utf8(&low[..len]).is_ok_and(is_tld) && may_end(&text[len..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_that_may_end_wins() {
        let check = |text: &str, expect| assert_eq!(prefix_len(text, |_| true), expect, "{text}");
        check("com/a", Some(3));
        check("COM", Some(3));
        check("community", Some(9));
        check("zzz", None);
        check("テスト", None);
        check("みんな。", Some(9));
        assert!(NAMES.iter().all(|name| name.len() <= LONGEST), "LONGEST is too short");
    }
}
