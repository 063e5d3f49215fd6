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
use crate::store::Connection;
use crate::store::views::{self, Filter, Line};

/// Lines of a table that nobody asked to be longer.
const LINES_MAX: u32 = 200;

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
    /// Only so many, the latest; 0 for all. A table has 200, unless you say otherwise
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
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
        let asked = arguments.state.as_deref().and_then(State::from_word);
        let folds = asked.is_none() && !arguments.json;
        let default = if arguments.json { 0 } else { LINES_MAX };
        let limit = Some(arguments.limit.unwrap_or(default)).filter(|limit| *limit > 0);
        let filter = Filter {
            state: asked,
            account: arguments.account.clone(),
            feed: arguments.feed.clone(),
            without_baseline: folds,
            // one more tells that there are more
            latest: limit.map(|limit| limit.saturating_add(1)),
            ..Filter::default()
        };
        let look = move |db: &Connection| {
            let (account, feed) = (filter.account.as_deref(), filter.feed.as_deref());
            let folded = if folds { views::set_aside(db, account, feed)? } else { 0 };
            Ok((views::list(db, &filter)?, folded))
        };
        let (mut lines, folded) = desk.store.read(look).await?;
        let older = limit.is_some_and(|limit| lines.len() > limit as usize);
        if older {
            lines.remove(0);
        }
        if arguments.json {
            return Ok(Answer::json(&lines));
        }
        let folded = usize::try_from(folded).unwrap_or(usize::MAX);
        let mut text = table(&lines, folded, asked, desk.now);
        if older {
            text.push_str("there are older ones: `posse-party list --limit 0` shows all\n");
        }
        Ok(Answer::well(text))
    })
}

/// The lines as a table, and what to do next; so many are `folded`.
fn table(lines: &[Line], folded: usize, asked: Option<State>, now: Timestamp) -> String {
    let mut grid = Grid::new(&[
        ("ID", Width::Whole),
        ("STATE", Width::Whole),
        ("FEED", Width::Short),
        ("ENTRY", Width::Short),
        ("ACCOUNT", Width::Short),
        ("WHEN", Width::Whole),
        ("WHERE / WHY", Width::Short),
    ]);
    for line in lines {
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
    for line in hints(lines, folded, asked) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// What can be done about the lines.
fn hints(shown: &[Line], folded: usize, asked: Option<State>) -> Vec<String> {
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
