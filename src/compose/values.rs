//! Values: what a template's names stand for, for one entry on one account.
//!
//! HTML becomes plain text when a name asks for it, once for each field, and no more of it than a
//! post could show. **Invariant:** `was_cut` is true where what is posted was made of less than the
//! entry says.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::{Subject, fold, note};
use crate::clock::Timestamp;
use crate::entry::Markup;
use crate::text;

/// The values of one entry on one account.
pub struct Values<'a> {
    subject: &'a Subject<'a>,
    /// The entry's URL as it is posted.
    url: Option<&'a str>,
    /// Plain text beyond so many bytes is not looked at.
    reach: usize,
    content: OnceCell<Plain>,
    summary: OnceCell<Plain>,
    was_cut: Cell<bool>,
}

/// Plain text of a field.
struct Plain {
    text: String,
    /// Whether there is more.
    is_cut: bool,
}

impl<'a> Values<'a> {
    /// The values of `subject`, whose URL is posted as `url`.
    pub fn of(subject: &'a Subject<'a>, url: Option<&'a str>, reach: usize) -> Self {
        let (content, summary) = (OnceCell::new(), OnceCell::new());
        Self { subject, url, reach, content, summary, was_cut: Cell::new(false) }
    }

    /// The content as plain text, or its beginning; empty where there is none.
    pub fn content(&self) -> &str {
        &self.plain_content().text
    }

    /// The summary as plain text, or its beginning; empty where there is none.
    pub fn summary(&self) -> &str {
        &self.plain_summary().text
    }

    /// The content to be posted, with the mark of `fold::keep`; see `was_cut`.
    pub fn content_to_post(&self) -> Cow<'_, str> {
        self.posting(self.plain_content(), self.subject.entry.content.as_ref())
    }

    /// The summary to be posted, with the mark of `fold::keep`; see `was_cut`.
    pub fn summary_to_post(&self) -> Cow<'_, str> {
        self.posting(self.plain_summary(), self.subject.entry.summary.as_ref())
    }

    /// The entry's URL as it is posted.
    pub fn url(&self) -> Option<&str> {
        self.url
    }

    /// Whether the entry is a note: its text is all there is.
    pub fn is_note(&self) -> bool {
        let title = self.subject.entry.title.as_deref();
        let text = |_| if self.content().is_empty() { self.summary() } else { self.content() };
        note::is_note(title, title.map_or("", text))
    }

    /// Whether some text to be posted was longer than what was looked at.
    pub fn was_cut(&self) -> bool {
        self.was_cut.get()
    }

    fn plain_content(&self) -> &Plain {
        self.content.get_or_init(|| self.plain(self.subject.entry.content.as_ref()))
    }

    fn plain_summary(&self) -> &Plain {
        self.summary.get_or_init(|| self.plain(self.subject.entry.summary.as_ref()))
    }

    fn plain(&self, markup: Option<&Markup>) -> Plain {
        let start = |markup| text::start_of(markup, self.subject.entry, self.reach);
        let (text, is_all) = markup.map_or((String::new(), true), start);
        Plain { text, is_cut: !is_all }
    }

    fn posting<'p>(&self, plain: &'p Plain, markup: Option<&Markup>) -> Cow<'p, str> {
        self.was_cut.set(self.was_cut.get() || plain.is_cut);
        match markup {
            // what is left of its blanks has a meaning, which nobody promises of plain text
            Some(Markup::Html(_)) => fold::keep(&plain.text),
            _ => Cow::Borrowed(&plain.text),
        }
    }

    /// The value of a name; `None` where the entry has none.
    pub fn value(&self, name: &str) -> Option<Value> {
        let Subject { entry, platform, account, .. } = *self.subject;
        let author = entry.authors.first();
        let text = |text: Option<&str>| text.map(Value::from);
        let date = |date: Option<Timestamp>| date.map(|date| Value::from(date.to_rfc3339()));
        let some = |text: &str| (!text.is_empty()).then(|| Value::from(text));
        match name {
            "id" => text(Some(&entry.id)),
            "url" => text(self.url.or(entry.url.as_deref())),
            "alternate_url" => text(entry.alternate_url.as_deref()),
            "related_url" => text(entry.related_url.as_deref()),
            "short_url" => text(entry.short_url.as_deref()),
            "title" => text(entry.title.as_deref()),
            "subtitle" => text(entry.subtitle.as_deref()),
            "summary" => some(&self.summary_to_post()),
            "content" => some(&self.content_to_post()),
            "author_name" => text(author?.name.as_deref()),
            "author_email" => text(author?.email.as_deref()),
            "language" => text(entry.language.as_deref()),
            "published" | "published_at" => date(entry.published),
            "updated" | "updated_at" => date(entry.updated),
            "categories" => Some(Value::from_object(Categories(entry.categories.clone()))),
            "site" => site(entry.url.as_deref()?).map(Value::from),
            "platform" => Some(Value::from(platform.tag())),
            "account" => Some(Value::from(account)),
            _ => None,
        }
    }
}

/// The host of a URL as people say it: without `www.` and port.
pub fn site(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    };
    let host = host.to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (!host.is_empty()).then(|| host.to_owned())
}

/// A list that is printed as people write one.
#[derive(Debug)]
struct Categories(Vec<String>);

impl Object for Categories {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_usize()?).map(|category| Value::from(category.as_str()))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_host_as_people_say_it() {
        let check = |url: &str, expect: Option<&str>| {
            assert_eq!(site(url).as_deref(), expect, "{url}");
        };
        check("https://www.Example.com/a", Some("example.com"));
        check("https://me:pw@blog.example:8080?x", Some("blog.example"));
        check("http://[::1]:80/", Some("[::1]"));
        check("https://bücher.example", Some("bücher.example"));
        check("https://", None);
        check("nothing", None);
    }
}
