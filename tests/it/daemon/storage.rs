//! Disks that are full or can't be written: nothing is sent whose intent is not on the disk, one
//! line says so, and it goes on by itself when there is room again.

use std::path::Path;
use std::process::Command;

use posse_party::store::Connection;
use rustix::process::{Resource, Rlimit, prlimit};

use super::{OUT, fedi, mastodon, sky, texts};
use crate::bluesky_server::BlueskyServer;
use crate::daemon_process::{Daemon, FeedHost, PATIENCE, QUICK, Site, news};
use crate::mastodon_server::{Answer, Effect, Fault, Route};
use crate::wire::Gate;

/// Files of the daemon may not grow beyond `bytes`: as a full disk, it bites in the middle of a
/// write, and needs no privilege.
fn limit(daemon: &Daemon, bytes: Option<u64>) {
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(Some(daemon.pid()), Resource::Fsize, limit).unwrap();
}

/// A daemon that gets an error where a file is too large, not a signal.
fn start(site: &Site) -> Daemon {
    let daemon = Daemon::spawn(site.command_after("trap '' XFSZ", &["run"]));
    daemon.wait("ready: ");
    daemon
}

#[test]
fn a_full_disk_stops_everything_before_anything_is_sent() {
    let (blog, fediverse, bluesky) =
        (FeedHost::start(vec![news("old")]), mastodon(), BlueskyServer::start());
    // due in a while: the disk is full by then
    let later = |account: String| account.replace("delay = \"0s\"", "delay = \"1s\"");
    let config =
        [&blog.config("blog"), &later(fedi(&fediverse)), &later(sky(&bluesky)), QUICK].concat();
    let site = Site::new(&config);
    let daemon = start(&site);
    daemon.wait("first sight of blog for sky");
    blog.add(news("1"));
    daemon.wait("new in blog: \"Entry 1\"");
    limit(&daemon, Some(0));
    daemon.wait("nothing is sent to fedi: ");
    daemon.wait("nothing is sent to sky: ");
    let line = daemon.wait("no feed is polled: ");
    let place = format!("(database `{}`)", site.database().display());
    assert!(line.contains("disk") && line.contains(&place), "{line}");
    assert_eq!(fediverse.count(Route::Publish), 0);
    assert_eq!(bluesky.seen_of("putRecord").len(), 0);
    blog.add(news("2"));

    limit(&daemon, None);
    daemon.wait("feeds are polled again");
    daemon.wait("published \"Entry 2\" to fedi");
    daemon.wait("published \"Entry 2\" to sky");
    daemon.wait("the database can be used again");
    for words in ["nothing is sent to fedi: ", "nothing is sent to sky: ", "no feed is polled: "] {
        assert_eq!(daemon.count(words), 1, "{words}");
    }
    daemon.stop();
    assert_eq!(texts(&fediverse).len(), 2);
    assert_eq!(bluesky.records().len(), 2);
}

#[test]
fn an_answer_that_can_not_be_stored_is_kept_until_it_can() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let gate = Gate::default();
    let held = Fault { effect: Effect::Done, answer: Answer::Held(gate.clone()) };
    fediverse.script(Route::Publish, held);
    let delivery = QUICK.replace("\"2s\"", "\"30s\"");
    let site = Site::new(&[blog.config("blog"), fedi(&fediverse), delivery].concat());
    let daemon = start(&site);
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    fediverse.wait_asked(Route::Publish, 1);
    limit(&daemon, Some(0));
    gate.open();
    let line = daemon.wait("what became of \"Entry 1\" on fedi can't be stored, trying on: ");
    assert!(line.contains("disk"), "{line}");
    limit(&daemon, None);
    daemon.wait("published \"Entry 1\" to fedi");
    daemon.stop();
    assert_eq!(
        fediverse.requests().iter().filter(|it| it.route() == Some(Route::Publish)).count(),
        1
    );
}

#[test]
fn a_stop_on_a_full_disk_ends_and_the_next_start_finds_the_post() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let gate = Gate::default();
    let held = Fault { effect: Effect::Done, answer: Answer::Held(gate.clone()) };
    fediverse.script(Route::Publish, held);
    let site = Site::new(&[blog.config("blog"), fedi(&fediverse), QUICK.into()].concat());
    let daemon = start(&site);
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    fediverse.wait_asked(Route::Publish, 1);
    limit(&daemon, Some(0));
    gate.open();
    daemon.wait("can't be stored, trying on: ");
    daemon.send(rustix::process::Signal::TERM);
    let (code, log) = daemon.end();
    assert_eq!(code, Some(0), "{log}");
    let daemon = site.start();
    daemon.wait("published \"Entry 1\" to fedi");
    daemon.stop();
    assert_eq!(texts(&fediverse).len(), 1);
}

/// The size of the database's write-ahead log, in bytes.
fn log_bytes(site: &Site) -> u64 {
    std::fs::metadata(site.path("db/x.db-wal")).map_or(0, |file| file.len())
}

#[test]
fn a_write_that_fails_anywhere_sends_nothing_that_is_not_on_the_disk() {
    // the file may grow by so much more: the error comes at another write each time
    std::thread::scope(|scope| {
        for more in (0..8).map(|n| n * 9_000) {
            scope.spawn(move || fails_after(more));
        }
    });
}

fn fails_after(more: u64) {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let site = Site::new(&[blog.config("blog"), fedi(&fediverse), QUICK.into()].concat());
    let daemon = start(&site);
    daemon.wait("first sight of blog for fedi");
    limit(&daemon, Some(log_bytes(&site) + more));
    blog.add(news("1"));
    let words = [
        "no feed is polled: ",
        "could not be stored",
        "nothing is sent to fedi: ",
        "can't be stored, trying on: ",
        "published \"Entry 1\" to fedi",
    ];
    while words.iter().all(|words| daemon.count(words) == 0) {
        daemon.wait_for_lines(daemon.log().len() + 1, PATIENCE);
    }
    limit(&daemon, None);
    daemon.wait("published \"Entry 1\" to fedi");
    daemon.stop();
    assert_eq!(texts(&fediverse).len(), 1, "{more} bytes more");
    assert_eq!(fediverse.count(Route::Publish), 1, "{more} bytes more: no blind second try");
}

#[test]
fn a_database_that_another_program_holds_is_waited_for() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let later = fedi(&fediverse).replace("\"0s\"", "\"3s\"");
    let site = Site::new(&[blog.config("blog"), later, QUICK.into()].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    daemon.wait("new in blog: \"Entry 1\"");
    let other = Connection::open(site.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let line = daemon.wait("nothing is sent to fedi: ");
    assert!(line.contains("locked"), "{line}");
    assert_eq!(fediverse.count(Route::Publish), 0, "its intent could not be committed");
    other.execute_batch("ROLLBACK").unwrap();
    daemon.wait("published \"Entry 1\" to fedi");
    daemon.wait("the database can be used again");
    assert_eq!(daemon.count("nothing is sent to fedi: "), 1, "one line");
    daemon.stop();
    assert_eq!(texts(&fediverse).len(), 1);
}

#[test]
fn a_folder_that_can_not_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let chmod = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let blog = FeedHost::start(vec![news("old")]);
    let site = Site::new(&[&blog.config("blog"), OUT, QUICK].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for out");
    daemon.stop();
    blog.add(news("1"));
    for file in std::fs::read_dir(site.path("db")).unwrap() {
        chmod(&file.unwrap().path(), 0o400);
    }
    chmod(&site.path("db"), 0o500);
    let (code, log) = Daemon::spawn(powerless(site.command(&["run"]))).end();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains(&format!("`{}", site.database().display())), "{log}");
    assert!(log.contains("Permission denied"), "{log}");
    assert!(!site.path("out.jsonl").exists());

    chmod(&site.path("db"), 0o700);
    for file in std::fs::read_dir(site.path("db")).unwrap() {
        chmod(&file.unwrap().path(), 0o600);
    }
    let daemon = site.start();
    daemon.wait("published \"Entry 1\" to out");
    daemon.stop();
}

/// `command` without the power of root to write what may not be written.
fn powerless(command: Command) -> Command {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let powers = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    if !rustix::process::geteuid().is_root() || powers.trim().bytes().all(|digit| digit == b'0') {
        return command; // has none
    }
    let mut without = Command::new("setpriv");
    without.args(["--bounding-set", "-all", "--inh-caps", "-all"]);
    without.arg(command.get_program()).args(command.get_args());
    without.current_dir(command.get_current_dir().unwrap());
    without
}
