//! Xrpc: one call of an AT Protocol server, and what came back.
//!
//! **Invariant:** a call goes to the origin that it is given, with the protocol's own path, and
//! nowhere else: the client follows no redirect.

use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::Value;
use url::Url;

use crate::crosspost::Failure;
use crate::http::{BodyError, read_capped};
use crate::publish::classify;

/// The most of an answer that is read. The largest expected is a DID document, a few KB.
const ANSWER_BYTES_MAX: usize = 1 << 20;

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
}

impl Call {
    /// All calls.
    #[cfg(test)]
    pub const ALL: [Self; 7] = [
        Self::SignIn,
        Self::Refresh,
        Self::WhoAmI,
        Self::Put,
        Self::Get,
        Self::Upload,
        Self::Resolve,
    ];

    fn method(self) -> Method {
        match self {
            Self::SignIn | Self::Refresh | Self::Put | Self::Upload => Method::POST,
            Self::WhoAmI | Self::Get | Self::Resolve => Method::GET,
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
            Self::Upload => "upload the picture",
            Self::Resolve => "find out who that is",
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
    /// A file instead, with its media type.
    pub file: Option<(&'a str, &'a [u8])>,
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
    if let Some((media_type, bytes)) = parcel.file {
        request = request.header("content-type", media_type).body(bytes.to_vec());
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
