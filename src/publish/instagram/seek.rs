//! Seek: what became of a publication whose answer was lost.
//!
//! The container is asked first, the list of posts second. Instagram documents that a container
//! says `PUBLISHED` afterwards; not how soon, nor what a second publication of one does, so both
//! are given time. Of a story only the container can tell. **Invariant:** nothing is called absent
//! before it was looked for three times over two minutes; a story whose container is gone is never
//! called absent; nothing is published here.

use super::advance::receipt;
use super::owner;
use super::post::Kind;
use super::session::{Listed, Session, Status};
use super::work::{Publication, Work};
use crate::clock::Timestamp;
use crate::crosspost::{Failure, Receipt};
use crate::publish::Found;
use crate::publish::meta::container::MediaId;
use crate::publish::meta::likeness::same_text;
use crate::publish::meta::seek::{
    EARLIER, LOOKS, LOOKS_PAUSE, LOOKS_TIME, Match, UNLISTED_PAUSE, later,
};
use crate::publish::words::shown;

/// How often one container is published whose publications got no usable answer.
const DOUBTS_MAX: u32 = 3;

/// How the id begins of a post of which only the container is known.
const CONTAINER: &str = "container ";

/// The page of a post, which was unknown when it was published: that of `id`, or, where the list did
/// not show it then, that which the list shows by now.
pub async fn page(session: &Session<'_>, id: &str) -> Option<String> {
    if !id.starts_with(CONTAINER) {
        return session.permalink(&MediaId(id.to_owned())).await;
    }
    let work = Work::read(session.desk).await.ok()??;
    match look_through(session, &work, since(&work), true).await {
        Ok(Match::Same(receipt)) => receipt.url,
        _ => None,
    }
}

/// Finds out what became of the publication in the journal.
///
/// # Errors
/// Nobody can tell now.
pub async fn seek(session: &Session<'_>) -> Result<Found, Failure> {
    // the mark is committed before anything is published: without one, nothing was
    let Some(mut work) = Work::read(session.desk).await? else { return Ok(Found::Absent) };
    if let Some(media) = work.media.clone() {
        return Ok(Found::Published(receipt(session, work.kind, media).await));
    }
    let Some(publication) = &mut work.publication else { return Ok(Found::Absent) };
    if !publication.is_asked {
        publication.is_asked = true;
        work.commit(session.desk).await?;
    }
    let user = owner::id(session).await?;
    if user != work.user {
        return Ok(Found::Unknown(Failure::ambiguous(format!(
            "it may have been posted by the account with the number {}, but this one has {user}: \
             look at the other",
            work.user
        ))));
    }
    let Some(container) = &work.container else { return gone(session, work, "nowhere").await };
    let look = session.look(&container.id).await?;
    match look.status {
        Status::Published => published(session, work).await,
        Status::Finished => unpublished(session, work).await,
        Status::Busy => {
            let now = session.desk.clock.now();
            let at = now.plus(look.usage.stretched(container.pause(now)));
            if let Some(container) = &mut work.container {
                container.polls += 1;
            }
            work.commit(session.desk).await?;
            Ok(later(at, "its container is worked on still"))
        }
        Status::Failed(_) => gone(session, work, "failed").await,
        Status::Expired => gone(session, work, "lapsed").await,
        Status::Missing => gone(session, work, "not there").await,
    }
}

/// The container says that it is published: it is. The list gives the page; where it never does,
/// the container's id is all there is.
async fn published(session: &Session<'_>, mut work: Work) -> Result<Found, Failure> {
    if work.kind != Kind::Story {
        let since = since(&work);
        if let Match::Same(receipt) = look_through(session, &work, since, true).await? {
            return Ok(Found::Published(receipt));
        }
        let publication = work.publication.as_mut().expect("only an open one comes here");
        publication.looks += 1;
        if publication.looks < LOOKS {
            work.commit(session.desk).await?;
            let at = session.desk.clock.now().plus(UNLISTED_PAUSE);
            return Ok(later(at, "it is published, and not listed yet"));
        }
    }
    let id = work.container.map(|container| container.id.0).unwrap_or_default();
    Ok(Found::Published(Receipt { remote_id: format!("{CONTAINER}{id}"), url: None }))
}

/// The container could still be published. When it stays so, the same one may be published once
/// more: nothing else is as safe.
async fn unpublished(session: &Session<'_>, mut work: Work) -> Result<Found, Failure> {
    if let Some(found) = look(session, &mut work).await? {
        return Ok(found);
    }
    let doubts = work.container.as_ref().map_or(0, |container| container.doubts);
    if doubts + 1 >= DOUBTS_MAX {
        return Ok(Found::Unknown(Failure::ambiguous(format!(
            "its publication got no usable answer {DOUBTS_MAX} times, and nothing is there"
        ))));
    }
    work.doubt();
    work.commit(session.desk).await?;
    Ok(Found::Absent)
}

/// The container will not become the post any more: it did, and is in the list, or it never did.
async fn gone(session: &Session<'_>, mut work: Work, what: &str) -> Result<Found, Failure> {
    if work.kind == Kind::Story {
        return Ok(Found::Unknown(Failure::ambiguous(format!(
            "its container is {what}, and stories can't be listed: look at the account"
        ))));
    }
    if let Some(found) = look(session, &mut work).await? {
        return Ok(found);
    }
    work.doubt();
    work.drop_containers();
    work.commit(session.desk).await?;
    Ok(Found::Absent)
}

/// Looks for the post once more; nothing when that was often enough.
async fn look(session: &Session<'_>, work: &mut Work) -> Result<Option<Found>, Failure> {
    if work.kind != Kind::Story {
        match look_through(session, work, since(work), false).await? {
            Match::Same(receipt) => return Ok(Some(Found::Published(receipt))),
            Match::Alike(what) => {
                let message = format!("a post resembles it, and may be it: {}", shown(&what));
                return Ok(Some(Found::Unknown(Failure::ambiguous(message))));
            }
            Match::None => {}
        }
    }
    let now = session.desk.clock.now();
    let publication = work.publication.as_mut().expect("only an open one comes here");
    // a first look in the future: a clock was set back, and nothing is known of it
    let first = publication.first_look.filter(|first| *first <= now).unwrap_or(now);
    *publication =
        Publication { looks: publication.looks + 1, first_look: Some(first), ..*publication };
    if publication.looks >= LOOKS && now.since(first) >= LOOKS_TIME {
        return Ok(None);
    }
    work.commit(session.desk).await?;
    Ok(Some(later(now.plus(LOOKS_PAUSE), "it is not among the posts yet")))
}

fn since(work: &Work) -> Timestamp {
    let open = work.publication.as_ref().map(|publication| publication.since);
    open.into_iter().chain(work.doubt_since).min().unwrap_or(Timestamp::from_millis(0))
}

/// Looks through the posts since `since` for the one of `work`; `is_there` when it surely is among
/// them.
///
/// # Errors
/// They could not be read, or not all of them.
pub async fn look_through(
    session: &Session<'_>,
    work: &Work,
    since: Timestamp,
    is_there: bool,
) -> Result<Match, Failure> {
    let since = since.minus(EARLIER);
    let (list, is_whole) = session.list(&work.user, since).await?;
    match compare(work, since, is_there, &list) {
        Match::None if !is_whole => {
            let message = "there are more posts since then than are looked through";
            Err(Failure::ambiguous(message))
        }
        found => Ok(found),
    }
}

/// What of `list` is the post of `work`, which was not published before `since`. Without a caption
/// only its kind and its time tell, which is enough where it surely is there, and alone.
fn compare(work: &Work, since: Timestamp, is_there: bool, list: &[Listed]) -> Match {
    let is_mute = work.caption.trim().is_empty();
    let shows_link =
        |post: &Listed| work.link.as_ref().is_some_and(|link| post.caption.contains(link.as_str()));
    let candidates: Vec<&Listed> = list
        .iter()
        .filter(|post| post.at.is_none_or(|at| at >= since) && is_kind(work.kind, post))
        .filter(|post| same_text(&post.caption, &work.caption) || shows_link(post))
        .collect();
    let same = |post: &&&Listed| same_text(&post.caption, &work.caption);
    let same = candidates.iter().find(same).filter(|_| {
        // nothing else tells two posts without words apart
        !is_mute || (is_there && candidates.len() == 1)
    });
    if let Some(post) = same {
        let (remote_id, url) = (post.id.clone(), post.permalink.clone());
        return Match::Same(Receipt::new(remote_id, url));
    }
    let alike = candidates.first();
    alike.map_or(Match::None, |post| {
        Match::Alike(post.permalink.clone().unwrap_or_else(|| post.id.clone()))
    })
}

/// Whether a post in the list is of the kind that was made. Words that are not known are of every
/// kind.
fn is_kind(made: Kind, listed: &Listed) -> bool {
    let product = match listed.product.as_str() {
        "REELS" => made == Kind::Reel,
        "STORY" => made == Kind::Story,
        "FEED" => matches!(made, Kind::Image | Kind::Carousel),
        "AD" => false,
        _ => true,
    };
    product
        && match listed.kind.as_str() {
            "IMAGE" => made == Kind::Image,
            "VIDEO" => made == Kind::Reel,
            "CAROUSEL_ALBUM" => made == Kind::Carousel,
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn listed(id: &str, caption: &str, product: &str, kind: &str, after: i64) -> Listed {
        Listed {
            id: id.into(),
            caption: caption.into(),
            product: product.into(),
            kind: kind.into(),
            permalink: None,
            at: Some(Timestamp::from_millis(SINCE.as_millis() + after * 1000)),
        }
    }

    /// `=1` for the post with the id 1, `~1` for one that could be it.
    fn check(kind: Kind, caption: &str, is_there: bool, list: &[Listed], expect: &str) {
        let link = caption.contains("https://a.example/1").then(|| "https://a.example/1".into());
        let work = Work { kind, caption: caption.into(), link, ..Work::default() };
        let found = match compare(&work, SINCE, is_there, list) {
            Match::Same(receipt) => format!("={}", receipt.remote_id),
            Match::Alike(what) => format!("~{what}"),
            Match::None => String::new(),
        };
        assert_eq!(found, expect, "{list:?}");
    }

    #[test]
    fn a_post_is_known_by_caption_kind_and_time() {
        let hello = "Hello\n\nhttps://a.example/1";
        let image = |caption: &str, after| listed("1", caption, "FEED", "IMAGE", after);
        check(Kind::Image, hello, false, &[image("Hello https://a.example/1 ", 5)], "=1");
        check(Kind::Image, hello, false, &[image(hello, -1)], "");
        check(Kind::Image, hello, false, &[image("Hallo https://a.example/1", 5)], "~1");
        check(Kind::Image, hello, false, &[image("Hello", 5)], "");
        check(Kind::Reel, hello, false, &[image(hello, 5)], "");
        check(Kind::Reel, hello, false, &[listed("1", hello, "REELS", "VIDEO", 5)], "=1");
        let carousel = listed("2", hello, "FEED", "CAROUSEL_ALBUM", 5);
        check(Kind::Carousel, hello, false, &[image(hello, 5), carousel], "=2");
        check(Kind::Image, hello, false, &[listed("1", hello, "", "", 5)], "=1");
    }

    #[test]
    fn without_a_caption_only_a_lone_post_that_is_surely_there_is_ours() {
        let mute = |id: &str| listed(id, "", "FEED", "IMAGE", 5);
        check(Kind::Image, "", false, &[mute("1")], "~1");
        check(Kind::Image, "", true, &[mute("1")], "=1");
        check(Kind::Image, "", true, &[mute("1"), mute("2")], "~1");
        check(Kind::Image, "", true, &[listed("1", "Hi", "FEED", "IMAGE", 5)], "");
    }
}
