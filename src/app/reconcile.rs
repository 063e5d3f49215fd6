//! Reconcile: what the config says, brought into the database in one transaction.

use std::collections::BTreeMap;

use crate::clock::Timestamp;
use crate::config::{Config, Credentials};
use crate::names::Label;
use crate::report;
use crate::store::accounts::{self, Wanted};
use crate::store::{Result, Store, feeds, incidents};

/// Brings feeds, accounts and routes in; what is not configured any more is deactivated. Gives the
/// accounts that new credentials woke from their parking, and when that had begun.
///
/// # Errors
/// The database can't be written: then nothing is changed.
pub async fn reconcile(
    store: &Store,
    config: &Config,
    now: Timestamp,
) -> Result<Vec<(Label, Timestamp)>> {
    let config = config.clone();
    store
        .write(move |tx| {
            let feeds: Vec<_> = config
                .feeds
                .iter()
                .map(|(label, feed)| (label, feed.url.as_str(), feed.active))
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
            let woken = accounts::reconcile(tx, &wanted)?;
            let routes: Vec<_> = config
                .feeds
                .keys()
                .flat_map(|feed| config.accounts_of(feed).map(move |(account, _)| (feed, account)))
                .collect();
            accounts::reconcile_routes(tx, &routes)?;
            let mut since = BTreeMap::new();
            for label in woken {
                if let Some(at) = incidents::resolve(tx, &report::account_incident(&label), now)? {
                    since.insert(label, at);
                }
            }
            Ok(since.into_iter().collect())
        })
        .await
}
