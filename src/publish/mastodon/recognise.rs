//! Recognise: whether a post on the server is the one that a draft became.
//!
//! Servers show HTML of their own making, so a draft is known by its canonical link, which they all
//! keep, and only without one by its words. **Invariant:** what is neither surely ours nor surely
//! not is called alike, and nothing is sent while there is such a one.

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use super::html;
use crate::draft::{Draft, Feature};

/// How many of our words in a post make it alike: three quarters.
const ALIKE: (usize, usize) = (3, 4);

/// Whether a post is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// It is.
    Same,
    /// It could be.
    Alike,
    /// It is not.
    Other,
}

/// What a post of ours is known by.
pub struct Sought {
    /// The canonical link, where the draft shows it.
    link: Option<String>,
    /// The words of the text, links left out.
    words: Vec<String>,
    /// The text without white space, where it has no words (a row of emoji).
    bare: String,
}

impl Sought {
    /// What the post of `draft` is known by.
    pub fn of(draft: &Draft) -> Self {
        let facets = draft.facets.iter().filter_map(|facet| match &facet.feature {
            Feature::Link(url) => Some(url.as_str()),
            Feature::Tag(_) => None,
        });
        let shown: Vec<String> = facets.chain(urls(&draft.text)).filter_map(normal).collect();
        let link = draft.canonical_url.as_deref().and_then(normal);
        Self {
            link: link.filter(|link| shown.contains(link)),
            words: words(&draft.text),
            bare: bare(&draft.text),
        }
    }

    /// Compares with a status of the API.
    pub fn in_status(&self, status: &Value) -> Likeness {
        let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str);
        let shown = html::read(text("/content").unwrap_or_default());
        let links: Vec<String> = shown
            .hrefs
            .iter()
            .map(String::as_str)
            .chain(text("/card/url"))
            .chain(urls(&shown.text))
            .filter_map(normal)
            .collect();
        let found = words(&shown.text);
        match &self.link {
            Some(link) if links.contains(link) => Likeness::Same,
            // a server that shows no link could have lost ours; one that shows another could not
            Some(_) if !links.is_empty() || self.words.is_empty() => Likeness::Other,
            Some(_) if overlaps(&self.words, &found) => Likeness::Alike,
            Some(_) => Likeness::Other,
            None if self.words.is_empty() && found.is_empty() => {
                if bare(&shown.text) == self.bare {
                    Likeness::Same
                } else {
                    Likeness::Alike
                }
            }
            None if !self.words.is_empty() && found == self.words => Likeness::Same,
            None if overlaps(&self.words, &found) => Likeness::Alike,
            None => Likeness::Other,
        }
    }
}

/// The http URLs that stand in a text.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter_map(|word| {
        let at = word.find("https://").or_else(|| word.find("http://"))?;
        let url = word[at..].trim_end_matches(|c: char| ".,;:!?\"'”»…)".contains(c));
        // a bracket that opened inside belongs to it
        let open = url.contains('(') && word[at + url.len()..].starts_with(')');
        Some(if open { &word[at..=at + url.len()] } else { url })
    })
}

/// A URL in the one form in which two can be compared: host and scheme in lower case, no fragment,
/// no slash at the end, nothing percent-encoded.
fn normal(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    url.set_fragment(None);
    let text = percent_decode_str(url.as_str()).decode_utf8_lossy().into_owned();
    Some(text.trim_end_matches('/').to_owned())
}

/// The words of a text in lower case, without its links and without the domains of its mentions.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .filter(|word| !word.contains("://"))
        .map(|word| match word.strip_prefix('@').and_then(|rest| rest.split_once('@')) {
            Some((name, _)) => name,
            None => word,
        })
        .flat_map(|word| word.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Whether most of our words are among theirs.
fn overlaps(ours: &[String], theirs: &[String]) -> bool {
    let mut left: Vec<&String> = theirs.iter().collect();
    let common = ours
        .iter()
        .filter(|word| {
            left.iter().position(|it| it == word).map(|at| left.swap_remove(at)).is_some()
        })
        .count();
    common > 0 && common * ALIKE.1 >= ours.len() * ALIKE.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn likeness(text: &str, canonical_url: Option<&str>, content: &str) -> Likeness {
        let canonical_url = canonical_url.map(str::to_owned);
        let draft = Draft { text: text.into(), canonical_url, ..Draft::default() };
        Sought::of(&draft).in_status(&json!({ "content": content, "card": null }))
    }

    #[test]
    fn a_post_is_known_by_its_link() {
        let check = |url: &str, content: &str, expect| {
            let text = format!("Hello {url}");
            assert_eq!(likeness(&text, Some(url), content), expect, "{url} in {content}");
        };
        let url = "https://Example.com/a%C3%A9/?x=1&y=2#top";
        check(url, r#"<a href="https://example.com/aé/?x=1&amp;y=2">l</a>"#, Likeness::Same);
        check("https://e.example/a", r#"<a href="HTTPS://E.example/a/">l</a>"#, Likeness::Same);
        check("https://e.example/a", "<p>Hello https://e.example/a</p>", Likeness::Same);
        check("https://e.example/a", r#"<a href="https://e.example/ab">l</a>"#, Likeness::Other);
        check("https://e.example/a?p=1", r#"<a href="https://e.example/a?p=2">"#, Likeness::Other);
        check(
            "https://bücher.example/",
            r#"<a href="https://xn--bcher-kva.example">"#,
            Likeness::Same,
        );
        check("https://e.example/a", "<p>Hello</p>", Likeness::Alike);
        check("https://e.example/a", "<p>Something else</p>", Likeness::Other);
    }

    #[test]
    fn a_card_counts_as_a_link() {
        let url = "https://e.example/a";
        let draft = Draft {
            text: format!("Hi ({url})."),
            canonical_url: Some(url.into()),
            ..Draft::default()
        };
        let status = json!({ "content": "<p>Hi</p>", "card": { "url": url } });
        assert_eq!(Sought::of(&draft).in_status(&status), Likeness::Same);
    }

    #[test]
    fn without_a_link_the_words_count() {
        let check = |text: &str, content: &str, expect| {
            assert_eq!(likeness(text, Some("https://e.example/hidden"), content), expect, "{text}");
        };
        check("One & *two*\n\nthree", "<p>One &amp; <b>two</b></p><p>three</p>", Likeness::Same);
        check(
            "Hi @bob@e.example",
            r#"<p>Hi <a href="x">@<span>bob</span></a></p>"#,
            Likeness::Same,
        );
        check("one two three four", "<p>one two three</p>", Likeness::Alike);
        check("one two three four", "<p>one two</p>", Likeness::Other);
        check("🎉 🎉", "<p>🎉 🎉</p>", Likeness::Same);
        check("🎉", "<p>🙈</p>", Likeness::Alike);
        check("🎉", "<p>words</p>", Likeness::Other);
        check("a title", "<p></p>", Likeness::Other);
    }
}
