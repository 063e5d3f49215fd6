//! Strip: a picture's file without what its camera and its editor wrote along.
//!
//! Lossless: the pixels' bytes are copied, and of the rest only what a browser needs to show them
//! right, the colour profile above all. Byte for byte the same where there was nothing else.
//! **Invariant:** what comes out is a whole file, and nothing behind its end comes along.
//! **Refuses:** a file that ends before its end.

use std::borrow::Cow;

use super::kind::Kind;

mod gif;
mod jpeg;
mod png;
mod webp;

/// A file without what need not be known.
#[derive(Debug, PartialEq, Eq)]
pub struct Bare<'a> {
    /// The file.
    pub bytes: Cow<'a, [u8]>,
    /// Whether the picture was one that moves. A PNG no longer does.
    pub moves: bool,
    /// The colours of a pixel in a JPEG: 4 are for print. Of other files 0.
    pub colours: u8,
    /// Whether all of it must be in memory before the first pixel is known.
    pub is_progressive: bool,
}

impl<'a> Bare<'a> {
    fn new(whole: &'a [u8], kept: Vec<u8>) -> Self {
        let bytes = if kept == whole { Cow::Borrowed(whole) } else { Cow::Owned(kept) };
        Self { bytes, moves: false, colours: 0, is_progressive: false }
    }
}

/// The file in `bytes`, which is of this `kind`, without what need not be known.
///
/// # Errors
/// It is cut off, or not of this kind after all.
pub fn bare(kind: Kind, bytes: &[u8]) -> Result<Bare<'_>, String> {
    let bare = match kind {
        Kind::Jpeg => jpeg::bare(bytes),
        Kind::Png => png::bare(bytes),
        Kind::Gif => gif::bare(bytes),
        Kind::WebP => webp::bare(bytes),
        _ => return Err(format!("it is {kind}, want a JPEG, PNG, WebP or GIF")),
    };
    bare.ok_or_else(|| format!("it is cut off: {} bytes are not the whole picture", bytes.len()))
}

/// What is left to read of a file.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests;
