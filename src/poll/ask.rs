//! Ask: one request for a feed, and what its answer says, before anything is recorded.
//!
//! **Refuses:** to take an answer for a feed that is none: HTML, an empty or cut document, and one
//! without entries where there were some are failures.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::when::{Hints, fetch_validators, stored_validators};
use super::{POLLS_PER_HOST, Poller};
use crate::config::FeedConfig;
use crate::entry::Problem;
use crate::feed::cadence::Outcome;
use crate::feed::diff::{self, Document};
use crate::feed::fetch::{self, Answer, Ask, Body, Fetched};
use crate::feed::moved::Moved;
use crate::feed::parse::{self, Hint};
use crate::http;
use crate::store::entries;
use crate::store::feeds::{Contents, Feed, Validators};

/// What came of asking for a feed, before it is recorded.
pub enum Found {
    /// The same document, perhaps with newer validators.
    Unchanged(Option<Validators>),
    /// Another document.
    Changed { document: Document, contents: Contents, problems: Vec<Problem> },
    /// No usable answer.
    Failed { message: String, outcome: Outcome },
}

impl Poller {
    /// Fetches and parses.
    pub(super) async fn ask(
        &self,
        feed: &Feed,
        config: &FeedConfig,
        moved: &Moved,
        at_host: SemaphorePermit<'_>,
    ) -> (Found, Hints) {
        let validators = fetch_validators(feed);
        let ask = Ask {
            moved_to: moved.to.as_ref(),
            validators: validators.as_ref(),
            ..Ask::new(&config.url)
        };
        let fetched = fetch::fetch(&self.http, &ask, self.clock.now()).await;
        drop(at_host);
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(error) => {
                let hints =
                    Hints { permanent: None, fresh_for: None, retry_after: error.retry_after };
                let outcome = error.outcome();
                return (Found::Failed { message: error.to_string(), outcome }, hints);
            }
        };
        let Fetched { answer, url, permanent, fresh_for, retry_after } = fetched;
        let hints = Hints { permanent, fresh_for, retry_after };
        let found = match answer {
            Answer::Unchanged(validators) => Found::Unchanged(Some(stored_validators(validators))),
            Answer::Body(body) if feed.body_hash.as_deref() == Some(&body.sha256) => {
                Found::Unchanged(body.validators.map(stored_validators))
            }
            Answer::Body(body) => self.parse(feed, body, url).await,
        };
        (found, hints)
    }

    /// Parses a body on a thread of its own; an answer that is no usable feed is a failure.
    async fn parse(&self, feed: &Feed, body: Body, url: Url) -> Found {
        let _turn = self.turns.parses.acquire().await.expect("never closed");
        let Body { bytes, sha256, content_type, validators } = body;
        let shown = http::shown(&url).to_string();
        let parsed = tokio::task::spawn_blocking(move || {
            let hint = Hint { url: &url, content_type: content_type.as_deref() };
            let mut parsed = parse::parse(&bytes, &hint)?;
            // here, and not while other polls wait for the database
            let seen = std::mem::take(&mut parsed.entries).into_iter().map(diff::see).collect();
            let document = Document { seen, home_url: parsed.home_url.take() };
            Ok::<_, parse::ParseError>((parsed, document))
        })
        .await
        .expect("the parser catches its panics");
        let failed = |message| Found::Failed { message, outcome: Outcome::Failed };
        let (parsed, document) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return failed(format!("`{shown}` is no usable feed: {error}")),
        };
        if document.seen.is_empty() {
            let id = feed.id;
            match self.store.read(move |db| entries::any(db, id)).await {
                Ok(false) => {}
                Ok(true) => return failed(format!("`{shown}` has no entries any more")),
                Err(error) => return failed(error.to_string()),
            }
        }
        let contents = Contents {
            title: parsed.title,
            validators: validators.map(stored_validators).unwrap_or_default(),
            body_hash: sha256.to_vec(),
            ttl_s: parsed.ttl.and_then(|ttl| i64::try_from(ttl.as_secs()).ok()),
        };
        Found::Changed { document, contents, problems: parsed.problems }
    }

    /// The turns of the host of `url`.
    pub(super) fn host_of(&self, url: &Url) -> Arc<Semaphore> {
        let mut hosts = self.turns.hosts.lock().expect("no code panics while it holds the lock");
        if hosts.len() > 4096 {
            hosts.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Arc::clone(hosts.entry(host).or_insert_with(|| Arc::new(Semaphore::new(POLLS_PER_HOST))))
    }
}
