//! Container: what a post is on Threads and Instagram before it is public.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::graph::{Ask, Graph, Refusal};
use super::usage::Usage;
use super::{Phase, params};
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::Class;
use crate::publish::Desk;

/// How long one is used: they last 24 hours, and an hour before that they are given up.
pub const LIFETIME: Duration = Duration::from_secs(23 * 3600);
/// Without a clock of theirs, how far ours may be wrong.
pub const CLOCK_DOUBT: Duration = Duration::from_secs(3600);
/// An attempt makes, or looks at, no further part of a carousel after this.
pub const PARTS_TIME: Duration = Duration::from_secs(120);
/// The most pauses within one attempt, together: longer ones are waits between two.
pub const PAUSES_MAX: Duration = Duration::from_secs(10);
/// One that is not there is lost when it was so for so many looks.
pub const UNSEEN_MAX: u32 = 3;

/// The id of a container. Never that of a post: asking one for the other's fields is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContainerId(pub String);

/// The id of a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaId(pub String);

/// A container that was looked at.
#[derive(Clone, Debug)]
pub struct Look<S> {
    /// How it is.
    pub status: S,
    /// What time it is over there.
    pub date: Option<Timestamp>,
    /// How much of the allowance is used.
    pub usage: Usage,
}

impl<S> Look<S> {
    /// One that was not there, in the platform's word for that.
    pub fn missing(status: S) -> Self {
        Self { status, date: None, usage: Usage::default() }
    }
}

/// The calls that make a post of a container.
#[derive(Clone, Copy)]
pub struct Calls<'a> {
    /// The API.
    pub graph: &'a Graph,
    /// What is at hand.
    pub desk: &'a Desk<'a>,
    /// The token.
    pub token: &'a Secret,
    /// What a pause of a second lasts.
    pub second: Duration,
}

impl Calls<'_> {
    /// Makes a container at `path`, which nobody sees. A lost answer costs no post: the next one is
    /// another.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create(
        &self,
        path: &str,
        params: &[params::Param],
    ) -> Result<ContainerId, Refusal> {
        let params = params::borrowed(params);
        let ask = Ask {
            token: Some(self.token),
            ..Ask::write(Phase::Create, "make the container", path, &params)
        };
        self.graph.ask_for(self.desk, &ask, "id").await.map(ContainerId)
    }

    /// Publishes a container at `path`. The one call that can't be taken back.
    ///
    /// # Errors
    /// The refusal.
    pub async fn publish(&self, path: &str, id: &ContainerId) -> Result<MediaId, Refusal> {
        let params = [("creation_id", id.0.as_str())];
        let ask =
            Ask { token: Some(self.token), ..Ask::write(Phase::Publish, "publish", path, &params) };
        self.graph.ask_for(self.desk, &ask, "id").await.map(MediaId)
    }

    /// The page of a post, if it can be had: just after the publication it may not be there yet,
    /// which is no reason to doubt the post.
    pub async fn permalink(&self, id: &MediaId) -> Option<String> {
        const TRIES: u32 = 2;
        let path = format!("/{}", id.0);
        let params = [("fields", "permalink")];
        let ask = Ask {
            token: Some(self.token),
            ..Ask::read("ask for the page of the post", &path, &params)
        };
        for tried in 0..TRIES {
            if tried > 0 {
                self.pause(Duration::from_secs(2)).await;
            }
            if let Ok(page) = self.graph.ask_for(self.desk, &ask, "permalink").await {
                return Some(page);
            }
        }
        None
    }

    /// Waits for so long, within an attempt.
    pub async fn pause(&self, long: Duration) {
        let seconds = u32::try_from(long.as_secs()).unwrap_or(u32::MAX);
        let now = self.desk.clock.now();
        self.desk.clock.sleep_until(now.plus(self.second * seconds), Duration::MAX).await;
    }
}

/// Whether a refusal leaves open what became of the publication.
pub fn is_open(refusal: &Refusal) -> bool {
    matches!(refusal.failure.class, Class::Ambiguous | Class::Duplicate)
}
