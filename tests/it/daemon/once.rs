//! What an entry needs of the web is fetched once, however many accounts it goes to, in whichever
//! order they ask, and also where some of them came with a reload.

use image::{ImageEncoder, RgbImage};
use serde_json::json;

use crate::daemon_process::{Daemon, FeedHost, QUICK, Site, news};
use crate::wire::{Reply, Server};
use crate::world::Item;

/// Loopback, where the media of these tests are.
const OPEN: &str = "[http]\nallow_private = [\"127.0.0.1\"]\n";
const FILM: &[u8] = include_bytes!("../../fixtures/media/fast.mp4");

/// A video that is larger than the head that is enough for platforms that fetch it themselves.
fn film() -> Vec<u8> {
    let (at, more) = (FILM.windows(4).position(|name| name == b"mdat").unwrap() - 4, 9 << 20);
    let length = u32::from_be_bytes(FILM[at..at + 4].try_into().unwrap());
    let (end, longer) = (at + length as usize, length + more);
    let pixels = [&FILM[at + 4..end], &vec![0; more as usize]].concat();
    [&FILM[..at], &longer.to_be_bytes(), &pixels, &FILM[end..]].concat()
}

fn png(seed: u8) -> Reply {
    let image = RgbImage::from_fn(120, 80, |x, y| image::Rgb([x as u8, y as u8, seed]));
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(&image, 120, 80, image::ExtendedColorType::Rgb8).unwrap();
    Reply::ok(bytes).header("Content-Type", "image/png")
}

fn web() -> Server {
    let film = film();
    Server::start(move |request| match request.path() {
        "/posts/1" => Reply::ok("<title>Page</title><meta property=og:image content=/card.png>")
            .header("Content-Type", "text/html"),
        "/photo.png" => png(1),
        "/card.png" => png(2),
        "/film.mp4" => Reply::ok(&film).header("Content-Type", "video/mp4"),
        _ => Reply::status(404),
    })
}

/// An account that shows what it would post, with what `more` says.
fn account(label: &str, platform: &str, more: &str) -> String {
    format!(
        "[accounts.{label}]\nplatform = \"{platform}\"\ndry_run = true\ndelay = \"0s\"\n{more}\n"
    )
}

fn asked(web: &Server) -> Vec<String> {
    let mut paths: Vec<_> = web.requests().iter().map(|it| it.path().to_owned()).collect();
    paths.sort();
    paths
}

/// Announces an entry with a photo, a video and a page; `film` is to get the video.
fn announce(blog: &FeedHost, web: &Server) {
    let (photo, film) = (json!({ "url": web.url("/photo.png"), "alt": "photo" }), {
        json!({ "url": web.url("/film.mp4"), "alt": "film", "type": "video/mp4" })
    });
    let alone = json!({ "film": { "media": [film] } });
    let post = json!({ "media": [photo, film], "account_overrides": alone }).to_string();
    let url = web.url("/posts/1").into();
    // a test's feed lives as long as the test
    blog.add(Item { post: Box::leak(post.into_boxed_str()), url, ..news("1") });
}

fn wait_for_all(daemon: &Daemon, labels: &[&str]) {
    for label in labels {
        daemon.wait(&format!("dry run: would post to {label} "));
    }
}

#[test]
fn a_photo_a_video_a_page_and_its_picture_are_fetched_once_for_six_accounts() {
    let (web, blog) = (web(), FeedHost::start(vec![news("old")]));
    let labels = ["threads", "fedi", "film", "moon", "sky", "page"];
    let accounts = [
        // asks for the head of the video, and before the one that wants all of it
        account("threads", "threads", ""),
        account("fedi", "mastodon", ""),
        account("film", "mastodon", "").replace("\"0s\"", "\"2s\""),
        account("moon", "bluesky", "media_or_card = \"card\""),
        account("sky", "bluesky", "media_or_card = \"card\""),
        account("page", "facebook", ""),
    ];
    let site = Site::new(&[&blog.config("blog"), &accounts.concat(), OPEN, QUICK].concat());
    let daemon = site.start();
    for label in labels {
        daemon.wait(&format!("first sight of blog for {label}"));
    }
    announce(&blog, &web);
    wait_for_all(&daemon, &labels);
    let log = daemon.stop();
    assert!(!log.contains("is left out") && !log.contains("the card "), "{log}");
    assert_eq!(asked(&web), ["/card.png", "/film.mp4", "/photo.png", "/posts/1"]);
}

#[test]
fn an_account_that_came_with_a_reload_shares_what_the_others_fetched() {
    let (web, blog) = (web(), FeedHost::start(vec![news("old")]));
    let before = [&blog.config("blog"), &account("fedi", "mastodon", ""), OPEN, QUICK].concat();
    let site = Site::new(&before);
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    let new = [account("threads", "threads", ""), account("film", "mastodon", "")].concat();
    site.configure(&[before, new].concat());
    daemon.reload();
    daemon.wait("first sight of blog for threads");
    daemon.wait("first sight of blog for film");
    announce(&blog, &web);
    wait_for_all(&daemon, &["fedi", "threads", "film"]);
    daemon.stop();
    assert_eq!(asked(&web), ["/film.mp4", "/photo.png"]);
}
