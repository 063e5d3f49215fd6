//! Fit: one medium of an entry, to what a platform gets of it.
//!
//! It is looked at by its content. For a platform that takes bytes the fitted file lies on the
//! shelf; for one that fetches by itself the address is checked, or a fitted copy put where the
//! owner's web server serves it.

use url::Url;

use super::{Purpose, Seen};
use crate::deliver::head::Head;
use crate::deliver::sources::{Source, Sources, Trouble, Want};
use crate::draft::{Media, Shelved};
use crate::http;
use crate::http::guard::download::Length;
use crate::media::{self, About, Film, Fitted, Unfit};
use crate::platform::{ImageLimits, VideoLimits, Way};
use crate::shelf::{Hold, Shelf};

/// A medium that goes on.
pub struct Fit {
    /// It, as the draft has it.
    pub medium: Media,
    /// What the platform gets of it, where that is here.
    pub seen: Option<Seen>,
    /// What is to be said of it, in words that follow its name: lower case, no full stop.
    pub notes: Vec<String>,
}

/// One that goes on; none where it is left out without a word.
type Fitting = Result<Option<Fit>, Trouble>;

impl Sources {
    /// Fetches and fits one medium. `found` are the files of those before it; what is one of them
    /// goes no second time.
    pub(super) async fn one(
        &self,
        medium: &Media,
        purpose: &Purpose<'_>,
        found: &mut Vec<String>,
    ) -> Fitting {
        let limits = purpose.limits;
        let hold = self.shelf().hold();
        let source = self.get(&medium.url, Want::of(limits), &hold).await?;
        let is_known = found.contains(&source.file);
        found.push(source.file.clone());
        if is_known {
            return Ok(None);
        }
        match (source.kind.is_image(), limits.image, limits.video) {
            (true, Some(image), _) => self.image(medium, source, image, purpose).await,
            (false, _, Some(video)) => self.video(medium, source, video, purpose).await,
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
    ) -> Fitting {
        let is_handed_over = purpose.limits.way == Way::Address;
        let hold = purpose.hold.clone();
        let (shelf, file, is_story) = (self.shelf().clone(), source.file.clone(), purpose.is_story);
        let turn = self.turn().await;
        let work = move || -> Result<Option<Image>, String> {
            let _turn = turn;
            let bytes = shelf.read(&file).map_err(|error| format!("it can't be read: {error}"))?;
            if is_handed_over {
                match media::check(&bytes, &limits) {
                    Ok(about) => return Ok(Some(Image::AsItIs(about))),
                    Err(why) => {
                        let fitted = fitted(&bytes, &limits, is_story)?;
                        return Ok(fitted.map(|fitted| Image::Fitted(fitted, why)));
                    }
                }
            }
            let Some(fitted) = fitted(&bytes, &limits, is_story)? else { return Ok(None) };
            let (shelved, notes) = shelve(&hold, fitted)?;
            Ok(Some(Image::Shelved(shelved, notes)))
        };
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.unwrap_or_else(|_panicked| Err("it broke its decoder".into()));
        let Some(image) = done.map_err(Trouble::lasting)? else { return Ok(None) };
        match image {
            Image::Shelved(shelved, notes) => Ok(Some(uploaded(medium, shelved, notes))),
            Image::AsItIs(About { media_type, width, height }) => {
                let (file, media_type) = (source.file.clone(), media_type.to_owned());
                let bytes = source.length.exactly();
                let seen = Seen { file, media_type, bytes, width, height, duration_ms: None };
                Ok(Some(handed_over(medium, &source, seen)))
            }
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
    ) -> Fitting {
        let Some((host, crosspost)) = purpose.host else {
            let advice = "`[media_host]` in the config would let a fitted copy be served";
            return Err(Trouble::lasting(format!("{why}; {advice}")));
        };
        if host.is_planned() {
            let hold = purpose.hold.clone();
            let shelved = tokio::task::spawn_blocking(move || shelve(&hold, fitted)).await;
            let shelved = shelved.unwrap_or_else(|_panicked| Err("it broke off".into()));
            let (shelved, mut notes) = shelved.map_err(Trouble::lasting)?;
            notes.push(format!("{why}: a copy that fits would be served from `[media_host]`"));
            return Ok(Some(uploaded(medium, shelved, notes)));
        }
        let Fitted { bytes, media_type, mut notes, .. } = fitted;
        let served = host.put(crosspost, bytes, media_type, self.guard()).await;
        let (url, said) = served.map_err(|words| Trouble { words, is_passing: true })?;
        notes.extend(misnamed(said.as_deref(), media_type));
        let media_type = Some(media_type.to_owned());
        let medium = Media { media_type, url, ..medium.clone() };
        Ok(Some(Fit { medium, seen: None, notes }))
    }

    async fn video(
        &self,
        medium: &Media,
        source: Source,
        limits: VideoLimits,
        purpose: &Purpose<'_>,
    ) -> Fitting {
        let (shelf, way) = (self.shelf().clone(), purpose.limits.way);
        if way == Way::Bytes && !source.is_whole() || source.length.exceeds(limits.bytes_max) {
            return Err(Trouble::lasting(too_large(source.length, limits.bytes_max)));
        }
        // of an unknown length it may have as much as is taken
        let whole = source.length.exactly().unwrap_or(limits.bytes_max);
        let rest = (!source.is_whole()).then_some(whole);
        let file = source.file.clone();
        let film = tokio::task::spawn_blocking(move || film(&shelf, &file, rest, &limits)).await;
        let film = film.unwrap_or_else(|_panicked| Err("it broke its reader".into()));
        let (film, kept) = film.map_err(Trouble::lasting)?;
        if way == Way::Address {
            let mut fit = handed_over(medium, &source, of_film(&film, &source));
            if !film.is_fast_start {
                fit.notes.push(
                    "its index is not at its beginning, which the platform may refuse".into(),
                );
            }
            return Ok(Some(fit));
        }
        if !purpose.hold.has(&source.file) {
            return Err(Trouble { words: "its file is gone".into(), is_passing: true });
        }
        let shelved = Shelved {
            file: source.file,
            media_type: film.media_type.into(),
            bytes: kept,
            width: film.width,
            height: film.height,
            duration_ms: Some(film.duration_ms),
        };
        Ok(Some(uploaded(medium, shelved, Vec::new())))
    }
}

/// What an image came to.
enum Image {
    /// On the shelf, for a platform that takes bytes.
    Shelved(Shelved, Vec<String>),
    /// The platform takes it from where it is.
    AsItIs(About),
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

/// Puts what was fitted on the shelf, and gives what is to be said of it.
fn shelve(hold: &Hold, fitted: Fitted) -> Result<(Shelved, Vec<String>), String> {
    let Fitted { bytes, media_type, width, height, notes } = fitted;
    let file = hold.put(&bytes, media_type);
    let file = file.map_err(|error| format!("it can't be kept: {error}"))?;
    let (media_type, bytes) = (media_type.to_owned(), bytes.len() as u64);
    Ok((Shelved { file, media_type, bytes, width, height, duration_ms: None }, notes))
}

/// What a video is, and how many bytes of it are on the shelf; only its head lies there where the
/// `whole` has so many bytes.
fn film(
    shelf: &Shelf,
    file: &str,
    whole: Option<u64>,
    limits: &VideoLimits,
) -> Result<(Film, u64), String> {
    let (file, bytes) = shelf.open(file).map_err(|error| format!("it can't be read: {error}"))?;
    let film = match whole {
        Some(length) => media::video(Head::of(file, length), limits),
        None => media::video(file, limits),
    };
    match film {
        Ok(film) => Ok((film, bytes)),
        Err(Unfit::Tiny) => Err("it is smaller than 64 pixels".into()),
        Err(Unfit::Refused(why)) if whole.is_some() && why.contains("cut off") => Err(
            "its index is not at its beginning, where the platform wants it: write it anew for \
                 the web (`fast start`)"
                .into(),
        ),
        Err(Unfit::Refused(why)) => Err(why),
    }
}

/// Why a video is left out that has so many bytes.
fn too_large(length: Length, most: u64) -> String {
    let bytes = match length {
        Length::Exactly(bytes) => format!("{bytes}"),
        Length::MoreThan(bytes) => format!("more than {bytes}"),
    };
    format!("it has {bytes} bytes, at most {most} are taken")
}

fn uploaded(medium: &Media, shelved: Shelved, notes: Vec<String>) -> Fit {
    let (media_type, seen) = (Some(shelved.media_type.clone()), Some(Seen::of(&shelved)));
    Fit { medium: Media { media_type, file: Some(shelved), ..medium.clone() }, seen, notes }
}

/// A video where it is.
fn of_film(film: &Film, source: &Source) -> Seen {
    Seen {
        file: source.file.clone(),
        media_type: film.media_type.into(),
        bytes: source.length.exactly(),
        width: film.width,
        height: film.height,
        duration_ms: Some(film.duration_ms),
    }
}

/// The medium at the address that gives it, where the platform fetches it.
fn handed_over(medium: &Media, source: &Source, seen: Seen) -> Fit {
    let mut notes = Vec::new();
    let is_moved = Url::parse(&medium.url).is_ok_and(|url| url != source.url);
    if is_moved {
        notes.push(format!("it is at `{}` now", http::shown(&source.url)));
    }
    notes.extend(misnamed(source.content_type.as_deref(), &seen.media_type));
    let url = if is_moved { source.url.to_string() } else { medium.url.clone() };
    let media_type = Some(seen.media_type.clone());
    Fit { medium: Media { media_type, url, ..medium.clone() }, seen: Some(seen), notes }
}

/// What a platform may stumble over that goes by what the server calls it.
fn misnamed(said: Option<&str>, is: &str) -> Option<String> {
    let said = said?.split(';').next()?.trim();
    (!said.eq_ignore_ascii_case(is))
        .then(|| format!("its server calls it `{said}`, and it is `{is}`: the platform may refuse"))
}
