//! Decode: the bytes of a picture to its pixels.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

/// The most pixels: those of a good camera. A progressive JPEG takes 9 bytes for each while it is
/// decoded, and the whole daemon has 512 MB (its unit).
const PIXELS_MAX: u64 = 25_000_000;
/// The most bytes of the pixels as they come from a decoder, which may take 8 for each.
const DECODED_BYTES_MAX: u64 = 4 * PIXELS_MAX;
/// The longest side.
const SIDE_MAX: u32 = 16_000;
/// The most memory of a decoder, in bytes.
const ALLOC_BYTES_MAX: u64 = 192 << 20;
/// The largest colour profile that is kept.
const PROFILE_BYTES_MAX: usize = 64 * 1024;

/// Pixels, and what one must know to show them right.
pub struct Picture {
    /// `Rgb8`, or `Rgba8` where something may be transparent.
    pub pixels: DynamicImage,
    /// How they are to be turned.
    pub orientation: Orientation,
    /// The ICC profile of their colours, where they have one for RGB.
    pub profile: Option<Vec<u8>>,
}

/// Decodes a picture.
///
/// # Errors
/// It is none, none that can be read, or too large.
pub fn picture(bytes: &[u8]) -> Result<Picture, String> {
    let format = format(bytes)?;
    let broken = |error: image::ImageError| format!("the picture can't be read: {error}");
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX || decoder.total_bytes() > DECODED_BYTES_MAX {
        return Err(format!("the picture is too large: {width}×{height} pixels"));
    }
    // broken metadata are no reason to do without the picture
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_of_rgb(profile));
    let pixels = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let has_alpha = pixels.color().has_alpha();
    let pixels = if has_alpha {
        DynamicImage::ImageRgba8(pixels.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(pixels.into_rgb8())
    };
    Ok(Picture { pixels, orientation, profile })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(ALLOC_BYTES_MAX);
    limits
}

/// Whether an ICC profile is small and for red, green and blue: one for grey or for print would
/// spoil pixels that are no longer in its colours.
fn is_of_rgb(profile: &[u8]) -> bool {
    profile.len() <= PROFILE_BYTES_MAX && profile.get(16..20) == Some(b"RGB ")
}

/// What the bytes are, where that can be read.
fn format(bytes: &[u8]) -> Result<ImageFormat, String> {
    use ImageFormat::{Gif, Jpeg, Png, WebP};
    if let Ok(format @ (Jpeg | Png | Gif | WebP)) = image::guess_format(bytes) {
        return Ok(format);
    }
    let start = &bytes[..bytes.len().min(512)];
    let text = String::from_utf8_lossy(start).trim_start_matches('\u{feff}').trim().to_lowercase();
    let what = match (start.get(4..8), start.get(8..12)) {
        _ if bytes.is_empty() => return Err("the picture is empty".into()),
        (Some(b"ftyp"), Some(b"avif" | b"avis")) => "AVIF",
        (Some(b"ftyp"), _) => "HEIC or a video",
        _ if text.contains("<svg") => "SVG",
        _ if text.starts_with('<') => "a page",
        _ => "something else",
    };
    Err(format!("it is {what}, want a JPEG, PNG, WebP or GIF"))
}
