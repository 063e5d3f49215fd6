//! A Mastodon-API server on loopback, as strict as the families it stands in for, that can be told
//! to misbehave.
//!
//! It runs on threads of its own: no runtime is needed to start it, and none can stall it. What it
//! refuses is refused as the platform does; what a platform would swallow but we must never send
//! (a redirected token, a key that can be guessed, a wrong `Host`) is refused *and* kept as a
//! complaint, and `drop` fails the test that caused one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use posse_party::clock::{Clock, Timestamp};
use tokio::sync::watch;
use url::Url;

use crate::wire::Gate;

mod answers;
mod media;
mod wire;

use answers::Sent;
pub use media::{Medium, Stage};
pub use wire::Request;

/// The software that it pretends to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Honours the key for an hour, per account.
    Mastodon,
    /// Ignores the key; wants a User-Agent; errors are 400.
    GoToSocial,
    /// Caches the whole answer under the key, errors too, for all users.
    Pleroma,
    /// Refuses any key that it has seen, and any post without media.
    Pixelfed,
    /// Ignores the key; counts code points.
    Takahe,
    /// Ignores the key; its errors are no JSON.
    Snac,
    /// Ignores the key; no limit.
    Friendica,
    /// Something with the same API that nobody has heard of.
    Unheard,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Mastodon,
        Self::GoToSocial,
        Self::Pleroma,
        Self::Pixelfed,
        Self::Takahe,
        Self::Snac,
        Self::Friendica,
        Self::Unheard,
    ];
}

/// A thing that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `POST /api/v1/statuses`
    Publish,
    /// `POST /api/v2/media`
    Upload,
    /// `POST /api/v1/media`
    UploadV1,
    /// `GET /api/v1/media/:id`
    Medium,
    /// `GET /api/v1/accounts/verify_credentials`
    Credentials,
    /// `GET /api/v1/accounts/:id/statuses`
    Statuses,
    /// `GET /api/v1/apps/verify_credentials`
    Application,
    /// `GET /api/v2/instance`
    InstanceV2,
    /// `GET /api/v1/instance`
    InstanceV1,
    /// `GET /.well-known/nodeinfo` and the document that it links to
    NodeInfo,
}

/// How one request goes wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Whether the request has its effect all the same.
    pub effect: Effect,
    /// What comes back.
    pub answer: Answer,
}

/// Whether a request has its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing happens.
    None,
    /// It happens, then the answer goes wrong.
    Done,
    /// It happens when the test calls `catch_up`: the server is slow.
    Late,
}

/// What comes back instead of the true answer.
#[derive(Clone, Debug)]
pub enum Answer {
    /// This.
    Reply(Reply),
    /// The connection is closed.
    HangUp,
    /// Nothing, until the client gives up.
    Silence,
    /// The head and the first half of the true answer.
    Truncated,
    /// Something that is not HTTP.
    Garbage,
    /// The true answer, once the gate is open.
    Held(Gate),
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    /// An answer in JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    /// The answer of a proxy.
    pub fn html(status: u16) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body>nginx</body></html>");
        Self::new(status, "text/html", body)
    }

    /// `{"error": "…"}`, as most errors are.
    pub fn error(status: u16, text: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error": text }))
    }

    pub fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// With one more header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Fault {
    /// This answer, and nothing happens.
    pub fn reply(reply: Reply) -> Self {
        Self { effect: Effect::None, answer: Answer::Reply(reply) }
    }

    /// Everything happens, and the answer is lost.
    pub fn lost() -> Self {
        Self { effect: Effect::Done, answer: Answer::HangUp }
    }

    /// Nothing happens, and nobody learns that.
    pub fn dropped() -> Self {
        Self { effect: Effect::None, answer: Answer::HangUp }
    }
}

/// A post that is on the server.
#[derive(Clone, Debug)]
pub struct Post {
    pub id: String,
    pub url: String,
    pub created_at: Timestamp,
    pub text: String,
    /// The content warning, where it is one.
    pub warning: Option<String>,
    /// What became of the content warning on Friendica.
    pub title: Option<String>,
    /// Whether its media are hidden.
    pub sensitive: bool,
    pub language: Option<String>,
    pub visibility: String,
    pub boost: bool,
    pub edited: bool,
    /// Whose it is.
    pub account: String,
    /// What it shows, in order.
    pub media: Vec<Medium>,
}

/// The account's token, at first.
pub const TOKEN: &str = "marked-secret-of-the-mastodon-account";

/// How long an event may take before the test fails: machines of the CI are busy.
const PATIENCE: Duration = Duration::from_secs(40);

/// The server.
pub struct MastodonServer {
    url: Url,
    state: Arc<watch::Sender<State>>,
    wire: wire::Wire,
}

struct State {
    family: Family,
    origin: String,
    token: String,
    account: String,
    max_characters: usize,
    scopes: Vec<&'static str>,
    default_visibility: &'static str,
    clock_ahead_ms: i64,
    posts: Vec<Post>,
    media: media::Media,
    keys: HashMap<String, Reply>,
    late: Vec<Request>,
    script: HashMap<Route, VecDeque<Fault>>,
    requests: Vec<Request>,
    complaints: Vec<String>,
}

impl MastodonServer {
    /// Starts one on a free port of loopback.
    pub fn start(family: Family) -> Self {
        let (state, _) = watch::channel(State {
            family,
            origin: String::new(),
            token: TOKEN.to_owned(),
            account: answers::ACCOUNT.to_owned(),
            max_characters: answers::default_max(family),
            scopes: vec!["read", "write:statuses", "write:media"],
            default_visibility: "public",
            clock_ahead_ms: 0,
            posts: Vec::new(),
            media: media::Media::default(),
            keys: HashMap::new(),
            late: Vec::new(),
            script: HashMap::new(),
            requests: Vec::new(),
            complaints: Vec::new(),
        });
        let state = Arc::new(state);
        let wire = wire::Wire::start(Arc::clone(&state));
        let url = Url::parse(&format!("http://{}", wire.address())).unwrap();
        state.send_modify(|state| state.origin = url.origin().ascii_serialization());
        Self { url, state, wire }
    }

    /// What goes into `base_url`.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The next request for `route` that has no fault yet goes wrong like this.
    pub fn script(&self, route: Route, fault: Fault) {
        self.state.send_modify(|state| state.script.entry(route).or_default().push_back(fault));
    }

    /// What it says and checks about media.
    pub fn media(&self, change: impl FnOnce(&mut media::Media)) {
        self.state.send_modify(|state| change(&mut state.media));
    }

    /// The limit that it announces and checks.
    pub fn set_max_characters(&self, max: usize) {
        self.state.send_modify(|state| state.max_characters = max);
    }

    /// From now on only `token` is good, and it is one of `account`; none is the one of before.
    pub fn sign_in(&self, token: &str, account: Option<&str>) {
        self.state.send_modify(|state| {
            state.token = token.to_owned();
            state.account = account.unwrap_or(&state.account).to_owned();
        });
    }

    /// What the token may do. At first `read`, `write:statuses`, `write:media`.
    pub fn set_scopes(&self, scopes: &[&'static str]) {
        self.state.send_modify(|state| state.scopes = scopes.to_vec());
    }

    /// Who sees a post that says nothing about it. At first everyone.
    pub fn set_default_visibility(&self, visibility: &'static str) {
        self.state.send_modify(|state| state.default_visibility = visibility);
    }

    /// Its clock is wrong by so much.
    pub fn set_clock_ahead(&self, millis: i64) {
        self.state.send_modify(|state| state.clock_ahead_ms = millis);
    }

    /// Forgets all keys, as after their hour.
    pub fn forget_keys(&self) {
        self.state.send_modify(|state| state.keys.clear());
    }

    /// Puts an older post (or a boost) there.
    pub fn seed(&self, text: &str, age: Duration, boost: bool) {
        self.state.send_modify(|state| {
            let created_at = state.now().minus(age);
            state.store(&Sent { text, visibility: "public", ..Sent::default() }, created_at);
            state.posts.last_mut().unwrap().boost = boost;
            state.posts.sort_by_key(|post| post.created_at);
        });
    }

    /// Changes the last post, as its owner could.
    pub fn edit_last(&self, change: impl FnOnce(&mut Post)) {
        self.state.send_modify(|state| {
            let post = state.posts.last_mut().unwrap();
            change(post);
            post.edited = true;
        });
    }

    /// Takes a post away, as its owner could.
    pub fn delete(&self, id: &str) {
        self.state.send_modify(|state| state.posts.retain(|post| post.id != id));
    }

    /// Does now what it was too slow to do before.
    pub fn catch_up(&self) {
        self.state.send_modify(|state| {
            for request in std::mem::take(&mut state.late) {
                state.answer(Route::Publish, &request);
            }
        });
    }

    /// Nobody listens any more: connections are refused.
    pub fn down(&mut self) {
        self.wire.stop();
    }

    /// Listens again, at the same address.
    pub fn up(&mut self) {
        self.wire.listen_again(Arc::clone(&self.state));
    }

    /// The posts that are on it, boosts left out, oldest first.
    pub fn posts(&self) -> Vec<Post> {
        self.state.borrow().posts.iter().filter(|post| !post.boost).cloned().collect()
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.state.borrow().requests.clone()
    }

    /// How many connections came, whatever was said on them.
    pub fn connections(&self) -> usize {
        self.wire.connections()
    }

    /// How often `route` was asked.
    pub fn count(&self, route: Route) -> usize {
        let state = self.state.borrow();
        state.requests.iter().filter(|request| request.route() == Some(route)).count()
    }

    /// Blocks this thread until `route` was asked `count` times.
    pub fn wait_asked(&self, route: Route, count: usize) {
        let asked = |state: &State| {
            state.requests.iter().filter(|request| request.route() == Some(route)).count()
        };
        let came = self.wait(|state| asked(state) >= count, PATIENCE);
        assert!(came, "{count} requests for {route:?} did not come: {:#?}", self.requests());
    }

    /// Blocks this thread until `count` requests came, whatever they ask, or `most` has passed.
    pub fn wait_requests(&self, count: usize, most: Duration) {
        self.wait(|state| state.requests.len() >= count, most);
    }

    /// Blocks this thread until `count` posts are there.
    pub fn wait_posted(&self, count: usize) -> Vec<Post> {
        let posts = |state: &State| state.posts.iter().filter(|post| !post.boost).count();
        let came = self.wait(|state| posts(state) >= count, PATIENCE);
        assert!(came, "{count} posts did not arrive: {:?}", self.posts());
        self.posts()
    }

    fn wait(&self, done: impl FnMut(&State) -> bool, most: Duration) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut changes = self.state.subscribe();
        let wait = async { tokio::time::timeout(most, changes.wait_for(done)).await.is_ok() };
        runtime.block_on(wait)
    }

    /// Waits until `count` posts are there.
    pub async fn posted(&self, count: usize) -> Vec<Post> {
        let mut changes = self.state.subscribe();
        let arrived = changes
            .wait_for(|state| state.posts.iter().filter(|post| !post.boost).count() >= count);
        tokio::time::timeout(Duration::from_secs(30), arrived)
            .await
            .unwrap_or_else(|_| panic!("{count} posts did not arrive: {:?}", self.posts()))
            .unwrap();
        self.posts()
    }
}

impl Drop for MastodonServer {
    fn drop(&mut self) {
        self.wire.stop();
        let complaints = self.state.borrow().complaints.clone();
        if !std::thread::panicking() {
            assert!(complaints.is_empty(), "the server complains: {complaints:#?}");
        }
    }
}

impl State {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(Clock::System.now().as_millis() + self.clock_ahead_ms)
    }
}
