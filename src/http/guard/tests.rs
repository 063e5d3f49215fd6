//! The guard against real sockets on loopback, with a name server that says what a test wants.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const LIMITS: GetLimits = GetLimits {
    bytes_max: 1000,
    larger: Larger::Refused,
    timeout: Duration::from_secs(20),
    accept: "*/*",
};

/// A server on one loopback address that gives an answer for each path, and keeps the requests.
struct Site {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn at(address: &str, answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let keep = Arc::clone(&heads);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                keep.lock().unwrap().push(head);
                let _ = stream.write_all(&answer(&path));
            }
        });
        Self { address, heads }
    }

    fn start() -> Self {
        Self::at("127.0.0.1:0", |_| page(b"here"))
    }

    fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }

    fn count(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn page(body: &[u8]) -> Vec<u8> {
    answer(200, "content-type: text/html; charset=utf-8\r\n", body)
}

fn redirect(to: &str) -> Vec<u8> {
    answer(302, &format!("location: {to}\r\n"), b"")
}

/// A guard for which each name has these addresses, and which opens `exceptions`.
fn guard(names: &[(&str, &[&str])], exceptions: &[&str]) -> Guard {
    let names: BTreeMap<String, Vec<SocketAddr>> = names
        .iter()
        .map(|(name, addresses)| {
            let with_port = |ip: &&str| SocketAddr::new(ip.parse().unwrap(), 0);
            ((*name).to_owned(), addresses.iter().map(with_port).collect())
        })
        .collect();
    let find = move |host: &str| {
        names.get(host).cloned().ok_or_else(|| std::io::Error::other("no such name"))
    };
    through(Arc::new(find), exceptions)
}

fn through(find: Find, exceptions: &[&str]) -> Guard {
    let exceptions: Vec<IpNet> = exceptions.iter().map(|net| net.parse().unwrap()).collect();
    Guard::through(find, "test/1", &exceptions).unwrap()
}

async fn get(guard: &Guard, url: &str) -> Result<Fetched, FetchError> {
    guard.get(&url.parse().unwrap(), LIMITS).await
}

/// That `url` is refused with these words, and that nobody was asked.
async fn refused(guard: &Guard, url: &str, words: &str) {
    let error = get(guard, url).await.expect_err(url).to_string();
    assert!(error.contains(words), "{url}: {error}");
}

#[tokio::test]
async fn an_exception_opens_exactly_what_it_says() {
    let (open, shut) = (Site::start(), Site::at("127.0.0.2:0", |_| page(b"secret")));
    let guard =
        guard(&[("a.example", &["127.0.0.1"]), ("b.example", &["127.0.0.2"])], &["127.0.0.1/32"]);
    for host in ["127.0.0.1", "a.example", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"] {
        let fetched = get(&guard, &open.url(host, "/")).await;
        // an address that is mapped may not be reachable here, but is not refused
        match fetched {
            Ok(fetched) => assert_eq!(fetched.body, b"here", "{host}"),
            Err(error) => assert!(host.starts_with('[') && !is_private(&error), "{host}: {error}"),
        }
    }
    refused(&guard, &shut.url("127.0.0.2", "/"), "`127.0.0.2` is a private address").await;
    refused(&guard, &shut.url("b.example", "/"), "`b.example` has private addresses only").await;
    assert_eq!(shut.count(), 0);
}

fn is_private(error: &FetchError) -> bool {
    error.to_string().contains("private")
}

#[tokio::test]
async fn addresses_are_refused_in_whatever_form_they_are_written() {
    let server = Site::start();
    let guard = guard(&[], &[]);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0",
        "127.0.0.1.",
        "0x7f.1.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001::1]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "[ff02::1]",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "0xa9fea9fe",
        "168.63.129.16",
        "255.255.255.255",
        "user:pass@127.0.0.1",
        "１２７.0.0.1",
    ] {
        refused(&guard, &server.url(host, "/"), "is a private address").await;
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn names_are_judged_by_their_addresses() {
    let server = Site::start();
    let private: &[(&str, &[&str])] = &[
        ("intranet.example", &["10.0.0.5"]),
        ("localtest.example", &["127.0.0.1"]),
        ("localtest.example.", &["127.0.0.1"]),
        ("localhost", &["127.0.0.1", "::1"]),
        ("metadata.google.internal", &["169.254.169.254"]),
        ("six.example", &["fd00:ec2::254", "fe80::1", "::1"]),
        ("mapped.example", &["::ffff:127.0.0.1"]),
        ("wrapped.example", &["64:ff9b::7f00:1", "2002:7f00:1::1"]),
    ];
    let guard = guard(private, &[]);
    for (name, _) in private {
        refused(&guard, &server.url(name, "/"), "has private addresses only").await;
    }
    refused(&guard, &server.url("absent.example", "/"), "no such name").await;
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn the_systems_own_names_are_judged_too() {
    let server = Site::start();
    let guard = Guard::new("test/1", &[]).unwrap();
    for name in ["localhost", "LOCALHOST", "localhost."] {
        refused(&guard, &server.url(name, "/"), "").await;
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn of_several_addresses_only_those_are_tried_that_may_be() {
    let (open, shut) = (Site::start(), Site::at("127.0.0.2:0", |_| page(b"secret")));
    for port in [open.address.port(), shut.address.port()] {
        let guard =
            guard(&[("both.example", &["127.0.0.2", "::1", "127.0.0.1"])], &["127.0.0.1/32"]);
        let fetched = get(&guard, &format!("http://both.example:{port}/")).await;
        assert_eq!(fetched.is_ok(), port == open.address.port());
    }
    assert_eq!((open.count(), shut.count()), (1, 0));
}

/// A name server that gives another answer each time: what it says later must not matter.
#[tokio::test]
async fn a_second_answer_cannot_come_between_check_and_connection() {
    let first = Site::at("127.0.0.1:0", |path| match path {
        "/on" => redirect("/again"),
        _ => page(b"first"),
    });
    // the same port on the address that must not be reached
    let second = Site::at(&format!("127.0.0.2:{}", first.address.port()), |_| page(b"second"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let find = move |_: &str| {
        let nth = count.fetch_add(1, Ordering::SeqCst);
        Ok(vec![SocketAddr::new([127, 0, 0, if nth == 0 { 1 } else { 2 }].into(), 0)])
    };
    let guard = through(Arc::new(find), &["127.0.0.1/32"]);
    let fetched = get(&guard, &first.url("rebind.example", "/")).await.unwrap();
    assert_eq!(fetched.body, b"first");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "one request, one answer");
    refused(&guard, &first.url("rebind.example", "/"), "has private addresses only").await;
    // the name is moved while a redirect leads back to it
    asked.store(0, Ordering::SeqCst);
    refused(&guard, &first.url("rebind.example", "/on"), "has private addresses only").await;
    assert_eq!((first.count(), second.count()), (2, 0));
}

#[tokio::test]
async fn every_redirect_is_checked() {
    let inside = Site::at("127.0.0.2:0", |_| page(b"secret"));
    let target = inside.url("127.0.0.2", "/");
    let named = inside.url("inside.example", "/");
    let server = Site::at("127.0.0.1:0", move |path| match path {
        "/address" => redirect(&target),
        "/name" => redirect(&named),
        "/meta" => redirect("http://169.254.169.254/latest/meta-data/"),
        "/six" => redirect("http://[fd00:ec2::254]/"),
        "/file" => redirect("file:///etc/passwd"),
        "/ftp" => redirect("ftp://a.example/"),
        "/port" => redirect("http://a.example:25/"),
        "/none" => answer(302, "", b""),
        "/bad" => redirect("http://"),
        "/loop" => redirect("/loop"),
        path => match path.strip_prefix("/hop/").and_then(|n| n.parse::<u32>().ok()) {
            Some(0) => page(b"there"),
            Some(n) => redirect(&format!("/hop/{}", n - 1)),
            None => answer(404, "", b""),
        },
    });
    let guard = guard(
        &[("a.example", &["127.0.0.1"]), ("inside.example", &["127.0.0.2"])],
        &["127.0.0.1/32"],
    );
    let url = |path: &str| server.url("a.example", path);
    refused(&guard, &url("/address"), "`127.0.0.2` is a private address").await;
    refused(&guard, &url("/name"), "`inside.example` has private addresses only").await;
    refused(&guard, &url("/meta"), "`169.254.169.254` is a private address").await;
    refused(&guard, &url("/six"), "`fd00:ec2::254` is a private address").await;
    refused(&guard, &url("/file"), "`file:` is not fetched").await;
    refused(&guard, &url("/ftp"), "`ftp:` is not fetched").await;
    refused(&guard, &url("/port"), "port 25 is of no web server").await;
    refused(&guard, &url("/none"), "no URL").await;
    refused(&guard, &url("/bad"), "no URL").await;
    refused(&guard, &url("/loop"), "more than 5 times").await;
    refused(&guard, &url("/hop/6"), "more than 5 times").await;
    refused(&guard, &url("/missing"), "answers 404").await;
    assert_eq!(inside.count(), 0);
    let fetched = get(&guard, &url("/hop/5")).await.unwrap();
    assert_eq!(fetched.body, b"there");
    assert_eq!(fetched.url.path(), "/hop/0", "the base of relative links is where it ended");
}

#[tokio::test]
async fn only_the_web_is_asked() {
    let guard = guard(&[("a.example", &["127.0.0.1"])], &["127.0.0.1/32"]);
    for url in ["file:///etc/passwd", "ftp://a.example/", "data:text/html,x", "gopher://a.example/"]
    {
        refused(&guard, url, "is not fetched, want http or https").await;
    }
    for port in [1, 22, 25, 110, 143, 445, 587, 1023] {
        refused(&guard, &format!("http://a.example:{port}/"), "of no web server").await;
    }
    refused(&guard, &format!("http://a.example/{}", "x".repeat(9000)), "no web address").await;
}

#[tokio::test]
async fn a_stranger_learns_nothing_of_the_owner() {
    let server = Site::start();
    let guard = guard(&[("a.example", &["127.0.0.1"])], &["127.0.0.1/32"]);
    let fetched = get(&guard, &server.url("user:pass@a.example", "/x?q=1#part")).await.unwrap();
    assert_eq!(fetched.url.as_str(), server.url("a.example", "/x?q=1"));
    assert_eq!(fetched.content_type.as_deref(), Some("text/html; charset=utf-8"));
    let head = server.heads.lock().unwrap()[0].to_ascii_lowercase();
    assert!(head.starts_with("get /x?q=1 http/1.1\r\n"), "{head}");
    assert!(head.contains("user-agent: test/1\r\n"), "{head}");
    for absent in ["authorization", "cookie", "referer", "origin"] {
        assert!(!head.contains(absent), "{head}");
    }
}

#[tokio::test]
async fn bodies_are_bounded_also_when_decompressed() {
    let server = Site::at("127.0.0.1:0", |path| match path {
        "/fits" => page(&[b'x'; 1000]),
        "/large" => page(&[b'x'; 1001]),
        "/bomb" => answer(200, "content-encoding: gzip\r\n", &gzip(&[0; 1 << 20])),
        "/gzip" => answer(200, "content-encoding: gzip\r\n", &gzip(b"small")),
        "/lie" => answer(200, "content-encoding: gzip\r\n", b"no gzip"),
        "/break" => b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\nabc".to_vec(),
        _ => answer(200, &format!("x: {}\r\n", "y".repeat(70_000)), b""),
    });
    let guard = guard(&[], &["127.0.0.1/32"]);
    let cut = GetLimits { larger: Larger::Cut, ..LIMITS };
    let url = |path: &str| server.url("127.0.0.1", path);
    assert_eq!(get(&guard, &url("/fits")).await.unwrap().body.len(), 1000);
    assert_eq!(get(&guard, &url("/gzip")).await.unwrap().body, b"small");
    refused(&guard, &url("/large"), "larger than 1000 bytes").await;
    refused(&guard, &url("/bomb"), "larger than 1000 bytes").await;
    refused(&guard, &url("/lie"), "is not `gzip`").await;
    refused(&guard, &url("/break"), "broke off").await;
    refused(&guard, &url("/heads"), "headers are larger").await;
    for (path, length) in [("/large", 1000), ("/bomb", 1000), ("/break", 3), ("/gzip", 5)] {
        let fetched = guard.get(&url(path).parse().unwrap(), cut).await.unwrap();
        assert_eq!(fetched.body.len(), length, "{path}");
    }
}

#[tokio::test]
async fn the_whole_ends_within_its_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let guard = guard(&[], &["127.0.0.1/32"]);
    let limits = GetLimits { timeout: Duration::from_millis(100), ..LIMITS };
    let error = guard.get(&url.parse().unwrap(), limits).await.unwrap_err();
    assert_eq!(error.to_string(), "it took longer than 100ms");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
