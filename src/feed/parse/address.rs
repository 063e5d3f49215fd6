//! Address: what a document writes for a URL, to an absolute one.
//!
//! **Invariant:** an address that is absolute and clean stays as its author wrote it, to the letter.

use url::Url;

use super::entities::Entities;
use super::lexer::{Lexer, Token, attributes};

/// No address in the wild is longer.
const ADDRESS_BYTES_MAX: usize = 8192;
/// Attributes of HTML that hold one address.
const ADDRESSES: &[&str] = &[
    "href",
    "src",
    "poster",
    "cite",
    "longdesc",
    "action",
    "background",
    "data",
    // where scripts that load images late keep them
    "data-src",
    "data-lazy-src",
    "data-original",
];

/// HTML with its relative addresses made absolute.
pub(in crate::feed) fn absolute_in_html(html: String, base: &Url) -> String {
    if base.cannot_be_a_base() || !has_relative(&html) {
        return html;
    }
    let mut result = String::new();
    let mut copied = 0;
    let mut lexer = Lexer::new(&html);
    while let Some(Ok(token)) = lexer.next() {
        let Token::Start { attributes: written, .. } = token else { continue };
        for (attribute, value) in attributes(written) {
            if !ADDRESSES.iter().any(|known| known.eq_ignore_ascii_case(attribute))
                || !is_relative(value)
            {
                continue;
            }
            let decoded = Entities::default().decode(value).into_owned();
            let Ok(url) = base.join(decoded.trim()) else { continue };
            // where the value stands in the document
            let at = value.as_ptr() as usize - html.as_ptr() as usize;
            result.push_str(&html[copied..at]);
            result.push_str(&url.as_str().replace('&', "&amp;").replace('"', "%22"));
            copied = at + value.len();
        }
    }
    if copied == 0 {
        return html;
    }
    result.push_str(&html[copied..]);
    result
}

/// Whether there may be a relative address: a quick look at every `=`, before a thorough one.
fn has_relative(html: &str) -> bool {
    let mut rest = html;
    while let Some((before, value)) = rest.split_once('=') {
        rest = value;
        let name = before.trim_end().as_bytes();
        let is_address = ADDRESSES.iter().any(|known| {
            name.len() >= known.len()
                && name[name.len() - known.len()..].eq_ignore_ascii_case(known.as_bytes())
        });
        let value = value.trim_start().trim_start_matches(['"', '\'']).trim_start();
        if is_address && !["http://", "https://", "#"].iter().any(|start| value.starts_with(start))
        {
            return true;
        }
    }
    false
}

/// Whether an address in HTML depends on where it stands; an anchor on its own page is left alone.
fn is_relative(address: &str) -> bool {
    let address = address.trim();
    let scheme = address.split(['/', '?', '#', '&']).next().unwrap_or_default();
    !address.is_empty() && !address.starts_with('#') && !scheme.contains(':')
}

/// An absolute address: as it is written where it is absolute and clean, else joined with `base`.
pub(in crate::feed) fn absolute(base: &Url, written: &str) -> Option<String> {
    let written = written.trim();
    if written.is_empty() || written.len() > ADDRESS_BYTES_MAX {
        return None;
    }
    if is_plain_page(written) {
        return Some(written.to_owned());
    }
    let clean =
        !written.contains(|c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '"');
    match Url::parse(written) {
        Ok(url) if clean && (url.has_host() || url.cannot_be_a_base()) => Some(written.to_owned()),
        Ok(url) => Some(url.into()),
        Err(url::ParseError::RelativeUrlWithoutBase) => base.join(written).ok().map(Into::into),
        Err(_) => None,
    }
}

/// Whether an address is so plain that it needs no parser: most are, and there are many.
fn is_plain_page(written: &str) -> bool {
    let rest = written.strip_prefix("https://").or_else(|| written.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    host.split('.').all(|label| !label.is_empty() && label.bytes().all(plain))
        && host.ends_with(|last: char| last.is_ascii_alphabetic())
        && path.bytes().all(|byte| plain(byte) || b"/.~%?=&+#:;,@!".contains(&byte))
}
