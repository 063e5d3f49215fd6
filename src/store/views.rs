//! Views: what the commands show. Reads only.

use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;

use super::Result;
use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::draft::Draft;
use crate::names::{AccountId, CrosspostId, EntryId, FeedId, Label};

mod list;

pub use list::{Filter, Line, list, set_aside};

/// Writes a time as RFC 3339, or null.
///
/// # Errors
/// The serialiser's own.
pub fn rfc3339<S: serde::Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    at.map(Timestamp::to_rfc3339).serialize(serializer)
}

fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_millis))
}

/// An entry, for `why`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryStory {
    /// Row number.
    pub id: EntryId,
    /// Label of its feed.
    pub feed: Label,
    /// Its own id.
    pub entry_id: String,
    /// Other ids under which it was seen.
    pub aliases: Vec<String>,
    /// Its canonical URL.
    pub url: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// When it was published, as the feed says.
    #[serde(serialize_with = "rfc3339")]
    pub published_at: Option<Timestamp>,
    /// When it was first seen.
    #[serde(serialize_with = "rfc3339")]
    pub first_seen_at: Option<Timestamp>,
    /// When it last changed.
    #[serde(serialize_with = "rfc3339")]
    pub changed_at: Option<Timestamp>,
    /// What of its control could not be taken.
    pub problems: Vec<String>,
}

/// One attempt, question or word of a person, for `why`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attempt {
    /// The crosspost.
    pub crosspost: CrosspostId,
    /// `publish`, `find` or `person`.
    pub kind: String,
    /// When it began.
    #[serde(serialize_with = "rfc3339")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(serialize_with = "rfc3339")]
    pub ended_at: Option<Timestamp>,
    /// What it came to.
    pub outcome: Option<String>,
    /// Why.
    pub detail: Option<String>,
}

/// Each by its own index.
const NAMED: &str = "e.id IN (SELECT id FROM entries WHERE url = ?1
    UNION SELECT entry FROM crossposts WHERE url = ?1
    UNION SELECT e.id FROM feeds f CROSS JOIN entries e WHERE e.feed_id = f.id AND e.entry_id = ?1
    UNION SELECT entry FROM feeds f CROSS JOIN entry_aliases WHERE feed_id = f.id AND alias = ?1)";

/// The entries that `name` may mean: the entry's own id (or one under which it was seen before), its
/// URL, or the URL of one of its posts.
///
/// # Errors
/// The database can't be read.
pub fn entries_named(connection: &Connection, name: &str) -> Result<Vec<EntryStory>> {
    stories(connection, NAMED, [name])
}

/// The entry with this row number.
///
/// # Errors
/// The database can't be read.
pub fn entry_numbered(connection: &Connection, number: i64) -> Result<Option<EntryStory>> {
    Ok(stories(connection, "e.id = ?1", [number])?.pop())
}

/// The entry of the crosspost with this row number.
///
/// # Errors
/// The database can't be read.
pub fn entry_of(connection: &Connection, crosspost: CrosspostId) -> Result<Option<EntryStory>> {
    let which = "e.id = (SELECT entry FROM crossposts WHERE id = ?1)";
    Ok(stories(connection, which, [crosspost.0])?.pop())
}

fn stories_where(which: &str) -> String {
    format!(
        "SELECT e.id, f.label, e.entry_id, e.url, e.title, e.published_at, e.first_seen_at,
            e.changed_at, json_extract(e.body, '$.control.problems')
         FROM entries e CROSS JOIN feeds f ON f.id = e.feed_id WHERE {which} ORDER BY e.id"
    )
}

fn stories(
    connection: &Connection,
    which: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<EntryStory>> {
    let mut statement = connection.prepare_cached(&stories_where(which))?;
    let rows = statement.query_map(values, |row| {
        let problems: Option<String> = row.get(8)?;
        let problems = problems.and_then(|list| serde_json::from_str(&list).ok());
        Ok(EntryStory {
            id: EntryId(row.get(0)?),
            feed: super::label(row, 1)?,
            entry_id: row.get(2)?,
            aliases: Vec::new(),
            url: row.get(3)?,
            title: row.get(4)?,
            published_at: time(row, 5)?,
            first_seen_at: time(row, 6)?,
            changed_at: time(row, 7)?,
            problems: problems.unwrap_or_default(),
        })
    })?;
    let mut found: Vec<EntryStory> = rows.collect::<rusqlite::Result<_>>()?;
    let mut aliases =
        connection.prepare_cached("SELECT alias FROM entry_aliases WHERE entry = ?1")?;
    for story in &mut found {
        let more = aliases.query_map([story.id.0], |row| row.get(0))?;
        story.aliases = more.collect::<rusqlite::Result<_>>()?;
    }
    Ok(found)
}

/// The attempts of a crosspost, in order.
///
/// # Errors
/// The database can't be read.
pub fn attempts(connection: &Connection, id: CrosspostId) -> Result<Vec<Attempt>> {
    let mut statement = connection.prepare_cached(
        "SELECT crosspost_id, kind, started_at, ended_at, outcome, detail FROM attempts
         WHERE crosspost_id = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map([id.0], |row| {
        Ok(Attempt {
            crosspost: CrosspostId(row.get(0)?),
            kind: row.get(1)?,
            started_at: time(row, 2)?,
            ended_at: time(row, 3)?,
            outcome: row.get(4)?,
            detail: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many crossposts there are in each state, of one account or of all.
///
/// # Errors
/// The database can't be read.
pub fn counts(connection: &Connection, account: Option<AccountId>) -> Result<Vec<(State, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT state, sum(count) FROM crosspost_counts WHERE ?1 IS NULL OR account_id = ?1
         GROUP BY state",
    )?;
    let rows = statement.query_map([account.map(|account| account.0)], |row| {
        let (word, count): (String, i64) = (row.get(0)?, row.get(1)?);
        Ok((State::from_word(&word), count.unsigned_abs()))
    })?;
    let found: Vec<(Option<State>, u64)> = rows.collect::<rusqlite::Result<_>>()?;
    let of = |state| found.iter().find(|(at, _)| *at == Some(state)).map_or(0, |(_, n)| *n);
    Ok(State::ALL.into_iter().map(|state| (state, of(state))).collect())
}

/// When an account has something to do next, however overdue.
///
/// # Errors
/// The database can't be read.
pub fn earliest_due(connection: &Connection, account: AccountId) -> Result<Option<Timestamp>> {
    let at: Option<Option<i64>> = connection
        .query_row(
            "SELECT min(due_at) FROM crossposts
             WHERE account_id = ?1 AND state IN ('ready', 'uncertain')",
            [account.0],
            |row| row.get(0),
        )
        .optional()?;
    Ok(at.flatten().map(Timestamp::from_millis))
}

/// When a crosspost was entered into the ledger, and the draft that is frozen in it.
///
/// # Errors
/// The database can't be read.
pub fn origin(connection: &Connection, id: CrosspostId) -> Result<(Timestamp, Option<Draft>)> {
    let (at, draft): (i64, Option<String>) = connection.query_row(
        "SELECT created_at, draft FROM crossposts WHERE id = ?1",
        [id.0],
        |row| row.try_into(),
    )?;
    let draft = draft.map(|draft| serde_json::from_str(&draft)).transpose()?;
    Ok((Timestamp::from_millis(at), draft))
}

/// How many crossposts of an account are neither settled nor held.
///
/// # Errors
/// The database can't be read.
pub fn waiting_on(connection: &Connection, account: AccountId) -> Result<u64> {
    let count: i64 = connection.query_row(
        "SELECT count(*) FROM crossposts
         WHERE account_id = ?1 AND state IN ('ready', 'sending', 'uncertain')",
        [account.0],
        |row| row.get(0),
    )?;
    Ok(count.unsigned_abs())
}

/// How many crossposts of a feed are held for this reason.
///
/// # Errors
/// The database can't be read.
pub fn held_for(connection: &Connection, feed: FeedId, reason: &str) -> Result<u64> {
    let count: i64 = connection.query_row(
        // the first condition is that of its index
        "SELECT count(*) FROM crossposts
         WHERE state IN ('ready', 'held') AND state = 'held' AND feed_id = ?1 AND reason = ?2",
        (feed.0, reason),
        |row| row.get(0),
    )?;
    Ok(count.unsigned_abs())
}

/// The fingerprint of the credentials that an account's memory belongs to.
///
/// # Errors
/// The database can't be read.
pub fn fingerprint(connection: &Connection, account: AccountId) -> Result<Option<String>> {
    let found = connection
        .query_row("SELECT fingerprint FROM accounts WHERE id = ?1", [account.0], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// A feed, for `status`.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedLine {
    /// The owner's name for it.
    pub label: Label,
    /// The address in the config, with all that is secret in it.
    pub url: String,
    /// The feed's own title.
    pub title: Option<String>,
    /// Whether it is polled.
    pub active: bool,
    /// When it was last asked.
    pub last_poll: Option<Timestamp>,
    /// When it is due.
    pub next_poll: Option<Timestamp>,
    /// The last failure, if it has not worked since.
    pub last_error: Option<String>,
    /// Failures in a row.
    pub errors: u32,
    /// How many entries it has.
    pub entries: u64,
}

/// All feeds, active or not.
///
/// # Errors
/// The database can't be read.
pub fn feeds(connection: &Connection) -> Result<Vec<FeedLine>> {
    let mut statement = connection.prepare_cached(
        "SELECT label, url, title, active, last_attempt_at, next_poll_at, last_error, errors,
            (SELECT count(*) FROM entries WHERE feed_id = feeds.id)
         FROM feeds ORDER BY label",
    )?;
    let rows = statement.query_map((), |row| {
        Ok(FeedLine {
            label: super::label(row, 0)?,
            url: row.get(1)?,
            title: row.get(2)?,
            active: row.get(3)?,
            last_poll: time(row, 4)?,
            next_poll: time(row, 5)?,
            last_error: row.get(6)?,
            errors: row.get(7)?,
            entries: row.get::<_, i64>(8)?.unsigned_abs(),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn an_entry_is_named_by_index() {
        let plan = schema::plan(&stories_where(NAMED));
        let is_large = |step: &String| step.starts_with("SCAN ") && !step.starts_with("SCAN f ");
        assert!(!plan.iter().any(is_large), "{plan:#?}");
    }
}
