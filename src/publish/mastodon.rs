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

use crate::config::Secret;
use crate::crosspost::{Class, Failure, Receipt};
use crate::draft::Draft;
use crate::platform::{Limits, MediaLimits};
use crate::publish::{Desk, Found, Identity, Outcome, Publisher};

mod attempt; // what one crosspost has sent
mod doubt; // what became of it
mod errors;
mod family;
mod html;
mod identity;
mod instance;
mod left;
mod media; // what goes up before a post
mod readback;
mod recognise;
mod room; // which media an instance takes
mod server;
mod upload; // one file
mod uploads; // what one crosspost has uploaded

pub use instance::{remembered_limits, remembered_media_limits};

use attempt::{Note, Opened, Request, Status};
use media::Gathered;
use server::Server;

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
    why: Why,
}

/// What the server says where a class of failure doesn't say enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Nothing more.
    Told,
    /// The answer was 404.
    NotFound,
    /// It is still at work on what was uploaded (sheet A9).
    Unfinished,
    /// It has none of what was uploaded, or another post has it (sheet A9).
    Attached,
    /// It doesn't take these media together, or so many.
    Unfit,
}

impl From<Failure> for Unsent {
    fn from(failure: Failure) -> Self {
        Self { failure, why: Why::Told }
    }
}

impl Why {
    fn of(status: StatusCode, body: &str) -> Self {
        let says = body.to_ascii_lowercase();
        match status.as_u16() {
            404 => Self::NotFound,
            // GoToSocial says such things with 400
            400 | 422 if says.contains("have not finished processing") => Self::Unfinished,
            400 | 422 if says.contains("already attached") => Self::Attached,
            400 | 422 if says.contains("cannot attach") => Self::Unfit,
            _ => Self::Told,
        }
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
            return Err(Unsent { failure, why: Why::of(status, &answer.body) });
        }
        receipt_of(&answer.body).ok_or_else(|| {
            let server = self.server.origin();
            let message = format!("posting to `{server}`: answer {status}, but it names no post");
            Failure::ambiguous(message).into()
        })
    }
}

impl Mastodon {
    /// What an attempt comes to that brought no receipt.
    async fn refused(
        &self,
        Unsent { failure, why }: Unsent,
        note: &mut Note,
        gathered: &mut Gathered,
        sent_before: bool,
        desk: &Desk<'_>,
    ) -> Outcome {
        let (mut outcome, before) = (None, gathered.uploads.clone());
        // some servers keep their refusal under the key, and Mastodon keeps none
        let mut closes = is_definite(&failure.class);
        match why {
            Why::Unfinished => {
                let wait = gathered.unfinished();
                outcome = Some(Outcome::Wait { wait, why: failure.message.clone() });
                let family = instance::remembered_family(&self.server, desk).await;
                closes = !family.honours_key();
            }
            Why::Attached => {
                gathered.gone();
                if !sent_before {
                    // no request named them before, so no post of ours has them
                    outcome = Some(Outcome::Failed(Failure::retry(failure.message.clone())));
                    closes = true;
                }
            }
            Why::Unfit => {
                gathered.leave_out(&failure.message);
                outcome = Some(Outcome::Failed(Failure::retry(failure.message.clone())));
                closes = true;
            }
            Why::Told | Why::NotFound => {}
        }
        if closes {
            // when this can't be written, the old key is used again, and then such a server repeats
            // itself: late, but never twice
            let _ = note.close(desk.journal).await;
        }
        if !sent_before && (closes || why == Why::Unfinished) {
            gathered.set_sent(false);
        }
        if gathered.uploads != before {
            // what can't be noted is met again
            let _ = gathered.uploads.write(desk.journal).await;
        }
        outcome.unwrap_or(Outcome::Failed(failure))
    }
}

#[async_trait]
impl Publisher for Mastodon {
    async fn limits(&self, desk: &Desk<'_>) -> Limits {
        instance::limits(&self.server, desk).await
    }

    async fn media_limits(&self, desk: &Desk<'_>) -> MediaLimits {
        instance::media_limits(&self.server, desk).await
    }

    async fn verify(&self, desk: &Desk<'_>) -> Result<Identity, Failure> {
        identity::verify(&self.server, desk).await
    }

    fn upload_time(&self, draft: &Draft) -> Duration {
        self.time_for(draft)
    }

    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome {
        let mut gathered = match self.gather(draft, desk).await {
            Ok(gathered) => gathered,
            Err(outcome) => return outcome,
        };
        let body = Status::of(draft, gathered.ids()).body();
        let sent_before = match gathered.leaving(desk).await {
            Ok(sent_before) => sent_before,
            Err(error) => return Outcome::Failed(error.into()),
        };
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
            Err(unsent) => self.refused(unsent, &mut note, &mut gathered, sent_before, desk).await,
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
    Some(Receipt::new(text("id")?.to_owned(), Some(text("url")?.to_owned())))
}

/// Whether the server surely has nothing, and may remember its refusal.
const fn is_definite(class: &Class) -> bool {
    matches!(class, Class::Content | Class::Account { .. } | Class::RateLimited { .. })
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
