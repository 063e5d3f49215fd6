//! What is asked once and remembered: sessions, limits of an instance; and where everything goes.

use super::{fedi, mastodon, records, sky, texts};
use crate::bluesky_server::{BlueskyServer, Trouble};
use crate::daemon_process::{FeedHost, QUICK, Site, news};
use crate::mastodon_server::Route;

#[test]
fn one_sign_in_serves_all_posts_and_all_starts() {
    let (blog, bluesky) = (FeedHost::start(vec![news("old")]), BlueskyServer::start());
    let site = Site::new(&[blog.config("blog"), sky(&bluesky), QUICK.into()].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for sky");
    for n in 1..=5 {
        blog.add(news(&n.to_string()));
        daemon.wait(&format!("published \"Entry {n}\" to sky"));
    }
    daemon.stop();
    assert_eq!(bluesky.logins(), 1);

    // a restart, and one that is no clean one
    let daemon = site.start();
    blog.add(news("6"));
    daemon.wait("published \"Entry 6\" to sky");
    daemon.kill();
    let daemon = site.start();
    blog.add(news("7"));
    daemon.wait("published \"Entry 7\" to sky");
    assert_eq!((bluesky.logins(), bluesky.seen_of("refreshSession").len()), (1, 0));

    // an access token that has lapsed is renewed, and the renewed one is kept
    bluesky.expire_tokens();
    blog.add(news("8"));
    daemon.wait("published \"Entry 8\" to sky");
    daemon.stop();
    let daemon = site.start();
    blog.add(news("9"));
    daemon.wait("published \"Entry 9\" to sky");
    daemon.stop();
    assert_eq!((bluesky.logins(), bluesky.seen_of("refreshSession").len()), (1, 1));
    assert_eq!(bluesky.seen_of("putRecord").len(), 9 + 1, "one of them met the lapsed token");
    assert_eq!(records(&bluesky).len(), 9);
    assert_eq!(bluesky.complaints(), [] as [&str; 0]);
}

#[test]
fn a_sign_in_whose_answer_is_lost_does_not_become_a_storm() {
    let (blog, bluesky) = (FeedHost::start(vec![news("old")]), BlueskyServer::start());
    let site = Site::new(&[blog.config("blog"), sky(&bluesky), QUICK.into()].concat());
    bluesky.script("createSession", Trouble::StoreThenClose);
    let daemon = site.start();
    daemon.wait("first sight of blog for sky");
    blog.add(news("1"));
    daemon.wait("published \"Entry 1\" to sky");
    daemon.stop();
    assert_eq!(bluesky.logins(), 2);
    assert_eq!(records(&bluesky), ["Entry 1"]);
}

#[test]
fn the_limits_of_an_instance_are_asked_once_a_day_and_obeyed() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    fediverse.set_max_characters(60);
    let site = Site::new(&[blog.config("blog"), fedi(&fediverse), QUICK.into()].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    for n in 1..=3 {
        let mut long = news(&n.to_string());
        long.title = "a word more ".repeat(20);
        // a top-level domain that exists: only such URLs count 23
        long.url = format!("https://example.com/{n}");
        blog.add(long);
        fediverse.wait_posted(n);
    }
    daemon.stop();
    let daemon = site.start();
    blog.add(news("4"));
    daemon.wait("published \"Entry 4\" to fedi");
    daemon.stop();
    assert_eq!(fediverse.count(Route::InstanceV2), 1);
    assert_eq!(fediverse.count(Route::Publish), 4, "none was too long");
    for (at, text) in texts(&fediverse)[..3].iter().enumerate() {
        let end = format!("… https://example.com/{}", at + 1);
        assert!(text.starts_with("a word more a word") && text.ends_with(&end), "{text}");
    }
}

#[test]
fn every_request_of_an_account_goes_to_its_base_url() {
    let (blog, fediverse, bluesky) =
        (FeedHost::start(vec![news("old")]), mastodon(), BlueskyServer::start());
    // the session names another server: `base_url` was given, so it counts
    bluesky.name_pds("https://pds.invalid");
    let site =
        Site::new(&[blog.config("blog"), fedi(&fediverse), sky(&bluesky), QUICK.into()].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for sky");
    blog.add(news("1"));
    daemon.wait("published \"Entry 1\" to fedi");
    daemon.wait("published \"Entry 1\" to sky");
    daemon.stop();
    let host = fediverse.url().authority().to_owned();
    let asked = fediverse.requests();
    assert!(asked.iter().all(|request| request.header("host") == Some(&host)), "{asked:#?}");
    let host = bluesky.url().authority().to_owned();
    let asked = bluesky.seen();
    assert!(asked.iter().all(|seen| seen.headers["host"] == host), "{asked:#?}");
    assert!(asked.len() >= 2);
}
