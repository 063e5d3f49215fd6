//! Next: what happens to a crosspost by itself, and which command changes it.
//!
//! The one place that knows, so that `why`, `list` and every refusal say the same.

use super::say::{from_now, shell};
use crate::clock::Timestamp;
use crate::crosspost::State;
use crate::store::accounts::Account;
use crate::store::views::Line;

/// How one types the entry of `line`.
pub fn entry(line: &Line) -> String {
    shell(line.entry_url.as_ref().unwrap_or(&line.entry_id))
}

/// What the log calls the entry of `line`.
pub fn title(line: &Line) -> String {
    let title = line.title.as_ref().or(line.entry_url.as_ref()).unwrap_or(&line.entry_id);
    super::say::clean(title)
}

/// Where `line` stands, as a part of a sentence.
pub fn standing(line: &Line) -> String {
    let why = line.reason.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    match line.state {
        State::Published => match line.url.as_ref().or(line.remote_id.as_ref()) {
            Some(place) => format!("is published already: {place}"),
            None => "is published already".into(),
        },
        State::Held => format!("is held{why}"),
        State::Ready => format!("is ready to go out{why}"),
        State::Sending => "is being sent right now".into(),
        State::Uncertain => format!("may or may not be public{why}"),
        State::Failed => format!("has failed{why}"),
        State::Skipped => format!("is skipped{why}"),
    }
}

/// What can be done about `line`, or what happens by itself.
pub fn step(line: &Line, account: Option<&Account>, now: Timestamp) -> String {
    let (id, label) = (line.id, &line.account);
    match line.state {
        State::Published => "nothing more happens: it is done".into(),
        State::Held if line.attempts > 0 => format!(
            "look at {label} yourself, then `posse-party resolve {id} --published URL` or \
             `posse-party resolve {id} --retry`"
        ),
        State::Held => format!(
            "publish it with `posse-party publish {} --to {label}`, or set it aside with \
             `posse-party skip {id}`",
            entry(line)
        ),
        State::Ready => {
            format!("{}; set it aside with `posse-party skip {id}`", departure(line, account, now))
        }
        State::Sending => "wait for the end of the attempt in flight".into(),
        State::Uncertain => format!(
            "{} is asked {}; when you know better, `posse-party resolve {id} --published URL` or \
             `posse-party resolve {id} --retry`",
            label,
            line.due_at.map_or("again".into(), |due| soon(due, now))
        ),
        State::Failed => format!("mend the cause, then `posse-party retry {id}`"),
        State::Skipped => {
            format!(
                "publish it all the same with `posse-party publish {} --to {label}`",
                entry(line)
            )
        }
    }
}

/// When what is ready goes out.
fn departure(line: &Line, account: Option<&Account>, now: Timestamp) -> String {
    let label = &line.account;
    let Some(account) = account.filter(|account| account.active) else {
        return format!("it waits until {label} is active again in the config");
    };
    match (&account.parked, line.due_at) {
        (Some(parked), _) => match parked.until {
            Some(until) => {
                format!("it waits with {label}, which is parked: it wakes {}", soon(until, now))
            }
            None => format!(
                "it waits with {label}, which is parked ({}): {}, or `posse-party resume {label}`",
                parked.reason, parked.hint
            ),
        },
        (None, Some(due)) => format!("it goes out {}", soon(due.max(account.not_before), now)),
        (None, None) => "it goes out".into(),
    }
}

/// A moment that has come is now, whatever the clock says.
fn soon(at: Timestamp, now: Timestamp) -> String {
    from_now(at.max(now), now)
}
