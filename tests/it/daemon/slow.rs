//! What a platform works on: it is waited for across restarts, and holds up nobody.

use posse_party::clock::Clock;

use crate::daemon_process::{FeedHost, QUICK, Site, news};
use crate::threads_server::{TOKEN, ThreadsServer, Trouble};

/// The account `threads`.
fn threads(server: &ThreadsServer) -> String {
    format!(
        "[accounts.threads]\nplatform = \"threads\"\nbase_url = \"{}\"\n\
         access_token = \"{TOKEN}\"\ndelay = \"0s\"\n",
        server.url()
    )
}

fn texts(server: &ThreadsServer) -> Vec<String> {
    server.posts().iter().map(|post| post.params["text"].clone()).collect()
}

#[test]
fn a_post_that_is_worked_on_lets_the_next_one_pass_and_survives_a_kill() {
    let blog = FeedHost::start(vec![news("old")]);
    let server = ThreadsServer::start(Clock::System);
    let site = Site::new(&[blog.config("blog"), threads(&server), QUICK.into()].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for threads");
    server.set_busy(4); // 2 + 3 + 5 s within the attempt, and then it is left to Threads
    blog.add(news("1"));
    daemon.wait("\"Entry 1\" is being processed by threads, looking again in 10s");
    server.set_busy(0);
    blog.add(news("2"));
    daemon.wait("published \"Entry 2\" to threads: https://www.threads.net/@");
    assert_eq!(texts(&server), ["Entry 2"]);
    daemon.kill();
    let daemon = site.start();
    daemon.wait("published \"Entry 1\" to threads");
    daemon.stop();
    assert_eq!(texts(&server), ["Entry 2", "Entry 1"]);
    assert_eq!(server.seen_of("create").len(), 2, "one container each");
    assert_eq!(server.complaints(), [] as [&str; 0]);
}

#[test]
fn a_card_that_threads_can_not_read_goes_into_the_text() {
    let blog = FeedHost::start(vec![news("old")]);
    let server = ThreadsServer::start(Clock::System);
    let site = Site::new(&[blog.config("blog"), threads(&server), QUICK.into()].concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for threads");
    server.refuse_cards();
    server.script("publish", Trouble::RefuseInWords(-1, Some(4_279_047), "Fatal"));
    blog.add(news("1"));
    daemon.wait("\"Entry 1\" goes to threads without its card, with the URL in its text");
    daemon.wait("published \"Entry 1\" to threads");
    daemon.stop();
    let posts = server.posts();
    assert_eq!(posts.len(), 1);
    assert!(posts[0].params["text"].starts_with("Entry 1 http"), "{posts:?}");
    assert!(!posts[0].params.contains_key("link_attachment"));
    assert_eq!(server.complaints(), [] as [&str; 0]);
}
