//! A Facebook Page, as strict as it is said to be (contract sheet, section 4).

use posse_party::clock::Timestamp;
use serde_json::{Value, json};

use crate::graph_server::{Call, Platform, Trouble, fetchable, only, trouble, written};

/// The number of the Page.
pub const PAGE: &str = "107000000000001";

/// A public post.
#[derive(Clone, Debug, Default)]
pub struct Post {
    pub id: String,
    pub message: String,
    pub link: Option<String>,
    /// The addresses of its photos.
    pub photos: Vec<String>,
    pub alts: Vec<Option<String>>,
    pub is_video: bool,
    /// How often it is still said to be worked on.
    busy: u32,
    /// Why it will never be seen.
    reason: Option<Value>,
    pub at: i64,
    /// How often no list shows it yet.
    lag: u32,
}

/// A photo that nobody sees.
#[derive(Clone, Debug)]
pub struct Photo {
    pub id: String,
    address: String,
    alt: Option<String>,
}

/// The Page.
#[derive(Debug)]
pub struct Facebook {
    pub posts: Vec<Post>,
    pub unseen: Vec<Photo>,
    /// How often a new post is missing from the lists.
    pub list_lag: u32,
    /// Whether it refuses what it had just before.
    pub knows_duplicates: bool,
    /// Whether its pages can be read: `link` makes its card of them.
    pub scrapes: bool,
    /// What `debug_token` says.
    pub about: Value,
    /// Whom `/me` names.
    pub me: (&'static str, &'static str),
    /// How often a new video is worked on still when it is looked at.
    pub busy: u32,
    /// The next videos fail with these: what stands in a phase of their status.
    pub failing: Vec<Value>,
    /// Whether nobody can look at videos just now.
    pub is_blind: bool,
    /// The Pages of whom the token is of.
    pub pages: Value,
    pub ids: u64,
}

impl Default for Facebook {
    fn default() -> Self {
        Self {
            posts: Vec::new(),
            unseen: Vec::new(),
            list_lag: 0,
            knows_duplicates: false,
            scrapes: true,
            about: json!({
                "app_id": "12", "type": "PAGE", "is_valid": true, "expires_at": 0,
                "data_access_expires_at": 1_807_776_000, "profile_id": PAGE,
                "scopes": ["pages_show_list", "pages_read_engagement", "pages_manage_posts"]
            }),
            me: (PAGE, "Ada's Page"),
            busy: 1,
            failing: Vec::new(),
            is_blind: false,
            pages: json!([]),
            ids: 0,
        }
    }
}

impl Platform for Facebook {
    const HEADERS: &'static [(&'static str, &'static str)] = &[
        (
            "X-Business-Use-Case-Usage",
            r#"{"107000000000001":[{"type":"pages","call_count":1,"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":0}]}"#,
        ),
        ("Facebook-Api-Version", "v25.0"),
    ];

    fn answer(
        &mut self,
        call: &Call,
        now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        match (call.method.as_str(), call.parts().as_slice()) {
            ("GET", ["me"]) => Ok(json!({"id": self.me.0, "name": self.me.1})),
            ("GET", ["me", "accounts"]) => Ok(json!({"data": self.pages})),
            ("GET", ["debug_token"]) => Ok(json!({"data": self.about})),
            ("POST", [PAGE, "feed"]) => self.feed(call, now, complain),
            ("POST", [PAGE, "photos"]) => self.photo(call, now, complain),
            ("POST", [PAGE, "videos"]) => self.video(call, now, complain),
            ("GET", [PAGE, "published_posts"]) => self.list(call, false, complain),
            ("GET", [PAGE, "video_reels" | "videos"]) => self.list(call, true, complain),
            ("GET", [id]) => {
                only(call, &["fields"], complain)?;
                self.read(id, call.get("fields").unwrap_or_default())
            }
            _ => Err(trouble(100, 33, "Unsupported request. Object does not exist")),
        }
    }
}

impl Facebook {
    fn id(&mut self) -> String {
        self.ids += 1;
        format!("1220{:011}", self.ids)
    }

    /// Those that people can see.
    pub fn public(&self) -> Vec<Post> {
        self.posts.iter().filter(|post| post.is_public()).cloned().collect()
    }

    /// Every video that it has can be seen from now on.
    pub fn finish(&mut self) {
        self.busy = 0;
        self.posts.iter_mut().for_each(|post| post.busy = 0);
    }

    fn read(&mut self, id: &str, fields: &str) -> Result<Value, Trouble> {
        let is_blind = self.is_blind;
        let Some(post) = self.posts.iter_mut().find(|post| post.id == id) else {
            return Err(trouble(100, 33, "Unsupported get request"));
        };
        match (post.is_video, fields) {
            (false, "permalink_url") => Ok(json!({"permalink_url": page(post), "id": id})),
            (true, "status,permalink_url") if is_blind => Err(trouble(1, 0, "An unknown error")),
            (true, "status,permalink_url") => {
                let mut video = json!({"status": post.status(), "id": id});
                if post.is_public() {
                    video["permalink_url"] = json!(format!("/reel/{id}/"));
                }
                Ok(video)
            }
            _ => Err(trouble(100, 0, "Tried accessing nonexisting field")),
        }
    }

    fn put(&mut self, post: Post, now: Timestamp) -> Result<String, Trouble> {
        if post.message.chars().count() > 63_206 {
            return Err(trouble(100, 0, "Message is too long"));
        }
        let last = self.posts.last();
        let is_same = |it: &Post| it.message == post.message && it.link == post.link;
        if self.knows_duplicates && last.is_some_and(is_same) {
            return Err(trouble(506, 0, "Duplicate status message"));
        }
        let id = if post.is_video { self.id() } else { format!("{PAGE}_{}", self.id()) };
        let (at, lag) = (now.as_millis() / 1000, self.list_lag);
        self.posts.push(Post { id: id.clone(), at, lag, ..post });
        Ok(id)
    }

    fn feed(
        &mut self,
        call: &Call,
        now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        only(call, &["message", "link", "published", "attached_media"], complain)?;
        let link = call.get("link").map(str::to_owned);
        let attached: Vec<_> =
            call.params.iter().filter(|(key, _)| key.starts_with("attached_media")).collect();
        if link.is_some() && !attached.is_empty() {
            return Err(trouble(100, 0, "link and attached_media do not combine"));
        }
        if let Some(link) = &link {
            if link.contains("facebook.com") {
                return Err(trouble(100, 1_609_008, "Links to facebook.com are not allowed"));
            }
            if !self.scrapes {
                return Err(trouble(100, 1_609_005, "There was a problem scraping data"));
            }
        }
        let mut post = Post {
            message: call.get("message").unwrap_or_default().into(),
            link,
            ..Post::default()
        };
        for at in 0..attached.len() {
            let value = call.get(&format!("attached_media[{at}]")).unwrap_or_default();
            let value: Value = serde_json::from_str(value).unwrap_or_default();
            let id = value["media_fbid"].as_str().unwrap_or_default();
            let Some(found) = self.unseen.iter().position(|photo| photo.id == id) else {
                return Err(trouble(100, 1_366_051, "These photos were already posted"));
            };
            let photo = self.unseen.remove(found);
            post.photos.push(photo.address);
            post.alts.push(photo.alt);
        }
        if post.message.is_empty() && post.link.is_none() && post.photos.is_empty() {
            return Err(trouble(100, 0, "The post is empty"));
        }
        Ok(json!({"id": self.put(post, now)?}))
    }

    fn photo(
        &mut self,
        call: &Call,
        now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        only(call, &["url", "caption", "alt_text_custom", "published"], complain)?;
        if !fetchable(call.get("url")) {
            return Err(trouble(100, 2_069_019, "The file can't be used"));
        }
        let address = call.get("url").unwrap().to_owned();
        let alt = call.get("alt_text_custom").map(str::to_owned);
        let id = self.id();
        if call.get("published") == Some("false") {
            self.unseen.push(Photo { id: id.clone(), address, alt });
            return Ok(json!({ "id": id }));
        }
        let message = call.get("caption").unwrap_or_default().into();
        let post = Post { message, photos: vec![address], alts: vec![alt], ..Post::default() };
        Ok(json!({"id": id, "post_id": self.put(post, now)?}))
    }

    fn video(
        &mut self,
        call: &Call,
        now: Timestamp,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        only(call, &["file_url", "description", "published"], complain)?;
        if !fetchable(call.get("file_url")) {
            return Err(trouble(100, 2_061_006, "The address can't be used"));
        }
        let message = call.get("description").unwrap_or_default().into();
        let reason = (!self.failing.is_empty()).then(|| self.failing.remove(0));
        let post = Post { message, is_video: true, busy: self.busy, reason, ..Post::default() };
        Ok(json!({"id": self.put(post, now)?}))
    }

    fn list(
        &mut self,
        call: &Call,
        videos: bool,
        complain: &mut Vec<String>,
    ) -> Result<Value, Trouble> {
        only(call, &["fields", "since", "limit"], complain)?;
        let since: i64 = call.get("since").unwrap_or("0").parse().unwrap();
        let limit: usize = call.get("limit").unwrap_or("25").parse().unwrap();
        let mut shown = Vec::new();
        for post in self.posts.iter_mut().rev().filter(|post| post.is_video == videos) {
            if post.lag > 0 {
                post.lag -= 1;
            } else if post.at >= since {
                shown.push(&*post);
            }
        }
        let item = |post: &&Post| {
            let at = written(Timestamp::from_secs(post.at));
            if videos {
                return json!({
                    "id": post.id, "description": post.message, "created_time": at,
                    "permalink_url": format!("/reel/{}/", post.id)
                });
            }
            let mut item = json!({
                "id": post.id, "message": post.message, "created_time": at,
                "permalink_url": page(post)
            });
            if let Some(link) = &post.link {
                item["attachments"] = json!({"data": [{"unshimmed_url": link}]});
            }
            item
        };
        Ok(json!({"data": shown.iter().take(limit).map(item).collect::<Vec<_>>()}))
    }
}

impl Post {
    /// Whether people can see it.
    pub fn is_public(&self) -> bool {
        self.busy == 0 && self.reason.is_none()
    }

    /// What is said of a video that is looked at.
    fn status(&mut self) -> Value {
        let done = json!({"status": "complete"});
        let (word, phase) = match (&self.reason, self.busy) {
            (_, 1..) => {
                self.busy -= 1;
                ("processing", json!({"status": "in_progress"}))
            }
            (Some(reason), 0) => ("error", reason.clone()),
            (None, 0) => ("ready", done.clone()),
        };
        json!({"video_status": word, "uploading_phase": done, "processing_phase": phase})
    }
}

/// The page of a post.
pub fn page(post: &Post) -> String {
    format!("https://www.facebook.com/{PAGE}/posts/{}", post.id)
}
