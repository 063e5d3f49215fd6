//! Target: for whom a post is previewed, an account or a platform alone, and what may be sent there.

use crate::config::AccountConfig;
use crate::names::Label;
use crate::platform::{Limits, MediaLimits, Platform};
use crate::publish;
use crate::store::{Result, Store, accounts};

/// For whom a post is previewed.
#[derive(Clone, Debug)]
pub struct Target {
    /// The platform.
    pub platform: Platform,
    /// The account; absent for a platform alone.
    pub account: Option<(Label, AccountConfig)>,
    /// What may be sent.
    pub limits: Limits,
    /// Which media may be sent.
    pub media_limits: MediaLimits,
    /// Whether the limits are the server's own, or those of every server of the platform.
    pub limits_are_known: bool,
}

impl Target {
    /// A platform without an account.
    pub fn of_platform(platform: Platform) -> Self {
        Self {
            platform,
            account: None,
            limits: platform.limits(),
            media_limits: platform.media(),
            limits_are_known: true,
        }
    }

    /// An account, with the limits that it remembers of its server.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn of_account(
        label: &Label,
        account: &AccountConfig,
        store: Option<&Store>,
    ) -> Result<Self> {
        let (limits, media_limits) = match store {
            Some(store) => {
                let (label, account) = (label.clone(), account.clone());
                let remembered = move |db: &_| {
                    let row = accounts::by_label(db, &label)?;
                    let Some(row) = row else { return Ok((None, None)) };
                    let memory = |place: &str| accounts::note(db, row.id, place).ok().flatten();
                    let limits = publish::remembered_limits(&account, memory);
                    Ok((limits, publish::remembered_media_limits(&account, memory)))
                };
                store.read(remembered).await?
            }
            None => (publish::remembered_limits(account, |_| None), None),
        };
        Ok(Self {
            platform: account.platform,
            account: Some((label.clone(), account.clone())),
            limits: limits.unwrap_or(account.platform.limits()),
            media_limits: media_limits.unwrap_or(account.platform.media()),
            limits_are_known: limits.is_some(),
        })
    }

    /// The account's label; empty for a platform alone.
    pub fn label(&self) -> &str {
        self.account.as_ref().map_or("", |(label, _)| label.as_str())
    }
}
