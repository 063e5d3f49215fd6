//! Lost answers and crashes: whatever is lost wherever, there is one post in the end.

use super::*;

/// What can happen to a request or its answer without a word of the API.
fn losses() -> Vec<Trouble> {
    vec![
        Trouble::HangUp,
        Trouble::Lose,
        Trouble::Silence,
        Trouble::Truncate,
        Trouble::Garbage,
        Trouble::DoneThenFail,
        Trouble::Html(502),
        Trouble::Late(1),
        Trouble::Late(3),
        Trouble::DoneThenRefuse(-1, None),
        Trouble::DoneThenRefuse(1, None),
        Trouble::DoneThenRefuse(2, None),
        Trouble::DoneThenRefuse(4711, Some(12)),
        Trouble::DoneThenRefuse(4, Some(2_207_051)),
        Trouble::DoneThenRefuse(506, None),
    ]
}

impl Bench {
    /// A request that comes to life after minutes can meet the same one that was sent again: the
    /// server publishes one of them, and refuses the other.
    fn no_complaints_but_late(&self, loss: &Trouble) {
        let complaints = self.server.complaints();
        let is_late = matches!(loss, Trouble::Late(_));
        assert!(complaints.is_empty() || is_late, "{loss:?}: {complaints:?}");
    }
}

#[tokio::test]
async fn every_lost_answer_of_every_call_leads_to_one_post() {
    for call in ["me", "create", "look", "quota", "publish", "page"] {
        for loss in losses() {
            let mut bench = Bench::new();
            bench.server.script(call, loss.clone());
            let receipt = bench.drive(&text(), false).await.unwrap();
            let posts = bench.server.posts();
            assert_eq!(posts.len(), 1, "{call} {loss:?}: {posts:#?}");
            assert_eq!(receipt.remote_id, posts[0].id, "{call} {loss:?}");
            assert!(receipt.url.is_some() || call == "page", "{call} {loss:?}");
            bench.no_complaints_but_late(&loss);
        }
    }
}

#[tokio::test]
async fn every_lost_answer_about_a_carousel_leads_to_one_post() {
    // me, 3 creates, 3 looks, create, look, quota, publish, page
    for number in 0..12 {
        for loss in [Trouble::HangUp, Trouble::Lose, Trouble::Html(500)] {
            let mut bench = Bench::new();
            bench.server.script_nth(number, loss.clone());
            bench.drive(&carousel(), false).await.unwrap();
            assert_eq!(bench.server.posts().len(), 1, "{number} {loss:?}");
            bench.no_complaints();
        }
    }
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_request_leads_to_one_post() {
    for draft in [text(), image(), carousel()] {
        for number in 0.. {
            let mut met = false;
            for loss in [Trouble::HangUp, Trouble::Lose, Trouble::Late(2)] {
                let mut bench = Bench::new();
                bench.server.script_nth(number, loss.clone());
                // whatever it would have said, nobody hears it: the next start asks
                let _ = bench.publish(&draft).await;
                if !bench.server.script_is_over() {
                    continue;
                }
                met = true;
                bench.drive(&draft, true).await.unwrap();
                let posts = bench.server.posts();
                assert_eq!(posts.len(), 1, "{number} {loss:?}: {posts:#?}");
                bench.no_complaints();
            }
            if !met {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_write_leads_to_one_post() {
    for write in 1.. {
        let mut bench = Bench::new();
        bench.journal.break_at(write);
        let outcome = bench.publish(&carousel()).await;
        if !bench.journal.mend() {
            break;
        }
        // what a dead process can't do any more, it did not do: nothing is sent after a lost note
        let is_out = bench.server.posts().len() == 1;
        assert!(!is_out || matches!(outcome, Outcome::Published(_)), "{write}: {outcome:?}");
        bench.drive(&carousel(), true).await.unwrap();
        assert_eq!(bench.server.posts().len(), 1, "killed at write {write}");
        bench.no_complaints();
    }
}

#[tokio::test]
async fn questions_that_are_lost_are_asked_again() {
    for call in ["look", "list", "me", "page", "publish"] {
        for loss in losses() {
            for first in [Trouble::Lose, Trouble::HangUp] {
                let mut bench = Bench::new();
                bench.server.script("publish", first.clone());
                assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
                bench.server.script(call, loss.clone());
                bench.drive(&text(), true).await.unwrap();
                let posts = bench.server.posts();
                assert_eq!(posts.len(), 1, "{call} {loss:?} {first:?}: {posts:#?}");
                bench.no_complaints_but_late(&loss);
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_absent_only_because_nobody_began() {
    let bench = Bench::new();
    assert_eq!(bench.find().await, Found::Absent, "an empty journal");
    bench.server.set_busy(100);
    bench.waits(&image()).await;
    assert_eq!(bench.find().await, Found::Absent, "a container that nobody published");
    assert!(bench.server.seen_of("publish").is_empty());
    bench.no_complaints();
}

#[tokio::test]
async fn a_container_that_says_published_is_a_post_even_before_it_is_listed() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::Lose);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.server.lag_list(2);
    let receipt = bench.drive(&text(), true).await.unwrap();
    assert_eq!(receipt.remote_id, bench.server.posts()[0].id, "listed at the third look");

    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::Lose);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.server.lag_list(100);
    let receipt = bench.drive(&text(), true).await.unwrap();
    let post = &bench.server.posts()[0];
    assert_eq!((&receipt.remote_id, receipt.url), (&post.container, None));
    let desk = Desk { crosspost: None, ..bench.desk() };
    assert_eq!(bench.account().page(&receipt.remote_id, &text(), &desk).await, None);
    bench.server.lag_list(0);
    let page = bench.account().page(&receipt.remote_id, &text(), &desk).await.unwrap();
    assert!(page.ends_with(&post.id[8..]), "as what the list shows it by now: {page}");
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_container_whose_status_lags_is_not_published_again() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::Lose);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.server.lag_status(100);
    let receipt = bench.drive(&text(), true).await.unwrap();
    assert_eq!(receipt.remote_id, bench.server.posts()[0].id, "the list has it");
    assert_eq!(bench.server.seen_of("publish").len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn the_same_container_is_published_once_more_after_two_looks_and_the_list() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::HangUp);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    let Found::Unknown(early) = bench.find().await else { panic!() };
    let wait = until(&early).unwrap().since(bench.clock.now()).as_secs();
    assert!((9..=10).contains(&wait), "{wait}");
    bench.advance(Duration::from_secs(5));
    assert!(matches!(bench.find().await, Found::Unknown(_)), "too early");
    bench.advance(Duration::from_secs(6));
    let Found::Published(receipt) = bench.find().await else { panic!() };
    assert_eq!(receipt.remote_id, bench.server.posts()[0].id);
    assert_eq!(bench.server.seen_of("create").len(), 1, "no second container");
    assert_eq!(bench.server.seen_of("list").len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_lost_container_is_replaced_only_after_three_looks_through_the_list() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::HangUp);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.server.drop_containers();
    let begun = bench.clock.now();
    loop {
        match bench.find().await {
            Found::Absent => break,
            Found::Unknown(failure) => {
                let wait = bench.until(&failure);
                bench.advance(wait);
            }
            Found::Published(receipt) => panic!("{receipt:?}"),
        }
        assert_eq!(bench.server.seen_of("create").len(), 1);
    }
    assert!(bench.clock.now().since(begun) >= Duration::from_secs(119));
    assert_eq!(bench.server.seen_of("list").len(), 3);
    bench.drive(&text(), false).await.unwrap();
    assert_eq!(bench.server.seen_of("create").len(), 2);
    assert_eq!(bench.server.seen_of("list").len(), 4, "once more, before the new one goes");
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_lost_container_whose_post_is_listed_is_found() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::Lose);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.server.drop_containers();
    bench.server.lag_list(2);
    let receipt = bench.drive(&text(), true).await.unwrap();
    assert_eq!(receipt.remote_id, bench.server.posts()[0].id);
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_post_that_comes_to_light_late_is_taken_for_ours() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::Lose);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.server.drop_containers();
    bench.server.lag_list(3);
    // three looks in vain, and then it is there, just before another container is published
    let receipt = bench.drive(&text(), true).await.unwrap();
    assert_eq!(receipt.remote_id, bench.server.posts()[0].id);
    assert_eq!(bench.server.posts().len(), 1);
    assert_eq!(bench.server.seen_of("publish").len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_post_with_the_same_words_and_another_link_is_for_a_person() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::HangUp);
    bench.server.post_by_hand(&text().text, "https://example.com/other");
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    let Found::Unknown(_) = bench.find().await else { panic!() };
    bench.advance(Duration::from_secs(11));
    let Found::Unknown(failure) = bench.find().await else { panic!() };
    assert_eq!(failure.class, Class::Ambiguous, "{}", failure.message);
    assert!(failure.message.contains("/post/"), "{}", failure.message);
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn an_old_post_with_the_same_words_is_another_one() {
    let mut bench = Bench::new();
    bench.server.post_by_hand(&text().text, LINK);
    bench.advance(Duration::from_secs(180));
    bench.server.script("publish", Trouble::HangUp);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    let receipt = bench.drive(&text(), true).await.unwrap();
    let posts = bench.server.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(receipt.remote_id, posts[1].id);
    bench.no_complaints();
}

#[tokio::test]
async fn our_clock_may_be_wrong() {
    for (there, here) in [(3600_i64, 0_i64), (0, 3600)] {
        let mut bench = Bench::new();
        let at = |by| Clock::virtual_from(Timestamp::from_secs(1_800_000_000 + by));
        bench.clock = at(here);
        bench.server.set_clock(at(there));
        bench.server.script("publish", Trouble::Lose);
        assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
        bench.server.drop_containers();
        let Found::Published(receipt) = bench.find().await else { panic!("{there} {here}") };
        assert_eq!(receipt.remote_id, bench.server.posts()[0].id);
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_crosspost_that_is_ready_with_an_open_publication_is_asked_about_first() {
    // as after `resolve --retry`
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::Lose);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    for text in ["edited".to_owned(), "too long ".repeat(60)] {
        let failure = bench.failure(&Draft { text, ..self::text() }).await;
        assert_eq!(failure.class, Class::Ambiguous);
    }
    bench.drive(&text(), false).await.unwrap();
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_person_who_says_that_it_is_not_there_is_believed() {
    // of another account
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::HangUp);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.server.be("999");
    bench.memory.write("threads.me", Value::Null).await.unwrap();
    let Found::Unknown(_) = bench.find().await else { panic!() };
    // `resolve --retry`
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    assert_eq!(bench.find().await, Found::Absent);
    bench.drive(&text(), false).await.unwrap();
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();

    // with one much like it beside it
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::HangUp);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.server.post_by_hand(&text().text, "https://example.com/other");
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.drive(&text(), true).await.unwrap();
    assert_eq!(bench.server.seen_of("create").len(), 1, "the same container");
    assert_eq!(bench.server.posts().len(), 2);
    bench.no_complaints();

    // but of what was sent after that, nothing was said
    let mut bench = Bench::new();
    (0..2).for_each(|_| bench.server.script("publish", Trouble::HangUp));
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    let Found::Unknown(_) = bench.find().await else { panic!() };
    bench.advance(Duration::from_secs(11));
    let Found::Unknown(_) = bench.find().await else { panic!("sent again, and lost again") };
    bench.server.be("999");
    bench.memory.write("threads.me", Value::Null).await.unwrap();
    let Found::Unknown(failure) = bench.find().await else { panic!() };
    assert!(failure.message.contains("look at the other"), "{}", failure.message);
    bench.no_complaints();

    // where Threads keeps refusing with what nobody knows
    let mut bench = Bench::new();
    for _ in 0..2 {
        bench.server.script("publish", Trouble::Refuse(4711, Some(12), "Not today"));
    }
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.drive(&text(), true).await.unwrap();
    assert_eq!(bench.server.seen_of("create").len(), 2);
    assert!(bench.server.seen_of("list").len() >= 4, "it was looked for before");
    assert_eq!(bench.server.posts().len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn the_list_is_read_to_its_end() {
    let mut bench = Bench::new();
    bench.server.script("publish", Trouble::Lose);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    bench.server.drop_containers();
    bench.server.page_by(2);
    for n in 0..6 {
        bench.server.post_by_hand(&format!("By hand {n}"), LINK);
    }
    let Found::Published(receipt) = bench.find().await else { panic!() };
    assert_eq!(receipt.remote_id, bench.server.posts()[0].id);
    assert_eq!(bench.server.seen_of("list").len(), 4);
    // what is too long to be read to its end proves nothing
    bench.server.script("publish", Trouble::HangUp);
    let other = Draft { text: "Other".into(), ..text() };
    bench.journal = Journal::default();
    assert_eq!(bench.failure(&other).await.class, Class::Ambiguous);
    bench.server.drop_containers();
    bench.server.page_by(1);
    let Found::Unknown(failure) = bench.find().await else { panic!() };
    assert!(failure.message.contains("more posts since then"), "{}", failure.message);
    bench.no_complaints();
}

#[tokio::test]
async fn spam_is_a_doubt_and_then_the_account_rests() {
    // it went out all the same
    let bench = Bench::new();
    bench.server.script("publish", Trouble::DoneThenRefuse(4, Some(2_207_051)));
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    let Found::Published(_) = bench.find().await else { panic!() };
    let next = bench.failure(&image()).await;
    let Class::Account { until: Some(until), .. } = next.class else { panic!("{next:?}") };
    let hours = until.since(bench.clock.now()).as_secs().div_ceil(3600);
    assert_eq!(hours, 24);
    // or it did not: then it is not tried again at once
    let mut bench2 = Bench::new();
    bench2.server.script("publish", Trouble::Refuse(4, Some(2_207_051), "Action blocked"));
    assert_eq!(bench2.failure(&text()).await.class, Class::Ambiguous);
    let Found::Unknown(_) = bench2.find().await else { panic!() };
    bench2.advance(Duration::from_secs(11));
    let Found::Unknown(failure) = bench2.find().await else { panic!() };
    assert_eq!(failure.class.as_str(), "account");
    assert_eq!(bench2.server.seen_of("publish").len(), 1);
    bench2.advance(Duration::from_secs(25 * 3600));
    bench2.drive(&text(), true).await.unwrap();
    assert_eq!(bench2.server.posts().len(), 1);
    bench.no_complaints();
    bench2.no_complaints();
}

#[tokio::test]
async fn a_token_of_another_account_finds_nothing_out() {
    let bench = Bench::new();
    bench.server.script("publish", Trouble::Lose);
    assert_eq!(bench.failure(&text()).await.class, Class::Ambiguous);
    let me = serde_json::json!({"id": "999", "of": "x"});
    bench.memory.write("threads.me", me).await.unwrap();
    bench.server.script("me", Trouble::Without("id"));
    let Found::Unknown(failure) = bench.find().await else { panic!() };
    assert_eq!(failure.class.as_str(), "retry", "it says not who it is");
    bench.server.be("999");
    let Found::Unknown(failure) = bench.find().await else { panic!() };
    assert_eq!(failure.class, Class::Ambiguous);
    assert!(failure.message.contains("look at the other"), "{}", failure.message);
    bench.no_complaints();
}
