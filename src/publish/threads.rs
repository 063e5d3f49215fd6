//! Threads: drafts to posts of a Threads account.
//!
//! A post is made in two steps: a container, which nobody sees, and its publication. So there is
//! something to ask about when an answer is lost: the container says whether it was published, and
//! the list of the account's posts shows as what. **Invariant:** a container's id is committed
//! before anything is done with it, and a mark that its publication begins before that begins; no
//! second container is made while the fate of the first one is open. **Refuses:** to let Threads
//! publish a container by itself (`auto_publish_text`), because then a lost answer leaves nothing to
//! ask about.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use url::Url;

use crate::config::Secret;
use crate::crosspost::{Class, Failure};
use crate::draft::Draft;
use crate::platform::{Limits, MediaLimits, Platform};
use crate::publish::meta::token::App;
use crate::publish::meta::{Graph, renew, rest, token};
use crate::publish::{Desk, Found, Identity, Outcome, Publisher, Renewal};

mod advance; // from a draft to a post
mod owner; // who the account is, and its quota
mod post; // what a container is made of
mod seek; // what became of an attempt
mod session; // the calls
mod work; // the journal

use session::Session;

/// One Threads account.
pub struct Threads {
    graph: Graph,
    /// Absent where only `login` gives one.
    access_token: Option<Secret>,
    app: Option<App>,
    /// What a pause of a second within an attempt lasts.
    second: Duration,
}

impl Threads {
    /// The account of `access_token` (or of the token that `login` keeps), over `http`, which follows no redirect. With `base_url` every
    /// request goes to that origin; without, to Meta's own.
    pub fn new(
        access_token: impl Into<Option<Secret>>,
        api_version: impl Into<String>,
        base_url: Option<Url>,
        http: Client,
    ) -> Self {
        let graph = Graph::new(Platform::Threads, api_version, base_url, http);
        let access_token = access_token.into();
        Self { graph, access_token, app: None, second: Duration::from_secs(1) }
    }

    /// The same account, with the app that its token is from: in its name it can be asked about.
    pub fn with_app(self, app: Option<App>) -> Self {
        Self { app, ..self }
    }

    /// The same account in a hurry: what would be a pause of a second within an attempt lasts
    /// `second`. For servers that are nearer than Meta's.
    pub fn hurried(self, second: Duration) -> Self {
        Self { second, ..self }
    }

    async fn session<'a>(&'a self, desk: &'a Desk<'a>) -> Result<Session<'a>, Failure> {
        let token = token::current(desk, self.access_token.as_ref()).await?;
        let token = token.ok_or_else(|| renew::none(Platform::Threads))?;
        Ok(Session { graph: &self.graph, desk, token, second: self.second })
    }

    /// A refusal as it concerns the token of now. Whether a renewal ends the token of before is not
    /// known; one that was refused after it had been replaced says nothing of the new one.
    async fn of_now(&self, session: &Session<'_>, failure: Failure) -> Failure {
        let is_account = matches!(failure.class, Class::Account { until: None, .. });
        match token::current(session.desk, self.access_token.as_ref()).await {
            Ok(Some(token)) if is_account && token != session.token => {
                Failure::retry(failure.message)
            }
            _ => failure,
        }
    }
}

#[async_trait]
impl Publisher for Threads {
    async fn limits(&self, _desk: &Desk<'_>) -> Limits {
        Platform::Threads.limits()
    }

    async fn media_limits(&self, _desk: &Desk<'_>) -> MediaLimits {
        Platform::Threads.media()
    }

    async fn verify(&self, desk: &Desk<'_>) -> Result<Identity, Failure> {
        owner::verify(&self.session(desk).await?).await
    }

    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome {
        let published = async {
            rest::may_post(desk).await?;
            let session = self.session(desk).await?;
            let outcome = advance::advance(&session, draft).await.unwrap_or_else(Outcome::Failed);
            Ok(match outcome {
                Outcome::Failed(failure) => Outcome::Failed(self.of_now(&session, failure).await),
                other => other,
            })
        };
        published.await.unwrap_or_else(Outcome::Failed)
    }

    async fn find(&self, _draft: &Draft, desk: &Desk<'_>) -> Found {
        let found = async {
            let session = self.session(desk).await?;
            match seek::seek(&session).await {
                Ok(Found::Unknown(failure)) | Err(failure) => {
                    Err(self.of_now(&session, failure).await)
                }
                found => found,
            }
        };
        found.await.unwrap_or_else(Found::Unknown)
    }

    async fn page(&self, remote_id: &str, _draft: &Draft, desk: &Desk<'_>) -> Option<String> {
        let session = self.session(desk).await.ok()?;
        session.permalink(&work::MediaId(remote_id.to_owned())).await
    }

    async fn renew(&self, desk: &Desk<'_>) -> Result<Renewal, Failure> {
        renew::renew(&self.graph, desk, self.access_token.as_ref(), self.app.as_ref()).await
    }
}
