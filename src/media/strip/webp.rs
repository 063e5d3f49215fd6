//! WebP: chunks of RIFF.

use super::{Bare, Rest};

/// What is needed to show the picture.
const NEEDED: [&[u8; 4]; 7] = [b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"];
/// Flags of the first chunk: there is EXIF, there is XMP.
const SAYS_MORE: u8 = 0x0c;
const MOVES: u8 = 0x02;

/// The file up to its end. `None`: it is cut off.
pub fn bare(bytes: &[u8]) -> Option<Bare<'_>> {
    let mut file = Rest(bytes);
    file.take(4)?;
    let length = usize::try_from(u32::from_le_bytes(file.array()?)).ok()?;
    let mut rest = Rest(file.take(length)?);
    let mut kept = bytes[..8].to_vec();
    kept.extend(rest.take(4)?);
    let mut moves = false;
    while !rest.0.is_empty() {
        let name: [u8; 4] = rest.array()?;
        let length = usize::try_from(u32::from_le_bytes(rest.array()?)).ok()?;
        let body = rest.take(length)?;
        if length % 2 == 1 {
            // some writers leave the last one out
            rest.byte();
        }
        if !NEEDED.contains(&&name) {
            continue;
        }
        kept.extend(name);
        kept.extend(u32::try_from(length).ok()?.to_le_bytes());
        let start = kept.len();
        kept.extend(body);
        if &name == b"VP8X" {
            let flags = kept.get_mut(start)?;
            moves = *flags & MOVES != 0;
            *flags &= !SAYS_MORE;
        }
        kept.extend((length % 2 == 1).then_some(0));
    }
    let length = u32::try_from(kept.len() - 8).ok()?;
    kept[4..8].copy_from_slice(&length.to_le_bytes());
    Some(Bare { moves, ..Bare::new(bytes, kept) })
}
