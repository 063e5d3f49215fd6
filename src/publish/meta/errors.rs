//! Errors: what a refusal of Meta's API means, in one table.
//!
//! **Invariant:** only a row of the table can say that a publishing call did nothing; whatever no
//! row knows leaves its fate open, and is shown as it came.

use std::time::Duration;

use super::answer::{Answer, GraphError};
use crate::clock::Timestamp;
use crate::crosspost::Class;
use crate::platform::Platform;

mod table;

use table::{ROWS, Row};

/// What a call was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Makes something that nobody sees.
    Create,
    /// Makes it public.
    Publish,
    /// Only reads.
    Read,
    /// Is about a token.
    Token,
}

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The token is not good any more.
    Expired,
    /// The token, the app or the account may not do this.
    Permission,
    /// Slow down.
    Limited,
    /// The quota of the day is used up.
    Quota,
    /// Meta stops the account for so many hours; a person should look.
    Blocked(u64),
    /// Trouble over there. Of a publishing call, nobody knows what became of it.
    Trouble,
    /// The same, but for this call: worth so many more tries, and then it is the content.
    Tries(u32),
    /// The page of the link can't be read just now: so many more tries, then without the card.
    CardTries(u32),
    /// What is to be published is not ready, or not yet seen everywhere.
    NotReady,
    /// What was to be published is not known there, or not any more: one or two more tries, and
    /// then another one must be made.
    Mislaid,
    /// What was to be published is lost or has lapsed; another one must be made.
    Lapsed,
    /// What was named is not there, is not ours to see, or is only not seen yet.
    Missing,
    /// An option is refused; without it, it may do.
    Option,
    /// This text or medium is refused.
    Content,
    /// The text is refused for its length.
    TooLong,
    /// The link card is refused.
    Card,
    /// It is there already.
    Duplicate,
    /// Taken for spam; and yet it may have gone out.
    Flagged,
    /// No row knows it.
    Unknown,
}

/// How often what no row knows is tried again, before it counts as refused (where it can't have
/// published anything).
const UNKNOWN_TRIES: u32 = 2;
/// How long an account rests that was taken for spam.
pub const FLAGGED_REST: Duration = Duration::from_secs(24 * 3600);
/// The shortest pause when the quota of the day is used up: it frees little by little.
pub const QUOTA_REST: Duration = Duration::from_secs(3600);

/// What a refusal means, and what its owner should do where a row says so.
pub fn meaning(
    platform: Platform,
    phase: Phase,
    answer: &Answer,
) -> (Meaning, Option<&'static str>) {
    let Some(error) = answer.error() else {
        // a page, or nothing: an outage, or a proxy
        return (Meaning::Trouble, None);
    };
    match ROWS.iter().find(|row| row.fits(platform, phase, &error)) {
        Some(row) => (row.meaning, row.hint),
        None if error.is_transient || answer.status >= 500 => (Meaning::Trouble, None),
        None => (Meaning::Unknown, None),
    }
}

impl Row {
    fn fits(&self, platform: Platform, phase: Phase, error: &GraphError) -> bool {
        (self.platforms.is_empty() || self.platforms.contains(&platform))
            && (self.phases.is_empty() || self.phases.contains(&phase))
            && self.fits_numbers(error)
            && self.text.is_none_or(|text| {
                [&error.message, &error.kind].iter().any(|part| part.contains(text))
            })
    }

    /// A number of a million or more is known by itself, in whichever column it comes.
    fn fits_numbers(&self, error: &GraphError) -> bool {
        const KNOWN_BY_ITSELF: i64 = 1_000_000;
        match self.subcode {
            Some(number) if number >= KNOWN_BY_ITSELF => {
                error.subcode == Some(number) || error.code == number
            }
            Some(number) => self.code.holds(error.code) && error.subcode == Some(number),
            None => self.code.holds(error.code),
        }
    }
}

/// The class of a refusal that nothing cures. `tried` is how often this very refusal came before
/// for this crosspost; `until` is when an account that must slow down may go on.
pub fn class(
    meaning: Meaning,
    phase: Phase,
    tried: u32,
    hint: String,
    now: Timestamp,
    until: Timestamp,
) -> Class {
    let again = Class::Retry { not_before: None };
    // a call that makes nothing public can be made again
    let open = if phase == Phase::Publish { Class::Ambiguous } else { again.clone() };
    // a text is refused where it is handed over; elsewhere there is no text
    let refused = match phase {
        Phase::Create | Phase::Publish => Class::Content,
        Phase::Read => again.clone(),
        Phase::Token => Class::Account { until: None, hint: hint.clone() },
    };
    match meaning {
        Meaning::Expired | Meaning::Permission => Class::Account { until: None, hint },
        Meaning::Limited => Class::RateLimited { not_before: Some(until) },
        Meaning::Quota => Class::RateLimited { not_before: Some(until.max(now.plus(QUOTA_REST))) },
        Meaning::Blocked(hours) => {
            let until = now.plus(Duration::from_secs(3600 * hours));
            Class::Account { until: Some(until), hint }
        }
        Meaning::Tries(tries) if phase != Phase::Publish => {
            if tried < tries {
                again
            } else {
                refused
            }
        }
        Meaning::CardTries(tries) if phase == Phase::Create || phase == Phase::Publish => {
            if tried < tries { again } else { Class::Card }
        }
        Meaning::Unknown if phase != Phase::Publish => {
            if tried < UNKNOWN_TRIES {
                again
            } else {
                refused
            }
        }
        Meaning::NotReady | Meaning::Mislaid | Meaning::Lapsed => again,
        Meaning::Content | Meaning::Option => refused,
        Meaning::Card if phase == Phase::Create || phase == Phase::Publish => Class::Card,
        // with the container nothing is public yet
        Meaning::TooLong if phase == Phase::Create => Class::TooLong,
        Meaning::Card | Meaning::TooLong => refused,
        Meaning::Duplicate => Class::Duplicate,
        Meaning::Trouble
        | Meaning::Missing
        | Meaning::Flagged
        | Meaning::Unknown
        | Meaning::Tries(_)
        | Meaning::CardTries(_) => open,
    }
}

/// What the owner should do where no row says more.
pub fn hint(meaning: Meaning, platform: Platform) -> String {
    let tag = platform.tag();
    match meaning {
        Meaning::Expired => format!(
            "make a new token and put it into the config, or run `posse-party login {tag}` \
             (docs/accounts/{tag}.md)"
        ),
        Meaning::Permission => format!(
            "give the token these permissions: {} (docs/accounts/{tag}.md), then put the new one \
             into the config",
            super::scopes(platform).join(", ")
        ),
        _ => format!(
            "sign in to {tag} in a browser and look what it asks for, then run \
             `posse-party resume ACCOUNT`"
        ),
    }
}

#[cfg(test)]
mod tests;
