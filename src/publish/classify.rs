//! Classify: what an HTTP client's error or a rate-limit header means for a post.
//!
//! **Invariant:** only `is_connect()` proves that nothing left this machine, and only because the
//! connect time-out is shorter than the total one (measured against refused, hung up, timed out
//! and garbage answers). Everything else may have had an effect.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::clock::Timestamp;
use crate::crosspost::Failure;
pub use crate::http::date::retry_after;

/// The longest wait that a platform's header can ask for.
pub const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// The error of a request that may change something.
pub fn of_write(doing: &str, error: &reqwest::Error) -> Failure {
    let message = describe(doing, error);
    if error.is_connect() || error.is_builder() {
        Failure::retry(message)
    } else {
        Failure::ambiguous(message)
    }
}

/// The error of a request that only reads: it can be asked again.
pub fn of_read(doing: &str, error: &reqwest::Error) -> Failure {
    Failure::retry(describe(doing, error))
}

fn describe(doing: &str, error: &reqwest::Error) -> String {
    format!("{doing}: {}", crate::http::explain(error))
}

/// When a platform says that it may be asked again: the latest of `Retry-After` (seconds or an
/// HTTP date), and, on an answer that refuses for its rate, `X-RateLimit-Reset` (ISO 8601, or unix
/// seconds) and `RateLimit-Reset` (unix seconds, or seconds from now). Clamped to `WAIT_MAX`.
pub fn not_before(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = [
        text("retry-after").and_then(|value| retry_after(value, now)),
        text("x-ratelimit-reset").and_then(|value| reset(value, now)),
        text("ratelimit-reset").and_then(|value| reset(value, now)),
    ];
    asked.into_iter().flatten().max().map(|at| at.min(now.plus(WAIT_MAX)))
}

/// A reset header: ISO 8601 (Mastodon), unix seconds (Bluesky), or seconds from now (IETF draft).
fn reset(value: &str, now: Timestamp) -> Option<Timestamp> {
    /// A number below this is a distance, above it a date: 2001-09-09.
    const SMALLEST_DATE: i64 = 1_000_000_000;
    match value.parse::<i64>() {
        Ok(seconds) if seconds >= SMALLEST_DATE => Some(Timestamp::from_secs(seconds)),
        Ok(seconds) => Some(now.plus(Duration::from_secs(u64::try_from(seconds).ok()?))),
        Err(_) => Timestamp::parse_rfc3339(value),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn every_form_of_wait_is_read() {
        let now = Timestamp::from_secs(1_770_000_000);
        let check = |name: &'static str, value: &str, expect: Option<i64>| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
            let seconds = not_before(&headers, now).map(|at| at.as_millis() / 1000);
            assert_eq!(seconds, expect.map(|plus| 1_770_000_000 + plus), "{name}: {value}");
        };
        check("retry-after", "120", Some(120));
        check("retry-after", "Mon, 02 Feb 2026 02:50:00 GMT", Some(600));
        check("retry-after", "soon", None);
        check("x-ratelimit-reset", "2026-02-02T02:45:00.123456Z", Some(300));
        check("ratelimit-reset", "1770000060", Some(60));
        check("ratelimit-reset", "60", Some(60));
        check("retry-after", "999999999", Some(86_400));
    }
}
