//! Note: whether an entry is a note (its text is all there is) or an article (its title stands for
//! it).
//!
//! Feeds give notes a title too: the beginning of the text, with or without an ellipsis. On the
//! other hand many an article begins by repeating its title as a heading. What tells them apart is
//! how the text goes on, and how much of it there is.
//! **Refuses:** to look at more of a text than its beginning.

use unicode_normalization::UnicodeNormalization;

/// A text of at most so many characters is posted in full rather than under its title.
const SHORT_MAX: usize = 500;
/// A title that breaks off in the middle of a sentence was made by a program when it is at least
/// so long (characters); a shorter one begins the text by chance: `Rust 2.0`, `Rust 2.0 is out`.
const CUT_TITLE_MIN: usize = 30;

/// Whether an entry with this title and this plain text is a note.
///
/// A title that ends with an ellipsis where the text goes on was cut from it. One that is the text
/// says nothing new. One that begins the text is a heading where a sentence or line ends with it
/// and the text is long; a note where the text is short, or where a long title breaks off.
pub fn is_note(title: Option<&str>, text: &str) -> bool {
    let Some(title) = title.map(plain).filter(|title| !title.is_empty()) else { return true };
    let (title, was_cut) = match title.strip_suffix('…').or_else(|| title.strip_suffix("...")) {
        Some(start) => (start.trim_end(), true),
        None => (title.as_str(), false),
    };
    if title.is_empty() {
        return true;
    }
    let Some(rest) = after(title, text) else { return false };
    let Some(next) = rest.chars().next() else { return true };
    if was_cut {
        return true;
    }
    let ends_word = !next.is_alphanumeric();
    let is_short = text.chars().nth(SHORT_MAX).is_none();
    let ends_sentence = is_end(next) || title.ends_with(is_end);
    let breaks_off = !ends_sentence && title.chars().nth(CUT_TITLE_MIN - 1).is_some();
    ends_word && (is_short || breaks_off)
}

/// What of `text` comes after its beginning `title`; white space and case are no difference.
fn after<'t>(title: &str, text: &'t str) -> Option<&'t str> {
    let mut wanted = title.chars().peekable();
    let mut chars = text.trim_start().chars();
    // letters of different lengths may be the same letter: compared one by one, as lower case
    let mut pending = String::new();
    loop {
        if wanted.peek().is_none() && pending.is_empty() {
            return Some(chars.as_str());
        }
        if pending.is_empty() {
            let c = chars.next()?;
            if c.is_whitespace() {
                while chars.clone().next().is_some_and(char::is_whitespace) {
                    chars.next();
                }
                pending.push(' ');
            } else {
                pending = plain_char(c, &mut chars);
            }
        }
        let c = pending.remove(0);
        wanted.next_if_eq(&c)?;
    }
}

/// `c` and the marks that follow it, as `plain` writes them.
fn plain_char(c: char, chars: &mut std::str::Chars<'_>) -> String {
    let mut whole = String::from(c);
    while let Some(mark) =
        chars.clone().next().filter(|&c| unicode_normalization::char::is_combining_mark(c))
    {
        whole.push(mark);
        chars.next();
    }
    whole.to_lowercase().nfc().collect()
}

/// In lower case, composed, blanks folded.
fn plain(title: &str) -> String {
    let folded: Vec<&str> = title.split_whitespace().collect();
    folded.join(" ").to_lowercase().nfc().collect()
}

/// What ends a sentence or a line.
fn is_end(c: char) -> bool {
    matches!(c, '\n' | '.' | '!' | '?' | ':' | ';' | '…' | '。' | '！' | '？')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_told_from_an_article() {
        let check = |title: &str, text: &str, expect: bool| {
            let title = (!title.is_empty()).then_some(title);
            assert_eq!(is_note(title, text), expect, "{title:?}: {text}");
        };
        let long = "And then I wrote about it at length. ".repeat(20);
        let with_more = |start: &str| format!("{start}{long}");
        check("", "Just a thought.", true);
        check("", "", true);
        check(" … ", "Just a thought.", true);
        check("Hello", "", false);
        check("Hello", "Something else", false);
        // the title is the text
        check("Just a thought.", "Just a thought.", true);
        check("just  a THOUGHT.", " Just a\nthought.", true);
        check("CAFE\u{301} ouvert", "Café ouvert", true);
        check("Straße", "STRASSE", false);
        // the title was cut from the text, and says so
        check("I was in the market this morning…", "I was in the market this morning to buy", true);
        check("I was in the mar...", &with_more("I was in the market. "), true);
        check("To be continued…", "Chapter one", false);
        // it was cut, and does not say so
        check(
            "I was in the market this morning to buy some",
            &with_more("I was in the market this morning to buy some apples. "),
            true,
        );
        check("I was in the mar", "I was in the market", false);
        // a short text that begins with its title is posted with it
        check("Hello world", "Hello world\n\nIt works.", true);
        check("It works!", "It works! At last.", true);
        // a heading, and a long text below it
        check("Why I left the city", &with_more("Why I left the city\n\n"), false);
        check(
            "Why I left the city after ten years",
            &with_more("Why I left the city after ten years\n\n"),
            false,
        );
        check("Rust 2.0 is out", &with_more("Rust 2.0 is out. "), false);
        check("Rust 2.0", &with_more("Rust 2.0 is out, and it is good. "), false);
    }
}
