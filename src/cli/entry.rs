//! Entry: what ENTRY on the command line means.
//!
//! An entry's own id, its URL, the URL of one of its posts, or a row number: that of the entry, as
//! `why` shows it, or of one of its crossposts, as `list` does.

use url::Url;

use super::CliError;
use super::say::{clean, shell};
use crate::names::CrosspostId;
use crate::store::views::{self, EntryStory};
use crate::store::{Connection, Result};

/// What is meant.
#[derive(Debug)]
pub struct Meant {
    /// The entries; several where feeds share a URL or an id.
    pub entries: Vec<EntryStory>,
    /// Another entry, which the number would mean as that of a crosspost.
    pub rival: Option<EntryStory>,
}

/// Finds what `typed` means.
///
/// # Errors
/// The database can't be read.
pub fn find(db: &Connection, typed: &str) -> Result<Meant> {
    for name in spellings(typed) {
        let entries = views::entries_named(db, &name)?;
        if !entries.is_empty() {
            return Ok(Meant { entries, rival: None });
        }
    }
    let Ok(number) = typed.parse() else { return Ok(Meant { entries: Vec::new(), rival: None }) };
    let (entry, other) =
        (views::entry_numbered(db, number)?, views::entry_of(db, CrosspostId(number))?);
    Ok(match (entry, other) {
        (Some(entry), other) => {
            let rival = other.filter(|other| other.id != entry.id);
            Meant { entries: vec![entry], rival }
        }
        (None, other) => Meant { entries: other.into_iter().collect(), rival: None },
    })
}

/// `typed` as it stands, and as a URL that means the same.
pub fn spellings(typed: &str) -> Vec<String> {
    let mut names = vec![typed.to_owned()];
    if let Ok(mut url) = Url::parse(typed) {
        url.set_fragment(None);
        let plain = url.to_string();
        let other = plain.strip_suffix('/').map_or_else(|| format!("{plain}/"), str::to_owned);
        names.extend([plain, other]);
    }
    names
}

/// That `typed` means nothing.
pub fn unknown(typed: &str) -> CliError {
    CliError::refused(
        format!("no entry is known by `{}`", clean(typed)),
        "want the URL of an entry or of a post, an entry's own id, or a number; `posse-party list` \
         shows what there is",
    )
}

/// The title, else what there is.
pub fn name(story: &EntryStory) -> String {
    clean(story.title.as_ref().or(story.url.as_ref()).unwrap_or(&story.entry_id))
}

/// How one types it.
pub fn typed(story: &EntryStory) -> String {
    shell(story.url.as_ref().unwrap_or(&story.entry_id))
}
