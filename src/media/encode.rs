//! Encode: pixels to a file that is small enough.

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, RgbImage};

use super::Fitted;
use super::decode::Picture;

/// The qualities that are tried at each size, the best first.
const QUALITIES: [u8; 3] = [88, 78, 65];
/// How much smaller the next size is, in parts of a hundred.
const SMALLER_PERCENT: u32 = 75;
/// No side is made shorter than this to save bytes.
const SIDE_MIN: u32 = 64;

/// A JPEG of `picture` with no side above `side_max` and no more than `bytes_max` bytes: as good
/// as that allows, then smaller.
///
/// # Errors
/// Not even a tiny one is small enough, or it can't be written.
pub fn jpeg(picture: Picture, side_max: u32, bytes_max: usize) -> Result<Fitted, String> {
    let Picture { pixels, orientation, profile } = picture;
    let longest = pixels.width().max(pixels.height());
    let mut side = longest.min(side_max);
    loop {
        let mut upright = DynamicImage::ImageRgb8(on_white(resized(&pixels, longest, side)?));
        // turned when there are few pixels left to turn
        upright.apply_orientation(orientation);
        let upright = upright.into_rgb8();
        for quality in QUALITIES {
            let bytes = encoded(&upright, quality, profile.as_deref())?;
            if bytes.len() <= bytes_max {
                let (width, height) = upright.dimensions();
                return Ok(Fitted { bytes, media_type: "image/jpeg", width, height });
            }
        }
        side = side * SMALLER_PERCENT / 100;
        if side < SIDE_MIN {
            return Err(format!("the picture can't be made as small as {bytes_max} bytes"));
        }
    }
}

/// `pixels`, whose longest side is `longest`, so that it is `side`.
fn resized(pixels: &DynamicImage, longest: u32, side: u32) -> Result<DynamicImage, String> {
    let scaled = |length: u32| {
        let scaled = u64::from(length) * u64::from(side) / u64::from(longest.max(1));
        u32::try_from(scaled).unwrap_or(side).max(1)
    };
    let (width, height) = (scaled(pixels.width()), scaled(pixels.height()));
    let mut smaller = DynamicImage::new(width, height, pixels.color());
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new()
        .resize(pixels, &mut smaller, &options)
        .map_err(|error| format!("the picture can't be resized: {error}"))?;
    Ok(smaller)
}

/// What is seen through a picture is white: JPEG knows no transparency, and cards are light.
fn on_white(pixels: DynamicImage) -> RgbImage {
    let DynamicImage::ImageRgba8(pixels) = pixels else { return pixels.into_rgb8() };
    let mut opaque = RgbImage::new(pixels.width(), pixels.height());
    for (to, from) in opaque.pixels_mut().zip(pixels.pixels()) {
        let [colours @ .., alpha] = from.0.map(u32::from);
        // at most 255 × 255, so that the quotient fits a byte
        to.0 = colours.map(|colour| ((colour * alpha + 255 * (255 - alpha)) / 255) as u8);
    }
    opaque
}

fn encoded(pixels: &RgbImage, quality: u8, profile: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    if let Some(profile) = profile {
        // colours a little off are better than no picture
        let _ = encoder.set_icc_profile(profile.to_vec());
    }
    let written = encoder.encode_image(pixels);
    written.map_err(|error| format!("the picture can't be written: {error}"))?;
    Ok(bytes)
}
