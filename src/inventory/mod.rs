//! The inventory: the only room that knows SQL. No type of SQLite's leaves it.
//!
//! An [`Inventory`] is an open file; a [`Tx`] is one transaction on it, through which everything is
//! read and written. A transaction that is dropped without a commit leaves no trace.

mod deliveries;
mod disk;
mod error;
mod keys;
mod links;
mod lock;
mod places;
mod products;
mod runs;
mod undo;
mod validators;
mod values;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

pub use deliveries::{Memory, ProductSet};
pub use error::{InventoryError, InventoryErrorKind};
pub use keys::Keys;
pub use links::{LinkChange, LinkState, StoredLink};
pub use lock::{Holder, Lock};
pub use places::StoredPlace;
pub use products::{Column, EanIndex, Loaded, NewProduct, ProductId, ProductTexts, Products};
pub use runs::{Purpose, RecordedChange, RecordedValue};
pub use undo::{AppliedChange, Side, Standing};
pub use validators::KeptValidators;
pub use values::{ChangeKey, ChangeRecord, RECORDED_PLANS, Uncertain, UnsettledChange};

use error::Location;

use crate::{leftovers, whole};

/// `invs`, in the header of every inventory.
const APPLICATION_ID: i32 = 0x696e_7673;
/// The version of the schema that this program reads and writes.
const SCHEMA_VERSION: i32 = 2;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, InventoryError>;

/// An open inventory.
pub struct Inventory {
    conn: Connection,
    location: Location,
    /// Device and inode of the file that was opened, where there are such: to notice when the
    /// inventory's name stands for another file.
    identity: Option<(u64, u64)>,
}

/// How long one try to begin a transaction waits inside SQLite, where no signal is noticed.
const ONE_TRY: Duration = Duration::from_millis(100);
/// How long an interrupted run still waits to record what it did.
const LAST_TRY: Duration = Duration::from_millis(500);
/// How long everything else waits inside SQLite.
const BUSY: Duration = Duration::from_secs(2);

/// How a transaction may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads one unmoving state.
    Read,
    /// Reads and writes; no other program can write meanwhile.
    Write,
}

/// Whether foreign keys are checked as rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChecks {
    /// Every row, as a connection starts.
    On,
    /// None: what is written names only ids that were loaded in the same transaction.
    OwnIdsOnly,
}

/// How safe a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// All or nothing, even when the power fails; the last commits may be lost then.
    AllOrNothing,
    /// On the disk before the commit returns: for what must be known before bytes leave.
    Synced,
}

impl Inventory {
    /// Opens an existing inventory.
    ///
    /// A file of another program, of a newer invsync, or no SQLite file at all is refused
    /// untouched.
    pub fn open(path: &Path, access: Access) -> Result<Inventory> {
        check_header(path)?;
        if access == Access::Write {
            disk::check_local(path)?;
        }
        // Also to read: who opens a file in WAL mode read-only leaves `-wal` and `-shm` behind.
        let mode = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, mode)
            .map_err(|error| InventoryError::from_sqlite(path, &error))?;
        let location = Location::File(path.to_owned());
        let inventory = Inventory { conn, location, identity: identity(path) };
        inventory.check_version()?;
        inventory.upgrade()?;
        inventory.tune(access)?;
        if access == Access::Write && inventory.is_read_only()? {
            return Err(InventoryError::broken(format!(
                "the inventory {} cannot be written: the file or its folder is read-only. Check \
                 the owner and the permissions of both",
                path.display()
            )));
        }
        Ok(inventory)
    }

    /// Makes a new inventory with everything that `fill` puts into it, or none at all: the file
    /// appears whole. `false` where somebody else made it meanwhile; theirs stays.
    pub fn create<E: From<InventoryError>>(
        path: &Path,
        fill: impl FnOnce(&Inventory) -> std::result::Result<(), E>,
    ) -> std::result::Result<bool, E> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(InventoryError::new(
                InventoryErrorKind::Usage,
                format!(
                    "the inventory {} cannot be made: there is no folder {}. Make the folder, or \
                     name another file under [inventory] path",
                    path.display(),
                    folder.display()
                ),
            )
            .into());
        }
        disk::check_local(folder)?;
        leftovers::clear(path);
        let (prefix, mut builder) = (leftovers::prefix(path), tempfile::Builder::new());
        builder.prefix(&prefix).suffix(leftovers::SUFFIX);
        let made = whole::with_usual_permissions(&mut builder).tempfile_in(folder).map_err(|why| {
            InventoryError::broken(format!(
                "the inventory {} cannot be made: {why}. Check that you may write in {} and that \
                 its disk has room",
                path.display(),
                folder.display()
            ))
        })?;
        leftovers::hold(made.as_file());
        {
            let conn = Connection::open(made.path())
                .map_err(|error| InventoryError::from_sqlite(path, &error))?;
            let location = Location::File(path.to_owned());
            let inventory = Inventory { conn, location, identity: None };
            // Columns are read in long stretches: larger pages than usual are a tenth faster.
            inventory.execute("PRAGMA page_size = 8192")?;
            inventory.tune(Access::Write)?;
            inventory.make_schema()?;
            fill(&inventory)?;
            inventory.execute("PRAGMA journal_mode = WAL")?;
            inventory
                .conn
                .close()
                .map_err(|(_, error)| InventoryError::from_sqlite(path, &error))?;
        }
        match made.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(InventoryError::broken(format!(
                "the inventory {} cannot be made: {}. Check that you may write in {} and that its \
                 disk has room",
                path.display(),
                error.error,
                folder.display()
            ))
            .into()),
        }
    }

    /// An empty inventory that nobody else sees: for a dry run where there is none yet.
    pub fn in_memory() -> Result<Inventory> {
        let location = Location::Memory;
        let conn = Connection::open_in_memory()
            .map_err(|error| InventoryError::from_sqlite(location.path(), &error))?;
        let inventory = Inventory { conn, location, identity: None };
        inventory.tune(Access::Write)?;
        inventory.make_schema()?;
        Ok(inventory)
    }

    /// The file; `None` for one in memory.
    pub fn path(&self) -> Option<&Path> {
        match &self.location {
            Location::File(path) => Some(path),
            Location::Memory => None,
        }
    }

    /// What its files take, in bytes: also what stands beside it and is still to be merged into it.
    pub fn bytes(&self) -> u64 {
        let Some(path) = self.path() else { return 0 };
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        size(path) + size(wal.as_ref())
    }

    /// Begins a transaction that reads one unmoving state. It waits for nobody.
    pub fn begin_read(&self) -> Result<Tx<'_>> {
        self.try_to_begin("BEGIN")?;
        Ok(Tx { inventory: self, open: true })
    }

    /// Begins a transaction that writes. It waits up to `wait` for another program to finish, and
    /// hardly any longer once it is `interrupted`; `waiting` is called once, after five seconds.
    pub fn begin_write(
        &self,
        interrupted: &dyn Fn() -> bool,
        wait: Duration,
        waiting: &dyn Fn(&str),
    ) -> Result<Tx<'_>> {
        let started = Instant::now();
        let mut told = false;
        loop {
            match self.try_to_begin("BEGIN IMMEDIATE") {
                Ok(()) => return Ok(Tx { inventory: self, open: true }),
                Err(error)
                    if error.kind == InventoryErrorKind::Busy && started.elapsed() < wait =>
                {
                    if started.elapsed() > LAST_TRY && interrupted() {
                        return Err(InventoryError::new(
                            InventoryErrorKind::Interrupted,
                            format!(
                                "interrupted by a signal while another program was writing to {}",
                                self.location.path().display()
                            ),
                        ));
                    }
                    if !told && started.elapsed() > Duration::from_secs(5) {
                        told = true;
                        waiting(&format!(
                            "waiting for another program that writes to {}",
                            self.location.path().display()
                        ));
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn try_to_begin(&self, statement: &str) -> Result<()> {
        let set = |wait| self.conn.busy_timeout(wait).map_err(|error| self.error(&error));
        set(ONE_TRY)?;
        let begun = self.execute(statement);
        set(BUSY)?;
        begun
    }

    /// How safe the following commits are.
    pub fn set_durability(&self, durability: Durability) -> Result<()> {
        self.execute(match durability {
            Durability::AllOrNothing => "PRAGMA synchronous = NORMAL",
            Durability::Synced => "PRAGMA synchronous = FULL",
        })
    }

    /// Whether SQLite looks every id up that is written. Not needed, and a third of the time of a
    /// large pull, where all ids were loaded in the same transaction. Only between transactions.
    pub fn set_key_checks(&self, checks: KeyChecks) -> Result<()> {
        self.execute(match checks {
            KeyChecks::On => "PRAGMA foreign_keys = ON",
            KeyChecks::OwnIdsOnly => "PRAGMA foreign_keys = OFF",
        })
    }

    /// A second connection that reads the same committed state, for a second thread. `None` where
    /// there can be none.
    pub(crate) fn second_reader(&self) -> Option<Inventory> {
        Inventory::open(self.path()?, Access::Read).ok()
    }

    /// Copies the whole inventory, as one moment has it, into a new file.
    pub fn backup(&self, to: &Path) -> Result<()> {
        if to.exists() {
            return Err(InventoryError::new(
                InventoryErrorKind::Usage,
                format!(
                    "{} exists already; a backup never overwrites. Name a new file",
                    to.display()
                ),
            ));
        }
        // Writing a copy counts as writing.
        self.execute("PRAGMA query_only = OFF")?;
        self.conn
            .execute("VACUUM INTO ?1", [to.to_string_lossy().as_ref()])
            .map(drop)
            .map_err(|error| InventoryError::from_sqlite(to, &error))
    }

    fn make_schema(&self) -> Result<()> {
        self.execute(&format!(
            "BEGIN IMMEDIATE;
             PRAGMA application_id = {APPLICATION_ID};
             PRAGMA user_version = {SCHEMA_VERSION};
             {}
             COMMIT",
            include_str!("schema.sql")
        ))
    }

    fn check_version(&self) -> Result<()> {
        let pragma = |name: &str| -> Result<i32> {
            self.conn.pragma_query_value(None, name, |row| row.get(0)).map_err(|e| self.error(&e))
        };
        let file = self.location.path().display();
        if pragma("application_id")? != APPLICATION_ID {
            return Err(InventoryError::broken(format!(
                "{file} is a database of another program; it was left untouched. Name another \
                 file under [inventory] path"
            )));
        }
        match pragma("user_version")? {
            1 | SCHEMA_VERSION => Ok(()),
            newer if newer > SCHEMA_VERSION => Err(InventoryError::broken(format!(
                "the inventory {file} was made by a newer invsync (its version is {newer}, this \
                 program knows {SCHEMA_VERSION}); it was left untouched. Install the newer invsync"
            ))),
            other => Err(InventoryError::broken(format!(
                "the inventory {file} has the unknown version {other}; it was left untouched. Put \
                 back the last `inventory backup`"
            ))),
        }
    }

    /// Brings an inventory of an older version up to this one, whole or not at all. Also to be only
    /// read: it is no value that changes.
    fn upgrade(&self) -> Result<()> {
        let version = || self.conn.pragma_query_value(None, "user_version", |row| row.get(0));
        if version().map_err(|error| self.error(&error))? == SCHEMA_VERSION {
            return Ok(());
        }
        self.conn.busy_timeout(BUSY).map_err(|error| self.error(&error))?;
        self.execute("BEGIN IMMEDIATE")?;
        // Another process may have been faster.
        let upgraded = match version().map_err(|error| self.error(&error)) {
            Ok(SCHEMA_VERSION) => self.execute("COMMIT"),
            Ok(_) => self.execute(&format!(
                "{} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT",
                include_str!("from_1.sql")
            )),
            Err(error) => Err(error),
        };
        if upgraded.is_err() {
            // What is open ends with the connection in any case.
            let _ = self.execute("ROLLBACK");
        }
        upgraded
    }

    fn tune(&self, access: Access) -> Result<()> {
        let write = match access {
            Access::Write => "PRAGMA synchronous = NORMAL;",
            Access::Read => "PRAGMA query_only = ON;",
        };
        self.execute(&format!(
            "PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA busy_timeout = {};
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -16384;
             {write}",
            BUSY.as_millis()
        ))
    }

    /// What is written to a file that has lost its name is lost.
    fn check_it_is_still_there(&self) -> Result<()> {
        let path = self.location.path();
        if self.identity.is_none() || self.identity == identity(path) {
            return Ok(());
        }
        Err(InventoryError::broken(format!(
            "the inventory {} was moved, replaced or deleted meanwhile; nothing was written to \
             what is there now. See which one is right, put it there, and run this again",
            path.display()
        )))
    }

    fn is_read_only(&self) -> Result<bool> {
        self.conn.is_readonly("main").map_err(|error| self.error(&error))
    }

    fn execute(&self, sql: &str) -> Result<()> {
        self.conn.execute_batch(sql).map_err(|error| self.error(&error))
    }

    fn error(&self, error: &rusqlite::Error) -> InventoryError {
        InventoryError::from_sqlite(self.location.path(), error)
    }
}

/// One transaction. Dropped without [`Tx::commit`], it leaves no trace.
pub struct Tx<'a> {
    inventory: &'a Inventory,
    open: bool,
}

impl Tx<'_> {
    /// Makes everything that was written true, at once.
    pub fn commit(mut self) -> Result<()> {
        self.inventory.check_it_is_still_there()?;
        self.inventory.execute("COMMIT")?;
        self.open = false;
        Ok(())
    }

    fn conn(&self) -> &Connection {
        &self.inventory.conn
    }

    fn error(&self, error: &rusqlite::Error) -> InventoryError {
        self.inventory.error(error)
    }

    /// Runs `work` on the connection and explains its error.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(self.conn()).map_err(|error| self.error(&error))
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        if self.open {
            // Where even this fails, closing the connection rolls back.
            let _ = self.inventory.execute("ROLLBACK");
        }
    }
}

/// Looks at the first bytes before SQLite does, so that what is not ours is left untouched.
fn check_header(path: &Path) -> Result<()> {
    use std::io::Read;
    let file = path.display();
    let refused = |why: &str| {
        Err(InventoryError::broken(format!(
            "{file} {why}; it was left untouched. Name another file under [inventory] path, or \
             move this one away"
        )))
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        // The first pull would make none either: the name is taken.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.is_symlink() => {
            return Err(InventoryError::broken(format!(
                "the inventory {file} is a link to a file that is not there. Put the file there \
                 (is its disk mounted?), or remove the link"
            )));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(InventoryError::new(
                InventoryErrorKind::Missing,
                format!("there is no inventory {file}. `invsync init` or the first pull makes one"),
            ));
        }
        Err(error) => {
            return Err(InventoryError::broken(format!(
                "the inventory {file} cannot be read: {error}"
            )));
        }
    };
    if !metadata.is_file() {
        return refused("is not a file");
    }
    let mut header = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(100).read_to_end(&mut header)).map_err(
        |error| InventoryError::broken(format!("the inventory {file} cannot be read: {error}")),
    )?;
    if !header.starts_with(b"SQLite format 3\0") {
        return refused("is not an SQLite file");
    }
    if header.get(68..72) != Some(&APPLICATION_ID.to_be_bytes()) {
        return refused("is a database of another program");
    }
    Ok(())
}

/// Device and inode of a file, where there are such.
fn identity(path: &Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Where an integration's lock file is: beside the inventory.
pub fn lock_path(inventory: &Path, integration: &str) -> PathBuf {
    let mut name = inventory.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{integration}.lock"));
    inventory.with_file_name(name)
}
