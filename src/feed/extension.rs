//! Extension: what an entry says about its own syndication.
//!
//! The element `post` in the namespace `https://posseparty.com/2024/Feed` (text: JSON), and the
//! object `_posse` of a JSON Feed item. **Invariant:** whatever it holds, the entry itself is read;
//! what can't be taken is told and left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::entry::{Control, Override};

/// How much text is read as JSON.
const BYTES_MAX: usize = 64 * 1024;

/// Reads the text of a `post` element and tells what could not be taken.
pub fn of_element(format: Option<&str>, text: &str) -> (Control, Vec<String>) {
    let refuse = |why: String| (Control::default(), vec![format!("`posse:post` {why}, ignored")]);
    match format.map(str::trim) {
        None | Some("" | "json") => {}
        Some(other) => return refuse(format!("has the unknown format `{other}`")),
    }
    let text = text.trim();
    if text.is_empty() {
        return (Control::default(), Vec::new());
    }
    if text.len() > BYTES_MAX {
        return refuse(format!("is longer than {BYTES_MAX} bytes"));
    }
    match serde_json::from_str(text) {
        Ok(value) => read(&value, "posse:post"),
        Err(error) => refuse(format!("is no JSON: {error}")),
    }
}

/// Reads the object `_posse` and tells what could not be taken.
pub fn of_value(value: &Value) -> (Control, Vec<String>) {
    read(value, "_posse")
}

fn read(value: &Value, place: &str) -> (Control, Vec<String>) {
    let mut reading = Reading { place, notes: Vec::new() };
    let Some(object) = reading.object(value, "") else {
        return (Control::default(), reading.notes);
    };
    let mut control = Control::default();
    control.settings.syndicate = reading.syndicate(object, "");
    control.by_platform = reading.overrides(object, "platform_overrides", |tag| match tag {
        "bsky" => "bluesky",
        tag => tag,
    });
    control.by_account = reading.overrides(object, "account_overrides", |label| label);
    (control, reading.notes)
}

struct Reading<'r> {
    place: &'r str,
    notes: Vec<String>,
}

impl Reading<'_> {
    fn object<'v>(&mut self, value: &'v Value, path: &str) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong(path, "an object", value);
        }
        object
    }

    /// The key `syndicate` of the object at `path`.
    fn syndicate(&mut self, object: &Map<String, Value>, path: &str) -> Option<bool> {
        match object.get("syndicate")? {
            Value::Bool(syndicate) => Some(*syndicate),
            Value::Null => None,
            other => {
                self.wrong(&format!("{path}.syndicate"), "true or false", other);
                None
            }
        }
    }

    /// The `syndicate` of each object in the object `key`, under its name as `name` gives it.
    fn overrides(
        &mut self,
        object: &Map<String, Value>,
        key: &str,
        name: fn(&str) -> &str,
    ) -> BTreeMap<String, Override> {
        let mut overrides = BTreeMap::new();
        let Some(value) = object.get(key).filter(|value| !value.is_null()) else {
            return overrides;
        };
        let Some(object) = self.object(value, &format!(".{key}")) else { return overrides };
        for (written, value) in object {
            let path = format!(".{key}.{written}");
            let Some(object) = self.object(value, &path) else { continue };
            if let Some(syndicate) = self.syndicate(object, &path) {
                let mut over = Override::default();
                over.settings.syndicate = Some(syndicate);
                overrides.insert(name(written).to_owned(), over);
            }
        }
        overrides
    }

    fn wrong(&mut self, path: &str, want: &str, value: &Value) {
        let shown: String = value.to_string().chars().take(40).collect();
        self.notes.push(format!("`{}{path}` is `{shown}`, not {want}, ignored", self.place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expect: &[(&str, &str, bool)], problems: &[&str]) {
        let (control, notes) = of_element(None, json);
        for (platform, label, allowed) in expect {
            let said = control.layers(platform, label).filter_map(|(_, layer)| layer.syndicate);
            assert_eq!(said.last().unwrap_or(true), *allowed, "{json} {platform} {label}");
        }
        assert_eq!(notes, problems, "{json}");
    }

    #[test]
    fn the_nearest_word_counts_and_bsky_is_bluesky() {
        check(r#"{"syndicate": false}"#, &[("x", "me", false)], &[]);
        check(
            r#"{"syndicate": false, "title": "left for later",
                "platform_overrides": {"bsky": {"syndicate": true}},
                "account_overrides": {"work": {"syndicate": false}}}"#,
            &[("bluesky", "me", true), ("bluesky", "work", false), ("x", "me", false)],
            &[],
        );
        check("", &[("x", "me", true)], &[]);
        check("{}", &[("x", "me", true)], &[]);
    }

    #[test]
    fn what_cannot_be_taken_is_told_and_left_out() {
        check(
            "{syndicate",
            &[("x", "me", true)],
            &["`posse:post` is no JSON: key must be a string at line 1 column 2, ignored"],
        );
        check("[1]", &[("x", "me", true)], &["`posse:post` is `[1]`, not an object, ignored"]);
        check(
            r#"{"syndicate": "no", "platform_overrides": [], "account_overrides": {"me": 1}}"#,
            &[("x", "me", true)],
            &[
                "`posse:post.syndicate` is `\"no\"`, not true or false, ignored",
                "`posse:post.platform_overrides` is `[]`, not an object, ignored",
                "`posse:post.account_overrides.me` is `1`, not an object, ignored",
            ],
        );
        let (control, notes) = of_element(Some("yaml"), "syndicate: false");
        assert_eq!(control, Control::default());
        assert_eq!(notes, ["`posse:post` has the unknown format `yaml`, ignored"]);
    }

    #[test]
    fn depth_is_no_danger() {
        let (control, notes) = of_element(None, &"[".repeat(50_000));
        assert_eq!((control, notes.len()), (Control::default(), 1));
    }
}
