//! Work: where the journal of a crosspost keeps what was done for it so far.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crosspost::Failure;
use crate::publish::{Desk, NotebookError};

/// What the journal holds at `place`.
///
/// # Errors
/// `Retry` where it can't be read; `Ambiguous` where it makes no sense.
pub async fn read<T: DeserializeOwned>(desk: &Desk<'_>, place: &str) -> Result<Option<T>, Failure> {
    let Some(note) = desk.journal.read(place).await? else { return Ok(None) };
    serde_json::from_value(note).map(Some).map_err(|error| {
        Failure::ambiguous(format!("what the journal says of it can't be read: {error}"))
    })
}

/// Commits `work` at `place`.
///
/// # Errors
/// It could not be committed: whatever depends on it must not be done.
pub async fn commit<T: Serialize + Sync>(
    desk: &Desk<'_>,
    place: &str,
    work: &T,
) -> Result<(), NotebookError> {
    let note = serde_json::to_value(work).expect("plain data can be written as JSON");
    desk.journal.write(place, note).await
}
