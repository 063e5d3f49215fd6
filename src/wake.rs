//! Wake: what rouses a sleeping loop before its own time.
//!
//! Every loop also wakes by itself, after the longest sleep that it allows, so that a bell that
//! nobody rings any more costs a little patience and no work.
//! **Invariant:** a ring is never lost: one that comes while the loop works ends its next sleep at
//! once. Rings do not queue up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

/// A bell, and the sleep that it ends. Clones are the same bell; one loop sleeps by it.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Ends the sleep of the loop, or its next one. Never waits.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Sleeps until the bell rings, at most for `longest`. Whether it rang.
    pub async fn sleep(&self, longest: Duration) -> bool {
        tokio::time::timeout(longest, self.0.notified()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn a_ring_during_the_work_ends_the_next_sleep_and_only_that() {
        let wake = Wake::default();
        wake.ring();
        wake.clone().ring();
        let start = tokio::time::Instant::now();
        assert!(wake.sleep(HOUR).await);
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(!wake.sleep(HOUR).await);
        assert_eq!(start.elapsed(), HOUR);
    }
}
