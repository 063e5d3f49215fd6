//! HTML to text: any markup becomes tidy text, and no more than its size explains.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posse_party::entry::Markup;
use posse_party::text;

/// The most bytes that one byte of markup becomes: a line break in deep quotes.
const GROWTH_MAX: usize = 40;

fuzz_target!(|html: &str| {
    let plain = text::html_to_text(html);
    assert!(!plain.contains("\n\n\n"), "two blank lines in a row");
    assert!(plain.lines().all(|line| line.trim_end() == line), "a line ends in white space");
    assert_eq!(plain.trim(), plain, "white space around it");
    assert!(plain.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')));
    assert!(plain.len() <= GROWTH_MAX * (html.len() + 1), "{} bytes", plain.len());
    assert_eq!(text::plain(&Markup::Text(plain.clone())), plain, "tidying it again changes it");

    let line = text::html_to_line(html);
    assert!(!line.contains(['\n', '\r']) && !line.contains("  "), "{line:?} is no line");
    assert_eq!(text::fold(&line), line, "folding it again changes it");
});
