//! The Threads publisher against a strict stand-in of its server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use posse_party::clock::{Clock, Timestamp};
use posse_party::config::{Delivery, Secret};
use posse_party::crosspost::{Class, Failure, Receipt};
use posse_party::draft::{Card, Draft, Media, ReplyControl};
use posse_party::http;
use posse_party::names::CrosspostId;
use posse_party::publish::threads::Threads;
use posse_party::publish::{Desk, Found, Notebook, NotebookError, Outcome, Publisher, Scratch};
use serde_json::Value;

use crate::threads_server::{TOKEN, ThreadsServer, Trouble, USERNAME};

mod doubts; // lost answers, crashes
mod renew; // what is done for a token once a day
mod refusals; // the table of errors, limits, quotas
mod tokens; // who is let in

/// One account with its memory, and one crosspost with its journal.
struct Bench {
    server: ThreadsServer,
    client: reqwest::Client,
    memory: Scratch,
    journal: Journal,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::virtual_from(Timestamp::from_secs(1_800_000_000));
        Self {
            server: ThreadsServer::start(clock.clone()),
            client: client(),
            memory: Scratch::default(),
            journal: Journal::default(),
            clock,
        }
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            crosspost: Some(CrosspostId(1)),
            journal: &self.journal,
            memory: &self.memory,
            clock: &self.clock,
            shelf: None,
        }
    }

    /// A publisher that knows nothing but the config, as after a restart.
    fn account(&self) -> Threads {
        let (token, url) = (Secret::new(TOKEN), self.server.url());
        Threads::new(token, "v1.0", Some(url), self.client.clone())
            .hurried(Duration::from_millis(1))
    }

    /// So much time passes, here and there.
    fn advance(&mut self, by: Duration) {
        let Clock::Virtual { epoch, started } = &self.clock else { panic!("not virtual") };
        self.clock = Clock::Virtual { epoch: epoch.plus(by), started: *started };
        self.server.set_clock(self.clock.clone());
    }

    async fn publish(&self, draft: &Draft) -> Outcome {
        self.account().publish(draft, &self.desk()).await
    }

    async fn find(&self) -> Found {
        self.account().find(&text(), &self.desk()).await
    }

    /// Publishes what must succeed at once.
    async fn published(&self, draft: &Draft) -> Receipt {
        match self.publish(draft).await {
            Outcome::Published(receipt) => receipt,
            other => panic!("{other:?}"),
        }
    }

    /// Publishes what must wait, and tells for how many seconds.
    async fn waits(&self, draft: &Draft) -> u64 {
        match self.publish(draft).await {
            Outcome::Wait { wait, .. } => wait.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    /// Publishes what must fail.
    async fn failure(&self, draft: &Draft) -> Failure {
        match self.publish(draft).await {
            Outcome::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    /// Does what the daemon does, until the post is out or will never be: another publisher for
    /// each try, and the waits that it asks for.
    async fn drive(&mut self, draft: &Draft, mut in_doubt: bool) -> Result<Receipt, Failure> {
        for _ in 0..60 {
            let wait = if in_doubt {
                match self.find().await {
                    Found::Published(receipt) => return Ok(receipt),
                    Found::Absent => {
                        in_doubt = false;
                        Duration::from_secs(12)
                    }
                    Found::Unknown(failure) => self.until(&failure),
                }
            } else {
                match self.publish(draft).await {
                    Outcome::Published(receipt) => return Ok(receipt),
                    Outcome::Wait { wait, .. } => wait,
                    Outcome::Failed(failure) => match failure.class {
                        Class::Ambiguous | Class::Duplicate => {
                            in_doubt = true;
                            Duration::ZERO
                        }
                        Class::Content | Class::Card | Class::TooLong => return Err(failure),
                        _ => self.until(&failure),
                    },
                }
            };
            self.advance(wait);
        }
        panic!("it never ended: {:?}", self.server.seen_of("publish").len());
    }

    fn until(&self, failure: &Failure) -> Duration {
        let at = until(failure);
        at.map_or(Duration::from_secs(15), |at| at.since(self.clock.now()))
    }

    /// That the server was never sent what nobody should send.
    fn no_complaints(&self) {
        assert_eq!(self.server.complaints(), Vec::<String>::new());
        assert!(self.server.script_is_over(), "a line of the script was never met");
    }
}

/// A journal that can break for good, as when the process is killed.
#[derive(Default)]
struct Journal {
    notes: Scratch,
    writes: AtomicUsize,
    /// Writes from this one on, counted from 1, are lost; 0: none.
    broken_from: AtomicUsize,
}

impl Journal {
    fn break_at(&self, write: usize) {
        self.broken_from.store(write, Ordering::SeqCst);
    }

    /// Works again; tells whether it was broken by a write.
    fn mend(&self) -> bool {
        let from = self.broken_from.swap(0, Ordering::SeqCst);
        from > 0 && self.writes.load(Ordering::SeqCst) >= from
    }
}

#[async_trait]
impl Notebook for Journal {
    async fn read(&self, key: &str) -> Result<Option<Value>, NotebookError> {
        self.notes.read(key).await
    }

    async fn write(&self, key: &str, value: Value) -> Result<(), NotebookError> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let from = self.broken_from.load(Ordering::SeqCst);
        if from > 0 && number >= from {
            return Err(NotebookError("the disk is full".into()));
        }
        self.notes.write(key, value).await
    }
}

fn client() -> reqwest::Client {
    let delivery = Delivery {
        timeout: Duration::from_millis(800),
        connect_timeout: Duration::from_millis(400),
        ..Delivery::default()
    };
    http::publishing("posse-party/test", &delivery).unwrap()
}

const LINK: &str = "https://example.com/é";

fn text() -> Draft {
    Draft {
        text: "é “Hello”\n\n@ada.l / world".into(),
        card: Some(Card { url: LINK.into(), ..Card::default() }),
        hashtags: vec!["R&D".into(), "café".into(), "posse".into()],
        reply_control: Some(ReplyControl::AccountsYouFollow),
        ..Draft::default()
    }
}

fn medium(kind: &str, name: &str) -> Media {
    Media {
        media_type: Some(kind.into()),
        url: format!("https://media.example.com/{name}"),
        alt: Some(format!("what {name} shows")),
        ..Media::default()
    }
}

fn with_media(media: Vec<Media>) -> Draft {
    Draft { text: "Look".into(), media, ..Draft::default() }
}

fn image() -> Draft {
    with_media(vec![medium("image/jpeg", "1.jpg")])
}

fn video() -> Draft {
    with_media(vec![medium("video/mp4", "1.mp4")])
}

fn carousel() -> Draft {
    with_media(vec![
        medium("image/jpeg", "1.jpg"),
        medium("video/mp4", "2.mp4"),
        medium("image", "3.png"),
    ])
}

fn until(failure: &Failure) -> Option<Timestamp> {
    match failure.class {
        Class::Account { until, .. } => until,
        Class::RateLimited { not_before } | Class::Retry { not_before } => not_before,
        _ => None,
    }
}

#[tokio::test]
async fn a_text_with_its_link_becomes_one_post() {
    let bench = Bench::new();
    let receipt = bench.published(&text()).await;
    let posts = bench.server.posts();
    let [post] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!(receipt.remote_id, post.id, "the post's id, not the container's");
    assert_ne!(post.id, post.container);
    let page = format!("https://www.threads.net/@{USERNAME}/post/{}", &post.id[8..]);
    assert_eq!(receipt.url, Some(page));
    let sent: Vec<_> = post.params.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        sent,
        [
            format!("link_attachment={LINK}").as_str(),
            "media_type=TEXT",
            "reply_control=accounts_you_follow",
            "text=é “Hello”\n\n@ada.l / world",
            "topic_tag=café",
        ]
    );
    let calls: Vec<_> = bench.server.seen().iter().map(|seen| seen.call).collect();
    assert_eq!(calls, ["me", "create", "look", "quota", "publish", "page"]);
    bench.no_complaints();
}

#[tokio::test]
async fn who_the_account_is_and_its_quota_are_asked_once() {
    let bench = Bench::new();
    for _ in 0..3 {
        let journal = Scratch::default();
        let desk = Desk { journal: &journal, ..bench.desk() };
        let outcome = bench.account().publish(&text(), &desk).await;
        assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
    }
    assert_eq!(bench.server.posts().len(), 3);
    assert_eq!(bench.server.seen_of("me").len(), 1);
    assert_eq!(bench.server.seen_of("quota").len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn an_image_a_video_and_a_carousel_become_posts() {
    let bench = Bench::new();
    for draft in [image(), video(), carousel()] {
        let journal = Scratch::default();
        let desk = Desk { journal: &journal, ..bench.desk() };
        let outcome = bench.account().publish(&draft, &desk).await;
        assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
    }
    let posts = bench.server.posts();
    let said = |at: usize, key: &str| posts[at].params.get(key).cloned().unwrap_or_default();
    assert_eq!(said(0, "image_url"), "https://media.example.com/1.jpg");
    assert_eq!(said(0, "alt_text"), "what 1.jpg shows");
    assert_eq!(said(1, "video_url"), "https://media.example.com/1.mp4");
    assert_eq!(said(2, "children").split(',').count(), 3);
    assert_eq!(said(2, "alt_text"), "", "it stands on the parts");
    let parts = bench.server.seen_of("create")[2..5].to_vec();
    assert!(parts.iter().all(|part| part.params["is_carousel_item"] == "true"));
    assert_eq!(parts[1].params["alt_text"], "what 2.mp4 shows");
    bench.no_complaints();
}

#[tokio::test]
async fn the_largest_carousel_goes_and_a_larger_one_does_not() {
    let bench = Bench::new();
    let of = |count| with_media(vec![medium("image", "1.png"); count]);
    assert_eq!(bench.failure(&of(21)).await.class, Class::Content);
    bench.published(&of(20)).await;
    assert_eq!(bench.server.seen_of("create").len(), 21);
    bench.no_complaints();
}

#[tokio::test]
async fn what_threads_works_on_is_resumed_after_any_restart() {
    let mut bench = Bench::new();
    bench.server.set_busy(9);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let wait = bench.waits(&video()).await;
        waits.push(wait);
        bench.advance(Duration::from_secs(wait));
    }
    assert_eq!(waits, [10, 30, 60, 60, 60, 60], "after looks at 2, 3 and 5 seconds");
    bench.published(&video()).await;
    assert_eq!(bench.server.seen_of("create").len(), 1, "one container all along");
    bench.no_complaints();
}

#[tokio::test]
async fn every_part_of_a_carousel_is_waited_for_before_the_whole_is_made() {
    let mut bench = Bench::new();
    bench.server.set_busy(4);
    bench.drive(&carousel(), false).await.unwrap();
    let calls = bench.server.seen();
    let creates = calls.iter().filter(|seen| seen.call == "create").count();
    assert_eq!((creates, bench.server.posts().len()), (4, 1));
    bench.no_complaints();
}

#[tokio::test]
async fn what_is_not_finished_in_23_hours_is_given_up() {
    let mut bench = Bench::new();
    bench.server.set_busy(10_000);
    let (mut looks, begun) = (0, bench.clock.now());
    let failure = loop {
        match bench.publish(&video()).await {
            Outcome::Wait { wait, .. } => bench.advance(wait),
            Outcome::Failed(failure) => break failure,
            Outcome::Published(receipt) => panic!("{receipt:?}"),
        }
        looks += 1;
        assert!(looks < 100);
    };
    assert_eq!(failure.class, Class::Content);
    assert!(failure.message.starts_with("Threads did not finish it within 23 hours"));
    let hours = bench.clock.now().since(begun).as_secs() / 3600;
    assert_eq!(hours, 23);
    // `retry` begins anew
    bench.server.set_busy(0);
    bench.published(&video()).await;
    assert_eq!(bench.server.seen_of("create").len(), 2);
    bench.no_complaints();
}

#[tokio::test]
async fn a_container_that_waited_too_long_for_us_is_made_anew() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::Refuse(190, Some(463), "expired"));
    assert_eq!(bench.failure(&image()).await.class.as_str(), "account");
    bench.advance(Duration::from_secs(3 * 24 * 3600));
    bench.published(&image()).await;
    assert_eq!(bench.server.seen_of("create").len(), 2);
    bench.no_complaints();
}

#[tokio::test]
async fn another_draft_gets_another_container() {
    let bench = Bench::new();
    bench.server.set_busy(100);
    bench.waits(&image()).await;
    bench.server.set_busy(0);
    let edited = Draft { text: "Look here".into(), ..image() };
    bench.published(&edited).await;
    assert_eq!(bench.server.posts()[0].params["text"], "Look here");
    bench.no_complaints();
}

#[tokio::test]
async fn a_page_that_can_not_be_read_does_not_fail_the_post() {
    for trouble in [
        Trouble::Refuse(100, Some(33), "Object does not exist"),
        Trouble::Lose,
        Trouble::Html(503),
        Trouble::Without("permalink"),
    ] {
        let bench = Bench::new();
        bench.server.script("page", trouble.clone());
        let receipt = bench.published(&text()).await;
        assert!(receipt.url.is_some(), "the second try: {trouble:?}");
        let bench = Bench::new();
        bench.server.script("page", trouble.clone());
        bench.server.script("page", trouble);
        let receipt = bench.published(&text()).await;
        assert_eq!(receipt.url, None);
        assert_eq!(receipt.remote_id, bench.server.posts()[0].id);
        let desk = Desk { crosspost: None, ..bench.desk() };
        let later = bench.account().page(&receipt.remote_id, &text(), &desk).await;
        assert!(later.is_some(), "it is asked for later");
        bench.no_complaints();
    }
}
