//! Server: the one origin that an account talks to, and its answers.
//!
//! **Invariant:** the address is always origin + the platform's own path; the token is in no
//! answer that leaves this module, even where the server echoes it.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::multipart::Form;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::errors::{self, Call};
use super::family::Family;
use crate::clock::Timestamp;
use crate::config::{Credentials, Secret};
use crate::crosspost::{Class, Failure};
use crate::http::read_capped;
use crate::publish::classify;

/// The longest answer to a post that is read: one post with its HTML.
const POSTED_BYTES_MAX: usize = 256 * 1024;
/// The longest answer to a question that is read: 40 posts of 5000 characters with their cards.
const ASKED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The slowest upload that is waited for, in bytes a second: 1 Mbit/s.
const UPLOAD_BYTES_PER_SEC: u64 = 128 * 1024;

/// Where the requests go.
pub struct Server {
    base: Url,
    origin: String,
    sender: String,
    token: Secret,
    http: Client,
    timeout: Duration,
}

/// Why a request that can do no harm twice brought no answer.
pub enum Unanswered {
    /// Nobody was there.
    Unreachable(Failure),
    /// It left, or part of it.
    Lost(Failure),
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Without the token.
    pub body: String,
}

impl Server {
    /// The server at the origin of `base_url`.
    pub fn new(base_url: &Url, token: Secret, http: Client, timeout: Duration) -> Self {
        let mut base = base_url.clone();
        // a user name would be sent, and shown
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.set_path("");
        base.set_query(None);
        base.set_fragment(None);
        let origin = base.origin().ascii_serialization();
        let credentials =
            Credentials::Mastodon { base_url: base.clone(), access_token: token.clone() };
        let sender = credentials.fingerprint();
        Self { base, origin, sender, token, http, timeout }
    }

    /// A fingerprint of the server and the token.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// `https://example.social`, for people.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What posting is called in messages.
    pub fn posting(&self) -> Call<'_> {
        Call { server: &self.origin, doing: "posting to", scope: "write:statuses" }
    }

    /// Posts a status.
    ///
    /// # Errors
    /// Retry when it surely did not leave, ambiguous when it may have.
    pub async fn post(&self, key: &str, body: String) -> Result<Answer, Failure> {
        let doing = format!("posting to `{}`", self.origin);
        let request = self
            .http
            .post(self.at("/api/v1/statuses"))
            .header("Idempotency-Key", key)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let response = self
            .authorised(request)
            .send()
            .await
            .map_err(|error| classify::of_write(&doing, &error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        match self.body(response, POSTED_BYTES_MAX).await {
            Ok(body) => Ok(Answer { status, headers, body }),
            // the status alone says that it was refused
            Err(_) if !status.is_success() => Ok(Answer { status, headers, body: String::new() }),
            Err(why) => Err(Failure::ambiguous(format!("{doing}: answer {status}, but {why}"))),
        }
    }

    /// How long the upload of a file of `bytes` may take.
    pub fn upload_time(&self, bytes: u64) -> Duration {
        self.timeout + Duration::from_secs(bytes / UPLOAD_BYTES_PER_SEC)
    }

    /// Uploads `form`, which holds a file of `bytes`, to `path`.
    ///
    /// # Errors
    /// No answer came, or none that can be read.
    pub async fn upload(&self, path: &str, form: Form, bytes: u64) -> Result<Answer, Unanswered> {
        let request = self.authorised(self.http.post(self.at(path)));
        let request = request.timeout(self.upload_time(bytes)).multipart(form);
        self.answer(request, "uploading to", POSTED_BYTES_MAX).await
    }

    /// Asks at `path` with the token, whatever comes.
    ///
    /// # Errors
    /// No answer came, or none that can be read.
    pub async fn ask(&self, path: &str, doing: &str) -> Result<Answer, Unanswered> {
        self.answer(self.authorised(self.http.get(self.at(path))), doing, ASKED_BYTES_MAX).await
    }

    async fn answer(
        &self,
        request: RequestBuilder,
        doing: &str,
        bytes_max: usize,
    ) -> Result<Answer, Unanswered> {
        let doing = format!("{doing} `{}`", self.origin);
        let response = request.send().await.map_err(|error| {
            let failure = classify::of_read(&doing, &error);
            if error.is_connect() {
                Unanswered::Unreachable(failure)
            } else {
                Unanswered::Lost(failure)
            }
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match self.body(response, bytes_max).await {
            Ok(body) => body,
            Err(_) if !status.is_success() => String::new(),
            Err(why) => {
                let message = format!("{doing}: answer {status}, but {why}");
                return Err(Unanswered::Lost(Failure::retry(message)));
            }
        };
        Ok(Answer { status, headers, body })
    }

    /// Asks for the JSON at `path`, with the token.
    ///
    /// # Errors
    /// Retry, rate-limited or account: reading changes nothing.
    pub async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<Reading, Failure> {
        let request = self.http.get(self.at(path)).query(query);
        self.read(self.authorised(request), call, now).await
    }

    /// Asks for the JSON at `path`, as anyone could, with at most `patience`.
    ///
    /// # Errors
    /// As `get`.
    pub async fn get_public(
        &self,
        path: &str,
        patience: Duration,
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<Reading, Failure> {
        let request = self.http.get(self.at(path)).timeout(patience.min(self.timeout));
        self.read(request, call, now).await
    }

    async fn read(
        &self,
        request: RequestBuilder,
        call: &Call<'_>,
        now: Timestamp,
    ) -> Result<Reading, Failure> {
        let answer = match self.answer(request, call.doing, ASKED_BYTES_MAX).await {
            Ok(answer) => answer,
            Err(Unanswered::Unreachable(failure) | Unanswered::Lost(failure)) => {
                return Err(failure);
            }
        };
        if !answer.status.is_success() {
            let not_found = answer.status == StatusCode::NOT_FOUND;
            let failure = reading_failed(answer.refusal(call, Family::Other, now));
            return if not_found { Ok(Reading::Nothing(failure)) } else { Err(failure) };
        }
        Ok(match serde_json::from_str(&answer.body) {
            Ok(value) => Reading::Json(value, answer.headers),
            Err(_) => {
                let (doing, status) = (call.doing, answer.status);
                let message =
                    format!("{doing} `{}`: answer {status}, but it is no JSON", self.origin);
                Reading::Nothing(Failure::retry(message))
            }
        })
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.token.expose()).timeout(self.timeout)
    }

    async fn body(&self, response: Response, bytes_max: usize) -> Result<String, String> {
        let bytes = read_capped(response, bytes_max).await.map_err(|error| match error {
            crate::http::BodyError::Broken(_) => "it broke off".to_owned(),
            error @ crate::http::BodyError::TooLarge(_) => error.to_string(),
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What a question brought.
pub enum Reading {
    /// JSON, and the headers that it came with.
    Json(Value, HeaderMap),
    /// The server has no such thing: 404, or a page for everything. The failure, where that
    /// matters.
    Nothing(Failure),
}

impl Reading {
    /// The JSON, where there must be some.
    ///
    /// # Errors
    /// What it means that there is none.
    pub fn found(self) -> Result<(Value, HeaderMap), Failure> {
        match self {
            Self::Json(value, headers) => Ok((value, headers)),
            Self::Nothing(failure) => Err(failure),
        }
    }
}

impl Answer {
    /// What this answer, which is no success, means for a post.
    pub fn refusal(&self, call: &Call<'_>, family: Family, now: Timestamp) -> Failure {
        errors::classify(call, family, self.status, &self.headers, &self.body, now)
    }
}

/// The same failure for a question: whatever is not about the account can be asked again.
fn reading_failed(failure: Failure) -> Failure {
    match failure.class {
        Class::Content | Class::Duplicate | Class::Ambiguous => Failure::retry(failure.message),
        _ => failure,
    }
}

/// The origin that a redirect names, without path and query.
pub fn redirect_origin(headers: &HeaderMap) -> Option<String> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let url = Url::parse(location).ok()?;
    url.host_str()?;
    Some(url.origin().ascii_serialization())
}
