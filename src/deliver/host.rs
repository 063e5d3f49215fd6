//! Host: fitted images on the owner's own web server, for platforms that fetch media themselves.
//!
//! A file's name begins with the number of its crosspost, so that it is known whose it is when that
//! is settled, also after a crash. **Invariant:** a file is whole before it has its name; what does
//! not look like ours is never touched. **Refuses:** to hand over an address that does not answer
//! with the very file.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};
use url::Url;

use crate::config::MediaHost;
use crate::http::guard::{GetLimits, Guard, Larger};
use crate::names::CrosspostId;

/// How all of our names begin.
const PREFIX: &str = "posse-";

/// A look at what the web server makes of a file.
const LOOK: GetLimits = GetLimits {
    bytes_max: 1 << 24,
    larger: Larger::Refused,
    timeout: Duration::from_secs(20),
    accept: "*/*",
};

/// The folder that the owner's web server serves.
#[derive(Clone, Debug)]
pub struct Host {
    dir: PathBuf,
    base_url: Url,
    is_planned: bool,
}

impl Host {
    /// The one that the config names.
    pub fn new(config: &MediaHost) -> Self {
        Self { dir: config.dir.clone(), base_url: config.base_url.clone(), is_planned: false }
    }

    /// The same, for who only wants to know what would be served: nothing is put there.
    #[must_use]
    pub fn planned(self) -> Self {
        Self { is_planned: true, ..self }
    }

    /// Whether nothing is put there.
    pub fn is_planned(&self) -> bool {
        self.is_planned
    }

    /// Writes `bytes` for `crosspost`, and gives the address at which they are, and what the web
    /// server calls them.
    ///
    /// # Errors
    /// The folder can't be written, or the web server does not serve the file from it; in words.
    pub async fn put(
        &self,
        crosspost: CrosspostId,
        bytes: Vec<u8>,
        media_type: &str,
        guard: &Guard,
    ) -> Result<(String, Option<String>), String> {
        let name = name(crosspost, &bytes, media_type);
        let path = self.dir.join(&name);
        let url = self.url_of(&name);
        let (length, hash) = (bytes.len(), Sha256::digest(&bytes));
        let written = tokio::task::spawn_blocking(move || write(&path, &bytes)).await;
        let written = written.unwrap_or_else(|_panicked| Err(io::Error::other("it broke off")));
        let dir = self.dir.display();
        written.map_err(|error| format!("`media_host.dir` `{dir}` can't be written: {error}"))?;
        let advice = "check `media_host.base_url` and the web server";
        match guard.get(&url, LOOK).await {
            Ok(seen) if seen.url != url => Err(format!("`{url}` redirects: {advice}")),
            Ok(seen) if seen.body.len() != length => {
                Err(format!("`{url}` gives {} bytes of {length}: {advice}", seen.body.len()))
            }
            Ok(seen) if Sha256::digest(&seen.body) != hash => {
                Err(format!("`{url}` gives other bytes than the file has: {advice}"))
            }
            Ok(seen) => Ok((url.into(), seen.content_type)),
            Err(error) => Err(format!("`{url}` can't be fetched: {error}: {advice}")),
        }
    }

    fn url_of(&self, name: &str) -> Url {
        let mut url = self.base_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(name);
        }
        url
    }

    /// Takes away the files of every crosspost that `is_settled`. What can't be taken away stays
    /// until the next time. Blocks.
    pub fn clear(&self, is_settled: impl Fn(CrosspostId) -> bool) {
        let files = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for file in files {
            let name = file.file_name();
            let owner = name.to_str().and_then(owner);
            if owner.is_some_and(&is_settled) {
                let _ = fs::remove_file(file.path());
            }
        }
    }

    /// The crossposts that have files here. Blocks.
    pub fn owners(&self) -> Vec<CrosspostId> {
        let files = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut owners: Vec<_> =
            files.filter_map(|file| owner(file.file_name().to_str()?)).collect();
        owners.sort();
        owners.dedup();
        owners
    }
}

/// `posse-17-9f86d081884c7d65.jpg`: nobody guesses it before it is posted.
fn name(crosspost: CrosspostId, bytes: &[u8], media_type: &str) -> String {
    let hash: String =
        Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let ending = match media_type {
        "image/png" => "png",
        "image/webp" => "webp",
        "image/gif" => "gif",
        _ => "jpg",
    };
    format!("{PREFIX}{crosspost}-{hash}.{ending}")
}

/// Whose file it is, where it is one of ours.
fn owner(name: &str) -> Option<CrosspostId> {
    let (number, rest) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let (hash, _) = rest.split_once('.')?;
    let is_ours = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    number.parse().ok().filter(|_| is_ours).map(CrosspostId)
}

/// Writes a file that a web server can read.
fn write(path: &std::path::Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_added_extension("part");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o644).open(&part)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let written = written.and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part); // it may not even be there
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_whose_it_is() {
        let made = name(CrosspostId(17), b"abc", "image/jpeg");
        assert_eq!(made, "posse-17-ba7816bf8f01cfea.jpg");
        assert_eq!(owner(&made), Some(CrosspostId(17)));
        assert_eq!(owner(&format!("{made}.part")), Some(CrosspostId(17)), "left by a crash");
        for (media_type, ending) in [("png", "png"), ("webp", "webp"), ("gif", "gif"), ("x", "jpg")]
        {
            let made = name(CrosspostId(17), b"abc", &format!("image/{media_type}"));
            assert_eq!(made, format!("posse-17-ba7816bf8f01cfea.{ending}"));
        }
        for other in [
            "photo.jpg",
            "posse-17.jpg",
            "posse-x-ba7816bf8f01cfea.jpg",
            "posse-1-ba78.jpg",
            "posse-1-photo-of-summer.jpg",
        ] {
            assert_eq!(owner(other), None, "{other}");
        }
    }

    #[test]
    fn only_what_is_settled_goes_and_only_ours() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (name(CrosspostId(1), b"a", "image/png"), name(CrosspostId(2), b"b", ""));
        for file in [one.as_str(), two.as_str(), "theirs.jpg"] {
            fs::write(dir.path().join(file), "x").unwrap();
        }
        let base_url = Url::parse("https://a.io/media/").unwrap();
        let host = Host { dir: dir.path().into(), base_url, is_planned: false };
        assert_eq!(host.owners(), [CrosspostId(1), CrosspostId(2)]);
        host.clear(|id| id == CrosspostId(1));
        assert!(!dir.path().join(&one).exists());
        assert!(dir.path().join(&two).exists() && dir.path().join("theirs.jpg").exists());
        assert_eq!(host.url_of("x.jpg").as_str(), "https://a.io/media/x.jpg");
    }
}
