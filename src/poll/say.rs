//! Say: what a poll tells the log. Silence when nothing happened.

use std::time::Duration;

use url::Url;

use super::record::{self, Recorded};
use crate::clock::Timestamp;
use crate::entry::Problem;
use crate::names::Label;
use crate::report;

/// Says what a poll found.
pub fn recorded(feed: &Label, recorded: &Recorded, now: Timestamp) {
    if let Some(since) = recorded.recovered_since {
        let key = record::feed_incident(feed);
        report::resolved(&key, since, now, &format!("feed {feed} is readable again"));
    }
    for (account, count) in recorded.set_aside.iter().filter(|(_, count)| *count > 0) {
        tracing::info!(%feed, %account,
            "first sight of {feed} for {account}: what was there already ({}) is set aside; publish one all the same with `posse-party publish ENTRY --to {account}`",
            report::count(*count, "item"));
    }
    for (title, accounts) in &recorded.news {
        tracing::info!(%feed, "new in {feed}: \"{}\", for {}",
            report::title(title), report::count(*accounts, "account"));
    }
    for (reason, count) in &recorded.skipped {
        tracing::info!(%feed, "{} of {feed} skipped: {reason}", report::count(*count, "crosspost"));
    }
    for (reason, count) in &recorded.held {
        if recorded.flood_is_new && reason == super::route::FLOOD {
            let key = record::flood_incident(feed);
            report::opened(
                &key,
                &format!(
                    "{feed} has more news at once than max_new: {} held; see them with `posse-party \
                 list --state held --feed {feed}`, publish them with `posse-party release {feed}`, \
                 or set them aside with `posse-party skip ID…`",
                    report::count(*count, "crosspost")
                ),
            );
        } else {
            tracing::warn!(%feed,
                "{} of {feed} held ({reason}); publish with `posse-party release {feed}`, or set \
                 aside with `posse-party skip ID…`", report::count(*count, "crosspost"));
        }
    }
    for (account, entry) in &recorded.freed {
        tracing::info!(%feed, %account, entry = entry.0,
            "an entry of {feed} has its alt text now, and goes to {account}; its story: \
             `posse-party why {entry}`");
    }
    if recorded.edited + recorded.renamed > 0 {
        tracing::debug!(%feed, edited = recorded.edited, renamed = recorded.renamed,
            "known entries of {feed} have changed");
    }
    for (back, account, entry) in &recorded.withdrawn {
        let what = if *back { "is back where it was" } else { "is withdrawn" };
        tracing::info!(%feed, %account, entry = entry.0,
            "an entry of {feed} {what} on {account}; its story: `posse-party why {entry}`");
    }
}

/// Says what of a document could not be taken as it stood.
pub fn problems(feed: &Label, problems: &[Problem]) {
    if let Some(first) = problems.first() {
        tracing::info!(%feed,
            "{feed} is read, with {}: {}{}; see `posse-party feed {feed}`",
            report::count(problems.len(), "problem"), first.message,
            if problems.len() > 1 { " …" } else { "" });
    }
}

/// Says that a poll failed: loudly once, and then only for those who look closely.
pub fn failed(feed: &Label, message: &str, is_new: bool, next: Option<Timestamp>, now: Timestamp) {
    let next = match next {
        Some(next) => {
            let wait = Duration::from_secs(next.since(now).as_secs());
            format!("asking again in {}", humantime::format_duration(wait))
        }
        None => format!("not asking any more; `posse-party poll {feed}` asks once again"),
    };
    if is_new {
        let key = record::feed_incident(feed);
        report::opened(&key, &format!("feed {feed} can't be read: {message}; {next}"));
    } else {
        tracing::debug!(%feed, "feed {feed} still can't be read: {message}; {next}");
    }
}

/// Says that a feed is asked at another address from now on.
pub fn moved(feed: &Label, to: Option<&Url>) {
    match to {
        Some(to) => tracing::warn!(%feed,
            "feed {feed} has moved for good and is polled at its new address: change the line in \
             the config to `url = \"{to}\"`"),
        None => tracing::info!(%feed, "feed {feed} is polled at the address in the config again"),
    }
}
