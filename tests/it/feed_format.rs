//! `docs/feed-format.md` is true: its examples are read as it says, and it describes what is read.

use std::collections::BTreeSet;

use posse_party::entry::ParsedFeed;
use posse_party::feed::extension;
use posse_party::feed::parse::{Hint, parse};
use url::Url;

const PAGE: &str = include_str!("../../docs/feed-format.md");
const NS: &str = "https://posseparty.com/2024/Feed";

/// A fenced block of the page.
struct Block {
    kind: &'static str,
    text: &'static str,
}

/// The fenced blocks in order.
fn blocks() -> Vec<Block> {
    let mut parts = PAGE.split("\n```");
    parts.next();
    let mut blocks = Vec::new();
    while let Some(block) = parts.next() {
        let (kind, text) = block.split_once('\n').unwrap();
        blocks.push(Block { kind, text });
        parts.next().expect("each block is closed");
    }
    blocks
}

/// The block as a feed.
fn read(block: &Block) -> ParsedFeed {
    let Block { kind, text } = *block;
    let document = match kind {
        "json" => text.to_owned(),
        "xml" if text.starts_with("<feed") => text.to_owned(),
        "xml" => format!("<rss version=\"2.0\"><channel>{text}</channel></rss>"),
        "json5" => format!(
            "<rss version=\"2.0\" xmlns:posse=\"{NS}\"><channel><item><guid>1</guid><title>T</title>
             <posse:post><![CDATA[\n{text}\n]]></posse:post></item></channel></rss>"
        ),
        other => panic!("no block of the kind `{other}` is known"),
    };
    let url = Url::parse("https://example.com/feed").unwrap();
    parse(document.as_bytes(), &Hint { url: &url, content_type: None }).unwrap()
}

#[test]
fn every_example_is_read_as_the_page_says() {
    let blocks = blocks();
    assert!(blocks.len() > 10);
    for (at, block) in blocks.iter().enumerate().filter(|(_, block)| block.kind != "text") {
        let feed = read(block);
        let told: Vec<&str> = feed.problems.iter().map(|it| &*it.message).collect();
        let expect = blocks.get(at + 1).filter(|next| next.kind == "text");
        let expect: Vec<&str> = expect.map_or(Vec::new(), |next| next.text.lines().collect());
        assert_eq!(told, expect, "{}", block.text);
        let entry = &feed.entries[0];
        let is_taken =
            entry.control != Default::default() || entry.title.as_deref() == Some("Hello");
        assert!(is_taken, "{}", block.text);
    }
}

/// The names that the tables below the heading describe.
fn described(heading: &str) -> BTreeSet<&'static str> {
    let level = heading.split(' ').next().unwrap();
    let (_, section) = PAGE.split_once(&format!("\n{heading}\n")).expect("there is such a heading");
    let ends = section.match_indices("\n#").find(|(at, _)| {
        section[at + 1..].split(' ').next().is_some_and(|found| found.len() <= level.len())
    });
    let section = &section[..ends.map_or(section.len(), |(at, _)| at)];
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split_once('`').unwrap().0).collect()
}

#[test]
fn every_property_is_described_and_no_other() {
    let all: BTreeSet<&str> = extension::properties().map(|(name, _)| name).collect();
    assert_eq!(described("## Properties"), all);
    let once = extension::properties().filter(|(_, in_overrides)| !in_overrides);
    assert_eq!(described("### For the whole entry"), once.map(|(name, _)| name).collect());
}

#[test]
fn every_property_has_an_example_that_goes_well() {
    let blocks = blocks();
    let pairs = blocks.iter().zip(blocks.iter().skip(1));
    let good: String = pairs
        .filter(|(block, next)| block.kind == "json5" && next.kind != "text")
        .map(|(block, _)| block.text)
        .collect();
    for (name, _) in extension::properties() {
        assert!(good.contains(&format!("\"{name}\": ")), "{name}");
    }
}
