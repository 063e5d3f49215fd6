//! Refusals: every row of the table, limits and quotas, each as it ends.

use super::*;

/// What a refusal of the container, and of its publication, comes to; how many posts there are
/// when the daemon has done what it does.
struct Row {
    code: i64,
    subcode: Option<i64>,
    message: &'static str,
    create: &'static str,
    publish: &'static str,
}

const fn row(
    code: i64,
    subcode: Option<i64>,
    message: &'static str,
    create: &'static str,
    publish: &'static str,
) -> Row {
    Row { code, subcode, message, create, publish }
}

/// The sheet of Threads, as classes.
const ROWS: &[Row] = &[
    row(24, Some(4_279_009), "The requested resource does not exist", "retry", "wait"),
    row(4_279_009, None, "The requested resource does not exist", "retry", "wait"),
    row(-1, Some(4_279_047), "Fatal", "card", "card"),
    row(100, None, "Param link_attachment is not a valid URL", "card", "card"),
    row(100, None, "Param text must be at most 500 characters long.", "too_long", "content"),
    row(1, None, "THREADS_API__LINK_LIMIT_EXCEEDED", "content", "content"),
    row(1, Some(2_207_052), "Media could not be fetched", "retry", "ambiguous"),
    row(2, None, "Service temporarily unavailable", "retry", "ambiguous"),
    row(1, None, "An unknown error occurred", "retry", "ambiguous"),
    row(-1, None, "Fatal", "retry", "ambiguous"),
    row(-2, None, "Fatal", "retry", "ambiguous"),
    row(10, Some(4_279_013), "Profile restricted", "account", "account"),
    row(4, Some(2_207_051), "Action blocked", "retry", "ambiguous"),
    row(10, None, "(#10) Application does not have permission", "account", "account"),
    row(200, None, "(#200) Permissions error", "account", "account"),
    row(190, None, "Invalid OAuth access token", "account", "account"),
    row(190, Some(460), "The session has been invalidated", "account", "account"),
    row(3, None, "(#3) Application does not have the capability", "account", "account"),
    row(1, None, "THREADS_API__GEO_GATING_INVALID_COUNTRY_CODES", "content", "content"),
    row(4, None, "Application request limit reached", "rate_limited", "rate_limited"),
    row(17, None, "User request limit reached", "rate_limited", "rate_limited"),
    row(
        613,
        None,
        "Calls to this api have exceeded the rate limit",
        "rate_limited",
        "rate_limited",
    ),
    row(80_002, None, "Too many calls", "rate_limited", "rate_limited"),
    row(368, None, "The action attempted has been deemed abusive", "account", "account"),
    row(506, None, "Duplicate status message", "duplicate", "duplicate"),
    row(1_609_005, None, "Error parsing the page", "retry", "retry"),
    row(100, Some(33), "Object does not exist", "retry", "ambiguous"),
    row(100, None, "Invalid parameter", "content", "content"),
    row(4711, Some(12), "Something new", "retry", "ambiguous"),
];

#[tokio::test]
async fn every_row_of_the_table_ends_as_the_sheet_says() {
    for row in ROWS {
        for (call, expect) in [("create", row.create), ("publish", row.publish)] {
            let mut bench = Bench::new();
            let trouble = Trouble::RefuseInWords(row.code, row.subcode, row.message);
            bench.server.script(call, trouble);
            let outcome = bench.publish(&Draft { hashtags: Vec::new(), ..text() }).await;
            let class = match &outcome {
                Outcome::Published(_) => "published",
                Outcome::Wait { .. } => "wait",
                Outcome::Failed(failure) => failure.class.as_str(),
            };
            let what = format!("{call} {}/{:?}: {outcome:?}", row.code, row.subcode);
            assert_eq!(class, expect, "{what}");
            if let Outcome::Failed(failure) = &outcome {
                assert!(failure.message.contains(row.message), "verbatim: {what}");
            }
            assert_eq!(bench.server.posts().len(), 0, "{what}");
            // what is no refusal for good goes out in the end, once
            if !["content", "card"].contains(&class) {
                let in_doubt = ["ambiguous", "duplicate"].contains(&class);
                let plain = Draft { hashtags: Vec::new(), ..text() };
                bench.drive(&plain, in_doubt).await.unwrap();
                assert_eq!(bench.server.posts().len(), 1, "{what}");
            }
            assert_eq!(bench.server.complaints(), Vec::<String>::new(), "{what}");
        }
    }
}

#[tokio::test]
async fn a_container_that_is_not_seen_yet_is_published_3_6_and_12_seconds_later() {
    let mut bench = Bench::new();
    let unseen = || Trouble::RefuseInWords(24, Some(4_279_009), "does not exist");
    (0..3).for_each(|_| bench.server.script("publish", unseen()));
    let mut waits = Vec::new();
    for _ in 0..3 {
        let wait = bench.waits(&text()).await;
        waits.push(wait);
        bench.advance(Duration::from_secs(wait));
    }
    assert_eq!(waits, [3, 6, 12]);
    bench.published(&text()).await;
    assert_eq!(bench.server.seen_of("create").len(), 1, "the same container");
    bench.no_complaints();
}

#[tokio::test]
async fn a_container_that_is_never_seen_is_replaced_and_the_third_is_the_last() {
    let mut bench = Bench::new();
    let unseen = || Trouble::RefuseInWords(24, Some(4_279_009), "does not exist");
    (0..4).for_each(|_| bench.server.script("publish", unseen()));
    bench.drive(&text(), false).await.unwrap();
    assert_eq!(bench.server.seen_of("create").len(), 2);
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();
    let mut bench = Bench::new();
    (0..12).for_each(|_| bench.server.script("publish", unseen()));
    let failure = bench.drive(&text(), false).await.unwrap_err();
    assert!(failure.message.starts_with("3 containers failed: "), "{}", failure.message);
    assert_eq!(bench.server.seen_of("create").len(), 3);
    bench.no_complaints();
}

#[tokio::test]
async fn only_what_is_not_seen_counts_for_a_lost_container() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        bench.server.script("publish", Trouble::Refuse(17, None, "User request limit reached"));
    }
    bench.server.script("publish", Trouble::RefuseInWords(24, Some(4_279_009), "does not exist"));
    bench.drive(&text(), false).await.unwrap();
    assert_eq!(bench.server.seen_of("create").len(), 1, "the same container");
    bench.no_complaints();
}

#[tokio::test]
async fn parts_that_are_not_seen_are_waited_for_and_then_made_anew() {
    let mut bench = Bench::new();
    let unseen = || Trouble::RefuseInWords(24, Some(4_279_009), "does not exist");
    // me, 3 creates, 3 looks, and then what is to hold them
    bench.server.script_nth(7, unseen());
    let mut waits = Vec::new();
    for _ in 0..4 {
        let wait = bench.waits(&carousel()).await;
        waits.push(wait);
        bench.advance(Duration::from_secs(wait));
        bench.server.script_nth(bench.server.seen().len(), unseen());
    }
    assert_eq!(waits, [3, 6, 12, 5]);
    assert_eq!(bench.server.seen_of("create").len(), 7, "no part was made again so far");
    bench.drive(&carousel(), false).await.unwrap();
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn no_second_container_is_made_after_a_doubt_that_ends_unseen() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::HangUp);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    let unseen = Trouble::RefuseInWords(24, Some(4_279_009), "does not exist");
    bench.server.script("publish", unseen);
    let begun = bench.clock.now();
    bench.drive(&text(), true).await.unwrap();
    assert!(bench.clock.now().since(begun) >= Duration::from_secs(120), "the list came first");
    assert_eq!(bench.server.seen_of("create").len(), 2);
    assert!(bench.server.seen_of("list").len() >= 4);
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_card_that_can_not_be_read_leaves_the_post_to_be_composed_without() {
    let bench = Bench::new();
    bench.server.refuse_cards();
    assert_eq!(bench.failure(&text()).await.class, Class::Card);
    let without = Draft { text: format!("Hello {LINK}"), card: None, ..text() };
    bench.published(&without).await;
    let [post] = &bench.server.posts()[..] else { panic!() };
    assert!(!post.params.contains_key("link_attachment"));
    bench.no_complaints();
    // as with an address that Threads calls none
    let bench = Bench::new();
    let card = Some(Card { url: "http://localhost/1".into(), ..Card::default() });
    assert_eq!(bench.failure(&Draft { card, ..text() }).await.class, Class::Card);
    bench.no_complaints();
}

#[tokio::test]
async fn a_topic_that_is_refused_is_left_out() {
    let bench = Bench::new();
    let refused = Trouble::Refuse(1, None, "THREADS_API__FEATURE_NOT_AVAILABLE");
    bench.server.script("create", refused);
    bench.published(&text()).await;
    let [post] = &bench.server.posts()[..] else { panic!() };
    assert!(!post.params.contains_key("topic_tag"));
    assert!(post.params.contains_key("reply_control"), "who may reply is not ours to drop");
    bench.no_complaints();
    let bench = Bench::new();
    let refused = || Trouble::Refuse(1, None, "THREADS_API__FEATURE_NOT_AVAILABLE");
    (0..2).for_each(|_| bench.server.script("create", refused()));
    assert_eq!(bench.failure(&text()).await.class, Class::Content);
    bench.no_complaints();
}

#[tokio::test]
async fn too_many_links_are_refused_for_good() {
    let bench = Bench::new();
    let links: Vec<_> = (0..6).map(|number| format!("https://a.example/{number}")).collect();
    let failure = bench.failure(&Draft { text: links.join(" "), ..Draft::default() }).await;
    assert_eq!(failure.class, Class::Content);
    assert!(failure.message.contains("LINK_LIMIT_EXCEEDED"));
    bench.no_complaints();
}

#[tokio::test]
async fn media_that_can_not_be_used_fail_with_the_reason() {
    for reason in ["ERROR:FAILED_DOWNLOADING_VIDEO", "ERROR:INVALID_ASPEC_RATIO", "ERROR:NEW_WORD"]
    {
        let bench = Bench::new();
        bench.server.ends_as(reason);
        let failure = bench.failure(&video()).await;
        assert_eq!(failure.class, Class::Content);
        let word = reason.split_once(':').unwrap().1;
        assert_eq!(failure.message, format!("Threads can't use the file: `{word}`"));
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_container_that_fails_without_a_reason_is_made_anew_twice() {
    for end in ["ERROR:UNKNOWN", "ERROR", "EXPIRED"] {
        let mut bench = Bench::new();
        (0..2).for_each(|_| bench.server.ends_as(end));
        bench.drive(&image(), false).await.unwrap();
        assert_eq!(bench.server.seen_of("create").len(), 3, "{end}");
        bench.no_complaints();
        let mut bench = Bench::new();
        (0..3).for_each(|_| bench.server.ends_as(end));
        let failure = bench.drive(&image(), false).await.unwrap_err();
        assert!(failure.message.starts_with("3 containers failed"), "{}", failure.message);
        assert!(end == "EXPIRED" || failure.message.contains("facebookexternalhit"));
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_file_that_can_not_be_fetched_is_tried_three_times() {
    let mut bench = Bench::new();
    let refused = || Trouble::RefuseInWords(1, Some(2_207_052), "fetch");
    (0..3).for_each(|_| bench.server.script("create", refused()));
    for _ in 0..2 {
        let failure = bench.failure(&image()).await;
        assert_eq!(failure.class.as_str(), "retry");
        bench.advance(Duration::from_secs(15));
    }
    let failure = bench.failure(&image()).await;
    assert_eq!(failure.class, Class::Content);
    assert!(failure.message.contains("facebookexternalhit"), "{}", failure.message);
    bench.server.script("create", refused());
    assert_eq!(bench.failure(&image()).await.class.as_str(), "retry", "`retry` begins anew");
    bench.no_complaints();
}

#[tokio::test]
async fn a_container_that_vanishes_while_it_is_worked_on_is_made_anew() {
    let mut bench = Bench::new();
    bench.server.set_busy(5);
    let wait = bench.waits(&video()).await;
    bench.advance(Duration::from_secs(wait));
    bench.server.drop_containers();
    bench.drive(&video(), false).await.unwrap();
    assert_eq!(bench.server.seen_of("create").len(), 2);
    assert_eq!(bench.server.seen_of("publish").len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn the_quota_is_trusted_and_asked_again_when_it_is_used_up() {
    let mut bench = Bench::new();
    bench.server.set_quota(1);
    bench.published(&image()).await;
    let another = Journal::default();
    bench.journal = another;
    // what was asked an hour ago counts, so it is the publication that is refused
    let failure = bench.failure(&text()).await;
    assert_eq!(failure.message, "1 of 1 posts of the last 24 hours are used");
    let wait = until(&failure).unwrap().since(bench.clock.now());
    assert!(wait.as_secs().div_ceil(60) == 60, "{wait:?}");
    bench.advance(Duration::from_secs(3600));
    assert_eq!(bench.failure(&text()).await.class.as_str(), "rate_limited");
    assert_eq!(bench.server.seen_of("publish").len(), 2, "known beforehand now");
    bench.advance(Duration::from_secs(20 * 3600));
    bench.drive(&text(), false).await.unwrap();
    assert_eq!(bench.server.posts().len(), 2);
    bench.no_complaints();
}

#[tokio::test]
async fn an_allowance_that_is_nearly_used_up_holds_the_next_post() {
    for (percent, minutes) in [(79, None), (80, Some(5)), (95, Some(15)), (100, Some(12))] {
        let mut bench = Bench::new();
        bench.server.set_usage(percent);
        bench.published(&text()).await;
        bench.journal = Journal::default();
        bench.server.set_usage(1);
        let Some(minutes) = minutes else {
            bench.published(&text()).await;
            continue;
        };
        let before = bench.server.seen().len();
        let failure = bench.failure(&text()).await;
        assert_eq!(failure.class.as_str(), "rate_limited", "{percent}");
        let wait = until(&failure).unwrap().since(bench.clock.now());
        assert_eq!(wait.as_secs().div_ceil(60), minutes, "{percent}");
        assert_eq!(bench.server.seen().len(), before, "nothing was asked");
        bench.advance(wait);
        bench.published(&text()).await;
        bench.no_complaints();
    }
}

#[tokio::test]
async fn what_is_worked_on_is_looked_at_more_seldom_when_little_is_left() {
    let bench = Bench::new();
    bench.server.set_busy(100);
    bench.server.set_usage(85);
    // 2 s × 4 within the attempt, 3 s × 4 is too long for one
    assert_eq!(bench.waits(&video()).await, 12);
    let bench = Bench::new();
    bench.server.set_busy(100);
    bench.server.set_usage(120);
    assert_eq!(bench.waits(&video()).await, 12 * 60);
}

#[tokio::test]
async fn a_limit_is_waited_for_as_long_as_it_says_or_longer_each_time() {
    let mut bench = Bench::new();
    let limit = || Trouble::Refuse(17, None, "User request limit reached");
    (0..3).for_each(|_| bench.server.script("create", limit()));
    for minutes in [15, 30, 60] {
        let failure = bench.failure(&text()).await;
        let wait = until(&failure).unwrap().since(bench.clock.now());
        assert_eq!(wait.as_secs().div_ceil(60), minutes);
        bench.advance(wait);
    }
    bench.published(&text()).await;
    bench.no_complaints();
}

#[tokio::test]
async fn a_redirect_or_another_server_is_never_followed_with_the_token() {
    let bench = Bench::new();
    let other = ThreadsServer::start(bench.clock.clone());
    bench.server.script("create", Trouble::Redirect(other.url().to_string()));
    let failure = bench.failure(&text()).await;
    assert_eq!(failure.class.as_str(), "retry");
    assert!(failure.message.contains("a redirect, which is not followed"), "{}", failure.message);
    assert!(other.seen().is_empty());
    bench.no_complaints();
}

#[tokio::test]
async fn another_version_than_was_asked_for_is_told_once() {
    #[derive(Clone, Default)]
    struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (log, bench) = (Log::default(), Bench::new());
    let writer = log.clone();
    let _guard = tracing::subscriber::set_default(
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish(),
    );
    bench.server.set_version("v1.1");
    bench.published(&text()).await;
    let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = "threads answers in version `v1.1`, and `v1.0` was asked for: set `api_version`";
    assert_eq!(told.matches(line).count(), 1, "{told}");
    bench.no_complaints();
}

#[tokio::test]
async fn no_message_holds_a_token_or_a_page() {
    let bench = Bench::new();
    posse_party::redact::register_secrets([&Secret::new(TOKEN)]);
    bench.server.script("create", Trouble::Refuse(190, None, "Malformed THAAlonglived0000token"));
    let failure = bench.failure(&text()).await;
    assert!(failure.message.contains("error 190: Malformed [redacted]"), "{}", failure.message);
    let bench = Bench::new();
    bench.server.script("create", Trouble::Html(503));
    let failure = bench.failure(&text()).await;
    assert!(!failure.message.contains("Sorry"), "{}", failure.message);
}
