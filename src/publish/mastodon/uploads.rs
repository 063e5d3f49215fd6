//! Uploads: what one crosspost has uploaded, as its journal keeps it.
//!
//! An upload that no post shows is seen by nobody, and the server throws it away after a day (sheet
//! A5), so one whose answer was lost is simply made again. **Invariant:** an id is committed before
//! it stands in a request; that it stands in one is committed before that leaves.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::server::Server;
use crate::clock::Timestamp;
use crate::draft::Media;
use crate::publish::{Notebook, NotebookError};

/// Where they stand in the journal.
const PLACE: &str = "mastodon.media";
/// How long an upload is used: Mastodon keeps what no post shows for about a day (sheet A5), and
/// its clock is not ours.
const KEPT: Duration = Duration::from_secs(20 * 3600);

/// Everything that a crosspost has uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Uploads {
    /// One for each medium.
    pub all: Vec<Upload>,
    /// Whether the server knows only the address of before 2021, `/api/v1/media`.
    pub old_address: bool,
}

/// One medium, and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Upload {
    /// Its name on the shelf.
    pub file: String,
    /// Its alternative text.
    pub alt: String,
    /// Where it was uploaded to.
    pub origin: String,
    /// With whose token, as a fingerprint of that.
    pub sender: String,
    /// When it was uploaded, or refused.
    pub at: Option<Timestamp>,
    /// The server's id of it; absent where it has none, or lost it.
    pub id: Option<String>,
    /// Whether it can be posted.
    pub ready: bool,
    /// How often the server was asked whether it is ready.
    pub polls: u32,
    /// Whether the server ever answered that question with a medium.
    pub seen: bool,
    /// Whether a request that names it has left, and did not surely come to nothing.
    pub sent: bool,
    /// How often it could not be uploaded.
    pub tries: u32,
    /// Ids of it that the server has, or had, and that are not used any more.
    pub before: Vec<String>,
    /// Why the post goes without it.
    pub left_out: Option<String>,
}

impl Uploads {
    /// Reads them; empty ones where nothing was uploaded.
    ///
    /// # Errors
    /// The journal can't be read, or holds something else.
    pub async fn read(journal: &dyn Notebook) -> Result<Self, NotebookError> {
        match journal.read(PLACE).await? {
            None => Ok(Self::default()),
            Some(value) => serde_json::from_value(value)
                .map_err(|error| NotebookError(format!("reading the note `{PLACE}`: {error}"))),
        }
    }

    /// Commits them.
    ///
    /// # Errors
    /// The journal can't be written.
    pub async fn write(&self, journal: &dyn Notebook) -> Result<(), NotebookError> {
        let value: Value = serde_json::to_value(self).expect("a struct of plain values is JSON");
        journal.write(PLACE, value).await
    }

    /// The upload of `file` with `alt`, as far as it can be used on `server` now; a new one where
    /// there is none.
    pub fn of(&mut self, file: &str, media: &Media, server: &Server, now: Timestamp) -> usize {
        let alt = media.alt.clone().unwrap_or_default();
        let found = self.all.iter().position(|it| it.file == file && it.alt == alt);
        let at = found.unwrap_or_else(|| {
            self.all.push(Upload { file: file.to_owned(), alt, ..Upload::default() });
            self.all.len() - 1
        });
        let upload = &mut self.all[at];
        let is_here = upload.origin == server.origin() && upload.sender == server.sender();
        if !is_here || !upload.is_young(now) {
            upload.begin_anew();
            upload.tries = 0;
            upload.origin = server.origin().to_owned();
            upload.sender = server.sender().to_owned();
            upload.at = Some(now);
        }
        at
    }

    /// Forgets what the post was to go without.
    pub fn try_refused_again(&mut self) {
        for upload in self.all.iter_mut().filter(|upload| upload.left_out.is_some()) {
            upload.begin_anew();
            upload.tries = 0;
        }
    }

    /// The upload that has, or had, this id.
    pub fn with_id(&self, id: &str) -> Option<&Upload> {
        self.all.iter().find(|it| it.id.as_deref() == Some(id) || it.before.iter().any(|b| b == id))
    }
}

impl Upload {
    /// Whether the server surely keeps it still. A clock that was set back since tells nothing.
    pub fn is_young(&self, now: Timestamp) -> bool {
        self.at.is_some_and(|at| at <= now && now.since(at) < KEPT)
    }

    /// Whether the server may have thrown it away by itself.
    pub fn is_old(&self, now: Timestamp) -> bool {
        self.at.is_some_and(|at| at <= now) && !self.is_young(now)
    }

    /// Forgets the upload, but not that there was one.
    pub fn begin_anew(&mut self) {
        self.before.extend(self.id.take());
        (self.ready, self.seen, self.sent) = (false, false, false);
        (self.polls, self.left_out) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::config::Secret;

    fn server(base_url: &str, token: &str) -> Server {
        let delivery = crate::config::Delivery::default();
        let http = crate::http::publishing("test", &delivery).unwrap();
        Server::new(&Url::parse(base_url).unwrap(), Secret::new(token), http, delivery.timeout)
    }

    #[test]
    fn an_upload_is_used_for_the_same_medium_on_the_same_server_for_a_while() {
        let (home, start) = (server("https://a.example", "token"), Timestamp::from_secs(1000));
        let media = |alt: &str| Media { alt: Some(alt.into()), ..Media::default() };
        let check = |file: &str, alt: &str, server: &Server, hours: i64, again: bool| {
            let mut uploads = Uploads::default();
            let at = uploads.of("a.jpg", &media("alt"), &home, start);
            uploads.all[at].id = Some("1".into());
            let now = Timestamp::from_millis(start.as_millis() + hours * 3_600_000);
            let at = uploads.of(file, &media(alt), server, now);
            assert_eq!(uploads.all[at].id.is_some(), again, "{file} {alt} {hours}");
            assert!(uploads.with_id("1").is_some(), "it is known still");
        };
        check("a.jpg", "alt", &home, 0, true);
        check("a.jpg", "alt", &home, 19, true);
        check("a.jpg", "alt", &home, 20, false);
        check("a.jpg", "alt", &home, -1, false);
        check("a.jpg", "other", &home, 0, false);
        check("b.jpg", "alt", &home, 0, false);
        check("a.jpg", "alt", &server("https://b.example", "token"), 0, false);
        check("a.jpg", "alt", &server("https://a.example", "another"), 0, false);
    }

    #[test]
    fn only_time_that_passed_makes_an_upload_old() {
        let at = Some(Timestamp::from_secs(1_000_000));
        let upload = Upload { at, ..Upload::default() };
        let check = |seconds: i64, young: bool, old: bool| {
            let now = Timestamp::from_secs(1_000_000 + seconds);
            assert_eq!((upload.is_young(now), upload.is_old(now)), (young, old), "{seconds}");
        };
        check(0, true, false);
        check(20 * 3600 - 1, true, false);
        check(20 * 3600, false, true);
        check(-1, false, false);
    }
}
