//! Walker: tokens of HTML to text, one at a time.
//!
//! What separates two texts (a space, line ends, the mark of a list item, the bar between two
//! cells) is owed, and written when the next text comes: so nothing trails, whatever is left out.

mod links;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{Tag, TokenSinkResult};

use super::footer::Address;
use super::reader::{Taker, attribute};
use super::small;
use links::{Link, Owed};

/// Elements that go with all they hold.
const DROPPED: &[&str] = &[
    "audio", "button", "canvas", "figure", "head", "iframe", "math", "noscript", "object",
    "picture", "script", "select", "style", "svg", "template", "textarea", "title", "video",
];
/// Elements that stand in a paragraph of their own.
const BLOCKS: &[&str] = &[
    "address", "article", "aside", "center", "details", "div", "dl", "fieldset", "footer", "form",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "main", "nav", "p", "section",
    "summary", "table",
];
/// How many elements of one kind may be open in each other; what is deeper counts as this deep.
const DEPTH_MAX: usize = 16;

/// What of the text is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// All of it.
    #[default]
    Text,
    /// Its words in their paragraphs, without addresses and marks; links are noted all the same.
    Words,
    /// Its words on one line.
    Line,
}

/// What is open, what is owed, and what has been written.
#[derive(Default)]
pub(super) struct Walker {
    /// The text so far; untidied.
    pub out: String,
    /// The addresses in it, in order.
    pub addresses: Vec<Address>,
    /// What of the text is wanted.
    form: Form,
    /// Line ends owed before the next text.
    line_ends: usize,
    /// The space owed before the next text.
    space: Option<char>,
    /// Whether a line across is owed before the next text.
    rule: bool,
    /// Whether the bar between two cells is owed before the next text.
    bar: bool,
    /// The mark of a list item that has no text yet.
    mark: Option<String>,
    /// The address of a link that was closed; what goes on with its last word comes first.
    owed: Option<Owed>,
    /// Text that came after it, until the next tag: an entity parts `’s` into two texts.
    held: String,
    /// Names that are not dropped, because one of that name is never closed.
    kept: Vec<String>,
    /// Dropped elements that are open.
    dropping: Vec<String>,
    /// `pre` elements that are open.
    preformatted: usize,
    /// Block quotes that are open.
    quotes: usize,
    /// Where the text of the row of a table starts.
    row: Option<usize>,
    /// Lists that are open; a number is the next one of an ordered list.
    lists: Vec<Option<i64>>,
    /// Links that are open.
    links: Vec<Option<Link>>,
    /// `sup` and `sub` that are open: where their text starts.
    small: Vec<usize>,
}

impl Walker {
    pub fn new(form: Form, kept: &[String]) -> Self {
        Self { form, kept: kept.to_vec(), ..Self::default() }
    }

    /// The dropped element that was never closed, where what it swallowed is markup.
    pub fn unclosed(&self) -> Option<&str> {
        let is_raw = |name: &str| {
            matches!(name, "script" | "style" | "iframe" | "noscript" | "title" | "textarea")
        };
        self.dropping.first().map(String::as_str).filter(|name| !is_raw(name))
    }

    /// How much of the text nothing that comes changes any more.
    pub fn settled(&self) -> usize {
        let links = self.links.iter().flatten().filter_map(|link| link.start);
        let owed = self.owed.iter().map(|owed| owed.start);
        let open = links.chain(owed).chain(self.small.iter().copied());
        open.fold(self.out.len(), usize::min)
    }

    /// Writes what is owed at the end.
    pub fn end(&mut self) {
        self.release();
        self.pay_address("");
    }
}

impl Taker for Walker {
    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        self.release();
        let name: &str = &tag.name;
        if DROPPED.contains(&name) && !self.kept.iter().any(|kept| kept == name) {
            return self.drop(name, tag.self_closing);
        }
        if !self.dropping.is_empty() {
            return TokenSinkResult::Continue;
        }
        match name {
            "p" | "div" => self.block(2),
            "a" => self.open_link(tag),
            "br" => self.line_break(),
            "hr" => self.line_across(),
            "img" => self.write(small::sign(attribute(tag, "alt").unwrap_or_default())),
            "pre" => {
                self.block(2);
                self.preformatted += 1;
            }
            "tr" => {
                self.block(1);
                self.row = Some(self.out.len());
            }
            "td" | "th" => self.cell(),
            "dt" | "dd" => self.block(1),
            "ul" | "ol" | "menu" => self.open_list(tag),
            "li" => self.item(attribute(tag, "value").and_then(|value| value.parse().ok())),
            "blockquote" => {
                self.block(2);
                self.quotes = (self.quotes + 1).min(DEPTH_MAX);
            }
            "q" => self.write("“"),
            "sup" | "sub" if self.small.len() < DEPTH_MAX => self.small.push(self.out.len()),
            _ if BLOCKS.contains(&name) => self.block(2),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn close(&mut self, name: &str) {
        self.release();
        if !self.dropping.is_empty() {
            if let Some(open) = self.dropping.iter().rposition(|dropped| dropped == name) {
                self.dropping.truncate(open);
            }
            return;
        }
        match name {
            "p" | "div" => self.block(2),
            "a" => self.close_link(),
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
            "sup" | "sub" => self.close_small(name == "sup"),
            _ if BLOCKS.contains(&name) => self.block(2),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if !self.dropping.is_empty() {
            return;
        }
        if self.owed.is_some() || !self.held.is_empty() {
            self.held.push_str(text);
        } else {
            self.words(text);
        }
    }
}

impl Walker {
    fn release(&mut self) {
        if !self.held.is_empty() {
            let held = std::mem::take(&mut self.held);
            self.words(&held);
        }
    }

    /// Writes text; what is preformatted keeps its blanks and lines.
    fn words(&mut self, text: &str) {
        if self.preformatted > 0 && self.form != Form::Line {
            for (nth, line) in text.split('\n').enumerate() {
                self.line_ends += usize::from(nth > 0);
                self.write(line);
            }
            return;
        }
        let is_blank = |c: char| c.is_ascii_whitespace() || c == '\u{A0}';
        let mut rest = text;
        while let Some(at) = rest.find(is_blank) {
            let (word, after) = rest.split_at(at);
            self.write(word);
            let wide = after.starts_with('\u{A0}');
            // a single no-break space stays; together with others it was meant for layout
            self.space = Some(if wide && self.space.is_none() { '\u{A0}' } else { ' ' });
            rest = &after[if wide { '\u{A0}'.len_utf8() } else { 1 }..];
        }
        self.write(rest);
    }

    fn drop(&mut self, name: &str, self_closing: bool) -> TokenSinkResult<()> {
        if self_closing {
            return TokenSinkResult::Continue;
        }
        if self.dropping.len() < DEPTH_MAX {
            self.dropping.push(name.to_owned());
        }
        match name {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "style" | "iframe" | "noscript" => TokenSinkResult::RawData(RawKind::Rawtext),
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
        }
    }

    /// Owes `line_ends` line ends (2: a blank line) before what comes next; a list stays tight.
    fn block(&mut self, line_ends: usize) {
        self.space = None;
        if self.mark.is_none() && !self.out.is_empty() {
            let most = if self.lists.is_empty() { line_ends } else { 1 };
            self.line_ends = self.line_ends.max(most);
        }
    }

    fn line_break(&mut self) {
        self.space = None;
        if self.mark.is_none() && !self.out.is_empty() {
            self.line_ends = (self.line_ends + 1).min(2);
        }
    }

    fn line_across(&mut self) {
        self.block(2);
        self.rule = self.mark.is_none() && !self.out.is_empty();
    }

    /// Begins a cell: a bar parts it from what stands before it in its row.
    fn cell(&mut self) {
        self.bar = self.row.is_some_and(|start| start < self.out.len());
        self.space = Some(' ');
    }

    fn open_list(&mut self, tag: &Tag) {
        self.block(if self.lists.is_empty() { 2 } else { 1 });
        let first = attribute(tag, "start").and_then(|start| start.parse().ok());
        if self.lists.len() < DEPTH_MAX {
            self.lists.push((&*tag.name == "ol").then(|| first.unwrap_or(1)));
        }
    }

    fn item(&mut self, stated: Option<i64>) {
        self.mark = None;
        self.block(1);
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        self.mark = Some(match self.lists.last_mut() {
            Some(Some(next)) => {
                let number = stated.unwrap_or(*next);
                *next = number.saturating_add(1);
                format!("{indent}{number}. ")
            }
            _ => format!("{indent}• "),
        });
    }

    fn close_small(&mut self, raised: bool) {
        let Some(start) = self.small.pop() else { return };
        let text = self.out.get(start..).unwrap_or_default();
        let start = start + text.len() - text.trim_start().len();
        if let Some(figures) = small::figures(text.trim(), raised) {
            self.out.truncate(start);
            self.out.push_str(&figures);
        }
    }

    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let rest = self.pay_address(text);
        if rest.is_empty() {
            return;
        }
        self.pay();
        if !self.links.is_empty() {
            let at = self.out.len();
            for link in self.links.iter_mut().flatten() {
                link.start.get_or_insert(at);
            }
        }
        self.out.push_str(rest);
    }

    /// Writes the line ends, the mark, the bar or the space that are owed.
    fn pay(&mut self) {
        let space = self.space.take();
        let line_ends = std::mem::take(&mut self.line_ends);
        let bar = std::mem::take(&mut self.bar);
        let rule = std::mem::take(&mut self.rule);
        if self.form != Form::Text {
            self.mark = None;
        }
        if self.form == Form::Line {
            if space.is_some() || line_ends > 0 {
                self.out.push(' ');
            }
            return;
        }
        let is_first = self.out.is_empty();
        if line_ends > 0 && !is_first {
            self.out.extend(std::iter::repeat_n('\n', line_ends));
            if rule && self.form == Form::Text {
                self.out.push_str("---");
                self.out.extend(std::iter::repeat_n('\n', line_ends));
            }
        } else if bar {
            self.out.push_str(if self.form == Form::Text { " | " } else { " " });
        } else if let Some(space) = space.filter(|_| !is_first) {
            self.out.push(space);
        }
        if self.form == Form::Text && (is_first || line_ends > 0) {
            self.out.extend(std::iter::repeat_n("> ", self.quotes));
        }
        if let Some(mark) = self.mark.take() {
            self.out.push_str(&mark);
        }
    }
}
