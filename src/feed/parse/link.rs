//! Link: the links of an entry, and which of them is its page.

use super::address;
use super::element::Element;
use super::entities::Entities;
use super::entry::Surroundings;
use crate::entry::{Entry, Link};

/// A `link` element of RSS (its text) or of Atom (its attributes).
pub(super) fn read(
    child: &Element<'_>,
    around: &Surroundings,
    entities: &Entities,
) -> Option<Link> {
    let attribute = |name| child.attribute(entities, name).filter(|text| !text.trim().is_empty());
    let inside = around.inside(child, entities);
    let href =
        attribute("href").or_else(|| attribute("resource")).unwrap_or_else(|| child.text(entities));
    let href = address::absolute(&inside.base, &href)?;
    let rel = attribute("rel").map_or_else(|| "alternate".to_owned(), |rel| relation(&rel));
    let media_type = attribute("type").map(|text| text.trim().to_ascii_lowercase());
    Some(Link { rel, href, media_type })
}

/// A relation in lower case, without the address that IANA's may be written with.
fn relation(rel: &str) -> String {
    let rel = rel.trim().to_ascii_lowercase();
    rel.strip_prefix("http://www.iana.org/assignments/relation/").map(str::to_owned).unwrap_or(rel)
}

/// Fills in what the links of an entry say: its canonical URL is `shorturl`, else its page.
pub(super) fn choose(entry: &mut Entry) {
    let links = &entry.links;
    let of = |rels: &[&str]| {
        let mut pages = links.iter().filter(|link| is_page(&link.href));
        pages.find(|link| rels.contains(&&*link.rel)).map(|link| link.href.clone())
    };
    let page = page(links);
    let is_alternate = page.is_some_and(|link| link.rel == "alternate");
    entry.alternate_url = page.filter(|_| is_alternate).map(|link| link.href.clone());
    entry.related_url = of(&["related"]);
    entry.short_url = of(&["shorturl", "shortlink"]);
    entry.url = entry.short_url.clone().or_else(|| page.map(|link| link.href.clone()));
}

/// The entry's page: `alternate` (HTML before other types), else the first link.
pub(super) fn page(links: &[Link]) -> Option<&Link> {
    let rank = |link: &Link| match (&*link.rel, link.media_type.as_deref()) {
        ("alternate", Some("text/html")) => 0,
        ("alternate", None | Some("application/xhtml+xml")) => 1,
        ("alternate", Some(_)) => 2,
        ("shorturl" | "shortlink", _) => 4,
        ("self" | "edit" | "enclosure" | "replies" | "content" | "license", _) => 5,
        _ => 3,
    };
    links.iter().filter(|link| is_page(&link.href)).min_by_key(|link| rank(link))
}

/// Whether an address is one of the web.
pub(in crate::feed) fn is_page(url: &str) -> bool {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    ["http", "https"].iter().any(|page| scheme.eq_ignore_ascii_case(page))
}
