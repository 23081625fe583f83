//! What can go wrong with the inventory, each with what to do.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::model::Exit;

/// An error of the inventory, with a message for the person who reads it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct InventoryError {
    /// What decides the exit code.
    pub kind: InventoryErrorKind,
    /// What failed, where, what to do.
    pub message: String,
}

/// What decides the exit code of an [`InventoryError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InventoryErrorKind {
    /// It is not there, and this command needs one: exit 2.
    Missing,
    /// What was asked of it cannot be: exit 2.
    Usage,
    /// A price group has another currency in the config, on this line: exit 2.
    Currency {
        /// The line in the config.
        line: u64,
    },
    /// Another program holds it: exit 7.
    Busy,
    /// A signal asked to stop: exit 130.
    Interrupted,
    /// Everything else: exit 1.
    Broken,
}

impl InventoryError {
    pub(super) fn new(kind: InventoryErrorKind, message: impl Into<String>) -> InventoryError {
        InventoryError { kind, message: message.into() }
    }

    pub(super) fn broken(message: impl Into<String>) -> InventoryError {
        InventoryError::new(InventoryErrorKind::Broken, message)
    }

    /// The exit code that it stands for.
    pub fn exit(&self) -> Exit {
        match self.kind {
            InventoryErrorKind::Missing
            | InventoryErrorKind::Usage
            | InventoryErrorKind::Currency { .. } => Exit::Usage,
            InventoryErrorKind::Busy => Exit::Temporary,
            InventoryErrorKind::Interrupted => Exit::Interrupted,
            InventoryErrorKind::Broken => Exit::Failed,
        }
    }

    /// Turns an error of SQLite into one that says which file and what to do.
    pub(super) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> InventoryError {
        let file = path.display();
        let Some(code) = error.sqlite_error_code() else {
            return InventoryError::broken(format!("the inventory {file}: {error}"));
        };
        let (kind, what) = match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
                InventoryErrorKind::Busy,
                "is locked by another program. Close it or wait for it (--wait 10m), then run \
                 this again"
                    .to_owned(),
            ),
            ErrorCode::NotADatabase => (
                InventoryErrorKind::Broken,
                "is not an SQLite file. Name another file under [inventory] path, or move this \
                 one away"
                    .to_owned(),
            ),
            ErrorCode::DatabaseCorrupt => (
                InventoryErrorKind::Broken,
                // SQLite says so of a page that the disk cannot read, too.
                "is damaged, or its disk is. Check the disk and keep the file; then put back the \
                 last `inventory backup`, or try `sqlite3 FILE .recover`"
                    .to_owned(),
            ),
            ErrorCode::DiskFull => (
                InventoryErrorKind::Broken,
                "cannot be written: the disk is full. Free some space and run this again"
                    .to_owned(),
            ),
            ErrorCode::ReadOnly => (
                InventoryErrorKind::Broken,
                "cannot be written: the file or its folder is read-only. Check the owner and the \
                 permissions of both"
                    .to_owned(),
            ),
            ErrorCode::CannotOpen => (
                InventoryErrorKind::Broken,
                "cannot be opened. Check that it is a file and that you may read and write it \
                 and its folder"
                    .to_owned(),
            ),
            ErrorCode::SystemIoFailure => (
                InventoryErrorKind::Broken,
                format!("cannot be read or written: {error}. Check the disk"),
            ),
            _ => (InventoryErrorKind::Broken, format!("failed: {error}")),
        };
        InventoryError::new(kind, format!("the inventory {file} {what}"))
    }
}

impl From<super::keys::TooManyKeys> for InventoryError {
    fn from(error: super::keys::TooManyKeys) -> InventoryError {
        InventoryError::broken(error.to_string())
    }
}

/// Where an inventory is, for messages.
#[derive(Clone, Debug)]
pub(super) enum Location {
    File(PathBuf),
    /// A dry run on an inventory that does not exist yet.
    Memory,
}

impl Location {
    pub(super) fn path(&self) -> &Path {
        match self {
            Location::File(path) => path,
            Location::Memory => Path::new("(in memory)"),
        }
    }
}
