//! Page: which of a person's Facebook Pages, or accounts on Instagram, is meant.
//!
//! The config says which one: the daemon posts to that, whatever token it has. **Invariant:** a
//! token of another one is never kept. **Refuses:** a Page to which its person may not post.

use super::super::CliError;
use super::super::desk::list;
use super::super::say::clean;
use super::ask::Ask;
use crate::names::Label;
use crate::publish::meta::login::Entry;
use crate::publish::meta::pages::Page;

/// Shows the Pages, and asks which one is meant where there are several.
///
/// # Errors
/// It is none of them, not the one of the config (`page_id`), or one that can't be posted to; with
/// what to put into the config. Nothing is kept then.
pub fn choose<'p>(
    ask: &mut Ask,
    label: &Label,
    page_id: Option<&str>,
    pages: &'p [Page],
) -> Result<&'p Page, CliError> {
    if pages.is_empty() {
        return Err(CliError::refused(
            "nothing was kept: the token sees no Page",
            "choose the Page when you consent; one of a business needs `business_management`",
        ));
    }
    let is_meant = |page: &Page| page_id == Some(page.id.as_str());
    for page in pages {
        let meant = if is_meant(page) { " (the one of the config)" } else { "" };
        let may = if page.may_post { "" } else { " (you may not post there)" };
        ask.say(&format!("  {}  {}{meant}{may}", page.id, clean(&page.name)));
    }
    let ids: Vec<_> = pages.iter().map(|page| &page.id).collect();
    let configured = pages.iter().find(|page| is_meant(page));
    let Some(configured) = configured else {
        return Err(match (page_id, pages) {
            (Some(page_id), [only]) => elsewhere(label, ("page_id", page_id), &only.id, &only.name),
            _ => CliError::refused(
                format!(
                    "nothing was kept: the Pages are {}, and `page_id` is `{}`",
                    list(&ids),
                    page_id.unwrap_or_default()
                ),
                format!("set `page_id` in `[accounts.{label}]` to the one that is meant{AGAIN}"),
            ),
        });
    };
    if pages.len() > 1 {
        let id = ask.word(&format!("the id of the Page (empty: {})", configured.id))?;
        let Some(chosen) = pages.iter().find(|page| id.is_empty() || page.id == id) else {
            let message = format!("nothing was kept: there is no Page `{}`", clean(&id));
            return Err(CliError::refused(message, format!("the Pages are {}", list(&ids))));
        };
        if !id.is_empty() && !is_meant(chosen) {
            return Err(elsewhere(label, ("page_id", &configured.id), &chosen.id, &chosen.name));
        }
    }
    if !configured.may_post {
        return Err(CliError::refused(
            format!("nothing was kept: you may not post to {}", clean(&configured.name)),
            "let somebody who manages the Page give you the right to create content on it",
        ));
    }
    Ok(configured)
}

/// Whether a token is of the Page or the account of the config: its key, and the number there.
///
/// # Errors
/// It is of another one.
pub fn is_meant(
    label: &Label,
    configured: Option<(&str, &str)>,
    entry: &Entry,
) -> Result<(), CliError> {
    match configured {
        Some((key, number)) if number != entry.id => {
            Err(elsewhere(label, (key, number), &entry.id, &entry.name))
        }
        _ => Ok(()),
    }
}

const AGAIN: &str =
    ", have the daemon load it (`systemctl reload posse-party`), and run this again";

fn elsewhere(label: &Label, (key, number): (&str, &str), id: &str, name: &str) -> CliError {
    let name = clean(name);
    CliError::refused(
        format!("nothing was kept: the token is of {name} (`{id}`), and `{key}` is `{number}`"),
        format!("for {name}, set `{key} = \"{id}\"` in `[accounts.{label}]`{AGAIN}"),
    )
}
