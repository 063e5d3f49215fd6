//! Media: which images and videos of an entry go to an account, in which order.
//!
//! What the entry's control names comes before what the feed carries, and that before what the
//! content shows. Where a post has either media or a link card, pictures that are only a part of an
//! article give way to the card. **Invariant:** each medium goes once, and its address is one of the
//! web; what the platform never takes is left out, with a note. **Refuses:** to look at the media
//! themselves: that is for whoever fetches them.

use std::collections::HashMap;

use url::Url;

use super::template::Template;
use super::values::Values;
use super::{Subject, count, reach, truncate, web_address};
use crate::draft::{self, Channel, Media};
use crate::entry::Markup;
use crate::platform::{Cards, Limits, MediaLimits, Unit, Way};
use crate::settings::{AltRule, MediaFrom, MediaOrCard};

mod html; // images and videos in the content
mod srcset; // one image in several sizes

/// How many of one entry are looked at.
const MEDIA_MAX: usize = 200;
/// The longest name of a file in a note, in characters.
const NAME_MAX: usize = 60;

/// What should go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The media, in order; empty where the link card goes instead.
    pub media: Vec<Media>,
    /// What was left out or changed, for the owner: lower case, no full stop.
    pub notes: Vec<String>,
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
        return Wanted { media: Vec::new(), notes: vec![note] };
    }
    keep_one_kind(&mut found, &limits, &mut notes);
    keep_count(&mut found, &limits, subject, &mut notes);
    let mut media: Vec<Media> = found.into_iter().map(|one| one.medium).collect();
    for medium in &mut media {
        shorten_alt(medium, &limits, &mut notes);
    }
    if subject.settings.alt != AltRule::Ignore {
        let bare = media.iter().filter(|medium| lacks_alt(medium, &limits));
        notes.extend(bare.map(|medium| format!("no alt text: {}", medium.url)));
    }
    Wanted { media, notes }
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

/// A medium, and where it was found.
#[derive(Debug)]
struct Found {
    medium: Media,
    /// Whether the control or the feed names it: it is more than a part of the content.
    is_named: bool,
    /// Whether its author says that it only decorates.
    is_decorative: bool,
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

/// Everything that the entry has, each once.
fn gathered(subject: &Subject<'_>) -> Vec<Found> {
    let Subject { entry, settings, .. } = *subject;
    let said = settings.media.as_deref();
    match (settings.media_from, said) {
        (MediaFrom::None, _) | (MediaFrom::Control, None) => return Vec::new(),
        _ => {}
    }
    let mut gathered = Gathered::default();
    for medium in said.unwrap_or(&entry.media) {
        gathered.take(medium.clone(), &[], Place::Named);
    }
    // where the control names them, the rest only tells more of them
    let is_open = said.is_none();
    if !is_open {
        entry.media.iter().for_each(|medium| gathered.tell(medium.clone(), &[]));
    }
    let has_gaps = gathered.found.iter().any(|one| one.medium.alt.is_none());
    if let (Some(Markup::Html(content)), true) =
        (entry.content.as_ref().or(entry.summary.as_ref()), is_open || has_gaps)
    {
        let base = web_address(entry).or(entry.alternate_url.as_deref());
        let base = base.and_then(|url| Url::parse(url).ok());
        for seen in html::read(content, base.as_ref()) {
            let html::Seen { medium, others, has_alt } = seen;
            let is_decorative = has_alt && medium.alt.is_none();
            match is_open {
                true if is_decorative => gathered.take(medium, &others, Place::Decoration),
                true => gathered.take(medium, &others, Place::Content),
                false => gathered.tell(medium, &others),
            }
        }
    }
    gathered.found
}

/// Where a medium stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Named,
    Content,
    Decoration,
}

/// Media in order, each once.
#[derive(Default)]
struct Gathered {
    found: Vec<Found>,
    /// Where in `found` each address is.
    known: HashMap<String, usize>,
}

impl Gathered {
    /// Adds a medium, or what is new about one that is known; `others` are its addresses in other
    /// sizes.
    fn take(&mut self, mut medium: Media, others: &[String], place: Place) {
        if !is_of_web(&medium.url) {
            return;
        }
        medium.poster_url = medium.poster_url.filter(|url| is_of_web(url));
        if let Some(known) = self.find(&medium, others) {
            self.found[known].is_decorative &= place == Place::Decoration;
            self.add_to(known, medium, others);
        } else if self.found.len() < MEDIA_MAX {
            self.note(self.found.len(), &medium.url, others);
            let (is_named, is_decorative) = (place == Place::Named, place == Place::Decoration);
            self.found.push(Found { medium, is_named, is_decorative });
        }
    }

    /// Adds what is new about a medium, where it is known.
    fn tell(&mut self, medium: Media, others: &[String]) {
        if let Some(known) = self.find(&medium, others) {
            self.add_to(known, medium, others);
        }
    }

    fn find(&self, medium: &Media, others: &[String]) -> Option<usize> {
        let urls = std::iter::once(&medium.url).chain(others);
        urls.filter_map(|url| self.known.get(&key(url))).copied().next()
    }

    fn add_to(&mut self, known: usize, told: Media, others: &[String]) {
        self.note(known, &told.url, others);
        let medium = &mut self.found[known].medium;
        let blank = |alt: &String| alt.trim().is_empty();
        medium.alt = medium.alt.take().filter(|alt| !blank(alt)).or(told.alt);
        medium.poster_url = medium.poster_url.take().or(told.poster_url);
        // `image/png` says more than `image`
        let is_vague = medium.media_type.as_deref().is_none_or(|it| !it.contains('/'));
        if is_vague && told.media_type.is_some() {
            medium.media_type = told.media_type;
        }
    }

    fn note(&mut self, at: usize, url: &str, others: &[String]) {
        self.known.entry(key(url)).or_insert(at);
        for other in others {
            self.known.entry(key(other)).or_insert(at);
        }
    }
}

/// What is the same of two addresses of one file: neither scheme nor fragment matter.
fn key(url: &str) -> String {
    let parsed = Url::parse(url).map(String::from);
    let whole = parsed.as_deref().unwrap_or(url);
    let rest = whole.split_once("://").map_or(whole, |(_, rest)| rest);
    rest.split('#').next().unwrap_or_default().to_owned()
}

fn is_of_web(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|it| it == "http" || it == "https")
        && Url::parse(url).is_ok_and(|url| url.has_host())
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

/// Leaves out what is beyond the platform's number, or the owner's.
fn keep_count(
    found: &mut Vec<Found>,
    limits: &MediaLimits,
    subject: &Subject<'_>,
    notes: &mut Vec<String>,
) {
    let own = subject.settings.media_max.unwrap_or(u32::MAX);
    let max = limits.count_max.min(own) as usize;
    if found.len() <= max {
        return;
    }
    let what = counted(max, Kind::of_all(found));
    let goes = if max == 1 { "goes" } else { "go" };
    let whose = if own < limits.count_max { " (media_max)" } else { "" };
    let left = found.len() - max;
    notes.push(format!("at most {what} {goes}{whose}: {left} left out"));
    found.truncate(max);
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
