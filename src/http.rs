//! HTTP: the clients of this program, all built here.
//!
//! **Invariant:** the connect time-out is shorter than the total one; publishing clients follow no
//! redirect, send no cookie and no Referer, and never retry by themselves; every body is capped.

use std::sync::Once;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};

use crate::config::Delivery;

/// `posse-party/VERSION (+contact)`.
pub fn user_agent(contact: Option<&str>) -> String {
    match contact {
        Some(contact) => format!("posse-party/{} (+{contact})", env!("CARGO_PKG_VERSION")),
        None => format!("posse-party/{}", env!("CARGO_PKG_VERSION")),
    }
}

/// The client that publishes.
///
/// # Errors
/// The machine has no certificate authorities, or the user agent is no header value.
pub fn publishing(user_agent: &str, delivery: &Delivery) -> reqwest::Result<Client> {
    base(user_agent)
        .connect_timeout(delivery.connect_timeout.min(delivery.timeout / 2))
        .timeout(delivery.timeout)
        .build()
}

/// What all clients share: no redirects (who follows one does so on purpose), no proxy from the
/// environment, no Referer, no retry.
fn base(user_agent: &str) -> ClientBuilder {
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
        .pool_idle_timeout(Duration::from_secs(30))
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
