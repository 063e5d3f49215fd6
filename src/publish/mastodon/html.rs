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
    /// Every `href`, in order.
    pub hrefs: Vec<String>,
    /// The text, with a space for every line break and paragraph.
    pub text: String,
}

/// Reads the HTML of a post.
pub fn read(html: &str) -> Shown {
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(html.into());
    let _ = tokenizer.feed(&queue); // no script is ever handed out by this sink
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

#[derive(Default)]
struct Sink(RefCell<Shown>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut shown = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => shown.tag(&tag),
            Token::CharacterTokens(text) => shown.text.push_str(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Shown {
    fn tag(&mut self, tag: &Tag) {
        if !matches!(&*tag.name, "a" | "b" | "i" | "em" | "strong" | "span" | "code") {
            self.text.push(' ');
        }
        if tag.kind == TagKind::StartTag && &*tag.name == "a" {
            let href = tag.attrs.iter().find(|attribute| &*attribute.name.local == "href");
            self.hrefs.extend(href.map(|attribute| attribute.value.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_text_come_back() {
        let check = |html: &str, text: &str, hrefs: &[&str]| {
            let shown = read(html);
            let words = shown.text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!((words.as_str(), &shown.hrefs[..]), (text, &hrefs.map_owned()[..]));
        };
        check("<p>a &amp; b<br />c</p><p>d</p>", "a & b c d", &[]);
        check(
            r#"<p>Hi <a href="https://e.example/?a=1&amp;b=2" rel="x"><span class="invisible">https://</span><span>e.example/</span>?a=1&amp;b=2</a></p>"#,
            "Hi https://e.example/?a=1&b=2",
            &["https://e.example/?a=1&b=2"],
        );
        check("<a href='x'>y</a><a>z", "yz", &["x"]);
        check("1 < 2 <", "1 < 2 <", &[]);
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
