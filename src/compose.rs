//! Compose: from a stored entry to the draft that one account will send.
//!
//! A line of pure steps: template, fold, make links and handles safe, fit, then facets and card.
//! **Invariant:** what comes out fits the limits; it is never empty; the entry's URL, where it is
//! in the text, is whole. **Refuses:** to read a clock, a file or a server.

use crate::draft::{Draft, Facet, Feature};
use crate::entry::Entry;
use crate::people::People;
use crate::platform::{Cards, Limits, Links, Mentions, Platform};
use crate::settings::Settings;
use crate::text;

pub mod card;
pub mod page;
pub mod count;
mod fold;
pub mod template;
pub mod tokens;
mod truncate;

use page::Page;

/// Why an entry can't become a draft: a content failure, for the owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// `format_string` can't be used.
    #[error("the template can't be used: {0}")]
    Template(String),
    /// Too long, and the settings forbid to shorten.
    #[error("too long: {0}, and truncate is off")]
    TooLong(String),
    /// Too long, and nothing of it can be cut away without breaking a link, hashtag or handle.
    #[error("too long: {0}, and it can't be shortened without breaking {1}")]
    Unbreakable(String, &'static str),
    /// No title, no text, no URL.
    #[error("nothing to post: the entry has no title, no text and no URL")]
    Empty,
}

/// What a draft is made of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The entry, with the fields that its control gives it for this account.
    pub entry: &'a Entry,
    /// All layers laid over each other.
    pub settings: &'a Settings,
    /// Where it goes.
    pub platform: Platform,
    /// The label of the account.
    pub account: &'a str,
    /// What the server takes.
    pub limits: &'a Limits,
    /// Who may be mentioned.
    pub people: &'a People,
    /// What the entry's page says of itself, where it was read.
    pub page: Option<&'a Page>,
}

/// Makes the draft of an entry for one account.
///
/// # Errors
/// `ComposeError`: content failures, which the next attempt would meet again.
pub fn compose(subject: &Subject<'_>) -> Result<Draft, ComposeError> {
    let Subject { entry, settings, platform, limits, .. } = *subject;
    let rules = platform.rules();
    let url = entry.url.as_deref().filter(|url| tokens::is_web_address(url));
    let mut notes = Vec::new();
    let mut body = tokens::part_urls(&body(entry, settings, url)?, url);
    if let Mentions::Plain { .. } = rules.mentions {
        let (safe, names) = tokens::handles::disarm(&body);
        notes.extend(names.iter().map(|name| format!("`{name}` is shown, but pings nobody")));
        body = safe;
    }
    let text = fit(&body, url, settings, limits, &mut notes)?;
    Ok(Draft {
        facets: if rules.links == Links::Facets { facets(&text, url) } else { Vec::new() },
        card: url
            .filter(|_| {
                settings.attach_link && matches!(rules.card, Cards::Sent { .. } | Cards::Url)
            })
            .map(|url| card::card(entry, url)),
        language: settings.language.clone().or_else(|| entry.language.clone()),
        visibility: settings.visibility.filter(|_| rules.has_visibility),
        canonical_url: entry.url.clone(),
        text,
        notes,
        ..Draft::default()
    })
}

/// What the template says; where that is nothing, the entry's text, else its URL alone.
fn body(entry: &Entry, settings: &Settings, url: Option<&str>) -> Result<String, ComposeError> {
    let rendered =
        template::render(settings.format_string.as_deref().unwrap_or("{{title}}"), entry);
    let rendered = fold::fold(&rendered.map_err(ComposeError::Template)?);
    if !fold::is_blank(&rendered) {
        return Ok(rendered);
    }
    [&entry.content, &entry.summary]
        .into_iter()
        .flatten()
        .map(|markup| fold::fold(&text::plain(markup)))
        .find(|text| !fold::is_blank(text))
        .or_else(|| url.map(str::to_owned))
        .ok_or(ComposeError::Empty)
}

/// Puts the URL where it belongs and shortens the rest until both fit.
fn fit(
    body: &str,
    url: Option<&str>,
    settings: &Settings,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Result<String, ComposeError> {
    let appended = url.filter(|_| settings.append_url).map(|url| {
        let spacer = fold::fold_between(&settings.append_url_spacer);
        format!("{}{url}", parted(body, &spacer))
    });
    let (head, tail) = match split_url(body, url) {
        Some((head, tail)) => (head, tail.to_owned()),
        None if url.is_some_and(|url| tokens::contains_url(body, url)) => (body, String::new()),
        None => (body, appended.clone().unwrap_or_default()),
    };
    let whole = format!("{head}{tail}");
    let Some(excess) = count::excess(&whole, limits) else { return Ok(whole) };
    if !settings.truncate {
        return Err(ComposeError::TooLong(excess));
    }
    let mut short = truncate::shorten(head, &tail, limits);
    if let (true, Some(url), Some(appended)) = (tail.is_empty(), url, &appended) {
        // the URL stood within the text and was cut away: then it goes to the end
        if !short.as_deref().is_some_and(|short| tokens::contains_url(short, url)) {
            short = truncate::shorten(head, appended, limits);
        }
    }
    let alone = url.filter(|_| !tail.is_empty() || appended.is_some());
    let short = short
        .or_else(|| alone.filter(|url| count::fits(url, limits)).map(str::to_owned))
        .ok_or_else(|| {
        let what = if alone.is_some() { "its link" } else { "a link, hashtag or handle" };
        ComposeError::Unbreakable(excess.clone(), what)
    })?;
    let left = count::count(&short, limits.unit);
    notes.push(format!(
        "too long ({excess}): shortened to {left}, without `{}`",
        lost(head, &short)
    ));
    Ok(short)
}

/// What `short` lacks of `text`, in one line; long losses are told by their first words.
fn lost(text: &str, short: &str) -> String {
    let kept = text.char_indices().zip(short.chars()).find(|((_, a), b)| a != b);
    let kept = kept.map_or(text.len().min(short.len()), |((at, _), _)| at);
    card::line(&text[kept..], 60)
}

/// Splits off the URL that `body` ends with, and the blanks before it.
fn split_url<'a>(body: &'a str, url: Option<&str>) -> Option<(&'a str, &'a str)> {
    let head = body.strip_suffix(url?)?;
    let trimmed = head.trim_end();
    (trimmed.len() < head.len() || head.is_empty()).then(|| body.split_at(trimmed.len()))
}

/// `spacer`, with a space added where the URL behind it, or one before it, would not be read as
/// one.
fn parted(body: &str, spacer: &str) -> String {
    let swallowed =
        tokens::find(body).last().is_some_and(|t| t.is_url && t.range.end == body.len());
    let before = swallowed && !spacer.starts_with([' ', '\n']);
    let last = if spacer.is_empty() { body.chars() } else { spacer.chars() }.next_back();
    let after =
        last.is_some_and(|c| c.is_alphanumeric() || !c.is_ascii() || "@#$+-./_".contains(c));
    format!("{}{spacer}{}", if before { " " } else { "" }, if after { " " } else { "" })
}

/// The facets of `text`; our own URL at its end has one whatever stands before it.
fn facets(text: &str, url: Option<&str>) -> Vec<Facet> {
    let mut facets = tokens::facets::detect(text);
    if let Some(url) = url.filter(|url| text.ends_with(url)) {
        let byte_start = text.len() - url.len();
        if split_url(text, Some(url)).is_some() {
            facets.retain(|facet| facet.byte_end <= byte_start);
            let feature = Feature::Link(url.to_owned());
            facets.push(Facet { byte_start, byte_end: text.len(), feature });
        }
    }
    facets
}

/// The draft for an account without people, whose page was not read.
#[cfg(test)]
fn drafted(
    entry: &Entry,
    settings: &Settings,
    platform: Platform,
    limits: &Limits,
) -> Result<Draft, ComposeError> {
    let people = &People::new();
    compose(&Subject { entry, settings, platform, account: "me", limits, people, page: None })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
