//! Pictures of every kind and orientation, and what is none.

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, Frame, ImageEncoder, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;

use super::*;
use crate::platform::{MediaLimits, Platform};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/media/", $name))
            .as_slice()
    };
}

mod fitting;

const LIMITS: ImageLimits = ImageLimits {
    formats: Formats { png: true, webp: true, gif: true },
    bytes_max: 1_000_000,
    pixels_max: 10_000_000,
    side_max: 2000,
    ratio: None,
    animated_pixels_max: Some(10_000),
};
/// JPEG alone.
const PLAIN: ImageLimits = ImageLimits {
    formats: Formats { png: false, webp: false, gif: false },
    animated_pixels_max: None,
    ..LIMITS
};

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255, 255, 255];

/// Red on the left, blue on the right.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| Rgb(if x < width / 2 { RED } else { BLUE }))
}

/// Noise, which no encoder makes small.
fn noise(width: u32, height: u32) -> RgbImage {
    let mut state = 1_u32;
    RgbImage::from_fn(width, height, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([(state >> 8) as u8, (state >> 16) as u8, (state >> 24) as u8])
    })
}

fn png(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8).unwrap();
    bytes
}

fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(image).unwrap();
    bytes
}

/// A JPEG with an EXIF block that says how it is to be turned, and where it was taken.
fn turned(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let plain = jpeg(image);
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif.extend(b"taken at 52.5N 13.4E");
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xff, 0xe1]);
    bytes.extend((exif.len() as u16 + 2).to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&plain[2..]);
    bytes
}

fn pixels(fitted: &Fitted) -> RgbImage {
    let image = ::image::load_from_memory(&fitted.bytes).unwrap().into_rgb8();
    assert_eq!(image.dimensions(), (fitted.width, fitted.height));
    assert_eq!(kind(&fitted.bytes).media_type(), Some(fitted.media_type));
    image
}

/// Whether a pixel is about this colour: JPEG is not exact.
fn assert_colour(image: &RgbImage, x: u32, y: u32, expect: [u8; 3]) {
    let there = image.get_pixel(x, y).0;
    let near = there.iter().zip(expect).all(|(a, b)| a.abs_diff(b) < 40);
    assert!(near, "{there:?} at {x},{y}, want {expect:?}");
}

#[test]
fn every_format_becomes_a_jpeg() {
    let image = halves(60, 30);
    let mut webp = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut webp);
    encoder.encode(&image, 60, 30, ExtendedColorType::Rgb8).unwrap();
    let mut gif = Vec::new();
    let mut encoder = GifEncoder::new(&mut gif);
    for colour in [RED, BLUE, WHITE] {
        let [r, g, b] = colour;
        let frame = RgbaImage::from_pixel(60, 30, Rgba([r, g, b, 255]));
        encoder.encode_frame(Frame::new(frame)).unwrap();
    }
    drop(encoder);
    for (bytes, right) in [(png(&image), BLUE), (jpeg(&image), BLUE), (webp, BLUE), (gif, RED)] {
        let fitted = thumb(&bytes, 10_000).unwrap();
        let image = pixels(&fitted);
        assert_eq!(image.dimensions(), (60, 30));
        assert_colour(&image, 5, 15, RED);
        assert_colour(&image, 55, 15, right);
    }
}

#[test]
fn a_picture_stands_upright_and_says_nothing_of_its_camera() {
    // where the red half is, for each EXIF orientation
    let check = |orientation: u8, size: (u32, u32), red: (u32, u32), blue: (u32, u32)| {
        let fitted = thumb(&turned(&halves(60, 30), orientation), 10_000).unwrap();
        let image = pixels(&fitted);
        assert_eq!(image.dimensions(), size, "{orientation}");
        assert_colour(&image, red.0, red.1, RED);
        assert_colour(&image, blue.0, blue.1, BLUE);
        let text = String::from_utf8_lossy(&fitted.bytes).into_owned();
        assert!(!text.contains("Exif") && !text.contains("52.5N"), "{orientation}");
    };
    let (left, right) = ((5, 15), (55, 15));
    let (top, bottom) = ((15, 5), (15, 55));
    check(1, (60, 30), left, right);
    check(2, (60, 30), right, left);
    check(3, (60, 30), right, left);
    check(4, (60, 30), left, right);
    check(5, (30, 60), top, bottom);
    check(6, (30, 60), top, bottom);
    check(7, (30, 60), bottom, top);
    check(8, (30, 60), bottom, top);
    check(99, (60, 30), left, right);
}

#[test]
fn what_is_transparent_becomes_white() {
    let image = RgbaImage::from_fn(60, 30, |x, _| {
        Rgba(if x < 30 { [0, 0, 0, 0] } else { [0, 0, 255, 255] })
    });
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    encoder.write_image(&image, 60, 30, ExtendedColorType::Rgba8).unwrap();
    let image = pixels(&thumb(&bytes, 10_000).unwrap());
    assert_colour(&image, 5, 15, WHITE);
    assert_colour(&image, 55, 15, BLUE);
}

#[test]
fn a_large_picture_is_made_as_small_as_it_must_be() {
    let check = |bytes: &[u8], bytes_max: usize| {
        let fitted = thumb(bytes, bytes_max).unwrap();
        assert!(fitted.bytes.len() <= bytes_max, "{} of {bytes_max}", fitted.bytes.len());
        pixels(&fitted).dimensions()
    };
    assert_eq!(check(&png(&halves(2400, 60)), 1_000_000), (1200, 30));
    assert_eq!(check(&png(&halves(30, 3000)), 1_000_000), (12, 1200));
    assert_eq!(check(&png(&RgbImage::new(5000, 1)), 1_000_000), (1200, 1));
    assert_eq!(check(&png(&RgbImage::new(1, 1)), 1_000), (1, 1));
    // what fits keeps its size; what doesn't loses quality first, then size
    let rough = png(&noise(200, 100));
    assert_eq!(check(&rough, 40_000), (200, 100));
    let (width, height) = check(&rough, 4_000);
    assert!((64..200).contains(&width) && width.abs_diff(2 * height) <= 2);
    assert!(thumb(&rough, 500).unwrap_err().contains("as small as 500 bytes"));
}

#[test]
fn colours_keep_their_profile_where_it_is_one_of_rgb() {
    let with = |space: &[u8]| {
        let mut profile = vec![0; 128];
        profile[16..20].copy_from_slice(space);
        profile.extend(b"the profile");
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new(&mut bytes);
        encoder.set_icc_profile(profile).unwrap();
        encoder.encode_image(&halves(20, 20)).unwrap();
        let fitted = thumb(&bytes, 10_000).unwrap();
        String::from_utf8_lossy(&fitted.bytes).contains("the profile")
    };
    assert!(with(b"RGB "));
    assert!(!with(b"CMYK"));
}

#[test]
fn what_is_no_picture_is_told_by_name() {
    let check = |bytes: &[u8], expect: &str| {
        let why = thumb(bytes, 10_000).unwrap_err();
        assert!(why.contains(expect), "{why}");
    };
    check(b"", "an empty file");
    check(b"<!doctype html><html>", "it is a page");
    check(b"\xef\xbb\xbf<?xml version='1.0'?><svg xmlns='x'>", "it is SVG");
    check(b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B", "it is AVIF");
    check(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "it is HEIC");
    check(b"\0\0\0\x20ftypisom\0\0\0\0", "an MP4 video");
    check(b"BM\0\0\0\0\0\0\0\0", "a BMP picture");
    check(b"%PDF-1.7", "want a JPEG, PNG, WebP or GIF");
    let jpeg = jpeg(&noise(100, 100));
    check(&jpeg[..100], "cut off");
    check(&png(&noise(100, 100))[..500], "cut off");
    check(fixture!("picture.avif"), "it is AVIF");
}

#[test]
fn bombs_are_not_set_off() {
    let check = |width: u32, height: u32, expect: &str| {
        // a head that promises far more than there is
        let mut bytes = png(&halves(100, 100));
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.to_be_bytes());
        for why in [
            thumb(&bytes, 10_000).unwrap_err(),
            super::check(&bytes, &LIMITS).unwrap_err(),
            image(&bytes, &LIMITS).unwrap_err().to_string(),
            story(&bytes, &LIMITS).unwrap_err().to_string(),
        ] {
            assert!(why.contains(expect), "{why}");
        }
    };
    check(40_000, 40_000, "large");
    check(60_000, 60_000, "large");
    check(9000, 9000, "it is too large to read: 9000×9000 pixels, at most");
    check(20_000, 1_000_000_000, "large");
}

/// The check sum of a PNG chunk.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damage_anywhere_is_no_disaster(
        kind in 0..3_usize,
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
    ) {
        let image = noise(16, 16);
        let mut bytes = [png(&image), jpeg(&image), turned(&image, 6)][kind].clone();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len()) + 1);
        if let Ok(fitted) = thumb(&bytes, 10_000) {
            prop_assert!(fitted.bytes.len() <= 10_000);
        }
    }
}
