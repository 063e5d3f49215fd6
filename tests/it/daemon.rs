//! The program as a whole: the built binary between real feeds and strict platforms.

mod cards; // from a page to a card
mod faulty; // disks that fail at the n-th call
mod meta; // Instagram and a Facebook Page
mod manners; // how feeds are asked
mod notify; // what systemd hears
mod once; // what is fetched
mod pictures; // images, from the feed to the posts
mod redirects; // cards whose address leads elsewhere
mod reloads; // SIGHUP, SIGUSR1
mod secrets; // nobody reads them
mod sessions; // what is asked once and remembered
mod shuffles; // SIGHUP at random
mod spine; // from a feed to posts
mod starts; // what it refuses to start on
mod stops; // SIGTERM, SIGINT
mod slow; // what a platform works on
mod storage; // disks that are full or can't be written

use crate::bluesky_server::{APP_PASSWORD, BlueskyServer, HANDLE};
use crate::mastodon_server::{Family, MastodonServer, TOKEN};

/// The account `fedi`.
fn fedi(server: &MastodonServer) -> String {
    format!(
        "[accounts.fedi]\nplatform = \"mastodon\"\nbase_url = \"{}\"\naccess_token = \"{TOKEN}\"\n\
         delay = \"0s\"\n",
        server.url()
    )
}

/// The account `sky`.
fn sky(server: &BlueskyServer) -> String {
    format!(
        "[accounts.sky]\nplatform = \"bluesky\"\nbase_url = \"{}\"\nidentifier = \"{HANDLE}\"\n\
         app_password = \"{APP_PASSWORD}\"\ndelay = \"0s\"\n",
        server.url()
    )
}

/// The account `out`.
const OUT: &str = "[accounts.out]\nplatform = \"outbox\"\npath = \"out.jsonl\"\ndelay = \"0s\"\n";

/// Delays as short as lost answers allow: Mastodon is asked again after twice the `timeout`.
const HASTY: &str = "[delivery]\nretry_base = \"20ms\"\nretry_max = \"200ms\"\n\
     timeout = \"400ms\"\nconnect_timeout = \"200ms\"\n";

fn mastodon() -> MastodonServer {
    MastodonServer::start(Family::Mastodon)
}

/// The texts on a Mastodon server, oldest first.
fn texts(server: &MastodonServer) -> Vec<String> {
    server.posts().into_iter().map(|post| post.text).collect()
}

/// The texts on a Bluesky server, oldest first.
fn records(server: &BlueskyServer) -> Vec<String> {
    let text = |value: &serde_json::Value| value["text"].as_str().unwrap().to_owned();
    server.records().iter().rev().map(|record| text(&record.value)).collect()
}
