//! `publish`: an entry goes out that was held, skipped, or never meant for an account.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;

use super::desk::{Desk, list, wait};
use super::entry::{self, Meant};
use super::{Answer, CliError, change, next};
use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::names::{AccountId, Label};
use crate::store::accounts::{self, Account};
use crate::store::views::{self, EntryStory, Filter, Line};
use crate::store::{Connection, Result, crossposts, entries, feeds, people};

/// Publish an entry that was held or skipped, or that an account never got
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posse-party publish https://example.com/hello
  posse-party publish https://example.com/hello --to fediverse

Without --to it goes to every account of its feed that has not published it. Nothing is posted
twice: what is published already, or may be, is refused.")]
pub struct Arguments {
    /// The entry: its URL, its own id, or its number
    entry: String,
    /// Only to this account, of its feed or not
    #[arg(long, value_name = "ACCOUNT")]
    to: Option<String>,
}

/// What becomes of an entry on an account.
enum Fate {
    /// It goes out.
    Goes,
    /// It stands where nothing can be published.
    Stands(Box<Line>),
    /// Another feed brought the same URL.
    Elsewhere,
    /// Its text is gone.
    Pruned,
}

/// Makes crossposts ready, or makes them.
///
/// # Errors
/// The entry or the account is unknown, or nothing can be published: says why, and what to do.
pub fn publish(path: &Path, arguments: &Arguments) -> std::result::Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let to = match &arguments.to {
            Some(label) => Some(active(&desk, desk.account(label).await?)?),
            None => None,
        };
        let (typed, now) = (arguments.entry.clone(), desk.now);
        let (story, fates) = desk
            .store
            .write(move |tx| {
                let stories = match unambiguous(&typed, entry::find(tx, &typed)?) {
                    Ok(stories) => stories,
                    Err(error) => return Ok(Err(error)),
                };
                let fates = publish_on(tx, &stories, to.as_ref(), now)?;
                Ok(Ok((stories[0].clone(), fates)))
            })
            .await??;
        tell(&desk, &story, fates).await
    })
}

/// `account`, if it publishes at all.
fn active(desk: &Desk, account: Account) -> std::result::Result<Account, CliError> {
    if account.active {
        return Ok(account);
    }
    let message = format!("account `{}` is not active in the config", account.label);
    Err(CliError::refused(message, desk.take_over()))
}

/// The entries that are surely meant: one, or several with the same URL.
pub fn unambiguous(typed: &str, meant: Meant) -> std::result::Result<Vec<EntryStory>, CliError> {
    let Meant { entries, rival } = meant;
    let Some(first) = entries.first() else { return Err(entry::unknown(typed)) };
    if let Some(rival) = rival {
        let (mine, other) = (entry::name(first), entry::name(&rival));
        return Err(CliError::refused(
            format!(
                "`{typed}` is entry {typed}, \"{mine}\", and crosspost {typed}, of \"{other}\""
            ),
            format!(
                "name it by its URL or id: {} or {}",
                entry::typed(first),
                entry::typed(&rival)
            ),
        ));
    }
    if entries
        .iter()
        .any(|other| other.id != first.id && (other.url.is_none() || other.url != first.url))
    {
        let ways: Vec<String> = entries
            .iter()
            .map(|story| format!("{} ({})", entry::typed(story), story.feed))
            .collect();
        return Err(CliError::refused(
            format!("`{typed}` is known in {} feeds", entries.len()),
            format!("name the one that you mean: {}", ways.join(", ")),
        ));
    }
    Ok(entries)
}

/// Decides and acts, for each account.
fn publish_on(
    tx: &Connection,
    stories: &[EntryStory],
    to: Option<&Account>,
    now: Timestamp,
) -> Result<BTreeMap<Label, Fate>> {
    let mut fates = BTreeMap::new();
    for story in stories {
        let Some(feed) = feeds::by_label(tx, &story.feed)? else { continue };
        let accounts: Vec<(AccountId, Label)> = match to {
            Some(account) => vec![(account.id, account.label.clone())],
            None => {
                let routes = accounts::routes_of(tx, feed.id)?;
                routes.into_iter().map(|route| (route.account, route.label)).collect()
            }
        };
        for (account, label) in accounts {
            let elsewhere = crossposts::has_page_elsewhere(tx, story.id, account)?;
            let line = line_of(tx, story, &label)?;
            let fate = match line {
                Some(line) if !is_open(&line) => Fate::Stands(Box::new(line)),
                _ if elsewhere => Fate::Elsewhere,
                _ if entries::body(tx, story.id)?.is_none() => Fate::Pruned,
                Some(line) => {
                    people::publish(tx, line.id, now)?;
                    change::close(tx, &line, now)?;
                    Fate::Goes
                }
                None => {
                    people::publish_new(tx, story.id, account, now)?;
                    Fate::Goes
                }
            };
            if !(matches!(fate, Fate::Elsewhere) && fates.contains_key(&label)) {
                fates.insert(label, fate);
            }
        }
    }
    Ok(fates)
}

fn line_of(tx: &Connection, story: &EntryStory, account: &Label) -> Result<Option<Line>> {
    let filter =
        Filter { entry: Some(story.id), account: Some(account.to_string()), ..Filter::default() };
    Ok(views::list(tx, &filter)?.pop())
}

/// Whether a person may publish it: it is held (but no doubt), or skipped.
fn is_open(line: &Line) -> bool {
    line.state == State::Skipped || line.state == State::Held && line.attempts == 0
}

/// Says what goes out, or why nothing does.
async fn tell(
    desk: &Desk,
    story: &EntryStory,
    fates: BTreeMap<Label, Fate>,
) -> std::result::Result<Answer, CliError> {
    let title = entry::name(story);
    if fates.is_empty() {
        let active: Vec<_> = desk.config.accounts.keys().collect();
        return Err(CliError::refused(
            format!("feed `{}` goes to no active account", story.feed),
            format!("name an account with --to: {}", list(&active)),
        ));
    }
    let (mut going, mut staying, mut hint) = (Vec::new(), Vec::new(), String::new());
    for (label, fate) in fates {
        let wanted = label.clone();
        let account = desk.store.read(move |db| accounts::by_label(db, &wanted)).await?;
        let (standing, step) = match fate {
            Fate::Goes => {
                going.push(format!(
                    "publishing \"{title}\" to {label}{}\n",
                    but(desk, account.as_ref())
                ));
                continue;
            }
            Fate::Stands(line) => {
                (next::standing(&line), next::step(&line, account.as_ref(), desk.now))
            }
            Fate::Elsewhere => (
                "came from another feed under the same URL".into(),
                format!("`posse-party why {}` tells the story of both", entry::typed(story)),
            ),
            Fate::Pruned => (
                "can't be composed: its text is not stored any more (see [retention])".into(),
                "publish it by hand there".into(),
            ),
        };
        staying.push(format!("on {label}, it {standing}"));
        if hint.is_empty() {
            hint = step;
        }
    }
    if going.is_empty() {
        let why = staying.join("\n  ");
        return Err(CliError::refused(format!("can't publish \"{title}\": {why}"), hint));
    }
    let rest: String = staying.iter().map(|line| format!("{line}\n")).collect();
    Ok(Answer::well(going.concat() + &rest + desk.when() + "\n"))
}

/// What keeps a post from being public at once, although it is ready.
fn but(desk: &Desk, account: Option<&Account>) -> String {
    let Some(account) = account else { return String::new() };
    let config = desk.config.accounts.get(&account.label);
    match &account.parked {
        _ if config.is_some_and(|config| config.dry_run) => {
            " (a dry run: the log shows what would be sent)".into()
        }
        Some(parked) => format!(", which is parked: {}; {}", parked.reason, parked.hint),
        None => String::new(),
    }
}
