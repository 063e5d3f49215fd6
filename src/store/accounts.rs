//! Accounts: where posts go, whether they may, and what each account remembers.

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde_json::Value;

use super::Result;
use crate::clock::Timestamp;
use crate::config::is_other_way_in;
use crate::names::{AccountId, CrosspostId, FeedId, Label};
use crate::platform::Platform;

pub mod turn; // who may change a token

/// No platform is obeyed for longer than this when it says "not before".
const WAIT_MAX: std::time::Duration = std::time::Duration::from_secs(25 * 3600);

/// An account as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Row number.
    pub id: AccountId,
    /// The owner's name for it.
    pub label: Label,
    /// The tag of its platform.
    pub platform: String,
    /// Whether it publishes.
    pub active: bool,
    /// Why it publishes nothing for now.
    pub parked: Option<Parked>,
    /// Nothing is sent before this: the platform asked for it, or could not be reached.
    pub not_before: Timestamp,
}

/// Why an account is parked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// What happened.
    pub reason: String,
    /// What the owner should do.
    pub hint: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
}

/// What a reconciliation changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The accounts whose credentials are others now: what was known of their tokens is forgotten.
    pub renewed: Vec<Label>,
    /// The accounts that new credentials woke from their parking.
    pub woken: Vec<Label>,
    /// The doubts that wait for a person now, because their account is of another platform.
    pub doubts: Vec<CrosspostId>,
}

/// An account that the config wants.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Its label.
    pub label: &'a Label,
    /// Its platform.
    pub platform: Platform,
    /// Whether it publishes.
    pub active: bool,
    /// Fingerprint of its credentials.
    pub fingerprint: Option<String>,
}

const COLUMNS: &str = "id, label, platform, active, parked_reason, parked_hint, parked_since,
    parked_until, not_before";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Account> {
    let reason: Option<String> = row.get(4)?;
    let parked = match reason {
        Some(reason) => Some(Parked {
            reason,
            hint: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
            since: Timestamp::from_millis(row.get(6)?),
            until: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_millis),
        }),
        None => None,
    };
    Ok(Account {
        id: AccountId(row.get(0)?),
        label: super::label(row, 1)?,
        platform: row.get(2)?,
        active: row.get(3)?,
        parked,
        not_before: Timestamp::from_millis(row.get(8)?),
    })
}

/// The account of a label, active or not.
///
/// # Errors
/// The database can't be read.
pub fn by_label(connection: &Connection, label: &Label) -> Result<Option<Account>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM accounts WHERE label = ?1"))?;
    Ok(statement.query_row([label.as_str()], from_row).optional()?)
}

/// All accounts that the database knows.
///
/// # Errors
/// The database can't be read.
pub fn all(connection: &Connection) -> Result<Vec<Account>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM accounts ORDER BY label"))?;
    let rows = statement.query_map((), from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Brings the accounts of the config in. Those that are not `wanted` any more are deactivated,
/// never deleted. Changed credentials wake a parked account and make it forget its sessions.
///
/// # Errors
/// The database can't be written.
pub fn reconcile(
    connection: &Connection,
    wanted: &[Wanted<'_>],
    now: Timestamp,
) -> Result<Changed> {
    let mut changed = Changed::default();
    // a clock that was wrong must not silence an account: nobody asks for more than a day
    connection.execute(
        "UPDATE accounts SET not_before = 0 WHERE not_before > ?1",
        [now.plus(WAIT_MAX).as_millis()],
    )?;
    connection.execute("UPDATE accounts SET active = 0", ())?;
    for account in wanted {
        let before: Option<(i64, Option<String>, Option<String>, String)> = connection
            .prepare_cached(
                "SELECT id, fingerprint, parked_reason, platform FROM accounts WHERE label = ?1",
            )?
            .query_row([account.label.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let is_other = before.as_ref().is_none_or(|(_, fingerprint, _, platform)| {
            platform != account.platform.tag()
                || is_other_way_in(fingerprint.as_deref(), account.fingerprint.as_deref())
        });
        // that of a token that was taken out of the config stays: put back, it is no new one
        let kept = before.as_ref().filter(|_| !is_other).and_then(|before| before.1.clone());
        connection
            .prepare_cached(
                "INSERT INTO accounts (label, platform, active, fingerprint)
                 VALUES (:label, :platform, :active, :fingerprint)
                 ON CONFLICT (label) DO UPDATE SET
                    platform = :platform, active = :active, fingerprint = :fingerprint",
            )?
            .execute(named_params! {
                ":label": account.label.as_str(),
                ":platform": account.platform.tag(),
                ":active": account.active,
                ":fingerprint": kept.as_ref().or(account.fingerprint.as_ref()),
            })?;
        let Some((id, _, parked, platform)) = before else { continue };
        if platform != account.platform.tag() {
            changed.doubts.extend(become_another(connection, AccountId(id))?);
        }
        if is_other {
            changed.renewed.push(account.label.clone());
            unpark(connection, AccountId(id), now)?;
            connection.execute("DELETE FROM account_notes WHERE account_id = ?1", [id])?;
            if parked.is_some() {
                changed.woken.push(account.label.clone());
            }
        }
    }
    Ok(changed)
}

/// Brings the routes in: which feed goes to which account. A route that was gone and comes back
/// starts afresh, so that what appeared meanwhile is set aside and not poured out.
///
/// # Errors
/// The database can't be written.
pub fn reconcile_routes(connection: &Connection, wanted: &[(&Label, &Label)]) -> Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS wanted_routes (feed_id INTEGER, account_id INTEGER);
         DELETE FROM wanted_routes;",
    )?;
    let mut want = connection.prepare_cached(
        "INSERT INTO wanted_routes
         SELECT f.id, a.id FROM feeds f, accounts a WHERE f.label = ?1 AND a.label = ?2",
    )?;
    for (feed, account) in wanted {
        want.execute((feed.as_str(), account.as_str()))?;
    }
    connection.execute_batch(
        "DELETE FROM routes WHERE (feed_id, account_id) NOT IN
            (SELECT feed_id, account_id FROM wanted_routes);
         INSERT OR IGNORE INTO routes (feed_id, account_id)
            SELECT feed_id, account_id FROM wanted_routes;",
    )?;
    Ok(())
}

/// A route of a feed, for the poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The account.
    pub account: AccountId,
    /// Its label.
    pub label: Label,
    /// Whether what was there at first sight was set aside already.
    pub baselined: bool,
}

/// The routes of a feed to active accounts.
///
/// # Errors
/// The database can't be read.
pub fn routes_of(connection: &Connection, feed: FeedId) -> Result<Vec<Route>> {
    let mut statement = connection.prepare_cached(
        "SELECT a.id, a.label, r.baselined_at IS NOT NULL FROM routes r
         JOIN accounts a ON a.id = r.account_id
         WHERE r.feed_id = ?1 AND a.active = 1 ORDER BY a.label",
    )?;
    let rows = statement.query_map([feed.0], |row| {
        Ok(Route {
            account: AccountId(row.get(0)?),
            label: super::label(row, 1)?,
            baselined: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Remembers that what was there at first sight of a route was set aside.
///
/// # Errors
/// The database can't be written.
pub fn set_baselined(
    connection: &Connection,
    feed: FeedId,
    account: AccountId,
    now: Timestamp,
) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE routes SET baselined_at = ?3 WHERE feed_id = ?1 AND account_id = ?2",
    )?;
    statement.execute((feed.0, account.0, now.as_millis()))?;
    Ok(())
}

/// Forgets that what was there was set aside, as when a feed has become another one.
///
/// # Errors
/// The database can't be written.
pub fn forget_baselines(connection: &Connection, feed: FeedId) -> Result<()> {
    connection.execute("UPDATE routes SET baselined_at = NULL WHERE feed_id = ?1", [feed.0])?;
    Ok(())
}

/// Parks an account: its queue stays, nothing is sent.
///
/// # Errors
/// The database can't be written.
pub fn park(connection: &Connection, account: AccountId, parked: &Parked) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE accounts SET parked_reason = ?2, parked_hint = ?3,
            parked_since = coalesce(parked_since, ?4), parked_until = ?5
         WHERE id = ?1",
    )?;
    statement.execute((
        account.0,
        &parked.reason,
        &parked.hint,
        parked.since.as_millis(),
        parked.until.map(Timestamp::as_millis),
    ))?;
    Ok(())
}

/// What waits on an account that is of another platform now was composed for, and may stand on,
/// the old one: doubts wait for a person, drafts are made anew.
fn become_another(connection: &Connection, account: AccountId) -> Result<Vec<CrosspostId>> {
    // uncertain → held
    let doubts = connection
        .prepare(
            "UPDATE crossposts SET state = 'held', reason = 'nobody could find out whether it \
                is public: the account has become one of another platform'
             WHERE account_id = ?1 AND state = 'uncertain' RETURNING id",
        )?
        .query_map([account.0], |row| row.get(0).map(CrosspostId))?
        .collect::<rusqlite::Result<_>>()?;
    connection.execute(
        "DELETE FROM crosspost_notes WHERE crosspost_id IN
            (SELECT id FROM crossposts WHERE account_id = ?1 AND state = 'ready')",
        [account.0],
    )?;
    connection.execute(
        "UPDATE crossposts SET draft = NULL, attempts = 0, doubts = 0, first_attempt_at = NULL
         WHERE account_id = ?1 AND state = 'ready'",
        [account.0],
    )?;
    Ok(doubts)
}

/// Ends the parking of an account, and what waits for a later try is due now. Tells whether the
/// account was parked or held back.
///
/// # Errors
/// The database can't be written.
pub fn unpark(connection: &Connection, account: AccountId, now: Timestamp) -> Result<bool> {
    connection.execute(
        "UPDATE crossposts SET due_at = min(due_at, ?2), first_attempt_at = ?2
         WHERE account_id = ?1 AND state IN ('ready', 'uncertain') AND attempts > 0",
        (account.0, now.as_millis()),
    )?;
    let mut statement = connection.prepare_cached(
        "UPDATE accounts SET parked_reason = NULL, parked_hint = NULL, parked_since = NULL,
            parked_until = NULL, not_before = 0
         WHERE id = ?1 AND (parked_reason IS NOT NULL OR not_before <> 0)",
    )?;
    Ok(statement.execute([account.0])? > 0)
}

/// Sends nothing to an account before `at`.
///
/// # Errors
/// The database can't be written.
pub fn hold_until(connection: &Connection, account: AccountId, at: Timestamp) -> Result<()> {
    let mut statement = connection
        .prepare_cached("UPDATE accounts SET not_before = max(not_before, ?2) WHERE id = ?1")?;
    statement.execute((account.0, at.as_millis()))?;
    Ok(())
}

/// What the account remembers under `key`.
///
/// # Errors
/// The database can't be read.
pub fn note(connection: &Connection, account: AccountId, key: &str) -> Result<Option<Value>> {
    let mut statement = connection
        .prepare_cached("SELECT value FROM account_notes WHERE account_id = ?1 AND key = ?2")?;
    let value: Option<String> =
        statement.query_row((account.0, key), |row| row.get(0)).optional()?;
    Ok(value.map(|value| serde_json::from_str(&value)).transpose()?)
}

/// Makes the account remember `value` under `key`; null forgets it.
///
/// # Errors
/// The database can't be written.
pub fn set_note(
    connection: &Connection,
    account: AccountId,
    key: &str,
    value: &Value,
) -> Result<()> {
    if value.is_null() {
        connection
            .prepare_cached("DELETE FROM account_notes WHERE account_id = ?1 AND key = ?2")?
            .execute((account.0, key))?;
    } else {
        connection
            .prepare_cached(
                "INSERT INTO account_notes (account_id, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET value = excluded.value",
            )?
            .execute((account.0, key, value.to_string()))?;
    }
    Ok(())
}
