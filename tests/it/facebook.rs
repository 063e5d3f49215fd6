//! The Facebook publisher against a strict server that loses its answers, hides its posts, and kills
//! whoever asks.

use std::time::Duration;

use posse_party::config::Secret;
use posse_party::crosspost::{Class, Receipt};
use posse_party::draft::{Card, Draft, Media};
use posse_party::publish::facebook::Facebook as Publisher;
use posse_party::publish::{Outcome, Renewal};
use serde_json::json;

use crate::facebook_server::{Facebook, PAGE, page};
use crate::graph_bench::{Bench, End};
use crate::graph_server::{Fault, TOKEN, Trouble, VERSION, trouble};

fn bench(platform: Facebook) -> Bench<Facebook> {
    Bench::new(platform, |url, http| {
        Box::new(Publisher::new(PAGE, Secret::new(TOKEN), VERSION, Some(url), http))
    })
}

fn draft(names: &[&str]) -> Draft {
    let medium = |name: &&str| {
        let kind = if name.ends_with("mp4") { "video/mp4" } else { "image/jpeg" };
        Media {
            media_type: Some(kind.into()),
            url: format!("https://media.example/{name}"),
            alt: Some("a cat".into()),
            ..Media::default()
        }
    };
    Draft {
        text: "Hello/world “quoted”".into(),
        media: names.iter().map(medium).collect(),
        ..Draft::default()
    }
}

fn link(url: &str) -> Draft {
    Draft { card: Some(Card { url: url.into(), ..Card::default() }), ..draft(&[]) }
}

/// One of each kind.
fn kinds() -> [Draft; 4] {
    [link("https://a.example/1"), draft(&["1.jpg"]), draft(&["1.jpg", "2.jpg"]), draft(&["1.mp4"])]
}

#[track_caller]
fn published(end: End) -> Receipt {
    match end {
        End::Published(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

/// The end in a word.
fn name(end: &End) -> &'static str {
    match end {
        End::Published(_) => "published",
        End::Failed(class, _) | End::Parked(class, ..) => class,
        End::Held(_) => "held",
    }
}

#[tokio::test]
async fn every_kind_goes_out() {
    let check = async |draft: Draft, photos: usize, calls: usize| {
        let mut bench = bench(Facebook::default());
        let receipt = published(bench.deliver(&draft).await);
        let posts = bench.server.with(|it| it.public());
        let [post] = posts.as_slice() else { panic!("{posts:?}") };
        assert_eq!((post.message.as_str(), post.photos.len()), (draft.text.as_str(), photos));
        assert_eq!(post.link, draft.card.map(|card| card.url));
        assert!(post.alts.iter().all(|alt| alt.as_deref() == Some("a cat")), "{post:?}");
        assert_eq!(receipt.remote_id, post.id);
        let url = match post.is_video {
            true => format!("https://www.facebook.com/reel/{}/", post.id),
            false => page(post),
        };
        assert_eq!(receipt.url, Some(url));
        assert_eq!(bench.server.with(|it| it.unseen.len()), 0);
        let writes = ["POST /feed", "POST /photos", "POST /videos"];
        assert_eq!(writes.iter().map(|end| bench.server.count(end)).sum::<usize>(), calls);
    };
    let [link, photo, photos, video] = kinds();
    check(link, 0, 1).await;
    check(draft(&[]), 0, 1).await;
    check(photo, 1, 1).await;
    check(photos, 2, 3).await;
    check(video, 0, 1).await;
}

#[tokio::test]
async fn whichever_answer_is_lost_one_post_is_public() {
    for draft in kinds() {
        for fault in [Fault::Lost, Fault::Dropped, Fault::DonePage, Fault::Truncated, Fault::Killed]
        {
            for nth in 0.. {
                let mut bench = bench(Facebook::default());
                bench.server.fault_at(nth, fault.clone());
                let end = bench.deliver(&draft).await;
                let posts = bench.server.with(|it| it.posts.len());
                let what = format!("{fault:?} at {nth}, {} media", draft.media.len());
                assert_eq!(posts, 1, "{what}: {end:?}");
                assert!(matches!(end, End::Published(_)), "{what}: {end:?}");
                if bench.server.is_faulty() {
                    assert!(nth > 0, "the calls are counted");
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn whichever_note_is_the_last_one_post_is_public() {
    for draft in kinds() {
        for committed in [false, true] {
            for nth in 0.. {
                let mut bench = bench(Facebook::default());
                bench.journal.die_at(nth, committed);
                let end = bench.deliver(&draft).await;
                let what = format!("{nth}, committed: {committed}, {} media", draft.media.len());
                assert_eq!(bench.server.with(|it| it.posts.len()), 1, "{what}: {end:?}");
                assert!(matches!(end, End::Published(_)), "{what}: {end:?}");
                if bench.journal.is_deadly() {
                    assert!(nth > 0, "the notes are counted");
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_post_that_shows_late_is_found_after_as_many_looks() {
    for draft in kinds() {
        let mut bench = bench(Facebook { list_lag: 2, ..Facebook::default() });
        let edge = match draft.media.as_slice() {
            [only] if only.url.ends_with("mp4") => "POST /videos",
            [_] => "POST /photos",
            _ => "POST /feed",
        };
        bench.server.fault(edge, Fault::Lost);
        published(bench.deliver(&draft).await);
        assert_eq!(bench.server.with(|it| it.posts.len()), 1);
        assert_eq!(bench.server.count(edge), 1);
    }
}

#[tokio::test]
async fn what_is_not_found_goes_out_once_more_and_then_a_person_is_asked() {
    let mut bench = bench(Facebook::default());
    for _ in 0..5 {
        bench.server.fault("POST /feed", Fault::Dropped);
    }
    let draft = link("https://a.example/1");
    let End::Held(why) = bench.deliver(&draft).await else { panic!() };
    assert!(why.contains("sent 2 times without a usable answer"), "{why}");
    assert_eq!(bench.server.count("POST /feed"), 2);
    // `resolve --retry`: it goes out, and what is lost then begins anew
    let outcome = bench.publish(&draft).await.unwrap();
    assert!(matches!(outcome, Outcome::Failed(ref it) if it.class == Class::Ambiguous));
    assert_eq!(bench.server.count("POST /feed"), 3);
}

#[tokio::test]
async fn a_person_s_retry_waits_for_what_the_list_may_still_say() {
    let mut bench = bench(Facebook { list_lag: 2, ..Facebook::default() });
    bench.server.fault("POST /feed", Fault::Lost);
    let draft = link("https://a.example/1");
    bench.publish(&draft).await.unwrap();
    bench.find(&draft).await.unwrap();
    let Some(Outcome::Failed(open)) = bench.publish(&draft).await else { panic!() };
    assert_eq!(open.class, Class::Ambiguous);
    published(bench.settle(&draft).await.unwrap());
    assert_eq!((bench.server.with(|it| it.posts.len()), bench.server.count("POST /feed")), (1, 1));
}

#[tokio::test]
async fn a_post_that_shows_only_after_the_second_call_would_be_made_is_adopted() {
    let mut bench = bench(Facebook { list_lag: 3, ..Facebook::default() });
    bench.server.fault("POST /feed", Fault::Lost);
    published(bench.deliver(&link("https://a.example/1")).await);
    assert_eq!(bench.server.count("POST /feed"), 1, "the list is read before the second call");
}

#[tokio::test]
async fn an_error_that_nobody_knows_is_tried_twice_more_and_shown_as_it_came() {
    let mut bench = bench(Facebook::default());
    for _ in 0..9 {
        let unknown = trouble(77_777, 1_234_567, "A thing that has no name");
        bench.server.fault("POST /feed", Fault::Error(unknown));
    }
    let End::Held(why) = bench.deliver(&draft(&[])).await else { panic!() };
    assert!(why.contains("77777/1234567: A thing that has no name"), "{why}");
    assert_eq!(bench.server.count("POST /feed"), 3);
}

#[tokio::test]
async fn a_duplicate_is_ours_where_we_sent_it_and_else_for_a_person() {
    // the answer of the first call was lost, it shows late, and the second call is refused
    let platform = Facebook { list_lag: 4, knows_duplicates: true, ..Facebook::default() };
    let mut ours = bench(platform);
    ours.server.fault("POST /feed", Fault::Lost);
    published(ours.deliver(&draft(&[])).await);
    assert_eq!(ours.server.with(|it| it.posts.len()), 1);

    for refusal in [
        trouble(506, 0, "Duplicate status message"),
        trouble(368, 1_404_082, "Repeated content"),
        trouble(1_366_051, 0, "Already posted"),
    ] {
        let mut nobody_s = bench(Facebook::default());
        nobody_s.server.fault("POST /feed", Fault::Error(refusal));
        let End::Held(why) = nobody_s.deliver(&draft(&[])).await else { panic!() };
        assert!(why.contains("has this already"), "{why}");
        assert_eq!(nobody_s.server.count("POST /feed"), 1, "never sent again");
    }

    // of yesterday: not made by this attempt
    let mut older = bench(Facebook { knows_duplicates: true, ..Facebook::default() });
    published(older.deliver(&draft(&[])).await);
    older.next();
    older.advance(Duration::from_secs(86_400));
    let End::Held(_) = older.deliver(&draft(&[])).await else { panic!() };
    assert_eq!(older.server.with(|it| it.posts.len()), 1);

    let mut photos = bench(Facebook::default());
    photos.server.fault("POST /photos", Fault::Error(trouble(100, 1_366_051, "Already posted")));
    let End::Held(_) = photos.deliver(&draft(&["1.jpg", "2.jpg"])).await else { panic!() };
    assert_eq!(photos.server.count("POST /feed"), 0);
}

#[tokio::test]
async fn a_page_that_can_t_be_read_costs_the_card() {
    let mut bench = bench(Facebook { scrapes: false, ..Facebook::default() });
    let End::Failed("card", _) = bench.deliver(&link("https://a.example/1")).await else {
        panic!()
    };
    assert_eq!(bench.server.count("POST /feed"), 2, "once more, later");
    // as the daemon composes it then
    let bare = Draft { text: "Hello https://a.example/1".into(), ..draft(&[]) };
    published(bench.deliver(&bare).await);
    assert_eq!(bench.server.with(|it| it.posts.len()), 1);

    let mut own = self::bench(Facebook::default());
    let end = own.deliver(&link("https://www.facebook.com/ada")).await;
    assert_eq!(name(&end), "card", "{end:?}");
}

#[tokio::test]
async fn every_refusal_has_its_end() {
    let check = async |refusal: Trouble, is_done: bool, expect: &str, calls: usize| {
        let mut bench = bench(Facebook::default());
        let (code, subcode) = (refusal.code, refusal.subcode);
        let fault = if is_done { Fault::DoneError(refusal) } else { Fault::Error(refusal) };
        bench.server.fault("POST /feed", fault);
        let end = bench.deliver(&draft(&[])).await;
        assert_eq!(name(&end), expect, "{code}/{subcode:?}: {end:?}");
        let posts = bench.server.with(|it| it.posts.len());
        assert_eq!(posts, usize::from(expect == "published"), "{code}/{subcode:?}");
        assert_eq!(bench.server.count("POST /feed"), calls, "{code}/{subcode:?}");
    };
    let of = |code, subcode| trouble(code, subcode, "Fatal");
    for (code, subcode) in [(1, 0), (2, 0), (-1, 0), (1, 1_609_010), (1_363_047, 0), (77_777, 0)] {
        check(of(code, subcode), true, "published", 1).await;
        check(of(code, subcode), false, "published", 2).await;
    }
    for subcode in [1_404_112, 1_404_102, 1_346_003, 1_366_046, 2_069_019, 2_061_006, 1_349_125] {
        check(of(100, subcode), false, "content", 1).await;
        check(of(subcode, 0), false, "content", 1).await;
    }
    check(of(100, 0), false, "content", 1).await;
    for (code, subcode) in [
        (190, 458),
        (190, 459),
        (190, 460),
        (190, 463),
        (190, 464),
        (190, 467),
        (190, 492),
        (10, 0),
        (200, 0),
        (100, 33),
        (368, 1_390_008),
        (368, 4_854_002),
        (368, 0),
        (1_404_006, 0),
        (1, 1_404_078),
    ] {
        check(of(code, subcode), false, "account", 1).await;
    }
    for code in [4, 17, 32, 341, 613, 80_001] {
        check(of(code, 0), false, "rate_limited", 1).await;
    }
}

#[tokio::test]
async fn a_permission_that_calls_itself_an_expired_token_is_a_permission() {
    let mut bench = bench(Facebook::default());
    let words = "Any of the pages_read_engagement, pages_manage_metadata permission(s) must be \
                 granted before impersonating a user's page.";
    bench.server.fault("POST /feed", Fault::Error(trouble(190, 0, words)));
    let outcome = bench.publish(&draft(&[])).await.unwrap();
    let Outcome::Failed(failure) = outcome else { panic!() };
    let Class::Account { hint, .. } = failure.class else { panic!("{failure:?}") };
    assert!(hint.contains("no expired token"), "{hint}");
}

#[tokio::test]
async fn photos_that_nobody_sees_are_handed_over_once() {
    let mut bench = bench(Facebook::default());
    bench.server.fault("POST /feed", Fault::Error(trouble(4, 0, "Limit")));
    let draft = draft(&["1.jpg", "2.jpg", "3.jpg"]);
    let End::Parked("rate_limited", ..) = bench.deliver(&draft).await else { panic!() };
    assert_eq!(bench.server.count("POST /photos"), 3);
    bench.advance(Duration::from_secs(3600));
    published(bench.deliver(&draft).await);
    assert_eq!(bench.server.count("POST /photos"), 3);
    // a day later they are gone
    bench.next();
    bench.server.fault("POST /feed", Fault::Error(trouble(4, 0, "Limit")));
    let End::Parked("rate_limited", ..) = bench.deliver(&draft).await else { panic!() };
    bench.advance(Duration::from_secs(24 * 3600));
    published(bench.deliver(&draft).await);
    assert_eq!(bench.server.count("POST /photos"), 9);
    let order = bench.server.with(|it| it.posts.last().unwrap().photos.clone());
    assert!(order.is_sorted() && order.len() == 3, "{order:?}");
}

#[tokio::test]
async fn what_another_page_may_have_posted_is_for_a_person() {
    let mut bench = bench(Facebook::default());
    let draft = draft(&[]);
    bench.server.fault("POST /feed", Fault::Lost);
    bench.publish(&draft).await.unwrap();
    // whatever became of the draft meanwhile, what is open comes first
    let Some(Outcome::Failed(open)) = bench.publish(&Draft::default()).await else { panic!() };
    assert_eq!(open.class, Class::Ambiguous);
    bench.reopen(|url, http| {
        Box::new(Publisher::new("108", Secret::new(TOKEN), VERSION, Some(url), http))
    });
    let Some(End::Held(why)) = bench.settle(&draft).await else { panic!() };
    assert!(why.contains(PAGE), "{why}");
}

fn video() -> Draft {
    draft(&["1.mp4"])
}

#[tokio::test]
async fn a_video_is_published_when_it_can_be_seen_and_sent_once() {
    let mut bench = bench(Facebook { busy: 40, ..Facebook::default() });
    let receipt = published(bench.deliver(&video()).await);
    let posts = bench.server.with(|it| it.public());
    assert_eq!(posts.iter().map(|post| &post.id).collect::<Vec<_>>(), [&receipt.remote_id]);
    assert_eq!(bench.server.count("POST /videos"), 1);
    assert_eq!(bench.waits[..6], [5, 5, 5, 5, 5, 6]);
    assert_eq!(bench.waits.len(), 41, "each wait is one look");
}

#[tokio::test]
async fn a_video_that_fails_says_why_and_only_a_person_sends_it_again() {
    let why = json!({"status": "error", "error": {"message": "The video is too short"}});
    let platform = || Facebook { failing: vec![why.clone()], ..Facebook::default() };
    let mut told = bench(platform());
    let End::Failed("content", words) = told.deliver(&video()).await else { panic!() };
    assert!(words.contains("can't use it: The video is too short"), "{words}");
    assert_eq!(told.server.count("POST /videos"), 1);
    // `retry`, with a file that was mended
    published(told.deliver(&video()).await);
    assert_eq!(told.server.with(|it| it.public().len()), 1);
    assert_eq!(told.server.count("POST /videos"), 2);

    let mut mute = bench(Facebook { failing: vec![json!({"status": "error"})], ..platform() });
    let End::Failed("content", words) = mute.deliver(&video()).await else { panic!() };
    assert!(words.contains("it says no reason"), "{words}");

    // whichever note is the last before a crash, and whichever answer is lost
    for committed in [false, true] {
        for nth in 0.. {
            let mut bench = bench(platform());
            bench.journal.die_at(nth, committed);
            let end = bench.deliver(&video()).await;
            assert_eq!(name(&end), "content", "{nth}, committed: {committed}: {end:?}");
            assert_eq!(bench.server.count("POST /videos"), 1, "{nth}, committed: {committed}");
            if bench.journal.is_deadly() {
                break;
            }
        }
    }
    for nth in 0.. {
        let mut bench = bench(platform());
        bench.server.fault_at(nth, Fault::Lost);
        let end = bench.deliver(&video()).await;
        assert_eq!(name(&end), "content", "{nth}: {end:?}");
        assert_eq!(bench.server.count("POST /videos"), 1, "{nth}");
        if bench.server.is_faulty() {
            break;
        }
    }
}

#[tokio::test]
async fn a_video_that_takes_too_long_or_can_t_be_looked_at_is_for_a_person() {
    let slow = Facebook { busy: 10_000, ..Facebook::default() };
    for platform in [slow, Facebook { is_blind: true, ..Facebook::default() }] {
        let mut bench = bench(platform);
        let End::Held(why) = bench.deliver(&video()).await else { panic!() };
        assert!(why.contains("after 23 hours") && why.contains("not public yet"), "{why}");
        let hours = bench.waits.iter().sum::<u64>() / 3600;
        assert!((22..=23).contains(&hours), "{hours}");
        assert!(bench.waits.len() < 130, "{} looks", bench.waits.len());
        assert_eq!(bench.server.count("POST /videos"), 1);
        // `resolve --retry`: it is looked at once more, and then their word counts
        bench.server.with(|it| (it.busy, it.is_blind) = (0, false));
        published(bench.deliver(&video()).await);
        let sent = bench.server.count("POST /videos");
        assert!(sent <= 2, "{sent}");
    }
}

#[tokio::test]
async fn a_video_waits_where_the_account_can_t_look_at_it() {
    let mut bench = bench(Facebook::default());
    let Some(Outcome::Wait { .. }) = bench.publish(&video()).await else { panic!() };
    bench.server.set_token("another");
    let End::Parked("account", ..) = bench.deliver(&video()).await else { panic!() };
    bench.server.set_token(TOKEN);
    bench.server.fault("GET /122000000000001", Fault::Error(trouble(4, 0, "Limit")));
    let End::Parked("rate_limited", ..) = bench.deliver(&video()).await else { panic!() };
    published(bench.deliver(&video()).await);
    assert_eq!(bench.server.count("POST /videos"), 1);
}

#[tokio::test]
async fn a_page_s_token_is_asked_about_every_week() {
    let mut bench = bench(Facebook::default());
    let checked = bench.renew().await.unwrap();
    let Renewal::Checked(life) = &checked else { panic!("{checked:?}") };
    assert_eq!(life.expires_at, None);
    assert!(life.data_access_expires_at.is_some());
    bench.advance(Duration::from_secs(6 * 86_400));
    bench.renew().await.unwrap();
    assert_eq!(bench.server.count("GET /debug_token"), 1);
    bench.advance(Duration::from_secs(2 * 86_400));
    bench.renew().await.unwrap();
    assert_eq!(bench.server.count("GET /debug_token"), 2);
    bench.advance(Duration::from_secs(8 * 86_400));
    bench.server.with(|it| it.about["is_valid"] = json!(false));
    assert_eq!(bench.renew().await.unwrap_err().class.as_str(), "account");
}

#[tokio::test]
async fn verify_says_which_page_it_is_and_what_is_wrong() {
    let bench = bench(Facebook::default());
    let identity = bench.verify().await.unwrap();
    assert_eq!(identity.name, "Ada's Page");
    let notes = identity.notes.join("\n");
    for part in ["no end", "right to read ends in 89 days", "development mode"] {
        assert!(notes.contains(part), "{notes}");
    }
    let check = async |words: &[&str]| {
        let failure = bench.verify().await.unwrap_err();
        let Class::Account { hint, .. } = &failure.class else { panic!("{failure:?}") };
        let said = format!("{}; {hint}", failure.message);
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    bench.server.with(|it| it.about["scopes"] = json!(["pages_show_list"]));
    check(&["pages_read_engagement", "pages_manage_posts"]).await;
    bench.server.with(|it| it.about["is_valid"] = json!(false));
    check(&["not valid"]).await;
    bench.server.with(|it| it.me = ("5", "Ada"));
    check(&["the token is of Ada (`5`)", "me/accounts"]).await;
    bench.server.set_token("another");
    check(&["190/463"]).await;
}
