//! Properties: what an entry may say about its own syndication, as a table.
//!
//! One table serves the reader, the problems (which right name is nearest) and the test that
//! `docs/feed-format.md` describes them all. A property is a row: its name, what is wanted, and the
//! place that it goes to.

use crate::clock::Timestamp;
use crate::draft::{Channel, Media, ReplyControl, Visibility};
use crate::entry::{Markup, Override};
use crate::settings::Utm;

/// The entry's id.
pub(super) const ID: &str = "id";
/// What is for the accounts on one platform.
pub(super) const BY_PLATFORM: &str = "platform_overrides";
/// What is for one account.
pub(super) const BY_ACCOUNT: &str = "account_overrides";
/// What can be said once for the whole entry, and in no override.
pub(super) const ONCE: &[&str] = &[ID, BY_PLATFORM, BY_ACCOUNT];

/// The place of a property.
pub(super) type Slot<T> = fn(&mut Override) -> &mut Option<T>;

/// What a property wants, and its place.
#[derive(Clone, Copy)]
pub(super) enum Take {
    /// `true` or `false`.
    Flag(Slot<bool>),
    /// A text as it stands.
    Text(Slot<String>),
    /// A text in one line, without blanks around it.
    Line(Slot<String>),
    /// An address of the web, perhaps relative.
    Url(Slot<String>),
    /// Text or HTML.
    Markup(Slot<Markup>),
    /// A date.
    Date(Slot<Timestamp>),
    /// A BCP 47 tag.
    Language(Slot<String>),
    /// A word of `Channel`.
    Channel(Slot<Channel>),
    /// A word of `Visibility`.
    Visibility(Slot<Visibility>),
    /// A word of `ReplyControl`.
    ReplyControl(Slot<ReplyControl>),
    /// A list of texts.
    Names(Slot<Vec<String>>),
    /// A list of texts, with or without `#`.
    Hashtags(Slot<Vec<String>>),
    /// A list of `{type, url, poster_url, alt}`.
    Media(Slot<Vec<Media>>),
    /// `{source, medium, campaign, term, content}`.
    Utm(Slot<Utm>),
}

/// What can be said for the whole entry and in each override, in the order of the documentation.
pub(super) const PROPERTIES: &[(&str, Take)] = &[
    // settings
    ("syndicate", Take::Flag(|over| &mut over.settings.syndicate)),
    ("channel", Take::Channel(|over| &mut over.settings.channel)),
    ("format_string", Take::Text(|over| &mut over.settings.format_string)),
    ("truncate", Take::Flag(|over| &mut over.settings.truncate)),
    ("append_url", Take::Flag(|over| &mut over.settings.append_url)),
    ("append_url_if_truncated", Take::Flag(|over| &mut over.settings.append_url_if_truncated)),
    ("append_url_spacer", Take::Text(|over| &mut over.settings.append_url_spacer)),
    ("append_url_label", Take::Text(|over| &mut over.settings.append_url_label)),
    ("attach_link", Take::Flag(|over| &mut over.settings.attach_link)),
    ("og_title", Take::Text(|over| &mut over.settings.og_title)),
    ("og_description", Take::Text(|over| &mut over.settings.og_description)),
    ("og_image", Take::Url(|over| &mut over.settings.og_image)),
    ("media", Take::Media(|over| &mut over.settings.media)),
    ("language", Take::Language(|over| &mut over.settings.language)),
    ("visibility", Take::Visibility(|over| &mut over.settings.visibility)),
    ("content_warning", Take::Text(|over| &mut over.settings.content_warning)),
    ("hashtags", Take::Hashtags(|over| &mut over.settings.hashtags)),
    ("append_hashtags", Take::Flag(|over| &mut over.settings.append_hashtags)),
    ("mentions", Take::Names(|over| &mut over.settings.mentions)),
    ("reply_control", Take::ReplyControl(|over| &mut over.settings.reply_control)),
    ("utm", Take::Utm(|over| &mut over.settings.utm)),
    // fields of the entry
    ("url", Take::Url(|over| &mut over.fields.url)),
    ("alternate_url", Take::Url(|over| &mut over.fields.alternate_url)),
    ("related_url", Take::Url(|over| &mut over.fields.related_url)),
    ("short_url", Take::Url(|over| &mut over.fields.short_url)),
    ("title", Take::Line(|over| &mut over.fields.title)),
    ("subtitle", Take::Line(|over| &mut over.fields.subtitle)),
    ("summary", Take::Markup(|over| &mut over.fields.summary)),
    ("content", Take::Markup(|over| &mut over.fields.content)),
    ("author_name", Take::Line(|over| &mut over.fields.author_name)),
    ("author_email", Take::Line(|over| &mut over.fields.author_email)),
    ("published_at", Take::Date(|over| &mut over.fields.published_at)),
    ("updated_at", Take::Date(|over| &mut over.fields.updated_at)),
];

/// What an item of `media` may say.
pub(super) const OF_MEDIA: &[&str] = &["type", "url", "poster_url", "alt"];

/// The place of a parameter.
pub(super) type UtmSlot = fn(&mut Utm) -> &mut Option<String>;

/// What `utm` may say.
pub(super) const OF_UTM: &[(&str, UtmSlot)] = &[
    ("source", |utm| &mut utm.source),
    ("medium", |utm| &mut utm.medium),
    ("campaign", |utm| &mut utm.campaign),
    ("term", |utm| &mut utm.term),
    ("content", |utm| &mut utm.content),
];
