//! The end: what is in flight is finished, nothing new begins, and whoever insists is obeyed.

use rustix::process::Signal;

use super::{fedi, mastodon, texts};
use crate::daemon_process::{FeedHost, QUICK, Site, news};
use crate::mastodon_server::{Answer, Effect, Fault, MastodonServer, Route};
use crate::wire::{Gate, Reply, Server};

/// Two entries are due, and the server takes the first and holds its answer until the gate opens.
fn in_flight(fediverse: &MastodonServer, blog: &FeedHost) -> (Site, Gate) {
    let gate = Gate::default();
    let held = Fault { effect: Effect::Done, answer: Answer::Held(gate.clone()) };
    fediverse.script(Route::Publish, held);
    let delivery = QUICK.replace("\"2s\"", "\"30s\"");
    let site = Site::new(&[blog.config("blog"), fedi(fediverse), delivery].concat());
    site.run(&["run", "--once"]);
    let (first, second) = (news("1"), news("2")); // made in the order of their dates
    blog.change(|items| items.splice(0..0, [second, first]).for_each(drop));
    (site, gate)
}

#[test]
fn a_stop_finishes_the_attempt_in_flight_and_begins_none() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::INT, "SIGINT")] {
        let (fediverse, blog) = (mastodon(), FeedHost::start(vec![news("old")]));
        let (site, gate) = in_flight(&fediverse, &blog);
        let daemon = site.start();
        fediverse.wait_asked(Route::Publish, 1);
        daemon.send(signal);
        let line = daemon.wait("stopping after the attempts in flight");
        assert!(line.contains(name), "{line}");
        gate.open();
        let (code, log) = daemon.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("published \"Entry 1\" to fedi"), "{log}");
        assert!(log.lines().last().unwrap().contains("stopped"), "{log}");
        assert_eq!(fediverse.count(Route::Publish), 1, "no attempt begins after {name}");

        let daemon = site.start();
        daemon.wait("published \"Entry 2\" to fedi");
        let log = daemon.stop();
        assert!(!log.contains("ended in the middle") && !log.contains("Entry 1"), "{log}");
        assert_eq!(texts(&fediverse).len(), 2);
    }
}

#[test]
fn a_second_stop_does_not_wait_and_the_next_start_asks_what_became_of_it() {
    let (fediverse, blog) = (mastodon(), FeedHost::start(vec![news("old")]));
    let (site, gate) = in_flight(&fediverse, &blog);
    let daemon = site.start();
    fediverse.wait_asked(Route::Publish, 1);
    daemon.send(Signal::TERM);
    daemon.wait("stopping after the attempts in flight");
    daemon.send(Signal::TERM);
    assert_eq!(daemon.end().0, Some(130));
    gate.open();
    // 30 s would be the time in which the lost request may still be at work
    site.configure(&[blog.config("blog"), fedi(&fediverse), QUICK.into()].concat());
    let daemon = site.start();
    daemon.wait("the last run ended in the middle of 1 attempt:");
    daemon.wait("published \"Entry 1\" to fedi");
    daemon.wait("published \"Entry 2\" to fedi");
    daemon.stop();
    assert_eq!(texts(&fediverse), ["Entry 1 https://a.example/1", "Entry 2 https://a.example/2"]);
}

#[test]
fn feeds_that_hang_hold_nothing_up_and_a_stop_does_not_wait_for_them() {
    let (fediverse, blog) = (mastodon(), FeedHost::start(vec![news("old")]));
    let hanging = Server::start(|request| match request.path() {
        "/never" => Reply::raw("").hang(),
        _ => Reply::status(200).header("Content-Length", "1000").end_head().bytes("<fe").hang(),
    });
    let mut config = [blog.config("blog"), fedi(&fediverse), QUICK.into()].concat();
    for n in 0..3 {
        // `localhost`: another host, because one host has only so many connections
        for path in ["/never", "/half"] {
            let url = hanging.url_at("localhost", path);
            config += &format!("[feeds.hangs{n}{}]\nurl = \"{url}?{n}\"\n", &path[1..]);
        }
    }
    let site = Site::new(&config);
    let daemon = site.start();
    hanging.wait_for(6);
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    daemon.wait("published \"Entry 1\" to fedi");
    let log = daemon.stop();
    assert!(!log.contains("hangs"), "a stop is no failure of the feed: {log}");
}
