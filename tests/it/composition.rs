//! `docs/composition.md` is true: its templates give what it says, its hashtags are made so, and
//! its figures are those of the platforms.

use posse_party::clock::Timestamp;
use posse_party::compose::{Subject, compose};
use posse_party::draft::{Draft, Media};
use posse_party::entry::Entry;
use posse_party::people::People;
use posse_party::platform::{Cards, Mentions, Platform, Rules};
use posse_party::settings::{HashtagRules, HashtagStyle, Settings, Utm};

const PAGE: &str = include_str!("../../docs/composition.md");

/// The text between two marks of the page.
fn between(start: &str, end: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(start).unwrap_or_else(|| panic!("no `{start}`"));
    rest.split_once(end).unwrap_or_else(|| panic!("no `{end}` after `{start}`")).0
}

/// The cells of the first table of a chapter, its head left out.
fn table(chapter: &str) -> Vec<Vec<&'static str>> {
    let text = between(&format!("\n## {chapter}\n"), "\n## ");
    let lines = text.lines().skip_while(|line| !line.starts_with('|'));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn entry() -> Entry {
    Entry {
        id: "tag:example.com,2026:hello".into(),
        url: Some("https://www.example.com/hello".into()),
        title: Some("Hello, world".into()),
        categories: vec!["Open Source".into(), "Rust".into()],
        published: Timestamp::parse_rfc3339("2026-11-23T17:20:00Z"),
        ..Entry::default()
    }
}

fn draft(entry: &Entry, platform: Platform, settings: &Settings) -> Draft {
    let (limits, people) = (&platform.limits(), &People::new());
    compose(&Subject {
        entry,
        settings,
        platform,
        account: "me",
        limits,
        media_limits: &platform.media(),
        people,
        page: None,
        media: None,
    })
    .unwrap()
}

#[test]
fn the_templates_give_what_the_page_says() {
    let mut count = 0;
    for line in between("```jinja\n", "\n```").lines() {
        let (template, expect) = line.split_once('→').unwrap();
        let settings = Settings {
            format_string: Some(template.trim().into()),
            append_url: false,
            ..Settings::of_platform(Platform::Outbox)
        };
        let text = draft(&entry(), Platform::Outbox, &settings).text;
        assert_eq!(text, expect.trim(), "{template}");
        count += 1;
    }
    assert!(count > 10);
}

#[test]
fn every_name_of_the_page_is_one() {
    let mut full = entry();
    for text in [&mut full.title, &mut full.subtitle, &mut full.language] {
        *text = Some("text".into());
    }
    for url in [&mut full.alternate_url, &mut full.related_url, &mut full.short_url] {
        *url = Some("https://example.com/".into());
    }
    full.summary = Some(posse_party::entry::Markup::Text("text".into()));
    full.content.clone_from(&full.summary);
    full.updated = full.published;
    let someone = Some("text".to_owned());
    let author = posse_party::entry::Person { name: someone.clone(), email: someone, url: None };
    full.authors = vec![author];
    let names = table("Templates").into_iter().flat_map(|row| row[0].split(", "));
    for name in names.map(|name| name.trim_matches('`')) {
        let settings = Settings {
            format_string: Some(format!("[{{% if {name} %}}there{{% endif %}}]")),
            append_url: false,
            ..Settings::of_platform(Platform::Outbox)
        };
        assert_eq!(draft(&full, Platform::Outbox, &settings).text, "[there]", "{name}");
    }
}

#[test]
fn every_filter_of_the_page_is_one() {
    let line = between("\nFilters: ", ". Two of them are ours");
    let names: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
    assert!(names.len() > 30 && names.contains(&"truncate") && names.contains(&"date"));
    for name in names {
        let settings = Settings {
            format_string: Some(format!("{{% if '{name}' is filter %}}there{{% endif %}}")),
            append_url: false,
            ..Settings::of_platform(Platform::Outbox)
        };
        assert_eq!(draft(&entry(), Platform::Outbox, &settings).text, "there", "{name}");
    }
}

#[test]
fn hashtags_are_made_as_the_page_says() {
    let made = |category: &str, style: HashtagStyle| {
        let entry = Entry { categories: vec![category.into()], ..entry() };
        let mut settings = Settings::of_platform(Platform::Outbox);
        settings.hashtag_rules = HashtagRules { style, ..HashtagRules::default() };
        draft(&entry, Platform::Outbox, &settings).hashtags
    };
    let rows = table("Hashtags");
    assert!(rows.len() > 5);
    for row in rows {
        let styles = [HashtagStyle::Camel, HashtagStyle::Lower, HashtagStyle::Keep];
        for (style, expect) in styles.into_iter().zip(&row[1..]) {
            let tags = made(row[0].trim_matches('`'), style);
            let shown = tags.first().map_or("none".into(), |tag| format!("`#{tag}`"));
            assert_eq!(&shown, expect, "{} as {style:?}", row[0]);
        }
    }
}

#[test]
fn the_example_of_utm_is_true() {
    let some = |text: &str| Some(text.to_owned());
    let utm = Utm { source: some("{{platform}}"), medium: some("social"), ..Utm::default() };
    let settings = Settings { utm: Some(utm), ..Settings::of_platform(Platform::Mastodon) };
    let text = draft(&entry(), Platform::Mastodon, &settings).text;
    let added = between("\nadds `", "`");
    assert_eq!(text, format!("Hello, world https://www.example.com/hello{added}"));
}

#[test]
fn the_order_of_a_post_is_the_one_of_the_page() {
    let named = "someone@example.social".to_owned();
    let people: People = [("Someone".into(), [(Platform::Mastodon, named)].into())].into();
    let settings = Settings {
        format_string: Some("text".into()),
        mentions: Some(vec!["Someone".into()]),
        append_hashtags: true,
        ..Settings::of_platform(Platform::Mastodon)
    };
    let text = compose(&Subject {
        entry: &Entry { url: Some("https://example.com/hello".into()), ..entry() },
        settings: &settings,
        platform: Platform::Mastodon,
        account: "me",
        limits: &Platform::Mastodon.limits(),
        media_limits: &Platform::Mastodon.media(),
        people: &people,
        page: None,
        media: None,
    });
    let (_, chapter) = PAGE.split_once("\n## The order of a post\n").unwrap();
    let shown = chapter.split("```").nth(1).unwrap();
    assert_eq!(text.unwrap().text, shown.trim());
}

#[test]
fn the_figures_are_those_of_the_platforms() {
    let rows = table("The platforms");
    let tags: Vec<String> = Platform::ALL.map(|platform| format!("`{}`", platform.tag())).into();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), tags, "each once, in order");
    for (platform, row) in Platform::ALL.into_iter().zip(rows) {
        let Rules { limits, append_url, card, article, note, .. } = platform.rules();
        let name = limits.unit.name();
        let unit = match limits.max_bytes {
            Some(bytes) => format!("{name}, and {bytes} bytes"),
            None => name.to_owned(),
        };
        let card = match card {
            Cards::Sent { .. } => "sent",
            Cards::Url => "by its URL",
            Cards::Crawled => "made there",
            Cards::None => "none",
        };
        let bare = |template: &'static str| template.trim_matches(['{', '}']);
        let expect = [
            limits.max.to_string(),
            unit,
            if append_url { "yes" } else { "no" }.to_owned(),
            card.to_owned(),
            format!("{}, {}", bare(article), bare(note)),
        ];
        assert_eq!(row[1..], expect, "{}", platform.tag());
    }
}

#[test]
fn what_the_page_says_of_single_platforms_is_true() {
    let check = |said: &str, value: Option<u32>| {
        let value = value.map(|value| value.to_string()).expect("the platform has a limit");
        assert!(PAGE.contains(&said.replace("{}", &value)), "{said} with {value}");
    };
    check("at most {} hashtags", Platform::Instagram.rules().hashtags_max);
    check("at most {} different links", Platform::Threads.rules().links_max);
    check("a title of at most {} characters", Platform::YouTube.rules().title_max);
    assert_eq!(Platform::X.rules().cashtags_max, Some(1), "one cashtag");
    for platform in Platform::ALL {
        let Rules { needs_media, has_stories, mentions, .. } = platform.rules();
        let is = |others: &[Platform]| others.contains(&platform);
        assert_eq!(needs_media, is(&[Platform::Instagram, Platform::YouTube]), "{platform:?}");
        assert_eq!(has_stories, is(&[Platform::Instagram, Platform::Outbox]), "{platform:?}");
        let row = match mentions {
            Mentions::Plain { disarm: '\u{200B}' } => "| X |",
            Mentions::Plain { .. } => "| Mastodon, Threads, Instagram, YouTube |",
            Mentions::Facets => "| Bluesky |",
            Mentions::None => "| Facebook, LinkedIn, Outbox |",
        };
        let name = row.to_lowercase();
        assert!(PAGE.contains(row) && name.contains(platform.tag()), "{platform:?} in {row}");
    }
}

#[test]
fn a_post_without_a_picture_does_not_go_everywhere() {
    for platform in Platform::ALL {
        let (limits, people) = (&platform.limits(), &People::new());
        let settings = &Settings::of_platform(platform);
        let composed = |entry: &Entry| {
            compose(&Subject {
                entry,
                settings,
                platform,
                account: "me",
                limits,
                media_limits: &platform.media(),
                people,
                page: None,
                media: None,
            })
            .is_ok()
        };
        assert_eq!(composed(&entry()), !platform.rules().needs_media, "{platform:?}");
        let video = Media {
            media_type: Some("video/mp4".into()),
            url: "https://example.com/v.mp4".into(),
            ..Media::default()
        };
        assert!(composed(&Entry { media: vec![video], ..entry() }), "{platform:?}");
    }
}
