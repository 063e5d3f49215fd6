//! Systemd: what the service manager is told, as datagrams of sd_notify(3).
//!
//! The socket and the watchdog's period are arguments, read once by `from_environment`. The crate
//! sd-notify supplies the words and the monotonic clock; it reads the variables at every call and
//! knows no abstract sockets, so the sending is ours.
//! **Invariant:** the watchdog is fed only while every loop answers; a daemon that merely breathes
//! is restarted.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::environment;

/// The service manager, or nobody when there is none.
#[derive(Clone, Debug, Default)]
pub struct Systemd {
    socket: Option<Arc<(UnixDatagram, SocketAddr)>>,
    watchdog: Option<Duration>,
}

impl Systemd {
    /// The service manager that `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` speak of.
    /// # Errors  when `NOTIFY_SOCKET` names something that is no local socket.
    pub fn from_environment() -> io::Result<Self> {
        let Some(socket) = environment::var("NOTIFY_SOCKET") else { return Ok(Self::default()) };
        let number = |name| environment::var(name).and_then(|text| text.parse::<u64>().ok());
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|usec| ours && *usec > 0);
        Self::at(&socket, watchdog.map(Duration::from_micros))
    }

    /// The service manager that listens at `socket`: a path, or `@` and an abstract name. It wants
    /// a sign of life at least every `watchdog`.
    /// # Errors  when `socket` is neither.
    pub fn at(socket: &str, watchdog: Option<Duration>) -> io::Result<Self> {
        let address = match socket.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None if socket.starts_with('/') => SocketAddr::from_pathname(socket)?,
            None => {
                let why = format!("`{socket}` is neither a path nor an abstract socket");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
        };
        let from = UnixDatagram::unbound()?;
        // a manager that does not read must not hold a loop up
        from.set_nonblocking(true)?;
        Ok(Self { socket: Some(Arc::new((from, address))), watchdog })
    }

    /// Says that the daemon has started, or has finished a reload, and what it does now.
    pub fn ready(&self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// Says that the config is being loaded again; `ready` ends it, whatever came of it.
    ///
    /// Since version 253 systemd wants the time with it, to tell this reload from an earlier one.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(_) => self.tell(&[NotifyState::Reloading]),
        }
    }

    /// Says that the daemon stops by its own or the operator's will; the watchdog ends with it.
    pub fn stopping(&self, status: &str) {
        self.tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
    }

    /// Says in one line what the daemon does, for `systemctl status`.
    pub fn status(&self, status: &str) {
        self.tell(&[NotifyState::Status(status)]);
    }

    /// Feeds the watchdog twice in its period until `stop`, as long as `alive` says so.
    ///
    /// `alive` has a quarter of the period to answer, and names what is stuck when it is not well.
    /// Returns at once when no watchdog was asked for.
    pub async fn feed_watchdog<F, A>(&self, stop: CancellationToken, alive: F)
    where
        F: Fn() -> A,
        A: Future<Output = Result<(), String>>,
    {
        let Some(period) = self.watchdog else { return };
        let mut ticks = tokio::time::interval(period / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut well = true;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let answer = tokio::time::timeout(period / 4, alive()).await;
            match answer.unwrap_or_else(|_| Err("the check of its own health hangs".into())) {
                Ok(()) => {
                    self.tell(&[NotifyState::Watchdog]);
                    well = true;
                }
                Err(stuck) if well => {
                    tracing::error!("watchdog: {stuck}; unless that ends, systemd restarts us");
                    well = false;
                }
                Err(_) => {}
            }
        }
    }

    /// Sends one datagram. What can't be sent is logged: nobody else could do more about it. A sign
    /// of life that finds the queue full is not missed: the ones before it are still unread.
    fn tell(&self, states: &[NotifyState<'_>]) {
        let Some((from, to)) = self.socket.as_deref() else { return };
        let lines: Vec<_> = states.iter().map(|state| one_line(&state.to_string())).collect();
        if let Err(error) = from.send_to_addr(lines.join("\n").as_bytes(), to)
            && !(error.kind() == io::ErrorKind::WouldBlock && lines[0] == "WATCHDOG=1")
        {
            tracing::warn!("failed to tell systemd `{}`: {error}", lines[0]);
        }
    }
}

/// `text` on one line: a second one would be another assignment.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
