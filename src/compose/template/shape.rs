//! Shape: which templates are compiled at all.
//!
//! Fuel is spent while a template runs. One danger lies before that: a long expression is a deep
//! tree, which overflows the stack of whoever compiles it or throws it away, and a stack that
//! overflows ends the daemon. So a template, which can come from a feed, is short and flat.
//! **Invariant:** whatever passes is compiled, rendered and dropped on the stack of any thread.

use minijinja::machinery::{Token, Tokenizer};
use minijinja::syntax::SyntaxConfig;

/// The most words and signs within `{{ }}` and `{% %}` together. Each may be a level of the tree;
/// the stack of a thread takes several times as many.
const TOKENS_MAX: usize = 400;
/// How deep brackets may stand in each other: reading one takes more of the stack than all else.
const BRACKETS_MAX: usize = 16;
/// The most statements (`if`, `else`, `endif`, `for` …): they may stand in each other.
const STATEMENTS_MAX: usize = 40;

/// Refuses a template that nobody writes in earnest. What is no template at all passes: whoever
/// compiles it says so better.
///
/// # Errors
/// What there is too much of, for the template's author.
pub fn check(source: &str) -> Result<(), String> {
    let mut tokens = Tokenizer::new(source, "<string>", false, SyntaxConfig::default());
    let (mut count, mut brackets, mut statements) = (0_usize, 0_usize, 0_usize);
    while let Ok(Some((token, _))) = tokens.next_token() {
        match token {
            Token::TemplateData(_) => continue,
            Token::VariableStart => brackets = 0,
            Token::BlockStart => (brackets, statements) = (0, statements + 1),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => brackets += 1,
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                brackets = brackets.saturating_sub(1);
            }
            _ => {}
        }
        count += 1;
        if count > TOKENS_MAX {
            return Err(format!("it has more than {TOKENS_MAX} words and signs"));
        }
        if brackets > BRACKETS_MAX {
            return Err(format!("brackets stand more than {BRACKETS_MAX} deep in each other"));
        }
        if statements > STATEMENTS_MAX {
            return Err(format!("it has more than {STATEMENTS_MAX} statements"));
        }
    }
    Ok(())
}
