//! HTML: the images and videos that a content shows, in order.
//!
//! Lazy loading hides an image's address in `data-src`; what is in `src` then is a placeholder.
//! **Invariant:** linear in the content; every address that comes out is absolute, and of the web.
//! **Refuses:** images that only count readers, stand for a sign, or are not shown.

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TokenSinkResult};
use url::Url;

use super::srcset::{self, Candidate};
use crate::draft::{self, Media};
use crate::text;
use crate::text::reader::{self, Taker, attribute};

/// How many of one content are read.
const SEEN_MAX: usize = 100;
/// How many figures may be open in each other.
const DEPTH_MAX: usize = 32;
/// The longest address that is taken.
const URL_BYTES_MAX: usize = 4096;
/// The longest caption that is read, in bytes; no platform takes so long an alternative text.
const CAPTION_BYTES_MAX: usize = 40_000;
/// Pixels: what is smaller on a side is a button, an icon, or counts readers.
const SIDE_MIN: f32 = 64.0;
/// Where scripts that load images late keep the address, and the sizes.
const LATE: &[&str] = &["data-src", "data-lazy-src", "data-original"];
const LATE_SETS: &[&str] = &["data-srcset", "data-lazy-srcset"];
/// Video types, those that most platforms take first.
const VIDEOS: &[&str] = &["video/mp4", "video/quicktime", "video/webm"];

/// An image or a video.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it is. Without an `alt` that says something, it has none.
    pub medium: Media,
    /// Its addresses in other sizes and formats.
    pub others: Vec<String>,
    /// Whether it has the attribute `alt`, which may be empty.
    pub has_alt: bool,
}

/// Reads a content, which stands at `base`.
pub fn read(html: &str, base: Option<&Url>) -> Vec<Seen> {
    let is_named = |tag: &str| {
        let starts = |name: &str| tag.get(..3).is_some_and(|it| it.eq_ignore_ascii_case(name));
        starts("img") || starts("vid")
    };
    if !html.split('<').skip(1).any(is_named) {
        return Vec::new(); // as most
    }
    let reader = Reader { base, ..Reader::default() };
    let mut reader = reader::read(html, reader, |reader| reader.seen.len() >= SEEN_MAX);
    reader.end_video();
    while !reader.figures.is_empty() {
        reader.end_figure();
    }
    reader.seen.truncate(SEEN_MAX);
    reader.seen
}

#[derive(Default)]
struct Reader<'u> {
    base: Option<&'u Url>,
    seen: Vec<Seen>,
    figures: Vec<Figure>,
    /// The sources of the `picture` that is open.
    picture: Option<Vec<Candidate>>,
    video: Option<Video>,
    /// `template` elements that are open: what is in them is not shown.
    templates: usize,
}

/// A figure that is open.
struct Figure {
    /// How many media came before it.
    before: usize,
    caption: String,
    /// Whether its caption is open.
    is_open: bool,
}

/// A video that is open.
struct Video {
    sources: Vec<(String, Option<String>)>,
    poster_url: Option<String>,
    label: Option<String>,
}

impl Taker for Reader<'_> {
    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let raw = match name {
            "script" => Some(RawKind::ScriptData),
            "style" | "iframe" | "noembed" | "noframes" | "xmp" => Some(RawKind::Rawtext),
            "title" | "textarea" => Some(RawKind::Rcdata),
            _ => None,
        };
        if let Some(raw) = raw {
            return TokenSinkResult::RawData(raw);
        }
        if name == "template" {
            self.templates += 1;
        }
        if self.templates > 0 {
            return TokenSinkResult::Continue;
        }
        match name {
            "img" => self.image(tag),
            "picture" => self.picture = Some(Vec::new()),
            "source" => self.source(tag),
            "video" => self.video(tag),
            "figure" if self.figures.len() < DEPTH_MAX => {
                let (before, caption) = (self.seen.len(), String::new());
                self.figures.push(Figure { before, caption, is_open: false });
            }
            "figcaption" => {
                if let Some(figure) = self.figures.last_mut() {
                    figure.is_open = true;
                }
            }
            // words of two paragraphs are two words
            "p" | "br" | "div" | "li" => self.text(" "),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn close(&mut self, name: &str) {
        if name == "template" {
            self.templates = self.templates.saturating_sub(1);
        }
        if self.templates > 0 {
            return;
        }
        match name {
            "picture" => self.picture = None,
            "video" => self.end_video(),
            "figure" => self.end_figure(),
            "figcaption" => {
                if let Some(figure) = self.figures.last_mut() {
                    figure.is_open = false;
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let figure = self.figures.last_mut().filter(|it| it.is_open && self.templates == 0);
        if let Some(figure) = figure
            && figure.caption.len() < CAPTION_BYTES_MAX
        {
            figure.caption.push_str(text);
        }
    }
}

impl Reader<'_> {
    fn image(&mut self, tag: &Tag) {
        // what stands in a video is for those who have none
        let sources = self.picture.take();
        if self.video.is_some() || is_left_out(tag) {
            return;
        }
        let late = LATE.iter().find_map(|name| attribute(tag, name));
        let late_set = LATE_SETS.iter().find_map(|name| attribute(tag, name));
        let shown = pixels(tag, "width").map(|width| width as u32);
        let mut candidates = sources.unwrap_or_default();
        let is_late = late.is_some() || late_set.is_some();
        let set = late_set.or_else(|| attribute(tag, "srcset").filter(|_| !is_late));
        self.add_set(&mut candidates, set.unwrap_or_default(), shown, None, false);
        if let Some(src) = late.or_else(|| attribute(tag, "src").filter(|_| !is_late))
            && let Some(url) = self.absolute(src)
        {
            let width = shown.unwrap_or(0);
            candidates.push(Candidate { url, width, media_type: None, is_conditional: false });
        }
        let Some(best) = srcset::best(&candidates) else { return };
        let media_type = best.kind().filter(|kind| kind.starts_with("image/")).unwrap_or("image");
        let alt = attribute(tag, "alt");
        let medium = Media {
            media_type: Some(media_type.to_owned()),
            url: best.url.clone(),
            alt: alt.map(text::fold).filter(|alt| !alt.is_empty()),
            ..Media::default()
        };
        let mut others: Vec<String> = candidates.into_iter().map(|it| it.url).collect();
        others.retain(|other| *other != medium.url);
        others.dedup();
        self.seen.push(Seen { medium, others, has_alt: alt.is_some() });
    }

    /// A source of a picture or of a video.
    fn source(&mut self, tag: &Tag) {
        let kind = attribute(tag, "type").map(plain_type).filter(|kind| !kind.is_empty());
        if let Some(mut picture) = self.picture.take() {
            let set = attribute(tag, "srcset").or_else(|| attribute(tag, "data-srcset"));
            let is_conditional = attribute(tag, "media").is_some_and(|it| !it.trim().is_empty());
            self.add_set(&mut picture, set.unwrap_or_default(), None, kind, is_conditional);
            self.picture = Some(picture);
        } else if let Some(url) = self.address(tag)
            && let Some(video) = self.video.as_mut().filter(|it| it.sources.len() < SEEN_MAX)
        {
            video.sources.push((url, kind));
        }
    }

    fn add_set(
        &self,
        candidates: &mut Vec<Candidate>,
        set: &str,
        shown: Option<u32>,
        media_type: Option<String>,
        is_conditional: bool,
    ) {
        for (written, width) in srcset::parts(set, shown) {
            let Some(url) = self.absolute(written) else { continue };
            let media_type = media_type.clone();
            if candidates.len() < SEEN_MAX {
                candidates.push(Candidate { url, width, media_type, is_conditional });
            }
        }
    }

    fn video(&mut self, tag: &Tag) {
        self.end_video();
        let label = ["aria-label", "title"].iter().find_map(|name| attribute(tag, name));
        self.video = Some(Video {
            sources: self.address(tag).map(|url| (url, None)).into_iter().collect(),
            poster_url: attribute(tag, "poster").and_then(|poster| self.absolute(poster)),
            label: label.map(text::fold).filter(|label| !label.is_empty()),
        });
    }

    fn end_video(&mut self) {
        let Some(Video { sources, poster_url, label }) = self.video.take() else { return };
        let kind_of = |(url, kind): &(String, Option<String>)| -> Option<String> {
            kind.clone().or_else(|| draft::type_by_name(url).map(str::to_owned))
        };
        // a list of pieces, as for streaming, is no video
        let rank = |source: &&(String, Option<String>)| match kind_of(source) {
            Some(kind) => VIDEOS.iter().position(|known| *known == kind),
            None => Some(VIDEOS.len()),
        };
        let usable = sources.iter().filter(|source| rank(source).is_some());
        let Some(best) = usable.min_by_key(rank) else { return };
        let media_type = Some(kind_of(best).unwrap_or_else(|| "video".to_owned()));
        let others = sources.iter().filter(|it| it.0 != best.0).map(|it| it.0.clone()).collect();
        let has_alt = label.is_some();
        let medium =
            Media { media_type, url: best.0.clone(), poster_url, alt: label, ..Media::default() };
        self.seen.push(Seen { medium, others, has_alt });
    }

    /// Ends a figure: its caption describes the one medium that it has, where nothing else does.
    fn end_figure(&mut self) {
        let Some(figure) = self.figures.pop() else { return };
        let caption = text::fold(&figure.caption);
        if let [only] = self.seen.get_mut(figure.before..).unwrap_or_default()
            && !only.has_alt
            && !caption.is_empty()
        {
            only.medium.alt = Some(caption);
        }
    }

    /// The address of an element, wherever it keeps it.
    fn address(&self, tag: &Tag) -> Option<String> {
        let late = LATE.iter().find_map(|name| attribute(tag, name));
        self.absolute(late.or_else(|| attribute(tag, "src"))?)
    }

    /// An address as seen from where the content stands: as it is written where it is absolute.
    fn absolute(&self, written: &str) -> Option<String> {
        let written = written.trim();
        if written.is_empty() || written.len() > URL_BYTES_MAX {
            return None;
        }
        let is_clean = !written.contains(|c: char| c.is_whitespace() || c.is_control());
        let url = match Url::parse(written) {
            Ok(url) if is_clean && url.as_str().contains("://") => (url, Some(written)),
            Ok(url) => (url, None),
            Err(url::ParseError::RelativeUrlWithoutBase) => (self.base?.join(written).ok()?, None),
            Err(_) => return None,
        };
        let (url, as_written) = url;
        let is_of_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        is_of_web.then(|| as_written.map_or_else(|| url.to_string(), str::to_owned))
    }
}

/// Whether an image is none for readers: it counts them, stands for a sign, or is not shown.
fn is_left_out(tag: &Tag) -> bool {
    let is_tiny = ["width", "height"].iter().any(|side| pixels(tag, side).is_some_and(is_short));
    let class = attribute(tag, "class").unwrap_or_default().to_ascii_lowercase();
    let is_sign = class.contains("emoji") || class.contains("smiley") || class.contains("emoticon");
    let is_sign = is_sign || attribute(tag, "alt").is_some_and(text::is_sign);
    let style = attribute(tag, "style").unwrap_or_default().replace(' ', "");
    let is_hidden = attribute(tag, "hidden").is_some() || style.contains("display:none");
    let is_late = LATE.iter().chain(LATE_SETS).any(|name| attribute(tag, name).is_some());
    is_tiny || is_sign || (is_hidden && !is_late)
}

fn is_short(side: f32) -> bool {
    side < SIDE_MIN
}

/// What `width` or `height` says in pixels; none where that is a share of the page.
fn pixels(tag: &Tag, side: &str) -> Option<f32> {
    let said = attribute(tag, side)?.trim();
    let number: f32 = said.strip_suffix("px").unwrap_or(said).trim_end().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// A media type without its parameters.
fn plain_type(said: &str) -> String {
    said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
