//! Crash sweep: a scenario is cut at its n-th step, n = 0, 1, 2 … until a run ends uncut, and
//! started again on the same files. After each: nothing is lost, nothing is public twice.
//!
//! A future is dropped between two of its polls: what it had handed to the database before is
//! committed or not, as at a power cut, and everything in memory is gone.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use posse_party::clock::Clock;
use posse_party::crosspost::Class;

use crate::world::{Act, PLAIN, Remote, START, World, atom, item};

mod many; // feeds, accounts and trouble of every kind

/// Runs `future` for `steps` polls. Whether it came to its end.
async fn cut<F: Future<Output = ()>>(future: F, steps: usize) -> bool {
    let mut future = pin!(future);
    let mut left = steps;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|()| true)
    })
    .await
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().unwrap()
}

/// Two accounts, and three entries of which one is new in each step.
fn config() -> String {
    let second = "[accounts.two]\nplatform = \"outbox\"\npath = \"out2\"\ndelay = \"0s\"\n";
    format!("{PLAIN}{second}")
}

const HOUR: Duration = Duration::from_secs(3600);

/// Two polls with news, and what is due after each.
async fn scenario(world: &World) {
    world.poll(&[item("1"), item("old")]).await;
    world.deliver().await;
    world.poll(&[item("2"), item("1"), item("old")]).await;
    world.deliver().await;
}

fn sweep(acts: &[Act]) -> usize {
    for steps in 0.. {
        let remote = Arc::new(Remote::default());
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("blog.xml"), atom(&[item("old")])).unwrap();
        let first = runtime();
        let (dir, ended) = first.block_on(async {
            let world =
                World::at(dir, &config(), Arc::clone(&remote), Clock::virtual_from(START)).await;
            world.poll_all().await;
            remote.script(acts.iter().cloned());
            let ended = cut(scenario(&world), steps).await;
            (world.dir, ended)
        });
        // waits for what the database was doing, and forgets everything else
        drop(first);
        runtime().block_on(async {
            let clock = Clock::virtual_from(START.plus(HOUR));
            let world = World::at(dir, &config(), Arc::clone(&remote), clock).await;
            scenario(&world).await;
            world.run_for(HOUR).await;
            let wanted = ["Entry 1 https://a.example/1", "Entry 2 https://a.example/2"];
            for account in ["me", "two"] {
                assert_eq!(remote.posts(account), wanted, "{account}, cut after {steps} steps");
            }
        });
        if ended {
            return steps;
        }
    }
    unreachable!("the scenario ends")
}

#[test]
fn a_crash_anywhere_loses_and_doubles_nothing() {
    let steps = sweep(&[]);
    assert!(steps > 40, "only {steps} places to cut at: the sweep sees too little");
}

#[test]
fn a_crash_anywhere_around_lost_answers_loses_and_doubles_nothing() {
    sweep(&[Act::TakeAndLose, Act::Lose, Act::Take, Act::TakeAndLose]);
}

#[test]
fn a_crash_anywhere_around_a_refused_card_loses_and_doubles_nothing() {
    let refused = || Act::Fail(Class::Card);
    sweep(&[refused(), Act::TakeAndLose, refused(), Act::Take]);
}

#[test]
fn the_baseline_survives_a_crash_anywhere() {
    for steps in 0.. {
        let remote = Arc::new(Remote::default());
        let dir = tempfile::tempdir().unwrap();
        let items = [item("3"), item("2"), item("1")];
        std::fs::write(dir.path().join("blog.xml"), atom(&items)).unwrap();
        let first = runtime();
        let (dir, ended) = first.block_on(async {
            let world =
                World::at(dir, PLAIN, Arc::clone(&remote), Clock::virtual_from(START)).await;
            let ended = cut(world.poll_all(), steps).await;
            (world.dir, ended)
        });
        drop(first);
        runtime().block_on(async {
            let world =
                World::at(dir, PLAIN, Arc::clone(&remote), Clock::virtual_from(START)).await;
            world.poll_all().await;
            world.deliver().await;
            assert_eq!(world.counts().await["skipped"], 3, "cut after {steps} steps");
            assert!(remote.posts("me").is_empty(), "cut after {steps} steps");
        });
        if ended {
            return;
        }
    }
}
