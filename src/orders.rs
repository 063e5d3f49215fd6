//! Orders: what a running daemon is asked to do, by whoever asks.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What is asked of the daemon. Clones are the same orders; while one waits, more are the same one.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// Stop, after what is in flight.
    pub stop: CancellationToken,
    /// Load the config again.
    pub reload: Arc<Notify>,
    /// Poll every feed now.
    pub poll: Arc<Notify>,
}
