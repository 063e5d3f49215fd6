//! Count: how long a text is, in the way of each platform.
//!
//! A content warning counts like the text it hides: `whole`, and `beside` for what is left to the
//! text. **Invariant:** `fits` is the last word about a draft's length; nothing else compares
//! lengths.

use super::tokens::mastodon::{self, Entity};
use crate::platform::{Limits, Platform, Unit};

pub mod graphemes;
pub mod little;
mod weight;

/// The length of `text` in `unit`.
pub fn count(text: &str, unit: Unit) -> usize {
    match unit {
        Unit::Graphemes => graphemes::count(text),
        Unit::CodePoints => text.chars().count(),
        Unit::Bytes => text.len(),
        Unit::LittleText => little::escape(text).encode_utf16().count(),
        Unit::Weighted => weight::weigh(text),
        Unit::Mastodon { url, short_mentions } => {
            count_mastodon(text, url.map(|url| url as usize), short_mentions)
        }
    }
}

/// Mastodon's `StatusLengthValidator`: URLs and the domains of mentions are replaced first, then
/// grapheme clusters are counted.
fn count_mastodon(text: &str, url: Option<usize>, short_mentions: bool) -> usize {
    let mut counted = String::with_capacity(text.len());
    let mut from = 0;
    for entity in mastodon::entities(text) {
        match entity {
            Entity::Url(range) => {
                if let Some(len) = url {
                    counted.push_str(&text[from..range.start]);
                    counted.extend(std::iter::repeat_n('x', len));
                    from = range.end;
                }
            }
            Entity::Mention(_, domain) if short_mentions => {
                counted.push_str(&text[from..domain.start]);
                from = domain.end;
            }
            Entity::Mention(..) => {}
        }
    }
    counted.push_str(&text[from..]);
    graphemes::count(&counted)
}

/// The length of `text` with its content warning, which has no discount for URLs and mentions.
pub fn whole(text: &str, content_warning: Option<&str>, unit: Unit) -> usize {
    count(text, unit) + content_warning.map_or(0, |warning| count(warning, undiscounted(unit)))
}

const fn undiscounted(unit: Unit) -> Unit {
    match unit {
        Unit::Mastodon { .. } => Unit::Graphemes,
        unit => unit,
    }
}

/// Whether `text` is short enough to be posted.
pub fn fits(text: &str, limits: &Limits) -> bool {
    excess(text, limits).is_none()
}

/// By how much `text` is too long: `612 of 500 characters`.
pub fn excess(text: &str, limits: &Limits) -> Option<String> {
    excess_with(text, None, limits)
}

/// By how much `text` and its content warning are too long together.
pub fn excess_with(text: &str, content_warning: Option<&str>, limits: &Limits) -> Option<String> {
    let bytes = text.len() + content_warning.map_or(0, str::len);
    let count = whole(text, content_warning, limits.unit);
    if count > limits.max as usize {
        return Some(format!("{count} of {} {}", limits.max, limits.unit.name()));
    }
    let most = limits.max_bytes.filter(|&max| bytes > max as usize)?;
    Some(format!("{bytes} of {most} bytes"))
}

/// The limits that a content warning leaves to the text that it hides.
pub fn beside(content_warning: Option<&str>, limits: &Limits) -> Limits {
    let Some(warning) = content_warning else { return *limits };
    let less = |max: u32, taken: usize| max.saturating_sub(u32::try_from(taken).unwrap_or(max));
    Limits {
        unit: limits.unit,
        max: less(limits.max, count(warning, undiscounted(limits.unit))),
        max_bytes: limits.max_bytes.map(|max| less(max, warning.len())),
    }
}

/// The limits of a text that is to be shorter than `refused`, which fits by our count and was too
/// long for the platform: four fifths of that, in its unit and in bytes.
pub fn below(refused: &str, limits: &Limits) -> Limits {
    let less = |length: usize, max: u32| {
        let length = u32::try_from(length).unwrap_or(max).min(max);
        length - length.div_ceil(5)
    };
    let bytes = less(refused.len(), limits.max_bytes.unwrap_or(u32::MAX));
    let max = less(count(refused, limits.unit), limits.max);
    Limits { unit: limits.unit, max, max_bytes: Some(bytes) }
}

/// Characters that a platform refuses wherever they stand: they must be replaced before a text is
/// counted. X has no use for three that mean nothing, YouTube for angle brackets.
pub const fn refused(platform: Platform) -> &'static [char] {
    match platform {
        Platform::X => &['\u{FFFE}', '\u{FEFF}', '\u{FFFF}'],
        Platform::YouTube => &['<', '>'],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;

    #[test]
    fn what_was_refused_is_cut_by_a_fifth_however_it_is_counted() {
        let check = |refused: &str, limits: Limits, max: u32, bytes: u32| {
            let expect = Limits { unit: limits.unit, max, max_bytes: Some(bytes) };
            assert_eq!(below(refused, &limits), expect, "{refused}");
        };
        check(&"a".repeat(500), Platform::Threads.limits(), 400, 400);
        check(&"a".repeat(3), Platform::Threads.limits(), 2, 2);
        check(&"é".repeat(2200), Platform::Instagram.limits(), 1760, 3520);
        check(&"é".repeat(100), Platform::Instagram.limits(), 80, 160);
        check(&"a".repeat(3000), Platform::Bluesky.limits(), 240, 2400);
        check("", Platform::Threads.limits(), 0, 0);
    }

    #[test]
    fn mastodon_counts_as_its_validator_does() {
        let check = |text: &str, warning: &str, expect| {
            let limits = Platform::Mastodon.limits();
            let warning = Some(warning).filter(|warning| !warning.is_empty());
            assert_eq!(whole(text, warning, limits.unit), expect, "{text} [{warning:?}]");
            assert_eq!(
                excess_with(text, warning, &limits).is_none(),
                fits(text, &beside(warning, &limits)),
                "{text} [{warning:?}]"
            );
        };
        check("https://a.io", "", 23);
        check(
            "Orlando, I love you 🎶 https://justin.searls.co/shots/2024-10-28-09h56m20s/",
            "",
            45,
        );
        check("Read example.com/post now", "", 25);
        check("xhttps://example.com/post", "", 25);
        check("(https://example.com/a)", "", 25);
        check("See https://example.com/a.", "", 28);
        check("https://example.com/posts/1…", "", 23);
        check("https://example.com…", "", 24);
        check("http://localhost:3000/some/long/path/here", "", 41);
        check("thanks @bob@social.example & @carol", "", 20);
        check("@screen_name@", "", 13);
        check("https://example.com/@bob@social.example", "", 23);
        check("https://example.com/p/1", "CW: spoilers", 35);
        check("hi", "see https://example.com/long/path", 35);
        check("👨‍👩‍👧‍👦", "", 1);
        check("🇫🇷🏳️‍⚧️", "", 2);
        check("cafe\u{301}", "", 4);
        check(&format!("{} https://e.co", "x".repeat(476)), "", 500);
        check(&format!("{} https://e.co", "x".repeat(477)), "", 501);
        check("日本語https://example.com/p/1", "", 26);
        check("日本語https://example.com/posts/2025", "", 26);
        check("a\r\nb", "", 3);
        check(&"🏳️‍⚧️".repeat(100), "", 100);
    }

    #[test]
    fn bluesky_counts_graphemes_and_bytes() {
        let check = |text: &str, graphemes, bytes| {
            assert_eq!((count(text, Unit::Graphemes), text.len()), (graphemes, bytes), "{text}");
        };
        check("Read https://example.com/a, then rest", 37, 37);
        check("(see https://en.wikipedia.org/wiki/Foo_(bar))", 45, 45);
        check("“https://example.com/a” <https://b.example>", 43, 47);
        check("foo https://example.com/a…", 26, 28);
        check("é https://example.com/é #café ✅", 31, 36);
        check("👨‍👩‍👧‍👧 #tag @alice.bsky.social", 25, 49);
        check("(#tag) #ok_ ＃full", 17, 19);
        check("日本語 https://例え.jp/x #日本語。", 25, 43);
        check("Two words: POSSE Party usher.dev/…", 34, 36);
        check("a\r\nb", 3, 4);
        check("नमस्ते", 3, 18);
        let limits = Platform::Bluesky.limits();
        let family = "👨‍👩‍👧‍👦";
        check(&family.repeat(120), 120, 3000);
        assert!(fits(&family.repeat(120), &limits));
        assert_eq!(excess(&family.repeat(121), &limits).unwrap(), "3025 of 3000 bytes");
        assert_eq!(excess(&"x".repeat(301), &limits).unwrap(), "301 of 300 graphemes");
    }

    #[test]
    fn a_warning_leaves_the_rest_to_the_text() {
        let check = |text: &str, warning: &str, limits: Limits, expect: Option<&str>| {
            assert_eq!(excess_with(text, Some(warning), &limits).as_deref(), expect, "{text}");
            assert_eq!(fits(text, &beside(Some(warning), &limits)), expect.is_none(), "{text}");
        };
        let gotosocial = Limits::of(Unit::CodePoints, 10);
        check("e\u{301}4567", "e\u{301}23", gotosocial, None);
        check("e\u{301}4567", "e\u{301}234", gotosocial, Some("11 of 10 characters"));
        let url = "https://example.com/a/long/path";
        let mastodon = Limits { max: 54, ..Platform::Mastodon.limits() };
        check(url, url, mastodon, None);
        check(url, &format!("{url}!"), mastodon, Some("55 of 54 characters"));
        check("x", &"y".repeat(60), mastodon, Some("61 of 54 characters"));
        let bytes = Limits { unit: Unit::Graphemes, max: 9, max_bytes: Some(8) };
        check("éé", "éé", bytes, None);
        check("éé", "ééé", bytes, Some("10 of 8 bytes"));
    }

    #[test]
    fn every_platform_counts_in_its_unit() {
        let check = |platform: Platform, text: &str, expect| {
            assert_eq!(count(text, platform.limits().unit), expect, "{platform:?}: {text}");
        };
        check(Platform::Threads, "it’s 🎶", 4 + 3 + 1 + 3);
        check(Platform::YouTube, "it’s 🎶", 4 + 3 + 1 + 3);
        check(Platform::Instagram, "it’s 👍🏽", 7);
        check(Platform::Facebook, "it’s 👍🏽", 7);
        check(Platform::LinkedIn, "it’s 👍🏽 (x_y)", 5 + 4 + 1 + 8);
        check(Platform::LinkedIn, "#Word", 17);
        check(Platform::LinkedIn, "https://a.io/x_(y)", 16 + 6);
        check(Platform::X, "it’s 👍🏽 https://a.io", 5 + 2 + 1 + 23);
        check(Platform::Outbox, "it’s 👍🏽", 6);
        let threads = Platform::Threads.limits();
        assert_eq!(excess(&"’".repeat(167), &threads).unwrap(), "501 of 500 bytes");
        let x = Platform::X.limits();
        assert_eq!(excess(&"語".repeat(141), &x).unwrap(), "282 of 280 weighted characters");
    }

    #[test]
    fn other_servers_count_everything_in_full() {
        let text = "@bob@social.example https://example.com/a 👨‍👩‍👧‍👦";
        let check = |unit, expect| assert_eq!(count(text, unit), expect, "{unit:?}");
        check(Unit::Graphemes, 43);
        check(Unit::CodePoints, 49);
        check(Unit::Mastodon { url: None, short_mentions: false }, 43);
        check(Unit::Mastodon { url: Some(23), short_mentions: true }, 4 + 1 + 23 + 2);
        check(Unit::Mastodon { url: Some(25), short_mentions: false }, 19 + 1 + 25 + 2);
    }
}
