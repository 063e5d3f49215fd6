//! Compose: from stored entries to drafts, on one core, and where the time goes.
//!
//! In this process and without a daemon: built for speed (`profile.bench`), the daemon for size.
//! The entries are the largest of real feeds: those in the folder `POSSE_FEEDS`, else in
//! `../shared/feeds`, else made ones of the same sizes.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use posse_party::compose::{self, Subject, count, tokens};
use posse_party::draft::Media;
use posse_party::entry::{Entry, Markup};
use posse_party::feed::parse::{Hint, parse};
use posse_party::people::People;
use posse_party::platform::{Limits, Platform};
use posse_party::settings::Settings;
use posse_party::text;
use url::Url;

use crate::feeds;
use crate::median;
use crate::table::{Row, row};

const ENTRIES: usize = 500;
/// Figures are the median of so many.
const PASSES: usize = 5;
const GOAL: &str = "≥ 2,000";

/// Drafts a second, with each platform's default template and with one that asks for everything.
pub fn figures() -> Vec<Row> {
    let (entries, origin) = largest();
    let kilobytes = entries.iter().map(size).sum::<usize>() / entries.len() / 1000;
    let usual = Work::new(&entries, None);
    let full = Work::new(&entries, Some("{{title}}\n\n{{content}}"));
    let what = format!(
        "drafts a second: the {} largest entries of {origin} ({kilobytes} KB on average) for {} \
         platforms",
        entries.len(),
        PLATFORMS.len()
    );
    vec![
        row(&what, usual.a_second(), GOAL),
        row("the same, share of time", usual.shares(), ""),
        row("the same, each with its title and its whole text", full.a_second(), GOAL),
        row("the same, share of time", full.shares(), ""),
    ]
}

/// The social ones.
const PLATFORMS: [Platform; 8] = [
    Platform::Mastodon,
    Platform::Bluesky,
    Platform::Threads,
    Platform::Instagram,
    Platform::Facebook,
    Platform::LinkedIn,
    Platform::X,
    Platform::YouTube,
];

/// Entries and how they become drafts.
struct Work<'a> {
    entries: &'a [Entry],
    settings: Vec<(Platform, Settings)>,
    people: People,
}

impl<'a> Work<'a> {
    fn new(entries: &'a [Entry], format_string: Option<&str>) -> Self {
        let settings = PLATFORMS.map(|platform| {
            let format_string = format_string.map(str::to_owned);
            (platform, Settings { format_string, ..Settings::of_platform(platform) })
        });
        Self { entries, settings: settings.into(), people: People::new() }
    }

    fn a_second(&self) -> String {
        let drafts = self.entries.len() * self.settings.len();
        format!("{:.0}", drafts as f64 / self.drafts(self.entries, true, true).as_secs_f64())
    }

    /// How long all drafts of `entries` take. Where they are not `limited`, none is shortened.
    fn drafts(&self, entries: &[Entry], limited: bool, with_card: bool) -> Duration {
        let all: Vec<(Platform, Limits, Settings)> = self
            .settings
            .iter()
            .map(|(platform, settings)| {
                let limits = platform.limits();
                let endless = Limits { max: u32::MAX, max_bytes: None, ..limits };
                let attach_link = with_card && settings.attach_link;
                let settings = Settings { attach_link, ..settings.clone() };
                (*platform, if limited { limits } else { endless }, settings)
            })
            .collect();
        time(|| {
            for (platform, limits, settings) in &all {
                for entry in entries {
                    let draft = compose::compose(&Subject {
                        entry,
                        settings,
                        platform: *platform,
                        account: "me",
                        limits,
                        media_limits: &platform.media(),
                        people: &self.people,
                        page: None,
                        media: None,
                    });
                    let draft = draft.expect("these entries can be posted");
                    assert!(count::fits(&draft.text, limits), "{}", draft.text);
                    black_box(draft);
                }
            }
        })
    }

    /// What each step takes of the whole: what the whole saves, step by step, when it has less to
    /// do.
    fn shares(&self) -> String {
        let with = |text: fn(&Markup) -> String| -> Vec<Entry> {
            let change = |it: &Option<Markup>| it.as_ref().map(|it| Markup::Text(text(it)));
            let changed = self.entries.iter().map(|entry| Entry {
                content: change(&entry.content),
                summary: change(&entry.summary),
                ..entry.clone()
            });
            changed.collect()
        };
        let (plain, short) = (with(text::plain), with(|_| "text".to_owned()));
        let whole = self.drafts(self.entries, true, true);
        let left = [
            ("HTML to text", self.drafts(&plain, true, true)),
            ("shortening", self.drafts(&plain, false, true)),
            ("card", self.drafts(&plain, false, false)),
            ("folding, tokens, counting", self.drafts(&short, false, false)),
            ("template and the rest", Duration::ZERO),
        ];
        let mut before = whole;
        let shares = left.map(|(name, after)| {
            let saved = before.as_secs_f64() - after.as_secs_f64();
            before = after;
            format!("{name} {:.0} %", 100.0 * saved / whole.as_secs_f64())
        });
        shares.join(", ")
    }
}

fn time(work: impl Fn()) -> Duration {
    let pass = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    median((0..PASSES).map(pass).collect())
}

/// The largest entries, and whose they are.
fn largest() -> (Vec<Entry>, &'static str) {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/feeds");
    let folder =
        std::env::var_os("POSSE_FEEDS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let files = std::fs::read_dir(&folder).into_iter().flatten();
    let bodies = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let mut entries: Vec<Entry> = bodies.flat_map(|body| read(&body)).collect();
    let is_real = entries.len() >= ENTRIES;
    if !is_real {
        assert!(std::env::var_os("POSSE_FEEDS").is_none(), "fewer than {ENTRIES} entries");
        entries = (0..ENTRIES).flat_map(made).collect();
    }
    // by id where they are as long, for the order of files is not the same everywhere
    entries.sort_by(|a, b| (size(b), &a.id).cmp(&(size(a), &b.id)));
    entries.truncate(ENTRIES);
    (entries, if is_real { "real feeds" } else { "made feeds" })
}

/// An entry as long as the one of this rank in 1,500 entries of 70 real feeds: 100 KB, then fewer.
fn made(rank: usize) -> Vec<Entry> {
    let bytes = 420_000.0 / (rank as f64 + 5.0).powf(0.9);
    read(feeds::feed(rank, 0..1, bytes as usize, 0).as_bytes())
}

fn read(body: &[u8]) -> Vec<Entry> {
    let url = Url::parse("https://example.com/feed.xml").unwrap();
    let hint = Hint { url: &url, content_type: None };
    let entries = parse(body, &hint).map_or(Vec::new(), |feed| feed.entries);
    let has_page = |entry: &Entry| entry.url.as_deref().is_some_and(tokens::is_web_address);
    // some platforms take nothing without a picture, one nothing without a video
    let medium = |media_type: &str, name: &str| Media {
        media_type: Some(media_type.into()),
        url: format!("https://example.com/{name}"),
        ..Media::default()
    };
    let with_media = |entry: Entry| {
        let media = vec![medium("image/jpeg", "picture.jpg"), medium("video/mp4", "film.mp4")];
        Entry { media, ..entry }
    };
    entries.into_iter().filter(has_page).map(with_media).collect()
}

fn size(entry: &Entry) -> usize {
    let bytes = |markup: &Option<Markup>| markup.as_ref().map_or(0, |markup| markup.body().len());
    bytes(&entry.content) + bytes(&entry.summary)
}
