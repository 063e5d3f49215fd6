//! Answers that break off, swell, or never end.

use super::*;

const LIMIT: Duration = Duration::from_millis(300);

/// Asks a server that gives `reply`.
async fn fail(reply: Reply) -> FetchError {
    fail_within(fetch::TIME_MAX, reply).await
}

async fn fail_within(time_max: Duration, reply: Reply) -> FetchError {
    let server = Server::start(move |_| reply.clone());
    let url = server.url("/");
    let error = ask(&Ask { time_max, ..Ask::new(&url) }).await.expect_err("it was taken");
    assert!(server.requests().len() <= 1, "it was asked again");
    error
}

fn length(length: usize) -> Reply {
    Reply::status(200).header("Content-Length", length.to_string()).end_head()
}

#[tokio::test]
async fn a_drip_and_a_stall_end() {
    let pause = Duration::from_millis(20);
    let slow = [
        ("no head", Reply::raw("").hang()),
        ("half a head", Reply::raw("HTTP/1.1 200 OK\r\nContent-").hang()),
        ("a head in drips", Reply::raw("").drip("HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyy", pause)),
        ("no body", length(500).hang()),
        ("half a body", length(500).bytes(FEED).hang()),
        ("a body in drips", length(500).drip([b' '; 500], pause)),
    ];
    let asked = slow.map(async |(what, reply)| (what, fail_within(LIMIT, reply).await));
    for (what, error) in futures_util::future::join_all(asked).await {
        assert!(matches!(error.cause, Cause::TimedOut(LIMIT)), "{what}: {error}");
        assert_eq!(error.outcome(), Outcome::Failed);
        assert!(error.to_string().ends_with("it took longer than 300ms"), "{error}");
    }
}

#[tokio::test]
async fn the_time_limit_is_over_the_whole_chain() {
    // each hop takes 80 ms: quick enough by itself, not ten of them
    let pause = Duration::from_millis(20);
    let server = Server::start(move |request| {
        let hop: usize = request.target[1..].parse().unwrap();
        let head = format!("HTTP/1.1 302 F\r\nContent-Length: 0\r\nLocation: /{}", hop + 1);
        Reply::raw(head).drip("\r\n\r\n", pause)
    });
    let url = server.url("/0");
    let error = ask(&Ask { time_max: LIMIT, ..Ask::new(&url) }).await.unwrap_err();
    assert!(matches!(error.cause, Cause::TimedOut(LIMIT)), "{error}");
}

#[tokio::test]
async fn what_breaks_off_is_a_failure() {
    let cut_gzip = gzip(FEED.as_bytes());
    let cut_gzip = &cut_gzip[..cut_gzip.len() - 4];
    let coded = |coding: &str| Reply::status(200).header("Content-Encoding", coding);
    let broken = [
        ("closed at once", Reply::raw("").close()),
        ("reset at once", Reply::raw("").reset()),
        ("no HTTP", Reply::raw("220 mail.example.com ESMTP\r\n").close()),
        ("less than its length", length(FEED.len() + 1).bytes(FEED).close()),
        ("reset in the body", length(500).bytes(FEED).reset()),
        (
            "a chunk that is cut",
            Reply::status(200)
                .header("Transfer-Encoding", "chunked")
                .end_head()
                .bytes(format!("{:x}\r\n{FEED}\r\n", FEED.len()))
                .close(),
        ),
        ("gzip that is cut", coded("gzip").body(cut_gzip)),
        ("gzip that is cut with its connection", coded("gzip").end_head().bytes(cut_gzip).close()),
        ("gzip that is none", coded("gzip").body(FEED)),
        ("brotli that is none", coded("br").body(FEED)),
        ("zstd that is none", coded("zstd").body(FEED)),
    ];
    for (what, reply) in broken {
        let error = fail(reply).await;
        let said = error.to_string();
        assert!(said.lines().count() == 1 && said.len() < 160, "{what}: {said}");
        let expected = matches!(error.cause, Cause::Network(_) | Cause::Coding(_));
        assert!(expected, "{what}: {error:?}");
        assert_eq!(error.outcome(), Outcome::Failed, "{what}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_is_a_failure() {
    let url = plain().url("/"); // the server is gone at the end of this line
    let said = get(&url).await.unwrap_err().to_string();
    assert!(said.contains("`: could not connect: Connection refused"), "{said}");
}

#[tokio::test]
async fn an_empty_body_is_a_failure_and_gives_no_validators() {
    for body in ["", " \r\n\t"] {
        let error = fail(Reply::ok(body).header("ETag", "\"1\"")).await;
        assert!(matches!(error.cause, Cause::Empty), "{error}");
    }
}

#[tokio::test]
async fn a_large_body_ends_at_the_limit_whether_announced_or_not() {
    let large = vec![b' '; 8 << 20 | 1];
    let zeros = gzip(&vec![0; 8 << 20 | 1]);
    let swelling = [
        ("announced", length(1 << 40).hang()),
        ("until the end", Reply::status(200).end_head().bytes(&large).hang()),
        (
            "chunked",
            Reply::status(200)
                .header("Transfer-Encoding", "chunked")
                .end_head()
                .bytes("800001\r\n")
                .bytes(&large)
                .hang(),
        ),
        ("bomb", Reply::ok(&zeros).header("Content-Encoding", "gzip")),
    ];
    for (what, reply) in swelling {
        let server = Server::start(move |_| reply.clone());
        let error = get(&server.url("/")).await.unwrap_err();
        assert!(matches!(error.cause, Cause::TooLarge(fetch::BODY_BYTES_MAX)), "{what}: {error}");
    }
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let many = (0..101).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    let replies = [
        Reply::raw(format!("HTTP/1.1 200 OK\r\n{many}\r\n{FEED}")).close(),
        Reply::ok(FEED).header("X", "y".repeat(65 * 1024)),
        Reply::ok(FEED).header("X", "y".repeat(1 << 20)),
    ];
    for reply in replies {
        let error = fail(reply).await;
        let expected = matches!(error.cause, Cause::HeadersTooLarge(_) | Cause::Network(_));
        assert!(expected, "{error:?}");
    }
}

#[tokio::test]
async fn a_line_that_is_no_header_spoils_nothing() {
    let server = Server::start(|_| {
        Reply::raw(format!(
            "HTTP/1.1 200 OK\r\nBad Name: x\r\nX-Folded: a\r\n b\r\nContent-Length: {}\r\n\
             ETag: \"1\"\r\n\r\n{FEED}",
            FEED.len()
        ))
    });
    let url = server.url("/");
    let body = body(get(&url).await.unwrap());
    assert_eq!(body.validators, Some(validators(&url, b"\"1\"", b"")));
}

#[tokio::test]
async fn every_coding_is_read() {
    // the same text through `brotli` and `zstd`
    let brotli = b"\x1b#\x00\xe8\x05jr\xa4\x0f\x16\xc8/\xa3.\xad\xedk\x12\xa1\xea\xa0\xa5{a\xfa\
                   /A\xb8\x02";
    let zstd = b"(\xb5/\xfd\x04h\xcd\x00\x00\x98<feed>posse </feed>\x01\x00\x99K\x12\xb3\xaf\x8f)";
    let text = b"<feed>posse posse posse posse</feed>";
    let plain_gzip = gzip(text);
    let bodies: [(&str, &[u8]); 5] = [
        ("gzip", &plain_gzip),
        ("br", brotli),
        ("zstd", zstd),
        ("identity", text),
        ("UTF-8", text),
    ];
    for (coding, bytes) in bodies {
        let bytes = bytes.to_vec();
        let server = Server::start(move |_| Reply::ok(&bytes).header("Content-Encoding", coding));
        assert_eq!(body(get(&server.url("/")).await.unwrap()).bytes, text, "{coding}");
    }
}

#[tokio::test]
async fn one_slow_feed_holds_up_no_other() {
    let server = Server::start(|request| match request.path() {
        "/slow" => Reply::raw("").hang(),
        _ => Reply::ok(FEED),
    });
    let client = client();
    let (slow, quick) = (server.url("/slow"), server.url("/quick"));
    let (slow, quick) = (Ask::new(&slow), Ask::new(&quick));
    tokio::select! {
        biased;
        slow = fetch::fetch(&client, &slow, NOW) => panic!("{slow:?}"),
        quick = fetch::fetch(&client, &quick, NOW) => assert!(quick.is_ok()),
    }
}
