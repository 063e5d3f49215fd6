//! Draft: what exactly will be sent for one entry on one account.
//!
//! Composed once, at the first claim, and frozen in the crosspost's row: every retry sends the
//! same bytes.

use serde::{Deserialize, Serialize};

/// What will be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// The text, as it will be shown.
    pub text: String,
    /// Ranges of `text` with a meaning, in order, not overlapping. Only where the platform takes
    /// them from us.
    pub facets: Vec<Facet>,
    /// A title of its own, where the platform has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The link card, where the platform takes one from us.
    pub card: Option<Card>,
    /// Pictures, videos and sounds, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// The entry's hashtags, without `#`, also those that did not fit the text: for platforms that
    /// take them beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hashtags: Vec<String>,
    /// Where on the platform it goes.
    #[serde(skip_serializing_if = "is_feed")]
    pub channel: Channel,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Who may see it, where the platform has a choice.
    pub visibility: Option<Visibility>,
    /// What stands before the text, which is hidden behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_warning: Option<String>,
    /// Who may reply, where the platform has a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_control: Option<ReplyControl>,
    /// The entry's canonical URL: what finds the post again after a lost answer.
    pub canonical_url: Option<String>,
    /// The URL as it is posted, where that is not the canonical one (it has `utm` parameters).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posted_url: Option<String>,
    /// What was done to the entry to make it fit, for people: lower case, no full stop.
    pub notes: Vec<String>,
}

/// A range of the text that is more than text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet {
    /// First UTF-8 byte.
    pub byte_start: usize,
    /// One past the last UTF-8 byte.
    pub byte_end: usize,
    /// What it means.
    #[serde(flatten)]
    pub feature: Feature,
}

/// What a range of the text means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum Feature {
    /// A link to this absolute URL.
    Link(String),
    /// A hashtag, without its `#`.
    Tag(String),
    /// A mention of the account with this handle, without its `@`.
    Mention(String),
}

/// A link card.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Where it leads.
    pub url: String,
    /// Its title; may be empty.
    pub title: String,
    /// Its description; may be empty.
    pub description: String,
    /// Where its picture was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// Its picture, fetched and fitted to the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb: Option<Shelved>,
}

/// An image or a video that was fetched, and fitted to the platform, as it lies on the shelf.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shelved {
    /// Its name on the shelf.
    pub file: String,
    /// Media type, by what is in it: `image/jpeg`, `video/mp4` …
    #[serde(rename = "type")]
    pub media_type: String,
    /// Size of the file.
    pub bytes: u64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How long a video is, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// An image, a video or a sound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Media {
    /// Media type (`image/jpeg`), or its family (`image`) where that is all that is known.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// Absolute address; where the platform fetches media itself, the one that it is given.
    pub url: String,
    /// The picture shown before a video plays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poster_url: Option<String>,
    /// Text for people who can't see it.
    pub alt: Option<String>,
    /// What was fetched and fitted to the platform, where that takes bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Shelved>,
}

/// The media type that the end of an address tells.
pub fn type_by_name(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, ending) = path.rsplit_once('/')?.1.rsplit_once('.')?;
    Some(match &*ending.to_ascii_lowercase() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "heic" | "heif" => "image/heic",
        "jxl" => "image/jxl",
        "svg" => "image/svg+xml",
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "ogg" | "oga" => "audio/ogg",
        "wav" => "audio/wav",
        _ => return None,
    })
}

/// Where on a platform a post goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The profile and its followers' feeds.
    #[default]
    Feed,
    /// For a day, beside them.
    Story,
}

impl Channel {
    /// The word that config and feeds use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Story => "story",
        }
    }
}

/// Who may reply to a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyControl {
    /// Everyone.
    Everyone,
    /// Whom the account follows.
    AccountsYouFollow,
    /// Who follows the account.
    FollowersOnly,
    /// Only who is mentioned.
    MentionedOnly,
}

impl ReplyControl {
    /// The word that config, feeds and the Threads API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::AccountsYouFollow => "accounts_you_follow",
            Self::FollowersOnly => "followers_only",
            Self::MentionedOnly => "mentioned_only",
        }
    }
}

fn is_feed(channel: &Channel) -> bool {
    *channel == Channel::Feed
}

/// Who may see a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everyone, and in public timelines.
    Public,
    /// Everyone, but not in public timelines ("quiet public").
    Unlisted,
    /// Followers only.
    Private,
    /// Only who is mentioned.
    Direct,
}

impl Visibility {
    /// The word that config and the Mastodon API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
            Self::Direct => "direct",
        }
    }
}
