//! Blobs: what was uploaded, and what the server says about a record that names one (sheet B6).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Refusal, Seen};

/// The most bytes of one upload (5 MiB, the default of the real server).
const UPLOAD_BYTES_MAX: usize = 5 << 20;
/// The most bytes of a card's picture, and of an image before 2026-04: the lexicon.
const IMAGE_BYTES_MAX: u64 = 1_000_000;
/// The most bytes of a video before 2026-08.
const VIDEO_BYTES_MAX: u64 = 100_000_000;

/// What was uploaded, by its link.
#[derive(Default)]
pub struct Blobs(BTreeMap<String, (String, Vec<u8>)>);

impl Blobs {
    /// Keeps a file, and tells how it is to be named.
    pub fn upload(&mut self, seen: &Seen) -> Result<Value, Refusal> {
        let said = seen.headers.get("content-type").map_or("", String::as_str);
        if said.is_empty() || said.contains("json") {
            let why = format!("Wrong request encoding (Content-Type): {said}");
            return Err((400, "InvalidRequest", why));
        }
        if seen.body.is_empty() {
            return Err((400, "InvalidRequest", "A request body is expected".into()));
        }
        if seen.body.len() > UPLOAD_BYTES_MAX {
            return Err((413, "PayloadTooLarge", "request entity too large".into()));
        }
        // the real server looks at the bytes, and believes them
        let kind = match seen.body.as_slice() {
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            [b'<', b'h', b't', b'm', ..] => "text/html",
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => "video/mp4",
            _ => said,
        };
        let hash = Sha256::digest(&seen.body);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let link = format!("bafkrei{}", &hex[..52]);
        self.0.insert(link.clone(), (kind.to_owned(), seen.body.clone()));
        let size = seen.body.len();
        Ok(
            json!({"blob": {"$type": "blob", "ref": {"$link": link}, "mimeType": kind, "size": size}}),
        )
    }

    /// Whether a record may name what it names. Stricter than the real server, which takes another
    /// type and size than it gave.
    pub fn check(&self, record: &Value) -> Result<(), Refusal> {
        let embed = &record["embed"];
        let thumb = &embed["external"]["thumb"];
        if !thumb.is_null() {
            self.check_one(thumb, "image/", IMAGE_BYTES_MAX, "external.thumb")?;
        }
        for (n, image) in embed["images"].as_array().into_iter().flatten().enumerate() {
            let at = format!("images[{n}].image");
            self.check_one(&image["image"], "image/", IMAGE_BYTES_MAX, &at)?;
        }
        if !embed["video"].is_null() {
            self.check_one(&embed["video"], "video/mp4", VIDEO_BYTES_MAX, "video")?;
        }
        Ok(())
    }

    fn check_one(&self, blob: &Value, accept: &str, max: u64, at: &str) -> Result<(), Refusal> {
        let link = blob["ref"]["$link"].as_str().unwrap_or_default();
        let Some((kind, bytes)) = self.0.get(link) else {
            return Err((400, "BlobNotFound", format!("Could not find blob: {link}")));
        };
        if blob["mimeType"] != kind.as_str() {
            let why = format!("Mimetype: expected {}, got {kind}", blob["mimeType"]);
            return Err((400, "InvalidMimeType", why));
        }
        if blob["size"] != bytes.len() {
            return Err((400, "InvalidSize", "Size of file does not match".into()));
        }
        if !kind.starts_with(accept) {
            let why = format!("Expected \"{accept}\" (got \"{kind}\")");
            return Err(invalid(&why, &format!("{at}.mimeType")));
        }
        if bytes.len() as u64 > max {
            return Err(invalid(&format!("blob too big (maximum {max}, got {})", bytes.len()), at));
        }
        Ok(())
    }

    /// The bytes of each file.
    pub fn files(&self) -> Vec<Vec<u8>> {
        self.0.values().map(|(_, bytes)| bytes.clone()).collect()
    }

    /// Everything is swept away, as what no record names is after an hour.
    pub fn sweep(&mut self) {
        self.0.clear();
    }
}

/// In the words of the real server.
fn invalid(why: &str, part: &str) -> Refusal {
    let at = format!("$.record.embed.{part}");
    (400, "InvalidRequest", format!("Invalid app.bsky.feed.post record: {why} at {at}"))
}
