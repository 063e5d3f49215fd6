//! Said: a preview for a terminal, or for a pipe.
//!
//! **Invariant:** nothing of a feed is printed that was not cleaned of control characters.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::medium::Medium;
use super::post::{Card, Post, Source};
use super::tokens::{self, Kind};
use super::{Preview, Subject};
use crate::cli::say::{
    BAD, GOOD, Grid, HEAD, PLAIN, QUIET, WAITS, Width, clean, from_now, glance, moment, plural,
    styled,
};
use crate::clock::Timestamp;
use crate::platform::{Cards, Platform};
use crate::poll::route;
use crate::settings::Choice;

/// Cells of a full count bar.
const BAR: usize = 20;

/// What a token looks like.
const fn style_of(kind: Kind) -> Style {
    match kind {
        Kind::Link => AnsiColor::Blue.on_default().underline(),
        Kind::Tag => AnsiColor::Cyan.on_default(),
        Kind::Mention => AnsiColor::Magenta.on_default(),
    }
}

/// The preview as text.
pub fn said(preview: &Preview, now: Timestamp) -> String {
    let mut text = String::new();
    if let Subject::Entry(found) = &preview.subject {
        let name = glance(&clean(&route::name_of(&found.entry)));
        let _ = write!(text, "{}, in {}", styled(HEAD, &format!("\"{name}\"")), found.feed);
        if let Some(at) = found.entry.published {
            let _ = write!(text, ", {} ({})", moment(at), from_now(at, now));
        }
        text.push('\n');
        let url = found.entry.url.as_deref().unwrap_or("it has no URL");
        let _ = writeln!(text, "{}", styled(QUIET, &clean(url)));
        for note in &found.notes {
            let _ = writeln!(text, "{} {}", styled(WAITS, "note:"), clean(note));
        }
        text.push('\n');
    }
    for (at, post) in preview.posts.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        text.push_str(&post_said(post));
    }
    text.push('\n');
    text.push_str(&sums(&preview.posts));
    text
}

fn post_said(post: &Post) -> String {
    let tag = post.platform.tag();
    let mut said = match &post.account {
        Some(label) => format!("{} ({tag})", styled(HEAD, label.as_str())),
        None => styled(HEAD, tag),
    };
    match &post.skipped {
        Some(why) => _ = write!(said, ": {}", styled(QUIET, &format!("skipped: {}", clean(why)))),
        None if !post.valid => _ = write!(said, ": {}", styled(BAD, "can't be sent")),
        None => {}
    }
    said.push('\n');
    if let Some(warning) = &post.content_warning {
        let _ = writeln!(said, "  │ [{}]", clean(warning));
    }
    if let Some(title) = &post.title {
        let _ = writeln!(said, "  │ {}", styled(HEAD, &clean(title)));
    }
    if !post.text.is_empty() {
        let _ = writeln!(said, "  │ {}", coloured(post));
    }
    let _ = writeln!(said, "  {}", bar(post));
    let mut line = |style: Style, name: &str, what: &str| {
        let _ = writeln!(said, "  {} {}", styled(style, &format!("{name:<10}")), clean(what));
    };
    for token in &post.tokens {
        let place = format!("{}..{}", token.byte_start, token.byte_end);
        let name = tokens::word(token.kind);
        line(style_of(token.kind), name, &format!("{place:<9} {}", token.value));
    }
    card_lines(post, &mut line);
    media_lines(&post.media, post.platform, &mut line);
    let facts = [
        ("language", post.language.as_deref()),
        ("visibility", post.visibility.map(|visibility| visibility.as_str())),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            line(PLAIN, name, value);
        }
    }
    if let Some(cost) = post.cost_usd {
        line(PLAIN, "costs", &format!("${cost:.3}"));
    }
    for (at, warning) in post.warnings.iter().enumerate() {
        let (style, name) = if at < post.errors { (BAD, "error") } else { (WAITS, "warning") };
        line(style, name, warning);
    }
    for note in &post.notes {
        line(QUIET, "note", note);
    }
    if !post.explain.is_empty() {
        said.push('\n');
        said.push_str(&explained(&post.explain));
    }
    said
}

/// The text with its tokens in colour, every line behind the border.
fn coloured(post: &Post) -> String {
    let mut text = String::new();
    for (piece, token) in tokens::pieces(&post.text, &post.tokens) {
        let style = token.map_or(PLAIN, |token| style_of(token.kind));
        for (at, line) in piece.split('\n').enumerate() {
            if at > 0 {
                text.push_str("\n  │ ");
            }
            if !line.is_empty() {
                text.push_str(&styled(style, &clean(line)));
            }
        }
    }
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// How full the post is: `████░░░░ 214/300 graphemes`.
fn bar(post: &Post) -> String {
    let max = post.limit.max(1) as usize;
    // an empty cell is left as long as there is room
    let full = (post.count * BAR).div_ceil(max).min(if post.count < max { BAR - 1 } else { BAR });
    let style = match post.count {
        count if count > max => BAD,
        count if count * 10 > max * 9 => WAITS,
        _ => GOOD,
    };
    let cells = format!("{}{}", "█".repeat(full), "░".repeat(BAR - full));
    format!("{} {}/{} {}", styled(style, &cells), post.count, post.limit, post.unit.name())
}

fn card_lines(post: &Post, line: &mut impl FnMut(Style, &str, &str)) {
    let (card, by) = match (&post.card, &post.crawled) {
        (Some(card), _) => (card, from(card)),
        (None, Some(card)) => {
            (card, format!("{} makes it of the page, probably so", post.platform.tag()))
        }
        (None, None) => return,
    };
    if post.card.is_some() && post.platform.rules().card == Cards::Url {
        line(
            PLAIN,
            "card",
            &format!("{} ({} reads the page itself)", card.url, post.platform.tag()),
        );
        return;
    }
    line(PLAIN, "card", &format!("{} ({by})", glance(or_none(&card.title, "no title"))));
    if !card.description.is_empty() {
        line(PLAIN, "", &glance(&card.description));
    }
    line(PLAIN, "", card.image_url.as_deref().unwrap_or("no picture"));
}

fn from(card: &Card) -> String {
    match card.source {
        Source::Settings => "from og_ settings".into(),
        Source::Page => "from the page".into(),
        Source::Entry => "from the entry".into(),
    }
}

fn or_none<'t>(text: &'t str, none: &'t str) -> &'t str {
    if text.is_empty() { none } else { text }
}

fn media_lines(media: &[Medium], platform: Platform, line: &mut impl FnMut(Style, &str, &str)) {
    for medium in media {
        let by = match medium.is_handed_over {
            true => format!("; {} fetches it itself", platform.tag()),
            false => String::new(),
        };
        line(PLAIN, "media", &format!("{} ({}{by})", medium.source.url, medium.plan()));
        if let Some(alt) = medium.source.alt.as_deref().filter(|alt| !alt.trim().is_empty()) {
            line(PLAIN, "", &format!("alt \"{alt}\""));
        }
    }
}

fn explained(choices: &[Choice]) -> String {
    let mut grid =
        Grid::new(&[("SETTING", Width::Whole), ("VALUE", Width::Short), ("LAYER", Width::Whole)]);
    for choice in choices {
        let value = match &choice.value {
            serde_json::Value::Null => "–".into(),
            serde_json::Value::String(text) => format!("\"{text}\""),
            other => other.to_string(),
        };
        let style = if choice.origin == crate::settings::Origin::Platform { QUIET } else { PLAIN };
        grid.row(style, vec![choice.setting.into(), value, choice.origin.to_string()]);
    }
    grid.lines().lines().map(|line| format!("  {line}\n")).collect()
}

/// The last line.
fn sums(posts: &[Post]) -> String {
    let skipped = posts.iter().filter(|post| post.skipped.is_some()).count();
    let refused = posts.iter().filter(|post| post.is_refused()).count();
    let mut parts = vec![plural(posts.len(), "post", "posts")];
    if skipped > 0 {
        parts.push(format!("{skipped} skipped"));
    }
    if refused > 0 {
        parts.push(styled(BAD, &format!("{refused} can't be sent")));
    }
    format!("{}; nothing was sent\n", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::preview::target::Target;
    use crate::platform::{Limits, Platform, Unit};

    fn post(text: &str, max: u32) -> Post {
        let mut target = Target::of_platform(Platform::Bluesky);
        target.limits = Limits::of(Unit::Graphemes, max);
        Post::of_text(text, &target)
    }

    #[test]
    fn a_bar_is_full_when_nothing_more_fits() {
        let check = |count: usize, full: usize| {
            let bar =
                anstream::adapter::strip_str(&bar(&post(&"日".repeat(count), 100))).to_string();
            let cells = bar.chars().filter(|c| *c == '█').count();
            assert_eq!((cells, bar.chars().filter(|c| *c == '░').count()), (full, BAR - full));
            assert!(bar.ends_with(&format!(" {count}/100 graphemes")), "{bar}");
        };
        check(0, 0);
        check(1, 1);
        check(50, 10);
        check(99, 19);
        check(100, 20);
        check(250, 20);
    }

    #[test]
    fn no_control_character_gets_through() {
        let said = post_said(&post("a\x1b[31mb\u{202e}c\n\n#tag\u{7}", 100));
        let plain = anstream::adapter::strip_str(&said).to_string();
        assert!(plain.starts_with("bluesky\n  │ a [31mb c\n  │\n  │ #tag"), "{plain:?}");
        assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "{plain:?}");
    }
}
