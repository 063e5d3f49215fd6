//! Gather: everything that an entry has of images and videos, in order, each once.

use std::collections::HashMap;

use url::Url;

use super::html;
use crate::compose::{Subject, web_address};
use crate::draft::Media;
use crate::entry::Markup;
use crate::settings::MediaFrom;

/// How many of one entry are looked at.
const MEDIA_MAX: usize = 200;

/// A medium, and where it was found.
#[derive(Debug)]
pub struct Found {
    /// The medium, as far as it is known.
    pub medium: Media,
    /// Whether the control or the feed names it: it is more than a part of the content.
    pub is_named: bool,
    /// Whether its author says that it only decorates.
    pub is_decorative: bool,
}

/// Everything that the entry has, each once.
pub fn gathered(subject: &Subject<'_>) -> Vec<Found> {
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
