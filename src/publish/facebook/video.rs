//! Video: what becomes of a video that Facebook has taken.
//!
//! An id says that it was taken, and no more: it is fetched and converted after that, and either
//! may fail. So it is looked at until it can be seen, for as long as the containers of the other
//! two platforms are; no document says how often, or how long. **Invariant:** once its id is known,
//! nothing is sent for it again unless a person says so. **Refuses:** to call public, or failed,
//! what nobody could look at.

use std::time::Duration;

use serde_json::Value;

use super::session::{Session, reel, whole};
use super::work::Work;
use crate::crosspost::{Class, Failure, Receipt};
use crate::publish::words::shown;
use crate::publish::{Found, Outcome};

/// How long it is looked after. What it is then, only a person can tell.
const PATIENCE: Duration = Duration::from_secs(23 * 3600);
/// The shortest and the longest time between two looks.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15 * 60));

/// How a video is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// It can be seen, at this address where that is told.
    Ready(Option<String>),
    /// It will never be, in Facebook's words.
    Failed(String),
    /// Worked on, or a word that is not known.
    Busy,
}

/// What came of looking after one.
enum Made {
    /// It can be seen.
    Ready(Receipt),
    /// It will never be.
    Failed(Failure),
    /// To be looked at again after that.
    Wait(Duration, String),
    /// It took too long.
    Late(String),
}

/// Goes on with the video of `work`, as an attempt.
///
/// # Errors
/// It failed, or the account can't look at it now. `Ambiguous` where it took too long.
pub async fn resume(session: &Session<'_>, work: &mut Work, id: &str) -> Result<Outcome, Failure> {
    match look_after(session, work, id).await? {
        Made::Ready(receipt) => Ok(Outcome::Published(receipt)),
        Made::Wait(wait, why) => Ok(Outcome::Wait { wait, why }),
        Made::Failed(failure) => {
            work.fail(failure.message.clone(), true);
            work.commit(session.desk).await?;
            Err(failure)
        }
        Made::Late(why) => Err(Failure::ambiguous(why)),
    }
}

/// What became of the video of `work`, as the answer to a question. Of one that failed nothing is
/// there; the next attempt says why, and sends nothing.
///
/// # Errors
/// It can't be looked at now.
pub async fn find(session: &Session<'_>, work: &mut Work, id: &str) -> Result<Found, Failure> {
    Ok(match look_after(session, work, id).await? {
        Made::Ready(receipt) => Found::Published(receipt),
        Made::Wait(wait, why) => {
            let at = session.desk.clock.now().plus(wait);
            let class = Class::Retry { not_before: Some(at) };
            Found::Unknown(Failure { class, message: why })
        }
        Made::Failed(failure) => {
            work.fail(failure.message, false);
            work.commit(session.desk).await?;
            Found::Absent
        }
        Made::Late(why) => Found::Unknown(Failure::ambiguous(why)),
    })
}

/// The first wait, right after it was taken.
pub fn first_wait() -> Outcome {
    Outcome::Wait { wait: PAUSES.0, why: BUSY.into() }
}

const BUSY: &str = "the video is being fetched and converted";

async fn look_after(session: &Session<'_>, work: &Work, id: &str) -> Result<Made, Failure> {
    let why = match session.look(id).await {
        Ok(answer) => match stage(&answer.body) {
            Stage::Ready(page) => {
                let url = Some(page.unwrap_or_else(|| reel(id)));
                return Ok(Made::Ready(Receipt::new(id.to_owned(), url)));
            }
            Stage::Failed(why) => {
                let message = format!("Facebook took the video and can't use it: {why}");
                return Ok(Made::Failed(Failure::content(message)));
            }
            Stage::Busy => BUSY.to_owned(),
        },
        Err(Failure { class: Class::Retry { .. }, message }) => message,
        Err(failure) => return Err(failure),
    };
    let now = session.desk.clock.now();
    let taken = work.publication.as_ref().map_or(now, |publication| publication.began);
    let taken = now.since(taken);
    if taken >= PATIENCE {
        return Ok(Made::Late(format!("after 23 hours the video {id} is not public yet: {why}")));
    }
    Ok(Made::Wait(pause(taken), why))
}

/// The time until the next look at a video that was taken so long ago: it is never seen much later
/// than it is ready.
fn pause(taken: Duration) -> Duration {
    (taken / 4).clamp(PAUSES.0, PAUSES.1)
}

fn stage(video: &Value) -> Stage {
    let status = &video["status"];
    match status["video_status"].as_str() {
        Some("ready" | "published") => {
            let page = video["permalink_url"].as_str().filter(|page| !page.is_empty());
            Stage::Ready(page.map(whole))
        }
        Some("error") => {
            let phases = ["uploading_phase", "processing_phase", "publishing_phase"];
            let said = phases.iter().find_map(|phase| words(&status[*phase]));
            Stage::Failed(said.map_or_else(|| HOSTING.to_owned(), |said| shown(&said)))
        }
        _ => Stage::Busy,
    }
}

/// What is wrong with a video of which nothing is said, in most cases.
const HOSTING: &str = "it says no reason; most often Meta could not fetch the file: its address \
                       must be public, https, without redirects, fast, and open to \
                       `facebookexternalhit`";

/// The first error of a phase, which documents name `error` and SDKs `errors`.
fn words(phase: &Value) -> Option<String> {
    let errors = [&phase["error"], &phase["errors"], &phase["errors"][0]];
    let said = errors.into_iter().find_map(|error| error["message"].as_str());
    said.filter(|said| !said.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_read() {
        let check = |video: Value, expect: Stage| assert_eq!(stage(&video), expect, "{video}");
        let of = |word: &str| json!({"status": {"video_status": word}});
        check(of("processing"), Stage::Busy);
        check(of("upload_complete"), Stage::Busy);
        check(of("a new word"), Stage::Busy);
        check(json!({"id": "1"}), Stage::Busy);
        check(of("ready"), Stage::Ready(None));
        let page = Stage::Ready(Some("https://www.facebook.com/reel/1/".into()));
        let status = json!({"video_status": "ready"});
        check(json!({"status": status, "permalink_url": "/reel/1/"}), page);
        check(of("error"), Stage::Failed(HOSTING.into()));
        let failed = Stage::Failed("Too short".into());
        for error in [json!({"message": "Too short"}), json!([{"message": "Too short"}])] {
            let key = if error.is_array() { "errors" } else { "error" };
            let phase = json!({"status": "error", key: error});
            let status = json!({"video_status": "error", "processing_phase": phase});
            check(json!({ "status": status }), failed.clone());
        }
    }

    #[test]
    fn looks_are_soon_at_first_and_few_in_all() {
        let (mut taken, mut waits) = (Duration::ZERO, Vec::new());
        while taken < PATIENCE {
            waits.push(pause(taken).as_secs());
            taken += pause(taken);
        }
        assert_eq!(waits[..7], [5, 5, 5, 5, 5, 6, 7]);
        assert!(waits.is_sorted() && waits.last() == Some(&900), "{waits:?}");
        assert!(waits.len() < 130, "{} looks in 23 hours", waits.len());
    }
}
