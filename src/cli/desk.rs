//! Desk: what a command works with: the config, its database, the time.
//!
//! The daemon may run beside it: SQLite lets both write, and the daemon notices what others commit.
//! No command here talks to a platform, so that none needs the secrets of the service.
//! **Refuses:** to make a database: a command on the wrong config would leave an empty one behind.

use std::fmt::Display;
use std::future::Future;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;

use super::{CliError, load_without_secrets};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, nearest};
use crate::logging::{self, Voice};
use crate::names::Label;
use crate::store::accounts::{self, Account};
use crate::store::feeds::{self, Feed};
use crate::store::{Lock, Store};

/// What a command works with.
pub struct Desk {
    /// The config.
    pub config: Config,
    /// Its database.
    pub store: Store,
    /// When the command began.
    pub now: Timestamp,
}

impl Desk {
    /// Loads the config and opens its database.
    ///
    /// # Errors
    /// The config is wrong, there is no database yet, or it can't be used.
    pub fn open(path: &Path) -> Result<Self, CliError> {
        let config = load_without_secrets(path)?;
        logging::init(&config.log, Voice::Command).context("failed to start the log")?;
        let store = open_database(&config)?;
        Ok(Self { config, store, now: Clock::System.now() })
    }

    /// Whether the daemon runs now.
    pub fn has_daemon(&self) -> bool {
        Lock::is_taken(&self.config.database)
    }

    /// When what a command has asked for happens.
    pub fn when(&self) -> &'static str {
        if self.has_daemon() {
            "the daemon runs and notices at once"
        } else {
            "no daemon runs: it happens at the next start, or now with `posse-party run --once`"
        }
    }

    /// The account of a label.
    ///
    /// # Errors
    /// There is none: names the nearest one.
    pub async fn account(&self, typed: &str) -> Result<Account, CliError> {
        let mut all = self.store.read(accounts::all).await?;
        if let Some(at) = all.iter().position(|account| account.label.as_str() == typed) {
            return Ok(all.swap_remove(at));
        }
        let known = all.iter().map(|account| &account.label);
        Err(self.unknown("account", typed, known.collect(), self.config.accounts.keys().collect()))
    }

    /// The feed of a label.
    ///
    /// # Errors
    /// There is none: names the nearest one.
    pub async fn feed(&self, typed: &str) -> Result<Feed, CliError> {
        let label = Label::new(typed);
        if let Some(label) = label {
            let found = self.store.read(move |db| feeds::by_label(db, &label)).await?;
            if let Some(feed) = found {
                return Ok(feed);
            }
        }
        let all = self.store.read(feeds::active).await?;
        let known = all.iter().map(|feed| &feed.label);
        Err(self.unknown("feed", typed, known.collect(), self.config.feeds.keys().collect()))
    }

    fn unknown(
        &self,
        noun: &str,
        typed: &str,
        known: Vec<&Label>,
        configured: Vec<&Label>,
    ) -> CliError {
        if configured.iter().any(|label| label.as_str() == typed) {
            let message =
                format!("{noun} `{typed}` is in the config, but the daemon has not met it");
            return CliError::refused(message, self.take_over());
        }
        let message = format!("there is no {noun} `{typed}`");
        let hint = match nearest(typed, known.iter().map(|label| label.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => format!("`[{noun}s.LABEL]` in the config makes one"),
            None => format!("the {noun}s are {}", list(&known)),
        };
        CliError::refused(message, hint)
    }

    /// How a daemon takes over a config that has changed.
    pub fn take_over(&self) -> &'static str {
        if self.has_daemon() {
            "make it load the config: `systemctl reload posse-party`, or SIGHUP"
        } else {
            "start the daemon with `posse-party run`, or poll once with `posse-party run --once`"
        }
    }
}

/// Opens the database of `config`, which must be there.
pub fn open_database(config: &Config) -> Result<Store, CliError> {
    let path = &config.database;
    match path.metadata() {
        Ok(_) => Ok(Store::open_existing(path)?),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(CliError::refused(
            format!("you may not read the database `{}`", path.display()),
            "run this as the daemon's user: `sudo -u posse-party posse-party …`",
        )),
        Err(_) => Err(CliError::refused(
            format!("there is no database at `{}` yet", path.display()),
            "start the daemon with `posse-party run`, or poll once with `posse-party run --once`; \
             where one runs already, name its file as `database` in the config",
        )),
    }
}

/// `` `a`, `b` ``
pub fn list<T: Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}

/// Runs `work` to its end on this thread.
///
/// # Errors
/// What `work` says, or that the runtime can't be started.
pub fn wait<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("failed to start the runtime")?.block_on(work)
}
