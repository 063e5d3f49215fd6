//! Seek: what the search for a post has in common, whose publication got no usable answer.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure, Receipt};
use crate::publish::Found;

/// How often a post is looked for before it counts that it is not there.
pub const LOOKS: u32 = 3;
/// The least time over which that is.
pub const LOOKS_TIME: Duration = Duration::from_secs(120);
/// The time between two of them.
pub const LOOKS_PAUSE: Duration = Duration::from_secs(60);
/// How soon a post that is published and not listed is looked for again.
pub const UNLISTED_PAUSE: Duration = Duration::from_secs(20);
/// How much earlier than its publication a post of ours may be dated, by the platform's clock.
pub const EARLIER: Duration = Duration::from_secs(60);

/// What a list says.
#[derive(Debug, PartialEq, Eq)]
pub enum Match {
    /// It is there.
    Same(Receipt),
    /// Something is there that could be it.
    Alike(String),
    /// Nothing like it is there.
    None,
}

/// Asked too early: that is no answer, and no failure.
pub fn later(at: Timestamp, why: impl Into<String>) -> Found {
    let class = Class::Retry { not_before: Some(at) };
    Found::Unknown(Failure { class, message: why.into() })
}
