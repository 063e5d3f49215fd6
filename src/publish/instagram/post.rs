//! Post: a draft to the parameters of its containers.
//!
//! **Refuses:** what Instagram would refuse for its length or number; the composer has seen to it
//! already, but a draft of before may be older than its rules.

use serde::{Deserialize, Serialize};

use crate::crosspost::Failure;
use crate::draft::{Channel, Draft, Media};
use crate::publish::meta::params::{self, Param, is_video};

/// Instagram's limit. In what it is counted is not documented: code points.
const CAPTION_CHARS_MAX: usize = 2200;
/// The most parts of a carousel.
const PARTS_MAX: usize = 10;

/// What a post is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One image.
    #[default]
    Image,
    /// One video.
    Reel,
    /// Two to ten images and videos.
    Carousel,
    /// One image or video for a day, without words.
    Story,
}

/// What the containers of a post are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// What it is.
    pub kind: Kind,
    /// Its text; empty for a story.
    pub caption: String,
    /// The entry's URL, where the caption shows it.
    pub link: Option<String>,
    /// Parameters of the container that is published, but for `children`.
    pub params: Vec<Param>,
    /// Parameters of the parts of a carousel; else nothing.
    pub parts: Vec<Vec<Param>>,
}

impl Post {
    /// What `draft` becomes.
    ///
    /// # Errors
    /// `Content` where Instagram would surely refuse it.
    pub fn of(draft: &Draft) -> Result<Self, Failure> {
        let Some(first) = draft.media.first() else {
            return Err(Failure::content("Instagram takes no post without an image or a video"));
        };
        if draft.channel == Channel::Story {
            let mut params = vec![("media_type", "STORIES".into())];
            params.push(address(first));
            let (caption, link, parts) = (String::new(), None, Vec::new());
            return Ok(Self { kind: Kind::Story, caption, link, params, parts });
        }
        let caption = draft.text.clone();
        let count = caption.chars().count();
        if count > CAPTION_CHARS_MAX {
            return Err(Failure::content(format!(
                "the caption has {count} characters, and Instagram takes {CAPTION_CHARS_MAX}"
            )));
        }
        let (kind, mut params, parts) = match draft.media.as_slice() {
            [only] if is_video(only) => {
                (Kind::Reel, vec![("media_type", "REELS".into()), address(only)], Vec::new())
            }
            [only] => (Kind::Image, image(only), Vec::new()),
            several if several.len() <= PARTS_MAX => {
                let parts = several.iter().map(part).collect();
                (Kind::Carousel, vec![("media_type", "CAROUSEL".into())], parts)
            }
            several => {
                let message = format!(
                    "{} media are too many, and Instagram takes {PARTS_MAX}",
                    several.len()
                );
                return Err(Failure::content(message));
            }
        };
        if !caption.is_empty() {
            params.push(("caption", caption.clone()));
        }
        let urls = [&draft.posted_url, &draft.canonical_url];
        let link = urls.into_iter().flatten().find(|url| caption.contains(url.as_str())).cloned();
        Ok(Self { kind, caption, link, params, parts })
    }

    /// Tells two posts apart. Hex.
    pub fn fingerprint(&self) -> String {
        let all = serde_json::json!([self.params, self.parts]);
        params::fingerprint(&all)
    }
}

fn address(medium: &Media) -> Param {
    (if is_video(medium) { "video_url" } else { "image_url" }, medium.url.clone())
}

/// An image, alone or in a carousel. Only images have an alternative text there.
fn image(medium: &Media) -> Vec<Param> {
    [address(medium)].into_iter().chain(params::alt("alt_text", medium)).collect()
}

/// A part of a carousel. A video is `VIDEO` there, and `REELS` alone.
fn part(medium: &Media) -> Vec<Param> {
    let mut params = if is_video(medium) {
        vec![("media_type", "VIDEO".into()), address(medium)]
    } else {
        image(medium)
    };
    params.push(("is_carousel_item", "true".into()));
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(kind: &str, url: &str, alt: Option<&str>) -> Media {
        Media {
            media_type: Some(kind.into()),
            url: url.into(),
            alt: alt.map(str::to_owned),
            ..Media::default()
        }
    }

    fn shown(params: &[Param]) -> String {
        params.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }

    fn check(draft: Draft, kind: Kind, expect: &str, parts: &[&str]) {
        let post = Post::of(&draft).unwrap();
        assert_eq!((post.kind, shown(&post.params).as_str()), (kind, expect));
        assert_eq!(post.parts.iter().map(|part| shown(part)).collect::<Vec<_>>(), parts);
    }

    #[test]
    fn a_draft_becomes_parameters() {
        let image = media("image/jpeg", "https://a.example/1.jpg", Some("a cat"));
        let video = media("video/mp4", "https://a.example/1.mp4", Some("a dog"));
        let of = |media: &[&Media]| Draft {
            text: "Hello".into(),
            media: media.iter().map(|medium| (*medium).clone()).collect(),
            ..Draft::default()
        };
        check(
            of(&[&image]),
            Kind::Image,
            "image_url=https://a.example/1.jpg alt_text=a cat caption=Hello",
            &[],
        );
        check(
            of(&[&video]),
            Kind::Reel,
            "media_type=REELS video_url=https://a.example/1.mp4 caption=Hello",
            &[],
        );
        check(
            of(&[&video, &image]),
            Kind::Carousel,
            "media_type=CAROUSEL caption=Hello",
            &[
                "media_type=VIDEO video_url=https://a.example/1.mp4 is_carousel_item=true",
                "image_url=https://a.example/1.jpg alt_text=a cat is_carousel_item=true",
            ],
        );
        let story = |media: &[&Media]| Draft { channel: Channel::Story, ..of(media) };
        let expect = "media_type=STORIES image_url=https://a.example/1.jpg";
        check(story(&[&image, &video]), Kind::Story, expect, &[]);
        let expect = "media_type=STORIES video_url=https://a.example/1.mp4";
        check(story(&[&video]), Kind::Story, expect, &[]);
    }

    #[test]
    fn what_instagram_would_refuse_is_not_sent() {
        let check = |draft: Draft, expect: &str| {
            let failure = Post::of(&draft).unwrap_err();
            assert_eq!((failure.class.as_str(), failure.message.as_str()), ("content", expect));
        };
        let image = media("image", "https://a.example/1.jpg", None);
        check(Draft::default(), "Instagram takes no post without an image or a video");
        let text = "é".repeat(2201);
        let long = Draft { text, media: vec![image.clone()], ..Draft::default() };
        check(long, "the caption has 2201 characters, and Instagram takes 2200");
        let many = Draft { media: vec![image; 11], ..Draft::default() };
        check(many, "11 media are too many, and Instagram takes 10");
    }

    #[test]
    fn the_link_is_that_which_the_caption_shows() {
        let check = |text: &str, expect: Option<&str>| {
            let draft = Draft {
                text: text.into(),
                canonical_url: Some("https://a.example/1".into()),
                posted_url: Some("https://a.example/1?utm_source=instagram".into()),
                media: vec![media("image", "https://a.example/1.jpg", None)],
                ..Draft::default()
            };
            assert_eq!(Post::of(&draft).unwrap().link.as_deref(), expect);
        };
        check("Hello", None);
        check("Hello\n\nhttps://a.example/1", Some("https://a.example/1"));
        let posted = "https://a.example/1?utm_source=instagram";
        check(&format!("Hello {posted}"), Some(posted));
    }
}
