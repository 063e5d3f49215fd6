//! Upload: a file of the shelf to a blob that records of the account can name.
//!
//! Images and the card's picture are small and go from memory; a video goes from the disk, in
//! pieces, to the account's server, or to the video service of Bluesky where that serves it.
//! **Invariant:** the exact bytes of the shelf, under their real type, with their exact length.

use std::fs::File;

use serde_json::Value;

use super::Bluesky;
use super::extras::{self, State};
use super::gather::Got;
use super::session::Session;
use super::xrpc::{self, Call, Freight, Parcel, Source};
use crate::draft::Shelved;
use crate::publish::Desk;
use crate::publish::words::shown;

/// A file in hand.
pub enum Cargo {
    /// Read whole.
    Whole(Vec<u8>),
    /// Open, with its size.
    Open(File, u64),
}

impl Cargo {
    /// Where its bytes come from.
    pub fn source(&self) -> Source<'_> {
        match self {
            Self::Whole(bytes) => Source::Memory(bytes),
            Self::Open(file, bytes) => Source::Disk(file, *bytes),
        }
    }
}

impl Bluesky {
    /// Uploads `file`.
    pub(super) async fn upload(
        &self,
        file: &Shelved,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Got {
        let cargo = match cargo(file, desk).await {
            Ok(cargo) => cargo,
            Err(why) => return Got::Refused(why),
        };
        if extras::is_video(file)
            && let Some(service) = self.video_service(session)
        {
            return self.upload_video(file, &cargo, &service, session, desk).await;
        }
        let parcel = Parcel { file: Some(self.freight(file, &cargo)), ..Parcel::default() };
        let answer = match self.signed(desk, session, Call::Upload, parcel).await {
            Ok(answer) => answer,
            Err(failure) => return Got::unanswered(failure),
        };
        match extras::blob(&answer.body).filter(|_| answer.is_success()) {
            Some(blob) => taken(blob, extras::kind(file)),
            None => {
                let server = self.access.server(session);
                Got::refusal(&answer, Call::Upload, server, desk.clock.now())
            }
        }
    }

    /// `cargo`, which is `file`, as it is sent.
    pub(super) fn freight<'a>(&self, file: &'a Shelved, cargo: &'a Cargo) -> Freight<'a> {
        let source = cargo.source();
        let timeout = xrpc::upload_time(source.bytes(), self.timeout);
        Freight { media_type: &file.media_type, source, timeout }
    }
}

/// Takes `file` from the shelf; in words, why not.
async fn cargo(file: &Shelved, desk: &Desk<'_>) -> Result<Cargo, String> {
    let shelf = desk.shelf.cloned().ok_or("there is no shelf")?;
    let (name, is_video) = (file.file.clone(), extras::is_video(file));
    let cargo = tokio::task::spawn_blocking(move || {
        if is_video {
            shelf.open(&name).map(|(file, bytes)| Cargo::Open(file, bytes))
        } else {
            shelf.read(&name).map(Cargo::Whole)
        }
    });
    let cargo = cargo.await.map_err(|_panicked| "it can't be read")?;
    cargo.map_err(|error| format!("it is not kept any more: {error}"))
}

/// The blob that the server made of an `image` or a `video`, unless it takes it for something else:
/// then the record would be refused.
pub fn taken(blob: &Value, kind: &str) -> Got {
    let told = blob["mimeType"].as_str().unwrap_or_default();
    if told.split('/').next() == Some(kind) {
        Got::State(State::Blob(blob.clone()))
    } else {
        Got::Refused(format!("the server takes it for `{}`, and not for a {kind}", shown(told)))
    }
}
