//! Link: the links of an entry, and which of them is its page.

use super::address;
use super::element::Element;
use super::entities::Entities;
use super::entry::Surroundings;
use crate::entry::Link;

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

/// The entry's page: `shorturl`, else `alternate` (HTML before other types), else the first link.
pub(super) fn canonical(links: &[Link]) -> Option<String> {
    let rank = |link: &Link| match (&*link.rel, link.media_type.as_deref()) {
        ("shorturl" | "shortlink", _) => 0,
        ("alternate", Some("text/html")) => 1,
        ("alternate", None | Some("application/xhtml+xml")) => 2,
        ("alternate", Some(_)) => 3,
        ("self" | "edit" | "enclosure" | "replies" | "content" | "license", _) => 5,
        _ => 4,
    };
    let pages = links.iter().filter(|link| is_page(&link.href));
    pages.min_by_key(|link| rank(link)).map(|link| link.href.clone())
}

/// Whether an address is one of the web.
pub(super) fn is_page(url: &str) -> bool {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    ["http", "https"].iter().any(|page| scheme.eq_ignore_ascii_case(page))
}
