//! Template: any `format_string` makes a draft or says why not, whatever the entry holds.
//!
//! The first line of the input is the template, the second the title, the rest the content.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posse_party::compose::{self, ComposeError, Subject, template};
use posse_party::draft::Draft;
use posse_party::entry::{Entry, Markup};
use posse_party::people::People;
use posse_party::platform::Platform;
use posse_party::settings::Settings;

fuzz_target!(|input: &str| {
    let (format_string, rest) = input.split_once('\n').unwrap_or((input, ""));
    let (title, content) = rest.split_once('\n').unwrap_or((rest, ""));
    let entry = Entry {
        id: "id".into(),
        url: Some("https://example.com/1".into()),
        title: Some(title.into()),
        content: Some(Markup::Html(content.into())),
        categories: vec!["One".into(), "two three".into()],
        ..Entry::default()
    };
    let draft = draft(&entry, format_string);
    assert_eq!(draft, self::draft(&entry, format_string), "rendered differently");
    match (draft, template::check(format_string)) {
        (Ok(draft), _) => assert!(!draft.text.trim().is_empty(), "an empty draft"),
        (Err(ComposeError::Template(error)), _) => assert!(!error.trim().is_empty()),
        (Err(error), _) => assert!(error.draft().is_some(), "{error}"),
    }
    if !format_string.contains(['{', '}']) {
        assert_eq!(template::check(format_string), Ok(()), "it holds no code");
    }
});

fn draft(entry: &Entry, format_string: &str) -> Result<Draft, ComposeError> {
    let (platform, people) = (Platform::Outbox, &People::new());
    let settings = &Settings {
        format_string: Some(format_string.to_owned()),
        ..Settings::of_platform(platform)
    };
    let (account, limits) = ("me", &platform.limits());
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
