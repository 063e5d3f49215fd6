//! Small: what markup draws and Unicode has as a character: raised figures, signs.

/// The longest alternative text of an image that stands for a sign.
const SIGN_BYTES_MAX: usize = 48;

/// `text` raised (`²`) or lowered (`₂`); none where a character of it has no such form.
pub(super) fn figures(text: &str, raised: bool) -> Option<String> {
    let one = |c: char| {
        let (plain, small) = if raised {
            ("0123456789+-−()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿ")
        } else {
            ("0123456789+-−()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎")
        };
        plain.chars().zip(small.chars()).find(|(from, _)| *from == c).map(|(_, to)| to)
    };
    let is_figure = text.contains(|c: char| c.is_ascii_digit() || c == 'n');
    is_figure.then(|| text.chars().map(one).collect()).flatten()
}

/// The alternative text of an image that stands for a sign, an emoji that was made an image; else
/// nothing.
pub(super) fn sign(alt: &str) -> &str {
    let alt = alt.trim();
    let is_sign = |c: char| !c.is_ascii() && !c.is_alphabetic() && !c.is_whitespace();
    let is_keycap = |c: char| c.is_ascii_digit() && alt.ends_with('\u{20E3}');
    let stands = alt.len() <= SIGN_BYTES_MAX && alt.chars().all(|c| is_sign(c) || is_keycap(c));
    if stands { alt } else { "" }
}
