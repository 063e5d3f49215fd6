//! Parse: the bytes of a feed to entries, as a lenient reader reads them.
//!
//! RSS 0.90 to 2.0, RSS 1.0, Atom 0.3 and 1.0, CDF and JSON Feed, mended where they are sloppy. The
//! reader is our own, since what a strict parser leaves to repair is nearly everything: ids, links,
//! dates, languages, broken tags. **Invariant:** the same bytes give the same ids; time and memory
//! are linear in the body. **Refuses:** what is no feed, and a feed that was cut off.

pub(super) mod address;
mod codepage;
pub(super) mod date;
pub(super) mod declaration;
mod decode;
mod document;
mod element;
mod entities;
mod entry;
mod identity;
mod json;
mod lexer;
pub(super) mod link;
pub(super) mod markup;
pub(super) mod media;
mod namespace;
mod person;
mod tree;

use std::panic::{AssertUnwindSafe, catch_unwind};

use url::Url;

use crate::entry::{ParsedFeed, Problem};

/// How many entries of a feed are read.
pub const ENTRIES_MAX: usize = 10_000;
/// How many problems of a feed are told one by one.
const PROBLEMS_MAX: usize = 50;

/// What is known about a body besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Hint<'a> {
    /// The address that the body came from: the base of relative links.
    pub url: &'a Url,
    /// The `Content-Type` that it came with: used for the charset only.
    pub content_type: Option<&'a str>,
}

/// Why a body is no feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing but white space.
    #[error("the body is empty")]
    Empty,
    /// A web page.
    #[error("this is a web page, not a feed")]
    Html,
    /// Some other document; what it is.
    #[error("this is no feed, but {0}")]
    NotAFeed(String),
    /// The end is missing.
    #[error("the document is cut off")]
    CutOff,
    /// JSON that can't be read.
    #[error("the JSON can't be read: {0}")]
    Json(String),
    /// A mistake of this program.
    #[error("the parser panicked: {0}")]
    Panic(String),
}

/// Reads a feed.
///
/// Bodies should be capped by the caller (8 MiB); a panic of the parser is an error like others.
///
/// # Errors
/// Anything that is not one whole feed; the caller should treat it as a bad answer, not as a feed
/// without entries.
pub fn parse(body: &[u8], hint: &Hint<'_>) -> Result<ParsedFeed, ParseError> {
    catch_unwind(AssertUnwindSafe(|| read(body, hint))).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(ParseError::Panic(message.unwrap_or_else(|| "without a message".to_owned())))
    })
}

fn read(body: &[u8], hint: &Hint<'_>) -> Result<ParsedFeed, ParseError> {
    let decoded = decode::decode(body, hint.content_type);
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\0');
    let text = decoded.text.trim_start_matches(blank);
    let mut feed = match text.chars().next() {
        None => return Err(ParseError::Empty),
        Some('{' | '[') => json::read(text, hint.url)?,
        Some(_) => document::read(text, hint.url)?,
    };
    if let Some(message) = decoded.problem {
        feed.problems.insert(0, Problem { entry: None, message });
    }
    shorten(&mut feed.problems);
    Ok(feed)
}

/// Leaves the first problems and says how many there were.
fn shorten(problems: &mut Vec<Problem>) {
    if problems.len() > PROBLEMS_MAX {
        let message = format!("and {} more problems", problems.len() - PROBLEMS_MAX);
        problems.truncate(PROBLEMS_MAX);
        problems.push(Problem { entry: None, message });
    }
}
