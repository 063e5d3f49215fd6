//! Quota: how many posts an account may make in a day, and who it is; both are asked for seldom.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::answer::{Answer, number};
use super::container::Calls;
use super::errors::Meaning;
use super::graph::{Ask, Refusal};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};

/// How long an answer about the quota is good for.
const QUOTA_AGE: Duration = Duration::from_secs(3600);
/// How long a post waits when the quota is used up; it frees little by little, over a day.
const QUOTA_WAIT: Duration = Duration::from_secs(3600);

/// How many posts the last 24 hours had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    used: i64,
    total: i64,
    asked_at: Timestamp,
}

/// Where a quota is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Where the account's memory holds how much of it is used.
    pub note: &'static str,
    /// Where it is asked for.
    pub path: &'a str,
}

/// Who the account is, as remembered for one token.
#[derive(Serialize, Deserialize)]
struct Me {
    id: String,
    /// A fingerprint of the token that was asked with.
    of: String,
}

/// The platform's id of the account, which `ask` asks for once for each token; remembered under
/// `note`.
///
/// # Errors
/// It could not be asked.
pub async fn id(
    calls: &Calls<'_>,
    note: &'static str,
    ask: impl Future<Output = Result<String, Failure>>,
) -> Result<String, Failure> {
    let digest = Sha256::digest(calls.token.expose());
    let of: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let memory = calls.desk.memory;
    let known = memory.read(note).await?.and_then(|it| serde_json::from_value::<Me>(it).ok());
    if let Some(me) = known.filter(|me| me.of == of) {
        return Ok(me.id);
    }
    let id = ask.await?;
    let me = Me { id: id.clone(), of };
    let value = serde_json::to_value(&me).expect("plain data can be written as JSON");
    memory.write(note, value).await?;
    Ok(id)
}

/// Whether the quota allows one more post. Asked at most once an hour, and whenever it was used
/// up; where it can't be asked, the publication will tell.
///
/// # Errors
/// `RateLimited` where it is used up.
pub async fn allows(calls: &Calls<'_>, place: Place<'_>) -> Result<(), Failure> {
    let now = calls.desk.clock.now();
    let note = calls.desk.memory.read(place.note).await?;
    let known = note.and_then(|note| serde_json::from_value::<Quota>(note).ok()).filter(|known| {
        known.used < known.total && known.asked_at <= now && now.since(known.asked_at) < QUOTA_AGE
    });
    if known.is_some() {
        return Ok(());
    }
    match ask(calls, place).await {
        Ok(Some(quota)) if quota.used >= quota.total => Err(quota.used_up(now)),
        _ => Ok(()),
    }
}

/// What a refusal for its rate means: where the quota of posts is used up, that.
pub async fn explain_limit(calls: &Calls<'_>, place: Place<'_>, refusal: Refusal) -> Failure {
    if !matches!(refusal.meaning, Meaning::Limited | Meaning::Quota) || !refusal.answered {
        return refusal.into();
    }
    match ask(calls, place).await {
        Ok(Some(quota)) if quota.used >= quota.total => quota.used_up(calls.desk.clock.now()),
        _ => refusal.into(),
    }
}

/// The quota; none where the answer holds none. What the account may post is what `quota_total`
/// says: of Instagram, documents name 25, 50 and 100.
///
/// # Errors
/// It could not be asked.
pub async fn ask(calls: &Calls<'_>, place: Place<'_>) -> Result<Option<Quota>, Failure> {
    let params = [("fields", "quota_usage,config")];
    let ask =
        Ask { token: Some(calls.token), ..Ask::read("ask for the quota", place.path, &params) };
    let answer = calls.graph.ask(calls.desk, &ask).await?;
    let Some(quota) = Quota::read(&answer, calls.desk.clock.now()) else { return Ok(None) };
    let note = serde_json::to_value(quota).expect("plain data can be written as JSON");
    let _ = calls.desk.memory.write(place.note, note).await; // unwritten, it is asked again
    Ok(Some(quota))
}

impl Quota {
    fn read(answer: &Answer, now: Timestamp) -> Option<Self> {
        let data = &answer.body["data"][0];
        let total = number(&data["config"]["quota_total"]).filter(|total| *total > 0)?;
        Some(Self { used: number(&data["quota_usage"])?, total, asked_at: now })
    }

    /// How much is used, for people.
    pub fn words(&self) -> String {
        format!("{} of {} posts of the last 24 hours are used", self.used, self.total)
    }

    fn used_up(&self, now: Timestamp) -> Failure {
        let class = Class::RateLimited { not_before: Some(now.plus(QUOTA_WAIT)) };
        Failure { class, message: self.words() }
    }
}
