//! Template: from `format_string` and the values of an entry to text, in the way of Jinja.
//!
//! A template may come from a feed: it has a shape, fuel, no loaders, no includes and no macros. Compiling
//! one takes a few microseconds, less than looking it up safely would: none is kept.
//! **Invariant:** an unknown name is empty, at any depth, and never an error.
//! **Refuses:** escaping (the result is plain text) and anything that reads the world.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::values::Values;
use super::{Subject, fold};
use crate::clock::Timestamp;
use crate::entry::{Entry, Markup, Person};
use crate::people::People;
use crate::platform::Platform;
use crate::settings::Settings;

mod filters;
mod shape; // which templates are compiled at all

/// What a template may spend: instructions, and data by 64 bytes. A usual one spends under 100;
/// a loop over everything a feed can hold fits, a bomb does not.
const FUEL: u64 = 100_000;
/// How deep a `recursive` loop or a macro may call itself.
const RECURSION_MAX: usize = 20;

static JINJA: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut jinja = Environment::new();
    jinja.set_auto_escape_callback(|_| AutoEscape::None);
    jinja.set_undefined_behavior(UndefinedBehavior::Chainable);
    jinja.set_fuel(Some(FUEL));
    // a `recursive` loop takes stack for each level
    jinja.set_recursion_limit(RECURSION_MAX);
    jinja.add_filter("truncate", filters::truncate);
    jinja.add_filter("date", filters::date);
    jinja
});

/// A template that can be rendered.
pub struct Template<'s> {
    compiled: minijinja::Template<'s, 's>,
    names: HashSet<String>,
}

impl<'s> Template<'s> {
    /// Compiles `format_string`.
    ///
    /// # Errors
    /// What is wrong with the template, for its author.
    pub fn parse(format_string: &'s str) -> Result<Self, String> {
        shape::check(format_string)?;
        let compiled = JINJA.template_from_str(format_string).map_err(|error| describe(&error))?;
        let names = compiled.undeclared_variables(false);
        Ok(Self { compiled, names })
    }

    /// Whether the template says `name` anywhere.
    pub fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Renders the template and folds what it says: HTML as plain text, `hashtags` as given.
    ///
    /// # Errors
    /// What is wrong with the template, for its author.
    pub fn render(&self, values: &Values<'_>, hashtags: &str) -> Result<String, String> {
        // plain text is made from HTML only for the fields that are wanted
        let values: BTreeMap<&str, Value> = self
            .names
            .iter()
            .filter_map(|name| match name.as_str() {
                "hashtags" => Some((name.as_str(), Value::from(hashtags))),
                _ => values.value(name).map(|value| (name.as_str(), value)),
            })
            .collect();
        let rendered = self.compiled.render(values).map_err(|error| describe(&error))?;
        Ok(fold::fold_shaped(&rendered))
    }
}

/// Finds what is wrong with a template before any entry meets it.
///
/// # Errors
/// What is wrong, in one line. An unknown filter in a branch that is not taken is not seen.
pub fn check(format_string: &str) -> Result<(), String> {
    let text = || Some("text".to_owned());
    let markup = || text().map(Markup::Text);
    let url = || Some("https://example.com/".to_owned());
    let full = Entry {
        id: "id".into(),
        url: url(),
        alternate_url: url(),
        related_url: url(),
        short_url: url(),
        title: text(),
        subtitle: text(),
        summary: markup(),
        content: markup(),
        published: Some(Timestamp::from_secs(0)),
        updated: Some(Timestamp::from_secs(0)),
        authors: vec![Person { name: text(), email: text(), url: None }],
        categories: vec!["text".into()],
        language: Some("en".into()),
        ..Entry::default()
    };
    let template = Template::parse(format_string)?;
    let (platform, people) = (Platform::Outbox, &People::new());
    let (settings, limits) = (&Settings::of_platform(platform), &platform.limits());
    for (entry, hashtags) in [(&full, "#text"), (&Entry::default(), "")] {
        let account = "account";
        let subject = Subject {
            entry,
            settings,
            platform,
            account,
            limits,
            media_limits: &platform.media(),
            people,
            page: None,
            media: None,
        };
        template.render(&Values::of(&subject, entry.url.as_deref(), usize::MAX), hashtags)?;
    }
    Ok(())
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
mod tests;
