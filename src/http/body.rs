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
    codings(content_encoding)?.into_iter().rev().try_fold(body, |body, coding| {
        let mut out = Vec::new();
        undo(coding, &body, bytes_max, &mut out).map_err(|error| broken(coding, &error))?;
        if out.len() > bytes_max { Err(DecodeError::TooLarge(bytes_max)) } else { Ok(out) }
    })
}

/// Undoes the codings as [`decode`] does, to the first `bytes_max` bytes. A body that is cut gives
/// what it holds up to there.
///
/// # Errors
/// [`DecodeError`], where not even a first byte comes out.
pub fn decode_start(
    content_encoding: &str,
    body: Vec<u8>,
    bytes_max: usize,
) -> Result<Vec<u8>, DecodeError> {
    codings(content_encoding)?.into_iter().rev().try_fold(body, |body, coding| {
        let mut out = Vec::new();
        match undo(coding, &body, bytes_max, &mut out) {
            Err(error) if out.is_empty() => Err(broken(coding, &error)),
            _ => {
                out.truncate(bytes_max);
                Ok(out)
            }
        }
    })
}

/// The codings that are to be undone, in the order in which they were applied.
fn codings(content_encoding: &str) -> Result<Vec<&str>, DecodeError> {
    let codings: Vec<&str> =
        content_encoding.split(',').map(str::trim).filter(|coding| is_known(coding)).collect();
    if codings.len() > CODINGS_MAX {
        return Err(DecodeError::TooDeep(codings.len()));
    }
    Ok(codings)
}

fn broken(coding: &str, error: &io::Error) -> DecodeError {
    DecodeError::Broken { coding: coding.into(), why: error.to_string() }
}

/// Whether [`decode`] does something about this coding.
pub fn is_known(coding: &str) -> bool {
    ["gzip", "x-gzip", "deflate", "br", "zstd"].iter().any(|c| c.eq_ignore_ascii_case(coding))
}

/// At most one byte more than `bytes_max`, which tells that there was more. What came before an
/// error is in `out`.
fn undo(coding: &str, body: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let limit = bytes_max as u64 + 1;
    match &*coding.to_ascii_lowercase() {
        "gzip" | "x-gzip" => gunzip(body, limit, out),
        "deflate" if is_zlib(body) => read(ZlibDecoder::new(body), limit, out),
        "deflate" => read(DeflateDecoder::new(body), limit, out),
        "br" => read(brotli_decompressor::Decompressor::new(body, 4096), limit, out),
        _ => unzstd(body, limit, out),
    }
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"<feed>posse posse posse posse</feed>";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// [`TEXT`] in each coding; brotli and zstd as their own command line tools write it.
    fn samples() -> Vec<(&'static str, Vec<u8>)> {
        let of = |base64: &str| BASE64_STANDARD.decode(base64).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(TEXT).unwrap();
        bare.write_all(TEXT).unwrap();
        vec![
            ("gzip", gzip(TEXT)),
            ("X-GZip", gzip(TEXT)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", bare.finish().unwrap()),
            ("br", of("GyMA6AVqcqQPFsgvoy6t7WsSoeqgpXth+i9BuAI=")),
            ("zstd", of("KLUv/QRozQAAmDxmZWVkPnBvc3NlIDwvZmVlZD4BAJlLErOvjyk=")),
        ]
    }

    /// What comes out, or why nothing does.
    fn check(coding: &str, body: &[u8], expect: Result<&[u8], &str>) {
        let decoded = decode(coding, body.to_vec(), TEXT.len());
        match (decoded, expect) {
            (Ok(bytes), Ok(expect)) => assert_eq!(bytes, expect, "{coding}"),
            (Err(error), Err(expect)) => {
                assert!(error.to_string().contains(expect), "{coding}: {error}");
            }
            (decoded, expect) => panic!("{coding}: {decoded:?}, want {expect:?}"),
        }
    }

    #[test]
    fn every_coding_is_undone() {
        for (coding, body) in samples() {
            check(coding, &body, Ok(TEXT));
            check(&format!("{coding}, identity"), &body, Ok(TEXT));
        }
        for plain in ["", "identity", "utf-8", "none, "] {
            check(plain, TEXT, Ok(TEXT));
        }
        check("br, gzip", &gzip(&samples()[4].1), Ok(TEXT));
        check("gzip,gzip,gzip", b"", Err("compressed 3 times"));
    }

    #[test]
    fn a_cut_anywhere_is_seen() {
        for (coding, body) in samples() {
            for end in 0..body.len() {
                check(coding, &body[..end], Err("cut or is not"));
            }
        }
    }

    #[test]
    fn the_start_of_what_is_cut_or_too_large_can_be_had() {
        let text: Vec<u8> = (0..20_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let whole = gzip(&text);
        let start = |body: &[u8], most| decode_start("gzip", body.to_vec(), most);
        assert_eq!(start(&whole, 1 << 20).unwrap(), text);
        assert_eq!(start(&whole, 100).unwrap(), text[..100]);
        let half = start(&whole[..whole.len() / 2], 1 << 20).unwrap();
        assert!(half.len() > 1000 && text.starts_with(&half), "{} bytes", half.len());
        assert!(start(b"<html>", 100).is_err(), "nothing of it can be read");
        assert!(start(b"", 100).is_err());
    }

    #[test]
    fn what_is_in_another_coding_than_it_says_is_an_error() {
        for (coding, _) in samples() {
            check(coding, b"\x00<feed/>", Err("cut or is not"));
        }
        let mut damaged = gzip(TEXT);
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        check("gzip", &damaged, Err("cut or is not"));
    }

    #[test]
    fn bombs_end_at_the_limit() {
        let nine_mib_of_zeros = BASE64_STANDARD.decode("y///P/gnAOKxQCD3/q/+/x//BEAcFgHo3j8A");
        let zeros = vec![0; 9 << 20];
        let zstd = ruzstd::encoding::compress_to_vec(
            zeros.as_slice(),
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        for (coding, bomb) in
            [("br", nine_mib_of_zeros.unwrap()), ("gzip", gzip(&zeros)), ("zstd", zstd)]
        {
            let error = decode(coding, bomb, 8 << 20).unwrap_err();
            assert!(matches!(error, DecodeError::TooLarge(8_388_608)), "{coding}: {error}");
        }
        // one byte too much, and exactly as much as may be
        check("gzip", &gzip(&[TEXT, b"!"].concat()), Err("larger than 36 bytes"));
        check("gzip, gzip", &gzip(&gzip(&zeros)), Err("larger than 36 bytes"));
    }

    #[test]
    fn a_zstd_window_beyond_what_servers_may_use_is_refused() {
        // magic, no flags, window descriptor 17 << 3: 128 MiB, one empty last block
        let window = |log: u8| vec![0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 1, 0, 0];
        check("zstd", &window(27), Err("cut or is not"));
        check("zstd", &window(23), Ok(b""));
    }

    #[test]
    fn members_and_frames_are_put_together_and_padding_is_passed_over() {
        let (head, tail) = TEXT.split_at(9);
        let members = [gzip(head), gzip(tail)].concat();
        check("gzip", &members, Ok(TEXT));
        check("gzip", &[&members[..], &[0; 512]].concat(), Ok(TEXT));
        check("gzip", &members[..members.len() - 1], Err("cut or is not"));
        let zstd = samples().pop().unwrap().1;
        let skipped = b"\x50\x2a\x4d\x18\x02\0\0\0hi";
        check("zstd", &[skipped, &zstd[..]].concat(), Ok(TEXT));
        check("zstd", &[&zstd[..], skipped].concat(), Ok(TEXT));
        check("zstd", &skipped[..9], Err("cut or is not"));
    }
}
