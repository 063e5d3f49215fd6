//! Read: what the pages of entries say of themselves, and their media, each asked once, as the
//! daemon asks them. Media lie in a folder of their own for as long as the command runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::medium::Medium;
use super::post::{Drafting, Post};
use super::target::Target;
use crate::cli::CliError;
use crate::compose;
use crate::compose::page::Page;
use crate::config::Config;
use crate::deliver::card;
use crate::deliver::fetch::{Fetched, Purpose};
use crate::deliver::host::Host;
use crate::deliver::sources::Sources;
use crate::draft::{Channel, Media};
use crate::http;
use crate::http::guard::Guard;
use crate::media;
use crate::names::CrosspostId;
use crate::shelf::{Hold, Shelf};

/// The longest that somebody looks at nothing while the media of one post are fetched.
const MEDIA_TIME: Duration = Duration::from_secs(60);

/// A picture with more bytes is made smaller for a page, which shows it small anyway: eight posts
/// with four photos each are one file.
const SHOWN_BYTES_MAX: usize = 1_000_000;

/// A page, or why there is none.
pub type Answer = Result<Page, String>;

/// Reads pages and media, where that is wanted.
pub struct Reader {
    sources: Option<Sources>,
    hold: Option<Hold>,
    host: Option<Host>,
    folder: PathBuf,
    read: BTreeMap<String, Answer>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        // what can't be taken away is in a folder that the system tidies
        let _ = std::fs::remove_dir_all(&self.folder);
    }
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
        let name = format!("posse-party-preview-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let sources =
            guard.map(|guard| Sources::new(guard, Shelf::of(folder.clone())).with_time(MEDIA_TIME));
        let host = config.media_host.as_ref().map(|host| Host::new(host).planned());
        let hold = sources.as_ref().map(|sources| sources.shelf().hold());
        Ok(Self { sources, hold, host, folder, read: BTreeMap::new() })
    }

    /// Says for whom it reads: what serves one of them serves all.
    pub fn serve(&self, targets: &[Target]) {
        let Some(sources) = &self.sources else { return };
        let names = targets.iter().map(|it| match &it.account {
            Some((label, _)) => label.as_str(),
            None => it.platform.tag(),
        });
        sources.serve(names.zip(targets.iter().map(|it| it.media_limits)));
    }

    /// What the page at `url` says of itself; `None` where it is not to be read.
    pub async fn page(&mut self, url: &str) -> Option<&Answer> {
        let sources = self.sources.as_ref()?;
        if !self.read.contains_key(url) {
            self.read.insert(url.to_owned(), sources.page(url).await);
        }
        self.read.get(url)
    }

    /// Where the card of `post` leads in the end, where the platform wants to know that.
    pub async fn direct(&self, post: &mut Post) {
        let (Some(sources), Some(card)) = (&self.sources, &mut post.card) else { return };
        let found = card::direct(sources.guard(), &card.url, &post.text, post.platform).await;
        if let Some((url, note)) = found {
            card.url = url;
            post.warnings.push(note);
        }
    }

    /// The media that a post gets; `None` where they are not to be fetched. Nothing is put where the
    /// owner's web server serves it, but what would be is shown.
    pub async fn media(&self, drafting: &Drafting<'_>) -> Option<Fetched> {
        let sources = self.sources.as_ref()?;
        let (wanted, channel) = drafting.with(None, None, |subject| {
            (compose::media::wanted(subject), subject.settings.channel)
        });
        let limits = &drafting.target.media_limits;
        let host = self.host.as_ref().map(|host| (host, CrosspostId(0)));
        let is_story = channel == Channel::Story;
        let purpose = Purpose { limits, is_story, host, hold: self.hold.as_ref()? };
        Some(sources.fetch_all(&wanted, &purpose).await)
    }

    /// A medium as an address that holds a whole picture: the very file where that is a small image,
    /// a smaller one of a large image, the poster of a video; none where there is none.
    pub async fn picture(&self, medium: &Medium) -> Option<String> {
        let Medium { source: Media { url, poster_url, .. }, file, .. } = medium;
        let Some(file) = file else {
            // noted as it is, and worth a look all the same
            return self.poster(poster_url.as_deref().unwrap_or(url)).await;
        };
        if !file.media_type.starts_with("image/") {
            return self.poster(poster_url.as_deref()?).await;
        }
        if file.bytes.is_some_and(|bytes| bytes > SHOWN_BYTES_MAX as u64) {
            return self.smaller(&file.file).await;
        }
        let bytes = self.sources.as_ref()?.shelf().read(&file.file).ok()?;
        Some(address(&file.media_type, &bytes))
    }

    /// The picture at `url`, small, as an address that holds all of it.
    pub async fn poster(&self, url: &str) -> Option<String> {
        let sources = self.sources.as_ref()?;
        let shelved = sources.picture(url, SHOWN_BYTES_MAX, self.hold.as_ref()?).await.ok()?;
        let bytes = sources.shelf().read(&shelved.file).ok()?;
        Some(address(&shelved.media_type, &bytes))
    }

    async fn smaller(&self, file: &str) -> Option<String> {
        let sources = self.sources.as_ref()?;
        let (shelf, turn, file) = (sources.shelf().clone(), sources.turn().await, file.to_owned());
        let work = move || {
            let _turn = turn;
            let fitted = media::thumb(&shelf.read(&file).ok()?, SHOWN_BYTES_MAX).ok()?;
            Some(address(fitted.media_type, &fitted.bytes))
        };
        tokio::task::spawn_blocking(work).await.ok().flatten()
    }
}

fn address(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", BASE64.encode(bytes))
}
