//! Undo: crossposts that nobody has claimed yet, and what their owner may still take back.

use rusqlite::Connection;

use crate::clock::Timestamp;
use crate::names::{AccountId, CrosspostId, EntryId, FeedId, Label};
use crate::store::{self, Result};

/// A crosspost that nobody has claimed yet, for the undo window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    /// Row number.
    pub id: CrosspostId,
    /// Its entry.
    pub entry: EntryId,
    /// Its account.
    pub account: AccountId,
    /// The account's label.
    pub label: Label,
    /// The account's platform tag.
    pub platform: String,
    /// When it goes out.
    pub due_at: Timestamp,
    /// Whether it was withdrawn because its entry had vanished.
    pub vanished: bool,
}

/// Reason of a crosspost whose entry vanished before it was sent.
pub const VANISHED: &str = "withdrawn: its entry vanished from the feed";

/// The crossposts of a feed that are not sent yet, and those withdrawn because their entry had
/// vanished.
///
/// # Errors
/// The database can't be read.
pub fn unclaimed(connection: &Connection, feed: FeedId) -> Result<Vec<Unclaimed>> {
    let mut statement = connection.prepare_cached(
        "SELECT c.id, c.entry, c.account_id, a.label, a.platform, c.due_at,
            c.state = 'skipped'
         FROM crossposts c
         JOIN entries e ON e.id = c.entry JOIN accounts a ON a.id = c.account_id
         WHERE e.feed_id = ?1 AND c.attempts = 0 AND
            (c.state IN ('ready', 'held') OR (c.state = 'skipped' AND c.reason = ?2))",
    )?;
    let rows = statement.query_map((feed.0, VANISHED), |row| {
        Ok(Unclaimed {
            id: CrosspostId(row.get(0)?),
            entry: EntryId(row.get(1)?),
            account: AccountId(row.get(2)?),
            label: store::label(row, 3)?,
            platform: row.get(4)?,
            due_at: Timestamp::from_millis(row.get(5)?),
            vanished: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Withdraws a crosspost that was not sent yet. Tells whether there was one to withdraw.
///
/// # Errors
/// The database can't be written.
pub fn withdraw(
    connection: &Connection,
    id: CrosspostId,
    reason: &str,
    now: Timestamp,
) -> Result<bool> {
    // ready | held → skipped
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = 'skipped', reason = ?2, settled_at = ?3
         WHERE id = ?1 AND state IN ('ready', 'held') AND attempts = 0",
    )?;
    Ok(statement.execute((id.0, reason, now.as_millis()))? > 0)
}

/// Brings back a crosspost that was withdrawn because its entry had vanished.
///
/// # Errors
/// The database can't be written.
pub fn reinstate(connection: &Connection, id: CrosspostId, due_at: Timestamp) -> Result<bool> {
    // skipped → ready
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = 'ready', reason = NULL, settled_at = NULL, due_at = ?3
         WHERE id = ?1 AND state = 'skipped' AND reason = ?2",
    )?;
    Ok(statement.execute((id.0, VANISHED, due_at.as_millis()))? > 0)
}

/// Moves the time at which an unclaimed crosspost is due, as when its entry's date was edited.
///
/// # Errors
/// The database can't be written.
pub fn set_due(connection: &Connection, id: CrosspostId, due_at: Timestamp) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET due_at = ?2 WHERE id = ?1 AND state = 'ready' AND attempts = 0",
    )?;
    statement.execute((id.0, due_at.as_millis()))?;
    Ok(())
}
