//! Build: the poller and the workers of a config.

use std::sync::Arc;

use tokio::sync::watch;

use super::AppError;
use super::bells::Bells;
use crate::care::Care;
use crate::clock::Clock;
use crate::config::Config;
use crate::deliver::Worker;
use crate::deliver::host::Host;
use crate::deliver::sources::Sources;
use crate::http;
use crate::http::guard::Guard;
use crate::names::Label;
use crate::platform::Way;
use crate::poll::{Poller, Turns};
use crate::publish;
use crate::pulse::Pulses;
use crate::shelf::Shelf;
use crate::store::{Store, accounts};
use crate::wake::Wake;

/// The poller of all feeds.
pub fn poller(
    store: &Store,
    clock: &Clock,
    config: watch::Receiver<Arc<Config>>,
    wake: Wake,
    bells: Bells,
    now: &Config,
) -> Result<Poller, AppError> {
    Ok(Poller {
        store: store.clone(),
        clock: clock.clone(),
        config,
        http: http::feeds(&http::user_agent(now.http.user_agent.as_deref()))?,
        wake,
        pulses: Pulses::default(),
        ring: Box::new(move |label| bells.ring(Some(label))),
        turns: Turns::default(),
    })
}

/// The loop that looks after the tokens of all accounts.
pub fn care(
    store: &Store,
    clock: &Clock,
    config: watch::Receiver<Arc<Config>>,
    wake: Wake,
    bells: Bells,
) -> Result<Care, AppError> {
    let now = config.borrow().clone();
    let user_agent = http::user_agent(now.http.user_agent.as_deref());
    let client = http::publishing(&user_agent, &now.delivery)?;
    let latest = config.clone();
    Ok(Care {
        store: store.clone(),
        clock: clock.clone(),
        config,
        open: Box::new(move |_, account| {
            publish::open(account, &client, &latest.borrow().delivery)
        }),
        wake,
        pulses: Pulses::default(),
        ring: Box::new(move |label| bells.ring(Some(label))),
    })
}

/// What the workers share: each client keeps its own copy of the machine's certificate
/// authorities, and what one account fetched is there for the others.
pub struct Shared {
    /// The config that it is made of.
    config: Arc<Config>,
    /// The client that publishes.
    client: http::Client,
    /// What drafts get from the web, where an account wants that.
    sources: Option<Arc<Sources>>,
    /// Where fitted images are served from.
    host: Option<Host>,
}

impl Shared {
    /// What the workers of `config` share: `before`, where that would be the same.
    pub fn of(config: &Arc<Config>, before: Option<Self>) -> Result<Self, AppError> {
        let shared = match before.filter(|before| before.serves(config)) {
            Some(before) => Self { config: Arc::clone(config), ..before },
            None => Self::new(config)?,
        };
        if let Some(sources) = &shared.sources {
            let active = config.accounts.iter().filter(|(_, account)| account.active);
            sources.serve(active.map(|(label, it)| (label.as_str(), it.platform.media())));
        }
        Ok(shared)
    }

    fn new(config: &Arc<Config>) -> Result<Self, AppError> {
        let user_agent = http::user_agent(config.http.user_agent.as_deref());
        let client = http::publishing(&user_agent, &config.delivery)?;
        let sources = if fetches(config) {
            let guard = Guard::new(&user_agent, &config.http.allow_private)?;
            let shelf = Shelf::beside(&config.database).with_room_for(config.media.cache_bytes_max);
            Some(Arc::new(Sources::new(guard, shelf)))
        } else {
            None
        };
        let host = config.media_host.as_ref().map(Host::new);
        Ok(Self { config: Arc::clone(config), client, sources, host })
    }

    /// Whether it would be the same for another config.
    fn serves(&self, config: &Config) -> bool {
        same_shared(&self.config, config) && self.sources.is_some() == fetches(config)
    }
}

/// Whether the workers of both configs share the same.
pub fn same_shared(one: &Config, other: &Config) -> bool {
    one.http == other.http
        && one.delivery == other.delivery
        && one.media == other.media
        && one.media_host == other.media_host
}

/// Whether an account gets something from the web.
fn fetches(config: &Config) -> bool {
    let mut active = config.accounts.values().filter(|account| account.active);
    active.any(|account| account.platform.media().way != Way::Noted)
}

/// The worker of an account that is active and known to the database.
pub async fn worker(
    store: &Store,
    clock: &Clock,
    config: &Config,
    shared: &Shared,
    label: &Label,
    wake: Wake,
    pulses: Pulses,
) -> Result<Option<Worker>, AppError> {
    let Some(account) = config.accounts.get(label).filter(|account| account.active) else {
        return Ok(None);
    };
    let wanted = label.clone();
    let row = store.read(move |db| accounts::by_label(db, &wanted)).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Worker {
        store: store.clone(),
        clock: clock.clone(),
        account: row.id,
        label: label.clone(),
        config: account.clone(),
        defaults: config.defaults.clone(),
        people: Arc::new(config.people.clone()),
        delivery: config.delivery.clone(),
        publisher: publish::open(account, &shared.client, &config.delivery),
        sources: shared.sources.clone(),
        host: shared.host.clone(),
        wake,
        pulses,
    }))
}
