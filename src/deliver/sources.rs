//! Sources: media as their addresses give them, fetched once however many accounts want them.
//!
//! What was fetched lies on the shelf under its hash, so that the same bytes at two addresses are
//! one file. **Invariant:** one address is asked by one worker at a time, and not again while what
//! it gave is fresh; a failure is remembered for a moment, so that eight accounts don't wait eight
//! times for a server that is down. Nothing larger than one chunk is ever in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::Url;

use crate::http;
use crate::http::guard::download::{Downloaded, Patience, Take};
use crate::http::guard::{FetchError, Guard};
use crate::media::{self, Kind};
use crate::shelf::{Part, Shelf};

/// The largest video that is fetched whole: what the platforms that take its bytes take.
const VIDEO_BYTES_MAX: u64 = 512_000_000;
/// The largest image: what a good camera makes, uncut.
const IMAGE_BYTES_MAX: u64 = 40_000_000;
/// How much of a video is enough where the platform fetches the rest itself: its head, if it is
/// where it should be.
const HEAD_BYTES: u64 = 8 << 20;
/// How long what an address gave is taken to be what it gives.
const FRESH: Duration = Duration::from_secs(3600);
/// How long a failure is remembered.
const FAILED: Duration = Duration::from_secs(60);
/// The wait before an address that failed in passing is asked once more.
const AGAIN: Duration = Duration::from_secs(3);
/// Only an address that failed as soon as that is asked once more: who waited for one that is slow
/// does not wait for it again.
const SOON: Duration = Duration::from_secs(10);
/// The longest that the media of one post take, where nothing else is said: what is not there by
/// then is left out, so that one slow server does not keep an account from all other posts.
const TIME_MAX: Duration = Duration::from_secs(600);
/// How many addresses are remembered.
const KNOWN_MAX: usize = 512;

/// A download of one medium: a large video over a slow line.
const PATIENCE: Patience = Patience {
    timeout: Duration::from_secs(300),
    silence: Duration::from_secs(30),
    accept: "image/jpeg, image/png, image/webp, image/gif;q=0.9, video/mp4, */*;q=0.1",
};

/// Where media come from.
pub struct Sources {
    guard: Guard,
    shelf: Shelf,
    known: Mutex<HashMap<String, Arc<Slot>>>,
    /// One image at a time: each may take 250 MB while it is decoded.
    turn: Arc<Semaphore>,
    time_max: Duration,
}

/// What is known of one address. Who asks it holds the lock.
type Slot = tokio::sync::Mutex<Option<(Instant, Result<Source, Trouble>)>>;

/// How much of a video is wanted. Images are always wanted whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// All of it.
    Whole,
    /// Its head, which says what it is.
    Head,
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
    /// How many bytes it has, as far as that is known.
    pub bytes: Option<u64>,
    /// Whether all of it lies there, and not only the head of a video.
    pub is_whole: bool,
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
    /// Those that `guard` reaches; they lie on `shelf`.
    pub fn new(guard: Guard, shelf: Shelf) -> Self {
        Self {
            guard,
            shelf,
            known: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
            time_max: TIME_MAX,
        }
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

    /// What stands at `url`, on the shelf.
    ///
    /// # Errors
    /// It can't be had, or is no medium.
    pub async fn get(&self, url: &str, want: Want) -> Result<Source, Trouble> {
        let slot = self.slot(url);
        let mut known = slot.lock().await;
        if let Some((at, answer)) = known.as_ref() {
            let holds = if answer.is_ok() { FRESH } else { FAILED };
            let serves = |source: &Source| {
                (source.is_whole || want == Want::Head) && self.shelf.open(&source.file).is_ok()
            };
            if at.elapsed() < holds && answer.as_ref().map_or(true, serves) {
                return answer.clone();
            }
        }
        let began = Instant::now();
        let mut answer = self.fetch(url, want).await;
        let was_soon = began.elapsed() < SOON;
        if answer.as_ref().is_err_and(|trouble| trouble.is_passing && was_soon) {
            tokio::time::sleep(AGAIN).await;
            answer = self.fetch(url, want).await;
        }
        *known = Some((Instant::now(), answer.clone()));
        answer
    }

    fn slot(&self, url: &str) -> Arc<Slot> {
        let mut known = self.known.lock().expect("no code panics while it holds the lock");
        if known.len() >= KNOWN_MAX {
            // whoever is at work holds a share of their slot, and goes on
            known.clear();
        }
        Arc::clone(known.entry(url.to_owned()).or_default())
    }

    async fn fetch(&self, url: &str, want: Want) -> Result<Source, Trouble> {
        let url = Url::parse(url).map_err(|error| Trouble::lasting(error.to_string()))?;
        let shelf = self.shelf.clone();
        let part = blocking(move || shelf.begin()).await?;
        let mut file = tokio::fs::File::from_std(part.file().map_err(FetchError::from)?);
        let judge = |start: &[u8]| judge(start, want);
        let downloaded = self.guard.download(&url, PATIENCE, &mut file, &judge).await?;
        self.keep(part, downloaded, want).await
    }

    async fn keep(
        &self,
        part: Part,
        downloaded: Downloaded,
        want: Want,
    ) -> Result<Source, Trouble> {
        let Downloaded { url, content_type, bytes, announced } = downloaded;
        let shelf = self.shelf.clone();
        let (file, kind) = blocking(move || {
            let kind = media::kind(&start_of(&part)?);
            let media_type = kind.media_type().ok_or_else(|| std::io::Error::other("no medium"))?;
            Ok((shelf.keep(part, media_type)?, kind))
        })
        .await?;
        let is_whole = kind.is_image() || want == Want::Whole || bytes < HEAD_BYTES;
        let bytes = if is_whole { Some(bytes) } else { announced };
        Ok(Source { file, kind, url, content_type, bytes, is_whole })
    }
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
    match (media::kind(start), want) {
        (kind, _) if kind.is_image() => Ok(Take::Whole(IMAGE_BYTES_MAX)),
        (kind, Want::Whole) if kind.is_video() => Ok(Take::Whole(VIDEO_BYTES_MAX)),
        (kind, Want::Head) if kind.is_video() => Ok(Take::Start(HEAD_BYTES)),
        (kind, _) => Err(format!("it is {kind}, want a JPEG, PNG, WebP or GIF, or an MP4 video")),
    }
}

/// The first bytes of what was fetched.
fn start_of(part: &Part) -> std::io::Result<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = part.file()?;
    file.seek(SeekFrom::Start(0))?;
    let mut start = Vec::new();
    file.take(http::guard::download::START_BYTES as u64).read_to_end(&mut start)?;
    Ok(start)
}
