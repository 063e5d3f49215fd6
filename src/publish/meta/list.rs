//! List: the items of a list, part by part.
//!
//! Meta warns that a part may hold less than was asked for though more follow, so the parts are
//! followed to the end. **Invariant:** the next part is asked for by its cursor; the address that
//! Meta gives for it holds the token, and is never used.

use serde_json::Value;

use super::answer::words;
use super::graph::{Ask, Graph};
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::Failure;
use crate::publish::Desk;

/// How much of a list is read.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The most items of a part.
    pub part: usize,
    /// The most parts.
    pub parts: u32,
}

/// A list.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Its items, as they came.
    pub items: Vec<Value>,
    /// Whether that is all of it.
    pub is_whole: bool,
    /// What time it is over there.
    pub date: Option<Timestamp>,
}

/// Reads the posts at `path` since `since`, newest first, with these `fields`.
///
/// # Errors
/// They could not be read.
pub async fn posts(
    graph: &Graph,
    desk: &Desk<'_>,
    token: &Secret,
    (path, fields, since): (&str, &str, Timestamp),
    bounds: Bounds,
) -> Result<List, Failure> {
    let (since, limit) = ((since.as_millis() / 1000).to_string(), bounds.part.to_string());
    let (mut list, mut after) = (List::default(), String::new());
    for _ in 0..bounds.parts {
        let params =
            [("fields", fields), ("since", &since), ("limit", &limit), ("after", after.as_str())];
        let ask = Ask { token: Some(token), ..Ask::read("look through the posts", path, &params) };
        let answer = graph.ask(desk, &ask).await?;
        let Some(part) = answer.body["data"].as_array() else {
            return Err(Failure::retry("could not look through the posts: there is no list"));
        };
        list.items.extend(part.iter().cloned());
        list.date = list.date.or(answer.date);
        let paging = &answer.body["paging"];
        let has_more = paging["next"].is_string() || part.len() >= bounds.part;
        let cursor = words(&paging["cursors"]["after"]).filter(|cursor| *cursor != after);
        match cursor.filter(|_| has_more) {
            Some(cursor) => after = cursor,
            None => {
                list.is_whole = !has_more;
                return Ok(list);
            }
        }
    }
    Ok(list)
}
