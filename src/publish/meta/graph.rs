//! Graph: one call of Meta's API, and what came of it.
//!
//! **Invariant:** a call goes to its platform's own host, or to the origin that the owner named in
//! place of all of them; the client follows no redirect. Tokens, codes and secrets stand in the
//! `Authorization` header or in a form, never in the address.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use url::Url;

use super::answer::Answer;
use super::errors::{self, FLAGGED_REST, Meaning, Phase};
use super::rest;
use crate::config::Secret;
use crate::crosspost::{Class, Failure};
use crate::http::{BodyError, read_capped};
use crate::platform::Platform;
use crate::publish::{Desk, classify};
use crate::token::REFUSED_NOTE;

/// The most of an answer that is read. The largest expected is a page of 100 posts.
const ANSWER_BYTES_MAX: usize = 2 << 20;
/// Where a crosspost's journal counts refusals that are worth a few more tries.
const TRIES_NOTE: &str = "meta.tries";

/// The API of one platform.
pub struct Graph {
    platform: Platform,
    version: String,
    base_url: Option<Url>,
    http: Client,
    /// Whether another version than ours has been told of.
    told: AtomicBool,
}

/// Which of a platform's hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Host {
    /// The API itself.
    #[default]
    Api,
    /// Where a code becomes a token.
    Codes,
}

/// How the parameters travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In the address: nothing of them is secret.
    Query,
    /// In a form.
    Form,
    /// In a form that says that it is a question: `POST` with `method=GET`, for calls that Meta
    /// documents as `GET` with a secret in the address. That Threads and Instagram take it is not
    /// confirmed, so nothing may depend on it alone: there is another way, or the owner is told.
    Covered,
}

/// One call.
pub struct Ask<'a> {
    /// What it is for.
    pub phase: Phase,
    /// The same for people: `make the container`.
    pub doing: &'a str,
    /// From the root, without the version: `/me/threads`.
    pub path: &'a str,
    /// Its parameters. Empty values are left out.
    pub params: &'a [(&'a str, &'a str)],
    /// For the `Authorization` header.
    pub token: Option<&'a Secret>,
    /// How the parameters travel.
    pub way: Way,
    /// Where to.
    pub host: Host,
    /// Whether the path begins with the version.
    pub is_versioned: bool,
}

impl<'a> Ask<'a> {
    /// A question of which nothing but the token is secret.
    pub const fn read(doing: &'a str, path: &'a str, params: &'a [(&'a str, &'a str)]) -> Self {
        let (phase, way) = (Phase::Read, Way::Query);
        Self { phase, doing, path, params, token: None, way, host: Host::Api, is_versioned: true }
    }

    /// Something that is done.
    pub const fn write(
        phase: Phase,
        doing: &'a str,
        path: &'a str,
        params: &'a [(&'a str, &'a str)],
    ) -> Self {
        Self { phase, way: Way::Form, ..Self::read(doing, path, params) }
    }
}

/// Why a call did not do what it should.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What it means; `Unknown` with a class of its own where no answer came.
    pub meaning: Meaning,
    /// Whether an answer came.
    pub answered: bool,
    /// What it is when nothing cures it.
    pub failure: Failure,
}

impl Refusal {
    /// Whether it is an answer to this very request, which will be the same next time.
    pub fn is_definite(&self) -> bool {
        let later = matches!(
            self.meaning,
            Meaning::Limited | Meaning::Quota | Meaning::Blocked(_) | Meaning::Trouble
        );
        self.answered && !later
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure
    }
}

impl From<crate::publish::NotebookError> for Refusal {
    /// For notes that are taken before a call.
    fn from(error: crate::publish::NotebookError) -> Self {
        Self { meaning: Meaning::Unknown, answered: false, failure: error.into() }
    }
}

impl Graph {
    /// The API of `platform` in `version`, over `http`, which follows no redirect. With `base_url`
    /// every request goes to that origin.
    pub fn new(
        platform: Platform,
        version: impl Into<String>,
        base_url: Option<Url>,
        http: Client,
    ) -> Self {
        let told = AtomicBool::new(false);
        Self { platform, version: version.into(), base_url, http, told }
    }

    /// The platform.
    pub const fn platform(&self) -> Platform {
        self.platform
    }

    /// The version that is asked for.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The origin that stands for every host, where the owner named one.
    pub const fn base_url(&self) -> Option<&Url> {
        self.base_url.as_ref()
    }

    /// The origin that a call to `host` goes to.
    pub fn origin(&self, host: Host) -> Url {
        let own = match (self.platform, host) {
            (Platform::Threads, _) => "https://graph.threads.net",
            (Platform::Instagram, Host::Api) => "https://graph.instagram.com",
            (Platform::Instagram, Host::Codes) => "https://api.instagram.com",
            _ => "https://graph.facebook.com",
        };
        let own = || Url::parse(own).expect("a constant that a test parses is an address");
        self.base_url.clone().unwrap_or_else(own)
    }

    /// Makes one call, once, and takes down what its headers say of the allowance.
    ///
    /// # Errors
    /// The refusal, classified for the call's phase. `Retry` where surely nothing was sent, or
    /// where the call makes nothing public; `Ambiguous` where it may have.
    pub async fn ask(&self, desk: &Desk<'_>, ask: &Ask<'_>) -> Result<Answer, Refusal> {
        let answer = self.exchange(ask).await.map_err(|mut failure| {
            if failure.class == Class::Ambiguous && ask.phase != Phase::Publish {
                failure.class = Class::Retry { not_before: None };
            }
            Refusal { meaning: Meaning::Unknown, answered: false, failure }
        })?;
        self.tell_version(&answer, ask);
        rest::heed(desk, answer.usage).await;
        if answer.is_success() {
            return Ok(answer);
        }
        Err(self.refused(desk, ask, &answer).await)
    }

    /// Makes one call that must give an id, and gives the answer's `key`.
    ///
    /// # Errors
    /// As [`Graph::ask`]; and a success without it is as open as no answer at all.
    pub async fn ask_for(
        &self,
        desk: &Desk<'_>,
        ask: &Ask<'_>,
        key: &str,
    ) -> Result<String, Refusal> {
        let answer = self.ask(desk, ask).await?;
        answer.text(key).ok_or_else(|| {
            let message = format!(
                "{}: the server answered {} without `{key}`",
                self.trouble(ask),
                answer.status
            );
            let failure = match ask.phase {
                Phase::Publish => Failure::ambiguous(message),
                _ => Failure::retry(message),
            };
            Refusal { meaning: Meaning::Unknown, answered: true, failure }
        })
    }

    async fn exchange(&self, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let trouble = self.trouble(ask);
        let mut url = self.origin(ask.host);
        let version = if ask.is_versioned { format!("/{}", self.version) } else { String::new() };
        url.set_path(&format!("{version}{}", ask.path));
        url.set_query(None);
        let params = ask.params.iter().copied().filter(|(_, value)| !value.is_empty());
        let mut form: Vec<(&str, &str)> = params.collect();
        let request = match ask.way {
            Way::Query if form.is_empty() => self.http.request(Method::GET, url),
            Way::Query => self.http.request(Method::GET, url).query(&form),
            Way::Form => self.http.request(Method::POST, url).form(&form),
            Way::Covered => {
                form.push(("method", "GET"));
                self.http.request(Method::POST, url).form(&form)
            }
        };
        let request = match ask.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        let request = request.header("accept", "application/json");
        let response =
            request.send().await.map_err(|error| classify::of_write(&trouble, &error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        match read_capped(response, ANSWER_BYTES_MAX).await {
            Ok(bytes) => Ok(Answer::new(status, &headers, &bytes)),
            Err(BodyError::Broken(error)) => Err(classify::of_write(&trouble, &error)),
            Err(error @ BodyError::TooLarge(_)) => {
                Err(Failure::ambiguous(format!("{trouble}: {error}")))
            }
        }
    }

    /// What an answer that is no success comes to.
    async fn refused(&self, desk: &Desk<'_>, ask: &Ask<'_>, answer: &Answer) -> Refusal {
        let (meaning, hint) = errors::meaning(self.platform, ask.phase, answer);
        let now = desk.clock.now();
        let until = match meaning {
            Meaning::Limited | Meaning::Quota => rest::after_limit(desk, answer.usage).await,
            _ => now,
        };
        let tried = match meaning {
            Meaning::Tries(_) | Meaning::CardTries(_) | Meaning::Unknown => {
                count(desk, answer).await
            }
            _ => 0,
        };
        let message = format!("{}: {}", self.trouble(ask), answer.words());
        if meaning == Meaning::Flagged {
            let hint = errors::hint(meaning, self.platform);
            let _ = rest::begin(desk, now.plus(FLAGGED_REST), message.clone(), Some(hint)).await;
        }
        let is_request = matches!(meaning, Meaning::Content | Meaning::Option | Meaning::Unknown);
        let todo = match hint {
            Some(hint) => hint.to_owned(),
            None if ask.phase == Phase::Token && is_request => format!(
                "see that the app's id, its secret and the redirect address are those of its \
                 settings, and begin anew: a code is good for one try (docs/accounts/{}.md)",
                self.platform.tag()
            ),
            None => errors::hint(meaning, self.platform),
        };
        let class = errors::class(meaning, ask.phase, tried, todo, now, until);
        if tried > 0 && matches!(class, Class::Content | Class::Card) {
            // a person who mends it and says `retry` has as many tries again
            let _ = desk.journal.write(TRIES_NOTE, Value::Null).await;
        }
        let message = match (&class, hint) {
            // an account's failure shows its hint by itself
            (Class::Account { .. }, _) | (_, None) => message,
            (_, Some(hint)) => format!("{message}; {hint}"),
        };
        if meaning == Meaning::Expired && desk.crosspost.is_some() {
            // that of a post, which parks, and not of a mere question; unwritten, the account waits for its owner even where the token is renewed
            let _ = desk.memory.write(REFUSED_NOTE, json!(message)).await;
        }
        Refusal { meaning, answered: true, failure: Failure { class, message } }
    }

    /// What did not work, and where.
    pub(super) fn trouble(&self, ask: &Ask<'_>) -> String {
        let origin = self.origin(ask.host).origin().ascii_serialization();
        format!("could not {} at {origin}", ask.doing)
    }

    /// Says once that another version answers than was asked for: it will behave in another way.
    fn tell_version(&self, answer: &Answer, ask: &Ask<'_>) {
        let Some(version) = answer.version.as_deref().filter(|_| ask.is_versioned) else { return };
        if version != self.version && !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "{} answers in version `{version}`, and `{}` was asked for: set `api_version`",
                self.platform.tag(),
                self.version
            );
        }
    }
}

/// How often this very refusal came before for the crosspost in hand. Where that can't be read or
/// written down, it is the first one.
async fn count(desk: &Desk<'_>, answer: &Answer) -> u32 {
    let Some(error) = answer.error() else { return 0 };
    let key = format!("{}/{}", error.code, error.subcode.unwrap_or_default());
    let mut notes = match desk.journal.read(TRIES_NOTE).await {
        Ok(Some(Value::Object(notes))) => notes,
        _ => serde_json::Map::new(),
    };
    let before = notes.get(&key).and_then(Value::as_u64).unwrap_or_default();
    notes.insert(key, json!(before + 1));
    let _ = desk.journal.write(TRIES_NOTE, Value::Object(notes)).await;
    u32::try_from(before).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_is_the_platforms_own_or_the_owners() {
        let http = crate::http::publishing("test", &crate::config::Delivery::default()).unwrap();
        let check = |platform, base_url: Option<&str>, host, expect: &str| {
            let base_url = base_url.map(|url| Url::parse(url).unwrap());
            let graph = Graph::new(platform, "v1.0", base_url, http.clone());
            assert_eq!(graph.origin(host).as_str(), expect);
        };
        check(Platform::Threads, None, Host::Api, "https://graph.threads.net/");
        check(Platform::Threads, None, Host::Codes, "https://graph.threads.net/");
        check(Platform::Instagram, None, Host::Api, "https://graph.instagram.com/");
        check(Platform::Instagram, None, Host::Codes, "https://api.instagram.com/");
        check(Platform::Facebook, None, Host::Api, "https://graph.facebook.com/");
        for host in [Host::Api, Host::Codes] {
            check(Platform::Instagram, Some("http://a.test:1"), host, "http://a.test:1/");
        }
    }
}
