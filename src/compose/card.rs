//! Card: the preview of the entry's page, where the platform takes it from us.

use super::fold::is_blank;
use super::{Subject, count, links, tokens, truncate, values};
use crate::draft::Card;
use crate::entry::{Entry, Markup};
use crate::platform::{Limits, Platform, Unit};
use crate::text;

/// The longest title or description; clients show far less.
const TEXT: Limits = Limits::of(Unit::Graphemes, 300);

/// How much of an entry is read for a description: more than `TEXT` shows.
const READ_BYTES: usize = 4096;

/// The card of an entry whose page is posted as `url`: what the settings say (nothing, where that is
/// an empty text), else what the page says of itself, else what the entry says; the site's name
/// where nothing gives a title.
pub fn card(subject: &Subject<'_>, url: &str) -> Card {
    let Subject { entry, settings, page, .. } = *subject;
    let of_page =
        |field: fn(&super::Page) -> &Option<String>| page.and_then(|it| field(it).as_deref());
    let some = |text: &str| Some(line(text, &TEXT)).filter(|text| !is_blank(text));
    let title = match settings.og_title.as_deref() {
        Some(said) => some(said),
        None => of_page(|it| &it.title).and_then(some).or_else(|| some(entry.title.as_deref()?)),
    };
    let description = match settings.og_description.as_deref() {
        Some(said) => some(said),
        None => of_page(|it| &it.description).and_then(some).or_else(|| description(entry)),
    };
    let of_entry = settings
        .media
        .as_deref()
        .unwrap_or(&entry.media)
        .iter()
        .find(|it| it.media_type.as_deref().is_some_and(|it| it.starts_with("image")));
    let image = match settings.og_image.as_deref() {
        Some("") => None,
        said => [said, of_page(|it| &it.image), of_entry.map(|it| &*it.url)]
            .into_iter()
            .flatten()
            .find(|url| tokens::is_web_address(url)),
    };
    Card {
        url: url.to_owned(),
        title: title.or_else(|| values::site(url)).unwrap_or_default(),
        description: description.unwrap_or_default(),
        image_url: image.map(str::to_owned),
        ..Card::default()
    }
}

/// Whether a card may lead to `url` beside `text`, of whose links the platform counts every different
/// one.
pub fn has_room(text: &str, url: &str, platform: Platform) -> bool {
    let most = platform.rules().links_max;
    most.is_none_or(|most| links::limit(text, Some(url), most as usize).1.is_empty())
}

/// What the entry says of itself.
fn description(entry: &Entry) -> Option<String> {
    let words = |markup: &Markup| line(&text::line_of(markup, entry, READ_BYTES), &TEXT);
    [&entry.summary, &entry.content].into_iter().flatten().map(words).find(|it| !is_blank(it))
}

/// `text` in one line within `limits`; empty where it can't be shortened to that.
pub fn line(text: &str, limits: &Limits) -> String {
    // more words than graphemes are never needed
    let words: Vec<&str> = text.split_whitespace().take(limits.max as usize + 1).collect();
    let line = words.join(" ");
    if count::fits(&line, limits) {
        return line;
    }
    truncate::shorten(&line, "", limits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::page::Page;
    use crate::draft::Media;
    use crate::people::People;
    use crate::platform::Platform;
    use crate::settings::Settings;

    fn made(entry: &Entry, settings: &Settings, page: Option<&Page>) -> Card {
        let (platform, people) = (Platform::Bluesky, &People::new());
        let limits = &platform.limits();
        let subject = Subject {
            entry,
            settings,
            platform,
            account: "me",
            limits,
            media_limits: &platform.media(),
            people,
            page,
            media: None,
        };
        card(&subject, "https://www.a.io/1")
    }

    #[test]
    fn a_card_describes_with_what_there_is() {
        let check = |summary: Option<&str>, content: Option<&str>, expect: &str| {
            let markup = |text: Option<&str>| text.map(|text| Markup::Text(text.into()));
            let entry = Entry {
                title: Some("A\n title".into()),
                summary: markup(summary),
                content: markup(content),
                ..Entry::default()
            };
            let card = made(&entry, &Settings::of_platform(Platform::Bluesky), None);
            assert_eq!((card.title.as_str(), card.description.as_str()), ("A title", expect));
        };
        check(Some("short\n\nand  good"), Some("long"), "short and good");
        check(Some(" \n "), Some("long"), "long");
        check(None, None, "");
        check(Some(&"word ".repeat(100)), None, &format!("{}word…", "word ".repeat(59)));
        check(Some(&"語".repeat(400)), None, &format!("{}…", "語".repeat(299)));
    }

    #[test]
    fn a_card_that_leads_elsewhere_is_one_link_more() {
        let check = |links: usize, url: &str, platform, expect: bool| {
            let text: Vec<_> = (1..=links).map(|n| format!("https://a.io/{n}")).collect();
            assert_eq!(has_room(&text.join(" "), url, platform), expect, "{links} {url}");
        };
        check(4, "https://b.io", Platform::Threads, true);
        check(5, "https://b.io", Platform::Threads, false);
        check(5, "https://a.io/5", Platform::Threads, true);
        check(9, "https://b.io", Platform::Facebook, true);
    }

    #[test]
    fn the_nearest_word_wins() {
        let some = |text: &str| Some(text.to_owned());
        let medium = |media_type: &str, url: &str| Media {
            media_type: some(media_type),
            url: url.into(),
            ..Media::default()
        };
        let entry = Entry {
            title: some("of the entry"),
            content: Some(Markup::Html("<p>of the <b>entry</b>".into())),
            media: vec![
                medium("video/mp4", "https://a.io/v.mp4"),
                medium("image/png", "https://a.io/entry.png"),
            ],
            ..Entry::default()
        };
        let page = Page {
            title: some("of the page"),
            description: some("of the\npage"),
            image: some("https://a.io/page.png"),
        };
        let plain = Settings::of_platform(Platform::Bluesky);
        let full = Settings {
            og_title: some("of the settings"),
            og_description: some("of the settings"),
            og_image: some("https://a.io/settings.png"),
            ..plain.clone()
        };
        let check = |settings: &Settings, page: Option<&Page>, entry: &Entry, expect: [&str; 3]| {
            let card = made(entry, settings, page);
            let image = card.image_url.unwrap_or_default();
            assert_eq!([card.title, card.description, image], expect);
        };
        let of = |whose: &str, file: &str| {
            let words = format!("of the {whose}");
            [words.clone(), words, format!("https://a.io/{file}.png")]
        };
        let of_settings = of("settings", "settings");
        check(&full, Some(&page), &entry, of_settings.each_ref().map(String::as_str));
        let of_page = of("page", "page");
        check(&plain, Some(&page), &entry, of_page.each_ref().map(String::as_str));
        let of_entry = of("entry", "entry");
        check(&plain, None, &entry, of_entry.each_ref().map(String::as_str));
        let empty = Page { title: some(" "), description: None, image: some("data:image/png") };
        check(&plain, Some(&empty), &entry, of_entry.each_ref().map(String::as_str));
        check(&plain, None, &Entry::default(), ["a.io", "", ""]);
        let none = Settings {
            og_title: some(""),
            og_description: some(""),
            og_image: some(""),
            ..plain.clone()
        };
        check(&none, Some(&page), &entry, ["a.io", "", ""]);

        // pictures that the entry's control names stand in for those of the feed
        let named = vec![medium("image/png", "https://a.io/control.png")];
        let named = Settings { media: Some(named), ..plain.clone() };
        let words = "of the entry";
        check(&named, None, &entry, [words, words, "https://a.io/control.png"]);
        let bare = Settings { media: Some(Vec::new()), ..plain };
        check(&bare, None, &entry, [words, words, ""]);
    }
}
