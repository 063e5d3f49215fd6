//! Extras: what a record holds that only the server can give: its picture as a blob, and who the
//! people are that it mentions.
//!
//! Both are asked for once and journalled before the record is written, so that a retry writes the
//! same record. **Invariant:** a record lacks what could not be had; it never waits for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crosspost::Failure;
use crate::draft::{Draft, Feature, Shelved};
use crate::publish::Desk;

/// Where the journal of a crosspost holds them.
const NOTE: &str = "bluesky_extras";

/// The most people that one post mentions: each is a question to the server.
const MENTIONS_MAX: usize = 8;

/// What the server gave for one draft.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extras {
    /// The picture that was wanted, by its name on the shelf.
    pub file: Option<String>,
    /// The picture as the server knows it; absent where it could not be had.
    pub blob: Option<Value>,
    /// The DID of each handle that is mentioned; absent where nobody has it.
    pub dids: BTreeMap<String, Option<String>>,
}

impl Extras {
    /// What `draft` wants, with nothing of it there yet.
    pub fn wanted(draft: &Draft) -> Self {
        let handles = draft.facets.iter().filter_map(|facet| match &facet.feature {
            Feature::Mention(handle) => Some(handle),
            Feature::Link(_) | Feature::Tag(_) => None,
        });
        let mut dids = BTreeMap::new();
        for handle in handles {
            if dids.len() < MENTIONS_MAX || dids.contains_key(handle) {
                // who is named by a DID needs no question
                let did = handle.starts_with("did:").then(|| handle.clone());
                dids.insert(handle.clone(), did);
            }
        }
        Self { file: thumb(draft).map(|thumb| thumb.file.clone()), blob: None, dids }
    }

    /// Whether there is nothing to ask the server for.
    pub fn is_whole(&self) -> bool {
        (self.file.is_none() || self.blob.is_some()) && self.dids.values().all(Option::is_some)
    }

    /// Those in the journal, where they are those of this draft.
    ///
    /// # Errors
    /// The journal can't be read.
    pub async fn journalled(&self, desk: &Desk<'_>) -> Result<Option<Self>, Failure> {
        let note = desk.journal.read(NOTE).await?;
        let extras = note.and_then(|note| serde_json::from_value::<Self>(note).ok());
        Ok(extras
            .filter(|extras| extras.file == self.file && extras.dids.keys().eq(self.dids.keys())))
    }

    /// Commits them, before anything is written that depends on them.
    ///
    /// # Errors
    /// The journal can't be written: then the record must not be.
    pub async fn keep(&self, desk: &Desk<'_>) -> Result<(), Failure> {
        let note = serde_json::to_value(self).expect("plain data can be written as JSON");
        Ok(desk.journal.write(NOTE, note).await?)
    }

    /// Forgets them, so that the next attempt asks again.
    pub async fn forget(desk: &Desk<'_>) {
        // where that fails, the next attempt makes do with what is there
        let _ = desk.journal.write(NOTE, Value::Null).await;
    }
}

/// The picture of a draft's card.
pub fn thumb(draft: &Draft) -> Option<&Shelved> {
    draft.card.as_ref()?.thumb.as_ref()
}

/// The blob in an answer to an upload, word for word, where it is one of a picture.
pub fn blob(answer: &Value) -> Option<&Value> {
    let blob = &answer["blob"];
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let is_picture = blob["mimeType"].as_str().is_some_and(|kind| kind.starts_with("image/"));
    let fits = blob["$type"] == "blob"
        && text(&blob["ref"]["$link"])
        && is_picture
        && blob["size"].as_u64().is_some_and(|size| size > 0);
    fits.then_some(blob)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::draft::{Card, Facet};

    #[test]
    fn a_draft_wants_its_picture_and_the_people_it_names() {
        let mention = |handle: &str| Facet {
            byte_start: 0,
            byte_end: 1,
            feature: Feature::Mention(handle.into()),
        };
        assert!(Extras::wanted(&Draft::default()).is_whole());
        let did = "did:plc:abc";
        let mut draft = Draft { facets: vec![mention(did), mention(did)], ..Draft::default() };
        let wanted = Extras::wanted(&draft);
        assert!(wanted.is_whole(), "a DID needs no question");
        assert_eq!(wanted.dids[did].as_deref(), Some(did));
        draft.facets.push(mention("ada.example"));
        assert!(!Extras::wanted(&draft).is_whole());
        draft.facets = (0..20).map(|n| mention(&format!("a{n}.example"))).collect();
        assert_eq!(Extras::wanted(&draft).dids.len(), MENTIONS_MAX);
        let thumb = Some(Shelved { file: "x.jpg".into(), ..Shelved::default() });
        let card = Some(Card { thumb, ..Card::default() });
        let wanted = Extras::wanted(&Draft { card, ..Draft::default() });
        assert_eq!((wanted.file.as_deref(), wanted.is_whole()), (Some("x.jpg"), false));
    }

    #[test]
    fn only_a_blob_of_a_picture_is_taken_and_as_it_is() {
        let whole = json!({"$type": "blob", "ref": {"$link": "bafk"}, "mimeType": "image/jpeg",
            "size": 7, "novelty": 1});
        assert_eq!(blob(&json!({"blob": whole})), Some(&whole));
        for (key, value) in [
            ("$type", json!("file")),
            ("ref", json!("bafk")),
            ("ref", json!({"$link": ""})),
            ("mimeType", json!("text/html")),
            ("size", json!(0)),
            ("size", json!("7")),
        ] {
            let mut broken = whole.clone();
            broken[key] = value;
            assert_eq!(blob(&json!({"blob": broken})), None, "{key}");
        }
        assert_eq!(blob(&json!([])), None);
    }
}
