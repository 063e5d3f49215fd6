//! HTTP/1.1 on threads: one for the listener, one for each connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::{Answer, Effect, Fault, Reply, Route, State};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path without its query.
    pub path: String,
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As text; see `bytes` for what is none.
    pub body: String,
    pub bytes: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Reads one request; none where the client has closed.
    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let url = url::Url::parse("http://base").unwrap().join(&target).ok()?;
        let query = url.query_pairs().into_owned().collect();
        let path = url.path().to_owned();
        let (body, bytes) = (String::new(), Vec::new());
        let mut request = Self { method, path, query, headers, body, bytes };
        let length = request.header("content-length").map_or(Some(0), |text| text.parse().ok())?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        request.body = String::from_utf8_lossy(&body).into_owned();
        request.bytes = body;
        Some(request)
    }
}

/// The listener and its connections.
pub struct Wire {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    listener: Option<JoinHandle<()>>,
}

impl Wire {
    pub fn start(state: Arc<watch::Sender<State>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut wire = Self {
            address: listener.local_addr().unwrap(),
            stopping: Arc::default(),
            connections: Arc::default(),
            listener: None,
        };
        wire.accept(listener, state);
        wire
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many came since it listens.
    pub fn connections(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    pub fn listen_again(&mut self, state: Arc<watch::Sender<State>>) {
        assert!(self.listener.is_none(), "it is up");
        self.stopping = Arc::default();
        let listener = TcpListener::bind(self.address).unwrap();
        self.accept(listener, state);
    }

    pub fn stop(&mut self) {
        let Some(listener) = self.listener.take() else { return };
        self.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes it from `accept`
        listener.join().unwrap();
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    fn accept(&mut self, listener: TcpListener, state: Arc<watch::Sender<State>>) {
        let (stopping, connections) = (Arc::clone(&self.stopping), Arc::clone(&self.connections));
        self.listener = Some(std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                connections.lock().unwrap().push(stream.try_clone().unwrap());
                let state = Arc::clone(&state);
                std::thread::spawn(move || serve(stream, &state));
            }
        }));
    }
}

/// Answers until one side closes.
fn serve(stream: TcpStream, state: &watch::Sender<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader) {
        let mut outcome = None;
        state.send_modify(|state| outcome = Some(take(state, request)));
        let (reply, answer) = outcome.expect("the closure ran");
        let stream = reader.get_mut();
        let written = match answer {
            None => stream.write_all(&bytes_of(&reply)),
            Some(Answer::Reply(reply)) => stream.write_all(&bytes_of(&reply)),
            Some(Answer::Garbage) => stream.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n"),
            Some(Answer::Held(gate)) => {
                gate.wait();
                stream.write_all(&bytes_of(&reply))
            }
            Some(Answer::Truncated) => {
                let bytes = bytes_of(&reply);
                let _ = stream.write_all(&bytes[..bytes.len() - reply.body.len() / 2 - 1]);
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
            Some(Answer::HangUp) => {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
            Some(Answer::Silence) => {
                // until the client gives up and closes
                let _ = stream.read(&mut [0; 1]);
                return;
            }
        };
        if written.is_err() {
            return;
        }
    }
}

/// What the request does, and the answer that replaces the true one.
fn take(state: &mut State, request: Request) -> (Reply, Option<Answer>) {
    state.requests.push(request.clone());
    let Some(route) = request.route() else {
        return (Reply::error(404, "Not Found"), None);
    };
    let fault = state.script.get_mut(&route).and_then(std::collections::VecDeque::pop_front);
    let Some(Fault { effect, answer }) = fault else {
        let reply = state.answer(route, &request).with("Date", state.date());
        return (reply, None);
    };
    let reply = match effect {
        Effect::Done => state.answer(route, &request),
        Effect::None => Reply::error(500, "nothing was done"),
        Effect::Late => {
            state.late.push(request);
            Reply::error(500, "not yet")
        }
    };
    (reply, Some(answer))
}

fn bytes_of(reply: &Reply) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Reason\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", reply.body.len()));
    [head.into_bytes(), reply.body.clone().into_bytes()].concat()
}

impl Request {
    /// What is asked; none where the server knows no such method and path.
    pub fn route(&self) -> Option<Route> {
        let own = self.path.strip_prefix("/api/v1/accounts/");
        match (self.method.as_str(), self.path.as_str()) {
            ("POST", "/api/v1/statuses") => Some(Route::Publish),
            ("GET", "/api/v1/accounts/verify_credentials") => Some(Route::Credentials),
            ("GET", "/api/v1/apps/verify_credentials") => Some(Route::Application),
            ("GET", "/api/v2/instance") => Some(Route::InstanceV2),
            ("GET", "/api/v1/instance") => Some(Route::InstanceV1),
            ("GET", "/.well-known/nodeinfo" | "/nodeinfo/2.0") => Some(Route::NodeInfo),
            ("POST", "/api/v2/media") => Some(Route::Upload),
            ("POST", "/api/v1/media") => Some(Route::UploadV1),
            ("GET", path) if path.starts_with("/api/v1/media/") => Some(Route::Medium),
            ("GET", _) if own.is_some_and(|rest| rest.ends_with("/statuses")) => {
                Some(Route::Statuses)
            }
            _ => None,
        }
    }
}
