//! Compose: from a stored entry to the draft that one account will send.
//!
//! A line of pure steps: template, fold, make links and people safe, fit, then facets and card.
//! **Invariant:** what comes out fits the limits; it is never empty; the entry's URL, where it is
//! in the text, is whole; nobody is pinged who is not in `[people]`.
//! **Refuses:** to read a clock, a file or a server.

use std::borrow::Cow;

use crate::draft::{Card, Channel, Draft, Media, Visibility};
use crate::entry::Entry;
use crate::people::People;
use crate::platform::{Cards, Limits, MediaLimits, Platform, Unit};
use crate::settings::Settings;
use crate::text;

mod cashtags;
pub mod card;
pub mod page;
pub mod count;
mod fit;
mod fold;
mod hashtags;
mod links;
pub mod media;
mod mentions;
mod note;
mod safe;
pub mod template;
pub mod tokens;
mod truncate;
mod utm;
mod values;

use fit::{Fate, Fitted, Fitting, Parts};
use media::Wanted;
use page::Page;
use template::Template;
use values::Values;

/// Why an entry does not become a draft. All but `Unsuited` are content failures, for the owner;
/// the next attempt would meet them again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// It does not go there, on purpose: a crosspost to be skipped, not one that failed.
    #[error("{0}")]
    Unsuited(String),
    /// `format_string`, or a part of `utm`, can't be used.
    #[error("the template can't be used: {0}")]
    Template(String),
    /// Too long, and the settings forbid to shorten. The draft is what it would be otherwise.
    #[error("too long: {0}, and truncate is off")]
    TooLong(String, Box<Draft>),
    /// Too long, and nothing of it can be cut away without breaking a link, hashtag or handle. The
    /// draft is what it would be otherwise.
    #[error("too long: {0}, and it can't be shortened without breaking {1}")]
    Unbreakable(String, &'static str, Box<Draft>),
    /// No title, no text, no URL.
    #[error("nothing to post: the entry has no title, no text and no URL")]
    Empty,
}

impl ComposeError {
    /// What would be sent if it were not too long.
    pub fn draft(&self) -> Option<&Draft> {
        match self {
            Self::TooLong(_, draft) | Self::Unbreakable(_, _, draft) => Some(draft),
            _ => None,
        }
    }
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
    /// Which media it takes.
    pub media_limits: &'a MediaLimits,
    /// Who may be mentioned.
    pub people: &'a People,
    /// What the entry's page says of itself, where it was read.
    pub page: Option<&'a Page>,
    /// The media that could be had of those that are [`media::wanted`]; absent: nobody has fetched
    /// them, and all are taken to work. Who gives them tells the notes of what was wanted.
    pub media: Option<&'a [Media]>,
}

/// Makes the draft of an entry for one account.
///
/// # Errors
/// `Unsuited` where the entry is to be skipped there; the others are content failures, which the
/// next attempt would meet again.
pub fn compose(subject: &Subject<'_>) -> Result<Draft, ComposeError> {
    let wanted = match subject.media {
        Some(fetched) => Wanted::of(fetched.to_vec()),
        None => media::wanted(subject),
    };
    let (notes, media) = (wanted.notes(0), wanted.media);
    let settings = &without_card(subject, &media);
    let subject = &Subject { media: Some(&media), settings, ..*subject };
    if let Some(reason) = unsuited(subject) {
        return Err(ComposeError::Unsuited(reason));
    }
    let near = if subject.settings.truncate { reach(subject.limits) } else { usize::MAX };
    let mut written = write(subject, near)?;
    if !written.is_all && matches!(written.fitted.fate, Fate::Whole) {
        // the rest of the entry could still have changed the text
        written = write(subject, usize::MAX)?;
    }
    written.notes.extend(notes);
    finish(subject, written)
}

/// The settings; without a card where `media` take its place: the URL is in the text then.
fn without_card<'a>(subject: &Subject<'a>, media: &[Media]) -> Cow<'a, Settings> {
    let has_card = matches!(subject.platform.rules().card, Cards::Sent { .. } | Cards::Url);
    if media.is_empty() || !has_card || !subject.settings.attach_link {
        return Cow::Borrowed(subject.settings);
    }
    Cow::Owned(subject.settings.clone().without_card())
}

/// The address of the page that is to be read for the card, where there will be one that the
/// settings do not already fill.
pub fn page_wanted<'a>(subject: &Subject<'a>) -> Option<&'a str> {
    let Settings { og_title, og_description, og_image, .. } = subject.settings;
    let is_sent = matches!(subject.platform.rules().card, Cards::Sent { .. });
    let is_full = og_title.is_some() && og_description.is_some() && og_image.is_some();
    let wanted = is_sent && subject.settings.attach_link && !is_full;
    let has_media = || match subject.media {
        Some(fetched) => !fetched.is_empty(),
        None => !media::wanted(subject).media.is_empty(),
    };
    web_address(subject.entry).filter(|_| wanted && unsuited(subject).is_none() && !has_media())
}

/// Why the entry does not go there, for the owner.
fn unsuited(subject: &Subject<'_>) -> Option<String> {
    let Subject { settings, platform, .. } = *subject;
    let (rules, tag) = (platform.rules(), platform.tag());
    if settings.channel == Channel::Story && !rules.has_stories {
        return Some(format!("{tag} has no stories"));
    }
    let has_media = || match subject.media {
        Some(media) => media.iter().any(media::is_seen),
        None => media::wanted(subject).media.iter().any(media::is_seen),
    };
    if rules.needs_media && !has_media() {
        let what = match subject.media_limits.image {
            Some(_) => "a picture or a video",
            None => "a video",
        };
        return Some(format!("{tag} takes no post without {what}"));
    }
    let narrow = [Visibility::Private, Visibility::Direct];
    let narrowed = settings.visibility.filter(|it| narrow.contains(it) && !rules.has_visibility);
    narrowed.map(|it| format!("visibility is `{}`, and on {tag} everyone sees", it.as_str()))
}

/// A text, and all that was found out on the way to it.
struct Written {
    fitted: Fitted,
    posted_url: Option<String>,
    hashtags: Vec<String>,
    title: Option<String>,
    card: Option<Card>,
    content_warning: Option<String>,
    notes: Vec<String>,
    /// Whether all of the entry was looked at.
    is_all: bool,
}

/// Writes the text, out of no more than `reach` bytes of each field.
fn write(subject: &Subject<'_>, reach: usize) -> Result<Written, ComposeError> {
    let Subject { entry, settings, platform, .. } = *subject;
    let rules = platform.rules();
    let url = web_address(entry);
    let posted_url = match (url, &settings.utm) {
        (Some(url), Some(utm)) => {
            let tagged = utm::tagged(url, utm, &Values::of(subject, Some(url), reach));
            Some(tagged.map_err(ComposeError::Template)?)
        }
        _ => url.map(str::to_owned),
    };
    let posted = posted_url.as_deref();
    let values = Values::of(subject, posted, reach);
    let template = Template::parse(format_string(settings, platform, &values))
        .map_err(ComposeError::Template)?;
    let content_warning = settings.content_warning.as_deref();
    let content_warning = content_warning.filter(|_| rules.has_content_warning);
    let content_warning = content_warning
        .map(|it| mentions::unarmed(fold::fold(&text::fold(it)), platform))
        .filter(|it| !fold::is_blank(it));
    let fitting = Fitting::of(subject, posted, content_warning.as_deref());

    // hashtags alone are no text
    let words = said(&template, &values, "")?;
    let in_template = words.is_some() && template.names("hashtags");
    let words = words.or_else(|| otherwise(entry, &values)).ok_or(ComposeError::Empty)?;
    let (bare, mut notes) = safe::safe(subject, posted, words);
    let all = hashtags::of(entry, settings, &rules);
    let mut tags = Vec::new();
    if in_template || settings.append_hashtags {
        let room = rules.hashtags_max.map_or(usize::MAX, |max| max as usize);
        tags = hashtags::missing(&all, &bare.body);
        tags.truncate(room.saturating_sub(hashtags::held(&bare.body).count()));
    }
    let with = |tags: &str| match in_template {
        true => said(&template, &values, tags),
        false => Ok(None),
    };
    let fitted = match tagged(&fitting, &bare, &tags, with)? {
        Some((fitted, told)) => {
            notes.extend(told);
            fitted
        }
        None => {
            notes.extend(left_out(&tags));
            fitting.shortened(&bare, !values.was_cut())
        }
    };
    let title = rules.title_max.map(|max| title(entry, &bare.body, max, platform));
    let has_card = settings.attach_link && matches!(rules.card, Cards::Sent { .. } | Cards::Url);
    let card = posted.filter(|_| has_card).map(|url| card::card(subject, url));
    let is_all = !values.was_cut();
    Ok(Written { fitted, posted_url, hashtags: all, title, card, content_warning, notes, is_all })
}

/// The text with as many of `tags` as fit, and what is told of the others; `None` where not even one
/// fits. `with`: the text with these hashtags, where they stand within it.
fn tagged(
    fitting: &Fitting<'_>,
    bare: &Parts<'_>,
    tags: &[String],
    with: impl Fn(&str) -> Result<Option<String>, ComposeError>,
) -> Result<Option<(Fitted, Option<String>)>, ComposeError> {
    if tags.is_empty() || fitting.whole(bare).is_none() {
        return Ok(None);
    }
    for count in (1..=tags.len()).rev() {
        let (kept, dropped) = tags.split_at(count);
        let parts = match with(&hashtags::line(kept))? {
            Some(words) => safe::safe(fitting.subject, fitting.url, words).0,
            None => Parts { hashtags: kept, ..bare.clone() },
        };
        if let Some(fitted) = fitting.whole(&parts) {
            return Ok(Some((fitted, left_out(dropped))));
        }
    }
    Ok(None)
}

/// The draft of what was written.
fn finish(subject: &Subject<'_>, written: Written) -> Result<Draft, ComposeError> {
    let Subject { entry, settings, platform, .. } = *subject;
    let rules = platform.rules();
    let Written { fitted: Fitted { piece, fate }, posted_url, mut notes, .. } = written;
    notes.extend(unused(subject));
    if let Fate::Shortened(note) = &fate {
        notes.push(note.clone());
    }
    let draft = Draft {
        facets: piece.facets,
        title: written.title,
        card: written.card,
        media: subject.media.unwrap_or_default().to_vec(),
        hashtags: written.hashtags,
        channel: settings.channel,
        language: settings
            .language
            .clone()
            .or_else(|| entry.language.clone())
            .filter(|_| rules.has_language),
        visibility: settings.visibility.filter(|_| rules.has_visibility),
        content_warning: written.content_warning,
        reply_control: settings.reply_control.filter(|_| rules.has_reply_control),
        canonical_url: entry.url.clone(),
        posted_url: posted_url.filter(|url| entry.url.as_ref() != Some(url)),
        text: piece.text,
        notes,
    };
    match fate {
        Fate::Whole | Fate::Shortened(_) => Ok(draft),
        Fate::TooLong(excess) => Err(ComposeError::TooLong(excess, Box::new(draft))),
        Fate::Unbreakable(excess, what) => {
            Err(ComposeError::Unbreakable(excess, what, Box::new(draft)))
        }
    }
}

/// The template: the owner's, else the platform's own for a note or an article.
fn format_string<'a>(settings: &'a Settings, platform: Platform, values: &Values<'_>) -> &'a str {
    let rules = platform.rules();
    match settings.format_string.as_deref().filter(|it| !it.trim().is_empty()) {
        Some(format_string) => format_string,
        None if rules.note == rules.article || !values.is_note() => rules.article,
        None => rules.note,
    }
}

/// What the template says, with these hashtags; `None` where that is nothing.
fn said(
    template: &Template<'_>,
    values: &Values<'_>,
    hashtags: &str,
) -> Result<Option<String>, ComposeError> {
    let said = template.render(values, hashtags).map_err(ComposeError::Template)?;
    Ok(Some(said).filter(|text| !fold::is_blank(text)))
}

/// What the entry has, where the template says nothing.
fn otherwise(entry: &Entry, values: &Values<'_>) -> Option<String> {
    let title = entry.title.as_deref().unwrap_or_default();
    let url = values.url().unwrap_or_default();
    let choices: [&dyn Fn() -> String; 4] = [
        &|| fold::fold_shaped(&values.content_to_post()),
        &|| fold::fold_shaped(&values.summary_to_post()),
        &|| fold::fold(title),
        &|| fold::fold(url),
    ];
    choices.into_iter().map(|text| text()).find(|text| !fold::is_blank(text))
}

/// What the settings say and the platform has not, for people.
fn unused(subject: &Subject<'_>) -> Vec<String> {
    let Subject { settings, platform, .. } = *subject;
    let rules = platform.rules();
    let visibility = settings.visibility.is_some_and(|it| it != Visibility::Public);
    let warning = settings.content_warning.as_deref().is_some_and(|it| !fold::is_blank(it));
    [
        ("content_warning", warning && !rules.has_content_warning),
        ("visibility", visibility && !rules.has_visibility),
        ("reply_control", settings.reply_control.is_some() && !rules.has_reply_control),
    ]
    .into_iter()
    .filter(|(_, is_unused)| *is_unused)
    .map(|(name, _)| format!("`{name}` is left out: {} has none", platform.tag()))
    .collect()
}

fn left_out(tags: &[String]) -> Option<String> {
    (!tags.is_empty()).then(|| format!("too long: `{}` left out", hashtags::line(tags)))
}

/// The title of a platform that has one: the entry's, else the beginning of its text.
fn title(entry: &Entry, text: &str, max: u32, platform: Platform) -> String {
    let first = text.lines().next().unwrap_or_default();
    let title = fold::fold(entry.title.as_deref().unwrap_or(first));
    let title = mentions::unarmed(safe::without_refused(title, platform), platform);
    card::line(&title, &Limits::of(Unit::CodePoints, max))
}

/// The entry's URL, if it is one that can be posted.
fn web_address(entry: &Entry) -> Option<&str> {
    entry.url.as_deref().filter(|url| tokens::is_web_address(url))
}

/// How many bytes of a field are looked at: more than a post shows. Where it is not (a row of long
/// links, which count little), all is looked at after all.
fn reach(limits: &Limits) -> usize {
    let shown = limits.max as usize * 4;
    limits.max_bytes.map_or(shown, |max| shown.max(max as usize)).saturating_add(8 * 1024)
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
    compose(&Subject {
        entry,
        settings,
        platform,
        account: "me",
        limits,
        media_limits: &platform.media(),
        people,
        page: None,
        media: None,
    })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
