//! Serve: the process that the daemon talks to: a server of feeds, and a stand-in for Mastodon that
//! notes the time.
//!
//! Its orders come by lines on standard input, its news go by lines to standard output; it ends
//! when its input does. Bodies are made when they change, not when they are asked for. One thread
//! for each connection, kept alive; ETags are honoured.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::daemon::lines;
use crate::feeds::feed;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A served document and its ETag.
type Document = (Arc<Vec<u8>>, String);

#[derive(Default)]
struct State {
    documents: HashMap<String, Document>,
    posts: u64,
    /// When the first byte of a changed document left.
    changed: Option<Instant>,
    /// Whether the document that is watched has changed and was not fetched since.
    watched: Option<String>,
    /// When each feed was asked for, in milliseconds since the epoch, where that is wanted.
    arrivals: Option<Vec<(String, i64)>>,
}

/// The process, as the one that measures sees it.
pub struct Server {
    child: Child,
    orders: ChildStdin,
    news: Receiver<String>,
    /// `http://127.0.0.1:PORT`.
    pub origin: String,
}

impl Server {
    /// Starts the process and waits until it listens.
    pub fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let news = lines(child.stdout.take().unwrap());
        let mut server = Self { child, orders, news, origin: String::new() };
        server.origin = server.news();
        server
    }

    /// Serves `count` feeds, of which the first in each ten have `more` entries more, as
    /// `/feed/0` and so on.
    pub fn feeds(&mut self, count: usize, entries: usize, more: usize, bytes: usize) {
        self.order(&format!("feeds {count} {entries} {more} {bytes}"));
    }

    /// Serves `count` feeds of `entries` entries, which are the newest of `news` more in the first of
    /// each ten.
    pub fn slide(&mut self, count: usize, entries: usize, news: usize, bytes: usize) {
        self.order(&format!("slide {count} {entries} {news} {bytes}"));
    }

    /// Serves `/watched` with so many entries, and notes when it is fetched.
    pub fn watched(&mut self, entries: usize, bytes: usize) {
        self.order(&format!("watched {entries} {bytes}"));
    }

    /// Notes when each feed is asked for, from now on.
    pub fn note_arrivals(&mut self) {
        self.order("note");
    }

    /// When each feed was asked for (its path, milliseconds since the epoch), since they are noted.
    pub fn arrivals(&mut self) -> Vec<(String, i64)> {
        writeln!(self.orders, "arrivals").unwrap();
        let count: usize = self.news().parse().unwrap();
        let pair = |line: String| {
            let (path, at) = line.split_once(' ').unwrap();
            (path.to_owned(), at.parse().unwrap())
        };
        let arrivals = (0..count).map(|_| pair(self.news())).collect();
        assert_eq!(self.news(), "done");
        arrivals
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
        assert_eq!(self.news(), "done", "{order}");
    }

    /// The next line of the server.
    pub fn news(&mut self) -> String {
        self.news.recv_timeout(PATIENCE).expect("the server tells something")
    }

    /// Waits for so long, whatever is published.
    pub fn quiet_for(&mut self, long: Duration) {
        let end = Instant::now() + long;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.news.recv_timeout(left).ok();
        }
    }

    /// Waits until nothing was published for so long.
    pub fn quiet(&mut self, long: Duration) {
        while self.news.recv_timeout(long).is_ok() {}
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The process itself.
pub fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let state = Arc::new(Mutex::new(State::default()));
    let shared = Arc::clone(&state);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, state) = (stream.unwrap(), Arc::clone(&shared));
            // ends with its connection
            std::thread::spawn(move || serve(stream, &state));
        }
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    // 150 entries, 50 minutes apart, are all younger than `max_age`
    let oldest = now - 6 * 86_400;
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<usize>().unwrap();
        let mut fresh = Vec::new();
        match words[0] {
            "feeds" | "slide" => {
                for at in 0..number(1) {
                    let more = if at.is_multiple_of(10) { number(3) } else { 0 };
                    let gone = if words[0] == "slide" { more } else { 0 };
                    let body = feed(at, gone..number(2) + more, number(4), oldest);
                    fresh.push((format!("/feed/{at}"), body, format!("\"{at}-{more}\"")));
                }
            }
            "watched" => {
                let entries = number(1);
                let body = feed(0, 0..entries, number(2), oldest);
                fresh.push(("/watched".into(), body, format!("\"{entries}\"")));
            }
            "note" => state.lock().unwrap().arrivals = Some(Vec::new()),
            "arrivals" => {
                let arrivals = state.lock().unwrap().arrivals.take().unwrap_or_default();
                println!("{}", arrivals.len());
                arrivals.iter().for_each(|(path, at)| println!("{path} {at}"));
            }
            other => panic!("unknown order `{other}`"),
        }
        let mut state = state.lock().unwrap();
        for (path, body, etag) in fresh {
            if path == "/watched" {
                state.watched = Some(etag.clone());
            }
            state.documents.insert(path, (Arc::new(body.into_bytes()), etag));
        }
        println!("done");
    }
}

/// One connection, as long as it lives.
fn serve(stream: TcpStream, state: &Mutex<State>) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while answer(&mut reader, &stream, state).is_some() {}
}

/// One request; none when there are no more.
fn answer(
    reader: &mut BufReader<TcpStream>,
    mut stream: &TcpStream,
    state: &Mutex<State>,
) -> Option<()> {
    if reader.fill_buf().ok()?.is_empty() {
        return None;
    }
    let arrived = Instant::now();
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut known) = (0, None);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "if-none-match" => known = Some(value.to_owned()),
            _ => {}
        }
    }
    if method == "POST" {
        // the very first byte: before the body is read
        note_post(arrived, state);
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let (head, body) = reply(&method, &path, known.as_deref(), state);
    let head = format!(
        "HTTP/1.1 {head}\r\nDate: {}\r\nContent-Length: {}\r\n\r\n",
        chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT"),
        body.len()
    );
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&body);
    if path == "/watched" && !body.is_empty() {
        note_change(state);
    }
    stream.write_all(&bytes).ok()
}

/// Status, headers and body.
fn reply(
    method: &str,
    path: &str,
    known: Option<&str>,
    state: &Mutex<State>,
) -> (String, Arc<Vec<u8>>) {
    let json = |body: String| {
        ("200 OK\r\nContent-Type: application/json".to_owned(), Arc::new(body.into_bytes()))
    };
    let mut state = state.lock().unwrap();
    if let Some(arrivals) = state.arrivals.as_mut().filter(|_| path.starts_with("/feed/")) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        arrivals.push((path.to_owned(), since.as_millis() as i64));
    }
    if method == "POST" {
        let id = state.posts;
        return json(format!("{{\"id\":\"{id}\",\"url\":\"https://social.example/@ada/{id}\"}}"));
    }
    if path == "/api/v2/instance" {
        return json(
            "{\"domain\":\"social.example\",\"version\":\"4.5.0\",\"configuration\":{\"statuses\":\
             {\"max_characters\":500,\"characters_reserved_per_url\":23}}}"
                .into(),
        );
    }
    match state.documents.get(path) {
        Some((_, etag)) if known == Some(etag) => {
            (format!("304 Not Modified\r\nETag: {etag}"), Arc::default())
        }
        Some((body, etag)) => (
            format!("200 OK\r\nContent-Type: application/xml; charset=utf-8\r\nETag: {etag}"),
            Arc::clone(body),
        ),
        None => ("404 Not Found".into(), Arc::default()),
    }
}

/// Notes when the first byte of the changed document leaves.
fn note_change(state: &Mutex<State>) {
    let mut state = state.lock().unwrap();
    if state.watched.take().is_some() {
        state.changed = Some(Instant::now());
    }
}

/// Tells how long after that the first byte of a post came.
fn note_post(arrived: Instant, state: &Mutex<State>) {
    let mut state = state.lock().unwrap();
    state.posts += 1;
    let after = state.changed.map_or(0, |changed| (arrived - changed).as_micros());
    println!("posted {after}");
}
