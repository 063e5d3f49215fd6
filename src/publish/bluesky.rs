//! Bluesky: drafts to posts in the owner's repository on an AT Protocol server.
//!
//! The record key is ours: chosen and journalled, with `createdAt`, before the first write. The
//! write is `putRecord` with `swapRecord: null`: it creates, or (same record under the same key)
//! answers that all is done, or refuses; it never makes a second post and never overwrites. So a
//! lost answer is settled by reading the key, or by saying the same once more.
//! **Invariant:** one crosspost, one key, whatever happens to the answers. **Refuses:** to sign in
//! per post; to send a token to another server than the owner's; `createRecord`.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use url::Url;

use crate::config::{Delivery, Secret};
use crate::crosspost::{Class, Failure};
use crate::draft::Draft;
use crate::platform::{Limits, MediaLimits, Platform};
use crate::publish::{Desk, Found, Identity, Outcome, Publisher};

mod session; // getting in
mod budget; // how often
mod gather; // what a record needs from the server
mod extras; // … as it is journalled
mod upload; // files
mod video; // … that are prepared elsewhere
mod write; // the record, under its key
mod record; // … as it is
mod tid; // keys
mod xrpc; // one call
mod errors; // what its answer means

use errors::Meaning;
use session::{Access, Cure, Session};
use xrpc::{Answer, Call, Parcel};

/// One Bluesky account.
pub struct Bluesky {
    access: Access,
    /// Who prepares videos for playing; absent, they go straight to the account's server.
    video_host: Option<Url>,
    /// How long a request may take that uploads nothing.
    timeout: Duration,
    /// How long a post is tried.
    give_up_after: Duration,
}

/// Why there is no receipt yet.
enum Halt {
    /// It did not work, or nobody knows.
    Failed(Failure),
    /// The video is still being prepared: come back then.
    Wait { wait: Duration, why: String },
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Bluesky {
    /// The account of `identifier` (handle, e-mail or DID), over `http`, which follows no
    /// redirect and was made for `delivery`. With `base_url`, every request goes to that origin;
    /// without, the session begins at `https://bsky.social`, posts go to the server that it names,
    /// and videos through Bluesky's own video service.
    pub fn new(
        identifier: impl Into<String>,
        app_password: Secret,
        base_url: Option<Url>,
        http: Client,
        delivery: &Delivery,
    ) -> Self {
        let hosted = base_url.is_none();
        let service = Url::parse(video::SERVICE).expect("a constant that a test parses is a URL");
        Self {
            access: Access::new(identifier.into(), app_password, base_url, http),
            video_host: hosted.then_some(service),
            timeout: delivery.timeout,
            give_up_after: delivery.give_up_after,
        }
    }

    /// The same account, whose videos are prepared by `service`.
    #[must_use]
    pub fn with_video_service(self, service: Url) -> Self {
        Self { video_host: Some(service), ..self }
    }

    /// Makes a call in the name of the account. A refused token is renewed, and the same call made
    /// again; a second refusal is an answer.
    ///
    /// # Errors
    /// No session, or no whole answer; then the class says whether something may have been done.
    async fn signed(
        &self,
        desk: &Desk<'_>,
        session: &mut Session,
        call: Call,
        parcel: Parcel<'_>,
    ) -> Result<Answer, Failure> {
        let mut last = None;
        loop {
            let parcel = Parcel { token: Some(&session.access), ..parcel };
            let server = self.access.server(session);
            let answer = xrpc::call(self.access.http(), server, call, parcel).await?;
            let cure = match (answer.meaning(call), last) {
                _ if answer.is_success() => None,
                (Meaning::Stale | Meaning::Foreign, None) => Some(Cure::Refresh),
                (Meaning::Foreign, Some(Cure::Refresh)) => Some(Cure::SignIn),
                (Meaning::Moved, None | Some(Cure::Refresh)) => Some(Cure::SignIn),
                _ => None,
            };
            let Some(cure) = cure else {
                return Ok(answer);
            };
            let cured = self.access.cured(desk, session, cure).await?;
            if cured.did != session.did {
                return Err(Failure::account(
                    format!("the session changed from `{}` to `{}`", session.did, cured.did),
                    "give one account one `identifier`",
                ));
            }
            *session = cured;
            last = Some(cure);
        }
    }
}

#[async_trait]
impl Publisher for Bluesky {
    async fn limits(&self, _desk: &Desk<'_>) -> Limits {
        Platform::Bluesky.limits()
    }

    async fn media_limits(&self, _desk: &Desk<'_>) -> MediaLimits {
        Platform::Bluesky.media()
    }

    async fn verify(&self, desk: &Desk<'_>) -> Result<Identity, Failure> {
        let mut session = self.access.session(desk).await?;
        let answer = self
            .signed(desk, &mut session, Call::WhoAmI, Parcel::default())
            .await
            .map_err(|failure| match failure.class {
                Class::Ambiguous => Failure::retry(failure.message),
                _ => failure,
            })?;
        let server = self.access.server(&session);
        let (Some(did), Some(handle), true) =
            (answer.text("did"), answer.text("handle"), answer.is_success())
        else {
            return Err(answer.failure(Call::WhoAmI, server, desk.clock.now()));
        };
        if let Some(failure) = session::inactive(&answer.body) {
            return Err(failure);
        }
        Ok(Identity {
            name: format!("@{handle}"),
            url: Some(format!("https://bsky.app/profile/{did}")),
            notes: vec![format!(
                "posts go to {} as `{did}`",
                server.origin().ascii_serialization()
            )],
        })
    }

    fn upload_time(&self, draft: &Draft) -> Duration {
        let files = extras::files(draft).into_iter();
        // each of them twice: a server that has lost one is given it once more
        files.map(|file| xrpc::upload_time(file.bytes, self.timeout) * 2).sum()
    }

    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome {
        match self.put(draft, desk).await {
            Ok(receipt) => Outcome::Published(receipt),
            Err(Halt::Failed(failure)) => Outcome::Failed(failure),
            Err(Halt::Wait { wait, why }) => Outcome::Wait { wait, why },
        }
    }

    async fn find(&self, draft: &Draft, desk: &Desk<'_>) -> Found {
        self.seek(draft, desk).await.unwrap_or_else(Found::Unknown)
    }
}
