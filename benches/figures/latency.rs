//! Latency: from the first byte of a changed feed to the first byte of the post.

use std::time::Duration;

use crate::daemon::Home;
use crate::serve::Server;
use crate::table::{Row, row};
use crate::{median, milliseconds};

/// A feed of 100 KB.
const ENTRIES: usize = 45;
const BYTES: usize = 2200;
/// How many changes are measured.
const CHANGES: usize = 20;

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
    let times: Vec<Duration> = (1..=CHANGES)
        .map(|more| {
            server.watched(ENTRIES + more, BYTES);
            daemon.poll();
            let news = server.news();
            let micros = news.strip_prefix("posted ").expect("a post");
            Duration::from_micros(micros.parse().unwrap())
        })
        .collect();
    let worst = *times.iter().max().unwrap();
    vec![
        row("changed feed to post, 100 KB, median of 20", milliseconds(median(times)), "≤ 50 ms"),
        row("changed feed to post, 100 KB, worst of 20", milliseconds(worst), "≤ 50 ms"),
    ]
}
