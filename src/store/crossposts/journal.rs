//! Journal: what a crosspost did so far, on any attempt: keys, record keys, container ids.

use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use crate::crosspost::MEDIA_AGAIN;
use crate::names::CrosspostId;
use crate::store::Result;

/// What a crosspost did so far, under `key`.
///
/// # Errors
/// The database can't be read.
pub fn note(connection: &Connection, id: CrosspostId, key: &str) -> Result<Option<Value>> {
    let mut statement = connection
        .prepare_cached("SELECT value FROM crosspost_notes WHERE crosspost_id = ?1 AND key = ?2")?;
    let value: Option<String> = statement.query_row((id.0, key), |row| row.get(0)).optional()?;
    Ok(value.map(|value| serde_json::from_str(&value)).transpose()?)
}

/// Writes `value` under `key` into the journal of a crosspost; null takes it away.
///
/// # Errors
/// The database can't be written: whatever depends on it must not be done.
pub fn set_note(connection: &Connection, id: CrosspostId, key: &str, value: &Value) -> Result<()> {
    if value.is_null() {
        connection
            .prepare_cached("DELETE FROM crosspost_notes WHERE crosspost_id = ?1 AND key = ?2")?
            .execute((id.0, key))?;
    } else {
        connection
            .prepare_cached(
                "INSERT INTO crosspost_notes (crosspost_id, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET value = excluded.value",
            )?
            .execute((id.0, key, value.to_string()))?;
    }
    Ok(())
}

/// The note of a crosspost whose link card was refused.
const WITHOUT_CARD: &str = "without_card";

/// Notes that the platform refused the card of a crosspost: it is composed anew, without.
///
/// # Errors
/// The database can't be written.
pub fn without_card(connection: &Connection, id: CrosspostId) -> Result<()> {
    connection
        .prepare_cached("UPDATE crossposts SET draft = NULL WHERE id = ?1")?
        .execute([id.0])?;
    set_note(connection, id, WITHOUT_CARD, &Value::Bool(true))
}

/// The note of a crosspost whose text was refused for its length: that text.
const SHORTER_THAN: &str = "shorter_than";

/// Notes that the platform refused the text of a crosspost for its length: it is composed anew,
/// shorter.
///
/// # Errors
/// The database can't be written.
pub fn shorter(connection: &Connection, id: CrosspostId) -> Result<()> {
    let refused: String = connection
        .prepare_cached("SELECT coalesce(draft ->> '$.text', '') FROM crossposts WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    connection
        .prepare_cached("UPDATE crossposts SET draft = NULL WHERE id = ?1")?
        .execute([id.0])?;
    set_note(connection, id, SHORTER_THAN, &Value::String(refused))
}

/// Forgets both: a person says that it is to be tried anew.
///
/// # Errors
/// The database can't be written.
pub fn whole_again(connection: &Connection, id: CrosspostId) -> Result<()> {
    set_note(connection, id, WITHOUT_CARD, &Value::Null)?;
    set_note(connection, id, SHORTER_THAN, &Value::Null)
}

/// Notes that what the platform refused of the media of a crosspost is to be tried again.
///
/// # Errors
/// The database can't be written.
pub fn with_media_again(connection: &Connection, id: CrosspostId) -> Result<()> {
    set_note(connection, id, MEDIA_AGAIN, &Value::Bool(true))
}
