//! What each family answers.

use posse_party::clock::Timestamp;
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

use super::{Family, Medium, Post, Reply, Request, Route, State};

/// The id of the account, at first.
pub const ACCOUNT: &str = "109348";

pub fn default_max(family: Family) -> usize {
    match family {
        Family::Mastodon | Family::Pixelfed | Family::Takahe => 500,
        Family::GoToSocial | Family::Pleroma => 5000,
        Family::Snac => 100_000,
        Family::Friendica => 200_000,
        Family::Unheard => 4096,
    }
}

/// A post as it was sent.
#[derive(Clone, Copy, Default)]
pub struct Sent<'a> {
    pub text: &'a str,
    pub warning: Option<&'a str>,
    pub sensitive: bool,
    pub visibility: &'a str,
    pub language: Option<&'a str>,
    pub media: &'a [Medium],
}

impl State {
    pub fn date(&self) -> String {
        self.now().to_datetime().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// The true answer to `request`, with its effect.
    pub fn answer(&mut self, route: Route, request: &Request) -> Reply {
        let host = request.header("host").unwrap_or_default().to_owned();
        if format!("http://{host}") != self.origin {
            self.complaints.push(format!("{} was meant for another host: `{host}`", request.path));
        }
        if request.header("cookie").is_some() || request.header("referer").is_some() {
            self.complaints.push(format!("{} came with a cookie or a Referer", request.path));
        }
        if request.header("user-agent").is_none_or(str::is_empty) {
            self.complaints.push(format!("{} came without a User-Agent", request.path));
            return Reply::error(418, "I'm a teapot: no user-agent sent with request");
        }
        match route {
            Route::NodeInfo => self.node_info(request),
            Route::InstanceV2 => self.instance_v2(),
            Route::InstanceV1 => self.instance_v1(),
            Route::Credentials => {
                self.guarded(request, &["read", "read:accounts", "profile"], Self::credentials)
            }
            Route::Statuses => self.guarded(request, &["read", "read:statuses"], Self::statuses),
            Route::Application => self.guarded(request, &[], Self::application),
            Route::Upload | Route::UploadV1 => {
                self.guarded(request, &["write", "write:media"], |state, request| {
                    state.upload(route, request)
                })
            }
            Route::Medium => {
                let scopes: &[_] = match self.family {
                    Family::Pleroma | Family::Takahe => &["read", "read:media"],
                    _ => &["write", "write:media"],
                };
                self.guarded(request, scopes, Self::medium)
            }
            Route::Publish => {
                self.guarded(request, &["write", "write:statuses"], |state, request| {
                    state.keyed(request)
                })
            }
        }
    }

    /// Looks at the token first.
    fn guarded(
        &mut self,
        request: &Request,
        scopes: &[&str],
        answer: impl FnOnce(&mut Self, &Request) -> Reply,
    ) -> Reply {
        if request.header("authorization") != Some(&format!("Bearer {}", self.token)) {
            return match self.family {
                Family::Snac => Reply::new(401, "text/plain", "401 Unauthorized"),
                Family::GoToSocial => Reply::error(401, "Unauthorized: token not recognized"),
                _ => Reply::error(401, "The access token is invalid"),
            };
        }
        if !scopes.is_empty() && !self.scopes.iter().any(|scope| scopes.contains(scope)) {
            return match self.family {
                Family::Pleroma => {
                    let error = format!("Insufficient permissions: {}.", scopes.join(" | "));
                    Reply::error(403, &error)
                }
                _ => Reply::error(403, "This action is outside the authorized scopes"),
            };
        }
        answer(self, request)
    }

    /// What the family makes of an `Idempotency-Key`.
    fn keyed(&mut self, request: &Request) -> Reply {
        let Some(key) = request.header("idempotency-key").map(str::to_owned) else {
            self.complaints.push("a post came without an Idempotency-Key".to_owned());
            return self.publish(request);
        };
        if key.len() < 32 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.complaints.push(format!("`{key}` can be guessed or is no header value"));
        }
        // Mastodon keeps the keys of each account by themselves
        let key =
            if self.family == Family::Mastodon { format!("{} {key}", self.account) } else { key };
        let known = self.keys.get(&key).cloned();
        match (self.family, known) {
            (Family::Mastodon, Some(reply)) => {
                let status: Value = serde_json::from_str(&reply.body).unwrap();
                if self.posts.iter().any(|post| status["id"] == post.id.as_str()) {
                    reply
                } else {
                    Reply::error(404, "Record not found")
                }
            }
            (Family::Pleroma, Some(reply)) => reply.with("idempotent-replayed", "true"),
            (Family::Pixelfed, Some(_)) => Reply::error(400, "Duplicate idempotency key."),
            (family, _) => {
                let reply = self.publish(request);
                // Mastodon remembers what it stored, the others whatever they said
                if reply.status == 200 || family != Family::Mastodon {
                    self.keys.insert(key, reply.clone());
                }
                reply
            }
        }
    }

    fn publish(&mut self, request: &Request) -> Reply {
        if request.header("content-type") != Some("application/json") {
            self.complaints.push("a post came that is not `application/json`".to_owned());
            return Reply::error(406, "Not Acceptable");
        }
        let Ok(Value::Object(fields)) = serde_json::from_str(&request.body) else {
            return Reply::error(400, "Bad Request");
        };
        for (name, value) in &fields {
            let known = match name.as_str() {
                "status" => value.is_string(),
                "language" | "visibility" | "spoiler_text" => {
                    value.as_str().is_some_and(|text| !text.is_empty())
                }
                "media_ids" => value
                    .as_array()
                    .is_some_and(|ids| !ids.is_empty() && ids.iter().all(Value::is_string)),
                "sensitive" => value.is_boolean(),
                _ => false,
            };
            if !known {
                self.complaints.push(format!("`{name}` was posted as `{value}`"));
            }
        }
        let field = |name: &str| fields.get(name).and_then(Value::as_str);
        let mut sent = Sent {
            text: field("status").unwrap_or_default(),
            warning: field("spoiler_text"),
            sensitive: fields.get("sensitive") == Some(&Value::Bool(true)),
            visibility: field("visibility").unwrap_or(self.default_visibility),
            language: field("language"),
            media: &[],
        };
        let ids: Vec<&str> = fields
            .get("media_ids")
            .and_then(Value::as_array)
            .map_or_else(Vec::new, |ids| ids.iter().filter_map(Value::as_str).collect());
        let media = match self.attachable(&ids) {
            Ok(media) => media,
            Err(refusal) => return refusal,
        };
        sent.media = &media;
        if sent.warning.is_some() != sent.sensitive {
            self.complaints.push(format!("Pixelfed would drop the warning of {}", request.body));
        }
        if self.family == Family::Mastodon && sent.text.trim().is_empty() && media.is_empty() {
            sent.text = sent.warning.take().unwrap_or_default();
        }
        if let Some(refusal) = self.refusal(&sent) {
            return refusal;
        }
        let created_at = self.now();
        let post = self.store(&sent, created_at);
        Reply::json(200, &self.shown(&post))
    }

    /// What is wrong with a text.
    fn refusal(&self, sent: &Sent<'_>) -> Option<Reply> {
        let warning = self.count_warning(sent.warning.unwrap_or_default());
        let (max, count) = (self.max_characters, self.count(sent.text) + warning);
        let blank = sent.text.trim().is_empty() && sent.media.is_empty();
        let long = count > max;
        let seen = ["public", "unlisted", "private", "direct"].contains(&sent.visibility);
        match self.family {
            Family::Pixelfed if sent.warning.is_some_and(|it| it.chars().count() > 140) => {
                let message = "The spoiler text may not be greater than 140 characters.";
                let errors = json!({ "spoiler_text": [message] });
                Some(Reply::json(422, &json!({ "message": message, "errors": errors })))
            }
            Family::Pixelfed if sent.media.is_empty() => {
                Some(Reply::error(403, "Empty statuses are not allowed"))
            }
            Family::GoToSocial if blank => {
                Some(Reply::error(400, "Bad Request: no content, media or poll provided"))
            }
            Family::GoToSocial | Family::Takahe if long => Some(Reply::error(
                400,
                &format!("Bad Request: status too long, {count} chars, limit is {max}"),
            )),
            Family::Snac if blank => Some(Reply::new(422, "text/plain", "Unprocessable Entity")),
            _ if blank => Some(Reply::error(422, "Validation failed: Text can't be blank")),
            _ if long => {
                let error = format!("Validation failed: Text character limit of {max} exceeded");
                Some(Reply::error(422, &error))
            }
            _ if !seen => Some(Reply::error(422, "Validation failed: Visibility is not included")),
            _ => None,
        }
    }

    /// The length of a text as the family counts it.
    fn count(&self, text: &str) -> usize {
        match self.family {
            Family::Mastodon => text
                .split_inclusive(char::is_whitespace)
                .map(|word| match word.find("http") {
                    Some(at) if is_url(word[at..].trim_end()) => {
                        let space = word.len() - word.trim_end().len();
                        word[..at].graphemes(true).count() + 23 + space
                    }
                    _ => word.graphemes(true).count(),
                })
                .sum(),
            Family::Pleroma => text.graphemes(true).count(),
            _ => text.chars().count(),
        }
    }

    /// What a content warning takes of the limit: it has no discount.
    fn count_warning(&self, warning: &str) -> usize {
        match self.family {
            Family::Mastodon | Family::Pleroma => warning.graphemes(true).count(),
            Family::Takahe | Family::Pixelfed => 0,
            _ => warning.chars().count(),
        }
    }

    pub fn store(&mut self, sent: &Sent<'_>, created_at: Timestamp) -> Post {
        let number = 113_935_670_111_298_000 + self.posts.len();
        let id = match self.family {
            Family::Pleroma => format!("A{number}"),
            Family::GoToSocial => format!("01H{number}"),
            _ => number.to_string(),
        };
        let warning = sent.warning.map(str::to_owned);
        let (warning, title) = match self.family {
            Family::Friendica => (None, warning),
            _ => (warning, None),
        };
        let media = sent.media.iter().cloned();
        let media = media.map(|it| Medium { post: Some(id.clone()), ..it }).collect();
        let post = Post {
            url: format!("{}/@ada/{id}", self.origin),
            id,
            created_at,
            text: sent.text.to_owned(),
            warning,
            title,
            sensitive: sent.sensitive || sent.warning.is_some(),
            language: sent.language.map(|tag| tag[..tag.len().min(2)].to_lowercase()),
            visibility: sent.visibility.to_owned(),
            boost: false,
            edited: false,
            account: self.account.clone(),
            media,
        };
        self.attach(&post);
        self.posts.push(post.clone());
        post
    }

    fn shown(&self, post: &Post) -> Value {
        let edited_at = match self.family {
            _ if post.edited => json!(self.now().to_rfc3339()),
            // it tells that of every post
            Family::Friendica => json!(post.created_at.to_rfc3339()),
            _ => Value::Null,
        };
        let spoiler_text = post.title.as_ref().or(post.warning.as_ref());
        json!({
            "id": post.id,
            "created_at": post.created_at.to_rfc3339(),
            "edited_at": edited_at,
            "sensitive": post.sensitive,
            "spoiler_text": spoiler_text.map_or("", String::as_str),
            "in_reply_to_id": null,
            "visibility": post.visibility,
            "language": post.language,
            "uri": format!("{}/users/ada/statuses/{}", self.origin, post.id),
            "url": post.url,
            "content": html(&post.text, self.family == Family::Mastodon),
            "reblog": if post.boost { json!({ "id": "1" }) } else { Value::Null },
            "media_attachments": post.media.iter().map(|it| self.attachment(it)).collect::<Value>(),
            "card": null,
            "account": { "id": post.account },
        })
    }

    fn statuses(&mut self, request: &Request) -> Reply {
        for (name, _) in &request.query {
            if !["limit", "max_id", "exclude_reblogs"].contains(&name.as_str()) {
                self.complaints.push(format!("nobody knows the parameter `{name}`"));
            }
        }
        if request.path != format!("/api/v1/accounts/{}/statuses", self.account) {
            return Reply::error(404, "Record not found");
        }
        let limit = request.query("limit").map_or(20, |limit| limit.parse().unwrap());
        let boosts =
            request.query("exclude_reblogs") != Some("true") || self.family == Family::Friendica;
        let shown: Vec<Value> = self
            .posts
            .iter()
            .rev()
            .skip_while(|post| request.query("max_id").is_some_and(|id| post.id != id))
            .skip(usize::from(request.query("max_id").is_some()))
            .filter(|post| boosts || !post.boost)
            .filter(|post| post.account == self.account)
            .take(limit.min(40))
            .map(|post| self.shown(post))
            .collect();
        Reply::json(200, &Value::Array(shown))
    }

    fn credentials(&mut self, _: &Request) -> Reply {
        let account = json!({
            "id": self.account,
            "username": "ada",
            "acct": "ada",
            "display_name": "Ada",
            "locked": false,
            "url": format!("{}/@ada", self.origin),
            "statuses_count": self.posts.len(),
            "source": { "privacy": self.default_visibility, "language": null },
        });
        Reply::json(200, &account)
    }

    fn application(&mut self, _: &Request) -> Reply {
        match self.family {
            Family::Mastodon => {
                Reply::json(200, &json!({ "name": "posse-party", "scopes": self.scopes }))
            }
            _ => Reply::error(404, "Not Found"),
        }
    }

    fn instance_v2(&self) -> Reply {
        let per_url = match self.family {
            Family::Mastodon => 23,
            Family::GoToSocial | Family::Friendica | Family::Unheard => 25,
            _ => return Reply::error(404, "Not Found"),
        };
        let instance = json!({
            "domain": "social.example",
            "version": self.version(),
            "configuration": {
                "statuses": {
                    "max_characters": self.max_characters,
                    "max_media_attachments": self.count_max(),
                    "characters_reserved_per_url": per_url,
                },
                "media_attachments": self.media_configuration(),
            },
        });
        Reply::json(200, &instance)
    }

    fn instance_v1(&self) -> Reply {
        let mut instance = json!({ "uri": "social.example", "version": self.version() });
        if self.family == Family::Pleroma {
            instance["max_toot_chars"] = self.max_characters.into();
        } else {
            instance["configuration"] = json!({
                "statuses": {
                    "max_characters": self.max_characters,
                    "max_media_attachments": self.count_max(),
                },
                "media_attachments": self.media_configuration(),
            });
        }
        Reply::json(200, &instance)
    }

    fn version(&self) -> &'static str {
        match self.family {
            Family::Mastodon => "4.5.0",
            Family::GoToSocial => "4.2.1", // it may fake one
            Family::Pleroma => "2.7.2 (compatible; Akkoma 3.13.2)",
            Family::Pixelfed => "3.5.3 (compatible; Pixelfed 0.12.4)",
            Family::Takahe => "takahe/0.11.0",
            Family::Snac => "4.0.0 (compatible; snac 2.80)",
            Family::Friendica => "2.8.0 (compatible; Friendica 2024.12)",
            Family::Unheard => "0.7.0",
        }
    }

    /// The link names the public host, not the address by which it was reached.
    fn node_info(&self, request: &Request) -> Reply {
        if request.path == "/.well-known/nodeinfo" {
            let href = "https://social.example/nodeinfo/2.0";
            let rel = "http://nodeinfo.diaspora.software/ns/schema/2.0";
            return Reply::json(200, &json!({ "links": [{ "rel": rel, "href": href }] }));
        }
        let name = match self.family {
            Family::Mastodon => "mastodon",
            Family::GoToSocial => "gotosocial",
            Family::Pleroma => "akkoma",
            Family::Pixelfed => "pixelfed",
            Family::Takahe => "takahe",
            Family::Snac => "snac",
            Family::Friendica => "friendica",
            Family::Unheard => "hollo",
        };
        Reply::json(200, &json!({ "version": "2.0", "software": { "name": name } }))
    }
}

fn is_url(word: &str) -> bool {
    word.strip_prefix("https://")
        .or_else(|| word.strip_prefix("http://"))
        .is_some_and(|rest| rest.split(['/', ':', '?']).next().is_some_and(|h| h.contains('.')))
}

/// A text as the server shows it: escaped, in paragraphs, with links.
fn html(text: &str, spans: bool) -> String {
    let escape = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")
    };
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let (word, space) = word.split_at(word.trim_end().len());
        let space = if space == "\n" { "<br />" } else { space };
        if !is_url(word) {
            return escape(word) + space;
        }
        let (href, bare) = (escape(word), escape(word.split_once("://").unwrap().1));
        let shown = if spans {
            let at = bare.char_indices().nth(30).map_or(bare.len(), |(at, _)| at);
            format!(
                "<span class=\"invisible\">https://</span><span class=\"ellipsis\">{}</span>\
                 <span class=\"invisible\">{}</span>",
                &bare[..at],
                &bare[at..]
            )
        } else {
            href.clone()
        };
        format!("<a href=\"{href}\" target=\"_blank\" rel=\"nofollow noopener\">{shown}</a>{space}")
    });
    format!("<p>{}</p>", words.collect::<String>().replace("<br /><br />", "</p><p>"))
}
