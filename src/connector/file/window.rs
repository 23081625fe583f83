//! A large reused buffer over a stream of text: parsers work on slices of it, and what they have
//! not finished moves to the front before more is read.

use std::io::Read;

use crate::connector::ConnectorError;

/// How much is read at once.
const BLOCK_BYTES: usize = 1 << 20;

/// The most that one item may take.
pub(crate) const ITEM_BYTES: usize = 16 << 20;

/// The most that one field may take.
pub(crate) const FIELD_BYTES: usize = 1 << 20;

/// A part of a stream of UTF-8, as text.
pub(crate) struct Window {
    source: Box<dyn Read + Send>,
    text: String,
    /// Bytes read behind `text`: the start of a character that is still incomplete, mostly none.
    block: Vec<u8>,
    /// Where `text` starts in the stream, in bytes.
    offset: u64,
    ended: bool,
    lines: Lines,
}

/// A line number that follows the reading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines {
    line: u64,
    /// Where in the window lines have been counted to.
    counted: usize,
}

impl Lines {
    /// The line, from 1, of a place in the window; places are asked for in ascending order.
    pub(crate) fn at(&mut self, text: &str, place: usize) -> u64 {
        if let Some(passed) = text.as_bytes().get(self.counted..place) {
            self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
            self.counted = place;
        }
        self.line
    }
}

impl Window {
    /// A window over a stream; a byte order mark at its start is left out.
    pub(crate) fn open(source: Box<dyn Read + Send>) -> Result<Window, ConnectorError> {
        let mut window = Window {
            source,
            text: String::new(),
            block: Vec::new(),
            offset: 0,
            ended: false,
            lines: Lines { line: 1, counted: 0 },
        };
        window.read_block()?;
        if window.text.starts_with('\u{feff}') {
            window.text.drain(..'\u{feff}'.len_utf8());
            window.offset = '\u{feff}'.len_utf8() as u64;
        }
        Ok(window)
    }

    /// What is in the window.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where the window starts in the stream, in bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the window holds the end of the stream.
    pub(crate) fn is_last(&self) -> bool {
        self.ended
    }

    /// A line counter that starts where the window's own has got to.
    pub(crate) fn lines(&self) -> Lines {
        self.lines
    }

    /// The line of a place in the window that is not before one asked for earlier.
    pub(crate) fn line_at(&mut self, place: usize) -> u64 {
        self.lines.at(&self.text, place)
    }

    /// Line and column, in characters, of a place in the window.
    pub(crate) fn position(&mut self, place: usize) -> (u64, usize) {
        let place = self.text.floor_char_boundary(place);
        let line = self.line_at(place);
        let before = &self.text[..place];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// Drops what is before `keep_from` and reads on. `what` is being read, for the error that it
    /// is too long.
    pub(crate) fn refill(&mut self, keep_from: usize, what: &str) -> Result<(), ConnectorError> {
        let line = self.line_at(keep_from);
        self.text.drain(..keep_from);
        self.offset += keep_from as u64;
        self.lines.counted = self.lines.counted.saturating_sub(keep_from);
        if self.text.len() > ITEM_BYTES {
            return Err(ConnectorError::source(format!(
                "line {line}: {what} is longer than {} MiB",
                ITEM_BYTES >> 20
            )));
        }
        self.read_block()
    }

    /// Reads as much again as there is, at least a block, so that an item that grows is parsed
    /// anew only a few times.
    fn read_block(&mut self) -> Result<(), ConnectorError> {
        let wanted = self.text.len().clamp(BLOCK_BYTES, ITEM_BYTES) as u64;
        let had = self.block.len();
        let read = Read::take(&mut self.source, wanted)
            .read_to_end(&mut self.block)
            .map_err(|why| ConnectorError::source(why.to_string()))?;
        self.ended = self.block.len() == had && read == 0;
        let valid = match std::str::from_utf8(&self.block) {
            Ok(text) => {
                self.text.push_str(text);
                self.block.len()
            }
            Err(error) => {
                let (valid, _) = self.block.split_at(error.valid_up_to());
                self.text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                if error.error_len().is_some() || self.ended {
                    let (line, column) = self.position(self.text.len());
                    return Err(ConnectorError::source(format!(
                        "line {line}, column {column}: not UTF-8; if the file is meant to be in \
                         another encoding, name it with `encoding`"
                    )));
                }
                error.valid_up_to()
            }
        };
        self.block.drain(..valid);
        Ok(())
    }
}
