//! Uploads: what each family takes, makes of them, and says of them later.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{Family, Post, Reply, Request, Route, State};

/// An upload.
#[derive(Clone, Debug)]
pub struct Medium {
    pub id: String,
    /// As the server sees it.
    pub media_type: String,
    pub alt: String,
    pub bytes: Vec<u8>,
    pub stage: Stage,
    /// Whose it is.
    pub account: String,
    /// The post that shows it.
    pub post: Option<String>,
}

/// How far the server is with an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Ready,
    Processing,
    Failed,
}

/// All uploads, and what the server says about them.
#[derive(Debug)]
pub struct Media {
    pub all: Vec<Medium>,
    /// Bytes of an image, and of a video.
    pub bytes_max: (usize, usize),
    /// Characters of a description.
    pub alt_max: usize,
    /// Whether it is older than `/api/v2/media`.
    pub ancient: bool,
    /// Files that hold these bytes are no images, whatever they say.
    pub dislikes: VecDeque<Vec<u8>>,
    made: usize,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            bytes_max: (16 << 20, 99 << 20),
            alt_max: 1500,
            ancient: false,
            dislikes: VecDeque::new(),
            made: 0,
        }
    }
}

impl Media {
    /// Ends the work on what is processed.
    pub fn finish(&mut self, stage: Stage) {
        for medium in self.all.iter_mut().filter(|it| it.stage == Stage::Processing) {
            medium.stage = stage;
        }
    }

    /// Throws away what no post shows, as after a day.
    pub fn vacuum(&mut self) {
        self.all.retain(|medium| medium.post.is_some());
    }
}

/// One part of a form.
struct Part<'a> {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    bytes: &'a [u8],
}

impl State {
    pub fn count_max(&self) -> usize {
        if self.family == Family::GoToSocial { 6 } else { 4 }
    }

    pub fn media_configuration(&self) -> Value {
        let images = ["image/jpeg", "image/png", "image/gif", "image/webp"];
        let videos = ["video/mp4", "video/quicktime", "video/webm"];
        let videos = if self.family == Family::Takahe { &[][..] } else { &videos[..] };
        let types = [&images[..], videos].concat();
        let mut configuration = json!({
            "supported_mime_types": types,
            "image_size_limit": self.media.bytes_max.0,
            "image_matrix_limit": 33_177_600,
            "video_size_limit": self.media.bytes_max.1,
            "video_matrix_limit": 8_294_400,
        });
        if self.family == Family::GoToSocial {
            configuration["description_limit"] = self.media.alt_max.into();
        }
        configuration
    }

    /// Takes a file.
    pub fn upload(&mut self, route: Route, request: &Request) -> Reply {
        if self.media.ancient && route == Route::Upload {
            return Reply::html(404);
        }
        if request.header("transfer-encoding").is_some() {
            self.complaints.push("an upload came in chunks".to_owned());
            return Reply::html(411);
        }
        let medium = match self.read_upload(request) {
            Ok(medium) => medium,
            Err(reply) => return reply,
        };
        let shown = self.attachment(&medium);
        let status = match self.family {
            Family::Pleroma if route == Route::Upload => 202,
            Family::Mastodon if medium.stage == Stage::Processing => 202,
            _ => 200,
        };
        self.media.all.push(medium);
        Reply::json(status, &shown)
    }

    /// The file in a form, unless the family refuses it.
    fn read_upload(&mut self, request: &Request) -> Result<Medium, Reply> {
        let content_type = request.header("content-type").unwrap_or_default();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=");
        let Some(parts) = boundary.and_then(|it| parts(&request.bytes, it.trim_matches('"')))
        else {
            self.complaints.push(format!("an upload came as `{content_type}`"));
            return Err(Reply::error(400, "Bad Request"));
        };
        for part in &parts {
            if !["file", "description"].contains(&part.name.as_str()) {
                self.complaints.push(format!("an upload came with `{}`", part.name));
            }
        }
        let alt = parts.iter().find(|part| part.name == "description");
        let alt = alt.map_or("", |part| std::str::from_utf8(part.bytes).unwrap()).to_owned();
        let Some(file) = parts.into_iter().find(|part| part.name == "file") else {
            self.complaints.push("an upload came without a file".to_owned());
            return Err(Reply::error(422, "Validation failed: File can't be blank"));
        };
        let (Some(file_name), Some(said)) = (&file.file_name, &file.content_type) else {
            self.complaints.push("a file came without its name or its type".to_owned());
            return Err(Reply::error(422, "Validation failed: File can't be blank"));
        };
        let named = match file_name.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "jpg" => "image/jpeg",
            "png" => "image/png",
            "gif" => "image/gif",
            "webp" => "image/webp",
            "mp4" => "video/mp4",
            "mov" => "video/quicktime",
            "webm" => "video/webm",
            _ => "application/octet-stream",
        };
        if named != said {
            self.complaints.push(format!("`{file_name}` came as `{said}`"));
        }
        let is_video = named.starts_with("video/");
        self.refuse_upload(&file, is_video, &alt)?;
        let is_slow = is_video || named == "image/gif";
        let is_slow = is_slow && self.family == Family::Mastodon;
        self.media.made += 1;
        let number = 114_000_000_000_000_000 + self.media.made;
        let id = match self.family {
            Family::GoToSocial => format!("01M{number}"),
            Family::Pleroma => format!("B{number}-x"),
            Family::Snac => format!("5d41402abc4b2a76b9719d911017c592{number}"),
            _ => number.to_string(),
        };
        Ok(Medium {
            id,
            media_type: named.to_owned(),
            alt,
            bytes: file.bytes.to_vec(),
            stage: if is_slow { Stage::Processing } else { Stage::Ready },
            account: self.account.clone(),
            post: None,
        })
    }

    /// What the family has against a file.
    fn refuse_upload(&self, file: &Part<'_>, is_video: bool, alt: &str) -> Result<(), Reply> {
        let media = &self.media;
        let most = if is_video { media.bytes_max.1 } else { media.bytes_max.0 };
        let invalid = |text: &str| match self.family {
            Family::GoToSocial => Reply::error(400, &format!("Bad Request: {text}")),
            Family::Snac => Reply::new(422, "text/plain", "Unprocessable Entity"),
            _ => Reply::error(422, &format!("Validation failed: {text}")),
        };
        let disliked = |it: &Vec<u8>| file.bytes.windows(it.len()).any(|bytes| bytes == it);
        match () {
            () if file.bytes.len() > most => Err(match self.family {
                Family::Mastodon => Reply::html(413),
                _ => Reply::error(413, "Request Entity Too Large"),
            }),
            () if is_video && self.family == Family::Takahe => {
                Err(Reply::error(400, "invalid_file"))
            }
            () if alt.chars().count() > media.alt_max => {
                let text = format!("Description character limit of {} exceeded", media.alt_max);
                Err(invalid(&text))
            }
            () if media.dislikes.iter().any(disliked) => {
                Err(invalid("File content type is invalid"))
            }
            () => Ok(()),
        }
    }

    /// How far it is with an upload.
    pub fn medium(&mut self, request: &Request) -> Reply {
        let id = request.path.rsplit('/').next().unwrap();
        let found = self.media.all.iter().find(|it| it.id == id && it.account == self.account);
        let Some(medium) = found.filter(|_| self.family != Family::Snac) else {
            return Reply::error(404, "Record not found");
        };
        let status = match (self.family, medium.stage) {
            // a post has it
            (Family::Mastodon, _) if medium.post.is_some() => {
                return Reply::error(404, "Record not found");
            }
            (Family::Mastodon, Stage::Processing) => 206,
            (Family::Mastodon, Stage::Failed) => {
                return Reply::error(422, "Error processing thumbnail for uploaded media");
            }
            _ => 200,
        };
        Reply::json(status, &self.attachment(medium))
    }

    pub fn attachment(&self, medium: &Medium) -> Value {
        let is_ready = medium.stage == Stage::Ready;
        let kind = medium.media_type.split('/').next();
        // Akkoma shows an attachment of a post under another id
        let id = match (self.family, &medium.post) {
            (Family::Pleroma, Some(_)) => format!("{}0", medium.id.len()),
            _ => medium.id.clone(),
        };
        let url = format!("{}/media/{}", self.origin, medium.id);
        json!({
            "id": id,
            "type": kind,
            "url": if is_ready { Value::from(url) } else { Value::Null },
            "description": medium.alt,
        })
    }

    /// The uploads with these ids, unless they can't be posted together.
    pub fn attachable(&mut self, ids: &[&str]) -> Result<Vec<Medium>, Reply> {
        let (count, most) = (ids.len(), self.count_max());
        if count > most {
            return Err(Reply::error(422, &format!("Cannot attach more than {most} files")));
        }
        let all = &self.media.all;
        let free = |id: &&str| {
            all.iter().find(|it| it.id == **id && it.account == self.account && it.post.is_none())
        };
        let found: Vec<&Medium> = ids.iter().filter_map(free).collect();
        if found.len() < count {
            let missing: Vec<_> = ids.iter().filter(|id| free(id).is_none()).copied().collect();
            let missing = missing.join(", ");
            return Err(match self.family {
                Family::GoToSocial => Reply::error(
                    400,
                    &format!("Bad Request: media {missing} not found or already attached"),
                ),
                _ => Reply::error(
                    422,
                    &format!("Media {missing} not found or already attached to another post"),
                ),
            });
        }
        let is_video = |it: &&&Medium| it.media_type.starts_with("video/");
        if count > 1 && found.iter().any(|it| is_video(&it)) {
            let error = "Cannot attach a video to a post that already contains images";
            return Err(Reply::error(422, error));
        }
        if found.iter().any(|it| it.stage != Stage::Ready) {
            let error = "Cannot attach files that have not finished processing. Try again in a \
                         moment!";
            return Err(Reply::error(422, error));
        }
        Ok(found.into_iter().cloned().collect())
    }

    /// A post shows its media from now on.
    pub fn attach(&mut self, post: &Post) {
        for medium in &mut self.media.all {
            if post.media.iter().any(|it| it.id == medium.id) {
                medium.post = Some(post.id.clone());
            }
        }
    }
}

/// The parts of a form, if it is one to its last byte.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|it| it == what);
    let first = format!("--{boundary}\r\n");
    let between = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(first.as_bytes())?;
    let mut parts = Vec::new();
    loop {
        let head = find(rest, b"\r\n\r\n")?;
        let (headers, body) = (std::str::from_utf8(&rest[..head]).ok()?, &rest[head + 4..]);
        let end = find(body, between.as_bytes())?;
        let value = |of: &str, name: &str| {
            let (_, rest) = of.split_once(&format!("{name}=\""))?;
            rest.split('"').next().map(str::to_owned)
        };
        let line = |name: &str| {
            let lines = headers.lines().filter_map(|line| line.split_once(": "));
            lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, it)| it).next()
        };
        let disposition = line("content-disposition")?.strip_prefix("form-data; ")?;
        parts.push(Part {
            name: value(disposition, "name")?,
            file_name: value(disposition, "filename"),
            content_type: line("content-type").map(str::to_owned),
            bytes: &body[..end],
        });
        rest = &body[end + between.len()..];
        if rest == b"--\r\n" {
            return Some(parts);
        }
        rest = rest.strip_prefix(b"\r\n")?;
    }
}
