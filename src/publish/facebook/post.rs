//! Post: a draft to the parameters of its calls.
//!
//! **Refuses:** a link card beside media, which do not go together; a post of nothing.

use serde::{Deserialize, Serialize};

use crate::crosspost::Failure;
use crate::draft::{Draft, Media};
use crate::publish::meta::params::{self, Param, is_video};

/// The most photos of one post: what other publishers keep to; no document says.
const PHOTOS_MAX: usize = 10;

/// What a post is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text, with or without a link.
    #[default]
    Text,
    /// One photo.
    Photo,
    /// Several photos.
    Photos,
    /// One video, which Facebook shows as a reel.
    Video,
}

/// What a post is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub message: String,
    /// The link of its card.
    pub link: Option<String>,
    /// Parameters of the call that makes it, but for `attached_media`.
    pub params: Vec<Param>,
    /// Parameters of the photos that are made before, unseen.
    pub photos: Vec<Vec<Param>>,
}

impl Post {
    /// What `draft` becomes.
    ///
    /// # Errors
    /// `Content` where Facebook would surely refuse it.
    pub fn of(draft: &Draft) -> Result<Self, Failure> {
        let message = draft.text.clone();
        let card = draft.card.as_ref().filter(|_| draft.media.is_empty());
        let link = card.map(|card| card.url.clone());
        let said = |key| (!message.is_empty()).then(|| (key, message.clone()));
        let is_public = ("published", "true".to_owned());
        let (kind, params, photos) = match draft.media.as_slice() {
            [] if message.trim().is_empty() && link.is_none() => {
                return Err(Failure::content("there is nothing to post: no text, no link"));
            }
            [] => {
                let link = link.clone().map(|link| ("link", link));
                let params = said("message").into_iter().chain(link).chain([is_public]);
                (Kind::Text, params.collect(), Vec::new())
            }
            [only] if is_video(only) => {
                let address = ("file_url", only.url.clone());
                let params = [address].into_iter().chain(said("description")).chain([is_public]);
                (Kind::Video, params.collect(), Vec::new())
            }
            [only] => {
                let params = photo(only).chain(said("caption")).chain([is_public]);
                (Kind::Photo, params.collect(), Vec::new())
            }
            several if several.iter().any(is_video) => {
                let message = "Facebook takes no video together with others";
                return Err(Failure::content(message));
            }
            several if several.len() > PHOTOS_MAX => {
                let count = several.len();
                let message =
                    format!("{count} photos are too many, and Facebook takes {PHOTOS_MAX}");
                return Err(Failure::content(message));
            }
            several => {
                let unseen = || [("published", "false".to_owned())];
                let photos = several.iter().map(|it| photo(it).chain(unseen()).collect());
                let params = said("message").into_iter().chain([is_public]);
                (Kind::Photos, params.collect(), photos.collect())
            }
        };
        Ok(Self { kind, message, link, params, photos })
    }

    /// Tells two posts apart. Hex.
    pub fn fingerprint(&self) -> String {
        let all = serde_json::json!([self.params, self.photos]);
        params::fingerprint(&all)
    }
}

fn photo(medium: &Media) -> impl Iterator<Item = Param> + use<> {
    [("url", medium.url.clone())].into_iter().chain(params::alt("alt_text_custom", medium))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::Card;

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

    fn check(draft: Draft, kind: Kind, expect: &str, photos: &[&str]) {
        let post = Post::of(&draft).unwrap();
        assert_eq!((post.kind, shown(&post.params).as_str()), (kind, expect));
        assert_eq!(post.photos.iter().map(|it| shown(it)).collect::<Vec<_>>(), photos);
    }

    #[test]
    fn a_draft_becomes_parameters() {
        let card = Some(Card { url: "https://a.example/1".into(), ..Card::default() });
        let image = media("image/jpeg", "https://a.example/1.jpg", Some("a cat"));
        let video = media("video/mp4", "https://a.example/1.mp4", Some("a dog"));
        let of = |media: &[&Media]| Draft {
            text: "Hello".into(),
            card: card.clone(),
            media: media.iter().map(|medium| (*medium).clone()).collect(),
            ..Draft::default()
        };
        let link = "message=Hello link=https://a.example/1 published=true";
        check(of(&[]), Kind::Text, link, &[]);
        let text = Draft { card: None, ..of(&[]) };
        check(text, Kind::Text, "message=Hello published=true", &[]);
        check(
            of(&[&image]),
            Kind::Photo,
            "url=https://a.example/1.jpg alt_text_custom=a cat caption=Hello published=true",
            &[],
        );
        check(
            of(&[&video]),
            Kind::Video,
            "file_url=https://a.example/1.mp4 description=Hello published=true",
            &[],
        );
        let photo = "url=https://a.example/1.jpg alt_text_custom=a cat published=false";
        let both = of(&[&image, &image]);
        check(both, Kind::Photos, "message=Hello published=true", &[photo, photo]);
    }

    #[test]
    fn what_facebook_would_refuse_is_not_sent() {
        let check = |draft: Draft, expect: &str| {
            let failure = Post::of(&draft).unwrap_err();
            assert_eq!((failure.class.as_str(), failure.message.as_str()), ("content", expect));
        };
        check(Draft::default(), "there is nothing to post: no text, no link");
        let image = media("image", "https://a.example/1.jpg", None);
        let video = media("video", "https://a.example/1.mp4", None);
        let of = |media| Draft { media, ..Draft::default() };
        check(of(vec![image.clone(), video]), "Facebook takes no video together with others");
        check(of(vec![image; 11]), "11 photos are too many, and Facebook takes 10");
    }
}
