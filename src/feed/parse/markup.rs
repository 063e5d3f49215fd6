//! Markup: what an element holds, as text or as HTML.
//!
//! Atom says which it is; the others leave it to a guess, and many that say it say it wrongly.
//! **Invariant:** relative addresses in HTML are made absolute here, because nobody later knows
//! what they are relative to.

use std::borrow::Cow;

use base64::Engine;
use url::Url;

use super::element::Element;
use super::entities::{self, Entities};
use super::entry::Surroundings;
use super::lexer::{Lexer, Token, attributes};
use crate::entry::Markup;
use crate::text;

/// No address in the wild is longer.
const ADDRESS_BYTES_MAX: usize = 8192;
/// How much of a text is looked at to see what it is.
const LOOK_BYTES_MAX: usize = 2048;
/// Attributes of HTML that hold one address.
const ADDRESSES: &[&str] =
    &["href", "src", "poster", "cite", "longdesc", "action", "background", "data"];

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
        Markup::Html(html) => Markup::Html(absolute(html, &inside.base)),
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
        Markup::Html(html) => text::html_to_line(&html),
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
    let text = element.text(entities).into_owned();
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
pub(super) fn looks_like_html(text: &str, strict: bool) -> bool {
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

/// HTML with its relative addresses made absolute.
pub(super) fn absolute(html: String, base: &Url) -> String {
    if base.cannot_be_a_base() || !has_relative(&html) {
        return html;
    }
    let mut result = String::new();
    let mut copied = 0;
    let mut lexer = Lexer::new(&html);
    while let Some(Ok(token)) = lexer.next() {
        let Token::Start { attributes: written, .. } = token else { continue };
        for (attribute, value) in attributes(written) {
            if !ADDRESSES.iter().any(|known| known.eq_ignore_ascii_case(attribute))
                || !is_relative(value)
            {
                continue;
            }
            let decoded = Entities::default().decode(value).into_owned();
            let Ok(url) = base.join(decoded.trim()) else { continue };
            // where the value stands in the document
            let at = value.as_ptr() as usize - html.as_ptr() as usize;
            result.push_str(&html[copied..at]);
            result.push_str(&url.as_str().replace('&', "&amp;").replace('"', "%22"));
            copied = at + value.len();
        }
    }
    if copied == 0 {
        return html;
    }
    result.push_str(&html[copied..]);
    result
}

/// Whether there may be a relative address: a quick look at every `=`, before a thorough one.
fn has_relative(html: &str) -> bool {
    let mut rest = html;
    while let Some((before, value)) = rest.split_once('=') {
        rest = value;
        let name = before.trim_end().as_bytes();
        let is_address = ADDRESSES.iter().any(|known| {
            name.len() >= known.len()
                && name[name.len() - known.len()..].eq_ignore_ascii_case(known.as_bytes())
        });
        let value = value.trim_start().trim_start_matches(['"', '\'']).trim_start();
        if is_address && !["http://", "https://", "#"].iter().any(|start| value.starts_with(start))
        {
            return true;
        }
    }
    false
}

/// Whether an address in HTML depends on where it stands; an anchor on its own page is left alone.
fn is_relative(address: &str) -> bool {
    let address = address.trim();
    let scheme = address.split(['/', '?', '#', '&']).next().unwrap_or_default();
    !address.is_empty() && !address.starts_with('#') && !scheme.contains(':')
}

/// An absolute address: as it is written where it is absolute and clean, else joined with `base`.
pub(super) fn address(base: &Url, written: &str) -> Option<String> {
    let written = written.trim();
    if written.is_empty() || written.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    if is_plain_page(written) {
        return Some(written.to_owned());
    }
    let clean =
        !written.contains(|c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '"');
    match Url::parse(written) {
        Ok(url) if clean && (url.has_host() || url.cannot_be_a_base()) => Some(written.to_owned()),
        Ok(url) => Some(url.into()),
        Err(url::ParseError::RelativeUrlWithoutBase) => base.join(written).ok().map(Into::into),
        Err(_) => None,
    }
}

/// Whether an address is so plain that it needs no parser: most are, and there are many.
fn is_plain_page(written: &str) -> bool {
    let rest = written.strip_prefix("https://").or_else(|| written.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    host.split('.').all(|label| !label.is_empty() && label.bytes().all(plain))
        && host.ends_with(|last: char| last.is_ascii_alphabetic())
        && path.bytes().all(|byte| plain(byte) || b"/.~%?=&+#:;,@!".contains(&byte))
}

/// A language tag as BCP 47 writes it; none when it is no tag.
pub(super) fn language(written: &str) -> Option<String> {
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
