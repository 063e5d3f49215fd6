//! Reload: a changed config takes effect as a whole, or not at all.

use std::sync::Arc;

use super::build::same_shared;
use super::{AppError, Daemon, reconcile};
use crate::compose::template;
use crate::config::Config;
use crate::names::Label;
use crate::report;

impl Daemon {
    /// Loads the config again; a bad one changes nothing.
    ///
    /// # Errors
    /// The workers can't be started: the daemon must end, and be started anew.
    pub(super) async fn reload(
        &mut self,
        applied: &(dyn Fn(&Config) + Send + Sync),
    ) -> Result<(), AppError> {
        let path = self.path.clone();
        let loaded =
            tokio::task::spawn_blocking(move || Config::load(&path, template::check)).await;
        let mut config = match loaded.expect("loading a config does not panic") {
            Ok(config) => config,
            Err(problems) => {
                let count = report::count(problems.list.len(), "problem");
                tracing::error!("the config is not applied, the running one stays: {count}");
                for problem in &problems.list {
                    tracing::error!("{problem}");
                }
                return Ok(());
            }
        };
        let before = self.config.borrow().clone();
        if config.database != before.database {
            tracing::warn!("`database` is changed only by a restart");
            config.database.clone_from(&before.database);
        }
        // an attempt in flight ends first, with the credentials that it began with
        self.stop_changed_workers(&before, &config).await;
        let now = self.clock.now();
        match reconcile(&self.store, &config, now).await {
            Ok(reconciled) => {
                reconciled.say(now);
                applied(&config);
                self.config.send_replace(Arc::new(config));
            }
            Err(error) => {
                tracing::error!(
                    "the config is not applied, the running one stays, because of the database: \
                     {error}; reload again when that is mended"
                );
                return self.start_missing_workers().await;
            }
        }
        self.start_missing_workers().await?;
        self.poll.ring();
        self.care.ring();
        self.bells.ring(None);
        tracing::info!("reloaded: {}", self.summary());
        Ok(())
    }

    /// Ends the workers whose account is gone or other than before, after their attempt in flight.
    async fn stop_changed_workers(&mut self, before: &Config, now: &Config) {
        let same = |label: &Label| {
            before.accounts.get(label) == now.accounts.get(label)
                && before.defaults == now.defaults
                && before.people == now.people
                && same_shared(before, now)
        };
        let changed: Vec<Label> =
            self.workers.keys().filter(|label| !same(label)).cloned().collect();
        for label in &changed {
            self.workers[label].stop.cancel();
        }
        for label in changed {
            if let Some(running) = self.workers.get(&label) {
                running.ended.cancelled().await;
            }
            self.workers.remove(&label);
            self.bells.remove(&label);
        }
    }
}
