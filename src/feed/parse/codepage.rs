//! Code pages: encodings of DOS, of old Macs and of Vietnam, which the web's own list leaves out.

/// For each page its name and the characters of the bytes 128 to 255, as the Unicode Consortium
/// maps them (`MAPPINGS/VENDORS`; VISCII as RFC 1456 does); U+FFFD where it has none. Then, where
/// letters stand among the control characters, each of these bytes followed by its letter.
const PAGES: &str = include_str!("codepages.txt");

/// A code page.
#[derive(Debug)]
pub(super) struct Page {
    upper_half: Vec<char>,
    /// Letters in the place of control characters: the byte as a character, and the letter.
    controls: Vec<char>,
}

/// The code page that goes by `label`, given in lower case.
pub(super) fn of_label(label: &str) -> Option<Page> {
    let name = name(label);
    let mut pages = PAGES.lines().filter_map(|line| line.split_once('\t'));
    let (_, characters) = pages.find(|(page, _)| *page == name)?;
    let (upper_half, controls) = characters.split_once('\t').unwrap_or((characters, ""));
    Some(Page { upper_half: upper_half.chars().collect(), controls: controls.chars().collect() })
}

/// Reads `body`, which is written in `page`.
pub(super) fn decode(body: &[u8], page: &Page) -> String {
    let lower = |byte: char| {
        let mut letters = page.controls.chunks_exact(2);
        letters.find(|pair| byte.is_ascii_control() && pair[0] == byte).map_or(byte, |pair| pair[1])
    };
    let character = |byte: &u8| match byte.checked_sub(0x80) {
        None => lower(char::from(*byte)),
        Some(place) => {
            let upper = page.upper_half.get(usize::from(place));
            upper.copied().unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    };
    body.iter().map(character).collect()
}

/// `cp437`, `ibm437`, `cspc8codepage437` and the like are all `437`.
fn name(label: &str) -> &str {
    match label {
        "cp-is" => return "861",
        "maclatin2" | "mac-latin2" => return "maccentraleurope",
        "viscii1.1-1" | "csviscii" => return "viscii",
        _ if label.starts_with("tcvn") => return "tcvn",
        _ => {}
    }
    let label = label.strip_prefix("cspc8codepage").unwrap_or(label);
    let start = label.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let is_page = ["", "cp", "ibm", "csibm", "cspc", "cspcp"].contains(&&label[..start]);
    let digits = &label[start..];
    let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if is_page && length > 0 { &digits[..length] } else { label }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(label: &str, expect: &str) {
        let read = of_label(label).map(|page| decode(b"a\x80\xe1\x06", &page));
        let read = read.map(|read| read.trim_end_matches('\x06').to_owned());
        assert_eq!(read.as_deref().unwrap_or("none"), expect, "{label}");
    }

    #[test]
    fn pages_by_their_many_names() {
        for label in ["437", "cp437", "ibm437", "cspc8codepage437"] {
            check(label, "aÇß");
        }
        check("cspc775baltic", "aĆß");
        check("cspcp852", "aÇß");
        check("macgreek", "aÄα");
        check("maclatin2", "aÄŠ");
        for label in ["viscii", "viscii1.1-1", "csviscii"] {
            check(label, "aẠáẪ");
        }
        for label in ["tcvn", "tcvn-5712", "tcvn5712-1", "tcvn5712-1:1993"] {
            check(label, "aÀỏỮ");
        }
        check("klingon", "none");
        check("cp9999", "none");
        check("", "none");
    }

    #[test]
    fn every_page_is_whole() {
        for line in PAGES.lines() {
            let (name, characters) = line.split_once('\t').unwrap();
            let (upper_half, controls) = characters.split_once('\t').unwrap_or((characters, ""));
            assert_eq!(upper_half.chars().count(), 128, "{name}");
            assert_eq!(controls.chars().count() % 2, 0, "{name}");
        }
    }
}
