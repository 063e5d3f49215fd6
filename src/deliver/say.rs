//! Say: what a delivery tells the log.

use std::time::Duration;

use super::decide::{Effect, Verdict};
use crate::clock::Timestamp;
use crate::crosspost::Receipt;
use crate::names::Label;
use crate::report;
use crate::store::crossposts::{Crosspost, Settlement};

/// What a verdict is for the owner.
#[derive(Clone, Copy, Debug, Default)]
pub struct News {
    /// A person has settled it meanwhile.
    pub overtaken: bool,
    /// It begins an incident.
    pub opened: bool,
    /// It ends the account's incident, which had begun then.
    pub over_since: Option<Timestamp>,
}

/// Says what became of a crosspost: one line that reads alone.
pub fn verdict(
    account: &Label,
    crosspost: &Crosspost,
    verdict: &Verdict,
    news: News,
    now: Timestamp,
) {
    let id = crosspost.id.0;
    let title = report::title(&crosspost.title);
    let why = verdict.reason.as_deref().unwrap_or_default();
    if news.overtaken {
        tracing::info!(%account, crosspost = id,
            "\"{title}\" on {account} was settled by hand while the platform was asked");
        return;
    }
    let key = report::account_incident(account);
    if let Effect::Park { hint, .. } = &verdict.account {
        let message = format!("{account} is parked, its queue waits: {why}; {hint}");
        if news.opened {
            report::opened(&key, &message);
        } else {
            tracing::info!(%account, crosspost = id, "still: {message}");
        }
        return;
    }
    if let Some(since) = news.over_since {
        report::resolved(&key, since, now, &format!("{account} publishes again"));
    }
    let when = |at: Timestamp| {
        humantime::format_duration(Duration::from_secs(at.since(now).as_secs())).to_string()
    };
    match &verdict.settlement {
        Settlement::Published(Receipt { remote_id, url }) => {
            let place = url.as_deref().unwrap_or(remote_id);
            tracing::info!(%account, crosspost = id,
                "published \"{title}\" to {account}: {place}");
        }
        Settlement::Ready { waiting: true, due_at, .. } => {
            tracing::info!(%account, crosspost = id,
                "\"{title}\" is being processed by {account}, looking again in {}: {why}",
                when(*due_at));
        }
        Settlement::WithoutCard { .. } => {
            tracing::info!(%account, crosspost = id,
                "\"{title}\" goes to {account} without its card, with the URL in its text: {why}");
        }
        Settlement::Shorter { .. } => {
            tracing::info!(%account, crosspost = id,
                "\"{title}\" goes to {account} with a shorter text: {why}");
        }
        Settlement::Ready { due_at, .. } => {
            let due_at = match &verdict.account {
                Effect::HoldUntil(at) => at,
                _ => due_at,
            };
            tracing::warn!(%account, crosspost = id,
                "\"{title}\" is not on {account} yet, trying again in {}: {why}",
                when(*due_at));
        }
        Settlement::Uncertain { due_at, .. } => {
            tracing::warn!(%account, crosspost = id,
                "\"{title}\" may or may not be on {account}, asking in {}: {why}",
                when(*due_at));
        }
        Settlement::Held => report::opened(
            &report::doubt_incident(crosspost.id),
            &format!(
                "\"{title}\" on {account} waits for you, because {why}; look there, then \
                 `posse-party resolve {id} --published URL` or `posse-party resolve {id} --retry`"
            ),
        ),
        Settlement::Failed => failed(account, crosspost, why),
        Settlement::Skipped => {}
    }
}

/// Says that a crosspost has failed for good, and what its owner can do.
pub fn failed(account: &Label, crosspost: &Crosspost, why: &str) {
    tracing::error!(%account, crosspost = crosspost.id.0,
        "\"{}\" will not go to {}: {why}; mend it, then `posse-party retry {}`",
        report::title(&crosspost.title), account, crosspost.id);
}

/// Says that a crosspost waits for its media.
pub fn put_off(account: &Label, crosspost: &Crosspost, wait: Duration, why: &str) {
    let wait = humantime::format_duration(Duration::from_secs(wait.as_secs()));
    tracing::warn!(%account, crosspost = crosspost.id.0,
        "\"{}\" is not on {account} yet, looking for its media again in {wait}: {why}",
        report::title(&crosspost.title));
}

/// Says that a crosspost does not go out, on purpose.
pub fn skipped(account: &Label, crosspost: &Crosspost, why: &str) {
    tracing::info!(%account, crosspost = crosspost.id.0,
        "\"{}\" does not go to {account}: {why}", report::title(&crosspost.title));
}
