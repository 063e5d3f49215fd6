//! Page: a preview as one self-contained page for a browser.
//!
//! Each post is drawn roughly as its platform draws it. **Invariant:** everything of a feed is
//! escaped; only `http` and `https` addresses become links, only `https` ones pictures; no script,
//! and a policy in the page that would stop one.

use std::fmt::Write;

use super::post::{Card, Post};
use super::tokens::{self, Kind};
use super::{Preview, Subject};
use crate::cli::say::{from_now, moment, plural};
use crate::clock::Timestamp;
use crate::compose::media::is_seen;
use crate::compose::tokens::is_web_address;
use crate::platform::{Cards, Platform};
use crate::poll::route;
use crate::settings::{Choice, Origin};

const STYLE: &str = include_str!("page/style.css");

/// What the page may load: pictures, and its own style.
const POLICY: &str = "default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; \
     base-uri 'none'; form-action 'none'";

/// The page.
pub fn page(preview: &Preview, now: Timestamp) -> String {
    let (title, head) = head(preview, now);
    let posts: String = preview.posts.iter().map(post).collect();
    // few of them stand in one row, many in columns without gaps
    let class = if preview.posts.len() <= 3 { "few" } else { "many" };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Preview: {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         {head}<main class=\"{class}\">\n{posts}</main>\n\
         <footer class=\"colophon\">Nothing was sent. Drawn roughly as each platform draws it; \
         <code>posse-party preview</code> on {}</footer>\n</body>\n</html>\n",
        moment(now)
    )
}

/// The title, escaped, and the head of the page.
fn head(preview: &Preview, now: Timestamp) -> (String, String) {
    let (title, mut facts, notes) = match &preview.subject {
        Subject::Text => ("a text".to_owned(), vec!["as it stands".to_owned()], &[][..]),
        Subject::Entry(found) => {
            let mut facts: Vec<String> = found.entry.url.iter().map(|url| link(url, url)).collect();
            facts.push(format!("feed <b>{}</b>", escaped(found.feed.as_str())));
            facts.extend(
                found
                    .entry
                    .published
                    .map(|at| format!("<time>{}</time> ({})", moment(at), from_now(at, now))),
            );
            (escaped(&route::name_of(&found.entry)), facts, found.notes.as_slice())
        }
    };
    facts.push(plural(preview.posts.len(), "post", "posts"));
    let skipped = preview.posts.iter().filter(|post| post.skipped.is_some()).count();
    if skipped > 0 {
        facts.push(format!("{skipped} skipped"));
    }
    let refused = preview.posts.iter().filter(|post| post.is_refused()).count();
    if refused > 0 {
        facts.push(format!("<strong class=\"bad\">{refused} can’t be sent</strong>"));
    }
    let facts: String = facts.iter().map(|fact| format!("<li>{fact}</li>")).collect();
    let notes: String =
        notes.iter().map(|note| format!("<p class=\"note\">{}</p>\n", told(note))).collect();
    let head = format!(
        "<header class=\"top\">\n<p class=\"kicker\">Preview</p>\n<h1 dir=\"auto\">{title}</h1>\n\
         <ul class=\"facts\">{facts}</ul>\n{notes}</header>\n"
    );
    (title, head)
}

/// One post.
fn post(post: &Post) -> String {
    let tag = post.platform.tag();
    let mut class = format!("post {tag}");
    if post.skipped.is_some() {
        class.push_str(" skipped");
    } else if !post.valid {
        class.push_str(" refused");
    }
    let of_platform = platform_name(post.platform);
    let name = post.account.as_ref().map_or(of_platform, |label| label.as_str());
    let mut html = format!("<article class=\"{class}\">\n");
    if let Some(why) = &post.skipped {
        let _ = writeln!(html, "<p class=\"banner\"><b>Skipped</b> {}</p>", told(why));
    } else if !post.valid {
        html.push_str("<p class=\"banner\"><b>Can’t be sent</b></p>\n");
    }
    let initial = name.chars().next().unwrap_or('?').to_uppercase().collect::<String>();
    let _ = writeln!(
        html,
        "<header class=\"who\"><span class=\"avatar\" aria-hidden=\"true\">{}</span>\
         <span class=\"names\"><b>{}</b><span>{}</span></span>\
         <span class=\"badge\">{}</span></header>",
        escaped(&initial),
        escaped(name),
        if post.account.is_some() { "your account" } else { "no account" },
        of_platform
    );
    html.push_str("<div class=\"body\">\n");
    if let Some(warning) = &post.content_warning {
        let _ = writeln!(html, "<p class=\"cw\" dir=\"auto\">{}</p>", escaped(warning));
    }
    if let Some(title) = &post.title {
        let _ = writeln!(html, "<h2 dir=\"auto\">{}</h2>", escaped(title));
    }
    html.push_str(&text(post));
    html.push_str(&media(post));
    if let Some(shown) = post.card.as_ref().or(post.crawled.as_ref()) {
        html.push_str(&card(shown, post));
    }
    html.push_str("</div>\n");
    html.push_str(&foot(post));
    html.push_str("</article>\n");
    html
}

/// The text, with what the platform makes of it.
fn text(post: &Post) -> String {
    if post.text.is_empty() {
        return String::new();
    }
    let language = post.language.as_deref().unwrap_or_default();
    let mut html = format!("<p class=\"text\" dir=\"auto\" lang=\"{}\">", escaped(language));
    for (piece, token) in tokens::pieces(&post.text, &post.tokens) {
        html.push_str(&match token {
            None => escaped(piece),
            Some(token) if token.kind == Kind::Link => link(&token.value, piece),
            Some(token) => {
                format!("<span class=\"{}\">{}</span>", tokens::word(token.kind), escaped(piece))
            }
        });
    }
    html.push_str("</p>\n");
    html
}

/// A link to `url`, where that is an address of the web; else only `text`.
fn link(url: &str, text: &str) -> String {
    if !is_web_address(url) {
        return format!("<span class=\"link\">{}</span>", escaped(text));
    }
    format!(
        "<a href=\"{}\" rel=\"noopener noreferrer nofollow\">{}</a>",
        escaped(url),
        escaped(text)
    )
}

/// A picture, where it can be shown; else what there is instead.
fn picture(url: &str, alt: &str, otherwise: &str) -> String {
    if is_web_address(url) && url.get(..8).is_some_and(|it| it.eq_ignore_ascii_case("https://")) {
        let (url, alt) = (escaped(url), escaped(alt));
        return format!("<img src=\"{url}\" alt=\"{alt}\" loading=\"lazy\">");
    }
    format!("<span class=\"blank\">{}</span>", escaped(otherwise))
}

/// The media in a grid: as they are sent, where they were fetched.
fn media(post: &Post) -> String {
    let media = &post.media;
    if media.is_empty() {
        return String::new();
    }
    let mut html = format!("<div class=\"media n{}\">\n", media.len().min(4));
    for medium in media {
        let item = &medium.source;
        let alt = item.alt.as_deref().map(str::trim).unwrap_or_default();
        let kind = item.media_type.as_deref().unwrap_or("image");
        let is_image = kind.starts_with("image");
        let place = if is_image { Some(&item.url) } else { item.poster_url.as_ref() };
        let mut shown = match &medium.picture {
            Some(picture) => format!("<img src=\"{picture}\" alt=\"{}\">", escaped(alt)),
            None => picture(place.map_or("", String::as_str), alt, &item.url),
        };
        if !is_image {
            let family = kind.split('/').next().unwrap_or(kind);
            let _ = write!(shown, "<span class=\"play\">{}</span>", escaped(family));
        }
        let caption = match alt {
            "" if is_seen(item) => "<figcaption class=\"bad\">no alt text</figcaption>".into(),
            "" => String::new(),
            alt => format!("<figcaption dir=\"auto\">{}</figcaption>", escaped(alt)),
        };
        let plan = medium.file.as_ref().map(|_| medium.plan());
        let plan = plan.map(|plan| format!("<span class=\"plan\">{}</span>", escaped(&plan)));
        let _ = writeln!(html, "<figure>{shown}{caption}{}</figure>", plan.unwrap_or_default());
    }
    html.push_str("</div>\n");
    html
}

fn card(card: &Card, post: &Post) -> String {
    let host = url::Url::parse(&card.url).ok();
    let host = host.as_ref().and_then(url::Url::host_str).unwrap_or(&card.url);
    let image = match (&card.picture, &card.image_url) {
        (Some(held), _) => format!("<img src=\"{held}\" alt=\"\">"),
        (None, Some(url)) => picture(url, "", "picture"),
        (None, None) => String::new(),
    };
    let mut words = format!("<span class=\"host\">{}</span>", escaped(host));
    if !card.title.is_empty() {
        let _ = write!(words, "<b dir=\"auto\">{}</b>", escaped(&card.title));
    }
    if !card.description.is_empty() {
        let _ = write!(
            words,
            "<span class=\"says\" dir=\"auto\">{}</span>",
            escaped(&card.description)
        );
    }
    let inside = format!("{image}<span class=\"words\">{words}</span>");
    let mut html = if is_web_address(&card.url) {
        let url = escaped(&card.url);
        let rel = "noopener noreferrer nofollow";
        format!("<a class=\"card\" href=\"{url}\" rel=\"{rel}\">{inside}</a>\n")
    } else {
        format!("<div class=\"card\">{inside}</div>\n")
    };
    if matches!(post.platform.rules().card, Cards::Crawled | Cards::Url) {
        let name = platform_name(post.platform);
        let _ = writeln!(html, "<p class=\"aside\">{name} makes this card of the page itself.</p>");
    }
    html
}

/// Length, price, and what is to be said.
fn foot(post: &Post) -> String {
    let share = post.count * 100 / post.limit.max(1) as usize;
    let full = match share {
        _ if post.count > post.limit as usize => " over",
        91.. => " near",
        _ => "",
    };
    let mut html = format!(
        "<footer class=\"foot\">\n<div class=\"bar{full}\"><i style=\"width:{}%\"></i></div>\n\
         <ul class=\"chips\"><li class=\"count{full}\">{}/{} {}</li>",
        share.clamp(1, 100),
        post.count,
        post.limit,
        post.unit.name()
    );
    let visibility = post.visibility.map(|visibility| visibility.as_str().to_owned());
    let cost = post.cost_usd.map(|cost| format!("${cost:.3}"));
    for chip in [post.language.clone(), visibility, cost].into_iter().flatten() {
        let _ = write!(html, "<li>{}</li>", escaped(&chip));
    }
    html.push_str("</ul>\n");
    if !post.warnings.is_empty() || !post.notes.is_empty() {
        html.push_str("<ul class=\"words\">");
        for (at, warning) in post.warnings.iter().enumerate() {
            let class = if at < post.errors { "error" } else { "warning" };
            let _ = write!(html, "<li class=\"{class}\">{}</li>", told(warning));
        }
        for note in &post.notes {
            let _ = write!(html, "<li>{}</li>", told(note));
        }
        html.push_str("</ul>\n");
    }
    html.push_str(&explained(&post.explain));
    html.push_str("</footer>\n");
    html
}

fn explained(choices: &[Choice]) -> String {
    if choices.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<details><summary>Settings</summary><table><tr><th>setting<th>value<th>layer</tr>",
    );
    for choice in choices {
        let class = if choice.origin == Origin::Platform { "" } else { " class=\"set\"" };
        let value = if choice.value.is_null() { "–".into() } else { choice.value.to_string() };
        let _ = write!(
            html,
            "<tr{class}><td>{}<td>{}<td>{}</tr>",
            choice.setting,
            escaped(&value),
            choice.origin
        );
    }
    html.push_str("</table></details>\n");
    html
}

/// The platform as it writes itself.
const fn platform_name(platform: Platform) -> &'static str {
    match platform {
        Platform::Mastodon => "Mastodon",
        Platform::Bluesky => "Bluesky",
        Platform::Threads => "Threads",
        Platform::Instagram => "Instagram",
        Platform::Facebook => "Facebook",
        Platform::LinkedIn => "LinkedIn",
        Platform::X => "X",
        Platform::YouTube => "YouTube",
        Platform::Outbox => "Outbox",
    }
}

/// A sentence of ours, with what is in backticks set apart.
fn told(sentence: &str) -> String {
    let parts: Vec<&str> = sentence.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped(sentence); // one of them is no pair
    }
    let part = |(at, part): (usize, &&str)| match at % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    };
    parts.iter().enumerate().map(part).collect()
}

/// `text` as text of a page, also between quotes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(c),
            c if c.is_control() => html.push(' '),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out() {
        let check = |text: &str, expect: &str| assert_eq!(escaped(text), expect);
        check("</style><script>", "&lt;/style&gt;&lt;script&gt;");
        check("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;");
        check("a\u{0}\x1b[31m\nb", "a  [31m\nb");
    }

    #[test]
    fn names_in_sentences_are_set_apart() {
        let check = |text: &str, expect: &str| assert_eq!(told(text), expect);
        check("feed `a` and `<b>`", "feed <code>a</code> and <code>&lt;b&gt;</code>");
        check("without `a ` b`", "without `a ` b`");
        check("plain", "plain");
    }

    #[test]
    fn only_the_web_is_linked_and_only_https_is_loaded() {
        let check = |url: &str, linked: bool, loaded: bool| {
            assert_eq!(link(url, "x").starts_with("<a href="), linked, "{url}");
            assert_eq!(picture(url, "", "x").starts_with("<img "), loaded, "{url}");
        };
        check("https://a.io/1", true, true);
        check("HTTPS://a.io/1", true, true);
        check("http://a.io/1", true, false);
        check("javascript:alert(1)", false, false);
        check("JavaScript://a.io/%0aalert(1)", false, false);
        check("data:text/html,<script>", false, false);
        check("https://a.io/ b", false, false);
    }
}
