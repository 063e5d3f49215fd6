//! Store: the SQLite file behind one async door.
//!
//! Plain SQL lives in synchronous functions over a connection, one file per table; they run inside
//! [`Store::write`] and [`Store::read`]. The door is `spawn_blocking` over a mutex: with tokio's
//! paused clock that is the form that never lets time jump while SQL runs.
//!
//! Writes that wait at the door together are committed together, each in its savepoint: one fsync
//! serves them all, and one thread at a time runs them. What is in no hurry waits a moment for
//! company ([`Store::write_soon`]).
//!
//! **Invariant:** a `write` that returned `Ok` is on the disk (`synchronous = FULL`).
//! **Refuses:** a database that a newer program wrote, and a second daemon on the same file.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;

pub mod accounts; // accounts, routes, what they remember
pub mod crossposts; // the ledger
pub mod entries; // what the feeds said
mod error;
pub mod feeds; // what is polled, and when
pub mod incidents; // what the owner was told
mod look; // for those who change nothing
pub mod people; // what the commands change
mod schema;
pub mod views; // what the commands show

pub use error::{Result, StoreError};
/// What the functions of the store work on, for those who call several in one transaction.
pub use rusqlite::{Connection, Transaction};

/// How long a connection waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a write that is in no hurry waits for others to share its fsync.
const LINGER: Duration = Duration::from_millis(10);

/// The database.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
    queue: Mutex<Queue>,
}

impl Store {
    /// Opens the database at `path`, making it (and its folder, for its owner alone) when absent.
    ///
    /// # Errors
    /// The file can't be opened or written, is no database, or a newer program wrote it.
    pub fn open(path: &Path) -> Result<Self> {
        make_private(path)?;
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::migrate(&mut writer).map_err(|error| error.at(path))?;
        Self::over(path, writer)
    }

    /// Opens a database that must be there, as the commands do.
    ///
    /// # Errors
    /// As [`Store::open`], and when there is none.
    pub fn open_existing(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(StoreError::missing(path));
        }
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        schema::migrate(&mut writer).map_err(|error| error.at(path))?;
        Self::over(path, writer)
    }

    fn over(path: &Path, writer: Connection) -> Result<Self> {
        let reader = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                writer: Mutex::new(writer),
                reader: Mutex::new(reader),
                queue: Mutex::default(),
            }),
        })
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs `work` in a write transaction; when this returns `Ok`, it is committed and synced.
    ///
    /// # Errors
    /// What `work` returned (then nothing of it is kept), or that it could not be committed.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let answer = self.enqueue(work);
        self.serve();
        answer.await.expect(PANICKED)
    }

    /// As [`Store::write`], but for work that is in no hurry: it waits a moment, so that one fsync
    /// serves all that comes meanwhile.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_soon<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let mut answer = self.enqueue(work);
        // some other write may take it along
        if let Ok(answer) = tokio::time::timeout(LINGER, &mut answer).await {
            return answer.expect(PANICKED);
        }
        self.serve();
        answer.await.expect(PANICKED)
    }

    fn enqueue<T, F>(&self, work: F) -> oneshot::Receiver<Result<T>>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (answer, wait) = oneshot::channel();
        let job = Box::new(Write { work: Some(work), result: None, answer });
        lock(&self.inner.queue).jobs.push(job);
        wait
    }

    /// Sees to it that a thread runs what waits.
    fn serve(&self) {
        if !std::mem::replace(&mut lock(&self.inner.queue).is_served, true) {
            let inner = Arc::clone(&self.inner);
            tokio::task::spawn_blocking(move || inner.run_queue());
        }
    }

    /// Runs `work` on a read-only connection that sees all that is committed.
    ///
    /// # Errors
    /// What `work` returned.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let done = blocking(move || work(&lock(&inner.reader))).await;
        done.map_err(|error| error.of(&self.inner.path))
    }

    /// A number that changes when another process has committed something.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn foreign_version(&self) -> Result<i64> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let writer = lock(&inner.writer);
            Ok(writer.pragma_query_value(None, "data_version", |row| row.get(0))?)
        })
        .await
    }

    /// Writes the log back into the database file.
    ///
    /// # Errors
    /// The database can't be written.
    pub async fn checkpoint(&self) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let writer = lock(&inner.writer);
            Ok(writer.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")?)
        })
        .await
    }

    /// Writes a consistent copy of the live database to `target`, for its owner alone.
    ///
    /// # Errors
    /// `target` exists already, or can't be written.
    pub async fn backup(&self, target: &Path) -> Result<()> {
        let (inner, target) = (Arc::clone(&self.inner), target.to_owned());
        blocking(move || {
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&target);
            made.map_err(|error| StoreError::file("create", &target, &error))?;
            let name = target.to_string_lossy().into_owned();
            if let Err(error) = lock(&inner.reader).execute("VACUUM INTO ?1", [name]) {
                // half a copy would look like one
                let _ = std::fs::remove_file(&target);
                return Err(error.into());
            }
            File::open(&target)
                .and_then(|file| file.sync_all())
                .map_err(|error| StoreError::file("sync", &target, &error))
        })
        .await
    }
}

impl Inner {
    /// Runs what waits, all of it in one transaction, until nothing does.
    fn run_queue(&self) {
        let served = catch_unwind(AssertUnwindSafe(|| {
            while let Some(mut jobs) = lock(&self.queue).take() {
                let committed = run_all(&mut lock(&self.writer), &mut jobs);
                jobs.into_iter().for_each(|job| job.finish(committed.clone(), &self.path));
            }
        }));
        if served.is_err() {
            // whoever waits for an answer that was dropped panics as well
            *lock(&self.queue) = Queue::default();
        }
    }
}

/// The writes that wait at the door.
#[derive(Default)]
struct Queue {
    jobs: Vec<Box<dyn Job>>,
    /// Whether a thread is about to run them.
    is_served: bool,
}

impl Queue {
    /// All that waits; none when nothing does, and then nobody serves it any more.
    fn take(&mut self) -> Option<Vec<Box<dyn Job>>> {
        self.is_served = !self.jobs.is_empty();
        self.is_served.then(|| std::mem::take(&mut self.jobs))
    }
}

/// Runs `jobs` in one transaction, each in its savepoint.
fn run_all(writer: &mut Connection, jobs: &mut [Box<dyn Job>]) -> Result<()> {
    let mut tx = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for job in jobs {
        job.run(&mut tx)?;
    }
    Ok(tx.commit()?)
}

/// One write that waits at the door.
trait Job: Send {
    /// Does the work in a savepoint, and keeps what it returned.
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<()>;
    /// Tells the caller what came of it, in the database at `path`.
    fn finish(self: Box<Self>, committed: Result<()>, path: &Path);
}

struct Write<T, F> {
    work: Option<F>,
    result: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnOnce(&Transaction<'_>) -> Result<T> + Send,
{
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<()> {
        let work = self.work.take().expect("a job is run once");
        tx.prepare_cached("SAVEPOINT job")?.execute(())?;
        let result = work(tx);
        // a full disk may have rolled the whole transaction back: then RELEASE fails, and all do
        let undo = if result.is_err() { tx.execute_batch("ROLLBACK TO job") } else { Ok(()) };
        let end = undo.and_then(|()| tx.prepare_cached("RELEASE job")?.execute(()));
        end.map_err(|error| match &result {
            Err(cause) => cause.clone(),
            Ok(_) => error.into(),
        })?;
        self.result = Some(result);
        Ok(())
    }

    fn finish(self: Box<Self>, committed: Result<()>, path: &Path) {
        let result = match (committed, self.result) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::panicked()),
        };
        // nobody waits any more only when the caller was cancelled
        let _ = self.answer.send(result.map_err(|error| error.of(path)));
    }
}

/// Runs SQL off the async threads; a panic there goes on in the caller.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => unreachable!("a blocking task that has begun can't be cancelled"),
        },
    }
}

/// Why an answer can't be missing, unless a panic ends the process anyway.
const PANICKED: &str = "only a panic of a write drops its answer";

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a panic under this lock ends the process")
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        if mode.contains(OpenFlags::SQLITE_OPEN_READ_WRITE) {
            // of a new database: an entry has some kilobytes, and few fit into the usual 4 KiB
            connection.pragma_update(None, "page_size", 8192)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            // the log is cut back to this after a checkpoint: 4 MiB
            connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
        }
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        // KiB of pages kept in memory
        connection.pragma_update(None, "cache_size", -1024)?;
        // what undoes a savepoint is small, and needs no file
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // a plan is made once, whatever values come
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|error| StoreError::from(error).at(path))
}

/// Makes the folder and the file, readable by their owner alone, where they are absent.
fn make_private(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| StoreError::file("create", folder, &error))?;
    }
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    opened.map(drop).map_err(|error| StoreError::file("open", path, &error))
}

/// The right to be the one daemon of a database; given back when dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Lock {
    /// Takes the lock of the database at `path`: the file `PATH.lock` beside it.
    ///
    /// # Errors
    /// Another daemon holds it, or the file can't be made.
    pub fn take(path: &Path) -> Result<Self> {
        make_private(path)?;
        let file = lock_file(path);
        let opened =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&file);
        let opened = opened.map_err(|error| StoreError::file("open", &file, &error))?;
        match opened.try_lock() {
            Ok(()) => Ok(Self(opened)),
            Err(TryLockError::WouldBlock) => Err(StoreError::locked(path)),
            Err(TryLockError::Error(error)) => Err(StoreError::file("lock", &file, &error)),
        }
    }

    /// Whether a daemon holds the lock of the database at `path` now.
    pub fn is_taken(path: &Path) -> bool {
        File::open(lock_file(path))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn lock_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Reads a label, which was checked when it was written.
fn label(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<crate::names::Label> {
    let text: String = row.get(index)?;
    let kind = rusqlite::types::Type::Text;
    crate::names::Label::new(text.as_str()).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(index, kind, format!("label `{text}`").into())
    })
}
