//! Weight: how long X says that a text is (twitter-text 3, `config/v3.json`).
//!
//! In normal form C; a URL is 23, an emoji 2 however many code points it is made of, a code point
//! of the four ranges below 1, any other 2. **Invariant:** where X's server may know more than the
//! library (endings newer than its list), the longer count is taken.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::compose::tokens::x;

/// A URL, however long.
const URL: usize = 23;
/// An emoji.
const EMOJI: usize = 2;

/// The weight of `text`.
pub fn weigh(text: &str) -> usize {
    let text: Cow<'_, str> = if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        text.into()
    } else {
        text.nfc().collect::<String>().into()
    };
    let (mut sum, mut from) = (0, 0);
    for url in x::urls(&text) {
        let literal = if url.is_newer { weigh_plain(&text[url.range.clone()]) } else { 0 };
        sum += weigh_plain(&text[from..url.range.start]) + URL.max(literal);
        from = url.range.end;
    }
    sum + weigh_plain(&text[from..])
}

fn weigh_plain(text: &str) -> usize {
    // of ASCII only a keycap could start an emoji, which is seldom
    if text.contains('\u{20E3}') {
        return weigh_each(text);
    }
    let (mut sum, mut rest) = (0, text);
    while !rest.is_empty() {
        let ascii = rest.bytes().take_while(u8::is_ascii).count();
        rest = &rest[ascii..];
        let wide = rest.find(|c: char| c.is_ascii()).unwrap_or(rest.len());
        sum += ascii + weigh_each(&rest[..wide]);
        rest = &rest[wide..];
    }
    sum
}

fn weigh_each(text: &str) -> usize {
    let (mut sum, mut rest) = (0, text);
    while let Some(c) = rest.chars().next() {
        (sum, rest) = match emoji_len(rest, c) {
            0 => (sum + weigh_char(c), &rest[c.len_utf8()..]),
            len => (sum + EMOJI, &rest[len..]),
        };
    }
    sum
}

const fn weigh_char(c: char) -> usize {
    match c {
        '\0'..='\u{10FF}'
        | '\u{2000}'..='\u{200D}'
        | '\u{2010}'..='\u{201F}'
        | '\u{2032}'..='\u{2037}' => 1,
        _ => 2,
    }
}

/// The length in bytes of the emoji that `text`, whose first character is `c`, starts with; 0
/// where it starts with none.
fn emoji_len(text: &str, c: char) -> usize {
    let rest = &text[c.len_utf8()..];
    match c {
        '0'..='9' | '#' | '*' => keycap_len(rest).map_or(0, |len| 1 + len),
        '\0'..='\u{A8}' => 0,
        // these four are text, unless a variation selector says otherwise
        '©' | '®' | '™' | '♟' if !rest.starts_with('\u{FE0F}') => 0,
        '\u{1F1E6}'..='\u{1F1FF}' => {
            let second = rest.chars().next().filter(|c| matches!(c, '\u{1F1E6}'..='\u{1F1FF}'));
            4 + second.map_or(0, char::len_utf8)
        }
        '🏴' if rest.starts_with('\u{E0067}') => 4 + tags_len(rest),
        c if is_pictograph(c) => sequence_len(text),
        _ => 0,
    }
}

fn keycap_len(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('\u{FE0F}').unwrap_or(rest);
    after.starts_with('\u{20E3}').then(|| rest.len() - after.len() + '\u{20E3}'.len_utf8())
}

/// The tags of the flags of England, Scotland and Wales, which are all that there are.
fn tags_len(rest: &str) -> usize {
    let name: String = rest
        .chars()
        .map_while(|c| char::from_u32(u32::from(c).checked_sub(0xE0000)?).filter(char::is_ascii))
        .take(6)
        .collect();
    if ["gbeng\u{7F}", "gbsct\u{7F}", "gbwls\u{7F}"].contains(&name.as_str()) { 6 * 4 } else { 0 }
}

/// Pictographs joined by U+200D, each with a skin tone or a variation selector where it may have.
fn sequence_len(text: &str) -> usize {
    let mut end = element_len(text);
    while let Some(len) = text[end..].strip_prefix('\u{200D}').map(element_len).filter(|&n| n > 0) {
        end += '\u{200D}'.len_utf8() + len;
    }
    end
}

fn element_len(text: &str) -> usize {
    let Some(c) = text.chars().next().filter(|&c| is_pictograph(c)) else { return 0 };
    let len = c.len_utf8();
    match text[len..].chars().next() {
        Some(tone @ '\u{1F3FB}'..='\u{1F3FF}') if takes_skin_tone(c) => len + tone.len_utf8(),
        Some(selector @ '\u{FE0F}') => len + selector.len_utf8(),
        _ => len,
    }
}

/// Unicode's `Extended_Pictographic`, a little wider: alone, each of these counts 2 anyway.
const fn is_pictograph(c: char) -> bool {
    matches!(c,
        '©' | '®' | '‼' | '⁉' | '™' | 'ℹ' | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}'
        | 'Ⓜ' | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}' | '\u{2B00}'..='\u{2BFF}'
        | '〰' | '〽' | '㊗' | '㊙' | '\u{1F000}'..='\u{1F1E5}' | '\u{1F200}'..='\u{1FAFF}')
}

/// Unicode's `Emoji_Modifier_Base`.
#[rustfmt::skip]
const fn takes_skin_tone(c: char) -> bool {
    matches!(c as u32,
        0x261D | 0x26F9 | 0x270A..=0x270D | 0x1F385 | 0x1F3C2..=0x1F3C4 | 0x1F3C7
        | 0x1F3CA..=0x1F3CC | 0x1F442..=0x1F443 | 0x1F446..=0x1F450 | 0x1F466..=0x1F478 | 0x1F47C
        | 0x1F481..=0x1F483 | 0x1F485..=0x1F487 | 0x1F48F | 0x1F491 | 0x1F4AA | 0x1F574..=0x1F575
        | 0x1F57A | 0x1F590 | 0x1F595..=0x1F596 | 0x1F645..=0x1F647 | 0x1F64B..=0x1F64F | 0x1F6A3
        | 0x1F6B4..=0x1F6B6 | 0x1F6C0 | 0x1F6CC | 0x1F90C | 0x1F90F | 0x1F918..=0x1F91F | 0x1F926
        | 0x1F930..=0x1F939 | 0x1F93C..=0x1F93E | 0x1F977 | 0x1F9B5..=0x1F9B6 | 0x1F9B8..=0x1F9B9
        | 0x1F9BB | 0x1F9CD..=0x1F9CF | 0x1F9D1..=0x1F9DD | 0x1FAC3..=0x1FAC5 | 0x1FAF0..=0x1FAF8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: usize) {
        assert_eq!(weigh(text), expect, "{text}");
    }

    #[test]
    fn weights_are_those_of_the_sheet() {
        check("H🐱☺👨‍👩‍👧‍👦", 7);
        check(&"👨‍👩‍👧‍👦".repeat(140), 280);
        check("1⃣", 2);
        check("#️⃣*️⃣", 4);
        check("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 2);
        check("http://a.co", 23);
        check("…•€→™", 10);
        check("“curly” – —", 11);
        check("\u{200E}\u{200F}", 4);
        check("日本語", 6);
        check("example.com it.so Node.js", 23 + 1 + 23 + 1 + 7);
        check("me@example.com $x.com #x.com @x.com", 35);
        check("e\u{301}", 1);
    }

    /// Facts of twitter-text's own conformance tests.
    #[test]
    fn weights_are_those_of_the_conformance_tests() {
        check("I am a Tweet", 12);
        check("Hi http://test.co", 26);
        check("http://test.co", 23);
        check("test.com", 23);
        check("Test https://test.com test https://test.com test.com test", 86);
        check(&"https://www.twitter.com/aloha ".repeat(10), 240);
        check(&format!("285 chars- http://www.twitter.com/jack {}", "xxxxxxxxxx-".repeat(24)), 299);
        check("A\u{301}B", 2);
        check("A\u{5E9}\u{5BC}\u{5C1}", 4);
        check("😷👾😡🔥💩", 10);
        check("🙋🏽👨‍🎤", 4);
        check("Unicode 10.0 emoji: 🤪; 🧕; 🧕🏾; 🏴󠁧󠁢󠁥󠁮󠁧󠁿", 34);
        check("Unicode 9.0 emoji: 🤠; 💃; 💃🏾", 29);
        check("저찀쯿쿿", 8);
        check("the故人西辞黄鹤楼，", 3 + 16);
        check(&format!("{}.com", "randomurl".repeat(7) + "s"), 68);
        let host = |tail: &str| format!("http://{}{tail}.com", "あいうえおかきくけこ".repeat(5));
        check(&host("あい"), 23);
        check(&host("あいう"), 7 + 106 + 4);
        check("ABC\u{202A}\u{FFFF}ABC\u{FFFE}", 12);
        check("\u{2066}\u{202A}http://foobar.پاکستان/\u{202C}\u{2069}", 31);
        let spaces = "\u{2000}\u{2001}\u{2002}\u{2009}\u{200A}\u{200B}\u{200C}\u{200D}";
        check(spaces, 8);
        check("‐‑‒–—―‖‗‘’‚‛“”„‟′″‴‵‶‷", 22);
    }

    #[test]
    fn only_whole_sequences_are_one_emoji() {
        check("👍🏽", 2);
        check("🐱🏽", 4);
        check("🇵🇱🇵", 4);
        check("❤️ ♟️ ♟ ©️ ©", 2 + 1 + 2 + 1 + 2 + 1 + 2 + 1 + 1);
        check("☺\u{FE0E}", 4);
        check("🏳️‍🌈🏴‍☠️", 4);
        check("👩🏽‍❤️‍💋‍👨🏿", 2);
        check("👨\u{200D}", 3);
        check("1\u{FE0F}", 3);
        check("🏴\u{E0067}", 4);
    }

    #[test]
    fn newer_endings_count_the_longer_way() {
        check("https://a.music/b", 23);
        check(&format!("https://a.music/{}", "x".repeat(30)), 46);
        check(&format!("a.music/{}", "x".repeat(30)), 38);
        check("a.music", 23);
        check(&format!("https://a.zzz/{}", "x".repeat(30)), 44);
        check("a.zzz", 5);
        check("http://localhost:3000/some/long/path/here", 41);
        check("http://192.168.0.1/", 19);
    }
}
