//! Letters: Unicode's general categories L, M and Nd, as far as the standard library knows them.

use unicode_normalization::char::is_combining_mark;

/// Whether `c` is a letter or a mark (`\p{L}\p{M}`).
pub fn is_letter(c: char) -> bool {
    // Roman numerals and letters in circles and squares are alphabetic, but no letters
    let drawn = matches!(c, '\u{2160}'..='\u{2182}' | '\u{2185}'..='\u{2188}')
        || matches!(c, '\u{24B6}'..='\u{24E9}' | '\u{1F130}'..='\u{1F189}');
    c.is_ascii_alphabetic()
        || !c.is_ascii() && (c.is_alphabetic() && !drawn || is_combining_mark(c))
}

/// Whether `c` is a decimal digit (`\p{Nd}`).
pub fn is_digit(c: char) -> bool {
    // fractions, and digits raised, lowered, in circles or in brackets
    let drawn = matches!(c, '²' | '³' | '¹' | '¼'..='¾' | '\u{2070}'..='\u{218B}')
        || matches!(c, '\u{2460}'..='\u{24FF}' | '\u{2776}'..='\u{2793}')
        || matches!(c, '\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3192}'..='\u{3195}')
        || matches!(c, '\u{3220}'..='\u{32BF}' | '\u{1F100}'..='\u{1F10C}');
    c.is_ascii_digit() || !c.is_ascii() && c.is_numeric() && !c.is_alphabetic() && !drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_letters_and_digits_are_neither() {
        let check = |c: char, letter, digit| {
            assert_eq!((is_letter(c), is_digit(c)), (letter, digit), "{c}");
        };
        check('a', true, false);
        check('ñ', true, false);
        check('の', true, false);
        check('\u{301}', true, false);
        check('\u{FE0F}', true, false);
        check('5', false, true);
        check('٤', false, true);
        check('१', false, true);
        check('½', false, false);
        check('①', false, false);
        check('Ⓐ', false, false);
        check('🅰', false, false);
        check('☺', false, false);
        check('_', false, false);
    }
}
