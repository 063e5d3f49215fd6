use super::*;
use crate::clock::Timestamp;
use crate::draft::{Card, Facet, Feature, Media, ReplyControl, Visibility};
use crate::entry::Markup;
use crate::platform::Unit;
use crate::settings::{HashtagRules, Utm};

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
fn code_and_lists_keep_their_shape() {
    let posted = |html: &str, format_string: Option<&str>| {
        let content = Some(Markup::Html(html.into()));
        let entry = Entry { content, ..entry("", "", "") };
        let format_string = format_string.map(str::to_owned);
        let settings = Settings { format_string, ..Settings::of_platform(Platform::Mastodon) };
        let (platform, limits) = (Platform::Mastodon, Platform::Mastodon.limits());
        drafted(&entry, &settings, platform, &limits).unwrap().text
    };
    let code = "<p>See  this</p><pre>if late:\n\thurry()\n\nlet a   = 1;\n  </pre>";
    let expect = "See this\n\nif late:\n    hurry()\n\nlet a   = 1;";
    assert_eq!(posted(code, None), expect);
    assert_eq!(posted(code, Some("  {{title}}  {{content}}\n  ")), expect);
    let list = "<ul><li>Fruit<ul><li>Plums</li></ul></li><li>Bread</li></ul>";
    assert_eq!(posted(list, None), "• Fruit\n  • Plums\n• Bread");
    assert_eq!(posted(list, Some("{{content|upper}}\n  !")), "• FRUIT\n  • PLUMS\n• BREAD\n!");
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
    assert_eq!(draft.facets, [Facet { byte_start: 3, byte_end: 9, feature: link }], "as `a.io/1`");
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

/// The draft for an account, by what is changed of its settings.
#[track_caller]
fn on(platform: Platform, entry: &Entry, change: impl Fn(&mut Settings)) -> Draft {
    let mut settings = Settings::of_platform(platform);
    change(&mut settings);
    drafted(entry, &settings, platform, &platform.limits()).unwrap()
}

fn picture(url: &str) -> Media {
    Media { media_type: Some("image/png".into()), url: url.into(), ..Media::default() }
}

fn video(url: &str) -> Media {
    Media { media_type: Some("video/mp4".into()), ..picture(url) }
}

#[test]
fn an_article_posts_its_title_and_a_note_its_text() {
    let article = &entry("A title", "Its text.", URL);
    let note = &entry("Just a thought, and…", "Just a thought, and a longer one.", URL);
    let check = |platform: Platform, expect: [&str; 2]| {
        let medium = if platform == Platform::YouTube { video(URL) } else { picture(URL) };
        let needed = platform.rules().needs_media.then(|| vec![medium]);
        let media = |settings: &mut Settings| settings.media = needed.clone();
        let texts = [article, note].map(|entry| on(platform, entry, media).text);
        assert_eq!(texts, expect, "{platform:?}");
    };
    let thought = "Just a thought, and a longer one.";
    let with_url = format!("{thought} {URL}");
    for platform in [Platform::Mastodon, Platform::X, Platform::Outbox] {
        check(platform, ["A title https://a.io/1", &with_url]);
    }
    for platform in [Platform::Bluesky, Platform::Threads, Platform::LinkedIn] {
        check(platform, ["A title", thought]);
    }
    check(Platform::Facebook, ["Its text.", thought]);
    for platform in [Platform::Instagram, Platform::YouTube] {
        let below = format!("{thought}\n\n{URL}");
        check(platform, ["Its text.\n\nhttps://a.io/1", &below]);
    }
    // the owner's template is for both
    let draft = on(Platform::Mastodon, note, |it| it.format_string = Some("{{title}}".into()));
    assert_eq!(draft.text, "Just a thought, and… https://a.io/1");
    // where there is no text, the title is what there is
    assert_eq!(on(Platform::Facebook, &entry("A title", "", URL), |_| ()).text, "A title");
}

#[test]
fn hashtags_stand_where_they_are_wanted() {
    let tagged = &Entry {
        categories: ["open source", "Rust", "2026"].map(str::to_owned).into(),
        ..entry("On #rust", "", URL)
    };
    let text = |template: &str, append: bool| {
        let draft = on(Platform::Mastodon, tagged, |it| {
            (it.format_string, it.append_hashtags) = (Some(template.into()), append);
        });
        assert_eq!(draft.hashtags, ["OpenSource", "Rust"], "all of them are for the platform");
        draft.text
    };
    assert_eq!(text("{{title}}", false), "On #rust https://a.io/1");
    assert_eq!(text("{{title}}", true), "On #rust https://a.io/1\n\n#OpenSource");
    assert_eq!(text("{{title}} {{hashtags}}", true), "On #rust #OpenSource https://a.io/1");
    assert_eq!(text("{{title}}\n{{url}}", true), "On #rust\nhttps://a.io/1\n\n#OpenSource");
    let bare = "{% if hashtags %}{{hashtags}}{% else %}none{% endif %}";
    assert_eq!(text(bare, false), "#OpenSource #Rust https://a.io/1");
    assert_eq!(text("{{hashtags}}", false), "On #rust https://a.io/1", "they alone are no text");
    // the most that Instagram takes, those of the text among them
    let many = &Entry {
        categories: ('a'..='z').map(String::from).collect(),
        media: vec![picture(URL)],
        ..entry("", "#one and #two", "")
    };
    let draft = on(Platform::Instagram, many, |it| it.append_hashtags = true);
    assert_eq!(draft.text, "#one and #two\n\n#a #b #c");
}

#[test]
fn hashtags_give_way_before_the_text() {
    let tagged = &Entry {
        categories: ["one", "two", "three"].map(str::to_owned).into(),
        ..entry("Some words", "", URL)
    };
    let check = |template: &str, max: u32, expect: &str, notes: &[&str]| {
        let settings = Settings {
            format_string: Some(template.into()),
            append_hashtags: true,
            ..Settings::of_platform(Platform::Outbox)
        };
        let draft = drafted(tagged, &settings, Platform::Outbox, &limits(max)).unwrap();
        assert_eq!(draft.text, expect, "{template} in {max}");
        assert_eq!(draft.notes, notes, "{template} in {max}");
    };
    let after = "{{title}}";
    check(after, 43, "Some words https://a.io/1\n\n#one #two #three", &[]);
    check(after, 42, "Some words https://a.io/1\n\n#one #two", &["too long: `#three` left out"]);
    check(after, 25, "Some words https://a.io/1", &["too long: `#one #two #three` left out"]);
    let cut = "too long (25 of 24 graphemes): shortened to 20, without `words`";
    check(after, 24, "Some… https://a.io/1", &["too long: `#one #two #three` left out", cut]);
    let within = "{{title}}: {{hashtags}} at {{url}}";
    check(within, 46, "Some words: #one #two #three at https://a.io/1", &[]);
    check(within, 45, "Some words: #one #two at https://a.io/1", &["too long: `#three` left out"]);
}

#[test]
fn the_url_is_appended_where_the_text_was_cut() {
    let check = |title: &str, expect: &str| {
        let settings = Settings {
            append_url: false,
            append_url_if_truncated: true,
            append_url_spacer: " → ".into(),
            ..Settings::of_platform(Platform::Outbox)
        };
        let draft = drafted(&entry(title, "", URL), &settings, Platform::Outbox, &limits(30));
        assert_eq!(draft.unwrap().text, expect, "{title}");
    };
    check("Some words that just fit.", "Some words that just fit.");
    check("Some words that do not fit at all", "Some words… → https://a.io/1");
    check("Some https://a.io/1 words that do not fit", "Some https://a.io/1 words…");
}

#[test]
fn a_label_carries_the_link_where_links_are_facets() {
    let labelled = |platform: Platform, title: &str| {
        on(platform, &entry(title, "", URL), |it| {
            (it.append_url, it.attach_link) = (true, false);
            (it.append_url_label, it.append_url_spacer) = (Some("Read on →".into()), "\n\n".into());
        })
    };
    assert_eq!(labelled(Platform::Mastodon, "Hi").text, "Hi\n\nhttps://a.io/1");
    let draft = labelled(Platform::Bluesky, "Hi #there");
    assert_eq!(draft.text, "Hi #there\n\nRead on →");
    let link = Feature::Link(URL.into());
    let facets = [
        Facet { byte_start: 3, byte_end: 9, feature: Feature::Tag("there".into()) },
        Facet { byte_start: 11, byte_end: draft.text.len(), feature: link.clone() },
    ];
    assert_eq!(draft.facets, facets);
    // it stays whole when the text is cut
    let draft = labelled(Platform::Bluesky, &"word ".repeat(90));
    assert!(draft.text.ends_with("word…\n\nRead on →"), "{}", draft.text);
    let end = draft.text.len();
    let label = Facet { byte_start: end - "Read on →".len(), byte_end: end, feature: link };
    assert_eq!(draft.facets, [label]);
}

#[test]
fn people_are_mentioned_and_strangers_are_not() {
    let people: People = [(
        "Ada Lovelace".to_owned(),
        [
            (Platform::Mastodon, "ada@example.social".to_owned()),
            (Platform::Bluesky, "ada.example".to_owned()),
            (Platform::X, "adal".to_owned()),
        ]
        .into(),
    )]
    .into();
    let draft = |platform: Platform, title: &str, mentions: Option<&[&str]>| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let settings =
            Settings { mentions: mentions.map(names), ..Settings::of_platform(platform) };
        compose(&Subject {
            entry: &entry(title, "", URL),
            settings: &settings,
            platform,
            account: "me",
            limits: &platform.limits(),
            media_limits: &platform.media(),
            people: &people,
            page: None,
            media: None,
        })
        .unwrap()
    };
    let title = "Ada Lovelace and @bob";
    let check = |platform: Platform, expect: &str| {
        assert_eq!(draft(platform, title, None).text, expect, "{platform:?}");
    };
    check(Platform::Mastodon, "@ada@example.social and @\u{2060}bob https://a.io/1");
    check(Platform::Bluesky, "@ada.example and @bob");
    check(Platform::Threads, "Ada Lovelace and @\u{2060}bob");
    check(Platform::Facebook, title);
    check(Platform::LinkedIn, title);
    check(Platform::X, "@adal and @\u{200B}bob https://a.io/1");
    check(Platform::Outbox, "Ada Lovelace and @bob https://a.io/1");
    let ada = Feature::Mention("ada.example".into());
    let facet = Facet { byte_start: 0, byte_end: 12, feature: ada };
    assert_eq!(draft(Platform::Bluesky, title, None).facets, [facet]);
    // nobody, where the entry says so; and those whom it names though its text does not
    assert_eq!(draft(Platform::Bluesky, title, Some(&[])).text, title);
    let named = draft(Platform::Mastodon, "Hello", Some(&["Ada Lovelace"]));
    assert_eq!(named.text, "Hello @ada@example.social https://a.io/1");
    let named = draft(Platform::Bluesky, "Hello", Some(&["Ada Lovelace"]));
    let ada = Feature::Mention("ada.example".into());
    assert_eq!(named.facets, [Facet { byte_start: 6, byte_end: 18, feature: ada }]);
}

#[test]
fn the_posted_url_carries_utm_and_the_canonical_one_does_not() {
    let utm = Utm {
        source: Some("{{platform}}".into()),
        campaign: Some("{{ title | lower }}".into()),
        ..Utm::default()
    };
    let linked = &entry("Big News", "See https://a.io/1, or https://b.io/1.", URL);
    let tagged = |platform: Platform, template: &str| {
        on(platform, linked, |it| {
            (it.utm, it.format_string) = (Some(utm.clone()), Some(template.into()));
        })
    };
    let posted = "https://a.io/1?utm_source=mastodon&utm_campaign=big%20news";
    let draft = tagged(Platform::Mastodon, "{{title}}");
    assert_eq!(draft.text, format!("Big News {posted}"));
    assert_eq!(draft.canonical_url.as_deref(), Some(URL));
    assert_eq!(draft.posted_url.as_deref(), Some(posted));
    assert_eq!(tagged(Platform::Mastodon, "{{url}}").text, posted);
    let text = tagged(Platform::Mastodon, "{{content}}").text;
    assert_eq!(text, format!("See {posted}, or https://b.io/1."), "it is not appended again");
    let card = tagged(Platform::Bluesky, "{{title}}").card.unwrap();
    assert_eq!(card.url, "https://a.io/1?utm_source=bluesky&utm_campaign=big%20news");
    let plain = on(Platform::Mastodon, linked, |_| ());
    assert_eq!(plain.posted_url, None, "only where it is another one");
}

#[test]
fn what_a_platform_has_not_is_left_out_and_told() {
    let check = |platform: Platform, expect: (bool, bool), notes: &[&str]| {
        let draft = on(platform, &entry("Hi", "", URL), |it| {
            it.content_warning = Some(" Spoilers\n ahead ".into());
            it.reply_control = Some(ReplyControl::MentionedOnly);
        });
        let has = (draft.content_warning.is_some(), draft.reply_control.is_some());
        assert_eq!(has, expect, "{platform:?}");
        assert_eq!(draft.notes, notes, "{platform:?}");
        draft
    };
    let none = "`reply_control` is left out: mastodon has none";
    let draft = check(Platform::Mastodon, (true, false), &[none]);
    assert_eq!(draft.content_warning.as_deref(), Some("Spoilers ahead"));
    check(Platform::Threads, (false, true), &["`content_warning` is left out: threads has none"]);
    let language = |platform| on(platform, &entry("Hi", "", URL), |_| ()).language;
    assert_eq!(language(Platform::Bluesky).as_deref(), Some("en"));
    assert_eq!(language(Platform::Threads), None);
}

#[test]
fn a_content_warning_counts() {
    let text = "x".repeat(480);
    let draft = on(Platform::Mastodon, &entry("", &text, ""), |it| {
        it.content_warning = Some("20 characters of it.".into());
    });
    assert_eq!(draft.text, text);
    let draft = on(Platform::Mastodon, &entry("", &text, ""), |it| {
        it.content_warning = Some("21 characters, of it.".into());
    });
    assert!(draft.text.ends_with("x…"), "{}", draft.text);
    // and it is told so: as the platform counts, not as what is left beside the warning
    let told = draft.notes.last().unwrap();
    assert!(told.starts_with("too long (501 of 500 characters): shortened to 500"), "{told}");
    let settings = Settings {
        truncate: false,
        content_warning: Some("21 characters, of it.".into()),
        ..Settings::of_platform(Platform::Mastodon)
    };
    let limits = Platform::Mastodon.limits();
    let refused = drafted(&entry("", &text, ""), &settings, Platform::Mastodon, &limits);
    let told = refused.unwrap_err().to_string();
    assert_eq!(told, "too long: 501 of 500 characters, and truncate is off");
}

#[test]
fn what_does_not_go_there_is_skipped_and_not_failed() {
    let refusal = |platform: Platform, media: &[Media], change: fn(&mut Settings)| {
        let mut settings = Settings::of_platform(platform);
        change(&mut settings);
        let entry = Entry { media: media.to_vec(), ..entry("Hi", "", URL) };
        match drafted(&entry, &settings, platform, &platform.limits()) {
            Ok(_) => String::new(),
            Err(ComposeError::Unsuited(why)) => why,
            Err(error) => panic!("{error}"),
        }
    };
    let as_it_is = |_: &mut Settings| {};
    let needs = |tag, what| format!("{tag} takes no post without {what}");
    let any = "a picture or a video";
    assert_eq!(refusal(Platform::Instagram, &[], as_it_is), needs("instagram", any));
    let sound = Media { media_type: Some("audio/mpeg".into()), ..picture(URL) };
    for no_video in [sound, picture(URL)] {
        let why = refusal(Platform::YouTube, &[no_video], as_it_is);
        assert_eq!(why, needs("youtube", "a video"));
    }
    assert_eq!(refusal(Platform::YouTube, &[video(URL)], as_it_is), "");
    assert_eq!(refusal(Platform::Instagram, &[picture(URL)], as_it_is), "");
    let story = |it: &mut Settings| it.channel = Channel::Story;
    assert_eq!(refusal(Platform::Mastodon, &[], story), "mastodon has no stories");
    assert_eq!(refusal(Platform::Instagram, &[picture(URL)], story), "");
    let private = |it: &mut Settings| it.visibility = Some(Visibility::Private);
    assert_eq!(
        refusal(Platform::Bluesky, &[], private),
        "visibility is `private`, and on bluesky everyone sees"
    );
    assert_eq!(refusal(Platform::Mastodon, &[], private), "");
    let unlisted = |it: &mut Settings| it.visibility = Some(Visibility::Unlisted);
    assert_eq!(refusal(Platform::Bluesky, &[], unlisted), "");
}

#[test]
fn threads_gets_five_links_and_x_one_cashtag() {
    let links: Vec<String> = ('b'..='h').map(|c| format!("https://{c}.io")).collect();
    let draft = on(Platform::Threads, &entry("", &links.join(" "), URL), |_| ());
    assert_eq!(draft.text, "https://b.io https://c.io https://d.io https://e.io f.io g.io h.io");
    assert_eq!(draft.notes[0], "`https://f.io` is no link: threads takes 5 different ones");
    let draft = on(Platform::X, &entry("$HOME and $PATH", "", URL), |_| ());
    assert_eq!(draft.text, "$HOME and ＄PATH https://a.io/1");
    assert_eq!(draft.notes, ["`$PATH` is no cashtag: x takes 1 in a post"]);
}

#[test]
fn youtube_gets_a_title_and_no_angle_brackets() {
    let title = format!("<{}>", "word ".repeat(30));
    let with_video = Entry { media: vec![video(URL)], ..entry(&title, "a < b > c", URL) };
    let draft = on(Platform::YouTube, &with_video, |_| ());
    assert_eq!(draft.text, "a ‹ b › c\n\nhttps://a.io/1");
    let title = draft.title.unwrap();
    assert!(title.starts_with("‹word") && title.ends_with("word…"), "{title}");
    assert!((95..=100).contains(&title.chars().count()), "{title}");
    let untitled = Entry { media: vec![video(URL)], ..entry("", "First line\nsecond", "") };
    assert_eq!(on(Platform::YouTube, &untitled, |_| ()).title.as_deref(), Some("First line"));
    assert_eq!(on(Platform::Bluesky, &entry("Hi", "", URL), |_| ()).title, None);
}

#[test]
fn nobody_is_pinged_beside_the_text() {
    let entry = Entry { media: vec![video("https://a.io/v.mp4")], ..entry("Hi @bob <x>", "", "") };
    let with = |platform| on(platform, &entry, |it| it.content_warning = Some("with @bob".into()));
    assert_eq!(with(Platform::YouTube).title.as_deref(), Some("Hi @\u{2060}bob ‹x›"));
    let warning = with(Platform::Mastodon).content_warning;
    assert_eq!(warning.as_deref(), Some("with @\u{2060}bob"));
}

#[test]
fn an_empty_text_is_none() {
    let mut entry = entry("Title", "Text", "https://a.io/1");
    entry.links = ["alternate", "related", "shorturl"]
        .map(|rel| crate::entry::Link {
            rel: rel.into(),
            href: "https://b.io/".into(),
            ..<_>::default()
        })
        .into();
    let check = |change: &dyn Fn(&mut Settings), expect: &str| {
        let draft = on(Platform::Outbox, &entry, change);
        assert_eq!((draft.text.as_str(), draft.notes.len()), (expect, 0));
    };
    check(&|it| it.format_string = Some(" ".into()), "Title https://a.io/1");
    check(&|it| it.content_warning = Some(String::new()), "Title https://a.io/1");
    check(&|it| it.append_url_label = Some(String::new()), "Title https://a.io/1");
    // an address that the control took away does not come back
    let template = "[{{alternate_url}}{{related_url}}{{short_url}}]";
    check(&|it| it.format_string = Some(template.into()), "[] https://a.io/1");
}

#[test]
fn a_page_is_read_where_a_card_lacks_something() {
    let wanted = |platform: Platform, entry: &Entry, change: fn(&mut Settings)| {
        let mut settings = Settings::of_platform(platform);
        change(&mut settings);
        let (limits, people) = (&platform.limits(), &People::new());
        let settings = &settings;
        page_wanted(&Subject {
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
        .map(str::to_owned)
    };
    let hi = &entry("Hi", "", URL);
    let url = Some(URL.to_owned());
    let as_it_is: fn(&mut Settings) = |_| ();
    assert_eq!(wanted(Platform::Bluesky, hi, as_it_is), url);
    assert_eq!(wanted(Platform::LinkedIn, hi, as_it_is), url);
    assert_eq!(wanted(Platform::Threads, hi, as_it_is), None, "it reads the page itself");
    assert_eq!(wanted(Platform::Mastodon, hi, as_it_is), None);
    assert_eq!(wanted(Platform::Bluesky, hi, |it| it.attach_link = false), None);
    assert_eq!(wanted(Platform::Bluesky, hi, |it| it.channel = Channel::Story), None);
    assert_eq!(wanted(Platform::Bluesky, &entry("Hi", "", ""), as_it_is), None);
    assert_eq!(wanted(Platform::Bluesky, hi, |it| it.og_title = Some("x".into())), url);
    let full: fn(&mut Settings) = |it| {
        let some = || Some(URL.to_owned());
        (it.og_title, it.og_description, it.og_image) = (some(), some(), some());
    };
    assert_eq!(wanted(Platform::Bluesky, hi, full), None);
}

#[test]
fn a_text_that_is_too_long_can_still_be_shown() {
    let long = entry(&"x".repeat(600), "", URL);
    let settings = Settings { truncate: false, ..Settings::of_platform(Platform::Mastodon) };
    let limits = Platform::Mastodon.limits();
    let error = drafted(&long, &settings, Platform::Mastodon, &limits).unwrap_err();
    let draft = error.draft().unwrap();
    assert_eq!(draft.text, format!("{} {URL}", "x".repeat(600)));
    assert_eq!(draft.canonical_url.as_deref(), Some(URL));
}

#[test]
fn a_text_without_end_is_cut_as_a_whole_one_is() {
    let long = entry("", &"word ".repeat(100_000), URL);
    let draft = on(Platform::Mastodon, &long, |_| ());
    assert!(draft.text.ends_with("word… https://a.io/1"), "{}", draft.text);
    assert!(draft.notes[0].starts_with("too long (more than "), "{:?}", draft.notes);
    // links count little: a text of many can be long and still fit
    let links = format!("https://a.io/{} ", "x".repeat(3000)).repeat(15);
    let draft = on(Platform::Mastodon, &entry("", &links, ""), |_| ());
    assert_eq!((draft.text.as_str(), draft.notes.len()), (links.trim(), 0));
    // and a filter sees the rest of it
    let draft = on(Platform::Mastodon, &long, |it| {
        it.format_string = Some("{{ content | length }}".into());
    });
    assert_eq!(draft.text, "499999 https://a.io/1");
}

#[test]
fn every_name_of_a_subject_reaches_the_template() {
    let full = Entry {
        published: Some(Timestamp::from_secs(0)),
        categories: vec!["a b".into(), "c".into()],
        ..entry("T", "", "https://www.a.io/1")
    };
    let draft = on(Platform::Outbox, &full, |it| {
        it.hashtag_rules = HashtagRules { max: Some(1), ..HashtagRules::default() };
        it.format_string = Some(
            "{{title}} {{categories}} {{hashtags}} {{site}} {{platform}} {{account}} \
             {{ published | date('%Y') }} {{url}}"
                .into(),
        );
    });
    assert_eq!(draft.text, "T a b, c #AB a.io outbox me 1970 https://www.a.io/1");
}
