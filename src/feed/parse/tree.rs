//! Tree: tokens to elements, whatever their tags do wrong.
//!
//! One element of the feed at a time is handed on (a title, an item …), so that memory follows the
//! largest entry, not the document. **Invariant:** a tag that is never closed ends with its parent,
//! an end tag that closes nothing is passed over, and both are reported. **Refuses:** a document
//! whose root is never closed: it was cut off, and half a feed would look like a feed that lost
//! entries.

use std::borrow::Cow;

use super::element::{Element, local};
use super::entities::Entities;
use super::lexer::{CutOff, Lexer, Token, attributes};
use super::namespace::Namespace;

/// How deep elements are told apart; what is deeper belongs to the element at this depth.
const DEPTH_MAX: usize = 64;
/// How many prefixes may be bound at once.
const BINDINGS_MAX: usize = 256;

/// Where a document's elements go.
pub(super) trait Sink<'a> {
    /// Takes the start of an element that holds the feed's elements (root, channel).
    fn container(&mut self, element: &Element<'a>, is_root: bool);
    /// Takes one complete element of the feed.
    fn element(&mut self, element: Element<'a>, entities: &Entities);
}

/// What was wrong with the tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sloppiness {
    /// Tags that were never closed, or closed without having been opened.
    pub(super) mismatched: u32,
    /// Whether something but white space follows the root.
    pub(super) trailing: bool,
}

struct Frame<'a> {
    element: Element<'a>,
    /// The name as written, for the end tag.
    written: &'a str,
    /// Where the inside starts.
    start: usize,
    /// Whether its children are elements of the feed.
    is_container: bool,
    /// Whether it holds text or markup rather than elements.
    is_leaf: bool,
    /// How many bindings there were before it.
    bindings: usize,
}

/// The state of reading one document.
pub(super) struct Tree<'a, S> {
    document: &'a str,
    lexer: Lexer<'a>,
    entities: Entities,
    bindings: Vec<(&'a str, Namespace)>,
    open: Vec<Frame<'a>>,
    /// Names of the tags that are open in a leaf.
    markup: Vec<&'a str>,
    /// How many elements are open beyond `DEPTH_MAX`.
    deeper: usize,
    sloppiness: Sloppiness,
    sink: S,
}

impl<'a, S: Sink<'a>> Tree<'a, S> {
    /// Reads `document` from the byte `root` on, where its root's start tag stands.
    ///
    /// # Errors
    /// `CutOff` when the root is never closed.
    pub(super) fn read(
        document: &'a str,
        root: usize,
        entities: Entities,
        sink: S,
    ) -> Result<(S, Entities, Sloppiness), CutOff> {
        let mut tree = Self {
            document: &document[root..],
            lexer: Lexer::new(&document[root..]),
            entities,
            bindings: Vec::new(),
            open: Vec::new(),
            markup: Vec::new(),
            deeper: 0,
            sloppiness: Sloppiness::default(),
            sink,
        };
        while let Some(token) = tree.lexer.next() {
            match token? {
                Token::Start { name, attributes, empty } => tree.start(name, attributes, empty),
                Token::End { name } => tree.end(name),
                Token::Text(_) | Token::Cdata(_) | Token::Doctype(_) => {}
            }
            if tree.open.is_empty() {
                tree.sloppiness.trailing = tree.has_trailing();
                return Ok((tree.sink, tree.entities, tree.sloppiness));
            }
        }
        Err(CutOff)
    }

    fn start(&mut self, written: &'a str, attributes: &'a str, empty: bool) {
        let bindings = self.bindings.len();
        let name = local(written);
        let begins_entry =
            matches!(name, "item" | "entry") && self.entry_is_overdue(written, attributes);
        if begins_entry {
            self.sloppiness.mismatched += 1;
            let container = self.open.iter().rposition(|frame| frame.is_container).unwrap_or(0);
            self.close_down_to(container + 1, self.lexer.start());
        }
        if let Some(top) = self.open.last_mut() {
            top.element.has_markup = true;
            if top.is_leaf {
                if !empty && !is_void(name) && self.markup.len() < DEPTH_MAX {
                    self.markup.push(written);
                }
                return;
            }
        }
        if self.open.len() >= DEPTH_MAX {
            self.deeper += usize::from(!empty);
            return;
        }
        self.bind(attributes);
        let namespace = self.namespace(written);
        let name = lower(name);
        // HTML's `link` has no end tag, and some write Atom's like it
        let empty =
            empty || (namespace == Namespace::Core && name == "link" && has_href(attributes));
        let is_container = self.is_container(namespace, &name);
        let is_leaf = is_leaf(namespace, &name);
        let element = Element {
            namespace,
            name,
            attributes,
            inner: "",
            children: Vec::new(),
            has_markup: false,
        };
        if is_container {
            self.sink.container(&element, self.open.is_empty());
        }
        let start = self.lexer.end();
        self.open.push(Frame { element, written, start, is_container, is_leaf, bindings });
        if empty {
            self.close_down_to(self.open.len() - 1, start);
        }
    }

    fn end(&mut self, written: &'a str) {
        let is_same = |open: &str| open.eq_ignore_ascii_case(written);
        if let Some(at) = self.markup.iter().rposition(|open| is_same(open)) {
            self.markup.truncate(at);
            return;
        }
        let Some(at) = self.open.iter().rposition(|frame| is_same(frame.written)) else {
            self.deeper = self.deeper.saturating_sub(1);
            self.sloppiness.mismatched += u32::from(!local(written).eq_ignore_ascii_case("link"));
            return;
        };
        // what is open too deep must be closed first, unless the end tag is of the outermost three
        if self.deeper > 0 && at > 2 {
            self.deeper -= 1;
            return;
        }
        self.deeper = 0;
        if at + 1 < self.open.len() {
            self.sloppiness.mismatched += 1;
        }
        self.close_down_to(at, self.lexer.start());
    }

    /// Closes elements until `depth` are open, all of them ending at `end`.
    fn close_down_to(&mut self, depth: usize, end: usize) {
        self.markup.clear();
        while self.open.len() > depth {
            let Some(frame) = self.open.pop() else { return };
            self.bindings.truncate(frame.bindings);
            let mut element = frame.element;
            element.inner = &self.document[frame.start..end.max(frame.start)];
            match self.open.last_mut() {
                Some(_) if frame.is_container => {}
                Some(parent) if parent.is_container => self.sink.element(element, &self.entities),
                Some(parent) => parent.element.children.push(element),
                None => {}
            }
        }
    }

    /// Whether an entry begins although the one before, or the feed's own description, was never
    /// closed: directly inside an entry, or inside a text of the feed that is no XHTML.
    fn entry_is_overdue(&self, written: &str, attributes: &str) -> bool {
        let Some(container) = self.open.iter().rposition(|frame| frame.is_container) else {
            return false;
        };
        let (Some(top), inside) = (self.open.last(), self.open.len() - container - 1) else {
            return false;
        };
        let is_entry = |frame: &Frame<'_>| matches!(&*frame.element.name, "item" | "entry");
        inside == 1
            && !attributes.contains("xmlns")
            && self.namespace(written) == Namespace::Core
            && (is_entry(top) || (top.is_leaf && !top.element.attributes.contains("xhtml")))
    }

    fn is_container(&self, namespace: Namespace, name: &str) -> bool {
        match self.open.last() {
            None => true,
            Some(parent) if parent.is_container => {
                self.open.len() < 3 && namespace == Namespace::Core && name == "channel"
            }
            Some(_) => false,
        }
    }

    fn bind(&mut self, written: &'a str) {
        if !written.contains("xmlns") {
            return;
        }
        for (name, value) in attributes(written) {
            let Some(rest) = name.strip_prefix("xmlns") else { continue };
            let prefix = rest.strip_prefix(':').unwrap_or(rest);
            if self.bindings.len() < BINDINGS_MAX {
                let address = self.entities.decode(value);
                self.bindings.push((prefix, Namespace::of_address(&address)));
            }
        }
    }

    fn namespace(&self, written: &str) -> Namespace {
        let prefix = written.split_once(':').map_or("", |(prefix, _)| prefix);
        let bound = self.bindings.iter().rev().find(|(known, _)| *known == prefix);
        bound.map_or_else(|| Namespace::of_undeclared(prefix), |(_, namespace)| *namespace)
    }

    fn has_trailing(&mut self) -> bool {
        while let Some(token) = self.lexer.next() {
            match token {
                Ok(Token::Text(text))
                    if text.trim_matches(['\0', '\u{1a}', '\u{feff}']).trim().is_empty() => {}
                _ => return true,
            }
        }
        false
    }
}

/// Whether an element holds text or markup, so that what looks like elements in it is none of ours.
fn is_leaf(namespace: Namespace, name: &str) -> bool {
    match namespace {
        Namespace::Core => matches!(
            name,
            "title"
                | "subtitle"
                | "tagline"
                | "summary"
                | "description"
                | "content"
                | "copyright"
                | "rights"
                | "info"
                | "abstract"
                | "fullitem"
                | "body"
                | "link"
                | "guid"
                | "id"
                | "pubdate"
                | "published"
                | "updated"
        ),
        Namespace::Dc
        | Namespace::DcTerms
        | Namespace::Content
        | Namespace::Xhtml
        | Namespace::Posse => true,
        Namespace::Media => matches!(name, "title" | "description" | "text"),
        Namespace::Itunes => matches!(name, "summary" | "subtitle" | "title"),
        Namespace::Rdf | Namespace::Feedburner | Namespace::PosseUndeclared | Namespace::Other => {
            false
        }
    }
}

fn has_href(written: &str) -> bool {
    attributes(written).any(|(name, _)| name.eq_ignore_ascii_case("href"))
}

fn is_void(name: &str) -> bool {
    ["br", "img", "hr", "wbr", "input", "area", "col", "embed", "source", "track"]
        .iter()
        .any(|void| void.eq_ignore_ascii_case(name))
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
