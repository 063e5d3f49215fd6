//! Endure: two hundred feeds, each asked every second, and a steady stream of entries, for an hour;
//! what grows meanwhile.
//!
//! `cargo bench -- endurance [MINUTES]`; not part of the table, for the time that it takes.

use std::time::{Duration, Instant};

use posse_party::clock::{Clock, Timestamp};
use rusqlite::Connection;

use crate::daemon::{Home, Running};
use crate::megabytes;
use crate::serve::Server;

const FEEDS: usize = 200;
/// Entries that a feed lists; a new one takes the place of the oldest.
const ENTRIES: usize = 8;
const BYTES: usize = 2200;
/// A tenth of the feeds has something new as often as this.
const NEWS: Duration = Duration::from_secs(60);
/// How many lines the curve has.
const SAMPLES: u32 = 12;

/// Runs and prints the curve.
pub fn main(minutes: u32) {
    let mut server = Server::start();
    server.slide(FEEDS, ENTRIES, 0, BYTES);
    let home = Home::new();
    let more = format!(
        "[accounts.one]\nplatform = \"mastodon\"\nbase_url = {:?}\naccess_token = \"t\"\n\
         delay = \"0s\"\n[accounts.box]\nplatform = \"outbox\"\npath = \"box.jsonl\"\n\
         delay = \"0s\"\n",
        server.origin
    );
    let url = |at| format!("{}/feed/{at}", server.origin);
    home.configure_paced("1s", FEEDS, url, 0, &more);
    let (daemon, _) = home.start();
    server.quiet(Duration::from_secs(10));
    println!(
        "| minute | posts | last poll of any feed | private memory | of it anonymous | open files \
         | database | write-ahead log | CPU |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let (began, long) = (Instant::now(), Duration::from_secs(60) * minutes);
    let (mut news, mut sample) = (0, 0);
    while began.elapsed() < long {
        if began.elapsed() >= long * sample / SAMPLES {
            line(&home, &daemon, began.elapsed());
            sample += 1;
        }
        news += 1;
        server.slide(FEEDS, ENTRIES, news, BYTES);
        server.quiet_for(NEWS);
    }
    line(&home, &daemon, began.elapsed());
    let expected = news * FEEDS / 10;
    assert_eq!(posts(&home), 2 * expected, "each entry is posted once on both accounts");
}

fn line(home: &Home, daemon: &Running, at: Duration) {
    let size = |name: &str| megabytes(std::fs::metadata(home.path(name)).unwrap().len() / 1024);
    println!(
        "| {} | {} | {:.1} s ago | {} | {} | {} | {} | {} | {:.1} s |",
        at.as_secs() / 60,
        posts(home),
        longest_ago(home).as_secs_f64(),
        megabytes(daemon.private()),
        megabytes(daemon.anonymous()),
        daemon.open_files(),
        size("posse-party.db"),
        size("posse-party.db-wal"),
        daemon.cpu().as_secs_f64(),
    );
}

/// How long ago the feed was asked that was not asked for longest.
fn longest_ago(home: &Home) -> Duration {
    let first: i64 = one(home, "SELECT min(last_attempt_at) FROM feeds");
    Clock::System.now().since(Timestamp::from_millis(first))
}

fn posts(home: &Home) -> usize {
    let count = one(home, "SELECT count(*) FROM crossposts WHERE state = 'published'");
    usize::try_from(count).unwrap()
}

fn one(home: &Home, sql: &str) -> i64 {
    let db = Connection::open(home.path("posse-party.db")).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db.query_row(sql, (), |row| row.get(0)).unwrap()
}
