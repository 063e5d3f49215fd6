//! Gather: asks the server for what a record needs from it.
//!
//! **Invariant:** nothing here posts; what can't be had is told and left out. Only a server that
//! takes no session of the account ends the attempt here: it would not take the post either.

use super::Bluesky;
use super::errors::Meaning;
use super::extras::{self, Extras};
use super::session::Session;
use super::xrpc::{self, Call, Parcel};
use crate::crosspost::{Class, Failure};
use crate::draft::Draft;
use crate::publish::Desk;

/// Why something could not be had.
enum Lost {
    /// The account can't get in: nothing else would work either.
    Account(Failure),
    /// This alone; in words.
    Only(String),
}

impl Bluesky {
    /// Asks for all that `draft` wants.
    ///
    /// # Errors
    /// The account can't get in.
    pub(super) async fn gather(
        &self,
        draft: &Draft,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Result<Extras, Failure> {
        let mut extras = Extras::wanted(draft);
        if extras.file.is_some() {
            match self.upload(draft, session, desk).await {
                Ok(blob) => extras.blob = Some(blob),
                Err(Lost::Account(failure)) => return Err(failure),
                Err(Lost::Only(why)) => say_lost(desk, &why),
            }
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
        Ok(extras)
    }

    /// Uploads the picture of `draft` once more, because the server has lost it. Without it, the
    /// card goes without.
    pub(super) async fn upload_again(
        &self,
        draft: &Draft,
        extras: &mut Extras,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Result<(), Failure> {
        match self.upload(draft, session, desk).await {
            // the same bytes are the same blob, and the record stays the same
            Ok(blob) if extras.blob.as_ref() == Some(&blob) => Ok(()),
            Ok(_other) => drop_picture(extras, desk, "the server knows it as another now").await,
            Err(Lost::Account(failure)) => Err(failure),
            Err(Lost::Only(why)) => drop_picture(extras, desk, &why).await,
        }
    }

    async fn upload(
        &self,
        draft: &Draft,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Result<serde_json::Value, Lost> {
        let only = |why: &str| Lost::Only(why.to_owned());
        let thumb = extras::thumb(draft).ok_or_else(|| only("there is none"))?;
        let shelf = desk.shelf.cloned().ok_or_else(|| only("there is no shelf"))?;
        let file = thumb.file.clone();
        let bytes = tokio::task::spawn_blocking(move || shelf.read(&file)).await;
        let bytes = bytes.map_err(|_panicked| only("it can't be read"))?;
        let bytes = bytes.map_err(|error| only(&format!("it is not kept any more: {error}")))?;
        let parcel = Parcel { file: Some((&thumb.media_type, &bytes)), ..Parcel::default() };
        let answer = match self.signed(desk, session, Call::Upload, parcel).await {
            Ok(answer) => answer,
            Err(failure) => {
                let of_account = matches!(failure.class, Class::Account { .. });
                return Err(if of_account {
                    Lost::Account(failure)
                } else {
                    Lost::Only(failure.message)
                });
            }
        };
        if let Some(blob) = extras::blob(&answer.body).filter(|_| answer.is_success()) {
            return Ok(blob.clone());
        }
        let server = self.access.server(session);
        let failure = answer.failure(Call::Upload, server, desk.clock.now());
        match answer.meaning(Call::Upload) {
            Meaning::Stale | Meaning::Foreign | Meaning::Moved | Meaning::Suspended => {
                Err(Lost::Account(failure))
            }
            _ => Err(Lost::Only(failure.message)),
        }
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

/// Takes the picture out of what is journalled: the card goes without.
///
/// # Errors
/// The journal can't be written.
pub async fn drop_picture(extras: &mut Extras, desk: &Desk<'_>, why: &str) -> Result<(), Failure> {
    say_lost(desk, why);
    extras.blob = None;
    extras.keep(desk).await
}

fn say_lost(desk: &Desk<'_>, why: &str) {
    tracing::info!(
        crosspost = desk.crosspost.map(|id| id.0),
        "a card goes without its picture: {why}"
    );
}
