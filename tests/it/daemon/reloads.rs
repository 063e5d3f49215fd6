//! A changed config on SIGHUP: applied whole or refused whole, while posts are in flight.

use rustix::process::Signal;

use super::{OUT, fedi, mastodon, sky, texts};
use crate::bluesky_server::{APP_PASSWORD, BlueskyServer};
use crate::daemon_process::{FeedHost, QUICK, Site, news};
use crate::mastodon_server::{Answer, Effect, Fault, Route};
use crate::wire::Gate;

#[test]
fn accounts_and_feeds_come_and_go() {
    let (blog, notes, fediverse) =
        (FeedHost::start(vec![news("old")]), FeedHost::start(vec![news("note-old")]), mastodon());
    let before = [blog.config("blog"), fedi(&fediverse), QUICK.into()].concat();
    let site = Site::new(&before);
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    daemon.wait("published \"Entry 1\" to fedi");

    // a new account and a new feed begin with what comes next
    site.configure(&[before.as_str(), &notes.config("notes"), OUT].concat());
    daemon.reload();
    assert!(daemon.count("reloaded: 2 feeds, 2 accounts") == 1);
    let line = daemon.wait("first sight of blog for out");
    assert!(line.contains("(2 items)"), "{line}");
    daemon.wait("first sight of notes for fedi");
    daemon.wait("first sight of notes for out");
    notes.add(news("note-1"));
    daemon.wait("published \"Entry note-1\" to fedi");
    daemon.wait("published \"Entry note-1\" to out");

    // a removed account gets nothing any more, not even what waited
    let slow = OUT.replace("\"0s\"", "\"1h\"");
    site.configure(&[&blog.config("blog"), &fedi(&fediverse), slow.as_str(), QUICK].concat());
    daemon.reload();
    blog.add(news("2"));
    daemon.wait("published \"Entry 2\" to fedi");
    site.configure(&[&blog.config("blog"), OUT, QUICK].concat());
    daemon.reload();
    let asked = fediverse.requests().len();
    let asked_notes = notes.server().requests().len();
    blog.add(news("3"));
    daemon.wait("published \"Entry 3\" to out");
    assert_eq!(fediverse.requests().len(), asked);
    assert!(notes.server().requests().len() <= asked_notes + 1, "one may be under way");
    daemon.stop();
    assert_eq!(texts(&fediverse).len(), 3);
}

#[test]
fn a_changed_account_goes_on_under_its_new_settings() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let config = [blog.config("blog"), fedi(&fediverse), QUICK.into()].concat();
    let site = Site::new(&config);
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    for (n, format) in ["one: {{title}}", "two: {{title}}", "three: {{title}}"].iter().enumerate() {
        let format = format!("format_string = \"{format}\"\ndelay");
        site.configure(&config.replace("delay", &format));
        daemon.reload();
        blog.add(news(&n.to_string()));
        daemon.wait(&format!("published \"Entry {n}\" to fedi"));
    }
    daemon.stop();
    let wanted = ["one: Entry 0", "two: Entry 1", "three: Entry 2"];
    for (text, wanted) in texts(&fediverse).iter().zip(wanted) {
        assert!(text.starts_with(wanted), "{text}");
    }
}

#[test]
fn a_reload_while_an_attempt_is_in_flight_makes_one_post() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let gate = Gate::default();
    let held = Fault { effect: Effect::Done, answer: Answer::Held(gate.clone()) };
    fediverse.script(Route::Publish, held);
    let delivery = QUICK.replace("\"2s\"", "\"30s\"");
    let config = [blog.config("blog"), fedi(&fediverse), delivery].concat();
    let site = Site::new(&config);
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    fediverse.wait_asked(Route::Publish, 1);
    site.configure(&config.replace("delay", "cooldown = \"1ms\"\ndelay"));
    daemon.send(Signal::HUP);
    daemon.send(Signal::USR1);
    gate.open();
    daemon.wait("reloaded: ");
    blog.add(news("2"));
    daemon.wait("published \"Entry 2\" to fedi");
    assert_eq!(daemon.count("published \"Entry 1\" to fedi"), 1);
    daemon.stop();
    assert_eq!(fediverse.count(Route::Publish), 2);
    assert_eq!(texts(&fediverse).len(), 2);
}

#[test]
fn a_bad_config_is_refused_with_all_its_mistakes_and_the_old_one_goes_on() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let config = [blog.config("blog"), fedi(&fediverse), QUICK.into()].concat();
    let site = Site::new(&config);
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    let bad = [OUT, &config.replace("delay", "dellay").replace("150ms", "5")].concat();
    site.configure(&bad);
    daemon.send(Signal::HUP);
    daemon.wait("the config is not applied, the running one stays");
    blog.add(news("1"));
    daemon.wait("published \"Entry 1\" to fedi");
    assert_eq!(daemon.count("reloaded: "), 0);
    site.configure("this is no TOML");
    daemon.send(Signal::HUP);
    daemon.wait_nth("the config is not applied", 2);
    site.configure(&config);
    daemon.reload();
    let log = daemon.stop();
    for mistake in [
        "feeds.blog.poll: `5` has no unit, want for example `5m`",
        "accounts.fedi.dellay: unknown key, want `delay`",
        "is not TOML",
    ] {
        assert!(log.contains(mistake), "{mistake}: {log}");
    }
    assert!(!site.path("out.jsonl").exists(), "nothing of a bad config is applied");
}

#[test]
fn new_credentials_wake_a_parked_account_and_nothing_else_does() {
    let (blog, bluesky) = (FeedHost::start(vec![news("old")]), BlueskyServer::start());
    bluesky.change_password("zzzz-new1-pass-word");
    let config = [blog.config("blog"), sky(&bluesky), QUICK.into()].concat();
    let site = Site::new(&config);
    let daemon = site.start();
    daemon.wait("first sight of blog for sky");
    blog.add(news("1"));
    let line = daemon.wait("sky is parked, its queue waits");
    assert!(line.contains("alert=\"opened\"") || line.contains("alert=opened"), "{line}");
    // the same credentials change nothing, whatever else does
    site.configure(&config.replace("delay", "cooldown = \"1ms\"\ndelay"));
    daemon.reload();
    blog.add(news("2"));
    daemon.wait("new in blog: \"Entry 2\"");
    daemon.send(Signal::USR1);
    daemon.wait("polling 1 feed now, as asked");
    assert_eq!(bluesky.logins(), 1);
    site.configure(&config.replace(APP_PASSWORD, "zzzz-new1-pass-word"));
    daemon.reload();
    let line = daemon.wait("sky has new credentials and publishes again");
    assert!(line.contains("account:sky"), "{line}");
    daemon.wait("published \"Entry 1\" to sky");
    daemon.wait("published \"Entry 2\" to sky");
    assert_eq!(daemon.count("is parked"), 1, "one alert");
    daemon.stop();
    assert_eq!(bluesky.logins(), 2);
    assert_eq!(bluesky.records().len(), 2);
}

#[test]
fn usr1_polls_now_and_asks_conditionally() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let feed = blog.config("blog").replace("150ms", "1h");
    let site = Site::new(&[feed, fedi(&fediverse), QUICK.into()].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    daemon.send(Signal::USR1);
    blog.server().wait_for(2);
    blog.add(news("1"));
    daemon.send(Signal::USR1);
    daemon.wait("published \"Entry 1\" to fedi");
    daemon.stop();
    let requests = blog.server().requests();
    let sent: Vec<_> = requests.iter().map(|request| request.header("if-none-match")).collect();
    assert_eq!(sent[..2], [None, Some("W/\"v0-gzip\"")]);
    assert!(sent[1..].iter().all(Option::is_some), "{sent:?}");
}
