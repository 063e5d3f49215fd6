//! Deliver: one worker for each account, one crosspost at a time: claim, compose, publish, decide,
//! settle.
//!
//! **Invariant:** `sending` is committed before the first byte leaves, with the draft frozen; a
//! verdict is committed before the next crosspost is looked at. When the database can't be
//! written, nothing is sent. **Refuses:** to guess: whatever got no usable answer is asked about,
//! and nothing else is sent before it is known.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};
use crate::config::{AccountConfig, Delivery};
use crate::crosspost::State;
use crate::draft::Draft;
use crate::names::{AccountId, Label};
use crate::people::People;
use crate::publish::{Desk, Publisher};
use crate::pulse::Pulses;
use crate::report;
use crate::settings::Layer;
use crate::store::accounts::{self};
use crate::store::crossposts::{self, Crosspost, Settlement};
use crate::store::{Result, Store};
use crate::wake::Wake;

pub mod card;
pub mod decide;
mod draft;
pub mod fetch;
pub mod gate;
mod head;
pub mod host;
pub mod notebook;
mod once;
mod say;
mod settle;
pub mod sources;

use gate::{Gate, Recent};
use host::Host;
use notebook::{Journal, Memory};
use sources::Sources;

/// A worker looks again by itself after this long, whatever it was told.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// The wait while the database can't be used.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// The worker of one account.
pub struct Worker {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The account's row.
    pub account: AccountId,
    /// The account's name.
    pub label: Label,
    /// The account as the config has it.
    pub config: AccountConfig,
    /// Text settings of all accounts.
    pub defaults: Layer,
    /// Who may be mentioned.
    pub people: Arc<People>,
    /// How posts are tried.
    pub delivery: Delivery,
    /// The platform; absent on a dry run.
    pub publisher: Option<Arc<dyn Publisher>>,
    /// What drafts get from the web: pages, images, videos; absent: nothing.
    pub sources: Option<Arc<Sources>>,
    /// Where fitted images are served from, for platforms that fetch media themselves.
    pub host: Option<Host>,
    /// Rung when there may be something to do.
    pub wake: Wake,
    /// Told that the worker is alive.
    pub pulses: Pulses,
}

/// When a worker should look again.
enum Next {
    Now,
    At(Timestamp),
    Woken,
}

/// What a worker finds when it looks.
struct Look {
    gate: Gate,
    uncertain: Option<Crosspost>,
    ready: Option<Crosspost>,
    recent: Recent,
    next_due: Option<Timestamp>,
}

impl Worker {
    /// Delivers until `stop`; an attempt in flight is brought to its end first.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut store_is_down = false;
        self.say_doubts().await;
        while !stop.is_cancelled() {
            self.beat();
            let until = match self.step(stop).await {
                Ok(next) => {
                    if std::mem::take(&mut store_is_down) {
                        tracing::info!(account = %self.label, "the database can be used again");
                    }
                    match next {
                        Next::Now => continue,
                        Next::At(at) => at,
                        Next::Woken => self.clock.now().plus(LOOK_AGAIN),
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut store_is_down, true) {
                        tracing::error!(account = %self.label,
                            "nothing is sent to {}: {error}", self.label);
                    }
                    self.clock.now().plus(STORE_WAIT)
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                _ = self.wake.sleep(LOOK_AGAIN) => {}
                () = self.clock.sleep_until(until, LOOK_AGAIN) => {}
            }
        }
        self.pulses.end(&self.pulse());
    }

    fn pulse(&self) -> String {
        format!("account {}", self.label)
    }

    /// Is alive, and says so again before an attempt of several requests could be over.
    fn beat(&self) {
        self.beat_for(Duration::ZERO);
    }

    /// The same, where files take so much longer.
    fn beat_for(&self, longer: Duration) {
        self.pulses.beat(&self.pulse(), LOOK_AGAIN + 10 * self.delivery.timeout + longer);
    }

    /// On a dry run nobody asks the platform: says that doubts wait.
    async fn say_doubts(&self) {
        let (id, now) = (self.account, self.clock.now());
        let doubt = self.store.read(move |db| crossposts::next_uncertain(db, id, now)).await;
        if let (None, Ok(Some(doubt))) = (&self.publisher, doubt) {
            tracing::warn!(account = %self.label, crosspost = doubt.id.0,
                "\"{}\" may or may not be on {}, and a dry run does not ask: it waits for \
                 `posse-party resolve {}`, or for the end of the dry run",
                report::title(&doubt.title), self.label, doubt.id);
        }
    }

    /// Delivers what is due now, and returns.
    ///
    /// # Errors
    /// The database can't be used.
    pub async fn drain(&self, stop: &CancellationToken) -> Result<()> {
        while !stop.is_cancelled() && matches!(self.step(stop).await?, Next::Now) {}
        Ok(())
    }

    /// Does the next thing that is due, once.
    async fn step(&self, stop: &CancellationToken) -> Result<Next> {
        let now = self.clock.now();
        let look = self.look(now).await?;
        match look.gate {
            Gate::Open => {}
            Gate::ClosedUntil(at) => return Ok(Next::At(at)),
            Gate::Closed => return Ok(Next::Woken),
            Gate::Wakes => {
                self.unpark().await?;
                return Ok(Next::Now);
            }
        }
        if let (Some(doubt), Some(publisher)) = (look.uncertain, &self.publisher) {
            self.find(doubt, publisher.as_ref(), stop).await?;
            return Ok(Next::Now);
        }
        let at = match (look.ready, gate::of_pace(&self.config, look.recent, now)) {
            (Some(ready), Gate::Open) => {
                self.attempt(ready, stop).await?;
                return Ok(Next::Now);
            }
            (Some(_), Gate::ClosedUntil(at)) => Some(look.next_due.map_or(at, |due| due.min(at))),
            _ => look.next_due,
        };
        Ok(at.map_or(Next::Woken, Next::At))
    }

    async fn look(&self, now: Timestamp) -> Result<Look> {
        let (id, label, can_ask) = (self.account, self.label.clone(), self.publisher.is_some());
        self.store
            .read(move |db| {
                let account = accounts::by_label(db, &label)?.filter(|account| account.active);
                let (count, first, last) =
                    crossposts::published_since(db, id, now.minus(gate::DAY), now)?;
                Ok(Look {
                    gate: account.map_or(Gate::Closed, |account| gate::of_account(&account, now)),
                    uncertain: crossposts::next_uncertain(db, id, now)?,
                    ready: crossposts::next_ready(db, id, can_ask, now)?,
                    recent: Recent { count, first, last },
                    next_due: crossposts::next_due(db, id, now)?,
                })
            })
            .await
    }

    /// One attempt: compose (at the first), claim, publish, decide, settle.
    async fn attempt(&self, crosspost: Crosspost, stop: &CancellationToken) -> Result<()> {
        // until the attempt is over
        let hold = self.sources.as_ref().map(|sources| sources.shelf().hold());
        let draft = match &crosspost.draft {
            Some(draft) => self.frozen(&crosspost, draft, hold.as_ref(), stop).await,
            None => self.compose(&crosspost, hold.as_ref(), stop).await?,
        };
        let draft = match (draft, &self.publisher) {
            (Ok(draft), Some(_)) => draft,
            (Ok(draft), None) => return self.dry_run(&crosspost, draft).await,
            (Err(why), _) => return self.refuse(&crosspost, why).await,
        };
        let Some((crosspost, attempt)) = self.claim(crosspost, &draft).await? else {
            return Ok(());
        };
        let publisher = self.publisher.as_ref().expect("checked above");
        self.beat_for(publisher.upload_time(&draft));
        let (journal, memory) = self.notebooks(&crosspost);
        let outcome = publisher.publish(&draft, &self.desk(&crosspost, &journal, &memory)).await;
        let verdict = decide::after_attempt(outcome, &crosspost, &self.delivery, self.clock.now());
        self.settle((&crosspost, attempt), State::Sending, verdict, stop).await
    }

    /// Asks the platform what became of an attempt in doubt.
    async fn find(
        &self,
        crosspost: Crosspost,
        publisher: &dyn Publisher,
        stop: &CancellationToken,
    ) -> Result<()> {
        let (id, now) = (crosspost.id, self.clock.now());
        let begun = self.store.write(move |tx| crossposts::begin_find(tx, id, now)).await?;
        let Some(attempt) = begun else { return Ok(()) };
        let (journal, memory) = self.notebooks(&crosspost);
        let draft = crosspost.draft.clone().unwrap_or_default();
        let found = publisher.find(&draft, &self.desk(&crosspost, &journal, &memory)).await;
        let verdict = decide::after_find(found, &crosspost, &self.delivery, self.clock.now());
        self.settle((&crosspost, attempt), State::Uncertain, verdict, stop).await
    }

    /// Claims a crosspost, unless somebody changed it meanwhile.
    async fn claim(
        &self,
        mut crosspost: Crosspost,
        draft: &Draft,
    ) -> Result<Option<(Crosspost, i64)>> {
        let (id, draft, now) = (crosspost.id, draft.clone(), self.clock.now());
        let claimed =
            self.store.write(move |tx| crossposts::claim(tx, id, Some(&draft), now)).await?;
        crosspost.attempts += 1;
        crosspost.first_attempt_at = crosspost.first_attempt_at.or(Some(now));
        Ok(claimed.map(|attempt| (crosspost, attempt)))
    }

    /// Shows a draft as it would go out, and sends nothing.
    async fn dry_run(&self, crosspost: &Crosspost, draft: Draft) -> Result<()> {
        let reason = "dry run".to_owned();
        if !self.settle_unsent(crosspost, Some(draft.clone()), Settlement::Skipped, reason).await? {
            return Ok(());
        }
        let card = draft.card.as_ref().map(|card| card.url.as_str());
        tracing::info!(account = %self.label, crosspost = crosspost.id.0, card,
            "dry run: would post to {} ({}): {}",
            self.label, self.config.platform.tag(), draft.text);
        Ok(())
    }

    /// Ends a parking whose time is over. Its incident stays open until a post has gone out: what
    /// only seemed to be over is no news.
    async fn unpark(&self) -> Result<()> {
        let account = self.account;
        let now = self.clock.now();
        self.store.write(move |tx| accounts::unpark(tx, account, now)).await?;
        tracing::info!(account = %self.label, "{} tries again", self.label);
        Ok(())
    }

    fn desk<'a>(
        &'a self,
        crosspost: &Crosspost,
        journal: &'a Journal,
        memory: &'a Memory,
    ) -> Desk<'a> {
        Desk {
            crosspost: Some(crosspost.id),
            journal,
            memory,
            clock: &self.clock,
            shelf: self.sources.as_ref().map(|sources| sources.shelf()),
        }
    }

    fn notebooks(&self, crosspost: &Crosspost) -> (Journal, Memory) {
        (
            Journal { store: self.store.clone(), crosspost: crosspost.id },
            Memory { store: self.store.clone(), account: self.account },
        )
    }
}
