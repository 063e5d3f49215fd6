//! Credentials: what a platform wants to let us in, and when that has become another way.
//!
//! **Invariant:** a fingerprint tells nothing of the secret that it is of.

use std::path::PathBuf;

use url::Url;

use super::Secret;

/// What a platform wants to let us in. `base_url` is the origin of every request of the account.
#[derive(Clone, Debug, PartialEq)]
pub enum Credentials {
    /// A Mastodon-API server.
    Mastodon {
        /// Its origin.
        base_url: Url,
        /// A token with `write:statuses` and `read`.
        access_token: Secret,
    },
    /// An AT Protocol account.
    Bluesky {
        /// Handle, e-mail or DID.
        identifier: String,
        /// An app password.
        app_password: Secret,
        /// Absent: `https://bsky.social` for the session, and then the PDS that the session names.
        base_url: Option<Url>,
    },
    /// A Threads account.
    Threads {
        /// A token of 60 days with `threads_basic` and `threads_content_publish`; absent where
        /// `posse-party login` gives one.
        access_token: Option<Secret>,
        /// The app that tokens are from: its id and its secret. Only `login` needs it.
        app: Option<(String, Secret)>,
        /// The version of the API that is asked for.
        api_version: String,
        /// Stands for every host of the platform. Absent: the platform's own.
        base_url: Option<Url>,
    },
    /// An Instagram account, professional.
    Instagram {
        /// A token of 60 days with `instagram_business_basic` and
        /// `instagram_business_content_publish`; absent where `posse-party login` gives one.
        access_token: Option<Secret>,
        /// Instagram's number of the account, 1784…. Absent: it is asked for.
        user_id: Option<String>,
        /// The app that tokens are from, as Instagram names it: its id and its secret. Only `login`
        /// needs it.
        app: Option<(String, Secret)>,
        /// The version of the API that is asked for.
        api_version: String,
        /// Stands for every host of the platform. Absent: the platform's own.
        base_url: Option<Url>,
    },
    /// A Facebook Page.
    Facebook {
        /// Its number.
        page_id: String,
        /// The Page's own token, which has no end; absent where `posse-party login` gives one.
        page_access_token: Option<Secret>,
        /// The version of the API that is asked for.
        api_version: String,
        /// Stands for every host of the platform. Absent: the platform's own.
        base_url: Option<Url>,
    },
    /// A local file.
    Outbox {
        /// JSON lines, appended.
        path: PathBuf,
    },
}

impl Credentials {
    /// Whether there is a token, or whatever else lets us in. Where there is none, `login` may have
    /// kept one in the account's memory.
    pub fn lets_in(&self) -> bool {
        self.secret().is_some() || matches!(self, Self::Outbox { .. })
    }

    /// The secret of an app, which lets nobody in by itself.
    pub(super) fn app_secret(&self) -> Option<&Secret> {
        match self {
            Self::Threads { app: Some((_, secret)), .. }
            | Self::Instagram { app: Some((_, secret)), .. } => Some(secret),
            _ => None,
        }
    }

    /// The part that nobody else may know.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Mastodon { access_token, .. } => Some(access_token),
            Self::Threads { access_token, .. } | Self::Instagram { access_token, .. } => {
                access_token.as_ref()
            }
            Self::Facebook { page_access_token, .. } => page_access_token.as_ref(),
            Self::Bluesky { app_password, .. } => Some(app_password),
            Self::Outbox { .. } => None,
        }
    }

    /// A hash that changes when, and only when, the owner changes how to get in. Hex. Where a token
    /// may be absent it is `PLACE.TOKEN`, two hashes of which the second one is empty then: see
    /// [`is_other_way_in`].
    ///
    /// The server counts too, on every platform: a session of one server must not be sent to
    /// another, and an account that was parked because its server did not know it must wake when
    /// the server is put right. An account without `base_url` is one at its default. The version of
    /// an API is no part of how to get in, and neither is the app that a token is from.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Mastodon { base_url, access_token } => {
                let token = access_token.expose().as_bytes();
                digest(&[b"mastodon", base_url.as_str().as_bytes(), b"", token])
            }
            Self::Bluesky { identifier, app_password, base_url } => {
                let base_url = base_url.as_ref().map_or("https://bsky.social/", Url::as_str);
                let password = app_password.expose().as_bytes();
                digest(&[b"bluesky", base_url.as_bytes(), identifier.as_bytes(), password])
            }
            Self::Threads { access_token, base_url, .. } => {
                let base_url = base_url.as_ref().map_or("https://graph.threads.net/", Url::as_str);
                renewable([b"threads", base_url.as_bytes(), b""], access_token.as_ref())
            }
            Self::Instagram { access_token, user_id, base_url, .. } => {
                let own = "https://graph.instagram.com/";
                let base_url = base_url.as_ref().map_or(own, Url::as_str);
                let user_id = user_id.as_deref().unwrap_or_default();
                let place = [b"instagram", base_url.as_bytes(), user_id.as_bytes()];
                renewable(place, access_token.as_ref())
            }
            Self::Facebook { page_id, page_access_token, base_url, .. } => {
                let own = "https://graph.facebook.com/";
                let base_url = base_url.as_ref().map_or(own, Url::as_str);
                let place = [b"facebook", base_url.as_bytes(), page_id.as_bytes()];
                renewable(place, page_access_token.as_ref())
            }
            Self::Outbox { path } => {
                digest(&[b"outbox", path.as_os_str().as_encoded_bytes(), b"", b""])
            }
        }
    }
}

/// `PLACE.TOKEN`, where the token may be absent.
fn renewable(place: [&[u8]; 3], token: Option<&Secret>) -> String {
    let [platform, server, account] = place;
    let token = token.map(|token| digest(&[platform, server, account, token.expose().as_bytes()]));
    format!("{}.{}", digest(&place), token.unwrap_or_default())
}

fn digest(parts: &[&[u8]]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether credentials with the fingerprint `now` are others than those with `before`, so that what
/// was remembered of these is of no use any more.
///
/// To take a token out of the config is no change: it lives on in the account's memory, or there is
/// none.
pub fn is_other_way_in(before: Option<&str>, now: Option<&str>) -> bool {
    let without_secret = |now: &str| now.ends_with('.');
    match (before, now) {
        (Some(before), Some(now)) if without_secret(now) => {
            before.split('.').next() != now.split('.').next()
        }
        (before, now) => before != now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_goes_is_no_change_and_one_that_comes_is() {
        let at = |url: Option<&str>, token: Option<&str>| {
            Credentials::Threads {
                access_token: token.map(Secret::new),
                app: None,
                api_version: "v1.0".into(),
                base_url: url.map(|url| Url::parse(url).unwrap()),
            }
            .fingerprint()
        };
        let check = |before: &str, now: &str, other: bool| {
            assert_eq!(is_other_way_in(Some(before), Some(now)), other, "{before} {now}");
        };
        let (one, two, none) = (at(None, Some("one")), at(None, Some("two")), at(None, None));
        check(&one, &one, false);
        check(&one, &two, true);
        check(&one, &none, false);
        check(&none, &one, true);
        check(&none, &none, false);
        check(&at(None, Some("")), &none, false);
        let elsewhere = at(Some("https://else.example"), None);
        check(&one, &elsewhere, true);
        check(&none, &elsewhere, true);
        assert!(is_other_way_in(None, Some(&one)) && is_other_way_in(Some(&one), None));
    }
}
