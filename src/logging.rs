//! Logging: events to lines on stderr, in the form that suits whoever reads them.
//!
//! Under systemd a line is `<6>message key=value` (the journal adds the time), on a terminal it has
//! colour, elsewhere a time stamp; `json` writes one object a line. An event is always one line:
//! text from a feed can't forge a second one. Only `run` tells its story, commands just warn.
//! **Invariant:** every event passes `redact`, panics included.  **Refuses:** files, rotation and
//! syslog; that is the work of whatever reads stderr.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::panic::PanicHookInfo;

use thiserror::Error;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::config::{Log, LogFormat};
use crate::environment;

mod line;
mod writer;

use line::{Form, Line};
use writer::Redacting;

/// Libraries that talk too much below `warn`; the owner's own directives may still say otherwise.
const FLOOR: &str =
    "hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,html5ever=warn,tokio_cron_scheduler=warn";

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// `run`: at the level of the config.
    Daemon,
    /// Every other command: warnings and worse, because its output is the answer.
    Command,
}

/// A log filter that says nothing sensible.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{origin}: `{filter}` is no log filter: {why}")]
pub struct BadFilter {
    /// `POSSE_PARTY_LOG` or `log.level`.
    origin: &'static str,
    filter: String,
    why: String,
}

/// The log while it runs: changes its level.
#[derive(Clone, Debug)]
pub struct Handle {
    voice: Voice,
    filter: reload::Handle<Targets, Registry>,
}

/// Starts the log of this process, and takes panics into it.
///
/// The level is `POSSE_PARTY_LOG` where it is set, else `log.level` (commands: `warn`). To be
/// called once, after `register_secrets`.
/// # Errors  `BadFilter` when one of the two can't be read; nothing is logged then.
pub fn init(log: &Log, voice: Voice) -> Result<Handle, BadFilter> {
    let (filter, handle) = reload::Layer::new(wanted_filter(log, voice)?);
    let lines = layer(Form::of_stderr(log.format), Redacting(io::stderr));
    tracing_subscriber::registry().with(filter).with(lines).init();
    std::panic::set_hook(Box::new(log_panic));
    Ok(Handle { voice, filter: handle })
}

impl Handle {
    /// Takes over the level of a config that was loaded again. The format stays until a restart.
    /// # Errors  `BadFilter` when the level can't be read; the old one stays.
    pub fn set_level(&self, log: &Log) -> Result<(), BadFilter> {
        let filter = wanted_filter(log, self.voice)?;
        // the subscriber lives as long as the process, so the layer can't be gone
        let _ = self.filter.reload(filter);
        Ok(())
    }
}

fn wanted_filter(log: &Log, voice: Voice) -> Result<Targets, BadFilter> {
    match (environment::var("POSSE_PARTY_LOG"), voice) {
        (Some(wish), _) => parse_filter("POSSE_PARTY_LOG", &wish),
        (None, Voice::Daemon) => parse_filter("log.level", &log.level),
        (None, Voice::Command) => parse_filter("log.level", "warn"),
    }
}

/// Reads `filter`: levels and `target=level`, separated by commas.
///
/// tracing takes a bare word that is no level for a target, so that `inof` would silence the log
/// without a word; here it is refused.
fn parse_filter(origin: &'static str, filter: &str) -> Result<Targets, BadFilter> {
    let bad = |why: String| BadFilter { origin, filter: filter.into(), why };
    for directive in filter.split(',').map(str::trim) {
        let level = !directive.is_empty() && directive.parse::<LevelFilter>().is_ok();
        if !level && (!directive.contains('=') || directive.contains('[')) {
            let wanted = "want `error`, `warn`, `info`, `debug`, `trace`, `off` or `target=level`";
            return Err(bad(format!("`{directive}` is no level, {wanted}")));
        }
    }
    let filter: String = filter.split_whitespace().collect();
    format!("{FLOOR},{filter}").parse().map_err(|error: ParseError| bad(error.to_string()))
}

/// The layer that writes events in `form` to `writer`.
fn layer<S, W>(form: Form, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    match form {
        Form::Json => fmt::layer()
            .event_format(fmt::format().json().flatten_event(true).with_span_list(false))
            .fmt_fields(JsonFields::new())
            .with_writer(writer)
            .boxed(),
        form => {
            fmt::layer().fmt_fields(Line(form)).event_format(Line(form)).with_writer(writer).boxed()
        }
    }
}

impl Form {
    /// The form for what stderr is.
    fn of_stderr(format: LogFormat) -> Self {
        let stderr = io::stderr();
        let file = stderr.as_fd().try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
        let colour = stderr.is_terminal()
            && environment::var("NO_COLOR").is_none()
            && environment::var("TERM").is_some_and(|term| term != "dumb");
        let journal = environment::var("JOURNAL_STREAM").zip(file.ok()).is_some_and(
            |(stream, file)| stream == format!("{}:{}", file.dev(), file.ino()), // systemd.exec(5)
        );
        Self::choose(format, journal, colour)
    }

    fn choose(format: LogFormat, journal: bool, colour: bool) -> Self {
        match format {
            LogFormat::Json => Self::Json,
            LogFormat::Auto if journal => Self::Journal,
            LogFormat::Auto if colour => Self::Colour,
            LogFormat::Auto | LogFormat::Text => Self::Text,
        }
    }
}

/// Writes a panic as one event, with the backtrace when `RUST_BACKTRACE` asks for it.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let why = panic.payload_as_str().unwrap_or("no message");
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let trace = std::backtrace::Backtrace::capture();
    let captured = trace.status() == std::backtrace::BacktraceStatus::Captured;
    let backtrace = captured.then(|| tracing::field::display(trace));
    tracing::error!(place, thread, backtrace, "panic, which is a bug in posse-party: {why}");
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::config::Secret;
    use crate::redact::register_secrets;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `speak` leaves on stderr in `form`, at level `filter`.
    fn logged(form: Form, filter: &str, speak: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let sink = buffer.clone();
        let filter = parse_filter("log.level", filter).unwrap();
        let lines = layer(form, Redacting(move || sink.clone()));
        let subscriber = tracing_subscriber::registry().with(filter).with(lines);
        tracing::subscriber::with_default(subscriber, speak);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_journal_gets_priorities_and_neither_time_nor_colour() {
        let log = logged(Form::Journal, "trace", || {
            tracing::error!("one");
            tracing::warn!(account = "fedi", attempts = 2, "two");
            tracing::info!("three");
            tracing::debug!("four");
            tracing::trace!("five");
        });
        assert_eq!(log, "<3>one\n<4>two account=fedi attempts=2\n<6>three\n<7>four\n<7>five\n");
    }

    #[test]
    fn an_event_is_one_line_whatever_a_feed_says() {
        let title = "Hello\n<3>forged\r\x1b[31m\u{2028}\u{202e}x";
        let log = logged(Form::Journal, "info", || {
            tracing::info!(title, "published {title}");
        });
        let shown = r"Hello\n<3>forged\r\u{1b}[31m\u{2028}\u{202e}x";
        assert_eq!(log, format!("<6>published {shown} title=\"{shown}\"\n"));
    }

    #[test]
    fn text_has_time_and_level_and_values_that_can_be_told_apart() {
        let log = logged(Form::Text, "info", || {
            let span = tracing::info_span!("poll", feed = "blog");
            let _inside = span.enter();
            tracing::info!(url = "https://a.example/?b", why = "it \"is\" so", none = "", "done");
        });
        let (time, rest) = log.split_once(' ').unwrap();
        assert!(crate::clock::Timestamp::parse_rfc3339(time).is_some(), "{time}");
        let fields = r#"url=https://a.example/?b why="it \"is\" so" none="""#;
        assert_eq!(rest, format!(" INFO done {fields} feed=blog\n"));
    }

    #[test]
    fn json_is_one_object_a_line_with_the_fields_on_top() {
        let log = logged(Form::Json, "info", || {
            tracing::warn!(id = 7, "two\nlines");
        });
        assert_eq!(log.lines().count(), 1);
        let object: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(
            (&object["message"], &object["id"], &object["level"]),
            (&"two\nlines".into(), &7.into(), &"WARN".into())
        );
    }

    #[test]
    fn no_form_shows_a_secret() {
        let secret = "s3cr3t \"logging\"/token+=";
        register_secrets([&Secret::new(secret)]);
        for form in [Form::Journal, Form::Text, Form::Colour, Form::Json] {
            let log = logged(form, "info", || {
                tracing::info!(header = %format!("Bearer {secret}"), debug = ?secret, "{secret}");
                tracing::info!("GET /?token=s3cr3t%20%22logging%22%2Ftoken%2B%3D&x=1");
            });
            assert!(!log.contains("s3cr3t") && !log.contains("token+="), "{form:?}: {log}");
            assert!(log.contains("Bearer [redacted]") && log.contains("&x=1"), "{form:?}: {log}");
        }
    }

    #[test]
    fn a_panic_is_an_event() {
        let message = Secret::new("panic-holds-a-secret");
        register_secrets([&message]);
        let hook = std::panic::take_hook();
        let log = logged(Form::Journal, "info", || {
            std::panic::set_hook(Box::new(log_panic));
            let _ = std::panic::catch_unwind(|| panic!("oh: {}", message.expose()));
        });
        std::panic::set_hook(hook);
        assert!(
            log.starts_with("<3>panic, which is a bug in posse-party: oh: [redacted] place="),
            "{log}"
        );
        assert!(log.contains("logging.rs:"), "{log}");
    }

    #[test]
    fn chatty_libraries_are_quiet_unless_asked() {
        let speak = || {
            tracing::info!(target: "hyper", "connected");
            tracing::debug!("mine");
        };
        assert_eq!(logged(Form::Journal, "debug", speak), "<7>mine\n");
        assert_eq!(logged(Form::Journal, "info, hyper=info", speak), "<6>connected\n");
    }

    #[test]
    fn a_filter_that_would_silence_the_log_is_refused() {
        for good in ["info", "debug, hyper=info", "posse_party::poll=trace", "off"] {
            assert!(parse_filter("log.level", good).is_ok(), "{good}");
        }
        for bad in ["inof", "", "info,", "hyper=loud", "[poll]", "[poll]=info"] {
            assert!(parse_filter("log.level", bad).is_err(), "{bad} was taken");
        }
        let error = parse_filter("log.level", "inof").unwrap_err().to_string();
        assert!(error.starts_with("log.level: `inof` is no log filter: `inof` is no level, want"));
    }

    #[test]
    fn the_form_follows_the_reader() {
        let choose = Form::choose;
        assert_eq!(choose(LogFormat::Auto, true, false), Form::Journal);
        assert_eq!(choose(LogFormat::Auto, false, true), Form::Colour);
        assert_eq!(choose(LogFormat::Auto, false, false), Form::Text);
        assert_eq!(choose(LogFormat::Text, true, true), Form::Text);
        assert_eq!(choose(LogFormat::Json, true, true), Form::Json);
    }
}
