//! Upkeep: what is done to the ledger at the start of the daemon, and now and then.

use rusqlite::Connection;

use crate::clock::Timestamp;
use crate::names::CrosspostId;
use crate::store::Result;

/// Reason of a crosspost whose attempt was cut off with the daemon.
const CUT_OFF: &str = "the daemon ended in the middle of an attempt";

/// Turns every orphaned attempt into a doubt, at start: there is one daemon, so none is in flight.
/// Tells how many.
///
/// # Errors
/// The database can't be written.
pub fn rescue_sending(connection: &Connection, now: Timestamp) -> Result<usize> {
    connection.execute(
        "UPDATE attempts SET ended_at = ?1, outcome = 'cut off', detail = ?2
         WHERE ended_at IS NULL",
        (now.as_millis(), CUT_OFF),
    )?;
    // sending → uncertain
    Ok(connection.execute(
        "UPDATE crossposts SET state = 'uncertain', due_at = ?1, reason = ?2, finds = 0,
            doubts = doubts + 1
         WHERE state = 'sending' AND account_id IN (SELECT id FROM accounts)",
        (now.as_millis(), CUT_OFF),
    )?)
}

/// Counts patience from now on: the time in which no daemon ran was no time of trying.
///
/// # Errors
/// The database can't be written.
pub fn restart_patience(connection: &Connection, now: Timestamp) -> Result<()> {
    connection.execute(
        "UPDATE crossposts SET first_attempt_at = ?1
         WHERE first_attempt_at IS NOT NULL AND state IN ('ready', 'sending', 'uncertain')
            AND account_id IN (SELECT id FROM accounts)",
        [now.as_millis()],
    )?;
    Ok(())
}

/// Those of `ids` that are settled, or were never known.
///
/// # Errors
/// The database can't be read.
pub fn settled_of(connection: &Connection, ids: &[CrosspostId]) -> Result<Vec<CrosspostId>> {
    let mut statement = connection.prepare_cached(
        "SELECT NOT EXISTS (SELECT 1 FROM crossposts WHERE id = ?1 AND settled_at IS NULL)",
    )?;
    let mut settled = Vec::new();
    for id in ids {
        if statement.query_row([id.0], |row| row.get(0))? {
            settled.push(*id);
        }
    }
    Ok(settled)
}

/// Drops the attempts of crossposts that were settled before `before`. Tells how many.
///
/// # Errors
/// The database can't be written.
pub fn prune_attempts(connection: &Connection, before: Timestamp) -> Result<usize> {
    Ok(connection.execute(
        "DELETE FROM attempts WHERE crosspost_id IN
            (SELECT id FROM crossposts WHERE settled_at < ?1)",
        [before.as_millis()],
    )?)
}
