//! Bells: one for each account, and who rings them.
//!
//! Commands write into the database, and nobody has to look for that all the time: the kernel tells
//! (inotify) when a process has closed the database's log, which every command does when it is done,
//! and our own writes never do. A kernel does not tell on every file system, or what happens on
//! another machine, so somebody looks all the same, seldom.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchMask};
use tokio_util::sync::CancellationToken;

use crate::names::Label;
use crate::store::Store;
use crate::wake::Wake;

/// How often another process is looked for that changed the database, where the kernel can't tell.
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// The same, where it should.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The bells of the accounts. Clones are the same bells.
#[derive(Clone, Debug, Default)]
pub struct Bells(Arc<RwLock<BTreeMap<Label, Wake>>>);

impl Bells {
    /// Rings one account, or all.
    pub fn ring(&self, label: Option<&Label>) {
        let bells = self.0.read().expect("no code panics while it holds the lock");
        bells
            .iter()
            .filter(|(name, _)| label.is_none_or(|label| label == *name))
            .for_each(|(_, bell)| bell.ring());
    }

    /// Hangs up the bell of an account.
    pub fn add(&self, label: Label, bell: Wake) {
        self.0.write().expect("no code panics while it holds the lock").insert(label, bell);
    }

    /// Takes the bell of an account down.
    pub fn remove(&self, label: &Label) {
        self.0.write().expect("no code panics while it holds the lock").remove(label);
    }
}

/// Rings every loop when a command changed the database.
pub async fn watch_others(store: &Store, bells: &Bells, loops: &[Wake], stop: &CancellationToken) {
    let left = Left::the(store.path()).unwrap_or_else(|error| {
        // a user may have only so many watches, and there are systems without
        tracing::debug!("looking for commands twice a second, the kernel can't tell: {error}");
        Left(None)
    });
    left.watch(store, bells, loops, stop).await;
}

/// The processes that have left a database; none when that can't be known.
struct Left(Option<EventStream<[u8; 1024]>>);

impl Left {
    /// Who leaves the database at `path`, which is open: its log is there.
    fn the(path: &Path) -> std::io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let inotify = Inotify::init()?;
        inotify.watches().add(log, WatchMask::CLOSE_WRITE)?;
        Ok(Self(Some(inotify.into_event_stream([0; 1024])?)))
    }

    /// Rings when one of them has changed something.
    async fn watch(
        mut self,
        store: &Store,
        bells: &Bells,
        loops: &[Wake],
        stop: &CancellationToken,
    ) {
        let mut seen = store.foreign_version().await.ok();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wait() => {}
            }
            let version = store.foreign_version().await.ok();
            if version.is_some() && std::mem::replace(&mut seen, version) != version {
                loops.iter().for_each(Wake::ring);
                bells.ring(None);
            }
        }
    }

    /// Waits until one has left, or may have.
    async fn wait(&mut self) {
        if let Some(events) = &mut self.0 {
            match tokio::time::timeout(LOOK_AGAIN, events.next()).await {
                Ok(Some(Ok(_))) | Err(_) => return,
                Ok(_) => self.0 = None,
            }
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::clock::Timestamp;
    use crate::store::incidents;

    async fn write(store: &Store, key: String) {
        let now = Timestamp::from_secs(1_770_000_000);
        store.write(move |tx| incidents::open(tx, &key, "", now)).await.unwrap();
    }

    #[tokio::test]
    async fn who_leaves_is_heard_and_what_we_write_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts.db");
        let store = Store::open(&path).unwrap();
        let mut left = Left::the(&path).unwrap();
        write(&store, "ours".into()).await;
        store.checkpoint().await.unwrap();
        assert!(left.wait().now_or_never().is_none());
        drop(Store::open_existing(&path).unwrap());
        left.wait().await;
        assert!(left.0.is_some(), "a timer told it");
    }

    /// Each loop is rung when somebody else has committed.
    async fn check(left: fn(&Path) -> Left) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts.db");
        let store = Store::open(&path).unwrap();
        let (bells, stop) = (Bells::default(), CancellationToken::new());
        let (bell, poll) = (Wake::default(), Wake::default());
        bells.add(Label::new("out").unwrap(), bell.clone());
        let loops = [poll.clone()];
        let others = async {
            let mut count = 0;
            while !bell.sleep(Duration::from_millis(20)).await {
                // it may not have begun to look when the first one left
                count += 1;
                write(&Store::open_existing(&path).unwrap(), count.to_string()).await;
            }
            assert!(poll.sleep(Duration::from_secs(60)).await);
            stop.cancel();
        };
        tokio::join!(left(&path).watch(&store, &bells, &loops, &stop), others);
    }

    #[tokio::test]
    async fn a_command_is_noticed_with_inotify_and_without() {
        check(|path| Left::the(path).unwrap()).await;
        check(|_| Left(None)).await;
    }
}
