//! The program as its owner runs it: the built binary on a folder of its own, and every line that
//! it logs.
//!
//! Blocking, for tests without a runtime. Every wait ends with an event (a line, a request, the
//! end of the process) or fails the test.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use posse_party::clock::Clock;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::wire::{Reply, Request, Server};
use crate::world::{Item, atom, item};

/// How long an event may take before the test fails: machines of the CI are busy.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Short delays, for tests.
pub const QUICK: &str = "[delivery]\nretry_base = \"50ms\"\nretry_max = \"500ms\"\n\
     timeout = \"2s\"\nconnect_timeout = \"500ms\"\n";

/// A folder with a config, where daemons run one after the other.
pub struct Site {
    dir: TempDir,
}

impl Site {
    /// A folder with this `config.toml`; the database is in `db`.
    pub fn new(config: &str) -> Self {
        let site = Self { dir: tempfile::tempdir().unwrap() };
        site.configure(config);
        site
    }

    /// Changes the config, as an editor does: in one go.
    pub fn configure(&self, config: &str) {
        self.write("config.toml", &format!("database = \"db/x.db\"\n{config}"));
    }

    /// Writes a file in one go.
    pub fn write(&self, name: &str, body: &str) {
        std::fs::write(self.path("new"), body).unwrap();
        std::fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.path("db/x.db")
    }

    /// The posts in an outbox, as `text`.
    pub fn outbox(&self, name: &str) -> Vec<String> {
        let lines = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        let text = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["text"].as_str().unwrap().to_owned()
        };
        lines.lines().map(text).collect()
    }

    /// What the daemon's owner types.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_posse-party"));
        command.args(arguments).arg("--config").arg(self.path("config.toml"));
        self.surround(command)
    }

    /// The same through a shell that does `first` before.
    pub fn command_after(&self, first: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{first}; exec \"$@\""), "sh"]);
        command.arg(env!("CARGO_BIN_EXE_posse-party"));
        command.args(arguments).arg("--config").arg(self.path("config.toml"));
        self.surround(command)
    }

    fn surround(&self, mut command: Command) -> Command {
        command.current_dir(self.folder()).stdin(Stdio::null());
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "POSSE_PARTY_LOG"] {
            command.env_remove(name);
        }
        command
    }

    /// Starts the daemon, and waits until it is ready.
    pub fn start(&self) -> Daemon {
        let daemon = Daemon::spawn(self.command(&["run"]));
        daemon.wait("ready: ");
        daemon
    }

    /// Runs to the end: the exit code and what was logged.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        Daemon::spawn(self.command(arguments)).end()
    }
}

/// A daemon that runs.
pub struct Daemon {
    child: Child,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    over: bool,
}

impl Daemon {
    /// Starts `command` and reads its log.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Log::default());
        let into = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in stderr.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                lock(&into.lines).lines.push(line);
                into.changed.notify_all();
            }
            lock(&into.lines).over = true;
            into.changed.notify_all();
        });
        Self { child, log, reader: Some(reader) }
    }

    /// All that was logged so far.
    pub fn log(&self) -> Vec<String> {
        lock(&self.log.lines).lines.clone()
    }

    /// How many lines hold `words`.
    pub fn count(&self, words: &str) -> usize {
        self.log().iter().filter(|line| line.contains(words)).count()
    }

    /// Waits for the first line that holds `words`, from the start of the log on.
    pub fn wait(&self, words: &str) -> String {
        self.wait_nth(words, 1)
    }

    /// Waits for the `n`-th line that holds `words`.
    pub fn wait_nth(&self, words: &str, n: usize) -> String {
        let found = |lines: &Lines| {
            lines.lines.iter().filter(|line| line.contains(words)).nth(n - 1).cloned()
        };
        let waiting = |lines: &mut Lines| !lines.over && found(lines).is_none();
        let lines = lock(&self.log.lines);
        let (lines, _) = self.log.changed.wait_timeout_while(lines, PATIENCE, waiting).unwrap();
        found(&lines)
            .unwrap_or_else(|| panic!("no line {n} with `{words}` (ended: {})", lines.over))
    }

    /// Waits until the daemon is ready, or has ended before it was.
    pub fn is_ready(&self) -> bool {
        let found = |log: &Lines| log.lines.iter().any(|line| line.contains("ready: "));
        let waiting = |log: &mut Lines| !log.over && !found(log);
        let log = lock(&self.log.lines);
        let (log, late) = self.log.changed.wait_timeout_while(log, PATIENCE, waiting).unwrap();
        assert!(!late.timed_out(), "the daemon neither becomes ready nor ends");
        found(&log)
    }

    /// Waits until `lines` lines were logged, or `most` has passed, or the process has ended.
    pub fn wait_for_lines(&self, lines: usize, most: Duration) {
        let few = |log: &mut Lines| !log.over && log.lines.len() < lines;
        drop(self.log.changed.wait_timeout_while(lock(&self.log.lines), most, few).unwrap());
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn send(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Applies the config again.
    pub fn reload(&self) {
        let before = self.count("reloaded: ");
        self.send(Signal::HUP);
        self.wait_nth("reloaded: ", before + 1);
    }

    /// SIGTERM, and all that was logged. Fails the test unless the daemon ends with 0.
    pub fn stop(self) -> String {
        self.send(Signal::TERM);
        let (code, log) = self.end();
        assert_eq!(code, Some(0), "{log}");
        log
    }

    /// SIGKILL: no destructor, no last word.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.join().1
    }

    /// Waits for the end: the exit code (128 + signal, as shells say it) and the log.
    pub fn end(mut self) -> (Option<i32>, String) {
        let lines = lock(&self.log.lines);
        let alive = |lines: &mut Lines| !lines.over;
        let (lines, late) = self.log.changed.wait_timeout_while(lines, PATIENCE, alive).unwrap();
        assert!(!late.timed_out(), "the daemon does not end");
        drop(lines);
        self.join()
    }

    fn join(&mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        (code, self.log().join("\n"))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.reader.is_none() {
            return;
        }
        let _ = self.child.kill(); // it may have ended
        let (_, log) = self.join();
        if std::thread::panicking() {
            eprintln!("---- the daemon's log\n{log}\n----");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An entry of today.
pub fn news(id: &str) -> Item {
    Item { published: Clock::System.now(), ..item(id) }
}

/// A feed over HTTP, which answers conditional requests as it should, and misbehaves on command.
pub struct FeedHost {
    server: Server,
    feed: Arc<Mutex<Served>>,
}

#[derive(Default)]
struct Served {
    items: Vec<Item>,
    version: u32,
    script: VecDeque<Reply>,
}

impl FeedHost {
    /// Serves `items` at every path.
    pub fn start(items: Vec<Item>) -> Self {
        let feed = Arc::new(Mutex::new(Served { items, ..Served::default() }));
        let served = Arc::clone(&feed);
        let server = Server::start(move |request| lock(&served).answer(request));
        Self { server, feed }
    }

    /// `[feeds.LABEL]` with this feed, polled all the time.
    pub fn config(&self, label: &str) -> String {
        format!("[feeds.{label}]\nurl = \"{}\"\npoll = \"150ms\"\n", self.url())
    }

    pub fn url(&self) -> url::Url {
        self.server.url("/feed.xml")
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Puts an entry on top.
    pub fn add(&self, item: Item) {
        self.change(|items| items.insert(0, item));
    }

    /// Edits the document.
    pub fn change(&self, edit: impl FnOnce(&mut Vec<Item>)) {
        let mut feed = lock(&self.feed);
        edit(&mut feed.items);
        feed.version += 1;
    }

    /// The next request that nothing is scripted for yet meets this.
    pub fn script(&self, reply: Reply) {
        lock(&self.feed).script.push_back(reply);
    }

    /// Waits for `count` more requests, of which the first may be under way already.
    pub fn wait_for_more(&self, count: usize) -> Vec<Request> {
        let before = self.server.requests().len();
        self.server.wait_for(before + count).split_off(before)
    }
}

impl Served {
    fn etag(&self) -> String {
        format!("W/\"v{}-gzip\"", self.version)
    }

    fn answer(&mut self, request: &Request) -> Reply {
        if let Some(reply) = self.script.pop_front() {
            return reply;
        }
        let etag = self.etag();
        if request.header("if-none-match") == Some(&etag) {
            return Reply::status(304).header("ETag", etag);
        }
        Reply::ok(atom(&self.items))
            .header("ETag", etag)
            .header("Content-Type", "application/atom+xml")
    }
}
