//! Link: what of a link is shown, its text, its address or both.
//!
//! The address is for a reader who can't click: so it is absolute, and it is left out where the
//! text says it already or where it leads nowhere outside the page.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Schemes of addresses that a reader can open somewhere else.
const SHOWN: &[&str] = &["https", "http", "ftp", "gemini", "gopher"];
/// How the anchors of footnotes begin, as editors and Markdown write them.
const NOTES: &[&str] =
    &["fn", "_fn", "footnote", "_ftn", "ftn", "note", "cite_", "endnote", "_edn", "sdfoot"];

/// The longest rest of a word, in characters, that is taken before the address of a link that
/// ends inside the word.
const REST_MAX: usize = 30;

/// What of a link is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Its text alone.
    Text,
    /// Its address alone.
    Address,
    /// Its text, and this in brackets.
    Both(String),
    /// This instead of its text.
    Mark(String),
    /// Nothing at all.
    Nothing,
}

/// What surrounds a link.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nature {
    /// It is a hashtag or a mention, and says so.
    pub is_name: bool,
    /// It stands in a `sup`.
    pub is_raised: bool,
}

/// The address of a link as it is shown: without white space around, and with a scheme.
pub(super) fn address(href: &str) -> String {
    let href = href.trim();
    let href = if href.starts_with("//") { format!("https:{href}") } else { href.to_owned() };
    if !href.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return href;
    }
    // as browsers do: line ends go, blanks are encoded
    let kept = href.chars().filter(|c| !c.is_control());
    kept.fold(String::with_capacity(href.len()), |mut clean, c| {
        if c.is_whitespace() {
            clean.push_str("%20")
        } else {
            clean.push(c)
        }
        clean
    })
}

/// What is shown of a link with the text `label` to `href`.
pub(super) fn shown(label: &str, href: &str, nature: Nature) -> Shown {
    let anchor = href.split_once('#').map_or("", |(_, anchor)| anchor);
    if !anchor.is_empty()
        && let Some(shown) = footnote(label, anchor, href.starts_with('#'), nature.is_raised)
    {
        return shown;
    }
    let scheme = href.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    if scheme == "mailto" {
        let address = href["mailto:".len()..].split('?').next().unwrap_or_default();
        let said = address.is_empty() || address.split(',').all(|one| label.contains(one.trim()));
        return if said { Shown::Text } else { Shown::Both(address.replace(',', ", ")) };
    }
    if !SHOWN.contains(&&*scheme) || is_email(label) {
        return Shown::Text;
    }
    if nature.is_name && !label.contains(char::is_whitespace) {
        return Shown::Text;
    }
    if label.contains('.') {
        let (short, full) = (bare(label), bare(href));
        let stem = short.trim_end_matches(['…', '.']);
        let cut = stem.len() < short.len() && !stem.is_empty() && full.starts_with(stem);
        if short == full || cut {
            return Shown::Address;
        }
        let says = |word: &str| word.contains("://") && bare(word) == full;
        if label.split_whitespace().any(says) {
            return Shown::Text;
        }
    }
    Shown::Both(href.to_owned())
}

/// What is shown of a link to a footnote, and of one back from it.
fn footnote(label: &str, anchor: &str, on_page: bool, is_raised: bool) -> Option<Shown> {
    let is_note = NOTES.iter().any(|note| anchor.starts_with(note));
    let number = label.trim_matches(['[', ']', '(', ')']);
    let is_bracketed = number.len() < label.len();
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    if is_number && (is_note || is_raised || (on_page && is_bracketed)) {
        return Some(Shown::Mark(format!("[{number}]")));
    }
    // ↩ back to the text, # to the heading itself
    let is_sign = !label.contains(char::is_alphanumeric);
    (is_sign && (on_page || is_note)).then_some(Shown::Nothing)
}

fn is_email(label: &str) -> bool {
    label.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && host.contains('.')
            && !label.contains(|c: char| c.is_whitespace() || matches!(c, '/' | ':'))
            && !host.contains('@')
    })
}

/// An address without what people leave out when they write one.
pub(super) fn bare(address: &str) -> String {
    let decoded: Cow<'_, str> =
        percent_decode_str(address).decode_utf8().unwrap_or(Cow::Borrowed(address));
    let address = decoded.to_lowercase();
    let address = address.trim_start_matches("https://").trim_start_matches("http://");
    address.trim_start_matches("www.").trim_end_matches('/').to_owned()
}

/// How much of `text` goes on with a word that was begun: letters and digits, also after a hyphen
/// or an apostrophe. Scripts without spaces have no words that one could see the end of.
pub(super) fn rest_of_word(text: &str) -> usize {
    let is_part =
        |c: char| c.is_alphanumeric() && (c < '\u{E00}' || matches!(c, '\u{AC00}'..='\u{D7A3}'));
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    for _ in 0..REST_MAX {
        let Some((at, c)) = chars.next() else { return end };
        let joins = matches!(c, '-' | '‑' | '\'' | '’')
            && chars.peek().is_some_and(|(_, next)| is_part(*next));
        if !is_part(c) && !joins {
            return end;
        }
        end = at + c.len_utf8();
    }
    0
}
