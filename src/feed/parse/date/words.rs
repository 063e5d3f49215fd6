//! Dates in words: RFC 822 and everything that looks a little like it, in any order.

use chrono::NaiveDate;

use super::{Moment, Time, century, millis, names, offset};

/// What a date in words has said so far.
#[derive(Default)]
struct Said<'a> {
    /// Numbers as written, outside of time and zone.
    numbers: Vec<&'a str>,
    month: Option<u32>,
    time: Option<(u32, u32, u32, u32)>,
    offset: Option<i64>,
    afternoon: Option<bool>,
    /// Whether it is written in Korean, whose feeds leave the zone out.
    korean: bool,
}

/// Reads a date in words, or of numbers in another order than ISO's.
pub(super) fn parse(text: &str) -> Option<Moment> {
    let mut said = Said::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '0'..='9' => said.number(rest)?,
            '+' | '-' | '−' if said.time.is_some() => {
                said.offset(&rest[first.len_utf8()..], first != '+')?
            }
            '(' => rest.split_once(')').map_or("", |(_, after)| after),
            _ if first.is_alphabetic() => said.word(rest),
            _ => &rest[first.len_utf8()..],
        };
    }
    said.moment(text)
}

impl<'a> Said<'a> {
    fn number(&mut self, text: &'a str) -> Option<&'a str> {
        let (digits, after) = split_digits(text);
        if self.time.is_none() && after.strip_prefix(':').is_some_and(|s| s.starts_with(is_digit)) {
            return self.clock(text);
        }
        self.numbers.push(digits);
        let ordinal = ["st", "nd", "rd", "th"].into_iter().find_map(|end| after.strip_prefix(end));
        Some(ordinal.unwrap_or(after))
    }

    /// `9:15`, `9:15:30` or `9:15:30.5`
    fn clock(&mut self, text: &'a str) -> Option<&'a str> {
        let (hour, rest) = split_digits(text);
        let (minute, rest) = split_digits(&rest[1..]);
        let (second, rest) = match rest.strip_prefix(':') {
            Some(rest) => split_digits(rest),
            None => ("0", rest),
        };
        let fraction = rest.strip_prefix('.').filter(|rest| rest.starts_with(is_digit));
        let (fraction, rest) = fraction.map_or(("", rest), split_digits);
        if rest.starts_with(':') {
            return None;
        }
        let number = |digits: &str| digits.parse::<u32>().ok();
        self.time = Some((number(hour)?, number(minute)?, number(second)?, millis(fraction)?));
        Some(rest)
    }

    fn offset(&mut self, text: &'a str, west: bool) -> Option<&'a str> {
        let length = text.find(|c| !(is_digit(c) || c == ':')).unwrap_or(text.len());
        if length == 0 {
            // a dash between words is one; a sign before letters is a zone that nobody knows
            return (!text.starts_with(char::is_alphabetic)).then_some(text);
        }
        let seconds = offset(&text[..length])?;
        self.offset = Some(if west { -seconds } else { seconds });
        Some(&text[length..])
    }

    fn word(&mut self, text: &'a str) -> &'a str {
        // what has been read as `T` before a digit separates date and time
        let length = text.find(|c: char| !(c.is_alphabetic() || c == '/')).unwrap_or(text.len());
        let (word, rest) = text.split_at(length);
        let lower = word.to_lowercase();
        self.korean |= word.chars().any(|c| ('가'..='힣').contains(&c));
        match &*lower {
            "am" | "오전" | "πμ" => self.afternoon = Some(false),
            "pm" | "오후" | "μμ" => self.afternoon = Some(true),
            "a" | "p" if rest.starts_with(".m") => {
                self.afternoon = Some(lower == "p");
                return rest[2..].strip_prefix('.').unwrap_or(&rest[2..]);
            }
            // in some languages a weekday looks like a month, but it comes first
            _ if self.time.is_none() || (self.month.is_none() && self.numbers.len() < 3) => {
                self.month = names::month(&lower).or(self.month);
            }
            _ if self.offset.is_none() => self.offset = names::zone(&lower),
            _ => {}
        }
        rest
    }

    fn moment(&self, text: &str) -> Option<Moment> {
        let date = match self.month {
            Some(month) => self.day_of(month)?,
            None => self.numeric(text)?,
        };
        let time = match self.time {
            None => Time::default(),
            Some((hour, minute, second, millis)) => {
                let hour = match (self.afternoon, hour) {
                    (Some(true), 1..12) => hour + 12,
                    (Some(false), 12) => 0,
                    _ => hour,
                };
                Time::new(hour, minute, second, millis)?
            }
        };
        let here = if self.korean { 9 * 3600 } else { 0 };
        Some(Moment { date, time, offset: self.offset.unwrap_or(here) })
    }

    /// Day and year of a date whose month is a word.
    fn day_of(&self, month: u32) -> Option<NaiveDate> {
        let [first, second] = *self.numbers.get(..2)? else { return None };
        let (day, year) = if first.len() > 2 { (second, first) } else { (first, second) };
        let digits = year.len();
        if digits != 2 && digits != 4 {
            return None;
        }
        NaiveDate::from_ymd_opt(century(year.parse().ok()?, digits), month, day.parse().ok()?)
    }

    /// A date of numbers alone.
    fn numeric(&self, text: &str) -> Option<NaiveDate> {
        let [first, second, third] = self.numbers[..] else { return None };
        let number = |digits: &str| digits.parse::<u32>().ok();
        if first.len() == 4 {
            return NaiveDate::from_ymd_opt(first.parse().ok()?, number(second)?, number(third)?);
        }
        if third.len() != 4 {
            return None;
        }
        let (first, second, year) = (number(first)?, number(second)?, third.parse().ok()?);
        let dotted = !text.contains('/') && text.contains('.');
        let american = self.afternoon.is_some() && !dotted;
        match (first, second) {
            _ if dotted || first > 12 || first == second => {
                NaiveDate::from_ymd_opt(year, second, first)
            }
            _ if american || second > 12 => NaiveDate::from_ymd_opt(year, first, second),
            _ => None, // 3/4/2025 may be in March or in April
        }
    }
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c| !is_digit(c)).unwrap_or(text.len()))
}
