//! Where a feed's bytes come from. For now a local file; what is fetched or unpacked comes later
//! and gives the same [`Bytes`].

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::fingerprint::Hasher;
use crate::connector::{ConnectorError, Context, Fingerprint};
use crate::settings::{Table, Text};

/// How much of the beginning is looked at before anything is read: encoding, HTML.
const HEAD_BYTES: usize = 1 << 20;

/// `source` as the config gives it.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    wanted: Wanted,
    folder: PathBuf,
    /// The key, for messages.
    key: String,
}

#[derive(Clone, Debug)]
enum Wanted {
    Place(Text),
    /// `{ exec = […] }`
    Program,
}

impl SourceSettings {
    /// Takes `source` out of the integration's table.
    pub fn read(table: &mut Table<'_>, context: &Context) -> Option<SourceSettings> {
        let key = table.name_of("source");
        let entry = table.require("source")?;
        let is_program = entry.is_table()
            && entry.table(key.clone()).is_some_and(|mut table| table.take("exec").is_some());
        let wanted = if is_program { Wanted::Program } else { Wanted::Place(entry.text(&key)?) };
        Some(SourceSettings { wanted, folder: context.folder.clone(), key })
    }

    /// Whether values can be written back to where they came from, or else why not, as far as the
    /// config alone tells.
    pub fn can_write(&self) -> Result<(), String> {
        let place = match &self.wanted {
            Wanted::Program => return Err("what a program prints cannot be written".to_owned()),
            Wanted::Place(text) => text.literal(),
        };
        match place.map(Place::of) {
            Some(Place::File(path)) if is_packed(&path) => {
                Err("a compressed file cannot be written".to_owned())
            }
            Some(Place::Remote) => Err("what is fetched cannot be written".to_owned()),
            Some(Place::Stdin) => Err("standard input cannot be written".to_owned()),
            _ => Ok(()),
        }
    }

    /// Resolves the place. The error is one of usage.
    pub fn connect(&self) -> Result<Source, ConnectorError> {
        let text = match &self.wanted {
            Wanted::Place(text) => text,
            Wanted::Program => return Err(self.unsupported("a program as source")),
        };
        let place = text
            .resolve(&self.folder)
            .map_err(|why| ConnectorError::usage(format!("`{}`: {why}", self.key)))?;
        match Place::of(place.expose()) {
            Place::Empty => Err(ConnectorError::usage(format!(
                "`{}` is empty; write the path of a file",
                self.key
            ))),
            Place::Remote => Err(self.unsupported("a source that is fetched")),
            Place::Stdin => Err(self.unsupported("standard input as source")),
            Place::Unreadable => Err(ConnectorError::usage(format!(
                "`{}` is no file:// URL of this computer; write file:///path/to/file",
                self.key
            ))),
            Place::File(path) if is_packed(&path) => Err(self.unsupported("a compressed source")),
            Place::File(path) => Ok(Source { path: self.folder.join(path) }),
        }
    }

    fn unsupported(&self, what: &str) -> ConnectorError {
        ConnectorError::usage(format!(
            "`{}`: {what} is not supported yet by this version; give it a local file",
            self.key
        ))
    }
}

/// What kind of place a text names.
enum Place {
    Empty,
    File(PathBuf),
    Remote,
    Stdin,
    Unreadable,
}

impl Place {
    fn of(text: &str) -> Place {
        let text = text.trim();
        if text.is_empty() {
            return Place::Empty;
        }
        if text == "-" {
            return Place::Stdin;
        }
        let Some((scheme, rest)) = text.split_once("://") else { return Place::File(text.into()) };
        if !scheme.eq_ignore_ascii_case("file") {
            return Place::Remote;
        }
        let path = rest.strip_prefix("localhost").unwrap_or(rest);
        match without_percents(path) {
            Some(path) if path.starts_with('/') => Place::File(path.into()),
            _ => Place::Unreadable,
        }
    }
}

fn without_percents(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let code = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz") || e.eq_ignore_ascii_case("zip"))
}

/// Whether a fingerprint of the bytes is taken while they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Yes: the file may be written back.
    Fingerprint,
    /// No: it is only read.
    Nothing,
}

/// A resolved source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
}

impl Source {
    /// A local file.
    pub fn file(path: impl Into<PathBuf>) -> Source {
        Source { path: path.into() }
    }

    /// The local file that can be written back.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it and looks at its beginning: what is empty, no file, or an HTML page is refused.
    pub fn open(&self, keep: Keep) -> Result<Bytes, ConnectorError> {
        let (file, metadata) = self.open_regular()?;
        let mut bytes = Bytes {
            path: self.path.clone(),
            stamp: Stamp::of(&metadata),
            file,
            head: Vec::new(),
            handed_out: 0,
            length: 0,
            hasher: (keep == Keep::Fingerprint).then(Hasher::new),
        };
        bytes.read_head()?;
        bytes.check_head()?;
        Ok(bytes)
    }

    /// Opens it as a file whose parts are read in any order: what is empty, no file, or an HTML page
    /// is refused.
    pub fn open_whole(&self) -> Result<WholeFile, ConnectorError> {
        let (mut file, metadata) = self.open_regular()?;
        let mut head = Vec::new();
        (&mut file)
            .take(HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(|why| self.unreadable(&why))?;
        check_content(&head, &self.path)?;
        Ok(WholeFile { path: self.path.clone(), stamp: Stamp::of(&metadata), file, head })
    }

    fn open_regular(&self) -> Result<(File, Metadata), ConnectorError> {
        // Asked before it is opened, for opening a named pipe waits for its writer.
        let metadata = std::fs::metadata(&self.path).map_err(|why| self.unreadable(&why))?;
        self.check_kind(&metadata)?;
        let file = File::open(&self.path).map_err(|why| self.unreadable(&why))?;
        let metadata = file.metadata().map_err(|why| self.unreadable(&why))?;
        self.check_kind(&metadata)?;
        Ok((file, metadata))
    }

    fn check_kind(&self, metadata: &Metadata) -> Result<(), ConnectorError> {
        if metadata.is_dir() {
            return Err(ConnectorError::source(format!(
                "{} is a folder; `source` must name a file in it",
                self.path.display()
            )));
        }
        if !metadata.is_file() {
            return Err(ConnectorError::source(format!(
                "{} is no regular file, and devices and pipes are not read",
                self.path.display()
            )));
        }
        Ok(())
    }

    fn unreadable(&self, why: &io::Error) -> ConnectorError {
        let path = self.path.display();
        ConnectorError::source(match why.kind() {
            io::ErrorKind::NotFound => {
                format!(
                    "{path} does not exist; check `source`, or wait for the file to be delivered"
                )
            }
            io::ErrorKind::PermissionDenied => {
                format!("{path} may not be read: {why}; give this user the right to read it")
            }
            _ => format!("{path} cannot be read: {why}"),
        })
    }
}

/// What the system says of a file without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Device and inode, where there are such.
    identity: (u64, u64),
}

impl Stamp {
    /// The stamp of a file's metadata.
    pub fn of(metadata: &Metadata) -> Stamp {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let identity = (0, 0);
        Stamp { length: metadata.len(), modified: metadata.modified().ok(), identity }
    }
}

/// The bytes of an opened source, in order.
#[derive(Debug)]
pub struct Bytes {
    path: PathBuf,
    file: File,
    stamp: Stamp,
    /// The beginning, read ahead.
    head: Vec<u8>,
    /// How much of the head was handed out.
    handed_out: usize,
    length: u64,
    hasher: Option<Hasher>,
}

impl Bytes {
    /// The file, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The beginning: up to a MiB, all of a smaller file.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether the head is all there is.
    pub fn head_is_all(&self) -> bool {
        self.head.len() < HEAD_BYTES
    }

    /// What the system said of the file when it was opened.
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The next bytes; 0 at the end. Read in large blocks: nothing is buffered here.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, ConnectorError> {
        let left = &self.head[self.handed_out..];
        let count = if left.is_empty() {
            read_some(&mut self.file, into).map_err(|why| self.failed(&why))?
        } else {
            let count = left.len().min(into.len());
            into[..count].copy_from_slice(&left[..count]);
            self.handed_out += count;
            count
        };
        self.length += count as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&into[..count]);
        }
        Ok(count)
    }

    /// What the bytes were, after the last of them was read. An error where the file was written
    /// to meanwhile.
    pub fn finish(self) -> Result<Option<Fingerprint>, ConnectorError> {
        let now = self.file.metadata().map_err(|why| self.failed(&why))?;
        if Stamp::of(&now) != self.stamp || self.length != self.stamp.length {
            return Err(changed(&self.path));
        }
        Ok(self.hasher.map(Hasher::finish))
    }

    fn read_head(&mut self) -> Result<(), ConnectorError> {
        let expected = usize::try_from(self.stamp.length).unwrap_or(usize::MAX);
        self.head.reserve(expected.min(HEAD_BYTES));
        let count = (&mut self.file).take(HEAD_BYTES as u64).read_to_end(&mut self.head);
        count.map(|_| ()).map_err(|why| self.failed(&why))
    }

    fn check_head(&self) -> Result<(), ConnectorError> {
        let path = self.path.display();
        if self.head.starts_with(b"\x1f\x8b") || self.head.starts_with(b"PK\x03\x04") {
            return Err(ConnectorError::source(format!(
                "{path} is a compressed file, which is not supported yet by this version; unpack it"
            )));
        }
        check_content(&self.head, &self.path)
    }

    fn failed(&self, why: &io::Error) -> ConnectorError {
        ConnectorError::source(format!("{} cannot be read: {why}", self.path.display()))
    }
}

/// An opened source whose parts are read in any order.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    file: File,
    stamp: Stamp,
    head: Vec<u8>,
}

impl WholeFile {
    /// The file, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The beginning: up to a MiB, all of a smaller file.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The file itself. All that read it share one position.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// An error where the file was written to since it was opened.
    pub fn finish(&self) -> Result<(), ConnectorError> {
        let now = self.file.metadata().map_err(|why| {
            ConnectorError::source(format!("{} cannot be read: {why}", self.path.display()))
        })?;
        if Stamp::of(&now) != self.stamp {
            return Err(changed(&self.path));
        }
        Ok(())
    }
}

fn changed(path: &Path) -> ConnectorError {
    ConnectorError::source(format!(
        "{} changed while it was read; run again once whatever writes it is done",
        path.display()
    ))
}

/// Refuses what cannot be a feed of any kind.
fn check_content(head: &[u8], path: &Path) -> Result<(), ConnectorError> {
    let path = path.display();
    if head.is_empty() {
        return Err(ConnectorError::source(format!(
            "{path} is empty (0 bytes); nothing was delivered, or it is still being written"
        )));
    }
    match html_title(head) {
        None => Ok(()),
        Some(title) if title.is_empty() => {
            Err(ConnectorError::source(format!("{path} is an HTML page, no feed")))
        }
        Some(title) => Err(ConnectorError::source(format!(
            "{path} is an HTML page titled {}, no feed",
            super::shown(&title)
        ))),
    }
}

fn read_some(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The title of an HTML page, empty where it has none; `None` for what is no HTML page.
fn html_title(head: &[u8]) -> Option<String> {
    const FAR_ENOUGH: usize = 16 << 10;
    let text = String::from_utf8_lossy(&head[..head.len().min(FAR_ENOUGH)]);
    let text = super::number::trim(&text);
    // Only ASCII letters change, so that places in both texts are the same.
    let lower = text.to_ascii_lowercase();
    if !lower.starts_with("<!doctype html") && !lower.starts_with("<html") {
        return None;
    }
    let title = lower.find("<title").and_then(|at| {
        let start = at + lower[at..].find('>')? + 1;
        let end = start + lower[start..].find("</title")?;
        Some(text[start..end].split_whitespace().collect::<Vec<_>>().join(" "))
    });
    Some(title.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::ErrorKind;

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
        assert!(message(open(b"\x1f\x8b\x08")).contains("compressed"));
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
        assert!(bytes.finish().unwrap_err().message.contains("changed while it was read"));
    }

    #[test]
    fn file_urls_name_local_files() {
        let path = |text: &str| match Place::of(text) {
            Place::File(path) => Some(path),
            _ => None,
        };
        assert_eq!(path("file:///a%20b/c.csv"), Some("/a b/c.csv".into()));
        assert_eq!(path("file://localhost/c.csv"), Some("/c.csv".into()));
        assert_eq!(path("feeds/c.csv"), Some("feeds/c.csv".into()));
        assert!(path("https://x.example/c.csv").is_none());
        assert!(path("file://host/c.csv").is_none());
        assert!(path("-").is_none());
    }
}
