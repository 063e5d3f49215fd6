//! Platform: the kinds of destination, and what each can carry, as data.
//!
//! Adding one means: a row in `rules`, a folder in `publish/`, a page in `docs/accounts/`. The
//! figures are those of the platforms' own documents and of what their servers were seen to
//! accept; where two readings of a rule are possible, the row holds the safe one.

use serde::{Deserialize, Serialize};

mod media;

pub use media::{Formats, ImageLimits, MediaLimits, Ratio, VideoLimits, Way};

/// The kind of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// Any server that speaks the Mastodon API.
    Mastodon,
    /// Bluesky, or any other AT Protocol PDS.
    Bluesky,
    /// Threads, by Meta.
    Threads,
    /// Instagram, by Meta.
    Instagram,
    /// A Facebook Page.
    Facebook,
    /// LinkedIn, as a person or an organisation.
    LinkedIn,
    /// X, formerly Twitter.
    X,
    /// A YouTube channel.
    YouTube,
    /// A local file of JSON lines.
    Outbox,
}

impl Platform {
    /// Every platform, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Mastodon,
        Self::Bluesky,
        Self::Threads,
        Self::Instagram,
        Self::Facebook,
        Self::LinkedIn,
        Self::X,
        Self::YouTube,
        Self::Outbox,
    ];

    /// Those that an account can have: they have a publisher. The others can be previewed.
    pub const PUBLISHED: [Self; 6] = [
        Self::Mastodon,
        Self::Bluesky,
        Self::Threads,
        Self::Instagram,
        Self::Facebook,
        Self::Outbox,
    ];

    /// The tag used in config, SQL, log and feeds.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Mastodon => "mastodon",
            Self::Bluesky => "bluesky",
            Self::Threads => "threads",
            Self::Instagram => "instagram",
            Self::Facebook => "facebook",
            Self::LinkedIn => "linkedin",
            Self::X => "x",
            Self::YouTube => "youtube",
            Self::Outbox => "outbox",
        }
    }

    /// The platform of a tag. `bsky` is taken too: feeds in the wild use it.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let tag = if tag == "bsky" { "bluesky" } else { tag };
        Self::ALL.into_iter().find(|platform| platform.tag() == tag)
    }

    /// What a draft may hold when nobody has asked the server yet.
    pub const fn limits(self) -> Limits {
        self.rules().limits
    }

    /// What a post may carry beside its text when nobody has asked the server yet.
    pub const fn media(self) -> MediaLimits {
        MediaLimits::of(self)
    }

    /// Whether an account can have it: see [`Platform::PUBLISHED`].
    pub fn is_published(self) -> bool {
        Self::PUBLISHED.contains(&self)
    }

    /// What a draft for this platform is made of.
    pub const fn rules(self) -> Rules {
        match self {
            // stock Mastodon: 500, a URL counts 23; it crawls the page and makes the card itself
            Self::Mastodon => Rules {
                limits: Limits::of(Unit::Mastodon { url: Some(23), short_mentions: true }, 500),
                mentions: Mentions::Plain { disarm: '\u{2060}' },
                has_visibility: true,
                has_content_warning: true,
                has_language: true,
                ..PLAIN
            },
            // app.bsky.feed.post: `text` ≤ 300 graphemes and ≤ 3,000 bytes; nothing is a link or
            // a mention without a facet; the card is sent along, its thumb ≤ 1,000,000 bytes
            Self::Bluesky => Rules {
                limits: Limits { unit: Unit::Graphemes, max: 300, max_bytes: Some(3000) },
                links: Links::Facets,
                mentions: Mentions::Facets,
                card: Cards::Sent { thumb_bytes_max: 1_000_000 },
                has_language: true,
                append_url: false,
                ..PLAIN
            },
            // 500, measured in UTF-8 bytes; `link_attachment` is the card, of whose page nothing is
            // read behind a redirect; one topic tag; at most five different links
            Self::Threads => Rules {
                limits: Limits::of(Unit::Bytes, 500),
                mentions: Mentions::Plain { disarm: '\u{2060}' },
                card: Cards::Url,
                has_direct_cards: true,
                links_max: Some(5),
                has_reply_control: true,
                append_url: false,
                ..PLAIN
            },
            // caption ≤ 2,200 (unit unknown: code points); the app allows 5 hashtags; URLs in it
            // are no links, and there is no card; a post needs a picture or a video
            Self::Instagram => Rules {
                limits: Limits::of(Unit::CodePoints, 2200),
                links: Links::None,
                mentions: Mentions::Plain { disarm: '\u{2060}' },
                card: Cards::None,
                hashtags_max: Some(5),
                needs_media: true,
                has_stories: true,
                article: "{{content}}",
                append_url_spacer: "\n\n",
                ..PLAIN
            },
            // 63,206 characters by common report; `link` is the card
            Self::Facebook => Rules {
                limits: Limits::of(Unit::CodePoints, 63_206),
                mentions: Mentions::None,
                card: Cards::Url,
                append_url: false,
                article: "{{content}}",
                ..PLAIN
            },
            // commentary ≤ 3,000, taken after escaping to be safe; the article card is sent along
            // and nothing of it is scraped
            Self::LinkedIn => Rules {
                limits: Limits::of(Unit::LittleText, 3000),
                mentions: Mentions::None,
                card: Cards::Sent { thumb_bytes_max: 5_000_000 },
                append_url: false,
                ..PLAIN
            },
            // twitter-text 3: weighted 280; the card is made from the page; a post with two cashtags
            // is refused; prices of 2026-04-20
            Self::X => Rules {
                limits: Limits::of(Unit::Weighted, 280),
                mentions: Mentions::Plain { disarm: '\u{200B}' },
                cashtags_max: Some(1),
                price: Some(Price { plain_usd: 0.015, with_link_usd: 0.200 }),
                ..PLAIN
            },
            // the text is the description: ≤ 5,000 bytes; the title ≤ 100 characters; neither may
            // hold `<` or `>`; a video is the post
            Self::YouTube => Rules {
                limits: Limits::of(Unit::Bytes, 5000),
                title_max: Some(100),
                mentions: Mentions::Plain { disarm: '\u{2060}' },
                card: Cards::None,
                needs_media: true,
                has_language: true,
                article: "{{content}}",
                append_url_spacer: "\n\n",
                ..PLAIN
            },
            // a file of the owner's own: nothing is public, so whatever is said of a post is kept
            Self::Outbox => Rules {
                limits: Limits::of(Unit::Graphemes, 100_000),
                mentions: Mentions::None,
                card: Cards::None,
                has_stories: true,
                has_visibility: true,
                has_content_warning: true,
                has_language: true,
                has_reply_control: true,
                ..PLAIN
            },
        }
    }
}

/// What most platforms share: a text with the URL in it, of which the platform makes the links.
const PLAIN: Rules = Rules {
    limits: Limits::of(Unit::Graphemes, 500),
    title_max: None,
    links: Links::Plain,
    mentions: Mentions::None,
    card: Cards::Crawled,
    has_direct_cards: false,
    links_max: None,
    hashtags_max: None,
    cashtags_max: None,
    needs_media: false,
    has_stories: false,
    has_visibility: false,
    has_content_warning: false,
    has_language: false,
    has_reply_control: false,
    article: "{{title}}",
    note: "{{content}}",
    append_url: true,
    append_url_spacer: " ",
    price: None,
};

/// What a draft for a platform is made of, and how it is by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// How long the text may be, when nobody has asked the server yet.
    pub limits: Limits,
    /// How many characters a title of its own may have; absent: the post has no title.
    pub title_max: Option<u32>,
    /// Who makes links of the URLs in a text.
    pub links: Links,
    /// Who makes mentions of the handles in a text.
    pub mentions: Mentions,
    /// Where a link card comes from.
    pub card: Cards,
    /// Whether the URL of a card must lead to its page without a redirect.
    pub has_direct_cards: bool,
    /// The most different links in text and card together.
    pub links_max: Option<u32>,
    /// The most hashtags.
    pub hashtags_max: Option<u32>,
    /// The most cashtags (`$NAME`).
    pub cashtags_max: Option<u32>,
    /// Whether a post is nothing without a picture or a video.
    pub needs_media: bool,
    /// Whether there is the channel `story`.
    pub has_stories: bool,
    /// Whether a post may be for some readers only. What has no such choice is public, and gets no
    /// entry that is not for everyone.
    pub has_visibility: bool,
    /// Whether a post may be behind a content warning.
    pub has_content_warning: bool,
    /// Whether a post says its language.
    pub has_language: bool,
    /// Whether a post says who may reply.
    pub has_reply_control: bool,
    /// Default template of an entry with a title.
    pub article: &'static str,
    /// Default template of an entry without one.
    pub note: &'static str,
    /// Whether the URL is appended by default: yes where there is no card that holds it.
    pub append_url: bool,
    /// What stands between the text and the appended URL by default.
    pub append_url_spacer: &'static str,
    /// What a post costs.
    pub price: Option<Price>,
}

/// Who makes links of the URLs in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The platform finds them.
    Plain,
    /// We say where they are; they may be shown short, or under a label.
    Facets,
    /// Nobody: a URL is text.
    None,
}

/// Who makes mentions of the handles in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mentions {
    /// The platform: every `@name` pings. The handle of a stranger is disarmed by putting this
    /// character, which no one sees, after the `@`.
    Plain {
        /// `U+2060` word joiner, or `U+200B` zero-width space.
        disarm: char,
    },
    /// We say where they are: without a facet nobody is pinged.
    Facets,
    /// Nobody: a handle is text.
    None,
}

/// Where a link card comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cards {
    /// From us: title, description and picture, the picture of at most so many bytes.
    Sent {
        /// UTF-8 bytes of the picture's file.
        thumb_bytes_max: u32,
    },
    /// From us only the URL; the platform reads the page.
    Url,
    /// The platform makes it of the URL in the text.
    Crawled,
    /// There is none.
    None,
}

/// What a post costs, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Without a link.
    pub plain_usd: f64,
    /// With at least one link, as the platform finds them.
    pub with_link_usd: f64,
}

/// How long a text may be, and how it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// How the text is counted.
    pub unit: Unit,
    /// The most, in `unit`.
    pub max: u32,
    /// The most UTF-8 bytes, where the platform limits them too.
    pub max_bytes: Option<u32>,
}

impl Limits {
    /// At most `max` in `unit`, however many bytes.
    pub const fn of(unit: Unit, max: u32) -> Self {
        Self { unit, max, max_bytes: None }
    }
}

/// A way to count text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Extended grapheme clusters, everything at its full length.
    Graphemes,
    /// Unicode code points, everything at its full length (GoToSocial, Takahe, Instagram).
    CodePoints,
    /// UTF-8 bytes (Threads, YouTube).
    Bytes,
    /// UTF-16 code units of LinkedIn's "little text", which is the text with its reserved
    /// characters escaped and its hashtags written out.
    LittleText,
    /// twitter-text 3: code points of weight 1 or 2, a URL counts 23, an emoji 2 (X).
    Weighted,
    /// Mastodon's validator: grapheme clusters; a URL counts `url` (its full length where absent),
    /// a remote mention counts without its domain.
    Mastodon {
        /// `characters_reserved_per_url` of the instance.
        url: Option<u32>,
        /// Whether `@name@domain` counts as `@name`.
        short_mentions: bool,
    },
}

impl Unit {
    /// What is counted, for people: `214 of 300 graphemes`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graphemes => "graphemes",
            Self::Bytes => "bytes",
            Self::CodePoints | Self::LittleText | Self::Mastodon { .. } => "characters",
            Self::Weighted => "weighted characters",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_there_and_back() {
        for platform in Platform::ALL {
            assert_eq!(Platform::from_tag(platform.tag()), Some(platform));
            let json = serde_json::to_value(platform).unwrap();
            assert_eq!(json, platform.tag(), "the tag is the one name, in JSON too");
        }
        assert_eq!(Platform::from_tag("bsky"), Some(Platform::Bluesky));
        assert_eq!(Platform::from_tag("myspace"), None);
    }

    #[test]
    fn a_url_is_in_the_text_where_no_card_holds_it() {
        for platform in Platform::ALL {
            let rules = platform.rules();
            let in_card = matches!(rules.card, Cards::Sent { .. } | Cards::Url);
            assert_eq!(rules.append_url, !in_card, "{platform:?}");
        }
    }
}
