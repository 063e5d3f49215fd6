//! Fit: text, mentions, URL and hashtags in the order in which people type them, within the limits.
//!
//! The order is: text, people who are mentioned besides, URL, and after a blank line the hashtags.
//! They come last because Mastodon shows a last line of hashtags apart from the text, and because
//! no other platform minds. What is too long gives way in this order: hashtags, the last one first,
//! then the text. **Invariant:** the URL (or its label) and the people stay whole.

use std::ops::Range;

use super::tokens;
use super::{Subject, card, count, fold, hashtags, truncate};
use crate::platform::{Limits, Links, Unit};

/// What is to be fitted.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// The text, which may hold the URL.
    pub body: String,
    /// People to be mentioned after it, as handles without `@`.
    pub people: Vec<String>,
    /// Hashtags to be put after all.
    pub hashtags: &'a [String],
}

/// A text, and what became of it.
#[derive(Debug)]
pub struct Fitted {
    /// The text.
    pub text: String,
    /// Where the entry's URL, or its label, stands at the end of the text.
    pub link: Option<Range<usize>>,
    /// How it came to fit.
    pub fate: Fate,
}

/// How a text came to fit.
#[derive(Debug)]
pub enum Fate {
    /// It fits as it is.
    Whole,
    /// It was shortened, for being so long: a note about that.
    Shortened(String),
    /// It is so long, and may not be shortened.
    TooLong(String),
    /// It is so long, and can't be shortened without breaking that.
    Unbreakable(String, &'static str),
}

/// A text whose end stays.
struct Arranged<'a> {
    head: &'a str,
    tail: String,
    /// Where the URL, or its label, stands in `tail`.
    link: Option<Range<usize>>,
}

/// What the fitting of one subject depends on.
pub struct Fitting<'a> {
    subject: &'a Subject<'a>,
    url: Option<&'a str>,
    spacer: String,
    limits: Limits,
}

impl<'a> Fitting<'a> {
    /// Of a subject, whose URL is posted as `url`, into `limits`.
    pub fn of(subject: &'a Subject<'a>, url: Option<&'a str>, limits: Limits) -> Self {
        let spacer = fold::fold_between(&subject.settings.append_url_spacer);
        Self { subject, url, spacer, limits }
    }

    /// The text with all its parts, if that fits.
    pub fn whole(&self, parts: &Parts<'_>) -> Option<Fitted> {
        let arranged = self.arrange(parts, self.subject.settings.append_url);
        count::fits(&arranged.whole(), &self.limits).then(|| arranged.into_fitted(Fate::Whole))
    }

    /// The text with all its parts, shortened where it must be. `is_all`: whether the text is all
    /// that the entry says; where it is not, it is too long in any case.
    pub fn shortened(&self, parts: &Parts<'_>, is_all: bool) -> Fitted {
        let settings = self.subject.settings;
        let arranged = self.arrange(parts, settings.append_url);
        let whole = arranged.whole();
        let Some(excess) = count::excess(&whole, &self.limits) else {
            return arranged.into_fitted(Fate::Whole);
        };
        let excess = if is_all { excess } else { format!("more than {excess}") };
        if !settings.truncate {
            return arranged.into_fitted(Fate::TooLong(excess));
        }
        let cut = |it: &Arranged<'_>| truncate::shorten(it.head, &it.tail, &self.limits);
        let mut short = cut(&arranged);
        let mut chosen = arranged;
        if settings.append_url || settings.append_url_if_truncated {
            // the URL may have stood within the text and been cut away: then it goes to the end
            let lacks =
                |text: &String| !self.url.is_some_and(|url| tokens::contains_url(text, url));
            if chosen.link.is_none() && self.url.is_some() && short.as_ref().is_none_or(lacks) {
                chosen = self.appended(parts, true);
                short = cut(&chosen);
            }
        }
        let alone = || {
            // a spacer is nothing without a text before it
            let start = chosen.link.as_ref().filter(|_| parts.people.is_empty());
            let tail = chosen.tail[start.map_or(0, |link| link.start)..].trim_start();
            (!tail.is_empty() && count::fits(tail, &self.limits)).then(|| tail.to_owned())
        };
        match short.or_else(alone) {
            Some(text) => {
                let left = count::count(&text, self.limits.unit);
                let lost = lost(chosen.head, &text);
                let note = format!("too long ({excess}): shortened to {left}, without `{lost}`");
                let end = text.len();
                let link = chosen.link_in(end);
                Fitted { text, link, fate: Fate::Shortened(note) }
            }
            None => {
                let what =
                    if chosen.link.is_some() { "its link" } else { "a link, hashtag or handle" };
                chosen.into_fitted(Fate::Unbreakable(excess, what))
            }
        }
    }

    /// Splits off what stays. The URL is appended unless the text has it.
    fn arrange<'p>(&self, parts: &'p Parts<'_>, with_url: bool) -> Arranged<'p> {
        if let Some((head, end)) = split_url(&parts.body, self.url) {
            let mut tail = mentions(head, &parts.people);
            tail.push_str(if head.is_empty() && tail.is_empty() { end.trim_start() } else { end });
            let url = self.url.map_or(0, str::len);
            let link = Some(tail.len() - url..tail.len());
            return Arranged { head, tail, link }.with_hashtags(parts.hashtags);
        }
        let is_there = self.url.is_some_and(|url| self.holds(&parts.body, url));
        self.appended(parts, with_url && !is_there)
    }

    /// The whole body as the head, and the URL in the tail.
    fn appended<'p>(&self, parts: &'p Parts<'_>, with_url: bool) -> Arranged<'p> {
        let head = parts.body.as_str();
        let mut tail = mentions(head, &parts.people);
        let mut link = None;
        if let Some(url) = self.url.filter(|_| with_url) {
            let is_facet = self.subject.platform.rules().links == Links::Facets;
            let label = self.subject.settings.append_url_label.as_deref().filter(|_| is_facet);
            let label = label.map(fold::fold).filter(|label| !fold::is_blank(label));
            let before = if tail.is_empty() { head } else { &tail };
            if !before.is_empty() {
                let parted = parted(before, &self.spacer, label.is_none());
                tail.push_str(&parted);
            }
            let start = tail.len();
            tail.push_str(label.as_deref().unwrap_or(url));
            link = Some(start..tail.len());
        }
        Arranged { head, tail, link }.with_hashtags(parts.hashtags)
    }

    /// Whether a text holds the entry's URL, as it is posted or as it is.
    fn holds(&self, text: &str, url: &str) -> bool {
        let canonical = self.subject.entry.url.as_deref();
        tokens::contains_url(text, url)
            || canonical.is_some_and(|canonical| tokens::contains_url(text, canonical))
    }
}

impl Arranged<'_> {
    fn with_hashtags(mut self, tags: &[String]) -> Self {
        if !tags.is_empty() {
            if !(self.head.is_empty() && self.tail.is_empty()) {
                self.tail.push_str("\n\n");
            }
            self.tail.push_str(&hashtags::line(tags));
        }
        self
    }

    fn whole(&self) -> String {
        format!("{}{}", self.head, self.tail)
    }

    /// Where the link is in a text of `end` bytes that ends with the tail.
    fn link_in(&self, end: usize) -> Option<Range<usize>> {
        let link = self.link.as_ref()?;
        Some(end - (self.tail.len() - link.start)..end - (self.tail.len() - link.end))
    }

    fn into_fitted(self, fate: Fate) -> Fitted {
        let text = self.whole();
        Fitted { link: self.link_in(text.len()), text, fate }
    }
}

/// ` @one @two`
fn mentions(head: &str, people: &[String]) -> String {
    let line = people.iter().map(|handle| format!("@{handle}")).collect::<Vec<_>>().join(" ");
    if line.is_empty() || head.is_empty() { line } else { format!(" {line}") }
}

/// What `short` lacks of `text`, in one line; long losses are told by their first words.
fn lost(text: &str, short: &str) -> String {
    let kept = text.char_indices().zip(short.chars()).find(|((_, a), b)| a != b);
    let kept = kept.map_or(text.len().min(short.len()), |((at, _), _)| at);
    card::line(&text[kept..], &Limits::of(Unit::Graphemes, 60))
}

/// Splits off the URL that `body` ends with, and the blanks before it.
fn split_url<'a>(body: &'a str, url: Option<&str>) -> Option<(&'a str, &'a str)> {
    let head = body.strip_suffix(url?)?;
    let trimmed = head.trim_end();
    (trimmed.len() < head.len() || head.is_empty()).then(|| body.split_at(trimmed.len()))
}

/// `spacer`, with a space added where a URL before it would not be read as one; or the one behind
/// it, if one follows.
fn parted(before: &str, spacer: &str, url_follows: bool) -> String {
    let swallowed =
        tokens::find(before).last().is_some_and(|t| t.is_url && t.range.end == before.len());
    let space_before = swallowed && !spacer.starts_with([' ', '\n']);
    let last = if spacer.is_empty() { before.chars() } else { spacer.chars() }.next_back();
    let glued =
        last.is_some_and(|c| c.is_alphanumeric() || !c.is_ascii() || "@#$+-./_".contains(c));
    let space_after = url_follows && glued;
    format!("{}{spacer}{}", if space_before { " " } else { "" }, if space_after { " " } else { "" })
}
