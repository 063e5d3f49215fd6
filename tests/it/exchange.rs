//! Exchange: a request and its answer as bytes, for what stands between a client and a server.
//!
//! They are handed on as they are, but for `Host` and `Connection`: each exchange has a connection
//! of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server may say nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// The whole answer of `upstream`; what came of it where it breaks off, or nothing.
pub fn ask(upstream: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let Ok(mut stream) = TcpStream::connect(upstream) else { return answer };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    if stream.write_all(request).is_ok() {
        let _ = read_answer(&mut stream, &mut answer);
    }
    answer
}

/// Reads one answer: its head, and as much of a body as that announces, or all that comes.
fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Option<()> {
    let end = head_end(stream, answer)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    match field(&head, "content-length") {
        Some(length) => fill(stream, answer, end + length.parse::<usize>().ok()?),
        None => stream.read_to_end(answer).ok().map(drop),
    }
}

/// The bytes of the head of an answer, with the empty line; none where it is not whole.
pub fn head_length(answer: &[u8]) -> Option<usize> {
    answer.windows(4).position(|it| it == b"\r\n\r\n").map(|at| at + 4)
}

/// Reads one request, and makes it one to `upstream` after which the connection ends. Its method
/// and path go before.
pub fn read_request(
    line: &mut (impl Read + ?Sized),
    upstream: SocketAddr,
) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = head_end(line, &mut bytes)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    if let Some(length) = field(&head, "content-length") {
        fill(line, &mut bytes, end + length.parse::<usize>().ok()?)?;
    } else if field(&head, "transfer-encoding").is_some() {
        while !bytes.ends_with(b"0\r\n\r\n") {
            more(line, &mut bytes)?;
        }
    }
    let first = head.lines().next()?.to_owned();
    let mut out = format!("{first}\r\nHost: {upstream}\r\nConnection: close\r\n");
    for header in head.lines().skip(1).filter(|it| !it.is_empty()) {
        let name = header.split(':').next()?.to_ascii_lowercase();
        if name == "connection" {
            continue;
        }
        if name == "host" {
            out += "X-Forwarded-";
        }
        out += header;
        out += "\r\n";
    }
    out += "\r\n";
    let mut out = out.into_bytes();
    out.extend_from_slice(&bytes[end..]);
    let mut words = first.split([' ', '?']);
    Some((format!("{} {}", words.next()?, words.next()?), out))
}

fn head_end(line: &mut (impl Read + ?Sized), bytes: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(length) = head_length(bytes) {
            return Some(length);
        }
        more(line, bytes)?;
    }
}

fn fill(line: &mut (impl Read + ?Sized), bytes: &mut Vec<u8>, length: usize) -> Option<()> {
    while bytes.len() < length {
        more(line, bytes)?;
    }
    Some(())
}

fn more(line: &mut (impl Read + ?Sized), bytes: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 * 1024];
    match line.read(&mut buffer) {
        Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
        _ => return None,
    }
    Some(())
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}
