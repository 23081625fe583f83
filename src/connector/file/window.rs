//! A large reused buffer over a stream of text: parsers work on slices of it, and what they have
//! not finished moves to the front before more is read.

use crate::connector::feed::decode::{Characters, Charset};
use crate::connector::{ConnectorError, Fingerprint};

/// How much is read at once.
pub(crate) const BLOCK_BYTES: usize = 1 << 20;

/// The most that one item may take.
pub(crate) const ITEM_BYTES: usize = 16 << 20;

/// What to say of an item that takes more.
pub(crate) const ITEM_TOO_LONG: &str = "the item is longer than 16 MiB";

/// The most that one field may take.
pub(crate) const FIELD_BYTES: usize = 1 << 20;

/// The most places of a window that may be undecodable: what has more is in another encoding.
const UNDECODABLE_PLACES: usize = 1 << 20;

/// A part of a document, as text.
///
/// Bytes that are no characters stand in it as NUL bytes, one for each, so that no place moves and
/// no value that holds one can pass for another. Where they are is known, as a NUL byte of the
/// document's own is something else.
pub(crate) struct Window {
    source: Characters,
    charset: Charset,
    text: String,
    /// What is read into.
    block: Vec<u8>,
    /// How much of it is behind `text`: the start of a character that is still incomplete, mostly
    /// nothing.
    left_over: usize,
    block_bytes: usize,
    /// Where `text` starts in the document, in bytes of UTF-8.
    offset: u64,
    /// The same in characters, where a character of the file is one byte; else 0.
    offset_chars: u64,
    ended: bool,
    lines: Lines,
    /// Where in `text` bytes that are no characters were, in order.
    undecodable: Vec<usize>,
    /// Whether the document has had any so far.
    is_damaged: bool,
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
    /// A window over a document, read `block_bytes` at a time.
    pub(crate) fn open(source: Characters, block_bytes: usize) -> Result<Window, ConnectorError> {
        let charset = source.charset();
        let mut window = Window {
            source,
            charset,
            text: String::new(),
            block: Vec::new(),
            left_over: 0,
            block_bytes,
            offset: 0,
            offset_chars: 0,
            ended: false,
            lines: Lines { line: 1, counted: 0 },
            undecodable: Vec::new(),
            is_damaged: false,
        };
        window.read_block()?;
        Ok(window)
    }

    /// What the document was; an error where it changed while it was read.
    pub(crate) fn finish(self) -> Result<Option<Fingerprint>, ConnectorError> {
        self.source.finish()
    }

    /// An error of the document as a whole.
    pub(crate) fn error(&self, message: &str) -> ConnectorError {
        ConnectorError::source(format!("{}: {message}", self.source.source().name()))
    }

    /// An error at a place in the window.
    pub(crate) fn error_at(&mut self, place: usize, message: &str) -> ConnectorError {
        let (line, column) = self.position(place);
        if self.undecodable.binary_search(&place).is_ok() {
            let fault = self.source.source_charset().fault();
            return self.error(&format!("line {line}, column {column}: a byte here {fault}"));
        }
        self.error(&format!("line {line}, column {column}: {message}"))
    }

    /// What is in the window.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Where the window starts in the document, in bytes of UTF-8.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the window starts in the file, in characters, where each is one byte; else 0.
    pub(crate) fn offset_chars(&self) -> u64 {
        self.offset_chars
    }

    /// The encoding of the file.
    pub(crate) fn charset(&self) -> Charset {
        self.source.source_charset()
    }

    /// Where in the window bytes that are no characters were, in order.
    pub(crate) fn undecodable(&self) -> &[usize] {
        &self.undecodable
    }

    /// Whether the document has had bytes so far that are no characters.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// Whether the window holds the end of the document.
    pub(crate) fn is_last(&self) -> bool {
        self.ended
    }

    /// A line counter that starts where the window's own has got to.
    pub(crate) fn lines(&self) -> Lines {
        self.lines
    }

    /// Takes a counter back that has got further.
    pub(crate) fn set_lines(&mut self, lines: Lines) {
        self.lines = lines;
    }

    /// The line of a place in the window that is not before one asked for earlier.
    pub(crate) fn line_at(&mut self, place: usize) -> u64 {
        self.lines.at(&self.text, place)
    }

    /// Line and column, in characters, of a place in the window.
    fn position(&mut self, place: usize) -> (u64, usize) {
        let line = self.line_at(place);
        let before = self.text.get(..place).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        (line, before[start..].chars().count() + 1)
    }

    /// Drops what is before `keep_from` and reads on. `what` is being read, for the error that it
    /// is too long.
    pub(crate) fn refill(&mut self, keep_from: usize, what: &str) -> Result<(), ConnectorError> {
        let line = self.line_at(keep_from);
        if !self.is_utf8() {
            self.offset_chars += self.text[..keep_from].chars().count() as u64;
        }
        self.text.drain(..keep_from);
        self.undecodable.retain_mut(|place| match place.checked_sub(keep_from) {
            Some(moved) => {
                *place = moved;
                true
            }
            None => false,
        });
        self.offset += keep_from as u64;
        self.lines.counted = self.lines.counted.saturating_sub(keep_from);
        if self.text.len() > ITEM_BYTES {
            let limit = ITEM_BYTES >> 20;
            return Err(self.error(&format!("line {line}: {what} is longer than {limit} MiB")));
        }
        self.read_block()
    }

    /// The last line.
    pub(crate) fn last_line(&mut self) -> u64 {
        self.line_at(self.text.len())
    }

    /// Reads as much again as there is, at least a block, so that an item that grows is parsed
    /// anew only a few times.
    fn read_block(&mut self) -> Result<(), ConnectorError> {
        let wanted = self.left_over + self.text.len().clamp(self.block_bytes, ITEM_BYTES);
        if self.block.len() < wanted {
            self.block.resize(wanted, 0);
        }
        let mut end = self.left_over;
        while end < wanted && !self.ended {
            let count = self.source.read(&mut self.block[end..wanted])?;
            self.ended = count == 0;
            end += count;
        }
        let block = std::mem::take(&mut self.block);
        let taken = if self.is_utf8() {
            self.take_utf8(&block[..end])
        } else {
            self.take_bytes(&block[..end])
        };
        self.block = block;
        self.block.copy_within(taken..end, 0);
        self.left_over = end - taken;
        if self.undecodable.len() > UNDECODABLE_PLACES {
            let why = "is full of bytes that are no characters";
            return Err(self.error(&format!("it {why} of {}; set `encoding`", self.charset.name())));
        }
        Ok(())
    }

    fn is_utf8(&self) -> bool {
        self.charset.is_utf_8()
    }

    /// Adds UTF-8 to the text; says how much of it, for a character may be incomplete still.
    fn take_utf8(&mut self, block: &[u8]) -> usize {
        let mut taken = 0;
        loop {
            let rest = &block[taken..];
            let error = match simdutf8::compat::from_utf8(rest) {
                Ok(text) => {
                    self.text.push_str(text);
                    return block.len();
                }
                Err(error) => error,
            };
            let (valid, behind) = rest.split_at(error.valid_up_to());
            self.text.push_str(std::str::from_utf8(valid).unwrap_or_default());
            taken += valid.len();
            let bad_bytes = match error.error_len() {
                Some(bad_bytes) => bad_bytes,
                None if self.ended => behind.len(),
                None => return taken,
            };
            self.mark_undecodable(bad_bytes);
            taken += bad_bytes;
        }
    }

    /// Adds text with a character a byte, all of it.
    fn take_bytes(&mut self, block: &[u8]) -> usize {
        if let Ok(text) = self.charset.text(block) {
            self.text.push_str(&text);
            return block.len();
        }
        for byte in block.chunks(1) {
            match self.charset.text(byte) {
                Ok(text) => self.text.push_str(&text),
                Err(_) => self.mark_undecodable(1),
            }
        }
        block.len()
    }

    fn mark_undecodable(&mut self, bytes: usize) {
        self.is_damaged = true;
        for _ in 0..bytes {
            self.undecodable.push(self.text.len());
            self.text.push('\0');
        }
    }
}
