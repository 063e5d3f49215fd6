//! Shelf: files of media on their way to a platform, in one folder beside the database.
//!
//! A draft is frozen before it is sent, and its picture with it: what was fetched once is kept here
//! until the post is out, so that every retry sends the same bytes. A file's name is the hash of
//! what is in it. **Invariant:** a file that is read is whole and is the one that was put there;
//! no name from outside leads out of the folder; what we put there is bounded, the oldest go first,
//! but never what a post under way holds: with however little room each post finds its files.
//! **Refuses:** to touch what somebody else keeps in that folder; to be missed: whoever finds
//! nothing here does without.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// The folder, beside the database.
const FOLDER: &str = "media";
/// The most bytes of all files together, where nothing else is said.
const BYTES_MAX: u64 = 1 << 30;
/// The most bytes of one file that is read whole: more than any image that is fetched has.
const READ_BYTES_MAX: u64 = 64_000_000;
/// Media types, and how their files end.
const ENDINGS: &[(&str, &str)] = &[
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/webp", "webp"),
    ("image/gif", "gif"),
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/webm", "webm"),
];

/// The folder of media.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
    bytes_max: u64,
    in_use: InUse,
}

/// The names of files that are in use, and how often.
#[derive(Clone, Debug, Default)]
struct InUse(Arc<Mutex<BTreeMap<String, usize>>>);

impl InUse {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.0.lock().expect("no code panics while it holds the lock")
    }

    fn begin(&self, name: &str) {
        *self.lock().entry(name.to_owned()).or_default() += 1;
    }

    fn end(&self, name: &str) {
        let mut names = self.lock();
        if let Some(times) = names.get_mut(name) {
            *times -= 1;
            if *times == 0 {
                names.remove(name);
            }
        }
    }
}

impl Shelf {
    /// The one beside `database`. It is made when something is put there.
    pub fn beside(database: &Path) -> Self {
        Self::of(database.parent().unwrap_or(Path::new(".")).join(FOLDER))
    }

    /// The one in `folder`. It is made when something is put there.
    pub fn of(folder: PathBuf) -> Self {
        Self { folder, bytes_max: BYTES_MAX, in_use: InUse::default() }
    }

    /// The same, with room for so many bytes of all files together.
    #[must_use]
    pub fn with_room_for(self, bytes_max: u64) -> Self {
        Self { bytes_max, ..self }
    }

    /// What keeps files here, whatever the room, for as long as it lives.
    pub fn hold(&self) -> Hold {
        Hold(Arc::new(Held { shelf: self.clone(), names: Mutex::default() }))
    }

    /// Puts `bytes` on the shelf, which are `media_type`, and tells their name. Blocks.
    ///
    /// # Errors
    /// The type is none that is kept here, the folder can't be written, the disk is full.
    pub fn put(&self, bytes: &[u8], media_type: &str) -> io::Result<String> {
        self.hold().put(bytes, media_type)
    }

    fn put_as(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        // written anew also when it is there: then it is young again, and whole
        let (part, hold) = (part_of(name), self.hold());
        hold.add(&part);
        let (part, whole) = (self.folder.join(part), self.folder.join(name));
        let written = write(&part, bytes).and_then(|()| fs::rename(&part, &whole));
        if let Err(error) = written {
            let _ = fs::remove_file(&part); // it may not even be there
            return Err(error);
        }
        self.clear(&whole);
        Ok(())
    }

    /// Begins a file that is filled bit by bit, and that [`Shelf::keep`] puts on the shelf. One that
    /// is left behind goes with the oldest. Blocks.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn begin(&self) -> io::Result<Part> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let name = part_of(&format!("{}.{}", "0".repeat(64), ENDINGS[0].1));
        let path = self.folder.join(&name);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        let hold = self.hold();
        hold.add(&name);
        Ok(Part { path, file, _hold: hold })
    }

    /// Puts what was begun on the shelf, which is `media_type`, and tells its name. Blocks.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    pub fn keep(&self, part: Part, media_type: &str) -> io::Result<String> {
        self.hold().keep(part, media_type)
    }

    fn keep_held(&self, part: &Part, media_type: &str, hold: &Hold) -> io::Result<String> {
        let ending = ending(media_type)?;
        let mut file = &part.file;
        file.seek(SeekFrom::Start(0))?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                read => hash.update(&buffer[..read]),
            }
        }
        file.sync_all()?;
        let name = format!("{}.{ending}", hex(&hash.finalize()));
        hold.add(&name);
        let whole = self.folder.join(&name);
        fs::rename(&part.path, &whole)?;
        self.clear(&whole);
        Ok(name)
    }

    /// Reads what is on the shelf under `name`. Blocks.
    ///
    /// # Errors
    /// It is gone, was damaged, or no such name was ever given.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let wrong = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
        if !is_name(name) {
            return Err(wrong("no name of the shelf"));
        }
        let mut bytes = Vec::new();
        File::open(self.folder.join(name))?.take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
        if name.starts_with(&hash(&bytes)) { Ok(bytes) } else { Err(wrong("the file was damaged")) }
    }

    /// Opens what is on the shelf under `name`, and tells its size: for what is too large to be read
    /// whole. Blocks.
    ///
    /// # Errors
    /// It is gone, or no such name was ever given.
    pub fn open(&self, name: &str) -> io::Result<(File, u64)> {
        if !is_name(name) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no name of the shelf"));
        }
        let file = File::open(self.folder.join(name))?;
        let bytes = file.metadata()?.len();
        Ok((file, bytes))
    }

    /// Takes the oldest of our files away until the rest is small enough, but neither `newest` nor
    /// what is in use. What can't be read or taken away stays: nothing is lost by that but room.
    fn clear(&self, newest: &Path) {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|file| file.file_name().to_str().is_some_and(is_ours))
            .filter_map(|file| {
                let about = file.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((about.modified().ok()?, about.len(), file.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in files.iter().filter(|(_, _, path)| path != newest) {
            if total <= self.bytes_max {
                return;
            }
            // held until it is gone: who wants it from now on finds out that it is
            let in_use = self.in_use.lock();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !in_use.contains_key(name) && fs::remove_file(path).is_ok() {
                total -= bytes;
            }
        }
    }
}

/// Keeps files on the shelf for as long as it, or a copy of it, lives.
#[derive(Clone, Debug)]
pub struct Hold(Arc<Held>);

#[derive(Debug)]
struct Held {
    shelf: Shelf,
    names: Mutex<Vec<String>>,
}

impl Hold {
    /// Puts `bytes` on the shelf as [`Shelf::put`] does, and keeps them there. Blocks.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    pub fn put(&self, bytes: &[u8], media_type: &str) -> io::Result<String> {
        let name = format!("{}.{}", hash(bytes), ending(media_type)?);
        self.add(&name);
        self.0.shelf.put_as(&name, bytes)?;
        Ok(name)
    }

    /// Puts what was begun on the shelf as [`Shelf::keep`] does, and keeps it there. Blocks.
    ///
    /// # Errors
    /// As [`Shelf::put`].
    pub fn keep(&self, part: Part, media_type: &str) -> io::Result<String> {
        self.0.shelf.keep_held(&part, media_type, self)
    }

    /// Keeps what is on the shelf under `name`; tells whether it is there.
    pub fn has(&self, name: &str) -> bool {
        self.add(name);
        self.0.shelf.open(name).is_ok()
    }

    fn add(&self, name: &str) {
        self.0.shelf.in_use.begin(name);
        let mut names = self.0.names.lock().expect("no code panics while it holds the lock");
        names.push(name.to_owned());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let names = self.names.get_mut().expect("no code panics while it holds the lock");
        for name in names.drain(..) {
            self.shelf.in_use.end(&name);
        }
    }
}

/// A file that is on its way to the shelf. One that never gets there is taken away.
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    file: File,
    _hold: Hold,
}

impl Part {
    /// The file, to be written and read.
    ///
    /// # Errors
    /// There are too many open files.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // it is gone already where it was kept
        let _ = fs::remove_file(&self.path);
    }
}

/// How files of `media_type` end.
fn ending(media_type: &str) -> io::Result<&'static str> {
    let ending = ENDINGS.iter().find(|(known, _)| *known == media_type);
    let (_, ending) = ending
        .ok_or_else(|| io::Error::other(format!("`{media_type}` is not kept on the shelf")))?;
    Ok(ending)
}

/// Whether `name` is one that [`Shelf::put`] gives.
fn is_name(name: &str) -> bool {
    name.split_once('.').is_some_and(|(stem, ending)| {
        let is_hash = stem.len() == 64 && stem.bytes().all(|b| b.is_ascii_hexdigit());
        is_hash && ENDINGS.iter().any(|(_, known)| *known == ending)
    })
}

/// The name of a file that is being written: no two at once have the same.
fn part_of(name: &str) -> String {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let (process, nth) = (std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed));
    format!("{name}-{process}-{nth}.part")
}

/// Whether a file of this name was written here, be it to its end or not.
fn is_ours(name: &str) -> bool {
    let part = name.strip_suffix(".part").and_then(|part| part.split('-').next());
    is_name(part.unwrap_or(name))
}

/// Writes a file that only its owner reads, onto the disk.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;

    const JPEG: &str = "image/jpeg";

    fn shelf(bytes_max: u64) -> (tempfile::TempDir, Shelf) {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf { bytes_max, ..Shelf::beside(&dir.path().join("x.db")) };
        (dir, shelf)
    }

    fn names(shelf: &Shelf) -> Vec<String> {
        let files = fs::read_dir(&shelf.folder).unwrap().flatten();
        let mut names: Vec<_> = files.map(|file| file.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_put_is_read_again_and_only_by_its_owner() {
        let (_dir, shelf) = shelf(1000);
        let name = shelf.put(b"abc", JPEG).unwrap();
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(name, format!("{hash}.jpg"));
        assert_eq!(shelf.read(&name).unwrap(), b"abc");
        assert_eq!(shelf.put(b"abc", JPEG).unwrap(), name, "the same again is the same file");
        assert_eq!(names(&shelf), [&*name], "and nothing else is left there");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&shelf.folder), mode(&shelf.folder.join(&name))), (0o700, 0o600));
        assert!(shelf.put(b"abc", "text/html").is_err());
    }

    #[test]
    fn no_name_leads_elsewhere() {
        let (dir, shelf) = shelf(1000);
        let name = shelf.put(b"abc", JPEG).unwrap();
        fs::write(dir.path().join("secret.jpg"), "secret").unwrap();
        let hash = name.strip_suffix(".jpg").unwrap();
        for bad in [
            "",
            "x",
            "..",
            "../secret.jpg",
            "secret.jpg",
            "/etc/passwd",
            hash,
            &format!("{hash}.db"),
            &part_of(&name),
            &format!("../media/{name}"),
            &format!("{hash}/../x.jpg"),
            &format!("{}.jpg", "é".repeat(32)),
        ] {
            assert_eq!(shelf.read(bad).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{bad}");
        }
        let absent = format!("{}.jpg", "0".repeat(64));
        assert_eq!(shelf.read(&absent).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_was_damaged_is_not_given_out() {
        let (_dir, shelf) = shelf(1000);
        let name = shelf.put(b"abc", JPEG).unwrap();
        fs::write(shelf.folder.join(&name), "abd").unwrap();
        assert!(shelf.read(&name).unwrap_err().to_string().contains("damaged"));
        shelf.put(b"abc", JPEG).unwrap();
        assert_eq!(shelf.read(&name).unwrap(), b"abc", "put again, it is whole again");
    }

    #[test]
    fn the_oldest_make_room_and_the_newest_stays() {
        let (_dir, shelf) = shelf(10);
        let put = |bytes: &[u8], age: u64| {
            let name = shelf.put(bytes, JPEG).unwrap();
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age);
            File::open(shelf.folder.join(&name)).unwrap().set_modified(at).unwrap();
            name
        };
        let (old, young) = (put(b"aaaa", 20), put(b"bbbb", 10));
        assert!(shelf.read(&old).is_ok(), "there is room for both");
        let newest = put(b"cccc", 0);
        assert!(shelf.read(&old).is_err());
        assert!(shelf.read(&young).is_ok() && shelf.read(&newest).is_ok());
        let left = shelf.folder.join(part_of(&newest));
        fs::write(&left, "left by a crash").unwrap();
        for theirs in ["film.mp4", "photo.jpg", "x.part"] {
            fs::write(shelf.folder.join(theirs), [b'x'; 100]).unwrap();
        }
        let large = put(&[b'x'; 11], 0);
        assert!(names(&shelf).contains(&large), "what was just put stays, whatever its size");
        assert_eq!(shelf.read(&large).unwrap(), [b'x'; 11], "and is whole");
        assert!(!left.exists());
        assert_eq!(names(&shelf).len(), 4, "what others keep there is none of our business");
    }

    #[test]
    fn what_is_held_stays_whatever_the_room() {
        let (_dir, shelf) = shelf(3);
        let hold = shelf.hold();
        let held = hold.put(b"aaaa", JPEG).unwrap();
        let begun = shelf.begin().unwrap();
        begun.file().unwrap().write_all(b"cccc").unwrap();
        let other = shelf.put(b"bbbb", JPEG).unwrap();
        let again = hold.clone();
        drop(hold);
        shelf.put(b"dddd", JPEG).unwrap();
        assert!(again.has(&held), "as long as a copy lives");
        assert!(!again.has(&other), "the others have to go");
        let kept = again.keep(begun, JPEG).unwrap();
        shelf.put(b"eeee", JPEG).unwrap();
        assert_eq!(shelf.read(&held).unwrap(), b"aaaa");
        assert_eq!(shelf.read(&kept).unwrap(), b"cccc");
        drop(again);
        let last = shelf.put(b"ffff", JPEG).unwrap();
        assert_eq!(names(&shelf), [last], "and then all is as it was");
        assert!(shelf.in_use.lock().is_empty());
    }

    #[test]
    fn what_came_bit_by_bit_is_kept_under_its_hash_or_taken_away() {
        let (_dir, shelf) = shelf(1000);
        let part = shelf.begin().unwrap();
        part.file().unwrap().write_all(b"abc").unwrap();
        let name = shelf.keep(part, "video/mp4").unwrap();
        assert!(name.starts_with("ba7816bf") && name.ends_with(".mp4"), "{name}");
        let (mut file, bytes) = shelf.open(&name).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), bytes), ("abc", 3));
        drop(shelf.begin().unwrap());
        let unknown = shelf.begin().unwrap();
        assert!(shelf.keep(unknown, "text/html").is_err());
        assert_eq!(names(&shelf), [name], "nothing else is left there");
        assert!(shelf.open("../x.mp4").is_err());
    }

    #[test]
    fn a_folder_that_can_not_be_made_is_an_error_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("media"), "a file is in the way").unwrap();
        let shelf = Shelf::beside(&dir.path().join("x.db"));
        assert!(shelf.put(b"abc", JPEG).is_err());
        assert!(shelf.read(&format!("{}.jpg", "0".repeat(64))).is_err());
    }
}
