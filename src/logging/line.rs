//! Line: one event to one line, the message first and then the fields.
//!
//! tracing's own formats put the target and the spans before the message and let newlines through;
//! a person who tails the log wants neither. **Invariant:** no control character of an event
//! reaches the reader.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::Clock;

/// How events look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For journald: `<6>message key=value`.
    Journal,
    /// Time, level, message, fields.
    Text,
    /// The same with colour.
    Colour,
    /// One JSON object, made by tracing-subscriber.
    Json,
}

/// Formats events and the fields of spans, in every form but JSON.
#[derive(Clone, Copy)]
pub(super) struct Line(pub(super) Form);

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, Line> for Line {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Line>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        match self.0 {
            Form::Journal => writer.write_str(priority(level))?,
            Form::Colour => {
                let (now, colour) = (Clock::System.now(), colour(level));
                write!(writer, "{DIM}{now}{RESET} {colour}{level:>5}{RESET} ")?;
            }
            Form::Text | Form::Json => write!(writer, "{} {level:>5} ", Clock::System.now())?,
        }
        let mut fields = Fields { writer: writer.by_ref(), form: self.0, result: Ok(()) };
        event.record(&mut fields);
        fields.result?;
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<Line>>() {
                writer.write_str(fields)?;
            }
        }
        writer.write_char('\n')
    }
}

impl<'w> FormatFields<'w> for Line {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = Fields { writer, form: self.0, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

/// Writes the message as it is and every other field as ` key=value`.
struct Fields<'w> {
    writer: Writer<'w>,
    form: Form,
    result: fmt::Result,
}

impl Fields<'_> {
    fn put(&mut self, field: &Field, text: &str) {
        let key = field.name();
        let value = Value(text);
        self.result = self.result.and_then(|()| match (key, self.form) {
            ("message", _) => write!(Plain(&mut self.writer), "{text}"),
            (_, Form::Colour) => write!(self.writer, " {DIM}{key}={RESET}{value}"),
            _ => write!(self.writer, " {key}={value}"),
        });
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, &format!("{value:?}"));
    }
}

/// A value, in quotes where one could not tell its end.
struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |c: char| !c.is_whitespace() && c != '"';
        if is_quoted(self.0) || (!self.0.is_empty() && self.0.chars().all(bare)) {
            return Plain(f).write_str(self.0);
        }
        f.write_char('"')?;
        Plain(&mut *f).write_str(&self.0.replace('\\', "\\\\").replace('"', "\\\""))?;
        f.write_char('"')
    }
}

/// Whether `text` is one string in quotes already, as `Debug` writes it.
fn is_quoted(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return false;
    };
    let mut escaped = false;
    for c in inner.chars() {
        if c == '"' && !escaped {
            return false;
        }
        escaped = c == '\\' && !escaped;
    }
    !escaped
}

/// Writes text with its control characters spelled out.
struct Plain<W>(W);

impl<W: Write> Write for Plain<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(breaks_a_line) {
            let (before, from) = rest.split_at(at);
            let mut chars = from.chars();
            let c = chars.next().expect("find has found one");
            self.0.write_str(before)?;
            write!(self.0, "{}", c.escape_default())?;
            rest = chars.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Control characters, the line and paragraph separators, and what reverses the reading direction.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The level as journald reads it: sd-daemon(3), syslog's numbers.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        _ => DIM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_quotes_where_its_end_would_not_show() {
        let check = |value: &str, expect: &str| assert_eq!(Value(value).to_string(), expect);
        check("https://a.example/?b=c", "https://a.example/?b=c");
        check("", r#""""#);
        check("two words", r#""two words""#);
        check(r#"say "no""#, r#""say \"no\"""#);
        check(r#""a" and "b""#, r#""\"a\" and \"b\"""#);
        check(r#""done by Debug \"already\"""#, r#""done by Debug \"already\"""#);
        check("a\nb", r#""a\nb""#);
    }
}
