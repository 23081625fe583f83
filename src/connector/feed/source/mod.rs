//! Where a feed's bytes come from: place → fetched → unpacked → [`Bytes`].
//!
//! A local file is opened where it is. Everything else is first fetched whole into a file without
//! a name, so that nothing that is cut is ever read as a feed, and nobody waits for a slow server
//! while the inventory is held. What is packed is then unpacked as it is read.

mod apart;
mod archive;
mod at_hand;
mod bytes;
mod fetched;
mod folder;
mod ftp;
mod login;
mod newest;
mod place;
mod program;
mod server;
mod settings;
mod sftp;
mod stdin;
mod unpack;
mod web;
mod whole;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use glob::Pattern;

pub use at_hand::AtHand;
pub use bytes::{Bytes, Stamp};
pub use settings::SourceSettings;
pub use unpack::UnpackLimit;
pub use whole::WholeFile;

use self::fetched::Fetched;
use self::program::Program;
use self::server::Server;
use self::web::{Asked, Web};
use crate::around::Around;
use crate::connector::{ConnectorError, Origin, Validators};

/// Whether a fingerprint of the bytes is given once they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Yes: the file may be written back.
    Fingerprint,
    /// No: it is only read.
    Nothing,
}

/// What was read last, for who asks after the reader is gone.
#[derive(Clone, Debug, Default)]
struct Remembered(Arc<Mutex<Option<Origin>>>);

impl Remembered {
    fn set(&self, origin: Origin) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(origin);
    }
}

/// A resolved source.
#[derive(Clone, Debug)]
pub struct Source {
    way: Way,
    /// Which file of an archive.
    member: Option<Pattern>,
    limit: UnpackLimit,
    integration: String,
    around: Around,
    remembered: Remembered,
    /// What was fetched to see whether it changed, until it is read.
    waiting: Arc<Mutex<Option<Fetched>>>,
}

/// How the bytes come here.
#[derive(Clone, Debug)]
enum Way {
    File(PathBuf),
    /// The folder of the config, and a pattern.
    Folder(PathBuf, String),
    Stdin,
    Program(Arc<Program>),
    Web(Arc<Web>),
    Server(Arc<Server>),
    /// It was fetched before.
    AtHand(AtHand),
}

impl Source {
    /// A local file.
    pub fn file(path: impl Into<PathBuf>) -> Source {
        Source {
            way: Way::File(path.into()),
            member: None,
            limit: UnpackLimit::default(),
            integration: String::new(),
            around: Around::nobody(),
            remembered: Remembered::default(),
            waiting: Arc::default(),
        }
    }

    /// The local file that can be written back; empty where there is none, and then no read gives
    /// a fingerprint to write with.
    pub fn path(&self) -> &Path {
        match &self.way {
            Way::File(path) => path,
            _ => Path::new(""),
        }
    }

    /// Opens it and looks at its beginning: what is empty, no file, or an HTML page is refused.
    pub fn open(&self, keep: Keep) -> Result<Bytes, ConnectorError> {
        let unpacking = (self.member.as_ref(), self.limit);
        Bytes::open(self.fetched()?, unpacking, keep, &self.remembered)
    }

    /// Opens it as a file whose parts are read in any order: what is empty, no file, or an HTML page
    /// is refused. What is packed is unpacked, also a file of an archive; an archive that is a document
    /// itself, as workbooks are, stays what it is.
    pub fn open_whole(&self) -> Result<WholeFile, ConnectorError> {
        WholeFile::open(self.fetched()?, self.member.as_ref(), self.limit, &self.remembered)
    }

    /// What was fetched before, or is now.
    fn fetched(&self) -> Result<Fetched, ConnectorError> {
        match self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(fetched) => Ok(fetched),
            None => self.fetch(),
        }
    }

    /// What was read last to its end.
    pub fn origin(&self) -> Option<Origin> {
        self.remembered.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the source still has what it had; if so, where that is from. What is fetched to
    /// find out is what the next [`Source::open`] reads.
    pub fn if_unchanged(&self, known: &Validators) -> Result<Option<Origin>, ConnectorError> {
        let mut fetched = match &self.way {
            Way::Web(web) => match web.fetch(Some(known))? {
                Asked::Unchanged(origin) => return Ok(Some(origin)),
                Asked::Came(fetched) => fetched,
            },
            _ => self.fetch()?,
        };
        let is_as_long =
            known.hash.as_ref().is_some_and(|hash| fetched.stamp.length() == hash.length);
        if is_as_long && fetched.validators()?.hash == known.hash {
            return Ok(Some(fetched.origin));
        }
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
        Ok(None)
    }

    fn fetch(&self) -> Result<Fetched, ConnectorError> {
        match &self.way {
            Way::File(path) => Fetched::local(path),
            Way::Folder(folder, glob) => {
                let path = folder::newest(folder, glob, &self.around, &self.integration)?;
                let mut fetched = Fetched::local(&path)?;
                // One of several is never written back.
                fetched.is_local = false;
                Ok(fetched)
            }
            Way::Stdin => stdin::fetch(&self.around),
            Way::Program(program) => program.fetch(),
            Way::Server(server) => server.fetch(),
            Way::AtHand(at_hand) => at_hand.again(),
            Way::Web(web) => match web.fetch(None)? {
                Asked::Came(fetched) => Ok(fetched),
                Asked::Unchanged(_) => Err(ConnectorError::source(
                    "the server says that nothing changed, which nobody asked it",
                )),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::{ErrorKind, Fingerprint};

    fn open(content: &[u8]) -> Result<Bytes, ConnectorError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.csv");
        std::fs::write(&path, content).unwrap();
        Source::file(path).open(Keep::Fingerprint)
    }

    fn drained(mut bytes: Bytes, block: usize) -> (Vec<u8>, Option<Fingerprint>) {
        let (mut all, mut buffer) = (Vec::new(), vec![0; block]);
        loop {
            let count = bytes.read(&mut buffer).unwrap();
            if count == 0 {
                return (all, bytes.finish().unwrap());
            }
            all.extend_from_slice(&buffer[..count]);
        }
    }

    #[test]
    fn all_bytes_come_once_and_the_fingerprint_does_not_depend_on_blocks() {
        let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let (first, one) = drained(open(&content).unwrap(), 1000);
        let (second, other) = drained(open(&content).unwrap(), 64 << 10);
        assert!(first == content && second == content);
        assert_eq!(one, other);
        assert_eq!(one.unwrap().length, 3_000_000);
    }

    #[test]
    fn what_is_no_feed_is_refused_and_the_message_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let message = |result: Result<Bytes, ConnectorError>| {
            let error = result.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Source);
            error.message
        };
        assert!(message(open(b"")).contains("is empty (0 bytes)"));
        let page = b"\n<!DOCTYPE html><html><head><TITLE>Please log in</TITLE></head>";
        assert!(message(open(page)).contains("an HTML page titled \"Please log in\""));
        assert!(message(Source::file(folder.path()).open(Keep::Nothing)).contains("is a folder"));
        let missing = Source::file(folder.path().join("none.csv")).open(Keep::Nothing);
        assert!(message(missing).contains("does not exist"));
        #[cfg(unix)]
        assert!(message(Source::file("/dev/null").open(Keep::Nothing)).contains("no regular file"));
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.csv");
        std::fs::write(&path, "sku\nA\n").unwrap();
        let mut bytes = Source::file(&path).open(Keep::Nothing).unwrap();
        std::fs::write(&path, "sku\nA\nB\n").unwrap();
        while bytes.read(&mut [0; 100]).unwrap() > 0 {}
        let error = bytes.finish().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Temporary);
        assert!(error.message.contains("is still being written"), "{error}");
    }
}
