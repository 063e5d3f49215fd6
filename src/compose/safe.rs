//! Safe: a text whose links, people and marks do on its platform what their author meant.
//!
//! **Refuses:** to change words.

use super::fit::Parts;
use super::{Subject, cashtags, count, links, mentions, tokens, web_address};
use crate::platform::Platform;

/// Makes links and people of a text safe, in the way of its platform.
pub fn safe<'t>(
    subject: &Subject<'_>,
    posted: Option<&str>,
    text: String,
) -> (Parts<'t>, Vec<String>) {
    let Subject { entry, settings, platform, people, .. } = *subject;
    let rules = platform.rules();
    let mut text = text;
    if let (Some(canonical), Some(posted)) =
        (web_address(entry), posted.filter(|it| Some(*it) != web_address(entry)))
    {
        text = links::repost(&text, canonical, posted);
    }
    text = tokens::part_urls(&text, posted);
    let mut notes = Vec::new();
    if let Some(most) = rules.links_max {
        let (limited, changed) = links::limit(&text, posted, most as usize);
        notes.extend(changed.iter().map(|url| {
            format!("`{url}` is no link: {} takes {most} different ones", platform.tag())
        }));
        text = limited;
    }
    let settled = mentions::settle(text, people, settings.mentions.as_deref(), platform);
    notes.extend(settled.notes);
    text = settled.text;
    if let Some(most) = rules.cashtags_max {
        let (limited, changed) = cashtags::limit(&text, most as usize);
        notes.extend(changed.iter().map(|name| {
            format!("`{name}` is no cashtag: {} takes {most} in a post", platform.tag())
        }));
        text = limited;
    }
    text = without_refused(text, platform);
    (Parts { body: text, people: settled.missing, hashtags: &[] }, notes)
}

/// Writes characters that the platform refuses in another way, or not at all.
pub fn without_refused(text: String, platform: Platform) -> String {
    let refused = count::refused(platform);
    if !text.contains(refused) {
        return text;
    }
    let accepted = |c: char| match c {
        '<' if refused.contains(&c) => Some('‹'),
        '>' if refused.contains(&c) => Some('›'),
        c => Some(c).filter(|c| !refused.contains(c)),
    };
    text.chars().filter_map(accepted).collect()
}
