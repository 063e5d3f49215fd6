//! Video: a video to a blob, through Bluesky's video service, which prepares it for playing.
//!
//! The account's server gives a token, with which the service may put the video there; the upload
//! gives a job; the job is asked until it gives the blob (docs.bsky.app, "Posting videos", seen
//! 2026-08). A video that was prepared before is a job that is done (`already_exists`).
//! **Invariant:** the job's id is journalled before anybody waits for it; the wait has an end.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::Bluesky;
use super::errors::Meaning;
use super::extras::{self, State};
use super::gather::Got;
use super::session::Session;
use super::upload::{self, Cargo};
use super::xrpc::{self, Answer, Call, Parcel};
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::draft::Shelved;
use crate::publish::Desk;
use crate::redact;

/// Where videos of accounts that Bluesky hosts are prepared (sheet B6).
pub const SERVICE: &str = "https://video.bsky.app";

/// How long the token of an upload is good for; the most is an hour.
const TOKEN_LIFE: Duration = Duration::from_secs(1800);

/// How long a preparation may take. Videos of three minutes take one or two.
const JOB_MAX: Duration = Duration::from_secs(3600);

/// The shortest and the longest wait between two questions about a job.
const PAUSE_MIN: Duration = Duration::from_secs(3);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What the video service says of a job.
struct Job<'a> {
    id: Option<&'a str>,
    state: &'a str,
}

impl<'a> Job<'a> {
    /// It stands in `jobStatus` or in the answer itself (atproto issue 3097).
    fn read(body: &'a Value) -> Self {
        let status = Self::status(body);
        let text = |key: &str| status[key].as_str().filter(|text| !text.is_empty());
        Self { id: text("jobId"), state: text("state").unwrap_or_default() }
    }

    fn status(body: &'a Value) -> &'a Value {
        body.get("jobStatus").filter(|status| status.is_object()).unwrap_or(body)
    }
}

/// How long to wait until a job that began at `since` is asked for: a quarter of what it took.
pub fn pause(since: Timestamp, now: Timestamp) -> Duration {
    (now.since(since) / 4).clamp(PAUSE_MIN, PAUSE_MAX)
}

impl Bluesky {
    /// The video service that works for the account of `session`, and the name of its server; none
    /// where videos go straight to the account's server, which is not known, or not Bluesky's.
    pub(super) fn video_service(&self, session: &Session) -> Option<(Url, String)> {
        let service = self.video_host.clone()?;
        let server = self.access.named_server(session)?;
        let host = server.host_str()?;
        // a port's colon is written so in the method `did:web`
        let port = server.port().map(|port| format!("%3A{port}")).unwrap_or_default();
        Some((service, format!("did:web:{host}{port}")))
    }

    /// Uploads a video to the service, which begins a job.
    pub(super) async fn upload_video(
        &self,
        file: &Shelved,
        cargo: &Cargo,
        (service, server): &(Url, String),
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Got {
        let token = match self.service_token(server, session, desk).await {
            Ok(token) => token,
            Err(got) => return got,
        };
        let query = [("did", session.did.as_str()), ("name", file.file.as_str())];
        let parcel = Parcel {
            token: Some(&token),
            query: &query,
            file: Some(self.freight(file, cargo)),
            ..Parcel::default()
        };
        let now = desk.clock.now();
        match xrpc::call(self.access.http(), service, Call::UploadVideo, parcel).await {
            Ok(answer) => progress(&answer, Call::UploadVideo, service, now, now),
            Err(failure) => Got::unanswered(failure),
        }
    }

    /// A token with which the service may upload to `server` in the account's name.
    async fn service_token(
        &self,
        server: &str,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Result<String, Got> {
        let now = desk.clock.now();
        let until = (now.plus(TOKEN_LIFE).as_millis() / 1000).to_string();
        let query =
            [("aud", server), ("lxm", "com.atproto.repo.uploadBlob"), ("exp", until.as_str())];
        let parcel = Parcel { query: &query, ..Parcel::default() };
        let answer = self.signed(desk, session, Call::ServiceToken, parcel).await;
        let answer = answer.map_err(Got::unanswered)?;
        match answer.text("token").filter(|_| answer.is_success()) {
            Some(token) => {
                redact::register_renewed(&Secret::new(token));
                Ok(token.to_owned())
            }
            None => {
                let server = self.access.server(session);
                Err(Got::refusal(&answer, Call::ServiceToken, server, now))
            }
        }
    }

    /// Asks how far a job is, which began at `since`.
    pub(super) async fn job(&self, id: &str, since: Timestamp, desk: &Desk<'_>) -> Got {
        let Some(service) = &self.video_host else {
            // the account got a `base_url` meanwhile
            return Got::State(State::Wanted);
        };
        let now = desk.clock.now();
        let query = [("jobId", id)];
        let parcel = Parcel { query: &query, ..Parcel::default() };
        let got = match xrpc::call(self.access.http(), service, Call::JobStatus, parcel).await {
            Ok(answer) => progress(&answer, Call::JobStatus, service, since, now),
            Err(failure) => Got::unanswered(failure),
        };
        match got {
            Got::State(State::Job { .. } | State::Wanted) | Got::Failed(_)
                if now.since(since) >= JOB_MAX =>
            {
                Got::Refused(format!(
                    "Bluesky has not prepared it in {} minutes",
                    JOB_MAX.as_secs() / 60
                ))
            }
            got => got,
        }
    }
}

/// How far the service is with a job that began at `since`. Whoever has the blob has won, whatever
/// else the answer says.
fn progress(answer: &Answer, call: Call, service: &Url, since: Timestamp, now: Timestamp) -> Got {
    let job = Job::read(&answer.body);
    if let Some(blob) = extras::blob(Job::status(&answer.body)) {
        return upload::taken(blob, "video");
    }
    match (job.id, answer.meaning(call)) {
        (_, Meaning::Unconfirmed | Meaning::Limited) => {}
        _ if job.state == "JOB_STATE_FAILED" => {
            return Got::Refused(format!("Bluesky could not prepare the video: {}", answer.said()));
        }
        (Some(id), _) => return Got::State(State::Job { id: id.to_owned(), since }),
        (None, Meaning::Absent) => return Got::State(State::Wanted),
        (None, _) if answer.is_success() && answer.told("error").is_some() => {
            return Got::Refused(format!("Bluesky takes no such video: {}", answer.said()));
        }
        (None, _) => {}
    }
    Got::refusal(answer, call, service, now)
}
