//! Encode: pixels to a file that is small enough.

use fast_image_resize::pixels::{U8x3, U8x4};
use fast_image_resize::{
    FilterType, IntoImageView, IntoImageViewMut, PixelTrait, ResizeAlg, ResizeError, ResizeOptions,
    Resizer,
};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageEncoder, RgbImage, imageops};

use super::Fitted;
use super::decode::{Picture, is_turned};
use super::layout::{Layout, Size};
use crate::platform::ImageLimits;

/// The qualities that are tried at each size, the best first, and how long a file is with each in
/// parts of a hundred of the first (photos, measured).
const QUALITIES: [(u8, u64); 4] = [(90, 100), (82, 70), (74, 57), (65, 48)];
/// How much smaller the next size is, in parts of a hundred, at most and at least.
const SMALLER_PERCENT: (u32, u32) = (90, 50);

/// A file of `picture` as `layout` wants it with no more bytes than `limits` allow: a JPEG as good
/// as that allows, then smaller; a PNG where the platform takes one, where it `wants_png` or is
/// transparent, and where it is small enough.
///
/// # Errors
/// Not even a tiny one is small enough, or it can't be written.
pub fn fit(
    picture: Picture,
    layout: &Layout,
    limits: &ImageLimits,
    wants_png: bool,
) -> Result<Fitted, String> {
    let Picture { pixels, orientation, profile } = picture;
    let profile = profile.as_deref();
    let bytes_max = usize::try_from(limits.bytes_max).unwrap_or(usize::MAX);
    let mut longest = layout.longest;
    let (size, page) = layout.at(longest);
    let (width, height) = size;
    let lying = if is_turned(orientation) { (height, width) } else { size };
    let mut upright = match resized(&pixels, lying)? {
        Some(smaller) => smaller,
        None => pixels,
    };
    // turned when there are few pixels left to turn
    upright.apply_orientation(orientation);

    let mut notes = Vec::new();
    notes.extend(padded(layout, size, page));
    let is_seen_through = upright.color().has_alpha();
    let whitened = "what was transparent in it is white now".to_owned();
    if limits.formats.png && (is_seen_through || wants_png) {
        let set = set(&upright, layout, page);
        let bytes = png(set.as_ref().unwrap_or(&upright), profile)?;
        if bytes.len() <= bytes_max {
            notes.extend((is_seen_through && set.is_some()).then_some(whitened));
            let (width, height) = page;
            return Ok(Fitted { bytes, media_type: "image/png", width, height, notes });
        }
    }
    notes.extend(is_seen_through.then_some(whitened));
    let upright = DynamicImage::from(on_background(upright, layout.background));
    loop {
        let (size, page) = layout.at(longest);
        let smaller = resized(&upright, size)?;
        let whole = smaller.as_ref().unwrap_or(&upright);
        let set = set(whole, layout, page);
        let (least, bytes) = jpeg(set.as_ref().unwrap_or(whole), profile, bytes_max)?;
        if let Some(bytes) = bytes {
            let (width, height) = page;
            return Ok(Fitted { bytes, media_type: "image/jpeg", width, height, notes });
        }
        let (most_percent, least_percent) = SMALLER_PERCENT;
        let wanted = (bytes_max as f64 / least.max(1) as f64).sqrt() * 97.0;
        let percent = (wanted as u32).clamp(least_percent, most_percent);
        longest = Layout::smaller(longest, percent)
            .ok_or_else(|| format!("it can't be made as small as {bytes_max} bytes"))?;
    }
}

/// What is said of what a picture was set on.
fn padded(layout: &Layout, size: Size, page: Size) -> Option<String> {
    (size != page && layout.background == [255; 3]).then(|| {
        let side = if size.0 < page.0 { "narrow" } else { "wide" };
        format!("it is too {side} as it is, and was set on white")
    })
}

/// The best JPEG that is no longer than `bytes_max`, if there is one, and how long the shortest
/// one tried was.
fn jpeg(
    pixels: &DynamicImage,
    profile: Option<&[u8]>,
    bytes_max: usize,
) -> Result<(usize, Option<Vec<u8>>), String> {
    let (mut least, mut first) = (usize::MAX, None);
    let (last, _) = QUALITIES[QUALITIES.len() - 1];
    for (quality, percent) in QUALITIES {
        // a tenth better than one would think: it may be
        let expected = first.map_or(0, |first: usize| first as u64 * percent / 110);
        if expected > bytes_max as u64 && quality != last {
            continue;
        }
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        if let Some(profile) = profile {
            // colours a little off are better than no picture
            let _ = encoder.set_icc_profile(profile.to_vec());
        }
        pixels.write_with_encoder(encoder).map_err(unwritten)?;
        least = least.min(bytes.len());
        first = first.or(Some(bytes.len()));
        if bytes.len() <= bytes_max {
            return Ok((least, Some(bytes)));
        }
    }
    Ok((least, None))
}

fn png(pixels: &DynamicImage, profile: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    if let Some(profile) = profile {
        let _ = encoder.set_icc_profile(profile.to_vec());
    }
    pixels.write_with_encoder(encoder).map_err(unwritten)?;
    Ok(bytes)
}

fn unwritten(error: image::ImageError) -> String {
    format!("it can't be written: {error}")
}

/// `pixels` in this size, unless they have it.
fn resized(pixels: &DynamicImage, (width, height): Size) -> Result<Option<DynamicImage>, String> {
    if (pixels.width(), pixels.height()) == (width, height) {
        return Ok(None);
    }
    let mut other = DynamicImage::new(width, height, pixels.color());
    let done = match pixels {
        DynamicImage::ImageRgba8(_) => resize::<U8x4>(pixels, &mut other),
        _ => resize::<U8x3>(pixels, &mut other),
    };
    done.map_err(|error| format!("it can't be resized: {error}"))?;
    Ok(Some(other))
}

/// Resizes pixels of one kind. `Resizer::resize`, which takes any, brings the code for all of its
/// thirteen into the binary: 3 MB.
fn resize<P: PixelTrait>(from: &DynamicImage, to: &mut DynamicImage) -> Result<(), ResizeError> {
    let (Some(from), Some(mut to)) = (from.image_view::<P>(), to.image_view_mut::<P>()) else {
        return Err(ResizeError::PixelTypesAreDifferent);
    };
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new().resize_typed(&from, &mut to, &options)
}

/// `pixels` in the middle of a page of this size, unless they fill it.
fn set(pixels: &DynamicImage, layout: &Layout, (width, height): Size) -> Option<DynamicImage> {
    if (pixels.width(), pixels.height()) == (width, height) {
        return None;
    }
    let mut page = RgbImage::from_pixel(width, height, image::Rgb(layout.background));
    let left = i64::from(width.saturating_sub(pixels.width()) / 2);
    let top = i64::from(height.saturating_sub(pixels.height()) / 2);
    imageops::replace(&mut page, &on_background(pixels.clone(), layout.background), left, top);
    Some(page.into())
}

/// What is seen through a picture: JPEG knows no transparency.
fn on_background(pixels: DynamicImage, background: [u8; 3]) -> RgbImage {
    let DynamicImage::ImageRgba8(pixels) = pixels else { return pixels.into_rgb8() };
    let mut opaque = RgbImage::new(pixels.width(), pixels.height());
    for (to, from) in opaque.pixels_mut().zip(pixels.pixels()) {
        let [colours @ .., alpha] = from.0.map(u32::from);
        for ((to, colour), behind) in to.0.iter_mut().zip(colours).zip(background) {
            // at most 255 × 255, so that the quotient fits a byte
            *to = ((colour * alpha + u32::from(behind) * (255 - alpha)) / 255) as u8;
        }
    }
    opaque
}
