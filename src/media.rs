//! Media: the bytes of a picture to a picture that a platform takes.
//!
//! What a picture is, its bytes say, never its name or its server. What goes out is always
//! encoded anew, upright and without what a camera writes along: place, time, device.
//! It computes, and long: a caller has a thread for it. **Invariant:** width, height and memory
//! are bounded before the first pixel is decoded. **Refuses:** formats that need a C library (AVIF,
//! HEIC), drawings (SVG), and what is no picture.

mod decode; // bytes to pixels
mod encode; // pixels to bytes, small enough

/// The longest side of a card's picture; clients show fewer pixels.
const THUMB_SIDE_MAX: u32 = 1200;

/// A picture that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it is.
    pub media_type: &'static str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Makes of `bytes` the picture of a link card with at most `bytes_max` bytes: a JPEG; of an
/// animation the first frame; what is transparent becomes white.
///
/// # Errors
/// Why there is none, in words: lower case, no full stop.
pub fn thumb(bytes: &[u8], bytes_max: usize) -> Result<Fitted, String> {
    encode::jpeg(decode::picture(bytes)?, THUMB_SIDE_MAX, bytes_max)
}

#[cfg(test)]
mod tests;
