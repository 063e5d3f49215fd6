//! What a person sees, as snapshots, with times and the folder masked.

use insta::{assert_snapshot, with_settings};
use posse_party::names::CrosspostId;
use posse_party::publish::NOTES;
use posse_party::store::crossposts::set_note;
use serde_json::json;

use super::site::Site;

/// Compares with a snapshot of the answer to `arguments`.
macro_rules! assert_look {
    ($site:expr, $arguments:expr, @$expect:literal) => {
        let site = &$site;
        let text = site.masked(&site.well($arguments));
        with_settings!({filters => vec![
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "2026-00-00 00:00:00Z"),
            (r"(?:now|\d+ (?:s|min|h|d) ago)  +", "[ago]    "),
            (r"\((?:now|\d+ (?:s|min|h|d) ago)\)", "([ago])"),
            (r"in \d+ (?:s|min|h|d)  +", "[soon]    "),
            (r"in \d+ (?:s|min|h|d)", "[soon]"),
        ]}, {
            assert_snapshot!(text, @$expect);
        });
    };
}

/// One set aside, one published, one failed, one held for approval, one waiting.
fn site() -> Site {
    let more = "[accounts.wary]\nplatform = \"outbox\"\npath = \"wary.jsonl\"\napprove = true\n\
                [accounts.slow]\nplatform = \"outbox\"\npath = \"slow.jsonl\"\ndelay = \"24h\"\n";
    let mut site = Site::polled("", more);
    site.add("1", "Hello");
    site.add("2", "");
    site.once();
    site
}

#[test]
fn status_looks_so() {
    assert_look!(site(), &["status"], @r"
    the daemon does not run, on [folder]/state/posts.db

    FEED  ENTRIES  LAST POLL  NEXT POLL
    blog  3        [ago]    [soon]    A blog

    ACCOUNT  PLATFORM  STATE  READY  HELD  DOUBT  FAILED  PUBLISHED  NEXT
    out      outbox    ok     0      0     0      1       1
    slow     outbox    ok     2      0     0      0       0          [soon]
    wary     outbox    ok     0      2     0      0       0

    2 held: `posse-party list --state held` shows them, `posse-party release FEED` publishes them
    1 failed: `posse-party list --state failed` says why, `posse-party retry ID` tries again
    start the daemon with `posse-party run`
    ");
}

#[test]
fn why_tells_what_a_post_goes_without() {
    let site = site();
    site.meddle(|tx| {
        let notes = json!(["image 2 of 3 is left out: the server refused it"]);
        set_note(tx, CrosspostId(5), NOTES, &notes)
    });
    let told = site.well(&["why", "tag:a.example,2026:1"]);
    let note = told.lines().find(|line| line.starts_with("  note ")).unwrap();
    assert!(note.ends_with("  image 2 of 3 is left out: the server refused it"), "{told}");
    let story = site.json(&["why", "tag:a.example,2026:1"]);
    let chapters = story[0]["crossposts"].as_array().unwrap();
    let noted = chapters.iter().filter(|it| it["notes"] != json!([])).count();
    assert_eq!(noted, 1, "{story}");
}

#[test]
fn list_looks_so() {
    let site = site();
    assert_look!(site, &["list"], @r"
    ID  STATE      FEED  ENTRY                 ACCOUNT  WHEN     WHERE / WHY
    4   failed     blog  tag:a.example,2026:2  out      [ago]    nothing to post: the entry has no title, no text and no URL
    5   published  blog  Hello                 out      [ago]    file://[folder]/out.jsonl
    6   ready      blog  tag:a.example,2026:2  slow     [soon]
    7   ready      blog  Hello                 slow     [soon]
    8   held       blog  tag:a.example,2026:2  wary              waits for approval
    9   held       blog  Hello                 wary              waits for approval
    3 crossposts were set aside at first sight: see them with `posse-party list --state skipped`
    2 held: publish with `posse-party release FEED` or `posse-party publish ENTRY`, set aside with `posse-party skip ID…`
    1 failed: mend the cause, then `posse-party retry ID…`
    ");
    assert_look!(site, &["list", "--state", "uncertain"], @"there are no uncertain crossposts here");
}

#[test]
fn why_looks_so() {
    let site = site();
    assert_look!(site, &["why", "https://a.example/1"], @r#"
    "Hello", entry 3 of blog
      id         tag:a.example,2026:1
      url        https://a.example/1
      published  2026-00-00 00:00:00Z ([ago])
      first seen 2026-00-00 00:00:00Z ([ago])

    out (outbox), crosspost 5: published
      2026-00-00 00:00:00Z  queued
      2026-00-00 00:00:00Z  attempt 1: published
      receipt               file://[folder]/out.jsonl
      text                  Hello https://a.example/1
      next                  nothing more happens: it is done

    slow (outbox), crosspost 7: ready
      2026-00-00 00:00:00Z  queued
      due                   2026-00-00 00:00:00Z ([soon])
      next                  it goes out [soon]; set it aside with `posse-party skip 7`

    wary (outbox), crosspost 9: held
      2026-00-00 00:00:00Z  held: waits for approval
      next                  publish it with `posse-party publish https://a.example/1 --to wary`, or set it aside with `posse-party skip 9`
    "#);
}

#[test]
fn feed_looks_so() {
    assert_look!(site(), &["feed", "blog"], @r#"
    "A blog": atom 1.0, 3 entries
    PUBLISHED             TITLE                 URL
                          tag:a.example,2026:2
    2026-00-00 00:00:00Z  Hello                 https://a.example/1
    2026-00-00 00:00:00Z  Old                   https://a.example/old
    problem: tag:a.example,2026:2: the entry has neither link, title nor text
    nothing was stored; --json shows all that is read of each entry
    "#);
}

#[test]
fn nothing_looks_like_an_escape_and_colour_only_when_somebody_looks() {
    let mut site = Site::polled("", "");
    site.add("1", "Red &#x1b;[31m alert");
    site.once();
    for arguments in [&["list"][..], &["why", "2"], &["status"], &["feed", "blog"]] {
        let text = site.well(arguments);
        assert!(!text.contains('\x1b'), "{text}");
    }
    let coloured = site.command(&["list"]).env("CLICOLOR_FORCE", "1").output().unwrap();
    let coloured = String::from_utf8(coloured.stdout).unwrap();
    assert!(coloured.contains("\x1b[1mID"), "{coloured}");
    assert!(!coloured.contains("\x1b[31m"), "{coloured}");
}
