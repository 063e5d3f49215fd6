//! Containers, posts and the quota.

use std::collections::{BTreeMap, BTreeSet};

use posse_party::clock::Timestamp;
use serde_json::{Value, json};

use super::tokens::only;
use super::{DAY, Post, Refusal, Seen, State, USERNAME, moment};

/// What documents name; the tests send a part of it.
const CREATE: &[&str] = &[
    "media_type",
    "text",
    "link_attachment",
    "image_url",
    "video_url",
    "is_carousel_item",
    "children",
    "alt_text",
    "reply_control",
    "topic_tag",
];

/// One container.
#[derive(Clone, Debug)]
pub struct Container {
    pub params: BTreeMap<String, String>,
    pub made_at: Timestamp,
    /// So many looks until it is finished.
    pub busy: u32,
    /// How it ends, if not finished.
    pub end: Option<&'static str>,
    pub is_published: bool,
}

impl Container {
    fn status(&self, now: Timestamp) -> &'static str {
        match self.end {
            _ if self.is_published => "PUBLISHED",
            _ if now.since(self.made_at) >= DAY => "EXPIRED",
            _ if self.busy > 0 => "IN_PROGRESS",
            Some("EXPIRED") => "EXPIRED",
            Some(_) => "ERROR",
            None => "FINISHED",
        }
    }
}

impl State {
    pub(super) fn create(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        only(seen, CREATE)?;
        check(&seen.params)?;
        if seen.params.get("media_type").is_some_and(|kind| kind == "CAROUSEL") {
            self.check_children(&seen.params["children"])?;
        }
        let id = self.id();
        let container = Container {
            params: seen.params.clone(),
            made_at: self.clock.now(),
            busy: self.busy,
            end: self.ends.pop_front(),
            is_published: false,
        };
        self.containers.insert(id.clone(), container);
        Ok(json!({"id": id}))
    }

    fn check_children(&self, children: &str) -> Result<(), Refusal> {
        let children: Vec<_> = children.split(',').collect();
        if !(2..=20).contains(&children.len()) {
            return Err(Refusal::ours(100, "A carousel has 2 to 20 children"));
        }
        for child in children {
            let Some(container) = self.containers.get(child) else {
                return Err(Refusal::sub(24, 4_279_009, "The requested resource does not exist"));
            };
            if !container.params.contains_key("is_carousel_item") {
                return Err(Refusal::ours(100, "A child is no carousel item"));
            }
            if container.status(self.clock.now()) != "FINISHED" {
                return Err(Refusal::ours(100, "A child is not finished"));
            }
        }
        Ok(())
    }

    pub(super) fn publish(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        only(seen, &["creation_id"])?;
        let lost = || Refusal::sub(24, 4_279_009, "The requested resource does not exist");
        let id = &seen.params["creation_id"];
        let now = self.clock.now();
        let used = self.used();
        let container = self.containers.get_mut(id).ok_or_else(lost)?;
        match container.status(now) {
            "FINISHED" => {}
            "PUBLISHED" => return Err(Refusal { is_ours: true, ..lost() }),
            "IN_PROGRESS" => return Err(Refusal { is_ours: true, ..lost() }),
            _ => return Err(lost()),
        }
        if container.params.contains_key("is_carousel_item") {
            return Err(Refusal::ours(100, "A carousel item can't be published"));
        }
        if self.bad_card && container.params.contains_key("link_attachment") {
            return Err(Refusal::sub(-1, 4_279_047, "Fatal"));
        }
        if used >= self.quota_total {
            return Err(Refusal::new(4, "Application request limit reached"));
        }
        container.is_published = true;
        let params = container.params.clone();
        let post = Post { id: self.id(), container: id.clone(), params, at: now };
        let answer = json!({"id": post.id});
        self.posts.push(post);
        Ok(answer)
    }

    fn used(&self) -> u32 {
        let since = self.clock.now().minus(DAY);
        let recent = self.posts.iter().filter(|post| post.at > since);
        u32::try_from(recent.count()).unwrap()
    }

    /// A container's status, or a post's page.
    pub(super) fn read(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        only(seen, &["fields"])?;
        let path = seen.target.split('?').next().unwrap();
        let id = path.trim_start_matches("/v1.0/").to_owned();
        let fields: BTreeSet<&str> = seen.params["fields"].split(',').collect();
        let now = self.clock.now();
        if let Some(post) = self.posts.iter().find(|post| post.id == id) {
            if let Some(field) = fields.iter().find(|field| !["id", "permalink"].contains(field)) {
                let message = format!("Tried accessing nonexisting field ({field})");
                return Err(Refusal::ours(100, message));
            }
            return Ok(json!({"permalink": permalink(post), "id": id}));
        }
        let missing = format!("Unsupported get request. Object with ID '{id}' does not exist");
        let Some(container) = self.containers.get_mut(&id) else {
            return Err(Refusal::sub(100, 33, missing));
        };
        if let Some(field) =
            fields.iter().find(|it| !["id", "status", "error_message"].contains(it))
        {
            return Err(Refusal::ours(100, format!("Tried accessing nonexisting field ({field})")));
        }
        let mut status = container.status(now);
        if status == "PUBLISHED" && self.status_lags > 0 {
            self.status_lags -= 1;
            status = "FINISHED";
        }
        let mut body = json!({"status": status, "id": id});
        if let (true, Some((_, why))) =
            (status == "ERROR", container.end.and_then(|end| end.split_once(':')))
        {
            body["error_message"] = why.into();
        }
        container.busy = container.busy.saturating_sub(1);
        Ok(body)
    }

    pub(super) fn list(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        only(seen, &["fields", "since", "until", "limit", "after"])?;
        let number = |key: &str| seen.params.get(key).map(|text| text.parse::<i64>().unwrap());
        let limit = number("limit").unwrap_or(25);
        if !(1..=100).contains(&limit) {
            return Err(Refusal::ours(100, "limit is 1 to 100"));
        }
        let since = number("since").map_or(0, |seconds| seconds * 1000);
        let lags = self.list_lags;
        self.list_lags = lags.saturating_sub(1);
        let posts = self.posts.iter().rev().skip(usize::from(lags > 0));
        let posts = posts.filter(|post| post.at.as_millis() >= since);
        let posts: Vec<&Post> = posts.collect();
        let from = usize::try_from(number("after").unwrap_or(0)).unwrap();
        let most = usize::try_from(limit).unwrap().min(self.page_max);
        let data: Vec<Value> =
            posts.iter().skip(from).take(most).map(|post| listed(post)).collect();
        let after = (from + data.len()).to_string();
        let mut paging = json!({"cursors": {"before": "QVF", "after": after}});
        if from + data.len() < posts.len() {
            paging["next"] = "https://graph.threads.net/v1.0/me/threads?access_token=THAA".into();
        }
        Ok(json!({"data": data, "paging": paging}))
    }

    pub(super) fn quota(&mut self) -> Result<Value, Refusal> {
        Ok(json!({"data": [{
            "quota_usage": self.used(),
            "config": {"quota_total": self.quota_total, "quota_duration": 86400},
        }]}))
    }
}

fn permalink(post: &Post) -> String {
    format!("https://www.threads.net/@{USERNAME}/post/{}", &post.id[8..])
}

fn listed(post: &Post) -> Value {
    let kind = match post.params.get("media_type").map(String::as_str) {
        Some("TEXT") => "TEXT_POST",
        Some("CAROUSEL") => "CAROUSEL_ALBUM",
        Some(other) => other,
        None => "?",
    };
    let mut listed = json!({
        "id": post.id,
        "media_type": kind,
        "permalink": permalink(post),
        "timestamp": moment(post.at),
        "shortcode": &post.id[8..],
        "is_reply": false,
    });
    if let Some(text) = post.params.get("text") {
        listed["text"] = text.trim_end().into(); // it may trim blanks
    }
    if let Some(link) = post.params.get("link_attachment") {
        listed["link_attachment_url"] = link.as_str().into();
    }
    listed
}

/// What a container may be made of.
fn check(params: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let get = |key: &str| params.get(key).map(String::as_str);
    let ours = |message: &str| Err(Refusal::ours(100, message));
    let kind = get("media_type").unwrap_or_default();
    let allowed: &[&str] = match kind {
        "TEXT" => &["text", "link_attachment"],
        "IMAGE" => &["text", "image_url", "alt_text", "is_carousel_item"],
        "VIDEO" => &["text", "video_url", "alt_text", "is_carousel_item"],
        "CAROUSEL" => &["text", "children"],
        _ => return ours("Param media_type must be one of TEXT, IMAGE, VIDEO, CAROUSEL"),
    };
    let general = ["media_type", "reply_control", "topic_tag"];
    let known = |key: &str| allowed.contains(&key) || general.contains(&key);
    if let Some(key) = params.keys().find(|key| !known(key)) {
        return ours(&format!("Param {key} can't be used with {kind}"));
    }
    match (kind, get("text"), get("link_attachment")) {
        ("TEXT", None, None) => return ours("The parameter text is required"),
        (_, Some(text), _) if text.len() > 500 => {
            return ours("Param text must be at most 500 characters long.");
        }
        _ => {}
    }
    for place in ["image_url", "video_url"] {
        if allowed.contains(&place) && !get(place).is_some_and(|url| url.starts_with("https://")) {
            return ours("The media URL must be public and https");
        }
    }
    if let Some(link) = get("link_attachment") {
        let url = url::Url::parse(link).ok().filter(|url| url.scheme().starts_with("http"));
        if url.and_then(|url| url.host_str().map(str::to_owned)).is_none_or(|h| h == "localhost") {
            return Err(Refusal::new(100, "Param link_attachment is not a valid URL"));
        }
    }
    check_details(params)
}

fn check_details(params: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let get = |key: &str| params.get(key).map(String::as_str);
    let ours = |message: &str| Err(Refusal::ours(100, message));
    let words = get("text").unwrap_or_default().split_whitespace();
    let mut links: BTreeSet<&str> = words.filter(|word| word.starts_with("http")).collect();
    links.extend(get("link_attachment"));
    if links.len() > 5 {
        return Err(Refusal::new(1, "THREADS_API__LINK_LIMIT_EXCEEDED"));
    }
    if get("alt_text").is_some_and(|alt| alt.chars().count() > 1000) {
        return ours("Param alt_text must be at most 1000 characters long.");
    }
    if let Some(tag) = get("topic_tag")
        && (!(1..=50).contains(&tag.chars().count()) || tag.contains(['.', '&']))
    {
        return ours("Param topic_tag is not valid");
    }
    let who = ["everyone", "accounts_you_follow", "mentioned_only", "followers_only"];
    if get("reply_control").is_some_and(|said| !who.contains(&said)) {
        return ours("Param reply_control is not valid");
    }
    if params.contains_key("is_carousel_item")
        && ["text", "topic_tag", "reply_control"].iter().any(|key| params.contains_key(*key))
    {
        return ours("A carousel item has no text of its own");
    }
    Ok(())
}
