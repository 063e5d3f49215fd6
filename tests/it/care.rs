//! Care: tokens through months of virtual time: renewed when they should be, each alert once,
//! restarts and crashes in between, and never two renewals of one token at once.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use posse_party::app;
use posse_party::care::Care;
use posse_party::clock::{Clock, Timestamp};
use posse_party::config::Config;
use posse_party::crosspost::{Class, Failure, Receipt};
use posse_party::draft::Draft;
use posse_party::names::Label;
use posse_party::platform::{Limits, MediaLimits, Platform};
use posse_party::publish::{Desk, Found, Identity, Outcome, Publisher, Renewal};
use posse_party::pulse::Pulses;
use posse_party::store::accounts::{self, turn};
use posse_party::token::Life;
use posse_party::wake::Wake;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::field::{Field, Visit};
use tracing::span;

use crate::world::{Act, Item, PLAIN, START, World, item};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// How long a token lives.
const LIFE: Duration = Duration::from_secs(60 * 86_400);

/// A platform that gives tokens: strict, with one answer to each request at most.
#[derive(Default)]
struct Issuer {
    /// Token to when it was made.
    tokens: Mutex<BTreeMap<String, Timestamp>>,
    /// When it was asked to renew, and what it did.
    asked: Mutex<Vec<String>>,
    /// What it refuses everything with.
    trouble: Mutex<Option<Failure>>,
    /// Whether an answer waits until it is let go.
    slow: Mutex<Option<Arc<Notify>>>,
    in_flight: Mutex<usize>,
    /// Whether it tells the pages of posts, and of which it was asked.
    tells: Mutex<bool>,
    pages: Mutex<Vec<String>>,
}

impl Issuer {
    fn with_token(name: &str, made: Timestamp) -> Arc<Self> {
        let issuer = Self::default();
        issuer.tokens.lock().unwrap().insert(name.into(), made);
        Arc::new(issuer)
    }

    fn renew(&self, token: &str, now: Timestamp) -> Result<String, Failure> {
        let trouble = self.trouble.lock().unwrap().clone();
        let made = self.tokens.lock().unwrap().get(token).copied();
        let result = match (trouble, made) {
            (Some(failure), _) => Err(failure),
            (None, None) => Err(Failure::account("the token is unknown", "log in")),
            (None, Some(made)) if now.since(made) >= LIFE => {
                Err(Failure::account("the token has ended", "log in"))
            }
            (None, Some(made)) if now.since(made) < DAY => Err(Failure::retry("too young")),
            (None, Some(_)) => {
                let mut tokens = self.tokens.lock().unwrap();
                let fresh = format!("token-{}", tokens.len() + 1);
                tokens.insert(fresh.clone(), now);
                Ok(fresh)
            }
        };
        let word = match &result {
            Ok(fresh) => fresh,
            Err(failure) => &failure.message,
        };
        let line = format!("{} {token} -> {word}", &now.to_rfc3339()[..16]);
        self.asked.lock().unwrap().push(line);
        result
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// An account there, whose configured token is `token-1`, of which it knows when it was made.
struct Member {
    issuer: Arc<Issuer>,
    made: Timestamp,
}

impl Member {
    fn life(made: Timestamp) -> Life {
        Life {
            obtained_at: made,
            expires_at: Some(made.plus(LIFE)),
            refresh_after: made.plus(30 * DAY),
            data_access_expires_at: None,
        }
    }
}

#[async_trait]
impl Publisher for Member {
    async fn limits(&self, _: &Desk<'_>) -> Limits {
        Platform::Outbox.limits()
    }

    async fn media_limits(&self, _: &Desk<'_>) -> MediaLimits {
        Platform::Outbox.media()
    }

    async fn verify(&self, _: &Desk<'_>) -> Result<Identity, Failure> {
        Ok(Identity::default())
    }

    async fn publish(&self, draft: &Draft, _: &Desk<'_>) -> Outcome {
        Outcome::Published(Receipt { remote_id: draft.text.clone(), url: None })
    }

    async fn find(&self, _: &Draft, _: &Desk<'_>) -> Found {
        Found::Absent
    }

    async fn page(&self, remote_id: &str, _: &Draft, desk: &Desk<'_>) -> Option<String> {
        assert_eq!(desk.crosspost, None, "a question parks nobody");
        self.issuer.pages.lock().unwrap().push(remote_id.into());
        self.issuer.tells.lock().unwrap().then(|| {
            format!("https://page.example/{}", remote_id.replace(char::is_whitespace, "-"))
        })
    }

    async fn renew(&self, desk: &Desk<'_>) -> Result<Renewal, Failure> {
        let kept = desk.memory.read("token").await?;
        let text = |kept: &Value| kept["is"].as_str().unwrap().to_owned();
        let token = kept.as_ref().map_or_else(|| "token-1".into(), text);
        let made = kept.and_then(|kept| kept["made"].as_i64()).map(Timestamp::from_millis);
        let life = Self::life(made.unwrap_or(self.made));
        let now = desk.clock.now();
        if !life.is_due(now) {
            return Ok(Renewal::Checked(life));
        }
        *self.issuer.in_flight.lock().unwrap() += 1;
        assert_eq!(*self.issuer.in_flight.lock().unwrap(), 1, "two renewals at once");
        let slow = self.issuer.slow.lock().unwrap().clone();
        let answer = self.issuer.renew(&token, now);
        if let Some(gate) = slow {
            gate.notified().await;
        }
        tokio::task::yield_now().await;
        *self.issuer.in_flight.lock().unwrap() -= 1;
        let fresh = match answer {
            Ok(fresh) => fresh,
            Err(failure) => return Ok(Renewal::Unrenewed(life, failure)),
        };
        desk.memory.write("token", json!({"is": fresh, "made": now})).await?;
        Ok(Renewal::Renewed(Self::life(now)))
    }
}

fn care(world: &World, issuer: &Arc<Issuer>, made: Timestamp) -> Care {
    care_with(world, issuer, made, watch::channel(Arc::new(world.config.clone())).1)
}

fn care_with(
    world: &World,
    issuer: &Arc<Issuer>,
    made: Timestamp,
    config: watch::Receiver<Arc<Config>>,
) -> Care {
    let issuer = Arc::clone(issuer);
    Care {
        store: world.store.clone(),
        clock: world.clock.clone(),
        config,
        open: Box::new(move |label, _| {
            (label.as_str() == "me").then(|| {
                Arc::new(Member { issuer: Arc::clone(&issuer), made }) as Arc<dyn Publisher>
            })
        }),
        wake: Wake::default(),
        pulses: Pulses::default(),
        ring: Box::new(|_| {}),
    }
}

/// Looks after the tokens of `world` for `time`, as the daemon does.
async fn run_for(world: &World, issuer: &Arc<Issuer>, made: Timestamp, time: Duration) {
    let care = care(world, issuer, made);
    care.begin().await.unwrap();
    let stop = CancellationToken::new();
    let end = async {
        tokio::time::sleep(time).await;
        stop.cancel();
    };
    tokio::join!(care.run(&stop), end);
}

/// A restart: the same files, and everything in memory gone.
async fn restarted(world: World) -> World {
    let World { dir, remote, clock, .. } = world;
    World::at(dir, PLAIN, remote, clock).await
}

/// The alerts of the log, in order.
#[derive(Clone, Default)]
struct Alerts(Arc<Mutex<Vec<String>>>);

impl Alerts {
    fn hear(&self) -> tracing::subscriber::DefaultGuard {
        tracing::subscriber::set_default(self.clone())
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Alert, incident and message of an event.
#[derive(Default)]
struct Line([String; 3]);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let place = ["alert", "incident", "message"].iter().position(|it| *it == field.name());
        if let Some(place) = place {
            self.0[place] = format!("{value:?}").replace('"', "");
        }
    }
}

impl tracing::Subscriber for Alerts {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        if !line.0[0].is_empty() {
            self.0.lock().unwrap().push(line.0.join(" "));
        }
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn seventy_days_of_renewals_with_a_restart_in_between() {
    let alerts = Alerts::default();
    let _hears = alerts.hear();
    let (world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    run_for(&world, &issuer, START, 29 * DAY).await;
    assert_eq!(issuer.asked(), [""; 0]);
    let world = restarted(world).await;
    // down for three days, over the time at which it would have been renewed
    tokio::time::advance(3 * DAY).await;
    run_for(&world, &issuer, START, 38 * DAY).await;
    // 2026-11-23T12:00 plus 32 days, at once; then at the account's own time of day
    assert_eq!(
        issuer.asked(),
        ["2026-12-25T12:00 token-1 -> token-2", "2027-01-25T05:38 token-2 -> token-3"]
    );
    assert_eq!(alerts.take(), [""; 0]);
    assert!(world.incidents().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_can_not_be_renewed_is_told_once_each_time_and_parks_the_account_at_its_end() {
    let alerts = Alerts::default();
    let _hears = alerts.hear();
    let (mut world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    *issuer.trouble.lock().unwrap() = Some(Failure::retry("the server answered 500"));
    let mut told = Vec::new();
    tokio::time::advance(DAY / 4).await;
    for day in 0..62 {
        // a restart each day repeats nothing
        world = restarted(world).await;
        run_for(&world, &issuer, START, DAY).await;
        told.extend(alerts.take().into_iter().map(|line| format!("{day}: {line}")));
    }
    let why = "the server answered 500; `posse-party login outbox me` gets a new one";
    let end = "on 2027-01-22, and then nothing goes out; `posse-party login outbox me` renews it";
    assert_eq!(
        told,
        [
            format!(
                "30: opened token:me the token of me, which is good until 2027-01-22, could not \
                 be renewed, and is tried again by itself: {why}"
            ),
            format!("45: opened token:me the token of me ends in 14 days, {end}"),
            format!("52: opened token:me the token of me ends in 7 days, {end}"),
            format!("58: opened token:me the token of me ends in 1 day, {end}"),
            "59: opened account:me me is parked, its queue waits: its token ended on 2027-01-22; \
             `posse-party login outbox me` gets a new one"
                .to_owned(),
        ]
    );
    let open: Vec<_> = world.incidents().await.into_iter().map(|it| it.key).collect();
    assert_eq!(open, ["account:me"], "one dead token is one incident");
    let asked = issuer.asked();
    let day_of_first = asked.iter().take_while(|line| line.starts_with("2026-12-24")).count();
    assert!((1..=5).contains(&day_of_first), "it is tried again within hours: {asked:#?}");
    assert!((31..=45).contains(&asked.len()), "and then daily: {}", asked.len());
    // the queue waits
    world.poll(&[item("old")]).await;
    let new = Item { published: world.clock.now(), ..item("new") };
    world.poll(&[new, item("old")]).await;
    world.deliver().await;
    assert_eq!(world.counts().await, BTreeMap::from([("ready", 1), ("skipped", 1)]));
    // a new token in the config ends all of it
    let config = PLAIN.replace("path = \"out\"", "path = \"other\"");
    let world = world.with_config(&config).await;
    assert!(world.incidents().await.is_empty(), "{:?}", world.incidents().await);
    world.deliver().await;
    assert_eq!(world.counts().await, BTreeMap::from([("published", 1), ("skipped", 1)]));
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_renewed_once_is_told_when_it_works_again() {
    let alerts = Alerts::default();
    let _hears = alerts.hear();
    let (world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    *issuer.trouble.lock().unwrap() = Some(Failure::retry("no route"));
    let made = START.minus(50 * DAY);
    run_for(&world, &issuer, made, HOUR / 2).await;
    let told = alerts.take();
    assert!(told.len() == 1 && told[0].contains("good until 2026-12-03"), "{told:?}");
    *issuer.trouble.lock().unwrap() = None;
    issuer.tokens.lock().unwrap().insert("token-1".into(), made);
    run_for(&world, &issuer, made, HOUR).await;
    assert_eq!(alerts.take(), ["resolved token:me the token of me is renewed again"]);
    assert!(world.incidents().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_surely_dead_parks_and_one_that_works_again_wakes() {
    let alerts = Alerts::default();
    let _hears = alerts.hear();
    let (world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    *issuer.trouble.lock().unwrap() = Some(Failure::account("the password was changed", "log in"));
    let made = START.minus(40 * DAY);
    issuer.tokens.lock().unwrap().insert("token-1".into(), made);
    run_for(&world, &issuer, made, 3 * DAY).await;
    let parked = "opened account:me me is parked, its queue waits: the password was changed; \
                  log in";
    assert_eq!(alerts.take(), [parked]);
    *issuer.trouble.lock().unwrap() = None;
    run_for(&world, &issuer, made, 2 * DAY).await;
    assert_eq!(
        alerts.take(),
        ["resolved account:me the token of me works, and it publishes again"]
    );
    let label = Label::new("me").unwrap();
    let row = world.store.read(move |db| accounts::by_label(db, &label)).await.unwrap();
    assert_eq!(row.unwrap().parked, None);
}

#[tokio::test(start_paused = true)]
async fn a_post_that_is_refused_for_its_token_ends_what_was_told_of_it() {
    let alerts = Alerts::default();
    let _hears = alerts.hear();
    let (world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    world.poll(&[item("old")]).await;
    *issuer.trouble.lock().unwrap() = Some(Failure::retry("the server answered 500"));
    let made = START.minus(40 * DAY);
    let open = async || {
        let open = world.incidents().await.into_iter().map(|it| it.key);
        open.collect::<Vec<_>>()
    };
    run_for(&world, &issuer, made, DAY).await;
    assert_eq!((open().await, alerts.take().len()), (vec!["token:me".to_owned()], 1));
    // what the platform of the post says is what the account remembers of its token
    let refused = |tx: &posse_party::store::Transaction<'_>| {
        let id = accounts::by_label(tx, &Label::new("me").unwrap())?.unwrap().id;
        accounts::set_note(tx, id, posse_party::token::REFUSED_NOTE, &json!("told to"))
    };
    world.store.write(refused).await.unwrap();
    world.remote.script([Act::Fail(Class::Account { until: None, hint: "log in".into() })]);
    let new = Item { published: world.clock.now(), ..item("new") };
    world.poll(&[new, item("old")]).await;
    world.deliver().await;
    assert_eq!((open().await, alerts.take().len()), (vec!["account:me".to_owned()], 1));
    // and it stays one: neither failed renewals nor an end that comes near are told beside it
    run_for(&world, &issuer, made, 12 * DAY).await;
    assert_eq!((open().await, alerts.take().len()), (vec!["account:me".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_parked_for_something_else_keeps_its_reason_and_its_token() {
    let (world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    let made = START.minus(40 * DAY);
    issuer.tokens.lock().unwrap().insert("token-1".into(), made);
    let label = Label::new("me").unwrap();
    let park = move |tx: &posse_party::store::Transaction<'_>| {
        let id = accounts::by_label(tx, &label)?.unwrap().id;
        let parked = accounts::Parked {
            reason: "suspended".into(),
            hint: "ask them".into(),
            since: START,
            until: None,
        };
        accounts::park(tx, id, &parked)
    };
    world.store.write(park).await.unwrap();
    run_for(&world, &issuer, made, DAY).await;
    assert_eq!(issuer.asked(), ["2026-11-23T12:00 token-1 -> token-2"]);
    let label = Label::new("me").unwrap();
    let row = world.store.read(move |db| accounts::by_label(db, &label)).await.unwrap();
    assert_eq!(row.unwrap().parked.unwrap().reason, "suspended");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_a_post_parked_for_its_token_wakes_with_a_new_one() {
    let (world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    let alerts = Alerts::default();
    let _hears = alerts.hear();
    let label = Label::new("me").unwrap();
    let until = START.plus(3 * DAY);
    // with the time that an account must rest, whatever its token
    // and with a renewal that was committed just before a crash
    for (until, is_cut, wakes) in
        [(Some(until), false, false), (None, false, true), (None, true, true)]
    {
        let made = world.clock.now().minus(40 * DAY);
        issuer.tokens.lock().unwrap().insert("token-1".into(), made);
        let renewed = json!({"is": "token-9", "made": world.clock.now().plus(HOUR / 60)});
        let token = if is_cut { renewed } else { Value::Null };
        let (name, since) = (label.clone(), world.clock.now());
        let park = move |tx: &posse_party::store::Transaction<'_>| {
            let id = accounts::by_label(tx, &name)?.unwrap().id;
            let (reason, hint) = ("error 190/463".to_owned(), "log in".to_owned());
            accounts::set_note(tx, id, posse_party::token::REFUSED_NOTE, &json!(reason))?;
            accounts::set_note(tx, id, "token", &token)?;
            accounts::set_note(tx, id, posse_party::care::NOTE, &Value::Null)?;
            posse_party::store::incidents::open(tx, "account:me", &reason, since)?;
            accounts::park(tx, id, &accounts::Parked { reason, hint, since, until })
        };
        world.store.write(park).await.unwrap();
        tokio::time::advance(HOUR).await;
        run_for(&world, &issuer, made, HOUR).await;
        assert_eq!(issuer.asked().len(), usize::from(!is_cut));
        let name = label.clone();
        let row = world.store.read(move |db| accounts::by_label(db, &name)).await.unwrap();
        assert_eq!(row.unwrap().parked.is_none(), wakes);
        // nobody knows before a post is out
        let open: Vec<_> = world.incidents().await.into_iter().map(|it| it.key).collect();
        assert_eq!((open, alerts.take()), (vec!["account:me".to_owned()], vec![]));
    }
}

/// What is in the account's memory under `key`.
async fn note(world: &World, key: &'static str) -> Option<Value> {
    let label = Label::new("me").unwrap();
    let read = move |db: &posse_party::store::Connection| {
        accounts::note(db, accounts::by_label(db, &label)?.unwrap().id, key)
    };
    world.store.read(read).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_replaced_while_it_is_renewed_is_not_put_back() {
    for replaced_by in ["login", "config"] {
        let (world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
        let made = START.minus(40 * DAY);
        issuer.tokens.lock().unwrap().insert("token-1".into(), made);
        let gate = Arc::new(Notify::new());
        *issuer.slow.lock().unwrap() = Some(Arc::clone(&gate));
        let (care, stop) = (care(&world, &issuer, made), CancellationToken::new());
        let replace = async {
            while issuer.asked.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
                tokio::time::advance(Duration::from_millis(1)).await;
            }
            if replaced_by == "login" {
                let label = Label::new("me").unwrap();
                let login = move |tx: &posse_party::store::Transaction<'_>| {
                    let id = accounts::by_label(tx, &label)?.unwrap().id;
                    turn::end(tx, id)?;
                    accounts::set_note(tx, id, "token", &json!({"is": "mine", "made": START}))
                };
                world.store.write(login).await.unwrap();
            } else {
                let path = world.dir.path().join("config.toml");
                let changed = PLAIN.replace("path = \"out\"", "path = \"other\"");
                std::fs::write(&path, format!("database = \"db/x.db\"\n{changed}")).unwrap();
                let config = Config::load(&path, posse_party::compose::template::check).unwrap();
                app::reconcile(&world.store, &config, START).await.unwrap();
            }
            gate.notify_one();
        };
        let (looked, ()) = tokio::join!(care.look(&stop), replace);
        looked.unwrap();
        let kept = note(&world, "token").await;
        let kept = kept.as_ref().and_then(|kept| kept["is"].as_str());
        assert_eq!(kept, (replaced_by == "login").then_some("mine"), "{replaced_by}");
        assert!(world.incidents().await.is_empty(), "nobody is told of a race");
    }
}

#[tokio::test(start_paused = true)]
async fn two_who_would_renew_at_once_are_kept_apart() {
    let (world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    let made = START.minus(40 * DAY);
    issuer.tokens.lock().unwrap().insert("token-1".into(), made);
    let gate = Arc::new(Notify::new());
    *issuer.slow.lock().unwrap() = Some(Arc::clone(&gate));
    let (one, two) = (care(&world, &issuer, made), care(&world, &issuer, made));
    let stop = CancellationToken::new();
    let second = async {
        while issuer.asked.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        // the stand-in fails the test when a second one is in flight
        let next = two.look(&stop).await.unwrap().unwrap();
        assert!(next > world.clock.now(), "it comes back when the turn is over");
        gate.notify_one();
    };
    let (looked, ()) = tokio::join!(one.look(&stop), second);
    looked.unwrap();
    assert_eq!(issuer.asked().len(), 1);
}

/// Runs `future` for `steps` polls. Whether it came to its end.
async fn cut<F: Future<Output = ()>>(future: F, steps: usize) -> bool {
    let mut future = std::pin::pin!(future);
    let mut left = steps;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|()| true)
    })
    .await
}

#[test]
fn a_renewal_that_is_cut_anywhere_leaves_a_token_that_works() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    let mut runs = 0;
    for steps in 0.. {
        let made = START.minus(40 * DAY);
        let issuer = Issuer::with_token("token-1", made);
        let first = runtime();
        let (dir, remote, ended) = first.block_on(async {
            let world = World::new(PLAIN).await;
            let care = care(&world, &issuer, made);
            let scenario = async {
                care.begin().await.unwrap();
                care.look(&CancellationToken::new()).await.unwrap();
            };
            let ended = cut(scenario, steps).await;
            let World { dir, remote, .. } = world;
            (dir, remote, ended)
        });
        drop(first);
        *issuer.in_flight.lock().unwrap() = 0;
        let later = START.plus(2 * DAY);
        runtime().block_on(async {
            let world = World::at(dir, PLAIN, remote, Clock::virtual_from(later)).await;
            run_for(&world, &issuer, made, 40 * DAY).await;
            let kept = note(&world, "token").await.expect("it was renewed in the end");
            let kept = kept["is"].as_str().unwrap().to_owned();
            let born = issuer.tokens.lock().unwrap()[&kept];
            assert!(world.clock.now().since(born) < LIFE, "{steps}: {kept}");
            assert!(world.incidents().await.is_empty(), "{steps}");
        });
        runs += 1;
        if ended {
            break;
        }
    }
    assert!(runs > 5, "{runs}");
}

#[tokio::test(start_paused = true)]
async fn platforms_whose_credentials_do_not_age_are_left_in_peace() {
    let world = World::new(PLAIN).await;
    let label = Label::new("me").unwrap();
    let worker = world.worker(&label).await;
    let publisher = worker.publisher.clone().unwrap();
    let mut care = care(&world, &Arc::default(), START);
    care.open = Box::new(move |_, _| Some(Arc::clone(&publisher)));
    let next = care.look(&CancellationToken::new()).await.unwrap().unwrap();
    assert!(next.since(START) <= DAY);
    let watch = note(&world, posse_party::care::NOTE).await.unwrap();
    assert_eq!(watch["life"], Value::Null);
}

/// Publishes the entry `id`, and tells what the ledger knows of its address.
async fn published(world: &World, id: &str) -> Option<String> {
    let new = Item { published: world.clock.now(), ..item(id) };
    world.poll(&[new, item("old")]).await;
    world.deliver().await;
    page_of(world, id).await
}

async fn page_of(world: &World, id: &str) -> Option<String> {
    let title = format!("Entry {id}");
    world.list().await.into_iter().find(|row| row.title.as_deref() == Some(&*title)).unwrap().url
}

#[tokio::test(start_paused = true)]
async fn a_page_that_could_not_be_told_at_once_is_asked_for_later_and_not_for_ever() {
    let alerts = Alerts::default();
    let _hears = alerts.hear();
    let (mut world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    world.poll(&[item("old")]).await;
    world.remote.bare.store(true, Ordering::SeqCst);
    assert_eq!(published(&world, "1").await, None);
    let asked = || std::mem::take(&mut *issuer.pages.lock().unwrap()).len();
    run_for(&world, &issuer, START, 2 * DAY).await;
    assert_eq!(asked(), 3, "at once, and then daily");
    // a restart repeats nothing that is known
    *issuer.tells.lock().unwrap() = true;
    world = restarted(world).await;
    run_for(&world, &issuer, START, 2 * DAY).await;
    assert_eq!(asked(), 1);
    let page = page_of(&world, "1").await.unwrap();
    assert!(page.starts_with("https://page.example/"), "{page}");

    // no more than ten at a time, and nothing that is older than a week
    *issuer.tells.lock().unwrap() = false;
    for id in 2..14 {
        assert_eq!(published(&world, &id.to_string()).await, None);
    }
    run_for(&world, &issuer, START, DAY).await;
    assert_eq!(asked(), 10);
    tokio::time::advance(7 * DAY).await;
    run_for(&world, &issuer, START, 2 * DAY).await;
    assert_eq!(asked(), 0);
    assert_eq!(alerts.take(), [""; 0]);
    assert!(world.incidents().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_parked_is_asked_for_no_pages() {
    let (world, issuer) = (World::new(PLAIN).await, Issuer::with_token("token-1", START));
    world.poll(&[item("old")]).await;
    world.remote.bare.store(true, Ordering::SeqCst);
    assert_eq!(published(&world, "1").await, None);
    world.remote.script([Act::Fail(Class::Account { until: None, hint: "log in".into() })]);
    let new = Item { published: world.clock.now(), ..item("2") };
    world.poll(&[new, item("1"), item("old")]).await;
    world.deliver().await;
    run_for(&world, &issuer, START, 2 * DAY).await;
    assert_eq!(issuer.pages.lock().unwrap().len(), 0);
}
