//! One crosspost of an account on a stand-in, from the first attempt to its end.
//!
//! Each step has a new publisher, as after a restart: all that it knows is in the notebooks. Time is
//! moved by handing another clock to it; never by waiting. Who dies, in the middle of a call or of a
//! note, goes on with the question what became of it, as the daemon does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use posse_party::clock::{Clock, Timestamp};
use posse_party::config::Delivery;
use posse_party::crosspost::Failure;
use posse_party::crosspost::{Class, Receipt};
use posse_party::deliver::decide::FINDS_MAX;
use posse_party::draft::Draft;
use posse_party::http;
use posse_party::names::CrosspostId;
use posse_party::publish::{
    Desk, Found, Identity, Notebook, NotebookError, Outcome, Publisher, Renewal, Scratch,
};
use serde_json::Value;
use tokio::sync::Notify;
use url::Url;

use crate::graph_server::{GraphServer, Platform};

/// When every story begins.
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// How a crosspost ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Published(Receipt),
    /// It will never be taken: the class, and why.
    Failed(&'static str, String),
    /// Nobody could find out.
    Held(String),
    /// The account waits: the class, and until when, in seconds from `START`.
    Parked(&'static str, Option<u64>, String),
}

/// Makes the publisher of the account at an address.
pub type Open = fn(Url, reqwest::Client) -> Box<dyn Publisher>;

/// One account on a stand-in.
pub struct Bench<P: Platform> {
    pub server: GraphServer<P>,
    pub journal: Mortal,
    memory: Mortal,
    open: Open,
    publisher: Box<dyn Publisher>,
    now: Timestamp,
    clock: Clock,
    /// How often it waited for the platform.
    pub waits: Vec<u64>,
}

impl<P: Platform> Bench<P> {
    pub fn new(platform: P, open: Open) -> Self {
        let server = GraphServer::start(platform, START);
        let journal = Mortal::new(Arc::clone(&server.killed));
        let memory = Mortal::new(Arc::clone(&server.killed));
        let publisher = open(server.url(), client());
        let clock = Clock::virtual_from(START);
        Self { server, journal, memory, open, publisher, now: START, clock, waits: Vec::new() }
    }

    /// Goes on with what is in the notebooks, and nothing else.
    pub fn restart(&mut self) {
        self.publisher = (self.open)(self.server.url(), client());
    }

    /// Is configured in another way from now on.
    pub fn reopen(&mut self, open: Open) {
        self.open = open;
        self.restart();
    }

    /// Goes on to the next crosspost.
    pub fn next(&mut self) {
        self.journal = Mortal::new(Arc::clone(&self.server.killed));
    }

    pub fn advance(&mut self, by: Duration) {
        self.set_now(self.now.plus(by));
    }

    fn set_now(&mut self, now: Timestamp) {
        self.now = now.max(self.now);
        self.clock = Clock::virtual_from(self.now);
        self.server.set_now(self.now);
    }

    pub fn desk(&self) -> Desk<'_> {
        Desk {
            crosspost: Some(CrosspostId(1)),
            journal: &self.journal,
            memory: &self.memory,
            clock: &self.clock,
            shelf: None,
        }
    }

    pub async fn verify(&self) -> Result<Identity, Failure> {
        self.publisher.verify(&self.desk()).await
    }

    pub async fn renew(&self) -> Result<Renewal, Failure> {
        self.publisher.renew(&self.desk()).await
    }

    /// The page of a post, asked for later: of no crosspost in hand.
    pub async fn page(&self, remote_id: &str, draft: &Draft) -> Option<String> {
        let desk = Desk { crosspost: None, ..self.desk() };
        self.publisher.page(remote_id, draft, &desk).await
    }

    /// One attempt; none where it died.
    pub async fn publish(&mut self, draft: &Draft) -> Option<Outcome> {
        self.restart();
        let (killed, desk) = (Arc::clone(&self.server.killed), self.desk());
        tokio::select! {
            outcome = self.publisher.publish(draft, &desk) => Some(outcome),
            () = killed.notified() => None,
        }
    }

    /// One question; none where it died.
    pub async fn find(&mut self, draft: &Draft) -> Option<Found> {
        self.restart();
        let (killed, desk) = (Arc::clone(&self.server.killed), self.desk());
        tokio::select! {
            found = self.publisher.find(draft, &desk) => Some(found),
            () = killed.notified() => None,
        }
    }

    /// Attempts and questions until the end, as the daemon would.
    pub async fn deliver(&mut self, draft: &Draft) -> End {
        let mut tries = 0;
        for _ in 0..1000 {
            let failure = match self.publish(draft).await {
                Some(Outcome::Published(receipt)) => return End::Published(receipt),
                Some(Outcome::Wait { wait, .. }) => {
                    self.waits.push(wait.as_secs());
                    self.advance(wait);
                    continue;
                }
                Some(Outcome::Failed(failure)) => failure,
                None => Failure::ambiguous("killed"),
            };
            let Failure { class, message } = failure;
            match class {
                Class::Retry { not_before } => {
                    tries += 1;
                    if tries > 15 {
                        return End::Failed("given up", message);
                    }
                    self.set_now(not_before.unwrap_or(self.now.plus(Duration::from_secs(15))));
                }
                Class::RateLimited { not_before } => {
                    return self.parked("rate_limited", not_before, message);
                }
                Class::Account { until, .. } => return self.parked("account", until, message),
                Class::Content => return End::Failed("content", message),
                Class::Card => return End::Failed("card", message),
                Class::TooLong => return End::Failed("too long", message),
                Class::Duplicate | Class::Ambiguous => {
                    if let Some(end) = self.settle(draft).await {
                        return end;
                    }
                }
            }
        }
        panic!("it comes to no end");
    }

    /// Questions until the answer; nothing where it is to be sent again.
    pub async fn settle(&mut self, draft: &Draft) -> Option<End> {
        let mut finds = 0;
        for _ in 0..1000 {
            let failure = match self.find(draft).await {
                Some(Found::Published(receipt)) => return Some(End::Published(receipt)),
                Some(Found::Absent) => {
                    self.advance(Duration::from_secs(15));
                    return None;
                }
                Some(Found::Unknown(failure)) => failure,
                None => continue,
            };
            let Failure { class, message } = failure;
            match class {
                Class::Retry { not_before: Some(at) } => self.set_now(at),
                Class::Retry { not_before: None } => self.advance(Duration::from_secs(60)),
                Class::RateLimited { not_before } => {
                    return Some(self.parked("rate_limited", not_before, message));
                }
                Class::Account { until, .. } => {
                    return Some(self.parked("account", until, message));
                }
                _ => {
                    finds += 1;
                    if finds >= FINDS_MAX {
                        return Some(End::Held(message));
                    }
                    self.advance(Duration::from_secs(60));
                }
            }
        }
        panic!("it comes to no end");
    }

    fn parked(&self, class: &'static str, until: Option<Timestamp>, message: String) -> End {
        End::Parked(class, until.map(|at| at.since(START).as_secs()), message)
    }
}

fn client() -> reqwest::Client {
    // a client takes long to build, and keeps no connections: one is enough
    static CLIENT: LazyLock<reqwest::Client> =
        LazyLock::new(|| http::publishing("posse-party/test", &Delivery::default()).unwrap());
    CLIENT.clone()
}

/// A notebook whose user can be made to die over a note.
pub struct Mortal {
    notes: Scratch,
    written: AtomicUsize,
    /// At which note, and whether that is committed before.
    dies: Mutex<Option<(usize, bool)>>,
    killed: Arc<Notify>,
}

impl Mortal {
    fn new(killed: Arc<Notify>) -> Self {
        Self {
            notes: Scratch::default(),
            written: AtomicUsize::new(0),
            dies: Mutex::new(None),
            killed,
        }
    }

    /// The note with this number, from 0, is the last that its writer sees: it dies before or after
    /// it is committed.
    pub fn die_at(&self, nth: usize, committed: bool) {
        *self.dies.lock().unwrap() = Some((nth, committed));
    }

    /// Whether nobody has died yet who should.
    pub fn is_deadly(&self) -> bool {
        self.dies.lock().unwrap().is_some()
    }
}

#[async_trait]
impl Notebook for Mortal {
    async fn read(&self, key: &str) -> Result<Option<Value>, NotebookError> {
        self.notes.read(key).await
    }

    async fn write(&self, key: &str, value: Value) -> Result<(), NotebookError> {
        let nth = self.written.fetch_add(1, Ordering::Relaxed);
        let now = |(at, committed)| (at == nth).then_some(committed);
        let dies = self.dies.lock().unwrap().and_then(now);
        if dies != Some(false) {
            self.notes.write(key, value).await?;
        }
        if dies.is_some() {
            *self.dies.lock().unwrap() = None;
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}
