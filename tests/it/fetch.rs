//! One fetch of a feed, against a server that misbehaves: each rule of polite and safe polling
//! that concerns a single request.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use posse_party::clock::Timestamp;
use posse_party::feed::cadence::Outcome;
use posse_party::feed::fetch::{
    self, Answer, Ask, Body, Cause, FetchError, Fetched, REDIRECTS_MAX, Validators,
};
use posse_party::http;
use reqwest::Client;
use url::Url;

use crate::wire::{Reply, Request, Server};

mod faults; // answers that break off, swell or never end
mod redirects; // chains, and what may go along

const FEED: &str = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Posse</title></feed>";
/// Mon, 02 Feb 2026 02:40:00 GMT
const NOW: Timestamp = Timestamp::from_secs(1_770_000_000);

fn client() -> Client {
    http::feeds(&http::user_agent(Some("https://example.com/about"))).unwrap()
}

async fn ask(ask: &Ask<'_>) -> Result<Fetched, FetchError> {
    fetch::fetch(&client(), ask, NOW).await
}

async fn get(url: &Url) -> Result<Fetched, FetchError> {
    ask(&Ask::new(url)).await
}

/// The body of an answer that must have one.
fn body(fetched: Fetched) -> Body {
    match fetched.answer {
        Answer::Body(body) => body,
        Answer::Unchanged(validators) => panic!("no body, but {validators:?}"),
    }
}

fn validators(url: &Url, etag: &[u8], last_modified: &[u8]) -> Validators {
    let some = |bytes: &[u8]| (!bytes.is_empty()).then(|| bytes.to_vec());
    Validators { url: url.to_string(), etag: some(etag), last_modified: some(last_modified) }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A server that gives the feed and nothing else.
fn plain() -> Server {
    Server::start(|_| Reply::ok(FEED))
}

#[tokio::test]
async fn the_request_says_who_asks_and_for_what_and_nothing_else() {
    let server = plain();
    let url = server.url("/f?a=%2F&b=+%20c&&d#fragment");
    let fetched = get(&url).await.unwrap();
    assert_eq!(fetched.url, server.url("/f?a=%2F&b=+%20c&&d"));
    assert_eq!(body(fetched).bytes, FEED.as_bytes());

    let [request] = &server.requests()[..] else { panic!("not one request") };
    assert_eq!((&*request.method, &*request.target), ("GET", "/f?a=%2F&b=+%20c&&d"));
    let agent = format!("posse-party/{} (+https://example.com/about)", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), Some(&*agent));
    let accept = request.header("accept").unwrap();
    assert!(accept.starts_with("application/atom+xml, application/rss+xml, application/feed+json"));
    assert_eq!(request.header("accept-encoding"), Some("gzip, br, zstd"));
    let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
    names.sort();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"]);
}

#[tokio::test]
async fn a_cookie_is_never_sent_back_and_there_is_no_referer() {
    let server = Server::start(|request| match request.path() {
        "/a" => Reply::redirect(302, "/b").header("Set-Cookie", "id=1; Path=/"),
        _ => Reply::ok(FEED).header("Set-Cookie", "id=2; Path=/"),
    });
    let (client, url) = (client(), server.url("/a"));
    for _ in 0..2 {
        fetch::fetch(&client, &Ask::new(&url), NOW).await.unwrap();
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for request in &requests {
        assert_eq!((request.header("cookie"), request.header("referer")), (None, None));
    }
}

#[tokio::test]
async fn a_connection_serves_a_whole_batch() {
    let server = plain();
    let client = client();
    for path in ["/1", "/2", "/3"] {
        fetch::fetch(&client, &Ask::new(&server.url(path)), NOW).await.unwrap();
    }
    assert_eq!(server.requests().iter().map(|r| r.connection).collect::<Vec<_>>(), [0, 0, 0]);
}

#[tokio::test]
async fn validators_come_and_go_byte_for_byte() {
    let etags: [&[u8]; 7] = [
        b"\"plain\"",
        b"W/\"weak\"",
        b"\"abc-gzip\"",
        b"unquoted",
        b"\"with \\ and , and \"inside\"",
        b"\"latin \xe9\"",
        b"w/'odd'",
    ];
    let dates: [&[u8]; 3] = [b"Mon, 02 Feb 2026 02:00:00 GMT", b"2026-02-02", b"Mon,  2 feb 26"];
    for (etag, date) in etags.into_iter().zip(dates.into_iter().cycle()) {
        let server = Server::start(move |request: &Request| {
            let known = request.header_bytes("if-none-match") == Some(etag)
                && request.header_bytes("if-modified-since") == Some(date);
            if known {
                return Reply::status(304);
            }
            Reply::ok(FEED).header("ETag", etag).header("Last-Modified", date)
        });
        let url = server.url("/feed?x");
        let first = body(get(&url).await.unwrap()).validators.unwrap();
        assert_eq!(first, validators(&url, etag, date));
        let second = ask(&Ask { validators: Some(&first), ..Ask::new(&url) }).await.unwrap();
        match second.answer {
            Answer::Unchanged(kept) => assert_eq!(kept, first),
            Answer::Body(_) => panic!("{} was not sent as it came", etag.escape_ascii()),
        }
    }
}

#[tokio::test]
async fn one_validator_alone_is_sent_alone() {
    let server = plain();
    let url = server.url("/");
    for (etag, date) in [(&b"\"1\""[..], &b""[..]), (b"", b"yesterday")] {
        let known = validators(&url, etag, date);
        ask(&Ask { validators: Some(&known), ..Ask::new(&url) }).await.unwrap();
    }
    let requests = server.requests();
    assert_eq!(requests[0].header("if-none-match"), Some("\"1\""));
    assert_eq!(requests[0].header("if-modified-since"), None);
    assert_eq!(requests[1].header("if-none-match"), None);
    assert_eq!(requests[1].header("if-modified-since"), Some("yesterday"));
}

#[tokio::test]
async fn validators_of_another_url_are_not_sent() {
    let server = plain();
    for other in ["/feed?page=1", "/Feed", "/feed/"] {
        let known = validators(&server.url(other), b"\"1\"", b"yesterday");
        let url = server.url("/feed");
        ask(&Ask { validators: Some(&known), ..Ask::new(&url) }).await.unwrap();
    }
    for request in server.requests() {
        assert_eq!(request.header("if-none-match"), None);
        assert_eq!(request.header("if-modified-since"), None);
    }
}

#[tokio::test]
async fn a_304_may_renew_its_validators() {
    let server = Server::start(|request| {
        let reply = Reply::status(304).header("Cache-Control", "max-age=120");
        match request.path() {
            "/etag" => reply.header("ETag", "\"2\""),
            "/both" => reply.header("ETag", "\"2\"").header("Last-Modified", "now"),
            _ => reply,
        }
    });
    for (path, etag, date) in
        [("/none", "\"1\"", "then"), ("/etag", "\"2\"", "then"), ("/both", "\"2\"", "now")]
    {
        let url = server.url(path);
        let known = validators(&url, b"\"1\"", b"then");
        let fetched = ask(&Ask { validators: Some(&known), ..Ask::new(&url) }).await.unwrap();
        assert_eq!(fetched.fresh_for, Some(Duration::from_secs(120)));
        match fetched.answer {
            Answer::Unchanged(renewed) => {
                assert_eq!(renewed, validators(&url, etag.as_bytes(), date.as_bytes()));
            }
            Answer::Body(_) => panic!("{path}"),
        }
    }
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_a_failure() {
    let server = Server::start(|_| Reply::status(304));
    let error = get(&server.url("/")).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Status(304)), "{error}");
}

#[tokio::test]
async fn a_body_tells_its_hash_type_and_freshness() {
    let server = Server::start(|_| {
        Reply::ok("abc")
            .header("Content-Type", "text/html; charset=x")
            .header("Cache-Control", "public, max-age=600")
            .header("Retry-After", "60")
    });
    let fetched = get(&server.url("/")).await.unwrap();
    assert_eq!(fetched.fresh_for, Some(Duration::from_secs(600)));
    assert_eq!(fetched.retry_after, Some(NOW.plus(Duration::from_secs(60))));
    assert_eq!(fetched.permanent, None);
    let body = body(fetched);
    assert_eq!(body.content_type.as_deref(), Some("text/html; charset=x"));
    assert_eq!(body.validators, None);
    // SHA-256 of `abc`: FIPS 180-2, appendix B.1
    assert_eq!(body.sha256[..4], [0xba, 0x78, 0x16, 0xbf]);
}

#[tokio::test]
async fn each_status_means_what_it_says() {
    let cases: [(u16, Option<&str>, Outcome, Option<u64>); 10] = [
        (410, None, Outcome::Gone, None),
        (429, None, Outcome::Limited, None),
        (429, Some("120"), Outcome::Limited, Some(120)),
        (503, Some("Mon, 02 Feb 2026 02:50:00 GMT"), Outcome::Failed, Some(600)),
        (503, None, Outcome::Failed, None),
        (500, Some("5"), Outcome::Failed, Some(5)),
        (404, None, Outcome::Failed, None),
        (403, None, Outcome::Failed, None),
        (300, None, Outcome::Failed, None),
        (206, None, Outcome::Failed, None),
    ];
    for (status, retry_after, outcome, expect) in cases {
        let server = Server::start(move |_| {
            // a body and validators that must not be looked at
            let reply = Reply::status(status).body(FEED).header("ETag", "\"1\"");
            retry_after.map_or(reply.clone(), |value| reply.header("Retry-After", value))
        });
        let error = get(&server.url("/")).await.unwrap_err();
        assert_eq!(error.outcome(), outcome, "{status}");
        let expect = expect.map(|seconds| NOW.plus(Duration::from_secs(seconds)));
        assert_eq!(error.retry_after, expect, "{status}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert_eq!(server.requests().len(), 1, "{status} was asked again");
    }
}

#[tokio::test]
async fn messages_hold_no_secret() {
    let server = Server::start(|request| match request.path() {
        "/cut" => Reply::status(200).header("Content-Length", "99").end_head().close(),
        "/away" => Reply::redirect(302, "gopher://hunter2.test/?hunter2"),
        "/circle" => Reply::redirect(302, "/circle?hunter2"),
        _ => Reply::status(401).body("hunter2"),
    });
    let closed = {
        let gone = plain();
        gone.url_at("hunter2:hunter2@127.0.0.1", "/?hunter2")
    };
    let of = |path: &str| server.url_at("hunter2:hunter2@127.0.0.1", path);
    for url in [of("/?hunter2#hunter2"), of("/cut?hunter2"), of("/away"), of("/circle"), closed] {
        let error = get(&url).await.unwrap_err();
        let said = format!("{error}");
        assert!(!said.contains("hunter2"), "{said}");
        assert!(said.starts_with("failed to fetch `http://127.0.0.1:"), "{said}");
        assert!(!said.ends_with('.') && said.is_ascii() || said.contains("?…"), "{said}");
    }
}

#[tokio::test]
async fn a_file_is_read_as_it_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feed one.xml");
    let url = Url::from_file_path(&path).unwrap();

    let error = get(&url).await.unwrap_err();
    assert!(matches!(error.cause, Cause::File(_)), "{error}");
    assert!(error.to_string().contains("feed%20one.xml`: No such file"), "{error}");

    let mut hashes = Vec::new();
    for text in ["<feed>1</feed>", "<feed>2</feed>"] {
        std::fs::write(&path, text).unwrap();
        let fetched = get(&url).await.unwrap();
        assert_eq!((&fetched.url, fetched.permanent.as_ref()), (&url, None));
        let body = body(fetched);
        assert_eq!((&*body.bytes, body.validators), (text.as_bytes(), None));
        hashes.push(body.sha256);
    }
    // same length, and most likely the same tick of the file system's clock
    assert_ne!(hashes[0], hashes[1]);

    std::fs::write(&path, " \n").unwrap();
    assert!(matches!(get(&url).await.unwrap_err().cause, Cause::Empty));
    let large = Ask { bytes_max: 1, ..Ask::new(&url) };
    assert!(matches!(ask(&large).await.unwrap_err().cause, Cause::TooLarge(1)));
    let folder = Url::from_file_path(folder.path()).unwrap();
    assert!(matches!(get(&folder).await.unwrap_err().cause, Cause::File(_)));
    let elsewhere = "file://example.com/feed.xml".parse().unwrap();
    assert!(matches!(get(&elsewhere).await.unwrap_err().cause, Cause::File(_)));
}

#[tokio::test]
async fn a_pipe_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR).unwrap();
    let error = get(&Url::from_file_path(&path).unwrap()).await.unwrap_err();
    assert!(matches!(error.cause, Cause::File(_)), "{error}");
}
