//! Fit: any bytes are a picture or a video that fits, or words that say why not.
//!
//! The first byte of the input picks the platform.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use posse_party::media::{self, Unfit};
use posse_party::platform::{ImageLimits, MediaLimits, Platform};

/// Larger pictures only slow the fuzzer down.
const PIXELS_MAX: u64 = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let platform = Platform::ALL[usize::from(*first) % Platform::ALL.len()];
    let MediaLimits { image, video, .. } = MediaLimits::of(platform);
    if media::kind(bytes).is_image() {
        if let Some(limits) = image
            && !is_large(bytes)
        {
            pictures(bytes, &limits);
        }
    } else if let Some(limits) = video {
        match media::video(Cursor::new(bytes), &limits) {
            Ok(film) => {
                let pixels = u64::from(film.width) * u64::from(film.height);
                assert!(
                    pixels > 0 && pixels <= limits.pixels_max && film.width <= limits.width_max
                );
            }
            Err(why) => assert!(!why.to_string().is_empty()),
        }
    }
});

fn pictures(bytes: &[u8], limits: &ImageLimits) {
    // small limits, so that it has to be made smaller too
    let limits = ImageLimits { bytes_max: 20_000, side_max: 200, ..*limits };
    for fitted in [media::image(bytes, &limits), media::story(bytes, &limits)] {
        let fitted = match fitted {
            Ok(fitted) => fitted,
            Err(Unfit::Tiny) => continue,
            Err(Unfit::Refused(why)) => {
                assert!(!why.is_empty());
                continue;
            }
        };
        assert!(fitted.bytes.len() as u64 <= limits.bytes_max, "{} bytes", fitted.bytes.len());
        assert!(fitted.width.max(fitted.height) <= limits.side_max);
        assert_eq!(media::kind(&fitted.bytes).media_type(), Some(fitted.media_type));
        if limits.ratio.is_none() {
            let about = media::check(&fitted.bytes, &limits);
            let is_thin = fitted.width.min(fitted.height) < 64;
            assert!(is_thin || about.is_ok(), "what fits is refused: {about:?}");
        }
    }
    let _ = media::thumb(bytes, 20_000);
}

/// Whether its head promises many pixels, in the largest sense.
fn is_large(bytes: &[u8]) -> bool {
    let size = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let size = size.ok().and_then(|reader| reader.into_dimensions().ok());
    size.is_some_and(|(width, height)| u64::from(width) * u64::from(height) > PIXELS_MAX)
}
