//! Post: a draft to the parameters of its containers.
//!
//! **Refuses:** what Threads would refuse for its length; the composer has seen to it already, but
//! a draft of before may be older than its rules.

use crate::crosspost::Failure;
use crate::draft::{Draft, Media};
use crate::publish::meta::params::{self, Param, is_video};

/// Threads' limit, measured in UTF-8 bytes: the reading that no report contradicts a refusal of.
const TEXT_BYTES_MAX: usize = 500;
/// The most parts of a carousel.
const PARTS_MAX: usize = 20;
/// The longest topic tag, in characters.
const TAG_CHARS_MAX: usize = 50;

/// What the containers of a post are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The text.
    pub text: String,
    /// The link of its card.
    pub link: Option<String>,
    /// `TEXT`, `IMAGE`, `VIDEO` or `CAROUSEL`.
    pub kind: &'static str,
    /// Parameters of the container that is published, but for `children` and `topic_tag`.
    pub params: Vec<Param>,
    /// Parameters of the parts of a carousel; else nothing.
    pub parts: Vec<Vec<Param>>,
    /// The topic.
    pub topic_tag: Option<String>,
}

impl Post {
    /// What `draft` becomes. Media win over a card, as Threads takes a card with a text alone; the
    /// composer makes no draft with both.
    ///
    /// # Errors
    /// `Content` where Threads would surely refuse it.
    pub fn of(draft: &Draft) -> Result<Self, Failure> {
        let text = draft.text.clone();
        if text.len() > TEXT_BYTES_MAX {
            return Err(Failure::content(format!(
                "the text has {} bytes, and Threads takes {TEXT_BYTES_MAX}",
                text.len()
            )));
        }
        if draft.media.len() > PARTS_MAX {
            let count = draft.media.len();
            let message = format!("{count} media are too many, and Threads takes {PARTS_MAX}");
            return Err(Failure::content(message));
        }
        let card = draft.card.as_ref().filter(|_| draft.media.is_empty());
        let link = card.map(|card| card.url.clone());
        if text.trim().is_empty() && link.is_none() && draft.media.is_empty() {
            return Err(Failure::content("there is nothing to post: no text, no link, no media"));
        }
        let (kind, mut params, parts) = match draft.media.as_slice() {
            [] => ("TEXT", vec![("media_type", "TEXT".into())], Vec::new()),
            [only] => (kind(only), medium(only), Vec::new()),
            several => {
                let parts = several.iter().map(part).collect();
                ("CAROUSEL", vec![("media_type", "CAROUSEL".into())], parts)
            }
        };
        if !text.is_empty() {
            params.push(("text", text.clone()));
        }
        params.extend(link.clone().map(|link| ("link_attachment", link)));
        let who = draft.reply_control.map(|who| ("reply_control", who.as_str().to_owned()));
        params.extend(who);
        Ok(Self { text, link, kind, params, parts, topic_tag: topic_tag(draft) })
    }

    /// Tells two posts apart. Hex.
    pub fn fingerprint(&self) -> String {
        let all = serde_json::json!([self.params, self.parts, self.topic_tag]);
        params::fingerprint(&all)
    }
}

fn kind(medium: &Media) -> &'static str {
    if is_video(medium) { "VIDEO" } else { "IMAGE" }
}

fn medium(medium: &Media) -> Vec<Param> {
    let kind = kind(medium);
    let place = if kind == "VIDEO" { "video_url" } else { "image_url" };
    let mut params = vec![("media_type", kind.to_owned()), (place, medium.url.clone())];
    params.extend(params::alt("alt_text", medium));
    params
}

fn part(item: &Media) -> Vec<Param> {
    let mut params = medium(item);
    params.push(("is_carousel_item", "true".into()));
    params
}

/// The first hashtag that can be a topic: Threads takes one, without `.` and `&`.
fn topic_tag(draft: &Draft) -> Option<String> {
    let fits = |tag: &&String| {
        let count = tag.chars().count();
        (1..=TAG_CHARS_MAX).contains(&count) && !tag.contains(['.', '&'])
    };
    draft.hashtags.iter().find(fits).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Card, ReplyControl};

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

    fn check(draft: Draft, expect: &str, parts: &[&str]) {
        let post = Post::of(&draft).unwrap();
        assert_eq!(shown(&post.params), expect);
        assert_eq!(post.parts.iter().map(|part| shown(part)).collect::<Vec<_>>(), parts);
    }

    #[test]
    fn a_draft_becomes_parameters() {
        let card = Some(Card { url: "https://a.example/1".into(), ..Card::default() });
        let text = Draft { text: "Hello".into(), card: card.clone(), ..Draft::default() };
        check(
            Draft { reply_control: Some(ReplyControl::FollowersOnly), ..text.clone() },
            "media_type=TEXT text=Hello link_attachment=https://a.example/1 \
             reply_control=followers_only",
            &[],
        );
        let image = media("image/png", "https://a.example/1.png", Some("a cat"));
        let video = media("video/mp4", "https://a.example/1.mp4", Some(" "));
        check(
            Draft { media: vec![image.clone()], ..text.clone() },
            "media_type=IMAGE image_url=https://a.example/1.png alt_text=a cat text=Hello",
            &[],
        );
        check(
            Draft { media: vec![video.clone()], ..Draft::default() },
            "media_type=VIDEO video_url=https://a.example/1.mp4",
            &[],
        );
        check(
            Draft { media: vec![image, video], ..text },
            "media_type=CAROUSEL text=Hello",
            &[
                "media_type=IMAGE image_url=https://a.example/1.png alt_text=a cat \
                 is_carousel_item=true",
                "media_type=VIDEO video_url=https://a.example/1.mp4 is_carousel_item=true",
            ],
        );
        check(
            Draft { card, ..Draft::default() },
            "media_type=TEXT link_attachment=https://a.example/1",
            &[],
        );
    }

    #[test]
    fn one_hashtag_that_can_be_a_topic_is_it() {
        let check = |tags: &[&str], expect: Option<&str>| {
            let hashtags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            let draft = Draft { text: "x".into(), hashtags, ..Draft::default() };
            assert_eq!(Post::of(&draft).unwrap().topic_tag.as_deref(), expect, "{tags:?}");
        };
        check(&[], None);
        check(&["rust", "posse"], Some("rust"));
        check(&["R&D", "v1.0", "posse"], Some("posse"));
        check(&[&"é".repeat(50)], Some(&"é".repeat(50)));
        check(&[&"é".repeat(51)], None);
    }

    #[test]
    fn what_threads_would_refuse_is_not_sent() {
        let check = |draft: Draft, expect: &str| {
            let failure = Post::of(&draft).unwrap_err();
            assert_eq!((failure.class.as_str(), failure.message.as_str()), ("content", expect));
        };
        let text = |text: String| Draft { text, ..Draft::default() };
        check(text("é".repeat(251)), "the text has 502 bytes, and Threads takes 500");
        check(text(" \n".into()), "there is nothing to post: no text, no link, no media");
        let medium = media("image", "https://a.example/1.png", None);
        let many = Draft { media: vec![medium; 21], ..Draft::default() };
        check(many, "21 media are too many, and Threads takes 20");
        Post::of(&text("é".repeat(250))).unwrap();
    }

    #[test]
    fn another_draft_has_another_fingerprint() {
        let of = |text: &str, tags: &[&str]| {
            let hashtags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            let draft = Draft { text: text.into(), hashtags, ..Draft::default() };
            Post::of(&draft).unwrap().fingerprint()
        };
        assert_eq!(of("a", &["b"]), of("a", &["b"]));
        assert_ne!(of("a", &["b"]), of("a", &["c"]));
        assert_ne!(of("a", &[]), of("b", &[]));
    }
}
