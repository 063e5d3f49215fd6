//! Outlook: whether an entry would go out on an account at all, and when.

use super::find::Found;
use super::target::Target;
use crate::cli::next;
use crate::cli::say::from_now;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::crosspost::State;
use crate::poll::route::{self, Around, Fate, News};
use crate::settings::{Origin, Settings};
use crate::store::views::Line;

/// What would become of a post.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Why it does not go out (any more).
    pub skipped: Option<String>,
    /// What keeps it back.
    pub warnings: Vec<String>,
    /// What else is worth a line.
    pub notes: Vec<String>,
}

impl Outlook {
    fn skipped(why: impl Into<String>) -> Self {
        Self { skipped: Some(why.into()), ..Self::default() }
    }

    fn warned(why: impl Into<String>) -> Self {
        Self { warnings: vec![why.into()], ..Self::default() }
    }

    fn noted(what: impl Into<String>) -> Self {
        Self { notes: vec![what.into()], ..Self::default() }
    }
}

/// What would become of the post of an entry: by the ledger where it is in there, else as a poll
/// would decide now.
pub fn outlook(config: &Config, found: &Found, target: &Target, now: Timestamp) -> Outlook {
    let Some((label, account)) = &target.account else { return alone(config, found, target) };
    let mut outlook = match found.ledger.get(label.as_str()) {
        Some(line) => by_ledger(line, now),
        None => by_rules(config, found, target, now),
    };
    let done = found.ledger.get(label.as_str()).is_some_and(|line| line.state == State::Published);
    if !account.active && !done {
        outlook.skipped = Some("the account is not active".into());
    }
    if outlook.skipped.is_some() {
        outlook.notes.clear();
    } else if account.dry_run {
        outlook.notes.push("dry run: it is shown in the log and not sent".into());
    }
    outlook
}

/// What the settings say of a platform without an account.
fn alone(config: &Config, found: &Found, target: &Target) -> Outlook {
    let own = [(Origin::Defaults, &config.defaults)];
    let layers = own.into_iter().chain(found.entry.control.layers(target.platform.tag(), ""));
    if Settings::layered(target.platform, layers).syndicate {
        return Outlook::default();
    }
    Outlook::skipped("syndicate is false")
}

fn by_ledger(line: &Line, now: Timestamp) -> Outlook {
    let why = line.reason.clone().unwrap_or_default();
    match line.state {
        State::Published => {
            let place = line.url.as_ref().or(line.remote_id.as_ref());
            Outlook::skipped(match place {
                Some(place) => format!("already published: {place}"),
                None => "already published".into(),
            })
        }
        State::Skipped => Outlook::skipped(why),
        State::Ready => Outlook::noted(match line.due_at {
            Some(due) if due > now => format!("goes out {}", from_now(due, now)),
            _ => "goes out with the next turn of the account".into(),
        }),
        State::Held | State::Failed | State::Sending | State::Uncertain => {
            let step = next::step(line, None, now);
            Outlook::warned(format!("it {}: {step}", next::standing(line)))
        }
    }
}

fn by_rules(config: &Config, found: &Found, target: &Target, now: Timestamp) -> Outlook {
    let Some((label, account)) = &target.account else { return Outlook::default() };
    let Some(feed) = config.feeds.get(&found.feed) else {
        return Outlook::warned(format!("feed `{}` is not in the config any more", found.feed));
    };
    let takes = account.feeds.as_ref().is_none_or(|feeds| feeds.contains(&found.feed));
    let gives = feed.accounts.as_ref().is_none_or(|accounts| accounts.contains(label));
    if !takes || !gives {
        return Outlook::skipped(format!("feed `{}` does not go to this account", found.feed));
    }
    let around = Around { defaults: &config.defaults, feed, now };
    let news = News { elsewhere: found.elsewhere.contains(label), ..News::default() };
    match route::fate(&found.entry, label, account, &around, &news) {
        Fate::Skipped { reason } => Outlook::skipped(reason.into_owned()),
        Fate::Held { reason, .. } => Outlook::warned(format!("it would be held: {reason}")),
        Fate::Ready { due_at } if due_at > now => {
            Outlook::noted(format!("would go out {}", from_now(due_at, now)))
        }
        Fate::Ready { .. } => Outlook::default(),
    }
}
