//! Control: what an entry says about its own syndication, as `feed` shows it.
//!
//! In the words that the entry itself uses: `platform_overrides`, `account_overrides`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::say::glance;
use crate::clock::Timestamp;
use crate::config::{Config, nearest};
use crate::entry::{Control, Fields, Markup, Override, ParsedFeed, Problem};
use crate::settings::Layer;
use crate::text;

/// What is for the accounts on one platform.
const BY_PLATFORM: &str = "platform_overrides";
/// What is for one account.
const BY_ACCOUNT: &str = "account_overrides";

/// As JSON; empty where nothing is said.
pub fn json(control: &Control) -> Value {
    let Control { settings, by_platform, by_account, problems } = control;
    let mut object = layer(settings);
    for (name, overrides) in [(BY_PLATFORM, by_platform), (BY_ACCOUNT, by_account)] {
        if !overrides.is_empty() {
            object.insert(name.to_owned(), all(overrides));
        }
    }
    if !problems.is_empty() {
        object.insert("problems".to_owned(), problems.clone().into());
    }
    object.into()
}

/// In one line: `syndicate = true, platform_overrides.bluesky.title = "Hi"`; none where nothing is
/// said.
pub fn line(control: &Control) -> Option<String> {
    let said = Control { problems: Vec::new(), ..control.clone() };
    let mut parts = Vec::new();
    flat("", &json(&said), &mut parts);
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The problems that only show beside a config: overrides for accounts that it does not have.
pub fn strangers(feed: &ParsedFeed, config: &Config) -> Vec<Problem> {
    let known = || config.accounts.keys().map(|label| label.as_str());
    let said = feed.entries.iter().flat_map(|entry| {
        entry.control.by_account.keys().map(move |label| (&entry.id, label.as_str()))
    });
    let unknown = said.filter(|(_, label)| !known().any(|known| known == *label));
    unknown
        .map(|(id, label)| {
            let hint = nearest(label, known()).map(|near| format!(" (did you mean `{near}`?)"));
            let hint = hint.unwrap_or_default();
            let message = format!("`{BY_ACCOUNT}.{label}` is no account of the config{hint}");
            Problem { entry: Some(id.clone()), message }
        })
        .collect()
}

fn all(overrides: &BTreeMap<String, Override>) -> Value {
    let one = |(name, over): (&String, &Override)| {
        let mut object = layer(&over.settings);
        object.extend(fields(&over.fields));
        (name.clone(), Value::from(object))
    };
    overrides.iter().map(one).collect::<Map<_, _>>().into()
}

fn layer(layer: &Layer) -> Map<String, Value> {
    match serde_json::to_value(layer) {
        Ok(Value::Object(object)) => object,
        _ => unreachable!("a layer is plain data with text keys"),
    }
}

/// Fields as they are given, HTML as plain text, dates as dates.
fn fields(fields: &Fields) -> Map<String, Value> {
    let Ok(Value::Object(mut object)) = serde_json::to_value(fields) else {
        unreachable!("fields are plain data with text keys");
    };
    let markup = |markup: &Option<Markup>| markup.as_ref().map(text::plain);
    let date = |date: Option<Timestamp>| date.map(Timestamp::to_rfc3339);
    let shown = [
        ("summary", markup(&fields.summary)),
        ("content", markup(&fields.content)),
        ("published_at", date(fields.published_at)),
        ("updated_at", date(fields.updated_at)),
    ];
    for (name, text) in shown {
        if let (Some(text), Some(value)) = (text, object.get_mut(name)) {
            *value = text.into();
        }
    }
    object
}

fn flat(path: &str, value: &Value, parts: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                let dot = if path.is_empty() { "" } else { "." };
                flat(&format!("{path}{dot}{name}"), value, parts);
            }
        }
        other => parts.push(format!("{path} = {}", glance(&other.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_shown_in_the_words_of_the_feed() {
        let over = Override {
            settings: Layer { truncate: Some(false), ..Layer::default() },
            fields: Fields {
                summary: Some(Markup::Html("<p>a &amp; b</p>".into())),
                published_at: Some(Timestamp::from_secs(0)),
                ..Fields::default()
            },
        };
        let control = Control {
            settings: Layer { hashtags: Some(vec!["a".into()]), ..Layer::default() },
            by_platform: [("bluesky".into(), over)].into(),
            problems: vec!["something".into()],
            ..Control::default()
        };
        let check = |control: &Control, expect: Option<&str>| {
            assert_eq!(line(control).as_deref(), expect);
        };
        check(
            &control,
            Some(
                "hashtags = [\"a\"], platform_overrides.bluesky.truncate = false, \
                 platform_overrides.bluesky.summary = \"a & b\", \
                 platform_overrides.bluesky.published_at = \"1970-01-01T00:00:00.000Z\"",
            ),
        );
        check(&Control { problems: vec!["something".into()], ..Control::default() }, None);
        assert_eq!(json(&Control::default()).to_string(), "{}");
        assert_eq!(json(&control)["problems"][0], "something");
    }
}
