//! People: what the commands change in the ledger. A running daemon notices within a second.
//!
//! **Invariant:** a person may do what the ledger does not do by itself (leave `failed` and
//! `skipped`, settle a doubt), but never touches an attempt in flight.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::{Result, crossposts};
use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::names::{AccountId, CrosspostId, EntryId, FeedId};

/// The state of a crosspost, or `None` when there is no such crosspost.
///
/// # Errors
/// The database can't be read.
pub fn state_of(connection: &Connection, id: CrosspostId) -> Result<Option<State>> {
    let word: Option<String> = connection
        .query_row("SELECT state FROM crossposts WHERE id = ?1", [id.0], |row| row.get(0))
        .optional()?;
    Ok(word.and_then(|word| State::from_word(&word)))
}

/// Tries a failed crosspost again, now, composed anew, with what was refused of its media. Tells whether it was `failed`.
///
/// # Errors
/// The database can't be written.
pub fn retry(connection: &Connection, id: CrosspostId, now: Timestamp) -> Result<bool> {
    // failed → ready
    anew(connection, id, "failed", "retry", now)
}

/// Publishes what was skipped or held after all. Tells whether it was.
///
/// # Errors
/// The database can't be written.
pub fn publish(connection: &Connection, id: CrosspostId, now: Timestamp) -> Result<bool> {
    // skipped | held → ready
    Ok(anew(connection, id, "skipped", "publish", now)?
        || (!is_doubt(connection, id)? && anew(connection, id, "held", "publish", now)?))
}

/// Publishes an entry on an account that has no crosspost of it yet.
///
/// # Errors
/// The database can't be written.
pub fn publish_new(
    connection: &Connection,
    entry: EntryId,
    account: AccountId,
    now: Timestamp,
) -> Result<CrosspostId> {
    let new = crossposts::New { entry, account, state: State::Ready, reason: None, due_at: now };
    crossposts::insert(connection, &new, now)?;
    let id = connection.query_row(
        "SELECT id FROM crossposts WHERE entry = ?1 AND account_id = ?2",
        (entry.0, account.0),
        |row| row.get(0),
    )?;
    note(connection, CrosspostId(id), "publish", now)?;
    Ok(CrosspostId(id))
}

/// Sets a crosspost aside that was not sent. Tells whether it was `held` or `ready`.
///
/// # Errors
/// The database can't be written.
pub fn skip(connection: &Connection, id: CrosspostId, now: Timestamp) -> Result<bool> {
    // held | ready → skipped
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = 'skipped', reason = 'skipped by hand', settled_at = ?2
         WHERE id = ?1 AND state IN ('held', 'ready')",
    )?;
    let done = statement.execute((id.0, now.as_millis()))? > 0;
    if done {
        note(connection, id, "skip", now)?;
    }
    Ok(done)
}

/// Releases what a feed holds, but for doubts: those want `resolve`. Tells how many.
///
/// # Errors
/// The database can't be written.
pub fn release(connection: &Connection, feed: FeedId, now: Timestamp) -> Result<usize> {
    let held: Vec<i64> = connection
        .prepare_cached(
            // the first condition is that of its index
            "SELECT id FROM crossposts
             WHERE state IN ('ready', 'held') AND state = 'held' AND feed_id = ?1 AND attempts = 0
             ORDER BY id",
        )?
        .query_map([feed.0], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in &held {
        // held → ready
        to_ready(connection, CrosspostId(*id), "held", "release", now)?;
    }
    Ok(held.len())
}

/// Settles a doubt by hand: the post is there, at `url`. Tells whether there was a doubt.
///
/// # Errors
/// The database can't be written.
pub fn resolve_published(
    connection: &Connection,
    id: CrosspostId,
    url: &str,
    now: Timestamp,
) -> Result<bool> {
    // held | uncertain → published
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = 'published', reason = NULL, url = ?2, settled_at = ?3
         WHERE id = ?1 AND state IN ('held', 'uncertain')",
    )?;
    let done = statement.execute((id.0, url, now.as_millis()))? > 0;
    if done {
        note(connection, id, "resolve --published", now)?;
    }
    Ok(done)
}

/// Settles a doubt by hand: the post is not there, so it goes out again. Tells whether there was a
/// doubt.
///
/// # Errors
/// The database can't be written.
pub fn resolve_retry(connection: &Connection, id: CrosspostId, now: Timestamp) -> Result<bool> {
    // uncertain | held → ready
    Ok(to_ready(connection, id, "uncertain", "resolve --retry", now)?
        || to_ready(connection, id, "held", "resolve --retry", now)?)
}

/// Whether a crosspost is held because nobody could find out what became of it: it was tried.
fn is_doubt(connection: &Connection, id: CrosspostId) -> Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT attempts > 0 FROM crossposts WHERE id = ?1")?;
    Ok(statement.query_row([id.0], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// What no request is in doubt of, as if it had never been tried.
fn anew(
    connection: &Connection,
    id: CrosspostId,
    from: &str,
    said: &str,
    now: Timestamp,
) -> Result<bool> {
    let done = to_ready(connection, id, from, said, now)?;
    if done {
        crossposts::with_media_again(connection, id)?;
    }
    Ok(done)
}

fn to_ready(
    connection: &Connection,
    id: CrosspostId,
    from: &str,
    said: &str,
    now: Timestamp,
) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = 'ready', reason = NULL, due_at = :now, settled_at = NULL,
            attempts = 0, doubts = 0, finds = 0, waiting = 0, first_attempt_at = NULL,
            -- composed anew, where the entry's text is still there
            draft = CASE WHEN EXISTS
                (SELECT 1 FROM entries e WHERE e.id = entry AND e.body IS NOT NULL)
                THEN NULL ELSE draft END
         WHERE id = :id AND state = :from",
    )?;
    let values = named_params! { ":id": id.0, ":from": from, ":now": now.as_millis() };
    let done = statement.execute(values)? > 0;
    if done {
        crossposts::whole_again(connection, id)?;
        note(connection, id, said, now)?;
    }
    Ok(done)
}

/// Keeps what a person said in the story of a crosspost.
fn note(connection: &Connection, id: CrosspostId, said: &str, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO attempts (crosspost_id, kind, started_at, ended_at, outcome)
             VALUES (?1, 'person', ?2, ?2, ?3)",
        )?
        .execute((id.0, now.as_millis(), said))?;
    Ok(())
}
