//! Entries: what the feeds said, and under which ids it was seen.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::Result;
use crate::clock::Timestamp;
use crate::entry::{Entry, Known};
use crate::names::{EntryId, FeedId};

/// An entry with the hashes that `feed::diff` made of it, ready to be stored.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// Hash of title, date and text.
    pub sign: Option<&'a [u8]>,
    /// Hash of all that is stored.
    pub content_hash: &'a [u8],
    /// The entry as JSON.
    pub body: &'a str,
}

/// Whether a feed has any entry stored.
///
/// # Errors
/// The database can't be read.
pub fn any(connection: &Connection, feed: FeedId) -> Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM entries WHERE feed_id = ?1)")?;
    Ok(statement.query_row([feed.0], |row| row.get(0))?)
}

/// The stored entry of `feed` that was seen under `id`.
///
/// # Errors
/// The database can't be read.
pub fn by_id(connection: &Connection, feed: FeedId, id: &str) -> Result<Option<Known>> {
    one(connection, "feed_id = ?1 AND entry_id = ?2", (feed.0, id))?.map_or_else(
        || {
            one(
                connection,
                "id = (SELECT entry FROM entry_aliases WHERE feed_id = ?1 AND alias = ?2)",
                (feed.0, id),
            )
        },
        |known| Ok(Some(known)),
    )
}

/// The stored entries of `feed` with this canonical URL.
///
/// # Errors
/// The database can't be read.
pub fn by_url(connection: &Connection, feed: FeedId, url: &str) -> Result<Vec<Known>> {
    several(connection, "url = ?2 AND feed_id = ?1", (feed.0, url))
}

/// The stored entries of `feed` with this sign.
///
/// # Errors
/// The database can't be read.
pub fn by_sign(connection: &Connection, feed: FeedId, sign: &[u8]) -> Result<Vec<Known>> {
    several(connection, "sign = ?2 AND feed_id = ?1", (feed.0, sign))
}

fn one(
    connection: &Connection,
    which: &str,
    values: impl rusqlite::Params,
) -> Result<Option<Known>> {
    Ok(several(connection, which, values)?.into_iter().next())
}

fn several(
    connection: &Connection,
    which: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<Known>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, entry_id, url, sign, content_hash, title, published_at FROM entries WHERE {which} ORDER BY id"
    ))?;
    let rows = statement.query_map(values, |row| {
        Ok(Known {
            row: EntryId(row.get(0)?),
            ids: vec![row.get(1)?],
            url: row.get(2)?,
            sign: row.get(3)?,
            content_hash: row.get(4)?,
            title: row.get(5)?,
            published: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
        })
    })?;
    let mut found: Vec<Known> = rows.collect::<rusqlite::Result<_>>()?;
    let mut aliases =
        connection.prepare_cached("SELECT alias FROM entry_aliases WHERE entry = ?1")?;
    for known in &mut found {
        let more = aliases.query_map([known.row.0], |row| row.get(0))?;
        known.ids.extend(more.collect::<rusqlite::Result<Vec<String>>>()?);
    }
    Ok(found)
}

/// Stores an entry that is new.
///
/// # Errors
/// The database can't be written, or the id is there already.
pub fn insert(
    connection: &Connection,
    feed: FeedId,
    row: Row<'_>,
    now: Timestamp,
) -> Result<EntryId> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO entries
            (feed_id, entry_id, url, alternate_url, title, published_at, first_seen_at, changed_at,
             sign, content_hash, body)
         VALUES (:feed, :id, :url, :alternate, :title, :published, :now, :now, :sign, :hash, :body)",
    )?;
    statement.execute(named_params! {
        ":feed": feed.0,
        ":id": row.entry.id,
        ":url": row.entry.url,
        ":alternate": alternate_url(row.entry),
        ":title": row.entry.title,
        ":published": row.entry.published.map(Timestamp::as_millis),
        ":now": now.as_millis(),
        ":sign": row.sign,
        ":hash": row.content_hash,
        ":body": row.body,
    })?;
    Ok(EntryId(connection.last_insert_rowid()))
}

/// Stores what an entry says now; its identity and the time of its first sight stay.
///
/// # Errors
/// The database can't be written.
pub fn update(connection: &Connection, entry: EntryId, row: Row<'_>, now: Timestamp) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE entries SET url = :url, alternate_url = :alternate, title = :title,
            published_at = :published, changed_at = :now, sign = :sign, content_hash = :hash, body = :body
         WHERE id = :row",
    )?;
    statement.execute(named_params! {
        ":row": entry.0,
        ":url": row.entry.url,
        ":alternate": alternate_url(row.entry),
        ":title": row.entry.title,
        ":published": row.entry.published.map(Timestamp::as_millis),
        ":now": now.as_millis(),
        ":sign": row.sign,
        ":hash": row.content_hash,
        ":body": row.body,
    })?;
    Ok(())
}

/// The entry's page, where its canonical URL is another address of it.
fn alternate_url(entry: &Entry) -> Option<&str> {
    entry.alternate_url.as_deref().filter(|page| entry.url.as_deref() != Some(page))
}

/// Brings the body of an entry back that retention had dropped, now that the feed has it again.
///
/// # Errors
/// The database can't be written.
pub fn restore_body(connection: &Connection, entry: EntryId, body: &str) -> Result<()> {
    let mut statement =
        connection.prepare_cached("UPDATE entries SET body = ?2 WHERE id = ?1 AND body IS NULL")?;
    statement.execute((entry.0, body))?;
    Ok(())
}

/// Remembers that an entry was seen under another id.
///
/// # Errors
/// The database can't be written.
pub fn add_alias(connection: &Connection, feed: FeedId, entry: EntryId, alias: &str) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT OR IGNORE INTO entry_aliases (feed_id, alias, entry) VALUES (?1, ?2, ?3)",
    )?;
    statement.execute((feed.0, alias, entry.0))?;
    Ok(())
}

/// The entry as it is now; absent when its body was pruned.
///
/// # Errors
/// The database can't be read.
pub fn body(connection: &Connection, entry: EntryId) -> Result<Option<Entry>> {
    let mut statement = connection.prepare_cached("SELECT body FROM entries WHERE id = ?1")?;
    let body: Option<Option<String>> =
        statement.query_row([entry.0], |row| row.get(0)).optional()?;
    Ok(body.flatten().map(|body| serde_json::from_str(&body)).transpose()?)
}

/// The newest entry of all active feeds: by its date, else by when it was first seen.
///
/// # Errors
/// The database can't be read.
pub fn newest(connection: &Connection) -> Result<Option<EntryId>> {
    let found = connection.query_row(
        "SELECT e.id FROM entries e JOIN feeds f ON f.id = e.feed_id WHERE f.active
         ORDER BY coalesce(e.published_at, e.first_seen_at) DESC, e.id DESC LIMIT 1",
        (),
        |row| row.get(0),
    );
    Ok(found.optional()?.map(EntryId))
}

/// Drops the bodies of entries whose crossposts are all settled and that did not change since
/// `before`. Ids, hashes and receipts stay: old posts never come back as new. Tells how many.
///
/// # Errors
/// The database can't be written.
pub fn prune_bodies(connection: &Connection, before: Timestamp) -> Result<usize> {
    let mut statement = connection.prepare_cached(
        "UPDATE entries SET body = NULL
         WHERE body IS NOT NULL AND changed_at < ?1 AND NOT EXISTS
            (SELECT 1 FROM crossposts WHERE entry = entries.id AND settled_at IS NULL)",
    )?;
    Ok(statement.execute([before.as_millis()])?)
}
