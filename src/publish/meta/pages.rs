//! Pages: the Facebook Pages that a person may post to, each with its own token.
//!
//! **Invariant:** the next part of a list is asked for by its cursor; the address that Meta gives
//! for it holds the token, and is never used.

use serde_json::Value;

use super::answer::words;
use super::graph::{Ask, Graph};
use crate::config::Secret;
use crate::crosspost::Failure;
use crate::publish::Desk;
use crate::redact;

/// The most parts of a list that are read: of 100 each.
const PARTS_MAX: usize = 20;
const FIELDS: &str = "id,name,access_token,tasks";
/// What a person must be allowed to do on a Page, so that posts go out in its name.
const TASK: &str = "CREATE_CONTENT";

/// A Page.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its token; without an end where the person's token was a long-lived one.
    pub access_token: Secret,
    /// Whether posts may go out in its name, as far as is said.
    pub may_post: bool,
}

/// The Pages of the person that `user` is a token of, in the order in which Meta lists them: their
/// own, and those of their businesses, which are not always among them.
///
/// # Errors
/// The list can't be read. (Businesses that can't be read are passed over: a token without
/// `business_management` may not ask.)
pub async fn of(graph: &Graph, desk: &Desk<'_>, user: &Secret) -> Result<Vec<Page>, Failure> {
    let mut pages = Vec::new();
    take(&mut pages, &list(graph, desk, user, "/me/accounts", FIELDS).await?);
    let businesses = list(graph, desk, user, "/me/businesses", "id").await.unwrap_or_default();
    for id in businesses.iter().filter_map(|business| words(&business["id"])) {
        let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        for edge in ["owned_pages", "client_pages"].iter().filter(|_| plain) {
            let path = format!("/{id}/{edge}");
            take(&mut pages, &list(graph, desk, user, &path, FIELDS).await.unwrap_or_default());
        }
    }
    Ok(pages)
}

/// Adds what can be posted to and is not known yet.
fn take(pages: &mut Vec<Page>, listed: &[Value]) {
    for page in listed {
        let (Some(id), Some(token)) = (words(&page["id"]), words(&page["access_token"])) else {
            continue;
        };
        if pages.iter().any(|known| known.id == id) {
            continue;
        }
        let access_token = Secret::new(token);
        redact::register_renewed(&access_token);
        let tasks = page["tasks"].as_array();
        let may_post = tasks.is_none_or(|tasks| tasks.iter().any(|task| task == TASK));
        let name = words(&page["name"]).unwrap_or_default();
        pages.push(Page { id, name, access_token, may_post });
    }
}

async fn list(
    graph: &Graph,
    desk: &Desk<'_>,
    user: &Secret,
    path: &str,
    fields: &str,
) -> Result<Vec<Value>, Failure> {
    let (mut all, mut after) = (Vec::new(), String::new());
    for _ in 0..PARTS_MAX {
        let params = [("fields", fields), ("limit", "100"), ("after", after.as_str())];
        let ask = Ask { token: Some(user), ..Ask::read("list the Pages", path, &params) };
        let answer = graph.ask(desk, &ask).await?;
        let Some(part) = answer.body["data"].as_array() else { break };
        all.extend(part.iter().cloned());
        let has_more = answer.body["paging"]["next"].is_string();
        match answer.body["paging"]["cursors"]["after"].as_str() {
            Some(cursor) if has_more && !part.is_empty() => after = cursor.to_owned(),
            _ => break,
        }
    }
    Ok(all)
}
