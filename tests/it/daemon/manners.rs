//! How feeds are asked, over restarts and reloads.

use crate::daemon_process::{FeedHost, QUICK, Site, news};
use crate::wire::{Gate, Reply};

use super::OUT;

#[test]
fn a_feed_slower_than_its_pace_is_asked_again_as_soon_as_it_has_answered() {
    let blog = FeedHost::start(vec![news("old")]);
    let site = Site::new(&[&blog.config("blog"), OUT, QUICK].concat());
    let gate = Gate::default();
    blog.script(Reply::ok("").wait(&gate));
    let daemon = site.start();
    blog.server().wait_for(1);
    // longer than `poll`: the feed falls due while it is asked
    daemon.wait_for_lines(usize::MAX, std::time::Duration::from_millis(400));
    gate.open();
    blog.server().wait_for(3);
    daemon.stop();
}
