//! Values: one text or number of the config to one typed value, or the reason why not.
//!
//! Every reason names the value and what is wanted, so that it reads alone. **Refuses:** to guess a
//! unit, a scheme or a type.

use std::path::{Path, PathBuf};

use super::raw::{Data, Node};
use super::schema::{nearest, one_of};
use crate::names::Label;

mod size; // bytes
mod time; // durations, cron, time zones
mod web; // URLs, networks

pub use size::size;
pub use time::{cron, duration, timezone};
pub use web::{contact, feed_url, folder_url, network, origin, picture};

/// How much of a value a message shows, in characters.
const SHOWN_MAX: usize = 60;

/// What a value is, for a message that wanted something else.
pub fn describe(node: &Node) -> String {
    match &node.data {
        Data::Text(text) => format!("the text {}", shown(text)),
        Data::Integer(number) => format!("`{number}`"),
        Data::Float(number) => format!("`{number}`"),
        Data::Bool(value) => format!("`{value}`"),
        Data::Date => "a date".into(),
        Data::List(_) => "a list".into(),
        Data::Table(_) => "a table".into(),
    }
}

/// A value in backticks, on one line, cut to a readable length. What a URL may carry in secret (a
/// query, a password) is left out.
pub fn shown(text: &str) -> String {
    let mut text = text.escape_debug().to_string();
    for (escaped, plain) in [("\\'", "'"), ("\\\"", "\""), ("\\\\", "\\")] {
        text = text.replace(escaped, plain);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = match authority.rsplit_once('@') {
            Some((_, host)) => format!("…@{host}"),
            None => authority.into(),
        };
        let cut = if text.len() > scheme.len() + 3 + rest.len() { "…" } else { "" };
        text = format!("{scheme}://{host}{path}{cut}");
    }
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// A text that is not empty.
pub fn text(node: &Node) -> Result<&str, String> {
    match any_text(node)? {
        "" => Err("is empty".into()),
        text => Ok(text),
    }
}

/// A text, which may be empty.
pub fn any_text(node: &Node) -> Result<&str, String> {
    match &node.data {
        Data::Text(text) => Ok(text),
        Data::List(_) | Data::Table(_) => {
            Err(format!("{} is not a text, want one", describe(node)))
        }
        _ => Err(format!("{} is not a text, want it in quotes", describe(node))),
    }
}

/// `true` or `false`.
pub fn switch(node: &Node) -> Result<bool, String> {
    match node.data {
        Data::Bool(value) => Ok(value),
        _ => Err(format!("{} is not a switch, want `true` or `false`", describe(node))),
    }
}

/// A whole number of at least `min`.
pub fn count(node: &Node, min: u32) -> Result<u32, String> {
    match node.data {
        Data::Integer(number) => u32::try_from(number).ok().filter(|number| *number >= min),
        _ => None,
    }
    .ok_or_else(|| format!("{} is no count, want a whole number from {min}", describe(node)))
}

/// One word of a fixed set.
pub fn word<T: Copy>(node: &Node, words: &[(&str, T)]) -> Result<T, String> {
    let names: Vec<_> = words.iter().map(|(name, _)| *name).collect();
    let text = text(node)
        .map_err(|_| format!("{} is no word, want {}", describe(node), one_of(&names)))?;
    words.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        match nearest(text, names.iter().copied()) {
            Some(near) => format!("{} is unknown, want `{near}`", shown(text)),
            None => format!("{} is unknown, want {}", shown(text), one_of(&names)),
        }
    })
}

/// A list of texts, each with its place in the list.
pub fn list(node: &Node) -> Result<&[Node], String> {
    match &node.data {
        Data::List(nodes) => Ok(nodes),
        Data::Text(text) => Err(format!("{0} is no list, want `[\"{text}\"]`", shown(text))),
        _ => Err(format!("{} is no list, want for example `[\"one\", \"two\"]`", describe(node))),
    }
}

/// The label in `text`.
pub fn label(text: &str) -> Result<Label, String> {
    Label::new(text).ok_or_else(|| {
        let want = "want 1 to 64 letters, digits, `-`, `_` or `.`, without spaces";
        format!("{} is no label, {want}", shown(text))
    })
}

/// A path; a relative one is relative to `folder`.
pub fn path(node: &Node, folder: &Path) -> Result<PathBuf, String> {
    let text = text(node)?;
    if text.starts_with('~') {
        return Err(format!("{} starts with `~`, want the folder in full", shown(text)));
    }
    if text.contains('\0') {
        return Err(format!("{} holds a NUL, which no path may", shown(text)));
    }
    Ok(folder.join(text))
}

/// A BCP 47 language tag.
pub fn language(node: &Node) -> Result<String, String> {
    let text = text(node)?;
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let fits = (2..=8).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && plain(part));
    if fits {
        return Ok(text.into());
    }
    Err(format!("{} is no language tag, want for example `en` or `pt-BR`", shown(text)))
}

/// A hashtag, with its `#` or without. What of it a platform can't have is its composer's to mend.
pub fn hashtag(node: &Node) -> Result<String, String> {
    let text = text(node)?;
    let name = text.strip_prefix('#').unwrap_or(text);
    let splits = |c: char| c.is_whitespace() || c.is_control() || c.is_ascii_punctuation();
    if name.is_empty() || name.contains(|c| splits(c) && c != '_') {
        let want = "want letters, digits and `_`, for example `OpenSource`";
        return Err(format!("{} is no hashtag, {want}", shown(text)));
    }
    Ok(name.into())
}

/// A filter of the log: a level, or a list of `target=level`.
pub fn log_filter(node: &Node) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let text = text(node)?.trim();
    // a bare word that is no level would be taken as the name of a module, and silence the rest
    let stray = text.split(',').map(str::trim).find(|part| {
        !part.contains(['=', '[']) && !LEVELS.iter().any(|level| part.eq_ignore_ascii_case(level))
    });
    if let Some(stray) = stray {
        let want = match nearest(stray, LEVELS) {
            Some(near) => format!("`{near}`"),
            None => format!("{}, or for example `info,{stray}=debug`", one_of(&LEVELS)),
        };
        return Err(format!("{} is no level, want {want}", shown(stray)));
    }
    match text.parse::<tracing_subscriber::filter::Targets>() {
        Ok(_) if !text.contains('[') => Ok(text.into()),
        _ => {
            Err(format!("{} is no filter, want for example `info,posse_party=debug`", shown(text)))
        }
    }
}
