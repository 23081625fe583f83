//! One advisory lock file per integration. It dies with its process, whatever ends that.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{InventoryError, Result};
use crate::around::host;
use crate::model::Timestamp;

/// A held lock; letting go of it is dropping it.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds a lock, as far as they wrote it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// For people: `process 4711 on web1 (pull) since 2026-11-24T08:00:00Z`.
    pub description: String,
}

impl Lock {
    /// Takes the lock, waiting up to `wait`. The inner error is the holder.
    pub fn take(
        path: &Path,
        command: &str,
        wait: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<std::result::Result<Lock, Holder>> {
        let broken = |why: std::io::Error| {
            InventoryError::broken(format!(
                "the lock file {} cannot be used: {why}. Check that you may write it and its \
                 folder",
                path.display()
            ))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(broken)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(why)) => return Err(broken(why)),
                Err(TryLockError::WouldBlock) => {
                    if started.elapsed() >= wait || interrupted() {
                        return Ok(Err(Holder { description: read_holder(&mut file) }));
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
        // The text is for messages only; the lock is the lock.
        let _ = write_holder(&mut file, command);
        Ok(Ok(Lock { _file: file }))
    }

    /// Whether somebody holds the lock right now.
    pub fn is_held(path: &Path) -> bool {
        match File::open(path) {
            Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        }
    }
}

fn write_holder(file: &mut File, command: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    write!(
        file,
        "process {} on {} ({command}) since {}",
        std::process::id(),
        host(),
        Timestamp::now().rfc3339()
    )
}

fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(500).read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}
