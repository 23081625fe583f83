//! Zip archives: one file out of one, read where it stands.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use glob::Pattern;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::unpack::Unusable;
use crate::connector::feed::shown;

/// How many names a message shows.
const SHOWN_NAMES: usize = 5;
/// A file that only an archive has which is a document itself.
const DOCUMENTS: [&str; 4] =
    ["[Content_Types].xml", "xl/workbook.xml", "content.xml", "META-INF/manifest.xml"];
/// How the names of workbooks end.
const WORKBOOKS: [&str; 3] = [".xlsx", ".xlsm", ".ods"];
/// What is read of an archive at once, in bytes.
const BLOCK: usize = 64 << 10;

/// A file in an archive.
struct Member {
    index: usize,
    name: String,
}

/// The same of an archive that is around a document: its only file, or its only workbook. `None`
/// where the archive is a document itself, whatever `member` says.
pub(super) fn open_document(
    file: &Arc<File>,
    member: Option<&Pattern>,
) -> io::Result<Option<Box<dyn Read + Send>>> {
    let members = members(&mut ZipArchive::new(Arc::clone(file)).map_err(in_words)?)?;
    let has = |name: &str| members.iter().any(|member| member.name.eq_ignore_ascii_case(name));
    if DOCUMENTS.iter().any(|name| has(name)) || members.is_empty() {
        return Ok(None);
    }
    let is_workbook = |member: &&Member| {
        let name = member.name.to_ascii_lowercase();
        WORKBOOKS.iter().any(|ending| name.ends_with(ending))
    };
    let mut workbooks = members.iter().filter(is_workbook);
    let only = workbooks.next().filter(|_| workbooks.next().is_none());
    let only = only.and_then(|only| Pattern::new(&Pattern::escape(&only.name)).ok());
    open(file, member.or(only.as_ref())).map(Some)
}

/// The only file of an archive, or the one that `member` matches; unpacked.
pub(super) fn open(file: &Arc<File>, member: Option<&Pattern>) -> io::Result<Box<dyn Read + Send>> {
    let mut archive = ZipArchive::new(Arc::clone(file)).map_err(in_words)?;
    let chosen = choose(members(&mut archive)?, member)?;
    let entry = archive.by_index_raw(chosen.index).map_err(in_words)?;
    if entry.encrypted() {
        return Err(unusable(format!(
            "is a zip archive whose {} is encrypted; deliver it without a password",
            shown(&chosen.name)
        )));
    }
    let start = entry.data_start().ok_or_else(damaged)?;
    let (packed, length, crc) = (entry.compressed_size(), entry.size(), entry.crc32());
    let method = entry.compression();
    drop(entry);
    let mut at = Arc::clone(file);
    at.seek(SeekFrom::Start(start))?;
    let source = BufReader::with_capacity(BLOCK, at.take(packed));
    let input: Box<dyn Read + Send> = match method {
        CompressionMethod::Stored => Box::new(source),
        CompressionMethod::Deflated => Box::new(DeflateDecoder::new(source)),
        other => {
            return Err(unusable(format!(
                "is a zip archive whose {} is packed by {other}; only deflate is read",
                shown(&chosen.name)
            )));
        }
    };
    Ok(Box::new(Checked { input, crc: Crc::new(), left: length, wanted: crc }))
}

/// The files of an archive, without folders and what a Mac adds.
fn members(archive: &mut ZipArchive<Arc<File>>) -> io::Result<Vec<Member>> {
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(in_words)?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let is_added = name.starts_with("__MACOSX/") || base(&name) == ".DS_Store";
        if entry.is_file() && !is_added {
            members.push(Member { index, name });
        }
    }
    Ok(members)
}

fn choose(members: Vec<Member>, wanted: Option<&Pattern>) -> io::Result<Member> {
    let all: Vec<String> = members.iter().map(|member| member.name.clone()).collect();
    let fits = |member: &Member| {
        wanted.is_none_or(|glob| glob.matches(&member.name) || glob.matches(base(&member.name)))
    };
    let mut fitting: Vec<Member> = members.into_iter().filter(fits).collect();
    if fitting.len() == 1
        && let Some(only) = fitting.pop()
    {
        return Ok(only);
    }
    let names = |names: &[String]| {
        let shown: Vec<_> = names.iter().take(SHOWN_NAMES).map(|name| shown(name)).collect();
        let more = match names.len().saturating_sub(SHOWN_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{more}", shown.join(", "))
    };
    let found: Vec<String> = fitting.into_iter().map(|member| member.name).collect();
    Err(unusable(match (all.is_empty(), wanted, found.is_empty()) {
        (true, ..) => "is a zip archive with no file in it; nothing was delivered".to_owned(),
        (_, Some(_), true) => format!(
            "is a zip archive without a file that `member` matches; it holds {}",
            names(&all)
        ),
        (_, Some(_), false) => format!(
            "is a zip archive in which `member` matches {} files: {}; it must match one",
            found.len(),
            names(&found)
        ),
        (_, None, _) => format!(
            "is a zip archive with {} files: {}; say which one with `member = \"…\"`",
            all.len(),
            names(&all)
        ),
    }))
}

/// The name without its folders.
fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// A file of an archive, which says how long its content is and what it adds up to.
struct Checked<R> {
    input: R,
    crc: Crc,
    left: u64,
    wanted: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into).map_err(|why| match why.kind() {
            io::ErrorKind::Interrupted => why,
            _ => damaged(),
        })?;
        self.crc.update(&into[..count]);
        self.left = self.left.checked_sub(count as u64).ok_or_else(damaged)?;
        let is_whole = self.left == 0 && self.crc.sum() == self.wanted;
        if count == 0 && !into.is_empty() && !is_whole {
            return Err(damaged());
        }
        Ok(count)
    }
}

fn in_words(why: ZipError) -> io::Error {
    match why {
        ZipError::Io(why) if why.kind() != io::ErrorKind::UnexpectedEof => why,
        ZipError::UnsupportedArchive(what) => {
            unusable(format!("is a zip archive that cannot be read: {what}"))
        }
        _ => unusable(
            "is a zip archive that is cut or damaged: its table of contents cannot be read; \
             deliver it again"
                .to_owned(),
        ),
    }
}

fn damaged() -> io::Error {
    unusable("is a zip archive that is cut or damaged; deliver it again".to_owned())
}

fn unusable(why: String) -> io::Error {
    Unusable(why).into()
}
