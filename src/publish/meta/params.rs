//! Params: what the calls that make a post are given, in the words of the API.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::draft::Media;

/// A parameter of a call.
pub type Param = (&'static str, String);

/// The same as a call takes them.
pub fn borrowed(params: &[Param]) -> Vec<(&str, &str)> {
    params.iter().map(|(key, value)| (*key, value.as_str())).collect()
}

/// Whether a medium is a video; else it is an image.
pub fn is_video(medium: &Media) -> bool {
    medium.media_type.as_deref().is_some_and(|kind| kind.starts_with("video"))
}

/// The alternative text under the name that the platform has for it, where there is one.
pub fn alt(key: &'static str, medium: &Media) -> Option<Param> {
    let alt = medium.alt.clone().filter(|alt| !alt.trim().is_empty());
    alt.map(|alt| (key, alt))
}

/// Tells two posts apart by all that they are made of. Hex.
pub fn fingerprint(all: &Value) -> String {
    Sha256::digest(all.to_string()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
