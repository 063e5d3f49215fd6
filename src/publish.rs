//! Publish: the one trait that every platform implements, and what it is given.
//!
//! A publisher sees a draft and two notebooks; it never sees the store, the config file or another
//! platform. **Invariant:** every remote effect is written into the journal, committed, before the
//! next call that depends on it; every failure is classified where the request was made.
//! **Refuses:** to send anything a second time when the fate of the first is unknown.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::clock::Clock;
use crate::config::{AccountConfig, Credentials, Delivery};
use crate::crosspost::{Failure, Receipt};
use crate::draft::Draft;
use crate::names::CrosspostId;
use crate::platform::{Limits, MediaLimits, Platform};
use crate::shelf::Shelf;
use crate::token::Life;

pub mod backoff; // how long to wait
pub mod bluesky; // AT Protocol accounts
pub mod classify; // what an error means
pub mod facebook; // Facebook Pages
pub mod instagram; // Instagram accounts
pub mod mastodon; // any server that speaks the Mastodon API
pub mod meta; // what Meta's platforms share
pub mod outbox; // a local file
pub mod threads; // Threads accounts
pub mod words; // what a platform says, as it is shown

/// The publisher of an account; none when it has no credentials, as on a dry run.
pub fn open(
    account: &AccountConfig,
    http: &reqwest::Client,
    delivery: &Delivery,
) -> Option<Arc<dyn Publisher>> {
    Some(match account.credentials.clone().filter(|_| !account.dry_run)? {
        Credentials::Mastodon { base_url, access_token } => Arc::new(mastodon::Mastodon::new(
            base_url,
            access_token,
            http.clone(),
            delivery.timeout,
        )),
        Credentials::Bluesky { identifier, app_password, base_url } => Arc::new(
            bluesky::Bluesky::new(identifier, app_password, base_url, http.clone(), delivery),
        ),
        Credentials::Threads { access_token, app, api_version, base_url } => {
            let app = app.map(|(id, secret)| meta::token::App { id, secret });
            let threads = threads::Threads::new(access_token, api_version, base_url, http.clone());
            Arc::new(threads.with_app(app))
        }
        Credentials::Instagram { access_token, user_id, app, api_version, base_url } => {
            let app = app.map(|(id, secret)| meta::token::App { id, secret });
            let http = http.clone();
            let token = access_token;
            let instagram = instagram::Instagram::new(token, user_id, api_version, base_url, http);
            Arc::new(instagram.with_app(app))
        }
        Credentials::Facebook { page_id, page_access_token, api_version, base_url } => {
            let token = page_access_token;
            Arc::new(facebook::Facebook::new(page_id, token, api_version, base_url, http.clone()))
        }
        Credentials::Outbox { path } => Arc::new(outbox::Outbox::new(path)),
    })
}

/// Where an account on one of Meta's platforms gets its tokens, and the app that they are from,
/// where the config has one; none for other accounts.
pub fn meta_door(
    account: &AccountConfig,
    http: &reqwest::Client,
) -> Option<(meta::Graph, Option<meta::token::App>)> {
    match account.credentials.clone()? {
        Credentials::Threads { app, api_version, base_url, .. } => {
            let graph = meta::Graph::new(Platform::Threads, api_version, base_url, http.clone());
            Some((graph, app.map(|(id, secret)| meta::token::App { id, secret })))
        }
        Credentials::Instagram { app, api_version, base_url, .. } => {
            let graph = meta::Graph::new(Platform::Instagram, api_version, base_url, http.clone());
            Some((graph, app.map(|(id, secret)| meta::token::App { id, secret })))
        }
        Credentials::Facebook { api_version, base_url, .. } => {
            let graph = meta::Graph::new(Platform::Facebook, api_version, base_url, http.clone());
            Some((graph, None))
        }
        _ => None,
    }
}

/// What a draft for `account` may hold, as far as its `memory` says; none where its server was
/// never asked. Asks nobody.
pub fn remembered_limits(
    account: &AccountConfig,
    memory: impl Fn(&str) -> Option<Value>,
) -> Option<Limits> {
    match (account.platform, &account.credentials) {
        (Platform::Mastodon, Some(Credentials::Mastodon { base_url, .. })) => {
            let origin = base_url.origin().ascii_serialization();
            mastodon::remembered_limits(memory, Some(&origin))
        }
        (Platform::Mastodon, _) => mastodon::remembered_limits(memory, None),
        (platform, _) => Some(platform.limits()),
    }
}

/// Which media a draft for `account` may hold, as far as its `memory` says, like
/// [`remembered_limits`].
pub fn remembered_media_limits(
    account: &AccountConfig,
    memory: impl Fn(&str) -> Option<Value>,
) -> Option<MediaLimits> {
    match (account.platform, &account.credentials) {
        (Platform::Mastodon, Some(Credentials::Mastodon { base_url, .. })) => {
            let origin = base_url.origin().ascii_serialization();
            mastodon::remembered_media_limits(memory, Some(&origin))
        }
        (Platform::Mastodon, _) => mastodon::remembered_media_limits(memory, None),
        (platform, _) => Some(platform.media()),
    }
}

/// A destination of one account.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// What a draft may hold here. Asks the server at most once a day and remembers the answer;
    /// falls back to the platform's defaults where the server can't be asked.
    async fn limits(&self, desk: &Desk<'_>) -> Limits;

    /// Which media a draft may hold here: from the same answer as `limits`.
    async fn media_limits(&self, desk: &Desk<'_>) -> MediaLimits;

    /// Who am I, what may I, until when. Publishes nothing.
    ///
    /// # Errors
    /// The failure that a post would meet now.
    async fn verify(&self, desk: &Desk<'_>) -> Result<Identity, Failure>;

    /// How long one attempt at `draft` may take beyond the few short requests that every attempt
    /// is: large files take their time.
    fn upload_time(&self, _draft: &Draft) -> Duration {
        Duration::ZERO
    }

    /// Tries to publish `draft`, once.
    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome;

    /// Finds out what became of an earlier attempt that got no usable answer. May repeat the very
    /// same request where the platform guarantees that this makes no second post.
    async fn find(&self, draft: &Draft, desk: &Desk<'_>) -> Found;

    /// The page of a post whose receipt has none, because it could not be told at once; none where
    /// it can't be now either, or where the post has none. The journal is that of its crosspost.
    /// Publishes nothing.
    async fn page(&self, _remote_id: &str, _draft: &Draft, _desk: &Desk<'_>) -> Option<String> {
        None
    }

    /// Keeps the account's token alive. Called about once a day, by one caller at a time: renews
    /// (or asks about) the token when its time has come, and else asks nobody. A new token is
    /// known to `redact`, and committed to the memory, before it is used or this returns; the old
    /// one is good until then, so that a crash in between costs one answer and nothing else.
    ///
    /// # Errors
    /// `Account` when the token is surely of no use any more, so that a post would meet the same;
    /// anything else is tried again.
    async fn renew(&self, _desk: &Desk<'_>) -> Result<Renewal, Failure> {
        Ok(Renewal::NotNeeded)
    }
}

/// Where the journal of a crosspost keeps what its post goes without, for people: a list of lines,
/// lower case, no full stop. A publisher writes all of them anew with each attempt that changes
/// them; `why` shows them.
pub const NOTES: &str = "notes";

/// What a publisher has at hand while it works on one crosspost (or verifies an account, with
/// `crosspost` absent).
pub struct Desk<'a> {
    /// The crosspost in hand.
    pub crosspost: Option<CrosspostId>,
    /// What this crosspost did so far, on any attempt: keys, record keys, container ids.
    pub journal: &'a dyn Notebook,
    /// What the account remembers: sessions, instance limits.
    pub memory: &'a dyn Notebook,
    /// The time.
    pub clock: &'a Clock,
    /// Where the pictures of drafts lie; absent where there are none.
    pub shelf: Option<&'a Shelf>,
}

/// A small durable map. A `write` that returned `Ok` survives a crash.
#[async_trait]
pub trait Notebook: Send + Sync {
    /// What stands under `key`.
    ///
    /// # Errors
    /// The store can't be read.
    async fn read(&self, key: &str) -> Result<Option<Value>, NotebookError>;

    /// Puts `value` under `key`; null takes it away.
    ///
    /// # Errors
    /// It could not be committed: whatever depends on it must not be done.
    async fn write(&self, key: &str, value: Value) -> Result<(), NotebookError>;
}

/// A notebook could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotebookError(pub String);

impl From<NotebookError> for Failure {
    /// For notes that are taken *before* a request: surely nothing was sent.
    fn from(error: NotebookError) -> Self {
        Self::retry(format!("nothing was sent, because the database could not be used: {error}"))
    }
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is public.
    Published(Receipt),
    /// The platform is still at it: come back then. Burns no attempt.
    Wait {
        /// How long to wait.
        wait: Duration,
        /// What for.
        why: String,
    },
    /// It did not work, or nobody knows.
    Failed(Failure),
}

/// What became of an attempt in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It had worked (or works now, without a second post).
    Published(Receipt),
    /// Provably nothing is there: it may be sent again.
    Absent,
    /// Can't be told now.
    Unknown(Failure),
}

/// How it stands with an account's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Credentials of this platform do not age.
    NotNeeded,
    /// There is a new one.
    Renewed(Life),
    /// Nothing had to be done, or nothing can be but to ask how long it lives.
    Checked(Life),
    /// The platform wants it to be older before it renews it: again tomorrow.
    TooYoung(Life),
    /// It could not be renewed, and lives on as it is: what an error would say, with its life.
    Unrenewed(Life, Failure),
}

/// Who an account is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The name to show: `@ada@example.social`.
    pub name: String,
    /// The public page.
    pub url: Option<String>,
    /// What the owner should know, one line each: limits, scopes that are missing …
    pub notes: Vec<String>,
}

/// A notebook in memory, for what needs no durability.
#[derive(Debug, Default)]
pub struct Scratch(std::sync::Mutex<std::collections::BTreeMap<String, Value>>);

#[async_trait]
impl Notebook for Scratch {
    async fn read(&self, key: &str) -> Result<Option<Value>, NotebookError> {
        Ok(self.0.lock().expect("no code panics while it holds the lock").get(key).cloned())
    }

    async fn write(&self, key: &str, value: Value) -> Result<(), NotebookError> {
        let mut notes = self.0.lock().expect("no code panics while it holds the lock");
        match value {
            Value::Null => notes.remove(key),
            value => notes.insert(key.to_owned(), value),
        };
        Ok(())
    }
}
