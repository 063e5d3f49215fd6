//! Incidents: what the owner was told, once when it began and once when it was over.

use rusqlite::{Connection, OptionalExtension};

use super::Result;
use crate::clock::Timestamp;
use crate::crosspost::cause;

/// An incident that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What it is about: `account:me`, `feed:blog`, `held:blog`, `unknown:17` …
    pub key: String,
    /// The line that was logged.
    pub message: String,
    /// When it began.
    pub opened_at: Timestamp,
}

/// Opens an incident. Tells whether it is new: only then is the owner told.
///
/// # Errors
/// The database can't be written.
pub fn open(connection: &Connection, key: &str, message: &str, now: Timestamp) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO incidents (key, message, opened_at) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?;
    Ok(statement.execute((key, message, now.as_millis()))? > 0)
}

/// Opens an incident, or tells it anew when its cause is another one now. Tells whether the owner
/// is to be told.
///
/// # Errors
/// The database can't be written.
pub fn open_or_change(
    connection: &Connection,
    key: &str,
    message: &str,
    now: Timestamp,
) -> Result<bool> {
    let known: Option<String> = connection
        .prepare_cached("SELECT message FROM incidents WHERE key = ?1 AND resolved_at IS NULL")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    let Some(known) = known else { return open(connection, key, message, now) };
    if cause(&known) == cause(message) {
        return Ok(false);
    }
    let mut statement = connection.prepare_cached(
        "UPDATE incidents SET message = ?2 WHERE key = ?1 AND resolved_at IS NULL",
    )?;
    Ok(statement.execute((key, message))? > 0)
}

/// Resolves every open incident whose key begins with `prefix` and whose label is not among
/// `labels`. Nothing more will be heard of those.
///
/// # Errors
/// The database can't be written.
pub fn resolve_others(
    connection: &Connection,
    prefix: &str,
    labels: &[&str],
    now: Timestamp,
) -> Result<()> {
    let labels = serde_json::to_string(labels)?;
    connection
        .prepare_cached(
            "UPDATE incidents SET resolved_at = ?3
             WHERE resolved_at IS NULL AND substr(key, 1, length(?1)) = ?1
                AND substr(key, length(?1) + 1) NOT IN (SELECT value FROM json_each(?2))",
        )?
        .execute((prefix, labels, now.as_millis()))?;
    Ok(())
}

/// Resolves an incident. Tells when it had begun, if it was open.
///
/// # Errors
/// The database can't be written.
pub fn resolve(connection: &Connection, key: &str, now: Timestamp) -> Result<Option<Timestamp>> {
    let mut statement = connection.prepare_cached(
        "UPDATE incidents SET resolved_at = ?2 WHERE key = ?1 AND resolved_at IS NULL
         RETURNING opened_at",
    )?;
    let opened: Option<i64> =
        statement.query_row((key, now.as_millis()), |row| row.get(0)).optional()?;
    Ok(opened.map(Timestamp::from_millis))
}

/// All that are open, the oldest first.
///
/// # Errors
/// The database can't be read.
pub fn all_open(connection: &Connection) -> Result<Vec<Incident>> {
    let mut statement = connection.prepare_cached(
        "SELECT key, message, opened_at FROM incidents WHERE resolved_at IS NULL ORDER BY id",
    )?;
    let rows = statement.query_map((), |row| {
        Ok(Incident {
            key: row.get(0)?,
            message: row.get(1)?,
            opened_at: Timestamp::from_millis(row.get(2)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
