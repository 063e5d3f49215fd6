//! The fault matrix: each call that a platform's publisher makes × each thing that can go wrong
//! with it, as one table. Afterwards the crosspost is driven to its end by the policy of the
//! daemon (`decide`), with another publisher for each step, as after a restart.
//!
//! Held over the whole table: nothing is ever public twice; a call that may publish, and whose
//! answer does not prove that it did nothing, leads to `uncertain`; in the end it is public once,
//! or a person is asked. Whatever went wrong with a question about the account or its token, on the
//! next day that works, and a post goes out.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use posse_party::clock::{Clock, Timestamp};
use posse_party::config::Delivery;
use posse_party::crosspost::State;
use posse_party::deliver::decide::{self, Effect, Verdict};
use posse_party::draft::Draft;
use posse_party::http;
use posse_party::names::{CrosspostId, EntryId};
use posse_party::platform::Platform;
use posse_party::publish::{Desk, Outcome, Publisher, Renewal, Scratch};
use posse_party::shelf::Shelf;
use posse_party::store::crossposts::{Crosspost, Settlement};

mod gateway;
mod platforms;

use gateway::{AUTHORITY, Fault, Gateway};
use platforms::{SCENES, Scene, StandIn};

/// Far longer than a busy machine takes to answer on loopback.
const PATIENT: Duration = Duration::from_secs(30);
/// Long enough for a busy machine, short enough to wait for.
const HURRIED: Duration = Duration::from_secs(2);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// No crosspost needs more steps to its end.
const STEPS_MAX: usize = 120;

/// One crosspost of one account, with a gateway before its platform.
struct Bench {
    scene: &'static Scene,
    server: Box<dyn StandIn>,
    gateway: Gateway,
    client: reqwest::Client,
    delivery: Delivery,
    journal: Scratch,
    memory: Scratch,
    shelf: Shelf,
    clock: Clock,
    draft: Draft,
    crosspost: Crosspost,
    steps: usize,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(scene: &'static Scene, fault: Option<Fault>) -> Self {
        let clock = Clock::virtual_from(Clock::System.now());
        let server = (scene.start)(&clock);
        let gateway = Gateway::start(server.address(), fault == Some(Fault::Tls));
        let timeout = if fault.is_some_and(Fault::takes_time) { HURRIED } else { PATIENT };
        let delivery = Delivery { timeout, connect_timeout: timeout / 2, ..Delivery::default() };
        let authority = reqwest::Certificate::from_der(AUTHORITY).unwrap();
        let client = http::publishing_builder("posse-party/test", &delivery)
            .tls_certs_only([authority])
            .dns_resolver(Arc::new(gateway.resolver()))
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::beside(&folder.path().join("x.db"));
        let draft = (scene.draft)(&shelf);
        let crosspost = Crosspost {
            id: CrosspostId(1),
            entry: EntryId(1),
            title: "Hello".into(),
            attempts: 0,
            doubts: 0,
            finds: 0,
            first_attempt_at: None,
            draft: None,
            without_card: false,
            shorter_than: None,
        };
        let (journal, memory) = (Scratch::default(), Scratch::default());
        Self {
            scene,
            server,
            gateway,
            client,
            delivery,
            journal,
            memory,
            shelf,
            clock,
            draft,
            crosspost,
            steps: 0,
            _folder: folder,
        }
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        (self.scene.publisher)(self.gateway.url(), &self.client, &self.delivery)
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            crosspost: Some(CrosspostId(1)),
            journal: &self.journal,
            memory: &self.memory,
            clock: &self.clock,
            shelf: Some(&self.shelf),
        }
    }

    /// What an attempt does, from the limits on.
    async fn attempt(&mut self) -> (String, Verdict) {
        let now = self.clock.now();
        self.crosspost.attempts += 1;
        self.crosspost.first_attempt_at.get_or_insert(now);
        let (publisher, desk) = (self.publisher(), self.desk());
        publisher.limits(&desk).await;
        publisher.media_limits(&desk).await;
        let outcome = publisher.publish(&self.draft, &desk).await;
        let word = match &outcome {
            Outcome::Published(_) => "published".to_owned(),
            Outcome::Wait { .. } => "wait".to_owned(),
            Outcome::Failed(failure) => failure.class.as_str().to_owned(),
        };
        (word, decide::after_attempt(outcome, &self.crosspost, &self.delivery, self.clock.now()))
    }

    /// Attempts, while the platform is still at it, until `done`: what the last one came to.
    async fn until(&mut self, done: impl Fn(&Self, &str) -> bool) -> (String, Verdict) {
        loop {
            let (word, verdict) = self.attempt().await;
            self.steps += 1;
            if done(self, &word) || word != "wait" {
                return (word, verdict);
            }
            self.settle(State::Sending, &verdict);
        }
    }

    /// Questions, while the doubt is open, until `done`: what the last one came to.
    async fn questions(&mut self, done: impl Fn(&Self) -> bool) -> Verdict {
        for _ in 0..STEPS_MAX {
            let verdict = self.question().await;
            if done(self) || verdict.settlement.state() != State::Uncertain {
                return verdict;
            }
            self.settle(State::Uncertain, &verdict);
        }
        panic!("{:?}: the questions never end", self.scene.platform);
    }

    /// A question about the account, and how it ended.
    async fn verify(&self) -> &'static str {
        let desk = Desk { crosspost: None, ..self.desk() };
        match self.publisher().verify(&desk).await {
            Ok(_) => "verified",
            Err(failure) => failure.class.as_str(),
        }
    }

    /// The daily care for the account's token, and how it ended.
    async fn renew(&self) -> &'static str {
        let desk = Desk { crosspost: None, ..self.desk() };
        match self.publisher().renew(&desk).await {
            Ok(Renewal::NotNeeded) => "not needed",
            Ok(Renewal::Renewed(_)) => "renewed",
            Ok(Renewal::Checked(_)) => "checked",
            Ok(Renewal::TooYoung(_)) => "too young",
            Ok(Renewal::Unrenewed(..)) => "later",
            Err(failure) => failure.class.as_str(),
        }
    }

    /// What a question about a doubt does.
    async fn question(&mut self) -> Verdict {
        let found = self.publisher().find(&self.draft, &self.desk()).await;
        decide::after_find(found, &self.crosspost, &self.delivery, self.clock.now())
    }

    /// Does what a verdict says; where the crosspost is then.
    fn settle(&mut self, from: State, verdict: &Verdict) -> State {
        let mut at = self.clock.now();
        let state = verdict.settlement.state();
        match &verdict.settlement {
            Settlement::Ready { due_at, burns, .. } => {
                at = at.max(*due_at);
                self.crosspost.attempts -= u32::from(!burns);
                self.crosspost.finds = 0;
            }
            Settlement::WithoutCard { .. } => self.draft.card = None,
            Settlement::Uncertain { due_at, counts } => {
                at = at.max(*due_at);
                self.crosspost.finds += u32::from(*counts && from == State::Uncertain);
                self.crosspost.doubts += u32::from(from != State::Uncertain);
            }
            _ => {}
        }
        match &verdict.account {
            Effect::None => {}
            Effect::HoldUntil(until) => at = at.max(*until),
            // the owner does something about it on the next day
            Effect::Park { until, .. } => at = at.max(until.unwrap_or(at.plus(DAY))),
        }
        self.move_to(at);
        state
    }

    fn move_to(&mut self, at: Timestamp) {
        self.clock = Clock::virtual_from(at.max(self.clock.now()));
        self.server.set_clock(&self.clock);
    }

    /// Goes on until it is over: the last state, or none where it never is.
    async fn drive(&mut self, from: State, verdict: Verdict) -> Option<State> {
        let (mut from, mut verdict) = (from, verdict);
        for _ in 0..STEPS_MAX {
            let state = self.settle(from, &verdict);
            verdict = match state {
                State::Ready => self.attempt().await.1,
                State::Uncertain => self.question().await,
                _ => return Some(state),
            };
            from = state;
        }
        None
    }
}

/// What must not be.
type Wrong = Mutex<Vec<String>>;

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// In the attempts until it is public.
    Publish,
    /// In the questions after an attempt whose answer was lost.
    Find,
    /// In the question who the account is.
    Verify,
    /// In the care for its token.
    Renew,
}

impl Phase {
    /// The word of its column.
    const fn word(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Find => "find",
            Self::Verify => "verify",
            Self::Renew => "renew",
        }
    }
}

/// One call that a publisher makes.
#[derive(Clone)]
struct Call {
    scene: &'static Scene,
    phase: Phase,
    /// Which it is, from 0, in its phase.
    number: usize,
    /// `METHOD path`, with ids as `:id`.
    name: String,
}

impl Call {
    fn may_publish(&self) -> bool {
        let ends = |end: &&str| self.name.ends_with(end);
        self.name.starts_with("POST ") && self.scene.publishes.iter().any(ends)
    }

    fn only_reads(&self) -> bool {
        self.name.starts_with("GET ")
    }
}

/// `METHOD path` with ids as `:id`.
fn name(seen: &str) -> String {
    let parts = seen.split('/').map(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        if digits >= 4 && !part.contains(' ') { ":id" } else { part }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The calls of a scene, as they are when nothing goes wrong, and which of them publishes.
async fn calls(scene: &'static Scene) -> (Vec<Call>, usize) {
    let of = |phase, seen: &[String]| -> Vec<Call> {
        let calls = seen.iter().enumerate();
        calls.map(|(number, seen)| Call { scene, phase, number, name: name(seen) }).collect()
    };
    let mut bench = Bench::new(scene, None);
    let (word, _) = bench.until(|bench, word| word == "published" || bench.steps > 9).await;
    let seen = bench.gateway.seen();
    assert_eq!((word.as_str(), bench.server.posts()), ("published", 1), "{seen:#?}");
    let mut calls = of(Phase::Publish, &seen);
    let lost = calls.iter().rposition(Call::may_publish).expect("one of its calls publishes");

    let mut bench = Bench::new(scene, None);
    bench.gateway.plan(lost, Fault::HangUpAfter, true);
    let (word, verdict) = bench.until(|bench, _| bench.gateway.is_over()).await;
    assert_eq!(word, "ambiguous", "{:?}: the answer of {lost} was lost", scene.platform);
    bench.settle(State::Sending, &verdict);
    let before = bench.gateway.seen().len();
    let verdict = bench.questions(|_| false).await;
    assert_eq!(verdict.settlement.state(), State::Published, "{:?}", scene.platform);
    calls.extend(of(Phase::Find, &bench.gateway.seen()[before..]));
    if scene.is_first() {
        let bench = Bench::new(scene, None);
        assert_eq!(bench.verify().await, "verified", "{:?}", scene.platform);
        calls.extend(of(Phase::Verify, &bench.gateway.seen()));
        let bench = Bench::new(scene, None);
        let word = bench.renew().await;
        let expect = ["not needed", "renewed", "checked", "too young"];
        assert!(expect.contains(&word), "{:?}: {word}", scene.platform);
        calls.extend(of(Phase::Renew, &bench.gateway.seen()));
    }
    (calls, lost)
}

/// What one fault did: the class (or state) at once, and the end where it is not that all is well;
/// what must not be goes into `wrong`.
async fn cell(call: &Call, lost: usize, fault: Fault, acts: bool, wrong: &Wrong) -> String {
    let mut bench = Bench::new(call.scene, Some(fault));
    let (from, word, verdict) = match call.phase {
        Phase::Publish => {
            bench.gateway.plan(call.number, fault, acts);
            let (word, verdict) = bench.until(|bench, _| bench.gateway.is_over()).await;
            (State::Sending, word, verdict)
        }
        Phase::Find => {
            bench.gateway.plan(lost, Fault::HangUpAfter, true);
            let verdict = bench.until(|bench, _| bench.gateway.is_over()).await.1;
            bench.settle(State::Sending, &verdict);
            bench.gateway.plan(call.number, fault, acts);
            let verdict = bench.questions(|bench| bench.gateway.is_over()).await;
            (State::Uncertain, verdict.settlement.state().as_str().to_owned(), verdict)
        }
        Phase::Verify | Phase::Renew => {
            bench.gateway.plan(call.number, fault, acts);
            let is_question = call.phase == Phase::Verify;
            let word = if is_question { bench.verify().await } else { bench.renew().await };
            let was_made = bench.gateway.is_over();
            // on the next day all is as it was, and a post goes out
            bench.move_to(bench.clock.now().plus(DAY));
            let again = if is_question { bench.verify().await } else { bench.renew().await };
            if !was_made || ["account", "later"].contains(&again) {
                let tag = call.scene.platform.tag();
                let place = format!("{tag}, {}: {fault:?}, acts {acts}", call.name);
                wrong.lock().unwrap().push(format!("{place}: {was_made}, {word}, {again}"));
            }
            let verdict = bench.attempt().await.1;
            (State::Sending, word.to_owned(), verdict)
        }
    };
    let was_made = bench.gateway.is_over();
    let state = verdict.settlement.state();
    let told = format!("{verdict:?}");
    let end = bench.drive(from, verdict).await;
    let (posts, complaints) = (bench.server.posts(), bench.server.complaints());
    let is_open = matches!(state, State::Uncertain | State::Published)
        || call.scene.same_key && word == "account"
        || call.phase == Phase::Find && state == State::Held;
    let may_act = call.may_publish() && !fault.surely_did_nothing() || call.phase == Phase::Find;
    let check = |what: &str, holds: bool| {
        if !holds {
            let (tag, name) = (call.scene.platform.tag(), &call.name);
            let place = format!("{tag}, {:?} {name}: {fault:?}, acts {acts}", call.phase);
            wrong.lock().unwrap().push(format!("{place}: {what}: {told} → {end:?}, {posts}"));
        }
    };
    check("the call was never made", was_made);
    check("what may be public is not in doubt", is_open || !may_act);
    check("it is public more than once", posts <= 1);
    check("it is said to be public, and is not", end != Some(State::Published) || posts == 1);
    check("it never ends", end.is_some());
    check("the server complains", complaints.is_empty());
    match end {
        Some(State::Published) => word,
        end => format!("{word} → {}, {posts} public", end.map_or("?", State::as_str)),
    }
}

/// The row of a call: what each fault did.
async fn row(call: &Call, lost: usize, wrong: &Wrong) -> Vec<String> {
    let cells = Fault::ALL.map(|fault| async move {
        let acts: &[bool] = if call.only_reads() { &fault.acts()[..1] } else { fault.acts() };
        let mut words = Vec::new();
        for &acts in acts {
            words.push(cell(call, lost, fault, acts, wrong).await);
        }
        words.dedup();
        words.join(" / ")
    });
    futures_util::stream::iter(cells).buffered(8).collect().await
}

#[test]
fn every_platform_with_a_publisher_has_its_rows() {
    for platform in Platform::PUBLISHED.into_iter().filter(|it| *it != Platform::Outbox) {
        let is_here = SCENES.iter().any(|scene| scene.platform == platform);
        assert!(is_here, "{platform:?} needs an entry in `SCENES`");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_meets_every_fault() {
    let wrong = Wrong::default();
    let wrong = &wrong;
    let scenes = SCENES.iter().map(|scene| async move {
        let (calls, lost) = calls(scene).await;
        let rows = calls.iter().map(|call| row(call, lost, wrong));
        let rows: Vec<_> = futures_util::stream::iter(rows).buffered(5).collect().await;
        calls.iter().zip(rows).map(|(call, row)| line(call, &row)).collect::<String>()
    });
    let lines: Vec<_> = futures_util::stream::iter(scenes).buffered(3).collect().await;
    let text = head() + &lines.concat();
    println!("{text}");
    let wrong = wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!("matrix", text);
}

fn head() -> String {
    let titles = Fault::ALL.map(Fault::title).join(" | ");
    let rule = "|---".repeat(Fault::ALL.len() + 3);
    format!("| platform | when | call | {titles} |\n{rule}|\n")
}

fn line(call: &Call, row: &[String]) -> String {
    let mut line = String::new();
    let mark = if call.may_publish() { "**" } else { "" };
    let (tag, what) = (call.scene.platform.tag(), call.scene.what);
    let _ = writeln!(
        line,
        "| {tag}, {what} | {} | {mark}{}{mark} | {} |",
        call.phase.word(),
        call.name,
        row.join(" | ")
    );
    line
}
