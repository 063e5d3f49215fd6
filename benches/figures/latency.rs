//! Latency: from the first byte of a changed feed to the first byte of the post.

use std::time::Duration;

use crate::daemon::{Home, Running};
use crate::milliseconds;
use crate::serve::Server;
use crate::table::{Row, row};

/// A feed of 100 KB.
const ENTRIES: usize = 45;
const BYTES: usize = 2200;
/// How many changes are measured.
const CHANGES: usize = 100;

/// The time between, as the server on both ends sees it.
pub fn figures() -> Vec<Row> {
    let mut server = Server::start();
    server.watched(ENTRIES, BYTES);
    let home = Home::new();
    let more = format!(
        "[accounts.one]\nplatform = \"mastodon\"\nbase_url = {:?}\naccess_token = \"t\"\n\
         delay = \"0s\"\n",
        server.origin
    );
    home.configure(1, |_| format!("{}/watched", server.origin), 1, &more);
    let (daemon, _) = home.start();
    // the backfill: with it the account has learnt what the server allows
    server.news();
    let times = to_post(&mut server, &daemon, ENTRIES, CHANGES);
    let what = "changed feed of 100 KB to post, idle, of 100:";
    vec![
        row(&format!("{what} median"), milliseconds(times[CHANGES / 2]), "≤ 50 ms"),
        row(
            &format!("{what} 99th percentile"),
            milliseconds(times[CHANGES * 99 / 100 - 1]),
            "≤ 50 ms",
        ),
        row(&format!("{what} worst"), milliseconds(times[CHANGES - 1]), ""),
    ]
}

/// How long it takes from the first byte of the changed feed, which had so many `entries`, to the
/// first byte of the post, `changes` times, the shortest first.
pub fn to_post(
    server: &mut Server,
    daemon: &Running,
    entries: usize,
    changes: usize,
) -> Vec<Duration> {
    let mut times: Vec<Duration> = (1..=changes)
        .map(|more| {
            server.watched(entries + more, BYTES);
            daemon.poll();
            let news = server.news();
            let micros = news.strip_prefix("posted ").expect("a post");
            Duration::from_micros(micros.parse().unwrap())
        })
        .collect();
    times.sort();
    times
}
