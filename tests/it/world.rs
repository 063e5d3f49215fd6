//! A world in one process: a real config file, real feed files, a real database, the real poller
//! and workers, a virtual clock, and a platform that does as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use posse_party::app;
use posse_party::clock::{Clock, Timestamp};
use posse_party::compose::template;
use posse_party::config::Config;
use posse_party::crosspost::{Class, Failure, Receipt, State};
use posse_party::deliver::Worker;
use posse_party::draft::Draft;
use posse_party::http;
use posse_party::names::Label;
use posse_party::platform::{Limits, MediaLimits, Platform};
use posse_party::poll::{Poller, Turns};
use posse_party::publish::{Desk, Found, Identity, Outcome, Publisher};
use posse_party::pulse::Pulses;
use posse_party::store::accounts;
use posse_party::store::incidents::Incident;
use posse_party::store::views::{Filter, Line};
use posse_party::store::{Connection, Store, crossposts, incidents, views};
use posse_party::wake::Wake;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// When the world begins: 2026-11-23T12:00:00Z.
pub const START: Timestamp = Timestamp::from_secs(1_795_435_200);

/// What the platform does with the next request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Takes it and says so.
    Take,
    /// Takes it, and the answer is lost.
    TakeAndLose,
    /// Nothing arrives, and nobody can tell.
    Lose,
    /// Fails as it says; nothing is taken.
    Fail(Class),
    /// It has a part of it, and works on that.
    Wait(Duration),
}

/// A request that a platform must answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When, by the clock of the world.
    pub at: Timestamp,
    /// For whom.
    pub account: String,
    /// What it says.
    pub text: String,
    /// How often just this was asked before.
    pub before: usize,
    /// Whether it is a question about a doubt.
    pub finds: bool,
}

/// What a platform does where no script says it.
pub type Rule = Arc<dyn Fn(&Asked) -> Act + Send + Sync>;

/// A platform: what is public there, and what it does next.
#[derive(Default)]
pub struct Remote {
    posts: Mutex<Vec<(String, String)>>,
    acts: Mutex<VecDeque<Act>>,
    rule: Mutex<Option<Rule>>,
    /// When a publish request came, for whom.
    pub requests: Mutex<Vec<(Timestamp, String)>>,
    /// The same in full, with questions, and what was done.
    pub asked: Mutex<Vec<(Asked, Act)>>,
    /// Whether its receipts lack the address.
    pub bare: AtomicBool,
}

impl Remote {
    /// The texts that are public on an account, in order.
    pub fn posts(&self, account: &str) -> Vec<String> {
        let posts = self.posts.lock().unwrap();
        posts.iter().filter(|(at, _)| at == account).map(|(_, text)| text.clone()).collect()
    }

    /// Does this next.
    pub fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().unwrap().extend(acts);
    }

    /// Does this where no script says what.
    pub fn rule(&self, rule: impl Fn(&Asked) -> Act + Send + Sync + 'static) {
        *self.rule.lock().unwrap() = Some(Arc::new(rule));
    }

    fn receipt(&self, text: &str) -> Receipt {
        let url = format!("https://remote.example/{}", text.len());
        let url = Some(url).filter(|_| !self.bare.load(Ordering::SeqCst));
        Receipt { remote_id: text.into(), url }
    }

    fn next(&self, at: Timestamp, account: &str, text: &str, finds: bool) -> Act {
        let mut log = self.asked.lock().unwrap();
        let same =
            |asked: &Asked| asked.account == account && asked.text == text && asked.finds == finds;
        let before = log.iter().filter(|(asked, _)| same(asked)).count();
        let (account, text) = (account.to_owned(), text.to_owned());
        let asked = Asked { at, account, text, before, finds };
        let scripted = if finds { None } else { self.acts.lock().unwrap().pop_front() };
        let ruled = || self.rule.lock().unwrap().as_ref().map_or(Act::Take, |rule| rule(&asked));
        let act = scripted.unwrap_or_else(ruled);
        log.push((asked, act.clone()));
        act
    }
}

/// One account on the platform. As strict as it can be: it never knows a request twice.
struct Scripted {
    account: String,
    remote: Arc<Remote>,
}

#[async_trait]
impl Publisher for Scripted {
    async fn limits(&self, _: &Desk<'_>) -> Limits {
        Platform::Outbox.limits()
    }

    async fn media_limits(&self, _desk: &Desk<'_>) -> MediaLimits {
        Platform::Outbox.media()
    }

    async fn verify(&self, _: &Desk<'_>) -> Result<Identity, Failure> {
        Ok(Identity::default())
    }

    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome {
        if let Err(error) = desk.journal.write("sent", json!(true)).await {
            return Outcome::Failed(error.into());
        }
        // a request takes a moment in which the world can end
        tokio::task::yield_now().await;
        let now = desk.clock.now();
        self.remote.requests.lock().unwrap().push((now, self.account.clone()));
        let act = self.remote.next(now, &self.account, &draft.text, false);
        if matches!(act, Act::Take | Act::TakeAndLose) {
            let post = (self.account.clone(), draft.text.clone());
            self.remote.posts.lock().unwrap().push(post);
        }
        tokio::task::yield_now().await;
        match act {
            Act::Take => Outcome::Published(self.remote.receipt(&draft.text)),
            Act::TakeAndLose | Act::Lose => Outcome::Failed(Failure::ambiguous("no answer")),
            Act::Fail(class) => Outcome::Failed(Failure { class, message: "told to".into() }),
            Act::Wait(wait) => Outcome::Wait { wait, why: "told to".into() },
        }
    }

    async fn find(&self, draft: &Draft, desk: &Desk<'_>) -> Found {
        match desk.journal.read("sent").await {
            Ok(Some(_)) => {}
            Ok(None) => return Found::Absent,
            Err(error) => return Found::Unknown(error.into()),
        }
        match self.remote.next(desk.clock.now(), &self.account, &draft.text, true) {
            Act::Fail(class) => {
                return Found::Unknown(Failure { class, message: "told to".into() });
            }
            Act::Lose => return Found::Unknown(Failure::retry("no answer")),
            _ => {}
        }
        if self.remote.posts(&self.account).contains(&draft.text) {
            Found::Published(self.remote.receipt(&draft.text))
        } else {
            Found::Absent
        }
    }
}

/// An entry as a test writes it.
#[derive(Clone, Debug)]
pub struct Item {
    pub id: String,
    pub url: String,
    pub title: String,
    pub published: Timestamp,
    pub post: &'static str,
    /// HTML.
    pub content: String,
}

/// An entry `id` with the URL and the title that go with it, published now.
pub fn item(id: &str) -> Item {
    Item {
        id: format!("tag:a.example,2026:{id}"),
        url: format!("https://a.example/{id}"),
        title: format!("Entry {id}"),
        published: START,
        post: "",
        content: String::new(),
    }
}

/// The Atom document of `items`, in that order.
pub fn atom(items: &[Item]) -> String {
    let entries: String = items
        .iter()
        .map(|item| {
            let post = if item.post.is_empty() {
                String::new()
            } else {
                format!("<posse:post format=\"json\"><![CDATA[{}]]></posse:post>", item.post)
            };
            let content = if item.content.is_empty() {
                String::new()
            } else {
                format!("<content type=\"html\"><![CDATA[{}]]></content>", item.content)
            };
            format!(
                "<entry><id>{}</id><link rel=\"alternate\" href=\"{}\"/><title>{}</title>\
                 <published>{p}</published><updated>{p}</updated>{post}{content}</entry>\n",
                item.id,
                item.url,
                item.title,
                p = item.published,
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" \
         xmlns:posse=\"https://posseparty.com/2024/Feed\"><title>Blog</title><id>f</id>\
         <link href=\"https://a.example/\"/><updated>{START}</updated>\n{entries}</feed>\n"
    )
}

/// Everything that there is.
pub struct World {
    pub dir: TempDir,
    pub config: Config,
    pub store: Store,
    pub clock: Clock,
    pub remote: Arc<Remote>,
}

/// One feed `blog`, one outbox account `me`, no delay.
pub const PLAIN: &str = "[feeds.blog]\nurl = \"file:blog.xml\"\npoll = \"1m\"\n\
     [accounts.me]\nplatform = \"outbox\"\npath = \"out\"\ndelay = \"0s\"\n";

impl World {
    /// A world with this config and nothing in its feeds yet, on a virtual clock.
    pub async fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::at(dir, config, Arc::default(), Clock::virtual_from(START)).await
    }

    /// A world on files that may be there already: what a daemon finds when it starts.
    pub async fn at(dir: TempDir, config: &str, remote: Arc<Remote>, clock: Clock) -> Self {
        let path = dir.path().join("config.toml");
        std::fs::write(&path, format!("database = \"db/x.db\"\n{config}")).unwrap();
        let config =
            Config::load(&path, template::check).unwrap_or_else(|problems| panic!("{problems}"));
        let store = Store::open(&config.database).unwrap();
        let world = Self { dir, config, store, clock, remote };
        world.start().await;
        world
    }

    /// What the daemon does at its start.
    async fn start(&self) {
        let now = self.clock.now();
        app::reconcile(&self.store, &self.config, now).await.unwrap();
        self.store.write(move |tx| crossposts::rescue_sending(tx, now)).await.unwrap();
    }

    /// The same files, with another config: a restart, or a reload.
    pub async fn with_config(self, config: &str) -> Self {
        let Self { dir, remote, clock, .. } = self;
        Self::at(dir, config, remote, clock).await
    }

    /// Writes a feed file.
    pub fn write(&self, name: &str, body: &str) {
        std::fs::write(self.dir.path().join(name), body).unwrap();
    }

    /// Writes these entries into `blog.xml` and polls.
    pub async fn poll(&self, items: &[Item]) {
        self.write("blog.xml", &atom(items));
        self.poll_all().await;
    }

    /// Polls every feed.
    pub async fn poll_all(&self) {
        self.poller().run_once().await.unwrap();
    }

    pub fn poller(&self) -> Poller {
        let (_, config) = watch::channel(Arc::new(self.config.clone()));
        Poller {
            store: self.store.clone(),
            clock: self.clock.clone(),
            config,
            http: http::feeds("test").unwrap(),
            wake: Wake::default(),
            pulses: Pulses::default(),
            ring: Box::new(|_| {}),
            turns: Turns::default(),
        }
    }

    /// The worker of an account, whose platform is `remote`.
    pub async fn worker(&self, label: &Label) -> Worker {
        let wanted = label.clone();
        let row = self.store.read(move |db| accounts::by_label(db, &wanted)).await.unwrap();
        let config = self.config.accounts[label].clone();
        let scripted = Scripted { account: label.to_string(), remote: Arc::clone(&self.remote) };
        Worker {
            store: self.store.clone(),
            clock: self.clock.clone(),
            account: row.unwrap().id,
            label: label.clone(),
            publisher: (!config.dry_run).then(|| Arc::new(scripted) as Arc<dyn Publisher>),
            config,
            defaults: self.config.defaults.clone(),
            people: Arc::new(self.config.people.clone()),
            sources: None, // no sockets in virtual time
            host: None,
            delivery: self.config.delivery.clone(),
            wake: Wake::default(),
            pulses: Pulses::default(),
        }
    }

    /// Delivers everything that is due now.
    pub async fn deliver(&self) {
        for label in self.config.accounts.keys() {
            self.worker(label).await.drain(&CancellationToken::new()).await.unwrap();
        }
    }

    /// Lets every worker run by itself for `time`.
    pub async fn run_for(&self, time: Duration) {
        let stop = CancellationToken::new();
        let mut workers = tokio::task::JoinSet::new();
        for label in self.config.accounts.keys() {
            let (worker, stop) = (self.worker(label).await, stop.clone());
            workers.spawn(async move { worker.run(&stop).await });
        }
        tokio::time::sleep(time).await;
        stop.cancel();
        workers.join_all().await;
    }

    /// Lets the poller and every worker run by themselves while `during` does.
    pub async fn live(&self, during: impl Future<Output = ()>) {
        let stop = CancellationToken::new();
        let mut loops = tokio::task::JoinSet::new();
        let mut bells = BTreeMap::new();
        for label in self.config.accounts.keys() {
            let (worker, stop) = (self.worker(label).await, stop.clone());
            bells.insert(label.clone(), worker.wake.clone());
            loops.spawn(async move { worker.run(&stop).await });
        }
        let ring = Box::new(move |label: &Label| bells[label].ring());
        let (poller, until) = (Poller { ring, ..self.poller() }, stop.clone());
        loops.spawn(async move { poller.run(&until).await });
        during.await;
        stop.cancel();
        loops.join_all().await;
    }

    /// Every incident that ever was, the oldest first: its key, and whether it is over.
    pub async fn all_incidents(&self) -> Vec<(String, bool)> {
        let read = |db: &Connection| {
            let mut rows =
                db.prepare("SELECT key, resolved_at IS NOT NULL FROM incidents ORDER BY id")?;
            let rows = rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        };
        self.store.read(read).await.unwrap()
    }

    /// All crossposts.
    pub async fn list(&self) -> Vec<Line> {
        self.store.read(|db| views::list(db, &Filter::default())).await.unwrap()
    }

    /// How many crossposts are in each state, by word.
    pub async fn counts(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.store.read(|db| views::counts(db, None)).await.unwrap();
        counts.into_iter().filter(|(_, n)| *n > 0).map(|(state, n)| (state.as_str(), n)).collect()
    }

    /// `title: state` or `title: state (reason)` of each crosspost, in order.
    pub async fn states(&self) -> Vec<String> {
        let lines = self.list().await;
        let line = |line: Line| {
            let title = line.title.unwrap_or(line.entry_id);
            match (line.state, line.reason) {
                (State::Published, _) | (_, None) => format!("{title}: {}", line.state.as_str()),
                (state, Some(reason)) => format!("{title}: {} ({reason})", state.as_str()),
            }
        };
        lines.into_iter().map(line).collect()
    }

    /// The incidents that are open.
    pub async fn incidents(&self) -> Vec<Incident> {
        self.store.read(incidents::all_open).await.unwrap()
    }
}

/// Lets virtual time pass.
pub async fn pass(time: Duration) {
    tokio::time::advance(time).await;
}
