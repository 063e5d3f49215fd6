//! Date: what feeds write for a date, to a moment.
//!
//! First as ISO 8601 in any of its forms, then as a date in words (RFC 822, asctime and the like,
//! in a dozen languages and any order), then as seconds since 1970. A date without a zone is UTC.
//! **Invariant:** a date that could mean two days means none. **Refuses:** to guess from `now`.

mod iso;
mod names;
mod words;

use chrono::NaiveDate;

use crate::clock::Timestamp;

/// No date in the wild is longer, and the parsers may look at a text several times.
const BYTES_MAX: usize = 80;

/// Reads a date; none when it can't be read or is no day.
pub(in crate::feed) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > BYTES_MAX {
        return None;
    }
    let moment = iso::parse(text).or_else(|| words::parse(text)).or_else(|| epoch(text))?;
    moment.timestamp()
}

/// Seconds or milliseconds since 1970.
fn epoch(text: &str) -> Option<Moment> {
    let whole = text.split('.').next()?;
    let seconds = match whole.len() {
        9 | 10 => whole.parse::<i64>().ok()?,
        13 => whole.parse::<i64>().ok()? / 1000,
        _ => return None,
    };
    let at = chrono::DateTime::from_timestamp(seconds, 0)?;
    let time = Time { second: u32::try_from(seconds.rem_euclid(86_400)).ok()?, millis: 0 };
    Some(Moment { date: at.date_naive(), time, offset: 0 })
}

/// A day, a time of it, and how far the zone is ahead of UTC.
#[derive(Clone, Copy, Debug)]
struct Moment {
    date: NaiveDate,
    time: Time,
    /// Seconds.
    offset: i64,
}

impl Moment {
    fn timestamp(self) -> Option<Timestamp> {
        let midnight = self.date.and_hms_opt(0, 0, 0)?.and_utc().timestamp();
        let seconds = midnight + i64::from(self.time.second) - self.offset;
        Some(Timestamp::from_millis(seconds.checked_mul(1000)? + i64::from(self.time.millis)))
    }
}

/// A time of day.
#[derive(Clone, Copy, Debug, Default)]
struct Time {
    /// Seconds since midnight; 86,400 is the next midnight.
    second: u32,
    millis: u32,
}

impl Time {
    /// Second 60 is a leap second and read as 59; 24:00 is the end of the day.
    fn new(hour: u32, minute: u32, second: u32, millis: u32) -> Option<Self> {
        let end_of_day = hour == 24 && minute == 0 && second == 0;
        ((hour < 24 || end_of_day) && minute < 60 && second <= 60)
            .then(|| Self { second: hour * 3600 + minute * 60 + second.min(59), millis })
    }
}

/// The thousandths of a fraction of a second given by its digits.
fn millis(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    format!("{digits:0<3}").get(..3)?.parse().ok()
}

/// The seconds of an offset such as `+05:30`, `-0800`, `+1` or `-530`, without a sign.
fn offset(digits: &str) -> Option<i64> {
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() <= 2 => (digits, "0"),
        None => digits.split_at_checked(digits.len() - 2)?,
    };
    let is_number =
        |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hours) || !is_number(minutes) {
        return None;
    }
    let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)
}

/// A year of two digits: 70 to 99 are of the last century.
fn century(year: i32, digits: usize) -> i32 {
    match (digits, year) {
        (1 | 2, 70..) => 1900 + year,
        (1 | 2, _) => 2000 + year,
        _ => year,
    }
}

#[cfg(test)]
mod tests;
