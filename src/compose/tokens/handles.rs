//! Handles: `@name` in a feed's text, which must not ping a stranger.
//!
//! Mastodon turns every `@name` of a text into a mention of the local user of that name. A word
//! joiner (U+2060; on X a zero-width space, U+200B, which counts less), which no one sees, after
//! the `@` ends that: no server takes it for the start of a name. Bluesky mentions whom a facet
//! names, and strangers get none.
//! **Invariant:** a disarmed text holds no mention of a stranger by Mastodon's own rule; disarming
//! it again changes nothing.

use std::ops::Range;

use super::{addresses, mastodon};

/// What stands unseen after the `@` of a disarmed handle.
const DISARMS: [char; 2] = ['\u{2060}', '\u{200B}'];

/// Every `@name` and `@name@host`, disarmed or not.
pub fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find('@').map(|at| from + at) {
        let end = start + handle_at(&text[start..]).len();
        from = end.max(start + 1);
        if end > start + 1 {
            found.push(start..end);
        }
    }
    found
}

/// The longest handle that `text`, which starts with `@`, may start with.
fn handle_at(text: &str) -> &str {
    let is_part = |c: char| mastodon::is_word(c) || ".-@".contains(c) || DISARMS.contains(&c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let is_open = |c: char| ".-@".contains(c) || DISARMS.contains(&c);
    let handle = text[..end].trim_end_matches(is_open);
    if handle.is_empty() { &text[..1] } else { handle }
}

/// Disarms every handle of `text` with `joiner`, but those (without `@`) that `is_friend` knows.
/// Tells which.
///
/// Within an address the `@` is written `%40`, which leads to the same place; `/@name` and
/// `=@name` ping nobody and stay.
pub fn disarm(text: &str, joiner: char, is_friend: impl Fn(&str) -> bool) -> (String, Vec<String>) {
    let mut safe = String::with_capacity(text.len() + 8);
    let mut names = Vec::new();
    let mut addresses = addresses(text).into_iter().peekable();
    let mut before = None;
    for (at, c) in text.char_indices() {
        let after = text[at + c.len_utf8()..].chars().next();
        while addresses.next_if(|range| range.end <= at).is_some() {}
        let in_address = addresses.peek().is_some_and(|range| range.contains(&at));
        if !matches!(c, '@' | '＠') || !may_ping(before, after) {
            safe.push(c);
        } else if !in_address {
            safe.push(c);
            if c != '@' || !is_friend(&handle_at(&text[at..])[1..]) {
                safe.push(joiner);
                let name = &text[at + c.len_utf8()..];
                let name = name.find(|c| !mastodon::is_word(c)).map_or(name, |end| &name[..end]);
                names.push(format!("@{name}"));
            }
        } else if c != '@' || matches!(before, Some('/' | '=')) {
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
pub fn may_ping(before: Option<char>, after: Option<char>) -> bool {
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
            let (safe, told) = disarm(text, '\u{2060}', |_| false);
            assert_eq!(safe, expect, "{text}");
            assert_eq!(told, names, "{text}");
            assert!(!pings(&safe), "{text} still pings");
            let twice = disarm(&safe, '\u{200B}', |_| false);
            assert_eq!(twice, (safe.clone(), vec![]), "twice: {text}");
        };
        check("hi @bob!", "hi @\u{2060}bob!", &["@bob"]);
        check("@a @b", "@\u{2060}a @\u{2060}b", &["@a", "@b"]);
        check(".@ann@social.example", ".@\u{2060}ann@social.example", &["@ann"]);
        check("日本@ann ＠ann", "日本@\u{2060}ann ＠\u{2060}ann", &["@ann", "@ann"]);
        check("me@home.example @ 5, @, a @", "me@home.example @ 5, @, a @", &[]);
        check("https://a.io/@ann", "https://a.io/@ann", &[]);
        check("https://a.io/?q=@ann", "https://a.io/?q=@ann", &[]);
        check("https://a.io/x,@ann", "https://a.io/x,%40ann", &[]);
        check("@everyone: x://@b", "@\u{2060}everyone: x://@b", &["@everyone"]);
    }
    #[test]
    fn friends_stay_armed() {
        let is_friend = |handle: &str| handle == "ann@b.io";
        let check = |text: &str, expect: &str| {
            assert_eq!(disarm(text, '\u{200B}', is_friend).0, expect, "{text}");
        };
        check("@ann@b.io, @ann", "@ann@b.io, @\u{200B}ann");
        check("(@ann@b.io).", "(@ann@b.io).");
        check("@ann@b.io.uk @bob@ann@b.io", "@\u{200B}ann@b.io.uk @\u{200B}bob@ann@b.io");
    }
}
