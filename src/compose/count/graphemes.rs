//! Graphemes: the ends of the extended grapheme clusters of a text, fast where it is ASCII.

use unicode_segmentation::UnicodeSegmentation;

/// The end of every grapheme of `text`, in order.
pub fn ends(text: &str) -> impl Iterator<Item = usize> {
    stretches(text).flat_map(move |(start, end)| {
        let stretch = &text[start..end];
        // most stretches are one letter
        let alone = (stretch.len() == 1).then_some(end);
        let inner = if alone.is_some() { "" } else { stretch };
        alone
            .into_iter()
            .chain(inner.grapheme_indices(true).map(move |(at, g)| start + at + g.len()))
    })
}

/// How many there are.
pub fn count(text: &str) -> usize {
    let graphemes = |stretch: &str| match stretch.len() {
        1 => 1,
        _ => stretch.graphemes(true).count(),
    };
    stretches(text).map(|(start, end)| graphemes(&text[start..end])).sum()
}

/// Parts of `text` that surely end with a grapheme: between two ASCII characters there is always an
/// end, except in CR LF.
fn stretches(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let is_end = |&at: &usize| {
        at == bytes.len()
            || bytes[at - 1].is_ascii()
                && bytes[at].is_ascii()
                && (bytes[at - 1], bytes[at]) != (b'\r', b'\n')
    };
    let mut start = 0;
    (1..=bytes.len()).filter(is_end).map(move |end| (std::mem::replace(&mut start, end), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphemes_are_those_of_the_library() {
        let check = |text: &str| {
            let expect: Vec<usize> =
                text.grapheme_indices(true).map(|(at, grapheme)| at + grapheme.len()).collect();
            assert_eq!(ends(text).collect::<Vec<_>>(), expect, "{text:?}");
            assert_eq!(count(text), expect.len(), "{text:?}");
        };
        for text in ["", "a", "ab\r\ncd\n\r\n", "e\u{301}x\u{301}\u{302}yz", "\u{600}a b\u{600}"] {
            check(text);
        }
        check("👨‍👩‍👧‍👦a🇫🇷🇫b 1️⃣2 नमस्ते, 각ᄀ\u{200D}x\u{FE0F}\r\u{301}\n");
    }
}
