//! Room: which media fit a post on an instance, from what the instance says of itself.
//!
//! `configuration.media_attachments` and `configuration.statuses.max_media_attachments` (sheet A2);
//! what it doesn't say is the stock Mastodon's. **Invariant:** a number that makes no sense is as
//! if it were not said; what the instance doesn't list among its types is not sent to it.

use serde_json::Value;

use super::family::Family;
use crate::platform::{Formats, MediaLimits, Platform};

/// The most media of one post that we use, whatever a server allows (Pleroma says 1,000): one
/// upload each, and Mastodon takes 30 in half an hour.
const COUNT_MAX: u32 = 20;

/// Which media a post may hold on an instance of `family` that gave these `answers`, the best one
/// first.
pub fn read<'a>(answers: impl Iterator<Item = &'a Value>, family: Family) -> MediaLimits {
    let answers: Vec<&Value> = answers.collect();
    let stock = Platform::Mastodon.media();
    let number = |name: &str| {
        let pointer = format!("/configuration/media_attachments/{name}");
        answers.iter().find_map(|answer| answer.pointer(&pointer)?.as_u64().filter(|it| *it > 0))
    };
    let plain = |pointer: &str| {
        answers.iter().find_map(|answer| answer.pointer(pointer)?.as_u64().filter(|it| *it > 0))
    };
    let types = answers.iter().find_map(|answer| {
        let types = answer.pointer("/configuration/media_attachments/supported_mime_types")?;
        let types = types.as_array()?.iter().filter_map(Value::as_str).collect::<Vec<_>>();
        // some list none, and take what everybody takes
        (!types.is_empty()).then_some(types)
    });
    let takes = |name: &str| types.as_ref().is_none_or(|types| types.contains(&name));
    // Pleroma and Akkoma have two numbers of their own, outside of `configuration`
    let upload_max = plain("/upload_limit").unwrap_or(u64::MAX);
    let count = plain("/configuration/statuses/max_media_attachments")
        .map_or(stock.count_max, |count| u32::try_from(count).unwrap_or(u32::MAX));
    let alt = number("description_limit").or_else(|| plain("/description_limit"));
    let image = stock.image.filter(|_| takes("image/jpeg")).map(|mut image| {
        let formats = image.formats;
        let gif = formats.gif && takes("image/gif") && family.keeps_animations();
        image.formats = Formats {
            png: formats.png && takes("image/png"),
            webp: formats.webp && takes("image/webp"),
            gif,
        };
        image.bytes_max = number("image_size_limit").unwrap_or(image.bytes_max).min(upload_max);
        image.pixels_max = number("image_matrix_limit").unwrap_or(image.pixels_max);
        image.animated_pixels_max = image.animated_pixels_max.filter(|_| gif);
        image
    });
    let video = stock.video.filter(|_| family.takes_videos() && takes("video/mp4"));
    let video = video.map(|mut video| {
        video.mov = video.mov && takes("video/quicktime");
        video.webm = video.webm && takes("video/webm");
        video.bytes_max = number("video_size_limit").unwrap_or(video.bytes_max).min(upload_max);
        video.pixels_max = number("video_matrix_limit").unwrap_or(video.pixels_max);
        video
    });
    MediaLimits {
        count_max: count.min(COUNT_MAX),
        alt_max: alt.map_or(stock.alt_max, |alt| u32::try_from(alt).unwrap_or(u32::MAX)),
        image,
        video,
        ..stock
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_one(instance: Value, family: Family) -> MediaLimits {
        read([&instance].into_iter(), family)
    }

    #[test]
    fn what_an_instance_does_not_say_is_the_stock_server_s() {
        let stock = Platform::Mastodon.media();
        assert_eq!(read_one(json!({}), Family::Mastodon), stock);
        let odd = json!({ "configuration": {
            "statuses": { "max_media_attachments": 0 },
            "media_attachments": { "supported_mime_types": [], "image_size_limit": "16 MB",
                "video_size_limit": 0, "description_limit": null },
        } });
        assert_eq!(read_one(odd, Family::Mastodon), stock);
    }

    #[test]
    fn the_instance_s_own_numbers_count() {
        let instance = json!({ "configuration": {
            "statuses": { "max_media_attachments": 6 },
            "media_attachments": {
                "supported_mime_types": ["image/jpeg", "image/png", "video/mp4"],
                "image_size_limit": 41_943_040_u64,
                "image_matrix_limit": 1000,
                "video_size_limit": 9_000_000_000_u64,
                "video_matrix_limit": 2000,
                "description_limit": 5000,
            },
        } });
        let limits = read_one(instance, Family::GoToSocial);
        let (image, video) = (limits.image.unwrap(), limits.video.unwrap());
        assert_eq!((limits.count_max, limits.alt_max, limits.mix), (6, 5000, false));
        assert_eq!(image.formats, Formats { png: true, webp: false, gif: false });
        assert_eq!((image.bytes_max, image.pixels_max), (41_943_040, 1000));
        assert_eq!(image.animated_pixels_max, None, "no GIF goes at all");
        assert_eq!((video.bytes_max, video.pixels_max), (9_000_000_000, 2000));
        assert!(!video.mov && !video.webm);
    }

    #[test]
    fn families_have_their_ways() {
        let akkoma = json!({ "upload_limit": 1_000_000, "description_limit": 5000,
            "configuration": { "statuses": { "max_media_attachments": 1000 } } });
        let limits = read_one(akkoma, Family::Pleroma);
        assert_eq!((limits.count_max, limits.alt_max), (COUNT_MAX, 5000));
        assert_eq!(limits.image.unwrap().bytes_max, 1_000_000);
        assert_eq!(limits.video.unwrap().bytes_max, 1_000_000);
        let takahe = read_one(json!({}), Family::Takahe);
        assert_eq!(takahe.video, None);
        let image = takahe.image.unwrap();
        assert!(image.formats.webp && !image.formats.gif);
        let images = json!({ "configuration": { "media_attachments": {
            "supported_mime_types": ["image/jpeg", "image/gif"] } } });
        let limits = read_one(images, Family::Other);
        assert_eq!((limits.video, limits.image.unwrap().formats.gif), (None, true));
    }
}
