//! Fetch: one conditional request for a feed, through its redirects, to a body or a reason.
//!
//! Redirects are followed here and not by the client, because a temporary one, a permanent one
//! and one to another host mean different things. **Invariant:** exactly one GET for each hop and
//! nothing is asked twice; the URL goes out as the owner wrote it; validators go to the URL that
//! gave them and to no other; credentials go to the owner's host and to no other; the whole chain
//! ends within one time limit. **Refuses:** cookies, Referer, proxies, more than
//! [`REDIRECTS_MAX`] redirects, schemes other than http, https and file.

use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LOCATION,
};
use reqwest::{Client, Response, StatusCode};
use sha2::{Digest, Sha256};
use url::Url;

use crate::clock::Timestamp;
use crate::http::{self, body};

pub use error::{Cause, FetchError};
pub use validators::Validators;

mod error;
mod file;
mod freshness;
mod redirect;
mod validators;

/// The longest chain that is followed (polling manners: at most 10 hops).
pub const REDIRECTS_MAX: usize = 10;
/// A feed that takes longer than this, redirects included, has failed.
pub const TIME_MAX: Duration = Duration::from_secs(30);
/// The most bytes of a body, on the wire and again when decompressed.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// The most bytes of all header names and values of one answer.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// The feed types first, then what feeds are served as by mistake.
const ACCEPTED: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
     application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1";

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The owner's URL, with the credentials that it may hold.
    pub url: &'a Url,
    /// Where it has moved to for good (see [`super::moved`]): asked instead, with the credentials
    /// of `url` where that is the same host.
    pub moved_to: Option<&'a Url>,
    /// What the last body that was complete *and parsed* came with. They are sent only to the URL
    /// that they belong to, so nothing has to be cleared when a URL changes.
    pub validators: Option<&'a Validators>,
    /// Limit over the whole chain; [`TIME_MAX`] unless there is a reason.
    pub time_max: Duration,
    /// Limit of the body, on the wire and decompressed; [`BODY_BYTES_MAX`] unless there is a
    /// reason.
    pub bytes_max: usize,
}

impl<'a> Ask<'a> {
    /// Asks for `url`, unconditionally, within the usual limits.
    pub fn new(url: &'a Url) -> Self {
        Self {
            url,
            moved_to: None,
            validators: None,
            time_max: TIME_MAX,
            bytes_max: BODY_BYTES_MAX,
        }
    }
}

/// A good answer. Whether its body is a *usable feed* is for the caller to say.
#[derive(Debug)]
pub struct Fetched {
    /// What came.
    pub answer: Answer,
    /// The URL that answered, after all redirects, without credentials and fragment: the base of
    /// relative links.
    pub url: Url,
    /// Where the permanent redirects (301, 308) at the start of the chain lead, without
    /// credentials and fragment. For [`super::moved::Moved::after`], and only once the feed turned
    /// out usable.
    pub permanent: Option<Url>,
    /// For how long the server calls the answer fresh (`Cache-Control: max-age`, else `Expires`).
    pub fresh_for: Option<Duration>,
    /// `Retry-After`, which counts on a good answer too.
    pub retry_after: Option<Timestamp>,
}

/// What came.
#[derive(Debug)]
pub enum Answer {
    /// 304: the last body still holds. These validators replace the stored ones; they are those of
    /// the request with what the answer renewed.
    Unchanged(Validators),
    /// A complete, decompressed, non-empty body.
    Body(Body),
}

/// A complete body.
#[derive(Debug)]
pub struct Body {
    /// Decompressed.
    pub bytes: Vec<u8>,
    /// SHA-256 of `bytes`: where it equals the stored one nothing needs to be parsed.
    pub sha256: [u8; 32],
    /// As it came; a hint at most.
    pub content_type: Option<String>,
    /// To be stored **only after the body was parsed into a usable feed** (or its hash equals that
    /// of one); else the next request would ask whether HTML or a cut document has changed.
    pub validators: Option<Validators>,
}

impl Body {
    fn new(
        bytes: Vec<u8>,
        content_type: Option<String>,
        validators: Option<Validators>,
    ) -> Result<Self, Cause> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Cause::Empty);
        }
        Ok(Self { sha256: Sha256::digest(&bytes).into(), bytes, content_type, validators })
    }
}

/// Asks for a feed once.
///
/// A `file:` URL is read whole on each call and has no validators: a stamp that misses a quick
/// rewrite would lose an entry, and reading costs less than being wrong. Nothing of it is answered
/// with `Unchanged`, so compare [`Body::sha256`].
///
/// # Errors
/// See [`Cause`]; the caller passes [`FetchError::outcome`] and its `retry_after` on to
/// [`super::cadence`], keeps what it knows of the feed, and never touches entries.
pub async fn fetch(client: &Client, ask: &Ask<'_>, now: Timestamp) -> Result<Fetched, FetchError> {
    let mut chain = redirect::Chain::start(ask.url, ask.moved_to);
    let result = tokio::time::timeout(ask.time_max, follow(client, ask, now, &mut chain)).await;
    let failed = match result {
        Ok(Ok(fetched)) => return Ok(fetched),
        Ok(Err(failed)) => failed,
        Err(_elapsed) => Cause::TimedOut(ask.time_max).into(),
    };
    Err(FetchError { url: chain.bare(), cause: failed.cause, retry_after: failed.retry_after })
}

/// Why a hop failed, and what it said about the next time.
struct Failed {
    cause: Cause,
    retry_after: Option<Timestamp>,
}

impl<C: Into<Cause>> From<C> for Failed {
    fn from(cause: C) -> Self {
        Self { cause: cause.into(), retry_after: None }
    }
}

async fn follow(
    client: &Client,
    ask: &Ask<'_>,
    now: Timestamp,
    chain: &mut redirect::Chain,
) -> Result<Fetched, Failed> {
    if chain.url().scheme() == "file" {
        let bytes = file::read(chain.url(), ask.bytes_max).await?;
        let body = Body::new(bytes, None, None)?;
        return Ok(fetched(Answer::Body(body), chain, None, None));
    }
    loop {
        if !matches!(chain.url().scheme(), "http" | "https") {
            return Err(Cause::Scheme(chain.url().scheme().into()).into());
        }
        let sent = ask.validators.filter(|validators| validators.belong_to(chain.url()));
        let response = send(client, chain.url(), sent).await?;
        let headers = response.headers();
        let retry_after =
            text(&response, "retry-after").and_then(|value| http::date::retry_after(value, now));
        let fresh_for = freshness::fresh_for(headers, now);
        let status = response.status();
        match (status, sent) {
            (StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION, _) => {
                let body = read(response, chain.url(), ask.bytes_max).await?;
                return Ok(fetched(Answer::Body(body), chain, fresh_for, retry_after));
            }
            (StatusCode::NOT_MODIFIED, Some(sent)) => {
                let answer = Answer::Unchanged(sent.renewed(headers));
                return Ok(fetched(answer, chain, fresh_for, retry_after));
            }
            _ if redirect::is_followed(status) => {
                let location = headers.get(LOCATION).ok_or(Cause::NoLocation(status.as_u16()))?;
                chain.follow(status, location.as_bytes())?;
            }
            _ => return Err(Failed { cause: chain.refusal(status), retry_after }),
        }
    }
}

/// Sends one GET and reads the head of the answer.
async fn send(
    client: &Client,
    url: &Url,
    validators: Option<&Validators>,
) -> Result<Response, Cause> {
    let mut request =
        client.get(url.clone()).header(ACCEPT, ACCEPTED).header(ACCEPT_ENCODING, body::ACCEPTED);
    if let Some(validators) = validators {
        for (name, value) in
            [(IF_NONE_MATCH, &validators.etag), (IF_MODIFIED_SINCE, &validators.last_modified)]
        {
            if let Some(value) = value {
                request = request.header(name, value.as_slice());
            }
        }
    }
    let response = request.send().await?;
    let size = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        name.as_str().len() + value.len()
    };
    if response.headers().iter().map(size).sum::<usize>() > HEADER_BYTES_MAX {
        return Err(Cause::HeadersTooLarge(HEADER_BYTES_MAX));
    }
    Ok(response)
}

/// Reads and decompresses the body of a 200.
async fn read(response: Response, url: &Url, bytes_max: usize) -> Result<Body, Cause> {
    let content_type = text(&response, CONTENT_TYPE.as_str()).map(str::to_owned);
    let validators = Validators::of(url, response.headers());
    let codings: Vec<&str> = response
        .headers()
        .get_all(CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let codings = codings.join(",");
    let mut bytes = http::read_capped(response, bytes_max).await?;
    if codings.split(',').any(|coding| body::is_known(coding.trim())) {
        // on a thread of its own: it may take a while, and a decoder that panics on what a
        // stranger sent must end this request only
        let decoded =
            tokio::task::spawn_blocking(move || body::decode(&codings, bytes, bytes_max)).await;
        bytes = decoded.map_err(|_panicked| Cause::DecoderPanicked)??;
    }
    Body::new(bytes, content_type, validators)
}

fn fetched(
    answer: Answer,
    chain: &redirect::Chain,
    fresh_for: Option<Duration>,
    retry_after: Option<Timestamp>,
) -> Fetched {
    let (url, permanent) = (chain.bare(), chain.permanent());
    Fetched { answer, url, permanent, fresh_for, retry_after }
}

fn text<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}
