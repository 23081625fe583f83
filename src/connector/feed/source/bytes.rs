//! The bytes of an opened source: what every format reads.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::sync::Arc;
use std::time::SystemTime;

use super::fetched::Fetched;
use super::unpack::{self, UnpackLimit, Unusable, Zips};
use super::{Keep, Remembered};
use crate::connector::feed::fingerprint::Hasher;
use crate::connector::feed::{number, shown};
use crate::connector::{ConnectorError, Fingerprint, Origin};

/// How much of the beginning is looked at before anything is read: encoding, HTML.
pub(super) const HEAD_BYTES: usize = 1 << 20;

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

    /// In bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

/// The bytes of an opened source, in order; unpacked, if they were packed.
pub struct Bytes {
    /// Where they come from, for messages.
    name: String,
    file: Arc<File>,
    stamp: Stamp,
    input: Box<dyn Read + Send>,
    is_packed: bool,
    /// Whether the file can be written back byte by byte.
    is_plain: bool,
    keep: Keep,
    /// The beginning, read ahead.
    head: Vec<u8>,
    /// How much of the head was handed out.
    handed_out: usize,
    length: u64,
    /// `None` where the hash is known before.
    hasher: Option<Hasher>,
    origin: Origin,
    remembered: Remembered,
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bytes").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bytes {
    /// Looks at the beginning: what is empty or an HTML page is refused.
    pub(super) fn open(
        fetched: Fetched,
        (member, limit): (Option<&glob::Pattern>, UnpackLimit),
        keep: Keep,
        remembered: &Remembered,
    ) -> Result<Bytes, ConnectorError> {
        let Fetched { name, file, stamp, is_local, origin } = fetched;
        let mut bytes = Bytes {
            name,
            input: Box::new(Arc::clone(&file)),
            file,
            stamp,
            is_packed: false,
            is_plain: is_local,
            keep,
            head: Vec::new(),
            handed_out: 0,
            length: 0,
            hasher: None,
            origin,
            remembered: remembered.clone(),
        };
        bytes.read_head()?;
        bytes.check_is_some()?;
        if unpack::is_packed(&bytes.head) {
            bytes.unpack(member, limit)?;
            bytes.check_is_some()?;
        } else if is_local || bytes.origin.validators.hash.is_none() {
            // A file of the user's may have changed since it was hashed.
            bytes.hasher = Some(Hasher::new());
        }
        unpack::check_is_no_tar(&bytes.head).map_err(|why| bytes.failed(&why))?;
        check_is_no_page(&bytes.head, &bytes.name)?;
        Ok(bytes)
    }

    /// Where they come from, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The beginning: up to a MiB, all of what is smaller.
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
            read_some(&mut self.input, into).map_err(|why| self.failed(&why))?
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

    /// What the bytes were, after the last of them was read; `None` for what is not written back.
    /// An error where the file was written to meanwhile.
    pub fn finish(mut self) -> Result<Option<Fingerprint>, ConnectorError> {
        let now = self.file.metadata().map_err(|why| self.failed(&why))?;
        let is_whole = self.is_packed || self.length == self.stamp.length;
        if Stamp::of(&now) != self.stamp || !is_whole {
            return Err(changed(&self.name));
        }
        if let Some(hasher) = self.hasher.take() {
            self.origin.validators.hash = Some(hasher.finish());
        }
        let is_kept = self.keep == Keep::Fingerprint && self.is_plain;
        let fingerprint = self.origin.validators.hash.clone().filter(|_| is_kept);
        self.remembered.set(self.origin);
        Ok(fingerprint)
    }

    fn unpack(
        &mut self,
        member: Option<&glob::Pattern>,
        limit: UnpackLimit,
    ) -> Result<(), ConnectorError> {
        (self.is_packed, self.is_plain) = (true, false);
        if self.origin.validators.hash.is_none() {
            let hash = super::fetched::hash_of(&self.file).map_err(|why| self.failed(&why))?;
            self.origin.validators.hash = Some(hash);
        }
        let (file, length) = (&self.file, self.stamp.length);
        self.input = super::fetched::rewind(file)
            .and_then(|()| unpack::unpacked(file, length, Zips::Opened(member), limit))
            .map_err(|why| self.failed(&why))?;
        self.read_head()
    }

    fn read_head(&mut self) -> Result<(), ConnectorError> {
        self.head.clear();
        let expected = usize::try_from(self.stamp.length).unwrap_or(usize::MAX);
        self.head.reserve(expected.min(HEAD_BYTES));
        let count = (&mut self.input).take(HEAD_BYTES as u64).read_to_end(&mut self.head);
        count.map(|_| ()).map_err(|why| self.failed(&why))
    }

    fn check_is_some(&self) -> Result<(), ConnectorError> {
        check_is_some(&self.head, self.is_packed, &self.name)
    }

    fn failed(&self, why: &io::Error) -> ConnectorError {
        failed(&self.name, why)
    }
}

/// What is empty was not delivered.
pub(super) fn check_is_some(
    head: &[u8],
    is_packed: bool,
    name: &str,
) -> Result<(), ConnectorError> {
    if !head.is_empty() {
        return Ok(());
    }
    let content = if is_packed { "holds an empty file" } else { "is empty" };
    Err(ConnectorError::source(format!(
        "{name} {content} (0 bytes); nothing was delivered, or it is still being written"
    )))
}

/// A page of HTML is no feed.
pub(super) fn check_is_no_page(head: &[u8], name: &str) -> Result<(), ConnectorError> {
    match page(head) {
        None => Ok(()),
        Some(what) => Err(ConnectorError::source(format!("{name} is {what}"))),
    }
}

pub(super) fn changed(name: &str) -> ConnectorError {
    ConnectorError::temporary(format!(
        "{name} is still being written: it changed while it was read; run again once whatever \
         writes it is done"
    ))
}

pub(super) fn failed(name: &str, why: &io::Error) -> ConnectorError {
    let unusable = why.get_ref().and_then(|inner| inner.downcast_ref::<Unusable>());
    ConnectorError::source(match unusable {
        Some(words) => format!("{name} {words}"),
        None => format!("{name} cannot be read: {why}"),
    })
}

/// What the bytes are, where they begin as an HTML page does: `an HTML page titled "…", no feed`.
pub(super) fn page(head: &[u8]) -> Option<String> {
    Some(match html_title(head)? {
        title if title.is_empty() => "an HTML page, no feed".to_owned(),
        title => format!("an HTML page titled {}, no feed", shown(&title)),
    })
}

fn read_some(file: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A text without what XML has before its first element: declaration, instructions, comments.
fn behind_prolog(text: &str) -> &str {
    let mut rest = text;
    loop {
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ => return rest,
        };
        let Some((_, behind)) = rest.split_once(end) else { return rest };
        rest = behind.trim_start();
    }
}

/// The title of an HTML page, empty where it has none; `None` for what is no HTML page.
fn html_title(head: &[u8]) -> Option<String> {
    const FAR_ENOUGH: usize = 16 << 10;
    let text = String::from_utf8_lossy(&head[..head.len().min(FAR_ENOUGH)]);
    let text = behind_prolog(number::trim(&text));
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
