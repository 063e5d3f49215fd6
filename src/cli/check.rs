//! `check`: whether the config is right, and, online, whether feeds and accounts answer.
//!
//! **Refuses:** to post, and to store anything but the sessions that an account would keep anyway.

use std::fmt::Write;
use std::fs::OpenOptions;
use std::path::Path;

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::desk::wait;
use super::say::{BAD, GOOD, PLAIN, WAITS, clean, plural, styled};
use super::{Answer, CliError, EXIT_CONFIG, load};
use crate::config::{Problem, Problems};
use crate::logging::{self, Voice};

mod online;

use online::{AccountReport, FeedReport};

/// Check the config; with --online also every feed and every credential, without posting anything
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posse-party check --config ./config.toml
  posse-party check --online

Exit code 78 when the config is wrong, 1 when a feed or an account does not answer as it should.")]
pub struct Arguments {
    /// Fetch every feed, and ask every platform who the account is and what it may
    #[arg(long)]
    online: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What a check found.
#[derive(Serialize)]
struct Report {
    ok: bool,
    feeds: usize,
    accounts: usize,
    warnings: Vec<String>,
    problems: Vec<ProblemReport>,
    online: Option<Online>,
}

#[derive(Serialize)]
struct ProblemReport {
    file: String,
    line: Option<usize>,
    key: String,
    message: String,
}

#[derive(Serialize)]
struct Online {
    feeds: Vec<FeedReport>,
    accounts: Vec<AccountReport>,
}

/// Checks the config, and what it leads to.
///
/// # Errors
/// The config is wrong.
pub fn check(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let config = match load(path) {
        Ok(config) => config,
        Err(problems) if arguments.json => return Ok(rejected(problems)),
        Err(problems) => return Err(problems.into()),
    };
    logging::init(&config.log, Voice::Command).context("failed to start the log")?;
    let mut warnings = config.warnings.clone();
    warnings.extend(unwritable(&config.database).map(|why| format!("database: {why}")));
    warnings.extend(wait(online::without_token(&config))?);
    let online = wait(async {
        Ok::<_, CliError>(Online {
            feeds: if arguments.online { online::feeds(&config).await? } else { Vec::new() },
            accounts: online::accounts(&config, arguments.online).await?,
        })
    })?;
    let ok =
        online.feeds.iter().all(|feed| feed.ok) && online.accounts.iter().all(|account| account.ok);
    let report = Report {
        ok,
        feeds: config.feeds.len(),
        accounts: config.accounts.len(),
        warnings,
        problems: Vec::new(),
        online: (arguments.online || !ok).then_some(online),
    };
    let mut answer =
        if arguments.json { Answer::json(&report) } else { Answer::well(told(&report)) };
    answer.exit = u8::from(!report.ok);
    Ok(answer)
}

/// The problems of a config, as JSON.
fn rejected(problems: Problems) -> Answer {
    let report = |problem: Problem| {
        let Problem { file, line, key, message } = problem;
        ProblemReport { file, line, key, message }
    };
    let report = Report {
        ok: false,
        feeds: 0,
        accounts: 0,
        warnings: Vec::new(),
        problems: problems.list.into_iter().map(report).collect(),
        online: None,
    };
    Answer { exit: EXIT_CONFIG, ..Answer::json(&report) }
}

/// Why the file at `path` could not be written, as far as that can be told without writing.
fn unwritable(path: &Path) -> Option<String> {
    if path.exists() {
        let opened = OpenOptions::new().append(true).open(path);
        return opened.err().map(|error| format!("`{}` can't be written: {error}", path.display()));
    }
    let folder = path.ancestors().skip(1).find(|folder| folder.exists())?;
    let metadata = folder.metadata().ok()?;
    let folder = folder.display();
    if !metadata.is_dir() {
        return Some(format!("`{folder}` is no folder"));
    }
    metadata.permissions().readonly().then(|| format!("nobody may write to `{folder}`"))
}

/// The report as text.
fn told(report: &Report) -> String {
    let mut text = String::new();
    for warning in &report.warnings {
        let _ = writeln!(text, "{}: {}", styled(WAITS, "warning"), clean(warning));
    }
    let online = report.online.as_ref();
    for feed in online.iter().flat_map(|online| &online.feeds) {
        line(&mut text, feed.ok, &feed.label.to_string(), &feed.message, feed.hint.as_deref());
    }
    for account in online.iter().flat_map(|online| &online.accounts) {
        let label = account.label.to_string();
        line(&mut text, account.ok, &label, &account.message, account.hint.as_deref());
        for note in &account.notes {
            let _ = writeln!(text, "    {}", clean(note));
        }
    }
    let feeds = plural(report.feeds, "feed", "feeds");
    let accounts = plural(report.accounts, "account", "accounts");
    let verdict = if report.ok { styled(GOOD, "ok") } else { styled(BAD, "not ok") };
    let _ = writeln!(text, "{verdict}: {feeds}, {accounts}");
    text
}

fn line(text: &mut String, ok: bool, label: &str, message: &str, hint: Option<&str>) {
    let (style, mark) = if ok { (GOOD, "✓") } else { (BAD, "✗") };
    let style_of_message = if ok { PLAIN } else { BAD };
    let message = styled(style_of_message, &clean(message));
    let _ = writeln!(text, "{} {label}: {message}", styled(style, mark));
    if let Some(hint) = hint {
        let _ = writeln!(text, "    hint: {}", clean(hint));
    }
}
