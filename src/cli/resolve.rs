//! `resolve`: a doubt, settled by somebody who has looked.

use std::path::Path;

use clap::Args;
use url::Url;

use super::desk::{Desk, wait};
use super::{Answer, CliError, change, next};
use crate::crosspost::State;
use crate::names::CrosspostId;
use crate::store::people;

/// Settle a doubt: say that a post is there, or that it is not and shall go out again
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posse-party resolve 17 --published https://mastodon.example/@you/1234
  posse-party resolve 17 --retry

Look at the account first: `--retry` posts again.")]
pub struct Arguments {
    /// Number of the crosspost, as `list` shows it
    id: i64,
    #[command(flatten)]
    verdict: Verdict,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Verdict {
    /// It is public, at this address
    #[arg(long, value_name = "URL")]
    published: Option<Url>,
    /// It is not there: send it again
    #[arg(long)]
    retry: bool,
}

/// Settles a crosspost that is uncertain or held.
///
/// # Errors
/// It is neither.
pub fn resolve(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    wait(async {
        let (id, now) = (CrosspostId(arguments.id), desk.now);
        let url = arguments.verdict.published.as_ref().map(Url::to_string);
        let wanted = url.clone();
        let line = desk
            .store
            .write(move |tx| {
                let Some(line) = change::line(tx, id)? else {
                    return Ok(Err(change::unknown(id)));
                };
                if !matches!(line.state, State::Held | State::Uncertain) {
                    return Ok(Err(change::misfit(tx, &line, "resolve", now)?));
                }
                match &wanted {
                    Some(url) => people::resolve_published(tx, id, url, now)?,
                    None => people::resolve_retry(tx, id, now)?,
                };
                change::close(tx, &line, now)?;
                Ok(Ok(line))
            })
            .await??;
        let (title, account) = (next::title(&line), &line.account);
        Ok(Answer::well(match url {
            Some(url) => format!("\"{title}\" is published on {account}: {url}\n"),
            None => format!("sending \"{title}\" to {account} again\n{}\n", desk.when()),
        }))
    })
}
