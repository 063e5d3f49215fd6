//! Review: the undo window. What nobody has claimed yet is withdrawn when its owner takes it back,
//! brought back when it was only away, moved when it has another date now, and held or freed as its
//! media have the alternative text that the account requires.
//!
//! **Invariant:** what comes back comes back to where it was: held stays held, but for want of an
//! alternative text that is there now. **Refuses:** to
//! overrule a person: what they decided with a command is left alone.

use std::collections::HashMap;
use std::time::Duration;

use super::record::{Context, Recorded, flood_incident};
use super::route;
use crate::entry::Entry;
use crate::feed::diff::Seen;
use crate::names::EntryId;
use crate::store::crossposts::{self, Unclaimed};
use crate::store::{Result, Transaction, incidents, views};

/// Reviews what a feed has waiting against the document that it has now.
///
/// # Errors
/// The database can't be written.
pub fn unclaimed(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    seen: &[Seen],
    rows: &[Option<EntryId>],
    recorded: &mut Recorded,
) -> Result<()> {
    let listed: HashMap<EntryId, &Entry> =
        rows.iter().zip(seen).filter_map(|(row, seen)| Some(((*row)?, &seen.entry))).collect();
    let oldest: Option<EntryId> = listed.keys().min().copied();
    for open in crossposts::unclaimed(tx, context.feed.id)? {
        match listed.get(&open.entry) {
            Some(entry) => review_listed(tx, context, &open, entry, recorded)?,
            // a document that lists older ones would list this one too
            None if open.vanished || oldest.is_none_or(|oldest| oldest >= open.entry) => {}
            None => withdraw(tx, context, &open, crossposts::VANISHED, recorded)?,
        }
    }
    if views::held_for(tx, context.feed.id, route::FLOOD)? == 0 {
        incidents::resolve(tx, &flood_incident(&context.feed.label), context.now)?;
    }
    Ok(())
}

fn review_listed(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    open: &Unclaimed,
    entry: &Entry,
    recorded: &mut Recorded,
) -> Result<()> {
    let account = context.accounts.get(&open.label);
    let refusal =
        account.and_then(|account| route::refusal(entry, &open.label, account, context.defaults));
    if let Some(reason) = refusal {
        if !open.vanished {
            withdraw(tx, context, open, &reason, recorded)?;
        }
    } else if open.vanished {
        let elsewhere = crossposts::has_page_elsewhere(tx, open.entry, open.account)?;
        if !elsewhere && crossposts::reinstate(tx, open.id, context.now)? {
            recorded.withdrawn.push((true, open.label.clone(), open.entry));
            recorded.touched.insert(open.label.clone());
            review_alt(tx, context, open, entry, recorded)?;
        }
    } else {
        let delay = account.map_or(Duration::ZERO, |account| account.delay);
        let listed = entry;
        let entry = &*entry.for_account(&open.platform, open.label.as_str());
        let due_at = route::due_at(entry, delay, context.now);
        let in_future = entry.published.is_some_and(|published| published > context.now);
        if in_future || due_at < open.due_at {
            crossposts::set_due(tx, open.id, due_at)?;
        }
        review_alt(tx, context, open, listed, recorded)?;
    }
    Ok(())
}

/// Holds a crosspost whose entry lacks alternative text now, and frees one that has it at last.
fn review_alt(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    open: &Unclaimed,
    entry: &Entry,
    recorded: &mut Recorded,
) -> Result<()> {
    let Some(account) = context.accounts.get(&open.label) else { return Ok(()) };
    let waits_for = open.held.as_deref();
    let has_waited = waits_for.is_some_and(|reason| reason.starts_with(route::NO_ALT));
    if waits_for.is_some() && !has_waited {
        return Ok(()); // for something else
    }
    if let Some(reason) = route::without_alt(entry, &open.label, account, context.defaults) {
        let is_told = waits_for == Some(&reason);
        if !is_told && crossposts::hold(tx, open.id, &reason)? && !has_waited {
            *recorded.held.entry(reason).or_default() += 1;
        }
    } else if has_waited && account.approve {
        crossposts::hold(tx, open.id, route::APPROVAL)?;
    } else if has_waited && crossposts::free(tx, open.id, context.now)? {
        recorded.freed.push((open.label.clone(), open.entry));
        recorded.touched.insert(open.label.clone());
    }
    Ok(())
}

fn withdraw(
    tx: &Transaction<'_>,
    context: &Context<'_>,
    open: &Unclaimed,
    reason: &str,
    recorded: &mut Recorded,
) -> Result<()> {
    if crossposts::withdraw(tx, open.id, reason, context.now)? {
        recorded.withdrawn.push((false, open.label.clone(), open.entry));
    }
    Ok(())
}
