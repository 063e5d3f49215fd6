//! When: what is remembered of a feed between two polls, and when the next one is. Pure.

use std::time::Duration;

use url::Url;

use crate::clock::Timestamp;
use crate::config::FeedConfig;
use crate::feed::cadence::{self, Attempt, Outcome};
use crate::feed::fetch;
use crate::feed::moved::Moved;
use crate::store::feeds::{Feed, Validators};

/// What an answer says about the next poll, and about redirects.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Where permanent redirects lead.
    pub permanent: Option<Url>,
    /// For how long the answer is fresh.
    pub fresh_for: Option<Duration>,
    /// Not before that.
    pub retry_after: Option<Timestamp>,
}

/// What is remembered of a feed's permanent redirects.
pub fn moved_of(feed: &Feed) -> Moved {
    feed.moved.as_deref().and_then(|moved| serde_json::from_str(moved).ok()).unwrap_or_default()
}

/// Whether the next request can be conditional.
pub fn has_validators(feed: &Feed) -> bool {
    feed.validators != Validators::default()
}

/// What makes the next request conditional, as `feed::fetch` has it.
pub fn fetch_validators(feed: &Feed) -> Option<fetch::Validators> {
    let Validators { url, etag, last_modified } = feed.validators.clone();
    url.map(|url| fetch::Validators { url, etag, last_modified })
}

/// The same, as the store has it.
pub fn stored_validators(validators: fetch::Validators) -> Validators {
    let fetch::Validators { url, etag, last_modified } = validators;
    Validators { url: Some(url), etag, last_modified }
}

/// When a feed is due again after an attempt.
pub fn next_poll(
    feed: &Feed,
    config: &FeedConfig,
    outcome: Outcome,
    conditional: bool,
    ttl_s: Option<i64>,
    hints: &Hints,
    now: Timestamp,
) -> Option<Timestamp> {
    let attempt = Attempt {
        at: now,
        outcome,
        errors: feed.errors + 1,
        conditional: conditional || config.url.scheme() == "file",
        fresh_for: hints.fresh_for,
        ttl: ttl_s.and_then(|ttl| u64::try_from(ttl).ok()).map(Duration::from_secs),
        retry_after: hints.retry_after,
        seed: cadence::seed(&config.url),
    };
    cadence::next_poll(&config.cadence, &attempt)
}
