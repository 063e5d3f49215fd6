//! Readback: looks for a post among the account's own, to learn what became of a lost answer.
//!
//! **Invariant:** an absence is told only of a list that was read without a gap back to before the
//! first attempt, that holds such posts at all, and in which nothing resembles ours. A post is
//! found only where it is surely no older than the first attempt.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap};
use serde_json::Value;

use tokio::time::Instant;

use super::attempt::Status;
use super::errors::Call;
use super::identity::Account;
use super::instance;
use super::recognise::{Likeness, Sought};
use super::server::Server;
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure, Receipt};
use crate::http::date;
use crate::publish::words::shown;
use crate::publish::{Desk, Found};

/// Posts on one page: the most that Mastodon gives.
const PAGE: &str = "40";
/// Pages that are read at most: a thousand posts since the first attempt.
const PAGES_MAX: usize = 25;
/// How much older than our first attempt our post may look where its age was measured: a server's
/// machines don't agree to the second.
const SLACK: Duration = Duration::from_secs(10);
/// The same where only clocks tell, which may have been set since (sheet A8).
const LOOK_BACK: Duration = Duration::from_secs(120);

/// What is sought.
pub struct Lost<'a> {
    /// What was posted.
    pub status: &'a Status,
    /// When the first attempt began, where that is known.
    pub since: Option<Timestamp>,
    /// The same, measured by this process.
    pub measured: Option<Instant>,
}

/// Looks for the post of `lost` among those of `account`.
///
/// # Errors
/// It can't be told.
pub async fn look(
    server: &Server,
    account: &Account,
    lost: &Lost<'_>,
    desk: &Desk<'_>,
) -> Result<Found, Failure> {
    let family = instance::remembered_family(server, desk).await;
    let Status { status: text_sent, spoiler_text, media_ids, .. } = lost.status;
    let sought = Sought::of(text_sent, spoiler_text.as_deref()).with_media(media_ids);
    let mut like = None;
    let mut max_id: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let (page, headers) = page(server, account, max_id.as_deref(), desk).await?;
        let window = Window::of(lost, &headers, desk.clock.now());
        for status in &page {
            if is_before(status, window.perhaps) || is_boost(status) {
                continue;
            }
            match sought.in_status(status) {
                Likeness::Same if !is_before(status, window.surely) => {
                    return receipt(server, status).map(Found::Published);
                }
                Likeness::Same | Likeness::Alike => like = like.or_else(|| text(status, "url")),
                Likeness::Other => {}
            }
        }
        let Some(last) = page.last() else {
            let first = max_id.is_none();
            let plausible = family.empty_list_is_true() || account.statuses_count == Some(0);
            return if first && !plausible {
                Err(unsure(server, "the list is empty, though the account has posts"))
            } else {
                absent(server, lost.status, family.lists_private(), account, like)
            };
        };
        if is_before(last, window.perhaps) {
            return absent(server, lost.status, family.lists_private(), account, like);
        }
        let next = text(last, "id");
        if next.is_none() || next == max_id {
            return Err(unsure(server, "the list can't be turned to its next page"));
        }
        max_id = next;
    }
    Err(unsure(server, "there are too many posts since"))
}

/// The absence, where it proves something.
fn absent(
    server: &Server,
    sent: &Status,
    lists_private: bool,
    account: &Account,
    like: Option<String>,
) -> Result<Found, Failure> {
    let visibility = sent.visibility.as_deref().or(account.privacy.as_deref());
    if !lists_private && matches!(visibility, Some("private" | "direct")) {
        return Err(unsure(server, "the list may leave out posts that are not public"));
    }
    match like {
        None => Ok(Found::Absent),
        Some(url) => {
            let why = format!("{} resembles it, but is not surely it", shown(&url));
            Err(Failure { class: Class::Duplicate, ..unsure(server, &why) })
        }
    }
}

async fn page(
    server: &Server,
    account: &Account,
    max_id: Option<&str>,
    desk: &Desk<'_>,
) -> Result<(Vec<Value>, HeaderMap), Failure> {
    let call = Call {
        server: server.origin(),
        doing: "looking for the post among the account's own at",
        scope: "read:statuses",
    };
    let path = format!("/api/v1/accounts/{}/statuses", account.id);
    let mut query = vec![("limit", PAGE), ("exclude_reblogs", "true")];
    query.extend(max_id.map(|id| ("max_id", id)));
    match server.get(&path, &query, &call, desk.clock.now()).await?.found()? {
        (Value::Array(page), headers) if page.iter().all(|it| text(it, "id").is_some()) => {
            Ok((page, headers))
        }
        _ => Err(unsure(server, "the answer is no list of posts")),
    }
}

/// From when on a post can be ours, by the server's clock.
struct Window {
    /// What is as old as that can surely be.
    surely: Timestamp,
    /// What is older surely can't.
    perhaps: Timestamp,
}

impl Window {
    /// The window in an answer with `headers` that came at `now`.
    fn of(lost: &Lost<'_>, headers: &HeaderMap, now: Timestamp) -> Self {
        let theirs = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(date::parse);
        match (lost.since, lost.measured, theirs) {
            // no clock of ours needs to be right, and a machine that slept is not believed
            (Some(since), Some(measured), Some(theirs)) => {
                let age = measured.elapsed().max(now.since(since));
                let surely = theirs.minus(age + SLACK);
                Self { surely, perhaps: surely }
            }
            // either clock may have been set since then: the earlier reading counts for an absence
            (Some(since), _, theirs) => {
                let theirs = theirs.unwrap_or(now);
                let shifted = since.plus(theirs.since(now)).minus(now.since(theirs));
                let surely = shifted.minus(SLACK);
                Self { surely, perhaps: surely.min(since).minus(LOOK_BACK) }
            }
            (None, ..) => Self {
                surely: Timestamp::from_millis(i64::MAX),
                perhaps: Timestamp::from_millis(i64::MIN),
            },
        }
    }
}

/// Whether a status was surely made before `at`; one without a date that can be read was not.
fn is_before(status: &Value, at: Timestamp) -> bool {
    let created_at = text(status, "created_at").and_then(|at| Timestamp::parse_rfc3339(&at));
    created_at.is_some_and(|created_at| created_at < at)
}

/// Whether a status shows the words of somebody else: not every server leaves those out.
fn is_boost(status: &Value) -> bool {
    status.get("reblog").is_some_and(Value::is_object)
}

fn receipt(server: &Server, status: &Value) -> Result<Receipt, Failure> {
    let remote_id = text(status, "id").ok_or_else(|| unsure(server, "the post has no id"))?;
    Ok(Receipt::new(remote_id, text(status, "url")))
}

fn text(status: &Value, name: &str) -> Option<String> {
    status.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn unsure(server: &Server, why: &str) -> Failure {
    let server = server.origin();
    Failure::retry(format!("looking for the post among the account's own at `{server}`: {why}"))
}
