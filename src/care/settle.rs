//! Settle: what a look at a token found, into the database in one transaction, and then told.
//!
//! **Invariant:** what is told was committed before; whoever lost its turn changes nothing.

use std::time::Duration;

use super::NOTE;
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::names::Label;
use crate::platform::Platform;
use crate::publish::Renewal;
use crate::report;
use crate::store::accounts::{self, Account, Parked, set_note, turn};
use crate::store::{Connection, Result, Store, incidents};
use crate::token::{End, Life, REFUSED_NOTE, Said, Watch};

const DAY_S: u64 = 86_400;

/// What was looked at.
pub struct Case<'a> {
    /// The account's name.
    pub label: &'a Label,
    /// Its platform.
    pub platform: Platform,
    /// Its row, as it was before.
    pub account: Account,
    /// What was known of its token before.
    pub watch: Watch,
    /// Its own time of day.
    pub slot: Duration,
    /// When the answer was there.
    pub now: Timestamp,
}

/// What the owner is to hear of a look, once it is committed.
#[derive(Debug, Default)]
pub struct Settled {
    /// Until when a token is good that is new, where that is known.
    renewed: Option<Option<Timestamp>>,
    /// Incidents that began: key and message.
    opened: Vec<(String, String)>,
    /// Incidents that are over: key, when they had begun, message.
    over: Vec<(String, Timestamp, String)>,
    /// A failure of which the owner has heard.
    still: Option<String>,
    is_awake: bool,
    /// Whether what a post was refused for may be over.
    tries_again: bool,
}

impl Settled {
    /// Whether an account publishes again.
    pub fn is_awake(&self) -> bool {
        self.is_awake
    }

    /// Says it.
    pub fn say(self, label: &Label, now: Timestamp) {
        if let Some(until) = self.renewed {
            let until = until.map(|at| format!(": it is good until {}", date(at)));
            let until = until.unwrap_or_default();
            tracing::info!(account = %label, "renewed the token of {label}{until}");
        }
        for (key, since, message) in &self.over {
            report::resolved(key, *since, now, message);
        }
        for (key, message) in &self.opened {
            report::opened(key, message);
        }
        if self.tries_again {
            tracing::info!(account = %label, "{label} tries again");
        }
        if let Some(message) = self.still {
            tracing::info!(account = %label, "still: {message}");
        }
    }
}

/// Commits what became of a look, and ends its turn. Tells what there is to say, and when to look
/// again; nothing where the turn was lost.
///
/// # Errors
/// The database can't be written: then the next look finds the token as the publisher left it.
pub async fn settle(
    store: &Store,
    case: Case<'_>,
    holder: &str,
    renewed: std::result::Result<Renewal, Failure>,
) -> Result<(Settled, Option<Timestamp>)> {
    let Case { label, platform, account, mut watch, slot, now } = case;
    let (label, holder) = (label.clone(), holder.to_owned());
    store
        .write(move |tx| {
            if !turn::is_of(tx, account.id, &holder)? {
                tracing::debug!(account = %label, "the token was replaced while it was renewed");
                return Ok((Settled::default(), None));
            }
            turn::end(tx, account.id)?;
            let mut scene = Scene { tx, label: &label, platform, account: &account, now };
            let settled = scene.play(&mut watch, renewed)?;
            let next = match watch.failures {
                0 => watch.after_success(now, slot),
                _ => watch.after_failure(now, slot),
            };
            watch.next_at = Some(next);
            let note = serde_json::to_value(&watch).expect("plain data can be written as JSON");
            set_note(tx, account.id, NOTE, &note)?;
            Ok((settled, Some(next)))
        })
        .await
}

/// Whether the account can do nothing now.
pub fn is_of_account(renewed: &std::result::Result<Renewal, Failure>) -> bool {
    let (Err(failure) | Ok(Renewal::Unrenewed(_, failure))) = renewed else { return false };
    matches!(failure.class, Class::Account { .. })
}

/// One transaction over one account.
struct Scene<'a> {
    tx: &'a Connection,
    label: &'a Label,
    platform: Platform,
    account: &'a Account,
    now: Timestamp,
}

impl Scene<'_> {
    fn play(
        &mut self,
        watch: &mut Watch,
        renewed: std::result::Result<Renewal, Failure>,
    ) -> Result<Settled> {
        let mut settled = Settled::default();
        match renewed {
            Ok(Renewal::Unrenewed(life, failure)) => {
                watch.life = Some(life);
                self.fail(watch, failure, &mut settled)?;
            }
            Ok(renewal) => self.succeed(watch, renewal, &mut settled)?,
            Err(failure) => self.fail(watch, failure, &mut settled)?,
        }
        if let Some(life) = watch.life {
            self.tell_ends(watch, life, &mut settled)?;
        }
        Ok(settled)
    }

    fn succeed(
        &mut self,
        watch: &mut Watch,
        renewal: Renewal,
        settled: &mut Settled,
    ) -> Result<()> {
        let had_failed = std::mem::take(&mut watch.failures) > 0;
        let life = match renewal {
            Renewal::NotNeeded | Renewal::Unrenewed(..) => return Ok(()),
            Renewal::Renewed(life) => {
                settled.renewed = Some(life.expires_at);
                life
            }
            Renewal::Checked(life) | Renewal::TooYoung(life) => life,
        };
        watch.life = Some(life);
        let label = self.label;
        // an end that is near is told of until it is not near any more
        if had_failed || life.warnings_due(self.now, &[]).is_empty() {
            let again = if had_failed { "is renewed again" } else { "is good for long again" };
            let message = format!("the token of {label} {again}");
            self.resolve(&report::token_incident(label), message, settled)?;
        }
        if !life.is_over(self.now) {
            self.wake(watch, life, settled)?;
        }
        Ok(())
    }

    /// Ends a parking for the token, now that there is one that is good: of those that began here,
    /// and, where the token is a new one, of those that began with a post that was refused for it.
    /// Others have other reasons, and those with an end have their time.
    fn wake(&mut self, watch: &mut Watch, life: Life, settled: &mut Settled) -> Result<()> {
        let (label, id) = (self.label, self.account.id);
        let was_ours = std::mem::take(&mut watch.parked);
        let account = accounts::by_label(self.tx, label)?;
        let Some(parked) = account.and_then(|account| account.parked) else { return Ok(()) };
        let refused = accounts::note(self.tx, id, REFUSED_NOTE)?;
        let is_refused = refused.is_some_and(|words| words == parked.reason.as_str());
        // after a crash between the renewal and here, its date alone tells
        let is_later = life.expires_at.is_some() && life.obtained_at > parked.since;
        let is_new = settled.renewed.is_some() || is_later;
        if parked.until.is_some() || !(was_ours || is_refused && is_new) {
            return Ok(());
        }
        accounts::unpark(self.tx, id, self.now)?;
        settled.is_awake = true;
        if was_ours && !is_refused {
            let works = format!("the token of {label} works, and it publishes again");
            return self.resolve(&report::account_incident(label), works, settled);
        }
        // its incident stays open until a post is out: what only seems to be over is no news
        settled.tries_again = true;
        set_note(self.tx, id, REFUSED_NOTE, &serde_json::Value::Null)
    }

    fn fail(&mut self, watch: &mut Watch, failure: Failure, settled: &mut Settled) -> Result<()> {
        if let Class::Account { until, hint } = failure.class {
            // only its owner can help: one look a day is enough
            watch.failures = 0;
            return self.park(watch, failure.message, hint, until, settled);
        }
        watch.failures = watch.failures.saturating_add(1);
        let label = self.label;
        let end = watch.life.and_then(|life| life.expires_at).filter(|at| *at > self.now);
        let end = end.map(|at| format!(", which is good until {}", date(at))).unwrap_or_default();
        let message = format!(
            "the token of {label}{end}, could not be renewed, and is tried again by itself: {}; \
             {} gets a new one",
            failure.message,
            self.login()
        );
        let key = report::token_incident(label);
        if !self.is_parked()? && incidents::open(self.tx, &key, &message, self.now)? {
            settled.opened.push((key, message));
        } else {
            settled.still = Some(message);
        }
        Ok(())
    }

    /// Whether the account is parked without an end, of which the owner has been told.
    fn is_parked(&self) -> Result<bool> {
        // as it is now, and not as it was before the platform was asked
        let account = accounts::by_label(self.tx, self.label)?;
        Ok(account.and_then(|account| account.parked).is_some_and(|it| it.until.is_none()))
    }

    /// Parks the account, unless somebody has done so before. That it would come to this was told
    /// under the token's own incident, which is over with it, without a word.
    fn park(
        &mut self,
        watch: &mut Watch,
        reason: String,
        hint: String,
        until: Option<Timestamp>,
        settled: &mut Settled,
    ) -> Result<()> {
        let label = self.label;
        incidents::resolve(self.tx, &report::token_incident(label), self.now)?;
        if self.is_parked()? {
            return Ok(());
        }
        let message = format!("{label} is parked, its queue waits: {reason}; {hint}");
        let key = report::account_incident(label);
        if incidents::open_or_change(self.tx, &key, &reason, self.now)? {
            settled.opened.push((key, message));
        }
        let parked = Parked { reason, hint, since: self.now, until };
        accounts::park(self.tx, self.account.id, &parked)?;
        watch.parked = true;
        Ok(())
    }

    /// Says in time that something ends; parks the account when it has.
    fn tell_ends(&mut self, watch: &mut Watch, life: Life, settled: &mut Settled) -> Result<()> {
        if life.is_over(self.now) {
            let ended = life.expires_at.map(date).unwrap_or_default();
            let (reason, hint) = (format!("its token ended on {ended}"), self.login());
            return self.park(watch, reason, format!("{hint} gets a new one"), None, settled);
        }
        if self.is_parked()? {
            return Ok(());
        }
        let key = report::token_incident(self.label);
        // a failure that was told just now has named the end of the token
        let is_told = settled.opened.iter().any(|(told, _)| *told == key);
        for said in life.warnings_due(self.now, &watch.said) {
            watch.said.push(said);
            if is_told && said.what == End::Token {
                continue;
            }
            let message = self.ending(said);
            incidents::open_or_change(self.tx, &key, &message, self.now)?;
            settled.opened.push((key.clone(), message));
        }
        // what was said of ends that are no more can be forgotten
        watch.said.retain(|said| life.ends().any(|end| end == (said.what, said.at)));
        Ok(())
    }

    fn ending(&self, Said { what, at, .. }: Said) -> String {
        let (label, login) = (self.label, self.login());
        let days = usize::try_from(at.since(self.now).as_secs() / DAY_S).unwrap_or(usize::MAX);
        let left = match days {
            0 => "in less than a day".to_owned(),
            days => format!("in {}", report::count(days, "day")),
        };
        let (what, then) = match what {
            End::Token => ("token", "and then nothing goes out"),
            End::DataAccess => ("right to read", "and then its posts can't be looked up"),
        };
        format!("the {what} of {label} ends {left}, on {}, {then}; {login} renews it", date(at))
    }

    fn login(&self) -> String {
        format!("`posse-party login {} {}`", self.platform.tag(), self.label)
    }

    fn resolve(&self, key: &str, message: String, settled: &mut Settled) -> Result<()> {
        if let Some(since) = incidents::resolve(self.tx, key, self.now)? {
            settled.over.push((key.to_owned(), since, message));
        }
        Ok(())
    }
}

/// A day as people write it: `2026-11-23`.
fn date(at: Timestamp) -> String {
    at.to_datetime().format("%Y-%m-%d").to_string()
}
