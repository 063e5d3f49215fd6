//! Signals: what the operator's `kill` and systemd want, as orders that loops can wait for.
//!
//! SIGTERM and SIGINT ask for a stop after the attempt in flight, SIGHUP for a reload, SIGUSR1 for a
//! poll now. The second SIGTERM or SIGINT ends the process inside the signal handler itself, because
//! a runtime that is stuck could not.
//! **Invariant:** an order is never lost and never queues up: while one waits, more are the same one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures_util::StreamExt;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

use crate::orders::Orders;

/// The exit code of a stop that would not wait: 128 + SIGINT, as shells say it.
pub const EXIT_AT_ONCE: i32 = 130;

/// Signals from the moment of `listen` on.
pub struct Signals(signal_hook_tokio::Signals);

/// Takes the signals over from the system, whose default is to end the process.
///
/// To be called early, inside a tokio runtime and once in a process: what arrives before `forward`
/// runs is kept for it.
/// # Errors  the system's, when a handler can't be installed.
pub fn listen() -> io::Result<Signals> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // in this order: the first signal finds the flag down, and raises it
        signal_hook::flag::register_conditional_shutdown(signal, EXIT_AT_ONCE, asked.clone())?;
        signal_hook::flag::register(signal, asked.clone())?;
    }
    signal_hook_tokio::Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1]).map(Signals)
}

impl Signals {
    /// Turns signals into `orders` until one asks to stop, or something else has stopped.
    pub async fn forward(mut self, orders: Orders) {
        loop {
            let signal = tokio::select! {
                biased;
                () = orders.stop.cancelled() => return,
                signal = self.0.next() => signal,
            };
            match signal {
                Some(SIGHUP) => orders.reload.notify_one(),
                Some(SIGUSR1) => orders.poll.notify_one(),
                Some(signal) => {
                    let name = if signal == SIGINT { "SIGINT" } else { "SIGTERM" };
                    tracing::info!(
                        signal = name,
                        "stopping after the attempts in flight; a second signal stops at once"
                    );
                    orders.stop.cancel();
                }
                None => return,
            }
        }
    }
}
