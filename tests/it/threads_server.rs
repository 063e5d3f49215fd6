//! A stand-in of Threads' API for tests, as strict as the real one is known or presumed to be
//! (documents of 2026-09 and recorded exchanges): paths with their version, form encoding, tokens
//! in the header, known parameters, lengths, links, the order container → finished → published,
//! one publication a container, quotas, ages of tokens. It answers in the recorded shapes: slashes
//! and `@` escaped, ids as texts, usage headers under an id that is nobody's, offsets without a
//! colon, words for users in another language. It misbehaves only on command.
//!
//! Blocking threads on a loopback port. What it refuses that nobody should send is kept in
//! `complaints`, because a publisher that sends a wrong request and recovers is still wrong.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use posse_party::clock::{Clock, Timestamp};
use serde_json::{Value, json};
use url::Url;

mod api; // containers, posts, quota
mod tokens; // who is let in
mod wire; // bytes

/// A token of 60 days with all permissions, made two days ago.
pub const TOKEN: &str = "THAAlonglived0000token";
/// The only user.
pub const USER: &str = "17841405793187218";
/// Their name.
pub const USERNAME: &str = "ada.l";
/// The app.
pub const APP: (&str, &str) = ("4711", "app-secret-0815");
/// A code that a browser brought back, good for one try.
pub const CODE: &str = "AQBcodeOfTheBrowser";
/// Where the browser ends.
pub const REDIRECT: &str = "https://localhost/";

/// What happens to one request instead of an answer.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The connection is closed before the request is read.
    HangUp,
    /// The request is carried out, then the connection is closed without an answer.
    Lose,
    /// The request is carried out, and never answered.
    Silence,
    /// The request is carried out, and its answer breaks off in the middle.
    Truncate,
    /// The request is carried out, and answered by 200 and a page.
    Garbage,
    /// The request is carried out, and answered by 500 and a page.
    DoneThenFail,
    /// The request is carried out, and the answer is this error all the same.
    DoneThenRefuse(i64, Option<i64>),
    /// The request is carried out, and the answer lacks this.
    Without(&'static str),
    /// The connection is closed, and the request is carried out after so many others.
    Late(u32),
    /// Nothing is done; an error with this code, subcode and English message.
    Refuse(i64, Option<i64>, &'static str),
    /// The same, with words for users and `is_transient`, as Meta sends them.
    RefuseInWords(i64, Option<i64>, &'static str),
    /// Nothing is done; a page.
    Html(u16),
    /// Nothing is done; a redirect there.
    Redirect(String),
}

/// One request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it is: `create`, `look`, `publish`, `page`, `list`, `quota`, `me`, `debug`, `renew`,
    /// `exchange`, `code`.
    pub call: &'static str,
    /// `GET`, `POST`.
    pub method: String,
    /// The whole target.
    pub target: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The parameters, of address and form.
    pub params: BTreeMap<String, String>,
}

/// A post that is public.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    /// Its id, which is not its container's.
    pub id: String,
    /// The container that it was.
    pub container: String,
    /// What it is made of.
    pub params: BTreeMap<String, String>,
    /// When it was published.
    pub at: Timestamp,
}

/// A running stand-in.
pub struct ThreadsServer {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
    listener: Option<JoinHandle<()>>,
}

struct State {
    down: bool,
    streams: Vec<TcpStream>,
    clock: Clock,
    script: VecDeque<(String, Trouble)>,
    nth: Option<(usize, Trouble)>,
    late: Vec<(u32, Seen)>,
    seen: Vec<Seen>,
    complaints: Vec<String>,
    tokens: BTreeMap<String, tokens::Info>,
    code_is_used: bool,
    containers: BTreeMap<String, api::Container>,
    posts: Vec<Post>,
    issued: u64,
    quota_total: u32,
    /// How often new containers are looked at before they are finished.
    busy: u32,
    /// How the next containers end, instead of finished.
    ends: VecDeque<&'static str>,
    /// For so many looks a published container says that it is finished.
    status_lags: u32,
    /// For so many looks the list lacks the newest post.
    list_lags: u32,
    bad_card: bool,
    /// The most posts of one page of the list, whatever is asked for.
    page_max: usize,
    /// Whether a renewal overlooks the header, and wants the token in a form.
    renews_in_form: bool,
    /// Whether an exchange wants a plain form.
    exchanges_plainly: bool,
    user: String,
    usage: u32,
    version: &'static str,
}

/// An HTTP answer.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    kind: &'static str,
    body: Vec<u8>,
}

impl ThreadsServer {
    /// Starts it, with one user and no posts.
    pub fn start(clock: Clock) -> Self {
        let tokens = BTreeMap::from([(TOKEN.to_owned(), tokens::Info::usual(clock.now()))]);
        let state = State {
            down: false,
            streams: Vec::new(),
            clock,
            script: VecDeque::new(),
            nth: None,
            late: Vec::new(),
            seen: Vec::new(),
            complaints: Vec::new(),
            tokens,
            code_is_used: false,
            containers: BTreeMap::new(),
            posts: Vec::new(),
            issued: 0,
            quota_total: 250,
            busy: 0,
            ends: VecDeque::new(),
            status_lags: 0,
            list_lags: 0,
            bad_card: false,
            page_max: 100,
            renews_in_form: false,
            exchanges_plainly: false,
            user: USER.to_owned(),
            usage: 1,
            version: "v1.0",
        };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let thread = wire::listen(listener, &state);
        Self { addr, state, listener: Some(thread) }
    }

    /// Its origin.
    pub fn url(&self) -> Url {
        Url::parse(&format!("http://{}", self.addr)).unwrap()
    }

    /// The next request that is `call`, and that no earlier line of the script takes, meets
    /// `trouble`.
    pub fn script(&self, call: &str, trouble: Trouble) {
        self.state().script.push_back((call.to_owned(), trouble));
    }

    /// The request with this number, from 0, whatever it is, meets `trouble`.
    pub fn script_nth(&self, number: usize, trouble: Trouble) {
        self.state().nth = Some((number, trouble));
    }

    /// Whether every line of the script was used.
    pub fn script_is_over(&self) -> bool {
        let state = self.state();
        state.script.is_empty() && state.nth.is_none()
    }

    /// What time it is here from now on.
    pub fn set_clock(&self, clock: Clock) {
        self.state().clock = clock;
    }

    /// What is public.
    pub fn posts(&self) -> Vec<Post> {
        self.state().posts.clone()
    }

    /// Publishes something, as the owner would by hand.
    pub fn post_by_hand(&self, text: &str, link: &str) {
        let mut state = self.state();
        let (id, at) = (state.id(), state.clock.now());
        let params = [("media_type", "TEXT"), ("text", text), ("link_attachment", link)];
        let params = params.map(|(key, value)| (key.to_owned(), value.to_owned()));
        state.posts.push(Post { id, container: String::new(), params: params.into(), at });
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// The requests so far that are `call`.
    pub fn seen_of(&self, call: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.call == call).collect()
    }

    /// What it had to refuse that nobody should send.
    pub fn complaints(&self) -> Vec<String> {
        self.state().complaints.clone()
    }

    /// New containers are finished after so many looks.
    pub fn set_busy(&self, looks: u32) {
        self.state().busy = looks;
    }

    /// The next container ends like this: `ERROR`, or `ERROR:` and the word for it, or `EXPIRED`.
    pub fn ends_as(&self, end: &'static str) {
        self.state().ends.push_back(end);
    }

    /// For so many looks a published container says that it is finished still.
    pub fn lag_status(&self, looks: u32) {
        self.state().status_lags = looks;
    }

    /// For so many looks the list lacks the newest post.
    pub fn lag_list(&self, looks: u32) {
        self.state().list_lags = looks;
    }

    /// Every container is gone.
    pub fn drop_containers(&self) {
        self.state().containers.clear();
    }

    /// The pages of links can't be read.
    pub fn refuse_cards(&self) {
        self.state().bad_card = true;
    }

    /// A page of the list holds so many posts at most, whatever is asked for.
    pub fn page_by(&self, posts: usize) {
        self.state().page_max = posts;
    }

    /// Renewals overlook the header from now on, and want the token in a form.
    pub fn renew_in_form(&self) {
        self.state().renews_in_form = true;
    }

    /// Exchanges want a plain form from now on, without the word that it is a question.
    pub fn exchange_plainly(&self) {
        self.state().exchanges_plainly = true;
    }

    /// The token is of another user from now on.
    pub fn be(&self, user: &str) {
        self.state().user = user.to_owned();
    }

    /// How many posts a day are allowed.
    pub fn set_quota(&self, total: u32) {
        self.state().quota_total = total;
    }

    /// How much of the allowance the headers say is used.
    pub fn set_usage(&self, percent: u32) {
        self.state().usage = percent;
    }

    /// Which version the headers name.
    pub fn set_version(&self, version: &'static str) {
        self.state().version = version;
    }

    /// Takes a permission from the token.
    pub fn take_scope(&self, scope: &str) {
        let mut state = self.state();
        state.tokens.values_mut().for_each(|info| info.scopes.retain(|given| given != scope));
    }

    /// The token ends then.
    pub fn set_expiry(&self, at: Timestamp) {
        self.state().tokens.values_mut().for_each(|info| info.expires_at = at);
    }

    /// The token was made so long ago, and lives for 60 days.
    pub fn age(&self, token: &str, age: Duration) {
        let mut state = self.state();
        let issued_at = state.clock.now().minus(age);
        let info = state.tokens.get_mut(token).unwrap();
        (info.issued_at, info.expires_at) = (issued_at, issued_at.plus(60 * DAY));
    }

    /// The token is one of an hour, as a consent gives it.
    pub fn be_short(&self, token: &str) {
        let mut state = self.state();
        let now = state.clock.now();
        let info = state.tokens.get_mut(token).unwrap();
        (info.is_short, info.issued_at) = (true, now);
        info.expires_at = now.plus(Duration::from_secs(3600));
    }

    /// Everything that lets someone in.
    pub fn tokens(&self) -> Vec<String> {
        self.state().tokens.keys().cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for ThreadsServer {
    fn drop(&mut self) {
        self.state().down = true;
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.listener.take() {
            thread.join().unwrap();
        }
        for stream in self.state().streams.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn id(&mut self) -> String {
        self.issued += 1;
        format!("180595124930{:05}", 53254 + 7 * self.issued)
    }

    fn next_trouble(&mut self, call: &str) -> Option<Trouble> {
        if self.nth.as_ref().is_some_and(|(number, _)| *number == self.seen.len()) {
            return self.nth.take().map(|(_, trouble)| trouble);
        }
        let at = self.script.iter().position(|(to, _)| to == call)?;
        self.script.remove(at).map(|(_, trouble)| trouble)
    }

    /// Carries out what was put off, when its time has come.
    fn tick(&mut self) {
        let late = std::mem::take(&mut self.late);
        for (left, seen) in late {
            match left {
                0 => {
                    // whoever sent it has given it up: what comes of it is nobody's fault
                    let complaints = self.complaints.len();
                    self.answer(&seen);
                    self.complaints.truncate(complaints);
                }
                left => self.late.push((left - 1, seen)),
            }
        }
    }

    fn answer(&mut self, seen: &Seen) -> Reply {
        let result = self.manners(seen).and_then(|()| match seen.call {
            "create" => self.create(seen),
            "publish" => self.publish(seen),
            "look" | "page" => self.read(seen),
            "list" => self.list(seen),
            "quota" => self.quota(),
            "me" => Ok(json!({"id": self.user, "username": USERNAME, "name": "Ada \u{2713}"})),
            "debug" => self.debug(seen),
            "renew" => self.renew(seen),
            "exchange" => self.exchange(seen),
            "code" => self.code(seen),
            _ => Err(Refusal::new(2500, "Unknown path components")),
        });
        if let Err(refusal) = &result
            && refusal.is_ours
        {
            let what = format!("{} {}: {}", seen.method, seen.call, refusal.message);
            self.complaints.push(what);
        }
        self.reply(result.map_err(|refusal| refusal.body(false)))
    }

    fn reply(&self, result: Result<Value, Value>) -> Reply {
        let status = if result.is_ok() { 200 } else { 400 };
        let body = match result {
            Ok(body) | Err(body) => body,
        };
        // as on the wire: slashes escaped, and `@` too
        let text = body.to_string().replace('/', "\\/").replace('@', "\\u0040");
        let usage = json!({"1022005793187218": [{
            "type": "threads", "call_count": 1, "total_cputime": self.usage, "total_time": 0,
            "estimated_time_to_regain_access": if self.usage >= 100 { 12 } else { 0 },
        }]});
        Reply {
            status,
            headers: vec![
                ("X-Business-Use-Case-Usage".into(), usage.to_string()),
                ("Threads-Api-Version".into(), self.version.into()),
                ("Date".into(), http_date(self.clock.now())),
                ("x-fb-request-id".into(), "AbCdEf".into()),
            ],
            kind: "application/json; charset=UTF-8",
            body: text.into_bytes(),
        }
    }

    /// What every request must be like.
    fn manners(&mut self, seen: &Seen) -> Result<(), Refusal> {
        let ours = |message: &str| Err(Refusal::ours(100, message));
        if seen.headers.get("user-agent").is_none_or(String::is_empty) {
            return ours("a request without a User-Agent");
        }
        let query = seen.target.split_once('?').map_or("", |(_, query)| query);
        let secret = ["access_token", "client_secret", "input_token", "code"];
        if secret.iter().any(|key| query.contains(&format!("{key}="))) || query.contains("THAA") {
            return ours("a secret in an address");
        }
        let kind = seen.headers.get("content-type").map_or("", String::as_str);
        if seen.method == "POST" && kind != "application/x-www-form-urlencoded" {
            return ours("a body that is no form");
        }
        if seen.params.values().any(String::is_empty) {
            return ours("an empty parameter");
        }
        let is_renewal_in_form = seen.call == "renew" && seen.method == "POST";
        if ["exchange", "code"].contains(&seen.call) || is_renewal_in_form {
            return Ok(());
        }
        self.authorised(seen)
    }
}

/// Why a request is refused.
#[derive(Debug)]
struct Refusal {
    code: i64,
    subcode: Option<i64>,
    message: String,
    /// Whether nobody should send such a request.
    is_ours: bool,
}

impl Refusal {
    fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, subcode: None, message: message.into(), is_ours: false }
    }

    fn ours(code: i64, message: impl Into<String>) -> Self {
        Self { is_ours: true, ..Self::new(code, message) }
    }

    fn sub(code: i64, subcode: i64, message: impl Into<String>) -> Self {
        Self { subcode: Some(subcode), ..Self::new(code, message) }
    }

    fn body(self, in_words: bool) -> Value {
        let mut error = json!({
            "message": self.message,
            "type": if self.code < 100 { "THApiException" } else { "OAuthException" },
            "code": self.code,
            "fbtrace_id": "AdfZ1hXcF",
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = subcode.into();
        }
        if in_words {
            // 9007/2207027 was flagged `false` on tape, and worked three seconds later
            error["is_transient"] = false.into();
            error["error_user_title"] = "Không tìm thấy".into();
            error["error_user_msg"] = "Không tìm thấy nội dung có ID này".into();
        }
        json!({"error": error})
    }
}

fn http_date(at: Timestamp) -> String {
    at.to_datetime().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// As Threads writes a moment.
fn moment(at: Timestamp) -> String {
    at.to_datetime().format("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// A day.
const DAY: Duration = Duration::from_secs(24 * 3600);
