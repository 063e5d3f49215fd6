//! Secrets appear nowhere: every command, and every way to fail, with marked secrets in the config
//! and servers that send back all that they were sent.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::site::{Said, Site, said};
use crate::wire::{Reply, Server};

/// The marks: what follows them is awkward on purpose.
const LITERAL: &str = "marked-literal/ä+1 \"x\"";
const FROM_ENV: &str = "marked-env?&=%20";
const FROM_FILE: &str = "marked-file-abcd-efgh";
const CREDENTIAL: &str = "marked-cred-abcd-efgh";
const OF_FEED: &str = "marked-feed-password";
const OF_QUERY: &str = "marked-query-key";
const MARKS: [&str; 6] = [LITERAL, FROM_ENV, FROM_FILE, CREDENTIAL, OF_FEED, OF_QUERY];

/// What no output may hold. The beginning of a mark survives percent-encoding and escapes.
fn forbidden() -> Vec<String> {
    let mut words: Vec<String> = MARKS.iter().map(|mark| mark[..11].to_owned()).collect();
    for mark in MARKS {
        for offset in 0..3 {
            // whatever stands before it: the inner part of each of the three alignments
            let text = STANDARD.encode([&b"xx"[..offset], mark.as_bytes()].concat());
            words.push(text[4..text.len() - 4].to_owned());
        }
    }
    words
}

/// A server that answers with `status` and with all it was sent; `/feed` is a feed.
fn echo(status: u16) -> Server {
    Server::start(move |request| {
        if request.path() == "/feed" {
            return Reply::ok(
                "<rss version=\"2.0\"><channel><title>A blog</title><item><guid>1</guid>\
                 <title>Hello</title><link>https://a.example/1</link></item></channel></rss>",
            );
        }
        let headers: Vec<String> = request
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
            .collect();
        let body = String::from_utf8_lossy(&request.body);
        let all = format!("{} {} {}", request.target, headers.join(" "), body);
        let away = format!("http://127.0.0.1:1/{all}");
        let reply = Reply::json(
            status,
            &serde_json::json!({"error": all, "message": all, "error_description": all}),
        );
        reply.header("Location", away.replace(['\r', '\n'], " "))
    })
}

fn config(server: &Server) -> String {
    let base = server.url("");
    let base = base.as_str().trim_end_matches('/');
    let at = server.address();
    format!(
        "database = 'posts.db'\n\
         [feeds.blog]\n\
         url = 'http://{at}/feed?key={OF_QUERY}'\n\
         backfill = 1\n\
         [feeds.broken]\n\
         url = 'http://{at}/broken?key={OF_QUERY}'\n\
         [accounts.literal]\n\
         platform = 'mastodon'\n\
         base_url = '{base}'\n\
         access_token = '{LITERAL}'\n\
         delay = '0s'\n\
         [accounts.env]\n\
         platform = 'mastodon'\n\
         base_url = '{base}'\n\
         access_token = {{ env = 'TOKEN' }}\n\
         delay = '0s'\n\
         [accounts.file]\n\
         platform = 'bluesky'\n\
         identifier = 'me.example.com'\n\
         base_url = '{base}'\n\
         app_password = {{ file = 'password' }}\n\
         delay = '0s'\n\
         [accounts.cred]\n\
         platform = 'bluesky'\n\
         identifier = 'you.example.com'\n\
         base_url = '{base}'\n\
         app_password = {{ credential = 'password' }}\n\
         delay = '0s'\n"
    )
}

/// Runs a command and looks through all it says.
fn search(site: &Site, arguments: &[&str], level: &str) -> Said {
    let mut command = site.command(arguments);
    command.env("TOKEN", FROM_ENV).env("CREDENTIALS_DIRECTORY", site.path("credentials"));
    command.env("POSSE_PARTY_LOG", level);
    let said = said(&command.output().unwrap());
    for word in forbidden() {
        for text in [&said.out, &said.err] {
            assert!(!text.contains(&word), "`{word}` in the answer to {arguments:?}: {text}");
        }
    }
    assert!(!said.err.contains("panicked"), "{said:?}");
    said
}

fn site(config: &str) -> Site {
    let site = Site::new("", "");
    fs::create_dir(site.path("credentials")).unwrap();
    fs::write(site.path("credentials/password"), CREDENTIAL).unwrap();
    fs::write(site.path("password"), FROM_FILE).unwrap();
    site.configure(config);
    site
}

/// Every command, once while all is as `status` makes it.
fn every_command(status: u16) {
    let server = echo(status);
    let site = site(&config(&server));
    search(&site, &["status"], "warn");
    let log = search(&site, &["run", "--once"], "trace");
    assert_eq!(log.code, Some(0), "{log:?}");
    assert!(log.err.contains("new in blog: \"Hello\", for 4 accounts"), "{}", log.err);
    for arguments in [
        &["check"][..],
        &["check", "--json"],
        &["check", "--online"],
        &["check", "--online", "--json"],
        &["feed", "blog"],
        &["feed", "blog", "--json"],
        &["feed", "broken"],
        &["feed", "broken", "--json"],
        &["feed", "none"],
        &["status"],
        &["status", "--json"],
        &["list"],
        &["list", "--json"],
        &["why", "https://a.example/1"],
        &["why", "https://a.example/1", "--json"],
        &["why", "none"],
        &["poll"],
        &["poll", "none"],
        &["publish", "https://a.example/1"],
        &["publish", "https://a.example/1", "--to", "literal"],
        &["retry", "1", "2", "3", "4"],
        &["resolve", "1", "--retry"],
        &["resolve", "1", "--published", "https://a.example/post"],
        &["skip", "2"],
        &["skip", "2", "3", "4"],
        &["release", "blog"],
        &["resume", "literal"],
        &["resume", "file"],
        &["backup", "copy.db"],
        &["backup", "copy.db"],
        &["run", "--once"],
    ] {
        search(&site, arguments, "trace");
    }
    for path in ["feed", "broken"] {
        let url = server.url_at(&format!("me:{OF_FEED}@127.0.0.1"), &format!("/{path}"));
        search(&site, &["feed", url.as_str()], "trace");
        search(&site, &["feed", url.as_str(), "--json"], "trace");
    }
    let sent = server.requests();
    for mark in [LITERAL, FROM_ENV, FROM_FILE, CREDENTIAL, OF_QUERY] {
        let has = |text: &[u8]| String::from_utf8_lossy(text).contains(&mark[..11]);
        let found = sent.iter().any(|request| {
            has(request.target.as_bytes())
                || has(&request.body)
                || request.headers.iter().any(|(_, value)| has(value))
        });
        assert!(found, "`{mark}` was never sent: nothing is proved of it");
    }
}

#[test]
fn no_command_shows_a_secret_when_it_is_refused() {
    every_command(401);
}

#[test]
fn no_command_shows_a_secret_when_its_post_is_refused() {
    every_command(422);
}

#[test]
fn no_command_shows_a_secret_when_the_server_is_broken() {
    every_command(500);
}

#[test]
fn no_command_shows_a_secret_when_it_is_sent_away() {
    every_command(302);
}

#[test]
fn no_command_shows_a_secret_when_the_answer_is_nonsense() {
    every_command(200);
}

#[test]
fn no_mistake_in_the_config_shows_a_secret() {
    let server = echo(500);
    let good = config(&server);
    let line = format!("access_token = '{LITERAL}'");
    for (wrong, mend) in [
        (format!("access_tokn = '{LITERAL}'"), ""),
        (format!("access_token = ['{LITERAL}']"), ""),
        (format!("access_token = {{ env = '{LITERAL}' }}"), ""),
        (format!("access_token = {{ file = '/none', env = '{LITERAL}' }}"), ""),
        (format!("access_token = {{ evn = '{LITERAL}' }}"), ""),
        (format!("access_token = '{LITERAL}' oops"), ""),
        (format!("access_token = '{LITERAL}"), ""),
        (format!("access_token = ' {LITERAL}'"), ""),
        (format!("access_token = \"{FROM_FILE}\\n{FROM_FILE}\""), ""),
        (format!("app_password = '{LITERAL}'"), ""),
        (format!("base_url = 'https://me:{OF_FEED}@a.example/?key={OF_QUERY}'"), "base_url"),
        (format!("base_url = 'https://me:{OF_FEED}@'"), "base_url"),
    ] {
        let mut text = good.replacen(&line, &wrong, 1);
        if mend == "base_url" {
            let base =
                format!("base_url = '{}'\n{wrong}", server.url("").as_str().trim_end_matches('/'));
            text = text.replacen(&base, &format!("{wrong}\n{line}"), 1);
        }
        assert_ne!(text, good);
        let site = site(&text);
        for arguments in
            [&["check"][..], &["check", "--json"], &["run"], &["status"], &["feed", "blog"]]
        {
            let said = search(&site, arguments, "trace");
            let expect = if arguments[0] == "feed" { 1 } else { 78 };
            assert_eq!(said.code, Some(expect), "{wrong}: {said:?}");
        }
    }
    for scheme in ["http", "htp"] {
        let wrong = format!("url = '{scheme}://me:{OF_FEED}@");
        let site = site(&good.replacen("url = 'http://", &wrong, 1));
        let said = search(&site, &["check"], "trace");
        assert_eq!(said.code, Some(78), "{said:?}");
    }
}
