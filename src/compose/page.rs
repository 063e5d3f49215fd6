//! Page: what an entry's own page says of itself, for the link card.
//!
//! Open Graph first, then the tags that Twitter invented, then what HTML has: in each, the first
//! that says something. It runs on html5ever's tokenizer alone, so tags count wherever they stand:
//! a `<meta>` behind a stray `<div>` is meant all the same. **Invariant:** bounded in time and
//! memory, whatever the page; an address that comes out is absolute, and of the web.
//! **Refuses:** what stands in scripts, styles, templates, drawings and text fields.

use std::cell::RefCell;

use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use url::Url;

use crate::http::charset;
use crate::text;

/// The most bytes of a page that are looked at: what is meant for others stands at its beginning.
const BYTES_MAX: usize = 512 * 1024;
/// The most bytes of one tag or comment. html5ever compares each attribute of a tag with all
/// before it, so a tag that is endless takes time that is its square; the page ends there.
const TAG_BYTES_MAX: usize = 64 * 1024;
/// How much the tokenizer gets at a time.
const CHUNK_BYTES: usize = 8 * 1024;
/// The most characters of a title or a description that are kept; a card shows far fewer.
const TEXT_CHARS_MAX: usize = 2000;
/// The longest address that is taken.
const URL_BYTES_MAX: usize = 4096;

/// Where a title is told, the first that says something wins.
const TITLES: &[&str] = &["og:title", "twitter:title", TITLE];
/// Where a description is told.
const DESCRIPTIONS: &[&str] = &["og:description", "twitter:description", "description"];
/// Where a picture is told.
const IMAGES: &[&str] =
    &["og:image:secure_url", "og:image:url", "og:image", "twitter:image", "twitter:image:src"];
/// The name under which the element `title` is kept; no `<meta>` has it.
const TITLE: &str = "<title>";

/// What a page says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Its title.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The address of its picture, absolute.
    pub image: Option<String>,
}

/// Reads the page `body`, which came as `content_type` from `base`.
pub fn read(body: &[u8], content_type: Option<&str>, base: &Url) -> Page {
    let said = scan(&charset::decode(&body[..body.len().min(BYTES_MAX)], content_type));
    let base = said.base.as_deref().and_then(|href| base.join(href).ok()).unwrap_or(base.clone());
    let images = IMAGES.iter().filter_map(|name| said.of(name));
    Page {
        title: TITLES.iter().find_map(|name| said.of(name)).map(str::to_owned),
        description: DESCRIPTIONS.iter().find_map(|name| said.of(name)).map(str::to_owned),
        image: images.filter_map(|href| absolute(href, &base)).next(),
    }
}

/// `href` as seen from `base`, where that is an address of the web.
fn absolute(href: &str, base: &Url) -> Option<String> {
    let url = base.join(href).ok()?;
    let fits = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= URL_BYTES_MAX;
    fits.then(|| url.into())
}

fn scan(html: &str) -> Said {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    let (mut rest, mut tokens, mut silent) = (html, 0, 0);
    while !rest.is_empty() && silent <= TAG_BYTES_MAX {
        let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK_BYTES.min(rest.len())));
        input.push_back(chunk.into());
        let _ = tokenizer.feed(&input); // only a script could pause it, and the sink runs none
        let now = tokenizer.sink.0.borrow().tokens;
        silent = if now == tokens { silent + chunk.len() } else { 0 };
        (rest, tokens) = (after, now);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner().said
}

/// What was found, in the order in which it stands.
#[derive(Default)]
struct Said {
    /// Name and value: the first of each name.
    pairs: Vec<(&'static str, String)>,
    base: Option<String>,
}

impl Said {
    fn of(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_str())
    }

    fn say(&mut self, name: &str, value: &str) {
        let names = [TITLES, DESCRIPTIONS, IMAGES].into_iter().flatten();
        let Some(name) = names.copied().find(|known| name.eq_ignore_ascii_case(known)) else {
            return;
        };
        let value = if IMAGES.contains(&name) { value.trim().to_owned() } else { line(value) };
        let fits = !value.is_empty() && (value.len() <= URL_BYTES_MAX || !IMAGES.contains(&name));
        if fits && self.of(name).is_none() {
            self.pairs.push((name, value));
        }
    }
}

/// `text` in one line, without what is far too much.
fn line(text: &str) -> String {
    let end = text.char_indices().nth(TEXT_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    text::fold(&text[..end])
}

#[derive(Default)]
struct Sink(RefCell<Reader>);

#[derive(Default)]
struct Reader {
    said: Said,
    /// How many tokens came.
    tokens: u64,
    /// What stands in the element `title`, while it is open.
    title: Option<String>,
    /// How many elements are open whose inside is of no interest, and of which name.
    skipping: Option<(String, u32)>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reader = self.0.borrow_mut();
        // errors come from within a tag
        reader.tokens += u64::from(!matches!(token, Token::ParseError(_)));
        match token {
            Token::CharacterTokens(text) => {
                if let Some(title) = reader.title.as_mut().filter(|it| it.len() < URL_BYTES_MAX) {
                    title.push_str(&text);
                }
            }
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return reader.open(&tag),
            Token::TagToken(tag) => reader.close(&tag.name),
            Token::EOFToken => reader.close("title"),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reader {
    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let raw = match name {
            "script" => Some(RawKind::ScriptData),
            "style" | "iframe" | "noembed" | "noframes" | "noscript" | "xmp" => {
                Some(RawKind::Rawtext)
            }
            "title" | "textarea" => Some(RawKind::Rcdata),
            _ => None,
        };
        match &mut self.skipping {
            Some((skipped, depth)) => {
                if name == skipped && !tag.self_closing {
                    *depth += 1;
                }
                // a drawing has titles and styles of its own, with markup in them
                if skipped != "template" {
                    return TokenSinkResult::Continue;
                }
            }
            None => match name {
                "template" | "svg" | "math" if !tag.self_closing => {
                    self.skipping = Some((name.to_owned(), 1));
                }
                "title" => self.title = Some(String::new()),
                "meta" => self.meta(tag),
                "base" if self.said.base.is_none() => {
                    self.said.base = attribute(tag, "href").map(str::to_owned);
                }
                _ => {}
            },
        }
        raw.map_or(TokenSinkResult::Continue, TokenSinkResult::RawData)
    }

    fn close(&mut self, name: &str) {
        if let Some((skipped, depth)) = &mut self.skipping {
            if name == skipped {
                *depth -= 1;
            }
            if *depth == 0 {
                self.skipping = None;
            }
        } else if name == "title"
            && let Some(title) = self.title.take()
        {
            self.said.say(TITLE, &title);
        }
    }

    fn meta(&mut self, tag: &Tag) {
        let content = attribute(tag, "content").unwrap_or_default();
        // which of the two it should be is mixed up as often as not
        for name in ["property", "name"].into_iter().filter_map(|key| attribute(tag, key)) {
            self.said.say(name.trim(), content);
        }
    }
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    tag.attrs.iter().find(|attribute| &*attribute.name.local == name).map(|it| &*it.value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(html: &str) -> Page {
        let base = "https://a.example/dir/post?x=1".parse().unwrap();
        read(html.as_bytes(), Some("text/html; charset=utf-8"), &base)
    }

    /// Checks title, description and picture; empty is none.
    fn check(html: &str, expect: [&str; 3]) {
        let Page { title, description, image } = page(html);
        let found = [title, description, image].map(Option::unwrap_or_default);
        assert_eq!(found.each_ref().map(String::as_str), expect, "{html}");
    }

    fn image(html: &str, expect: &str) {
        assert_eq!(page(html).image.unwrap_or_default(), expect, "{html}");
    }

    #[test]
    fn open_graph_comes_first_then_twitter_then_html() {
        let html = "<title>H</title><meta name=description content='h d'>";
        let twitter = "<meta name=twitter:title content=T><meta name=twitter:description \
             content='t d'><meta name=twitter:image content=/t.png>";
        let og = "<meta property=og:title content=O><meta property=og:description \
             content='o d'><meta property=og:image content=o.png>";
        check(html, ["H", "h d", ""]);
        check(&format!("{html}{twitter}"), ["T", "t d", "https://a.example/t.png"]);
        for mixed in [format!("{html}{twitter}{og}"), format!("{og}{twitter}{html}")] {
            check(&mixed, ["O", "o d", "https://a.example/dir/o.png"]);
        }
        check("", ["", "", ""]);
        check(
            "<meta property=og:title><meta property=og:title content=' '><title>H",
            ["H", "", ""],
        );
    }

    #[test]
    fn names_are_read_as_people_write_them() {
        for html in [
            "<META PROPERTY='OG:Title' CONTENT='O'>",
            "<meta name=\"og:title\" content=\"O\"/>",
            "<meta content=O property=' og:title '>",
            "<meta property=og:title content=O><meta property=og:title content=second>",
            "<body><div><meta property=og:title content=O></div>",
            "<!doctype html><!-- <title>no</title> --><title>O</title><title>2</title>",
            "<title>\n O </title>",
            "<title>O",
        ] {
            check(html, ["O", "", ""]);
        }
        check("<title>A &amp; B &lt;i&gt; <b>x</b></title>", ["A & B <i> <b>x</b>", "", ""]);
        check(
            "<meta name=description content='a &quot;b&quot;\n  &eacute;'>",
            ["", "a \"b\" é", ""],
        );
    }

    #[test]
    fn what_is_no_markup_of_the_page_says_nothing() {
        let meta = "<meta property=og:title content=no><title>no</title>";
        for html in [
            format!("<script>var x = '{meta}'</script>"),
            format!("<style>{meta}</style>"),
            format!("<template><template></template>{meta}</template>"),
            format!("<noscript>{meta}</noscript>"),
            format!("<textarea>{meta}</textarea>"),
            format!("<iframe>{meta}</iframe>"),
            format!("<svg><svg></svg>{meta}</svg>"),
            "<svg><style><title>no</title></style></svg>".to_owned(),
            format!("<template><script>'</template>{meta}'</script></template>"),
            format!("<!-- {meta} -->"),
            "<a title=no href='<meta property=og:title content=no>'>".to_owned(),
        ] {
            check(&html, ["", "", ""]);
            check(&format!("{html}<title>yes</title>"), ["yes", "", ""]);
        }
        check("<svg/><title>yes</title>", ["yes", "", ""]);
    }

    #[test]
    fn a_picture_is_absolute_and_of_the_web() {
        let tag = |content: &str| format!("<meta property=og:image content='{content}'>");
        image(&tag("/a.png"), "https://a.example/a.png");
        image(&tag("a b.png?x=1&amp;y=2#z"), "https://a.example/dir/a%20b.png?x=1&y=2#z");
        image(&tag("//b.example/a.png"), "https://b.example/a.png");
        image(&tag("http://b.example/a.png"), "http://b.example/a.png");
        for bad in
            ["data:image/png;base64,AAAA", "javascript:x", "file:///etc/passwd", "http://", ""]
        {
            image(&tag(bad), "");
        }
        image(
            &format!("{}{}", tag("data:x"), "<meta name=twitter:image content=/t.png>"),
            "https://a.example/t.png",
        );
        image(&tag(&format!("/{}", "x".repeat(5000))), "");
        image(
            "<meta property=og:image content=http://a.example/1.png>\
             <meta property=og:image:secure_url content=https://a.example/1.png>",
            "https://a.example/1.png",
        );
        image("<meta property=og:image:url content=/1.png>", "https://a.example/1.png");
        let based = |href: &str| format!("<base href='{href}'><base href=/no/>{}", tag("a.png"));
        image(&based("/img/"), "https://a.example/img/a.png");
        image(&based("https://cdn.example/x/"), "https://cdn.example/x/a.png");
        image(&format!("{}<base href=/late/>", tag("a.png")), "https://a.example/late/a.png");
        image(&based("http://"), "https://a.example/dir/a.png");
    }

    #[test]
    fn a_page_is_read_in_its_charset() {
        let base = &"https://a.example/".parse().unwrap();
        let latin = b"<meta charset=latin1><title>caf\xe9</title>";
        assert_eq!(read(latin, Some("text/html"), base).title.as_deref(), Some("café"));
        let sjis = b"<title>\x82\xa0</title>";
        let title = read(sjis, Some("text/html; charset=shift_jis"), base).title;
        assert_eq!(title.as_deref(), Some("あ"));
    }

    #[test]
    fn endless_pages_take_no_endless_time() {
        let head = "<title>yes</title>";
        let attributes: String = (0..200_000).map(|n| format!(" a{n}")).collect();
        for tail in [
            "<div>".repeat(200_000),
            "<svg>".repeat(200_000),
            "<b ".repeat(200_000),
            format!("<b{attributes}>"),
            format!("<b{}>", attributes.replace(' ', "/")),
            format!("<meta content='{}", "x".repeat(2_000_000)),
            "&".repeat(1_000_000),
            "<!--".repeat(200_000),
            "<title>".repeat(200_000),
        ] {
            check(&format!("{head}{tail}"), ["yes", "", ""]);
        }
        let far = format!("{}<title>no</title>", " ".repeat(BYTES_MAX));
        check(&far, ["", "", ""]);
        let long = page(&format!("<title>{}</title>", "語".repeat(100_000))).title.unwrap();
        assert!(long.len() <= 3 * TEXT_CHARS_MAX, "{}", long.len());
    }

    proptest! {
        #[test]
        fn any_bytes_make_a_page(body in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let base = "https://a.example/".parse().unwrap();
            read(&body, None, &base);
        }

        #[test]
        fn any_soup_makes_a_page(parts in proptest::collection::vec(
            prop_oneof![
                Just("<meta "), Just("property=og:image "), Just("content='"), Just("'"), Just(">"),
                Just("<title>"), Just("</title>"), Just("<svg>"), Just("</svg>"), Just("<template>"),
                Just("</template>"), Just("<script>"), Just("</script>"), Just("<base href="),
                Just("//"), Just("http://b.example"), Just("&#x0;"), Just("é"), Just("\0"), Just("/>"),
            ], 0..60)) {
            let html: String = parts.concat();
            let page = page(&html);
            if let Some(image) = page.image {
                prop_assert!(image.starts_with("http://") || image.starts_with("https://"));
            }
            for text in [page.title, page.description].into_iter().flatten() {
                prop_assert!(!text.is_empty() && text.trim() == text);
            }
        }
    }
}
