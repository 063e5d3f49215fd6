//! Bluesky: drafts to posts in the owner's repository on an AT Protocol server.
//!
//! The record key is ours: chosen and journalled, with `createdAt`, before the first write. The
//! write is `putRecord` with `swapRecord: null`: it creates, or (same record under the same key)
//! answers that all is done, or refuses; it never makes a second post and never overwrites. So a
//! lost answer is settled by reading the key, or by saying the same once more.
//! **Invariant:** one crosspost, one key, whatever happens to the answers. **Refuses:** to sign in
//! per post; to send a token to another server than the owner's; `createRecord`.

use async_trait::async_trait;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::config::Secret;
use crate::crosspost::{Class, Failure, Receipt};
use crate::draft::Draft;
use crate::platform::{Limits, MediaLimits, Platform};
use crate::publish::{Desk, Found, Identity, Outcome, Publisher};

mod budget;
mod errors;
mod extras;
mod gather;
mod record;
mod session;
mod tid;
mod xrpc;

use errors::Meaning;
use extras::Extras;
use gather::drop_picture;
use record::COLLECTION;
use session::{Access, Cure, Session};
use xrpc::{Answer, Call, Parcel};

/// Where the journal of a crosspost holds its record key.
const NOTE: &str = "bluesky_key";

/// One Bluesky account.
pub struct Bluesky {
    access: Access,
}

/// The key of one crosspost's post: chosen once, before the first write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    /// Whose repository it is in.
    did: String,
    /// A tid.
    rkey: String,
    /// The `createdAt` of the record: the first attempt.
    created_at: String,
}

/// What a write under a key came to.
enum Written {
    /// The post is there.
    Post(Receipt),
    /// The key is refused for its letters: it never was, and never will be, a post.
    KeyUnfit(Failure),
}

impl Bluesky {
    /// The account of `identifier` (handle, e-mail or DID), over `http`, which follows no
    /// redirect. With `base_url`, every request goes to that origin; without, the session begins at
    /// `https://bsky.social`, and posts go to the server that it names.
    pub fn new(
        identifier: impl Into<String>,
        app_password: Secret,
        base_url: Option<Url>,
        http: Client,
    ) -> Self {
        Self { access: Access::new(identifier.into(), app_password, base_url, http) }
    }

    /// Puts the draft under the key of its crosspost; under another one, once, where the server
    /// takes no key with these letters.
    ///
    /// A key that is taken is never replaced, not even one chosen just now: whatever repeated the
    /// request on its way may have made our post there.
    async fn put(&self, draft: &Draft, desk: &Desk<'_>) -> Result<Receipt, Failure> {
        let mut session = self.access.session(desk).await?;
        let key = match journalled(desk).await?.filter(|key| key.did == session.did) {
            Some(key) => key,
            None => choose(desk, &session.did).await?,
        };
        let wanted = Extras::wanted(draft);
        let known = if wanted.is_whole() { Some(wanted) } else { wanted.journalled(desk).await? };
        let asked = known.is_none();
        let mut extras = match known {
            Some(extras) => extras,
            None => {
                let extras = self.gather(draft, &mut session, desk).await?;
                extras.keep(desk).await?;
                extras
            }
        };
        let written = self.write_somewhere(draft, key, &mut extras, &mut session, desk).await;
        if let Err(failure) = &written
            && asked
            && !extras.is_whole()
            && is_surely_unwritten(&failure.class)
        {
            Extras::forget(desk).await;
        }
        written
    }

    /// Writes the record under `key`, or under another where the server takes none with its
    /// letters.
    async fn write_somewhere(
        &self,
        draft: &Draft,
        key: Key,
        extras: &mut Extras,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Result<Receipt, Failure> {
        if let Written::Post(receipt) = self.write(draft, &key, extras, session, desk).await? {
            return Ok(receipt);
        }
        let key = choose(desk, &session.did).await?;
        match self.write(draft, &key, extras, session, desk).await? {
            Written::Post(receipt) => Ok(receipt),
            Written::KeyUnfit(failure) => Err(failure),
        }
    }

    /// Writes the record of `draft` under `key`, and looks who is there when it is taken. A picture
    /// that the server has lost is uploaded once more; one that it refuses is left out.
    async fn write(
        &self,
        draft: &Draft,
        key: &Key,
        extras: &mut Extras,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Result<Written, Failure> {
        let mut uploaded_again = false;
        loop {
            let body = json!({
                "repo": key.did,
                "collection": COLLECTION,
                "rkey": key.rkey,
                "swapRecord": null,
                "record": record::post(draft, extras, &key.created_at),
            });
            let parcel = Parcel { body: Some(&body), ..Parcel::default() };
            let answer = self.signed(desk, session, Call::Put, parcel).await?;
            if let Some(receipt) = receipt(&answer, key) {
                return Ok(Written::Post(receipt));
            }
            let server = self.access.server(session);
            let refused = answer.failure(Call::Put, server, desk.clock.now());
            match answer.meaning(Call::Put) {
                Meaning::BadKey => return Ok(Written::KeyUnfit(refused)),
                Meaning::Taken => return self.judge(draft, key, refused, server, desk).await,
                Meaning::NoBlob if extras.blob.is_some() && !uploaded_again => {
                    uploaded_again = true;
                    self.upload_again(draft, extras, session, desk).await?;
                }
                Meaning::NoBlob | Meaning::BadThumb if extras.blob.is_some() => {
                    drop_picture(extras, desk, &refused.message).await?;
                }
                _ => return Err(refused),
            }
        }
    }

    /// Who stands under a key that is taken: our post, or not.
    async fn judge(
        &self,
        draft: &Draft,
        key: &Key,
        refused: Failure,
        server: &Url,
        desk: &Desk<'_>,
    ) -> Result<Written, Failure> {
        match self.look(draft, key, server, desk).await {
            Found::Published(receipt) => Ok(Written::Post(receipt)),
            // a server that lags behind itself
            Found::Absent => {
                let message = format!("{}, and yet shows nothing there", refused.message);
                Err(Failure::ambiguous(message))
            }
            Found::Unknown(failure) => Err(failure),
        }
    }

    /// Makes a call in the name of the account. A refused token is renewed, and the same call made
    /// again; a second refusal is an answer.
    ///
    /// # Errors
    /// No session, or no whole answer; then the class says whether something may have been done.
    async fn signed(
        &self,
        desk: &Desk<'_>,
        session: &mut Session,
        call: Call,
        parcel: Parcel<'_>,
    ) -> Result<Answer, Failure> {
        let mut last = None;
        loop {
            let parcel = Parcel { token: Some(&session.access), ..parcel };
            let server = self.access.server(session);
            let answer = xrpc::call(self.access.http(), server, call, parcel).await?;
            let cure = match (answer.meaning(call), last) {
                _ if answer.is_success() => None,
                (Meaning::Stale | Meaning::Foreign, None) => Some(Cure::Refresh),
                (Meaning::Foreign, Some(Cure::Refresh)) => Some(Cure::SignIn),
                (Meaning::Moved, None | Some(Cure::Refresh)) => Some(Cure::SignIn),
                _ => None,
            };
            let Some(cure) = cure else {
                return Ok(answer);
            };
            let cured = self.access.cured(desk, session, cure).await?;
            if cured.did != session.did {
                return Err(Failure::account(
                    format!("the session changed from `{}` to `{}`", session.did, cured.did),
                    "give one account one `identifier`",
                ));
            }
            *session = cured;
            last = Some(cure);
        }
    }

    /// Reads what stands under `key` at `server`.
    async fn look(&self, draft: &Draft, key: &Key, server: &Url, desk: &Desk<'_>) -> Found {
        let query =
            [("repo", key.did.as_str()), ("collection", COLLECTION), ("rkey", key.rkey.as_str())];
        let parcel = Parcel { query: &query, ..Parcel::default() };
        let answer = match xrpc::call(self.access.http(), server, Call::Get, parcel).await {
            Ok(answer) => answer,
            Err(failure) => return Found::Unknown(Failure::retry(failure.message)),
        };
        if answer.meaning(Call::Get) == Meaning::Absent {
            return Found::Absent;
        }
        match receipt(&answer, key) {
            None => Found::Unknown(answer.failure(Call::Get, server, desk.clock.now())),
            Some(receipt) if record::is_ours(&answer.body["value"], draft, &key.created_at) => {
                Found::Published(receipt)
            }
            Some(_) => Found::Unknown(Failure {
                class: Class::Duplicate,
                message: format!("another post stands under the key of this one: {}", page(key)),
            }),
        }
    }

    /// Looks for what an earlier attempt left.
    async fn seek(&self, draft: &Draft, desk: &Desk<'_>) -> Result<Found, Failure> {
        let Some(key) = journalled(desk).await? else {
            // the key is journalled before anything is sent: nothing was
            return Ok(Found::Absent);
        };
        let session = match self.access.remembered(desk).await? {
            Some(session) => session,
            None => self.access.session(desk).await?,
        };
        if session.did != key.did {
            return Ok(Found::Unknown(Failure::ambiguous(format!(
                "it may have been posted by `{}`, but this account is `{}` now: look at {}",
                key.did,
                session.did,
                page(&key)
            ))));
        }
        Ok(self.look(draft, &key, self.access.server(&session), desk).await)
    }
}

#[async_trait]
impl Publisher for Bluesky {
    async fn limits(&self, _desk: &Desk<'_>) -> Limits {
        Platform::Bluesky.limits()
    }

    async fn media_limits(&self, _desk: &Desk<'_>) -> MediaLimits {
        Platform::Bluesky.media()
    }

    async fn verify(&self, desk: &Desk<'_>) -> Result<Identity, Failure> {
        let mut session = self.access.session(desk).await?;
        let answer = self
            .signed(desk, &mut session, Call::WhoAmI, Parcel::default())
            .await
            .map_err(|failure| match failure.class {
                Class::Ambiguous => Failure::retry(failure.message),
                _ => failure,
            })?;
        let server = self.access.server(&session);
        let (Some(did), Some(handle), true) =
            (answer.text("did"), answer.text("handle"), answer.is_success())
        else {
            return Err(answer.failure(Call::WhoAmI, server, desk.clock.now()));
        };
        if let Some(failure) = session::inactive(&answer.body) {
            return Err(failure);
        }
        Ok(Identity {
            name: format!("@{handle}"),
            url: Some(format!("https://bsky.app/profile/{did}")),
            notes: vec![format!(
                "posts go to {} as `{did}`",
                server.origin().ascii_serialization()
            )],
        })
    }

    async fn publish(&self, draft: &Draft, desk: &Desk<'_>) -> Outcome {
        self.put(draft, desk).await.map_or_else(Outcome::Failed, Outcome::Published)
    }

    async fn find(&self, draft: &Draft, desk: &Desk<'_>) -> Found {
        self.seek(draft, desk).await.unwrap_or_else(Found::Unknown)
    }
}

/// Whether a failure of this class proves that no record was written: then the next attempt may
/// write another one.
fn is_surely_unwritten(class: &Class) -> bool {
    matches!(class, Class::Retry { .. } | Class::RateLimited { .. } | Class::Account { .. })
}

/// The key of the crosspost in hand, if it has one.
async fn journalled(desk: &Desk<'_>) -> Result<Option<Key>, Failure> {
    let Some(note) = desk.journal.read(NOTE).await? else {
        return Ok(None);
    };
    serde_json::from_value(note).map(Some).map_err(|error| {
        Failure::ambiguous(format!("the journal's record key can't be read: {error}"))
    })
}

/// Chooses a key, and commits it before anyone uses it.
async fn choose(desk: &Desk<'_>, did: &str) -> Result<Key, Failure> {
    let now = desk.clock.now();
    let micros = u64::try_from(now.as_millis()).unwrap_or(0).saturating_mul(1000);
    let random = getrandom::u32().map_err(|error| {
        Failure::retry(format!("nothing was sent: the system gave no random number: {error}"))
    })?;
    // microseconds that the clock doesn't have, and the number of the clock
    let (below, clock) = (u64::from(random >> 16) % 1000, random as u16);
    let key = Key {
        did: did.to_owned(),
        rkey: tid::tid(micros + below, clock),
        created_at: now.to_rfc3339(),
    };
    let note = serde_json::to_value(&key).expect("plain data can be written as JSON");
    desk.journal.write(NOTE, note).await?;
    Ok(key)
}

/// The receipt in a success, which must hold the address of the record and its hash.
fn receipt(answer: &Answer, key: &Key) -> Option<Receipt> {
    answer.is_success().then_some(())?;
    answer.text("cid")?;
    let uri = answer.text("uri").filter(|uri| uri.ends_with(&key.rkey))?;
    Some(Receipt { remote_id: uri.to_owned(), url: Some(page(key)) })
}

/// The public page of a post. By DID, which outlives a change of handle.
fn page(key: &Key) -> String {
    format!("https://bsky.app/profile/{}/post/{}", key.did, key.rkey)
}
