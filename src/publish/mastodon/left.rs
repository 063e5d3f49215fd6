//! Left: how long ago requests left, by a clock that nobody sets.
//!
//! The wall clock can jump in either direction, and then a request that is still at work looks old,
//! or a key that the server forgot looks young. While the process lives, tokio's clock measures.
//! **Invariant:** what is not measured is not known: after a restart there is nothing here, and the
//! journal counts. A machine that sleeps stops this clock, so who needs the longest time possible
//! takes the longer one of the two.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use tokio::time::Instant;

use super::attempt::Opened;
use crate::names::CrosspostId;

/// Crossposts that are remembered; the oldest make room.
const KEPT_MAX: usize = 256;

/// When requests of one crosspost left.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// The first of all; absent where that was before this process.
    pub first: Option<Instant>,
    /// The first under the present key; likewise.
    pub key: Option<Instant>,
    /// The last.
    pub last: Instant,
}

/// When the requests of an account left.
#[derive(Debug, Default)]
pub struct Log(Mutex<BTreeMap<CrosspostId, Left>>);

impl Log {
    /// A request leaves now.
    pub fn opened(&self, crosspost: Option<CrosspostId>, opened: &Opened) {
        let now = Instant::now();
        let before = self.of(crosspost);
        let left = Left {
            first: if opened.is_first { Some(now) } else { before.and_then(|it| it.first) },
            key: if opened.key_is_new { Some(now) } else { before.and_then(|it| it.key) },
            last: now,
        };
        self.put(crosspost, left);
    }

    /// The same request leaves again now.
    pub fn repeated(&self, crosspost: Option<CrosspostId>) {
        let (now, before) = (Instant::now(), self.of(crosspost));
        let (first, key) = before.map_or((None, None), |it| (it.first, it.key));
        self.put(crosspost, Left { first, key, last: now });
    }

    /// What is known of a crosspost.
    pub fn of(&self, crosspost: Option<CrosspostId>) -> Option<Left> {
        self.lock().get(&crosspost?).copied()
    }

    /// A crosspost is done.
    pub fn forget(&self, crosspost: Option<CrosspostId>) {
        if let Some(crosspost) = crosspost {
            self.lock().remove(&crosspost);
        }
    }

    fn put(&self, crosspost: Option<CrosspostId>, left: Left) {
        let Some(crosspost) = crosspost else { return };
        let mut log = self.lock();
        log.insert(crosspost, left);
        while log.len() > KEPT_MAX {
            log.pop_first();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<CrosspostId, Left>> {
        self.0.lock().expect("no code panics while it holds the lock")
    }
}
