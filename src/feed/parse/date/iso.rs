//! ISO 8601, W3CDTF and RFC 3339: dates of digits, the year first.

use chrono::{NaiveDate, Weekday};

use super::{Moment, Time, century, millis, names, offset};

/// Reads a date whose year comes first, with or without time and zone.
pub(super) fn parse(text: &str) -> Option<Moment> {
    let packed = matches!(text.len(), 12 | 14) && text.bytes().all(|byte| byte.is_ascii_digit());
    let separator = text.find(['T', 't', ' ', '_', '\t']);
    let split = if packed { 8 } else { separator.unwrap_or(text.len()) };
    let (day, rest) = text.split_at(split);
    let date = date(day)?;
    let rest = rest.trim_start_matches(['T', 't', ' ', '_', '\t']);
    let (time, zone) = split_zone(rest);
    Some(Moment { date, time: self::time(time)?, offset: self::zone(zone)? })
}

fn date(text: &str) -> Option<NaiveDate> {
    if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'/' | b'.' | b'W' | b'w')) {
        return None;
    }
    if let Some((year, week)) = text.split_once(['W', 'w']) {
        return self::week(number(year.trim_end_matches('-'), 4)?, week);
    }
    if let Some(short) = text.strip_prefix('-') {
        let short = short.replace('-', "");
        let year = century(number(short.get(..2)?, 2)?, 2);
        return match short.len() {
            2 => NaiveDate::from_ymd_opt(year, 1, 1),
            4 => NaiveDate::from_ymd_opt(year, number(&short[2..], 2)?, 1),
            _ => None,
        };
    }
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    match parts[..] {
        [packed] => self::packed(packed),
        [year, rest] if year.len() == 4 => match rest.len() {
            3 => NaiveDate::from_yo_opt(number(year, 4)?, number(rest, 3)?),
            _ => NaiveDate::from_ymd_opt(number(year, 4)?, number(rest, 2)?, 1),
        },
        // `012`: a month as Google once wrote it
        [year, month, day] if year.len() == 4 || (year.len() == 2 && text.contains('-')) => {
            let year = century(number(year, 4)?, year.len());
            NaiveDate::from_ymd_opt(year, number(month, 3)?, number(day, 2)?)
        }
        _ => None,
    }
}

fn packed(digits: &str) -> Option<NaiveDate> {
    let year = |length: usize| -> Option<i32> {
        Some(century(number(digits.get(..length)?, length)?, length))
    };
    let part = |from: usize, length: usize| number::<u32>(digits.get(from..from + length)?, length);
    match digits.len() {
        4 => NaiveDate::from_ymd_opt(year(4)?, 1, 1),
        5 => NaiveDate::from_yo_opt(year(2)?, part(2, 3)?),
        6 => NaiveDate::from_ymd_opt(year(2)?, part(2, 2)?, part(4, 2)?),
        7 => NaiveDate::from_yo_opt(year(4)?, part(4, 3)?),
        8 => NaiveDate::from_ymd_opt(year(4)?, part(4, 2)?, part(6, 2)?),
        _ => None,
    }
}

fn week(year: i32, rest: &str) -> Option<NaiveDate> {
    let digits = rest.replace('-', "");
    let day = match digits.get(2..)? {
        "" => Weekday::Mon,
        day => Weekday::try_from(number::<u8>(day, 1)?.checked_sub(1)?).ok()?,
    };
    NaiveDate::from_isoywd_opt(year, number(&digits[..2], 2)?, day)
}

/// The time and the zone of what follows the date.
fn split_zone(text: &str) -> (&str, &str) {
    let at = text.find(|c: char| c.is_alphabetic() || matches!(c, '+' | '-' | ' ' | '−'));
    let (time, zone) = text.split_at(at.unwrap_or(text.len()));
    (time, zone.trim())
}

fn time(text: &str) -> Option<Time> {
    if text.is_empty() {
        return Some(Time::default());
    }
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = clock.replace(':', "");
    let colons = clock.len() - digits.len();
    let parts: Vec<&str> = match (colons, digits.len()) {
        // a character of several bytes may lie across
        (0, 2 | 4 | 6) => {
            (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2)).collect::<Option<_>>()?
        }
        (1 | 2, _) => clock.split(':').collect(),
        _ => return None,
    };
    let part = |nth: usize| parts.get(nth).map_or(Some(0), |part| number(part, 2));
    Time::new(part(0)?, part(1)?, part(2)?, millis(fraction)?)
}

fn zone(text: &str) -> Option<i64> {
    match text.chars().next() {
        None => Some(0),
        Some('+') => offset(text[1..].trim()),
        Some('-') => offset(text[1..].trim()).map(|seconds| -seconds),
        Some('−') => offset(text['−'.len_utf8()..].trim()).map(|seconds| -seconds),
        Some(_) => names::zone(&text.to_lowercase()),
    }
}

/// A number of at most `digits` digits and nothing else.
fn number<T: std::str::FromStr>(text: &str, digits: usize) -> Option<T> {
    let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}
