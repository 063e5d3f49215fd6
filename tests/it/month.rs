//! A month in virtual time: the real poller and workers live through 30 days of platforms that go
//! down for hours, a token that ends, a quota, a clock that is set by an hour in both directions,
//! and the night in which summer time ends. The exact times of all requests are a snapshot.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use posse_party::clock::{Clock, Timestamp};
use posse_party::crosspost::Class;

use crate::world::{Act, Asked, Item, Remote, World, atom, item};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// 2026-10-10T12:00:00Z.
const BEGIN: Timestamp = Timestamp::from_secs(1_791_633_600);
const DAYS: u32 = 30;

/// `blog` goes to all three accounts, what is found in the night to one. Both have a `cron`: the
/// spread of `poll` is that of the path, which is another one in each run. They
/// are never due together, for two polls at once may wait 10 ms for each other.
const CONFIG: &str = "[feeds.blog]\nurl = \"file:blog.xml\"\ncron = \"*/30 * * * *\"\n\
     timezone = \"UTC\"\n\
     [feeds.night]\nurl = \"file:night.xml\"\ncron = \"37 2 * * *\"\n\
     timezone = \"Europe/Berlin\"\naccounts = [\"steady\"]\n\
     [accounts.steady]\nplatform = \"outbox\"\npath = \"steady\"\ndelay = \"0s\"\n\
     [accounts.slow]\nplatform = \"outbox\"\npath = \"slow\"\ndelay = \"0s\"\n\
     [accounts.token]\nplatform = \"outbox\"\npath = \"token\"\ndelay = \"0s\"\n";

fn at(days: u32, hours: u32) -> Timestamp {
    BEGIN.plus(days * DAY + hours * HOUR)
}

/// What the platform does, by the hour.
fn act(asked: &Asked, token_is_new: bool) -> Act {
    let within = |from: Timestamp, to: Timestamp| from <= asked.at && asked.at < to;
    match asked.account.as_str() {
        "steady" if within(at(3, 0), at(3, 9)) => Act::Fail(Class::Retry { not_before: None }),
        "steady" if within(at(9, 0), at(9, 2)) && asked.finds => Act::Lose,
        "steady" if within(at(9, 0), at(9, 2)) => Act::TakeAndLose,
        "steady" if within(at(15, 0), at(15, 3)) => {
            Act::Fail(Class::RateLimited { not_before: Some(at(15, 3)) })
        }
        "slow" if within(at(12, 0), at(13, 6)) => Act::Lose,
        "slow" if asked.before == 0 && !asked.finds => Act::Wait(10 * MINUTE),
        "token" if asked.at >= at(10, 0) && !token_is_new => {
            let hint = "log in again".to_owned();
            Act::Fail(Class::Account { until: None, hint })
        }
        "token" if within(at(17, 0), at(17, 5)) => {
            let hint = "wait for tomorrow".to_owned();
            Act::Fail(Class::Account { until: Some(at(17, 5)), hint })
        }
        _ => Act::Take,
    }
}

fn news(id: String, published: Timestamp) -> Item {
    Item { published, ..item(&id) }
}

/// One day: something new in both feeds, ten minutes past noon and at eight in the evening.
async fn day(world: &World, day: u32, ahead_ms: &AtomicI64) {
    let feed = |name: &str, word: &str, count: u32| {
        let items: Vec<_> = (0..=count)
            .rev()
            .take(8)
            .map(|n| news(format!("{word}{n}"), at(n.saturating_sub(1), 0)))
            .collect();
        world.write(name, &atom(&items));
    };
    tokio::time::sleep(10 * MINUTE).await;
    feed("blog.xml", "b", day + 1);
    tokio::time::sleep(6 * HOUR - 10 * MINUTE).await;
    match day {
        20 => ahead_ms.store(3_600_000, Ordering::Relaxed),
        23 => ahead_ms.store(0, Ordering::Relaxed),
        _ => {}
    }
    tokio::time::sleep(2 * HOUR).await;
    feed("night.xml", "n", day + 1);
    tokio::time::sleep(16 * HOUR).await;
}

/// Every request and question, one line each.
fn told(remote: &Remote) -> String {
    let mut text = String::new();
    let mut all = remote.asked.lock().unwrap().clone();
    // what several accounts do in the same millisecond has no order
    all.sort_by_key(|(asked, _)| (asked.at, asked.account.clone()));
    for (asked, act) in &all {
        let title = asked.text.split(' ').nth(1).unwrap();
        let what = if asked.finds { "find" } else { "post" };
        let act = match act {
            Act::Fail(class) => class.as_str().to_owned(),
            act => format!("{act:?}"),
        };
        let when = &asked.at.to_rfc3339()[5..];
        let _ = writeln!(text, "{when} {:<6} {what} {title:<4} {act}", asked.account);
    }
    text
}

#[tokio::test(start_paused = true)]
async fn a_month_with_outages_tokens_clocks_and_summer_time() {
    let (clock, ahead_ms) = Clock::settable_from(BEGIN);
    let remote = Arc::new(Remote::default());
    let token_is_new = Arc::new(AtomicBool::new(false));
    let is_new = Arc::clone(&token_is_new);
    remote.rule(move |asked| act(asked, is_new.load(Ordering::Relaxed)));
    let dir = tempfile::tempdir().unwrap();
    for (name, word) in [("blog.xml", "b"), ("night.xml", "n")] {
        let first = atom(&[news(format!("{word}0"), BEGIN)]);
        std::fs::write(dir.path().join(name), first).unwrap();
    }
    let world = World::at(dir, CONFIG, Arc::clone(&remote), clock).await;
    let live = async |world: &World, days: std::ops::Range<u32>| {
        let all = async {
            for n in days {
                day(world, n, &ahead_ms).await;
            }
        };
        world.live(all).await;
    };
    live(&world, 0..12).await;
    assert_eq!(world.incidents().await.len(), 1, "the token has ended");
    token_is_new.store(true, Ordering::Relaxed);
    let world = world.with_config(&CONFIG.replace("path = \"token\"", "path = \"new\"")).await;
    live(&world, 12..DAYS).await;

    let texts = |word: &str| -> Vec<String> {
        let text = |n| format!("Entry {word}{n} https://a.example/{word}{n}");
        (1..=DAYS).map(text).collect()
    };
    let of = |account: &str, word: &str| -> Vec<String> {
        let begin = format!("Entry {word}");
        let posts = remote.posts(account).into_iter();
        posts.filter(|text| text.starts_with(&begin)).collect()
    };
    for account in ["steady", "slow", "token"] {
        assert_eq!(of(account, "b"), texts("b"), "{account}: all of it, once, in order");
    }
    // what came in the last evening is found in the next night
    assert_eq!(of("steady", "n"), texts("n"), "once, in order");
    let incidents = world.all_incidents().await;
    let expect = [("account:token".to_owned(), true), ("account:token".to_owned(), true)];
    assert_eq!(incidents, expect, "the token and the quota, once each, and over");
    no_storm(&remote);
    insta::assert_snapshot!("month", told(&remote));
}

/// No account is asked more than a dozen times in any hour.
fn no_storm(remote: &Remote) {
    let mut times: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
    for (asked, _) in remote.asked.lock().unwrap().iter() {
        times.entry(asked.account.clone()).or_default().push(asked.at);
    }
    for (account, times) in times {
        for from in &times {
            let within = |at: &&Timestamp| *from <= **at && **at < from.plus(HOUR);
            let count = times.iter().filter(within).count();
            assert!(count <= 12, "{account}: {count} requests in the hour from {from}");
        }
    }
}
