//! Draft: from the entry as it is now to the draft of a first attempt, or to why there is none.

use tokio_util::sync::CancellationToken;

use super::decide::{self, Verdict};
use super::fetch::{self, Fetched, Purpose};
use super::{Worker, card, say};
use crate::compose::{self, ComposeError, Subject};
use crate::crosspost::Failure;
use crate::draft::{Channel, Draft};
use crate::names::Label;
use crate::platform::{Limits, MediaLimits};
use crate::publish::Outcome;
use crate::settings::Settings;
use crate::shelf::Hold;
use crate::store::crossposts::{Crosspost, Settlement};
use crate::store::{Result, entries};

/// Why a crosspost gets no draft.
pub enum Undrafted {
    /// It can't be composed: a content failure.
    Failed(String),
    /// It does not go there, on purpose.
    Unsuited(String),
    /// It is nothing without media, and those can't be had just now.
    NotYet(String),
    /// The worker is to stop: no attempt has begun, and the next start begins anew.
    Stopped,
}

impl Worker {
    /// Composes the draft from the entry, and what its page says, as they are now. Its files stay on
    /// the shelf for as long as `hold` lives.
    pub(super) async fn compose(
        &self,
        crosspost: &Crosspost,
        hold: Option<&Hold>,
        stop: &CancellationToken,
    ) -> Result<std::result::Result<Draft, Undrafted>> {
        let id = crosspost.entry;
        let Some(entry) = self.store.read(move |db| entries::body(db, id)).await? else {
            let why = "its text is not stored any more (see [retention])";
            return Ok(Err(Undrafted::Failed(why.into())));
        };
        let (mut limits, media_limits) = self.limits(crosspost).await;
        if let Some(refused) = &crosspost.shorter_than {
            limits = compose::count::below(refused, &limits);
        }
        let platform = self.config.platform;
        let layers = self.config.layers(&self.defaults, &self.label, &entry.control);
        let mut settings = Settings::layered(platform, layers);
        if crosspost.without_card {
            settings = settings.without_card();
        }
        let subject = Subject {
            entry: &entry.for_account(platform.tag(), self.label.as_str()),
            settings: &settings,
            platform,
            account: self.label.as_str(),
            limits: &limits,
            media_limits: &media_limits,
            people: &self.people,
            page: None,
            media: None,
        };
        let drafted = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Err(Undrafted::Stopped)),
            drafted = self.drafted(crosspost, &subject, hold) => drafted,
        };
        // page and media may have taken their time
        self.beat();
        Ok(drafted.map(|mut draft| {
            if crosspost.without_card {
                let note = "the platform refused the card: the URL is in the text";
                draft.notes.push(note.into());
            }
            if crosspost.shorter_than.is_some() {
                draft.notes.push("the platform refused the length: the text is shorter".into());
            }
            draft
        }))
    }

    /// A draft that was frozen before, with its files back on the shelf where that has given them up
    /// meanwhile, if they can be had.
    pub(super) async fn frozen(
        &self,
        crosspost: &Crosspost,
        draft: &Draft,
        hold: Option<&Hold>,
        stop: &CancellationToken,
    ) -> std::result::Result<Draft, Undrafted> {
        let Some((sources, hold)) = self.sources.as_deref().zip(hold) else {
            return Ok(draft.clone());
        };
        if let Some(thumb) = draft.card.as_ref().and_then(|card| card.thumb.as_ref()) {
            hold.has(&thumb.file);
        }
        if draft.media.iter().any(|medium| fetch::lacks(medium, hold)) {
            self.beat_for(sources.time_max());
            let (_, limits) = self.limits(crosspost).await;
            let is_story = draft.channel == Channel::Story;
            let purpose = Purpose { limits: &limits, is_story, host: None, hold };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Undrafted::Stopped),
                () = sources.bring_back(&draft.media, &purpose) => {}
            }
            self.beat();
        }
        Ok(draft.clone())
    }

    /// What a draft may hold.
    async fn limits(&self, crosspost: &Crosspost) -> (Limits, MediaLimits) {
        let Some(publisher) = &self.publisher else {
            return (self.config.platform.limits(), self.config.platform.media());
        };
        let (journal, memory) = self.notebooks(crosspost);
        let desk = self.desk(crosspost, &journal, &memory);
        (publisher.limits(&desk).await, publisher.media_limits(&desk).await)
    }

    /// The draft, with the media and the card that could be had.
    async fn drafted(
        &self,
        crosspost: &Crosspost,
        subject: &Subject<'_>,
        hold: Option<&Hold>,
    ) -> std::result::Result<Draft, Undrafted> {
        let mut fetched = Fetched::default();
        let sources = self.sources.as_deref().zip(hold);
        if let Some((sources, hold)) = sources {
            sources.serve_one(self.label.as_str(), subject.media_limits);
            let wanted = compose::media::wanted(subject);
            let is_story = subject.settings.channel == Channel::Story;
            let host = self.host.as_ref().map(|host| (host, crosspost.id));
            let purpose = Purpose { limits: subject.media_limits, is_story, host, hold };
            self.beat_for(sources.time_max());
            fetched = sources.fetch_all(&wanted, &purpose).await;
            card::say_notes(subject, &fetched.notes);
        }
        let media = sources.map(|_| fetched.media.as_slice());
        let subject = Subject { media, ..*subject };
        match card::drafted(sources, &subject).await {
            Ok(mut draft) => {
                draft.notes.extend(fetched.notes);
                Ok(draft)
            }
            Err(ComposeError::Unsuited(why)) => match fetched.passing {
                Some(passing) => Err(Undrafted::NotYet(format!("{why}: {passing}"))),
                None => Err(Undrafted::Unsuited(told(why, &fetched.notes))),
            },
            Err(error) if crosspost.shorter_than.is_some() => {
                let why = "the platform refused the length of the text, and it can't be shorter";
                Err(Undrafted::Failed(format!("{why}: {error}")))
            }
            Err(error) => Err(Undrafted::Failed(error.to_string())),
        }
    }

    /// Settles a crosspost that gets no draft.
    pub(super) async fn refuse(&self, crosspost: &Crosspost, why: Undrafted) -> Result<()> {
        let (settlement, reason, say): (_, _, fn(&Label, &Crosspost, &str)) = match why {
            Undrafted::Failed(reason) => (Settlement::Failed, reason, say::failed),
            Undrafted::Unsuited(reason) => (Settlement::Skipped, reason, say::skipped),
            Undrafted::NotYet(why) => return Box::pin(self.put_off(crosspost, why)).await,
            Undrafted::Stopped => return Ok(()),
        };
        if self.settle_unsent(crosspost, None, settlement, reason.clone()).await? {
            say(&self.label, crosspost, &reason);
        }
        Ok(())
    }

    /// Tries again later: the attempt counts, so that this does not go on for ever. Younger ones of
    /// the account don't wait for it.
    async fn put_off(&self, crosspost: &Crosspost, why: String) -> Result<()> {
        let now = self.clock.now();
        let tried = Crosspost {
            attempts: crosspost.attempts + 1,
            first_attempt_at: crosspost.first_attempt_at.or(Some(now)),
            ..crosspost.clone()
        };
        let outcome = Outcome::Failed(Failure::retry(why));
        let Verdict { settlement, reason, .. } =
            decide::after_attempt(outcome, &tried, &self.delivery, now);
        let reason = reason.unwrap_or_default();
        let Settlement::Ready { due_at, burns, .. } = settlement else {
            return self.refuse(crosspost, Undrafted::Failed(reason)).await;
        };
        let settlement = Settlement::Ready { due_at, burns, waiting: true };
        if self.settle_unsent(crosspost, None, settlement, reason.clone()).await? {
            say::put_off(&self.label, crosspost, due_at.since(now), &reason);
        }
        Ok(())
    }
}

/// Why an entry does not go out, and what was wrong with its media.
fn told(why: String, notes: &[String]) -> String {
    if notes.is_empty() { why } else { format!("{why}: {}", notes.join("; ")) }
}
