//! File: the blocking half of the outbox: whole lines, appended durably under a lock.
//!
//! **Invariant:** what failed with `retry` left nothing behind.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::crosspost::Failure;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The path of the config.
    #[serde(default)]
    pub path: String,
    /// The device of the file under it.
    #[serde(default)]
    pub device: u64,
    /// Which file of the device it is.
    pub inode: u64,
    /// How long it is, bytes.
    pub len: u64,
}

/// Creates the file with its folders where it is missing, durably, and marks its end.
///
/// # Errors
/// `retry`: no post was written.
pub fn prepare(path: &Path) -> Result<Mark, Failure> {
    let file = open(path).map_err(|error| failure("open", path, &error))?;
    let marked = file.metadata().map_err(|error| failure("measure", path, &error))?;
    let (device, inode, len) = (marked.dev(), marked.ino(), marked.len());
    Ok(Mark { path: path.display().to_string(), device, inode, len })
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// To append.
    Alone,
    /// To read, when no append is in flight.
    Shared,
}

/// Opens the file under its lock; none while another program, or another account, has that.
///
/// # Errors
/// `retry`: nothing was written.
pub fn lock(path: &Path, lock: Lock) -> Result<Option<File>, Failure> {
    let attempt = || -> io::Result<Option<File>> {
        let (file, tried) = match lock {
            Lock::Alone => {
                let file = open(path)?;
                let tried = file.try_lock();
                (file, tried)
            }
            Lock::Shared => {
                // to open a queue would block
                is_regular(fs::metadata(path)?.is_file())?;
                let file = File::open(path)?;
                let tried = file.try_lock_shared();
                (file, tried)
            }
        };
        match tried {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    };
    attempt().map_err(|error| failure("lock", path, &error))
}

/// The failure where the lock was not to be had.
pub fn held_by_others(path: &Path, waited: Duration) -> Failure {
    let path = path.display();
    let waited = waited.as_secs();
    Failure::retry(format!(
        "could not lock the outbox `{path}` for {waited} s: another program holds its lock"
    ))
}

/// Whether `mark` was made under `path`.
///
/// # Errors
/// `ambiguous` where it was not: nothing can be learnt from the file under `path`.
pub fn is_under(path: &Path, mark: &Mark) -> Result<(), Failure> {
    let (marked, path) = (&mark.path, path.display().to_string());
    if *marked == path {
        return Ok(());
    }
    Err(Failure::ambiguous(format!(
        "it may be in `{marked}`, and the outbox is `{path}` now: look into the former"
    )))
}

/// Appends `line` to `file`, which is `path` under its lock, in one write and waits until it is on
/// disk. A last line that a crash left torn is ended first.
///
/// # Errors
/// `retry` where surely nothing of it is in the file, else `ambiguous`.
pub fn append(mut file: File, path: &Path, line: &[u8]) -> Result<(), Failure> {
    if ends_torn(&file).map_err(|error| failure("read the end of", path, &error))? {
        put(&mut file, b"\n", path)?;
    }
    put(&mut file, line, path)
}

/// Whether a whole line of `file`, which is `path` under its lock, from `mark` on is the one.
///
/// # Errors
/// `retry` where that can't be told: the file can't be read, or it is another one now.
pub fn find(
    mut file: File,
    path: &Path,
    mark: &Mark,
    is_ours: impl Fn(&serde_json::Value) -> bool,
) -> Result<bool, Failure> {
    let mut search = || -> io::Result<bool> {
        let there = file.metadata()?;
        let is_same = (there.dev(), there.ino()) == (mark.device, mark.inode);
        if !is_same || there.len() < mark.len {
            return Err(io::Error::other("it is not the file that was written to"));
        }
        file.seek(SeekFrom::Start(mark.len))?;
        for line in BufReader::new(&file).split(b'\n') {
            if serde_json::from_slice(&line?).is_ok_and(|line| is_ours(&line)) {
                file.sync_all()?;
                return Ok(true);
            }
        }
        Ok(false)
    };
    search().map_err(|error| failure("search", path, &error))
}

/// Whether a post could be appended now. Creates nothing that stays.
///
/// # Errors
/// `retry` with the reason.
pub fn check(path: &Path) -> Result<(), Failure> {
    let probe = || -> io::Result<()> {
        if path.try_exists()? {
            return regular(OpenOptions::new().append(true).open(path)?).map(drop);
        }
        let folder = nearest_folder(path);
        let probe = folder.join(format!(".posse-party-{}", std::process::id()));
        OpenOptions::new().write(true).create_new(true).open(&probe)?;
        fs::remove_file(&probe)
    };
    probe().map_err(|error| failure("write to", path, &error))
}

fn failure(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::retry(format!("could not {doing} the outbox `{}`: {error}", path.display()))
}

/// Opens `path` for reading and appending, and makes it, its folders and their names durable
/// where it is new.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return regular(opened?),
    }
    let first = nearest_folder(path).to_owned();
    fs::create_dir_all(folder_of(path))?;
    let file = options.create(true).open(path)?;
    file.sync_all()?;
    for folder in path.ancestors().skip(1).map(or_here) {
        File::open(folder)?.sync_all()?;
        if folder == first {
            break;
        }
    }
    Ok(file)
}

/// A queue or a device would block, and can't be searched.
fn regular(file: File) -> io::Result<File> {
    is_regular(file.metadata()?.is_file())?;
    Ok(file)
}

fn is_regular(is_file: bool) -> io::Result<()> {
    if is_file { Ok(()) } else { Err(io::Error::other("it is not a regular file")) }
}

fn folder_of(path: &Path) -> &Path {
    or_here(path.parent().unwrap_or(path))
}

/// The nearest folder above `path` that exists.
fn nearest_folder(path: &Path) -> &Path {
    path.ancestors().skip(1).map(or_here).find(|folder| folder.exists()).unwrap_or(Path::new("/"))
}

/// The parent of a bare name is the working directory.
fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Whether the file ends in the middle of a line.
fn ends_torn(file: &File) -> io::Result<bool> {
    let Some(last) = file.metadata()?.len().checked_sub(1) else { return Ok(false) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

/// What `put` needs of a file.
trait Tail {
    fn len(&self) -> io::Result<u64>;
    fn write_once(&mut self, bytes: &[u8]) -> io::Result<usize>;
    fn cut(&self, len: u64) -> io::Result<()>;
    fn sync(&self) -> io::Result<()>;
}

impl Tail for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn write_once(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    fn cut(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Writes `bytes` at the end, all or none.
fn put(file: &mut impl Tail, bytes: &[u8], path: &Path) -> Result<(), Failure> {
    let before = file.len().map_err(|error| failure("measure", path, &error))?;
    let written = loop {
        match file.write_once(bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            written => break written,
        }
    };
    let (some, why) = match written {
        Ok(all) if all == bytes.len() => {
            let doubt = |error| Failure::ambiguous(failure("fsync", path, &error).message);
            return file.sync().map_err(doubt);
        }
        Ok(some) => (some, format!("only {some} of {} bytes were written", bytes.len())),
        Err(error) => (0, error.to_string()),
    };
    let message = format!("could not append to the outbox `{}`: {why}", path.display());
    match undo(file, before, some) {
        Ok(true) => Err(Failure::retry(message)),
        Ok(false) | Err(_) => Err(Failure::ambiguous(message)),
    }
}

/// Takes away the `some` bytes that were written after `before`; false where others came after.
fn undo(file: &impl Tail, before: u64, some: usize) -> io::Result<bool> {
    let now = file.len()?;
    if some > 0 && now == before + some as u64 {
        file.cut(before)?;
        file.sync()?;
    }
    Ok(file.len()? == before)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::crosspost::Class;

    /// A disk that takes `room` bytes more, and may then refuse to cut or to sync.
    struct Disk {
        held: RefCell<Vec<u8>>,
        room: usize,
        interrupted: bool,
        cuts: bool,
        syncs: bool,
    }

    impl Tail for Disk {
        fn len(&self) -> io::Result<u64> {
            Ok(self.held.borrow().len() as u64)
        }

        fn write_once(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if std::mem::take(&mut self.interrupted) {
                return Err(ErrorKind::Interrupted.into());
            }
            if self.room == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            let some = bytes.len().min(self.room);
            self.room -= some;
            self.held.borrow_mut().extend_from_slice(&bytes[..some]);
            Ok(some)
        }

        fn cut(&self, len: u64) -> io::Result<()> {
            if !self.cuts {
                return Err(ErrorKind::PermissionDenied.into());
            }
            self.held.borrow_mut().truncate(len as usize);
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            if self.syncs { Ok(()) } else { Err(ErrorKind::StorageFull.into()) }
        }
    }

    #[test]
    fn a_failed_append_leaves_nothing_or_a_doubt() {
        let check = |room, cuts, syncs, expect: Result<(), &str>, held: &str| {
            let before = RefCell::new(b"old\n".to_vec());
            let mut disk = Disk { held: before, room, interrupted: true, cuts, syncs };
            let put = put(&mut disk, b"line\n", Path::new("out"));
            let class = put.as_ref().map_err(|failure| failure.class.as_str());
            assert_eq!(class, expect.as_ref().map_err(|class| *class), "{put:?}");
            assert_eq!(disk.held.into_inner(), held.as_bytes(), "room {room}");
        };
        check(99, true, true, Ok(()), "old\nline\n");
        check(0, true, true, Err("retry"), "old\n");
        check(3, true, true, Err("retry"), "old\n");
        check(3, false, true, Err("ambiguous"), "old\nlin");
        check(3, true, false, Err("ambiguous"), "old\n");
        check(99, true, false, Err("ambiguous"), "old\nline\n");
    }

    #[test]
    fn folders_are_made_when_they_are_needed_and_checked_without() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/out.jsonl");
        check(&path).unwrap();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "a check leaves nothing");
        assert_eq!(prepare(&path).unwrap().len, 0);
        check(&path).unwrap();
        let taken = path.join("under/a/file");
        for failure in [prepare(&taken).unwrap_err(), check(root.path()).unwrap_err()] {
            assert!(matches!(failure.class, Class::Retry { .. }), "{failure:?}");
        }
    }
}
