//! Ask: questions to whoever sits at the terminal, or stands behind a pipe.
//!
//! Questions go to stderr, answers come from stdin, one line each. **Invariant:** a secret is not
//! shown while it is typed, and the terminal is as before afterwards. **Refuses:** secrets as
//! arguments: those stand in the history of the shell and in the list of processes.

use std::io::{BufRead, ErrorKind, IsTerminal, Read, StdinLock, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::super::CliError;
use crate::config::Secret;
use crate::redact::register_renewed;

/// The longest answer. The longest token known has 4 KiB. Bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What the keys mean that end or change a line, as no terminal does that here.
const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const CTRL_U: u8 = 0x15;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];

/// Who is asked.
pub struct Ask {
    input: StdinLock<'static>,
}

impl Ask {
    /// Whoever is behind stdin.
    pub fn new() -> Self {
        Self { input: std::io::stdin().lock() }
    }

    /// Whether somebody sits there.
    pub fn is_person(&self) -> bool {
        self.input.is_terminal()
    }

    /// Says something that needs no answer.
    pub fn say(&self, words: &str) {
        // where stderr is gone, nobody reads it
        let _ = writeln!(anstream::stderr(), "{words}");
    }

    /// Asks for a word that may be seen.
    ///
    /// # Errors
    /// There is no answer.
    pub fn word(&mut self, question: &str) -> Result<String, CliError> {
        self.question(question);
        self.line()
    }

    /// Asks for a secret. It is known to `redact` from here on.
    ///
    /// # Errors
    /// There is no answer, or the terminal can't be made to show nothing.
    pub fn secret(&mut self, question: &str) -> Result<Secret, CliError> {
        let text = if self.is_person() {
            let hidden = Hidden::begin(&self.input)?;
            self.question(question);
            let typed = self.keys();
            drop(hidden);
            self.say("");
            typed?
        } else {
            self.line()?
        };
        let secret = Secret::new(text);
        register_renewed(&secret);
        Ok(secret)
    }

    fn question(&self, question: &str) {
        if self.is_person() {
            let mut out = anstream::stderr();
            let _ = write!(out, "{question}: ").and_then(|()| out.flush());
        }
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<String, CliError> {
        let mut line = Vec::new();
        let most = u64::try_from(ANSWER_BYTES_MAX).expect("a small constant");
        self.input.by_ref().take(most).read_until(b'\n', &mut line).map_err(unread)?;
        if line.is_empty() {
            return Err(ended());
        }
        text(line)
    }

    /// What is typed up to the end of the line, while the terminal does nothing by itself.
    fn keys(&mut self) -> Result<String, CliError> {
        let mut typed = Vec::new();
        let mut key = [0];
        while typed.len() < ANSWER_BYTES_MAX {
            match self.input.read(&mut key) {
                Ok(0) => return Err(ended()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(unread(error)),
                Ok(_) => {}
            }
            match key[0] {
                b'\r' | b'\n' => break,
                CTRL_C => return Err(CliError::refused("nothing was changed", "")),
                CTRL_D if typed.is_empty() => return Err(ended()),
                CTRL_D => break,
                CTRL_U => typed.clear(),
                byte if BACKSPACE.contains(&byte) => drop(typed.pop()),
                byte => typed.push(byte),
            }
        }
        text(typed)
    }
}

fn text(bytes: Vec<u8>) -> Result<String, CliError> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(_) => Err(CliError::refused("the answer is no text", "copy it once more")),
    }
}

fn ended() -> CliError {
    CliError::refused(
        "there is no answer on standard input",
        "run it on a terminal, or give one line for each question",
    )
}

fn unread(error: std::io::Error) -> CliError {
    anyhow::anyhow!("failed to read standard input: {error}").into()
}

/// A terminal that shows nothing of what is typed, and hands every key over at once: a line of a
/// terminal holds 4096 bytes at most. As before when dropped.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn begin(input: &StdinLock<'_>) -> Result<Self, CliError> {
        let failed = |error| anyhow::anyhow!("failed to hide what is typed: {error}");
        let before = tcgetattr(input).map_err(failed)?;
        let mut mode = before.clone();
        // no signals either: one that ends the process would leave the terminal silent
        mode.local_modes -= LocalModes::ECHO
            | LocalModes::ECHONL
            | LocalModes::ICANON
            | LocalModes::ISIG
            | LocalModes::IEXTEN;
        tcsetattr(input, OptionalActions::Flush, &mode).map_err(failed)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // a terminal that is gone needs nothing
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}
