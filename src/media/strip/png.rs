//! PNG: chunks.

use super::{Bare, Rest};

/// What is needed to show a still picture; its own frames are chunks that others pass over.
const NEEDED: [&[u8; 4]; 15] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP",
    b"mDCV", b"cLLI", b"sBIT", b"bKGD", b"pHYs",
];

/// The file up to its end. `None`: it is cut off.
pub fn bare(bytes: &[u8]) -> Option<Bare<'_>> {
    let mut rest = Rest(bytes);
    let mut kept = Vec::with_capacity(bytes.len());
    kept.extend(rest.take(8)?);
    let mut moves = false;
    loop {
        let whole = rest.0;
        let length = usize::try_from(u32::from_be_bytes(rest.array()?)).ok()?;
        let name: [u8; 4] = rest.array()?;
        let body = rest.take(length)?;
        // of its check sum
        rest.take(4)?;
        // how many frames there are
        moves |=
            &name == b"acTL" && body.first_chunk().is_some_and(|frames| *frames > [0, 0, 0, 1]);
        // an unknown one with a large first letter can't be done without, says the format
        if NEEDED.contains(&&name) || name[0].is_ascii_uppercase() {
            kept.extend(&whole[..length + 12]);
        }
        if &name == b"IEND" {
            return Some(Bare { moves, ..Bare::new(bytes, kept) });
        }
    }
}
