//! Mastodon: drafts to posts on any server that speaks the Mastodon API.
//!
//! Before the first request its `Idempotency-Key`, its bytes, its server and the time are
//! journalled; every repetition sends the same. After a lost answer the account's own posts are
//! read back, and what is not there is sent again: under the same key where the server honours it
//! (Mastodon and its forks) and surely remembers it, else under a new one, once the absence is
//! proven. **Invariant:** every request goes to the origin of `base_url`, no redirect is followed;
//! what is sought is what was sent, where it was sent to, and not what the entry or the config
//! says now.
//! **Refuses:** to call a 2xx without id and url a success; to believe an absence that was looked
//! for while the lost request could still be at work.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use url::Url;

use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::{Class, Failure, Receipt};
use crate::draft::Draft;
use crate::platform::{Limits, MediaLimits, Platform};
use crate::publish::{Desk, Found, Identity, Outcome, Publisher};

mod attempt;
mod errors;
mod family;
mod html;
mod identity;
mod instance;
mod left;
mod readback;
mod recognise;
mod server;

pub use instance::remembered_limits;

use attempt::{Note, Opened, Request, Status};
use identity::Account;
use readback::Lost;
use server::Server;

/// How long after the first attempt the key is trusted: Mastodon keeps it for 3600 s (sheet A8),
/// and its clock is not ours.
const KEY_TRUSTED: Duration = Duration::from_secs(50 * 60);

/// An account on a server that speaks the Mastodon API.
pub struct Mastodon {
    server: Server,
    /// How long after its start a request without answer may still be at work.
    quiet: Duration,
    /// When requests left, as far as this process sent them.
    left: left::Log,
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
        let server = Server::new(&base_url, token, http, timeout);
        Self { server, quiet: timeout * 2, left: left::Log::default() }
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

    /// Finds out what became of `request`.
    ///
    /// # Errors
    /// It can't be told now.
    async fn settle(
        &self,
        note: &mut Note,
        request: &Request,
        desk: &Desk<'_>,
    ) -> Result<Found, Failure> {
        if request.origin != self.server.origin() {
            return Err(elsewhere(&request.origin, self.server.origin()));
        }
        let now = desk.clock.now();
        let account = identity::account(&self.server, now).await;
        self.recognise_sender(note, request, account.as_ref(), desk).await?;
        let seen = match account {
            Ok(account) => self.look(note, request, &account, desk).await,
            Err(failure) => Err(failure),
        };
        if let Ok(Found::Published(_)) = seen {
            return seen;
        }
        if let Some(over) = self.quiet_until(request, desk) {
            return Err(too_early(self.server.origin(), over));
        }
        // what is like it may be it, and what asks us to slow down is not asked more
        let is_open = !matches!(
            &seen,
            Err(Failure { class: Class::Duplicate | Class::RateLimited { .. }, .. })
        );
        if is_open && self.is_key_trusted(request, desk).await {
            return self.replay(note, seen, desk).await;
        }
        self.conclude(note, seen, desk).await
    }

    /// Makes sure that `request` was sent in the name of `account`, and notes its id.
    async fn recognise_sender(
        &self,
        note: &mut Note,
        request: &Request,
        account: Result<&Account, &Failure>,
        desk: &Desk<'_>,
    ) -> Result<(), Failure> {
        if request.sender == self.server.sender() {
            let unknown = note.request.as_mut().filter(|request| request.account.is_none());
            if let (Some(request), Ok(account)) = (unknown, account) {
                request.account = Some(account.id.clone());
                note.write(desk.journal).await?;
            }
            return Ok(());
        }
        match (&request.account, account) {
            (Some(sender), Ok(account)) if *sender == account.id => Ok(()),
            (Some(_), Err(failure)) => Err(failure.clone()),
            _ => Err(of_another_token(self.server.origin())),
        }
    }

    /// Looks for what was sent among the account's own posts.
    async fn look(
        &self,
        note: &Note,
        request: &Request,
        account: &Account,
        desk: &Desk<'_>,
    ) -> Result<Found, Failure> {
        let status = request.status()?;
        let measured = self.left.of(desk.crosspost).and_then(|left| left.first);
        let lost = Lost { status: &status, since: note.since, measured };
        readback::look(&self.server, account, &lost, desk).await
    }

    /// Until when the request may still be at work; none once that is over.
    fn quiet_until(&self, request: &Request, desk: &Desk<'_>) -> Option<Timestamp> {
        let now = desk.clock.now();
        let left = match self.left.of(desk.crosspost) {
            Some(left) => self.quiet.saturating_sub(left.last.elapsed()),
            None => request.last_at.plus(self.quiet).since(now),
        };
        (!left.is_zero()).then(|| now.plus(left))
    }

    /// Whether the server surely remembers the key, whichever clock is asked.
    async fn is_key_trusted(&self, request: &Request, desk: &Desk<'_>) -> bool {
        let now = desk.clock.now();
        let measured = self.left.of(desk.crosspost).and_then(|left| left.key);
        let measured = measured.map_or(Duration::ZERO, |key| key.elapsed());
        now >= request.first_at
            && now.since(request.first_at).max(measured) < KEY_TRUSTED
            && instance::remembered_family(&self.server, desk).await.honours_key()
    }

    /// Sends the very same request again, which the server answers with the post that it has.
    async fn replay(
        &self,
        note: &mut Note,
        seen: Result<Found, Failure>,
        desk: &Desk<'_>,
    ) -> Result<Found, Failure> {
        let Some(request) = note.request.as_mut() else { return Ok(Found::Absent) };
        request.last_at = desk.clock.now();
        let request = request.clone();
        note.write(desk.journal).await?;
        self.left.repeated(desk.crosspost);
        match self.send(&request, desk).await {
            Ok(receipt) => Ok(Found::Published(receipt)),
            // the key is known, its post is not: the owner deleted it, and wants no second one
            Err(Unsent { failure, not_found: true }) if failure.class == Class::Content => {
                Err(deleted_since(self.server.origin()))
            }
            // refused as a new post: the key is not known, so what was seen counts
            Err(Unsent { failure, .. })
                if matches!(failure.class, Class::Content | Class::Duplicate) =>
            {
                self.conclude(note, seen, desk).await
            }
            Err(Unsent { failure, .. }) => Err(failure),
        }
    }

    /// Takes what was seen for the truth; an absence opens the next epoch.
    async fn conclude(
        &self,
        note: &mut Note,
        seen: Result<Found, Failure>,
        desk: &Desk<'_>,
    ) -> Result<Found, Failure> {
        if let Ok(Found::Absent) = seen {
            note.close(desk.journal).await?;
        }
        seen
    }

    /// Gives up the times in a note where the clock was set back since: none is later than now,
    /// but how much earlier they were only this process may know.
    async fn mend_times(&self, note: &mut Note, desk: &Desk<'_>) -> Result<(), Failure> {
        let now = desk.clock.now();
        if !note.is_ahead_of(now) {
            return Ok(());
        }
        let left = self.left.of(desk.crosspost);
        note.since = left.and_then(|left| left.first).map(|first| now.minus(first.elapsed()));
        if let Some(request) = note.request.as_mut() {
            request.first_at = Timestamp::from_millis(0);
            request.last_at = left.map_or(now, |left| now.minus(left.last.elapsed()));
        }
        Ok(note.write(desk.journal).await?)
    }
}

#[async_trait]
impl Publisher for Mastodon {
    async fn limits(&self, desk: &Desk<'_>) -> Limits {
        instance::limits(&self.server, desk).await
    }

    async fn media_limits(&self, _desk: &Desk<'_>) -> MediaLimits {
        Platform::Mastodon.media()
    }

    async fn verify(&self, desk: &Desk<'_>) -> Result<Identity, Failure> {
        identity::verify(&self.server, desk).await
    }

    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome {
        let body = Status::of(draft).body();
        let opened = match Note::open(&body, &self.server, desk).await {
            Ok(opened) => opened,
            Err(error) => return Outcome::Failed(error),
        };
        self.left.opened(desk.crosspost, &opened);
        let Opened { mut note, request, .. } = opened;
        match self.send(&request, desk).await {
            Ok(receipt) => {
                self.left.forget(desk.crosspost);
                Outcome::Published(receipt)
            }
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

    async fn find(&self, _draft: &Draft, desk: &Desk<'_>) -> Found {
        let mut note = match Note::read(desk.journal).await {
            Ok(note) => note,
            Err(error) => return Found::Unknown(error.into()),
        };
        if let Err(failure) = self.mend_times(&mut note, desk).await {
            return Found::Unknown(failure);
        }
        // the journal is written before the first byte leaves
        let Some(request) = note.request.clone() else { return Found::Absent };
        let found = self.settle(&mut note, &request, desk).await.unwrap_or_else(Found::Unknown);
        if let Found::Published(_) = found {
            self.left.forget(desk.crosspost);
        }
        found
    }
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

fn elsewhere(sent_to: &str, origin: &str) -> Failure {
    let sent_to = if sent_to.is_empty() { "another server" } else { sent_to };
    Failure::ambiguous(format!(
        "asking for the post: it was sent to `{sent_to}`, and the account is at `{origin}` now; \
         look there"
    ))
}

fn of_another_token(origin: &str) -> Failure {
    Failure::ambiguous(format!(
        "asking `{origin}` for the post: it was sent with another token, perhaps by another \
         account; look there"
    ))
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
