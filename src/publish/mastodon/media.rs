//! Media: the pictures and the video of a draft onto the server, before the post that shows them.
//!
//! One medium after the other; what is there already is not sent again, what a server still works
//! on is waited for, and what it refuses stays behind with a note. **Invariant:** no medium is ever
//! the reason that a post fails; none is missing for a cause that passes. **Refuses:** to wait for
//! one medium for ever.

use std::time::Duration;

use serde_json::Value;

use super::upload::{Progress, Uploaded, progress, upload};
use super::uploads::Uploads;
use super::{Mastodon, identity};
use crate::crosspost::{Failure, MEDIA_AGAIN};
use crate::draft::{Draft, Media, Shelved};
use crate::publish::{Desk, NOTES, NotebookError, Outcome};

/// How often one file is uploaded in vain before the post goes without it, while the server answers
/// other questions: with the default backoff that is about two hours.
pub const TRIES_MAX: u32 = 10;
/// How often the server is asked whether one file is ready, before the post goes without it: about
/// an hour.
const POLLS_MAX: u32 = 70;
/// The first wait for a file that is processed, and what each further one is longer.
const WAIT_STEP: Duration = Duration::from_secs(3);
/// The longest of these waits.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What of a draft's media is on the server.
pub struct Gathered {
    /// All uploads of the crosspost.
    pub uploads: Uploads,
    /// Which of them are posted, in order.
    used: Vec<usize>,
}

/// One medium of a draft.
struct Piece<'a> {
    media: &'a Media,
    file: Option<&'a Shelved>,
    /// What it is called: `image 2 of 4`.
    name: String,
}

impl Gathered {
    /// The server's ids of what is posted, in order.
    pub fn ids(&self) -> Vec<String> {
        self.used.iter().filter_map(|at| self.uploads.all[*at].id.clone()).collect()
    }

    /// Notes that a request with these ids leaves, before it does. Tells whether one had left
    /// before that may have done something.
    ///
    /// # Errors
    /// The journal can't be written.
    pub async fn leaving(&mut self, desk: &Desk<'_>) -> Result<bool, NotebookError> {
        let before = self.used.iter().any(|at| self.uploads.all[*at].sent);
        if !before && !self.used.is_empty() {
            self.set_sent(true);
            self.uploads.write(desk.journal).await?;
        }
        Ok(before)
    }

    /// Notes whether a request with these ids may have done something.
    pub fn set_sent(&mut self, sent: bool) {
        for at in &self.used {
            self.uploads.all[*at].sent = sent;
        }
    }

    /// The server says that it is still at work on what was posted: how long to wait.
    pub fn unfinished(&mut self) -> Duration {
        let mut polls = 0;
        for at in &self.used {
            let upload = &mut self.uploads.all[*at];
            (upload.ready, upload.polls) = (false, upload.polls + 1);
            polls = polls.max(upload.polls);
        }
        wait_after(polls)
    }

    /// The server says that it has none of what was posted, or not any more: it is uploaded anew.
    pub fn gone(&mut self) {
        for at in &self.used {
            let upload = &mut self.uploads.all[*at];
            upload.begin_anew();
            upload.tries += 1;
        }
    }

    /// The server doesn't take these together: as many stay as it says, else the first, and not
    /// even that where it was alone.
    pub fn leave_out(&mut self, why: &str) {
        let most = why.split_once("more than ").and_then(|(_, rest)| rest.split(' ').next());
        let most = most.and_then(|most| most.parse().ok()).filter(|most| *most < self.used.len());
        let keep = most.unwrap_or(usize::from(self.used.len() > 1));
        for at in &self.used[keep..] {
            self.uploads.all[*at].left_out = Some(why.to_owned());
        }
    }
}

impl Mastodon {
    /// Brings the media of `draft` to the server.
    ///
    /// # Errors
    /// What the attempt comes to, where they are not all there and may be there later.
    pub(super) async fn gather(&self, draft: &Draft, desk: &Desk<'_>) -> Result<Gathered, Outcome> {
        let failed = |error: NotebookError| Outcome::Failed(error.into());
        let mut uploads = Uploads::read(desk.journal).await.map_err(failed)?;
        if desk.journal.read(MEDIA_AGAIN).await.map_err(failed)?.is_some() {
            uploads.try_refused_again();
            commit(&uploads, desk).await?;
            desk.journal.write(MEDIA_AGAIN, Value::Null).await.map_err(failed)?;
        }
        let mut gathered = Gathered { uploads, used: Vec::new() };
        let mut notes = Vec::new();
        for piece in pieces(&draft.media) {
            let Some(file) = piece.file else {
                notes.push(left_out(&piece, "its file could not be had"));
                continue;
            };
            let now = desk.clock.now();
            let at = gathered.uploads.of(&file.file, piece.media, &self.server, now);
            if gathered.used.contains(&at) {
                continue;
            }
            self.bring(&piece, file, &mut gathered.uploads, at, desk).await?;
            gathered.used.push(at);
        }
        let wait = self.poll(&mut gathered, desk).await?;
        if let Some((wait, why)) = wait {
            return Err(Outcome::Wait { wait, why });
        }
        let uploads = &gathered.uploads.all;
        for piece in pieces(&draft.media) {
            let Some(file) = piece.file else { continue };
            let alt = piece.media.alt.as_deref().unwrap_or_default();
            let upload = uploads.iter().find(|it| it.file == file.file && it.alt == alt);
            let why = upload.and_then(|upload| upload.left_out.as_deref());
            notes.extend(why.map(|why| left_out(&piece, why)));
        }
        gathered.used.retain(|at| uploads[*at].left_out.is_none());
        self.tell(&notes, draft, desk).await.map_err(failed)?;
        Ok(gathered)
    }

    /// Uploads one medium that is not there yet.
    async fn bring(
        &self,
        piece: &Piece<'_>,
        file: &Shelved,
        uploads: &mut Uploads,
        at: usize,
        desk: &Desk<'_>,
    ) -> Result<(), Outcome> {
        if uploads.all[at].id.is_some() || uploads.all[at].left_out.is_some() {
            return Ok(());
        }
        let alt = uploads.all[at].alt.clone();
        let uploaded = loop {
            let now = desk.clock.now();
            let old = uploads.old_address;
            match upload(&self.server, desk.shelf, (file, &alt), old, now).await {
                Uploaded::NoSuchAddress(_) if !old => uploads.old_address = true,
                // neither: it is being mended, perhaps
                Uploaded::NoSuchAddress(failure) => {
                    uploads.old_address = false;
                    break Uploaded::Later { failure, tries: 1 };
                }
                uploaded => break uploaded,
            }
        };
        let now = Some(desk.clock.now());
        let this = &mut uploads.all[at];
        match uploaded {
            Uploaded::Taken { id, ready } => {
                (this.id, this.ready, this.at, this.polls) = (Some(id), ready, now, 0);
            }
            Uploaded::Refused(why) => (this.left_out, this.at) = (Some(why), now),
            Uploaded::NoSuchAddress(failure) | Uploaded::Later { failure, tries: 0 } => {
                commit(uploads, desk).await?;
                return Err(Outcome::Failed(named(piece, failure)));
            }
            Uploaded::Later { failure, tries } => {
                this.tries += tries;
                let is_over = this.tries >= TRIES_MAX;
                if is_over && identity::account(&self.server, desk.clock.now()).await.is_ok() {
                    (this.left_out, this.at) = (Some(failure.message), now);
                } else {
                    commit(uploads, desk).await?;
                    return Err(Outcome::Failed(named(piece, failure)));
                }
            }
            Uploaded::Ended(failure) => {
                commit(uploads, desk).await?;
                return Err(Outcome::Failed(failure));
            }
        }
        commit(uploads, desk).await
    }

    /// Asks how far the server is with what it has but can't post yet; how long to wait for it, and
    /// why.
    async fn poll(
        &self,
        gathered: &mut Gathered,
        desk: &Desk<'_>,
    ) -> Result<Option<(Duration, String)>, Outcome> {
        let mut wait = None;
        for at in gathered.used.clone() {
            let this = &gathered.uploads.all[at];
            let Some(id) = this.id.clone().filter(|_| !this.ready && this.left_out.is_none())
            else {
                continue;
            };
            // what has just been uploaded is given a moment
            let said = match this.polls {
                0 => Progress::Processing,
                POLLS_MAX.. => Progress::Failed("the server did not finish processing it".into()),
                _ => progress(&self.server, &id, desk.clock.now()).await,
            };
            let this = &mut gathered.uploads.all[at];
            this.seen |= this.polls > 0 && matches!(said, Progress::Ready | Progress::Processing);
            this.polls += 1;
            let mut failed = None;
            match said {
                Progress::Ready | Progress::Untold => this.ready = true,
                Progress::Processing => wait = wait.max(Some(wait_after(this.polls))),
                Progress::Failed(why) => this.left_out = Some(why),
                Progress::Gone => {
                    this.begin_anew();
                    this.tries += 1;
                    if this.tries >= TRIES_MAX {
                        this.left_out = Some("the server loses it".to_owned());
                    } else {
                        let server = self.server.origin();
                        let message = format!("`{server}` has lost an upload: once more");
                        failed = Some(Failure::retry(message));
                    }
                }
                Progress::Unknown(failure) => failed = Some(failure),
            }
            commit(&gathered.uploads, desk).await?;
            if let Some(failure) = failed {
                return Err(Outcome::Failed(failure));
            }
        }
        let why = || format!("`{}` is processing what was uploaded", self.server.origin());
        Ok(wait.map(|wait| (wait, why())))
    }

    /// Says what the post goes without: in the journal, for `why`, and once in the log.
    async fn tell(
        &self,
        notes: &[String],
        draft: &Draft,
        desk: &Desk<'_>,
    ) -> Result<(), NotebookError> {
        if draft.media.is_empty() {
            return Ok(());
        }
        let told = desk.journal.read(NOTES).await?;
        let now = (!notes.is_empty()).then(|| Value::from(notes));
        if told == now {
            return Ok(());
        }
        for note in notes {
            tracing::warn!(crosspost = desk.crosspost.map(|id| id.0), "{note}");
        }
        desk.journal.write(NOTES, now.unwrap_or_default()).await
    }

    /// The longest time that the uploads of `draft` may take.
    pub(super) fn time_for(&self, draft: &Draft) -> Duration {
        let files = draft.media.iter().filter_map(|media| media.file.as_ref());
        files.map(|file| self.server.upload_time(file.bytes)).sum()
    }
}

fn pieces(media: &[Media]) -> impl Iterator<Item = Piece<'_>> {
    media.iter().enumerate().map(|(at, one)| {
        let kind = one.file.as_ref().map(|file| file.media_type.as_str());
        let kind = kind.or(one.media_type.as_deref()).unwrap_or("image");
        let kind = kind.split('/').next().unwrap_or(kind);
        let name = format!("{kind} {} of {}", at + 1, media.len());
        Piece { media: one, file: one.file.as_ref(), name }
    })
}

fn left_out(piece: &Piece<'_>, why: &str) -> String {
    format!("{} is left out: {why}", piece.name)
}

fn named(piece: &Piece<'_>, failure: Failure) -> Failure {
    Failure { message: format!("{}: {}", piece.name, failure.message), ..failure }
}

fn wait_after(polls: u32) -> Duration {
    (WAIT_STEP * polls).min(WAIT_MAX)
}

async fn commit(uploads: &Uploads, desk: &Desk<'_>) -> Result<(), Outcome> {
    uploads.write(desk.journal).await.map_err(|error| Outcome::Failed(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_after_about_an_hour() {
        assert_eq!(wait_after(1), Duration::from_secs(3));
        assert_eq!(wait_after(100), WAIT_MAX);
        let all: Duration = (1..=POLLS_MAX).map(wait_after).sum();
        assert!((3600..4800).contains(&all.as_secs()), "{all:?}");
    }
}
