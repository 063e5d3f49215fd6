//! Instance: which software answers, how long a text may be and which media it takes, asked once a
//! day.
//!
//! `/api/v2/instance`, then `/api/v1/instance`, then the defaults of the platform; the family from
//! NodeInfo, then from the version (sheet A2). **Invariant:** a question that fails never fails a
//! post: what was known before, or else the default, stays true for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::errors::Call;
use super::family::Family;
use super::room;
use super::server::{Reading, Server};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::platform::{Limits, MediaLimits, Platform};
use crate::publish::Desk;

/// Where the answer stands in the account's memory.
const PLACE: &str = "mastodon.instance";
/// How long an answer holds.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// How long a question that failed is not asked again.
const PAUSE: Duration = Duration::from_secs(10 * 60);
/// How long one question may take: a draft waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a link counts where a server doesn't say (sheet A4).
const PER_URL: u32 = 23;

/// What is remembered of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    /// Who was asked: the owner may move to another server.
    origin: String,
    asked_at: Timestamp,
    failed: bool,
    known: Option<Instance>,
}

/// What an instance says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its software's family.
    pub family: Family,
    /// Its software and version, for people.
    pub software: String,
    /// The domain in the names of its accounts, where it says one.
    pub domain: Option<String>,
    /// What a post may hold.
    pub limits: Limits,
    /// Which media it may hold; absent in what an older version remembers, which is asked anew.
    #[serde(default)]
    pub media: Option<MediaLimits>,
}

/// What a post may hold.
pub async fn limits(server: &Server, desk: &Desk<'_>) -> Limits {
    let known = current(server, desk).await.ok().flatten();
    known.map_or(Platform::Mastodon.limits(), |instance| instance.limits)
}

/// Which media a post may hold.
pub async fn media_limits(server: &Server, desk: &Desk<'_>) -> MediaLimits {
    let known = current(server, desk).await.ok().flatten();
    known.and_then(|instance| instance.media).unwrap_or(Platform::Mastodon.media())
}

/// What a post may hold, as far as the `memory` of an account on `origin` says. Asks nobody.
pub fn remembered_limits(
    memory: impl Fn(&str) -> Option<Value>,
    origin: Option<&str>,
) -> Option<Limits> {
    remembered_instance(memory, origin).map(|instance| instance.limits)
}

/// Which media a post may hold, likewise.
pub fn remembered_media_limits(
    memory: impl Fn(&str) -> Option<Value>,
    origin: Option<&str>,
) -> Option<MediaLimits> {
    remembered_instance(memory, origin)?.media
}

fn remembered_instance(
    memory: impl Fn(&str) -> Option<Value>,
    origin: Option<&str>,
) -> Option<Instance> {
    let memory: Memory = serde_json::from_value(memory(PLACE)?).ok()?;
    let same = origin.is_none_or(|origin| origin == memory.origin);
    memory.known.filter(|_| same)
}

/// The family as far as it is known without asking.
pub async fn remembered_family(server: &Server, desk: &Desk<'_>) -> Family {
    remembered(server, desk)
        .await
        .and_then(|memory| memory.known)
        .map_or(Family::Other, |it| it.family)
}

/// The instance as it is known, asked first where that is due.
///
/// # Errors
/// It was asked just now and can't say.
pub async fn current(server: &Server, desk: &Desk<'_>) -> Result<Option<Instance>, Failure> {
    let now = desk.clock.now();
    let before = remembered(server, desk).await;
    if let Some(memory) = &before {
        let is_whole = memory.known.as_ref().is_none_or(|known| known.media.is_some());
        let holds = if memory.failed { PAUSE } else { FRESH };
        if (is_whole || memory.failed)
            && memory.asked_at <= now
            && now.since(memory.asked_at) < holds
        {
            return Ok(memory.known.clone());
        }
    }
    let answer = ask(server, now).await;
    let known = match &answer {
        Ok(instance) => Some(instance.clone()),
        Err(_) => before.and_then(|memory| memory.known),
    };
    let (origin, failed) = (server.origin().to_owned(), answer.is_err());
    let memory = Memory { origin, asked_at: now, failed, known: known.clone() };
    let value = serde_json::to_value(memory).expect("a struct of plain values is JSON");
    // only a note to save a question: what can't be remembered is asked again
    let _ = desk.memory.write(PLACE, value).await;
    match answer {
        Err(failure) if known.is_none() => Err(failure),
        _ => Ok(known),
    }
}

async fn remembered(server: &Server, desk: &Desk<'_>) -> Option<Memory> {
    let value = desk.memory.read(PLACE).await.ok()??;
    let memory: Memory = serde_json::from_value(value).ok()?;
    (memory.origin == server.origin()).then_some(memory)
}

async fn ask(server: &Server, now: Timestamp) -> Result<Instance, Failure> {
    let v2 = question(server, "/api/v2/instance", now).await?;
    let v1 = match v2.as_ref().and_then(max_of) {
        Some(_) => None,
        None => question(server, "/api/v1/instance", now).await?,
    };
    if v2.is_none() && v1.is_none() {
        let server = server.origin();
        return Err(Failure::retry(format!("asking `{server}` for its limits: it has none")));
    }
    let software = match software(server, now).await {
        Ok(software) => software,
        // it is kept from us for good, so the version must do
        Err(Failure { class: Class::Account { .. }, .. }) => None,
        Err(failure) => return Err(failure),
    };
    Ok(read(v2.as_ref(), v1.as_ref(), software.as_deref()))
}

/// The name of the software that NodeInfo tells. Its link names the public host: only the path is
/// taken, so that a proxy or a stand-in is never left.
async fn software(server: &Server, now: Timestamp) -> Result<Option<String>, Failure> {
    let Some(index) = question(server, "/.well-known/nodeinfo", now).await? else {
        return Ok(None);
    };
    let link = index.get("links").and_then(Value::as_array).and_then(|links| {
        let hrefs = links.iter().filter(|link| {
            let rel = link.get("rel").and_then(Value::as_str).unwrap_or_default();
            rel.contains("nodeinfo.diaspora.software/ns/schema/")
        });
        hrefs.filter_map(|link| link.get("href")?.as_str()).next_back()
    });
    let Some(path) = link.and_then(|href| path_of(server.origin(), href)) else { return Ok(None) };
    let document = question(server, &path, now).await?;
    Ok(document.and_then(|it| Some(it.pointer("/software/name")?.as_str()?.to_owned())))
}

fn path_of(origin: &str, href: &str) -> Option<String> {
    let href = Url::parse(origin).ok()?.join(href).ok()?;
    Some(href.path().to_owned())
}

/// The JSON at `path`; none where the server has no such thing.
async fn question(server: &Server, path: &str, now: Timestamp) -> Result<Option<Value>, Failure> {
    let call = Call { server: server.origin(), doing: "asking for the limits of", scope: "read" };
    match server.get_public(path, PATIENCE, &call, now).await? {
        Reading::Json(value, _) => Ok(Some(value)),
        Reading::Nothing(_) => Ok(None),
    }
}

/// Puts the answers together.
fn read(v2: Option<&Value>, v1: Option<&Value>, software: Option<&str>) -> Instance {
    let text = |of: Option<&Value>, name: &str| {
        of.and_then(|of| of.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    let version = text(v2, "version").or_else(|| text(v1, "version")).unwrap_or_default();
    let family = software.map_or_else(|| Family::of_version(&version), Family::of_software);
    let max = v2.and_then(max_of).or_else(|| v1.and_then(max_of));
    let per_url = [v2, v1].into_iter().flatten().find_map(per_url_of).unwrap_or(PER_URL);
    let domain = text(v2, "domain").or_else(|| text(v1, "uri"));
    Instance {
        family,
        software: [software.unwrap_or("unknown software"), &version].join(" ").trim().to_owned(),
        domain: domain.filter(|domain| !domain.contains('/')),
        limits: Limits {
            unit: family.unit(per_url),
            max: max.unwrap_or(Platform::Mastodon.limits().max),
            max_bytes: None,
        },
        media: Some(room::read([v2, v1].into_iter().flatten(), family)),
    }
}

/// `configuration.statuses.max_characters`, else `max_toot_chars` (Pleroma, Akkoma, glitch).
fn max_of(instance: &Value) -> Option<u32> {
    number(instance, "/configuration/statuses/max_characters")
        .or_else(|| number(instance, "/max_toot_chars"))
}

fn per_url_of(instance: &Value) -> Option<u32> {
    number(instance, "/configuration/statuses/characters_reserved_per_url")
}

fn number(of: &Value, pointer: &str) -> Option<u32> {
    let number = of.pointer(pointer)?.as_u64().filter(|number| *number > 0)?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::Unit;

    #[test]
    fn limits_are_the_instance_s_own() {
        let check = |v2: Option<Value>, v1: Option<Value>, software: Option<&str>, expect| {
            let limits = read(v2.as_ref(), v1.as_ref(), software).limits;
            assert_eq!((limits.unit, limits.max), expect);
        };
        let statuses = |max: u32, url: u32| {
            let statuses = json!({ "max_characters": max, "characters_reserved_per_url": url });
            Some(json!({ "version": "4.5.0", "configuration": { "statuses": statuses } }))
        };
        let mastodon = |url| Unit::Mastodon { url: Some(url), short_mentions: true };
        check(statuses(1000, 30), None, Some("mastodon"), (mastodon(30), 1000));
        check(statuses(5000, 25), None, Some("gotosocial"), (Unit::CodePoints, 5000));
        check(statuses(640, 23), None, None, (mastodon(23), 640));
        let akkoma = json!({ "max_toot_chars": 5000, "version": "2.7.2 (compatible; Akkoma 3)" });
        check(None, Some(akkoma), None, (Unit::Graphemes, 5000));
        check(Some(json!({ "version": "4.0.0" })), None, Some("mastodon"), (mastodon(23), 500));
        check(statuses(0, 0), None, Some("mastodon"), (mastodon(23), 500));
    }

    #[test]
    fn what_an_older_version_remembers_can_be_read() {
        let mut memory = serde_json::to_value(Memory {
            origin: "https://a.example".into(),
            asked_at: Timestamp::from_secs(0),
            failed: false,
            known: Some(read(Some(&json!({ "version": "4.5.0" })), None, None)),
        })
        .unwrap();
        let ask = |memory: &Value| {
            let memory = |_: &str| Some(memory.clone());
            let origin = Some("https://a.example");
            (
                remembered_limits(memory, origin).map(|limits| limits.max),
                remembered_media_limits(memory, origin).map(|limits| limits.count_max),
            )
        };
        assert_eq!(ask(&memory), (Some(500), Some(4)));
        memory["known"].as_object_mut().unwrap().remove("media");
        assert_eq!(ask(&memory), (Some(500), None));
    }

    #[test]
    fn of_a_link_only_the_path_is_taken() {
        let check = |href: &str, expect: &str| {
            assert_eq!(path_of("http://127.0.0.1:3000", href).as_deref(), Some(expect));
        };
        check("https://elsewhere.example/nodeinfo/2.0", "/nodeinfo/2.0");
        check("/nodeinfo/2.1.json", "/nodeinfo/2.1.json");
        check("//elsewhere.example/n", "/n");
    }
}
