//! Budget: how often an account may sign in.
//!
//! Bluesky answers as few as 10 `createSession` a day for an account (`ratelimit-limit: 10`,
//! `ratelimit-policy: 10;w=86400`, recorded 2025), and locks its owner out of other programs with
//! it. A session lasts for months, so one sign-in is the rule and three a day are plenty.
//! **Invariant:** a sign-in is counted, committed, before it is asked for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::xrpc::Answer;
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::publish::classify;
use crate::publish::{Notebook, NotebookError};

/// Where the account's memory holds it.
const NOTE: &str = "bluesky_logins";

/// The most sign-ins that count at any moment.
const LOGINS_MAX: usize = 3;

/// How long a sign-in counts.
const ANSWERED: Duration = Duration::from_secs(24 * 3600);

/// How long one counts that got no usable answer: at most nine of these fit into a day, which is
/// below the platform's ten, and an hour of trouble over there doesn't cost us a day.
const UNANSWERED: Duration = Duration::from_secs(8 * 3600);

/// The wait where a 429 names none.
const REST: Duration = Duration::from_secs(3600);

/// The sign-ins of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logins {
    /// The server and the password that they were made with, as a fingerprint. Others start
    /// afresh: the owner who just corrected them is not to wait.
    key: String,
    /// Until when each counts.
    counted: Vec<Timestamp>,
    /// Until when the server wants none.
    rest: Option<Timestamp>,
}

impl Logins {
    /// What is known of the sign-ins with the server and password of fingerprint `key`.
    ///
    /// # Errors
    /// The memory can't be read.
    pub async fn read(memory: &dyn Notebook, key: &str) -> Result<Self, NotebookError> {
        let known = memory.read(NOTE).await?;
        Ok(Self::of_note(known, key))
    }

    fn of_note(note: Option<Value>, key: &str) -> Self {
        note.and_then(|note| serde_json::from_value(note).ok())
            .filter(|known: &Self| known.key == key)
            .unwrap_or_else(|| Self { key: key.to_owned(), ..Self::default() })
    }

    /// Commits it.
    ///
    /// # Errors
    /// The memory can't be written: nobody may sign in.
    pub async fn write(&self, memory: &dyn Notebook) -> Result<(), NotebookError> {
        let note = serde_json::to_value(self).expect("plain data can be written as JSON");
        memory.write(NOTE, note).await
    }

    /// Counts a sign-in that is about to be asked for.
    ///
    /// # Errors
    /// `Account` with the end of the wait, when none is left.
    pub fn count(&mut self, now: Timestamp) -> Result<(), Failure> {
        self.counted.retain(|until| *until > now);
        if let Some(until) = self.rest.filter(|until| *until > now) {
            return Err(spent("the server wants no more of them for now", until));
        }
        self.rest = None;
        let oldest = self.counted.iter().min().copied();
        if let Some(until) = oldest.filter(|_| self.counted.len() >= LOGINS_MAX) {
            let why = format!("{LOGINS_MAX} a day are the most, to stay far below Bluesky's own");
            return Err(spent(&why, until));
        }
        self.counted.push(now.plus(ANSWERED));
        Ok(())
    }

    /// The one just counted was never sent, or was refused for its rate alone.
    pub fn uncount(&mut self) {
        self.counted.pop();
    }

    /// The one just counted got no usable answer.
    pub fn unanswered(&mut self, now: Timestamp) {
        if let Some(last) = self.counted.last_mut() {
            *last = now.plus(UNANSWERED);
        }
    }

    /// Heeds the rate-limit headers of an answer.
    pub fn heed(&mut self, answer: &Answer, now: Timestamp) {
        let remaining = answer.headers.get("ratelimit-remaining").map(|left| left.as_bytes());
        if answer.status == 429 || remaining == Some(b"0") {
            let until = classify::not_before(&answer.headers, now);
            self.rest = Some(until.unwrap_or_else(|| now.plus(REST)));
        }
    }
}

fn spent(why: &str, until: Timestamp) -> Failure {
    Failure {
        class: Class::Account {
            until: Some(until),
            hint: "nothing to do: it signs in again by itself then; if it happens again, look at \
                   what ends the sessions (a deleted app password, two programs with one database)"
                .into(),
        },
        message: format!("no sign-in is left: {why}; the next one is at {until}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_770_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn until(result: Result<(), Failure>) -> Option<Timestamp> {
        match result.err().map(|failure| failure.class) {
            Some(Class::Account { until, .. }) => until,
            None => None,
            Some(class) => panic!("{class:?}"),
        }
    }

    #[test]
    fn three_a_day_and_the_line_says_when() {
        let mut logins = Logins::default();
        for hour in 0..3 {
            assert_eq!(logins.count(NOW.plus(HOUR * hour)), Ok(()));
        }
        let failure = logins.count(NOW.plus(HOUR * 3)).unwrap_err();
        assert_eq!(
            failure.message,
            "no sign-in is left: 3 a day are the most, to stay far below Bluesky's own; the next \
             one is at 2026-02-03T02:40:00.000Z"
        );
        assert_eq!(until(Err(failure)), Some(NOW.plus(HOUR * 24)));
        assert_eq!(logins.count(NOW.plus(HOUR * 24)), Ok(()), "the oldest counts no more");
        assert_eq!(until(logins.count(NOW.plus(HOUR * 24))), Some(NOW.plus(HOUR * 25)));
    }

    #[test]
    fn one_without_an_answer_counts_for_a_third_of_a_day() {
        let mut logins = Logins::default();
        let mut made = 0;
        for minute in 0..24 * 60 {
            let now = NOW.plus(Duration::from_secs(60 * minute));
            if logins.count(now).is_ok() {
                made += 1;
                logins.unanswered(now);
            }
        }
        assert_eq!(made, 9, "below the ten that the platform allows");
    }

    #[test]
    fn one_that_was_never_sent_does_not_count() {
        let mut logins = Logins::default();
        for _ in 0..100 {
            assert_eq!(logins.count(NOW), Ok(()));
            logins.uncount();
        }
    }

    #[test]
    fn the_servers_own_limit_is_remembered() {
        let mut answer =
            Answer { status: 200, headers: reqwest::header::HeaderMap::new(), body: json!({}) };
        answer.headers.insert("ratelimit-remaining", "0".parse().unwrap());
        answer.headers.insert("ratelimit-reset", "1770003600".parse().unwrap());
        let mut logins = Logins::of_note(None, "key");
        logins.count(NOW).unwrap();
        logins.heed(&answer, NOW);
        let note = serde_json::to_value(&logins).unwrap();
        let mut logins = Logins::of_note(Some(note.clone()), "key");
        assert_eq!(until(logins.count(NOW)), Some(NOW.plus(HOUR)));
        assert_eq!(logins.count(NOW.plus(HOUR)), Ok(()));
        let mut corrected = Logins::of_note(Some(note), "another key");
        assert_eq!(corrected.count(NOW), Ok(()), "a new password starts afresh");
    }
}
