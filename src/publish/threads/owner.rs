//! Owner: who the account is, what it may do, and how much of its quota is used.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::session::Session;
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::platform::Platform;
use crate::publish::Identity;
use crate::publish::meta::answer::number;
use crate::publish::meta::{Answer, Ask, Meaning, Refusal, errors, scopes, token};

/// Where the account's memory holds who it is.
const ME_NOTE: &str = "threads.me";
/// Where it holds how much of the quota is used.
const QUOTA_NOTE: &str = "threads.quota";
/// How long an answer about the quota is good for.
const QUOTA_AGE: Duration = Duration::from_secs(3600);
/// How long a post waits when the quota is used up; it frees little by little, over a day.
const QUOTA_WAIT: Duration = Duration::from_secs(3600);

/// Who the account is, as remembered for one token.
#[derive(Serialize, Deserialize)]
struct Me {
    id: String,
    /// A fingerprint of the token that was asked with.
    of: String,
}

/// How many posts the last 24 hours had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Quota {
    used: i64,
    total: i64,
    asked_at: Timestamp,
}

/// Threads' id of the account. Asked once for each token.
///
/// # Errors
/// It could not be asked.
pub async fn id(session: &Session<'_>) -> Result<String, Failure> {
    let digest = Sha256::digest(session.token.expose());
    let of: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let note = session.desk.memory.read(ME_NOTE).await?;
    let known = note.and_then(|note| serde_json::from_value::<Me>(note).ok());
    if let Some(me) = known.filter(|me| me.of == of) {
        return Ok(me.id);
    }
    let (id, _) = ask(session).await?;
    let me = Me { id: id.clone(), of };
    let note = serde_json::to_value(&me).expect("plain data can be written as JSON");
    session.desk.memory.write(ME_NOTE, note).await?;
    Ok(id)
}

/// Id and name of the account.
async fn ask(session: &Session<'_>) -> Result<(String, Option<String>), Failure> {
    let params = [("fields", "id,username,name")];
    let ask =
        Ask { token: Some(&session.token), ..Ask::read("ask who the account is", "/me", &params) };
    let answer = session.graph.ask(session.desk, &ask).await?;
    let id = answer.text("id").ok_or_else(|| Failure::retry("the account says no id of its own"));
    Ok((id?, answer.text("username")))
}

/// Whether the quota allows one more post. Asked at most once an hour, and whenever it was used
/// up; where it can't be asked, the publication will tell.
///
/// # Errors
/// `RateLimited` where it is used up.
pub async fn quota_allows(session: &Session<'_>) -> Result<(), Failure> {
    let now = session.desk.clock.now();
    let note = session.desk.memory.read(QUOTA_NOTE).await?;
    let known = note.and_then(|note| serde_json::from_value::<Quota>(note).ok()).filter(|known| {
        known.used < known.total && known.asked_at <= now && now.since(known.asked_at) < QUOTA_AGE
    });
    if known.is_some() {
        return Ok(());
    }
    match ask_quota(session).await {
        Some(quota) if quota.used >= quota.total => Err(used_up(quota, now)),
        _ => Ok(()),
    }
}

/// What a refusal for its rate means: where the quota of posts is used up, that.
pub async fn explain_limit(session: &Session<'_>, refusal: Refusal) -> Failure {
    if !matches!(refusal.meaning, Meaning::Limited | Meaning::Quota) {
        return refusal.into();
    }
    match ask_quota(session).await {
        Some(quota) if quota.used >= quota.total => used_up(quota, session.desk.clock.now()),
        _ => refusal.into(),
    }
}

fn used_up(quota: Quota, now: Timestamp) -> Failure {
    let class = Class::RateLimited { not_before: Some(now.plus(QUOTA_WAIT)) };
    let message = format!("{} of {} posts of the last 24 hours are used", quota.used, quota.total);
    Failure { class, message }
}

async fn ask_quota(session: &Session<'_>) -> Option<Quota> {
    let params = [("fields", "quota_usage,config")];
    let ask = Ask {
        token: Some(&session.token),
        ..Ask::read("ask for the quota", "/me/threads_publishing_limit", &params)
    };
    let answer = session.graph.ask(session.desk, &ask).await.ok()?;
    let quota = read_quota(&answer, session.desk.clock.now())?;
    let note = serde_json::to_value(quota).expect("plain data can be written as JSON");
    let _ = session.desk.memory.write(QUOTA_NOTE, note).await; // unwritten, it is asked again
    Some(quota)
}

fn read_quota(answer: &Answer, now: Timestamp) -> Option<Quota> {
    let data: &Value = &answer.body["data"][0];
    let total = number(&data["config"]["quota_total"]).filter(|total| *total > 0)?;
    Some(Quota { used: number(&data["quota_usage"])?, total, asked_at: now })
}

/// Who the account is, what its token may do and until when, and how much of the quota is used.
///
/// # Errors
/// The failure that a post would meet now.
pub async fn verify(session: &Session<'_>) -> Result<Identity, Failure> {
    let (id, username) = ask(session).await?;
    let mut notes = token_notes(session).await?;
    if let Some(quota) = ask_quota(session).await {
        notes
            .push(format!("{} of {} posts of the last 24 hours are used", quota.used, quota.total));
    }
    Ok(Identity {
        name: username.as_ref().map_or(id, |name| format!("@{name}")),
        url: username.map(|name| format!("https://www.threads.com/@{name}")),
        notes,
    })
}

/// What is to be said of the token.
async fn token_notes(session: &Session<'_>) -> Result<Vec<String>, Failure> {
    let about = match token::debug(session.graph, session.desk, &session.token, None).await {
        Ok(about) => about,
        // it has just let us in, so this is about the question: what we know ourselves is told
        Err(refusal) => {
            let kept = token::kept(session.desk).await?;
            let ours = kept.filter(|kept| kept.access_token == session.token.expose());
            return Ok(vec![match ours.and_then(|kept| kept.expires_at) {
                Some(at) => ends(at, session.desk.clock.now()),
                None => format!("when the token ends can't be told: {}", refusal.failure.message),
            }]);
        }
    };
    if !about.is_valid {
        let hint = errors::hint(Meaning::Expired, Platform::Threads);
        return Err(Failure::account("Threads says that the token is not valid", hint));
    }
    let missing = about.missing(Platform::Threads);
    if !missing.is_empty() {
        let message = format!(
            "the token lacks `{}` of `{}`",
            missing.join("`, `"),
            scopes(Platform::Threads).join("`, `")
        );
        let hint = errors::hint(Meaning::Permission, Platform::Threads);
        return Err(Failure::account(message, hint));
    }
    let now = session.desk.clock.now();
    Ok(vec![match about.expires_at {
        Some(at) => ends(at, now),
        None => "when the token ends was not said".into(),
    }])
}

fn ends(at: Timestamp, now: Timestamp) -> String {
    let days = at.since(now).as_secs() / 86_400;
    format!("the token ends in {days} days, at {at}; it is renewed before that")
}
