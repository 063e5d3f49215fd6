//! Login: what an owner brings (a token, or the address at which the browser ended) to a token that
//! is checked and worth keeping.
//!
//! **Invariant:** what comes out belongs to somebody whose name is known, is valid, and may post.
//! **Refuses:** an address whose `state` is not the one that was given; a token without the
//! permissions that posts need.

use url::Url;

use super::graph::{Ask, Graph};
use super::pages::{self, Page};
use super::renew;
use super::token::{self, App, Fresh, Source, Token, bare_code};
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::Failure;
use crate::platform::Platform;
use crate::publish::Desk;
use crate::token::Life;

/// A token that lives for less than this is one of the short ones. Meta's live for an hour or two.
const SHORT: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// A token that is worth keeping.
pub struct Entry {
    /// It.
    pub token: Token,
    /// What is known of its life.
    pub life: Life,
    /// Whose it is: the name there.
    pub name: String,
    /// The id there.
    pub id: String,
}

/// What an owner has brought: done, or a choice of Pages.
pub enum Step {
    /// A token.
    Done(Box<Entry>),
    /// The Pages of a person, one of which is meant.
    Choose(Vec<Page>),
}

/// Takes a token that was pasted. With `app`, one of an hour is exchanged for a long one.
///
/// # Errors
/// It is not valid, may not post, or nobody could be asked.
pub async fn pasted(
    graph: &Graph,
    desk: &Desk<'_>,
    token: &Secret,
    app: Option<&App>,
) -> Result<Step, Failure> {
    let fresh = Fresh { access_token: token.clone(), expires_in: None, user_id: None };
    take(graph, desk, fresh, app, Source::Pasted).await
}

/// Takes the code of a consent.
///
/// # Errors
/// It is not taken (it is good for one try, within minutes), or as for a token.
pub async fn signed_in(
    graph: &Graph,
    desk: &Desk<'_>,
    app: &App,
    redirect_uri: &str,
    code: &str,
) -> Result<Step, Failure> {
    let short = token::exchange_code(graph, desk, app, redirect_uri, code).await?;
    let long = token::exchange_long_lived(graph, desk, app, &short.access_token).await?;
    take(graph, desk, long, Some(app), Source::SignedIn).await
}

/// Takes the token of the Page that was chosen.
///
/// # Errors
/// It is not valid, or nobody could be asked.
pub async fn chosen(
    graph: &Graph,
    desk: &Desk<'_>,
    page: &Page,
    app: Option<&App>,
) -> Result<Entry, Failure> {
    let known = renew::ask(graph, desk, &page.access_token, app).await?;
    let fresh = Fresh { access_token: page.access_token.clone(), expires_in: None, user_id: None };
    let token = Token::new(graph.platform(), &fresh, Source::SignedIn, desk.clock.now());
    Ok(Entry { token, life: known.life, name: page.name.clone(), id: page.id.clone() })
}

async fn take(
    graph: &Graph,
    desk: &Desk<'_>,
    fresh: Fresh,
    app: Option<&App>,
    source: Source,
) -> Result<Step, Failure> {
    let platform = graph.platform();
    let known = renew::ask(graph, desk, &fresh.access_token, app).await?;
    let missing = known.about.as_ref().map(|about| about.missing(platform)).unwrap_or_default();
    if !missing.is_empty() {
        return Err(Failure::account(
            format!("the token lacks {}", missing.join(", ")),
            format!(
                "give the app these permissions, and make a new token (docs/accounts/{}.md)",
                platform.tag()
            ),
        ));
    }
    let now = desk.clock.now();
    let is_short = known.life.expires_at.is_some_and(|end| end.since(now) < SHORT);
    let kind = known.about.as_ref().and_then(|about| about.kind.as_deref());
    if platform == Platform::Facebook && kind != Some("PAGE") {
        // what a Page token lives depends on the token that it is asked for with
        let user = match app {
            Some(app) if is_short => {
                token::exchange_long_lived(graph, desk, app, &fresh.access_token)
                    .await?
                    .access_token
            }
            _ => fresh.access_token,
        };
        return Ok(Step::Choose(pages::of(graph, desk, &user).await?));
    }
    let (fresh, life) = match app {
        Some(app) if is_short && source == Source::Pasted => {
            (token::exchange_long_lived(graph, desk, app, &fresh.access_token).await?, None)
        }
        _ => (fresh, Some(known.life)),
    };
    let (id, name) = who(graph, desk, &fresh.access_token).await?;
    let token = dated(Token::new(platform, &fresh, source, now), life);
    let life = match platform {
        Platform::Facebook => known.life,
        _ => renew::life_of(&token),
    };
    Ok(Step::Done(Box::new(Entry { token, life, name, id })))
}

/// `token` with what Meta knows of it: it may have been made long before it was pasted.
fn dated(token: Token, life: Option<Life>) -> Token {
    let Some(life) = life else { return token };
    Token {
        obtained_at: life.obtained_at.min(token.obtained_at),
        expires_at: life.expires_at.or(token.expires_at),
        refresh_after: token.refresh_after.map(|at| {
            let made: Timestamp = life.obtained_at;
            made.plus(token::REFRESH_AFTER).min(at)
        }),
        ..token
    }
}

/// Whose token it is: id and name.
async fn who(graph: &Graph, desk: &Desk<'_>, token: &Secret) -> Result<(String, String), Failure> {
    let (fields, id) = match graph.platform() {
        Platform::Instagram => ("user_id,username", "user_id"),
        Platform::Facebook => ("id,name", "id"),
        _ => ("id,username", "id"),
    };
    let params = [("fields", fields)];
    let ask = Ask { token: Some(token), ..Ask::read("ask whose token it is", "/me", &params) };
    let answer = graph.ask(desk, &ask).await?;
    let name = answer.text("username").map(|name| format!("@{name}"));
    match (answer.text(id), name.or_else(|| answer.text("name"))) {
        (Some(id), Some(name)) => Ok((id, name)),
        _ => Err(Failure::retry("the server did not say whose token it is")),
    }
}

/// The code in the address at which the browser ended.
///
/// # Errors
/// What is wrong with it, and what to do next.
pub fn code_of(address: &str, state: &str) -> Result<Secret, String> {
    let address = address.trim();
    let url = Url::parse(address).map_err(|_| {
        "this is no address: copy all of what stands in the browser's address bar, from `https://` \
         on"
        .to_owned()
    })?;
    let of = |key: &str| {
        let mut values = url.query_pairs().filter(|(name, _)| name == key);
        values.next().map(|(_, value)| value.into_owned())
    };
    if of("state").as_deref() != Some(state) {
        return Err("the address is not the answer to this question, its `state` is another one: \
             open the address above, and paste where that ends"
            .into());
    }
    if let Some(error) = of("error_description").or_else(|| of("error_message")).or(of("error")) {
        return Err(format!("the platform did not let us in: {error}"));
    }
    match of("code") {
        Some(code) if !bare_code(&code).is_empty() => Ok(Secret::new(bare_code(&code))),
        _ => Err("the address holds no `code`: copy all of it, after you have consented".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_taken_from_the_right_address_only() {
        let check = |address: &str, expect: Result<&str, &str>| {
            let code = code_of(address, "s-1");
            match (&code, expect) {
                (Ok(code), Ok(expect)) => assert_eq!(code.expose(), expect, "{address}"),
                (Err(error), Err(part)) => assert!(error.contains(part), "{address}: {error}"),
                _ => panic!("{address}: {code:?}"),
            }
        };
        check("https://localhost/?code=AQ-b_1&state=s-1#_", Ok("AQ-b_1"));
        check(" https://localhost/?state=s-1&code=AQ%23_ \n", Ok("AQ"));
        check("https://localhost/?code=AQ&state=s-2", Err("`state` is another one"));
        check("https://localhost/?code=AQ", Err("`state` is another one"));
        check("https://localhost/?state=s-1", Err("no `code`"));
        check("https://localhost/?state=s-1&code=%23_", Err("no `code`"));
        check(
            "https://localhost/?error=access_denied&error_description=Nope+&state=s-1",
            Err("did not let us in: Nope"),
        );
        check("AQ-b_1", Err("no address"));
        check("", Err("no address"));
    }

    #[test]
    fn a_token_is_as_old_as_it_is_and_not_as_when_it_was_pasted() {
        let now = Timestamp::from_secs(1_800_000_000);
        let day = |number: u32| std::time::Duration::from_secs(86_400) * number;
        let fresh = Fresh { access_token: Secret::new("t"), expires_in: None, user_id: None };
        let token = || Token::new(Platform::Threads, &fresh, Source::Pasted, now);
        let made = now.minus(day(10));
        let life = Life {
            obtained_at: made,
            expires_at: Some(made.plus(day(60))),
            refresh_after: made.plus(day(1)),
            data_access_expires_at: None,
        };
        let dated = dated(token(), Some(life));
        assert_eq!((dated.obtained_at, dated.expires_at), (made, Some(made.plus(day(60)))));
        assert!(dated.may_refresh(now));
        assert!(!super::dated(token(), None).may_refresh(now));
    }
}
