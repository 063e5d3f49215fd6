//! Enter: how crossposts come into the ledger.
//!
//! **Invariant:** one crosspost for an entry and an account, whatever happens.

use rusqlite::{Connection, named_params};

use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::names::{AccountId, EntryId, FeedId};
use crate::store::Result;

/// A new row of the ledger.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// The entry.
    pub entry: EntryId,
    /// The account.
    pub account: AccountId,
    /// `ready`, `held` or `skipped`.
    pub state: State,
    /// Why it is held or skipped.
    pub reason: Option<&'a str>,
    /// When it goes out.
    pub due_at: Timestamp,
}

/// Enters a crosspost into the ledger, unless the account has the entry already.
///
/// # Errors
/// The database can't be written.
pub fn insert(connection: &Connection, new: &New<'_>, now: Timestamp) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO crossposts
            (entry, feed_id, account_id, state, reason, due_at, created_at, settled_at)
         VALUES (:entry, (SELECT feed_id FROM entries WHERE id = :entry), :account, :state,
            :reason, :due, :now, CASE WHEN :state = 'skipped' THEN :now END)
         ON CONFLICT (entry, account_id) DO NOTHING",
    )?;
    statement.execute(named_params! {
        ":entry": new.entry.0,
        ":account": new.account.0,
        ":state": new.state.as_str(),
        ":reason": new.reason,
        ":due": new.due_at.as_millis(),
        ":now": now.as_millis(),
    })?;
    Ok(())
}

/// Sets everything aside that a feed has and an account has not, but the `backfill` newest
/// entries: those are returned, the oldest first, to be routed.
///
/// # Errors
/// The database can't be written.
pub fn baseline(
    connection: &Connection,
    feed: FeedId,
    account: AccountId,
    backfill: usize,
    now: Timestamp,
) -> Result<(usize, Vec<EntryId>)> {
    let newest: Vec<i64> = connection
        .prepare_cached(
            "SELECT id FROM entries WHERE feed_id = ?1
             ORDER BY coalesce(published_at, first_seen_at) DESC, id DESC LIMIT ?2",
        )?
        .query_map((feed.0, i64::try_from(backfill).unwrap_or(i64::MAX)), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let keep = serde_json::to_string(&newest)?;
    let set_aside = connection
        .prepare_cached(
            "INSERT INTO crossposts
                (entry, feed_id, account_id, state, reason, due_at, created_at, settled_at)
             SELECT id, feed_id, :account, 'skipped', 'baseline', :now, :now, :now FROM entries
             WHERE feed_id = :feed AND id NOT IN (SELECT value FROM json_each(:keep))
             ORDER BY id
             ON CONFLICT (entry, account_id) DO NOTHING",
        )?
        .execute(named_params! {
            ":feed": feed.0,
            ":account": account.0,
            ":keep": keep,
            ":now": now.as_millis(),
        })?;
    Ok((set_aside, newest.into_iter().rev().map(EntryId).collect()))
}

const HAS_PAGE_ELSEWHERE: &str = "SELECT EXISTS (SELECT 1 FROM entries mine
    CROSS JOIN entries e ON e.feed_id <> mine.feed_id
        AND (e.url IN (mine.url, mine.alternate_url)
            OR e.alternate_url IN (mine.url, mine.alternate_url))
    CROSS JOIN crossposts c ON c.entry = e.id AND c.account_id = ?2 AND c.state <> 'skipped'
    WHERE mine.id = ?1)";

/// Whether the account has a live crosspost (one that was not skipped) for the page of this entry
/// from another feed: one of its addresses, `url` or `alternate_url`, is one of the other's.
///
/// # Errors
/// The database can't be read.
pub fn has_page_elsewhere(
    connection: &Connection,
    entry: EntryId,
    account: AccountId,
) -> Result<bool> {
    let mut statement = connection.prepare_cached(HAS_PAGE_ELSEWHERE)?;
    Ok(statement.query_row((entry.0, account.0), |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn the_page_is_looked_up_by_index() {
        let plan = schema::plan(HAS_PAGE_ELSEWHERE);
        // every other way reads all entries for each that is new, or all that the account has
        let searches = plan.iter().filter(|step| step.starts_with("SEARCH "));
        let by = searches.map(|step| step.split_once(" USING ").unwrap().1).collect::<Vec<_>>();
        assert_eq!(
            by,
            [
                "INTEGER PRIMARY KEY (rowid=?)",
                "INDEX entries_url (url=?)",
                "INDEX entries_page (alternate_url=?)",
                "INDEX sqlite_autoindex_crossposts_1 (entry=? AND account_id=?)",
            ],
            "{plan:#?}"
        );
    }
}
