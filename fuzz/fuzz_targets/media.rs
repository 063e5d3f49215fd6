//! Media: whatever a content holds, the media that come of it are of the web, and each is there once.
//!
//! The first line of the input is an alternative text of the feed's own image, the rest is HTML.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use posse_party::compose::{Subject, media};
use posse_party::draft::Media;
use posse_party::entry::{Entry, Markup};
use posse_party::people::People;
use posse_party::platform::Platform;
use posse_party::settings::Settings;
use url::Url;

fuzz_target!(|input: &str| {
    let (alt, html) = input.split_once('\n').unwrap_or(("", input));
    let own = Media {
        url: "https://posse.example/1.jpg".into(),
        alt: Some(alt.into()).filter(|alt: &String| !alt.is_empty()),
        ..Media::default()
    };
    let entry = Entry {
        url: Some("https://posse.example/1".into()),
        media: vec![own],
        content: Some(Markup::Html(html.into())),
        ..Entry::default()
    };
    for platform in Platform::ALL {
        check(&entry, platform);
    }
});

fn check(entry: &Entry, platform: Platform) {
    let limits = platform.media();
    let wanted = || {
        media::wanted(&Subject {
            entry,
            settings: &Settings::of_platform(platform),
            platform,
            account: "me",
            limits: &platform.limits(),
            media_limits: &limits,
            people: &People::new(),
            page: None,
            media: None,
        })
    };
    let found = wanted();
    assert!(found.media.len() <= limits.count_max as usize, "{} media", found.media.len());
    let mut seen = HashSet::new();
    for medium in &found.media {
        let url = Url::parse(&medium.url).expect("it is absolute");
        assert!(matches!(url.scheme(), "http" | "https") && url.has_host(), "{url}");
        assert!(seen.insert(&medium.url), "{url} is there twice");
        let alt = medium.alt.as_deref().unwrap_or("x");
        assert!(!alt.trim().is_empty(), "an empty alternative text");
        assert!(alt.chars().count() <= limits.alt_max.max(1) as usize, "{} of alt", alt.len());
    }
    assert_eq!(wanted(), found, "the same entry, other media");
}
