//! What goes, what stays, and that it is the same picture.

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/media/", $name))
            .as_slice()
    };
}

const ALL: [(Kind, &[u8]); 11] = [
    (Kind::Jpeg, fixture!("progressive.jpg")),
    (Kind::Jpeg, fixture!("cmyk.jpg")),
    (Kind::Jpeg, fixture!("grey.jpg")),
    (Kind::Png, fixture!("deep.png")),
    (Kind::Png, fixture!("palette.png")),
    (Kind::Png, fixture!("moves.png")),
    (Kind::WebP, fixture!("told.webp")),
    (Kind::WebP, fixture!("plain.webp")),
    (Kind::WebP, fixture!("alpha.webp")),
    (Kind::WebP, fixture!("moves.webp")),
    (Kind::Gif, fixture!("moves.gif")),
];

fn has(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

#[test]
fn a_picture_keeps_its_pixels_and_loses_its_story() {
    for (kind, bytes) in ALL {
        let bare = bare(kind, bytes).unwrap();
        let (before, after) =
            (image::load_from_memory(bytes), image::load_from_memory(&bare.bytes));
        assert_eq!(after.unwrap(), before.unwrap(), "{kind}");
        for word in [b"52.5N".as_slice(), b"Exif", b"EXIF", b"xmp", b"XMP", b"tEXt", b"date:"] {
            assert!(!has(&bare.bytes, word), "{kind}: {}", word.escape_ascii());
        }
        // once more changes nothing
        let again = super::bare(kind, &bare.bytes).unwrap();
        assert!(matches!(again.bytes, Cow::Borrowed(_)), "{kind}");
    }
    assert!(has(fixture!("progressive.jpg"), b"52.5N") && has(fixture!("told.webp"), b"52.5N"));
    assert!(has(fixture!("moves.gif"), b"52.5N"));
}

#[test]
fn what_moves_is_known() {
    for (kind, bytes) in ALL {
        let moves = [fixture!("moves.png"), fixture!("moves.webp"), fixture!("moves.gif")];
        assert_eq!(bare(kind, bytes).unwrap().moves, moves.contains(&bytes), "{kind}");
    }
    let still = bare(Kind::Png, fixture!("moves.png")).unwrap();
    assert!(!has(&still.bytes, b"acTL") && !has(&still.bytes, b"fdAT"));
    let gif = bare(Kind::Gif, fixture!("moves.gif")).unwrap();
    assert!(has(&gif.bytes, b"NETSCAPE2.0"), "it moves once only");
}

#[test]
fn the_colours_of_a_jpeg_are_counted() {
    let check = |bytes, colours, is_progressive| {
        let bare = bare(Kind::Jpeg, bytes).unwrap();
        assert_eq!((bare.colours, bare.is_progressive), (colours, is_progressive));
    };
    check(fixture!("cmyk.jpg"), 4, false);
    check(fixture!("grey.jpg"), 1, false);
    check(fixture!("progressive.jpg"), 3, true);
}

#[test]
fn half_a_file_is_none_and_what_follows_it_stays_behind() {
    for (kind, bytes) in ALL {
        let whole = bare(kind, bytes).unwrap();
        for length in 0..bytes.len() {
            // of a GIF the end mark, of a WebP what follows the picture
            let is_whole = length + 2 >= bytes.len();
            match bare(kind, &bytes[..length]) {
                Ok(bare) if is_whole => assert_eq!(bare.bytes, whole.bytes),
                Ok(bare) if kind == Kind::Gif => assert!(bare.bytes.len() < whole.bytes.len()),
                Ok(_) => panic!("{kind} of {length} bytes"),
                Err(why) => assert!(why.contains("cut off"), "{why}"),
            }
        }
        let more = [bytes, b"\xff\xd8\xff\xe1 a second picture"].concat();
        assert_eq!(bare(kind, &more).unwrap().bytes, whole.bytes, "{kind}");
    }
}

#[test]
fn a_small_picture_in_the_head_of_a_jpeg_goes() {
    let bytes = fixture!("grey.jpg");
    let at = bytes.windows(5).position(|window| window == b"JFIF\0").unwrap();
    let mut with = bytes[..at + 12].to_vec();
    with.extend([1, 1, 11, 22, 33]);
    with.extend(&bytes[at + 14..]);
    with[at - 2..at].copy_from_slice(&19_u16.to_be_bytes());
    assert_eq!(bare(Kind::Jpeg, &with).unwrap().bytes, bare(Kind::Jpeg, bytes).unwrap().bytes);
}
