//! Build: the poller and the workers of a config.

use std::sync::Arc;

use tokio::sync::watch;

use super::AppError;
use super::bells::Bells;
use crate::clock::Clock;
use crate::config::Config;
use crate::deliver::Worker;
use crate::http;
use crate::names::Label;
use crate::poll::{Poller, Turns};
use crate::publish;
use crate::pulse::Pulses;
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

/// The client that publishes, one for all accounts: each keeps its own copy of the machine's
/// certificate authorities.
pub fn client(config: &Config) -> Result<http::Client, AppError> {
    let user_agent = http::user_agent(config.http.user_agent.as_deref());
    Ok(http::publishing(&user_agent, &config.delivery)?)
}

/// The worker of an account that is active and known to the database.
pub async fn worker(
    store: &Store,
    clock: &Clock,
    config: &Config,
    client: &http::Client,
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
        publisher: publish::open(account, client, &config.delivery),
        wake,
        pulses,
    }))
}
