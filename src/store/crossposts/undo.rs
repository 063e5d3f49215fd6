//! Undo: crossposts that nobody has claimed yet, and what their owner may still take back.

use std::sync::LazyLock;

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
    /// Why it waits for a person, or did before it was withdrawn; absent: it does not.
    pub held: Option<String>,
    /// Whether it was withdrawn because its entry had vanished.
    pub vanished: bool,
}

/// Reason of a crosspost whose entry vanished before it was sent.
pub const VANISHED: &str = "withdrawn: its entry vanished from the feed";

static UNCLAIMED: LazyLock<String> = LazyLock::new(|| {
    let which = |state: &str| {
        format!(
            "SELECT c.id, c.entry, c.account_id, a.label, a.platform, c.due_at,
                c.state = 'skipped',
                CASE c.state WHEN 'held' THEN c.reason WHEN 'skipped' THEN c.away_reason END
             FROM crossposts c CROSS JOIN accounts a ON a.id = c.account_id
             WHERE {state} AND c.feed_id = ?1 AND c.attempts = 0 AND c.waiting = 0
                -- what a person decided stays decided
                AND NOT EXISTS (SELECT 1 FROM attempts
                    WHERE crosspost_id = c.id AND kind = 'person')"
        )
    };
    let waiting = which("c.state IN ('ready', 'held')");
    let vanished = which(&format!("c.state = 'skipped' AND c.reason = '{VANISHED}'"));
    format!("{waiting} UNION ALL {vanished}")
});

/// The crossposts of a feed that are not sent yet, and those withdrawn because their entry had
/// vanished.
///
/// # Errors
/// The database can't be read.
pub fn unclaimed(connection: &Connection, feed: FeedId) -> Result<Vec<Unclaimed>> {
    let mut statement = connection.prepare_cached(&UNCLAIMED)?;
    let rows = statement.query_map([feed.0], |row| {
        Ok(Unclaimed {
            id: CrosspostId(row.get(0)?),
            entry: EntryId(row.get(1)?),
            account: AccountId(row.get(2)?),
            label: store::label(row, 3)?,
            platform: row.get(4)?,
            due_at: Timestamp::from_millis(row.get(5)?),
            vanished: row.get(6)?,
            held: row.get(7)?,
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
        "UPDATE crossposts SET state = 'skipped', reason = ?2, settled_at = ?3,
            away_reason = CASE state WHEN 'held' THEN reason END
         WHERE id = ?1 AND state IN ('ready', 'held') AND attempts = 0",
    )?;
    Ok(statement.execute((id.0, reason, now.as_millis()))? > 0)
}

/// Brings back a crosspost that was withdrawn because its entry had vanished: to where it was.
///
/// # Errors
/// The database can't be written.
pub fn reinstate(connection: &Connection, id: CrosspostId, now: Timestamp) -> Result<bool> {
    // skipped → ready | held
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = CASE WHEN away_reason IS NULL THEN 'ready' ELSE 'held' END,
            reason = away_reason, away_reason = NULL, settled_at = NULL,
            due_at = max(due_at, ?3)
         WHERE id = ?1 AND state = 'skipped' AND reason = ?2",
    )?;
    Ok(statement.execute((id.0, VANISHED, now.as_millis()))? > 0)
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

/// Holds a crosspost that was not sent yet, or says anew why it is held. Tells whether there was one.
///
/// # Errors
/// The database can't be written.
pub fn hold(connection: &Connection, id: CrosspostId, reason: &str) -> Result<bool> {
    // ready → held
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = 'held', reason = ?2
         WHERE id = ?1 AND state IN ('ready', 'held') AND attempts = 0",
    )?;
    Ok(statement.execute((id.0, reason))? > 0)
}

/// Lets a crosspost go that was held and not sent yet: when it was due, at the earliest now. Tells
/// whether there was one.
///
/// # Errors
/// The database can't be written.
pub fn free(connection: &Connection, id: CrosspostId, now: Timestamp) -> Result<bool> {
    // held → ready
    let mut statement = connection.prepare_cached(
        "UPDATE crossposts SET state = 'ready', reason = NULL, due_at = max(due_at, ?2)
         WHERE id = ?1 AND state = 'held' AND attempts = 0",
    )?;
    Ok(statement.execute((id.0, now.as_millis()))? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn a_poll_looks_through_what_waits_of_its_own_feed() {
        let plan = schema::plan(&UNCLAIMED);
        // every other way reads what all feeds have waiting, or all that this one ever had
        for index in ["crossposts_waiting", "crossposts_vanished"] {
            let step = format!("SEARCH c USING INDEX {index} (feed_id=?)");
            assert!(plan.contains(&step), "{plan:#?}");
        }
        assert!(!plan.iter().any(|step| step.starts_with("SCAN")), "{plan:#?}");
    }
}
