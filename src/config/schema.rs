//! Schema: the keys that each table may hold, as data.
//!
//! One list serves the reader (what is unknown), the problems (which right key is nearest, to which
//! platform or table a key belongs) and the test that `config/example.toml` holds them all.

use crate::platform::Platform;

/// Keys of the top of the file.
pub const TOP: &[&str] =
    &["database", "feeds", "accounts", "defaults", "delivery", "http", "log", "retention"];

/// Keys of `[feeds.LABEL]`.
pub const FEED: &[&str] = &[
    "url", "poll", "cron", "timezone", "accounts", "backfill", "max_new", "max_age", "catch_up",
    "active",
];

/// Keys of every `[accounts.LABEL]`, beside the text settings and the platform's credentials.
pub const ACCOUNT: &[&str] =
    &["platform", "feeds", "active", "dry_run", "approve", "delay", "cooldown", "max_per_day"];

/// Keys of `[defaults]`: the text settings, which an account may hold too.
pub const TEXT: &[&str] = &[
    "format_string",
    "append_url",
    "append_url_spacer",
    "truncate",
    "attach_link",
    "language",
    "visibility",
];

/// Keys of `[delivery]`.
pub const DELIVERY: &[&str] =
    &["retry_base", "retry_max", "give_up_after", "timeout", "connect_timeout"];

/// Keys of `[http]`.
pub const HTTP: &[&str] = &["user_agent", "allow_private"];

/// Keys of `[log]`.
pub const LOG: &[&str] = &["level", "format"];

/// Keys of `[retention]`.
pub const RETENTION: &[&str] = &["bodies", "attempts"];

/// Keys by which an account of `platform` is let in.
pub const fn credentials(platform: Platform) -> &'static [&'static str] {
    match platform {
        Platform::Mastodon => &["base_url", "access_token"],
        Platform::Bluesky => &["identifier", "app_password", "base_url"],
        Platform::Outbox => &["path"],
    }
}

/// The keys of an account of `platform`, or of any platform where it is not known.
pub fn account(platform: Option<Platform>) -> Vec<&'static str> {
    let mut keys: Vec<_> = [ACCOUNT, TEXT].concat();
    for candidate in Platform::ALL {
        if platform.is_none_or(|platform| platform == candidate) {
            keys.extend(credentials(candidate));
        }
    }
    keys
}

/// The platforms whose credentials have `key`.
pub fn platforms_with(key: &str) -> Vec<Platform> {
    Platform::ALL.into_iter().filter(|platform| credentials(*platform).contains(&key)).collect()
}

/// The table in which `key` would be right, as it is written in the file.
pub fn home_of(key: &str) -> Option<&'static str> {
    let tables: [(&str, &[&str]); 8] = [
        ("at the top of the file, above the first `[table]`", &["database"]),
        ("in `[delivery]`", DELIVERY),
        ("in `[http]`", HTTP),
        ("in `[log]`", LOG),
        ("in `[retention]`", RETENTION),
        ("in `[defaults]` or in an account", TEXT),
        ("in a feed", &["poll", "cron", "timezone", "backfill", "max_new", "max_age", "catch_up"]),
        ("in an account", &["platform", "dry_run", "approve", "delay", "cooldown", "max_per_day"]),
    ];
    tables.into_iter().find(|(_, keys)| keys.contains(&key)).map(|(home, _)| home)
}

/// The word that was most likely meant by `typed`, where one is near enough.
pub fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase().replace('-', "_");
    words
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&typed, &word.to_lowercase()), word))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, word)| *distance <= 1 + word.len() / 5)
        .map(|(_, word)| word)
}

/// The words as a list for people: `` `a`, `b` or `c` ``.
pub fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".into(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near_and_the_far_one_is_not_guessed() {
        for (typed, expect) in [
            ("pol", Some("poll")),
            ("max-new", Some("max_new")),
            ("Url", Some("url")),
            ("catchup", Some("catch_up")),
            ("interval", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, FEED.iter().copied()), expect, "{typed}");
        }
        assert_eq!(nearest("acces_tokn", ["access_token"]), Some("access_token"));
    }

    #[test]
    fn a_list_reads_as_a_sentence() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
