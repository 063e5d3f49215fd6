//! Look: the database for somebody who surely changes nothing in it.

use std::path::Path;

use rusqlite::OpenFlags;

use super::{Result, Store, StoreError, connect, schema};

impl Store {
    /// Opens a database that must be there, to read from it; it is not brought up to date.
    ///
    /// # Errors
    /// It can't be opened, or was written by another version.
    pub fn open_to_look(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(StoreError::missing(path));
        }
        let no_writer = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        schema::demand_newest(&no_writer).map_err(|error| error.at(path))?;
        Self::over(path, no_writer)
    }
}
