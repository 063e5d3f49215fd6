//! Entry: one item of a feed, in the one shape that every feed format is read into.
//!
//! `feed` makes these, `store` keeps them as JSON, `compose` turns them into drafts.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::names::EntryId;

/// What a feed document says, after parsing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedFeed {
    /// The format in words: `atom 1.0`, `atom 0.3`, `rss 2.0`, `rss 0.91`, `rss 0.91 of netscape`, `rss 1.0`,
    /// `json feed 1.1` …
    pub format: String,
    /// The feed's title as plain text.
    pub title: Option<String>,
    /// The page that the feed belongs to (not the feed's own address), absolute.
    pub home_url: Option<String>,
    /// RSS `ttl`: how long the publisher says that the document stays fresh.
    pub ttl: Option<std::time::Duration>,
    /// The entries in document order.
    pub entries: Vec<Entry>,
    /// What was passed over or mended, for the owner.
    pub problems: Vec<Problem>,
}

/// Something in a feed that could not be taken as it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The id of the entry that it is about; absent when it is about the whole feed.
    pub entry: Option<String>,
    /// What is wrong and what was done about it: lower case, no full stop.
    pub message: String,
}

/// One item of a feed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// The entry's own id, the same on every parse: guid, atom:id, JSON Feed id or `rdf:about`,
    /// else the link, else a hash of title and date. Never empty.
    pub id: String,
    /// The canonical URL: the entry's page, absolute.
    pub url: Option<String>,
    /// The title as plain text, one line. Absent when empty.
    pub title: Option<String>,
    /// The summary or description as the feed has it.
    pub summary: Option<Markup>,
    /// The full content as the feed has it.
    pub content: Option<Markup>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// Who wrote it.
    pub authors: Vec<Person>,
    /// Categories and tags, as text.
    pub categories: Vec<String>,
    /// BCP 47 language tag: the entry's own, else the feed's.
    pub language: Option<String>,
    /// All links with their relation, absolute, in document order.
    pub links: Vec<Link>,
    /// Images, video and audio that the feed names.
    pub media: Vec<Media>,
    /// What the entry says about its own syndication (`posse:post`, `_posse`).
    pub control: Control,
}

/// Text with its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "body")]
pub enum Markup {
    /// Plain text: `<` is a less-than sign.
    Text(String),
    /// HTML (or XHTML, serialised).
    Html(String),
}

impl Markup {
    /// The body as written, whatever its kind.
    pub fn body(&self) -> &str {
        match self {
            Self::Text(body) | Self::Html(body) => body,
        }
    }
}

/// An author.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// The name as shown.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The home page.
    pub url: Option<String>,
}

/// A link of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// `alternate`, `related`, `enclosure`, `shorturl` …; `alternate` where the feed says nothing.
    pub rel: String,
    /// Absolute address.
    pub href: String,
    /// Media type.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
}

/// An image, a video or a sound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Media {
    /// Media type (`image/jpeg`), or its family (`image`) where that is all that is known.
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    /// Absolute address.
    pub url: String,
    /// Text for people who can't see it.
    pub alt: Option<String>,
}

/// What an entry says about its own syndication.
///
/// Only what decides *whether* an entry goes out; absent = the account decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Control {
    /// `syndicate` for every account.
    pub syndicate: Option<bool>,
    /// `platform_overrides.TAG.syndicate`, by platform tag (`bluesky`, never its alias).
    pub by_platform: std::collections::BTreeMap<String, bool>,
    /// `account_overrides.LABEL.syndicate`.
    pub by_account: std::collections::BTreeMap<String, bool>,
}

impl Control {
    /// Whether the entry may go to the account `label` on `platform`: the nearest word counts.
    pub fn allows(&self, platform: &str, label: &str) -> bool {
        self.by_account
            .get(label)
            .or_else(|| self.by_platform.get(platform))
            .copied()
            .or(self.syndicate)
            .unwrap_or(true)
    }
}

/// What the diff needs to know of an entry that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Row number.
    pub row: EntryId,
    /// Every id under which it was seen.
    pub ids: Vec<String>,
    /// Its canonical URL.
    pub url: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// Hash of title, date, text and media.
    pub sign: Option<Vec<u8>>,
    /// Hash of all that is stored.
    pub content_hash: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_about_syndication_counts() {
        let control = Control {
            syndicate: Some(false),
            by_platform: [("mastodon".into(), true)].into(),
            by_account: [("work".into(), false)].into(),
        };
        assert!(!control.allows("bluesky", "me"));
        assert!(control.allows("mastodon", "me"));
        assert!(!control.allows("mastodon", "work"));
        assert!(Control::default().allows("x", "y"));
    }
}
