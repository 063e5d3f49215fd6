//! Media limits: which images and videos a post may carry, and how they get there, as data.
//!
//! The figures are those of the platforms' documents (contract sheets A2, A5, B6; Threads 2.5;
//! Instagram 3.6; Facebook 4.3, 4.4; X 2.3; LinkedIn 3.3). Where two readings are possible, the
//! safe one stands here. A Mastodon server has numbers of its own, which its publisher asks for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Platform;

/// What a post may carry beside its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaLimits {
    /// How media get to the platform.
    pub way: Way,
    /// The most images of one post, and of videos too where they `mix`.
    pub count_max: u32,
    /// Whether images and videos go together. Else a video goes alone.
    pub mix: bool,
    /// The longest alternative text, in code points.
    pub alt_max: u32,
    /// What an image may be; absent: none goes.
    pub image: Option<ImageLimits>,
    /// What a video may be; absent: none goes.
    pub video: Option<VideoLimits>,
}

/// How media get to a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// We upload the bytes.
    Bytes,
    /// The platform fetches them from a public address.
    Address,
    /// Their addresses are written down as they are.
    Noted,
}

/// What an image may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageLimits {
    /// The formats that are taken. JPEG is always one of them.
    pub formats: Formats,
    /// The largest file.
    pub bytes_max: u64,
    /// The most pixels, width × height.
    pub pixels_max: u64,
    /// The longest side in pixels.
    pub side_max: u32,
    /// The ratios width / height that are taken; absent: all.
    pub ratio: Option<Ratio>,
    /// The most pixels of a frame of a GIF that stays animated; absent: only its first frame goes.
    pub animated_pixels_max: Option<u64>,
}

/// Formats of images beside JPEG.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Formats {
    /// `image/png`
    pub png: bool,
    /// `image/webp`
    pub webp: bool,
    /// `image/gif`
    pub gif: bool,
}

/// A range of width / height, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratio {
    /// The narrowest.
    pub min: u32,
    /// The widest.
    pub max: u32,
}

/// What a video may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoLimits {
    /// Whether QuickTime files (`video/quicktime`) are taken beside MP4.
    pub mov: bool,
    /// Whether WebM is taken beside MP4.
    pub webm: bool,
    /// The largest file.
    pub bytes_max: u64,
    /// The shortest.
    pub duration_min: Duration,
    /// The longest.
    pub duration_max: Duration,
    /// The most pixels of a frame.
    pub pixels_max: u64,
    /// The widest, in pixels.
    pub width_max: u32,
}

const MB: u64 = 1_000_000;
const MIB: u64 = 1 << 20;
/// Where no document names a figure: more than any camera makes.
const ANY_SIDE: u32 = 16_000;
const ANY_PIXELS: u64 = 100_000_000;

/// A photo as most platforms take it.
const PHOTO: ImageLimits = ImageLimits {
    formats: Formats { png: true, webp: false, gif: false },
    bytes_max: 8 * MB,
    pixels_max: ANY_PIXELS,
    side_max: ANY_SIDE,
    ratio: None,
    animated_pixels_max: None,
};

/// A video as most platforms take it.
const CLIP: VideoLimits = VideoLimits {
    mov: true,
    webm: false,
    bytes_max: 300 * MB,
    duration_min: Duration::from_secs(1),
    duration_max: Duration::from_secs(300),
    pixels_max: ANY_PIXELS,
    width_max: 1920,
};

impl MediaLimits {
    /// What `platform` takes when nobody has asked its server yet.
    pub const fn of(platform: Platform) -> Self {
        match platform {
            // stock Mastodon: 16 MiB and 33.2 MP an image, 99 MiB and 8.3 MP a video, which goes
            // alone; 1,500 characters of alternative text before 4.6
            Platform::Mastodon => Self {
                way: Way::Bytes,
                count_max: 4,
                mix: false,
                alt_max: 1500,
                image: Some(ImageLimits {
                    formats: Formats { png: true, webp: true, gif: true },
                    bytes_max: 16 * MIB,
                    pixels_max: 33_177_600,
                    animated_pixels_max: Some(921_600),
                    ..PHOTO
                }),
                video: Some(VideoLimits {
                    webm: true,
                    bytes_max: 99 * MIB,
                    duration_min: Duration::ZERO,
                    duration_max: Duration::MAX,
                    pixels_max: 8_294_400,
                    width_max: ANY_SIDE,
                    ..CLIP
                }),
            },
            // 1,000,000 bytes until every server has the change of 2026-04; clients show 2,000
            // pixels; a GIF is shown still
            Platform::Bluesky => Self {
                way: Way::Bytes,
                count_max: 4,
                mix: false,
                alt_max: 2000,
                image: Some(ImageLimits {
                    formats: Formats { png: true, webp: true, gif: false },
                    bytes_max: MB,
                    side_max: 2000,
                    ..PHOTO
                }),
                video: Some(VideoLimits {
                    mov: false,
                    bytes_max: 100 * MB,
                    duration_max: Duration::from_secs(180),
                    width_max: ANY_SIDE,
                    ..CLIP
                }),
            },
            // JPEG or PNG, up to 10:1; 2 to 20 in a carousel
            Platform::Threads => Self {
                way: Way::Address,
                count_max: 20,
                mix: true,
                alt_max: 1000,
                image: Some(ImageLimits { ratio: Some(Ratio { min: 100, max: 10_000 }), ..PHOTO }),
                video: Some(VideoLimits { bytes_max: 1000 * MB, ..CLIP }),
            },
            // JPEG, 4:5 to 1.91:1; 2 to 10 in a carousel; a reel of 3 s to 15 min
            Platform::Instagram => Self {
                way: Way::Address,
                count_max: 10,
                mix: true,
                alt_max: 1000,
                image: Some(ImageLimits {
                    formats: Formats { png: false, webp: false, gif: false },
                    ratio: Some(Ratio { min: 800, max: 1910 }),
                    ..PHOTO
                }),
                video: Some(VideoLimits {
                    duration_min: Duration::from_secs(3),
                    duration_max: Duration::from_secs(900),
                    ..CLIP
                }),
            },
            // ≤ 4 MB by one of its own errors; up to ten photos
            Platform::Facebook => Self {
                way: Way::Address,
                count_max: 10,
                mix: false,
                alt_max: 1000,
                image: Some(ImageLimits { bytes_max: 4 * MB, ..PHOTO }),
                video: Some(VideoLimits {
                    bytes_max: 1000 * MB,
                    duration_max: Duration::from_secs(20 * 60),
                    width_max: ANY_SIDE,
                    ..CLIP
                }),
            },
            // < 36,152,320 pixels; 2 to 20 images
            Platform::LinkedIn => Self {
                way: Way::Bytes,
                count_max: 20,
                mix: false,
                alt_max: 4086,
                image: Some(ImageLimits { pixels_max: 36_152_319, ..PHOTO }),
                video: Some(VideoLimits {
                    mov: false,
                    bytes_max: 500 * MB,
                    duration_min: Duration::from_secs(3),
                    duration_max: Duration::from_secs(30 * 60),
                    width_max: ANY_SIDE,
                    ..CLIP
                }),
            },
            // ≤ 5 MB; four photos, or one animated GIF of 1280 × 1080, or one video of 140 s
            Platform::X => Self {
                way: Way::Bytes,
                count_max: 4,
                mix: false,
                alt_max: 1000,
                image: Some(ImageLimits {
                    formats: Formats { png: true, webp: true, gif: true },
                    bytes_max: 5 * MB,
                    animated_pixels_max: Some(1280 * 1080),
                    ..PHOTO
                }),
                video: Some(VideoLimits {
                    mov: false,
                    bytes_max: 512 * MB,
                    duration_max: Duration::from_secs(140),
                    width_max: ANY_SIDE,
                    ..CLIP
                }),
            },
            // a video is the post
            Platform::YouTube => Self {
                way: Way::Bytes,
                count_max: 1,
                mix: false,
                alt_max: 0,
                image: None,
                video: Some(VideoLimits {
                    webm: true,
                    bytes_max: 256_000 * MB,
                    duration_max: Duration::from_secs(12 * 3600),
                    width_max: ANY_SIDE,
                    ..CLIP
                }),
            },
            Platform::Outbox => Self {
                way: Way::Noted,
                count_max: 100,
                mix: true,
                alt_max: 10_000,
                image: Some(PHOTO),
                video: Some(CLIP),
            },
        }
    }

    /// What an Instagram story takes: one image, which is set in 9:16, or one video of 3 to 60 s.
    pub const fn of_story(self) -> Self {
        let video = match self.video {
            Some(video) => Some(VideoLimits {
                bytes_max: 100 * MB,
                duration_max: Duration::from_secs(60),
                ..video
            }),
            None => None,
        };
        let image = match self.image {
            Some(image) => Some(ImageLimits { ratio: Some(Ratio { min: 562, max: 563 }), ..image }),
            None => None,
        };
        Self { count_max: 1, mix: false, image, video, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_media_takes_some() {
        for platform in Platform::ALL {
            let MediaLimits { count_max, image, video, .. } = MediaLimits::of(platform);
            assert!(count_max > 0 && (image.is_some() || video.is_some()), "{platform:?}");
        }
    }

    #[test]
    fn limits_survive_the_memory_of_an_account() {
        for platform in Platform::ALL {
            let limits = MediaLimits::of(platform);
            let json = serde_json::to_string(&limits).unwrap();
            assert_eq!(serde_json::from_str::<MediaLimits>(&json).unwrap(), limits, "{json}");
        }
    }
}
