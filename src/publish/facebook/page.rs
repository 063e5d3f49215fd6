//! Page: which Page the account is, and what its token may do.

use super::session::Session;
use crate::clock::Timestamp;
use crate::crosspost::Failure;
use crate::platform::Platform;
use crate::publish::Identity;
use crate::publish::meta::{Ask, Meaning, errors, scopes, token};
use crate::publish::words::shown;

/// What no answer of the API shows.
const DEVELOPMENT: &str = "while the app is in development mode, posts are seen by its own people \
                           alone, and nothing says so: publish the app \
                           (docs/accounts/facebook.md)";

/// Which Page it is, what its token may do and until when.
///
/// # Errors
/// The failure that a post would meet now.
pub async fn verify(session: &Session<'_>) -> Result<Identity, Failure> {
    let params = [("fields", "id,name")];
    let ask = Ask {
        token: Some(&session.token),
        ..Ask::read("ask which Page the token is of", "/me", &params)
    };
    let answer = session.graph.ask(session.desk, &ask).await?;
    let id = answer.text("id").ok_or_else(|| Failure::retry("the Page says no id of its own"))?;
    let name = answer.text("name").unwrap_or_else(|| id.clone());
    if id != session.page_id {
        let (name, id) = (shown(&name), shown(&id));
        let message =
            format!("the token is of {name} (`{id}`), and `page_id` is `{}`", session.page_id);
        let hint = "a user's token does not do: take the Page's own, with its number, from \
                    `me/accounts` (docs/accounts/facebook.md)";
        return Err(Failure::account(message, hint));
    }
    let mut notes = token_notes(session).await?;
    notes.push(DEVELOPMENT.into());
    Ok(Identity { name, url: Some(format!("https://www.facebook.com/{id}")), notes })
}

/// What is to be said of the token.
async fn token_notes(session: &Session<'_>) -> Result<Vec<String>, Failure> {
    let about = match token::debug(session.graph, session.desk, &session.token, None).await {
        Ok(about) => about,
        Err(refusal) if refusal.meaning == Meaning::Expired => return Err(refusal.into()),
        // asked in its own name, a token is not always told of itself
        Err(refusal) => {
            let why = refusal.failure.message;
            return Ok(vec![format!(
                "what the token may do, and until when, can't be told: {why}"
            )]);
        }
    };
    if !about.is_valid {
        let hint = errors::hint(Meaning::Expired, Platform::Facebook);
        return Err(Failure::account("Facebook says that the token is not valid", hint));
    }
    // a token that lists no Pages can post all the same
    let mut missing = about.missing(Platform::Facebook);
    missing.retain(|scope| *scope != "pages_show_list");
    if !missing.is_empty() {
        let message = format!(
            "the token lacks `{}` of `{}`",
            missing.join("`, `"),
            scopes(Platform::Facebook).join("`, `")
        );
        let hint = errors::hint(Meaning::Permission, Platform::Facebook);
        return Err(Failure::account(message, hint));
    }
    let days = |at: Timestamp| at.since(session.desk.clock.now()).as_secs() / 86_400;
    let mut notes = vec![match about.expires_at {
        None => "the token has no end".to_owned(),
        Some(at) => format!(
            "the token ends in {} days, at {at}: a Page's token of a long-lived user token has no \
             end (docs/accounts/facebook.md)",
            days(at)
        ),
    }];
    notes.extend(about.data_access_expires_at.map(|at| {
        format!("its right to read ends in {} days, at {at}: then make a new one", days(at))
    }));
    Ok(notes)
}
