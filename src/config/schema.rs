//! Schema: the keys that each table may hold, as data.
//!
//! One list serves the reader (what is unknown), the problems (which right key is nearest, to which
//! platform or table a key belongs) and the test that `config/example.toml` holds them all.

use crate::filter::Field;
use crate::platform::{Links, Mentions, Platform, Rules};

/// Keys of the top of the file.
pub const TOP: &[&str] = &[
    "database",
    "feeds",
    "accounts",
    "defaults",
    "people",
    "delivery",
    "http",
    "media",
    "media_host",
    "log",
    "retention",
];

/// Keys of `[feeds.LABEL]`.
pub const FEED: &[&str] = &[
    "url", "poll", "cron", "timezone", "accounts", "backfill", "max_new", "max_age", "catch_up",
    "active",
];

/// Keys of every `[accounts.LABEL]`, beside the text settings and the platform's credentials.
pub const ACCOUNT: &[&str] = &[
    "platform",
    "feeds",
    "active",
    "dry_run",
    "approve",
    "delay",
    "cooldown",
    "max_per_day",
    "include",
    "exclude",
];

/// Keys of `[accounts.LABEL.include]` and `[accounts.LABEL.exclude]`.
pub const FILTER: [&str; 4] = {
    let [a, b, c, d] = Field::ALL;
    [a.key(), b.key(), c.key(), d.key()]
};

/// Keys of `[defaults]`: the text settings, which an account may hold too.
pub const TEXT: &[&str] = &[
    "syndicate",
    "channel",
    "format_string",
    "truncate",
    "append_url",
    "append_url_if_truncated",
    "append_url_spacer",
    "append_url_label",
    "attach_link",
    "og_title",
    "og_description",
    "og_image",
    "hashtags",
    "append_hashtags",
    "utm",
    "language",
    "visibility",
    "content_warning",
    "reply_control",
    "media",
    "media_max",
    "media_or_card",
    "alt",
];

/// A text setting that not every platform has: its key, who has it, and what to say of the others.
pub type Choice = (&'static str, fn(&Rules) -> bool, &'static str);

/// The text settings that are a mistake in an account of a platform that has not got them, and do
/// nothing there when they stand in `[defaults]`.
pub const CHOICES: &[Choice] = &[
    ("append_url_label", |rules| matches!(rules.links, Links::Facets), "shows no label"),
    ("visibility", |rules| rules.has_visibility, "has no choice of visibility"),
    ("content_warning", |rules| rules.has_content_warning, "has no content warnings"),
    ("reply_control", |rules| rules.has_reply_control, "has no choice of who may reply"),
];

/// Keys of the text setting `hashtags`.
pub const HASHTAGS: &[&str] = &["from", "style", "max", "map", "exclude"];

/// Keys of the text setting `utm`.
pub const UTM: &[&str] = &["source", "medium", "campaign", "term", "content"];

/// Keys of `[delivery]`.
pub const DELIVERY: &[&str] =
    &["retry_base", "retry_max", "give_up_after", "timeout", "connect_timeout"];

/// Keys of `[http]`.
pub const HTTP: &[&str] = &["user_agent", "allow_private"];

/// Keys of `[media]`.
pub const MEDIA: &[&str] = &["cache"];

/// Keys of `[media_host]`.
pub const MEDIA_HOST: &[&str] = &["dir", "base_url"];

/// Keys of `[log]`.
pub const LOG: &[&str] = &["level", "format"];

/// Keys of `[retention]`.
pub const RETENTION: &[&str] = &["bodies", "attempts"];

/// Keys by which an account of `platform` is let in; none where accounts can't be.
pub const fn credentials(platform: Platform) -> &'static [&'static str] {
    match platform {
        Platform::Mastodon => &["base_url", "access_token"],
        Platform::Bluesky => &["identifier", "app_password", "base_url"],
        Platform::Threads => &["access_token", "app_id", "app_secret", "api_version", "base_url"],
        Platform::Instagram => {
            &["access_token", "user_id", "app_id", "app_secret", "api_version", "base_url"]
        }
        Platform::Facebook => &["page_id", "page_access_token", "api_version", "base_url"],
        Platform::Outbox => &["path"],
        Platform::LinkedIn | Platform::X | Platform::YouTube => &[],
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

/// The platforms on which people can be mentioned.
pub fn mentioning() -> Vec<Platform> {
    let mut all = Platform::ALL.to_vec();
    all.retain(|platform| platform.rules().mentions != Mentions::None);
    all
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
    let tables: [(&str, &[&str]); 13] = [
        ("at the top of the file, above the first `[table]`", &["database"]),
        ("in `[delivery]`", DELIVERY),
        ("in `[http]`", HTTP),
        ("in `[media]`", MEDIA),
        ("in `[media_host]`", &["dir"]),
        ("in `[log]`", LOG),
        ("in `[retention]`", RETENTION),
        ("in `[defaults]` or in an account", TEXT),
        ("in a feed", &["poll", "cron", "timezone", "backfill", "max_new", "max_age", "catch_up"]),
        ("in an account", &["platform", "dry_run", "approve", "delay", "cooldown", "max_per_day"]),
        ("in an account", &["include", "exclude"]),
        ("in `hashtags = { … }`", HASHTAGS),
        ("in `utm = { … }`", UTM),
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
    ("filter", "include"),
    ("tags", "hashtags"),
    ("utm_source", "utm"),
    ("utm_medium", "utm"),
    ("utm_campaign", "utm"),
    ("cw", "content_warning"),
    ("spoiler_text", "content_warning"),
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
        holds("accounts", &all("accounts"), ACCOUNT);
        let inner = |tables: &[toml::Table], keys: &[&str]| -> Vec<_> {
            let inner = |table: &toml::Table, key: &&str| table.get(*key)?.as_table().cloned();
            tables
                .iter()
                .flat_map(|table| keys.iter().filter_map(|key| inner(table, key)))
                .collect()
        };
        holds("include", &inner(&all("accounts"), &["include", "exclude"]), &FILTER);
        let defaults = [example["defaults"].as_table().unwrap().clone()];
        holds("hashtags", &inner(&defaults, &["hashtags"]), HASHTAGS);
        holds("utm", &inner(&defaults, &["utm"]), UTM);
        let tags: Vec<_> = mentioning().into_iter().map(Platform::tag).collect();
        holds("people", &all("people"), &tags);
        let sections = [("defaults", TEXT), ("delivery", DELIVERY), ("http", HTTP), ("log", LOG)];
        let more = [("media", MEDIA), ("media_host", MEDIA_HOST), ("retention", RETENTION)];
        for (name, keys) in sections.into_iter().chain(more) {
            holds(name, &[example[name].as_table().unwrap().clone()], keys);
        }
    }
}
