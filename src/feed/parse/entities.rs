//! Entities: `&amp;`, `&#8217;`, `&nbsp;` and what a document declares itself, to characters.
//!
//! Names of HTML are taken whether declared or not, and an `&` that begins no entity is itself.
//! **Invariant:** an entity never holds another one, and all that a document declares itself
//! together adds at most [`EXPANSION_BYTES_MAX`]: there is no bomb.

use std::borrow::Cow;
use std::cell::Cell;

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// How many entities of its own a document may declare.
const DECLARED_MAX: usize = 64;
/// How long the text of one may be.
const VALUE_BYTES_MAX: usize = 1024;
/// How much text the use of them may make, for the whole document.
const EXPANSION_BYTES_MAX: usize = 64 * 1024;
/// The longest name in HTML has 31 letters.
const NAME_BYTES_MAX: usize = 40;

/// The entities that a document declares itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Entities {
    declared: Vec<(String, String)>,
    expanded: Cell<usize>,
}

impl Entities {
    /// Reads the internal subset of a document type.
    pub(super) fn declare(&mut self, doctype: &str) {
        for part in doctype.split("<!ENTITY").skip(1).take(DECLARED_MAX) {
            let part = part.trim_start();
            let Some((name, rest)) = part.split_once(char::is_whitespace) else { continue };
            let rest = rest.trim_start();
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                continue; // external, or a parameter entity: never followed
            };
            if let Some((value, _)) = rest[1..].split_once(quote)
                && value.len() <= VALUE_BYTES_MAX
            {
                let value = Self::default().decode(value).into_owned();
                self.declared.push((name.to_owned(), value));
            }
        }
    }

    /// Turns the entities in `text` into characters.
    pub(super) fn decode<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(first) = text.find('&') else { return Cow::Borrowed(text) };
        let mut decoded = String::with_capacity(text.len());
        decoded.push_str(&text[..first]);
        let mut rest = &text[first..];
        while let Some(at) = rest.find('&') {
            decoded.push_str(&rest[..at]);
            rest = &rest[at..];
            let length = self.resolve(rest, &mut decoded);
            if length == 0 {
                decoded.push('&');
            }
            rest = &rest[length.max(1)..];
        }
        decoded.push_str(rest);
        Cow::Owned(decoded)
    }

    /// Turns only those entities into characters that the document declares itself, and leaves
    /// what HTML knows: for markup.
    pub(super) fn decode_declared<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.declared.is_empty() || !text.contains('&') {
            return Cow::Borrowed(text);
        }
        let parts = text.split_inclusive(';').map(|part| {
            let entity = part.rfind('&').map(|at| part.split_at(at));
            match entity {
                Some((before, entity)) if self.is_declared(entity) => {
                    Cow::Owned(format!("{before}{}", self.decode(entity)))
                }
                _ => Cow::Borrowed(part),
            }
        });
        Cow::Owned(parts.collect())
    }

    fn is_declared(&self, entity: &str) -> bool {
        let name = entity.trim_start_matches('&').trim_end_matches(';');
        self.declared.iter().any(|(known, _)| known == name)
    }

    /// Writes what the entity at the start of `text` stands for and returns its length, 0 where
    /// there is none.
    fn resolve(&self, text: &str, out: &mut String) -> usize {
        let in_name =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'_' | b'-' | b'.');
        let mut name = text.bytes().skip(1).take(NAME_BYTES_MAX);
        let stop = name.position(|byte| !in_name(byte)).map(|length| 1 + length);
        let Some(stop) = stop.filter(|stop| text.as_bytes()[*stop] == b';') else {
            return unterminated(text, out);
        };
        let name = &text[1..stop];
        if let Some(character) = of_xml(name) {
            out.push(character);
            return stop + 1;
        }
        if let Some(number) = name.strip_prefix('#') {
            let Some(character) = numbered(number) else { return 0 };
            out.push(character);
        } else if let Some((_, value)) = self.declared.iter().find(|(known, _)| known == name) {
            let expanded = self.expanded.get() + value.len();
            if expanded > EXPANSION_BYTES_MAX {
                return 0;
            }
            self.expanded.set(expanded);
            out.push_str(value);
        } else {
            let Some((first, second)) = of_html(&text[1..=stop]) else { return 0 };
            out.push(first);
            out.extend(second);
        }
        stop + 1
    }
}

/// The five names that XML knows itself: nearly all that there are.
fn of_xml(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// Whether `name` is an entity of HTML.
pub(super) fn is_html(name: &str) -> bool {
    name.len() < NAME_BYTES_MAX && of_html(&format!("{name};")).is_some()
}

/// The one or two characters of a name of HTML, given with its `;`.
fn of_html(name: &str) -> Option<(char, Option<char>)> {
    // the table also holds the beginnings of all names, with no character
    let &(first, second) = NAMED_ENTITIES.get(name)?;
    let first = char::from_u32(first).filter(|first| *first != '\0')?;
    Some((first, char::from_u32(second).filter(|second| *second != '\0')))
}

/// The number of an entity that lacks its `;`.
fn unterminated(text: &str, out: &mut String) -> usize {
    let Some(number) = text.strip_prefix("&#") else { return 0 };
    let hex = number.starts_with(['x', 'X']);
    let digits = |c: char| if hex { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
    let body = &number[usize::from(hex)..];
    let length = body.find(|c| !digits(c)).unwrap_or(body.len()).min(10);
    match numbered(&number[..usize::from(hex) + length]) {
        Some(character) if length > 0 => {
            out.push(character);
            2 + usize::from(hex) + length
        }
        _ => 0,
    }
}

/// The character of a number, with 128 to 159 read as windows-1252, as browsers do.
fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    Some(match code {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9f => c1(char::from_u32(code)?),
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    })
}

/// What a control character between U+0080 and U+009F was meant to be: windows-1252.
pub(super) fn c1(control: char) -> char {
    let place = (control as usize).checked_sub(0x80);
    place.and_then(|at| *C1_REPLACEMENTS.get(at)?).unwrap_or(control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, expect: &str) {
        assert_eq!(Entities::default().decode(written), expect, "{written}");
    }

    #[test]
    fn entities_of_html_need_no_declaration() {
        check("&alpha;&Omega;&oelig;&Scaron;&tilde;&lang;", "αΩœŠ˜⟨");
        check("a&nbsp;b &rsquo; &eacute; &hellip;", "a\u{a0}b ’ é …");
        check("&lt;b&gt; &amp;amp; &quot;&apos;", "<b> &amp; \"'");
        check("&#8217;&#x2019;&#X41;", "’’A");
        check("&#146; &#x92;", "’ ’");
    }

    #[test]
    fn what_is_no_entity_stands_as_written() {
        check("AT&T & Co; a&&b &", "AT&T & Co; a&&b &");
        check("?a=1&b=2&copy=3", "?a=1&b=2&copy=3");
        check("&unknown; &#; &#x; &#xzz;", "&unknown; &#; &#x; &#xzz;");
        check("&#0;&#xD800;&#99999999;", "\u{fffd}\u{fffd}\u{fffd}");
        check("it&#8217s", "it’s");
    }

    #[test]
    fn a_document_may_declare_its_own_but_no_bomb() {
        let mut entities = Entities::default();
        entities.declare(
            r#"DOCTYPE rss [<!ENTITY me "Ada &#38; Co"> <!ENTITY a '&me;&me;'>
               <!ENTITY out SYSTEM "file:///etc/passwd"> <!ENTITY % p "x">]"#,
        );
        assert_eq!(entities.decode("&me;|&a;|&out;"), "Ada & Co|&me;&me;|&out;");
        let long = format!("DOCTYPE r [<!ENTITY l \"{}\">]", "x".repeat(1000));
        entities.declare(&long);
        assert!(entities.decode(&"&l;".repeat(100_000)).len() < 400_000);
    }
}
