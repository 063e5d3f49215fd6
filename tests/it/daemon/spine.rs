//! From a feed to posts: everything once, as it should look, and nothing a second time.

use serde_json::json;

use super::{OUT, fedi, mastodon, records, sky, texts};
use crate::bluesky_server::BlueskyServer;
use crate::daemon_process::{Daemon, FeedHost, QUICK, Site, news};
use crate::mastodon_server::{Answer, Effect, Fault, Reply, Route};
use crate::wire::Gate;
use crate::world::atom;

#[test]
fn a_new_entry_is_on_every_account_once_and_a_second_start_repeats_nothing() {
    let (blog, fediverse, bluesky) =
        (FeedHost::start(vec![news("old")]), mastodon(), BlueskyServer::start());
    let config = [&blog.config("blog"), &fedi(&fediverse), &sky(&bluesky), OUT, QUICK].concat();
    let site = Site::new(&config);
    let daemon = site.start();
    for account in ["fedi", "sky", "out"] {
        let line = daemon.wait(&format!("first sight of blog for {account}"));
        assert!(line.contains("`posse-party publish ENTRY --to "), "{line}");
    }
    let mut hello = news("1");
    hello.title = "Grüße aus #Köln & \"Bonn\"".replace('&', "&amp;");
    blog.add(hello);
    let title = "Grüße aus #Köln & \"Bonn\"";
    daemon.wait(&format!("new in blog: \"{title}\", for 3 accounts"));
    let line = daemon.wait(&format!("published \"{title}\" to fedi: "));
    let url = &fediverse.posts()[0].url;
    assert!(line.contains(url), "{line}");
    let line = daemon.wait(&format!("published \"{title}\" to sky: https://bsky.app/profile/"));
    let record = bluesky.records().remove(0);
    assert!(line.contains(&format!("/post/{}", record.rkey)), "{line}");
    daemon.wait(&format!("published \"{title}\" to out: "));

    let with_url = format!("{title} https://a.example/1");
    assert_eq!(texts(&fediverse), [with_url.as_str()]);
    assert_eq!(site.outbox("out.jsonl"), [with_url.as_str()]);
    assert_eq!(records(&bluesky), [title]);
    // `#Köln` in bytes: ü and ß take two before it, ö two in it
    let facet = json!([{
        "index": {"byteStart": 12, "byteEnd": 18},
        "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "Köln"}],
    }]);
    assert_eq!(record.value["facets"], facet);
    let card = &record.value["embed"];
    assert_eq!(card["$type"], "app.bsky.embed.external");
    assert_eq!(card["external"]["uri"], "https://a.example/1");
    assert_eq!(card["external"]["title"], title);
    daemon.stop();

    let daemon = site.start();
    blog.wait_for_more(3);
    let log = daemon.stop();
    assert!(!log.contains("published") && !log.contains("first sight"), "{log}");
    assert_eq!(texts(&fediverse).len(), 1);
    assert_eq!(records(&bluesky).len(), 1);
    assert_eq!(site.outbox("out.jsonl").len(), 1);
    assert_eq!(bluesky.complaints(), [] as [&str; 0]);
}

#[test]
fn a_running_daemon_sees_an_edited_file() {
    let site = Site::new(&format!(
        "[feeds.blog]\nurl = \"file:blog.xml\"\npoll = \"150ms\"\n{OUT}{QUICK}"
    ));
    site.write("blog.xml", &atom(&[news("old")]));
    let daemon = site.start();
    daemon.wait("first sight of blog for out");
    site.write("blog.xml", &atom(&[news("1"), news("old")]));
    daemon.wait("published \"Entry 1\" to out");
    // an edit is no news
    let mut edited = news("1");
    edited.title = "Edited".into();
    site.write("blog.xml", &atom(&[news("2"), edited, news("old")]));
    daemon.wait("published \"Entry 2\" to out");
    daemon.stop();
    assert_eq!(
        site.outbox("out.jsonl"),
        ["Entry 1 https://a.example/1", "Entry 2 https://a.example/2"]
    );
}

#[test]
fn once_polls_publishes_and_ends() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    // its next poll would be in a minute: `--once` asks all the same
    let config =
        [blog.config("blog").replace("150ms", "1m"), fedi(&fediverse), QUICK.into()].concat();
    let site = Site::new(&config);
    let (code, log) = site.run(&["run", "--once"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("first sight of blog for fedi"), "{log}");
    blog.add(news("1"));
    blog.add(news("2"));
    let (code, log) = site.run(&["run", "--once"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("published \"Entry 2\" to fedi"), "{log}");
    assert_eq!(
        texts(&fediverse),
        ["Entry 1 https://a.example/1", "Entry 2 https://a.example/2"],
        "the oldest first"
    );
    let (code, log) = site.run(&["run", "--once"]);
    assert_eq!((code, log.contains("published")), (Some(0), false), "{log}");
    let requests = blog.server().requests();
    assert_eq!(requests.len(), 3, "one request in each run");
    assert!(requests[2].header("if-none-match").is_some());
}

#[test]
fn a_dry_run_opens_no_connection() {
    let (blog, fediverse, bluesky) =
        (FeedHost::start(vec![news("old")]), mastodon(), BlueskyServer::start());
    let dry = |account: String| account.replace("delay", "dry_run = true\ndelay");
    let config =
        [blog.config("blog"), dry(fedi(&fediverse)), dry(sky(&bluesky)), QUICK.into()].concat();
    let site = Site::new(&config);
    let daemon = site.start();
    daemon.wait("first sight of blog for sky");
    blog.add(news("1"));
    daemon.wait("dry run: would post to fedi (mastodon): Entry 1 https://a.example/1");
    daemon.wait("dry run: would post to sky (bluesky): Entry 1");
    daemon.stop();
    // another process on the same folder repeats nothing either
    let log = Daemon::spawn(site.command(&["run", "--once"])).end().1;
    assert!(!log.contains("would post"), "{log}");
    assert_eq!(fediverse.connections(), 0);
    assert_eq!(bluesky.connections(), 0);
}

#[test]
fn a_doubt_on_a_dry_run_is_told_and_asked_about_when_that_is_over() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let held = Fault { effect: Effect::Done, answer: Answer::Held(Gate::default()) };
    fediverse.script(Route::Publish, held);
    let config = |account: String| [blog.config("blog"), account, QUICK.into()].concat();
    let site = Site::new(&config(fedi(&fediverse)));
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    fediverse.wait_asked(Route::Publish, 1);
    daemon.kill();
    site.configure(&config(fedi(&fediverse).replace("delay", "dry_run = true\ndelay")));
    let daemon = site.start();
    let line = daemon.wait("\"Entry 1\" may or may not be on fedi, and a dry run does not ask");
    assert!(line.contains("`posse-party resolve 2`"), "{line}");
    daemon.stop();
    site.configure(&config(fedi(&fediverse)));
    let daemon = site.start();
    daemon.wait("published \"Entry 1\" to fedi");
    let log = daemon.stop();
    assert!(!log.contains("a dry run does not ask"), "{log}");
    assert_eq!(texts(&fediverse).len(), 1);
}

#[test]
fn the_line_about_a_rate_limit_says_when_it_goes_on() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    fediverse.script(Route::Publish, Fault::reply(Reply::error(429, "Too many requests")));
    let site = Site::new(&[blog.config("blog"), fedi(&fediverse), QUICK.into()].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    let line = daemon.wait("\"Entry 1\" is not on fedi yet, trying again in ");
    // five minutes, less what a busy machine took until the line
    assert!(line.contains("again in 4m 5") || line.contains("again in 5m: "), "{line}");
    daemon.stop();
}
