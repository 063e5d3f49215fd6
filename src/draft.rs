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
    /// Ranges of `text` with a meaning, in order, not overlapping.
    pub facets: Vec<Facet>,
    /// The link card, where the platform takes one from us.
    pub card: Option<Card>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Who may see it, where the platform has a choice.
    pub visibility: Option<Visibility>,
    /// The entry's canonical URL: what finds the post again after a lost answer.
    pub canonical_url: Option<String>,
    /// What was done to the text to make it fit, for people.
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
