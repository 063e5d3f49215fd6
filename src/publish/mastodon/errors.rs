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

/// The most characters of a server's own words in a message.
const WORDS_MAX: usize = 200;

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
    row(&[422], "already attached", Means::Duplicate),
    // media that is still being worked on
    row(&[422], "have not finished processing", Means::Retry),
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
    let line: String = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .replace('`', "'");
    if line.is_empty() {
        return None;
    }
    Some(match line.char_indices().nth(WORDS_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    })
}
