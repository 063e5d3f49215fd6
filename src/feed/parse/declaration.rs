//! Declaration: `<!…` and `<?…` in HTML that would hide what follows, so that nothing is lost.
//!
//! A browser takes whatever begins so for a comment that goes up to the next `>` or, when it is an
//! unclosed one, to the end. In a feed that is a slip of somebody's template, or a text that speaks
//! of such things. **Invariant:** linear in the text; what a browser reads as a whole comment or
//! document type stays as it is, and what a comment holds is never shown.

use super::lexer::{Lexer, Token};

/// HTML in which an unclosed comment hides no tag after it, a CDATA section is what it holds, and
/// what only looks like a declaration is text.
pub(in crate::feed) fn mended(html: String) -> String {
    if !html.contains("<!") && !html.contains("<?") {
        return html;
    }
    let mut mended = String::new();
    let (mut at, mut copied) = (0, 0);
    let mut ends = Ends::default();
    while let Some(found) = html[at..].find('<') {
        let start = at + found;
        let Piece { length, instead } = piece(&html[start..], &mut ends);
        at = start + length;
        if let Some(instead) = instead {
            mended.push_str(&html[copied..start]);
            mended.push_str(instead);
            copied = at;
        }
    }
    if copied == 0 {
        return html;
    }
    mended.push_str(&html[copied..]);
    mended
}

/// What begins with `<`: how many bytes it has, and what stands for it.
struct Piece<'a> {
    length: usize,
    /// None when it stays as it is.
    instead: Option<&'a str>,
}

/// Which ends there are no more of, so that none is searched for twice.
#[derive(Default)]
struct Ends {
    no_comment: bool,
    no_cdata: bool,
    no_bracket: bool,
    no_tag: bool,
}

/// Where `end` stands in `rest`, unless there is known to be none.
fn find(rest: &str, end: &str, none: &mut bool) -> Option<usize> {
    let found = if *none { None } else { rest.find(end) };
    *none = found.is_none();
    found
}

fn piece<'a>(rest: &'a str, ends: &mut Ends) -> Piece<'a> {
    let kept = |length| Piece { length, instead: None };
    let text = Piece { length: 1, instead: Some("&lt;") };
    let begins =
        |with: &str| rest.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if begins("<!--") {
        // `<!-->` is a whole comment
        return match find(&rest[2..], "-->", &mut ends.no_comment) {
            Some(end) => kept(2 + end + 3),
            None => unclosed_comment(rest),
        };
    }
    if begins("<![CDATA[") {
        let end = if ends.no_cdata { None } else { end_of_cdata(&rest[9..]) };
        ends.no_cdata = end.is_none();
        return match end {
            Some((end, after)) => Piece { length: 9 + after, instead: Some(&rest[9..9 + end]) },
            None => Piece { length: 9, instead: Some("") },
        };
    }
    match rest.as_bytes() {
        [_, b'!' | b'?', next, ..]
            if next.is_ascii_alphabetic() || matches!(next, b'[' | b'-' | b'>') =>
        {
            find(rest, ">", &mut ends.no_bracket).map_or(text, |end| kept(end + 1))
        }
        [_, b'!' | b'?', ..] => text,
        // what looks like a comment in an attribute is none
        [_, next, ..] if next.is_ascii_alphabetic() && !ends.no_tag => {
            let end = ends_tag(rest);
            ends.no_tag = end.is_none();
            kept(end.unwrap_or(1))
        }
        _ => kept(1),
    }
}

/// Where what a CDATA section holds ends, and where its end does; inside another one, `]]>` has to
/// be written as `]]&gt;`.
fn end_of_cdata(inside: &str) -> Option<(usize, usize)> {
    let mut brackets = inside.match_indices("]]");
    brackets.find_map(|(at, _)| {
        let length = ["]]>", "]]&gt;"].into_iter().find(|end| inside[at..].starts_with(end))?.len();
        Some((at, at + length))
    })
}

/// Where the start tag at the beginning of `rest` ends.
fn ends_tag(rest: &str) -> Option<usize> {
    let mut lexer = Lexer::new(rest);
    matches!(lexer.next(), Some(Ok(Token::Start { .. }))).then(|| lexer.end())
}

/// A comment without an end goes up to its `>` or before the next tag; where there is neither, the
/// text was cut inside it.
fn unclosed_comment(rest: &str) -> Piece<'_> {
    let length = match rest[4..].find(['<', '>']).map(|at| at + 4) {
        Some(end) => end + usize::from(rest[end..].starts_with('>')),
        None => rest.len(),
    };
    Piece { length, instead: Some("") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expect: &str) {
        assert_eq!(mended(html.to_owned()), expect, "{html}");
    }

    #[test]
    fn an_unclosed_comment_hides_no_tag_after_it() {
        check("sa<!-- -- note >fe", "safe");
        check("a<!-- note <p>b</p>", "a<p>b</p>");
        check("a <!-- draft: don't tell", "a ");
        check("<script><!-- x</script>b", "<script></script>b");
        check("<!-- a --> b <!-- c", "<!-- a --> b ");
        check("<!--><p>a</p>", "<!--><p>a</p>");
    }

    #[test]
    fn what_only_looks_like_a_declaration_is_text() {
        check("<!' <a href=\"foo\">", "&lt;!' <a href=\"foo\">");
        check("<!DOCTYPE ~", "&lt;!DOCTYPE ~");
        check("on <?php and <!doctype", "on &lt;?php and &lt;!doctype");
        check("wow <! and <!", "wow &lt;! and &lt;!");
        check("a <? b", "a &lt;? b");
    }

    #[test]
    fn a_cdata_section_is_what_it_holds() {
        check("<![CDATA[<p>a</p>]]> b", "<p>a</p> b");
        check("<![CDATA[a]]&gt; b", "a b");
        check("<![CDATA[a]] ]]b]]>c", "a]] ]]bc");
        check("<![cdata[a <!-- b --> c", "a <!-- b --> c");
    }

    #[test]
    fn what_a_browser_understands_stays() {
        for html in [
            "<!DOCTYPE html><p>a</p>",
            "<!--[if mso]><p>a</p><![endif]-->b",
            "<![if !mso]>a<![endif]>",
            "<?xml version='1.0'?><p>a</p>",
            "<a title=\"<!-- x\" href='<!--'>b</a>",
            "a < b",
            "1 <",
        ] {
            check(html, html);
        }
    }
}
