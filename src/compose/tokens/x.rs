//! X: the links, hashtags, mentions and cashtags that twitter-text 3.1 finds in a text.

use std::ops::Range;

use super::letters::{is_digit, is_letter};
use super::tld::is_newer;
use super::urls::{self, Dialect, Match, ending_len, is_accented_latin};
use super::{Found, Kind};

/// The most characters of a name after the `@` (handles have at most 15).
const NAME_MAX: usize = 20;
/// The most characters of a list's name, without its slash.
const LIST_MAX: usize = 25;
/// Longer addresses at `t.co` are none.
const SLUG_MAX: usize = 40;

/// A URL that X would shorten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether it has a protocol; else it is a bare domain.
    pub has_protocol: bool,
    /// Whether its ending is newer than twitter-text's list: X's server may know it, or not.
    pub is_newer: bool,
}

/// What X makes of `text`; of two that overlap, the first.
pub fn read(text: &str) -> Vec<Found> {
    let link = |url: Url| {
        let scheme = if url.has_protocol { "" } else { "https://" };
        let value = format!("{scheme}{}", &text[url.range.clone()]);
        Found { range: url.range, kind: Kind::Link, value }
    };
    let mut found: Vec<Found> = urls(text).into_iter().map(link).collect();
    found.extend(hashtags(text));
    found.extend(mentions(text));
    found.extend(cashtags(text));
    found
}

/// URLs, with protocol and without.
pub fn urls(text: &str) -> Vec<Url> {
    let mut found = Vec::new();
    if !text.contains('.') {
        return found;
    }
    for url in urls::matches(text, Dialect::X) {
        if url.has_protocol {
            let Match { range, is_newer, .. } = url;
            if let Some(len) = shortened_len(&text[range.clone()]) {
                let range = range.start..range.start + len;
                found.push(Url { range, has_protocol: true, is_newer });
            }
        } else if !text[..url.range.start].ends_with(['-', '_', '.', '/']) {
            bare(text, &url, &mut found);
        }
    }
    found
}

/// How much of `url` is a URL: at `t.co` nothing follows the slug but a query.
fn shortened_len(url: &str) -> Option<usize> {
    let slug = ["https://t.co/", "http://t.co/"].into_iter().find_map(|host| {
        let head = url.get(..host.len()).filter(|head| head.eq_ignore_ascii_case(host))?;
        Some(&url[head.len()..])
    });
    let Some(slug) = slug else { return Some(url.len()) };
    let len = slug.bytes().take_while(u8::is_ascii_alphanumeric).count();
    match len {
        0 => Some(url.len()),
        1..=SLUG_MAX if slug[len..].starts_with('?') => Some(url.len()),
        1..=SLUG_MAX => Some(url.len() - slug.len() + len),
        _ => None,
    }
}

/// The domains in Latin letters within a domain without protocol; a path belongs to the last.
fn bare(text: &str, url: &Match, found: &mut Vec<Url>) {
    let first = found.len();
    let domain = &text[url.domain.clone()];
    let is_part = |c: char| c == '-' || c.is_ascii_alphanumeric() || is_accented_latin(c);
    let mut at = 0;
    while let Some(start) = domain[at..].find(is_part).map(|len| at + len) {
        let (mut label, mut end) = (start, None);
        loop {
            let rest = &domain[label..];
            let len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            if len == 0 || !rest[len..].starts_with('.') {
                at = label + len;
                break;
            }
            label += len + 1;
            let ending = ending_len(&domain[label..], Dialect::X);
            end = ending.map(|len| (label, label + len)).or(end);
        }
        if let Some((ending, end)) = end {
            at = end;
            found.push(Url {
                range: url.domain.start + start..url.domain.start + end,
                has_protocol: false,
                is_newer: is_newer(&domain[ending..end]),
            });
        }
    }
    if let Some(last) = found[first..].last_mut().filter(|_| url.has_path) {
        last.range.end = url.range.end;
    }
}

/// `#name` after anything but a letter, a digit or `&`.
fn hashtags(text: &str) -> impl Iterator<Item = Found> {
    let is_part = |c: char| is_letter(c) || is_digit(c) || is_tag_mark(c);
    text.match_indices(['#', '＃']).filter_map(move |(start, hash)| {
        let before = text[..start].chars().next_back();
        let free =
            before.is_none_or(|c| matches!(c, '\u{FE0E}' | '\u{FE0F}') || !is_part(c) && c != '&');
        let body = &text[start + hash.len()..];
        if !free || body.starts_with(['\u{FE0F}', '\u{20E3}']) {
            return None;
        }
        let (name, rest) = body.split_at(body.find(|c| !is_part(c)).unwrap_or(body.len()));
        let good =
            name.contains(is_letter) && !rest.starts_with(['#', '＃']) && !rest.starts_with("://");
        let range = start..start + hash.len() + name.len();
        good.then(|| Found { range, kind: Kind::Tag, value: name.to_owned() })
    })
}

/// What may stand in a hashtag beside letters and digits (twitter-text `hashtagSpecialChars`).
fn is_tag_mark(c: char) -> bool {
    c == '_'
        || !c.is_ascii()
            && ("\u{200C}\u{200D}\u{A67E}\u{5BE}\u{5F3}\u{5F4}\u{FF5E}\u{301C}\u{309B}".contains(c)
                || "\u{309C}\u{30A0}\u{30FB}\u{3003}\u{F0B}\u{F0C}\u{B7}".contains(c))
}

/// `@name` and `@name/list`.
fn mentions(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find(['@', '＠']).map(|at| from + at) {
        let name = start + if text[start..].starts_with('@') { 1 } else { '＠'.len_utf8() };
        from = name;
        let len = run(&text[name..], NAME_MAX, |b| b.is_ascii_alphanumeric() || b == b'_');
        if len == 0 || !may_precede_mention(&text[..start]) {
            continue;
        }
        let mut end = name + len;
        if let Some(list) = text[end..].strip_prefix('/')
            && list.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
            end += 1 + run(list, LIST_MAX, is_part);
        }
        from = end;
        let rest = &text[end..];
        let blocked = rest.starts_with("://")
            || rest.starts_with(|c| matches!(c, '@' | '＠') || is_accented_latin(c));
        if !blocked {
            let value = text[name..end].to_owned();
            found.push(Found { range: start..end, kind: Kind::Mention, value });
        }
    }
    found
}

fn run(text: &str, most: usize, is_part: impl Fn(u8) -> bool) -> usize {
    text.bytes().take(most).take_while(|&b| is_part(b)).count()
}

/// Whether a mention may follow `text`: not right after a letter, except in `RT@name`.
fn may_precede_mention(text: &str) -> bool {
    let blocks = |c: char| c.is_ascii_alphanumeric() || "_!#$%&*@＠".contains(c);
    if !text.ends_with(blocks) {
        return true;
    }
    let retweet = text.len().checked_sub(2).and_then(|at| text.split_at_checked(at));
    retweet.is_some_and(|(before, rt)| {
        rt.eq_ignore_ascii_case("rt")
            && !before.ends_with(|c: char| c.is_ascii_alphanumeric() || "_+~.-".contains(c))
    })
}

/// `$NAME`: one to six letters, with one or two more after `.` or `_`, between white space.
fn cashtags(text: &str) -> impl Iterator<Item = Found> {
    text.match_indices('$').filter_map(|(start, _)| {
        let body = &text[start + 1..];
        let letters = |text: &str, most| run(text, most, |b| b.is_ascii_alphabetic());
        let name = letters(body, 6);
        if name == 0 || !text[..start].chars().next_back().is_none_or(char::is_whitespace) {
            return None;
        }
        let more = body[name..].strip_prefix(['.', '_']).map_or(0, |rest| letters(rest, 2));
        let longest = if more > 0 { name + 1 + more } else { name };
        let closes = |len: usize| {
            body[len..]
                .chars()
                .next()
                .is_none_or(|c| c.is_whitespace() || c.is_ascii_punctuation() && !"\"`".contains(c))
        };
        let len = [longest, name].into_iter().find(|&len| closes(len))?;
        let value = text[start..start + 1 + len].to_owned();
        Some(Found { range: start..start + 1 + len, kind: Kind::Tag, value })
    })
}

#[cfg(test)]
mod tests;
