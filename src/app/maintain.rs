//! Maintain: what is done now and then: the log of the database is written back, what retention no
//! longer keeps is dropped, and what was served of settled posts is taken away.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::deliver::host::Host;
use crate::store::{Result, Store, crossposts, entries};
use crate::wake::Wake;

/// The loop of maintenance.
pub struct Maintain {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The config, which a reload exchanges.
    pub config: watch::Receiver<Arc<Config>>,
    /// Rung once an hour.
    pub hourly: Wake,
    /// Rung once a day.
    pub daily: Wake,
}

impl Maintain {
    /// Works until `stop`. With nobody to ring, it works by itself, a little later.
    pub async fn run(&self, stop: &CancellationToken) {
        let hours = |n: u64| Duration::from_secs(n * 3600);
        if let Err(error) = self.unhost().await {
            tracing::warn!("the folder of `[media_host]` could not be tidied: {error}");
        }
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                _ = self.hourly.sleep(hours(2)) => self.store.checkpoint().await,
                _ = self.daily.sleep(hours(26)) => match self.prune().await {
                    Ok(()) => self.unhost().await,
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = done {
                tracing::warn!("the database could not be tidied: {error}");
            }
        }
    }

    /// Drops what retention no longer keeps. Ids and receipts are kept for ever.
    async fn prune(&self) -> Result<()> {
        let retention = self.config.borrow().retention.clone();
        let now = self.clock.now();
        let (bodies, attempts) = self
            .store
            .write(move |tx| {
                Ok((
                    entries::prune_bodies(tx, now.minus(retention.bodies))?,
                    crossposts::prune_attempts(tx, now.minus(retention.attempts))?,
                ))
            })
            .await?;
        tracing::debug!(bodies, attempts, "dropped what retention no longer keeps");
        Ok(())
    }

    /// Takes away what a worker did not, because the daemon ended just then.
    async fn unhost(&self) -> Result<()> {
        let Some(host) = self.config.borrow().media_host.as_ref().map(Host::new) else {
            return Ok(());
        };
        self.store
            .read(move |db| {
                let settled = crossposts::settled_of(db, &host.owners())?;
                host.clear(|owner| settled.contains(&owner));
                Ok(())
            })
            .await
    }
}
