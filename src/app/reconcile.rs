//! Reconcile: what the config says, brought into the database in one transaction, and what the owner
//! should hear of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::{Cadence, Config, Credentials};
use crate::names::{CrosspostId, Label};
use crate::report;
use crate::store::accounts::{self, Wanted};
use crate::store::feeds;
use crate::store::{Result, Store, Transaction, incidents, views};

const DAY: Duration = Duration::from_secs(86_400);

/// What a config changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Accounts that new credentials woke from their parking, and when that had begun.
    pub woken: BTreeMap<Label, Timestamp>,
    /// Incidents of tokens that are over, because the token is another one: the account, the key,
    /// and when it had begun.
    pub renewed: Vec<(Label, String, Timestamp)>,
    /// Doubts that nobody can settle any more but the owner, and why.
    pub doubts: Vec<(CrosspostId, String)>,
    /// Accounts that are not configured any more, and how many posts wait there.
    pub left: BTreeMap<Label, u64>,
}

impl Reconciled {
    /// Says it.
    pub fn say(&self, now: Timestamp) {
        for (label, since) in &self.woken {
            let key = report::account_incident(label);
            let message = format!("{label} has new credentials and publishes again");
            report::resolved(&key, *since, now, &message);
        }
        for (label, key, since) in &self.renewed {
            report::resolved(key, *since, now, &format!("{label} has new credentials"));
        }
        for (id, why) in &self.doubts {
            report::opened(
                &report::doubt_incident(*id),
                &format!(
                    "crosspost {id} waits for you, because nobody could find out whether it is \
                     public, and {why}; look there, then `posse-party resolve {id} --published \
                     URL` or `posse-party resolve {id} --retry`"
                ),
            );
        }
        for (label, waiting) in &self.left {
            let posts = report::count(usize::try_from(*waiting).unwrap_or(usize::MAX), "post");
            tracing::warn!(account = %label,
                "{label} is not in the config any more (or not active): {posts} that waited there \
                 stay unsent; under its old label they would go out");
        }
    }
}

/// Brings feeds, accounts and routes in; what is not configured any more is deactivated, never
/// deleted.
///
/// # Errors
/// The database can't be written: then nothing is changed.
pub async fn reconcile(store: &Store, config: &Config, now: Timestamp) -> Result<Reconciled> {
    let config = config.clone();
    store.write(move |tx| bring_in(tx, &config, now)).await
}

fn bring_in(tx: &Transaction<'_>, config: &Config, now: Timestamp) -> Result<Reconciled> {
    let mut done = Reconciled::default();
    let active = |label: &Label| config.accounts.get(label).is_some_and(|account| account.active);
    for account in accounts::all(tx)?.iter().filter(|account| account.active) {
        let waiting = views::waiting_on(tx, account.id)?;
        if !active(&account.label) && waiting > 0 {
            done.left.insert(account.label.clone(), waiting);
        }
    }
    let feeds: Vec<_> = config
        .feeds
        .iter()
        .map(|(label, feed)| feeds::Wanted {
            label,
            url: feed.url.as_str(),
            active: feed.active,
            has_times: match feed.cadence {
                Cadence::Auto => false,
                Cadence::Every(distance) => distance > DAY,
                Cadence::Cron { .. } => true,
            },
        })
        .collect();
    feeds::reconcile(tx, &feeds, now)?;
    let wanted: Vec<_> = config
        .accounts
        .iter()
        .map(|(label, account)| Wanted {
            label,
            platform: account.platform,
            active: account.active,
            fingerprint: account.credentials.as_ref().map(Credentials::fingerprint),
        })
        .collect();
    let changed = accounts::reconcile(tx, &wanted, now)?;
    for doubt in changed.doubts {
        let message = "its account has become one of another platform".to_owned();
        incidents::open(tx, &report::doubt_incident(doubt), &message, now)?;
        done.doubts.push((doubt, message));
    }
    let routes: Vec<_> = config
        .feeds
        .keys()
        .flat_map(|feed| config.accounts_of(feed).map(move |(account, _)| (feed, account)))
        .collect();
    accounts::reconcile_routes(tx, &routes)?;
    for label in changed.woken {
        if let Some(at) = incidents::resolve(tx, &report::account_incident(&label), now)? {
            done.woken.insert(label, at);
        }
    }
    for label in changed.renewed {
        let key = report::token_incident(&label);
        if let Some(at) = incidents::resolve(tx, &key, now)? {
            done.renewed.push((label, key, at));
        }
    }
    let labels: Vec<&str> = config.accounts.keys().map(Label::as_str).collect();
    for prefix in ["account:", "token:"] {
        incidents::resolve_others(tx, prefix, &labels, now)?;
    }
    let labels: Vec<&str> = config.feeds.keys().map(Label::as_str).collect();
    incidents::resolve_others(tx, "feed:", &labels, now)?;
    incidents::resolve_others(tx, "held:", &labels, now)?;
    Ok(done)
}
