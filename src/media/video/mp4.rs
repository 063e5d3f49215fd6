//! MP4 and QuickTime: boxes in boxes.
//!
//! Of the index only those boxes are read that say how long and how large the picture is. An odd
//! one elsewhere (cameras write many) is no reason to do without the video.

use std::io::{Read, Seek, SeekFrom};

use mp4_atom::{Atom as _, Decode, Header, Mdhd, Mehd, Mvhd, ReadFrom, Tkhd, Visual};

use super::{Facts, cut_off, unread};

/// The most boxes that are looked at: a fragmented film of hours has a few ten thousand.
const BOXES_MAX: u32 = 100_000;
/// As much of a box as is read.
const BODY_BYTES_MAX: u64 = 4096;

/// What the file in `source`, which has `length` bytes, says of itself.
pub fn facts(source: &mut (impl Read + Seek), length: u64) -> Result<Facts, String> {
    let mut file = File { source, left: BOXES_MAX };
    let (mut index, mut data) = (None, None);
    let mut at = 0;
    while at < length {
        match file.at(at, length) {
            Ok(found) => {
                at = found.end;
                match &found.name {
                    b"moov" => index = index.or(Some(found)),
                    b"mdat" => data = data.or(Some(found)),
                    _ => {}
                }
            }
            // padding behind the end
            Err(_) if index.is_some() && data.is_some() => break,
            Err(why) => return Err(why),
        }
    }
    let index = index.ok_or("it has no index (`moov`): it is cut off, or was never finished")?;
    let data = data.ok_or_else(cut_off)?;
    let is_fast_start = index.start < data.start;

    let mut track = None;
    let mut at = index.body;
    while track.is_none() && at < index.end {
        let found = file.at(at, index.end)?;
        at = found.end;
        if &found.name == b"trak" {
            track = file.track(&found)?;
        }
    }
    let Track { width, height, codec, duration_ms } = track.ok_or("there is no picture in it")?;
    let duration_ms = file.duration(&index)?.or(duration_ms);
    Ok(Facts { width, height, duration_ms, codec, is_fast_start })
}

/// A track that is seen.
struct Track {
    width: u32,
    height: u32,
    codec: String,
    duration_ms: Option<u64>,
}

/// Where a box is in its file.
struct Found {
    name: [u8; 4],
    start: u64,
    /// Where what it holds begins.
    body: u64,
    end: u64,
}

struct File<'a, S> {
    source: &'a mut S,
    /// How many boxes may still be looked at.
    left: u32,
}

impl<S: Read + Seek> File<'_, S> {
    /// The box that starts `at` there, in something that ends at `end`.
    fn at(&mut self, start: u64, end: u64) -> Result<Found, String> {
        self.left = self.left.checked_sub(1).ok_or("it has too many parts")?;
        self.source.seek(SeekFrom::Start(start)).map_err(unread)?;
        let header = Header::read_from(self.source).map_err(|_| cut_off())?;
        let body = self.source.stream_position().map_err(unread)?;
        let stop = match header.size {
            Some(size) => u64::try_from(size).ok().and_then(|size| body.checked_add(size)),
            None => Some(end),
        };
        let stop = stop.filter(|stop| *stop <= end && body <= end).ok_or_else(cut_off)?;
        Ok(Found { name: header.kind.into(), start, body, end: stop })
    }

    /// The first box of that name in `outer`.
    fn find(&mut self, outer: &Found, name: &[u8; 4]) -> Result<Option<Found>, String> {
        let mut at = outer.body;
        while at < outer.end {
            let found = self.at(at, outer.end)?;
            if &found.name == name {
                return Ok(Some(found));
            }
            at = found.end;
        }
        Ok(None)
    }

    /// The box at the end of these names, each in the one before.
    fn way(&mut self, outer: &Found, names: &[&[u8; 4]]) -> Result<Option<Found>, String> {
        let (first, rest) = names.split_first().ok_or("a way has a name")?;
        match self.find(outer, first)? {
            Some(found) if !rest.is_empty() => self.way(&found, rest),
            found => Ok(found),
        }
    }

    /// The first bytes of what a box holds.
    fn body(&mut self, found: &Found) -> Result<Vec<u8>, String> {
        self.source.seek(SeekFrom::Start(found.body)).map_err(unread)?;
        let length = (found.end - found.body).min(BODY_BYTES_MAX);
        let mut bytes = Vec::new();
        self.source.by_ref().take(length).read_to_end(&mut bytes).map_err(unread)?;
        Ok(bytes)
    }

    /// What is at the end of these names, if it can be read.
    fn read<A: mp4_atom::Atom>(
        &mut self,
        outer: &Found,
        names: &[&[u8; 4]],
    ) -> Result<Option<A>, String> {
        let Some(found) = self.way(outer, names)? else { return Ok(None) };
        let bytes = self.body(&found)?;
        Ok(A::decode_body(&mut bytes.as_slice()).ok())
    }

    /// What is seen in a track, if anything is.
    fn track(&mut self, track: &Found) -> Result<Option<Track>, String> {
        let Some(handler) = self.way(track, &[b"mdia", b"hdlr"])? else { return Ok(None) };
        // after version, flags and a word: what the track is for
        if self.body(&handler)?.get(8..12) != Some(b"vide") {
            return Ok(None);
        }
        let samples = self.way(track, &[b"mdia", b"minf", b"stbl", b"stsd"])?;
        let samples = samples.map(|found| self.body(&found)).transpose()?.unwrap_or_default();
        // after version, flags and their number: the first kind of sample
        let mut sample = samples.get(8..).unwrap_or_default();
        let Ok(header) = Header::decode(&mut sample) else { return Ok(None) };
        let visual = Visual::decode(&mut sample).ok();
        let head: Option<Tkhd> = self.read(track, &[&<[u8; 4]>::from(Tkhd::KIND)])?;
        let (mut width, mut height) = match (&visual, &head) {
            (Some(visual), _) if visual.width > 0 && visual.height > 0 => {
                (u32::from(visual.width), u32::from(visual.height))
            }
            (_, Some(head)) => (head.width.integer().into(), head.height.integer().into()),
            _ => (0, 0),
        };
        if width == 0 || height == 0 {
            return Ok(None);
        }
        if head.is_some_and(|head| head.matrix.a == 0 && head.matrix.d == 0 && head.matrix.b != 0) {
            (width, height) = (height, width);
        }
        let media: Option<Mdhd> = self.read(track, &[b"mdia", b"mdhd"])?;
        let duration_ms = media.and_then(|media| milliseconds(media.duration, media.timescale));
        let codec = codec(header.kind.into())?;
        Ok(Some(Track { width, height, codec, duration_ms }))
    }

    /// How long the whole film is, also where it comes in fragments, if its index says so.
    fn duration(&mut self, index: &Found) -> Result<Option<u64>, String> {
        let Some(head) = self.read::<Mvhd>(index, &[b"mvhd"])? else { return Ok(None) };
        let in_fragments: Option<Mehd> = self.read(index, &[b"mvex", b"mehd"])?;
        let in_fragments = in_fragments.map_or(0, |fragments| fragments.fragment_duration);
        Ok(milliseconds(head.duration, head.timescale)
            .max(milliseconds(in_fragments, head.timescale)))
    }
}

/// `duration` in parts of a second; `None` where that is not known.
fn milliseconds(duration: u64, timescale: u32) -> Option<u64> {
    let is_unknown = matches!(duration, 0 | u64::MAX) || duration == u64::from(u32::MAX);
    if is_unknown || timescale == 0 {
        return None;
    }
    u64::try_from((u128::from(duration) * 1000).div_ceil(timescale.into())).ok()
}

fn codec(name: [u8; 4]) -> Result<String, String> {
    let known = match &name {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" => "h264",
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "hevc",
        b"av01" => "av1",
        b"vp08" => "vp8",
        b"vp09" => "vp9",
        b"encv" => return Err("it is encrypted".to_owned()),
        _ => return Ok(name.escape_ascii().to_string()),
    };
    Ok(known.to_owned())
}
