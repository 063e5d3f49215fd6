//! Answers: whatever a platform answers, its publisher says what became of the post, and no answer
//! that may stand for a post leads to a second one.
//!
//! The first byte is the platform and what is wanted of it. What follows are answers, one for each
//! request, apart by 0xFF: a byte for the status, a line for a header, the body. They come over a
//! real socket.
#![no_main]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use posse_party::clock::Clock;
use posse_party::config::{Delivery, Secret};
use posse_party::crosspost::{Class, Failure, Receipt};
use posse_party::draft::{Card, Draft};
use posse_party::http;
use posse_party::names::CrosspostId;
use posse_party::publish::{self, Desk, Found, Identity, Outcome, Publisher, Renewal, Scratch};
use posse_party::redact;
use tokio::runtime::Runtime;
use url::Url;

const SECRET: &str = "s3cret-t0ken";
const STATUSES: [u16; 20] = [
    200, 201, 202, 204, 206, 301, 302, 303, 307, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502,
    503,
];
/// How the paths of the calls end that make a post.
const PUBLISHES: [&str; 5] =
    ["/api/v1/statuses", "/com.atproto.repo.putRecord", "_publish", "/feed", "/photos"];

#[derive(Default)]
struct Script {
    /// Status, header, body.
    answers: VecDeque<(u16, String, Vec<u8>)>,
    /// The status of the last answer to a call that makes a post.
    published: Option<u16>,
}

struct Bench {
    runtime: Runtime,
    http: reqwest::Client,
    url: Url,
    script: Arc<Mutex<Script>>,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    redact::register_secrets([&Secret::new(SECRET)]);
    let script = Arc::<Mutex<Script>>::default();
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback listens");
    let address = listener.local_addr().expect("it listens");
    let shared = Arc::clone(&script);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = Arc::clone(&shared);
            std::thread::spawn(move || while serve(&stream, &script).is_some() {});
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let http = http::publishing_builder("fuzz", &Delivery::default()).pool_max_idle_per_host(1);
    Bench {
        runtime: runtime.expect("a runtime"),
        http: http.build().expect("a client"),
        url: Url::parse(&format!("http://{address}")).expect("it is a URL"),
        script,
    }
});

fuzz_target!(|data: &[u8]| {
    let Some((platform, rest)) = data.split_first() else { return };
    let Bench { runtime, http, url, script } = &*BENCH;
    *script.lock().expect("no code panics while it holds the lock") = Script {
        answers: rest.split(|byte| *byte == 0xFF).filter_map(answer).collect(),
        ..Script::default()
    };
    let published = || script.lock().expect("no code panics while it holds the lock").published;
    let secret = || Secret::new(SECRET);
    let (url, http, delivery) = (url.clone(), http.clone(), Delivery::default());
    let pause = Duration::ZERO;
    let (wanted, platform) = (platform / 5 % 3, platform % 5);
    let publisher: Box<dyn Publisher> = match platform {
        0 => Box::new(publish::mastodon::Mastodon::new(url, secret(), http, delivery.timeout)),
        1 => Box::new(publish::bluesky::Bluesky::new(
            "a.example",
            secret(),
            Some(url),
            http,
            &delivery,
        )),
        2 => Box::new(
            publish::threads::Threads::new(Some(secret()), "v1.0", Some(url), http).hurried(pause),
        ),
        3 => Box::new(
            publish::instagram::Instagram::new(
                secret(),
                Some("17".into()),
                "v25.0",
                Some(url),
                http,
            )
            .hurried(pause),
        ),
        _ => Box::new(publish::facebook::Facebook::new("107", secret(), "v25.0", Some(url), http)),
    };
    let draft = Draft {
        text: "Hello world".into(),
        card: Some(Card { url: "https://example.com/1".into(), ..Card::default() }),
        canonical_url: Some("https://example.com/1".into()),
        ..Draft::default()
    };
    let (journal, memory) = (Scratch::default(), Scratch::default());
    let desk = Desk {
        crosspost: Some(CrosspostId(7)),
        journal: &journal,
        memory: &memory,
        clock: &Clock::System,
        shelf: None,
    };
    runtime.block_on(async {
        match wanted {
            1 => return check_account(&publisher.verify(&desk).await),
            2 => return check_renewal(&publisher.renew(&desk).await),
            _ => {}
        }
        let failure = match publisher.publish(&draft, &desk).await {
            Outcome::Published(receipt) => return check_receipt(&receipt),
            Outcome::Wait { why, .. } => return check_line(&why),
            Outcome::Failed(failure) => failure,
        };
        check_failure(&failure);
        // Bluesky makes one post of one key, however often it is written
        if platform != 1 && published().is_some_and(|status| status < 300) {
            assert!(!matches!(failure.class, Class::Retry { .. }), "sent twice: {failure:?}");
        }
        if failure.class == Class::Ambiguous {
            match publisher.find(&draft, &desk).await {
                Found::Published(receipt) => check_receipt(&receipt),
                Found::Absent => {}
                Found::Unknown(failure) => check_failure(&failure),
            }
        }
    });
});

fn check_account(verified: &Result<Identity, Failure>) {
    match verified {
        Ok(identity) => identity.notes.iter().for_each(|note| check_line(note)),
        Err(failure) => check_failure(failure),
    }
}

fn check_renewal(renewed: &Result<Renewal, Failure>) {
    if let Err(failure) | Ok(Renewal::Unrenewed(_, failure)) = renewed {
        check_failure(failure);
    }
}

fn check_receipt(receipt: &Receipt) {
    assert!(!receipt.remote_id.is_empty(), "a post without an id");
    if let Some(url) = &receipt.url {
        assert!(Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")), "{url}");
    }
}

fn check_failure(failure: &Failure) {
    check_line(&failure.message);
    if let Class::Account { hint, .. } = &failure.class {
        check_line(hint);
    }
}

fn check_line(line: &str) {
    assert!(!line.chars().any(char::is_control), "not one line: {line:?}");
    assert!(line.len() < 2000, "{} bytes are no line", line.len());
    assert!(!line.contains(SECRET), "a secret is told: {line:?}");
}

/// A status, a header and a body.
fn answer(bytes: &[u8]) -> Option<(u16, String, Vec<u8>)> {
    let (status, rest) = bytes.split_first()?;
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let (header, body) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&rest[..end], &rest[end + 1..]),
        None => (&[][..], rest),
    };
    let header = header.iter().map(|byte| char::from(*byte)).filter(|c| (' '..='~').contains(c));
    Some((status, header.collect(), body.to_vec()))
}

/// Answers one request; none when there are no more.
fn serve(mut stream: &TcpStream, script: &Mutex<Script>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let is_post = line.starts_with("POST");
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let (status, header, body) = {
        let mut script = script.lock().ok()?;
        let answer = script.answers.pop_front().unwrap_or((200, String::new(), b"{}".to_vec()));
        let path = path.split('?').next()?;
        if is_post && PUBLISHES.iter().any(|end| path.ends_with(end)) {
            script.published = Some(answer.0);
        }
        answer
    };
    let name = header.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let frames = ["content-length", "transfer-encoding", "connection", "content-encoding"];
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let keeps = !name.is_empty() && name.chars().all(is_token) && !frames.contains(&&*name);
    let header =
        if keeps && header.contains(':') { format!("{header}\r\n") } else { String::new() };
    let length =
        if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let mut bytes = format!("HTTP/1.1 {status} X\r\n{length}{header}\r\n").into_bytes();
    if status != 204 {
        bytes.extend(body);
    }
    // at once: the rest of an answer in two pieces would wait for an acknowledgement
    stream.write_all(&bytes).ok()
}
