//! Reader: HTML to its tags and texts, one at a time, for whoever makes something of them.
//!
//! **Invariant:** linear in the input, whatever it is. **Refuses:** to build a tree.

use std::cell::RefCell;

use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// How much HTML is read at once.
const CHUNK_BYTES: usize = 4096;
/// How many attributes a tag may seem to have. A picture within its tag has slashes in its base64,
/// so this must not be few: it is half a megabyte of picture.
const ATTRIBUTES_MAX: usize = 8192;
/// How many pairs of attributes are compared in one text: a fraction of a second.
const COMPARED_MAX: usize = 32 * 1024 * 1024;

/// Who makes something of HTML.
pub trait Taker {
    /// Takes a start tag; says how what follows is to be read.
    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()>;
    /// Takes an end tag.
    fn close(&mut self, name: &str);
    /// Takes the text between two tags, or a part of it.
    fn text(&mut self, text: &str);
}

/// Leads `taker` over `html`, to its end or until it `has_enough`.
///
/// html5ever compares each attribute of a tag with all before it. So the rest is left out where
/// tags hold so many attributes that this would take long.
pub fn read<T: Taker>(html: &str, taker: T, mut has_enough: impl FnMut(&T) -> bool) -> T {
    let sink = Sink(RefCell::new(Counted { taker, tokens: 0, compared: 0 }));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    let (mut rest, mut tokens, mut separators) = (html, 0, 0);
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK_BYTES));
        rest = after;
        input.push_back(chunk.into());
        let _ = tokenizer.feed(&input); // only a script could pause it, and the sink runs none
        let counted = tokenizer.sink.0.borrow();
        // nothing came of it: then it may all be attributes of one tag
        separators = if counted.tokens == tokens { separators + part_attributes(chunk) } else { 0 };
        tokens = counted.tokens;
        let is_flood = separators > ATTRIBUTES_MAX || counted.compared > COMPARED_MAX;
        if is_flood || has_enough(&counted.taker) {
            drop(counted);
            return tokenizer.sink.0.into_inner().taker;
        }
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().taker
}

/// What an attribute of a tag says.
pub fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|found| &*found.value)
}

/// How many characters of `chunk` may stand between two attributes.
fn part_attributes(chunk: &str) -> usize {
    let parts = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'');
    chunk.bytes().filter(|byte| parts(byte)).count()
}

/// A taker, and what it costs.
struct Counted<T> {
    taker: T,
    /// How many tokens came.
    tokens: usize,
    /// How many pairs of attributes were compared for them.
    compared: usize,
}

struct Sink<T>(RefCell<Counted<T>>);

impl<T: Taker> TokenSink for Sink<T> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut counted = self.0.borrow_mut();
        // errors come from within a tag
        counted.tokens += usize::from(!matches!(token, Token::ParseError(_)));
        match token {
            Token::CharacterTokens(text) => counted.taker.text(&text),
            Token::TagToken(tag) => {
                counted.compared += tag.attrs.len() * tag.attrs.len() / 2;
                if tag.kind == TagKind::StartTag {
                    return counted.taker.open(&tag);
                }
                counted.taker.close(&tag.name);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}
