//! Tokens: who the account is, which token is used, and how one is got and renewed.

use posse_party::platform::Platform;
use posse_party::publish::meta::token::{self, App, Source, Token};
use posse_party::publish::meta::{Graph, Meaning};

use super::*;
use crate::threads_server::{APP, CODE, REDIRECT, USER};

fn graph(bench: &Bench) -> Graph {
    Graph::new(Platform::Threads, "v1.0", Some(bench.server.url()), bench.client.clone())
}

fn app() -> App {
    App { id: APP.0.into(), secret: Secret::new(APP.1) }
}

#[tokio::test]
async fn verify_says_who_it_is_and_until_when() {
    let bench = Bench::new();
    bench.published(&text()).await;
    let identity = bench.account().verify(&bench.desk()).await.unwrap();
    assert_eq!(identity.name, "@ada.l");
    assert_eq!(identity.url.as_deref(), Some("https://www.threads.com/@ada.l"));
    let [token, quota] = &identity.notes[..] else { panic!("{:?}", identity.notes) };
    assert!(token.starts_with("the token ends in 57 days, at 2027-03-1"), "{token}");
    assert_eq!(quota, "1 of 250 posts of the last 24 hours are used");
    assert_eq!(bench.server.posts().len(), 1, "nothing is posted");
    bench.no_complaints();
}

#[tokio::test]
async fn verify_finds_what_is_wrong_with_the_token() {
    let bench = Bench::new();
    bench.server.take_scope("threads_content_publish");
    let failure = bench.account().verify(&bench.desk()).await.unwrap_err();
    assert!(failure.message.starts_with("the token lacks `threads_content_publish`"));
    let Class::Account { hint, .. } = failure.class else { panic!() };
    assert!(hint.contains("docs/accounts/threads.md"), "{hint}");

    let bench = Bench::new();
    bench.server.set_expiry(bench.clock.now());
    let failure = bench.account().verify(&bench.desk()).await.unwrap_err();
    assert!(failure.message.contains("190/463"), "{}", failure.message);
    let Class::Account { hint, .. } = failure.class else { panic!() };
    assert!(hint.contains("posse-party login threads"), "{hint}");
    bench.no_complaints();
}

#[tokio::test]
async fn verify_goes_on_where_nothing_is_known_of_the_token() {
    for trouble in [Trouble::Html(500), Trouble::Refuse(100, None, "no"), Trouble::Lose] {
        let bench = Bench::new();
        bench.server.script("debug", trouble);
        bench.server.script("quota", Trouble::Lose);
        let identity = bench.account().verify(&bench.desk()).await;
        let notes = match identity {
            Ok(identity) => identity.notes,
            Err(failure) => panic!("{failure:?}"),
        };
        let [note] = &notes[..] else { panic!("{notes:?}") };
        assert!(note.starts_with("when the token ends can't be told: "), "{note}");
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_question_that_is_not_taken_is_no_dead_token() {
    let bench = Bench::new();
    let refused = || Trouble::Refuse(190, None, "An access token is required");
    bench.server.script("debug", refused());
    let notes = bench.account().verify(&bench.desk()).await.unwrap().notes;
    assert!(notes[0].starts_with("when the token ends can't be told: "), "{notes:?}");
    // of one that was renewed, we know it ourselves
    bench.account().renew(&bench.desk()).await.unwrap();
    bench.server.script("debug", refused());
    let notes = bench.account().verify(&bench.desk()).await.unwrap().notes;
    assert!(notes[0].starts_with("the token ends in 59 days, "), "{notes:?}");
    bench.no_complaints();
}

#[tokio::test]
async fn a_renewed_token_wins_over_the_configured_one() {
    let bench = Bench::new();
    let (graph, desk) = (graph(&bench), bench.desk());
    let fresh = token::refresh(&graph, &desk, &Secret::new(TOKEN)).await.unwrap();
    let now = bench.clock.now();
    let kept = Token::new(Platform::Threads, &fresh, Source::Renewed, now);
    assert_eq!(kept.expires_at, Some(now.plus(Duration::from_secs(5_183_944))));
    token::keep(&desk, &kept).await.unwrap();
    bench.published(&text()).await;
    let header = &bench.server.seen_of("publish")[0].headers["authorization"];
    assert_eq!(*header, format!("Bearer {}", fresh.access_token.expose()));
    assert_ne!(fresh.access_token.expose(), TOKEN);
    bench.no_complaints();
}

#[tokio::test]
async fn a_token_that_is_too_young_or_over_is_not_renewed() {
    let mut bench = Bench::new();
    let (young, graph) = (Secret::new(TOKEN), graph(&bench));
    let fresh = token::refresh(&graph, &bench.desk(), &young).await.unwrap();
    let kept = Token::new(Platform::Threads, &fresh, Source::Renewed, bench.clock.now());
    assert!(!kept.may_refresh(bench.clock.now()));
    // who asks all the same is refused, and is a complaint
    let refused = token::refresh(&graph, &bench.desk(), &fresh.access_token).await.unwrap_err();
    assert_eq!(refused.failure.class.as_str(), "account");
    assert_eq!(bench.server.complaints().len(), 1);
    bench.advance(Duration::from_secs(24 * 3600));
    assert!(kept.may_refresh(bench.clock.now()));
    token::refresh(&graph, &bench.desk(), &fresh.access_token).await.unwrap();
    bench.advance(Duration::from_secs(60 * 24 * 3600));
    assert!(!kept.may_refresh(bench.clock.now()));
    let refused = token::refresh(&graph, &bench.desk(), &fresh.access_token).await.unwrap_err();
    assert_eq!(refused.meaning, Meaning::Expired);
}

#[tokio::test]
async fn a_lost_renewal_can_be_asked_for_again() {
    for trouble in [Trouble::Lose, Trouble::HangUp, Trouble::Html(500), Trouble::Garbage] {
        let bench = Bench::new();
        bench.server.script("renew", trouble.clone());
        let (graph, token) = (graph(&bench), Secret::new(TOKEN));
        let refused = token::refresh(&graph, &bench.desk(), &token).await.unwrap_err();
        assert_eq!(refused.failure.class.as_str(), "retry", "{trouble:?}");
        token::refresh(&graph, &bench.desk(), &token).await.unwrap();
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_consent_becomes_a_token_of_60_days() {
    let bench = Bench::new();
    let (graph, desk) = (graph(&bench), bench.desk());
    let code = format!("{CODE}#_");
    let short = token::exchange_code(&graph, &desk, &app(), REDIRECT, &code).await.unwrap();
    assert_eq!(short.user_id.as_deref(), Some(USER));
    let used = token::exchange_code(&graph, &desk, &app(), REDIRECT, CODE).await.unwrap_err();
    let Class::Account { hint, .. } = &used.failure.class else { panic!("{used:?}") };
    assert!(hint.contains("a code is good for one try"), "{hint}");
    let long = token::exchange_long_lived(&graph, &desk, &app(), &short.access_token).await;
    let long = long.unwrap();
    assert_eq!(long.expires_in, Some(Duration::from_secs(5_183_944)));
    let about = token::debug(&graph, &desk, &long.access_token, Some(&app())).await.unwrap();
    assert!(about.is_valid && about.missing(Platform::Threads).is_empty());
    assert_eq!(about.user_id.as_deref(), Some(USER));
    assert_eq!(about.issued_at.map(|at| at.as_millis() / 1000), Some(1_800_000_000));
    bench.no_complaints();
}

#[tokio::test]
async fn no_token_stands_in_an_address_or_in_a_message() {
    let mut bench = Bench::new();
    bench.account().verify(&bench.desk()).await.unwrap();
    bench.server.script("publish", Trouble::Lose);
    bench.drive(&text(), false).await.unwrap();
    let tokens = bench.server.tokens();
    for seen in bench.server.seen() {
        assert!(tokens.iter().all(|token| !seen.target.contains(token)), "{}", seen.target);
    }
    bench.no_complaints();
}

#[tokio::test]
async fn a_renewal_whose_header_is_overlooked_goes_in_a_form() {
    let bench = Bench::new();
    bench.server.renew_in_form();
    let fresh = token::refresh(&graph(&bench), &bench.desk(), &Secret::new(TOKEN)).await.unwrap();
    assert_eq!(fresh.expires_in, Some(Duration::from_secs(5_183_944)));
    let methods: Vec<_> = bench.server.seen_of("renew").into_iter().map(|it| it.method).collect();
    assert_eq!(methods, ["GET", "POST"]);
    bench.no_complaints();
}

#[tokio::test]
async fn an_exchange_goes_one_way_or_another_and_never_in_an_address() {
    let bench = Bench::new();
    let (graph, desk, short) = (graph(&bench), bench.desk(), Secret::new(TOKEN));
    bench.server.be_short(TOKEN);
    bench.server.exchange_plainly();
    token::exchange_long_lived(&graph, &desk, &app(), &short).await.unwrap();
    assert_eq!(bench.server.seen_of("exchange").len(), 2);
    // a limit says nothing of the way
    bench.server.script("exchange", Trouble::Refuse(4, None, "Application request limit"));
    let refused = token::exchange_long_lived(&graph, &desk, &app(), &short).await.unwrap_err();
    assert_eq!(refused.failure.class.as_str(), "rate_limited");
    assert_eq!(bench.server.seen_of("exchange").len(), 3);
    // nor does a platform that takes neither get a secret in an address: the owner is told
    (0..2).for_each(|_| bench.server.script("exchange", Trouble::Refuse(100, None, "no")));
    let refused = token::exchange_long_lived(&graph, &desk, &app(), &short).await.unwrap_err();
    assert!(refused.failure.message.ends_with("paste that one"), "{}", refused.failure.message);
    assert!(bench.server.seen_of("exchange").iter().all(|seen| !seen.target.contains('?')));
    bench.no_complaints();
}

#[tokio::test]
async fn the_words_with_which_a_token_is_refused_are_remembered() {
    let bench = Bench::new();
    bench.server.script("create", Trouble::Refuse(190, Some(463), "Session has expired"));
    let failure = bench.failure(&text()).await;
    let note = bench.memory.read(posse_party::token::REFUSED_NOTE).await.unwrap();
    assert_eq!(note, Some(failure.message.into()));
    // who only asks parks nobody, and changes nothing
    bench.server.script("me", Trouble::Refuse(190, Some(463), "Session has expired"));
    bench.account().verify(&Desk { crosspost: None, ..bench.desk() }).await.unwrap_err();
    assert_eq!(bench.memory.read(posse_party::token::REFUSED_NOTE).await.unwrap(), note);
    bench.no_complaints();
}
