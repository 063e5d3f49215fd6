//! HTTP: the clients of this program, all built here.
//!
//! **Invariant:** the connect time-out is shorter than the total one; publishing clients follow no
//! redirect, send no cookie and no Referer, and never retry by themselves; every body is capped.

use std::sync::Once;
use std::time::Duration;

use reqwest::redirect::Policy;
pub use reqwest::{Client, Error};
use reqwest::{ClientBuilder, Response};
use url::Url;

use crate::config::Delivery;
use lookup::Lookup;

pub mod body; // content codings
pub mod charset; // bytes of a page to text
pub mod date; // dates in headers
pub mod guard; // addresses that feeds may not reach
mod lookup; // names to addresses

/// `posse-party/VERSION (+contact)`.
pub fn user_agent(contact: Option<&str>) -> String {
    match contact {
        Some(contact) => format!("posse-party/{} (+{contact})", env!("CARGO_PKG_VERSION")),
        None => format!("posse-party/{}", env!("CARGO_PKG_VERSION")),
    }
}

/// The client that publishes.
///
/// Each request has a connection of its own: one that idled can be closed by the server just when
/// a post is written to it, and then nobody could tell whether the post arrived.
///
/// # Errors
/// The machine has no certificate authorities, or the user agent is no header value.
pub fn publishing(user_agent: &str, delivery: &Delivery) -> reqwest::Result<Client> {
    publishing_builder(user_agent, delivery).build()
}

/// The same before it is built: for a test whose platform has a name and a certificate of its own.
pub fn publishing_builder(user_agent: &str, delivery: &Delivery) -> ClientBuilder {
    base(user_agent, Lookup::at_most(2))
        .connect_timeout(delivery.connect_timeout.min(delivery.timeout / 2))
        .timeout(delivery.timeout)
        .pool_max_idle_per_host(0)
}

/// The client that reads the feeds that the owner configured, which may be on private addresses.
///
/// It has no total time limit of its own: `feed::fetch` sets one over a whole chain of redirects.
/// Connections are kept alive for the rest of a batch and then closed. The head of an answer is
/// limited by hyper to 100 headers and about 400 KB; a line of it that is no header is passed over,
/// as browsers do.
///
/// # Errors
/// The machine has no certificate authorities, or the user agent is no header value.
pub fn feeds(user_agent: &str) -> reqwest::Result<Client> {
    base(user_agent, Lookup::at_most(16))
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(10))
        .pool_max_idle_per_host(6)
        .http1_ignore_invalid_headers_in_responses(true)
        .build()
}

/// What all clients share: no redirects (who follows one does so on purpose), no proxy from the
/// environment, no Referer, no retry, names from `lookup` alone.
fn base(user_agent: &str, lookup: Lookup) -> ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // fails only when a provider is installed already, which is as good
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    #[allow(clippy::disallowed_methods)] // the one place where clients are made
    Client::builder()
        .user_agent(user_agent)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .dns_resolver(lookup)
        .pool_idle_timeout(Duration::from_secs(30))
}

/// `url` without user, password and fragment: what a server sees of it in the request line.
pub fn bare(url: &Url) -> Url {
    let mut bare = url.clone();
    let _ = bare.set_username(""); // fails only where there can be none
    let _ = bare.set_password(None);
    bare.set_fragment(None);
    bare
}

/// A URL as it may be shown: without user, password, query and fragment, any of which may hold a
/// secret. A query that was there is told by `?…`.
pub fn shown(url: &Url) -> String {
    let mut plain = bare(url);
    plain.set_query(None);
    format!("{plain}{}", if url.query().is_some() { "?…" } else { "" })
}

/// What went wrong in a client and the innermost reason, in one line, without the URL.
pub fn explain(error: &reqwest::Error) -> String {
    let what = match error {
        _ if error.is_connect() && error.is_timeout() => return "could not connect in time".into(),
        _ if error.is_timeout() => return "no answer in time".into(),
        _ if error.is_connect() => "could not connect",
        _ if error.is_body() || error.is_decode() => "the answer broke off or can't be read",
        _ => "no usable answer",
    };
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.last().map_or(what.into(), |cause| format!("{what}: {cause}"))
}

/// A body that was not read whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// More than the cap.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// It broke off, or the time was up.
    #[error(transparent)]
    Broken(#[from] reqwest::Error),
}

/// Reads a body of at most `bytes_max` bytes.
///
/// # Errors
/// `TooLarge` as soon as that is known; `Broken` where the connection ends early.
pub async fn read_capped(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, BodyError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |announced| announced > bytes_max) {
        return Err(BodyError::TooLarge(bytes_max));
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > bytes_max {
            return Err(BodyError::TooLarge(bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads the first `bytes_max` bytes of a body, or as many as come before it breaks off.
async fn read_start(mut response: Response, bytes_max: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < bytes_max {
        let Ok(Some(chunk)) = response.chunk().await else { break };
        body.extend_from_slice(&chunk[..chunk.len().min(bytes_max - body.len())]);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        let check = |url: &str, expect: &str| assert_eq!(shown(&url.parse().unwrap()), expect);
        check("https://u:p@example.com:8443/a/b?key=1#x", "https://example.com:8443/a/b?…");
        check("https://example.com", "https://example.com/");
        check("file:///srv/feed.xml", "file:///srv/feed.xml");
    }
}
