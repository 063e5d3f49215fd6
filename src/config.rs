//! Config: what the owner wants, read from one TOML file and `conf.d/*.toml` beside it.
//!
//! `raw` is what the files say, `check` turns it into the types below or into *all* the problems
//! at once. **Refuses:** unknown keys, silent fallbacks, structure from environment variables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::entry::Control;
use crate::environment;
use crate::filter::Filters;
use crate::names::Label;
use crate::people::People;
use crate::platform::Platform;
use crate::settings::{Layer, Origin};
use crate::zone::Zone;

mod check; // all the problems at once
mod credentials; // how an account gets in
mod media; // where media wait and are shown
mod problem; // what is wrong, and where
mod raw; // what the files say
mod schema; // the keys, as data
mod secret; // tokens and where they are kept
mod section; // one table on its way to a type
mod value; // one text to one typed value

pub use credentials::{Credentials, is_other_way_in};
pub use media::{MediaCache, MediaHost};
pub use problem::{Problem, Problems};
pub use schema::{nearest, one_of};
pub use secret::{Secret, Vars};

/// Everything the config says, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The main file, as given.
    pub path: PathBuf,
    /// The database file.
    pub database: PathBuf,
    /// The feeds by label.
    pub feeds: BTreeMap<Label, FeedConfig>,
    /// The accounts by label.
    pub accounts: BTreeMap<Label, AccountConfig>,
    /// Text settings for every account.
    pub defaults: Layer,
    /// Who may be mentioned.
    pub people: People,
    /// How posts are tried.
    pub delivery: Delivery,
    /// How feeds are fetched.
    pub http: Http,
    /// What is kept of media.
    pub media: MediaCache,
    /// Where media are put for platforms that fetch them themselves.
    pub media_host: Option<MediaHost>,
    /// How the log looks.
    pub log: Log,
    /// What is kept how long.
    pub retention: Retention,
    /// What is right, but may not be meant; each a line for the owner.
    pub warnings: Vec<String>,
}

/// One `[feeds.LABEL]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedConfig {
    /// `http`, `https` or `file`.
    pub url: Url,
    /// How often it is asked.
    pub cadence: Cadence,
    /// The accounts that get its entries; absent: all.
    pub accounts: Option<Vec<Label>>,
    /// How many of the newest entries are published at first sight. Default 0.
    pub backfill: usize,
    /// More new entries than this in one poll are held. Default 5.
    pub max_new: usize,
    /// Entries older than this are skipped. Default 7 days.
    pub max_age: Duration,
    /// What becomes of entries that appeared during downtime.
    pub catch_up: CatchUp,
    /// Whether it is polled.
    pub active: bool,
}

/// How often a feed is polled.
#[derive(Clone, Debug, PartialEq)]
pub enum Cadence {
    /// The owner said nothing: 1 minute with validators, 5 without, later where the feed asks.
    Auto,
    /// The least distance between two attempts.
    Every(Duration),
    /// At the times of a cron expression.
    Cron {
        /// Five fields, or six with seconds.
        expression: Box<croner::Cron>,
        /// The zone in which they are read.
        timezone: Zone,
    },
}

/// What becomes of entries that appeared while the daemon was down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// All go out (within `max_new` and `max_age`).
    #[default]
    All,
    /// Only the newest goes out, the others are skipped.
    Newest,
    /// All are held for the owner.
    Hold,
}

/// One `[accounts.LABEL]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountConfig {
    /// The kind of destination.
    pub platform: Platform,
    /// How to get in; absent only with `dry_run`, and after [`Config::load_without_secrets`].
    pub credentials: Option<Credentials>,
    /// The feeds whose entries it gets; absent: all.
    pub feeds: Option<Vec<Label>>,
    /// Whether it publishes.
    pub active: bool,
    /// Whether drafts are only logged.
    pub dry_run: bool,
    /// Whether new crossposts wait for a person.
    pub approve: bool,
    /// The undo window: a crosspost is due this long after its entry was first seen. Default 2 m.
    pub delay: Duration,
    /// The least distance between two posts. Default 0 s.
    pub cooldown: Duration,
    /// The most posts in any 24 hours.
    pub max_per_day: Option<u32>,
    /// Which entries it wants.
    pub filters: Filters,
    /// Its text settings.
    pub text: Layer,
}

impl AccountConfig {
    /// The layers of the settings by which an entry with this `control` goes to the account, in
    /// order.
    pub fn layers<'l>(
        &'l self,
        defaults: &'l Layer,
        label: &Label,
        control: &'l Control,
    ) -> Vec<(Origin, &'l Layer)> {
        let own = [(Origin::Defaults, defaults), (Origin::Account, &self.text)];
        own.into_iter().chain(control.layers(self.platform.tag(), label.as_str())).collect()
    }
}

/// `[delivery]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// First wait after a failure. Default 15 s.
    pub retry_base: Duration,
    /// Longest wait between two tries. Default 6 h.
    pub retry_max: Duration,
    /// A crosspost that can't be placed for this long after it was due has failed. Default 48 h.
    pub give_up_after: Duration,
    /// The whole of one request. Default 60 s.
    pub timeout: Duration,
    /// To be connected; always less than `timeout`. Default 10 s.
    pub connect_timeout: Duration,
}

/// `[http]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Http {
    /// Where the owner can be reached: an address or a URL, part of the User-Agent.
    pub user_agent: Option<String>,
    /// Private networks that URLs found in feeds may reach.
    pub allow_private: Vec<IpNet>,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// A tracing filter. Default `info`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Journal form under systemd, colour on a terminal, plain else.
    #[default]
    Auto,
    /// Plain text with time stamps.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[retention]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Retention {
    /// Bodies of entries whose crossposts are all settled are dropped after this; ids and receipts
    /// never. Default 90 days.
    pub bodies: Duration,
    /// Attempts of settled crossposts are dropped after this. Default 365 days.
    pub attempts: Duration,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            retry_base: Duration::from_secs(15),
            retry_max: Duration::from_secs(6 * 3600),
            give_up_after: Duration::from_secs(48 * 3600),
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self { bodies: Duration::from_secs(90 * DAY), attempts: Duration::from_secs(365 * DAY) }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Auto }
    }
}

/// The main file when the owner names none: `$CONFIGURATION_DIRECTORY/config.toml`, as systemd sets
/// it, else `/etc/posse-party/config.toml`.
pub fn default_path() -> PathBuf {
    let folder = environment::directory("CONFIGURATION_DIRECTORY");
    folder.unwrap_or_else(|| PathBuf::from("/etc/posse-party")).join("config.toml")
}

/// Tells what is wrong with a template. Composition knows that, and the config knows where it stands.
pub type TemplateCheck = fn(&str) -> Result<(), String>;

impl Config {
    /// Loads the main file and `conf.d/*.toml` beside it, and the secrets they refer to.
    ///
    /// # Errors
    /// Everything that is wrong with the files, at once.
    pub fn load(path: &Path, templates: TemplateCheck) -> Result<Self, Problems> {
        Self::load_with(path, &environment::var, templates)
    }

    /// Loads for what talks to no platform: a secret that can't be found is a warning, and its
    /// account has no credentials. Secrets that can be found are loaded, so that they are known to
    /// whoever strikes them out.
    ///
    /// # Errors
    /// Everything that is wrong with the files, at once.
    pub fn load_without_secrets(path: &Path, templates: TemplateCheck) -> Result<Self, Problems> {
        Self::read(path, &environment::var, templates, false)
    }

    /// Loads as [`Config::load`] does, with the variables that `vars` knows.
    ///
    /// # Errors
    /// Everything that is wrong with the files, at once.
    pub fn load_with(path: &Path, vars: Vars, templates: TemplateCheck) -> Result<Self, Problems> {
        Self::read(path, vars, templates, true)
    }

    fn read(
        path: &Path,
        vars: Vars,
        templates: TemplateCheck,
        wanted: bool,
    ) -> Result<Self, Problems> {
        let mut report = problem::Report::new(templates);
        let root = raw::read(path, &mut report);
        // where the working folder is gone, relative paths stay relative to wherever one is
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        let sources = secret::Sources { folder, vars, wanted };
        let mut config = check::config(&mut report, root, path, &sources);
        let (list, warnings) = report.finish();
        if !list.is_empty() {
            return Err(Problems { path: path.to_owned(), list });
        }
        config.warnings = warnings;
        Ok(config)
    }

    /// What an empty file says.
    fn empty(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            database: PathBuf::new(),
            feeds: BTreeMap::new(),
            accounts: BTreeMap::new(),
            defaults: Layer::default(),
            people: People::new(),
            delivery: Delivery::default(),
            http: Http::default(),
            media: MediaCache::default(),
            media_host: None,
            log: Log::default(),
            retention: Retention::default(),
            warnings: Vec::new(),
        }
    }

    /// Every secret that was loaded, for the log to strike out.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let credentials = self.accounts.values().filter_map(|account| account.credentials.as_ref());
        credentials.flat_map(|credentials| {
            credentials.secret().into_iter().chain(credentials.app_secret())
        })
    }

    /// The accounts that get the entries of `feed`: both sides must agree, both must be active.
    pub fn accounts_of(&self, feed: &Label) -> impl Iterator<Item = (&Label, &AccountConfig)> {
        let wanted = self.feeds.get(feed).and_then(|feed| feed.accounts.as_ref());
        self.accounts.iter().filter(move |(label, account)| {
            account.active
                && wanted.is_none_or(|wanted| wanted.contains(label))
                && account.feeds.as_ref().is_none_or(|feeds| feeds.contains(feed))
        })
    }
}
