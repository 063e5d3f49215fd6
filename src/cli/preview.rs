//! `preview`: what an entry becomes on each account, before anything is public.
//!
//! **Refuses:** to write anything but the page that was asked for, to sign in anywhere, and to ask
//! a platform: what it knows of a server is what the daemon has learnt.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::desk::{list, wait};
use super::say::plural;
use super::{Answer, CliError, load_without_secrets};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, nearest};
use crate::platform::Platform;
use crate::redact::redact;
use crate::store::Store;

mod find; // the entry, wherever it is known
mod read; // what its page says
mod target; // for whom it is composed
mod post; // what it becomes there
mod medium; // a picture or a video of it
mod outlook; // whether it would go out at all
mod tokens; // what is more than letters
mod said; // for a terminal
mod page; // for a browser

use find::Found;
use post::{Drafting, Post};
use read::Reader;
use target::Target;

/// Show what an entry becomes on each account: text, length, links, card. Nothing is sent or stored
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posse-party preview
  posse-party preview https://example.com/hello --account fediverse --explain
  posse-party preview --html preview.html
  posse-party preview --text draft.txt --platform mastodon,bluesky,x

An entry that the database does not know is looked for in the feeds themselves. The text of --text
is taken as it stands, but for a final newline, which is of the file and not of the post.

Exit code 1 when a post that is shown could not be sent: too long, or with a template that can't be
used. What is skipped is no error.")]
pub struct Arguments {
    /// The entry: its URL or that of a post, its own id, its number, or `latest`
    #[arg(default_value = "latest", conflicts_with = "text")]
    entry: String,
    /// Only for this account; may be given several times
    #[arg(long = "account", value_name = "ACCOUNT", value_delimiter = ',')]
    accounts: Vec<String>,
    /// For this platform without any account; may be given several times
    #[arg(long = "platform", value_name = "TAG", value_delimiter = ',', value_parser = platform)]
    platforms: Vec<Platform>,
    /// A text as it stands in place of an entry, from a file or `-` for standard input
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Also which layer of the settings says what
    #[arg(long)]
    explain: bool,
    /// Fetch neither the entry's page for its link card, nor its media
    #[arg(long)]
    offline: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// As a page for a browser, into a file or `-` for standard output
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    html: Option<PathBuf>,
}

fn platform(tag: &str) -> Result<Platform, String> {
    let tags = Platform::ALL.map(Platform::tag);
    Platform::from_tag(tag).ok_or_else(|| match nearest(tag, tags) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the platforms are {}", list(&tags)),
    })
}

/// All that is shown.
#[derive(Debug)]
pub struct Preview {
    /// What it is of.
    subject: Subject,
    /// Account by account.
    posts: Vec<Post>,
}

/// What a preview is of.
#[derive(Debug)]
enum Subject {
    /// A text as it stands.
    Text,
    /// An entry.
    Entry(Box<Found>),
}

/// Shows what an entry, or a text, becomes.
///
/// # Errors
/// The entry is unknown, or an account, or the text can't be read.
pub fn preview(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let now = Clock::System.now();
    let preview = match &arguments.text {
        Some(file) => {
            let text = read(file)?;
            let targets = if arguments.platforms.is_empty() || !arguments.accounts.is_empty() {
                let config = load_without_secrets(path)?;
                wait(targets(&config, known(&config)?.as_ref(), arguments))?
            } else {
                alone(arguments).collect()
            };
            let posts = targets.iter().map(|target| Post::of_text(&text, target)).collect();
            Preview { subject: Subject::Text, posts }
        }
        None => {
            let config = load_without_secrets(path)?;
            wait(of_entry(&config, arguments, now))?
        }
    };
    let mut answer = shown(&preview, arguments, now)?;
    answer.exit = u8::from(preview.posts.iter().any(Post::is_refused));
    Ok(answer)
}

async fn of_entry(
    config: &Config,
    arguments: &Arguments,
    now: Timestamp,
) -> Result<Preview, CliError> {
    let store = known(config)?;
    let targets = targets(config, store.as_ref(), arguments).await?;
    let found = find::find(config, store.as_ref(), &arguments.entry).await?;
    let mut reader = Reader::new(config, arguments.offline)?;
    reader.serve(&targets);
    let mut posts = Vec::new();
    for target in &targets {
        let draft = Drafting { config, entry: &found.entry, target };
        let media = reader.media(&draft).await;
        let page = match draft.page(media.as_ref()) {
            Some(url) => reader.page(&url).await,
            None => None,
        };
        let outlook = outlook::outlook(config, &found, target, now);
        let mut post = draft.post(page, media.as_ref(), outlook, arguments.explain);
        reader.direct(&mut post).await;
        if arguments.html.is_some() {
            for medium in &mut post.media {
                medium.picture = reader.picture(medium).await;
            }
            for card in post.card.iter_mut().chain(&mut post.crawled) {
                if let Some(url) = &card.image_url {
                    card.picture = reader.poster(url).await;
                }
            }
        }
        posts.push(post);
    }
    Ok(Preview { subject: Subject::Entry(Box::new(found)), posts })
}

/// The database, where there is one.
fn known(config: &Config) -> Result<Option<Store>, CliError> {
    if !config.database.exists() {
        return Ok(None);
    }
    Ok(Some(Store::open_to_look(&config.database)?))
}

/// The accounts and platforms that are asked for; all accounts where none is.
async fn targets(
    config: &Config,
    store: Option<&Store>,
    arguments: &Arguments,
) -> Result<Vec<Target>, CliError> {
    let all = arguments.accounts.is_empty() && arguments.platforms.is_empty();
    let mut targets = Vec::new();
    if all {
        for (label, account) in &config.accounts {
            targets.push(Target::of_account(label, account, store).await?);
        }
    }
    for typed in &arguments.accounts {
        let found = config.accounts.iter().find(|(label, _)| label.as_str() == typed);
        let Some((label, account)) = found else { return Err(unknown_account(config, typed)) };
        targets.push(Target::of_account(label, account, store).await?);
    }
    targets.extend(alone(arguments));
    if targets.is_empty() {
        return Err(CliError::refused(
            "there is no account in the config to preview for",
            "name a platform, which needs none: `--platform mastodon`",
        ));
    }
    Ok(targets)
}

/// The platforms that are asked for without an account, each once.
fn alone(arguments: &Arguments) -> impl Iterator<Item = Target> {
    let mut platforms = arguments.platforms.clone();
    let mut seen = BTreeSet::new();
    platforms.retain(|platform| seen.insert(*platform));
    platforms.into_iter().map(Target::of_platform)
}

fn unknown_account(config: &Config, typed: &str) -> CliError {
    let labels: Vec<_> = config.accounts.keys().collect();
    let hint = match nearest(typed, labels.iter().map(|label| label.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None if labels.is_empty() => "`[accounts.LABEL]` in the config makes one".into(),
        None => format!("the accounts are {}", list(&labels)),
    };
    CliError::refused(format!("there is no account `{typed}`"), hint)
}

/// The text of a file, without the newline that ends it.
fn read(file: &Path) -> Result<String, CliError> {
    /// Bytes: more than any platform takes.
    const TEXT_MAX: u64 = 1 << 20;
    let name = if file == Path::new("-") {
        "standard input".into()
    } else {
        format!("`{}`", file.display())
    };
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("failed to read {name}"))?)
    };
    let mut bytes = Vec::new();
    let read = source.take(TEXT_MAX + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("failed to read {name}"))?;
    if bytes.len() as u64 > TEXT_MAX {
        return Err(anyhow::anyhow!("{name} is larger than {TEXT_MAX} bytes, want a post").into());
    }
    let mut text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{name} is not UTF-8"))?;
    let end = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text).len());
    text.truncate(end.unwrap_or(text.len()));
    Ok(text)
}

/// The preview in the form that is asked for.
fn shown(preview: &Preview, arguments: &Arguments, now: Timestamp) -> Result<Answer, CliError> {
    if arguments.json {
        return Ok(Answer::json(&preview.posts));
    }
    let Some(file) = &arguments.html else { return Ok(Answer::well(said::said(preview, now))) };
    let page = page::page(preview, now);
    if file == Path::new("-") {
        return Ok(Answer::well(page));
    }
    std::fs::write(file, redact(&page).as_bytes())
        .with_context(|| format!("failed to write `{}`", file.display()))?;
    let count = plural(preview.posts.len(), "post", "posts");
    Ok(Answer::well(format!("wrote {count} to {}: open it in a browser\n", file.display())))
}
