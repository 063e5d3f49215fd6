//! Seek: what became of a publication whose answer was lost.
//!
//! The container is asked first, the list of posts second. Threads documents that a container says
//! `PUBLISHED` afterwards; not how soon, nor what a second publication of one does, so both are
//! given time, and the list is looked through before the same container is published again.
//! **Invariant:** nothing is called absent before the list was looked through three times over two
//! minutes, and the container is not one that could still become the post.

use std::time::Duration;

use super::advance::receipt;
use super::owner;
use super::session::{Listed, Session, Status};
use super::work::{Publication, Work};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure, Receipt};
use crate::publish::Found;
use crate::publish::meta::container::{MediaId, is_open};
use crate::publish::meta::likeness::{same_link, same_text};
use crate::publish::meta::seek::{
    EARLIER, LOOKS, LOOKS_PAUSE, LOOKS_TIME, Match, UNLISTED_PAUSE, later,
};
use crate::publish::meta::{Meaning, Refusal, rest};
use crate::publish::words::shown;

/// How long a container that seems unpublished is given before it is looked at again.
const SECOND_LOOK: Duration = Duration::from_secs(10);

/// Finds out what became of the publication in the journal; goes on with it where it surely did
/// not come to pass.
///
/// # Errors
/// Nobody can tell now.
pub async fn seek(session: &Session<'_>) -> Result<Found, Failure> {
    let Some(mut work) = Work::read(session.desk).await? else {
        // the container is journalled before it is published: nothing was
        return Ok(Found::Absent);
    };
    let Some(publication) = work.publication.clone() else {
        return Ok(Found::Absent);
    };
    let user = owner::id(session).await?;
    if user != work.user && publication.is_released {
        // looked for over there by a person, and not found
        work.drop_containers();
        work.commit(session.desk).await?;
        return Ok(Found::Absent);
    }
    if user != work.user {
        return Ok(Found::Unknown(Failure::ambiguous(format!(
            "it may have been posted by the account with the id {}, but the token is of the one \
             with the id {user}: look at the other",
            work.user
        ))));
    }
    if publication.is_published {
        return published(session, work, publication).await;
    }
    let Some(container) = work.container.clone() else {
        return gone(session, work, publication).await;
    };
    let look = session.look(&container.id).await?;
    let now = session.desk.clock.now();
    match look.status {
        Status::Published => published(session, work, publication).await,
        Status::Finished if publication.is_refused => gone(session, work, publication).await,
        Status::Finished => match publication.unpublished_at {
            Some(at) if now.since(at) >= SECOND_LOOK => again(session, work, look.date).await,
            // of a clock that was set back, nothing is known
            Some(at) if at <= now => Ok(later(at.plus(SECOND_LOOK), "it is not published yet")),
            _ => {
                let mark = work.publication.as_mut().expect("read above");
                mark.unpublished_at = Some(now);
                work.commit(session.desk).await?;
                Ok(later(now.plus(SECOND_LOOK), "it is not published yet"))
            }
        },
        Status::Busy => {
            let at = now.plus(look.usage.stretched(container.pause(now)));
            count_look(session, &mut work).await?;
            Ok(later(at, "its container is worked on still"))
        }
        Status::Failed(_) | Status::Expired | Status::Missing => {
            gone(session, work, publication).await
        }
    }
}

async fn count_look(session: &Session<'_>, work: &mut Work) -> Result<(), Failure> {
    if let Some(container) = &mut work.container {
        container.polls += 1;
    }
    Ok(work.commit(session.desk).await?)
}

/// The container says that it is published: it is. The list gives the page; where it never does,
/// the container's id is all there is.
async fn published(
    session: &Session<'_>,
    mut work: Work,
    publication: Publication,
) -> Result<Found, Failure> {
    if let Match::Same(receipt) = look_through(session, &work, publication.since).await? {
        return Ok(Found::Published(receipt));
    }
    if publication.looks + 1 >= LOOKS {
        let remote_id = work.container.map(|container| container.id.0).unwrap_or_default();
        return Ok(Found::Published(Receipt { remote_id, url: None }));
    }
    let looks = publication.looks + 1;
    work.publication = Some(Publication { looks, is_published: true, ..publication });
    work.commit(session.desk).await?;
    let at = session.desk.clock.now().plus(UNLISTED_PAUSE);
    Ok(later(at, "it is published, and not listed yet"))
}

/// The container is unpublished still, ten seconds later: the list, and then the same container
/// once more.
async fn again(
    session: &Session<'_>,
    mut work: Work,
    date: Option<Timestamp>,
) -> Result<Found, Failure> {
    let publication = work.publication.clone().expect("only an open one comes here");
    match look_through(session, &work, publication.since).await? {
        Match::Same(receipt) => return Ok(Found::Published(receipt)),
        Match::Alike(what) if !publication.is_released => return Ok(alike(&what)),
        Match::Alike(_) | Match::None => {}
    }
    rest::may_post(session.desk).await?;
    work.begin(date.unwrap_or(publication.since));
    work.commit(session.desk).await?;
    let container = work.container.clone().expect("it was looked at just now");
    // a refusal that no row knows is no doubt any more once a person has said what became of it
    let is_settled = |refusal: &Refusal| {
        publication.is_released && refusal.answered && refusal.meaning == Meaning::Unknown
    };
    match session.publish(&container.id).await {
        Ok(id) => Ok(Found::Published(receipt(session, id).await)),
        Err(refusal) if is_open(&refusal) && !is_settled(&refusal) => {
            Ok(Found::Unknown(refusal.into()))
        }
        Err(refusal) => {
            let is_final = matches!(refusal.failure.class, Class::Content | Class::Card)
                || refusal.meaning == Meaning::NotReady
                || is_settled(&refusal);
            if !is_final {
                // the account can't post now, or nothing was sent: the same doubt, later
                return Ok(Found::Unknown(owner::explain_limit(session, refusal).await));
            }
            let mark = work.publication.as_mut().expect("begun above");
            mark.is_refused = true;
            let publication = mark.clone();
            work.commit(session.desk).await?;
            gone(session, work, publication).await
        }
    }
}

/// The container will not become the post any more: it did, and is in the list, or it never did.
async fn gone(
    session: &Session<'_>,
    mut work: Work,
    publication: Publication,
) -> Result<Found, Failure> {
    match look_through(session, &work, publication.since).await? {
        Match::Same(receipt) => return Ok(Found::Published(receipt)),
        Match::Alike(what) if !publication.is_released => return Ok(alike(&what)),
        Match::Alike(_) | Match::None => {}
    }
    let now = session.desk.clock.now();
    let first = publication.first_look.filter(|first| *first <= now).unwrap_or(now);
    let looks = publication.looks + 1;
    if looks >= LOOKS && now.since(first) >= LOOKS_TIME {
        work.doubt_since = Some(publication.since);
        work.drop_containers();
        work.commit(session.desk).await?;
        return Ok(Found::Absent);
    }
    work.publication = Some(Publication { looks, first_look: Some(first), ..publication });
    work.commit(session.desk).await?;
    Ok(later(now.plus(LOOKS_PAUSE), "it is not among the posts yet"))
}

fn alike(what: &str) -> Found {
    Found::Unknown(Failure::ambiguous(format!(
        "a post has the same text and another link, and may be it: {}",
        shown(what)
    )))
}

/// The page of a post, which was unknown when it was published: that of `id`, or, where the list did
/// not show it then and `id` is its container's, that which the list shows by now.
pub async fn page(session: &Session<'_>, id: &MediaId) -> Option<String> {
    let work = Work::read(session.desk).await.ok()?.unwrap_or_default();
    let is_container = work.container.as_ref().is_some_and(|container| container.id.0 == id.0);
    let Some(publication) = work.publication.as_ref().filter(|_| is_container) else {
        return session.permalink(id).await;
    };
    match look_through(session, &work, publication.since).await {
        Ok(Match::Same(receipt)) => receipt.url,
        _ => None,
    }
}

/// Looks through the posts since `since` for the one of `work`.
///
/// # Errors
/// They could not be read, or not all of them.
pub async fn look_through(
    session: &Session<'_>,
    work: &Work,
    since: Timestamp,
) -> Result<Match, Failure> {
    let since = since.minus(EARLIER);
    let (list, is_whole) = session.list(since).await?;
    match compare(work, since, &list) {
        Match::None if !is_whole => {
            let message = "there are more posts since then than are looked through";
            Err(Failure::ambiguous(message))
        }
        found => Ok(found),
    }
}

/// What of `list` is the post of `work`, which was not published before `since`.
fn compare(work: &Work, since: Timestamp, list: &[Listed]) -> Match {
    let mut alike = None;
    for post in list.iter().filter(|post| post.at.is_none_or(|at| at >= since)) {
        if !same_text(&post.text, &work.text) || !is_kind(&work.kind, &post.kind) {
            continue;
        }
        let is_same = match (&work.link, &post.link) {
            (Some(ours), Some(theirs)) => same_link(ours, theirs),
            // a card that is not shown: the words alone must tell
            (Some(_), None) => !work.text.trim().is_empty(),
            // Threads makes a card of a link in the text by itself
            (None, _) => true,
        };
        if is_same {
            let (remote_id, url) = (post.id.0.clone(), post.permalink.clone());
            return Match::Same(Receipt::new(remote_id, url));
        }
        alike.get_or_insert_with(|| post.permalink.clone().unwrap_or_else(|| post.id.0.clone()));
    }
    alike.map_or(Match::None, Match::Alike)
}

/// Whether a post in the list is of the kind that was made. Words that are not known are of every
/// kind.
fn is_kind(made: &str, listed: &str) -> bool {
    let of = match listed {
        "TEXT_POST" | "TEXT" => "TEXT",
        "IMAGE" => "IMAGE",
        "VIDEO" => "VIDEO",
        "CAROUSEL_ALBUM" | "CAROUSEL" => "CAROUSEL",
        _ => return true,
    };
    of == made
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn listed(id: &str, text: &str, link: Option<&str>, kind: &str, after: i64) -> Listed {
        Listed {
            id: MediaId(id.into()),
            text: text.into(),
            link: link.map(str::to_owned),
            kind: kind.into(),
            permalink: None,
            at: Some(Timestamp::from_millis(SINCE.as_millis() + after * 1000)),
        }
    }

    /// `=1` for the post with the id 1, `~1` for one that could be it.
    fn check(work: (&str, Option<&str>, &str), list: &[Listed], expect: &str) {
        let (text, link, kind) = work;
        let work = Work {
            text: text.into(),
            link: link.map(str::to_owned),
            kind: kind.into(),
            ..Work::default()
        };
        let found = match compare(&work, SINCE, list) {
            Match::Same(receipt) => format!("={}", receipt.remote_id),
            Match::Alike(what) => format!("~{what}"),
            Match::None => String::new(),
        };
        assert_eq!(found, expect);
    }

    #[test]
    fn a_post_is_known_by_text_link_kind_and_time() {
        let (a, b) = (Some("https://a.example/1"), Some("https://a.example/2"));
        let post = |link| listed("1", "Hello  world", link, "TEXT_POST", 5);
        check(("Hello world", a, "TEXT"), &[post(a)], "=1");
        check(("Hello world", a, "TEXT"), &[post(Some("https://A.example/1/"))], "=1");
        check(("Hello world", a, "TEXT"), &[post(b)], "~1");
        check(("Hello world", a, "TEXT"), &[post(None)], "=1");
        check(("Hello world", None, "TEXT"), &[post(b)], "=1");
        check(("Hello", a, "TEXT"), &[post(a)], "");
        check(("Hello world", a, "IMAGE"), &[post(a)], "");
        check(("Hello world", a, "TEXT"), &[listed("1", "Hello world", a, "TEXT_POST", -1)], "");
        check(("Hello world", a, "TEXT"), &[post(b), listed("2", "Hello world", a, "?", 0)], "=2");
        check(("", a, "TEXT"), &[listed("1", "", None, "TEXT_POST", 5)], "~1");
        let undated = Listed { at: None, ..post(a) };
        check(("Hello world", a, "TEXT"), &[undated], "=1");
    }
}
