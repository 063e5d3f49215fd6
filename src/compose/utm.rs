//! Utm: the parameters by which statistics tell where a visitor came from, added to the URL that
//! is posted.
//!
//! **Invariant:** what the URL has stays as it is, byte by byte; a parameter that is there already
//! wins. **Refuses:** to touch any URL but the entry's own.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::template::Template;
use super::values::Values;
use crate::settings::Utm;

/// What a value shows as it is: RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `url` with the parameters of `utm`, whose templates know the same names as the text.
///
/// # Errors
/// What is wrong with a template, and with which.
pub fn tagged(url: &str, utm: &Utm, values: &Values<'_>) -> Result<String, String> {
    let parameters = [
        ("utm_source", &utm.source),
        ("utm_medium", &utm.medium),
        ("utm_campaign", &utm.campaign),
        ("utm_term", &utm.term),
        ("utm_content", &utm.content),
    ];
    let mut tagged = url.to_owned();
    for (name, template) in parameters {
        let Some(template) = template else { continue };
        let value = Template::parse(template).and_then(|template| template.render(values, ""));
        let value = value.map_err(|error| format!("{name}: {error}"))?;
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if !value.is_empty() {
            add(&mut tagged, name, &value);
        }
    }
    Ok(tagged)
}

/// Adds a parameter to a URL, before its fragment, unless it has one of that name.
fn add(url: &mut String, name: &str, value: &str) {
    let end = url.find('#').unwrap_or(url.len());
    let query = url[..end].split_once('?').map(|(_, query)| query);
    let has = |pair: &str| pair.split('=').next() == Some(name);
    if query.is_some_and(|query| query.split('&').any(has)) {
        return;
    }
    let joint = match query {
        None => "?",
        Some(query) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    url.insert_str(end, &format!("{joint}{name}={}", utf8_percent_encode(value, ENCODED)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Subject;
    use crate::entry::Entry;
    use crate::people::People;
    use crate::platform::Platform;
    use crate::settings::Settings;

    #[test]
    fn parameters_are_added_where_they_belong() {
        let entry = Entry { title: Some("Ä & b".into()), ..Entry::default() };
        let (platform, people) = (Platform::X, &People::new());
        let (settings, limits) = (&Settings::of_platform(platform), &platform.limits());
        let subject = Subject {
            entry: &entry,
            settings,
            platform,
            account: "me",
            limits,
            media_limits: &platform.media(),
            people,
            page: None,
            media: None,
        };
        let values = Values::of(&subject, None, usize::MAX);
        let check = |url: &str, source: &str, medium: &str, expect: &str| {
            let some = |text: &str| Some(text.to_owned());
            let utm = Utm { source: some(source), medium: some(medium), ..Utm::default() };
            assert_eq!(tagged(url, &utm, &values).as_deref(), Ok(expect), "{url}");
        };
        let plain = "https://a.io/1";
        check(plain, "{{platform}}", "social", "https://a.io/1?utm_source=x&utm_medium=social");
        check("https://a.io/1?p=1#top", "x", "", "https://a.io/1?p=1&utm_source=x#top");
        check("https://a.io/1?#top?x", "x", "", "https://a.io/1?utm_source=x#top?x");
        check("https://a.io?a&", "x", "{{nothing}}", "https://a.io?a&utm_source=x");
        check(plain, " {{title}}\n", " ", "https://a.io/1?utm_source=%C3%84%20%26%20b");
        check("https://a.io?utm_source=y", "x", "z", "https://a.io?utm_source=y&utm_medium=z");
        check("https://a.io?%C3%BC=(1)", "x", "", "https://a.io?%C3%BC=(1)&utm_source=x");
        let bad = Utm { term: Some("{{".into()), ..Utm::default() };
        assert!(tagged(plain, &bad, &values).unwrap_err().starts_with("utm_term: syntax error"));
    }
}
