use super::*;

fn check(body: &[u8], content_type: Option<&str>, expect: &str, is_problem: bool) {
    let decoded = decode(body, content_type);
    assert_eq!(decoded.text, expect, "{content_type:?}");
    assert_eq!(decoded.problem.is_some(), is_problem, "{:?}", decoded.problem);
}

fn declared(encoding: &str, text: &[u8]) -> Vec<u8> {
    [format!("<?xml version='1.0' encoding='{encoding}'?>").as_bytes(), text].concat()
}

#[test]
fn the_mark_counts_before_the_declaration_before_the_content_type() {
    let latin = declared("iso-8859-1", b"caf\xe9");
    check(
        &latin,
        Some("text/xml; charset=utf-8"),
        "<?xml version='1.0' encoding='iso-8859-1'?>café",
        false,
    );
    check(b"caf\xe9", Some("text/xml; charset=\"ISO-8859-1\""), "café", false);
    check(b"\xef\xbb\xbfcaf\xc3\xa9", Some("text/xml; charset=iso-8859-1"), "café", false);
    check("жук".as_bytes(), None, "жук", false);
    let russian = declared("KOI8-R", b"\xd6\xd5\xcb");
    check(&russian, None, "<?xml version='1.0' encoding='KOI8-R'?>жук", false);
    let dos = declared("cp437", b"caf\x82");
    check(&dos, None, "<?xml version='1.0' encoding='cp437'?>café", false);
    let vietnamese = declared("VISCII", b"Ti\xaang Vi\xaet");
    check(&vietnamese, None, "<?xml version='1.0' encoding='VISCII'?>Tiếng Việt", false);
    let odd = declared("windows_1251", b"\xe6\xf3\xea");
    check(&odd, None, "<?xml version='1.0' encoding='windows_1251'?>жук", false);
}

#[test]
fn a_declaration_that_lies_is_seen_through() {
    let utf8 = declared("iso-8859-1", "café".as_bytes());
    check(&utf8, None, "<?xml version='1.0' encoding='iso-8859-1'?>café", true);
    let latin = declared("utf-8", b"caf\xe9 \x93x\x94");
    check(&latin, None, "<?xml version='1.0' encoding='utf-8'?>café “x”", true);
    let wide = declared("utf-16", "café".as_bytes());
    check(&wide, None, "<?xml version='1.0' encoding='utf-16'?>café", false);
    let unknown = declared("klingon", "café".as_bytes());
    check(&unknown, None, "<?xml version='1.0' encoding='klingon'?>café", true);
    check("жу\u{fffd}к".as_bytes(), None, "жу\u{fffd}к", false);
    check(b"\xd0\xb6\xd1\x83\xff\xd0\xba", None, "жу\u{fffd}к", true);
}

#[test]
fn wide_encodings() {
    let text = "<a>жук</a>";
    let units: Vec<u16> = text.encode_utf16().collect();
    let utf16 =
        |to: fn(u16) -> [u8; 2]| units.iter().flat_map(|unit| to(*unit)).collect::<Vec<u8>>();
    let utf32 =
        |to: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| to(c.into())).collect::<Vec<u8>>();
    check(&utf16(u16::to_be_bytes), None, text, false);
    check(&utf16(u16::to_le_bytes), None, text, false);
    check(&[b"\xfe\xff".as_slice(), &utf16(u16::to_be_bytes)].concat(), None, text, false);
    check(&[b"\xff\xfe".as_slice(), &utf16(u16::to_le_bytes)].concat(), None, text, false);
    check(&utf32(u32::to_be_bytes), None, text, false);
    check(&utf32(u32::to_le_bytes), None, text, false);
    check(&[b"\xff\xfe\0\0".as_slice(), &utf32(u32::to_le_bytes)].concat(), None, text, false);
    check(b"\xfe\xff\0<\xd8\0", None, "<\u{fffd}", true);
}

#[test]
fn control_characters_that_were_meant_as_windows_1252() {
    check("don\u{92}t".as_bytes(), None, "don’t", false);
}
