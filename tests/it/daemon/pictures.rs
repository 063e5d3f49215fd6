//! Images of an entry, from its feed to the posts on two platforms: fetched once, fitted, with
//! their alternative text, whole after a kill, and no reason that a post fails.

use std::time::Duration;

use image::{ImageEncoder, RgbImage};

use super::{HASTY, fedi, mastodon, sky};
use crate::bluesky_server::{BlueskyServer, Trouble};
use crate::daemon_process::{Daemon, FeedHost, QUICK, Site, news};
use crate::mastodon_server::{self, Fault, MastodonServer, Route};
use crate::wire::{Reply, Server};
use crate::world::Item;

/// Loopback, where the pictures of these tests are.
const OPEN: &str = "[http]\nallow_private = [\"127.0.0.1\"]\n";

/// A server of pictures, a feed, two platforms and a daemon between them.
struct Stage {
    web: Server,
    blog: FeedHost,
    fediverse: MastodonServer,
    bluesky: BlueskyServer,
    site: Site,
}

impl Stage {
    /// The web answers as `answer` says.
    fn new(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let web = Server::start(move |request| answer(request.path()));
        let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
        let bluesky = BlueskyServer::start();
        let accounts = [fedi(&fediverse), sky(&bluesky)].concat();
        let site = Site::new(&[&blog.config("blog"), &accounts, OPEN, HASTY].concat());
        Self { web, blog, fediverse, bluesky, site }
    }

    /// Starts the daemon, and announces an entry with these pictures.
    fn start(&self, pictures: &[(&str, &str)]) -> Daemon {
        let daemon = self.site.start();
        daemon.wait("first sight of blog for fedi");
        daemon.wait("first sight of blog for sky");
        let media: Vec<_> = pictures
            .iter()
            .map(|(path, alt)| serde_json::json!({ "url": self.web.url(path), "alt": alt }))
            .collect();
        let post = serde_json::json!({ "media": media }).to_string();
        // a test's feed lives as long as the test
        self.blog.add(Item { post: Box::leak(post.into_boxed_str()), ..news("1") });
        daemon
    }

    /// What the two platforms show of the only post: the texts of its pictures.
    fn alts(&self) -> [Vec<String>; 2] {
        let [post] = self.fediverse.wait_posted(1).try_into().unwrap();
        let of_fediverse = post.media.iter().map(|medium| medium.alt.clone()).collect();
        let [record] = self.bluesky.wait_records(1).try_into().unwrap();
        let images = record.value["embed"]["images"].as_array().cloned().unwrap_or_default();
        let of_bluesky = images.iter().map(|it| it["alt"].as_str().unwrap().to_owned()).collect();
        assert_eq!(self.bluesky.complaints(), [] as [&str; 0]);
        [of_fediverse, of_bluesky]
    }

    fn asked(&self, path: &str) -> usize {
        self.web.requests().iter().filter(|request| request.path() == path).count()
    }
}

fn png(seed: u8) -> Reply {
    png_before(seed, b"")
}

/// A picture with `more` behind its end, which does not go on.
fn png_before(seed: u8, more: &[u8]) -> Reply {
    let image = RgbImage::from_fn(120, 80, |x, y| image::Rgb([x as u8, y as u8, seed]));
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(&image, 120, 80, image::ExtendedColorType::Rgb8).unwrap();
    bytes.extend(more);
    Reply::ok(bytes).header("Content-Type", "image/png")
}

fn pictures(path: &str) -> Reply {
    match path {
        "/a.png" => png(1),
        "/b.png" => png(2),
        _ => Reply::status(404),
    }
}

#[test]
fn pictures_go_to_both_with_their_words_and_are_fetched_once() {
    let stage = Stage::new(pictures);
    let daemon = stage.start(&[("/a.png", "first"), ("/b.png", "second")]);
    assert_eq!(stage.alts(), [["first", "second"], ["first", "second"]]);
    let posted = &stage.fediverse.posts()[0];
    assert!(posted.text.contains("Entry 1 https://"), "{}", posted.text);
    let record = &stage.bluesky.records()[0].value;
    // the link did not vanish with the card
    assert!(record["facets"][0]["features"][0]["uri"].as_str().unwrap().starts_with("https://"));
    assert_eq!((stage.asked("/a.png"), stage.asked("/b.png")), (1, 1));
    daemon.wait("published \"Entry 1\" to fedi");
    daemon.wait("published \"Entry 1\" to sky");
    daemon.stop();
}

#[test]
fn one_that_is_gone_is_left_out_and_told() {
    let stage = Stage::new(pictures);
    let daemon = stage.start(&[("/gone.png", "gone"), ("/a.png", "there")]);
    assert_eq!(stage.alts(), [["there"], ["there"]]);
    let line = daemon.wait("\"Entry 1\" on fedi: `");
    assert!(line.contains("/gone.png` is left out: the server answers 404"), "{line}");
    daemon.wait("published \"Entry 1\" to sky");
    let told = stage.site.command(&["why", &news("1").url]).output().unwrap();
    let why = String::from_utf8(told.stdout).unwrap();
    assert!(told.status.success());
    assert!(why.contains("/gone.png` is left out: the server answers 404"), "{why}");
    daemon.stop();
}

#[test]
fn the_place_of_one_that_is_gone_goes_to_one_of_those_beyond_the_limit() {
    let stage = Stage::new(|path| match path.strip_prefix("/").unwrap().parse() {
        Ok(seed) => png(seed),
        Err(_) => Reply::status(404),
    });
    let pictures = ["/1", "/gone", "/2", "/3", "/4", "/5"].map(|path| (path, path));
    let daemon = stage.start(&pictures);
    let shown = ["/1", "/2", "/3", "/4"];
    assert_eq!(stage.alts(), [shown, shown]);
    daemon.wait("\"Entry 1\" on fedi: at most 4 images go: 1 left out");
    daemon.stop();
}

#[test]
fn where_none_can_be_had_there_is_the_card_and_the_text() {
    let stage = Stage::new(|_| Reply::ok("<html>no picture</html>"));
    let daemon = stage.start(&[("/a.png", "one")]);
    assert_eq!(stage.alts(), [[""; 0], [""; 0]]);
    let record = &stage.bluesky.records()[0].value;
    assert_eq!(record["embed"]["$type"], "app.bsky.embed.external", "{record}");
    assert!(stage.fediverse.posts()[0].text.contains("https://"));
    daemon.wait("published \"Entry 1\" to sky");
    daemon.stop();
}

#[test]
fn four_large_pictures_go_out_with_the_smallest_cache() {
    let picture = |seed: u32| {
        let mut state = seed;
        let image = RgbImage::from_fn(1300, 1300, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            image::Rgb(state.to_be_bytes()[..3].try_into().unwrap())
        });
        let mut bytes = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.write_image(&image, 1300, 1300, image::ExtendedColorType::Rgb8).unwrap();
        bytes
    };
    let pictures: Vec<_> = (1..=4).map(picture).collect();
    assert!(pictures.iter().map(Vec::len).sum::<usize>() > 18 << 20);
    let web = Server::start(move |request| match request.path()[1..].parse::<usize>() {
        Ok(at) => Reply::ok(&pictures[at]).header("Content-Type", "image/png"),
        Err(_) => Reply::status(404),
    });
    let (blog, fediverse) = (FeedHost::start(vec![news("old")]), mastodon());
    let cache = "[media]\ncache = \"16 MiB\"\n";
    let parts = [&blog.config("blog"), &fedi(&fediverse), OPEN, QUICK, cache];
    let site = Site::new(&parts.concat());
    let daemon = site.start();
    daemon.wait("first sight of blog for fedi");
    let medium = |at: u32| serde_json::json!({ "url": web.url(&format!("/{at}")), "alt": "x" });
    let media: Vec<_> = (0..4).map(medium).collect();
    let post = serde_json::json!({ "media": media }).to_string();
    // a test's feed lives as long as the test
    blog.add(Item { post: Box::leak(post.into_boxed_str()), ..news("1") });
    daemon.wait("published \"Entry 1\" to fedi");
    let log = daemon.stop();
    assert!(!log.contains("left out"), "{log}");
    assert_eq!(fediverse.posts()[0].media.len(), 4);
    assert_eq!(web.requests().len(), 4);
}

#[test]
fn what_was_refused_is_tried_again_by_a_retry() {
    let stage = Stage::new(pictures);
    stage.fediverse.media(|media| media.dislikes.push_back(b"PNG".to_vec()));
    let too_long = mastodon_server::Reply::error(422, "Validation failed: text is too long");
    stage.fediverse.script(Route::Publish, Fault::reply(too_long));
    let daemon = stage.start(&[("/a.png", "first")]);
    daemon.wait("image 1 of 1 is left out: ");
    let line = daemon.wait("\"Entry 1\" will not go to fedi: ");
    let (_, id) = line.split_once("`posse-party retry ").unwrap();
    stage.fediverse.media(|media| media.dislikes.clear());
    let id = id.split('`').next().unwrap();
    let told = stage.site.command(&["retry", id]).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    assert_eq!(stage.alts(), [["first"], ["first"]]);
    daemon.stop();
}

#[test]
fn lost_answers_and_kills_end_in_one_post_with_all_pictures() {
    for lost in 0..3 {
        let stage = Stage::new(pictures);
        match lost {
            0 => {
                stage.fediverse.script(Route::Upload, Fault::lost());
                stage.bluesky.script("uploadBlob", Trouble::StoreThenClose);
            }
            1 => {
                stage.fediverse.script(Route::Publish, Fault::lost());
                stage.bluesky.script("putRecord", Trouble::StoreThenClose);
            }
            _ => {
                stage.fediverse.script(Route::Upload, Fault::dropped());
                stage.bluesky.script("uploadBlob", Trouble::HangUp);
            }
        }
        let mut daemon = stage.start(&[("/a.png", "first"), ("/b.png", "second")]);
        for _ in 0..3 {
            let requests = stage.fediverse.requests().len();
            stage.fediverse.wait_requests(requests + 1, Duration::from_millis(300));
            daemon.kill();
            daemon = stage.site.start();
        }
        assert_eq!(stage.alts(), [["first", "second"], ["first", "second"]], "{lost}");
        daemon.stop();
        assert_eq!((stage.fediverse.posts().len(), stage.bluesky.records().len()), (1, 1));
    }
}

#[test]
fn what_the_shelf_gave_up_before_a_retry_is_had_again() {
    // one as it is, and one that is fitted as it was before
    let stage = Stage::new(|path| match path {
        "/b.png" => png_before(2, b"words"),
        other => pictures(other),
    });
    for _ in 0..8 {
        let busy = mastodon_server::Reply::error(503, "busy");
        stage.fediverse.script(Route::Upload, Fault::reply(busy));
    }
    let daemon = stage.start(&[("/a.png", "first"), ("/b.png", "second")]);
    daemon.wait("\"Entry 1\" is not on fedi yet, trying again in");
    daemon.stop();
    let shelf = stage.site.database().with_file_name("media");
    for file in std::fs::read_dir(shelf).unwrap().flatten() {
        std::fs::remove_file(file.path()).unwrap();
    }
    let daemon = stage.site.start();
    assert_eq!(stage.alts(), [["first", "second"], ["first", "second"]]);
    daemon.stop();
}
