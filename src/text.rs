//! Text: HTML to the plain text that its author would have typed.
//!
//! A vocabulary module, because `feed` needs it for titles and `compose` for everything else. It
//! runs on html5ever's *tokenizer* alone: a tree builder takes quadratic time on deep markup, and
//! nothing here needs a tree. **Invariant:** linear in the input; never more than one blank line in
//! a row; no line ends in white space. **Refuses:** media, scripts, styles, forms' contents.

use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::entry::Markup;

/// Elements that go with all they hold.
const DROPPED: &[&str] = &[
    "audio", "canvas", "figure", "head", "iframe", "math", "noscript", "object", "picture",
    "script", "select", "style", "svg", "template", "textarea", "title", "video",
];
/// Elements that stand in a paragraph of their own.
const BLOCKS: &[&str] = &[
    "address", "article", "aside", "center", "details", "div", "dl", "fieldset", "footer", "form",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "main", "nav", "p", "section",
    "summary", "table",
];
/// How many elements of one kind may be open in each other; what is deeper counts as this deep.
const DEPTH_MAX: usize = 16;
/// How many kinds of elements that are never closed are looked through.
const UNCLOSED_MAX: usize = 4;

/// Turns marked-up text into plain text: paragraphs, lists, quotes and line breaks are kept, a link
/// becomes `text (url)`.
pub fn plain(markup: &Markup) -> String {
    match markup {
        Markup::Text(text) => tidy(text),
        Markup::Html(html) => html_to_text(html),
    }
}

/// Turns HTML into plain text; see [`plain`].
pub fn html_to_text(html: &str) -> String {
    tidy(&walk(html, false, &[]))
}

/// Turns HTML into one line of plain text, without addresses and list marks: for titles.
pub fn html_to_line(html: &str) -> String {
    if html.contains(['<', '&']) { fold(&walk(html, true, &[])) } else { fold(html) }
}

/// Folds every run of white space into one space and trims both ends.
pub fn fold(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line
}

/// Trims the ends of the text and of its lines, and leaves at most one blank line in a row.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() {
            blank += 1;
            continue;
        }
        if !tidied.is_empty() {
            tidied.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        blank = 0;
        let line = if tidied.is_empty() { line.trim_start() } else { line };
        tidied.extend(line.chars().filter(|c| !c.is_control() || *c == '\t'));
    }
    tidied
}

fn walk(html: &str, one_line: bool, kept: &[String]) -> String {
    let walker = Walker { one_line, kept: kept.to_vec(), ..Walker::default() };
    let sink = Sink(RefCell::new(walker));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(html.into());
    let _ = tokenizer.feed(&input); // only a script could pause it, and the sink runs none
    tokenizer.end();
    let walker = tokenizer.sink.0.into_inner();
    match walker.dropping.first() {
        // an element that is never closed must not swallow the rest: once more, without it
        Some(open) if kept.len() < UNCLOSED_MAX && !is_raw(open) => {
            let open = open.clone();
            walk(html, one_line, &[kept, &[open]].concat())
        }
        _ => walker.out,
    }
}

/// Whether the inside of an element is no markup.
fn is_raw(name: &str) -> bool {
    matches!(name, "script" | "style" | "iframe" | "noscript" | "title" | "textarea")
}

struct Sink(RefCell<Walker>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut walker = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) if walker.dropping.is_empty() => walker.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return walker.open(&tag),
            Token::TagToken(tag) => walker.close(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// What is open, what is owed, and what has been written.
#[derive(Default)]
struct Walker {
    out: String,
    /// No addresses, no marks: everything on one line.
    one_line: bool,
    /// Line ends owed before the next text.
    line_ends: usize,
    /// Whether a space is owed before the next text.
    space: bool,
    /// The mark of a list item that has no text yet.
    mark: Option<String>,
    /// Names that are not dropped, because one of that name is never closed.
    kept: Vec<String>,
    /// Dropped elements that are open.
    dropping: Vec<String>,
    /// `pre` elements that are open.
    preformatted: usize,
    /// Block quotes that are open.
    quotes: usize,
    /// Lists that are open; a number is the next one of an ordered list.
    lists: Vec<Option<i64>>,
    /// Links that are open: where their text starts, and where they lead.
    links: Vec<Option<(usize, String)>>,
}

impl Walker {
    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if DROPPED.contains(&name) && !self.kept.iter().any(|kept| kept == name) {
            if tag.self_closing {
                return TokenSinkResult::Continue;
            }
            if self.dropping.len() < DEPTH_MAX {
                self.dropping.push(name.to_owned());
            }
            return match name {
                "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                "style" | "iframe" | "noscript" => TokenSinkResult::RawData(RawKind::Rawtext),
                "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
                _ => TokenSinkResult::Continue,
            };
        }
        if !self.dropping.is_empty() {
            return TokenSinkResult::Continue;
        }
        match name {
            "br" => self.line_break(),
            "hr" => {
                self.block(2);
                self.write("---");
                self.block(2);
            }
            "pre" => {
                self.block(2);
                self.preformatted += 1;
            }
            "td" | "th" => self.space = true,
            "tr" | "dt" | "dd" => self.block(1),
            "ul" | "ol" | "menu" => {
                self.block(if self.lists.is_empty() { 2 } else { 1 });
                let first = attribute(tag, "start").and_then(|start| start.parse().ok());
                if self.lists.len() < DEPTH_MAX {
                    self.lists.push((name == "ol").then(|| first.unwrap_or(1)));
                }
            }
            "li" => self.item(),
            "blockquote" => {
                self.block(2);
                self.quotes = (self.quotes + 1).min(DEPTH_MAX);
            }
            "q" => self.write("“"),
            "a" if self.links.len() < DEPTH_MAX => self.open_link(attribute(tag, "href")),
            _ if BLOCKS.contains(&name) => self.block(2),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn close(&mut self, name: &str) {
        if let Some(open) = self.dropping.iter().rposition(|dropped| dropped == name) {
            self.dropping.truncate(open);
            return;
        }
        if !self.dropping.is_empty() {
            return;
        }
        match name {
            "pre" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.block(2);
            }
            "ul" | "ol" | "menu" => {
                self.lists.pop();
                self.mark = None;
                self.block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "li" | "tr" | "dt" | "dd" => self.block(1),
            "blockquote" => {
                self.block(2);
                self.quotes = self.quotes.saturating_sub(1);
            }
            "q" => self.write("”"),
            "a" => self.close_link(),
            _ if BLOCKS.contains(&name) => self.block(2),
            _ => {}
        }
    }

    /// Owes `line_ends` line ends (2: a blank line) before what comes next; a list stays tight.
    fn block(&mut self, line_ends: usize) {
        self.space = false;
        if self.mark.is_none() && !self.out.is_empty() {
            let most = if self.lists.is_empty() { line_ends } else { 1 };
            self.line_ends = self.line_ends.max(most);
        }
    }

    fn line_break(&mut self) {
        self.space = false;
        if self.mark.is_none() && !self.out.is_empty() {
            self.line_ends = (self.line_ends + 1).min(2);
        }
    }

    fn item(&mut self) {
        self.mark = None;
        self.block(1);
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        self.mark = Some(match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{indent}{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            _ => format!("{indent}• "),
        });
    }

    fn open_link(&mut self, href: Option<&str>) {
        let link = href.filter(|_| !self.one_line).map(|href| {
            self.pay();
            (self.out.len(), href.trim().to_owned())
        });
        self.links.push(link);
    }

    fn close_link(&mut self) {
        let Some(Some((start, href))) = self.links.pop() else { return };
        let text = self.out.get(start..).unwrap_or_default();
        let label = text.trim();
        if label.is_empty() {
            return;
        }
        match link(label, &href) {
            Shown::Label => {}
            Shown::Address => {
                let start = start + text.len() - text.trim_start().len();
                self.out.truncate(start);
                self.out.push_str(&href);
            }
            Shown::Both(address) => {
                let space = std::mem::take(&mut self.space);
                self.out.push_str(&format!(" ({address})"));
                self.space = space;
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.preformatted > 0 && !self.one_line {
            for (nth, line) in text.split('\n').enumerate() {
                if nth > 0 {
                    self.line_ends += 1;
                }
                self.write(line);
            }
            return;
        }
        let blank = |c: char| c.is_ascii_whitespace();
        for (nth, word) in text.split(blank).enumerate() {
            self.space |= nth > 0;
            self.write(word);
        }
    }

    fn write(&mut self, text: &str) {
        if !text.is_empty() {
            self.pay();
            self.out.push_str(text);
        }
    }

    /// Writes the line ends, the mark or the space that are owed.
    fn pay(&mut self) {
        let space = std::mem::take(&mut self.space);
        let line_ends = std::mem::take(&mut self.line_ends);
        if self.one_line {
            self.mark = None;
            if space || line_ends > 0 {
                self.out.push(' ');
            }
            return;
        }
        if line_ends > 0 && !self.out.is_empty() {
            self.out.extend(std::iter::repeat_n('\n', line_ends));
        } else if space && !self.out.is_empty() {
            self.out.push(' ');
        }
        if self.out.is_empty() || line_ends > 0 {
            self.out.push_str(&"> ".repeat(self.quotes));
        }
        if let Some(mark) = self.mark.take() {
            self.out.push_str(&mark);
        }
    }
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|found| &*found.value)
}

/// What of a link is shown.
enum Shown {
    Label,
    Address,
    Both(String),
}

fn link(label: &str, href: &str) -> Shown {
    let scheme = href.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    match scheme.as_str() {
        "mailto" => {
            let address = href["mailto:".len()..].split('?').next().unwrap_or_default();
            let said =
                address.is_empty() || address.split(',').all(|one| label.contains(one.trim()));
            if said { Shown::Label } else { Shown::Both(address.replace(',', ", ")) }
        }
        "javascript" | "data" | "tel" | "vbscript" => Shown::Label,
        _ if href.is_empty() || href.starts_with('#') => Shown::Label,
        _ => {
            let (short, full) = (bare(label), bare(href));
            let cut = label.ends_with('…') && !short.is_empty() && full.starts_with(&short);
            if short == full || cut { Shown::Address } else { Shown::Both(href.to_owned()) }
        }
    }
}

/// An address without what people leave out when they write one.
fn bare(address: &str) -> String {
    let address = address.to_lowercase();
    let address = address.trim_start_matches("https://").trim_start_matches("http://");
    address.trim_start_matches("www.").trim_end_matches(['/', '…']).to_owned()
}

#[cfg(test)]
mod tests;
