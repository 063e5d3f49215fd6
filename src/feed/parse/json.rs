//! JSON Feed 1 and 1.1 to entries.
//!
//! Read as loose JSON, item by item, so that one wrong type costs one property of one entry.

use serde_json::{Map, Value};
use url::Url;

use super::entry::{Draft, LIST_MAX, push_category};
use super::{
    ENTRIES_MAX, ParseError, address, date, declaration, identity, link, markup, media, person,
};
use crate::draft::{self, Media};
use crate::entry::{Entry, Link, Markup, ParsedFeed, Person, Problem};
use crate::feed::extension;
use crate::text::fold;

type Object = Map<String, Value>;

/// Reads `text`, which begins with `{` or `[`.
pub(super) fn read(text: &str, url: &Url) -> Result<ParsedFeed, ParseError> {
    let value: Value = serde_json::from_str(text.trim_end_matches('\0')).map_err(|error| {
        if error.is_eof() { ParseError::CutOff } else { ParseError::Json(error.to_string()) }
    })?;
    let not_a_feed = |what: &str| ParseError::NotAFeed(what.to_owned());
    let Value::Object(root) = value else { return Err(not_a_feed("a JSON list")) };
    let version = string(&root, "version").unwrap_or_default();
    let Some(items) = root.get("items").and_then(Value::as_array) else {
        return Err(not_a_feed("JSON without `items`"));
    };
    let mut problems = Vec::new();
    if items.len() > ENTRIES_MAX {
        let message = format!(
            "{} entries beyond the first {ENTRIES_MAX} were left out",
            items.len() - ENTRIES_MAX
        );
        problems.push(Problem { entry: None, message });
    }
    let feed = Feed {
        base: url,
        authors: authors(&root, url),
        language: string(&root, "language").and_then(|tag| markup::language(&tag)),
    };
    let mut drafts = Vec::with_capacity(items.len().min(ENTRIES_MAX));
    for (nth, item) in items.iter().take(ENTRIES_MAX).enumerate() {
        match item {
            Value::Object(item) => drafts.push(feed.draft(item)),
            _ => {
                let message = format!("entry {} is no object, passed over", nth + 1);
                problems.push(Problem { entry: None, message });
            }
        }
    }
    Ok(ParsedFeed {
        format: format(&version),
        title: title(&root),
        home_url: url_of(&root, "home_page_url", url),
        ttl: None,
        entries: identity::settle(drafts, &mut problems),
        problems,
    })
}

fn format(version: &str) -> String {
    let number = version.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let number = number.strip_prefix("version-").unwrap_or(number);
    if number.starts_with(|c: char| c.is_ascii_digit()) {
        format!("json feed {number}")
    } else {
        "json feed".to_owned()
    }
}

/// What items inherit.
struct Feed<'f> {
    base: &'f Url,
    authors: Vec<Person>,
    language: Option<String>,
}

impl Feed<'_> {
    fn draft(&self, item: &Object) -> Draft {
        let mut draft = Draft::default();
        let entry = &mut draft.entry;
        draft.stated_id = id(item);
        self.links(item, entry);
        self.dates(item, entry, &mut draft.notes);
        let html = |key| {
            string(item, key)
                .map(|html| address::absolute_in_html(declaration::mended(html), self.base))
                .map(Markup::Html)
        };
        let text = |key| string(item, key).map(Markup::Text);
        entry.title = title(item);
        entry.summary = text("summary");
        entry.content = html("content_html").or_else(|| text("content_text"));
        entry.authors = authors(item, self.base);
        if entry.authors.is_empty() {
            entry.authors.clone_from(&self.authors);
        }
        entry.language = string(item, "language").and_then(|tag| markup::language(&tag));
        entry.language = entry.language.take().or_else(|| self.language.clone());
        match item.get("tags") {
            Some(Value::Array(tags)) => {
                let tags = tags.iter().filter_map(Value::as_str);
                tags.for_each(|tag| push_category(&mut entry.categories, tag));
            }
            Some(Value::String(tags)) => {
                tags.split(',').for_each(|tag| push_category(&mut entry.categories, tag));
            }
            _ => {}
        }
        self.media(item, entry);
        if let Some(control) = item.get("_posse") {
            draft.said = Some(Box::new(extension::of_value(control, self.base)));
        }
        draft
    }

    fn links(&self, item: &Object, entry: &mut Entry) {
        for (key, rel) in [("url", "alternate"), ("external_url", "related")] {
            if let Some(href) = url_of(item, key, self.base) {
                entry.links.push(Link { rel: rel.to_owned(), href, media_type: None });
            }
        }
        let page = id(item).filter(|id| id.starts_with("https://") || id.starts_with("http://"));
        let page = page.and_then(|id| address::absolute(self.base, &id));
        link::choose(entry);
        // what it is about is not where it is
        entry.url = entry.alternate_url.clone().or(page);
    }

    fn dates(&self, item: &Object, entry: &mut Entry, notes: &mut Vec<String>) {
        let mut read = |key| {
            let written = string(item, key).filter(|written| !written.trim().is_empty())?;
            let at = date::parse(&written);
            if at.is_none() {
                let shown: String = written.chars().take(60).collect();
                notes.push(format!("the date `{shown}` can't be read, passed over"));
            }
            at
        };
        entry.published = read("date_published");
        entry.updated = read("date_modified");
    }

    fn media(&self, item: &Object, entry: &mut Entry) {
        let attachments = item.get("attachments").and_then(Value::as_array);
        for attachment in
            attachments.into_iter().flatten().filter_map(Value::as_object).take(LIST_MAX)
        {
            let Some(url) = url_of(attachment, "url", self.base) else { continue };
            let media_type = string(attachment, "mime_type").filter(|kind| kind.contains('/'));
            let media_type = media_type.or_else(|| draft::type_by_name(&url).map(str::to_owned));
            let alt = string(attachment, "alt").filter(|alt| !alt.trim().is_empty());
            let rel = "enclosure".to_owned();
            entry.links.push(Link { rel, href: url.clone(), media_type: media_type.clone() });
            media::add(&mut entry.media, Media { media_type, url, alt, ..Media::default() });
        }
        for key in ["image", "banner_image"] {
            if let Some(url) = url_of(item, key, self.base) {
                let media_type = draft::type_by_name(&url).unwrap_or("image").to_owned();
                media::add(
                    &mut entry.media,
                    Media { media_type: Some(media_type), url, ..Media::default() },
                );
            }
        }
    }
}

fn id(item: &Object) -> Option<String> {
    string(item, "id").map(|id| id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// The title in one line. It is plain text, but many write the entities of HTML; where there is a
/// `<` as well, it is somebody who writes about HTML.
fn title(object: &Object) -> Option<String> {
    let written = string(object, "title")?;
    let title = if written.contains('<') { fold(&written) } else { markup::fold_text(&written) };
    (!title.is_empty()).then_some(title)
}

/// A string, or a number or truth value as one.
fn string(object: &Object, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn url_of(object: &Object, key: &str, base: &Url) -> Option<String> {
    address::absolute(base, object.get(key)?.as_str()?)
}

/// `authors` of 1.1, else `author` of 1.
fn authors(object: &Object, base: &Url) -> Vec<Person> {
    let mut people = Vec::new();
    let list = match object.get("authors") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for author in list.into_iter().chain(object.get("author")) {
        match author {
            Value::String(line) => person::add(&mut people, person::of_line(line)),
            Value::Object(author) => {
                let name = string(author, "name").map(|name| fold(&name)).filter(|n| !n.is_empty());
                let url = url_of(author, "url", base);
                let email =
                    url.as_deref().and_then(|url| url.strip_prefix("mailto:")).map(str::to_owned);
                person::add(
                    &mut people,
                    Person { name, url: url.filter(|_| email.is_none()), email },
                );
            }
            _ => {}
        }
    }
    people
}
