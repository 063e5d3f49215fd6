//! Session: the calls of Threads' API that a post takes, with what they give in types of ours.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::Failure;
use crate::publish::Desk;
use crate::publish::meta::answer::words;
use crate::publish::meta::container::{Calls, ContainerId, Look, MediaId};
use crate::publish::meta::likeness::moment;
use crate::publish::meta::list::{self, Bounds};
use crate::publish::meta::params::Param;
use crate::publish::meta::{Ask, Graph, Meaning, Refusal};
use crate::publish::words::shown;

/// Twice of what an account may post in a day.
const LIST: Bounds = Bounds { part: 100, parts: 5 };

/// An account with what lets us in.
pub struct Session<'a> {
    /// The API.
    pub graph: &'a Graph,
    /// What is at hand.
    pub desk: &'a Desk<'a>,
    /// The token.
    pub token: Secret,
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
    /// Failed, with the word for it.
    Failed(String),
    /// Too old.
    Expired,
    /// Not there; just after it was made that means little.
    Missing,
}

/// A post in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: MediaId,
    /// Its text.
    pub text: String,
    /// The link of its card.
    pub link: Option<String>,
    /// `TEXT_POST`, `IMAGE`, `VIDEO`, `CAROUSEL_ALBUM` …
    pub kind: String,
    /// Its page; absent for posts that Meta has flagged.
    pub permalink: Option<String>,
    /// When it was published, by Threads' clock.
    pub at: Option<Timestamp>,
}

impl Session<'_> {
    /// What is needed for a call.
    pub fn calls(&self) -> Calls<'_> {
        Calls { graph: self.graph, desk: self.desk, token: &self.token, second: self.second }
    }

    /// Makes a container.
    ///
    /// # Errors
    /// The refusal.
    pub async fn create(&self, params: &[Param]) -> Result<ContainerId, Refusal> {
        self.calls().create("/me/threads", params).await
    }

    /// Asks how a container is.
    ///
    /// # Errors
    /// It could not be asked.
    pub async fn look(&self, id: &ContainerId) -> Result<Look<Status>, Failure> {
        let path = format!("/{}", id.0);
        let params = [("fields", "id,status,error_message")];
        let ask =
            Ask { token: Some(&self.token), ..Ask::read("look at the container", &path, &params) };
        let answer = match self.graph.ask(self.desk, &ask).await {
            Ok(answer) => answer,
            Err(Refusal { meaning: Meaning::Missing | Meaning::NotReady, .. }) => {
                return Ok(Look::missing(Status::Missing));
            }
            Err(refusal) => return Err(refusal.into()),
        };
        let status = match answer.text("status").as_deref() {
            Some("FINISHED") => Status::Finished,
            Some("PUBLISHED") => Status::Published,
            Some("EXPIRED") => Status::Expired,
            Some("ERROR") => {
                let why = answer.text("error_message");
                Status::Failed(why.map_or_else(|| "UNKNOWN".into(), |why| shown(&why)))
            }
            _ => Status::Busy,
        };
        Ok(Look { status, date: answer.date, usage: answer.usage })
    }

    /// Publishes a container.
    ///
    /// # Errors
    /// The refusal.
    pub async fn publish(&self, id: &ContainerId) -> Result<MediaId, Refusal> {
        self.calls().publish("/me/threads_publish", id).await
    }

    /// The page of a post, if it can be had.
    pub async fn permalink(&self, id: &MediaId) -> Option<String> {
        self.calls().permalink(id).await
    }

    /// The account's own posts since `since`, newest first, and whether these are all of them.
    ///
    /// # Errors
    /// They could not be read.
    pub async fn list(&self, since: Timestamp) -> Result<(Vec<Listed>, bool), Failure> {
        const FIELDS: &str =
            "id,text,permalink,timestamp,media_type,shortcode,link_attachment_url,is_reply";
        let what = ("/me/threads", FIELDS, since);
        let list = list::posts(self.graph, self.desk, &self.token, what, LIST).await?;
        Ok((list.items.iter().filter_map(listed).collect(), list.is_whole))
    }

    /// Waits for so long, within an attempt.
    pub async fn pause(&self, long: Duration) {
        self.calls().pause(long).await;
    }
}

fn listed(item: &serde_json::Value) -> Option<Listed> {
    let text = |key: &str| item[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Listed {
        id: MediaId(words(&item["id"])?),
        text: text("text").unwrap_or_default(),
        link: text("link_attachment_url"),
        kind: text("media_type").unwrap_or_default(),
        permalink: text("permalink"),
        at: text("timestamp").and_then(|at| moment(&at)),
    })
}
