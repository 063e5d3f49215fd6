//! What the stand-ins of Instagram and Facebook share: one Graph-style API on loopback, which is
//! told what to lose and when to die.
//!
//! What a platform would refuse is refused as it does; what it would swallow but we must never send
//! (a token in an address, a parameter that it ignores) is refused *and* kept as a complaint, which
//! fails the test when the server goes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::DateTime;
use posse_party::clock::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;
use url::Url;

use crate::daemon_process::PATIENCE;
use crate::wire::{Reply, Request, Server};

/// The version that every path begins with.
pub const VERSION: &str = "v25.0";
/// The account's token.
pub const TOKEN: &str = "marked-secret-of-a-meta-account";

/// One call, taken apart.
#[derive(Clone, Debug)]
pub struct Call {
    /// `POST`, or `GET`; a question in a form counts as what it says that it is.
    pub method: String,
    /// Without the version.
    pub path: String,
    pub params: BTreeMap<String, String>,
}

impl Call {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.params.get(key).map(String::as_str)
    }

    /// The parts of the path.
    pub fn parts(&self) -> Vec<&str> {
        self.path.trim_start_matches('/').split('/').collect()
    }
}

/// An error as Meta tells it.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub status: u16,
    pub code: i64,
    pub subcode: Option<i64>,
    pub message: String,
}

/// `code/subcode`, no subcode where it is 0.
pub fn trouble(code: i64, subcode: i64, message: &str) -> Trouble {
    let subcode = (subcode != 0).then_some(subcode);
    Trouble { status: 400, code, subcode, message: message.into() }
}

/// What is behind the API.
pub trait Platform: Send + 'static {
    /// Headers of every answer.
    const HEADERS: &'static [(&'static str, &'static str)];

    /// Answers one call that is let in. `complain` takes what must never be sent.
    fn answer(
        &mut self,
        call: &Call,
        now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble>;
}

/// How one call goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is done, and the connection is closed.
    Lost,
    /// It is not done, and the connection is closed.
    Dropped,
    /// It is done, and a page of an outage comes back.
    DonePage,
    /// It is done, and half of the answer comes back.
    Truncated,
    /// It is done, and this comes back.
    DoneError(Trouble),
    /// It is not done, and this comes back.
    Error(Trouble),
    /// It is done, and whoever asked dies.
    Killed,
}

/// Which call goes wrong.
#[derive(Clone, Debug)]
enum When {
    /// The one with this number, from 0.
    Nth(usize),
    /// The next whose `METHOD /path` ends like this.
    Next(String),
}

struct State<P> {
    platform: P,
    now: Timestamp,
    token: String,
    /// Other tokens that are let in.
    others: Vec<String>,
    faults: Vec<(When, Fault)>,
    calls: Vec<Call>,
    complaints: Vec<String>,
}

/// The server.
pub struct GraphServer<P: Platform> {
    server: Server,
    state: Arc<Mutex<State<P>>>,
    /// Told when whoever asks is to die.
    pub killed: Arc<Notify>,
}

impl<P: Platform> GraphServer<P> {
    /// Starts one on a free port of loopback.
    pub fn start(platform: P, now: Timestamp) -> Self {
        let state = Arc::new(Mutex::new(State {
            platform,
            now,
            token: TOKEN.into(),
            others: Vec::new(),
            faults: Vec::new(),
            calls: Vec::new(),
            complaints: Vec::new(),
        }));
        let killed = Arc::new(Notify::new());
        let (shared, kill) = (Arc::clone(&state), Arc::clone(&killed));
        let server = Server::start(move |request| respond(&shared, &kill, request));
        Self { server, state, killed }
    }

    /// What goes into `base_url`.
    pub fn url(&self) -> Url {
        self.server.url("/")
    }

    fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap()
    }

    /// What time it is over there.
    pub fn set_now(&self, now: Timestamp) {
        self.lock().now = now;
    }

    /// The only token that is let in.
    pub fn set_token(&self, token: &str) {
        self.lock().token = token.into();
    }

    /// One token more that is let in.
    pub fn let_in(&self, token: &str) {
        self.lock().others.push(token.into());
    }

    /// Changes what is behind the API.
    pub fn with<T>(&self, change: impl FnOnce(&mut P) -> T) -> T {
        change(&mut self.lock().platform)
    }

    /// The call with this number goes wrong.
    pub fn fault_at(&self, nth: usize, fault: Fault) {
        self.lock().faults.push((When::Nth(nth), fault));
    }

    /// The next call whose `METHOD /path` ends like this goes wrong.
    pub fn fault(&self, end: &str, fault: Fault) {
        self.lock().faults.push((When::Next(end.into()), fault));
    }

    /// Waits until whoever asks is to die. Blocks.
    pub fn wait_for_kill(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let killed = async { tokio::time::timeout(PATIENCE, self.killed.notified()).await };
        runtime.block_on(killed).expect("nobody asked for what is deadly");
    }

    /// Whether a fault is still to come.
    pub fn is_faulty(&self) -> bool {
        !self.lock().faults.is_empty()
    }

    /// How many calls ended like this: `POST /media_publish`.
    pub fn count(&self, end: &str) -> usize {
        self.lock().calls.iter().filter(|call| ends(call, end)).count()
    }
}

impl<P: Platform> Drop for GraphServer<P> {
    fn drop(&mut self) {
        let complaints = std::mem::take(&mut self.lock().complaints);
        if !std::thread::panicking() {
            assert!(complaints.is_empty(), "the server complains: {complaints:#?}");
        }
    }
}

fn ends(call: &Call, end: &str) -> bool {
    let (method, path) = end.split_once(' ').unwrap();
    call.method == method && call.path.ends_with(path)
}

fn respond<P: Platform>(state: &Mutex<State<P>>, kill: &Notify, request: &Request) -> Reply {
    let mut guard = state.lock().unwrap();
    let state = &mut *guard;
    let now = state.now;
    let call = match take_apart(request, &state.token, &state.others, &mut state.complaints) {
        Ok(call) => call,
        Err(trouble) => return error::<P>(&trouble, now),
    };
    let nth = state.calls.len();
    let due = state.faults.iter().position(|(when, _)| match when {
        When::Nth(at) => *at == nth,
        When::Next(end) => ends(&call, end),
    });
    state.calls.push(call.clone());
    let fault = due.map(|at| state.faults.remove(at).1);
    match &fault {
        Some(Fault::Dropped) => return Reply::raw("").close(),
        Some(Fault::Error(trouble)) => return error::<P>(trouble, now),
        _ => {}
    }
    let answer = state.platform.answer(&call, now, &mut state.complaints);
    let reply = match &answer {
        Ok(body) => success::<P>(body, now),
        Err(trouble) => error::<P>(trouble, now),
    };
    match fault {
        Some(Fault::Lost) => Reply::raw("").close(),
        Some(Fault::DonePage) => Reply::status(503)
            .header("Content-Type", "text/html")
            .body("<!DOCTYPE html><html><body>Sorry, something went wrong.</body></html>"),
        Some(Fault::Truncated) => Reply::status(200)
            .header("Content-Type", "application/json")
            .header("Content-Length", "100")
            .end_head()
            .bytes("{\"id\":\"18")
            .close(),
        Some(Fault::DoneError(trouble)) => error::<P>(&trouble, now),
        Some(Fault::Killed) => {
            kill.notify_one();
            Reply::raw("").hang()
        }
        _ => reply,
    }
}

/// Who may come in, and in what form.
fn take_apart(
    request: &Request,
    token: &str,
    others: &[String],
    complaints: &mut Vec<String>,
) -> Result<Call, Trouble> {
    let mut complain = |what: &str| {
        complaints.push(format!("{} {}: {what}", request.method, request.path()));
    };
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    for secret in ["access_token=", "client_secret=", "input_token=", "code=", TOKEN, token] {
        if request.target.contains(secret) {
            complain("a secret stands in the address");
        }
    }
    // what concerns tokens has no version
    let is_renewal = path == "/refresh_access_token";
    let bare = path.strip_prefix(&format!("/{VERSION}"));
    let Some(path) = bare.or_else(|| is_renewal.then_some(path)) else {
        complain("the path has no version");
        return Err(trouble(2500, 0, "Unknown path components"));
    };
    let form = std::str::from_utf8(&request.body).unwrap();
    let mut method = request.method.clone();
    if method == "POST" {
        if request.header("content-type") != Some("application/x-www-form-urlencoded") {
            complain("it is no form");
        }
        if !query.is_empty() {
            complain("it has a query and a form");
        }
    } else if !form.is_empty() {
        complain("a question has a body");
    }
    let pairs = [query, form].concat();
    let pairs = url::form_urlencoded::parse(pairs.as_bytes());
    let mut params: BTreeMap<String, String> = pairs.into_owned().collect();
    if params.values().any(String::is_empty) {
        complain("an empty parameter");
    }
    if params.remove("method").as_deref() == Some("GET") {
        method = "GET".into();
    }
    let bearer = request.header("authorization").and_then(|it| it.strip_prefix("Bearer "));
    if !bearer.is_some_and(|it| it == token || others.iter().any(|other| other == it)) {
        return Err(trouble(190, 463, "Error validating access token: Session has expired"));
    }
    Ok(Call { method, path: path.into(), params })
}

fn success<P: Platform>(body: &Value, now: Timestamp) -> Reply {
    finish::<P>(Reply::status(200), body, now)
}

fn error<P: Platform>(trouble: &Trouble, now: Timestamp) -> Reply {
    let mut error = json!({
        "message": trouble.message, "type": "OAuthException", "code": trouble.code,
        "is_transient": false, "error_user_title": "Đã xảy ra lỗi / 오류",
        "error_user_msg": "Không thể đăng bài viết.", "fbtrace_id": "AbCdEf"
    });
    if let Some(subcode) = trouble.subcode {
        error["error_subcode"] = json!(subcode);
    }
    finish::<P>(Reply::status(trouble.status), &json!({ "error": error }), now)
}

fn finish<P: Platform>(reply: Reply, body: &Value, now: Timestamp) -> Reply {
    let date = DateTime::from_timestamp_millis(now.as_millis()).unwrap();
    let reply = reply
        .header("Content-Type", "application/json; charset=UTF-8")
        .header("Date", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    let with = |reply: Reply, (name, value): &(&str, &str)| reply.header(name, value);
    let reply = P::HEADERS.iter().fold(reply, with);
    reply.body(body.to_string().replace('/', "\\/"))
}

/// A moment as Meta writes it.
pub fn written(at: Timestamp) -> String {
    let date = DateTime::from_timestamp_millis(at.as_millis()).unwrap();
    date.format("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// Complains of parameters that are not among `known`.
pub fn only(call: &Call, known: &[&str], complain: &mut Vec<String>) -> Result<(), Trouble> {
    let is_known =
        |key: &str| known.iter().any(|it| *it == key || key.starts_with(&format!("{it}[")));
    if let Some(key) = call.params.keys().find(|key| !is_known(key)) {
        complain.push(format!("{} {}: unknown parameter `{key}`", call.method, call.path));
        return Err(trouble(100, 0, "Invalid parameter"));
    }
    Ok(())
}

/// Whether Meta could fetch this.
pub fn fetchable(url: Option<&str>) -> bool {
    // or the web of the tests of the whole program, which is on loopback
    url.is_some_and(|url| {
        url.starts_with("https://media.example/") || url.starts_with("http://127.0.0.1:")
    })
}
