//! Attempt: what one crosspost has sent, as its journal keeps it.
//!
//! **Invariant:** a note with a request is committed before that request leaves; the key and the
//! bytes under it never change; a closed note never opens under the same key again.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::crosspost::Failure;
use crate::publish::{Desk, Notebook, NotebookError};

/// Where the note stands in the journal.
const PLACE: &str = "mastodon.request";

/// Everything that a crosspost remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// How many keys were given up, each after a definite refusal or a proven absence.
    pub epoch: u32,
    /// When the first request of all left: no post of ours can be older.
    pub since: Option<Timestamp>,
    /// The request that is, or may be, with the server.
    pub request: Option<Request>,
}

/// A request that may be repeated only as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The `Idempotency-Key`: 128 random bits, because Pleroma shares keys between all users.
    pub key: String,
    /// The JSON that is sent.
    pub body: String,
    /// When it was first sent.
    pub first_at: Timestamp,
    /// When it was last sent.
    pub last_at: Timestamp,
}

impl Note {
    /// Reads the note; an empty one where the crosspost has sent nothing.
    ///
    /// # Errors
    /// The journal can't be read, or holds something else: then nothing may be sent.
    pub async fn read(journal: &dyn Notebook) -> Result<Self, NotebookError> {
        match journal.read(PLACE).await? {
            None => Ok(Self::default()),
            Some(value) => serde_json::from_value(value)
                .map_err(|error| NotebookError(format!("reading the note `{PLACE}`: {error}"))),
        }
    }

    /// Commits the note.
    ///
    /// # Errors
    /// The journal can't be written.
    pub async fn write(&self, journal: &dyn Notebook) -> Result<(), NotebookError> {
        let value: Value = serde_json::to_value(self).expect("a struct of plain values is JSON");
        journal.write(PLACE, value).await
    }

    /// The request to send now, committed: the one that is open, else a new one with `body`.
    ///
    /// # Errors
    /// Retry when the journal or the system's random numbers fail: nothing was sent.
    pub async fn open(body: &str, desk: &Desk<'_>) -> Result<(Self, Request), Failure> {
        let now = desk.clock.now();
        let mut note = Self::read(desk.journal).await?;
        let request = match note.request.take() {
            Some(request) => Request { last_at: now, ..request },
            None => Request { key: key()?, body: body.to_owned(), first_at: now, last_at: now },
        };
        note.since = note.since.or(Some(now));
        note.request = Some(request.clone());
        note.write(desk.journal).await?;
        Ok((note, request))
    }

    /// Gives the request up: the next one has a key of its own.
    ///
    /// # Errors
    /// The journal can't be written: then the old key stays.
    pub async fn close(&mut self, journal: &dyn Notebook) -> Result<(), NotebookError> {
        let closed = Self { epoch: self.epoch + 1, since: self.since, request: None };
        closed.write(journal).await?;
        *self = closed;
        Ok(())
    }
}

/// 128 random bits in hex.
fn key() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::retry(format!("nothing was sent: no random numbers: {error}")))?;
    Ok(bytes.iter().fold(String::with_capacity(32), |mut key, byte| {
        let _ = write!(key, "{byte:02x}"); // a String takes everything
        key
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Clock;
    use crate::publish::Scratch;

    #[tokio::test(start_paused = true)]
    async fn a_key_lives_until_it_is_closed() {
        let (journal, memory) = (Scratch::default(), Scratch::default());
        let clock = Clock::virtual_from(Timestamp::from_secs(1000));
        let desk = Desk { crosspost: None, journal: &journal, memory: &memory, clock: &clock };
        let (_, first) = Note::open("a", &desk).await.unwrap();
        assert_eq!((first.key.len(), first.body.as_str()), (32, "a"));

        tokio::time::advance(Duration::from_secs(60)).await;
        let (mut note, again) = Note::open("b", &desk).await.unwrap();
        assert_eq!((&again.key, &again.body), (&first.key, &first.body), "the same bytes");
        assert_eq!(again.first_at, first.first_at);
        assert_eq!(again.last_at, first.first_at.plus(Duration::from_secs(60)));

        note.close(&journal).await.unwrap();
        let (note, next) = Note::open("b", &desk).await.unwrap();
        assert_ne!(next.key, first.key);
        assert_eq!((next.body.as_str(), note.epoch), ("b", 1));
        assert_eq!(note.since, Some(first.first_at), "the window of the read-back stays open");
    }

    #[tokio::test]
    async fn a_note_that_cannot_be_read_stops_everything() {
        let (journal, memory) = (Scratch::default(), Scratch::default());
        let desk =
            Desk { crosspost: None, journal: &journal, memory: &memory, clock: &Clock::System };
        journal.write(PLACE, "?".into()).await.unwrap();
        assert!(Note::open("a", &desk).await.unwrap_err().message.contains("nothing was sent"));
    }
}
