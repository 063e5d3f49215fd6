//! Session: an app password to the tokens of a session, for months.
//!
//! A sign-in is dear (see `budget`), so tokens are remembered, renewed before they lapse, and the
//! password is used only when nothing else is left. **Invariant:** tokens are committed before
//! they are used, and known to `redact` before that; one task at a time changes them. A lost answer
//! does no harm: the old refresh token works for two more hours, and a lost sign-in is only counted.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::budget::Logins;
use super::errors::Meaning;
use super::xrpc::{Answer, Call, Parcel, call, unposted};
use crate::clock::Timestamp;
use crate::config::{Credentials, Secret};
use crate::crosspost::{Class, Failure};
use crate::publish::Desk;
use crate::publish::words::shown;
use crate::redact;

/// Where a session begins when the owner names no server (sheet B1).
const ENTRYWAY: &str = "https://bsky.social";

/// Where the account's memory holds it.
const NOTE: &str = "bluesky_session";

/// An access token is renewed this long before it lapses (as `@atproto/api` does).
const RENEW_BEFORE: Duration = Duration::from_secs(600);

/// A signed-in account. No `Debug`: it holds tokens.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// Server, identifier and app password, as a fingerprint. Others start afresh: tokens go
    /// nowhere but to the server that gave them, and the PDS that it named.
    key: String,
    /// Who it is.
    pub did: String,
    /// The server that keeps the posts, where it is another.
    pds: Option<Url>,
    /// For every call but the refresh.
    pub access: String,
    refresh: String,
}

/// What another session might help against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// New tokens.
    Refresh,
    /// The password.
    SignIn,
}

/// How one account gets in.
pub struct Access {
    identifier: String,
    app_password: Secret,
    key: String,
    home: Url,
    /// Whether the owner named `home`: then every call goes there.
    fixed: bool,
    http: Client,
    turn: Mutex<()>,
}

impl Access {
    /// How `identifier` gets in at `base_url`, or else at Bluesky's own door.
    pub fn new(
        identifier: String,
        app_password: Secret,
        base_url: Option<Url>,
        http: Client,
    ) -> Self {
        let credentials = Credentials::Bluesky {
            identifier: identifier.clone(),
            app_password: app_password.clone(),
            base_url: base_url.clone(),
        };
        Self {
            identifier,
            app_password,
            key: credentials.fingerprint(),
            fixed: base_url.is_some(),
            home: base_url.unwrap_or_else(|| {
                Url::parse(ENTRYWAY).expect("a constant that a test parses is an address")
            }),
            http,
            turn: Mutex::new(()),
        }
    }

    /// The client of this account.
    pub fn http(&self) -> &Client {
        &self.http
    }

    /// The server that calls of `session` go to.
    pub fn server<'a>(&'a self, session: &'a Session) -> &'a Url {
        if self.fixed { &self.home } else { session.pds.as_ref().unwrap_or(&self.home) }
    }

    /// The server that keeps the posts of `session`, by its own name; none where nobody told it.
    pub fn named_server<'a>(&'a self, session: &'a Session) -> Option<&'a Url> {
        if self.fixed { Some(&self.home) } else { session.pds.as_ref() }
    }

    /// The session of before, without a word to any server.
    ///
    /// # Errors
    /// The memory can't be read.
    pub async fn remembered(&self, desk: &Desk<'_>) -> Result<Option<Session>, Failure> {
        let note = desk.memory.read(NOTE).await?;
        let session = note.and_then(|note| serde_json::from_value::<Session>(note).ok());
        for token in session.iter().flat_map(|session| [&session.access, &session.refresh]) {
            redact::register_renewed(&Secret::new(token));
        }
        Ok(session.filter(|session| session.key == self.key))
    }

    /// A session that is good for some minutes.
    ///
    /// # Errors
    /// `Retry`, `RateLimited` or `Account`: nothing was posted.
    pub async fn session(&self, desk: &Desk<'_>) -> Result<Session, Failure> {
        let _turn = self.turn.lock().await;
        match self.remembered(desk).await? {
            None => self.sign_in(desk).await,
            Some(session) if lapses(&session.access, desk.clock.now()) => {
                self.refresh(desk, session).await
            }
            Some(session) => Ok(session),
        }
    }

    /// Another session than `refused`.
    ///
    /// # Errors
    /// As `session`.
    pub async fn cured(
        &self,
        desk: &Desk<'_>,
        refused: &Session,
        cure: Cure,
    ) -> Result<Session, Failure> {
        let _turn = self.turn.lock().await;
        match self.remembered(desk).await? {
            Some(newer) if newer.access != refused.access => Ok(newer),
            Some(session) if cure == Cure::Refresh => self.refresh(desk, session).await,
            _ => self.sign_in(desk).await,
        }
    }

    async fn refresh(&self, desk: &Desk<'_>, session: Session) -> Result<Session, Failure> {
        let parcel = Parcel { token: Some(&session.refresh), ..Parcel::default() };
        let answer = call(&self.http, &self.home, Call::Refresh, parcel).await.map_err(unposted)?;
        let now = desk.clock.now();
        if answer.is_success() {
            let Some(mut renewed) = self.read(&answer) else {
                return Err(answer.failure(Call::Refresh, &self.home, now));
            };
            renewed.pds = renewed.pds.or(session.pds);
            return self.keep(desk, renewed, &answer).await;
        }
        match answer.meaning(Call::Refresh) {
            Meaning::Stale | Meaning::Foreign | Meaning::Moved => self.sign_in(desk).await,
            _ => Err(answer.failure(Call::Refresh, &self.home, now)),
        }
    }

    async fn sign_in(&self, desk: &Desk<'_>) -> Result<Session, Failure> {
        let mut logins = Logins::read(desk.memory, &self.key).await?;
        logins.count(desk.clock.now())?;
        logins.write(desk.memory).await?;
        let body = json!({
            "identifier": self.identifier,
            "password": self.app_password.expose(),
        });
        let parcel = Parcel { body: Some(&body), ..Parcel::default() };
        let result = call(&self.http, &self.home, Call::SignIn, parcel).await;
        let now = desk.clock.now();
        let session = result.as_ref().ok().and_then(|answer| self.read(answer));
        match &result {
            Err(failure) if failure.class == Class::Ambiguous => logins.unanswered(now),
            Err(_) => logins.uncount(),
            Ok(answer) => {
                logins.heed(answer, now);
                match answer.meaning(Call::SignIn) {
                    _ if session.is_some() => {}
                    // nobody there counted it either
                    Meaning::Limited | Meaning::WrongHost => logins.uncount(),
                    Meaning::Open => logins.unanswered(now),
                    _ => {}
                }
            }
        }
        logins.write(desk.memory).await?;
        let answer = result.map_err(unposted)?;
        match session {
            Some(session) => self.keep(desk, session, &answer).await,
            None => Err(answer.failure(Call::SignIn, &self.home, now)),
        }
    }

    /// Commits `session`, which `answer` gave, and only then hands it out.
    async fn keep(
        &self,
        desk: &Desk<'_>,
        session: Session,
        answer: &Answer,
    ) -> Result<Session, Failure> {
        let note = serde_json::to_value(&session).expect("plain data can be written as JSON");
        desk.memory.write(NOTE, note).await?;
        inactive(&answer.body).map_or(Ok(session), Err)
    }

    /// The session that an answer gives; nothing where it is no success or a part is missing.
    fn read(&self, answer: &Answer) -> Option<Session> {
        answer.is_success().then_some(())?;
        for token in ["accessJwt", "refreshJwt"].into_iter().filter_map(|key| answer.text(key)) {
            redact::register_renewed(&Secret::new(token));
        }
        Some(Session {
            key: self.key.clone(),
            did: answer.text("did").filter(|did| did.starts_with("did:"))?.to_owned(),
            pds: pds(&answer.body["didDoc"]),
            access: answer.text("accessJwt")?.to_owned(),
            refresh: answer.text("refreshJwt")?.to_owned(),
        })
    }
}

/// The failure of an account that its server calls not active, or nothing.
pub fn inactive(body: &Value) -> Option<Failure> {
    (body["active"] == false).then(|| {
        let status = body["status"].as_str().unwrap_or("deactivated");
        let handle = body["handle"].as_str().unwrap_or_default();
        Failure::account(
            format!("the Bluesky account `{}` is not active: `{}`", shown(handle), shown(status)),
            "sign in to the account in a browser, then run `posse-party resume ACCOUNT`",
        )
    })
}

/// The PDS that a DID document names: `https`, with nothing but a host and a port.
fn pds(did_document: &Value) -> Option<Url> {
    let services = did_document["service"].as_array()?;
    let service = services.iter().find(|service| {
        service["id"].as_str().is_some_and(|id| id.ends_with("#atproto_pds"))
            && service["type"] == "AtprotoPersonalDataServer"
    })?;
    let url = Url::parse(service["serviceEndpoint"].as_str()?).ok()?;
    let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    plain.then_some(url)
}

/// Whether a token lapses within `RENEW_BEFORE`. One that can't be read is used until refused.
fn lapses(token: &str, now: Timestamp) -> bool {
    expiry(token).is_some_and(|at| at <= now.plus(RENEW_BEFORE))
}

/// The `exp` of a JSON Web Token, unchecked: it is the server's own word to us.
fn expiry(token: &str) -> Option<Timestamp> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims["exp"].as_i64().map(Timestamp::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(base_url: Option<&str>) -> Access {
        let base_url = base_url.map(|url| Url::parse(url).unwrap());
        let http = crate::http::publishing("test", &crate::config::Delivery::default()).unwrap();
        Access::new("ada.example".into(), Secret::new("pass"), base_url, http)
    }

    fn did_document(id: &str, kind: &str, endpoint: &str) -> Value {
        json!({"service": [
            {"id": "#bsky_notif", "type": "Else", "serviceEndpoint": "https://else.example"},
            {"id": id, "type": kind, "serviceEndpoint": endpoint},
        ]})
    }

    #[test]
    fn the_pds_is_read_from_the_did_document() {
        let check = |document: Value, expect: Option<&str>| {
            assert_eq!(pds(&document).as_ref().map(Url::as_str), expect, "{document}");
        };
        let kind = "AtprotoPersonalDataServer";
        let (near, far) = ("#atproto_pds", "did:plc:abc#atproto_pds");
        check(did_document(near, kind, "https://a.example"), Some("https://a.example/"));
        check(did_document(far, kind, "https://a.example:8443"), Some("https://a.example:8443/"));
        check(did_document(near, "Else", "https://a.example"), None);
        check(did_document("#else", kind, "https://a.example"), None);
        check(did_document(near, kind, "http://a.example"), None);
        check(did_document(near, kind, "https://me:pw@a.example"), None);
        check(did_document(near, kind, "file:///etc/passwd"), None);
        check(Value::Null, None);
    }

    #[test]
    fn calls_go_to_the_named_pds_only_where_the_owner_named_no_server() {
        let check = |base_url: Option<&str>, named: Option<&str>, expect: &str| {
            let access = access(base_url);
            let mut body = json!({"accessJwt": "a", "refreshJwt": "r", "did": "did:plc:abc"});
            if let Some(named) = named {
                body["didDoc"] = did_document("#atproto_pds", "AtprotoPersonalDataServer", named);
            }
            let headers = reqwest::header::HeaderMap::new();
            let session = access.read(&Answer { status: 200, headers, body }).unwrap();
            assert_eq!(access.server(&session).as_str(), expect);
        };
        check(None, None, "https://bsky.social/");
        check(None, Some("https://a.example"), "https://a.example/");
        check(Some("https://own.example"), None, "https://own.example/");
        check(Some("https://own.example"), Some("https://a.example"), "https://own.example/");
    }

    #[test]
    fn a_token_is_renewed_ten_minutes_before_it_lapses() {
        let now = Timestamp::from_secs(1_770_000_000);
        let check = |payload: &str, expect: bool| {
            let token = format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload));
            assert_eq!(lapses(&token, now), expect, "{payload}");
        };
        check(r#"{"exp":1770000601}"#, false);
        check(r#"{"exp":1770000600}"#, true);
        check(r#"{"exp":1}"#, true);
        check(r#"{"exp":"soon"}"#, false);
        check("garbage", false);
        assert!(!lapses("opaque", now), "a token that is no JWT is used until it is refused");
    }

    #[test]
    fn an_account_that_is_not_active_parks() {
        assert!(inactive(&json!({"active": true})).is_none());
        assert!(inactive(&json!({})).is_none(), "older servers don't say");
        let failure = inactive(&json!({"active": false, "status": "takendown"})).unwrap();
        assert_eq!(failure.class.as_str(), "account");
        assert!(failure.message.contains("`takendown`"));
        let lines =
            inactive(&json!({"active": false, "handle": "a\nb", "status": "c\td"})).unwrap();
        assert_eq!(lines.message, "the Bluesky account `a b` is not active: `c d`");
    }
}
