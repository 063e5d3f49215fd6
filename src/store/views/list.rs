//! List: crossposts by state, account, feed and entry, for `list` and its kin.

use rusqlite::Connection;
use serde::Serialize;

use super::{rfc3339, time};
use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::names::{CrosspostId, EntryId, Label};
use crate::store::{self, Result};

/// A line of `list`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Row number of the crosspost.
    pub id: CrosspostId,
    /// Label of the feed.
    pub feed: Label,
    /// The entry's own id.
    pub entry_id: String,
    /// The entry's canonical URL.
    pub entry_url: Option<String>,
    /// The entry's title.
    pub title: Option<String>,
    /// Label of the account.
    pub account: Label,
    /// Tag of its platform.
    pub platform: String,
    /// Where it stands.
    pub state: State,
    /// Why it is held, failed, skipped, in doubt, or tried again.
    pub reason: Option<String>,
    /// When it goes out, or is asked about.
    #[serde(serialize_with = "rfc3339")]
    pub due_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// The platform's own id.
    pub remote_id: Option<String>,
    /// The public address.
    pub url: Option<String>,
    /// When it was settled.
    #[serde(serialize_with = "rfc3339")]
    pub settled_at: Option<Timestamp>,
}

/// Which lines are wanted; what is absent does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this state.
    pub state: Option<State>,
    /// Only this account.
    pub account: Option<String>,
    /// Only this feed.
    pub feed: Option<String>,
    /// Only this entry.
    pub entry: Option<EntryId>,
    /// Only this crosspost.
    pub crosspost: Option<CrosspostId>,
    /// Not what was set aside at the first sight of a route.
    pub without_baseline: bool,
    /// Only so many, the latest.
    pub latest: Option<u32>,
}

/// The crossposts that fit, the oldest first.
///
/// # Errors
/// The database can't be read.
pub fn list(connection: &Connection, filter: &Filter) -> Result<Vec<Line>> {
    // only what is asked for is among the conditions, so that each can use its index
    let all = [
        (filter.state.is_some(), "c.state = ?1"),
        (
            filter.state.is_some_and(|state| !state.is_final()),
            "c.account_id IN (SELECT id FROM accounts)",
        ),
        (filter.account.is_some(), "c.account_id = (SELECT id FROM accounts WHERE label = ?2)"),
        (filter.feed.is_some(), "f.label = ?3"),
        (filter.entry.is_some(), "c.entry = ?4"),
        (filter.crosspost.is_some(), "c.id = ?5"),
        (filter.without_baseline, "NOT (c.state = 'skipped' AND c.reason = 'baseline')"),
    ];
    let wanted = all.into_iter().filter(|(is_asked, _)| *is_asked);
    let conditions: String = wanted.map(|(_, condition)| format!(" AND {condition}")).collect();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT c.id, f.label, e.entry_id, e.url, e.title, a.label, a.platform, c.state, c.reason,
            CASE WHEN c.settled_at IS NULL AND c.state <> 'held' THEN c.due_at END,
            c.attempts, c.remote_id, c.url, c.settled_at
         FROM crossposts c CROSS JOIN entries e ON e.id = c.entry
            CROSS JOIN feeds f ON f.id = e.feed_id CROSS JOIN accounts a ON a.id = c.account_id
         WHERE true{conditions}
         ORDER BY c.id DESC LIMIT ?6"
    ))?;
    let values = (
        filter.state.map(State::as_str),
        filter.account.as_deref(),
        filter.feed.as_deref(),
        filter.entry.map(|entry| entry.0),
        filter.crosspost.map(|id| id.0),
        filter.latest.map_or(-1, i64::from),
    );
    let rows = statement.query_map(values, |row| {
        let word: String = row.get(7)?;
        Ok(Line {
            id: CrosspostId(row.get(0)?),
            feed: store::label(row, 1)?,
            entry_id: row.get(2)?,
            entry_url: row.get(3)?,
            title: row.get(4)?,
            account: store::label(row, 5)?,
            platform: row.get(6)?,
            state: State::from_word(&word).unwrap_or(State::Held),
            reason: row.get(8)?,
            due_at: time(row, 9)?,
            attempts: row.get(10)?,
            remote_id: row.get(11)?,
            url: row.get(12)?,
            settled_at: time(row, 13)?,
        })
    })?;
    let mut lines: Vec<Line> = rows.collect::<rusqlite::Result<_>>()?;
    lines.reverse();
    Ok(lines)
}

/// How many crossposts of an account and of a feed, where these are named, were set aside at first
/// sight.
///
/// # Errors
/// The database can't be read.
pub fn set_aside(
    connection: &Connection,
    account: Option<&str>,
    feed: Option<&str>,
) -> Result<u64> {
    let count: i64 = connection.query_row(
        "SELECT count(*) FROM crossposts c CROSS JOIN entries e ON e.id = c.entry
         WHERE c.account_id IN (SELECT id FROM accounts WHERE ?1 IS NULL OR label = ?1)
            AND c.state = 'skipped' AND c.reason = 'baseline'
            AND (?2 IS NULL OR e.feed_id = (SELECT id FROM feeds WHERE label = ?2))",
        (account, feed),
        |row| row.get(0),
    )?;
    Ok(count.unsigned_abs())
}
