//! `login`: a token for an account, through the real program, at a strict stand-in.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use posse_party::clock::Clock;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use url::Url;

use super::site::{Said, Site, fed, said};
use crate::threads_server::{APP, CODE, TOKEN, ThreadsServer, Trouble};

/// A site with a Threads account at `server`, which has what `more` says.
fn site(server: &ThreadsServer, more: &str) -> Site {
    Site::polled("", &account("social", server, more))
}

fn account(label: &str, server: &ThreadsServer, more: &str) -> String {
    let url = server.url();
    format!(
        "[accounts.{label}]\nplatform = \"threads\"\nbase_url = \"{url}\"\ndelay = \"0s\"\n{more}\n"
    )
}

fn app() -> String {
    format!("app_id = \"{}\"\napp_secret = \"{}\"\n", APP.0, APP.1)
}

/// Runs `login` with `input`; sees that nothing secret is said.
fn login(site: &Site, arguments: &[&str], input: &str) -> Said {
    let said = fed(&mut site.command(&[&["login"], arguments].concat()), input);
    for secret in [TOKEN, APP.1, CODE, "THAAlong", "THAAshort"] {
        assert!(!said.out.contains(secret) && !said.err.contains(secret), "{said:?}");
    }
    said
}

/// The token that the account remembers.
fn kept(site: &Site) -> Option<String> {
    let note = site.meddle(|db| {
        let label = posse_party::names::Label::new("social").unwrap();
        let id = posse_party::store::accounts::by_label(db, &label)?.unwrap().id;
        posse_party::store::accounts::note(db, id, "meta.token")
    })?;
    Some(note["access_token"].as_str().unwrap().to_owned())
}

#[test]
fn a_token_is_pasted_checked_kept_and_used() {
    let server = ThreadsServer::start(Clock::System);
    let mut site = Site::new("", &account("social", &server, ""));
    site.add("old", "Old");
    let log = site.once();
    assert!(
        log.contains("social is parked, its queue waits: there is no token for it yet"),
        "{log}"
    );
    assert_eq!(site.incidents(), ["account:social"]);
    let check = site.run(&["check"]);
    assert!(check.out.contains("run `posse-party login threads social`"), "{check:?}");

    let text = login(&site, &["threads"], &format!("{TOKEN}\n")).well();
    assert!(
        text.starts_with("`social` is @ada.l on threads: its token is kept; it ends in 5"),
        "{text}"
    );
    assert_eq!(kept(&site).as_deref(), Some(TOKEN));
    assert_eq!(site.incidents(), [""; 0]);
    let status = site.json(&["status"]);
    let accounts = status["accounts"].as_array().unwrap();
    let social = accounts.iter().find(|account| account["label"] == "social").unwrap();
    assert_eq!(
        (social["state"].as_str(), social["token"]["days_left"].as_u64()),
        (Some("ok"), Some(57))
    );
    assert!(site.well(&["status"]).contains("ends in 57 d"));
    assert!(!site.run(&["check"]).out.contains("posse-party login"));
    let online = site.run(&["check", "--online"]);
    assert!(
        online.out.contains("@ada.l") && online.out.contains("the token ends in 57 days"),
        "{online:?}"
    );

    site.add("new", "New");
    let log = site.once();
    assert!(log.contains("renewed the token of social"), "{log}");
    assert_eq!(server.posts().len(), 1, "{log}");
    assert_ne!(kept(&site).as_deref(), Some(TOKEN));
    assert!(!log.contains("THAA"), "{log}");
    assert_eq!(server.complaints(), [""; 0]);
}

#[test]
fn a_consent_in_a_browser_becomes_a_token_of_sixty_days() {
    for with_app in [true, false] {
        let server = ThreadsServer::start(Clock::System);
        let site = site(&server, &if with_app { app() } else { String::new() });
        let mut command = site.command(&["login", "threads", "social", "--oauth", "--json"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut stdin = process.stdin.take().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        if !with_app {
            write!(stdin, "{}\n{}\n", APP.0, APP.1).unwrap();
        }
        let mut told = String::new();
        let url = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "{told}");
            told.push_str(&line);
            if let Ok(url) = Url::parse(line.trim()) {
                break url;
            }
        };
        assert!(
            url.as_str().starts_with(server.url().as_str()) && url.path() == "/oauth/authorize"
        );
        let of =
            |key: &str| url.query_pairs().find(|(name, _)| name == key).unwrap().1.into_owned();
        assert_eq!(of("client_id"), APP.0);
        assert_eq!(of("scope"), "threads_basic,threads_content_publish");
        assert_eq!(
            (of("response_type"), of("redirect_uri")),
            ("code".into(), "https://localhost/".into())
        );
        assert!(of("state").len() >= 32);
        // what everybody on the machine may read
        let shown = fs::read(format!("/proc/{}/cmdline", process.id())).unwrap();
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(shown.contains("login") && !shown.contains(APP.1) && !shown.contains(CODE));
        writeln!(stdin, "https://localhost/?code={CODE}&state={}#_", of("state")).unwrap();
        drop(stdin);
        stderr.read_to_string(&mut told).unwrap();
        let said = said(&process.wait_with_output().unwrap());
        let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(
            (&report["account"], &report["name"], &report["platform"]),
            (&"social".into(), &"@ada.l".into(), &"threads".into())
        );
        assert!(report["expires_at"].is_string());
        let token = kept(&site).unwrap();
        assert!(token.starts_with("THAAlong"), "{token}");
        for secret in [APP.1, CODE, token.as_str()] {
            assert!(!told.contains(secret) && !said.out.contains(secret), "{told}");
        }
        assert_eq!(server.complaints(), [""; 0]);
        // it is renewed only when it is a day old
        site.once();
        assert!(server.seen_of("renew").is_empty());
    }
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_kept() {
    let server = ThreadsServer::start(Clock::System);
    let site = site(&server, &app());
    let check = |arguments: &[&str], input: &str, expect: &[&str]| {
        let error = login(&site, arguments, input).badly();
        for part in expect {
            assert!(error.contains(part), "{input:?}: {error}");
        }
        assert_eq!(kept(&site), None, "{input:?}");
        assert_eq!(site.incidents(), ["account:social"]);
    };
    let paste = ["threads"];
    check(&paste, "", &["there is no answer on standard input"]);
    check(&paste, "\n", &["there is no token on standard input", "--oauth"]);
    check(&paste, "two words\n", &["is no token"]);
    check(
        &paste,
        "THAAnobodysToken\n",
        &["nothing was kept", "the token is not valid", "posse-party login threads"],
    );
    let oauth = ["threads", "--oauth"];
    check(&oauth, "not an address\n", &["this is no address", "run the command again"]);
    let wrong = format!("https://localhost/?code={CODE}&state=of-somebody-else\n");
    check(&oauth, &wrong, &["its `state` is another one"]);
    let calls: Vec<_> = server.seen().iter().map(|seen| seen.call).collect();
    assert!(!calls.contains(&"code"), "a code that nobody asked for is not tried: {calls:?}");
    server.take_scope("threads_content_publish");
    check(&paste, &format!("{TOKEN}\n"), &["the token lacks threads_content_publish"]);
}

/// Signs in, with `code` in the address.
fn sign_in(site: &Site, code: &str) -> Said {
    let mut command = site.command(&["login", "threads", "--oauth"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let mut stderr = BufReader::new(process.stderr.take().unwrap());
    let mut told = String::new();
    let state = loop {
        let mut line = String::new();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "{told}");
        told.push_str(&line);
        if let Ok(url) = Url::parse(line.trim()) {
            break url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        }
    };
    writeln!(stdin, "https://localhost/?code={code}&state={state}").unwrap();
    drop(stdin);
    stderr.read_to_string(&mut told).unwrap();
    let mut said = said(&process.wait_with_output().unwrap());
    said.err = told;
    said
}

#[test]
fn a_code_is_good_for_one_try() {
    let server = ThreadsServer::start(Clock::System);
    let site = site(&server, &app());
    let expired = Trouble::Refuse(100, Some(36_007), "This authorization code has expired.");
    server.script("code", expired);
    let error = sign_in(&site, CODE).badly();
    assert!(error.contains("nothing was kept") && error.contains("has expired"), "{error}");
    assert_eq!(kept(&site), None);
    assert_eq!(sign_in(&site, CODE).code, Some(0));
    let token = kept(&site);
    let error = sign_in(&site, CODE).badly();
    assert!(error.contains("has been used"), "{error}");
    assert_eq!(kept(&site), token, "the token of before stays");
}

#[test]
fn the_account_that_is_meant_must_be_clear() {
    let server = ThreadsServer::start(Clock::System);
    let two = [account("one", &server, ""), account("two", &server, "")].concat();
    let site = Site::polled("", &two);
    let check = |arguments: &[&str], expect: &[&str]| {
        let error = login(&site, arguments, &format!("{TOKEN}\n")).badly();
        for part in expect {
            assert!(error.contains(part), "{error}");
        }
    };
    check(
        &["threads"],
        &["several threads accounts: `one`, `two`", "`posse-party login threads one`"],
    );
    check(&["threads", "tow"], &["there is no account `tow`", "did you mean `two`?"]);
    check(&["threads", "photos"], &["`[accounts.photos]` with `platform = \"threads\"`"]);
    check(&["threads", "out"], &["`out` is an account of outbox", "`one`, `two`"]);
    check(&["instagram"], &["the config has no instagram account", "`[accounts.instagram]`"]);
    login(&site, &["threads", "two"], &format!("{TOKEN}\n")).well();
    assert!(server.seen().iter().all(|seen| seen.call == "me" || seen.call == "debug"));
    let more = format!("{}{}", two, account("late", &server, ""));
    let config = fs::read_to_string(site.path("config.toml")).unwrap();
    site.configure(&config.replace(&two, &more));
    let error = login(&site, &["threads", "late"], &format!("{TOKEN}\n")).badly();
    assert!(error.contains("the daemon has not met it"), "{error}");
}

#[test]
fn a_daemon_that_runs_notices_and_sends_what_waited() {
    let server = ThreadsServer::start(Clock::System);
    let mut site = Site::polled("poll = \"150ms\"", &account("social", &server, ""));
    let daemon = site.daemon();
    site.add("new", "New");
    daemon.says("published \"New\" to out");
    assert_eq!(server.posts(), []);
    login(&site, &["threads"], &format!("{TOKEN}\n")).well();
    daemon.says("published \"New\" to social");
    assert_eq!(server.posts().len(), 1);
    daemon.stop();
}

#[test]
fn a_kept_token_lives_until_another_one_is_configured() {
    let server = ThreadsServer::start(Clock::System);
    let site = site(&server, "");
    let without = fs::read_to_string(site.path("config.toml")).unwrap();
    let with = |token: &str| {
        let social = "platform = \"threads\"\n";
        without.replace(social, &format!("{social}access_token = \"{token}\"\n"))
    };
    login(&site, &["threads"], &format!("{TOKEN}\n")).well();
    site.configure(&with("THAAthe-one-of-the-config"));
    site.once();
    assert_eq!(kept(&site), None, "a token that comes into the config wins");
    login(&site, &["threads"], &format!("{TOKEN}\n")).well();
    site.once();
    assert!(kept(&site).is_some());
    site.configure(&without);
    site.once();
    assert!(kept(&site).is_some(), "a token that goes is no new one");
    site.configure(&with("THAAthe-one-of-the-config"));
    site.once();
    assert!(kept(&site).is_some(), "and neither is the same one that comes back");
    site.configure(&with("THAAanother-one"));
    site.once();
    assert_eq!(kept(&site), None);
}

#[test]
fn a_token_of_an_hour_is_exchanged_where_the_app_is_known() {
    let server = ThreadsServer::start(Clock::System);
    let site = site(&server, &app());
    server.be_short(TOKEN);
    login(&site, &["threads"], &format!("{TOKEN}\n")).well();
    assert!(kept(&site).unwrap().starts_with("THAAlong"));
    assert_eq!(server.complaints(), [""; 0]);
    assert!(site.json(&["status"])["accounts"][1]["token"]["days_left"].as_u64() >= Some(58));
}

#[test]
fn nothing_is_shown_while_a_token_is_typed() {
    let server = ThreadsServer::start(Clock::System);
    let site = site(&server, "");
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let open = || rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let terminal = open();
    let before = rustix::termios::tcgetattr(&terminal).unwrap();
    let mut command = site.command(&["login", "threads"]);
    command.stdin(open()).stderr(open()).stdout(Stdio::piped());
    let process = command.spawn().unwrap();
    drop(command);
    let mut screen = fs::File::from(master);
    let mut shown = Vec::new();
    let read_until = |words: &str, shown: &mut Vec<u8>, screen: &mut fs::File| {
        let mut bytes = [0; 256];
        while !String::from_utf8_lossy(shown).contains(words) {
            let read = screen.read(&mut bytes).unwrap();
            shown.extend_from_slice(&bytes[..read]);
        }
    };
    read_until("sign in with a browser): ", &mut shown, &mut screen);
    // with a slip that is taken back
    write!(screen, "wrong\u{15}{TOKEN}x\u{7f}\r").unwrap();
    let said = said(&process.wait_with_output().unwrap());
    assert_eq!(said.code, Some(0), "{said:?} {}", String::from_utf8_lossy(&shown));
    read_until("\n", &mut shown, &mut screen);
    let shown = String::from_utf8_lossy(&shown);
    assert!(!shown.contains("THAA") && !shown.contains("wrong"), "{shown}");
    let after = rustix::termios::tcgetattr(&terminal).unwrap();
    assert_eq!(after.local_modes, before.local_modes, "the terminal is as before");
    assert_eq!(kept(&site).as_deref(), Some(TOKEN));
}
