//! Stage: the platforms with a relay before each, the web with the pages and pictures of the
//! entries, and a site for the daemon.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use image::{ImageEncoder, RgbImage};
use posse_party::clock::Clock;
use serde_json::Value;
use url::Url;

use super::pds::Pds;
use super::relay::{Manner, Relay};
use crate::bluesky_server::{APP_PASSWORD, BlueskyServer, HANDLE};
use crate::daemon_process::{FeedHost, Site, news};
use crate::mastodon_server::{self, Family, MastodonServer};
use crate::threads_server::{self, ThreadsServer};
use crate::wire::{Reply, Server};

/// How long the daemon waits for an answer. A post in doubt on a Mastodon server is waited for for
/// twice as long.
const TIMEOUT: Duration = Duration::from_millis(600);

/// One account of the daemon.
pub struct Account {
    /// Its label.
    pub label: &'static str,
    /// What it is an account of.
    pub platform: &'static str,
    /// What stands before its platform; none where that is a file.
    pub relay: Option<Relay>,
    /// The texts that are public, oldest first, in the platform's own order.
    list: Box<dyn Fn() -> Vec<String>>,
    /// What the platform had to refuse that nobody should send.
    complaints: Box<dyn Fn() -> Vec<String>>,
}

impl Account {
    /// Threads gets only one of so many entries: a post takes it seconds.
    pub const THINNED: usize = 3;

    /// Whether the entry with this number is to go there.
    pub fn wants(&self, number: usize) -> bool {
        self.label != "threads" || number.is_multiple_of(Self::THINNED)
    }

    /// The numbers of the `entries` that are to go there.
    pub fn wanted(&self, entries: usize) -> impl Iterator<Item = usize> {
        (0..entries).filter(|number| self.wants(*number))
    }

    /// The texts that are public, oldest first, as the platform has them.
    pub fn list(&self) -> Vec<String> {
        (self.list)()
    }
}

/// Everything around the daemon.
pub struct Stage {
    pub blog: FeedHost,
    pub web: Server,
    pub site: Arc<Site>,
    pub accounts: Vec<Account>,
    config: String,
}

impl Stage {
    /// Everything, with a real Bluesky server where `pds` names the folder of one.
    pub fn new(seed: u64, pds: Option<&Path>) -> Self {
        let blog = FeedHost::start(vec![news("old")]);
        let web = Server::start(|request| match request.path() {
            "/picture.png" => picture(),
            path => page(path),
        });
        let site = Arc::new(Site::new(""));
        let mut accounts = vec![
            fediverse("mastodon", Family::Mastodon, seed),
            fediverse("gotosocial", Family::GoToSocial, seed),
            threads(seed),
        ];
        let (sky, names) = match pds {
            Some(folder) => real_sky(folder, seed),
            None => sky(seed),
        };
        accounts.push(sky);
        let file = Arc::clone(&site);
        accounts.push(Account {
            label: "outbox",
            platform: "a file",
            relay: None,
            list: Box::new(move || file.outbox("out.jsonl")),
            complaints: Box::new(Vec::new),
        });
        let config = config(&blog, &accounts, &names);
        let stage = Self { blog, web, site, accounts, config };
        stage.configure("200ms");
        stage
    }

    /// Writes the config, with this longest wait between two tries.
    pub fn configure(&self, retry_max: &str) {
        let delivery = format!(
            "[delivery]\nretry_base = \"20ms\"\nretry_max = \"{retry_max}\"\n\
             timeout = \"{}ms\"\nconnect_timeout = \"300ms\"\n",
            TIMEOUT.as_millis()
        );
        self.site.configure(&[self.config.as_str(), &delivery].concat());
    }

    /// The account with this label.
    pub fn account(&self, label: &str) -> &Account {
        self.accounts.iter().find(|account| account.label == label).unwrap()
    }

    /// The relays.
    pub fn relays(&self) -> impl Iterator<Item = &Relay> {
        self.accounts.iter().filter_map(|account| account.relay.as_ref())
    }

    /// What the platforms had to refuse that nobody should send.
    pub fn complaints(&self) -> Vec<String> {
        self.accounts.iter().flat_map(|account| (account.complaints)()).collect()
    }
}

/// All but `[delivery]`. The accounts `names` the one of Bluesky.
fn config(blog: &FeedHost, accounts: &[Account], names: &str) -> String {
    let mut config = blog.config("blog") + "max_new = 1000\n";
    for Account { label, relay, .. } in accounts {
        let platform = if *label == "gotosocial" { "mastodon" } else { label };
        config += &format!("[accounts.{label}]\nplatform = \"{platform}\"\ndelay = \"0s\"\n");
        if let Some(relay) = relay {
            config += &format!("base_url = \"{}\"\n", relay.url());
        }
        config += &match platform {
            "mastodon" => format!("access_token = \"{}\"\n", mastodon_server::TOKEN),
            // it fetches pictures by https alone, from public addresses
            "threads" => {
                format!("access_token = \"{}\"\nmedia = \"none\"\n", threads_server::TOKEN)
            }
            "bluesky" => names.to_owned(),
            _ => "path = \"out.jsonl\"\n".to_owned(),
        };
    }
    config + "[http]\nallow_private = [\"127.0.0.1\"]\n"
}

fn relay(upstream: &Url, publication: &'static str, can_be_late: bool, seed: u64) -> Option<Relay> {
    let upstream: SocketAddr = upstream.authority().parse().unwrap();
    let manner = Manner { publication, timeout: TIMEOUT, can_be_late };
    Some(Relay::start(upstream, manner, seed))
}

fn fediverse(label: &'static str, family: Family, seed: u64) -> Account {
    let server = Arc::new(MastodonServer::start(family));
    let knows_keys = family == Family::Mastodon;
    let seed = seed.wrapping_add(u64::from(knows_keys));
    let relay = relay(server.url(), "POST /api/v1/statuses", knows_keys, seed);
    Account {
        label,
        platform: "a strict stand-in",
        relay,
        list: Box::new(move || server.posts().into_iter().map(|post| post.text).collect()),
        // it complains itself when it ends
        complaints: Box::new(Vec::new),
    }
}

fn threads(seed: u64) -> Account {
    let server = Arc::new(ThreadsServer::start(Clock::System));
    server.set_quota(100_000); // more than a day's posts may come
    let asked = Arc::clone(&server);
    Account {
        label: "threads",
        platform: "a strict stand-in",
        relay: relay(&server.url(), "POST /v1.0/me/threads_publish", true, seed.wrapping_add(2)),
        list: Box::new(move || {
            server.posts().into_iter().map(|post| post.params["text"].clone()).collect()
        }),
        complaints: Box::new(move || asked.complaints()),
    }
}

/// The call that publishes on Bluesky.
const PUT_RECORD: &str = "POST /xrpc/com.atproto.repo.putRecord";

fn sky(seed: u64) -> (Account, String) {
    let server = Arc::new(BlueskyServer::start());
    let asked = Arc::clone(&server);
    let account = Account {
        label: "bluesky",
        platform: "a strict stand-in",
        relay: relay(&server.url(), PUT_RECORD, true, seed.wrapping_add(3)),
        list: Box::new(move || {
            let text = |value: &Value| value["text"].as_str().unwrap().to_owned();
            server.records().iter().rev().map(|record| text(&record.value)).collect()
        }),
        complaints: Box::new(move || asked.complaints()),
    };
    (account, names(HANDLE, APP_PASSWORD))
}

fn real_sky(folder: &Path, seed: u64) -> (Account, String) {
    let server = Pds::start(folder);
    let names = names(&server.handle, &server.password);
    let url = format!("http://{}", server.address()).parse().unwrap();
    let account = Account {
        label: "bluesky",
        platform: "a real PDS",
        relay: relay(&url, PUT_RECORD, true, seed.wrapping_add(3)),
        list: Box::new(move || server.texts()),
        complaints: Box::new(Vec::new),
    };
    (account, names)
}

fn names(identifier: &str, app_password: &str) -> String {
    format!("identifier = \"{identifier}\"\napp_password = \"{app_password}\"\n")
}

fn picture() -> Reply {
    let image = RgbImage::from_fn(120, 80, |x, y| image::Rgb([x as u8, y as u8, 7]));
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(&image, 120, 80, image::ExtendedColorType::Rgb8).unwrap();
    Reply::ok(bytes).header("Content-Type", "image/png")
}

fn page(path: &str) -> Reply {
    let body = format!("<title>The page {path}</title>");
    Reply::ok(body).header("Content-Type", "text/html; charset=utf-8")
}
