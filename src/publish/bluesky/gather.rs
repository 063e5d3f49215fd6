//! Gather: asks the server for what a record needs from it.
//!
//! **Invariant:** nothing here posts, so whatever happened here may be asked again; and each answer
//! is journalled before the next question. A card goes without the picture that can't be had. Media
//! are the post: what can't be had just now is waited for, two hours; what is refused is left out,
//! and told.

use std::time::Duration;

use url::Url;

use super::errors::Meaning;
use super::extras::{self, Extras, File, State};
use super::session::Session;
use super::xrpc::{self, Answer, Call, Parcel};
use super::{Bluesky, Halt};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::draft::{Draft, Shelved};
use crate::publish::Desk;

/// The longest that a post waits for media that can't be uploaded just now. Half the time after
/// which posts are given up, where that is less.
const PATIENCE_MAX: Duration = Duration::from_secs(2 * 3600);

/// What came of asking for a file.
pub enum Got {
    /// How far it is now: a blob, or a job.
    State(State),
    /// The server refuses it, or it is not kept here any more; in words.
    Refused(String),
    /// Just now it can't be had.
    Failed(Failure),
    /// The account can't get in: nothing else would work either.
    LockedOut(Failure),
}

impl Got {
    /// What it means that `call`, an upload or what belongs to one, got no whole answer.
    pub fn unanswered(failure: Failure) -> Self {
        match failure.class {
            Class::Account { .. } => Self::LockedOut(failure),
            _ => Self::Failed(xrpc::unposted(failure)),
        }
    }

    /// What it means that `call`, an upload or what belongs to one, was refused at `origin`.
    pub fn refusal(answer: &Answer, call: Call, origin: &Url, now: Timestamp) -> Self {
        let failure = answer.failure(call, origin, now);
        match answer.meaning(call) {
            // the token was made for this very call, and the account's own server takes the rest
            Meaning::Stale | Meaning::Foreign | Meaning::Moved if call == Call::UploadVideo => {
                Self::Refused(failure.message)
            }
            Meaning::Stale
            | Meaning::Foreign
            | Meaning::Moved
            | Meaning::Suspended
            | Meaning::Unconfirmed => Self::LockedOut(failure),
            Meaning::Limited | Meaning::WrongHost | Meaning::Open => Self::Failed(failure),
            _ => Self::Refused(failure.message),
        }
    }
}

impl Bluesky {
    /// Asks for all that `draft` wants and `extras` have not.
    ///
    /// # Errors
    /// The account can't get in; or media, which are waited for: nothing was posted.
    pub(super) async fn gather(
        &self,
        draft: &Draft,
        extras: &mut Extras,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Result<(), Halt> {
        if extras.settled {
            return Ok(());
        }
        extras.since = extras.since.or(Some(desk.clock.now()));
        for file in extras::files(draft) {
            self.fetch((draft, file), extras, session, desk).await?;
        }
        for (handle, did) in extras.dids.iter_mut().filter(|(_, did)| did.is_none()) {
            match self.resolve(handle, session, desk).await {
                Ok(found) => *did = Some(found),
                Err(why) => tracing::info!(
                    crosspost = desk.crosspost.map(|id| id.0),
                    "`{handle}` is mentioned, but pings nobody: {why}"
                ),
            }
        }
        extras.settled = true;
        Ok(extras.keep(draft, desk).await?)
    }

    /// Brings one file of a draft as far as it goes now.
    async fn fetch(
        &self,
        (draft, file): (&Draft, &Shelved),
        extras: &mut Extras,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Result<(), Halt> {
        let is_card = extras::media(draft).is_empty();
        loop {
            let known = extras.files.get(&file.file).cloned().unwrap_or_default();
            let got = match known.state {
                State::Wanted => self.upload(file, session, desk).await,
                State::Job { id, since } => self.job(&id, since, desk).await,
                State::Blob(_) | State::Lost(_) | State::Refused(_) => return Ok(()),
            };
            let state = match got {
                Got::State(State::Wanted) if known.losses > 0 => {
                    State::Refused("its preparation was lost twice".into())
                }
                Got::State(State::Wanted) => {
                    let again = File { state: State::Wanted, losses: known.losses + 1 };
                    extras.files.insert(file.file.clone(), again);
                    continue;
                }
                Got::State(state) => state,
                Got::Refused(why) => State::Refused(why),
                Got::LockedOut(failure) => return Err(failure.into()),
                Got::Failed(failure) if !is_card && !self.is_over(extras, &failure, desk) => {
                    // when it began to fail is to be remembered
                    extras.keep(draft, desk).await?;
                    return Err(failure.into());
                }
                Got::Failed(failure) => State::Lost(failure.message),
            };
            extras.set(&file.file, state.clone());
            // a card's picture is journalled with the rest: there is nothing to resume
            if !is_card {
                extras.keep(draft, desk).await?;
            }
            if let State::Job { since, .. } = state {
                let wait = super::video::pause(since, desk.clock.now());
                return Err(Halt::Wait { wait, why: "Bluesky is preparing the video".into() });
            }
        }
    }

    /// Whether media were waited for long enough, or would be before the server wants to hear of
    /// them again. Never where the account can't get in: then nothing else goes either.
    fn is_over(&self, extras: &Extras, failure: &Failure, desk: &Desk<'_>) -> bool {
        let now = desk.clock.now();
        let again = match failure.class {
            Class::Retry { not_before } | Class::RateLimited { not_before } => not_before,
            _ => return false,
        };
        let patience = PATIENCE_MAX.min(self.give_up_after / 2);
        let since: Timestamp = extras.since.unwrap_or(now);
        again.unwrap_or(now).max(now).since(since) >= patience
    }

    /// The DID behind a handle, as the account's server knows it.
    async fn resolve(
        &self,
        handle: &str,
        session: &Session,
        desk: &Desk<'_>,
    ) -> Result<String, String> {
        let server = self.access.server(session);
        let query = [("handle", handle)];
        let parcel = Parcel { query: &query, ..Parcel::default() };
        let answer = xrpc::call(self.access.http(), server, Call::Resolve, parcel).await;
        let answer = answer.map_err(|failure| failure.message)?;
        match answer.text("did").filter(|did| answer.is_success() && did.starts_with("did:")) {
            Some(did) => Ok(did.to_owned()),
            None => Err(answer.failure(Call::Resolve, server, desk.clock.now()).message),
        }
    }
}

/// Takes the file that a refusal of the whole record means out of it, and tells whether there is
/// one. The server says where it is, or which blob it is, or of what type; else it is the largest.
///
/// # Errors
/// The journal can't be written.
pub async fn drop_file(
    draft: &Draft,
    extras: &mut Extras,
    desk: &Desk<'_>,
    why: &str,
) -> Result<bool, Failure> {
    let files: Vec<_> = extras::files(draft)
        .into_iter()
        .filter_map(|file| Some((file.file.as_str(), extras.blob(&file.file)?)))
        .collect();
    let Some(name) = culprit(&files, why) else {
        return Ok(false);
    };
    extras.set(name, State::Refused(why.to_owned()));
    extras.keep(draft, desk).await?;
    Ok(true)
}

/// The name of the file that a refusal is about, of those that the record holds, in order.
fn culprit<'a>(files: &[(&'a str, &serde_json::Value)], why: &str) -> Option<&'a str> {
    let place = ["images[", "images/"].into_iter().find_map(|before| {
        let digits = why.split(before).nth(1)?.split(|c: char| !c.is_ascii_digit()).next()?;
        files.get(digits.parse::<usize>().ok()?)
    });
    let named = |told: &dyn Fn(&serde_json::Value) -> Option<&str>| {
        files.iter().find(|(_, blob)| told(blob).is_some_and(|told| why.contains(told)))
    };
    let found = place
        .or_else(|| named(&extras::link))
        .or_else(|| named(&|blob| blob["mimeType"].as_str()))
        .or_else(|| files.iter().max_by_key(|(_, blob)| blob["size"].as_u64()));
    found.map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_refusal_is_about_the_file_that_it_names_and_else_about_the_largest() {
        let blob = |link: &str, kind: &str, size: u64| json!({"ref": {"$link": link}, "mimeType": kind, "size": size});
        let (a, b, c) = (
            blob("bafka", "image/jpeg", 10),
            blob("bafkb", "image/webp", 5),
            blob("bafkc", "image/jpeg", 30),
        );
        let check = |why: &str, expect: &str| {
            let files = [("a", &a), ("b", &b), ("c", &c)];
            assert_eq!(culprit(&files, why), Some(expect), "{why}");
        };
        check("blob too big (maximum 1, got 10) at $.record.embed.images[0].image", "a");
        check("Record/embed/images/1/image must be a blob", "b");
        check("Invalid value at $.record.embed.images[9].image", "c");
        check("Could not find blob: bafkb", "b");
        check("Wrong type of file. It is image/webp but it must match image/png.", "b");
        check("This file is too large. It is 1.47MB but the maximum size is 976.56KB.", "c");
        assert_eq!(culprit(&[], "anything"), None);
    }
}
