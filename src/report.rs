//! Report: how the owner hears of things: one line when an incident begins, one when it is over.
//!
//! Incidents are opened and resolved in the transaction that knows of them; the lines are written
//! once that is committed. The channels (mail, ntfy …) will hang here.

use std::borrow::Cow;

use crate::clock::Timestamp;
use crate::names::{CrosspostId, Label};

/// Key of the incident of an account that is parked.
pub fn account_incident(account: &Label) -> String {
    format!("account:{account}")
}

/// Key of the incident of an account whose token can't be renewed, or ends soon.
pub fn token_incident(account: &Label) -> String {
    format!("token:{account}")
}

/// Key of the incident of a crosspost that nobody knows the fate of.
pub fn doubt_incident(crosspost: CrosspostId) -> String {
    format!("doubt:{crosspost}")
}

/// Says that an incident began.
pub fn opened(incident: &str, message: &str) {
    tracing::error!(alert = "opened", incident, "{message}");
}

/// Says that an incident is over.
pub fn resolved(incident: &str, since: Timestamp, now: Timestamp, message: &str) {
    // seconds are enough for a person
    let seconds = std::time::Duration::from_secs(now.since(since).as_secs());
    let took = humantime::format_duration(seconds).to_string();
    tracing::info!(alert = "resolved", incident, %took, "{message}");
}

/// A title as a log line shows it: at most 80 characters, on a word's end where one is near.
pub fn title(title: &str) -> Cow<'_, str> {
    const MOST: usize = 80;
    let Some((cut, _)) = title.char_indices().nth(MOST) else { return title.into() };
    let start = &title[..cut];
    let end = start.rfind(' ').filter(|end| *end > cut / 2).unwrap_or(cut);
    format!("{}…", start[..end].trim_end()).into()
}

/// A number with its noun: `1 feed`, `2 feeds`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_title_is_cut_at_a_word() {
        assert_eq!(title("short"), "short");
        let long = "word ".repeat(30);
        assert_eq!(title(&long), format!("{}…", "word ".repeat(16).trim_end()));
        let glued = "é".repeat(200);
        assert_eq!(title(&glued).chars().count(), 81);
    }

    #[test]
    fn numbers_agree_with_their_nouns() {
        assert_eq!((count(1, "feed"), count(0, "feed")), ("1 feed".into(), "0 feeds".into()));
    }
}
