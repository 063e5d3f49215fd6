//! Turn: who may change the token of an account now.
//!
//! The care of the daemon and a `login` in another process must not get in each other's way, and
//! only the database stands between them. Whoever renews a token takes the turn before, and what
//! it writes counts only while it has it. **Invariant:** at most one holder; new credentials, of
//! the config or of a `login`, end a turn, and the answer that its holder still gets is dropped.

use rusqlite::Connection;
use serde_json::json;

use super::{note, set_note};
use crate::clock::Timestamp;
use crate::names::AccountId;
use crate::store::Result;

/// Where the account's memory holds it.
const NOTE: &str = "token_turn";

/// Takes the turn until `until`, for `holder`, unless somebody has it. Tells whether it did.
///
/// # Errors
/// The database can't be written.
pub fn take(
    connection: &Connection,
    account: AccountId,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool> {
    let taken = note(connection, account, NOTE)?;
    if taken.is_some_and(|turn| turn["until"].as_i64().is_some_and(|at| at > now.as_millis())) {
        return Ok(false);
    }
    let turn = json!({ "holder": holder, "until": until });
    set_note(connection, account, NOTE, &turn)?;
    Ok(true)
}

/// Whether `holder` has the turn still.
///
/// # Errors
/// The database can't be read.
pub fn is_of(connection: &Connection, account: AccountId, holder: &str) -> Result<bool> {
    Ok(note(connection, account, NOTE)?.is_some_and(|turn| turn["holder"] == holder))
}

/// Ends the turn, whoever has it.
///
/// # Errors
/// The database can't be written.
pub fn end(connection: &Connection, account: AccountId) -> Result<()> {
    set_note(connection, account, NOTE, &serde_json::Value::Null)
}

/// Ends the turns that a daemon left behind which is no more.
///
/// # Errors
/// The database can't be written.
pub fn end_all(connection: &Connection) -> Result<()> {
    connection.execute("DELETE FROM account_notes WHERE key = ?1", [NOTE])?;
    Ok(())
}
