//! Session: the calls of the Page's API that a post takes, with what they give in types of ours.

use serde_json::Value;

use super::post::Kind;
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::crosspost::Failure;
use crate::publish::Desk;
use crate::publish::meta::answer::words;
use crate::publish::meta::likeness::moment;
use crate::publish::meta::params::{Param, borrowed};
use crate::publish::meta::{Answer, Ask, Graph, Meaning, Phase, Refusal};

/// The most posts of one list.
pub const LIST_MAX: usize = 50;

/// A Page with what lets us in.
pub struct Session<'a> {
    /// The API.
    pub graph: &'a Graph,
    /// What is at hand.
    pub desk: &'a Desk<'a>,
    /// The token.
    pub token: Secret,
    /// The number of the Page.
    pub page_id: &'a str,
}

/// A post in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its text.
    pub message: String,
    /// Where its cards and pictures lead.
    pub links: Vec<String>,
    /// Its page.
    pub permalink: Option<String>,
    /// When it was made, by Facebook's clock.
    pub at: Option<Timestamp>,
}

/// A list, and what time it is over there.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The posts, newest first.
    pub posts: Vec<Listed>,
    /// By Facebook's clock.
    pub date: Option<Timestamp>,
    /// Whether it holds everything of that time.
    pub is_whole: bool,
}

impl Session<'_> {
    /// Makes a photo that nobody sees. A lost answer costs nothing.
    ///
    /// # Errors
    /// The refusal.
    pub async fn upload(&self, params: &[Param]) -> Result<String, Refusal> {
        let path = format!("/{}/photos", self.page_id);
        let params = borrowed(params);
        let ask = Ask {
            token: Some(&self.token),
            ..Ask::write(Phase::Create, "hand over the photo", &path, &params)
        };
        self.graph.ask_for(self.desk, &ask, "id").await
    }

    /// Makes a post, and gives its id. The one call here that can't be taken back.
    ///
    /// # Errors
    /// The refusal.
    pub async fn publish(&self, kind: Kind, params: &[(&str, &str)]) -> Result<String, Refusal> {
        let edge = match kind {
            Kind::Text | Kind::Photos => "feed",
            Kind::Photo => "photos",
            Kind::Video => "videos",
        };
        let path = format!("/{}/{edge}", self.page_id);
        let ask = Ask {
            token: Some(&self.token),
            ..Ask::write(Phase::Publish, "publish", &path, params)
        };
        let answer = self.graph.ask(self.desk, &ask).await?;
        // of a photo, the post is what can be looked up and shared
        if let Some(post) = answer.text("post_id").filter(|_| kind == Kind::Photo) {
            return Ok(post);
        }
        answer.text("id").ok_or_else(|| {
            let message = "Facebook says that it published the post, and names none";
            let failure = Failure::ambiguous(message);
            Refusal { meaning: Meaning::Trouble, answered: true, failure }
        })
    }

    /// The page of a post that is no video, if it can be had; every post has one that leads on to
    /// it.
    pub async fn permalink(&self, id: &str) -> String {
        let path = format!("/{id}");
        let params = [("fields", "permalink_url")];
        let ask = Ask {
            token: Some(&self.token),
            ..Ask::read("ask for the page of the post", &path, &params)
        };
        let page = self.graph.ask_for(self.desk, &ask, "permalink_url").await.ok();
        page.map_or_else(|| format!("https://www.facebook.com/{id}"), |page| whole(&page))
    }

    /// Looks at a video.
    ///
    /// # Errors
    /// It could not be looked at.
    pub async fn look(&self, id: &str) -> Result<Answer, Failure> {
        let path = format!("/{id}");
        let params = [("fields", "status,permalink_url")];
        let ask =
            Ask { token: Some(&self.token), ..Ask::read("look at the video", &path, &params) };
        Ok(self.graph.ask(self.desk, &ask).await?)
    }

    /// The Page's own posts of `kind` since `since`, from the edge that has them: reels (which is
    /// what every video is) are not among the posts.
    ///
    /// # Errors
    /// They could not be read.
    pub async fn list(&self, kind: Kind, since: Timestamp) -> Result<List, Failure> {
        match kind {
            Kind::Video => {
                // documents name both; which of them holds a reel at once is not known
                let mut list = self.page_of("videos", VIDEO_FIELDS, since).await?;
                let reels = self.page_of("video_reels", VIDEO_FIELDS, since).await?;
                list.is_whole &= reels.is_whole;
                list.posts.extend(reels.posts);
                Ok(list)
            }
            _ => self.page_of("published_posts", POST_FIELDS, since).await,
        }
    }

    async fn page_of(&self, edge: &str, fields: &str, since: Timestamp) -> Result<List, Failure> {
        let (since, limit) = ((since.as_millis() / 1000).to_string(), LIST_MAX.to_string());
        let path = format!("/{}/{edge}", self.page_id);
        let params = [("fields", fields), ("since", &since), ("limit", &limit)];
        let ask =
            Ask { token: Some(&self.token), ..Ask::read("look through the posts", &path, &params) };
        let answer = self.graph.ask(self.desk, &ask).await?;
        let Some(items) = answer.body["data"].as_array() else {
            return Err(Failure::retry("could not look through the posts: there is no list"));
        };
        let posts: Vec<_> = items.iter().filter_map(listed).collect();
        Ok(List { date: answer.date, is_whole: items.len() < LIST_MAX, posts })
    }
}

const POST_FIELDS: &str = "id,message,created_time,permalink_url,attachments{unshimmed_url}";
const VIDEO_FIELDS: &str = "id,description,created_time,permalink_url";

fn listed(item: &Value) -> Option<Listed> {
    let text = |key: &str| item[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let attachments = item["attachments"]["data"].as_array();
    let links = attachments.into_iter().flatten().filter_map(|it| words(&it["unshimmed_url"]));
    Some(Listed {
        id: words(&item["id"])?,
        message: text("message").or_else(|| text("description")).unwrap_or_default(),
        links: links.collect(),
        permalink: text("permalink_url").map(|page| whole(&page)),
        at: text("created_time").and_then(|at| moment(&at)),
    })
}

/// The page of a reel, made of its id.
pub fn reel(id: &str) -> String {
    format!("https://www.facebook.com/reel/{id}")
}

/// The address of a page, which videos give without their host.
pub fn whole(page: &str) -> String {
    if page.starts_with('/') { format!("https://www.facebook.com{page}") } else { page.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_post_in_a_list_is_read() {
        let post = listed(&json!({
            "id": "1_2", "message": "Hello", "created_time": "2026-01-02T03:04:05+0000",
            "permalink_url": "https://www.facebook.com/1/posts/2",
            "attachments": {"data": [{"unshimmed_url": "https://a.example/1"}]}
        }));
        let post = post.unwrap();
        assert_eq!((post.id.as_str(), post.message.as_str()), ("1_2", "Hello"));
        assert_eq!(post.links, ["https://a.example/1"]);
        assert_eq!(post.at, Timestamp::parse_rfc3339("2026-01-02T03:04:05Z"));
        let reel = listed(&json!({"id": 3, "description": "Hi", "permalink_url": "/reel/3/"}));
        let reel = reel.unwrap();
        assert_eq!((reel.id.as_str(), reel.message.as_str()), ("3", "Hi"));
        assert_eq!(reel.permalink.as_deref(), Some("https://www.facebook.com/reel/3/"));
        assert_eq!(listed(&json!({"message": "x"})), None);
    }
}
