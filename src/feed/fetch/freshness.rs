//! Freshness: for how long a server calls its answer good (RFC 9111, section 4.2).

use std::time::Duration;

use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName};

use crate::clock::Timestamp;
use crate::http::date;

/// `max-age` (less the `Age` that the answer has already), else `Expires` less `Date`; none where
/// the server says neither, says `no-cache` or `no-store`, or nothing is left.
pub fn fresh_for(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let directives: Vec<String> = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    if directives.iter().any(|directive| directive == "no-cache" || directive == "no-store") {
        return None;
    }
    let max_age = directives.iter().find_map(|directive| directive.strip_prefix("max-age="));
    let left = if let Some(max_age) = max_age {
        let age = text(AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0);
        let seconds: u64 = max_age.trim_matches('"').parse().ok()?;
        Duration::from_secs(seconds.saturating_sub(age))
    } else {
        let sent = text(DATE).and_then(date::parse).unwrap_or(now);
        date::parse(text(EXPIRES)?)?.since(sent)
    };
    (!left.is_zero()).then_some(left)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn freshness_is_read_as_a_private_cache_reads_it() {
        let now = Timestamp::from_secs(1_770_000_000); // Mon, 02 Feb 2026 02:40:00 GMT
        let check = |lines: &[(&'static str, &str)], expect: Option<u64>| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
            let seconds = fresh_for(&headers, now).map(|left| left.as_secs());
            assert_eq!(seconds, expect, "{lines:?}");
        };
        check(&[], None);
        check(&[("cache-control", "public, Max-Age=600")], Some(600));
        check(&[("cache-control", "max-age=\"600\", s-maxage=9")], Some(600));
        check(&[("cache-control", "max-age=600"), ("age", "100")], Some(500));
        check(&[("cache-control", "max-age=600"), ("age", "700")], None);
        check(&[("cache-control", "max-age=600, no-cache")], None);
        check(&[("cache-control", "max-age=600"), ("cache-control", "no-store")], None);
        check(&[("cache-control", "max-age=soon")], None);
        check(&[("expires", "Mon, 02 Feb 2026 02:50:00 GMT")], Some(600));
        check(&[("expires", "0")], None);
        check(&[("expires", "Mon, 02 Feb 2026 01:00:00 GMT")], None);
        // the server's clock is an hour behind: its own two dates count
        let slow = ("date", "Mon, 02 Feb 2026 01:40:00 GMT");
        check(&[("expires", "Mon, 02 Feb 2026 01:50:00 GMT"), slow], Some(600));
        // `max-age` wins, also when it says less
        check(
            &[("expires", "Mon, 02 Feb 2026 02:50:00 GMT"), ("cache-control", "max-age=9")],
            Some(9),
        );
    }
}
