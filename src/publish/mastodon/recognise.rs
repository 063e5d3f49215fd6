//! Recognise: whether a post on the server is the one that a text became.
//!
//! Servers show HTML of their own making, so neither links nor words alone tell a post: links are
//! shared by posts (of a link blog, or of notes that all lead home) and are rewritten by servers,
//! words are shared by posts of a series. Both together do. A content warning is a field of its own, or
//! stands in the text; that of a post of ours is ours, unless its owner has edited it.
//!
//! **Invariant:** what is neither surely
//! ours nor surely not is called alike, and nothing is sent while there is such a one.

use percent_encoding::percent_decode_str;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;
use url::Url;

use super::html;

/// How many of our words in a post make it alike: three quarters.
const MOST: (usize, usize) = (3, 4);
/// How many words, of ours or of theirs, make it alike where the link is the same: half.
const PART: (usize, usize) = (1, 2);

/// Whether a post is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// It is.
    Same,
    /// It could be.
    Alike,
    /// It is not.
    Other,
}

/// What a post of ours is known by.
pub struct Sought {
    links: Vec<Link>,
    told: Told,
    /// The content warning; tells nothing where there is none.
    warning: Told,
    /// The content warning and the text in one.
    all: Told,
    /// The server's ids of what was uploaded for it.
    media: Vec<String>,
}

/// What a text tells.
#[derive(Debug)]
struct Told {
    /// Its words, links left out.
    words: Vec<String>,
    /// The same without white space, for what has no words (a row of emoji).
    bare: String,
}

/// How much of what we said a post says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Words {
    /// Too little to be ours.
    Others,
    /// Half of it, or nothing where something should be.
    Part,
    /// Most of it.
    Most,
    /// Just it.
    Equal,
}

/// What became of our links in a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Links {
    /// All are there.
    Kept,
    /// Some are there, perhaps rewritten.
    Near,
    /// The post shows none.
    Lost,
    /// The post shows none of ours, but others.
    Others,
    /// We sent none.
    Unsent,
}

impl Sought {
    /// What the post with this text, behind this content warning, is known by.
    pub fn of(text: &str, warning: Option<&str>) -> Self {
        let warning = warning.unwrap_or_default();
        Self {
            links: urls(text).filter_map(Link::of).collect(),
            told: Told::of(text),
            warning: Told::of(warning),
            all: Told::of(&format!("{warning} {text}")),
            media: Vec::new(),
        }
    }

    /// The same with what was uploaded for it.
    pub fn with_media(self, ids: &[String]) -> Self {
        Self { media: ids.to_vec(), ..self }
    }

    /// Compares with a status of the API.
    pub fn in_status(&self, status: &Value) -> Likeness {
        if self.media.is_empty() {
            return self.in_words(status);
        }
        let theirs = status.get("media_attachments").and_then(Value::as_array);
        let theirs: Vec<_> = theirs.into_iter().flatten().map(|it| it.get("id")).collect();
        let has = |id: &String| theirs.iter().any(|it| it.and_then(Value::as_str) == Some(id));
        // an upload is in one post only
        if self.media.iter().any(has) {
            return Likeness::Same;
        }
        // not every server shows an upload under the id that it gave it
        match self.in_words(status) {
            Likeness::Same if theirs.len() != self.media.len() => Likeness::Alike,
            // pictures without a word are told by nothing
            Likeness::Same if self.all.bare.is_empty() && self.links.is_empty() => Likeness::Alike,
            likeness => likeness,
        }
    }

    /// Compares the words and the links.
    fn in_words(&self, status: &Value) -> Likeness {
        let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str);
        let shown = html::read(text("/content").unwrap_or_default());
        let hrefs = shown.hrefs.iter().map(String::as_str).chain(text("/card/url"));
        let links: Vec<Link> = hrefs.chain(urls(&shown.text)).filter_map(Link::of).collect();
        // a link that the server has made of a word, or shortened, is a word of ours or none
        let readings = [&shown.text, &shown.prose].map(|text| Told::of(text));
        let warning = text("/spoiler_text").unwrap_or_default();
        // a warning that has no field there stands before the text, or instead of none
        let is_within =
            warning.is_empty() && readings.iter().any(|it| self.all.in_other(it) == Words::Equal);
        let words = if is_within { Some(Words::Equal) } else { self.told.in_any(&readings) };
        let words = words.unwrap_or(Words::Others);
        // the owner has changed the words: they prove nothing
        let is_edited = text("/edited_at").is_some_and(|at| text("/created_at") != Some(at));
        let is_warned = is_within || is_edited || self.is_behind(warning);
        match (self.fate(&links), words) {
            (Links::Kept | Links::Unsent, Words::Equal) if !is_warned => Likeness::Alike,
            (Links::Kept, Words::Equal) => Likeness::Same,
            (Links::Kept, Words::Part | Words::Most) => Likeness::Alike,
            (Links::Kept, Words::Others) if is_edited => Likeness::Alike,
            (Links::Near, Words::Most | Words::Equal) => Likeness::Alike,
            (Links::Near, _) if is_edited => Likeness::Alike,
            (Links::Lost, Words::Most | Words::Equal) if !self.told.bare.is_empty() => {
                Likeness::Alike
            }
            // a link that we never sent
            (Links::Unsent, Words::Equal) if urls(&shown.text).next().is_some() => Likeness::Alike,
            (Links::Unsent, Words::Equal) => Likeness::Same,
            (Links::Unsent, Words::Most) => Likeness::Alike,
            (Links::Unsent, Words::Part) if is_edited => Likeness::Alike,
            _ => Likeness::Other,
        }
    }

    /// Whether `theirs` is the content warning, written as text or as HTML.
    fn is_behind(&self, theirs: &str) -> bool {
        let readings = [Told::of(theirs), Told::of(&html::read(theirs).text)];
        self.warning.in_any(&readings) == Some(Words::Equal)
    }

    fn fate(&self, theirs: &[Link]) -> Links {
        let near = |ours: &Link| theirs.iter().any(|it| it.resembles(ours));
        match &self.links[..] {
            [] => Links::Unsent,
            ours if ours.iter().all(|link| theirs.contains(link)) => Links::Kept,
            ours if ours.iter().any(near) => Links::Near,
            _ if theirs.is_empty() => Links::Lost,
            _ => Links::Others,
        }
    }
}

/// A URL in forms in which two can be compared: host and scheme in lower case, nothing
/// percent-encoded, without fragment, slash at the end, and what only counts clicks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Link {
    whole: String,
    host: String,
    path: String,
}

impl Link {
    fn of(url: &str) -> Option<Self> {
        let mut url = Url::parse(url).ok()?;
        url.set_fragment(None);
        let counts = |pair: &str| pair.starts_with("utm_");
        let query = url.query().map(|query| {
            let pairs = query.split('&').filter(|pair| !counts(pair));
            pairs.collect::<Vec<_>>().join("&")
        });
        url.set_query(query.as_deref().filter(|query| !query.is_empty()));
        let host = url.host_str().unwrap_or_default().to_owned();
        Some(Self { whole: plain(url.as_str()), host, path: plain(url.path()) })
    }

    /// Whether it could be `other`, rewritten, or cut at another place of the text.
    fn resembles(&self, other: &Self) -> bool {
        let mut paths = [self.path.as_str(), &other.path];
        paths.sort_unstable_by_key(|path| path.len());
        let rest = paths[1].strip_prefix(paths[0]);
        let ends = |c: char| !c.is_ascii() || ".,;:!?\"')]}>*_~".contains(c);
        self.host == other.host
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(ends))
    }
}

fn plain(url: &str) -> String {
    percent_decode_str(url).decode_utf8_lossy().trim_end_matches('/').to_owned()
}

/// The http URLs that stand in a text.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter_map(|word| {
        let at = word.find("https://").or_else(|| word.find("http://"))?;
        let url = word[at..].trim_end_matches(|c: char| ".,;:!?\"'”»…)".contains(c));
        // a bracket that opened inside belongs to it
        let open = url.contains('(') && word[at + url.len()..].starts_with(')');
        Some(if open { &word[at..=at + url.len()] } else { url })
    })
}

impl Told {
    fn of(text: &str) -> Self {
        let text: String = text.nfc().collect();
        let bare: String = text.split_whitespace().map(before_link).collect();
        let words = text.split_whitespace().map(before_link).map(without_domain);
        let words = words.flat_map(|word| word.split(|c: char| !c.is_alphanumeric()));
        let words = words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
        Self { words, bare }
    }

    /// The most of this that is in one of `theirs`.
    fn in_any(&self, theirs: &[Self]) -> Option<Words> {
        theirs.iter().map(|theirs| self.in_other(theirs)).max()
    }

    /// How much of this is in `theirs`.
    fn in_other(&self, theirs: &Self) -> Words {
        match (&self.words[..], &theirs.words[..]) {
            ([], []) if self.bare == theirs.bare => Words::Equal,
            ([], []) => Words::Most,
            ([], _) | (_, []) => Words::Part,
            (ours, theirs) if ours == theirs => Words::Equal,
            (ours, theirs) => {
                let common = common(ours, theirs);
                let share = |part: (usize, usize), of: &[String]| {
                    common > 0 && common * part.1 >= of.len() * part.0
                };
                match () {
                    () if share(MOST, ours) => Words::Most,
                    () if share(PART, ours) || share(PART, theirs) => Words::Part,
                    () => Words::Others,
                }
            }
        }
    }
}

/// What of a word stands before a link.
fn before_link(word: &str) -> &str {
    let at = word.find("https://").or_else(|| word.find("http://"));
    at.map_or(word, |at| &word[..at])
}

/// The name of a mention, which not every server shows with its domain.
fn without_domain(word: &str) -> &str {
    match word.strip_prefix('@').and_then(|rest| rest.split_once('@')) {
        Some((name, _)) => name,
        None => word,
    }
}

/// How many words two texts share.
fn common(ours: &[String], theirs: &[String]) -> usize {
    let mut left: Vec<&String> = theirs.iter().collect();
    let is_there = |word: &&String| {
        let at = left.iter().position(|it| it == word);
        at.map(|at| left.swap_remove(at)).is_some()
    };
    ours.iter().filter(is_there).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, content: &str, expect: Likeness) {
        let status = json!({ "content": content, "card": null, "edited_at": null });
        assert_eq!(Sought::of(text, None).in_status(&status), expect, "`{text}` in `{content}`");
    }

    /// A post as Mastodon shows it.
    fn shown(words: &str, url: &str) -> String {
        let bare = url.split_once("://").unwrap().1;
        let (start, end) = bare.split_at(bare.len().min(12));
        format!(
            "<p>{words} <a href=\"{url}\"><span class=\"invisible\">https://</span>\
             <span class=\"ellipsis\">{start}</span><span class=\"invisible\">{end}</span></a></p>"
        )
    }

    #[test]
    fn a_post_is_known_by_its_words_and_its_link() {
        let url = "https://Example.com/a%C3%A9/?x=1&y=2#top";
        let hello = format!("Hello, world! {url}");
        let there = "https://example.com/aé/?x=1&amp;y=2";
        check(&hello, &shown("Hello, world!", there), Likeness::Same);
        check(
            &hello,
            &format!("Hello world <a href=\"{there}\">example.com/aé…</a>"),
            Likeness::Same,
        );
        check(
            "Hello https://e.example/a",
            "Hello <a href=\"HTTPS://E.example/a/\">l</a>",
            Likeness::Alike,
        );
        check("Hello https://e.example/a", "<p>Hello https://e.example/a</p>", Likeness::Same);
        check(
            "Hello https://bücher.example/",
            &shown("Hello", "https://xn--bcher-kva.example"),
            Likeness::Same,
        );
        check(
            "Cafe\u{301} https://e.example/a",
            &shown("CAF\u{c9}", "https://e.example/a"),
            Likeness::Same,
        );
        check(
            "[Hi](https://e.example/a)",
            "<a href=\"https://e.example/a\">Hi</a>",
            Likeness::Same,
        );
    }

    #[test]
    fn one_link_can_be_that_of_many_posts() {
        let home = "https://e.example";
        let ours = "A note about the weather in May https://e.example/";
        check(ours, &shown("A note about the weather in May", home), Likeness::Same);
        check(ours, &shown("Something else was written here", home), Likeness::Other);
        check(ours, &shown("A note about the weather in June", home), Likeness::Alike);
        check(ours, &shown("A note about the trees in autumn", home), Likeness::Alike);
        check(ours, &shown("", home), Likeness::Alike);
        check("https://e.example", &shown("My words about that", home), Likeness::Alike);
        check("https://e.example", &shown("", home), Likeness::Same);
        check("🎉 https://e.example", &shown("🎉", home), Likeness::Same);
        check("🎉 https://e.example", &shown("🙈", home), Likeness::Alike);
        let status = json!({ "content": shown("Else", home), "edited_at": "2026-01-01T00:00:00Z" });
        assert_eq!(
            Sought::of(ours, None).in_status(&status),
            Likeness::Alike,
            "edited by its owner"
        );
    }

    #[test]
    fn a_link_that_the_server_rewrote_is_never_another_one() {
        let with = |query: &str| format!("Hello there https://e.example/a{query}");
        let there = |url: &str| shown("Hello there", url);
        check(&with("?utm_source=x&utm_medium=y"), &there("https://e.example/a"), Likeness::Same);
        check(&with("?p=1&utm_source=x"), &there("https://e.example/a?p=1"), Likeness::Same);
        check(&with("?ref=feed"), &there("https://e.example/a"), Likeness::Alike);
        check(&with("?ref=feed"), &shown("Other words", "https://e.example/a"), Likeness::Other);
        check(&with("?p=1"), &there("https://e.example/a?p=2"), Likeness::Alike);
        check(&with(""), &there("https://e.example/ab"), Likeness::Other);
        check(&with("。"), &there("https://e.example/a"), Likeness::Alike);
        check(&with(""), "<p>Hello there</p>", Likeness::Alike);
        check(&with(""), "<p>Hello there <a href=\"/t/x\">#x</a></p>", Likeness::Alike);
        check(&with(""), "<p>Something else</p>", Likeness::Other);
        check("https://e.example/a", "<p></p>", Likeness::Other);
    }

    #[test]
    fn a_card_counts_as_a_link() {
        let status = json!({ "content": "<p>Hi</p>", "card": { "url": "https://e.example/a" } });
        let sought = Sought::of("Hi (https://e.example/a).", None);
        assert_eq!(sought.in_status(&status), Likeness::Same);
    }

    #[test]
    fn a_content_warning_is_told_apart() {
        let check = |warning: Option<&str>, theirs: Value, expect: Likeness| {
            let linked = "Who did it https://e.example/a";
            let content = theirs["content"].as_str().unwrap_or("Who did it").to_owned();
            for (text, url) in [(linked, Some("https://e.example/a")), ("Who did it", None)] {
                let mut status = theirs.clone();
                let content = url.map_or_else(|| content.clone(), |url| shown(&content, url));
                status["content"] = content.into();
                let likeness = Sought::of(text, warning).in_status(&status);
                assert_eq!(likeness, expect, "{warning:?}, `{text}` in {status}");
            }
        };
        let behind = |warning: &str| json!({ "spoiler_text": warning });
        let ours = Some("Spoilers: <season> 1 & 2");
        for same in ["Spoilers: <season> 1 & 2", "Spoilers: &lt;season&gt; 1 &amp; 2 "] {
            check(ours, behind(same), Likeness::Same);
        }
        check(None, behind(""), Likeness::Same);
        check(None, json!({}), Likeness::Same);
        check(None, json!({ "spoiler_text": null }), Likeness::Same);
        // the same words, open or behind another warning: somebody's own doing, perhaps
        check(ours, behind(""), Likeness::Alike);
        check(ours, behind("Food"), Likeness::Alike);
        check(None, behind("Food"), Likeness::Alike);
        check(Some("⚠️"), behind("⚠️"), Likeness::Same);
        check(Some("⚠️"), behind("🍕"), Likeness::Alike);
        // the same warning makes no other words ours
        check(
            ours,
            json!({ "spoiler_text": ours, "content": "Nothing in common" }),
            Likeness::Other,
        );
        // what the owner has edited is still ours
        for edited in ["", "Food"] {
            let mut status = behind(edited);
            status["edited_at"] = "2026-01-01T00:00:00Z".into();
            check(ours, status.clone(), Likeness::Same);
            check(None, status.clone(), Likeness::Same);
            status["created_at"] = status["edited_at"].clone();
            check(ours, status, Likeness::Alike);
        }
        let within = "Spoilers: &lt;season&gt; 1 &amp; 2<br>Who did it";
        check(ours, json!({ "content": within }), Likeness::Same);
        // without a text the warning becomes it
        let status = json!({ "content": "<p>Spoilers</p>", "spoiler_text": "" });
        assert_eq!(Sought::of(" ", Some("Spoilers")).in_status(&status), Likeness::Same);
    }

    #[test]
    fn what_was_uploaded_tells_most() {
        let check = |text: &str, theirs: Value, content: &str, expect: Likeness| {
            let status = json!({ "content": content, "media_attachments": theirs });
            let sought = Sought::of(text, None).with_media(&["7".into(), "01H".into()]);
            assert_eq!(sought.in_status(&status), expect, "`{text}` in {status}");
        };
        let of = |ids: &[&str]| ids.iter().map(|id| json!({ "id": id })).collect::<Value>();
        check("Hi", of(&["7", "01H"]), "<p>Hi</p>", Likeness::Same);
        // whatever its owner made of it
        check("Hi", of(&["01H"]), "<p>Quite other words</p>", Likeness::Same);
        check("", of(&["7", "01H"]), "", Likeness::Same);
        // a server with other ids
        check("Hi", of(&["a", "b"]), "<p>Hi</p>", Likeness::Same);
        check("Hi", of(&["a"]), "<p>Hi</p>", Likeness::Alike);
        check("Hi", json!([]), "<p>Hi</p>", Likeness::Alike);
        check("Hi", Value::Null, "<p>Hi</p>", Likeness::Alike);
        check("Hi", of(&["a", "b"]), "<p>Other</p>", Likeness::Other);
        check("", of(&["a", "b"]), "", Likeness::Alike);
        check("", of(&["a", "b"]), "<p>Words</p>", Likeness::Other);
        let numbers = json!([{ "id": 7 }, { "id": 8 }]);
        check("", numbers, "", Likeness::Alike);
    }

    #[test]
    fn without_a_link_the_words_count() {
        check("One & *two*\n\nthree", "<p>One &amp; <b>two</b></p><p>three</p>", Likeness::Same);
        check(
            "Hi @bob@e.example",
            r#"<p>Hi <a href="x">@<span>bob</span></a></p>"#,
            Likeness::Same,
        );
        check(
            "See e.example",
            r#"<p>See <a href="http://e.example">e.example</a></p>"#,
            Likeness::Same,
        );
        check("one two three four", "<p>one two three</p>", Likeness::Alike);
        check("one two three four", "<p>one two</p>", Likeness::Other);
        check("one two", &shown("one two", "https://e.example/by-hand"), Likeness::Alike);
        check("🎉 🎉", "<p>🎉 🎉</p>", Likeness::Same);
        check("🎉", "<p>🙈</p>", Likeness::Alike);
        check("🎉", "<p>words</p>", Likeness::Other);
        check("a title", "<p></p>", Likeness::Other);
    }
}
