//! Cards on Threads, which reads nothing behind a redirect: their address is followed before.

use posse_party::clock::Clock;

use crate::daemon_process::{FeedHost, QUICK, Site, news};
use crate::threads_server::{TOKEN, ThreadsServer};
use crate::wire::{Reply, Server};
use crate::world::Item;

const OPEN: &str = "[http]\nallow_private = [\"127.0.0.1\"]\n";

/// The card of the post whose entry is at `/posts/1`, from the web that answers so, what `preview`
/// says of it, and the log.
fn card(extra: &str, answer: fn(&str) -> Reply) -> (String, String, String) {
    let web = Server::start(move |request| answer(&request.target));
    let (threads, blog) = (ThreadsServer::start(Clock::System), FeedHost::start(vec![news("old")]));
    let account = format!(
        "[accounts.threads]\nplatform = \"threads\"\naccess_token = \"{TOKEN}\"\n\
         base_url = \"{}\"\ndelay = \"0s\"\n",
        threads.url()
    );
    let site = Site::new(&[&blog.config("blog"), &account, extra, QUICK].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for threads");
    let url = web.url("/posts/1#top").to_string();
    blog.add(Item { url: url.clone(), ..news("1") });
    daemon.wait("published \"Entry 1\" to threads: ");
    let posts = threads.posts();
    let [post] = posts.as_slice() else { panic!("{posts:?}") };
    let card = post.params["link_attachment"].replace(web.url("/").as_str(), "/");
    let preview = site.command(&["preview", &url]).output().unwrap();
    let log = daemon.stop();
    assert_eq!(threads.complaints(), [] as [&str; 0]);
    (card, String::from_utf8(preview.stdout).unwrap(), log)
}

fn page() -> Reply {
    Reply::ok("<title>x</title>").header("Content-Type", "text/html")
}

#[test]
fn a_card_leads_to_where_its_page_stands_in_the_end() {
    let (card, preview, log) = card(OPEN, |target| match target {
        "/posts/1" => Reply::redirect(302, "/posts/1/?from=feed"),
        "/posts/1/?from=feed" => Reply::redirect(301, "/2026/one"),
        _ => page(),
    });
    assert_eq!(card, "/2026/one#top");
    assert!(log.contains("/2026/one#top`, to which its address redirects"), "{log}");
    assert!(preview.contains("/2026/one#top (threads reads the page itself)"), "{preview}");
}

#[test]
fn what_can_t_be_followed_stays_as_it_is() {
    let check = |extra: &str, answer: fn(&str) -> Reply| {
        let (card, _, log) = card(extra, answer);
        assert_eq!(card, "/posts/1#top");
        assert!(!log.contains("to which its address redirects"), "{log}");
    };
    check(OPEN, |_| page());
    check(OPEN, |target| match target {
        "/posts/1" => Reply::redirect(302, "/gone"),
        _ => Reply::status(404),
    });
    check(OPEN, |_| Reply::redirect(302, "http://169.254.169.254/latest/meta-data/"));
    check(OPEN, |_| Reply::redirect(302, "/posts/1"));
    check("", |_| Reply::redirect(302, "/elsewhere"));
}
