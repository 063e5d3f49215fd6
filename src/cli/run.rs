//! `run`: the daemon.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::{CliError, load};
use crate::app::{self, App};
use crate::clock::Clock;
use crate::logging::{self, Voice};
use crate::orders::Orders;
use crate::redact::register_secrets;
use crate::signals;
use crate::systemd::Systemd;

/// How long the end waits for what runs on threads of its own, when all else has ended.
const LEAVE_AFTER: Duration = Duration::from_secs(1);

/// Run the daemon: poll the feeds, publish what is new
#[derive(Debug, Args)]
#[command(after_help = "Example:
  posse-party run --config /etc/posse-party/config.toml

SIGTERM stops after the attempt in flight (a second one at once), SIGHUP loads the config again,
SIGUSR1 polls every feed now.")]
pub struct Arguments {
    /// Poll every feed once, publish what is due, and exit
    #[arg(long)]
    once: bool,
}

/// Runs until it is told to stop.
///
/// # Errors
/// It could not start, or ended by itself.
pub fn run(path: &Path, arguments: &Arguments) -> Result<(), CliError> {
    let config = load(path)?;
    let log = logging::init(&config.log, Voice::Daemon).context("failed to start the log")?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    // one thread for all that waits, which is nearly everything; what works for long (parsing,
    // SQL, decompressing) has threads of its own
    let runtime = tokio::runtime::Builder::new_current_thread()
        // between two bursts of work none is needed, and each keeps a stack
        .thread_keep_alive(Duration::from_millis(1500))
        // the database needs two; hanging lookups (`http`) and files may hold the others
        .max_blocking_threads(128)
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let done = runtime.block_on(async {
        let signals = signals::listen().context("failed to listen for signals")?;
        let orders = Orders::default();
        let forward = signals.forward(orders.clone());
        let once = arguments.once;
        let daemon = async {
            let result = if once {
                app::run_once(config, Clock::System, &orders).await
            } else {
                let systemd = Systemd::from_environment().context("failed to find systemd")?;
                let applied = Box::new(move |config: &crate::config::Config| {
                    register_secrets(config.secrets());
                    if let Err(error) = log.set_level(&config.log) {
                        tracing::warn!("{error}");
                    }
                });
                let orders = orders.clone();
                app::run(App { config, clock: Clock::System, orders, systemd, applied }).await
            };
            orders.stop.cancel();
            anyhow::Ok(result.map_err(anyhow::Error::from))
        };
        let (done, ()) = tokio::join!(daemon, forward);
        done?
    });
    // a name that is being looked up can't be given up, and would hold the end up for long
    runtime.shutdown_timeout(LEAVE_AFTER);
    Ok(done?)
}
