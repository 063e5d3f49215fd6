//! Srcset: one image in several sizes, and the best of them.
//!
//! The best one is the widest that is not far wider than any platform shows, of a format that can
//! be decoded, and for every reader rather than for some screens only.

use crate::draft;

/// Pixels. Wider ones only cost time: no platform shows as many.
const WIDTH_MAX: u32 = 4096;
/// How many of one image are looked at.
const CANDIDATES_MAX: usize = 64;
/// The width of an image that says none, where others are multiples of it.
const WIDTH_GUESSED: u32 = 640;
/// Image types that can be decoded, those that every platform takes first.
const DECODED: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];

/// One address of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Absolute address.
    pub url: String,
    /// Pixels; 0: not known.
    pub width: u32,
    /// Media type, where it is told.
    pub media_type: Option<String>,
    /// Whether it is for some screens only.
    pub is_conditional: bool,
}

impl Candidate {
    /// The media type that it says, or that its name tells.
    pub fn kind(&self) -> Option<&str> {
        self.media_type.as_deref().or_else(|| draft::type_by_name(&self.url))
    }

    /// How good it is, the best last.
    fn rank(&self) -> (bool, bool, bool, u32, bool) {
        let kind = self.kind();
        // what says nothing is decoded or not when it is there
        let is_decoded = kind.is_none_or(|kind| DECODED.contains(&kind));
        let is_small = self.width <= WIDTH_MAX;
        let width = if is_small { self.width } else { u32::MAX - self.width };
        (is_decoded, !self.is_conditional, is_small, width, kind != Some("image/webp"))
    }
}

/// The best of them; of several that are as good, the first.
pub fn best(candidates: &[Candidate]) -> Option<&Candidate> {
    candidates.iter().rev().max_by_key(|candidate| candidate.rank())
}

/// Parts a `srcset` into addresses, as they are written, and widths in pixels. `shown`: the width
/// of the image on the page, where that is known.
pub fn parts(srcset: &str, shown: Option<u32>) -> Vec<(&str, u32)> {
    let mut parts = Vec::new();
    let is_gap = |c: char| c.is_ascii_whitespace() || c == ',';
    let mut rest = srcset.trim_start_matches(is_gap);
    while !rest.is_empty() && parts.len() < CANDIDATES_MAX {
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (url, after) = rest.split_at(end);
        let bare = url.trim_end_matches(',');
        // a comma at its end says that no size follows
        let (size, after) = match bare.len() < url.len() {
            true => ("", after),
            false => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        if !bare.is_empty() {
            parts.push((bare, width(size.trim(), shown)));
        }
        rest = after.trim_start_matches(is_gap);
    }
    parts
}

/// The width that a size of a `srcset` means: `640w`, `2x`.
fn width(size: &str, shown: Option<u32>) -> u32 {
    let size = size.split_ascii_whitespace().next().unwrap_or("1x");
    if let Some(width) = size.strip_suffix('w') {
        return width.parse().unwrap_or(0);
    }
    let times: f32 = size.strip_suffix('x').and_then(|it| it.parse().ok()).unwrap_or(1.0);
    // a float becomes the nearest number that there is
    (shown.unwrap_or(WIDTH_GUESSED) as f32 * times.clamp(0.0, 100.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_srcset_is_parted() {
        let check = |srcset: &str, expect: &[(&str, u32)]| {
            assert_eq!(parts(srcset, Some(100)), expect, "{srcset}");
        };
        check("a.jpg 320w, b.jpg 640w", &[("a.jpg", 320), ("b.jpg", 640)]);
        check(" a.jpg ,b.jpg\n2x ", &[("a.jpg", 100), ("b.jpg", 200)]);
        check("a.jpg, b.jpg 1.5x", &[("a.jpg", 100), ("b.jpg", 150)]);
        check("a,b.jpg 1x,c.jpg 2x", &[("a,b.jpg", 100), ("c.jpg", 200)]);
        check("a.jpg 320w 200h", &[("a.jpg", 320)]);
        check("a.jpg wide", &[("a.jpg", 100)]);
        check(
            "data:image/png;base64,AA 1x, b.jpg 2x",
            &[("data:image/png;base64,AA", 100), ("b.jpg", 200)],
        );
        check(" , ,, ", &[]);
        assert_eq!(parts(&"a.jpg 1w, ".repeat(1000), None).len(), CANDIDATES_MAX);
    }

    #[test]
    fn the_best_is_the_widest_that_can_be_used() {
        let one = |url: &str, width: u32| {
            let url = format!("https://a.io/{url}");
            Candidate { url, width, media_type: None, is_conditional: false }
        };
        let check = |candidates: &[Candidate], expect: &str| {
            let found = best(candidates).map(|it| it.url.as_str());
            assert_eq!(found, Some(&*format!("https://a.io/{expect}")));
        };
        check(&[one("a", 320), one("b", 1280), one("c", 640)], "b");
        check(&[one("a", 4096), one("b", 5000)], "a");
        check(&[one("a", 9000), one("b", 5000)], "b");
        check(&[one("a", 640), one("b", 640)], "a");
        check(&[one("a.avif", 1280), one("b.jpg", 640)], "b.jpg");
        check(&[one("a.avif", 640), one("b.avif", 1280)], "b.avif");
        check(&[one("a.webp", 640), one("b.jpg", 640)], "b.jpg");
        check(&[one("a.webp", 641), one("b.jpg", 640)], "a.webp");
        let narrow = Candidate { is_conditional: true, ..one("a.jpg", 1280) };
        check(&[narrow.clone(), one("b.jpg", 640)], "b.jpg");
        check(&[narrow, one("b.avif", 640)], "a.jpg");
        assert_eq!(best(&[]), None);
    }
}
