//! Extension: what an entry says about its own syndication.
//!
//! The element `post` in the namespace `https://posseparty.com/2024/Feed` (text: JSON, strict or
//! relaxed), and the object `_posse` of a JSON Feed item. What it may say is one table,
//! `properties`. **Invariant:** whatever it holds, the entry itself is read; what can't be taken is
//! told with its path and position, and left out. **Refuses:** to act on what it says about
//! identity and addresses: `parse` puts that into the entry.

use serde_json::Value;
use url::Url;

use crate::entry::{Control, Fields};

mod json; // text to values that know where they stand
mod lists; // the properties that hold several values
mod properties; // what may be said, as a table
mod reading; // values to settings and fields
mod value; // one value to what a property wants

use json::Node;
use reading::Reading;

/// How much text is read as JSON.
const BYTES_MAX: usize = 64 * 1024;
/// What problems call the element, whatever its prefix.
const ELEMENT: &str = "posse:post";
/// What problems call the object.
const OBJECT: &str = "_posse";

/// What an element or an object says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The entry's id.
    pub id: Option<String>,
    /// Fields of the entry, for every account.
    pub fields: Fields,
    /// Settings and overrides, and what could not be taken.
    pub control: Control,
}

/// Reads the text of a `post` element, whose relative addresses are relative to `base`.
pub fn of_element(format: Option<&str>, text: &str, base: &Url) -> Said {
    match format.map(str::trim) {
        None | Some("" | "json") => {}
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            return refused(ELEMENT, &format!("has the unknown format `{shown}`, want `json`"));
        }
    }
    // positions count from here: the line of the first bracket is line 1
    let text = text.trim();
    if text.len() > BYTES_MAX {
        return too_long(ELEMENT);
    }
    match json::read(text) {
        Ok(Some(node)) => read(&node, Reading::new(ELEMENT, Some(text), base)),
        Ok(None) => Said::default(),
        Err(unread) => {
            let mut reading = Reading::new(ELEMENT, Some(text), base);
            reading.tell("", Some(unread.at), &format!("can't be read: {}", unread.message));
            Said { control: control_of(reading.finish()), ..Said::default() }
        }
    }
}

/// Reads the object `_posse`, whose relative addresses are relative to `base`.
pub fn of_value(value: &Value, base: &Url) -> Said {
    if value.to_string().len() > BYTES_MAX {
        return too_long(OBJECT);
    }
    read(&Node::of_value(value), Reading::new(OBJECT, None, base))
}

/// What may be said, in the order of the documentation: the name, and whether overrides may say it
/// too.
pub fn properties() -> impl Iterator<Item = (&'static str, bool)> {
    let once = properties::ONCE.iter().map(|name| (*name, false));
    once.chain(properties::PROPERTIES.iter().map(|(name, _)| (*name, true)))
}

fn read(node: &Node<'_>, mut reading: Reading<'_>) -> Said {
    let mut said = reading.all(node);
    said.control.problems = reading.finish();
    said
}

fn refused(place: &str, why: &str) -> Said {
    let problems = vec![format!("`{place}` {why}, ignored")];
    Said { control: control_of(problems), ..Said::default() }
}

fn too_long(place: &str) -> Said {
    refused(place, &format!("is longer than {BYTES_MAX} bytes"))
}

fn control_of(problems: Vec<String>) -> Control {
    Control { problems, ..Control::default() }
}

#[cfg(test)]
mod tests;
