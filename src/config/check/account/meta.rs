//! Meta: the credentials of Instagram accounts and Facebook Pages.

use super::{api_version, app, base_url_if_any, secret};
use crate::config::check::Around;
use crate::config::problem::Report;
use crate::config::raw::{Data, Node};
use crate::config::section::Section;
use crate::config::{Credentials, Secret, value};

/// The version that both are asked in: see `publish::meta::default_version`.
const VERSION: &str = "v25.0";

/// Reads those of an Instagram account. The token may come from `login`.
pub(super) fn instagram(
    report: &mut Report,
    around: &Around,
    section: &mut Section,
    dry_run: bool,
) -> Option<Credentials> {
    let base_url = base_url_if_any(report, section);
    let access_token = token(report, around, section, "access_token", dry_run);
    let user_id = number_if_any(report, section, "user_id");
    let app = app(report, around, section, dry_run);
    let api_version = api_version(report, section, VERSION);
    Some(Credentials::Instagram {
        access_token: access_token?,
        user_id: user_id?,
        app: app?,
        api_version: api_version?,
        base_url: base_url?,
    })
}

/// Reads those of a Facebook Page. The token may come from `login`.
pub(super) fn facebook(
    report: &mut Report,
    around: &Around,
    section: &mut Section,
    dry_run: bool,
) -> Option<Credentials> {
    let base_url = base_url_if_any(report, section);
    let page_id = section.read(report, "page_id", number);
    let page_access_token = token(report, around, section, "page_access_token", dry_run);
    let api_version = api_version(report, section, VERSION);
    Some(Credentials::Facebook {
        page_id: page_id?,
        page_access_token: page_access_token?,
        api_version: api_version?,
        base_url: base_url?,
    })
}

/// A token, if there is one; `None` where one is named and can't be had.
fn token(
    report: &mut Report,
    around: &Around,
    section: &mut Section,
    key: &'static str,
    dry_run: bool,
) -> Option<Option<Secret>> {
    let is_named = section.has(key);
    let token = secret(report, around, section, key, dry_run);
    if is_named && token.is_none() && around.sources.wanted { None } else { Some(token) }
}

/// One of Meta's numbers, if it is there; `None` where a bad one was reported.
fn number_if_any(
    report: &mut Report,
    section: &mut Section,
    key: &'static str,
) -> Option<Option<String>> {
    if section.has(key) { section.read(report, key, number).map(Some) } else { Some(None) }
}

/// One of Meta's numbers, which may be written as text.
fn number(node: &Node) -> Result<String, String> {
    if let Data::Integer(number @ 1..) = &node.data {
        return Ok(number.to_string());
    }
    let text = value::text(node)?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    let shown = value::shown(text);
    Err(format!("{shown} is no number of Meta's, want for example `\"17841405793187218\"`"))
}
