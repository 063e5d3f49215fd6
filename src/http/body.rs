//! Body: undoes the content coding of a body, within a limit.
//!
//! The clients don't decompress by themselves, because then the size on the wire, `Content-Length`
//! and a cut at the end are out of sight. **Invariant:** never more than `bytes_max` (and one
//! buffer) is decompressed; a stream that ends before its own end is an error. **Refuses:** zstd
//! windows above 8 MiB (RFC 9659), more than two codings on top of each other.

use std::io::{self, BufRead, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

/// What this program can read: the value of `Accept-Encoding`.
pub const ACCEPTED: &str = "gzip, br, zstd";

/// The largest zstd window, in bytes: what RFC 9659 lets a server use.
const ZSTD_WINDOW_BYTES_MAX: u64 = 8 << 20;
/// Two are seen where a proxy compresses what was compressed; more are an attack.
const CODINGS_MAX: usize = 2;

/// A body whose coding can't be undone.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// More than the limit came out.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// It is cut or damaged, or not in this coding at all.
    #[error("the body is cut or is not `{coding}`: {why}")]
    Broken {
        /// As the server named it.
        coding: String,
        /// What the decoder says.
        why: String,
    },
    /// More codings than anyone needs.
    #[error("the body is compressed {0} times")]
    TooDeep(usize),
}

/// Undoes the codings named by `Content-Encoding`, last one first, to at most `bytes_max` bytes.
///
/// `identity` and names that nobody registered (`utf-8` is seen in the wild) leave the body as it
/// is, as browsers do. It blocks for as long as the decoder runs, which `bytes_max` and the size
/// of the body bound.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(
    content_encoding: &str,
    body: Vec<u8>,
    bytes_max: usize,
) -> Result<Vec<u8>, DecodeError> {
    let codings: Vec<&str> =
        content_encoding.split(',').map(str::trim).filter(|coding| is_known(coding)).collect();
    if codings.len() > CODINGS_MAX {
        return Err(DecodeError::TooDeep(codings.len()));
    }
    codings.into_iter().rev().try_fold(body, |body, coding| {
        let broken = |error: io::Error| DecodeError::Broken {
            coding: coding.into(),
            why: error.to_string(),
        };
        let body = undo(&coding.to_ascii_lowercase(), &body, bytes_max).map_err(broken)?;
        if body.len() > bytes_max { Err(DecodeError::TooLarge(bytes_max)) } else { Ok(body) }
    })
}

/// Whether [`undo`] does something about this coding.
pub fn is_known(coding: &str) -> bool {
    ["gzip", "x-gzip", "deflate", "br", "zstd"].iter().any(|c| c.eq_ignore_ascii_case(coding))
}

/// At most one byte more than `bytes_max`, which tells that there was more.
fn undo(coding: &str, body: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let limit = bytes_max as u64 + 1;
    match coding {
        "gzip" | "x-gzip" => gunzip(body, limit, &mut out)?,
        "deflate" if is_zlib(body) => read(ZlibDecoder::new(body), limit, &mut out)?,
        "deflate" => read(DeflateDecoder::new(body), limit, &mut out)?,
        "br" => read(brotli_decompressor::Decompressor::new(body, 4096), limit, &mut out)?,
        _ => unzstd(body, limit, &mut out)?,
    }
    Ok(out)
}

fn read(decoder: impl Read, limit: u64, out: &mut Vec<u8>) -> io::Result<()> {
    decoder.take(limit - out.len() as u64).read_to_end(out).map(|_| ())
}

/// All members (RFC 1952, section 2.2); what follows them and isn't one is padding.
fn gunzip(mut body: &[u8], limit: u64, out: &mut Vec<u8>) -> io::Result<()> {
    loop {
        read(GzDecoder::new(&mut body), limit, out)?;
        if out.len() as u64 >= limit || !body.starts_with(b"\x1f\x8b") {
            return Ok(());
        }
    }
}

/// All frames; those that are to be skipped are skipped.
fn unzstd(mut body: &[u8], limit: u64, out: &mut Vec<u8>) -> io::Result<()> {
    use ruzstd::decoding::StreamingDecoder;
    use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
    loop {
        match StreamingDecoder::new_with_max_window_size(&mut body, ZSTD_WINDOW_BYTES_MAX) {
            Ok(frame) => read(frame, limit, out)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                if length > body.len() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                body.consume(length);
            }
            Err(error) => return Err(io::Error::other(error.to_string())),
        }
        if out.len() as u64 >= limit || body.is_empty() {
            return Ok(());
        }
    }
}

/// RFC 1950: method 8, and a check over the first two bytes. `deflate` means zlib, but some
/// servers send it bare.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [a, b, ..] if a & 0x0f == 8 && u16::from_be_bytes([*a, *b]).is_multiple_of(31))
}
