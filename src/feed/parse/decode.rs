//! Decode: the bytes of a document to text.
//!
//! The encoding comes from the byte order mark, then the XML declaration, then the content type;
//! UTF-8 that isn't is read as windows-1252, and the other way round. **Invariant:** every body
//! becomes text; what can't be read becomes U+FFFD and is reported.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::codepage;
use super::entities::c1;

/// How far into a document its XML declaration reaches.
const DECLARATION_BYTES_MAX: usize = 512;

/// A document as text.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    /// What was wrong with the encoding.
    pub(super) problem: Option<String>,
}

/// Turns `body` into text without a byte order mark.
pub(super) fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    let Decoded { text, problem } = read(body, content_type);
    // bytes of windows-1252 that somebody took for Unicode
    let text = if has_c1(&text) { Cow::Owned(text.chars().map(c1).collect()) } else { text };
    Decoded { text, problem }
}

/// Whether there is a character between U+0080 and U+009F.
fn has_c1(text: &str) -> bool {
    let bytes = text.as_bytes();
    // block by block, which is several times faster than byte by byte
    let blocks = bytes.chunks(64).enumerate();
    let leads =
        blocks.filter(|(_, block)| block.iter().fold(false, |any, byte| any | (*byte == 0xc2)));
    leads.map(|(nth, _)| &bytes[nth * 64..bytes.len().min(nth * 64 + 65)]).any(|block| {
        block.windows(2).any(|pair| pair[0] == 0xc2 && (0x80..0xa0).contains(&pair[1]))
    })
}

fn read<'a>(body: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    if let Some((text, wide)) = wide(body) {
        let problem = text.contains(char::REPLACEMENT_CHARACTER);
        let problem = problem.then(|| format!("the document is broken {wide}"));
        return Decoded { text: Cow::Owned(text), problem };
    }
    let (body, marked) = match body.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (rest, true),
        None => (body, false),
    };
    let declared = declared(body).or_else(|| charset(content_type?));
    let utf8 = std::str::from_utf8(body).ok();
    let encoding =
        declared.as_deref().map(|label| Encoding::for_label_no_replacement(label.as_bytes()));
    match (utf8, encoding) {
        // nothing but UTF-8 looks like UTF-8 by chance, unless a stateful encoding keeps to ASCII
        (Some(text), Some(Some(encoding)))
            if text.is_ascii() && !encoding.is_ascii_compatible() =>
        {
            let (text, _, broken) = encoding.decode(body);
            let problem = broken.then(|| format!("the document is broken `{}`", encoding.name()));
            Decoded { text, problem }
        }
        (Some(text), encoding) => {
            let lie = match encoding {
                Some(Some(encoding)) => encoding != UTF_8 && !text.is_ascii() && !marked,
                Some(None) => !text.is_ascii(),
                None => false,
            };
            let said = declared.unwrap_or_default();
            let problem =
                lie.then(|| format!("the document says that it is `{said}`, but is UTF-8"));
            Decoded { text: Cow::Borrowed(text), problem }
        }
        (None, Some(Some(encoding))) if encoding != UTF_8 && !marked => {
            let (text, _, broken) = encoding.decode(body);
            let problem = broken.then(|| format!("the document is broken `{}`", encoding.name()));
            Decoded { text, problem }
        }
        (None, _) => match declared.as_deref().and_then(codepage::of_label) {
            Some(page) => {
                Decoded { text: Cow::Owned(codepage::decode(body, &page)), problem: None }
            }
            None => fall_back(body, declared),
        },
    }
}

/// Reads what should be UTF-8 and isn't: with single bytes of another encoding in it, or wholly in
/// one.
fn fall_back(body: &[u8], declared: Option<String>) -> Decoded<'_> {
    let said = declared.unwrap_or_else(|| "utf-8".to_owned());
    let (text, replaced) = (String::from_utf8_lossy(body), char::REPLACEMENT_CHARACTER);
    let wide = text.chars().filter(|c| !c.is_ascii() && *c != replaced).count();
    let broken = text.matches(replaced).count();
    if wide > broken {
        let text = Cow::Owned(text.into_owned());
        return Decoded { text, problem: Some("the document is broken UTF-8".to_owned()) };
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(body);
    let problem = format!("the document says that it is `{said}`, but was read as windows-1252");
    Decoded { text, problem: Some(problem) }
}

/// A document in UTF-16 or UTF-32, by its mark or by how `<` looks in it.
fn wide(body: &[u8]) -> Option<(String, &'static str)> {
    let utf32 = |bytes: &[u8], read: fn([u8; 4]) -> u32| -> String {
        let codes = bytes.chunks_exact(4).map(|four| read([four[0], four[1], four[2], four[3]]));
        codes.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    Some(match body {
        [0, 0, 0xfe, 0xff, rest @ ..] => (utf32(rest, u32::from_be_bytes), "UTF-32"),
        [0xff, 0xfe, 0, 0, rest @ ..] => (utf32(rest, u32::from_le_bytes), "UTF-32"),
        [0, 0, 0, b'<' | b'{', ..] => (utf32(body, u32::from_be_bytes), "UTF-32"),
        [b'<' | b'{', 0, 0, 0, ..] => (utf32(body, u32::from_le_bytes), "UTF-32"),
        [0xfe, 0xff, rest @ ..] => (utf16(rest, UTF_16BE), "UTF-16"),
        [0xff, 0xfe, rest @ ..] => (utf16(rest, UTF_16LE), "UTF-16"),
        [0, b'<' | b'{', ..] => (utf16(body, UTF_16BE), "UTF-16"),
        [b'<' | b'{', 0, ..] => (utf16(body, UTF_16LE), "UTF-16"),
        _ => return None,
    })
}

fn utf16(body: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(body).0.into_owned()
}

/// The encoding that the XML declaration names.
fn declared(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&body[..body.len().min(DECLARATION_BYTES_MAX)]);
    let start = head.find("<?xml")?;
    let declaration = &head[start..start + head[start..].find("?>")?];
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let label = rest.trim_start_matches(['"', '\'']).split(['"', '\'', ' ']).next()?;
    label_of(label)
}

/// The `charset` of a content type.
fn charset(content_type: &str) -> Option<String> {
    let parameter = content_type.split(';').skip(1).map(str::trim).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })?;
    label_of(parameter.trim().trim_matches(['"', '\'']))
}

/// A label of 8-bit bytes: UTF-16 and UTF-32 would have been seen.
fn label_of(label: &str) -> Option<String> {
    let label = label.trim().to_ascii_lowercase().replace('_', "-");
    let is_wide = ["utf-16", "utf16", "utf-32", "utf32", "ucs", "iso-10646", "u16", "u32"];
    let label = match &*label {
        "macroman" | "mac-roman" => "macintosh".to_owned(),
        "maccyrillic" | "mac-cyrillic" => "x-mac-cyrillic".to_owned(),
        "ms-cyrl" => "windows-1251".to_owned(),
        _ => label,
    };
    (!label.is_empty() && !is_wide.iter().any(|wide| label.starts_with(wide))).then_some(label)
}

#[cfg(test)]
mod tests;
