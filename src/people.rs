//! People: who may be mentioned, and under which handle on each platform.
//!
//! The table `[people]` of the config. Nobody else is ever mentioned: a handle in a feed's text is
//! text.

use std::collections::BTreeMap;

use crate::platform::Platform;

/// The people whom the owner mentions, by the name that texts use.
pub type People = BTreeMap<String, Handles>;

/// One person's handles, each as it is typed on the platform, without a leading `@`:
/// `ada@example.social`, `ada.example`.
pub type Handles = BTreeMap<Platform, String>;

/// Reads a handle as it is typed on `platform`, with a leading `@` or without.
///
/// # Errors
/// What is wanted.
pub fn handle(platform: Platform, typed: &str) -> Result<String, &'static str> {
    let handle = typed.strip_prefix('@').unwrap_or(typed);
    let length = handle.chars().count();
    let ascii = |more: &str| handle.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    let (fits, want) = match platform {
        Platform::Mastodon => (
            handle.split_once('@').is_some_and(|(name, host)| is_username(name) && is_domain(host)),
            "want it with its server, for example `@ada@example.social`",
        ),
        Platform::Bluesky => {
            (is_domain(handle), "want a domain name, for example `@ada.bsky.social`")
        }
        Platform::Threads | Platform::Instagram => (
            (1..=30).contains(&length) && ascii("._"),
            "want 1 to 30 of `A-Z a-z 0-9 . _`, for example `@ada.l`",
        ),
        Platform::X => (
            (1..=15).contains(&length) && ascii("_"),
            "want 1 to 15 of `A-Z a-z 0-9 _`, for example `@ada_l`",
        ),
        // letters of any script
        Platform::YouTube => (
            (3..=30).contains(&length)
                && handle.chars().all(|c| c.is_alphanumeric() || "_-.·".contains(c)),
            "want 3 to 30 letters, digits, `_`, `-` or `.`, for example `@ada-l`",
        ),
        Platform::Facebook | Platform::LinkedIn | Platform::Outbox => {
            (false, "nobody can be mentioned there")
        }
    };
    if fits { Ok(handle.into()) } else { Err(want) }
}

/// Mastodon's user names: a dot or hyphen stands only within.
fn is_username(name: &str) -> bool {
    let is_within = |c: char| matches!(c, '.' | '-');
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || is_within(c);
    !name.is_empty() && name.chars().all(fits) && name.trim_matches(is_within) == name
}

/// A domain name of at least two labels; the last does not begin with a digit (RFC 3696), so that
/// an address is none.
fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && label.trim_matches('-') == label
    };
    let is_last = |label: &str| label.starts_with(|c: char| c.is_ascii_alphabetic());
    name.len() <= 253
        && name.split('.').all(is_label)
        && name.rsplit_once('.').is_some_and(|(_, last)| is_last(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Mentions;

    #[test]
    fn handles_are_read_as_their_platform_has_them() {
        let check = |platform, typed: &str, expect: Option<&str>| {
            assert_eq!(handle(platform, typed).ok().as_deref(), expect, "{platform:?} {typed}");
        };
        use Platform::{Bluesky, Instagram, Mastodon, Threads, X, YouTube};
        check(Mastodon, "@ada@example.social", Some("ada@example.social"));
        check(Mastodon, "ada_l.2@xn--bcher-kva.example", Some("ada_l.2@xn--bcher-kva.example"));
        for wrong in ["@ada", "ada@", "@@example.social", "ada@localhost", "ada.@a.example", ""] {
            check(Mastodon, wrong, None);
        }
        check(Mastodon, "https://example.social/@ada", None);
        check(Bluesky, "@ada.example", Some("ada.example"));
        check(Bluesky, "ada-l.bsky.social", Some("ada-l.bsky.social"));
        for wrong in ["ada", "ada.", "-ada.example", "did:plc:abc", "10.0.0.1", "a b.example"] {
            check(Bluesky, wrong, None);
        }
        check(X, "@ada_L", Some("ada_L"));
        check(X, "sixteen_letters_", None);
        check(X, "ada.l", None);
        check(Threads, "ada.l", Some("ada.l"));
        check(Threads, "ada-l", None);
        check(Instagram, &"a".repeat(31), None);
        check(YouTube, "@Ádá-1", Some("Ádá-1"));
        check(YouTube, "ab", None);
        check(YouTube, "ada l", None);
    }

    #[test]
    fn who_can_be_mentioned_is_what_the_platform_says() {
        for platform in Platform::ALL {
            let wanted = handle(platform, "").unwrap_err();
            let is_nobody = platform.rules().mentions == Mentions::None;
            assert_eq!(wanted == "nobody can be mentioned there", is_nobody, "{platform:?}");
        }
    }
}
