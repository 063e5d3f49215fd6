//! Config: what the owner wants, read from one TOML file and `conf.d/*.toml` beside it.
//!
//! `raw` is what the files say, `check` turns it into the types below or into *all* the problems
//! at once. **Refuses:** unknown keys, silent fallbacks, structure from environment variables.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::names::Label;
use crate::platform::Platform;
use crate::settings::Layer;

mod secret;

pub use secret::Secret;

/// Everything the config says, checked.
#[derive(Clone, Debug)]
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
    /// How posts are tried.
    pub delivery: Delivery,
    /// How feeds are fetched.
    pub http: Http,
    /// How the log looks.
    pub log: Log,
    /// What is kept how long.
    pub retention: Retention,
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
        timezone: chrono_tz::Tz,
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
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// The kind of destination.
    pub platform: Platform,
    /// How to get in; absent only with `dry_run`.
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
    /// Its text settings.
    pub text: Layer,
}

/// What a platform wants to let us in. `base_url` is the origin of every request of the account.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A Mastodon-API server.
    Mastodon {
        /// Its origin.
        base_url: Url,
        /// A token with `write:statuses` and `read`.
        access_token: Secret,
    },
    /// An AT Protocol account.
    Bluesky {
        /// Handle, e-mail or DID.
        identifier: String,
        /// An app password.
        app_password: Secret,
        /// Absent: `https://bsky.social` for the session, and then the PDS that the session names.
        base_url: Option<Url>,
    },
    /// A local file.
    Outbox {
        /// JSON lines, appended.
        path: PathBuf,
    },
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

impl Config {
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

impl Credentials {
    /// A hash that changes when, and only when, the owner changes how to get in. Hex.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let parts: [&str; 3] = match self {
            Self::Mastodon { base_url, access_token } => {
                ["mastodon", base_url.as_str(), access_token.expose()]
            }
            Self::Bluesky { identifier, app_password, base_url: _ } => {
                ["bluesky", identifier, app_password.expose()]
            }
            Self::Outbox { path } => ["outbox", path.to_str().unwrap_or_default(), ""],
        };
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
