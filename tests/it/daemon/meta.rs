//! Instagram and a Facebook Page through the whole program: pictures by way of the owner's own web
//! server, stories, what is skipped, what is waited for, and kills.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use image::{ImageEncoder, ImageFormat, RgbImage};
use posse_party::clock::Clock;

use super::OUT;
use crate::daemon_process::{Daemon, FeedHost, QUICK, Site, news};
use crate::facebook_server::{Facebook, PAGE};
use crate::graph_server::{Fault, GraphServer, TOKEN};
use crate::instagram_server::{Instagram, RENEWED, USER};
use crate::wire::{Reply, Server};
use crate::world::Item;

/// The web with the owner's pictures and folder, a feed, the two platforms.
struct Stage {
    web: Server,
    /// What the web server serves, where the program may put files.
    folder: tempfile::TempDir,
    /// Every file of that folder that was served.
    served: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Whether the owner's pictures can't be had just now.
    is_down: Arc<AtomicBool>,
    blog: FeedHost,
    instagram: GraphServer<Instagram>,
    facebook: GraphServer<Facebook>,
}

impl Stage {
    fn new(instagram: Instagram) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (path, served) = (folder.path().to_owned(), Arc::new(Mutex::new(Vec::new())));
        let (kept, is_down) = (Arc::clone(&served), Arc::new(AtomicBool::new(false)));
        let down = Arc::clone(&is_down);
        let web = Server::start(move |request| match down.load(Ordering::SeqCst) {
            true => Reply::status(503),
            false => web(&path, &kept, request.path()),
        });
        let now = Clock::System.now();
        let instagram = GraphServer::start(instagram, now);
        instagram.let_in(RENEWED); // of an unknown age, the token is renewed at once
        Self {
            web,
            folder,
            served,
            is_down,
            blog: FeedHost::start(vec![news("old")]),
            instagram,
            facebook: GraphServer::start(Facebook::default(), now),
        }
    }

    /// The account `photos`, with what `more` says.
    fn photos(&self, more: &str) -> String {
        format!(
            "[accounts.photos]\nplatform = \"instagram\"\nbase_url = \"{}\"\n\
             access_token = \"{TOKEN}\"\nuser_id = \"{USER}\"\ndelay = \"0s\"\n{more}",
            self.instagram.url()
        )
    }

    /// The account `page`.
    fn page(&self) -> String {
        format!(
            "[accounts.page]\nplatform = \"facebook\"\nbase_url = \"{}\"\n\
             page_access_token = \"{TOKEN}\"\npage_id = \"{PAGE}\"\ndelay = \"0s\"\n",
            self.facebook.url()
        )
    }

    /// `[media_host]`.
    fn host(&self) -> String {
        let (dir, url) = (self.folder.path().display(), self.web.url("/host/"));
        format!("[media_host]\ndir = \"{dir}\"\nbase_url = \"{url}\"\n")
    }

    /// A site with these parts of a config, and its daemon, which has seen the feed for `account`.
    fn start(&self, parts: &[&str], account: &str) -> (Site, Daemon) {
        self.start_with(parts, account, QUICK)
    }

    /// The same, with these last parts of the config.
    fn start_with(&self, parts: &[&str], account: &str, last: &str) -> (Site, Daemon) {
        let open = "[http]\nallow_private = [\"127.0.0.1\"]\n".to_owned();
        let site =
            Site::new(&[self.blog.config("blog"), parts.concat(), open, last.into()].concat());
        let daemon = site.start();
        daemon.wait(&format!("first sight of blog for {account}"));
        (site, daemon)
    }

    /// Announces an entry with these pictures.
    fn announce(&self, id: &str, pictures: &[&str]) {
        let media: Vec<_> = pictures
            .iter()
            .map(|path| serde_json::json!({ "url": self.web.url(path), "alt": path }))
            .collect();
        let post = serde_json::json!({ "media": media }).to_string();
        // a test's feed lives as long as the test
        self.blog.add(Item { post: Box::leak(post.into_boxed_str()), ..news(id) });
    }

    fn hosted(&self) -> usize {
        std::fs::read_dir(self.folder.path()).unwrap().count()
    }
}

fn web(folder: &std::path::Path, served: &Mutex<Vec<Vec<u8>>>, path: &str) -> Reply {
    if let Some(name) = path.strip_prefix("/host/") {
        let Ok(bytes) = std::fs::read(folder.join(PathBuf::from(name))) else {
            return Reply::status(404);
        };
        served.lock().unwrap().push(bytes.clone());
        return Reply::ok(bytes).header("Content-Type", "image/jpeg");
    }
    if path.ends_with(".mp4") {
        let film = include_bytes!("../../fixtures/media/fast.mp4");
        return Reply::ok(film).header("Content-Type", "video/mp4");
    }
    let image = RgbImage::from_fn(320, 320, |x, y| image::Rgb([x as u8, y as u8, 7]));
    let mut bytes = Vec::new();
    let (format, kind) = match path.ends_with(".png") {
        true => (ImageFormat::Png, "image/png"),
        false => (ImageFormat::Jpeg, "image/jpeg"),
    };
    let into = &mut bytes;
    let colour = image::ExtendedColorType::Rgb8;
    match format {
        ImageFormat::Png => {
            image::codecs::png::PngEncoder::new(into).write_image(&image, 320, 320, colour).unwrap()
        }
        _ => image::codecs::jpeg::JpegEncoder::new(into)
            .write_image(&image, 320, 320, colour)
            .unwrap(),
    }
    Reply::ok(bytes).header("Content-Type", kind)
}

#[test]
fn a_png_goes_by_way_of_the_owner_s_web_server_and_does_not_stay_there() {
    let stage = Stage::new(Instagram { busy: 0, ..Instagram::default() });
    let (_site, daemon) = stage.start(&[&stage.photos(""), &stage.host()], "photos");
    stage.announce("1", &["/a.png", "/b.jpg"]);
    daemon.wait("published \"Entry 1\" to photos: https://www.instagram.com/p/");
    daemon.stop();
    let (posts, containers) = stage.instagram.with(|it| (it.posts.clone(), it.containers.clone()));
    let [post] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!((post.kind, post.children), ("CAROUSEL", 2));
    assert_eq!(post.caption, "Entry 1\n\nhttps://a.example/1");
    let alts: Vec<_> = containers.iter().map(|it| it.alt.as_deref()).collect();
    assert_eq!(alts, [Some("/a.png"), Some("/b.jpg"), None]);
    assert!(containers[0].address.starts_with(stage.web.url("/host/posse-").as_str()));
    assert_eq!(containers[1].address, stage.web.url("/b.jpg").as_str(), "it is taken as it is");
    let served = stage.served.lock().unwrap();
    assert_eq!(image::guess_format(&served[0]).unwrap(), ImageFormat::Jpeg);
    assert_eq!(stage.hosted(), 0, "what is posted is not served any more");
}

#[test]
fn a_story_is_set_in_the_shape_of_a_telephone() {
    let stage = Stage::new(Instagram { busy: 0, ..Instagram::default() });
    let parts = [&stage.photos("channel = \"story\"\n"), &stage.host()];
    let (_site, daemon) = stage.start(&parts.map(String::as_str), "photos");
    stage.announce("1", &["/a.jpg", "/b.jpg"]);
    daemon.wait("published \"Entry 1\" to photos: 1801");
    daemon.stop();
    let containers = stage.instagram.with(|it| it.containers.clone());
    let [it] = containers.as_slice() else { panic!("{containers:?}") };
    assert_eq!((it.kind, it.caption.as_str(), it.alt.as_deref()), ("STORIES", "", None));
    assert!(it.address.starts_with(stage.web.url("/host/posse-").as_str()), "{it:?}");
    let served = stage.served.lock().unwrap();
    let image = image::load_from_memory(&served[0]).unwrap().to_rgb8();
    let (width, height) = image.dimensions();
    assert!((width * 16).abs_diff(height * 9) <= 16, "{width}x{height}");
    assert!(image.get_pixel(width / 2, 0).0.iter().all(|it| *it < 16), "on black");
    assert_eq!(stage.hosted(), 0);
}

#[test]
fn what_has_no_picture_that_can_go_is_skipped_with_the_reason() {
    let stage = Stage::new(Instagram::default());
    let (site, daemon) = stage.start(&[&stage.photos("channel = \"story\"\n"), OUT], "photos");
    stage.blog.add(news("1"));
    let line = daemon.wait("\"Entry 1\" does not go to photos: ");
    assert!(line.contains("a picture or a video"), "{line}");
    // a story, and nowhere to put its picture
    stage.announce("2", &["/a.jpg"]);
    let line = daemon.wait("\"Entry 2\" does not go to photos: ");
    assert!(line.contains("[media_host]"), "{line}");
    let why = site.command(&["why", &news("1").url]).output().unwrap();
    let why = String::from_utf8(why.stdout).unwrap();
    assert!(why.contains("skipped") && why.contains("a picture or a video"), "{why}");
    daemon.stop();
    assert_eq!(stage.instagram.count("POST /media"), 0);
}

#[test]
fn a_picture_that_can_not_be_had_just_now_is_waited_for_and_blocks_nobody() {
    let stage = Stage::new(Instagram { busy: 0, ..Instagram::default() });
    let (site, daemon) = stage.start(&[&stage.photos("")], "photos");
    stage.is_down.store(true, Ordering::SeqCst);
    stage.announce("1", &["/a.jpg"]);
    let words = "\"Entry 1\" is not on photos yet, looking for its media again in ";
    let line = daemon.wait(words);
    assert!(line.contains("/a.jpg` is left out: the server answers 503"), "{line}");
    stage.is_down.store(false, Ordering::SeqCst);
    stage.announce("2", &["/b.jpg"]);
    daemon.wait("published \"Entry 2\" to photos");
    daemon.stop();
    // the next one does not remember what its server did a moment ago
    let daemon = site.start();
    daemon.wait("published \"Entry 1\" to photos");
    daemon.stop();
}

#[test]
fn a_picture_that_can_not_be_had_for_too_long_fails_the_post() {
    let stage = Stage::new(Instagram::default());
    let last = format!("{QUICK}give_up_after = \"1s\"\n");
    let (_site, daemon) = stage.start_with(&[&stage.photos("")], "photos", &last);
    stage.is_down.store(true, Ordering::SeqCst);
    stage.announce("1", &["/a.jpg"]);
    let line = daemon.wait("\"Entry 1\" will not go to photos: given up after 1s: ");
    assert!(line.contains("the server answers 503"), "{line}");
    let tries = daemon.count("looking for its media again in ");
    assert!((2..=8).contains(&tries), "{tries} tries, later and later");
    daemon.stop();
    assert_eq!(stage.instagram.count("POST /media"), 0);
}

#[test]
fn a_page_gets_the_words_with_the_link_and_photos_without() {
    let stage = Stage::new(Instagram::default());
    let (_site, daemon) = stage.start(&[&stage.page(), &stage.host()], "page");
    stage.blog.add(news("1"));
    daemon.wait("published \"Entry 1\" to page: https://www.facebook.com/");
    stage.announce("2", &["/a.jpg", "/b.png"]);
    daemon.wait("published \"Entry 2\" to page: https://www.facebook.com/");
    daemon.stop();
    let posts = stage.facebook.with(|it| it.posts.clone());
    let [link, photos] = posts.as_slice() else { panic!("{posts:?}") };
    assert_eq!(link.message, "Entry 1");
    assert_eq!((link.link.as_deref(), link.photos.len()), (Some("https://a.example/1"), 0));
    assert_eq!((photos.link.as_deref(), photos.photos.len()), (None, 2));
    assert_eq!(photos.alts, [Some("/a.jpg".into()), Some("/b.png".into())]);
    assert!(photos.message.starts_with("Entry 2"), "{photos:?}");
    assert_eq!(stage.hosted(), 0);
}

#[test]
fn a_younger_post_overtakes_one_that_is_worked_on() {
    // 2 + 3 + 5 s within the attempt, and then it is left to Instagram
    let stage = Stage::new(Instagram { busy: 3, ..Instagram::default() });
    let (site, daemon) = stage.start(&[&stage.photos("")], "photos");
    stage.announce("1", &["/a.jpg"]);
    daemon.wait("\"Entry 1\" is being processed by photos, looking again in 10s");
    stage.instagram.with(|it| it.busy = 0);
    stage.announce("2", &["/b.jpg"]);
    daemon.wait("published \"Entry 2\" to photos");
    let captions = || {
        stage
            .instagram
            .with(|it| it.posts.iter().map(|post| post.caption[..7].to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(captions(), ["Entry 2"]);
    daemon.kill();
    let daemon = site.start();
    daemon.wait("published \"Entry 1\" to photos");
    daemon.stop();
    assert_eq!(captions(), ["Entry 2", "Entry 1"]);
    assert_eq!(stage.instagram.count("POST /media"), 2, "one container each");
}

#[test]
fn a_video_of_a_page_is_waited_for_across_a_kill_and_blocks_nobody() {
    let stage = Stage::new(Instagram::default());
    stage.facebook.with(|it| it.busy = 1000);
    let (site, daemon) = stage.start(&[&stage.page()], "page");
    stage.announce("1", &["/a.mp4"]);
    daemon.wait("\"Entry 1\" is being processed by page, looking again in 5s: the video");
    stage.blog.add(news("2"));
    daemon.wait("published \"Entry 2\" to page: https://www.facebook.com/");
    daemon.kill();
    stage.facebook.with(Facebook::finish);
    let daemon = site.start();
    daemon.wait("published \"Entry 1\" to page: https://www.facebook.com/reel/");
    daemon.stop();
    assert_eq!(stage.facebook.with(|it| it.public().len()), 2);
    assert_eq!(stage.facebook.count("POST /videos"), 1);
}

#[test]
fn a_kill_while_the_answer_is_on_its_way_ends_in_one_post_each() {
    let stage = Stage::new(Instagram { busy: 0, ..Instagram::default() });
    stage.instagram.fault("POST /media_publish", Fault::Killed);
    stage.facebook.fault("POST /feed", Fault::Killed);
    let parts = [stage.photos(""), stage.page(), stage.host()];
    let (site, daemon) = stage.start(&[&parts.concat()], "photos");
    stage.announce("1", &["/a.png", "/b.jpg"]);
    stage.instagram.wait_for_kill();
    stage.facebook.wait_for_kill();
    daemon.kill();
    let daemon = site.start();
    daemon.wait("published \"Entry 1\" to photos: https://www.instagram.com/p/");
    daemon.wait("published \"Entry 1\" to page: https://www.facebook.com/");
    daemon.stop();
    assert_eq!(stage.instagram.with(|it| it.posts.len()), 1);
    assert_eq!(stage.facebook.with(|it| (it.posts.len(), it.unseen.len())), (1, 0));
    assert_eq!(stage.instagram.count("POST /media_publish"), 1);
    assert_eq!(stage.facebook.count("POST /feed"), 1);
    assert_eq!(stage.hosted(), 0);
}
