//! Kind: the first bytes of a file to what it is.
//!
//! By content alone. What nobody here reads is still told by name, for a person has to find out
//! why a picture is missing.

use std::fmt;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/gif`
    Gif,
    /// `image/webp`
    WebP,
    /// `video/mp4`
    Mp4,
    /// `video/quicktime`
    QuickTime,
    /// `video/webm`
    WebM,
    /// Nothing that is read here: what it seems to be, as it follows "it is".
    Other(&'static str),
}

impl Kind {
    /// Its media type, where it is one that is read here.
    #[must_use]
    pub const fn media_type(self) -> Option<&'static str> {
        match self {
            Self::Jpeg => Some("image/jpeg"),
            Self::Png => Some("image/png"),
            Self::Gif => Some("image/gif"),
            Self::WebP => Some("image/webp"),
            Self::Mp4 => Some("video/mp4"),
            Self::QuickTime => Some("video/quicktime"),
            Self::WebM => Some("video/webm"),
            Self::Other(_) => None,
        }
    }

    /// Whether it is a picture that is read here.
    #[must_use]
    pub const fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Gif | Self::WebP)
    }

    /// Whether it is a video that is read here.
    #[must_use]
    pub const fn is_video(self) -> bool {
        matches!(self, Self::Mp4 | Self::QuickTime | Self::WebM)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::WebP => "WebP",
            Self::Mp4 => "an MP4 video",
            Self::QuickTime => "a QuickTime video",
            Self::WebM => "a WebM video",
            Self::Other(name) => name,
        })
    }
}

/// How far into a file a name of its kind is looked for.
const LOOKED_AT_BYTES: usize = 512;

/// What starts with these bytes; 512 of them are enough.
#[must_use]
pub fn kind(start: &[u8]) -> Kind {
    let start = &start[..start.len().min(LOOKED_AT_BYTES)];
    let four = |at: usize| start.get(at..at + 4).unwrap_or_default();
    match start {
        [] => Kind::Other("an empty file"),
        [0xff, 0xd8, 0xff, ..] => Kind::Jpeg,
        _ if start.starts_with(b"\x89PNG\r\n\x1a\n") => Kind::Png,
        _ if start.starts_with(b"GIF87a") || start.starts_with(b"GIF89a") => Kind::Gif,
        _ if four(0) == b"RIFF" && four(8) == b"WEBP" => Kind::WebP,
        _ if four(0) == b"RIFF" && four(8) == b"AVI " => Kind::Other("an AVI video"),
        _ if four(0) == b"RIFF" && four(8) == b"WAVE" => Kind::Other("sound (WAV)"),
        _ if start.starts_with(b"\x1a\x45\xdf\xa3") => matroska(start),
        _ if four(4) == b"ftyp" => branded(start),
        // QuickTime before it had brands
        _ if [b"moov", b"mdat", b"wide", b"pnot"].iter().any(|name| four(4) == *name) => {
            Kind::QuickTime
        }
        _ if four(4) == b"JXL " || start.starts_with(b"\xff\x0a") => Kind::Other("JPEG XL"),
        _ if start.starts_with(b"BM") => Kind::Other("a BMP picture"),
        _ if matches!(four(0), b"II*\0" | b"MM\0*") => Kind::Other("a TIFF picture"),
        _ if start.starts_with(b"\0\0\x01\0") => Kind::Other("an icon"),
        _ if start.starts_with(b"%PDF-") => Kind::Other("a PDF file"),
        _ if four(0) == b"OggS" => Kind::Other("an Ogg file"),
        _ if start.starts_with(b"ID3") => Kind::Other("sound (MP3)"),
        _ => text(start),
    }
}

/// What a file of ISO's base format is, by its brands.
fn branded(start: &[u8]) -> Kind {
    let length = start.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let end = usize::try_from(length).unwrap_or(usize::MAX).min(start.len());
    let brands = || start.get(8..end).unwrap_or_default().chunks_exact(4);
    let has = |names: &[&[u8]]| brands().any(|brand| names.contains(&brand));
    let major = start.get(8..12).unwrap_or_default();
    match major {
        b"qt  " => Kind::QuickTime,
        b"M4A " | b"M4B " => Kind::Other("sound (MPEG-4)"),
        b"avif" | b"avis" => Kind::Other("AVIF"),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Kind::Other("HEIC"),
        b"mif1" | b"msf1" | b"miaf" if has(&[b"avif", b"avis"]) => Kind::Other("AVIF"),
        b"mif1" | b"msf1" | b"miaf" => Kind::Other("HEIC"),
        b"crx " => Kind::Other("a raw picture of a camera"),
        _ => Kind::Mp4,
    }
}

/// WebM is what says so; other Matroska files hold codecs that no platform takes.
fn matroska(start: &[u8]) -> Kind {
    let has = |name: &[u8]| start.windows(name.len()).any(|window| window == name);
    if has(b"\x42\x82\x84webm") { Kind::WebM } else { Kind::Other("a Matroska video") }
}

fn text(start: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(start).trim_start_matches('\u{feff}').trim().to_lowercase();
    if text.starts_with('<') && text.contains("<svg") {
        Kind::Other("SVG")
    } else if text.starts_with('<') {
        Kind::Other("a page")
    } else {
        Kind::Other("something else")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_say() {
        let check = |start: &[u8], expect: Kind| assert_eq!(kind(start), expect, "{start:?}");
        check(b"\xff\xd8\xff\xe0", Kind::Jpeg);
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Kind::Png);
        check(b"GIF89a", Kind::Gif);
        check(b"RIFF\x10\0\0\0WEBPVP8 ", Kind::WebP);
        check(b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41", Kind::Mp4);
        check(b"\0\0\0\x14ftypqt  \0\0\x02\0qt  ", Kind::QuickTime);
        check(b"\0\0\0\x08wide\0\0\0\x08mdat", Kind::QuickTime);
        check(b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", Kind::WebM);
        check(b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska", Kind::Other("a Matroska video"));
        check(b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B", Kind::Other("AVIF"));
        check(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", Kind::Other("AVIF"));
        check(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Kind::Other("HEIC"));
        check(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", Kind::Other("HEIC"));
        check(b"\0\0\0\x18ftypM4A \0\0\0\0", Kind::Other("sound (MPEG-4)"));
        check(b"\xef\xbb\xbf<?xml version='1.0'?><svg xmlns='x'>", Kind::Other("SVG"));
        check(b" <!doctype html><html>", Kind::Other("a page"));
        check(b"", Kind::Other("an empty file"));
        check(b"BM\0\0", Kind::Other("a BMP picture"));
        check(b"\0", Kind::Other("something else"));
    }

    #[test]
    fn what_is_read_has_a_type() {
        for kind in [Kind::Jpeg, Kind::Png, Kind::Gif, Kind::WebP] {
            assert!(kind.is_image() && !kind.is_video());
            assert!(kind.media_type().is_some_and(|name| name.starts_with("image/")));
        }
        for kind in [Kind::Mp4, Kind::QuickTime, Kind::WebM] {
            assert!(kind.is_video() && !kind.is_image());
            assert!(kind.media_type().is_some_and(|name| name.starts_with("video/")));
        }
        let other = Kind::Other("AVIF");
        assert!(!other.is_image() && !other.is_video() && other.media_type().is_none());
    }
}
