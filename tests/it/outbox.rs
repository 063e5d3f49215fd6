//! The outbox publisher against real files.

use std::fs;
use std::path::{Path, PathBuf};

use posse_party::clock::{Clock, Timestamp};
use posse_party::compose::{Subject, compose};
use posse_party::crosspost::{Class, Failure, Receipt};
use posse_party::draft::{
    Card, Channel, Draft, Facet, Feature, Media, ReplyControl, Shelved, Visibility,
};
use posse_party::entry::Entry;
use posse_party::names::CrosspostId;
use posse_party::people::People;
use posse_party::platform::Platform;
use posse_party::publish::outbox::Outbox;
use posse_party::publish::{Desk, Found, Notebook, Outcome, Publisher, Scratch};
use posse_party::settings::Settings;
use serde_json::{Value, json};

/// An outbox in a folder of its own, and what one crosspost knows.
struct Bench {
    _root: tempfile::TempDir,
    path: PathBuf,
    journal: Scratch,
    memory: Scratch,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("posts/out.jsonl");
        let clock = Clock::virtual_from(Timestamp::from_secs(1_770_000_000));
        Self { _root: root, path, journal: Scratch::default(), memory: Scratch::default(), clock }
    }

    fn desk<'a>(&'a self, crosspost: i64, journal: &'a Scratch) -> Desk<'a> {
        let (memory, clock) = (&self.memory, &self.clock);
        Desk { crosspost: Some(CrosspostId(crosspost)), journal, memory, clock, shelf: None }
    }

    async fn publish(&self, crosspost: i64, journal: &Scratch) -> Outcome {
        let outbox = Outbox::new(&self.path);
        outbox.publish(&draft("Hello"), &self.desk(crosspost, journal)).await
    }

    /// What a post of this outbox is known by.
    fn receipt(&self, crosspost: i64) -> Receipt {
        let url = format!("file://{}", self.path.display());
        Receipt { remote_id: crosspost.to_string(), url: Some(url) }
    }

    async fn find(&self, crosspost: i64, journal: &Scratch) -> Found {
        Outbox::new(&self.path).find(&draft("Hello"), &self.desk(crosspost, journal)).await
    }

    fn lines(&self) -> Vec<Value> {
        lines(&self.path)
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'), "a torn end: {text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or(json!({"torn": line}))).collect()
}

fn draft(text: &str) -> Draft {
    Draft { text: text.into(), ..Draft::default() }
}

#[tokio::test(start_paused = true)]
async fn a_post_is_one_line() {
    let bench = Bench::new();
    let draft = Draft {
        text: "Hello\n\"world\" #x".into(),
        facets: vec![Facet { byte_start: 14, byte_end: 16, feature: Feature::Tag("x".into()) }],
        card: Some(Card { url: "https://a.io".into(), ..Card::default() }),
        language: Some("en".into()),
        canonical_url: Some("https://a.io/1".into()),
        ..Draft::default()
    };
    let outbox = Outbox::new(&bench.path);
    let desk = bench.desk(7, &bench.journal);
    let outcome = outbox.publish(&draft, &desk).await;
    assert_eq!(outcome, Outcome::Published(bench.receipt(7)));
    let expect = json!({
        "crosspost": 7,
        "text": "Hello\n\"world\" #x",
        "facets": [{"byte_start": 14, "byte_end": 16, "kind": "tag", "value": "x"}],
        "card": {"url": "https://a.io", "title": "", "description": ""},
        "language": "en",
        "url": "https://a.io/1",
        "posted_at": "2026-02-02T02:40:00.000Z",
    });
    assert_eq!(bench.lines(), [expect]);
    assert_eq!(outbox.find(&draft, &desk).await, Found::Published(bench.receipt(7)));
}

/// A draft that has everything.
fn full() -> Draft {
    let text = |text: &str| Some(text.to_owned());
    let thumb =
        Shelved { file: "0a1b.jpg".into(), bytes: 7, width: 4, height: 3, ..Shelved::default() };
    let card = Card {
        url: "https://a.io/1?utm_source=outbox".into(),
        title: "One".into(),
        image_url: text("https://a.io/1.jpg"),
        thumb: Some(Shelved { media_type: "image/jpeg".into(), ..thumb }),
        ..Card::default()
    };
    Draft {
        text: "Hello".into(),
        title: text("A title"),
        card: Some(card),
        media: vec![Media { url: "https://a.io/2.png".into(), alt: text("a"), ..Media::default() }],
        hashtags: vec!["OpenSource".into()],
        channel: Channel::Story,
        visibility: Some(Visibility::Private),
        content_warning: text("Spoilers"),
        reply_control: Some(ReplyControl::MentionedOnly),
        canonical_url: text("https://a.io/1"),
        posted_url: text("https://a.io/1?utm_source=outbox"),
        notes: vec!["for people, not for programs".into()],
        ..Draft::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_holds_all_that_the_draft_holds() {
    let bench = Bench::new();
    let draft = full();
    let outbox = Outbox::new(&bench.path);
    let desk = bench.desk(7, &bench.journal);
    assert_eq!(outbox.publish(&draft, &desk).await, Outcome::Published(bench.receipt(7)));
    let expect = json!({
        "crosspost": 7,
        "text": "Hello",
        "facets": [],
        "card": {
            "url": "https://a.io/1?utm_source=outbox",
            "title": "One",
            "description": "",
            "image_url": "https://a.io/1.jpg",
            "thumb": {
                "file": "0a1b.jpg", "type": "image/jpeg", "bytes": 7, "width": 4, "height": 3
            },
        },
        "language": null,
        "url": "https://a.io/1",
        "posted_at": "2026-02-02T02:40:00.000Z",
        "title": "A title",
        "media": [{"type": null, "url": "https://a.io/2.png", "alt": "a"}],
        "hashtags": ["OpenSource"],
        "channel": "story",
        "visibility": "private",
        "content_warning": "Spoilers",
        "reply_control": "mentioned_only",
        "posted_url": "https://a.io/1?utm_source=outbox",
    });
    assert_eq!(bench.lines(), [expect]);
    assert_eq!(outbox.find(&draft, &desk).await, Found::Published(bench.receipt(7)));
}

/// The draft of an entry for an outbox, with these settings.
fn composed(entry: &Entry, settings: &Settings) -> Draft {
    let (limits, people) = (&Platform::Outbox.limits(), &People::new());
    let platform = Platform::Outbox;
    compose(&Subject {
        entry,
        settings,
        platform,
        account: "me",
        limits,
        media_limits: &platform.media(),
        people,
        page: None,
        media: None,
    })
    .unwrap()
}

#[tokio::test]
async fn what_is_not_for_everyone_gets_its_line() {
    let bench = Bench::new();
    let entry = Entry { title: Some("Hello".into()), ..Entry::default() };
    let settings = Settings {
        channel: Channel::Story,
        visibility: Some(Visibility::Direct),
        content_warning: Some("Spoilers".into()),
        reply_control: Some(ReplyControl::FollowersOnly),
        language: Some("de".into()),
        ..Settings::of_platform(Platform::Outbox)
    };
    let draft = composed(&entry, &settings);
    assert!(draft.notes.is_empty(), "nothing is left out: {:?}", draft.notes);
    Outbox::new(&bench.path).publish(&draft, &bench.desk(1, &bench.journal)).await;
    let line = &bench.lines()[0];
    for (key, expect) in [
        ("channel", "story"),
        ("visibility", "direct"),
        ("content_warning", "Spoilers"),
        ("reply_control", "followers_only"),
        ("language", "de"),
    ] {
        assert_eq!(line[key], expect, "{key} in {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_page_about_the_line_is_true() {
    let page = include_str!("../../docs/accounts/outbox.md");
    let bench =
        Bench { clock: Clock::virtual_from(Timestamp::from_secs(1_795_435_200)), ..Bench::new() };
    let entry = Entry {
        title: Some("Hello, world".into()),
        url: Some("https://example.com/hello".into()),
        language: Some("en".into()),
        categories: vec!["open source".into()],
        ..Entry::default()
    };
    let settings = Settings {
        content_warning: Some("Spoilers".into()),
        ..Settings::of_platform(Platform::Outbox)
    };
    let desk = bench.desk(7, &bench.journal);
    Outbox::new(&bench.path).publish(&composed(&entry, &settings), &desk).await;
    let example = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(bench.lines(), [serde_json::from_str::<Value>(example).unwrap()]);

    let (_, table) = page.split_once("| key | there | what it is |").unwrap();
    let rows = table.lines().take_while(|line| line.is_empty() || line.starts_with('|')).skip(2);
    let told: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    Outbox::new(&bench.path).publish(&full(), &bench.desk(8, &Scratch::default())).await;
    let written: Vec<String> = bench.lines()[1].as_object().unwrap().keys().cloned().collect();
    assert_eq!(told, written, "each key has its row");
}

#[tokio::test]
async fn nothing_is_appended_before_it_is_journalled() {
    struct Full;
    #[async_trait::async_trait]
    impl Notebook for Full {
        async fn read(
            &self,
            _: &str,
        ) -> Result<Option<Value>, posse_party::publish::NotebookError> {
            Ok(None)
        }
        async fn write(
            &self,
            _: &str,
            _: Value,
        ) -> Result<(), posse_party::publish::NotebookError> {
            Err(posse_party::publish::NotebookError("disk full".into()))
        }
    }
    let bench = Bench::new();
    let desk = Desk { journal: &Full, ..bench.desk(1, &bench.journal) };
    let Outcome::Failed(failure) = Outbox::new(&bench.path).publish(&draft("x"), &desk).await
    else {
        panic!("published without a journal")
    };
    assert!(matches!(failure.class, Class::Retry { .. }), "{failure:?}");
    assert_eq!(fs::read(&bench.path).unwrap(), b"");
}

#[tokio::test]
async fn an_attempt_that_was_cut_off_is_told_by_the_file() {
    let bench = Bench::new();
    assert_eq!(bench.find(1, &bench.journal).await, Found::Absent, "nothing was ever tried");
    bench.publish(1, &bench.journal).await;
    let whole = fs::read(&bench.path).unwrap();

    // killed before the write, in its middle, before its last byte, and after it
    for (kept, there) in [(0, false), (20, false), (whole.len() - 1, true), (whole.len(), true)] {
        fs::write(&bench.path, &whole[..kept]).unwrap();
        let expect = if there { Found::Published(bench.receipt(1)) } else { Found::Absent };
        assert_eq!(bench.find(1, &bench.journal).await, expect, "{kept} bytes written");
        assert_eq!(bench.find(2, &bench.journal).await, Found::Absent, "another crosspost");
    }
}

#[tokio::test]
async fn a_torn_line_is_not_merged_with_the_next() {
    let bench = Bench::new();
    bench.publish(1, &bench.journal).await;
    let whole = fs::read(&bench.path).unwrap();
    fs::write(&bench.path, &whole[..20]).unwrap();

    let journal = Scratch::default();
    assert_eq!(bench.publish(2, &journal).await, Outcome::Published(bench.receipt(2)));
    let lines = bench.lines();
    assert_eq!(lines[0]["torn"].as_str().unwrap().len(), 20);
    assert_eq!(lines[1]["crosspost"], 2);
    assert_eq!(lines.len(), 2);
    assert_eq!(bench.find(2, &journal).await, Found::Published(bench.receipt(2)));
    assert_eq!(bench.find(1, &bench.journal).await, Found::Absent);
}

#[tokio::test]
async fn a_line_that_is_there_is_not_repeated() {
    let bench = Bench::new();
    for _ in 0..3 {
        assert_eq!(bench.publish(1, &bench.journal).await, Outcome::Published(bench.receipt(1)));
    }
    assert_eq!(bench.lines().len(), 1);
}

/// Row numbers start again with a new database; the old file stays.
#[tokio::test]
async fn an_old_line_of_the_same_number_is_not_ours() {
    let bench = Bench::new();
    bench.publish(1, &bench.journal).await;
    let journal = Scratch::default();
    assert_eq!(bench.find(1, &journal).await, Found::Absent);
    assert_eq!(bench.publish(1, &journal).await, Outcome::Published(bench.receipt(1)));
    assert_eq!(bench.lines().len(), 2);
}

#[tokio::test]
async fn another_outbox_tells_nothing_about_this_one() {
    let bench = Bench::new();
    bench.publish(1, &bench.journal).await;
    let elsewhere = bench.path.with_extension("other");
    // even where it is the very same file
    fs::hard_link(&bench.path, &elsewhere).unwrap();
    let desk = bench.desk(1, &bench.journal);
    let Found::Unknown(failure) = Outbox::new(&elsewhere).find(&draft("Hello"), &desk).await else {
        panic!("it was judged")
    };
    assert_eq!(failure.class, Class::Ambiguous);
    assert!(failure.message.contains(&bench.path.display().to_string()), "{failure:?}");

    let mut note = bench.journal.read("appending").await.unwrap().unwrap();
    note["mark"]["device"] = json!(1_234_567);
    bench.journal.write("appending", note).await.unwrap();
    fs::write(&bench.path, b"").unwrap();
    fs::write(&bench.path, [b' '; 500]).unwrap();
    let found = bench.find(1, &bench.journal).await;
    assert!(matches!(found, Found::Unknown(_)), "a file of another disk: {found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_another_program_keeps_stalls_nobody() {
    let bench = Bench::new();
    bench.publish(1, &bench.journal).await;
    let whole = fs::read(&bench.path).unwrap();
    let theirs = fs::File::open(&bench.path).unwrap();
    theirs.lock().unwrap();
    let journal = Scratch::default();
    let Outcome::Failed(failure) = bench.publish(2, &journal).await else { panic!("no lock") };
    assert_eq!(failure.class, Class::Retry { not_before: None });
    assert!(failure.message.contains("another program holds its lock"), "{failure:?}");
    let found = bench.find(1, &bench.journal).await;
    assert!(
        matches!(&found, Found::Unknown(Failure { class: Class::Retry { .. }, .. })),
        "{found:?}"
    );
    assert_eq!(fs::read(&bench.path).unwrap(), whole, "nothing was written");
    theirs.unlock().unwrap();
    assert_eq!(bench.publish(2, &journal).await, Outcome::Published(bench.receipt(2)));
    assert_eq!(bench.lines().len(), 2);
}

#[tokio::test]
async fn a_file_that_was_rotated_away_tells_nothing() {
    let bench = Bench::new();
    bench.publish(1, &Scratch::default()).await;
    bench.publish(2, &bench.journal).await;
    let unknown = |found: Found| match found {
        Found::Unknown(failure) => failure.message,
        found => panic!("{found:?} of a file that is gone"),
    };

    let whole = fs::read(&bench.path).unwrap();
    fs::write(&bench.path, b"").unwrap();
    let shorter = unknown(bench.find(2, &bench.journal).await);
    assert!(shorter.ends_with("it is not the file that was written to"), "{shorter}");

    fs::rename(&bench.path, bench.path.with_extension("1")).unwrap();
    let gone = unknown(bench.find(2, &bench.journal).await);
    assert!(gone.contains("No such file"), "{gone}");

    fs::write(&bench.path, [whole.clone(), whole].concat()).unwrap();
    let other = unknown(bench.find(2, &bench.journal).await);
    assert!(other.ends_with("it is not the file that was written to"), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_may_share_a_file() {
    let bench = Bench::new();
    let text = "x".repeat(20_000);
    let posts = (0..40).map(|crosspost| {
        let (bench, text) = (&bench, &text);
        async move {
            let journal = Scratch::default();
            let desk = bench.desk(crosspost, &journal);
            Outbox::new(&bench.path).publish(&draft(text), &desk).await
        }
    });
    for (outcome, crosspost) in futures_util::future::join_all(posts).await.into_iter().zip(0..) {
        assert_eq!(outcome, Outcome::Published(bench.receipt(crosspost)));
    }
    let mut seen: Vec<_> = bench.lines().iter().map(|l| l["crosspost"].as_i64().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..40).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_no_file_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let bench = Bench::new();
    let desk = bench.desk(1, &bench.journal);
    let outbox = Outbox::new(root.path());
    let failure = outbox.verify(&desk).await.unwrap_err();
    assert!(failure.message.starts_with("could not write to the outbox `/"), "{failure:?}");
    let Outcome::Failed(failure) = outbox.publish(&draft("x"), &desk).await else {
        panic!("published into a folder")
    };
    assert!(matches!(failure.class, Class::Retry { .. }), "{failure:?}");

    assert_eq!(
        Outbox::new("/dev/full").verify(&desk).await.unwrap_err().message,
        "could not write to the outbox `/dev/full`: it is not a regular file"
    );
    let name = Outbox::new(&bench.path).verify(&desk).await.unwrap().name;
    assert_eq!(name, bench.path.display().to_string());
    assert!(!bench.path.exists(), "a check creates nothing");
}
