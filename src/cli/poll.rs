//! `poll`: feeds are asked now.

use std::path::Path;

use clap::Args;

use super::desk::{Desk, wait};
use super::say::plural;
use super::{Answer, CliError};
use crate::store::feeds;

/// Poll a feed now, or all of them
#[derive(Debug, Args)]
#[command(after_help = "Example:
  posse-party poll blog")]
pub struct Arguments {
    /// Label of the feed; left out: every feed
    feed: Option<String>,
}

/// Makes feeds due now.
///
/// # Errors
/// The feed is unknown, or not active.
pub fn poll(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let feed = match &arguments.feed {
            Some(label) => Some(desk.feed(label).await?),
            None => None,
        };
        let (id, now) = (feed.as_ref().map(|feed| feed.id), desk.now);
        let count = desk.store.write(move |tx| feeds::poll_now(tx, id, now)).await?;
        if count == 0 {
            let what = match feed {
                Some(feed) => format!("feed `{}` is not active in the config", feed.label),
                None => "no feed is active in the config".into(),
            };
            return Err(CliError::refused(what, desk.take_over()));
        }
        let waits = match &feed {
            Some(feed) => {
                let id = feed.id;
                let due = desk.store.read(move |db| feeds::due_at(db, id)).await?;
                due.filter(|due| *due > now)
            }
            None => None,
        };
        if let (Some(feed), Some(due)) = (&feed, waits) {
            return Ok(Answer::well(format!(
                "{} is polled at {due}: its server has asked for no request before that\n",
                feed.label
            )));
        }
        let what =
            feed.map_or_else(|| plural(count, "feed", "feeds"), |feed| feed.label.to_string());
        Ok(Answer::well(format!("{what} due now: {}\n", desk.when())))
    })
}
