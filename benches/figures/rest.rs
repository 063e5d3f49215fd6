//! Rest: the size of the binary, and the daemon at its start and while nothing happens.

use std::time::Duration;

use crate::daemon::{BINARY, Home};
use crate::serve::Server;
use crate::table::{Row, row};
use crate::{median, megabytes, milliseconds};

const FEEDS: usize = 10;
/// Longer than any thread waits for more work (tokio: 10 s).
const UNTIL_IDLE: Duration = Duration::from_secs(12);

/// How long the daemon is watched while nothing happens; a minute tick is in it.
const WATCHED: Duration = Duration::from_secs(60);

/// The size on disk.
pub fn size() -> Vec<Row> {
    let bytes = std::fs::metadata(BINARY).unwrap().len();
    vec![row("size of the binary, stripped", megabytes(bytes / 1024), "≤ 15 MB")]
}

/// From the start of the process to `READY=1`.
pub fn start() -> Vec<Row> {
    let mut server = Server::start();
    server.feeds(FEEDS, 15, 0, 2200);
    let home = home(&server.origin);
    let first = home.start().1;
    let later = median((0..9).map(|_| home.start().1).collect());
    vec![
        row("start to READY, new database", milliseconds(first), "≤ 100 ms"),
        row("start to READY, median of 9", milliseconds(later), "≤ 100 ms"),
    ]
}

/// Private memory with 10 feeds and 5 accounts, after each feed was polled and something was
/// published on each account.
pub fn idle() -> Vec<Row> {
    let mut server = Server::start();
    server.feeds(FEEDS, 15, 0, 2200);
    let home = home(&server.origin);
    let (daemon, _) = home.start();
    for _ in 0..2 * FEEDS {
        assert!(server.news().starts_with("posted"));
    }
    server.quiet(UNTIL_IDLE);
    let idle = daemon.private();
    daemon.poll();
    server.quiet(UNTIL_IDLE);
    let again = daemon.private();
    let (cpu, sleeps) = daemon.work();
    server.quiet_for(WATCHED);
    let (cpu_after, sleeps_after) = daemon.work();
    let cpu = (cpu_after - cpu).as_secs_f64() * 3600.0 / WATCHED.as_secs_f64();
    let sleeps = (sleeps_after - sleeps) as f64 / WATCHED.as_secs_f64();
    vec![
        row("private memory, idle, after the first poll", megabytes(idle), "≤ 15 MB"),
        row("private memory, idle, after the second poll", megabytes(again), "≤ 15 MB"),
        row("wake-ups a second, idle", format!("{sleeps:.2}"), ""),
        row("CPU an hour, idle", format!("{cpu:.2} s"), ""),
    ]
}

/// Two Mastodon accounts on the stand-in, two outboxes, and one Bluesky account that only tells
/// what it would post.
fn home(origin: &str) -> Home {
    let home = Home::new();
    let more = format!(
        "[accounts.one]\nplatform = \"mastodon\"\nbase_url = {origin:?}\naccess_token = \"t\"\n\
         delay = \"0s\"\n\
         [accounts.two]\nplatform = \"mastodon\"\nbase_url = {origin:?}\naccess_token = \"t\"\n\
         delay = \"0s\"\n\
         [accounts.sky]\nplatform = \"bluesky\"\ndry_run = true\ndelay = \"0s\"\n\
         [accounts.box]\nplatform = \"outbox\"\npath = \"box.jsonl\"\ndelay = \"0s\"\n\
         [accounts.more]\nplatform = \"outbox\"\npath = \"more.jsonl\"\ndelay = \"0s\"\n"
    );
    home.configure(FEEDS, |at| format!("{origin}/feed/{at}"), 1, &more);
    home
}
