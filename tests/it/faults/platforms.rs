//! The platforms of the fault matrix: one entry each, and all rows of its calls follow by
//! themselves. A platform that has a publisher and no entry here fails the test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use posse_party::clock::Clock;
use posse_party::config::{Delivery, Secret};
use posse_party::draft::{Card, Channel, Draft, Media, Shelved};
use posse_party::platform::Platform;
use posse_party::publish::bluesky::Bluesky;
use posse_party::publish::mastodon::Mastodon;
use posse_party::publish::threads::Threads;
use posse_party::publish::{self, Publisher};
use posse_party::shelf::Shelf;
use url::Url;

use crate::bluesky_server::{APP_PASSWORD, BlueskyServer, HANDLE};
use crate::facebook_server::{self, Facebook};
use crate::graph_server::{self, GraphServer};
use crate::instagram_server::{self, Instagram};
use crate::mastodon_server::{Family, MastodonServer};
use crate::threads_server::{self, ThreadsServer};

/// What a scene of the matrix is made of.
pub struct Scene {
    /// The platform.
    pub platform: Platform,
    /// What is posted, where there is more than one scene.
    pub what: &'static str,
    /// The draft, with its files on the shelf.
    pub draft: fn(&Shelf) -> Draft,
    /// Its server.
    pub start: fn(&Clock) -> Box<dyn StandIn>,
    /// A publisher that knows nothing but its config.
    pub publisher: fn(Url, &reqwest::Client, &Delivery) -> Arc<dyn Publisher>,
    /// The calls that may make a post public: how the path of the POST ends.
    pub publishes: &'static [&'static str],
    /// Whether the platform makes one post at most for one crosspost, whatever is sent again: then
    /// an account may be parked on an answer that leaves the post open.
    pub same_key: bool,
}

impl Scene {
    /// Whether it is the first of its platform: what concerns the account is looked at once.
    pub fn is_first(&self) -> bool {
        let first = SCENES.iter().find(|scene| scene.platform == self.platform);
        first.is_some_and(|first| first.what == self.what)
    }
}

/// A strict server, as far as the matrix has to know it.
pub trait StandIn: Send {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// How many posts are public.
    fn posts(&self) -> usize;
    /// What time it is there from now on.
    fn set_clock(&self, clock: &Clock);
    /// What it was sent that nobody should send.
    fn complaints(&self) -> Vec<String>;
}

/// Every scene: a platform is added here, and nowhere else.
pub const SCENES: &[Scene] = &[
    Scene {
        platform: Platform::Mastodon,
        what: "text",
        draft: text,
        start: mastodon,
        publisher: open_mastodon,
        publishes: &["/api/v1/statuses"],
        same_key: false,
    },
    Scene {
        platform: Platform::Mastodon,
        what: "image",
        draft: image,
        start: mastodon,
        publisher: open_mastodon,
        publishes: &["/api/v1/statuses"],
        same_key: false,
    },
    Scene {
        platform: Platform::Bluesky,
        what: "card",
        draft: text,
        start: |_| Box::new(BlueskyServer::start()),
        publisher: open_bluesky,
        publishes: &["/com.atproto.repo.putRecord"],
        same_key: true,
    },
    Scene {
        platform: Platform::Bluesky,
        what: "image",
        draft: image,
        start: |_| Box::new(BlueskyServer::start()),
        publisher: open_bluesky,
        publishes: &["/com.atproto.repo.putRecord"],
        same_key: true,
    },
    Scene {
        platform: Platform::Bluesky,
        what: "video",
        draft: film,
        start: |_| {
            let server = BlueskyServer::start();
            server.set_jobs(1, false);
            Box::new(server)
        },
        publisher: open_bluesky,
        publishes: &["/com.atproto.repo.putRecord"],
        same_key: true,
    },
    Scene {
        platform: Platform::Threads,
        what: "card",
        draft: text,
        start: |clock| Box::new(ThreadsServer::start(clock.clone())),
        publisher: open_threads,
        publishes: &["/me/threads_publish"],
        same_key: false,
    },
    Scene {
        platform: Platform::Threads,
        what: "carousel",
        draft: carousel,
        start: |clock| Box::new(ThreadsServer::start(clock.clone())),
        publisher: open_threads,
        publishes: &["/me/threads_publish"],
        same_key: false,
    },
    Scene {
        platform: Platform::Instagram,
        what: "image",
        draft: fetched,
        start: instagram,
        publisher: open_instagram,
        publishes: &["/media_publish"],
        same_key: false,
    },
    Scene {
        platform: Platform::Instagram,
        what: "carousel",
        draft: carousel,
        start: instagram,
        publisher: open_instagram,
        publishes: &["/media_publish"],
        same_key: false,
    },
    Scene {
        platform: Platform::Instagram,
        what: "reel",
        draft: reel,
        start: instagram,
        publisher: open_instagram,
        publishes: &["/media_publish"],
        same_key: false,
    },
    Scene {
        platform: Platform::Instagram,
        what: "story",
        draft: story,
        start: instagram,
        publisher: open_instagram,
        publishes: &["/media_publish"],
        same_key: false,
    },
    Scene {
        platform: Platform::Facebook,
        what: "card",
        draft: text,
        start: facebook,
        publisher: open_facebook,
        publishes: &["/feed"],
        same_key: false,
    },
    Scene {
        platform: Platform::Facebook,
        what: "photo",
        draft: fetched,
        start: facebook,
        publisher: open_facebook,
        publishes: &["/photos"],
        same_key: false,
    },
    Scene {
        platform: Platform::Facebook,
        what: "photos",
        draft: carousel,
        start: facebook,
        publisher: open_facebook,
        publishes: &["/feed"],
        same_key: false,
    },
    Scene {
        platform: Platform::Facebook,
        what: "video",
        draft: reel,
        start: facebook,
        publisher: open_facebook,
        publishes: &["/videos"],
        same_key: false,
    },
];

fn text(_: &Shelf) -> Draft {
    Draft {
        text: "Hello world".into(),
        card: Some(Card { url: "https://example.com/1".into(), ..Card::default() }),
        canonical_url: Some("https://example.com/1".into()),
        ..Draft::default()
    }
}

/// Bytes that are an image as far as any stand-in looks.
fn image(shelf: &Shelf) -> Draft {
    shelved(shelf, b"\xff\xd8\xff\xe0 image", "image/jpeg")
}

/// The same for a video.
fn film(shelf: &Shelf) -> Draft {
    shelved(shelf, b"\0\0\0\x20ftypisom video", "video/mp4")
}

fn shelved(shelf: &Shelf, bytes: &[u8], media_type: &str) -> Draft {
    let file = Shelved {
        file: shelf.put(bytes, media_type).unwrap(),
        media_type: media_type.into(),
        bytes: bytes.len() as u64,
        width: 12,
        height: 8,
        ..Shelved::default()
    };
    let alt = Some("what it shows".to_owned());
    let media = Media { alt, file: Some(file), ..Media::default() };
    Draft { text: "Look here".into(), media: vec![media], ..Draft::default() }
}

/// Images and videos that the platform fetches by itself.
fn of_the_web(names: &[&str]) -> Draft {
    let kind = |name: &str| if name.ends_with("mp4") { "video/mp4" } else { "image/jpeg" };
    let medium = |name: &&str| Media {
        media_type: Some(kind(name).into()),
        url: format!("https://media.example/{name}"),
        ..Media::default()
    };
    let media = names.iter().map(medium).collect();
    Draft { text: "Look here".into(), media, ..Draft::default() }
}

fn fetched(_: &Shelf) -> Draft {
    of_the_web(&["1.jpg"])
}

fn reel(_: &Shelf) -> Draft {
    of_the_web(&["1.mp4"])
}

fn story(_: &Shelf) -> Draft {
    Draft { channel: Channel::Story, ..of_the_web(&["1.jpg"]) }
}

fn carousel(_: &Shelf) -> Draft {
    of_the_web(&["1.jpg", "2.jpg"])
}

fn instagram(clock: &Clock) -> Box<dyn StandIn> {
    let server = GraphServer::start(Instagram::default(), clock.now());
    server.let_in(instagram_server::RENEWED);
    Box::new(server)
}

fn open_instagram(url: Url, http: &reqwest::Client, _: &Delivery) -> Arc<dyn Publisher> {
    let token = Secret::new(graph_server::TOKEN);
    let user = Some(instagram_server::USER.to_owned());
    let version = graph_server::VERSION;
    let account = publish::instagram::Instagram::new(token, user, version, Some(url), http.clone());
    Arc::new(account.hurried(Duration::ZERO))
}

fn facebook(clock: &Clock) -> Box<dyn StandIn> {
    Box::new(GraphServer::start(Facebook::default(), clock.now()))
}

fn open_facebook(url: Url, http: &reqwest::Client, _: &Delivery) -> Arc<dyn Publisher> {
    let token = Secret::new(graph_server::TOKEN);
    let (page, version) = (facebook_server::PAGE, graph_server::VERSION);
    let account = publish::facebook::Facebook::new(page, token, version, Some(url), http.clone());
    Arc::new(account)
}

fn mastodon(_: &Clock) -> Box<dyn StandIn> {
    Box::new(MastodonServer::start(Family::Mastodon))
}

fn open_mastodon(url: Url, http: &reqwest::Client, delivery: &Delivery) -> Arc<dyn Publisher> {
    let token = Secret::new(crate::mastodon_server::TOKEN);
    Arc::new(Mastodon::new(url, token, http.clone(), delivery.timeout))
}

fn open_bluesky(url: Url, http: &reqwest::Client, delivery: &Delivery) -> Arc<dyn Publisher> {
    let password = Secret::new(APP_PASSWORD);
    let account = Bluesky::new(HANDLE, password, Some(url.clone()), http.clone(), delivery);
    Arc::new(account.with_video_service(url))
}

fn open_threads(url: Url, http: &reqwest::Client, _: &Delivery) -> Arc<dyn Publisher> {
    let token = Some(Secret::new(threads_server::TOKEN));
    let threads = Threads::new(token, "v1.0", Some(url), http.clone());
    Arc::new(threads.hurried(Duration::from_millis(1)))
}

/// How far a clock is ahead of that of the machine, in milliseconds.
fn ahead(clock: &Clock) -> i64 {
    clock.now().as_millis() - Clock::System.now().as_millis()
}

fn address(url: &Url) -> SocketAddr {
    url.socket_addrs(|| None).unwrap()[0]
}

impl StandIn for MastodonServer {
    fn address(&self) -> SocketAddr {
        address(self.url())
    }

    fn posts(&self) -> usize {
        self.posts().len()
    }

    fn set_clock(&self, clock: &Clock) {
        self.set_clock_ahead(ahead(clock));
    }

    fn complaints(&self) -> Vec<String> {
        Vec::new() // it fails the test by itself
    }
}

impl StandIn for BlueskyServer {
    fn address(&self) -> SocketAddr {
        address(&self.url())
    }

    fn posts(&self) -> usize {
        self.records().len()
    }

    fn set_clock(&self, clock: &Clock) {
        self.set_clock_ahead(ahead(clock));
    }

    fn complaints(&self) -> Vec<String> {
        self.complaints()
    }
}

/// What is public on one of Meta's two others.
trait Posts: graph_server::Platform {
    fn posts(&self) -> usize;
}

impl Posts for Instagram {
    fn posts(&self) -> usize {
        self.posts.len()
    }
}

impl Posts for Facebook {
    fn posts(&self) -> usize {
        self.posts.len()
    }
}

impl<P: Posts> StandIn for GraphServer<P> {
    fn address(&self) -> SocketAddr {
        address(&self.url())
    }

    fn posts(&self) -> usize {
        self.with(|platform| Posts::posts(platform))
    }

    fn set_clock(&self, clock: &Clock) {
        self.set_now(clock.now());
    }

    fn complaints(&self) -> Vec<String> {
        Vec::new() // it fails the test by itself
    }
}

impl StandIn for ThreadsServer {
    fn address(&self) -> SocketAddr {
        address(&self.url())
    }

    fn posts(&self) -> usize {
        self.posts().len()
    }

    fn set_clock(&self, clock: &Clock) {
        self.set_clock(clock.clone());
    }

    fn complaints(&self) -> Vec<String> {
        self.complaints()
    }
}
