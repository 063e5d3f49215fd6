//! Media in a preview: what becomes of each, also where the platform fetches it itself.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use serde_json::{Value, json};

use super::super::site::Site;
use super::{posts, write_feed};
use crate::wire::{Reply, Server};

const FILM: &[u8] = include_bytes!("../../../fixtures/media/fast.mp4");

/// A picture with as much grain as makes it large.
fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let image = RgbImage::from_fn(width, height, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (state >> 26) as u8;
        image::Rgb([x as u8, y as u8, 7].map(|colour| colour.wrapping_add(grain)))
    });
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 80);
    encoder.write_image(&image, width, height, ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// A site whose newest entry has these media, which `web` serves.
fn site(web: &Server, paths: &[&str]) -> Site {
    let site = Site::new("", "");
    let config = fs::read_to_string(site.path("config.toml")).unwrap();
    site.configure(&format!("{config}[http]\nallow_private = [\"127.0.0.0/8\"]\n"));
    let medium = |path: &&str| json!({ "url": web.url(path), "alt": format!("the {path}") });
    let media: Vec<Value> = paths.iter().map(medium).collect();
    write_feed(
        &site,
        &format!(
            "<entry><id>1</id><title>Hello</title><link href=\"https://a.example/1\"/>\
             <post xmlns=\"https://posseparty.com/2024/Feed\" format=\"json\">{}</post></entry>",
            json!({ "media": media })
        ),
    );
    site
}

fn web() -> Server {
    Server::start(|request| match request.path() {
        "/a.jpg" => Reply::ok(jpeg(400, 300)).header("Content-Type", "image/jpeg"),
        "/large.jpg" => Reply::ok(jpeg(1600, 1200)).header("Content-Type", "image/jpeg"),
        "/film.mp4" => Reply::ok(FILM).header("Content-Type", "video/mp4"),
        _ => Reply::status(404),
    })
}

#[test]
fn what_a_platform_fetches_itself_is_shown_like_what_is_uploaded() {
    let web = web();
    let site = site(&web, &["/a.jpg", "/gone.jpg"]);
    let all = "threads,instagram,facebook,bluesky";
    let (url, bytes) = (web.url("/a.jpg"), jpeg(400, 300));
    for post in posts(&site, &["--platform", all]) {
        let file = json!({
            "type": "image/jpeg", "bytes": bytes.len(), "width": 400, "height": 300,
        });
        let medium = json!({
            "type": "image/jpeg", "url": url, "alt": "the /a.jpg", "file": file,
        });
        assert_eq!(post["media"], json!([medium]), "{post}");
        let why = format!("`{}` is left out: the server answers 404", web.url("/gone.jpg"));
        assert!(post["warnings"].as_array().unwrap().contains(&json!(why)), "{post}");
    }
    assert_eq!(web.requests().len(), 2, "each once, for all of them");
    let text = site.well(&["preview", "--platform", all]);
    let size = format!("image/jpeg, 400×300, {} kB", bytes.len().div_ceil(1000));
    for tag in ["threads", "instagram", "facebook"] {
        let line = format!("media      {url} ({size}; {tag} fetches it itself)\n");
        assert!(text.contains(&line), "{text}");
    }
    assert!(text.contains(&format!("media      {url} ({size})\n")), "it is uploaded: {text}");
}

#[test]
fn a_page_holds_the_pictures_themselves() {
    let web = web();
    let site = site(&web, &["/a.jpg"]);
    let page = site.well(&["preview", "--html", "-", "--platform", "threads,instagram,facebook"]);
    let address = format!("src=\"data:image/jpeg;base64,{}\"", BASE64.encode(jpeg(400, 300)));
    assert_eq!(page.matches(&address).count(), 3);
    assert_eq!(page.matches("src=").count(), 3, "nothing else is loaded");
    assert_eq!(page.matches("<span class=\"plan\">image/jpeg, 400×300, ").count(), 3);
}

#[test]
fn a_large_picture_is_smaller_on_the_page_and_only_there() {
    let web = web();
    let site = site(&web, &["/large.jpg"]);
    let bytes = jpeg(1600, 1200).len();
    assert!(bytes > 1_000_000);
    let page = site.well(&["preview", "--html", "-", "--platform", "facebook"]);
    let (_, address) = page.split_once("data:image/jpeg;base64,").unwrap();
    let (address, _) = address.split_once('"').unwrap();
    let shown = BASE64.decode(address).unwrap();
    assert!(shown.len() <= 1_000_000, "{}", shown.len());
    let shown = image::load_from_memory(&shown).unwrap();
    assert!(shown.width() <= 1200 && shown.height() <= 900);
    assert!(page.contains(&format!("image/jpeg, 1600×1200, {} kB", bytes.div_ceil(1000))));
}

#[test]
fn a_video_that_a_platform_fetches_has_its_size_and_length() {
    let web = web();
    let site = site(&web, &["/film.mp4"]);
    let of = |post: &Value| post["media"][0]["file"].clone();
    let posts = posts(&site, &["--platform", "facebook,mastodon"]);
    let (facebook, mastodon) = (of(&posts[0]), of(&posts[1]));
    assert_eq!(facebook["bytes"], FILM.len());
    assert!(facebook["duration_ms"].as_u64().unwrap() > 0, "{facebook}");
    assert_eq!(facebook, mastodon, "one fetches it, the other gets it");
}
