//! Bells: one for each account, and who rings them.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::names::Label;
use crate::store::Store;
use crate::wake::Wake;

/// How often another process is looked for that changed the database.
const WATCH_EVERY: Duration = Duration::from_millis(500);

/// The bells of the accounts. Clones are the same bells.
#[derive(Clone, Debug, Default)]
pub struct Bells(Arc<RwLock<BTreeMap<Label, Wake>>>);

impl Bells {
    /// Rings one account, or all.
    pub fn ring(&self, label: Option<&Label>) {
        let bells = self.0.read().expect("no code panics while it holds the lock");
        bells
            .iter()
            .filter(|(name, _)| label.is_none_or(|label| label == *name))
            .for_each(|(_, bell)| bell.ring());
    }

    /// Hangs up the bell of an account.
    pub fn add(&self, label: Label, bell: Wake) {
        self.0.write().expect("no code panics while it holds the lock").insert(label, bell);
    }

    /// Takes the bell of an account down.
    pub fn remove(&self, label: &Label) {
        self.0.write().expect("no code panics while it holds the lock").remove(label);
    }
}

/// Rings every loop when a command changed the database.
pub async fn watch_others(store: &Store, bells: &Bells, loops: &[Wake], stop: &CancellationToken) {
    let mut seen = store.foreign_version().await.ok();
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(WATCH_EVERY) => {}
        }
        let version = store.foreign_version().await.ok();
        if version.is_some() && std::mem::replace(&mut seen, version) != version {
            loops.iter().for_each(Wake::ring);
            bells.ring(None);
        }
    }
}
