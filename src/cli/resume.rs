//! `resume`: a parked account publishes again.

use std::path::Path;

use clap::Args;

use super::desk::{Desk, wait};
use super::say::plural;
use super::{Answer, CliError};
use crate::crosspost::State;
use crate::report::account_incident;
use crate::store::{self, accounts, incidents, views};

/// End the parking of an account: its queue goes out
#[derive(Debug, Args)]
#[command(after_help = "Example:
  posse-party resume fediverse

An account resumes by itself when its credentials in the config change, or when the time is over
that the platform named. Where the cause is still there, it is parked again at the next attempt.")]
pub struct Arguments {
    /// Label of the account
    account: String,
}

/// Ends the parking of an account, or a wait that its platform asked for.
///
/// # Errors
/// The account is unknown, or neither parked nor waiting.
pub fn resume(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let account = desk.account(&arguments.account).await?;
        let (id, label, now) = (account.id, account.label.clone(), desk.now);
        let key = account_incident(&label);
        let is_open = move |db: &store::Connection| {
            Ok(incidents::all_open(db)?.iter().any(|incident| incident.key == key))
        };
        let is_open = desk.store.read(is_open).await?;
        if account.parked.is_none() && account.not_before <= now && !is_open {
            return Err(CliError::refused(
                format!("account `{label}` is not parked"),
                "`posse-party status` shows what each account is waiting for",
            ));
        }
        let counts = desk
            .store
            .write(move |tx| {
                accounts::unpark(tx, id, now)?;
                incidents::resolve(tx, &account_incident(&label), now)?;
                views::counts(tx, Some(id))
            })
            .await?;
        let ready = counts.iter().find(|(state, _)| *state == State::Ready).map_or(0, |(_, n)| *n);
        let ready = plural(usize::try_from(ready).unwrap_or(usize::MAX), "crosspost", "crossposts");
        let was = account.parked.map(|parked| format!(" (was parked: {})", parked.reason));
        Ok(Answer::well(format!(
            "{} publishes again{}: {ready} ready\n{}\n",
            account.label,
            was.unwrap_or_default(),
            desk.when()
        )))
    })
}
