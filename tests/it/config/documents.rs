//! The examples of the documentation: what an owner copies is right.

use std::fs;
use std::path::Path;

use super::{Folder, MINIMAL};

/// The TOML in a page of the documentation, each block with its line.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(path).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in text.lines().enumerate() {
        match (line.trim(), &mut open) {
            ("```toml", None) => open = Some((at + 1, String::new())),
            ("```", Some(_)) => blocks.extend(open.take()),
            (_, Some((_, block))) => *block += &format!("{line}\n"),
            _ => {}
        }
    }
    blocks
}

#[test]
fn every_example_is_right_and_says_nothing_odd() {
    let pages = [
        ("README.md", 1),
        ("docs/configuration.md", 5),
        ("docs/composition.md", 3),
        ("docs/accounts/mastodon.md", 1),
        ("docs/accounts/bluesky.md", 1),
        ("docs/accounts/threads.md", 1),
        ("docs/accounts/instagram.md", 1),
        ("docs/accounts/facebook.md", 1),
        ("docs/accounts/outbox.md", 1),
    ];
    for (page, count) in pages {
        let blocks = blocks(page);
        assert!(blocks.len() >= count, "{page} has only {} examples", blocks.len());
        for (line, block) in blocks {
            // many show only what they are about: the rest is the least config
            let folder = Folder::new(&[
                ("config.toml", MINIMAL),
                (
                    "conf.d/example.toml",
                    &block
                        .replace("YOUR.SERVER", "your.example")
                        // a folder of somebody else's machine
                        .replace("/srv/www/example.com/media", "."),
                ),
                ("mastodon.token", "a"),
                ("bluesky.password", "b"),
                ("credentials/fediverse-token", "c"),
                ("credentials/mastodon-token", "d"),
                ("credentials/bluesky-password", "e"),
                ("credentials/threads-token", "f"),
                ("credentials/instagram-token", "g"),
                ("credentials/facebook-token", "h"),
            ]);
            match folder.load() {
                Ok(config) => assert_eq!(config.warnings, [""; 0], "{page}:{line}"),
                Err(problems) => panic!("{page}:{line}: {problems}"),
            }
        }
    }
}
