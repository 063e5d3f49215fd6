//! Text: HTML to the plain text that its author would have typed.
//!
//! A vocabulary module, because `feed` needs it for titles and `compose` for everything else. It
//! runs on html5ever's *tokenizer* alone: a tree builder takes quadratic time on deep markup, and
//! nothing here needs a tree. **Invariant:** linear in the input; never more than one blank line in
//! a row; no line ends in white space. **Refuses:** media, scripts, styles, forms' contents.

mod footer;
mod link;
pub mod reader;
mod small;
mod walker;

use crate::entry::{Entry, Markup};
use reader::read;
use walker::{Form, Walker};

/// How far beyond that beginning is read, for what the end of a text may take away.
const BYTES_AHEAD: usize = 1024;
/// How many kinds of elements that are never closed are looked through.
const UNCLOSED_MAX: usize = 4;

/// Turns marked-up text into plain text: paragraphs, lists, quotes and line breaks are kept, a link
/// becomes `text (url)`.
pub fn plain(markup: &Markup) -> String {
    match markup {
        Markup::Text(text) => tidy(text),
        Markup::Html(html) => html_to_text(html),
    }
}

/// Turns marked-up text of `entry` into plain text as [`plain`] does, without what at its end only
/// leads to the entry itself: `Continue reading (url)`.
pub fn of_entry(markup: &Markup, entry: &Entry) -> String {
    match markup {
        Markup::Text(text) => tidy(text),
        Markup::Html(html) => {
            let mut walker = walk(html, Form::Text, &[]);
            footer::cut(&mut walker.out, &walker.addresses, entry);
            tidy(&walker.out)
        }
    }
}

/// The first `reach` bytes, or a few less, of what [`of_entry`] says, and whether that is all of it:
/// of a long entry only the beginning is read.
pub fn start_of(markup: &Markup, entry: &Entry, reach: usize) -> (String, bool) {
    let mut text = match markup {
        Markup::Html(html) => {
            // a footer that goes would have been within reach without it
            let enough = reach.saturating_add(BYTES_AHEAD);
            match beginning(html, enough) {
                Some(text) => text,
                None => of_entry(markup, entry),
            }
        }
        Markup::Text(text) => tidy(text),
    };
    let is_all = text.len() <= reach;
    text.truncate(text.floor_char_boundary(reach));
    (text, is_all)
}

/// One line of at least the first `reach` bytes of `entry`'s text, if there are so many, in plain
/// words: no addresses, no marks of lists, quotes or footnotes, nothing that only leads to the entry
/// itself. For descriptions, where nobody follows a link.
pub fn line_of(markup: &Markup, entry: &Entry, reach: usize) -> String {
    let html = match markup {
        Markup::Html(html) => html,
        Markup::Text(text) => return fold(&text[..text.floor_char_boundary(reach)]),
    };
    // a footer that goes would have been within reach without it
    let enough = reach.saturating_add(BYTES_AHEAD);
    if html.len() > enough {
        let start = read(html, Walker::new(Form::Words, &[]), |walker| walker.settled() > enough);
        if start.settled() > enough {
            return fold(&tidy(&start.out[..start.settled()]));
        }
    }
    let mut walker = walk(html, Form::Words, &[]);
    footer::cut(&mut walker.out, &walker.addresses, entry);
    fold(&tidy(&walker.out))
}

/// Turns HTML into plain text; see [`plain`].
pub fn html_to_text(html: &str) -> String {
    tidy(&walk(html, Form::Text, &[]).out)
}

/// Turns HTML into one line of plain text, without addresses and list marks: for titles.
pub fn html_to_line(html: &str) -> String {
    if html.contains(['<', '&']) { fold(&walk(html, Form::Line, &[]).out) } else { fold(html) }
}

/// Whether an image with this alternative text stands for a sign, such as an emoji: the text has it.
pub fn is_sign(alt: &str) -> bool {
    !small::sign(alt).is_empty()
}

/// Folds every run of white space into one space and trims both ends.
pub fn fold(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line
}

/// Trims the ends of the text and of its lines, drops what only tells where a line may be broken,
/// and leaves at most one blank line in a row.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.lines() {
        let start = tidied.len();
        let line = if start == 0 { line.trim_start() } else { line };
        if !line.is_empty() && start > 0 {
            tidied.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        let from = tidied.len();
        let mut last = '\n';
        if line.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_control()) {
            tidied.push_str(line);
        } else {
            for c in line.chars().filter(|c| !c.is_control() || *c == '\t') {
                let is_first = tidied.is_empty() && c.is_whitespace();
                if !is_break(c, last) && !is_first {
                    tidied.push(c);
                }
                last = c;
            }
        }
        tidied.truncate(from + tidied[from..].trim_end().len());
        if tidied.len() == from {
            tidied.truncate(start);
            blank += 1;
        } else {
            blank = 0;
        }
    }
    tidied
}

/// Whether `c` shows nothing and only tells where a line may be broken: soft hyphen, byte order
/// mark, zero-width space; that one stays where scripts without spaces begin (Thai and beyond).
fn is_break(c: char, before: char) -> bool {
    matches!(c, '\u{AD}' | '\u{FEFF}') || (c == '\u{200B}' && before < '\u{E00}')
}

/// The beginning of the text of `html`, longer than `enough` bytes; none where the text may be
/// shorter.
fn beginning(html: &str, enough: usize) -> Option<String> {
    if html.len() <= enough {
        return None;
    }
    let (mut wanted, mut beginning) = (enough, None);
    read(html, Walker::new(Form::Text, &[]), |walker| {
        let settled = walker.settled();
        if settled > wanted {
            beginning = Some(tidy(&walker.out[..settled])).filter(|text| text.len() > enough);
            wanted = settled.saturating_mul(2);
        }
        beginning.is_some()
    });
    beginning
}

fn walk(html: &str, form: Form, kept: &[String]) -> Walker {
    let mut walker = read(html, Walker::new(form, kept), |_| false);
    match walker.unclosed() {
        // an element that is never closed must not swallow the rest: once more, without it
        Some(open) if kept.len() < UNCLOSED_MAX => {
            let open = open.to_owned();
            walk(html, form, &[kept, &[open]].concat())
        }
        _ => {
            walker.end();
            walker
        }
    }
}

#[cfg(test)]
mod tests;
