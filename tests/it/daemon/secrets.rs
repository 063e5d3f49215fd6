//! Secrets: nobody reads them, whatever goes wrong and however much is logged.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{HASTY, fedi, mastodon, sky};
use crate::bluesky_server::{APP_PASSWORD, BlueskyServer, Trouble};
use crate::daemon_process::{Daemon, FeedHost, Site, news};
use crate::mastodon_server::{Answer, Effect, Fault, Reply, Route, TOKEN};

/// The ways in which `secret` could be written down.
fn spellings(secret: &str) -> Vec<String> {
    let mut spellings = vec![
        secret.to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    // base64 of the secret alone, and in the middle of something else: three alignments
    for before in ["", "x", "xy"] {
        let text = format!("{before}{secret}");
        for code in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let inside = code.trim_end_matches('=');
            spellings.push(inside[4..inside.len() - 3].to_owned());
        }
    }
    spellings
}

/// Fails when `text` holds one of `secrets` in any spelling.
fn assert_clean(what: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        for spelling in spellings(secret) {
            assert!(!text.contains(&spelling), "{what} holds `{spelling}` of `{secret}`:\n{text}");
        }
    }
}

#[test]
fn no_log_no_argument_no_list_shows_one() {
    let (blog, fediverse, bluesky) =
        (FeedHost::start(vec![news("old")]), mastodon(), BlueskyServer::start());
    // a feed whose URL holds one
    let private = FeedHost::start(vec![news("private-old")]);
    let key = "marked-key-of-the-private-feed";
    let feed = private.config("private").replace("feed.xml", &format!("feed.xml?key={key}"));
    let account = format!(
        "[accounts.fedi]\nplatform = \"mastodon\"\nbase_url = \"{}\"\ndelay = \"0s\"\n\
         access_token = {{ file = \"fedi.token\" }}\n",
        fediverse.url()
    );
    let log = "[log]\nlevel = \"trace,hyper=trace,hyper_util=trace,reqwest=trace\"\n";
    let config = [&blog.config("blog"), &feed, &account, &sky(&bluesky), HASTY, log].concat();
    let site = Site::new(&config);
    site.write("fedi.token", &format!("{TOKEN}\n"));

    // everything fails once in every way, and what can quote a secret quotes it
    let echo = |status| {
        let body = json!({ "error": format!("Bearer {TOKEN} is no good") });
        Fault::reply(Reply::json(status, &body).with("X-Echo", format!("Bearer {TOKEN}")))
    };
    for status in [422, 500, 503] {
        fediverse.script(Route::Publish, echo(status));
    }
    fediverse.script(Route::Publish, Fault::lost());
    fediverse.script(Route::Statuses, echo(500));
    fediverse.script(Route::InstanceV2, echo(404));
    let silent = Fault { effect: Effect::None, answer: Answer::Silence };
    fediverse.script(Route::Publish, silent);
    fediverse.script(Route::Publish, Fault { effect: Effect::Done, answer: Answer::Garbage });
    bluesky.script("putRecord", Trouble::StoreThenFail);
    bluesky.script("putRecord", Trouble::Garbage);
    bluesky.script("putRecord", Trouble::Refuse(400, "ExpiredToken", "Token has expired"));
    bluesky.script("refreshSession", Trouble::HangUp);
    private.script(crate::wire::Reply::status(500).body(key));
    private.script(crate::wire::Reply::ok(format!("<html>{key}</html>")));

    let daemon = Daemon::spawn(site.command(&["run"]));
    daemon.wait("ready: ");
    daemon.wait("first sight of blog for sky");
    for n in 1..=4 {
        blog.add(news(&n.to_string()));
        daemon.wait(&format!("new in blog: \"Entry {n}\""));
    }
    for n in 2..=4 {
        daemon.wait(&format!("published \"Entry {n}\" to fedi"));
        daemon.wait(&format!("published \"Entry {n}\" to sky"));
    }
    daemon.wait("feed private can't be read");
    daemon.wait("feed private is readable again");
    // accounts are parked, with the servers' own words
    fediverse.script(Route::Publish, echo(401));
    bluesky.script("putRecord", Trouble::Redirect(format!("http://x.test/?p={APP_PASSWORD}")));
    blog.add(news("5"));
    daemon.wait("fedi is parked");
    daemon.wait("sky is parked");
    let process = daemon.pid().as_raw_nonzero();
    let arguments = std::fs::read(format!("/proc/{process}/cmdline")).unwrap();
    let log = daemon.stop();

    let mut secrets: Vec<String> = [TOKEN, APP_PASSWORD, key].map(str::to_owned).into();
    secrets.extend(bluesky.tokens());
    assert!(secrets.len() > 4, "sessions were renewed: {secrets:?}");
    assert_clean("the log", &log, &secrets);
    assert_clean("the command line", &String::from_utf8_lossy(&arguments), &secrets);
    assert!(log.contains("[redacted]"), "the platforms quoted secrets: {log}");
    let database = rusqlite::Connection::open(site.database()).unwrap();
    for table in ["crossposts", "crosspost_notes", "attempts", "incidents", "feeds"] {
        let mut statement = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (at, name) in names.iter().enumerate().take(columns) {
                // the address of a feed is what the owner wrote
                if ["url", "validators_url"].contains(&name.as_str()) {
                    continue;
                }
                let value = format!("{:?}", row.get_ref(at).unwrap());
                assert_clean(&format!("{table}.{name}"), &value, &secrets);
            }
        }
    }
}

#[test]
fn a_config_with_mistakes_shows_none() {
    let site = Site::new(&format!(
        "[feeds.blog]\nurl = \"https://ada:{TOKEN}@a.example/feed\"\n\
         [accounts.fedi]\nplatform = \"mastodon\"\nbase_url = \"http://{TOKEN}@x/\"\n\
         access_token = \"{TOKEN}\\n{TOKEN}\"\n[accounts.sky]\nplatform = \"bluesky\"\n\
         identifier = \"ada.test\"\napp_password = {{ file = \"missing\" }}\n\
         app_pasword = \"{APP_PASSWORD}\"\n"
    ));
    let (code, log) = site.run(&["run"]);
    assert_eq!(code, Some(78), "{log}");
    assert!(log.contains("accounts.sky.app_pasword: unknown key"), "{log}");
    assert_clean("the list of mistakes", &log, &[TOKEN.into(), APP_PASSWORD.into()]);
}

#[test]
fn a_secret_is_hidden_from_the_first_line_after_a_reload_on() {
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let body = json!({ "error": format!("{TOKEN} is unknown") });
    fediverse.script(Route::Publish, Fault::reply(Reply::json(500, &body)));
    let site = Site::new(&[&blog.config("blog"), HASTY, "[log]\nlevel = \"trace\"\n"].concat());
    let daemon = site.start();
    let config = [&blog.config("blog"), &fedi(&fediverse), HASTY].concat();
    site.configure(&(config + "[log]\nlevel = \"trace\"\n"));
    daemon.reload();
    daemon.wait("first sight of blog for fedi");
    blog.add(news("1"));
    daemon.wait("published \"Entry 1\" to fedi");
    assert_clean("the log", &daemon.stop(), &[TOKEN.into()]);
}
