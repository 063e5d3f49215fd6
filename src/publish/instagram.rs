//! Instagram: drafts to posts, reels and stories of a professional account ("Instagram Login").
//!
//! A post is made in two steps: a container, which nobody sees and which takes its time, and its
//! publication. So there is something to ask about when an answer is lost: the container says
//! whether it was published, and the list of the account's posts shows as what (of a story only the
//! container tells). **Invariant:** a container's id is committed before anything is done with it,
//! and a mark that its publication begins before that begins; no second container is made while the
//! fate of the first one is open. **Refuses:** to post without a picture or a video; to make
//! containers in a loop, of which a day has 400.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Client;
use url::Url;

use crate::config::Secret;
use crate::crosspost::Failure;
use crate::draft::{Channel, Draft};
use crate::platform::{Limits, MediaLimits, Platform};
use crate::publish::meta::token::App;
use crate::publish::meta::{Account, Graph, rest};
use crate::publish::{Desk, Found, Identity, Outcome, Publisher, Renewal};

mod advance; // from a draft to a post
mod owner; // who the account is, and its quotas
mod post; // what a container is made of
mod seek; // what became of an attempt
mod session; // the calls
mod work; // the journal

use session::Session;

/// One Instagram account.
pub struct Instagram {
    account: Account,
    /// As configured; absent: it is asked for, and remembered.
    user_id: Option<String>,
    /// What a pause of a second within an attempt lasts.
    second: Duration,
}

impl Instagram {
    /// The account of `access_token` (or of the token that `login` keeps), over `http`, which follows
    /// no redirect. With `base_url` every request goes to that origin; without, to Meta's own.
    pub fn new(
        access_token: impl Into<Option<Secret>>,
        user_id: Option<String>,
        api_version: impl Into<String>,
        base_url: Option<Url>,
        http: Client,
    ) -> Self {
        let graph = Graph::new(Platform::Instagram, api_version, base_url, http);
        let account = Account::new(graph, access_token.into());
        Self { account, user_id, second: Duration::from_secs(1) }
    }

    /// The same account, with the app that its token is from.
    pub fn with_app(self, app: Option<App>) -> Self {
        Self { account: self.account.with_app(app), ..self }
    }

    /// The same account in a hurry: what would be a pause of a second within an attempt lasts
    /// `second`. For servers that are nearer than Meta's.
    pub fn hurried(self, second: Duration) -> Self {
        Self { second, ..self }
    }

    async fn session<'a>(&'a self, desk: &'a Desk<'a>) -> Result<Session<'a>, Failure> {
        let token = self.account.token(desk).await?;
        let user_id = self.user_id.as_deref();
        Ok(Session { graph: &self.account.graph, desk, token, user_id, second: self.second })
    }
}

#[async_trait]
impl Publisher for Instagram {
    async fn limits(&self, _desk: &Desk<'_>) -> Limits {
        Platform::Instagram.limits()
    }

    async fn media_limits(&self, _desk: &Desk<'_>) -> MediaLimits {
        Platform::Instagram.media()
    }

    async fn verify(&self, desk: &Desk<'_>) -> Result<Identity, Failure> {
        owner::verify(&self.session(desk).await?).await
    }

    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome {
        let published = async {
            rest::may_post(desk).await?;
            let session = self.session(desk).await?;
            let outcome = advance::advance(&session, draft).await;
            Ok(self.account.outcome(desk, &session.token, outcome).await)
        };
        published.await.unwrap_or_else(Outcome::Failed)
    }

    async fn find(&self, _draft: &Draft, desk: &Desk<'_>) -> Found {
        match self.session(desk).await {
            Ok(session) => {
                let found = seek::seek(&session).await;
                self.account.found(desk, &session.token, found).await
            }
            Err(failure) => Found::Unknown(failure),
        }
    }

    async fn page(&self, remote_id: &str, draft: &Draft, desk: &Desk<'_>) -> Option<String> {
        // a story's page dies with it
        if draft.channel == Channel::Story {
            return None;
        }
        let session = self.session(desk).await.ok()?;
        seek::page(&session, remote_id).await
    }

    async fn renew(&self, desk: &Desk<'_>) -> Result<Renewal, Failure> {
        self.account.renew(desk).await
    }
}
