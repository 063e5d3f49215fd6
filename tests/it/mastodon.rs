//! The Mastodon publisher against strict servers of every family that lose, cut, delay and replace
//! its answers.
//!
//! Time is moved by handing another clock to a publisher that has just begun and so can't know
//! better, as after a restart; never by waiting.

use std::sync::LazyLock;
use std::time::Duration;

use futures_util::future::join_all;
use posse_party::clock::{Clock, Timestamp};
use posse_party::compose::{Subject, compose};
use posse_party::config::{Delivery, Secret};
use posse_party::crosspost::{Class, Failure, Receipt};
use posse_party::draft::{Draft, Visibility};
use posse_party::entry::Entry;
use posse_party::http;
use posse_party::names::CrosspostId;
use posse_party::platform::{Limits, Platform, Unit};
use posse_party::publish::mastodon::Mastodon;
use posse_party::publish::{Desk, Found, Notebook, NotebookError, Outcome, Publisher, Scratch};
use posse_party::redact;
use posse_party::settings::{Settings, Utm};
use posse_party::shelf::Shelf;
use serde_json::{Value, json};

use crate::mastodon_server::{
    Answer, Effect, Family, Fault, MastodonServer, Reply, Request, Route, Stage, TOKEN,
};

mod media;
mod warning;

/// Far longer than a busy machine takes to answer on loopback.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Short enough to wait for, where the server says nothing.
const SHORT: Duration = Duration::from_millis(500);

/// A crosspost of an account on a server of its own.
struct Bench {
    server: MastodonServer,
    publisher: Mastodon,
    token: &'static str,
    timeout: Duration,
    journal: Scratch,
    memory: Scratch,
    clock: Clock,
    shelf: Shelf,
    _folder: tempfile::TempDir,
}

fn publisher(server: &MastodonServer, token: &str, timeout: Duration) -> Mastodon {
    // a client takes long to build, and keeps no connections: one is enough
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        let delivery = Delivery { timeout: TIMEOUT, ..Delivery::default() };
        http::publishing("posse-party/test", &delivery).unwrap()
    });
    Mastodon::new(server.url().clone(), Secret::new(token), CLIENT.clone(), timeout)
}

impl Bench {
    fn new(family: Family) -> Self {
        Self::with_token(family, TOKEN)
    }

    fn with_token(family: Family, token: &'static str) -> Self {
        let server = MastodonServer::start(family);
        let (publisher, timeout) = (publisher(&server, token, TIMEOUT), TIMEOUT);
        let (journal, memory) = (Scratch::default(), Scratch::default());
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::beside(&folder.path().join("x.db"));
        Self {
            server,
            publisher,
            token,
            timeout,
            journal,
            memory,
            clock: Clock::System,
            shelf,
            _folder: folder,
        }
    }

    /// Gives up soon from now on.
    fn impatient(&mut self) {
        self.timeout = SHORT;
        self.restart();
    }

    /// Waits as long as it takes from now on.
    fn patient(&mut self) {
        self.timeout = TIMEOUT;
        self.restart();
    }

    /// Goes on with what is in the database, and nothing else.
    fn restart(&mut self) {
        self.publisher = publisher(&self.server, self.token, self.timeout);
    }

    /// Uses another token from now on.
    fn use_token(&mut self, token: &'static str) {
        self.token = token;
        self.restart();
    }

    /// Uses another server from now on, and returns the one of before.
    fn move_to(&mut self, server: MastodonServer) -> MastodonServer {
        let before = std::mem::replace(&mut self.server, server);
        self.restart();
        before
    }

    /// Goes on to the next crosspost.
    fn next(&mut self) {
        self.journal = Scratch::default();
        self.clock = Clock::System;
        self.restart();
    }

    /// One whose publisher has asked for the limits, as the pipeline does before it composes.
    async fn ready(family: Family) -> Self {
        let bench = Self::new(family);
        bench.limits().await;
        bench
    }

    fn desk(&self) -> Desk<'_> {
        let crosspost = Some(CrosspostId(1));
        Desk {
            crosspost,
            journal: &self.journal,
            memory: &self.memory,
            clock: &self.clock,
            shelf: Some(&self.shelf),
        }
    }

    async fn limits(&self) -> Limits {
        self.publisher.limits(&self.desk()).await
    }

    async fn publish(&self, draft: &Draft) -> Outcome {
        self.publisher.publish(draft, &self.desk()).await
    }

    async fn find(&self, draft: &Draft) -> Found {
        self.publisher.find(draft, &self.desk()).await
    }

    /// The failure of an attempt that must fail.
    async fn failure(&self, draft: &Draft) -> Failure {
        match self.publish(draft).await {
            Outcome::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    fn later(&mut self, by: Duration) {
        self.until(self.clock.now().plus(by));
    }

    fn until(&mut self, at: Timestamp) {
        self.set_clock(at);
        self.restart();
    }

    /// Somebody sets the clock, and the program runs on.
    fn set_clock(&mut self, at: Timestamp) {
        self.clock = Clock::virtual_from(at);
    }

    /// Everything that was posted so far, whatever became of it.
    fn posted(&self) -> Vec<Request> {
        let requests = self.server.requests().into_iter();
        requests.filter(|request| request.route() == Some(Route::Publish)).collect()
    }

    /// Does what the delivery does: asks before anything is sent again, and waits when told to.
    async fn deliver(&mut self, draft: &Draft) -> Receipt {
        for _ in 0..6 {
            let outcome = self.publish(draft).await;
            self.patient();
            match outcome {
                Outcome::Published(receipt) => return receipt,
                Outcome::Failed(Failure { class: Class::Retry { .. }, .. }) => continue,
                Outcome::Wait { wait, .. } => {
                    self.server.media(|media| media.finish(Stage::Ready));
                    self.later(wait);
                    continue;
                }
                Outcome::Failed(Failure { class: Class::Ambiguous | Class::Duplicate, .. }) => {}
                other => panic!("{other:?}"),
            }
            loop {
                match self.find(draft).await {
                    Found::Published(receipt) => return receipt,
                    Found::Absent => break,
                    Found::Unknown(Failure {
                        class: Class::Retry { not_before: Some(at) },
                        ..
                    }) => self.until(at),
                    Found::Unknown(failure) => panic!("{failure:?}"),
                }
            }
        }
        panic!("six attempts and no end");
    }
}

fn draft() -> Draft {
    let url = "https://blog.example.com/2026/a-long-enough-title-for-an-ellipsis/";
    Draft {
        text: format!("Hello & <world> 🎉\n\n{url}"),
        canonical_url: Some(url.to_owned()),
        ..Draft::default()
    }
}

/// The families on which a text alone can be posted.
fn text_families() -> impl Iterator<Item = Family> {
    Family::ALL.into_iter().filter(|family| *family != Family::Pixelfed)
}

#[tokio::test]
async fn a_draft_becomes_a_post_in_every_family() {
    for family in text_families() {
        let bench = Bench::new(family);
        let draft = Draft {
            language: Some("de".into()),
            visibility: Some(Visibility::Unlisted),
            ..draft()
        };
        let Outcome::Published(receipt) = bench.publish(&draft).await else {
            panic!("{family:?}");
        };
        let posts = bench.server.posted(1).await;
        assert_eq!(posts.len(), 1);
        assert_eq!(receipt.remote_id, posts[0].id);
        assert_eq!(receipt.url.as_deref(), Some(posts[0].url.as_str()));
        assert_eq!((&posts[0].text, posts[0].visibility.as_str()), (&draft.text, "unlisted"));
        assert_eq!(posts[0].language.as_deref(), Some("de"));
    }
}

#[tokio::test]
async fn what_is_not_set_is_left_to_the_account() {
    let bench = Bench::new(Family::Mastodon);
    bench.server.set_default_visibility("private");
    bench.publish(&draft()).await;
    let post = &bench.server.posts()[0];
    assert_eq!((post.visibility.as_str(), post.language.as_deref()), ("private", None));
}

#[tokio::test]
async fn every_fault_has_its_class() {
    let json = |status, text: &str| Fault::reply(Reply::error(status, text));
    let html = |status| Fault::reply(Reply::html(status));
    let odd = |answer| Fault { effect: Effect::None, answer };
    let table = [
        (json(401, "The access token is invalid"), "account"),
        (json(403, "This action is outside the authorized scopes"), "account"),
        (json(422, "Validation failed: Text character limit of 500 exceeded"), "content"),
        (json(429, "Too many requests"), "rate_limited"),
        (json(500, "Internal Server Error"), "ambiguous"),
        (html(502), "ambiguous"),
        (html(503), "ambiguous"),
        (html(504), "ambiguous"),
        (html(524), "ambiguous"),
        (html(404), "account"),
        (html(302), "ambiguous"),
        (html(301), "account"),
        (Fault::reply(Reply::json(200, &json!([]))), "ambiguous"),
        (Fault::reply(Reply::json(200, &json!({ "id": "1", "url": null }))), "ambiguous"),
        (Fault::reply(Reply::json(202, &json!({ "url": "https://a.example/1" }))), "ambiguous"),
        (html(200), "ambiguous"),
        (odd(Answer::HangUp), "ambiguous"),
        (odd(Answer::Silence), "ambiguous"),
        (odd(Answer::Garbage), "ambiguous"),
        (Fault { effect: Effect::Done, answer: Answer::Truncated }, "ambiguous"),
        (Fault { effect: Effect::Done, answer: Answer::Reply(Reply::html(504)) }, "ambiguous"),
    ];
    for (fault, class) in table {
        let mut bench = Bench::new(Family::Mastodon);
        if matches!(fault.answer, Answer::Silence) {
            bench.impatient();
        }
        let told = format!("{fault:?}");
        bench.server.script(Route::Publish, fault);
        let failure = bench.failure(&draft()).await;
        assert_eq!(failure.class.as_str(), class, "{told}: {failure:?}");
        assert!(failure.message.starts_with("posting to `http://127.0.0.1:"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_it() {
    let bench = Bench::new(Family::Mastodon);
    let long = "x".repeat(300 * 1024);
    bench.server.script(Route::Publish, Fault::reply(Reply::error(200, &long)));
    let failure = bench.failure(&draft()).await;
    assert_eq!(failure.class, Class::Ambiguous);
    assert!(failure.message.contains("larger than 262144 bytes"), "{failure:?}");
}

#[tokio::test]
async fn nobody_there_is_a_retry_and_up_again_is_a_post() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    bench.server.down();
    let failure = bench.failure(&draft()).await;
    assert_eq!(failure.class, Class::Retry { not_before: None }, "{failure:?}");
    bench.server.up();
    bench.deliver(&draft()).await;
    assert_eq!(bench.server.posts().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_ends_with_one_post_in_every_family() {
    let faults = || {
        let effects = [Effect::Done, Effect::None];
        effects.into_iter().flat_map(|effect| {
            let reply = |status| Answer::Reply(Reply::html(status));
            let broken = (effect == Effect::Done).then_some(Answer::Truncated);
            [Answer::HangUp, Answer::Silence, Answer::Garbage, reply(500), reply(502), reply(499)]
                .into_iter()
                .chain(broken)
                .map(move |answer| Fault { effect, answer })
        })
    };
    let cases = text_families().flat_map(|family| faults().map(move |fault| (family, fault)));
    join_all(cases.map(|(family, fault)| async move {
        let told = format!("{family:?}, {fault:?}");
        let mut bench = Bench::ready(family).await;
        bench.server.seed("An older post https://blog.example.com/older", HOUR * 9, false);
        if matches!(fault.answer, Answer::Silence) {
            bench.impatient();
        }
        bench.server.script(Route::Publish, fault);
        let receipt = bench.deliver(&draft()).await;
        let ours: Vec<_> = bench.server.posts().split_off(1);
        assert_eq!(ours.len(), 1, "{told}");
        assert_eq!(receipt.remote_id, ours[0].id, "{told}");
    }))
    .await;
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn answers_lost_again_and_again_still_end_with_one_post() {
    for family in [Family::Mastodon, Family::Pleroma, Family::GoToSocial] {
        let mut bench = Bench::ready(family).await;
        for effect in [Effect::None, Effect::Done, Effect::Done] {
            bench.server.script(Route::Publish, Fault { effect, answer: Answer::HangUp });
        }
        // the replay is in doubt as well, and settled by another look
        let draft = draft();
        assert_eq!(bench.failure(&draft).await.class, Class::Ambiguous);
        for _ in 0..10 {
            match bench.find(&draft).await {
                Found::Published(_) => break,
                Found::Absent => _ = bench.publish(&draft).await,
                Found::Unknown(_) => bench.later(MINUTE),
            }
        }
        assert!(matches!(bench.find(&draft).await, Found::Published(_)), "{family:?}");
        assert_eq!(bench.server.posts().len(), 1, "{family:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_only_slow_gets_no_second_request() {
    for family in [Family::Mastodon, Family::GoToSocial] {
        let mut bench = Bench::ready(family).await;
        bench.impatient();
        let slow = Fault { effect: Effect::Late, answer: Answer::Silence };
        bench.server.script(Route::Publish, slow);
        assert_eq!(bench.failure(&draft()).await.class, Class::Ambiguous);

        // nothing is there, and still that proves nothing
        let Found::Unknown(Failure { class: Class::Retry { not_before: Some(at) }, .. }) =
            bench.find(&draft()).await
        else {
            panic!("{family:?} was believed");
        };
        assert!(at.since(bench.clock.now()) <= SHORT * 2);
        assert_eq!(bench.posted().len(), 1);

        bench.server.catch_up();
        let found = bench.find(&draft()).await;
        assert!(matches!(found, Found::Published(_)), "a look is never too early: {found:?}");
        bench.until(at);
        assert!(matches!(bench.find(&draft()).await, Found::Published(_)));
        assert_eq!(bench.server.posts().len(), 1);
    }
}

#[tokio::test]
async fn inside_the_window_the_same_request_goes_out_again() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&draft()).await;
    bench.later(TIMEOUT * 2);
    assert!(matches!(bench.find(&draft()).await, Found::Published(_)));
    let posted = bench.posted();
    assert_eq!(posted.len(), 2);
    assert_eq!(posted[0].header("idempotency-key"), posted[1].header("idempotency-key"));
    assert_eq!(posted[0].body, posted[1].body);
    assert_eq!(bench.server.count(Route::Statuses), 1, "after a look");
}

#[tokio::test]
async fn after_the_window_only_a_look_settles_it() {
    for (effect, posts) in [(Effect::Done, 1), (Effect::None, 0)] {
        let mut bench = Bench::ready(Family::Mastodon).await;
        bench.server.script(Route::Publish, Fault { effect, answer: Answer::HangUp });
        bench.failure(&draft()).await;
        bench.server.forget_keys();
        bench.later(MINUTE * 51);
        let found = bench.find(&draft()).await;
        assert_eq!(bench.posted().len(), 1, "nothing was sent");
        match effect {
            Effect::Done => assert!(matches!(found, Found::Published(_)), "{found:?}"),
            _ => assert_eq!(found, Found::Absent),
        }
        assert_eq!(bench.server.posts().len(), posts);
    }
}

#[tokio::test]
async fn a_family_that_nobody_knows_is_not_trusted_with_the_key() {
    let mut bench = Bench::new(Family::Mastodon); // never asked what it is
    bench.server.script(Route::Publish, Fault::lost());
    bench.failure(&draft()).await;
    bench.server.forget_keys();
    bench.later(MINUTE);
    assert!(matches!(bench.find(&draft()).await, Found::Published(_)));
    assert_eq!(bench.posted().len(), 1);
}

#[tokio::test]
async fn a_post_that_was_deleted_meanwhile_does_not_come_back() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    bench.server.script(Route::Publish, Fault::lost());
    bench.failure(&draft()).await;
    bench.server.delete(&bench.server.posts()[0].id);
    bench.later(MINUTE);
    let Found::Unknown(failure) = bench.find(&draft()).await else { panic!("it was sent again") };
    assert_eq!(failure.class, Class::Duplicate);
    assert!(failure.message.contains("deleted there since"), "{failure:?}");
    assert!(bench.server.posts().is_empty());
}

#[tokio::test]
async fn a_refusal_gets_a_new_key_and_a_doubt_does_not() {
    let key = |request: &Request| request.header("idempotency-key").unwrap().to_owned();
    // Pleroma repeats its refusals under the same key, so this would never end
    let bench = Bench::ready(Family::Pleroma).await;
    bench.server.set_max_characters(10);
    assert_eq!(bench.failure(&draft()).await.class, Class::Content);
    bench.server.set_max_characters(500);
    assert!(matches!(bench.publish(&draft()).await, Outcome::Published(_)));
    let posted = bench.posted();
    assert_ne!(key(&posted[0]), key(&posted[1]));

    let bench = Bench::ready(Family::GoToSocial).await;
    let overload = Reply::error(503, "server busy").with("Retry-After", "30");
    bench.server.script(Route::Publish, Fault::reply(overload));
    let failure = bench.failure(&draft()).await;
    let Class::Retry { not_before: Some(at) } = failure.class else { panic!("{failure:?}") };
    assert!(at.since(Clock::System.now()) > Duration::from_secs(20));
    bench.publish(&draft()).await;
    let posted = bench.posted();
    assert_eq!((key(&posted[0]), &posted[0].body), (key(&posted[1]), &posted[1].body));
}

/// `retry` and `resolve --retry` compose anew while the journal holds the request of before.
#[tokio::test]
async fn a_draft_that_was_composed_anew_is_what_is_sent_and_sought() {
    for family in [Family::Mastodon, Family::GoToSocial] {
        let mut bench = Bench::ready(family).await;
        let edited = Draft { text: "Quite another thing".into(), ..Draft::default() };
        bench.server.script(Route::Publish, Fault::dropped());
        bench.failure(&draft()).await;
        bench.server.script(Route::Publish, Fault::lost());
        bench.failure(&edited).await;
        let posted = bench.posted();
        assert_ne!(posted[0].header("idempotency-key"), posted[1].header("idempotency-key"));
        assert_eq!(bench.server.posts()[0].text, edited.text);
        // whatever draft comes with the question: what was sent is what is sought
        bench.server.forget_keys();
        for asked in [edited, draft()] {
            bench.later(MINUTE);
            let found = bench.find(&asked).await;
            assert!(matches!(found, Found::Published(_)), "{family:?}: {found:?}");
        }
        assert_eq!(bench.server.posts().len(), 1);
    }
}

#[tokio::test]
async fn what_was_sent_to_one_server_is_not_sought_on_another() {
    for family in [Family::Mastodon, Family::GoToSocial] {
        let mut bench = Bench::ready(family).await;
        bench.server.script(Route::Publish, Fault::lost());
        bench.failure(&draft()).await;
        let old = bench.move_to(MastodonServer::start(family));
        bench.later(MINUTE);
        let Found::Unknown(failure) = bench.find(&draft()).await else { panic!("it was judged") };
        assert_eq!(failure.class, Class::Ambiguous);
        let origin = old.url().origin().ascii_serialization();
        assert!(failure.message.contains(&format!("sent to `{origin}`")), "{failure:?}");
        assert!(bench.server.requests().is_empty(), "nobody was asked");

        // its owner looked, and wants it here
        bench.deliver(&draft()).await;
        let key = |request: &Request| request.header("idempotency-key").map(str::to_owned);
        let publish = |request: &&Request| request.route() == Some(Route::Publish);
        let before = old.requests().iter().find(publish).and_then(key);
        assert_ne!(key(&bench.posted()[0]), before);
    }
}

#[tokio::test]
async fn a_new_token_is_trusted_where_it_is_known_to_be_the_same_account_s() {
    const NEW: &str = "marked-secret-of-the-next-application";
    for (asked_before, account, is_ours) in [
        (true, None, true),
        (false, None, false),
        (true, Some("4711"), false),
        (false, Some("4711"), false),
    ] {
        let told = format!("{asked_before}, {account:?}");
        let mut bench = Bench::ready(Family::Mastodon).await;
        bench.server.script(Route::Publish, Fault::dropped());
        bench.failure(&draft()).await;
        if asked_before {
            let early = bench.find(&draft()).await;
            assert!(matches!(early, Found::Unknown(_)), "{early:?}");
        }
        bench.server.sign_in(NEW, account);
        bench.use_token(NEW);
        bench.later(MINUTE);
        match bench.find(&draft()).await {
            Found::Published(_) if is_ours => {}
            Found::Unknown(failure) if !is_ours => {
                assert_eq!(failure.class, Class::Ambiguous, "{told}");
                assert!(failure.message.contains("another token"), "{told}: {failure:?}");
            }
            other => panic!("{told}: {other:?}"),
        }
        assert_eq!(bench.server.posts().len(), usize::from(is_ours), "{told}");
    }
}

#[tokio::test]
async fn a_composed_post_is_found_by_what_it_looks_like_there() {
    // parameters that count clicks, a handle that is disarmed, one that is not, hashtags
    let entry = Entry {
        url: Some("https://blog.example.com/2026/hello/".into()),
        title: Some("Ada Lovelace & @nobody say hello".into()),
        categories: vec!["open source".into()],
        ..Entry::default()
    };
    let settings = Settings {
        utm: Some(Utm { source: Some("{{platform}}".into()), ..Utm::default() }),
        append_hashtags: true,
        ..Settings::of_platform(Platform::Mastodon)
    };
    let ada = [(Platform::Mastodon, "ada@example.social".to_owned())].into();
    let draft = compose(&Subject {
        entry: &entry,
        settings: &settings,
        platform: Platform::Mastodon,
        account: "me",
        limits: &Platform::Mastodon.limits(),
        media_limits: &Platform::Mastodon.media(),
        people: &[("Ada Lovelace".to_owned(), ada)].into(),
        page: None,
        media: None,
    })
    .unwrap();
    assert_eq!(
        draft.text,
        "@ada@example.social & @\u{2060}nobody say hello \
         https://blog.example.com/2026/hello/?utm_source=mastodon\n\n#OpenSource"
    );
    for family in text_families() {
        for fault in [Fault::dropped(), Fault::lost()] {
            let mut bench = Bench::ready(family).await;
            bench.server.script(Route::Publish, fault.clone());
            let receipt = bench.deliver(&draft).await;
            let posts = bench.server.posts();
            assert_eq!(posts.len(), 1, "{family:?}, {fault:?}");
            assert_eq!(receipt.remote_id, posts[0].id, "{family:?}, {fault:?}");
        }
    }
}

#[tokio::test]
async fn posts_that_share_a_link_are_told_apart() {
    let home = "https://blog.example.com/";
    let note = |words: &str| Draft {
        text: format!("{words} {home}"),
        canonical_url: Some(home.into()),
        ..Draft::default()
    };
    for family in text_families() {
        for fault in [Fault::dropped(), Fault::lost()] {
            let mut bench = Bench::ready(family).await;
            let first = bench.deliver(&note("The first of the day")).await;
            bench.next();
            bench.server.script(Route::Publish, fault.clone());
            let second = bench.deliver(&note("What came to my mind at noon")).await;
            assert_ne!(first.remote_id, second.remote_id, "{family:?}, {fault:?}");
            assert_eq!(bench.server.posts().len(), 2, "{family:?}, {fault:?}");
        }
    }
    // where the words don't tell them apart, a person does
    let mut bench = Bench::ready(Family::Mastodon).await;
    bench.deliver(&note("The song of the day: one")).await;
    bench.next();
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&note("The song of the day: two")).await;
    bench.later(MINUTE);
    let Found::Unknown(failure) = bench.find(&draft()).await else { panic!("it was taken") };
    assert_eq!(failure.class, Class::Duplicate);
    assert_eq!(bench.server.posts().len(), 1);
}

#[tokio::test]
async fn the_same_words_from_just_before_are_not_ours() {
    let mut bench = Bench::ready(Family::GoToSocial).await;
    bench.server.set_clock_ahead(300_000);
    bench.server.seed(&draft().text, Duration::from_secs(100), false);
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&draft()).await;
    // the age of the request was measured: no slack for clocks is needed
    let Found::Unknown(failure) = bench.find(&draft()).await else { panic!("it was taken") };
    assert!(failure.message.contains("not there yet"), "{failure:?}");
    // after a restart it was not: neither taken nor passed over
    bench.later(MINUTE);
    let Found::Unknown(failure) = bench.find(&draft()).await else { panic!("it was judged") };
    assert_eq!(failure.class, Class::Duplicate);
}

#[tokio::test]
async fn a_look_comes_before_the_key() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    bench.server.script(Route::Publish, Fault::lost());
    bench.failure(&draft()).await;
    bench.server.forget_keys(); // sooner than it should
    bench.later(MINUTE);
    assert!(matches!(bench.find(&draft()).await, Found::Published(_)));
    assert_eq!((bench.posted().len(), bench.server.posts().len()), (1, 1));
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_key_young() {
    for family in [Family::Mastodon, Family::GoToSocial] {
        let early = Clock::System.now().minus(HOUR * 2);
        // the program runs on, and has measured
        let mut bench = Bench::ready(family).await;
        bench.server.script(Route::Publish, Fault::lost());
        bench.failure(&draft()).await;
        bench.server.forget_keys();
        bench.set_clock(early);
        let found = bench.find(&draft()).await;
        assert!(matches!(found, Found::Published(_)), "{family:?}: {found:?}");

        // it was started again: nobody knows when that was
        for fault in [Fault::lost(), Fault::dropped()] {
            let mut bench = Bench::ready(family).await;
            bench.server.seed("Something older", HOUR * 3, false);
            bench.server.script(Route::Publish, fault.clone());
            bench.failure(&draft()).await;
            bench.server.forget_keys();
            bench.until(early);
            let Found::Unknown(Failure { class: Class::Retry { not_before: Some(at) }, .. }) =
                bench.find(&draft()).await
            else {
                panic!("{family:?} was believed at once");
            };
            bench.until(at);
            let found = bench.find(&draft()).await;
            if fault.effect == Effect::Done {
                let Found::Unknown(failure) = found else { panic!("{family:?}: {found:?}") };
                assert_eq!(failure.class, Class::Duplicate, "{family:?}");
            } else {
                assert_eq!(found, Found::Absent, "{family:?}");
            }
            assert_eq!(bench.posted().len(), 1, "{family:?}: the key is not trusted");
        }
    }
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_ends_no_quiet_time() {
    for family in [Family::Mastodon, Family::GoToSocial] {
        let mut bench = Bench::ready(family).await;
        let slow = Fault { effect: Effect::Late, answer: Answer::HangUp };
        bench.server.script(Route::Publish, slow);
        bench.failure(&draft()).await;
        for hours in 1..3 {
            bench.set_clock(Clock::System.now().plus(HOUR * hours));
            let Found::Unknown(Failure { class: Class::Retry { not_before: Some(at) }, .. }) =
                bench.find(&draft()).await
            else {
                panic!("{family:?} was believed while the request was at work");
            };
            assert!(at > bench.clock.now() && at <= bench.clock.now().plus(TIMEOUT * 2));
        }
        assert_eq!(bench.posted().len(), 1);
        bench.server.catch_up();
        assert!(matches!(bench.find(&draft()).await, Found::Published(_)));
    }
}

#[tokio::test]
async fn a_proven_absence_gets_a_new_key() {
    let mut bench = Bench::ready(Family::Takahe).await;
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&draft()).await;
    bench.later(MINUTE);
    assert_eq!(bench.find(&draft()).await, Found::Absent);
    bench.publish(&draft()).await;
    let posted = bench.posted();
    assert_ne!(posted[0].header("idempotency-key"), posted[1].header("idempotency-key"));
    assert_eq!(bench.find(&draft()).await, {
        let post = &bench.server.posts()[0];
        Found::Published(Receipt { remote_id: post.id.clone(), url: Some(post.url.clone()) })
    });
}

#[tokio::test]
async fn nothing_in_the_journal_means_that_nothing_was_sent() {
    let bench = Bench::new(Family::GoToSocial);
    assert_eq!(bench.find(&draft()).await, Found::Absent);
    assert!(bench.server.requests().is_empty(), "there was nothing to ask");
}

#[tokio::test]
async fn without_a_journal_nothing_is_sent() {
    struct Full;
    #[async_trait::async_trait]
    impl Notebook for Full {
        async fn read(&self, _: &str) -> Result<Option<Value>, NotebookError> {
            Ok(None)
        }
        async fn write(&self, _: &str, _: Value) -> Result<(), NotebookError> {
            Err(NotebookError("the disk is full".into()))
        }
    }
    let bench = Bench::new(Family::Mastodon);
    let desk = Desk { journal: &Full, ..bench.desk() };
    let Outcome::Failed(failure) = bench.publisher.publish(&draft(), &desk).await else {
        panic!("it was sent")
    };
    assert_eq!(failure.class, Class::Retry { not_before: None });
    assert!(failure.message.contains("the disk is full"), "{failure:?}");
    assert!(bench.server.requests().is_empty());
}

#[tokio::test]
async fn the_look_goes_back_page_by_page() {
    for family in [Family::GoToSocial, Family::Pleroma] {
        let mut bench = Bench::ready(family).await;
        bench.server.script(Route::Publish, Fault::lost());
        bench.failure(&draft()).await;
        for number in 0..95 {
            bench.server.seed(&format!("Another {number}"), Duration::ZERO, number % 10 == 0);
        }
        bench.later(MINUTE);
        assert!(matches!(bench.find(&draft()).await, Found::Published(_)));
        assert_eq!(bench.server.count(Route::Statuses), 3);
    }
}

#[tokio::test]
async fn the_look_stops_at_the_first_attempt() {
    let mut bench = Bench::ready(Family::GoToSocial).await;
    for number in 0..200 {
        bench.server.seed(&format!("Old {number}"), HOUR, false);
    }
    // the same link, but from long before: not this crosspost
    bench.server.seed(&draft().text, HOUR / 2, false);
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&draft()).await;
    bench.later(MINUTE);
    assert_eq!(bench.find(&draft()).await, Found::Absent);
    assert_eq!(bench.server.count(Route::Statuses), 1);
}

#[tokio::test]
async fn a_clock_that_is_wrong_hides_nothing() {
    for ahead_ms in [-600_000, 600_000] {
        let mut bench = Bench::ready(Family::GoToSocial).await;
        bench.server.set_clock_ahead(ahead_ms);
        bench.server.script(Route::Publish, Fault::lost());
        bench.failure(&draft()).await;
        assert!(matches!(bench.find(&draft()).await, Found::Published(_)), "{ahead_ms}");
        bench.later(MINUTE);
        assert!(matches!(bench.find(&draft()).await, Found::Published(_)), "{ahead_ms}");
    }
}

#[tokio::test]
async fn an_absence_is_believed_only_of_a_list_that_proves_it() {
    let private = Draft { visibility: Some(Visibility::Private), ..draft() };
    let json = |body: Value| Reply::json(200, &body);
    let empty = json(json!([]));
    let table = [
        (Family::Takahe, draft(), empty.clone(), "though the account has posts"),
        (Family::Takahe, draft(), json(json!({ "error": "busy" })), "no list of posts"),
        (Family::Takahe, draft(), json(json!([{ "content": "?" }])), "no list of posts"),
        (Family::Takahe, draft(), Reply::html(200), "no JSON"),
        (Family::Takahe, draft(), Reply::html(502), "502"),
        (Family::GoToSocial, private, json(json!([OLD.clone()])), "not public"),
    ];
    for (family, draft, reply, why) in table {
        let mut bench = Bench::ready(family).await;
        bench.server.seed("Something older", HOUR, false);
        bench.server.script(Route::Publish, Fault::dropped());
        bench.failure(&draft).await;
        bench.later(MINUTE);
        bench.server.script(Route::Statuses, Fault::reply(reply));
        let Found::Unknown(failure) = bench.find(&draft).await else { panic!("{why}") };
        assert!(failure.message.contains(why), "{failure:?}, want {why}");
        assert_eq!(bench.posted().len(), 1);
    }
}

static OLD: LazyLock<Value> = LazyLock::new(
    || json!({ "id": "1", "created_at": "2020-01-01T00:00:00Z", "content": "<p>Old</p>" }),
);

#[tokio::test]
async fn an_account_without_posts_is_believed() {
    let mut bench = Bench::ready(Family::GoToSocial).await;
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&draft()).await;
    bench.later(MINUTE);
    assert_eq!(bench.find(&draft()).await, Found::Absent);
}

#[tokio::test]
async fn a_post_that_only_resembles_ours_stops_the_second_one() {
    let text = "Four words and more";
    let draft = Draft { text: text.into(), ..Draft::default() };
    let mut bench = Bench::ready(Family::GoToSocial).await;
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&draft).await;
    bench.server.seed("Four words and less", Duration::ZERO, false);
    bench.later(MINUTE);
    let Found::Unknown(failure) = bench.find(&draft).await else { panic!("it was overlooked") };
    assert_eq!(failure.class, Class::Duplicate);
    assert!(failure.message.contains(&bench.server.posts()[0].url), "{failure:?}");
}

#[tokio::test]
async fn without_a_link_the_text_is_found() {
    for family in [Family::GoToSocial, Family::Snac, Family::Pleroma] {
        let draft = Draft { text: "Only words & <signs>\n\nhere".into(), ..Draft::default() };
        let mut bench = Bench::ready(family).await;
        bench.server.script(Route::Publish, Fault::lost());
        bench.deliver(&draft).await;
        assert_eq!(bench.server.posts().len(), 1);
    }
}

#[tokio::test]
async fn a_wrong_token_parks_the_account_and_is_not_shown() {
    const WRONG: &str = "marked-secret-that-is-wrong";
    // as `run` does with the secrets of the config
    redact::register_secrets([&Secret::new(WRONG)]);
    for family in Family::ALL {
        let bench = Bench::with_token(family, WRONG);
        let failure = bench.failure(&draft()).await;
        let Class::Account { until: None, hint } = &failure.class else { panic!("{failure:?}") };
        assert!(hint.contains("new token") && hint.contains("Development"), "{hint}");
        let refused = bench.publisher.verify(&bench.desk()).await.unwrap_err();
        assert_eq!(refused.class.as_str(), "account", "{family:?}");

        let echo = format!("{{\"error\":\"unknown token {WRONG}\"}}");
        let echo = Reply::new(401, "application/json", echo);
        bench.server.script(Route::Publish, Fault::reply(echo));
        let shown = format!("{refused:?} {failure:?} {:?}", bench.failure(&draft()).await);
        assert!(!shown.contains(WRONG) && shown.contains("[redacted]"), "{shown}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    bench.server.set_scopes(&["read"]);
    let failure = bench.failure(&draft()).await;
    let Class::Account { hint, .. } = &failure.class else { panic!("{failure:?}") };
    assert!(hint.contains("`write:statuses`") && hint.contains("regenerate"), "{hint}");
    let notes = bench.publisher.verify(&bench.desk()).await.unwrap().notes.join("\n");
    assert!(notes.contains("posts will be refused"), "{notes}");

    bench.server.set_scopes(&["profile", "write:statuses"]);
    let notes = bench.publisher.verify(&bench.desk()).await.unwrap().notes.join("\n");
    assert!(notes.contains("`read:statuses`") && !notes.contains("refused"), "{notes}");
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&draft()).await;
    bench.later(HOUR);
    let Found::Unknown(failure) = bench.find(&draft()).await else { panic!("it was believed") };
    let Class::Account { hint, .. } = &failure.class else { panic!("{failure:?}") };
    assert!(hint.contains("`read:statuses`"), "{hint}");

    let bench = Bench::new(Family::Pleroma);
    bench.server.set_scopes(&["read"]);
    let failure = bench.failure(&draft()).await;
    assert!(failure.message.contains("write | write:statuses"), "{failure:?}");
}

#[tokio::test]
async fn a_redirect_takes_the_token_nowhere() {
    let elsewhere = MastodonServer::start(Family::Mastodon);
    for status in [301, 302, 303, 307, 308] {
        let mut bench = Bench::new(Family::Mastodon);
        let target = elsewhere.url().join("/api/v1/statuses?secret=1").unwrap();
        let redirect = Fault::reply(Reply::html(status).with("Location", target.as_str()));
        for route in [Route::Publish, Route::Credentials, Route::Credentials] {
            bench.server.script(route, redirect.clone());
        }
        let failure = bench.failure(&draft()).await;
        match status {
            // these two may follow something that was done
            302 | 303 => assert_eq!(failure.class, Class::Ambiguous),
            _ => {
                let Class::Account { hint, .. } = &failure.class else { panic!("{failure:?}") };
                let origin = elsewhere.url().origin().ascii_serialization();
                assert!(hint.contains(&format!("base_url = \"{origin}\"")), "{hint}");
                assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
            }
        }
        assert!(bench.publisher.verify(&bench.desk()).await.is_err());
        bench.later(MINUTE);
        bench.find(&draft()).await;
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn the_limits_are_the_server_s_own() {
    let mastodon = Unit::Mastodon { url: Some(23), short_mentions: true };
    let table = [
        (Family::Mastodon, mastodon, 500),
        (Family::GoToSocial, Unit::CodePoints, 5000),
        (Family::Pleroma, Unit::Graphemes, 5000),
        (Family::Pixelfed, Unit::CodePoints, 500),
        (Family::Takahe, Unit::CodePoints, 500),
        (Family::Snac, Unit::CodePoints, 100_000),
        (Family::Friendica, Unit::CodePoints, 200_000),
        (Family::Unheard, Unit::CodePoints, 4096),
    ];
    for (family, unit, max) in table {
        let bench = Bench::new(family);
        let expect = Limits { unit, max, max_bytes: None };
        assert_eq!(bench.limits().await, expect, "{family:?}");
    }
}

#[tokio::test]
async fn the_limits_are_asked_once_a_day() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    bench.server.set_max_characters(1000);
    let asked = bench.server.requests().len();
    bench.later(HOUR * 23);
    assert_eq!(bench.limits().await.max, 500);
    assert_eq!(bench.server.requests().len(), asked);
    bench.later(HOUR * 2);
    assert_eq!(bench.limits().await.max, 1000);
    // a day later the server can't say: what was known holds
    bench.later(HOUR * 25);
    bench.server.down();
    assert_eq!(bench.limits().await.max, 1000);
}

#[tokio::test]
async fn another_server_is_asked_anew() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    bench.server = MastodonServer::start(Family::GoToSocial);
    bench.patient();
    assert_eq!(bench.limits().await.max, 5000);
}

#[tokio::test]
async fn limits_that_nobody_tells_are_the_defaults_and_not_asked_for_at_once() {
    let odd = |answer| Fault { effect: Effect::None, answer };
    let answers = [
        Answer::HangUp,
        Answer::Silence,
        Answer::Garbage,
        Answer::Truncated,
        Answer::Reply(Reply::html(502)),
        Answer::Reply(Reply::error(429, "Too many requests")),
        Answer::Reply(Reply::html(301).with("Location", "https://elsewhere.example/")),
    ];
    for answer in answers {
        let told = format!("{answer:?}");
        let mut bench = Bench::new(Family::Mastodon);
        if matches!(answer, Answer::Silence) {
            bench.impatient();
        }
        bench.server.set_max_characters(1000);
        bench.server.script(Route::InstanceV2, odd(answer));
        assert_eq!(bench.limits().await, Platform::Mastodon.limits(), "{told}");
        assert_eq!(bench.limits().await, Platform::Mastodon.limits(), "{told}");
        assert_eq!(bench.server.requests().len(), 1, "{told}");
        assert!(matches!(bench.publish(&draft()).await, Outcome::Published(_)), "{told}");
        bench.later(MINUTE * 11);
        assert_eq!(bench.limits().await.max, 1000, "{told}");
    }
}

#[tokio::test]
async fn limits_come_from_whoever_answers() {
    // a front page for everything that is not known
    for reply in [Reply::html(200), Reply::html(404)] {
        let bench = Bench::new(Family::Mastodon);
        bench.server.set_max_characters(1000);
        bench.server.script(Route::InstanceV2, Fault::reply(reply.clone()));
        bench.server.script(Route::NodeInfo, Fault::reply(reply));
        let unit = Unit::Mastodon { url: Some(23), short_mentions: true };
        assert_eq!(bench.limits().await, Limits { unit, max: 1000, max_bytes: None });
    }
    let bench = Bench::new(Family::Pleroma);
    bench.server.script(Route::NodeInfo, Fault::reply(Reply::html(403)));
    let expect = Limits { unit: Unit::Graphemes, max: 5000, max_bytes: None };
    assert_eq!(bench.limits().await, expect);
}

#[tokio::test]
async fn a_boost_of_somebody_with_our_link_is_not_our_post() {
    let mut bench = Bench::ready(Family::Friendica).await;
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&draft()).await;
    bench.server.seed(&draft().text, Duration::ZERO, true);
    bench.later(MINUTE);
    assert_eq!(bench.find(&draft()).await, Found::Absent);
}

#[tokio::test]
async fn a_list_of_long_posts_is_read_whole() {
    let mut bench = Bench::ready(Family::GoToSocial).await;
    bench.server.script(Route::Publish, Fault::lost());
    bench.failure(&draft()).await;
    for _ in 0..39 {
        bench.server.seed(&"ä long post ".repeat(1000), Duration::ZERO, false);
    }
    bench.later(MINUTE);
    assert!(matches!(bench.find(&draft()).await, Found::Published(_)));
}

#[tokio::test]
async fn a_text_at_the_limit_goes_out_and_one_beyond_is_content() {
    for family in text_families() {
        let bench = Bench::new(family);
        bench.server.set_max_characters(30);
        let fits = Draft { text: "é".repeat(30), ..Draft::default() };
        assert!(matches!(bench.publish(&fits).await, Outcome::Published(_)), "{family:?}");
        let bench = Bench::new(family);
        bench.server.set_max_characters(30);
        let long = Draft { text: "é".repeat(31), ..Draft::default() };
        let failure = bench.failure(&long).await;
        assert_eq!(failure.class, Class::Content, "{family:?}");
        assert!(failure.message.contains("30"), "the server's words: {failure:?}");
    }
}

#[tokio::test]
async fn pixelfed_takes_no_text_alone() {
    let bench = Bench::ready(Family::Pixelfed).await;
    let failure = bench.failure(&draft()).await;
    assert_eq!(failure.class, Class::Content);
    assert!(failure.message.contains("Empty statuses are not allowed"), "{failure:?}");
}

#[tokio::test]
async fn a_rate_limit_says_when() {
    let bench = Bench::new(Family::Mastodon);
    let reset = Clock::System.now().plus(HOUR);
    let reply =
        Reply::error(429, "Too many requests").with("X-RateLimit-Reset", reset.to_rfc3339());
    bench.server.script(Route::Publish, Fault::reply(reply));
    let failure = bench.failure(&draft()).await;
    assert_eq!(failure.class, Class::RateLimited { not_before: Some(reset) });
}

#[tokio::test]
async fn an_account_is_introduced() {
    for family in Family::ALL {
        let bench = Bench::new(family);
        let identity = bench.publisher.verify(&bench.desk()).await.unwrap();
        assert_eq!(identity.name, "@ada@social.example", "{family:?}");
        assert!(identity.url.unwrap().ends_with("/@ada"));
        let limits = format!("{} characters", bench.limits().await.max);
        assert!(identity.notes[0].contains(&limits), "{:?}", identity.notes);
        assert!(bench.server.posts().is_empty());
    }
    let bench = Bench::new(Family::Mastodon);
    bench.server.set_default_visibility("private");
    let notes = bench.publisher.verify(&bench.desk()).await.unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("posts are `private`")), "{notes:?}");
}
