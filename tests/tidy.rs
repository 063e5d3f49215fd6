//! Tidy: the house rules that a compiler can't know, checked over the text of the sources.
//!
//! The tables come first; to change a rule is to change a row. Comments, strings and test modules
//! are blanked before the rules look, so that a word in a sentence offends nobody. Every offence is
//! named with its file and line, all of them in one run.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The first level of `src`, by layer. Each may use what stands in an earlier row.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "vocabulary",
        &[
            "clock",
            "crosspost",
            "draft",
            "entry",
            "filter",
            "names",
            "orders",
            "people",
            "platform",
            "pulse",
            "settings",
            "text",
            "token",
            "wake",
            "zone",
        ],
    ),
    ("edges", &["config", "environment", "http", "redact", "shelf", "store"]),
    ("stages", &["compose", "feed", "media", "publish"]),
    ("pipelines", &["care", "deliver", "poll", "report"]),
    ("shell", &["app", "cli", "logging", "schedule", "signals", "systemd"]),
];

/// Layers whose modules never use each other; and what a layer must not use although it is earlier.
const STRANGERS: &[&str] = &["stages"];
const FORBIDDEN: &[(&str, &str)] = &[("stages", "store")];

/// Crates that belong to a few files: a name ending in `/` means a folder.
const CRATES: &[(&str, &[&str])] = &[
    ("aho_corasick", &["redact.rs"]),
    ("anstream", &["cli.rs", "cli/", "main.rs"]),
    ("anstyle", &["cli.rs", "cli/", "main.rs"]),
    ("brotli_decompressor", &["http.rs", "http/"]),
    ("clap", &["cli.rs", "cli/", "main.rs"]),
    ("comfy_table", &["cli.rs", "cli/"]),
    ("croner", &["config.rs", "config/", "feed/cadence.rs"]),
    ("encoding_rs", &["feed.rs", "feed/", "http.rs", "http/"]),
    ("fast_image_resize", &["media.rs", "media/"]),
    ("mp4_atom", &["media/video/"]),
    ("feed_rs", &["feed/parse.rs", "feed/parse/"]),
    ("flate2", &["http.rs", "http/"]),
    ("html5ever", &["feed/", "compose/", "publish/mastodon/", "text.rs", "text/"]),
    ("iana_time_zone", &["config/", "environment.rs"]),
    ("inotify", &["app/bells.rs"]),
    ("ipnet", &["config.rs", "config/", "http.rs", "http/"]),
    ("jiff", &["zone.rs"]),
    ("jsonc_parser", &["feed/extension/json.rs"]),
    ("linkify", &["compose.rs", "compose/", "text.rs", "text/"]),
    ("minijinja", &["compose.rs", "compose/", "config/"]),
    ("regex", &["filter.rs"]),
    ("quick_xml", &["feed/parse.rs", "feed/parse/", "feed/extension.rs"]),
    (
        "reqwest",
        &[
            "feed/fetch.rs",
            "feed/fetch/",
            "http.rs",
            "http/",
            "media/fetch.rs",
            "publish.rs",
            "publish/",
        ],
    ),
    ("rusqlite", &["store.rs", "store/"]),
    ("rustix", &["cli/login/"]),
    ("rustls", &["http.rs", "http/"]),
    ("ruzstd", &["http.rs", "http/"]),
    ("sd_notify", &["systemd.rs"]),
    ("secrecy", &["config/secret.rs"]),
    ("signal_hook", &["signals.rs"]),
    ("signal_hook_tokio", &["signals.rs"]),
    ("tokio_cron_scheduler", &["schedule.rs"]),
    ("toml", &["config.rs", "config/"]),
    ("tracing_subscriber", &["config/value.rs", "logging.rs", "logging/"]),
];

/// The crate `config` shares its name with our module: only its users write `::config`.
const CONFIG_CRATE: &[&str] = &["config/raw.rs", "config/raw/"];

/// Files that only compute: no `async`, no clock, no store, no network.
const PURE: &[&str] = &[
    "compose.rs",
    "compose/",
    "crosspost.rs",
    "draft.rs",
    "entry.rs",
    "filter.rs",
    "feed/cadence.rs",
    "feed/diff.rs",
    "media.rs",
    "media/",
    "names.rs",
    "people.rs",
    "platform.rs",
    "publish/backoff.rs",
    "settings.rs",
    "text.rs",
    "text/",
    "token.rs",
    "zone.rs",
];
const IMPURE_WORDS: &[&str] = &["async", "await", "Clock", "rusqlite", "reqwest", "tokio"];

/// What the platforms share; every other file of `publish/` is one platform, and names no other.
const PUBLISH_SHARED: &[&str] = &["backoff", "classify", "meta", "words"];

/// Words that say nothing.
const EMPTY_NAMES: &[&str] =
    &["common", "helper", "helpers", "manager", "misc", "models", "service", "util", "utils"];

/// Lines of a file, tests apart. House style: aim at 120.
const LINES_MAX: usize = 400;

// ------------------------------------------------------------------------------------------------

#[test]
fn modules_use_only_what_stands_before_them() {
    let mut offences = Vec::new();
    for source in sources() {
        let Some(module) = source.module() else { continue };
        if layer(&module).is_none() {
            offences.push(source.offence(1, "has no layer; give it one in tests/tidy.rs"));
            continue;
        }
        for (line, used) in source.uses() {
            if let Some(why) = forbidden(&module, &used) {
                offences.push(source.offence(line, &why));
            }
        }
    }
    report(&offences);
}

/// Why `user` must not name `used`, both modules of the first level.
fn forbidden(user: &str, used: &str) -> Option<String> {
    let (Some(mine), Some(other)) = (layer(user), layer(used)) else {
        let stranger = if layer(user).is_none() { user } else { used };
        return Some(format!("`{stranger}` has no layer; give it one in tests/tidy.rs"));
    };
    let (mine_name, other_name) = (LAYERS[mine].0, LAYERS[other].0);
    if user == used {
        None
    } else if other > mine {
        Some(format!("`{user}` ({mine_name}) must not use `{used}` ({other_name})"))
    } else if other == mine && STRANGERS.contains(&mine_name) {
        Some(format!("{mine_name} must not use each other, as `{user}` uses `{used}`"))
    } else if FORBIDDEN.contains(&(mine_name, used)) {
        Some(format!("{mine_name} must not use `{used}`"))
    } else {
        None
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module))
}

#[test]
fn crates_stay_where_they_belong() {
    let mut offences = Vec::new();
    for source in sources() {
        for (name, homes) in CRATES.iter().filter(|(_, homes)| !source.is_in(homes)) {
            let why = format!("`{name}` belongs to {}", homes.join(", "));
            offences.extend(source.words(name).map(|line| source.offence(line, &why)));
        }
    }
    report(&offences);
}

#[test]
fn the_config_crate_stays_in_config_raw() {
    let mut offences = Vec::new();
    let why = format!("the crate `config` belongs to {}", CONFIG_CRATE.join(", "));
    for source in sources().iter().filter(|source| !source.is_in(CONFIG_CRATE)) {
        for (line, text) in source.lines() {
            let bare = text.trim_start().starts_with("use config::");
            let rooted =
                |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if bare || text.match_indices("::config::").any(|(at, _)| rooted(at)) {
                offences.push(source.offence(line, &why));
            }
        }
    }
    report(&offences);
}

#[test]
fn what_computes_only_computes() {
    let mut offences = Vec::new();
    for source in sources().iter().filter(|source| source.is_in(PURE)) {
        for word in IMPURE_WORDS {
            let why = format!("`{word}` in a file that only computes");
            offences.extend(source.words(word).map(|line| source.offence(line, &why)));
        }
    }
    report(&offences);
}

#[test]
fn platforms_do_not_know_each_other() {
    let sources = sources();
    let all: BTreeSet<_> = sources.iter().filter_map(Source::publisher).collect();
    let mut offences = Vec::new();
    for source in &sources {
        let Some(mine) = source.publisher() else { continue };
        for other in all.iter().filter(|other| **other != mine) {
            let why = format!("names the platform `{other}`");
            for way in [format!("publish::{other}"), format!("super::{other}")] {
                offences.extend(source.words(&way).map(|line| source.offence(line, &why)));
            }
        }
    }
    report(&offences);
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut offences = Vec::new();
    for source in sources() {
        let name = source.path.rsplit('/').next().unwrap().trim_end_matches(".rs");
        if name == "mod" || EMPTY_NAMES.contains(&name) {
            offences.push(source.offence(1, &format!("`{name}` says nothing; name the thing")));
        }
        let first = source.text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") {
            let why = "begins with no `//! <Noun>: <what it turns into what>`";
            offences.push(source.offence(1, why));
        }
        let lines = source.text.trim_end().lines().count() - source.test_lines;
        if lines > LINES_MAX {
            let why = format!("{lines} lines without its tests, want at most {LINES_MAX}");
            offences.push(source.offence(LINES_MAX, &why));
        }
    }
    report(&offences);
}

#[test]
fn nothing_is_left_for_later_and_no_path_is_of_somebodys_machine() {
    // spelled so that this file does not find itself
    let later =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
    let homes = [
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("/Us", "ers/"),
    ];
    let mut offences = Vec::new();
    for (path, text) in texts(&["src", "tests", "benches", "config", "systemd", "docs"]) {
        for (at, line) in text.lines().enumerate() {
            let word = later.iter().find(|word| has_word(line, word));
            let home = homes.iter().find(|home| is_a_path(line, home));
            if let Some(found) = word.or(home) {
                let place = format!("{}:{}", path.display(), at + 1);
                offences.push(format!("{place}: `{found}`: {}", line.trim()));
            }
        }
    }
    report(&offences);
}

/// Whether `line` has a path below `home`: not part of a URL, and not the `me` of an example.
fn is_a_path(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        let in_url = line[..at].ends_with(|c: char| c.is_alphanumeric());
        let rest = &line[at + home.len()..];
        let name = rest.split(|c: char| !c.is_alphanumeric()).next();
        !in_url && name != Some("me")
    })
}

#[test]
fn tests_wait_for_events_and_all_of_them_run() {
    let banned = [
        concat!("#[ig", "nore"),
        concat!("#[should_", "panic"),
        concat!("thread::", "sleep("),
        concat!("allow(dead", "_code"),
    ];
    let mut offences = Vec::new();
    for (path, text) in texts(&["src", "tests", "benches"]) {
        for (at, line) in text.lines().enumerate() {
            if let Some(found) = banned.iter().find(|banned| line.contains(**banned)) {
                let place = format!("{}:{}", path.display(), at + 1);
                offences.push(format!("{place}: `{found}`: {}", line.trim()));
            }
        }
    }
    report(&offences);
}

// ------------------------------------------------------------------------------------------------

/// One file of `src`.
struct Source {
    /// Below `src`, with `/`.
    path: String,
    /// As it is.
    text: String,
    /// Without comments, strings and test modules; the same lines.
    code: String,
    test_lines: usize,
}

impl Source {
    fn new(path: String, text: String) -> Self {
        let (code, test_lines) = without_tests(&blanked(&text));
        Self { path, text, code, test_lines }
    }

    /// The module of the first level that it belongs to; none for `lib.rs` and `main.rs`.
    fn module(&self) -> Option<String> {
        let name = self.path.split(['/', '.']).next()?.to_owned();
        (!["lib", "main"].contains(&name.as_str())).then_some(name)
    }

    fn is_in(&self, homes: &[&str]) -> bool {
        homes.iter().any(|home| {
            if home.ends_with('/') { self.path.starts_with(home) } else { self.path == *home }
        })
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// The lines that hold `word`.
    fn words(&self, word: &str) -> impl Iterator<Item = usize> {
        self.lines().filter(move |(_, text)| has_word(text, word)).map(|(line, _)| line)
    }

    /// The platform that it publishes to, when it is such a file.
    fn publisher(&self) -> Option<&str> {
        let name = self.path.strip_prefix("publish/")?.split(['/', '.']).next()?;
        (!PUBLISH_SHARED.contains(&name)).then_some(name)
    }

    /// The modules of the first level that it names, with the lines.
    fn uses(&self) -> Vec<(usize, String)> {
        // seen from `a/b.rs`, the crate is `super::super`
        let up = "super::".repeat(self.path.matches('/').count() + 1);
        ["crate::", &up]
            .iter()
            .flat_map(|root| {
                self.code.match_indices(root).filter(|(at, _)| starts_here(&self.code, *at))
            })
            .flat_map(|(at, root)| {
                let line = self.code[..at].matches('\n').count() + 1;
                let names = named(&self.code[at + root.len()..]);
                names.into_iter().map(move |name| (line, name))
            })
            .collect()
    }

    fn offence(&self, line: usize, why: &str) -> String {
        let text = self.text.lines().nth(line - 1).unwrap_or_default();
        format!("src/{}:{line}: {why}\n    {}", self.path, text.trim())
    }
}

/// The first segments of what follows `crate::`: one name, or those of a group in braces. Items of
/// the crate's own root (types, macros) are none of the modules and are left out.
fn named(rest: &str) -> Vec<String> {
    let name = |text: &str| -> Option<String> {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        let name = &text[..end];
        let is_module =
            name.starts_with(|c: char| c.is_lowercase()) && !["super", "self"].contains(&name);
        is_module.then(|| name.to_owned())
    };
    let Some(group) = rest.strip_prefix('{') else { return name(rest).into_iter().collect() };
    let mut depth = 0_usize;
    let mut names = Vec::new();
    let mut start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.extend(name(group[start..at].trim_start()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

/// Whether a path that begins at `at` really begins there.
fn starts_here(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$')
}

/// Whether `text` holds `word` with no letter, digit or `_` on either side.
fn has_word(text: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(inside) && !text[at + word.len()..].starts_with(inside)
    })
}

/// `code` without the modules below `#[cfg(test)]`, and how many lines those had.
fn without_tests(code: &str) -> (String, usize) {
    let (mut kept, mut dropped) = (String::new(), 0);
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]\nmod ") {
        let open = at + rest[at..].find(['{', ';']).unwrap_or(rest.len() - at - 1);
        let mut depth = 0_usize;
        let end = rest[open..].char_indices().find_map(|(offset, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ';' if depth == 0 => return Some(open + offset + 1),
                _ => return None,
            }
            (depth == 0).then_some(open + offset + 1)
        });
        let end = end.unwrap_or(rest.len());
        let lines = rest[at..end].matches('\n').count();
        kept.push_str(&rest[..at]);
        kept.push_str(&"\n".repeat(lines)); // so that line numbers stay
        dropped += lines + 1;
        rest = &rest[end..];
    }
    kept.push_str(rest);
    (kept, dropped)
}

/// `text` with comments, strings and character literals as blanks; the same lines and columns.
fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if c == '"' {
            string(rest)
        } else if let Some(hashes) = raw_string(rest, &out) {
            let close = format!("\"{}", "#".repeat(hashes));
            let open = rest.find('"').unwrap() + 1;
            rest[open..].find(&close).map_or(rest.len(), |at| open + at + close.len())
        } else if c == '\'' {
            character(rest)
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().unwrap().len_utf8();
        }
    }
    at
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The number of `#` of the raw string that begins here.
fn raw_string(text: &str, before: &str) -> Option<usize> {
    if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') && !before.ends_with('b') {
        return None;
    }
    let rest = text.strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// The length of a character literal, or of the quote of a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_)) => text[3..].find('\'').map_or(1, |at| at + 4),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

fn sources() -> Vec<Source> {
    let all = texts(&["src"]);
    assert!(all.len() > 10, "the sources were not found");
    all.into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "rs"))
        .filter(|(path, _)| !path.ends_with("tests.rs")) // a test module in a file of its own
        .map(|(path, text)| {
            let path = path.strip_prefix("src").unwrap().to_str().unwrap().to_owned();
            Source::new(path, text)
        })
        .collect()
}

/// All text files below `folders`, by path from the top of the package.
fn texts(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting: Vec<_> = folders.iter().map(|folder| top.join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = folder.read_dir() else { continue }; // not every package has benches
        for path in entries.map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() {
                // feeds from the wild say what they like, and `config/state` is a running demo's
                if !["fixtures", "snapshots", "state", "node_modules"].contains(&&*name) {
                    waiting.push(path);
                }
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.push((path.strip_prefix(top).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

fn report(offences: &[String]) {
    assert!(offences.is_empty(), "house rules are broken:\n{}", offences.join("\n"));
}

// ---- the checker, checked ----------------------------------------------------------------------

#[test]
fn blanking_keeps_code_and_lines() {
    let check = |text: &str, expect: &str| assert_eq!(blanked(text), expect);
    check("a // b\nc", "a     \nc");
    check("a /* b /* c */ \n d */ e", "a              \n      e");
    check(r#"f("x\"y", 'a', '\'', b"z")"#, r"f(      ,    ,     , b   )");
    check("r#\"a\"b\"#; raw", "        ; raw");
    check("fn a<'x>(y: &'x str)", "fn a< x>(y: & x str)");
}

#[test]
fn test_modules_do_not_count() {
    let (code, lines) = without_tests("a\n#[cfg(test)]\nmod tests {\n  { b }\n}\nc\n");
    assert_eq!((code.as_str(), lines), ("a\n\n\n\n\nc\n", 4));
}

#[test]
fn uses_are_found_in_every_spelling() {
    let check = |path: &str, text: &str, expect: &[(usize, &str)]| {
        let found = Source::new(path.into(), text.into()).uses();
        let found: Vec<_> = found.iter().map(|(line, name)| (*line, name.as_str())).collect();
        assert_eq!(found, expect, "{text}");
    };
    check("feed.rs", "\nuse crate::store::Db;", &[(2, "store")]);
    check("feed.rs", "use super::store;", &[(1, "store")]);
    check("feed/parse.rs", "use super::diff;\nuse super::super::store;", &[(2, "store")]);
    check(
        "feed.rs",
        "use crate::{\n a::{b, c}, store,\n wake};",
        &[(1, "a"), (1, "store"), (1, "wake")],
    );
    check("feed.rs", "let x = crate::store::get(crate::Thing); // crate::poll", &[(1, "store")]);
    check("feed.rs", "#[cfg(test)]\nmod tests {\n use crate::store::Db;\n}", &[]);
}

#[test]
fn the_layers_forbid_what_they_should() {
    for (user, used) in [
        ("clock", "config"),
        ("http", "feed"),
        ("feed", "store"),
        ("feed", "publish"),
        ("poll", "app"),
        ("feed", "unheard_of"),
    ] {
        assert!(forbidden(user, used).is_some(), "{user} may use {used}");
    }
    for (user, used) in [("feed", "http"), ("poll", "store"), ("app", "poll"), ("entry", "clock")] {
        assert_eq!(forbidden(user, used), None);
    }
}
