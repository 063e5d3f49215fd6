//! Seek: what became of a public call whose answer was lost.
//!
//! The list of the Page's posts is all there is, and it proves little: Facebook ranks it. So a post
//! that is not in it goes out only once more (twice where an error came that nobody knows), and
//! then a person is asked. **Invariant:** nothing is called absent before it was looked for three
//! times over two minutes; what Facebook says that it has is never called absent; nothing is
//! published here.

use std::time::Duration;

use super::advance::receipt;
use super::post::Kind;
use super::session::{Listed, Session};
use super::video;
use super::work::{Answered, Publication, Work};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure, Receipt};
use crate::publish::Found;
use crate::publish::meta::likeness::{same_link, same_text};
use crate::publish::meta::seek::{EARLIER, LOOKS, LOOKS_PAUSE, LOOKS_TIME, Match, later};
use crate::publish::words::shown;

/// How long a call is given before the list is worth a look.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// What is older than that can't be ours, whatever our clock was.
const LONG_BEFORE: Duration = Duration::from_secs(3600);

/// Finds out what became of the public call in the journal.
///
/// # Errors
/// Nobody can tell now.
pub async fn seek(session: &Session<'_>) -> Result<Found, Failure> {
    // the mark is committed before anything is published: without one, nothing was
    let Some(mut work) = Work::read(session.desk).await? else { return Ok(Found::Absent) };
    if let Some(failed) = &mut work.failed {
        // whatever attempt said so, what came of that is lost
        failed.is_told = false;
        work.commit(session.desk).await?;
        return Ok(Found::Absent);
    }
    let now = session.desk.clock.now();
    let Some(publication) = &mut work.publication else { return Ok(Found::Absent) };
    // where a clock was set back, nothing is known but that it was sent
    publication.began = publication.began.min(now);
    let began = publication.began;
    if !std::mem::replace(&mut publication.is_asked, true) {
        work.commit(session.desk).await?;
    }
    if let Some(id) = work.id.clone() {
        return match work.kind {
            Kind::Video => video::find(session, &mut work, &id).await,
            _ => Ok(Found::Published(receipt(session, id).await)),
        };
    }
    if work.page != session.page_id {
        return Ok(Found::Unknown(Failure::ambiguous(format!(
            "it may have been posted by the Page {}, and the account is of the Page {} now: look \
             at the other",
            work.page, session.page_id
        ))));
    }
    if now.since(began) < FIRST_PAUSE {
        return Ok(later(began.plus(FIRST_PAUSE), "it may not be among the posts yet"));
    }
    match look_through(session, &work).await? {
        Match::Same(Receipt { remote_id: id, .. }) if work.kind == Kind::Video => {
            // a video is listed before it can be seen
            work.take(id.clone(), now);
            work.commit(session.desk).await?;
            return video::find(session, &mut work, &id).await;
        }
        Match::Same(receipt) => return Ok(Found::Published(receipt)),
        Match::Alike(what) => {
            let message = format!("a post resembles it, and may be it: {}", shown(&what));
            return Ok(Found::Unknown(Failure::ambiguous(message)));
        }
        Match::None => {}
    }
    let publication = work.publication.as_mut().expect("read above");
    let first = publication.first_look.filter(|first| *first <= now).unwrap_or(now);
    publication.looks += 1;
    publication.first_look = Some(first);
    if publication.looks < LOOKS || now.since(first) < LOOKS_TIME {
        work.commit(session.desk).await?;
        return Ok(later(now.plus(LOOKS_PAUSE), "it is not among the posts yet"));
    }
    conclude(session, work).await
}

/// It was not found. Is it sent once more?
async fn conclude(session: &Session<'_>, mut work: Work) -> Result<Found, Failure> {
    let Some(Publication { answer, words, .. }) = &work.publication else {
        return Ok(Found::Absent);
    };
    let once_more = match answer {
        Answered::Duplicate => 0,
        Answered::Nothing => 1,
        Answered::Unknown => 2,
    };
    if work.doubts < once_more {
        work.doubt();
        work.commit(session.desk).await?;
        return Ok(Found::Absent);
    }
    let what = match answer {
        Answered::Duplicate => "Facebook says that it has this already".to_owned(),
        _ => format!("it was sent {} times without a usable answer", work.doubts + 1),
    };
    let last = if words.is_empty() { String::new() } else { format!(" ({words})") };
    let message = format!("{what}{last}, and it is not among the posts");
    let class = match answer {
        Answered::Duplicate => Class::Duplicate,
        _ => Class::Ambiguous,
    };
    Ok(Found::Unknown(Failure { class, message }))
}

/// Looks through the Page's posts for the one of `work`.
///
/// # Errors
/// They could not be read, or not all of them.
pub async fn look_through(session: &Session<'_>, work: &Work) -> Result<Match, Failure> {
    let since = work.since();
    let list = session.list(work.kind, since.minus(LONG_BEFORE)).await?;
    let now = session.desk.clock.now();
    // the call began as long ago by their clock as by ours
    let began = list.date.map(|date| date.minus(now.since(since)));
    let surely = began.map(|began| began.minus(EARLIER));
    match compare(work, surely, &list.posts) {
        Match::None if !list.is_whole => {
            let message = "there are more posts since then than one list holds";
            Err(Failure::ambiguous(message))
        }
        found => Ok(found),
    }
}

/// What of `list` is the post of `work`. What was made before `surely` only resembles it: a person
/// may have posted the same an hour before; without a clock of theirs everything could be older.
fn compare(work: &Work, surely: Option<Timestamp>, list: &[Listed]) -> Match {
    let mut alike = None;
    for post in list {
        let is_new = matches!((post.at, surely), (Some(at), Some(surely)) if at >= surely);
        if !same_text(&post.message, &work.message) {
            continue;
        }
        let is_same = match &work.link {
            Some(link) if !post.links.is_empty() => {
                post.links.iter().any(|theirs| same_link(link, theirs))
            }
            // a card that is not shown: the words alone must tell
            _ => !work.message.trim().is_empty(),
        };
        if is_same && is_new {
            let (remote_id, url) = (post.id.clone(), post.permalink.clone());
            let page = || format!("https://www.facebook.com/{}", post.id);
            let url = Some(url.unwrap_or_else(page));
            return Match::Same(Receipt::new(remote_id, url));
        }
        alike.get_or_insert_with(|| post.permalink.clone().unwrap_or_else(|| post.id.clone()));
    }
    alike.map_or(Match::None, Match::Alike)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn listed(id: &str, message: &str, link: Option<&str>, after: i64) -> Listed {
        Listed {
            id: id.into(),
            message: message.into(),
            links: link.into_iter().map(str::to_owned).collect(),
            permalink: None,
            at: Some(Timestamp::from_millis(SINCE.as_millis() + after * 1000)),
        }
    }

    /// `=1` for the post with the id 1, `~1` for one that could be it.
    fn check(work: (&str, Option<&str>), surely: bool, list: &[Listed], expect: &str) {
        let (message, link) = work;
        let link = link.map(str::to_owned);
        let work = Work { message: message.into(), link, ..Work::default() };
        let found = match compare(&work, surely.then_some(SINCE), list) {
            Match::Same(receipt) => format!("={}", receipt.remote_id),
            Match::Alike(what) => format!("~{what}"),
            Match::None => String::new(),
        };
        assert_eq!(found, expect, "{list:?}");
    }

    #[test]
    fn a_post_is_known_by_text_link_and_time() {
        let (a, b) = (Some("https://a.example/1"), Some("https://a.example/2"));
        let post = |link| listed("1", "Hello  world", link, 5);
        check(("Hello world", a), true, &[post(a)], "=1");
        check(("Hello world", a), true, &[post(None)], "=1");
        check(("Hello world", a), true, &[post(b)], "~1");
        check(("Hello world", None), true, &[post(None)], "=1");
        check(("Hello", a), true, &[post(a)], "");
        check(("Hello world", a), true, &[listed("1", "Hello world", a, -1)], "~1");
        check(("Hello world", a), true, &[post(b), listed("2", "Hello world", a, 0)], "=2");
        check(("Hello world", a), false, &[post(a)], "~1");
        check(("", a), true, &[listed("1", "", a, 5)], "=1");
        check(("", a), true, &[listed("1", "", None, 5)], "~1");
        check(("", None), true, &[listed("1", "", None, 5)], "~1");
        let undated = Listed { at: None, ..post(a) };
        check(("Hello world", a), true, &[undated], "~1");
    }
}
