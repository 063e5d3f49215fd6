//! Bare: the yardstick. Fetches, parses and stores entries, and keeps no other promise.
//!
//! reqwest, feed-rs and rusqlite as anyone would put them together: 32 requests at once, one
//! transaction for the whole run, `synchronous = NORMAL`. No identity of entries but their id, no
//! accounts, no incidents, no log, no cadence, no robustness, no TLS.

use futures_util::StreamExt;
use reqwest::StatusCode;
use reqwest::header::{ETAG, IF_NONE_MATCH};
use rusqlite::{Connection, OptionalExtension};

const TABLES: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS feeds (url TEXT PRIMARY KEY, etag TEXT);
CREATE TABLE IF NOT EXISTS entries (
    feed TEXT, id TEXT, url TEXT, title TEXT, published INTEGER, content TEXT,
    PRIMARY KEY (feed, id)
);";

/// `figures bare DATABASE ORIGIN COUNT`
pub fn main(arguments: &[String]) {
    let [database, origin, count] = arguments else { panic!("DATABASE ORIGIN COUNT") };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(poll(database, origin, count.parse().unwrap()));
}

async fn poll(database: &str, origin: &str, count: usize) {
    let mut db = Connection::open(database).unwrap();
    db.execute_batch(TABLES).unwrap();
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let tx = db.transaction().unwrap();
    let urls: Vec<(String, Option<String>)> = (0..count)
        .map(|at| {
            let url = format!("{origin}/feed/{at}");
            let mut etag = tx.prepare_cached("SELECT etag FROM feeds WHERE url = ?1").unwrap();
            let etag = etag.query_row([&url], |row| row.get(0)).optional().unwrap();
            (url, etag)
        })
        .collect();
    let mut answers = futures_util::stream::iter(urls)
        .map(|(url, etag)| tokio::spawn(fetch(client.clone(), url, etag)))
        .buffer_unordered(32);
    while let Some(answer) = answers.next().await {
        let Some((url, etag, feed)) = answer.unwrap() else { continue };
        for entry in feed.entries {
            let mut insert = tx
                .prepare_cached("INSERT OR IGNORE INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                .unwrap();
            let published = entry.published.or(entry.updated).map(|date| date.timestamp());
            let text = entry.content.and_then(|content| content.body);
            let link = entry.links.first().map(|link| link.href.as_str());
            let title = entry.title.map(|title| title.content);
            insert.execute((&url, &entry.id, link, title, published, text)).unwrap();
        }
        let mut save = tx.prepare_cached("INSERT OR REPLACE INTO feeds VALUES (?1, ?2)").unwrap();
        save.execute((&url, etag)).unwrap();
    }
    tx.commit().unwrap();
}

async fn fetch(
    client: reqwest::Client,
    url: String,
    etag: Option<String>,
) -> Option<(String, Option<String>, feed_rs::model::Feed)> {
    let mut request = client.get(&url);
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    let response = request.send().await.unwrap();
    if response.status() == StatusCode::NOT_MODIFIED {
        return None;
    }
    let etag = response.headers().get(ETAG).map(|etag| etag.to_str().unwrap().to_owned());
    let body = response.bytes().await.unwrap();
    Some((url, etag, feed_rs::parser::parse(&body[..]).unwrap()))
}
