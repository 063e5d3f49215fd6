//! Handles: `@name` in a feed's text, which must not ping a stranger.
//!
//! Mastodon turns every `@name` of a text into a mention of the local user of that name. A word
//! joiner (U+2060), which no one sees, after the `@` ends that: no server takes it for the start of
//! a name. Bluesky mentions whom a facet names, and we make no such facet.
//! **Invariant:** a disarmed text holds no mention by Mastodon's own rule; disarming it again
//! changes nothing.

use std::ops::Range;

use super::{addresses, mastodon};

/// Joins two characters without being seen.
const WORD_JOINER: char = '\u{2060}';
/// Parts two characters without being seen.
const ZERO_WIDTH_SPACE: char = '\u{200B}';

/// Every `@name` and `@name@host`, disarmed or not.
pub fn find(text: &str) -> Vec<Range<usize>> {
    const UNSEEN: [char; 2] = [WORD_JOINER, ZERO_WIDTH_SPACE];
    let is_part = |c: char| mastodon::is_word(c) || ".-@".contains(c) || UNSEEN.contains(&c);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find('@').map(|at| from + at) {
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |at| start + at);
        let end = start
            + text[start..end]
                .trim_end_matches(['.', '-', '@', WORD_JOINER, ZERO_WIDTH_SPACE])
                .len();
        from = end.max(start + 1);
        if end > start + 1 {
            found.push(start..end);
        }
    }
    found
}

/// Disarms every handle of `text`, and tells which.
///
/// Within an address the `@` is written `%40`, which leads to the same place; `/@name` and
/// `=@name` ping nobody and stay.
pub fn disarm(text: &str) -> (String, Vec<String>) {
    let mut safe = String::with_capacity(text.len() + 8);
    let mut names = Vec::new();
    let mut addresses = addresses(text).into_iter().peekable();
    let mut before = None;
    for (at, c) in text.char_indices() {
        let after = text[at + c.len_utf8()..].chars().next();
        while addresses.next_if(|range| range.end <= at).is_some() {}
        let in_address = addresses.peek().is_some_and(|range| range.contains(&at));
        if c != '@' || !may_ping(before, after) {
            safe.push(c);
        } else if !in_address {
            safe.extend(['@', WORD_JOINER]);
            let len = text[at + 1..].find(|c| !mastodon::is_word(c));
            names.push(
                text[at..].get(..len.unwrap_or(text.len()) + 1).unwrap_or(&text[at..]).into(),
            );
        } else if matches!(before, Some('/' | '=')) {
            safe.push(c);
        } else {
            safe.push_str("%40");
        }
        before = Some(c);
    }
    (safe, names)
}

/// Whether any server could read a handle in `@` between these two. Wider than Mastodon's rule,
/// except that it knows e-mail addresses.
fn may_ping(before: Option<char>, after: Option<char>) -> bool {
    !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        && after.is_some_and(mastodon::is_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::tokens::mastodon::{Entity, entities};

    fn pings(text: &str) -> bool {
        entities(text).iter().any(|entity| matches!(entity, Entity::Mention(..)))
    }

    #[test]
    fn no_handle_survives() {
        let check = |text: &str, expect: &str, names: &[&str]| {
            let (safe, told) = disarm(text);
            assert_eq!(safe, expect, "{text}");
            assert_eq!(told, names, "{text}");
            assert!(!pings(&safe), "{text} still pings");
            assert_eq!(disarm(&safe), (safe.clone(), vec![]), "twice: {text}");
        };
        check("hi @bob!", "hi @\u{2060}bob!", &["@bob"]);
        check("@a @b", "@\u{2060}a @\u{2060}b", &["@a", "@b"]);
        check(".@ann@social.example", ".@\u{2060}ann@social.example", &["@ann"]);
        check("日本@ann", "日本@\u{2060}ann", &["@ann"]);
        check("me@home.example @ 5, @, a @", "me@home.example @ 5, @, a @", &[]);
        check("https://a.io/@ann", "https://a.io/@ann", &[]);
        check("https://a.io/?q=@ann", "https://a.io/?q=@ann", &[]);
        check("https://a.io/x,@ann", "https://a.io/x,%40ann", &[]);
        check("@everyone: x://@b", "@\u{2060}everyone: x://@b", &["@everyone"]);
    }
}
