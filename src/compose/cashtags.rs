//! Cashtags: `$NAME` in a text, of which X takes one and refuses a post with two.
//!
//! In the posts of programmers `$HOME` and `$PATH` are no shares, and are cashtags to X all the
//! same. **Invariant:** a text has at most as many as asked for.

use super::tokens;

/// Writes the dollar sign of every cashtag beyond the first `most` in full width, which looks the
/// same and is none. Tells which.
pub fn limit(text: &str, most: usize) -> (String, Vec<String>) {
    let mut found = Vec::new();
    if text.contains('$') {
        let addresses = tokens::addresses(text);
        let in_address = |at: usize| addresses.iter().any(|range| range.contains(&at));
        found = text
            .match_indices('$')
            .filter(|&(at, _)| !in_address(at))
            .filter_map(|(at, _)| cashtag(text, at).map(|len| at..at + len))
            .collect();
    }
    let mut limited = String::with_capacity(text.len() + 8);
    let (mut from, mut changed) = (0, Vec::new());
    for range in found.into_iter().skip(most) {
        limited.push_str(&text[from..range.start]);
        limited.push('＄');
        from = range.start + 1;
        changed.push(text[range].to_owned());
    }
    limited.push_str(&text[from..]);
    (limited, changed)
}

/// The length of the cashtag at `at`: one to six letters, perhaps `.` or `_` with one or two more,
/// and no letter, digit or sign around them. Wider than X's rule, which wants white space before.
fn cashtag(text: &str, at: usize) -> Option<usize> {
    let before = text[..at].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || c == '$') {
        return None;
    }
    let body = &text[at + 1..];
    let letters = |text: &str| text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let stem = letters(body);
    if !(1..=6).contains(&stem) {
        return None;
    }
    let rest = &body[stem..];
    let suffix = rest.strip_prefix(['.', '_']).map_or(0, letters);
    let len = stem + if (1..=2).contains(&suffix) { suffix + 1 } else { 0 };
    let after = body[len..].chars().next();
    let ends = after.is_none_or(|c| !c.is_alphanumeric() && c != '$');
    ends.then_some(len + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_cashtag_stays() {
        let check = |text: &str, expect: &str, names: &[&str]| {
            let (limited, changed) = limit(text, 1);
            assert_eq!(limited, expect, "{text}");
            assert_eq!(changed, names, "{text}");
            assert_eq!(limit(&limited, 1), (limited.clone(), vec![]), "twice: {text}");
        };
        check("$HOME", "$HOME", &[]);
        check("set $HOME and $PATH.", "set $HOME and ＄PATH.", &["$PATH"]);
        check("$A ($B) \"$C\"", "$A (＄B) \"＄C\"", &["$B", "$C"]);
        check("$BRK.A $BRK_B $x", "$BRK.A ＄BRK_B ＄x", &["$BRK_B", "$x"]);
        check("$5 $toolong1 $toolonger a$b $$", "$5 $toolong1 $toolonger a$b $$", &[]);
        check("$A https://a.io/?$B", "$A https://a.io/?$B", &[]);
    }
}
