//! Online: each feed fetched once, each account asked who it is. Nothing is posted.

use std::sync::Arc;

use anyhow::Context;
use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::super::CliError;
use super::super::desk::open_database;
use super::super::say::{from_now, plural};
use crate::clock::{Clock, Timestamp};
use crate::config::{AccountConfig, Config, Credentials, FeedConfig, is_other_way_in};
use crate::crosspost::{Class, Failure};
use crate::deliver::notebook::Memory;
use crate::entry::{Entry, ParsedFeed};
use crate::feed::fetch::{self, Answer, Ask};
use crate::feed::parse::{self, Hint};
use crate::http;
use crate::names::{AccountId, Label};
use crate::platform::{Limits, Platform};
use crate::publish::meta::token::NOTE;
use crate::publish::{self, Desk, Notebook, Publisher, Scratch};
use crate::store::{Store, accounts, views};

/// Feeds and accounts that are asked at once.
const AT_ONCE: usize = 8;

/// What came of asking for a feed.
#[derive(Serialize)]
pub struct FeedReport {
    /// Its label.
    pub label: Label,
    /// Whether it can be read.
    pub ok: bool,
    /// What it holds, or what is wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// How many entries it has.
    pub entries: Option<usize>,
    /// When the newest was published.
    pub newest: Option<String>,
    /// What was passed over or mended.
    pub problems: Vec<String>,
}

/// What came of asking for an account.
#[derive(Serialize)]
pub struct AccountReport {
    /// Its label.
    pub label: Label,
    /// Tag of its platform.
    pub platform: &'static str,
    /// Whether it could post now.
    pub ok: bool,
    /// Who it is, or what is wrong.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Its name there.
    pub name: Option<String>,
    /// Its public page.
    pub url: Option<String>,
    /// What its owner should know.
    pub notes: Vec<String>,
}

/// Fetches every active feed once.
///
/// # Errors
/// No HTTP client can be made.
pub async fn feeds(config: &Config) -> Result<Vec<FeedReport>, CliError> {
    let user_agent = http::user_agent(config.http.user_agent.as_deref());
    let client = http::feeds(&user_agent).context("failed to prepare HTTP")?;
    let asked = config.feeds.iter().filter(|(_, feed)| feed.active).map(|(label, feed)| {
        let client = client.clone();
        async move {
            let ask = Ask::new(&feed.url);
            let now = Clock::System.now();
            match fetch::fetch(&client, &ask, now).await {
                Ok(fetched) => read(label, feed, fetched, now),
                Err(error) => {
                    feed_failed(label, error.to_string(), "is the URL right, and the server up?")
                }
            }
        }
    });
    Ok(stream::iter(asked).buffered(AT_ONCE).collect().await)
}

fn read(label: &Label, feed: &FeedConfig, fetched: fetch::Fetched, now: Timestamp) -> FeedReport {
    let hint = format!("`posse-party feed {label}` shows what the daemon sees");
    let Answer::Body(body) = fetched.answer else {
        return feed_failed(
            label,
            "the server answers 304 to what was not conditional".into(),
            &hint,
        );
    };
    let about = Hint { url: &fetched.url, content_type: body.content_type.as_deref() };
    match parse::parse(&body.bytes, &about) {
        Ok(parsed) => {
            let moved = fetched.permanent.filter(|to| *to != http::bare(&feed.url));
            let moved =
                moved.map(|to| format!("it has moved for good: change its `url` to `{to}`"));
            let problems = !parsed.problems.is_empty();
            FeedReport {
                label: label.clone(),
                ok: true,
                message: told(&parsed, now),
                hint: moved.or_else(|| problems.then_some(hint)),
                entries: Some(parsed.entries.len()),
                newest: newest(&parsed).and_then(date).map(Timestamp::to_rfc3339),
                problems: parsed.problems.into_iter().map(|problem| problem.message).collect(),
            }
        }
        Err(error) => feed_failed(label, format!("it is no usable feed: {error}"), &hint),
    }
}

fn told(feed: &ParsedFeed, now: Timestamp) -> String {
    let mut told = format!("{}, {}", feed.format, plural(feed.entries.len(), "entry", "entries"));
    if let Some(entry) = newest(feed) {
        let title = entry.title.as_ref().or(entry.url.as_ref()).unwrap_or(&entry.id);
        let when = date(entry).map(|at| format!(", {}", from_now(at, now))).unwrap_or_default();
        told.push_str(&format!(", the newest is \"{title}\"{when}"));
    }
    if !feed.problems.is_empty() {
        told.push_str(&format!(", {}", plural(feed.problems.len(), "problem", "problems")));
    }
    told
}

/// The newest by date; of entries without one, the first of the document.
fn newest(feed: &ParsedFeed) -> Option<&Entry> {
    feed.entries.iter().rev().max_by_key(|entry| date(entry))
}

fn date(entry: &Entry) -> Option<Timestamp> {
    entry.published.or(entry.updated)
}

fn feed_failed(label: &Label, message: String, hint: &str) -> FeedReport {
    FeedReport {
        label: label.clone(),
        ok: false,
        message,
        hint: Some(hint.to_owned()),
        entries: None,
        newest: None,
        problems: Vec::new(),
    }
}

/// Asks every active account who it is; offline only those that need no network.
///
/// # Errors
/// No HTTP client can be made.
pub async fn accounts(config: &Config, online: bool) -> Result<Vec<AccountReport>, CliError> {
    let user_agent = http::user_agent(config.http.user_agent.as_deref());
    let client =
        http::publishing(&user_agent, &config.delivery).context("failed to prepare HTTP")?;
    // with what the daemon remembers, no login is spent
    let store = open_database(config).ok();
    let asked = config
        .accounts
        .iter()
        .filter(|(_, account)| account.active && (online || account.platform == Platform::Outbox))
        .map(|(label, account)| {
            // on a dry run too: credentials that are there should be right
            let real = AccountConfig { dry_run: false, ..account.clone() };
            let publisher = publish::open(&real, &client, &config.delivery);
            let store = store.clone();
            async move {
                match publisher {
                    Some(publisher) => {
                        let memory = memory(store, label, account).await;
                        verify(label, account, publisher, memory.as_ref()).await
                    }
                    None => dry(label, account),
                }
            }
        });
    Ok(stream::iter(asked).buffered(AT_ONCE).collect().await)
}

/// What the account remembers: of these very credentials, else nothing.
async fn memory(store: Option<Store>, label: &Label, account: &AccountConfig) -> Box<dyn Notebook> {
    let wanted = account.credentials.as_ref().map(Credentials::fingerprint);
    let label = label.clone();
    let known = match &store {
        Some(store) => store
            .read(move |db| {
                let Some(account) = accounts::by_label(db, &label)? else { return Ok(None) };
                let known = views::fingerprint(db, account.id)?;
                let is_other = is_other_way_in(known.as_deref(), wanted.as_deref());
                Ok((!is_other).then_some(account.id))
            })
            .await
            .ok()
            .flatten(),
        None => None,
    };
    match (store, known) {
        (Some(store), Some(account)) => remembered(store, account),
        _ => Box::new(Scratch::default()),
    }
}

/// The active accounts that have no token: neither in the config nor in the memory, where `login`
/// keeps them. What to do, for each.
///
/// # Errors
/// The database can't be read.
pub async fn without_token(config: &Config) -> Result<Vec<String>, CliError> {
    let store = open_database(config).ok();
    let mut lines = Vec::new();
    let accounts = config.accounts.iter().filter(|(_, it)| it.active && !it.dry_run);
    for (label, account) in accounts {
        if account.credentials.as_ref().is_none_or(Credentials::lets_in) {
            continue;
        }
        let memory = memory(store.clone(), label, account).await;
        let kept = memory.read(NOTE).await.context("failed to read what the account remembers")?;
        if kept.is_none() {
            let tag = account.platform.tag();
            let message = "has no token yet: run";
            lines.push(format!("accounts.{label}: {message} `posse-party login {tag} {label}`"));
        }
    }
    Ok(lines)
}

fn remembered(store: Store, account: AccountId) -> Box<dyn Notebook> {
    Box::new(Memory { store, account })
}

async fn verify(
    label: &Label,
    account: &AccountConfig,
    publisher: Arc<dyn Publisher>,
    memory: &dyn Notebook,
) -> AccountReport {
    let (journal, clock) = (Scratch::default(), Clock::System);
    let desk = Desk { crosspost: None, journal: &journal, memory, clock: &clock, shelf: None };
    let platform = account.platform.tag();
    match publisher.verify(&desk).await {
        Ok(identity) => {
            let limits = publisher.limits(&desk).await;
            AccountReport {
                label: label.clone(),
                platform,
                ok: true,
                message: format!("{platform}, {}, {}", identity.name, limits_told(&limits)),
                hint: None,
                name: Some(identity.name),
                url: identity.url,
                notes: identity.notes,
            }
        }
        Err(failure) => AccountReport {
            label: label.clone(),
            platform,
            ok: false,
            message: failure.message.clone(),
            hint: Some(hint(&failure)),
            name: None,
            url: None,
            notes: Vec::new(),
        },
    }
}

fn dry(label: &Label, account: &AccountConfig) -> AccountReport {
    AccountReport {
        label: label.clone(),
        platform: account.platform.tag(),
        ok: true,
        message: format!("{}, a dry run without credentials", account.platform.tag()),
        hint: None,
        name: None,
        url: None,
        notes: Vec::new(),
    }
}

fn limits_told(limits: &Limits) -> String {
    format!("posts of up to {} {}", limits.max, limits.unit.name())
}

fn hint(failure: &Failure) -> String {
    match &failure.class {
        Class::Account { hint, .. } => hint.clone(),
        Class::RateLimited { not_before: Some(at) } => format!("ask again after {at}"),
        Class::RateLimited { not_before: None } => "ask again in a few minutes".into(),
        _ => "are its settings in the config right, and the server up?".into(),
    }
}
