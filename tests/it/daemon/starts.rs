//! What the daemon refuses to start on, and the one line that says what to do.

use std::path::Path;

use super::OUT;
use crate::daemon_process::{Daemon, Site, news};
use crate::world::atom;

fn site() -> Site {
    let site = Site::new(&format!("[feeds.blog]\nurl = \"file:blog.xml\"\n{OUT}"));
    site.write("blog.xml", &atom(&[news("old")]));
    site
}

/// The daemon ends with `code`, and says `words` last.
fn refused(site: &Site, code: i32, words: &[&str]) {
    for arguments in [&["run"][..], &["run", "--once"]] {
        let (ended, log) = site.run(arguments);
        assert_eq!(ended, Some(code), "{log}");
        for words in words {
            assert!(log.contains(words), "`{words}`: {log}");
        }
        assert!(!log.contains("panic") && !log.contains("ready"), "{log}");
    }
}

/// What a file holds, byte for byte.
fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn a_second_daemon_on_the_same_database() {
    let site = site();
    let first = site.start();
    let name = site.database().display().to_string();
    let line = format!(
        "posse-party: error: another posse-party runs on the database `{name}`: stop that one first"
    );
    refused(&site, 1, &[&line]);
    // another way to the same file is the same database
    std::os::unix::fs::symlink(site.path("db"), site.path("link")).unwrap();
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    site.write("config.toml", &config.replace("db/x.db", "link/x.db"));
    refused(&site, 1, &["another posse-party runs on the database"]);
    // the lock dies with its holder, however that ends
    first.kill();
    site.start().stop();
}

#[test]
fn a_config_with_mistakes() {
    let site = site();
    site.configure("[feeds.blog]\nurl = \"gopher:x\"\npol = \"1m\"\n[accounts.me]\n");
    refused(&site, 78, &["config.toml:3: ", "config.toml:4: ", "config.toml:5: "]);
    refused(&site, 78, &["hint: run `posse-party check` after editing"]);
    assert!(!site.path("db").exists(), "nothing is made before the config is right");
    std::fs::remove_file(site.path("config.toml")).unwrap();
    refused(&site, 78, &["config.toml"]);
}

#[test]
fn a_database_of_a_newer_version() {
    let site = site();
    site.start().stop();
    let database = rusqlite::Connection::open(site.database()).unwrap();
    database.pragma_update(None, "user_version", 9999).unwrap();
    drop(database);
    let before = bytes(&site.database());
    refused(&site, 1, &["written by a newer posse-party (schema 9999", "restore a backup"]);
    assert_eq!(bytes(&site.database()), before, "it is left as it is");
}

#[test]
fn a_database_that_is_none() {
    let site = site();
    std::fs::create_dir_all(site.database()).unwrap();
    refused(&site, 1, &[&format!("`{}`", site.database().display()), "directory"]);

    std::fs::remove_dir(site.database()).unwrap();
    let text = "this is the owner's diary, and no database. ".repeat(100);
    std::fs::write(site.database(), &text).unwrap();
    refused(&site, 1, &["failed to open the database `", "restore a backup"]);
    assert_eq!(bytes(&site.database()), text.as_bytes(), "it is left as it is");
}

#[test]
fn a_database_that_is_damaged() {
    let site = site();
    site.start().stop();
    let mut damaged = bytes(&site.database());
    // the head of the file stays, every page after the first is noise
    damaged[4096..].iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 31 % 251) as u8);
    std::fs::write(site.database(), damaged).unwrap();
    refused(&site, 1, &["damaged or no database", "restore a backup"]);
    assert!(!site.path("out.jsonl").exists());
}

#[test]
fn a_database_in_a_place_that_is_none() {
    let site = site();
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    site.write("config.toml", &config.replace("db/x.db", "blog.xml/x.db"));
    refused(&site, 1, &["failed to create `", "blog.xml`: "]);
}

#[test]
fn a_fresh_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let site = site();
    let daemon = Daemon::spawn(site.command_after("umask 000", &["run"]));
    daemon.wait("ready: ");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&site.path("db")), 0o700);
    for file in std::fs::read_dir(site.path("db")).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    daemon.stop();
}
