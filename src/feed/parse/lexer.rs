//! Lexer: XML, however sloppy, into tokens.
//!
//! Well-formed documents and broken ones take the same way, so that a feed which is broken today
//! and mended tomorrow keeps the ids of its entries. **Invariant:** linear in the document; every
//! token is a slice of it. **Refuses:** to guess how a document that was cut off goes on.

/// A piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `<name attributes>`, or `<name attributes/>` when `empty`.
    Start { name: &'a str, attributes: &'a str, empty: bool },
    /// `</name>`
    End { name: &'a str },
    /// Text with its entities as written.
    Text(&'a str),
    /// The inside of a CDATA section.
    Cdata(&'a str),
    /// The inside of `<!DOCTYPE …>`.
    Doctype(&'a str),
}

/// The document ends inside a tag, a comment or a CDATA section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CutOff;

/// Where in a document reading stands.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    document: &'a str,
    /// Where the next token starts.
    at: usize,
    /// Where the last token started.
    start: usize,
    /// From here on there is no `"` and no `'` any more (so that none is searched for twice).
    quoteless: [usize; 2],
    /// Whether there is no `?>` any more.
    unterminated: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(document: &'a str) -> Self {
        Self { document, at: 0, start: 0, quoteless: [usize::MAX; 2], unterminated: false }
    }

    /// Where the last token started.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Where the last token ended.
    pub(super) fn end(&self) -> usize {
        self.at
    }

    /// The next token, passing over comments and processing instructions.
    pub(super) fn next(&mut self) -> Option<Result<Token<'a>, CutOff>> {
        loop {
            self.start = self.at;
            let rest = &self.document[self.at..];
            if rest.is_empty() {
                return None;
            }
            if !is_markup(rest) {
                return Some(Ok(self.text(rest)));
            }
            let token = match rest.as_bytes()[1] {
                b'!' => self.declaration(rest),
                b'?' => self.instruction(rest),
                b'/' => Ok(Some(self.end_tag(rest))),
                _ => self.start_tag(rest).map(Some),
            };
            match token {
                Ok(None) => {}
                Ok(Some(token)) => return Some(Ok(token)),
                Err(CutOff) => {
                    self.at = self.document.len();
                    return Some(Err(CutOff));
                }
            }
        }
    }

    fn take(&mut self, rest: &'a str, inside: std::ops::Range<usize>, length: usize) -> &'a str {
        self.at += length;
        &rest[inside]
    }

    fn text(&mut self, rest: &'a str) -> Token<'a> {
        let mut length = 0;
        loop {
            // at the first turn `rest` may begin with a `<` that is none of markup
            let from = length + usize::from(rest[length..].starts_with('<'));
            match rest[from..].find('<') {
                None => length = rest.len(),
                Some(next) if !is_markup(&rest[from + next..]) => {
                    length = from + next;
                    continue;
                }
                Some(next) => length = from + next,
            }
            return Token::Text(self.take(rest, 0..length, length));
        }
    }

    fn declaration(&mut self, rest: &'a str) -> Result<Option<Token<'a>>, CutOff> {
        if let Some(comment) = rest.strip_prefix("<!--") {
            let inside = comment.find("-->").ok_or(CutOff)?;
            self.at += 4 + inside + 3;
            return Ok(None);
        }
        if rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<![CDATA[")) {
            let inside = rest[9..].find("]]>").ok_or(CutOff)?;
            return Ok(Some(Token::Cdata(self.take(rest, 9..9 + inside, 9 + inside + 3))));
        }
        let (mut depth, mut quote) = (0_u32, None);
        for (at, byte) in rest.bytes().enumerate() {
            match (byte, quote) {
                (_, Some(open)) if byte == open => quote = None,
                (_, Some(_)) => {}
                (b'"' | b'\'', None) if depth > 0 => quote = Some(byte),
                (b'[', None) => depth += 1,
                (b']', None) => depth = depth.saturating_sub(1),
                (b'>', None) if depth == 0 => {
                    let inside = self.take(rest, 2..at, at + 1);
                    let doctype =
                        inside.get(..7).is_some_and(|s| s.eq_ignore_ascii_case("DOCTYPE"));
                    return Ok(doctype.then_some(Token::Doctype(inside)));
                }
                _ => {}
            }
        }
        Err(CutOff)
    }

    fn instruction(&mut self, rest: &'a str) -> Result<Option<Token<'a>>, CutOff> {
        let end = if self.unterminated { None } else { rest.find("?>") };
        self.unterminated = end.is_none();
        let length = end.map(|at| at + 2).or_else(|| rest.find('>').map(|at| at + 1));
        self.at += length.ok_or(CutOff)?;
        Ok(None)
    }

    /// An end tag; one that lacks its `>` ends before the next `<`, or with the document: when it
    /// is the root's, everything is there.
    fn end_tag(&mut self, rest: &'a str) -> Token<'a> {
        let stop = rest[2..].find(['>', '<']).map_or(rest.len(), |at| at + 2);
        let length = stop + usize::from(rest[stop..].starts_with('>'));
        let name = self.take(rest, 2..stop, length).trim();
        Token::End { name: name.split(char::is_whitespace).next().unwrap_or(name) }
    }

    /// A start tag; one that lacks its `>` ends before the next `<`.
    fn start_tag(&mut self, rest: &'a str) -> Result<Token<'a>, CutOff> {
        let bytes = rest.as_bytes();
        let ends_name =
            |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'<');
        let name = 1 + bytes[1..].iter().position(ends_name).ok_or(CutOff)?;
        let (mut at, mut after_equals) = (name, false);
        let stop = loop {
            match bytes.get(at).ok_or(CutOff)? {
                b'>' | b'<' => break at,
                quote @ (b'"' | b'\'') if after_equals => {
                    at = self.closing_quote(rest, at, *quote).unwrap_or(at);
                    after_equals = false;
                }
                b'=' => after_equals = true,
                byte if byte.is_ascii_whitespace() => {}
                _ => after_equals = false,
            }
            at += 1;
        };
        let length = stop + usize::from(bytes[stop] == b'>');
        let inside = self.take(rest, name..stop, length);
        let attributes = inside.strip_suffix('/').filter(|_| bytes[stop] == b'>');
        Ok(Token::Start {
            name: &rest[1..name],
            attributes: attributes.unwrap_or(inside),
            empty: attributes.is_some(),
        })
    }

    /// Where the value that starts with the quote at `open` ends; none when it never does.
    fn closing_quote(&mut self, rest: &str, open: usize, quote: u8) -> Option<usize> {
        let known = &mut self.quoteless[usize::from(quote == b'\'')];
        if self.start + open >= *known {
            return None;
        }
        let found = rest[open + 1..].find(char::from(quote));
        if found.is_none() {
            *known = self.start + open;
        }
        found.map(|at| open + 1 + at)
    }
}

/// Whether the `<` that `rest` begins with opens a tag, a comment or the like.
fn is_markup(rest: &str) -> bool {
    match rest.as_bytes() {
        [b'<', b'/', next, ..] => is_name_start(*next),
        [b'<', b'!' | b'?', ..] => true,
        [b'<', next, ..] => is_name_start(*next),
        _ => false,
    }
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || !byte.is_ascii()
}

/// The attributes of a start tag, as written, in order: name and value with its entities.
pub(super) fn attributes(written: &str) -> Attributes<'_> {
    Attributes { rest: written }
}

/// Iterator of [`attributes`].
#[derive(Clone, Debug)]
pub(super) struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let junk = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '"' | '\'' | '=');
        let rest = self.rest.trim_start_matches(junk);
        if rest.is_empty() {
            self.rest = rest;
            return None;
        }
        let stop = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(stop);
        let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else {
            self.rest = after;
            return Some((name, ""));
        };
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        let (value, rest) = match quote.and_then(|quote| value[1..].split_once(quote)) {
            Some(quoted) => quoted,
            None => {
                value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len()))
            }
        };
        self.rest = rest;
        Some((name, value.trim_start_matches(['"', '\''])))
    }
}

#[cfg(test)]
mod tests;
