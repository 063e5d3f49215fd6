//! The Instagram publisher against a strict server that loses its answers, delays its containers,
//! and kills whoever asks.

use std::time::Duration;

use posse_party::config::Secret;
use posse_party::crosspost::{Class, Receipt};
use posse_party::draft::{Channel, Draft, Media};
use posse_party::publish::instagram::Instagram as Publisher;
use posse_party::publish::{Outcome, Renewal};

use crate::graph_bench::{Bench, End, START};
use crate::graph_server::{Fault, TOKEN, Trouble, VERSION, trouble};
use crate::instagram_server::{Instagram, RENEWED, USER, page};

const HOUR: Duration = Duration::from_secs(3600);

fn bench(platform: Instagram) -> Bench<Instagram> {
    Bench::new(platform, |url, http| {
        let token = Secret::new(TOKEN);
        let user = Some(USER.to_owned());
        let publisher = Publisher::new(token, user, VERSION, Some(url), http);
        Box::new(publisher.hurried(Duration::ZERO))
    })
}

fn media(name: &str, alt: Option<&str>) -> Media {
    let kind = if name.ends_with("mp4") { "video/mp4" } else { "image/jpeg" };
    Media {
        media_type: Some(kind.into()),
        url: format!("https://media.example/{name}"),
        alt: alt.map(str::to_owned),
        ..Media::default()
    }
}

fn draft(names: &[&str]) -> Draft {
    Draft {
        text: "Hello/world “quoted”\n\nhttps://a.example/1".into(),
        canonical_url: Some("https://a.example/1".into()),
        media: names.iter().map(|name| media(name, Some("a cat"))).collect(),
        ..Draft::default()
    }
}

fn story(name: &str) -> Draft {
    Draft { channel: Channel::Story, ..draft(&[name]) }
}

/// One of each kind.
fn kinds() -> [Draft; 4] {
    [draft(&["1.jpg"]), draft(&["1.mp4"]), draft(&["1.mp4", "2.jpg", "3.jpg"]), story("1.jpg")]
}

#[track_caller]
fn published(end: End) -> Receipt {
    match end {
        End::Published(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_kind_goes_out_once_it_is_finished() {
    let check = async |draft: Draft, kind: &str, children: usize| {
        let mut bench = bench(Instagram { busy: 2, ..Instagram::default() });
        let receipt = published(bench.deliver(&draft).await);
        let posts = bench.server.with(|it| it.posts.clone());
        let [post] = posts.as_slice() else { panic!("{posts:?}") };
        assert_eq!((post.kind, post.children), (kind, children));
        assert_eq!(receipt.remote_id, post.id);
        let is_story = kind == "STORIES";
        assert_eq!(receipt.url, (!is_story).then(|| page(post)), "a story's page dies with it");
        assert_eq!(post.caption, if is_story { "" } else { &draft.text });
        let containers = bench.server.with(|it| it.containers.clone());
        assert_eq!(containers.len(), 1 + children);
        for it in containers {
            let is_image = it.kind == "IMAGE";
            assert_eq!(it.alt.as_deref(), is_image.then_some("a cat"), "{it:?}");
        }
    };
    let [image, reel, carousel, image_story] = kinds();
    check(image, "IMAGE", 0).await;
    check(reel, "REELS", 0).await;
    check(carousel, "CAROUSEL", 3).await;
    check(image_story, "STORIES", 0).await;
    check(story("1.mp4"), "STORIES", 0).await;
}

#[tokio::test]
async fn whichever_answer_is_lost_one_post_is_public() {
    for draft in kinds() {
        for fault in [Fault::Lost, Fault::Dropped, Fault::DonePage, Fault::Truncated, Fault::Killed]
        {
            for nth in 0.. {
                let mut bench = bench(Instagram::default());
                bench.server.fault_at(nth, fault.clone());
                let end = bench.deliver(&draft).await;
                let posts = bench.server.with(|it| it.posts.len());
                let what = format!("{fault:?} at {nth}, {} media", draft.media.len());
                assert_eq!(posts, 1, "{what}: {end:?}");
                assert!(matches!(end, End::Published(_)), "{what}: {end:?}");
                if bench.server.is_faulty() {
                    assert!(nth > 3, "the calls are counted");
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
                let mut bench = bench(Instagram::default());
                bench.journal.die_at(nth, committed);
                let end = bench.deliver(&draft).await;
                let what = format!("{nth}, committed: {committed}, {} media", draft.media.len());
                assert_eq!(bench.server.with(|it| it.posts.len()), 1, "{what}: {end:?}");
                assert!(matches!(end, End::Published(_)), "{what}: {end:?}");
                if bench.journal.is_deadly() {
                    assert!(nth > 2, "the notes are counted");
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_publication_that_shows_late_is_found() {
    for draft in kinds() {
        let check = async |status_lag: u32, list_lag: u32| {
            let platform = Instagram { status_lag, list_lag, ..Instagram::default() };
            let mut bench = bench(platform);
            bench.server.fault("POST /media_publish", Fault::Lost);
            let receipt = published(bench.deliver(&draft).await);
            assert_eq!(bench.server.with(|it| it.posts.len()), 1);
            assert_eq!(bench.server.count("POST /media_publish"), 1);
            receipt
        };
        let is_story = draft.channel == Channel::Story;
        check(2, 0).await;
        let receipt = check(0, 2).await;
        assert_eq!(receipt.url.is_some(), !is_story);
        // the container says it, the list never does
        let receipt = check(0, 100).await;
        assert!(receipt.remote_id.starts_with("container ") && receipt.url.is_none());
        let mut unlisted = bench(Instagram { list_lag: 100, ..Instagram::default() });
        unlisted.server.fault("POST /media_publish", Fault::Lost);
        let receipt = published(unlisted.deliver(&draft).await);
        unlisted.server.with(|it| it.posts.iter_mut().for_each(|post| post.show()));
        let found = unlisted.page(&receipt.remote_id, &draft).await;
        assert_eq!(found.is_some(), !is_story, "it is asked for later: {receipt:?}");
    }
}

#[tokio::test]
async fn a_publication_that_did_nothing_is_made_again_with_the_same_container() {
    for draft in kinds() {
        let mut bench = bench(Instagram::default());
        bench.server.fault("POST /media_publish", Fault::Dropped);
        published(bench.deliver(&draft).await);
        assert_eq!(bench.server.count("POST /media_publish"), 2);
        let parts = if draft.media.len() > 1 { draft.media.len() } else { 0 };
        assert_eq!(bench.server.with(|it| it.containers.len()), 1 + parts, "no second container");
    }
}

#[tokio::test]
async fn what_is_lost_again_and_again_is_for_a_person() {
    let mut bench = bench(Instagram::default());
    for _ in 0..5 {
        bench.server.fault("POST /media_publish", Fault::Dropped);
    }
    let draft = draft(&["1.jpg"]);
    let End::Held(why) = bench.deliver(&draft).await else { panic!() };
    assert!(why.contains("no usable answer 3 times"), "{why}");
    assert_eq!(bench.server.count("POST /media_publish"), 3);
}

#[tokio::test]
async fn a_story_whose_container_is_gone_is_for_a_person_who_may_order_it_again() {
    let mut bench = bench(Instagram::default());
    let draft = story("1.jpg");
    bench.server.fault("POST /media_publish", Fault::Dropped);
    while !matches!(bench.publish(&draft).await, Some(Outcome::Failed(_))) {}
    bench.advance(25 * HOUR);
    let Some(End::Held(why)) = bench.settle(&draft).await else { panic!() };
    assert!(why.contains("its container is lapsed") && why.contains("look at the account"));
    // `resolve --retry`
    published(bench.deliver(&draft).await);
    assert_eq!(bench.server.with(|it| (it.posts.len(), it.containers.len())), (1, 2));
}

#[tokio::test]
async fn the_list_is_read_to_its_end_and_no_further_than_is_sensible() {
    let check = async |by_hand: usize, part_max: usize| {
        let mut bench = bench(Instagram { part_max, ..Instagram::default() });
        bench.server.fault("POST /media_publish", Fault::Lost);
        let draft = draft(&["1.jpg"]);
        while !matches!(bench.publish(&draft).await, Some(Outcome::Failed(_))) {}
        bench.server.with(|it| {
            it.containers.clear();
            (0..by_hand).for_each(|n| it.post_by_hand(&format!("By hand {n}"), START));
        });
        let end = bench.settle(&draft).await.unwrap();
        assert_eq!(bench.server.with(|it| it.posts.len()), by_hand + 1, "{end:?}");
        (end, bench.server.count(&format!("GET /{USER}/media")))
    };
    let (end, asked) = check(6, 2).await;
    published(end);
    assert_eq!(asked, 4);
    let (end, _) = check(120, 100).await;
    published(end);
    // what is too long to be read to its end proves nothing
    let End::Held(why) = check(6, 1).await.0 else { panic!() };
    assert!(why.contains("more posts since then than are looked through"), "{why}");
}

#[tokio::test]
async fn a_page_is_asked_for_later_but_not_that_of_a_story() {
    // the container is the first id, the post the second
    const POST: &str = "18010000000000002";
    let mut bench = bench(Instagram { busy: 0, ..Instagram::default() });
    for _ in 0..2 {
        let gone = Fault::Error(trouble(100, 33, "Unsupported get request"));
        bench.server.fault(&format!("GET /{POST}"), gone);
    }
    let image = draft(&["1.jpg"]);
    let receipt = published(bench.deliver(&image).await);
    assert_eq!((receipt.remote_id.as_str(), receipt.url), (POST, None));
    let posts = bench.server.with(|it| it.posts.clone());
    assert_eq!(bench.page(POST, &image).await, Some(page(&posts[0])));
    let asked = bench.server.count(&format!("GET /{POST}"));
    assert_eq!(bench.page(POST, &story("1.jpg")).await, None);
    assert_eq!(bench.server.count(&format!("GET /{POST}")), asked, "nobody is asked");
    bench.server.set_token("another");
    assert_eq!(bench.page(POST, &image).await, None);
}

#[tokio::test]
async fn a_person_s_retry_looks_first() {
    let mut bench = bench(Instagram { list_lag: 100, ..Instagram::default() });
    let draft = draft(&["1.jpg"]);
    bench.server.fault("POST /media_publish", Fault::Lost);
    while !matches!(bench.publish(&draft).await, Some(Outcome::Failed(_))) {}
    // whatever became of the draft meanwhile, what is open comes first
    let Some(Outcome::Failed(open)) = bench.publish(&Draft::default()).await else { panic!() };
    assert_eq!(open.class, Class::Ambiguous);
    bench.find(&draft).await.unwrap();
    bench.server.with(|it| it.list_lag = 0);
    bench.server.with(|it| it.posts.iter_mut().for_each(|post| post.show()));
    published(bench.deliver(&draft).await);
    assert_eq!(bench.server.with(|it| it.posts.len()), 1);
}

#[tokio::test]
async fn a_person_s_retry_makes_no_second_one_of_what_the_container_says_is_published() {
    let mut bench = bench(Instagram { list_lag: 100, ..Instagram::default() });
    let draft = draft(&["1.jpg"]);
    bench.server.fault("POST /media_publish", Fault::Lost);
    while !matches!(bench.publish(&draft).await, Some(Outcome::Failed(_))) {}
    bench.find(&draft).await.unwrap();
    let Some(Outcome::Failed(open)) = bench.publish(&draft).await else { panic!() };
    assert_eq!(open.class, Class::Ambiguous);
    published(bench.settle(&draft).await.unwrap());
    assert_eq!(bench.server.with(|it| (it.posts.len(), it.containers.len())), (1, 1));
}

#[tokio::test]
async fn a_container_that_is_not_known_is_tried_twice_more_and_then_made_anew() {
    let refusal = || Fault::Error(trouble(24, 2_207_008, "The media is missing or expired"));
    let mut bench = bench(Instagram::default());
    for _ in 0..2 {
        bench.server.fault("POST /media_publish", refusal());
    }
    published(bench.deliver(&draft(&["1.jpg"])).await);
    assert_eq!(bench.waits, [30, 90]);
    assert_eq!(bench.server.with(|it| it.containers.len()), 1);

    bench.next();
    for _ in 0..3 {
        bench.server.fault("POST /media_publish", refusal());
    }
    published(bench.deliver(&draft(&["2.jpg"])).await);
    assert_eq!(bench.waits[2..4], [30, 90]);
    assert_eq!(bench.server.with(|it| (it.posts.len(), it.containers.len())), (2, 3));
}

#[tokio::test]
async fn a_carousel_one_of_whose_parts_is_not_known_is_made_anew() {
    let mut bench = bench(Instagram { busy: 0, ..Instagram::default() });
    // the third container is the one of the carousel
    let refusal = trouble(24, 2_207_008, "The media is missing or expired");
    bench.server.fault_at(4, Fault::Error(refusal));
    published(bench.deliver(&draft(&["1.jpg", "2.jpg"])).await);
    assert_eq!(bench.server.with(|it| (it.posts.len(), it.containers.len())), (1, 5));
}

#[tokio::test]
async fn waiting_takes_as_long_as_it_takes_and_no_longer_than_23_hours() {
    let mut slow = bench(Instagram { busy: 40, ..Instagram::default() });
    published(slow.deliver(&draft(&["1.mp4"])).await);
    assert_eq!(slow.waits[..4], [10, 15, 30, 60], "the first are within one attempt");
    assert!(slow.waits.len() > 30, "{:?}", slow.waits);

    let mut never = bench(Instagram { busy: 10_000, ..Instagram::default() });
    let End::Failed("content", why) = never.deliver(&draft(&["1.mp4"])).await else { panic!() };
    assert!(why.contains("not finished within 23 hours"), "{why}");
    let hours = never.waits.iter().sum::<u64>() / 3600;
    assert!((22..=23).contains(&hours), "{hours}");
    assert!(never.waits.len() < 200, "{} looks", never.waits.len());
    assert_eq!(never.server.with(|it| it.containers.len()), 1);
}

#[tokio::test]
async fn a_full_quota_holds_the_account_and_an_old_container_is_made_anew() {
    let mut bench = bench(Instagram { used_elsewhere: 50, ..Instagram::default() });
    let draft = draft(&["1.jpg"]);
    let End::Parked("rate_limited", Some(until), why) = bench.deliver(&draft).await else {
        panic!()
    };
    assert_eq!(until, 3600);
    assert!(why.contains("50 of 50 posts"), "{why}");
    bench.advance(25 * HOUR);
    bench.server.with(|it| it.used_elsewhere = 0);
    published(bench.deliver(&draft).await);
    assert_eq!(bench.server.with(|it| it.containers.len()), 2);
}

#[tokio::test]
async fn every_refusal_when_a_container_is_made_has_its_end() {
    let check = async |code: i64, subcode: i64, expect: &str| {
        let mut bench = bench(Instagram::default());
        let refusal = Fault::Error(trouble(code, subcode, "Fatal"));
        bench.server.fault("POST /media", refusal);
        let end = bench.deliver(&draft(&["1.jpg"])).await;
        assert_eq!(name(&end), expect, "{code}/{subcode}: {end:?}");
        assert_eq!(bench.server.with(|it| it.posts.len()), usize::from(expect == "published"));
    };
    for (code, subcode) in [(-1, 2_207_001), (-1, 2_207_032), (-1, 2_207_053), (-2, 2_207_003)] {
        check(code, subcode, "published").await;
    }
    check(9004, 2_207_052, "published").await;
    check(1, 0, "published").await;
    check(77_777, 0, "published").await;
    for (code, subcode) in [
        (352, 2_207_026),
        (36000, 2_207_004),
        (36001, 2_207_005),
        (36003, 2_207_009),
        (100, 2_207_023),
        (100, 2_207_028),
        (100, 0),
    ] {
        check(code, subcode, "content").await;
    }
    check(36004, 2_207_010, "too long").await;
    for (code, subcode) in [(190, 463), (10, 0), (25, 2_207_050), (200, 0), (3, 0)] {
        check(code, subcode, "account").await;
    }
    for (code, subcode) in [(80_002, 0), (4, 0), (17, 0), (9, 2_207_042)] {
        check(code, subcode, "rate_limited").await;
    }
}

#[tokio::test]
async fn every_refusal_of_a_publication_has_its_end() {
    let check = async |refusal: Trouble, is_done: bool, expect: &str, calls: usize| {
        let mut bench = bench(Instagram::default());
        let (code, subcode) = (refusal.code, refusal.subcode);
        let fault = if is_done { Fault::DoneError(refusal) } else { Fault::Error(refusal) };
        bench.server.fault("POST /media_publish", fault);
        let end = bench.deliver(&draft(&["1.jpg"])).await;
        assert_eq!(name(&end), expect, "{code}/{subcode:?}: {end:?}");
        let posts = bench.server.with(|it| it.posts.len());
        assert_eq!(posts, usize::from(expect == "published" || is_done), "{code}/{subcode:?}");
        assert_eq!(bench.server.count("POST /media_publish"), calls, "{code}/{subcode:?}");
    };
    let of = |code, subcode| trouble(code, subcode, "Fatal");
    // may have had an effect: with it, and without
    for (code, subcode) in
        [(-1, 2_207_001), (24, 2_207_006), (1, 0), (-2, 0), (77_777, 0), (9004, 2_207_052)]
    {
        check(of(code, subcode), true, "published", 1).await;
        check(of(code, subcode), false, "published", 2).await;
    }
    let mut outage = of(2, 0);
    outage.status = 500;
    check(outage.clone(), true, "published", 1).await;
    check(outage, false, "published", 2).await;
    // surely had none
    check(of(9007, 2_207_027), false, "published", 2).await;
    check(of(24, 2_207_008), false, "published", 2).await;
    check(of(-2, 2_207_020), false, "published", 2).await;
    check(of(352, 2_207_026), false, "content", 1).await;
    check(of(36004, 2_207_010), false, "content", 1).await;
    check(of(9, 2_207_042), false, "rate_limited", 1).await;
    check(of(80_002, 0), false, "rate_limited", 1).await;
    check(of(190, 460), false, "account", 1).await;
    check(of(25, 2_207_050), false, "account", 1).await;
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
async fn taken_for_spam_is_a_doubt_and_then_a_day_s_rest() {
    let flagged = || trouble(4, 2_207_051, "Application request limit reached");
    let mut gone_out = bench(Instagram::default());
    gone_out.server.fault("POST /media_publish", Fault::DoneError(flagged()));
    published(gone_out.deliver(&draft(&["1.jpg"])).await);
    assert_eq!(gone_out.server.count("POST /media_publish"), 1);
    gone_out.next();
    let next = Draft { text: "Next".into(), ..draft(&["2.jpg"]) };
    let End::Parked("account", Some(until), _) = gone_out.deliver(&next).await else { panic!() };
    assert!(until >= 86_400, "{until}");
    gone_out.advance(25 * HOUR);
    published(gone_out.deliver(&next).await);
    assert_eq!(gone_out.server.with(|it| it.posts.len()), 2);

    let mut refused = bench(Instagram::default());
    refused.server.fault("POST /media_publish", Fault::Error(flagged()));
    let End::Parked("account", ..) = refused.deliver(&draft(&["1.jpg"])).await else { panic!() };
    assert_eq!(refused.server.count("POST /media_publish"), 1, "no retry");
    refused.advance(25 * HOUR);
    published(refused.deliver(&draft(&["1.jpg"])).await);
    assert_eq!(refused.server.with(|it| it.posts.len()), 1);
}

#[tokio::test]
async fn a_container_that_fails_without_a_word_is_asked_why() {
    let format = || trouble(352, 2_207_026, "The video format is not supported");
    let mut mute = bench(Instagram { failing: vec![format()], ..Instagram::default() });
    let End::Failed("content", why) = mute.deliver(&story("1.mp4")).await else { panic!() };
    assert!(why.contains("352/2207026") && why.contains("Không thể"), "{why}");
    assert_eq!(mute.server.count("POST /media_publish"), 1);

    let tells = Instagram { failing: vec![format()], tells: true, ..Instagram::default() };
    let caption = Instagram {
        failing: vec![trouble(36004, 2_207_010, "Fatal")],
        tells: true,
        ..Instagram::default()
    };
    let end = bench(caption).deliver(&draft(&["1.jpg"])).await;
    assert_eq!(name(&end), "too long", "{end:?}");
    let mut tells = bench(tells);
    let End::Failed("content", why) = tells.deliver(&story("1.mp4")).await else { panic!() };
    assert!(why.contains("2207026"), "{why}");
    assert_eq!(tells.server.count("POST /media_publish"), 0);

    // the file could not be fetched: once more, and then no more
    let fetch = || trouble(9004, 2_207_052, "Only photo or video can be accepted");
    let mut passing = bench(Instagram { failing: vec![fetch()], ..Instagram::default() });
    published(passing.deliver(&draft(&["1.jpg"])).await);
    assert_eq!(passing.server.with(|it| it.containers.len()), 2);
    let mut lasting = bench(Instagram { failing: vec![fetch(); 9], ..Instagram::default() });
    let End::Failed("content", why) = lasting.deliver(&draft(&["1.jpg"])).await else { panic!() };
    assert!(why.contains("facebookexternalhit"), "{why}");
    assert_eq!(lasting.server.with(|it| it.containers.len()), 4);
}

#[tokio::test]
async fn a_part_that_fails_is_made_anew_alone_and_never_published() {
    let failing = vec![trouble(-1, 2_207_053, "Fatal")];
    let mut once = bench(Instagram { failing, ..Instagram::default() });
    published(once.deliver(&draft(&["1.jpg", "2.jpg", "3.mp4"])).await);
    let made = once.server.with(|it| it.containers.iter().filter(|it| it.is_part).count());
    assert_eq!(made, 4);
    let order: Vec<_> = once.server.with(|it| {
        let parts = it.containers.iter().filter(|it| it.is_part);
        parts.map(|it| it.address.clone()).collect()
    });
    assert_eq!(order[0], order[3]);

    let failing = vec![trouble(-1, 2_207_053, "Fatal"); 5];
    let mut always = bench(Instagram { failing, ..Instagram::default() });
    let end = always.deliver(&draft(&["1.jpg", "2.jpg"])).await;
    assert_eq!(name(&end), "content", "{end:?}");
    assert_eq!(always.server.count("POST /media_publish"), 0);
}

#[tokio::test]
async fn another_text_gets_another_container() {
    let mut bench = bench(Instagram::default());
    let fault = Fault::Error(trouble(36003, 2_207_009, "Fatal"));
    bench.server.fault("POST /media_publish", fault);
    let End::Failed("content", _) = bench.deliver(&draft(&["1.jpg"])).await else { panic!() };
    let mended = Draft { text: "Mended".into(), ..draft(&["2.jpg"]) };
    published(bench.deliver(&mended).await);
    let posts = bench.server.with(|it| it.posts.clone());
    assert_eq!((posts.len(), posts[0].caption.as_str()), (1, "Mended"));
}

#[tokio::test]
async fn the_number_of_the_account_is_asked_for_once() {
    let mut bench = bench(Instagram::default());
    bench.reopen(|url, http| {
        let publisher = Publisher::new(Secret::new(TOKEN), None, VERSION, Some(url), http);
        Box::new(publisher.hurried(Duration::ZERO))
    });
    published(bench.deliver(&draft(&["1.jpg"])).await);
    bench.next();
    published(bench.deliver(&draft(&["2.jpg"])).await);
    assert_eq!(bench.server.count("GET /me"), 1);
}

#[tokio::test]
async fn what_another_account_may_have_posted_is_for_a_person() {
    let mut bench = bench(Instagram::default());
    let draft = draft(&["1.jpg"]);
    bench.server.fault("POST /media_publish", Fault::Lost);
    while !matches!(bench.publish(&draft).await, Some(Outcome::Failed(_))) {}
    bench.reopen(|url, http| {
        let user = Some("17841400000000000".to_owned());
        Box::new(Publisher::new(Secret::new(TOKEN), user, VERSION, Some(url), http))
    });
    let Some(End::Held(why)) = bench.settle(&draft).await else { panic!() };
    assert!(why.contains(USER), "{why}");
}

#[tokio::test]
async fn the_day_s_containers_are_never_used_up() {
    let mut bench = bench(Instagram::default());
    let made: Vec<i64> = (0..380).map(|at| 1_799_990_000 + at).collect();
    bench.desk().memory.write("instagram.made", made.into()).await.unwrap();
    let End::Parked("rate_limited", Some(until), _) = bench.deliver(&draft(&["1.jpg"])).await
    else {
        panic!()
    };
    assert_eq!(until, 86_400 - 10_000);
    assert_eq!(bench.server.count("POST /media"), 0);
}

#[tokio::test]
async fn a_renewed_token_is_used_from_then_on() {
    let mut bench = bench(Instagram::default());
    let renewed = bench.renew().await.unwrap();
    let Renewal::Renewed(life) = &renewed else { panic!("{renewed:?}") };
    assert!(life.expires_at.is_some());
    bench.server.set_token(RENEWED);
    published(bench.deliver(&draft(&["1.jpg"])).await);
    let notes = bench.verify().await.unwrap().notes.join("\n");
    assert!(notes.contains("the token ends in 59 days"), "{notes}");
    assert!(matches!(bench.renew().await, Ok(Renewal::Checked(_))), "not again on the same day");
    assert_eq!(bench.server.count("GET /refresh_access_token"), 1);
}

#[tokio::test]
async fn without_a_token_nothing_is_asked_and_login_is_named() {
    let mut bench = bench(Instagram::default());
    bench.reopen(|url, http| Box::new(Publisher::new(None, None, VERSION, Some(url), http)));
    let Some(Outcome::Failed(failure)) = bench.publish(&draft(&["1.jpg"])).await else { panic!() };
    let Class::Account { hint, .. } = failure.class else { panic!("{failure:?}") };
    assert!(hint.contains("posse-party login instagram"), "{hint}");
}

#[tokio::test]
async fn verify_says_who_it_is_and_what_is_wrong() {
    let bench = bench(Instagram { used_elsewhere: 7, ..Instagram::default() });
    let identity = bench.verify().await.unwrap();
    assert_eq!(identity.name, "@ada");
    assert_eq!(identity.url.as_deref(), Some("https://www.instagram.com/ada/"));
    let notes = identity.notes.join("\n");
    for part in [
        "the account is a professional one (MEDIA_CREATOR)",
        "may read and post (`instagram_business_basic`, `instagram_business_content_publish`)",
        "7 of 50 posts",
        "a token lives 60 days",
    ] {
        assert!(notes.contains(part), "{notes}");
    }
    let check = async |words: &[&str]| {
        let failure = bench.verify().await.unwrap_err();
        let Class::Account { hint, .. } = &failure.class else { panic!("{failure:?}") };
        let said = format!("{}; {hint}", failure.message);
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    bench.server.with(|it| it.account_type = "PERSONAL");
    check(&["a personal one", "Switch to professional account"]).await;
    bench.server.with(|it| it.account_type = "BUSINESS");
    let fault = Fault::Error(trouble(10, 0, "(#10) Application does not have permission"));
    bench.server.fault("GET /content_publishing_limit", fault);
    check(&["instagram_business_content_publish", "Tester invites"]).await;
    bench.server.set_token("another");
    check(&["190/463", "new token"]).await;
}

#[tokio::test]
async fn verify_knows_a_number_of_another_kind() {
    let mut bench = bench(Instagram::default());
    bench.reopen(|url, http| {
        let user = Some("9912345678901234".to_owned());
        Box::new(Publisher::new(Secret::new(TOKEN), user, VERSION, Some(url), http))
    });
    let failure = bench.verify().await.unwrap_err();
    assert!(failure.message.contains("only the app knows"), "{failure:?}");
    let Class::Account { hint, .. } = failure.class else { panic!() };
    assert!(hint.contains(USER), "{hint}");
}
