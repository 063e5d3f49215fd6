//! Instagram, as strict as it is said to be (contract sheet, section 3).

use std::time::Duration;

use posse_party::clock::Timestamp;
use serde_json::{Value, json};

use crate::graph_server::{Call, Platform, Trouble, fetchable, only, trouble, written};

/// The number of the professional account.
pub const USER: &str = "17841405793187218";
/// The token that a renewal gives.
pub const RENEWED: &str = "marked-renewed-token-of-instagram";
const DAY: Duration = Duration::from_secs(86_400);

/// A container.
#[derive(Clone, Debug)]
pub struct Container {
    pub id: String,
    pub kind: &'static str,
    pub is_part: bool,
    pub caption: String,
    pub alt: Option<String>,
    pub address: String,
    made_at: Timestamp,
    /// How often it still says `IN_PROGRESS`.
    busy: u32,
    /// Why it fails.
    reason: Option<Trouble>,
    /// How often it still says `FINISHED` once it is published.
    lag: u32,
    is_published: bool,
    children: Vec<String>,
}

/// A public post.
#[derive(Clone, Debug)]
pub struct Post {
    pub id: String,
    pub kind: &'static str,
    pub caption: String,
    pub children: usize,
    at: Timestamp,
    /// How often the list does not show it yet.
    lag: u32,
}

/// Instagram.
#[derive(Debug)]
pub struct Instagram {
    pub posts: Vec<Post>,
    pub containers: Vec<Container>,
    /// How often a new container says `IN_PROGRESS`.
    pub busy: u32,
    /// How often a published container says `FINISHED`.
    pub status_lag: u32,
    /// How often a new post is missing from the list.
    pub list_lag: u32,
    /// How many posts one part of the list holds at the most.
    pub part_max: usize,
    /// The next containers fail with this.
    pub failing: Vec<Trouble>,
    /// Whether a failing container names its reason.
    pub tells: bool,
    /// Posts that are allowed in a day.
    pub quota: usize,
    /// Posts of other apps that count.
    pub used_elsewhere: usize,
    pub account_type: &'static str,
    pub ids: u64,
}

impl Default for Instagram {
    fn default() -> Self {
        Self {
            posts: Vec::new(),
            containers: Vec::new(),
            busy: 1,
            status_lag: 0,
            list_lag: 0,
            part_max: 100,
            failing: Vec::new(),
            tells: false,
            quota: 50,
            used_elsewhere: 0,
            account_type: "MEDIA_CREATOR",
            ids: 0,
        }
    }
}

impl Platform for Instagram {
    const HEADERS: &'static [(&'static str, &'static str)] =
        &[("X-App-Usage", r#"{"call_volume":0,"cpu_time":0}"#), ("Instagram-Api-Version", "v25.0")];

    fn answer(
        &mut self,
        call: &Call,
        now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        match (call.method.as_str(), call.parts().as_slice()) {
            ("GET", ["me"]) => Ok(json!({
                "user_id": USER, "id": "9912345678901234", "username": "ada",
                "account_type": self.account_type
            })),
            ("GET", ["refresh_access_token"]) => {
                only(call, &["grant_type"], complain)?;
                if call.get("grant_type") != Some("ig_refresh_token") {
                    return Err(trouble(100, 0, "Invalid parameter"));
                }
                let lives = json!({"access_token": RENEWED, "token_type": "bearer",
                    "expires_in": 5_184_000});
                Ok(lives)
            }
            ("POST", [USER, "media"]) => self.create(call, now, complain),
            ("POST", [USER, "media_publish"]) => self.publish(call, now, complain),
            ("GET", [USER, "media"]) => self.list(call, now, complain),
            ("GET", [USER, "content_publishing_limit"]) => {
                only(call, &["fields"], complain)?;
                let config = json!({"quota_total": self.quota, "quota_duration": 86_400});
                Ok(json!({"data": [{"quota_usage": self.used(now), "config": config}]}))
            }
            ("GET", [id]) => self.read(id, call, now, complain),
            _ => Err(trouble(100, 33, "Unsupported request. Object does not exist")),
        }
    }
}

impl Instagram {
    fn id(&mut self, start: &str) -> String {
        self.ids += 1;
        format!("{start}{:013}", self.ids)
    }

    fn used(&self, now: Timestamp) -> usize {
        let recent = self.posts.iter().filter(|post| now.since(post.at) < DAY);
        recent.count() + self.used_elsewhere
    }

    fn create(
        &mut self,
        call: &Call,
        now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        const KNOWN: &[&str] = &[
            "media_type",
            "image_url",
            "video_url",
            "caption",
            "children",
            "is_carousel_item",
            "alt_text",
        ];
        only(call, KNOWN, complain)?;
        let is_part = call.get("is_carousel_item") == Some("true");
        let (image, video) = (call.get("image_url"), call.get("video_url"));
        let kind = match (call.get("media_type"), image, video) {
            (None, Some(_), None) => "IMAGE",
            (Some("VIDEO"), None, Some(_)) if is_part => "VIDEO",
            (Some("REELS"), None, Some(_)) if !is_part => "REELS",
            (Some("STORIES"), ..) if image.is_some() != video.is_some() && !is_part => "STORIES",
            (Some("CAROUSEL"), None, None) if !is_part => "CAROUSEL",
            _ => return Err(trouble(100, 2_207_023, "The media type is unknown")),
        };
        let caption = call.get("caption").unwrap_or_default();
        if caption.chars().count() > 2200 {
            return Err(trouble(36004, 2_207_010, "The caption was too long"));
        }
        if (kind == "STORIES" || is_part) && !caption.is_empty() {
            complain.push(format!("a caption for a {kind} is lost"));
        }
        if call.get("alt_text").is_some() && kind != "IMAGE" {
            complain.push(format!("an alternative text for a {kind} is lost"));
        }
        let made = self.containers.iter().filter(|it| now.since(it.made_at) < DAY).count();
        assert!(made < 400, "the day's containers are used up");
        let children = match call.get("children") {
            Some(list) => list.split(',').map(str::to_owned).collect(),
            None => Vec::new(),
        };
        if kind == "CAROUSEL" {
            if !(2..=10).contains(&children.len()) {
                return Err(trouble(100, 2_207_028, "Carousels have 2 to 10 children"));
            }
            let good = |id: &String| {
                self.find(id).is_some_and(|it| it.is_part && it.busy == 0 && it.reason.is_none())
            };
            if !children.iter().all(good) {
                return Err(trouble(9007, 2_207_027, "The media is not ready"));
            }
        } else if !fetchable(image.or(video)) {
            let message = "Only photo or video can be accepted as media type.";
            return Err(trouble(9004, 2_207_052, message));
        }
        let id = self.id("1790");
        let reason = if self.failing.is_empty() { None } else { Some(self.failing.remove(0)) };
        self.containers.push(Container {
            id: id.clone(),
            kind,
            is_part,
            caption: caption.into(),
            alt: call.get("alt_text").map(str::to_owned),
            address: image.or(video).unwrap_or_default().into(),
            made_at: now,
            busy: self.busy,
            reason,
            lag: self.status_lag,
            is_published: false,
            children,
        });
        Ok(json!({ "id": id }))
    }

    fn find(&self, id: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.id == id)
    }

    fn read(
        &mut self,
        id: &str,
        call: &Call,
        now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        only(call, &["fields"], complain)?;
        let tells = self.tells;
        if let Some(it) = self.containers.iter_mut().find(|it| it.id == id) {
            if call.get("fields") != Some("status_code,status") {
                return Err(trouble(100, 0, "Tried accessing nonexisting field"));
            }
            let mut status = if it.is_published && it.lag == 0 {
                "PUBLISHED"
            } else if it.is_published {
                it.lag -= 1;
                "FINISHED"
            } else if now.since(it.made_at) >= DAY {
                "EXPIRED"
            } else if it.busy > 0 {
                it.busy -= 1;
                "IN_PROGRESS"
            } else if it.reason.is_some() {
                "ERROR"
            } else {
                "FINISHED"
            }
            .to_owned();
            let code = status.clone();
            if let Some(subcode) =
                it.reason.as_ref().and_then(|it| it.subcode).filter(|_| code == "ERROR" && tells)
            {
                status = format!("Error: Media upload has failed with error code {subcode}");
            }
            return Ok(json!({"status_code": code, "status": status, "id": id}));
        }
        let Some(post) = self.posts.iter().find(|post| post.id == id) else {
            return Err(trouble(100, 33, "Unsupported get request. Object does not exist"));
        };
        if call.get("fields") != Some("permalink") || post.kind == "STORIES" {
            return Err(trouble(100, 0, "Tried accessing nonexisting field"));
        }
        Ok(json!({"permalink": page(post), "id": id}))
    }

    fn publish(
        &mut self,
        call: &Call,
        now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        only(call, &["creation_id"], complain)?;
        let id = call.get("creation_id").unwrap_or_default();
        let Some(it) = self.find(id).cloned() else {
            return Err(trouble(24, 2_207_006, "The media with this id can't be found"));
        };
        if it.is_published {
            return Err(trouble(24, 2_207_006, "The media with this id can't be found"));
        }
        if it.is_part {
            complain.push("a part of a carousel is published alone".into());
            return Err(trouble(100, 0, "Invalid parameter"));
        }
        if now.since(it.made_at) >= DAY {
            return Err(trouble(-2, 2_207_020, "The container has expired"));
        }
        if it.busy > 0 {
            return Err(trouble(9007, 2_207_027, "The media is not ready for publishing"));
        }
        if let Some(reason) = it.reason {
            return Err(reason);
        }
        if self.used(now) >= self.quota {
            return Err(trouble(9, 2_207_042, "The maximum number of posts is reached"));
        }
        let container = self.containers.iter_mut().find(|it| it.id == id).unwrap();
        container.is_published = true;
        let (kind, children, lag) = (it.kind, it.children.len(), self.list_lag);
        let id = self.id("1801");
        let caption = it.caption;
        self.posts.push(Post { id: id.clone(), kind, caption, children, at: now, lag });
        Ok(json!({ "id": id }))
    }

    fn list(
        &mut self,
        call: &Call,
        _now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        only(call, &["fields", "since", "limit", "after"], complain)?;
        let number = |key: &str| call.get(key).map(|it| it.parse::<i64>().unwrap());
        let size = |key: &str| number(key).map(|it| usize::try_from(it).unwrap());
        let (since, from) = (number("since").unwrap_or(0), size("after").unwrap_or(0));
        let most = self.part_max.min(size("limit").unwrap_or(25));
        let mut shown = Vec::new();
        for post in self.posts.iter_mut().rev().filter(|post| post.kind != "STORIES") {
            if post.lag > 0 {
                post.lag -= 1;
            } else if post.at.as_millis() / 1000 >= since {
                shown.push(&*post);
            }
        }
        let item = |post: &&Post| {
            let (product, kind) = match post.kind {
                "REELS" => ("REELS", "VIDEO"),
                "CAROUSEL" => ("FEED", "CAROUSEL_ALBUM"),
                kind => ("FEED", kind),
            };
            json!({
                "id": post.id, "caption": post.caption, "permalink": page(post),
                "timestamp": written(post.at), "media_type": kind, "media_product_type": product
            })
        };
        let data: Vec<_> = shown.iter().skip(from).take(most).map(item).collect();
        let after = (from + data.len()).to_string();
        let mut paging = json!({"cursors": {"before": "QVF", "after": after}});
        if from + data.len() < shown.len() {
            // an address with the token in it, which must not be used
            paging["next"] = json!("https://graph.instagram.com/next?access_token=SECRET");
        }
        Ok(json!({"data": data, "paging": paging}))
    }
}

impl Instagram {
    /// Somebody posts an image in the app.
    pub fn post_by_hand(&mut self, caption: &str, at: Timestamp) {
        let id = self.id("1801");
        let caption = caption.into();
        self.posts.push(Post { id, kind: "IMAGE", caption, children: 0, at, lag: 0 });
    }
}

impl Post {
    /// Lists show it from now on.
    pub fn show(&mut self) {
        self.lag = 0;
    }
}

/// The page of a post.
pub fn page(post: &Post) -> String {
    let kind = if post.kind == "REELS" { "reel" } else { "p" };
    format!("https://www.instagram.com/{kind}/{}/", post.id)
}
