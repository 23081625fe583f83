//! The zip file around a workbook. Its members are streams that end in an error where they are
//! damaged or unpack to too much.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use crate::connector::ConnectorError;
use crate::connector::feed::source::WholeFile;

/// How much is read at once.
const BLOCK_BYTES: usize = 64 << 10;

/// The first bytes of the format of old `.xls` files and of encrypted workbooks.
pub(super) const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// An opened zip file.
pub(super) struct Archive {
    whole: WholeFile,
    zip: ZipArchive<File>,
    /// The place of each member by its name in lower case.
    places: HashMap<String, usize>,
}

impl Archive {
    /// Reads the directory; what is no zip file is named for what it is.
    pub(super) fn open(whole: WholeFile) -> Result<Archive, ConnectorError> {
        let fail = |why: String| ConnectorError::source(format!("{} {why}", whole.name()));
        if whole.head().starts_with(COMPOUND_FILE) {
            return Err(fail(compound_file(&whole).to_owned()));
        }
        if !whole.head().starts_with(b"PK") {
            return Err(fail("is no spreadsheet: neither xlsx nor ods".to_owned()));
        }
        let file =
            whole.file().try_clone().map_err(|why| fail(format!("cannot be read: {why}")))?;
        let zip = ZipArchive::new(file)
            .map_err(|why| fail(format!("is cut or damaged: {why}; fetch or save it anew")))?;
        let places = (0..zip.len())
            .filter_map(|place| Some((normal(&zip.name_for_index(place)?.ok()?), place)))
            .collect();
        Ok(Archive { whole, zip, places })
    }

    /// The file, for messages and the last check.
    pub(super) fn whole(&self) -> &WholeFile {
        &self.whole
    }

    /// The file, once all is read.
    pub(super) fn into_whole(self) -> WholeFile {
        self.whole
    }

    /// An error of the file as a whole; `why` ends a sentence that starts with its name.
    pub(super) fn error(&self, why: &str) -> ConnectorError {
        ConnectorError::source(format!("{} {why}", self.whole.name()))
    }

    /// Whether there is such a member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(&normal(name))
    }

    /// Whether it is a workbook or another document of an office, by its members.
    pub(super) fn is_document(&self) -> bool {
        let members = ["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "mimetype"];
        members.iter().any(|name| self.has(name)) || self.has("content.xml")
    }

    /// Whether it is an archive with workbooks in it.
    pub(super) fn holds_workbooks(&self) -> bool {
        let endings = [".xlsx", ".xlsm", ".ods", ".xls"];
        self.places.keys().any(|name| endings.iter().any(|ending| name.ends_with(ending)))
    }

    /// A member from its beginning. Only one is read at a time: they share the file's position.
    pub(super) fn member(&mut self, name: &str) -> Result<Member, ConnectorError> {
        let Some(place) = self.places.get(&normal(name)).copied() else {
            return Err(self.error(&format!("is no complete workbook: {name} is missing in it")));
        };
        match self.open_member(place) {
            Ok(Ok(member)) => Ok(member),
            Ok(Err(why)) => Err(self.error(why)),
            Err(why) => {
                Err(self.error(&format!("is cut or damaged: {why}; fetch or save it anew")))
            }
        }
    }

    /// The inner error is a sentence of its own.
    fn open_member(&mut self, place: usize) -> io::Result<Result<Member, &'static str>> {
        let entry = self.zip.by_index_raw(place)?;
        if entry.encrypted() {
            return Ok(Err("is encrypted; save it without a password"));
        }
        let Some(start) = entry.data_start() else {
            return Ok(Err("is damaged: a member of it has no place"));
        };
        let (packed, method) = (entry.compressed_size(), entry.compression());
        let (bytes, crc) = (entry.size(), entry.crc32());
        drop(entry);
        let mut file = self.whole.file().try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        let file = BufReader::with_capacity(BLOCK_BYTES, file.take(packed));
        let input = match method {
            CompressionMethod::Stored => Input::Stored(file),
            CompressionMethod::Deflated => Input::Deflated(DeflateDecoder::new(file)),
            _ => return Ok(Err("is packed in a way that no spreadsheet is; save it anew")),
        };
        let limit = self.whole.limit().bytes(packed);
        let (crc, expected) = (Crc::new(), (bytes, crc));
        Ok(Ok(Member { input, crc, expected, unpacked: 0, limit, allowance: u64::MAX }))
    }
}

/// Member names as they are compared: some writers use other cases and slashes.
fn normal(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_lowercase()
}

/// What a compound file is: its directory names the streams in it.
fn compound_file(whole: &WholeFile) -> &'static str {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let names = directory_of_compound_file(whole).unwrap_or_default();
    if memchr::memmem::find(&names, &name).is_some() {
        "is encrypted with a password; save it without one"
    } else {
        "is an old Excel file (.xls), which is not read; save it as .xlsx"
    }
}

/// The first names of a compound file's directory.
fn directory_of_compound_file(whole: &WholeFile) -> Option<Vec<u8>> {
    let head = whole.head();
    let shift = u16::from_le_bytes(head.get(30..32)?.try_into().ok()?);
    let sector = u32::from_le_bytes(head.get(48..52)?.try_into().ok()?);
    let sector_bytes = 1_u64.checked_shl(u32::from(shift)).filter(|bytes| *bytes <= 1 << 20)?;
    let mut file = whole.file().try_clone().ok()?;
    file.seek(SeekFrom::Start((u64::from(sector) + 1) * sector_bytes)).ok()?;
    let mut names = Vec::new();
    file.take(4096).read_to_end(&mut names).ok()?;
    Some(names)
}

/// One member, unpacked as it is read.
pub(super) struct Member {
    input: Input,
    crc: Crc,
    /// Length and checksum, as the directory has them.
    expected: (u64, u32),
    unpacked: u64,
    limit: u64,
    /// What may be read before [`Member::allow`] is called again.
    allowance: u64,
}

enum Input {
    Stored(BufReader<Take<File>>),
    Deflated(DeflateDecoder<BufReader<Take<File>>>),
}

impl Member {
    /// Lets so many bytes be read from now on.
    pub(super) fn allow(&mut self, bytes: u64) {
        self.allowance = bytes;
    }
}

impl Read for Member {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.allowance == 0 {
            return Err(io::Error::other("one piece of it is longer than 16 MiB"));
        }
        let count = match &mut self.input {
            Input::Stored(input) => input.read(into)?,
            Input::Deflated(input) => input.read(into)?,
        };
        self.crc.update(&into[..count]);
        self.unpacked += count as u64;
        self.allowance = self.allowance.saturating_sub(count as u64);
        if self.unpacked > self.limit {
            return Err(io::Error::other(format!(
                "it unpacks to more than {} MiB, far more than its size; it may be a trap",
                self.limit >> 20
            )));
        }
        if count == 0 && !into.is_empty() && (self.unpacked, self.crc.sum()) != self.expected {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is wrong"));
        }
        Ok(count)
    }
}
