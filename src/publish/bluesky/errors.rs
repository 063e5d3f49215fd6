//! Errors: what a refusal of an AT Protocol server means, in one table.
//!
//! **Invariant:** only an answer in the protocol's own shape (`{"error": …}`) can say that a post
//! was refused; anything else that is no success leaves the fate of a write open.

use std::time::Duration;

use url::Url;

use super::xrpc::{Answer, Call};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::publish::classify::{self, WAIT_MAX};
use crate::publish::words::shown;

/// How long an account rests whose server is no AT Protocol server just now. It resumes by itself,
/// because a proxy in front of a server that restarts answers like this too.
const WRONG_HOST_REST: Duration = Duration::from_secs(3600);

/// Where app passwords are made (bsky.app, seen 2026-08), on any server.
const APP_PASSWORDS: &str =
    "https://bsky.app/settings/app-passwords, or Settings → Privacy and security → App passwords";

/// What an answer that is no success means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The access token has lapsed: refresh it, say the same again.
    Stale,
    /// The token is not one for this server: refresh it, and if that doesn't help, sign in.
    Foreign,
    /// The account lives elsewhere now: sign in, which tells where.
    Moved,
    /// The identifier or the app password is wrong.
    BadPassword,
    /// The account's main password with e-mail codes: it takes an app password.
    SecondFactor,
    /// Taken down, suspended or deactivated.
    Suspended,
    /// The session may not do this.
    Forbidden,
    /// Slow down.
    Limited,
    /// This record is refused, and will be again.
    Content,
    /// A file that the record names is refused.
    BadBlob,
    /// What is attached to the text is refused: the card, or media.
    BadEmbed,
    /// A file was uploaded, but the server does not keep it any more.
    NoBlob,
    /// Only who has confirmed an e-mail address may do this.
    Unconfirmed,
    /// This record key is refused (a word in it, by accident); another will do.
    BadKey,
    /// Another record stands under the key.
    Taken,
    /// No record stands under the key; nobody knows of such a preparation of a video.
    Absent,
    /// This is no AT Protocol server.
    WrongHost,
    /// Nobody knows whether it was done.
    Open,
}

/// The table (sheet B8; names as in the reference PDS 0.4).
fn meaning(call: Call, status: u16, error: &str, message: &str) -> Meaning {
    match (status, error) {
        (429, _) => Meaning::Limited,
        (_, "unconfirmed_email") => Meaning::Unconfirmed,
        (400..500, _) if call == Call::JobStatus && !error.is_empty() => Meaning::Absent,
        (400, "ExpiredToken") => Meaning::Stale,
        (400, "InvalidToken") => Meaning::Foreign,
        (401, "AuthFactorTokenRequired") => Meaning::SecondFactor,
        (
            400 | 401 | 403,
            "AccountTakedown" | "AccountDeactivated" | "AccountSuspended" | "RepoTakendown"
            | "RepoDeactivated" | "RepoSuspended",
        ) => Meaning::Suspended,
        (401, _) if call == Call::SignIn => Meaning::BadPassword,
        (401, _) => Meaning::Stale,
        (403, "AccountNotFound") => Meaning::Moved,
        (404, "XRPCNotSupported" | "") | (501, _) | (300..400, _) => Meaning::WrongHost,
        (400, "InvalidSwap") => Meaning::Taken,
        (400, "RecordNotFound") => Meaning::Absent,
        (400, "InvalidRequest") if is_about_key(message) => Meaning::BadKey,
        (400, "BlobNotFound") => Meaning::NoBlob,
        (400, "BlobTooLarge" | "InvalidMimeType" | "InvalidSize") => Meaning::BadBlob,
        (400, _) if message.starts_with("Blob has been taken") => Meaning::BadBlob,
        (400, "InvalidRequest") if is_about_embed(message) && message.contains("thumb") => {
            Meaning::BadBlob
        }
        (400, "InvalidRequest") if is_about_embed(message) => Meaning::BadEmbed,
        // a body that is too large is refused before the protocol's own error shape exists
        (413, _) => Meaning::Content,
        (_, "") | (408 | 499 | 500.., _) => Meaning::Open,
        (403, _) => Meaning::Forbidden,
        (400..500, _) => Meaning::Content,
        _ => Meaning::Open,
    }
}

fn is_about_key(message: &str) -> bool {
    message.starts_with("Invalid record key") || message == "Unacceptable slur in record key"
}

/// Whether a message names a place in what is attached: `Invalid uri … at
/// $.record.embed.external.uri`, or with older servers `Record/embed/external/uri must be a uri`.
fn is_about_embed(message: &str) -> bool {
    message.contains(" $.record.embed") || message.contains("Record/embed")
}

impl Answer {
    /// What this answer to `call` means; not to be asked of a success that says what it should.
    pub fn meaning(&self, call: Call) -> Meaning {
        let text = |key| self.told(key).unwrap_or_default();
        meaning(call, self.status, text("error"), text("message"))
    }

    /// The failure that this answer to `call` is, when nothing cures it.
    pub fn failure(&self, call: Call, origin: &Url, now: Timestamp) -> Failure {
        let class = self.class(call, now);
        Failure { class, message: format!("{}: {}", call.trouble(origin), self.words()) }
    }

    fn class(&self, call: Call, now: Timestamp) -> Class {
        let account = |hint: String| Class::Account { until: None, hint };
        match self.meaning(call) {
            Meaning::Limited => {
                Class::RateLimited { not_before: classify::not_before(&self.headers, now) }
            }
            Meaning::Stale | Meaning::Foreign | Meaning::Moved => account(
                "the server takes no session of this account for this: check `identifier` and \
                 `base_url`, or make a new app password"
                    .into(),
            ),
            Meaning::BadPassword => account(format!(
                "check `identifier`, or make a new app password ({APP_PASSWORDS}) and put it into \
                 the config"
            )),
            Meaning::SecondFactor => account(format!(
                "this is the account's main password, which needs a code by e-mail each time: make \
                 an app password ({APP_PASSWORDS}) and put it into the config"
            )),
            Meaning::Suspended => {
                account("sign in to the account in a browser: it is not active".into())
            }
            Meaning::Forbidden => {
                account("make a new app password, and put it into the config".into())
            }
            Meaning::Unconfirmed => account(
                "Bluesky takes videos only from accounts with a confirmed e-mail address: confirm \
                 it at https://bsky.app/settings/account, then run `posse-party resume ACCOUNT`"
                    .into(),
            ),
            Meaning::WrongHost if matches!(call, Call::UploadVideo | Call::JobStatus) => {
                Class::Retry { not_before: self.retry_after(now) }
            }
            Meaning::WrongHost => Class::Account {
                until: Some(now.plus(WRONG_HOST_REST)),
                hint: "no AT Protocol server answers there: check `base_url`".into(),
            },
            Meaning::Content | Meaning::BadKey if call == Call::Put => Class::Content,
            Meaning::BadBlob | Meaning::BadEmbed | Meaning::NoBlob if call == Call::Put => {
                Class::Card
            }
            Meaning::Taken => Class::Duplicate,
            Meaning::Open if call == Call::Put => Class::Ambiguous,
            Meaning::Content if call == Call::SignIn => {
                account("check `identifier` and `app_password`".into())
            }
            Meaning::Content
            | Meaning::BadKey
            | Meaning::BadBlob
            | Meaning::BadEmbed
            | Meaning::NoBlob
            | Meaning::Absent
            | Meaning::Open => Class::Retry { not_before: self.retry_after(now) },
        }
    }

    /// `Retry-After` alone: the rate-limit headers stand on every answer of a PDS.
    fn retry_after(&self, now: Timestamp) -> Option<Timestamp> {
        let value = self.headers.get("retry-after")?.to_str().ok()?;
        classify::retry_after(value.trim(), now).map(|at| at.min(now.plus(WAIT_MAX)))
    }

    /// The answer in one line.
    pub fn words(&self) -> String {
        let mut words = format!("the server answered {}", self.status);
        if self.is_success() {
            words.push_str(" without what a success must hold");
        } else if (300..400).contains(&self.status) {
            words.push_str(", a redirect, which is not followed");
        }
        let said = self.said();
        if !said.is_empty() {
            words.push_str(": ");
            words.push_str(&said);
        }
        words
    }

    /// What it says about an error, as it is shown; empty: nothing.
    pub fn said(&self) -> String {
        let parts = ["error", "message"].into_iter().filter_map(|key| self.told(key));
        parts.map(shown).collect::<Vec<_>>().join(": ")
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::config::Secret;
    use crate::redact::register_secrets;

    const NOW: Timestamp = Timestamp::from_secs(1_770_000_000);

    fn answer(status: u16, error: &str, message: &str) -> Answer {
        let body = if error.is_empty() {
            serde_json::Value::Null
        } else {
            json!({"error": error, "message": message})
        };
        Answer { status, headers: reqwest::header::HeaderMap::new(), body }
    }

    /// Checks the meaning of an answer to `putRecord`, and the class that it has when nothing
    /// cures it, for a post and for a sign-in.
    fn check(status: u16, error: &str, message: &str, expect: (Meaning, &str, &str)) {
        let origin = Url::parse("https://pds.example").unwrap();
        let answer = answer(status, error, message);
        let class = |call| answer.failure(call, &origin, NOW).class.as_str();
        assert_eq!(answer.meaning(Call::Put), expect.0, "{status} {error}");
        assert_eq!(class(Call::Put), expect.1, "post: {status} {error}");
        assert_eq!(class(Call::SignIn), expect.2, "sign in: {status} {error}");
    }

    #[test]
    fn every_row_of_the_table_has_its_class() {
        use Meaning as M;
        check(400, "ExpiredToken", "Token has expired", (M::Stale, "account", "account"));
        check(400, "InvalidToken", "Bad token scope", (M::Foreign, "account", "account"));
        check(401, "AuthMissing", "", (M::Stale, "account", "account"));
        check(401, "AuthenticationRequired", "", (M::Stale, "account", "account"));
        check(401, "", "", (M::Stale, "account", "account"));
        check(401, "AuthFactorTokenRequired", "", (M::SecondFactor, "account", "account"));
        check(401, "AccountTakedown", "", (M::Suspended, "account", "account"));
        check(401, "AccountDeactivated", "", (M::Suspended, "account", "account"));
        check(400, "RepoDeactivated", "", (M::Suspended, "account", "account"));
        check(403, "AccountNotFound", "", (M::Moved, "account", "account"));
        check(403, "ScopeMissingError", "", (M::Forbidden, "account", "account"));
        check(429, "RateLimitExceeded", "", (M::Limited, "rate_limited", "rate_limited"));
        check(429, "", "", (M::Limited, "rate_limited", "rate_limited"));
        check(400, "InvalidRequest", "Invalid app.bsky", (M::Content, "content", "account"));
        let invalid = |at: &str| format!("Invalid app.bsky.feed.post record: {at}");
        let check_at = |at: &str, meaning| {
            check(400, "InvalidRequest", &invalid(at), (meaning, "card", "retry"));
        };
        check_at("Record/embed/external/uri must be a uri", M::BadEmbed);
        check_at("Record/embed must be one of the union's types", M::BadEmbed);
        check_at("Invalid uri (got \"x\") at $.record.embed.external.uri", M::BadEmbed);
        check_at("Record/embed/external/thumb should be a blob ref", M::BadBlob);
        check_at("blob too big (maximum 1) at $.record.embed.external.thumb", M::BadBlob);
        check_at("Expected x (got y) at $.record.embed.external.thumb.mimeType", M::BadBlob);
        let did = "Invalid DID (got \".embed\") at $.record.facets[0].features[0].did";
        check(400, "InvalidRequest", &invalid(did), (M::Content, "content", "account"));
        check(400, "BlobNotFound", "Could not find blob: bafk", (M::NoBlob, "card", "retry"));
        check(400, "BlobTooLarge", "This file is too large.", (M::BadBlob, "card", "retry"));
        check(400, "InvalidMimeType", "", (M::BadBlob, "card", "retry"));
        check(400, "InvalidSize", "", (M::BadBlob, "card", "retry"));
        check(400, "BlobX", "Blob has been takendown", (M::BadBlob, "card", "retry"));
        check(400, "InvalidRequest", "Invalid record key: x", (M::BadKey, "content", "retry"));
        check(400, "InvalidSwap", "Record was at b", (M::Taken, "duplicate", "duplicate"));
        check(400, "RecordNotFound", "", (M::Absent, "retry", "retry"));
        check(400, "Novelty", "", (M::Content, "content", "account"));
        check(413, "PayloadTooLarge", "", (M::Content, "content", "account"));
        check(413, "", "", (M::Content, "content", "account"));
        check(404, "XRPCNotSupported", "", (M::WrongHost, "account", "account"));
        check(404, "", "", (M::WrongHost, "account", "account"));
        check(501, "MethodNotImplemented", "", (M::WrongHost, "account", "account"));
        check(301, "", "", (M::WrongHost, "account", "account"));
        check(400, "", "", (M::Open, "ambiguous", "retry"));
        check(403, "", "", (M::Open, "ambiguous", "retry"));
        check(408, "", "", (M::Open, "ambiguous", "retry"));
        check(500, "InternalServerError", "", (M::Open, "ambiguous", "retry"));
        check(502, "UpstreamFailure", "", (M::Open, "ambiguous", "retry"));
        check(502, "", "", (M::Open, "ambiguous", "retry"));
        check(503, "NotEnoughResources", "", (M::Open, "ambiguous", "retry"));
        check(504, "UpstreamTimeout", "", (M::Open, "ambiguous", "retry"));
        check(200, "", "", (M::Open, "ambiguous", "retry"));
    }

    /// Found by fuzzing: the name of an error was told as it came.
    #[test]
    fn an_answer_that_quotes_the_token_is_told_without_it() {
        register_secrets([&Secret::new("sky-token-in-an-answer")]);
        let told = answer(429, "Xsky-token-in-an-answer", "a\n\u{1b}sky-token-in-an-answer");
        let expect = "the server answered 429: X[redacted]: a [redacted]";
        assert_eq!(told.words(), expect);
        // which file is refused stands in the message (`gather`): a long name does not push it out
        let long = answer(400, &"E".repeat(400), "at $.record.embed.images[1]");
        assert!(long.words().ends_with("…: at $.record.embed.images[1]"), "{}", long.words());
    }

    #[test]
    fn a_wrong_password_is_told_from_a_lapsed_session() {
        let refused = answer(401, "AuthenticationRequired", "Invalid identifier or password");
        assert_eq!(refused.meaning(Call::SignIn), Meaning::BadPassword);
        let others = [Call::SignIn, Call::JobStatus];
        for call in Call::ALL.into_iter().filter(|call| !others.contains(call)) {
            assert_eq!(refused.meaning(call), Meaning::Stale, "{call:?}");
        }
    }

    #[test]
    fn what_the_video_service_says_costs_the_account_nothing_but_an_unconfirmed_address() {
        let origin = Url::parse("https://video.example").unwrap();
        let check = |call, status, error: &str, meaning, class| {
            let told = answer(status, error, "");
            assert_eq!(told.meaning(call), meaning, "{call:?} {status} {error}");
            let failure = told.failure(call, &origin, NOW);
            assert_eq!(failure.class.as_str(), class, "{call:?} {status} {error}");
        };
        let (up, ask) = (Call::UploadVideo, Call::JobStatus);
        check(up, 400, "unconfirmed_email", Meaning::Unconfirmed, "account");
        check(up, 200, "unconfirmed_email", Meaning::Unconfirmed, "account");
        check(up, 404, "", Meaning::WrongHost, "retry");
        check(up, 429, "RateLimitExceeded", Meaning::Limited, "rate_limited");
        check(up, 502, "", Meaning::Open, "retry");
        check(up, 400, "BadBody", Meaning::Content, "retry");
        check(ask, 400, "JobNotFound", Meaning::Absent, "retry");
        check(ask, 401, "AuthMissing", Meaning::Absent, "retry");
        check(ask, 404, "XRPCNotSupported", Meaning::Absent, "retry");
        check(ask, 404, "", Meaning::WrongHost, "retry");
        check(ask, 503, "", Meaning::Open, "retry");
        let mut nested = answer(200, "", "");
        nested.body = json!({"jobStatus": {"error": "unconfirmed_email", "jobId": ""}});
        assert_eq!(nested.meaning(up), Meaning::Unconfirmed);
        assert!(nested.failure(up, &origin, NOW).message.contains("unconfirmed_email"));
    }

    #[test]
    fn waits_are_those_that_the_server_asks_for() {
        let origin = Url::parse("https://pds.example").unwrap();
        let check = |status, header: &'static str, value: &'static str, expect: Option<i64>| {
            let mut answer = answer(status, "", "");
            answer.headers.insert(header, HeaderValue::from_static(value));
            let until = match answer.failure(Call::Get, &origin, NOW).class {
                Class::RateLimited { not_before } | Class::Retry { not_before } => not_before,
                class => panic!("{class:?}"),
            };
            let expect = expect.map(|plus| NOW.plus(Duration::from_secs(plus.unsigned_abs())));
            assert_eq!(until, expect, "{status} {header}");
        };
        check(429, "ratelimit-reset", "1770000060", Some(60));
        check(429, "retry-after", "90", Some(90));
        check(503, "retry-after", "30", Some(30));
        check(503, "ratelimit-reset", "1770000060", None);
    }

    #[test]
    fn the_message_reads_alone_and_is_one_short_line() {
        let origin = Url::parse("https://pds.example/?secret=1").unwrap();
        let long = format!("bad\nthing {}", "x".repeat(1000));
        let message = answer(400, "InvalidRequest", &long).failure(Call::Put, &origin, NOW).message;
        assert!(message.starts_with(
            "could not post at https://pds.example: the server answered 400: InvalidRequest: bad \
             thing xxx"
        ));
        assert!(message.len() < 500 && !message.contains('\n'));
    }
}
