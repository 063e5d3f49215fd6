//! Media: the images, videos and sounds that an entry names.
//!
//! From enclosures, Media RSS (also in groups) and Apple's image. A thumbnail is the poster of the
//! video that it stands beside. A picture that only stands for the entry counts where there is no
//! other image, and is no poster.

use super::address;
use super::element::Element;
use super::entities::Entities;
use super::entry::Surroundings;
use super::markup;
use super::namespace::Namespace::{Core, Itunes, Media as Mrss};
use crate::draft::{self, Media};
use crate::text::{fold, html_to_line};

/// How many of one entry are read.
const MEDIA_MAX: usize = 100;

/// Adds what `item` names to `media`.
pub(super) fn read(
    item: &Element<'_>,
    around: &Surroundings,
    entities: &Entities,
    media: &mut Vec<Media>,
) {
    let mut reading = Reading { around, entities, media, pictures: Vec::new() };
    let poster = reading.thumbnail(item);
    reading.children(item, Around { alt: None, poster: poster.as_deref() });
    let has_image = reading.media.iter().any(|one| family(one) == Some("image"));
    for picture in std::mem::take(&mut reading.pictures) {
        let is_poster = reading.media.iter().any(|it| it.poster_url.as_ref() == Some(&picture.url));
        if !has_image && !is_poster {
            add(reading.media, picture);
        }
    }
}

/// What the elements around a medium say of it.
#[derive(Clone, Copy)]
struct Around<'a> {
    alt: Option<&'a str>,
    poster: Option<&'a str>,
}

struct Reading<'r> {
    around: &'r Surroundings,
    entities: &'r Entities,
    media: &'r mut Vec<Media>,
    pictures: Vec<Media>,
}

impl Reading<'_> {
    fn children(&mut self, parent: &Element<'_>, said: Around<'_>) {
        for child in &parent.children {
            match (child.namespace, &*child.name) {
                (Core, "enclosure") => self.one(child, said),
                (Core, "link") if self.is_rel(child, "enclosure") => self.one(child, said),
                (Core, "content") if child.attributes.contains("src") => {
                    let media_type = child.attribute(self.entities, "type");
                    if media_type.is_some_and(|media_type| is_media(&media_type)) {
                        self.one(child, said);
                    }
                }
                (Mrss, "content" | "group") => {
                    let alt = self.description(child);
                    let poster = self.thumbnail(child);
                    let said = Around {
                        alt: alt.as_deref().or(said.alt),
                        poster: poster.as_deref().or(said.poster),
                    };
                    if &*child.name == "content" {
                        self.one(child, said);
                    }
                    self.children(child, said);
                }
                (Mrss, "thumbnail") | (Itunes, "image") => self.picture(child, said),
                (Itunes, "link") if self.is_rel(child, "image") => self.picture(child, said),
                _ => {}
            }
        }
    }

    fn is_rel(&self, element: &Element<'_>, expect: &str) -> bool {
        let rel = element.attribute(self.entities, "rel");
        rel.is_some_and(|rel| rel.trim().eq_ignore_ascii_case(expect))
    }

    fn one(&mut self, element: &Element<'_>, said: Around<'_>) {
        if let Some(one) = self.media_of(element, said) {
            add(self.media, one);
        }
    }

    fn picture(&mut self, element: &Element<'_>, said: Around<'_>) {
        if let Some(one) = self.media_of(element, said)
            && self.pictures.len() < MEDIA_MAX
        {
            let media_type = one.media_type.or_else(|| Some("image".to_owned()));
            self.pictures.push(Media { media_type, ..one });
        }
    }

    fn media_of(&self, element: &Element<'_>, said: Around<'_>) -> Option<Media> {
        let attribute = |name| {
            let value = element.attribute(self.entities, name)?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let url = attribute("url").or_else(|| attribute("href")).or_else(|| attribute("src"));
        let url = url.or_else(|| {
            element.children.is_empty().then(|| element.text(self.entities).into_owned())
        })?;
        let url = address::absolute(&self.around.base, &url)?;
        let media_type = attribute("type").map(|media_type| media_type.to_ascii_lowercase());
        let media_type = media_type.filter(|media_type| media_type.contains('/'));
        let media_type = media_type.or_else(|| draft::type_by_name(&url).map(str::to_owned));
        let medium = attribute("medium").filter(|m| matches!(&**m, "image" | "video" | "audio"));
        let alt = attribute("alt").or_else(|| said.alt.map(str::to_owned));
        let mut one = Media { media_type: media_type.or(medium), url, alt, ..Media::default() };
        if family(&one) == Some("video") {
            one.poster_url = said.poster.map(str::to_owned);
        }
        Some(one)
    }

    /// The address of the first `media:thumbnail` among the children.
    fn thumbnail(&self, parent: &Element<'_>) -> Option<String> {
        let element = parent.all(Mrss, "thumbnail").next()?;
        address::absolute(&self.around.base, &element.attribute(self.entities, "url")?)
    }

    /// `media:description` among the children, as one line.
    fn description(&self, parent: &Element<'_>) -> Option<String> {
        let element = parent.all(Mrss, "description").next()?;
        let text = element.text(self.entities);
        let is_html = markup::looks_like_html(&text, true);
        let line = if is_html { html_to_line(&text) } else { fold(&text) };
        (!line.is_empty()).then_some(line)
    }
}

/// Adds one, or what is new about one known by its address.
pub(super) fn add(media: &mut Vec<Media>, one: Media) {
    let full = media.len() >= MEDIA_MAX;
    match media.iter_mut().find(|known| known.url == one.url) {
        Some(known) => {
            known.media_type = known.media_type.take().or(one.media_type);
            known.alt = known.alt.take().or(one.alt);
            known.poster_url = known.poster_url.take().or(one.poster_url);
        }
        None if full => {}
        None => media.push(one),
    }
}

/// Whether a media type is an image, a video or a sound.
pub(in crate::feed) fn is_media(media_type: &str) -> bool {
    ["image", "video", "audio"].contains(&media_type.split('/').next().unwrap_or_default())
}

fn family(media: &Media) -> Option<&str> {
    media.media_type.as_deref().and_then(|media_type| media_type.split('/').next())
}
