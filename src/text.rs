//! Text: stand-in until the real one is merged.

use crate::entry::Markup;

/// The plain text of `markup`.
pub fn plain(markup: &Markup) -> String {
    let Markup::Html(html) = markup else { return markup.body().to_owned() };
    let mut inside = false;
    html.chars()
        .filter(|&c| {
            inside = (inside && c != '>') || c == '<';
            !inside && c != '>'
        })
        .collect()
}
