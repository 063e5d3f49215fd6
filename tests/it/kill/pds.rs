//! Pds: a real Bluesky server, as `tests/real/install.sh` installs it, in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::exchange;

/// The server, with one account. Dropping it ends it.
pub struct Pds {
    child: Child,
    address: SocketAddr,
    did: String,
    /// The account's handle.
    pub handle: String,
    /// Its app password.
    pub password: String,
    _data: TempDir,
}

impl Pds {
    /// Starts the one that is installed in `folder`.
    pub fn start(folder: &Path) -> Self {
        let data = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/pds.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .current_dir(folder)
            .env("PORT", free_port().to_string())
            .env("PLC_PORT", free_port().to_string())
            .env("DATA", data.path())
            .env("JWT_SECRET", "a secret of this run")
            .env("LOG_ENABLED", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.find_map(|line| Some(line.ok()?.strip_prefix("READY ")?.to_owned()));
        let ready: Value = serde_json::from_str(&ready.expect("the server starts")).unwrap();
        // what it says later is nobody's business, but must not stop it
        std::thread::spawn(move || lines.for_each(drop));
        let word = |key: &str| ready[key].as_str().unwrap().to_owned();
        Self {
            child,
            address: word("url").trim_start_matches("http://").parse().unwrap(),
            did: word("did"),
            handle: word("handle"),
            password: word("password"),
            _data: data,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The texts of the posts in the repository, in the order of their keys.
    pub fn texts(&self) -> Vec<String> {
        let (mut texts, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!(
                "/xrpc/com.atproto.repo.listRecords?repo={}&collection=app.bsky.feed.post\
                 &reverse=true&limit=100{cursor}",
                self.did
            );
            let page = self.get(&path);
            let records = page["records"].as_array().unwrap_or_else(|| panic!("{page}"));
            let text = |record: &Value| record["value"]["text"].as_str().unwrap().to_owned();
            texts.extend(records.iter().map(text));
            match page["cursor"].as_str().filter(|_| !records.is_empty()) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return texts,
            }
        }
    }

    fn get(&self, path: &str) -> Value {
        // of 1.0: the answer comes in one piece
        let request = format!("GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
        let answer = exchange::ask(self.address, request.as_bytes());
        let head = exchange::head_length(&answer).expect("the server answers");
        serde_json::from_slice(&answer[head..]).unwrap()
    }
}

impl Drop for Pds {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM); // it may have ended
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
