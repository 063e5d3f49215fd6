//! Fetch: the media that an entry should have, to those that a platform gets.
//!
//! Each is fetched once, looked at by its content, and fitted: for a platform that takes bytes the
//! fitted file lies on the shelf, for one that fetches by itself the address is checked, or a
//! fitted copy put where the owner's web server serves it. **Invariant:** a medium that can't be
//! had is left out with a note, and never fails the post or puts it off; whether its cause may pass
//! is told, for platforms that are nothing without media.

use std::io::{Seek, SeekFrom};

use url::Url;

use super::host::Host;
use super::sources::{Source, Sources, Trouble, Want};
use crate::draft::{Media, Shelved};
use crate::http;
use crate::media::{self, Film, Fitted, Unfit};
use crate::names::CrosspostId;
use crate::platform::{ImageLimits, MediaLimits, VideoLimits, Way};
use crate::shelf::Shelf;

/// What an entry's media came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Those that go, in order.
    pub media: Vec<Media>,
    /// What is to be said of them, for people.
    pub notes: Vec<String>,
    /// Why one is missing that may be there in a while.
    pub passing: Option<String>,
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
}

/// One that goes on, with what is to be said of it; none where it is left out without a word.
type Fit = Result<Option<(Media, Vec<String>)>, Trouble>;

impl Sources {
    /// Fetches and fits `wanted`, one after the other; `beat` is called before each.
    pub async fn fetch_all(
        &self,
        wanted: &[Media],
        purpose: &Purpose<'_>,
        beat: &(dyn Fn() + Sync),
    ) -> Fetched {
        let mut fetched = Fetched::default();
        if purpose.limits.way == Way::Noted {
            fetched.media = wanted.to_vec();
            return fetched;
        }
        let mut seen = Vec::new();
        for medium in wanted {
            beat();
            match self.one(medium, purpose, &mut seen).await {
                Ok(Some((medium, notes))) => {
                    let name = shown(&medium.url);
                    fetched.notes.extend(notes.into_iter().map(|it| format!("`{name}`: {it}")));
                    fetched.media.push(medium);
                }
                Ok(None) => {}
                Err(Trouble { words, is_passing }) => {
                    let note = format!("`{}` is left out: {words}", shown(&medium.url));
                    if is_passing {
                        fetched.passing.get_or_insert_with(|| note.clone());
                    }
                    fetched.notes.push(note);
                }
            }
        }
        keep_together(&mut fetched, purpose.limits);
        fetched
    }

    async fn one(&self, medium: &Media, purpose: &Purpose<'_>, seen: &mut Vec<String>) -> Fit {
        let limits = purpose.limits;
        let is_uploaded = limits.way == Way::Bytes && limits.video.is_some();
        let want = if is_uploaded { Want::Whole } else { Want::Head };
        let source = self.get(&medium.url, want).await?;
        if seen.contains(&source.file) {
            return Ok(None);
        }
        seen.push(source.file.clone());
        match (source.kind.is_image(), limits.image, limits.video) {
            (true, Some(image), _) => self.image(medium, source, image, purpose).await,
            (false, _, Some(video)) => self.video(medium, source, video, limits.way).await,
            (true, ..) => Err(Trouble::lasting("it is an image, and only videos are taken")),
            (false, ..) => Err(Trouble::lasting("it is a video, and only images are taken")),
        }
    }

    async fn image(
        &self,
        medium: &Media,
        source: Source,
        limits: ImageLimits,
        purpose: &Purpose<'_>,
    ) -> Fit {
        let is_handed_over = purpose.limits.way == Way::Address;
        let (shelf, file, is_story) = (self.shelf().clone(), source.file.clone(), purpose.is_story);
        let _turn = self.turn().await;
        let work = move || -> Result<Option<Image>, String> {
            let bytes = shelf.read(&file).map_err(|error| format!("it can't be read: {error}"))?;
            if is_handed_over {
                match media::check(&bytes, &limits) {
                    Ok(_) => return Ok(Some(Image::AsItIs)),
                    Err(why) => {
                        let fitted = fitted(&bytes, &limits, is_story)?;
                        return Ok(fitted.map(|fitted| Image::Fitted(fitted, why)));
                    }
                }
            }
            let Some(fitted) = fitted(&bytes, &limits, is_story)? else { return Ok(None) };
            let Fitted { bytes, media_type, width, height, notes } = fitted;
            let file = shelf.put(&bytes, media_type);
            let file = file.map_err(|error| format!("it can't be kept: {error}"))?;
            let shelved = Shelved {
                file,
                media_type: media_type.into(),
                bytes: bytes.len() as u64,
                width,
                height,
                duration_ms: None,
            };
            Ok(Some(Image::Shelved(shelved, notes)))
        };
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.unwrap_or_else(|_panicked| Err("it broke its decoder".into()));
        let Some(image) = done.map_err(Trouble::lasting)? else { return Ok(None) };
        match image {
            Image::Shelved(shelved, notes) => Ok(Some((with_file(medium, shelved), notes))),
            Image::AsItIs => Ok(Some(handed_over(medium, &source))),
            Image::Fitted(fitted, why) => self.hosted(medium, fitted, &why, purpose).await,
        }
    }

    /// Puts a fitted copy where the platform can fetch it.
    async fn hosted(
        &self,
        medium: &Media,
        fitted: Fitted,
        why: &str,
        purpose: &Purpose<'_>,
    ) -> Fit {
        let Some((host, crosspost)) = purpose.host else {
            let advice = "`[media_host]` in the config would let a fitted copy be served";
            return Err(Trouble::lasting(format!("{why}; {advice}")));
        };
        let Fitted { bytes, media_type, notes, .. } = fitted;
        let url = host.put(crosspost, bytes, media_type, self.guard()).await;
        let url = url.map_err(|words| Trouble { words, is_passing: true })?;
        let media_type = Some(media_type.to_owned());
        Ok(Some((Media { media_type, url, ..medium.clone() }, notes)))
    }

    async fn video(&self, medium: &Media, source: Source, limits: VideoLimits, way: Way) -> Fit {
        let (shelf, file) = (self.shelf().clone(), source.file.clone());
        let film = tokio::task::spawn_blocking(move || film(&shelf, &file, &limits)).await;
        let film = film.unwrap_or_else(|_panicked| Err("it broke its reader".into()));
        let (film, kept) = film.map_err(Trouble::lasting)?;
        if way == Way::Address {
            if source.bytes.is_some_and(|bytes| bytes > limits.bytes_max) {
                let (bytes, most) = (source.bytes.unwrap_or_default(), limits.bytes_max);
                return Err(Trouble::lasting(format!("it has {bytes} bytes, at most {most} go")));
            }
            let mut fit = handed_over(medium, &source);
            if !film.is_fast_start {
                fit.1.push(
                    "its index is not at its beginning, which the platform may refuse".into(),
                );
            }
            return Ok(Some(fit));
        }
        let shelved = Shelved {
            file: source.file,
            media_type: film.media_type.into(),
            bytes: kept,
            width: film.width,
            height: film.height,
            duration_ms: Some(film.duration_ms),
        };
        Ok(Some((with_file(medium, shelved), Vec::new())))
    }
}

/// What an image came to.
enum Image {
    /// On the shelf, for a platform that takes bytes.
    Shelved(Shelved, Vec<String>),
    /// The platform takes it from where it is.
    AsItIs,
    /// The platform would not take it as it is, and why; a copy that it would.
    Fitted(Fitted, String),
}

fn fitted(bytes: &[u8], limits: &ImageLimits, is_story: bool) -> Result<Option<Fitted>, String> {
    let fit = if is_story { media::story } else { media::image };
    match fit(bytes, limits) {
        Ok(fitted) => Ok(Some(fitted)),
        Err(Unfit::Tiny) => Ok(None),
        Err(Unfit::Refused(why)) => Err(why),
    }
}

/// What a video is, and how many bytes of it are on the shelf.
fn film(shelf: &Shelf, file: &str, limits: &VideoLimits) -> Result<(Film, u64), String> {
    let gone = |error: std::io::Error| format!("it can't be read: {error}");
    let (mut file, bytes) = shelf.open(file).map_err(gone)?;
    file.seek(SeekFrom::Start(0)).map_err(gone)?;
    match media::video(file, limits) {
        Ok(film) => Ok((film, bytes)),
        Err(Unfit::Tiny) => Err("it is smaller than 64 pixels".into()),
        Err(Unfit::Refused(why)) => Err(why),
    }
}

fn with_file(medium: &Media, shelved: Shelved) -> Media {
    let media_type = Some(shelved.media_type.clone());
    Media { media_type, file: Some(shelved), ..medium.clone() }
}

/// The medium at the address that gives it, where the platform fetches it.
fn handed_over(medium: &Media, source: &Source) -> (Media, Vec<String>) {
    let mut notes = Vec::new();
    let media_type = source.kind.media_type();
    let is_moved = Url::parse(&medium.url).is_ok_and(|url| url != source.url);
    if is_moved {
        notes.push(format!("it is at `{}` now", http::shown(&source.url)));
    }
    let said = source.content_type.as_deref().and_then(|said| said.split(';').next());
    if let (Some(said), Some(is)) = (said, media_type)
        && !said.trim().eq_ignore_ascii_case(is)
    {
        notes.push(format!(
            "its server calls it `{said}`, and it is `{is}`: the platform may refuse"
        ));
    }
    let url = if is_moved { source.url.to_string() } else { medium.url.clone() };
    (Media { media_type: media_type.map(str::to_owned), url, ..medium.clone() }, notes)
}

/// Images and videos that turned out to be what they were not announced as, brought to what goes
/// together.
fn keep_together(fetched: &mut Fetched, limits: &MediaLimits) {
    let is_video = |medium: &Media| {
        medium.media_type.as_deref().is_some_and(|media_type| media_type.starts_with("video"))
    };
    let Some(first) = fetched.media.first().map(is_video).filter(|_| !limits.mix) else { return };
    let mut at = 0;
    let notes = &mut fetched.notes;
    fetched.media.retain(|medium| {
        let goes = is_video(medium) == first && (!first || at == 0);
        at += 1;
        if !goes {
            notes.push(format!("`{}` is left out: a video goes alone", shown(&medium.url)));
        }
        goes
    });
}

/// An address as it may be shown.
fn shown(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| http::shown(&url))
}
