//! Error: why a feed could not be had, in words for its owner.
//!
//! **Invariant:** no message holds a query, a user, a password or a byte of a body.

use std::time::Duration;

use url::Url;

use crate::clock::Timestamp;
use crate::feed::cadence::Outcome;
use crate::http::{self, BodyError, body::DecodeError};

/// A feed that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("failed to fetch `{}`: {cause}", http::shown(url))]
pub struct FetchError {
    /// The URL that failed: the last hop of the chain.
    pub url: Url,
    /// Why.
    pub cause: Cause,
    /// `Retry-After` of the answer, on whatever status it came; not clamped.
    pub retry_after: Option<Timestamp>,
}

impl FetchError {
    /// What this means for the next poll.
    pub fn outcome(&self) -> Outcome {
        match self.cause {
            Cause::Gone => Outcome::Gone,
            Cause::Status(429) => Outcome::Limited,
            _ => Outcome::Failed,
        }
    }
}

/// Why a feed could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// 410 from the URL that was asked, or from where it points permanently: stop asking.
    #[error("the server says that it is gone for good (410)")]
    Gone,
    /// Any other status that is no success. A 410 behind a temporary redirect is one of them.
    #[error("the server answers {}", status_text(*.0))]
    Status(u16),
    /// A redirect that doesn't say where to.
    #[error("the server answers {} without saying where to", status_text(*.0))]
    NoLocation(u16),
    /// A redirect to something that is no URL.
    #[error("the server redirects to something that is no URL")]
    BadLocation,
    /// A redirect to a place of this chain.
    #[error("the server redirects in a circle")]
    Circle,
    /// More than [`super::REDIRECTS_MAX`].
    #[error("the server redirects more than {} times", super::REDIRECTS_MAX)]
    TooManyRedirects,
    /// Only http, https and (from the owner) file are asked.
    #[error("`{0}:` is not fetched, want http, https or file")]
    Scheme(String),
    /// The whole chain took too long.
    #[error("it took longer than {}", humantime::format_duration(*.0))]
    TimedOut(Duration),
    /// Name, connection, TLS or framing; also a body shorter than its `Content-Length`.
    #[error("{0}")]
    Network(String),
    /// More bytes than the limit, on the wire or decompressed.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// More bytes of headers than the limit.
    #[error("the headers are larger than {0} bytes")]
    HeadersTooLarge(usize),
    /// A body whose content coding can't be undone.
    #[error(transparent)]
    Coding(DecodeError),
    /// The decoder gave up in the worst way.
    #[error("the body broke its decoder")]
    DecoderPanicked,
    /// Nothing, or nothing but white space.
    #[error("the body is empty")]
    Empty,
    /// A `file:` URL that can't be read.
    #[error("{0}")]
    File(String),
}

fn status_text(status: u16) -> String {
    let reason = reqwest::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
    reason.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"))
}

impl From<reqwest::Error> for Cause {
    fn from(error: reqwest::Error) -> Self {
        Self::Network(http::explain(&error))
    }
}

impl From<BodyError> for Cause {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(bytes_max) => Self::TooLarge(bytes_max),
            BodyError::Broken(error) => error.into(),
        }
    }
}

impl From<DecodeError> for Cause {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooLarge(bytes_max) => Self::TooLarge(bytes_max),
            error => Self::Coding(error),
        }
    }
}
