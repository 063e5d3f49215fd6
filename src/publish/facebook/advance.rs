//! Advance: the way of a draft to a post: unseen photos, mark, the public call, its page; a video
//! is waited for before that.
//!
//! **Invariant:** each photo and the mark are committed before the next call.

use std::time::Duration;

use super::post::{Kind, Post};
use super::seek;
use super::session::Session;
use super::video;
use super::work::{Answered, Photo, Work};
use crate::crosspost::{Class, Failure, Receipt};
use crate::draft::Draft;
use crate::publish::meta::seek::Match;
use crate::publish::meta::{Meaning, Refusal};
use crate::publish::{Found, Outcome};

/// An attempt hands over no further photo after this.
const PHOTOS_TIME: Duration = Duration::from_secs(120);

/// Makes a post.
///
/// # Errors
/// The failure.
pub async fn advance(session: &Session<'_>, draft: &Draft) -> Result<Outcome, Failure> {
    let mut before = Work::read(session.desk).await?;
    if let Some(work) = &mut before
        && let Some(failed) = work.failed.as_mut().filter(|failed| !failed.is_told)
    {
        failed.is_told = true;
        let failure = Failure::content(failed.words.clone());
        work.commit(session.desk).await?;
        return Err(failure);
    }
    // what is open is asked about whatever the draft is by now: it may be refused
    let mut open = before.filter(|work| work.publication.is_some());
    if let Some(work) = &mut open {
        let is_asked = work.publication.as_ref().is_some_and(|publication| publication.is_asked);
        if let Some(id) = work.id.clone().filter(|_| !is_asked && work.kind == Kind::Video) {
            return video::resume(session, work, &id).await;
        }
        if !is_asked {
            let message = "it was sent before, and nobody knows what came of it";
            return Err(Failure::ambiguous(message));
        }
        // a person said so: what can still be known comes first, and then their word
        match seek::seek(session).await? {
            Found::Published(receipt) => return Ok(Outcome::Published(receipt)),
            Found::Absent => open = None,
            Found::Unknown(Failure { class: Class::Retry { .. }, message }) => {
                return Err(Failure::ambiguous(message));
            }
            Found::Unknown(_) => {}
        }
    }
    let post = Post::of(draft)?;
    let mut work = match open {
        Some(work) => {
            let work = work.anew(&post, session.page_id);
            work.commit(session.desk).await?;
            work
        }
        None => Work::on(session.desk, &post, session.page_id).await?,
    };
    if !upload(session, &post, &mut work).await? {
        let why = "the photos are being handed over".into();
        return Ok(Outcome::Wait { wait: Duration::from_secs(1), why });
    }
    if work.doubt_since.is_some() {
        // an earlier call was not found; perhaps it was only late
        if let Match::Same(receipt) = seek::look_through(session, &work).await? {
            if work.kind != Kind::Video {
                return Ok(Outcome::Published(receipt));
            }
            work.take(receipt.remote_id.clone(), session.desk.clock.now());
            work.commit(session.desk).await?;
            return video::resume(session, &mut work, &receipt.remote_id).await;
        }
    }
    publish(session, &post, &mut work).await
}

/// Hands over the photos of a post that has several; whether all are there.
async fn upload(session: &Session<'_>, post: &Post, work: &mut Work) -> Result<bool, Failure> {
    let desk = session.desk;
    let begun = desk.clock.now();
    work.retire(desk.clock.now());
    while let Some(params) = post.photos.get(work.photos.len()) {
        if desk.clock.now().since(begun) >= PHOTOS_TIME {
            return Ok(false);
        }
        let id = match session.upload(params).await {
            Ok(id) => id,
            Err(refusal) => {
                if refusal.meaning == Meaning::Duplicate {
                    // said to be posted already: then a post of ours must be there
                    work.begin(desk.clock.now());
                    keep_open(session, work, &refusal).await?;
                }
                return Err(refusal.into());
            }
        };
        work.photos.push(Photo { id, made_at: desk.clock.now() });
        work.commit(desk).await?;
    }
    Ok(true)
}

/// The public call: mark, then the call.
async fn publish(session: &Session<'_>, post: &Post, work: &mut Work) -> Result<Outcome, Failure> {
    let desk = session.desk;
    let attached: Vec<(String, String)> = work
        .photos
        .iter()
        .enumerate()
        .map(|(at, photo)| {
            let value = serde_json::json!({ "media_fbid": photo.id }).to_string();
            (format!("attached_media[{at}]"), value)
        })
        .collect();
    let attached = attached.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let own = post.params.iter().map(|(key, value)| (*key, value.as_str()));
    let params: Vec<(&str, &str)> = own.chain(attached).collect();
    work.begin(desk.clock.now());
    work.commit(desk).await?;
    match session.publish(post.kind, &params).await {
        Ok(id) => {
            work.id = Some(id.clone());
            let _ = work.commit(desk).await; // unwritten, the list tells
            Ok(match work.kind {
                Kind::Video => video::first_wait(),
                _ => Outcome::Published(receipt(session, id).await),
            })
        }
        Err(refusal) if matches!(refusal.failure.class, Class::Ambiguous | Class::Duplicate) => {
            let _ = keep_open(session, work, &refusal).await; // the mark stands already
            Err(refusal.into())
        }
        Err(refusal) => {
            // surely not published: the mark goes
            work.publication = None;
            if refusal.failure.class == Class::Content {
                work.photos.clear();
            }
            work.commit(desk).await?;
            Err(refusal.into())
        }
    }
}

/// Notes what was answered to a call whose fate is open.
async fn keep_open(
    session: &Session<'_>,
    work: &mut Work,
    refusal: &Refusal,
) -> Result<(), Failure> {
    if let Some(publication) = &mut work.publication {
        publication.words.clone_from(&refusal.failure.message);
        publication.answer = match refusal.meaning {
            Meaning::Duplicate => Answered::Duplicate,
            Meaning::Unknown if refusal.answered => Answered::Unknown,
            _ => Answered::Nothing,
        };
    }
    Ok(work.commit(session.desk).await?)
}

/// The receipt of a post that is no video, with its page.
pub async fn receipt(session: &Session<'_>, id: String) -> Receipt {
    let url = session.permalink(&id).await;
    Receipt::new(id, Some(url))
}
