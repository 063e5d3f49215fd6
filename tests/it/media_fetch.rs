//! Media from the web to what a platform gets, over real sockets: fetched once, known by content,
//! bounded, and left out with a note where something is in the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::{ImageEncoder, RgbImage};
use posse_party::config::MediaHost;
use posse_party::deliver::fetch::{Fetched, Purpose};
use posse_party::deliver::host::Host;
use posse_party::deliver::sources::Sources;
use posse_party::draft::Media;
use posse_party::http::guard::Guard;
use posse_party::names::CrosspostId;
use posse_party::platform::{MediaLimits, Platform};
use posse_party::shelf::Shelf;

use crate::wire::{Reply, Request, Server};

/// The sources of a daemon that may reach loopback, and the web that they reach.
struct Bench {
    web: Server,
    folder: tempfile::TempDir,
    sources: Arc<Sources>,
}

impl Bench {
    fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let guard = Guard::new("test", &["127.0.0.1/32".parse().unwrap()]).unwrap();
        let shelf = Shelf::beside(&folder.path().join("x.db"));
        let sources = Arc::new(Sources::new(guard, shelf));
        Self { web: Server::start(answer), folder, sources }
    }

    fn wanted(&self, paths: &[&str]) -> Vec<Media> {
        let medium = |path: &&str| Media { url: self.web.url(path).into(), ..Media::default() };
        paths.iter().map(medium).collect()
    }

    async fn fetch(&self, paths: &[&str], platform: Platform) -> Fetched {
        self.fetch_for(paths, &platform.media(), None).await
    }

    async fn fetch_for(
        &self,
        paths: &[&str],
        limits: &MediaLimits,
        host: Option<(&Host, CrosspostId)>,
    ) -> Fetched {
        let purpose = Purpose { limits, is_story: false, host };
        self.sources.fetch_all(&self.wanted(paths), &purpose, &|| ()).await
    }

    fn asked(&self, path: &str) -> usize {
        self.web.requests().iter().filter(|request| request.path() == path).count()
    }

    /// What lies on the shelf.
    fn kept(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path().join("media"));
        let name = |file: std::fs::DirEntry| file.file_name().into_string().unwrap();
        files.into_iter().flatten().flatten().map(name).collect()
    }
}

fn png(width: u32, height: u32, seed: u8) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, seed]));
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(&image, width, height, image::ExtendedColorType::Rgb8).unwrap();
    bytes
}

#[tokio::test]
async fn an_image_is_fetched_once_for_all_accounts() {
    let bench = Bench::new(|_| Reply::ok(png(300, 200, 1)).header("Content-Type", "text/plain"));
    let (mastodon, bluesky, threads) = tokio::join!(
        bench.fetch(&["/a.jpg"], Platform::Mastodon),
        bench.fetch(&["/a.jpg"], Platform::Bluesky),
        bench.fetch(&["/a.jpg"], Platform::Threads)
    );
    assert_eq!(threads.media[0].url, bench.web.url("/a.jpg").as_str());
    for fetched in [mastodon, bluesky] {
        assert_eq!(fetched.notes, [""; 0]);
        let file = fetched.media[0].file.as_ref().unwrap();
        assert_eq!((file.width, file.height, &*file.media_type), (300, 200, "image/png"));
        assert_eq!(fetched.media[0].media_type.as_deref(), Some("image/png"), "by its content");
        let bytes = bench.sources.shelf().read(&file.file).unwrap();
        assert_eq!(bytes, png(300, 200, 1), "what fits goes as it is");
    }
    assert_eq!(bench.asked("/a.jpg"), 1);
}

#[tokio::test]
async fn order_stays_and_the_same_bytes_count_once() {
    let bench = Bench::new(|request| match request.path() {
        "/2" | "/2-again" => Reply::ok(png(100, 100, 2)),
        "/tiny" => Reply::ok(png(20, 200, 9)),
        "/moved" => Reply::redirect(302, "/3"),
        _ => Reply::ok(png(100, 101, 3)),
    });
    let paths = ["/1", "/2", "/tiny", "/2-again", "/moved"];
    let fetched = bench.fetch(&paths, Platform::Mastodon).await;
    let sizes: Vec<_> = fetched.media.iter().map(|one| one.file.as_ref().unwrap().height).collect();
    // the last one is the first one again
    assert_eq!(sizes, [101, 100]);
    assert_eq!(fetched.notes, [""; 0], "what is too small, or there already, needs no word");
}

#[tokio::test]
async fn what_is_in_the_way_leaves_one_out_and_the_others_go() {
    let check = async |reply: fn() -> Reply, words: &str, is_passing: bool| {
        let bench = Bench::new(move |request| match request.path() {
            "/good" => Reply::ok(png(100, 100, 1)),
            _ => reply(),
        });
        let fetched = bench.fetch(&["/bad?secret=1", "/good"], Platform::Bluesky).await;
        assert_eq!(fetched.media.len(), 1, "{words}");
        let [note] = fetched.notes.as_slice() else { panic!("{:?}", fetched.notes) };
        assert!(note.contains("/bad?…` is left out: ") && note.contains(words), "{note}");
        assert_eq!(fetched.passing.is_some(), is_passing, "{note}");
        assert!(!bench.kept().iter().any(|name| name.ends_with(".part")), "nothing is left behind");
        bench.asked("/bad")
    };
    assert_eq!(check(|| Reply::status(404), "404", false).await, 1);
    assert_eq!(check(|| Reply::status(503), "503", true).await, 2, "once more, after a moment");
    check(|| Reply::ok("<html>"), "it is a page", false).await;
    check(|| Reply::ok(""), "empty", false).await;
    check(|| Reply::ok(&png(100, 100, 1)[..200]), "cut off", false).await;
    let cut = || Reply::ok(&png(100, 100, 1)[..200]).header("Content-Length", "20000").close();
    check(cut, "", true).await;
    let huge = || {
        let head = Reply::status(200).header("Content-Length", "40000001").end_head();
        head.bytes(png(100, 100, 1)).bytes([0; 5000]).close()
    };
    check(huge, "larger than 40000000 bytes", false).await;
    let inside = || Reply::redirect(302, "http://10.0.0.1/p");
    check(inside, "`10.0.0.1` is a private address", false).await;
    let packed = || Reply::ok(png(9, 9, 1)).header("Content-Encoding", "gzip");
    check(packed, "compresses", false).await;
}

#[tokio::test]
async fn an_endless_answer_ends_at_its_limit() {
    let bench = Bench::new(|_| {
        let endless = Reply::raw("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        endless.bytes(png(100, 100, 1)).bytes(vec![0; 41_000_000]).close()
    });
    let fetched = bench.fetch(&["/endless"], Platform::Bluesky).await;
    assert!(fetched.notes[0].contains("larger than 40000000 bytes"), "{:?}", fetched.notes);
    assert_eq!(bench.kept(), [""; 0]);
}

#[tokio::test]
async fn an_address_that_is_down_is_not_waited_for_by_every_account() {
    let bench = Bench::new(|_| Reply::status(500));
    for platform in [Platform::Mastodon, Platform::Bluesky, Platform::X] {
        let fetched = bench.fetch(&["/down"], platform).await;
        assert!(fetched.passing.is_some() && fetched.media.is_empty());
    }
    assert_eq!(bench.asked("/down"), 2, "and once more after a moment, for all of them");
}

#[tokio::test]
async fn what_vanishes_from_the_shelf_is_fetched_again() {
    let bench = Bench::new(|_| Reply::ok(png(100, 100, 1)));
    bench.fetch(&["/a"], Platform::Mastodon).await;
    for name in bench.kept() {
        std::fs::remove_file(bench.folder.path().join("media").join(name)).unwrap();
    }
    assert_eq!(bench.fetch(&["/a"], Platform::Mastodon).await.media.len(), 1);
    assert_eq!(bench.asked("/a"), 2);
}

#[tokio::test]
async fn a_platform_that_fetches_by_itself_gets_an_address_that_it_can_use() {
    let bench = Bench::new(|request| match request.path() {
        "/moved.png" => Reply::redirect(301, "/good.png?v=2"),
        "/odd" => Reply::ok(png(320, 320, 2)).header("Content-Type", "text/html"),
        "/wide.png" => Reply::ok(png(2000, 64, 3)).header("Content-Type", "image/png"),
        _ => Reply::ok(png(320, 320, 1)).header("Content-Type", "image/png"),
    });
    let fetched = bench.fetch(&["/moved.png", "/odd", "/wide.png"], Platform::Threads).await;
    let urls: Vec<_> = fetched.media.iter().map(|one| one.url.clone()).collect();
    let url = |path: &str| bench.web.url(path).to_string();
    assert_eq!(urls, [url("/good.png?v=2"), url("/odd")], "behind the redirect, and as it is");
    assert!(fetched.media.iter().all(|one| one.file.is_none()), "nothing is uploaded");
    let [moved, odd, wide] = fetched.notes.as_slice() else { panic!("{:?}", fetched.notes) };
    assert!(moved.contains("/moved.png`: it is at `") || moved.contains("it is at"), "{moved}");
    assert!(odd.contains("calls it `text/html`, and it is `image/png`"), "{odd}");
    assert!(wide.contains("is left out") && wide.contains("[media_host]"), "{wide}");
}

#[tokio::test]
async fn what_does_not_fit_is_served_by_the_owner_until_it_is_settled() {
    let dir = tempfile::tempdir().unwrap();
    let served = dir.path().to_owned();
    let hosted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hosted);
    let bench = Bench::new(move |request| match request.path().strip_prefix("/media/") {
        Some(name) => {
            count.fetch_add(1, Ordering::Relaxed);
            std::fs::read(served.join(name)).map_or(Reply::status(404), Reply::ok)
        }
        None => Reply::ok(png(400, 300, 1)).header("Content-Type", "image/png"),
    });
    let base_url = bench.web.url("/media/");
    let host = Host::new(&MediaHost { dir: dir.path().into(), base_url });
    let limits = Platform::Instagram.media();
    let fetched = bench.fetch_for(&["/a.png"], &limits, Some((&host, CrosspostId(7)))).await;
    let [medium] = fetched.media.as_slice() else { panic!("{:?}", fetched.notes) };
    assert_eq!(medium.media_type.as_deref(), Some("image/jpeg"), "PNG is not taken there");
    let name = medium.url.rsplit('/').next().unwrap();
    assert!(name.starts_with("posse-7-") && name.ends_with(".jpg"), "{name}");
    assert!(dir.path().join(name).exists());
    assert_eq!(hosted.load(Ordering::Relaxed), 1, "it was looked at before it is handed over");
    host.clear(|owner| owner == CrosspostId(7));
    assert!(!dir.path().join(name).exists());

    // a web server that serves another folder
    let elsewhere = MediaHost { dir: dir.path().into(), base_url: bench.web.url("/nowhere/") };
    let wrong = Host::new(&elsewhere);
    let fetched = bench.fetch_for(&["/a.png"], &limits, Some((&wrong, CrosspostId(8)))).await;
    assert!(fetched.media.is_empty());
    assert!(fetched.notes[0].contains("check `media_host.base_url`"), "{:?}", fetched.notes);
}
