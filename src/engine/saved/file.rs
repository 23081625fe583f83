//! The file of a saved plan: one JSON object, one change a line, so that a plan of any size is
//! written and read as a stream.
//!
//! ```text
//! {"schema_version":1,…,"changes":[
//! {"section":"stock",…},
//! {"section":"stock",…}
//! ],"sha256":"…"}
//! ```
//!
//! The sum at the end is over every byte before it: it shows a file that was cut or edited, and is
//! no signature.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::SpooledTempFile;

use super::row::Row;
use crate::engine::UsageError;
use crate::model::{Changed, GuardVerdict, Section};

const SCHEMA_VERSION: u32 = 1;
const BEFORE_CHANGES: &str = "\"changes\":[";
const BEFORE_SUM: &str = "],\"sha256\":\"";
const AFTER_SUM: &str = "\"}";
/// Plans up to this size stay in memory; larger ones go to a temporary file.
const IN_MEMORY_BYTES: usize = 1 << 20;
/// No line of a plan is longer: what is, is another file.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// Everything of a plan but its changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) schema_version: u32,
    pub(super) tool_version: String,
    pub(super) integration: String,
    /// `pull` or `push`.
    pub(super) command: String,
    pub(super) created_at: String,
    /// The options that it was made with.
    pub(super) only: Option<Section>,
    pub(super) skus: Vec<String>,
    pub(super) allow: Vec<String>,
    /// What decides in the config, hashed; nothing of it is a secret.
    pub(super) config: String,
    /// Which inventory it was made on; `None`: there was none yet.
    pub(super) inventory: Option<String>,
    pub(super) places: Vec<PlannedPlace>,
    pub(super) changed: Changed,
    pub(super) held_back: u64,
    pub(super) created: u64,
    pub(super) guards: Vec<GuardVerdict>,
    /// How many of the rows belong to each source, in the order of the config.
    pub(super) rows: Vec<u64>,
}

/// A warehouse or price group as it was when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlannedPlace {
    pub(super) section: Section,
    pub(super) place: String,
    /// It moves with every write of a value.
    pub(super) revision: i64,
}

/// The versions of a file, which decide how the rest is read.
#[derive(Deserialize)]
struct Versions {
    schema_version: u32,
    tool_version: String,
}

impl Header {
    /// Of a plan without anything in it.
    pub(super) fn new(integration: String, command: String, created_at: String) -> Header {
        Header {
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            integration,
            command,
            created_at,
            only: None,
            skus: Vec::new(),
            allow: Vec::new(),
            config: String::new(),
            inventory: None,
            places: Vec::new(),
            changed: Changed::default(),
            held_back: 0,
            created: 0,
            guards: Vec::new(),
            rows: Vec::new(),
        }
    }
}

/// The changes of a plan that is being made.
pub(super) struct RowsOut {
    out: BufWriter<SpooledTempFile>,
    is_empty: bool,
}

impl RowsOut {
    pub(super) fn new() -> RowsOut {
        let spool = SpooledTempFile::new(IN_MEMORY_BYTES);
        RowsOut { out: BufWriter::with_capacity(1 << 16, spool), is_empty: true }
    }

    pub(super) fn add(&mut self, row: &Row) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.write_all(b",\n")?;
        }
        Ok(serde_json::to_writer(&mut self.out, row)?)
    }

    /// Writes the whole file.
    pub(super) fn write(mut self, header: &Header, out: &mut dyn Write) -> io::Result<()> {
        let mut out = Summed { out, sum: Sha256::new() };
        let head = serde_json::to_string(header)?;
        let head = head.strip_suffix('}').unwrap_or(&head);
        writeln!(out, "{head},{BEFORE_CHANGES}")?;
        self.out.flush()?;
        let mut rows = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        rows.seek(SeekFrom::Start(0))?;
        io::copy(&mut rows, &mut out)?;
        if !self.is_empty {
            out.write_all(b"\n")?;
        }
        let sum = hex(&out.sum.finalize());
        writeln!(out.out, "{BEFORE_SUM}{sum}{AFTER_SUM}")
    }
}

/// What is written, and its sum so far.
struct Summed<'o> {
    out: &'o mut dyn Write,
    sum: Sha256,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.sum.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file that was read and found whole: its rows stand in a copy that nobody else writes to.
pub(super) struct Opened {
    pub(super) header: Header,
    pub(super) rows: RowsIn,
}

/// Reads a plan. `name` is what messages call it.
pub(super) fn open(from: impl Read, name: &str) -> Result<Opened, UsageError> {
    let no_plan = || UsageError(format!("{name} is no plan that `invsync plan` wrote"));
    let mut lines = Lines { from: BufReader::with_capacity(1 << 16, from), sum: Sha256::new() };
    let unreadable = |why: io::Error| UsageError(format!("{name} cannot be read: {why}"));
    let mut line = Vec::new();
    lines.next(&mut line).map_err(unreadable)?;
    let header = header(&line, name)?.ok_or_else(no_plan)?;
    lines.sum.update(&line);
    let mut spool = BufWriter::with_capacity(1 << 16, SpooledTempFile::new(IN_MEMORY_BYTES));
    let sum = loop {
        if !lines.next(&mut line).map_err(unreadable)? {
            return Err(UsageError(format!(
                "{name} ends in the middle: it was cut. Make the plan again"
            )));
        }
        if let Some(sum) = sum_of(&line) {
            break sum.to_owned();
        }
        lines.sum.update(&line);
        let kept = spool.write_all(&line);
        kept.map_err(|why| UsageError(format!("{name} cannot be copied: {why}")))?;
    };
    let is_all = !lines.next(&mut line).map_err(unreadable)?;
    if sum != hex(&lines.sum.finalize()) || !is_all {
        return Err(UsageError(format!(
            "{name} was changed after it was made: what it holds is not what its checksum says. \
             Make the plan again"
        )));
    }
    let mut spool = spool.into_inner().map_err(|why| unreadable(why.into_error()))?;
    spool.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    Ok(Opened { header, rows: RowsIn(BufReader::with_capacity(1 << 16, spool)) })
}

/// `None`: it is the first line of something else.
fn header(line: &[u8], name: &str) -> Result<Option<Header>, UsageError> {
    let text = std::str::from_utf8(line).ok().map(str::trim_end);
    let text = text.and_then(|text| text.strip_suffix(BEFORE_CHANGES));
    let Some(text) = text.and_then(|text| text.strip_suffix(',')) else { return Ok(None) };
    let text = format!("{text}}}");
    let Ok(versions) = serde_json::from_str::<Versions>(&text) else { return Ok(None) };
    let own = env!("CARGO_PKG_VERSION");
    if (versions.schema_version, versions.tool_version.as_str()) != (SCHEMA_VERSION, own) {
        return Err(UsageError(format!(
            "{name} was made by invsync {}, this is {own}. Make the plan again",
            versions.tool_version
        )));
    }
    Ok(serde_json::from_str(&text).ok())
}

/// The sum that the last line of a plan holds.
fn sum_of(line: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(line).ok()?;
    text.strip_prefix(BEFORE_SUM)?.trim_end().strip_suffix(AFTER_SUM)
}

struct Lines<R> {
    from: BufReader<R>,
    sum: Sha256,
}

impl<R: Read> Lines<R> {
    /// Reads a line with its end; `false` where there is none.
    fn next(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        self.from.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', line)?;
        Ok(!line.is_empty())
    }
}

/// The rows of a plan, one after the other.
pub(super) struct RowsIn(BufReader<SpooledTempFile>);

impl RowsIn {
    /// The next row; an error where there is none any more.
    pub(super) fn next(&mut self) -> io::Result<Row> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line)?;
        let row = line.trim_ascii_end();
        Ok(serde_json::from_slice(row.strip_suffix(b",").unwrap_or(row))?)
    }
}
