//! Template: from `format_string` and an entry to text, in the way of Jinja.
//!
//! A template may come from a feed one day: it has fuel, no loaders, no includes and no macros.
//! **Invariant:** an unknown name is empty, at any depth, and never an error.
//! **Refuses:** escaping (the result is plain text) and anything that reads the world.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use crate::clock::Timestamp;
use crate::entry::{Entry, Markup, Person};
use crate::text;

/// What a template may spend: instructions, and data by 64 bytes. A usual one spends under 100;
/// a loop over everything a feed can hold fits, a bomb does not.
const FUEL: u64 = 100_000;

static JINJA: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut jinja = Environment::new();
    jinja.set_auto_escape_callback(|_| AutoEscape::None);
    jinja.set_undefined_behavior(UndefinedBehavior::Chainable);
    jinja.set_fuel(Some(FUEL));
    jinja
});

/// Renders `format_string` with the fields of `entry`; HTML fields as plain text.
///
/// # Errors
/// What is wrong with the template, for its author.
pub fn render(format_string: &str, entry: &Entry) -> Result<String, String> {
    let template = JINJA.template_from_str(format_string).map_err(|error| describe(&error))?;
    // plain text is made from HTML only for the fields that are wanted
    let values: BTreeMap<String, Value> = template
        .undeclared_variables(false)
        .into_iter()
        .filter_map(|name| field(entry, &name).map(|text| (name, Value::from(text))))
        .collect();
    template.render(values).map_err(|error| describe(&error))
}

/// Finds what is wrong with a template before any entry meets it.
///
/// # Errors
/// What is wrong, in one line. An unknown filter in a branch that is not taken is not seen.
pub fn check(format_string: &str) -> Result<(), String> {
    let text = || Some("text".to_owned());
    let markup = || text().map(Markup::Text);
    let full = Entry {
        id: "id".into(),
        url: Some("https://example.com/".into()),
        title: text(),
        summary: markup(),
        content: markup(),
        published: Some(Timestamp::from_secs(0)),
        updated: Some(Timestamp::from_secs(0)),
        authors: vec![Person { name: text(), email: text(), url: None }],
        language: Some("en".into()),
        ..Entry::default()
    };
    render(format_string, &full)?;
    render(format_string, &Entry::default()).map(drop)
}

/// The value of a template's name; `None` where the entry has none.
fn field(entry: &Entry, name: &str) -> Option<String> {
    let author = entry.authors.first();
    let link = |rel: &str| entry.links.iter().find(|link| link.rel == rel).map(|l| l.href.clone());
    match name {
        "id" => Some(entry.id.clone()),
        "url" => entry.url.clone(),
        "alternate_url" => link("alternate"),
        "related_url" => link("related"),
        "short_url" => link("shorturl"),
        "title" => entry.title.clone(),
        "summary" => entry.summary.as_ref().map(text::plain),
        "content" => entry.content.as_ref().map(text::plain),
        "author_name" => author?.name.clone(),
        "author_email" => author?.email.clone(),
        "language" => entry.language.clone(),
        "published_at" => entry.published.map(Timestamp::to_rfc3339),
        "updated_at" => entry.updated.map(Timestamp::to_rfc3339),
        _ => None,
    }
}

fn describe(error: &Error) -> String {
    let what = match error.kind() {
        ErrorKind::OutOfFuel => "it does too much work".to_owned(),
        kind => match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        },
    };
    match error.line() {
        Some(line) if line > 1 => format!("{what} (line {line} of the template)"),
        _ => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            title: Some("Tom & Jerry".into()),
            summary: Some(Markup::Text("a < b".into())),
            url: Some("https://a.io/1".into()),
            authors: vec![Person { name: Some("Ada".into()), ..Person::default() }],
            links: vec![crate::entry::Link {
                rel: "related".into(),
                href: "https://b.io".into(),
                media_type: None,
            }],
            published: Some(Timestamp::from_secs(0)),
            ..Entry::default()
        }
    }

    #[test]
    fn names_conditionals_and_filters_work() {
        let check = |template: &str, expect: &str| {
            assert_eq!(render(template, &entry()).as_deref(), Ok(expect), "{template}");
        };
        check("{{title}}", "Tom & Jerry");
        check("{{ title|upper }} by {{author_name}}: {{summary}}", "TOM & JERRY by Ada: a < b");
        check("{% if title %}{{title}}{% else %}note{% endif %}", "Tom & Jerry");
        check("{% if content %}{{content}}{% else %}none{% endif %}", "none");
        check("{{ content | default(title) }}", "Tom & Jerry");
        check("[{{nonsense}}{{nonsense.deeper}}{{content|upper}}]", "[]");
        check("{{title|replace('Tom', 'Tim')|lower}}", "tim & jerry");
        check(
            "{{related_url}} {{short_url}}{{published_at}}",
            "https://b.io 1970-01-01T00:00:00.000Z",
        );
        check("no braces } {", "no braces } {");
    }

    #[test]
    fn what_is_wrong_is_told() {
        let check = |template: &str, expect: &str| {
            assert_eq!(super::check(template).unwrap_err(), expect, "{template}");
        };
        check("{{title", "syntax error: unexpected end of input, expected end of variable block");
        check("{{title|shout}}", "unknown filter: filter shout is unknown");
        check(
            "a\n{% if title %}",
            "syntax error: unexpected end of input, expected end of block (line 2 of the template)",
        );
        check("{% include 'x' %}", "syntax error: unknown statement include");
        let nested =
            "{% for a in range(9999) %}{% for b in range(9999) %}.{% endfor %}{% endfor %}";
        check(nested, "it does too much work");
        check("{{ 'x' * 999999999 }}", "it does too much work");
        assert_eq!(super::check("{{title}} {{whatever}}"), Ok(()));
    }
}
