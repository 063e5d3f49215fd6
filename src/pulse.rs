//! Pulse: when each loop was last seen alive, and by when it wants to be seen again.
//!
//! A loop knows itself how long its next step may take: a poll a minute, an upload ten. So it
//! promises at every beat, and who breaks a promise is stuck.
//! **Refuses:** to judge a loop by a limit that somebody else has guessed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The promises of all loops. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Pulses(Arc<Mutex<BTreeMap<String, Instant>>>);

impl Pulses {
    /// `name` is alive, and says so again before `within` has passed.
    pub fn beat(&self, name: &str, within: Duration) {
        self.lock().insert(name.to_owned(), Instant::now() + within);
    }

    /// `name` has ended, as it should.
    pub fn end(&self, name: &str) {
        self.lock().remove(name);
    }

    /// The loop that has broken its promise for the longest time, with that time.
    pub fn overdue(&self) -> Option<(String, Duration)> {
        let promises = self.lock();
        let (name, due) = promises.iter().min_by_key(|(_, due)| **due)?;
        let late = Instant::now().checked_duration_since(*due).filter(|late| !late.is_zero())?;
        Some((name.clone(), late))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    #[allow(clippy::disallowed_methods)] // tokio's own clock
    async fn who_breaks_its_promise_is_named() {
        let pulses = Pulses::default();
        pulses.beat("poller", Duration::from_secs(90));
        pulses.beat("account fedi", Duration::from_secs(600));
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(pulses.overdue(), None);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(pulses.overdue(), Some(("poller".into(), Duration::from_secs(5))));
        pulses.beat("poller", Duration::from_secs(3600));
        assert_eq!(pulses.overdue(), None);
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!(pulses.overdue().unwrap().0, "account fedi");
        pulses.end("account fedi");
        assert_eq!(pulses.overdue(), None);
    }
}
