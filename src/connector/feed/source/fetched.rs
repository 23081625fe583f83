//! A source's bytes, whole and on this machine: a local file as it is, everything else in a file
//! without a name.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use super::bytes::Stamp;
use crate::connector::feed::fingerprint::Hasher;
use crate::connector::{ConnectorError, Fingerprint, Origin, Validators};

/// What is read at once to hash it, in bytes.
const BLOCK: usize = 256 << 10;

/// The bytes of a source as they came: still packed, if they were.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    /// Where they come from, for messages.
    pub name: String,
    pub file: Arc<File>,
    pub stamp: Stamp,
    /// Whether it is a file of the user's own, in its place.
    pub is_local: bool,
    pub origin: Origin,
}

impl Fetched {
    /// A local file, which is opened and not read. A folder, a device or a pipe is refused.
    pub(super) fn local(path: &Path) -> Result<Fetched, ConnectorError> {
        // Asked before it is opened, for opening a named pipe waits for its writer.
        let metadata = std::fs::metadata(path).map_err(|why| unreadable(path, &why))?;
        check_kind(path, &metadata)?;
        let file = File::open(path).map_err(|why| unreadable(path, &why))?;
        let metadata = file.metadata().map_err(|why| unreadable(path, &why))?;
        check_kind(path, &metadata)?;
        Ok(Fetched {
            name: path.display().to_string(),
            file: Arc::new(file),
            stamp: Stamp::of(&metadata),
            is_local: true,
            origin: Origin { modified: metadata.modified().ok(), ..Origin::default() },
        })
    }

    /// A file without a name that holds all that was fetched.
    pub(super) fn temporary(
        name: String,
        file: File,
        origin: Origin,
    ) -> Result<Fetched, ConnectorError> {
        let file = Arc::new(file);
        rewind(&file).map_err(|why| not_kept(&why))?;
        let stamp = Stamp::of(&file.metadata().map_err(|why| not_kept(&why))?);
        Ok(Fetched { name, file, stamp, is_local: false, origin })
    }

    /// The same again, from its beginning.
    pub(super) fn again(&self) -> Result<Fetched, ConnectorError> {
        rewind(&self.file).map_err(|why| {
            ConnectorError::source(format!("{} cannot be read: {why}", self.name))
        })?;
        Ok(self.clone())
    }

    /// What the bytes are, hashed now unless that was done before.
    pub(super) fn validators(&mut self) -> Result<&Validators, ConnectorError> {
        if self.origin.validators.hash.is_none() {
            let hash = hash_of(&self.file).and_then(|hash| rewind(&self.file).map(|()| hash));
            let failed =
                |why| ConnectorError::source(format!("{} cannot be read: {why}", self.name));
            self.origin.validators.hash = Some(hash.map_err(failed)?);
        }
        Ok(&self.origin.validators)
    }
}

/// A new file without a name.
pub(super) fn new_file() -> Result<File, ConnectorError> {
    tempfile::tempfile().map_err(|why| not_kept(&why))
}

/// What was fetched finds no room here.
pub(super) fn not_kept(why: &io::Error) -> ConnectorError {
    ConnectorError::source(crate::connector::http::not_kept(why))
}

/// Back to the beginning.
pub(super) fn rewind(file: &Arc<File>) -> io::Result<()> {
    Arc::clone(file).rewind()
}

/// The fingerprint of a whole file, which is at its end then.
pub(super) fn hash_of(file: &Arc<File>) -> io::Result<Fingerprint> {
    rewind(file)?;
    let (mut file, mut block, mut hasher) = (Arc::clone(file), vec![0; BLOCK], Hasher::new());
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(&block[..count]),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
}

fn check_kind(path: &Path, metadata: &Metadata) -> Result<(), ConnectorError> {
    if metadata.is_dir() {
        return Err(ConnectorError::source(format!(
            "{} is a folder; `source` must name a file in it",
            path.display()
        )));
    }
    if !metadata.is_file() {
        return Err(ConnectorError::source(format!(
            "{} is no regular file, and devices and pipes are not read",
            path.display()
        )));
    }
    Ok(())
}

fn unreadable(path: &Path, why: &io::Error) -> ConnectorError {
    let path = path.display();
    ConnectorError::source(match why.kind() {
        io::ErrorKind::NotFound => {
            format!("{path} does not exist; check `source`, or wait for the file to be delivered")
        }
        io::ErrorKind::PermissionDenied => {
            format!("{path} may not be read: {why}; give this user the right to read it")
        }
        _ => format!("{path} cannot be read: {why}"),
    })
}
