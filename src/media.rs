//! Media: the bytes of a picture to a picture that a platform takes, and a video to what it is.
//!
//! What a file is, its bytes say, never its name or its server. What fits goes out with its pixels
//! unchanged; what doesn't is encoded anew, upright. Either way without what a camera writes
//! along: place, time, device. A picture is decoded once even where nothing of it changes: half a
//! download must not go out half grey. It computes, and long: a caller has a thread for it, and
//! one at a time. **Invariant:** width, height and memory are bounded before the first pixel is
//! decoded, and of a video only its index is read. **Refuses:** formats that need a C library
//! (AVIF, HEIC), drawings (SVG), transcoding, and what is no picture.

use std::fmt;

use image::metadata::Orientation;

use crate::platform::{Formats, ImageLimits, Ratio};

mod decode; // bytes to pixels
mod encode; // pixels to bytes, small enough
mod kind; // what a file is
mod layout; // how large, and on what
mod strip; // a file without what its camera says
mod video; // what is in a video

pub use kind::{Kind, kind};
pub use video::{Film, video};

/// The longest side of a card's picture; clients show fewer pixels.
const THUMB_SIDE_MAX: u32 = 1200;
/// What has a shorter side is a tracking pixel, a button or an icon, nothing to show.
const SIDE_MIN: u32 = 64;

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
    /// What was lost or added on the way, in words that follow the picture's name: lower case, no
    /// full stop. A picture that only became smaller has none.
    pub notes: Vec<String>,
}

/// Why there is nothing to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Under 64 pixels on a side: left out without a word.
    Tiny,
    /// It can't be had, and why: in words that follow its name, lower case, no full stop.
    Refused(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tiny => write!(out, "it has fewer than {SIDE_MIN} pixels on a side"),
            Self::Refused(why) => out.write_str(why),
        }
    }
}

impl From<String> for Unfit {
    fn from(why: String) -> Self {
        Self::Refused(why)
    }
}

/// What a picture is that fits as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// What it is.
    pub media_type: &'static str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Makes of `bytes` a picture within `limits`: the same pixels where they fit, else smaller,
/// upright, on white.
///
/// # Errors
/// `Tiny` for what nobody would post, `Refused` for what can't be read or made to fit.
pub fn image(bytes: &[u8], limits: &ImageLimits) -> Result<Fitted, Unfit> {
    let file = decode::File::open(bytes)?;
    let (width, height) = file.upright();
    if width.min(height) < SIDE_MIN {
        return Err(Unfit::Tiny);
    }
    let picture = file.picture()?;
    if obstacle(&file, limits).is_none() {
        let whole = if file.kind == Kind::Gif && file.moves { file.motion() } else { Ok(()) };
        match whole {
            Ok(()) => {
                // an animated PNG was made still on the way
                let is_still = file.moves && file.kind == Kind::Png;
                let notes = is_still.then(|| FIRST_FRAME.to_owned()).into_iter().collect();
                let media_type = file.media_type();
                let bytes = file.bare.into_owned();
                return Ok(Fitted { bytes, media_type, width, height, notes });
            }
            Err(decode::Motion::Broken(why)) => return Err(Unfit::Refused(why)),
            Err(decode::Motion::TooLong) => {}
        }
    }
    let notes = [(file.moves, FIRST_FRAME), (file.is_for_print, FOR_PRINT)];
    let wants_png = matches!(file.kind, Kind::Png | Kind::Gif);
    drop(file);
    let layout = layout::Layout::within(limits, (width, height));
    let mut fitted = encode::fit(picture, &layout, limits, wants_png)?;
    let notes = notes.into_iter().filter(|(is_so, _)| *is_so).map(|(_, note)| note.to_owned());
    fitted.notes.splice(0..0, notes);
    Ok(fitted)
}

const FOR_PRINT: &str = "its colours for print were turned into colours for screens";
const FIRST_FRAME: &str = "it moves, and only its first frame goes";

/// Makes of `bytes` the picture of a story: a JPEG of at most 1080 × 1920 pixels, 9:16, the whole
/// picture in the middle of black.
///
/// # Errors
/// As [`image()`].
pub fn story(bytes: &[u8], limits: &ImageLimits) -> Result<Fitted, Unfit> {
    let file = decode::File::open(bytes)?;
    let (width, height) = file.upright();
    if width.min(height) < SIDE_MIN {
        return Err(Unfit::Tiny);
    }
    let picture = file.picture()?;
    let moves = file.moves;
    drop(file);
    let layout = layout::Layout::story(limits, (width, height));
    let mut fitted = encode::fit(picture, &layout, limits, false)?;
    // what is around a picture in a story is expected there
    fitted.notes = moves.then(|| FIRST_FRAME.to_owned()).into_iter().collect();
    Ok(fitted)
}

/// Makes of `bytes` the picture of a link card with at most `bytes_max` bytes: a JPEG; of an
/// animation the first frame; what is transparent becomes white.
///
/// # Errors
/// Why there is none, in words: lower case, no full stop.
pub fn thumb(bytes: &[u8], bytes_max: usize) -> Result<Fitted, String> {
    let limits = ImageLimits {
        formats: Formats::default(),
        bytes_max: u64::try_from(bytes_max).unwrap_or(u64::MAX),
        pixels_max: u64::MAX,
        side_max: THUMB_SIDE_MAX,
        ratio: None,
        animated_pixels_max: None,
    };
    let file = decode::File::open(bytes)?;
    let layout = layout::Layout::within(&limits, file.upright());
    let picture = file.picture()?;
    drop(file);
    encode::fit(picture, &layout, &limits, false)
}

/// Whether a platform that fetches these very bytes itself would take them.
///
/// # Errors
/// What it would stumble over, in words that follow the picture's name: lower case, no full stop.
pub fn check(bytes: &[u8], limits: &ImageLimits) -> Result<About, String> {
    let file = decode::File::open(bytes)?;
    let (width, height) = file.upright();
    if width.min(height) < SIDE_MIN {
        return Err(format!(
            "it is {width}×{height} pixels, at least {SIDE_MIN} a side are wanted"
        ));
    }
    let length = bytes.len().max(file.bare.len());
    if let Some(why) = too_heavy(length, limits).or_else(|| obstacle(&file, limits)) {
        return Err(why);
    }
    if file.moves && file.kind == Kind::Png {
        return Err("it moves, which is not taken".to_owned());
    }
    file.picture()?;
    if file.moves {
        file.motion().map_err(|motion| motion.to_string())?;
    }
    Ok(About { media_type: file.media_type(), width, height })
}

/// Why a file does not fit as it is.
fn obstacle(file: &decode::File<'_>, limits: &ImageLimits) -> Option<String> {
    let Formats { png, webp, gif } = limits.formats;
    let (width, height) = file.upright();
    let pixels = u64::from(width) * u64::from(height);
    let is_taken = match file.kind {
        Kind::Png => png,
        Kind::WebP => webp,
        Kind::Gif => gif,
        _ => true,
    };
    let moves_well =
        file.kind == Kind::Gif && limits.animated_pixels_max.is_some_and(|max| pixels <= max);
    if !is_taken {
        let taken = [(true, "JPEG"), (png, "PNG"), (webp, "WebP"), (gif, "GIF")];
        let taken: Vec<&str> = taken.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        Some(format!("it is {}, and only {} is taken", file.kind, taken.join(" or ")))
    } else if file.moves && file.kind != Kind::Png && !moves_well {
        Some("it moves, which is not taken".to_owned())
    } else if pixels > limits.pixels_max {
        Some(format!("it is {width}×{height} pixels, at most {} are taken", limits.pixels_max))
    } else if width.max(height) > limits.side_max {
        Some(format!("it is {width}×{height} pixels, at most {} a side are taken", limits.side_max))
    } else if let Some(why) = limits.ratio.and_then(|ratio| out_of(ratio, width, height)) {
        Some(why)
    } else if file.orientation != Orientation::NoTransforms {
        Some("it does not stand upright without its EXIF data".to_owned())
    } else if file.is_for_print {
        Some("its colours are for print (CMYK)".to_owned())
    } else {
        too_heavy(file.bare.len(), limits)
    }
}

fn out_of(ratio: Ratio, width: u32, height: u32) -> Option<String> {
    let (across, down) = (u64::from(width) * 1000, u64::from(height));
    let why = if across < u64::from(ratio.min) * down {
        format!("too narrow, want at least {}", Thousandths(ratio.min))
    } else if across > u64::from(ratio.max) * down {
        format!("too wide, want at most {}", Thousandths(ratio.max))
    } else {
        return None;
    };
    Some(format!("its shape of {width}×{height} is {why} to 1"))
}

/// A number that is written with a point.
struct Thousandths(u32);

impl fmt::Display for Thousandths {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", f64::from(self.0) / 1000.0)
    }
}

fn too_heavy(length: usize, limits: &ImageLimits) -> Option<String> {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    let max = limits.bytes_max;
    (length > max).then(|| format!("it has {length} bytes, at most {max} are taken"))
}

#[cfg(test)]
mod tests;
