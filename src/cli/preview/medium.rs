//! Medium: a picture or a video of a post, with what its platform gets of it.

use serde::Serialize;

use crate::deliver::fetch::Seen;
use crate::draft::Media;

/// A medium as it goes out. What is not for scripts is not serialised.
#[derive(Clone, Debug, Serialize)]
pub struct Medium {
    /// Where it is, and what it is called.
    #[serde(flatten)]
    pub source: Media,
    /// What is uploaded, or what the platform fetches itself; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Seen>,
    /// Whether the platform fetches it itself, from where it is.
    #[serde(skip)]
    pub is_handed_over: bool,
    /// It, or its poster, as an address that holds the whole picture, for a page.
    #[serde(skip)]
    pub picture: Option<String>,
}

impl Medium {
    /// One of a draft, and what was seen of it.
    pub fn of(media: &Media, seen: Option<&Seen>) -> Self {
        Self {
            is_handed_over: media.file.is_none() && seen.is_some(),
            source: Media { file: None, ..media.clone() },
            file: seen.cloned(),
            picture: None,
        }
    }

    /// Its type and what is sent of it: `image/jpeg, 2000×1333, 612 kB`, and how long a video is.
    pub fn plan(&self) -> String {
        let kind = self.source.media_type.as_deref().unwrap_or("unknown type");
        let Some(Seen { width, height, bytes, duration_ms, .. }) = &self.file else {
            return kind.to_owned();
        };
        let bytes = match bytes {
            Some(bytes) => format!("{} kB", bytes.div_ceil(1000)),
            None => "of unknown size".to_owned(),
        };
        let length = duration_ms.map(|ms| format!(", {} s", ms.div_ceil(1000))).unwrap_or_default();
        format!("{kind}, {width}×{height}, {bytes}{length}")
    }
}
