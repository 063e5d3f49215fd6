//! Settings: how an entry becomes a draft, in layers, the later one winning.
//!
//! Platform defaults → `[defaults]` → account. (The layers of an entry come with its control.)

use crate::draft::Visibility;
use crate::platform::Platform;

/// One layer: what it says, and silence about the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// Template of the text.
    pub format_string: Option<String>,
    /// Whether the canonical URL goes after the text.
    pub append_url: Option<bool>,
    /// What stands between the text and the appended URL.
    pub append_url_spacer: Option<String>,
    /// Whether a text that is too long is shortened (else it is a content failure).
    pub truncate: Option<bool>,
    /// Whether a link card is sent along.
    pub attach_link: Option<bool>,
    /// BCP 47 tag that overrides the entry's language.
    pub language: Option<String>,
    /// Who may see the post.
    pub visibility: Option<Visibility>,
}

/// All layers laid over each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Template of the text.
    pub format_string: String,
    /// Whether the canonical URL goes after the text.
    pub append_url: bool,
    /// What stands between the text and the appended URL.
    pub append_url_spacer: String,
    /// Whether a text that is too long is shortened.
    pub truncate: bool,
    /// Whether a link card is sent along.
    pub attach_link: bool,
    /// BCP 47 tag; absent: the entry's own.
    pub language: Option<String>,
    /// Who may see the post; absent: the account's own default on the platform.
    pub visibility: Option<Visibility>,
}

impl Settings {
    /// The defaults of a platform: a link card where it has cards, else the URL in the text.
    pub fn of_platform(platform: Platform) -> Self {
        Self {
            format_string: "{{title}}".into(),
            append_url: !platform.has_cards(),
            append_url_spacer: " ".into(),
            truncate: true,
            attach_link: platform.has_cards(),
            language: None,
            visibility: None,
        }
    }

    /// The defaults of `platform` with `layers` laid over them, the last one winning.
    pub fn layered(platform: Platform, layers: &[&Layer]) -> Self {
        layers.iter().fold(Self::of_platform(platform), |mut settings, layer| {
            let layer = (*layer).clone();
            put(&mut settings.format_string, layer.format_string);
            put(&mut settings.append_url, layer.append_url);
            put(&mut settings.append_url_spacer, layer.append_url_spacer);
            put(&mut settings.truncate, layer.truncate);
            put(&mut settings.attach_link, layer.attach_link);
            settings.language = layer.language.or(settings.language);
            settings.visibility = layer.visibility.or(settings.visibility);
            settings
        })
    }
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_layer_wins_and_silence_keeps() {
        let defaults = Layer { truncate: Some(false), append_url: Some(false), ..Layer::default() };
        let account = Layer { append_url: Some(true), ..Layer::default() };
        let settings = Settings::layered(Platform::Mastodon, &[&defaults, &account]);
        assert!(settings.append_url && !settings.truncate);
        assert_eq!(settings.format_string, "{{title}}");
    }

    #[test]
    fn a_card_where_there_are_cards_a_url_where_there_are_none() {
        let bluesky = Settings::of_platform(Platform::Bluesky);
        assert!(bluesky.attach_link && !bluesky.append_url);
        let mastodon = Settings::of_platform(Platform::Mastodon);
        assert!(!mastodon.attach_link && mastodon.append_url);
    }
}
