//! Truncate: for every platform and any limit, what is composed fits, and a cut is never inside a
//! grapheme or a token.
//!
//! The first four bytes are the platform, whether the URL is appended, and the limit; the rest is
//! the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posse_party::compose::{self, ComposeError, Subject, count, tokens};
use posse_party::draft::{Draft, Media};
use posse_party::entry::{Entry, Markup};
use posse_party::people::People;
use posse_party::platform::{Limits, Links, Platform};
use posse_party::settings::Settings;
use unicode_segmentation::UnicodeSegmentation;

const URL: &str = "https://posse.example/posts/1";
const MARKER: char = '…';

fuzz_target!(|input: (u8, u8, u16, &str)| {
    let (platform, flags, max, text) = input;
    if text.contains("posse.example") {
        return; // a URL of its own is another case
    }
    let platform = Platform::ALL[usize::from(platform) % Platform::ALL.len()];
    let append_url = flags & 1 != 0;
    let entry = Entry {
        id: "id".into(),
        url: append_url.then(|| URL.to_owned()),
        content: Some(Markup::Text(text.into())),
        // some platforms take nothing without a picture
        media: vec![Media {
            media_type: Some("video/mp4".into()),
            url: "https://posse.example/1.mp4".into(),
            ..Media::default()
        }],
        ..Entry::default()
    };
    let settings = Settings {
        format_string: Some("{{content}}".into()),
        append_url,
        ..Settings::of_platform(platform)
    };
    let limits = Limits { max: u32::from(max), ..platform.limits() };
    let unlimited = Limits { max: u32::MAX, max_bytes: None, ..limits };
    // without a URL: where media take the place of the card, it would be appended all the same
    let alone = Entry { url: None, ..entry.clone() };
    let body = match draft(&alone, &settings, platform, &unlimited) {
        // an entry that has nothing else is its URL
        Err(ComposeError::Empty) if append_url => Ok(URL.to_owned()),
        body => body.map(|draft| draft.text),
    };
    match draft(&entry, &settings, platform, &limits) {
        Ok(draft) => {
            assert!(count::fits(&draft.text, &limits), "{:?} is too long", draft.text);
            let body = body.expect("it was composed with limits");
            if platform.rules().links == Links::Facets {
                check_facets(&draft); // URLs are shown short: another text
            } else if platform.rules().links_max.is_none() {
                // (where links are numbered, the appended one takes the place of another)
                check(&body, &draft.text, append_url);
            }
        }
        Err(ComposeError::Empty) => assert!(body.is_err(), "there was text: {text:?}"),
        Err(ComposeError::Unbreakable(..)) => {
            assert!(!count::fits(&body.expect("it was composed"), &limits) || append_url);
        }
        Err(error) => panic!("{error}"),
    }
});

fn draft(
    entry: &Entry,
    settings: &Settings,
    platform: Platform,
    limits: &Limits,
) -> Result<Draft, ComposeError> {
    let people = &People::new();
    let account = "me";
    compose::compose(&Subject {
        entry,
        settings,
        platform,
        account,
        limits,
        media_limits: &platform.media(),
        people,
        page: None,
        media: None,
    })
}

/// Checks that facets are on characters, in order and apart.
fn check_facets(draft: &Draft) {
    let mut end = 0;
    for facet in &draft.facets {
        let shown = draft.text.get(facet.byte_start..facet.byte_end);
        assert!(shown.is_some_and(|shown| !shown.is_empty()), "{facet:?} of {:?}", draft.text);
        assert!(end <= facet.byte_start, "{facet:?} overlaps the one before");
        end = facet.byte_end;
    }
}

/// Checks that `text` is `body`, whole or cut where it may be, and then the URL.
fn check(body: &str, text: &str, append_url: bool) {
    let head = if append_url && body != URL {
        // a text that links to the entry by itself gets no second link
        let head = text.strip_suffix(URL).or_else(|| body.contains(URL).then_some(text));
        head.unwrap_or_else(|| panic!("{text:?} lacks its URL")).trim_end()
    } else {
        text
    };
    if head.is_empty() || head == body.trim_end() {
        return;
    }
    let cut = head.strip_suffix(MARKER).unwrap_or_else(|| panic!("{head:?} has no marker"));
    // between a URL and the marker stands a space, which may be the text's own or not
    let bounds: Vec<usize> = body.grapheme_indices(true).map(|(at, _)| at).collect();
    let ends = |cut: &&str| body.starts_with(*cut) && bounds.binary_search(&cut.len()).is_ok();
    let cut = [cut, cut.trim_end()].into_iter().find(ends);
    let at = cut.unwrap_or_else(|| panic!("{text:?} is no cut of {body:?} at a grapheme")).len();
    let inside = tokens::find(body).into_iter().find(|it| it.range.start < at && at < it.range.end);
    assert!(inside.is_none(), "{text:?} is cut inside {inside:?} of {body:?}");
    let solid = tokens::find(body).into_iter().find(|it| it.is_url && it.range.end == at);
    assert!(solid.is_none() || !head[at..].starts_with(MARKER), "{text:?}: glued to a URL");
}
