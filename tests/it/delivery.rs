//! What becomes of posts when platforms misbehave: classes of failure, doubts, order, pace.

use std::time::Duration;

use posse_party::crosspost::Class;
use posse_party::store::{incidents, people};
use tokio_util::sync::CancellationToken;

use crate::world::{Act, Item, PLAIN, World, item, pass};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A world with `count` new entries that are due.
async fn with_news(config: &str, count: usize) -> World {
    let world = World::new(config).await;
    world.poll(&[item("old")]).await;
    let mut items: Vec<_> = (1..=count).rev().map(|n| item(&n.to_string())).collect();
    items.push(item("old"));
    world.poll(&items).await;
    world
}

fn texts(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("Entry {n} https://a.example/{n}")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_never_makes_a_second_post() {
    for act in [Act::TakeAndLose, Act::Lose] {
        let world = with_news(PLAIN, 2).await;
        world.remote.script([act.clone()]);
        world.run_for(10 * MINUTE).await;
        assert_eq!(world.remote.posts("me"), texts(2), "{act:?}: each once, and in order");
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_reached_is_tried_again_in_order_and_given_up_in_the_end() {
    let world = with_news(PLAIN, 2).await;
    let down = || Act::Fail(Class::Retry { not_before: None });
    world.remote.script((0..5).map(|_| down()));
    world.run_for(30 * MINUTE).await;
    assert_eq!(world.remote.posts("me"), texts(2));

    let world = with_news(PLAIN, 1).await;
    world.remote.script((0..1000).map(|_| down()));
    world.run_for(60 * HOUR).await;
    assert_eq!(
        world.states().await.last().unwrap(),
        "Entry 1: failed (given up after 2days: told to)"
    );
    let requests = world.remote.requests.lock().unwrap().len();
    assert!((15..30).contains(&requests), "{requests} requests in two days are no storm");
}

#[tokio::test(start_paused = true)]
async fn slow_down_holds_the_account_and_burns_no_attempt() {
    let world = with_news(PLAIN, 2).await;
    let until = world.clock.now().plus(HOUR);
    world.remote.script([Act::Fail(Class::RateLimited { not_before: Some(until) })]);
    world.run_for(59 * MINUTE).await;
    assert!(world.remote.posts("me").is_empty());
    assert_eq!(world.remote.requests.lock().unwrap().len(), 1, "nothing is sent before that");
    assert_eq!(world.list().await[1].attempts, 0);
    world.run_for(2 * MINUTE).await;
    assert_eq!(world.remote.posts("me"), texts(2));
}

#[tokio::test(start_paused = true)]
async fn what_a_platform_works_on_stays_as_it_was_begun_and_blocks_nobody() {
    let world = with_news(PLAIN, 2).await;
    world.remote.script([Act::Wait(10 * MINUTE), Act::Take]);
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me"), texts(2)[1..], "the younger one is out");
    assert_eq!(world.list().await[1].attempts, 0, "waiting burns none");
    let mut edited = item("1");
    edited.title = "Edited".into();
    world.poll(&[item("2"), edited, item("old")]).await;
    let until = world.clock.now().plus(HOUR);
    let slow_down = Class::RateLimited { not_before: Some(until) };
    world.remote.script([Act::Wait(MINUTE), Act::Fail(slow_down)]);
    world.run_for(2 * HOUR).await;
    let posts = world.remote.posts("me");
    assert_eq!(posts, [texts(2)[1].clone(), texts(2)[0].clone()], "as it was begun");
    assert_eq!(world.remote.requests.lock().unwrap().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_refused_card_is_left_out_once_and_its_url_goes_into_the_text() {
    let config = format!("{PLAIN}append_url = false\n");
    let world = with_news(&config, 2).await;
    world.remote.script([Act::Fail(Class::Card)]);
    world.run_for(MINUTE).await;
    let expect = ["Entry 1 https://a.example/1", "Entry 2"];
    assert_eq!(world.remote.posts("me"), expect, "in order, and only the one that was refused");
    assert_eq!(world.remote.requests.lock().unwrap().len(), 3);

    let world = with_news(&config, 1).await;
    world.remote.script([Act::Fail(Class::Card), Act::Fail(Class::Card)]);
    world.run_for(HOUR).await;
    assert_eq!(world.states().await.last().unwrap(), "Entry 1: failed (told to)");
    assert_eq!(world.remote.requests.lock().unwrap().len(), 2, "once more, and no more");

    // a lost answer in between is asked about, as ever
    let world = with_news(&config, 1).await;
    world.remote.script([Act::Fail(Class::Card), Act::TakeAndLose]);
    world.run_for(HOUR).await;
    assert_eq!(world.remote.posts("me"), ["Entry 1 https://a.example/1"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_length_is_shortened_once_and_no_more() {
    let config = format!("{PLAIN}format_string = \"{{{{title}}}} one two three four five six\"\n");
    let long = |n| format!("Entry {n} one two three four five six https://a.example/{n}");
    let short = "Entry 1 one two three… https://a.example/1".to_owned();
    let world = with_news(&config, 2).await;
    world.remote.script([Act::Fail(Class::TooLong)]);
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me"), [short.clone(), long(2)], "and only the one refused");
    assert_eq!(world.remote.requests.lock().unwrap().len(), 3);

    let world = with_news(&config, 1).await;
    world.remote.script([Act::Fail(Class::TooLong), Act::Fail(Class::TooLong)]);
    world.run_for(HOUR).await;
    assert_eq!(world.states().await.last().unwrap(), "Entry 1: failed (told to)");
    assert_eq!(world.remote.requests.lock().unwrap().len(), 2, "once more, and no more");

    // a lost answer in between is asked about, and what goes out again is as short
    let world = with_news(&config, 1).await;
    world.remote.script([Act::Fail(Class::TooLong), Act::Lose]);
    world.run_for(HOUR).await;
    assert_eq!(world.remote.posts("me"), [short]);

    // where the owner forbids it, nothing is cut
    let world = with_news(&format!("{config}truncate = false\n"), 1).await;
    world.remote.script([Act::Fail(Class::TooLong)]);
    world.run_for(HOUR).await;
    let state = world.states().await.pop().unwrap();
    assert!(state.starts_with("Entry 1: failed (the platform refused the length"), "{state}");
    assert_eq!(world.remote.requests.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_can_not_post_is_parked_with_one_alert() {
    let world = with_news(PLAIN, 2).await;
    let dead = Class::Account { until: None, hint: "make a new token".into() };
    world.remote.script([Act::Fail(dead)]);
    world.run_for(HOUR).await;
    assert_eq!(world.remote.requests.lock().unwrap().len(), 1, "one try, then silence");
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), 1);
    assert_eq!(
        (incidents[0].key.as_str(), incidents[0].message.as_str()),
        ("account:me", "told to")
    );
    assert_eq!(world.counts().await["ready"], 2, "its queue stays");
    assert_eq!(world.list().await[1].attempts, 0, "no attempt is burned");

    // the same credentials change nothing; new ones wake it
    let world = world.with_config(PLAIN).await;
    world.run_for(MINUTE).await;
    assert!(world.remote.posts("me").is_empty());
    let world = world.with_config(&PLAIN.replace("\"out\"", "\"other\"")).await;
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me"), texts(2));
    assert!(world.incidents().await.is_empty(), "and it is over");
}

#[tokio::test(start_paused = true)]
async fn parking_with_an_end_ends_by_itself() {
    let world = with_news(PLAIN, 1).await;
    let until = Some(world.clock.now().plus(HOUR));
    world.remote.script([Act::Fail(Class::Account { until, hint: "wait".into() })]);
    world.run_for(59 * MINUTE).await;
    assert_eq!(world.incidents().await.len(), 1);
    world.run_for(2 * MINUTE).await;
    assert_eq!(world.remote.posts("me"), texts(1));
    assert!(world.incidents().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_only_seems_to_be_over_is_the_same_incident() {
    let world = with_news(PLAIN, 1).await;
    let again = |hours: u32| {
        let until = Some(world.clock.now().plus(hours * HOUR));
        Act::Fail(Class::Account { until, hint: "wait".into() })
    };
    world.remote.script([again(1), again(2), again(3)]);
    world.run_for(150 * MINUTE).await;
    assert_eq!(world.remote.requests.lock().unwrap().len(), 3);
    let incidents = world.incidents().await;
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].opened_at, crate::world::START, "one incident, and one alert");
    world.run_for(HOUR).await;
    assert_eq!(world.remote.posts("me"), texts(1));
    assert!(world.incidents().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_its_content_fails_at_once_and_the_next_goes_on() {
    let world = with_news(PLAIN, 2).await;
    world.remote.script([Act::Fail(Class::Content)]);
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me"), texts(2)[1..]);
    assert_eq!(world.states().await[1], "Entry 1: failed (told to)");
    let (id, now) = (world.list().await[1].id, world.clock.now());
    assert!(world.store.write(move |tx| people::retry(tx, id, now)).await.unwrap());
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_go_there_is_skipped_with_the_reason_and_the_next_goes_on() {
    // who asks for followers only is not shown to everyone
    let config = format!("{PLAIN}visibility = \"private\"\n").replace("outbox", "mastodon");
    let config = config.replace(
        "path = \"out\"",
        "base_url = \"https://social.example\"\naccess_token = \"secret\"",
    );
    let world = with_news(&config, 1).await;
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me"), texts(1), "there it can be for followers only");

    let private = Item { post: "{\"visibility\": \"private\"}", ..item("1") };
    let config = PLAIN.replace("outbox", "bluesky").replace(
        "path = \"out\"",
        "identifier = \"a.example\"\napp_password = \"secret\"\nappend_url = true",
    );
    let world = World::new(&config).await;
    world.poll(&[item("old")]).await;
    world.poll(&[item("2"), private.clone(), item("old")]).await;
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me"), ["Entry 2 a.example/2"]);
    assert_eq!(
        world.states().await[1],
        "Entry 1: skipped (visibility is `private`, and on bluesky everyone sees)"
    );
    assert!(world.incidents().await.is_empty(), "that is no failure");
    assert_eq!(world.remote.requests.lock().unwrap().len(), 1, "nothing was sent of it");

    let world = World::new(PLAIN).await;
    world.poll(&[item("old")]).await;
    world.poll(&[private, item("old")]).await;
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me"), texts(1), "a file is shown to nobody");
}

#[tokio::test(start_paused = true)]
async fn a_doubt_that_the_platform_can_not_settle_waits_for_a_person_who_is_told() {
    let world = with_news(PLAIN, 2).await;
    world.remote.script([Act::TakeAndLose]);
    world.remote.rule(|asked| match asked.finds {
        true => Act::Fail(Class::Ambiguous),
        false => Act::Take,
    });
    world.run_for(2 * HOUR).await;
    let why = "nobody could find out whether it is public: told to";
    assert_eq!(world.states().await[1], format!("Entry 1: held ({why})"));
    let incidents = world.incidents().await;
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    assert_eq!(incident.key, format!("doubt:{}", world.list().await[1].id));
    assert_eq!(incident.message, why);
    let questions = world.remote.asked.lock().unwrap().iter().filter(|(it, _)| it.finds).count();
    assert_eq!(questions, 8, "each is counted");
    assert_eq!(world.remote.posts("me"), texts(2), "the younger one is out, and this one once");
}

#[tokio::test(start_paused = true)]
async fn the_platform_says_that_it_has_it_already() {
    let world = with_news(PLAIN, 1).await;
    world.remote.script([Act::TakeAndLose]);
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me").len(), 1);
    let world = with_news(PLAIN, 1).await;
    world.remote.script([Act::Fail(Class::Duplicate)]);
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me").len(), 1, "nothing is there: it goes out");
}

#[tokio::test(start_paused = true)]
async fn the_pace_of_an_account_is_kept() {
    let config = PLAIN.replace("delay =", "cooldown = \"10m\"\nmax_per_day = 3\ndelay =");
    let world = with_news(&config, 5).await;
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me").len(), 1);
    world.run_for(25 * MINUTE).await;
    assert_eq!(world.remote.posts("me").len(), 3);
    world.run_for(20 * HOUR).await;
    assert_eq!(world.remote.posts("me").len(), 3, "not more in a day");
    world.run_for(5 * HOUR).await;
    assert_eq!(world.remote.posts("me"), texts(5));
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_kept_to_the_second() {
    let config = PLAIN.replace("delay =", "cooldown = \"90s\"\nmax_per_day = 2\ndelay =");
    let world = with_news(&config, 3).await;
    world.run_for(25 * HOUR).await;
    let times = world.remote.requests.lock().unwrap().clone();
    let times: Vec<_> = times.iter().map(|(at, _)| at.since(crate::world::START)).collect();
    assert_eq!(times, [Duration::ZERO, Duration::from_secs(90), 24 * HOUR]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_hangs_breaks_its_promise_and_one_that_has_ended_does_not() {
    let world = with_news(PLAIN, 1).await;
    let (label, _) = world.config.accounts.first_key_value().unwrap();
    let promise = MINUTE + 10 * world.config.delivery.timeout;
    let worker = world.worker(label).await;
    let stop = CancellationToken::new();
    // it lives, and then nobody asks it any more
    let hangs = tokio::time::timeout(HOUR, worker.run(&stop));
    assert!(hangs.await.is_err());
    assert_eq!(worker.pulses.overdue(), None);
    pass(promise + Duration::from_secs(1)).await;
    assert_eq!(worker.pulses.overdue().unwrap().0, "account me");
    stop.cancel();
    worker.run(&stop).await;
    assert_eq!(worker.pulses.overdue(), None);
}

#[tokio::test(start_paused = true)]
async fn approval_waits_for_a_person_and_a_dry_run_sends_nothing() {
    let world = with_news(&PLAIN.replace("delay =", "approve = true\ndelay ="), 1).await;
    world.run_for(MINUTE).await;
    assert_eq!(world.states().await[1], "Entry 1: held (waits for approval)");
    let (id, now) = (world.list().await[1].id, world.clock.now());
    assert!(world.store.write(move |tx| people::publish(tx, id, now)).await.unwrap());
    world.run_for(MINUTE).await;
    assert_eq!(world.remote.posts("me"), texts(1));

    let world = with_news(&PLAIN.replace("delay =", "dry_run = true\ndelay ="), 1).await;
    world.run_for(MINUTE).await;
    assert_eq!(world.states().await[1], "Entry 1: skipped (dry run)");
    assert!(world.remote.posts("me").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_draft_is_frozen_once_it_may_have_been_sent() {
    let world = with_news(PLAIN, 1).await;
    world.remote.script([Act::Fail(Class::Retry { not_before: None })]);
    world.deliver().await;
    let mut edited = item("1");
    edited.title = "Edited".into();
    world.poll(&[edited, item("old")]).await;
    pass(MINUTE).await;
    world.deliver().await;
    assert_eq!(world.remote.posts("me"), texts(1), "every retry sends the same bytes");
}

/// The whole day of an account whose platform has a bad one, as exact times.
#[tokio::test(start_paused = true)]
async fn a_day_with_a_failing_platform() {
    let world = with_news(PLAIN, 2).await;
    let down = Act::Fail(Class::Retry { not_before: None });
    let slow = Act::Fail(Class::RateLimited { not_before: None });
    let mut acts = vec![down; 8];
    acts.extend([slow, Act::Lose, Act::TakeAndLose, Act::Take]);
    world.remote.script(acts);
    world.run_for(24 * HOUR).await;
    let start = crate::world::START;
    let times: Vec<String> = world
        .remote
        .requests
        .lock()
        .unwrap()
        .iter()
        .map(|(at, _)| humantime::format_duration(at.since(start)).to_string())
        .collect();
    insta::assert_snapshot!(times.join("\n"), @r"
    0s
    12s 752ms
    39s 178ms
    1m 29s 992ms
    3m 22s 513ms
    7m 5s 875ms
    13m 56s 145ms
    27m 34s 240ms
    57m 58s 120ms
    1h 2m 58s 120ms
    1h 3m 10s 872ms
    1h 3m 10s 872ms
    ");
    assert_eq!(world.remote.posts("me"), texts(2));
}

#[tokio::test(start_paused = true)]
async fn a_cause_that_comes_back_with_another_number_is_told_once() {
    let world = World::new(PLAIN).await;
    let told = world.store.write(|tx| {
        let mut told = Vec::new();
        for message in ["error 368 (fbtrace_id A)", "error 368 (fbtrace_id B)", "error 190"] {
            let now = crate::world::START;
            told.push(incidents::open_or_change(tx, "account:me", message, now)?);
        }
        Ok(told)
    });
    assert_eq!(told.await.unwrap(), [true, false, true]);
}
