//! Record: one transaction that turns a parsed feed into entries and crossposts.
//!
//! Entries, crossposts, validators and the time of the next poll are committed together, or not at
//! all: a crash in between polls again and finds the same.
//!
//! **Invariant:** what was there at the first sight of a route (a feed and an account) is set
//! aside, not published; an entry that is known is never entered again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::review;
use super::route::{self, Fate, News};
use crate::clock::Timestamp;
use crate::config::{AccountConfig, CatchUp, FeedConfig};
use crate::crosspost::State;
use crate::entry::{Entry, Known};
use crate::feed::diff::{self, Change, Document, Seen};
use crate::names::{AccountId, EntryId, Label};
use crate::settings::Layer;
use crate::store::accounts::{self, Route};
use crate::store::crossposts::{self, New};
use crate::store::feeds::{self, Contents, Feed, PollRow};
use crate::store::{Result, Transaction, entries, incidents};

/// What a poll found, for the log, and whom it concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Titles of the entries that are new and go out, with the number of accounts.
    pub news: Vec<(String, usize)>,
    /// Entries set aside at the first sight of an account.
    pub set_aside: Vec<(Label, usize)>,
    /// New crossposts that wait for a person, and why.
    pub held: BTreeMap<String, usize>,
    /// New crossposts that are skipped, and why.
    pub skipped: BTreeMap<String, usize>,
    /// Entries that were edited.
    pub edited: usize,
    /// Entries that came under another id.
    pub renamed: usize,
    /// Crossposts withdrawn (false) or brought back (true), by account, with the entry.
    pub withdrawn: Vec<(bool, Label, EntryId)>,
    /// Crossposts that wait no more for alternative text, by account, with the entry.
    pub freed: Vec<(Label, EntryId)>,
    /// Whether the flood was not known before.
    pub flood_is_new: bool,
    /// When the trouble began that is over now.
    pub recovered_since: Option<Timestamp>,
    /// The accounts that have something to do.
    pub touched: BTreeSet<Label>,
}

/// What a poll works with.
pub struct Context<'a> {
    /// The feed as the database knows it.
    pub feed: &'a Feed,
    /// The feed as the config has it.
    pub config: &'a FeedConfig,
    /// The accounts of the config.
    pub accounts: &'a BTreeMap<Label, AccountConfig>,
    /// Text settings of all accounts.
    pub defaults: &'a Layer,
    /// What goes into the feed's row.
    pub poll: &'a PollRow,
    /// When this happens.
    pub now: Timestamp,
}

impl Context<'_> {
    fn around(&self) -> route::Around<'_> {
        route::Around { defaults: self.defaults, feed: self.config, now: self.now }
    }
}

/// Key of the incident of a feed that can't be read.
pub fn feed_incident(feed: &Label) -> String {
    format!("feed:{feed}")
}

/// Key of the incident of a feed that had too much news at once.
pub fn flood_incident(feed: &Label) -> String {
    format!("held:{feed}")
}

/// Records a poll whose body was parsed.
///
/// # Errors
/// The database can't be written: then nothing of the poll is kept.
pub fn parsed(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    document: &Document,
    contents: &Contents,
) -> Result<Recorded> {
    let seen = &document.seen;
    let mut recorded = Recorded::default();
    let routes = accounts::routes_of(tx, context.feed.id)?;
    let known = load_known(tx, context, seen)?;
    let changes = diff::diff(seen, &known, document.home_url.as_deref());
    let rows = store_entries(tx, context, seen, &changes, &mut recorded)?;

    let is_known = |change: &Change| !matches!(change, Change::New | Change::Repeated);
    let routes = if context.feed.url_is_new && !changes.iter().any(is_known) {
        // another feed under an old label: it is seen for the first time
        accounts::forget_baselines(tx, context.feed.id)?;
        accounts::routes_of(tx, context.feed.id)?
    } else {
        routes
    };
    baseline(tx, context, &routes, &mut recorded)?;
    route_news(tx, context, &routes, seen, &changes, &rows, &mut recorded)?;
    review::unclaimed(tx, context, seen, &rows, &mut recorded)?;

    feeds::save_contents(tx, context.feed.id, context.poll, contents)?;
    recorded.recovered_since =
        incidents::resolve(tx, &feed_incident(&context.feed.label), context.now)?;
    Ok(recorded)
}

/// Records a poll that found the document as it was: only routes that are new have work.
///
/// # Errors
/// The database can't be written.
pub fn unchanged(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    validators: &feeds::Validators,
) -> Result<Recorded> {
    let mut recorded = Recorded::default();
    let routes = accounts::routes_of(tx, context.feed.id)?;
    baseline(tx, context, &routes, &mut recorded)?;
    feeds::save_unchanged(tx, context.feed.id, context.poll, validators)?;
    recorded.recovered_since =
        incidents::resolve(tx, &feed_incident(&context.feed.label), context.now)?;
    Ok(recorded)
}

/// Records a poll that failed. Tells whether the owner hears of it for the first time.
///
/// # Errors
/// The database can't be written.
pub fn failed(tx: &Transaction<'_>, context: &Context<'_>, message: &str) -> Result<bool> {
    feeds::save_failure(tx, context.feed.id, context.poll, message)?;
    incidents::open(tx, &feed_incident(&context.feed.label), message, context.now)
}

/// The stored entries that share an id, a URL or a sign with one of the document.
fn load_known(tx: &Transaction<'_>, context: &Context<'_>, seen: &[Seen]) -> Result<Vec<Known>> {
    let feed = context.feed.id;
    let mut found: HashMap<EntryId, Known> = HashMap::new();
    if !entries::any(tx, feed)? {
        return Ok(Vec::new());
    }
    for seen in seen {
        if let Some(known) = entries::by_id(tx, feed, &seen.entry.id)? {
            found.insert(known.row, known);
            continue;
        }
        if let Some(url) = &seen.entry.url {
            for known in entries::by_url(tx, feed, url)? {
                found.insert(known.row, known);
            }
        }
        if let Some(sign) = &seen.sign {
            for known in entries::by_sign(tx, feed, sign)? {
                found.insert(known.row, known);
            }
        }
    }
    let mut known: Vec<Known> = found.into_values().collect();
    known.sort_by_key(|known| known.row);
    Ok(known)
}

/// Stores what is new or changed, the oldest first. Gives the row of each entry of the document.
fn store_entries(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    seen: &[Seen],
    changes: &[Change],
    recorded: &mut Recorded,
) -> Result<Vec<Option<EntryId>>> {
    let (feed, now) = (context.feed.id, context.now);
    let mut rows = vec![None; seen.len()];
    let mut order: Vec<usize> = (0..seen.len()).collect();
    // documents list the newest first; where dates tell, they count
    order.reverse();
    order.sort_by_key(|&at| seen[at].entry.published.or(seen[at].entry.updated));
    for at in order {
        let seen = &seen[at];
        let row = entries::Row {
            entry: &seen.entry,
            sign: seen.sign.as_deref(),
            content_hash: &seen.content_hash,
            body: &seen.body,
        };
        rows[at] = match changes[at] {
            Change::New | Change::Twin(_) => Some(entries::insert(tx, feed, row, now)?),
            Change::Same(id) => {
                entries::restore_body(tx, id, row.body)?;
                Some(id)
            }
            Change::Edited(id) => {
                entries::update(tx, id, row, now)?;
                recorded.edited += 1;
                Some(id)
            }
            Change::Renamed(id) => {
                entries::add_alias(tx, feed, id, &seen.entry.id)?;
                entries::update(tx, id, row, now)?;
                recorded.renamed += 1;
                Some(id)
            }
            Change::Repeated => None,
        };
    }
    Ok(rows)
}

/// At the first sight of a route: sets aside what is there, but the newest that `backfill` asks
/// for.
fn baseline(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    routes: &[Route],
    recorded: &mut Recorded,
) -> Result<()> {
    for route in routes.iter().filter(|route| !route.baselined) {
        // an account of a newer config than this poll's has its first sight at the next poll
        let Some(account) = context.accounts.get(&route.label) else { continue };
        let (set_aside, backfill) = crossposts::baseline(
            tx,
            context.feed.id,
            route.account,
            context.config.backfill,
            context.now,
        )?;
        accounts::set_baselined(tx, context.feed.id, route.account, context.now)?;
        recorded.set_aside.push((route.label.clone(), set_aside));
        for row in backfill {
            let Some(entry) = entries::body(tx, row)? else { continue };
            let elsewhere = crossposts::has_page_elsewhere(tx, row, route.account)?;
            let news = News { asked_for: true, elsewhere, ..News::default() };
            let fate = route::fate(&entry, &route.label, account, &context.around(), &news);
            enter(tx, context, route.account, row, &fate, recorded)?;
            announce(&entry, &fate, &route.label, recorded);
        }
    }
    Ok(())
}

/// Decides for each new entry and each account what becomes of it.
fn route_news(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    routes: &[Route],
    seen: &[Seen],
    changes: &[Change],
    rows: &[Option<EntryId>],
    recorded: &mut Recorded,
) -> Result<()> {
    let mut fresh: Vec<(EntryId, &Entry)> = (0..seen.len())
        .filter(|&at| matches!(changes[at], Change::New | Change::Twin(_)))
        .filter_map(|at| rows[at].map(|row| (row, &seen[at].entry)))
        .collect();
    let twins: HashSet<EntryId> = (0..seen.len())
        .filter(|&at| matches!(changes[at], Change::Twin(_)))
        .filter_map(|at| rows[at])
        .collect();
    // rows are numbered the oldest first
    fresh.sort_by_key(|(row, _)| *row);
    let is_recent = |entry: &Entry| !route::is_too_old(entry, context.config, context.now);
    let recent = fresh.iter().filter(|(_, entry)| is_recent(entry)).count();
    let flood = recent > context.config.max_new;
    let after_downtime = was_down(context);
    for route in routes.iter().filter(|route| route.baselined) {
        let Some(account) = context.accounts.get(&route.label) else { continue };
        // the newest of those that the account wants
        let is_wanted = |entry: &Entry| {
            route::refusal(entry, &route.label, account, context.defaults).is_none()
        };
        let mut newest_first = fresh.iter().rev().filter(|_| after_downtime);
        let newest = newest_first.find(|(_, entry)| is_recent(entry) && is_wanted(entry));
        for (row, entry) in &fresh {
            let elsewhere = crossposts::has_page_elsewhere(tx, *row, route.account)?;
            let news = News {
                asked_for: false,
                elsewhere,
                twin: twins.contains(row),
                flood,
                missed: after_downtime && newest.is_none_or(|(newest, _)| newest != row),
                after_downtime,
            };
            let fate = route::fate(entry, &route.label, account, &context.around(), &news);
            enter(tx, context, route.account, *row, &fate, recorded)?;
            announce(entry, &fate, &route.label, recorded);
        }
    }
    if flood && recorded.held.contains_key(route::FLOOD) {
        let message = format!("{recent} new entries at once");
        recorded.flood_is_new =
            incidents::open(tx, &flood_incident(&context.feed.label), &message, context.now)?;
    }
    Ok(())
}

/// Whether this poll is so overdue that the daemon must have been down.
fn was_down(context: &Context<'_>) -> bool {
    /// Shorter delays are ordinary: a slow poll, a restart.
    const SHORTEST: Duration = Duration::from_secs(3600);
    context.config.catch_up != CatchUp::All
        && context.feed.next_poll_at.is_some_and(|due| context.now.since(due) > SHORTEST)
}

fn enter(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    account: AccountId,
    entry: EntryId,
    fate: &Fate,
    recorded: &mut Recorded,
) -> Result<()> {
    let (state, reason) = match fate {
        Fate::Ready { .. } => (State::Ready, None),
        Fate::Held { reason, .. } => {
            *recorded.held.entry(reason.to_string()).or_default() += 1;
            (State::Held, Some(reason.as_ref()))
        }
        Fate::Skipped { reason } => {
            *recorded.skipped.entry(reason.to_string()).or_default() += 1;
            (State::Skipped, Some(reason.as_ref()))
        }
    };
    let due_at = fate.due_at().unwrap_or(context.now);
    crossposts::insert(tx, &New { entry, account, state, reason, due_at }, context.now)
}

/// Notes for the log that an entry goes out.
fn announce(entry: &Entry, fate: &Fate, account: &Label, recorded: &mut Recorded) {
    if !matches!(fate, Fate::Ready { .. }) {
        return;
    }
    recorded.touched.insert(account.clone());
    let title = route::name_of(entry);
    match recorded.news.iter_mut().find(|(known, _)| *known == title) {
        Some((_, accounts)) => *accounts += 1,
        None => recorded.news.push((title, 1)),
    }
}
