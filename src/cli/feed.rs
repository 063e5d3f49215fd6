//! `feed`: what the daemon sees in a feed. Nothing is stored.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::desk::{list, wait};
use super::say::{Grid, PLAIN, Width, clean, glance, moment, plural};
use super::{Answer, CliError, control, load_without_secrets};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Secret, nearest};
use crate::draft::Media;
use crate::entry::{Entry, Link, Markup, ParsedFeed, Person, Problem};
use crate::feed::fetch::{self, Answer as Came, Ask, BODY_BYTES_MAX, Body};
use crate::feed::parse::{self, Hint};
use crate::http;
use crate::redact;
use crate::text;

/// Show what the daemon sees in a feed: its format, entries and problems. Nothing is stored
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posse-party feed https://example.com/atom.xml
  posse-party feed ./public/feed.json --json
  curl -s https://example.com/rss | posse-party feed -")]
pub struct Arguments {
    /// A URL, a file, the label of a configured feed, or `-` for standard input
    source: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A feed, read.
#[derive(Serialize)]
struct Seen<'a> {
    source: &'a str,
    format: &'a str,
    title: Option<&'a str>,
    entries: Vec<SeenEntry<'a>>,
    problems: &'a [Problem],
}

#[derive(Serialize)]
struct SeenEntry<'a> {
    id: &'a str,
    url: Option<&'a str>,
    alternate_url: Option<&'a str>,
    related_url: Option<&'a str>,
    short_url: Option<&'a str>,
    title: Option<&'a str>,
    subtitle: Option<&'a str>,
    published: Option<String>,
    updated: Option<String>,
    authors: Vec<&'a str>,
    categories: &'a [String],
    language: Option<&'a str>,
    summary: Option<String>,
    content: Option<String>,
    links: &'a [Link],
    media: &'a [Media],
    /// What the entry says about its own syndication.
    control: Value,
}

/// Reads a feed once and shows it.
///
/// # Errors
/// It can't be had, or is no feed.
pub fn feed(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    // wanted for labels, and for the contact in the User-Agent; a feed can be seen without it
    let config = load_without_secrets(path).ok();
    let (shown, mut parsed) = if arguments.source == "-" {
        ("-".to_owned(), read_stdin()?)
    } else {
        let (url, shown) = locate(&arguments.source, path, config.as_ref())?;
        let contact = config.as_ref().and_then(|config| config.http.user_agent.as_deref());
        (shown, wait(fetch(&url, contact))?)
    };
    if let Some(config) = &config {
        parsed.problems.extend(control::strangers(&parsed, config));
    }
    if arguments.json {
        return Ok(Answer::json(&seen(&shown, &parsed)));
    }
    Ok(Answer::well(told(&shown, &parsed)))
}

/// What `source` means, and how it is shown.
fn locate(source: &str, path: &Path, config: Option<&Config>) -> Result<(Url, String), CliError> {
    // `file:a.xml` is relative to where one is, as `a.xml` would be
    let relative = source.strip_prefix("file:").filter(|rest| !rest.starts_with('/'));
    let url = Url::parse(source).ok().filter(|_| relative.is_none());
    if let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https" | "file")) {
        hide(&url);
        let open = url.username().is_empty() && url.password().is_none();
        let shown = if open { source.to_owned() } else { http::bare(&url).to_string() };
        return Ok((url, shown));
    }
    let feeds = config.map(|config| &config.feeds);
    let labelled = feeds.and_then(|feeds| feeds.iter().find(|(label, _)| label.as_str() == source));
    if let Some((_, feed)) = labelled {
        return Ok((feed.url.clone(), http::shown(&feed.url)));
    }
    let file = Path::new(relative.unwrap_or(source));
    if file.exists() {
        let file = std::path::absolute(file).context("failed to find the folder")?;
        let url = Url::from_file_path(&file).expect("an absolute path is a file URL");
        return Ok((url, source.to_owned()));
    }
    let hint = match feeds {
        None if path.exists() => "the config can't be loaded: run `posse-party check`".into(),
        None => {
            format!("for a label, name the config with --config (`{}` is absent)", path.display())
        }
        Some(feeds) => match nearest(source, feeds.keys().map(|label| label.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the feeds are {}", list(&feeds.keys().collect::<Vec<_>>())),
        },
    };
    let message = format!("`{source}` is no URL, no file, and no feed of the config");
    Err(CliError::refused(message, hint))
}

/// Keeps a password that was typed out of all that is printed, also where a server sends it back.
fn hide(url: &Url) {
    let Some(password) = url.password() else { return };
    let plain = percent_decode_str(password).decode_utf8_lossy().into_owned();
    let user = percent_decode_str(url.username()).decode_utf8_lossy().into_owned();
    let basic = STANDARD.encode(format!("{user}:{plain}"));
    redact::register_secrets(&[plain, basic].map(Secret::new));
}

fn read_stdin() -> Result<ParsedFeed, CliError> {
    let mut bytes = Vec::new();
    let most = BODY_BYTES_MAX as u64 + 1;
    let read = std::io::stdin().lock().take(most).read_to_end(&mut bytes);
    read.context("failed to read standard input")?;
    if bytes.len() > BODY_BYTES_MAX {
        return Err(anyhow::anyhow!("standard input is larger than {BODY_BYTES_MAX} bytes").into());
    }
    // no base: links that are relative stay unknown
    let url = Url::parse("stdin:").expect("a scheme and nothing else is a URL");
    read_feed("standard input", &bytes, &Hint { url: &url, content_type: None })
}

/// One unconditional GET, or one read of a file.
pub async fn fetch(url: &Url, contact: Option<&str>) -> Result<ParsedFeed, CliError> {
    let client = http::feeds(&http::user_agent(contact)).context("failed to prepare HTTP")?;
    let fetched = fetch::fetch(&client, &Ask::new(url), Clock::System.now()).await;
    let fetched = fetched.map_err(anyhow::Error::from)?;
    let Came::Body(Body { bytes, content_type, .. }) = fetched.answer else {
        return Err(anyhow::anyhow!("the server answers 304 to what was not conditional").into());
    };
    let hint = Hint { url: &fetched.url, content_type: content_type.as_deref() };
    read_feed(&http::shown(&fetched.url), &bytes, &hint)
}

fn read_feed(name: &str, bytes: &[u8], hint: &Hint<'_>) -> Result<ParsedFeed, CliError> {
    let parsed = parse::parse(bytes, hint);
    parsed.map_err(|error| anyhow::anyhow!("`{name}` is no usable feed: {error}").into())
}

fn seen<'a>(source: &'a str, feed: &'a ParsedFeed) -> Seen<'a> {
    Seen {
        source,
        format: &feed.format,
        title: feed.title.as_deref(),
        entries: feed.entries.iter().map(seen_entry).collect(),
        problems: &feed.problems,
    }
}

fn seen_entry(entry: &Entry) -> SeenEntry<'_> {
    let plain = |markup: &Option<Markup>| markup.as_ref().map(text::plain);
    SeenEntry {
        id: &entry.id,
        url: entry.url.as_deref(),
        alternate_url: entry.alternate_url.as_deref(),
        related_url: entry.related_url.as_deref(),
        short_url: entry.short_url.as_deref(),
        title: entry.title.as_deref(),
        subtitle: entry.subtitle.as_deref(),
        published: entry.published.map(Timestamp::to_rfc3339),
        updated: entry.updated.map(Timestamp::to_rfc3339),
        authors: entry.authors.iter().filter_map(author).collect(),
        categories: &entry.categories,
        language: entry.language.as_deref(),
        summary: plain(&entry.summary),
        content: plain(&entry.content),
        links: &entry.links,
        media: &entry.media,
        control: control::json(&entry.control),
    }
}

/// The name of a person, else the e-mail address, else the home page.
fn author(person: &Person) -> Option<&str> {
    let Person { name, email, url } = person;
    name.as_deref().or(email.as_deref()).or(url.as_deref())
}

fn told(source: &str, feed: &ParsedFeed) -> String {
    let title =
        feed.title.as_deref().map_or_else(|| source.to_owned(), |title| format!("\"{title}\""));
    let count = plural(feed.entries.len(), "entry", "entries");
    let mut text = format!("{}: {}, {count}\n", clean(&title), feed.format);
    if !feed.entries.is_empty() {
        let mut grid = Grid::new(&[
            ("PUBLISHED", Width::Whole),
            ("TITLE", Width::Short),
            ("URL", Width::Short),
        ]);
        for entry in &feed.entries {
            let title = entry.title.as_ref().unwrap_or(&entry.id);
            grid.row(
                PLAIN,
                vec![
                    entry.published.map_or_else(String::new, moment),
                    glance(title),
                    entry.url.clone().unwrap_or_default(),
                ],
            );
        }
        text.push_str(&grid.lines());
    }
    for entry in &feed.entries {
        if let Some(line) = control::line(&entry.control) {
            let title = entry.title.as_ref().unwrap_or(&entry.id);
            let _ = writeln!(text, "control of \"{}\": {}", clean(&glance(title)), clean(&line));
        }
    }
    for problem in &feed.problems {
        let entry = problem.entry.as_ref().map(|entry| format!("{entry}: ")).unwrap_or_default();
        let _ = writeln!(text, "problem: {}{}", clean(&entry), clean(&problem.message));
    }
    text.push_str("nothing was stored; --json shows all that is read of each entry\n");
    text
}
