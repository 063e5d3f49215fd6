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
        _ => &["path"],
    }
}

/// The keys of an account of `platform`, or of any platform where it is not known.
pub fn account(platform: Option<Platform>) -> Vec<&'static str> {
    let mut keys: Vec<_> = [ACCOUNT, TEXT].concat();
    for candidate in Platform::PUBLISHED {
        if platform.is_none_or(|platform| platform == candidate) {
            let more = credentials(candidate).iter().filter(|key| !keys.contains(key));
            keys.extend(more.copied().collect::<Vec<_>>());
        }
    }
    keys
}

/// The platforms whose credentials have `key`.
pub fn platforms_with(key: &str) -> Vec<Platform> {
    Platform::PUBLISHED
        .into_iter()
        .filter(|platform| credentials(*platform).contains(&key))
        .collect()
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

/// Words that other programs use for our keys.
const SYNONYMS: &[(&str, &str)] = &[
    ("handle", "identifier"),
    ("username", "identifier"),
    ("user", "identifier"),
    ("token", "access_token"),
    ("password", "app_password"),
    ("instance", "base_url"),
    ("server", "base_url"),
    ("file", "path"),
    ("interval", "poll"),
    ("schedule", "cron"),
    ("type", "platform"),
    ("enabled", "active"),
    ("template", "format_string"),
    ("format", "format_string"),
];

/// The key of `known` that was most likely meant by `typed`.
pub fn meant<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let synonym = SYNONYMS.iter().filter(|(word, _)| *word == typed);
    let mut synonyms = synonym.filter_map(|(_, key)| known.iter().find(|known| *known == key));
    synonyms.next().copied().or_else(|| nearest(typed, known.iter().copied()))
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
            ("frequency", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, FEED.iter().copied()), expect, "{typed}");
        }
        assert_eq!(nearest("acces_tokn", ["access_token"]), Some("access_token"));
        assert_eq!(meant("interval", FEED), Some("poll"));
        assert_eq!(meant("interval", LOG), None);
    }

    #[test]
    fn a_list_reads_as_a_sentence() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }

    /// `config/example.toml` with every key that is commented out taken in.
    fn example() -> toml::Table {
        let lines = include_str!("../../config/example.toml").lines().map(|line| {
            let key = line.strip_prefix('#').unwrap_or(line);
            if key.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()) { key } else { line }
        });
        lines.collect::<Vec<_>>().join("\n").parse().unwrap()
    }

    /// The words of `keys` that are not in `text` in backticks.
    fn unsaid<'a>(text: &str, keys: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        keys.into_iter().filter(|key| !text.contains(&format!("`{key}`"))).collect()
    }

    #[test]
    fn the_example_and_the_documentation_hold_every_key() {
        let example = example();
        let docs = include_str!("../../docs/configuration.md");
        let all = |of: &str| {
            let tables = example[of].as_table().unwrap().values();
            tables.filter_map(|table| table.as_table()).cloned().collect::<Vec<_>>()
        };
        let holds = |name: &str, tables: &[toml::Table], keys: &[&str]| {
            for key in keys {
                let found = tables.iter().any(|table| table.contains_key(*key));
                assert!(found, "`{name}.{key}` is not in config/example.toml");
            }
            assert_eq!(unsaid(docs, keys.iter().copied()), [""; 0], "not in docs/configuration.md");
        };
        holds("", std::slice::from_ref(&example), TOP);
        holds("feeds", &all("feeds"), FEED);
        for platform in Platform::PUBLISHED {
            let mut accounts = all("accounts");
            accounts.retain(|account| account["platform"].as_str() == Some(platform.tag()));
            holds(platform.tag(), &accounts, credentials(platform));
        }
        holds("accounts", &all("accounts"), &[ACCOUNT, TEXT].concat());
        let sections = [("defaults", TEXT), ("delivery", DELIVERY), ("http", HTTP), ("log", LOG)];
        for (name, keys) in sections.into_iter().chain([("retention", RETENTION)]) {
            holds(name, &[example[name].as_table().unwrap().clone()], keys);
        }
    }
}
