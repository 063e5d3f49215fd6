//! Markup: what an element holds, as text or as HTML.
//!
//! Atom says which it is; the others leave it to a guess, and many that say it say it wrongly.
//! **Invariant:** the addresses in HTML leave here absolute, because nobody later knows what they
//! are relative to.

use std::borrow::Cow;

use base64::Engine;

use super::address;
use super::declaration;
use super::element::Element;
use super::entities::{self, Entities};
use super::entry::Surroundings;
use super::lexer::{Lexer, Token};
use crate::entry::Markup;
use crate::text;

/// How much of a text is looked at to see what it is.
const LOOK_BYTES_MAX: usize = 2048;

/// How an element says that its text is to be read.
enum Kind {
    Text,
    Html,
    Xhtml,
    Base64,
    /// It doesn't say.
    Unsaid,
}

/// What an element holds; none when it is empty.
pub(super) fn markup(
    element: &Element<'_>,
    inside: &Surroundings,
    entities: &Entities,
) -> Option<Markup> {
    let markup = raw(element, inside, entities);
    let markup = match markup {
        Markup::Html(html) => {
            Markup::Html(address::absolute_in_html(declaration::mended(html), &inside.base))
        }
        Markup::Text(text) => Markup::Text(text),
    };
    (!markup.body().trim().is_empty()).then_some(markup)
}

/// What an element holds as one line of plain text.
pub(super) fn line(
    element: &Element<'_>,
    inside: &Surroundings,
    entities: &Entities,
) -> Option<String> {
    let line = match raw(element, inside, entities) {
        Markup::Text(text) => text::fold(&text),
        Markup::Html(html) => text::html_to_line(&declaration::mended(html)),
    };
    (!line.is_empty()).then_some(line)
}

fn raw(element: &Element<'_>, inside: &Surroundings, entities: &Entities) -> Markup {
    let kind = kind(element, entities);
    match kind {
        Kind::Xhtml if element.has_markup => {
            return Markup::Html(unwrapped(element.markup(entities, true)));
        }
        Kind::Base64 => {
            let text = element.text(entities);
            return base64_text(&text).map_or(Markup::Text(text.into_owned()), Markup::Html);
        }
        Kind::Text if element.has_markup => {}
        // escaped markup in a `div` that is none of it, as TypePad wrote
        Kind::Html if element.has_markup && element.holds_only("div") => {}
        _ if element.has_markup => {
            return Markup::Html(element.markup(entities, false).trim().to_owned());
        }
        _ => {}
    }
    let text = unmangled(element.text(entities).into_owned());
    let is_html = match kind {
        Kind::Html | Kind::Xhtml => true,
        Kind::Text | Kind::Base64 => false,
        // Atom's text is plain, unless it begins like a page does
        Kind::Unsaid if inside.is_atom && element.name != "description" => {
            element.name != "title" && text.starts_with('<') && looks_like_html(&text, false)
        }
        Kind::Unsaid if element.name == "title" => looks_like_html(&text, true),
        Kind::Unsaid => looks_like_html(&text, false) || !text.contains('<'),
    };
    if is_html { Markup::Html(text) } else { Markup::Text(text) }
}

/// Text that was UTF-8, was read as windows-1252 and written as UTF-8 again (`â€¦`), as it was meant.
///
/// Only where every character beyond ASCII is part of such a mistake, which is no chance.
fn unmangled(text: String) -> String {
    let could_be =
        |c: char| c.is_ascii() || matches!(c, '\u{80}'..='\u{ff}' | '\u{152}'..='\u{2122}');
    if text.is_ascii() || !text.chars().all(could_be) {
        return text;
    }
    let (bytes, _, has_others) = encoding_rs::WINDOWS_1252.encode(&text);
    match std::str::from_utf8(&bytes) {
        Ok(meant) if !has_others => meant.to_owned(),
        _ => text,
    }
}

fn kind(element: &Element<'_>, entities: &Entities) -> Kind {
    if element.attributes.is_empty() {
        return Kind::Unsaid;
    }
    let attribute = |name| {
        element
            .attribute(entities, name)
            .map_or(String::new(), |said| said.trim().to_ascii_lowercase())
    };
    let (said, mode) = (attribute("type"), attribute("mode"));
    match &*said {
        _ if mode == "base64" => Kind::Base64,
        "xhtml" | "application/xhtml+xml" => Kind::Xhtml,
        "html" | "text/html" => Kind::Html,
        "" if mode == "xml" && element.has_markup => Kind::Xhtml,
        "" => Kind::Unsaid,
        "text" | "plain" | "text/plain" => Kind::Text,
        other if other.starts_with("text/") || other.ends_with("xml") || !other.contains('/') => {
            Kind::Text
        }
        _ => Kind::Base64,
    }
}

fn base64_text(text: &str) -> Option<String> {
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok()?;
    String::from_utf8(bytes).ok().map(|text| text.trim().to_owned())
}

/// XHTML without the `div` that Atom wraps it in.
fn unwrapped(html: String) -> String {
    let trimmed = html.trim();
    let opens = trimmed.starts_with("<div>") || trimmed.starts_with("<div ");
    let inner = trimmed.strip_suffix("</div>").filter(|_| opens);
    let inner = inner.and_then(|inner| inner.split_once('>')).map(|(_, inner)| inner);
    // the last `</div>` must close the first `<div>`: inside, none may close more than was opened
    let is_wrapper = |inner: &str| {
        let mut depth = 0_i32;
        let mut lexer = Lexer::new(inner);
        while let Some(Ok(token)) = lexer.next() {
            match token {
                Token::Start { name: "div", empty: false, .. } => depth += 1,
                Token::End { name: "div" } => depth -= 1,
                _ => {}
            }
            if depth < 0 {
                return false;
            }
        }
        true
    };
    match inner {
        Some(inner) if is_wrapper(inner) => inner.trim().to_owned(),
        _ => trimmed.to_owned(),
    }
}

/// Whether a text is HTML, by its tags and entities, which must all be HTML's own.
///
/// When `strict`, a start tag is no evidence: titles speak of `<b>` without meaning it.
pub(in crate::feed) fn looks_like_html(text: &str, strict: bool) -> bool {
    // what a text is shows at its beginning
    let text = &text[..text.floor_char_boundary(LOOK_BYTES_MAX)];
    let mut evidence = false;
    for (at, _) in text.match_indices(['<', '&']) {
        let rest = &text[at + 1..];
        if text.as_bytes()[at] == b'<' {
            let end = rest.strip_prefix('/');
            let name = end.unwrap_or(rest);
            let name =
                &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            if !is_html_tag(name) {
                return false;
            }
            let is_void = ["br", "img", "hr"].iter().any(|void| void.eq_ignore_ascii_case(name));
            evidence |= end.is_some() || is_void || !strict;
        } else if let Some(stop) = rest.bytes().take(40).position(|byte| byte == b';') {
            let name = &rest[..stop];
            let number = name.strip_prefix('#');
            if number.is_some_and(|n| !n.is_empty()) || entities::is_html(name) {
                evidence = true;
            } else if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return false;
            }
        }
    }
    evidence
}

fn is_html_tag(name: &str) -> bool {
    let mut lower = [0; 10];
    let Some(lower) = lower.get_mut(..name.len()) else { return false };
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    matches!(
        &*lower,
        b"a" | b"abbr"
            | b"acronym"
            | b"address"
            | b"area"
            | b"article"
            | b"aside"
            | b"audio"
            | b"b"
            | b"base"
            | b"bdi"
            | b"bdo"
            | b"big"
            | b"blockquote"
            | b"body"
            | b"br"
            | b"button"
            | b"canvas"
            | b"caption"
            | b"center"
            | b"cite"
            | b"code"
            | b"col"
            | b"colgroup"
            | b"data"
            | b"datalist"
            | b"dd"
            | b"del"
            | b"details"
            | b"dfn"
            | b"dialog"
            | b"dir"
            | b"div"
            | b"dl"
            | b"dt"
            | b"em"
            | b"embed"
            | b"fieldset"
            | b"figcaption"
            | b"figure"
            | b"font"
            | b"footer"
            | b"form"
            | b"frame"
            | b"h1"
            | b"h2"
            | b"h3"
            | b"h4"
            | b"h5"
            | b"h6"
            | b"head"
            | b"header"
            | b"hgroup"
            | b"hr"
            | b"html"
            | b"i"
            | b"iframe"
            | b"img"
            | b"input"
            | b"ins"
            | b"kbd"
            | b"label"
            | b"legend"
            | b"li"
            | b"link"
            | b"main"
            | b"map"
            | b"mark"
            | b"menu"
            | b"meta"
            | b"meter"
            | b"nav"
            | b"nobr"
            | b"noscript"
            | b"object"
            | b"ol"
            | b"optgroup"
            | b"option"
            | b"output"
            | b"p"
            | b"param"
            | b"picture"
            | b"pre"
            | b"progress"
            | b"q"
            | b"rp"
            | b"rt"
            | b"ruby"
            | b"s"
            | b"samp"
            | b"script"
            | b"search"
            | b"section"
            | b"select"
            | b"small"
            | b"source"
            | b"span"
            | b"strike"
            | b"strong"
            | b"style"
            | b"sub"
            | b"summary"
            | b"sup"
            | b"svg"
            | b"table"
            | b"tbody"
            | b"td"
            | b"template"
            | b"textarea"
            | b"tfoot"
            | b"th"
            | b"thead"
            | b"time"
            | b"title"
            | b"tr"
            | b"track"
            | b"tt"
            | b"u"
            | b"ul"
            | b"var"
            | b"video"
            | b"wbr"
    )
}

/// A language tag as BCP 47 writes it; none when it is no tag.
pub(in crate::feed) fn language(written: &str) -> Option<String> {
    let tag = written.trim().replace('_', "-");
    let is_tag = (1..=35).contains(&tag.len())
        && tag
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    is_tag.then_some(tag)
}

/// Text on one line, its entities decoded where it was escaped twice.
pub(super) fn fold_text(written: &str) -> String {
    let text: Cow<'_, str> = if looks_like_html(written, true) {
        Cow::Owned(text::html_to_line(written))
    } else {
        Cow::Borrowed(written)
    };
    text::fold(&text)
}
