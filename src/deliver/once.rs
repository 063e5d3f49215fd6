//! Once: what an address gives, asked however many accounts want it.
//!
//! **Invariant:** one address is asked by one worker at a time, and not again while what it gave is
//! fresh; a failure is remembered for a moment, so that eight accounts don't wait eight times for a
//! server that is down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::sources::Trouble;

/// How long a failure is remembered.
const FAILED: Duration = Duration::from_secs(60);
/// How many addresses are remembered.
const KNOWN_MAX: usize = 512;

/// What addresses gave.
pub struct Once<T> {
    known: Mutex<HashMap<String, Arc<Slot<T>>>>,
    /// How long what one gave is taken to be what it gives.
    fresh: Duration,
}

/// What is known of one address. Who asks it holds the lock.
type Slot<T> = tokio::sync::Mutex<Option<(Instant, Result<T, Trouble>)>>;

impl<T: Clone> Once<T> {
    /// Nothing yet; what comes is taken to be true for `fresh`.
    pub fn new(fresh: Duration) -> Self {
        Self { known: Mutex::default(), fresh }
    }

    /// What `url` gave, where that is fresh and `serves`; else what comes of `asking`. Who stops
    /// waiting leaves the asking to the next one.
    ///
    /// # Errors
    /// Why nothing came, now or a moment ago.
    pub async fn get(
        &self,
        url: &str,
        serves: impl Fn(&T) -> bool,
        asking: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let slot = self.slot(url);
        let mut known = slot.lock().await;
        if let Some((at, answer)) = known.as_ref() {
            let holds = if answer.is_ok() { self.fresh } else { FAILED };
            if at.elapsed() < holds && answer.as_ref().map_or(true, serves) {
                return answer.clone();
            }
        }
        let answer = asking.await;
        *known = Some((Instant::now(), answer.clone()));
        answer
    }

    fn slot(&self, url: &str) -> Arc<Slot<T>> {
        let mut known = self.known.lock().expect("no code panics while it holds the lock");
        if known.len() >= KNOWN_MAX {
            // whoever is at work holds a share of their slot, and goes on
            known.clear();
        }
        Arc::clone(known.entry(url.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_is_asked_once_until_it_is_stale_or_does_not_serve() {
        let (once, asked) = (Once::new(Duration::from_secs(100)), AtomicU32::new(0));
        let ask = async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(asked.fetch_add(1, Ordering::Relaxed))
        };
        let get = |at_least: u32| once.get("a", move |known| *known >= at_least, ask());
        assert_eq!(tokio::join!(get(0), get(0), get(0)), (Ok(0), Ok(0), Ok(0)));
        assert_eq!(get(1).await, Ok(1), "what is known does not serve");
        assert_eq!(get(0).await, Ok(1));
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(get(0).await, Ok(2), "stale");
        assert_eq!(once.get("b", |_| true, ask()).await, Ok(3), "another address");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_holds_for_a_moment_and_who_gives_up_leaves_none() {
        let once = Once::<u32>::new(Duration::from_secs(100));
        let never = once.get("a", |_| true, std::future::pending());
        assert!(tokio::time::timeout(Duration::from_secs(5), never).await.is_err());
        let fail = async { Err(Trouble::lasting("no")) };
        assert!(once.get("a", |_| true, fail).await.is_err());
        assert!(once.get("a", |_| true, async { Ok(1) }).await.is_err(), "it was asked just now");
        tokio::time::advance(FAILED).await;
        assert_eq!(once.get("a", |_| true, async { Ok(1) }).await, Ok(1));
    }
}
