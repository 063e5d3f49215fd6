//! Values that name places on the network. **Refuses:** to guess a scheme.

use std::path::Path;

use ipnet::IpNet;
use url::Url;

use super::{any_text, shown, text};
use crate::config::raw::Node;

/// The URL of a feed; `file:` ones may be relative to `folder`.
pub fn feed_url(node: &Node, folder: &Path) -> Result<Url, String> {
    let text = text(node)?.trim();
    if let Some(file) = text.strip_prefix("file:") {
        return file_url(text, file, folder);
    }
    let url = web_url(text, &likely_feed_url(text))?;
    if !url.username().is_empty() || url.password().is_some() {
        let why = "holds a user name or a password, which would show in the log";
        return Err(format!("{} {why}, want a URL without", shown(text)));
    }
    Ok(url)
}

/// What someone who left the scheme out most likely meant.
fn likely_feed_url(text: &str) -> String {
    let host = text.split(['/', ':']).next().unwrap_or_default();
    let is_file = [".xml", ".rss", ".atom", ".json", ".rdf"].iter().any(|it| host.ends_with(it));
    match () {
        () if text.starts_with(['/', '.']) || is_file => format!("file:{text}"),
        () if host == "localhost" => format!("http://{text}"),
        () if host.contains('.') => format!("https://{text}"),
        () => "https://example.com/feed.xml".into(),
    }
}

fn file_url(text: &str, file: &str, folder: &Path) -> Result<Url, String> {
    let broken = || format!("{} is no file URL, want for example `file:feed.xml`", shown(text));
    let url = if file.starts_with('/') {
        Url::parse(text).map_err(|_| broken())?
    } else {
        let base = Url::from_directory_path(folder).map_err(|()| broken())?;
        base.join(&format!("./{file}")).map_err(|_| broken())?
    };
    let is_file = url.to_file_path().is_ok() && !url.path().ends_with('/');
    (is_file && url.host().is_none()).then_some(url).ok_or_else(broken)
}

/// An absolute http(s) URL; `likely` is what was most likely meant by a text without a scheme.
fn web_url(text: &str, likely: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(url) if text.contains("://") => {
            let scheme = url.scheme();
            Err(format!("{} has the scheme `{scheme}`, want `https`", shown(text)))
        }
        // `example.com:8080/feed` parses with `example.com` as its scheme
        Ok(_) | Err(url::ParseError::RelativeUrlWithoutBase) => {
            Err(format!("{} has no scheme, want for example {}", shown(text), shown(likely)))
        }
        Err(error) => Err(format!(
            "{} is no URL ({error}), want for example `https://example.com`",
            shown(text)
        )),
    }
}

/// An http(s) origin: a scheme, a host and perhaps a port.
pub fn origin(node: &Node) -> Result<Url, String> {
    let text = text(node)?.trim();
    let url = web_url(text, &format!("https://{text}"))?;
    let origin = url.origin().ascii_serialization();
    let extra = match &url {
        url if !url.username().is_empty() || url.password().is_some() => "a user name",
        url if url.path() != "/" => "a path",
        url if url.query().is_some() => "a query",
        url if url.fragment().is_some() => "a fragment",
        _ => return Ok(url),
    };
    Err(format!("{} has {extra}, want only the origin `{origin}`", shown(text)))
}

/// The http(s) URL of a folder; a `/` at its end is added.
pub fn folder_url(node: &Node) -> Result<Url, String> {
    let text = text(node)?.trim();
    let mut url = web_url(text, &format!("https://{text}"))?;
    let extra = match &url {
        url if !url.username().is_empty() || url.password().is_some() => "a user name",
        url if url.query().is_some() => "a query",
        url if url.fragment().is_some() => "a fragment",
        _ => "",
    };
    if !extra.is_empty() {
        let want = "want the address of a folder, for example `https://example.com/media/`";
        return Err(format!("{} has {extra}, {want}", shown(text)));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// The address of a picture.
pub fn picture(node: &Node) -> Result<String, String> {
    let text = any_text(node)?.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    web_url(text, "https://example.com/card.png").map(String::from)
}

/// A network, or a single address.
pub fn network(node: &Node) -> Result<IpNet, String> {
    let text = text(node)?.trim();
    let address = |_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address));
    text.parse().or_else(address).map_err(|_| {
        format!("{} is no network, want for example `192.168.1.0/24` or `fd00::/8`", shown(text))
    })
}

/// The owner's address or URL for the User-Agent header.
pub fn contact(node: &Node) -> Result<String, String> {
    let text = text(node)?.trim();
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '(' | ')' | '\\');
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(text.into());
    }
    let want = "want an address or a URL in plain ASCII, for example `me@example.com`";
    Err(format!("{} can't stand in a User-Agent, {want}", shown(text)))
}
