//! Small films of each kind, whole and damaged, and what would take much if it were believed.

use std::io::{self, Cursor};

use proptest::prelude::*;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/media/", $name))
            .as_slice()
    };
}

const LIMITS: VideoLimits = VideoLimits {
    mov: true,
    webm: true,
    bytes_max: 1_000_000,
    duration_min: Duration::from_millis(500),
    duration_max: Duration::from_secs(180),
    pixels_max: 8_000_000,
    width_max: 1920,
};

fn read(bytes: &[u8], limits: &VideoLimits) -> Result<Film, String> {
    video(Cursor::new(bytes), limits).map_err(|unfit| unfit.to_string())
}

fn refused(bytes: &[u8], limits: &VideoLimits, expect: &str) {
    let why = read(bytes, limits).unwrap_err();
    assert!(why.contains(expect), "{why}");
}

/// A box of MP4.
fn atom(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
    bytes.extend(name);
    bytes.extend(body);
    bytes
}

/// Where a box of this name starts.
fn place(bytes: &[u8], name: &[u8; 4]) -> usize {
    bytes.windows(4).position(|window| window == name).unwrap() - 4
}

#[test]
fn a_film_is_known_by_its_index() {
    let check = |bytes: &[u8], media_type, codec: &str, size, is_fast_start| {
        let (width, height) = size;
        let codec = codec.to_owned();
        let film = read(bytes, &LIMITS).unwrap();
        let duration_ms = film.duration_ms;
        assert!((1000..1100).contains(&duration_ms), "{film:?}");
        assert_eq!(film, Film { media_type, width, height, duration_ms, codec, is_fast_start });
    };
    let lying = (96, 64);
    check(fixture!("fast.mp4"), "video/mp4", "h264", lying, true);
    check(fixture!("heard.mp4"), "video/mp4", "h264", lying, true);
    check(fixture!("slow.mp4"), "video/mp4", "h264", lying, false);
    check(fixture!("turned.mp4"), "video/mp4", "h264", (64, 96), true);
    check(fixture!("mpeg4.mp4"), "video/mp4", "mp4v", lying, false);
    check(fixture!("plain.mov"), "video/quicktime", "h264", lying, false);
    check(fixture!("small.webm"), "video/webm", "vp9", lying, true);
    check(fixture!("vp8.webm"), "video/webm", "vp8", lying, true);
}

#[test]
fn a_platform_takes_what_is_within_its_limits() {
    let film = fixture!("fast.mp4");
    let with = |change: fn(&mut VideoLimits)| {
        let mut limits = LIMITS;
        change(&mut limits);
        limits
    };
    let brief = with(|limits| limits.duration_max = Duration::from_millis(800));
    refused(film, &brief, "it is 1 s long, at most 0.8 s are taken");
    let long = with(|limits| limits.duration_min = Duration::from_secs(3));
    refused(film, &long, "it is 1 s long, at least 3 s are taken");
    let light = with(|limits| limits.bytes_max = 2000);
    refused(film, &light, "it has 2110 bytes, at most 2000 are taken");
    let small = with(|limits| limits.pixels_max = 6143);
    refused(film, &small, "it is 96×64 pixels, at most 6143 are taken");
    let narrow = with(|limits| limits.width_max = 95);
    refused(film, &narrow, "it is 96 pixels wide, at most 95 are taken");
    assert!(read(fixture!("turned.mp4"), &narrow).is_ok());
    let plain = with(|limits| (limits.mov, limits.webm) = (false, false));
    refused(fixture!("plain.mov"), &plain, "it is a QuickTime video, and only MP4 is taken");
    refused(fixture!("small.webm"), &plain, "it is a WebM video, and only MP4 is taken");
    refused(fixture!("moves.gif"), &LIMITS, "it is GIF, and only MP4, QuickTime or WebM is taken");
}

#[test]
fn what_does_not_say_how_long_it_is_goes_where_nobody_minds() {
    let endless =
        VideoLimits { duration_min: Duration::ZERO, duration_max: Duration::MAX, ..LIMITS };
    for bytes in [fixture!("fragmented.mp4"), fixture!("live.webm")] {
        refused(bytes, &LIMITS, "it does not say how long it is");
        let film = read(bytes, &endless).unwrap();
        assert_eq!((film.width, film.height, film.duration_ms), (96, 64, 0));
    }
    // unless its index tells it of all fragments
    let mut bytes = fixture!("fragmented.mp4").to_vec();
    let mehd = atom(b"mehd", &[0, 0, 0, 0, 0, 0, 0x0f, 0xa0]);
    for name in [b"moov", b"mvex"] {
        let at = place(&bytes, name);
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        bytes[at..at + 4].copy_from_slice(&(length + mehd.len() as u32).to_be_bytes());
    }
    let at = place(&bytes, b"mvex") + 8;
    bytes.splice(at..at, mehd);
    assert_eq!(read(&bytes, &LIMITS).unwrap().duration_ms, 4000);
}

#[test]
fn half_a_film_is_none() {
    for bytes in
        [fixture!("fast.mp4"), fixture!("slow.mp4"), fixture!("plain.mov"), fixture!("small.webm")]
    {
        for length in 0..bytes.len() {
            let why = read(&bytes[..length], &LIMITS).unwrap_err();
            assert!(!why.is_empty() && why.starts_with(char::is_lowercase), "{why}");
        }
        refused(&bytes[..bytes.len() - 1], &LIMITS, "cut off");
    }
    let slow = fixture!("slow.mp4");
    refused(&slow[..place(slow, b"moov")], &LIMITS, "no index (`moov`)");
    let fast = fixture!("fast.mp4");
    refused(&fast[..place(fast, b"mdat")], &LIMITS, "cut off");
    refused(fixture!("sound.mp4"), &LIMITS, "there is no picture in it");
    refused(b"", &LIMITS, "it is an empty file");
    refused(b"<html>", &LIMITS, "it is a page");
}

#[test]
fn an_odd_box_is_no_obstacle() {
    // where it is in the index, too: `stsd` is read by hand, whatever stands around it
    let mut bytes = fixture!("slow.mp4").to_vec();
    let at = place(&bytes, b"moov");
    let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let odd = atom(b"udta", b"\xff\xff\xff\xff what a camera thinks of");
    bytes[at..at + 4].copy_from_slice(&(length + odd.len() as u32).to_be_bytes());
    bytes.splice(at + 8..at + 8, odd);
    bytes.extend([0; 5]);
    assert_eq!(read(&bytes, &LIMITS).unwrap().codec, "h264");
}

#[test]
fn an_encrypted_film_is_refused() {
    let mut bytes = fixture!("fast.mp4").to_vec();
    let at = place(&bytes, b"avc1");
    // the first is a brand
    let at = at + 8 + place(&bytes[at + 8..], b"avc1");
    bytes[at + 4..at + 8].copy_from_slice(b"encv");
    refused(&bytes, &LIMITS, "it is encrypted");
}

/// A file that is all boxes, as long as it likes.
struct Endless {
    start: Vec<u8>,
    at: u64,
    length: u64,
    reads: u64,
    bytes: u64,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length - self.at.min(self.length)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        for (nth, byte) in buffer[..count].iter_mut().enumerate() {
            let at = self.at as usize + nth;
            // boxes of 8 bytes
            *byte = *self.start.get(at).unwrap_or(&b"\0\0\0\x08free"[at % 8]);
        }
        self.at += count as u64;
        self.reads += 1;
        self.bytes += count as u64;
        Ok(count)
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(_) => self.length,
            SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

#[test]
fn what_a_file_claims_is_not_believed() {
    let limits = VideoLimits { bytes_max: u64::MAX, ..LIMITS };
    let check = |start: Vec<u8>, length: u64, expect: &str| {
        let mut source = Endless { start, at: 0, length, reads: 0, bytes: 0 };
        let why = video(&mut source, &limits).unwrap_err().to_string();
        assert!(why.contains(expect), "{why}");
        assert!(source.reads < 1_000_000 && source.bytes < 4 << 20, "{} bytes", source.bytes);
    };
    let brand = atom(b"ftyp", b"isom\0\0\0\0");
    let then = |more: &[u8]| [brand.clone(), more.to_vec()].concat();
    check(brand.clone(), 1 << 40, "too many parts");
    // an index of a terabyte, a size beyond all numbers, sizes below their own length
    check(then(b"\0\0\0\x01moov\0\0\x01\0\0\0\0\0"), 1 << 41, "too many parts");
    check(then(b"\0\0\0\x01moov\xff\xff\xff\xff\xff\xff\xff\xff"), 1 << 30, "cut off");
    check(then(b"\0\0\0\x01moov\0\0\0\0\0\0\0\x02"), 1 << 30, "cut off");
    check(then(b"\0\0\0\x02moov"), 1 << 30, "cut off");
    let webm = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm".to_vec();
    let then = |more: &[u8]| [webm.clone(), more.to_vec()].concat();
    check(then(b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\xff"), 1 << 30, "cut off");
    check(then(b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xf0"), 1 << 30, "cut off");
    let tracks =
        b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\x16\x54\xae\x6b\x01\0\0\x01\0\0\0\0";
    check(then(tracks), 1 << 41, "cut off");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn damage_anywhere_is_no_disaster(
        kind in 0..5_usize,
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = [
            fixture!("fast.mp4"), fixture!("plain.mov"), fixture!("small.webm"),
            fixture!("live.webm"), fixture!("fragmented.mp4"),
        ][kind].to_vec();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(film) = read(&bytes, &LIMITS) {
            prop_assert!(film.width > 0 && film.height > 0 && film.width <= LIMITS.width_max);
        }
    }
}
