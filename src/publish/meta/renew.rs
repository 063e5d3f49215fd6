//! Renew: what is done for a token of Meta's once a day.
//!
//! Threads and Instagram renew a token that is a day old and not over; a Page token has no end, and
//! is asked about every week. A token that was pasted or configured is renewed as soon as that is
//! allowed, which shows at once whether it can be; a renewed one when a month of it is left, which
//! leaves thirty chances. **Invariant:** asks nobody before `refresh_after`; the new token is
//! committed before this returns, and the old one is good until its own end, so that an answer that
//! is lost costs nothing.

use std::time::Duration;

use serde_json::Value;

use super::Meaning;
use super::graph::{Ask, Graph, Refusal};
use super::token::{self, About, App, Source, Token};
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::{Class, Failure};
use crate::platform::Platform;
use crate::publish::{Desk, NotebookError, Renewal};
use crate::token::Life;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// What is left of a renewed token when it is renewed again (sheet, section 6).
const LEFT: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often a Page token is asked about (sheet, section 6).
const CHECK_EVERY: Duration = Duration::from_secs(7 * 24 * 3600);
/// Where the account's memory holds the life of a token that says nothing of it itself: of the
/// configured one, and of a Page's. Forgotten with it.
pub const LIFE_NOTE: &str = "meta.life";

/// Renews the token, or asks about it, if its time has come. `configured` is that of the config.
///
/// # Errors
/// `Account` when there is none, or it is surely of no use any more.
pub async fn renew(
    graph: &Graph,
    desk: &Desk<'_>,
    configured: Option<&Secret>,
    app: Option<&App>,
) -> Result<Renewal, Failure> {
    let kept = token::kept(desk).await?;
    let Some(token) =
        kept.as_ref().map(|kept| Secret::new(&kept.access_token)).or_else(|| configured.cloned())
    else {
        return Err(none(graph.platform()));
    };
    let is_page = graph.platform() == Platform::Facebook;
    let own = kept.as_ref().filter(|_| !is_page).map(life_of);
    let known = match own {
        Some(life) => Some(life),
        None => noted(desk).await?,
    };
    let now = desk.clock.now();
    if let Some(life) = known.filter(|life| !life.is_due(now)) {
        return Ok(Renewal::Checked(life));
    }
    if is_page {
        return check(graph, desk, &token, app, known).await;
    }
    let life = match known {
        Some(life) => life,
        None => note(desk, ask(graph, desk, &token, app).await?.life).await?,
    };
    if life.is_over(now) {
        return Err(over(graph.platform(), "the token has ended".into()));
    }
    if !life.is_due(now) {
        return Ok(Renewal::Checked(life));
    }
    refresh(graph, desk, &token, life).await
}

/// That an account has no token yet.
pub fn none(platform: Platform) -> Failure {
    over(platform, "there is no token for it yet".into())
}

/// What is known of a token that was got just now, and of one that was renewed.
pub fn life_of(token: &Token) -> Life {
    let at_first = token.refresh_after.unwrap_or_else(|| token.obtained_at.plus(CHECK_EVERY));
    let refresh_after = match (token.source, token.expires_at) {
        (Source::Renewed, Some(end)) => at_first.max(end.minus(LEFT)),
        // nobody says when it ends: sixty days are what these tokens live
        (Source::Renewed, None) => at_first.max(token.obtained_at.plus(LEFT)),
        _ => at_first,
    };
    Life {
        obtained_at: token.obtained_at,
        expires_at: token.expires_at,
        refresh_after,
        data_access_expires_at: None,
    }
}

/// What Meta knows of a token.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its life; where nobody says, it was first seen now.
    pub life: Life,
    /// Everything that Meta said, where it did.
    pub about: Option<About>,
}

/// Asks Meta what it knows of `token`.
///
/// # Errors
/// It is not valid, or nobody could be asked.
pub async fn ask(
    graph: &Graph,
    desk: &Desk<'_>,
    token: &Secret,
    app: Option<&App>,
) -> Result<Known, Failure> {
    let now = desk.clock.now();
    let is_page = graph.platform() == Platform::Facebook;
    let due = |made: Timestamp| if is_page { now.plus(CHECK_EVERY) } else { made.plus(DAY) };
    let life = Life {
        obtained_at: now,
        expires_at: None,
        refresh_after: if is_page { due(now) } else { now },
        data_access_expires_at: None,
    };
    let unknown = Known { life, about: None };
    if graph.platform() == Platform::Instagram {
        // no such call is known to work with its tokens
        return Ok(unknown);
    }
    match token::debug(graph, desk, token, app).await {
        Ok(about) if !about.is_valid => {
            let message = "Meta says that the token is not valid any more".to_owned();
            Err(over(graph.platform(), message))
        }
        Ok(about) => {
            let life = Life {
                obtained_at: about.issued_at.unwrap_or(now),
                expires_at: about.expires_at,
                refresh_after: about.issued_at.map_or(life.refresh_after, due),
                data_access_expires_at: about.data_access_expires_at,
            };
            Ok(Known { life, about: Some(about) })
        }
        Err(refusal) if tells_nothing(&refusal) => Ok(unknown),
        Err(refusal)
            if refusal.meaning == Meaning::Expired && !is_dead(graph, desk, token).await =>
        {
            Ok(unknown)
        }
        Err(refusal) => Err(refusal.failure),
    }
}

/// Whether a refusal is only about the question: others may ask it, or nobody.
fn tells_nothing(refusal: &Refusal) -> bool {
    refusal.is_definite() && refusal.meaning != Meaning::Expired
}

/// Whether `token` is surely of no use any more. The calls about tokens are sent in ways that are
/// not documented, and one that overlooks the token would call it dead; so the word of a call that
/// posts make too is asked for, before an account that works is parked.
async fn is_dead(graph: &Graph, desk: &Desk<'_>, token: &Secret) -> bool {
    let params = [("fields", "id")];
    let ask = Ask { token: Some(token), ..Ask::read("ask whose token it is", "/me", &params) };
    let answer = graph.ask(desk, &ask).await;
    matches!(answer, Err(Refusal { meaning: Meaning::Expired, .. }))
}

async fn refresh(
    graph: &Graph,
    desk: &Desk<'_>,
    token: &Secret,
    life: Life,
) -> Result<Renewal, Failure> {
    let answer = token::refresh(graph, desk, token).await;
    let now = desk.clock.now();
    match answer {
        Ok(fresh) => {
            let token = Token::new(graph.platform(), &fresh, Source::Renewed, now);
            token::keep(desk, &token).await?;
            Ok(Renewal::Renewed(life_of(&token)))
        }
        // of a token whose age nobody told us: it may be younger than a day, and how that is
        // refused is not documented
        Err(refusal)
            if tells_nothing(&refusal)
                && life.expires_at.is_none()
                && now.since(life.obtained_at) <= DAY =>
        {
            Ok(Renewal::TooYoung(life))
        }
        Err(refusal)
            if refusal.meaning == Meaning::Expired && is_dead(graph, desk, token).await =>
        {
            Err(refusal.failure)
        }
        // posts may go out all the same: no reason to park
        Err(Refusal { failure: Failure { class, message }, .. }) => {
            let message = match class {
                Class::Account { hint, .. } => format!("{message}; {hint}"),
                _ => message,
            };
            Ok(Renewal::Unrenewed(life, Failure::retry(message)))
        }
    }
}

/// Asks about a Page token.
async fn check(
    graph: &Graph,
    desk: &Desk<'_>,
    token: &Secret,
    app: Option<&App>,
    known: Option<Life>,
) -> Result<Renewal, Failure> {
    match (ask(graph, desk, token, app).await, known) {
        (Ok(known), _) => Ok(Renewal::Checked(note(desk, known.life).await?)),
        (Err(failure), Some(life)) if !matches!(failure.class, Class::Account { .. }) => {
            Ok(Renewal::Unrenewed(life, failure))
        }
        (Err(failure), _) => Err(failure),
    }
}

async fn noted(desk: &Desk<'_>) -> Result<Option<Life>, NotebookError> {
    let note = desk.memory.read(LIFE_NOTE).await?;
    Ok(note.and_then(|note| serde_json::from_value(note).ok()))
}

/// Remembers `life`, and gives it back.
async fn note(desk: &Desk<'_>, life: Life) -> Result<Life, NotebookError> {
    let value: Value = serde_json::to_value(life).expect("plain data can be written as JSON");
    desk.memory.write(LIFE_NOTE, value).await?;
    Ok(life)
}

fn over(platform: Platform, message: String) -> Failure {
    Failure::account(message, format!("get one with `posse-party login {}`", platform.tag()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn a_token_is_renewed_early_at_first_and_late_later() {
        let check = |source, expires_in_days: Option<u32>, expect_days: u32| {
            let token = Token {
                access_token: "t".into(),
                obtained_at: NOW,
                expires_at: expires_in_days.map(|days| NOW.plus(DAY * days)),
                refresh_after: Some(NOW.plus(DAY)),
                source,
            };
            let due = life_of(&token).refresh_after;
            assert_eq!(due, NOW.plus(DAY * expect_days), "{source:?} {expires_in_days:?}");
        };
        check(Source::Pasted, Some(60), 1);
        check(Source::SignedIn, None, 1);
        check(Source::Renewed, Some(60), 30);
        check(Source::Renewed, Some(20), 1);
        check(Source::Renewed, None, 30);
    }

    #[test]
    fn a_page_token_is_asked_about_every_week() {
        let token = Token {
            access_token: "t".into(),
            obtained_at: NOW,
            expires_at: None,
            refresh_after: None,
            source: Source::SignedIn,
        };
        assert_eq!(life_of(&token).refresh_after, NOW.plus(CHECK_EVERY));
    }
}
