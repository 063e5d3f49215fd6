//! Link cards, from the entry's page to the record: with all that there is, and with what is left
//! where something is in the way.

use std::sync::Mutex;

use image::{ImageEncoder, RgbImage};
use posse_party::media;
use rustix::process::Signal;
use serde_json::Value;

use super::sky;
use crate::bluesky_server::{BlueskyServer, Trouble};
use crate::daemon_process::{Daemon, FeedHost, QUICK, Site, news};
use crate::wire::{Gate, Reply, Server};
use crate::world::Item;

/// Loopback, where the pages of these tests are.
const OPEN: &str = "[http]\nallow_private = [\"127.0.0.1\"]\n";

const PAGE: &str = "<!doctype html><meta charset=iso-8859-1><title>no</title>\
     <meta property='og:title' content='Fr\u{e9}d\u{e9}ric &amp; Ada'>\
     <meta property='og:description' content='What it is about'>\
     <meta property='og:image' content='../pictures/large.png?x=1'>";

/// A server of pages and pictures, an entry whose page is there, and a daemon that posts it.
struct Stage {
    web: Server,
    bluesky: BlueskyServer,
    blog: FeedHost,
    site: Site,
}

impl Stage {
    /// The web answers as `answer` says.
    fn new(extra: &str, answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let web = Server::start(move |request| answer(request.path()));
        let (bluesky, blog) = (BlueskyServer::start(), FeedHost::start(vec![news("old")]));
        let site = Site::new(&[&blog.config("blog"), &sky(&bluesky), extra, QUICK].concat());
        Self { web, bluesky, blog, site }
    }

    /// Starts the daemon, and announces an entry.
    fn start(&self) -> Daemon {
        let daemon = self.site.start();
        daemon.wait("first sight of blog for sky");
        self.blog.add(Item { url: self.web.url("/posts/1").into(), ..news("1") });
        daemon
    }

    /// The only record's card, once it is there.
    fn card(&self, daemon: &Daemon) -> Value {
        daemon.wait("published \"Entry 1\" to sky: ");
        let records = self.bluesky.records();
        assert_eq!(records.len(), 1);
        assert_eq!(self.bluesky.complaints(), [] as [&str; 0]);
        records[0].value["embed"]["external"].clone()
    }
}

fn page(text: &str) -> Reply {
    // one byte a character
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    Reply::ok(bytes).header("Content-Type", "text/html")
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 128]));
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(&image, width, height, image::ExtendedColorType::Rgb8).unwrap();
    bytes
}

#[test]
fn a_card_says_what_the_page_says_and_has_its_picture() {
    let stage = Stage::new(OPEN, |path| match path {
        "/posts/1" => page(PAGE),
        "/pictures/large.png" => Reply::ok(png(1500, 30)).header("Content-Type", "text/plain"),
        _ => Reply::status(404),
    });
    let daemon = stage.start();
    let card = stage.card(&daemon);
    assert_eq!(card["uri"], stage.web.url("/posts/1").as_str());
    assert_eq!(card["title"], "Frédéric & Ada");
    assert_eq!(card["description"], "What it is about");
    assert_eq!(card["thumb"]["mimeType"], "image/jpeg");
    let files = stage.bluesky.files();
    let [file] = files.as_slice() else { panic!("{} files", files.len()) };
    let fitted = media::thumb(file, 1_000_000).unwrap();
    assert_eq!((fitted.width, fitted.height), (1200, 24));
    let kept: Vec<_> = std::fs::read_dir(stage.site.path("db/media")).unwrap().flatten().collect();
    let mut kept: Vec<_> = kept.iter().map(|it| std::fs::read(it.path()).unwrap()).collect();
    kept.sort_by_key(|bytes| bytes != file);
    assert_eq!(kept, [file.clone(), png(1500, 30)], "as it goes, and as it was found");
    for request in stage.web.requests() {
        assert!(request.header("user-agent").unwrap().starts_with("posse-party/"));
        assert_eq!(request.header("cookie"), None);
        assert_eq!(request.header("referer"), None);
    }
    let log = daemon.stop();
    assert!(!log.contains("the card"), "nothing was in the way: {log}");
}

/// A page with a picture, which is answered by `reply`.
fn pictured(path: &str, reply: Reply) -> Reply {
    match path {
        "/posts/1" => page("<meta property=og:image content=/p><title>Page</title>"),
        _ => reply,
    }
}

#[test]
fn what_is_in_the_way_of_a_card_costs_a_part_of_it_and_never_the_post() {
    let check = |extra: &str, answer: fn(&str) -> Reply, title: &str, line: &str| {
        let stage = Stage::new(extra, answer);
        let daemon = stage.start();
        let card = stage.card(&daemon);
        assert_eq!(card["title"], title, "{line}");
        assert!(card.get("thumb").is_none(), "{line}");
        let logged = daemon.wait("\"Entry 1\" on sky: the card ");
        assert!(logged.contains(line), "{logged}");
        stage.web.requests().len()
    };
    // pages
    let asked = check("", |_| page(PAGE), "Entry 1", "`127.0.0.1` is a private address");
    assert_eq!(asked, 0, "it was not even asked");
    check(OPEN, |_| Reply::status(404), "Entry 1", "the server answers 404");
    check(OPEN, |_| Reply::raw("HTTP/1.1 ").reset(), "Entry 1", "no usable answer");
    let to_metadata = |_: &str| Reply::redirect(302, "http://169.254.169.254/latest/meta-data/");
    check(OPEN, to_metadata, "Entry 1", "`169.254.169.254` is a private address");
    let pdf = |_: &str| Reply::ok("%PDF").header("Content-Type", "application/pdf");
    check(OPEN, pdf, "Entry 1", "it is `application/pdf`, no web page");
    // pictures
    check(OPEN, |path| pictured(path, Reply::status(404)), "Page", "the server answers 404");
    check(OPEN, |path| pictured(path, Reply::ok("<svg></svg>")), "Page", "it is SVG");
    check(OPEN, |path| pictured(path, Reply::ok(&png(99, 99)[..60])), "Page", "cut off");
    let inside = |path: &str| pictured(path, Reply::redirect(302, "http://10.0.0.1/p"));
    check(OPEN, inside, "Page", "`10.0.0.1` is a private address");
    let huge = |path: &str| {
        let head = Reply::status(200).header("Content-Length", "40000001").end_head();
        pictured(path, head.bytes(png(99, 99)).bytes([0; 5000]).close())
    };
    check(OPEN, huge, "Page", "larger than 40000000 bytes");
}

#[test]
fn a_shelf_that_can_not_be_written_costs_the_picture() {
    let stage = Stage::new(OPEN, |path| match path {
        "/posts/1" => page(PAGE),
        _ => Reply::ok(png(9, 9)),
    });
    std::fs::create_dir(stage.site.path("db")).unwrap();
    stage.site.write("db/media", "a file is in the way");
    let daemon = stage.start();
    assert!(stage.card(&daemon).get("thumb").is_none());
    let line = daemon.wait("the card has no picture: ");
    assert!(line.contains("/pictures/large.png?…`: it can't be kept"), "{line}");
}

#[test]
fn a_stop_does_not_wait_for_a_slow_page_and_nothing_has_begun() {
    let gate = Gate::default();
    let (held, slow) = (gate.clone(), Mutex::new(true));
    let stage = Stage::new(OPEN, move |path| match path {
        "/posts/1" if std::mem::take(&mut *slow.lock().unwrap()) => {
            Reply::raw("HTTP/1.1 200 OK\r\n\r\n<title>").wait(&held).close()
        }
        "/posts/1" => page(PAGE),
        _ => Reply::ok(png(9, 9)),
    });
    let daemon = stage.start();
    stage.web.wait_for(1);
    daemon.send(Signal::TERM);
    let (code, log) = daemon.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("Entry 1\" on sky"), "nothing was in the way but the end: {log}");
    assert_eq!(stage.bluesky.seen().len(), 0, "no attempt has begun");
    gate.open();
    let daemon = stage.site.start();
    let card = stage.card(&daemon);
    assert_eq!(card["title"], "Frédéric & Ada");
    let log = daemon.stop();
    assert!(!log.contains("ended in the middle"), "{log}");
}

#[test]
fn a_card_that_is_refused_leaves_its_url_in_the_text() {
    let stage = Stage::new(OPEN, |_| page(PAGE));
    let why =
        "Invalid app.bsky.feed.post record: Invalid uri (got \"x\") at $.record.embed.external.uri";
    stage.bluesky.script("putRecord", Trouble::Refuse(400, "InvalidRequest", why));
    let daemon = stage.start();
    let card = stage.card(&daemon);
    assert!(card.is_null());
    let record = stage.bluesky.records().remove(0).value;
    // shown short, and linked whole
    assert_eq!(record["text"], format!("Entry 1 {}/posts/1", stage.web.address()));
    assert_eq!(record["facets"][0]["features"][0]["uri"], stage.web.url("/posts/1").as_str());
    let line = daemon.wait("\"Entry 1\" goes to sky without its card, with the URL in its text");
    assert!(line.contains("$.record.embed.external.uri"), "{line}");
    assert_eq!(stage.bluesky.seen_of("putRecord").len(), 2);
    daemon.stop();
}

#[test]
fn people_are_mentioned_and_strangers_are_not() {
    let people = "[people]\n\"Bob Dobbs\" = { bluesky = \"@bob.example\" }\n\
         \"Nobody\" = { bluesky = \"@nobody.example\" }\n";
    let stage = Stage::new(people, |_| Reply::status(404));
    stage.bluesky.add_handle("bob.example", "did:plc:bobbobbobbob");
    let daemon = stage.site.start();
    daemon.wait("first sight of blog for sky");
    let title = "Bob Dobbs, Nobody and @stranger.example".to_owned();
    stage.blog.add(Item { title, ..news("1") });
    daemon.wait("published ");
    let record = stage.bluesky.records().remove(0).value;
    assert_eq!(record["text"], "@bob.example, @nobody.example and @stranger.example");
    let facets = record["facets"].as_array().unwrap();
    assert_eq!(facets.len(), 1, "{facets:?}");
    assert_eq!(facets[0]["features"][0]["did"], "did:plc:bobbobbobbob");
    daemon.wait("`nobody.example` is mentioned, but pings nobody: ");
    assert_eq!(stage.bluesky.seen_of("resolveHandle").len(), 2);
    assert_eq!(stage.bluesky.complaints(), [] as [&str; 0]);
    daemon.stop();
}
