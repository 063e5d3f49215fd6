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
use crate::crosspost::Failure;
use crate::draft::Draft;
use crate::platform::{Limits, MediaLimits, Platform};
use crate::publish::meta::{Graph, rest, token};
use crate::publish::{Desk, Found, Identity, Outcome, Publisher};

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
    access_token: Secret,
    /// What a pause of a second within an attempt lasts.
    second: Duration,
}

impl Threads {
    /// The account of `access_token`, over `http`, which follows no redirect. With `base_url` every
    /// request goes to that origin; without, to Meta's own.
    pub fn new(
        access_token: Secret,
        api_version: impl Into<String>,
        base_url: Option<Url>,
        http: Client,
    ) -> Self {
        let graph = Graph::new(Platform::Threads, api_version, base_url, http);
        Self { graph, access_token, second: Duration::from_secs(1) }
    }

    /// The same account in a hurry: what would be a pause of a second within an attempt lasts
    /// `second`. For servers that are nearer than Meta's.
    pub fn hurried(self, second: Duration) -> Self {
        Self { second, ..self }
    }

    async fn session<'a>(&'a self, desk: &'a Desk<'a>) -> Result<Session<'a>, Failure> {
        let token = token::current(desk, &self.access_token).await?;
        Ok(Session { graph: &self.graph, desk, token, second: self.second })
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
            advance::advance(&self.session(desk).await?, draft).await
        };
        published.await.unwrap_or_else(Outcome::Failed)
    }

    async fn find(&self, _draft: &Draft, desk: &Desk<'_>) -> Found {
        let found = async { seek::seek(&self.session(desk).await?).await };
        found.await.unwrap_or_else(Found::Unknown)
    }
}
