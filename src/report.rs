//! Report: how the owner hears of things: one line when an incident begins, one when it is over.
//!
//! Incidents are opened and resolved in the transaction that knows of them; the lines are written
//! once that is committed. The channels (mail, ntfy …) will hang here.

use crate::clock::Timestamp;
use crate::names::{CrosspostId, Label};

/// Key of the incident of an account that is parked.
pub fn account_incident(account: &Label) -> String {
    format!("account:{account}")
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
