//! `list`: crossposts, by state, account and feed.

use std::path::Path;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::desk::{Desk, wait};
use super::next;
use super::say::{Grid, Width, from_now, glance, plural, style_of};
use super::{Answer, CliError};
use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::store::views::{self, Filter, Line};

/// Reason of what was there at the first sight of an account.
const BASELINE: &str = "baseline";

/// Show crossposts: which entry goes to which account, and where it stands
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posse-party list --state held
  posse-party list --account fediverse --json

What was there at the first sight of a feed or an account is left out of the table, unless you ask
for `--state skipped`. States: held, ready, sending, uncertain, published, failed, skipped.")]
pub struct Arguments {
    /// Only this state
    #[arg(long, value_parser = PossibleValuesParser::new(State::ALL.map(State::as_str)))]
    state: Option<String>,
    /// Only this account
    #[arg(long, value_name = "LABEL")]
    account: Option<String>,
    /// Only this feed
    #[arg(long, value_name = "LABEL")]
    feed: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Lists crossposts, the oldest first.
///
/// # Errors
/// A label is unknown, or the database can't be used.
pub fn list(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        if let Some(label) = &arguments.account {
            desk.account(label).await?;
        }
        if let Some(label) = &arguments.feed {
            desk.feed(label).await?;
        }
        let filter = Filter {
            state: arguments.state.as_deref().and_then(State::from_word),
            account: arguments.account.clone(),
            feed: arguments.feed.clone(),
            ..Filter::default()
        };
        let asked = filter.state;
        let lines = desk.store.read(move |db| views::list(db, &filter)).await?;
        if arguments.json {
            return Ok(Answer::json(&lines));
        }
        Ok(Answer::well(table(&lines, asked, desk.now)))
    })
}

/// The lines as a table, and what to do next.
fn table(lines: &[Line], asked: Option<State>, now: Timestamp) -> String {
    let is_folded = |line: &&Line| {
        asked.is_none() && line.state == State::Skipped && line.reason.as_deref() == Some(BASELINE)
    };
    let shown: Vec<&Line> = lines.iter().filter(|line| !is_folded(line)).collect();
    let mut grid = Grid::new(&[
        ("ID", Width::Whole),
        ("STATE", Width::Whole),
        ("FEED", Width::Short),
        ("ENTRY", Width::Short),
        ("ACCOUNT", Width::Short),
        ("WHEN", Width::Whole),
        ("WHERE / WHY", Width::Short),
    ]);
    for line in &shown {
        let when = line.settled_at.or(line.due_at).map(|at| from_now(at, now));
        let place = line.url.as_ref().or(line.remote_id.as_ref());
        let last = if line.state == State::Published { place } else { line.reason.as_ref() };
        grid.row(
            style_of(line.state),
            vec![
                line.id.to_string(),
                line.state.as_str().into(),
                line.feed.to_string(),
                glance(&next::title(line)),
                line.account.to_string(),
                when.unwrap_or_default(),
                last.cloned().unwrap_or_default(),
            ],
        );
    }
    let mut text = if grid.is_empty() { String::new() } else { grid.lines() };
    for line in hints(&shown, lines.len() - shown.len(), asked) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// What can be done about the lines.
fn hints(shown: &[&Line], folded: usize, asked: Option<State>) -> Vec<String> {
    let count = |wanted: &dyn Fn(&Line) -> bool| shown.iter().filter(|line| wanted(line)).count();
    let mut hints = Vec::new();
    if folded > 0 {
        hints.push(format!(
            "{} set aside at first sight: see {} with `posse-party list --state skipped`",
            plural(folded, "crosspost was", "crossposts were"),
            if folded == 1 { "it" } else { "them" }
        ));
    }
    if shown.is_empty() {
        let what = asked.map(|state| format!(" {}", state.as_str())).unwrap_or_default();
        hints.push(if folded > 0 {
            "nothing else is there yet".into()
        } else {
            format!("there are no{what} crossposts here")
        });
    }
    let held = count(&|line| line.state == State::Held && line.attempts == 0);
    if held > 0 {
        hints.push(format!(
            "{held} held: publish with `posse-party release FEED` or `posse-party publish ENTRY`, \
             set aside with `posse-party skip ID…`"
        ));
    }
    let doubts = count(&|line| {
        line.state == State::Uncertain || line.state == State::Held && line.attempts > 0
    });
    if doubts > 0 {
        hints.push(format!(
            "{doubts} in doubt: `posse-party why ENTRY` says why; settle one with `posse-party \
             resolve ID --published URL` or `posse-party resolve ID --retry`"
        ));
    }
    let failed = count(&|line| line.state == State::Failed);
    if failed > 0 {
        hints.push(format!("{failed} failed: mend the cause, then `posse-party retry ID…`"));
    }
    if asked == Some(State::Skipped) && !shown.is_empty() {
        hints.push("publish one all the same with `posse-party publish ENTRY --to ACCOUNT`".into());
    }
    hints
}
