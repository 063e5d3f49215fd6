//! Token: what lets us in at Meta's platforms, where a renewed one is kept, and how one is got.
//!
//! Threads and Instagram give user tokens of 60 days, which can be renewed from the first day on
//! and never after the last; Facebook gives Page tokens without an end. **Invariant:** a new token
//! is known to `redact` before anything else is done with it, and committed before it is used; the
//! old one stays until then. **Refuses:** to renew what is younger than a day or over.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::answer::{Answer, number, words};
use super::graph::{Ask, Graph, Host, Refusal, Way};
use super::{Meaning, Phase};
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::Failure;
use crate::platform::Platform;
use crate::publish::{Desk, NotebookError};
use crate::redact;

/// Where the account's memory holds a token that wins over the configured one. The memory is
/// forgotten when the configured one changes.
pub const NOTE: &str = "meta.token";

/// A token is renewed no sooner than this after it was made (Meta's rule for Threads and
/// Instagram).
pub const REFRESH_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A token with what is known of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// It. No `Debug`: it lets anyone in.
    pub access_token: String,
    /// When it was made, or first seen.
    pub obtained_at: Timestamp,
    /// When it ends; absent: never, or nobody said.
    pub expires_at: Option<Timestamp>,
    /// Before this it can't be renewed; absent: it never can.
    pub refresh_after: Option<Timestamp>,
    /// Where it is from.
    pub source: Source,
}

/// Where a token is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The daemon renewed it.
    Renewed,
    /// Its owner pasted it.
    Pasted,
    /// Its owner signed in.
    SignedIn,
}

impl Token {
    /// A token that `platform` has just given, or was just given for.
    pub fn new(platform: Platform, fresh: &Fresh, source: Source, now: Timestamp) -> Self {
        let renewable = platform != Platform::Facebook;
        Self {
            access_token: fresh.access_token.expose().to_owned(),
            obtained_at: now,
            expires_at: fresh.expires_in.map(|lifetime| now.plus(lifetime)),
            refresh_after: renewable.then(|| now.plus(REFRESH_AFTER)),
            source,
        }
    }

    /// Whether Meta would renew it now: a day old, and not over.
    pub fn may_refresh(&self, now: Timestamp) -> bool {
        self.refresh_after.is_some_and(|at| at <= now) && !self.is_over(now)
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// The token that wins over the configured one, if there is one.
///
/// # Errors
/// The memory can't be read: nothing was sent.
pub async fn kept(desk: &Desk<'_>) -> Result<Option<Token>, NotebookError> {
    let note = desk.memory.read(NOTE).await?;
    let token = note.and_then(|note| serde_json::from_value::<Token>(note).ok());
    if let Some(token) = &token {
        redact::register_renewed(&Secret::new(&token.access_token));
    }
    Ok(token)
}

/// The token to use: the one in the memory, else the configured one; absent where there is none.
///
/// # Errors
/// The memory can't be read: nothing was sent.
pub async fn current(
    desk: &Desk<'_>,
    configured: Option<&Secret>,
) -> Result<Option<Secret>, NotebookError> {
    let kept = kept(desk).await?.map(|token| Secret::new(token.access_token));
    Ok(kept.or_else(|| configured.cloned()))
}

/// Commits a token; from then on it is the one that is used.
///
/// # Errors
/// It could not be committed: the old one stays.
pub async fn keep(desk: &Desk<'_>, token: &Token) -> Result<(), NotebookError> {
    redact::register_renewed(&Secret::new(&token.access_token));
    let note = serde_json::to_value(token).expect("plain data can be written as JSON");
    desk.memory.write(NOTE, note).await
}

/// A token as Meta gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fresh {
    /// It.
    pub access_token: Secret,
    /// How long it lives; absent where nothing was said.
    pub expires_in: Option<Duration>,
    /// Whose it is, where that was said.
    pub user_id: Option<String>,
}

impl Fresh {
    /// Reads the answer, which is flat, or the first of `data`.
    fn read(answer: &Answer) -> Option<Self> {
        let body = match &answer.body["data"] {
            Value::Array(list) => list.first()?,
            _ => &answer.body,
        };
        let access_token = Secret::new(body["access_token"].as_str().filter(|t| !t.is_empty())?);
        redact::register_renewed(&access_token);
        let seconds = number(&body["expires_in"]).and_then(|seconds| u64::try_from(seconds).ok());
        let expires_in = seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs);
        Some(Self { access_token, expires_in, user_id: words(&body["user_id"]) })
    }
}

/// What Meta says of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Whether it lets us in.
    pub is_valid: bool,
    /// When it was made.
    pub issued_at: Option<Timestamp>,
    /// When it ends; absent: never, or not said.
    pub expires_at: Option<Timestamp>,
    /// Until when data can be read with it.
    pub data_access_expires_at: Option<Timestamp>,
    /// What it may do; empty where nothing is said.
    pub scopes: Vec<String>,
    /// Whose it is.
    pub user_id: Option<String>,
    /// The Page, with a Page token.
    pub profile_id: Option<String>,
    /// The app.
    pub app_id: Option<String>,
    /// `USER`, `PAGE` …
    pub kind: Option<String>,
}

impl About {
    fn read(answer: &Answer) -> Option<Self> {
        let data = answer.body["data"].as_object()?;
        let at = |key: &str| {
            let seconds = data.get(key).and_then(number)?;
            (seconds > 0).then(|| Timestamp::from_secs(seconds)) // 0: never
        };
        let scopes = data.get("scopes").and_then(Value::as_array);
        let text = |key: &str| data.get(key).and_then(words);
        Some(Self {
            // an answer that does not say so tells nothing; a good token must not count as dead
            is_valid: data.get("is_valid")?.as_bool()?,
            issued_at: at("issued_at"),
            expires_at: at("expires_at"),
            data_access_expires_at: at("data_access_expires_at"),
            scopes: scopes.into_iter().flatten().filter_map(words).collect(),
            user_id: text("user_id"),
            profile_id: text("profile_id"),
            app_id: text("app_id"),
            kind: text("type"),
        })
    }

    /// What it should be allowed on `platform` and is not; nothing where nothing is said.
    pub fn missing(&self, platform: Platform) -> Vec<&'static str> {
        if self.scopes.is_empty() {
            return Vec::new();
        }
        let mut missing = super::scopes(platform).to_vec();
        missing.retain(|scope| !self.scopes.iter().any(|given| given == scope));
        missing
    }
}

/// An app of Meta's dashboard. Instagram and Threads give it numbers of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: Secret,
}

/// The address at which an owner lets an app in: open it in a browser, consent, and it ends at
/// `redirect_uri` with `code` and `state`.
pub fn consent_url(
    graph: &Graph,
    app_id: &str,
    redirect_uri: &str,
    state: &str,
    scopes: &[&str],
) -> Url {
    let own = match graph.platform() {
        Platform::Threads => "https://threads.net/oauth/authorize".to_owned(),
        Platform::Instagram => "https://www.instagram.com/oauth/authorize".to_owned(),
        _ => format!("https://www.facebook.com/{}/dialog/oauth", graph.version()),
    };
    let mut url = Url::parse(&own).expect("a constant and a version make an address");
    if let Some(base_url) = graph.base_url() {
        let mut stand_in = base_url.clone();
        stand_in.set_path(url.path());
        url = stand_in;
    }
    url.query_pairs_mut()
        .append_pair("client_id", app_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", &scopes.join(","))
        .append_pair("response_type", "code")
        .append_pair("state", state);
    url
}

/// The `code` as the browser's address held it: some end in `#_`, which is no part of it.
pub fn bare_code(code: &str) -> &str {
    code.trim().trim_end_matches("#_")
}

/// Turns the code of a consent into a token of an hour. A code is good for one try.
///
/// # Errors
/// The refusal.
pub async fn exchange_code(
    graph: &Graph,
    desk: &Desk<'_>,
    app: &App,
    redirect_uri: &str,
    code: &str,
) -> Result<Fresh, Refusal> {
    let params = [
        ("client_id", app.id.as_str()),
        ("client_secret", app.secret.expose()),
        ("grant_type", "authorization_code"),
        ("redirect_uri", redirect_uri),
        ("code", bare_code(code)),
    ];
    let ask = Ask {
        host: Host::Codes,
        is_versioned: graph.platform() == Platform::Facebook,
        ..Ask::write(Phase::Token, "exchange the code", "/oauth/access_token", &params)
    };
    fresh(graph, desk, &[ask]).await
}

/// Turns a token of an hour into one of 60 days; one that has ended can't be. Threads and Instagram
/// document this as `GET` with both secrets in the address, where they never go: see `fresh`.
///
/// # Errors
/// The refusal.
pub async fn exchange_long_lived(
    graph: &Graph,
    desk: &Desk<'_>,
    app: &App,
    short: &Secret,
) -> Result<Fresh, Refusal> {
    let doing = "exchange the token for a long-lived one";
    let (secret, token) = (app.secret.expose(), short.expose());
    if graph.platform() == Platform::Facebook {
        let params = [
            ("grant_type", "fb_exchange_token"),
            ("client_id", &app.id),
            ("client_secret", secret),
            ("fb_exchange_token", token),
        ];
        let ask = Ask::write(Phase::Token, doing, "/oauth/access_token", &params);
        return fresh(graph, desk, &[ask]).await;
    }
    let grant = match graph.platform() {
        Platform::Threads => "th_exchange_token",
        _ => "ig_exchange_token",
    };
    let params = [("grant_type", grant), ("client_secret", secret), ("access_token", token)];
    let plain =
        || Ask { is_versioned: false, ..Ask::write(Phase::Token, doing, "/access_token", &params) };
    let exchanged = fresh(graph, desk, &[Ask { way: Way::Covered, ..plain() }, plain()]).await;
    exchanged.map_err(|mut refusal| {
        if refusal.answered {
            refusal.failure.message.push_str(
                "; the token that the dashboard makes lives for 60 days without an exchange: \
                 paste that one",
            );
        }
        refusal
    })
}

/// Renews a token of 60 days for 60 more; whether the text of it changes is not known, so what
/// comes back is kept whatever it is. The token must be a day old and not over: see
/// [`Token::may_refresh`].
///
/// # Errors
/// The refusal; `Account` for Facebook, whose Page tokens have no end and can't be renewed.
pub async fn refresh(graph: &Graph, desk: &Desk<'_>, token: &Secret) -> Result<Fresh, Refusal> {
    let grant = match graph.platform() {
        Platform::Threads => "th_refresh_token",
        Platform::Instagram => "ig_refresh_token",
        _ => {
            let failure = Failure::account("a Page token can't be renewed", "make a new one");
            return Err(Refusal { meaning: Meaning::Permission, answered: false, failure });
        }
    };
    let (doing, path) = ("renew the token", "/refresh_access_token");
    let params = [("grant_type", grant), ("access_token", token.expose())];
    let in_header = Ask {
        phase: Phase::Token,
        token: Some(token),
        is_versioned: false,
        ..Ask::read(doing, path, &params[..1])
    };
    let in_form = Ask {
        way: Way::Covered,
        is_versioned: false,
        ..Ask::write(Phase::Token, doing, path, &params)
    };
    fresh(graph, desk, &[in_header, in_form]).await
}

/// Asks what is known of `token`, in its own name or (for Facebook) in that of `app`; in a form, as
/// both tokens would stand in the address of the `GET` that is documented. Where that is refused,
/// a renewal tells when it ends, and posts tell what it may do. For Instagram's tokens there is no
/// such call that is known to work.
///
/// # Errors
/// The refusal.
pub async fn debug(
    graph: &Graph,
    desk: &Desk<'_>,
    token: &Secret,
    app: Option<&App>,
) -> Result<About, Refusal> {
    let mark = match graph.platform() {
        Platform::Threads => "TH|",
        _ => "",
    };
    let in_name = app.map(|app| Secret::new(format!("{mark}{}|{}", app.id, app.secret.expose())));
    if let Some(in_name) = &in_name {
        redact::register_renewed(in_name);
    }
    let params = [("input_token", token.expose())];
    let ask = Ask {
        way: Way::Covered,
        token: Some(in_name.as_ref().unwrap_or(token)),
        ..Ask::write(Phase::Token, "ask what the token may do", "/debug_token", &params)
    };
    let answer = graph.ask(desk, &ask).await?;
    About::read(&answer).ok_or_else(|| unread(graph, &ask))
}

/// Asks for a token in one way after the other, until one of them is not refused.
///
/// Meta documents renewal and exchange as `GET` with secrets in the address, where they would end
/// up in logs and proxies: that way is never taken. Which other one a platform takes is not
/// documented, so a definite refusal leads to the next: nothing here is done twice by a second
/// call. No answer, a limit or an outage says nothing of the way. The first refusal counts.
async fn fresh(graph: &Graph, desk: &Desk<'_>, ways: &[Ask<'_>]) -> Result<Fresh, Refusal> {
    let mut first = None;
    for ask in ways {
        let refusal = match graph.ask(desk, ask).await {
            Ok(answer) => return Fresh::read(&answer).ok_or_else(|| unread(graph, ask)),
            Err(refusal) => refusal,
        };
        if !refusal.is_definite() {
            return Err(refusal);
        }
        first.get_or_insert(refusal);
    }
    Err(first.expect("there is a way for each call"))
}

fn unread(graph: &Graph, ask: &Ask<'_>) -> Refusal {
    let message = format!("{}: the answer lacks what it should hold", graph.trouble(ask));
    Refusal { meaning: Meaning::Unknown, answered: true, failure: Failure::retry(message) }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn fresh(body: &str) -> Option<Fresh> {
        Fresh::read(&Answer::new(200, &HeaderMap::new(), body.as_bytes()))
    }

    #[test]
    fn tokens_are_read_in_every_shape() {
        let check = |body: &str, expect: Option<(&str, Option<u64>, Option<&str>)>| {
            let expect = expect.map(|(token, seconds, user)| Fresh {
                access_token: Secret::new(token),
                expires_in: seconds.map(Duration::from_secs),
                user_id: user.map(str::to_owned),
            });
            assert_eq!(fresh(body), expect, "{body}");
        };
        let long = r#"{"access_token":"THlong-1","token_type":"bearer","expires_in":5183944}"#;
        check(long, Some(("THlong-1", Some(5_183_944), None)));
        let short = r#"{"access_token":"THshort-1","user_id":17841405793187218}"#;
        check(short, Some(("THshort-1", None, Some("17841405793187218"))));
        let listed = r#"{"data":[{"access_token":"IGshort-1","user_id":"17","permissions":"a"}]}"#;
        check(listed, Some(("IGshort-1", None, Some("17"))));
        check(r#"{"data":[]}"#, None);
        check(r#"{"access_token":""}"#, None);
    }

    #[test]
    fn what_is_known_of_a_token_is_read() {
        let body = br#"{"data":{"is_valid":true,"issued_at":1800000000,"expires_at":0,
            "data_access_expires_at":"1807776000","type":"PAGE","app_id":"12","profile_id":34,
            "scopes":["threads_basic"],"user_id":"5"}}"#;
        let about = About::read(&Answer::new(200, &HeaderMap::new(), body)).unwrap();
        assert_eq!((about.is_valid, about.expires_at, about.issued_at), (true, None, Some(NOW)));
        assert_eq!(about.data_access_expires_at, Some(Timestamp::from_secs(1_807_776_000)));
        assert_eq!(about.profile_id.as_deref(), Some("34"));
        assert_eq!(about.missing(Platform::Threads), ["threads_content_publish"]);
        assert_eq!(About::default().missing(Platform::Threads), Vec::<&str>::new());
    }

    #[test]
    fn a_token_is_renewed_from_its_second_day_to_its_last() {
        let at = |hours: u64| NOW.plus(Duration::from_secs(3600 * hours));
        let of = |platform| {
            let body = r#"{"access_token":"THday-1","expires_in":5184000}"#;
            Token::new(platform, &fresh(body).unwrap(), Source::Renewed, NOW)
        };
        let check = |hours, expect: bool| {
            assert_eq!(of(Platform::Threads).may_refresh(at(hours)), expect, "{hours}");
        };
        check(0, false);
        check(23, false);
        check(24, true);
        check(60 * 24 - 1, true);
        check(60 * 24, false);
        assert!(!of(Platform::Facebook).may_refresh(at(100)), "Page tokens are not renewed");
    }

    #[test]
    fn what_is_no_part_of_a_code_goes() {
        assert_eq!(bare_code("AQB-1_x#_\n"), "AQB-1_x");
        assert_eq!(bare_code("AQB_"), "AQB_");
    }

    #[test]
    fn the_owner_consents_at_the_platforms_own_door() {
        let http = crate::http::publishing("test", &crate::config::Delivery::default()).unwrap();
        let check = |platform, base_url: Option<&str>, expect: &str| {
            let base_url = base_url.map(|url| Url::parse(url).unwrap());
            let graph = Graph::new(platform, "v25.0", base_url, http.clone());
            let url = consent_url(&graph, "12", "https://localhost/", "s&1", &["a", "b"]);
            assert_eq!(
                url.as_str(),
                format!(
                    "{expect}?client_id=12&redirect_uri=https%3A%2F%2Flocalhost%2F&scope=a%2Cb&response_type=code&state=s%261"
                )
            );
        };
        check(Platform::Threads, None, "https://threads.net/oauth/authorize");
        check(Platform::Instagram, None, "https://www.instagram.com/oauth/authorize");
        check(Platform::Facebook, None, "https://www.facebook.com/v25.0/dialog/oauth");
        check(Platform::Threads, Some("http://127.0.0.1:1"), "http://127.0.0.1:1/oauth/authorize");
    }
}
