//! Figures: how fast and how small the daemon is, as one table. `cargo bench` prints it.
//!
//! The release binary is measured from outside, against a server of feeds that is a process of its
//! own (this program again, as `figures serve`), with `synchronous = FULL` on a real disk. The bare
//! loop (`figures bare`) does the least that any program must that reads feeds into SQLite.
//! **Invariant:** a run that did not do the work is no figure: entries and crossposts are counted
//! after each. Everything is bound to 127.0.0.1, and killed when this program ends.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a measurement that fails may panic

use std::time::Duration;

mod backlog; // ten thousand posts that wait
mod bare; // the yardstick
mod compose; // entries to drafts
mod daemon; // the binary, and what it costs
mod document; // a large feed, read and compared
mod endure; // an hour
mod feeds; // documents to poll
mod latency; // from the feed to the post
mod ledger; // a million crossposts
mod media; // photos to what a platform takes
mod poll; // a thousand feeds, and ten thousand
mod rest; // start and idling
mod serve; // feeds and a stand-in for Mastodon
mod spread; // ten thousand feeds at one a minute
mod table; // what is printed

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("serve") => serve::main(),
        Some("bare") => bare::main(&arguments[2..]),
        Some("fit") => media::main(&arguments[2..]),
        Some("endurance") => {
            daemon::build();
            endure::main(arguments.get(2).and_then(|word| word.parse().ok()).unwrap_or(60));
        }
        _ => {
            // `cargo bench -- poll` measures only what has the word in its name
            let only = arguments.iter().skip(1).find(|argument| !argument.starts_with('-'));
            report(only.map_or("", String::as_str));
        }
    }
}

/// Measures all whose name holds `only`, and prints the table.
fn report(only: &str) {
    let (mut rows, mut is_built) = (Vec::new(), false);
    for (name, measure) in [
        ("size", rest::size as fn() -> Vec<table::Row>),
        ("start", rest::start),
        ("idle", rest::idle),
        ("poll", poll::figures),
        ("spread", spread::figures),
        ("document", document::figures),
        ("latency", latency::figures),
        ("backlog", backlog::figures),
        ("ledger", ledger::figures),
        ("compose", compose::figures),
        ("media", media::figures),
    ] {
        if name.contains(only) {
            if !matches!(name, "compose" | "media") && !is_built {
                eprintln!("building the release binary");
                daemon::build();
                is_built = true;
            }
            eprintln!("measuring: {name}");
            rows.extend(measure());
        }
    }
    table::print(&rows);
}

/// The middle one.
fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort();
    values[values.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// KiB as people read them.
fn megabytes(kib: u64) -> String {
    format!("{:.1} MB", kib as f64 * 1024.0 / 1e6)
}
