//! Find: the entry that is meant, as the database has it, else as a feed has it right now.

use std::collections::BTreeMap;

use crate::cli::publish::unambiguous;
use crate::cli::{CliError, control, entry, feed};
use crate::config::Config;
use crate::entry::{Entry, ParsedFeed};
use crate::names::Label;
use crate::store::views::{self, EntryStory, Filter, Line};
use crate::store::{Connection, Result, Store, accounts, crossposts, entries, feeds};

/// What means the newest entry.
const LATEST: &str = "latest";

/// An entry, and what is known of it.
#[derive(Debug)]
pub struct Found {
    /// It.
    pub entry: Entry,
    /// The feed that it is in.
    pub feed: Label,
    /// What the ledger has of it, by account.
    pub ledger: BTreeMap<String, Line>,
    /// The accounts that have its page from another feed.
    pub elsewhere: Vec<Label>,
    /// What is to be said of where it was found, a line each.
    pub notes: Vec<String>,
}

/// Finds what `typed` means.
///
/// # Errors
/// Nothing is known by it, or more than one entry.
pub async fn find(
    config: &Config,
    store: Option<&Store>,
    typed: &str,
) -> std::result::Result<Found, CliError> {
    let mut found = anywhere(config, store, typed).await?;
    let alone = ParsedFeed { entries: vec![found.entry.clone()], ..ParsedFeed::default() };
    let strangers = control::strangers(&alone, config);
    found.notes.extend(strangers.into_iter().map(|problem| problem.message));
    Ok(found)
}

async fn anywhere(
    config: &Config,
    store: Option<&Store>,
    typed: &str,
) -> std::result::Result<Found, CliError> {
    let mut pruned = None;
    if let Some(store) = store {
        let name = typed.to_owned();
        match store.read(move |db| in_database(db, &name)).await?? {
            Stored::Whole(found) => return Ok(*found),
            Stored::Pruned(story) => pruned = Some(story),
            Stored::Unknown => {}
        }
    }
    // under its own id it is surely the same
    let wanted = pruned.as_ref().map_or(typed, |story| &story.entry_id);
    let (found, failures) = in_feeds(config, wanted).await?;
    let Some((label, entry)) = found else {
        return Err(unknown(typed, pruned.is_some(), &failures));
    };
    let mut notes = failures;
    if pruned.is_some() {
        notes.push(format!("its text is not stored any more: read from feed `{label}` just now"));
    } else {
        notes.push(format!("not in the database: read from feed `{label}` just now"));
    }
    let is_known = match store {
        Some(store) => {
            let label = label.clone();
            store.read(move |db| Ok(feeds::by_label(db, &label)?.is_some())).await?
        }
        None => false,
    };
    let backfill = config.feeds.get(&label).map_or(0, |feed| feed.backfill);
    if !is_known && backfill == 0 {
        notes.push(format!(
            "the first poll of `{label}` takes what is there as known and publishes nothing of it; \
             after it, `posse-party publish {}` does",
            crate::cli::say::shell(entry.url.as_deref().unwrap_or(&entry.id))
        ));
    }
    let ledger = match (store, pruned) {
        (Some(store), Some(story)) => store.read(move |db| ledger(db, &story)).await?,
        _ => BTreeMap::new(),
    };
    Ok(Found { entry, feed: label, ledger, elsewhere: Vec::new(), notes })
}

/// What the database has.
enum Stored {
    Whole(Box<Found>),
    /// The entry, without its text.
    Pruned(Box<EntryStory>),
    Unknown,
}

fn in_database(db: &Connection, typed: &str) -> Result<std::result::Result<Stored, CliError>> {
    let story = if typed == LATEST {
        match entries::newest(db)? {
            Some(id) => views::entry_numbered(db, id.0)?,
            None => None,
        }
    } else {
        let meant = entry::find(db, typed)?;
        if meant.entries.is_empty() {
            None
        } else {
            match unambiguous(typed, meant) {
                Ok(mut stories) => Some(stories.swap_remove(0)),
                Err(error) => return Ok(Err(error)),
            }
        }
    };
    let Some(story) = story else { return Ok(Ok(Stored::Unknown)) };
    let Some(entry) = entries::body(db, story.id)? else {
        return Ok(Ok(Stored::Pruned(Box::new(story))));
    };
    Ok(Ok(Stored::Whole(Box::new(Found {
        ledger: ledger(db, &story)?,
        elsewhere: elsewhere(db, &story)?,
        feed: story.feed,
        entry,
        notes: Vec::new(),
    }))))
}

fn ledger(db: &Connection, story: &EntryStory) -> Result<BTreeMap<String, Line>> {
    let filter = Filter { entry: Some(story.id), ..Filter::default() };
    let lines = views::list(db, &filter)?;
    Ok(lines.into_iter().map(|line| (line.account.to_string(), line)).collect())
}

fn elsewhere(db: &Connection, story: &EntryStory) -> Result<Vec<Label>> {
    let mut found = Vec::new();
    for account in accounts::all(db)? {
        if crossposts::has_page_elsewhere(db, story.id, account.id)? {
            found.push(account.label);
        }
    }
    Ok(found)
}

/// Asks every feed of the config. Gives what was found, and which feeds could not be read.
async fn in_feeds(
    config: &Config,
    typed: &str,
) -> std::result::Result<(Option<(Label, Entry)>, Vec<String>), CliError> {
    if config.feeds.is_empty() {
        let hint = "`[feeds.LABEL]` in the config makes one; `--text FILE` previews a text";
        return Err(CliError::refused("there is no feed in the config", hint));
    }
    let contact = config.http.user_agent.as_deref();
    let active = config.feeds.iter().filter(|(_, feed)| feed.active);
    let asked = active.map(|(label, source)| async move {
        (label.clone(), feed::fetch(&source.url, contact).await)
    });
    let names = entry::spellings(typed);
    let mut found: Option<(Label, Entry)> = None;
    let mut failures = Vec::new();
    for (label, answer) in futures_util::future::join_all(asked).await {
        let parsed = match answer {
            Ok(parsed) => parsed,
            Err(error) => {
                failures.push(format!("feed `{label}` can't be read: {error}"));
                continue;
            }
        };
        for entry in parsed.entries {
            let better = found.as_ref().is_none_or(|(_, other)| is_newer(&entry, other));
            let is_meant = typed == LATEST || is_named(&entry, &names);
            if better && is_meant {
                found = Some((label.clone(), entry));
            }
        }
    }
    Ok((found, failures))
}

/// Whether `entry` is newer than one that stands before it; without dates the first is the newest.
fn is_newer(entry: &Entry, other: &Entry) -> bool {
    let date = |entry: &Entry| entry.published.or(entry.updated);
    date(entry) > date(other)
}

fn is_named(entry: &Entry, names: &[String]) -> bool {
    let own = [Some(&entry.id), entry.url.as_ref(), entry.alternate_url.as_ref()];
    own.into_iter().flatten().any(|name| names.contains(name))
}

fn unknown(typed: &str, pruned: bool, failures: &[String]) -> CliError {
    let because = failures.iter().map(|failure| format!("; {failure}")).collect::<String>();
    if pruned {
        return CliError::refused(
            format!("the text of that entry is not stored any more, and no feed has it{because}"),
            "`[retention]` says how long texts are kept",
        );
    }
    if typed == LATEST {
        return CliError::refused(
            format!("no entry is known, and the feeds have none{because}"),
            "`posse-party feed LABEL` shows what the daemon sees in a feed",
        );
    }
    CliError::refused(
        format!(
            "no entry is known by `{}`, here or in the feeds{because}",
            crate::cli::say::clean(typed)
        ),
        "want `latest`, the URL of an entry or of a post, an entry's own id, or a number; \
         `posse-party feed LABEL` shows what there is",
    )
}
