use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::clock::Timestamp;
use crate::draft::{Channel, Media, ReplyControl, Visibility};
use crate::entry::{Markup, Override};
use crate::settings::{Layer, Utm};

fn base() -> Url {
    Url::parse("https://a.example/blog/").unwrap()
}

fn said(text: &str) -> Said {
    of_element(None, text, &base())
}

/// Reads what must go well.
fn well(text: &str) -> Said {
    let said = said(text);
    assert_eq!(said.control.problems, [""; 0], "{text}");
    said
}

/// What is said of `text`, which must leave nothing behind.
fn check(text: &str, problems: &[&str]) {
    let mut said = said(text);
    assert_eq!(std::mem::take(&mut said.control.problems), problems, "{text}");
    assert_eq!(said, Said::default(), "{text}");
}

fn check_syndicate(text: &str, expect: &[(&str, &str, bool)]) {
    let control = well(text).control;
    for (platform, label, allowed) in expect {
        let said = control.layers(platform, label).filter_map(|(_, layer)| layer.syndicate);
        assert_eq!(said.last().unwrap_or(true), *allowed, "{text} {platform} {label}");
    }
}

#[test]
fn the_nearest_word_counts_and_bsky_is_bluesky() {
    check_syndicate(r#"{"syndicate": false}"#, &[("x", "me", false)]);
    check_syndicate(
        r#"{"syndicate": false,
            "platform_overrides": {"bsky": {"syndicate": true}, "webhook": {}},
            "account_overrides": {"work": {"syndicate": false}}}"#,
        &[("bluesky", "me", true), ("bluesky", "work", false), ("x", "me", false)],
    );
    for nothing in ["", " \n", "{}", "// nothing yet", r#"{"syndicate": null}"#] {
        assert_eq!(well(nothing), Said::default(), "{nothing}");
    }
}

#[test]
fn relaxed_json_means_what_strict_json_means() {
    let strict = well(r#"{"title": "It's \"one\"", "truncate": false, "hashtags": ["a", "b"]}"#);
    let relaxed = [
        "{title: 'It\\'s \"one\"', truncate: false, hashtags: ['a', 'b',],}",
        "{\n  // a comment\n  title: \"It's \\\"one\\\"\", /* and [[[[ another */ truncate: false,\n  hashtags: ['a', \"b\"]\n}",
        "\u{a0}{\"title\":'It\\u0027s \\x22one\\x22','truncate':false,hashtags:['a','b']}// end",
    ];
    for relaxed in relaxed {
        assert_eq!(well(relaxed), strict, "{relaxed}");
    }
    let escaped = well(r#"{"title": "\ud83d\ude00 \u00e4"}"#);
    assert_eq!(escaped.fields.title.as_deref(), Some("😀 ä"));
}

#[test]
fn every_setting_goes_to_its_place() {
    let said = well(
        r##"{"syndicate": true, "channel": "story", "format_string": " {{title}}\n", "truncate": false,
            "append_url": true, "append_url_if_truncated": true, "append_url_spacer": "", "append_url_label": "More",
            "attach_link": false, "og_title": "T", "og_description": "D", "og_image": "card.png",
            "media": [{"type": "image/jpeg", "url": "/a.jpg", "poster_url": "p.png", "alt": " A "}, {"url": "https://b.example/v.mp4"}],
            "language": "pt_BR", "visibility": "unlisted", "content_warning": "", "hashtags": ["#open source", "rust", "＃rust", " "],
            "append_hashtags": true, "mentions": ["Ada Lovelace"], "reply_control": "followers_only",
            "utm": {"source": "{{platform}}", "medium": "", "campaign": null}}"##,
    );
    let media = |kind: &str, url: &str| Media {
        media_type: Some(kind.into()),
        url: url.into(),
        ..Media::default()
    };
    let settings = Layer {
        syndicate: Some(true),
        channel: Some(Channel::Story),
        format_string: Some(" {{title}}\n".into()),
        truncate: Some(false),
        append_url: Some(true),
        append_url_if_truncated: Some(true),
        append_url_spacer: Some(String::new()),
        append_url_label: Some("More".into()),
        attach_link: Some(false),
        og_title: Some("T".into()),
        og_description: Some("D".into()),
        og_image: Some("https://a.example/blog/card.png".into()),
        media: Some(vec![
            Media {
                poster_url: Some("https://a.example/blog/p.png".into()),
                alt: Some("A".into()),
                ..media("image/jpeg", "https://a.example/a.jpg")
            },
            media("video/mp4", "https://b.example/v.mp4"),
        ]),
        language: Some("pt-BR".into()),
        visibility: Some(Visibility::Unlisted),
        content_warning: Some(String::new()),
        hashtags: Some(vec!["open source".into(), "rust".into()]),
        append_hashtags: Some(true),
        mentions: Some(vec!["Ada Lovelace".into()]),
        reply_control: Some(ReplyControl::FollowersOnly),
        utm: Some(Utm { source: Some("{{platform}}".into()), ..Utm::default() }),
        hashtag_rules: None,
        media_from: None,
        media_max: None,
        media_or_card: None,
        alt: None,
    };
    assert_eq!(said, Said { control: Control { settings, ..Control::default() }, ..said.clone() });
    assert!(said.fields.is_empty() && said.id.is_none());
}

#[test]
fn every_field_goes_to_its_place() {
    let fields = |text: &str| well(text).fields;
    let all = r#"{"id": " 7 ", "url": "u", "alternate_url": "a", "related_url": "//b.example/r", "short_url": "",
        "title": " A\n title ", "subtitle": "S", "summary": "a < b\n\n& c", "content": "<p><a href='/x'>x</a></p>",
        "author_name": "Ada", "author_email": "", "published_at": "2026-11-23T17:20:00+01:00",
        "updated_at": "Mon, 23 Nov 2026 17:20:00 GMT"}"#;
    let expect = Fields {
        url: Some("https://a.example/blog/u".into()),
        alternate_url: Some("https://a.example/blog/a".into()),
        related_url: Some("https://b.example/r".into()),
        short_url: Some(String::new()),
        title: Some("A title".into()),
        subtitle: Some("S".into()),
        summary: Some(Markup::Text("a < b\n\n& c".into())),
        content: Some(Markup::Html("<p><a href='https://a.example/x'>x</a></p>".into())),
        author_name: Some("Ada".into()),
        author_email: Some(String::new()),
        published_at: Some(Timestamp::from_secs(1_795_450_800)),
        updated_at: Some(Timestamp::from_secs(1_795_454_400)),
    };
    assert_eq!(fields(all), expect);
    assert_eq!(well(all).id.as_deref(), Some("7"));
    // a date can't be taken away, so an empty one says nothing
    assert_eq!(fields(r#"{"published_at": "", "updated_at": null}"#), Fields::default());

    let overrides = well("{platform_overrides: {mastodon: {title: 'M', truncate: false}}}");
    let over = &overrides.control.by_platform["mastodon"];
    let fields = Fields { title: Some("M".into()), ..Fields::default() };
    let settings = Layer { truncate: Some(false), ..Layer::default() };
    assert_eq!(*over, Override { settings, fields });
}

#[test]
fn what_is_no_json_says_where() {
    let at =
        |place: &str, what: &str| format!("`posse:post` ({place}) can't be read: {what}, ignored");
    check(
        "{syndicate",
        &[&at("line 1, column 11", "expected colon after the string or word in object property")],
    );
    check("{\n  \"title\": “Hello”\n}", &[&at("line 2, column 12", "unexpected token")]);
    check("{\"ä\": 1 \"b\": 2}", &[&at("line 1, column 8", "expected comma")]);
    check("{\"title\": \"Hello}", &[&at("line 1, column 11", "unterminated string literal")]);
    check("[1", &[&at("line 1, column 1", "unterminated array")]);
    let deep = "brackets stand more than 32 deep in each other";
    check(&"[".repeat(50_000), &[&at("line 1, column 33", deep)]);
    check(&format!("{{\"a\": \n{}", "[{b:".repeat(20)), &[&at("line 2, column 62", deep)]);
    check(&" ".repeat(70_000), &[]);
    let long = format!("{{\"title\": \"{}\"}}", "x".repeat(70_000));
    check(&long, &["`posse:post` is longer than 65536 bytes, ignored"]);
    let said = of_element(Some("yaml"), "syndicate: false", &base());
    assert_eq!(
        said.control.problems,
        ["`posse:post` has the unknown format `yaml`, want `json`, ignored"]
    );
    assert_eq!(of_element(Some(" json "), "{truncate: true}", &base()).control.problems, [""; 0]);
}

#[test]
fn brackets_in_texts_and_comments_are_no_depth() {
    let brackets = "[{".repeat(40);
    let text = format!(
        "{{title: '{brackets}\\'', /* {brackets} */ // {brackets}\nsubtitle: \"{brackets}\"}}"
    );
    let said = well(&text);
    assert_eq!(said.fields.title, Some(format!("{brackets}'")));
    assert_eq!(said.fields.subtitle, Some(brackets));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_rest_is_taken() {
    check("[1]", &["`posse:post` (line 1, column 1) is a list, not an object, ignored"]);
    check(
        "{\"syndicate\": \"no\",\n \"platform_overrides\": [],\n \"account_overrides\": {\"me\": 1, \"my account\": {}}}",
        &[
            "`posse:post.syndicate` (line 1, column 15) is `\"no\"`, not true or false, ignored",
            "`posse:post.platform_overrides` (line 2, column 24) is a list, not an object, ignored",
            "`posse:post.account_overrides.me` (line 3, column 30) is `1`, not an object, ignored",
            "`posse:post.account_overrides.my account` (line 3, column 33) is no label that an account could have, ignored",
        ],
    );
    check(
        "{\n  platform_overrides: {\n    bsky: {truncate: 'no', id: '1'},\n    blusky: {}, tiktok: {},\n  },\n}",
        &[
            "`posse:post.platform_overrides.bsky.truncate` (line 3, column 22) is `\"no\"`, not true or false, ignored",
            "`posse:post.platform_overrides.bsky.id` (line 3, column 28) is for the whole entry and in no override, ignored",
            "`posse:post.platform_overrides.blusky` (line 4, column 5) is no platform (did you mean `bluesky`?), ignored",
            "`posse:post.platform_overrides.tiktok` (line 4, column 17) is no platform (want `mastodon`, `bluesky`, `threads`, `instagram`, `facebook`, `linkedin`, `x`, `youtube`, `outbox` or `webhook`), ignored",
        ],
    );
    check(
        "{titel: 'x', appendUrl: true, 'f\\u001b[31m': 1, id: '', title: 7}",
        &[
            "`posse:post.titel` (line 1, column 2) is unknown (did you mean `title`?), ignored",
            "`posse:post.appendUrl` (line 1, column 14) is unknown (did you mean `append_url`?), ignored",
            "`posse:post.f\\u{1b}[31m` (line 1, column 31) is unknown, ignored",
            "`posse:post.id` (line 1, column 53) is `\"\"`, not an id (a text), ignored",
            "`posse:post.title` (line 1, column 64) is `7`, not a text, ignored",
        ],
    );
    let mut rest = said("{title: 'A', url: 'mailto:me@a.example', title: 'B', bluesky: {}}");
    let problems = std::mem::take(&mut rest.control.problems);
    assert_eq!(rest.fields, Fields { title: Some("B".into()), ..Fields::default() });
    assert_eq!(
        problems,
        [
            "`posse:post.title` (line 1, column 2) is given again below, ignored",
            "`posse:post.url` (line 1, column 19) is `\"mailto:me@a.example\"`, not an address of the web, ignored",
            "`posse:post.bluesky` (line 1, column 54) is unknown, ignored",
        ]
    );
    let twice = said("{platform_overrides: {bsky: {title: 'A'}, bluesky: {title: 'B'}}}").control;
    assert_eq!(twice.by_platform["bluesky"].fields.title.as_deref(), Some("B"));
    assert_eq!(
        twice.problems,
        ["`posse:post.platform_overrides.bsky` (line 1, column 23) is given again below, ignored"]
    );
}

#[test]
fn words_dates_and_tags_that_are_none() {
    let wrong = |text: &str, expect: &str| {
        check(text, &[&format!("`posse:post.{expect}, ignored")]);
    };
    wrong(
        "{visibility: 'publik'}",
        "visibility` (line 1, column 14) is `\"publik\"`, not `public`, `unlisted`, `private` or `direct`",
    );
    wrong("{channel: true}", "channel` (line 1, column 11) is `true`, not `feed` or `story`");
    wrong(
        "{language: 'the English one'}",
        "language` (line 1, column 12) is `\"the English one\"`, not a language tag such as `en` or `pt-BR`",
    );
    wrong(
        "{published_at: 'soon'}",
        "published_at` (line 1, column 16) is `\"soon\"`, not a date such as `2026-11-23T17:20:00Z`",
    );
    wrong("{utm: 'no'}", "utm` (line 1, column 7) is `\"no\"`, not an object");
    wrong("{og_image: {}}", "og_image` (line 1, column 12) is an object, not a text");
}

#[test]
fn a_slip_in_a_list_costs_its_item_and_never_takes_the_pictures_away() {
    let media = |text: &str| {
        let control = said(text).control;
        (control.settings.media.map(|media| media.len()), control.problems)
    };
    assert_eq!(media("{media: []}"), (Some(0), vec![]));
    let (left, problems) = media(
        "{media: [{url: 'a.jpg', size: 3}, {alt: 'A'}, 'b.jpg', {url: ''}, {url: 'c', type: 'text/html'}, {url: 'data:,x'}]}",
    );
    assert_eq!(left, Some(2));
    assert_eq!(
        problems,
        [
            "`posse:post.media[0].size` (line 1, column 25) is unknown (want `type`, `url`, `poster_url` or `alt`), ignored",
            "`posse:post.media[1]` (line 1, column 35) has no `url`, ignored",
            "`posse:post.media[2]` (line 1, column 47) is `\"b.jpg\"`, not an object with `url`, ignored",
            "`posse:post.media[3]` (line 1, column 56) has no `url`, ignored",
            "`posse:post.media[4].type` (line 1, column 84) is `\"text/html\"`, not `image`, `video`, `audio` or a media type such as `image/jpeg`, ignored",
            "`posse:post.media[5].url` (line 1, column 104) is `\"data:,x\"`, not an address of the web, ignored",
        ]
    );
    assert_eq!(media("{media: ['a.jpg']}").0, None);
    assert_eq!(media("{media: 'a.jpg'}").0, None);
    let tags = |text: &str| said(text).control.settings.hashtags;
    assert_eq!(tags("{hashtags: []}"), Some(vec![]));
    assert_eq!(tags("{hashtags: [1]}"), None);
    assert_eq!(tags("{hashtags: ['a', 1]}"), Some(vec!["a".into()]));
    let many = said(&format!(
        "{{hashtags: [{}]}}",
        (0..150).map(|n| format!("'{n}',")).collect::<String>()
    ));
    assert_eq!(many.control.settings.hashtags.map(|tags| tags.len()), Some(100));
    assert_eq!(many.control.problems.len(), 1, "{:?}", many.control.problems);
}

#[test]
fn a_json_feed_says_the_same_with_paths() {
    let value = json!({"title": "T", "media": [{"url": "/a.png"}], "truncate": "no", "id": 7});
    let said = of_value(&value, &base());
    assert_eq!(said.fields.title.as_deref(), Some("T"));
    assert_eq!(said.control.settings.media.unwrap()[0].url, "https://a.example/a.png");
    assert_eq!(
        said.control.problems,
        [
            "`_posse.truncate` is `\"no\"`, not true or false, ignored",
            "`_posse.id` is `7`, not an id (a text), ignored",
        ]
    );
    let said = of_value(&json!({"title": "x".repeat(70_000)}), &base());
    assert_eq!(said.control.problems, ["`_posse` is longer than 65536 bytes, ignored"]);
}

#[test]
fn a_flood_of_problems_is_told_in_short() {
    let text = format!("{{{}}}", (0..500).map(|n| format!("k{n}: 1,")).collect::<String>());
    let problems = said(&text).control.problems;
    assert_eq!(problems.len(), 21);
    assert_eq!(problems[20], "and 480 more problems of `posse:post`");
}

#[test]
fn a_setting_without_a_property_is_one_on_purpose() {
    let names: Vec<&str> = properties().map(|(name, _)| name).collect();
    for name in crate::settings::Settings::NAMES {
        // rules for all entries: an entry names its hashtags and media themselves
        let rules = ["hashtag_rules", "media_from", "media_max", "media_or_card", "alt"];
        assert!(names.contains(name) || rules.contains(name), "{name}");
    }
}

/// Text that is nearly a control: pieces of JSON, names, and noise.
fn nearly() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(properties().map(|(name, _)| name).collect::<Vec<_>>());
    let piece = prop_oneof![
        name.prop_map(|name| format!("{name}:")),
        proptest::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "'", "\"", "\\", "\\u", "\\ud83d", "//", "/*", "*/",
            "\n", "\r", "true", "null", "-", "0x", "1e", ".5", "NaN", "bsky", "\u{2028}", "ä",
            "😀", "<p>", "url:'/x'", "\0", "\u{feff}",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_is_a_danger(text in nearly()) {
        for text in [text.clone(), format!("{{{text}}}"), format!("{{media:[{{{text}}}]}}")] {
            let said = said(&text);
            prop_assert!(said.control.problems.len() <= 21);
            // they are read on a terminal
            prop_assert!(!said.control.problems.concat().contains(char::is_control));
        }
    }

    #[test]
    fn no_value_is_a_danger(text in any::<String>(), name in "\\PC*") {
        let text = json!({name: text, "media": [text], "url": text, "summary": text, "hashtags": [text]});
        let by_value = of_value(&text, &base());
        let by_text = said(&text.to_string());
        prop_assert_eq!(by_value.fields, by_text.fields);
        prop_assert_eq!(by_value.control.settings, by_text.control.settings);
        prop_assert_eq!(by_value.control.problems.len(), by_text.control.problems.len());
    }
}
