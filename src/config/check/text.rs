//! Check of the text settings, which `[defaults]` and every account may hold.

use std::collections::BTreeMap;

use crate::config::problem::{Kind, Report};
use crate::config::raw::Node;
use crate::config::section::Section;
use crate::config::{TemplateCheck, schema, value};
use crate::draft::{Channel, ReplyControl, Visibility};
use crate::platform::Platform;
use crate::settings::{
    AltRule, HashtagRules, HashtagSource, HashtagStyle, Layer, MediaFrom, MediaOrCard, Utm,
};

const VISIBILITIES: [Visibility; 4] =
    [Visibility::Public, Visibility::Unlisted, Visibility::Private, Visibility::Direct];
const CHANNELS: [Channel; 2] = [Channel::Feed, Channel::Story];
const REPLY_CONTROLS: [ReplyControl; 4] = [
    ReplyControl::Everyone,
    ReplyControl::AccountsYouFollow,
    ReplyControl::FollowersOnly,
    ReplyControl::MentionedOnly,
];
const SOURCES: [(&str, HashtagSource); 2] =
    [("categories", HashtagSource::Categories), ("none", HashtagSource::None)];
const STYLES: [(&str, HashtagStyle); 3] =
    [("camel", HashtagStyle::Camel), ("lower", HashtagStyle::Lower), ("keep", HashtagStyle::Keep)];
const SOURCES_OF_MEDIA: [(&str, MediaFrom); 3] =
    [("auto", MediaFrom::Auto), ("control", MediaFrom::Control), ("none", MediaFrom::None)];
const MEDIA_OR_CARD: [(&str, MediaOrCard); 2] =
    [("media", MediaOrCard::Media), ("card", MediaOrCard::Card)];
const ALT_RULES: [(&str, AltRule); 3] =
    [("require", AltRule::Require), ("warn", AltRule::Warn), ("ignore", AltRule::Ignore)];

/// Checks the text settings in `section`.
pub fn check(report: &mut Report, section: &mut Section) -> Layer {
    let check = report.templates;
    let any = |node: &Node| value::any_text(node).map(String::from);
    let visibilities = VISIBILITIES.map(|it| (it.as_str(), it));
    let channels = CHANNELS.map(|it| (it.as_str(), it));
    let reply_controls = REPLY_CONTROLS.map(|it| (it.as_str(), it));
    Layer {
        syndicate: section.read(report, "syndicate", value::switch),
        channel: section.read(report, "channel", |node| value::word(node, &channels)),
        format_string: section
            .read(report, "format_string", |node| template(value::any_text(node)?, check)),
        truncate: section.read(report, "truncate", value::switch),
        append_url: section.read(report, "append_url", value::switch),
        append_url_if_truncated: section.read(report, "append_url_if_truncated", value::switch),
        append_url_spacer: section.read(report, "append_url_spacer", any),
        append_url_label: section.read(report, "append_url_label", any),
        attach_link: section.read(report, "attach_link", value::switch),
        og_title: section.read(report, "og_title", any),
        og_description: section.read(report, "og_description", any),
        og_image: section.read(report, "og_image", value::picture),
        hashtag_rules: hashtags(report, section),
        append_hashtags: section.read(report, "append_hashtags", value::switch),
        utm: utm(report, section),
        language: section.read(report, "language", value::language),
        visibility: section.read(report, "visibility", |node| value::word(node, &visibilities)),
        content_warning: section.read(report, "content_warning", any),
        reply_control: section.read(report, "reply_control", |it| value::word(it, &reply_controls)),
        media_from: section.read(report, "media", |node| value::word(node, &SOURCES_OF_MEDIA)),
        media_max: section.read(report, "media_max", |node| value::count(node, 1)),
        media_or_card: section
            .read(report, "media_or_card", |node| value::word(node, &MEDIA_OR_CARD)),
        alt: section.read(report, "alt", |node| value::word(node, &ALT_RULES)),
        // what is one entry's alone
        media: None,
        hashtags: None,
        mentions: None,
    }
}

/// Checks the text settings of an account on `platform`: what the platform has not got is a
/// mistake there.
pub fn of_account(report: &mut Report, section: &mut Section, platform: Option<Platform>) -> Layer {
    let Some(platform) = platform else { return check(report, section) };
    let (rules, tag) = (platform.rules(), platform.tag());
    for (key, _, what) in schema::CHOICES.iter().filter(|(_, has, _)| !has(&rules)) {
        if section.has(key) {
            let message = format!("{tag} {what}, leave it out");
            report.problem(section.place_of(key), Kind::Value, &section.path_of(key), message);
        }
    }
    let place = section.place_of("channel");
    let layer = check(report, section);
    if layer.channel == Some(Channel::Story) && !rules.has_stories {
        let message = format!("{tag} has no stories, want `feed`");
        report.problem(place, Kind::Value, &section.path_of("channel"), message);
    }
    layer
}

/// A template that can be used.
fn template(text: &str, check: TemplateCheck) -> Result<String, String> {
    check(text).map_err(|why| format!("{} can't be used: {why}", value::shown(text)))?;
    Ok(text.to_owned())
}

/// How hashtags are made of categories.
fn hashtags(report: &mut Report, section: &mut Section) -> Option<HashtagRules> {
    const EXAMPLE: &str = "{ style = \"lower\", max = 3 }";
    let mut section = section.inner(report, "hashtags", schema::HASHTAGS, EXAMPLE)?;
    let default = HashtagRules::default();
    let rules = HashtagRules {
        from: section
            .read(report, "from", |node| value::word(node, &SOURCES))
            .unwrap_or(default.from),
        style: section
            .read(report, "style", |node| value::word(node, &STYLES))
            .unwrap_or(default.style),
        max: section.read(report, "max", |node| value::count(node, 1)),
        map: hashtag_map(report, &mut section),
        exclude: section
            .read_list(report, "exclude", |node| value::text(node).map(String::from))
            .unwrap_or_default(),
    };
    section.finish(report, |_, _| None);
    Some(rules)
}

/// The categories that become another hashtag.
fn hashtag_map(report: &mut Report, section: &mut Section) -> BTreeMap<String, String> {
    const EXAMPLE: &str = "{ \"c++\" = \"cpp\" }";
    let Some(section) = section.inner(report, "map", Vec::new(), EXAMPLE) else {
        return BTreeMap::new();
    };
    let mut map = BTreeMap::new();
    for (path, category, node) in section.entries() {
        match value::hashtag(&node) {
            Ok(hashtag) => drop(map.insert(category, hashtag)),
            Err(message) => report.problem(node.place, Kind::Value, &path, message),
        }
    }
    map
}

/// What is added to posted URLs.
fn utm(report: &mut Report, section: &mut Section) -> Option<Utm> {
    const EXAMPLE: &str = "{ source = \"{{platform}}\", medium = \"social\" }";
    let mut section = section.inner(report, "utm", schema::UTM, EXAMPLE)?;
    let check = report.templates;
    let mut read = |key| section.read(report, key, |node| template(value::text(node)?, check));
    let utm = Utm {
        source: read("source"),
        medium: read("medium"),
        campaign: read("campaign"),
        term: read("term"),
        content: read("content"),
    };
    section.finish(report, |_, _| None);
    Some(utm)
}
