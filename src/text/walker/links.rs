//! Links: where they begin and end, and when their addresses are written.

use html5ever::tokenizer::Tag;

use super::super::footer::Address;
use super::super::link::{self, Nature, Shown};
use super::{DEPTH_MAX, Form, Walker};
use crate::text::reader::attribute;

/// A link that is open.
pub(super) struct Link {
    /// Where its text starts, once it has some.
    pub start: Option<usize>,
    pub href: String,
    pub nature: Nature,
}

/// An address that is not written yet.
pub(super) struct Owed {
    pub start: usize,
    pub href: String,
    /// What stands in the brackets.
    pub address: String,
}

impl Walker {
    pub(super) fn open_link(&mut self, tag: &Tag) {
        if self.links.len() >= DEPTH_MAX {
            return;
        }
        let href = attribute(tag, "href").filter(|_| self.form != Form::Line);
        let link = href.map(|href| {
            let says = |name, words: &[&str]| {
                attribute(tag, name)
                    .is_some_and(|said| said.split_whitespace().any(|word| words.contains(&word)))
            };
            let is_name = says("class", &["mention", "hashtag"]) || says("rel", &["tag"]);
            let nature = Nature { is_name, is_raised: !self.small.is_empty() };
            let href = link::address(href);
            // a link that goes on where one to the same address was closed is the same link
            let owed = self.owed.take_if(|owed| {
                owed.href == href && self.line_ends == 0 && self.mark.is_none() && !self.bar
            });
            Link { start: owed.map(|owed| owed.start), href, nature }
        });
        self.links.push(link);
    }

    pub(super) fn close_link(&mut self) {
        let Some(Some(link)) = self.links.pop() else { return };
        let Some(start) = link.start else { return };
        let text = self.out.get(start..).unwrap_or_default();
        let label = text.trim();
        if label.is_empty() {
            return;
        }
        let start = start + text.len() - text.trim_start().len();
        let is_name = link.nature.is_name && label.starts_with(['#', '@']);
        match link::shown(label, &link.href, Nature { is_name, ..link.nature }) {
            Shown::Text => {}
            Shown::Address => {
                if self.form == Form::Text {
                    self.out.truncate(start);
                    self.out.push_str(&link.href);
                }
                let end = self.out.len();
                self.addresses.push(Address { start, end, href: link.href });
            }
            Shown::Both(address) => {
                self.pay_address("");
                self.owed = Some(Owed { start, href: link.href, address });
            }
            Shown::Mark(mark) => {
                self.out.truncate(start);
                if self.form == Form::Text {
                    self.out.push_str(&mark);
                }
            }
            Shown::Nothing => self.out.truncate(start),
        }
    }

    /// Writes the address that is owed, and before it what of `text` goes on with the last word of
    /// the link (`Ada’s (url)`); returns what is left of `text`.
    pub(super) fn pay_address<'t>(&mut self, text: &'t str) -> &'t str {
        let Some(Owed { start, href, address }) = self.owed.take() else { return text };
        let is_apart =
            self.line_ends > 0 || self.space.is_some() || self.bar || self.mark.is_some();
        let (word, rest) = text.split_at(if is_apart { 0 } else { link::rest_of_word(text) });
        self.out.push_str(word);
        if self.form == Form::Text {
            self.out.push_str(" (");
            self.out.push_str(&address);
            self.out.push(')');
        }
        self.addresses.push(Address { start, end: self.out.len(), href });
        rest
    }
}
