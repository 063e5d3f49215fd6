//! Media from the web to what a platform gets, over real sockets: fetched once, known by content,
//! bounded, and left out with a note where something is in the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use image::{ImageEncoder, RgbImage};
use posse_party::compose::media::Wanted;
use posse_party::config::MediaHost;
use posse_party::deliver::fetch::{Fetched, Purpose, lacks};
use posse_party::deliver::host::Host;
use posse_party::deliver::sources::Sources;
use posse_party::draft::Media;
use posse_party::http::guard::download::{Patience, Take};
use posse_party::http::guard::{FetchError, Guard};
use posse_party::names::CrosspostId;
use posse_party::platform::{MediaLimits, Platform, Way};
use posse_party::shelf::Shelf;

use crate::wire::{Gate, Reply, Request, Server};

/// The sources of a daemon that may reach loopback, and the web that they reach.
struct Bench {
    web: Server,
    folder: tempfile::TempDir,
    sources: Sources,
}

impl Bench {
    fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let guard = Guard::new("test", &["127.0.0.1/32".parse().unwrap()]).unwrap();
        let shelf = Shelf::beside(&folder.path().join("x.db"));
        let sources = Sources::new(guard, shelf);
        Self { web: Server::start(answer), folder, sources }
    }

    /// Leaves so much time for the media of one post.
    fn give(&mut self, time: Duration) {
        let guard = Guard::new("test", &["127.0.0.1/32".parse().unwrap()]).unwrap();
        let shelf = self.sources.shelf().clone();
        self.sources = Sources::new(guard, shelf).with_time(time);
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
        self.fetch_wanted(&Wanted::of(self.wanted(paths)), limits, host).await
    }

    async fn fetch_wanted(
        &self,
        wanted: &Wanted,
        limits: &MediaLimits,
        host: Option<(&Host, CrosspostId)>,
    ) -> Fetched {
        let hold = &self.sources.shelf().hold();
        let purpose = Purpose { limits, is_story: false, host, hold };
        self.sources.fetch_all(wanted, &purpose).await
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
    assert_eq!(threads.media[0].media_type.as_deref(), Some("image/png"), "by its content");
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
async fn what_does_not_go_gives_its_place_to_the_next() {
    let bench = Bench::new(|request| match request.path() {
        "/tiny" => Reply::ok(png(1, 1, 0)),
        "/gone" => Reply::status(404),
        "/1" | "/1-again" => Reply::ok(png(100, 100, 1)),
        path => Reply::ok(png(100, 100, path.as_bytes()[1])),
    });
    let mut wanted = Wanted::of(bench.wanted(&["/tiny", "/1", "/1-again", "/gone"]));
    wanted.spare = bench.wanted(&["/5", "/6", "/7", "/8"]);
    let fetched = bench.fetch_wanted(&wanted, &Platform::Bluesky.media(), None).await;
    let urls: Vec<_> = fetched.media.iter().map(|one| one.url.clone()).collect();
    let url = |path: &str| bench.web.url(path).to_string();
    assert_eq!(urls, [url("/1"), url("/5"), url("/6"), url("/7")]);
    assert_eq!(bench.asked("/8"), 0);
    assert_eq!(fetched.notes.len(), 1, "{:?}", fetched.notes);
}

#[tokio::test]
async fn the_same_image_at_another_address_adds_its_words() {
    let bench = Bench::new(|_| Reply::ok(png(100, 100, 1)));
    let mut wanted = bench.wanted(&["/feed", "/content", "/third"]);
    wanted[1].alt = Some("a lighthouse".into());
    wanted[2].alt = Some("another".into());
    let fetched = bench.fetch_wanted(&Wanted::of(wanted), &Platform::Mastodon.media(), None).await;
    let [medium] = fetched.media.as_slice() else { panic!("{:?}", fetched.media) };
    assert_eq!(medium.url, bench.web.url("/feed").as_str());
    assert_eq!(medium.alt.as_deref(), Some("a lighthouse"));
}

#[tokio::test]
async fn a_server_that_falls_silent_is_not_waited_for() {
    let web = Server::start(|request| match request.path() {
        "/nothing" => Reply::raw("").hang(),
        "/half" => Reply::status(200).end_head().bytes(png(100, 100, 1)).hang(),
        _ => Reply::ok(png(100, 100, 1)),
    });
    let guard = Guard::new("test", &["127.0.0.1/32".parse().unwrap()]).unwrap();
    let silence = Duration::from_millis(200);
    let patience = Patience { timeout: Duration::from_secs(60), silence, accept: "*/*" };
    for (path, is_there) in [("/nothing", false), ("/half", false), ("/all", true)] {
        let mut file = tokio::fs::File::from_std(tempfile::tempfile().unwrap());
        let judge = |_: &[u8]| Ok(Take { whole_max: 1 << 20, start: None });
        let came = guard.download(&web.url(path), patience, &mut file, &judge).await;
        match came {
            Ok(_) => assert!(is_there, "{path}"),
            Err(FetchError::TimedOut(after)) => assert!(!is_there && after == silence, "{path}"),
            Err(error) => panic!("{path}: {error}"),
        }
    }
}

#[tokio::test]
async fn the_media_of_a_post_have_a_time_for_all_of_them() {
    let mut bench = Bench::new(|request| match request.path() {
        "/good" => Reply::ok(png(100, 100, 1)),
        _ => Reply::raw("").hang(),
    });
    bench.give(Duration::from_millis(1500));
    let fetched = bench.fetch(&["/good", "/slow", "/slower", "/slowest"], Platform::X).await;
    assert_eq!(fetched.media.len(), 1);
    assert_eq!(fetched.notes.len(), 3);
    let words = "/slow` is left out: the media of this post were not all there after 1s 500ms";
    assert!(fetched.notes[0].contains(words), "{:?}", fetched.notes);
    assert!(fetched.passing.is_some());
}

#[tokio::test]
async fn what_the_shelf_gave_up_of_a_draft_comes_back_under_its_name() {
    let bench = Bench::new(|request| match request.path() {
        "/wide" => Reply::ok(png(3000, 100, 1)),
        _ => Reply::ok(png(100, 100, 2)),
    });
    let limits = Platform::Bluesky.media();
    let drafted = bench.fetch(&["/wide", "/small"], Platform::Bluesky).await.media;
    let hold = &bench.sources.shelf().hold();
    let purpose = Purpose { limits: &limits, is_story: false, host: None, hold };
    bench.sources.bring_back(&drafted, &purpose).await;
    assert_eq!((bench.asked("/wide"), bench.asked("/small")), (1, 1), "nothing is missing");
    for name in bench.kept() {
        std::fs::remove_file(bench.folder.path().join("media").join(name)).unwrap();
    }
    assert!(drafted.iter().all(|medium| lacks(medium, hold)));
    bench.sources.bring_back(&drafted, &purpose).await;
    assert!(!drafted.iter().any(|medium| lacks(medium, hold)));
    assert_eq!((bench.asked("/wide"), bench.asked("/small")), (2, 2));
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
async fn four_images_are_there_together_with_however_little_room() {
    let mut bench = Bench::new(|request| Reply::ok(png(100, 100, request.path().as_bytes()[1])));
    let guard = Guard::new("test", &["127.0.0.1/32".parse().unwrap()]).unwrap();
    let shelf = bench.sources.shelf().clone().with_room_for(1);
    bench.sources = Sources::new(guard, shelf.clone());
    let fetch = async |paths: &[&str], platform: Platform| {
        let (hold, limits) = (shelf.hold(), platform.media());
        let purpose = Purpose { limits: &limits, is_story: false, host: None, hold: &hold };
        let wanted = Wanted::of(bench.wanted(paths));
        (bench.sources.fetch_all(&wanted, &purpose).await, hold)
    };
    let both = tokio::join!(
        fetch(&["/1", "/2", "/3", "/4"], Platform::Mastodon),
        fetch(&["/4", "/5", "/6", "/7"], Platform::Bluesky)
    );
    for (fetched, _hold) in [&both.0, &both.1] {
        assert_eq!(fetched.media.len(), 4, "{:?}", fetched.notes);
        for medium in &fetched.media {
            shelf.read(&medium.file.as_ref().unwrap().file).unwrap();
        }
    }
    drop(both);
    let (_, _hold) = fetch(&["/8"], Platform::Mastodon).await;
    assert_eq!(bench.kept().len(), 1, "and then they make room");
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
    for (seen, seed) in fetched.seen.iter().flatten().zip([1, 2]) {
        assert_eq!((seen.width, seen.height, &*seen.media_type), (320, 320, "image/png"));
        let file = png(320, 320, seed);
        assert_eq!(seen.bytes, Some(file.len() as u64));
        assert_eq!(bench.sources.shelf().read(&seen.file).unwrap(), file, "and it is here");
    }
    assert_eq!(fetched.seen.len(), fetched.media.len());
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

#[tokio::test]
async fn what_is_served_is_looked_at() {
    let check = async |served: fn(&str, Vec<u8>) -> Reply, words: &str, goes: bool| {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().to_owned();
        let bench = Bench::new(move |request| match request.path().strip_prefix("/media/") {
            Some(path) => {
                let name = path.trim_start_matches("elsewhere/");
                served(path, std::fs::read(folder.join(name)).unwrap())
            }
            None => Reply::ok(png(400, 300, 1)).header("Content-Type", "image/png"),
        });
        let base_url = bench.web.url("/media/");
        let host = Host::new(&MediaHost { dir: dir.path().into(), base_url });
        let limits = Platform::Instagram.media();
        let fetched = bench.fetch_for(&["/a.png"], &limits, Some((&host, CrosspostId(7)))).await;
        let said = fetched.notes.join("; ");
        assert_eq!(
            (fetched.media.len(), said.contains(words)),
            (usize::from(goes), true),
            "{said}"
        );
    };
    let other = |_: &str, mut bytes: Vec<u8>| {
        bytes.reverse();
        Reply::ok(bytes).header("Content-Type", "image/jpeg")
    };
    check(other, "gives other bytes than the file has", false).await;
    let part = |_: &str, bytes: Vec<u8>| Reply::ok(&bytes[..99]);
    check(part, "gives 99 bytes of", false).await;
    let moved = |path: &str, bytes| match path.starts_with("elsewhere/") {
        true => Reply::ok(bytes).header("Content-Type", "image/jpeg"),
        false => Reply::redirect(302, format!("/media/elsewhere/{path}")),
    };
    check(moved, "redirects: check `media_host.base_url`", false).await;
    let page = |_: &str, bytes| Reply::ok(bytes).header("Content-Type", "text/plain");
    check(page, "calls it `text/plain`, and it is `image/jpeg`", true).await;
}

#[tokio::test]
async fn a_slow_web_server_of_the_owner_keeps_no_other_image_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, gate) = (dir.path().to_owned(), Gate::default());
    let door = gate.clone();
    let bench = Bench::new(move |request| match request.path().strip_prefix("/media/") {
        Some(name) => Reply::raw("")
            .wait(&door)
            .bytes(
                [
                    b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice(),
                    &std::fs::read(folder.join(name)).unwrap(),
                ]
                .concat(),
            )
            .close(),
        None => Reply::ok(png(400, 300, request.path().as_bytes()[1])),
    });
    let base_url = bench.web.url("/media/");
    let host = Host::new(&MediaHost { dir: dir.path().into(), base_url });
    let limits = Platform::Instagram.media();
    let others = async {
        // the other one is at the gate
        while bench.web.requests().len() < 2 {
            tokio::task::yield_now().await;
        }
        let fetched = bench.fetch(&["/b.png"], Platform::Mastodon).await;
        gate.open();
        fetched
    };
    let served = bench.fetch_for(&["/a.png"], &limits, Some((&host, CrosspostId(7))));
    let (served, others) = tokio::join!(served, others);
    assert_eq!((served.media.len(), others.media.len()), (1, 1), "{:?}", served.notes);
}

/// A video whose pixels are `more` bytes longer than they are.
fn video(file: &[u8], more: usize) -> Vec<u8> {
    let at = file.windows(4).position(|name| name == b"mdat").unwrap() - 4;
    let length = u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
    let (end, longer) = (at + length as usize, length + u32::try_from(more).unwrap());
    [&file[..at], &longer.to_be_bytes(), &file[at + 4..end], &vec![0; more], &file[end..]].concat()
}

#[tokio::test]
async fn of_a_video_that_the_platform_fetches_only_the_head_is_looked_at() {
    const FAST: &[u8] = include_bytes!("../fixtures/media/fast.mp4");
    const SLOW: &[u8] = include_bytes!("../fixtures/media/slow.mp4");
    let more = 9 << 20;
    let bench = Bench::new(move |request| {
        let bytes = match request.path() {
            "/small.mp4" => FAST.to_vec(),
            "/slow.mp4" => video(SLOW, more),
            _ => video(FAST, more),
        };
        let head = Reply::status(200).header("Content-Type", "video/mp4");
        match request.path() {
            "/unsaid.mp4" => head.end_head().bytes(bytes).close(),
            _ => head.body(bytes),
        }
    });
    let paths = ["/small.mp4", "/large.mp4", "/unsaid.mp4", "/slow.mp4"];
    let limits = Platform::Threads.media();
    for (path, goes) in paths.into_iter().zip([true, true, true, false]) {
        let fetched = bench.fetch_for(&[path], &limits, None).await;
        assert_eq!(fetched.media.len(), usize::from(goes), "{path}: {:?}", fetched.notes);
        let bytes = fetched.seen.first().map(|seen| seen.as_ref().unwrap().bytes);
        let whole = (FAST.len() + more) as u64;
        let expect = [Some(FAST.len() as u64), Some(whole), None];
        let at = paths.iter().position(|known| *known == path).unwrap();
        assert_eq!(bytes, expect.get(at).copied(), "{path}: as its server says");
        let index = fetched.notes.iter().any(|note| note.contains("its index is not at"));
        assert_eq!(index, !goes, "{path}: {:?}", fetched.notes);
    }
    let mut small = limits;
    small.video.as_mut().unwrap().bytes_max = 8 << 20;
    let fetched = bench.fetch_for(&["/large.mp4"], &small, None).await;
    assert!(fetched.notes[0].contains("at most 8388608 are taken"), "{:?}", fetched.notes);
}

#[tokio::test]
async fn a_video_is_fetched_once_whoever_asks_first() {
    const FAST: &[u8] = include_bytes!("../fixtures/media/fast.mp4");
    let head = [Platform::Threads, Platform::Facebook];
    let whole = [Platform::Mastodon, Platform::Bluesky];
    let orders = [[head, whole].concat(), [whole, head].concat()];
    for (order, at_once) in orders.iter().flat_map(|order| [(order, true), (order, false)]) {
        let bench = Bench::new(|_| Reply::ok(video(FAST, 9 << 20)));
        let accounts = order.iter().map(|it| (it.tag(), it.media()));
        match at_once {
            true => bench.sources.serve(accounts),
            false => accounts.for_each(|(who, limits)| bench.sources.serve_one(who, &limits)),
        }
        for platform in order {
            let fetched = bench.fetch(&["/film.mp4"], *platform).await;
            assert_eq!(fetched.media.len(), 1, "{platform:?}: {:?}", fetched.notes);
            assert_eq!(fetched.media[0].file.is_some(), whole.contains(platform), "{platform:?}");
        }
        assert_eq!(bench.asked("/film.mp4"), 1, "{order:?}");
    }
}

#[tokio::test]
async fn a_video_has_no_more_bytes_than_the_platform_takes_whoever_fetches_it() {
    const FAST: &[u8] = include_bytes!("../fixtures/media/fast.mp4");
    let bench = Bench::new(|_| Reply::ok(FAST).header("Content-Type", "video/mp4"));
    for platform in [Platform::Mastodon, Platform::Threads] {
        let at_most = |bytes: usize| {
            let mut limits = platform.media();
            limits.video.as_mut().unwrap().bytes_max = bytes as u64;
            limits
        };
        let fetched = bench.fetch_for(&["/a.mp4"], &at_most(FAST.len()), None).await;
        assert_eq!(fetched.media.len(), 1, "{platform:?}: {:?}", fetched.notes);
        let fetched = bench.fetch_for(&["/a.mp4"], &at_most(FAST.len() - 1), None).await;
        let words = format!("it has {} bytes, at most {} are taken", FAST.len(), FAST.len() - 1);
        assert!(fetched.media.is_empty(), "{platform:?}");
        assert!(fetched.notes[0].contains(&words), "{platform:?}: {:?}", fetched.notes);
    }
}

#[tokio::test]
async fn a_video_that_is_refused_is_refused_for_its_own_reason() {
    const FAST: &[u8] = include_bytes!("../fixtures/media/fast.mp4");
    let bench = Bench::new(|request| match request.path() {
        "/cut.mp4" => Reply::ok(&FAST[..FAST.len() - 9]),
        "/large.mp4" => Reply::ok(video(FAST, 9 << 20)),
        _ => Reply::ok(FAST),
    });
    let mut limits = Platform::Threads.media();
    let cut = bench.fetch_for(&["/cut.mp4"], &limits, None).await;
    assert!(cut.notes[0].contains("cut off"), "{:?}", cut.notes);
    limits.video.as_mut().unwrap().duration_max = Duration::ZERO;
    for path in ["/a.mp4", "/large.mp4"] {
        let long = bench.fetch_for(&[path], &limits, None).await;
        assert!(long.notes[0].contains("it is 1 s long"), "{path}: {:?}", long.notes);
    }
}

#[tokio::test]
async fn a_video_that_is_too_large_for_all_is_not_downloaded() {
    const FAST: &[u8] = include_bytes!("../fixtures/media/fast.mp4");
    // its server sends no more than so many bytes, and then nothing, also no end
    let check = async |is_told: bool, sent: usize, served: &[(&str, MediaLimits)], expect: &str| {
        let bench = Bench::new(move |_| {
            let film = video(FAST, 40 << 20);
            let head = Reply::status(200).header("Content-Type", "video/mp4");
            let length = film.len().to_string();
            let head = if is_told { head.header("Content-Length", length) } else { head };
            head.end_head().bytes(&film[..sent]).hang()
        });
        bench.sources.serve(served.iter().copied());
        for (name, limits) in served {
            let fetched = bench.fetch_for(&["/film.mp4"], limits, None).await;
            let uploads = limits.way == Way::Bytes;
            assert_eq!(fetched.media.is_empty(), uploads, "{name}: {:?}", fetched.notes);
            assert!(!uploads || fetched.notes[0].contains(expect), "{:?}", fetched.notes);
            assert!(fetched.passing.is_none(), "it will not be smaller");
        }
        assert_eq!(bench.asked("/film.mp4"), 1, "and nobody asks again");
        let kept = bench.kept();
        let [kept] = kept.as_slice() else { panic!("{kept:?}") };
        let (_, bytes) = bench.sources.shelf().open(kept).unwrap();
        let has_head = served.iter().any(|(_, limits)| limits.way == Way::Address);
        assert_eq!(bytes, if has_head { 8 << 20 } else { 4096 }, "the rest is given back");
    };
    let uploading = |bytes_max: u64| {
        let mut limits = Platform::Bluesky.media();
        limits.video.as_mut().unwrap().bytes_max = bytes_max;
        limits
    };
    let (small, large) = (("small", uploading(10 << 20)), ("large", uploading(20 << 20)));
    let threads = ("threads", Platform::Threads.media());
    let length = video(FAST, 40 << 20).len();
    let told = format!("it has {length} bytes, at most 10485760 are taken");
    // its server says how large it is: nothing more is waited for
    check(true, 4096, &[small], &told).await;
    // a platform that fetches it itself takes more, and its head is enough for that
    check(true, 8 << 20, &[small, threads], &told).await;
    check(true, 8 << 20, &[threads, small], &told).await;
    // its server does not say: as much as the largest limit is read
    let (ten, twenty) = ((10 << 20) + 1, (20 << 20) + 1);
    check(false, ten, &[small], "it has more than 10485760 bytes, at most 10485760").await;
    check(false, twenty, &[small, large], "it has more than 20971520 bytes, at most ").await;
    check(false, ten, &[threads, small], "it has more than 10485760 bytes").await;
}

#[tokio::test]
async fn the_picture_of_a_card_is_fetched_once_and_is_that_of_a_post_too() {
    let bench = Bench::new(|_| Reply::ok(png(300, 200, 1)));
    let url = bench.web.url("/a.png");
    let hold = bench.sources.shelf().hold();
    let card = || bench.sources.picture(url.as_str(), 1_000_000, &hold);
    let (one, two, post) = tokio::join!(card(), card(), bench.fetch(&["/a.png"], Platform::X));
    assert_eq!(one.as_ref().unwrap(), two.as_ref().unwrap());
    assert_eq!((&*one.unwrap().media_type, post.media.len()), ("image/jpeg", 1));
    assert_eq!(bench.asked("/a.png"), 1);
}

#[tokio::test]
async fn a_preview_shows_what_would_be_served_and_serves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::new(|_| Reply::ok(png(400, 300, 1)).header("Content-Type", "image/png"));
    let base_url = bench.web.url("/media/");
    let host = Host::new(&MediaHost { dir: dir.path().into(), base_url }).planned();
    let limits = Platform::Instagram.media();
    let fetched = bench.fetch_for(&["/a.png"], &limits, Some((&host, CrosspostId(0)))).await;
    let file = fetched.media[0].file.as_ref().unwrap();
    assert_eq!((&*file.media_type, file.width, file.height), ("image/jpeg", 400, 300));
    assert!(fetched.notes[0].contains("would be served from `[media_host]`"), "{fetched:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    assert_eq!(bench.asked("/a.png"), 1, "and nothing else is asked");
}
