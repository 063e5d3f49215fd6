//! Media: which images and videos of an entry go to an account, in which order.
//!
//! What the entry's control names comes before what the feed carries, and that before what the
//! content shows. Where a post has either media or a link card, pictures that are only a part of an
//! article give way to the card. **Invariant:** each medium goes once, and its address is one of the
//! web; what the platform never takes is left out, with a note. **Refuses:** to look at the media
//! themselves: that is for whoever fetches them.

use super::template::Template;
use super::values::Values;
use super::{Subject, count, reach, truncate, web_address};
use crate::draft::{self, Channel, Media};
use crate::platform::{Cards, Limits, MediaLimits, Unit, Way};
use crate::settings::{AltRule, MediaOrCard};
use gather::{Found, gathered};

mod gather; // where they come from
mod html; // images and videos in the content
mod srcset; // one image in several sizes

/// The longest name of a file in a note, in characters.
const NAME_MAX: usize = 60;

/// What should go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The media, in order; empty where the link card goes instead.
    pub media: Vec<Media>,
    /// Some of those beyond the number that goes, in order: for the places of media that turn out
    /// to be nothing to show, to be there already, or not to be had.
    pub spare: Vec<Media>,
    /// What was left out or changed, for the owner: lower case, no full stop.
    notes: Vec<String>,
    beyond: Option<Beyond>,
    /// What is to be said of each of `spare`, where it goes; empty: nothing.
    of_spare: Vec<String>,
}

/// What is beyond the number that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Beyond {
    /// Where it stands among the notes.
    at: usize,
    /// What is said of it: `at most 4 images go`.
    words: String,
    count: usize,
}

impl Wanted {
    /// These, and nothing to be said of them.
    pub fn of(media: Vec<Media>) -> Self {
        Self { media, ..Self::default() }
    }

    /// What was left out or changed, where so many of `spare` go after all.
    pub fn notes(&self, spares: usize) -> Vec<String> {
        let mut notes = self.notes.clone();
        if let Some(Beyond { at, words, count }) = &self.beyond
            && *count > spares
        {
            notes.insert(*at, format!("{words}: {} left out", count - spares));
        }
        let of_spare = self.of_spare.iter().take(spares).filter(|note| !note.is_empty());
        notes.extend(of_spare.cloned());
        notes
    }
}

/// The media that should go, whether they can be had or not.
pub fn wanted(subject: &Subject<'_>) -> Wanted {
    let limits = match subject.settings.channel {
        Channel::Story => subject.media_limits.of_story(),
        Channel::Feed => *subject.media_limits,
    };
    let mut notes = Vec::new();
    let mut found = gathered(subject);
    keep_taken(&mut found, &limits, subject, &mut notes);
    if found.iter().any(|one| !one.is_decorative) {
        found.retain(|one| !one.is_decorative);
    }
    if !found.is_empty() && card_wins(subject, &found) {
        let what = counted(found.len(), Kind::of_all(&found));
        let note = format!("{what} of the content left out: the link card goes");
        return Wanted { notes: vec![note], ..Wanted::default() };
    }
    keep_one_kind(&mut found, &limits, &mut notes);
    let own = subject.settings.media_max.unwrap_or(u32::MAX);
    let max = limits.count_max.min(own) as usize;
    let beyond = (found.len() > max).then(|| {
        let what = counted(max, Kind::of_all(&found));
        let goes = if max == 1 { "goes" } else { "go" };
        let whose = if own < limits.count_max { " (media_max)" } else { "" };
        let words = format!("at most {what} {goes}{whose}");
        Beyond { at: notes.len(), words, count: found.len() - max }
    });
    let mut media: Vec<Media> = found.into_iter().map(|one| one.medium).take(2 * max).collect();
    let mut spare = media.split_off(max.min(media.len()));
    for medium in &mut media {
        shorten_alt(medium, &limits, &mut notes);
    }
    for medium in &mut spare {
        shorten_alt(medium, &limits, &mut Vec::new());
    }
    let rule = subject.settings.alt;
    if rule == AltRule::Require {
        // it was not held for these
        spare.retain(|medium| !lacks_alt(medium, &limits));
    }
    let bare = |medium: &Media| rule != AltRule::Ignore && lacks_alt(medium, &limits);
    let told = |medium: &Media| format!("no alt text: {}", medium.url);
    notes.extend(media.iter().filter(|medium| bare(medium)).map(told));
    let of_spare = spare.iter().map(|it| if bare(it) { told(it) } else { String::new() }).collect();
    Wanted { media, spare, notes, beyond, of_spare }
}

/// The names of the media that should go and have no alternative text.
pub fn without_alt(subject: &Subject<'_>) -> Vec<String> {
    let lacks = |medium: &&Media| lacks_alt(medium, subject.media_limits);
    wanted(subject).media.iter().filter(lacks).map(|medium| name(&medium.url)).collect()
}

/// Whether a medium is, or may be, a picture or a video.
pub fn is_seen(medium: &Media) -> bool {
    matches!(Kind::of(medium), Kind::Image | Kind::Drawing | Kind::Video)
}

fn lacks_alt(medium: &Media, limits: &MediaLimits) -> bool {
    let has_alt = medium.alt.as_deref().is_some_and(|alt| !alt.trim().is_empty());
    limits.alt_max > 0 && !has_alt && is_seen(medium)
}

/// What a medium is for a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Image,
    /// Made of lines (SVG): no platform takes one, and none is made into pixels.
    Drawing,
    Video,
    Sound,
    Other,
}

impl Kind {
    fn of(medium: &Media) -> Self {
        let said = medium.media_type.as_deref().or_else(|| draft::type_by_name(&medium.url));
        // what says nothing is most likely a picture, and is looked at before it goes
        let said = said.unwrap_or("image");
        match said.split('/').next().unwrap_or_default() {
            "image" if said.starts_with("image/svg") => Self::Drawing,
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" => Self::Sound,
            _ => Self::Other,
        }
    }

    /// What they all are; `Other` where they are not the same.
    fn of_all(found: &[Found]) -> Self {
        let mut kinds = found.iter().map(|one| Self::of(&one.medium));
        let first = kinds.next().unwrap_or(Self::Other);
        if kinds.all(|kind| kind == first) { first } else { Self::Other }
    }

    /// One of it, and several, for people.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Image => ("image", "images"),
            Self::Drawing => ("drawing", "drawings"),
            Self::Video => ("video", "videos"),
            Self::Sound => ("sound", "sounds"),
            Self::Other => ("medium", "media"),
        }
    }
}

/// Leaves out what the platform never takes.
fn keep_taken(
    found: &mut Vec<Found>,
    limits: &MediaLimits,
    subject: &Subject<'_>,
    notes: &mut Vec<String>,
) {
    let is_noted = limits.way == Way::Noted;
    let takes = |kind| match kind {
        Kind::Image => limits.image.is_some(),
        Kind::Video => limits.video.is_some(),
        Kind::Drawing | Kind::Sound | Kind::Other => is_noted,
    };
    let tag = subject.platform.tag();
    for kind in [Kind::Image, Kind::Drawing, Kind::Video, Kind::Sound, Kind::Other] {
        if takes(kind) {
            continue;
        }
        let (no, yes): (Vec<_>, Vec<_>) =
            found.drain(..).partition(|one| Kind::of(&one.medium) == kind);
        *found = yes;
        let (one, many) = kind.words();
        // what only decorates is missed by nobody
        let no: Vec<_> = no.iter().filter(|one| !one.is_decorative).collect();
        match no.as_slice() {
            [] => {}
            [only] => {
                let name = name(&only.medium.url);
                notes.push(format!("`{name}` left out: {tag} takes no {one}"));
            }
            several => notes.push(format!("{} {many} left out: {tag} takes none", several.len())),
        }
    }
}

/// Whether the link card goes instead: never where a post is nothing without media.
fn card_wins(subject: &Subject<'_>, found: &[Found]) -> bool {
    let Subject { settings, platform, .. } = *subject;
    let needs_media = platform.rules().needs_media || settings.channel == Channel::Story;
    if needs_media || !has_card(subject) {
        return false;
    }
    match settings.media_or_card {
        Some(MediaOrCard::Media) => false,
        Some(MediaOrCard::Card) => true,
        None => {
            let values = Values::of(subject, None, reach(subject.limits));
            !found.iter().any(|one| one.is_named) && !values.is_note()
        }
    }
}

/// Whether there would be a card without media.
fn has_card(subject: &Subject<'_>) -> bool {
    let settings = subject.settings;
    let is_in_text = || {
        let template = settings.format_string.as_deref().map(Template::parse);
        settings.append_url || template.is_some_and(|it| it.is_ok_and(|it| it.names("url")))
    };
    web_address(subject.entry).is_some()
        && match subject.platform.rules().card {
            Cards::Sent { .. } | Cards::Url => settings.attach_link,
            Cards::Crawled => is_in_text(),
            Cards::None => false,
        }
}

/// Where images and videos don't mix: the images, or the video that comes before them all.
fn keep_one_kind(found: &mut Vec<Found>, limits: &MediaLimits, notes: &mut Vec<String>) {
    let Some(first) = found.first().map(|one| Kind::of(&one.medium)) else { return };
    if limits.mix {
        return;
    }
    let before = found.len();
    let mut is_taken = false;
    found.retain(|one| {
        let fits = Kind::of(&one.medium) == first && !(first == Kind::Video && is_taken);
        is_taken |= fits;
        fits
    });
    if found.len() < before {
        let left = before - found.len();
        notes.push(match first {
            Kind::Video => format!("a video goes alone: {left} left out"),
            _ => format!("images and videos don't go together: {left} left out"),
        });
    }
}

fn shorten_alt(medium: &mut Media, limits: &MediaLimits, notes: &mut Vec<String>) {
    let alt = medium.alt.take().map(|alt| alt.trim().to_owned()).filter(|alt| !alt.is_empty());
    let within = Limits::of(Unit::CodePoints, limits.alt_max);
    medium.alt = match alt {
        Some(alt) if limits.alt_max > 0 && !count::fits(&alt, &within) => {
            let name = name(&medium.url);
            notes.push(format!("alt text of `{name}` shortened to {}", limits.alt_max));
            truncate::shorten(&alt, "", &within)
        }
        alt => alt.filter(|_| limits.alt_max > 0),
    };
}

fn counted(count: usize, kind: Kind) -> String {
    let (one, many) = kind.words();
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What people call a file: the last part of its path.
fn name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.char_indices().nth(NAME_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
