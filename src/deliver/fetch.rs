//! Fetch: the media that an entry should have, to those that a platform gets.
//!
//! Each is fetched once and fitted, until there are as many as should go. **Invariant:** a medium
//! that can't be had is left out with a note, and never fails the post or puts it off; whether its
//! cause may pass is told, for platforms that are nothing without media.

use std::collections::VecDeque;

use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use super::host::Host;
use super::sources::{Sources, Trouble};
use crate::compose::media::Wanted;
use crate::draft::{Media, Shelved};
use crate::http;
use crate::names::CrosspostId;
use crate::platform::{MediaLimits, Way};
use crate::shelf::Hold;

mod fit; // one of them

use fit::Fit;

/// What an entry's media came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Those that go, in order.
    pub media: Vec<Media>,
    /// What the platform gets of each of them, where that was looked at.
    pub seen: Vec<Option<Seen>>,
    /// What is to be said of them, for people.
    pub notes: Vec<String>,
    /// Why one is missing that may be there in a while.
    pub passing: Option<String>,
}

/// What a platform gets of a medium: the file that is uploaded, or the one that it fetches itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its name on the shelf. Of a video that the platform fetches itself only the head may lie
    /// there.
    #[serde(skip)]
    pub file: String,
    /// Media type, by what is in it.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Size of the file; absent where its server does not tell.
    pub bytes: Option<u64>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How long a video is, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

impl Seen {
    /// What is uploaded.
    fn of(shelved: &Shelved) -> Self {
        let Shelved { file, media_type, bytes, width, height, duration_ms } = shelved.clone();
        Self { file, media_type, bytes: Some(bytes), width, height, duration_ms }
    }
}

/// For whom media are fetched.
#[derive(Clone, Copy)]
pub struct Purpose<'a> {
    /// What the platform takes.
    pub limits: &'a MediaLimits,
    /// Whether it is for a story, which is set in 9:16.
    pub is_story: bool,
    /// Where fitted copies are served from, and for which crosspost; absent: nowhere.
    pub host: Option<(&'a Host, CrosspostId)>,
    /// What keeps the files on the shelf that are to be uploaded.
    pub hold: &'a Hold,
}

impl Sources {
    /// Fetches and fits what is `wanted`, one after the other, in no more than
    /// [`Sources::time_max`].
    pub async fn fetch_all(&self, wanted: &Wanted, purpose: &Purpose<'_>) -> Fetched {
        let mut fetched = Fetched::default();
        if purpose.limits.way == Way::Noted {
            fetched.media = wanted.media.clone();
            fetched.seen = vec![None; wanted.media.len()];
            fetched.notes = wanted.notes(0);
            return fetched;
        }
        // a story takes less: its own shape, and shorter videos
        let of_story = purpose.limits.of_story();
        let limits = if purpose.is_story { &of_story } else { purpose.limits };
        let purpose = &Purpose { limits, ..*purpose };
        let over = Instant::now() + self.time_max();
        let mut fits: Vec<Fit> = Vec::new();
        // the file of each that was found, and those of the ones that go
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        let mut spare = wanted.spare.iter();
        let mut queue: VecDeque<&Media> = wanted.media.iter().collect();
        while let Some(medium) = queue.pop_front() {
            let one = tokio::time::timeout_at(over, self.one(medium, purpose, &mut found)).await;
            match one.unwrap_or_else(|_elapsed| Err(self.too_slow())) {
                Ok(Some(mut fit)) => {
                    let name = shown(&fit.medium.url);
                    let notes = std::mem::take(&mut fit.notes);
                    fetched.notes.extend(notes.into_iter().map(|it| format!("`{name}`: {it}")));
                    fits.push(fit);
                    gone.extend(found.last().cloned());
                    continue;
                }
                Ok(None) => {
                    // the same once more may say more
                    let same = gone.iter().position(|file| found.last() == Some(file));
                    if let Some(Fit { medium: known, .. }) = same.and_then(|at| fits.get_mut(at)) {
                        known.alt = known.alt.take().or_else(|| medium.alt.clone());
                    }
                }
                Err(Trouble { words, is_passing }) => {
                    let note = format!("`{}` is left out: {words}", shown(&medium.url));
                    if is_passing {
                        fetched.passing.get_or_insert_with(|| note.clone());
                    }
                    fetched.notes.push(note);
                }
            }
            queue.extend(spare.next());
        }
        fetched.notes.splice(..0, wanted.notes(wanted.spare.len() - spare.len()));
        keep_together(&mut fits, &mut fetched.notes, purpose.limits);
        (fetched.media, fetched.seen) = fits.into_iter().map(|fit| (fit.medium, fit.seen)).unzip();
        fetched
    }

    /// Puts back on the shelf what it has given up of `media`, which were fetched before for the
    /// same `purpose`: what is fitted the same way has the same name. Else it stays gone.
    pub async fn bring_back(&self, media: &[Media], purpose: &Purpose<'_>) {
        let missing = media.iter().filter(|medium| lacks(medium, purpose.hold));
        let missing: Vec<_> = missing.cloned().collect();
        if !missing.is_empty() {
            self.fetch_all(&Wanted::of(missing), purpose).await;
        }
    }

    fn too_slow(&self) -> Trouble {
        let time = humantime::format_duration(self.time_max());
        let words = format!("the media of this post were not all there after {time}");
        Trouble { words, is_passing: true }
    }
}

/// Whether a medium was fetched, and is on the shelf no more; what is there stays for as long as
/// `hold` lives.
pub fn lacks(medium: &Media, hold: &Hold) -> bool {
    medium.file.as_ref().is_some_and(|file| !hold.has(&file.file))
}

/// Images and videos that turned out to be what they were not announced as, brought to what goes
/// together.
fn keep_together(fits: &mut Vec<Fit>, notes: &mut Vec<String>, limits: &MediaLimits) {
    let is_video = |fit: &Fit| {
        let media_type = fit.medium.media_type.as_deref();
        media_type.is_some_and(|media_type| media_type.starts_with("video"))
    };
    let Some(first) = fits.first().map(is_video).filter(|_| !limits.mix) else { return };
    let mut at = 0;
    fits.retain(|fit| {
        let goes = is_video(fit) == first && (!first || at == 0);
        at += 1;
        if !goes {
            notes.push(format!("`{}` is left out: a video goes alone", shown(&fit.medium.url)));
        }
        goes
    });
}

/// An address as it may be shown.
fn shown(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| http::shown(&url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Platform;

    #[test]
    fn a_video_goes_alone_where_it_does_not_go_with_images() {
        let check = |mix, kinds: &[&str], expect: &[&str]| {
            let fit = |(at, kind): (usize, &&str)| {
                let (url, media_type) = (format!("{at}"), Some((*kind).to_owned()));
                let medium = Media { url, media_type, ..Media::default() };
                Fit { medium, seen: None, notes: Vec::new() }
            };
            let mut fits: Vec<_> = kinds.iter().enumerate().map(fit).collect();
            let mut notes = Vec::new();
            let limits = MediaLimits { mix, ..Platform::Mastodon.media() };
            keep_together(&mut fits, &mut notes, &limits);
            let kept: Vec<_> = fits.iter().map(|fit| fit.medium.url.as_str()).collect();
            assert_eq!(kept, expect, "{kinds:?}");
            assert_eq!(notes.len(), kinds.len() - expect.len(), "{notes:?}");
        };
        let (image, video) = ("image/png", "video/mp4");
        check(false, &[image, video, image, video], &["0", "2"]);
        check(false, &[video, image, video, video], &["0"]);
        check(false, &[], &[]);
        check(true, &[video, image, video], &["0", "1", "2"]);
    }
}
