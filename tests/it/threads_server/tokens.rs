//! Who is let in: tokens of an hour and of 60 days, their ages and permissions.

use std::time::Duration;

use posse_party::clock::Timestamp;
use serde_json::{Value, json};

use super::{APP, CODE, DAY, REDIRECT, Refusal, Seen, State, USER};

/// What is known of a token.
#[derive(Clone, Debug)]
pub struct Info {
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub scopes: Vec<String>,
    pub is_short: bool,
}

impl Info {
    /// Made two days ago, good for 58 more.
    pub fn usual(now: Timestamp) -> Self {
        let issued_at = now.minus(2 * DAY);
        Self {
            issued_at,
            expires_at: issued_at.plus(60 * DAY),
            scopes: vec!["threads_basic".into(), "threads_content_publish".into()],
            is_short: false,
        }
    }
}

impl State {
    fn known(&self, token: &str) -> Result<Info, Refusal> {
        let Some(info) = self.tokens.get(token) else {
            return Err(Refusal::new(
                190,
                "Invalid OAuth access token - Cannot parse access token",
            ));
        };
        if info.expires_at <= self.clock.now() {
            let message = "Error validating access token: Session has expired on …";
            return Err(Refusal::sub(190, 463, message));
        }
        Ok(info.clone())
    }

    fn bearer(seen: &Seen) -> Result<String, Refusal> {
        let header = seen.headers.get("authorization").map_or("", String::as_str);
        let token = header.strip_prefix("Bearer ");
        token.map(str::to_owned).ok_or_else(|| Refusal::ours(104, "no token in the header"))
    }

    pub(super) fn authorised(&mut self, seen: &Seen) -> Result<(), Refusal> {
        let token = Self::bearer(seen)?;
        if seen.call == "debug" && token == format!("TH|{}|{}", APP.0, APP.1) {
            return Ok(());
        }
        let info = self.known(&token)?;
        let needed = match seen.call {
            "create" | "publish" | "quota" => "threads_content_publish",
            "debug" => return Ok(()),
            _ => "threads_basic",
        };
        if !info.scopes.iter().any(|scope| scope == needed) {
            return Err(Refusal::new(10, format!("(#10) Application needs `{needed}`")));
        }
        Ok(())
    }

    pub(super) fn debug(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        only(seen, &["input_token", "method"])?;
        covered(seen)?;
        let Some(info) = self.tokens.get(&seen.params["input_token"]) else {
            return Ok(json!({"data": {"is_valid": false, "scopes": []}}));
        };
        Ok(json!({"data": {
            "type": "USER",
            "application": "posse",
            "is_valid": info.expires_at > self.clock.now(),
            "issued_at": info.issued_at.as_millis() / 1000,
            "expires_at": info.expires_at.as_millis() / 1000,
            "data_access_expires_at": info.issued_at.plus(90 * DAY).as_millis() / 1000,
            "scopes": info.scopes,
            "user_id": USER,
        }}))
    }

    pub(super) fn renew(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        // which of the two is taken is not documented
        let is_form = seen.method == "POST";
        if is_form != self.renews_in_form {
            return Err(match is_form {
                true => Refusal::sub(100, 33, "Unsupported post request"),
                false => Refusal::new(190, "An access token is required to request this resource"),
            });
        }
        said(seen, "grant_type", "th_refresh_token")?;
        let token = if is_form {
            only(seen, &["grant_type", "access_token", "method"])?;
            covered(seen)?;
            seen.params.get("access_token").cloned().unwrap_or_default()
        } else {
            only(seen, &["grant_type"])?;
            Self::bearer(seen)?
        };
        let info = self.known(&token)?;
        if info.is_short || self.clock.now().since(info.issued_at) < DAY {
            return Err(Refusal::ours(100, "The token is younger than 24 hours"));
        }
        Ok(self.long(info.scopes))
    }

    pub(super) fn exchange(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        only(seen, &["grant_type", "client_secret", "access_token", "method"])?;
        match self.exchanges_plainly {
            true if seen.params.contains_key("method") => {
                return Err(Refusal::new(100, "Unsupported method"));
            }
            true => {}
            false => covered(seen)?,
        }
        said(seen, "grant_type", "th_exchange_token")?;
        said(seen, "client_secret", APP.1)?;
        let info = self.known(&seen.params["access_token"])?;
        if !info.is_short {
            return Err(Refusal::new(452, "Session key invalid"));
        }
        Ok(self.long(info.scopes))
    }

    pub(super) fn code(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        only(seen, &["client_id", "client_secret", "grant_type", "redirect_uri", "code"])?;
        said(seen, "client_id", APP.0)?;
        said(seen, "client_secret", APP.1)?;
        said(seen, "grant_type", "authorization_code")?;
        said(seen, "redirect_uri", REDIRECT)?;
        said(seen, "code", CODE)?;
        if std::mem::replace(&mut self.code_is_used, true) {
            return Err(Refusal::new(100, "This authorization code has been used"));
        }
        let (token, now) = (format!("THAAshort{}", self.id()), self.clock.now());
        let expires_at = now.plus(Duration::from_secs(3600));
        let info = Info { issued_at: now, expires_at, is_short: true, ..Info::usual(now) };
        self.tokens.insert(token.clone(), info);
        // an id as a number, as the documents show it
        Ok(json!({"access_token": token, "user_id": USER.parse::<u64>().unwrap()}))
    }

    fn long(&mut self, scopes: Vec<String>) -> Value {
        let (token, now) = (format!("THAAlong{}", self.id()), self.clock.now());
        let expires_at = now.plus(Duration::from_secs(5_183_944));
        let info = Info { issued_at: now, expires_at, scopes, is_short: false };
        self.tokens.insert(token.clone(), info);
        json!({"access_token": token, "token_type": "bearer", "expires_in": 5_183_944})
    }
}

/// A question in a form must say that it is one.
fn covered(seen: &Seen) -> Result<(), Refusal> {
    said(seen, "method", "GET")
}

fn said(seen: &Seen, key: &str, value: &str) -> Result<(), Refusal> {
    if seen.params.get(key).is_some_and(|said| said == value) {
        return Ok(());
    }
    Err(Refusal::new(100, format!("Invalid {key}")))
}

/// Refuses parameters that nobody knows.
pub fn only(seen: &Seen, known: &[&str]) -> Result<(), Refusal> {
    match seen.params.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(Refusal::ours(100, format!("Unknown parameter `{key}`"))),
        None => Ok(()),
    }
}
