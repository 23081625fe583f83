//! Temporary files of processes that were killed: whoever makes the next one clears them away.
//!
//! A temporary file stands beside its target, named after it, and is locked for as long as its
//! process lives. A killed process holds no lock.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;

/// What SQLite puts beside a file.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// What the names of a target's temporary files begin with.
pub(crate) fn prefix(target: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(target.file_name().unwrap_or_default());
    prefix.push(".invsync-");
    prefix
}

/// What they end with.
pub(crate) const SUFFIX: &str = ".tmp";

/// Marks a temporary file as being in use. Where there are no locks, it is never cleared away.
pub(crate) fn hold(file: &File) {
    let _ = file.try_lock();
}

/// Removes the target's temporary files that nobody holds. What cannot be removed stays.
pub(crate) fn clear(target: &Path) {
    let prefix = prefix(target);
    let Some(folder) = target.parent() else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !is_ours(&name, &prefix) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        let is_free = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if is_free {
            for companion in COMPANIONS {
                let mut name = path.clone().into_os_string();
                name.push(companion);
                let _ = std::fs::remove_file(name);
            }
            let _ = std::fs::remove_file(path);
        }
    }
}

fn is_ours(name: &OsStr, prefix: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(prefix.as_encoded_bytes()) && name.ends_with(SUFFIX.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_targets_own_files_that_nobody_holds_are_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["s.csv", ".s.csv.invsync-1.tmp-wal", ".t.csv.invsync-1.tmp", ".s.csv.tmp"] {
            std::fs::write(path(name), "").unwrap();
        }
        std::fs::write(path(".s.csv.invsync-1.tmp"), "").unwrap();
        let held = File::create(path(".s.csv.invsync-2.tmp")).unwrap();
        hold(&held);
        clear(&path("s.csv"));
        let mut left: Vec<_> =
            folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".s.csv.invsync-2.tmp", ".s.csv.tmp", ".t.csv.invsync-1.tmp", "s.csv"]);
    }
}
