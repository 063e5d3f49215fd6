//! Check of `[accounts.LABEL]`.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use super::{Around, filters, references, text};
use crate::config::problem::{Kind, Place, Report};
use crate::config::raw::{Data, Node};
use crate::config::schema::one_of;
use crate::config::secret::{self, Secret};
use crate::config::section::{Section, dotted};
use crate::config::{AccountConfig, Config, Credentials, schema, value};
use crate::names::Label;
use crate::platform::Platform;

mod meta;

/// The undo window: long enough to see a mistake in one's reader.
const DELAY: Duration = Duration::from_secs(120);

/// Checks one account; `None` where something was reported that an account can't be without.
pub fn check(
    report: &mut Report,
    around: &Around,
    path: &str,
    node: Node,
) -> Option<AccountConfig> {
    let named = match &node.data {
        Data::Table(table) => table.get("platform"),
        _ => None,
    };
    let platform = named.and_then(|node| platform(node).ok());
    // its keys are those of a later version: nothing can be said of them
    let is_unpublished = named.is_some_and(|node| unpublished(node).is_some());
    let mut section = Section::open(report, path, node, schema::account(platform))?;
    if !section.has("platform") {
        let tags = Platform::PUBLISHED.map(Platform::tag);
        section.missing(report, "platform", &format!("want {}", one_of(&tags)));
    }
    section.read(report, "platform", self::platform);
    let dry_run = section.read(report, "dry_run", value::switch).unwrap_or(false);
    let credentials =
        platform.and_then(|platform| credentials(report, around, &mut section, platform, dry_run));
    let mut duration = |report: &mut Report, key, otherwise| {
        section.read(report, key, |node| value::duration(node, "m", "0s")).unwrap_or(otherwise)
    };
    let delay = duration(report, "delay", DELAY);
    let cooldown = duration(report, "cooldown", Duration::ZERO);
    let max_per_day = section.read(report, "max_per_day", |node| value::count(node, 1));
    let feeds = references(report, &mut section, "feeds", around.feeds);
    let active = section.read(report, "active", value::switch).unwrap_or(true);
    let approve = section.read(report, "approve", value::switch).unwrap_or(false);
    let filters = filters::check(report, &mut section);
    let text = text::of_account(report, &mut section, platform);
    if platform.is_none() {
        // what is wrong with its credentials can only be said when the platform is known
        Platform::PUBLISHED.into_iter().flat_map(schema::credentials).for_each(|key| {
            section.take(key);
        });
    }
    if !is_unpublished {
        section.finish(report, |key, _| about_foreign(key, platform?));
    }
    Some(AccountConfig {
        platform: platform?,
        credentials,
        feeds,
        active,
        dry_run,
        approve,
        delay,
        cooldown,
        max_per_day,
        filters,
        text,
    })
}

fn platform(node: &Node) -> Result<Platform, String> {
    let tags = Platform::PUBLISHED.map(Platform::tag);
    if let Some(tag) = unpublished(node).map(Platform::tag) {
        return Err(format!(
            "`{tag}` can't be published to by this version, want {}; `posse-party preview \
             --platform {tag}` shows posts for it",
            one_of(&tags)
        ));
    }
    // `bsky` is taken, and not advertised
    match value::text(node).ok().and_then(Platform::from_tag) {
        Some(platform) => Ok(platform),
        None => value::word(node, &Platform::PUBLISHED.map(|platform| (platform.tag(), platform))),
    }
}

/// A platform that is known and has no publisher.
fn unpublished(node: &Node) -> Option<Platform> {
    let platform = value::text(node).ok().and_then(Platform::from_tag)?;
    (!platform.is_published()).then_some(platform)
}

/// What to say of a key that is right, or nearly, in accounts of another platform.
fn about_foreign(key: &str, platform: Platform) -> Option<String> {
    if schema::meant(key, &schema::account(Some(platform))).is_some() {
        return None;
    }
    let meant = schema::meant(key, &schema::account(None))?;
    let of: Vec<_> = schema::platforms_with(meant).iter().map(|other| other.tag()).collect();
    let (of, this) = (of.join(", "), platform.tag());
    let of = match of.rsplit_once(", ") {
        Some((most, last)) => format!("{most} and {last}"),
        None => of,
    };
    Some(format!("`{meant}` is a key of {of} accounts, and the platform here is `{this}`"))
}

/// The credentials; `None` where some are missing, each of which is reported unless `dry_run`.
fn credentials(
    report: &mut Report,
    around: &Around,
    section: &mut Section,
    platform: Platform,
    dry_run: bool,
) -> Option<Credentials> {
    if !dry_run {
        for (key, want) in required(platform) {
            if !section.has(key) {
                section.missing(report, key, &format!("want {want}"));
            }
        }
    }
    // everything is read before anything is given up, so that every mistake is seen
    match platform {
        Platform::Mastodon => {
            let base_url = base_url(report, section);
            let token = secret(report, around, section, "access_token", dry_run);
            Some(Credentials::Mastodon { base_url: base_url?, access_token: token? })
        }
        Platform::Bluesky => {
            let base_url = base_url_if_any(report, section);
            let identifier = section.read(report, "identifier", identifier);
            let password = secret(report, around, section, "app_password", dry_run);
            Some(Credentials::Bluesky {
                identifier: identifier?,
                app_password: password?,
                base_url: base_url?,
            })
        }
        Platform::Threads => {
            let base_url = base_url_if_any(report, section);
            let has_token = section.has("access_token");
            let token = secret(report, around, section, "access_token", dry_run);
            let app = app(report, around, section, dry_run);
            let api_version = api_version(report, section, "v1.0");
            if has_token && token.is_none() && around.sources.wanted {
                return None;
            }
            Some(Credentials::Threads {
                access_token: token,
                app: app?,
                api_version: api_version?,
                base_url: base_url?,
            })
        }
        Platform::Instagram => meta::instagram(report, around, section, dry_run),
        Platform::Facebook => meta::facebook(report, around, section, dry_run),
        Platform::Outbox => {
            let path = section.read(report, "path", |node| value::path(node, around.folder));
            Some(Credentials::Outbox { path: path? })
        }
        Platform::LinkedIn | Platform::X | Platform::YouTube => None,
    }
}

/// What an account of `platform` can't do without, and what it looks like.
fn required(platform: Platform) -> &'static [(&'static str, &'static str)] {
    const ACCESS_TOKEN: &str = "for example `{ file = \"mastodon.token\" }`";
    const APP_PASSWORD: &str = "for example `{ file = \"bluesky.password\" }`";
    match platform {
        Platform::Mastodon => &[
            ("base_url", "the server, for example `https://mastodon.social`"),
            ("access_token", ACCESS_TOKEN),
        ],
        Platform::Bluesky => &[
            ("identifier", "your handle, for example `me.bsky.social`"),
            ("app_password", APP_PASSWORD),
        ],
        // their tokens may come from `login`
        Platform::Threads | Platform::Instagram => &[],
        Platform::Facebook => {
            &[("page_id", "the number of the Page, for example `\"107000000000001\"`")]
        }
        Platform::Outbox => &[("path", "a file, for example `outbox.jsonl`")],
        Platform::LinkedIn | Platform::X | Platform::YouTube => &[],
    }
}

fn base_url(report: &mut Report, section: &mut Section) -> Option<Url> {
    let place = section.place_of("base_url");
    let url = section.read(report, "base_url", value::origin)?;
    let is_local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !is_local {
        let message = "is not encrypted: everyone on the way can read the token, want `https`";
        report.warning(place, &section.path_of("base_url"), message);
    }
    Some(url)
}

/// The origin that the owner named, if they named one; `None` where that was reported.
fn base_url_if_any(report: &mut Report, section: &mut Section) -> Option<Option<Url>> {
    if section.has("base_url") { base_url(report, section).map(Some) } else { Some(None) }
}

/// The app that tokens are from, where both its keys are there; `None` where that was reported.
fn app(
    report: &mut Report,
    around: &Around,
    section: &mut Section,
    dry_run: bool,
) -> Option<Option<(String, Secret)>> {
    let (has_id, has_secret) = (section.has("app_id"), section.has("app_secret"));
    if has_id != has_secret {
        let key = if has_id { "app_secret" } else { "app_id" };
        section.missing(report, key, "want both `app_id` and `app_secret`, or neither");
    }
    let id = section.read(report, "app_id", |node| {
        let id = value::text(node)?;
        let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| id.to_owned()).ok_or_else(|| {
            format!("{} is no id of an app, want its number in quotes", value::shown(id))
        })
    });
    let secret = secret(report, around, section, "app_secret", dry_run);
    match (id, secret) {
        (Some(id), Some(secret)) => Some(Some((id, secret))),
        // without it, `login` asks
        _ if !has_id && !has_secret || !around.sources.wanted => Some(None),
        _ => None,
    }
}

/// The version of an API, such as `v1.0`; `None` where a bad one was reported.
fn api_version(report: &mut Report, section: &mut Section, default: &str) -> Option<String> {
    if !section.has("api_version") {
        return Some(default.into());
    }
    section.read(report, "api_version", |node| {
        let text = value::text(node)?;
        let parts: Vec<_> = text.strip_prefix('v').unwrap_or_default().split('.').collect();
        let is_number =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if parts.len() == 2 && parts.iter().all(is_number) {
            return Ok(text.to_owned());
        }
        Err(format!("{} is no version, want for example `{default}`", value::shown(text)))
    })
}

/// A handle, an e-mail address or a DID.
fn identifier(node: &Node) -> Result<String, String> {
    let text = value::text(node)?;
    let shown = value::shown(text);
    if let Some(handle) = text.strip_prefix('@') {
        return Err(format!("{shown} starts with `@`, want {}", value::shown(handle)));
    }
    if text.contains(char::is_whitespace) || !(text.contains('.') || text.starts_with("did:")) {
        let want = "want a handle such as `me.bsky.social`, an e-mail address or a DID";
        return Err(format!("{shown} is no identifier, {want}"));
    }
    Ok(text.into())
}

/// A secret. One that can't be found is only worth a warning with `dry_run`, and where no secret is
/// wanted; there a mistake in the config itself stays one.
fn secret(
    report: &mut Report,
    around: &Around,
    section: &mut Section,
    key: &'static str,
    dry_run: bool,
) -> Option<Secret> {
    let node = section.take(key)?;
    let path = section.path_of(key);
    match secret::find(&node, around.sources) {
        Ok(found) => {
            let config = found.literal.then(|| report.files.get(node.place.file)).flatten();
            let config = config.filter(|file| file.is_open).map(|file| file.name.clone());
            let open_file = found.open_file.map(|file| file.display().to_string());
            if let Some(file) = open_file.or(config) {
                let message =
                    format!("everyone on this machine may read `{file}`, want `chmod o-r`");
                report.warning(node.place, &path, message);
            }
            Some(found.secret)
        }
        Err(secret::Trouble { place, message, is_elsewhere }) => {
            if dry_run || (is_elsewhere && !around.sources.wanted) {
                report.warning(place, &path, message);
            } else {
                report.problem(place, Kind::Value, &path, message);
            }
            None
        }
    }
}

/// Warns of two accounts that log in as the same one: each of their entries would go out twice.
pub fn twins(report: &mut Report, config: &Config, places: &BTreeMap<String, Place>) {
    let mut seen: Vec<(String, &Label)> = Vec::new();
    for (label, account) in config.accounts.iter().filter(|(_, it)| it.active && !it.dry_run) {
        let credentials = account.credentials.as_ref().filter(|credentials| credentials.lets_in());
        let Some(credentials) = credentials else { continue };
        let fingerprint = credentials.fingerprint();
        if let Some((_, other)) = seen.iter().find(|(seen, _)| *seen == fingerprint) {
            let path = dotted("accounts", label.as_str());
            let message = format!("is let in as `{other}` is: an entry for both goes out twice");
            report.warning(places[&path], &path, message);
        }
        seen.push((fingerprint, label));
    }
}
