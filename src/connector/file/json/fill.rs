//! What some path may want of a JSON value, put into a tree.

use super::scan::{RawString, Scalar, Scanner, Trouble, plain_number};
use crate::connector::file::outline::{Outline, PathsSeen};
use crate::connector::file::tree::Tree;
use crate::connector::file::vocabulary::{Name, Prefixes};
use crate::connector::file::window::FIELD_BYTES;

/// Fills a tree with what some path may want of a value.
pub(super) struct Filler<'f> {
    pub(super) outline: &'f Outline,
    pub(super) tree: &'f mut Tree,
    /// Where the window starts in the document.
    pub(super) offset: u64,
    /// Takes note of the keys of items.
    pub(super) seen: &'f mut PathsSeen,
}

impl Filler<'_> {
    /// Reads an item; `true` if it is null.
    pub(super) fn item(
        &mut self,
        key: Option<&str>,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Result<bool, Trouble> {
        let start = scanner.at;
        let top = self.tree.open(None, self.offset + start as u64);
        add_key(self.tree, self.outline, key);
        if scanner.peek()? == b'{' {
            self.object("", scanner, depth)?;
            self.tree.close(top, None, self.offset + scanner.at as u64);
            return Ok(false);
        }
        let scalar = scanner.scalar()?;
        let is_null = matches!(scalar, Scalar::Null);
        let from = self.tree.text_len();
        if self.outline.reads_itself {
            self.text(scalar, start)?;
        }
        let has_text = self.outline.reads_itself && !is_null;
        self.tree.close(top, has_text.then_some(from), self.offset + scanner.at as u64);
        Ok(is_null)
    }

    /// Reads an object under a key of the item; empty: the item itself.
    fn object(
        &mut self,
        within: &str,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Result<(), Trouble> {
        let mut met = Met::default();
        scanner.members(depth, |scanner, key: RawString<'_>| {
            let key = key.decode()?;
            self.seen.note(|| match within {
                "" => key.to_string(),
                within => format!("{within}/{key}"),
            });
            match self.outline.words.element(&key, Prefixes::None) {
                Some(name) if met.is_first(name) => self.value(name, &key, scanner, depth + 1),
                _ => scanner.skip(depth + 1),
            }
        })
    }

    fn value(
        &mut self,
        name: Name,
        key: &str,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Result<(), Trouble> {
        let byte = scanner.peek()?;
        let start = scanner.at;
        match byte {
            b'[' => scanner.elements(depth, |scanner| self.value(name, key, scanner, depth + 1)),
            b'{' => {
                let node = self.tree.open(Some(name), self.offset + start as u64);
                add_key(self.tree, self.outline, Some(key));
                self.object(key, scanner, depth)?;
                self.tree.close(node, None, self.offset + scanner.at as u64);
                Ok(())
            }
            _ => {
                let scalar = scanner.scalar()?;
                self.scalar(name, Some(key), scalar, start, scanner.at)
            }
        }
    }

    /// Adds a value that stands from `start` to `end`.
    pub(super) fn scalar(
        &mut self,
        name: Name,
        key: Option<&str>,
        scalar: Scalar<'_>,
        start: usize,
        end: usize,
    ) -> Result<(), Trouble> {
        let node = self.tree.open(Some(name), self.offset + start as u64);
        add_key(self.tree, self.outline, key);
        let from = self.tree.text_len();
        let has_text = name.wants_text() && !matches!(scalar, Scalar::Null);
        if name.wants_text() {
            self.text(scalar, start)?;
        }
        self.tree.close(node, has_text.then_some(from), self.offset + end as u64);
        Ok(())
    }

    /// The text of the node just opened, whose value stands at `start`.
    fn text(&mut self, scalar: Scalar<'_>, start: usize) -> Result<(), Trouble> {
        let from = self.tree.text_len();
        match scalar {
            Scalar::Null => {}
            Scalar::Word(word) => self.tree.push_text(word),
            Scalar::Number(number) => self.tree.push_text(&plain_number(number)),
            Scalar::String(string) => string.decode_to(self.tree.text_mut())?,
        }
        if self.tree.text_len() - from > FIELD_BYTES {
            let message = format!("this value is longer than {} MiB", FIELD_BYTES >> 20);
            return Err(Trouble::fault(start, message));
        }
        Ok(())
    }
}

/// Adds `@key`, if some path wants it.
pub(super) fn add_key(tree: &mut Tree, outline: &Outline, key: Option<&str>) {
    if let (Some(key), Some(name)) = (key, outline.words.attribute("key", Prefixes::None)) {
        let written: Result<(), ()> = tree.add_attribute(name, 0..0, |text| {
            text.push_str(key);
            Ok(())
        });
        // Adding a text to a String cannot fail.
        let _ = written;
    }
}

/// The keys of an object that have been met already.
#[derive(Default)]
struct Met {
    /// One bit for each of the first names that paths mention.
    names: u128,
}

impl Met {
    /// Whether the name is met for the first time; names beyond the first 127 always are.
    fn is_first(&mut self, name: Name) -> bool {
        match name.id() {
            id @ 1..=127 => {
                let bit = 1_u128 << id;
                let is_first = self.names & bit == 0;
                self.names |= bit;
                is_first
            }
            _ => true,
        }
    }
}
