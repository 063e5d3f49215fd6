//! Rest: the pauses that an account makes: those that were asked for, and those that are wise.
//!
//! What was learnt on one call holds the next post, so it is kept in the account's memory.
//! **Invariant:** each pause is told once: a person who ends it has ended it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::usage::{self, Usage};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::publish::{Desk, NotebookError};

/// Where the account's memory holds it.
const NOTE: &str = "meta.rest";
/// The first pause at a limit that names no time; doubled each time, up to `PAUSE_MAX`.
const PAUSE: Duration = Duration::from_secs(15 * 60);
/// The longest of those.
const PAUSE_MAX: Duration = Duration::from_secs(3600);
/// After so long without a limit the first pause is short again.
const CALM: Duration = Duration::from_secs(6 * 3600);
/// The distance of posts while much of the allowance is used.
const SLOW: Duration = Duration::from_secs(5 * 60);

/// What the account remembers of its pauses.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Rest {
    /// Nothing is sent before this.
    until: Option<Timestamp>,
    /// Why, for the owner.
    why: String,
    /// What the owner should do, where the account is parked for it.
    hint: Option<String>,
    /// How many limits came one after the other.
    times: u32,
    /// When the last of them came.
    at: Option<Timestamp>,
}

async fn read(desk: &Desk<'_>) -> Result<Rest, NotebookError> {
    let note = desk.memory.read(NOTE).await?.unwrap_or_default();
    Ok(serde_json::from_value(note).unwrap_or_default())
}

async fn write(desk: &Desk<'_>, rest: &Rest) -> Result<(), NotebookError> {
    let note = serde_json::to_value(rest).expect("plain data can be written as JSON");
    desk.memory.write(NOTE, note).await
}

/// Whether the account may post now.
///
/// # Errors
/// `RateLimited` or `Account` with the end of the pause; nothing was sent.
pub async fn may_post(desk: &Desk<'_>) -> Result<(), Failure> {
    let mut rest = read(desk).await?;
    let Some(until) = rest.until.take() else { return Ok(()) };
    let (why, hint) = (std::mem::take(&mut rest.why), rest.hint.take());
    write(desk, &rest).await?;
    if until <= desk.clock.now() {
        return Ok(());
    }
    let class = match hint {
        Some(hint) => Class::Account { until: Some(until), hint },
        None => Class::RateLimited { not_before: Some(until) },
    };
    Err(Failure { class, message: why })
}

/// Takes down what the headers of an answer say: the next post waits while the allowance is
/// nearly used up. A note that can't be written is only a pause that is not made.
pub async fn heed(desk: &Desk<'_>, usage: Usage) {
    let now = desk.clock.now();
    let wait = match usage.percent {
        usage::STOP.. => usage.regain.unwrap_or(PAUSE),
        usage::SLOW.. => SLOW,
        _ => return,
    };
    let why = format!("{} % of what Meta allows this account is used", usage.percent);
    let _ = begin(desk, now.plus(wait), why, None).await;
}

/// Makes the account pause until then; with `hint`, parked.
///
/// # Errors
/// The note could not be committed.
pub async fn begin(
    desk: &Desk<'_>,
    until: Timestamp,
    why: String,
    hint: Option<String>,
) -> Result<(), NotebookError> {
    let mut rest = read(desk).await?;
    if rest.until.is_none_or(|old| old < until) || hint.is_some() {
        rest = Rest { until: Some(until), why, hint, ..rest };
        write(desk, &rest).await?;
    }
    Ok(())
}

/// When an account that was told to slow down may go on: when the answer says, else after 15
/// minutes, 30 minutes, an hour.
pub async fn after_limit(desk: &Desk<'_>, usage: Usage) -> Timestamp {
    let now = desk.clock.now();
    if let Some(regain) = usage.regain {
        return now.plus(regain);
    }
    let mut rest = read(desk).await.unwrap_or_default();
    if rest.at.is_none_or(|at| now.since(at) > CALM) {
        rest.times = 0;
    }
    let pause = (PAUSE * 2_u32.pow(rest.times.min(4))).min(PAUSE_MAX);
    (rest.times, rest.at) = (rest.times.saturating_add(1), Some(now));
    let _ = write(desk, &rest).await; // unwritten, the next pause is short again
    now.plus(pause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::publish::Scratch;

    fn desk<'a>(memory: &'a Scratch, clock: &'a Clock) -> Desk<'a> {
        Desk { crosspost: None, journal: memory, memory, clock, shelf: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_nearly_used_allowance_slows_down_and_then_stops() {
        let clock = Clock::virtual_from(Timestamp::from_secs(1_800_000_000));
        let check = async |percent: u32, regain: Option<u64>, expect: Option<u64>| {
            let memory = Scratch::default();
            let desk = desk(&memory, &clock);
            heed(&desk, Usage { percent, regain: regain.map(Duration::from_secs) }).await;
            let now = clock.now();
            let wait = match may_post(&desk).await.map_err(|failure| failure.class) {
                Ok(()) => None,
                Err(Class::RateLimited { not_before: Some(at) }) => Some(at.since(now).as_secs()),
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(wait, expect, "{percent} %");
            may_post(&desk).await.expect("a pause is told once");
        };
        check(79, None, None).await;
        check(80, None, Some(300)).await;
        check(94, Some(60), Some(300)).await;
        check(95, Some(720), Some(720)).await;
        check(130, None, Some(900)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn limits_without_a_time_wait_longer_each_time() {
        let clock = Clock::virtual_from(Timestamp::from_secs(1_800_000_000));
        let memory = Scratch::default();
        let desk = desk(&memory, &clock);
        let mut waits = Vec::new();
        for _ in 0..4 {
            let at = after_limit(&desk, Usage::default()).await;
            waits.push(at.since(clock.now()).as_secs() / 60);
        }
        assert_eq!(waits, [15, 30, 60, 60]);
        tokio::time::advance(CALM * 2).await;
        let at = after_limit(&desk, Usage::default()).await;
        assert_eq!(at.since(clock.now()).as_secs(), 900);
        let said = Usage { percent: 100, regain: Some(Duration::from_secs(120)) };
        assert_eq!(after_limit(&desk, said).await.since(clock.now()).as_secs(), 120);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_is_over_holds_nobody_and_the_longer_one_counts() {
        let clock = Clock::virtual_from(Timestamp::from_secs(1_800_000_000));
        let memory = Scratch::default();
        let desk = desk(&memory, &clock);
        let at = |seconds| clock.now().plus(Duration::from_secs(seconds));
        begin(&desk, at(500), "long".into(), None).await.unwrap();
        begin(&desk, at(100), "short".into(), None).await.unwrap();
        assert_eq!(may_post(&desk).await.unwrap_err().message, "long");
        begin(&desk, at(100), "flagged".into(), Some("look".into())).await.unwrap();
        tokio::time::advance(Duration::from_secs(101)).await;
        may_post(&desk).await.expect("it is over");
    }
}
