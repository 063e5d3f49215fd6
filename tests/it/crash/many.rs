//! The sweep over everything at once: three feeds and four accounts, of which one waits for its
//! platform and one is refused, with edits, a flood, a rate limit, a lost answer and a renewal of
//! a token.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use posse_party::care::Care;
use posse_party::clock::Clock;
use posse_party::crosspost::{Class, Failure};
use posse_party::draft::Draft;
use posse_party::names::Label;
use posse_party::platform::{Limits, MediaLimits, Platform};
use posse_party::publish::{Desk, Found, Identity, Outcome, Publisher, Renewal};
use posse_party::pulse::Pulses;
use posse_party::store::accounts;
use posse_party::token::Life;
use posse_party::wake::Wake;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{HOUR, cut, runtime};
use crate::world::{Act, Asked, Item, Remote, START, World, atom, item, pass};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn config() -> String {
    let feed = |label: &str, more: &str| {
        format!("[feeds.{label}]\nurl = \"file:{label}.xml\"\npoll = \"1m\"\n{more}")
    };
    let account = |label: &str| {
        format!("[accounts.{label}]\nplatform = \"outbox\"\npath = \"{label}\"\ndelay = \"0s\"\n")
    };
    [
        feed("blog", ""),
        feed("notes", "accounts = [\"me\", \"slow\"]\n"),
        feed("links", "accounts = [\"me\"]\nmax_new = 3\n"),
        account("me"),
        account("slow"),
        account("refused"),
        account("token"),
    ]
    .concat()
}

/// What the platform does: it remembers, whatever we forget.
fn act(asked: &Asked) -> Act {
    match asked.account.as_str() {
        _ if asked.finds => Act::Take,
        "refused" => Act::Fail(Class::Content),
        "slow" if asked.before == 0 => Act::Wait(5 * MINUTE),
        "me" if asked.text.contains("/2") => match asked.before {
            0 => Act::Fail(Class::RateLimited { not_before: Some(asked.at.plus(5 * MINUTE)) }),
            1 => Act::TakeAndLose,
            _ => Act::Take,
        },
        _ => Act::Take,
    }
}

/// Gives tokens, and remembers which.
#[derive(Default)]
struct Issuer(Mutex<Vec<String>>);

/// An account whose token can be renewed.
struct Member(Arc<Issuer>);

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

    async fn publish(&self, _: &Draft, _: &Desk<'_>) -> Outcome {
        Outcome::Failed(Failure::content("only its token is looked after here"))
    }

    async fn find(&self, _: &Draft, _: &Desk<'_>) -> Found {
        Found::Absent
    }

    async fn renew(&self, desk: &Desk<'_>) -> Result<Renewal, Failure> {
        tokio::task::yield_now().await;
        let token = {
            let mut given = self.0.0.lock().unwrap();
            let token = format!("token-{}", given.len() + 1);
            given.push(token.clone());
            token
        };
        tokio::task::yield_now().await;
        desk.memory.write("token", Value::String(token)).await?;
        let now = desk.clock.now();
        Ok(Renewal::Renewed(Life {
            obtained_at: now,
            expires_at: Some(now.plus(60 * DAY)),
            refresh_after: now.plus(30 * DAY),
            data_access_expires_at: None,
        }))
    }
}

fn care(world: &World, issuer: &Arc<Issuer>) -> Care {
    let (_, config) = watch::channel(Arc::new(world.config.clone()));
    let issuer = Arc::clone(issuer);
    Care {
        store: world.store.clone(),
        clock: world.clock.clone(),
        config,
        open: Box::new(move |label, _| {
            let member = Member(Arc::clone(&issuer));
            (label.as_str() == "token").then(|| Arc::new(member) as Arc<dyn Publisher>)
        }),
        wake: Wake::default(),
        pulses: Pulses::default(),
        ring: Box::new(|_| {}),
    }
}

fn write(world: &World, name: &str, ids: &[&str]) {
    let items: Vec<Item> = ids.iter().map(|id| item(id)).collect();
    world.write(name, &atom(&items));
}

async fn scenario(world: &World, issuer: &Arc<Issuer>) {
    write(world, "blog.xml", &["1", "old"]);
    write(world, "notes.xml", &["n1", "n-old"]);
    write(world, "links.xml", &["l4", "l3", "l2", "l1", "l-old"]);
    world.poll_all().await;
    world.deliver().await;
    let stop = CancellationToken::new();
    care(world, issuer).look(&stop).await.unwrap();
    let edited = Item { title: "Edited 1".into(), ..item("1") };
    world.write("blog.xml", &atom(&[item("2"), edited, item("old")]));
    world.poll_all().await;
    world.deliver().await;
    pass(10 * MINUTE).await;
    world.deliver().await;
}

/// What everything must have come to.
async fn check(world: &World, issuer: &Issuer, steps: usize) {
    let pages = |account: &str| -> Vec<String> {
        let posts = world.remote.posts(account);
        let page = |text: &String| text.rsplit('/').next().unwrap().to_owned();
        let mut pages: Vec<String> = posts.iter().map(page).collect();
        pages.sort();
        pages
    };
    for (account, wanted) in [
        ("me", &["1", "2", "n1"] as &[_]),
        ("slow", &["1", "2", "n1"]),
        ("refused", &[]),
        ("token", &["1", "2"]),
    ] {
        assert_eq!(pages(account), wanted, "{account}, cut after {steps} steps");
    }
    let counts = world.counts().await.into_iter().collect::<Vec<_>>();
    let expect = [("failed", 2), ("held", 4), ("published", 8), ("skipped", 7)];
    assert_eq!(counts, expect, "cut after {steps} steps: {:#?}", world.states().await);
    let has_reason = |line: &String| line.ends_with(": published") || line.ends_with(')');
    let states = world.states().await;
    assert!(states.iter().all(has_reason), "cut after {steps} steps: {states:#?}");
    let incidents = world.all_incidents().await;
    assert_eq!(incidents, [("held:links".into(), false)], "cut after {steps} steps");

    let label = Label::new("token").unwrap();
    let note = world.store.read(move |db| {
        let account = accounts::by_label(db, &label)?.unwrap();
        accounts::note(db, account.id, "token")
    });
    let (kept, given) = (note.await.unwrap(), issuer.0.lock().unwrap().clone());
    assert_eq!(kept.as_ref().and_then(Value::as_str), given.last().map(String::as_str));
    assert!(given.len() <= 2, "cut after {steps} steps: {given:?}: more than one is lost");
}

/// Cuts at every fourth step from `first` on; tells after how many the scenario ended uncut.
fn sweep(first: usize) -> usize {
    for steps in (first..).step_by(4) {
        let remote = Arc::new(Remote::default());
        remote.rule(act);
        let issuer = Arc::new(Issuer::default());
        let dir = tempfile::tempdir().unwrap();
        for (name, id) in [("blog", "old"), ("notes", "n-old"), ("links", "l-old")] {
            let path = dir.path().join(format!("{name}.xml"));
            std::fs::write(path, atom(&[item(id)])).unwrap();
        }
        let before = runtime();
        let (dir, ended) = before.block_on(async {
            let clock = Clock::virtual_from(START);
            let world = World::at(dir, &config(), Arc::clone(&remote), clock).await;
            world.poll_all().await;
            let ended = cut(scenario(&world, &issuer), steps).await;
            (world.dir, ended)
        });
        drop(before);
        runtime().block_on(async {
            let clock = Clock::virtual_from(START.plus(HOUR));
            let world = World::at(dir, &config(), Arc::clone(&remote), clock).await;
            care(&world, &issuer).begin().await.unwrap();
            scenario(&world, &issuer).await;
            world.run_for(20 * MINUTE).await;
            check(&world, &issuer, steps).await;
        });
        if ended {
            return steps;
        }
    }
    unreachable!("the scenario ends")
}

#[test]
fn a_crash_anywhere_among_everything_first_quarter() {
    let steps = sweep(0);
    assert!(steps > 100, "only {steps} places to cut at: the sweep sees too little");
}

#[test]
fn a_crash_anywhere_among_everything_second_quarter() {
    sweep(1);
}

#[test]
fn a_crash_anywhere_among_everything_third_quarter() {
    sweep(2);
}

#[test]
fn a_crash_anywhere_among_everything_last_quarter() {
    sweep(3);
}
