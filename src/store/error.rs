//! What can go wrong with the database, in words that say what to do.

use std::path::Path;

use rusqlite::ErrorCode;

/// The result of everything in the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The database could not do what it was asked. One error may be told to several callers.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    message: String,
    /// Whether waiting may help: full disk, read-only file system, another process that writes.
    pub passing: bool,
}

impl StoreError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), passing: false }
    }

    /// A transition that the ledger does not allow, or a row that is not there: a bug.
    pub fn broken_rule(message: impl Into<String>) -> Self {
        Self::new(message)
    }

    pub(super) fn newer(at: i64, newest: i64) -> Self {
        Self::new(format!(
            "it was written by a newer posse-party (schema {at}, this one knows {newest}): install \
             that version again, or restore a backup"
        ))
    }

    pub(super) fn older() -> Self {
        Self::new(
            "it was written by an older posse-party: restart the daemon, which brings it up to date",
        )
    }

    pub(super) fn missing(path: &Path) -> Self {
        Self::new(format!(
            "there is no database at `{}` yet: start the daemon with `posse-party run` first",
            path.display()
        ))
    }

    pub(super) fn locked(path: &Path) -> Self {
        Self::new(format!(
            "another posse-party runs on the database `{}`: stop that one first",
            path.display()
        ))
    }

    pub(super) fn panicked() -> Self {
        Self::new("a database task ended early")
    }

    pub(super) fn file(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("failed to {doing} `{}`: {error}", path.display()))
    }

    /// The same error; where its cause is outside, with the place to look at.
    pub(super) fn of(self, path: &Path) -> Self {
        if !self.passing {
            return self;
        }
        Self { message: format!("{} (database `{}`)", self.message, path.display()), ..self }
    }

    /// The same error, naming the database.
    pub(super) fn at(self, path: &Path) -> Self {
        let message = format!("failed to open the database `{}`: {}", path.display(), self.message);
        Self { message, ..self }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let (message, passing) = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => ("the disk is full: free some space".into(), true),
            Some(ErrorCode::ReadOnly) => {
                ("the database can't be written: check its owner and its file system".into(), true)
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                ("another process keeps the database locked".into(), true)
            }
            Some(ErrorCode::SystemIoFailure) => {
                (format!("the disk does not read or write as it should: {error}"), true)
            }
            Some(ErrorCode::CannotOpen) => (format!("the database can't be opened: {error}"), true),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                (format!("the file is damaged or no database ({error}): restore a backup"), false)
            }
            _ => (error.to_string(), false),
        };
        Self { message, passing }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(format!("a stored value can't be read: {error}"))
    }
}
