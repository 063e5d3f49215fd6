//! Sources: what posts get from the web, as its addresses give it, fetched once however many
//! accounts want it.
//!
//! Media that were fetched lie on the shelf under their hash, so that the same bytes at two
//! addresses are one file. Of a video some platforms need all and others only the head; whoever
//! asks first fetches what serves all accounts. **Invariant:** nothing larger than one chunk is
//! ever in memory, and of a video that is larger than any account takes no more than its head is
//! fetched, where its server says how large it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::Url;

use super::once::Once;
use crate::compose::page::Page;
use crate::http::guard::download::{Downloaded, Length, Patience, START_BYTES, Take};
use crate::http::guard::{FetchError, Guard};
use crate::media::{self, Kind};
use crate::platform::{MediaLimits, Way};
use crate::shelf::{Hold, Part, Shelf};

/// The largest video that is fetched whole: what the platforms that take its bytes take.
const VIDEO_BYTES_MAX: u64 = 512_000_000;
/// The largest image: what a good camera makes, uncut.
const IMAGE_BYTES_MAX: u64 = 40_000_000;
/// How much of a video is enough where the platform fetches the rest itself: its head, if it is
/// where it should be.
const HEAD_BYTES: u64 = 8 << 20;
/// How long what an address gave is taken to be what it gives.
const FRESH: Duration = Duration::from_secs(3600);
/// The same for a page, which its owner may mend and try again: long enough for accounts that
/// begin together.
const FRESH_PAGE: Duration = Duration::from_secs(60);
/// The wait before an address that failed in passing is asked once more.
const AGAIN: Duration = Duration::from_secs(3);
/// Only an address that failed as soon as that is asked once more: who waited for one that is slow
/// does not wait for it again.
const SOON: Duration = Duration::from_secs(10);
/// The longest that the media of one post take, where nothing else is said: what is not there by
/// then is left out, so that one slow server does not keep an account from all other posts.
const TIME_MAX: Duration = Duration::from_secs(600);

/// A download of one medium: a large video over a slow line.
const PATIENCE: Patience = Patience {
    timeout: Duration::from_secs(300),
    silence: Duration::from_secs(30),
    accept: "image/jpeg, image/png, image/webp, image/gif;q=0.9, video/mp4, */*;q=0.1",
};

/// Where media come from, and pages.
pub struct Sources {
    guard: Guard,
    shelf: Shelf,
    media: Once<Source>,
    pub(super) pages: Once<Page>,
    /// What each account wants of a video, by its label.
    wants: Mutex<HashMap<String, Want>>,
    /// One image at a time: each may take 250 MB while it is decoded.
    turn: Arc<Semaphore>,
    time_max: Duration,
}

/// How much of a video is wanted. Images are always wanted whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// All of it, where it has no more bytes than this.
    pub whole_max: u64,
    /// So many of its first bytes, where it has more: they say what it is.
    pub head: u64,
}

impl Want {
    /// What a platform with these limits needs: what it uploads, or the head of what it fetches
    /// itself.
    pub fn of(limits: &MediaLimits) -> Self {
        match (limits.way, limits.video) {
            (Way::Bytes, Some(video)) => {
                Self { whole_max: video.bytes_max.min(VIDEO_BYTES_MAX), head: 0 }
            }
            (Way::Address, Some(_)) => Self { whole_max: HEAD_BYTES, head: HEAD_BYTES },
            _ => Self::default(),
        }
    }

    /// What serves both.
    fn or(self, other: Self) -> Self {
        Self { whole_max: self.whole_max.max(other.whole_max), head: self.head.max(other.head) }
    }
}

/// A medium as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name on the shelf.
    pub file: String,
    /// What it is, by its content.
    pub kind: Kind,
    /// The address that gave it, after all redirects.
    pub url: Url,
    /// What its server calls it.
    pub content_type: Option<String>,
    /// How many bytes it has.
    pub length: Length,
    /// How many of them lie there: all, or the first ones of a video.
    pub kept: u64,
}

impl Source {
    /// Whether all of it lies there, and not only the head of a video.
    pub fn is_whole(&self) -> bool {
        self.length == Length::Exactly(self.kept)
    }

    /// Whether there is enough of it: all, or the head of one that is too large to be wanted whole.
    fn serves(&self, want: Want) -> bool {
        self.is_whole() || self.length.exceeds(want.whole_max) && self.kept >= want.head
    }
}

/// Why a medium could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// For people: lower case, no full stop.
    pub words: String,
    /// Whether it may work in a while.
    pub is_passing: bool,
}

impl Trouble {
    /// It will not work another time either.
    pub fn lasting(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_passing: false }
    }
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        Self { words: error.to_string(), is_passing: error.is_passing() }
    }
}

impl Sources {
    /// Those that `guard` reaches; media lie on `shelf`.
    pub fn new(guard: Guard, shelf: Shelf) -> Self {
        Self {
            guard,
            shelf,
            media: Once::new(FRESH),
            pages: Once::new(FRESH_PAGE),
            wants: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
            time_max: TIME_MAX,
        }
    }

    /// Says which accounts there are, each with what its platform takes, in place of those before:
    /// who asks for a video first fetches as much of it as any of them wants.
    pub fn serve<'a>(&self, accounts: impl IntoIterator<Item = (&'a str, MediaLimits)>) {
        let wants = accounts.into_iter().map(|(who, limits)| (who.to_owned(), Want::of(&limits)));
        *self.wants() = wants.collect();
    }

    /// Says what an account's own server takes.
    pub fn serve_one(&self, who: &str, limits: &MediaLimits) {
        self.wants().insert(who.to_owned(), Want::of(limits));
    }

    fn wants(&self) -> MutexGuard<'_, HashMap<String, Want>> {
        self.wants.lock().expect("no code panics while it holds the lock")
    }

    /// The same, with so much time for the media of one post.
    #[must_use]
    pub fn with_time(self, time_max: Duration) -> Self {
        Self { time_max, ..self }
    }

    /// The longest that the media of one post take.
    pub fn time_max(&self) -> Duration {
        self.time_max
    }

    /// Where they lie.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// How they are reached.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The turn to decode an image, which ends when this is dropped: to be dropped by the thread
    /// that decodes, because that works on when nobody waits for it any more.
    pub async fn turn(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.turn).acquire_owned().await.expect("nobody closes it")
    }

    /// What stands at `url`, on the shelf, where `hold` keeps it: of a video as much as is wanted.
    ///
    /// # Errors
    /// It can't be had, or is no medium.
    pub async fn get(&self, url: &str, want: Want, hold: &Hold) -> Result<Source, Trouble> {
        let serves = |source: &Source| source.serves(want) && hold.has(&source.file);
        let of_all = self.wants().values().fold(want, |all, one| all.or(*one));
        self.media.get(url, serves, self.ask(url, of_all, hold)).await
    }

    /// Fetches it; once more where it failed soon, and in passing.
    async fn ask(&self, url: &str, want: Want, hold: &Hold) -> Result<Source, Trouble> {
        let began = Instant::now();
        let answer = self.fetch(url, want, hold).await;
        let was_soon = began.elapsed() < SOON;
        if answer.as_ref().is_err_and(|trouble| trouble.is_passing && was_soon) {
            tokio::time::sleep(AGAIN).await;
            return self.fetch(url, want, hold).await;
        }
        answer
    }

    async fn fetch(&self, url: &str, want: Want, hold: &Hold) -> Result<Source, Trouble> {
        let url = Url::parse(url).map_err(|error| Trouble::lasting(error.to_string()))?;
        let shelf = self.shelf.clone();
        let part = blocking(move || shelf.begin()).await?;
        let mut file = tokio::fs::File::from_std(part.file().map_err(FetchError::from)?);
        let judge = |start: &[u8]| judge(start, want);
        let downloaded = self.guard.download(&url, PATIENCE, &mut file, &judge).await?;
        keep(part, downloaded, hold.clone()).await
    }
}

/// Puts what was downloaded on the shelf.
async fn keep(part: Part, downloaded: Downloaded, hold: Hold) -> Result<Source, Trouble> {
    let Downloaded { url, content_type, bytes: kept, length } = downloaded;
    let (file, kind) = blocking(move || {
        let kind = media::kind(&start_of(&part)?);
        let media_type = kind.media_type().ok_or_else(|| std::io::Error::other("no medium"))?;
        Ok((hold.keep(part, media_type)?, kind))
    })
    .await?;
    Ok(Source { file, kind, url, content_type, length, kept })
}

/// Does what blocks on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Trouble> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| FetchError::from(error).into()),
        Err(_panicked) => Err(Trouble::lasting("it broke its reader")),
    }
}

/// How much is taken of what begins like that.
fn judge(start: &[u8], want: Want) -> Result<Take, String> {
    match media::kind(start) {
        kind if kind.is_image() => Ok(Take { whole_max: IMAGE_BYTES_MAX, start: None }),
        kind if kind.is_video() => {
            // what has just come is enough to know it again
            let head = want.head.max(START_BYTES as u64);
            Ok(Take { whole_max: want.whole_max.max(head), start: Some(head) })
        }
        kind => Err(format!("it is {kind}, want a JPEG, PNG, WebP or GIF, or an MP4 video")),
    }
}

/// The first bytes of what was fetched.
fn start_of(part: &Part) -> std::io::Result<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = part.file()?;
    file.seek(SeekFrom::Start(0))?;
    let mut start = Vec::new();
    file.take(START_BYTES as u64).read_to_end(&mut start)?;
    Ok(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_all_or_the_head_of_what_is_too_large() {
        let want = Want { whole_max: 100, head: 10 };
        let check = |length, kept, expect| {
            let source = Source {
                file: "film.mp4".into(),
                kind: media::kind(b""),
                url: Url::parse("https://a.example/film.mp4").unwrap(),
                content_type: None,
                length,
                kept,
            };
            assert_eq!(source.serves(want), expect, "{kept} of {length:?}");
        };
        check(Length::Exactly(101), 101, true);
        check(Length::Exactly(101), 10, true);
        check(Length::Exactly(101), 9, false);
        check(Length::Exactly(100), 99, false);
        check(Length::MoreThan(100), 100, true);
        check(Length::MoreThan(99), 99, false);
    }
}
