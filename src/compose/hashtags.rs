//! Hashtags: from categories, or from what the entry names, to words that every platform reads as
//! hashtags.
//!
//! **Invariant:** a hashtag made here is letters, digits and `_`, with at least one letter, and
//! none is there twice.

use unicode_normalization::UnicodeNormalization;

use super::tokens::mastodon::is_word;
use crate::entry::Entry;
use crate::platform::Rules;
use crate::settings::{HashtagRules, HashtagSource, HashtagStyle, Settings};

/// The most hashtags of one entry, whatever a feed says.
const MOST: usize = 64;
/// Longer ones are no hashtags on Bluesky (characters).
const LENGTH_MAX: usize = 64;

/// The hashtags of `entry`, without `#`: those that its settings name, else those made of its
/// categories; at most as many as the platform takes.
pub fn of(entry: &Entry, settings: &Settings, rules: &Rules) -> Vec<String> {
    let most = rules.hashtags_max.map_or(MOST, |max| max as usize);
    let by = &settings.hashtag_rules;
    match &settings.hashtags {
        Some(named) => distinct(named.iter().filter_map(|name| hashtag(name, by.style)), most),
        None if by.from == HashtagSource::None => Vec::new(),
        None => {
            let most = by.max.map_or(most, |max| most.min(max as usize));
            distinct(entry.categories.iter().filter_map(|category| of_category(category, by)), most)
        }
    }
}

/// Those of `tags` that `text` does not hold as hashtags.
pub fn missing(tags: &[String], text: &str) -> Vec<String> {
    if !text.contains(['#', '＃']) {
        return tags.to_vec();
    }
    let held: Vec<String> = held(text).map(str::to_lowercase).collect();
    tags.iter().filter(|tag| !held.contains(&tag.to_lowercase())).cloned().collect()
}

/// The hashtags that stand in a text, without `#`.
pub fn held(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(['#', '＃']).filter_map(|(at, hash)| {
        let body = &text[at + hash.len()..];
        let tag = body.find(|c| !is_word(c)).map_or(body, |end| &body[..end]);
        let starts = !text[..at].ends_with(|c: char| is_word(c) || "&/#＃".contains(c));
        (starts && tag.chars().any(char::is_alphabetic)).then_some(tag)
    })
}

/// `#One #Two`
pub fn line(tags: &[String]) -> String {
    tags.iter().map(|tag| format!("#{tag}")).collect::<Vec<_>>().join(" ")
}

fn distinct(tags: impl Iterator<Item = String>, most: usize) -> Vec<String> {
    let mut seen = Vec::new();
    let is_new = |tag: &String| {
        let folded = tag.to_lowercase();
        let is_new = !seen.contains(&folded);
        seen.push(folded);
        is_new
    };
    tags.take(MOST * 4).filter(is_new).take(most).collect()
}

fn of_category(category: &str, rules: &HashtagRules) -> Option<String> {
    let named = |name: &str| name.trim().to_lowercase() == category.trim().to_lowercase();
    if rules.exclude.iter().any(|name| named(name)) {
        return None;
    }
    // what the owner wrote is taken as it is
    match rules.map.iter().find(|(name, _)| named(name)) {
        Some((_, tag)) => hashtag(tag, HashtagStyle::Keep),
        None => hashtag(category, rules.style),
    }
}

/// One hashtag of a category or a name; `None` where too little of it would be left.
///
/// Blanks, hyphens and marks between letters part words; apostrophes vanish within one. Where a
/// mark was a part of the name (`C++`, `F#`) and one letter is all that stays, it would be another
/// name: then there is none.
fn hashtag(name: &str, style: HashtagStyle) -> Option<String> {
    let name: String = name.trim().trim_start_matches(['#', '＃']).nfc().collect();
    let name: String = name.chars().filter(|c| !"'’ʼ".contains(*c)).collect();
    let words: Vec<&str> = name.split(|c| !is_word(c)).filter(|word| !word.is_empty()).collect();
    let tag: String = match (style, words.len()) {
        (HashtagStyle::Lower, _) => words.concat().to_lowercase(),
        // one word stays as it was typed
        (HashtagStyle::Keep, _) | (HashtagStyle::Camel, 0 | 1) => words.concat(),
        (HashtagStyle::Camel, _) => words.iter().map(|word| capitalised(word)).collect(),
    };
    let letters = tag.chars().filter(|c| c.is_alphabetic()).count();
    let lost_marks = name.chars().any(|c| !is_word(c) && !c.is_whitespace() && c != '-');
    let enough = letters >= if lost_marks { 2 } else { 1 };
    // a mark without its letter would not start a hashtag
    let starts = tag.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (enough && starts && tag.chars().nth(LENGTH_MAX).is_none()).then_some(tag)
}

/// The word with a capital letter, unless it has one somewhere (`iOS`).
fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) if !word.contains(char::is_uppercase) => {
            first.to_uppercase().chain(chars).collect()
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;

    #[test]
    fn a_category_becomes_a_word() {
        let check = |category: &str, camel: &str, lower: &str, keep: &str| {
            let styles = [HashtagStyle::Camel, HashtagStyle::Lower, HashtagStyle::Keep];
            let made = styles.map(|style| hashtag(category, style).unwrap_or_default());
            assert_eq!(made, [camel, lower, keep], "{category}");
        };
        check("rust", "rust", "rust", "rust");
        check("open source", "OpenSource", "opensource", "opensource");
        check("Open Source", "OpenSource", "opensource", "OpenSource");
        check("self-hosting  tips", "SelfHostingTips", "selfhostingtips", "selfhostingtips");
        check("iOS dev", "iOSDev", "iosdev", "iOSdev");
        check("#IndieWeb", "IndieWeb", "indieweb", "IndieWeb");
        check("don't panic", "DontPanic", "dontpanic", "dontpanic");
        check("Node.js", "NodeJs", "nodejs", "Nodejs");
        check("R&D", "RD", "rd", "RD");
        check("web 3", "Web3", "web3", "web3");
        check("cafe\u{301}", "café", "café", "café");
        check("हिन्दी", "हिन्दी", "हिन्दी", "हिन्दी");
        check("日本語", "日本語", "日本語", "日本語");
        check("C", "C", "c", "C");
        check("snake_case", "snake_case", "snake_case", "snake_case");
        for none in ["C++", "F#", "2026", "24/7", "", " ", "🎉", "#", "\u{301}a", "_", "-"] {
            check(none, "", "", "");
        }
        check(&"x".repeat(65), "", "", "");
    }

    #[test]
    fn rules_choose_among_categories() {
        let entry = |categories: &[&str]| Entry {
            categories: categories.iter().map(|it| (*it).to_owned()).collect(),
            ..Entry::default()
        };
        let check =
            |platform: Platform, settings: &Settings, categories: &[&str], expect: &[&str]| {
                assert_eq!(
                    of(&entry(categories), settings, &platform.rules()),
                    expect,
                    "{categories:?}"
                );
            };
        let plain = Settings::of_platform(Platform::Mastodon);
        check(
            Platform::Mastodon,
            &plain,
            &["Rust", "rust", "RUST", "open source"],
            &["Rust", "OpenSource"],
        );
        let rules = HashtagRules {
            max: Some(2),
            map: [("C++".into(), "cpp".into()), ("misc".into(), "".into())].into(),
            exclude: vec!["Uncategorized".into()],
            ..HashtagRules::default()
        };
        let ruled = Settings { hashtag_rules: rules, ..plain.clone() };
        check(
            Platform::Mastodon,
            &ruled,
            &["uncategorized", "c++", "Misc", "a b", "more"],
            &["cpp", "AB"],
        );
        let none = HashtagRules { from: HashtagSource::None, ..HashtagRules::default() };
        let none = Settings { hashtag_rules: none, ..plain.clone() };
        check(Platform::Mastodon, &none, &["Rust"], &[]);
        let named = Settings { hashtags: Some(vec!["#One".into(), "two words".into()]), ..none };
        check(Platform::Mastodon, &named, &["Rust"], &["One", "TwoWords"]);
        let empty = Settings { hashtags: Some(vec![]), ..plain.clone() };
        check(Platform::Mastodon, &empty, &["Rust"], &[]);
        // Instagram takes five
        check(
            Platform::Instagram,
            &plain,
            &["a", "b", "c", "d", "e", "f"],
            &["a", "b", "c", "d", "e"],
        );
    }

    #[test]
    fn what_the_text_holds_is_not_said_twice() {
        let check = |text: &str, expect: &[&str]| {
            let tags = ["Rust", "web", "語"].map(str::to_owned);
            assert_eq!(missing(&tags, text), expect, "{text}");
        };
        check("nothing of Rust", &["Rust", "web", "語"]);
        check("on #rust, ＃語", &["web"]);
        check("#rusty a#web &#web; https://a.io/#web #1", &["Rust", "web", "語"]);
        check("(#Web)", &["Rust", "語"]);
    }
}
