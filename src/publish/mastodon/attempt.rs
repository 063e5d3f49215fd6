//! Attempt: what one crosspost has sent, as its journal keeps it.
//!
//! **Invariant:** a note with a request is committed before that request leaves; the key, the bytes
//! under it and who sends them where never change; a closed note never opens under the same key
//! again.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::server::Server;
use crate::clock::Timestamp;
use crate::crosspost::Failure;
use crate::draft::{Draft, Visibility};
use crate::publish::{Desk, Notebook, NotebookError};

/// Where the note stands in the journal.
const PLACE: &str = "mastodon.request";

/// Everything that a crosspost remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// How many keys were given up, each after a definite refusal or a proven absence.
    pub epoch: u32,
    /// When the first request of all left: no post of ours can be older. With a request, and
    /// without this, that is not known any more.
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
    /// Where it is sent to.
    #[serde(default)]
    pub origin: String,
    /// Whose token it carries, as a fingerprint of that.
    #[serde(default)]
    pub sender: String,
    /// The server's id of that account, once it was asked.
    #[serde(default)]
    pub account: Option<String>,
    /// When it was first sent.
    pub first_at: Timestamp,
    /// When it was last sent.
    pub last_at: Timestamp,
}

/// A request that is about to be sent.
#[derive(Debug)]
pub struct Opened {
    /// The note, as it is committed.
    pub note: Note,
    /// Its request.
    pub request: Request,
    /// Whether nothing was ever sent under its key.
    pub key_is_new: bool,
    /// Whether nothing of this crosspost was ever sent.
    pub is_first: bool,
}

/// What is posted. Absent fields are not sent: some servers take null for a value. The order of the
/// fields is that of the bytes, which must stay the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The text.
    pub status: String,
    /// What stands before the text, which is hidden behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoiler_text: Option<String>,
    /// Set with a `spoiler_text`. Most servers do that by themselves; Pixelfed drops the warning of
    /// a post without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
    /// ISO 639-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Absent, it is the account's own default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// The server's ids of what was uploaded, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_ids: Vec<String>,
}

impl Status {
    /// What `draft` is posted as, with what was uploaded for it.
    pub fn of(draft: &Draft, media_ids: Vec<String>) -> Self {
        let spoiler_text = draft.content_warning.clone().filter(|it| !it.trim().is_empty());
        Self {
            status: draft.text.clone(),
            sensitive: spoiler_text.is_some().then_some(true),
            spoiler_text,
            language: draft.language.clone().filter(|tag| !tag.is_empty()),
            visibility: draft.visibility.map(Visibility::as_str).map(str::to_owned),
            media_ids,
        }
    }

    /// The bytes that are sent.
    pub fn body(&self) -> String {
        serde_json::to_string(self).expect("a struct of strings is JSON")
    }
}

impl Request {
    /// What it posts.
    ///
    /// # Errors
    /// The journal does not hold what was put there.
    pub fn status(&self) -> Result<Status, NotebookError> {
        serde_json::from_str(&self.body)
            .map_err(|error| NotebookError(format!("reading the body in `{PLACE}`: {error}")))
    }

    /// Whether sending it now would say the same, in the same name, to the same server.
    fn would_be(&self, body: &str, server: &Server) -> bool {
        self.body == body && self.origin == server.origin() && self.sender == server.sender()
    }
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

    /// The request to send now, committed: the one that is open, where that is the same, else a new
    /// one with `body`, to `server`.
    ///
    /// Who publishes while another request is open knows that it did nothing, or was told by a
    /// person to send what the entry is now.
    ///
    /// # Errors
    /// Retry when the journal or the system's random numbers fail: nothing was sent.
    pub async fn open(body: &str, server: &Server, desk: &Desk<'_>) -> Result<Opened, Failure> {
        let now = desk.clock.now();
        let mut note = Self::read(desk.journal).await?;
        let (is_first, before) = (note == Self::default(), note.request.take());
        let (epoch, moved) = match &before {
            Some(open) if open.would_be(body, server) => (note.epoch, false),
            Some(open) => (note.epoch + 1, open.origin != server.origin()),
            None => (note.epoch, false),
        };
        let again = before.filter(|open| open.would_be(body, server));
        let key_is_new = again.is_none();
        let request = match again {
            Some(open) => Request { last_at: now, ..open },
            None => Request {
                key: key()?,
                body: body.to_owned(),
                origin: server.origin().to_owned(),
                sender: server.sender().to_owned(),
                account: None,
                first_at: now,
                last_at: now,
            },
        };
        let since = note.since.filter(|_| !moved).or(Some(now));
        note = Self { epoch, since, request: Some(request.clone()) };
        note.write(desk.journal).await?;
        Ok(Opened { note, request, key_is_new, is_first: is_first || moved })
    }

    /// Whether a time in it is still to come: the clock was set back since.
    pub fn is_ahead_of(&self, now: Timestamp) -> bool {
        let request = self.request.iter().flat_map(|request| [request.first_at, request.last_at]);
        request.chain(self.since).any(|at| at > now)
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

    use url::Url;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Secret;
    use crate::publish::Scratch;

    fn server(base_url: &str, token: &str) -> Server {
        let delivery = crate::config::Delivery::default();
        let http = crate::http::publishing("test", &delivery).unwrap();
        Server::new(&Url::parse(base_url).unwrap(), Secret::new(token), http, delivery.timeout)
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_lives_until_it_is_closed() {
        let (journal, memory) = (Scratch::default(), Scratch::default());
        let clock = Clock::virtual_from(Timestamp::from_secs(1000));
        let desk = Desk {
            crosspost: None,
            journal: &journal,
            memory: &memory,
            clock: &clock,
            shelf: None,
        };
        let server = server("https://a.example", "token");
        let Opened { request: first, key_is_new, is_first, .. } =
            Note::open("a", &server, &desk).await.unwrap();
        assert_eq!((first.key.len(), first.body.as_str()), (32, "a"));
        assert!(key_is_new && is_first);

        tokio::time::advance(Duration::from_secs(60)).await;
        let opened = Note::open("a", &server, &desk).await.unwrap();
        let (mut note, again) = (opened.note, opened.request);
        assert_eq!((&again.key, &again.body), (&first.key, &first.body), "the same bytes");
        assert_eq!(again.first_at, first.first_at);
        assert_eq!(again.last_at, first.first_at.plus(Duration::from_secs(60)));
        assert!(!opened.key_is_new && !opened.is_first);

        note.close(&journal).await.unwrap();
        let opened = Note::open("a", &server, &desk).await.unwrap();
        assert_ne!(opened.request.key, first.key);
        assert_eq!(opened.note.epoch, 1);
        assert_eq!(opened.note.since, Some(first.first_at), "the look goes back to the first");
        assert!(opened.key_is_new && !opened.is_first);
    }

    #[tokio::test(start_paused = true)]
    async fn another_text_server_or_token_gets_another_key() {
        let table = [
            ("b", "https://a.example", "token", false),
            ("a", "https://b.example", "token", true),
            ("a", "https://a.example", "another", false),
        ];
        for (body, origin, token, since_is_new) in table {
            let (journal, memory) = (Scratch::default(), Scratch::default());
            let clock = Clock::virtual_from(Timestamp::from_secs(1000));
            let desk = Desk {
                crosspost: None,
                journal: &journal,
                memory: &memory,
                clock: &clock,
                shelf: None,
            };
            let home = server("https://a.example", "token");
            let before = Note::open("a", &home, &desk).await.unwrap();
            tokio::time::advance(Duration::from_secs(60)).await;
            let after = Note::open(body, &server(origin, token), &desk).await.unwrap();
            assert_ne!(after.request.key, before.request.key, "{body} {origin} {token}");
            assert_eq!((after.request.body.as_str(), after.note.epoch), (body, 1));
            assert_eq!(after.request.origin, origin);
            assert_eq!(after.note.since != before.note.since, since_is_new);
            let note = serde_json::to_string(&journal.read(PLACE).await.unwrap()).unwrap();
            assert!(!note.contains("token\"") && !note.contains("another"), "{note}");
        }
    }

    #[tokio::test]
    async fn a_note_that_cannot_be_read_stops_everything() {
        let (journal, memory) = (Scratch::default(), Scratch::default());
        let desk = Desk {
            crosspost: None,
            journal: &journal,
            memory: &memory,
            clock: &Clock::System,
            shelf: None,
        };
        journal.write(PLACE, "?".into()).await.unwrap();
        let opened = Note::open("a", &server("https://a.example", "token"), &desk).await;
        assert!(opened.unwrap_err().message.contains("nothing was sent"));
    }

    #[test]
    fn only_what_is_set_is_sent() {
        let check = |draft: Draft, expect: &str| {
            assert_eq!(Status::of(&draft, Vec::new()).body(), expect);
        };
        check(Draft { text: "Hi \"x\"".into(), ..Draft::default() }, r#"{"status":"Hi \"x\""}"#);
        check(
            Draft {
                text: "Hi".into(),
                language: Some("de".into()),
                visibility: Some(Visibility::Unlisted),
                ..Draft::default()
            },
            r#"{"status":"Hi","language":"de","visibility":"unlisted"}"#,
        );
        let warned = |warning: &str| Draft {
            text: "Hi".into(),
            content_warning: Some(warning.into()),
            language: Some("de".into()),
            ..Draft::default()
        };
        check(
            warned("Spoilers"),
            r#"{"status":"Hi","spoiler_text":"Spoilers","sensitive":true,"language":"de"}"#,
        );
        check(warned(" "), r#"{"status":"Hi","language":"de"}"#);
        let of_media = Status::of(&Draft::default(), vec!["01H".into(), "7".into()]);
        assert_eq!(of_media.body(), r#"{"status":"","media_ids":["01H","7"]}"#);
        let before = serde_json::from_str::<Status>(r#"{"status":"Hi"}"#).unwrap();
        assert_eq!(before.media_ids, [""; 0], "what an older version sent");
    }
}
