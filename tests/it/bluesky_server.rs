//! A stand-in PDS for tests, as strict as the real one (sheet B; checked against @atproto/pds
//! 0.4.217): method, path, authorisation, JSON shape, the lexicon of posts, blobs, record keys,
//! `swapRecord`, token rotation with grace, the quota of sign-ins. It misbehaves only on command.
//!
//! Blocking threads on a loopback port, so that it serves tests of both kinds: async ones, and
//! ones that run the program itself. Whatever it refuses is kept in `complaints`, because a
//! publisher that sends a wrong request and recovers is still wrong.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use posse_party::clock::{Clock, Timestamp};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use url::Url;

mod blobs;
mod lexicon;
mod videos;

/// The only account.
pub const DID: &str = "did:plc:ewvi7nxzyoun6zhxrhs64oiz";
/// Its handle.
pub const HANDLE: &str = "ada.test";
/// Its e-mail.
pub const EMAIL: &str = "ada@example.test";
/// Its app password.
pub const APP_PASSWORD: &str = "abcd-efgh-ijkl-mnop";
/// Its main password, which asks for a code by e-mail.
pub const MAIN_PASSWORD: &str = "correct horse battery staple";

/// The answer about a handle that nobody has.
const UNKNOWN: &str = "Unable to resolve handle";

/// What happens to one request instead of an answer.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// None: it is carried out and answered.
    Nothing,
    /// The connection is closed before the request is read.
    HangUp,
    /// The request is carried out, then the connection is closed without an answer.
    StoreThenClose,
    /// The request is carried out, and never answered.
    Silence,
    /// The request is carried out, and its answer breaks off in the middle.
    Truncate,
    /// The request is carried out, and answered by 200 and something that is no JSON.
    Garbage,
    /// The request is carried out, and answered by 200 and this.
    Instead(Value),
    /// The request is carried out, and the answer lacks this.
    Without(&'static str),
    /// Nothing is done; an answer in the protocol's shape.
    Refuse(u16, &'static str, &'static str),
    /// Nothing is done; this status and body.
    Say(u16, Value),
    /// Nothing is done; 429 with `ratelimit-reset`, unix seconds.
    Limit(i64),
    /// The request is carried out; 500 all the same.
    StoreThenFail,
    /// The request is carried out; this status and name all the same.
    StoreThenRefuse(u16, &'static str),
    /// Nothing is done; a proxy's page.
    Html(u16),
    /// Nothing is done; a redirect there.
    Redirect(String),
}

/// One request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method of the protocol, such as `com.atproto.repo.putRecord`.
    pub nsid: String,
    /// The whole target.
    pub target: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Seen {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// One record of the repository.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its key.
    pub rkey: String,
    /// Its hash, which is the same for the same content.
    pub cid: String,
    /// The record itself.
    pub value: Value,
}

/// A running stand-in.
pub struct BlueskyServer {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    /// Rung when a request was answered.
    rung: Arc<Condvar>,
    down: bool,
    streams: Vec<TcpStream>,
    script: VecDeque<(String, Trouble)>,
    seen: Vec<Seen>,
    complaints: Vec<String>,
    records: BTreeMap<String, Value>,
    /// Access tokens: whether each still works.
    access: BTreeMap<String, bool>,
    refresh: BTreeMap<String, Refresh>,
    issued: u64,
    access_lifetime: Option<Duration>,
    app_password: Option<String>,
    logins: u32,
    named_pds: Option<String>,
    status: Option<&'static str>,
    blobs: blobs::Blobs,
    videos: videos::Videos,
    /// Who has which handle, besides the account.
    handles: BTreeMap<String, String>,
}

#[derive(Clone, Default)]
struct Refresh {
    /// The token that comes after it, once it was used.
    next: Option<String>,
    /// Dead: revoked, or past its grace.
    dead: bool,
}

/// An HTTP answer.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    kind: &'static str,
    body: Vec<u8>,
}

impl BlueskyServer {
    /// Starts it, with one account and no records.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let thread = listen(listener, &state);
        Self { addr, state, listener: Mutex::new(Some(thread)) }
    }

    /// Its origin.
    pub fn url(&self) -> Url {
        Url::parse(&format!("http://{}", self.addr)).unwrap()
    }

    /// The next request to `method` (such as `putRecord`) that no earlier line of the script takes
    /// meets `trouble`.
    pub fn script(&self, method: &str, trouble: Trouble) {
        self.state().script.push_back((method.to_owned(), trouble));
    }

    /// Whether every line of the script was used.
    pub fn script_is_over(&self) -> bool {
        self.state().script.is_empty()
    }

    /// The records, newest key first.
    pub fn records(&self) -> Vec<Record> {
        let state = self.state();
        let record = |(rkey, value): (&String, &Value)| Record {
            rkey: rkey.clone(),
            cid: cid(value),
            value: value.clone(),
        };
        state.records.iter().rev().map(record).collect()
    }

    /// Puts a record there, as another program would.
    pub fn put(&self, rkey: &str, value: Value) {
        self.state().records.insert(rkey.to_owned(), value);
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// The requests so far to `method`.
    pub fn seen_of(&self, method: &str) -> Vec<Seen> {
        let end = format!(".{method}");
        self.seen().into_iter().filter(|seen| seen.nsid.ends_with(&end)).collect()
    }

    /// Blocks this thread until `count` records are there.
    pub fn wait_records(&self, count: usize) -> Vec<Record> {
        let came = self.wait(|state| state.records.len() >= count, Duration::from_secs(40));
        let records = self.records();
        assert!(came, "{} of {count} records came", records.len());
        records
    }

    fn wait(&self, done: impl Fn(&State) -> bool, most: Duration) -> bool {
        let state = self.state();
        let rung = Arc::clone(&state.rung);
        let waiting = |state: &mut State| !done(state);
        !rung.wait_timeout_while(state, most, waiting).unwrap().1.timed_out()
    }

    /// How many connections came since it listens, whatever was said on them.
    pub fn connections(&self) -> usize {
        self.state().streams.len()
    }

    /// Every token that it gave.
    pub fn tokens(&self) -> Vec<String> {
        let state = self.state();
        state.access.keys().chain(state.refresh.keys()).cloned().collect()
    }

    /// How often someone signed in, or tried to.
    pub fn logins(&self) -> usize {
        self.seen_of("createSession").len()
    }

    /// What it had to refuse that nobody should send.
    pub fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    /// Every access token so far has lapsed.
    pub fn expire_tokens(&self) {
        self.state().access.values_mut().for_each(|works| *works = false);
    }

    /// Refresh tokens that were used are past their two hours of grace.
    pub fn end_grace(&self) {
        let mut state = self.state();
        state.refresh.values_mut().filter(|token| token.next.is_some()).for_each(|token| {
            token.dead = true;
        });
    }

    /// The app password is deleted; its sessions can't be renewed. Its owner makes `new`.
    pub fn change_password(&self, new: &str) {
        let mut state = self.state();
        state.refresh.values_mut().for_each(|token| token.dead = true);
        state.app_password = Some(new.to_owned());
    }

    /// No token of before means anything any more, as after a change of the server's own secret.
    pub fn forget_sessions(&self) {
        let mut state = self.state();
        state.access.clear();
        state.refresh.clear();
    }

    /// How long the access tokens to come are good for. The real server: 2 hours.
    pub fn set_access_lifetime(&self, lifetime: Duration) {
        self.state().access_lifetime = Some(lifetime);
    }

    /// Sessions name another server as the one that keeps the posts.
    pub fn name_pds(&self, endpoint: &str) {
        self.state().named_pds = Some(endpoint.to_owned());
    }

    /// The files that were uploaded and not swept away.
    pub fn files(&self) -> Vec<Vec<u8>> {
        self.state().blobs.files()
    }

    /// What no record names is swept away.
    pub fn sweep_blobs(&self) {
        self.state().blobs.sweep();
    }

    /// Videos that come are prepared only when they were asked for so often in vain, and then fail
    /// or not.
    pub fn set_jobs(&self, questions: u32, fail: bool) {
        let mut state = self.state();
        (state.videos.questions, state.videos.fail) = (questions, fail);
    }

    /// The clock of the video service is so far ahead, in milliseconds.
    pub fn set_clock_ahead(&self, millis: i64) {
        self.state().videos.ahead_ms = millis;
    }

    /// States of jobs stand in the answer itself, and not in `jobStatus`.
    pub fn flatten_jobs(&self) {
        self.state().videos.flat = true;
    }

    /// No job is known any more.
    pub fn forget_jobs(&self) {
        self.state().videos.forget();
    }

    /// Somebody has this handle.
    pub fn add_handle(&self, handle: &str, did: &str) {
        self.state().handles.insert(handle.to_owned(), did.to_owned());
    }

    /// The account is no longer active: `takendown`, `suspended` or `deactivated`.
    pub fn deactivate(&self, status: &'static str) {
        self.state().status = Some(status);
    }

    /// Nobody listens any more: connections are refused, and open ones are closed.
    pub fn down(&self) {
        self.state().down = true;
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.listener.lock().unwrap().take() {
            thread.join().unwrap();
        }
        for stream in self.state().streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Back on the same port with the same records.
    pub fn up(&self) {
        self.state().down = false;
        let listener = TcpListener::bind(self.addr).unwrap();
        *self.listener.lock().unwrap() = Some(listen(listener, &self.state));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for BlueskyServer {
    fn drop(&mut self) {
        self.down();
    }
}

fn listen(listener: TcpListener, state: &Arc<Mutex<State>>) -> JoinHandle<()> {
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut locked = state.lock().unwrap();
            if locked.down {
                return;
            }
            locked.streams.push(stream.try_clone().unwrap());
            drop(locked);
            let state = Arc::clone(&state);
            std::thread::spawn(move || serve(&stream, &state));
        }
    })
}

/// Serves one connection to its end.
fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some((method, target)) = request_line(&mut reader) {
        let nsid = target.split(['?', '#']).next().unwrap().trim_start_matches("/xrpc/").to_owned();
        let trouble = state.lock().unwrap().next_trouble(&nsid);
        if matches!(trouble, Some(Trouble::HangUp)) {
            break;
        }
        let Some((headers, body)) = rest(&mut reader) else { break };
        let seen = Seen { nsid, target, headers, body };
        let reply = {
            let mut state = state.lock().unwrap();
            state.seen.push(seen.clone());
            let spared = matches!(
                trouble,
                Some(
                    Trouble::Refuse(..)
                        | Trouble::Say(..)
                        | Trouble::Limit(_)
                        | Trouble::Html(_)
                        | Trouble::Redirect(_)
                )
            );
            let reply = (!spared).then(|| state.answer(&method, &seen));
            state.rung.notify_all();
            reply
        };
        let mut out = stream;
        match troubled(trouble, reply) {
            Deed::Say(reply) if out.write_all(&bytes(&reply)).is_ok() => {}
            Deed::Say(_) | Deed::Close => break,
            Deed::Wait => {
                // until the other side gives up
                let _ = out.read(&mut [0; 1]);
                break;
            }
            Deed::Break(reply) => {
                let bytes = bytes(&reply);
                let _ = out.write_all(&bytes[..bytes.len() - reply.body.len() / 2]);
                break;
            }
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

enum Deed {
    Say(Reply),
    Break(Reply),
    Wait,
    Close,
}

fn troubled(trouble: Option<Trouble>, reply: Option<Reply>) -> Deed {
    let page = |status, headers: Vec<(String, String)>| Reply {
        status,
        headers,
        kind: "text/html",
        body: b"<html><body>nginx</body></html>".to_vec(),
    };
    match trouble {
        Some(Trouble::HangUp | Trouble::StoreThenClose) => Deed::Close,
        Some(Trouble::Silence) => Deed::Wait,
        Some(Trouble::Refuse(status, error, message)) => {
            Deed::Say(error_reply(status, error, message))
        }
        Some(Trouble::Say(status, body)) => Deed::Say(Reply { status, ..ok(&body) }),
        Some(Trouble::Limit(reset)) => {
            let mut reply = error_reply(429, "RateLimitExceeded", "Rate Limit Exceeded");
            reply.headers.push(("ratelimit-reset".into(), reset.to_string()));
            Deed::Say(reply)
        }
        Some(Trouble::StoreThenFail) => {
            Deed::Say(error_reply(500, "InternalServerError", "Internal Server Error"))
        }
        Some(Trouble::StoreThenRefuse(status, error)) => {
            Deed::Say(error_reply(status, error, "so it says"))
        }
        Some(Trouble::Html(status)) => Deed::Say(page(status, Vec::new())),
        Some(Trouble::Redirect(to)) => Deed::Say(page(307, vec![("location".into(), to)])),
        Some(Trouble::Truncate) => Deed::Break(reply.unwrap()),
        Some(Trouble::Garbage) => Deed::Say(page(200, Vec::new())),
        Some(Trouble::Instead(body)) => Deed::Say(ok(&body)),
        Some(Trouble::Without(key)) => {
            let mut body: Map<String, Value> =
                serde_json::from_slice(&reply.unwrap().body).unwrap();
            body.remove(key).expect("the answer has it otherwise");
            Deed::Say(ok(&Value::Object(body)))
        }
        Some(Trouble::Nothing) | None => Deed::Say(reply.unwrap()),
    }
}

fn request_line(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

fn rest(reader: &mut impl BufRead) -> Option<(BTreeMap<String, String>, Vec<u8>)> {
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(Some(0), |length| length.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((headers, body))
}

fn bytes(reply: &Reply) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {} Answer\r\ncontent-type: {}\r\ncontent-length: {}\r\n",
        reply.status,
        reply.kind,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", &reply.body].concat()
}

fn ok(body: &Value) -> Reply {
    Reply {
        status: 200,
        headers: Vec::new(),
        kind: "application/json; charset=utf-8",
        body: body.to_string().into_bytes(),
    }
}

fn error_reply(status: u16, error: &str, message: &str) -> Reply {
    Reply { status, ..ok(&json!({"error": error, "message": message})) }
}

/// A refusal: status, name, message.
type Refusal = (u16, &'static str, String);

fn invalid(message: impl Into<String>) -> Refusal {
    (400, "InvalidRequest", message.into())
}

impl State {
    fn next_trouble(&mut self, nsid: &str) -> Option<Trouble> {
        let at = self.script.iter().position(|(to, _)| nsid.ends_with(&format!(".{to}")))?;
        self.script.remove(at).map(|(_, trouble)| trouble)
    }

    fn answer(&mut self, method: &str, seen: &Seen) -> Reply {
        if seen.headers.get("user-agent").is_none_or(String::is_empty) {
            self.complaints.push("a request without a User-Agent".into());
        }
        let result = match (method, seen.target.split('?').next().unwrap()) {
            ("POST", "/xrpc/com.atproto.server.createSession") => return self.create_session(seen),
            ("POST", "/xrpc/com.atproto.server.refreshSession") => self.refresh_session(seen),
            ("GET", "/xrpc/com.atproto.server.getSession") => self.get_session(seen),
            ("POST", "/xrpc/com.atproto.repo.putRecord") => self.put_record(seen),
            ("GET", "/xrpc/com.atproto.repo.getRecord") => self.get_record(seen),
            ("POST", "/xrpc/com.atproto.repo.uploadBlob") => {
                self.authorised(seen).and_then(|()| self.blobs.upload(seen))
            }
            ("GET", "/xrpc/com.atproto.server.getServiceAuth") => self.service_token(seen),
            ("POST", "/xrpc/app.bsky.video.uploadVideo") => match self.upload_video(seen) {
                Ok((status, body)) => return Reply { status, ..ok(&body) },
                Err(refusal) => Err(refusal),
            },
            ("GET", "/xrpc/app.bsky.video.getJobStatus") => self.job_status(seen),
            ("GET", "/xrpc/com.atproto.identity.resolveHandle") => self.resolve_handle(seen),
            _ => Err((501, "MethodNotImplemented", "Method Not Implemented".into())),
        };
        self.reply(result, seen)
    }

    fn reply(&mut self, result: Result<Value, Refusal>, seen: &Seen) -> Reply {
        match result {
            Ok(body) => {
                // the general bucket: nothing to heed
                let mut reply = ok(&body);
                reply.headers = limit_headers(3000, 2990, 300);
                reply
            }
            Err((status, error, message)) => {
                let harmless = [
                    "ExpiredToken",
                    "RecordNotFound",
                    "InvalidSwap",
                    "BlobNotFound",
                    "JobNotFound",
                ];
                if !harmless.contains(&error) && message != UNKNOWN {
                    self.complaints.push(format!("{}: {status} {error}: {message}", seen.nsid));
                }
                error_reply(status, error, &message)
            }
        }
    }

    fn create_session(&mut self, seen: &Seen) -> Reply {
        const A_DAY: i64 = 86_400;
        const QUOTA: u32 = 10;
        let left = QUOTA.saturating_sub(self.logins);
        if left == 0 {
            let mut reply = error_reply(429, "RateLimitExceeded", "Rate Limit Exceeded");
            reply.headers = limit_headers(QUOTA, 0, A_DAY);
            return reply;
        }
        self.logins += 1;
        let result = self.signed_in(seen);
        let mut reply = self.reply(result, seen);
        reply.headers = limit_headers(QUOTA, left - 1, A_DAY);
        reply
    }

    fn signed_in(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        let body = object(seen)?;
        known_keys(&body, &["identifier", "password", "authFactorToken", "allowTakendown"])?;
        if seen.headers.contains_key("authorization") {
            return Err(invalid("a sign-in with a token"));
        }
        let identifier = string(&body, "identifier")?;
        let password = string(&body, "password")?;
        let app_password = self.app_password.as_deref().unwrap_or(APP_PASSWORD);
        if [DID, HANDLE, EMAIL].contains(&identifier) && password == MAIN_PASSWORD {
            let message = "A sign in code has been sent to your email address".into();
            return Err((401, "AuthFactorTokenRequired", message));
        }
        if ![DID, HANDLE, EMAIL].contains(&identifier) || password != app_password {
            let message = "Invalid identifier or password".into();
            return Err((401, "AuthenticationRequired", message));
        }
        if self.status == Some("takendown") {
            return Err((401, "AccountTakedown", "Account has been taken down".into()));
        }
        let refresh = self.new_refresh();
        Ok(self.session(refresh))
    }

    fn refresh_session(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        if !seen.body.is_empty() {
            return Err(invalid("A request body was provided when none was expected"));
        }
        let token = bearer(seen)?;
        if self.access.contains_key(&token) {
            return Err((400, "InvalidToken", "Token has invalid scope".into()));
        }
        let Some(known) = self.refresh.get(&token).cloned() else {
            return Err((400, "InvalidToken", "Token could not be verified".into()));
        };
        if known.dead {
            return Err((400, "ExpiredToken", "Token has been revoked".into()));
        }
        if self.status == Some("takendown") {
            return Err((401, "AccountTakedown", "Account has been taken down".into()));
        }
        // used again within its grace, it gives the same successor
        let next = known.next.unwrap_or_else(|| self.new_refresh());
        self.refresh.entry(token).or_default().next = Some(next.clone());
        Ok(self.session(next))
    }

    fn new_refresh(&mut self) -> String {
        self.issued += 1;
        let token = format!("refresh.{}.signature", self.issued);
        self.refresh.insert(token.clone(), Refresh::default());
        token
    }

    fn session(&mut self, refresh: String) -> Value {
        self.issued += 1;
        let lifetime = self.access_lifetime.unwrap_or(Duration::from_secs(2 * 3600));
        let claims = json!({
            "scope": "com.atproto.appPass",
            "sub": DID,
            "exp": now().plus(lifetime).as_millis() / 1000,
            "jti": self.issued,
        });
        let access = format!("access.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()));
        self.access.insert(access.clone(), true);
        let mut session = json!({
            "accessJwt": access,
            "refreshJwt": refresh,
            "did": DID,
            "handle": HANDLE,
            "email": EMAIL,
            "active": self.status.is_none(),
        });
        if let Some(status) = self.status {
            session["status"] = status.into();
        }
        if let Some(endpoint) = &self.named_pds {
            session["didDoc"] = json!({"id": DID, "service": [{
                "id": "#atproto_pds",
                "type": "AtprotoPersonalDataServer",
                "serviceEndpoint": endpoint,
            }]});
        }
        session
    }

    fn get_session(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        self.authorised(seen)?;
        let mut body = json!({"did": DID, "handle": HANDLE, "active": self.status.is_none()});
        if let Some(status) = self.status {
            body["status"] = status.into();
        }
        Ok(body)
    }

    fn authorised(&self, seen: &Seen) -> Result<(), Refusal> {
        let token = bearer(seen)?;
        if self.refresh.contains_key(&token) {
            return Err((400, "InvalidToken", "Bad token scope".into()));
        }
        match self.access.get(&token) {
            None => Err((400, "InvalidToken", "Token could not be verified".into())),
            Some(false) => Err((400, "ExpiredToken", "Token has expired".into())),
            Some(true) => Ok(()),
        }
    }

    fn put_record(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        self.authorised(seen)?;
        let body = object(seen)?;
        let keys = ["repo", "collection", "rkey", "validate", "record", "swapRecord", "swapCommit"];
        known_keys(&body, &keys)?;
        let (repo, rkey) = (string(&body, "repo")?, string(&body, "rkey")?);
        if ![DID, HANDLE].contains(&repo) {
            return Err((403, "AccountNotFound", "Account not found".into()));
        }
        if let Some(status) = self.status {
            let error =
                if status == "deactivated" { "AccountDeactivated" } else { "AccountTakedown" };
            return Err((401, error, format!("Account is {status}")));
        }
        if string(&body, "collection")? != "app.bsky.feed.post" {
            return Err(invalid("this stand-in keeps posts only"));
        }
        lexicon::check_rkey(rkey).map_err(invalid)?;
        let record = body.get("record").cloned().unwrap_or(Value::Null);
        lexicon::check_post(&record)
            .map_err(|why| invalid(format!("Invalid app.bsky.feed.post record: {why}")))?;
        self.blobs.check(&record)?;
        let uri = format!("at://{DID}/app.bsky.feed.post/{rkey}");
        let new = cid(&record);
        let current = self.records.get(rkey).map(cid);
        let mut answer = json!({"uri": uri, "cid": new, "validationStatus": "valid"});
        if current.as_ref() == Some(&new) {
            return Ok(answer);
        }
        let swap = match body.get("swapRecord") {
            None => current.clone(),
            Some(Value::Null) => None,
            Some(Value::String(cid)) => Some(cid.clone()),
            Some(_) => return Err(invalid("Input/swapRecord must be a cid string")),
        };
        if swap != current {
            let there = current.unwrap_or_else(|| "null".into());
            return Err((400, "InvalidSwap", format!("Record was at {there}")));
        }
        self.records.insert(rkey.to_owned(), record);
        answer["commit"] = json!({"cid": cid(&json!(self.records.len())), "rev": rkey});
        Ok(answer)
    }

    fn get_record(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        let query = query(seen);
        let asked = |key: &str| {
            query.get(key).ok_or_else(|| invalid(format!("Params must have the property {key}")))
        };
        let (repo, collection, rkey) = (asked("repo")?, asked("collection")?, asked("rkey")?);
        if ![DID, HANDLE].contains(&repo.as_str()) {
            return Err(invalid("Could not locate record"));
        }
        let uri = format!("at://{DID}/{collection}/{rkey}");
        let value = self.records.get(rkey).filter(|_| collection == "app.bsky.feed.post");
        let missing = || (400, "RecordNotFound", format!("Could not locate record: {uri}"));
        let value = value.ok_or_else(missing)?;
        Ok(json!({"uri": uri, "cid": cid(value), "value": value}))
    }
}

impl State {
    fn resolve_handle(&self, seen: &Seen) -> Result<Value, Refusal> {
        let query = query(seen);
        let handle = query.get("handle").map_or("", String::as_str);
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if !handle.contains('.') || !handle.chars().all(letters) {
            return Err(invalid(format!("Invalid handle: {handle}")));
        }
        let missing = || invalid(UNKNOWN);
        let did =
            if handle == HANDLE { Some(DID) } else { self.handles.get(handle).map(|it| &**it) };
        Ok(json!({"did": did.ok_or_else(missing)?}))
    }
}

fn limit_headers(limit: u32, remaining: u32, window: i64) -> Vec<(String, String)> {
    let reset = now().as_millis() / 1000 + window;
    [
        ("ratelimit-limit", limit.to_string()),
        ("ratelimit-remaining", remaining.to_string()),
        ("ratelimit-reset", reset.to_string()),
        ("ratelimit-policy", format!("{limit};w={window}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn now() -> Timestamp {
    Clock::System.now()
}

fn object(seen: &Seen) -> Result<Map<String, Value>, Refusal> {
    let kind = seen.headers.get("content-type").map_or("", String::as_str);
    if kind.split(';').next() != Some("application/json") {
        return Err(invalid(format!("Wrong request encoding (Content-Type): {kind}")));
    }
    match serde_json::from_slice(&seen.body) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(invalid("the body is no JSON object")),
    }
}

fn known_keys(body: &Map<String, Value>, known: &[&str]) -> Result<(), Refusal> {
    match body.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(invalid(format!("unknown property {key}"))),
        None => Ok(()),
    }
}

fn string<'a>(body: &'a Map<String, Value>, key: &str) -> Result<&'a str, Refusal> {
    let text = body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| invalid(format!("Input/{key} must be a string")))
}

fn query(seen: &Seen) -> BTreeMap<String, String> {
    let url = Url::parse(&format!("http://host{}", seen.target)).unwrap();
    url.query_pairs().into_owned().collect()
}

fn bearer(seen: &Seen) -> Result<String, Refusal> {
    let missing = || (401, "AuthMissing", "Authentication Required".to_owned());
    let value = seen.headers.get("authorization").ok_or_else(missing)?;
    value.strip_prefix("Bearer ").map(str::to_owned).ok_or_else(missing)
}

/// Like a CID: the same for the same content, whatever the order of its keys.
fn cid(value: &Value) -> String {
    fn canonical(value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let sorted: BTreeMap<_, _> = map.iter().collect();
                sorted.into_iter().map(|(key, value)| (key.clone(), canonical(value))).collect()
            }
            Value::Array(items) => items.iter().map(canonical).collect(),
            other => other.clone(),
        }
    }
    let hash = Sha256::digest(canonical(value).to_string());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("bafyrei{}", &hex[..52])
}
