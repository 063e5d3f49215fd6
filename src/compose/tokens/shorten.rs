//! Shorten: a text as it is shown where links are facets: every URL short, with its whole address
//! in the facet.
//!
//! How to use it, for a platform whose links are facets:
//!
//! 1. `shorten(body, mentions)` makes a `Piece` of the rendered body: shown text and facets. Only
//!    that is counted, cut and sent: `count::fits(&piece.text, …)`.
//! 2. The appended URL is a piece of its own: `Piece::plain(spacer)` joined with `Piece::link(url)`.
//! 3. `truncate::cut(&body, &tail, limits)` cuts between tokens, keeps the facets of what stays and
//!    moves those of the tail; `body.join(&tail)` is the same where nothing needs to be cut.
//!
//! Never detect facets in a shown text: `a.io/2025/0...` looks like an address, but leads nowhere.
//! **Invariant:** facets are in order, do not overlap, and start and end on a character.

use unicode_segmentation::UnicodeSegmentation;

use super::facets;
use super::{Found, Kind};
use crate::draft::{Facet, Feature};

/// The longest path, query and fragment that are shown whole (the official client's figure).
const TAIL_MAX: usize = 15;
/// What is shown of a longer one, before the dots.
const TAIL_SHOWN: usize = 13;

/// A text with its facets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// What is shown.
    pub text: String,
    /// Its links, hashtags and mentions; ranges of `text`.
    pub facets: Vec<Facet>,
}

impl Piece {
    /// A text that is only text.
    pub fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), facets: Vec::new() }
    }

    /// A link to `url`, which is shown short.
    pub fn link(url: &str) -> Self {
        Self::labelled(&shown(url), url)
    }

    /// A link to `url`, which is shown as `label`.
    pub fn labelled(label: &str, url: &str) -> Self {
        let mut piece = Self::default();
        piece.push(label, Feature::Link(url.to_owned()));
        piece
    }

    /// This and `other` behind it.
    pub fn join(mut self, other: &Self) -> Self {
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.facets.extend(other.facets.iter().map(|facet| Facet {
            byte_start: facet.byte_start + start,
            byte_end: facet.byte_end + start,
            feature: facet.feature.clone(),
        }));
        self
    }

    fn push(&mut self, text: &str, feature: Feature) {
        let byte_start = self.text.len();
        self.text.push_str(text);
        self.facets.push(Facet { byte_start, byte_end: self.text.len(), feature });
    }
}

/// `text` with every `http(s)` URL shown short, and its facets: links, hashtags, cashtags, and
/// mentions of the handles in `mentions` (without `@`), nobody else.
///
/// The official detector takes the brackets of `(see this (https://a.io/x))` into the link, and sees
/// none after a quotation mark. It is the facet that counts, so ours are where the URLs are.
pub fn shorten(text: &str, mentions: &[&str]) -> Piece {
    let mut found = links(text);
    let others = facets::read(text).into_iter();
    found.extend(others.filter(|it| !matches!(it.kind, Kind::Link | Kind::Mention)));
    found.extend(facets::mentions(text).filter_map(|(range, name)| {
        let known = mentions.iter().any(|handle| handle.eq_ignore_ascii_case(name));
        known.then(|| Found { range, kind: Kind::Mention, value: name.to_owned() })
    }));
    found.sort_by_key(|found| found.range.start);
    let mut piece = Piece::default();
    let mut from = 0;
    for Found { range, kind, value } in found {
        if range.start < from {
            continue;
        }
        piece.text.push_str(&text[from..range.start]);
        let typed = &text[range.clone()];
        match kind {
            // a bare domain is shown as it was typed
            Kind::Link if value.len() > typed.len() => piece.push(typed, Feature::Link(value)),
            Kind::Link => piece.push(&shown(typed), Feature::Link(value)),
            Kind::Tag => piece.push(typed, Feature::Tag(value)),
            Kind::Mention => piece.push(typed, Feature::Mention(value)),
        }
        from = range.end;
    }
    piece.text.push_str(&text[from..]);
    piece
}

/// The links of `text`: what has a scheme, wherever it stands, and the detector's bare domains.
fn links(text: &str) -> Vec<Found> {
    let whole = super::addresses(text).into_iter().map(|range| (range.start, &text[range], ""));
    let bare = facets::links(text).into_iter().filter(|(range, uri)| range.len() < uri.len());
    whole
        .chain(bare.map(|(range, _)| (range.start, &text[range], "https://")))
        .filter_map(|(start, typed, scheme)| {
            let typed = &typed[..super::url_end(typed)];
            let value = format!("{scheme}{typed}");
            let found = Found { range: start..start + typed.len(), kind: Kind::Link, value };
            super::is_web_address(&found.value).then_some(found)
        })
        .collect()
}

/// `url` as the official client shows it: host, and up to fifteen characters of what follows.
pub fn shown(url: &str) -> String {
    let rest = ["https://", "http://"].into_iter().find_map(|scheme| {
        let head = url.get(..scheme.len()).filter(|head| head.eq_ignore_ascii_case(scheme))?;
        Some(&url[head.len()..]).filter(|rest| !rest.is_empty())
    });
    let Some(rest) = rest else { return url.to_owned() };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_lowercase();
    if host.is_empty() {
        return url.to_owned();
    }
    let tail = if tail == "/" { "" } else { tail };
    match tail.grapheme_indices(true).nth(TAIL_SHOWN) {
        Some((end, _)) if tail.graphemes(true).count() > TAIL_MAX => {
            format!("{host}{}...", &tail[..end])
        }
        _ => format!("{host}{tail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_as_the_official_client_does() {
        let check = |url: &str, expect: &str| assert_eq!(shown(url), expect, "{url}");
        check("https://usher.dev/posts/2025-03-08-kill-your-feeds/", "usher.dev/posts/2025-0...");
        check("https://a.io", "a.io");
        check("https://a.io/", "a.io");
        check("http://A.io:8080/?q", "a.io:8080/?q");
        check("https://www.a.io/12345678901234", "www.a.io/12345678901234");
        check("https://a.io/123456789012345", "a.io/123456789012...");
        check("https://a.io#123456789012345", "a.io#123456789012...");
        check("https://me:secret@a.io/x", "a.io/x");
        check(
            "https://例え.jp/長い長い長い長い長い長い長い長い",
            "例え.jp/長い長い長い長い長い長い...",
        );
        check("ftp://a.io/x", "ftp://a.io/x");
        check("https://", "https://");
        check("https://a.io@", "https://a.io@");
    }

    #[test]
    fn facets_lead_to_the_whole_address() {
        let check = |text: &str, mentions: &[&str], expect: &str, facets: &[&str]| {
            let piece = shorten(text, mentions);
            let told: Vec<String> = piece
                .facets
                .iter()
                .map(|facet| {
                    let (Feature::Link(value) | Feature::Tag(value) | Feature::Mention(value)) =
                        &facet.feature;
                    format!("{}={value}", &piece.text[facet.byte_start..facet.byte_end])
                })
                .collect();
            assert_eq!(piece.text, expect, "{text}");
            assert_eq!(told, facets, "{text}");
        };
        check(
            "é see https://a.io/2025/11/23/a-long-title/, and #café!",
            &[],
            "é see a.io/2025/11/23/a..., and #café!",
            &["a.io/2025/11/23/a...=https://a.io/2025/11/23/a-long-title/", "#café=café"],
        );
        check(
            "example.com/a-very-long-path-indeed $aapl",
            &[],
            "example.com/a-very-long-path-indeed $aapl",
            &[
                "example.com/a-very-long-path-indeed=https://example.com/a-very-long-path-indeed",
                "$aapl=$AAPL",
            ],
        );
        check(
            "by @ada.example and @eve.bsky.social (@Ada.example)",
            &["ada.example"],
            "by @ada.example and @eve.bsky.social (@Ada.example)",
            &["@ada.example=ada.example", "@Ada.example=Ada.example"],
        );
        // where the URL ends, and not where the detector would end it
        let link = &["a.io/x=https://a.io/x"];
        for around in
            ["(see this (*))", "“a (*)”", "(*)—b", "\"*\"", "“*”", "(*).)", "<*>", "*!!", "(*)。b"]
        {
            let text = around.replace('*', "https://a.io/x");
            check(&text, &[], &around.replace('*', "a.io/x"), link);
        }
        check(
            "(https://a.io/b_(c)) ok.com/?u=https://a.io)",
            &[],
            "(a.io/b_(c)) ok.com/?u=https://a.io)",
            &[
                "a.io/b_(c)=https://a.io/b_(c)",
                "ok.com/?u=https://a.io=https://ok.com/?u=https://a.io",
            ],
        );
        check("https://) xhttps://a.io", &[], "https://) xhttps://a.io", &[]);
        check("no facets", &["ada.example"], "no facets", &[]);
    }

    #[test]
    fn pieces_are_joined_with_their_facets() {
        let url = "https://a.io/123456789012345";
        let piece = shorten("é #x", &[]).join(&Piece::plain(" ")).join(&Piece::link(url));
        assert_eq!(piece.text, "é #x a.io/123456789012...");
        assert_eq!(piece.facets.len(), 2);
        let link = &piece.facets[1];
        assert_eq!(&piece.text[link.byte_start..link.byte_end], "a.io/123456789012...");
        assert_eq!(link.feature, Feature::Link(url.into()));
    }
}
