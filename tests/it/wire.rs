//! Wire: a tiny scriptable HTTP/1.1 server on loopback, for answers that no library would send.
//!
//! A test gives a closure that turns each [`Request`] into a [`Reply`]; the reply is a list of
//! steps (bytes, drip, hang, reset, close), so that it may lie about its length, stop in the
//! middle or never end. Every request is recorded before it is answered, byte for byte.
//!
//! ```ignore
//! let server = Server::start(|request| match request.path() {
//!     "/feed.xml" => Reply::ok("<feed/>").header("ETag", "W/\"1\""),
//!     "/cut" => Reply::status(200).header("Content-Length", "100").end_head().bytes("abc").close(),
//!     _ => Reply::status(404),
//! });
//! let url = server.url("/feed.xml");                 // http://127.0.0.1:PORT/feed.xml
//! // … ask it …
//! assert_eq!(server.requests()[0].header("accept-encoding"), Some("gzip, br, zstd"));
//! ```
//!
//! It runs on plain threads, so it serves async tests, blocking tests and spawned binaries alike,
//! and paused tokio time doesn't touch it (but never mix paused time with sockets). Dropping the
//! [`Server`] ends every connection, also one that hangs. There is no TLS and no HTTP/2.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use url::Url;

/// How long [`Server::wait_for`] and [`Gate::wait`] wait before they fail the test.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 64 << 20;

/// One request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query exactly as sent.
    pub target: String,
    /// Name and value of each header, in order, names as sent, values trimmed.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, with a chunked one put together.
    pub body: Vec<u8>,
    /// Which connection it came on, from 0: shows whether connections are kept alive.
    pub connection: usize,
}

impl Request {
    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The one value of a header as text; absent where it is missing. Fails the test where the
    /// header came twice or isn't UTF-8 (see [`Request::header_bytes`]).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_bytes(name).map(|value| std::str::from_utf8(value).unwrap())
    }

    /// The one value of a header, byte for byte.
    pub fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        let mut values = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_slice());
        assert!(values.next().is_none(), "`{name}` came twice");
        value
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What is sent back: steps that are taken one after the other.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    status: u16,
    headers: Vec<u8>,
    has_length: bool,
    body: Vec<u8>,
    steps: Option<Vec<Step>>,
}

#[derive(Clone, Debug)]
enum Step {
    Bytes(Vec<u8>),
    Drip(Vec<u8>, Duration),
    Wait(Gate),
    Hang,
    Close,
    Reset,
}

impl Reply {
    /// An empty answer.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A 200 with this body.
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::status(200).body(body)
    }

    /// A JSON answer.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::status(status).header("Content-Type", "application/json").body(body.to_string())
    }

    /// A redirect.
    pub fn redirect(status: u16, location: impl AsRef<[u8]>) -> Self {
        Self::status(status).header("Location", location)
    }

    /// Bytes instead of an HTTP answer; more steps may follow.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        Self { steps: Some(Vec::new()), ..Self::default() }.bytes(bytes)
    }

    /// Adds a header, byte for byte. `Content-Length` is added where it isn't given, unless
    /// `Transfer-Encoding` is.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let framing = ["content-length", "transfer-encoding"];
        self.has_length |= framing.contains(&name.to_ascii_lowercase().as_str());
        for part in [name.as_bytes(), b": ", value.as_ref(), b"\r\n"] {
            self.headers.extend_from_slice(part);
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Ends the head (with its own framing headers, or none: then the body ends with the
    /// connection), so that steps can follow.
    pub fn end_head(mut self) -> Self {
        self.has_length = true;
        let head = self.render();
        self.steps.get_or_insert_default().push(Step::Bytes(head));
        self
    }

    /// Sends these bytes.
    pub fn bytes(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::Bytes(bytes.as_ref().to_vec()))
    }

    /// Sends one byte after the other, with a pause before each.
    pub fn drip(self, bytes: impl AsRef<[u8]>, pause: Duration) -> Self {
        self.step(Step::Drip(bytes.as_ref().to_vec(), pause))
    }

    /// Waits until the test opens the gate.
    pub fn wait(self, gate: &Gate) -> Self {
        self.step(Step::Wait(gate.clone()))
    }

    /// Says nothing more, until the client hangs up or the server is dropped.
    pub fn hang(self) -> Self {
        self.step(Step::Hang)
    }

    /// Closes the connection in good order.
    pub fn close(self) -> Self {
        self.step(Step::Close)
    }

    /// Closes the connection with a TCP reset.
    pub fn reset(self) -> Self {
        self.step(Step::Reset)
    }

    fn step(mut self, step: Step) -> Self {
        if self.steps.is_none() {
            let whole = self.render();
            self.steps = Some(vec![Step::Bytes(whole)]);
        }
        self.steps.get_or_insert_default().push(step);
        self
    }

    fn render(&self) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {} Status\r\n", self.status).into_bytes();
        out.extend_from_slice(&self.headers);
        if !self.has_length && !matches!(self.status, 204 | 304) {
            out.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    fn into_steps(mut self) -> Vec<Step> {
        self.steps.take().unwrap_or_else(|| vec![Step::Bytes(self.render())])
    }
}

/// A door that a test opens once: a [`Reply`] waits before it, or a test does.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Lets everyone through, from now on.
    pub fn open(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_all();
    }

    /// Blocks this thread until it is open. Fails the test after [`PATIENCE`].
    pub fn wait(&self) {
        assert!(self.wait_at_most(PATIENCE), "the gate was never opened");
    }

    /// Whether it was open within `most`.
    pub fn wait_at_most(&self, most: Duration) -> bool {
        let closed = |open: &mut bool| !*open;
        let (open, _) = self.0.1.wait_timeout_while(lock(&self.0.0), most, closed).unwrap();
        *open
    }
}

/// The server. Dropping it ends it.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Box<dyn Fn(&Request) -> Reply + Send + Sync>,
    record: Mutex<Vec<Request>>,
    recorded: Condvar,
    streams: Mutex<Vec<TcpStream>>,
    stop: Gate,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1; `answer` is called for each request, from the
    /// thread of its connection. A test that counts calls keeps its own state in the closure.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            record: Mutex::default(),
            recorded: Condvar::new(),
            streams: Mutex::default(),
            stop: Gate::default(),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { continue };
                if serving.stop.wait_at_most(Duration::ZERO) {
                    return;
                }
                lock(&serving.streams).push(stream.try_clone().unwrap());
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(stream, connection));
            }
        });
        Self { address, shared }
    }

    /// The URL of `target` (path and query) on this server.
    pub fn url(&self, target: &str) -> Url {
        self.url_at("127.0.0.1", target)
    }

    /// The same server under another host name (such as `localhost`) or with `user:password@`.
    pub fn url_at(&self, host: &str, target: &str) -> Url {
        format!("http://{host}:{}{target}", self.address.port()).parse().unwrap()
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests up to now.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.record).clone()
    }

    /// Blocks until `count` requests have come, and returns all. Fails the test after
    /// [`PATIENCE`]. In an async test call it through `spawn_blocking`.
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        let few = |record: &mut Vec<Request>| record.len() < count;
        let record = lock(&self.shared.record);
        let (record, late) =
            self.shared.recorded.wait_timeout_while(record, PATIENCE, few).unwrap();
        assert!(!late.timed_out(), "{} of {count} requests came", record.len());
        record.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.open();
        for stream in lock(&self.shared.streams).drain(..) {
            let _ = stream.shutdown(Shutdown::Both); // it may be gone already
        }
        let _ = TcpStream::connect(self.address); // wakes `incoming`, which sees the stop
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream, connection: usize) {
        let mut unread = Vec::new();
        while let Some(mut request) = read_request(&mut stream, &mut unread) {
            request.connection = connection;
            lock(&self.record).push(request.clone());
            self.recorded.notify_all();
            for step in (self.answer)(&request).into_steps() {
                if !self.take(step, &mut stream) {
                    return;
                }
            }
        }
        let _ = stream.shutdown(Shutdown::Both);
    }

    /// Whether the connection goes on after this step.
    fn take(&self, step: Step, stream: &mut TcpStream) -> bool {
        match step {
            Step::Bytes(bytes) => stream.write_all(&bytes).is_ok(),
            Step::Drip(bytes, pause) => bytes
                .chunks(1)
                .all(|byte| !self.stop.wait_at_most(pause) && stream.write_all(byte).is_ok()),
            Step::Wait(gate) => gate.wait_at_most(PATIENCE),
            Step::Hang => {
                let mut sink = [0; 1024];
                while matches!(stream.read(&mut sink), Ok(1..)) {}
                false
            }
            Step::Close => {
                let _ = stream.shutdown(Shutdown::Both);
                false
            }
            Step::Reset => {
                rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO)).unwrap();
                // the last descriptor must go, else the kernel sends no reset
                let own = stream.peer_addr().ok();
                lock(&self.streams).retain(|other| other.peer_addr().ok() != own);
                false
            }
        }
    }
}

/// The next request on the connection; none where it ended.
fn read_request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Request> {
    let end = loop {
        if let Some(at) = find(unread, b"\r\n\r\n") {
            break at;
        }
        read_more(stream, unread)?;
    };
    let head = String::from_utf8_lossy(&unread[..end]).into_owned();
    let mut words = head.lines().next()?.split(' ');
    let mut request = Request {
        method: words.next()?.into(),
        target: words.next()?.into(),
        ..Request::default()
    };
    for line in unread[..end].split(|byte| *byte == b'\n').skip(1) {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = String::from_utf8_lossy(&line[..colon]).into_owned();
        request.headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
    }
    unread.drain(..end + 4);
    if request.header("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        request.body = read_chunked(stream, unread)?;
    } else if let Some(length) = request.header("content-length") {
        let length = length.parse().ok()?;
        while unread.len() < length {
            read_more(stream, unread)?;
        }
        request.body = unread.drain(..length).collect();
    }
    Some(request)
}

fn read_chunked(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = find(unread, b"\r\n") {
                break at;
            }
            read_more(stream, unread)?;
        };
        let size = usize::from_str_radix(std::str::from_utf8(&unread[..end]).ok()?, 16).ok()?;
        while unread.len() < end + 2 + size + 2 {
            read_more(stream, unread)?;
        }
        body.extend_from_slice(&unread[end + 2..end + 2 + size]);
        unread.drain(..end + 2 + size + 2);
        if size == 0 {
            return Some(body);
        }
    }
}

fn read_more(stream: &mut TcpStream, into: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return None,
            Ok(count) if into.len() + count <= REQUEST_BYTES_MAX => {
                into.extend_from_slice(&buffer[..count]);
                return Some(());
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => return None,
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// A closure that panics in one connection must not hide what the others saw.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Sends `request` and reads to the end: what came, or how it broke.
fn ask(server: &Server, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(server.address())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn requests_are_recorded_and_replies_sent_as_scripted() {
    let server = Server::start(|request| match request.path() {
        "/json" => Reply::json(201, &serde_json::json!({"echo": request.json()})).close(),
        "/cut" => Reply::status(200).header("Content-Length", "9").end_head().bytes("ab").close(),
        "/drip" => Reply::raw("H").drip("TTP", Duration::from_millis(1)).close(),
        _ => Reply::redirect(301, b"/\xff").close(),
    });
    let post = "POST /json HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
                1\r\n[\r\n2\r\n1]\r\n0\r\n\r\n";
    let answer = ask(&server, post).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(answer.ends_with("Content-Length: 12\r\n\r\n{\"echo\":[1]}"), "{answer}");
    let put = "PUT /cut?q=1%20 HTTP/1.1\r\nContent-Length: 2\r\nX: \u{e4}\r\n\r\nhi";
    assert!(ask(&server, put).unwrap().ends_with("Content-Length: 9\r\n\r\nab"));
    assert_eq!(ask(&server, "GET /drip HTTP/1.1\r\n\r\n").unwrap(), "HTTP");
    assert!(ask(&server, "GET / HTTP/1.1\r\n\r\n").unwrap().contains("Location: /\u{fffd}"));

    let requests = server.wait_for(4);
    assert_eq!((requests[1].method.as_str(), requests[1].path()), ("PUT", "/cut"));
    assert_eq!((requests[1].target.as_str(), &*requests[1].body), ("/cut?q=1%20", &b"hi"[..]));
    assert_eq!(requests[1].header_bytes("x"), Some("\u{e4}".as_bytes()));
    assert_eq!(requests.iter().map(|r| r.connection).collect::<Vec<_>>(), [0, 1, 2, 3]);
}

#[test]
fn a_connection_is_kept_alive_until_a_step_ends_it() {
    let server = Server::start(|request| match request.path() {
        "/last" => Reply::status(204).close(),
        _ => Reply::ok("x"),
    });
    let answer = ask(&server, "GET / HTTP/1.1\r\n\r\nGET /last HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 2, "{answer}");
    assert!(server.requests().iter().all(|request| request.connection == 0));
}

#[test]
fn a_reset_is_seen_as_one_and_a_hang_ends_with_the_server() {
    let server = Server::start(|request| match request.path() {
        "/reset" => Reply::raw("HTTP/1.1 2").reset(),
        _ => Reply::raw("").hang(),
    });
    let reset = ask(&server, "GET /reset HTTP/1.1\r\n\r\n").unwrap_err();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);

    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    server.wait_for(2);
    drop(server);
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn a_gate_holds_a_reply_back() {
    let gate = Gate::default();
    let before = gate.clone();
    let server = Server::start(move |_| Reply::raw("a").wait(&before).bytes("b").close());
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer[..1]).unwrap();
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut answer[1..]).unwrap_err().kind(), ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    gate.open();
    gate.wait();
    stream.read_exact(&mut answer[1..]).unwrap();
    assert_eq!(&answer, b"ab");
    assert_eq!(server.url_at("u:p@localhost", "/x").host_str(), Some("localhost"));
    assert_eq!(server.url("/x?y").query(), Some("y"));
}
