//! Command line: what was typed, and which command answers.
//!
//! Exit codes: 0 all is well; 1 something is wrong; 2 the arguments; 78 the config (`EX_CONFIG`,
//! after which systemd does not restart).

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Problems, default_path};

mod run;

/// Exit code of a config that can't be used: `EX_CONFIG` of sysexits(3).
const EXIT_CONFIG: u8 = 78;

/// Publishes new entries of your own site's feeds to your accounts elsewhere: never twice, never in
/// silence.
#[derive(Debug, Parser)]
#[command(name = "posse-party", version, max_term_width = 100)]
struct Arguments {
    /// The config file [default: $CONFIGURATION_DIRECTORY/config.toml, else
    /// /etc/posse-party/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] Problems),
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

/// Runs the command of the process's arguments.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let path = arguments.config.unwrap_or_else(default_path);
    let result = match arguments.command {
        Command::Run(arguments) => run::run(&path, &arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("posse-party: error: {error}");
            match error {
                CliError::Config(_) => {
                    anstream::eprintln!("hint: run `posse-party check` after editing");
                    ExitCode::from(EXIT_CONFIG)
                }
                CliError::Other(_) => ExitCode::FAILURE,
            }
        }
    }
}

/// Loads the config, and keeps its secrets out of everything that is printed from now on.
fn load(path: &std::path::Path) -> Result<Config, Problems> {
    let config = Config::load(path)?;
    crate::logging::register_secrets(config.secrets());
    Ok(config)
}
