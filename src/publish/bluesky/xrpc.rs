//! Xrpc: one call of an AT Protocol server, and what came back.
//!
//! **Invariant:** a call goes to the origin that it is given, with the protocol's own path, and
//! nowhere else: the client follows no redirect.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::time::Duration;

use futures_util::stream::try_unfold;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use reqwest::{Body, Client, Method};
use serde_json::Value;
use tokio::io::AsyncReadExt;
use url::Url;

use crate::crosspost::{Class, Failure};
use crate::http::{BodyError, read_capped};
use crate::publish::classify;

/// The most of an answer that is read. The largest expected is a DID document, a few KB.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// How much of a file is in memory at once while it is sent.
const CHUNK_BYTES: usize = 64 << 10;

/// The slowest line that an upload is given the time for: 1 Mbit/s.
const BYTES_PER_SECOND_MIN: u64 = 125_000;

/// The longest time that an upload is given beyond that of any request. At the slowest line 100 MB,
/// the largest video, take less.
pub const UPLOAD_TIME_MAX: Duration = Duration::from_secs(15 * 60);

/// The calls that a publisher makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `createSession`.
    SignIn,
    /// `refreshSession`.
    Refresh,
    /// `getSession`.
    WhoAmI,
    /// `putRecord`: the only one that publishes.
    Put,
    /// `getRecord`.
    Get,
    /// `uploadBlob`, which nobody sees until a record names it.
    Upload,
    /// `resolveHandle`.
    Resolve,
    /// `getServiceAuth`: a token with which another server may upload here.
    ServiceToken,
    /// `uploadVideo`, at the video service.
    UploadVideo,
    /// `getJobStatus`, at the video service.
    JobStatus,
}

impl Call {
    /// All calls.
    #[cfg(test)]
    pub const ALL: [Self; 10] = [
        Self::SignIn,
        Self::Refresh,
        Self::WhoAmI,
        Self::Put,
        Self::Get,
        Self::Upload,
        Self::Resolve,
        Self::ServiceToken,
        Self::UploadVideo,
        Self::JobStatus,
    ];

    fn method(self) -> Method {
        match self {
            Self::SignIn | Self::Refresh | Self::Put | Self::Upload | Self::UploadVideo => {
                Method::POST
            }
            Self::WhoAmI | Self::Get | Self::Resolve | Self::ServiceToken | Self::JobStatus => {
                Method::GET
            }
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::SignIn => "/xrpc/com.atproto.server.createSession",
            Self::Refresh => "/xrpc/com.atproto.server.refreshSession",
            Self::WhoAmI => "/xrpc/com.atproto.server.getSession",
            Self::Put => "/xrpc/com.atproto.repo.putRecord",
            Self::Get => "/xrpc/com.atproto.repo.getRecord",
            Self::Upload => "/xrpc/com.atproto.repo.uploadBlob",
            Self::Resolve => "/xrpc/com.atproto.identity.resolveHandle",
            Self::ServiceToken => "/xrpc/com.atproto.server.getServiceAuth",
            Self::UploadVideo => "/xrpc/app.bsky.video.uploadVideo",
            Self::JobStatus => "/xrpc/app.bsky.video.getJobStatus",
        }
    }

    /// What did not work, to which server, for messages.
    pub fn trouble(self, origin: &Url) -> String {
        let doing = match self {
            Self::SignIn => "sign in",
            Self::Refresh => "renew the session",
            Self::WhoAmI => "ask who the account is",
            Self::Put => "post",
            Self::Get => "look for the post",
            Self::Upload => "upload a file",
            Self::Resolve => "find out who that is",
            Self::ServiceToken => "get leave to upload a video",
            Self::UploadVideo => "upload a video",
            Self::JobStatus => "ask how far the video is",
        };
        format!("could not {doing} at {}", origin.origin().ascii_serialization())
    }
}

/// What goes along with a call.
#[derive(Clone, Copy, Default)]
pub struct Parcel<'a> {
    /// A bearer token.
    pub token: Option<&'a str>,
    /// The parameters of the address.
    pub query: &'a [(&'a str, &'a str)],
    /// The JSON body.
    pub body: Option<&'a Value>,
    /// A file instead.
    pub file: Option<Freight<'a>>,
}

/// A file that is sent as it is.
#[derive(Clone, Copy)]
pub struct Freight<'a> {
    /// Its media type.
    pub media_type: &'a str,
    /// Where it comes from.
    pub source: Source<'a>,
    /// How long the request may take.
    pub timeout: Duration,
}

/// Where the bytes of a file come from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// From memory.
    Memory(&'a [u8]),
    /// From the disk, in pieces: an open file, and how many bytes it has.
    Disk(&'a File, u64),
}

impl Source<'_> {
    /// How many bytes there are.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(_, bytes) => *bytes,
        }
    }

    /// From the first byte on, however often it was sent before.
    fn body(&self) -> std::io::Result<Body> {
        let (file, bytes) = match self {
            Self::Memory(bytes) => return Ok(bytes.to_vec().into()),
            Self::Disk(file, bytes) => (file.try_clone()?, *bytes),
        };
        (&file).seek(SeekFrom::Start(0))?;
        let file = tokio::fs::File::from_std(file).take(bytes);
        Ok(Body::wrap_stream(try_unfold(file, |mut file| async move {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = file.read(&mut chunk).await?;
            chunk.truncate(read);
            Ok::<_, std::io::Error>((read > 0).then_some((chunk, file)))
        })))
    }
}

/// How long the upload of so many bytes may take, where other requests may take `timeout`.
pub fn upload_time(bytes: u64, timeout: Duration) -> Duration {
    timeout + Duration::from_secs(bytes / BYTES_PER_SECOND_MIN).min(UPLOAD_TIME_MAX)
}

/// An answer that was read whole.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The HTTP headers.
    pub headers: HeaderMap,
    /// The body; null where it is no JSON.
    pub body: Value,
}

impl Answer {
    /// Whether the server says that it did what it was asked.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A text of the body that is there and not empty.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.body[key].as_str().filter(|text| !text.is_empty())
    }

    /// What the answer says about an error: `error` or `message`, which the video service puts
    /// into `jobStatus` at times (atproto issue 3097).
    pub fn told(&self, key: &str) -> Option<&str> {
        let nested = || self.body["jobStatus"][key].as_str().filter(|text| !text.is_empty());
        self.text(key).or_else(nested)
    }
}

/// Makes one call, once.
///
/// # Errors
/// `Retry` when surely nothing was sent; `Ambiguous` when it was, and no whole answer came. What
/// that means for a call that publishes nothing is for the caller to say.
pub async fn call(
    http: &Client,
    origin: &Url,
    call: Call,
    parcel: Parcel<'_>,
) -> Result<Answer, Failure> {
    let trouble = call.trouble(origin);
    let mut url = origin.clone();
    url.set_path(call.path());
    url.set_query(None);
    url.set_fragment(None);
    let mut request = http.request(call.method(), url).header("accept", "application/json");
    if !parcel.query.is_empty() {
        request = request.query(parcel.query);
    }
    if let Some(token) = parcel.token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = parcel.body {
        request = request.json(body);
    }
    if let Some(Freight { media_type, source, timeout }) = parcel.file {
        let body = source.body().map_err(|error| Failure::retry(format!("{trouble}: {error}")))?;
        // the exact length: the protocol wants it, and many a proxy takes no body in pieces
        request = request
            .header(CONTENT_TYPE, media_type)
            .header(CONTENT_LENGTH, source.bytes())
            .timeout(timeout)
            .body(body);
    }
    let response = request.send().await.map_err(|error| classify::of_write(&trouble, &error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    match read_capped(response, ANSWER_BYTES_MAX).await {
        Ok(bytes) => {
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            Ok(Answer { status, headers, body })
        }
        Err(BodyError::Broken(error)) => Err(classify::of_write(&trouble, &error)),
        Err(error @ BodyError::TooLarge(_)) => {
            Err(Failure::ambiguous(format!("{trouble}: {error}")))
        }
    }
}

/// The failure of a call that posts nothing: whatever happened to it, it may be made again.
pub fn unposted(failure: Failure) -> Failure {
    match failure.class {
        Class::Ambiguous => Failure::retry(failure.message),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_has_the_time_that_its_size_takes_and_no_more() {
        let check = |bytes, expect| {
            let time = upload_time(bytes, Duration::from_secs(60));
            assert_eq!(time.as_secs(), expect, "{bytes}");
        };
        check(0, 60);
        check(1_000_000, 68);
        check(100_000_000, 860);
        check(u64::MAX, 960);
    }
}
