//! Readback: looks for a post among the account's own, to learn what became of a lost answer.
//!
//! **Invariant:** an absence is told only of a list that was read without a gap back to before the
//! first attempt, that holds such posts at all, and in which nothing resembles ours.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap};
use serde_json::Value;

use super::errors::Call;
use super::identity::{self, Account};
use super::instance;
use super::recognise::{Likeness, Sought};
use super::server::Server;
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure, Receipt};
use crate::draft::{Draft, Visibility};
use crate::http::date;
use crate::publish::{Desk, Found};

/// Posts on one page: the most that Mastodon gives.
const PAGE: &str = "40";
/// Pages that are read at most: a thousand posts since the first attempt.
const PAGES_MAX: usize = 25;
/// How much older than our first attempt our post may look (sheet A8).
const LOOK_BACK: Duration = Duration::from_secs(120);

/// Looks for the post of `draft`, first sent at `since`.
pub async fn look(
    server: &Server,
    draft: &Draft,
    since: Option<Timestamp>,
    desk: &Desk<'_>,
) -> Found {
    match search(server, draft, since, desk).await {
        Ok(found) => found,
        Err(failure) => Found::Unknown(failure),
    }
}

async fn search(
    server: &Server,
    draft: &Draft,
    since: Option<Timestamp>,
    desk: &Desk<'_>,
) -> Result<Found, Failure> {
    let now = desk.clock.now();
    let family = instance::remembered_family(server, desk).await;
    let account = identity::account(server, now).await?;
    let sought = Sought::of(draft);
    let mut like = None;
    let mut max_id: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let (page, headers) = page(server, &account, max_id.as_deref(), now).await?;
        let oldest = since.map(|since| since.minus(LOOK_BACK + skew(&headers, now)));
        for status in &page {
            if is_before(status, oldest) || is_boost(status) {
                continue;
            }
            match sought.in_status(status) {
                Likeness::Same => return receipt(server, status).map(Found::Published),
                Likeness::Alike => like = like.or_else(|| text(status, "url")),
                Likeness::Other => {}
            }
        }
        let Some(last) = page.last() else {
            let first = max_id.is_none();
            let plausible = family.empty_list_is_true() || account.statuses_count == Some(0);
            return if first && !plausible {
                Err(unsure(server, "the list is empty, though the account has posts"))
            } else {
                absent(server, draft, family.lists_private(), &account, like)
            };
        };
        if is_before(last, oldest) {
            return absent(server, draft, family.lists_private(), &account, like);
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
    draft: &Draft,
    lists_private: bool,
    account: &Account,
    like: Option<String>,
) -> Result<Found, Failure> {
    let visibility = draft.visibility.map(Visibility::as_str).or(account.privacy.as_deref());
    if !lists_private && matches!(visibility, Some("private" | "direct")) {
        return Err(unsure(server, "the list may leave out posts that are not public"));
    }
    match like {
        None => Ok(Found::Absent),
        Some(url) => {
            let why = format!("{url} resembles it, but is not surely it");
            Err(Failure { class: Class::Duplicate, ..unsure(server, &why) })
        }
    }
}

async fn page(
    server: &Server,
    account: &Account,
    max_id: Option<&str>,
    now: Timestamp,
) -> Result<(Vec<Value>, HeaderMap), Failure> {
    let call = Call {
        server: server.origin(),
        doing: "looking for the post among the account's own at",
        scope: "read:statuses",
    };
    let path = format!("/api/v1/accounts/{}/statuses", account.id);
    let mut query = vec![("limit", PAGE), ("exclude_reblogs", "true")];
    query.extend(max_id.map(|id| ("max_id", id)));
    match server.get(&path, &query, &call, now).await?.found()? {
        (Value::Array(page), headers) if page.iter().all(|it| text(it, "id").is_some()) => {
            Ok((page, headers))
        }
        _ => Err(unsure(server, "the answer is no list of posts")),
    }
}

/// How far the server's clock is from ours.
fn skew(headers: &HeaderMap, now: Timestamp) -> Duration {
    let theirs = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(date::parse);
    theirs.map_or(Duration::ZERO, |theirs| theirs.since(now).max(now.since(theirs)))
}

/// Whether a status was surely made before `oldest`; one without a date that can be read was not.
fn is_before(status: &Value, oldest: Option<Timestamp>) -> bool {
    let created_at = text(status, "created_at").and_then(|at| Timestamp::parse_rfc3339(&at));
    created_at.zip(oldest).is_some_and(|(created_at, oldest)| created_at < oldest)
}

/// Whether a status shows the words of somebody else: not every server leaves those out.
fn is_boost(status: &Value) -> bool {
    status.get("reblog").is_some_and(Value::is_object)
}

fn receipt(server: &Server, status: &Value) -> Result<Receipt, Failure> {
    let remote_id = text(status, "id").ok_or_else(|| unsure(server, "the post has no id"))?;
    Ok(Receipt { remote_id, url: text(status, "url") })
}

fn text(status: &Value, name: &str) -> Option<String> {
    status.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn unsure(server: &Server, why: &str) -> Failure {
    let server = server.origin();
    Failure::retry(format!("looking for the post among the account's own at `{server}`: {why}"))
}
