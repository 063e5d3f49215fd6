//! Poll: which feeds are due, and for each of them fetch → parse → diff → route → record.
//!
//! **Invariant:** an attempt is noted before it is made, so that a crash loop polls no more often;
//! whatever a poll finds is committed in one transaction; a bad answer changes nothing but the
//! feed's error. **Refuses:** to know what becomes of a crosspost: it rings the account and forgets.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};
use crate::config::{Config, FeedConfig};
use crate::feed::cadence::{Outcome, RETRY_AFTER_MAX};
use crate::feed::moved::{Moved, Sight};
use crate::http;
use crate::names::{FeedId, Label};
use crate::pulse::Pulses;
use crate::store::feeds::{self, Feed, PollRow, Validators};
use crate::store::{Result, Store, Transaction};
use crate::wake::Wake;

mod ask;
pub mod record;
mod review;
pub mod route;
mod say;
mod when;

use ask::Found;
use record::{Context, Recorded};
use when::{Hints, has_validators, moved_of, next_poll};

/// Polls under way at once.
const POLLS_MAX: usize = 32;
/// Polls that have begun, most of them waiting: for their turn, or for others to be committed with.
const BEGUN_MAX: usize = 1024;
/// Feeds taken from the database at once.
const BATCH_MAX: usize = 256;
/// Polls under way at once on one host.
const POLLS_PER_HOST: usize = 6;
/// Feeds parsed at once; a large one costs tens of megabytes.
const PARSES_MAX: usize = 2;
/// The poller looks again by itself after this long.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// A clock that goes back by less than this was only corrected.
const CLOCK_SLACK: Duration = Duration::from_secs(90);
/// The wait while the database can't be used.
const STORE_WAIT: Duration = Duration::from_secs(5);

/// The poller of all feeds.
pub struct Poller {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The config, which a reload exchanges.
    pub config: watch::Receiver<Arc<Config>>,
    /// The client for feeds.
    pub http: http::Client,
    /// Rung when a feed may be due.
    pub wake: Wake,
    /// Told that the poller is alive.
    pub pulses: Pulses,
    /// Rings the accounts that have something to do.
    pub ring: Box<dyn Fn(&Label) + Send + Sync>,
    /// How much it does at once.
    pub turns: Turns,
}

/// Who may do what, and how many at once.
pub struct Turns {
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    polls: Semaphore,
    parses: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            hosts: Mutex::default(),
            polls: Semaphore::new(POLLS_MAX),
            parses: Semaphore::new(PARSES_MAX),
        }
    }
}

impl Poller {
    /// Polls what is due until `stop`. Polls under way are dropped then: nothing of them is half
    /// done.
    pub async fn run(&self, stop: &CancellationToken) {
        let mut under_way = FuturesUnordered::new();
        let mut queue = VecDeque::new();
        let mut busy: HashSet<FeedId> = HashSet::new();
        let mut look_at = self.clock.now();
        let mut store_is_down = false;
        // whether a feed was due again while it was still being polled
        let mut passed_over = false;
        let mut latest = self.clock.now();
        while !stop.is_cancelled() {
            self.pulses.beat("poller", LOOK_AGAIN * 2);
            let now = self.clock.now();
            if now.plus(CLOCK_SLACK) < latest {
                self.forgive_clock(latest.since(now)).await;
                (latest, look_at) = (now, now);
            }
            latest = latest.max(now);
            if queue.is_empty() && look_at <= self.clock.now() {
                look_at = match self.begin(&mut queue, &mut busy).await {
                    Ok((next, is_busy)) => {
                        passed_over = is_busy;
                        if std::mem::take(&mut store_is_down) {
                            tracing::info!("feeds are polled again");
                        }
                        next
                    }
                    Err(error) => {
                        if !std::mem::replace(&mut store_is_down, true) {
                            tracing::error!("no feed is polled: {error}");
                        }
                        self.clock.now().plus(STORE_WAIT)
                    }
                };
            }
            let room = BEGUN_MAX.saturating_sub(under_way.len()).min(queue.len());
            under_way.extend(queue.drain(..room).map(|feed| self.poll(feed)));
            tokio::select! {
                () = stop.cancelled() => {}
                Some((feed, next)) = under_way.next(), if !under_way.is_empty() => {
                    busy.remove(&feed);
                    look_at = look_at.min(next.unwrap_or(look_at));
                    if std::mem::take(&mut passed_over) {
                        look_at = self.clock.now();
                    }
                }
                rung = self.wake.sleep(LOOK_AGAIN) => if rung { look_at = self.clock.now(); },
                () = self.clock.sleep_until(look_at, LOOK_AGAIN), if queue.is_empty() => {}
            }
        }
        self.pulses.end("poller");
    }

    /// The clock was set back: what is due by the old one is due now.
    async fn forgive_clock(&self, by: Duration) {
        let by = humantime::format_duration(Duration::from_secs(by.as_secs()));
        tracing::warn!("the clock was set back by {by}: polling every feed now");
        let now = self.clock.now();
        if let Err(error) = self.store.write(move |tx| feeds::poll_now(tx, None, now)).await {
            tracing::error!("the feeds can't be polled now: {error}");
        }
    }

    /// Polls every active feed once, due or not.
    ///
    /// # Errors
    /// The database can't be used.
    pub async fn run_once(&self) -> Result<()> {
        let now = self.clock.now();
        self.store.write(move |tx| feeds::poll_now(tx, None, now)).await?;
        let mut queue = VecDeque::new();
        let mut under_way = FuturesUnordered::new();
        // what was polled stays busy: a feed with a short `poll` is asked once all the same
        let mut busy = HashSet::new();
        let mut all_begun = false;
        loop {
            if queue.is_empty() && !all_begun {
                self.begin(&mut queue, &mut busy).await?;
                all_begun = queue.is_empty();
            }
            let room = BEGUN_MAX.saturating_sub(under_way.len()).min(queue.len());
            under_way.extend(queue.drain(..room).map(|feed| self.poll(feed)));
            if under_way.next().await.is_none() && all_begun {
                return Ok(());
            }
        }
    }

    /// Queues the feeds that are due, and notes that they are asked. Tells when to look again, and
    /// whether one was passed over because it is still being polled.
    async fn begin(
        &self,
        queue: &mut VecDeque<Feed>,
        busy: &mut HashSet<FeedId>,
    ) -> Result<(Timestamp, bool)> {
        let now = self.clock.now();
        let most = BATCH_MAX + busy.len();
        let due = self.store.read(move |db| feeds::due(db, now, most)).await?;
        let passed_over = due.iter().any(|feed| busy.contains(&feed.id));
        let config = self.config.borrow().clone();
        let (mut batch, mut started) = (Vec::new(), Vec::new());
        for feed in due {
            // a feed that is removed between two reloads is not in this config
            let Some(feed_config) = config.feeds.get(&feed.label) else { continue };
            if batch.len() < BATCH_MAX && !busy.contains(&feed.id) {
                let hints = Hints::default();
                let known = has_validators(&feed);
                let next =
                    next_poll(&feed, feed_config, Outcome::Started, known, None, &hints, now);
                started.push((feed.id, next));
                batch.push(feed);
            }
        }
        let next = if batch.is_empty() {
            self.store.read(move |db| feeds::next_due_after(db, now)).await?
        } else {
            let full = batch.len() == BATCH_MAX;
            let next = self
                .store
                .write(move |tx| {
                    feeds::mark_started(tx, &started, now)?;
                    feeds::next_due_after(tx, now)
                })
                .await?;
            // only now: what could not be noted must stay free to be taken the next time
            busy.extend(batch.iter().map(|feed| feed.id));
            queue.extend(batch);
            if full { Some(now) } else { next }
        };
        Ok((next.unwrap_or(now.plus(LOOK_AGAIN)), passed_over))
    }

    /// One poll of one feed, from the request to the log line. Tells when it is due again.
    async fn poll(&self, feed: Feed) -> (FeedId, Option<Timestamp>) {
        let id = feed.id;
        let config = self.config.borrow().clone();
        let Some(feed_config) = config.feeds.get(&feed.label) else { return (id, None) };
        let moved = moved_of(&feed);
        let host = self.host_of(moved.to.as_ref().unwrap_or(&feed_config.url));
        let at_host = host.acquire().await.expect("never closed");
        let turn = self.turns.polls.acquire().await.expect("never closed");
        // on the heap while it is asked only: many more polls wait than ask
        let (found, hints) = Box::pin(self.ask(&feed, feed_config, &moved, at_host)).await;
        let in_company = self.turns.polls.available_permits() + 1 < POLLS_MAX;
        // who holds no document may wait for company without keeping others from their turn
        let _turn = matches!(found, Found::Changed { .. }).then_some(turn);
        match self.record(&feed, feed_config, &config, found, &hints, in_company).await {
            Ok((recorded, next)) => {
                recorded.touched.iter().for_each(|account| (self.ring)(account));
                (id, next)
            }
            Err(error) => {
                tracing::error!(feed = %feed.label,
                    "what {} said could not be stored, it is asked again later: {error}",
                    feed.label);
                (id, Some(self.clock.now().plus(STORE_WAIT)))
            }
        }
    }

    /// Commits what a poll found, and says it; `in_company` of other polls it waits a moment for
    /// theirs. Tells when the feed is due again.
    async fn record(
        &self,
        feed: &Feed,
        feed_config: &FeedConfig,
        config: &Arc<Config>,
        mut found: Found,
        hints: &Hints,
        in_company: bool,
    ) -> Result<(Recorded, Option<Timestamp>)> {
        let now = self.clock.now();
        let sight = match &found {
            Found::Failed { outcome: Outcome::Gone, .. } => Sight::Gone,
            Found::Failed { .. } => Sight::Unusable,
            _ => Sight::Usable { permanent: hints.permanent.as_ref() },
        };
        let before = moved_of(feed);
        let moved = before.after(sight, &feed_config.url);
        if moved.to != before.to {
            say::moved(&feed.label, moved.to.as_ref());
        }
        let (outcome, conditional, ttl) = match &found {
            Found::Unchanged(validators) => {
                (Outcome::Usable, validators.is_some() || has_validators(feed), feed.ttl_s)
            }
            Found::Changed { contents, .. } => {
                (Outcome::Usable, contents.validators != Validators::default(), contents.ttl_s)
            }
            // what a redirect led to may be gone; then the owner's own URL is asked again
            Found::Failed { outcome: Outcome::Gone, .. } if before.to.is_some() => {
                (Outcome::Failed, has_validators(feed), None)
            }
            Found::Failed { outcome, .. } => (*outcome, has_validators(feed), None),
        };
        let poll = PollRow {
            at: now,
            next_poll_at: next_poll(feed, feed_config, outcome, conditional, ttl, hints, now),
            not_before: hints.retry_after.map(|at| at.min(now.plus(RETRY_AFTER_MAX))),
            moved: serde_json::to_string(&moved).ok().filter(|_| moved != Moved::default()),
        };
        let (own, all) = (feed.clone(), Arc::clone(config));
        let feed_config = feed_config.clone();
        let (message, problems) = match &mut found {
            Found::Failed { message, .. } => (message.clone(), Vec::new()),
            Found::Unchanged(_) => Default::default(),
            Found::Changed { problems, .. } => (String::new(), std::mem::take(problems)),
        };
        let work = move |tx: &Transaction<'_>| {
            let context = Context {
                feed: &own,
                config: &feed_config,
                accounts: &all.accounts,
                defaults: &all.defaults,
                poll: &poll,
                now,
            };
            if !feeds::is_still(tx, &own)? {
                // a reload changed it meanwhile
                return Ok((Ok(Recorded::default()), feeds::due_at(tx, own.id)?));
            }
            let recorded = match found {
                Found::Failed { message, .. } => Err(record::failed(tx, &context, &message)?),
                Found::Unchanged(validators) => {
                    let validators = validators.unwrap_or_else(|| own.validators.clone());
                    Ok(record::unchanged(tx, &context, &validators)?)
                }
                Found::Changed { document, contents, .. } => {
                    Ok(record::parsed(tx, &context, &document, &contents)?)
                }
            };
            Ok((recorded, feeds::due_at(tx, own.id)?))
        };
        let (recorded, next) = if in_company {
            self.store.write_soon(work).await?
        } else {
            self.store.write(work).await?
        };
        match recorded {
            Ok(recorded) => {
                say::recorded(&feed.label, &recorded, now);
                say::problems(&feed.label, &problems);
                Ok((recorded, next))
            }
            Err(is_new) => {
                say::failed(&feed.label, &message, is_new, next, now);
                Ok((Recorded::default(), next))
            }
        }
    }
}
