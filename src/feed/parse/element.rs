//! Element: one element of a feed document with its children, as slices of the document.
//!
//! Nothing is decoded or copied until somebody asks for it. **Invariant:** an element borrows from
//! the document; the tree of one entry is dropped before the next one is read.

use std::borrow::Cow;

use super::entities::Entities;
use super::lexer::{Lexer, Token, attributes};
use super::namespace::Namespace;

/// An element.
#[derive(Clone, Debug)]
pub(super) struct Element<'a> {
    pub(super) namespace: Namespace,
    /// The local name in lower case.
    pub(super) name: Cow<'a, str>,
    /// The attributes as written.
    pub(super) attributes: &'a str,
    /// Everything between the tags, as written.
    pub(super) inner: &'a str,
    /// The children, unless this is one of the elements that hold text or markup.
    pub(super) children: Vec<Element<'a>>,
    /// Whether there are tags between the tags.
    pub(super) has_markup: bool,
}

impl<'a> Element<'a> {
    /// The value of the attribute `name`, decoded; a prefix and upper case don't matter.
    pub(super) fn attribute(&self, entities: &Entities, name: &str) -> Option<Cow<'a, str>> {
        if self.attributes.is_empty() {
            return None;
        }
        let local = |written: &str| {
            written.rsplit(':').next().is_some_and(|l| l.eq_ignore_ascii_case(name))
        };
        let exact = |written: &str| written.eq_ignore_ascii_case(name);
        let find = |test: &dyn Fn(&str) -> bool| attributes(self.attributes).find(|(n, _)| test(n));
        let (_, value) = find(&exact).or_else(|| {
            if self.attributes.contains(':') && !name.contains(':') { find(&local) } else { None }
        })?;
        Some(entities.decode(value))
    }

    /// The text, decoded and trimmed; tags inside are passed over.
    pub(super) fn text(&self, entities: &Entities) -> Cow<'a, str> {
        if let Some(text) = sole_cdata(self.inner) {
            return Cow::Borrowed(text.trim());
        }
        let text = if self.inner.contains('<') {
            let mut text = String::with_capacity(self.inner.len());
            self.each_text(|part, literal| {
                if literal {
                    text.push_str(part);
                } else {
                    text.push_str(&entities.decode(part));
                }
            });
            Cow::Owned(text)
        } else {
            entities.decode(self.inner)
        };
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        }
    }

    fn each_text(&self, mut found: impl FnMut(&'a str, bool)) {
        let mut lexer = Lexer::new(self.inner);
        while let Some(Ok(token)) = lexer.next() {
            match token {
                Token::Text(text) => found(text, false),
                Token::Cdata(text) => found(text, true),
                _ => {}
            }
        }
    }

    /// What is between the tags as HTML: markup as it stands (without prefixes), and the text of
    /// CDATA sections as text where `literal`, as markup elsewhere.
    pub(super) fn markup(&self, entities: &Entities, literal: bool) -> String {
        let mut html = String::with_capacity(self.inner.len());
        let mut lexer = Lexer::new(self.inner);
        while let Some(Ok(token)) = lexer.next() {
            match token {
                Token::Text(text) => html.push_str(&entities.decode_declared(text)),
                Token::Cdata(text) if literal => escape(text, &mut html),
                Token::Cdata(text) => html.push_str(text),
                Token::Start { name, attributes, empty } => {
                    html.push('<');
                    html.push_str(local(name));
                    html.push_str(attributes.trim_end());
                    html.push_str(if empty { " />" } else { ">" });
                }
                Token::End { name } => {
                    html.push_str("</");
                    html.push_str(local(name));
                    html.push('>');
                }
                Token::Doctype(_) => {}
            }
        }
        html
    }

    /// Whether the tags between the tags are all called `name`.
    pub(super) fn holds_only(&self, name: &str) -> bool {
        let mut lexer = Lexer::new(self.inner);
        while let Some(Ok(token)) = lexer.next() {
            if let Token::Start { name: found, .. } | Token::End { name: found } = token
                && local(found) != name
            {
                return false;
            }
        }
        true
    }

    /// The children called `name` in `namespace`.
    pub(super) fn all<'e>(
        &'e self,
        namespace: Namespace,
        name: &'e str,
    ) -> impl Iterator<Item = &'e Element<'a>> {
        self.children.iter().filter(move |child| child.is(namespace, name))
    }

    /// Whether this is `name` in `namespace`.
    pub(super) fn is(&self, namespace: Namespace, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// The text of the first child called `name` in `namespace`, if it has any.
    pub(super) fn child_text(
        &self,
        entities: &Entities,
        namespace: Namespace,
        name: &str,
    ) -> Option<Cow<'a, str>> {
        self.all(namespace, name).map(|child| child.text(entities)).find(|text| !text.is_empty())
    }
}

/// The inside of a CDATA section that is all there is.
fn sole_cdata(inner: &str) -> Option<&str> {
    let inside = inner.trim().strip_prefix("<![CDATA[")?.strip_suffix("]]>")?;
    (!inside.contains("]]>")).then_some(inside)
}

/// A name without its prefix.
pub(super) fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '&' => html.push_str("&amp;"),
            _ => html.push(character),
        }
    }
}
