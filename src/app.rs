//! App: the daemon. Takes the lock, opens the store, reconciles the config into it, rescues what a
//! crash left, spawns the loops, and drains them at the end.
//!
//! **Invariant:** one daemon for each database; one worker for each account, also across reloads;
//! a loop that ends by itself, or panics, ends the process, and systemd starts it anew: recovery
//! is the ordinary start.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::http;
use crate::names::Label;
use crate::orders::Orders;
use crate::pulse::Pulses;
use crate::report;
use crate::schedule::{self, Schedule, Tick};
use crate::store::{Lock, Store, StoreError, crossposts, feeds, incidents};
use crate::systemd::Systemd;
use crate::wake::Wake;

mod bells;
mod build;
mod maintain;
mod reconcile;
mod reload;

use bells::{Bells, watch_others};
use build::{Shared, care, poller, worker};
pub use reconcile::reconcile;

/// Why the daemon did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An HTTP client could not be made.
    #[error("failed to prepare HTTP: {0} (are CA certificates installed?)")]
    Http(#[from] http::Error),
    /// A loop ended that should not.
    #[error("the {0} ended unexpectedly")]
    Ended(String),
}

/// The daemon's surroundings.
pub struct App {
    /// The config that it started with.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// What it is asked to do.
    pub orders: Orders,
    /// Who is told how it goes.
    pub systemd: Systemd,
    /// Called with each config that takes effect, and before: secrets, log level.
    pub applied: Box<dyn Fn(&Config) + Send + Sync>,
}

/// Everything that runs.
struct Daemon {
    store: Store,
    clock: Clock,
    config: watch::Sender<Arc<Config>>,
    path: PathBuf,
    poll: Wake,
    care: Wake,
    bells: Bells,
    pulses: Pulses,
    /// The loops; each gives its name where it ended though nobody told it to.
    tasks: JoinSet<Option<String>>,
    workers: BTreeMap<Label, Running>,
    /// What they share.
    shared: Option<Shared>,
    stop: CancellationToken,
}

/// A worker that runs: how to end it, and how to know that it has.
struct Running {
    stop: CancellationToken,
    ended: CancellationToken,
}

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// It could not start, or a loop ended by itself.
pub async fn run(app: App) -> Result<(), AppError> {
    let App { config, clock, orders, systemd, applied } = app;
    let (_lock, store) = open(&config, &clock).await?;
    let now = clock.now();
    store.write(move |tx| crossposts::restart_patience(tx, now)).await?;
    let path = config.path.clone();
    let mut daemon = Daemon {
        store,
        clock,
        config: watch::Sender::new(Arc::new(config)),
        path,
        poll: Wake::default(),
        care: Wake::default(),
        bells: Bells::default(),
        pulses: Pulses::default(),
        tasks: JoinSet::new(),
        workers: BTreeMap::new(),
        shared: None,
        stop: orders.stop.clone(),
    };
    daemon.start_loops().await?;
    daemon.start_missing_workers().await?;
    let schedule = daemon.start_schedule().await;
    let summary = daemon.summary();
    systemd.ready(&summary);
    daemon.start_watchdog(&systemd);
    tracing::info!("ready: {summary}");
    let ended = daemon.obey(&orders, &systemd, &applied).await;
    systemd.stopping("finishing what is in flight");
    if let Some(schedule) = schedule {
        schedule.stop().await;
    }
    daemon.drain().await?;
    ended
}

/// Polls every feed once, publishes what is due, and returns.
///
/// # Errors
/// The database can't be used, or another daemon has it.
pub async fn run_once(config: Config, clock: Clock, orders: &Orders) -> Result<(), AppError> {
    let (_lock, store) = open(&config, &clock).await?;
    let (sender, receiver) = watch::channel(Arc::new(config));
    let config = sender.borrow().clone();
    let (wake, bells) = (Wake::default(), Bells::default());
    let care = care(&store, &clock, receiver.clone(), wake.clone(), bells.clone())?;
    care.begin().await?;
    let poller = poller(&store, &clock, receiver, wake, bells, &config)?;
    tokio::select! {
        polled = poller.run_once() => polled?,
        () = orders.stop.cancelled() => {}
    }
    care.look(&orders.stop).await?;
    let shared = Shared::of(&config, None)?;
    for label in config.accounts.keys() {
        let (wake, pulses) = (Wake::default(), Pulses::default());
        if let Some(worker) = worker(&store, &clock, &config, &shared, label, wake, pulses).await? {
            worker.drain(&orders.stop).await?;
        }
    }
    store.checkpoint().await?;
    Ok(())
}

/// Takes the lock, opens and reconciles the database, and turns what a crash left in flight into
/// doubts.
async fn open(config: &Config, clock: &Clock) -> Result<(Lock, Store), AppError> {
    let lock = Lock::take(&config.database)?;
    let store = Store::open(&config.database)?;
    let now = clock.now();
    let rescued = store.write(move |tx| crossposts::rescue_sending(tx, now)).await?;
    reconcile(&store, config, now).await?.say(now);
    for incident in store.read(incidents::all_open).await? {
        tracing::warn!(incident = incident.key, "still: {}", incident.message);
    }
    if rescued > 0 {
        tracing::warn!(
            "the last run ended in the middle of {}: asking the platform what became of it before \
             anything else is sent there",
            report::count(rescued, "attempt")
        );
    }
    Ok((lock, store))
}

impl Daemon {
    /// The poller, the care of tokens, and the watch over the database.
    async fn start_loops(&mut self) -> Result<(), AppError> {
        let now = self.config.borrow().clone();
        let mut poller = poller(
            &self.store,
            &self.clock,
            self.config.subscribe(),
            self.poll.clone(),
            self.bells.clone(),
            &now,
        )?;
        poller.pulses = self.pulses.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            poller.run(&stop).await;
            unasked(&stop, "poller")
        });
        let (wake, bells) = (self.care.clone(), self.bells.clone());
        let mut care = care(&self.store, &self.clock, self.config.subscribe(), wake, bells)?;
        care.pulses = self.pulses.clone();
        care.begin().await?;
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            care.run(&stop).await;
            unasked(&stop, "care of tokens")
        });
        let loops = [self.poll.clone(), self.care.clone()];
        let (store, bells, stop) = (self.store.clone(), self.bells.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            watch_others(&store, &bells, &loops, &stop).await;
            unasked(&stop, "watch over the database")
        });
        Ok(())
    }

    /// The signs of life, from the moment on that systemd knows that the daemon has started.
    fn start_watchdog(&mut self, systemd: &Systemd) {
        let (systemd, stop) = (systemd.clone(), self.stop.clone());
        let (store, pulses) = (self.store.clone(), self.pulses.clone());
        self.tasks.spawn(async move {
            let alive = || {
                let (store, stuck) = (store.clone(), pulses.overdue());
                async move {
                    if let Some((name, late)) = stuck {
                        return Err(format!("the {name} is {} s late", late.as_secs()));
                    }
                    store.foreign_version().await.map(drop).map_err(|error| error.to_string())
                }
            };
            systemd.feed_watchdog(stop.clone(), alive).await;
            stop.cancelled().await;
            None
        });
    }

    /// The ticks. Without them every loop still wakes by itself.
    async fn start_schedule(&mut self) -> Option<Schedule> {
        let (hourly, daily) = (Wake::default(), Wake::default());
        let maintain = maintain::Maintain {
            store: self.store.clone(),
            clock: self.clock.clone(),
            config: self.config.subscribe(),
            hourly: hourly.clone(),
            daily: daily.clone(),
        };
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            maintain.run(&stop).await;
            unasked(&stop, "maintenance")
        });
        let ticks = vec![
            Tick { when: schedule::EVERY_MINUTE, wake: self.poll.clone() },
            Tick { when: schedule::HOURLY, wake: hourly },
            Tick { when: schedule::HOURLY, wake: self.care.clone() },
            Tick { when: schedule::DAILY, wake: daily },
        ];
        match Schedule::start(ticks).await {
            Ok(schedule) => Some(schedule),
            Err(error) => {
                tracing::warn!("{error}; going on without");
                None
            }
        }
    }

    /// Starts a worker for each account that has none.
    async fn start_missing_workers(&mut self) -> Result<(), AppError> {
        let config = self.config.borrow().clone();
        let shared = Shared::of(&config, self.shared.take())?;
        for label in config.accounts.keys() {
            if self.workers.contains_key(label) {
                continue;
            }
            let bell = Wake::default();
            let (wake, pulses) = (bell.clone(), self.pulses.clone());
            let worker =
                worker(&self.store, &self.clock, &config, &shared, label, wake, pulses).await?;
            let Some(worker) = worker else { continue };
            let running =
                Running { stop: self.stop.child_token(), ended: CancellationToken::new() };
            let (stop, ended) = (running.stop.clone(), running.ended.clone());
            let name = format!("worker of {label}");
            self.tasks.spawn(async move {
                let _ended = ended.drop_guard();
                worker.run(&stop).await;
                unasked(&stop, &name)
            });
            self.workers.insert(label.clone(), running);
            self.bells.add(label.clone(), bell);
        }
        self.shared = Some(shared);
        Ok(())
    }

    /// Does what it is told until it is told to stop, or a loop ends by itself.
    async fn obey(
        &mut self,
        orders: &Orders,
        systemd: &Systemd,
        applied: &(dyn Fn(&Config) + Send + Sync),
    ) -> Result<(), AppError> {
        loop {
            tokio::select! {
                biased;
                () = orders.stop.cancelled() => return Ok(()),
                Some(ended) = self.tasks.join_next() => {
                    if let Some(name) = ended.unwrap_or_else(|panic| Some(panic.to_string())) {
                        self.stop.cancel();
                        return Err(AppError::Ended(name));
                    }
                }
                () = orders.reload.notified() => {
                    systemd.reloading();
                    if let Err(error) = self.reload(applied).await {
                        self.stop.cancel();
                        return Err(error);
                    }
                    systemd.ready(&self.summary());
                }
                () = orders.poll.notified() => self.poll_now().await,
            }
        }
    }

    /// Makes every feed due now.
    async fn poll_now(&self) {
        let now = self.clock.now();
        match self.store.write(move |tx| feeds::poll_now(tx, None, now)).await {
            Ok(count) => {
                tracing::info!("polling {} now, as asked", report::count(count, "feed"));
            }
            Err(error) => tracing::error!("the feeds can't be polled now: {error}"),
        }
        self.poll.ring();
    }

    /// Waits until every loop has come to its end, and tidies the database.
    async fn drain(mut self) -> Result<(), AppError> {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        if let Err(error) = self.store.checkpoint().await {
            tracing::warn!("the database could not be tidied at the end: {error}");
        }
        tracing::info!("stopped");
        Ok(())
    }

    fn summary(&self) -> String {
        let config = self.config.borrow();
        let feeds = config.feeds.values().filter(|feed| feed.active).count();
        let accounts = config.accounts.values().filter(|account| account.active).count();
        format!("{}, {}", report::count(feeds, "feed"), report::count(accounts, "account"))
    }
}

/// What a loop is called that ended before `stop`: a bug, unlike one that was told to.
fn unasked(stop: &CancellationToken, name: &str) -> Option<String> {
    (!stop.is_cancelled()).then(|| name.to_owned())
}
