//! Settings: how an entry becomes a draft, in layers, the later one winning.
//!
//! Platform defaults → `[defaults]` → account → entry → the entry's `platform_overrides` → its
//! `account_overrides`. One table below makes the layer (what one of them says), the settings (all
//! of them laid over each other) and the explanation (which of them said it).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::draft::{Channel, Media, ReplyControl, Visibility};
use crate::platform::{Cards, Platform};

/// Makes [`Layer`] and [`Settings`] of one table. A setting with a default has a value in every
/// `Settings`; one without may be absent there too.
macro_rules! settings {
    (
        $( #[doc = $doc:literal] $name:ident: $type:ty = |$platform:ident| $default:expr; )*
        --
        $( #[doc = $free_doc:literal] $free:ident: $free_type:ty; )*
    ) => {
        /// One layer: what it says, and silence about the rest.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Layer {
            $(
                #[doc = $doc]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$type>,
            )*
            $(
                #[doc = $free_doc]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $free: Option<$free_type>,
            )*
        }

        /// All layers laid over each other.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $( #[doc = $doc] pub $name: $type, )*
            $( #[doc = $free_doc] pub $free: Option<$free_type>, )*
        }

        impl Settings {
            /// The names of all settings, in the order of the documentation.
            pub const NAMES: &[&str] = &[$( stringify!($name), )* $( stringify!($free), )*];

            /// What a platform has by default.
            pub fn of_platform(platform: Platform) -> Self {
                Self {
                    $( $name: { let $platform = platform; $default }, )*
                    $( $free: None, )*
                }
            }

            /// Lays `layer` over these settings.
            pub fn put(&mut self, layer: &Layer) {
                $( if let Some(value) = &layer.$name { self.$name = value.clone(); } )*
                $( if let Some(value) = &layer.$free { self.$free = Some(value.clone()); } )*
            }

            /// Every setting with its value, as JSON; null where there is none.
            fn values(&self) -> Vec<(&'static str, Value)> {
                vec![
                    $( (stringify!($name), json(&self.$name)), )*
                    $( (stringify!($free), json(&self.$free)), )*
                ]
            }
        }

        impl Layer {
            /// Whether the layer says something about each setting, in the order of
            /// [`Settings::NAMES`].
            fn says(&self) -> Vec<bool> {
                vec![$( self.$name.is_some(), )* $( self.$free.is_some(), )*]
            }
        }
    };
}

settings! {
    /// Whether the entry goes out at all.
    syndicate: bool = |_p| true;
    /// Where on the platform it goes.
    channel: Channel = |_p| Channel::Feed;
    /// Whether a text that is too long is shortened (else it is a content failure).
    truncate: bool = |_p| true;
    /// Whether the URL goes after the text.
    append_url: bool = |p| p.rules().append_url;
    /// Whether the URL goes after the text where the text was shortened.
    append_url_if_truncated: bool = |_p| false;
    /// What stands between the text and the appended URL.
    append_url_spacer: String = |p| p.rules().append_url_spacer.into();
    /// Whether a link card is sent along.
    attach_link: bool = |p| matches!(p.rules().card, Cards::Sent { .. } | Cards::Url);
    /// How hashtags are made of categories.
    hashtag_rules: HashtagRules = |_p| HashtagRules::default();
    /// Whether hashtags go after the text where the template has none.
    append_hashtags: bool = |_p| false;
    /// Where media come from.
    media_from: MediaFrom = |_p| MediaFrom::Auto;
    /// What becomes of media without alternative text.
    alt: AltRule = |_p| AltRule::Warn;
    --
    /// Template of the text; absent: the platform's own, for an article or a note.
    format_string: String;
    /// What is shown instead of the appended URL, where links are facets.
    append_url_label: String;
    /// Title of the link card.
    og_title: String;
    /// Description of the link card.
    og_description: String;
    /// Address of the link card's picture.
    og_image: String;
    /// Pictures, videos and sounds, instead of those that the feed carries.
    media: Vec<Media>;
    /// The most media that go; absent: as many as the platform takes.
    media_max: u32;
    /// What goes where only one of both does; absent: media that are more than a part of an article.
    media_or_card: MediaOrCard;
    /// BCP 47 tag; absent: the entry's own.
    language: String;
    /// Who may see the post; absent: the account's own default on the platform.
    visibility: Visibility;
    /// What stands before the text, which is hidden behind it.
    content_warning: String;
    /// Hashtags, without `#`, instead of those made of categories.
    hashtags: Vec<String>;
    /// Names of `[people]` to mention; absent: those that the text names.
    mentions: Vec<String>;
    /// Who may reply; absent: everyone.
    reply_control: ReplyControl;
    /// Parameters that are added to the posted URL.
    utm: Utm;
}

impl Settings {
    /// The defaults of `platform` with `layers` laid over them, the last one winning.
    pub fn layered<'l>(
        platform: Platform,
        layers: impl IntoIterator<Item = (Origin, &'l Layer)>,
    ) -> Self {
        let mut settings = Self::of_platform(platform);
        for (origin, layer) in layers {
            settings.put(&counting(platform, origin, layer));
        }
        settings
    }

    /// Every setting with its value and the layer that it comes from.
    pub fn explain<'l>(
        platform: Platform,
        layers: impl IntoIterator<Item = (Origin, &'l Layer)>,
    ) -> Vec<Choice> {
        let mut settings = Self::of_platform(platform);
        let mut origins = vec![Origin::Platform; Self::NAMES.len()];
        for (origin, layer) in layers {
            let layer = counting(platform, origin, layer);
            settings.put(&layer);
            for (place, _) in origins.iter_mut().zip(layer.says()).filter(|(_, says)| *says) {
                *place = origin;
            }
        }
        let choice = |((setting, value), origin)| Choice { setting, value, origin };
        settings.values().into_iter().zip(origins).map(choice).collect()
    }

    /// The same without a link card: the URL is in the text then. Media that gave way to the card
    /// stay away.
    pub fn without_card(mut self) -> Self {
        (self.attach_link, self.append_url) = (false, true);
        self.media_from = MediaFrom::None;
        self
    }
}

/// What of `layer` counts on `platform`: `[defaults]` are for all accounts, so a story there is
/// meant for those that have stories.
fn counting(platform: Platform, origin: Origin, layer: &Layer) -> Cow<'_, Layer> {
    let is_story = layer.channel == Some(Channel::Story) && !platform.rules().has_stories;
    match origin {
        Origin::Defaults if is_story => Cow::Owned(Layer { channel: None, ..layer.clone() }),
        _ => Cow::Borrowed(layer),
    }
}

/// One setting, explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// Its name.
    pub setting: &'static str,
    /// Its value; null where there is none.
    pub value: Value,
    /// The layer that it comes from.
    pub origin: Origin,
}

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The platform's defaults.
    Platform,
    /// `[defaults]`.
    Defaults,
    /// `[accounts.LABEL]`.
    Account,
    /// The entry's own control.
    Entry,
    /// Its `platform_overrides`.
    PlatformOverride,
    /// Its `account_overrides`.
    AccountOverride,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Platform => "platform default",
            Self::Defaults => "[defaults]",
            Self::Account => "account",
            Self::Entry => "entry",
            Self::PlatformOverride => "entry's platform_overrides",
            Self::AccountOverride => "entry's account_overrides",
        })
    }
}

/// Where the media of a post come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaFrom {
    /// What the entry's control names, else what the feed carries and the content shows.
    #[default]
    Auto,
    /// Only what the entry's control names.
    Control,
    /// Nowhere: no media go.
    None,
}

/// What becomes of media without alternative text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AltRule {
    /// The crosspost is held.
    Require,
    /// It goes, and a note says so.
    #[default]
    Warn,
    /// It goes.
    Ignore,
}

/// What goes where only one of media and link card does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaOrCard {
    /// The media, with the URL in the text.
    Media,
    /// The card.
    Card,
}

/// How hashtags are made of an entry's categories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HashtagRules {
    /// What they are made of.
    pub from: HashtagSource,
    /// How several words become one.
    pub style: HashtagStyle,
    /// The most of them; absent: as many as the platform takes.
    pub max: Option<u32>,
    /// Categories that become another hashtag: `c++` → `cpp`. Compared without regard to case.
    pub map: BTreeMap<String, String>,
    /// Categories that become none. Compared without regard to case.
    pub exclude: Vec<String>,
}

/// What hashtags are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashtagSource {
    /// The entry's categories and tags.
    #[default]
    Categories,
    /// Nothing: only what the entry's control names.
    None,
}

/// How several words become one hashtag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashtagStyle {
    /// `open source` → `OpenSource`: a screen reader reads two words.
    #[default]
    Camel,
    /// `Open Source` → `opensource`.
    Lower,
    /// `open Source` → `openSource`.
    Keep,
}

/// Parameters that are added to the posted URL, each a template. `source` → `utm_source` …
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Utm {
    /// `utm_source`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `utm_medium`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// `utm_campaign`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// `utm_term`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// `utm_content`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("settings are plain data with text keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_layer_wins_and_silence_keeps() {
        let defaults = Layer { truncate: Some(false), append_url: Some(false), ..Layer::default() };
        let account = Layer {
            append_url: Some(true),
            format_string: Some("{{url}}".into()),
            ..Layer::default()
        };
        let layers = || [(Origin::Defaults, &defaults), (Origin::Account, &account)];
        let settings = Settings::layered(Platform::Mastodon, layers());
        assert!(settings.append_url && !settings.truncate);
        assert_eq!(settings.format_string.as_deref(), Some("{{url}}"));

        let explained = Settings::explain(Platform::Mastodon, layers());
        let check = |setting: &str, value: Value, origin: Origin| {
            let choice = explained.iter().find(|choice| choice.setting == setting).unwrap();
            assert_eq!((&choice.value, choice.origin), (&value, origin), "{setting}");
        };
        check("truncate", false.into(), Origin::Defaults);
        check("append_url", true.into(), Origin::Account);
        check("format_string", "{{url}}".into(), Origin::Account);
        check("syndicate", true.into(), Origin::Platform);
        check("language", Value::Null, Origin::Platform);
        assert_eq!(explained.len(), Settings::NAMES.len());
    }

    #[test]
    fn a_story_of_the_defaults_is_for_those_that_have_stories() {
        let story = Layer { channel: Some(Channel::Story), ..Layer::default() };
        let feed = Layer { channel: Some(Channel::Feed), ..Layer::default() };
        let check = |platform, layers: &[(Origin, &Layer)], expect: (Channel, Origin)| {
            let layers = || layers.iter().copied();
            assert_eq!(Settings::layered(platform, layers()).channel, expect.0);
            let explained = Settings::explain(platform, layers());
            let choice = explained.iter().find(|choice| choice.setting == "channel").unwrap();
            assert_eq!((&choice.value, choice.origin), (&json(&expect.0), expect.1));
        };
        let defaults = (Origin::Defaults, &story);
        check(Platform::Instagram, &[defaults], (Channel::Story, Origin::Defaults));
        check(Platform::Mastodon, &[defaults], (Channel::Feed, Origin::Platform));
        let entry = (Origin::Entry, &story);
        check(Platform::Mastodon, &[defaults, entry], (Channel::Story, Origin::Entry));
        let entry = (Origin::Entry, &feed);
        check(Platform::Instagram, &[defaults, entry], (Channel::Feed, Origin::Entry));
    }

    #[test]
    fn a_card_where_there_are_cards_a_url_where_there_are_none() {
        let bluesky = Settings::of_platform(Platform::Bluesky);
        assert!(bluesky.attach_link && !bluesky.append_url);
        let refused = bluesky.without_card();
        assert!(!refused.attach_link && refused.append_url);
        let mastodon = Settings::of_platform(Platform::Mastodon);
        assert!(!mastodon.attach_link && mastodon.append_url);
    }

    #[test]
    fn a_layer_is_stored_without_what_it_does_not_say() {
        let layer = Layer { append_url: Some(true), ..Layer::default() };
        assert_eq!(json(&layer).to_string(), r#"{"append_url":true}"#);
        assert_eq!(json(&Layer::default()).to_string(), "{}");
        assert_eq!(serde_json::from_str::<Layer>("{}").unwrap(), Layer::default());
    }
}
