//! Cadence: when a feed is asked next. Pure: no clock, no state.
//!
//! The owner's `poll` is the least distance between two *attempts*, whatever became of them. What
//! a server asks for can only make it later, never sooner. **Invariant:** the next poll is never
//! nearer than the distance; `Retry-After` always counts; there is no instant retry.

use std::time::Duration;

use chrono::DateTime;
use croner::Cron;
use url::Url;

use crate::clock::Timestamp;
use crate::config::Cadence;
use crate::zone::Zone;

/// Between attempts when the owner said nothing and the request can be conditional: it is their
/// own site, and a 304 costs nothing.
pub const AUTO_CONDITIONAL: Duration = Duration::from_secs(60);
/// Between attempts when the owner said nothing and every answer is a whole body.
pub const AUTO_PLAIN: Duration = Duration::from_secs(5 * 60);
/// As far as `max-age`, `Expires` and `ttl` can push a poll.
pub const HINT_MAX: Duration = Duration::from_secs(3600);
/// As far as errors in a row can push a poll.
pub const BACKOFF_MAX: Duration = Duration::from_secs(6 * 3600);
/// As far as `Retry-After` can push a poll.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// Jitter is at most this part of the distance …
const JITTER_PART: u32 = 10;
/// … and at most this long: it spreads requests, it doesn't delay posts.
const JITTER_MAX: Duration = Duration::from_secs(30);

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has only begun. The caller commits that next poll *before* it asks, so that a daemon
    /// that crashes on a feed and starts again polls it no more often.
    Started,
    /// A usable feed, changed or not.
    Usable,
    /// Anything else that isn't one of the two below, an unusable body included.
    Failed,
    /// 429: as `Failed`, but at least twice the distance.
    Limited,
    /// 410: never again, until the owner says so.
    Gone,
}

/// One attempt, and what was learnt by it.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// When it was made.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: Outcome,
    /// Failures in a row, this one included; not looked at when it did not fail.
    pub errors: u32,
    /// Whether the next request can be conditional: validators are known, or it is a local file.
    pub conditional: bool,
    /// For how long the server calls the answer fresh.
    pub fresh_for: Option<Duration>,
    /// `ttl` (or `sy:updatePeriod`) of the feed itself.
    pub ttl: Option<Duration>,
    /// `Retry-After`, not clamped.
    pub retry_after: Option<Timestamp>,
    /// Of the feed: see [`seed`].
    pub seed: u64,
}

/// A number of the feed's own for its jitter: FNV-1a over its URL, the same in every process.
pub fn seed(url: &Url) -> u64 {
    url.as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

/// When the feed is asked next; `None`: never.
pub fn next_poll(cadence: &Cadence, attempt: &Attempt) -> Option<Timestamp> {
    if attempt.outcome == Outcome::Gone {
        return None;
    }
    let next = match cadence {
        Cadence::Auto if attempt.conditional => auto(AUTO_CONDITIONAL, attempt),
        Cadence::Auto => auto(AUTO_PLAIN, attempt),
        Cadence::Every(distance) => {
            attempt.at.plus(spread(distance_after(*distance, attempt), attempt))
        }
        Cadence::Cron { expression, timezone } => cron(expression, timezone, attempt)?,
    };
    let asked = attempt.retry_after.unwrap_or(attempt.at).min(attempt.at.plus(RETRY_AFTER_MAX));
    Some(match cadence {
        Cadence::Cron { expression, timezone } if asked > next => {
            occurrence(expression, timezone, asked, true)?
        }
        _ => next.max(asked),
    })
}

/// The owner left it to us: the feed's own wishes count, up to an hour.
fn auto(distance: Duration, attempt: &Attempt) -> Timestamp {
    let spread = spread(distance_after(distance, attempt), attempt);
    let hint = attempt.fresh_for.max(attempt.ttl).unwrap_or_default().min(HINT_MAX);
    let heard = attempt.outcome == Outcome::Usable && hint > distance;
    attempt.at.plus(if heard { (hint + jitter(hint, attempt)).min(HINT_MAX) } else { spread })
}

/// The distance to the next attempt, before jitter.
fn distance_after(distance: Duration, attempt: &Attempt) -> Duration {
    let told = attempt.retry_after.is_some_and(|at| at >= attempt.at.plus(distance));
    let doublings = match attempt.outcome {
        // the server itself says when: no need to guess
        Outcome::Failed | Outcome::Limited if told => return distance,
        Outcome::Failed => attempt.errors.saturating_sub(1),
        Outcome::Limited => attempt.errors.max(1),
        Outcome::Started | Outcome::Usable | Outcome::Gone => return distance,
    };
    let least =
        if attempt.outcome == Outcome::Limited { distance.saturating_mul(2) } else { distance };
    distance.saturating_mul(2_u32.saturating_pow(doublings)).min(BACKOFF_MAX).max(least)
}

/// `distance` and its jitter; what was cut to the longest backoff stays there.
fn spread(distance: Duration, attempt: &Attempt) -> Duration {
    let spread = distance.saturating_add(jitter(distance, attempt));
    if distance <= BACKOFF_MAX { spread.min(BACKOFF_MAX) } else { spread }
}

/// From nothing to a tenth of `distance`, other for each feed and each attempt.
fn jitter(distance: Duration, attempt: &Attempt) -> Duration {
    let most = (distance / JITTER_PART).min(JITTER_MAX);
    // splitmix64: neighbouring seeds and moments give unrelated numbers
    let mut mixed = attempt.seed ^ attempt.at.as_millis().cast_unsigned();
    mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let part = u32::try_from((mixed ^ (mixed >> 31)) >> 48).expect("16 bits are left");
    most * part / (1 << 16)
}

/// The next time of the expression. Failures pass over as many times as they would double the
/// distance, since the owner's times are the only ones.
fn cron(expression: &Cron, zone: &Zone, attempt: &Attempt) -> Option<Timestamp> {
    let next = occurrence(expression, zone, attempt.at, false)?;
    let Some(second) = occurrence(expression, zone, next, false) else { return Some(next) };
    let step = second.since(next);
    let wait = distance_after(step, attempt);
    if wait <= step {
        return Some(next);
    }
    occurrence(expression, zone, next.plus(wait - step), true)
}

/// The first time of the expression after `from`, or at it when `inclusive`.
fn occurrence(
    expression: &Cron,
    zone: &Zone,
    from: Timestamp,
    inclusive: bool,
) -> Option<Timestamp> {
    let from: DateTime<Zone> = from.to_datetime().with_timezone(zone);
    let at = expression.find_next_occurrence(&from, inclusive).ok()?;
    Some(at.to_utc().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;
    const HOUR: u64 = 3600;
    const NOW: Timestamp = Timestamp::from_secs(1_770_000_000);

    fn usable() -> Attempt {
        Attempt {
            at: NOW,
            outcome: Outcome::Usable,
            errors: 0,
            conditional: true,
            fresh_for: None,
            ttl: None,
            retry_after: None,
            seed: 7,
        }
    }

    fn failed(errors: u32) -> Attempt {
        Attempt { outcome: Outcome::Failed, errors, ..usable() }
    }

    fn every(seconds: u64) -> Cadence {
        Cadence::Every(Duration::from_secs(seconds))
    }

    fn after(seconds: u64) -> Option<Timestamp> {
        Some(NOW.plus(Duration::from_secs(seconds)))
    }

    /// The next poll is `expect` seconds away, and at most a tenth more (30 s at most), for
    /// every one of many feeds.
    fn check(cadence: &Cadence, attempt: Attempt, expect: u64) {
        let expect = Duration::from_secs(expect);
        for seed in 0..200 {
            let next = next_poll(cadence, &Attempt { seed, ..attempt }).unwrap().since(NOW);
            let most = expect + (expect / 10).min(JITTER_MAX);
            assert!((expect..=most).contains(&next), "{next:?} for {expect:?}: {attempt:?}");
        }
    }

    #[test]
    fn the_distance_is_the_owners_else_a_minute_or_five() {
        check(&Cadence::Auto, usable(), MINUTE);
        check(&Cadence::Auto, Attempt { conditional: false, ..usable() }, 5 * MINUTE);
        check(&every(90), usable(), 90);
        check(&every(90), Attempt { conditional: false, ..usable() }, 90);
        check(&every(24 * HOUR), usable(), 24 * HOUR);
        let soon = Cadence::Every(Duration::from_millis(200));
        let next = next_poll(&soon, &usable()).unwrap().since(NOW).as_millis();
        assert!((200..=220).contains(&next), "{next} ms");
    }

    #[test]
    fn an_attempt_that_has_only_begun_keeps_the_distance() {
        let started = Attempt { outcome: Outcome::Started, errors: 9, ..usable() };
        check(&Cadence::Auto, started, MINUTE);
        check(&every(90), started, 90);
    }

    #[test]
    fn hints_push_later_up_to_an_hour_and_only_where_the_owner_is_silent() {
        let hint = |fresh: u64, ttl: u64| Attempt {
            fresh_for: Some(Duration::from_secs(fresh)),
            ttl: Some(Duration::from_secs(ttl)),
            ..usable()
        };
        check(&Cadence::Auto, hint(600, 0), 600);
        check(&Cadence::Auto, hint(0, 1800), 1800);
        check(&Cadence::Auto, hint(600, 1800), 1800);
        check(&Cadence::Auto, hint(10, 20), MINUTE);
        check(&every(MINUTE), hint(600, 1800), MINUTE);
        for hint in [hint(HOUR, 0), hint(0, 24 * HOUR)] {
            assert_eq!(next_poll(&Cadence::Auto, &hint), after(HOUR));
        }
        check(
            &Cadence::Auto,
            Attempt { outcome: Outcome::Failed, errors: 1, ..hint(1800, 0) },
            MINUTE,
        );
    }

    #[test]
    fn errors_double_the_distance_up_to_six_hours() {
        let minutes = [1, 2, 4, 8, 16, 32, 64, 128, 256];
        for (errors, expect) in (1..).zip(minutes) {
            check(&every(MINUTE), failed(errors), expect * MINUTE);
        }
        for errors in [10, 11, 40, u32::MAX] {
            assert_eq!(next_poll(&every(MINUTE), &failed(errors)), after(6 * HOUR));
        }
        check(&Cadence::Auto, failed(3), 4 * MINUTE);
        check(&every(1), failed(2), 2);
        // never nearer than the owner's distance
        check(&every(24 * HOUR), failed(5), 24 * HOUR);
    }

    #[test]
    fn a_429_waits_at_least_twice_the_distance() {
        let limited = |errors| Attempt { outcome: Outcome::Limited, errors, ..usable() };
        check(&every(MINUTE), limited(1), 2 * MINUTE);
        check(&every(MINUTE), limited(2), 4 * MINUTE);
        check(&every(24 * HOUR), limited(1), 48 * HOUR);
        assert_eq!(next_poll(&every(MINUTE), &limited(30)), after(6 * HOUR));
    }

    #[test]
    fn retry_after_always_counts_up_to_a_day() {
        let asked = |attempt: Attempt, seconds| Attempt { retry_after: after(seconds), ..attempt };
        for attempt in [usable(), failed(1), Attempt { outcome: Outcome::Limited, ..failed(1) }] {
            assert_eq!(next_poll(&every(MINUTE), &asked(attempt, 120)), after(120));
            assert_eq!(next_poll(&Cadence::Auto, &asked(attempt, 7200)), after(7200));
            assert_eq!(next_poll(&every(MINUTE), &asked(attempt, 90 * HOUR)), after(24 * HOUR));
        }
        // the server's word replaces the backoff …
        assert_eq!(next_poll(&every(MINUTE), &asked(failed(9), 120)), after(120));
        // … unless it says less than the owner's distance
        check(&every(MINUTE), asked(failed(3), 5), 4 * MINUTE);
        check(&every(MINUTE), asked(usable(), 5), MINUTE);
        let past = Attempt { retry_after: Some(Timestamp::from_secs(0)), ..usable() };
        check(&every(MINUTE), past, MINUTE);
    }

    #[test]
    fn absurd_numbers_are_only_far_away() {
        let far = Attempt {
            fresh_for: Some(Duration::MAX),
            retry_after: Some(Timestamp::from_millis(i64::MAX)),
            ..usable()
        };
        assert_eq!(next_poll(&Cadence::Auto, &far), after(24 * HOUR));
        let limited = Attempt { outcome: Outcome::Limited, retry_after: None, ..far };
        let never = Some(Timestamp::from_millis(i64::MAX));
        assert_eq!(next_poll(&Cadence::Every(Duration::MAX), &limited), never);
    }

    #[test]
    fn what_is_gone_is_asked_never_again() {
        let gone = Attempt { outcome: Outcome::Gone, retry_after: after(5), ..usable() };
        for cadence in [Cadence::Auto, every(1), cron("* * * * *", "UTC")] {
            assert_eq!(next_poll(&cadence, &gone), None);
        }
    }

    #[test]
    fn jitter_spreads_feeds_and_is_the_same_in_every_process() {
        let next = |seed| next_poll(&every(MINUTE), &Attempt { seed, ..usable() }).unwrap();
        let mut sixths = [0; 6];
        for feed in 0..600 {
            let url = format!("https://example.com/{feed}.xml").parse().unwrap();
            let millis = (next(seed(&url)).as_millis() - NOW.as_millis()) - 60_000;
            sixths[usize::try_from(millis / 1000).unwrap()] += 1;
        }
        assert!(sixths.iter().all(|count| (60..=140).contains(count)), "{sixths:?}");
        assert_eq!(seed(&"https://example.com/".parse().unwrap()), 903_888_511_234_722_068);
    }

    fn cron(expression: &str, zone: &str) -> Cadence {
        let parser = croner::parser::CronParser::builder()
            .seconds(croner::parser::Seconds::Optional)
            .build();
        Cadence::Cron {
            expression: Box::new(parser.parse(expression).unwrap()),
            timezone: Zone::named(zone).unwrap(),
        }
    }

    /// The next polls after `from`, each poll made at the time of the one before.
    fn check_cron(expression: &str, zone: &str, from: &str, expect: &[&str]) {
        let cadence = cron(expression, zone);
        let mut at = Timestamp::parse_rfc3339(from).unwrap();
        for expect in expect {
            at = next_poll(&cadence, &Attempt { at, ..usable() }).unwrap();
            let expect = Timestamp::parse_rfc3339(expect).unwrap();
            assert_eq!(at, expect, "{expression} in {zone} from {from}");
        }
    }

    #[test]
    fn cron_times_are_the_owners_and_know_summer() {
        check_cron("*/5 * * * *", "UTC", "2026-02-02T02:40:00Z", &["2026-02-02T02:45:00Z"]);
        check_cron("*/10 * * * * *", "UTC", "2026-02-02T02:40:01Z", &["2026-02-02T02:40:10Z"]);
        // 08:00 stays 08:00 when the clocks change, 29 March and 25 October 2026
        let spring = ["2026-03-28T08:00:00+01:00", "2026-03-29T08:00:00+02:00"];
        check_cron("0 8 * * *", "Europe/Warsaw", "2026-03-27T12:00:00Z", &spring);
        let autumn = ["2026-10-24T08:00:00+02:00", "2026-10-25T08:00:00+01:00"];
        check_cron("0 8 * * *", "Europe/Warsaw", "2026-10-23T12:00:00Z", &autumn);
        let spring = ["2026-03-29T00:00:00Z", "2026-03-30T00:00:00+01:00"];
        check_cron("0 0 * * *", "Europe/London", "2026-03-28T12:00:00Z", &spring);
        let autumn = ["2026-10-25T00:00:00+01:00", "2026-10-26T00:00:00Z"];
        check_cron("0 0 * * *", "Europe/London", "2026-10-24T12:00:00Z", &autumn);
    }

    #[test]
    fn a_daily_cron_runs_once_on_the_days_when_its_hour_is_missing_or_twice() {
        // 02:30 doesn't exist on 29 March in Warsaw: it runs when the clocks have jumped
        let spring = ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"];
        check_cron("30 2 * * *", "Europe/Warsaw", "2026-03-28T12:00:00Z", &spring);
        // and exists twice on 25 October: it runs the first time
        let autumn = ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"];
        check_cron("30 2 * * *", "Europe/Warsaw", "2026-10-24T12:00:00Z", &autumn);
        let spring = ["2026-03-29T02:00:00+01:00", "2026-03-30T01:30:00+01:00"];
        check_cron("30 1 * * *", "Europe/London", "2026-03-28T12:00:00Z", &spring);
        let autumn = ["2026-10-25T01:30:00+01:00", "2026-10-26T01:30:00Z"];
        check_cron("30 1 * * *", "Europe/London", "2026-10-24T12:00:00Z", &autumn);
        // every half hour is every half hour of real time, through both changes
        for from in ["2026-03-29T00:30:00Z", "2026-10-25T00:30:00Z"] {
            let start = Timestamp::parse_rfc3339(from).unwrap();
            let steps: Vec<String> =
                (1..6).map(|n| start.plus(Duration::from_secs(n * 1800)).to_rfc3339()).collect();
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            for zone in ["Europe/Warsaw", "Europe/London"] {
                check_cron("*/30 * * * *", zone, from, &steps);
            }
        }
    }

    #[test]
    fn a_cron_feed_in_trouble_passes_over_times_of_its_own() {
        let check = |attempt: Attempt, expect: u64| {
            let next = next_poll(&cron("*/5 * * * *", "UTC"), &attempt);
            // NOW is 02:40:00, a time of the expression
            assert_eq!(next, after(expect * MINUTE), "{attempt:?}");
        };
        check(failed(1), 5);
        check(failed(2), 10);
        check(failed(4), 40);
        check(failed(30), 6 * 60);
        check(Attempt { outcome: Outcome::Limited, ..failed(1) }, 10);
        check(Attempt { retry_after: after(12 * MINUTE), ..failed(1) }, 15);
        check(Attempt { retry_after: after(15 * MINUTE), ..usable() }, 15);
        check(Attempt { fresh_for: Some(Duration::from_secs(HOUR)), ..usable() }, 5);
        let daily = cron("0 8 * * *", "UTC");
        assert_eq!(next_poll(&daily, &failed(9)), next_poll(&daily, &usable()));
        // `a late poll`: the next time counts from the attempt, and none is made up for
        let late = Attempt { at: NOW.plus(Duration::from_millis(50)), ..usable() };
        assert_eq!(next_poll(&cron("*/5 * * * *", "UTC"), &late), after(5 * MINUTE));
    }
}
