//! Settle: a verdict into the ledger, with what it means for the account, in one transaction.
//!
//! **Invariant:** an answer that is known is never dropped while the daemon runs.

use tokio_util::sync::CancellationToken;

use super::decide::{Effect, Verdict};
use super::say::{self, News};
use super::{STORE_WAIT, Worker};
use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::draft::Draft;
use crate::names::CrosspostId;
use crate::report;
use crate::store::accounts::{self, Parked};
use crate::store::crossposts::{self, Crosspost, Settlement};
use crate::store::{Result, incidents};
use crate::token::REFUSED_NOTE;

impl Worker {
    /// Claims and settles in one transaction: nothing was, and nothing will be, sent. Tells whether
    /// there was still something to settle.
    pub(super) async fn settle_unsent(
        &self,
        crosspost: &Crosspost,
        draft: Option<Draft>,
        settlement: Settlement,
        reason: String,
    ) -> Result<bool> {
        let (id, now) = (crosspost.id, self.clock.now());
        let is_final = settlement.state().is_final();
        let settled = self
            .store
            .write(move |tx| {
                let Some(attempt) = crossposts::claim(tx, id, draft.as_ref(), now)? else {
                    return Ok(false);
                };
                let key = (id, attempt);
                crossposts::settle(tx, key, State::Sending, &settlement, Some(&reason), now)?;
                Ok(true)
            })
            .await?;
        if settled && is_final {
            self.unhost(id).await;
        }
        Ok(settled)
    }

    /// Takes away what was served of a crosspost that is settled. What stays, because the daemon
    /// ends just now, goes with the next tidying.
    async fn unhost(&self, crosspost: CrosspostId) {
        let Some(host) = self.host.clone() else { return };
        let clear = move || host.clear(|owner| owner == crosspost);
        // nothing depends on it
        let _ = tokio::task::spawn_blocking(clear).await;
    }

    /// Commits a verdict, however long the database takes: an answer that is known is never
    /// dropped. When the daemon must stop first, the row stays as it is, and the next start asks
    /// the platform.
    pub(super) async fn settle(
        &self,
        (crosspost, attempt): (&Crosspost, i64),
        from: State,
        verdict: Verdict,
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut told = false;
        loop {
            let now = self.clock.now();
            match self.commit((crosspost, attempt), from, &verdict, now).await {
                Ok(news) => {
                    if verdict.settlement.state().is_final() {
                        self.unhost(crosspost.id).await;
                    }
                    say::verdict(&self.label, crosspost, &verdict, news, now);
                    return Ok(());
                }
                Err(error) if error.passing && !stop.is_cancelled() => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(account = %self.label, crosspost = crosspost.id.0,
                            "what became of \"{}\" on {} can't be stored, trying on: {error}",
                            report::title(&crosspost.title), self.label);
                    }
                    self.beat();
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(STORE_WAIT) => {}
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The verdict, what it means for the account, and its incident: one transaction.
    async fn commit(
        &self,
        (crosspost, attempt): (&Crosspost, i64),
        from: State,
        verdict: &Verdict,
        now: Timestamp,
    ) -> Result<News> {
        let (id, account) = (crosspost.id, self.account);
        let key = report::account_incident(&self.label);
        let token = report::token_incident(&self.label);
        let verdict = verdict.clone();
        self.store
            .write(move |tx| {
                let overtaken = from == State::Uncertain
                    && crossposts::settle_overtaken(tx, (id, attempt), &verdict.settlement, now)?;
                if overtaken {
                    return Ok(News { overtaken: true, ..News::default() });
                }
                let reason = verdict.reason.as_deref();
                crossposts::settle(tx, (id, attempt), from, &verdict.settlement, reason, now)?;
                let message = verdict.reason.unwrap_or_default();
                let mut news = News::default();
                match verdict.account {
                    Effect::None => {}
                    Effect::HoldUntil(at) => accounts::hold_until(tx, account, at)?,
                    Effect::Park { hint, until } => {
                        news.opened = incidents::open_or_change(tx, &key, &message, now)?;
                        let parked = Parked { reason: message.clone(), hint, since: now, until };
                        accounts::park(tx, account, &parked)?;
                        // one dead token is one incident: that it could not be renewed, or would
                        // end, is over with it
                        let refused = accounts::note(tx, account, REFUSED_NOTE)?;
                        if refused.is_some_and(|words| words == message.as_str()) {
                            incidents::resolve(tx, &token, now)?;
                        }
                    }
                }
                match verdict.settlement {
                    Settlement::Held => {
                        let doubt = report::doubt_incident(id);
                        news.opened = incidents::open(tx, &doubt, &message, now)?;
                    }
                    Settlement::Published(_) => {
                        news.over_since = incidents::resolve(tx, &key, now)?;
                    }
                    _ => {}
                }
                Ok(news)
            })
            .await
    }
}
