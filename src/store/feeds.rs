//! Feeds: what is polled, when, and with which validators.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::Result;
use crate::clock::Timestamp;
use crate::names::{FeedId, Label};

/// No feed without times of its own waits longer for its next poll (`Retry-After` is clamped to a
/// day).
const WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(25 * 3600);

/// A feed as the database knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// Row number.
    pub id: FeedId,
    /// The owner's name for it.
    pub label: Label,
    /// The address in the config.
    pub url: String,
    /// Whether that address has not given a usable document yet since it was changed.
    pub url_is_new: bool,
    /// The feed's own title.
    pub title: Option<String>,
    /// What is remembered of its permanent redirects, as JSON.
    pub moved: Option<String>,
    /// What makes the next request conditional.
    pub validators: Validators,
    /// SHA-256 of the last body that was parsed.
    pub body_hash: Option<Vec<u8>>,
    /// RSS `ttl` of that body, in seconds.
    pub ttl_s: Option<i64>,
    /// When it was last asked.
    pub last_attempt_at: Option<Timestamp>,
    /// When it last gave a usable answer.
    pub last_success_at: Option<Timestamp>,
    /// When it is due; never by itself where absent.
    pub next_poll_at: Option<Timestamp>,
    /// Failures in a row.
    pub errors: u32,
    /// The last failure.
    pub last_error: Option<String>,
}

/// ETag and Last-Modified, byte for byte as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The URL that they belong to.
    pub url: Option<String>,
    /// The ETag.
    pub etag: Option<Vec<u8>>,
    /// The Last-Modified.
    pub last_modified: Option<Vec<u8>>,
}

/// A feed that the config wants.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its label.
    pub label: &'a Label,
    /// Its address.
    pub url: &'a str,
    /// Whether it is polled.
    pub active: bool,
    /// Whether the owner has set the times: then the next one may be far away.
    pub has_times: bool,
}

/// What one poll leaves in the feed's row.
#[derive(Clone, Debug)]
pub struct PollRow {
    /// When it was asked.
    pub at: Timestamp,
    /// When it is due again.
    pub next_poll_at: Option<Timestamp>,
    /// Not before that, whoever asks: its server said `Retry-After`.
    pub not_before: Option<Timestamp>,
    /// What is remembered of permanent redirects, as JSON.
    pub moved: Option<String>,
}

/// What a feed that was read whole says about itself.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The feed's title.
    pub title: Option<String>,
    /// The new validators.
    pub validators: Validators,
    /// SHA-256 of the body.
    pub body_hash: Vec<u8>,
    /// RSS `ttl`, in seconds.
    pub ttl_s: Option<i64>,
}

const COLUMNS: &str = "id, label, url, title, moved, validators_url, etag,
    last_modified, body_hash, ttl_s, last_attempt_at, last_success_at, next_poll_at, errors, last_error,
    url_is_new";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Feed> {
    let time = |index| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(index)?.map(Timestamp::from_millis))
    };
    Ok(Feed {
        id: FeedId(row.get(0)?),
        label: super::label(row, 1)?,
        url: row.get(2)?,
        title: row.get(3)?,
        moved: row.get(4)?,
        validators: Validators { url: row.get(5)?, etag: row.get(6)?, last_modified: row.get(7)? },
        body_hash: row.get(8)?,
        ttl_s: row.get(9)?,
        last_attempt_at: time(10)?,
        last_success_at: time(11)?,
        next_poll_at: time(12)?,
        errors: row.get(13)?,
        last_error: row.get(14)?,
        url_is_new: row.get(15)?,
    })
}

/// The active feeds that are due, the longest overdue first.
///
/// # Errors
/// The database can't be read.
pub fn due(connection: &Connection, now: Timestamp, most: usize) -> Result<Vec<Feed>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM feeds WHERE active = 1 AND next_poll_at <= ?1
         ORDER BY next_poll_at LIMIT ?2"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement.query_map((now.as_millis(), most), from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When the next active feed is due that is not due at `now`.
///
/// # Errors
/// The database can't be read.
pub fn next_due_after(connection: &Connection, now: Timestamp) -> Result<Option<Timestamp>> {
    let mut statement = connection.prepare_cached(
        "SELECT min(next_poll_at) FROM feeds WHERE active = 1 AND next_poll_at > ?1",
    )?;
    let at: Option<i64> = statement.query_row([now.as_millis()], |row| row.get(0))?;
    Ok(at.map(Timestamp::from_millis))
}

/// All active feeds.
///
/// # Errors
/// The database can't be read.
pub fn active(connection: &Connection) -> Result<Vec<Feed>> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM feeds WHERE active = 1 ORDER BY label"))?;
    let rows = statement.query_map((), from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The feed of a label, active or not.
///
/// # Errors
/// The database can't be read.
pub fn by_label(connection: &Connection, label: &Label) -> Result<Option<Feed>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM feeds WHERE label = ?1"))?;
    Ok(statement.query_row([label.as_str()], from_row).optional()?)
}

/// Brings the feeds of the config in: new ones are made, due now; a changed address forgets the
/// validators; those that are not `wanted` any more are deactivated, never deleted.
///
/// # Errors
/// The database can't be written.
pub fn reconcile(connection: &Connection, wanted: &[Wanted<'_>], now: Timestamp) -> Result<()> {
    connection.execute("UPDATE feeds SET active = 0", ())?;
    let mut upsert = connection.prepare_cached(
        "INSERT INTO feeds (label, url, active, next_poll_at) VALUES (:label, :url, :active, :now)
         ON CONFLICT (label) DO UPDATE SET active = :active",
    )?;
    let mut moved = connection.prepare_cached(
        "UPDATE feeds SET url = :url, url_is_new = 1, moved = NULL, validators_url = NULL,
            etag = NULL, last_modified = NULL, body_hash = NULL, ttl_s = NULL,
            next_poll_at = :now, not_before = NULL, errors = 0, last_error = NULL
         WHERE label = :label AND url <> :url",
    )?;
    // a clock that was wrong must not silence a feed: nobody asks for more than a day
    let mut heal = connection.prepare_cached(
        "UPDATE feeds SET next_poll_at = :now, not_before = NULL
         WHERE label = :label AND next_poll_at > :latest",
    )?;
    for Wanted { label, url, active, has_times } in wanted {
        let label = label.as_str();
        if !has_times {
            let latest = now.plus(WAIT_MAX).as_millis();
            let now = now.as_millis();
            heal.execute(named_params! { ":label": label, ":now": now, ":latest": latest })?;
        }
        let now = now.as_millis();
        upsert.execute(
            named_params! { ":label": label, ":url": url, ":active": active, ":now": now },
        )?;
        moved.execute(named_params! { ":label": label, ":url": url, ":now": now })?;
    }
    Ok(())
}

/// Notes that feeds are asked now, and when they would be asked again if nothing came of it: a
/// daemon that crashes on a feed polls it no more often for that.
///
/// # Errors
/// The database can't be written.
pub fn mark_started(
    connection: &Connection,
    started: &[(FeedId, Option<Timestamp>)],
    now: Timestamp,
) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE feeds SET last_attempt_at = ?2, next_poll_at = ?3, asked = 0 WHERE id = ?1",
    )?;
    for (feed, next) in started {
        statement.execute((feed.0, now.as_millis(), next.map(Timestamp::as_millis)))?;
    }
    Ok(())
}

/// When a feed is due.
///
/// # Errors
/// The database can't be read.
pub fn due_at(connection: &Connection, feed: FeedId) -> Result<Option<Timestamp>> {
    let mut statement =
        connection.prepare_cached("SELECT next_poll_at FROM feeds WHERE id = ?1")?;
    let at: Option<i64> = statement.query_row([feed.0], |row| row.get(0))?;
    Ok(at.map(Timestamp::from_millis))
}

/// Whether a feed is still active and at the address at which it was asked.
///
/// # Errors
/// The database can't be read.
pub fn is_still(connection: &Connection, feed: &Feed) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM feeds WHERE id = ?1 AND url = ?2 AND active = 1)",
    )?;
    Ok(statement.query_row((feed.id.0, &feed.url), |row| row.get(0))?)
}

/// Records a poll that found nothing new: a 304, or the same bytes. Newer validators are kept.
///
/// # Errors
/// The database can't be written.
pub fn save_unchanged(
    connection: &Connection,
    feed: FeedId,
    poll: &PollRow,
    validators: &Validators,
) -> Result<()> {
    save_row(connection, feed, poll, None)?;
    save_validators(connection, feed, validators)
}

/// Records a poll whose body was parsed.
///
/// # Errors
/// The database can't be written.
pub fn save_contents(
    connection: &Connection,
    feed: FeedId,
    poll: &PollRow,
    contents: &Contents,
) -> Result<()> {
    save_row(connection, feed, poll, None)?;
    save_validators(connection, feed, &contents.validators)?;
    let mut statement = connection.prepare_cached(
        "UPDATE feeds SET title = coalesce(?2, title), body_hash = ?3, ttl_s = ?4,
            url_is_new = 0 WHERE id = ?1",
    )?;
    let row = (feed.0, &contents.title, &contents.body_hash, contents.ttl_s);
    statement.execute(row)?;
    Ok(())
}

/// Records a poll that failed. Validators, entries and all else stay as they were.
///
/// # Errors
/// The database can't be written.
pub fn save_failure(
    connection: &Connection,
    feed: FeedId,
    poll: &PollRow,
    error: &str,
) -> Result<()> {
    save_row(connection, feed, poll, Some(error))
}

/// The part of the row that every poll writes; `error` absent: it went well.
fn save_row(
    connection: &Connection,
    feed: FeedId,
    poll: &PollRow,
    error: Option<&str>,
) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE feeds SET last_attempt_at = :at,
            -- who asked for it meanwhile did not see what this poll saw
            next_poll_at = CASE WHEN asked THEN max(:at, coalesce(:not_before, 0)) ELSE :next END,
            asked = 0, not_before = :not_before,
            moved = :moved,
            last_success_at = CASE WHEN :error IS NULL THEN :at ELSE last_success_at END,
            errors = CASE WHEN :error IS NULL THEN 0 ELSE errors + 1 END,
            last_error = :error
         WHERE id = :id",
    )?;
    statement.execute(named_params! {
        ":id": feed.0,
        ":at": poll.at.as_millis(),
        ":next": poll.next_poll_at.map(Timestamp::as_millis),
        ":moved": poll.moved,
        ":not_before": poll.not_before.map(Timestamp::as_millis),
        ":error": error,
    })?;
    Ok(())
}

fn save_validators(connection: &Connection, feed: FeedId, new: &Validators) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE feeds SET validators_url = ?2, etag = ?3, last_modified = ?4 WHERE id = ?1",
    )?;
    statement.execute((feed.0, &new.url, &new.etag, &new.last_modified))?;
    Ok(())
}

/// Makes a feed (all active ones where absent) due now, or as soon as its server has said. Tells
/// how many.
///
/// # Errors
/// The database can't be written.
pub fn poll_now(connection: &Connection, feed: Option<FeedId>, now: Timestamp) -> Result<usize> {
    let mut statement = connection.prepare_cached(
        "UPDATE feeds SET asked = 1,
            next_poll_at = max(min(coalesce(next_poll_at, ?2), ?2), coalesce(not_before, 0))
         WHERE active = 1 AND (?1 IS NULL OR id = ?1)",
    )?;
    Ok(statement.execute((feed.map(|feed| feed.0), now.as_millis()))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    #[test]
    fn what_is_saved_of_a_feed_is_read_again() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        let (label, at) = (Label::new("blog").unwrap(), Timestamp::from_secs(1));
        reconcile(
            &connection,
            &[Wanted {
                label: &label,
                url: "https://a.example/feed",
                active: true,
                has_times: false,
            }],
            at,
        )
        .unwrap();
        let contents = Contents {
            title: Some("A blog".into()),
            validators: Validators {
                url: Some("https://a.example/feed".into()),
                etag: Some(b"\"e\"".to_vec()),
                last_modified: Some(b"Mon, 23 Nov 2026 17:20:00 GMT".to_vec()),
            },
            body_hash: vec![7; 32],
            ttl_s: Some(3600),
        };
        let poll = PollRow {
            at,
            next_poll_at: Some(Timestamp::from_secs(61)),
            not_before: None,
            moved: None,
        };
        save_contents(&connection, FeedId(1), &poll, &contents).unwrap();
        let feed = by_label(&connection, &label).unwrap().unwrap();
        let expect = Feed {
            id: FeedId(1),
            label,
            url: "https://a.example/feed".into(),
            url_is_new: false,
            title: contents.title,
            moved: None,
            validators: contents.validators,
            body_hash: Some(contents.body_hash),
            ttl_s: contents.ttl_s,
            last_attempt_at: Some(at),
            last_success_at: Some(at),
            next_poll_at: poll.next_poll_at,
            errors: 0,
            last_error: None,
        };
        assert_eq!(feed, expect);
    }
}
