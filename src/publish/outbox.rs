//! Outbox: posts as lines of JSON in a local file, for whatever reads it.
//!
//! One line a post, appended in one write and fsynced. Before it is written, the journal holds the
//! file (path, device, inode), its length and the line's time, so that `find` knows where to look
//! and notices when the file was rotated away, or another one configured, meanwhile.
//! **Invariant:** a line is never merged with another and never taken away once it is whole.
//! **Refuses:** anything that is not a regular file; to wait for a lock without end.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use self::file::{Lock, Mark};
use super::{Desk, Found, Identity, NotebookError, Outcome, Publisher};
use crate::crosspost::{Failure, Receipt};
use crate::draft::{Card, Channel, Draft, Facet, Media, ReplyControl, Visibility};
use crate::names::CrosspostId;
use crate::platform::{Limits, MediaLimits, Platform};

mod file;

/// Where the journal keeps what was about to be appended.
const NOTE: &str = "appending";
/// How long another program may hold the lock of the file.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// How often the lock is tried meanwhile.
const LOCK_AGAIN: Duration = Duration::from_millis(25);

/// A file of JSON lines.
#[derive(Clone, Debug)]
pub struct Outbox {
    path: PathBuf,
}

/// One line: what the draft holds. Keys that a reader has to expect are always there; the others
/// only where there is something to say.
#[derive(Serialize)]
struct Line<'a> {
    crosspost: CrosspostId,
    text: &'a str,
    facets: &'a [Facet],
    card: Option<&'a Card>,
    language: Option<&'a str>,
    /// The entry's canonical URL.
    url: Option<&'a str>,
    /// RFC 3339, UTC, milliseconds.
    posted_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    media: &'a [Media],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    hashtags: &'a [String],
    /// Absent where it is the feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<Channel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility: Option<Visibility>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_warning: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_control: Option<ReplyControl>,
    /// The URL as it was posted, where it is not `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    posted_url: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(draft: &'a Draft, crosspost: CrosspostId, posted_at: &'a str) -> Self {
        // a field that is added to the draft is to be thought of here
        let Draft {
            text,
            facets,
            title,
            card,
            media,
            hashtags,
            channel,
            language,
            visibility,
            content_warning,
            reply_control,
            canonical_url,
            posted_url,
            notes: _,
        } = draft;
        Self {
            crosspost,
            text,
            facets,
            card: card.as_ref(),
            language: language.as_deref(),
            url: canonical_url.as_deref(),
            posted_at,
            title: title.as_deref(),
            media,
            hashtags,
            channel: Some(*channel).filter(|channel| *channel != Channel::default()),
            visibility: *visibility,
            content_warning: content_warning.as_deref(),
            reply_control: *reply_control,
            posted_url: posted_url.as_deref(),
        }
    }
}

/// What is known about an append before it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    posted_at: String,
    mark: Mark,
}

impl Outbox {
    /// The outbox in the file `path`, which is created with its folders when it is needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Runs `work` on the file where it may block.
    async fn with_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&std::path::Path) -> T + Send + 'static,
    ) -> Result<T, tokio::task::JoinError> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || work(&path)).await
    }

    /// The file under the lock `lock`.
    ///
    /// # Errors
    /// `retry`: it can't be had.
    async fn locked(&self, lock: Lock) -> Result<File, Failure> {
        let until = Instant::now() + LOCK_WAIT;
        loop {
            let tried = self.with_file(move |path| file::lock(path, lock)).await;
            let tried = tried.map_err(|error| Failure::retry(format!("locking broke: {error}")))?;
            match tried? {
                Some(file) => return Ok(file),
                None if Instant::now() < until => tokio::time::sleep(LOCK_AGAIN).await,
                None => return Err(file::held_by_others(&self.path, LOCK_WAIT)),
            }
        }
    }

    /// What stands for a post: there is one address for all of them.
    fn receipt(&self, crosspost: CrosspostId) -> Receipt {
        let path = std::path::absolute(&self.path).ok();
        let url = path.and_then(|path| Url::from_file_path(path).ok()).map(String::from);
        Receipt { remote_id: crosspost.to_string(), url }
    }

    /// Appends the line of `draft`, journalled before.
    async fn append(
        &self,
        draft: &Draft,
        crosspost: CrosspostId,
        desk: &Desk<'_>,
    ) -> Result<(), Failure> {
        let mark = self
            .with_file(file::prepare)
            .await
            .map_err(|error| Failure::retry(format!("nothing was written: {error}")))??;
        let note = Note { posted_at: desk.clock.now().to_rfc3339(), mark };
        desk.journal.write(NOTE, json!(note)).await?;
        let mut line = json!(Line::of(draft, crosspost, &note.posted_at)).to_string();
        line.push('\n');
        let file = self.locked(Lock::Alone).await?;
        self.with_file(move |path| file::append(file, path, line.as_bytes()))
            .await
            .unwrap_or_else(|error| Err(Failure::ambiguous(format!("the append broke: {error}"))))
    }

    /// What became of the append that the journal tells of.
    async fn look(&self, crosspost: CrosspostId, desk: &Desk<'_>) -> Result<Found, NotebookError> {
        let Some(note) = desk.journal.read(NOTE).await? else { return Ok(Found::Absent) };
        let note: Note = serde_json::from_value(note)
            .map_err(|error| NotebookError(format!("its note `{NOTE}` can't be read: {error}")))?;
        let is_ours = move |line: &serde_json::Value| {
            line["crosspost"] == json!(crosspost) && line["posted_at"] == json!(note.posted_at)
        };
        if let Err(failure) = file::is_under(&self.path, &note.mark) {
            return Ok(Found::Unknown(failure));
        }
        let file = match self.locked(Lock::Shared).await {
            Ok(file) => file,
            Err(failure) => return Ok(Found::Unknown(failure)),
        };
        let found = self.with_file(move |path| file::find(file, path, &note.mark, is_ours)).await;
        Ok(match found {
            Ok(Ok(true)) => Found::Published(self.receipt(crosspost)),
            Ok(Ok(false)) => Found::Absent,
            Ok(Err(failure)) => Found::Unknown(failure),
            Err(error) => Found::Unknown(Failure::retry(format!("the search broke: {error}"))),
        })
    }
}

fn no_crosspost() -> Failure {
    Failure::retry("nothing was written, because no crosspost is in hand")
}

#[async_trait]
impl Publisher for Outbox {
    async fn limits(&self, _desk: &Desk<'_>) -> Limits {
        Platform::Outbox.limits()
    }

    async fn media_limits(&self, _desk: &Desk<'_>) -> MediaLimits {
        Platform::Outbox.media()
    }

    async fn verify(&self, _desk: &Desk<'_>) -> Result<Identity, Failure> {
        self.with_file(file::check)
            .await
            .map_err(|error| Failure::retry(format!("the check broke: {error}")))??;
        let name = self.path.display().to_string();
        Ok(Identity { name, ..Identity::default() })
    }

    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome {
        let Some(crosspost) = desk.crosspost else { return Outcome::Failed(no_crosspost()) };
        // a line that an earlier attempt left is the post
        match self.look(crosspost, desk).await {
            Ok(Found::Published(receipt)) => return Outcome::Published(receipt),
            Ok(Found::Absent | Found::Unknown(_)) => {}
            Err(error) => return Outcome::Failed(error.into()),
        }
        match self.append(draft, crosspost, desk).await {
            Ok(()) => Outcome::Published(self.receipt(crosspost)),
            Err(failure) => Outcome::Failed(failure),
        }
    }

    async fn find(&self, _draft: &Draft, desk: &Desk<'_>) -> Found {
        let Some(crosspost) = desk.crosspost else { return Found::Unknown(no_crosspost()) };
        let found = self.look(crosspost, desk).await;
        found.unwrap_or_else(|error| {
            Found::Unknown(Failure::retry(format!("the journal can't be read: {error}")))
        })
    }
}
