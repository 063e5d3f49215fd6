//! Video: a file to what is in it, and whether a platform takes that.
//!
//! Only the index is read, a few kilobytes of it at a time; what is seen and heard is skipped.
//! Nothing is transcoded: a video that does not fit does not go. **Invariant:** memory and steps
//! are bounded whatever the file says of itself, and a file that ends before its end is none.

use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use super::Unfit;
use super::kind::{Kind, kind};
use crate::platform::VideoLimits;

mod mp4;
mod webm;

/// What is in a video that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Film {
    /// `video/mp4`, `video/quicktime` or `video/webm`.
    pub media_type: &'static str,
    /// Width in pixels, when it stands upright.
    pub width: u32,
    /// Height in pixels, when it stands upright.
    pub height: u32,
    /// How long it is; 0 where it does not say so and the platform has no limit.
    pub duration_ms: u64,
    /// `h264`, `hevc`, `av1`, `vp8`, `vp9`, or what the file calls it.
    pub codec: String,
    /// Whether its index comes before what is seen, as Meta's platforms want it (contract sheets
    /// Threads 2.5, Instagram 3.6). A WebM's always does.
    pub is_fast_start: bool,
}

/// What a file says of itself.
struct Facts {
    width: u32,
    height: u32,
    duration_ms: Option<u64>,
    codec: String,
    is_fast_start: bool,
}

/// How much of a file is looked at to know its kind.
const START_BYTES: u64 = 512;

/// Reads what is in a video, and checks it against `limits`.
///
/// # Errors
/// `Refused`: it is none, it is cut off, or it is not within the limits.
pub fn video(mut source: impl Read + Seek, limits: &VideoLimits) -> Result<Film, Unfit> {
    let length = source.seek(SeekFrom::End(0)).map_err(unread)?;
    source.rewind().map_err(unread)?;
    let mut start = Vec::new();
    source.by_ref().take(START_BYTES).read_to_end(&mut start).map_err(unread)?;
    let kind = kind(&start);
    let is_taken = match kind {
        Kind::Mp4 => true,
        Kind::QuickTime => limits.mov,
        Kind::WebM => limits.webm,
        _ => false,
    };
    let Some(media_type) = kind.media_type().filter(|_| is_taken) else {
        let also = match (limits.mov, limits.webm) {
            (true, true) => ", QuickTime or WebM",
            (true, false) => " or QuickTime",
            (false, true) => " or WebM",
            (false, false) => "",
        };
        return Err(format!("it is {kind}, and only MP4{also} is taken").into());
    };
    if length > limits.bytes_max {
        return Err(format!("it has {length} bytes, at most {} are taken", limits.bytes_max).into());
    }
    let facts = match kind {
        Kind::WebM => webm::facts(&mut source, length)?,
        _ => mp4::facts(&mut source, length)?,
    };
    within(&facts, limits)?;
    let Facts { width, height, duration_ms, codec, is_fast_start } = facts;
    let duration_ms = duration_ms.unwrap_or(0);
    Ok(Film { media_type, width, height, duration_ms, codec, is_fast_start })
}

fn within(facts: &Facts, limits: &VideoLimits) -> Result<(), String> {
    let Facts { width, height, duration_ms, .. } = *facts;
    let pixels = u64::from(width) * u64::from(height);
    match duration_ms.map(Duration::from_millis) {
        None if limits.duration_max < Duration::MAX || limits.duration_min > Duration::ZERO => {
            return Err("it does not say how long it is; write it anew as a plain MP4".to_owned());
        }
        Some(long) if long < limits.duration_min => {
            let (long, min) = (Seconds(long), Seconds(limits.duration_min));
            return Err(format!("it is {long} s long, at least {min} s are taken"));
        }
        Some(long) if long > limits.duration_max => {
            let (long, max) = (Seconds(long), Seconds(limits.duration_max));
            return Err(format!("it is {long} s long, at most {max} s are taken"));
        }
        _ => {}
    }
    if pixels > limits.pixels_max {
        let max = limits.pixels_max;
        return Err(format!("it is {width}×{height} pixels, at most {max} are taken"));
    }
    if width > limits.width_max {
        return Err(format!("it is {width} pixels wide, at most {} are taken", limits.width_max));
    }
    Ok(())
}

/// A length as people say it, to a tenth of a second where it is not whole, rounded up.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.as_millis().div_ceil(100);
        match tenths % 10 {
            0 => write!(out, "{}", tenths / 10),
            tenth => write!(out, "{}.{tenth}", tenths / 10),
        }
    }
}

fn unread(error: std::io::Error) -> String {
    format!("it can't be read: {error}")
}

/// A file that promises more than there is.
fn cut_off() -> String {
    "it is cut off: its end is missing".to_owned()
}

#[cfg(test)]
mod tests;
