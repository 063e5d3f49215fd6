//! Decide: from what became of an attempt to what happens next. Pure: no clock, no store, no I/O.
//!
//! The reactions are the table of failure classes in `docs/states.md`.
//! **Invariant:** nothing that may have had an effect leads back to `ready` without an answer of
//! the platform in between.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Delivery;
use crate::crosspost::{Class, Failure};
use crate::publish::backoff;
use crate::publish::{Found, Outcome};
use crate::store::crossposts::{Crosspost, Settlement};

/// How often the platform is asked about a doubt and answers nothing usable, before a person must
/// look.
pub const FINDS_MAX: u32 = 8;

/// The wait after "slow down" that names no time.
const RATE_LIMIT_WAIT: Duration = Duration::from_secs(300);

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Where the crosspost goes.
    pub settlement: Settlement,
    /// Why, unless it is published.
    pub reason: Option<String>,
    /// What it means for the whole account.
    pub account: Effect,
}

/// What an answer means for the whole account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// Nothing is sent before that.
    HoldUntil(Timestamp),
    /// Nothing is sent until it is over, or somebody does something.
    Park {
        /// What the owner should do.
        hint: String,
        /// When it is over by itself, where that is known.
        until: Option<Timestamp>,
    },
}

/// What becomes of a crosspost after an attempt.
pub fn after_attempt(
    outcome: Outcome,
    crosspost: &Crosspost,
    delivery: &Delivery,
    now: Timestamp,
) -> Verdict {
    let failure = match outcome {
        Outcome::Published(receipt) => {
            return Verdict {
                settlement: Settlement::Published(receipt),
                reason: None,
                account: Effect::None,
            };
        }
        Outcome::Wait { wait, why } => {
            let due_at = now.plus(wait);
            return Verdict {
                settlement: Settlement::Ready { due_at, burns: false, waiting: true },
                reason: Some(why),
                account: Effect::None,
            };
        }
        Outcome::Failed(failure) => failure,
    };
    let Failure { class, message } = failure;
    let again = |due_at, burns| Settlement::Ready { due_at, burns, waiting: false };
    let (settlement, account) = match class {
        Class::Retry { .. } if is_given_up(crosspost, delivery, now) => {
            let patience = humantime::format_duration(delivery.give_up_after);
            return Verdict {
                settlement: Settlement::Failed,
                reason: Some(format!("given up after {patience}: {message}")),
                account: Effect::None,
            };
        }
        Class::Retry { not_before } => {
            let due_at =
                later(not_before, now.plus(pause(crosspost, crosspost.attempts, delivery)));
            (again(due_at, true), Effect::HoldUntil(due_at))
        }
        Class::RateLimited { not_before } => {
            let until = not_before.unwrap_or(now.plus(RATE_LIMIT_WAIT)).max(now);
            (again(now, false), Effect::HoldUntil(until))
        }
        Class::Card if !crosspost.without_card => {
            let settlement = Settlement::WithoutCard { due_at: now };
            return Verdict { settlement, reason: Some(message), account: Effect::None };
        }
        Class::TooLong if crosspost.shorter_than.is_none() => {
            let settlement = Settlement::Shorter { due_at: now };
            return Verdict { settlement, reason: Some(message), account: Effect::None };
        }
        Class::Content | Class::Card | Class::TooLong => (Settlement::Failed, Effect::None),
        Class::Account { until, hint } => (again(now, false), Effect::Park { hint, until }),
        Class::Duplicate | Class::Ambiguous => {
            (Settlement::Uncertain { due_at: now, counts: false }, Effect::None)
        }
    };
    Verdict { settlement, reason: Some(message), account }
}

/// What becomes of a doubt after the platform was asked.
pub fn after_find(
    found: Found,
    crosspost: &Crosspost,
    delivery: &Delivery,
    now: Timestamp,
) -> Verdict {
    let given_up = is_given_up(crosspost, delivery, now);
    let failure = match found {
        Found::Published(receipt) => {
            return Verdict {
                settlement: Settlement::Published(receipt),
                reason: None,
                account: Effect::None,
            };
        }
        Found::Absent if given_up => {
            return held("it is not there, and it was tried for too long".into());
        }
        Found::Absent => {
            let due_at = now.plus(pause(crosspost, crosspost.doubts, delivery));
            return Verdict {
                settlement: Settlement::Ready { due_at, burns: true, waiting: false },
                reason: Some("the platform has no such post: it goes out again".into()),
                account: Effect::None,
            };
        }
        Found::Unknown(failure) => failure,
    };
    let Failure { class, message } = failure;
    let ask_again = |due_at, counts| Settlement::Uncertain { due_at, counts };
    let in_a_while = now.plus(pause(crosspost, crosspost.finds + 1, delivery));
    let (settlement, account) = match class {
        Class::Account { until, hint } => (ask_again(now, false), Effect::Park { hint, until }),
        _ if given_up => return held(message),
        // too early to ask: that is no answer, and no failure
        Class::Retry { not_before: Some(at) } => (ask_again(at.max(now), false), Effect::None),
        Class::Retry { not_before: None } => (ask_again(in_a_while, true), Effect::None),
        Class::RateLimited { not_before } => {
            let due_at = not_before.unwrap_or(now.plus(RATE_LIMIT_WAIT)).max(now);
            (ask_again(due_at, false), Effect::HoldUntil(due_at))
        }
        _ if crosspost.finds + 1 >= FINDS_MAX => return held(message),
        Class::Content | Class::Card | Class::TooLong | Class::Duplicate | Class::Ambiguous => {
            (ask_again(in_a_while, true), Effect::None)
        }
    };
    Verdict { settlement, reason: Some(message), account }
}

fn held(message: String) -> Verdict {
    let reason = format!("nobody could find out whether it is public: {message}");
    Verdict { settlement: Settlement::Held, reason: Some(reason), account: Effect::None }
}

fn is_given_up(crosspost: &Crosspost, delivery: &Delivery, now: Timestamp) -> bool {
    crosspost.first_attempt_at.is_some_and(|first| now.since(first) >= delivery.give_up_after)
}

fn pause(crosspost: &Crosspost, tries: u32, delivery: &Delivery) -> Duration {
    let jitter = backoff::jitter(crosspost.id.0, tries);
    backoff::wait(tries, delivery.retry_base, delivery.retry_max, jitter)
}

fn later(asked: Option<Timestamp>, own: Timestamp) -> Timestamp {
    asked.map_or(own, |asked| asked.max(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crosspost::{Receipt, State};
    use crate::names::{CrosspostId, EntryId};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn crosspost() -> Crosspost {
        Crosspost {
            id: CrosspostId(1),
            entry: EntryId(1),
            title: "Hello".into(),
            attempts: 1,
            doubts: 0,
            finds: 0,
            first_attempt_at: Some(NOW),
            draft: None,
            without_card: false,
            shorter_than: None,
        }
    }

    fn failed(class: Class) -> Outcome {
        Outcome::Failed(Failure { class, message: "why".into() })
    }

    fn unknown(class: Class) -> Found {
        Found::Unknown(Failure { class, message: "why".into() })
    }

    fn every_class() -> Vec<Class> {
        vec![
            Class::Retry { not_before: None },
            Class::Retry { not_before: Some(NOW) },
            Class::RateLimited { not_before: None },
            Class::Content,
            Class::Card,
            Class::TooLong,
            Class::Account { until: None, hint: "do".into() },
            Class::Duplicate,
            Class::Ambiguous,
        ]
    }

    fn state(settlement: &Settlement) -> State {
        match settlement {
            Settlement::Published(_) => State::Published,
            Settlement::Ready { .. }
            | Settlement::WithoutCard { .. }
            | Settlement::Shorter { .. } => State::Ready,
            Settlement::Uncertain { .. } => State::Uncertain,
            Settlement::Failed => State::Failed,
            Settlement::Skipped => State::Skipped,
            Settlement::Held => State::Held,
        }
    }

    fn attempt(class: Class, crosspost: &Crosspost, now: Timestamp) -> Verdict {
        after_attempt(failed(class), crosspost, &Delivery::default(), now)
    }

    fn find(class: Class, crosspost: &Crosspost, now: Timestamp) -> Verdict {
        after_find(unknown(class), crosspost, &Delivery::default(), now)
    }

    #[test]
    fn a_doubt_never_goes_back_to_ready_by_itself() {
        for class in [Class::Ambiguous, Class::Duplicate] {
            assert_eq!(
                state(&attempt(class.clone(), &crosspost(), NOW).settlement),
                State::Uncertain
            );
        }
        for class in every_class() {
            for finds in [0, FINDS_MAX, 100] {
                let asked = Crosspost { finds, ..crosspost() };
                for now in [NOW, NOW.plus(Duration::from_secs(1_000_000))] {
                    let to = state(&find(class.clone(), &asked, now).settlement);
                    assert!(matches!(to, State::Uncertain | State::Held), "{class:?} → {to:?}");
                }
            }
        }
    }

    #[test]
    fn every_verdict_is_a_transition_that_the_ledger_allows() {
        for class in every_class() {
            let to = state(&attempt(class.clone(), &crosspost(), NOW).settlement);
            assert!(State::Sending.can_become(to), "{class:?} → {to:?}");
            let to = state(&find(class, &crosspost(), NOW).settlement);
            assert!(to == State::Uncertain || State::Uncertain.can_become(to), "{to:?}");
        }
    }

    #[test]
    fn only_surely_unsent_failures_burn_an_attempt_and_end_after_patience() {
        let burns = |class| match attempt(class, &crosspost(), NOW).settlement {
            Settlement::Ready { burns, .. } => Some(burns),
            _ => None,
        };
        assert_eq!(burns(Class::Retry { not_before: None }), Some(true));
        assert_eq!(burns(Class::RateLimited { not_before: None }), Some(false));
        assert_eq!(burns(Class::Account { until: None, hint: String::new() }), Some(false));
        let late = NOW.plus(Duration::from_secs(48 * 3600));
        let verdict = attempt(Class::Retry { not_before: None }, &crosspost(), late);
        assert_eq!(verdict.settlement, Settlement::Failed);
        assert_eq!(verdict.reason.unwrap(), "given up after 2days: why");
        let verdict = attempt(Class::RateLimited { not_before: None }, &crosspost(), late);
        assert_eq!(state(&verdict.settlement), State::Ready, "a rate limit never ends a post");
    }

    #[test]
    fn a_card_is_refused_once() {
        let to = |crosspost: &Crosspost| attempt(Class::Card, crosspost, NOW).settlement;
        assert_eq!(to(&crosspost()), Settlement::WithoutCard { due_at: NOW });
        let without_card = Crosspost { without_card: true, ..crosspost() };
        assert_eq!(to(&without_card), Settlement::Failed);
    }

    #[test]
    fn a_length_is_refused_once() {
        let to = |crosspost: &Crosspost| attempt(Class::TooLong, crosspost, NOW).settlement;
        assert_eq!(to(&crosspost()), Settlement::Shorter { due_at: NOW });
        let shorter = Crosspost { shorter_than: Some("long".into()), ..crosspost() };
        assert_eq!(to(&shorter), Settlement::Failed);
        let bare = Crosspost { without_card: true, ..crosspost() };
        assert_eq!(to(&bare), Settlement::Shorter { due_at: NOW }, "each cure has its turn");
    }

    #[test]
    fn waits_grow_and_what_the_platform_asks_for_counts() {
        let wait = |attempts, not_before| {
            let crosspost = Crosspost { attempts, ..crosspost() };
            match attempt(Class::Retry { not_before }, &crosspost, NOW).settlement {
                Settlement::Ready { due_at, .. } => due_at.since(NOW).as_secs_f64(),
                other => panic!("{other:?}"),
            }
        };
        assert!((12.0..=15.0).contains(&wait(1, None)));
        assert!((96.0..=120.0).contains(&wait(4, None)));
        assert_eq!(wait(1, Some(NOW.plus(Duration::from_secs(900)))), 900.0);
    }

    #[test]
    fn a_doubt_that_nobody_can_settle_waits_for_a_person() {
        let asked = Crosspost { finds: FINDS_MAX - 1, ..crosspost() };
        assert_eq!(find(Class::Ambiguous, &asked, NOW).settlement, Settlement::Held);
        // a platform that can't be reached has not answered: it is asked for as long as patience
        let unreachable = Class::Retry { not_before: None };
        let verdict = find(unreachable.clone(), &asked, NOW);
        assert_eq!(state(&verdict.settlement), State::Uncertain);
        let late = NOW.plus(Duration::from_secs(48 * 3600));
        assert_eq!(find(unreachable, &asked, late).settlement, Settlement::Held);
        let absent = after_find(Found::Absent, &crosspost(), &Delivery::default(), late);
        assert_eq!(absent.settlement, Settlement::Held, "it was tried for too long");
    }

    #[test]
    fn a_question_without_an_answer_is_asked_again_later_and_later() {
        for class in [Class::Ambiguous, Class::Content, Class::Retry { not_before: None }] {
            let wait = |finds| match find(class.clone(), &Crosspost { finds, ..crosspost() }, NOW)
                .settlement
            {
                Settlement::Uncertain { due_at, counts: true } => due_at.since(NOW).as_secs_f64(),
                other => panic!("{class:?}: {other:?}"),
            };
            assert!((12.0..=15.0).contains(&wait(0)), "{class:?}");
            assert!((24.0..=30.0).contains(&wait(1)), "{class:?}");
            assert!((768.0..=960.0).contains(&wait(FINDS_MAX - 2)), "{class:?}");
        }
    }

    #[test]
    fn proof_settles_a_doubt() {
        let receipt = Receipt { remote_id: "1".into(), url: None };
        let delivery = Delivery::default();
        let verdict = after_find(Found::Published(receipt.clone()), &crosspost(), &delivery, NOW);
        assert_eq!(verdict.settlement, Settlement::Published(receipt));
        let verdict = after_find(Found::Absent, &crosspost(), &delivery, NOW);
        assert_eq!(state(&verdict.settlement), State::Ready);
    }
}
