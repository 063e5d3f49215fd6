//! Identity: who a token belongs to, and whether it may do what posting takes.
//!
//! **Refuses:** to post anything in order to find out.

use serde_json::Value;
use url::Url;

use super::errors::Call;
use super::instance;
use super::server::{Reading, Server};
use crate::clock::Timestamp;
use crate::crosspost::{Class, Failure};
use crate::platform::Unit;
use crate::publish::{Desk, Identity};

/// The account behind the token.
pub struct Account {
    /// The server's id of it.
    pub id: String,
    /// `ada`, or `ada@example.social`.
    pub name: String,
    /// Its page.
    pub url: Option<String>,
    /// How many posts it has, as far as the server counts them.
    pub statuses_count: Option<u64>,
    /// Who sees a post that says nothing about it.
    pub privacy: Option<String>,
}

/// Asks who the token belongs to.
///
/// # Errors
/// Account when the token is refused, retry when there is no answer.
pub async fn account(server: &Server, now: Timestamp) -> Result<Account, Failure> {
    let call = Call {
        server: server.origin(),
        doing: "asking whose token this is at",
        scope: "read:accounts",
    };
    let path = "/api/v1/accounts/verify_credentials";
    let (account, _) = server.get(path, &[], &call, now).await?.found()?;
    let text = |pointer: &str| {
        let text = account.pointer(pointer).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let Some(id) = text("/id") else {
        let server = server.origin();
        let message = format!("asking whose token this is at `{server}`: the answer has no id");
        return Err(Failure::retry(message));
    };
    Ok(Account {
        name: text("/acct").or_else(|| text("/username")).unwrap_or_else(|| id.clone()),
        id,
        url: text("/url"),
        statuses_count: account.get("statuses_count").and_then(Value::as_u64),
        privacy: text("/source/privacy"),
    })
}

/// Who am I, what may I.
///
/// # Errors
/// The failure that a post would meet now.
pub async fn verify(server: &Server, desk: &Desk<'_>) -> Result<Identity, Failure> {
    let now = desk.clock.now();
    let account = account(server, now).await?;
    let mut notes = Vec::new();
    let mut domain = None;
    match instance::current(server, desk).await {
        Ok(Some(instance)) => {
            notes.push(limits_note(&instance));
            domain = instance.domain;
        }
        Ok(None) => notes.push("its limits are not known: 500 characters are taken".to_owned()),
        Err(failure) => notes.push(format!("500 characters are taken: {}", failure.message)),
    }
    notes.extend(write_note(server, now).await);
    notes.extend(read_note(server, &account, now).await);
    if let Some(privacy) = account.privacy.filter(|it| it == "private" || it == "direct") {
        notes.push(format!(
            "posts are `{privacy}` unless `visibility` says otherwise: that is the account's own \
             default on the server"
        ));
    }
    let host =
        account.url.as_deref().and_then(|url| Some(Url::parse(url).ok()?.host()?.to_string()));
    let name = match domain.or(host) {
        Some(host) if !account.name.contains('@') => format!("@{}@{host}", account.name),
        _ => format!("@{}", account.name),
    };
    Ok(Identity { name, url: account.url, notes })
}

fn limits_note(instance: &instance::Instance) -> String {
    let limits = instance.limits;
    let counted = match limits.unit {
        Unit::Mastodon { url: Some(url), .. } => format!("a link counts {url}"),
        _ => "a link counts in full".to_owned(),
    };
    let key = if instance.family.honours_key() {
        "a lost answer is asked for again under the same key"
    } else {
        "a lost answer is settled by reading the account's own posts"
    };
    let media = instance.media.map_or_else(String::new, |media| {
        let videos = if media.video.is_some() { "" } else { ", no videos" };
        format!(", {} pictures{videos}", media.count_max)
    });
    format!("{}: {} characters, {counted}{media}; {key}", instance.software, limits.max)
}

/// What the application behind the token may do: Mastodon tells that since 4.3.
async fn write_note(server: &Server, now: Timestamp) -> Option<String> {
    let call = Call { server: server.origin(), doing: "asking for the scopes at", scope: "read" };
    let path = "/api/v1/apps/verify_credentials";
    let Ok(Reading::Json(application, _)) = server.get(path, &[], &call, now).await else {
        return Some(
            "this server does not tell scopes: `write:statuses` and `write:media` show with the \
             first post"
                .to_owned(),
        );
    };
    let scopes = application.get("scopes")?.as_array()?;
    let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
    let lacks = |wanted: &str| !scopes.iter().any(|scope| ["write", wanted].contains(scope));
    let (consequence, wanted) = match () {
        () if lacks("write:statuses") => ("posts will be refused", "write:statuses"),
        () if lacks("write:media") => ("posts will go out without their pictures", "write:media"),
        () => return None,
    };
    Some(format!(
        "{consequence}: the token's application has the scopes `{}`, and not `{wanted}`; tick it \
         under Preferences → Development, save, and regenerate the token",
        scopes.join(" ")
    ))
}

/// Whether the account's own posts can be read, which settles lost answers.
async fn read_note(server: &Server, account: &Account, now: Timestamp) -> Option<String> {
    let call = Call {
        server: server.origin(),
        doing: "reading the account's own posts at",
        scope: "read:statuses",
    };
    let path = format!("/api/v1/accounts/{}/statuses", account.id);
    let query = [("limit", "1"), ("exclude_reblogs", "true")];
    let failure = server.get(&path, &query, &call, now).await.err()?;
    let hint = match failure.class {
        Class::Account { hint, .. } => format!("; {hint}"),
        _ => String::new(),
    };
    Some(format!("a lost answer could not be settled: {}{hint}", failure.message))
}
