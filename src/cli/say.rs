//! Say: tables, times and names, as people read them.
//!
//! Text from a feed may hold anything. **Invariant:** no control character of it reaches the
//! terminal; a table is never wider than the terminal, and never shortened where nobody looks.

use std::fmt::Write;
use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table};

use crate::clock::Timestamp;
use crate::crosspost::State;

/// Good.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Wants somebody.
pub const WAITS: Style = AnsiColor::Yellow.on_default();
/// Bad.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Of little interest.
pub const QUIET: Style = Style::new().dimmed();
/// Heads.
pub const HEAD: Style = Style::new().bold();
/// As it is.
pub const PLAIN: Style = Style::new();

/// How a state looks.
pub const fn style_of(state: State) -> Style {
    match state {
        State::Published => GOOD,
        State::Held | State::Uncertain => WAITS,
        State::Failed => BAD,
        State::Skipped => QUIET,
        State::Ready | State::Sending => PLAIN,
    }
}

/// `text` in `style`.
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A table without borders, one line for each row.
pub struct Grid {
    table: Table,
    columns: Vec<Width>,
    styles: Vec<Style>,
}

/// What a column does where the terminal is narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Stays whole.
    Whole,
    /// Is shortened.
    Short,
}

impl Grid {
    /// An empty table with these heads.
    pub fn new(heads: &[(&str, Width)]) -> Self {
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(Row::from(heads.iter().map(|(head, _)| *head).collect::<Vec<_>>()));
        Self { table, columns: heads.iter().map(|(_, width)| *width).collect(), styles: Vec::new() }
    }

    /// Adds a line.
    pub fn row(&mut self, style: Style, cells: Vec<String>) {
        let mut row = Row::from(cells.iter().map(|cell| clean(cell)).collect::<Vec<_>>());
        row.max_height(1);
        self.table.add_row(row);
        self.styles.push(style);
    }

    /// Whether there is no line in it.
    pub fn is_empty(&self) -> bool {
        self.styles.is_empty()
    }

    /// The lines, within the terminal's width.
    pub fn lines(self) -> String {
        self.lines_within(terminal_width())
    }

    fn lines_within(mut self, width: Option<u16>) -> String {
        if let Some(width) = width {
            self.table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        for (column, width) in self.table.column_iter_mut().zip(&self.columns) {
            column.set_padding((0, 2));
            if *width == Width::Whole {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let styles = std::iter::once(HEAD).chain(self.styles);
        self.table.lines().zip(styles).fold(String::new(), |mut text, (line, style)| {
            let _ = writeln!(text, "{}", styled(style, line.trim_end()));
            text
        })
    }
}

/// The width of the terminal, where stdout is one.
fn terminal_width() -> Option<u16> {
    let out = std::io::stdout();
    let size = out.is_terminal().then(|| terminal_size::terminal_size_of(out)).flatten();
    size.map(|(width, _)| width.0.max(40))
}

/// `text` on one line, without what could steer a terminal.
pub fn clean(text: &str) -> String {
    let harmless = |c: char| match c {
        c if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
            ' '
        }
        c => c,
    };
    text.chars().map(harmless).collect()
}

/// `text` in a cell: at most as many characters as are read at a glance.
pub fn glance(text: &str) -> String {
    /// Characters.
    const GLANCE: usize = 60;
    match text.char_indices().nth(GLANCE) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

/// A moment: `2026-11-23 17:20:05Z`.
pub fn moment(at: Timestamp) -> String {
    at.to_datetime().format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A moment as seen from `now`: `3 h ago`, `in 2 min`, `now`.
pub fn from_now(at: Timestamp, now: Timestamp) -> String {
    let (past, future) = (now.since(at).as_secs(), at.since(now).as_secs());
    match (past, future) {
        (0, 0) => "now".into(),
        (0, seconds) => format!("in {}", span(seconds)),
        (seconds, _) => format!("{} ago", span(seconds)),
    }
}

/// A number of seconds in one unit.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `1 entry`, `2 entries`.
pub fn plural(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// An argument as one types it into a shell.
pub fn shell(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-.,:/@%+=#~".contains(c);
    let bare = !word.is_empty() && !word.starts_with(['#', '~', '-']) && word.chars().all(safe);
    if bare { word.to_owned() } else { format!("'{}'", clean(word).replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let now = Timestamp::from_secs(1_000_000);
        let check = |at: i64, expect: &str| {
            assert_eq!(from_now(Timestamp::from_secs(1_000_000 + at), now), expect);
        };
        check(0, "now");
        check(119, "in 119 s");
        check(120, "in 2 min");
        check(-3 * 3600, "3 h ago");
        check(-5 * 86_400, "5 d ago");
    }

    #[test]
    fn words_survive_a_shell() {
        let check = |word: &str, expect: &str| assert_eq!(shell(word), expect);
        check("https://a.example/x-1", "https://a.example/x-1");
        check("https://a.example/?a=1&b=2", "'https://a.example/?a=1&b=2'");
        check("it's", r"'it'\''s'");
        check("--to", "'--to'");
        check("", "''");
    }

    #[test]
    fn a_table_fits_and_keeps_the_columns_that_must_stay() {
        let mut grid = Grid::new(&[("ID", Width::Whole), ("TITLE", Width::Short)]);
        grid.row(PLAIN, vec!["12345678".into(), "a title\x1b[31m of many, many words".into()]);
        let wide = grid_text(&grid.table, &grid.columns, None);
        assert_eq!(wide, "ID        TITLE\n12345678  a title [31m of many, many words\n");
        let narrow = grid_text(&grid.table, &grid.columns, Some(24));
        assert!(narrow.lines().all(|line| line.chars().count() <= 24), "{narrow}");
        assert!(narrow.contains("12345678  a title"), "{narrow}");
        assert!(narrow.contains('…') && narrow.lines().count() == 2, "{narrow}");
    }

    fn grid_text(table: &Table, columns: &[Width], width: Option<u16>) -> String {
        let styles = vec![PLAIN; table.row_count()];
        let grid = Grid { table: table.clone(), columns: columns.to_vec(), styles };
        anstream::adapter::strip_str(&grid.lines_within(width)).to_string()
    }
}
