//! Bytes: requests in, answers out, and what goes wrong in between.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Map, Value};

use super::{Refusal, Reply, Seen, State, Trouble, lock};

pub(super) fn listen(listener: TcpListener, state: &Arc<Mutex<State>>) -> JoinHandle<()> {
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut locked = lock(&state);
            if locked.down {
                return;
            }
            locked.streams.push(stream.try_clone().unwrap());
            drop(locked);
            let state = Arc::clone(&state);
            std::thread::spawn(move || serve(&stream, &state));
        }
    })
}

/// Serves one connection to its end.
fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(seen) = request(&mut reader) {
        let (trouble, reply) = {
            let mut state = lock(state);
            let trouble = state.next_trouble(seen.call);
            if matches!(trouble, Some(Trouble::HangUp)) {
                break; // as if it had never come
            }
            state.tick();
            state.seen.push(seen.clone());
            if let Some(Trouble::Late(others)) = trouble {
                state.late.push((others, seen));
                break;
            }
            let spared = matches!(
                trouble,
                Some(
                    Trouble::Refuse(..)
                        | Trouble::RefuseInWords(..)
                        | Trouble::Html(_)
                        | Trouble::Redirect(_)
                )
            );
            let done = (!spared).then(|| state.answer(&seen));
            let reply = match trouble.clone() {
                Some(trouble) => instead(&state, trouble, done),
                None => done,
            };
            (trouble, reply)
        };
        let mut out = stream;
        match (trouble, reply) {
            (Some(Trouble::Silence), _) => {
                let _ = out.read(&mut [0; 1]); // until the other side gives up
                break;
            }
            (Some(Trouble::Truncate), Some(reply)) => {
                let bytes = bytes(&reply);
                let _ = out.write_all(&bytes[..bytes.len() - reply.body.len() / 2]);
                break;
            }
            (_, Some(reply)) if out.write_all(&bytes(&reply)).is_ok() => {}
            _ => break,
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// What is said in place of the answer.
fn instead(state: &State, trouble: Trouble, done: Option<Reply>) -> Option<Reply> {
    let page = |status, headers| Reply {
        status,
        headers,
        kind: "text/html",
        body: b"<html><body>Sorry, something went wrong.</body></html>".to_vec(),
    };
    let refusal = |code, subcode: Option<i64>, message: &str, in_words| {
        let refusal = Refusal { subcode, ..Refusal::new(code, message) };
        state.reply(Err(refusal.body(in_words)))
    };
    Some(match trouble {
        Trouble::HangUp | Trouble::Lose | Trouble::Late(_) => return None,
        Trouble::Silence | Trouble::Truncate => return done,
        Trouble::Garbage => page(200, Vec::new()),
        Trouble::DoneThenFail => page(500, Vec::new()),
        Trouble::DoneThenRefuse(code, subcode) => refusal(code, subcode, "so it says", true),
        Trouble::Without(key) => {
            let done = done?;
            let mut body: Map<String, Value> = serde_json::from_slice(&done.body).unwrap();
            body.remove(key).expect("the answer has it otherwise");
            Reply { body: Value::Object(body).to_string().into_bytes(), ..done }
        }
        Trouble::Refuse(code, subcode, message) => refusal(code, subcode, message, false),
        Trouble::RefuseInWords(code, subcode, message) => refusal(code, subcode, message, true),
        Trouble::Html(status) => page(status, Vec::new()),
        Trouble::Redirect(to) => page(302, vec![("location".into(), to)]),
    })
}

fn request(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(Some(0), |length| length.parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut params: BTreeMap<String, String> = BTreeMap::new();
    for part in [query.as_bytes(), &body] {
        params.extend(url::form_urlencoded::parse(part).into_owned());
    }
    let call = call(&method, path, &params);
    Some(Seen { call, method, target, headers, params })
}

/// What a request is.
fn call(method: &str, path: &str, params: &BTreeMap<String, String>) -> &'static str {
    let fields = params.get("fields").map_or("", String::as_str);
    match (method, path) {
        ("POST", "/v1.0/me/threads") => "create",
        ("GET", "/v1.0/me/threads") => "list",
        ("POST", "/v1.0/me/threads_publish") => "publish",
        ("GET", "/v1.0/me/threads_publishing_limit") => "quota",
        ("GET", "/v1.0/me") => "me",
        ("POST", "/v1.0/debug_token") => "debug",
        ("GET" | "POST", "/refresh_access_token") => "renew",
        ("POST", "/access_token") => "exchange",
        ("POST", "/oauth/access_token") => "code",
        ("GET", path) if path.starts_with("/v1.0/") && fields == "permalink" => "page",
        ("GET", path) if path.starts_with("/v1.0/") => "look",
        _ => "unknown",
    }
}

fn bytes(reply: &Reply) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {} Answer\r\ncontent-type: {}\r\ncontent-length: {}\r\n",
        reply.status,
        reply.kind,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", &reply.body].concat()
}
