//! Value: one value to what a property wants, or what was wanted instead.
//!
//! The address, date and language readers are those of the feed, so that a date means the same in
//! both. **Refuses:** to turn one type into another: `"no"` is not false.

use std::borrow::Cow;

use url::Url;

use super::json::{Data, Node};
use crate::clock::Timestamp;
use crate::config::one_of;
use crate::entry::Markup;
use crate::feed::parse::{address, date, declaration, link, markup};
use crate::text::fold;

/// The value, or what is wanted.
pub(super) type Wanted<T> = Result<T, Cow<'static, str>>;

/// How many characters of a value a problem shows.
const SHOWN_MAX: usize = 40;

/// The value in words, for a problem.
pub(super) fn shown(node: &Node<'_>) -> String {
    let text = match &node.data {
        Data::Null => "null".to_owned(),
        Data::Flag(flag) => flag.to_string(),
        Data::Number(number) => number.to_string(),
        Data::Text(text) => format!("{text:?}"),
        Data::List(_) => return "a list".to_owned(),
        Data::Object(_) => return "an object".to_owned(),
    };
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// `true` or `false`.
pub(super) fn flag(node: &Node<'_>) -> Wanted<bool> {
    match node.data {
        Data::Flag(flag) => Ok(flag),
        _ => Err("true or false".into()),
    }
}

/// A text as it stands.
pub(super) fn text<'n>(node: &'n Node<'_>) -> Wanted<&'n str> {
    match &node.data {
        Data::Text(text) => Ok(text),
        _ => Err("a text".into()),
    }
}

/// A text in one line.
pub(super) fn line(node: &Node<'_>) -> Wanted<String> {
    text(node).map(fold)
}

/// An absolute address of the web; an empty text stays one.
pub(super) fn url(node: &Node<'_>, base: &Url) -> Wanted<String> {
    let written = text(node)?.trim();
    if written.is_empty() {
        return Ok(String::new());
    }
    address::absolute(base, written)
        .filter(|url| link::is_page(url) && Url::parse(url).is_ok())
        .ok_or_else(|| "an address of the web".into())
}

/// Text, or HTML with absolute addresses where it looks like it.
pub(super) fn markup(node: &Node<'_>, base: &Url) -> Wanted<Markup> {
    let written = text(node)?;
    if !markup::looks_like_html(written, false) {
        return Ok(Markup::Text(written.to_owned()));
    }
    let html = declaration::mended(written.to_owned());
    Ok(Markup::Html(address::absolute_in_html(html, base)))
}

/// A date, none where the text is empty.
pub(super) fn date(node: &Node<'_>) -> Wanted<Option<Timestamp>> {
    const WANTED: &str = "a date such as `2026-11-23T17:20:00Z`";
    match text(node).map_err(|_| WANTED)?.trim() {
        "" => Ok(None),
        written => date::parse(written).map(Some).ok_or(WANTED.into()),
    }
}

/// A language tag.
pub(super) fn language(node: &Node<'_>) -> Wanted<String> {
    let tag = text(node).ok().and_then(markup::language);
    tag.ok_or("a language tag such as `en` or `pt-BR`".into())
}

/// One of some words.
pub(super) fn word<T: Copy, const N: usize>(
    node: &Node<'_>,
    words: [T; N],
    name: fn(T) -> &'static str,
) -> Wanted<T> {
    let said = text(node).ok().and_then(|text| words.into_iter().find(|it| name(*it) == text));
    said.ok_or_else(|| one_of(&words.map(name)).into())
}
