//! Document: a large feed with one new entry, read and compared, in this process; and how many
//! times a poll waits for the disk.

use std::hint::black_box;
use std::time::{Duration, Instant};

use posse_party::entry::Known;
use posse_party::feed::diff::{self, Change, Seen};
use posse_party::feed::parse::{Hint, parse};
use posse_party::names::EntryId;
use url::Url;

use crate::daemon::{Home, Waits};
use crate::feeds::feed;
use crate::serve::Server;
use crate::table::{Row, row};
use crate::{median, milliseconds};

/// A feed of 1 MB.
const ENTRIES: usize = 450;
const BYTES: usize = 2200;
const PASSES: usize = 50;
/// Polls one after the other, whose waits for the disk are counted.
const POLLS: usize = 50;

/// Parsing and comparing; waits for the disk.
pub fn figures() -> Vec<Row> {
    let of = |name: &str, number| {
        let (before, after) =
            (feed(number, 0..ENTRIES, BYTES, 0), feed(number, 0..ENTRIES + 1, BYTES, 0));
        let known = known(&before);
        let times = (0..PASSES).map(|_| timed(&after, &known)).collect();
        let what = format!(
            "{name} of {:.1} MB with one new entry: parse and diff",
            after.len() as f64 / 1e6
        );
        row(&what, milliseconds(median(times)), "≤ 15 ms")
    };
    let mut rows = vec![of("Atom", 0), of("RSS", 1)];
    rows.extend(waits());
    rows
}

fn timed(body: &str, known: &[Known]) -> Duration {
    let began = Instant::now();
    let changes = black_box(diff::diff(&see(body), known, None));
    let took = began.elapsed();
    assert_eq!(changes.iter().filter(|change| **change == Change::New).count(), 1);
    took
}

fn see(body: &str) -> Vec<Seen> {
    let url = Url::parse("https://example.com/feed.xml").unwrap();
    let parsed = parse(body.as_bytes(), &Hint { url: &url, content_type: None }).unwrap();
    parsed.entries.into_iter().map(diff::see).collect()
}

fn known(body: &str) -> Vec<Known> {
    let of = |(row, seen): (i64, Seen)| Known {
        row: EntryId(row),
        ids: vec![seen.entry.id],
        url: seen.entry.url,
        title: seen.entry.title,
        published: seen.entry.published,
        sign: seen.sign,
        content_hash: seen.content_hash,
    };
    (0..).zip(see(body)).map(of).collect()
}

/// How often one poll of one feed, alone, waits for the disk, by strace where that is there.
fn waits() -> Option<Row> {
    let mut server = Server::start();
    server.watched(ENTRIES, BYTES);
    let home = Home::new();
    let more = "[accounts.box]\nplatform = \"outbox\"\npath = \"box.jsonl\"\n";
    home.configure(1, |_| format!("{}/watched", server.origin), 0, more);
    let mut count = |polls: usize| {
        let waits = Waits::of(&home)?;
        let (daemon, _) = home.start_under(&waits.runner());
        for _ in 0..=polls {
            server.quiet(Duration::from_millis(60));
            daemon.poll();
        }
        server.quiet(Duration::from_millis(60));
        drop(daemon);
        Some(waits.count())
    };
    let (none, some) = (count(0)?, count(POLLS)?);
    let each = (some - none) as f64 / POLLS as f64;
    Some(row(
        "fsyncs of an unchanged poll, alone: the order by hand, the note before, the record",
        format!("{each:.1}"),
        "",
    ))
}
