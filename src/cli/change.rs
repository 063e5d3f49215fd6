//! Change: what the commands share that change crossposts: they look before they act, all of it in
//! one transaction, and close the incidents that are over.

use super::CliError;
use super::desk::Desk;
use super::next;
use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::names::CrosspostId;
use crate::poll::record::flood_incident;
use crate::poll::route::FLOOD;
use crate::report::doubt_incident;
use crate::store::views::{self, Filter, Line};
use crate::store::{Connection, Result, accounts, feeds, incidents};

/// The crosspost with this number.
///
/// # Errors
/// The database can't be read.
pub fn line(db: &Connection, id: CrosspostId) -> Result<Option<Line>> {
    let filter = Filter { crosspost: Some(id), ..Filter::default() };
    Ok(views::list(db, &filter)?.pop())
}

/// Changes each of `ids`, or none of them: first every one is looked at.
///
/// # Errors
/// One of them is unknown, or in a state in which it can't be changed: says in which, and what can
/// be done instead. With several mistakes, the first one's next step is told.
pub async fn each(
    desk: &Desk,
    ids: &[i64],
    verb: &'static str,
    fits: fn(&Line) -> bool,
    change: fn(&Connection, CrosspostId, Timestamp) -> Result<bool>,
) -> std::result::Result<Vec<Line>, CliError> {
    let (ids, now) = (ids.to_vec(), desk.now);
    desk.store
        .write(move |tx| {
            let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
            for id in ids.into_iter().map(CrosspostId) {
                match line(tx, id)? {
                    Some(line) if fits(&line) => lines.push(line),
                    Some(line) => mistakes.push(misfit(tx, &line, verb, now)?),
                    None => mistakes.push(unknown(id)),
                }
            }
            if let Some(mistake) = together(mistakes) {
                return Ok(Err(mistake));
            }
            for line in &lines {
                change(tx, line.id, now)?;
            }
            for line in &lines {
                close(tx, line, now)?;
            }
            Ok(Ok(lines))
        })
        .await?
}

/// That there is no such crosspost.
pub fn unknown(id: CrosspostId) -> CliError {
    CliError::refused(
        format!("there is no crosspost {id}"),
        "the first column of `posse-party list` shows the numbers",
    )
}

/// That a crosspost can't be changed so, and what can be done.
///
/// # Errors
/// The database can't be read.
pub fn misfit(db: &Connection, line: &Line, verb: &str, now: Timestamp) -> Result<CliError> {
    let account = accounts::by_label(db, &line.account)?;
    let (id, label) = (line.id, &line.account);
    let (title, standing) = (next::title(line), next::standing(line));
    let message = format!("can't {verb} crosspost {id}: on {label}, \"{title}\" {standing}");
    Ok(CliError::refused(message, next::step(line, account.as_ref(), now)))
}

/// Several mistakes as one.
fn together(mistakes: Vec<CliError>) -> Option<CliError> {
    let hint = mistakes.first()?.hint().to_owned();
    let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let message = match all.as_slice() {
        [only] => only.clone(),
        all => format!("nothing was changed:\n  {}", all.join("\n  ")),
    };
    Some(CliError::refused(message, hint))
}

/// Closes the incidents that a change of `line` has ended.
///
/// # Errors
/// The database can't be written.
pub fn close(db: &Connection, line: &Line, now: Timestamp) -> Result<()> {
    if line.state == State::Held && line.attempts > 0 || line.state == State::Uncertain {
        incidents::resolve(db, &doubt_incident(line.id), now)?;
    }
    if line.state == State::Held
        && line.reason.as_deref() == Some(FLOOD)
        && let Some(feed) = feeds::by_label(db, &line.feed)?
        && views::held_for(db, feed.id, FLOOD)? == 0
    {
        incidents::resolve(db, &flood_incident(&line.feed), now)?;
    }
    Ok(())
}
