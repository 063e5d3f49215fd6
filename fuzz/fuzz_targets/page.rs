//! Page: any body is a page that says something or nothing, in short lines and absolute addresses.
//!
//! The first line of the input is the `Content-Type`, the rest is the body.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use posse_party::compose::page::read;
use url::Url;

static BASE: LazyLock<Url> =
    LazyLock::new(|| Url::parse("https://example.com/blog/1").expect("it is a URL"));
/// In UTF-8; a title or description is kept up to 2,000 characters.
const LINE_BYTES_MAX: usize = 4 * 2000;

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (first, body) = input.split_at(end);
    let content_type = std::str::from_utf8(first).ok().filter(|text| !text.is_empty());
    let page = read(body, content_type, &BASE);
    for line in [&page.title, &page.description].into_iter().flatten() {
        assert!(!line.trim().is_empty() && !line.contains(['\n', '\r']), "{line:?} is no line");
        assert!(line.len() <= LINE_BYTES_MAX, "{} bytes", line.len());
    }
    if let Some(image) = &page.image {
        let url = Url::parse(image).expect("it is absolute");
        assert!(matches!(url.scheme(), "http" | "https"), "{url} is not of the web");
    }
    assert_eq!(read(body, content_type, &BASE), page, "the same bytes, another page");
});
