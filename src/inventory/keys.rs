//! A set of texts, each with a number: one arena, one table, no allocation a text.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;

/// Texts with numbers of the caller's choice, each text and each number once.
///
/// A record in the arena is `number: u32, length: u32, bytes`, so that a look-up touches the table
/// and one place of the arena. Holds up to 4 GiB.
pub struct Keys {
    arena: Vec<u8>,
    /// By number: where the record begins.
    starts: Vec<u32>,
    /// The same, found by the hash of the bytes.
    table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

const HEADER: usize = 8;
const NOWHERE: u32 = u32::MAX;

/// More text than a [`Keys`] can hold.
#[derive(Debug, thiserror::Error)]
#[error("more than 4 GiB of SKUs or item ids")]
pub struct TooManyKeys;

impl Default for Keys {
    fn default() -> Keys {
        Keys::with_capacity(0)
    }
}

impl Keys {
    /// Room for so many texts before anything grows.
    pub fn with_capacity(count: usize) -> Keys {
        Keys {
            arena: Vec::with_capacity(count * (HEADER + 12)),
            starts: Vec::with_capacity(count),
            table: HashTable::with_capacity(count),
            hasher: foldhash::fast::RandomState::default(),
        }
    }

    /// How many texts are found.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// The number after the highest one.
    pub fn end(&self) -> u32 {
        // Numbers are u32, so there are never more.
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }

    /// The number of a text.
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        let found = self.table.find(self.hash(key), |start| self.record(*start).1 == key)?;
        Some(self.record(*found).0)
    }

    /// The numbers of many texts at once, which hides most of what memory takes to answer: first
    /// the table is asked for all of them, then the texts are compared.
    pub fn find_all<'k>(
        &self,
        keys: impl Iterator<Item = Option<&'k [u8]>> + Clone,
        found: &mut Vec<Option<u32>>,
    ) {
        found.clear();
        found.extend(keys.clone().map(|key| {
            let key = key?;
            self.table.find(self.hash(key), |_| true).copied()
        }));
        for (key, found) in keys.zip(found) {
            let (Some(key), Some(start)) = (key, *found) else { continue };
            let (number, text) = self.record(start);
            *found = if text == key { Some(number) } else { self.find(key) };
        }
    }

    /// Adds a text that is not in yet, under a number that is not in yet.
    pub fn insert(&mut self, number: u32, key: &[u8]) -> Result<(), TooManyKeys> {
        let start = u32::try_from(self.arena.len()).map_err(|_| TooManyKeys)?;
        let length = u32::try_from(key.len()).map_err(|_| TooManyKeys)?;
        self.arena.extend_from_slice(&number.to_le_bytes());
        self.arena.extend_from_slice(&length.to_le_bytes());
        self.arena.extend_from_slice(key);
        if number >= self.end() {
            self.starts.resize(number as usize + 1, NOWHERE);
        }
        self.starts[number as usize] = start;
        let (arena, hasher) = (&self.arena, &self.hasher);
        let rehash = |start: &u32| hash(hasher, read(arena, *start).1);
        self.table.insert_unique(hash(hasher, key), start, rehash);
        Ok(())
    }

    /// Like [`Keys::insert`], but the text is found only after [`Keys::index`].
    pub(super) fn append(&mut self, number: u32, key: &[u8]) -> Result<(), TooManyKeys> {
        let start = u32::try_from(self.arena.len()).map_err(|_| TooManyKeys)?;
        let length = u32::try_from(key.len()).map_err(|_| TooManyKeys)?;
        self.arena.extend_from_slice(&number.to_le_bytes());
        self.arena.extend_from_slice(&length.to_le_bytes());
        self.arena.extend_from_slice(key);
        if number >= self.end() {
            self.starts.resize(number as usize + 1, NOWHERE);
        }
        self.starts[number as usize] = start;
        Ok(())
    }

    /// Makes everything that was appended to be found.
    pub(super) fn index(&mut self) {
        let (arena, hasher) = (&self.arena, &self.hasher);
        let mut at = 0;
        while at < arena.len() {
            let start = at as u32;
            let key = read(arena, start).1;
            at += HEADER + key.len();
            let rehash = |start: &u32| hash(hasher, read(arena, *start).1);
            self.table.insert_unique(hash(hasher, key), start, rehash);
        }
    }

    /// Adds a text that is not in yet under the next number, and gives that.
    pub fn add(&mut self, key: &[u8]) -> Result<u32, TooManyKeys> {
        let number = self.end();
        self.insert(number, key)?;
        Ok(number)
    }

    /// Whether a number has a text.
    pub fn contains(&self, number: u32) -> bool {
        self.starts.get(number as usize).is_some_and(|start| *start != NOWHERE)
    }

    /// All numbers, in the order in which they were added.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = u32::try_from(at).ok().filter(|_| at < self.arena.len())?;
            let (number, key) = self.record(start);
            at += HEADER + key.len();
            Some(number)
        })
    }

    /// The text of a number. Panics where there is none, as a slice does.
    pub fn get(&self, number: u32) -> &[u8] {
        self.record(self.starts[number as usize]).1
    }

    /// The text of a number, as text: what came out of the inventory or a batch is UTF-8.
    pub fn text(&self, number: u32) -> &str {
        std::str::from_utf8(self.get(number)).unwrap_or_default()
    }

    fn record(&self, start: u32) -> (u32, &[u8]) {
        read(&self.arena, start)
    }

    fn hash(&self, key: &[u8]) -> u64 {
        hash(&self.hasher, key)
    }
}

fn read(arena: &[u8], start: u32) -> (u32, &[u8]) {
    let start = start as usize;
    let number = |at: usize| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&arena[at..at + 4]);
        u32::from_le_bytes(bytes)
    };
    let length = number(start + 4) as usize;
    (number(start), &arena[start + HEADER..start + HEADER + length])
}

fn hash(hasher: &foldhash::fast::RandomState, key: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(key);
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_is_found_under_its_number(
            texts in proptest::collection::hash_set("[ -~]{0,12}", 0..200)
        ) {
            let mut keys = Keys::default();
            let texts: Vec<_> = texts.into_iter().collect();
            for (number, text) in texts.iter().enumerate() {
                prop_assert_eq!(keys.find(text.as_bytes()), None);
                prop_assert_eq!(keys.add(text.as_bytes()).unwrap() as usize, number);
            }
            for (number, text) in texts.iter().enumerate() {
                prop_assert_eq!(keys.find(text.as_bytes()), Some(number as u32));
                prop_assert_eq!(keys.text(number as u32), text.as_str());
            }
            let mut later = Keys::default();
            for (number, text) in texts.iter().enumerate() {
                later.append(number as u32, text.as_bytes()).unwrap();
            }
            later.index();
            let others = [None, Some("~ no such text ~".as_bytes())];
            let asked = texts.iter().map(|text| Some(text.as_bytes())).chain(others);
            let mut found = Vec::new();
            later.find_all(asked, &mut found);
            let wanted: Vec<_> = (0..texts.len() as u32).map(Some).chain([None, None]).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
