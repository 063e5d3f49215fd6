//! Extras: what a record holds that only the server can give: its files as blobs, and who the
//! people are that it mentions.
//!
//! Each is asked for once and journalled before the record is written, so that a retry writes the
//! same record. **Invariant:** a record is written only when all is settled: had, or left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::crosspost::Failure;
use crate::draft::{Draft, Feature, Media, Shelved};
use crate::publish::{Desk, NOTES};

/// Where the journal of a crosspost holds them.
const NOTE: &str = "bluesky_extras";

/// The most people that one post mentions: each is a question to the server.
const MENTIONS_MAX: usize = 8;

/// The most images of a post: the lexicon of `app.bsky.embed.images` (sheet B6).
pub const IMAGES_MAX: usize = 4;

/// How often the server may lose a file of one crosspost before the post goes without it.
const LOSSES_MAX: u32 = 3;

/// What the server gave for one draft.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extras {
    /// When the first of it was asked for.
    pub since: Option<Timestamp>,
    /// Whether all was asked for: then a record may be written.
    pub settled: bool,
    /// The files that are wanted, by their names on the shelf.
    pub files: BTreeMap<String, File>,
    /// The DID of each handle that is mentioned; absent where nobody has it.
    pub dids: BTreeMap<String, Option<String>>,
    /// What was said to be left out.
    pub told: Vec<String>,
}

/// A file on its way into a record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// How far it is.
    pub state: State,
    /// How often the server had it, and then had it no more.
    pub losses: u32,
}

/// How far a file is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not yet uploaded.
    #[default]
    Wanted,
    /// A video that was uploaded and is being prepared.
    Job {
        /// The id of the preparation.
        id: String,
        /// When it began.
        since: Timestamp,
    },
    /// The file as the server knows it, word for word.
    Blob(Value),
    /// It could not be had just now, and why: the record goes without.
    Lost(String),
    /// The server refuses it, and why: the record goes without.
    Refused(String),
}

impl Extras {
    /// Those of `draft`: the ones in the journal, where they are of these files and people, else
    /// with nothing of it there yet.
    ///
    /// # Errors
    /// The journal can't be read.
    pub async fn of(draft: &Draft, desk: &Desk<'_>) -> Result<Self, Failure> {
        let wanted = Self::wanted(draft);
        if wanted.settled {
            return Ok(wanted);
        }
        let note = desk.journal.read(NOTE).await?;
        let known = note.and_then(|note| serde_json::from_value::<Self>(note).ok());
        Ok(known
            .filter(|known| {
                known.files.keys().eq(wanted.files.keys())
                    && known.dids.keys().eq(wanted.dids.keys())
            })
            .unwrap_or(wanted))
    }

    /// What `draft` wants, with nothing of it there yet.
    fn wanted(draft: &Draft) -> Self {
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
        let names = files(draft).into_iter().map(|file| file.file.clone());
        let files: BTreeMap<_, _> = names.map(|name| (name, File::default())).collect();
        let settled = files.is_empty() && dids.values().all(Option::is_some);
        Self { settled, files, dids, ..Self::default() }
    }

    /// The blob of a file, where there is one.
    pub fn blob(&self, name: &str) -> Option<&Value> {
        match &self.files.get(name)?.state {
            State::Blob(blob) => Some(blob),
            State::Wanted | State::Job { .. } | State::Lost(_) | State::Refused(_) => None,
        }
    }

    /// Says how far a file is.
    pub fn set(&mut self, name: &str, state: State) {
        if let Some(file) = self.files.get_mut(name) {
            file.state = state;
        }
    }

    /// The server says that it has no such blob: all are wanted once more, because it names one
    /// and may have lost each, as long as it doesn't lose them each time. Tells whether any is.
    pub fn want_again(&mut self) -> bool {
        let mut any = false;
        for file in self.files.values_mut() {
            if matches!(file.state, State::Blob(_)) && file.losses < LOSSES_MAX {
                *file = File { state: State::Wanted, losses: file.losses + 1 };
                any = true;
            }
        }
        if any {
            // it is another wait, if there is one
            (self.settled, self.since) = (false, None);
        }
        any
    }

    /// Wants again what the next attempt may have better luck with (`passing` alone), or a person's
    /// next try. For when surely no record was written without them.
    pub fn reopen(&mut self, passing: bool) {
        for file in self.files.values_mut() {
            let again = match file.state {
                State::Lost(_) => true,
                State::Refused(_) => !passing,
                State::Wanted | State::Job { .. } | State::Blob(_) => false,
            };
            if again {
                file.state = State::Wanted;
                self.settled = false;
            }
        }
        self.settled &= self.dids.values().all(Option::is_some);
        if !passing {
            self.since = None;
        }
    }

    /// Commits them, before anything is written that depends on them, and says what `draft` goes
    /// without: in the journal, for `why`, and once in the log.
    ///
    /// # Errors
    /// The journal can't be written: then the record must not be.
    pub async fn keep(&mut self, draft: &Draft, desk: &Desk<'_>) -> Result<(), Failure> {
        let left_out = self.left_out(draft);
        if left_out != self.told {
            let notes = if left_out.is_empty() { Value::Null } else { left_out.clone().into() };
            desk.journal.write(NOTES, notes).await?;
        }
        let told = std::mem::replace(&mut self.told, left_out);
        let note = serde_json::to_value(&*self).expect("plain data can be written as JSON");
        desk.journal.write(NOTE, note).await?;
        for note in self.told.iter().filter(|note| !told.contains(note)) {
            let crosspost = desk.crosspost.map(|id| id.0);
            if media(draft).is_empty() {
                tracing::info!(crosspost, "{note}");
            } else {
                tracing::warn!(crosspost, "{note}");
            }
        }
        Ok(())
    }

    /// What `draft` goes without, in words, in order.
    pub fn left_out(&self, draft: &Draft) -> Vec<String> {
        let of_media = !media(draft).is_empty();
        let files = files(draft);
        let count = files.len();
        let line = |(at, file): (usize, &Shelved)| match &self.files.get(&file.file)?.state {
            State::Lost(why) | State::Refused(why) if of_media => {
                let kind = kind(file);
                Some(format!("{kind} {} of {count} is left out: {why}", at + 1))
            }
            State::Lost(why) | State::Refused(why) => {
                Some(format!("a card goes without its picture: {why}"))
            }
            State::Wanted | State::Job { .. } | State::Blob(_) => None,
        };
        files.into_iter().enumerate().filter_map(line).collect()
    }
}

/// The media of a draft that were fetched, as Bluesky takes them: one video, or up to four images;
/// with an image that is there twice only once.
pub fn media(draft: &Draft) -> Vec<(&Media, &Shelved)> {
    let mut media: Vec<(&Media, &Shelved)> = Vec::new();
    for medium in &draft.media {
        if let Some(file) = &medium.file
            && media.iter().all(|(_, other)| other.file != file.file)
        {
            media.push((medium, file));
        }
    }
    if let Some(first) = media.first().copied() {
        if is_video(first.1) {
            return vec![first];
        }
        media.retain(|(_, file)| !is_video(file));
        media.truncate(IMAGES_MAX);
    }
    media
}

/// The picture of a draft's card; none where media take the card's place.
pub fn thumb(draft: &Draft) -> Option<&Shelved> {
    draft.card.as_ref()?.thumb.as_ref()
}

/// All files that a draft's record names.
pub fn files(draft: &Draft) -> Vec<&Shelved> {
    let mut files: Vec<_> = media(draft).into_iter().map(|(_, file)| file).collect();
    files.extend(thumb(draft).filter(|_| files.is_empty()));
    files
}

/// What a file is taken for: `video` or `image`.
pub fn kind(file: &Shelved) -> &'static str {
    if is_video(file) { "video" } else { "image" }
}

/// Whether a file is a video.
pub fn is_video(file: &Shelved) -> bool {
    file.media_type.starts_with("video/")
}

/// The address of a blob in its repository.
pub fn link(blob: &Value) -> Option<&str> {
    blob["ref"]["$link"].as_str().filter(|link| !link.is_empty())
}

/// The blob in an answer to an upload, word for word, where it is a whole one.
pub fn blob(answer: &Value) -> Option<&Value> {
    let blob = &answer["blob"];
    let fits = blob["$type"] == "blob"
        && link(blob).is_some()
        && blob["mimeType"].as_str().is_some_and(|kind| kind.contains('/'))
        && blob["size"].as_u64().is_some_and(|size| size > 0);
    fits.then_some(blob)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::draft::{Card, Facet};

    fn shelved(file: &str) -> Shelved {
        let media_type = if file.ends_with("mp4") { "video/mp4" } else { "image/jpeg" };
        Shelved { file: file.into(), media_type: media_type.into(), ..Shelved::default() }
    }

    fn with_media(files: &[&str]) -> Draft {
        let media =
            files.iter().map(|file| Media { file: Some(shelved(file)), ..Media::default() });
        Draft { media: media.collect(), ..Draft::default() }
    }

    #[test]
    fn a_draft_wants_its_picture_and_the_people_it_names() {
        let mention = |handle: &str| Facet {
            byte_start: 0,
            byte_end: 1,
            feature: Feature::Mention(handle.into()),
        };
        assert!(Extras::wanted(&Draft::default()).settled);
        let did = "did:plc:abc";
        let mut draft = Draft { facets: vec![mention(did), mention(did)], ..Draft::default() };
        let wanted = Extras::wanted(&draft);
        assert!(wanted.settled, "a DID needs no question");
        assert_eq!(wanted.dids[did].as_deref(), Some(did));
        draft.facets.push(mention("ada.example"));
        assert!(!Extras::wanted(&draft).settled);
        draft.facets = (0..20).map(|n| mention(&format!("a{n}.example"))).collect();
        assert_eq!(Extras::wanted(&draft).dids.len(), MENTIONS_MAX);
        let card = Some(Card { thumb: Some(shelved("x.jpg")), ..Card::default() });
        let wanted = Extras::wanted(&Draft { card: card.clone(), ..Draft::default() });
        assert!(wanted.files.keys().eq(["x.jpg"]) && !wanted.settled);
        let wanted = Extras::wanted(&Draft { card, ..with_media(&["y.jpg"]) });
        assert!(wanted.files.keys().eq(["y.jpg"]), "media take the card's place");
    }

    #[test]
    fn a_post_has_four_images_or_one_video() {
        let check = |files: &[&str], expect: &[&str]| {
            let draft = with_media(files);
            let taken: Vec<_> = media(&draft).into_iter().map(|(_, file)| &*file.file).collect();
            assert_eq!(taken, expect, "{files:?}");
        };
        check(&[], &[]);
        check(&["z.jpg", "a.jpg"], &["z.jpg", "a.jpg"]);
        check(&["1.jpg", "1.jpg", "2.jpg"], &["1.jpg", "2.jpg"]);
        check(&["1", "2", "3", "4", "5"], &["1", "2", "3", "4"]);
        check(&["v.mp4", "1.jpg"], &["v.mp4"]);
        check(&["1.jpg", "v.mp4"], &["1.jpg"]);
        let unfetched = Media { url: "https://a.example/x.jpg".into(), ..Media::default() };
        assert!(media(&Draft { media: vec![unfetched], ..Draft::default() }).is_empty());
    }

    #[test]
    fn a_blob_is_taken_as_it_is_or_not_at_all() {
        let whole = json!({"$type": "blob", "ref": {"$link": "bafk"}, "mimeType": "image/jpeg",
            "size": 7, "novelty": 1});
        assert_eq!(blob(&json!({"blob": whole})), Some(&whole));
        for (key, value) in [
            ("$type", json!("file")),
            ("ref", json!("bafk")),
            ("ref", json!({"$link": ""})),
            ("mimeType", json!("text")),
            ("size", json!(0)),
            ("size", json!("7")),
        ] {
            let mut broken = whole.clone();
            broken[key] = value;
            assert_eq!(blob(&json!({"blob": broken})), None, "{key}");
        }
        assert_eq!(blob(&json!([])), None);
    }

    fn had(link: &str) -> State {
        State::Blob(json!({"ref": {"$link": link}}))
    }

    #[test]
    fn a_file_that_the_server_lost_is_wanted_again_and_not_for_ever() {
        let mut extras = Extras::wanted(&with_media(&["1.jpg", "2.jpg"]));
        let have = |extras: &mut Extras| {
            extras.set("1.jpg", had("bafka"));
            extras.set("2.jpg", had("bafkb"));
            extras.settled = true;
        };
        for _ in 0..LOSSES_MAX {
            have(&mut extras);
            assert!(extras.want_again());
            assert!(extras.blob("1.jpg").is_none() && extras.blob("2.jpg").is_none());
            assert!(!extras.settled);
        }
        have(&mut extras);
        assert!(!extras.want_again());
        assert!(extras.settled && extras.blob("1.jpg").is_some());
    }

    #[test]
    fn what_may_go_better_the_next_time_is_asked_for_anew() {
        let mut extras = Extras::wanted(&with_media(&["1.jpg", "2.jpg", "3.jpg"]));
        extras.set("1.jpg", had("bafka"));
        extras.set("2.jpg", State::Lost("no answer".into()));
        extras.set("3.jpg", State::Refused("too large".into()));
        let draft = with_media(&["3.jpg", "1.jpg", "2.jpg"]);
        let left_out =
            ["image 1 of 3 is left out: too large", "image 3 of 3 is left out: no answer"];
        assert_eq!(extras.left_out(&draft), left_out);
        extras.settled = true;
        extras.reopen(true);
        let states =
            |extras: &Extras| extras.files.values().map(|f| f.state.clone()).collect::<Vec<_>>();
        let refused = State::Refused("too large".into());
        assert_eq!(states(&extras), [had("bafka"), State::Wanted, refused]);
        assert!(!extras.settled);
        extras.reopen(false);
        assert_eq!(states(&extras), [had("bafka"), State::Wanted, State::Wanted]);
    }
}
