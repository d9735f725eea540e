//! Opening the file. A new one is made beside its place and moved there whole. So if there is something that is not a
//! whole store, something else damaged it, and it is refused rather than replaced by a new store.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use chat::StoreError;
use rusqlite::{Connection, OpenFlags};

use crate::fault::{ADVICE, Fault};
use crate::schema;

/// The first bytes of every SQLite file.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Up to this size, a database is checked whole when it is opened, which takes some 5 ms per megabyte. A larger one
/// would make its user wait. There, damage shows when it is met.
const LOOKED_THROUGH: u64 = 16 * 1024 * 1024;

/// How long to wait for another program that writes to the file. None should, except a person's `sqlite3`.
const PATIENCE: Duration = Duration::from_secs(1);

/// Opens the database, or makes one if there is none.
pub(crate) fn open(path: &Path) -> Result<Connection, StoreError> {
    let file = path.display().to_string();
    if !find(path)? {
        create(path, &file)?;
    }
    connect(path, &file)
}

/// Whether there is a database, as far as this can be seen without opening it. Changes nothing.
///
/// # Errors
/// [`StoreError`] if something else is in its place, or if it cannot be read.
pub fn find(path: &Path) -> Result<bool, StoreError> {
    let file = path.display().to_string();
    let system = |error: io::Error| StoreError::NotKept { reason: format!("{file}: {error}") };
    let damaged = |what: &str| Err(Fault::Damaged(what.to_owned()).told(&file));
    match fs::metadata(path) {
        Ok(found) if found.len() == 0 => return damaged("it is empty"),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if beside(path, "-wal").exists() {
                return damaged("it is gone, and what was written last (its -wal) is still there");
            }
            return Ok(false);
        }
        Err(error) => return Err(system(error)),
    }
    let mut start = Vec::with_capacity(MAGIC.len());
    File::open(path).and_then(|file| file.take(16).read_to_end(&mut start)).map_err(system)?;
    if start == MAGIC { Ok(true) } else { damaged("it is not an SQLite database") }
}

fn connect(path: &Path, file: &str) -> Result<Connection, StoreError> {
    let told = |fault: Fault| fault.told(file);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(Fault::from).map_err(told)?;
    db.busy_timeout(PATIENCE).map_err(Fault::from).map_err(told)?;
    let foreign = |what: String| StoreError::Unreadable { reason: format!("{file} {what}; {ADVICE}") };
    let application: i32 =
        db.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(Fault::from).map_err(told)?;
    if application != schema::APPLICATION {
        return Err(foreign("is a database of another program".to_owned()));
    }
    let found = schema::version(&db).map_err(told)?;
    let known = schema::VERSION;
    match usize::try_from(found) {
        Ok(from @ 1..) if from <= known => {
            // Check before anything is changed.
            look_through(path, &db).map_err(told)?;
            if from < known {
                schema::migrate(&db, from).map_err(told)?;
            }
        }
        Ok(0) | Err(_) => return Err(foreign(format!("has version {found}, which there is not"))),
        Ok(_) => {
            return Err(StoreError::Unreadable {
                reason: format!(
                    "{file} was written by a newer causerie (version {found} of its tables; this one knows {known}): \
                     use that one, or give this one a data folder of its own; nothing was changed"
                ),
            });
        }
    }
    schema::check(&db).map_err(told)?;
    set_up(&db).map_err(told)?;
    Ok(db)
}

/// Looks for torn and mixed-up pages, which a file has that was cut or overwritten.
fn look_through(path: &Path, db: &Connection) -> Result<(), Fault> {
    if fs::metadata(path).is_ok_and(|found| found.len() > LOOKED_THROUGH) {
        return Ok(());
    }
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Fault::Damaged(found)) }
}

/// Sets how the file is written. Commits go to the -wal, each synced. Pages go to the file some thousand at a time.
fn set_up(db: &Connection) -> Result<(), Fault> {
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    db.pragma_update(None, "journal_size_limit", 4096 * CHECKPOINT_PAGES)?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    common(db);
    Ok(())
}

/// Memory for pages. What is written is hardly ever read again, and a few megabytes fit in the processor's own cache.
/// What a search or a page of history reads comes from the system's memory in microseconds.
const CACHE_KIB: i64 = 2048;

/// 8 MiB of pages. A page that several commits change is moved once.
const CHECKPOINT_PAGES: i64 = 2048;

fn common(db: &Connection) {
    db.set_prepared_statement_cache_capacity(96);
}

/// Makes a new store, which is whole before it gets its name.
fn create(path: &Path, file: &str) -> Result<(), StoreError> {
    let draft = beside(path, ".new");
    let made = make(&draft).and_then(|()| {
        fs::rename(&draft, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(())
    });
    made.map_err(|refused| StoreError::NotKept { reason: format!("{file} cannot be made: {refused}") })
}

fn make(draft: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for left in [draft.to_owned(), beside(draft, "-journal")] {
        match fs::remove_file(&left) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    // SQLite gives the files that it makes beside this one the same permissions.
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(draft)?;
    let db = Connection::open(draft)?;
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    schema::migrate(&db, 0).map_err(|fault| format!("{fault:?}"))?;
    db.close().map_err(|(_, error)| error)?;
    File::open(draft)?.sync_all()?;
    Ok(())
}

/// A database that lives only in memory. The tables are made once for all such databases, because that takes
/// milliseconds.
pub(crate) fn in_memory() -> Result<Connection, Fault> {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    let empty = match EMPTY.get() {
        Some(empty) => empty,
        None => {
            let db = Connection::open_in_memory()?;
            db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
            schema::migrate(&db, 0)?;
            EMPTY.get_or_init(|| db.serialize("main").map(|image| image.to_vec()).unwrap_or_default())
        }
    };
    of_image(empty)
}

/// A database in memory that begins with the bytes of a file.
pub(crate) fn of_image(image: &[u8]) -> Result<Connection, Fault> {
    let mut db = Connection::open_in_memory()?;
    db.deserialize_read_exact("main", image, image.len(), false)?;
    db.pragma_update(None, "synchronous", "OFF")?;
    common(&db);
    Ok(db)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
