//! Document: an XML feed of any version to entries.
//!
//! **Refuses:** pages, outlines, site maps and other XML.

use std::time::Duration;

use url::Url;

use super::element::{Element, local};
use super::entities::Entities;
use super::entry::{self, Draft, Surroundings};
use super::lexer::{Lexer, Token, attributes};
use super::namespace::Namespace;
use super::tree::{Sink, Sloppiness, Tree};
use super::{ENTRIES_MAX, ParseError, address, identity, link, markup, person};
use crate::entry::{ParsedFeed, Person, Problem};

/// How many elements of the feed itself are kept.
const FEED_ELEMENTS_MAX: usize = 1000;

/// Reads `text`, which begins with something else than JSON.
pub(super) fn read(text: &str, url: &Url) -> Result<ParsedFeed, ParseError> {
    let mut entities = Entities::default();
    let root = find_root(text, &mut entities)?;
    let collector = Collector {
        surroundings: Surroundings { base: url.clone(), language: None, is_atom: false },
        format: String::new(),
        home_url: None,
        elements: Vec::new(),
        drafts: Vec::new(),
        beyond: 0,
        entities_of_root: entities.clone(),
    };
    let tree = Tree::read(text, root.at, entities, collector);
    let (collector, entities, sloppiness) = tree.map_err(|_| ParseError::CutOff)?;
    let mut problems = said_of_tags(root.junk, sloppiness);
    if collector.beyond > 0 {
        let message =
            format!("{} entries beyond the first {ENTRIES_MAX} were left out", collector.beyond);
        problems.push(Problem { entry: None, message });
    }
    let mut feed = collector.finish(&entities, problems);
    // Netscape and UserLand made a 0.91 each
    if root.is_netscape && feed.format == "rss 0.91" {
        feed.format.push_str(" of netscape");
    }
    Ok(feed)
}

/// Where the root of a feed stands.
struct Root {
    at: usize,
    /// Whether there is something before it that doesn't belong there.
    junk: bool,
    /// Whether its document type is Netscape's.
    is_netscape: bool,
}

fn find_root(text: &str, entities: &mut Entities) -> Result<Root, ParseError> {
    let mut lexer = Lexer::new(text);
    let (mut first, mut junk, mut page, mut is_netscape) = (None, false, false, false);
    while let Some(token) = lexer.next() {
        match token.map_err(|_| ParseError::CutOff)? {
            Token::Doctype(doctype) => {
                let root = doctype.split_whitespace().nth(1).unwrap_or_default();
                page |= root.eq_ignore_ascii_case("html");
                is_netscape |= doctype.contains("Netscape Communications//DTD RSS");
                entities.declare(doctype);
            }
            Token::Start { name, .. } => {
                let name = local(name).to_ascii_lowercase();
                match &*name {
                    "rss" | "feed" | "rdf" | "channel" => {
                        let junk = junk || first.is_some();
                        return Ok(Root { at: lexer.start(), junk, is_netscape });
                    }
                    "html" | "head" | "body" if first.is_none() => return Err(ParseError::Html),
                    _ if first.is_none() => first = Some(name),
                    _ => {}
                }
            }
            Token::Text(text) => junk |= !text.trim().is_empty(),
            _ => {}
        }
    }
    Err(match first.as_deref() {
        _ if page => ParseError::Html,
        Some("opml") => ParseError::NotAFeed("an OPML outline".to_owned()),
        Some("urlset" | "sitemapindex") => ParseError::NotAFeed("a site map".to_owned()),
        Some(name) if text.starts_with('<') => {
            ParseError::NotAFeed(format!("a document whose root is `{name}`"))
        }
        None if text.starts_with('<') => ParseError::CutOff,
        _ => ParseError::NotAFeed("plain text".to_owned()),
    })
}

fn said_of_tags(junk: bool, sloppiness: Sloppiness) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |message: String| problems.push(Problem { entry: None, message });
    if junk {
        say("there is text before the feed's first tag, passed over".to_owned());
    }
    match sloppiness.mismatched {
        0 => {}
        1 => say("a tag is not closed, or closed without being opened".to_owned()),
        n => say(format!("{n} tags are not closed, or closed without being opened")),
    }
    if sloppiness.trailing {
        say("there is something after the feed's last tag, passed over".to_owned());
    }
    problems
}

/// Collects the elements of a feed while its tags are read.
struct Collector<'a> {
    surroundings: Surroundings,
    format: String,
    home_url: Option<String>,
    elements: Vec<Element<'a>>,
    drafts: Vec<Draft>,
    beyond: usize,
    entities_of_root: Entities,
}

impl<'a> Sink<'a> for Collector<'a> {
    fn container(&mut self, element: &Element<'a>, is_root: bool) {
        let entities = &self.entities_of_root;
        if is_root {
            self.format = format(element, entities);
            self.surroundings.is_atom = self.format.starts_with("atom");
        }
        self.surroundings = self.surroundings.inside(element, entities).into_owned();
        // CDF says in an attribute what others say in an element
        if let Some(href) = element.attribute(entities, "href") {
            self.home_url = address::absolute(&self.surroundings.base, &href);
        }
    }

    fn element(&mut self, element: Element<'a>, entities: &Entities) {
        if element.namespace == Namespace::Core && matches!(&*element.name, "item" | "entry") {
            if self.drafts.len() < ENTRIES_MAX {
                self.drafts.push(entry::read(&element, &self.surroundings, entities));
            } else {
                self.beyond += 1;
            }
        } else if self.elements.len() < FEED_ELEMENTS_MAX {
            self.elements.push(element);
        }
    }
}

impl Collector<'_> {
    fn finish(self, entities: &Entities, mut problems: Vec<Problem>) -> ParsedFeed {
        let Self { surroundings, format, home_url, elements, mut drafts, .. } = self;
        let all = |namespace, name: &'static str| {
            elements.iter().filter(move |element| element.is(namespace, name))
        };
        let text = |namespace, name| {
            all(namespace, name).map(|element| element.text(entities)).find(|text| !text.is_empty())
        };
        let language = text(Namespace::Core, "language")
            .or_else(|| text(Namespace::Dc, "language"))
            .and_then(|language| markup::language(&language));
        let title = all(Namespace::Core, "title").chain(all(Namespace::Dc, "title"));
        let title = title.filter_map(|title| markup::line(title, &surroundings, entities)).next();
        let authors = authors(&elements, &surroundings.base, entities);
        for draft in &mut drafts {
            let entry = &mut draft.entry;
            // the feed's `language` element is nearer than `xml:lang` of its root
            let inherited = entry.language == surroundings.language;
            if inherited && language.is_some() {
                entry.language.clone_from(&language);
            }
            if entry.authors.is_empty() {
                entry.authors.clone_from(&authors);
            }
        }
        let ttl = text(Namespace::Core, "ttl").and_then(|minutes| minutes.parse::<u32>().ok());
        let entries = identity::settle(drafts, &mut problems);
        ParsedFeed {
            format,
            title,
            home_url: page(&elements, &surroundings, entities).or(home_url),
            ttl: ttl.map(|minutes| Duration::from_secs(u64::from(minutes) * 60)),
            entries,
            problems,
        }
    }
}

/// Who wrote what has no author of its own.
fn authors(elements: &[Element<'_>], base: &Url, entities: &Entities) -> Vec<Person> {
    const PLACES: &[(Namespace, &[&str])] = &[
        (Namespace::Core, &["author", "managingeditor"]),
        (Namespace::Dc, &["creator", "author"]),
        (Namespace::Itunes, &["author"]),
    ];
    let mut people = Vec::new();
    for (namespace, names) in PLACES {
        let here =
            elements.iter().filter(|e| e.namespace == *namespace && names.contains(&&*e.name));
        here.for_each(|element| person::read(element, base, entities, &mut people));
        if !people.is_empty() {
            break;
        }
    }
    people
}

fn page(elements: &[Element<'_>], inside: &Surroundings, entities: &Entities) -> Option<String> {
    let links = elements.iter().filter(|element| element.is(Namespace::Core, "link"));
    let links: Vec<_> = links.filter_map(|link| link::read(link, inside, entities)).collect();
    let links: Vec<_> = links.into_iter().filter(|link| link.rel == "alternate").collect();
    link::page(&links).map(|link| link.href.clone())
}

/// The format in words.
fn format(root: &Element<'_>, entities: &Entities) -> String {
    let version = root.attribute(entities, "version").unwrap_or_default();
    let version = version.trim();
    let declares = |address: &str| {
        let namespaces = attributes(root.attributes).filter(|(name, _)| name.starts_with("xmlns"));
        namespaces.map(|(_, value)| value).any(|value| value.to_ascii_lowercase().contains(address))
    };
    match &*root.name {
        "rdf" if declares("netscape.com/rdf/simple/0.9") => "rss 0.90".to_owned(),
        "rdf" => "rss 1.0".to_owned(),
        "feed" if declares("www.w3.org/2005/atom") => "atom 1.0".to_owned(),
        "feed" if version.is_empty() => "atom".to_owned(),
        "feed" => format!("atom {version}"),
        "channel" if declares("purl.org/net/rss1.1") => "rss 1.1".to_owned(),
        "channel" if root.attributes.is_empty() => "rss".to_owned(),
        "channel" => "cdf".to_owned(),
        _ if version.starts_with("2.") => "rss 2.0".to_owned(),
        _ if version.is_empty() => "rss".to_owned(),
        _ => format!("rss {version}"),
    }
}
