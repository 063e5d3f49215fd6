use super::*;
use crate::compose::compose;
use crate::draft::Draft;
use crate::entry::{Entry, Markup};
use crate::people::People;
use crate::platform::Platform;
use crate::settings::{MediaFrom, Settings};

const URL: &str = "https://a.io/1";

fn medium(name: &str, alt: &str) -> Media {
    let url = format!("https://a.io/{name}");
    let media_type = draft::type_by_name(&url).map(str::to_owned);
    let alt = (!alt.is_empty()).then(|| alt.to_owned());
    Media { media_type, url, alt, ..Media::default() }
}

/// A long article with this content.
fn article(content: &str) -> Entry {
    let text = "And so it went on for long. ".repeat(40);
    Entry {
        url: Some(URL.into()),
        title: Some("A title".into()),
        content: Some(Markup::Html(format!("<p>{text}</p>{content}"))),
        ..Entry::default()
    }
}

fn note(content: &str) -> Entry {
    Entry { title: None, ..article(content) }
}

fn with<T>(
    entry: &Entry,
    platform: Platform,
    change: impl FnOnce(&mut Settings),
    work: impl FnOnce(&Subject<'_>) -> T,
) -> T {
    let mut settings = Settings::of_platform(platform);
    change(&mut settings);
    work(&Subject {
        entry,
        settings: &settings,
        platform,
        account: "me",
        limits: &platform.limits(),
        media_limits: &platform.media(),
        people: &People::new(),
        page: None,
        media: None,
    })
}

fn on(entry: &Entry, platform: Platform, change: impl FnOnce(&mut Settings)) -> Wanted {
    with(entry, platform, change, wanted)
}

/// `name|alt` of each.
fn names(wanted: &Wanted) -> Vec<String> {
    let one = |it: &Media| format!("{}|{}", name(&it.url), it.alt.as_deref().unwrap_or_default());
    wanted.media.iter().map(one).collect()
}

#[track_caller]
fn check(
    entry: &Entry,
    platform: Platform,
    change: impl FnOnce(&mut Settings),
    expect: &[&str],
    notes: &[&str],
) {
    let wanted = on(entry, platform, change);
    assert_eq!(names(&wanted), expect);
    assert_eq!(wanted.notes(0), notes);
}

fn as_it_is(_: &mut Settings) {}

#[test]
fn the_nearest_word_says_which_media() {
    let content = "<img src='https://a.io/c.jpg' alt=C>";
    let entry = Entry { media: vec![medium("f.jpg", "F")], ..article(content) };
    let all = ["f.jpg|F", "c.jpg|C"];
    check(&entry, Platform::Mastodon, as_it_is, &all, &[]);
    let control = |it: &mut Settings| it.media = Some(vec![medium("o.jpg", "O")]);
    check(&entry, Platform::Mastodon, control, &["o.jpg|O"], &[]);
    check(&entry, Platform::Mastodon, |it| it.media = Some(Vec::new()), &[], &[]);
    let only = |it: &mut Settings| it.media_from = MediaFrom::Control;
    check(&entry, Platform::Mastodon, only, &[], &[]);
    let named = |it: &mut Settings| {
        control(it);
        only(it);
    };
    check(&entry, Platform::Mastodon, named, &["o.jpg|O"], &[]);
    let none = |it: &mut Settings| {
        control(it);
        it.media_from = MediaFrom::None;
    };
    check(&entry, Platform::Mastodon, none, &[], &[]);
    // a summary stands in for a content that is not there
    let entry = Entry { title: None, summary: entry.content, content: None, ..entry };
    check(&entry, Platform::Mastodon, as_it_is, &all, &[]);
}

#[test]
fn each_medium_goes_once() {
    let set = "<img src=/s.jpg srcset='/s.jpg 300w, http://a.io/f.jpg#x 600w, /l.jpg 900w' alt=L>";
    let content = format!("{set}<img src=/s.jpg><img src=/g.png>");
    let feed = vec![medium("f.jpg", ""), medium("v.png", ""), medium("f.jpg", "later")];
    let entry = Entry { media: feed, ..note(&content) };
    let expect = ["f.jpg|later", "v.png|", "g.png|"];
    let quiet = |it: &mut Settings| it.alt = AltRule::Ignore;
    check(&entry, Platform::Mastodon, quiet, &expect, &[]);
    let bare = Entry { media: vec![medium("s.jpg", ""), medium("x.jpg", "")], ..entry };
    check(&bare, Platform::Mastodon, quiet, &["s.jpg|L", "x.jpg|", "g.png|"], &[]);
    // what the control names gets its words from where they are, and no company
    let control = |it: &mut Settings| {
        it.media = Some(vec![Media { media_type: Some("image".into()), ..medium("l.jpg", "") }]);
    };
    let found = on(&bare, Platform::Mastodon, control);
    assert_eq!(names(&found), ["l.jpg|L"]);
    assert_eq!(found.media[0].media_type.as_deref(), Some("image/jpeg"));
    let video = Media { poster_url: Some("https://a.io/p.jpg".into()), ..medium("v.mp4", "V") };
    let entry = Entry {
        media: vec![medium("v.mp4", "")],
        ..note("<video src=/v.mp4 poster=/p.jpg title=V>")
    };
    assert_eq!(on(&entry, Platform::Mastodon, as_it_is).media, [video]);
}

#[test]
fn what_only_decorates_goes_where_there_is_nothing_else() {
    let (plain, bare) = ("<img src=/d.jpg alt=''>", "<img src=/a.jpg alt=A>");
    let check = |content: &str, expect: &[&str]| {
        check(&note(content), Platform::Outbox, |it| it.alt = AltRule::Ignore, expect, &[]);
    };
    check(plain, &["d.jpg|"]);
    check(&format!("{plain}{bare}"), &["a.jpg|A"]);
    check(&format!("{plain}<video src=/v.mp4>"), &["v.mp4|"]);
    check(&format!("{plain}{bare}<img src=/d.jpg alt=D>"), &["d.jpg|D", "a.jpg|A"]);
}

#[test]
fn only_the_web_is_reached() {
    let strange = |url: &str| Media { url: url.into(), ..medium("", "") };
    let urls = ["data:image/png,x", "ftp://a.io/a.jpg", "file:///etc/passwd", "https://", "x"];
    let entry = Entry { media: urls.map(strange).into(), ..note("<img src='data:image/png,x'>") };
    check(&entry, Platform::Outbox, as_it_is, &[], &[]);
    let poster = Media { poster_url: Some("data:,".into()), ..medium("v.mp4", "V") };
    let entry = Entry { media: vec![poster], ..note("") };
    assert_eq!(on(&entry, Platform::Outbox, as_it_is).media, [medium("v.mp4", "V")]);
}

#[test]
fn what_a_platform_never_takes_is_left_out() {
    let feed = |names: &[&str]| Entry {
        media: names.iter().map(|name| medium(name, "A")).collect(),
        ..note("")
    };
    let sound = feed(&["a.mp3", "i.jpg"]);
    let left = "`a.mp3` left out: mastodon takes no sound";
    check(&sound, Platform::Mastodon, as_it_is, &["i.jpg|A"], &[left]);
    check(&sound, Platform::Outbox, as_it_is, &["a.mp3|A", "i.jpg|A"], &[]);
    let notes = ["2 images left out: youtube takes none"];
    check(&feed(&["a.jpg", "b.png", "v.mp4"]), Platform::YouTube, as_it_is, &["v.mp4|"], &notes);
    let left = "`a.svg` left out: bluesky takes no drawing";
    check(&feed(&["a.svg", "b.jpg"]), Platform::Bluesky, as_it_is, &["b.jpg|A"], &[left]);
    let other = Media { media_type: Some("application/pdf".into()), ..medium("a.pdf", "A") };
    let entry = Entry { media: vec![other], ..note("") };
    let left = "`a.pdf` left out: bluesky takes no medium";
    check(&entry, Platform::Bluesky, as_it_is, &[], &[left]);
    // what says nothing may be an image
    check(&feed(&["a"]), Platform::Bluesky, as_it_is, &["a|A"], &[]);
}

#[test]
fn no_more_go_than_go_together() {
    let feed = |names: &[&str]| Entry {
        media: names.iter().map(|name| medium(name, "A")).collect(),
        ..note("")
    };
    let six = feed(&["1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg"]);
    let four = ["1.jpg|A", "2.jpg|A", "3.jpg|A", "4.jpg|A"];
    check(&six, Platform::Bluesky, as_it_is, &four, &["at most 4 images go: 2 left out"]);
    let one = |it: &mut Settings| it.media_max = Some(1);
    let note = "at most 1 image goes (media_max): 5 left out";
    check(&six, Platform::Bluesky, one, &four[..1], &[note]);
    check(
        &six,
        Platform::Bluesky,
        |it| it.media_max = Some(6),
        &four,
        &["at most 4 images go: 2 left out"],
    );
    let mixed = feed(&["1.jpg", "v.mp4", "2.jpg"]);
    let apart = "images and videos don't go together: 1 left out";
    check(&mixed, Platform::Mastodon, as_it_is, &["1.jpg|A", "2.jpg|A"], &[apart]);
    check(&mixed, Platform::Threads, as_it_is, &["1.jpg|A", "v.mp4|A", "2.jpg|A"], &[]);
    let video = feed(&["v.mp4", "1.jpg", "w.mp4"]);
    let alone = "a video goes alone: 2 left out";
    check(&video, Platform::Mastodon, as_it_is, &["v.mp4|A"], &[alone]);
    let story = |it: &mut Settings| it.channel = Channel::Story;
    let note = "at most 1 image goes: 5 left out";
    check(&six, Platform::Instagram, story, &four[..1], &[note]);
}

#[test]
fn what_is_beyond_the_number_may_take_a_place_after_all() {
    let media = (0..9).map(|n| medium(&format!("{n}.jpg"), "words")).collect();
    let entry = Entry { media, ..note("") };
    let wanted = on(&entry, Platform::Bluesky, as_it_is);
    let names = |media: &[Media]| media.iter().map(|it| name(&it.url)).collect::<Vec<_>>();
    assert_eq!(names(&wanted.media), ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]);
    assert_eq!(names(&wanted.spare), ["4.jpg", "5.jpg", "6.jpg", "7.jpg"], "as many again");
    assert_eq!(wanted.notes(0), ["at most 4 images go: 5 left out"]);
    assert_eq!(wanted.notes(2), ["at most 4 images go: 3 left out"]);
    let wanted = on(&entry, Platform::Bluesky, |it| it.media_max = Some(8));
    assert_eq!(wanted.media.len(), 4);
    let entry = Entry { media: entry.media[..5].to_vec(), ..entry };
    let wanted = on(&entry, Platform::Bluesky, as_it_is);
    assert_eq!((wanted.notes(0).len(), wanted.notes(1).len()), (1, 0));
    let mut bare = entry;
    bare.media[4].alt = None;
    let wanted = on(&bare, Platform::Bluesky, as_it_is);
    assert_eq!(wanted.notes(1), ["no alt text: https://a.io/4.jpg"]);
    let wanted = on(&bare, Platform::Bluesky, |it| it.alt = AltRule::Require);
    assert!(wanted.spare.is_empty(), "the post was not held for it");
}

#[test]
fn a_long_alternative_text_ends_with_a_word() {
    let entry = Entry { media: vec![medium("a.jpg", &"word ".repeat(500))], ..note("") };
    let wanted = on(&entry, Platform::Mastodon, as_it_is);
    let alt = wanted.media[0].alt.as_deref().unwrap();
    assert!(alt.ends_with("word…") && alt.chars().count() <= 1500, "{alt}");
    assert_eq!(wanted.notes(0), ["alt text of `a.jpg` shortened to 1500"]);
}

#[test]
fn what_has_no_alternative_text_is_told() {
    let entry = Entry {
        media: vec![medium("a.jpg", ""), medium("b.jpg", " "), medium("c.jpg", "C")],
        ..note("")
    };
    let told = ["no alt text: https://a.io/a.jpg", "no alt text: https://a.io/b.jpg"];
    for (rule, notes) in
        [(AltRule::Warn, &told[..]), (AltRule::Require, &told), (AltRule::Ignore, &[])]
    {
        check(
            &entry,
            Platform::Bluesky,
            |it| it.alt = rule,
            &["a.jpg|", "b.jpg|", "c.jpg|C"],
            notes,
        );
    }
    assert_eq!(with(&entry, Platform::Bluesky, as_it_is, without_alt), ["a.jpg", "b.jpg"]);
    assert_eq!(
        with(&entry, Platform::Bluesky, |it| it.media_max = Some(1), without_alt),
        ["a.jpg"]
    );
    let video = Entry { media: vec![medium("v.mp4", "")], ..note("") };
    assert_eq!(with(&video, Platform::YouTube, as_it_is, without_alt), [""; 0], "it takes none");
}

#[test]
fn media_or_card() {
    let content = "<img src=/c.jpg alt=C>";
    let (article, note) = (article(content), note(content));
    let named = Entry { media: vec![medium("f.jpg", "F")], ..article.clone() };
    let left = "1 image of the content left out: the link card goes";
    let check = |entry: &Entry, platform, change: fn(&mut Settings), count: usize| {
        let wanted = on(entry, platform, change);
        assert_eq!(wanted.media.len(), count, "{platform:?}");
        assert_eq!(wanted.notes(0).contains(&left.to_owned()), count == 0, "{platform:?}");
    };
    use Platform::*;
    for platform in [Bluesky, Mastodon, Threads, Facebook, LinkedIn, X] {
        check(&article, platform, as_it_is, 0);
        check(&note, platform, as_it_is, 1);
        check(&named, platform, as_it_is, 2);
        check(&article, platform, |it| it.media_or_card = Some(MediaOrCard::Media), 1);
        let card: fn(&mut Settings) = |it| it.media_or_card = Some(MediaOrCard::Card);
        assert_eq!(on(&named, platform, card).media, []);
        check(&note, platform, card, 0);
        // without a card there is nothing to give way to
        let no_card: fn(&mut Settings) = |it| (it.attach_link, it.append_url) = (false, false);
        check(&article, platform, no_card, 1);
        check(
            &Entry { url: None, alternate_url: Some(URL.into()), ..article.clone() },
            platform,
            as_it_is,
            1,
        );
    }
    for platform in [Instagram, Outbox] {
        for entry in [&article, &note] {
            check(entry, platform, |it| it.media_or_card = Some(MediaOrCard::Card), 1);
            check(entry, platform, as_it_is, 1);
        }
    }
    let in_text: fn(&mut Settings) = |it| {
        (it.append_url, it.format_string) = (false, Some("{{title}} {{url}}".into()));
    };
    check(&article, Mastodon, in_text, 0);
}

fn drafted(
    entry: &Entry,
    platform: Platform,
    media: Option<&[Media]>,
    change: fn(&mut Settings),
) -> Draft {
    with(entry, platform, change, |subject| compose(&Subject { media, ..*subject })).unwrap()
}

#[test]
fn where_media_take_the_place_of_the_card_the_url_is_in_the_text() {
    let entry = Entry { media: vec![medium("f.jpg", "F")], ..article("") };
    for (platform, text) in [
        (Platform::Bluesky, "A title a.io/1"),
        (Platform::LinkedIn, "A title https://a.io/1"),
        (Platform::Threads, "A title https://a.io/1"),
    ] {
        let draft = drafted(&entry, platform, None, as_it_is);
        assert_eq!((draft.text.as_str(), draft.card, draft.media.len()), (text, None, 1));
    }
    assert_eq!(drafted(&entry, Platform::Bluesky, None, as_it_is).facets.len(), 1);
    // once, wherever the template has it, and not where the owner wants neither
    let there: fn(&mut Settings) = |it| it.format_string = Some("{{url}} {{title}}".into());
    assert_eq!(drafted(&entry, Platform::Bluesky, None, there).text, "a.io/1 A title");
    let bare: fn(&mut Settings) = |it| it.attach_link = false;
    assert_eq!(drafted(&entry, Platform::Bluesky, None, bare).text, "A title");
    // what could not be had gives the card its place back
    let draft = drafted(&entry, Platform::Bluesky, Some(&[]), as_it_is);
    assert_eq!((draft.text.as_str(), draft.media.len()), ("A title", 0));
    assert_eq!(draft.card.map(|card| card.url).as_deref(), Some(URL));
    let draft = drafted(&entry, Platform::Mastodon, Some(&[]), as_it_is);
    assert_eq!((draft.text.as_str(), draft.media.len()), ("A title https://a.io/1", 0));
    let refused = with(&entry, Platform::Instagram, as_it_is, |subject| {
        compose(&Subject { media: Some(&[]), ..*subject })
    });
    assert!(refused.is_err());
    // what was had goes as it is
    let had = [medium("fitted.jpg", "F")];
    assert_eq!(drafted(&entry, Platform::Bluesky, Some(&had), as_it_is).media, had);
    let draft = drafted(&article("<img src=/c.jpg>"), Platform::Bluesky, None, as_it_is);
    assert!(draft.media.is_empty() && draft.card.is_some());
    assert_eq!(draft.notes, ["1 image of the content left out: the link card goes"]);
}
