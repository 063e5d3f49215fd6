//! Values that say when or how long. **Refuses:** to guess a unit.

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::{describe, shown, text};
use crate::config::raw::{Data, Node};
use crate::config::schema::{nearest, one_of};
use crate::zone::Zone;

/// The longest duration taken: a hundred years, so that no sum of times can overflow.
const DURATION_MAX: Duration = Duration::from_secs(36_500 * 86_400);

/// A duration of at least `min`: `30s`, `5m`, `1h30m`, `7d`, `500ms`. `unit` is what a bare number
/// most likely meant, for the message alone.
pub fn duration(node: &Node, unit: &str, min: &str) -> Result<Duration, String> {
    let text = match &node.data {
        Data::Integer(number) if *number >= 0 => number.to_string(),
        Data::Text(text) => text.trim().to_owned(),
        _ => return Err(format!("{} is no duration, want for example `5{unit}`", describe(node))),
    };
    if text.is_empty() {
        return Err(format!("is empty, want for example `5{unit}`"));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // nobody counts two hours as 120 minutes
        let unit = if unit == "m" && text.len() > 2 { "s" } else { unit };
        return Err(format!("`{text}` has no unit, want for example `{text}{unit}`"));
    }
    let duration = parse_duration(&text)
        .map_err(|why| format!("{} {why}, want for example `5{unit}`", shown(&text)))?;
    if duration > DURATION_MAX {
        return Err(format!("{} is too long, want at most `36500d`", shown(&text)));
    }
    if duration < parse_duration(min).unwrap_or_default() {
        return Err(format!("{} is too short, want at least `{min}`", shown(&text)));
    }
    Ok(duration)
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    use humantime::DurationError::UnknownUnit;
    // humantime reads `M` and `y` too, and nobody means a poll every 5 months
    const UNITS: [&str; 6] = ["ms", "s", "m", "h", "d", "w"];
    let unit = |unit: &str| format!("has the unit `{unit}`, which is none of {}", one_of(&UNITS));
    let months = |word: &&str| matches!(*word, "M" | "month" | "months" | "y" | "year" | "years");
    let words = text.split(|c: char| !c.is_ascii_alphabetic());
    if let Some(word) = words.into_iter().find(months) {
        return Err(unit(word));
    }
    humantime::parse_duration(text).map_err(|error| match error {
        UnknownUnit { unit: word, .. } if !word.is_empty() => unit(&word),
        UnknownUnit { .. } => "ends in a number without a unit".into(),
        _ => "is no duration".into(),
    })
}

/// A cron expression: the five fields of crontab(5), six with seconds first, or `@daily` and kin.
pub fn cron(node: &Node) -> Result<Cron, String> {
    let text = text(node)?.trim();
    let lower = text.to_ascii_lowercase();
    let text = if lower == "@midnight" { "@daily" } else { text };
    let fields: Vec<_> = text.split_whitespace().collect();
    let want = "want five fields, for example `*/5 * * * *`, or six with seconds first";
    if fields.len() == 1 && text.starts_with('@') {
        let names =
            ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];
        if !names.contains(&lower.as_str()) {
            return Err(format!("{} is unknown, want {}", shown(text), one_of(&names)));
        }
    } else if !(5..=6).contains(&fields.len()) {
        let count = match fields.len() {
            1 => "1 field".into(),
            count => format!("{count} fields"),
        };
        return Err(format!("{} has {count}, {want}", shown(text)));
    }
    // crontab(5): days must match in both fields as soon as one of them *starts* with a star
    let starred = |back: usize| {
        fields.len().checked_sub(back).is_some_and(|field| fields[field].starts_with('*'))
    };
    let cron = CronParser::builder()
        .seconds(Seconds::Optional)
        .year(Year::Optional)
        .dom_and_dow(starred(3) || starred(1))
        .build()
        .parse(text)
        .map_err(|error| {
            format!("{} is no cron expression ({}), {want}", shown(text), why(&error))
        })?;
    // any start will do: the pattern holds no year
    let start = chrono::DateTime::<chrono::Utc>::UNIX_EPOCH;
    match cron.find_next_occurrence(&start, true) {
        Ok(_) => Ok(cron),
        Err(_) => Err(format!("{} names a date that never comes", shown(text))),
    }
}

/// The reason of a cron error, in the style of our own.
fn why(error: &croner::errors::CronError) -> String {
    use croner::errors::CronError::{ComponentError, IllegalCharacters, InvalidPattern};
    let reason = match error {
        ComponentError(why) | IllegalCharacters(why) | InvalidPattern(why) => why.clone(),
        other => other.to_string(),
    };
    let mut chars = reason.trim_end_matches('.').chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// An IANA time zone.
pub fn timezone(node: &Node) -> Result<Zone, String> {
    let text = text(node)?;
    Zone::named(text).ok_or_else(|| match nearest(text, Zone::names().iter().map(String::as_str)) {
        Some(near) => format!("{} is no time zone, want `{near}`", shown(text)),
        None => format!("{} is no time zone, want for example `Europe/Berlin`", shown(text)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Place;

    fn node(text: &str) -> Node {
        Node { place: Place { file: 0, line: 1 }, data: Data::Text(text.into()) }
    }

    #[test]
    fn cron_days_match_as_crontab_5_has_it() {
        // 2026-11-01 is a Sunday
        let start = "2026-11-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let check = |expression: &str, expect: &[&str]| {
            let cron = cron(&node(expression)).unwrap();
            let days = cron.iter_after(start).map(|day| day.format("%d").to_string());
            assert_eq!(days.take(expect.len()).collect::<Vec<_>>(), expect, "{expression}");
        };
        check("0 9 * * *", &["01", "02", "03"]);
        check("0 9 * * mon", &["02", "09", "16"]);
        check("0 9 10 * *", &["10", "10"]);
        // both days given: one is enough
        check("0 9 10 * mon", &["02", "09", "10", "16"]);
        check("0 0 9 10 * MON", &["02", "09", "10", "16"]);
        // unless one starts with a star
        check("0 9 */2 * mon", &["09", "23"]);
        check("0 9 10-20 * */2", &["10", "12", "14", "15", "17", "19"]);
        check("0 9 * * 7", &["01", "08"]);
        check("@weekly", &["08", "15"]);
    }

    #[test]
    fn durations_are_sums_of_numbers_with_units() {
        for (text, millis) in
            [("500ms", 500), ("30s", 30_000), ("1h30m", 5_400_000), ("7d", 604_800_000), ("0s", 0)]
        {
            assert_eq!(duration(&node(text), "m", "0s"), Ok(Duration::from_millis(millis)));
        }
    }
}
