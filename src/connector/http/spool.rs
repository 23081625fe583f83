//! A store for blocks that several threads fetch in any order: in memory while it is small, then
//! in a file without a name.

use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::SpooledTempFile;

use crate::connector::ConnectorError;

/// What is kept in memory, in bytes.
const IN_MEMORY: usize = 1 << 20;

/// Blocks and their order.
pub struct Spool {
    file: SpooledTempFile,
    end: u64,
    blocks: Vec<Block>,
}

struct Block {
    order: (u32, u32),
    place: Range<u64>,
}

impl Default for Spool {
    fn default() -> Spool {
        Spool { file: SpooledTempFile::new(IN_MEMORY), end: 0, blocks: Vec::new() }
    }
}

impl Spool {
    /// An empty one.
    pub fn new() -> Spool {
        Spool::default()
    }

    /// Adds a block. It comes out in its order, whenever it is added.
    pub fn add(&mut self, order: (u32, u32), bytes: &[u8]) -> Result<(), ConnectorError> {
        self.file.write_all(bytes).map_err(|why| failed("written", &why))?;
        let end = self.end + bytes.len() as u64;
        self.blocks.push(Block { order, place: self.end..end });
        self.end = end;
        Ok(())
    }

    /// Forgets all blocks.
    pub fn clear(&mut self) {
        *self = Spool::new();
    }

    /// The blocks in their order; those of the same order as they were added.
    pub fn into_pages(mut self) -> Pages {
        self.blocks.sort_by_key(|block| block.order);
        Pages { file: Arc::new(Mutex::new(self.file)), blocks: self.blocks.into(), next: 0 }
    }
}

/// The blocks of a [`Spool`], one after the other. Clones begin where it is, and share the file.
#[derive(Clone)]
pub struct Pages {
    file: Arc<Mutex<SpooledTempFile>>,
    blocks: Arc<[Block]>,
    next: usize,
}

impl Pages {
    /// Fills `bytes` (emptied first) with the next block. `false` at the end: then it is empty.
    pub fn next(&mut self, bytes: &mut Vec<u8>) -> Result<bool, ConnectorError> {
        bytes.clear();
        let Some(Block { place, .. }) = self.blocks.get(self.next) else { return Ok(false) };
        self.next += 1;
        let length = usize::try_from(place.end - place.start).unwrap_or(usize::MAX);
        bytes.resize(length, 0);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place.start))
            .and_then(|_| file.read_exact(bytes))
            .map_err(|why| failed("read", &why))?;
        Ok(true)
    }
}

fn failed(what: &str, why: &std::io::Error) -> ConnectorError {
    ConnectorError::source(words(what, why))
}

/// Why what is fetched finds no room here, in words.
pub fn not_kept(why: &std::io::Error) -> String {
    words("written", why)
}

fn words(what: &str, why: &std::io::Error) -> String {
    format!(
        "what was fetched cannot be {what} in {}: {why}; make room there, or set TMPDIR to a \
         folder on another disk",
        std::env::temp_dir().display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(spool: Spool) -> Vec<Vec<u8>> {
        let (mut pages, mut bytes, mut found) = (spool.into_pages(), vec![1], Vec::new());
        while pages.next(&mut bytes).unwrap() {
            found.push(bytes.clone());
        }
        assert!(bytes.is_empty());
        found
    }

    #[test]
    fn blocks_come_out_in_their_order_from_memory_and_from_a_file() {
        for length in [1, IN_MEMORY / 2] {
            let mut spool = Spool::new();
            for order in [(1, 2), (0, 3), (1, 0), (0, 1)] {
                let byte = u8::try_from(order.0 * 10 + order.1).unwrap();
                spool.add(order, &vec![byte; length]).unwrap();
            }
            let found: Vec<u8> = all(spool).iter().map(|block| block[0]).collect();
            assert_eq!(found, [1, 3, 10, 12]);
        }
    }

    #[test]
    fn a_cleared_spool_holds_only_what_came_after() {
        let mut spool = Spool::new();
        spool.add((0, 0), b"old").unwrap();
        spool.clear();
        assert!(all(spool).is_empty());
        let mut spool = Spool::new();
        spool.add((0, 0), b"old").unwrap();
        spool.clear();
        spool.add((5, 0), b"new").unwrap();
        spool.add((5, 1), b"").unwrap();
        assert_eq!(all(spool), [b"new".to_vec(), Vec::new()]);
    }
}
