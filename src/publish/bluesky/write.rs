//! Write: the record of a draft under the key of its crosspost, and who stands there.
//!
//! **Invariant:** a write creates or changes nothing: whatever the record holds this time (a blob
//! more or less, another text), a key that was used before never gets a second post.

use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::errors::Meaning;
use super::extras::{self, Extras};
use super::record::{self, COLLECTION};
use super::session::Session;
use super::xrpc::{self, Answer, Call, Parcel};
use super::{Bluesky, Halt, gather, tid};
use crate::crosspost::{Class, Failure, Receipt};
use crate::draft::Draft;
use crate::publish::{Desk, Found};

/// Where the journal of a crosspost holds its record key.
const NOTE: &str = "bluesky_key";

/// The key of one crosspost's post: chosen once, before the first write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    /// Whose repository it is in.
    did: String,
    /// A tid.
    rkey: String,
    /// The `createdAt` of the record: just before the first write.
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
    /// Puts the draft under the key of its crosspost; under another one, once, where the server
    /// takes no key with these letters.
    ///
    /// The key is chosen when all is there that the record names: `createdAt` is the moment of
    /// posting, and not that of a video's upload. A key that is taken is never replaced, not even
    /// one chosen just now: whatever repeated the request on its way may have made our post there.
    pub(super) async fn put(&self, draft: &Draft, desk: &Desk<'_>) -> Result<Receipt, Halt> {
        let mut session = self.access.session(desk).await?;
        let mut extras = Extras::of(draft, desk).await?;
        let asks = !extras.settled;
        self.gather(draft, &mut extras, &mut session, desk).await?;
        let key = match journalled(desk).await?.filter(|key| key.did == session.did) {
            Some(key) => key,
            None => choose(desk, &session.did).await?,
        };
        let written = self.write_somewhere(draft, key, &mut extras, &mut session, desk).await;
        if let Err(Halt::Failed(Failure { class, .. })) = &written {
            let by_a_person = *class == Class::Content;
            if by_a_person || asks && is_surely_unwritten(class) {
                extras.reopen(!by_a_person);
                if !extras.settled {
                    // where that fails, the next attempt makes do with what is there
                    let _ = extras.keep(draft, desk).await;
                }
            }
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
    ) -> Result<Receipt, Halt> {
        if let Written::Post(receipt) = self.write(draft, &key, extras, session, desk).await? {
            return Ok(receipt);
        }
        let key = choose(desk, &session.did).await?;
        match self.write(draft, &key, extras, session, desk).await? {
            Written::Post(receipt) => Ok(receipt),
            Written::KeyUnfit(failure) => Err(failure.into()),
        }
    }

    /// Writes the record of `draft` under `key`, and looks who is there when it is taken. A file
    /// that the server has lost is uploaded once more; one that it refuses is left out.
    async fn write(
        &self,
        draft: &Draft,
        key: &Key,
        extras: &mut Extras,
        session: &mut Session,
        desk: &Desk<'_>,
    ) -> Result<Written, Halt> {
        let mut uploaded_again = false;
        let has_media = !extras::media(draft).is_empty();
        loop {
            let record = record::post(draft, extras, &key.created_at);
            let why = extras.left_out(draft).join("; ");
            if draft.text.trim().is_empty() && record.get("embed").is_none() && !why.is_empty() {
                return Err(Failure::content(format!("it has no text, and {why}")).into());
            }
            let body = json!({
                "repo": key.did,
                "collection": COLLECTION,
                "rkey": key.rkey,
                "swapRecord": null,
                "record": record,
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
                Meaning::NoBlob if !uploaded_again && extras.want_again() => {
                    uploaded_again = true;
                    self.gather(draft, extras, session, desk).await?;
                }
                Meaning::NoBlob | Meaning::BadBlob
                    if gather::drop_file(draft, extras, desk, &refused.message).await? => {}
                // of a card it is not the picture
                Meaning::BadEmbed
                    if has_media
                        && gather::drop_file(draft, extras, desk, &refused.message).await? => {}
                _ => return Err(refused.into()),
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
    ) -> Result<Written, Halt> {
        match self.look(draft, key, server, desk).await {
            Found::Published(receipt) => Ok(Written::Post(receipt)),
            // a server that lags behind itself
            Found::Absent => {
                let message = format!("{}, and yet shows nothing there", refused.message);
                Err(Failure::ambiguous(message).into())
            }
            Found::Unknown(failure) => Err(failure.into()),
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
    pub(super) async fn seek(&self, draft: &Draft, desk: &Desk<'_>) -> Result<Found, Failure> {
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
