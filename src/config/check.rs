//! Check: the layered tree to a [`Config`], with every mistake in it reported on the way.
//!
//! Nothing stops at the first mistake: a value that can't be read is reported and taken as if it
//! were absent. **Invariant:** a key that nobody reads is reported. **Refuses:** silent fallbacks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::problem::{Kind, Place, Report};
use super::raw::{Data, Node};
use super::schema::{self, nearest};
use super::secret::{Sources, Vars};
use super::section::{Section, dotted};
use super::{Config, Delivery, Http, Log, LogFormat, Retention, value};
use crate::environment;
use crate::names::Label;

mod account; // one destination
mod feed; // one source
mod filters; // which entries an account wants
mod media; // where media wait and are shown
mod people; // who may be mentioned
mod text; // how entries become posts

/// What the checks of feeds and accounts know of the rest.
struct Around<'a> {
    /// Relative paths are relative to it: the folder of the main file, absolute.
    folder: &'a Path,
    sources: &'a Sources<'a>,
    /// The labels of all feeds, right or wrong.
    feeds: &'a [String],
    /// The labels of all accounts, right or wrong.
    accounts: &'a [String],
}

/// Checks the whole tree. The config is only to be used where nothing was reported.
pub fn config(report: &mut Report, root: Node, path: &Path, sources: &Sources) -> Config {
    let Sources { folder, vars, .. } = *sources;
    let mut config = Config::empty(path);
    let Some(mut top) = Section::open(report, "", root, schema::TOP) else {
        return config; // the root of a file is a table
    };
    let database = top.read(report, "database", |node| value::path(node, folder));
    config.database = database.unwrap_or_else(|| default_database(report, &top, vars));
    let feeds = labelled(report, &mut top, "feeds");
    let accounts = labelled(report, &mut top, "accounts");
    let around = Around {
        folder,
        sources,
        feeds: &feeds.iter().map(|(label, _)| label.clone()).collect::<Vec<_>>(),
        accounts: &accounts.iter().map(|(label, _)| label.clone()).collect::<Vec<_>>(),
    };
    let mut places = BTreeMap::new();
    for (name, node) in feeds {
        let path = dotted("feeds", &name);
        places.insert(path.clone(), node.place);
        let label = label(report, &path, &name, node.place);
        let feed = feed::check(report, &around, &path, node);
        config.feeds.extend(label.zip(feed));
    }
    for (name, node) in accounts {
        let path = dotted("accounts", &name);
        places.insert(path.clone(), node.place);
        let label = label(report, &path, &name, node.place);
        let account = account::check(report, &around, &path, node);
        config.accounts.extend(label.zip(account));
    }
    if let Some(mut defaults) = section(report, &mut top, "defaults", schema::TEXT) {
        config.defaults = text::check(report, &mut defaults);
        defaults.finish(report, |_, _| None);
    }
    config.people = people::check(report, &mut top);
    config.delivery = delivery(report, &mut top);
    config.http = http(report, &mut top);
    config.media = media::cache(report, &mut top);
    config.media_host = media::host(report, folder, &mut top);
    config.log = log(report, &mut top);
    config.retention = retention(report, &mut top);
    top.finish(report, about_table);
    idle(report, &config, &places);
    account::twins(report, &config, &places);
    config
}

/// Where the database is when the config does not say.
fn default_database(report: &mut Report, top: &Section, vars: Vars) -> PathBuf {
    let absolute = |name| vars(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".local/state"));
    let folder = vars("STATE_DIRECTORY")
        .map(|value| environment::first_directory(&value))
        .or_else(|| Some(absolute("XDG_STATE_HOME").or_else(home)?.join("posse-party")));
    match folder {
        Some(folder) => folder.join("posse-party.db"),
        None => {
            top.missing(report, "database", "want a path: there is no `HOME` to take one from");
            PathBuf::new()
        }
    }
}

/// The tables of `[feeds.…]` or `[accounts.…]`.
fn labelled(report: &mut Report, top: &mut Section, key: &'static str) -> Vec<(String, Node)> {
    let node = top.take(key);
    let section = node.and_then(|node| Section::open(report, key, node, Vec::new()));
    let entries = section.into_iter().flat_map(Section::entries);
    entries.map(|(_, label, node)| (label, node)).collect()
}

fn label(report: &mut Report, path: &str, name: &str, place: Place) -> Option<Label> {
    value::label(name).map_err(|message| report.problem(place, Kind::Value, path, message)).ok()
}

/// What to say of a table at the top that looks like a feed or an account.
fn about_table(key: &str, node: &Node) -> Option<String> {
    let Data::Table(keys) = &node.data else { return None };
    let (table, _) = [("feeds", "url"), ("accounts", "platform")]
        .into_iter()
        .find(|(_, sign)| keys.contains_key(*sign))?;
    Some(format!("unknown table, want `[{}]`", dotted(table, key)))
}

fn section(
    report: &mut Report,
    top: &mut Section,
    key: &'static str,
    known: &'static [&'static str],
) -> Option<Section> {
    top.take(key).and_then(|node| Section::open(report, key, node, known))
}

/// A list of labels of the other kind; unknown ones are reported with the nearest known one.
fn references(
    report: &mut Report,
    section: &mut Section,
    key: &'static str,
    known: &[String],
) -> Option<Vec<Label>> {
    let node = section.take(key)?;
    let path = section.path_of(key);
    let nodes = match value::list(&node) {
        Ok(nodes) => nodes,
        Err(message) => {
            report.problem(node.place, Kind::Value, &path, message);
            return None;
        }
    };
    let kind = key.trim_end_matches('s');
    let mut labels = Vec::new();
    for node in nodes {
        match value::text(node) {
            Err(message) => report.problem(node.place, Kind::Value, &path, message),
            Ok(name) if known.iter().any(|known| known == name) => labels.extend(Label::new(name)),
            Ok(name) => {
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                let want = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("want `{near}`"),
                    None if known.is_empty() => format!("want a table `[{key}.{name}]` for it"),
                    None => format!("want {}", schema::one_of(&known)),
                };
                let message = format!("there is no {kind} {}, {want}", value::shown(name));
                report.problem(node.place, Kind::Absence, &path, message);
            }
        }
    }
    labels.sort();
    labels.dedup();
    Some(labels)
}

fn delivery(report: &mut Report, top: &mut Section) -> Delivery {
    let default = Delivery::default();
    let Some(mut section) = section(report, top, "delivery", schema::DELIVERY) else {
        return default;
    };
    let places = ["retry_max", "connect_timeout"].map(|key| section.place_of(key));
    let mut read =
        |key, unit| section.read(report, key, |node| value::duration(node, unit, "10ms"));
    let (base, max) = (read("retry_base", "s"), read("retry_max", "h"));
    let give_up_after = read("give_up_after", "h").unwrap_or(default.give_up_after);
    let (whole, connect) = (read("timeout", "s"), read("connect_timeout", "s"));
    // of two that belong together, the one that was left out yields to the one that was given
    let timeout = whole.unwrap_or(default.timeout);
    let delivery = Delivery {
        retry_base: base.unwrap_or(default.retry_base.min(max.unwrap_or(Duration::MAX))),
        retry_max: max.unwrap_or(default.retry_max.max(base.unwrap_or_default())),
        give_up_after,
        timeout,
        connect_timeout: connect.unwrap_or(default.connect_timeout.min(timeout / 2)),
    };
    let show = humantime::format_duration;
    if delivery.retry_max < delivery.retry_base {
        let (max, base) = (show(delivery.retry_max), show(delivery.retry_base));
        let message = format!("`{max}` is less than `retry_base`, want at least `{base}`");
        report.problem(places[0], Kind::Value, "delivery.retry_max", message);
    }
    if delivery.connect_timeout >= delivery.timeout {
        let (connect, whole) = (show(delivery.connect_timeout), show(delivery.timeout));
        let why = "or a failed connection could not be told from a lost answer";
        let message = format!("`{connect}` must be less than `timeout` (`{whole}`), {why}");
        report.problem(places[1], Kind::Value, "delivery.connect_timeout", message);
    }
    section.finish(report, |_, _| None);
    delivery
}

fn http(report: &mut Report, top: &mut Section) -> Http {
    let Some(mut section) = section(report, top, "http", schema::HTTP) else {
        return Http::default();
    };
    let user_agent = section.read(report, "user_agent", value::contact);
    let allow_private = section.read_list(report, "allow_private", value::network);
    section.finish(report, |_, _| None);
    Http { user_agent, allow_private: allow_private.unwrap_or_default() }
}

fn log(report: &mut Report, top: &mut Section) -> Log {
    const FORMATS: [(&str, LogFormat); 3] =
        [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
    let default = Log::default();
    let Some(mut section) = section(report, top, "log", schema::LOG) else {
        return default;
    };
    let level = section.read(report, "level", value::log_filter);
    let format = section.read(report, "format", |node| value::word(node, &FORMATS));
    section.finish(report, |_, _| None);
    Log { level: level.unwrap_or(default.level), format: format.unwrap_or(default.format) }
}

fn retention(report: &mut Report, top: &mut Section) -> Retention {
    let default = Retention::default();
    let Some(mut section) = section(report, top, "retention", schema::RETENTION) else {
        return default;
    };
    let days = |node: &Node| value::duration(node, "d", "1m");
    let bodies = section.read(report, "bodies", days).unwrap_or(default.bodies);
    let attempts = section.read(report, "attempts", days).unwrap_or(default.attempts);
    section.finish(report, |_, _| None);
    Retention { bodies, attempts }
}

/// Warns of what is right but has no effect.
fn idle(report: &mut Report, config: &Config, places: &BTreeMap<String, Place>) {
    let whole = Place { file: 0, line: 0 };
    if config.feeds.is_empty() {
        report.warning(whole, "feeds", "there is no feed: nothing to do");
    }
    if config.accounts.is_empty() {
        report.warning(whole, "accounts", "there is no account: nothing to do");
    }
    if config.feeds.is_empty() || config.accounts.is_empty() {
        return;
    }
    for (label, feed) in config.feeds.iter().filter(|(_, feed)| feed.active) {
        if config.accounts_of(label).next().is_none() {
            let reason = match &feed.accounts {
                Some(accounts) if accounts.is_empty() => "its list of accounts is empty",
                _ => "no active account takes its entries",
            };
            let path = dotted("feeds", label.as_str());
            report.warning(places[&path], &path, reason);
        }
    }
}
