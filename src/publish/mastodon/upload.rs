//! Upload: one file to one server, and what its answers mean (sheet A5, A9).
//!
//! **Invariant:** what an upload does is seen by nobody, so no answer to it is a doubt: it worked,
//! it may work later, or the post goes without. A video is streamed from the shelf, with its length
//! said before, because some front-ends refuse a body in chunks.

use reqwest::Body;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use super::errors::Call;
use super::family::Family;
use super::server::{Answer, Server, Unanswered};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::draft::Shelved;
use crate::publish::classify::not_before;
use crate::shelf::Shelf;

/// The addresses for uploads: since Mastodon 3.1.3, and the one of before.
const ADDRESSES: [&str; 2] = ["/api/v2/media", "/api/v1/media"];
/// Media types, and how a file of each is called: snac goes by the name alone (sheet A5).
const NAMES: &[(&str, &str)] = &[
    ("image/jpeg", "image.jpg"),
    ("image/png", "image.png"),
    ("image/webp", "image.webp"),
    ("image/gif", "image.gif"),
    ("video/mp4", "video.mp4"),
    ("video/quicktime", "video.mov"),
    ("video/webm", "video.webm"),
];
/// What the 500 of a file says that the server can't make a preview of (sheet A5).
const NO_THUMBNAIL: &str = "error processing thumbnail";

/// What came of an upload.
#[derive(Debug)]
pub enum Uploaded {
    /// The server has it.
    Taken {
        /// The server's id of it.
        id: String,
        /// Whether it can be posted at once.
        ready: bool,
    },
    /// It takes nothing at this address.
    NoSuchAddress(Failure),
    /// The post goes without it.
    Refused(String),
    /// It may work later; `tries` is how much of our patience that took.
    Later {
        /// What happened.
        failure: Failure,
        /// 0 where it says nothing about this file.
        tries: u32,
    },
    /// No request of this account works now.
    Ended(Failure),
}

/// How far the server is with an upload.
#[derive(Debug)]
pub enum Progress {
    /// It can be posted.
    Ready,
    /// The server is at work.
    Processing,
    /// It can't be asked here: a post will show.
    Untold,
    /// The server has no such upload, or a post has it.
    Gone,
    /// It will never be ready.
    Failed(String),
    /// That could not be asked.
    Unknown(Failure),
}

/// Uploads a file from the `shelf`, described by `alt`.
pub async fn upload(
    server: &Server,
    shelf: Option<&Shelf>,
    (file, alt): (&Shelved, &str),
    old_address: bool,
    now: Timestamp,
) -> Uploaded {
    let (form, bytes) = match form(shelf, file, alt).await {
        Ok(form) => form,
        Err(why) => return Uploaded::Refused(why),
    };
    let answer = match server.upload(ADDRESSES[usize::from(old_address)], form, bytes).await {
        Ok(answer) => answer,
        Err(Unanswered::Unreachable(failure)) => return Uploaded::Later { failure, tries: 0 },
        Err(Unanswered::Lost(failure)) => return Uploaded::Later { failure, tries: 1 },
    };
    if answer.status.is_success() {
        return taken(&answer).unwrap_or_else(|| {
            let (server, status) = (server.origin(), answer.status);
            let message = format!("uploading to `{server}`: answer {status}, but it names no file");
            Uploaded::Later { failure: Failure::retry(message), tries: 1 }
        });
    }
    let call = Call { server: server.origin(), doing: "uploading to", scope: "write:media" };
    // of all families: who says how long to wait is believed, for nothing was done that matters
    let failure = answer.refusal(&call, Family::Other, now);
    meaning(&answer, failure, now)
}

/// Asks how far the server is with the upload `id`.
pub async fn progress(server: &Server, id: &str, now: Timestamp) -> Progress {
    let doing = "asking for an upload at";
    let answer = match server.ask(&format!("/api/v1/media/{id}"), doing).await {
        Ok(answer) => answer,
        Err(Unanswered::Unreachable(failure) | Unanswered::Lost(failure)) => {
            return Progress::Unknown(failure);
        }
    };
    match answer.status.as_u16() {
        // GoToSocial and Akkoma answer 200 whatever they do (sheet A5)
        200 => Progress::Ready,
        202 | 206 => Progress::Processing,
        404 => Progress::Gone,
        // asking takes `read:media` on some servers and `write:media` on others (sheet A1)
        403 | 405 | 410 | 501 => Progress::Untold,
        _ => {
            let call = Call { server: server.origin(), doing, scope: "write:media" };
            let failure = answer.refusal(&call, Family::Other, now);
            match failure.class {
                Class::Content => Progress::Failed(failure.message),
                Class::Account { .. } | Class::RateLimited { .. } => Progress::Unknown(failure),
                _ => Progress::Unknown(later(&answer, failure, now)),
            }
        }
    }
}

/// The form that is sent, and how many bytes its file has.
async fn form(shelf: Option<&Shelf>, file: &Shelved, alt: &str) -> Result<(Form, u64), String> {
    let name = NAMES.iter().find(|(known, _)| *known == file.media_type);
    let Some((_, name)) = name else { return Err(format!("`{}` is not taken", file.media_type)) };
    let (part, bytes) = part(shelf, file).await?;
    let part = part.file_name(*name).mime_str(&file.media_type);
    let part = part.map_err(|error| error.to_string())?;
    let form = match alt {
        "" => Form::new(),
        alt => Form::new().text("description", alt.to_owned()),
    };
    Ok((form.part("file", part), bytes))
}

/// The file itself. What is gone from the shelf, or damaged there, is not to be had.
async fn part(shelf: Option<&Shelf>, file: &Shelved) -> Result<(Part, u64), String> {
    let shelf = shelf.cloned().ok_or("it is not kept here")?;
    let (name, is_video) = (file.file.clone(), file.media_type.starts_with("video/"));
    let read = tokio::task::spawn_blocking(move || {
        Ok::<_, std::io::Error>(if is_video {
            let (file, bytes) = shelf.open(&name)?;
            (Body::from(tokio::fs::File::from_std(file)), bytes)
        } else {
            let bytes = shelf.read(&name)?;
            let length = bytes.len() as u64;
            (Body::from(bytes), length)
        })
    });
    let read = read.await.map_err(|_panicked| "it can't be read")?;
    let (body, bytes) = read.map_err(|error| format!("it is not kept any more: {error}"))?;
    Ok((Part::stream_with_length(body, bytes), bytes))
}

/// What a 2xx says, where it names a file. Akkoma says 202 of what is ready, and has its `url` at
/// once; Mastodon says 202 without one (sheet A5).
fn taken(answer: &Answer) -> Option<Uploaded> {
    let medium: Value = serde_json::from_str(&answer.body).ok()?;
    let text = |name: &str| medium.get(name)?.as_str().filter(|text| !text.is_empty());
    // it becomes part of an address
    let id = text("id").filter(|id| {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"/\\?#%".contains(&byte);
        id.bytes().all(plain) && ![".", ".."].contains(id)
    })?;
    Some(Uploaded::Taken { id: id.to_owned(), ready: text("url").is_some() })
}

/// What an answer to an upload means that is no success.
fn meaning(answer: &Answer, failure: Failure, now: Timestamp) -> Uploaded {
    let says = answer.body.to_ascii_lowercase();
    let of_scope = says.contains("scope") || says.contains("insufficient permissions");
    match (&failure.class, answer.status.as_u16()) {
        (Class::RateLimited { .. }, _) => Uploaded::Ended(failure),
        (_, 404 | 405) => Uploaded::NoSuchAddress(later(answer, failure, now)),
        (Class::Content, _) => Uploaded::Refused(failure.message),
        (Class::Account { hint, .. }, 403) if of_scope => {
            Uploaded::Refused(format!("{}; {hint}", failure.message))
        }
        (Class::Account { .. }, 410 | 501) => Uploaded::Refused(failure.message),
        // of an application firewall: it may dislike files, and take posts
        (Class::Account { until: Some(_), .. }, 400 | 403) => {
            Uploaded::Later { failure: later(answer, failure, now), tries: 1 }
        }
        (Class::Account { .. }, _) => Uploaded::Ended(failure),
        (_, 500) if says.contains(NO_THUMBNAIL) => {
            let tries = super::media::TRIES_MAX.div_ceil(2);
            Uploaded::Later { failure: later(answer, failure, now), tries }
        }
        _ => Uploaded::Later { failure: later(answer, failure, now), tries: 1 },
    }
}

/// The same failure for a request that may be made again.
fn later(answer: &Answer, failure: Failure, now: Timestamp) -> Failure {
    let class = Class::Retry { not_before: not_before(&answer.headers, now) };
    Failure { class, ..failure }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_770_000_000);

    fn answer(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: HeaderMap::new(), body: body.to_owned() }
    }

    #[test]
    fn only_an_answer_with_an_id_is_an_upload() {
        let check = |body: &str, expect: Option<(&str, bool)>| {
            let taken = taken(&answer(200, body));
            let seen = taken.as_ref().map(|taken| match taken {
                Uploaded::Taken { id, ready } => (id.as_str(), *ready),
                other => panic!("{other:?}"),
            });
            assert_eq!(seen, expect, "{body}");
        };
        check(r#"{"id":"7","url":"https://a.example/7.jpg"}"#, Some(("7", true)));
        check(r#"{"id":"01HQ-x:_.=","url":null}"#, Some(("01HQ-x:_.=", false)));
        check(r#"{"id":"7"}"#, Some(("7", false)));
        check(r#"{"id":7,"url":"https://a.example/7.jpg"}"#, None);
        check(r#"{"id":"","url":"u"}"#, None);
        check(r#"{"id":"../statuses","url":"u"}"#, None);
        check(r#"{"id":"..","url":"u"}"#, None);
        check(r#"{"id":"7?x","url":"u"}"#, None);
        check("[]", None);
        check("<html>", None);
    }

    #[test]
    fn every_refusal_of_an_upload_has_its_meaning() {
        let call = Call { server: "https://a.example", doing: "up", scope: "write:media" };
        let check = |status: u16, body: &str, expect: &str| {
            let answer = answer(status, body);
            let failure = answer.refusal(&call, Family::Other, NOW);
            let told = match meaning(&answer, failure, NOW) {
                Uploaded::Refused(_) => "refused".to_owned(),
                Uploaded::NoSuchAddress(_) => "no address".to_owned(),
                Uploaded::Later { tries, .. } => format!("later {tries}"),
                Uploaded::Ended(failure) => failure.class.as_str().to_owned(),
                Uploaded::Taken { .. } => "taken".to_owned(),
            };
            assert_eq!(told, expect, "{status} {body}");
        };
        let error = |text: &str| format!("{{\"error\":\"{text}\"}}");
        check(422, &error("Validation failed: File content type is invalid"), "refused");
        check(422, &error("File type of uploaded media could not be verified"), "refused");
        check(400, &error("Bad Request"), "refused"); // GoToSocial
        check(413, "<html>413 Request Entity Too Large</html>", "refused");
        check(415, "", "refused");
        check(403, &error("This action is outside the authorized scopes"), "refused");
        check(403, &error("Insufficient permissions: write:media."), "refused");
        check(404, "<html>", "no address");
        check(404, &error("Not Found"), "no address");
        check(405, "", "no address");
        check(429, &error("Too many requests"), "rate_limited");
        check(401, &error("The access token is invalid"), "account");
        check(403, &error("Your login is currently disabled"), "account");
        check(308, "", "account");
        check(403, "<html>blocked</html>", "later 1");
        check(500, &error("Error processing thumbnail for uploaded media"), "later 5");
        check(500, "", "later 1");
        check(502, "<html>", "later 1");
        check(503, "<html>", "later 1");
        check(504, "<html>", "later 1");
        check(418, "", "account");
    }
}
