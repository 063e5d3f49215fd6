//! Platform: the kinds of destination, and what each can carry, as data.
//!
//! Adding one means: a row here, a folder in `publish/`, a page in `docs/accounts/`.

use serde::{Deserialize, Serialize};

/// The kind of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Any server that speaks the Mastodon API.
    Mastodon,
    /// Bluesky, or any other AT Protocol PDS.
    Bluesky,
    /// A local file of JSON lines.
    Outbox,
}

impl Platform {
    /// Every platform, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Mastodon, Self::Bluesky, Self::Outbox];

    /// The tag used in config, SQL, log and feeds.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Mastodon => "mastodon",
            Self::Bluesky => "bluesky",
            Self::Outbox => "outbox",
        }
    }

    /// The platform of a tag. `bsky` is taken too: feeds in the wild use it.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let tag = if tag == "bsky" { "bluesky" } else { tag };
        Self::ALL.into_iter().find(|platform| platform.tag() == tag)
    }

    /// Whether a link card is made by us and sent along (elsewhere the platform makes it, or
    /// there is none).
    pub const fn has_cards(self) -> bool {
        matches!(self, Self::Bluesky)
    }

    /// Whether links and hashtags are what we say they are (elsewhere the platform finds them).
    pub const fn needs_facets(self) -> bool {
        matches!(self, Self::Bluesky)
    }

    /// Whether a plain `@name` in a text pings somebody.
    pub const fn pings_handles(self) -> bool {
        matches!(self, Self::Mastodon)
    }

    /// Whether a post may be for some readers only.
    pub const fn has_visibility(self) -> bool {
        matches!(self, Self::Mastodon)
    }

    /// What a draft may hold when nobody has asked the server yet.
    pub const fn limits(self) -> Limits {
        match self {
            // sheet A2, A4: stock Mastodon
            Self::Mastodon => Limits {
                unit: Unit::Mastodon { url: Some(23), short_mentions: true },
                max: 500,
                max_bytes: None,
            },
            // sheet B4: app.bsky.feed.post `text`
            Self::Bluesky => Limits { unit: Unit::Graphemes, max: 300, max_bytes: Some(3000) },
            Self::Outbox => Limits { unit: Unit::Graphemes, max: 100_000, max_bytes: None },
        }
    }
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

/// A way to count text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Extended grapheme clusters, everything at its full length.
    Graphemes,
    /// Unicode code points, everything at its full length (GoToSocial, Takahe).
    CodePoints,
    /// Mastodon's validator: grapheme clusters; a URL counts `url` (its full length where absent),
    /// a remote mention counts without its domain.
    Mastodon {
        /// `characters_reserved_per_url` of the instance.
        url: Option<u32>,
        /// Whether `@name@domain` counts as `@name`.
        short_mentions: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_there_and_back() {
        for platform in Platform::ALL {
            assert_eq!(Platform::from_tag(platform.tag()), Some(platform));
        }
        assert_eq!(Platform::from_tag("bsky"), Some(Platform::Bluesky));
        assert_eq!(Platform::from_tag("myspace"), None);
    }
}
