//! Post: what an entry, or a text, becomes for one target, with all that is to be said of it.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::medium::Medium;
use super::outlook::Outlook;
use super::read::Answer;
use super::target::Target;
use super::tokens::{self, Kind, Token};
use crate::compose::page::Page;
use crate::compose::tokens::is_web_address;
use crate::compose::{self, ComposeError, Subject, count};
use crate::config::Config;
use crate::deliver::fetch::Fetched;
use crate::draft::{Channel, Draft, Facet, Media, Visibility};
use crate::entry::Entry;
use crate::names::Label;
use crate::platform::{Cards, Limits, Platform, Unit};
use crate::settings::{Choice, Layer, Origin, Settings};

/// What is shown for one target. What is not for scripts is not serialised.
#[derive(Clone, Debug, Serialize)]
pub struct Post {
    /// Absent for a platform alone.
    pub account: Option<Label>,
    /// Where it goes.
    pub platform: Platform,
    /// As it would be sent.
    pub text: String,
    /// Its length, in `unit`.
    pub count: usize,
    /// The most that is taken.
    pub limit: u32,
    /// How it is counted.
    #[serde(serialize_with = "unit_word")]
    pub unit: Unit,
    /// Whether it fits and would be taken.
    pub valid: bool,
    /// Where links, hashtags and mentions are.
    pub tokens: Vec<Token>,
    /// What is sent beside the text about ranges of it.
    pub facets: Vec<Facet>,
    /// The link card that is sent, or made of the URL that is.
    pub card: Option<Card>,
    /// Pictures, videos and sounds.
    pub media: Vec<Medium>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Who may see it.
    pub visibility: Option<Visibility>,
    /// What stands before it.
    pub content_warning: Option<String>,
    /// Why it would not go out.
    pub skipped: Option<String>,
    /// What is wrong, what to look at, what was changed.
    pub warnings: Vec<String>,
    /// What it would cost, in US dollars.
    pub cost_usd: Option<f64>,
    /// Which layer set what, where that was asked for.
    pub explain: Vec<Choice>,
    /// A title of its own, where the platform has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Of the warnings, how many at the beginning make it invalid.
    #[serde(skip)]
    pub errors: usize,
    /// What the platform makes of the page by itself.
    #[serde(skip)]
    pub crawled: Option<Card>,
    /// For people only.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// A link card, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Card {
    /// Where it leads.
    pub url: String,
    /// Its title; may be empty.
    pub title: String,
    /// Its description; may be empty.
    pub description: String,
    /// Where its picture is.
    pub image_url: Option<String>,
    /// What it is made of.
    pub source: Source,
    /// Its picture as an address that holds all of it, for a page.
    #[serde(skip)]
    pub picture: Option<String>,
}

/// What a card is made of, first of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `og_*` settings.
    Settings,
    /// What the entry's page says of itself.
    Page,
    /// The entry's own fields.
    Entry,
}

/// A word that stays, for scripts.
fn unit_word<S: Serializer>(unit: &Unit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match unit {
        Unit::Graphemes => "graphemes",
        Unit::CodePoints | Unit::LittleText | Unit::Mastodon { .. } => "characters",
        Unit::Bytes => "bytes",
        Unit::Weighted => "weighted",
    })
}

/// What the post of an entry is made of.
#[derive(Clone, Copy, Debug)]
pub struct Drafting<'a> {
    /// The whole config.
    pub config: &'a Config,
    /// The entry as the feed has it.
    pub entry: &'a Entry,
    /// For whom.
    pub target: &'a Target,
}

impl<'a> Drafting<'a> {
    fn layers(&self) -> Vec<(Origin, &'a Layer)> {
        let Self { config, entry, target } = *self;
        if let Some((label, account)) = &target.account {
            return account.layers(&config.defaults, label, &entry.control);
        }
        let own = [(Origin::Defaults, &config.defaults)];
        own.into_iter().chain(entry.control.layers(target.platform.tag(), "")).collect()
    }

    /// Does `work` with what the composer takes.
    pub fn with<T>(
        &self,
        page: Option<&Page>,
        media: Option<&Fetched>,
        work: impl FnOnce(&Subject<'_>) -> T,
    ) -> T {
        let target = self.target;
        work(&Subject {
            entry: &self.entry.for_account(target.platform.tag(), target.label()),
            settings: &Settings::layered(target.platform, self.layers()),
            platform: target.platform,
            account: target.label(),
            limits: &target.limits,
            media_limits: &target.media_limits,
            people: &self.config.people,
            page,
            media: media.map(|fetched| fetched.media.as_slice()),
        })
    }

    /// The page that is worth a look: for the card that is sent, or to show the one that the
    /// platform will make of it.
    pub fn page(&self, media: Option<&Fetched>) -> Option<String> {
        let shown = |subject: &Subject<'_>| {
            let url = subject.entry.url.as_deref().filter(|url| is_web_address(url));
            let is_made = matches!(subject.platform.rules().card, Cards::Crawled | Cards::Url);
            url.filter(|_| is_made).map(str::to_owned)
        };
        self.with(None, media, |subject| {
            compose::page_wanted(subject).map(str::to_owned).or_else(|| shown(subject))
        })
    }

    /// The post, with what its page says and the media that could be had.
    pub fn post(
        &self,
        read: Option<&Answer>,
        media: Option<&Fetched>,
        outlook: Outlook,
        explain: bool,
    ) -> Post {
        let page = read.and_then(|read| read.as_ref().ok());
        let (mut outlook, mut is_unsuited) = (outlook, false);
        let (draft, refusal) = self.with(page, media, |subject| match compose::compose(subject) {
            Ok(draft) => (draft, None),
            Err(ComposeError::Unsuited(why)) => {
                outlook.skipped.get_or_insert(why);
                is_unsuited = true;
                (if_suited(subject), None)
            }
            Err(error) => (error.draft().cloned().unwrap_or_default(), Some(error.to_string())),
        });
        let mut post = Post::of_draft(&draft, self.target, refusal);
        let is_sent = matches!(self.target.platform.rules().card, Cards::Sent { .. });
        if let (Some(Err(why)), true) = (read, is_sent) {
            post.warnings.push(format!(
                "the card says what the feed says, because the page can't be read: {why}"
            ));
        }
        let source = self.with(page, media, |subject| source(subject.settings, page));
        post.card = draft.card.map(|card| Card {
            url: card.url,
            title: card.title,
            description: card.description,
            image_url: card.image_url,
            source,
            picture: None,
        });
        if let Some(fetched) = media {
            let seen = fetched.seen.iter().map(Option::as_ref);
            let media = draft.media.iter().zip(seen);
            post.media = media.map(|(medium, seen)| Medium::of(medium, seen)).collect();
        }
        post.crawled = crawled(&post, page, self.target.platform);
        post.warnings.extend(self.entry.control.problems.iter().cloned());
        post.warnings.extend(outlook.warnings);
        post.warnings.extend(draft.notes);
        post.warnings.extend(media.iter().flat_map(|fetched| fetched.notes.iter().cloned()));
        let mut told = BTreeSet::new();
        post.warnings.retain(|warning| told.insert(warning.clone()));
        post.skipped = outlook.skipped;
        post.valid &= !is_unsuited;
        if post.valid {
            // when and how it goes out, which is nothing to say of what does not
            post.notes.extend(outlook.notes);
        }
        if explain {
            post.explain = Settings::explain(self.target.platform, self.layers());
        }
        post
    }
}

impl Post {
    /// Whether it would be refused. What is not sent is not refused.
    pub fn is_refused(&self) -> bool {
        !self.valid && self.skipped.is_none()
    }

    /// A text as it stands.
    pub fn of_text(text: &str, target: &Target) -> Self {
        let (rules, tag) = (target.platform.rules(), target.platform.tag());
        let tokens = tokens::of_text(text, target.platform);
        let draft = Draft {
            text: text.to_owned(),
            facets: tokens::facets(&tokens, target.platform),
            ..Draft::default()
        };
        let refused = text.chars().find(|c| count::refused(target.platform).contains(c));
        let refusal = match refused {
            Some(c) => Some(format!("{tag} takes no `{}`", c.escape_debug())),
            None => text.trim().is_empty().then(|| "nothing to post: the text is empty".into()),
        };
        let mut post = Self::of_draft(&draft, target, refusal);
        if rules.needs_media {
            post.warnings.push(format!("{tag} takes no post without a picture or a video"));
        }
        post
    }

    /// What is true of every draft.
    fn of_draft(draft: &Draft, target: &Target, refusal: Option<String>) -> Self {
        let platform = target.platform;
        let tokens = tokens::of_draft(draft, platform);
        let limits = &target.limits;
        let mut errors: Vec<String> = refusal.into_iter().collect();
        if errors.is_empty() {
            errors.extend(too_long(draft, limits));
        }
        errors.extend(too_many_links(&tokens, platform));
        let too_many_tags = too_many_tags(&tokens, platform);
        let mut notes = Vec::new();
        if !target.limits_are_known {
            notes.push(format!(
                "the limit is {}'s usual one: this server's own is not known before the first post",
                platform.tag()
            ));
        }
        if let Some(max) = limits.max_bytes {
            notes.extend(near(draft.text.len(), max));
        }
        Self {
            account: target.account.as_ref().map(|(label, _)| label.clone()),
            platform,
            count: count::whole(&draft.text, draft.content_warning.as_deref(), limits.unit),
            limit: limits.max,
            unit: limits.unit,
            valid: errors.is_empty(),
            cost_usd: cost(&tokens, platform),
            tokens,
            facets: draft.facets.clone(),
            card: None,
            media: draft.media.iter().map(|medium| Medium::of(medium, None)).collect(),
            language: draft.language.clone(),
            visibility: draft.visibility,
            content_warning: draft.content_warning.clone(),
            skipped: None,
            errors: errors.len(),
            warnings: errors.into_iter().chain(too_many_tags).collect(),
            explain: Vec::new(),
            title: draft.title.clone(),
            crawled: None,
            notes,
            text: draft.text.clone(),
        }
    }
}

fn source(settings: &Settings, page: Option<&Page>) -> Source {
    let said = [&settings.og_title, &settings.og_description, &settings.og_image];
    let has_any = |page: &Page| *page != Page::default();
    match page {
        _ if said.into_iter().any(Option::is_some) => Source::Settings,
        Some(page) if has_any(page) => Source::Page,
        _ => Source::Entry,
    }
}

/// What a draft would be, were there nothing against it: a picture where one is wanted, and for
/// everybody. Its text is worth a look all the same.
fn if_suited(subject: &Subject<'_>) -> Draft {
    let picture = Media { media_type: Some("image".into()), ..Media::default() };
    let media = if subject.platform.rules().needs_media { vec![picture] } else { Vec::new() };
    let settings =
        Settings { channel: Channel::Feed, visibility: None, ..subject.settings.clone() };
    let suited = Subject { settings: &settings, media: Some(&media), ..*subject };
    let draft = compose::compose(&suited).unwrap_or_default();
    Draft { media: Vec::new(), visibility: subject.settings.visibility, ..draft }
}

fn too_long(draft: &Draft, limits: &Limits) -> Option<String> {
    let excess = count::excess_with(&draft.text, draft.content_warning.as_deref(), limits);
    excess.map(|excess| format!("too long: {excess}"))
}

/// A second limit, where it is nearer than the first.
fn near(bytes: usize, max: u32) -> Option<String> {
    (bytes * 10 > max as usize * 9).then(|| format!("{bytes} of {max} bytes"))
}

fn too_many_links(tokens: &[Token], platform: Platform) -> Option<String> {
    let max = platform.rules().links_max?;
    let mut links: Vec<&str> =
        tokens.iter().filter(|it| it.kind == Kind::Link).map(|it| it.value.as_str()).collect();
    links.sort_unstable();
    links.dedup();
    let count = links.len();
    (count > max as usize).then(|| format!("{count} links, and {} takes {max}", platform.tag()))
}

fn too_many_tags(tokens: &[Token], platform: Platform) -> Vec<String> {
    let rules = platform.rules();
    let tags = tokens.iter().filter(|it| it.kind == Kind::Tag);
    let (cashtags, hashtags): (Vec<_>, Vec<_>) = tags.partition(|it| it.value.starts_with('$'));
    let kinds = [
        (hashtags.len(), rules.hashtags_max, "hashtags"),
        (cashtags.len(), rules.cashtags_max, "cashtags"),
    ];
    let told = |(count, max, name): (usize, Option<u32>, &str)| {
        let max = max.filter(|max| count > *max as usize)?;
        Some(format!("{count} {name}, and {} takes {max}", platform.tag()))
    };
    kinds.into_iter().filter_map(told).collect()
}

fn cost(tokens: &[Token], platform: Platform) -> Option<f64> {
    let price = platform.rules().price?;
    let has_link = tokens.iter().any(|token| token.kind == Kind::Link);
    Some(if has_link { price.with_link_usd } else { price.plain_usd })
}

/// What a platform that makes its cards itself will probably show.
fn crawled(post: &Post, page: Option<&Page>, platform: Platform) -> Option<Card> {
    if platform.rules().card != Cards::Crawled {
        return None;
    }
    let page = page?;
    let link = post.tokens.iter().find(|token| token.kind == Kind::Link)?;
    Some(Card {
        url: link.value.clone(),
        title: page.title.clone()?,
        description: page.description.clone().unwrap_or_default(),
        image_url: page.image.clone(),
        source: Source::Page,
        picture: None,
    })
}
