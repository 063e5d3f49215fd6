//! Advance: the way of a draft to a post, as far as it goes in one attempt.
//!
//! containers → finished → mark → publish → page. What has to wait for Instagram is resumed by a
//! later attempt, which finds everything in the journal. Images and the parents of carousels are
//! looked at too: published at once, they are refused (recorded). **Invariant:** each id and the
//! mark are committed before the next call.

use std::time::Duration;

use super::owner;
use super::post::{Kind, Post};
use super::seek;
use super::session::{Reason, Session, Status};
use super::work::{Container, Work};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure, Receipt};
use crate::draft::Draft;
use crate::publish::meta::container::{
    CLOCK_DOUBT, ContainerId, LIFETIME, MediaId, PARTS_TIME, PAUSES_MAX, UNSEEN_MAX, is_open,
};
use crate::publish::meta::seek::Match;
use crate::publish::meta::{Meaning, Refusal};
use crate::publish::{Found, Outcome};

/// How many containers of one post may fail for a reason that may pass.
const LOST_MAX: u32 = 2;
/// The waits after "not ready". Later ones are of the last length, until another container is made.
const REFUSED_WAITS: [u64; 5] = [3, 6, 12, 30, 60];
/// The waits after "not known (any more)": documents say once or twice within 30 s to 2 min.
const MISLAID_WAITS: [u64; 2] = [30, 90];
/// How often one container may be refused as not ready.
const REFUSED_MAX: u32 = 8;

/// What is wrong with media that Instagram could not use, in most cases.
const HOSTING: &str = "it says no reason; most often Meta could not fetch the file: its address \
                       must be public, https, without redirects, fast, and open to \
                       `facebookexternalhit`";

/// What came of looking after the containers.
enum Made {
    /// All is finished, and it is that late by Instagram's clock.
    Finished(Option<Timestamp>),
    /// Not yet.
    Wait(Duration),
    /// One is gone, or failed: its place in the carousel, what is said of it, how many more tries
    /// are worth it.
    Lost(Option<usize>, String, u32),
    /// It failed and does not say why.
    Mute(Option<Timestamp>),
    /// It is published already.
    Published,
}

/// Goes on with a post as far as it goes.
///
/// # Errors
/// The failure.
pub async fn advance(session: &Session<'_>, draft: &Draft) -> Result<Outcome, Failure> {
    // what is open is asked about whatever the draft is by now: it may be refused
    let mut open = Work::read(session.desk).await?.filter(|work| work.publication.is_some());
    if let Some(publication) = open.as_ref().and_then(|work| work.publication.as_ref()) {
        if !publication.is_asked {
            let message = "its publication began before, and nobody knows what came of it";
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
    let user = owner::id(session).await?;
    let mut work = match open {
        Some(work) => {
            let work = work.anew(&post, &user);
            work.commit(session.desk).await?;
            work
        }
        None => Work::on(session.desk, &post, &user).await?,
    };
    retire(session, &mut work).await?;
    let mut pauses = PAUSES_MAX;
    let made = prepare(session, &post, &mut work, &mut pauses).await;
    // how often it was looked at; a note that is lost only means that it is looked at more often
    let _ = work.commit(session.desk).await;
    match made? {
        Made::Finished(date) => publish(session, &mut work, date, false).await,
        Made::Mute(date) => publish(session, &mut work, date, true).await,
        Made::Wait(wait) => Ok(Outcome::Wait { wait, why: what_for(post.kind).into() }),
        Made::Lost(place, why, tries) => lose(session, &mut work, place, &why, tries).await,
        Made::Published => {
            work.begin(session.desk.clock.now().minus(LIFETIME));
            work.commit(session.desk).await?;
            Err(Failure::ambiguous("its container is published already, and nobody knows as what"))
        }
    }
}

const fn what_for(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "the image is being fetched",
        Kind::Reel => "the video is being fetched and converted",
        Kind::Carousel => "the images and videos are being fetched and converted",
        Kind::Story => "the story is being fetched and converted",
    }
}

/// Gives up containers that lapse soon. One that was never finished in all that time never will be.
async fn retire(session: &Session<'_>, work: &mut Work) -> Result<(), Failure> {
    let now = session.desk.clock.now();
    if work.containers().all(|it| now.since(it.made_at) < LIFETIME) {
        return Ok(());
    }
    let was_awaited = work.containers().any(|it| !it.is_finished && it.polls > 5);
    work.drop_containers();
    work.commit(session.desk).await?;
    if was_awaited {
        return Err(Failure::content(format!("not finished within 23 hours: {HOSTING}")));
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
    if work.container.is_none() {
        let begun = desk.clock.now();
        for (place, params) in post.parts.iter().enumerate() {
            if work.parts.contains_key(&place) {
                continue;
            }
            if desk.clock.now().since(begun) >= PARTS_TIME {
                return Ok(Made::Wait(Duration::from_secs(1)));
            }
            let id = session.create(&work.user, params).await?;
            work.parts.insert(place, Container::new(id, desk.clock.now()));
            work.commit(desk).await?;
        }
        for (place, part) in &mut work.parts {
            if part.is_finished {
                continue;
            }
            if desk.clock.now().since(begun) >= PARTS_TIME {
                return Ok(Made::Wait(Duration::from_secs(1)));
            }
            match look_after(session, part, pauses).await? {
                Made::Finished(_) => {}
                // a part is never published to learn its reason: that might make a post of it
                Made::Mute(_) => return Ok(Made::Lost(Some(*place), HOSTING.into(), 1)),
                Made::Lost(_, why, tries) => return Ok(Made::Lost(Some(*place), why, tries)),
                Made::Published => {
                    let why = "a part of the carousel says that it is published";
                    return Ok(Made::Lost(Some(*place), why.into(), 1));
                }
                wait @ Made::Wait(_) => return Ok(wait),
            }
        }
        let mut params = post.params.clone();
        if !work.parts.is_empty() {
            let ids: Vec<_> = work.parts.values().map(|part| part.id.0.as_str()).collect();
            params.push(("children", ids.join(",")));
        }
        let id: ContainerId = match session.create(&work.user, &params).await {
            // a part is not known any more: all are made anew
            Err(Refusal { meaning: Meaning::Mislaid | Meaning::Lapsed, failure, .. })
                if !work.parts.is_empty() =>
            {
                return Ok(Made::Lost(None, failure.message, LOST_MAX));
            }
            made => made?,
        };
        work.container = Some(Container::new(id, desk.clock.now()));
        work.commit(desk).await?;
    }
    let container = work.container.as_mut().expect("made above where there was none");
    look_after(session, container, pauses).await
}

/// Looks at a container until it is finished or the pauses of this attempt are used up. One that
/// was made just now is given the first pause before.
async fn look_after(
    session: &Session<'_>,
    container: &mut Container,
    pauses: &mut Duration,
) -> Result<Made, Failure> {
    loop {
        if container.polls == 0 {
            let now = session.desk.clock.now();
            let wait = container.pause(now).saturating_sub(now.since(container.made_at));
            container.polls += 1;
            if wait > *pauses {
                return Ok(Made::Wait(wait));
            }
            *pauses -= wait;
            session.pause(wait).await;
        }
        let look = session.look(&container.id).await?;
        match look.status {
            Status::Finished => {
                container.is_finished = true;
                return Ok(Made::Finished(look.date));
            }
            Status::Published => return Ok(Made::Published),
            Status::Expired => return Ok(Made::Lost(None, "the container has lapsed".into(), 1)),
            Status::Failed(None) => return Ok(Made::Mute(look.date)),
            Status::Failed(Some(reason)) => return failed(reason),
            Status::Missing => {
                container.unseen += 1;
                if container.unseen > UNSEEN_MAX {
                    let why = "the container is not there any more";
                    return Ok(Made::Lost(None, why.into(), 1));
                }
            }
            Status::Busy => container.unseen = 0,
        }
        let wait = look.usage.stretched(container.pause(session.desk.clock.now()));
        container.polls += 1;
        if wait > *pauses {
            return Ok(Made::Wait(wait));
        }
        *pauses -= wait;
        session.pause(wait).await;
    }
}

/// A container failed, and says why.
fn failed(reason: Reason) -> Result<Made, Failure> {
    let Reason { meaning, words } = reason;
    match meaning {
        Meaning::Content | Meaning::Option | Meaning::Card => {
            Err(Failure::content(format!("Instagram can't use the file: {words}")))
        }
        // nothing is public of a container that failed
        Meaning::TooLong => {
            let message = format!("Instagram can't use the caption: {words}");
            Err(Failure { class: Class::TooLong, message })
        }
        Meaning::Tries(tries) => Ok(Made::Lost(None, words, tries)),
        _ => Ok(Made::Lost(None, words, LOST_MAX)),
    }
}

/// A container is lost, and surely was not published: another one is made, but not for ever.
async fn lose(
    session: &Session<'_>,
    work: &mut Work,
    place: Option<usize>,
    why: &str,
    tries: u32,
) -> Result<Outcome, Failure> {
    match place {
        Some(place) => _ = work.parts.remove(&place),
        None => work.drop_containers(),
    }
    let is_over = work.lost >= tries;
    // a person who says `retry` begins anew
    work.lost = if is_over { 0 } else { work.lost + 1 };
    work.commit(session.desk).await?;
    if is_over {
        return Err(Failure::content(format!("Instagram can't use the file: {why}")));
    }
    let wait = Duration::from_secs(5 * u64::from(work.lost));
    Ok(Outcome::Wait { wait, why: format!("the container is made anew: {why}") })
}

/// Publishes the container: mark, then the call. One that failed without a word `is_mute`: asked to
/// publish it, Instagram says why it can't (recorded); if it publishes it, so much the better.
async fn publish(
    session: &Session<'_>,
    work: &mut Work,
    date: Option<Timestamp>,
    is_mute: bool,
) -> Result<Outcome, Failure> {
    let desk = session.desk;
    if is_mute && work.lost > LOST_MAX {
        return lose(session, work, None, HOSTING, 0).await;
    }
    if let Some(since) = work.doubt_since.filter(|_| work.kind != Kind::Story) {
        // an earlier publication was not found; perhaps it was only late
        if let Match::Same(receipt) = seek::look_through(session, work, since, false).await? {
            return Ok(Outcome::Published(receipt));
        }
    }
    owner::quota_allows(session, &work.user).await?;
    work.begin(date.unwrap_or_else(|| desk.clock.now().minus(CLOCK_DOUBT)));
    work.commit(desk).await?;
    let id = work.container.as_ref().expect("it was looked at just now").id.clone();
    match session.publish(&work.user, &id).await {
        Ok(media) => {
            work.media = Some(media.clone());
            let _ = work.commit(desk).await; // unwritten, the container and the list tell
            Ok(Outcome::Published(receipt(session, work.kind, media).await))
        }
        Err(refusal) => refused(session, work, refusal, is_mute).await,
    }
}

/// What follows when a publication brought no post.
async fn refused(
    session: &Session<'_>,
    work: &mut Work,
    refusal: Refusal,
    is_mute: bool,
) -> Result<Outcome, Failure> {
    // of a container that failed, a known trouble with its file is the reason that was asked for
    if let (true, true, Meaning::Tries(tries)) = (is_mute, refusal.answered, refusal.meaning) {
        return lose(session, work, None, &refusal.failure.message, tries).await;
    }
    if is_open(&refusal) {
        work.lost += u32::from(is_mute);
        let _ = work.commit(session.desk).await; // the mark stands already
        return Err(refusal.into());
    }
    let container = work.container.as_mut().expect("it was looked at just now");
    if container.doubts > 0 && refusal.answered {
        // it may be refused because an earlier publication came to pass: the mark stays
        return Err(match refusal.failure.class {
            Class::Account { .. } | Class::RateLimited { .. } => refusal.into(),
            _ => Failure::ambiguous(refusal.failure.message),
        });
    }
    // surely not published: the mark goes
    let refusals = container.refused;
    container.refused += 1;
    work.publication = None;
    match refusal.meaning {
        _ if !refusal.answered => {}
        Meaning::Lapsed => {
            return lose(session, work, None, &refusal.failure.message, LOST_MAX).await;
        }
        Meaning::NotReady | Meaning::Mislaid => {
            let Some(wait) = next_try(refusal.meaning, refusals).filter(|_| !is_mute) else {
                return lose(session, work, None, &refusal.failure.message, LOST_MAX).await;
            };
            work.commit(session.desk).await?;
            return Ok(Outcome::Wait { wait, why: refusal.failure.message });
        }
        _ if refusal.failure.class == Class::Content => work.drop_containers(),
        _ => {}
    }
    work.commit(session.desk).await?;
    Err(owner::explain_limit(session, &work.user, refusal).await)
}

/// How long until a container is published again that was refused so often before; none: another
/// one is made.
fn next_try(meaning: Meaning, refusals: u32) -> Option<Duration> {
    let at = refusals as usize;
    let seconds = match meaning {
        Meaning::Mislaid => *MISLAID_WAITS.get(at)?,
        _ if refusals >= REFUSED_MAX => return None,
        _ => REFUSED_WAITS[at.min(REFUSED_WAITS.len() - 1)],
    };
    Some(Duration::from_secs(seconds))
}

/// The receipt of a post, with its page where that can be had. A story's page dies with it.
pub async fn receipt(session: &Session<'_>, kind: Kind, id: MediaId) -> Receipt {
    let url = match kind {
        Kind::Story => None,
        _ => session.permalink(&id).await,
    };
    Receipt::new(id.0, url)
}
