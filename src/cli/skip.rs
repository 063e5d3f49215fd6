//! `skip`: what has not been sent is set aside.

use std::path::Path;

use clap::Args;

use super::desk::{Desk, wait};
use super::{Answer, CliError, change, next};
use crate::crosspost::State;
use crate::store::people;
use crate::store::views::Line;

/// Set crossposts aside that are held or ready; `publish` brings them back
#[derive(Debug, Args)]
#[command(after_help = "Example:
  posse-party list --state held
  posse-party skip 17 18")]
pub struct Arguments {
    /// Numbers of crossposts, as `list` shows them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
}

/// Makes held and ready crossposts skipped.
///
/// # Errors
/// One of them is in another state: then none is changed.
pub fn skip(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let fits = |line: &Line| matches!(line.state, State::Held | State::Ready);
        let lines = change::each(&desk, &arguments.ids, "skip", fits, people::skip).await?;
        let told = lines.iter().map(|line| {
            format!(
                "\"{}\" will not go to {}; after all: `posse-party publish {} --to {}`\n",
                next::title(line),
                line.account,
                next::entry(line),
                line.account
            )
        });
        Ok(Answer::well(told.collect::<String>()))
    })
}
