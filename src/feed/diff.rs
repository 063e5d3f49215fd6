//! Diff: which entries of a document are new, which are known, and which are known under another
//! id.
//!
//! Identity is the entry's id, never its date or its text; an edit never makes a new post. A site
//! that changes its ids (a new generator, another domain in the guid) is caught by the canonical
//! URL, or by title, date and text together, of entries whose old id is not listed any more.
//! **Invariant:** pure: no clock, no store. **Refuses:** to take a URL for an identity that
//! several different entries share, as in a feed whose entries all link to the home page.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::entry::{Entry, Known, Markup};
use crate::names::EntryId;

/// An entry of the document with what is compared of it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The entry.
    pub entry: Entry,
    /// The entry as JSON: what is stored.
    pub body: String,
    /// Hash of `body`.
    pub content_hash: Vec<u8>,
    /// Hash of title, date and text; absent where they don't tell one entry from another.
    pub sign: Option<Vec<u8>>,
}

/// A document that was read, ready to be compared.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its entries, in its order.
    pub seen: Vec<Seen>,
    /// The page that the feed belongs to.
    pub home_url: Option<String>,
}

/// What an entry of the document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Never seen.
    New,
    /// Known, and as it was.
    Same(EntryId),
    /// Known, and edited.
    Edited(EntryId),
    /// Known under another id.
    Renamed(EntryId),
    /// Has the URL of a known entry that is not listed any more, and nothing else of it: perhaps
    /// the same, perhaps not.
    Twin(EntryId),
    /// The document lists the same id, or the same entry, a second time.
    Repeated,
}

/// Makes what is compared of an entry.
pub fn see(entry: Entry) -> Seen {
    let body = serde_json::to_string(&entry).expect("an entry is plain data with text keys");
    let content_hash = short_hash(&[body.as_bytes()]);
    Seen { content_hash, sign: sign(&entry), body, entry }
}

/// A date and a title or a text are needed: "Photo" without a date is no identity. Media count:
/// two photos of a day with one title are two.
fn sign(entry: &Entry) -> Option<Vec<u8>> {
    let date = entry.published.or(entry.updated)?.as_millis().to_le_bytes();
    let text = entry.content.as_ref().or(entry.summary.as_ref()).map_or("", Markup::body);
    let title = entry.title.as_deref().unwrap_or("");
    let mut parts: Vec<&[u8]> = vec![&date, title.as_bytes(), text.as_bytes()];
    parts.extend(entry.media.iter().map(|media| media.url.as_bytes()));
    (!title.is_empty() || !text.is_empty()).then(|| short_hash(&parts))
}

/// The first 16 bytes of SHA-256 over the parts, each with its length.
fn short_hash(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..16].to_vec()
}

/// Tells what each of `seen` is, in the order of the document.
///
/// `known` holds at least every stored entry of the feed that shares an id, a URL or a sign with
/// one of `seen`.
pub fn diff(seen: &[Seen], known: &[Known], home_url: Option<&str>) -> Vec<Change> {
    let by_id: HashMap<&str, &Known> = known
        .iter()
        .flat_map(|known| known.ids.iter().map(move |id| (id.as_str(), known)))
        .collect();
    let listed: HashSet<EntryId> = seen
        .iter()
        .filter_map(|seen| by_id.get(seen.entry.id.as_str()).map(|known| known.row))
        .collect();
    let shared = shared_urls(seen, known);
    let mut taken: HashSet<EntryId> = HashSet::new();
    let mut ids: HashSet<&str> = HashSet::new();
    let mut fresh: HashSet<(Option<&str>, &[u8])> = HashSet::new();
    seen.iter()
        .map(|seen| {
            if !ids.insert(&seen.entry.id) {
                return Change::Repeated;
            }
            if let Some(known) = by_id.get(seen.entry.id.as_str()) {
                return if !taken.insert(known.row) {
                    Change::Repeated // two of its ids at once
                } else if known.content_hash == seen.content_hash {
                    Change::Same(known.row)
                } else {
                    Change::Edited(known.row)
                };
            }
            let url = seen.entry.url.as_deref();
            let url = url.filter(|url| Some(*url) != home_url && !shared.contains(url));
            let listed = |known: &Known| listed.contains(&known.row);
            // one that is listed beside it is another one, unless even the URL is the same
            let by_sign = known.iter().find(|known| {
                let apart = url.is_some() && known.url.is_some() && known.url.as_deref() != url;
                seen.sign.is_some() && known.sign == seen.sign && !(listed(known) && apart)
            });
            let by_url = || {
                known
                    .iter()
                    .find(|known| url.is_some() && known.url.as_deref() == url && !listed(known))
            };
            match by_sign.or_else(by_url) {
                Some(known) if taken.contains(&known.row) || listed(known) => Change::Repeated,
                Some(known) => {
                    taken.insert(known.row);
                    let same_title = known.title.is_some() && known.title == seen.entry.title;
                    let same_date =
                        known.published.is_some() && known.published == seen.entry.published;
                    if by_sign.is_some() || same_title || same_date {
                        Change::Renamed(known.row)
                    } else {
                        Change::Twin(known.row)
                    }
                }
                None => match &seen.sign {
                    Some(sign) if !fresh.insert((url, sign)) => Change::Repeated,
                    _ => Change::New,
                },
            }
        })
        .collect()
}

/// The URLs that several different entries have: in the document, or in the store.
fn shared_urls<'a>(seen: &'a [Seen], known: &'a [Known]) -> HashSet<&'a str> {
    let mut shared = HashSet::new();
    let mut first: HashMap<&str, (&str, Option<&[u8]>)> = HashMap::new();
    for seen in seen {
        let Some(url) = seen.entry.url.as_deref() else { continue };
        let mine = (seen.entry.id.as_str(), seen.sign.as_deref());
        let other = *first.entry(url).or_insert(mine);
        if other.0 != mine.0 && (mine.1.is_none() || other.1 != mine.1) {
            shared.insert(url);
        }
    }
    let mut stored: HashMap<&str, EntryId> = HashMap::new();
    for known in known {
        let Some(url) = known.url.as_deref() else { continue };
        if *stored.entry(url).or_insert(known.row) != known.row {
            shared.insert(url);
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn entry(id: &str, url: &str, title: &str, day: i64) -> Entry {
        Entry {
            id: id.into(),
            url: (!url.is_empty()).then(|| url.into()),
            title: (!title.is_empty()).then(|| title.into()),
            published: (day > 0).then(|| Timestamp::from_secs(day * 86_400)),
            ..Entry::default()
        }
    }

    fn known(row: i64, entry: &Entry) -> Known {
        let seen = see(entry.clone());
        Known {
            row: EntryId(row),
            ids: vec![entry.id.clone()],
            url: entry.url.clone(),
            title: entry.title.clone(),
            published: entry.published,
            sign: seen.sign,
            content_hash: seen.content_hash,
        }
    }

    fn check(document: &[Entry], stored: &[Known], expect: &[Change]) {
        let seen: Vec<Seen> = document.iter().cloned().map(see).collect();
        assert_eq!(diff(&seen, stored, Some("https://a.example/")), expect);
    }

    #[test]
    fn an_edit_is_not_new_whatever_it_changes() {
        let old = entry("1", "https://a.example/1", "One", 1);
        let stored = [known(7, &old)];
        check(std::slice::from_ref(&old), &stored, &[Change::Same(EntryId(7))]);
        let edited = entry("1", "https://a.example/moved", "Another", 9);
        check(&[edited], &stored, &[Change::Edited(EntryId(7))]);
    }

    #[test]
    fn another_order_is_nothing_new() {
        let (a, b) = (entry("a", "", "A", 1), entry("b", "", "B", 2));
        let stored = [known(1, &a), known(2, &b)];
        check(&[b, a], &stored, &[Change::Same(EntryId(2)), Change::Same(EntryId(1))]);
    }

    #[test]
    fn a_new_id_with_the_same_url_is_the_same_entry() {
        let stored = [known(1, &entry("old", "https://a.example/1", "One", 1))];
        let renamed = entry("new", "https://a.example/1", "One, edited", 1);
        check(&[renamed], &stored, &[Change::Renamed(EntryId(1))]);
    }

    #[test]
    fn a_url_alone_proves_nothing() {
        let stored = [known(1, &entry("old", "https://a.example/1", "One", 1))];
        let other = entry("new", "https://a.example/1", "Two", 2);
        check(&[other], &stored, &[Change::Twin(EntryId(1))]);
        let redated = entry("new", "https://a.example/1", "One", 2);
        check(&[redated], &stored, &[Change::Renamed(EntryId(1))]);
    }

    #[test]
    fn two_of_a_day_with_one_title_are_two() {
        let first = entry("1", "https://a.example/1", "Photo", 1);
        let second = entry("2", "https://a.example/2", "Photo", 1);
        let stored = [known(1, &first)];
        check(&[second, first], &stored, &[Change::New, Change::Same(EntryId(1))]);
    }

    #[test]
    fn a_new_id_with_the_same_title_date_and_text_is_the_same_entry() {
        let stored = [known(1, &entry("old", "https://a.example/1", "One", 1))];
        let renamed = entry("new", "https://b.example/1", "One", 1);
        check(&[renamed], &stored, &[Change::Renamed(EntryId(1))]);
        let undated = [known(1, &entry("old", "", "Photo", 0))];
        check(&[entry("new", "", "Photo", 0)], &undated, &[Change::New]);
    }

    #[test]
    fn a_note_without_a_title_is_known_by_its_text() {
        let note = |id: &str, day, text: &str| Entry {
            content: (!text.is_empty()).then(|| Markup::Text(text.into())),
            ..entry(id, &format!("https://a.example/{id}"), "", day)
        };
        let stored = [known(1, &note("old", 1, "Hello"))];
        check(&[note("new", 1, "Hello")], &stored, &[Change::Renamed(EntryId(1))]);
        check(&[note("new", 1, "Hello you")], &stored, &[Change::New]);
        let wordless = [known(1, &note("old", 1, ""))];
        check(&[note("new", 1, "")], &wordless, &[Change::New]);
    }

    #[test]
    fn entries_that_share_a_url_are_told_apart() {
        let home = "https://a.example/";
        let stored = [known(1, &entry("1", home, "One", 1))];
        check(&[entry("2", home, "Two", 2)], &stored, &[Change::New]);
        let page = "https://a.example/notes";
        let stored = [known(1, &entry("1", page, "One", 1))];
        let both = [entry("2", page, "Two", 2), entry("1", page, "One", 1)];
        check(&both, &stored, &[Change::New, Change::Same(EntryId(1))]);
        // the older ones have left the document, but the store still knows that they share it
        let stored = [known(1, &entry("1", page, "One", 1)), known(2, &entry("2", page, "Two", 2))];
        check(&[entry("3", page, "Three", 3)], &stored, &[Change::New]);
    }

    #[test]
    fn a_url_that_two_new_entries_share_is_no_identity() {
        let page = "https://a.example/notes";
        for day in [1, 0] {
            let stored = [known(1, &entry("1", page, "One", day))];
            let both = [entry("2", page, "Two", 2 * day), entry("3", page, "Three", 3 * day)];
            check(&both, &stored, &[Change::New, Change::New]);
        }
        // one that only comes twice shares it with nobody
        let stored = [known(1, &entry("old", page, "One", 0))];
        let twice = [entry("new", page, "One", 0), entry("new", page, "One", 0)];
        check(&twice, &stored, &[Change::Renamed(EntryId(1)), Change::Repeated]);
    }

    #[test]
    fn what_is_listed_twice_counts_once() {
        let one = entry("1", "https://a.example/1", "One", 1);
        check(&[one.clone(), one.clone()], &[], &[Change::New, Change::Repeated]);
        let copy = entry("1-copy", "https://a.example/1", "One", 1);
        let stored = [known(1, &one)];
        check(&[one, copy.clone()], &stored, &[Change::Same(EntryId(1)), Change::Repeated]);
        let one = entry("1", "https://a.example/1", "One", 1);
        check(&[one, copy], &[], &[Change::New, Change::Repeated]);
    }

    #[test]
    fn two_new_ids_never_take_the_same_old_entry() {
        let stored = [known(1, &entry("old", "https://a.example/1", "One", 1))];
        let twice = [
            entry("new", "https://a.example/1", "One", 1),
            entry("newer", "https://a.example/1", "One", 1),
        ];
        check(&twice, &stored, &[Change::Renamed(EntryId(1)), Change::Repeated]);
    }
}
