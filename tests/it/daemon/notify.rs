//! What systemd hears, on a real datagram socket.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use super::OUT;
use crate::daemon_process::{Daemon, PATIENCE, Site, news};
use crate::world::atom;

/// The next datagram, as lines.
fn heard(socket: &UnixDatagram) -> Vec<String> {
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).expect("systemd hears nothing");
    let text = std::str::from_utf8(&buffer[..length]).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The next datagram that is no sign of life.
fn heard_next(socket: &UnixDatagram) -> Vec<String> {
    std::iter::repeat_with(|| heard(socket)).find(|lines| *lines != ["WATCHDOG=1"]).unwrap()
}

#[test]
fn the_life_of_a_service() {
    let site = Site::new(&format!("[feeds.blog]\nurl = \"file:blog.xml\"\n{OUT}"));
    site.write("blog.xml", &atom(&[news("old")]));
    let socket = UnixDatagram::bind(site.path("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = site.command(&["run"]);
    command.env("NOTIFY_SOCKET", site.path("notify"));
    // twice in 600 ms
    command.env("WATCHDOG_USEC", "600000");
    let daemon = Daemon::spawn(command);
    assert_eq!(heard_next(&socket), ["READY=1", "STATUS=1 feed, 1 account"]);
    for _ in 0..4 {
        assert_eq!(heard(&socket), ["WATCHDOG=1"]);
    }

    site.configure("[feeds.blog]\nurl = \"file:blog.xml\"\n");
    daemon.send(Signal::HUP);
    let reloading = heard_next(&socket);
    assert_eq!(reloading[0], "RELOADING=1");
    let usec = reloading[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(usec.parse::<u64>().unwrap() > 0, "{reloading:?}");
    assert_eq!(heard_next(&socket), ["READY=1", "STATUS=1 feed, 0 accounts"]);

    // a reload that is refused is over too
    site.configure("[feeds.blog]\n");
    daemon.send(Signal::HUP);
    assert_eq!(heard_next(&socket)[0], "RELOADING=1");
    assert_eq!(heard_next(&socket), ["READY=1", "STATUS=1 feed, 0 accounts"]);

    daemon.send(Signal::TERM);
    assert_eq!(heard_next(&socket)[0], "STOPPING=1");
    assert_eq!(daemon.end().0, Some(0));
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    assert!(socket.recv(&mut [0; 64]).is_err(), "nothing comes after the end");
}

#[test]
fn a_start_that_fails_is_never_ready() {
    let site = Site::new(&format!("[feeds.blog]\nurl = \"file:blog.xml\"\n{OUT}"));
    std::fs::create_dir_all(site.database()).unwrap();
    let socket = UnixDatagram::bind(site.path("notify")).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut command = site.command(&["run"]);
    command.env("NOTIFY_SOCKET", site.path("notify"));
    assert_eq!(Daemon::spawn(command).end().0, Some(1));
    assert!(socket.recv(&mut [0; 64]).is_err());
}
