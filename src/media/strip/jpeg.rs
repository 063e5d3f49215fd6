//! JPEG: segments, and scans between them.

use super::{Bare, Rest};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const COMMENT: u8 = 0xfe;
/// The bytes of a JFIF segment that has no small picture of its own.
const JFIF_BYTES: usize = 14;

/// The file up to its end; a second picture behind it (MPO, a film, a gain map) does not come
/// along. `None`: it is cut off.
pub fn bare(bytes: &[u8]) -> Option<Bare<'_>> {
    let mut rest = Rest(bytes);
    let mut kept = Vec::with_capacity(bytes.len());
    kept.extend([0xff, START]);
    rest.take(2).filter(|start| **start == [0xff, START])?;
    let (mut colours, mut is_progressive, mut scans) = (0, false, 0_u32);
    loop {
        let marker = marker(&mut rest)?;
        match marker {
            END if scans > 0 => break,
            // restarts belong into scans; here they are a stray of a poor encoder
            END | START | 0x01 | 0xd0..=0xd7 => continue,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(rest.array()?));
        let body = rest.take(length.checked_sub(2)?)?;
        if let 0xc0..=0xcf = marker
            && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
        {
            colours = *body.get(5)?;
            is_progressive = matches!(marker, 0xc2 | 0xc6 | 0xca | 0xce);
        }
        segment(&mut kept, marker, body);
        if marker == SCAN {
            scans += 1;
            kept.extend(scan(&mut rest)?);
        }
    }
    kept.extend([0xff, END]);
    Some(Bare { colours, is_progressive, ..Bare::new(bytes, kept) })
}

/// The next marker, whatever stands before it.
fn marker(rest: &mut Rest<'_>) -> Option<u8> {
    while rest.byte()? != 0xff {}
    loop {
        match rest.byte()? {
            0xff => {}
            0 => while rest.byte()? != 0xff {},
            marker => return Some(marker),
        }
    }
}

/// Keeps a segment that is needed to show the picture.
fn segment(kept: &mut Vec<u8>, marker: u8, body: &[u8]) {
    let is_needed = match marker {
        0xe0 => body.starts_with(b"JFIF\0") && body.len() >= JFIF_BYTES,
        0xe2 => body.starts_with(b"ICC_PROFILE\0"),
        // how the colours are meant
        0xee => body.starts_with(b"Adobe"),
        COMMENT | 0xe1..=0xef => false,
        _ => true,
    };
    if !is_needed {
        return;
    }
    let mut keep = |body: &[u8]| {
        kept.extend([0xff, marker]);
        // a part of what a length of two bytes was read for
        kept.extend(u16::try_from(body.len() + 2).unwrap_or(u16::MAX).to_be_bytes());
        kept.extend(body);
    };
    if marker == 0xe0 {
        // the small picture may show what was cut away from the large one
        let mut plain = body[..JFIF_BYTES].to_vec();
        plain[12..].fill(0);
        keep(&plain);
    } else {
        keep(body);
    }
}

/// The pixels of a scan: all up to the next marker, which is not taken.
fn scan<'a>(rest: &mut Rest<'a>) -> Option<&'a [u8]> {
    let bytes = rest.0;
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match bytes.get(at + 1)? {
            0 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return rest.take(at),
        }
    }
}
