//! Pages: posts that were published without an address, and the addresses that are found later.

use rusqlite::Connection;

use crate::clock::Timestamp;
use crate::draft::Draft;
use crate::names::{AccountId, CrosspostId};
use crate::store::Result;

/// A post without an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Bare {
    /// Its crosspost.
    pub id: CrosspostId,
    /// The entry's title, or its id.
    pub title: String,
    /// The platform's own id.
    pub remote_id: String,
    /// What was sent.
    pub draft: Draft,
}

/// The posts of an account without an address that were published after `since`: at most `most`,
/// the latest first.
///
/// # Errors
/// The database can't be read.
pub fn without_page(
    connection: &Connection,
    account: AccountId,
    since: Timestamp,
    most: u32,
) -> Result<Vec<Bare>> {
    let mut statement = connection.prepare_cached(
        "SELECT c.id, coalesce(e.title, e.url, e.entry_id), c.remote_id, c.draft
         FROM crossposts c INDEXED BY crossposts_published
            CROSS JOIN entries e ON e.id = c.entry
         WHERE c.account_id = ?1 AND c.state = 'published' AND c.settled_at > ?2
            AND c.url IS NULL AND c.remote_id IS NOT NULL AND c.draft IS NOT NULL
         ORDER BY c.settled_at DESC, c.id DESC LIMIT ?3",
    )?;
    let rows = statement.query_map((account.0, since.as_millis(), most), |row| {
        let (id, title, remote_id): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let draft: String = row.get(3)?;
        Ok((CrosspostId(id), title, remote_id, draft))
    })?;
    rows.map(|row| {
        let (id, title, remote_id, draft) = row?;
        Ok(Bare { id, title, remote_id, draft: serde_json::from_str(&draft)? })
    })
    .collect()
}

/// Gives a post the address that was found. Tells whether it had none.
///
/// # Errors
/// The database can't be written.
pub fn set_page(connection: &Connection, id: CrosspostId, url: &str) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET url = ?2 WHERE id = ?1 AND state = 'published' AND url IS NULL",
    )?;
    Ok(statement.execute((id.0, url))? > 0)
}
