//! Schedule: cron expressions to rings of bells; the only file that names tokio_cron_scheduler.
//!
//! The scheduler drops runs under load, forgets jobs after a stall, lets runs overlap and awaits
//! none at shutdown. So a job does one thing, it rings; due times live in the database, and each
//! loop wakes by itself as well. UTC only, because the scheduler freezes a zone's offset.
//! **Invariant:** with the scheduler dead the daemon works on, only less promptly.

use thiserror::Error;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::wake::Wake;

/// At second 0 of every minute: the poller looks for feeds that are due.
pub const EVERY_MINUTE: &str = "0 * * * * *";
/// At 17 past every hour: the write-ahead log goes back into the database.
pub const HOURLY: &str = "0 17 * * * *";
/// At 03:43 UTC: what retention no longer keeps is dropped. Off the hour, where everybody works.
pub const DAILY: &str = "0 43 3 * * *";

/// A bell and when it rings.
#[derive(Clone, Debug)]
pub struct Tick {
    /// Six fields, seconds first, in UTC.
    pub when: &'static str,
    /// What rings.
    pub wake: Wake,
}

/// The ticks did not start.
#[derive(Debug, Error)]
#[error("failed to start the ticks: {0}")]
pub struct ScheduleError(#[from] JobSchedulerError);

/// The running ticks.
pub struct Schedule(JobScheduler);

impl Schedule {
    /// Starts all `ticks`.
    /// # Errors  `ScheduleError` for an expression that is none; the caller may go on without.
    pub async fn start(ticks: Vec<Tick>) -> Result<Self, ScheduleError> {
        let scheduler = JobScheduler::new().await?;
        for Tick { when, wake } in ticks {
            // never a repeated job: those die of a stall (its issue 113)
            scheduler.add(Job::new(when, move |_, _| wake.ring())?).await?;
        }
        scheduler.start().await?;
        Ok(Self(scheduler))
    }

    /// Ends the ticks. A ring may still follow, and finds nobody asleep.
    pub async fn stop(mut self) {
        // the only error is that it is not running, which is what we want
        let _ = self.0.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::*;

    const EVERY_SECOND: &str = "* * * * * *";
    const HOUR: Duration = Duration::from_secs(3600);

    /// A loop of the daemon: works, then sleeps until it is woken, at most for `longest`. Ends with
    /// `stop`; tells of each turn whether a ring began it.
    async fn turns(
        wake: Wake,
        longest: Duration,
        stop: CancellationToken,
        seen: tokio::sync::mpsc::UnboundedSender<bool>,
    ) {
        while let Some(rung) = stop.run_until_cancelled(wake.sleep(longest)).await {
            let _ = seen.send(rung);
        }
    }

    #[tokio::test]
    async fn a_tick_wakes_a_loop_that_would_sleep_for_an_hour() {
        let (wake, stop) = (Wake::default(), CancellationToken::new());
        let (tell, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let tick = Tick { when: EVERY_SECOND, wake: wake.clone() };
        let schedule = Schedule::start(vec![tick]).await.unwrap();
        let watch = async {
            assert_eq!(seen.recv().await, Some(true));
            assert_eq!(seen.recv().await, Some(true), "only the first tick woke it");
            schedule.stop().await;
            stop.cancel();
        };
        tokio::join!(turns(wake, HOUR, stop.clone(), tell), watch);
    }

    #[tokio::test]
    async fn without_the_scheduler_a_loop_goes_on_by_itself() {
        let (wake, stop) = (Wake::default(), CancellationToken::new());
        let (tell, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let tick = Tick { when: EVERY_SECOND, wake: wake.clone() };
        Schedule::start(vec![tick]).await.unwrap().stop().await;
        let watch = async {
            let mut by_itself = 0;
            while by_itself < 5 {
                by_itself += u32::from(seen.recv().await == Some(false));
            }
            stop.cancel();
        };
        tokio::join!(turns(wake, Duration::from_millis(5), stop.clone(), tell), watch);
    }

    #[tokio::test]
    async fn a_loop_that_is_busy_holds_no_tick_up_and_gets_one_ring_for_many() {
        let (busy, idle) = (Wake::default(), Wake::default());
        let ticks = [&busy, &idle].map(|wake| Tick { when: EVERY_SECOND, wake: wake.clone() });
        let schedule = Schedule::start(ticks.into()).await.unwrap();
        for _ in 0..2 {
            assert!(idle.sleep(HOUR).await);
        }
        schedule.stop().await;
        assert!(busy.sleep(HOUR).await, "the rings during its work were lost");
        assert!(!busy.sleep(Duration::from_millis(5)).await, "the rings queued up");
    }

    #[tokio::test]
    async fn the_expressions_in_use_are_taken_and_five_fields_refused() {
        for when in [EVERY_MINUTE, HOURLY, DAILY] {
            let tick = Tick { when, wake: Wake::default() };
            Schedule::start(vec![tick]).await.unwrap().stop().await;
        }
        let five = Tick { when: "* * * * *", wake: Wake::default() };
        assert!(Schedule::start(vec![five]).await.is_err());
    }
}
