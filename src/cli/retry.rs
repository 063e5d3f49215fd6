//! `retry`: what has failed goes out again.

use std::path::Path;

use clap::Args;

use super::desk::{Desk, wait};
use super::{Answer, CliError, change, next};
use crate::crosspost::State;
use crate::store::people;
use crate::store::views::Line;

/// Send crossposts again that have failed, composed anew
#[derive(Debug, Args)]
#[command(after_help = "Example:
  posse-party list --state failed
  posse-party retry 17 18")]
pub struct Arguments {
    /// Numbers of crossposts, as `list` shows them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
}

/// Makes failed crossposts ready.
///
/// # Errors
/// One of them has not failed: then none is changed.
pub fn retry(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let fits = |line: &Line| line.state == State::Failed;
        let lines = change::each(&desk, &arguments.ids, "retry", fits, people::retry).await?;
        let told = lines
            .iter()
            .map(|line| format!("trying \"{}\" on {} again\n", next::title(line), line.account));
        Ok(Answer::well(told.collect::<String>() + desk.when() + "\n"))
    })
}
