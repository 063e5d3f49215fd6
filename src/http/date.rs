//! Date: the dates that HTTP headers hold, and the one wait that they ask for.
//!
//! RFC 9110, section 5.6.7: three forms must be read. The name of the weekday is passed over,
//! since servers get it wrong and it adds nothing.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};

use crate::clock::Timestamp;

/// Reads an HTTP date: `Sun, 06 Nov 1994 08:49:37 GMT`, the obsolete `Sunday, 06-Nov-94 08:49:37
/// GMT` and `Sun Nov  6 08:49:37 1994`, and (as mail writes it) a numeric zone.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let Some((_weekday, rest)) = text.split_once(", ") else {
        let (_weekday, rest) = text.split_once(' ')?;
        return naive(rest, "%b %e %H:%M:%S %Y");
    };
    if let Ok(at) = DateTime::parse_from_rfc2822(rest) {
        return Some(at.to_utc().into());
    }
    naive(rest, "%d-%b-%y %H:%M:%S GMT")
}

fn naive(text: &str, form: &str) -> Option<Timestamp> {
    NaiveDateTime::parse_from_str(text, form).ok().map(|at| at.and_utc().into())
}

/// Reads `Retry-After`: seconds from now, or an HTTP date.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Timestamp> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // too many digits for a number are still a number: a long wait
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(now.plus(Duration::from_secs(seconds)));
    }
    parse(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_date_is_read() {
        let check = |text: &str, expect: Option<&str>| {
            let read = parse(text).map(Timestamp::to_rfc3339);
            assert_eq!(read.as_deref(), expect, "{text}");
        };
        let moment = Some("1994-11-06T08:49:37.000Z");
        check("Sun, 06 Nov 1994 08:49:37 GMT", moment);
        check("Sunday, 06-Nov-94 08:49:37 GMT", moment);
        check("Sun Nov  6 08:49:37 1994", moment);
        check("Sun, 06 Nov 1994 09:49:37 +0100", moment);
        check("Fri, 06 Nov 1994 08:49:37 GMT", moment); // the weekday is wrong
        for bad in ["", "0", "-1", "soon", "Sun, ", "Sun, 36 Nov 1994 08:49:37 GMT"] {
            check(bad, None);
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = Timestamp::from_secs(1_770_000_000);
        let check = |value: &str, expect: Option<i64>| {
            let read = retry_after(value, now).map(|at| (at.as_millis() - now.as_millis()) / 1000);
            assert_eq!(read, expect, "{value}");
        };
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("Mon, 02 Feb 2026 02:50:00 GMT", Some(600));
        check("Mon, 02 Feb 2026 02:30:00 GMT", Some(-600));
        check("-5", None);
        check("soon", None);
        check("", None);
        assert!(
            retry_after("99999999999999999999", now).unwrap()
                > now.plus(Duration::from_secs(86_400))
        );
    }
}
