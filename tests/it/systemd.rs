//! What systemd is told, read from real datagram sockets.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use posse_party::systemd::Systemd;
use tokio_util::sync::CancellationToken;

/// A service manager that hears everything, and a name for its socket.
fn manager() -> (tempfile::TempDir, UnixDatagram, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let name = path.to_str().unwrap().to_owned();
    (folder, socket, name)
}

/// The next datagram; it is there already, because sending to a local socket is delivering.
fn heard(socket: &UnixDatagram) -> Option<String> {
    socket.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).ok()?;
    Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
}

#[test]
fn the_life_of_a_service() {
    let (_folder, socket, name) = manager();
    let systemd = Systemd::at(&name, None).unwrap();
    systemd.ready("polling 3 feeds");
    assert_eq!(heard(&socket).unwrap(), "READY=1\nSTATUS=polling 3 feeds");
    systemd.status("two\nlines\nREADY=1");
    assert_eq!(heard(&socket).unwrap(), "STATUS=two lines READY=1");
    systemd.stopping("finishing 1 attempt");
    assert_eq!(heard(&socket).unwrap(), "STOPPING=1\nSTATUS=finishing 1 attempt");
    assert_eq!(heard(&socket), None);
}

#[test]
fn a_reload_carries_the_monotonic_time() {
    let (_folder, socket, name) = manager();
    let systemd = Systemd::at(&name, None).unwrap();
    let uptime = || {
        let text = std::fs::read_to_string("/proc/uptime").unwrap();
        text.split_whitespace().next().unwrap().parse::<f64>().unwrap()
    };
    let before = uptime();
    systemd.reloading();
    let message = heard(&socket).unwrap();
    let usec: f64 = message.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().parse().unwrap();
    // uptime also counts time in suspend, so it may only be ahead; it has two decimals
    assert!(usec > 0.0 && usec / 1e6 <= uptime() + 0.02 && before > 0.0, "{message}");
}

#[test]
fn an_abstract_socket_is_found_by_its_at_sign() {
    let name = format!("posse-party-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    Systemd::at(&format!("@{name}"), None).unwrap().ready("here");
    assert_eq!(heard(&socket).unwrap(), "READY=1\nSTATUS=here");
}

#[test]
fn nobody_and_nonsense() {
    Systemd::default().ready("nobody listens");
    let error = Systemd::at("vsock:2:1234", None).unwrap_err().to_string();
    assert_eq!(error, "`vsock:2:1234` is neither a path nor an abstract socket");
    // a manager that has gone is no reason to stop
    let (folder, socket, name) = manager();
    drop((folder, socket));
    Systemd::at(&name, None).unwrap().ready("gone");
}

/// Feeds a watchdog of 10 s for `time`; counts the signs of life.
async fn fed<A>(time: Duration, alive: impl Fn() -> A) -> usize
where
    A: Future<Output = Result<(), String>>,
{
    let (_folder, socket, name) = manager();
    let systemd = Systemd::at(&name, Some(Duration::from_secs(10))).unwrap();
    let stop = CancellationToken::new();
    let feeding = systemd.feed_watchdog(stop.clone(), alive);
    let _ = tokio::time::timeout(time, feeding).await;
    std::iter::from_fn(|| heard(&socket)).inspect(|word| assert_eq!(word, "WATCHDOG=1")).count()
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_is_fed_twice_in_its_period() {
    // at 0, 5, 10 … 25 s; a socket's queue holds about ten (net.unix.max_dgram_qlen)
    assert_eq!(fed(Duration::from_secs(29), || async { Ok(()) }).await, 6);
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_starves_while_a_loop_is_stuck_or_the_check_hangs() {
    let start = tokio::time::Instant::now();
    let stuck_at_first = || async {
        let stuck = start.elapsed() < Duration::from_secs(30);
        if stuck { Err("the poller has not answered".to_owned()) } else { Ok(()) }
    };
    // at 30, 35 … 55 s
    assert_eq!(fed(Duration::from_secs(59), stuck_at_first).await, 6);
    assert_eq!(fed(Duration::from_secs(59), std::future::pending).await, 0);
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_ends_with_the_stop_and_needs_to_be_asked_for() {
    let (_folder, socket, name) = manager();
    let systemd = Systemd::at(&name, Some(Duration::from_secs(10))).unwrap();
    let (stop, asked) = (CancellationToken::new(), AtomicBool::new(false));
    let alive = || async {
        asked.store(true, Ordering::Relaxed);
        stop.cancel();
        Ok(())
    };
    systemd.feed_watchdog(stop.clone(), alive).await;
    assert!(asked.load(Ordering::Relaxed));
    assert_eq!(heard(&socket).unwrap(), "WATCHDOG=1");
    let without = Systemd::at(&name, None).unwrap();
    without.feed_watchdog(CancellationToken::new(), || async { Ok(()) }).await;
    assert_eq!(heard(&socket), None);
}
