//! Card: the preview of the entry's page, where the platform takes it from us.

use super::fold::is_blank;
use super::{Subject, count, tokens, truncate, values};
use crate::draft::Card;
use crate::entry::Markup;
use crate::platform::{Limits, Unit};
use crate::text;

/// The longest title or description; clients show far less.
const TEXT: Limits = Limits::of(Unit::Graphemes, 300);

/// The card of an entry whose page is posted as `url`: what the settings say, else what the page
/// says of itself, else what the entry says; the site's name where nothing gives a title.
pub fn card(subject: &Subject<'_>, url: &str) -> Card {
    let Subject { entry, settings, page, .. } = *subject;
    let of_page =
        |field: fn(&super::Page) -> &Option<String>| page.and_then(|it| field(it).as_deref());
    let first = |choices: [Option<&str>; 3]| {
        let mut choices = choices.into_iter().flatten().map(|text| line(text, &TEXT));
        choices.find(|text| !is_blank(text))
    };
    let title = [settings.og_title.as_deref(), of_page(|it| &it.title), entry.title.as_deref()];
    let described =
        first([settings.og_description.as_deref(), of_page(|it| &it.description), None]);
    let image = entry
        .media
        .iter()
        .find(|it| it.media_type.as_deref().is_some_and(|it| it.starts_with("image")));
    let images = [settings.og_image.as_deref(), of_page(|it| &it.image), image.map(|it| &*it.url)];
    Card {
        url: url.to_owned(),
        title: first(title).or_else(|| values::site(url)).unwrap_or_default(),
        description: described.or_else(|| description(subject)).unwrap_or_default(),
        image_url: images
            .into_iter()
            .flatten()
            .find(|url| tokens::is_web_address(url))
            .map(str::to_owned),
        ..Card::default()
    }
}

/// What the entry says of itself.
fn description(subject: &Subject<'_>) -> Option<String> {
    let plain = |markup: &Markup| line(&text::plain(markup), &TEXT);
    [&subject.entry.summary, &subject.entry.content]
        .into_iter()
        .flatten()
        .map(plain)
        .find(|text| !is_blank(text))
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
