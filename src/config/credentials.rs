//! Credentials: how an account gets in, by platform.
//!
//! **Invariant:** the fingerprint changes when, and only when, the owner changes how to get in.

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
        /// A token of 60 days with `threads_basic` and `threads_content_publish`.
        access_token: Secret,
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
    /// The part that nobody else may know.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Mastodon { access_token, .. } | Self::Threads { access_token, .. } => {
                Some(access_token)
            }
            Self::Bluesky { app_password, .. } => Some(app_password),
            Self::Outbox { .. } => None,
        }
    }

    /// A hash that changes when, and only when, the owner changes how to get in. Hex.
    ///
    /// The server counts too, on every platform: a session of one server must not be sent to
    /// another, and an account that was parked because its server did not know it must wake when
    /// the server is put right. An account without `base_url` is one at its default. The version of
    /// an API is no part of how to get in.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let parts: [&[u8]; 4] = match self {
            Self::Mastodon { base_url, access_token } => {
                let token = access_token.expose().as_bytes();
                [b"mastodon", base_url.as_str().as_bytes(), b"", token]
            }
            Self::Bluesky { identifier, app_password, base_url } => {
                let base_url = base_url.as_ref().map_or("https://bsky.social/", Url::as_str);
                let password = app_password.expose().as_bytes();
                [b"bluesky", base_url.as_bytes(), identifier.as_bytes(), password]
            }
            Self::Threads { access_token, base_url, .. } => {
                let base_url = base_url.as_ref().map_or("https://graph.threads.net/", Url::as_str);
                let token = access_token.expose().as_bytes();
                [b"threads", base_url.as_bytes(), b"", token]
            }
            Self::Outbox { path } => [b"outbox", path.as_os_str().as_encoded_bytes(), b"", b""],
        };
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
