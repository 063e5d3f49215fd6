//! Mentions: the people whom the owner knows are mentioned, everybody else is left in peace.
//!
//! A name of `[people]` becomes the handle that the person has on this platform; a handle that she
//! has elsewhere becomes the one that she has here. Every other handle is a stranger's, and is
//! disarmed where the platform would make a mention of it.
//! **Invariant:** nobody is pinged who is not in `[people]`.

use std::ops::Range;

use super::tokens::{self, handles};
use crate::people::People;
use crate::platform::{Mentions, Platform};

/// A text whose mentions are settled.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Mentioned {
    /// The text.
    pub text: String,
    /// Handles (without `@`) that are to be mentioned and that the text does not hold.
    pub missing: Vec<String>,
    /// What was done, for people.
    pub notes: Vec<String>,
}

/// Somebody who may be mentioned here.
struct Friend<'a> {
    name: &'a str,
    here: &'a str,
    elsewhere: Vec<&'a str>,
    /// Whether the post is to mention her whether it names her or not.
    is_wanted: bool,
}

/// Settles the mentions of `text`. `wanted`: whom to mention; absent: those whom the text names.
pub fn settle(
    text: String,
    people: &People,
    wanted: Option<&[String]>,
    platform: Platform,
) -> Mentioned {
    let mentions = platform.rules().mentions;
    if mentions == Mentions::None {
        return Mentioned { text, ..Mentioned::default() };
    }
    let mut mentioned = Mentioned { text, ..Mentioned::default() };
    let friends = friends(people, wanted, platform, &mut mentioned.notes);
    if !friends.is_empty() {
        mentioned.bring_here(&friends);
        mentioned.name(&friends);
    }
    if let Mentions::Plain { disarm } = mentions {
        let is_friend = |handle: &str| friends.iter().any(|it| same(it.here, handle));
        let (safe, names) = handles::disarm(&mentioned.text, disarm, is_friend);
        mentioned.text = safe;
        let note = |name: &String| format!("`{name}` is shown, but pings nobody");
        mentioned.notes.extend(names.iter().map(note));
    }
    mentioned
}

/// `text`, which stands beside the post's own text, such that it pings nobody.
pub fn unarmed(text: String, platform: Platform) -> String {
    match platform.rules().mentions {
        Mentions::Plain { disarm } => handles::disarm(&text, disarm, |_| false).0,
        Mentions::Facets | Mentions::None => text,
    }
}

/// The handles on `platform` (without `@`) of those who may be mentioned.
pub fn handles<'a>(
    people: &'a People,
    wanted: Option<&[String]>,
    platform: Platform,
) -> Vec<&'a str> {
    let friends = friends(people, wanted, platform, &mut Vec::new());
    friends.into_iter().map(|friend| friend.here).collect()
}

/// Where `handle` (without `@`) stands in `text`, with its `@`.
pub fn of<'t>(text: &'t str, handle: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
    found(text).filter(move |range| same(&text[range.start + 1..range.end], handle))
}

/// Who may be mentioned here, longest name first: `Ada Lovelace` before `Ada`.
fn friends<'a>(
    people: &'a People,
    wanted: Option<&[String]>,
    platform: Platform,
    notes: &mut Vec<String>,
) -> Vec<Friend<'a>> {
    let is_wanted = |name: &str| wanted.is_some_and(|list| list.iter().any(|it| same(it, name)));
    for name in wanted.unwrap_or_default() {
        match people.iter().find(|(known, _)| same(known, name)) {
            None => notes.push(format!("`{name}` is not mentioned: no such name in [people]")),
            Some((_, handles)) if !handles.contains_key(&platform) => notes.push(format!(
                "`{name}` is not mentioned: no {} handle in [people]",
                platform.tag()
            )),
            Some(_) => {}
        }
    }
    let mut friends: Vec<Friend<'_>> = people
        .iter()
        .filter(|(name, _)| wanted.is_none() || is_wanted(name))
        .filter_map(|(name, handles)| {
            let here = handles.get(&platform)?.trim_start_matches('@');
            let elsewhere = handles.iter().filter(|(other, _)| **other != platform);
            let elsewhere = elsewhere.map(|(_, handle)| handle.trim_start_matches('@')).collect();
            Some(Friend { name, here, elsewhere, is_wanted: is_wanted(name) })
        })
        .collect();
    friends.sort_by_key(|friend| std::cmp::Reverse(friend.name.len()));
    friends
}

impl Mentioned {
    /// Writes handles of other platforms as those of this one.
    fn bring_here(&mut self, friends: &[Friend<'_>]) {
        let text = std::mem::take(&mut self.text);
        let mut from = 0;
        for range in found(&text) {
            let handle = &text[range.start + 1..range.end];
            let is_here = |friend: &Friend<'_>| same(friend.here, handle);
            let is_theirs =
                |friend: &&Friend<'_>| friend.elsewhere.iter().any(|it| same(it, handle));
            if friends.iter().any(is_here) {
                continue;
            }
            let Some(friend) = friends.iter().find(is_theirs) else { continue };
            self.text.push_str(&text[from..range.start]);
            self.text.push('@');
            self.text.push_str(friend.here);
            from = range.end;
            self.notes.push(format!("`@{handle}` is mentioned as `@{}`", friend.here));
        }
        self.text.push_str(&text[from..]);
    }

    /// Writes the handle of each friend instead of her name, where it stands first.
    fn name(&mut self, friends: &[Friend<'_>]) {
        for (nth, friend) in friends.iter().enumerate() {
            let longer = friends[..nth].iter().map(|longer| longer.name);
            if of(&self.text, friend.here).next().is_some() {
                continue;
            }
            match first_name(&self.text, friend.name, longer) {
                Some(range) => {
                    self.text.replace_range(range, &format!("@{}", friend.here));
                    let (name, here) = (friend.name, friend.here);
                    self.notes.push(format!("`{name}` is mentioned as `@{here}`"));
                }
                None if friend.is_wanted => self.missing.push(friend.here.to_owned()),
                None => {}
            }
        }
    }
}

/// The handles of `text` that a server could read as mentions.
fn found(text: &str) -> impl Iterator<Item = Range<usize>> {
    let addresses = if text.contains('@') { tokens::addresses(text) } else { Vec::new() };
    handles::find(text).into_iter().filter(move |range| {
        let before = text[..range.start].chars().next_back();
        let after = text[range.start + 1..].chars().next();
        handles::may_ping(before, after)
            && !addresses.iter().any(|address| address.contains(&range.start))
    })
}

/// The first place where `name` stands as words of its own, outside of links, hashtags, handles and
/// `longer` names, and where a handle would be read as one.
fn first_name<'n>(
    text: &str,
    name: &str,
    longer: impl Iterator<Item = &'n str>,
) -> Option<Range<usize>> {
    if name.is_empty() || !text.contains(name) {
        return None;
    }
    let mut taken: Vec<Range<usize>> = tokens::find(text).into_iter().map(|it| it.range).collect();
    for longer in longer.filter(|longer| longer.contains(name)) {
        taken.extend(text.match_indices(longer).map(|(at, _)| at..at + longer.len()));
    }
    let inside = |at: usize| taken.iter().any(|range| range.contains(&at));
    text.match_indices(name).map(|(at, _)| at..at + name.len()).find(|range| {
        let before = text[..range.start].chars().next_back();
        let mut after = text[range.end..].chars();
        let (next, second) = (after.next(), after.next());
        let is_word = |c: Option<char>| c.is_some_and(tokens::mastodon::is_word);
        let is_glued = is_word(before)
            || before.is_some_and(|c| "/=@#$%&*!".contains(c))
            || is_word(next)
            || next == Some('@')
            // `example.social-inspired` would be another host
            || next.is_some_and(|c| ".-".contains(c)) && is_word(second);
        !is_glued && !inside(range.start)
    })
}

/// Handles and names are the same whatever their case.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.to_lowercase() == other.to_lowercase() || one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> People {
        let of = |handles: &[(Platform, &str)]| {
            handles.iter().map(|(platform, handle)| (*platform, (*handle).to_owned())).collect()
        };
        let ada = [
            (Platform::Mastodon, "ada@example.social"),
            (Platform::Bluesky, "ada.example"),
            (Platform::X, "adal"),
        ];
        [
            ("Ada Lovelace".to_owned(), of(&ada)),
            ("Ada".to_owned(), of(&[(Platform::Mastodon, "other@example.social")])),
            ("Bob".to_owned(), of(&[(Platform::Bluesky, "bob.example")])),
        ]
        .into()
    }

    #[track_caller]
    fn check(platform: Platform, text: &str, expect: &str) {
        let settled = settle(text.into(), &people(), None, platform);
        assert_eq!(settled.text, expect, "{platform:?}: {text}");
        assert!(settled.missing.is_empty());
    }

    #[test]
    fn a_known_name_becomes_a_handle() {
        use Platform::{Bluesky, Facebook, Mastodon, X};
        let text = "With Ada Lovelace. Ada Lovelace's friend";
        check(Mastodon, text, "With @ada@example.social. Ada Lovelace's friend");
        check(Bluesky, text, "With @ada.example. Ada Lovelace's friend");
        check(X, text, "With @adal. Ada Lovelace's friend");
        check(Facebook, text, text);
        check(Mastodon, "(Ada)", "(@other@example.social)");
        check(Mastodon, "Ada, and Ada Lovelace", "@other@example.social, and @ada@example.social");
        check(Bluesky, "by Ada Lovelace’s hand", "by @ada.example’s hand");
        // no words of their own
        for text in
            ["Adams", "#Ada", "Ada-like", "Ada.com", "https://a.io/Ada", "x/Ada", "ADA", "Bob"]
        {
            check(Mastodon, text, text);
        }
    }

    #[test]
    fn a_known_handle_is_the_one_of_this_platform() {
        use Platform::{Bluesky, LinkedIn, Mastodon, X};
        let joined = "@\u{2060}bob.example and @ada@example.social";
        check(Mastodon, "@bob.example and @ada.example", joined);
        check(Bluesky, "Bob and @Ada@Example.Social!", "@bob.example and @ada.example!");
        check(Bluesky, "@ada.example, alias Ada Lovelace", "@ada.example, alias Ada Lovelace");
        check(X, "@ada@example.social @bob", "@adal @\u{200B}bob");
        check(
            X,
            "me@ada@example.social https://x.io/@ada.example",
            "me@ada@example.social https://x.io/@ada.example",
        );
        check(LinkedIn, "@ada.example", "@ada.example");
    }

    #[test]
    fn the_entry_chooses_whom_to_mention() {
        let check =
            |wanted: &[&str], text: &str, expect: &str, missing: &[&str], notes: &[&str]| {
                let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
                let settled = settle(text.into(), &people(), Some(&wanted), Platform::Mastodon);
                assert_eq!(settled.text, expect, "{wanted:?}: {text}");
                assert_eq!(settled.missing, missing, "{wanted:?}: {text}");
                assert_eq!(settled.notes, notes, "{wanted:?}: {text}");
            };
        check(&[], "Ada Lovelace", "Ada Lovelace", &[], &[]);
        check(
            &[],
            "@ada@example.social",
            "@\u{2060}ada@example.social",
            &[],
            &["`@ada` is shown, but pings nobody"],
        );
        check(&["ada lovelace"], "Hello", "Hello", &["ada@example.social"], &[]);
        check(
            &["Ada"],
            "Ada Lovelace",
            "@other@example.social Lovelace",
            &[],
            &["`Ada` is mentioned as `@other@example.social`"],
        );
        check(
            &["Bob", "Eve"],
            "Hi",
            "Hi",
            &[],
            &[
                "`Bob` is not mentioned: no mastodon handle in [people]",
                "`Eve` is not mentioned: no such name in [people]",
            ],
        );
    }
}
