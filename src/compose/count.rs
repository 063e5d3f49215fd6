//! Count: how long a text is, in the way of each platform.
//!
//! **Invariant:** `fits` is the last word about a draft's length; nothing else compares lengths.

use unicode_segmentation::UnicodeSegmentation;

use super::tokens::mastodon::{self, Entity};
use crate::platform::{Limits, Unit};

/// The length of `text` in `unit`.
pub fn count(text: &str, unit: Unit) -> usize {
    match unit {
        Unit::Graphemes => text.graphemes(true).count(),
        Unit::CodePoints => text.chars().count(),
        Unit::Bytes => text.len(),
        Unit::LittleText | Unit::Weighted => text.encode_utf16().count(),
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
    counted.graphemes(true).count()
}

/// Whether `text` may be posted.
pub fn fits(text: &str, limits: &Limits) -> bool {
    excess(text, limits).is_none()
}

/// By how much `text` is too long: `612 of 500 characters`.
pub fn excess(text: &str, limits: &Limits) -> Option<String> {
    let count = count(text, limits.unit);
    if count > limits.max as usize {
        return Some(format!("{count} of {} characters", limits.max));
    }
    let bytes = limits.max_bytes.filter(|&max| text.len() > max as usize)?;
    Some(format!("{} of {bytes} bytes", text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;

    #[test]
    fn mastodon_counts_as_its_validator_does() {
        let check = |text: &str, warning: &str, expect| {
            // a content warning gets no discount
            let count = count(text, Platform::Mastodon.limits().unit)
                + super::count(warning, Unit::Graphemes);
            assert_eq!(count, expect, "{text} [{warning}]");
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
        assert_eq!(excess(&"x".repeat(301), &limits).unwrap(), "301 of 300 characters");
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
