//! Card: the preview of the entry's page, where the platform takes it from us.

use super::fold::is_blank;
use super::{count, truncate};
use crate::draft::Card;
use crate::entry::Entry;
use crate::platform::{Limits, Unit};
use crate::text;

/// The most graphemes of a title or a description; clients show far fewer.
const TEXT_MAX: u32 = 300;

/// The card of `entry`, whose page is `url`.
pub fn card(entry: &Entry, url: &str) -> Card {
    let description = [&entry.summary, &entry.content]
        .into_iter()
        .flatten()
        .map(text::plain)
        .find(|text| !is_blank(text))
        .unwrap_or_default();
    Card {
        url: url.to_owned(),
        title: line(entry.title.as_deref().unwrap_or_default(), TEXT_MAX),
        description: line(&description, TEXT_MAX),
        ..Card::default()
    }
}

/// `text` in one line of at most `max` graphemes; empty where it can't be shortened to that.
pub fn line(text: &str, max: u32) -> String {
    let limits = Limits { unit: Unit::Graphemes, max, max_bytes: None };
    // more words than graphemes are never needed
    let words: Vec<&str> = text.split_whitespace().take(max as usize + 1).collect();
    let line = words.join(" ");
    if count::fits(&line, &limits) {
        return line;
    }
    truncate::shorten(&line, "", &limits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Markup;

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
            let card = card(&entry, "https://a.io/1");
            assert_eq!((card.title.as_str(), card.description.as_str()), ("A title", expect));
        };
        check(Some("short\n\nand  good"), Some("long"), "short and good");
        check(Some(" \n "), Some("long"), "long");
        check(None, None, "");
        check(Some(&"word ".repeat(100)), None, &format!("{}word…", "word ".repeat(59)));
        check(Some(&"語".repeat(400)), None, &format!("{}…", "語".repeat(299)));
    }
}
