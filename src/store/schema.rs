//! Schema: the tables, as an append-only list of migrations.
//!
//! Times are milliseconds since the Unix epoch, UTC. The schema refuses nonsense by itself: STRICT
//! tables, CHECK on every state, UNIQUE (entry, account), foreign keys on.
//! **Invariant:** a migration that was released is never edited, only followed.

use rusqlite::{Connection, TransactionBehavior};

use super::{Result, StoreError};

/// Each brings the database from its index to the next `user_version`.
const MIGRATIONS: &[&str] = &[V1, V2, V3];

const V1: &str = "
CREATE TABLE feeds (
    id              INTEGER PRIMARY KEY,
    label           TEXT    NOT NULL UNIQUE,
    url             TEXT    NOT NULL,
    url_is_new      INTEGER NOT NULL DEFAULT 0 CHECK (url_is_new IN (0, 1)),
    active          INTEGER NOT NULL CHECK (active IN (0, 1)),
    title           TEXT,
    -- permanent redirects: what is remembered of them
    moved           TEXT    CHECK (json_valid(moved)),
    -- validators belong to one URL and to the last body that was complete and parsed
    validators_url  TEXT,
    etag            BLOB,
    last_modified   BLOB,
    body_hash       BLOB,
    ttl_s           INTEGER,
    last_attempt_at INTEGER,
    last_success_at INTEGER,
    next_poll_at    INTEGER,            -- null: not by itself (gone, or inactive)
    not_before      INTEGER,            -- its server said Retry-After
    asked           INTEGER NOT NULL DEFAULT 0 CHECK (asked IN (0, 1)),  -- polled by hand, soon
    errors          INTEGER NOT NULL DEFAULT 0,
    last_error      TEXT
) STRICT;
CREATE INDEX feeds_due ON feeds (next_poll_at) WHERE active = 1;

CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY,
    label         TEXT    NOT NULL UNIQUE,
    platform      TEXT    NOT NULL,
    active        INTEGER NOT NULL CHECK (active IN (0, 1)),
    fingerprint   TEXT,                 -- of the configured credentials
    parked_reason TEXT,
    parked_hint   TEXT,
    parked_since  INTEGER,
    parked_until  INTEGER,              -- null: until the credentials change or `resume`
    not_before    INTEGER NOT NULL DEFAULT 0,
    CHECK ((parked_reason IS NULL) = (parked_since IS NULL))
) STRICT;

-- what an account remembers: sessions, instance limits
CREATE TABLE account_notes (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    key        TEXT    NOT NULL,
    value      TEXT    NOT NULL CHECK (json_valid(value)),
    PRIMARY KEY (account_id, key)
) STRICT, WITHOUT ROWID;

-- which feed goes to which account, and when what was already there was set aside
CREATE TABLE routes (
    feed_id      INTEGER NOT NULL REFERENCES feeds (id),
    account_id   INTEGER NOT NULL REFERENCES accounts (id),
    baselined_at INTEGER,
    PRIMARY KEY (feed_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    id            INTEGER PRIMARY KEY,
    feed_id       INTEGER NOT NULL REFERENCES feeds (id),
    entry_id      TEXT    NOT NULL CHECK (entry_id <> ''),
    url           TEXT,
    alternate_url TEXT,                 -- the page, where url is another address of it
    title         TEXT,
    published_at  INTEGER,
    first_seen_at INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    sign          BLOB,                 -- hash of title, date and text: knows an entry under a new id
    content_hash  BLOB    NOT NULL,
    body          TEXT    CHECK (json_valid(body)),  -- null: pruned
    UNIQUE (feed_id, entry_id)
) STRICT;
CREATE INDEX entries_url  ON entries (url)           WHERE url IS NOT NULL;
CREATE INDEX entries_page ON entries (alternate_url) WHERE alternate_url IS NOT NULL;
CREATE INDEX entries_sign ON entries (feed_id, sign) WHERE sign IS NOT NULL;

-- other ids under which an entry was seen
CREATE TABLE entry_aliases (
    feed_id INTEGER NOT NULL REFERENCES feeds (id),
    alias   TEXT    NOT NULL,
    entry   INTEGER NOT NULL REFERENCES entries (id),
    PRIMARY KEY (feed_id, alias)
) STRICT, WITHOUT ROWID;

CREATE TABLE crossposts (
    id               INTEGER PRIMARY KEY,
    entry            INTEGER NOT NULL REFERENCES entries (id),
    account_id       INTEGER NOT NULL REFERENCES accounts (id),
    state            TEXT    NOT NULL CHECK (state IN
        ('held', 'ready', 'sending', 'uncertain', 'published', 'failed', 'skipped')),
    reason           TEXT,
    away_reason      TEXT,              -- of one whose entry vanished: why it had been held
    due_at           INTEGER NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    doubts           INTEGER NOT NULL DEFAULT 0 CHECK (doubts >= 0),  -- attempts without an answer
    finds            INTEGER NOT NULL DEFAULT 0 CHECK (finds >= 0),   -- questions about the last doubt
    waiting          INTEGER NOT NULL DEFAULT 0 CHECK (waiting IN (0, 1)),
    first_attempt_at INTEGER,
    draft            TEXT    CHECK (json_valid(draft)),
    remote_id        TEXT,
    url              TEXT,
    created_at       INTEGER NOT NULL,
    settled_at       INTEGER,
    UNIQUE (entry, account_id),
    CHECK ((state IN ('published', 'failed', 'skipped')) = (settled_at IS NOT NULL)),
    CHECK (state NOT IN ('held', 'failed', 'skipped') OR reason IS NOT NULL),
    CHECK (state <> 'published' OR remote_id IS NOT NULL OR url IS NOT NULL)
) STRICT;
CREATE INDEX crossposts_open ON crossposts (account_id, state, id)
    WHERE state IN ('held', 'ready', 'sending', 'uncertain');
CREATE INDEX crossposts_waiting ON crossposts (entry) WHERE state IN ('ready', 'held');
CREATE INDEX crossposts_vanished ON crossposts (entry)
    WHERE state = 'skipped' AND reason = 'withdrawn: its entry vanished from the feed';
CREATE INDEX crossposts_published ON crossposts (account_id, settled_at) WHERE state = 'published';

-- what a crosspost did so far: keys, record keys, container ids
CREATE TABLE crosspost_notes (
    crosspost_id INTEGER NOT NULL REFERENCES crossposts (id),
    key          TEXT    NOT NULL,
    value        TEXT    NOT NULL CHECK (json_valid(value)),
    PRIMARY KEY (crosspost_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    id           INTEGER PRIMARY KEY,
    crosspost_id INTEGER NOT NULL REFERENCES crossposts (id),
    kind         TEXT    NOT NULL CHECK (kind IN ('publish', 'find', 'person')),
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    outcome      TEXT,
    detail       TEXT,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX attempts_of ON attempts (crosspost_id);

CREATE TABLE incidents (
    id          INTEGER PRIMARY KEY,
    key         TEXT    NOT NULL,
    message     TEXT    NOT NULL,
    opened_at   INTEGER NOT NULL,
    resolved_at INTEGER
) STRICT;
CREATE UNIQUE INDEX incidents_open ON incidents (key) WHERE resolved_at IS NULL;
";

/// A ledger of a million crossposts is as fast as a new one: what is looked up by account and state
/// has an index that every such query can use (SQLite does not see that `state = 'ready'` is among
/// the states of a partial one), and how many there are is counted as they change. The counts are for
/// eyes only: none of them is checked, because no count may ever stop a post from being settled.
///
/// No statistics are kept: those of a young database, where reading a whole table is right, would
/// be believed of a large one. Without them each query has one plan, by the indexes.
const V2: &str = "
DROP TABLE IF EXISTS sqlite_stat1;
DROP TABLE IF EXISTS sqlite_stat4;
DROP INDEX crossposts_open;
CREATE INDEX crossposts_queue ON crossposts (account_id, state);
CREATE INDEX attempts_open ON attempts (crosspost_id) WHERE ended_at IS NULL;
CREATE INDEX entry_aliases_of ON entry_aliases (entry);

CREATE TABLE crosspost_counts (
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    state      TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    PRIMARY KEY (account_id, state)
) STRICT, WITHOUT ROWID;
INSERT INTO crosspost_counts SELECT account_id, state, count(*) FROM crossposts GROUP BY 1, 2;
CREATE TRIGGER crossposts_enter AFTER INSERT ON crossposts BEGIN
    INSERT INTO crosspost_counts VALUES (new.account_id, new.state, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER crossposts_move AFTER UPDATE OF state, account_id ON crossposts
    WHEN old.state <> new.state OR old.account_id <> new.account_id BEGIN
    UPDATE crosspost_counts SET count = count - 1
        WHERE account_id = old.account_id AND state = old.state;
    INSERT INTO crosspost_counts VALUES (new.account_id, new.state, 1)
        ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER crossposts_leave AFTER DELETE ON crossposts BEGIN
    UPDATE crosspost_counts SET count = count - 1
        WHERE account_id = old.account_id AND state = old.state;
END;
";

/// A crosspost knows its feed, so that a poll finds what its own feed has waiting, however much
/// waits elsewhere; and a post is found by its address. A daemon of the version before may still run
/// when a newer command brings its database here: what it enters gets its feed from a trigger.
const V3: &str = "
ALTER TABLE crossposts ADD COLUMN feed_id INTEGER REFERENCES feeds (id);  -- of its entry
UPDATE crossposts SET feed_id = (SELECT feed_id FROM entries WHERE id = entry);
DROP INDEX crossposts_waiting;
CREATE INDEX crossposts_waiting ON crossposts (feed_id) WHERE state IN ('ready', 'held');
DROP INDEX crossposts_vanished;
CREATE INDEX crossposts_vanished ON crossposts (feed_id)
    WHERE state = 'skipped' AND reason = 'withdrawn: its entry vanished from the feed';
CREATE INDEX crossposts_url ON crossposts (url) WHERE url IS NOT NULL;
CREATE TRIGGER crossposts_feed AFTER INSERT ON crossposts WHEN new.feed_id IS NULL BEGIN
    UPDATE crossposts SET feed_id = (SELECT feed_id FROM entries WHERE id = new.entry)
        WHERE id = new.id;
END;
";

/// Brings the database to the newest schema, in one exclusive transaction.
///
/// # Errors
/// `Newer` when a newer program wrote it: nothing is touched.
pub fn migrate(connection: &mut Connection) -> Result<()> {
    let newest = i64::try_from(MIGRATIONS.len()).expect("a handful of migrations");
    let version = |connection: &Connection| -> Result<i64> {
        Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
    };
    match version(connection)? {
        at if at > newest => return Err(StoreError::newer(at, newest)),
        at if at == newest => return Ok(()),
        _ => {}
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let at = usize::try_from(version(&tx)?).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(at) {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", newest)?;
    tx.commit()?;
    Ok(())
}

/// Sees that the database has the newest schema, and changes nothing.
///
/// # Errors
/// It has another one.
pub fn demand_newest(connection: &Connection) -> Result<()> {
    let newest = i64::try_from(MIGRATIONS.len()).expect("a handful of migrations");
    match connection.pragma_query_value(None, "user_version", |row| row.get(0))? {
        at if at > newest => Err(StoreError::newer(at, newest)),
        at if at < newest => Err(StoreError::older()),
        _ => Ok(()),
    }
}

/// How SQLite goes about a query in an empty database, step by step. Without statistics it is the
/// same in every other.
#[cfg(test)]
pub fn plan(sql: &str) -> Vec<String> {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&mut connection).unwrap();
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let steps = statement.raw_query().mapped(|row| row.get("detail"));
    steps.collect::<rusqlite::Result<_>>().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrate_twice() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        let check: String =
            connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }

    #[test]
    fn a_database_of_the_first_version_is_counted_and_goes_on() {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch(V1).unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
        db.execute_batch(
            "INSERT INTO feeds (id, label, url, active) VALUES (1, 'f', 'u', 1);
             INSERT INTO accounts (id, label, platform, active)
                VALUES (1, 'a', 'outbox', 1), (2, 'b', 'outbox', 1);
             INSERT INTO entries (id, feed_id, entry_id, first_seen_at, changed_at, content_hash)
                SELECT value, 1, 'e' || value, 0, 0, x'00' FROM json_each('[1, 2, 3]');
             INSERT INTO crossposts (entry, account_id, state, due_at, created_at)
                SELECT e.id, a.id, 'ready', 0, 0 FROM entries e, accounts a;",
        )
        .unwrap();
        migrate(&mut db).unwrap();
        let is_right = |db: &Connection| {
            let kept = "SELECT account_id, state, count FROM crosspost_counts WHERE count > 0";
            let real = "SELECT account_id, state, count(*) FROM crossposts GROUP BY 1, 2";
            let differ = format!("SELECT count(*) FROM ({kept} EXCEPT {real})");
            let lack = format!("SELECT count(*) FROM ({real} EXCEPT {kept})");
            [differ, lack].map(|sql| db.query_row(&sql, (), |row| row.get::<_, i64>(0)).unwrap())
                == [0, 0]
        };
        assert!(is_right(&db));
        let all_have_their_feed = |db: &Connection| {
            let without = "SELECT count(*) FROM crossposts WHERE feed_id IS NOT 1";
            db.query_row(without, (), |row| row.get::<_, i64>(0)).unwrap() == 0
        };
        assert!(all_have_their_feed(&db));
        for change in [
            "UPDATE crossposts SET state = 'sending' WHERE entry = 1",
            "UPDATE crossposts SET state = 'skipped', reason = 'no', settled_at = 1 WHERE entry = 2",
            "DELETE FROM crossposts WHERE entry = 3 AND account_id = 2",
            "INSERT INTO crossposts (entry, account_id, state, due_at, created_at)
                VALUES (3, 2, 'uncertain', 0, 0)",
            "INSERT OR IGNORE INTO crossposts (entry, account_id, state, due_at, created_at)
                VALUES (3, 2, 'ready', 0, 0)",
        ] {
            db.execute(change, ()).unwrap();
            assert!(is_right(&db), "{change}");
            assert!(all_have_their_feed(&db), "{change}");
        }
    }

    #[test]
    fn a_newer_database_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection).unwrap_err().to_string();
        assert!(error.contains("newer"), "{error}");
        let error = demand_newest(&connection).unwrap_err().to_string();
        assert!(error.contains("newer"), "{error}");
    }

    #[test]
    fn who_looks_brings_nothing_up_to_date() {
        let mut connection = Connection::open_in_memory().unwrap();
        let error = demand_newest(&connection).unwrap_err().to_string();
        assert!(error.contains("older"), "{error}");
        migrate(&mut connection).unwrap();
        demand_newest(&connection).unwrap();
    }

    #[test]
    fn the_schema_refuses_nonsense() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection
            .execute_batch(
                "INSERT INTO feeds (id, label, url, active) VALUES (1, 'f', 'u', 1);
                 INSERT INTO accounts (id, label, platform, active) VALUES (1, 'a', 'outbox', 1);
                 INSERT INTO entries (id, feed_id, entry_id, first_seen_at, changed_at, content_hash)
                 VALUES (1, 1, 'e', 0, 0, x'00');",
            )
            .unwrap();
        let insert = |columns: &str, values: &str| {
            connection.execute_batch(&format!(
                "INSERT INTO crossposts (entry, account_id, due_at, created_at, {columns})
                 VALUES (1, 1, 0, 0, {values})"
            ))
        };
        assert!(insert("state", "'lost'").is_err(), "an unknown state");
        assert!(insert("state", "'published'").is_err(), "published without a time or a receipt");
        assert!(insert("state, settled_at", "'skipped', 1").is_err(), "skipped without a reason");
        assert!(insert("state, settled_at", "'ready', 1").is_err(), "settled but not final");
        insert("state", "'ready'").unwrap();
        assert!(insert("state", "'ready'").is_err(), "the same entry twice on one account");
    }
}
