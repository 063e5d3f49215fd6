//! Clock: the only place that asks the system what time it is.
//!
//! Everything else takes `now: Timestamp` as an argument, so that a day can be tested in a
//! millisecond. **Invariant:** timestamps are UTC milliseconds everywhere: in memory, in SQL and
//! (as RFC 3339) in JSON.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// A moment: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `seconds` seconds after the Unix epoch, as rate-limit headers count.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Reads an RFC 3339 date with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| Self(at.timestamp_millis()))
    }

    /// RFC 3339 in UTC with milliseconds and `Z`: `2026-11-23T17:20:00.000Z`.
    pub fn to_rfc3339(self) -> String {
        self.to_datetime().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// This moment as a chrono date; moments beyond chrono's range become its epoch.
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }

    /// The moment `by` later, saturating.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// The moment `by` earlier, saturating.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }

    /// How long after `earlier` this moment is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_millis())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// Where `now` comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's wall clock.
    System,
    /// Tokio's clock (which tests pause and advance), laid over a fixed start.
    Virtual {
        /// What time it was at `started`.
        epoch: Timestamp,
        /// Tokio's own time at which this clock was made.
        started: Instant,
    },
    /// A virtual clock that somebody sets while it runs.
    Set {
        /// The clock as it would be.
        virtually: Box<Clock>,
        /// By how many milliseconds it is ahead of that; every copy of the clock knows.
        ahead_ms: Arc<AtomicI64>,
    },
}

impl Clock {
    /// A clock that starts at `epoch` and moves with tokio's clock.
    pub fn virtual_from(epoch: Timestamp) -> Self {
        Self::Virtual { epoch, started: Instant::now() }
    }

    /// The same, and what sets it: by how many milliseconds it is ahead.
    pub fn settable_from(epoch: Timestamp) -> (Self, Arc<AtomicI64>) {
        let ahead_ms = Arc::new(AtomicI64::new(0));
        let virtually = Box::new(Self::virtual_from(epoch));
        (Self::Set { virtually, ahead_ms: Arc::clone(&ahead_ms) }, ahead_ms)
    }

    /// The present moment.
    #[allow(clippy::disallowed_methods)] // the one place that may ask
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Utc::now().into(),
            Self::Virtual { epoch, started } => epoch.plus(started.elapsed()),
            Self::Set { virtually, ahead_ms } => {
                let ahead = ahead_ms.load(Ordering::Relaxed);
                Timestamp::from_millis(virtually.now().as_millis().saturating_add(ahead))
            }
        }
    }

    /// Waits until `due`, but at most `most`, so that a clock that jumps is noticed.
    pub async fn sleep_until(&self, due: Timestamp, most: Duration) {
        tokio::time::sleep(due.since(self.now()).min(most)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_and_write_rfc3339() {
        let at = Timestamp::parse_rfc3339("2026-11-23T18:20:00.5+01:00").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-11-23T17:20:00.500Z");
        assert_eq!(Timestamp::from_secs(1), Timestamp::from_millis(1000));
    }

    #[test]
    fn since_never_goes_below_zero() {
        let (early, late) = (Timestamp::from_secs(1), Timestamp::from_secs(3));
        assert_eq!(late.since(early), Duration::from_secs(2));
        assert_eq!(early.since(late), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_a_clock_sees_that_it_is_set() {
        let (clock, ahead_ms) = Clock::settable_from(Timestamp::from_secs(100));
        let copy = clock.clone();
        ahead_ms.store(-2000, Ordering::Relaxed);
        assert_eq!(copy.now(), Timestamp::from_secs(98));
    }

    #[tokio::test(start_paused = true)]
    async fn a_virtual_clock_moves_with_tokio() {
        let clock = Clock::virtual_from(Timestamp::from_secs(100));
        clock.sleep_until(Timestamp::from_secs(100 + 86_400), Duration::MAX).await;
        assert_eq!(clock.now(), Timestamp::from_secs(100 + 86_400));
    }
}
