//! The daemon as systemd runs it: the built binary, its signals, its socket and its log.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything here takes on a busy machine; then the test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

const CONFIG: &str = r#"
database = "state.db"

[feeds.blog]
url = "file:feed.json"
poll = "1h"

[accounts.file]
platform = "outbox"
path = "outbox.jsonl"
delay = "0s"
"#;

/// A daemon in a folder of its own, and the service manager that it talks to.
struct Daemon {
    process: Child,
    log: Receiver<String>,
    manager: UnixDatagram,
    folder: tempfile::TempDir,
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), CONFIG).unwrap();
        write_feed(folder.path(), &["old"]);
        let socket = folder.path().join("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut process = command(folder.path())
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "400000")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let (tell, log) = channel();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
        });
        Self { process, log, manager, folder }
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// The next thing that systemd is told, but for signs of life.
    fn told(&self) -> String {
        loop {
            let mut buffer = [0; 4096];
            let length = self.manager.recv(&mut buffer).expect("systemd is told nothing");
            let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
            if message != "WATCHDOG=1" {
                return message;
            }
        }
    }

    fn is_alive(&self) {
        let mut buffer = [0; 64];
        let length = self.manager.recv(&mut buffer).expect("no sign of life");
        assert_eq!(&buffer[..length], b"WATCHDOG=1");
    }

    /// Reads on until a line of the log holds `words`.
    #[allow(clippy::disallowed_methods)] // real time, of a real process
    fn logged(&self, words: &str) -> String {
        let mut seen = Vec::new();
        let end = std::time::Instant::now() + PATIENCE;
        while let Ok(line) =
            self.log.recv_timeout(end.saturating_duration_since(std::time::Instant::now()))
        {
            if line.contains(words) {
                return line;
            }
            seen.push(line);
        }
        panic!("the log ended without `{words}`:\n{}", seen.join("\n"));
    }

    fn exit_code(mut self) -> Option<i32> {
        self.process.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill(); // has an effect only where the test has failed
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_posse-party"));
    command.args(["run", "--config"]).arg(folder.join("config.toml"));
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"] {
        command.env_remove(name);
    }
    for name in ["POSSE_PARTY_LOG", "STATE_DIRECTORY", "CONFIGURATION_DIRECTORY"] {
        command.env_remove(name);
    }
    command
}

/// Puts a JSON Feed with these ids into `folder`, in one step.
fn write_feed(folder: &Path, ids: &[&str]) {
    let entry = |id: &&str| {
        serde_json::json!({"id": id, "url": format!("https://a.example/{id}"), "title": id,
            "content_text": id})
    };
    let items: Vec<_> = ids.iter().map(entry).collect();
    let feed = serde_json::json!({"version": "https://jsonfeed.org/version/1.1", "title": "A",
        "home_page_url": "https://a.example/", "items": items});
    fs::write(folder.join("new.json"), feed.to_string()).unwrap();
    fs::rename(folder.join("new.json"), folder.join("feed.json")).unwrap();
}

#[test]
fn a_service_from_start_to_stop() {
    let daemon = Daemon::start();
    assert!(daemon.told().starts_with("READY=1\nSTATUS="));
    daemon.is_alive();
    daemon.logged("first sight of blog");

    write_feed(daemon.folder.path(), &["new", "old"]);
    daemon.send(Signal::USR1);
    let line = daemon.logged("published");
    assert!(line.contains("account=file"), "{line}");
    let outbox = fs::read_to_string(daemon.folder.path().join("outbox.jsonl")).unwrap();
    assert_eq!(outbox.lines().count(), 1, "{outbox}");
    assert!(outbox.contains("https://a.example/new"), "{outbox}");

    daemon.send(Signal::TERM);
    assert!(daemon.told().starts_with("STOPPING=1\nSTATUS="));
    daemon.logged("stopped");
    assert_eq!(daemon.exit_code(), Some(0));
}

#[test]
fn a_reload_is_announced_and_a_bad_config_is_refused_with_all_its_mistakes() {
    let daemon = Daemon::start();
    assert!(daemon.told().starts_with("READY=1"));
    let config = daemon.folder.path().join("config.toml");

    fs::write(&config, CONFIG.replace("[accounts.file]", "[accounts.second]")).unwrap();
    daemon.send(Signal::HUP);
    assert!(daemon.told().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert!(daemon.told().starts_with("READY=1"));
    daemon.logged("reloaded");

    fs::write(&config, format!("{CONFIG}\ncooldow = \"1m\"\n[log]\nlevel = 5\n")).unwrap();
    daemon.send(Signal::HUP);
    assert!(daemon.told().starts_with("RELOADING=1"));
    assert!(daemon.told().starts_with("READY=1"));
    daemon.logged("accounts.file.cooldow");
    daemon.is_alive();

    daemon.send(Signal::INT);
    assert_eq!(daemon.exit_code(), Some(0));
}

#[test]
fn a_second_daemon_on_the_same_database_refuses_to_start() {
    let daemon = Daemon::start();
    assert!(daemon.told().starts_with("READY=1"));
    let second = command(daemon.folder.path()).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("state.db"), "{said}");
    daemon.is_alive();
}

#[test]
fn a_wrong_config_is_exit_code_78_which_systemd_does_not_restart() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "[feeds.blog]\nurl = 5\n").unwrap();
    let run = command(folder.path()).output().unwrap();
    assert_eq!(run.status.code(), Some(78));
    let unit = include_str!("../../systemd/posse-party.service");
    assert!(unit.contains("\nRestartPreventExitStatus=78\n"));
}

#[test]
fn for_the_journal_the_log_has_priorities_and_no_time() {
    use std::os::unix::fs::MetadataExt;

    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), CONFIG).unwrap();
    write_feed(folder.path(), &["one"]);
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let meta = log.metadata().unwrap();
    let stream = format!("{}:{}", meta.dev(), meta.ino());
    let run = |stream: &str| {
        let mut once = command(folder.path());
        once.arg("--once").env("JOURNAL_STREAM", stream).stderr(log.try_clone().unwrap());
        assert!(once.status().unwrap().success());
        fs::read_to_string(folder.path().join("log")).unwrap()
    };
    let journal = run(&stream);
    assert!(!journal.is_empty() && journal.lines().all(|line| line.starts_with('<')), "{journal}");
    // the variable of another process's stderr, inherited
    let other = run("8:1");
    let rest = &other[journal.len()..];
    assert!(rest.lines().all(|line| line.starts_with("20")), "{rest}");
}
