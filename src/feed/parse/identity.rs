//! Identity: the id of every entry, the same on every parse.
//!
//! An entry under a new id would be posted again, so an id is made of as little as possible: what
//! the document states, else the link (with the date where entries share it), else a hash of
//! title and date. The feed is no part of it: an id counts within its feed anyway, and the feed's
//! address may change. **Invariant:** the order of the entries, and an edit of the title of an
//! entry that has an id or a link of its own, change no id; no two entries of a feed have the same.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::entry::Draft;
use super::link;
use crate::clock::Timestamp;
use crate::entry::{Entry, Problem};

/// Gives every draft its id and tells the problems.
pub(super) fn settle(drafts: Vec<Draft>, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let shared = Shared::among(&drafts);
    let alike = alike(&drafts);
    let mut places: HashMap<String, usize> = HashMap::with_capacity(drafts.len());
    let mut entries: Vec<Entry> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let id = match name(&draft) {
            Some(name) => shared.get(name).map_or_else(|| name.to_owned(), |s| s.id(name, &draft)),
            None if alike.contains(&hash(&draft.entry, false)) => hash(&draft.entry, true),
            None => hash(&draft.entry, false),
        };
        let mut tell =
            |message: String| problems.push(Problem { entry: Some(id.clone()), message });
        if stated_id(&draft).is_some_and(|stated| stated != id) {
            tell("several entries state the same id: date or title were added to it".to_owned());
        }
        let mut entry = Entry { id: id.clone(), ..draft.entry };
        draft.notes.into_iter().for_each(&mut tell);
        if let Some(said) = draft.said {
            said.control.problems.iter().cloned().for_each(&mut tell);
            said.fields.put_into(&mut entry);
            entry.control = said.control;
        }
        if is_empty(&entry) {
            tell("the entry has neither link, title nor text".to_owned());
        }
        match places.get(&id) {
            Some(&place) => {
                tell(
                    "the entry stands in the document several times, the newest counts".to_owned(),
                );
                // the newest version of an entry is the entry (RFC 4287, 4.1.1)
                if entry.updated.or(entry.published)
                    > entries[place].updated.or(entries[place].published)
                {
                    entries[place] = entry;
                }
            }
            None => {
                places.insert(id, entries.len());
                entries.push(entry);
            }
        }
    }
    entries
}

/// The hashes that several nameless drafts have.
fn alike(drafts: &[Draft]) -> HashSet<String> {
    let (mut seen, mut alike) = (HashSet::new(), HashSet::new());
    for draft in drafts.iter().filter(|draft| name(draft).is_none()) {
        let hash = hash(&draft.entry, false);
        if !seen.insert(hash.clone()) {
            alike.insert(hash);
        }
    }
    alike
}

fn is_empty(entry: &Entry) -> bool {
    entry.links.is_empty()
        && entry.title.is_none()
        && entry.summary.is_none()
        && entry.content.is_none()
        && entry.media.is_empty()
}

/// What an entry goes by when no other one goes by the same: its stated id, else its page.
///
/// Neither a short address nor what the entry says about itself changes the page: either may be
/// added any day.
fn name(draft: &Draft) -> Option<&str> {
    let page = || link::page(&draft.entry.links).map(|link| &*link.href);
    stated_id(draft).or_else(page)
}

/// The id that the entry's own `id` states, else the document.
fn stated_id(draft: &Draft) -> Option<&str> {
    let said = draft.said.as_ref().and_then(|said| said.id.as_deref());
    said.or(draft.stated_id.as_deref())
}

/// When an entry was published, by which entries of one name are told apart.
fn date(draft: &Draft) -> Option<Timestamp> {
    let entry = &draft.entry;
    // in Atom, entries of one id that differ in `updated` only are versions of one entry
    entry.published.or(entry.updated.filter(|_| !draft.has_versions))
}

/// The drafts that go by one name.
#[derive(Default)]
struct Shared {
    undated: usize,
    oldest: Option<Timestamp>,
    /// How many there are of each date.
    dated: HashMap<Timestamp, usize>,
}

impl Shared {
    /// The names that several of `drafts` go by.
    fn among(drafts: &[Draft]) -> HashMap<String, Self> {
        let mut counts: HashMap<&str, usize> = HashMap::with_capacity(drafts.len());
        for name in drafts.iter().filter_map(name) {
            *counts.entry(name).or_default() += 1;
        }
        let mut shared: HashMap<String, Self> = HashMap::new();
        for draft in drafts {
            let Some(name) = name(draft).filter(|name| counts[name] > 1) else { continue };
            let group = shared.entry(name.to_owned()).or_default();
            match date(draft) {
                None => group.undated += 1,
                Some(at) => {
                    group.oldest = group.oldest.map_or(Some(at), |oldest| Some(oldest.min(at)));
                    *group.dated.entry(at).or_default() += 1;
                }
            }
        }
        shared
    }

    /// The id of one of them.
    ///
    /// The only undated one, else the oldest one, goes by the name alone: it had that id when it
    /// was the only one, and another one that comes along must not take it away.
    fn id(&self, name: &str, draft: &Draft) -> String {
        let title = draft.entry.title.as_deref().unwrap_or_default();
        let is_version = |count: usize| count == 1 || draft.has_versions;
        match date(draft) {
            None if is_version(self.undated) => name.to_owned(),
            None => format!("{name} {title}"),
            Some(at) if !self.dated.get(&at).is_some_and(|count| is_version(*count)) => {
                format!("{name} {} {title}", at.to_rfc3339())
            }
            Some(at) if self.undated == 0 && self.oldest == Some(at) => name.to_owned(),
            Some(at) => format!("{name} {}", at.to_rfc3339()),
        }
    }
}

/// A hash of title and date, and of the text where there is neither or `with_text` asks for it.
fn hash(entry: &Entry, with_text: bool) -> String {
    let at = date_said(entry).map(Timestamp::to_rfc3339).unwrap_or_default();
    let title = entry.title.as_deref().unwrap_or_default();
    let with_text = with_text || (at.is_empty() && title.is_empty());
    let text = entry.content.as_ref().or(entry.summary.as_ref()).filter(|_| with_text);
    let mut hash = Sha256::new();
    for part in [title, &at, text.map_or("", |text| text.body())] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest.iter().take(16).fold("sha256:".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

fn date_said(entry: &Entry) -> Option<Timestamp> {
    entry.published.or(entry.updated)
}
