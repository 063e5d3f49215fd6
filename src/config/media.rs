//! Media: where images and videos wait for their next try, and where platforms can fetch them.
//!
//! **Refuses:** to make a folder that the owner's web server would have to know.

use std::path::PathBuf;

use url::Url;

/// `[media]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaCache {
    /// The most bytes of fetched media that are kept on disk. Default 1 GiB.
    pub cache_bytes_max: u64,
}

/// `[media_host]`: a folder that the owner's web server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaHost {
    /// The folder.
    pub dir: PathBuf,
    /// Its address: `http` or `https`, ends with `/`.
    pub base_url: Url,
}

impl Default for MediaCache {
    fn default() -> Self {
        Self { cache_bytes_max: 1 << 30 }
    }
}
