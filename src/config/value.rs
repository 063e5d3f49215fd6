//! Values: one text or number of the config to one typed value, or the reason why not.
//!
//! Every reason names the value and what is wanted, so that it reads alone. **Refuses:** to guess a
//! unit, a scheme or a type.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use ipnet::IpNet;
use url::Url;

use super::raw::{Data, Node};
use super::schema::{nearest, one_of};
use crate::names::Label;

/// The longest duration taken: a hundred years, so that no sum of times can overflow.
const DURATION_MAX: Duration = Duration::from_secs(36_500 * 86_400);

/// How much of a value a message shows, in characters.
const SHOWN_MAX: usize = 60;

/// What a value is, for a message that wanted something else.
pub fn describe(node: &Node) -> String {
    match &node.data {
        Data::Text(text) => shown(text),
        Data::Integer(number) => format!("`{number}`"),
        Data::Float(number) => format!("`{number}`"),
        Data::Bool(value) => format!("`{value}`"),
        Data::Date => "a date".into(),
        Data::List(_) => "a list".into(),
        Data::Table(_) => "a table".into(),
    }
}

/// A value in backticks, on one line, cut to a readable length. What a URL may carry in secret (a
/// query, a password) is left out.
pub fn shown(text: &str) -> String {
    let mut text = text.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"");
    if let Some((scheme, rest)) = text.split_once("://") {
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let cut = if text.len() > scheme.len() + 3 + rest.len() { "…" } else { "" };
        text = format!("{scheme}://{host}{path}{cut}");
    }
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// A text that is not empty.
pub fn text(node: &Node) -> Result<&str, String> {
    match any_text(node)? {
        "" => Err("is empty".into()),
        text => Ok(text),
    }
}

/// A text, which may be empty.
pub fn any_text(node: &Node) -> Result<&str, String> {
    match &node.data {
        Data::Text(text) => Ok(text),
        _ => Err(format!("{} is not a text, want it in quotes", describe(node))),
    }
}

/// `true` or `false`.
pub fn switch(node: &Node) -> Result<bool, String> {
    match node.data {
        Data::Bool(value) => Ok(value),
        _ => Err(format!("{} is not a switch, want `true` or `false`", describe(node))),
    }
}

/// A whole number of at least `min`.
pub fn count(node: &Node, min: u32) -> Result<u32, String> {
    match node.data {
        Data::Integer(number) => u32::try_from(number).ok().filter(|number| *number >= min),
        _ => None,
    }
    .ok_or_else(|| format!("{} is no count, want a whole number from {min}", describe(node)))
}

/// One word of a fixed set.
pub fn word<T: Copy>(node: &Node, words: &[(&str, T)]) -> Result<T, String> {
    let names: Vec<_> = words.iter().map(|(name, _)| *name).collect();
    let text = text(node)
        .map_err(|_| format!("{} is no word, want {}", describe(node), one_of(&names)))?;
    words.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        match nearest(text, names.iter().copied()) {
            Some(near) => format!("{} is unknown, want `{near}`", shown(text)),
            None => format!("{} is unknown, want {}", shown(text), one_of(&names)),
        }
    })
}

/// A duration of at least `min`: `30s`, `5m`, `1h30m`, `7d`, `500ms`. `unit` is what a bare number
/// most likely meant, for the message alone.
pub fn duration(node: &Node, unit: &str, min: &str) -> Result<Duration, String> {
    let text = match &node.data {
        Data::Integer(number) if *number >= 0 => number.to_string(),
        Data::Text(text) => text.trim().to_owned(),
        _ => return Err(format!("{} is no duration, want for example `5{unit}`", describe(node))),
    };
    let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if bare {
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

/// A list of texts, each with its place in the list.
pub fn list(node: &Node) -> Result<&[Node], String> {
    match &node.data {
        Data::List(nodes) => Ok(nodes),
        Data::Text(text) => Err(format!("{0} is no list, want `[\"{text}\"]`", shown(text))),
        _ => Err(format!("{} is no list, want for example `[\"one\", \"two\"]`", describe(node))),
    }
}

/// The label in `text`.
pub fn label(text: &str) -> Result<Label, String> {
    Label::new(text).ok_or_else(|| {
        let want = "want 1 to 64 letters, digits, `-`, `_` or `.`, without spaces";
        format!("{} is no label, {want}", shown(text))
    })
}

/// A path; a relative one is relative to `folder`.
pub fn path(node: &Node, folder: &Path) -> Result<PathBuf, String> {
    let text = text(node)?;
    if text.starts_with('~') {
        return Err(format!("{} starts with `~`, want the folder in full", shown(text)));
    }
    if text.contains('\0') {
        return Err(format!("{} holds a NUL, which no path may", shown(text)));
    }
    Ok(folder.join(text))
}

/// The URL of a feed; `file:` ones may be relative to `folder`.
pub fn feed_url(node: &Node, folder: &Path) -> Result<Url, String> {
    let text = text(node)?.trim();
    if let Some(file) = text.strip_prefix("file:") {
        return file_url(text, file, folder);
    }
    let url = web_url(text, "https://example.com/feed.xml")?;
    if !url.username().is_empty() || url.password().is_some() {
        let why = "holds a user name or a password, which would show in the log";
        return Err(format!("{} {why}, want a URL without", shown(text)));
    }
    Ok(url)
}

fn file_url(text: &str, file: &str, folder: &Path) -> Result<Url, String> {
    let broken = || format!("{} is no file URL, want for example `file:feed.xml`", shown(text));
    let url = if file.starts_with('/') {
        Url::parse(text).map_err(|_| broken())?
    } else {
        let base = Url::from_directory_path(folder).map_err(|()| broken())?;
        base.join(&format!("./{file}")).map_err(|_| broken())?
    };
    let is_file = url.to_file_path().is_ok() && !url.path().ends_with('/');
    (is_file && url.host().is_none()).then_some(url).ok_or_else(broken)
}

/// An absolute http(s) URL with a host.
fn web_url(text: &str, example: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(url) if text.contains("://") => {
            let scheme = url.scheme();
            Err(format!("{} has the scheme `{scheme}`, want `https`", shown(text)))
        }
        // `example.com:8080/feed` parses with `example.com` as its scheme
        Ok(_) | Err(url::ParseError::RelativeUrlWithoutBase) => {
            let host = text.split(['/', ':']).next().unwrap_or_default();
            let want = match host.contains('.') && !text.starts_with(['.', '/']) {
                true => format!("https://{text}"),
                false => example.into(),
            };
            Err(format!("{} has no scheme, want for example {}", shown(text), shown(&want)))
        }
        Err(error) => {
            Err(format!("{} is no URL ({error}), want for example `{example}`", shown(text)))
        }
    }
}

/// An http(s) origin: a scheme, a host and perhaps a port.
pub fn origin(node: &Node) -> Result<Url, String> {
    let text = text(node)?.trim();
    let url = web_url(text, "https://mastodon.social")?;
    let origin = url.origin().ascii_serialization();
    let extra = match &url {
        url if !url.username().is_empty() || url.password().is_some() => "a user name",
        url if url.path() != "/" => "a path",
        url if url.query().is_some() => "a query",
        url if url.fragment().is_some() => "a fragment",
        _ => return Ok(url),
    };
    Err(format!("{} has {extra}, want only the origin `{origin}`", shown(text)))
}

/// A network, or a single address.
pub fn network(node: &Node) -> Result<IpNet, String> {
    let text = text(node)?.trim();
    let address = |_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address));
    text.parse().or_else(address).map_err(|_| {
        format!("{} is no network, want for example `192.168.1.0/24` or `fd00::/8`", shown(text))
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
        let count = fields.len();
        return Err(format!("{} has {count} field(s), {want}", shown(text)));
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
pub fn timezone(node: &Node) -> Result<Tz, String> {
    let text = text(node)?;
    text.parse().map_err(|_| {
        match nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())) {
            Some(near) => format!("{} is no time zone, want `{near}`", shown(text)),
            None => format!("{} is no time zone, want for example `Europe/Berlin`", shown(text)),
        }
    })
}

/// A BCP 47 language tag.
pub fn language(node: &Node) -> Result<String, String> {
    let text = text(node)?;
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let fits = (2..=8).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && plain(part));
    if fits {
        return Ok(text.into());
    }
    Err(format!("{} is no language tag, want for example `en` or `pt-BR`", shown(text)))
}

/// A filter of the log: a level, or a list of `target=level`.
pub fn log_filter(node: &Node) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let text = text(node)?.trim();
    // a bare word that is no level would be taken as the name of a module, and silence the rest
    let stray = text.split(',').map(str::trim).find(|part| {
        !part.contains(['=', '[', ']', '{', '}'])
            && !LEVELS.iter().any(|level| part.eq_ignore_ascii_case(level))
    });
    if let Some(stray) = stray {
        let want = match nearest(stray, LEVELS) {
            Some(near) => format!("`{near}`"),
            None => format!("{}, or for example `info,{stray}=debug`", one_of(&LEVELS)),
        };
        return Err(format!("{} is no level, want {want}", shown(stray)));
    }
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.into()),
        Err(_) => {
            Err(format!("{} is no filter, want for example `info,posse_party=debug`", shown(text)))
        }
    }
}

/// The owner's address or URL for the User-Agent header.
pub fn contact(node: &Node) -> Result<String, String> {
    let text = text(node)?.trim();
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '\\');
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(text.into());
    }
    let want = "want an address or a URL in plain ASCII, for example `me@example.com`";
    Err(format!("{} can't stand in a User-Agent, {want}", shown(text)))
}
