//! Advance: the way of a draft to a post, as far as it goes in one attempt.
//!
//! containers → finished → mark → publish → page. What has to wait for Threads is resumed by a
//! later attempt, which finds everything in the journal. **Invariant:** each id and the mark are
//! committed before the next call.

use std::time::Duration;

use super::owner;
use super::post::Post;
use super::seek;
use super::session::{Session, Status};
use super::work::{Container, Work};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure, Receipt};
use crate::draft::Draft;
use crate::publish::Outcome;
use crate::publish::meta::container::{
    CLOCK_DOUBT, ContainerId, LIFETIME, MediaId, PARTS_TIME, PAUSES_MAX, UNSEEN_MAX, is_open,
};
use crate::publish::meta::params::Param;
use crate::publish::meta::seek::Match;
use crate::publish::meta::{Meaning, Refusal};

/// The most containers of one post that may get lost.
const LOST_MAX: u32 = 3;
/// The waits after "no such container", which is often only "not yet".
const REFUSED_WAITS: [u64; 3] = [3, 6, 12];
/// A container that was looked at more often than this was waited for, and not only left lying.
const LOOKS_OF_ONE: u32 = 5;
/// After such a pause a finished container can be published, says experience.
const SETTLE: Duration = Duration::from_secs(2);

/// What is wrong with media that Threads could not get, in most cases.
const HOSTING: &str = "most often Meta could not fetch the file: its address must be public, \
                       https, without redirects, fast, and open to `facebookexternalhit`";

/// What came of looking after one container.
enum Made {
    /// It is finished, and it is that late by Threads' clock.
    Finished(Option<Timestamp>),
    /// Not yet.
    Wait(Duration),
    /// It is gone, or failed for no reason that would stay.
    Lost(String),
    /// What it is made of is not seen over there, or not yet.
    Unseen(String),
    /// It is published already.
    Published,
}

/// Goes on with a post as far as it goes.
///
/// # Errors
/// The failure.
pub async fn advance(session: &Session<'_>, draft: &Draft) -> Result<Outcome, Failure> {
    if let Some(mut before) = Work::read(session.desk).await?
        && let Some(publication) = &mut before.publication
    {
        // whatever the draft is by now. Only a person who said `resolve --retry` leads here: what
        // Threads knows of it is asked once more, and where it knows nothing, their word counts
        publication.is_released = true;
        before.commit(session.desk).await?;
        return Err(Failure::ambiguous(
            "its publication began before, and nobody knows what came of it",
        ));
    }
    let post = Post::of(draft)?;
    let user = owner::id(session).await?;
    let mut work = Work::on(session.desk, &post, &user).await?;
    retire(session, &mut work).await?;
    let mut pauses = PAUSES_MAX;
    let made = prepare(session, &post, &mut work, &mut pauses).await;
    // how often it was looked at; a note that is lost only means that it is looked at more often
    let _ = work.commit(session.desk).await;
    match made? {
        Made::Finished(date) => publish(session, &mut work, date).await,
        Made::Wait(wait) => Ok(Outcome::Wait { wait, why: what_for(&post).into() }),
        Made::Lost(why) => lose(session, &mut work, &why).await,
        Made::Unseen(why) => unseen(session, &mut work, why).await,
        Made::Published => {
            work.begin(session.desk.clock.now().minus(LIFETIME));
            work.commit(session.desk).await?;
            Err(Failure::ambiguous("its container is published already, and nobody knows as what"))
        }
    }
}

fn what_for(post: &Post) -> &'static str {
    match post.kind {
        "TEXT" => "the post is not ready there yet",
        "IMAGE" => "the image is being fetched",
        "VIDEO" => "the video is being fetched and converted",
        _ => "the images and videos are being fetched and converted",
    }
}

/// Gives up containers that lapse soon. One that was never finished in all that time never will be.
async fn retire(session: &Session<'_>, work: &mut Work) -> Result<(), Failure> {
    let now = session.desk.clock.now();
    if work.oldest().is_none_or(|oldest| now.since(oldest.made_at) < LIFETIME) {
        return Ok(());
    }
    let mut all = work.parts.iter().chain(&work.container);
    let was_awaited = all.any(|it| !it.is_finished && it.polls > LOOKS_OF_ONE);
    work.drop_containers();
    work.commit(session.desk).await?;
    if was_awaited {
        let message = format!("Threads did not finish it within 23 hours; {HOSTING}");
        return Err(Failure::content(message));
    }
    Ok(())
}

/// Makes what is not made yet, and waits until it is finished.
async fn prepare(
    session: &Session<'_>,
    post: &Post,
    work: &mut Work,
    pauses: &mut Duration,
) -> Result<Made, Failure> {
    let desk = session.desk;
    let begun = desk.clock.now();
    while work.container.is_none() && work.parts.len() < post.parts.len() {
        if desk.clock.now().since(begun) >= PARTS_TIME {
            return Ok(Made::Wait(Duration::from_secs(1)));
        }
        let id = session.create(&post.parts[work.parts.len()]).await?;
        work.parts.push(Container::new(id, desk.clock.now()));
        work.commit(desk).await?;
    }
    if work.container.is_none() {
        for part in work.parts.iter_mut().filter(|part| !part.is_finished) {
            if desk.clock.now().since(begun) >= PARTS_TIME {
                return Ok(Made::Wait(Duration::from_secs(1)));
            }
            match look_after(session, part, pauses).await? {
                Made::Finished(_) => {}
                other => return Ok(other),
            }
        }
        let id = match create(session, post, work).await {
            Err(Refusal { meaning: Meaning::NotReady, failure, .. }) => {
                return Ok(Made::Unseen(failure.message));
            }
            made => made?,
        };
        work.container = Some(Container::new(id, desk.clock.now()));
        work.commit(desk).await?;
    }
    let container = work.container.as_mut().expect("made above where there was none");
    look_after(session, container, pauses).await
}

/// Makes the container that is published; once more without its topic where that is refused.
async fn create(
    session: &Session<'_>,
    post: &Post,
    work: &mut Work,
) -> Result<ContainerId, Refusal> {
    let mut params: Vec<Param> = post.params.clone();
    if !work.parts.is_empty() {
        let ids: Vec<_> = work.parts.iter().map(|part| part.id.0.as_str()).collect();
        params.push(("children", ids.join(",")));
    }
    let topic = post.topic_tag.clone().filter(|_| !work.is_bare);
    let has_topic = topic.is_some();
    params.extend(topic.map(|tag| ("topic_tag", tag)));
    match session.create(&params).await {
        Err(Refusal { meaning: Meaning::Option, .. }) if has_topic => {
            work.is_bare = true;
            params.pop();
            session.create(&params).await
        }
        made => made,
    }
}

/// Looks at a container until it is finished or the pauses of this attempt are used up.
async fn look_after(
    session: &Session<'_>,
    container: &mut Container,
    pauses: &mut Duration,
) -> Result<Made, Failure> {
    loop {
        let look = session.look(&container.id).await?;
        let now = session.desk.clock.now();
        match &look.status {
            Status::Finished => {
                container.is_finished = true;
                return Ok(Made::Finished(look.date));
            }
            Status::Published => return Ok(Made::Published),
            Status::Expired => return Ok(Made::Lost("the container has lapsed".into())),
            Status::Failed(why) if why == "UNKNOWN" => return Ok(Made::Lost(HOSTING.into())),
            Status::Failed(why) => {
                let message = format!("Threads can't use the file: `{why}`");
                return Err(Failure::content(message));
            }
            Status::Missing => {
                container.unseen += 1;
                if container.unseen > UNSEEN_MAX {
                    return Ok(Made::Lost("the container is not there any more".into()));
                }
            }
            Status::Busy => container.unseen = 0,
        }
        let wait = look.usage.stretched(container.pause(now));
        container.polls += 1;
        if wait > *pauses {
            return Ok(Made::Wait(wait));
        }
        *pauses -= wait;
        session.pause(wait).await;
    }
}

/// A container is lost, and surely was not published: another one is made, but not for ever.
async fn lose(session: &Session<'_>, work: &mut Work, why: &str) -> Result<Outcome, Failure> {
    work.drop_containers();
    work.lost += 1;
    let is_over = work.lost >= LOST_MAX;
    if is_over {
        work.lost = 0; // a person who says `retry` begins anew
    }
    work.commit(session.desk).await?;
    if is_over {
        return Err(Failure::content(format!("{LOST_MAX} containers failed: {why}")));
    }
    Ok(Outcome::Wait {
        wait: Duration::from_secs(5 * u64::from(work.lost)),
        why: format!("the container is made anew: {why}"),
    })
}

/// A container that was made is "not there": mostly it is only not seen yet, so it is asked for
/// again after 3, 6 and 12 seconds, and then made anew. Only these refusals count for that.
async fn unseen(session: &Session<'_>, work: &mut Work, why: String) -> Result<Outcome, Failure> {
    // of a carousel whose container is not made yet, its first part counts for all
    let Some(container) = work.container.as_mut().or(work.parts.first_mut()) else {
        return Err(Failure::retry(why));
    };
    let Some(wait) = REFUSED_WAITS.get(container.refused as usize).copied() else {
        return lose(session, work, &why).await;
    };
    container.refused += 1;
    work.commit(session.desk).await?;
    Ok(Outcome::Wait { wait: Duration::from_secs(wait), why })
}

/// Publishes the finished container: mark, then the call.
async fn publish(
    session: &Session<'_>,
    work: &mut Work,
    date: Option<Timestamp>,
) -> Result<Outcome, Failure> {
    let desk = session.desk;
    if let Some(since) = work.doubt_since {
        // an earlier publication was not found; perhaps it was only late
        if let Match::Same(receipt) = seek::look_through(session, work, since).await? {
            return Ok(Outcome::Published(receipt));
        }
    }
    owner::quota_allows(session).await?;
    session.pause(SETTLE).await;
    let since = date.unwrap_or_else(|| desk.clock.now().minus(CLOCK_DOUBT));
    work.begin(since);
    work.commit(desk).await?;
    let container = work.container.as_ref().expect("it was looked at just now");
    match session.publish(&container.id).await {
        Ok(id) => Ok(Outcome::Published(receipt(session, id).await)),
        Err(refusal) if is_open(&refusal) => Err(refusal.into()),
        Err(refusal) => {
            // surely not published: the mark goes
            work.publication = None;
            if refusal.meaning == Meaning::NotReady {
                return unseen(session, work, refusal.failure.message).await;
            }
            if matches!(refusal.failure.class, Class::Content | Class::Card) {
                work.drop_containers(); // a person who says `retry` begins anew
            }
            work.commit(desk).await?;
            Err(owner::explain_limit(session, refusal).await)
        }
    }
}

/// The receipt of a post, with its page where that can be had.
pub async fn receipt(session: &Session<'_>, id: MediaId) -> Receipt {
    let url = session.permalink(&id).await;
    Receipt::new(id.0, url)
}
