//! Head: the first bytes of a video, that pass for the whole of it.
//!
//! Where a platform fetches a video itself, only its head is here; what its index says of the rest
//! is to be believed, up to the length that its server names. **Refuses:** to make bytes up: behind
//! the head nothing can be read.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// A file that is longer than what is here of it.
#[derive(Debug)]
pub struct Head {
    file: File,
    /// How long the whole is, in bytes.
    length: u64,
    at: u64,
}

impl Head {
    /// What is in `file`, of something with `length` bytes.
    pub fn of(file: File, length: u64) -> Self {
        Self { file, length, at: 0 }
    }
}

impl Read for Head {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.file.seek(SeekFrom::Start(self.at))?;
        let read = self.file.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Head {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(Error::from(ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_end_is_where_it_would_be_and_nothing_is_there() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"begin").unwrap();
        let mut head = Head::of(file, 100);
        assert_eq!(head.seek(SeekFrom::End(0)).unwrap(), 100);
        assert_eq!(head.read(&mut [0; 4]).unwrap(), 0);
        assert_eq!(head.seek(SeekFrom::End(-97)).unwrap(), 3);
        let mut rest = String::new();
        head.read_to_string(&mut rest).unwrap();
        assert_eq!((rest.as_str(), head.seek(SeekFrom::Current(-4)).unwrap()), ("in", 1));
        assert!(head.seek(SeekFrom::Current(-2)).is_err());
    }
}
