//! Care: looks after the token of each account, once a day: has it renewed in time, and tells the
//! owner in time where that can't be. Then it asks for the pages of posts that had none yet.
//!
//! Due times and what was said are in the database, so that a tick that is missed, a restart or a
//! crash loses nothing and repeats nothing. **Invariant:** one renewal of an account at a time,
//! whoever wants it (`store::accounts::turn`); each threshold is told once; a token that has ended
//! parks its account, and its queue waits. **Refuses:** to look after accounts that are not active
//! or on a dry run: those talk to nobody.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};
use crate::config::{AccountConfig, Config};
use crate::names::Label;
use crate::publish::{Desk, Publisher, Scratch};
use crate::pulse::Pulses;
use crate::store::accounts::{self, Account};
use crate::store::{Result, Store};
use crate::token;
use crate::wake::Wake;

mod pages; // addresses that could not be told at first
mod settle; // what a look found, into the database and the log
mod turn; // the right to renew

pub use settle::Settled;
use turn::Turn;

/// The loop looks again by itself after this long, whatever the database says.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);
/// The wait while the database can't be used.
const STORE_WAIT: Duration = Duration::from_secs(60);
/// A renewal is a handful of requests: a turn lasts as long as so many of them may take.
const REQUESTS_MAX: u32 = 10;
/// Where an account's memory holds the watch over its token.
pub const NOTE: &str = "token_watch";

/// Opens the publisher of an account; none on a dry run.
pub type Open = Box<dyn Fn(&Label, &AccountConfig) -> Option<Arc<dyn Publisher>> + Send + Sync>;

/// The loop that looks after tokens.
pub struct Care {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The config, which a reload exchanges.
    pub config: watch::Receiver<Arc<Config>>,
    /// Opens publishers.
    pub open: Open,
    /// Rung when there may be something to do: hourly, after a reload, after another process
    /// changed the database.
    pub wake: Wake,
    /// Told that the loop is alive.
    pub pulses: Pulses,
    /// Rings the worker of an account that publishes again.
    pub ring: Box<dyn Fn(&Label) + Send + Sync>,
}

impl Care {
    /// Looks after the tokens until `stop`; a renewal in flight is brought to its end first.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut store_is_down = false;
        while !stop.is_cancelled() {
            self.beat();
            let until = match self.look(stop).await {
                Ok(next) => {
                    store_is_down = false;
                    next
                }
                Err(error) => {
                    if !std::mem::replace(&mut store_is_down, true) {
                        tracing::error!("tokens can't be looked after: {error}");
                    }
                    Some(self.clock.now().plus(STORE_WAIT))
                }
            };
            let until = until.unwrap_or_else(|| self.clock.now().plus(LOOK_AGAIN));
            tokio::select! {
                () = stop.cancelled() => {}
                _ = self.wake.sleep(LOOK_AGAIN) => {}
                () = self.clock.sleep_until(until, LOOK_AGAIN) => {}
            }
        }
        self.pulses.end("care of tokens");
    }

    /// Looks after each token whose time has come, and tells when the next one's comes.
    ///
    /// # Errors
    /// The database can't be used.
    pub async fn look(&self, stop: &CancellationToken) -> Result<Option<Timestamp>> {
        let config = self.config.borrow().clone();
        let mut next = None;
        for (label, account) in config.accounts.iter().filter(|(_, account)| account.active) {
            if stop.is_cancelled() {
                break;
            }
            let Some(publisher) = (self.open)(label, account) else { continue };
            self.beat();
            let at = self.look_at(label, account, publisher.as_ref(), stop).await?;
            next = next.into_iter().chain(at).min();
        }
        Ok(next)
    }

    /// Ends the turns of a daemon that is no more, as the one that has the database now.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn begin(&self) -> Result<()> {
        self.store.write(|tx| accounts::turn::end_all(tx)).await
    }

    /// Looks after one token if its time has come; tells when it comes.
    async fn look_at(
        &self,
        label: &Label,
        config: &AccountConfig,
        publisher: &dyn Publisher,
        stop: &CancellationToken,
    ) -> Result<Option<Timestamp>> {
        let now = self.clock.now();
        let Some((account, watch)) = self.known(label).await? else { return Ok(None) };
        let slot = token::slot(label.as_str());
        // a clock that was wrong must not put a look off: none is further away than a day or two
        let latest = now.plus(Duration::from_secs(2 * 86_400));
        if let Some(at) = watch.next_at.filter(|at| now < *at && *at < latest) {
            return Ok(Some(at));
        }
        let until = now.plus(REQUESTS_MAX * self.config.borrow().delivery.timeout);
        let Some(turn) = Turn::take(&self.store, account.id, now, until).await? else {
            return Ok(Some(until));
        };
        let desk = Desk {
            crosspost: None,
            journal: &Scratch::default(),
            memory: &turn,
            clock: &self.clock,
            shelf: None,
        };
        let renewed = publisher.renew(&desk).await;
        let may_ask = account.parked.is_none() && !settle::is_of_account(&renewed);
        let id = account.id;
        let now = self.clock.now();
        let case = settle::Case { label, platform: config.platform, account, watch, slot, now };
        let (settled, next) = settle::settle(&self.store, case, turn.holder(), renewed).await?;
        if settled.is_awake() {
            (self.ring)(label);
        }
        settled.say(label, now);
        if may_ask {
            self.find_pages(label, id, publisher, stop).await?;
        }
        Ok(next)
    }

    /// The account as the database has it, and what is known of its token.
    async fn known(&self, label: &Label) -> Result<Option<(Account, token::Watch)>> {
        let label = label.clone();
        self.store
            .read(move |db| {
                let Some(account) = accounts::by_label(db, &label)? else { return Ok(None) };
                let watch = watch(db, &account)?;
                Ok(Some((account, watch)))
            })
            .await
    }

    fn beat(&self) {
        let timeout = self.config.borrow().delivery.timeout;
        self.pulses.beat("care of tokens", LOOK_AGAIN + 2 * REQUESTS_MAX * timeout);
    }
}

/// The watch over the token of `account`; a new one where there is none, or it can't be read.
///
/// # Errors
/// The database can't be read.
pub fn watch(db: &crate::store::Connection, account: &Account) -> Result<token::Watch> {
    let note = accounts::note(db, account.id, NOTE)?;
    Ok(note.and_then(|note| serde_json::from_value(note).ok()).unwrap_or_default())
}
