//! Work: what one crosspost has done on Facebook so far, as its journal keeps it.
//!
//! **Invariant:** the mark of a public call that may have had an effect stays until it is known
//! what became of it; what is sought is what was sent, and not what the entry says now.

use serde::{Deserialize, Serialize};

use super::post::{Kind, Post};
use crate::clock::Timestamp;
use crate::crosspost::Failure;
use crate::publish::meta::container::LIFETIME;
use crate::publish::meta::work;
use crate::publish::{Desk, NotebookError};

/// Where the note stands in the journal.
const PLACE: &str = "facebook.work";

/// Everything that a crosspost remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// The post that all this is for.
    pub post: String,
    /// The Page.
    pub page: String,
    /// What it is.
    pub kind: Kind,
    /// Its text, to find it by.
    pub message: String,
    /// The link of its card, likewise.
    pub link: Option<String>,
    /// The photos that nobody sees yet, in order.
    pub photos: Vec<Photo>,
    /// The public call, from before it begins until it is known to have done nothing.
    pub publication: Option<Publication>,
    /// When the first public call of all began whose fate was open, by our clock.
    pub doubt_since: Option<Timestamp>,
    /// How often a public call was made of whose fate no answer told.
    pub doubts: u32,
    /// What it became.
    pub id: Option<String>,
    /// Why that, a video, will never be seen.
    pub failed: Option<Failed>,
}

/// A video that was taken and will never be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// What is said of it.
    pub words: String,
    /// Whether an attempt has ended with that. Who then begins another one is a person.
    pub is_told: bool,
}

/// A photo that nobody sees yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// Its id.
    pub id: String,
    /// When it was made, by our clock.
    pub made_at: Timestamp,
}

/// A public call that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// When, by our clock.
    pub began: Timestamp,
    /// What Facebook answered.
    #[serde(default)]
    pub answer: Answered,
    /// Its words.
    #[serde(default)]
    pub words: String,
    /// How often the post was looked for in vain.
    #[serde(default)]
    pub looks: u32,
    /// When it first was.
    #[serde(default)]
    pub first_look: Option<Timestamp>,
    /// Whether Facebook was asked what became of it. Who then goes on without an answer is a
    /// person.
    #[serde(default)]
    pub is_asked: bool,
}

/// What was answered to a public call whose fate is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// Nothing that tells anything.
    #[default]
    Nothing,
    /// An error that no table knows.
    Unknown,
    /// That it has this already.
    Duplicate,
}

impl Work {
    /// What the journal holds.
    ///
    /// # Errors
    /// `Retry` where it can't be read; `Ambiguous` where it makes no sense.
    pub async fn read(desk: &Desk<'_>) -> Result<Option<Self>, Failure> {
        work::read(desk, PLACE).await
    }

    /// The work on `post` for `page`: the one of before where it is the same, else a new one. Not
    /// for work that is open.
    ///
    /// # Errors
    /// As [`Work::read`].
    pub async fn on(desk: &Desk<'_>, post: &Post, page: &str) -> Result<Self, Failure> {
        match Self::read(desk).await? {
            Some(work) if work.is_of(post, page) => Ok(work),
            before => {
                let before = before.unwrap_or_default();
                let (doubt_since, doubts) = (before.doubt_since, before.doubts);
                Ok(Self { doubt_since, doubts, ..Self::new(post, page) })
            }
        }
    }

    fn is_of(&self, post: &Post, page: &str) -> bool {
        self.post == post.fingerprint() && self.page == page && self.failed.is_none()
    }

    /// The same post from the start, because a person said so. What was in doubt stays known; what
    /// is known by its id, and was looked at by a person, is in no doubt.
    pub fn anew(self, post: &Post, page: &str) -> Self {
        let open = self.publication.filter(|_| self.id.is_none());
        let open = open.map(|publication| publication.began);
        let doubt_since = self.doubt_since.into_iter().chain(open).min();
        Self { doubt_since, ..Self::new(post, page) }
    }

    fn new(post: &Post, page: &str) -> Self {
        Self {
            post: post.fingerprint(),
            page: page.to_owned(),
            kind: post.kind,
            message: post.message.clone(),
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

    /// Drops the photos where one of them lapses soon: nobody sees them, and they last as long as
    /// containers do.
    pub fn retire(&mut self, now: Timestamp) {
        if self.photos.iter().any(|photo| now.since(photo.made_at) >= LIFETIME) {
            self.photos.clear();
        }
    }

    /// Notes, before the public call begins, that it does.
    pub fn begin(&mut self, now: Timestamp) {
        self.publication = Some(Publication {
            began: now,
            answer: Answered::Nothing,
            words: String::new(),
            looks: 0,
            first_look: None,
            is_asked: false,
        });
    }

    /// Gives up the public call, which was looked for in vain. The photos go too: perhaps they were
    /// used.
    pub fn doubt(&mut self) {
        let open = self.publication.take().map(|publication| publication.began);
        self.doubt_since = self.doubt_since.into_iter().chain(open).min();
        self.doubts += 1;
        self.photos.clear();
    }

    /// Notes that it became the video `id`, which is still to be looked after.
    pub fn take(&mut self, id: String, now: Timestamp) {
        self.id = Some(id);
        if self.publication.is_none() {
            self.begin(now);
        }
    }

    /// Notes that its video will never be seen: nothing is there, and nothing is in doubt.
    pub fn fail(&mut self, words: String, is_told: bool) {
        let failed = Some(Failed { words, is_told });
        let (post, page) = (std::mem::take(&mut self.post), std::mem::take(&mut self.page));
        *self = Self { post, page, kind: self.kind, failed, ..Self::default() };
    }

    /// From when on a post can be ours, by our clock.
    pub fn since(&self) -> Timestamp {
        let open = self.publication.as_ref().map(|publication| publication.began);
        open.into_iter().chain(self.doubt_since).min().unwrap_or(Timestamp::from_millis(0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn photos_are_given_up_before_they_lapse() {
        let check = |hours: u64, expect: usize| {
            let photos = vec![Photo { id: "1".into(), made_at: NOW }];
            let mut work = Work { photos, ..Work::default() };
            work.retire(NOW.plus(Duration::from_secs(3600 * hours)));
            assert_eq!(work.photos.len(), expect, "{hours} h");
        };
        check(22, 1);
        check(23, 0);
    }

    #[test]
    fn the_first_moment_of_a_doubt_is_kept() {
        let mut work = Work::default();
        work.begin(NOW);
        work.doubt();
        work.begin(NOW.plus(LIFETIME));
        assert_eq!(work.since(), NOW);
        work.doubt();
        assert_eq!((work.doubt_since, work.doubts), (Some(NOW), 2));
    }
}
