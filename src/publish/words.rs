//! Words: what a platform says in an answer, as it is shown and kept.
//!
//! An answer may quote the request. **Invariant:** one line, without secrets.

use crate::redact::redact;

/// Longer words are cut. Characters.
const CHARS_MAX: usize = 300;

/// `said` in one line of at most 300 characters, without secrets.
pub fn shown(said: &str) -> String {
    // first, because what is cut or joined is found no more
    let said = redact(said);
    let line = said
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::redact::register_secrets;

    #[test]
    fn what_is_said_is_one_short_line() {
        let check = |said: &str, expect: &str| assert_eq!(shown(said), expect, "{said:?}");
        check("Not found", "Not found");
        check(" two\r\n\tlines\u{1b}[31m\u{a0}red ", "two lines [31m red");
        check("\n", "");
        check(&"é".repeat(300), &"é".repeat(300));
        check(&"é".repeat(301), &format!("{}…", "é".repeat(300)));
    }

    #[test]
    fn a_secret_is_hidden_wherever_the_line_is_cut() {
        register_secrets([&Secret::new("words-of-a-token")]);
        assert_eq!(shown("xwords-of-a-tokenx"), "x[redacted]x");
        let cut = shown(&format!("{}words-of-a-token", "x".repeat(295)));
        assert_eq!(cut, format!("{}[reda…", "x".repeat(295)));
    }
}
