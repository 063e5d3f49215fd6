//! A disk that fails at the n-th write or the n-th fsync, for one call or for many: nothing is sent
//! whose intent is not on the disk, nothing is sent twice, and it goes on by itself.
//!
//! The built binary with a preloaded library (`faulty.c`) between SQLite and the kernel. n is
//! counted from the start of the process and goes up until a run meets no fault.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use posse_party::store::Connection;
use rustix::io::Errno;
use tempfile::TempDir;

use super::{fedi, mastodon, texts};
use crate::daemon_process::{Daemon, FeedHost, QUICK, Site, news};
use crate::mastodon_server::{Answer, Effect, Fault, Route};
use crate::wire::Gate;

/// Runs at a time: most of each is waiting.
const AT_ONCE: usize = 24;

/// What fails.
#[derive(Clone, Copy, Debug)]
struct Disk {
    /// `write` or `sync`.
    call: &'static str,
    error: Errno,
    /// How many calls in a row.
    times: u32,
    /// From one run to the next, the first call that fails is so much later.
    step: u32,
}

#[rustfmt::skip]
const DISKS: [Disk; 4] = [
    Disk { call: "write", error: Errno::IO,    times: 1, step: 2 },
    Disk { call: "write", error: Errno::NOSPC, times: 3, step: 6 },
    Disk { call: "sync",  error: Errno::IO,    times: 1, step: 1 },
    Disk { call: "sync",  error: Errno::IO,    times: 3, step: 2 },
];

#[test]
fn a_disk_that_fails_anywhere_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let library = library(&folder);
    let runs: Vec<AtomicU32> = DISKS.iter().map(|_| AtomicU32::new(0)).collect();
    std::thread::scope(|scope| {
        for worker in 0..AT_ONCE {
            let (library, runs) = (&library, &runs);
            scope.spawn(move || {
                // each begins with another disk
                for which in (worker..worker + DISKS.len()).map(|at| at % DISKS.len()) {
                    let disk = DISKS[which];
                    let next = || 1 + disk.step * runs[which].fetch_add(1, Ordering::Relaxed);
                    while run(library, disk, next()) {}
                }
            });
        }
    });
    for (runs, disk) in runs.iter().zip(DISKS) {
        let faults = runs.load(Ordering::Relaxed) as usize - AT_ONCE;
        println!("{disk:?}: {faults} runs met it");
        assert!(faults >= 5, "{disk:?}: {faults} runs met it");
    }
}

/// The preloaded library. SQLite needs the same compiler.
fn library(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("faulty.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/daemon/faulty.c");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"])
        .args([&path, &source])
        .arg("-ldl")
        .status();
    assert!(status.expect("a C compiler").success());
    path
}

/// One entry, from the feed to the post, on a disk whose `at`-th call fails. Tells whether it came
/// to that.
fn run(library: &Path, disk: Disk, at: u32) -> bool {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let gate = Gate::default();
    let held = Fault { effect: Effect::Done, answer: Answer::Held(gate.clone()) };
    fediverse.script(Route::Publish, held);
    let site = Site::new(&[blog.config("blog"), fedi(&fediverse), QUICK.into()].concat());
    let mut command = site.command(&["run"]);
    command
        .env("LD_PRELOAD", library)
        .env("FAULTY_CALL", disk.call)
        .env("FAULTY_ERROR", disk.error.raw_os_error().to_string())
        .env("FAULTY_AT", at.to_string())
        .env("FAULTY_TIMES", disk.times.to_string())
        .env("FAULTY_MARK", site.path("mark"));
    let mut daemon = Daemon::spawn(command);
    if !daemon.is_ready() {
        // systemd starts it again
        let (code, log) = daemon.end();
        assert_eq!(code, Some(1), "{disk:?} at {at}: {log}");
        assert!(log.contains("x.db"), "{disk:?} at {at}: {log}");
        daemon = site.start();
    }
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    fediverse.wait_asked(Route::Publish, 1);
    let database = Connection::open(site.database()).unwrap();
    let state: String = database
        .query_row("SELECT state FROM crossposts WHERE state <> 'skipped'", (), |row| row.get(0))
        .unwrap();
    assert_eq!(state, "sending", "{disk:?} at {at}: the intent is committed");
    drop(database);
    gate.open();
    daemon.wait("published \"Entry 1\" to fedi");
    // whatever else it wants to write
    blog.wait_for_more(2);
    let log = daemon.stop();
    assert_eq!(texts(&fediverse).len(), 1, "{disk:?} at {at}: {log}");
    assert_eq!(fediverse.count(Route::Publish), 1, "{disk:?} at {at}: {log}");
    for words in
        ["no feed is polled: ", "nothing is sent to fedi: ", "can't be stored, trying on: "]
    {
        assert!(log.matches(words).count() <= 1, "{disk:?} at {at}: one line for each: {log}");
    }
    site.path("mark").exists()
}
