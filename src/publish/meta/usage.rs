//! Usage: how much of its allowance an account has used, as Meta's headers say.
//!
//! Two headers, two sets of keys; every number is a percentage. The numbers are noisy, and the id
//! that they stand under is not the account's: the largest counts.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// From here on an account takes its time. Per cent.
pub const SLOW: u32 = 80;
/// From here on it stops until the window frees. Per cent.
pub const STOP: u32 = 95;

/// The headers, of which an answer has one.
const HEADERS: [&str; 2] = ["x-business-use-case-usage", "x-app-usage"];
/// The percentages in them: documented, and as graph.instagram.com was seen to name them.
const KEYS: [&str; 5] = ["call_count", "total_cputime", "total_time", "call_volume", "cpu_time"];

/// How much is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The largest percentage; may be more than 100.
    pub percent: u32,
    /// How long until the account may go on, where that was said: minutes on the wire.
    pub regain: Option<Duration>,
}

impl Usage {
    /// Reads both headers; what can't be read counts as nothing.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut usage = Self::default();
        for header in HEADERS.iter().filter_map(|name| headers.get(*name)) {
            if let Ok(value) = serde_json::from_slice::<Value>(header.as_bytes()) {
                usage.take(&value);
            }
        }
        usage
    }

    /// A wait, longer where little of the allowance is left: only looking too often uses it up.
    pub fn stretched(&self, wait: Duration) -> Duration {
        match self.percent {
            STOP.. => wait.max(self.regain.unwrap_or(Duration::from_secs(900))),
            SLOW.. => wait * 4,
            _ => wait,
        }
    }

    fn take(&mut self, value: &Value) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| self.take(value)),
            Value::Object(map) => {
                for (key, value) in map {
                    let figure = value.as_f64().filter(|figure| *figure > 0.0);
                    match figure {
                        Some(figure) if KEYS.contains(&key.as_str()) => {
                            // a percentage beyond u32 is nonsense; `as` clamps it
                            self.percent = self.percent.max(figure.ceil() as u32);
                        }
                        Some(figure) if key == "estimated_time_to_regain_access" => {
                            let wait = Duration::from_secs_f64((figure * 60.0).min(86_400.0));
                            self.regain = self.regain.max(Some(wait));
                        }
                        _ => self.take(value),
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, value: &str, percent: u32, minutes: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let regain = minutes.map(|minutes| Duration::from_secs(60 * minutes));
        assert_eq!(Usage::read(&headers), Usage { percent, regain }, "{value}");
    }

    #[test]
    fn both_shapes_are_read_and_the_largest_figure_counts() {
        let business = HEADERS[0];
        check(
            business,
            r#"{"122":[{"type":"threads","call_count":1,"total_cputime":5,"total_time":3,
                "estimated_time_to_regain_access":0}]}"#
                .replace('\n', "")
                .as_str(),
            5,
            None,
        );
        check(
            business,
            r#"{"1":[{"call_count":1},{"call_count":97,"estimated_time_to_regain_access":12}],"2":[{"call_count":40,"estimated_time_to_regain_access":3}]}"#,
            97,
            Some(12),
        );
        check(HEADERS[1], r#"{"call_volume":0,"cpu_time":0}"#, 0, None);
        check(HEADERS[1], r#"{"call_volume":81,"cpu_time":2}"#, 81, None);
        check(HEADERS[1], r#"{"call_count":28,"total_time":25,"total_cputime":125}"#, 125, None);
        check(HEADERS[1], "soon", 0, None);
    }
}
