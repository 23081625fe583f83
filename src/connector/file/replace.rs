//! Replacing a file in one step: whoever looks sees the old one or the new one, never a part.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::connector::feed::fingerprint::Hasher;
use crate::connector::feed::source::Stamp;
use crate::connector::{ConnectorError, Fingerprint};
use crate::leftovers;

/// A new version of a file, beside it until [`Replacement::commit`]. Removed again on drop.
#[derive(Debug)]
pub(crate) struct Replacement {
    target: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
    hasher: Hasher,
    metadata: Metadata,
}

/// Why a file was not replaced for sure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplaceError {
    /// It is as it was.
    #[error("{0}")]
    Unchanged(String),
    /// Somebody else wrote to it meanwhile; it is as they left it.
    #[error("{0}")]
    ChangedMeanwhile(String),
    /// It was replaced, but the system could not say that this survives a power loss.
    #[error("{0}")]
    NotSynced(String),
}

impl Replacement {
    /// Starts a new version of a file; a link is followed to its target.
    pub(crate) fn start(path: &Path) -> Result<Replacement, ReplaceError> {
        let failed = |why: io::Error| {
            ReplaceError::Unchanged(format!("{} cannot be written: {why}", path.display()))
        };
        let target = std::fs::canonicalize(path).map_err(failed)?;
        let metadata = std::fs::metadata(&target).map_err(failed)?;
        if metadata.permissions().readonly() {
            return Err(ReplaceError::Unchanged(format!("{} is read-only", path.display())));
        }
        let temporary = temporary_name(&target);
        leftovers::clear(&target);
        let file = create(&temporary).map_err(|why| {
            ReplaceError::Unchanged(format!("{} cannot be created: {why}", temporary.display()))
        })?;
        leftovers::hold(&file);
        let file = Some(BufWriter::with_capacity(256 << 10, file));
        Ok(Replacement { target, temporary, file, hasher: Hasher::new(), metadata })
    }

    /// Puts the new version in the place of the old one, if that one still has this stamp. The
    /// answer is the fingerprint of what is there now.
    pub(crate) fn commit(mut self, old: &Stamp) -> Result<Fingerprint, ReplaceError> {
        let unchanged = |path: &Path, why: io::Error| {
            ReplaceError::Unchanged(format!("{} could not be written: {why}", path.display()))
        };
        // Open, and so held, until it has its name.
        let mut held = None;
        if let Some(file) = self.file.take() {
            let file =
                file.into_inner().map_err(|why| unchanged(&self.temporary, why.into_error()))?;
            let file = held.insert(file);
            keep_owner(file, &self.metadata);
            file.set_permissions(self.metadata.permissions())
                .and_then(|()| file.sync_all())
                .map_err(|why| unchanged(&self.temporary, why))?;
        }
        let now = std::fs::metadata(&self.target).map_err(|why| unchanged(&self.target, why))?;
        if Stamp::of(&now) != *old {
            return Err(ReplaceError::ChangedMeanwhile(format!(
                "{} changed since it was read",
                self.target.display()
            )));
        }
        std::fs::rename(&self.temporary, &self.target)
            .map_err(|why| unchanged(&self.target, why))?;
        sync_folder(&self.target).map_err(|why| {
            ReplaceError::NotSynced(format!(
                "{} was replaced, but its folder could not be synced: {why}. Check the disk and run \
                 this again: it looks at what is there",
                self.target.display()
            ))
        })?;
        Ok(self.hasher.clone().finish())
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => {
                let count = file.write(bytes)?;
                self.hasher.update(&bytes[..count]);
                Ok(count)
            }
            None => Err(io::Error::other("the replacement is over")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // After a commit nothing of this name is left.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

fn temporary_name(target: &Path) -> PathBuf {
    let mut name = leftovers::prefix(target);
    name.push(format!("{}{}", std::process::id(), leftovers::SUFFIX));
    target.with_file_name(name)
}

/// Creates the file for its owner alone; the final permissions come with the commit.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Only root may give files away; everyone else keeps what they own anyway.
fn keep_owner(file: &File, metadata: &Metadata) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let _ = std::os::unix::fs::fchown(file, Some(metadata.uid()), Some(metadata.gid()));
    }
    #[cfg(not(unix))]
    let _ = (file, metadata);
}

/// Makes the last replacement of a file outlast a power failure, whoever made it: a process that was
/// killed between the rename and the sync of the folder left that to the next one.
pub(crate) fn make_durable(path: &Path) -> Result<(), ConnectorError> {
    if path.as_os_str().is_empty() {
        // What is fetched is never written back.
        return Ok(());
    }
    let synced = std::fs::canonicalize(path).and_then(|target| sync_folder(&target));
    synced.map_err(|why| {
        ConnectorError::temporary(format!(
            "the folder of {} could not be synced: {why}. Check the disk and run this again: it \
             looks at what is there",
            path.display()
        ))
    })
}

fn sync_folder(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        return match File::open(folder)?.sync_all() {
            // A file system that syncs no folders: there is nothing to be done.
            Err(why) if why.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        };
    }
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(path: &Path) -> Stamp {
        Stamp::of(&std::fs::metadata(path).unwrap())
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stock.csv");
        std::fs::write(&path, "old").unwrap();
        let mut new = Replacement::start(&path).unwrap();
        new.write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        new.commit(&stamp(&path)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["stock.csv"]);
    }

    #[test]
    fn what_changed_meanwhile_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stock.csv");
        std::fs::write(&path, "old").unwrap();
        let (old, new) = (stamp(&path), Replacement::start(&path).unwrap());
        std::fs::write(&path, "newer").unwrap();
        assert!(matches!(new.commit(&old), Err(ReplaceError::ChangedMeanwhile(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"newer");
        assert_eq!(names(folder.path()), ["stock.csv"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("stock.csv"), folder.path().join("link.csv"));
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        let mut new = Replacement::start(&link).unwrap();
        new.write_all(b"new").unwrap();
        new.commit(&stamp(&link)).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_read_only_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stock.csv");
        std::fs::write(&path, "old").unwrap();
        let mut permissions = std::fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&path, permissions).unwrap();
        assert!(Replacement::start(&path).unwrap_err().to_string().contains("read-only"));
        assert_eq!(names(folder.path()), ["stock.csv"]);
    }
}
