//! The config: what the owner's files become, and what is said about every mistake in them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use insta::assert_snapshot;
use posse_party::compose::template;
use posse_party::config::{Cadence, CatchUp, Config, Credentials, LogFormat, default_path};
use posse_party::draft::Visibility;
use posse_party::names::Label;
use posse_party::platform::Platform;
use posse_party::settings::Settings;
use posse_party::zone::Zone;
use proptest::prelude::*;
use tempfile::TempDir;

mod composition; // text settings, filters, people
mod documents; // the examples
mod meta; // accounts of Instagram and Facebook

/// A text that is a secret wherever it stands in these tests.
const SECRET: &str = "s3cr3t-t0ken";

/// A folder with the files of a config, readable by their owner alone.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        self.set_mode(name, 0o600);
    }

    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Loads `config.toml` with the variables of these tests.
    fn load(&self) -> Result<Config, String> {
        let credentials = self.path("credentials").display().to_string();
        let vars = |name: &str| match name {
            "STATE_DIRECTORY" => Some("/var/lib/posse-party:/other".into()),
            "CREDENTIALS_DIRECTORY" => Some(credentials.clone()),
            "TOKEN" => Some(SECRET.into()),
            _ => None,
        };
        Config::load_with(&self.path("config.toml"), &vars, template::check)
            .map_err(|problems| self.without_folder(&problems.to_string()))
    }

    fn without_folder(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "/etc/pp")
    }
}

fn load(text: &str) -> Config {
    Folder::new(&[("config.toml", text)]).load().unwrap()
}

fn problems(files: &[(&str, &str)]) -> String {
    Folder::new(files).load().unwrap_err()
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

/// What is said about each of `rows`, put after `around`; a row that is taken says `fine`.
fn said(around: &str, rows: &[&str]) -> String {
    let mut said = String::new();
    for row in rows {
        let text = format!("{around}\n{row}\n");
        let folder = Folder::new(&[("config.toml", &text)]);
        said += &format!("{row}\n");
        match folder.load() {
            Ok(_) => said += "    fine\n",
            Err(problems) => {
                for line in problems.lines().skip(1) {
                    let (_, message) = line.split_once(": ").unwrap();
                    assert!(!message.contains(SECRET), "a secret shows: {message}");
                    said += &format!("    {message}\n");
                }
            }
        }
    }
    said
}

const MINIMAL: &str = r#"
[feeds.blog]
url = "https://example.com/atom.xml"

[accounts.fediverse]
platform = "mastodon"
base_url = "https://mastodon.example"
access_token = { env = "TOKEN" }
"#;

#[test]
fn ten_typical_mistakes_are_told_at_once() {
    let text = r#"
databse = "/srv/posse.db"

[http]
timeout = "5s"

[feeds.blog]
url = "example.com/feed"
poll = 5
cron = "*/5 * * * *"
accounts = ["fediverse", "blusky"]
backfil = 3

[accounts.fediverse]
platform = "mastodon"
base_url = "https://mastodon.social/@me"
app_password = "s3cr3t-t0ken"

[accounts.bluesky]
platform = "bluesky"
identifier = "@me.bsky.social"
app_password = { file = "/run/no-such-file" }
visibility = "public"

[log]
level = "inof"
"#;
    assert_snapshot!(problems(&[("config.toml", text)]), @r###"
    failed to load `/etc/pp/config.toml`: 14 problems
      config.toml:2: databse: unknown key, want `database`
      config.toml:5: http.timeout: unknown key here, it belongs in `[delivery]`
      config.toml:8: feeds.blog.url: `example.com/feed` has no scheme, want for example `https://example.com/feed`
      config.toml:9: feeds.blog.poll: `5` has no unit, want for example `5m`
      config.toml:10: feeds.blog.cron: `poll` and `cron` can't both be given, want one of them
      config.toml:11: feeds.blog.accounts: there is no account `blusky`, want `bluesky`
      config.toml:12: feeds.blog.backfil: unknown key, want `backfill`
      config.toml:14: accounts.fediverse.access_token: is missing, want for example `{ file = "mastodon.token" }`
      config.toml:16: accounts.fediverse.base_url: `https://mastodon.social/@me` has a path, want only the origin `https://mastodon.social`
      config.toml:17: accounts.fediverse.app_password: `app_password` is a key of bluesky accounts, and the platform here is `mastodon`
      config.toml:21: accounts.bluesky.identifier: `@me.bsky.social` starts with `@`, want `me.bsky.social`
      config.toml:22: accounts.bluesky.app_password: file `/run/no-such-file` does not exist
      config.toml:23: accounts.bluesky.visibility: bluesky has no choice of visibility, leave it out
      config.toml:26: log.level: `inof` is no level, want `info`
    "###);
}

#[test]
fn the_mistakes_of_all_files_are_told_at_once() {
    let files = [
        ("config.toml", "[feeds.blog]\nurl = \"https://example.com/\"\npoll = \"5\"\n"),
        ("conf.d/10-accounts.toml", "[accounts.box]\nplatform = \"outbx\"\n"),
        (
            "conf.d/20-more.toml",
            "[feeds.blog]\npol = \"1m\"\naccounts = [\n  \"box\",\n  \"bix\"\n]\n",
        ),
        ("conf.d/30-log.toml", "\n\n[log]\nformat = \"jsn\""),
        ("conf.d/.#30-log.toml", "this = is = a lock of an editor"),
        ("conf.d/README", "no config"),
    ];
    assert_snapshot!(problems(&files), @r###"
    failed to load `/etc/pp/config.toml`: 5 problems
      config.toml:3: feeds.blog.poll: `5` has no unit, want for example `5m`
      conf.d/10-accounts.toml:2: accounts.box.platform: `outbx` is unknown, want `outbox`
      conf.d/20-more.toml:2: feeds.blog.pol: unknown key, want `poll`
      conf.d/20-more.toml:5: feeds.blog.accounts: there is no account `bix`, want `box`
      conf.d/30-log.toml:4: log.format: `jsn` is unknown, want `json`
    "###);
}

#[test]
fn syntax_errors_of_all_files_are_told_at_once_and_nothing_is_said_to_be_missing() {
    let files = [
        (
            "config.toml",
            "[feeds.blog\nurl = \"https://example.com/\"\n[log]\nlevel = \"loud\"\nformat = json",
        ),
        ("conf.d/20-more.toml", "[accounts.fedi]\nplatform = = \"mastodon\"\n[accounts.fedi]\n"),
        ("conf.d/30-more.toml", "[feeds.blog]\naccounts = [\"nobody\"]\n"),
    ];
    assert_snapshot!(problems(&files), @r###"
    failed to load `/etc/pp/config.toml`: 5 problems
      config.toml:1: is not TOML: unclosed table, expected `]`
      config.toml:4: log.level: `loud` is no level, want `off`, `error`, `warn`, `info`, `debug` or `trace`, or for example `info,loud=debug`
      config.toml:5: is not TOML: string values must be quoted, expected literal string
      conf.d/20-more.toml:2: is not TOML: extra `=`
      conf.d/20-more.toml:3: is not TOML: duplicate key
    "###);
}

#[test]
fn files_that_cannot_be_read_are_told_with_the_reason() {
    assert_snapshot!(problems(&[]), @r###"
    failed to load `/etc/pp/config.toml`: 1 problem
      config.toml: does not exist
    "###);

    let folder = Folder::new(&[("config.toml/x", ""), ("conf.d/a.toml/x", "")]);
    assert_snapshot!(folder.load().unwrap_err(), @r###"
    failed to load `/etc/pp/config.toml`: 2 problems
      config.toml: is a directory, want a file
      conf.d/a.toml: is a directory, want a file
    "###);

    let folder = Folder::new(&[("config.toml", ""), ("conf.d", "")]);
    assert_snapshot!(folder.load().unwrap_err(), @r###"
    failed to load `/etc/pp/config.toml`: 1 problem
      conf.d: is not a directory
    "###);

    let folder = Folder::new(&[]);
    folder.write("config.toml", b"[log]\nlevel = \"\xff\"\n");
    folder.write("conf.d/large.toml", "#".repeat((1 << 20) + 1));
    assert_snapshot!(folder.load().unwrap_err(), @r###"
    failed to load `/etc/pp/config.toml`: 2 problems
      config.toml:2: holds bytes that are not UTF-8, save it as UTF-8
      conf.d/large.toml: is larger than 1 MiB
    "###);
}

#[test]
fn mistakes_in_feeds() {
    let rows = [
        "poll = 5",
        "poll = \"5\"",
        "poll = \"5M\"",
        "poll = \"5 parsecs\"",
        "poll = \"1h 30\"",
        "poll = \"soon\"",
        "poll = \"\"",
        "poll = -5",
        "poll = 0.5",
        "poll = \"99ms\"",
        "poll = \"100ms\"",
        "poll = \"1h30m\"",
        "poll = \"99999w\"",
        "poll = 2026-11-23",
        "max_age = 7",
        "cron = \"* * *\"",
        "cron = \"61 * * * *\"",
        "cron = \"0 0 30 2 *\"",
        "cron = \"@reboot\"",
        "cron = \"@midnight\"",
        "cron = \"0 9 * * mon-fri\"",
        "cron = \"*/30 * * * * *\"",
        "cron = \"0 0 0 1 1 * 2030\"",
        "cron = \"9 Uhr\"",
        "cron = \"@daily\"\npoll = \"5m\"",
        "cron = \"@daily\"\ntimezone = \"Europe/Warsav\"",
        "cron = \"@daily\"\ntimezone = \"CEST\"",
        "timezone = \"Europe/Warsaw\"",
        "accounts = \"fediverse\"",
        "accounts = [\"fediverze\", 3]",
        "accounts = [\"mail\"]",
        "backfill = -1",
        "backfill = \"3\"",
        "max_new = 3.5",
        "catch_up = \"none\"",
        "catch_up = true",
        "active = \"yes\"",
        "interval = \"5m\"",
        "max-age = \"5d\"",
        "dry_run = true",
        "database = \"x.db\"",
        "format_string = \"{{title}}\"",
    ];
    let around = "[accounts.fediverse]\nplatform = \"outbox\"\npath = \"x\"\n\
                  [feeds.blog]\nurl = \"https://example.com/\"";
    assert_snapshot!(said(around, &rows), @r###"
    poll = 5
        feeds.blog.poll: `5` has no unit, want for example `5m`
    poll = "5"
        feeds.blog.poll: `5` has no unit, want for example `5m`
    poll = "5M"
        feeds.blog.poll: `5M` has the unit `M`, which is none of `ms`, `s`, `m`, `h`, `d` or `w`, want for example `5m`
    poll = "5 parsecs"
        feeds.blog.poll: `5 parsecs` has the unit `parsecs`, which is none of `ms`, `s`, `m`, `h`, `d` or `w`, want for example `5m`
    poll = "1h 30"
        feeds.blog.poll: `1h 30` ends in a number without a unit, want for example `5m`
    poll = "soon"
        feeds.blog.poll: `soon` is no duration, want for example `5m`
    poll = ""
        feeds.blog.poll: is empty, want for example `5m`
    poll = -5
        feeds.blog.poll: `-5` is no duration, want for example `5m`
    poll = 0.5
        feeds.blog.poll: `0.5` is no duration, want for example `5m`
    poll = "99ms"
        feeds.blog.poll: `99ms` is too short, want at least `100ms`
    poll = "100ms"
        fine
    poll = "1h30m"
        fine
    poll = "99999w"
        feeds.blog.poll: `99999w` is too long, want at most `36500d`
    poll = 2026-11-23
        feeds.blog.poll: a date is no duration, want for example `5m`
    max_age = 7
        feeds.blog.max_age: `7` has no unit, want for example `7d`
    cron = "* * *"
        feeds.blog.cron: `* * *` has 3 fields, want five fields, for example `*/5 * * * *`, or six with seconds first
    cron = "61 * * * *"
        feeds.blog.cron: `61 * * * *` is no cron expression (number out of bounds), want five fields, for example `*/5 * * * *`, or six with seconds first
    cron = "0 0 30 2 *"
        feeds.blog.cron: `0 0 30 2 *` names a date that never comes
    cron = "@reboot"
        feeds.blog.cron: `@reboot` is unknown, want `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` or `@annually`
    cron = "@midnight"
        fine
    cron = "0 9 * * mon-fri"
        fine
    cron = "*/30 * * * * *"
        fine
    cron = "0 0 0 1 1 * 2030"
        feeds.blog.cron: `0 0 0 1 1 * 2030` has 7 fields, want five fields, for example `*/5 * * * *`, or six with seconds first
    cron = "9 Uhr"
        feeds.blog.cron: `9 Uhr` has 2 fields, want five fields, for example `*/5 * * * *`, or six with seconds first
    cron = "@daily"
    poll = "5m"
        feeds.blog.cron: `poll` and `cron` can't both be given, want one of them
    cron = "@daily"
    timezone = "Europe/Warsav"
        feeds.blog.timezone: `Europe/Warsav` is no time zone, want `Europe/Warsaw`
    cron = "@daily"
    timezone = "CEST"
        feeds.blog.timezone: `CEST` is no time zone, want `CET`
    timezone = "Europe/Warsaw"
        feeds.blog.timezone: has no effect without `cron`, want both or none
    accounts = "fediverse"
        feeds.blog.accounts: `fediverse` is no list, want `["fediverse"]`
    accounts = ["fediverze", 3]
        feeds.blog.accounts: there is no account `fediverze`, want `fediverse`
        feeds.blog.accounts: `3` is not a text, want it in quotes
    accounts = ["mail"]
        feeds.blog.accounts: there is no account `mail`, want `fediverse`
    backfill = -1
        feeds.blog.backfill: `-1` is no count, want a whole number from 0
    backfill = "3"
        feeds.blog.backfill: the text `3` is no count, want a whole number from 0
    max_new = 3.5
        feeds.blog.max_new: `3.5` is no count, want a whole number from 0
    catch_up = "none"
        feeds.blog.catch_up: `none` is unknown, want `all`, `newest` or `hold`
    catch_up = true
        feeds.blog.catch_up: `true` is no word, want `all`, `newest` or `hold`
    active = "yes"
        feeds.blog.active: the text `yes` is not a switch, want `true` or `false`
    interval = "5m"
        feeds.blog.interval: unknown key, want `poll`
    max-age = "5d"
        feeds.blog.max-age: unknown key, want `max_age`
    dry_run = true
        feeds.blog.dry_run: unknown key here, it belongs in an account
    database = "x.db"
        feeds.blog.database: unknown key here, it belongs at the top of the file, above the first `[table]`
    format_string = "{{title}}"
        feeds.blog.format_string: unknown key here, it belongs in `[defaults]` or in an account
    "###);
}

#[test]
fn mistakes_in_the_urls_of_feeds() {
    let rows = [
        "url = \"example.com/feed\"",
        "url = \"example.com:8080/feed\"",
        "url = \"localhost:8080/feed\"",
        "url = \"feed.xml\"",
        "url = \"blog\"",
        "url = \"/srv/feed.xml\"",
        "url = \"ftp://example.com/feed\"",
        "url = \"https://\"",
        "url = \"https://exa mple.com/\"",
        "url = \"https://me:s3cr3t-t0ken@example.com/feed?key=s3cr3t-t0ken\"",
        "url = \"htps://me:s3cr3t-t0ken@example.com/feed?key=s3cr3t-t0ken\"",
        "url = \"file:\"",
        "url = \"file:folder/\"",
        "url = \"file://server/feed.xml\"",
        "url = \"file:feed.xml\"",
        "url = \"file:///srv/feed.xml\"",
        "url = \"\"",
        "url = [\"https://example.com/\"]",
        "",
    ];
    assert_snapshot!(said("[feeds.blog]", &rows), @r###"
    url = "example.com/feed"
        feeds.blog.url: `example.com/feed` has no scheme, want for example `https://example.com/feed`
    url = "example.com:8080/feed"
        feeds.blog.url: `example.com:8080/feed` has no scheme, want for example `https://example.com:8080/feed`
    url = "localhost:8080/feed"
        feeds.blog.url: `localhost:8080/feed` has no scheme, want for example `http://localhost:8080/feed`
    url = "feed.xml"
        feeds.blog.url: `feed.xml` has no scheme, want for example `file:feed.xml`
    url = "blog"
        feeds.blog.url: `blog` has no scheme, want for example `https://example.com/feed.xml`
    url = "/srv/feed.xml"
        feeds.blog.url: `/srv/feed.xml` has no scheme, want for example `file:/srv/feed.xml`
    url = "ftp://example.com/feed"
        feeds.blog.url: `ftp://example.com/feed` has the scheme `ftp`, want `https`
    url = "https://"
        feeds.blog.url: `https://` is no URL (empty host), want for example `https://example.com`
    url = "https://exa mple.com/"
        feeds.blog.url: `https://exa mple.com/` is no URL (invalid international domain name), want for example `https://example.com`
    url = "https://me:s3cr3t-t0ken@example.com/feed?key=s3cr3t-t0ken"
        feeds.blog.url: `https://…@example.com/feed…` holds a user name or a password, which would show in the log, want a URL without
    url = "htps://me:s3cr3t-t0ken@example.com/feed?key=s3cr3t-t0ken"
        feeds.blog.url: `htps://…@example.com/feed…` has the scheme `htps`, want `https`
    url = "file:"
        feeds.blog.url: `file:` is no file URL, want for example `file:feed.xml`
    url = "file:folder/"
        feeds.blog.url: `file:folder/` is no file URL, want for example `file:feed.xml`
    url = "file://server/feed.xml"
        feeds.blog.url: `file://server/feed.xml` is no file URL, want for example `file:feed.xml`
    url = "file:feed.xml"
        fine
    url = "file:///srv/feed.xml"
        fine
    url = ""
        feeds.blog.url: is empty
    url = ["https://example.com/"]
        feeds.blog.url: a list is not a text, want one

        feeds.blog.url: is missing, want for example `https://example.com/feed.xml`
    "###);
}

#[test]
fn mistakes_in_mastodon_accounts() {
    let rows = [
        "",
        "dry_run = true",
        "base_url = \"mastodon.example\"",
        "base_url = \"https://mastodon.example/@me\"",
        "base_url = \"https://mastodon.example/?a=b\"",
        "base_url = \"https://me@mastodon.example\"",
        "base_url = \"ftp://mastodon.example\"",
        "instance = \"mastodon.example\"",
    ];
    let around = "[accounts.a]\nplatform = \"mastodon\"\naccess_token = \"x\"";
    assert_snapshot!(said(around, &rows), @r###"

        accounts.a.base_url: is missing, want the server, for example `https://mastodon.social`
    dry_run = true
        fine
    base_url = "mastodon.example"
        accounts.a.base_url: `mastodon.example` has no scheme, want for example `https://mastodon.example`
    base_url = "https://mastodon.example/@me"
        accounts.a.base_url: `https://mastodon.example/@me` has a path, want only the origin `https://mastodon.example`
    base_url = "https://mastodon.example/?a=b"
        accounts.a.base_url: `https://mastodon.example/…` has a query, want only the origin `https://mastodon.example`
    base_url = "https://me@mastodon.example"
        accounts.a.base_url: `https://…@mastodon.example` has a user name, want only the origin `https://mastodon.example`
    base_url = "ftp://mastodon.example"
        accounts.a.base_url: `ftp://mastodon.example` has the scheme `ftp`, want `https`
    instance = "mastodon.example"
        accounts.a.base_url: is missing, want the server, for example `https://mastodon.social`
        accounts.a.instance: unknown key, want `base_url`
    "###);

    let rows = [
        "identifier = \"me\"",
        "app_pasword = \"s3cr3t-t0ken\"",
        "path = \"x\"",
        "visibility = \"followers\"",
        "visibility = \"unlisted\"",
        "delay = 120",
        "cooldown = \"10 minutes\"",
        "max_per_day = 0",
        "language = \"English (US)\"",
        "language = \"pt-BR\"",
        "feeds = [\"blogg\"]",
        "append_url_spacer = \"\"",
        "format_string = 3",
        "template = \"{{title}}\"",
        "truncate = 1",
        "poll = \"1m\"",
        "timeout = \"5s\"",
        "colour = \"red\"",
    ];
    let around = "[feeds.blog]\nurl = \"https://e.example\"\n[accounts.a]\nplatform = \"mastodon\"\n\
                  base_url = \"https://mastodon.example\"\naccess_token = \"x\"";
    assert_snapshot!(said(around, &rows), @r###"
    identifier = "me"
        accounts.a.identifier: `identifier` is a key of bluesky accounts, and the platform here is `mastodon`
    app_pasword = "s3cr3t-t0ken"
        accounts.a.app_pasword: `app_password` is a key of bluesky accounts, and the platform here is `mastodon`
    path = "x"
        accounts.a.path: `path` is a key of outbox accounts, and the platform here is `mastodon`
    visibility = "followers"
        accounts.a.visibility: `followers` is unknown, want `public`, `unlisted`, `private` or `direct`
    visibility = "unlisted"
        fine
    delay = 120
        accounts.a.delay: `120` has no unit, want for example `120s`
    cooldown = "10 minutes"
        fine
    max_per_day = 0
        accounts.a.max_per_day: `0` is no count, want a whole number from 1
    language = "English (US)"
        accounts.a.language: `English (US)` is no language tag, want for example `en` or `pt-BR`
    language = "pt-BR"
        fine
    feeds = ["blogg"]
        accounts.a.feeds: there is no feed `blogg`, want `blog`
    append_url_spacer = ""
        fine
    format_string = 3
        accounts.a.format_string: `3` is not a text, want it in quotes
    template = "{{title}}"
        accounts.a.template: unknown key, want `format_string`
    truncate = 1
        accounts.a.truncate: `1` is not a switch, want `true` or `false`
    poll = "1m"
        accounts.a.poll: unknown key here, it belongs in a feed
    timeout = "5s"
        accounts.a.timeout: unknown key here, it belongs in `[delivery]`
    colour = "red"
        accounts.a.colour: unknown key, docs/configuration.md has those that there are
    "###);
}

#[test]
fn mistakes_in_secrets() {
    let rows = [
        "",
        "access_token = \"\"",
        "access_token = 12345",
        "access_token = [\"s3cr3t-t0ken\"]",
        "access_token = \" s3cr3t-t0ken\"",
        "access_token = \"s3cr3t-t0ken\\ntwo\"",
        "access_token = s3cr3t-t0ken",
        "access_token = \"s3cr3t-t0ken",
        "access_token = {}",
        "access_token = { env = \"NOT_SET\" }",
        "access_token = { env = \"s3cr3t-t0ken\" }",
        "access_token = { env = \"\" }",
        "access_token = { environment = \"TOKEN\" }",
        "access_token = { fil = \"token\" }",
        "access_token = { env = \"TOKEN\", file = \"token\" }",
        "access_token = { file = \"no-such-file\" }",
        "access_token = { file = \"~/token\" }",
        "access_token = { file = \"/\" }",
        "access_token = { file = \"/dev/null\" }",
        "access_token = { credential = \"no-such-credential\" }",
        "access_token = { credential = \"../token\" }",
        "acces_token = \"s3cr3t-t0ken\"",
        "token = \"s3cr3t-t0ken\"",
    ];
    let around = "[accounts.a]\nplatform = \"mastodon\"\nbase_url = \"https://m.example\"";
    assert_snapshot!(said(around, &rows), @r###"

        accounts.a.access_token: is missing, want for example `{ file = "mastodon.token" }`
    access_token = ""
        accounts.a.access_token: the text is empty, want the secret
    access_token = 12345
        accounts.a.access_token: is not in quotes, want a text, `{ env = "NAME" }`, `{ file = "path" }` or `{ credential = "name" }`
    access_token = ["s3cr3t-t0ken"]
        accounts.a.access_token: is a list, want a text, `{ env = "NAME" }`, `{ file = "path" }` or `{ credential = "name" }`
    access_token = " s3cr3t-t0ken"
        accounts.a.access_token: the text starts or ends with a space, want only the secret
    access_token = "s3cr3t-t0ken\ntwo"
        accounts.a.access_token: the text holds more than one line, or a control character
    access_token = s3cr3t-t0ken
        is not TOML: string values must be quoted, expected literal string
    access_token = "s3cr3t-t0ken
        is not TOML: invalid basic string, expected `"`
    access_token = {}
        accounts.a.access_token: is an empty table, want a text, `{ env = "NAME" }`, `{ file = "path" }` or `{ credential = "name" }`
    access_token = { env = "NOT_SET" }
        accounts.a.access_token: variable `NOT_SET` is not set, or empty, or not UTF-8
    access_token = { env = "s3cr3t-t0ken" }
        accounts.a.access_token: `env` wants the name of a variable: letters, digits and `_`
    access_token = { env = "" }
        accounts.a.access_token: `env` wants a name in quotes
    access_token = { environment = "TOKEN" }
        accounts.a.access_token: `environment` is unknown here, want `env`, `file` or `credential`
    access_token = { fil = "token" }
        accounts.a.access_token: `fil` is unknown here, want `file`
    access_token = { env = "TOKEN", file = "token" }
        accounts.a.access_token: names both `env` and `file`, want one
    access_token = { file = "no-such-file" }
        accounts.a.access_token: file `/etc/pp/no-such-file` does not exist
    access_token = { file = "~/token" }
        accounts.a.access_token: `~/token` starts with `~`, want the folder in full
    access_token = { file = "/" }
        accounts.a.access_token: file `/` is a directory, want a file
    access_token = { file = "/dev/null" }
        accounts.a.access_token: file `/dev/null` is no regular file, want a file
    access_token = { credential = "no-such-credential" }
        accounts.a.access_token: credential `no-such-credential` is not in `/etc/pp/credentials`, want `LoadCredential=no-such-credential:/path` in the unit
    access_token = { credential = "../token" }
        accounts.a.access_token: `credential` wants a name without `/`, or take `file` for a path
    acces_token = "s3cr3t-t0ken"
        accounts.a.access_token: is missing, want for example `{ file = "mastodon.token" }`
        accounts.a.acces_token: unknown key, want `access_token`
    token = "s3cr3t-t0ken"
        accounts.a.access_token: is missing, want for example `{ file = "mastodon.token" }`
        accounts.a.token: unknown key, want `access_token`
    "###);
}

#[test]
fn a_credential_without_systemd_says_what_is_missing() {
    let text = MINIMAL.replace("{ env = \"TOKEN\" }", "{ credential = \"fedi\" }");
    let folder = Folder::new(&[("config.toml", &text)]);
    let problems = Config::load_with(
        &folder.path("config.toml"),
        &|name| (name == "STATE_DIRECTORY").then(|| "/var/lib/pp".into()),
        template::check,
    );
    assert_snapshot!(problems.unwrap_err().list[0], @r###"config.toml:8: accounts.fediverse.access_token: credential `fedi` can't be found: `CREDENTIALS_DIRECTORY` is not set, want `LoadCredential=fedi:/path` in the unit, and a start by systemd"###);
}

#[test]
fn mistakes_in_other_accounts() {
    let rows = [
        "[accounts.a]",
        "[accounts.a]\nplatform = \"mastadon\"",
        "[accounts.a]\nplatform = \"myspace\"\naccess_token = \"x\"\nfrequency = 3",
        "[accounts.a]\nplatform = [\"bluesky\"]",
        "[accounts.a]\nplatform = \"bsky\"\nidentifier = \"me.example\"\napp_password = \"x\"",
        "[accounts.a]\nplatform = \"bluesky\"",
        "[accounts.a]\nplatform = \"bluesky\"\nhandle = \"me.example\"\naccess_token = \"x\"",
        "[accounts.a]\nplatform = \"bluesky\"\nidentifier = \"me\"\napp_password = \"x\"",
        "[accounts.a]\nplatform = \"bluesky\"\ndry_run = true\nvisibility = \"direct\"",
        "[accounts.a]\nplatform = \"outbox\"",
        "[accounts.a]\nplatform = \"outbox\"\npath = \"~/outbox\"",
        "[accounts.a]\nplatform = \"outbox\"\npath = \"\"",
        "[accounts.a]\nplatform = \"outbox\"\npath = \"x\"\nbase_url = \"https://x.example\"",
        "[accounts.\"my account\"]\nplatform = \"outbox\"\npath = \"x\"",
        "[accounts]\nplatform = \"outbox\"",
        "accounts = []",
        "accounts.a = true",
        "[[accounts]]\nplatform = \"outbox\"",
    ];
    assert_snapshot!(said("", &rows), @r###"
    [accounts.a]
        accounts.a.platform: is missing, want `mastodon`, `bluesky`, `threads`, `instagram`, `facebook` or `outbox`
    [accounts.a]
    platform = "mastadon"
        accounts.a.platform: `mastadon` is unknown, want `mastodon`
    [accounts.a]
    platform = "myspace"
    access_token = "x"
    frequency = 3
        accounts.a.platform: `myspace` is unknown, want `mastodon`, `bluesky`, `threads`, `instagram`, `facebook` or `outbox`
        accounts.a.frequency: unknown key, docs/configuration.md has those that there are
    [accounts.a]
    platform = ["bluesky"]
        accounts.a.platform: a list is no word, want `mastodon`, `bluesky`, `threads`, `instagram`, `facebook` or `outbox`
    [accounts.a]
    platform = "bsky"
    identifier = "me.example"
    app_password = "x"
        fine
    [accounts.a]
    platform = "bluesky"
        accounts.a.app_password: is missing, want for example `{ file = "bluesky.password" }`
        accounts.a.identifier: is missing, want your handle, for example `me.bsky.social`
    [accounts.a]
    platform = "bluesky"
    handle = "me.example"
    access_token = "x"
        accounts.a.app_password: is missing, want for example `{ file = "bluesky.password" }`
        accounts.a.identifier: is missing, want your handle, for example `me.bsky.social`
        accounts.a.handle: unknown key, want `identifier`
        accounts.a.access_token: `access_token` is a key of mastodon, threads and instagram accounts, and the platform here is `bluesky`
    [accounts.a]
    platform = "bluesky"
    identifier = "me"
    app_password = "x"
        accounts.a.identifier: `me` is no identifier, want a handle such as `me.bsky.social`, an e-mail address or a DID
    [accounts.a]
    platform = "bluesky"
    dry_run = true
    visibility = "direct"
        accounts.a.visibility: bluesky has no choice of visibility, leave it out
    [accounts.a]
    platform = "outbox"
        accounts.a.path: is missing, want a file, for example `outbox.jsonl`
    [accounts.a]
    platform = "outbox"
    path = "~/outbox"
        accounts.a.path: `~/outbox` starts with `~`, want the folder in full
    [accounts.a]
    platform = "outbox"
    path = ""
        accounts.a.path: is empty
    [accounts.a]
    platform = "outbox"
    path = "x"
    base_url = "https://x.example"
        accounts.a.base_url: `base_url` is a key of mastodon, bluesky, threads, instagram and facebook accounts, and the platform here is `outbox`
    [accounts."my account"]
    platform = "outbox"
    path = "x"
        accounts."my account": `my account` is no label, want 1 to 64 letters, digits, `-`, `_` or `.`, without spaces
    [accounts]
    platform = "outbox"
        accounts.platform: want a table of its own for each: `[accounts.LABEL]`
    accounts = []
        accounts: want a table of its own for each: `[accounts.LABEL]`
    accounts.a = true
        accounts.a: want a table of its own for each: `[accounts.LABEL]`
    [[accounts]]
    platform = "outbox"
        accounts: want a table of its own for each: `[accounts.LABEL]`
    "###);
}

#[test]
fn mistakes_elsewhere() {
    let rows = [
        "database = \"\"",
        "database = \"~/posse.db\"",
        "feed = 3",
        "[account.a]\nplatform = \"outbox\"",
        "[blog]\nurl = \"https://example.com\"",
        "poll = \"5m\"",
        "\"a.b\" = 1",
        "\"a[99999999999]\" = 1",
        "\"\" = 1",
        "delivery = 3",
        "[delivery]\nretry_base = \"0s\"",
        "[delivery]\nretry_base = \"2h\"\nretry_max = \"1h\"",
        "[delivery]\nretry_max = \"1s\"",
        "[delivery]\ntimeout = \"5s\"",
        "[delivery]\nretry_base = \"12h\"",
        "[delivery]\nconnect_timeout = \"60s\"",
        "[delivery]\ntimeout = \"9s\"\nconnect_timeout = \"9s\"",
        "[delivery]\ntimeout = 30",
        "[delivery]\nretries = 3",
        "[fedi]\nplatform = \"mastodon\"",
        "[feeds]\nurl = \"https://example.com\"",
        "[http]\nuser_agent = \"Zoë (me)\"",
        "[http]\nuser_agent = \"https://example.com/about\"",
        "[http]\nallow_private = \"10.0.0.0/8\"",
        "[http]\nallow_private = [\"10.0.0.0/8\", \"::1\", \"10.0.0.0/33\", \"intranet\", 10]",
        "[media]\ncache = \"4 GiB\"",
        "[media]\ncache = \"1 MiB\"",
        "[media]\ncache = 1024",
        "[media]\nsize = \"1 GiB\"",
        "[media_host]\ndir = \"missing\"\nbase_url = \"https://a.example/media\"",
        "[media_host]\ndir = \".\"\nbase_url = \"http://a.example/m\"",
        "[media_host]\ndir = \".\"\nbase_url = \"https://a.example/m?x=1\"",
        "[media_host]\ndir = \"config.toml\"\nbase_url = \"a.example\"",
        "[media_host]\ndir = \".\"",
        "[log]\nlevel = \"inof\"",
        "[log]\nlevel = \"posse_party\"",
        "[log]\nlevel = \"info,posse_party=loud\"",
        "[log]\nlevel = \"info,[poll]=debug\"",
        "[log]\nlevel = \"WARN,posse_party=debug\"",
        "[log]\nlevel = 3",
        "[log]\nformat = \"pretty\"",
        "[retention]\nbodies = \"forever\"",
        "[retention]\nattempts = 30",
        "[defaults]\nvisibility = \"friends\"\nlanguage = 3",
        "[defaults]\nplatform = \"mastodon\"",
    ];
    assert_snapshot!(said("", &rows), @r###"
    database = ""
        database: is empty
    database = "~/posse.db"
        database: `~/posse.db` starts with `~`, want the folder in full
    feed = 3
        feed: unknown key, want `feeds`
    [account.a]
    platform = "outbox"
        account: unknown key, want `accounts`
    [blog]
    url = "https://example.com"
        blog: unknown table, want `[feeds.blog]`
    poll = "5m"
        poll: unknown key here, it belongs in a feed
    "a.b" = 1
        "a.b": unknown key, want `database`, `feeds`, `accounts`, `defaults`, `people`, `delivery`, `http`, `media`, `media_host`, `log` or `retention`
    "a[99999999999]" = 1
        "a[99999999999]": unknown key, want `database`, `feeds`, `accounts`, `defaults`, `people`, `delivery`, `http`, `media`, `media_host`, `log` or `retention`
    "" = 1
        "": unknown key, want `database`, `feeds`, `accounts`, `defaults`, `people`, `delivery`, `http`, `media`, `media_host`, `log` or `retention`
    delivery = 3
        delivery: want a table: `[delivery]`
    [delivery]
    retry_base = "0s"
        delivery.retry_base: `0s` is too short, want at least `10ms`
    [delivery]
    retry_base = "2h"
    retry_max = "1h"
        delivery.retry_max: `1h` is less than `retry_base`, want at least `2h`
    [delivery]
    retry_max = "1s"
        fine
    [delivery]
    timeout = "5s"
        fine
    [delivery]
    retry_base = "12h"
        fine
    [delivery]
    connect_timeout = "60s"
        delivery.connect_timeout: `1m` must be less than `timeout` (`1m`), or a failed connection could not be told from a lost answer
    [delivery]
    timeout = "9s"
    connect_timeout = "9s"
        delivery.connect_timeout: `9s` must be less than `timeout` (`9s`), or a failed connection could not be told from a lost answer
    [delivery]
    timeout = 30
        delivery.timeout: `30` has no unit, want for example `30s`
    [delivery]
    retries = 3
        delivery.retries: unknown key, want `retry_base`, `retry_max`, `give_up_after`, `timeout` or `connect_timeout`
    [fedi]
    platform = "mastodon"
        fedi: unknown table, want `[accounts.fedi]`
    [feeds]
    url = "https://example.com"
        feeds.url: want a table of its own for each: `[feeds.LABEL]`
    [http]
    user_agent = "Zoë (me)"
        http.user_agent: `Zoë (me)` can't stand in a User-Agent, want an address or a URL in plain ASCII, for example `me@example.com`
    [http]
    user_agent = "https://example.com/about"
        fine
    [http]
    allow_private = "10.0.0.0/8"
        http.allow_private: `10.0.0.0/8` is no list, want `["10.0.0.0/8"]`
    [http]
    allow_private = ["10.0.0.0/8", "::1", "10.0.0.0/33", "intranet", 10]
        http.allow_private: `10.0.0.0/33` is no network, want for example `192.168.1.0/24` or `fd00::/8`
        http.allow_private: `intranet` is no network, want for example `192.168.1.0/24` or `fd00::/8`
        http.allow_private: `10` is not a text, want it in quotes
    [media]
    cache = "4 GiB"
        fine
    [media]
    cache = "1 MiB"
        media.cache: `1 MiB` is too little, want at least `16 MiB`
    [media]
    cache = 1024
        media.cache: `1024` has no unit, want for example `"1024 MiB"`
    [media]
    size = "1 GiB"
        media.size: unknown key, want `cache`
    [media_host]
    dir = "missing"
    base_url = "https://a.example/media"
        media_host.dir: `/etc/pp/missing` can't be used: No such file or directory (os error 2), want `mkdir -p /etc/pp/missing`
    [media_host]
    dir = "."
    base_url = "http://a.example/m"
        fine
    [media_host]
    dir = "."
    base_url = "https://a.example/m?x=1"
        media_host.base_url: `https://a.example/m…` has a query, want the address of a folder, for example `https://example.com/media/`
    [media_host]
    dir = "config.toml"
    base_url = "a.example"
        media_host.dir: `/etc/pp/config.toml` is no folder, want one
        media_host.base_url: `a.example` has no scheme, want for example `https://a.example`
    [media_host]
    dir = "."
        media_host.base_url: is missing, want the address of `dir`, for example `https://example.com/media/`
    [log]
    level = "inof"
        log.level: `inof` is no level, want `info`
    [log]
    level = "posse_party"
        log.level: `posse_party` is no level, want `off`, `error`, `warn`, `info`, `debug` or `trace`, or for example `info,posse_party=debug`
    [log]
    level = "info,posse_party=loud"
        log.level: `info,posse_party=loud` is no filter, want for example `info,posse_party=debug`
    [log]
    level = "info,[poll]=debug"
        log.level: `info,[poll]=debug` is no filter, want for example `info,posse_party=debug`
    [log]
    level = "WARN,posse_party=debug"
        fine
    [log]
    level = 3
        log.level: `3` is not a text, want it in quotes
    [log]
    format = "pretty"
        log.format: `pretty` is unknown, want `auto`, `text` or `json`
    [retention]
    bodies = "forever"
        retention.bodies: `forever` is no duration, want for example `5d`
    [retention]
    attempts = 30
        retention.attempts: `30` has no unit, want for example `30d`
    [defaults]
    visibility = "friends"
    language = 3
        defaults.visibility: `friends` is unknown, want `public`, `unlisted`, `private` or `direct`
        defaults.language: `3` is not a text, want it in quotes
    [defaults]
    platform = "mastodon"
        defaults.platform: unknown key here, it belongs in an account
    "###);
}

#[test]
fn the_least_config_has_the_documented_defaults() {
    let config = load(MINIMAL);
    assert_eq!(config.database, Path::new("/var/lib/posse-party/posse-party.db"));
    let feed = &config.feeds[&label("blog")];
    assert_eq!(feed.cadence, Cadence::Auto);
    assert_eq!((feed.backfill, feed.max_new, feed.active), (0, 5, true));
    assert_eq!(feed.max_age, Duration::from_secs(7 * 24 * 3600));
    assert_eq!((feed.catch_up, &feed.accounts), (CatchUp::All, &None));
    let account = &config.accounts[&label("fediverse")];
    assert_eq!(account.platform, Platform::Mastodon);
    assert_eq!((account.active, account.dry_run, account.approve), (true, false, false));
    assert_eq!((account.delay, account.cooldown), (Duration::from_secs(120), Duration::ZERO));
    assert_eq!((account.max_per_day, &account.feeds), (None, &None));
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.secrets().map(|it| it.expose().to_owned()).collect::<Vec<_>>(), [SECRET]);
}

#[test]
fn later_files_win_key_by_key() {
    let config = Folder::new(&[
        ("config.toml", MINIMAL),
        (
            "conf.d/20-b.toml",
            "[feeds.blog]\npoll = \"2m\"\naccounts = [\"fediverse\"]\n[log]\nlevel = \"warn\"",
        ),
        ("conf.d/10-a.toml", "[feeds.blog]\npoll = \"1m\"\nmax_new = 9\n[log]\nformat = \"json\""),
        ("conf.d/30-c.toml", "feeds.second = { url = \"https://example.com/second\" }"),
        ("conf.d/40-d.toml.bak", "this is = no config"),
    ]);
    let config = config.load().unwrap();
    let feed = &config.feeds[&label("blog")];
    assert_eq!(feed.url.as_str(), "https://example.com/atom.xml");
    assert_eq!(feed.cadence, Cadence::Every(Duration::from_secs(120)));
    assert_eq!((feed.max_new, feed.accounts.as_ref().unwrap().len()), (9, 1));
    assert_eq!((config.log.level.as_str(), config.log.format), ("warn", LogFormat::Json));
    assert!(config.feeds.contains_key(&label("second")));
}

#[test]
fn a_secret_of_a_later_file_takes_the_place_of_an_earlier_one() {
    let token = |later: &str| {
        let folder = Folder::new(&[("config.toml", MINIMAL), ("token", "from-the-file\n")]);
        folder.write("conf.d/a.toml", format!("[accounts.fediverse]\naccess_token = {later}"));
        let config = folder.load().unwrap();
        config.secrets().next().unwrap().expose().to_owned()
    };
    assert_eq!(token("{ file = \"token\" }"), "from-the-file");
    assert_eq!(token("\"literal\""), "literal");
}

#[test]
fn secrets_are_found_in_every_place_without_their_final_newline() {
    let folder = Folder::new(&[
        ("config.toml", ""),
        ("token", "from-the-file\n"),
        ("credentials/fedi", "from-systemd\r\n"),
    ]);
    let absolute = folder.path("token").display().to_string();
    for (reference, expect) in [
        ("\"literal\"", "literal"),
        ("{ env = \"TOKEN\" }", SECRET),
        ("{ file = \"token\" }", "from-the-file"),
        (&format!("{{ file = \"{absolute}\" }}"), "from-the-file"),
        ("{ credential = \"fedi\" }", "from-systemd"),
    ] {
        folder.write("config.toml", MINIMAL.replace("{ env = \"TOKEN\" }", reference));
        let config = folder.load().unwrap();
        assert_eq!(config.secrets().next().unwrap().expose(), expect);
        assert!(!format!("{config:?}").contains(expect), "a secret shows in {config:?}");
    }
}

#[test]
fn secret_files_that_hold_no_secret_are_told() {
    let folder = Folder::new(&[(
        "config.toml",
        "[accounts.a]\nplatform = \"mastodon\"\nbase_url = \"https://m.example\"\n\
         access_token = { file = \"token\" }",
    )]);
    let mut said = String::new();
    let large = "x".repeat(70_000).into_bytes();
    for content in [b"".to_vec(), b"\n".to_vec(), b"\xff".to_vec(), b"a\nb\n".to_vec(), large] {
        folder.write("token", content);
        said += folder.load().unwrap_err().lines().nth(1).unwrap();
        said += "\n";
    }
    assert_snapshot!(said, @r###"
    config.toml:4: accounts.a.access_token: file `/etc/pp/token` is empty, want the secret
    config.toml:4: accounts.a.access_token: file `/etc/pp/token` is empty, want the secret
    config.toml:4: accounts.a.access_token: file `/etc/pp/token` is not UTF-8
    config.toml:4: accounts.a.access_token: file `/etc/pp/token` holds more than one line, or a control character
    config.toml:4: accounts.a.access_token: file `/etc/pp/token` is larger than 64 KiB, want only the secret in it
    "###);
}

#[test]
fn what_is_right_but_hardly_meant_is_a_warning() {
    let warnings = |folder: &Folder| folder.load().unwrap().warnings.join("\n");

    assert_snapshot!(warnings(&Folder::new(&[("config.toml", "")])), @r###"
    config.toml: accounts: there is no account: nothing to do
    config.toml: feeds: there is no feed: nothing to do
    "###);

    let folder = Folder::new(&[
        ("token", SECRET),
        (
            "config.toml",
            r#"
[feeds.blog]
url = "https://example.com/atom.xml"
accounts = []
[feeds.notes]
url = "https://example.com/notes.xml"
accounts = ["box"]
[accounts.fediverse]
platform = "mastodon"
base_url = "http://mastodon.example"
access_token = { file = "token" }
feeds = ["blog"]
[accounts.again]
platform = "mastodon"
base_url = "http://mastodon.example/"
access_token = "s3cr3t-t0ken"
[accounts.box]
platform = "outbox"
path = "box.jsonl"
active = false
[accounts.trial]
platform = "bluesky"
dry_run = true
app_password = { file = "not-yet-there" }
"#,
        ),
    ]);
    folder.set_mode("token", 0o644);
    folder.set_mode("config.toml", 0o644);
    let said = folder.without_folder(&warnings(&folder));
    assert!(!said.contains(SECRET));
    assert_snapshot!(said, @r###"
    config.toml:2: feeds.blog: its list of accounts is empty
    config.toml:5: feeds.notes: no active account takes its entries
    config.toml:8: accounts.fediverse: is let in as `again` is: an entry for both goes out twice
    config.toml:10: accounts.fediverse.base_url: is not encrypted: everyone on the way can read the token, want `https`
    config.toml:11: accounts.fediverse.access_token: everyone on this machine may read `/etc/pp/token`, want `chmod o-r`
    config.toml:15: accounts.again.base_url: is not encrypted: everyone on the way can read the token, want `https`
    config.toml:16: accounts.again.access_token: everyone on this machine may read `config.toml`, want `chmod o-r`
    config.toml:24: accounts.trial.app_password: file `/etc/pp/not-yet-there` does not exist
    "###);
}

#[test]
fn a_dry_run_needs_no_credentials_but_keeps_those_it_has() {
    let config = load(
        "[accounts.a]\nplatform = \"mastodon\"\ndry_run = true\n[accounts.b]\n\
         platform = \"outbox\"\ndry_run = true\npath = \"x\"",
    );
    assert_eq!(config.accounts[&label("a")].credentials, None);
    assert!(config.accounts[&label("b")].credentials.is_some());
}

#[test]
fn relative_paths_start_at_the_folder_of_the_main_file() {
    let folder = Folder::new(&[
        ("config.toml", "database = \"state/my.db\""),
        (
            "conf.d/a.toml",
            "[feeds.f]\nurl = \"file:my feed:1.xml\"\n[accounts.a]\nplatform = \"outbox\"\n\
             path = \"../box.jsonl\"",
        ),
    ]);
    let config = folder.load().unwrap();
    assert_eq!(config.database, folder.path("state/my.db"));
    let url = &config.feeds[&label("f")].url;
    assert_eq!(url.to_file_path().unwrap(), folder.path("my feed:1.xml"));
    let path = folder.path("../box.jsonl");
    assert_eq!(config.accounts[&label("a")].credentials, Some(Credentials::Outbox { path }));
}

#[test]
fn the_database_is_where_the_machine_keeps_state() {
    let folder = Folder::new(&[("config.toml", "")]);
    let database = |vars: &[(&str, &str)]| {
        let var = |name: &str| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let loaded = Config::load_with(&folder.path("config.toml"), &var, template::check);
        loaded
            .map(|config| config.database.display().to_string())
            .map_err(|problems| folder.without_folder(&problems.list[0].to_string()))
    };
    let state = ("STATE_DIRECTORY", "/var/lib/a:/var/lib/b");
    let (xdg, home) = (("XDG_STATE_HOME", "/xdg"), ("HOME", "/home/me"));
    for (vars, expect) in [
        (&[state, xdg, home][..], Ok("/var/lib/a/posse-party.db")),
        (&[xdg, home], Ok("/xdg/posse-party/posse-party.db")),
        (&[home], Ok("/home/me/.local/state/posse-party/posse-party.db")),
        // the XDG specification: a relative path is no path
        (
            &[("XDG_STATE_HOME", "xdg"), home],
            Ok("/home/me/.local/state/posse-party/posse-party.db"),
        ),
        (
            &[],
            Err("config.toml: database: is missing, want a path: there is no `HOME` to take one \
                 from"),
        ),
    ] {
        assert_eq!(database(vars), expect.map(String::from).map_err(String::from), "{vars:?}");
    }
}

#[test]
fn without_an_option_the_system_config_is_meant() {
    // systemd alone sets the variable, and no test runs under it
    assert_eq!(default_path(), Path::new("/etc/posse-party/config.toml"));
}

#[test]
fn all_kinds_of_settings_arrive() {
    let config = load(
        r#"
[feeds.blog]
url = "https://example.com/atom.xml"
cron = "0 9 * * mon"
timezone = "Europe/Warsaw"
catch_up = "hold"
max_age = "2w"
[accounts.bluesky]
platform = "bsky"
identifier = "did:plc:abc"
app_password = "xxxx"
base_url = "http://127.0.0.1:2583"
delay = "0s"
cooldown = "1h30m"
max_per_day = 3
approve = true
append_url_spacer = "\n\n"
[defaults]
visibility = "unlisted"
language = "pl"
truncate = false
[delivery]
retry_base = "20ms"
timeout = "3s"
[http]
allow_private = ["10.0.0.0/8", "::1"]
[media]
cache = "32 MiB"
[media_host]
dir = "."
base_url = "https://a.example/media"
"#,
    );
    assert_eq!(config.media.cache_bytes_max, 32 << 20);
    let host = config.media_host.as_ref().unwrap();
    assert_eq!(host.base_url.as_str(), "https://a.example/media/");
    assert!(host.dir.is_absolute(), "{host:?}");
    let Cadence::Cron { expression, timezone } = &config.feeds[&label("blog")].cadence else {
        panic!("not by cron: {:?}", config.feeds);
    };
    assert_eq!(timezone, &Zone::named("Europe/Warsaw").unwrap());
    // 2027-03-28 is the night of the clock change, 2027-03-29 a Monday
    let before: chrono::DateTime<chrono::Utc> = "2027-03-27T00:00:00Z".parse().unwrap();
    let next = expression.find_next_occurrence(&before.with_timezone(timezone), false).unwrap();
    assert_eq!(next.to_rfc3339(), "2027-03-29T09:00:00+02:00");
    let account = &config.accounts[&label("bluesky")];
    assert_eq!(account.platform, Platform::Bluesky);
    assert_eq!((account.delay, account.cooldown), (Duration::ZERO, Duration::from_secs(5400)));
    assert_eq!((account.max_per_day, account.approve), (Some(3), true));
    assert_eq!(account.text.append_url_spacer.as_deref(), Some("\n\n"));
    assert_eq!(config.defaults.visibility, Some(Visibility::Unlisted));
    assert_eq!(config.defaults.truncate, Some(false));
    assert_eq!(config.delivery.retry_base, Duration::from_millis(20));
    assert_eq!(config.delivery.connect_timeout, Duration::from_millis(1500));
    let networks: Vec<_> = config.http.allow_private.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "::1/128"]);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_reload_sees_exactly_what_changed() {
    let folder = Folder::new(&[("config.toml", MINIMAL)]);
    let before = folder.load().unwrap();
    assert_eq!(before, folder.load().unwrap());
    folder.write("config.toml", MINIMAL.replace("{ env = \"TOKEN\" }", "\"other\""));
    let after = folder.load().unwrap();
    assert_eq!(before.feeds, after.feeds);
    assert_ne!(before.accounts, after.accounts);
}

#[test]
fn the_fingerprint_changes_with_the_way_in_and_with_nothing_else() {
    let fingerprint = |text: &str| {
        let config = load(&format!("[accounts.a]\n{text}"));
        config.accounts[&label("a")].credentials.as_ref().unwrap().fingerprint()
    };
    let mastodon = |host: &str, token: &str| {
        let base_url = format!("base_url = \"https://{host}\"");
        fingerprint(&format!("platform = \"mastodon\"\n{base_url}\naccess_token = {token}"))
    };
    let base = mastodon("m.example", "\"s3cr3t-t0ken\"");
    // the same, kept elsewhere
    assert_eq!(base, mastodon("M.example:443/", "{ env = \"TOKEN\" }\ndelay = \"1h\""));
    assert_ne!(base, mastodon("m.example", "\"another\""));
    assert_ne!(base, mastodon("n.example", "\"s3cr3t-t0ken\""));

    let bluesky = |identifier: &str, rest: &str| {
        let identifier = format!("identifier = \"{identifier}\"");
        fingerprint(&format!("platform = \"bluesky\"\n{identifier}\n{rest}"))
    };
    let base = bluesky("me.example", "app_password = \"a\"");
    let default = "app_password = \"a\"\nbase_url = \"https://bsky.social\"";
    assert_eq!(base, bluesky("me.example", default));
    assert_ne!(base, bluesky("me.example", &default.replace("bsky.social", "pds.example")));
    assert_ne!(base, bluesky("you.example", "app_password = \"a\""));
    assert_ne!(base, bluesky("me.example", "app_password = \"b\""));

    let outbox = |path: &str| fingerprint(&format!("platform = \"outbox\"\npath = \"{path}\""));
    assert_ne!(outbox("/a"), outbox("/b"));
}

#[test]
fn the_demo_is_right_and_says_nothing_odd() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo.toml");
    let config = Config::load_with(&path, &|_| None, template::check).unwrap();
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!((config.feeds.len(), config.accounts.len()), (1, 3));
    let feed = &config.feeds[&label("demo")];
    let xml = fs::read(feed.url.to_file_path().unwrap()).unwrap();
    let entries = feed_rs::parser::parse(xml.as_slice()).unwrap().entries;
    let titles: Vec<_> = entries.iter().map(|it| it.title.clone().unwrap().content).collect();
    assert_eq!(titles.len(), 3);
    assert!(titles.iter().any(|title| title.chars().count() > 300), "none too long for Bluesky");
    assert!(titles.iter().any(|title| title.contains(" & ") && title.contains('🐟')));
    assert!(entries.iter().all(|entry| !entry.categories.is_empty()));
    assert_eq!(feed.backfill, 3);
    assert!(config.accounts.values().all(|account| account.delay.is_zero()));
    assert_eq!(config.database, path.parent().unwrap().join("state/demo.db"));
}

/// The example, and the example with every key that is commented out taken in.
fn examples() -> (Config, Config) {
    let example = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/example.toml"));
    let example = example.unwrap();
    let full: Vec<_> = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()) => key,
            _ => line,
        })
        .collect();
    let load = |text: &str| {
        let folder = Folder::new(&[
            ("config.toml", text),
            ("credentials/fediverse-token", "a"),
            ("credentials/bluesky-password", "b"),
            ("credentials/threads-token", "c"),
            ("credentials/threads-app-secret", "d"),
            ("credentials/instagram-token", "d"),
            ("credentials/instagram-app-secret", "e"),
            ("credentials/facebook-token", "f"),
        ]);
        folder.load().unwrap()
    };
    // the folder of the example is on no machine but its owner's
    let full = full.join("\n").replace("/srv/www/example.com/media", ".");
    (load(&example), load(&full))
}

#[test]
fn the_example_is_right_and_names_the_true_defaults() {
    let (plain, full) = examples();
    assert_eq!(plain.warnings, Vec::<String>::new());
    assert_eq!(full.warnings, Vec::<String>::new());
    assert_eq!((full.feeds.len(), full.accounts.len()), (2, 6));
    let shown = full.defaults.clone();
    // what is shown as a default is the default
    assert_eq!((&full.delivery, &full.log), (&plain.delivery, &plain.log));
    assert_eq!((&full.retention, &full.media), (&plain.retention, &plain.media));
    assert_eq!((&plain.media_host, full.media_host.is_some()), (&None, true));
    assert_eq!(full.database, plain.database);
    let (mut feed, plain_feed) = (full.feeds[&label("blog")].clone(), &plain.feeds[&label("blog")]);
    assert_eq!(feed.cadence, Cadence::Every(Duration::from_secs(60)));
    (feed.cadence, feed.accounts) = (Cadence::Auto, None);
    assert_eq!(&feed, plain_feed);
    let (full, plain) = (&full.accounts[&label("fediverse")], &plain.accounts[&label("fediverse")]);
    assert_eq!((full.active, full.dry_run), (plain.active, plain.dry_run));
    assert_eq!((full.delay, full.cooldown), (plain.delay, plain.cooldown));
    assert_eq!(full.approve, plain.approve);
    // of the text settings those that every account shares; the others are examples
    let mut text = Settings::of_platform(Platform::Mastodon);
    let link = text.attach_link;
    text.put(&shown);
    assert_eq!(text.hashtag_rules.max, Some(5));
    // shown as it is on Bluesky
    text.attach_link = link;
    let default = Settings::of_platform(Platform::Mastodon);
    let own = |it: Settings| {
        let append = (it.append_url, it.append_url_if_truncated, it.append_url_spacer);
        let media = (it.media_from, it.alt);
        (it.syndicate, it.channel, it.truncate, append, it.attach_link, it.append_hashtags, media)
    };
    assert_eq!(own(text), own(default));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic_the_loader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = Folder::new(&[]);
        folder.write("config.toml", bytes);
        let _ = folder.load();
    }

    #[test]
    fn a_broken_config_never_panics_the_loader_nor_shows_a_secret(
        cut in any::<prop::sample::Index>(),
        length in 0..40usize,
        patch in "[ -~]{0,12}",
    ) {
        let text = MINIMAL.replace("{ env = \"TOKEN\" }", &format!("\"{SECRET}\""));
        let start = cut.index(text.len());
        // within one line: else the secret may become the value of another key, which is shown
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = (start + length).min(line_end);
        let text = format!("{}{patch}{}", &text[..start], &text[end..]);
        let folder = Folder::new(&[]);
        folder.write("config.toml", &text);
        if let Err(problems) = folder.load() {
            prop_assert!(!problems.contains(SECRET), "{problems}");
        }
    }

    #[test]
    fn arbitrary_values_never_panic_the_loader(value in "\\PC{0,40}", key in 0..6usize) {
        let key = ["poll", "cron", "url", "timezone", "max_age", "accounts"][key];
        let value = toml::Value::String(value);
        let folder = Folder::new(&[]);
        folder.write("config.toml", format!("[feeds.blog]\n{key} = {value}\n[log]\nlevel = {value}\n"));
        let _ = folder.load();
    }
}
