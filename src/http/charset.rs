//! Charset: the bytes of a web page to text.
//!
//! The encoding comes from the byte order mark, then the content type, then a `<meta>` in the
//! first bytes, as browsers do it; what is UTF-8 is read as that, whatever was said, because
//! nothing else looks like it by chance; what names nothing and is none is windows-1252.
//! **Invariant:** every body becomes text; what can't be read becomes U+FFFD.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252, X_USER_DEFINED};

/// How far into a page its `<meta charset>` is looked for. Browsers look at 1,024 bytes.
const META_BYTES_MAX: usize = 4096;

/// Turns the page `body`, which came as `content_type`, into text without a byte order mark.
pub fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(body) {
        return encoding.decode_without_bom_handling(&body[mark..]).0;
    }
    let named = content_type.and_then(of_content_type).or_else(|| of_meta(body));
    // a cut in the middle of a character is no mistake
    let is_utf8 = match std::str::from_utf8(body) {
        Ok(text) => !text.is_ascii() || named.is_none_or(Encoding::is_ascii_compatible),
        Err(error) => error.error_len().is_none() && !body[..error.valid_up_to()].is_ascii(),
    };
    let encoding = if is_utf8 { UTF_8 } else { named.unwrap_or(WINDOWS_1252) };
    encoding.decode_without_bom_handling(body).0
}

/// The `charset` of a content type.
fn of_content_type(content_type: &str) -> Option<&'static Encoding> {
    let charset = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })?;
    Encoding::for_label(charset.trim().trim_matches(['"', '\'']).as_bytes())
}

/// What the first `<meta charset=…>`, or `<meta http-equiv … content="…charset=…">`, names.
fn of_meta(body: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&body[..body.len().min(META_BYTES_MAX)]);
    let head = head.to_ascii_lowercase();
    head.split("<meta").skip(1).find_map(|rest| {
        let tag = rest.split('>').next().unwrap_or(rest);
        let (_, value) = tag.split_once("charset")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        let value = value.trim_start_matches(['"', '\'']).trim_start();
        let label = value.split(['"', '\'', ' ', ';', '/']).next()?;
        match Encoding::for_label(label.as_bytes())? {
            // who can read this tag byte by byte has no UTF-16 before them (HTML, 13.2.3.2)
            encoding
                if !encoding.is_ascii_compatible() && encoding.name().starts_with("UTF-16") =>
            {
                Some(UTF_8)
            }
            encoding if encoding == X_USER_DEFINED => Some(WINDOWS_1252),
            encoding => Some(encoding),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], content_type: Option<&str>, expect: &str) {
        assert!(decode(body, content_type).ends_with(expect), "{:?}", decode(body, content_type));
    }

    #[test]
    fn the_encoding_is_found_where_browsers_find_it() {
        let html = Some("text/html");
        check(b"caf\xc3\xa9", html, "café");
        check(b"caf\xe9", html, "café");
        check(b"caf\xe9", Some("text/html; charset=iso-8859-1"), "café");
        check(b"\x82\xa0", Some("text/html; Charset = \"Shift_JIS\""), "あ");
        check(b"<meta charset=windows-1251>\xef\xf0\xe8", html, "при");
        check(b"<META CHARSET = 'windows-1251' />\xef\xf0\xe8", html, "при");
        let equiv =
            b"<meta http-equiv=Content-Type content=\"text/html; charset=koi8-r\">\xd0\xd2\xc9";
        check(equiv, None, "при");
        check(b"<meta name=x><meta charset=\"gbk\">\xc4\xe3\xba\xc3", html, "你好");
        check(b"\xa4\xa2", Some("text/html; charset=euc-jp"), "あ");
        check(b"\x1b$B$\"\x1b(B", Some("text/html; charset=iso-2022-jp"), "あ");
    }

    #[test]
    fn a_mark_wins_and_is_no_text() {
        check(b"\xef\xbb\xbfcaf\xc3\xa9", Some("text/html; charset=iso-8859-1"), "café");
        assert_eq!(decode(b"\xff\xfeh\0i\0", None), "hi");
        assert_eq!(decode(b"\xfe\xff\0h\0i", Some("text/html; charset=utf-8")), "hi");
    }

    #[test]
    fn utf_8_is_read_as_utf_8_whatever_was_said() {
        check("é".as_bytes(), Some("text/html; charset=iso-8859-1"), "é");
        check("<meta charset=utf-16>é".as_bytes(), None, "é");
        check("<meta charset=latin1>語".as_bytes(), None, "語");
        // cut in the middle of a character
        let cut = &"<meta charset=latin1>é語".as_bytes()[..25];
        check(cut, None, "é\u{fffd}");
    }

    #[test]
    fn nonsense_is_read_somehow() {
        check(b"\xff\xff\xff", Some("text/html; charset=utf-8"), "\u{fffd}");
        check(b"\x80", Some("text/html; charset=nonsense"), "€");
        check(b"\xe9<meta charset=x-user-defined>", None, ">");
        for body in [&b""[..], b"<meta", b"<meta charset", b"<meta charset=", b"<meta charset=\""] {
            assert_eq!(decode(body, Some(";charset=;=")).as_bytes(), body);
        }
    }
}
