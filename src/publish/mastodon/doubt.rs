//! Doubt: what became of a request whose answer was lost.
//!
//! A look among the account's own posts, the quiet time of a request that may still be at work, the
//! same request again where the key makes that safe, and what was uploaded for it, in this order.
//! **Invariant:** an absence is believed only where nothing speaks against it.

use std::time::Duration;

use super::attempt::{Note, Request};
use super::identity::{self, Account};
use super::readback::{self, Lost};
use super::upload::{self, Progress};
use super::uploads::Uploads;
use super::{Mastodon, Unsent, Why, instance};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::publish::{Desk, Found};

/// How long after the first attempt the key is trusted: Mastodon keeps it for 3600 s (sheet A8),
/// and its clock is not ours.
const KEY_TRUSTED: Duration = Duration::from_secs(50 * 60);

impl Mastodon {
    /// Finds out what became of `request`.
    ///
    /// # Errors
    /// It can't be told now.
    pub(super) async fn settle(
        &self,
        note: &mut Note,
        request: &Request,
        desk: &Desk<'_>,
    ) -> Result<Found, Failure> {
        if request.origin != self.server.origin() {
            return Err(elsewhere(&request.origin, self.server.origin()));
        }
        let now = desk.clock.now();
        let account = identity::account(&self.server, now).await;
        self.recognise_sender(note, request, account.as_ref(), desk).await?;
        let seen = match account {
            Ok(account) => self.look(note, request, &account, desk).await,
            Err(failure) => Err(failure),
        };
        if let Ok(Found::Published(_)) = seen {
            return seen;
        }
        if let Some(over) = self.quiet_until(request, desk) {
            return Err(too_early(self.server.origin(), over));
        }
        // what is like it may be it, and what asks us to slow down is not asked more
        let is_open = !matches!(
            &seen,
            Err(Failure { class: Class::Duplicate | Class::RateLimited { .. }, .. })
        );
        if is_open && self.is_key_trusted(request, desk).await {
            return self.replay(note, seen, desk).await;
        }
        self.conclude(note, seen, desk).await
    }

    /// Makes sure that `request` was sent in the name of `account`, and notes its id.
    async fn recognise_sender(
        &self,
        note: &mut Note,
        request: &Request,
        account: Result<&Account, &Failure>,
        desk: &Desk<'_>,
    ) -> Result<(), Failure> {
        if request.sender == self.server.sender() {
            let unknown = note.request.as_mut().filter(|request| request.account.is_none());
            if let (Some(request), Ok(account)) = (unknown, account) {
                request.account = Some(account.id.clone());
                note.write(desk.journal).await?;
            }
            return Ok(());
        }
        match (&request.account, account) {
            (Some(sender), Ok(account)) if *sender == account.id => Ok(()),
            (Some(_), Err(failure)) => Err(failure.clone()),
            _ => Err(of_another_token(self.server.origin())),
        }
    }

    /// Looks for what was sent among the account's own posts.
    async fn look(
        &self,
        note: &Note,
        request: &Request,
        account: &Account,
        desk: &Desk<'_>,
    ) -> Result<Found, Failure> {
        let status = request.status()?;
        let measured = self.left.of(desk.crosspost).and_then(|left| left.first);
        let lost = Lost { status: &status, since: note.since, measured };
        readback::look(&self.server, account, &lost, desk).await
    }

    /// Until when the request may still be at work; none once that is over.
    fn quiet_until(&self, request: &Request, desk: &Desk<'_>) -> Option<Timestamp> {
        let now = desk.clock.now();
        let left = match self.left.of(desk.crosspost) {
            Some(left) => self.quiet.saturating_sub(left.last.elapsed()),
            None => request.last_at.plus(self.quiet).since(now),
        };
        (!left.is_zero()).then(|| now.plus(left))
    }

    /// Whether the server surely remembers the key, whichever clock is asked.
    async fn is_key_trusted(&self, request: &Request, desk: &Desk<'_>) -> bool {
        let now = desk.clock.now();
        let measured = self.left.of(desk.crosspost).and_then(|left| left.key);
        let measured = measured.map_or(Duration::ZERO, |key| key.elapsed());
        now >= request.first_at
            && now.since(request.first_at).max(measured) < KEY_TRUSTED
            && instance::remembered_family(&self.server, desk).await.honours_key()
    }

    /// Sends the very same request again, which the server answers with the post that it has.
    async fn replay(
        &self,
        note: &mut Note,
        seen: Result<Found, Failure>,
        desk: &Desk<'_>,
    ) -> Result<Found, Failure> {
        let Some(request) = note.request.as_mut() else { return Ok(Found::Absent) };
        request.last_at = desk.clock.now();
        let request = request.clone();
        note.write(desk.journal).await?;
        self.left.repeated(desk.crosspost);
        match self.send(&request, desk).await {
            Ok(receipt) => Ok(Found::Published(receipt)),
            // the key is known, its post is not: the owner deleted it, and wants no second one
            Err(Unsent { failure, why: Why::NotFound }) if failure.class == Class::Content => {
                Err(deleted_since(self.server.origin()))
            }
            // refused as a new post: the key is not known, so what was seen counts
            Err(Unsent { failure, why })
                if matches!(failure.class, Class::Content | Class::Duplicate)
                    || why == Why::Unfinished =>
            {
                self.conclude(note, seen, desk).await
            }
            Err(Unsent { failure, .. }) => Err(failure),
        }
    }

    /// Takes what was seen for the truth; an absence opens the next epoch.
    async fn conclude(
        &self,
        note: &mut Note,
        seen: Result<Found, Failure>,
        desk: &Desk<'_>,
    ) -> Result<Found, Failure> {
        if let Ok(Found::Absent) = seen {
            self.ask_for_media(note, desk).await?;
            note.close(desk.journal).await?;
        }
        seen
    }

    /// Asks for what was uploaded for the request in `note`, which a list without the post does not
    /// explain when it is gone: on Mastodon that is how an upload looks which a post shows.
    ///
    /// # Errors
    /// It is gone, and was not old enough to be thrown away; or that can't be told now.
    async fn ask_for_media(&self, note: &Note, desk: &Desk<'_>) -> Result<(), Failure> {
        let Some(request) = &note.request else { return Ok(()) };
        let mut uploads = Uploads::read(desk.journal).await?;
        let family = instance::remembered_family(&self.server, desk).await;
        let now = desk.clock.now();
        let ids = request.status()?.media_ids;
        for id in &ids {
            let Some(upload) = uploads.with_id(id) else { continue };
            let is_telling = family.hides_attached_media() || upload.seen;
            if !is_telling || upload.is_old(now) || upload.sender != self.server.sender() {
                continue;
            }
            match upload::progress(&self.server, id, now).await {
                Progress::Gone => return Err(shown_by_a_post(self.server.origin())),
                Progress::Unknown(failure) => return Err(failure),
                Progress::Ready | Progress::Processing if family.hides_attached_media() => {
                    // no post has it: it can be used for the next one
                    for upload in &mut uploads.all {
                        upload.sent &= !upload.id.as_ref().is_some_and(|id| ids.contains(id));
                    }
                    return Ok(uploads.write(desk.journal).await?);
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Gives up the times in a note where the clock was set back since: none is later than now,
    /// but how much earlier they were only this process may know.
    pub(super) async fn mend_times(&self, note: &mut Note, desk: &Desk<'_>) -> Result<(), Failure> {
        let now = desk.clock.now();
        if !note.is_ahead_of(now) {
            return Ok(());
        }
        let left = self.left.of(desk.crosspost);
        note.since = left.and_then(|left| left.first).map(|first| now.minus(first.elapsed()));
        if let Some(request) = note.request.as_mut() {
            request.first_at = Timestamp::from_millis(0);
            request.last_at = left.map_or(now, |left| now.minus(left.last.elapsed()));
        }
        Ok(note.write(desk.journal).await?)
    }
}

fn too_early(origin: &str, until: Timestamp) -> Failure {
    Failure {
        class: Class::Retry { not_before: Some(until) },
        message: format!(
            "asking `{origin}` for the post: not there yet, and the request without answer may \
             still be at work"
        ),
    }
}

fn elsewhere(sent_to: &str, origin: &str) -> Failure {
    let sent_to = if sent_to.is_empty() { "another server" } else { sent_to };
    Failure::ambiguous(format!(
        "asking for the post: it was sent to `{sent_to}`, and the account is at `{origin}` now; \
         look there"
    ))
}

fn of_another_token(origin: &str) -> Failure {
    Failure::ambiguous(format!(
        "asking `{origin}` for the post: it was sent with another token, perhaps by another \
         account; look there"
    ))
}

fn deleted_since(origin: &str) -> Failure {
    Failure {
        class: Class::Duplicate,
        message: format!(
            "asking `{origin}` for the post: it was published, and was deleted there since"
        ),
    }
}

fn shown_by_a_post(origin: &str) -> Failure {
    Failure {
        class: Class::Duplicate,
        message: format!(
            "asking `{origin}` for the post: it is not among the account's own, but what was \
             uploaded for it is taken: a post may show it; look there"
        ),
    }
}
