//! `check`: what is wrong, before it goes wrong.

use serde_json::json;

use super::site::Site;
use crate::bluesky_server::{APP_PASSWORD, BlueskyServer, HANDLE};
use crate::mastodon_server::{Family, Fault, MastodonServer, Reply, Route, TOKEN};
use crate::wire::{self, Server};

#[test]
fn a_good_config_is_ok_and_a_bad_one_is_not() {
    let site = Site::new("", "");
    assert_eq!(site.well(&["check"]), "ok: 1 feed, 1 account\n");
    assert_eq!(
        site.json(&["check"]),
        json!({
            "ok": true, "feeds": 1, "accounts": 1, "warnings": [], "problems": [], "online": null,
        })
    );
    assert!(
        !site.path("state").exists() && !site.path("out.jsonl").exists(),
        "a check made a file"
    );

    site.configure("[feeds.blog]\nurl = \"file:feed.xml\"\npol = \"1m\"\n");
    let said = site.run(&["check"]);
    assert_eq!((said.code, said.out.as_str()), (Some(78), ""));
    assert!(said.err.contains("config.toml:3: feeds.blog.pol"), "{}", said.err);
    assert!(said.err.ends_with("hint: run `posse-party check` after editing\n"), "{}", said.err);
    let said = site.run(&["check", "--json"]);
    assert_eq!((said.code, said.err.as_str()), (Some(78), ""));
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(report["problems"][0]["line"], 3);
    assert_eq!(report["problems"][0]["key"], "feeds.blog.pol");
}

#[test]
fn a_template_that_can_not_be_used_is_a_problem() {
    let site = Site::new("", "format_string = \"{{title|shout}}\"\n");
    let said = site.run(&["check"]);
    assert_eq!(said.code, Some(78));
    let expect = "accounts.out.format_string: `{{title|shout}}` can't be used: unknown filter";
    assert!(said.err.contains(expect), "{}", said.err);
}

#[test]
fn an_outbox_that_can_not_be_written_is_told_without_network() {
    let site = Site::new("", "");
    std::fs::create_dir(site.path("out.jsonl")).unwrap();
    let said = site.run(&["check"]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""));
    assert!(said.out.starts_with("✗ out: could not write to the outbox"), "{}", said.out);
    assert!(said.out.ends_with("not ok: 1 feed, 1 account\n"), "{}", said.out);
}

/// A config with a Mastodon account at `server`, and a second feed at `feed`.
fn online(server: &MastodonServer, feed: &str) -> Site {
    let site = Site::new(
        "",
        &format!(
            "[accounts.fediverse]\nplatform = \"mastodon\"\nbase_url = \"{}\"\n\
             access_token = \"{TOKEN}\"\n[feeds.far]\nurl = \"{feed}\"\n",
            server.url()
        ),
    );
    let _ = std::fs::set_permissions(
        site.path("config.toml"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    );
    site
}

#[test]
fn online_each_feed_and_account_is_asked_and_nothing_is_posted() {
    let server = MastodonServer::start(Family::Mastodon);
    let feeds = Server::start(|request| match request.path() {
        "/feed" => wire::Reply::ok(
            "<rss version=\"2.0\"><channel><title>Far</title><item><guid>1</guid>\
             <title>Hello</title></item></channel></rss>",
        ),
        _ => wire::Reply::status(500),
    });
    let mut site = online(&server, feeds.url("/feed").as_str());
    site.add("1", "Hello");
    let said = site.well(&["check", "--online"]);
    assert!(said.contains("✓ blog: atom 1.0, 1 entry, the newest is \"Hello\", "), "{said}");
    assert!(said.contains("✓ far: rss 2.0, 1 entry, the newest is \"Hello\"\n"), "{said}");
    assert!(said.contains("✓ fediverse: mastodon, @"), "{said}");
    assert!(said.contains("posts of up to 500 characters"), "{said}");
    assert!(said.ends_with("ok: 2 feeds, 2 accounts\n"), "{said}");
    let report = site.json(&["check", "--online"]);
    assert_eq!(report["online"]["accounts"][0]["label"], "fediverse");
    assert_eq!(report["online"]["accounts"][0]["ok"], true);
    assert_eq!(report["online"]["feeds"][1]["entries"], 1);
    assert_eq!(server.posts().len(), 0);
    assert_eq!(feeds.requests().len(), 2, "one GET for each check");
    assert!(!site.path("state").exists(), "something was stored");
}

#[test]
fn online_trouble_is_told_with_the_next_step() {
    let server = MastodonServer::start(Family::Mastodon);
    let refuse = Reply::error(401, "The access token is invalid");
    server.script(Route::Credentials, Fault::reply(refuse));
    let feeds = Server::start(|_| wire::Reply::status(500));
    let site = online(&server, feeds.url("/feed?key=secret").as_str());
    let said = site.run(&["check", "--online"]);
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""));
    let failed = "✗ far: failed to fetch `http://127.0.0.1:";
    assert!(said.out.contains(failed), "{}", said.out);
    assert!(said.out.contains("500 Internal Server Error\n    hint: is the URL"), "{}", said.out);
    assert!(said.out.contains("✗ fediverse: "), "{}", said.out);
    assert!(said.out.ends_with("not ok: 2 feeds, 2 accounts\n"), "{}", said.out);
    assert!(!said.out.contains("secret"), "{}", said.out);
}

/// Logins are few (300 a day, per account): what the daemon remembers serves the check too, but
/// only while it belongs to the credentials that are checked.
#[test]
fn a_check_spends_no_login_and_believes_no_old_one() {
    let server = BlueskyServer::start();
    let account = |password: &str| {
        format!(
            "[accounts.sky]\nplatform = \"bluesky\"\nidentifier = \"{HANDLE}\"\n\
             app_password = \"{password}\"\nbase_url = \"{}\"\ndelay = \"0s\"\n",
            server.url().origin().ascii_serialization()
        )
    };
    let mut site = Site::new("backfill = 1\n", &account(APP_PASSWORD));
    site.add("1", "Hello");
    site.once();
    assert_eq!((server.records().len(), server.logins()), (1, 1));
    let said = site.run(&["check", "--online"]);
    assert!(said.out.contains("✓ sky: bluesky, "), "{said:?}");
    assert_eq!(server.logins(), 1, "the session that is stored was not used");

    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    site.configure(&config.replace(APP_PASSWORD, "wron-gwro-ngwr-ongw"));
    let said = site.run(&["check", "--online"]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("✗ sky: "), "{said:?}");
    site.configure(&config);
    site.run(&["check", "--online"]);
    assert_eq!(server.logins(), 2, "only the wrong password was tried anew");
}
