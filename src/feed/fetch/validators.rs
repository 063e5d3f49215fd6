//! Validators: what a server gives with a body so that one can ask whether it has changed.

use reqwest::header::{ETAG, HeaderMap, HeaderName, LAST_MODIFIED};
use url::Url;

use crate::http::bare;

/// ETag and Last-Modified of one URL, byte for byte: a server compares them as text, so quotes,
/// `W/`, suffixes of a compressor and even a missing quote must come back as they went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// The URL that gave them, without credentials and fragment. They mean nothing to another one.
    pub url: String,
    /// The value of `ETag`.
    pub etag: Option<Vec<u8>>,
    /// The value of `Last-Modified`.
    pub last_modified: Option<Vec<u8>>,
}

impl Validators {
    /// Those that came with an answer of `url`; none where it has neither.
    pub(super) fn of(url: &Url, headers: &HeaderMap) -> Option<Self> {
        let (etag, last_modified) = (value(headers, ETAG), value(headers, LAST_MODIFIED));
        let some = etag.is_some() || last_modified.is_some();
        some.then(|| Self { url: bare(url).into(), etag, last_modified })
    }

    /// These, with what a 304 renews (RFC 9111, section 4.3.4).
    pub(super) fn renewed(&self, headers: &HeaderMap) -> Self {
        Self {
            url: self.url.clone(),
            etag: value(headers, ETAG).or_else(|| self.etag.clone()),
            last_modified: value(headers, LAST_MODIFIED).or_else(|| self.last_modified.clone()),
        }
    }

    /// Whether `url` gave them.
    pub(super) fn belong_to(&self, url: &Url) -> bool {
        self.url == bare(url).as_str()
    }
}

fn value(headers: &HeaderMap, name: HeaderName) -> Option<Vec<u8>> {
    let value = headers.get(name)?.as_bytes();
    (!value.is_empty()).then(|| value.to_vec())
}
