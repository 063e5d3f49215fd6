//! Check of `[media]` and `[media_host]`.

use std::fs;
use std::io;
use std::path::Path;

use super::section;
use crate::config::problem::{Kind, Report};
use crate::config::section::Section;
use crate::config::{MediaCache, MediaHost, schema, value};

/// Posts under way keep their files beyond any room; below this hardly one would still be there for
/// the next account.
const CACHE_BYTES_MIN: u64 = 16 << 20;

/// What is kept of media.
pub fn cache(report: &mut Report, top: &mut Section) -> MediaCache {
    let default = MediaCache::default();
    let Some(mut section) = section(report, top, "media", schema::MEDIA) else { return default };
    let cache = section.read(report, "cache", |node| value::size(node, CACHE_BYTES_MIN));
    section.finish(report, |_, _| None);
    MediaCache { cache_bytes_max: cache.unwrap_or(default.cache_bytes_max) }
}

/// Where media are shown to platforms that fetch them. A folder that is not there is a mistake; one
/// that this user may not write is worth a warning, since the daemon runs as another.
pub fn host(report: &mut Report, folder: &Path, top: &mut Section) -> Option<MediaHost> {
    let mut section = section(report, top, "media_host", schema::MEDIA_HOST)?;
    let wanted = [
        ("dir", "a folder that your web server serves"),
        ("base_url", "the address of `dir`, for example `https://example.com/media/`"),
    ];
    for (key, want) in wanted.iter().filter(|(key, _)| !section.has(key)) {
        section.missing(report, key, &format!("want {want}"));
    }
    let places = ["dir", "base_url"].map(|key| section.place_of(key));
    let dir = section.read(report, "dir", |node| value::path(node, folder));
    let base_url = section.read(report, "base_url", value::folder_url);
    let path_of = |key| section.path_of(key);
    let (at_dir, at_url) = (path_of("dir"), path_of("base_url"));
    section.finish(report, |_, _| None);
    match dir.as_deref().map_or(Ok(None), trouble) {
        Ok(None) => {}
        Ok(Some(warning)) => report.warning(places[0], &at_dir, &warning),
        Err(problem) => report.problem(places[0], Kind::Value, &at_dir, problem),
    }
    if base_url.as_ref().is_some_and(|url| url.scheme() == "http") {
        let message = "is not encrypted: some platforms fetch nothing from there, want `https`";
        report.warning(places[1], &at_url, message);
    }
    Some(MediaHost { dir: dir?, base_url: base_url? })
}

/// What is in the way of files in `dir`: an error where it is certain, else a warning.
fn trouble(dir: &Path) -> Result<Option<String>, String> {
    let shown = dir.display();
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(format!("`{shown}` is no folder, want one")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Ok(Some(format!("`{shown}` can't be seen by this user: {error}")));
        }
        Err(error) => {
            return Err(format!("`{shown}` can't be used: {error}, want `mkdir -p {shown}`"));
        }
    }
    let probe = dir.join(format!(".posse-party-{}", std::process::id()));
    let written = fs::OpenOptions::new().write(true).create_new(true).open(&probe);
    match written {
        Ok(_) => {
            // what stays behind is empty, and hidden
            let _ = fs::remove_file(&probe);
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Ok(Some(format!(
            "`{shown}` can't be written by this user: {error}; the daemon's must be able to"
        ))),
    }
}
