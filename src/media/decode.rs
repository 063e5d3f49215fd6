//! Decode: the bytes of a picture to its pixels.

use std::borrow::Cow;
use std::fmt;
use std::io::Cursor;

use image::codecs::gif::GifDecoder;
use image::metadata::Orientation;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::kind::{Kind, kind};
use super::layout::Size;
use super::strip;

/// The most pixels: those of a phone that is proud of them.
const PIXELS_MAX: u64 = 50_000_000;
/// The most bytes of all that a picture takes while it is decoded: the whole daemon has 512 MB
/// (its unit). With the 9 of a progressive JPEG for each pixel, that is 26 MP.
const DECODING_BYTES_MAX: u64 = 240_000_000;
/// The largest colour profile that is kept.
const PROFILE_BYTES_MAX: usize = 64 * 1024;
/// The most pixels of all frames of an animation together: 2 s of one core at worst. X takes 350
/// frames of 1280 × 1080.
const MOVING_PIXELS_MAX: u64 = 500_000_000;

/// The file of a picture, of which all is known but its pixels.
pub struct File<'a> {
    /// JPEG, PNG, GIF or WebP.
    pub kind: Kind,
    /// The file without what need not be known.
    pub bare: Cow<'a, [u8]>,
    /// How the pixels are to be turned.
    pub orientation: Orientation,
    /// Whether it was one that moves.
    pub moves: bool,
    /// Whether its colours are those of ink.
    pub is_for_print: bool,
    /// As the pixels lie.
    size: Size,
    profile: Option<Vec<u8>>,
}

/// Pixels, and what one must know to show them right.
pub struct Picture {
    /// `Rgb8`, or `Rgba8` where something is transparent.
    pub pixels: DynamicImage,
    /// How they are to be turned.
    pub orientation: Orientation,
    /// The ICC profile of their colours, where they have one for RGB.
    pub profile: Option<Vec<u8>>,
}

/// Why an animation is not known to be whole.
pub enum Motion {
    /// It is not: why.
    Broken(String),
    /// It is longer than anyone would look.
    TooLong,
}

impl fmt::Display for Motion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(why) => out.write_str(why),
            Self::TooLong => out.write_str("it has too many frames"),
        }
    }
}

impl<'a> File<'a> {
    /// Reads what a file says of its picture.
    ///
    /// # Errors
    /// It is none, none that can be read, or too large.
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let kind = kind(bytes);
        let strip::Bare { bytes: bare, moves, colours, is_progressive } = strip::bare(kind, bytes)?;
        let mut decoder = decoder(kind, bytes)?;
        let size = decoder.dimensions();
        // beside the pixels as they come: their coefficients, or the pixels as they are needed
        let pixel_bytes = u64::from(decoder.color_type().bytes_per_pixel())
            + match kind {
                Kind::Jpeg if is_progressive => 2 * u64::from(colours),
                Kind::Jpeg => 0,
                _ => 4,
            };
        let (width, height) = size;
        let pixels = u64::from(width) * u64::from(height);
        if pixels > PIXELS_MAX || pixels * pixel_bytes > DECODING_BYTES_MAX {
            let most = PIXELS_MAX.min(DECODING_BYTES_MAX / pixel_bytes) / 1_000_000;
            return Err(format!(
                "it is too large to read: {width}×{height} pixels, at most {most} million"
            ));
        }
        // broken metadata are no reason to do without the picture
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let profile = decoder.icc_profile().ok().flatten().filter(|profile| is_of_rgb(profile));
        let is_for_print = colours == 4;
        Ok(Self { kind, bare, orientation, moves, is_for_print, size, profile })
    }

    /// Width and height in pixels when it stands upright.
    pub fn upright(&self) -> Size {
        let (width, height) = self.size;
        if is_turned(self.orientation) { (height, width) } else { (width, height) }
    }

    /// What it is.
    pub fn media_type(&self) -> &'static str {
        self.kind.media_type().unwrap_or("application/octet-stream")
    }

    /// Decodes the picture, of an animation its first frame.
    ///
    /// # Errors
    /// It is broken.
    pub fn picture(&self) -> Result<Picture, String> {
        let pixels = DynamicImage::from_decoder(decoder(self.kind, &self.bare)?).map_err(broken)?;
        let pixels = match pixels {
            DynamicImage::ImageRgb8(_) => pixels,
            _ if pixels.color().has_alpha() => {
                let pixels = pixels.into_rgba8();
                if pixels.pixels().all(|pixel| pixel.0[3] == 255) {
                    DynamicImage::ImageRgba8(pixels).into_rgb8().into()
                } else {
                    pixels.into()
                }
            }
            _ => pixels.into_rgb8().into(),
        };
        Ok(Picture { pixels, orientation: self.orientation, profile: self.profile.clone() })
    }

    /// Decodes all frames of a GIF, so that nothing broken goes out.
    ///
    /// # Errors
    /// One of them is broken, or there are too many.
    pub fn motion(&self) -> Result<(), Motion> {
        let wrong = |error| Motion::Broken(broken(error));
        let mut decoder = GifDecoder::new(Cursor::new(&*self.bare)).map_err(wrong)?;
        decoder.set_limits(limits()).map_err(wrong)?;
        let (width, height) = self.size;
        let mut pixels = 0;
        for frame in decoder.into_frames() {
            frame.map_err(wrong)?;
            pixels += u64::from(width) * u64::from(height);
            if pixels > MOVING_PIXELS_MAX {
                return Err(Motion::TooLong);
            }
        }
        Ok(())
    }
}

/// Whether width and height change places.
pub fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

fn decoder<'a>(kind: Kind, bytes: &'a [u8]) -> Result<impl ImageDecoder + 'a, String> {
    let format = match kind {
        Kind::Png => ImageFormat::Png,
        Kind::Gif => ImageFormat::Gif,
        Kind::WebP => ImageFormat::WebP,
        _ => ImageFormat::Jpeg,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits());
    reader.into_decoder().map_err(broken)
}

fn broken(error: image::ImageError) -> String {
    format!("it can't be read: {error}")
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODING_BYTES_MAX);
    limits
}

/// Whether an ICC profile is small and for red, green and blue: one for grey or for print would
/// spoil pixels that are no longer in its colours.
fn is_of_rgb(profile: &[u8]) -> bool {
    profile.len() <= PROFILE_BYTES_MAX && profile.get(16..20) == Some(b"RGB ")
}
