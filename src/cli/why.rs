//! `why`: the whole story of an entry: seen, filtered, due, attempts, answers, and what comes next.

use std::fmt::Write;
use std::path::Path;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::desk::{Desk, wait};
use super::say::{HEAD, QUIET, clean, from_now, moment, style_of, styled};
use super::{Answer, CliError, entry, next};
use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::publish::NOTES;
use crate::store::views::{self, Attempt, EntryStory, Filter, Line, rfc3339};
use crate::store::{Connection, Result, accounts, crossposts};

/// Tell the story of one entry: where it went, where not, why, and what happens next
#[derive(Debug, Args)]
#[command(after_help = "Example:
  posse-party why https://example.com/hello")]
pub struct Arguments {
    /// The entry: its URL or that of a post, its own id, or its number
    entry: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// An entry and its crossposts.
#[derive(Serialize)]
struct Story {
    #[serde(flatten)]
    entry: EntryStory,
    crossposts: Vec<Chapter>,
}

/// A crosspost and what became of it.
#[derive(Serialize)]
struct Chapter {
    #[serde(flatten)]
    line: Line,
    #[serde(serialize_with = "rfc3339")]
    created_at: Option<Timestamp>,
    text: Option<String>,
    /// What was done to make it fit, and what it goes without.
    notes: Vec<String>,
    history: Vec<Attempt>,
    next: String,
}

/// Tells the story.
///
/// # Errors
/// No entry is known by that name.
pub fn why(path: &Path, arguments: &Arguments) -> std::result::Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let (typed, now) = (arguments.entry.clone(), desk.now);
        let (stories, rival) = desk
            .store
            .read(move |db| {
                let meant = entry::find(db, &typed)?;
                let stories: Result<Vec<Story>> =
                    meant.entries.into_iter().map(|entry| story(db, entry, now)).collect();
                Ok((stories?, meant.rival))
            })
            .await?;
        if stories.is_empty() {
            return Err(entry::unknown(&arguments.entry));
        }
        if arguments.json {
            return Ok(Answer::json(&stories));
        }
        let mut text: Vec<String> = stories.iter().map(|story| told(story, now)).collect();
        text.extend(rival.map(|rival| {
            format!(
                "{} is also the number of a crosspost of \"{}\": `posse-party why {}`\n",
                arguments.entry,
                entry::name(&rival),
                entry::typed(&rival)
            )
        }));
        Ok(Answer::well(text.join("\n")))
    })
}

fn story(db: &Connection, entry: EntryStory, now: Timestamp) -> Result<Story> {
    let filter = Filter { entry: Some(entry.id), ..Filter::default() };
    let chapter = |line: Line| -> Result<Chapter> {
        let (created, draft) = views::origin(db, line.id)?;
        let mut notes = draft.as_ref().map_or_else(Vec::new, |draft| draft.notes.clone());
        notes.extend(written(crossposts::note(db, line.id, NOTES)?));
        let account = accounts::by_label(db, &line.account)?;
        Ok(Chapter {
            created_at: Some(created),
            text: draft.map(|draft| draft.text),
            notes,
            history: views::attempts(db, line.id)?,
            next: next::step(&line, account.as_ref(), now),
            line,
        })
    };
    let crossposts: Result<_> = views::list(db, &filter)?.into_iter().map(chapter).collect();
    Ok(Story { entry, crossposts: crossposts? })
}

/// The lines that a publisher left in the journal.
fn written(notes: Option<Value>) -> Vec<String> {
    let lines = notes.iter().filter_map(Value::as_array).flatten();
    lines.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The story as lines.
fn told(story: &Story, now: Timestamp) -> String {
    let EntryStory {
        id,
        feed,
        entry_id,
        aliases,
        url,
        published_at,
        first_seen_at,
        changed_at,
        problems,
        ..
    } = &story.entry;
    let mut text = styled(HEAD, &format!("\"{}\"", entry::name(&story.entry)));
    let _ = writeln!(text, ", entry {id} of {feed}");
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<11}{}", clean(value));
    };
    fact("id", entry_id);
    for alias in aliases {
        fact("also known", alias);
    }
    fact("url", url.as_deref().unwrap_or("none"));
    let when = |at: Timestamp| format!("{} ({})", moment(at), from_now(at, now));
    if let Some(at) = published_at {
        fact("published", &when(*at));
    }
    if let Some(at) = first_seen_at {
        fact("first seen", &when(*at));
    }
    if let Some(at) = changed_at.filter(|at| Some(*at) != *first_seen_at) {
        fact("changed", &when(at));
    }
    for problem in problems {
        fact("problem", problem);
    }
    for chapter in &story.crossposts {
        text.push('\n');
        text.push_str(&chapter_told(chapter, now));
    }
    if story.crossposts.is_empty() {
        let _ = writeln!(
            text,
            "\nit went to no account: publish it with `posse-party publish {} --to ACCOUNT`",
            entry::typed(&story.entry)
        );
    }
    text
}

fn chapter_told(chapter: &Chapter, now: Timestamp) -> String {
    let Chapter { line, created_at, text, notes, history, next } = chapter;
    let state = styled(style_of(line.state), line.state.as_str());
    let mut told =
        format!("{} ({}), crosspost {}: {state}\n", line.account, line.platform, line.id);
    let mut event = |at: Option<Timestamp>, what: &str| {
        let at = at.map(moment).unwrap_or_default();
        let _ = writeln!(told, "  {}  {}", styled(QUIET, &at), clean(what));
    };
    event(*created_at, &beginning(line, *created_at, history));
    let mut tries = 0;
    for attempt in history {
        event(attempt.started_at, &attempt_told(attempt, &mut tries));
    }
    let last = history.last().and_then(|attempt| attempt.ended_at).or(*created_at);
    if let Some(at) = line.settled_at.filter(|at| Some(*at) > last) {
        let why = line.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        event(Some(at), &format!("{}{why}", line.state.as_str()));
    }
    if let Some(place) = line.url.as_ref().or(line.remote_id.as_ref()) {
        let _ = writeln!(told, "  {:<20}  {}", "receipt", clean(place));
    }
    if let Some(due) = line.due_at.filter(|_| line.state == State::Ready) {
        let _ = writeln!(told, "  {:<20}  {} ({})", "due", moment(due), from_now(due, now));
    }
    if let Some(text) = text.as_ref().filter(|_| line.state != State::Skipped) {
        let _ = writeln!(told, "  {:<20}  {}", "text", clean(text));
    }
    for note in notes {
        let _ = writeln!(told, "  {:<20}  {}", "note", clean(note));
    }
    let _ = writeln!(told, "  {:<20}  {}", "next", clean(next));
    told
}

/// What a crosspost was at first, as far as one can still tell.
fn beginning(line: &Line, created_at: Option<Timestamp>, history: &[Attempt]) -> String {
    let untouched = history.is_empty()
        && match line.state {
            State::Skipped => line.settled_at == created_at,
            state => state == State::Held,
        };
    let why = line.reason.as_deref().unwrap_or_default();
    if untouched { format!("{}: {why}", line.state.as_str()) } else { "queued".into() }
}

/// One line of the history; counts the attempts to publish.
fn attempt_told(attempt: &Attempt, tries: &mut u32) -> String {
    let outcome = attempt.outcome.as_deref().unwrap_or_default();
    let did = match attempt.kind.as_str() {
        "publish" => {
            *tries += 1;
            format!("attempt {tries}")
        }
        "find" => "asked the platform".into(),
        _ => return format!("by hand: {outcome}"),
    };
    let result = match outcome {
        "" => "under way",
        "ready" if attempt.kind == "find" => "it is not there, so it goes out again",
        "ready" => "nothing was posted, to be tried again",
        "uncertain" => "nobody knows yet whether it is public",
        "held" => "held for you",
        other => other,
    };
    match &attempt.detail {
        Some(detail) => format!("{did}: {result}: {detail}"),
        None => format!("{did}: {result}"),
    }
}
