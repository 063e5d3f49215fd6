//! `release`: what a feed holds goes out.

use std::path::Path;

use clap::Args;

use super::desk::{Desk, wait};
use super::say::plural;
use super::{Answer, CliError, change};
use crate::crosspost::State;
use crate::store::people;
use crate::store::views::{self, Filter, Line};

/// Publish everything that a feed holds: a flood, or what waits for approval
#[derive(Debug, Args)]
#[command(after_help = "Example:
  posse-party list --state held --feed blog
  posse-party release blog

What nobody knows the fate of stays held: settle it with `posse-party resolve`.")]
pub struct Arguments {
    /// Label of the feed
    feed: String,
}

/// Makes what a feed holds ready, but for doubts.
///
/// # Errors
/// The feed is unknown, or holds nothing.
pub fn release(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let feed = desk.feed(&arguments.feed).await?;
        let (id, label, now) = (feed.id, feed.label.to_string(), desk.now);
        let (released, doubts) = desk
            .store
            .write(move |tx| {
                let filter =
                    Filter { state: Some(State::Held), feed: Some(label), ..Filter::default() };
                let held = views::list(tx, &filter)?;
                let released = people::release(tx, id, now)?;
                let is_doubt = |line: &&Line| line.attempts > 0;
                for line in held.iter().filter(|line| !is_doubt(line)) {
                    change::close(tx, line, now)?;
                }
                Ok((released, held.iter().filter(is_doubt).count()))
            })
            .await?;
        let rest = format!(
            "{} in doubt: `posse-party list --state held --feed {}`, then `posse-party resolve`",
            plural(doubts, "crosspost is", "crossposts are"),
            feed.label
        );
        match (released, doubts) {
            (0, 0) => Err(CliError::refused(
                format!("feed `{}` holds nothing", feed.label),
                "`posse-party list` shows what is on its way",
            )),
            (0, _) => {
                Err(CliError::refused(format!("feed `{}` holds only doubts", feed.label), rest))
            }
            (released, doubts) => {
                let what = plural(released, "crosspost", "crossposts");
                let rest = if doubts > 0 { format!("{rest}\n") } else { String::new() };
                let (label, when) = (&feed.label, desk.when());
                Ok(Answer::well(format!("released {what} of {label}\n{rest}{when}\n")))
            }
        }
    })
}
