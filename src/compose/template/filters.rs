//! Filters: those that templates have besides the library's own.
//!
//! **Refuses:** to panic: a bad argument is an error of the template.

use std::fmt::Write;

use chrono::format::StrftimeItems;
use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, State, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::clock::Timestamp;
use crate::zone::Zone;

/// What `truncate` leaves by default, in graphemes; as in Jinja.
const LENGTH: usize = 255;
/// How `date` writes by default.
const DATE: &str = "%Y-%m-%d";

/// `truncate(length=255, killwords=False, end='…', leeway=0)`: Jinja's, in graphemes. The mark is
/// counted; what is longer by no more than `leeway` stays.
pub fn truncate(
    state: &State<'_, '_>,
    text: &Value,
    positional: &[Value],
    named: Kwargs,
) -> Result<Value, Error> {
    if is_nothing(text) {
        return Ok(Value::from(""));
    }
    let argument = |index: usize, name: &str| match positional.get(index) {
        Some(value) => Ok(Some(value.clone())),
        None => named.get::<Option<Value>>(name),
    };
    let number = |value: Option<Value>, otherwise: usize| {
        value.map_or(Ok(otherwise), |value| value.try_into())
    };
    let length = number(argument(0, "length")?, LENGTH)?;
    let killwords = argument(1, "killwords")?.is_some_and(|value| value.is_true());
    let end = argument(2, "end")?.map_or_else(|| "…".to_owned(), |value| value.to_string());
    let leeway = number(argument(3, "leeway")?, 0)?;
    named.assert_all_used()?;
    if positional.len() > 4 {
        return Err(Error::from(ErrorKind::TooManyArguments));
    }
    let end_length = end.graphemes(true).count();
    let Some(room) = length.checked_sub(end_length) else {
        return Err(wrong(format!("truncate to {length} leaves no room for `{end}`")));
    };
    let text = text.to_string();
    state.consume_fuel(text.len() as u64 / 64)?;
    let mut starts = text.grapheme_indices(true).map(|(at, _)| at);
    if starts.clone().nth(length.saturating_add(leeway)).is_none() {
        return Ok(Value::from(text));
    }
    let cut = &text[..starts.nth(room).unwrap_or(text.len())];
    let ends_word = text[cut.len()..].starts_with(char::is_whitespace);
    let last = cut.rfind(char::is_whitespace).filter(|_| !ends_word);
    let words = cut[..last.unwrap_or(cut.len())].trim_end();
    Ok(Value::from(format!("{}{end}", if killwords { cut } else { words })))
}

/// `date(format="%Y-%m-%d", zone="UTC")`: an RFC 3339 date in another form.
pub fn date(date: &Value, format: Option<String>, zone: Option<String>) -> Result<String, Error> {
    if is_nothing(date) {
        return Ok(String::new());
    }
    let text = date.to_string();
    let at = Timestamp::parse_rfc3339(&text)
        .ok_or_else(|| wrong(format!("`{text}` is no date, want for example `published`")))?;
    let format = format.as_deref().unwrap_or(DATE);
    let items = StrftimeItems::new(format).parse().map_err(|_| {
        wrong(format!("`{format}` is no format of a date, want for example `%d.%m.%Y`"))
    })?;
    let zone = zone.as_deref().unwrap_or("UTC");
    let zone = Zone::named(zone).ok_or_else(|| {
        wrong(format!("`{zone}` is no time zone, want for example `Europe/Berlin`"))
    })?;
    let mut written = String::new();
    let local = at.to_datetime().with_timezone(&zone);
    write!(written, "{}", local.format_with_items(items.iter()))
        .map_err(|_| wrong(format!("`{text}` can't be written as `{format}`")))?;
    Ok(written)
}

fn is_nothing(value: &Value) -> bool {
    value.is_undefined() || value.is_none() || value.as_str() == Some("")
}

fn wrong(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}
