//! Spread: ten thousand feeds at one poll a minute, the daemon on one core.
//!
//! How late a poll is: from the time that the database had for it (a trigger notes what it was) to
//! the request at the server.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::Connection;

use crate::daemon::Home;
use crate::megabytes;
use crate::serve::Server;
use crate::table::{Row, row};

const FEEDS: usize = 10_000;
const ENTRIES: usize = 5;
const BYTES: usize = 600;
/// From the start until the first poll of each is behind it.
const WARM_UP: Duration = Duration::from_secs(60);
/// Two rounds, and what is late of the last.
const WATCHED: Duration = Duration::from_secs(125);

/// How late polls are, and what they cost.
pub fn figures() -> Vec<Row> {
    let mut server = Server::start();
    server.feeds(FEEDS, ENTRIES, 0, BYTES);
    let home = Home::new();
    let more = "[accounts.box]\nplatform = \"outbox\"\npath = \"box.jsonl\"\n";
    let url = |at| format!("{}/feed/{at}", server.origin);
    home.configure_paced("1m", FEEDS, url, 0, more);
    let (daemon, start) = home.start_under(&["taskset", "-c", "0"]);
    server.quiet_for(WARM_UP);
    // arrivals first: a time that is noted has its arrival among them
    server.note_arrivals();
    let db = Connection::open(home.path("posse-party.db")).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db.execute_batch(
        "CREATE TABLE due (url TEXT NOT NULL, at INTEGER NOT NULL);
         CREATE TRIGGER noted AFTER UPDATE OF last_attempt_at ON feeds
             WHEN new.last_attempt_at IS NOT old.last_attempt_at AND old.next_poll_at IS NOT NULL
                -- what is recorded after the poll is no beginning
                AND new.last_success_at IS old.last_success_at
             BEGIN INSERT INTO due VALUES (new.url, old.next_poll_at); END",
    )
    .unwrap();
    let before = daemon.cpu();
    server.quiet_for(WATCHED);
    let after = daemon.cpu();
    let peak = daemon.peak();
    db.execute_batch("DROP TRIGGER noted").unwrap();
    let late = lateness(&db, &server.arrivals());
    assert!(late.len() >= 2 * FEEDS - FEEDS / 10, "{} polls in two minutes", late.len());
    let at = |percent: usize| format!("{:.2} s", late[late.len() * percent / 100] as f64 / 1e3);
    let share = (after - before).as_secs_f64() / WATCHED.as_secs_f64();
    let what = format!("{FEEDS} feeds at one a minute, one core, {} polls:", late.len());
    vec![
        row(&format!("{what} late, median"), at(50), ""),
        row(&format!("{what} late, 99th percentile"), at(99), "≤ 2 s"),
        row(&format!("{what} share of the core"), format!("{:.0} %", share * 100.0), ""),
        row(&format!("{what} peak memory"), megabytes(peak), "≤ 100 MB"),
        row("the same, start to READY", format!("{:.2} s", start.as_secs_f64()), ""),
    ]
}

/// How many milliseconds each request came after its time, the least first.
fn lateness(db: &Connection, arrivals: &[(String, i64)]) -> Vec<i64> {
    let mut statement = db.prepare("SELECT url, at FROM due ORDER BY rowid").unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let mut due: HashMap<String, Vec<i64>> = HashMap::new();
    for row in rows {
        let (url, at): (String, i64) = row.unwrap();
        let path = url.splitn(4, '/').nth(3).unwrap();
        due.entry(format!("/{path}")).or_default().push(at);
    }
    let mut came: HashMap<&str, Vec<i64>> = HashMap::new();
    for (path, at) in arrivals {
        came.entry(path).or_default().push(*at);
    }
    let mut late = Vec::new();
    for (path, due) in &due {
        // a request that was under way when the notes began has no time of its own
        let came = came.get(path.as_str()).map_or(&[][..], |came| came);
        let came = came.iter().filter(|at| **at >= due[0]);
        late.extend(due.iter().zip(came).map(|(due, at)| at - due));
    }
    late.sort_unstable();
    late
}
