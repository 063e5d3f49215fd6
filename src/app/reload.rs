//! Reload: a changed config takes effect as a whole, or not at all.

use std::sync::Arc;

use super::{AppError, Daemon, reconcile};
use crate::config::Config;
use crate::names::Label;
use crate::report;

impl Daemon {
    /// Loads the config again; a bad one changes nothing.
    pub(super) async fn reload(
        &mut self,
        applied: &(dyn Fn(&Config) + Send + Sync),
    ) -> Result<(), AppError> {
        let path = self.path.clone();
        let loaded = tokio::task::spawn_blocking(move || Config::load(&path)).await;
        let mut config = match loaded.expect("loading a config does not panic") {
            Ok(config) => config,
            Err(problems) => {
                tracing::error!("the config is not applied, the running one stays: {problems}");
                return Ok(());
            }
        };
        let before = self.config.borrow().clone();
        if config.database != before.database {
            tracing::warn!("`database` is changed only by a restart");
            config.database.clone_from(&before.database);
        }
        applied(&config);
        let woken = reconcile(&self.store, &config, self.clock.now()).await?;
        let config = Arc::new(config);
        self.config.send_replace(Arc::clone(&config));
        self.stop_changed_workers(&before, &config).await;
        self.start_missing_workers().await?;
        for label in woken {
            let now = self.clock.now();
            report::resolved(
                &report::account_incident(&label.0),
                label.1,
                now,
                &format!("{} has new credentials and publishes again", label.0),
            );
        }
        self.poll.ring();
        self.bells.ring(None);
        tracing::info!("reloaded: {}", self.summary());
        Ok(())
    }

    /// Ends the workers whose account is gone or other than before, after their attempt in flight.
    async fn stop_changed_workers(&mut self, before: &Config, now: &Config) {
        let same = |label: &Label| {
            before.accounts.get(label) == now.accounts.get(label)
                && before.defaults == now.defaults
                && before.delivery == now.delivery
                && before.http == now.http
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
