//! Pages: the addresses of posts that were published before their page could be told.
//!
//! Some platforms know a post's page only a while after it is public, which is no reason to doubt
//! the post. **Invariant:** only a post without an address gets one. **Refuses:** to ask about old
//! posts, or about many at a time; to alert: a post without its address is a post all the same.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Care;
use crate::crosspost;
use crate::deliver::notebook::{Journal, Memory};
use crate::names::{AccountId, Label};
use crate::publish::{Desk, Publisher};
use crate::report;
use crate::store::Result;
use crate::store::crossposts;

/// What was published before that stays without.
const AGE_MAX: Duration = Duration::from_secs(7 * 86_400);
/// The most posts of an account that are asked about at a time, the latest first.
const ASKED_MAX: u32 = 10;

impl Care {
    /// Asks for the pages that are missing, and keeps what is found.
    ///
    /// # Errors
    /// The database can't be used.
    pub(super) async fn find_pages(
        &self,
        label: &Label,
        account: AccountId,
        publisher: &dyn Publisher,
        stop: &CancellationToken,
    ) -> Result<()> {
        let since = self.clock.now().minus(AGE_MAX);
        let bare = self
            .store
            .read(move |db| crossposts::without_page(db, account, since, ASKED_MAX))
            .await?;
        let memory = Memory { store: self.store.clone(), account };
        for post in bare {
            if stop.is_cancelled() {
                break;
            }
            let journal = Journal { store: self.store.clone(), crosspost: post.id };
            // no crosspost in hand: what is answered to a mere question parks nobody
            let desk = Desk {
                crosspost: None,
                journal: &journal,
                memory: &memory,
                clock: &self.clock,
                shelf: None,
            };
            let page = publisher.page(&post.remote_id, &post.draft, &desk).await;
            let Some(url) = page.and_then(crosspost::page) else { continue };
            let (id, page) = (post.id, url.clone());
            if self.store.write(move |tx| crossposts::set_page(tx, id, &page)).await? {
                tracing::info!(account = %label, crosspost = id.0,
                    "found the page of \"{}\" on {label}: {url}", report::title(&post.title));
            }
        }
        Ok(())
    }
}
