//! Owner: who the account is, what it may do, and how much of its quota is used.

use super::session::Session;
use crate::clock::Timestamp;
use crate::crosspost::Failure;
use crate::platform::Platform;
use crate::publish::Identity;
use crate::publish::meta::quota::{self, Place};
use crate::publish::meta::{Ask, Meaning, Refusal, errors, scopes, token};

/// Where the account's memory holds who it is.
const ME_NOTE: &str = "threads.me";
/// Where it holds how much of the quota is used.
const QUOTA_NOTE: &str = "threads.quota";
const QUOTA: Place<'_> = Place { note: QUOTA_NOTE, path: "/me/threads_publishing_limit" };

/// Threads' id of the account. Asked once for each token.
///
/// # Errors
/// It could not be asked.
pub async fn id(session: &Session<'_>) -> Result<String, Failure> {
    let ask = async { ask(session).await.map(|(id, _)| id) };
    quota::id(&session.calls(), ME_NOTE, ask).await
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

/// Whether the quota allows one more post.
///
/// # Errors
/// `RateLimited` where it is used up.
pub async fn quota_allows(session: &Session<'_>) -> Result<(), Failure> {
    quota::allows(&session.calls(), QUOTA).await
}

/// What a refusal for its rate means: where the quota of posts is used up, that.
pub async fn explain_limit(session: &Session<'_>, refusal: Refusal) -> Failure {
    quota::explain_limit(&session.calls(), QUOTA, refusal).await
}

/// Who the account is, what its token may do and until when, and how much of the quota is used.
///
/// # Errors
/// The failure that a post would meet now.
pub async fn verify(session: &Session<'_>) -> Result<Identity, Failure> {
    let (id, username) = ask(session).await?;
    let mut notes = token_notes(session).await?;
    if let Ok(Some(quota)) = quota::ask(&session.calls(), QUOTA).await {
        notes.push(quota.words());
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
