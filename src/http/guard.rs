//! Guard: the one client for URLs that come out of feeds.
//!
//! A feed is input, and so is every page and picture that it names: without a guard, a link to
//! `http://169.254.169.254/` would make the daemon read what only its own machine may know.
//! **Invariant:** a connection goes only to an address that was checked: names are looked up here,
//! and the client gets nothing but the addresses that may be reached, so that no second answer of
//! a name server can come between check and connection; addresses in URLs are checked before
//! anything is sent; every redirect is checked like the first URL. Time, bytes and redirects are
//! bounded. **Refuses:** schemes other than http and https, ports below 1024 other than 80 and 443
//! (mail servers and their like take what a stranger writes for their own language), credentials,
//! cookies, Referer, proxies.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION,
};
use reqwest::{Client, Response};
use url::{Host, Url};

use super::body::{self, DecodeError};
use super::lookup::{Find, Lookup, system};
use super::{BodyError, bare, explain, read_capped, read_start};
use address::is_allowed;

mod address; // which ones may be reached
pub mod download; // what is too large for memory

/// The most redirects that are followed.
pub const REDIRECTS_MAX: usize = 5;
/// How long a connection may take.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// The most bytes of all header names and values of one answer.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// How many names are looked up at a time.
const LOOKUPS_MAX: usize = 4;
/// The longest URL that is asked: what common servers take.
const URL_BYTES_MAX: usize = 8192;

/// A client that goes nowhere private.
#[derive(Clone)]
pub struct Guard {
    client: Client,
    exceptions: Arc<[IpNet]>,
}

/// How much of what is wanted.
#[derive(Clone, Copy, Debug)]
pub struct GetLimits {
    /// The most bytes of the body, on the wire and again when decompressed.
    pub bytes_max: usize,
    /// What becomes of a body with more.
    pub larger: Larger,
    /// The whole of it, redirects included.
    pub timeout: Duration,
    /// The value of `Accept`.
    pub accept: &'static str,
}

/// What becomes of a body that is larger than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Larger {
    /// Nothing of it is taken.
    Refused,
    /// Its first bytes are taken; so are those of one that breaks off.
    Cut,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The URL that answered, after all redirects: the base of relative links.
    pub url: Url,
    /// What the server calls it.
    pub content_type: Option<String>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// Why nothing came. No message holds a query, a user or a password.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not http or https.
    #[error("`{0}:` is not fetched, want http or https")]
    Scheme(String),
    /// No host, or too long.
    #[error("it is no web address that a server could be asked for")]
    Url,
    /// A port of something that is no web server.
    #[error("port {0} is of no web server")]
    Port(u16),
    /// An address that is no public host's.
    #[error("`{0}` is a private address, and `http.allow_private` does not name it")]
    Private(IpAddr),
    /// A redirect without a place, or to something that is no URL.
    #[error("the server redirects to something that is no URL")]
    Location,
    /// More than [`REDIRECTS_MAX`].
    #[error("the server redirects more than {REDIRECTS_MAX} times")]
    Redirects,
    /// No success.
    #[error("the server answers {0}")]
    Status(u16),
    /// Name, connection, TLS or framing. A name that leads only to private addresses, too.
    #[error("{0}")]
    Network(String),
    /// The whole took too long.
    #[error("it took longer than {}", humantime::format_duration(*.0))]
    TimedOut(Duration),
    /// More bytes than the limit.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// More bytes of headers than the limit.
    #[error("the headers are larger than {0} bytes")]
    HeadersTooLarge(usize),
    /// A content coding that can't be undone.
    #[error(transparent)]
    Coding(DecodeError),
    /// What came is none of what is wanted, in words.
    #[error("{0}")]
    Unwanted(String),
    /// The file that it goes to can't be written.
    #[error("it can't be kept: {0}")]
    File(#[from] std::io::Error),
    /// The decoder gave up in the worst way.
    #[error("the body broke its decoder")]
    DecoderPanicked,
}

impl Guard {
    /// A client that names itself `user_agent`, and reaches, of all private addresses, only those
    /// in `exceptions`.
    ///
    /// # Errors
    /// The machine has no certificate authorities, or the user agent is no header value.
    pub fn new(user_agent: &str, exceptions: &[IpNet]) -> reqwest::Result<Self> {
        Self::through(Arc::new(system), user_agent, exceptions)
    }

    /// The same, with names that `find` knows.
    fn through(find: Find, user_agent: &str, exceptions: &[IpNet]) -> reqwest::Result<Self> {
        let exceptions: Arc<[IpNet]> = exceptions.into();
        let lookup = Lookup::through(only_allowed(find, Arc::clone(&exceptions)), LOOKUPS_MAX);
        let client = super::base(user_agent, lookup)
            .connect_timeout(CONNECT_TIME_MAX)
            .pool_max_idle_per_host(0)
            .http1_ignore_invalid_headers_in_responses(true)
            .build()?;
        Ok(Self { client, exceptions })
    }

    /// Gets what stands at `url`, within `limits`.
    ///
    /// # Errors
    /// [`FetchError`]: whatever was in the way, no one was told anything.
    pub async fn get(&self, url: &Url, limits: GetLimits) -> Result<Fetched, FetchError> {
        match tokio::time::timeout(limits.timeout, self.follow(url, limits)).await {
            Ok(fetched) => fetched,
            Err(_elapsed) => Err(FetchError::TimedOut(limits.timeout)),
        }
    }

    /// One GET for each hop, and then the body.
    async fn follow(&self, url: &Url, limits: GetLimits) -> Result<Fetched, FetchError> {
        let (response, url) = self.open(url, limits.accept, body::ACCEPTED).await?;
        read(response, url, limits).await
    }

    /// The head of the first answer that is no redirect, and the URL that gave it.
    async fn open(
        &self,
        url: &Url,
        accept: &str,
        codings: &str,
    ) -> Result<(Response, Url), FetchError> {
        let mut url = bare(url);
        for _hop in 0..=REDIRECTS_MAX {
            self.check(&url)?;
            let request = self.client.get(url.clone()).header(ACCEPT, accept);
            let response = request.header(ACCEPT_ENCODING, codings).send().await?;
            check_size(response.headers())?;
            match response.status().as_u16() {
                200 | 203 => return Ok((response, url)),
                301 | 302 | 303 | 307 | 308 => {
                    let location = response.headers().get(LOCATION).map(|value| value.as_bytes());
                    let location = location.and_then(|bytes| std::str::from_utf8(bytes).ok());
                    let next = location.and_then(|location| url.join(location.trim()).ok());
                    url = bare(&next.ok_or(FetchError::Location)?);
                }
                status => return Err(FetchError::Status(status)),
            }
        }
        Err(FetchError::Redirects)
    }

    /// Refuses what must not even be asked. An address that stands in the URL itself is checked
    /// here, because the client looks up names only.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Scheme(url.scheme().into()));
        }
        if url.as_str().len() > URL_BYTES_MAX {
            return Err(FetchError::Url);
        }
        if let Some(port) = url.port().filter(|port| *port < 1024 && !matches!(port, 80 | 443)) {
            return Err(FetchError::Port(port));
        }
        let address = match url.host().ok_or(FetchError::Url)? {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        if is_allowed(address, &self.exceptions) {
            Ok(())
        } else {
            Err(FetchError::Private(address))
        }
    }
}

/// What `find` knows, less what may not be reached.
fn only_allowed(find: Find, exceptions: Arc<[IpNet]>) -> Find {
    Arc::new(move |host| {
        let mut found = find(host)?;
        let before = found.len();
        found.retain(|address| is_allowed(address.ip(), &exceptions));
        if found.is_empty() && before > 0 {
            return Err(std::io::Error::other(format!(
                "`{host}` has private addresses only, and `http.allow_private` names none of them"
            )));
        }
        Ok(found)
    })
}

fn check_size(headers: &HeaderMap) -> Result<(), FetchError> {
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if size > HEADER_BYTES_MAX {
        Err(FetchError::HeadersTooLarge(HEADER_BYTES_MAX))
    } else {
        Ok(())
    }
}

/// Reads and decompresses the body of a success.
async fn read(response: Response, url: Url, limits: GetLimits) -> Result<Fetched, FetchError> {
    let GetLimits { bytes_max, larger, .. } = limits;
    let text = |value: &reqwest::header::HeaderValue| value.to_str().ok().map(str::to_owned);
    let content_type = response.headers().get(CONTENT_TYPE).and_then(text);
    let codings: Vec<_> =
        response.headers().get_all(CONTENT_ENCODING).iter().filter_map(text).collect();
    let codings = codings.join(",");
    let mut body = match larger {
        Larger::Refused => read_capped(response, bytes_max).await?,
        Larger::Cut => read_start(response, bytes_max).await,
    };
    if codings.split(',').any(|coding| body::is_known(coding.trim())) {
        // on a thread of its own, as feeds are: it may take a while, and may panic
        let decode = move || match larger {
            Larger::Refused => body::decode(&codings, body, bytes_max),
            Larger::Cut => body::decode_start(&codings, body, bytes_max),
        };
        let decoded = tokio::task::spawn_blocking(decode).await;
        body = decoded.map_err(|_panicked| FetchError::DecoderPanicked)??;
    }
    Ok(Fetched { url, content_type, body })
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Network(explain(&error))
    }
}

impl FetchError {
    /// Whether the same may work in a while.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Network(_) | Self::TimedOut(_) | Self::File(_) => true,
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }
}

impl From<BodyError> for FetchError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge(bytes_max) => Self::TooLarge(bytes_max),
            BodyError::Broken(error) => error.into(),
        }
    }
}

impl From<DecodeError> for FetchError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TooLarge(bytes_max) => Self::TooLarge(bytes_max),
            error => Self::Coding(error),
        }
    }
}

#[cfg(test)]
mod tests;
