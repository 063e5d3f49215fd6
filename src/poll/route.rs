//! Route: what becomes of one new entry on one account. Pure.

use std::borrow::Cow;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::compose::{Subject, media};
use crate::config::{AccountConfig, CatchUp, FeedConfig};
use crate::draft::Channel;
use crate::entry::Entry;
use crate::names::Label;
use crate::people::People;
use crate::settings::{AltRule, Layer, Origin, Settings};

/// Reason of an entry that says `syndicate: false`.
pub const NOT_SYNDICATED: &str = "the entry says syndicate: false";
/// Reason of an entry on an account that gets only what asks for it.
pub const NOT_ASKED_FOR: &str = "syndicate is off here, and the entry does not say syndicate: true";
/// Reason of an entry that came with too many others.
pub const FLOOD: &str = "flood: more new entries in one poll than max_new";
/// Reason of an entry that may be a known one under another id.
pub const TWIN: &str = "its URL is that of another entry, which the feed lists no more";
/// Reason of an entry on an account with `approve`.
pub const APPROVAL: &str = "waits for approval";
/// Reason of an entry that is older than `max_age`.
pub const TOO_OLD: &str = "older than max_age";
/// Reason of an entry that another feed brought to the account.
pub const DUPLICATE: &str = "duplicate: another feed has the same URL";
/// Reason of an entry that appeared while the daemon was down, with `catch_up = "newest"`.
pub const MISSED: &str = "appeared during downtime, and catch_up is newest";
/// How the reason of an entry begins whose media lack alternative text, on an account with
/// `alt = "require"`.
pub const NO_ALT: &str = "no alt text: ";
/// The same with `catch_up = "hold"`.
pub const CATCH_UP: &str = "appeared during downtime, and catch_up is hold";

/// How many files a reason names.
const NAMES_MAX: usize = 3;

/// What is known of the circumstances of a new entry.
#[derive(Clone, Copy, Debug, Default)]
pub struct News {
    /// The owner asked for it with `backfill`: neither age nor number matter.
    pub asked_for: bool,
    /// The account has its URL from another feed.
    pub elsewhere: bool,
    /// It may be a known entry under another id.
    pub twin: bool,
    /// It came with more others than `max_new`.
    pub flood: bool,
    /// It appeared during downtime.
    pub after_downtime: bool,
    /// It appeared during downtime and is not the newest.
    pub missed: bool,
}

/// What is the same for all entries of a poll.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Text settings of all accounts.
    pub defaults: &'a Layer,
    /// The feed as the config has it.
    pub feed: &'a FeedConfig,
    /// When this happens.
    pub now: Timestamp,
}

/// What becomes of an entry on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Goes out.
    Ready {
        /// When.
        due_at: Timestamp,
    },
    /// Waits for a person.
    Held {
        /// Why.
        reason: Cow<'static, str>,
        /// When it would have gone out.
        due_at: Timestamp,
    },
    /// Does not go out.
    Skipped {
        /// Why.
        reason: Cow<'static, str>,
    },
}

impl Fate {
    /// When it goes out, or would.
    pub const fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Ready { due_at } | Self::Held { due_at, .. } => Some(*due_at),
            Self::Skipped { .. } => None,
        }
    }
}

/// Decides what becomes of `entry` on `account`.
pub fn fate(
    entry: &Entry,
    label: &Label,
    account: &AccountConfig,
    around: &Around<'_>,
    news: &News,
) -> Fate {
    let Around { defaults, feed, now } = *around;
    let entry = &*entry.for_account(account.platform.tag(), label.as_str());
    let due_at = due_at(entry, account.delay, now);
    if let Some(reason) = refusal(entry, label, account, defaults) {
        return Fate::Skipped { reason };
    }
    if news.elsewhere {
        return Fate::Skipped { reason: DUPLICATE.into() };
    }
    if news.twin {
        return Fate::Held { reason: TWIN.into(), due_at };
    }
    if !news.asked_for {
        if is_too_old(entry, feed, now) {
            return Fate::Skipped { reason: TOO_OLD.into() };
        }
        match feed.catch_up {
            CatchUp::Newest if news.missed => return Fate::Skipped { reason: MISSED.into() },
            CatchUp::Hold if news.after_downtime => {
                return Fate::Held { reason: CATCH_UP.into(), due_at };
            }
            // of a flood after downtime only the newest is left, and that is no flood
            CatchUp::Newest if news.after_downtime => {}
            _ if news.flood => return Fate::Held { reason: FLOOD.into(), due_at },
            _ => {}
        }
    }
    if account.approve {
        return Fate::Held { reason: APPROVAL.into(), due_at };
    }
    match without_alt(entry, label, account, defaults) {
        Some(reason) => Fate::Held { reason: reason.into(), due_at },
        None => Fate::Ready { due_at },
    }
}

/// Why `entry` is to wait until its media have alternative text; `None` where it is not. Its media
/// are those that the platform takes by its own rules: no server is asked here.
pub fn without_alt(
    entry: &Entry,
    label: &Label,
    account: &AccountConfig,
    defaults: &Layer,
) -> Option<String> {
    let platform = account.platform;
    let settings = Settings::layered(platform, account.layers(defaults, label, &entry.control));
    if settings.alt != AltRule::Require {
        return None;
    }
    let names = media::without_alt(&Subject {
        entry: &entry.for_account(platform.tag(), label.as_str()),
        settings: &settings,
        platform,
        account: label.as_str(),
        limits: &platform.limits(),
        media_limits: &platform.media(),
        people: &People::new(),
        page: None,
        media: None,
    });
    let quoted = |name: &String| format!("`{name}`");
    let shown: Vec<String> = names.iter().take(NAMES_MAX).map(quoted).collect();
    let more = match names.len().saturating_sub(NAMES_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let list = shown.join(", ");
    (!names.is_empty()).then(|| format!("{NO_ALT}{list}{more}; it goes when its entry has it"))
}

/// Why `entry` is not to go to `account` at all; `None` where it is.
///
/// The nearest word about `syndicate` counts, then the account's filters, which see the entry as
/// the account would post it. A story goes only where there are stories; one of `[defaults]` is
/// an ordinary post elsewhere, and an account can't have it (`Settings::layered`).
pub fn refusal(
    entry: &Entry,
    label: &Label,
    account: &AccountConfig,
    defaults: &Layer,
) -> Option<Cow<'static, str>> {
    let layers = account.layers(defaults, label, &entry.control);
    let is_of_owner = |origin| matches!(origin, Origin::Defaults | Origin::Account);
    let said = layers.iter().rev().find_map(|(at, layer)| Some((*at, layer.syndicate?)));
    match said {
        Some((origin, false)) if is_of_owner(origin) => return Some(NOT_ASKED_FOR.into()),
        Some((_, false)) => return Some(NOT_SYNDICATED.into()),
        _ => {}
    }
    let channel = layers.iter().rev().find_map(|(at, layer)| Some((*at, layer.channel?)));
    match channel {
        Some((origin, Channel::Story))
            if !is_of_owner(origin) && !account.platform.rules().has_stories =>
        {
            let platform = account.platform.tag();
            return Some(format!("the entry is a story, and {platform} has none").into());
        }
        _ => {}
    }
    let entry = entry.for_account(account.platform.tag(), label.as_str());
    account.filters.refusal(&entry).map(Cow::Owned)
}

/// An entry is due `delay` after it was first seen; one dated in the future waits for its time.
pub fn due_at(entry: &Entry, delay: Duration, now: Timestamp) -> Timestamp {
    entry.published.map_or(now, |published| published.max(now)).plus(delay)
}

/// Whether an entry is older than the feed's `max_age`. One without a date is not.
pub fn is_too_old(entry: &Entry, feed: &FeedConfig, now: Timestamp) -> bool {
    let date = entry.published.or(entry.updated);
    date.is_some_and(|date| now.since(date) > feed.max_age)
}

/// What the log calls an entry.
pub fn name_of(entry: &Entry) -> String {
    entry.title.as_ref().or(entry.url.as_ref()).unwrap_or(&entry.id).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Cadence;
    use crate::draft::Media;
    use crate::entry::{Fields, Override};
    use crate::filter::{Field, Filters, Rule};
    use crate::platform::Platform;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn feed() -> FeedConfig {
        FeedConfig {
            url: "https://a.example/feed".parse().unwrap(),
            cadence: Cadence::Auto,
            accounts: None,
            backfill: 0,
            max_new: 5,
            max_age: 7 * DAY,
            catch_up: CatchUp::All,
            active: true,
        }
    }

    fn account() -> AccountConfig {
        AccountConfig {
            platform: Platform::Outbox,
            credentials: None,
            feeds: None,
            active: true,
            dry_run: false,
            approve: false,
            delay: Duration::from_secs(120),
            cooldown: Duration::ZERO,
            max_per_day: None,
            filters: Filters::default(),
            text: Layer::default(),
        }
    }

    fn check(
        change: impl FnOnce(&mut Entry, &mut AccountConfig, &mut FeedConfig, &mut News),
        expect: Fate,
    ) {
        let mut entry = Entry { id: "1".into(), published: Some(NOW), ..Entry::default() };
        let (mut account, mut feed, mut news) = (account(), feed(), News::default());
        change(&mut entry, &mut account, &mut feed, &mut news);
        let label = Label::new("me").unwrap();
        let around = Around { defaults: &Layer::default(), feed: &feed, now: NOW };
        assert_eq!(fate(&entry, &label, &account, &around, &news), expect);
    }

    fn ready(after: Duration) -> Fate {
        Fate::Ready { due_at: NOW.plus(after) }
    }

    fn held(reason: &'static str) -> Fate {
        Fate::Held { reason: reason.into(), due_at: NOW.plus(Duration::from_secs(120)) }
    }

    fn skipped(reason: &'static str) -> Fate {
        Fate::Skipped { reason: reason.into() }
    }

    #[test]
    fn news_goes_out_after_the_delay() {
        check(|_, _, _, _| {}, ready(Duration::from_secs(120)));
        check(|entry, _, _, _| entry.published = None, ready(Duration::from_secs(120)));
    }

    #[test]
    fn an_entry_of_the_future_waits_for_its_time() {
        let later = |entry: &mut Entry| entry.published = Some(NOW.plus(DAY));
        check(|entry, _, _, _| later(entry), ready(DAY + Duration::from_secs(120)));
    }

    #[test]
    fn an_account_may_have_a_date_of_its_own() {
        let fields = Fields { published_at: Some(NOW.plus(DAY)), ..Fields::default() };
        let later = Override { fields, ..Override::default() };
        check(
            |entry, _, _, _| drop(entry.control.by_account.insert("me".into(), later)),
            ready(DAY + Duration::from_secs(120)),
        );
    }

    #[test]
    fn reasons_not_to_publish() {
        check(
            |entry, _, _, _| entry.control.settings.syndicate = Some(false),
            skipped(NOT_SYNDICATED),
        );
        check(|_, _, _, news| news.elsewhere = true, skipped(DUPLICATE));
        check(|entry, _, _, _| entry.published = Some(NOW.minus(8 * DAY)), skipped(TOO_OLD));
        check(|_, _, _, news| news.flood = true, held(FLOOD));
        check(|_, _, _, news| news.twin = true, held(TWIN));
        check(|_, account, _, _| account.approve = true, held(APPROVAL));
    }

    #[test]
    fn what_lacks_alternative_text_may_have_to_wait() {
        let picture = |name: &str, alt: Option<&str>| Media {
            url: format!("https://a.io/{name}.jpg"),
            alt: alt.map(str::to_owned),
            ..Media::default()
        };
        let requires = |account: &mut AccountConfig| account.text.alt = Some(AltRule::Require);
        let bare = |entry: &mut Entry| {
            entry.media = vec![picture("a", None), picture("b", Some("B")), picture("c", None)];
        };
        check(|entry, _, _, _| bare(entry), ready(Duration::from_secs(120)));
        check(
            |entry, account, _, _| {
                bare(entry);
                requires(account);
            },
            held("no alt text: `a.jpg`, `c.jpg`; it goes when its entry has it"),
        );
        check(
            |entry, account, _, _| {
                requires(account);
                entry.media = ["a", "b", "c", "d", "e"].map(|name| picture(name, None)).into();
            },
            held(
                "no alt text: `a.jpg`, `b.jpg`, `c.jpg` and 2 more; it goes when its entry has it",
            ),
        );
        check(
            |entry, account, _, _| {
                requires(account);
                entry.media = vec![picture("b", Some("B"))];
            },
            ready(Duration::from_secs(120)),
        );
        // who looks at it anyway sees that it lacks
        check(
            |entry, account, _, _| {
                bare(entry);
                requires(account);
                account.approve = true;
            },
            held(APPROVAL),
        );
        // for this account it has none
        check(
            |entry, account, _, _| {
                bare(entry);
                requires(account);
                let settings = Layer { media: Some(Vec::new()), ..Layer::default() };
                let over = Override { settings, ..Override::default() };
                entry.control.by_account.insert("me".into(), over);
            },
            ready(Duration::from_secs(120)),
        );
    }

    #[test]
    fn an_account_may_want_only_what_asks_for_it() {
        let opt_in = |account: &mut AccountConfig| account.text.syndicate = Some(false);
        check(|_, account, _, _| opt_in(account), skipped(NOT_ASKED_FOR));
        let asks = |entry: &mut Entry| entry.control.settings.syndicate = Some(true);
        check(
            |entry, account, _, _| {
                opt_in(account);
                asks(entry);
            },
            ready(Duration::from_secs(120)),
        );
        check(
            |entry, account, _, _| {
                opt_in(account);
                asks(entry);
                let mut not_here = Override::default();
                not_here.settings.syndicate = Some(false);
                entry.control.by_account.insert("me".into(), not_here);
            },
            skipped(NOT_SYNDICATED),
        );
    }

    #[test]
    fn a_story_goes_only_where_there_are_stories() {
        let tells = |entry: &mut Entry| entry.control.settings.channel = Some(Channel::Story);
        check(
            |entry, account, _, _| {
                tells(entry);
                account.platform = Platform::Mastodon;
            },
            skipped("the entry is a story, and mastodon has none"),
        );
        check(|entry, _, _, _| tells(entry), ready(Duration::from_secs(120)));
        // what the owner prefers in general is no reason to say nothing
        let prefers = |account: &mut AccountConfig| {
            account.platform = Platform::Mastodon;
            account.text.channel = Some(Channel::Story);
        };
        check(|_, account, _, _| prefers(account), ready(Duration::from_secs(120)));
    }

    #[test]
    fn filters_see_the_entry_as_the_account_would_post_it() {
        let no_drafts = |account: &mut AccountConfig| {
            account.filters.exclude = vec![Rule::new(Field::Title, "draft").unwrap()];
        };
        let title = |text: &str| {
            let fields = Fields { title: Some(text.into()), ..Fields::default() };
            Override { fields, ..Override::default() }
        };
        let reason = "filtered: `exclude.title` `draft` matches";
        check(
            |entry, account, _, news| {
                no_drafts(account);
                entry.title = Some("A draft".into());
                // what it is comes before how many there are
                (news.flood, news.twin) = (true, true);
            },
            skipped(reason),
        );
        check(
            |entry, account, _, _| {
                no_drafts(account);
                entry.title = Some("A draft".into());
                entry.control.by_account.insert("me".into(), title("Ready"));
            },
            ready(Duration::from_secs(120)),
        );
        check(
            |entry, account, _, _| {
                no_drafts(account);
                entry.title = Some("Ready".into());
                entry.control.by_platform.insert("outbox".into(), title("A draft"));
            },
            skipped(reason),
        );
    }

    #[test]
    fn what_backfill_asks_for_goes_out_however_old() {
        let old = |entry: &mut Entry, news: &mut News| {
            entry.published = Some(NOW.minus(100 * DAY));
            news.asked_for = true;
        };
        check(|entry, _, _, news| old(entry, news), ready(Duration::from_secs(120)));
    }

    #[test]
    fn after_downtime_the_feed_decides() {
        let missed = |news: &mut News| (news.after_downtime, news.missed) = (true, true);
        check(
            |_, _, feed, news| {
                missed(news);
                feed.catch_up = CatchUp::Newest;
            },
            skipped(MISSED),
        );
        check(
            |_, _, feed, news| {
                (news.after_downtime, news.flood) = (true, true);
                feed.catch_up = CatchUp::Newest;
            },
            ready(Duration::from_secs(120)),
        );
        check(
            |_, _, feed, news| {
                missed(news);
                feed.catch_up = CatchUp::Hold;
            },
            held(CATCH_UP),
        );
    }
}
