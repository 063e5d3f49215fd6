//! Media: uploaded once, described, waited for, and never the reason that a post fails.

use posse_party::crosspost::MEDIA_AGAIN;
use posse_party::draft::{Media, Shelved};
use posse_party::publish::{self, NOTES};

use super::*;

const JPEG: &str = "image/jpeg";
const MP4: &str = "video/mp4";

impl Bench {
    /// A medium on the shelf: `name` is all that is in it.
    fn medium(&self, name: &str, media_type: &str, alt: &str) -> Media {
        let bytes = [b"\xff\xd8\0\r\n--", name.as_bytes()].concat();
        let file = Shelved {
            file: self.shelf.put(&bytes, media_type).unwrap(),
            media_type: media_type.to_owned(),
            bytes: bytes.len() as u64,
            ..Shelved::default()
        };
        Media {
            url: format!("https://blog.example.com/{name}?secret=1"),
            alt: (!alt.is_empty()).then(|| alt.to_owned()),
            file: Some(file),
            ..Media::default()
        }
    }

    /// A draft with so many images, the first without a description.
    fn pictured(&self, count: usize) -> Draft {
        let alt = |n: usize| if n == 0 { String::new() } else { format!("Nö. {n} \"of\" <all>") };
        let media = (0..count).map(|n| self.medium(&format!("picture {n}"), JPEG, &alt(n)));
        Draft { media: media.collect(), ..draft() }
    }

    fn filmed(&self) -> Draft {
        Draft { media: vec![self.medium("film", MP4, "A film")], ..draft() }
    }

    /// What the one post on the server shows: what is in each file, and its description.
    fn shown(&self) -> Vec<(String, String)> {
        let posts = self.server.posts();
        assert_eq!(posts.len(), 1, "{posts:#?}");
        let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[7..]).into_owned();
        posts[0].media.iter().map(|it| (text(&it.bytes), it.alt.clone())).collect()
    }

    fn uploads(&self) -> usize {
        self.server.count(Route::Upload) + self.server.count(Route::UploadV1)
    }

    async fn notes(&self) -> Vec<String> {
        let notes = self.journal.read(NOTES).await.unwrap();
        notes.map_or_else(Vec::new, |notes| serde_json::from_value(notes).unwrap())
    }

    /// The wait of an attempt that must wait.
    async fn waits(&self, draft: &Draft) -> Duration {
        match self.publish(draft).await {
            Outcome::Wait { wait, .. } => wait,
            other => panic!("{other:?}"),
        }
    }

    async fn published(&self, draft: &Draft) {
        let outcome = self.publish(draft).await;
        assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
    }
}

fn expected(count: usize) -> Vec<(String, String)> {
    let alt = |n: usize| if n == 0 { String::new() } else { format!("Nö. {n} \"of\" <all>") };
    (0..count).map(|n| (format!("picture {n}"), alt(n))).collect()
}

#[tokio::test]
async fn pictures_go_out_with_their_descriptions_in_every_family() {
    for family in Family::ALL {
        for (count, ancient) in [(1, false), (4, false), (4, true)] {
            let mut bench = Bench::ready(family).await;
            bench.server.media(|media| media.ancient = ancient);
            let draft = bench.pictured(count);
            let receipt = bench.deliver(&draft).await;
            assert_eq!(bench.shown(), expected(count), "{family:?}, {count}");
            let post = &bench.server.posts()[0];
            assert_eq!((&post.text, &receipt.remote_id), (&draft.text, &post.id), "{family:?}");
            assert_eq!(bench.posted().len(), 1, "{family:?}");
            let asked = (bench.server.count(Route::Upload), bench.server.count(Route::UploadV1));
            let expect = if ancient { (1, count) } else { (count, 0) };
            assert_eq!(asked, expect, "{family:?}");
            assert!(bench.notes().await.is_empty(), "{family:?}");
        }
    }
}

#[tokio::test]
async fn media_without_a_text_go_out() {
    for family in Family::ALL {
        for fault in [None, Some(Fault::lost()), Some(Fault::dropped())] {
            let mut bench = Bench::ready(family).await;
            let draft = Draft { text: String::new(), ..bench.pictured(2) };
            if let Some(fault) = fault.clone() {
                bench.server.script(Route::Publish, fault);
            }
            // Akkoma has other ids for what a post shows: pictures alone are told by nothing
            if family == Family::Pleroma && fault.is_some_and(|it| it.effect == Effect::Done) {
                bench.failure(&draft).await;
                bench.later(MINUTE * 2);
                let Found::Unknown(failure) = bench.find(&draft).await else { panic!("taken") };
                assert_eq!(failure.class, Class::Duplicate);
            } else {
                bench.deliver(&draft).await;
            }
            assert_eq!(bench.shown(), expected(2), "{family:?}");
        }
    }
}

#[tokio::test]
async fn a_video_is_waited_for_across_restarts() {
    for family in [Family::Mastodon, Family::GoToSocial, Family::Pleroma, Family::Snac] {
        let mut bench = Bench::ready(family).await;
        let draft = bench.filmed();
        if family == Family::Mastodon {
            assert_eq!(bench.waits(&draft).await, Duration::from_secs(3));
            bench.restart();
            let longer = bench.waits(&draft).await;
            assert!(longer > Duration::from_secs(3), "{longer:?}");
            assert_eq!(bench.server.count(Route::Medium), 1);
            assert!(bench.posted().is_empty() && bench.server.posts().is_empty());
            assert_eq!(bench.find(&draft).await, Found::Absent, "nothing was posted");
            bench.server.media(|media| media.finish(Stage::Ready));
            bench.restart();
        }
        bench.published(&draft).await;
        assert_eq!(bench.shown(), [("film".to_owned(), "A film".to_owned())], "{family:?}");
        assert_eq!((bench.uploads(), bench.posted().len()), (1, 1), "{family:?}");
    }
}

#[tokio::test]
async fn a_file_larger_than_the_time_out_allows_gets_its_time() {
    let bench = Bench::new(Family::Mastodon);
    let mut draft = bench.filmed();
    draft.media[0].file.as_mut().unwrap().bytes = 99 << 20;
    let time = bench.publisher.upload_time(&draft);
    assert_eq!(time, TIMEOUT + Duration::from_secs(99 * 8));
    assert_eq!(bench.publisher.upload_time(&super::draft()), Duration::ZERO);
}

#[tokio::test]
async fn a_large_video_is_sent_whole_and_with_its_length() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut draft = bench.filmed();
    let file = draft.media[0].file.as_mut().unwrap();
    (file.file, file.bytes) = (bench.shelf.put(&bytes, MP4).unwrap(), bytes.len() as u64);
    bench.deliver(&draft).await;
    assert!(bench.server.posts()[0].media[0].bytes == bytes);
}

#[tokio::test]
async fn a_lost_answer_anywhere_ends_with_one_post_and_all_its_pictures() {
    let answers = || {
        let reply = |status| Answer::Reply(Reply::html(status));
        [Answer::HangUp, Answer::Silence, Answer::Truncated, reply(502), reply(500)]
    };
    let faults = || {
        let effects = [Effect::Done, Effect::None];
        let faults =
            effects.into_iter().flat_map(|effect| answers().map(|answer| Fault { effect, answer }));
        // half of a 500 that did nothing tells nothing more than a 500
        faults.filter(|it| it.effect == Effect::Done || !matches!(it.answer, Answer::Truncated))
    };
    // the first upload, the second, or the post
    let cases = Family::ALL.into_iter().flat_map(|family| {
        faults().flat_map(move |fault| (0..3).map(move |nth| (family, fault.clone(), nth)))
    });
    join_all(cases.map(|(family, fault, nth)| async move {
        let told = format!("{family:?}, {nth}, {fault:?}");
        let mut bench = Bench::ready(family).await;
        bench.server.seed("An older post https://blog.example.com/older", HOUR * 9, false);
        let draft = bench.pictured(3);
        let is_silent = matches!(fault.answer, Answer::Silence);
        if is_silent {
            bench.impatient();
        }
        match nth {
            2 => bench.server.script(Route::Publish, fault),
            nth => {
                let fine = Fault { effect: Effect::Done, answer: Answer::Held(open_gate()) };
                (0..nth).for_each(|_| bench.server.script(Route::Upload, fine.clone()));
                bench.server.script(Route::Upload, fault);
            }
        }
        let receipt = bench.deliver(&draft).await;
        let ours = bench.server.posts().split_off(1);
        assert_eq!(ours.len(), 1, "{told}");
        assert_eq!((&receipt.remote_id, ours[0].media.len()), (&ours[0].id, 3), "{told}");
        assert!(bench.notes().await.is_empty(), "{told}");
        // what was uploaded is not uploaded again, where nobody is impatient
        let expect = if nth == 2 { 3 } else { 4 };
        assert!(is_silent || bench.uploads() == expect, "{told}: {} uploads", bench.uploads());
    }))
    .await;
}

fn open_gate() -> crate::wire::Gate {
    let gate = crate::wire::Gate::default();
    gate.open();
    gate
}

#[tokio::test]
async fn the_same_request_shows_the_same_uploads() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.pictured(2);
    bench.server.script(Route::Publish, Fault::dropped());
    bench.failure(&draft).await;
    bench.later(TIMEOUT * 2);
    assert!(matches!(bench.find(&draft).await, Found::Published(_)));
    let posted = bench.posted();
    assert_eq!(posted[0].header("idempotency-key"), posted[1].header("idempotency-key"));
    assert_eq!(posted[0].body, posted[1].body);
    assert!(posted[0].body.contains("\"media_ids\":[\"114"), "{}", posted[0].body);
}

#[tokio::test]
async fn uploads_that_the_server_threw_away_are_made_again() {
    let slow_down = || Fault::reply(Reply::error(429, "Too many requests"));
    for family in [Family::Mastodon, Family::GoToSocial, Family::Pleroma] {
        // after a day, as we know; and sooner, which the server says
        for wait in [HOUR * 21, HOUR] {
            let mut bench = Bench::ready(family).await;
            let draft = bench.pictured(2);
            bench.server.script(Route::Publish, slow_down());
            assert_eq!(bench.failure(&draft).await.class.as_str(), "rate_limited");
            bench.server.media(|media| media.vacuum());
            bench.later(wait);
            bench.deliver(&draft).await;
            assert_eq!(bench.shown(), expected(2), "{family:?}, {wait:?}");
            assert_eq!(bench.uploads(), 4, "{family:?}, {wait:?}");
            let posted = bench.posted();
            let keys: Vec<_> = posted.iter().map(|it| it.header("idempotency-key")).collect();
            assert_ne!(keys[0], keys[keys.len() - 1], "{family:?}: other bytes, another key");
        }
        // they are there still: nothing is uploaded twice
        let mut bench = Bench::ready(family).await;
        let draft = bench.pictured(2);
        bench.server.script(Route::Publish, slow_down());
        bench.failure(&draft).await;
        bench.later(HOUR * 19);
        bench.deliver(&draft).await;
        assert_eq!((bench.shown(), bench.uploads()), (expected(2), 2), "{family:?}");
    }
}

#[tokio::test]
async fn uploads_of_another_token_or_server_are_not_used() {
    const NEW: &str = "marked-secret-of-the-next-application";
    for account in [None, Some("4711")] {
        let mut bench = Bench::ready(Family::Mastodon).await;
        let draft = bench.pictured(2);
        let reply = Reply::error(401, "The access token was revoked");
        bench.server.script(Route::Publish, Fault::reply(reply));
        assert_eq!(bench.failure(&draft).await.class.as_str(), "account");
        bench.server.sign_in(NEW, account);
        bench.use_token(NEW);
        bench.published(&draft).await;
        assert_eq!((bench.shown(), bench.uploads()), (expected(2), 4), "{account:?}");
        let journal = bench.journal.read("mastodon.media").await.unwrap().unwrap().to_string();
        assert!(!journal.contains("secret"), "{journal}");
    }
    let mut bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.pictured(1);
    let reply = Reply::error(401, "The access token was revoked");
    bench.server.script(Route::Publish, Fault::reply(reply));
    bench.failure(&draft).await;
    bench.move_to(MastodonServer::start(Family::GoToSocial));
    bench.published(&draft).await;
    assert_eq!(bench.shown(), expected(1));
}

/// The list lacks the post, as that of a replica that lags: what was uploaded tells of it.
#[tokio::test]
async fn an_upload_that_is_taken_speaks_against_an_absence() {
    let old = Reply::json(200, &json!([OLD.clone()]));
    for (effect, vacuumed) in [(Effect::Done, false), (Effect::None, false), (Effect::None, true)] {
        let mut bench = Bench::ready(Family::Mastodon).await;
        let draft = bench.pictured(2);
        bench.server.script(Route::Publish, Fault { effect, answer: Answer::HangUp });
        bench.failure(&draft).await;
        bench.server.forget_keys();
        // the key is not trusted any more
        bench.later(HOUR);
        if vacuumed {
            bench.server.media(|media| media.vacuum());
            bench.later(HOUR * 20);
        }
        bench.server.script(Route::Statuses, Fault::reply(old.clone()));
        let found = bench.find(&draft).await;
        assert_eq!(bench.posted().len(), 1, "nothing was sent");
        if effect == Effect::Done {
            let Found::Unknown(failure) = found else { panic!("{found:?}") };
            assert_eq!(failure.class, Class::Duplicate);
            assert!(failure.message.contains("a post may show it"), "{failure:?}");
            // and the next look finds it
            assert!(matches!(bench.find(&draft).await, Found::Published(_)));
        } else {
            assert_eq!(found, Found::Absent, "{vacuumed}");
            bench.published(&draft).await;
            assert_eq!(bench.uploads(), if vacuumed { 4 } else { 2 });
        }
        assert_eq!(bench.shown(), expected(2), "{effect:?}");
    }
}

/// The same while the key is trusted: the request goes out again, and is refused for its uploads.
#[tokio::test]
async fn a_repetition_that_is_refused_for_its_uploads_proves_no_absence() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.pictured(2);
    bench.server.script(Route::Publish, Fault::lost());
    bench.failure(&draft).await;
    bench.server.forget_keys();
    bench.later(TIMEOUT * 2);
    let old = Reply::json(200, &json!([OLD.clone()]));
    bench.server.script(Route::Statuses, Fault::reply(old));
    let Found::Unknown(failure) = bench.find(&draft).await else { panic!("it was believed") };
    assert_eq!(failure.class, Class::Duplicate, "{failure:?}");
    assert_eq!(bench.posted().len(), 2);
    assert!(matches!(bench.find(&draft).await, Found::Published(_)));
    assert_eq!(bench.shown(), expected(2));
}

/// `resolve --retry`, though the post is there.
#[tokio::test]
async fn a_second_request_with_uploads_that_are_taken_finds_the_first_post() {
    for family in [Family::Mastodon, Family::GoToSocial, Family::Pleroma, Family::Unheard] {
        let mut bench = Bench::ready(family).await;
        let draft = bench.pictured(2);
        bench.server.script(Route::Publish, Fault::lost());
        bench.failure(&draft).await;
        bench.server.forget_keys();
        bench.restart();
        let failure = bench.failure(&draft).await;
        assert_eq!(failure.class, Class::Duplicate, "{family:?}: {failure:?}");
        let found = bench.find(&draft).await;
        assert!(matches!(found, Found::Published(_)), "{family:?}: {found:?}");
        assert_eq!(bench.shown(), expected(2), "{family:?}");
    }
}

#[tokio::test]
async fn a_picture_that_is_refused_stays_behind_and_the_others_go() {
    for family in Family::ALL {
        let bench = Bench::ready(family).await;
        let draft = bench.pictured(3);
        bench.server.media(|media| media.dislikes.push_back(b"picture 1".to_vec()));
        bench.published(&draft).await;
        let expect = [expected(3)[0].clone(), expected(3)[2].clone()];
        assert_eq!(bench.shown(), expect, "{family:?}");
        let notes = bench.notes().await;
        assert!(notes[0].starts_with("image 2 of 3 is left out: uploading to `http"), "{notes:?}");
        assert_eq!(notes.len(), 1);
        assert!(!notes[0].contains("secret"), "{notes:?}");
    }
    // all of them: the text goes alone, and the refusal is not asked for again
    let bench = Bench::ready(Family::Mastodon).await;
    bench.server.media(|media| media.dislikes.push_back(b"picture".to_vec()));
    let draft = bench.pictured(2);
    let reply = Reply::error(429, "Too many requests");
    bench.server.script(Route::Publish, Fault::reply(reply));
    bench.failure(&draft).await;
    bench.published(&draft).await;
    assert_eq!((bench.shown(), bench.uploads()), (vec![], 2));
    assert_eq!(bench.notes().await.len(), 2);
}

#[tokio::test]
async fn what_was_refused_is_tried_again_when_a_person_says_so_and_only_once() {
    let bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.pictured(2);
    bench.server.media(|media| media.dislikes.push_back(b"picture 1".to_vec()));
    let refuse = || Fault::reply(Reply::error(422, "Validation failed: text is too long"));
    bench.server.script(Route::Publish, refuse());
    bench.failure(&draft).await;
    bench.server.media(|media| media.dislikes.clear());
    bench.server.script(Route::Publish, refuse());
    bench.failure(&draft).await;
    assert_eq!((bench.uploads(), bench.notes().await.len()), (2, 1), "by itself it stays behind");
    bench.journal.write(MEDIA_AGAIN, true.into()).await.unwrap();
    bench.published(&draft).await;
    assert_eq!((bench.shown(), bench.uploads()), (expected(2), 3), "what is there is kept");
    assert_eq!(bench.notes().await, [""; 0]);
    assert_eq!(bench.journal.read(MEDIA_AGAIN).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_too_large_or_described_too_long_stays_behind() {
    for family in [Family::Mastodon, Family::GoToSocial, Family::Takahe] {
        let bench = Bench::ready(family).await;
        let draft = bench.pictured(2);
        bench.server.media(|media| (media.bytes_max.0, media.alt_max) = (10, 1500));
        bench.published(&draft).await;
        let notes = bench.notes().await.join("\n");
        assert!(bench.shown().is_empty() && notes.contains("413"), "{family:?}: {notes}");

        let bench = Bench::ready(family).await;
        let draft = bench.pictured(2);
        bench.server.media(|media| media.alt_max = 3);
        bench.published(&draft).await;
        assert_eq!(bench.shown(), expected(1), "{family:?}: the one without a description");
    }
    let bench = Bench::ready(Family::Takahe).await;
    bench.published(&bench.filmed()).await;
    assert!(bench.shown().is_empty());
    assert!(bench.notes().await[0].starts_with("video 1 of 1 is left out"));
}

#[tokio::test]
async fn what_is_gone_from_the_shelf_stays_behind() {
    let bench = Bench::ready(Family::Mastodon).await;
    let mut draft = bench.pictured(3);
    let name = "0".repeat(64) + ".jpg";
    draft.media[0].file.as_mut().unwrap().file = name;
    draft.media[1].file = None;
    bench.published(&draft).await;
    assert_eq!(bench.shown(), expected(3)[2..]);
    assert_eq!(bench.notes().await.len(), 2);
}

#[tokio::test]
async fn a_cause_that_passes_is_waited_out() {
    let odd = |answer| Fault { effect: Effect::None, answer };
    let reply = |reply| odd(Answer::Reply(reply));
    let faults = [
        odd(Answer::HangUp),
        odd(Answer::Garbage),
        reply(Reply::html(502)),
        reply(Reply::html(503)),
        reply(Reply::html(403)),
        reply(Reply::error(500, "Internal Server Error")),
        reply(Reply::json(200, &json!([]))),
        reply(Reply::json(200, &json!({ "id": "../../v1/statuses", "url": "u" }))),
    ];
    for fault in faults {
        let told = format!("{fault:?}");
        let bench = Bench::ready(Family::Mastodon).await;
        let draft = bench.pictured(2);
        bench.server.script(Route::Upload, fault);
        let failure = bench.failure(&draft).await;
        assert_eq!(failure.class, Class::Retry { not_before: None }, "{told}: {failure:?}");
        assert!(failure.message.starts_with("image 1 of 2: uploading to"), "{failure:?}");
        assert!(bench.posted().is_empty(), "{told}");
        bench.published(&draft).await;
        assert_eq!(bench.shown(), expected(2), "{told}");
    }
    let mut bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.pictured(2);
    bench.server.down();
    assert_eq!(bench.failure(&draft).await.class, Class::Retry { not_before: None });
    bench.server.up();
    bench.published(&draft).await;
    assert_eq!(bench.shown(), expected(2));
}

#[tokio::test]
async fn a_cause_that_does_not_pass_ends_with_a_note() {
    let thumbnail = "Error processing thumbnail for uploaded media";
    let table = [
        (Reply::error(500, thumbnail), 2),
        (Reply::error(500, "Internal Server Error"), 10),
        (Reply::html(403), 10),
    ];
    for (reply, tries) in table {
        let told = format!("{reply:?}");
        let bench = Bench::ready(Family::Mastodon).await;
        let draft = bench.pictured(2);
        for _ in 1..tries {
            bench.server.script(Route::Upload, Fault::reply(reply.clone()));
            assert_eq!(bench.failure(&draft).await.class.as_str(), "retry", "{told}");
        }
        // when nothing else works either, it is not the picture
        bench.server.script(Route::Upload, Fault::reply(reply.clone()));
        bench.server.script(Route::Credentials, Fault::reply(Reply::html(502)));
        assert_eq!(bench.failure(&draft).await.class.as_str(), "retry", "{told}");
        bench.server.script(Route::Upload, Fault::reply(reply.clone()));
        bench.published(&draft).await;
        assert_eq!(bench.shown(), expected(2)[1..], "{told}");
        assert_eq!(bench.notes().await.len(), 1, "{told}");
    }
}

#[tokio::test]
async fn a_rate_limit_of_uploads_says_when_and_keeps_what_is_there() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.pictured(3);
    let reset = Clock::System.now().plus(HOUR / 2);
    let reply = Reply::error(429, "Too many requests");
    let reply = reply.with("X-RateLimit-Reset", reset.to_rfc3339());
    let fine = Fault { effect: Effect::Done, answer: Answer::Held(open_gate()) };
    bench.server.script(Route::Upload, fine);
    bench.server.script(Route::Upload, Fault::reply(reply));
    let failure = bench.failure(&draft).await;
    assert_eq!(failure.class, Class::RateLimited { not_before: Some(reset) });
    assert!(bench.posted().is_empty());
    bench.until(reset);
    bench.published(&draft).await;
    assert_eq!((bench.shown(), bench.uploads()), (expected(3), 4), "one was refused");
}

#[tokio::test]
async fn a_token_that_is_wrong_parks_and_one_without_the_scope_costs_the_pictures() {
    for family in [Family::Mastodon, Family::Pleroma] {
        let bench = Bench::ready(family).await;
        bench.server.set_scopes(&["read", "write:statuses"]);
        bench.published(&bench.pictured(1)).await;
        assert!(bench.shown().is_empty());
        let notes = bench.notes().await;
        assert!(notes[0].contains("the scope `write:media`"), "{notes:?}");
    }
    let bench = Bench::with_token(Family::Mastodon, "marked-secret-that-is-wrong");
    let failure = bench.failure(&bench.pictured(1)).await;
    assert_eq!(failure.class.as_str(), "account", "{failure:?}");
    assert!(!format!("{failure:?}").contains("marked"));

    let bench = Bench::ready(Family::Mastodon).await;
    bench.server.set_scopes(&["read", "write:statuses"]);
    let notes = bench.publisher.verify(&bench.desk()).await.unwrap().notes.join("\n");
    assert!(notes.contains("without their pictures") && notes.contains("`write:media`"), "{notes}");
    assert!(notes.contains("4 pictures"), "{notes}");
}

#[tokio::test]
async fn a_server_that_is_not_done_after_all_is_waited_for() {
    for family in [Family::Mastodon, Family::Unheard] {
        let mut bench = Bench::ready(family).await;
        let draft = bench.filmed();
        let body = "Cannot attach files that have not finished processing. Try again in a moment!";
        if family == Family::Mastodon {
            bench.waits(&draft).await;
            let ready = Reply::json(200, &json!({ "id": "1", "url": "u" }));
            bench.server.script(Route::Medium, Fault::reply(ready));
            bench.waits(&draft).await;
            bench.server.media(|media| media.finish(Stage::Ready));
        } else {
            bench.server.script(Route::Publish, Fault::reply(Reply::error(422, body)));
            bench.waits(&draft).await;
        }
        bench.restart();
        bench.published(&draft).await;
        let posted = bench.posted();
        let keys: Vec<_> = posted.iter().map(|it| it.header("idempotency-key")).collect();
        assert_eq!(keys.len(), 2, "{family:?}");
        // who keeps its refusals under the key gets another one
        assert_eq!(keys[0] == keys[1], family == Family::Mastodon, "{family:?}");
        assert_eq!((bench.shown().len(), bench.uploads()), (1, 1), "{family:?}");
    }
}

#[tokio::test]
async fn a_video_that_can_not_be_processed_stays_behind() {
    let bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.filmed();
    bench.waits(&draft).await;
    bench.server.media(|media| media.finish(Stage::Failed));
    bench.published(&draft).await;
    assert!(bench.shown().is_empty());
    assert!(bench.notes().await[0].contains("video 1 of 1 is left out"));

    // nor one that is never done
    let mut bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.filmed();
    let mut waited = Duration::ZERO;
    loop {
        match bench.publish(&draft).await {
            Outcome::Wait { wait, .. } => waited += wait,
            Outcome::Published(_) => break,
            other => panic!("{other:?}"),
        }
        assert!(waited < HOUR * 2);
        bench.later(MINUTE);
    }
    assert!(waited > HOUR, "{waited:?}");
    assert!(bench.notes().await[0].contains("did not finish processing"));
}

#[tokio::test]
async fn an_upload_that_is_lost_while_it_is_processed_is_made_again() {
    let bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.filmed();
    bench.waits(&draft).await;
    bench.server.media(|media| media.vacuum());
    assert_eq!(bench.failure(&draft).await.class, Class::Retry { not_before: None });
    bench.waits(&draft).await;
    bench.server.media(|media| media.finish(Stage::Ready));
    bench.published(&draft).await;
    assert_eq!((bench.shown().len(), bench.uploads()), (1, 2));
}

#[tokio::test]
async fn more_than_a_server_takes_together_is_cut_to_what_it_takes() {
    let mut bench = Bench::ready(Family::Mastodon).await;
    let draft = bench.pictured(6);
    bench.deliver(&draft).await;
    assert_eq!(bench.shown(), expected(4));
    assert_eq!(bench.notes().await.len(), 2);
    let keys = bench.posted();
    assert_ne!(keys[0].header("idempotency-key"), keys[1].header("idempotency-key"));

    let mut bench = Bench::ready(Family::GoToSocial).await;
    let mut draft = bench.pictured(2);
    draft.media.push(bench.medium("film", MP4, ""));
    bench.deliver(&draft).await;
    assert_eq!(bench.shown(), expected(1));
}

#[tokio::test]
async fn without_a_journal_nothing_is_posted() {
    struct Forgetful(Scratch, &'static str);
    #[async_trait::async_trait]
    impl Notebook for Forgetful {
        async fn read(&self, key: &str) -> Result<Option<Value>, NotebookError> {
            self.0.read(key).await
        }
        async fn write(&self, key: &str, value: Value) -> Result<(), NotebookError> {
            if key == self.1 {
                return Err(NotebookError("the disk is full".into()));
            }
            self.0.write(key, value).await
        }
    }
    for key in ["mastodon.media", "mastodon.request"] {
        let bench = Bench::ready(Family::Mastodon).await;
        let journal = Forgetful(Scratch::default(), key);
        let desk = Desk { journal: &journal, ..bench.desk() };
        let outcome = bench.publisher.publish(&bench.pictured(2), &desk).await;
        let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
        assert_eq!(failure.class, Class::Retry { not_before: None }, "{key}");
        assert!(bench.posted().is_empty(), "{key}");
    }
}

#[tokio::test]
async fn media_limits_are_the_server_s_own_and_remembered() {
    for family in Family::ALL {
        let bench = Bench::new(family);
        bench.server.media(|media| media.bytes_max = (1_000_000, 2_000_000));
        let limits = bench.publisher.media_limits(&bench.desk()).await;
        let told = format!("{family:?}: {limits:?}");
        let (image, stock) = (limits.image.unwrap(), Platform::Mastodon.media());
        // Akkoma says nothing of it
        let bytes = if family == Family::Pleroma { 16 << 20 } else { 1_000_000 };
        assert_eq!(image.bytes_max, bytes, "{told}");
        assert_eq!(limits.count_max, if family == Family::GoToSocial { 6 } else { 4 }, "{told}");
        assert_eq!(limits.video.is_some(), family != Family::Takahe, "{told}");
        let still = matches!(family, Family::Takahe | Family::Pixelfed);
        assert_eq!(image.formats.gif, !still, "{told}");
        assert_eq!((limits.way, limits.mix, limits.alt_max), (stock.way, false, 1500), "{told}");

        let memory = bench.memory.read("mastodon.instance").await.unwrap();
        let memory = |_: &str| memory.clone();
        let origin = bench.server.url().origin().ascii_serialization();
        let remembered = |origin| publish::mastodon::remembered_media_limits(memory, Some(origin));
        assert_eq!(remembered(&origin), Some(limits), "{told}");
        assert_eq!(remembered("https://other.example"), None, "{told}");
    }
}

#[tokio::test]
async fn what_an_older_version_remembers_is_asked_anew() {
    let bench = Bench::ready(Family::GoToSocial).await;
    let mut memory = bench.memory.read("mastodon.instance").await.unwrap().unwrap();
    memory["known"].as_object_mut().unwrap().remove("media");
    bench.memory.write("mastodon.instance", memory).await.unwrap();
    assert_eq!(bench.publisher.media_limits(&bench.desk()).await.count_max, 6);
}
