//! GIF: blocks of sub-blocks.

use super::{Bare, Rest};

const END: u8 = 0x3b;
const IMAGE: u8 = 0x2c;
const EXTENSION: u8 = 0x21;
/// Extensions of the format itself: text that is drawn, and how the next frame is shown.
const TEXT: u8 = 0x01;
const CONTROL: u8 = 0xf9;
/// An extension of a program.
const PROGRAM: u8 = 0xff;
/// How often it moves, and the colour profile.
const NEEDED: [&[u8]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

/// The file up to its end. `None`: it is cut off.
pub fn bare(bytes: &[u8]) -> Option<Bare<'_>> {
    let mut rest = Rest(bytes);
    let mut kept = Vec::with_capacity(bytes.len());
    let head = rest.take(13)?;
    kept.extend(head);
    kept.extend(rest.take(colours(head[10]))?);
    let mut frames = 0_u32;
    loop {
        let before = rest.0;
        let is_needed = match rest.byte() {
            // between two blocks, and with a frame: nothing of it is missing
            None if frames > 0 => break,
            Some(END) if frames > 0 => break,
            // what some writers fill gaps with
            Some(0) => false,
            Some(IMAGE) => {
                frames += 1;
                let head = rest.take(9)?;
                rest.take(colours(head[8]) + 1)?;
                sub_blocks(&mut rest)?;
                true
            }
            Some(EXTENSION) => {
                let label = rest.byte()?;
                let first = rest.0.get(1..).unwrap_or_default();
                let is_needed = match label {
                    TEXT | CONTROL => true,
                    PROGRAM => NEEDED.iter().any(|name| first.starts_with(name)),
                    _ => false,
                };
                sub_blocks(&mut rest)?;
                is_needed
            }
            _ => return None,
        };
        if is_needed {
            kept.extend(&before[..before.len() - rest.0.len()]);
        }
    }
    kept.push(END);
    Some(Bare { moves: frames > 1, ..Bare::new(bytes, kept) })
}

/// The bytes of the table of colours that these flags tell of.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn sub_blocks(rest: &mut Rest<'_>) -> Option<()> {
    loop {
        match rest.byte()? {
            0 => return Some(()),
            length => rest.take(usize::from(length))?,
        };
    }
}
