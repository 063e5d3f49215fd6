//! Errors: what every refusal in the Mastodon world means, as one table (sheet A9, A10).
//!
//! The first row that fits counts. **Invariant:** what no row knows is ambiguous.
//! **Refuses:** to depend on JSON: proxies answer in HTML, snac in plain text.

use std::fmt::Write as _;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::family::Family;
use super::server::redirect_origin;
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::publish::classify::not_before;
use crate::publish::words::shown;

/// How long an account rests when the way to its server is wrong: a proxy that is being mended
/// looks the same as a wrong `base_url`, and asking now and then does no harm.
const WAY_BLOCKED: Duration = Duration::from_secs(3600);

/// A request, for messages and hints.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The origin that was asked.
    pub server: &'a str,
    /// What was done to it: `posting to`.
    pub doing: &'static str,
    /// The scope that it needs.
    pub scope: &'static str,
}

/// One line of the table.
struct Row {
    statuses: &'static [u16],
    /// What the answer says somewhere, in lower case; empty: anything.
    says: &'static str,
    only: Only,
    means: Means,
}

/// What else must hold for a row.
#[derive(Clone, Copy)]
enum Only {
    Always,
    /// A web page: it comes from a proxy, or from something that is no such server.
    Page,
    /// GoToSocial sheds load before it does anything, and says for how long.
    GoToSocialOverload,
}

/// What a row means.
#[derive(Clone, Copy)]
enum Means {
    Retry,
    RateLimited,
    Content,
    Duplicate,
    Ambiguous,
    Token,
    Scope,
    /// The owner must look at the account.
    Account(&'static str),
    /// Something stands between us and the server, perhaps only while it is being mended.
    Way(&'static str),
    Moved,
}

const fn row(statuses: &'static [u16], says: &'static str, means: Means) -> Row {
    Row { statuses, says, only: Only::Always, means }
}

const fn page(statuses: &'static [u16], means: Means) -> Row {
    Row { statuses, says: "", only: Only::Page, means }
}

const LOG_IN: &str = "log in on {server} with a browser and see what it asks of the account";
const FRONT: &str = "something in front of {server} keeps this program out: ask its administrator, \
                     and check `base_url`";
const BASE_URL: &str = "check `base_url`: no Mastodon API answers at {server}";
const REQUEST: &str = "{server} does not take this program's requests: check `base_url`, and \
                       update posse-party";

const TABLE: &[Row] = &[
    // redirects: the token goes to no other place
    row(&[301, 307, 308], "", Means::Moved),
    // from a proxy, which did not pass the request on
    page(&[400, 404, 405, 410], Means::Way(BASE_URL)),
    page(&[401, 403], Means::Way(FRONT)),
    // the token
    row(&[401], "", Means::Token),
    row(&[422], "requires an authenticated user", Means::Token),
    row(&[403], "outside the authorized scopes", Means::Scope),
    row(&[403], "insufficient permissions", Means::Scope),
    row(&[403], "insufficient scope", Means::Scope),
    // this post
    row(&[403], "this action is not allowed", Means::Content),
    row(&[403], "empty statuses are not allowed", Means::Content),
    // the account: disabled, not approved, e-mail not confirmed, moved, suspended
    row(&[402, 403], "", Means::Account(LOG_IN)),
    // what it has already
    row(&[400], "duplicate idempotency key", Means::Duplicate),
    row(&[409, 422], "duplicate record", Means::Duplicate),
    row(&[400, 422], "already attached", Means::Duplicate),
    // media that is still being worked on
    row(&[400, 422], "have not finished processing", Means::Retry),
    // the text, its language, its visibility, what it answers to
    row(&[404], "record not found", Means::Content),
    row(&[400, 406, 413, 414, 415, 422], "", Means::Content),
    // not this server, or not this program
    row(&[404, 405, 410, 501], "", Means::Way(BASE_URL)),
    row(&[418], "", Means::Account(REQUEST)),
    // slower
    row(&[429], "", Means::RateLimited),
    Row { statuses: &[503], says: "", only: Only::GoToSocialOverload, means: Means::Retry },
    // who knows: it, or what stands behind it, may have done it
    row(&[408, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524], "", Means::Ambiguous),
];

/// What an answer that is no success means for a post.
pub fn classify(
    call: &Call<'_>,
    family: Family,
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    now: Timestamp,
) -> Failure {
    let is_page = is_page(headers, body);
    let lower = body.to_ascii_lowercase();
    let fits = |row: &&Row| {
        row.statuses.contains(&status.as_u16())
            && lower.contains(row.says)
            && match row.only {
                Only::Always => true,
                Only::Page => is_page,
                Only::GoToSocialOverload => {
                    family == Family::GoToSocial && headers.contains_key(RETRY_AFTER)
                }
            }
    };
    let means = TABLE.iter().find(fits).map_or(Means::Ambiguous, |row| row.means);
    let mut message = format!("{} `{}`: answer {status}", call.doing, call.server);
    match words(body).filter(|_| !is_page) {
        Some(words) => _ = write!(message, ": `{words}`"),
        None if is_page => message.push_str(" with a web page"),
        None => {}
    }
    let later = Some(now.plus(WAY_BLOCKED));
    let class = match means {
        Means::Retry => Class::Retry { not_before: not_before(headers, now) },
        Means::RateLimited => Class::RateLimited { not_before: not_before(headers, now) },
        Means::Content => Class::Content,
        Means::Duplicate => Class::Duplicate,
        Means::Ambiguous => Class::Ambiguous,
        Means::Token => Class::Account { until: None, hint: token_hint(call) },
        Means::Scope => Class::Account { until: None, hint: scope_hint(call) },
        Means::Account(hint) => Class::Account { until: None, hint: named(hint, call) },
        Means::Way(hint) => Class::Account { until: later, hint: named(hint, call) },
        Means::Moved => {
            let to = redirect_origin(headers);
            let to = to.filter(|to| to != call.server);
            if let Some(to) = &to {
                _ = write!(message, ", which sends us on to `{to}`");
            }
            Class::Account { until: later, hint: moved_hint(call, to.as_deref()) }
        }
    };
    Failure { class, message }
}

fn named(hint: &str, call: &Call<'_>) -> String {
    hint.replace("{server}", &format!("`{}`", call.server))
}

fn token_hint(call: &Call<'_>) -> String {
    format!(
        "make a new token on `{}` under Preferences → Development → your application (`regenerate \
         access token`), put it where `access_token` points, then `posse-party check --online`",
        call.server
    )
}

fn scope_hint(call: &Call<'_>) -> String {
    format!(
        "the token lacks the scope `{}`: on `{}` open Preferences → Development → your \
         application, tick it, save, regenerate the access token, and put the new one where \
         `access_token` points",
        call.scope, call.server
    )
}

fn moved_hint(call: &Call<'_>, to: Option<&str>) -> String {
    match to {
        Some(to) => format!(
            "if `{to}` is the right server, set `base_url = \"{to}\"`: the token is sent nowhere \
             else"
        ),
        None => format!(
            "check `base_url`: `{}` answers with a redirect, and the token is sent nowhere else",
            call.server
        ),
    }
}

fn is_page(headers: &HeaderMap, body: &str) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().starts_with("text/html") || body.trim_start().starts_with('<')
}

/// What the server says, in one short line.
fn words(body: &str) -> Option<String> {
    let text = match serde_json::from_str::<Value>(body) {
        Ok(Value::Object(fields)) => {
            let said = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
            // Akkoma has `errors` as a list, Laravel `message` with `errors` as a map
            let error = said("error").or_else(|| said("message"));
            let more = said("error_description").or_else(|| {
                fields.get("errors").filter(|errors| !errors.is_null()).map(Value::to_string)
            });
            [error, more].into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
        Ok(Value::String(text)) => text,
        Ok(_) => String::new(),
        Err(_) => body.to_owned(),
    };
    Some(shown(&text).replace('`', "'")).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_770_000_000);
    const CALL: Call<'_> =
        Call { server: "https://a.example", doing: "posting to", scope: "write:statuses" };

    fn failure(status: u16, body: &str, headers: &[(&'static str, &'static str)]) -> Failure {
        of_family(Family::Other, status, body, headers)
    }

    fn of_family(
        family: Family,
        status: u16,
        body: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Failure {
        let headers = headers.iter().map(|&(name, value)| {
            (reqwest::header::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        let status = StatusCode::from_u16(status).unwrap();
        classify(&CALL, family, status, &headers.collect(), body, NOW)
    }

    #[test]
    fn every_refusal_of_the_sheet_has_its_class() {
        let check = |status: u16, body: &str, class: &str| {
            let failure = failure(status, body, &[]);
            assert_eq!(failure.class.as_str(), class, "{status} {body}: {failure:?}");
        };
        let error = |text: &str| format!("{{\"error\":\"{text}\"}}");
        // the token
        check(401, &error("The access token is invalid"), "account");
        check(401, &error("The access token was revoked"), "account");
        check(401, &error("The access token expired"), "account");
        check(401, &error("This method requires an authenticated user"), "account");
        check(422, &error("This method requires an authenticated user"), "account");
        check(401, "401 Unauthorized", "account"); // snac
        // what it may do
        check(403, &error("This action is outside the authorized scopes"), "account");
        check(403, &error("Insufficient permissions: write:statuses."), "account"); // Akkoma
        check(403, &error("Forbidden: token has insufficient scope permission"), "account");
        // the account
        check(403, &error("Your login is currently disabled"), "account");
        check(403, &error("Your login is currently pending approval"), "account");
        check(403, &error("Your login is missing a confirmed e-mail address"), "account");
        check(402, "", "account");
        // the post
        check(403, &error("This action is not allowed"), "content");
        check(403, &error("Empty statuses are not allowed"), "content"); // Pixelfed
        check(404, &error("Record not found"), "content");
        check(422, &error("Validation failed: Text character limit of 500 exceeded"), "content");
        check(422, &error("Validation failed: Text can't be blank"), "content");
        check(422, &error("Text contained a disallowed hashtag: x"), "content");
        check(422, &error("Cannot attach more than 4 files"), "content");
        check(
            422,
            r#"{"message":"The given data was invalid.","errors":{"status":["?"]}}"#,
            "content",
        );
        check(400, &error("Bad Request: status too long, 6000 chars"), "content"); // GoToSocial
        check(406, &error("Not Acceptable"), "content");
        check(415, "", "content");
        check(413, "<html>413 Request Entity Too Large</html>", "content");
        // media
        let unfinished = "Cannot attach files that have not finished processing. Try again!";
        check(422, &error(unfinished), "retry");
        check(422, &error("Media 1 not found or already attached to another post"), "duplicate");
        check(400, &error("media 1 already attached to a status"), "duplicate"); // GoToSocial
        // what it has already
        check(422, &error("Duplicate record"), "duplicate");
        check(409, &error("Duplicate record"), "duplicate");
        check(400, &error("Duplicate idempotency key."), "duplicate"); // Pixelfed
        // slower
        check(429, &error("Too many requests"), "rate_limited");
        check(429, "Throttled", "rate_limited"); // Akkoma
        check(429, "<html>429</html>", "rate_limited");
        // no such server, or not for us
        check(404, "<html>404</html>", "account");
        check(404, "404 page not found", "account");
        check(405, "", "account");
        check(400, "<html>The plain HTTP request was sent to HTTPS port</html>", "account");
        check(403, "<!DOCTYPE html><title>Just a moment...</title>", "account");
        check(418, &error("I'm a teapot: no user-agent sent with request"), "account");
        check(301, "", "account");
        check(307, "", "account");
        check(308, "", "account");
        // who knows
        for status in [300, 302, 303, 408, 409, 421, 423, 425, 451, 499, 500, 502, 503, 504, 507] {
            check(status, "", "ambiguous");
            check(status, "<html></html>", "ambiguous");
        }
        for status in 520..=524 {
            check(status, "error code", "ambiguous");
        }
        check(503, &error("There was a temporary problem serving your request"), "ambiguous");
        check(503, &error("Remote data could not be fetched"), "ambiguous");
    }

    #[test]
    fn only_gotosocial_says_by_its_overload_that_nothing_was_done() {
        let check = |family, headers: &[_], expect: Class| {
            assert_eq!(of_family(family, 503, "", headers).class, expect, "{family:?}");
        };
        let wait = ("retry-after", "30");
        let not_before = Some(NOW.plus(Duration::from_secs(30)));
        check(Family::GoToSocial, &[wait], Class::Retry { not_before });
        check(Family::GoToSocial, &[], Class::Ambiguous);
        check(Family::Mastodon, &[wait], Class::Ambiguous);
        check(Family::Other, &[wait], Class::Ambiguous);
    }

    #[test]
    fn a_wait_is_the_one_that_was_asked_for() {
        let check = |headers: &[_], seconds: Option<u64>| {
            let not_before = seconds.map(|seconds| NOW.plus(Duration::from_secs(seconds)));
            assert_eq!(failure(429, "", headers).class, Class::RateLimited { not_before });
        };
        check(&[("x-ratelimit-reset", "2026-02-02T02:45:00.000000Z")], Some(300)); // Mastodon
        check(&[("x-ratelimit-reset", "1770000060")], Some(60)); // GoToSocial
        check(&[("retry-after", "7")], Some(7));
        check(&[], None);
    }

    #[test]
    fn the_message_holds_the_server_s_words_on_one_short_line() {
        let check = |body: &str, expect: &str| {
            let expect =
                format!("posting to `https://a.example`: answer 422 Unprocessable Entity{expect}");
            assert_eq!(failure(422, body, &[]).message, expect);
        };
        check(r#"{"error":"Validation failed:\n `x`"}"#, ": `Validation failed: 'x'`");
        check(r#"{"error":"invalid","error_description":"why"}"#, ": `invalid: why`");
        check(r#"{"message":"bad","errors":{"a":["b"]}}"#, r#": `bad: {"a":["b"]}`"#);
        check("plain\u{1b}[31m words", ": `plain [31m words`");
        check("<html>no</html>", " with a web page");
        check("", "");
        check("[]", "");
        let long = failure(422, &"ä".repeat(5000), &[]).message;
        assert!(long.ends_with("ä…`") && long.chars().count() < 400, "{long}");
    }

    #[test]
    fn a_hint_says_what_to_do() {
        let check = |failure: Failure, words: &[&str], ends: bool| {
            let Class::Account { until, hint } = failure.class else { panic!("{failure:?}") };
            assert!(words.iter().all(|word| hint.contains(word)), "{hint}");
            assert_eq!(until.is_some(), ends, "{hint}");
        };
        check(failure(401, "", &[]), &["new token", "`https://a.example`", "Development"], false);
        let scope = r#"{"error":"This action is outside the authorized scopes"}"#;
        check(failure(403, scope, &[]), &["`write:statuses`", "regenerate"], false);
        check(failure(403, "{}", &[]), &["log in on `https://a.example`"], false);
        check(failure(404, "<html>", &[]), &["check `base_url`"], true);
        check(failure(403, "<html>", &[]), &["in front of `https://a.example`"], true);
        let moved = failure(308, "", &[("location", "https://b.example/api/v1/statuses?a=b")]);
        assert!(moved.message.ends_with("sends us on to `https://b.example`"), "{moved:?}");
        check(moved, &["base_url = \"https://b.example\""], true);
        let slash = failure(301, "", &[("location", "/login")]);
        check(slash, &["answers with a redirect"], true);
    }
}
