//! Draft: from the entry as it is now to the draft of a first attempt, or to why there is none.

use tokio_util::sync::CancellationToken;

use super::{Worker, card, say};
use crate::compose::{ComposeError, Subject};
use crate::draft::Draft;
use crate::names::Label;
use crate::settings::Settings;
use crate::store::crossposts::{Crosspost, Settlement};
use crate::store::{Result, entries};

/// Why a crosspost gets no draft.
pub enum Undrafted {
    /// It can't be composed: a content failure.
    Failed(String),
    /// It does not go there, on purpose.
    Unsuited(String),
    /// The worker is to stop: no attempt has begun, and the next start begins anew.
    Stopped,
}

impl Worker {
    /// Composes the draft from the entry, and what its page says, as they are now.
    pub(super) async fn compose(
        &self,
        crosspost: &Crosspost,
        stop: &CancellationToken,
    ) -> Result<std::result::Result<Draft, Undrafted>> {
        let id = crosspost.entry;
        let Some(entry) = self.store.read(move |db| entries::body(db, id)).await? else {
            let why = "its text is not stored any more (see [retention])";
            return Ok(Err(Undrafted::Failed(why.into())));
        };
        let platform = self.config.platform;
        let (limits, media_limits) = match &self.publisher {
            Some(publisher) => {
                let (journal, memory) = self.notebooks(crosspost);
                let desk = self.desk(crosspost, &journal, &memory);
                (publisher.limits(&desk).await, publisher.media_limits(&desk).await)
            }
            None => (platform.limits(), platform.media()),
        };
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
        let draft = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Err(Undrafted::Stopped)),
            draft = card::drafted(self.pages.as_deref(), &subject) => draft,
        };
        // page and picture may have taken their time
        self.beat();
        Ok(match draft {
            Ok(mut draft) => {
                if crosspost.without_card {
                    let note = "the platform refused the card: the URL is in the text";
                    draft.notes.push(note.into());
                }
                Ok(draft)
            }
            Err(ComposeError::Unsuited(why)) => Err(Undrafted::Unsuited(why)),
            Err(error) => Err(Undrafted::Failed(error.to_string())),
        })
    }

    /// Settles a crosspost that gets no draft.
    pub(super) async fn refuse(&self, crosspost: &Crosspost, why: Undrafted) -> Result<()> {
        let (settlement, reason, say): (_, _, fn(&Label, &Crosspost, &str)) = match why {
            Undrafted::Failed(reason) => (Settlement::Failed, reason, say::failed),
            Undrafted::Unsuited(reason) => (Settlement::Skipped, reason, say::skipped),
            Undrafted::Stopped => return Ok(()),
        };
        if self.settle_unsent(crosspost, None, settlement, reason.clone()).await? {
            say(&self.label, crosspost, &reason);
        }
        Ok(())
    }
}
