//! Entry: one item of a feed, in the one shape that every feed format is read into.
//!
//! `feed` makes these, `store` keeps them as JSON, `compose` turns them into drafts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::draft::Media;
use crate::names::EntryId;
use crate::settings::{Layer, Origin};

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
    /// The page itself (`rel=alternate`), also where `url` is a shorter address of it.
    pub alternate_url: Option<String>,
    /// A page elsewhere that the entry is about (`rel=related`).
    pub related_url: Option<String>,
    /// A shorter address of the page (`rel=shorturl`).
    pub short_url: Option<String>,
    /// The title as plain text, one line. Absent when empty.
    pub title: Option<String>,
    /// A second title; only the control can give it.
    pub subtitle: Option<String>,
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

/// What an entry says about its own syndication: its layers of the settings.
///
/// Fields that it gives for every account (`title`, `url`, `id` …) are in the [`Entry`] itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Control {
    /// For every account.
    pub settings: Layer,
    /// For the accounts on a platform, by tag (`bluesky`, never its alias).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_platform: BTreeMap<String, Override>,
    /// For one account, by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_account: BTreeMap<String, Override>,
    /// What of it could not be taken, and where it stands, for the owner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// What an entry says for some accounts only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Override {
    /// Settings.
    pub settings: Layer,
    /// Fields of the entry.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// Fields that a control may give to an entry. Absent: as the feed has them; an empty text: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // each is the field of `Entry` of that name
pub struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternate_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Markup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Markup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

impl Fields {
    /// Whether they say nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Puts them into `entry`.
    pub fn put_into(&self, entry: &mut Entry) {
        let texts = [
            (&self.url, &mut entry.url),
            (&self.alternate_url, &mut entry.alternate_url),
            (&self.related_url, &mut entry.related_url),
            (&self.short_url, &mut entry.short_url),
            (&self.title, &mut entry.title),
            (&self.subtitle, &mut entry.subtitle),
        ];
        for (said, field) in texts {
            if let Some(text) = said {
                *field = Some(text.clone()).filter(|text| !text.is_empty());
            }
        }
        let markups = [(&self.summary, &mut entry.summary), (&self.content, &mut entry.content)];
        for (said, field) in markups {
            if let Some(markup) = said {
                *field = Some(markup.clone()).filter(|markup| !markup.body().is_empty());
            }
        }
        entry.published = self.published_at.or(entry.published);
        entry.updated = self.updated_at.or(entry.updated);
        if self.author_name.is_some() || self.author_email.is_some() {
            let mut author = entry.authors.first().cloned().unwrap_or_default();
            author.name = self.author_name.clone().or(author.name).filter(|it| !it.is_empty());
            author.email = self.author_email.clone().or(author.email).filter(|it| !it.is_empty());
            entry.authors = vec![author];
        }
    }
}

impl Control {
    /// The layers that the entry lays over an account's, in order.
    pub fn layers<'c>(
        &'c self,
        platform: &str,
        label: &str,
    ) -> impl Iterator<Item = (Origin, &'c Layer)> + use<'c> {
        let own = (Origin::Entry, &self.settings);
        let on_platform = self.by_platform.get(platform);
        let of_account = self.by_account.get(label);
        let on_platform = on_platform.map(|it| (Origin::PlatformOverride, &it.settings));
        let of_account = of_account.map(|it| (Origin::AccountOverride, &it.settings));
        [Some(own), on_platform, of_account].into_iter().flatten()
    }
}

impl Entry {
    /// The entry as the account `label` on `platform` is to see it: with the fields of its
    /// overrides.
    pub fn for_account(&self, platform: &str, label: &str) -> Cow<'_, Self> {
        let overrides =
            [self.control.by_platform.get(platform), self.control.by_account.get(label)];
        let mut entry = Cow::Borrowed(self);
        for over in overrides.into_iter().flatten().filter(|over| !over.fields.is_empty()) {
            over.fields.put_into(entry.to_mut());
        }
        entry
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
    fn overrides_change_the_entry_for_those_that_they_name() {
        let field = |title: &str| Override {
            fields: Fields { title: Some(title.into()), ..Fields::default() },
            ..Override::default()
        };
        let control = Control {
            by_platform: [("mastodon".into(), field("on Mastodon"))].into(),
            by_account: [("work".into(), field(""))].into(),
            ..Control::default()
        };
        let entry = Entry { title: Some("Hi".into()), control, ..Entry::default() };
        let check = |platform, label, expect| {
            assert_eq!(entry.for_account(platform, label).title.as_deref(), expect);
        };
        check("bluesky", "me", Some("Hi"));
        check("mastodon", "me", Some("on Mastodon"));
        check("mastodon", "work", None);
    }
}
