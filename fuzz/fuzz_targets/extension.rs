//! Extension: whatever stands in a control, it is read or it is told.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use posse_party::entry::Control;
use posse_party::feed::extension::{Said, of_element, of_value};
use url::Url;

static BASE: LazyLock<Url> =
    LazyLock::new(|| Url::parse("https://example.com/blog/feed.xml").expect("it is a URL"));
/// Shorter than what either reader refuses for its length, also when it is escaped.
const BYTES_MAX: usize = 8 * 1024;

fuzz_target!(|text: &str| {
    let said = of_element(None, text, &BASE);
    let problems = &said.control.problems;
    assert!(problems.len() <= 21, "{} problems are told one by one", problems.len());
    assert!(problems.iter().all(|told| !told.contains('\n')), "a problem is one line");
    for address in [&said.fields.url, &said.fields.alternate_url, &said.fields.short_url] {
        let address = address.as_deref().filter(|address| !address.is_empty());
        assert!(address.is_none_or(|it| Url::parse(it).is_ok()), "{address:?} is not absolute");
    }
    let unread = of_element(Some("yaml"), text, &BASE);
    assert!(unread.control.problems.len() == 1, "an unknown format is a problem");
    assert!(silent(unread) == Said::default(), "an unknown format was read");

    // strict JSON says the same in a JSON Feed; only there may brackets stand deeper
    let too_deep = problems.iter().any(|told| told.contains("deep in each other"));
    if let Ok(value) = serde_json::from_str(text)
        && text.len() <= BYTES_MAX
        && !too_deep
    {
        assert!(silent(of_value(&value, &BASE)) == silent(said), "`_posse` says something else");
    }
});

/// What was said, without the problems: their places differ.
fn silent(said: Said) -> Said {
    Said { control: Control { problems: Vec::new(), ..said.control }, ..said }
}
