//! Writer: one event at a time to where the log goes, without secrets.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::redact::redact;

/// Makes writers that hold one event back, redact it and pass it on when they are dropped.
pub(super) struct Redacting<F>(pub(super) F);

/// Holds one event.
pub(super) struct Held<W: Write> {
    event: Vec<u8>,
    sink: W,
}

impl<'w, W: Write + 'w, F: Fn() -> W> MakeWriter<'w> for Redacting<F> {
    type Writer = Held<W>;

    fn make_writer(&'w self) -> Held<W> {
        Held { event: Vec::with_capacity(256), sink: (self.0)() }
    }
}

impl<W: Write> Write for Held<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.event.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Held<W> {
    fn drop(&mut self) {
        // an event is UTF-8; a log that can't be written has nobody left to be told so
        let _ = self.sink.write_all(redact(&String::from_utf8_lossy(&self.event)).as_bytes());
    }
}
