//! Json: strict or relaxed JSON to values that know where they stand.
//!
//! Relaxed: comments, trailing commas, single quotes, keys without quotes, numbers and escapes of
//! JSON5. One parser for both, so that a position means the same in either. **Invariant:** brackets
//! are counted before anything is parsed: neither depth nor length is a danger. **Refuses:**
//! missing commas, which would hide a slip.

use std::borrow::Cow;

use jsonc_parser::ast::Value as Parsed;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

/// How deep brackets may stand in each other; what is understood needs four.
const DEPTH_MAX: usize = 32;

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'t> {
    /// Its first byte in the text, where there is a text.
    pub(super) at: Option<usize>,
    pub(super) data: Data<'t>,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Data<'t> {
    Null,
    Flag(bool),
    /// As it is written.
    Number(Cow<'t, str>),
    Text(Cow<'t, str>),
    List(Vec<Node<'t>>),
    Object(Vec<Member<'t>>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Member<'t> {
    /// The first byte of the key.
    pub(super) at: Option<usize>,
    pub(super) name: Cow<'t, str>,
    pub(super) value: Node<'t>,
}

/// Why a text can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unread {
    /// The first byte of what is wrong.
    pub(super) at: usize,
    /// What is wrong: lower case, no full stop.
    pub(super) message: String,
}

/// Reads `text`; none where there is nothing but blanks and comments.
///
/// # Errors
/// It is neither strict nor relaxed JSON, or its brackets stand too deep.
pub(super) fn read(text: &str) -> Result<Option<Node<'_>>, Unread> {
    if let Some(at) = too_deep(text) {
        let message = format!("brackets stand more than {DEPTH_MAX} deep in each other");
        return Err(Unread { at, message });
    }
    let options = ParseOptions { allow_missing_commas: false, ..ParseOptions::default() };
    match parse_to_ast(text, &CollectOptions::default(), &options) {
        Ok(parsed) => Ok(parsed.value.map(Node::of_parsed)),
        Err(error) => {
            let mut message = error.kind().to_string();
            message[..1].make_ascii_lowercase();
            Err(Unread { at: error.range().start, message })
        }
    }
}

/// Where the first bracket stands that is too deep. Brackets in texts and comments don't count.
fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    let after =
        |at: usize, end: &str| text.get(at..)?.find(end).map(|found| at + found + end.len());
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' if depth == DEPTH_MAX => return Some(at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            quote @ (b'"' | b'\'') => {
                at += 1;
                while bytes.get(at).is_some_and(|byte| *byte != quote) {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'/' => match bytes.get(at + 1) {
                Some(b'/') => at += bytes[at..].iter().position(|b| b"\r\n".contains(b))?,
                Some(b'*') => {
                    at = after(at + 2, "*/")?;
                    continue;
                }
                _ => {}
            },
            _ => {}
        }
        at += 1;
    }
    None
}

impl<'t> Node<'t> {
    /// A value of a JSON Feed.
    pub(super) fn of_value(value: &'t Value) -> Self {
        let data = match value {
            Value::Null => Data::Null,
            Value::Bool(flag) => Data::Flag(*flag),
            Value::Number(number) => Data::Number(number.to_string().into()),
            Value::String(text) => Data::Text(text.into()),
            Value::Array(list) => Data::List(list.iter().map(Self::of_value).collect()),
            Value::Object(object) => {
                let member = |(name, value): (&'t String, &'t Value)| Member {
                    at: None,
                    name: name.into(),
                    value: Self::of_value(value),
                };
                Data::Object(object.iter().map(member).collect())
            }
        };
        Self { at: None, data }
    }

    fn of_parsed(value: Parsed<'t>) -> Self {
        let at = Some(value.range().start);
        let data = match value {
            Parsed::NullKeyword(_) => Data::Null,
            Parsed::BooleanLit(flag) => Data::Flag(flag.value),
            Parsed::NumberLit(number) => Data::Number(number.value.into()),
            Parsed::StringLit(text) => Data::Text(text.value),
            Parsed::Array(list) => {
                Data::List(list.elements.into_iter().map(Self::of_parsed).collect())
            }
            Parsed::Object(object) => {
                let member = |member: jsonc_parser::ast::ObjectProp<'t>| Member {
                    at: Some(member.range.start),
                    name: member.name.into_string().into(),
                    value: Self::of_parsed(member.value),
                };
                Data::Object(object.properties.into_iter().map(member).collect())
            }
        };
        Self { at, data }
    }
}
