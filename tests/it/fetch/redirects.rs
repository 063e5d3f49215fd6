//! Chains of redirects: which count as permanent, how long they may be, and what may go along.

use super::*;

/// `/301/302/end` redirects with 301 to `/302/end`, and so on; `/end` is the feed.
fn chains() -> Server {
    Server::start(|request| match request.path().split_once('/').unwrap().1.split_once('/') {
        Some((status, rest)) => Reply::redirect(status.parse().unwrap(), format!("/{rest}")),
        None => match request.path() {
            "/end" => Reply::ok(FEED),
            path => Reply::status(path[1..].parse().unwrap()),
        },
    })
}

#[tokio::test]
async fn a_chain_is_permanent_up_to_its_first_temporary_hop() {
    let server = chains();
    let cases = [
        ("/end", None),
        ("/301/end", Some("/end")),
        ("/308/301/end", Some("/end")),
        ("/301/302/end", Some("/302/end")),
        ("/301/307/308/end", Some("/307/308/end")),
        ("/302/301/end", None),
        ("/303/end", None),
        ("/307/end", None),
    ];
    for (start, permanent) in cases {
        let fetched = get(&server.url(start)).await.unwrap();
        assert_eq!(fetched.url, server.url("/end"), "{start}");
        assert_eq!(fetched.permanent, permanent.map(|path| server.url(path)), "{start}");
    }
    assert!(server.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn ten_hops_are_followed_and_no_more() {
    let server = chains();
    let hops = |count: usize| server.url(&format!("{}/end", "/302".repeat(count)));
    assert!(get(&hops(REDIRECTS_MAX)).await.is_ok());
    let before = server.requests().len();
    let error = get(&hops(REDIRECTS_MAX + 1)).await.unwrap_err();
    assert!(matches!(error.cause, Cause::TooManyRedirects), "{error}");
    assert_eq!(server.requests().len() - before, REDIRECTS_MAX + 1);
}

#[tokio::test]
async fn circles_and_dead_ends_are_failures() {
    let server = Server::start(|request| match request.path() {
        "/self" => Reply::redirect(301, "/self"),
        "/ping" => Reply::redirect(302, "/pong"),
        "/pong" => Reply::redirect(302, "/ping"),
        "/nowhere" => Reply::status(301),
        "/bad" => Reply::redirect(301, "http://["),
        "/bytes" => Reply::redirect(301, b"/\xff\xfe"),
        "/file" => Reply::redirect(301, "file:///etc/hostname"),
        "/ftp" => Reply::redirect(302, "ftp://127.0.0.1/"),
        "/data" => Reply::redirect(302, "data:application/rss+xml,<rss/>"),
        _ => Reply::status(500),
    });
    let check = async |path: &str, requests: usize| {
        let before = server.requests().len();
        let error = get(&server.url(path)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Failed, "{path}");
        assert_eq!(server.requests().len() - before, requests, "{path}: {error}");
        error.cause
    };
    assert!(matches!(check("/self", 1).await, Cause::Circle));
    assert!(matches!(check("/ping", 2).await, Cause::Circle));
    assert!(matches!(check("/nowhere", 1).await, Cause::NoLocation(301)));
    assert!(matches!(check("/bad", 1).await, Cause::BadLocation));
    assert!(matches!(check("/bytes", 1).await, Cause::BadLocation));
    for path in ["/file", "/ftp", "/data"] {
        assert!(matches!(check(path, 1).await, Cause::Scheme(_)), "{path}");
    }
}

#[tokio::test]
async fn a_410_behind_a_redirect_is_final_only_where_the_redirect_is() {
    let server = chains();
    for (start, outcome) in [
        ("/410", Outcome::Gone),
        ("/301/410", Outcome::Gone),
        ("/302/410", Outcome::Failed),
        ("/301/302/410", Outcome::Failed),
        ("/301/404", Outcome::Failed),
        ("/301/429", Outcome::Limited),
    ] {
        let error = get(&server.url(start)).await.unwrap_err();
        assert_eq!(error.outcome(), outcome, "{start}");
        // it names the place that refused
        let refused = start.rsplit('/').next().unwrap();
        assert_eq!(error.url, server.url(&format!("/{refused}")));
    }
}

#[tokio::test]
async fn validators_go_to_the_url_that_gave_them_and_nowhere_else() {
    let far = Server::start(|request| match request.header("if-none-match") {
        Some("\"far\"") => Reply::status(304),
        _ => Reply::ok(FEED).header("ETag", "\"far\""),
    });
    let target = far.url("/feed");
    let near = Server::start(move |request| match request.path() {
        "/away" => Reply::redirect(302, target.as_str()),
        _ => Reply::redirect(302, "/away"),
    });

    // those of the first URL go to it and not along, neither to this host nor to another one
    let start = near.url("/feed");
    let known = validators(&start, b"\"near\"", b"then");
    let fetched = ask(&Ask { validators: Some(&known), ..Ask::new(&start) }).await.unwrap();
    assert_eq!(near.requests()[0].header("if-none-match"), Some("\"near\""));
    assert_eq!(near.requests()[1].header("if-none-match"), None);
    assert_eq!(far.requests()[0].header("if-none-match"), None);
    assert_eq!(far.requests()[0].header("if-modified-since"), None);

    // those of the last URL are its own: the next poll is conditional there and only there
    let known = body(fetched).validators.unwrap();
    assert_eq!(known, validators(&far.url("/feed"), b"\"far\"", b""));
    let again = ask(&Ask { validators: Some(&known), ..Ask::new(&start) }).await.unwrap();
    assert!(matches!(again.answer, Answer::Unchanged(_)));
    assert_eq!(near.requests()[2].header("if-none-match"), None);
}

#[tokio::test]
async fn credentials_go_to_the_owners_host_only() {
    let other = plain();
    let (by_name, by_port) = (other.url_at("localhost", "/b"), other.url("/b"));
    let own = Server::start(move |request| match request.path() {
        "/same" => Reply::redirect(301, "/feed"),
        "/port" => Reply::redirect(301, by_port.as_str()),
        "/name" => Reply::redirect(301, by_name.as_str()),
        _ => Reply::ok(FEED),
    });
    let with = |path: &str| own.url_at("me:pa%3Ass@127.0.0.1", path);
    // RFC 7617: base64 of `me:pa:ss`
    let basic = Some("Basic bWU6cGE6c3M=");

    let fetched = get(&with("/same")).await.unwrap();
    assert_eq!(fetched.url, own.url("/feed"), "without credentials");
    assert_eq!(fetched.permanent, Some(own.url("/feed")), "without credentials");
    for path in ["/port", "/name"] {
        get(&with(path)).await.unwrap();
    }
    assert!(own.requests().iter().all(|request| request.header("authorization") == basic));
    assert_eq!(own.requests().len(), 4);
    assert!(other.requests().iter().all(|r| r.header("authorization").is_none()));
    assert_eq!(other.requests().len(), 2);
}

#[tokio::test]
async fn a_host_that_names_another_one_gives_it_no_validators() {
    let server = Server::start(|request| match request.header("host").unwrap() {
        host if host.starts_with("localhost") => Reply::ok(FEED),
        host => {
            let port = host.rsplit(':').next().unwrap();
            Reply::redirect(301, format!("http://localhost:{port}{}", request.target))
        }
    });
    // the same path and port, only the name differs
    let url = server.url_at("me:secret@127.0.0.1", "/feed");
    let known = validators(&server.url("/feed"), b"\"1\"", b"then");
    let fetched = ask(&Ask { validators: Some(&known), ..Ask::new(&url) }).await.unwrap();
    assert_eq!(fetched.url, server.url_at("localhost", "/feed"));
    let requests = server.requests();
    assert_eq!(requests[0].header("if-none-match"), Some("\"1\""));
    for name in ["if-none-match", "if-modified-since", "authorization"] {
        assert_eq!(requests[1].header(name), None, "{name}");
    }
}

#[tokio::test]
async fn where_a_feed_has_moved_to_is_asked_directly() {
    let server = chains();
    let (owner, moved) = (server.url_at("me:secret@127.0.0.1", "/301/end"), server.url("/end"));
    let fetched = ask(&Ask { moved_to: Some(&moved), ..Ask::new(&owner) }).await.unwrap();
    assert_eq!((fetched.url, fetched.permanent), (moved, None));
    let [request] = &server.requests()[..] else { panic!("not one request") };
    assert_eq!(request.header("authorization"), Some("Basic bWU6c2VjcmV0"));
}
