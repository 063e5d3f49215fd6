//! Queue: which crosspost of an account comes next, and when.
//!
//! **Invariant:** found by index, however much was ever published.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::Crosspost;
use crate::clock::Timestamp;
use crate::names::{AccountId, CrosspostId, EntryId};
use crate::store::Result;

const COLUMNS: &str = "c.id, c.entry, coalesce(e.title, e.url, e.entry_id), c.attempts, c.doubts,
    c.finds, c.first_attempt_at, c.draft, EXISTS (SELECT 1 FROM crosspost_notes n
        WHERE n.crosspost_id = c.id AND n.key = 'without_card'),
    (SELECT n.value FROM crosspost_notes n
        WHERE n.crosspost_id = c.id AND n.key = 'shorter_than')";
const FROM: &str = "crossposts c CROSS JOIN entries e ON e.id = c.entry";

type Raw = (i64, i64, String, u32, u32, u32, Option<i64>, Option<String>, bool, Option<String>);

fn read(raw: Raw) -> Result<Crosspost> {
    let (id, entry, title, attempts, doubts, finds, first, draft, without_card, refused) = raw;
    Ok(Crosspost {
        id: CrosspostId(id),
        entry: EntryId(entry),
        title,
        attempts,
        doubts,
        finds,
        first_attempt_at: first.map(Timestamp::from_millis),
        draft: draft.map(|draft| serde_json::from_str(&draft)).transpose()?,
        without_card,
        shorter_than: refused.map(|text| serde_json::from_str(&text)).transpose()?,
    })
}

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    row.try_into()
}

/// How many attempts of an older crosspost may get no usable answer before younger ones of its
/// account overtake it.
const PATIENCE: u32 = 3;

static NEXT_READY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {COLUMNS} FROM {FROM}
         WHERE c.account_id = :account AND c.state = 'ready' AND c.due_at <= :now
            AND NOT EXISTS (SELECT 1 FROM crossposts o
                WHERE o.account_id = c.account_id AND o.id < c.id
                    AND o.state IN ('ready', 'uncertain') -- by the index, and not all of them
                    AND ((o.state = 'uncertain' AND :doubts_block)
                        OR (o.state = 'ready' AND o.waiting = 0
                            AND o.attempts > 0 AND o.doubts <= {PATIENCE})))
         ORDER BY c.id LIMIT 1"
    )
});

/// The next crosspost of an account that is due, in the order in which the entries were seen. One
/// in doubt, or one that is tried again, keeps the younger ones waiting, so that posts stay in
/// order; one that waits for the platform to finish its work does not, nor one that the platform
/// has left without an answer too often. Where nobody can ask about doubts, as on a dry run, they
/// don't block (`doubts_block`).
///
/// # Errors
/// The database can't be read.
pub fn next_ready(
    connection: &Connection,
    account: AccountId,
    doubts_block: bool,
    now: Timestamp,
) -> Result<Option<Crosspost>> {
    let mut statement = connection.prepare_cached(&NEXT_READY)?;
    let values = named_params! {
        ":account": account.0,
        ":doubts_block": doubts_block,
        ":now": now.as_millis(),
    };
    statement.query_row(values, raw).optional()?.map(read).transpose()
}

/// The next crosspost in doubt whose time to ask has come.
///
/// # Errors
/// The database can't be read.
pub fn next_uncertain(
    connection: &Connection,
    account: AccountId,
    now: Timestamp,
) -> Result<Option<Crosspost>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM {FROM}
         WHERE c.account_id = ?1 AND c.state = 'uncertain' AND c.due_at <= ?2
         ORDER BY c.id LIMIT 1"
    ))?;
    statement.query_row((account.0, now.as_millis()), raw).optional()?.map(read).transpose()
}

/// When an account has something to do next.
///
/// # Errors
/// The database can't be read.
pub fn next_due(
    connection: &Connection,
    account: AccountId,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    // what is due already but waits behind another does not count: that other one does
    let mut statement = connection.prepare_cached(
        "SELECT min(due_at) FROM crossposts
         WHERE account_id = ?1 AND state IN ('ready', 'uncertain') AND due_at > ?2",
    )?;
    let at: Option<i64> = statement.query_row((account.0, now.as_millis()), |row| row.get(0))?;
    Ok(at.map(Timestamp::from_millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn the_next_one_is_found_by_index() {
        let plan = schema::plan(&NEXT_READY);
        // every other way reads all that was ever published
        let queue = "USING INDEX crossposts_queue (account_id=? AND state=?";
        let by_queue = plan.iter().filter(|step| step.contains(queue)).count();
        assert!(by_queue == 2 && !plan.iter().any(|step| step.starts_with("SCAN")), "{plan:#?}");
    }
}
