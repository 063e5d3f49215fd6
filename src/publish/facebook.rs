//! Facebook: drafts to posts of a Page.
//!
//! One call makes a post, and nothing is left in the hand when its answer is lost: neither a key
//! nor a container. What remains is the list of the Page's posts, which is looked through for the
//! words, the link and the time of ours; what is not found there goes out once more, and then a
//! person is asked. A video that was taken is worked on for a while, and is looked after until it can
//! be seen. **Invariant:** a mark that a public call begins is committed before it; photos that
//! nobody sees yet are committed before the post that shows them. **Refuses:** to send a post
//! a third time because two answers were lost; to adopt a post that is older than ours can be.

use async_trait::async_trait;
use reqwest::Client;
use url::Url;

use crate::config::Secret;
use crate::crosspost::Failure;
use crate::draft::Draft;
use crate::platform::{Limits, MediaLimits, Platform};
use crate::publish::meta::{Account, Graph, rest};
use crate::publish::{Desk, Found, Identity, Outcome, Publisher, Renewal};

mod advance; // from a draft to a post
mod page; // which Page it is, and what its token may do
mod post; // what a post is made of
mod seek; // what became of an attempt
mod session; // the calls
mod video; // what becomes of a video that was taken
mod work; // the journal

use session::Session;

/// One Facebook Page.
pub struct Facebook {
    account: Account,
    page_id: String,
}

impl Facebook {
    /// The Page with that number, over `http`, which follows no redirect. With `base_url` every
    /// request goes to that origin; without, to Meta's own.
    pub fn new(
        page_id: impl Into<String>,
        page_access_token: impl Into<Option<Secret>>,
        api_version: impl Into<String>,
        base_url: Option<Url>,
        http: Client,
    ) -> Self {
        let graph = Graph::new(Platform::Facebook, api_version, base_url, http);
        let account = Account::new(graph, page_access_token.into());
        Self { account, page_id: page_id.into() }
    }

    async fn session<'a>(&'a self, desk: &'a Desk<'a>) -> Result<Session<'a>, Failure> {
        let token = self.account.token(desk).await?;
        Ok(Session { graph: &self.account.graph, desk, token, page_id: &self.page_id })
    }
}

#[async_trait]
impl Publisher for Facebook {
    async fn limits(&self, _desk: &Desk<'_>) -> Limits {
        Platform::Facebook.limits()
    }

    async fn media_limits(&self, _desk: &Desk<'_>) -> MediaLimits {
        Platform::Facebook.media()
    }

    async fn verify(&self, desk: &Desk<'_>) -> Result<Identity, Failure> {
        page::verify(&self.session(desk).await?).await
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

    async fn renew(&self, desk: &Desk<'_>) -> Result<Renewal, Failure> {
        self.account.renew(desk).await
    }
}
