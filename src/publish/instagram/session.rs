//! Session: the calls of Instagram's API that a post takes, with what they give in types of ours.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::owner;
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::Failure;
use crate::platform::Platform;
use crate::publish::Desk;
use crate::publish::meta::answer::words;
use crate::publish::meta::container::{Calls, ContainerId, Look, MediaId};
use crate::publish::meta::likeness::moment;
use crate::publish::meta::list::{self, Bounds};
use crate::publish::meta::params::Param;
use crate::publish::meta::{Answer, Ask, Graph, Meaning, Phase, Refusal, errors};
use crate::publish::words::shown;

/// More than twice of what an account may post in a day.
const LIST: Bounds = Bounds { part: 50, parts: 5 };

/// An account with what lets us in.
pub struct Session<'a> {
    /// The API.
    pub graph: &'a Graph,
    /// What is at hand.
    pub desk: &'a Desk<'a>,
    /// The token.
    pub token: Secret,
    /// The account's number, as configured.
    pub user_id: Option<&'a str>,
    /// What a pause of a second lasts.
    pub second: Duration,
}

/// How a container is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Being worked on, or a word that is not known.
    Busy,
    /// Can be published.
    Finished,
    /// Is published.
    Published,
    /// Failed.
    Failed(Option<Reason>),
    /// Too old.
    Expired,
    /// Not there; just after it was made that means little.
    Missing,
}

/// Why a container failed, where it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What the number in it means.
    pub meaning: Meaning,
    /// For people.
    pub words: String,
}

/// A post in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its caption.
    pub caption: String,
    /// `FEED`, `REELS` …
    pub product: String,
    /// `IMAGE`, `VIDEO`, `CAROUSEL_ALBUM` …
    pub kind: String,
    /// Its page.
    pub permalink: Option<String>,
    /// When it was published, by Instagram's clock.
    pub at: Option<Timestamp>,
}

impl Session<'_> {
    /// What is needed for a call.
    pub fn calls(&self) -> Calls<'_> {
        Calls { graph: self.graph, desk: self.desk, token: &self.token, second: self.second }
    }

    /// Makes a container, which costs one of the day's 400.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create(&self, user: &str, params: &[Param]) -> Result<ContainerId, Refusal> {
        owner::count_container(self).await?;
        self.calls().create(&format!("/{user}/media"), params).await
    }

    /// Looks at a container.
    ///
    /// # Errors
    /// It could not be looked at.
    pub async fn look(&self, id: &ContainerId) -> Result<Look<Status>, Failure> {
        let path = format!("/{}", id.0);
        let params = [("fields", "status_code,status")];
        let ask =
            Ask { token: Some(&self.token), ..Ask::read("look at the container", &path, &params) };
        let answer = match self.graph.ask(self.desk, &ask).await {
            Ok(answer) => answer,
            Err(Refusal {
                meaning: Meaning::Missing | Meaning::NotReady | Meaning::Mislaid | Meaning::Lapsed,
                ..
            }) => return Ok(Look::missing(Status::Missing)),
            Err(refusal) => return Err(refusal.into()),
        };
        let status = match answer.text("status_code").as_deref() {
            Some("FINISHED") => Status::Finished,
            Some("PUBLISHED") => Status::Published,
            Some("EXPIRED") => Status::Expired,
            Some("ERROR") => Status::Failed(answer.text("status").as_deref().and_then(reason)),
            _ => Status::Busy,
        };
        Ok(Look { status, date: answer.date, usage: answer.usage })
    }

    /// Publishes a container.
    ///
    /// # Errors
    /// The refusal.
    pub async fn publish(&self, user: &str, id: &ContainerId) -> Result<MediaId, Refusal> {
        self.calls().publish(&format!("/{user}/media_publish"), id).await
    }

    /// The page of a post, if it can be had.
    pub async fn permalink(&self, id: &MediaId) -> Option<String> {
        self.calls().permalink(id).await
    }

    /// The account's own posts since `since`, newest first, and whether these are all of them.
    /// Stories are not among them.
    ///
    /// # Errors
    /// They could not be read.
    pub async fn list(&self, user: &str, since: Timestamp) -> Result<(Vec<Listed>, bool), Failure> {
        const FIELDS: &str = "id,caption,permalink,timestamp,media_type,media_product_type";
        let path = format!("/{user}/media");
        let what = (path.as_str(), FIELDS, since);
        let list = list::posts(self.graph, self.desk, &self.token, what, LIST).await?;
        Ok((list.items.iter().filter_map(listed).collect(), list.is_whole))
    }

    /// Waits for so long, within an attempt.
    pub async fn pause(&self, long: Duration) {
        self.calls().pause(long).await;
    }
}

/// The number in the words of a container that failed: most often there is none, and the words
/// repeat the status.
fn reason(words: &str) -> Option<Reason> {
    let number = words
        .split(|c: char| !c.is_ascii_digit())
        .find(|digits| digits.len() == 7 && digits.starts_with("2207"))?
        .parse::<i64>()
        .ok()?;
    let body = json!({"error": {"code": number, "message": words}}).to_string();
    let answer = Answer::new(400, &HeaderMap::new(), body.as_bytes());
    let (meaning, hint) = errors::meaning(Platform::Instagram, Phase::Create, &answer);
    let words = shown(words);
    let words = hint.map_or_else(|| words.clone(), |hint| format!("{words}; {hint}"));
    Some(Reason { meaning, words })
}

fn listed(item: &Value) -> Option<Listed> {
    let text = |key: &str| item[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Listed {
        id: words(&item["id"])?,
        caption: text("caption").unwrap_or_default(),
        product: text("media_product_type").unwrap_or_default(),
        kind: text("media_type").unwrap_or_default(),
        permalink: text("permalink"),
        at: text("timestamp").and_then(|at| moment(&at)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_the_words_of_a_failure_is_its_reason() {
        let check = |words: &str, expect: Option<Meaning>| {
            assert_eq!(reason(words).map(|reason| reason.meaning), expect, "{words}");
        };
        check("ERROR", None);
        check("Error: Media upload has failed with error code 2207026", Some(Meaning::Content));
        check("Error (2207052): fetch", Some(Meaning::Tries(3)));
        check("Error 2207999", Some(Meaning::Unknown));
        check("at 12207026 or 22070261", None);
    }
}
