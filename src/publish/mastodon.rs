//! Mastodon: drafts to posts on any server that speaks the Mastodon API.
//!
//! Before the first request its `Idempotency-Key`, its bytes and the time are journalled; every
//! repetition sends the same. After a lost answer the server decides how the truth is found: one
//! that honours the key (Mastodon and its forks) is sent the same request again, everywhere else,
//! and always when the key may have been forgotten, the account's own posts are read back.
//! **Invariant:** every request goes to the origin of `base_url`, no redirect is followed, and a
//! new key is made only after a definite refusal or a proven absence.
//! **Refuses:** to call a 2xx without id and url a success; to believe an absence that was looked
//! for while the lost request could still be at work.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, StatusCode};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::{Class, Failure, Receipt};
use crate::draft::Draft;
use crate::platform::Limits;
use crate::publish::{Desk, Found, Identity, Outcome, Publisher};

mod attempt;
mod errors;
mod family;
mod html;
mod identity;
mod instance;
mod readback;
mod recognise;
mod server;

use attempt::{Note, Request};
use server::Server;

/// How long after the first attempt the key is trusted: Mastodon keeps it for 3600 s (sheet A8),
/// and its clock is not ours.
const KEY_TRUSTED: Duration = Duration::from_secs(50 * 60);

/// An account on a server that speaks the Mastodon API.
pub struct Mastodon {
    server: Server,
    /// How long after its start a request without answer may still be at work.
    quiet: Duration,
}

/// What is posted. Absent fields are not sent: some servers take null for a value.
#[derive(Serialize)]
struct Status<'a> {
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility: Option<&'a str>,
}

/// A request that brought no receipt.
struct Unsent {
    failure: Failure,
    /// Whether the answer was 404.
    not_found: bool,
}

impl From<Failure> for Unsent {
    fn from(failure: Failure) -> Self {
        Self { failure, not_found: false }
    }
}

impl Mastodon {
    /// An account at the origin of `base_url`, reached through `http` (a client made by
    /// `http::publishing`), which gives each request `timeout`.
    ///
    /// A request that got no answer is taken to be at work for twice `timeout`: we wait for one,
    /// and grant the server another to be done with it.
    pub fn new(base_url: Url, token: Secret, http: Client, timeout: Duration) -> Self {
        Self { server: Server::new(&base_url, token, http, timeout), quiet: timeout * 2 }
    }

    /// Sends what is journalled, and says what came of it.
    async fn send(&self, request: &Request, desk: &Desk<'_>) -> Result<Receipt, Unsent> {
        let answer = self.server.post(&request.key, request.body.clone()).await?;
        let status = answer.status;
        if !status.is_success() {
            let family = instance::remembered_family(&self.server, desk).await;
            let failure = answer.refusal(&self.server.posting(), family, desk.clock.now());
            return Err(Unsent { failure, not_found: status == StatusCode::NOT_FOUND });
        }
        receipt_of(&answer.body).ok_or_else(|| {
            let server = self.server.origin();
            let message = format!("posting to `{server}`: answer {status}, but it names no post");
            Failure::ambiguous(message).into()
        })
    }

    /// Sends the very same request again, which the server answers with the post that it has.
    async fn replay(&self, note: &mut Note, draft: &Draft, desk: &Desk<'_>) -> Found {
        let Some(request) = note.request.as_mut() else { return Found::Absent };
        request.last_at = desk.clock.now();
        let request = request.clone();
        if let Err(error) = note.write(desk.journal).await {
            return Found::Unknown(error.into());
        }
        match self.send(&request, desk).await {
            Ok(receipt) => Found::Published(receipt),
            // the key is known, its post is not: the owner deleted it, and wants no second one
            Err(Unsent { failure, not_found: true }) if failure.class == Class::Content => {
                Found::Unknown(deleted_since(self.server.origin()))
            }
            // refused as a new post: the key is not known, so look with our own eyes
            Err(Unsent { failure, .. })
                if matches!(failure.class, Class::Content | Class::Duplicate) =>
            {
                self.read_back(note, draft, desk).await
            }
            Err(Unsent { failure, .. }) => Found::Unknown(failure),
        }
    }

    /// Looks for the post among the account's own; an absence opens the next epoch.
    async fn read_back(&self, note: &mut Note, draft: &Draft, desk: &Desk<'_>) -> Found {
        match readback::look(&self.server, draft, note.since, desk).await {
            Found::Absent => match note.close(desk.journal).await {
                Ok(()) => Found::Absent,
                Err(error) => Found::Unknown(error.into()),
            },
            found => found,
        }
    }
}

#[async_trait]
impl Publisher for Mastodon {
    async fn limits(&self, desk: &Desk<'_>) -> Limits {
        instance::limits(&self.server, desk).await
    }

    async fn verify(&self, desk: &Desk<'_>) -> Result<Identity, Failure> {
        identity::verify(&self.server, desk).await
    }

    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome {
        let (mut note, request) = match Note::open(&body_of(draft), desk).await {
            Ok(opened) => opened,
            Err(error) => return Outcome::Failed(error),
        };
        match self.send(&request, desk).await {
            Ok(receipt) => Outcome::Published(receipt),
            Err(Unsent { failure, .. }) => {
                if is_definite(&failure.class) {
                    // some servers keep their refusal under the key. When this can't be written,
                    // the old key is used again, and then they repeat it: late, but never twice
                    let _ = note.close(desk.journal).await;
                }
                Outcome::Failed(failure)
            }
        }
    }

    async fn find(&self, draft: &Draft, desk: &Desk<'_>) -> Found {
        let mut note = match Note::read(desk.journal).await {
            Ok(note) => note,
            Err(error) => return Found::Unknown(error.into()),
        };
        // the journal is written before the first byte leaves
        let Some(request) = note.request.clone() else { return Found::Absent };
        let now = desk.clock.now();
        let quiet_from = request.last_at.plus(self.quiet);
        if now < quiet_from {
            return match readback::look(&self.server, draft, note.since, desk).await {
                Found::Published(receipt) => Found::Published(receipt),
                _ => Found::Unknown(too_early(self.server.origin(), quiet_from)),
            };
        }
        let honoured = instance::remembered_family(&self.server, desk).await.honours_key();
        if honoured && now.since(request.first_at) < KEY_TRUSTED {
            return self.replay(&mut note, draft, desk).await;
        }
        self.read_back(&mut note, draft, desk).await
    }
}

fn body_of(draft: &Draft) -> String {
    let status = Status {
        status: &draft.text,
        language: draft.language.as_deref().filter(|tag| !tag.is_empty()),
        visibility: draft.visibility.map(crate::draft::Visibility::as_str),
    };
    serde_json::to_string(&status).expect("a struct of strings is JSON")
}

/// The receipt in a 2xx: Pixelfed can answer `[]`, and a scheduled post has an id of another kind
/// and no url.
fn receipt_of(body: &str) -> Option<Receipt> {
    let status: Value = serde_json::from_str(body).ok()?;
    let text = |name: &str| status.get(name)?.as_str().filter(|text| !text.is_empty());
    Some(Receipt { remote_id: text("id")?.to_owned(), url: Some(text("url")?.to_owned()) })
}

/// Whether the server surely has nothing, and may remember its refusal.
const fn is_definite(class: &Class) -> bool {
    matches!(class, Class::Content | Class::Account { .. } | Class::RateLimited { .. })
}

fn too_early(origin: &str, until: Timestamp) -> Failure {
    Failure {
        class: Class::Retry { not_before: Some(until) },
        message: format!(
            "asking `{origin}` for the post: not there yet, and the request without answer may \
             still be at work"
        ),
    }
}

fn deleted_since(origin: &str) -> Failure {
    Failure {
        class: Class::Duplicate,
        message: format!(
            "asking `{origin}` for the post: it was published, and was deleted there since"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::Visibility;

    #[test]
    fn only_what_is_set_is_sent() {
        let check = |draft: Draft, expect: &str| assert_eq!(body_of(&draft), expect);
        check(Draft { text: "Hi \"x\"".into(), ..Draft::default() }, r#"{"status":"Hi \"x\""}"#);
        check(
            Draft {
                text: "Hi".into(),
                language: Some("de".into()),
                visibility: Some(Visibility::Unlisted),
                ..Draft::default()
            },
            r#"{"status":"Hi","language":"de","visibility":"unlisted"}"#,
        );
    }

    #[test]
    fn a_receipt_has_an_id_and_a_url() {
        let check = |body: &str, expect: bool| assert_eq!(receipt_of(body).is_some(), expect);
        check(r#"{"id":"1","url":"https://a.example/@a/1"}"#, true);
        check(r#"{"id":"1","url":null,"uri":"https://a.example/1"}"#, false);
        check(r#"{"id":"1","scheduled_at":"2026-01-01T00:00:00Z","params":{}}"#, false);
        check(r#"{"id":"","url":"https://a.example/@a/1"}"#, false);
        check(r#"{"id":1,"url":"https://a.example/@a/1"}"#, false);
        check("[]", false);
        check(r#"{"id":"1","url":"https://a"#, false);
        check("<html>", false);
    }
}
