//! Card: what a link card needs from the web, fetched before an attempt begins.
//!
//! The page of an entry says what its card shows, and where its picture is; both are asked once,
//! however many accounts send the card. **Invariant:** nothing here fails a post or puts it off:
//! without its page a card shows what the feed says, without its picture it has none, and a note
//! says why. Whatever is fetched goes through the guard, and is bounded in bytes and time.

use std::time::Duration;

use url::Url;

use super::sources::{Sources, Trouble, Want};
use crate::compose::page::{self, Page};
use crate::compose::{self, ComposeError, Subject};
use crate::draft::{Draft, Shelved};
use crate::http;
use crate::http::guard::{FetchError, GetLimits, Guard, Larger};
use crate::media;
use crate::platform::{Cards, Platform};
use crate::report;
use crate::shelf::Hold;

/// A page: what is meant for cards stands at its beginning.
const PAGE: GetLimits = GetLimits {
    bytes_max: 1 << 20,
    larger: Larger::Cut,
    timeout: Duration::from_secs(10),
    accept: "text/html, application/xhtml+xml;q=0.9, */*;q=0.1",
};

/// A page of which only its address is wanted.
const DOOR: GetLimits = GetLimits { bytes_max: 1 << 10, ..PAGE };

/// The longest that a card waits for its picture.
const PICTURE_TIME: Duration = Duration::from_secs(20);

impl Sources {
    /// The picture at `url`, fetched once for all accounts, fitted to `bytes_max` and put on the
    /// shelf, where `hold` keeps it.
    ///
    /// # Errors
    /// Why there is none, for people.
    pub async fn picture(
        &self,
        url: &str,
        bytes_max: usize,
        hold: &Hold,
    ) -> Result<Shelved, String> {
        let of_source = self.shelf().hold();
        let found = self.get(url, Want::default(), &of_source);
        let found = tokio::time::timeout(PICTURE_TIME, found).await;
        let too_slow = FetchError::TimedOut(PICTURE_TIME);
        let source = found.unwrap_or_else(|_elapsed| Err(too_slow.into()));
        let shown = Url::parse(url).map_or_else(|_| url.to_owned(), |url| http::shown(&url));
        let source = source.map_err(|trouble| format!("`{shown}`: {}", trouble.words))?;
        if !source.kind.is_image() {
            return Err(format!("`{shown}`: it is {}", source.kind));
        }
        let (shelf, hold, turn) = (self.shelf().clone(), hold.clone(), self.turn().await);
        let fit = move || {
            let _turn = turn;
            let bytes = shelf.read(&source.file);
            let bytes = bytes.map_err(|error| format!("`{shown}` can't be read: {error}"))?;
            let fitted =
                media::thumb(&bytes, bytes_max).map_err(|why| format!("`{shown}`: {why}"))?;
            let file = hold
                .put(&fitted.bytes, fitted.media_type)
                .map_err(|error| format!("it can't be kept: {error}"))?;
            Ok(Shelved {
                file,
                media_type: fitted.media_type.into(),
                bytes: fitted.bytes.len() as u64,
                width: fitted.width,
                height: fitted.height,
                duration_ms: None,
            })
        };
        let fitted = tokio::task::spawn_blocking(fit).await;
        fitted.unwrap_or_else(|_panicked| Err("the picture broke its decoder".into()))
    }

    /// What the page at `url` says of itself, read once for all accounts.
    ///
    /// # Errors
    /// Why it can't be read, for people.
    pub async fn page(&self, url: &str) -> Result<Page, String> {
        let page = self.pages.get(url, |_| true, read_page(self.guard(), url)).await;
        page.map_err(|trouble| trouble.words)
    }
}

async fn read_page(guard: &Guard, url: &str) -> Result<Page, Trouble> {
    let url = Url::parse(url).map_err(|error| Trouble::lasting(error.to_string()))?;
    let fetched = guard.get(&url, PAGE).await?;
    let kind = fetched.content_type.as_deref();
    if let Some(other) = kind.filter(|kind| !kind.to_ascii_lowercase().contains("html")) {
        return Err(Trouble::lasting(format!("it is `{other}`, no web page")));
    }
    let read = move || page::read(&fetched.body, fetched.content_type.as_deref(), &fetched.url);
    // on a thread of its own: a parser that panics on what a stranger sent must end this only
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|_panicked| Trouble::lasting("it broke its parser"))
}

/// Where the page of a card stands in the end, beside `text`, on a platform that reads nothing behind
/// a redirect, and a note of that; none where it stands at `card`. Whether the redirect is meant to
/// last is no matter: the platform follows neither. What can't be read, or would lose its
/// encryption, stays as it is.
pub async fn direct(
    guard: &Guard,
    card: &str,
    text: &str,
    platform: Platform,
) -> Option<(String, String)> {
    if !platform.rules().has_direct_cards {
        return None;
    }
    let asked = Url::parse(card).ok()?;
    let end = String::from(elsewhere(&asked, guard.get(&asked, DOOR).await.ok()?.url)?);
    let note = format!("the card leads to `{end}`, to which its address redirects");
    compose::card::has_room(text, &end, platform).then_some((end, note))
}

/// `end` with the fragment of `asked`, which led there, where that is another address.
fn elsewhere(asked: &Url, mut end: Url) -> Option<Url> {
    let is_plain = asked.scheme() == "https" && end.scheme() != "https";
    if end == http::bare(asked) || is_plain {
        return None;
    }
    end.set_fragment(asked.fragment());
    Some(end)
}

/// Composes the draft of `subject` with what its page says, and fetches the picture of its card,
/// which is held on the shelf. Without `sources` nothing is fetched.
///
/// # Errors
/// As [`compose::compose`]; nothing that is in the way of page or picture is one.
pub async fn drafted(
    sources: Option<(&Sources, &Hold)>,
    subject: &Subject<'_>,
) -> Result<Draft, ComposeError> {
    let mut notes = Vec::new();
    let mut page = None;
    if let (Some((sources, _)), Some(url)) = (sources, compose::page_wanted(subject)) {
        match sources.page(url).await {
            Ok(read) => page = Some(read),
            Err(why) => notes.push(format!(
                "the card says what the feed says, because the page can't be read: {why}"
            )),
        }
    }
    let mut draft = compose::compose(&Subject { page: page.as_ref(), ..*subject })?;
    if let (Some((sources, _)), Some(card)) = (sources, &mut draft.card)
        && let Some((url, note)) =
            direct(sources.guard(), &card.url, &draft.text, subject.platform).await
    {
        card.url = url;
        notes.push(note);
    }
    if let (Some((sources, hold)), Some(card)) = (sources, &mut draft.card)
        && let Cards::Sent { thumb_bytes_max } = subject.platform.rules().card
        && let Some(url) = &card.image_url
    {
        match sources.picture(url, thumb_bytes_max as usize, hold).await {
            Ok(thumb) => card.thumb = Some(thumb),
            Err(why) => notes.push(format!("the card has no picture: {why}")),
        }
    }
    say_notes(subject, &notes);
    draft.notes.extend(notes);
    Ok(draft)
}

/// Tells the log what was in the way.
pub fn say_notes(subject: &Subject<'_>, notes: &[String]) {
    let (account, title) = (subject.account, subject.entry.title.as_deref());
    let title = report::title(title.unwrap_or(&subject.entry.id));
    for note in notes {
        tracing::info!(account, "\"{title}\" on {account}: {note}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_leads_elsewhere_keeps_its_fragment_and_its_encryption() {
        let check = |asked: &str, end: &str, expect: Option<&str>| {
            let found = elsewhere(&asked.parse().unwrap(), end.parse().unwrap());
            assert_eq!(found.as_ref().map(Url::as_str), expect, "{asked} {end}");
        };
        check("https://a.io/1", "https://a.io/1", None);
        check("https://a.io/1#b", "https://a.io/1", None);
        check("https://a.io/1#b", "https://c.io/d?e", Some("https://c.io/d?e#b"));
        check("http://a.io/1", "https://a.io/1", Some("https://a.io/1"));
        check("https://a.io/1", "http://a.io/2", None);
    }
}
