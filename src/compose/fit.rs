//! Fit: text, mentions, URL and hashtags in the order in which people type them, within the limits.
//!
//! The order is: text, people who are mentioned besides, URL, and after a blank line the hashtags.
//! They come last because Mastodon shows a last line of hashtags apart from the text, and because
//! no other platform minds. What is too long gives way in this order: hashtags, the last one first,
//! then the text. **Invariant:** the URL (or its label) and the people stay whole.

use unicode_normalization::UnicodeNormalization;

use super::tokens;
use super::tokens::shorten::{self, Piece};
use super::{Subject, card, count, fold, hashtags, mentions, truncate};
use crate::draft::Feature;
use crate::platform::{Limits, Links, Mentions, Unit};

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
    /// The text, with facets where the platform takes them from us.
    pub piece: Piece,
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
struct Arranged {
    head: Piece,
    tail: Piece,
    /// Where the URL, or its label, starts in `tail`.
    link: Option<usize>,
}

/// What the fitting of one subject depends on.
pub struct Fitting<'a> {
    /// The subject.
    pub subject: &'a Subject<'a>,
    /// The entry's URL as it is posted.
    pub url: Option<&'a str>,
    spacer: String,
    content_warning: Option<&'a str>,
    /// What is left to the text beside the content warning.
    limits: Limits,
    /// Who may be mentioned, where we say where links and mentions are.
    facets: Option<Vec<&'a str>>,
}

impl<'a> Fitting<'a> {
    /// Of a subject, whose URL is posted as `url`, behind `content_warning`.
    pub fn of(
        subject: &'a Subject<'a>,
        url: Option<&'a str>,
        content_warning: Option<&'a str>,
    ) -> Self {
        let Subject { settings, platform, people, .. } = *subject;
        let spacer = fold::fold_between(&settings.append_url_spacer);
        let rules = platform.rules();
        let handles = match rules.mentions {
            Mentions::Facets => mentions::handles(people, settings.mentions.as_deref(), platform),
            Mentions::Plain { .. } | Mentions::None => Vec::new(),
        };
        let facets = (rules.links == Links::Facets).then_some(handles);
        let limits = count::beside(content_warning, subject.limits);
        Self { subject, url, spacer, content_warning, limits, facets }
    }

    /// The text with all its parts, if that fits.
    pub fn whole(&self, parts: &Parts<'_>) -> Option<Fitted> {
        let piece = self.arrange(parts).whole();
        count::fits(&piece.text, &self.limits).then_some(Fitted { piece, fate: Fate::Whole })
    }

    /// The text with all its parts, shortened where it must be. `is_all`: whether the text is all
    /// that the entry says; where it is not, it is longer than it seems.
    pub fn shortened(&self, parts: &Parts<'_>, is_all: bool) -> Fitted {
        let settings = self.subject.settings;
        let mut arranged = self.arrange(parts);
        let whole = arranged.whole();
        // told as the platform counts: with the warning, and against the whole limit
        let (warning, limits) = (self.content_warning, self.subject.limits);
        let Some(excess) = count::excess_with(&whole.text, warning, limits) else {
            return Fitted { piece: whole, fate: Fate::Whole };
        };
        let excess = if is_all { excess } else { format!("more than {excess}") };
        if !settings.truncate {
            return Fitted { piece: whole, fate: Fate::TooLong(excess) };
        }
        let cut = |it: &Arranged| truncate::cut(&it.head, &it.tail, &self.limits);
        let mut short = cut(&arranged);
        if (settings.append_url || settings.append_url_if_truncated) && arranged.link.is_none() {
            // the URL may have stood within the text and been cut away: then it goes to the end
            if self.url.is_some() && !short.as_ref().is_some_and(|short| self.leads_there(short)) {
                arranged = self.appended(parts, true);
                short = cut(&arranged);
            }
        }
        match short.or_else(|| self.alone(parts, &arranged)) {
            Some(piece) => {
                let left = count::whole(&piece.text, warning, limits.unit);
                let lost = lost(&arranged.head.text, &piece.text);
                let note = format!("too long ({excess}): shortened to {left}, without `{lost}`");
                Fitted { piece, fate: Fate::Shortened(note) }
            }
            None => {
                let has_link = arranged.link.is_some();
                let what = if has_link { "its link" } else { "a link, hashtag or handle" };
                Fitted { piece: arranged.whole(), fate: Fate::Unbreakable(excess, what) }
            }
        }
    }

    /// What stays, without any text before it, if that fits.
    fn alone(&self, parts: &Parts<'_>, arranged: &Arranged) -> Option<Piece> {
        let without_text = Parts { body: String::new(), hashtags: &[], ..parts.clone() };
        let alone = self.appended(&without_text, arranged.link.is_some()).whole();
        (!alone.text.is_empty() && count::fits(&alone.text, &self.limits)).then_some(alone)
    }

    /// Splits off what stays. The URL is appended unless the text has it.
    fn arrange(&self, parts: &Parts<'_>) -> Arranged {
        let Some((head, blank, url)) = split_url(&parts.body, self.url) else {
            let is_there = self.url.is_some_and(|url| self.holds(&parts.body, url));
            return self.appended(parts, self.subject.settings.append_url && !is_there);
        };
        let named = self.shown(&people(head, &parts.people));
        let stands_first = named.text.is_empty() && head.is_empty();
        let mut tail = named.join(&Piece::plain(if stands_first { "" } else { blank }));
        let link = tail.text.len();
        tail = self.with_hashtags(tail.join(&self.link(url)), head, parts.hashtags);
        Arranged { head: self.shown(head), tail, link: Some(link) }
    }

    /// The whole body as the head, and the URL in the tail.
    fn appended(&self, parts: &Parts<'_>, with_url: bool) -> Arranged {
        let head = parts.body.as_str();
        let mut tail = self.shown(&people(head, &parts.people));
        let mut link = None;
        if let Some(url) = self.url.filter(|_| with_url) {
            let label = self.subject.settings.append_url_label.as_deref();
            let label = label.filter(|_| self.facets.is_some()).map(fold::fold);
            let label = label.filter(|label| !fold::is_blank(label));
            let before = if tail.text.is_empty() { head } else { &tail.text };
            if !before.is_empty() {
                let parted = parted(before, &self.spacer, label.is_none());
                tail = tail.join(&Piece::plain(&parted));
            }
            link = Some(tail.text.len());
            tail = tail.join(&match label {
                Some(label) => Piece::labelled(&label, url),
                None => self.link(url),
            });
        }
        let tail = self.with_hashtags(tail, head, parts.hashtags);
        Arranged { head: self.shown(head), tail, link }
    }

    fn with_hashtags(&self, tail: Piece, head: &str, tags: &[String]) -> Piece {
        if tags.is_empty() {
            return tail;
        }
        let nothing_before = head.is_empty() && tail.text.is_empty();
        let gap = Piece::plain(if nothing_before { "" } else { "\n\n" });
        tail.join(&gap).join(&self.shown(&hashtags::line(tags)))
    }

    /// `text` as it is shown. The entry's URL needs no guess where it ends.
    fn shown(&self, text: &str) -> Piece {
        let Some(handles) = &self.facets else { return Piece::plain(text) };
        let mut piece = Piece::default();
        let mut from = 0;
        if let Some(url) = self.url {
            // a text is composed (NFC), and a URL may not be
            let composed: String = url.nfc().collect();
            for range in tokens::addresses(text) {
                let address = &text[range.clone()];
                let own = [url, &composed].into_iter().find(|form| address.starts_with(form));
                if let Some(form) = own.filter(|_| tokens::contains_url(address, url)) {
                    piece = piece.join(&shorten::shorten(&text[from..range.start], handles));
                    piece = piece.join(&Piece::link(url));
                    from = range.start + form.len();
                }
            }
        }
        piece.join(&shorten::shorten(&text[from..], handles))
    }

    /// The entry's URL as it is shown.
    fn link(&self, url: &str) -> Piece {
        if self.facets.is_some() { Piece::link(url) } else { Piece::plain(url) }
    }

    /// Whether a text holds the entry's URL, as it is posted or as it is.
    fn holds(&self, text: &str, url: &str) -> bool {
        let canonical = self.subject.entry.url.as_deref();
        tokens::contains_url(text, url)
            || canonical.is_some_and(|canonical| tokens::contains_url(text, canonical))
    }

    /// Whether a shown text leads to the entry's URL.
    fn leads_there(&self, piece: &Piece) -> bool {
        let is_own = |link: &str| self.url.is_some_and(|url| self.holds(link, url));
        match &self.facets {
            None => is_own(&piece.text),
            Some(_) => piece
                .facets
                .iter()
                .any(|facet| matches!(&facet.feature, Feature::Link(link) if is_own(link))),
        }
    }
}

impl Arranged {
    fn whole(&self) -> Piece {
        self.head.clone().join(&self.tail)
    }
}

/// ` @one @two`
fn people(head: &str, people: &[String]) -> String {
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
fn split_url<'a>(body: &'a str, url: Option<&'a str>) -> Option<(&'a str, &'a str, &'a str)> {
    let url = url?;
    let before = body.strip_suffix(url)?;
    let (head, blank) = before.split_at(before.trim_end().len());
    (!blank.is_empty() || before.is_empty()).then_some((head, blank, url))
}

/// `spacer`, with a space added where a URL before it would not be read as one; or the one behind
/// it, if one follows.
fn parted(before: &str, spacer: &str, url_follows: bool) -> String {
    // no token holds white space
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let swallowed =
        tokens::find(word).last().is_some_and(|t| t.is_url && t.range.end == word.len());
    let space_before = swallowed && !spacer.starts_with([' ', '\n']);
    let last = if spacer.is_empty() { before.chars() } else { spacer.chars() }.next_back();
    let glued =
        last.is_some_and(|c| c.is_alphanumeric() || !c.is_ascii() || "@#$+-./_".contains(c));
    let space_after = url_follows && glued;
    format!("{}{spacer}{}", if space_before { " " } else { "" }, if space_after { " " } else { "" })
}
