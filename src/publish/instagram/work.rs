//! Work: what one crosspost has made on Instagram so far, as its journal keeps it.
//!
//! **Invariant:** containers belong to the very post that they were made for, and to the account
//! that made them; while a publication is open, they stay.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::post::{Kind, Post};
use crate::clock::Timestamp;
use crate::crosspost::Failure;
use crate::publish::meta::container::{ContainerId, MediaId};
use crate::publish::meta::work;
use crate::publish::{Desk, NotebookError};

/// Where the note stands in the journal.
const PLACE: &str = "instagram.work";

/// Everything that a crosspost remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// The post that the containers are made for.
    pub post: String,
    /// The account that makes them.
    pub user: String,
    /// What it is.
    pub kind: Kind,
    /// Its caption, to find it by.
    pub caption: String,
    /// The link in its caption, likewise.
    pub link: Option<String>,
    /// The parts of a carousel, by their place in it.
    pub parts: BTreeMap<usize, Container>,
    /// What is published.
    pub container: Option<Container>,
    /// How many containers failed or got lost.
    pub lost: u32,
    /// The publication, from before it begins until it is known to have done nothing.
    pub publication: Option<Publication>,
    /// When, by Instagram's clock, the first publication of all began whose fate was open.
    pub doubt_since: Option<Timestamp>,
    /// What it became.
    pub media: Option<MediaId>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its id.
    pub id: ContainerId,
    /// When it was made, by our clock.
    pub made_at: Timestamp,
    /// How often it was looked at and not finished.
    #[serde(default)]
    pub polls: u32,
    /// How often it was looked at and not there.
    #[serde(default)]
    pub unseen: u32,
    /// Whether it was seen to be finished.
    #[serde(default)]
    pub is_finished: bool,
    /// How often its publication was refused because it is not ready.
    #[serde(default)]
    pub refused: u32,
    /// How often its publication began, its answer was lost, and nothing was found of it: from
    /// then on a refusal proves nothing.
    #[serde(default)]
    pub doubts: u32,
}

/// A publication that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Before this, by Instagram's clock, it can't have come to pass.
    pub since: Timestamp,
    /// How often it was looked for in vain.
    #[serde(default)]
    pub looks: u32,
    /// When it first was.
    #[serde(default)]
    pub first_look: Option<Timestamp>,
    /// Whether Instagram was asked what became of it. Who then goes on without an answer is a
    /// person.
    #[serde(default)]
    pub is_asked: bool,
}

impl Work {
    /// What the journal holds.
    ///
    /// # Errors
    /// `Retry` where it can't be read; `Ambiguous` where it makes no sense.
    pub async fn read(desk: &Desk<'_>) -> Result<Option<Self>, Failure> {
        work::read(desk, PLACE).await
    }

    /// The work on `post` by `user`: the one of before where it is the same, else a new one. Not
    /// for work that is open.
    ///
    /// # Errors
    /// As [`Work::read`].
    pub async fn on(desk: &Desk<'_>, post: &Post, user: &str) -> Result<Self, Failure> {
        match Self::read(desk).await? {
            Some(work) if work.post == post.fingerprint() && work.user == user => Ok(work),
            before => {
                let doubt_since = before.and_then(|work| work.doubt_since);
                Ok(Self { doubt_since, ..Self::new(post, user) })
            }
        }
    }

    /// The same post from the start, because a person said so. What was in doubt stays known.
    pub fn anew(self, post: &Post, user: &str) -> Self {
        let open = self.publication.map(|publication| publication.since);
        let doubt_since = self.doubt_since.into_iter().chain(open).min();
        Self { doubt_since, ..Self::new(post, user) }
    }

    fn new(post: &Post, user: &str) -> Self {
        Self {
            post: post.fingerprint(),
            user: user.to_owned(),
            kind: post.kind,
            caption: post.caption.clone(),
            link: post.link.clone(),
            ..Self::default()
        }
    }

    /// Commits it.
    ///
    /// # Errors
    /// It could not be committed: whatever depends on it must not be done.
    pub async fn commit(&self, desk: &Desk<'_>) -> Result<(), NotebookError> {
        work::commit(desk, PLACE, self).await
    }

    /// Drops all containers: others will be made.
    pub fn drop_containers(&mut self) {
        self.parts.clear();
        self.container = None;
        self.publication = None;
    }

    /// All containers.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.parts.values().chain(&self.container)
    }

    /// Notes, before the publication begins, that it does.
    pub fn begin(&mut self, since: Timestamp) {
        self.publication = Some(Publication { since, looks: 0, first_look: None, is_asked: false });
    }

    /// Gives up the publication, which was looked for in vain: the same container may be published
    /// again, if it is kept.
    pub fn doubt(&mut self) {
        let open = self.publication.take().map(|publication| publication.since);
        self.doubt_since = self.doubt_since.into_iter().chain(open).min();
        if let Some(container) = &mut self.container {
            container.doubts += 1;
        }
    }
}

impl Container {
    /// One that was made just now.
    pub const fn new(id: ContainerId, now: Timestamp) -> Self {
        Self { id, made_at: now, polls: 0, unseen: 0, is_finished: false, refused: 0, doubts: 0 }
    }

    /// How long to wait before it is looked at again, after so many looks: 2, 3, 5, 10, 15, 30
    /// seconds, then a minute; after an hour more and more seldom.
    pub fn pause(&self, now: Timestamp) -> Duration {
        const FIRST: [u64; 6] = [2, 3, 5, 10, 15, 30];
        let seconds = match FIRST.get(self.polls as usize) {
            Some(seconds) => *seconds,
            None => match now.since(self.made_at).as_secs() / 60 {
                0..60 => 60,
                60..240 => 5 * 60,
                _ => 15 * 60,
            },
        };
        Duration::from_secs(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::meta::container::LIFETIME;

    #[test]
    fn a_container_is_looked_at_as_often_as_the_documents_say() {
        let made = Timestamp::from_secs(1_800_000_000);
        let mut container = Container::new(ContainerId("1".into()), made);
        let (mut now, mut waits) = (made, Vec::new());
        while now.since(made) < LIFETIME {
            let wait = container.pause(now);
            now = now.plus(wait);
            container.polls += 1;
            waits.push(wait.as_secs());
        }
        assert_eq!(waits[..8], [2, 3, 5, 10, 15, 30, 60, 60]);
        assert!(waits[8..].is_sorted(), "{waits:?}");
        assert!(waits.len() < 200, "{} looks in 23 hours", waits.len());
    }

    #[test]
    fn the_first_moment_of_a_doubt_is_kept() {
        let at = Timestamp::from_secs;
        let mut work = Work::default();
        work.begin(at(10));
        work.doubt();
        work.begin(at(20));
        work.doubt();
        assert_eq!((work.publication, work.doubt_since), (None, Some(at(10))));
    }
}
