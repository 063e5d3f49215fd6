//! Gate: whether an account may send now. Pure.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::AccountConfig;
use crate::store::accounts::Account;

/// The window of `max_per_day`.
pub const DAY: Duration = Duration::from_secs(86_400);

/// Whether an account may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Now.
    Open,
    /// Not before that.
    ClosedUntil(Timestamp),
    /// Not until somebody does something.
    Closed,
    /// The time of its parking is over: it wakes by itself.
    Wakes,
}

/// What an account published in the last day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// How many posts.
    pub count: u32,
    /// When the first of them was.
    pub first: Option<Timestamp>,
    /// When the last of them was.
    pub last: Option<Timestamp>,
}

/// Whether the platform and the owner of the account let it talk to the platform at all.
pub fn of_account(account: &Account, now: Timestamp) -> Gate {
    match &account.parked {
        Some(parked) => match parked.until {
            Some(until) if until <= now => Gate::Wakes,
            Some(until) => Gate::ClosedUntil(until),
            None => Gate::Closed,
        },
        None if account.not_before > now => Gate::ClosedUntil(account.not_before),
        None => Gate::Open,
    }
}

/// Whether another post fits `cooldown` and `max_per_day`.
pub fn of_pace(config: &AccountConfig, recent: Recent, now: Timestamp) -> Gate {
    let cooled = recent.last.map(|last| last.plus(config.cooldown)).filter(|at| *at > now);
    let full = config.max_per_day.is_some_and(|most| recent.count >= most);
    let freed = recent.first.filter(|_| full).map(|first| first.plus(DAY));
    cooled.max(freed).map_or(Gate::Open, Gate::ClosedUntil)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filters;
    use crate::names::{AccountId, Label};
    use crate::platform::Platform;
    use crate::settings::Layer;
    use crate::store::accounts::Parked;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn after(seconds: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(seconds))
    }

    /// One that nothing holds up.
    fn account() -> Account {
        Account {
            id: AccountId(1),
            label: Label::new("me").unwrap(),
            platform: "mastodon".into(),
            active: true,
            parked: None,
            not_before: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn parking_ends_by_itself_only_when_its_end_is_known() {
        let check = |until: Option<Timestamp>, expect| {
            let parked = Parked {
                reason: "token".into(),
                hint: "renew".into(),
                since: NOW.minus(DAY),
                until,
            };
            let account = Account { parked: Some(parked), ..account() };
            assert_eq!(of_account(&account, NOW), expect);
        };
        check(None, Gate::Closed);
        check(Some(after(60)), Gate::ClosedUntil(after(60)));
        check(Some(NOW), Gate::Wakes);
    }

    #[test]
    fn slow_down_holds_until_its_time() {
        let check = |not_before, expect| {
            assert_eq!(of_account(&Account { not_before, ..account() }, NOW), expect);
        };
        check(NOW.minus(DAY), Gate::Open);
        check(NOW, Gate::Open);
        check(after(60), Gate::ClosedUntil(after(60)));
    }

    #[test]
    fn the_pace_is_kept() {
        let config = AccountConfig {
            platform: Platform::Outbox,
            credentials: None,
            feeds: None,
            active: true,
            dry_run: false,
            approve: false,
            delay: Duration::ZERO,
            cooldown: Duration::from_secs(600),
            max_per_day: Some(2),
            filters: Filters::default(),
            text: Layer::default(),
        };
        let check = |count, first: u64, last: u64, expect| {
            let ago = |seconds| Some(NOW.minus(Duration::from_secs(seconds)));
            let recent = Recent { count, first: ago(first), last: ago(last) };
            assert_eq!(of_pace(&config, recent, NOW), expect);
        };
        check(1, 700, 700, Gate::Open);
        check(1, 600, 600, Gate::Open);
        check(1, 100, 100, Gate::ClosedUntil(after(500)));
        check(2, 80_000, 700, Gate::ClosedUntil(after(6400)));
        assert_eq!(of_pace(&config, Recent::default(), NOW), Gate::Open);
    }
}
