//! How feeds are asked, over failures, restarts and reloads.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use posse_party::clock::{Clock, Timestamp};
use rustix::process::Signal;

use super::OUT;
use crate::daemon_process::{Daemon, FeedHost, QUICK, Site, news};
use crate::wire::{Gate, Reply, Request, Server};
use crate::world::atom;

fn validators(request: &Request) -> Option<&str> {
    request.header("if-none-match")
}

/// A feed that is polled all the time, to tell that time passes.
fn clock() -> FeedHost {
    FeedHost::start(vec![news("tick")])
}

#[test]
fn a_feed_slower_than_its_pace_is_asked_again_as_soon_as_it_has_answered() {
    let (blog, ticks) = (FeedHost::start(vec![news("old")]), clock());
    let site = Site::new(&[&blog.config("blog"), &ticks.config("ticks"), OUT, QUICK].concat());
    let gate = Gate::default();
    blog.script(Reply::raw("").wait(&gate).close());
    let daemon = site.start();
    blog.server().wait_for(1);
    // longer than `poll`: the feed falls due while it is asked
    ticks.wait_for_more(4);
    gate.open();
    blog.server().wait_for(3);
    daemon.stop();
}

#[test]
fn after_an_answer_with_validators_every_request_is_conditional() {
    let blog = FeedHost::start(vec![news("old")]);
    let config = [&blog.config("blog"), OUT, QUICK].concat();
    let site = Site::new(&config);
    let daemon = site.start();
    daemon.wait("first sight of blog for out");
    blog.server().wait_for(2);
    site.configure(&config.replace("\"0s\"", "\"1ms\""));
    daemon.reload();
    blog.wait_for_more(2);
    // no usable answer: its validators are not taken, the old ones are kept
    blog.script(Reply::ok("<html>soon</html>").header("ETag", "\"html\""));
    blog.script(Reply::ok("").header("ETag", "\"empty\""));
    blog.script(Reply::ok("x").header("ETag", "\"cut\"").header("Content-Length", "9").close());
    // renewed by an answer that has no body
    blog.script(Reply::status(304).header("ETag", "\"renewed\""));
    daemon.wait("feed blog is readable again");
    daemon.kill();
    let daemon = site.start();
    blog.wait_for_more(2);
    daemon.stop();
    let before = blog.server().requests().len();
    blog.add(news("1"));
    let (code, log) = site.run(&["run", "--once"]);
    assert_eq!(code, Some(0), "{log}");

    let requests = blog.server().requests();
    let etags: Vec<_> = requests.iter().map(validators).collect();
    assert_eq!(etags[0], None);
    assert!(etags[1..].iter().all(Option::is_some), "{etags:?}");
    let renewed = etags.iter().position(|etag| *etag == Some("\"renewed\"")).unwrap();
    assert!(etags[1..renewed].iter().all(|etag| *etag == Some("W/\"v0-gzip\"")), "{etags:?}");
    assert_eq!(etags[before], Some("W/\"v0-gzip\""), "{etags:?}");
    assert_eq!(site.outbox("out.jsonl"), ["Entry 1 https://a.example/1"]);
    for request in &requests {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/feed.xml"));
        let agent = request.header("user-agent").unwrap();
        assert!(agent.starts_with("posse-party/"), "{agent}");
        assert_eq!((request.header("cookie"), request.header("referer")), (None, None));
    }
}

#[test]
fn a_crash_loop_polls_no_more_often_than_the_owner_said() {
    let (blog, ticks) = (FeedHost::start(vec![news("old")]), clock());
    blog.script(Reply::raw("").hang());
    let feed = blog.config("blog").replace("150ms", "1h");
    let site = Site::new(&[&feed, &ticks.config("ticks"), OUT, QUICK].concat());
    let daemon = site.start();
    blog.server().wait_for(1);
    daemon.kill();
    for _ in 0..4 {
        let daemon = site.start();
        ticks.wait_for_more(1);
        daemon.kill();
    }
    let daemon = site.start();
    daemon.reload();
    ticks.wait_for_more(3);
    assert_eq!(blog.server().requests().len(), 1, "the attempt counts, not its answer");
    daemon.send(Signal::USR1);
    blog.server().wait_for(2);
    daemon.stop();
}

#[test]
fn retry_after_is_kept_over_restarts_and_reloads() {
    for status in [429, 503] {
        let (blog, ticks) = (FeedHost::start(vec![news("old")]), clock());
        blog.script(Reply::status(status).header("Retry-After", "3600"));
        let site = Site::new(&[&blog.config("blog"), &ticks.config("ticks"), OUT, QUICK].concat());
        let daemon = site.start();
        let line = daemon.wait("feed blog can't be read");
        // whole seconds, and a moment has passed since
        assert!(line.contains("asking again in 59m 59s") || line.contains("in 1h"), "{line}");
        ticks.wait_for_more(3);
        daemon.kill();
        let daemon = site.start();
        daemon.reload();
        ticks.wait_for_more(3);
        // by hand it is no sooner either
        daemon.send(Signal::USR1);
        daemon.wait("polling 2 feeds now, as asked");
        ticks.wait_for_more(3);
        daemon.stop();
        assert_eq!(blog.server().requests().len(), 1, "{status}");
    }
}

#[test]
fn a_feed_that_is_gone_is_asked_no_more() {
    let (blog, ticks) = (FeedHost::start(vec![news("old")]), clock());
    let config = [&blog.config("blog"), &ticks.config("ticks"), OUT, QUICK].concat();
    let site = Site::new(&config);
    let daemon = site.start();
    daemon.wait("first sight of blog for out");
    blog.script(Reply::status(410));
    let line = daemon.wait("feed blog can't be read");
    assert!(line.contains("gone for good (410)") && line.contains("`posse-party poll blog`"));
    let asked = blog.server().requests().len();
    daemon.reload();
    ticks.wait_for_more(2);
    daemon.stop();
    let daemon = site.start();
    ticks.wait_for_more(2);
    assert_eq!(blog.server().requests().len(), asked);
    // another address in the config is another chance, and no news
    site.configure(&config.replacen("/feed.xml", "/new.xml", 1));
    daemon.reload();
    daemon.wait("feed blog is readable again");
    assert_eq!(blog.server().requests()[asked].path(), "/new.xml");
    assert_eq!(validators(&blog.server().requests()[asked]), None, "they belong to one address");
    daemon.stop();
    assert!(!site.path("out.jsonl").exists());
}

#[test]
fn a_move_for_good_is_taken_over_after_three_usable_polls() {
    let (new, old_items) = (FeedHost::start(vec![news("old")]), vec![news("old")]);
    let (target, moved) = (new.url(), Arc::new(Mutex::new(false)));
    let has_moved = Arc::clone(&moved);
    let old = Server::start(move |_| {
        if *has_moved.lock().unwrap() {
            Reply::redirect(301, target.as_str())
        } else {
            Reply::ok(atom(&old_items)).header("ETag", "\"old\"")
        }
    });
    let feed = format!("[feeds.blog]\nurl = \"{}\"\npoll = \"150ms\"\n", old.url("/old.xml"));
    let site = Site::new(&[&feed, OUT, QUICK].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for out");
    *moved.lock().unwrap() = true;
    let line = daemon.wait("feed blog has moved for good");
    assert!(line.contains(&format!("`url = \"{}\"`", new.url())), "{line}");
    new.wait_for_more(2);
    let asked = old.requests().len();
    new.add(news("1"));
    daemon.wait("published \"Entry 1\" to out");
    daemon.stop();

    // it is remembered, and told once
    let daemon = site.start();
    new.wait_for_more(2);
    assert_eq!(old.requests().len(), asked);
    // the owner changes the line: nothing is new because of that
    site.configure(&[&new.config("blog"), OUT, QUICK].concat());
    daemon.reload();
    new.add(news("2"));
    daemon.wait("published \"Entry 2\" to out");
    let log = daemon.stop();
    assert!(!log.contains("moved"), "{log}");
    assert_eq!(site.outbox("out.jsonl").len(), 2);

    let through = new.server().requests();
    assert_eq!(validators(&through[0]), None, "validators stay at the address that gave them");
    assert_eq!(validators(&through[1]), Some("W/\"v0-gzip\""));
    let redirected = old.requests().iter().filter(|it| validators(it) == Some("\"old\"")).count();
    assert!(redirected >= 1, "the old address got its own");
    assert!(old.requests().iter().all(|it| validators(it).is_none_or(|etag| etag == "\"old\"")));
}

#[test]
fn a_temporary_redirect_is_followed_and_never_kept() {
    let there = FeedHost::start(vec![news("old")]);
    let target = there.url();
    let here = Server::start(move |_| Reply::redirect(302, target.as_str()));
    let feed = format!("[feeds.blog]\nurl = \"{}\"\npoll = \"150ms\"\n", here.url("/feed.xml"));
    let site = Site::new(&[&feed, OUT, QUICK].concat());
    let daemon = site.start();
    here.wait_for(6);
    let log = daemon.stop();
    assert!(!log.contains("moved"), "{log}");
    assert!(here.requests().iter().all(|request| validators(request).is_none()));
    let etags = there.server().requests();
    assert!(etags[1..].iter().all(|request| validators(request).is_some()));
}

/// A server that always answers with `status`, and when it was asked.
fn failing(status: u16) -> (Server, Arc<Mutex<Vec<Timestamp>>>) {
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&times);
    let server = Server::start(move |_| {
        noted.lock().unwrap().push(Clock::System.now());
        Reply::status(status)
    });
    (server, times)
}

#[test]
fn failures_are_told_once_and_asked_about_less_and_less() {
    for (status, waits) in [(500, [1, 2, 4]), (404, [1, 2, 4]), (429, [2, 4, 8])] {
        let (server, times) = failing(status);
        let feed =
            format!("[feeds.blog]\nurl = \"{}\"\npoll = \"100ms\"\n", server.url("/feed.xml"));
        let site = Site::new(&[&feed, OUT, QUICK, "[log]\nlevel = \"debug\"\n"].concat());
        let daemon = site.start();
        daemon.wait("feed blog can't be read");
        let line = daemon.wait("feed blog still can't be read");
        assert!(line.contains("DEBUG"), "{line}");
        // a restart forgets nothing
        daemon.kill();
        let daemon = site.start();
        server.wait_for(4);
        let log = daemon.stop();
        assert!(!log.contains("alert="), "told once is enough: {log}");
        let times = times.lock().unwrap();
        for (pair, tenths) in times.windows(2).zip(waits) {
            let wait = pair[1].since(pair[0]);
            // the wait counts from the end of the poll; this is from one request to the next
            let least = Duration::from_millis(100 * tenths - 5);
            assert!(wait >= least, "{wait:?} instead of {least:?} after {status}");
        }
    }
}

#[test]
fn one_alert_when_trouble_begins_and_one_line_when_it_is_over() {
    let blog = FeedHost::start(vec![news("old"), news("older")]);
    let site = Site::new(&[&blog.config("blog"), OUT, QUICK].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for out");
    let cut = atom(&[news("1"), news("2"), news("old")]);
    blog.script(Reply::ok(&cut[..cut.len() / 2]).header("Content-Length", "99999").close());
    blog.script(Reply::ok("<!DOCTYPE html><title>Maintenance</title>"));
    blog.script(Reply::ok(atom(&[])));
    let line = daemon.wait("feed blog can't be read");
    assert!(line.contains("ERROR") && line.contains("incident=feed:blog"), "{line}");
    let line = daemon.wait("feed blog is readable again");
    assert!(line.contains("incident=feed:blog"), "{line}");
    blog.add(news("1"));
    daemon.wait("published \"Entry 1\" to out");
    assert_eq!(daemon.count("feed blog can't be read"), 1);
    assert_eq!(daemon.count("feed blog is readable again"), 1);
    assert_eq!(daemon.count("new in blog"), 1, "what came back is not new");
    daemon.stop();
    assert_eq!(site.outbox("out.jsonl"), ["Entry 1 https://a.example/1"]);
}

#[test]
fn connections_are_kept_for_a_batch_and_limited_for_a_host() {
    let gate = Gate::default();
    let before = gate.clone();
    let server = Server::start(move |_| {
        let body = atom(&[news("old")]);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        Reply::raw("").wait(&before).bytes(head).bytes(body)
    });
    let feed = |n| {
        let url = server.url(&format!("/{n}.xml"));
        format!("[feeds.f{n:02}]\nurl = \"{url}\"\npoll = \"1h\"\n")
    };
    let feeds: String = (0..20).map(feed).collect();
    let site = Site::new(&[&feeds, OUT, QUICK].concat());
    let daemon = Daemon::spawn(site.command(&["run"]));
    server.wait_for(6);
    daemon.wait("ready: ");
    assert_eq!(server.requests().len(), 6, "the others wait for their turn");
    gate.open();
    let requests = server.wait_for(20);
    daemon.stop();
    let connections = requests.iter().map(|request| request.connection).max().unwrap() + 1;
    assert!(connections < 14, "{connections} connections for 20 requests");
}
