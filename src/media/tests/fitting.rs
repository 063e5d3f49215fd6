//! What goes as it is, and what becomes of what can't.

use super::*;

fn fitted(bytes: &[u8], limits: &ImageLimits) -> Fitted {
    let fitted = image(bytes, limits).unwrap();
    assert!(fitted.bytes.len() as u64 <= limits.bytes_max, "{} bytes", fitted.bytes.len());
    assert!(fitted.width.max(fitted.height) <= limits.side_max);
    // what was made to fit would be taken
    let about = super::super::check(&fitted.bytes, limits).unwrap();
    let (width, height) = (fitted.width, fitted.height);
    assert_eq!(about, About { media_type: fitted.media_type, width, height });
    fitted
}

fn refused(bytes: &[u8], limits: &ImageLimits, expect: &str) {
    let why = super::super::check(bytes, limits).unwrap_err();
    assert!(why.contains(expect), "{why}");
}

/// Red on the left, nothing on the right.
fn half_a_picture(width: u32, height: u32) -> Vec<u8> {
    let image = RgbaImage::from_fn(width, height, |x, _| {
        Rgba(if x < width / 2 { [255, 0, 0, 255] } else { [0, 0, 0, 0] })
    });
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    encoder.write_image(&image, width, height, ExtendedColorType::Rgba8).unwrap();
    bytes
}

fn decoded(fitted: &Fitted) -> ::image::DynamicImage {
    ::image::load_from_memory(&fitted.bytes).unwrap()
}

#[test]
fn what_fits_keeps_its_bytes() {
    let image = halves(100, 80);
    for bytes in [
        png(&image),
        jpeg(&image),
        half_a_picture(80, 80),
        fixture!("grey.jpg").to_vec(),
        fixture!("plain.webp").to_vec(),
        fixture!("alpha.webp").to_vec(),
    ] {
        let fitted = fitted(&bytes, &LIMITS);
        let again = super::super::image(&fitted.bytes, &LIMITS).unwrap();
        assert_eq!(again.bytes, fitted.bytes);
        assert_eq!(fitted.notes, [""; 0]);
        let (before, after) = (::image::load_from_memory(&bytes), decoded(&fitted));
        assert_eq!(after, before.unwrap(), "the pixels are others");
    }
    // and all of them where there is nothing to strip
    for bytes in [png(&image), jpeg(&image), fixture!("plain.webp").to_vec()] {
        assert_eq!(fitted(&bytes, &LIMITS).bytes, bytes);
    }
    let deep = fitted(fixture!("deep.png"), &LIMITS);
    assert_eq!(decoded(&deep).color(), ::image::ColorType::Rgb16);
}

#[test]
fn what_says_more_than_its_pixels_says_no_more() {
    for bytes in [
        fixture!("progressive.jpg"),
        fixture!("told.webp"),
        fixture!("moves.gif"),
        &turned(&halves(100, 80), 1),
    ] {
        assert!(String::from_utf8_lossy(bytes).contains("52.5N"));
        for limits in [LIMITS, PLAIN] {
            let text = String::from_utf8_lossy(&fitted(bytes, &limits).bytes).into_owned();
            assert!(!text.contains("52.5N") && !text.contains("Exif") && !text.contains("EXIF"));
        }
    }
}

#[test]
fn a_photo_stands_upright_in_all_eight_ways() {
    // red at the left, blue at the right, white along the lower edge
    let mut image = halves(160, 80);
    for (_, y, pixel) in image.enumerate_pixels_mut() {
        if y >= 60 {
            pixel.0 = WHITE;
        }
    }
    let lying = ((160, 80), [(40, 30), (120, 30)]);
    let standing = ((80, 160), [(40, 40), (40, 120)]);
    let check = |orientation: u8,
                 (size, [first, second]): ((u32, u32), [(u32, u32); 2]),
                 swapped: bool,
                 white: (u32, u32)| {
        let bytes = turned(&image, orientation);
        let fitted = fitted(&bytes, &LIMITS);
        let after = pixels(&fitted);
        assert_eq!(after.dimensions(), size, "{orientation}");
        let (red, blue) = if swapped { (second, first) } else { (first, second) };
        assert_colour(&after, red.0, red.1, RED);
        assert_colour(&after, blue.0, blue.1, BLUE);
        assert_colour(&after, white.0, white.1, WHITE);
        if orientation > 1 {
            refused(&bytes, &LIMITS, "does not stand upright");
        }
    };
    let (below, above, left, right) = ((80, 75), (80, 5), (5, 80), (75, 80));
    check(1, lying, false, below);
    check(2, lying, true, below);
    check(3, lying, true, above);
    check(4, lying, false, above);
    check(5, standing, false, right);
    check(6, standing, false, left);
    check(7, standing, true, left);
    check(8, standing, true, right);
    // of a WebP too
    let webp = fitted(fixture!("told.webp"), &LIMITS);
    assert_colour(&pixels(&webp), 40, 10, RED);
    assert_colour(&pixels(&webp), 40, 70, BLUE);
}

#[test]
fn a_large_photo_becomes_smaller() {
    let check = |bytes: &[u8], limits: &ImageLimits, size: (u32, u32)| {
        let fitted = fitted(bytes, limits);
        assert_eq!(pixels(&fitted).dimensions(), size);
        assert_eq!(fitted.notes, [""; 0]);
        fitted
    };
    let small = ImageLimits { side_max: 400, ..LIMITS };
    let large = jpeg(&halves(480, 240));
    let fitted = check(&large, &small, (400, 200));
    assert_colour(&pixels(&fitted), 80, 100, RED);
    assert_colour(&pixels(&fitted), 320, 100, BLUE);
    check(&large, &ImageLimits { pixels_max: 20_000, ..LIMITS }, (200, 100));
    check(&turned(&halves(480, 240), 6), &small, (200, 400));
    // a picture of few colours stays sharp
    let drawing = png(&halves(480, 240));
    assert_eq!(check(&drawing, &small, (400, 200)).media_type, "image/png");
    let plain = check(&drawing, &ImageLimits { side_max: 400, ..PLAIN }, (400, 200));
    assert_eq!(plain.media_type, "image/jpeg");
    // quality first, then size
    let rough = png(&noise(400, 200));
    let fitted = check(&rough, &ImageLimits { bytes_max: 120_000, ..LIMITS }, (400, 200));
    assert_eq!(fitted.media_type, "image/jpeg");
    let limits = ImageLimits { bytes_max: 16_000, ..LIMITS };
    let fitted = super::super::image(&rough, &limits).unwrap();
    assert!(fitted.bytes.len() <= 16_000 && fitted.width < 400 && fitted.width > 100);
    let none = super::super::image(&rough, &ImageLimits { bytes_max: 500, ..LIMITS });
    assert_eq!(none.unwrap_err().to_string(), "it can't be made as small as 500 bytes");
}

#[test]
fn a_shape_that_is_not_taken_is_set_on_white() {
    let limits = MediaLimits::of(Platform::Instagram).image.unwrap();
    let tall = png(&RgbImage::from_pixel(100, 400, Rgb(RED)));
    refused(&tall, &limits, "it is PNG, and only JPEG is taken");
    let fitted_tall = fitted(&tall, &limits);
    let image = pixels(&fitted_tall);
    assert_eq!(image.dimensions(), (320, 400));
    assert_colour(&image, 10, 200, WHITE);
    assert_colour(&image, 160, 200, RED);
    assert_eq!(fitted_tall.notes, ["it is too narrow as it is, and was set on white"]);
    let wide = jpeg(&RgbImage::from_pixel(1000, 100, Rgb(BLUE)));
    refused(&wide, &limits, "its shape of 1000×100 is too wide, want at most 1.91 to 1");
    let fitted_wide = fitted(&wide, &limits);
    let image = pixels(&fitted_wide);
    assert_eq!(image.dimensions(), (1000, 524));
    assert_colour(&image, 500, 10, WHITE);
    assert_colour(&image, 500, 262, BLUE);
    let narrow = jpeg(&RgbImage::from_pixel(100, 400, Rgb(BLUE)));
    refused(&narrow, &limits, "too narrow, want at least 0.8 to 1");
}

#[test]
fn what_is_transparent_stays_so_where_it_can() {
    let bytes = half_a_picture(240, 100);
    let png = fitted(&bytes, &ImageLimits { side_max: 200, ..LIMITS });
    assert_eq!((png.media_type, png.width), ("image/png", 200));
    assert_eq!(decoded(&png).into_rgba8().get_pixel(190, 40).0[3], 0);
    let jpeg = fitted(&bytes, &PLAIN);
    assert_eq!(jpeg.notes, ["what was transparent in it is white now"]);
    assert_colour(&pixels(&jpeg), 230, 40, WHITE);
    assert_colour(&pixels(&jpeg), 10, 40, RED);
    // a WebP where PNG is taken and WebP is not
    let formats = Formats { png: true, webp: false, gif: false };
    let png = fitted(fixture!("alpha.webp"), &ImageLimits { formats, ..LIMITS });
    assert_eq!(png.media_type, "image/png");
    assert_eq!(decoded(&png).into_rgba8().get_pixel(10, 40).0[3], 0);
}

#[test]
fn an_animation_moves_where_it_may_or_shows_its_first_frame() {
    let note = ["it moves, and only its first frame goes"];
    let gif = fixture!("moves.gif");
    let moving = fitted(gif, &LIMITS);
    assert_eq!((moving.media_type, moving.notes.len()), ("image/gif", 0));
    let decoder = ::image::codecs::gif::GifDecoder::new(std::io::Cursor::new(&moving.bytes));
    let frames = ::image::AnimationDecoder::into_frames(decoder.unwrap()).count();
    assert_eq!(frames, 2);
    let still = ImageLimits { animated_pixels_max: None, ..LIMITS };
    let small = ImageLimits { animated_pixels_max: Some(6399), ..LIMITS };
    for limits in [&still, &small, &PLAIN] {
        let fitted = fitted(gif, limits);
        assert_ne!(fitted.media_type, "image/gif");
        assert_eq!(fitted.notes, note);
        assert_colour(&pixels(&fitted), 40, 40, RED);
    }
    refused(gif, &still, "it moves");
    for bytes in [fixture!("moves.webp"), fixture!("moves.png")] {
        for limits in [LIMITS, PLAIN] {
            refused(bytes, &LIMITS, "it moves");
            let fitted = fitted(bytes, &limits);
            assert_eq!(fitted.notes, note);
            assert_colour(&pixels(&fitted), 40, 40, RED);
        }
    }
    // a frame that is broken is not sent on
    let mut broken = moving.bytes;
    let at = broken.len() - 8;
    broken[at..at + 4].fill(0xff);
    assert!(image(&broken, &LIMITS).is_err() || super::super::check(&broken, &LIMITS).is_err());
}

#[test]
fn colours_for_print_become_colours_for_screens() {
    let bytes = fixture!("cmyk.jpg");
    refused(bytes, &LIMITS, "its colours are for print (CMYK)");
    let fitted = fitted(bytes, &LIMITS);
    assert_eq!(fitted.notes, ["its colours for print were turned into colours for screens"]);
    let image = pixels(&fitted);
    assert_colour(&image, 10, 40, RED);
    assert_colour(&image, 70, 40, BLUE);
    for bytes in [fixture!("deep.png"), fixture!("palette.png"), fixture!("progressive.jpg")] {
        let image = pixels(&super::fitting::fitted(bytes, &PLAIN));
        assert_colour(&image, 10, 40, RED);
        assert_colour(&image, 70, 40, BLUE);
    }
}

#[test]
fn what_nobody_would_post_is_left_out_without_a_word() {
    for (width, height) in [(1, 1), (63, 2000), (2000, 63)] {
        let bytes = png(&RgbImage::new(width, height));
        assert_eq!(image(&bytes, &LIMITS), Err(Unfit::Tiny));
        assert_eq!(story(&bytes, &LIMITS), Err(Unfit::Tiny));
        refused(&bytes, &LIMITS, "at least 64 a side");
    }
    assert!(image(&png(&RgbImage::new(64, 64)), &LIMITS).is_ok());
}

#[test]
fn half_a_photo_does_not_go_out_half_grey() {
    let bytes = jpeg(&noise(200, 200));
    for length in [bytes.len() / 4, bytes.len() / 2, bytes.len() - 1] {
        for why in [
            image(&bytes[..length], &LIMITS).unwrap_err().to_string(),
            story(&bytes[..length], &LIMITS).unwrap_err().to_string(),
            super::super::check(&bytes[..length], &LIMITS).unwrap_err(),
        ] {
            assert_eq!(why, format!("it is cut off: {length} bytes are not the whole picture"));
        }
    }
    // whatever it is called, and where its end was put behind half of it
    let half = [&png(&noise(200, 200))[..40_000], b"\0\0\0\0IEND\xae\x42\x60\x82"].concat();
    assert!(image(&half, &LIMITS).is_err());
}

#[test]
fn a_platform_stumbles_over_what_it_does_not_take() {
    let large = jpeg(&noise(300, 200));
    refused(&large, &ImageLimits { bytes_max: 1000, ..LIMITS }, "bytes, at most 1000 are taken");
    refused(&large, &ImageLimits { pixels_max: 59_999, ..LIMITS }, "at most 59999 are taken");
    refused(&large, &ImageLimits { side_max: 299, ..LIMITS }, "at most 299 a side are taken");
    let formats = Formats { png: true, ..Formats::default() };
    let limits = ImageLimits { formats, ..LIMITS };
    refused(fixture!("plain.webp"), &limits, "it is WebP, and only JPEG or PNG is taken");
    refused(fixture!("picture.avif"), &limits, "it is AVIF, want a JPEG, PNG, WebP or GIF");
    refused(fixture!("fast.mp4"), &limits, "it is an MP4 video");
    assert!(super::super::check(&large, &LIMITS).is_ok());
}

#[test]
fn a_story_is_a_page_of_black() {
    let limits = MediaLimits::of(Platform::Instagram).of_story().image.unwrap();
    let limits = ImageLimits { side_max: 960, ..limits };
    let check = |bytes: &[u8], colour: (u32, u32), black: Option<(u32, u32)>| {
        let fitted = story(bytes, &limits).unwrap();
        let image = pixels(&fitted);
        assert_eq!((image.dimensions(), fitted.media_type), ((540, 960), "image/jpeg"));
        assert_colour(&image, colour.0, colour.1, RED);
        if let Some((x, y)) = black {
            assert_colour(&image, x, y, [0, 0, 0]);
        }
        assert!(super::super::check(&fitted.bytes, &limits).is_ok());
        fitted.notes
    };
    let red = |width, height| jpeg(&RgbImage::from_pixel(width, height, Rgb(RED)));
    check(&red(400, 300), (10, 480), Some((270, 50)));
    check(&red(100, 400), (270, 10), Some((50, 480)));
    check(&red(540, 960), (10, 10), None);
    assert_eq!(check(fixture!("moves.gif"), (270, 480), None).len(), 1);
    let noise = jpeg(&noise(270, 480));
    let small = story(&noise, &ImageLimits { bytes_max: 60_000, ..limits }).unwrap();
    assert!(small.bytes.len() <= 60_000 && small.width * 16 == small.height * 9);
}
