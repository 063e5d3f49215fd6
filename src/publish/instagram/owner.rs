//! Owner: who the account is, what it may do, and how much of its quotas is used.

use std::time::Duration;

use super::session::Session;
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::platform::Platform;
use crate::publish::Identity;
use crate::publish::meta::quota::{self, Place};
use crate::publish::meta::{Ask, Meaning, Refusal, scopes, token};
use crate::publish::words::shown;

/// Where the account's memory holds who it is.
const ME_NOTE: &str = "instagram.me";
/// Where it holds how much of the quota is used.
const QUOTA_NOTE: &str = "instagram.quota";
/// Where it holds when its containers were made: unix seconds, oldest first.
const MADE_NOTE: &str = "instagram.made";
/// How many containers we make in 24 hours; Instagram allows 400, of all apps together.
const CONTAINERS_MAX: usize = 380;
const DAY: Duration = Duration::from_secs(24 * 3600);

const PROFESSIONAL: &str = "make it a professional account: in the Instagram app under Settings → \
                            Account type and tools → Switch to professional account";
const TESTER: &str = "the invitation as a tester is accepted on instagram.com under Settings → \
                      Apps and websites → Tester invites; then make a new token \
                      (docs/accounts/instagram.md)";

/// What the account says of itself.
struct About {
    /// The number of the professional account, 1784….
    user_id: String,
    /// Another number for the same, which only this app knows.
    app_scoped: Option<String>,
    username: Option<String>,
    account_type: Option<String>,
}

/// Instagram's number of the account: the configured one, else that which is asked for once for
/// each token.
///
/// # Errors
/// It could not be asked.
pub async fn id(session: &Session<'_>) -> Result<String, Failure> {
    if let Some(id) = session.user_id {
        return Ok(id.to_owned());
    }
    let ask = async { ask(session).await.map(|about| about.user_id) };
    quota::id(&session.calls(), ME_NOTE, ask).await
}

async fn ask(session: &Session<'_>) -> Result<About, Failure> {
    let params = [("fields", "user_id,username,account_type")];
    let ask =
        Ask { token: Some(&session.token), ..Ask::read("ask who the account is", "/me", &params) };
    let answer = session.graph.ask(session.desk, &ask).await?;
    let user_id = answer.text("user_id").ok_or_else(|| {
        Failure::account("Instagram names no professional account for this token", PROFESSIONAL)
    })?;
    Ok(About {
        user_id,
        app_scoped: answer.text("id"),
        username: answer.text("username"),
        account_type: answer.text("account_type"),
    })
}

/// Counts one container more, before it is asked for.
///
/// # Errors
/// `RateLimited` where the day has had too many; nothing was sent.
pub async fn count_container(session: &Session<'_>) -> Result<(), Refusal> {
    let memory = session.desk.memory;
    let now = session.desk.clock.now();
    let note = memory.read(MADE_NOTE).await?.unwrap_or_default();
    let mut made: Vec<i64> = serde_json::from_value(note).unwrap_or_default();
    let seconds = |at: Timestamp| at.as_millis() / 1000;
    made.retain(|at| seconds(now.minus(DAY)) < *at && *at <= seconds(now));
    if made.len() >= CONTAINERS_MAX {
        let frees = made.first().map_or(now, |at| Timestamp::from_secs(*at).plus(DAY));
        let class = Class::RateLimited { not_before: Some(frees) };
        let message = format!("{CONTAINERS_MAX} containers were made in the last 24 hours");
        let failure = Failure { class, message };
        return Err(Refusal { meaning: Meaning::Limited, answered: false, failure });
    }
    made.push(seconds(now));
    Ok(memory.write(MADE_NOTE, made.into()).await?)
}

/// Whether the quota allows one more post.
///
/// # Errors
/// `RateLimited` where it is used up.
pub async fn quota_allows(session: &Session<'_>, user: &str) -> Result<(), Failure> {
    let path = quota_path(user);
    quota::allows(&session.calls(), Place { note: QUOTA_NOTE, path: &path }).await
}

/// What a refusal for its rate means: where the quota of posts is used up, that.
pub async fn explain_limit(session: &Session<'_>, user: &str, refusal: Refusal) -> Failure {
    let path = quota_path(user);
    let place = Place { note: QUOTA_NOTE, path: &path };
    quota::explain_limit(&session.calls(), place, refusal).await
}

fn quota_path(user: &str) -> String {
    format!("/{user}/content_publishing_limit")
}

/// Who the account is, and how much of the quota is used. What the token may do can't be asked
/// (no call is known that tells it of Instagram's tokens), but the quota is shown only to one that
/// may publish.
///
/// # Errors
/// The failure that a post would meet now.
pub async fn verify(session: &Session<'_>) -> Result<Identity, Failure> {
    let about = ask(session).await.map_err(with_tester)?;
    if about.account_type.as_deref() == Some("PERSONAL") {
        return Err(Failure::account("the account is a personal one", PROFESSIONAL));
    }
    if let Some(configured) = session.user_id.filter(|id| **id != *about.user_id) {
        let message = match &about.app_scoped {
            Some(id) if id == configured => {
                format!("`user_id` is `{id}`, which only the app knows")
            }
            _ => format!("`user_id` is `{configured}`, and the token is of another account"),
        };
        let hint = format!("set `user_id = \"{}\"`, or leave it out", shown(&about.user_id));
        return Err(Failure::account(message, hint));
    }
    let mut notes = Vec::new();
    notes.push(match about.account_type {
        Some(kind) => format!("the account is a professional one ({kind})"),
        None => "of what type the account is was not said; it must be a professional one".into(),
    });
    let path = quota_path(&about.user_id);
    let place = Place { note: QUOTA_NOTE, path: &path };
    let quota = quota::ask(&session.calls(), place).await.map_err(with_tester)?;
    let wanted = scopes(Platform::Instagram).join("`, `");
    notes.push(match quota {
        Some(_) => format!("the token may read and post (`{wanted}`)"),
        None => format!("what the token may do can't be told; it needs `{wanted}`"),
    });
    notes.push(end_of_token(session).await?);
    notes.push(match quota {
        Some(quota) => quota.words(),
        None => "how many posts of the day are used was not said".into(),
    });
    Ok(Identity {
        name: about.username.as_ref().map_or(about.user_id, |name| format!("@{name}")),
        url: about.username.map(|name| format!("https://www.instagram.com/{name}/")),
        notes,
    })
}

/// Says with a permission that is missing what it may be, and which ones are wanted.
fn with_tester(failure: Failure) -> Failure {
    match failure.class {
        Class::Account { until, hint } => {
            let wanted = scopes(Platform::Instagram).join("`, `");
            let hint = format!("{hint}. Wanted are `{wanted}`; {TESTER}");
            Failure { class: Class::Account { until, hint }, ..failure }
        }
        _ => failure,
    }
}

async fn end_of_token(session: &Session<'_>) -> Result<String, Failure> {
    let kept = token::kept(session.desk).await?;
    let ours = kept.filter(|kept| kept.access_token == session.token.expose());
    let end = ours.and_then(|token| token.expires_at);
    let now = session.desk.clock.now();
    Ok(match end {
        Some(at) => {
            let days = at.since(now).as_secs() / 86_400;
            format!("the token ends in {days} days, at {at}; it is renewed before that")
        }
        None => {
            "when the token ends can't be asked, and is known from its first renewal on; a token \
                 lives 60 days"
                .into()
        }
    })
}
