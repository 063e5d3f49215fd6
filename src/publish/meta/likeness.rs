//! Likeness: whether a post in a list is the one that was sent.
//!
//! Meta's lists have no field of ours to look for, so what was sent is compared: the text, the link
//! and the time. White space and the form of letters are Meta's to change.

use unicode_normalization::UnicodeNormalization;
use url::Url;

use crate::clock::Timestamp;

/// Whether two texts are the same but for white space and the form of their letters (NFC).
pub fn same_text(one: &str, other: &str) -> bool {
    fn bare(text: &str) -> Vec<String> {
        text.split_whitespace().map(|word| word.nfc().collect()).collect()
    }
    bare(one) == bare(other)
}

/// Whether two addresses lead to the same page: the spelling of the host and a last slash don't
/// count, nor does what follows `#`.
pub fn same_link(one: &str, other: &str) -> bool {
    fn bare(link: &str) -> String {
        let Ok(mut url) = Url::parse(link.trim()) else { return link.trim().to_owned() };
        url.set_fragment(None);
        url.as_str().trim_end_matches('/').to_owned()
    }
    bare(one) == bare(other)
}

/// Reads a moment as Meta writes it: `2024-09-12T23:17:39+0000`, whose offset lacks the colon of
/// RFC 3339.
pub fn moment(text: &str) -> Option<Timestamp> {
    let offset = text.len().checked_sub(5).filter(|at| text.is_char_boundary(*at))?;
    let (start, end) = text.split_at(offset);
    if end.starts_with(['+', '-']) && end[1..].bytes().all(|byte| byte.is_ascii_digit()) {
        return Timestamp::parse_rfc3339(&format!("{start}{}:{}", &end[..3], &end[3..]));
    }
    Timestamp::parse_rfc3339(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_and_without_the_colon() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(moment(text).map(Timestamp::to_rfc3339).as_deref(), expect, "{text}");
        };
        check("2024-09-12T23:17:39+0000", Some("2024-09-12T23:17:39.000Z"));
        check("2024-09-12T23:17:39-0130", Some("2024-09-13T00:47:39.000Z"));
        check("2024-09-12T23:17:39+00:00", Some("2024-09-12T23:17:39.000Z"));
        check("2024-09-12T23:17:39Z", Some("2024-09-12T23:17:39.000Z"));
        check("soon", None);
        check("éé+1", None);
    }

    #[test]
    fn white_space_and_forms_of_letters_do_not_count() {
        let check = |one, other, expect: bool| {
            assert_eq!(same_text(one, other), expect, "{one:?} {other:?}");
        };
        check("Cafe\u{301} au\n\n lait ", "Café au lait", true);
        check("Café", "Cafe", false);
        check("", " ", true);
    }

    #[test]
    fn links_are_compared_as_addresses() {
        let check = |one, other, expect: bool| {
            assert_eq!(same_link(one, other), expect, "{one} {other}");
        };
        check("https://Example.com", "https://example.com/", true);
        check("https://example.com/a/", "https://example.com/a#b", true);
        check("https://example.com/a", "https://example.com/b", false);
        check("https://example.com/?a=1", "https://example.com/?a=2", false);
        check("no address", "no address", true);
    }
}
