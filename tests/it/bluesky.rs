//! The Bluesky publisher against a strict stand-in of its server.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use posse_party::clock::{Clock, Timestamp};
use posse_party::config::{Delivery, Secret};
use posse_party::crosspost::{Class, Failure, Receipt};
use posse_party::draft::{Card, Draft, Facet, Feature};
use posse_party::http;
use posse_party::names::CrosspostId;
use posse_party::publish::bluesky::Bluesky;
use posse_party::publish::{Desk, Found, Notebook, NotebookError, Outcome, Publisher, Scratch};
use posse_party::redact::redact;
use posse_party::shelf::Shelf;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::bluesky_server::{
    APP_PASSWORD, BlueskyServer, DID, EMAIL, HANDLE, MAIN_PASSWORD, Trouble,
};

mod cards;
mod media;
mod video;

/// One account with its memory, and one crosspost with its journal.
struct Bench {
    server: BlueskyServer,
    dir: TempDir,
    shelf: Shelf,
    client: reqwest::Client,
    memory: Scratch,
    journal: Scratch,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        Self::with(client())
    }

    fn with(client: reqwest::Client) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            server: BlueskyServer::start(),
            shelf: Shelf::beside(&dir.path().join("x.db")),
            dir,
            client,
            memory: Scratch::default(),
            journal: Scratch::default(),
            clock: Clock::System,
        }
    }

    /// One that has signed in already.
    async fn signed_in() -> Self {
        let bench = Self::new();
        bench.account().verify(&bench.desk()).await.unwrap();
        bench
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            crosspost: Some(CrosspostId(1)),
            journal: &self.journal,
            memory: &self.memory,
            clock: &self.clock,
            shelf: Some(&self.shelf),
        }
    }

    /// A publisher that knows nothing but the config, as after a restart.
    fn account(&self) -> Bluesky {
        self.account_with(APP_PASSWORD)
    }

    /// The same with another password.
    fn account_with(&self, password: &str) -> Bluesky {
        account(&self.client, HANDLE, password, self.server.url())
    }

    async fn publish(&self) -> Outcome {
        self.account().publish(&draft(), &self.desk()).await
    }

    async fn find(&self) -> Found {
        self.account().find(&draft(), &self.desk()).await
    }

    /// Publishes what must succeed.
    async fn published(&self) -> Receipt {
        match self.publish().await {
            Outcome::Published(receipt) => receipt,
            other => panic!("{other:?}"),
        }
    }

    /// Publishes what must fail.
    async fn failure(&self) -> Failure {
        match self.publish().await {
            Outcome::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    /// That the server was never sent what nobody should send.
    fn no_complaints(&self) {
        assert_eq!(self.server.complaints(), Vec::<String>::new());
        assert!(self.server.script_is_over(), "a line of the script was never met");
    }
}

fn account(client: &reqwest::Client, identifier: &str, password: &str, url: Url) -> Bluesky {
    Bluesky::new(identifier, Secret::new(password), Some(url), client.clone(), &delivery())
}

fn delivery() -> Delivery {
    Delivery {
        timeout: Duration::from_millis(600),
        connect_timeout: Duration::from_millis(300),
        ..Delivery::default()
    }
}

fn client() -> reqwest::Client {
    http::publishing("posse-party/test", &delivery()).unwrap()
}

fn draft() -> Draft {
    Draft {
        text: "é https://example.com/é #café ✅".into(),
        facets: vec![
            Facet {
                byte_start: 3,
                byte_end: 25,
                feature: Feature::Link("https://example.com/é".into()),
            },
            Facet { byte_start: 26, byte_end: 32, feature: Feature::Tag("café".into()) },
        ],
        card: Some(Card {
            url: "https://example.com/é".into(),
            title: "Café".into(),
            ..Card::default()
        }),
        language: Some("fr".into()),
        ..Draft::default()
    }
}

fn until(failure: &Failure) -> Option<Timestamp> {
    match failure.class {
        Class::Account { until, .. } => until,
        Class::RateLimited { not_before } | Class::Retry { not_before } => not_before,
        _ => None,
    }
}

#[tokio::test]
async fn a_draft_becomes_one_record_and_its_page() {
    let bench = Bench::new();
    let before = Clock::System.now();
    let receipt = bench.published().await;
    let records = bench.server.records();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(receipt.remote_id, format!("at://{DID}/app.bsky.feed.post/{}", record.rkey));
    let page = format!("https://bsky.app/profile/{DID}/post/{}", record.rkey);
    assert_eq!(receipt.url, Some(page));
    assert_eq!(record.value["text"], draft().text);
    assert_eq!(record.value["langs"], json!(["fr"]));
    assert_eq!(record.value["facets"].as_array().unwrap().len(), 2);
    assert_eq!(record.value["embed"]["external"]["title"], "Café");
    let at = Timestamp::parse_rfc3339(record.value["createdAt"].as_str().unwrap()).unwrap();
    assert!(at >= before && at <= Clock::System.now(), "createdAt is the moment of sending");
    bench.no_complaints();
}

#[tokio::test]
async fn every_write_names_its_key_and_swaps_with_nothing() {
    let bench = Bench::new();
    bench.published().await;
    let body = bench.server.seen_of("putRecord")[0].json();
    assert_eq!(body["swapRecord"], Value::Null);
    assert!(body.as_object().unwrap().contains_key("swapRecord"), "left out, it would overwrite");
    assert_eq!(body["repo"], DID);
    assert_eq!(body["rkey"].as_str().unwrap().len(), 13);
}

#[tokio::test]
async fn one_sign_in_serves_many_posts_and_restarts() {
    let bench = Bench::new();
    for _ in 0..5 {
        let journal = Scratch::default();
        let desk = Desk { journal: &journal, ..bench.desk() };
        let outcome = bench.account().publish(&draft(), &desk).await;
        assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
    }
    assert_eq!(bench.server.records().len(), 5);
    assert_eq!(bench.server.logins(), 1);
    assert_eq!(bench.server.seen_of("refreshSession").len(), 0);
    bench.no_complaints();
}

/// A notebook that can be read but not written.
struct Full;

#[async_trait]
impl Notebook for Full {
    async fn read(&self, _key: &str) -> Result<Option<Value>, NotebookError> {
        Ok(None)
    }

    async fn write(&self, _key: &str, _value: Value) -> Result<(), NotebookError> {
        Err(NotebookError("disk full".into()))
    }
}

#[tokio::test]
async fn nothing_is_sent_whose_note_could_not_be_taken() {
    let bench = Bench::signed_in().await;
    let outcome = bench.account().publish(&draft(), &Desk { journal: &Full, ..bench.desk() }).await;
    assert!(matches!(&outcome, Outcome::Failed(f) if f.class.as_str() == "retry"), "{outcome:?}");
    assert_eq!(bench.server.seen_of("putRecord").len(), 0);
    let outcome = bench.account().publish(&draft(), &Desk { memory: &Full, ..bench.desk() }).await;
    assert!(matches!(&outcome, Outcome::Failed(f) if f.class.as_str() == "retry"), "{outcome:?}");
    assert_eq!(bench.server.logins(), 1, "a sign-in that can't be counted is not made");
}

/// The conformance table of the write: the trouble, the class, and whether the post is there
/// afterwards.
#[tokio::test]
async fn whatever_happens_to_a_write_there_is_one_post_in_the_end() {
    let reset = Clock::System.now().as_millis() / 1000 + 60;
    let table = [
        (Trouble::HangUp, "ambiguous", false),
        (Trouble::StoreThenClose, "ambiguous", true),
        (Trouble::Silence, "ambiguous", true),
        (Trouble::Truncate, "ambiguous", true),
        (Trouble::Garbage, "ambiguous", true),
        (Trouble::Instead(json!([])), "ambiguous", true),
        (Trouble::Instead(json!({"uri": "", "cid": ""})), "ambiguous", true),
        (Trouble::Without("uri"), "ambiguous", true),
        (Trouble::Without("cid"), "ambiguous", true),
        (Trouble::Instead(json!({"uri": "at://x/y/z", "cid": "bafy"})), "ambiguous", true),
        (Trouble::StoreThenFail, "ambiguous", true),
        (Trouble::Html(502), "ambiguous", false),
        (Trouble::Html(403), "ambiguous", false),
        (Trouble::Refuse(503, "NotEnoughResources", ""), "ambiguous", false),
        (Trouble::Refuse(500, "InternalServerError", ""), "ambiguous", false),
        (Trouble::Limit(reset), "rate_limited", false),
        (Trouble::Redirect("http://127.0.0.1:9/".into()), "account", false),
        (Trouble::Html(404), "account", false),
        (Trouble::Refuse(403, "ScopeMissingError", "Missing required scope"), "account", false),
        (Trouble::Refuse(401, "AccountTakedown", ""), "account", false),
        (Trouble::Refuse(400, "InvalidRequest", "Invalid record"), "content", false),
        (Trouble::Html(413), "content", false),
    ];
    let client = client();
    for (trouble, class, there) in table {
        let bench = Bench::with(client.clone());
        bench.account().verify(&bench.desk()).await.unwrap();
        bench.server.script("putRecord", trouble.clone());
        let failure = bench.failure().await;
        assert_eq!(failure.class.as_str(), class, "{trouble:?}: {}", failure.message);
        assert_eq!(bench.server.records().len(), usize::from(there), "{trouble:?}");
        match bench.find().await {
            Found::Published(receipt) if there => {
                assert!(receipt.remote_id.ends_with(&bench.server.records()[0].rkey));
            }
            Found::Absent if !there => {}
            other => panic!("{trouble:?}: {other:?}"),
        }
        // a retry sends the same bytes to the same key, whatever became of the first
        bench.published().await;
        bench.published().await;
        assert_eq!(bench.server.records().len(), 1, "{trouble:?}");
        let bodies: BTreeSet<_> =
            bench.server.seen_of("putRecord").into_iter().map(|seen| seen.body).collect();
        assert_eq!(bodies.len(), 1, "{trouble:?}");
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_rate_limit_names_its_end() {
    let bench = Bench::signed_in().await;
    let reset = Clock::System.now().as_millis() / 1000 + 60;
    bench.server.script("putRecord", Trouble::Limit(reset));
    assert_eq!(until(&bench.failure().await), Some(Timestamp::from_secs(reset)));
}

#[tokio::test]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let bench = Bench::signed_in().await;
    bench.server.down();
    assert_eq!(bench.failure().await.class.as_str(), "retry");
    let found = bench.find().await;
    assert!(matches!(&found, Found::Unknown(f) if f.class.as_str() == "retry"), "{found:?}");
    bench.server.up();
    assert_eq!(bench.find().await, Found::Absent);
    bench.published().await;
    assert_eq!(bench.server.records().len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (bench, other) = (Bench::new(), BlueskyServer::start());
    for method in ["createSession", "putRecord", "getRecord"] {
        let to = other.url().join(&format!("/xrpc/{method}")).unwrap();
        bench.server.script(method, Trouble::Redirect(to.into()));
    }
    assert_eq!(bench.failure().await.class.as_str(), "account");
    let failure = bench.failure().await;
    assert_eq!(failure.class.as_str(), "account");
    assert!(until(&failure).is_some(), "it tries again by itself: {failure:?}");
    assert!(matches!(bench.find().await, Found::Unknown(_)));
    assert_eq!(other.seen().len(), 0);
    bench.no_complaints();
}

#[tokio::test]
async fn every_request_goes_to_the_configured_origin() {
    let (bench, other) = (Bench::new(), BlueskyServer::start());
    let mut named = other.url();
    named.set_scheme("https").unwrap();
    bench.server.name_pds(named.as_str().trim_end_matches('/'));
    bench.published().await;
    bench.account().verify(&bench.desk()).await.unwrap();
    bench.find().await;
    assert_eq!(other.seen().len(), 0);
    assert_eq!(bench.server.seen().len(), 4);
}

#[tokio::test]
async fn a_path_behind_the_configured_origin_is_no_part_of_it() {
    let bench = Bench::new();
    let url = bench.server.url().join("/xrpc/?a=b#c").unwrap();
    let outcome =
        account(&bench.client, HANDLE, APP_PASSWORD, url).publish(&draft(), &bench.desk()).await;
    assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
    assert!(bench.server.seen().iter().all(|seen| !seen.target.contains("a=b")));
    bench.no_complaints();
}

#[tokio::test]
async fn find_tells_what_it_knows() {
    let bench = Bench::signed_in().await;
    assert_eq!(bench.find().await, Found::Absent, "no key was ever chosen, so nothing was sent");
    assert_eq!(bench.server.seen_of("getRecord").len(), 0);
    let receipt = bench.published().await;
    assert_eq!(bench.find().await, Found::Published(receipt));
    let troubles = [
        Trouble::HangUp,
        Trouble::Silence,
        Trouble::Truncate,
        Trouble::Garbage,
        Trouble::Html(404),
        Trouble::Html(502),
        Trouble::Refuse(400, "InvalidRequest", "Could not locate record"),
        Trouble::Without("value"),
        Trouble::Without("cid"),
    ];
    for trouble in troubles {
        bench.server.script("getRecord", trouble.clone());
        let found = bench.find().await;
        assert!(matches!(found, Found::Unknown(_)), "{trouble:?}: {found:?}");
    }
    bench.no_complaints();
}

#[tokio::test]
async fn find_needs_no_tokens_that_work() {
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::StoreThenClose);
    bench.failure().await;
    bench.server.expire_tokens();
    assert!(matches!(bench.find().await, Found::Published(_)));
    assert_eq!(bench.server.seen_of("refreshSession").len(), 0);
}

#[tokio::test]
async fn a_post_edited_elsewhere_is_still_ours() {
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::StoreThenClose);
    bench.failure().await;
    let record = bench.server.records().remove(0);
    let mut edited = record.value;
    edited["text"] = "edited".into();
    bench.server.put(&record.rkey, edited);
    assert!(matches!(bench.publish().await, Outcome::Published(_)));
    assert!(matches!(bench.find().await, Found::Published(_)));
    assert_eq!(bench.server.records().len(), 1);
}

#[tokio::test]
async fn a_strange_post_under_a_used_key_is_for_a_person_to_judge() {
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::StoreThenClose);
    bench.failure().await;
    let rkey = bench.server.records()[0].rkey.clone();
    bench.server.put(&rkey, json!({"text": "else", "createdAt": "2020-01-01T00:00:00.000Z"}));
    assert_eq!(bench.failure().await.class, Class::Duplicate);
    let found = bench.find().await;
    assert!(matches!(&found, Found::Unknown(f) if f.class == Class::Duplicate), "{found:?}");
    assert_eq!(bench.server.records().len(), 1);
}

#[tokio::test]
async fn a_key_that_the_server_does_not_take_is_replaced_once() {
    let bench = Bench::signed_in().await;
    let slur = || Trouble::Refuse(400, "InvalidRequest", "Unacceptable slur in record key");
    bench.server.script("putRecord", slur());
    bench.published().await;
    let keys: BTreeSet<_> = bench
        .server
        .seen_of("putRecord")
        .iter()
        .map(|seen| seen.json()["rkey"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 2);
    assert!(keys.contains(&bench.server.records()[0].rkey));
    assert!(matches!(bench.find().await, Found::Published(_)), "the journal holds the new key");

    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", slur());
    bench.server.script("putRecord", slur());
    assert_eq!(bench.failure().await.class, Class::Content);
    assert_eq!(bench.server.records().len(), 0);
}

#[tokio::test]
async fn a_fresh_key_that_is_taken_is_not_replaced() {
    // a proxy said it twice, and the server that is asked lags behind
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::StoreThenRefuse(400, "InvalidSwap"));
    bench.server.script("getRecord", Trouble::Refuse(400, "RecordNotFound", "not yet"));
    let failure = bench.failure().await;
    assert_eq!(failure.class, Class::Ambiguous, "{failure:?}");
    assert_eq!(bench.server.seen_of("putRecord").len(), 1);
    assert!(matches!(bench.find().await, Found::Published(_)));
    assert_eq!(bench.server.records().len(), 1);

    // nothing is there: the same key goes out again
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::Refuse(400, "InvalidSwap", "Record was at bafy"));
    assert_eq!(bench.failure().await.class, Class::Ambiguous);
    assert_eq!(bench.find().await, Found::Absent);
    bench.published().await;
    let puts = bench.server.seen_of("putRecord");
    assert_eq!(puts[0].body, puts[1].body);
    assert_eq!(bench.server.records().len(), 1);
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_the_same_request_made_again() {
    let bench = Bench::signed_in().await;
    bench.server.expire_tokens();
    bench.published().await;
    let puts = bench.server.seen_of("putRecord");
    assert_eq!(puts.len(), 2);
    assert_eq!(puts[0].body, puts[1].body);
    assert_ne!(puts[0].headers["authorization"], puts[1].headers["authorization"]);
    assert_eq!(bench.server.seen_of("refreshSession").len(), 1);
    assert_eq!(bench.server.logins(), 1);
    bench.no_complaints();

    // the new tokens were committed: nothing is renewed again
    bench.published().await;
    assert_eq!(bench.server.seen_of("refreshSession").len(), 1);
}

#[tokio::test]
async fn a_token_that_is_always_refused_parks_the_account() {
    let bench = Bench::signed_in().await;
    for _ in 0..2 {
        bench.server.script("putRecord", Trouble::Refuse(401, "AuthenticationRequired", ""));
    }
    let failure = bench.failure().await;
    assert_eq!(failure.class.as_str(), "account", "{failure:?}");
    assert_eq!(bench.server.seen_of("refreshSession").len(), 1, "once");
    assert_eq!(bench.server.logins(), 1);
}

#[tokio::test]
async fn a_token_for_elsewhere_is_renewed_then_the_account_signs_in_once() {
    let bench = Bench::signed_in().await;
    for _ in 0..3 {
        bench.server.script("putRecord", Trouble::Refuse(400, "InvalidToken", "Bad audience"));
    }
    assert_eq!(bench.failure().await.class.as_str(), "account");
    assert_eq!(bench.server.seen_of("refreshSession").len(), 1);
    assert_eq!(bench.server.logins(), 2);
}

#[tokio::test]
async fn a_moved_account_signs_in_again() {
    let bench = Bench::signed_in().await;
    bench.server.script("putRecord", Trouble::Refuse(403, "AccountNotFound", "Account not found"));
    bench.published().await;
    assert_eq!(bench.server.logins(), 2);
}

#[tokio::test]
async fn tokens_are_renewed_before_they_lapse() {
    let bench = Bench::new();
    bench.server.set_access_lifetime(Duration::from_secs(9 * 60));
    bench.published().await;
    assert_eq!(bench.server.seen_of("refreshSession").len(), 0);
    bench.server.set_access_lifetime(Duration::from_secs(7200));
    bench.published().await;
    bench.published().await;
    assert_eq!(bench.server.seen_of("refreshSession").len(), 1);
    assert_eq!(bench.server.logins(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn a_lost_refresh_is_made_again_within_the_grace_and_else_costs_one_sign_in() {
    for (trouble, late) in [
        (Trouble::StoreThenClose, false),
        (Trouble::Garbage, false),
        (Trouble::Truncate, false),
        (Trouble::StoreThenFail, false),
        (Trouble::StoreThenClose, true),
    ] {
        let bench = Bench::signed_in().await;
        bench.server.expire_tokens();
        bench.server.script("refreshSession", trouble.clone());
        assert_eq!(bench.failure().await.class.as_str(), "retry", "{trouble:?}");
        if late {
            bench.server.end_grace();
        }
        bench.published().await;
        assert_eq!(bench.server.logins(), if late { 2 } else { 1 }, "{trouble:?}");
        assert_eq!(bench.server.records().len(), 1);
        bench.no_complaints();
    }
}

#[tokio::test]
async fn a_refresh_that_is_slowed_down_waits_and_keeps_its_token() {
    let bench = Bench::signed_in().await;
    bench.server.expire_tokens();
    let reset = Clock::System.now().as_millis() / 1000 + 60;
    bench.server.script("refreshSession", Trouble::Limit(reset));
    let failure = bench.failure().await;
    assert_eq!(failure.class.as_str(), "rate_limited");
    assert_eq!(until(&failure), Some(Timestamp::from_secs(reset)));
    bench.published().await;
    assert_eq!(bench.server.logins(), 1);
}

#[tokio::test]
async fn a_lost_sign_in_is_counted_and_made_again() {
    for trouble in [
        Trouble::HangUp,
        Trouble::StoreThenClose,
        Trouble::Silence,
        Trouble::Garbage,
        Trouble::Truncate,
        Trouble::Instead(json!({"accessJwt": "a", "refreshJwt": "", "did": DID})),
        Trouble::Instead(json!({"accessJwt": "a", "refreshJwt": "r", "did": HANDLE})),
        Trouble::Html(502),
    ] {
        let bench = Bench::new();
        for _ in 0..2 {
            bench.server.script("createSession", trouble.clone());
            let failure = bench.failure().await;
            assert_eq!(failure.class.as_str(), "retry", "{trouble:?}: {}", failure.message);
        }
        bench.published().await;
        assert_eq!(bench.server.records().len(), 1);
        bench.no_complaints();
    }
}

#[tokio::test]
async fn sign_ins_have_a_budget_and_it_says_when_it_ends() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.server.script("createSession", Trouble::StoreThenClose);
        assert_eq!(bench.failure().await.class.as_str(), "retry");
    }
    let before = bench.server.logins();
    let failure = bench.failure().await;
    assert_eq!(bench.server.logins(), before, "nothing was asked");
    let end = until(&failure).unwrap();
    assert!(failure.message.contains(&end.to_string()), "{}", failure.message);
    bench.clock = Clock::virtual_from(end);
    bench.published().await;
    assert_eq!(bench.server.records().len(), 1);
}

#[tokio::test]
async fn refused_connections_cost_no_sign_in() {
    let bench = Bench::new();
    bench.server.down();
    for _ in 0..10 {
        assert_eq!(bench.failure().await.class.as_str(), "retry");
    }
    bench.server.up();
    bench.published().await;
    assert_eq!(bench.server.logins(), 1);
}

#[tokio::test]
async fn a_wrong_host_costs_no_sign_in() {
    let bench = Bench::new();
    for trouble in [Trouble::Html(404), Trouble::Redirect("http://127.0.0.1:9/".into())] {
        for _ in 0..2 {
            bench.server.script("createSession", trouble.clone());
            assert_eq!(bench.failure().await.class.as_str(), "account");
        }
    }
    bench.published().await;
}

#[tokio::test]
async fn a_server_that_wants_no_more_sign_ins_is_left_alone() {
    let mut bench = Bench::new();
    let reset = Clock::System.now().as_millis() / 1000 + 3600;
    bench.server.script("createSession", Trouble::Limit(reset));
    let failure = bench.failure().await;
    assert_eq!(failure.class.as_str(), "rate_limited");
    assert_eq!(until(&failure), Some(Timestamp::from_secs(reset)));
    let failure = bench.failure().await;
    assert_eq!(failure.class.as_str(), "account");
    assert_eq!(until(&failure), Some(Timestamp::from_secs(reset)));
    assert_eq!(bench.server.logins(), 1, "not even asked");
    bench.clock = Clock::virtual_from(Timestamp::from_secs(reset));
    bench.published().await;
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_a_new_one_at_once() {
    let bench = Bench::new();
    let wrong = bench.account_with("wrong");
    match wrong.publish(&draft(), &bench.desk()).await {
        Outcome::Failed(Failure { class: Class::Account { until: None, hint }, message }) => {
            assert!(hint.contains("App passwords"), "{hint}");
            assert!(message.contains("Invalid identifier or password"), "{message}");
            assert!(!message.contains("wrong"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.server.logins(), 1);
    bench.published().await;
}

#[tokio::test]
async fn a_deleted_app_password_parks_and_a_new_one_resumes() {
    let bench = Bench::signed_in().await;
    bench.server.change_password("new1-new2-new3-new4");
    bench.published().await; // the access token lives until it lapses
    bench.server.expire_tokens();
    let failure = bench.failure().await;
    assert!(matches!(failure.class, Class::Account { until: None, .. }), "{failure:?}");
    let renewed = bench.account_with("new1-new2-new3-new4");
    let journal = Scratch::default();
    let desk = Desk { journal: &journal, ..bench.desk() };
    assert!(matches!(renewed.publish(&draft(), &desk).await, Outcome::Published(_)));
    assert_eq!(bench.server.records().len(), 2);
}

#[tokio::test]
async fn a_new_password_starts_a_new_session() {
    let bench = Bench::signed_in().await;
    bench.server.change_password("new1-new2-new3-new4");
    let renewed = bench.account_with("new1-new2-new3-new4");
    renewed.verify(&bench.desk()).await.unwrap();
    assert_eq!(bench.server.logins(), 2, "the tokens of the old one would have worked");
}

#[tokio::test]
async fn a_server_that_forgot_the_session_costs_one_sign_in() {
    let bench = Bench::signed_in().await;
    bench.server.forget_sessions();
    bench.published().await;
    assert_eq!(bench.server.logins(), 2);
    assert_eq!(bench.server.records().len(), 1);
}

#[tokio::test]
async fn the_main_password_is_told_from_an_app_password() {
    let bench = Bench::new();
    let main = account(&bench.client, EMAIL, MAIN_PASSWORD, bench.server.url());
    match main.verify(&bench.desk()).await {
        Err(Failure { class: Class::Account { hint, .. }, .. }) => {
            assert!(hint.contains("app password"), "{hint}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tokens_of_one_server_are_not_shown_to_another() {
    let (bench, other) = (Bench::signed_in().await, BlueskyServer::start());
    let moved = account(&bench.client, HANDLE, APP_PASSWORD, other.url());
    moved.verify(&bench.desk()).await.unwrap();
    assert_eq!(other.logins(), 1);
    assert_eq!(other.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn an_account_that_is_not_active_parks() {
    for status in ["takendown", "suspended", "deactivated"] {
        let bench = Bench::signed_in().await;
        bench.server.deactivate(status);
        for failure in
            [bench.failure().await, bench.account().verify(&bench.desk()).await.unwrap_err()]
        {
            assert_eq!(failure.class.as_str(), "account", "{status}: {failure:?}");
        }
        let bench = Bench::new();
        bench.server.deactivate(status);
        assert_eq!(bench.failure().await.class.as_str(), "account", "{status}");
        bench.failure().await;
        assert!(bench.server.logins() <= 2, "{status}");
        let puts = bench.server.seen_of("putRecord").len();
        assert!(puts <= 1, "{status}: the sign-in said so already");
        assert_eq!(bench.server.records().len(), 0);
    }
}

#[tokio::test]
async fn verify_says_who_and_where_and_posts_nothing() {
    let bench = Bench::new();
    let identity = bench.account().verify(&bench.desk()).await.unwrap();
    assert_eq!(identity.name, "@ada.test");
    assert_eq!(identity.url, Some(format!("https://bsky.app/profile/{DID}")));
    assert!(identity.notes[0].contains(DID), "{:?}", identity.notes);
    assert!(identity.notes[0].contains(&bench.server.url().port().unwrap().to_string()));
    bench.server.expire_tokens();
    bench.account().verify(&bench.desk()).await.unwrap();
    bench.server.script("getSession", Trouble::HangUp);
    let failure = bench.account().verify(&bench.desk()).await.unwrap_err();
    assert_eq!(failure.class.as_str(), "retry");
    assert_eq!(bench.server.records().len(), 0);
    assert_eq!(bench.server.logins(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn two_tasks_renew_one_session_once() {
    let bench = Bench::signed_in().await;
    bench.server.expire_tokens();
    let account = bench.account();
    let (one, two) = (Scratch::default(), Scratch::default());
    let (first, second) = (draft(), draft());
    let (desk_one, desk_two) =
        (Desk { journal: &one, ..bench.desk() }, Desk { journal: &two, ..bench.desk() });
    let (a, b) = futures_util::future::join(
        account.publish(&first, &desk_one),
        account.publish(&second, &desk_two),
    )
    .await;
    assert!(matches!((a, b), (Outcome::Published(_), Outcome::Published(_))));
    assert_eq!(bench.server.seen_of("refreshSession").len(), 1);
    bench.no_complaints();
}

#[tokio::test]
async fn an_attempt_that_another_account_may_have_made_is_left_to_a_person() {
    let bench = Bench::signed_in().await;
    let key = json!({
        "did": "did:plc:someoneelse",
        "rkey": "3lgv6do363r2n",
        "created_at": "2026-11-23T17:20:00.000Z",
    });
    bench.journal.write("bluesky_key", key).await.unwrap();
    match bench.find().await {
        Found::Unknown(failure) => {
            assert!(failure.message.contains("did:plc:someoneelse"), "{}", failure.message);
        }
        other => panic!("{other:?}"),
    }
}

/// A repository is one wherever it is asked for: the same key there makes no second post.
#[tokio::test]
async fn another_server_of_the_same_account_gets_the_same_key() {
    let (bench, other) = (Bench::signed_in().await, BlueskyServer::start());
    bench.server.script("putRecord", Trouble::StoreThenClose);
    bench.failure().await;
    let moved = account(&bench.client, HANDLE, APP_PASSWORD, other.url());
    assert_eq!(moved.find(&draft(), &bench.desk()).await, Found::Absent, "it has no such record");
    let outcome = moved.publish(&draft(), &bench.desk()).await;
    assert!(matches!(outcome, Outcome::Published(_)), "{outcome:?}");
    let keys = [&bench.server, &other].map(|server| server.records()[0].rkey.clone());
    assert_eq!(keys[0], keys[1]);
    assert_eq!(other.records()[0].value, bench.server.records()[0].value);
}

#[tokio::test]
async fn the_tokens_of_a_session_are_known_to_the_log() {
    let bench = Bench::signed_in().await;
    bench.server.expire_tokens();
    bench.published().await;
    let tokens = bench.server.tokens();
    assert_eq!(tokens.len(), 4, "two, and two more");
    for token in tokens {
        let line = format!("a server said `{token}`");
        assert_eq!(redact(&line), "a server said `[redacted]`");
    }

    // and those of before a restart, which nobody has sent since
    let (name, note) = ("bluesky_session", "access-of-an-earlier-run");
    let mut session = bench.memory.read(name).await.unwrap().unwrap();
    session["access"] = note.into();
    bench.memory.write(name, session).await.unwrap();
    bench.find().await;
    bench.published().await;
    assert_eq!(redact(note), "[redacted]");
}

#[tokio::test]
async fn no_secret_is_in_any_message() {
    let bench = Bench::signed_in().await;
    let troubles = [
        Trouble::Refuse(400, "InvalidRequest", "no"),
        Trouble::Garbage,
        Trouble::HangUp,
        Trouble::Html(502),
    ];
    for trouble in troubles {
        for method in ["putRecord", "getRecord"] {
            bench.server.script(method, trouble.clone());
        }
        let told = format!("{:?} {:?}", bench.publish().await, bench.find().await);
        for secret in [APP_PASSWORD, "access.", "refresh.", "signature"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}
