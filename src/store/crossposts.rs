//! Crossposts: the ledger. Every statement that changes a state names its transition.
//!
//! **Invariant:** `sending` is committed before the first byte leaves; an attempt is settled only
//! while its row is still `sending`, one row or a bug.

use rusqlite::{Connection, named_params};

use super::{Result, StoreError};
use crate::clock::Timestamp;
use crate::crosspost::{Receipt, State};
use crate::draft::Draft;
use crate::names::{AccountId, CrosspostId, EntryId};

mod enter;
mod journal;
mod pages;
mod queue;
mod undo;
mod upkeep;

pub use enter::{New, baseline, has_page_elsewhere, insert};
pub use journal::{note, set_note, whole_again, with_media_again};
pub use pages::{Bare, set_page, without_page};
pub use queue::{next_due, next_ready, next_uncertain};
pub use undo::{Unclaimed, VANISHED, free, hold, reinstate, set_due, unclaimed, withdraw};
pub use upkeep::{prune_attempts, rescue_sending, restart_patience, settled_of};

/// A crosspost with what a delivery needs to know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Crosspost {
    /// Row number.
    pub id: CrosspostId,
    /// Its entry.
    pub entry: EntryId,
    /// The entry's title, or its id: what the log calls it.
    pub title: String,
    /// How often it was tried; counted at the claim.
    pub attempts: u32,
    /// How many of its attempts got no usable answer.
    pub doubts: u32,
    /// How often the platform was asked what became of the last of those.
    pub finds: u32,
    /// When its first attempt was (the one from which patience is counted).
    pub first_attempt_at: Option<Timestamp>,
    /// What is sent; frozen at the first claim.
    pub draft: Option<Draft>,
    /// Whether the platform refused its link card: it is composed without.
    pub without_card: bool,
    /// The text that the platform refused for its length: it is composed shorter than that.
    pub shorter_than: Option<String>,
}

/// Claims a crosspost for an attempt and freezes its draft. Tells the number of the attempt's row,
/// or nothing when the crosspost is not ready any more.
///
/// # Errors
/// The database can't be written: then nothing may be sent.
pub fn claim(
    connection: &Connection,
    id: CrosspostId,
    draft: Option<&Draft>,
    now: Timestamp,
) -> Result<Option<i64>> {
    let draft = draft.map(serde_json::to_string).transpose()?;
    // ready → sending
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = 'sending', attempts = attempts + 1, reason = NULL,
            draft = coalesce(draft, ?2),
            first_attempt_at = coalesce(first_attempt_at, ?3)
         WHERE id = ?1 AND state = 'ready' AND due_at <= ?3",
    )?;
    if statement.execute((id.0, draft, now.as_millis()))? == 0 {
        return Ok(None);
    }
    begin(connection, id, "publish", now).map(Some)
}

/// Notes that the platform is asked about a crosspost, if that is in doubt still.
///
/// # Errors
/// The database can't be written.
pub fn begin_find(connection: &Connection, id: CrosspostId, now: Timestamp) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM crossposts WHERE id = ?1 AND state = 'uncertain')",
    )?;
    if !statement.query_row([id.0], |row| row.get(0))? {
        return Ok(None);
    }
    begin(connection, id, "find", now).map(Some)
}

/// Settles a question about a doubt that a person has settled meanwhile: what they said stands, but
/// a post that is known to be public is not sent again. Tells whether a person was faster.
///
/// # Errors
/// The database can't be written.
pub fn settle_overtaken(
    connection: &Connection,
    (id, attempt): (CrosspostId, i64),
    settlement: &Settlement,
    now: Timestamp,
) -> Result<bool> {
    let mut state = connection.prepare_cached("SELECT state FROM crossposts WHERE id = ?1")?;
    let word: String = state.query_row([id.0], |row| row.get(0))?;
    if word == State::Uncertain.as_str() {
        return Ok(false);
    }
    if let Settlement::Published(receipt) = settlement {
        // ready → held → published
        let mut statement = connection.prepare_cached(
            "UPDATE crossposts SET state = 'published', reason = NULL, remote_id = ?2, url = ?3,
                settled_at = ?4
             WHERE id = ?1 AND state IN ('ready', 'held')",
        )?;
        let receipt = (id.0, &receipt.remote_id, &receipt.url, now.as_millis());
        statement.execute(receipt)?;
    }
    end(connection, attempt, "overtaken", None, now)?;
    Ok(true)
}

fn begin(connection: &Connection, id: CrosspostId, kind: &str, now: Timestamp) -> Result<i64> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO attempts (crosspost_id, kind, started_at) VALUES (?1, ?2, ?3)",
    )?;
    statement.execute((id.0, kind, now.as_millis()))?;
    Ok(connection.last_insert_rowid())
}

/// What an attempt, or a question about one, comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is public.
    Published(Receipt),
    /// Goes out again at that time.
    Ready {
        /// When.
        due_at: Timestamp,
        /// Whether the attempt counts.
        burns: bool,
        /// Whether the platform is still at work on it.
        waiting: bool,
    },
    /// Goes out again at that time, composed anew without its link card.
    WithoutCard {
        /// When.
        due_at: Timestamp,
    },
    /// Goes out again at that time, composed anew with a shorter text.
    Shorter {
        /// When.
        due_at: Timestamp,
    },
    /// Asked about at that time.
    Uncertain {
        /// When.
        due_at: Timestamp,
        /// Whether the question counts.
        counts: bool,
    },
    /// Never.
    Failed,
    /// Not, on purpose.
    Skipped,
    /// A person must look.
    Held,
}

impl Settlement {
    /// The state that it leads to.
    pub const fn state(&self) -> State {
        match self {
            Self::Published(_) => State::Published,
            Self::Ready { .. } | Self::WithoutCard { .. } | Self::Shorter { .. } => State::Ready,
            Self::Uncertain { .. } => State::Uncertain,
            Self::Failed => State::Failed,
            Self::Skipped => State::Skipped,
            Self::Held => State::Held,
        }
    }
}

/// Settles an attempt (`from` = `sending`) or a question (`from` = `uncertain`), and closes its row
/// among the attempts.
///
/// # Errors
/// `broken_rule` when the crosspost is not in `from` any more, or may not go where it should.
pub fn settle(
    connection: &Connection,
    (id, attempt): (CrosspostId, i64),
    from: State,
    settlement: &Settlement,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let to = settlement.state();
    if from != to && !from.can_become(to) {
        let (from, to) = (from.as_str(), to.as_str());
        return Err(StoreError::broken_rule(format!("crosspost {id} may not go {from} → {to}")));
    }
    let due_at = match settlement {
        Settlement::Ready { due_at, .. }
        | Settlement::WithoutCard { due_at }
        | Settlement::Shorter { due_at }
        | Settlement::Uncertain { due_at, .. } => Some(*due_at),
        _ => None,
    };
    let receipt = match settlement {
        Settlement::Published(receipt) => Some(receipt),
        _ => None,
    };
    let unburn = matches!(settlement, Settlement::Ready { burns: false, .. });
    let waiting = matches!(settlement, Settlement::Ready { waiting: true, .. });
    let asked = from == State::Uncertain
        && !matches!(settlement, Settlement::Uncertain { counts: false, .. });
    // sending → published | ready | uncertain | failed | skipped
    // uncertain → published | ready | uncertain | held
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = :to, reason = :reason,
            -- what the platform has begun stays begun until an attempt counts
            due_at = coalesce(:due, due_at), waiting = :waiting OR (waiting AND :unburn),
            attempts = max(attempts - :unburn, 0),
            doubts = doubts + (:from = 'sending' AND :to = 'uncertain'),
            -- surely nothing was sent, ever: patience starts anew, and an edit may still get in
            first_attempt_at = CASE WHEN :unburn AND attempts <= 1 AND NOT (:waiting OR waiting)
                THEN NULL ELSE first_attempt_at END,
            draft = CASE WHEN :unburn AND attempts <= 1 AND NOT (:waiting OR waiting)
                THEN NULL ELSE draft END,
            finds = CASE WHEN :to = 'uncertain' THEN finds + :asked ELSE 0 END,
            remote_id = coalesce(:remote_id, remote_id), url = coalesce(:url, url),
            settled_at = CASE WHEN :final THEN :now END
         WHERE id = :id AND state = :from",
    )?;
    let changed = statement.execute(named_params! {
        ":id": id.0,
        ":from": from.as_str(),
        ":to": to.as_str(),
        ":reason": reason,
        ":due": due_at.map(Timestamp::as_millis),
        ":waiting": waiting,
        ":unburn": unburn,
        ":asked": asked,
        ":remote_id": receipt.map(|receipt| &receipt.remote_id),
        ":url": receipt.and_then(|receipt| receipt.url.as_ref()),
        ":final": to.is_final(),
        ":now": now.as_millis(),
    })?;
    if changed != 1 {
        let from = from.as_str();
        return Err(StoreError::broken_rule(format!("crosspost {id} is not `{from}` any more")));
    }
    match settlement {
        Settlement::WithoutCard { .. } => journal::without_card(connection, id)?,
        Settlement::Shorter { .. } => journal::shorter(connection, id)?,
        _ => {}
    }
    end(connection, attempt, to.as_str(), reason, now)
}

fn end(
    connection: &Connection,
    attempt: i64,
    outcome: &str,
    detail: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE attempts SET ended_at = ?2, outcome = ?3, detail = ?4 WHERE id = ?1",
    )?;
    statement.execute((attempt, now.as_millis(), outcome, detail))?;
    Ok(())
}

/// How many posts an account published since `since`, when the first of those was, and when the
/// last of all was. What lies in the future is of a clock that was wrong, and does not count.
///
/// # Errors
/// The database can't be read.
pub fn published_since(
    connection: &Connection,
    account: AccountId,
    since: Timestamp,
    now: Timestamp,
) -> Result<(u32, Option<Timestamp>, Option<Timestamp>)> {
    // the other index of account and state would lead through all that was ever published
    let mut statement = connection.prepare_cached(
        "SELECT count(*), min(settled_at),
            (SELECT max(settled_at) FROM crossposts INDEXED BY crossposts_published
                WHERE account_id = ?1 AND state = 'published' AND settled_at <= ?3)
         FROM crossposts INDEXED BY crossposts_published
         WHERE account_id = ?1 AND state = 'published'
            AND settled_at > ?2 AND settled_at <= ?3",
    )?;
    let row: (u32, Option<i64>, Option<i64>) = statement
        .query_row((account.0, since.as_millis(), now.as_millis()), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    Ok((row.0, row.1.map(Timestamp::from_millis), row.2.map(Timestamp::from_millis)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{people, schema};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const KEY: (CrosspostId, i64) = (CrosspostId(1), 1);

    /// A ledger with one crosspost in `state`.
    fn ledger(state: State) -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        schema::migrate(&mut db).unwrap();
        db.execute_batch(
            "INSERT INTO feeds (id, label, url, active) VALUES (1, 'f', 'u', 1);
             INSERT INTO accounts (id, label, platform, active) VALUES (1, 'a', 'outbox', 1);
             INSERT INTO entries (id, feed_id, entry_id, first_seen_at, changed_at, content_hash)
             VALUES (1, 1, 'e', 0, 0, x'00');
             INSERT INTO crossposts (id, entry, account_id, state, reason, due_at, created_at)
             VALUES (1, 1, 1, 'ready', 'why', 0, 0);
             INSERT INTO attempts (id, crosspost_id, kind, started_at) VALUES (1, 1, 'publish', 0);",
        )
        .unwrap();
        let settled = state.is_final().then_some(1);
        db.execute(
            "UPDATE crossposts SET state = ?1, settled_at = ?2, remote_id = '1'",
            (state.as_str(), settled),
        )
        .unwrap();
        db
    }

    fn settlements() -> Vec<Settlement> {
        vec![
            Settlement::Published(Receipt { remote_id: "1".into(), url: None }),
            Settlement::Ready { due_at: NOW, burns: true, waiting: false },
            Settlement::WithoutCard { due_at: NOW },
            Settlement::Shorter { due_at: NOW },
            Settlement::Uncertain { due_at: NOW, counts: true },
            Settlement::Failed,
            Settlement::Skipped,
            Settlement::Held,
        ]
    }

    #[test]
    fn settling_goes_only_where_a_state_can_go() {
        for from in State::ALL {
            for settlement in settlements() {
                let db = ledger(from);
                let to = settlement.state();
                let result = settle(&db, KEY, from, &settlement, Some("why"), NOW);
                let allowed = from.can_become(to) || from == to;
                assert_eq!(result.is_ok(), allowed, "{from:?} → {to:?}: {result:?}");
                let now = people::state_of(&db, KEY.0).unwrap().unwrap();
                assert_eq!(now, if allowed { to } else { from });
            }
        }
    }

    #[test]
    fn what_is_not_sending_any_more_is_not_settled() {
        let db = ledger(State::Published);
        for settlement in settlements() {
            settle(&db, KEY, State::Sending, &settlement, Some("why"), NOW).unwrap_err();
            assert_eq!(people::state_of(&db, KEY.0).unwrap(), Some(State::Published));
        }
    }

    #[test]
    fn only_what_is_ready_and_due_is_claimed_and_only_once() {
        for state in State::ALL {
            let db = ledger(state);
            let claimed = claim(&db, KEY.0, None, NOW).unwrap();
            assert_eq!(claimed.is_some(), state == State::Ready, "{state:?}");
            assert_eq!(claim(&db, KEY.0, None, NOW).unwrap(), None, "claimed twice: {state:?}");
        }
        let db = ledger(State::Ready);
        set_due(&db, KEY.0, NOW.plus(std::time::Duration::from_secs(1))).unwrap();
        assert_eq!(claim(&db, KEY.0, None, NOW).unwrap(), None, "claimed before it was due");
    }

    #[test]
    fn a_person_goes_only_where_a_person_can_go() {
        type Act = fn(&Connection) -> Result<bool>;
        let acts: [(&str, State, &[State], Act); 5] = [
            ("retry", State::Ready, &[State::Failed], |db| people::retry(db, KEY.0, NOW)),
            ("publish", State::Ready, &[State::Skipped, State::Held], |db| {
                people::publish(db, KEY.0, NOW)
            }),
            ("skip", State::Skipped, &[State::Held, State::Ready], |db| {
                people::skip(db, KEY.0, NOW)
            }),
            ("resolve --published", State::Published, &[State::Held, State::Uncertain], |db| {
                people::resolve_published(db, KEY.0, "https://a.example/1", NOW)
            }),
            ("resolve --retry", State::Ready, &[State::Held, State::Uncertain], |db| {
                people::resolve_retry(db, KEY.0, NOW)
            }),
        ];
        for (name, to, allowed, act) in acts {
            for from in State::ALL {
                let db = ledger(from);
                let done = act(&db).unwrap();
                assert_eq!(done, allowed.contains(&from), "{name} from {from:?}");
                let now = people::state_of(&db, KEY.0).unwrap().unwrap();
                assert_eq!(now, if done { to } else { from }, "{name} from {from:?}");
                assert!(!done || from.can_become(to), "{name}: {from:?} → {to:?}");
            }
        }
    }

    #[test]
    fn what_was_withdrawn_or_held_before_its_first_attempt_comes_back() {
        type Act = fn(&Connection) -> Result<bool>;
        let acts: [(&str, State, &[State], Act); 3] = [
            ("withdraw", State::Skipped, &[State::Ready, State::Held], |db| {
                withdraw(db, KEY.0, VANISHED, NOW)
            }),
            ("hold", State::Held, &[State::Ready, State::Held], |db| hold(db, KEY.0, "wait")),
            ("free", State::Ready, &[State::Held], |db| free(db, KEY.0, NOW)),
        ];
        for (name, to, allowed, act) in acts {
            for (from, attempts) in State::ALL.into_iter().flat_map(|from| [(from, 0), (from, 1)]) {
                let db = ledger(from);
                db.execute("UPDATE crossposts SET attempts = ?1", [attempts]).unwrap();
                let done = act(&db).unwrap();
                assert_eq!(done, allowed.contains(&from) && attempts == 0, "{name} from {from:?}");
                let now = people::state_of(&db, KEY.0).unwrap().unwrap();
                assert_eq!(now, if done { to } else { from }, "{name} from {from:?}");
                let is_back = reinstate(&db, KEY.0, NOW).unwrap();
                assert_eq!(is_back, done && name == "withdraw", "{name} from {from:?}");
                let now = people::state_of(&db, KEY.0).unwrap().unwrap();
                assert_eq!(now, if done && !is_back { to } else { from }, "{name} from {from:?}");
            }
        }
    }

    #[test]
    fn a_page_is_set_once_and_only_where_something_is_public() {
        for state in State::ALL {
            let db = ledger(state);
            let set = || set_page(&db, KEY.0, "https://a.example/1").unwrap();
            assert_eq!(set(), state == State::Published, "{state:?}");
            assert!(!set(), "{state:?}: it has one");
        }
    }

    /// Kind and outcome of each attempt, in order.
    fn attempts(db: &Connection) -> Vec<(String, Option<String>)> {
        let mut rows = db.prepare("SELECT kind, outcome FROM attempts ORDER BY id").unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    #[test]
    fn only_what_is_in_doubt_is_asked_about_and_each_question_is_an_attempt() {
        for state in State::ALL {
            let db = ledger(state);
            let attempt = begin_find(&db, KEY.0, NOW).unwrap();
            assert_eq!(attempt, (state == State::Uncertain).then_some(2), "{state:?}");
            assert_eq!(attempts(&db).len(), if attempt.is_some() { 2 } else { 1 }, "{state:?}");
        }
    }

    #[test]
    fn only_a_question_that_counts_is_counted_until_the_doubt_is_over() {
        let db = ledger(State::Sending);
        let finds = |from, counts| {
            let doubt = Settlement::Uncertain { due_at: NOW, counts };
            settle(&db, KEY, from, &doubt, Some("why"), NOW).unwrap();
            next_uncertain(&db, AccountId(1), NOW).unwrap().unwrap().finds
        };
        assert_eq!(finds(State::Sending, false), 0);
        assert_eq!(finds(State::Uncertain, true), 1);
        assert_eq!(finds(State::Uncertain, false), 1, "it was too early to ask");
        assert_eq!(finds(State::Uncertain, true), 2);
        let absent = Settlement::Ready { due_at: NOW, burns: true, waiting: false };
        settle(&db, KEY, State::Uncertain, &absent, Some("absent"), NOW).unwrap();
        claim(&db, KEY.0, None, NOW).unwrap().unwrap();
        assert_eq!(finds(State::Sending, false), 0, "another doubt");
    }

    #[test]
    fn what_a_person_said_meanwhile_stands_but_what_is_public_is_not_sent_again() {
        let is_public = Settlement::Published(Receipt { remote_id: "9".into(), url: None });
        let is_absent = Settlement::Ready { due_at: NOW, burns: true, waiting: false };
        for state in State::ALL {
            for answer in [&is_public, &is_absent] {
                let db = ledger(state);
                let overtaken = settle_overtaken(&db, KEY, answer, NOW).unwrap();
                assert_eq!(overtaken, state != State::Uncertain, "{state:?}");
                let outcome = overtaken.then(|| "overtaken".to_owned());
                assert_eq!(attempts(&db), [("publish".into(), outcome)], "{state:?}");
                let learns = matches!(state, State::Ready | State::Held) && *answer == is_public;
                let now = people::state_of(&db, KEY.0).unwrap().unwrap();
                assert_eq!(now, if learns { State::Published } else { state }, "{state:?}");
            }
        }
    }

    #[test]
    fn orphans_become_doubts_and_nothing_else_moves() {
        for state in State::ALL {
            let db = ledger(state);
            rescue_sending(&db, NOW).unwrap();
            let expect = if state == State::Sending { State::Uncertain } else { state };
            assert_eq!(people::state_of(&db, KEY.0).unwrap(), Some(expect));
        }
    }

    #[test]
    fn patience_begins_anew_only_for_what_was_tried_and_is_on_its_way() {
        for state in State::ALL {
            for (tried, anew) in [(None, None), (Some(1), Some(NOW.as_millis()))] {
                let db = ledger(state);
                db.execute("UPDATE crossposts SET first_attempt_at = ?1", [tried]).unwrap();
                restart_patience(&db, NOW).unwrap();
                let sql = "SELECT first_attempt_at FROM crossposts";
                let now: Option<i64> = db.query_row(sql, [], |row| row.get(0)).unwrap();
                let is_on_its_way = !state.is_final() && state != State::Held;
                assert_eq!(now, if is_on_its_way { anew } else { tried }, "{state:?}");
            }
        }
    }

    #[test]
    fn what_is_settled_long_ago_keeps_no_attempts() {
        for state in State::ALL {
            let db = ledger(state);
            let unknown = CrosspostId(2);
            let settled = settled_of(&db, &[KEY.0, unknown]).unwrap();
            assert_eq!(settled.contains(&KEY.0), state.is_final(), "{state:?}");
            assert!(settled.contains(&unknown), "{state:?}");
            // what is settled here was at 1
            for (before, gone) in [(1, false), (2, state.is_final())] {
                let count = prune_attempts(&db, Timestamp::from_millis(before)).unwrap();
                assert_eq!(count, usize::from(gone), "{state:?}");
                assert_eq!(attempts(&db).is_empty(), gone, "{state:?}");
            }
        }
    }

    #[test]
    fn an_unburned_attempt_leaves_no_trace_of_patience() {
        let db = ledger(State::Ready);
        let attempt = claim(&db, KEY.0, Some(&Draft::default()), NOW).unwrap().unwrap();
        let again = Settlement::Ready { due_at: NOW, burns: false, waiting: false };
        settle(&db, (KEY.0, attempt), State::Sending, &again, Some("slow down"), NOW).unwrap();
        let crosspost = next_ready(&db, AccountId(1), true, NOW).unwrap().unwrap();
        assert_eq!((crosspost.attempts, crosspost.first_attempt_at), (0, None));
        assert_eq!(crosspost.draft, None, "nothing was sent: an edit may still get in");
        let attempt = claim(&db, KEY.0, Some(&Draft::default()), NOW).unwrap().unwrap();
        let again = Settlement::Ready { due_at: NOW, burns: true, waiting: false };
        settle(&db, (KEY.0, attempt), State::Sending, &again, Some("refused"), NOW).unwrap();
        let crosspost = next_ready(&db, AccountId(1), true, NOW).unwrap().unwrap();
        assert_eq!((crosspost.attempts, crosspost.first_attempt_at), (1, Some(NOW)));
        assert!(crosspost.draft.is_some(), "every retry sends the same bytes");
    }

    #[test]
    fn what_the_platform_has_begun_keeps_its_draft_whatever_comes_next() {
        let db = ledger(State::Ready);
        let later = NOW.plus(std::time::Duration::from_secs(60));
        let draft = Draft { text: "as it was begun".into(), ..Draft::default() };
        let attempt = |settlement: &Settlement, now| {
            let attempt = claim(&db, KEY.0, Some(&draft), now).unwrap().unwrap();
            settle(&db, (KEY.0, attempt), State::Sending, settlement, Some("why"), now).unwrap();
            next_ready(&db, AccountId(1), true, now).unwrap().unwrap()
        };
        let ready = |burns, waiting| Settlement::Ready { due_at: NOW, burns, waiting };
        attempt(&ready(false, true), NOW);
        for _ in 0..2 {
            let slowed = attempt(&ready(false, false), later);
            assert_eq!(slowed.draft.as_ref(), Some(&draft), "a part of it is uploaded");
            assert_eq!((slowed.attempts, slowed.first_attempt_at), (0, Some(NOW)));
        }
        let failed = attempt(&ready(true, false), later);
        assert_eq!((failed.attempts, failed.draft), (1, Some(draft.clone())));
        db.execute_batch("UPDATE entries SET body = '{}'").unwrap();
        people::skip(&db, KEY.0, NOW).unwrap();
        people::publish(&db, KEY.0, NOW).unwrap();
        let anew = next_ready(&db, AccountId(1), true, NOW).unwrap().unwrap();
        assert_eq!((anew.draft, anew.first_attempt_at), (None, None), "a person begins anew");
    }

    #[test]
    fn without_its_card_a_crosspost_is_composed_anew_until_a_person_says_otherwise() {
        let db = ledger(State::Ready);
        let attempt = claim(&db, KEY.0, Some(&Draft::default()), NOW).unwrap().unwrap();
        let again = Settlement::WithoutCard { due_at: NOW };
        settle(&db, (KEY.0, attempt), State::Sending, &again, Some("no such card"), NOW).unwrap();
        let crosspost = next_ready(&db, AccountId(1), true, NOW).unwrap().unwrap();
        assert_eq!((crosspost.draft, crosspost.without_card), (None, true));
        assert_eq!(crosspost.attempts, 1, "it keeps its place in the queue");
        let attempt = claim(&db, KEY.0, Some(&Draft::default()), NOW).unwrap().unwrap();
        settle(&db, (KEY.0, attempt), State::Sending, &Settlement::Failed, Some("no"), NOW)
            .unwrap();
        people::retry(&db, KEY.0, NOW).unwrap();
        let crosspost = next_ready(&db, AccountId(1), true, NOW).unwrap().unwrap();
        assert!(!crosspost.without_card, "the card may have been mended");
    }

    #[test]
    fn a_text_that_was_refused_is_known_until_a_person_says_otherwise() {
        let db = ledger(State::Ready);
        let draft = Draft { text: "too “long”".into(), ..Draft::default() };
        let attempt = claim(&db, KEY.0, Some(&draft), NOW).unwrap().unwrap();
        let again = Settlement::Shorter { due_at: NOW };
        settle(&db, (KEY.0, attempt), State::Sending, &again, Some("too long"), NOW).unwrap();
        let crosspost = next_ready(&db, AccountId(1), true, NOW).unwrap().unwrap();
        assert_eq!((crosspost.draft, crosspost.attempts), (None, 1));
        assert_eq!(crosspost.shorter_than.as_deref(), Some("too “long”"));
        let attempt = claim(&db, KEY.0, Some(&draft), NOW).unwrap().unwrap();
        settle(&db, (KEY.0, attempt), State::Sending, &Settlement::Failed, Some("no"), NOW)
            .unwrap();
        people::retry(&db, KEY.0, NOW).unwrap();
        let crosspost = next_ready(&db, AccountId(1), true, NOW).unwrap().unwrap();
        assert_eq!(crosspost.shorter_than, None);
    }

    #[test]
    fn only_a_word_about_no_doubt_tries_refused_media_again() {
        let again = |from: State, act: fn(&Connection) -> Result<bool>| {
            let db = ledger(from);
            assert!(act(&db).unwrap(), "from {from:?}");
            note(&db, KEY.0, crate::crosspost::MEDIA_AGAIN).unwrap().is_some()
        };
        assert!(again(State::Failed, |db| people::retry(db, KEY.0, NOW)));
        assert!(again(State::Skipped, |db| people::publish(db, KEY.0, NOW)));
        // the same post once more, which the platform may know again
        assert!(!again(State::Uncertain, |db| people::resolve_retry(db, KEY.0, NOW)));
    }

    #[test]
    fn a_doubt_and_a_first_failure_keep_the_younger_ones_waiting() {
        let db = ledger(State::Uncertain);
        db.execute_batch(
            "INSERT INTO entries (id, feed_id, entry_id, first_seen_at, changed_at, content_hash)
             VALUES (2, 1, 'e2', 0, 0, x'00');
             INSERT INTO crossposts (id, entry, account_id, state, due_at, created_at)
             VALUES (2, 2, 1, 'ready', 0, 0);",
        )
        .unwrap();
        let next =
            || next_ready(&db, AccountId(1), true, NOW).unwrap().map(|crosspost| crosspost.id.0);
        assert_eq!(next(), None);
        let set = |sql: &str| db.execute_batch(sql).unwrap();
        let later = NOW.as_millis() + 1;
        set(&format!("UPDATE crossposts SET state='ready', attempts=1, due_at={later} WHERE id=1"));
        assert_eq!(next(), None, "the first is tried again soon");
        set("UPDATE crossposts SET attempts=9, doubts=3 WHERE id=1");
        assert_eq!(next(), None, "an outage does not count");
        set("UPDATE crossposts SET doubts=4 WHERE id=1");
        assert_eq!(next(), Some(2), "patience has an end");
        set("UPDATE crossposts SET attempts=1, doubts=0, waiting=1 WHERE id=1");
        assert_eq!(next(), Some(2), "what the platform works on blocks nobody");
        set("UPDATE crossposts SET attempts=0, waiting=0 WHERE id=1");
        assert_eq!(next(), Some(2), "what waits for its date blocks nobody");
    }
}
