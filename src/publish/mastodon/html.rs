//! Html: a post as a server shows it, back to its links and its plain text.
//!
//! Only good enough to recognise a post of ours: nothing of it is shown or kept.

use std::cell::RefCell;

use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Every `href` in order, but those of hashtags and mentions.
    pub hrefs: Vec<String>,
    /// The text, with a space for every line break and paragraph.
    pub text: String,
    /// The same without the words that only show an address, whole or shortened.
    pub prose: String,
}

/// Reads the HTML of a post.
pub fn read(html: &str) -> Shown {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(html.into());
    let _ = tokenizer.feed(&queue); // no script is ever handed out by this sink
    tokenizer.end();
    let mut reader = tokenizer.sink.0.into_inner();
    reader.end_link();
    reader.shown
}

#[derive(Default)]
struct Sink(RefCell<Reader>);

/// What was read so far.
#[derive(Default)]
struct Reader {
    shown: Shown,
    /// The link that is open: its `href`, and where it begins in both texts.
    link: Option<(String, usize, usize)>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut reader = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => reader.tag(&tag),
            Token::CharacterTokens(text) => reader.push(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reader {
    fn push(&mut self, text: &str) {
        self.shown.text.push_str(text);
        self.shown.prose.push_str(text);
    }

    fn tag(&mut self, tag: &Tag) {
        if !matches!(&*tag.name, "a" | "b" | "i" | "em" | "strong" | "span" | "code") {
            self.push(" ");
        }
        if &*tag.name == "a" {
            self.end_link();
        }
        if tag.kind == TagKind::StartTag && &*tag.name == "a" {
            let href = tag.attrs.iter().find(|attribute| &*attribute.name.local == "href");
            let (text, prose) = (self.shown.text.len(), self.shown.prose.len());
            self.link = href.map(|attribute| (attribute.value.to_string(), text, prose));
        }
    }

    fn end_link(&mut self) {
        let Some((href, text, prose)) = self.link.take() else { return };
        let words = self.shown.text[text..].trim();
        if words.starts_with(['#', '@']) {
            return;
        }
        if shows(words, &href) {
            self.shown.prose.truncate(prose);
            self.shown.prose.push(' ');
        }
        self.shown.hrefs.push(href);
    }
}

/// Whether the words of a link are its address, without its scheme or shortened.
fn shows(words: &str, href: &str) -> bool {
    let bare = |address: &str| {
        let address = address.split_once("://").map_or(address, |(_, rest)| rest);
        address.strip_prefix("www.").unwrap_or(address).trim_end_matches('/').to_lowercase()
    };
    let (words, href) = (bare(&words.replace("...", "…")), bare(href));
    let (start, end) = words.split_once('…').unwrap_or((words.as_str(), ""));
    !start.is_empty() && href.starts_with(start) && href.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_text_come_back() {
        let check = |html: &str, text: &str, hrefs: &[&str]| {
            let shown = read(html);
            assert_eq!((one_line(&shown.text), shown.hrefs), (text.into(), hrefs.map_owned()));
        };
        check("<p>a &amp; b<br />c</p><p>d</p>", "a & b c d", &[]);
        check(
            r#"<p>Hi <a href="https://e.example/?a=1&amp;b=2" rel="x"><span class="invisible">https://</span><span>e.example/</span>?a=1&amp;b=2</a></p>"#,
            "Hi https://e.example/?a=1&b=2",
            &["https://e.example/?a=1&b=2"],
        );
        check("<a href='x'>y</a><a>z", "yz", &["x"]);
        check("1 < 2 <", "1 < 2 <", &[]);
        check(r#"<a href="/t/x">#<span>x</span></a> <a href="/@b">@b</a>"#, "#x @b", &[]);
    }

    #[test]
    fn an_address_is_no_prose() {
        let check = |link: &str, expect: &str| {
            let html = format!(r#"<p>a <a href="https://www.E.example/one/two">{link}</a> b</p>"#);
            assert_eq!(one_line(&read(&html).prose), expect, "{link}");
        };
        for address in [
            "https://www.e.example/one/two",
            "e.example/one/two/",
            "e.example/one…",
            "e.example/...two",
            "<span>https://</span><span>www.e.example/o</span><span>ne/two</span>",
        ] {
            check(address, "a b");
        }
        check("one two", "a one two b");
        check("else.example/one", "a else.example/one b");
        check("…", "a … b");
        assert_eq!(one_line(&read(r#"<p>a <a href="https://e.example">e.example"#).prose), "a");
    }

    fn one_line(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl MapOwned for &[&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }
}
