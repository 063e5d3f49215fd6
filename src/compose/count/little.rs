//! Little: LinkedIn's "little text", in which a commentary is written.
//!
//! Its reserved characters are escaped; an unescaped one ends the text without a word. A hashtag is
//! a template of its own. In a URL an escape would break the address: there the characters that
//! end a text are percent-encoded, and the others stay.
//! **Invariant:** outside URLs and hashtags every reserved character has its `\`.

use std::fmt::Write as _;

use crate::compose::tokens::{self, Kind};
use crate::platform::Platform;

/// Writes `text` as little text.
pub fn escape(text: &str) -> String {
    let mut little = String::with_capacity(text.len() + text.len() / 8);
    let mut from = 0;
    for token in tokens::read(text, Platform::LinkedIn) {
        push_plain(&mut little, &text[from..token.range.start]);
        let token_text = &text[token.range.clone()];
        from = token.range.end;
        match token.kind {
            Kind::Link => push_url(&mut little, token_text),
            Kind::Tag => {
                let sign = token_text.chars().next().unwrap_or('#');
                little.push_str("{hashtag|\\");
                little.push(sign);
                little.push('|');
                push_plain(&mut little, &token.value);
                little.push('}');
            }
            Kind::Mention => push_plain(&mut little, token_text),
        }
    }
    push_plain(&mut little, &text[from..]);
    little
}

/// What must be escaped.
const fn is_reserved(c: char) -> bool {
    matches!(c, '\\' | '|' | '{' | '}' | '@' | '[' | ']' | '(' | ')')
        || matches!(c, '<' | '>' | '#' | '*' | '_' | '~')
}

fn push_plain(little: &mut String, text: &str) {
    let mut from = 0;
    for (at, _) in text.match_indices(is_reserved) {
        little.push_str(&text[from..at]);
        little.push('\\');
        from = at;
    }
    little.push_str(&text[from..]);
}

fn push_url(little: &mut String, url: &str) {
    for c in url.chars() {
        // these three end no text
        if is_reserved(c) && !matches!(c, '_' | '#' | '@') {
            let _ = write!(little, "%{:02X}", u32::from(c));
        } else {
            little.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_characters_are_escaped_but_in_urls() {
        let check = |text: &str, expect: &str| assert_eq!(escape(text), expect, "{text}");
        check("plain, text!", "plain, text!");
        check(
            "a (b) [c] {d} <e> f|g h*i j_k l~m n\\o",
            concat!("a \\(b\\) \\[c\\] \\{d\\} \\<e\\> f\\|g h\\*i j\\_k ", "l\\~m n\\\\o"),
        );
        check("by @ann", "by \\@ann");
        check("on #POSSE, # 1", "on {hashtag|\\#|POSSE}, \\# 1");
        check("#a_b ＃語", "{hashtag|\\#|a\\_b} {hashtag|\\＃|語}");
        check("https://a.io/x_(y)?z=[1]#q~@", "https://a.io/x_%28y%29?z=%5B1%5D#q%7E@");
    }

    #[test]
    fn what_is_escaped_can_be_read_back() {
        let text = "\\ | { } @ [ ] ( ) < > # * _ ~ \\( _a_ #1 (#b)";
        let mut back = String::new();
        let little = escape(text).replace("{hashtag|\\#|b}", "\\#b");
        let mut chars = little.chars();
        while let Some(c) = chars.next() {
            back.push(if c == '\\' { chars.next().unwrap() } else { c });
        }
        assert_eq!(back, text);
    }
}
