//! Command line: what was typed, and which command answers.
//!
//! A command gives back its whole answer as text; it is printed here, in one place, without
//! secrets, with colour where somebody looks, and without a panic where nobody reads on.
//! Exit codes: 0 all is well; 1 something is wrong; 2 the arguments; 78 the config (`EX_CONFIG`,
//! after which systemd does not restart).

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::compose::template;
use crate::config::{Config, Problems, default_path};
use crate::redact::{redact, register_secrets};
use crate::store::StoreError;

mod run; // the daemon
mod check; // is the config right, and do feeds and accounts answer
mod feed; // what the daemon sees in a feed
mod preview; // what an entry becomes, account by account
mod login; // a token
mod status; // feeds, accounts, queue
mod list; // crossposts by state
mod why; // one entry's story
mod poll; // ask now
mod publish; // what was held or skipped, after all
mod retry; // what failed
mod skip; // what is not to go out
mod release; // what a feed holds
mod resolve; // a doubt, by hand
mod resume; // a parked account
mod backup; // a copy of the database
mod change; // what those share that change crossposts
mod control; // what an entry says about its own syndication
mod desk; // what a command works with: config, database, the time
mod entry; // what ENTRY means
mod next; // what happens to a crosspost next, and which command changes it
mod say; // tables, times and names for people

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
    Check(check::Arguments),
    Login(login::Arguments),
    Feed(feed::Arguments),
    Preview(preview::Arguments),
    Status(status::Arguments),
    List(list::Arguments),
    Why(why::Arguments),
    Poll(poll::Arguments),
    Publish(publish::Arguments),
    Retry(retry::Arguments),
    Skip(skip::Arguments),
    Release(release::Arguments),
    Resolve(resolve::Arguments),
    Resume(resume::Arguments),
    Backup(backup::Arguments),
}

/// What a command answers.
#[derive(Debug)]
struct Answer {
    /// For stdout, with its final newline.
    text: String,
    /// 0, or why the answer is bad news.
    exit: u8,
}

impl Answer {
    /// Good news.
    fn well(text: impl Into<String>) -> Self {
        Self { text: text.into(), exit: 0 }
    }

    /// `value` as JSON.
    fn json(value: &impl serde::Serialize) -> Self {
        let json = serde_json::to_string_pretty(value).expect("text and numbers are JSON");
        Self::well(json + "\n")
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] Problems),
    /// With the next step.
    #[error("{message}")]
    Refused { message: String, hint: String },
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl CliError {
    fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), hint: hint.into() }
    }

    fn hint(&self) -> &str {
        match self {
            Self::Config(_) => "run `posse-party check` after editing",
            Self::Refused { hint, .. } => hint,
            Self::Other(_) => "",
        }
    }

    fn exit(&self) -> u8 {
        if matches!(self, Self::Config(_)) { EXIT_CONFIG } else { 1 }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

/// Runs the command of the process's arguments.
pub fn main() -> ExitCode {
    let Arguments { config, command } = Arguments::parse();
    let path = config.unwrap_or_else(default_path);
    let result = match command {
        Command::Run(arguments) => run::run(&path, &arguments).map(|()| Answer::well("")),
        Command::Check(arguments) => check::check(&path, &arguments),
        Command::Login(arguments) => login::login(&path, &arguments),
        Command::Feed(arguments) => feed::feed(&path, &arguments),
        Command::Preview(arguments) => preview::preview(&path, &arguments),
        Command::Status(arguments) => status::status(&path, &arguments),
        Command::List(arguments) => list::list(&path, &arguments),
        Command::Why(arguments) => why::why(&path, &arguments),
        Command::Poll(arguments) => poll::poll(&path, &arguments),
        Command::Publish(arguments) => publish::publish(&path, &arguments),
        Command::Retry(arguments) => retry::retry(&path, &arguments),
        Command::Skip(arguments) => skip::skip(&path, &arguments),
        Command::Release(arguments) => release::release(&path, &arguments),
        Command::Resolve(arguments) => resolve::resolve(&path, &arguments),
        Command::Resume(arguments) => resume::resume(&path, &arguments),
        Command::Backup(arguments) => backup::backup(&path, &arguments),
    };
    let exit = match result {
        Ok(answer) => print(&answer.text).map_or_else(|error| complain(&error), |()| answer.exit),
        Err(error) => complain(&error),
    };
    ExitCode::from(exit)
}

/// Prints an answer. A reader that has seen enough (`| head`) is no trouble.
fn print(text: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    let printed = out.write_all(redact(text).as_bytes()).and_then(|()| out.flush());
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!("failed to write the answer: {error}").into())
        }
        _ => Ok(()),
    }
}

/// Says on stderr what is wrong and what to do next. Gives the exit code.
fn complain(error: &CliError) -> u8 {
    warn("error", error);
    if !error.hint().is_empty() {
        let _ = writeln!(anstream::stderr(), "hint: {}", redact(error.hint()));
    }
    error.exit()
}

/// One line on stderr; where that is gone too, nobody is left to be told.
fn warn(level: &str, what: &impl Display) {
    let line = format!("posse-party: {level}: {what}");
    let _ = writeln!(anstream::stderr(), "{}", redact(&line));
}

/// Loads the config, and keeps its secrets out of everything that is printed from now on.
fn load(path: &Path) -> Result<Config, Problems> {
    let config = Config::load(path, template::check)?;
    register_secrets(config.secrets());
    Ok(config)
}

/// The same for commands that talk to no platform: secrets that only the service sees are not
/// wanted.
fn load_without_secrets(path: &Path) -> Result<Config, Problems> {
    let config = Config::load_without_secrets(path, template::check)?;
    register_secrets(config.secrets());
    Ok(config)
}
