//! WebM: elements in elements.
//!
//! Two of them say all that is asked here, and stand before what is seen. A demuxer reads its table
//! of times, its tags and its chapters first, as large as they say they are.

use std::io::{Read, Seek, SeekFrom};

use super::{Facts, cut_off, unread};

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x002a_d7b1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const TRACK_TYPE: u32 = 0x83;
const CODEC: u32 = 0x86;
const VIDEO: u32 = 0xe0;
const WIDTH: u32 = 0xb0;
const HEIGHT: u32 = 0xba;
const CLUSTER: u32 = 0x1f43_b675;

/// The most elements of a file that are looked at.
const ELEMENTS_MAX: usize = 10_000;
/// The largest element that is read.
const BODY_BYTES_MAX: u64 = 1 << 20;
/// Nanoseconds in the unit of a duration, unless the file says otherwise.
const USUAL_SCALE: u64 = 1_000_000;

/// What the file in `source`, which has `length` bytes, says of itself.
pub fn facts(source: &mut (impl Read + Seek), length: u64) -> Result<Facts, String> {
    let mut at = 0;
    let (mut info, mut tracks, mut has_data) = (None, None, false);
    for _ in 0..ELEMENTS_MAX {
        if at >= length || (has_data && info.is_some() && tracks.is_some()) {
            break;
        }
        source.seek(SeekFrom::Start(at)).map_err(unread)?;
        let mut bytes = Vec::new();
        source.by_ref().take(HEAD_BYTES_MAX).read_to_end(&mut bytes).map_err(unread)?;
        let (id, size, taken) = head_of(&bytes).ok_or_else(cut_off)?;
        let body = at + taken as u64;
        let end = match size {
            Some(size) => {
                body.checked_add(size).filter(|end| *end <= length).ok_or_else(cut_off)?
            }
            // written as it was recorded: up to the end
            None => length,
        };
        match id {
            INFO if info.is_none() => info = Some(read(source, body, end)?),
            TRACKS if tracks.is_none() => tracks = Some(read(source, body, end)?),
            CLUSTER => has_data = true,
            _ => {}
        }
        // what is in the segment comes next
        at = if id == SEGMENT { body } else { end };
    }
    let tracks = tracks.ok_or("there is no picture in it")?;
    if !has_data {
        return Err(cut_off());
    }
    let info = info.unwrap_or_default();
    let duration_ms = duration(&info);
    let track = Elements(&tracks).filter(|(id, _)| *id == TRACK).find_map(|(_, body)| track(body));
    let (width, height, codec) = track.ok_or("there is no picture in it")?;
    Ok(Facts { width, height, duration_ms, codec, is_fast_start: true })
}

fn read(source: &mut (impl Read + Seek), body: u64, end: u64) -> Result<Vec<u8>, String> {
    source.seek(SeekFrom::Start(body)).map_err(unread)?;
    let mut bytes = Vec::new();
    let length = (end - body).min(BODY_BYTES_MAX);
    source.by_ref().take(length).read_to_end(&mut bytes).map_err(unread)?;
    Ok(bytes)
}

fn duration(info: &[u8]) -> Option<u64> {
    let scale = number(info, TIMESTAMP_SCALE).unwrap_or(USUAL_SCALE);
    let (_, duration) = Elements(info).find(|(id, _)| *id == DURATION)?;
    let duration = match duration.len() {
        4 => f64::from(f32::from_be_bytes(duration.try_into().ok()?)),
        _ => f64::from_be_bytes(duration.try_into().ok()?),
    };
    let milliseconds = (duration * scale as f64 / 1e6).ceil();
    // no number is above nothing, and a huge one becomes the largest
    (milliseconds > 0.0).then_some(milliseconds as u64)
}

/// Width, height and codec of a track that is seen.
fn track(track: &[u8]) -> Option<(u32, u32, String)> {
    if number(track, TRACK_TYPE) != Some(1) {
        return None;
    }
    let (_, video) = Elements(track).find(|(id, _)| *id == VIDEO)?;
    let side = |id| number(video, id).and_then(|side| u32::try_from(side).ok()).filter(|n| *n > 0);
    let (width, height) = (side(WIDTH)?, side(HEIGHT)?);
    let (_, codec) = Elements(track).find(|(id, _)| *id == CODEC)?;
    let codec = match codec {
        b"V_VP8" => "vp8".to_owned(),
        b"V_VP9" => "vp9".to_owned(),
        b"V_AV1" => "av1".to_owned(),
        _ => codec
            .iter()
            .take(CODEC_BYTES_MAX)
            .copied()
            .collect::<Vec<u8>>()
            .escape_ascii()
            .to_string(),
    };
    Some((width, height, codec))
}

/// As much of the name of a codec as is said.
const CODEC_BYTES_MAX: usize = 32;

/// The number in the first element of this `id`.
fn number(bytes: &[u8], id: u32) -> Option<u64> {
    let (_, body) = Elements(bytes).find(|(other, _)| *other == id)?;
    (body.len() <= 8).then(|| body.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

/// The elements of what one holds, up to the first that is not whole.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = (u32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, size, taken) = head_of(self.0)?;
        let rest = &self.0[taken..];
        let size = size.map_or(Some(rest.len()), |size| usize::try_from(size).ok())?;
        let (body, rest) = rest.split_at_checked(size)?;
        self.0 = rest;
        Some((id, body))
    }
}

/// An id of 4 bytes and a size of 8.
const HEAD_BYTES_MAX: u64 = 12;

/// The id and the size of an element, if it has one, and how many bytes say so.
fn head_of(bytes: &[u8]) -> Option<(u32, Option<u64>, usize)> {
    let first = *bytes.first()?;
    // as many leading zeros as there are more bytes; they belong to the id
    let id_length = first.leading_zeros() as usize + 1;
    if id_length > 4 {
        return None;
    }
    let id = bytes.get(..id_length)?.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let first = *bytes.get(id_length)?;
    let length = first.leading_zeros() as usize + 1;
    if length > 8 {
        return None;
    }
    let size = bytes.get(id_length..id_length + length)?;
    let size = size.iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
    let most = (1_u64 << (7 * length)) - 1;
    let size = size & most;
    Some((id, (size != most).then_some(size), id_length + length))
}
