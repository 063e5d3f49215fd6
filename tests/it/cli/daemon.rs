//! A daemon that runs notices what a command has changed, long before it would look by itself.

use super::site::Site;

#[test]
fn a_running_daemon_notices_at_once() {
    let site = Site::polled("", "approve = true\n");
    let daemon = site.daemon();
    let said = site.well(&["publish", "https://a.example/old"]);
    assert_eq!(said, "publishing \"Old\" to out\nthe daemon runs and notices at once\n");
    daemon.says("published \"Old\" to out");
    assert_eq!(site.posts(), ["Old https://a.example/old"]);
    assert_eq!(site.json(&["status"])["daemon"], "running");
    daemon.stop();
    assert_eq!(site.json(&["status"])["daemon"], "stopped");
}

#[test]
fn a_running_daemon_polls_and_releases_when_told() {
    // by itself it would ask again in a day
    let mut site = Site::polled("poll = \"24h\"\n", "approve = true\n");
    let daemon = site.daemon();
    site.add("1", "Hello");
    assert_eq!(site.well(&["poll"]), "1 feed due now: the daemon runs and notices at once\n");
    daemon.says("1 crosspost of blog held (waits for approval)");
    site.well(&["release", "blog"]);
    daemon.says("published \"Hello\" to out");
    let copy = site.well(&["backup", "copy.db"]);
    assert!(copy.starts_with("copied the database to "), "{copy}");
    daemon.stop();
    assert_eq!(site.posts(), ["Hello https://a.example/1"]);
}
