//! The commands, as their user meets them: the real program on a folder of its own.

use std::process::Stdio;

use posse_party::clock::{Clock, Timestamp};
use posse_party::crosspost::State;
use posse_party::names::{AccountId, CrosspostId};
use posse_party::store::accounts::{self, Parked};
use posse_party::store::crossposts::{self, Settlement};
use posse_party::store::incidents;
use serde_json::json;

use site::{Site, fed, said};

mod check; // what is wrong, before it goes wrong
mod control; // what an entry says about itself
mod daemon; // a running daemon notices
mod login; // tokens
mod preview; // what is not public yet
mod look; // what a person sees
mod pages; // a Page and an Instagram account
mod secrets; // what nobody sees
mod site;

const ALL: [&str; 16] = [
    "run", "check", "login", "feed", "preview", "status", "list", "why", "poll", "publish",
    "retry", "skip", "release", "resolve", "resume", "backup",
];

#[test]
fn each_command_has_help_with_an_example() {
    let site = Site::new("", "");
    let all = site.well(&["--help"]);
    for command in ALL {
        let help = site.well(&[command, "--help"]);
        assert!(help.contains("Example"), "{help}");
        assert!(help.contains(&format!("  posse-party {command}")), "{help}");
        assert!(all.contains(&format!("\n  {command} ")), "{command} is not in {all}");
    }
}

#[test]
fn before_the_first_start_there_is_a_next_step() {
    let site = Site::new("", "");
    let expect = "posse-party: error: there is no database at `[folder]/state/posts.db` yet\n\
                  hint: start the daemon with `posse-party run`, or poll once with `posse-party run \
                  --once`; where one runs already, name its file as `database` in the config\n";
    for command in [
        &["status"][..],
        &["list"],
        &["why", "1"],
        &["poll"],
        &["publish", "1"],
        &["retry", "1"],
        &["skip", "1"],
        &["release", "blog"],
        &["resolve", "1", "--retry"],
        &["resume", "out"],
        &["login", "threads"],
        &["backup", "copy.db"],
    ] {
        assert_eq!(site.masked(&site.badly(command)), expect, "{command:?}");
    }
    assert!(!site.path("state").exists(), "a command made a database");
}

#[test]
fn only_what_talks_to_platforms_needs_the_secrets_of_the_service() {
    let mut site = Site::polled("", "");
    site.add("1", "Hello");
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let account = |label: &str, secret: &str| {
        format!(
            "[accounts.{label}]\nplatform = \"mastodon\"\nbase_url = \"https://{label}.example\"\n\
             access_token = {secret}\n"
        )
    };
    let kept_elsewhere = format!(
        "{config}{}{}{}",
        account("a", "{ credential = \"token\" }"),
        account("b", "{ file = \"no-such-file\" }"),
        account("c", "{ env = \"POSSE_PARTY_NO_SUCH\" }"),
    );
    site.configure(&kept_elsewhere);
    let without = |arguments: &[&str]| {
        said(&site.command(arguments).env_remove("CREDENTIALS_DIRECTORY").output().unwrap())
    };
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["list"],
        &["list", "--state", "skipped"],
        &["why", "https://a.example/old"],
        &["feed", "blog"],
        &["poll"],
        &["publish", "https://a.example/old", "--to", "out"],
        &["backup", "copy.db"],
    ] {
        without(arguments).well();
    }
    for arguments in [&["check"][..], &["run", "--once"]] {
        let said = without(arguments);
        assert_eq!(said.code, Some(78), "{said:?}");
        for key in ["a.access_token: credential `token`", "b.access_token: file", "c.access_token"]
        {
            assert!(said.err.contains(&format!("accounts.{key}")), "{key}: {said:?}");
        }
    }
    // a mistake in the config itself is one for everybody
    site.configure(&format!("{config}{}", account("a", "{ crdential = \"token\" }")));
    let said = without(&["status"]);
    assert_eq!(said.code, Some(78), "{said:?}");
    let expect = "accounts.a.access_token: `crdential` is unknown here, want `credential`";
    assert!(said.err.contains(expect), "{said:?}");
}

#[test]
fn a_filtered_entry_tells_which_rule_it_was() {
    let mut site = Site::polled("", "exclude = { title = \"*draft*\" }\n");
    site.add("1", "A draft");
    site.add("2", "Another draft");
    let log = site.once();
    let line = "2 crossposts of blog skipped: filtered: `exclude.title` `*draft*` matches";
    assert!(log.contains(line), "{log}");
    let why = site.well(&["why", "https://a.example/1"]);
    assert!(why.contains("skipped: filtered: `exclude.title` `*draft*` matches"), "{why}");
    // a person knows better
    site.well(&["publish", "https://a.example/1"]);
    site.once();
    assert_eq!(site.posts(), ["A draft https://a.example/1"]);
}

#[test]
fn list_says_all_of_a_crosspost() {
    let mut site = Site::polled("", "");
    site.add("1", "Hello");
    site.once();
    let mut lines = site.json(&["list"]);
    for line in lines.as_array_mut().unwrap() {
        let at = line["settled_at"].take();
        assert!(Timestamp::parse_rfc3339(at.as_str().unwrap()).is_some(), "{at}");
        assert!(at.as_str().unwrap().ends_with('Z'), "{at}");
    }
    assert_eq!(
        lines,
        json!([
            {
                "id": 1, "feed": "blog", "entry_id": "tag:a.example,2026:old",
                "entry_url": "https://a.example/old", "title": "Old", "account": "out",
                "platform": "outbox", "state": "skipped", "reason": "baseline", "due_at": null,
                "attempts": 0, "remote_id": null, "url": null, "settled_at": null,
            },
            {
                "id": 2, "feed": "blog", "entry_id": "tag:a.example,2026:1",
                "entry_url": "https://a.example/1", "title": "Hello", "account": "out",
                "platform": "outbox", "state": "published", "reason": null, "due_at": null,
                "attempts": 1, "remote_id": "2", "url": format!("file://{}", site.path("out.jsonl").display()), "settled_at": null,
            },
        ])
    );
    let ids = |arguments: &[&str]| -> Vec<i64> {
        let lines = site.json(arguments);
        lines.as_array().unwrap().iter().map(|line| line["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&["list", "--state", "published"]), [2]);
    assert_eq!(ids(&["list", "--account", "out", "--feed", "blog", "--state", "skipped"]), [1]);
    assert_eq!(ids(&["list", "--state", "failed"]), [0; 0]);
}

#[test]
fn an_unknown_name_is_told_with_the_nearest_one() {
    let mut site = Site::polled("", "");
    let check = |arguments: &[&str], error: &str, hint: &str| {
        let expect = format!("posse-party: error: {error}\nhint: {hint}\n");
        assert_eq!(site.badly(arguments), expect);
    };
    check(&["list", "--account", "uot"], "there is no account `uot`", "did you mean `out`?");
    check(&["list", "--feed", "x"], "there is no feed `x`", "the feeds are `blog`");
    check(&["poll", "blgo"], "there is no feed `blgo`", "did you mean `blog`?");
    check(&["release", "blg"], "there is no feed `blg`", "did you mean `blog`?");
    check(&["resume", "oout"], "there is no account `oout`", "did you mean `out`?");
    check(&["publish", "old", "--to", "x"], "there is no account `x`", "the accounts are `out`");
    let entry = "want the URL of an entry or of a post, an entry's own id, or a number; \
                 `posse-party list` shows what there is";
    check(&["why", "nothing"], "no entry is known by `nothing`", entry);
    check(&["publish", "https://a.example/"], "no entry is known by `https://a.example/`", entry);
    let number = "the first column of `posse-party list` shows the numbers";
    check(&["retry", "99"], "there is no crosspost 99", number);
    check(&["resolve", "99", "--retry"], "there is no crosspost 99", number);
    site.add("1", "Hello");
    site.configure(&format!(
        "{}\n[feeds.notes]\nurl = \"file:notes.xml\"\n",
        std::fs::read_to_string(site.path("config.toml")).unwrap()
    ));
    let said = site.badly(&["poll", "notes"]);
    assert!(said.contains("`notes` is in the config, but the daemon has not met it"), "{said}");
}

#[test]
fn an_entry_has_many_names() {
    let mut site = Site::polled("", "");
    site.add("1", "Hello");
    site.once();
    site.meddle(|db| {
        let at = Clock::System.now();
        db.execute("UPDATE crossposts SET url = 'https://social.example/@me/7' WHERE id = 2", ())?;
        incidents::open(db, "test", "just a test", at)
    });
    for name in [
        "tag:a.example,2026:1",
        "https://a.example/1",
        "https://a.example/1#part",
        "https://a.example/1/",
        "https://social.example/@me/7",
        "2",
    ] {
        let story = site.json(&["why", name]);
        assert_eq!(story[0]["entry_id"], "tag:a.example,2026:1", "{name}");
        assert_eq!(story[0]["crossposts"][0]["state"], "published", "{name}");
    }
}

#[test]
fn publish_brings_out_what_was_set_aside_and_nothing_twice() {
    let site = Site::polled("", "");
    assert_eq!(
        site.well(&["publish", "https://a.example/old"]),
        "publishing \"Old\" to out\n\
         no daemon runs: it happens at the next start, or now with `posse-party run --once`\n"
    );
    let ready = site.badly(&["publish", "https://a.example/old"]);
    assert!(ready.contains("on out, it is ready to go out"), "{ready}");
    site.once();
    assert_eq!(site.posts(), ["Old https://a.example/old"]);
    assert_eq!(
        site.masked(&site.badly(&["publish", "https://a.example/old", "--to", "out"])),
        "posse-party: error: can't publish \"Old\": on out, it is published already: \
         file://[folder]/out.jsonl\n\
         hint: nothing more happens: it is done\n"
    );
    site.once();
    assert_eq!(site.posts().len(), 1);
}

#[test]
fn publish_reaches_an_account_that_never_got_the_entry() {
    let more = "[accounts.other]\nplatform = \"outbox\"\npath = \"other.jsonl\"\nfeeds = []\n";
    let mut site = Site::polled("", more);
    site.add("1", "Hello");
    site.once();
    assert_eq!(site.states(), ["skipped", "published"]);
    site.well(&["publish", "https://a.example/1", "--to", "other"]);
    site.once();
    assert_eq!(site.states(), ["skipped", "published", "published"]);
    let other = std::fs::read_to_string(site.path("other.jsonl")).unwrap();
    assert_eq!(other.lines().count(), 1);
    let again = site.badly(&["publish", "https://a.example/1", "--to", "other"]);
    assert!(again.contains("is published already: file://"), "{again}");
}

#[test]
fn one_url_of_two_feeds_is_published_once() {
    let two = "[feeds.second]\nurl = \"file:feed.xml\"\nmax_age = \"36500d\"\n";
    let site = Site::polled("", two);
    assert_eq!(site.states(), ["skipped", "skipped"]);
    site.well(&["publish", "https://a.example/old"]);
    site.once();
    assert_eq!(site.posts(), ["Old https://a.example/old"]);
    let again = site.badly(&["publish", "https://a.example/old"]);
    assert!(again.contains("is published already"), "{again}");
}

#[test]
fn a_number_that_means_two_entries_publishes_neither() {
    let more = "[accounts.more]\nplatform = \"outbox\"\npath = \"more.jsonl\"\n";
    let mut site = Site::polled("", more);
    site.add("1", "Hello");
    site.once();
    // entry 2 is `Hello`; crosspost 2 is of `Old`, on the second account
    let said = site.badly(&["publish", "2"]);
    assert_eq!(
        said,
        "posse-party: error: `2` is entry 2, \"Hello\", and crosspost 2, of \"Old\"\n\
         hint: name it by its URL or id: https://a.example/1 or https://a.example/old\n"
    );
    let story = site.well(&["why", "2"]);
    assert!(story.starts_with("\"Hello\", entry 2 of blog\n"), "{story}");
    assert!(story.contains("2 is also the number of a crosspost of \"Old\""), "{story}");
}

#[test]
fn approval_waits_for_publish_or_skip() {
    let mut site = Site::polled("", "approve = true\n");
    site.add("1", "Hello");
    site.add("2", "Goodbye");
    site.once();
    assert_eq!(site.states(), ["skipped", "held", "held"]);
    let skipped = site.well(&["skip", "3"]);
    let after_all = "after all: `posse-party publish https://a.example/2 --to out`";
    assert_eq!(skipped, format!("\"Goodbye\" will not go to out; {after_all}\n"));
    site.well(&["release", "blog"]);
    site.once();
    assert_eq!(site.states(), ["skipped", "published", "skipped"]);
    let nothing = site.badly(&["release", "blog"]);
    assert!(nothing.contains("feed `blog` holds nothing"), "{nothing}");
}

#[test]
fn a_flood_is_over_when_nothing_of_it_is_held() {
    let mut site = Site::polled("max_new = 1\n", "");
    for id in ["1", "2", "3"] {
        site.add(id, id);
    }
    let log = site.once();
    assert!(log.contains("posse-party release blog"), "{log}");
    assert_eq!(site.states(), ["skipped", "held", "held", "held"]);
    assert_eq!(site.incidents(), ["held:blog"]);
    site.well(&["skip", "2"]);
    site.well(&["publish", "https://a.example/2"]);
    assert_eq!(site.incidents(), ["held:blog"], "one is still held");
    let said = site.well(&["release", "blog"]);
    assert!(said.starts_with("released 1 crosspost of blog\n"), "{said}");
    assert_eq!(site.incidents(), [""; 0]);
    site.once();
    assert_eq!(site.states(), ["skipped", "skipped", "published", "published"]);
}

#[test]
fn several_are_changed_or_none() {
    let mut site = Site::polled("", "approve = true\n");
    site.add("1", "Hello");
    site.once();
    let said = site.badly(&["skip", "2", "1", "77"]);
    assert_eq!(
        said,
        "posse-party: error: nothing was changed:\n  \
         can't skip crosspost 1: on out, \"Old\" is skipped (baseline)\n  \
         there is no crosspost 77\n\
         hint: publish it all the same with `posse-party publish https://a.example/old --to out`\n"
    );
    assert_eq!(site.states(), ["skipped", "held"]);
}

#[test]
fn what_failed_is_retried_composed_anew() {
    let mut site = Site::polled("", "");
    site.add("1", "");
    site.once();
    assert_eq!(site.states(), ["skipped", "failed"]);
    let failed = site.badly(&["publish", "tag:a.example,2026:1"]);
    assert!(failed.contains("it has failed (nothing to post"), "{failed}");
    assert!(failed.ends_with("hint: mend the cause, then `posse-party retry 2`\n"), "{failed}");
    site.edit("1", "Mended");
    site.once();
    assert_eq!(site.states(), ["skipped", "failed"], "an edit alone retries nothing");
    let said = site.well(&["retry", "2"]);
    assert!(said.starts_with("trying \"Mended\" on out again\n"), "{said}");
    site.once();
    assert_eq!(site.posts(), ["Mended https://a.example/1"]);
    let done = site.badly(&["retry", "2"]);
    assert!(done.contains("is published already"), "{done}");
}

/// A site with a doubt that no platform could settle: crosspost 2.
fn doubtful() -> Site {
    let mut site = Site::polled("", "approve = true\n");
    site.add("1", "Hello");
    site.once();
    site.well(&["publish", "https://a.example/1"]);
    site.meddle(|db| {
        let (id, now) = (CrosspostId(2), Clock::System.now());
        let why = Some("the answer was lost");
        let attempt = crossposts::claim(db, id, None, now)?.unwrap();
        let doubt = Settlement::Uncertain { due_at: now, counts: false };
        crossposts::settle(db, (id, attempt), State::Sending, &doubt, why, now)?;
        let question = crossposts::begin_find(db, id, now)?.unwrap();
        let held = Settlement::Held;
        crossposts::settle(db, (id, question), State::Uncertain, &held, why, now)?;
        incidents::open(db, "doubt:2", "look there", now)
    });
    site
}

#[test]
fn a_doubt_is_settled_only_by_somebody_who_has_looked() {
    let site = doubtful();
    let look = "hint: look at out yourself, then `posse-party resolve 2 --published URL` or \
                `posse-party resolve 2 --retry`\n";
    for arguments in [&["publish", "https://a.example/1"][..], &["retry", "2"]] {
        let said = site.badly(arguments);
        assert!(said.contains("is held (the answer was lost)") && said.ends_with(look), "{said}");
    }
    let only = site.badly(&["release", "blog"]);
    assert!(only.contains("feed `blog` holds only doubts"), "{only}");
    assert_eq!(site.incidents(), ["doubt:2"]);
    let both = site.run(&["resolve", "2", "--retry", "--published", "https://s.example/1"]);
    assert_eq!(both.code, Some(2));
    assert_eq!(site.run(&["resolve", "2"]).code, Some(2));
    assert_eq!(site.run(&["resolve", "2", "--published", "no url"]).code, Some(2));
    site.well(&["resolve", "2", "--published", "https://s.example/1"]);
    assert_eq!(site.incidents(), [""; 0]);
    let line = &site.json(&["list"])[1];
    assert_eq!(
        (&line["state"], &line["url"]),
        (&json!("published"), &json!("https://s.example/1"))
    );
    let again = site.badly(&["resolve", "2", "--retry"]);
    assert!(again.contains("is published already: https://s.example/1"), "{again}");
    site.once();
    assert_eq!(site.posts(), [""; 0], "nothing was sent");
}

#[test]
fn a_doubt_that_came_to_nothing_goes_out_again() {
    let site = doubtful();
    let said = site.well(&["resolve", "2", "--retry"]);
    assert!(said.starts_with("sending \"Hello\" to out again\n"), "{said}");
    assert_eq!(site.incidents(), [""; 0]);
    site.once();
    assert_eq!(site.posts(), ["Hello https://a.example/1"]);
}

#[test]
fn a_parked_account_is_resumed() {
    let mut site = Site::polled("", "");
    site.meddle(|db| {
        let now = Clock::System.now();
        let (reason, hint) = ("the token was revoked".into(), "make a new one".into());
        accounts::park(db, AccountId(1), &Parked { reason, hint, since: now, until: None })?;
        incidents::open(db, "account:out", "out is parked", now)
    });
    site.add("1", "Hello");
    site.once();
    assert_eq!(site.states(), ["skipped", "ready"]);
    let account = site.json(&["status"])["accounts"][0].clone();
    assert_eq!(account["state"], "parked");
    assert_eq!(account["parked_reason"], "the token was revoked");
    assert_eq!((&account["next_due"], &account["queue"]["ready"]), (&json!(null), &json!(1)));
    assert_eq!(
        site.well(&["resume", "out"]),
        "out publishes again (was parked: the token was revoked): 1 crosspost ready\n\
         no daemon runs: it happens at the next start, or now with `posse-party run --once`\n"
    );
    assert_eq!(site.incidents(), [""; 0]);
    let again = site.badly(&["resume", "out"]);
    assert!(again.contains("account `out` is not parked"), "{again}");
    site.once();
    assert_eq!(site.posts(), ["Hello https://a.example/1"]);
}

#[test]
fn a_backup_is_a_database() {
    let site = Site::polled("", "");
    let said = site.well(&["backup", "copy.db"]);
    assert!(said.contains("copy.db"), "{said}");
    let again = site.badly(&["backup", "copy.db"]);
    assert!(again.contains("copy.db` exists already"), "{again}");
    let mode = std::os::unix::fs::MetadataExt::mode(&site.path("copy.db").metadata().unwrap());
    assert_eq!(mode & 0o777, 0o600);
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let before = site.json(&["list"]);
    site.configure(&config.replace("state/posts.db", "copy.db"));
    assert_eq!(site.json(&["list"]), before);
}

#[test]
fn a_reader_that_goes_away_is_no_trouble() {
    let mut site = Site::new("", "");
    for id in 0..300 {
        site.add(
            &id.to_string(),
            "A title that is long enough to fill a pipe, three hundred times",
        );
    }
    site.once();
    for arguments in [&["list", "--json"][..], &["list", "--state", "skipped"], &["--help"]] {
        let mut command = site.command(arguments);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(process.stdout.take());
        let said = said(&process.wait_with_output().unwrap());
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{arguments:?}");
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let said = said(&site.command(&["list"]).stdout(full).output().unwrap());
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("failed to write the answer: No space left on device"), "{said:?}");
}

#[test]
fn a_feed_is_seen_without_any_config() {
    let mut site = Site::new("", "");
    site.add("1", "Hello &amp; &lt;b&gt;welcome&lt;/b&gt;");
    std::fs::remove_file(site.path("config.toml")).unwrap();
    let source = site.path("feed.xml").display().to_string();
    let url = format!("file://{source}");
    let feed = std::fs::read_to_string(site.path("feed.xml")).unwrap();
    for name in ["feed.xml", &source, &url, "file:feed.xml", "-"] {
        let said = fed(&mut site.command(&["feed", name, "--json"]), &feed);
        let seen: serde_json::Value = serde_json::from_str(&said.well()).unwrap();
        assert_eq!(
            seen,
            json!({
                "source": name,
                "format": "atom 1.0",
                "title": "A blog",
                "entries": [{
                    "id": "tag:a.example,2026:1",
                    "url": "https://a.example/1",
                    "alternate_url": "https://a.example/1",
                    "related_url": null,
                    "short_url": null,
                    "title": "Hello & <b>welcome</b>",
                    "subtitle": null,
                    "published": "2026-11-20T10:00:00.000Z",
                    "updated": null,
                    "authors": [],
                    "categories": [],
                    "language": null,
                    "summary": null,
                    "content": null,
                    "links": [{"rel": "alternate", "href": "https://a.example/1", "type": null}],
                    "media": [],
                    "control": {},
                }],
                "problems": [],
            })
        );
    }
    let nothing = site.badly(&["feed", "blog", "--json"]);
    assert!(nothing.contains("`blog` is no URL, no file, and no feed of the config"), "{nothing}");
    std::fs::write(site.path("page.html"), "<html><body>hello</body></html>").unwrap();
    let page = site.badly(&["feed", "page.html", "--json"]);
    assert!(page.contains("is no usable feed: this is a web page, not a feed"), "{page}");
}

#[test]
fn a_label_of_the_config_is_a_source() {
    let mut site = Site::new("", "");
    site.add("1", "Hello");
    let seen = site.json(&["feed", "blog"]);
    assert_eq!(seen["entries"][0]["title"], "Hello");
    assert_eq!(site.masked(seen["source"].as_str().unwrap()), "file://[folder]/feed.xml");
    let near = site.badly(&["feed", "blgo"]);
    assert!(near.ends_with("hint: did you mean `blog`?\n"), "{near}");
    assert!(!site.path("state").exists(), "something was stored");
}
