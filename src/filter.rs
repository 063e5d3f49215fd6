//! Filter: which entries an account wants.
//!
//! A pattern is a glob, or a regular expression between slashes; both become a `Regex`. A category
//! is a word, so that a glob on it means the whole of it; elsewhere a glob without a `*` is looked
//! for anywhere, because nobody means a title that is `draft` and nothing else.
//!
//! **Invariant:** the time that a pattern takes is linear in the text, whatever the pattern.
//! **Refuses:** to guess: what begins as a regular expression and does not end as one is a mistake.

use std::cell::LazyCell;
use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::entry::Entry;
use crate::text;

/// The most characters that a pattern may have.
pub const PATTERN_MAX: usize = 500;

/// The most bytes that a compiled pattern may take. A Unicode class takes a few thousand.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// How much of a pattern a reason shows, in characters.
const SHOWN_MAX: usize = 60;

/// `include` and `exclude` of one account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Where there are any, one of them must match.
    pub include: Vec<Rule>,
    /// None of them may match.
    pub exclude: Vec<Rule>,
}

/// One pattern on one field. Two are equal when they were written alike.
#[derive(Clone, Debug)]
pub struct Rule {
    field: Field,
    /// As it was written.
    pattern: String,
    regex: Regex,
}

/// What of an entry a pattern looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Each of its categories.
    Category,
    /// Its title. An entry without one matches nothing here, not even `*`.
    Title,
    /// Its URL, and that of its page where it is another.
    Url,
    /// Its content as plain text, else its summary.
    Content,
}

impl Filters {
    /// The rule by which `entry` is not wanted, in words; `None` where it is.
    pub fn refusal(&self, entry: &Entry) -> Option<String> {
        let content = LazyCell::new(|| {
            entry.content.as_ref().or(entry.summary.as_ref()).map(text::plain).unwrap_or_default()
        });
        let matches = |rule: &&Rule| {
            let fits = |text: &String| rule.regex.is_match(text);
            match rule.field {
                Field::Category => entry.categories.iter().any(fits),
                Field::Title => entry.title.iter().any(fits),
                Field::Url => entry.url.iter().chain(&entry.alternate_url).any(fits),
                Field::Content => fits(&content),
            }
        };
        if let Some(rule) = self.exclude.iter().find(matches) {
            return Some(format!("filtered: `exclude.{}` {rule} matches", rule.field.key()));
        }
        let is_wanted = self.include.is_empty() || self.include.iter().any(|rule| matches(&rule));
        (!is_wanted).then(|| "filtered: nothing in `include` matches".into())
    }
}

impl Rule {
    /// Reads a pattern on `field`.
    ///
    /// # Errors
    /// What is wrong with it and what is wanted, to be said after the pattern itself.
    pub fn new(field: Field, pattern: &str) -> Result<Self, String> {
        if pattern.trim().is_empty() {
            return Err("is empty, want a pattern, for example `*draft*`".into());
        }
        if pattern.chars().count() > PATTERN_MAX {
            return Err(format!("is too long, want at most {PATTERN_MAX} characters"));
        }
        let compiled = if pattern.starts_with('/') {
            let (body, flags) = expression(pattern)?;
            let has = |flag| flags.contains(flag);
            RegexBuilder::new(body)
                .case_insensitive(has('i'))
                .multi_line(has('m'))
                .dot_matches_new_line(has('s'))
                .ignore_whitespace(has('x'))
                .size_limit(COMPILED_BYTES_MAX)
                .build()
        } else {
            let is_whole = field == Field::Category || pattern.contains('*');
            RegexBuilder::new(&glob(pattern, is_whole))
                .case_insensitive(true)
                .dot_matches_new_line(true)
                .size_limit(COMPILED_BYTES_MAX)
                .build()
        };
        let regex = compiled.map_err(|error| why(&error))?;
        Ok(Self { field, pattern: pattern.into(), regex })
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        (self.field, &self.pattern) == (other.field, &other.pattern)
    }
}

impl Eq for Rule {}

impl fmt::Display for Rule {
    /// The pattern in backticks, on one line, cut to a readable length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = text::fold(&self.pattern);
        match line.char_indices().nth(SHOWN_MAX) {
            Some((end, _)) => write!(f, "`{}…`", &line[..end]),
            None => write!(f, "`{line}`"),
        }
    }
}

impl Field {
    /// Every field, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Category, Self::Title, Self::Url, Self::Content];

    /// Its key in the config.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Title => "title",
            Self::Url => "url",
            Self::Content => "content",
        }
    }
}

/// Parts `/expression/flags`.
fn expression(pattern: &str) -> Result<(&str, &str), String> {
    let parts = pattern[1..].rsplit_once('/');
    match parts.filter(|(_, flags)| flags.chars().all(|flag| "imsx".contains(flag))) {
        Some((body, _)) if body.trim().is_empty() => {
            Err("is an empty regular expression, which matches everything".into())
        }
        Some(parts) => Ok(parts),
        None => Err(format!(
            "starts as a regular expression does and does not end as one, want `/…/` or `/…/i`, \
             or for the text itself `*{pattern}*`"
        )),
    }
}

/// A glob as a regular expression: `*` is any text, `?` any character.
fn glob(pattern: &str, is_whole: bool) -> String {
    let mut regex = String::with_capacity(pattern.len() + 8);
    for c in pattern.chars() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    if is_whole { format!(r"\A{regex}\z") } else { regex }
}

/// Why a regular expression can't be used, in one line.
fn why(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "is too large a pattern, want a simpler one".into(),
        // the last line of several that draw the place
        error => {
            let told = error.to_string();
            let line = told.lines().last().unwrap_or_default();
            format!("is no regular expression: {}", line.trim_start_matches("error: "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Markup;

    fn entry() -> Entry {
        Entry {
            title: Some("Weekly notes: Ärger im Draft".into()),
            url: Some("https://a.example/notes/7?p=1".into()),
            alternate_url: Some("https://a.example/2026/weekly".into()),
            content: Some(Markup::Html("<p>An <b>ad</b>vert.</p><p>SPONSORED by us</p>".into())),
            summary: Some(Markup::Text("never looked at".into())),
            categories: vec!["Open Source".into(), "c++".into()],
            ..Entry::default()
        }
    }

    #[test]
    fn patterns_match_as_their_owner_expects() {
        let check = |field, pattern: &str, expect: bool| {
            let rule = Rule::new(field, pattern).unwrap();
            let filters = Filters { include: vec![rule], ..Filters::default() };
            assert_eq!(filters.refusal(&entry()).is_none(), expect, "{field:?} {pattern}");
        };
        // a category is a word: the whole of it, of any of them
        check(Field::Category, "open source", true);
        check(Field::Category, "C++", true);
        check(Field::Category, "open", false);
        check(Field::Category, "open*", true);
        check(Field::Category, "c??", true);
        check(Field::Category, "c?", false);
        check(Field::Category, "/^open/", false);
        check(Field::Category, "/^open/i", true);
        // elsewhere it is looked for anywhere, unless there is a `*`
        check(Field::Title, "draft", true);
        check(Field::Title, "ärger", true);
        check(Field::Title, "weekly*", true);
        check(Field::Title, "notes*", false);
        check(Field::Title, "*draft", true);
        check(Field::Title, "dr?ft", true);
        check(Field::Title, "dr?aft", false);
        check(Field::Title, r"/\bdraft\b/i", true);
        check(Field::Title, "/draft/", false);
        check(Field::Url, "/notes/", true);
        check(Field::Url, "*/notes/*", true);
        check(Field::Url, "https://a.example/notes/*", true);
        check(Field::Url, "a.example/notes", true);
        check(Field::Url, "https://a.example/notes*p", false);
        check(Field::Url, "notes/7?p=1", true);
        check(Field::Url, "*/2026/*", true);
        check(Field::Url, r"/\/notes\/\d+/", true);
        check(Field::Content, "sponsored", true);
        check(Field::Content, "an advert", true);
        check(Field::Content, "an*sponsored*", true);
        check(Field::Content, "sponsored*", false);
        check(Field::Content, "/^sponsored/mi", true);
        check(Field::Content, "/^sponsored/i", false);
        check(Field::Content, "looked at", false);
        check(Field::Content, "(a|b)", false);
    }

    #[test]
    fn what_an_entry_does_not_have_matches_nothing() {
        let bare = Entry { summary: Some(Markup::Text("a summary".into())), ..Entry::default() };
        let matches = |field, pattern: &str| {
            let exclude = vec![Rule::new(field, pattern).unwrap()];
            Filters { exclude, ..Filters::default() }.refusal(&bare).is_some()
        };
        for field in [Field::Category, Field::Title, Field::Url] {
            assert!(!matches(field, "*"), "{field:?}");
        }
        assert!(matches(Field::Content, "summary"), "without a content it is the summary");
    }

    #[test]
    fn the_refusal_names_the_rule() {
        let check = |include: &[(Field, &str)], exclude: &[(Field, &str)], expect: Option<&str>| {
            let rules = |list: &[(Field, &str)]| {
                list.iter().map(|(field, text)| Rule::new(*field, text).unwrap()).collect()
            };
            let filters = Filters { include: rules(include), exclude: rules(exclude) };
            assert_eq!(filters.refusal(&entry()).as_deref(), expect);
        };
        let (draft, rust) = ((Field::Title, "*draft*"), (Field::Category, "rust"));
        let nothing = Some("filtered: nothing in `include` matches");
        check(&[], &[], None);
        check(&[draft], &[], None);
        check(&[rust], &[], nothing);
        check(&[rust, draft], &[], None);
        check(&[], &[rust], None);
        check(&[draft], &[rust, draft], Some("filtered: `exclude.title` `*draft*` matches"));
        let long = format!("/draft\n{}/x", "  # why ".repeat(20));
        let said = "filtered: `exclude.title` `/draft # why # why # why # why # why # why # why # why # why…` \
                    matches";
        check(
            &[],
            &[(Field::Title, &long.replace("/draft", "/Draft"))],
            Some(&said.replace("/draft", "/Draft")),
        );
    }

    #[test]
    fn patterns_that_can_not_be_used_say_why() {
        let check = |pattern: &str, expect: &str| {
            assert_eq!(Rule::new(Field::Url, pattern).unwrap_err(), expect, "{pattern}");
        };
        check(" ", "is empty, want a pattern, for example `*draft*`");
        check(&"x".repeat(501), "is too long, want at most 500 characters");
        check(
            "/notes",
            "starts as a regular expression does and does not end as one, want `/…/` or `/…/i`, \
             or for the text itself `*/notes*`",
        );
        check(
            "/notes/g",
            "starts as a regular expression does and does not end as one, want `/…/` or `/…/i`, \
             or for the text itself `*/notes/g*`",
        );
        check("//", "is an empty regular expression, which matches everything");
        check("/(/", "is no regular expression: unclosed group");
        check(
            "/(?!x)/",
            "is no regular expression: look-around, including look-ahead and look-behind, is not \
             supported",
        );
        check(r"/(\w{50}){50}/", "is too large a pattern, want a simpler one");
    }

    #[test]
    fn rules_are_equal_when_they_were_written_alike() {
        let rule = |field, pattern: &str| Rule::new(field, pattern).unwrap();
        assert_eq!(rule(Field::Title, "a*"), rule(Field::Title, "a*"));
        assert_ne!(rule(Field::Title, "a*"), rule(Field::Url, "a*"));
        assert_ne!(rule(Field::Title, "a*"), rule(Field::Title, "A*"));
    }

    #[test]
    fn no_pattern_takes_long() {
        // what takes a backtracking engine the age of the universe
        let entry = Entry { title: Some("a".repeat(20_000)), ..Entry::default() };
        for pattern in ["/(a*)*b/", "/(a|a)*b/", "*a*a*a*a*a*a*a*a*b"] {
            let include = vec![Rule::new(Field::Title, pattern).unwrap()];
            assert!(Filters { include, ..Filters::default() }.refusal(&entry).is_some());
        }
    }
}
