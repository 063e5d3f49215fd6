//! `login`: a token for an account on Threads, Instagram or Facebook, without a public host.
//!
//! Either the token of Meta's dashboard is pasted, or the owner consents in any browser and pastes
//! the address at which that ends. **Invariant:** what is kept was checked before; nothing secret
//! is an argument, is shown, or is logged. **Refuses:** to take a token for an account that the
//! daemon does not know: it would be forgotten at the next start.

use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::desk::{Desk, list, wait};
use super::say::{clean, from_now};
use super::{Answer, CliError};
use crate::clock::{Clock, Timestamp};
use crate::config::{AccountConfig, Config, Credentials, nearest};
use crate::crosspost::{Class, Failure};
use crate::http;
use crate::names::Label;
use crate::platform::Platform;
use crate::publish::meta::login::{self, Entry, Step};
use crate::publish::meta::token::{App, consent_url};
use crate::publish::meta::{Graph, scopes};
use crate::publish::{self, Scratch};
use crate::store::accounts::Account;

mod ask; // questions and answers
mod keep; // into the account's memory
mod page; // which Facebook Page

use ask::Ask;

/// Get a token for an account on Threads, Instagram or Facebook, and keep it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  posse-party login threads                  asks for the token of the dashboard
  posse-party login threads < token.txt      takes it from a file
  posse-party login instagram photos --oauth signs in with a browser, on any machine

Nothing secret is an argument, and nothing of it is shown. A token that was got so is renewed by the
daemon, and wins over the one in the config until that changes.")]
pub struct Arguments {
    /// What the account is on
    platform: Door,
    /// Label of the account; left out: the only one on that platform
    account: Option<String>,
    /// Sign in with a browser instead of pasting a token
    #[arg(long)]
    oauth: bool,
    /// Where the browser ends, as it stands in the settings of the app; nothing has to answer there
    #[arg(long, value_name = "URL", default_value = "https://localhost/")]
    redirect_uri: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Door {
    Threads,
    Instagram,
    Facebook,
}

#[derive(Serialize)]
struct Report {
    account: Label,
    platform: &'static str,
    name: String,
    id: String,
    expires_at: Option<String>,
    daemon: &'static str,
}

impl Door {
    fn platform(self) -> Platform {
        match self {
            Self::Threads => Platform::Threads,
            Self::Instagram => Platform::Instagram,
            Self::Facebook => Platform::Facebook,
        }
    }
}

/// Gets a token and keeps it.
///
/// # Errors
/// It is unclear which account is meant, the platform does not take what was given, or the
/// database can't be used. Nothing is changed then.
pub fn login(path: &Path, arguments: &Arguments) -> Result<Answer, CliError> {
    let desk = Desk::open(path)?;
    let platform = arguments.platform.platform();
    wait(async {
        let (label, config) = meant(&desk.config, platform, arguments.account.as_deref())?;
        let account = known(&desk, label, platform).await?;
        let user_agent = http::user_agent(desk.config.http.user_agent.as_deref());
        let client = http::publishing(&user_agent, &desk.config.delivery)
            .context("failed to prepare HTTP")?;
        let Some((graph, app)) = publish::meta_door(config, &client) else {
            return Err(CliError::refused(
                format!("`{label}` has no door that `login` knows"),
                "`posse-party check` says what is wrong with it",
            ));
        };
        let number = match &config.credentials {
            Some(Credentials::Facebook { page_id, .. }) => Some(("page_id", page_id.as_str())),
            Some(Credentials::Instagram { user_id: Some(id), .. }) => {
                Some(("user_id", id.as_str()))
            }
            _ => None,
        };
        let mut visit = Visit { graph, app, ask: Ask::new(), label, number };
        let step = visit.enter(arguments).await?;
        let entry = visit.choose(step).await?;
        keep::keep(&desk, &account, &entry, platform == Platform::Facebook).await?;
        Ok(told(&desk, label, platform, &entry, arguments.json))
    })
}

/// The account that is meant.
fn meant<'c>(
    config: &'c Config,
    platform: Platform,
    typed: Option<&str>,
) -> Result<(&'c Label, &'c AccountConfig), CliError> {
    let tag = platform.tag();
    let all = || config.accounts.iter().filter(|(_, account)| account.platform == platform);
    let labels: Vec<&Label> = all().map(|(label, _)| label).collect();
    let put = |label: &str| {
        format!(
            "put `[accounts.{label}]` with `platform = \"{tag}\"` into the config, have the daemon \
             load it (`systemctl reload posse-party`), and run this again"
        )
    };
    let Some(typed) = typed else {
        return match (labels.len(), all().next()) {
            (1, Some(only)) => Ok(only),
            (0, _) => Err(CliError::refused(format!("the config has no {tag} account"), put(tag))),
            _ => Err(CliError::refused(
                format!("the config has several {tag} accounts: {}", list(&labels)),
                format!("say which one: `posse-party login {tag} {}`", labels[0]),
            )),
        };
    };
    match config.accounts.iter().find(|(label, _)| label.as_str() == typed) {
        Some((label, account)) if account.platform == platform => Ok((label, account)),
        Some((label, account)) => Err(CliError::refused(
            format!("`{label}` is an account of {}, and not of {tag}", account.platform.tag()),
            match labels.as_slice() {
                [] => put("LABEL"),
                labels => format!("the {tag} accounts are {}", list(labels)),
            },
        )),
        None => Err(CliError::refused(
            format!("there is no account `{}` in the config", clean(typed)),
            match nearest(typed, labels.iter().map(|label| label.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => put(if Label::new(typed).is_some() { typed } else { "LABEL" }),
            },
        )),
    }
}

/// The account as the database has it: a token for another one would be forgotten.
async fn known(desk: &Desk, label: &Label, platform: Platform) -> Result<Account, CliError> {
    let account = desk.account(label.as_str()).await?;
    if account.platform == platform.tag() {
        return Ok(account);
    }
    let message = format!(
        "for the daemon, `{label}` is an account of {} still: the config has changed",
        account.platform
    );
    Err(CliError::refused(message, desk.take_over()))
}

/// One visit at the door of a platform.
struct Visit<'a> {
    graph: Graph,
    app: Option<App>,
    ask: Ask,
    label: &'a Label,
    /// The number of the Page, or of the account, where the config names one: its key, and it.
    number: Option<(&'static str, &'a str)>,
}

impl Visit<'_> {
    async fn enter(&mut self, arguments: &Arguments) -> Result<Step, CliError> {
        if arguments.oauth {
            return self.consent(&arguments.redirect_uri).await;
        }
        let tag = self.graph.platform().tag();
        let question = format!(
            "the {tag} token for `{}` (nothing is shown; empty: sign in with a browser)",
            self.label
        );
        let token = self.ask.secret(&question)?;
        if token.expose().is_empty() {
            if self.ask.is_person() {
                return self.consent(&arguments.redirect_uri).await;
            }
            let hint = "give the token as one line, or sign in with `--oauth`";
            return Err(CliError::refused("there is no token on standard input", hint));
        }
        if token.expose().contains(|c: char| c.is_whitespace() || c.is_control()) {
            let hint = "copy all of it, and nothing else";
            return Err(CliError::refused("what was given is no token: it has spaces", hint));
        }
        let (scratch, clock) = (Scratch::default(), Clock::System);
        let desk = desk_of(&scratch, &clock);
        login::pasted(&self.graph, &desk, &token, self.app.as_ref()).await.map_err(refused)
    }

    /// Has the owner consent in a browser, and takes the code with which that ends.
    async fn consent(&mut self, redirect_uri: &str) -> Result<Step, CliError> {
        let app = self.app()?;
        let state = state()?;
        let scopes = scopes(self.graph.platform());
        let url = consent_url(&self.graph, &app.id, redirect_uri, &state, scopes);
        self.ask.say(&format!(
            "open this address in a browser, on any machine, and consent:\n\n  {url}\n\nthe browser \
             then ends at an address that begins with {redirect_uri} and that nothing need answer at"
        ));
        let address = self.ask.secret("paste that address (nothing is shown)")?;
        let code = login::code_of(address.expose(), &state).map_err(|message| {
            CliError::refused(
                clean(&format!("nothing was kept: {message}")),
                "run the command again: a code is good for one try",
            )
        })?;
        crate::redact::register_renewed(&code);
        let (scratch, clock) = (Scratch::default(), Clock::System);
        let desk = desk_of(&scratch, &clock);
        login::signed_in(&self.graph, &desk, &app, redirect_uri, code.expose())
            .await
            .map_err(refused)
    }

    /// The app: of the config, else asked for.
    fn app(&mut self) -> Result<App, CliError> {
        if let Some(app) = &self.app {
            return Ok(app.clone());
        }
        let id = self.ask.word("the id of your app, as its dashboard shows it")?;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            let hint = "it is a number, on the dashboard's page of settings";
            return Err(CliError::refused("this is no id of an app", hint));
        }
        let secret = self.ask.secret("the secret of your app (nothing is shown)")?;
        let app = App { id, secret };
        self.app = Some(app.clone());
        Ok(app)
    }

    /// The token that came of it, after a choice of Pages where there is one.
    async fn choose(&mut self, step: Step) -> Result<Entry, CliError> {
        let pages = match step {
            Step::Done(entry) => {
                page::is_meant(self.label, self.number, &entry)?;
                return Ok(*entry);
            }
            Step::Choose(pages) => pages,
        };
        let page_id = self.number.map(|(_, page_id)| page_id);
        let page = page::choose(&mut self.ask, self.label, page_id, &pages)?;
        let (scratch, clock) = (Scratch::default(), Clock::System);
        let desk = desk_of(&scratch, &clock);
        login::chosen(&self.graph, &desk, page, self.app.as_ref()).await.map_err(refused)
    }
}

fn desk_of<'a>(scratch: &'a Scratch, clock: &'a Clock) -> publish::Desk<'a> {
    publish::Desk { crosspost: None, journal: scratch, memory: scratch, clock, shelf: None }
}

/// What makes an answer the answer to this very question.
fn state() -> Result<String, CliError> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).context("failed to get random bytes from the system")?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn refused(failure: Failure) -> CliError {
    let hint = match failure.class {
        Class::Account { hint, .. } => hint,
        Class::RateLimited { .. } => "try again later".into(),
        _ => "try again; with a browser sign in anew, as a code is good for one try".into(),
    };
    CliError::refused(format!("nothing was kept: {}", clean(&failure.message)), clean(&hint))
}

fn told(desk: &Desk, label: &Label, platform: Platform, entry: &Entry, json: bool) -> Answer {
    let expires_at = entry.life.expires_at;
    if json {
        return Answer::json(&Report {
            account: label.clone(),
            platform: platform.tag(),
            name: entry.name.clone(),
            id: entry.id.clone(),
            expires_at: expires_at.map(Timestamp::to_rfc3339),
            daemon: if desk.has_daemon() { "running" } else { "stopped" },
        });
    }
    let ends = match (expires_at, platform) {
        (Some(at), Platform::Facebook) => format!("it ends {}", from_now(at, desk.now)),
        (Some(at), _) => {
            format!("it ends {}, and the daemon renews it before", from_now(at, desk.now))
        }
        (None, Platform::Facebook) => "it has no end, and the daemon looks after it".into(),
        (None, _) => "the daemon renews it, and learns then when it ends".into(),
    };
    Answer::well(format!(
        "`{label}` is {} on {}: its token is kept; {ends}\n{}\n",
        clean(&entry.name),
        platform.tag(),
        desk.when()
    ))
}
