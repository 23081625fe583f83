//! A source that is read in any order: workbooks, which are zip files themselves.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use glob::Pattern;

use super::Remembered;
use super::archive;
use super::bytes::{self, HEAD_BYTES, Stamp};
use super::fetched::{Fetched, hash_of, new_file, not_kept, rewind};
use super::unpack::{self, UnpackLimit, Zips};
use crate::connector::{ConnectorError, Origin};

/// What is unpacked at once, in bytes.
const BLOCK: usize = 256 << 10;

/// An opened source whose parts are read in any order.
#[derive(Debug)]
pub struct WholeFile {
    name: String,
    /// As it came.
    fetched: Arc<File>,
    stamp: Stamp,
    /// Without what was packed around it.
    file: Arc<File>,
    head: Vec<u8>,
    limit: UnpackLimit,
    origin: Origin,
    remembered: Remembered,
}

impl WholeFile {
    /// Looks at the beginning: what is empty or an HTML page is refused. What is packed is unpacked
    /// into a file without a name, but for a zip file that is a document itself.
    pub(super) fn open(
        fetched: Fetched,
        member: Option<&Pattern>,
        limit: UnpackLimit,
        remembered: &Remembered,
    ) -> Result<WholeFile, ConnectorError> {
        let Fetched { name, file, stamp, is_local, mut origin } = fetched;
        let failed = |why: io::Error| bytes::failed(&name, &why);
        // A file of the user's may have changed since it was hashed.
        if is_local || origin.validators.hash.is_none() {
            origin.validators.hash = Some(hash_of(&file).map_err(failed)?);
        }
        let mut head = head_of(&file).map_err(failed)?;
        bytes::check_is_some(&head, false, &name)?;
        let mut inner = Arc::clone(&file);
        if unpack::is_packed_around(&head) {
            rewind(&file).map_err(failed)?;
            let input =
                unpack::unpacked(&file, stamp.length(), Zips::Kept, limit).map_err(failed)?;
            inner = kept(&name, input)?;
            head = head_of(&inner).map_err(failed)?;
            bytes::check_is_some(&head, true, &name)?;
        }
        if unpack::is_packed(&head)
            && let Some(input) = archive::open_document(&inner, member).map_err(failed)?
        {
            inner = kept(&name, unpack::limited(input, stamp.length(), limit))?;
            head = head_of(&inner).map_err(failed)?;
            bytes::check_is_some(&head, true, &name)?;
        }
        bytes::check_is_no_page(&head, &name)?;
        let remembered = remembered.clone();
        Ok(WholeFile { name, fetched: file, stamp, file: inner, head, limit, origin, remembered })
    }

    /// Where it comes from, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The beginning: up to a MiB, all of what is smaller.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// How long what is unpacked out of it may get.
    pub fn limit(&self) -> UnpackLimit {
        self.limit
    }

    /// The file itself. All that read it share one position.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// An error where the file was written to since it was opened.
    pub fn finish(self) -> Result<(), ConnectorError> {
        let now = self.fetched.metadata().map_err(|why| bytes::failed(&self.name, &why))?;
        if Stamp::of(&now) != self.stamp {
            return Err(bytes::changed(&self.name));
        }
        self.remembered.set(self.origin);
        Ok(())
    }
}

fn head_of(file: &Arc<File>) -> io::Result<Vec<u8>> {
    rewind(file)?;
    let mut head = Vec::new();
    Arc::clone(file).take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// All of some bytes, in a file without a name.
fn kept(name: &str, mut input: impl Read) -> Result<Arc<File>, ConnectorError> {
    let (mut inner, mut block) = (new_file()?, vec![0; BLOCK]);
    loop {
        let count = match input.read(&mut block) {
            Ok(0) => return Ok(Arc::new(inner)),
            Ok(count) => count,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => return Err(bytes::failed(name, &why)),
        };
        io::Write::write_all(&mut inner, &block[..count]).map_err(|why| not_kept(&why))?;
    }
}
