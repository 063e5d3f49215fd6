//! `backup`: a consistent copy of the live database.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::desk::{Desk, wait};
use super::say::shell;
use super::{Answer, CliError};

/// Copy the live database into a new file, consistently
#[derive(Debug, Args)]
#[command(after_help = "Example:
  posse-party backup /var/lib/posse-party/backup-$(date +%F).db

To restore it, stop the daemon, put the file in the place of the database, remove the `-wal` and
`-shm` files beside it, and start again.")]
pub struct Arguments {
    /// The new file
    #[arg(value_name = "PATH")]
    target: PathBuf,
}

/// Writes the copy, readable by its owner alone.
///
/// # Errors
/// The file exists, or can't be written.
pub fn backup(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let target = std::path::absolute(&arguments.target).context("failed to find the folder")?;
        if target.exists() {
            return Err(CliError::refused(
                format!("`{}` exists already", target.display()),
                "name a file that is not there yet",
            ));
        }
        desk.store.backup(&target).await?;
        let bytes = target.metadata().map_or(0, |metadata| metadata.len());
        Ok(Answer::well(format!(
            "copied the database to {} ({} KiB); `posse-party backup --help` says how to restore it\n",
            shell(&target.to_string_lossy()),
            bytes.div_ceil(1024)
        )))
    })
}
