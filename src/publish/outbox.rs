//! Outbox: posts as lines of JSON in a local file, for whatever reads it.
//!
//! One line a post, appended in one write and fsynced. Before it is written, the journal holds the
//! file (its inode), its length and the line's time, so that `find` knows where to look and notices
//! when the file was rotated away meanwhile. **Invariant:** a line is never merged with another and
//! never taken away once it is whole. **Refuses:** anything that is not a regular file.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::file::Mark;
use super::{Desk, Found, Identity, NotebookError, Outcome, Publisher};
use crate::crosspost::{Failure, Receipt};
use crate::draft::{Card, Draft, Facet};
use crate::names::CrosspostId;
use crate::platform::{Limits, Platform};

mod file;

/// Where the journal keeps what was about to be appended.
const NOTE: &str = "appending";

/// A file of JSON lines.
#[derive(Clone, Debug)]
pub struct Outbox {
    path: PathBuf,
}

/// One line.
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
        let line = Line {
            crosspost,
            text: &draft.text,
            facets: &draft.facets,
            card: draft.card.as_ref(),
            language: draft.language.as_deref(),
            url: draft.canonical_url.as_deref(),
            posted_at: &note.posted_at,
        };
        let mut line = json!(line).to_string();
        line.push('\n');
        self.with_file(move |path| file::append(path, line.as_bytes()))
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
        let found = self.with_file(move |path| file::find(path, &note.mark, is_ours)).await;
        Ok(match found {
            Ok(Ok(true)) => Found::Published(receipt(crosspost)),
            Ok(Ok(false)) => Found::Absent,
            Ok(Err(failure)) => Found::Unknown(failure),
            Err(error) => Found::Unknown(Failure::retry(format!("the search broke: {error}"))),
        })
    }
}

fn receipt(crosspost: CrosspostId) -> Receipt {
    Receipt { remote_id: crosspost.to_string(), url: None }
}

fn no_crosspost() -> Failure {
    Failure::retry("nothing was written, because no crosspost is in hand")
}

#[async_trait]
impl Publisher for Outbox {
    async fn limits(&self, _desk: &Desk<'_>) -> Limits {
        Platform::Outbox.limits()
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
            Ok(()) => Outcome::Published(receipt(crosspost)),
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
