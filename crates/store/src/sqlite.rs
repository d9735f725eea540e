//! The store itself: its transactions, and what is read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use chat::{Change, Conversation, Entry, Kept, MessageId, ProcessId, Saved, SortKey, Store, StoreError};
use rusqlite::Connection;

use crate::apply::{CLOCK_OFF, FETCHED, LATE, Writer};
use crate::batches::{self, Batches, Row, signed, unsigned};
use crate::cache::Cache;
use crate::fault::Fault;
use crate::index::{self, Found};
use crate::place::Place;
use crate::retain::{self, Retention};
use crate::{load, open, words};

/// How many messages the index of history must lack before idle time is spent on it.
const WORTH: usize = 1024;

/// What errors call a store without a file.
const IN_MEMORY: &str = "a store in memory";

/// Everything that a peer must not lose, in an SQLite database.
///
/// # Examples
/// ```
/// use chat::{Change, Store};
/// use store::SqliteStore;
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("causerie.db");
/// SqliteStore::open(&file)?.apply(&[Change::Mind("a thought".into())])?;
/// assert_eq!(SqliteStore::open(&file)?.load()?.mind.as_deref(), Some(&b"a thought"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    db: Connection,
    /// The name of the file, for the person who has to do something about it.
    file: String,
    /// The files as they were opened.
    place: Option<Place>,
    cache: Cache,
    /// A transaction failed, and the cache could not be read afresh.
    is_stale: bool,
    /// What went wrong while reading. The next apply reports it.
    trouble: RefCell<Option<StoreError>>,
}

impl SqliteStore {
    /// Opens the database in this file. If there is none, makes one (mode 0600). Only one process may have it open,
    /// which is up to the caller. Reading it with `sqlite3` meanwhile is fine.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] for anything there that is not a whole database of a known version. It names the
    /// file, says what to do, and changes nothing. [`StoreError::NotKept`] if the system refuses.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = path.display().to_string();
        let mut store = Self::of(Ok(open::open(path)?), file)?;
        store.place = Some(Place::of(path));
        Ok(store)
    }

    /// An empty store that ends with this value. It has the same tables and behaves the same, without a file.
    ///
    /// # Errors
    /// [`StoreError::NotKept`] if there is no memory.
    ///
    /// # Examples
    /// ```
    /// use chat::Store;
    /// let mut store = store::SqliteStore::in_memory()?;
    /// assert!(store.load()?.causal.is_none());
    /// # Ok::<(), chat::StoreError>(())
    /// ```
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::of(open::in_memory(), IN_MEMORY.to_owned())
    }

    /// A copy of the store as it is now, in memory: a backup to go back to.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read, or if there is no memory.
    ///
    /// # Examples
    /// ```
    /// use chat::{Change, Store};
    /// let mut store = store::SqliteStore::in_memory()?;
    /// let mut before = store.copy()?;
    /// store.apply(&[Change::Mind("a thought".into())])?;
    /// assert!(before.load()?.mind.is_none() && store.copy()?.load()?.mind.is_some());
    /// # Ok::<(), chat::StoreError>(())
    /// ```
    pub fn copy(&self) -> Result<Self, StoreError> {
        let image = self.db.serialize("main").map_err(|error| Fault::from(error).told(&self.file))?;
        Self::of(open::of_image(&image), IN_MEMORY.to_owned())
    }

    fn of(db: Result<Connection, Fault>, file: String) -> Result<Self, StoreError> {
        let read = db.and_then(|db| Ok((Cache::read(&db)?, db)));
        let (cache, db) = read.map_err(|fault| fault.told(&file))?;
        Ok(Self { db, file, place: None, cache, is_stale: false, trouble: RefCell::new(None) })
    }

    /// Does some of the work that can wait, and says whether there is more. It catches the indexes up with what was
    /// written, for some 20 ms. Call it while there is nothing else to do: a search has to look through everything that
    /// its index does not know.
    ///
    /// If something fails here, the next [`apply`](Store::apply) reports it.
    ///
    /// # Examples
    /// ```
    /// let mut store = store::SqliteStore::in_memory()?;
    /// assert!(!store.tidy(), "there is nothing in it");
    /// # Ok::<(), chat::StoreError>(())
    /// ```
    pub fn tidy(&mut self) -> bool {
        if self.trouble.borrow().is_some() {
            return false;
        }
        let tidied = self.tidy_a_piece();
        tidied.unwrap_or_else(|error| {
            self.note(error);
            false
        })
    }

    fn tidy_a_piece(&mut self) -> Result<bool, StoreError> {
        if self.cache.tail.len() >= WORTH {
            self.transact(index::catch_up)?;
        }
        let is_behind =
            |store: &Self| words::is_behind(&store.db, &store.cache).map_err(|fault| fault.told(&store.file));
        if !is_behind(self)? {
            return Ok(false);
        }
        self.transact(words::catch_up)?;
        is_behind(self)
    }

    /// Catches the indexes up with everything that was written, however long that takes. To be called before the file
    /// is measured or given away.
    ///
    /// # Errors
    /// [`StoreError`]. What was done by then stays.
    pub fn tidy_all(&mut self) -> Result<(), StoreError> {
        self.transact(index::catch_up)?;
        while self.transact(words::catch_up)? {}
        Ok(())
    }

    /// The lines of the trace that were kept last ([`Change::Traced`]). They complete a trace that ends too early.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn traced(&self) -> Result<Vec<u8>, StoreError> {
        let lines = crate::cache::state::<Vec<u8>>(&self.db, "traced").map_err(|fault| fault.told(&self.file))?;
        Ok(lines.unwrap_or_default())
    }

    /// Drops some of what is beyond `retention`, the oldest first, some hundreds of messages in one call, and frees
    /// their room. Returns how many messages were dropped. Call it again until that is zero. `now_micros` is Unix time
    /// in microseconds.
    ///
    /// A batch goes as a whole, with everything that its author signed together. So a message may stay a little longer
    /// than it must.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing was dropped.
    ///
    /// # Examples
    /// ```
    /// use store::{Retention, SqliteStore};
    /// let mut store = SqliteStore::in_memory()?;
    /// let retention = Retention { max_bytes: Some(1 << 30), ..Retention::default() };
    /// assert_eq!(store.retain(retention, 0)?, 0);
    /// # Ok::<(), chat::StoreError>(())
    /// ```
    pub fn retain(&mut self, retention: Retention, now_micros: i64) -> Result<usize, StoreError> {
        let dropped = self.transact(|db, cache| retain::drop_oldest(db, cache, retention, now_micros))?;
        retain::give_back(&self.db).map_err(|fault| fault.told(&self.file))?;
        Ok(dropped)
    }

    /// How many bytes the database takes, including indexes, but without free pages and the -wal.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        retain::bytes(&self.db).map_err(|fault| fault.told(&self.file))
    }

    /// Does `work` in one transaction: all of it or nothing, both in the database and in the cache.
    fn transact<T>(&mut self, work: impl FnOnce(&Connection, &mut Cache) -> Result<T, Fault>) -> Result<T, StoreError> {
        if self.is_stale {
            self.refresh().map_err(|fault| fault.told(&self.file))?;
        }
        let done = begin(&self.db).and_then(|()| work(&self.db, &mut self.cache)).and_then(|done| {
            self.db.prepare_cached("COMMIT")?.execute([])?;
            Ok(done)
        });
        done.map_err(|fault| {
            if !self.db.is_autocommit() {
                // If even this fails, the transaction stays open, and the next one reports that.
                let _ = self.db.execute_batch("ROLLBACK");
            }
            self.is_stale = true;
            // This is tried again before anything else is done.
            let _ = self.refresh();
            fault.told(&self.file)
        })
    }

    fn refresh(&mut self) -> Result<(), Fault> {
        let next = self.cache.next;
        self.cache = Cache::read(&self.db)?;
        self.cache.next = self.cache.next.max(next);
        self.is_stale = false;
        Ok(())
    }

    fn note(&self, error: StoreError) {
        let mut trouble = self.trouble.borrow_mut();
        if !matches!(*trouble, Some(StoreError::Unreadable { .. })) {
            *trouble = Some(error);
        }
    }

    /// Returns what was read. If reading failed, returns nothing and notes why.
    fn answer<T: Default>(&self, read: impl FnOnce(&Connection, &Cache) -> Result<T, Fault>) -> T {
        if self.is_stale || self.trouble.borrow().is_some() {
            return T::default();
        }
        read(&self.db, &self.cache).unwrap_or_else(|fault| {
            self.note(fault.told(&self.file));
            T::default()
        })
    }
}

fn begin(db: &Connection) -> Result<(), Fault> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    Ok(())
}

impl Store for SqliteStore {
    fn survives(&self) -> bool {
        true
    }

    fn load(&mut self) -> Result<Saved, StoreError> {
        if self.is_stale {
            self.refresh().map_err(|fault| fault.told(&self.file))?;
        }
        load::load(&self.db, &self.cache).map_err(|fault| fault.told(&self.file))
    }

    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let trouble = self.trouble.borrow_mut();
        let error = trouble.clone();
        if matches!(error, Some(StoreError::NotKept { .. })) {
            *{ trouble } = None;
        } else {
            drop(trouble);
        }
        if let Some(error) = error {
            return Err(error);
        }
        if self.place.as_mut().is_some_and(Place::is_gone) {
            let reason = format!(
                "{} is gone or was replaced while this peer runs: put it back as it was, or stop this peer",
                self.file
            );
            return Err(StoreError::NotKept { reason });
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.transact(|db, cache| Writer::new(db, cache)?.write(changes))
    }

    fn contains(&self, id: MessageId) -> bool {
        self.answer(|db, cache| Ok(batches::delivered(db, cache, id)?.is_some()))
    }

    fn kept_by(&self, author: ProcessId, after: u64, up_to: u64, count: usize) -> Vec<Kept> {
        self.answer(|db, cache| kept_by(db, cache, author, after, up_to, count))
    }

    fn newest(&self, of: Option<&Conversation>, before: Option<SortKey>, count: usize) -> Vec<Entry> {
        self.answer(|db, cache| {
            let of = match of.map(|of| cache.conversations.get(of)) {
                Some(None) => return Ok(Vec::new()),
                Some(Some(&id)) => Some(id),
                None => None,
            };
            entries(db, cache, &index::newest(db, cache, of, before, count)?)
        })
    }

    fn oldest(&self, of: Option<&Conversation>, after: SortKey, count: usize) -> Vec<Entry> {
        self.answer(|db, cache| {
            let of = match of.map(|of| cache.conversations.get(of)) {
                Some(None) => return Ok(Vec::new()),
                Some(Some(&id)) => Some(id),
                None => None,
            };
            entries(db, cache, &index::oldest(db, cache, of, after, count)?)
        })
    }

    fn search(&self, of: Option<&Conversation>, words: &[&str], count: usize) -> Vec<Entry> {
        self.answer(|db, cache| {
            let of = match of.map(|of| cache.conversations.get(of)) {
                Some(None) => return Ok(Vec::new()),
                Some(Some(&id)) => Some(id),
                None => None,
            };
            entries(db, cache, &words::search(db, cache, of, words, count)?)
        })
    }
}

fn entries(db: &Connection, cache: &Cache, found: &[Found]) -> Result<Vec<Entry>, Fault> {
    let mut batches = Batches::default();
    let entry = |(_, place): &Found| {
        let conversation = cache.conversation(place.conversation)?.clone();
        let Row { flags, opened, kept, .. } = batches.message(db, cache, place.id)?.clone();
        let is = |flag| flags & flag != 0;
        let (fetched, late, clock_off) = (is(FETCHED), is(LATE), is(CLOCK_OFF));
        Ok(Entry { conversation, hlc: place.hlc, kept, fetched, late, clock_off, opened })
    };
    found.iter().map(entry).collect()
}

fn kept_by(
    db: &Connection,
    cache: &Cache,
    author: ProcessId,
    after: u64,
    up_to: u64,
    count: usize,
) -> Result<Vec<Kept>, Fault> {
    let Some(number) = cache.number_of(&author) else { return Ok(Vec::new()) };
    let mut batches = Batches::default();
    let mut found: BTreeMap<u64, Kept> = BTreeMap::new();
    batches::each_run(db, cache, number, signed(after), signed(up_to), |run| {
        if found.len() >= count && found.range(..unsigned(run.first)?).count() >= count {
            return Ok(false);
        }
        for row in batches.read(db, cache, run.batch)? {
            let clock = row.kept.id().clock;
            let is_asked_for = clock > after && clock <= up_to;
            if is_asked_for && row.status.is_delivered() {
                found.entry(clock).or_insert_with(|| row.kept.clone());
            }
        }
        Ok(true)
    })?;
    Ok(found.into_values().take(count).collect())
}
