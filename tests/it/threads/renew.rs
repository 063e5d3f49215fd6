//! What is done for a token once a day, against the stand-in.

use std::time::Duration;

use posse_party::crosspost::{Class, Failure};
use posse_party::publish::meta::token::NOTE;
use posse_party::publish::{Desk, Notebook, NotebookError, Outcome, Publisher, Renewal};

use super::{Bench, Trouble};
use crate::threads_server::TOKEN;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn renew(bench: &Bench) -> Result<Renewal, Failure> {
    let renewal = bench.account().renew(&bench.desk()).await;
    assert_eq!(bench.server.complaints(), [""; 0]);
    renewal
}

/// The token in the memory.
async fn kept(bench: &Bench) -> Option<String> {
    let note = bench.memory.read(NOTE).await.unwrap()?;
    Some(note["access_token"].as_str().unwrap().to_owned())
}

fn is_account(failure: &Failure) -> bool {
    matches!(failure.class, Class::Account { .. })
}

#[tokio::test]
async fn a_configured_token_is_renewed_at_once_and_then_when_a_month_is_left() {
    let mut bench = Bench::new();
    let Ok(Renewal::Renewed(life)) = renew(&bench).await else { panic!("not renewed") };
    let made = bench.clock.now();
    assert!(life.expires_at.unwrap() > made.plus(59 * DAY));
    assert_ne!(kept(&bench).await.unwrap(), TOKEN);
    let before = bench.server.seen().len();
    for _ in 0..29 {
        bench.advance(DAY);
        assert_eq!(renew(&bench).await, Ok(Renewal::Checked(life)));
    }
    assert_eq!(bench.server.seen().len(), before, "nobody is asked before it is due");
    bench.advance(DAY);
    assert!(matches!(renew(&bench).await, Ok(Renewal::Renewed(_))));
    assert_eq!(bench.server.seen_of("renew").len(), 2);
}

#[tokio::test]
async fn a_token_that_is_younger_than_a_day_waits_for_its_day() {
    let mut bench = Bench::new();
    bench.server.age(TOKEN, Duration::from_secs(3600));
    let Ok(Renewal::Checked(life)) = renew(&bench).await else { panic!("not checked") };
    let hours = life.refresh_after.since(bench.clock.now()).as_secs() / 3600;
    assert_eq!(hours, 22, "and some minutes");
    bench.advance(23 * DAY / 24);
    assert!(matches!(renew(&bench).await, Ok(Renewal::Renewed(_))));
    assert_eq!(bench.server.seen_of("debug").len(), 1, "what is known is not asked again");
}

#[tokio::test]
async fn a_renewal_without_an_answer_leaves_the_old_token_and_can_be_repeated() {
    for trouble in [
        Trouble::Lose,
        Trouble::HangUp,
        Trouble::Garbage,
        Trouble::Html(503),
        Trouble::Truncate,
        Trouble::Without("access_token"),
        Trouble::Refuse(100, None, "Unsupported request"),
        Trouble::Refuse(10, None, "(#10) Application does not have permission"),
        Trouble::Refuse(2, None, "Service temporarily unavailable"),
    ] {
        let bench = Bench::new();
        bench.server.script("renew", trouble.clone());
        let Ok(Renewal::Unrenewed(life, failure)) = renew(&bench).await else {
            panic!("{trouble:?}");
        };
        assert!(!is_account(&failure), "posts may go out: {trouble:?} {failure:?}");
        assert!(life.expires_at.is_some());
        assert_eq!(kept(&bench).await, None, "{trouble:?}");
        bench.account().verify(&bench.desk()).await.unwrap();
        assert!(matches!(renew(&bench).await, Ok(Renewal::Renewed(_))), "{trouble:?}");
    }
}

#[tokio::test]
async fn what_is_surely_dead_is_said_to_be() {
    let bench = Bench::new();
    for call in ["renew", "me"] {
        bench.server.script(call, Trouble::Refuse(190, Some(460), "The password was changed"));
    }
    assert!(is_account(&renew(&bench).await.unwrap_err()));

    let bench = Bench::new();
    bench.server.set_expiry(bench.clock.now());
    assert!(is_account(&renew(&bench).await.unwrap_err()));

    let mut bench = Bench::new();
    renew(&bench).await.unwrap();
    bench.advance(61 * DAY);
    let failure = renew(&bench).await.unwrap_err();
    assert_eq!(failure.message, "the token has ended");
    assert!(is_account(&failure));
    assert_eq!(bench.server.seen_of("renew").len(), 1, "what is over is not renewed");
}

#[tokio::test]
async fn of_a_token_whose_age_nobody_tells_a_refusal_means_little_on_the_first_day() {
    let mut bench = Bench::new();
    let refused = || Trouble::Refuse(100, None, "Unsupported request");
    bench.server.script("debug", refused());
    bench.server.script("renew", refused());
    let Ok(Renewal::TooYoung(life)) = renew(&bench).await else { panic!("not too young") };
    assert!(bench.clock.now().since(life.obtained_at) < DAY);
    assert_eq!(life.expires_at, None);
    bench.advance(2 * DAY);
    bench.server.script("renew", refused());
    assert!(matches!(renew(&bench).await, Ok(Renewal::Unrenewed(..))));
    assert!(matches!(renew(&bench).await, Ok(Renewal::Renewed(_))));
}

#[tokio::test]
async fn a_token_with_which_posts_can_be_made_is_not_called_dead() {
    // as from a call that overlooks the header, or is not taken the way it is made
    let refused = || Trouble::Refuse(190, None, "An access token is required");
    for call in ["renew", "debug"] {
        let bench = Bench::new();
        bench.server.script(call, refused());
        let renewal = renew(&bench).await.unwrap();
        let is_renewed = matches!(renewal, Renewal::Renewed(_));
        let is_told = matches!(&renewal, Renewal::Unrenewed(_, failure) if !is_account(failure));
        assert_eq!((is_renewed, is_told), (call == "debug", call == "renew"), "{renewal:?}");
    }
}

#[tokio::test]
async fn no_token_is_told_as_such() {
    let bench = Bench::new();
    let account = posse_party::publish::threads::Threads::new(
        None,
        "v1.0",
        Some(bench.server.url()),
        bench.client.clone(),
    );
    let failure = account.renew(&bench.desk()).await.unwrap_err();
    assert_eq!(failure.message, "there is no token for it yet");
    let Class::Account { hint, until: None } = failure.class else { panic!("{failure:?}") };
    assert_eq!(hint, "get one with `posse-party login threads`");
    assert_eq!(account.verify(&bench.desk()).await.unwrap_err().message, failure.message);
    assert!(bench.server.seen().is_empty());
}

/// A memory in which the token is replaced after it was read once.
struct Replaced(std::sync::atomic::AtomicBool);

#[async_trait::async_trait]
impl Notebook for Replaced {
    async fn read(&self, key: &str) -> Result<Option<serde_json::Value>, NotebookError> {
        let is_first = || !self.0.swap(true, std::sync::atomic::Ordering::Relaxed);
        let token = serde_json::json!({
            "access_token": "THAAnewer", "obtained_at": 0, "expires_at": null,
            "refresh_after": null, "source": "renewed",
        });
        Ok((key == NOTE && !is_first()).then_some(token))
    }

    async fn write(&self, _: &str, _: serde_json::Value) -> Result<(), NotebookError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_token_that_is_replaced_during_an_attempt_parks_nobody() {
    let bench = Bench::new();
    let over = || Trouble::Refuse(190, Some(463), "Session has expired");
    bench.server.script("create", over());
    let memory = Replaced(false.into());
    let desk = Desk { memory: &memory, ..bench.desk() };
    let outcome = bench.account().publish(&super::text(), &desk).await;
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.class, Class::Retry { not_before: None });
    bench.server.script("create", over());
    let outcome = bench.publish(&super::text()).await;
    assert!(matches!(&outcome, Outcome::Failed(failure) if is_account(failure)), "{outcome:?}");
}
