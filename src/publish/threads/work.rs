//! Work: what one crosspost has made on Threads so far, as its journal keeps it.
//!
//! **Invariant:** containers belong to the very post that they were made for, and to the account
//! that made them; while a publication is open, they stay.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::post::Post;
use crate::clock::Timestamp;
use crate::crosspost::Failure;
use crate::publish::meta::container::ContainerId;
use crate::publish::meta::work;
use crate::publish::{Desk, NotebookError};

/// Where the note stands in the journal.
const PLACE: &str = "threads.work";

/// Everything that a crosspost remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// The post that the containers are made for.
    pub post: String,
    /// The account that makes them: Threads' own id of it.
    pub user: String,
    /// Its text, to find it by.
    pub text: String,
    /// The link of its card, likewise.
    pub link: Option<String>,
    /// Its kind, likewise.
    pub kind: String,
    /// The parts of a carousel.
    pub parts: Vec<Container>,
    /// What is published.
    pub container: Option<Container>,
    /// How many containers were lost, or failed without a reason.
    pub lost: u32,
    /// Whether it goes without its topic, because that was refused.
    pub is_bare: bool,
    /// The publication, from before it begins until it is known to have done nothing.
    pub publication: Option<Publication>,
    /// When, by Threads' clock, the first publication of all began whose fate was open.
    pub doubt_since: Option<Timestamp>,
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
    /// How often its publication was refused because it is not there.
    #[serde(default)]
    pub refused: u32,
}

/// A publication that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Before this, by Threads' clock, it can't have come to pass.
    pub since: Timestamp,
    /// When the container was seen to be unpublished after it.
    #[serde(default)]
    pub unpublished_at: Option<Timestamp>,
    /// Whether the container was seen to be published.
    #[serde(default)]
    pub is_published: bool,
    /// Whether a later try was refused for good: the container will not become a post any more.
    #[serde(default)]
    pub is_refused: bool,
    /// Whether a person has said that it did not come to pass.
    #[serde(default)]
    pub is_released: bool,
    /// How often the list was looked through in vain.
    #[serde(default)]
    pub looks: u32,
    /// When it first was.
    #[serde(default)]
    pub first_look: Option<Timestamp>,
}

impl Work {
    /// What the journal holds.
    ///
    /// # Errors
    /// `Retry` where it can't be read; `Ambiguous` where it makes no sense.
    pub async fn read(desk: &Desk<'_>) -> Result<Option<Self>, Failure> {
        work::read(desk, PLACE).await
    }

    /// The work on `post` by `user`: the one of before where it is the same, else a new one. Not to
    /// be asked while a publication is open.
    ///
    /// # Errors
    /// As [`Work::read`].
    pub async fn on(desk: &Desk<'_>, post: &Post, user: &str) -> Result<Self, Failure> {
        let fingerprint = post.fingerprint();
        let before = Self::read(desk).await?;
        let is_same = |work: &Self| work.post == fingerprint && work.user == user;
        match before {
            Some(work) if is_same(&work) => Ok(work),
            before => Ok(Self {
                post: fingerprint,
                user: user.to_owned(),
                text: post.text.clone(),
                link: post.link.clone(),
                kind: post.kind.to_owned(),
                lost: before.as_ref().map_or(0, |work| work.lost),
                doubt_since: before.as_ref().and_then(|work| work.doubt_since),
                ..Self::default()
            }),
        }
    }

    /// Commits it.
    ///
    /// # Errors
    /// It could not be committed: whatever depends on it must not be done.
    pub async fn commit(&self, desk: &Desk<'_>) -> Result<(), NotebookError> {
        work::commit(desk, PLACE, self).await
    }

    /// Drops the containers: others will be made.
    pub fn drop_containers(&mut self) {
        self.parts.clear();
        self.container = None;
        self.publication = None;
    }

    /// The oldest container.
    pub fn oldest(&self) -> Option<&Container> {
        self.parts.iter().chain(&self.container).min_by_key(|container| container.made_at)
    }

    /// Notes, before the publication begins, that it does.
    pub fn begin(&mut self, since: Timestamp) {
        let before = self.publication.take();
        let since = before.map_or(since, |before| before.since.min(since));
        self.publication = Some(Publication {
            since,
            unpublished_at: None,
            is_published: false,
            is_refused: false,
            // whoever spoke of an earlier request did not speak of this one
            is_released: false,
            looks: 0,
            first_look: None,
        });
    }
}

impl Container {
    /// One that was made just now.
    pub const fn new(id: ContainerId, now: Timestamp) -> Self {
        Self { id, made_at: now, polls: 0, unseen: 0, is_finished: false, refused: 0 }
    }

    /// How long to wait before it is looked at again, after so many looks: 2, 3, 5, 10, 30 seconds,
    /// then a minute; after five minutes more and more seldom.
    pub fn pause(&self, now: Timestamp) -> Duration {
        const FIRST: [u64; 5] = [2, 3, 5, 10, 30];
        let seconds = match FIRST.get(self.polls as usize) {
            Some(seconds) => *seconds,
            None => match now.since(self.made_at).as_secs() / 60 {
                0..5 => 60,
                5..60 => 5 * 60,
                _ => 30 * 60,
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
        assert_eq!(waits[..10], [2, 3, 5, 10, 30, 60, 60, 60, 60, 60]);
        assert_eq!(waits[10..21], [300; 11]);
        assert!(waits[21..].iter().all(|wait| *wait == 1800));
        assert!(waits.len() < 80, "{} looks in 23 hours", waits.len());
    }

    #[test]
    fn the_first_moment_of_a_publication_is_kept() {
        let at = Timestamp::from_secs;
        let mut work = Work::default();
        work.begin(at(10));
        work.publication.as_mut().unwrap().looks = 2;
        work.begin(at(20));
        let publication = work.publication.unwrap();
        assert_eq!((publication.since, publication.looks), (at(10), 0));
    }
}
