//! Entry: one `item` or `entry` element to an entry.
//!
//! All formats at once: an element means the same wherever it stands, because publishers mix them.
//! Where several elements say the same thing, the one made for it counts.

use std::borrow::Cow;

use url::Url;

use super::element::Element;
use super::entities::Entities;
use super::namespace::Namespace::{
    Content, Core, Dc, DcTerms, Itunes, Media, Posse, PosseUndeclared, Xhtml,
};
use super::namespace::POSSE;
use super::{address, date, link, markup, media, person};
use crate::clock::Timestamp;
use crate::entry::{Entry, Link, Markup};
use crate::feed::extension::{self, Said};

/// How many categories, links or authors of one entry are read.
pub(super) const LIST_MAX: usize = 200;

/// What an element inherits from those around it.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// What relative addresses are relative to.
    pub(super) base: Url,
    /// `xml:lang`
    pub(super) language: Option<String>,
    /// Whether text without a type is plain text (Atom) or whatever it looks like (all others).
    pub(super) is_atom: bool,
}

impl Surroundings {
    /// What the children of `element` inherit.
    pub(super) fn inside(&self, element: &Element<'_>, entities: &Entities) -> Cow<'_, Self> {
        if !element.attributes.contains("xml:") {
            return Cow::Borrowed(self);
        }
        let mut inner = self.clone();
        if let Some(base) = element.attribute(entities, "xml:base") {
            inner.base = self.base.join(base.trim()).unwrap_or(inner.base);
        }
        if let Some(language) = element.attribute(entities, "xml:lang") {
            inner.language = markup::language(&language);
        }
        Cow::Owned(inner)
    }
}

/// An entry whose id is not settled yet.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) entry: Entry,
    /// The id that the document states: guid, `atom:id`, `rdf:about`.
    pub(super) stated_id: Option<String>,
    /// Whether entries of one id may be versions of one entry (`atom:id`).
    pub(super) has_versions: bool,
    /// What could not be taken as it stood.
    pub(super) notes: Vec<String>,
    /// What the entry says about its own syndication; put into it once its identity is settled.
    pub(super) said: Option<Box<Said>>,
}

/// What several elements may say; the lowest rank counts, then the first.
struct Best<T>(Option<(u8, T)>);

impl<T> Best<T> {
    fn offer(&mut self, rank: u8, value: impl FnOnce() -> Option<T>) {
        if self.0.as_ref().is_none_or(|(known, _)| rank < *known)
            && let Some(value) = value()
        {
            self.0 = Some((rank, value));
        }
    }

    /// As `offer`, but the last of one rank counts.
    fn offer_again(&mut self, rank: u8, value: T) {
        if self.0.as_ref().is_none_or(|(known, _)| rank <= *known) {
            self.0 = Some((rank, value));
        }
    }

    fn take(self) -> Option<T> {
        self.0.map(|(_, value)| value)
    }
}

/// Reads one `item` or `entry`.
pub(super) fn read(item: &Element<'_>, around: &Surroundings, entities: &Entities) -> Draft {
    let around = &*around.inside(item, entities);
    let mut reading = Reading {
        around,
        entities,
        draft: Draft::default(),
        id: Best(None),
        permalink: None,
        title: Best(None),
        description: Best(None),
        summary: Best(None),
        content: Best(None),
        published: Best(None),
        updated: Best(None),
        language: Best(None),
        spoken: Best(None),
    };
    for child in &item.children {
        reading.child(child);
    }
    reading.of_attributes(item);
    media::read(item, around, entities, &mut reading.draft.entry.media);
    reading.finish()
}

struct Reading<'r> {
    around: &'r Surroundings,
    entities: &'r Entities,
    draft: Draft,
    id: Best<String>,
    /// A guid that is an address.
    permalink: Option<String>,
    title: Best<String>,
    /// RSS's `description`: the summary, or the content where there is another summary.
    description: Best<Markup>,
    summary: Best<Markup>,
    content: Best<Markup>,
    published: Best<Timestamp>,
    updated: Best<Timestamp>,
    /// What the entry says of its language.
    language: Best<String>,
    /// The language of its content, else of its summary, else of its title.
    spoken: Best<Option<String>>,
}

impl Reading<'_> {
    fn child(&mut self, child: &Element<'_>) {
        match (child.namespace, &*child.name) {
            (Core, "title") => self.title(0, child),
            (Dc, "title") => self.title(1, child),
            (Media, "title") => self.title(2, child),
            (Itunes, "title") => self.title(3, child),
            (Core, "id" | "guid") => self.id(child),
            (Core, "link" | "url") => self.link(child),
            (Content, "encoded") | (Core, "fullitem") => self.content(0, child),
            (Core, "content") => self.content(1, child),
            (Xhtml, "body" | "div") | (Core, "body") => self.content(2, child),
            (Core, "summary") => self.summary(0, child),
            (Core, "description") => self.description(child),
            (Core, "abstract") => self.summary(1, child),
            (Dc, "description") | (DcTerms, "abstract") => self.summary(2, child),
            (Itunes, "summary" | "subtitle") => self.summary(3, child),
            (Media, "description") => self.summary(4, child),
            (Core, "published" | "pubdate") => self.date(0, true, child),
            (Core, "issued") => self.date(1, true, child),
            (DcTerms, "issued" | "created" | "available" | "date") => self.date(2, true, child),
            (Dc, "date") => self.date(3, true, child),
            (Core, "created" | "date") => self.date(4, true, child),
            (Core, "updated" | "modified" | "lastbuilddate") => self.date(0, false, child),
            (DcTerms, "modified") => self.date(1, false, child),
            (Core | Itunes, "author") | (Dc, "creator" | "author") => self.person(child),
            (Core, "category" | "keywords" | "tags") | (Dc, "subject") | (Media, "category") => {
                self.categories(child);
            }
            (Itunes | Media, "keywords") | (Itunes, "category") => self.categories(child),
            (Core | Dc | DcTerms, "language") => {
                let text = child.text(self.entities);
                self.language.offer(1, || markup::language(&text));
            }
            (Core, "enclosure") => self.enclosure(child),
            (Core, "comments") => self.comments(child),
            (Core, "source") => self.source(child),
            (Posse, "post") => self.post(child),
            (PosseUndeclared, "post") => {
                let note = format!("`posse:post` is passed over: want `xmlns:posse=\"{POSSE}\"`");
                self.draft.notes.push(note);
            }
            _ => {}
        }
    }

    /// What RDF and CDF say in attributes of the item.
    fn of_attributes(&mut self, item: &Element<'_>) {
        let about = item.attribute(self.entities, "rdf:about");
        self.id.offer(1, || about.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()));
        if let Some(href) = item.attribute(self.entities, "href")
            && let Some(href) = address::absolute(&self.around.base, &href)
        {
            self.push_link(Link { rel: "alternate".to_owned(), href, media_type: None });
        }
        for name in ["lastmod", "pubdate"] {
            let at = item.attribute(self.entities, name).and_then(|text| date::parse(&text));
            self.updated.offer(2, || at);
        }
    }

    fn post(&mut self, child: &Element<'_>) {
        if self.draft.said.is_some() {
            self.draft.notes.push("a second `posse:post` is passed over".to_owned());
            return;
        }
        let inside = self.around.inside(child, self.entities);
        let format = child.attribute(self.entities, "format");
        let text = child.text(self.entities);
        let said = extension::of_element(format.as_deref(), &text, &inside.base);
        self.draft.said = Some(Box::new(said));
    }

    fn title(&mut self, rank: u8, child: &Element<'_>) {
        self.title.offer(rank, || markup::line(child, self.around, self.entities));
        self.spoken(3, child, self.around.language.clone());
    }

    fn content(&mut self, rank: u8, child: &Element<'_>) {
        let inside = self.around.inside(child, self.entities);
        self.content.offer(rank, || markup::markup(child, &inside, self.entities));
        self.spoken(1, child, inside.language.clone());
        if let Some(src) = child.attribute(self.entities, "src")
            && let Some(href) = address::absolute(&inside.base, &src)
        {
            let media_type = child.attribute(self.entities, "type").map(|t| t.trim().to_owned());
            let is_media = media_type.as_deref().is_some_and(media::is_media);
            let rel = if is_media { "enclosure" } else { "content" };
            self.push_link(Link { rel: rel.to_owned(), href, media_type });
        }
    }

    fn summary(&mut self, rank: u8, child: &Element<'_>) {
        let inside = self.around.inside(child, self.entities);
        self.summary.offer(rank, || markup::markup(child, &inside, self.entities));
        self.spoken(2, child, inside.language.clone());
    }

    fn description(&mut self, child: &Element<'_>) {
        let inside = self.around.inside(child, self.entities);
        self.description.offer(0, || markup::markup(child, &inside, self.entities));
        self.spoken(2, child, inside.language.clone());
    }

    /// Notes the language of a text, which may say that it has none (`xml:lang=""`).
    fn spoken(&mut self, rank: u8, child: &Element<'_>, inherited: Option<String>) {
        let own = child.attribute(self.entities, "xml:lang").map(|tag| markup::language(&tag));
        self.spoken.offer(rank, || Some(own.unwrap_or(inherited)));
    }

    fn id(&mut self, child: &Element<'_>) {
        let id = child.text(self.entities);
        if id.is_empty() {
            return;
        }
        let permalink = child.attribute(self.entities, "isPermaLink");
        let is_permalink = permalink.is_none_or(|said| !said.trim().eq_ignore_ascii_case("false"));
        // `17` without a word about it is no page, whatever the default says
        let said = child.attributes.to_ascii_lowercase().contains("ispermalink");
        if child.name == "guid"
            && is_permalink
            && self.permalink.is_none()
            && (said || link::is_page(&id))
        {
            self.permalink =
                address::absolute(&self.around.base, &id).filter(|url| link::is_page(url));
        }
        self.id.offer(0, || Some(id.into_owned()));
    }

    fn link(&mut self, child: &Element<'_>) {
        match link::read(child, self.around, self.entities) {
            Some(link) => self.push_link(link),
            None => {
                let text = child.text(self.entities);
                if !text.is_empty() {
                    self.draft.notes.push(format!("the link `{text}` is no address, passed over"));
                }
            }
        }
    }

    fn push_link(&mut self, link: Link) {
        let links = &mut self.draft.entry.links;
        if links.len() < LIST_MAX && !links.contains(&link) {
            links.push(link);
        }
    }

    fn enclosure(&mut self, child: &Element<'_>) {
        let href = child
            .attribute(self.entities, "url")
            .or_else(|| child.attribute(self.entities, "href"));
        let href = href.unwrap_or_else(|| child.text(self.entities));
        if let Some(href) = address::absolute(&self.around.base, &href) {
            let media_type = child.attribute(self.entities, "type").map(|t| t.trim().to_owned());
            let media_type = media_type.filter(|t| !t.is_empty());
            self.push_link(Link { rel: "enclosure".to_owned(), href, media_type });
        }
    }

    fn comments(&mut self, child: &Element<'_>) {
        if let Some(href) = address::absolute(&self.around.base, &child.text(self.entities)) {
            let media_type = Some("text/html".to_owned());
            self.push_link(Link { rel: "replies".to_owned(), href, media_type });
        }
    }

    /// The feed that an entry was taken from names the author where the entry does not.
    fn source(&mut self, child: &Element<'_>) {
        if self.draft.entry.authors.is_empty() {
            for author in child.all(Core, "author") {
                self.person(author);
            }
        }
    }

    fn date(&mut self, rank: u8, published: bool, child: &Element<'_>) {
        let text = child.text(self.entities);
        if text.is_empty() {
            return;
        }
        match date::parse(&text) {
            Some(at) => {
                let slot = if published { &mut self.published } else { &mut self.updated };
                slot.offer_again(rank, at);
            }
            None => {
                let shown: String = text.chars().take(60).collect();
                self.draft.notes.push(format!("the date `{shown}` can't be read, passed over"));
            }
        }
    }

    fn person(&mut self, child: &Element<'_>) {
        person::read(child, &self.around.base, self.entities, &mut self.draft.entry.authors);
    }

    fn categories(&mut self, child: &Element<'_>) {
        let attribute =
            |name| child.attribute(self.entities, name).filter(|text| !text.trim().is_empty());
        let text = attribute("term").or_else(|| attribute("label")).or_else(|| attribute("text"));
        let text = text.unwrap_or_else(|| child.text(self.entities));
        let is_list = matches!(&*child.name, "keywords" | "tags");
        let mut push = |text: &str| push_category(&mut self.draft.entry.categories, text);
        if is_list {
            text.split(',').for_each(push)
        } else {
            push(&text)
        }
        for inner in child.all(Itunes, "category") {
            self.categories(inner);
        }
    }

    fn finish(self) -> Draft {
        let Self { mut draft, around, permalink, .. } = self;
        if let Some(href) = permalink
            && !draft.entry.links.iter().any(|link| link.rel == "alternate")
        {
            let media_type = None;
            draft.entry.links.push(Link { rel: "alternate".to_owned(), href, media_type });
        }
        draft.stated_id = self.id.take();
        draft.has_versions = around.is_atom && draft.stated_id.is_some();
        let entry = &mut draft.entry;
        link::choose(entry);
        entry.title = self.title.take();
        let has_summary = self.summary.0.as_ref().is_some_and(|(rank, _)| *rank == 0);
        (entry.summary, entry.content) = (self.summary.take(), self.content.take());
        let place = if has_summary { &mut entry.content } else { &mut entry.summary };
        if let Some(description) = self.description.take()
            && (!has_summary || place.is_none())
        {
            *place = Some(description);
        }
        entry.published = self.published.take();
        entry.updated = self.updated.take();
        let spoken = self.spoken.take().unwrap_or_else(|| around.language.clone());
        entry.language = self.language.take().or(spoken);
        draft
    }
}

/// Adds a category unless it is empty or there already.
pub(super) fn push_category(categories: &mut Vec<String>, text: &str) {
    let text = markup::fold_text(text);
    if !text.is_empty() && categories.len() < LIST_MAX && !categories.contains(&text) {
        categories.push(text);
    }
}
