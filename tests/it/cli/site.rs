//! Site: a folder with a config, a feed and an outbox, and the real program on it.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use posse_party::store::{Connection, Result, Store};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(40);

/// A folder of a site's owner.
pub struct Site {
    pub folder: tempfile::TempDir,
    entries: Vec<(String, String)>,
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The answer of a command that went well.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{self:?}");
        self.out
    }

    /// The error of a command that did not, with its hint.
    #[track_caller]
    pub fn badly(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(1), ""), "{self:?}");
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }
}

impl Site {
    /// One feed of no entries, and `accounts` as TOML beside an account `out` of its own.
    pub fn new(feed: &str, accounts: &str) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap(), entries: Vec::new() };
        site.configure(&format!(
            "database = \"state/posts.db\"\n\n\
             [feeds.blog]\nurl = \"file:feed.xml\"\nmax_age = \"36500d\"\n{feed}\n\
             [accounts.out]\nplatform = \"outbox\"\npath = \"out.jsonl\"\ndelay = \"0s\"\n{accounts}"
        ));
        site.write_feed();
        site
    }

    /// A site whose first poll found `Old` and set it aside.
    pub fn polled(feed: &str, accounts: &str) -> Self {
        let mut site = Self::new(feed, accounts);
        site.add("old", "Old");
        site.once();
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the config.
    pub fn configure(&self, config: &str) {
        fs::write(self.path("config.toml"), config).unwrap();
    }

    /// Adds an entry to the feed; `title` may be empty.
    pub fn add(&mut self, id: &str, title: &str) {
        self.entries.insert(0, (id.into(), title.into()));
        self.write_feed();
    }

    /// Changes the title of an entry.
    pub fn edit(&mut self, id: &str, title: &str) {
        let entry = self.entries.iter_mut().find(|(known, _)| known == id).unwrap();
        entry.1 = title.into();
        self.write_feed();
    }

    fn write_feed(&self) {
        let mut feed = String::from(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>A blog</title><id>blog</id>",
        );
        for (id, title) in &self.entries {
            let _ = write!(feed, "<entry><id>tag:a.example,2026:{id}</id>");
            if !title.is_empty() {
                let _ = write!(
                    feed,
                    "<title>{title}</title><link href=\"https://a.example/{id}\"/>\
                     <published>2026-11-20T10:00:00Z</published>"
                );
            }
            feed.push_str("</entry>");
        }
        feed.push_str("</feed>");
        fs::write(self.path("feed.new"), feed).unwrap();
        fs::rename(self.path("feed.new"), self.path("feed.xml")).unwrap();
    }

    /// The program, with nothing of the surroundings of this test.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_posse-party"));
        command.arg("--config").arg(self.path("config.toml")).args(arguments);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["POSSE_PARTY_LOG", "CONFIGURATION_DIRECTORY", "STATE_DIRECTORY"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().unwrap())
    }

    /// Runs a command that must go well.
    #[track_caller]
    pub fn well(&self, arguments: &[&str]) -> String {
        self.run(arguments).well()
    }

    /// Runs a command that must not.
    #[track_caller]
    pub fn badly(&self, arguments: &[&str]) -> String {
        self.run(arguments).badly()
    }

    /// Runs a command with `--json`.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.well(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// Polls, publishes what is due, and gives the log.
    #[track_caller]
    pub fn once(&self) -> String {
        let said = self.run(&["run", "--once"]);
        assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
        said.err
    }

    /// The states of all crossposts, in the order of their numbers.
    pub fn states(&self) -> Vec<String> {
        let lines = self.json(&["list"]);
        let lines = lines.as_array().unwrap().iter();
        lines.map(|line| line["state"].as_str().unwrap().to_owned()).collect()
    }

    /// The texts in the outbox.
    pub fn posts(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("out.jsonl")).unwrap_or_default();
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        text.lines().map(|text| line(text)["text"].as_str().unwrap().to_owned()).collect()
    }

    /// The keys of the incidents that are open.
    pub fn incidents(&self) -> Vec<String> {
        let status = self.json(&["status"]);
        let incidents = status["incidents"].as_array().unwrap().iter();
        incidents.map(|incident| incident["key"].as_str().unwrap().to_owned()).collect()
    }

    /// Does to the database what only a platform in trouble would lead to.
    pub fn meddle<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = Store::open_existing(&self.path("state/posts.db")).unwrap();
        runtime.block_on(store.write(move |tx| work(tx))).unwrap()
    }

    /// Starts the daemon and waits until it is ready.
    pub fn daemon(&self) -> Daemon {
        let mut command = self.command(&["run"]);
        let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = read_on(process.stderr.take().unwrap());
        let daemon = Daemon { process, lines };
        daemon.says("ready: ");
        daemon
    }

    /// `text` without what differs from run to run.
    pub fn masked(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "[folder]")
    }
}

/// What a process that has ended said.
pub fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Said { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A daemon that runs.
pub struct Daemon {
    process: Child,
    lines: Receiver<String>,
}

impl Daemon {
    /// Reads its log on until a line holds `words`, and gives that line.
    #[track_caller]
    pub fn says(&self, words: &str) -> String {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => heard.push(line),
                Err(error) => panic!("it never said `{words}` ({error}), but: {heard:#?}"),
            }
        }
    }

    /// Stops it, and sees that it ends well.
    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill(); // has an effect only where the test has failed
        let _ = self.process.wait();
    }
}

/// The lines of a process, as they come.
fn read_on(stderr: ChildStderr) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(std::result::Result::ok) {
            let _ = sender.send(line); // the test may have heard enough
        }
    });
    lines
}

/// Runs `command` with `input` on its standard input.
pub fn fed(command: &mut Command, input: &str) -> Said {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    said(&process.wait_with_output().unwrap())
}
