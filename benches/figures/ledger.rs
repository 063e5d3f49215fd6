//! Ledger: a database with a million settled crossposts, as many years would leave it.

use std::time::{Duration, Instant};

use posse_party::clock::{Clock, Timestamp};
use posse_party::store::{Store, crossposts, entries};
use rusqlite::Connection;

use crate::daemon::Home;
use crate::latency::to_post;
use crate::serve::Server;
use crate::table::{Row, row};
use crate::{median, milliseconds};

const ENTRIES: i64 = 50_000;
const ACCOUNTS: i64 = 20;
/// Of an entry as it is stored, in bytes.
const BODY: i64 = 2000;
/// Seconds between two entries: two years in all.
const APART: i64 = 2 * 365 * 86_400 / ENTRIES;
/// Entries of the feed that is watched.
const LISTED: usize = 45;
const CHANGES: usize = 20;

/// What a million crossposts cost.
pub fn figures() -> Vec<Row> {
    let mut server = Server::start();
    server.watched(LISTED, 2200);
    let home = Home::new();
    // one account publishes, the others are only there
    let mut accounts = format!(
        "[accounts.a1]\nplatform = \"mastodon\"\nbase_url = {:?}\naccess_token = \"t\"\n\
         delay = \"0s\"\n",
        server.origin
    );
    for at in 2..=ACCOUNTS {
        accounts += &format!(
            "[accounts.a{at}]\nplatform = \"outbox\"\npath = \"a{at}.jsonl\"\nfeeds = []\n"
        );
    }
    home.configure(1, |_| format!("{}/watched", server.origin), 1, &accounts);
    home.run_once();
    server.news();
    fill(&home);
    let size = || {
        let bytes = std::fs::metadata(home.path("posse-party.db")).unwrap().len();
        format!("{:.0} MB", bytes as f64 / 1e6)
    };
    let before = size();
    let (daemon, start) = home.start();
    let times = to_post(&mut server, &daemon, LISTED, CHANGES);
    let of =
        |arguments: &[&str]| milliseconds(median((0..9).map(|_| home.ask(arguments)).collect()));
    let (status, list, why) = (of(&["status"]), of(&["list"]), of(&["why", "25000"]));
    drop(daemon);
    let few = few(&mut server);
    let pruned = prune(&home);
    let what = "a million settled crossposts:";
    vec![
        row(&format!("{what} size of the database"), before, ""),
        row(&format!("{what} start to READY"), milliseconds(start), "≤ 100 ms"),
        row(
            &format!("{what} changed feed to post, median of {CHANGES}"),
            milliseconds(median(times)),
            "",
        ),
        row(&format!("{what} `status`"), status, ""),
        row(&format!("{what} `list`"), list, ""),
        row(&format!("{what} `why`"), why, ""),
        row("an empty database: `status`", few, ""),
        row(&format!("{what} what the daily retention drops, how long it takes"), pruned, ""),
        row(&format!("{what} size of the database after `VACUUM`"), vacuumed(&home, size), ""),
    ]
}

/// Copies one settled crosspost a million times.
fn fill(home: &Home) {
    let db = Connection::open(home.path("posse-party.db")).unwrap();
    let now = Clock::System.now().as_millis();
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN").unwrap();
    // what is to be copied was really published
    let settled: i64 = db
        .query_row("SELECT min(id) FROM crossposts WHERE state = 'published'", (), |row| row.get(0))
        .unwrap();
    db.execute(
        "WITH RECURSIVE n(at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < ?1)
         INSERT INTO entries (id, feed_id, entry_id, url, title, published_at, first_seen_at,
             changed_at, sign, content_hash, body)
         SELECT 1000 + at, feed_id, 'https://example.com/' || at, 'https://example.com/' || at,
             'The title of number ' || at, ?2 - at * ?3 * 1000, ?2 - at * ?3 * 1000,
             ?2 - at * ?3 * 1000, randomblob(16), randomblob(16),
             json_object('text', printf('%.*c', ?4, 'x'))
         FROM n, (SELECT feed_id FROM entries LIMIT 1)",
        (ENTRIES, now, APART, BODY),
    )
    .unwrap();
    db.execute(
        "INSERT INTO crossposts (entry, feed_id, account_id, state, due_at, attempts, first_attempt_at,
             draft, remote_id, url, created_at, settled_at)
         SELECT e.id, e.feed_id, a.id, 'published', e.first_seen_at, 1, e.first_seen_at, c.draft,
             e.id || '-' || a.id, 'https://social.example/@ada/' || e.id || a.id,
             e.first_seen_at, e.first_seen_at
         FROM entries e, accounts a, crossposts c WHERE e.id > 1000 AND c.id = ?1",
        [settled],
    )
    .unwrap();
    db.execute(
        "INSERT INTO attempts (crosspost_id, kind, started_at, ended_at, outcome)
         SELECT id, 'publish', created_at, created_at, 'published' FROM crossposts WHERE id > ?1",
        [settled + 1000],
    )
    .unwrap();
    db.execute(
        "INSERT OR IGNORE INTO crosspost_notes (crosspost_id, key, value)
         SELECT c.id, n.key, n.value FROM crossposts c, crosspost_notes n
         WHERE n.crosspost_id = ?1 AND c.state = 'published'",
        [settled],
    )
    .unwrap();
    db.execute_batch("COMMIT").unwrap();
    let count: i64 = db.query_row("SELECT count(*) FROM crossposts", (), |row| row.get(0)).unwrap();
    assert!(count >= ENTRIES * ACCOUNTS);
}

/// `status` of a daemon with nothing behind it.
fn few(server: &mut Server) -> String {
    let home = Home::new();
    let more = "[accounts.box]\nplatform = \"outbox\"\npath = \"box.jsonl\"\n";
    home.configure(1, |_| format!("{}/watched", server.origin), 0, more);
    home.run_once();
    milliseconds(median((0..9).map(|_| home.ask(&["status"])).collect()))
}

/// What the daily maintenance does with the defaults, and how long the daemon's other writes wait
/// for it.
fn prune(home: &Home) -> String {
    let store = Store::open(&home.path("posse-party.db")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let now = Clock::System.now();
    let days = |days: u64| now.minus(Duration::from_secs(days * 86_400));
    let (bodies, attempts): (Timestamp, Timestamp) = (days(90), days(365));
    let began = Instant::now();
    let (bodies, attempts) = runtime
        .block_on(store.write(move |tx| {
            Ok((entries::prune_bodies(tx, bodies)?, crossposts::prune_attempts(tx, attempts)?))
        }))
        .unwrap();
    format!("{bodies} texts, {attempts} attempts: {}", milliseconds(began.elapsed()))
}

fn vacuumed(home: &Home, size: impl Fn() -> String) -> String {
    Connection::open(home.path("posse-party.db")).unwrap().execute_batch("VACUUM").unwrap();
    size()
}
