//! Token: how long a credential lives, and when something must be done or said about it.
//!
//! Where a platform's tokens end, somebody must renew them in time, and the owner must hear of it
//! before it is too late. All of that is arithmetic on the dates that the platform gave.
//! **Invariant:** a threshold is said once for each end; an end that moves is a new one.
//! **Refuses:** to hold a token.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);

/// So many days before an end the owner is told, the last time that it is still one day away.
pub const THRESHOLDS: [u8; 3] = [14, 7, 1];

/// Where an account's memory holds the words with which its platform last refused its token. An
/// account that is parked with these very words is so for its token, and another token wakes it.
pub const REFUSED_NOTE: &str = "token_refused";

/// A failed renewal is tried again after this, then after twice as long, and so on up to a day.
const RETRY_FIRST: Duration = Duration::from_secs(3600);

/// The life of a credential, as far as it is known. Kept beside the token by whoever keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// When we got it, or first saw it.
    pub obtained_at: Timestamp,
    /// When it ends; absent where it does not, or where nobody says.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// From then on it is to be renewed, or (where that can't be) asked about.
    pub refresh_after: Timestamp,
    /// When the platform stops letting it read, unless the owner uses the app before.
    #[serde(default)]
    pub data_access_expires_at: Option<Timestamp>,
}

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The token itself.
    Token,
    /// Its right to read.
    DataAccess,
}

/// That the owner was told of an end, so many days before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// What ends.
    pub what: End,
    /// When.
    pub at: Timestamp,
    /// The threshold, in days.
    pub days: u8,
}

/// What is remembered of the care for one account's token. Holds no token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// The life of the token, as it was last heard.
    pub life: Option<Life>,
    /// When to look again; absent: now.
    pub next_at: Option<Timestamp>,
    /// What the owner was told.
    pub said: Vec<Said>,
    /// Failed renewals in a row.
    pub failures: u32,
    /// Whether the account is parked because of its token.
    pub parked: bool,
}

impl Life {
    /// Whether it is time to renew it, or to ask about it.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.refresh_after <= now
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// What ends, and when.
    pub fn ends(&self) -> impl Iterator<Item = (End, Timestamp)> {
        let ends = [(End::Token, self.expires_at), (End::DataAccess, self.data_access_expires_at)];
        ends.into_iter().filter_map(|(what, at)| Some((what, at?)))
    }

    /// What the owner is to be told now, of each end the nearest threshold that has passed and was
    /// not said. What has ended already is told by other means.
    pub fn warnings_due(&self, now: Timestamp, said: &[Said]) -> Vec<Said> {
        let nearest = |(what, at): (End, Timestamp)| {
            let passed = |days: &u8| at.minus(DAY * u32::from(*days)) <= now;
            let days = THRESHOLDS.into_iter().filter(passed).min()?;
            let was_said =
                said.iter().any(|one| one.what == what && one.at == at && one.days <= days);
            (at > now && !was_said).then_some(Said { what, at, days })
        };
        self.ends().filter_map(nearest).collect()
    }

    /// The next moment after `now` at which the owner has to hear something, or all is over. (A
    /// renewal has time: it waits for the account's own time of day.)
    fn next_event(&self, now: Timestamp) -> Option<Timestamp> {
        let days = || THRESHOLDS.into_iter().chain([0]);
        let moments =
            self.ends().flat_map(|(_, at)| days().map(move |days| at.minus(DAY * u32::from(days))));
        moments.filter(|at| *at > now).min()
    }
}

impl Watch {
    /// When to look again after a look at `now` that went well: the account's own time of day, or
    /// before, where something is due.
    pub fn after_success(&self, now: Timestamp, slot: Duration) -> Timestamp {
        let daily = next_slot(now, slot);
        self.life.and_then(|life| life.next_event(now)).map_or(daily, |at| at.min(daily))
    }

    /// When to look again after a look at `now` that failed, as the `failures`-th in a row.
    pub fn after_failure(&self, now: Timestamp, slot: Duration) -> Timestamp {
        let wait = RETRY_FIRST.saturating_mul(1 << self.failures.saturating_sub(1).min(5)).min(DAY);
        now.plus(wait).min(self.after_success(now, slot))
    }
}

/// The account's own time of day, after midnight UTC: always the same one, and not that of others.
pub fn slot(label: &str) -> Duration {
    let hash = Sha256::digest(label.as_bytes());
    let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    Duration::from_secs(u64::from(number) % DAY.as_secs())
}

/// The next time of day `slot` after `now`.
fn next_slot(now: Timestamp, slot: Duration) -> Timestamp {
    let day = i64::try_from(DAY.as_millis()).expect("a day has few milliseconds");
    let midnight = Timestamp::from_millis(now.as_millis().div_euclid(day) * day);
    let today = midnight.plus(slot);
    if today > now { today } else { today.plus(DAY) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_770_000_000);

    fn days(number: u32) -> Duration {
        DAY * number
    }

    fn life(expires_in: Option<Duration>, data_access_in: Option<Duration>) -> Life {
        Life {
            obtained_at: NOW,
            expires_at: expires_in.map(|wait| NOW.plus(wait)),
            refresh_after: NOW.plus(days(30)),
            data_access_expires_at: data_access_in.map(|wait| NOW.plus(wait)),
        }
    }

    #[test]
    fn it_is_due_from_its_time_on() {
        let check = |now: Timestamp, due: bool, over: bool| {
            let life = life(Some(days(60)), None);
            assert_eq!((life.is_due(now), life.is_over(now)), (due, over), "{now}");
        };
        check(NOW, false, false);
        check(NOW.plus(days(30)).minus(Duration::from_millis(1)), false, false);
        check(NOW.plus(days(30)), true, false);
        check(NOW.plus(days(60)).minus(Duration::from_millis(1)), true, false);
        check(NOW.plus(days(60)), true, true);
        assert!(!life(None, None).is_over(NOW.plus(days(9999))), "some do not end");
    }

    #[test]
    fn each_threshold_is_said_once_and_the_nearest_one_stands_for_those_before() {
        let check = |left: Duration, said: &[u8], expect: Option<u8>| {
            let life = life(Some(left), None);
            let at = life.expires_at.unwrap();
            let said: Vec<_> =
                said.iter().map(|days| Said { what: End::Token, at, days: *days }).collect();
            let due = life.warnings_due(NOW, &said);
            assert_eq!(due.first().map(|one| one.days), expect, "{left:?} {said:?}");
            assert!(due.len() <= 1);
        };
        let moment = Duration::from_secs(1);
        check(days(15), &[], None);
        check(days(14) + moment, &[], None);
        check(days(14), &[], Some(14));
        check(days(13), &[14], None);
        check(days(7), &[14], Some(7));
        check(days(5), &[], Some(7));
        check(days(5), &[14, 7], None);
        check(days(1), &[14, 7], Some(1));
        check(moment, &[14], Some(1));
        check(moment, &[14, 1], None);
        check(Duration::ZERO, &[14, 7], None);
    }

    #[test]
    fn an_end_that_moves_is_a_new_one_and_two_ends_do_not_mix() {
        let old = life(Some(days(10)), Some(days(6)));
        let first = old.warnings_due(NOW, &[]);
        let told: Vec<_> = first.iter().map(|one| (one.what, one.days)).collect();
        assert_eq!(told, [(End::Token, 14), (End::DataAccess, 7)]);
        assert_eq!(old.warnings_due(NOW, &first), []);
        let moved = life(Some(days(11)), Some(days(6)));
        let told: Vec<_> =
            moved.warnings_due(NOW, &first).iter().map(|one| (one.what, one.days)).collect();
        assert_eq!(told, [(End::Token, 14)]);
    }

    #[test]
    fn the_next_look_is_daily_and_never_after_a_threshold() {
        let check = |watch: &Watch, now: Timestamp, expect: Timestamp| {
            assert_eq!(watch.after_success(now, Duration::ZERO), expect, "{now}");
        };
        // 2026-02-02T02:40:00Z
        let midnight = NOW.plus(Duration::from_secs(21 * 3600 + 20 * 60));
        let watch = Watch { life: Some(life(Some(days(60)), None)), ..Watch::default() };
        check(&Watch::default(), NOW, midnight);
        check(&watch, NOW, midnight);
        check(&watch, midnight, midnight.plus(DAY));
        let before = NOW.plus(days(45));
        check(&watch, before, midnight.plus(days(45)));
        check(&watch, midnight.plus(days(45)), NOW.plus(days(46)));
        check(&watch, NOW.plus(days(46)), midnight.plus(days(46)));
        check(&watch, midnight.plus(days(59)), NOW.plus(days(60)));
        check(&watch, midnight.plus(days(29)), midnight.plus(days(30)));
    }

    #[test]
    fn a_failed_renewal_is_tried_again_within_hours_and_then_daily() {
        let check = |failures: u32, hours: u64| {
            let watch = Watch { failures, ..Watch::default() };
            // seen from just after its slot
            let slot = Duration::from_secs(2 * 3600 + 40 * 60);
            let next = watch.after_failure(NOW, slot);
            assert_eq!(next.since(NOW).as_secs(), hours * 3600, "{failures}");
        };
        [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (7, 24), (99, 24)]
            .into_iter()
            .for_each(|(failures, hours)| check(failures, hours));
    }

    #[test]
    fn accounts_have_their_own_time_of_day() {
        assert_eq!(slot("threads"), slot("threads"));
        assert_ne!(slot("threads"), slot("instagram"));
        assert!((0..100).all(|n| slot(&format!("account-{n}")) < DAY));
    }
}
