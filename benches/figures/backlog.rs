//! Backlog: ten thousand posts that wait, on twenty accounts, against a server that is only fast.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::daemon::{Home, Waits};
use crate::serve::Server;
use crate::table::{Row, row};

const FEEDS: usize = 10;
const ENTRIES: usize = 50;
const ACCOUNTS: usize = 20;
const POSTS: usize = FEEDS * ENTRIES * ACCOUNTS;

/// What a run has cost.
struct Run {
    /// From the first post to the last.
    took: Duration,
    cpu: Duration,
    waits: Option<u64>,
}

/// Posts a second, and how often each waits for the disk.
pub fn figures() -> Vec<Row> {
    let plain = run(false);
    let of_each = |all: f64| all / POSTS as f64;
    let what = format!("backlog of {POSTS} posts on {ACCOUNTS} accounts");
    let speed = format!("{:.0}", POSTS as f64 / plain.took.as_secs_f64());
    let cpu = format!("{:.2} ms", of_each(plain.cpu.as_secs_f64() * 1e3));
    let mut rows = vec![
        row(&format!("{what}: posts a second"), speed, ""),
        row(&format!("{what}: CPU of a post"), cpu, ""),
    ];
    if let Some(waits) = run(true).waits {
        let each = format!("{:.2}", of_each(waits as f64));
        rows.push(row(&format!("{what}: fsyncs of a post"), each, "≤ 2"));
    }
    rows.push(row("fsyncs a second of this disk, one after the other", disk(), ""));
    rows
}

/// Publishes all of it; `counted` is slower.
fn run(counted: bool) -> Run {
    let mut server = Server::start();
    server.feeds(FEEDS, ENTRIES, 0, 2200);
    let home = Home::new();
    let mut accounts = String::new();
    for at in 0..ACCOUNTS {
        write!(
            accounts,
            "[accounts.a{at}]\nplatform = \"mastodon\"\nbase_url = {:?}\naccess_token = \"t{at}\"\n\
             delay = \"0s\"\n",
            server.origin
        )
        .unwrap();
    }
    home.configure(FEEDS, |at| format!("{}/feed/{at}", server.origin), ENTRIES as u32, &accounts);
    let waits = counted.then(|| Waits::of(&home)).flatten();
    let runner = waits.as_ref().map(Waits::runner);
    let (daemon, _) = home.start_under(runner.as_ref().map_or(&[], |runner| &runner[..]));
    server.news();
    let began = Instant::now();
    for _ in 1..POSTS {
        server.news();
    }
    let took = began.elapsed();
    // the last is not settled yet
    server.quiet(Duration::from_secs(1));
    let cpu = daemon.cpu();
    drop(daemon);
    let db = Connection::open(home.path("posse-party.db")).unwrap();
    let sql = "SELECT count(*) FROM crossposts WHERE state = 'published'";
    let published: i64 = db.query_row(sql, (), |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(published), Ok(POSTS));
    Run { took, cpu, waits: waits.map(|waits| waits.count()) }
}

/// What the disk can do: 4 KiB at the end of a file, then fdatasync, for two seconds.
fn disk() -> String {
    let home = Home::new();
    let mut file = File::create(home.path("disk")).unwrap();
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(2) {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    format!("{:.0}", f64::from(count) / began.elapsed().as_secs_f64())
}
