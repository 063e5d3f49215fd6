use super::*;
use crate::draft::{Card, Facet, Feature, Visibility};
use crate::entry::Markup;
use crate::platform::Unit;

const URL: &str = "https://a.io/1";

fn entry(title: &str, content: &str, url: &str) -> Entry {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Entry {
        id: "1".into(),
        url: some(url),
        title: some(title),
        content: some(content).map(Markup::Text),
        language: Some("en".into()),
        ..Entry::default()
    }
}

fn limits(max: u32) -> Limits {
    Limits { unit: Unit::Graphemes, max, max_bytes: None }
}

#[test]
fn mastodon_gets_the_url_and_bluesky_the_card() {
    let entry = entry("Hello", "Some text", URL);
    let on = |platform: Platform| {
        drafted(&entry, &Settings::of_platform(platform), platform, &platform.limits()).unwrap()
    };
    let expect = Draft {
        text: "Hello https://a.io/1".into(),
        language: Some("en".into()),
        canonical_url: Some(URL.into()),
        ..Draft::default()
    };
    assert_eq!(on(Platform::Mastodon), expect);
    assert_eq!(on(Platform::Outbox), expect);
    let card = Card {
        url: URL.into(),
        title: "Hello".into(),
        description: "Some text".into(),
        ..Card::default()
    };
    let expect = Draft { text: "Hello".into(), card: Some(card), ..expect };
    assert_eq!(on(Platform::Bluesky), expect);
}

#[test]
fn settings_win_and_go_only_where_they_mean_something() {
    let settings = Settings {
        language: Some("de".into()),
        visibility: Some(Visibility::Unlisted),
        attach_link: true,
        ..Settings::of_platform(Platform::Mastodon)
    };
    let on = |platform: Platform| {
        drafted(&entry("Hi", "", URL), &settings, platform, &platform.limits()).unwrap()
    };
    let draft = on(Platform::Mastodon);
    assert_eq!(draft.language.as_deref(), Some("de"));
    assert_eq!((draft.visibility, draft.card), (Some(Visibility::Unlisted), None));
    let draft = on(Platform::Bluesky);
    assert_eq!(draft.visibility, None);
    let link = Feature::Link(URL.into());
    assert_eq!(draft.facets, [Facet { byte_start: 3, byte_end: 17, feature: link }]);
}

/// Text on a platform without peculiarities, by template, entry, spacer and limit.
#[track_caller]
fn check(template: &str, entry: &Entry, spacer: &str, max: u32, expect: &str) {
    let settings = Settings {
        format_string: Some(template.into()),
        append_url_spacer: spacer.into(),
        ..Settings::of_platform(Platform::Outbox)
    };
    let draft = drafted(entry, &settings, Platform::Outbox, &limits(max));
    assert_eq!(draft.map(|draft| draft.text).as_deref(), Ok(expect), "{template} in {max}");
}

#[test]
fn an_entry_without_a_title_posts_what_it_has() {
    check("{{title}}", &entry("", "A note", URL), " ", 99, "A note https://a.io/1");
    let summary = Entry { summary: Some(Markup::Text("Sum".into())), ..entry("", " \n", URL) };
    check("{{title}}", &summary, " ", 99, "Sum https://a.io/1");
    check("{{title}}", &entry("", "", URL), " ", 99, URL);
    let none = drafted(
        &entry("", "", "not a url"),
        &Settings::of_platform(Platform::Outbox),
        Platform::Outbox,
        &limits(99),
    );
    assert_eq!(none, Err(ComposeError::Empty));
}

#[test]
fn the_url_is_appended_once_and_apart() {
    let hello = &entry("Hello", "", URL);
    check("{{title}}", hello, "\n\n\n", 99, "Hello\n\nhttps://a.io/1");
    check("{{title}}", hello, "", 99, "Hello https://a.io/1");
    check("{{title}}", hello, ": →", 99, "Hello: → https://a.io/1");
    check("{{title}} {{url}}", hello, " ", 99, "Hello https://a.io/1");
    check("{{url}}: {{title}}", hello, " ", 99, "https://a.io/1: Hello");
    check("{{title}} {{url}}2", hello, " ", 99, "Hello https://a.io/12 https://a.io/1");
    check("see {{url}}2", hello, ": ", 99, "see https://a.io/12 : https://a.io/1");
    check("“{{url}}”", hello, " ", 99, "“https://a.io/1 ”");
    check("{{title}}", &entry("Hello", "", "javascript:x"), " ", 99, "Hello");
}

#[test]
fn what_is_too_long_is_cut_around_the_url() {
    let long = &entry("Some words that do not fit", "", URL);
    check("{{title}}", long, " ", 26, "Some words… https://a.io/1");
    check("{{title}}\n\n{{url}}", long, " ", 27, "Some words…\n\nhttps://a.io/1");
    check("at {{url}} {{title}}", long, " ", 24, "at https://a.io/1 Some…");
    check("{{title}} at {{url}} or so", long, " ", 26, "Some words… https://a.io/1");
    check("{{title}}", long, " ", 14, URL);
}

#[test]
fn what_can_not_be_cut_is_told() {
    let check = |entry: &Entry, truncate: bool, append_url: bool, max: u32, expect: &str| {
        let base = Settings::of_platform(Platform::Outbox);
        let settings = Settings { truncate, append_url, ..base };
        let error = drafted(entry, &settings, Platform::Outbox, &limits(max)).unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    let long = entry(&"x".repeat(612), "", URL);
    check(&long, false, false, 500, "too long: 612 of 500 graphemes, and truncate is off");
    check(
        &long,
        true,
        true,
        13,
        "too long: 627 of 13 graphemes, and it can't be shortened without breaking its link",
    );
    check(
        &entry("https://b.io/long", "", URL),
        true,
        false,
        13,
        "too long: 17 of 13 graphemes, and it can't be shortened without breaking a link, \
         hashtag or handle",
    );
    let settings =
        Settings { format_string: Some("{{".into()), ..Settings::of_platform(Platform::Outbox) };
    let error = drafted(&long, &settings, Platform::Outbox, &limits(9)).unwrap_err().to_string();
    assert!(error.starts_with("the template can't be used: syntax error: "), "{error}");
}

#[test]
fn what_was_done_is_noted() {
    let settings = Settings::of_platform(Platform::Mastodon);
    let entry = entry(&format!("@bob {}", "word ".repeat(120)), "", URL);
    let platform = Platform::Mastodon;
    let draft = drafted(&entry, &settings, platform, &platform.limits()).unwrap();
    assert!(draft.text.starts_with("@\u{2060}bob word"), "{}", draft.text);
    assert!(draft.text.ends_with("word… https://a.io/1"), "{}", draft.text);
    assert_eq!(
        draft.notes,
        [
            "`@bob` is shown, but pings nobody",
            "too long (629 of 500 characters): shortened to 500, without `word word word word word \
             word word word word word word word…`"
        ]
    );
}
