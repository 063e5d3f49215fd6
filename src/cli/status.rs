//! `status`: feeds, accounts, queue, alerts, and what happens next and when.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Args;
use serde::Serialize;
use url::Url;

use super::desk::{Desk, wait};
use super::say::{BAD, GOOD, Grid, PLAIN, QUIET, WAITS, Width, clean, from_now, styled};
use super::{Answer, CliError};
use crate::care;
use crate::clock::Timestamp;
use crate::config::AccountConfig;
use crate::crosspost::State;
use crate::deliver::gate::{self, Gate, Recent};
use crate::http;
use crate::names::Label;
use crate::store::accounts::{self, Account};
use crate::store::incidents::{self, Incident};
use crate::store::views::{self, FeedLine, rfc3339};
use crate::store::{Connection, Result, crossposts};
use crate::token::Life;

/// Show feeds, accounts, the queue, and what happens next
#[derive(Debug, Args)]
#[command(after_help = "Example:
  posse-party status --json | jq '.accounts[] | select(.state == \"parked\")'")]
pub struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Status {
    feeds: Vec<FeedStatus>,
    accounts: Vec<AccountStatus>,
    counts: BTreeMap<State, u64>,
    incidents: Vec<IncidentStatus>,
    daemon: &'static str,
    database: String,
}

#[derive(Serialize)]
struct FeedStatus {
    label: Label,
    url: String,
    title: Option<String>,
    active: bool,
    #[serde(serialize_with = "rfc3339")]
    last_poll: Option<Timestamp>,
    #[serde(serialize_with = "rfc3339")]
    next_poll: Option<Timestamp>,
    last_error: Option<String>,
    errors: u32,
    entries: u64,
}

#[derive(Serialize)]
struct AccountStatus {
    label: Label,
    platform: String,
    state: &'static str,
    parked_reason: Option<String>,
    parked_hint: Option<String>,
    #[serde(serialize_with = "rfc3339")]
    parked_since: Option<Timestamp>,
    #[serde(serialize_with = "rfc3339")]
    parked_until: Option<Timestamp>,
    queue: BTreeMap<State, u64>,
    #[serde(serialize_with = "rfc3339")]
    next_due: Option<Timestamp>,
    token: Option<TokenStatus>,
}

#[derive(Serialize)]
struct TokenStatus {
    #[serde(serialize_with = "rfc3339")]
    expires_at: Option<Timestamp>,
    days_left: Option<u64>,
    #[serde(serialize_with = "rfc3339")]
    data_access_expires_at: Option<Timestamp>,
    #[serde(serialize_with = "rfc3339")]
    refresh_after: Option<Timestamp>,
}

impl TokenStatus {
    fn new(life: Life, now: Timestamp) -> Self {
        let Life { expires_at, data_access_expires_at, refresh_after, .. } = life;
        let days_left = expires_at.map(|at| at.since(now).as_secs() / gate::DAY.as_secs());
        let refresh_after = Some(refresh_after);
        Self { expires_at, days_left, data_access_expires_at, refresh_after }
    }

    /// In a few words, and whether the owner should see to it.
    fn told(&self, now: Timestamp) -> (String, bool) {
        let ends = [self.expires_at, self.data_access_expires_at].into_iter().flatten().min();
        match ends {
            Some(at) if at <= now => ("has ended".into(), true),
            Some(at) => (format!("ends {}", from_now(at, now)), at < now.plus(gate::DAY * 14)),
            None => ("no end is known".into(), false),
        }
    }
}

#[derive(Serialize)]
struct IncidentStatus {
    key: String,
    message: String,
    #[serde(serialize_with = "rfc3339")]
    since: Option<Timestamp>,
}

/// Shows how things stand.
///
/// # Errors
/// The database can't be used.
pub fn status(path: &Path, arguments: &Arguments) -> std::result::Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let (configured, now) = (desk.config.accounts.clone(), desk.now);
        let (feeds, accounts, counts, incidents) = desk
            .store
            .read(move |db| {
                let all = accounts::all(db)?;
                let accounts: Result<Vec<_>> = all
                    .into_iter()
                    .map(|account| {
                        let config = configured.get(&account.label);
                        account_status(db, account, config, now)
                    })
                    .collect();
                Ok((
                    views::feeds(db)?,
                    accounts?,
                    views::counts(db, None)?,
                    incidents::all_open(db)?,
                ))
            })
            .await?;
        let status = Status {
            feeds: feeds.into_iter().map(feed_status).collect(),
            accounts,
            counts: counts.into_iter().collect(),
            incidents: incidents.into_iter().map(incident_status).collect(),
            daemon: if desk.has_daemon() { "running" } else { "stopped" },
            database: desk.config.database.display().to_string(),
        };
        if arguments.json {
            return Ok(Answer::json(&status));
        }
        Ok(Answer::well(told(&status, &desk)))
    })
}

fn feed_status(feed: FeedLine) -> FeedStatus {
    let FeedLine { label, url, title, active, last_poll, next_poll, last_error, errors, entries } =
        feed;
    // an address may hold a password or a key
    let url = Url::parse(&url).map_or_else(|_| "?".into(), |url| http::shown(&url));
    let next_poll = next_poll.filter(|_| active);
    FeedStatus { label, url, title, active, last_poll, next_poll, last_error, errors, entries }
}

fn incident_status(incident: Incident) -> IncidentStatus {
    let Incident { key, message, opened_at } = incident;
    IncidentStatus { key, message, since: Some(opened_at) }
}

fn account_status(
    db: &Connection,
    account: Account,
    config: Option<&AccountConfig>,
    now: Timestamp,
) -> Result<AccountStatus> {
    let queue: BTreeMap<State, u64> = views::counts(db, Some(account.id))?.into_iter().collect();
    let (count, first, last) =
        crossposts::published_since(db, account.id, now.minus(gate::DAY), now)?;
    let own = gate::of_account(&account, now);
    let pace = config
        .map_or(Gate::Open, |config| gate::of_pace(config, Recent { count, first, last }, now));
    let state = match own {
        _ if !account.active => "inactive",
        _ if account.parked.is_some() => "parked",
        _ if config.is_some_and(|config| config.dry_run) => "dry_run",
        Gate::ClosedUntil(_) => "waiting",
        _ => "ok",
    };
    let due = views::earliest_due(db, account.id)?.filter(|_| account.active);
    let next_due = due.and_then(|due| match (own, pace) {
        (Gate::Closed, _) => None,
        (Gate::ClosedUntil(one), Gate::ClosedUntil(two)) => Some(due.max(one).max(two)),
        (Gate::ClosedUntil(at), _) | (_, Gate::ClosedUntil(at)) => Some(due.max(at)),
        _ => Some(due),
    });
    let life = care::watch(db, &account)?.life.filter(|_| account.active);
    let parked = account.parked;
    Ok(AccountStatus {
        token: life.map(|life| TokenStatus::new(life, now)),
        label: account.label,
        platform: account.platform,
        state,
        parked_since: parked.as_ref().map(|parked| parked.since),
        parked_until: parked.as_ref().and_then(|parked| parked.until),
        parked_reason: parked.as_ref().map(|parked| parked.reason.clone()),
        parked_hint: parked.map(|parked| parked.hint),
        queue,
        next_due,
    })
}

/// The status as text.
fn told(status: &Status, desk: &Desk) -> String {
    let now = desk.now;
    let (style, daemon) = if desk.has_daemon() { (GOOD, "runs") } else { (WAITS, "does not run") };
    let mut text =
        format!("the daemon {}, on {}\n", styled(style, daemon), clean(&status.database));
    text.push('\n');
    text.push_str(&feed_table(&status.feeds, now));
    text.push('\n');
    text.push_str(&account_table(&status.accounts, now));
    let mut hints = Vec::new();
    for incident in &status.incidents {
        let since = incident.since.map_or_else(String::new, |at| from_now(at, now));
        let line = format!("{} ({since}): {}", incident.key, clean(&incident.message));
        hints.push(styled(BAD, &line));
    }
    hints.extend(next_steps(status, desk));
    if !hints.is_empty() {
        text.push('\n');
    }
    hints.iter().for_each(|hint| text.extend([hint, "\n"]));
    text
}

fn feed_table(feeds: &[FeedStatus], now: Timestamp) -> String {
    let mut grid = Grid::new(&[
        ("FEED", Width::Whole),
        ("ENTRIES", Width::Whole),
        ("LAST POLL", Width::Whole),
        ("NEXT POLL", Width::Whole),
        ("", Width::Short),
    ]);
    for feed in feeds {
        let (style, remark) = match &feed.last_error {
            _ if !feed.active => (QUIET, "not active".into()),
            Some(error) if feed.errors == 1 => (BAD, format!("failed once: {error}")),
            Some(error) => (BAD, format!("failed {} times: {error}", feed.errors)),
            None => (PLAIN, feed.title.clone().unwrap_or_default()),
        };
        let next = match feed.next_poll {
            Some(at) => from_now(at.max(now), now),
            None => "never".into(),
        };
        grid.row(
            style,
            vec![
                feed.label.to_string(),
                feed.entries.to_string(),
                feed.last_poll.map_or_else(|| "never".into(), |at| from_now(at, now)),
                next,
                remark,
            ],
        );
    }
    grid.lines()
}

fn account_table(accounts: &[AccountStatus], now: Timestamp) -> String {
    let mut heads = vec![
        ("ACCOUNT", Width::Whole),
        ("PLATFORM", Width::Short),
        ("STATE", Width::Whole),
        ("READY", Width::Whole),
        ("HELD", Width::Whole),
        ("DOUBT", Width::Whole),
        ("FAILED", Width::Whole),
        ("PUBLISHED", Width::Whole),
        ("NEXT", Width::Short),
    ];
    // most platforms' credentials have no age
    let has_tokens = accounts.iter().any(|account| account.token.is_some());
    if has_tokens {
        heads.push(("TOKEN", Width::Short));
    }
    let mut grid = Grid::new(&heads);
    for account in accounts {
        let count = |states: &[State]| {
            states.iter().filter_map(|state| account.queue.get(state)).sum::<u64>().to_string()
        };
        let (token, is_urgent) =
            account.token.as_ref().map(|token| token.told(now)).unwrap_or_default();
        let style = match account.state {
            "parked" => BAD,
            "inactive" => QUIET,
            "waiting" => WAITS,
            _ if is_urgent => WAITS,
            _ => PLAIN,
        };
        let mut cells = vec![
            account.label.to_string(),
            account.platform.clone(),
            account.state.replace('_', " "),
            count(&[State::Ready, State::Sending]),
            count(&[State::Held]),
            count(&[State::Uncertain]),
            count(&[State::Failed]),
            count(&[State::Published]),
            account.next_due.map_or_else(String::new, |at| from_now(at.max(now), now)),
        ];
        cells.extend(has_tokens.then_some(token));
        grid.row(style, cells);
    }
    grid.lines()
}

/// What somebody could do now.
fn next_steps(status: &Status, desk: &Desk) -> Vec<String> {
    let mut steps = Vec::new();
    for account in status.accounts.iter().filter(|account| account.state == "parked") {
        let (label, hint) = (&account.label, account.parked_hint.as_deref().unwrap_or_default());
        let until = account.parked_until.map_or_else(
            || format!("or `posse-party resume {label}`"),
            |at| format!("it wakes {}", from_now(at.max(desk.now), desk.now)),
        );
        steps.push(format!("{label} is parked: {}; {until}", clean(hint)));
    }
    let of = |state| status.counts.get(&state).copied().unwrap_or(0);
    if of(State::Held) > 0 {
        let feeds = "`posse-party list --state held` shows them, `posse-party release FEED` \
                     publishes them";
        steps.push(format!("{} held: {feeds}", of(State::Held)));
    }
    if of(State::Uncertain) > 0 {
        let states = "`posse-party list --state uncertain` shows them";
        steps.push(format!("{} in doubt: {states}", of(State::Uncertain)));
    }
    if of(State::Failed) > 0 {
        let retry =
            "`posse-party list --state failed` says why, `posse-party retry ID` tries again";
        steps.push(format!("{} failed: {retry}", of(State::Failed)));
    }
    let unknown = |label: &&Label| {
        !status.feeds.iter().any(|feed| feed.label == **label)
            && !status.accounts.iter().any(|account| account.label == **label)
    };
    let config = &desk.config;
    let new: Vec<_> = config.feeds.keys().chain(config.accounts.keys()).filter(unknown).collect();
    if !new.is_empty() {
        let labels = super::desk::list(&new);
        steps.push(format!("{labels} in the config is not in the database: {}", desk.take_over()));
    } else if !desk.has_daemon() {
        steps.push("start the daemon with `posse-party run`".into());
    }
    steps
}
