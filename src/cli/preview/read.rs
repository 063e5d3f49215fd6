//! Read: what the pages of entries say of themselves, each asked once, as the daemon asks them.

use std::collections::BTreeMap;

use anyhow::Context;

use crate::cli::CliError;
use crate::compose::page::Page;
use crate::config::Config;
use crate::deliver::card;
use crate::http;
use crate::http::guard::Guard;

/// A page, or why there is none.
pub type Answer = Result<Page, String>;

/// Reads pages, where that is wanted.
pub struct Reader {
    guard: Option<Guard>,
    read: BTreeMap<String, Answer>,
}

impl Reader {
    /// One that reaches what the daemon reaches; nothing where it is `offline`.
    ///
    /// # Errors
    /// HTTP can't be prepared.
    pub fn new(config: &Config, offline: bool) -> Result<Self, CliError> {
        let user_agent = http::user_agent(config.http.user_agent.as_deref());
        let guard = || Guard::new(&user_agent, &config.http.allow_private);
        let guard = (!offline).then(guard).transpose().context("failed to prepare HTTP")?;
        Ok(Self { guard, read: BTreeMap::new() })
    }

    /// What the page at `url` says of itself; `None` where it is not to be read.
    pub async fn page(&mut self, url: &str) -> Option<&Answer> {
        let guard = self.guard.as_ref()?;
        if !self.read.contains_key(url) {
            self.read.insert(url.to_owned(), card::read_page(guard, url).await);
        }
        self.read.get(url)
    }
}
