//! kill -9 anywhere: each entry is on each account exactly once, in order, whatever was in flight
//! and whatever answers were lost.

use std::time::Duration;

use super::{HASTY, OUT, fedi, mastodon, records, sky, texts};
use crate::bluesky_server::{BlueskyServer, Trouble};
use crate::daemon_process::{FeedHost, Site, news};
use crate::mastodon_server::{Answer, Effect, Fault, Route};

/// How often the daemon is killed.
const KILLS: usize = 25;

/// The same numbers in every run: xorshift of Marsaglia (2003).
struct Dice(u64);

impl Dice {
    /// A number from 0 to `below` - 1.
    fn roll(&mut self, below: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below).unwrap()
    }
}

#[test]
fn a_kill_at_any_point_loses_and_doubles_nothing() {
    let (blog, fediverse, bluesky) =
        (FeedHost::start(vec![news("old")]), mastodon(), BlueskyServer::start());
    let feed = blog.config("blog") + "max_new = 100\n";
    let site = Site::new(&[&feed, &fedi(&fediverse), &sky(&bluesky), OUT, HASTY].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for out");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let unanswered = Fault { effect: Effect::Done, answer: Answer::Silence };
    let (mut daemon, mut in_flight) = (Some(daemon), 0);
    for n in 0..KILLS {
        let running = daemon.take().unwrap_or_else(|| site.start());
        match dice.roll(6) {
            0 => fediverse.script(Route::Publish, Fault::lost()),
            1 => fediverse.script(Route::Publish, Fault::dropped()),
            2 => fediverse.script(Route::Publish, unanswered.clone()),
            3 => bluesky.script("putRecord", Trouble::StoreThenClose),
            4 => bluesky.script("putRecord", Trouble::Silence),
            _ => bluesky.script("putRecord", Trouble::HangUp),
        }
        let (posts, requests) = (fediverse.requests().len(), bluesky.seen().len());
        let (polls, lines) = (blog.server().requests().len(), running.log().len());
        for part in 0..=dice.roll(2) {
            blog.add(news(&format!("{n}-{part}")));
        }
        let most = Duration::from_millis(600);
        match dice.roll(5) {
            0 => fediverse.wait_requests(posts + 1 + dice.roll(3), most),
            1 => bluesky.wait_requests(requests + 1 + dice.roll(2), most),
            2 => drop(blog.server().wait_for(polls + 1 + dice.roll(3))),
            3 => running.wait_for_lines(lines + 1 + dice.roll(8), most),
            // at a moment that no event marks
            _ => running.wait_for_lines(usize::MAX, most * (1 + dice.roll(100) as u32) / 200),
        }
        let log = running.kill();
        in_flight += usize::from(log.contains("the last run ended in the middle"));
    }
    assert!(in_flight > 3, "{in_flight} of {KILLS} kills met an attempt in flight");
    blog.add(news("last"));
    let daemon = site.start();
    let expect: Vec<String> = {
        let mut titles = Vec::new();
        blog.change(|items| titles.extend(items.iter().rev().skip(1).map(|it| it.id.clone())));
        titles.iter().map(|id| id.rsplit(':').next().unwrap().to_owned()).collect()
    };
    let with_url: Vec<_> =
        expect.iter().map(|id| format!("Entry {id} https://a.example/{id}")).collect();
    let plain: Vec<_> = expect.iter().map(|id| format!("Entry {id}")).collect();
    fediverse.wait_posted(expect.len());
    bluesky.wait_records(expect.len());
    for account in ["fedi", "sky", "out"] {
        daemon.wait(&format!("published \"Entry last\" to {account}"));
    }
    daemon.stop();
    assert_eq!(texts(&fediverse), with_url);
    assert_eq!(records(&bluesky), plain);
    assert_eq!(site.outbox("out.jsonl"), with_url);
    assert_eq!(bluesky.complaints(), [] as [&str; 0]);
    assert!(bluesky.logins() <= 2, "{} sign-ins", bluesky.logins());
}
