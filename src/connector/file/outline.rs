//! What a mapping wants of a tree-shaped document, looked up once; and what a walk over such a
//! document hands over.

use super::path::{Path, Start, Step};
use super::tree::Tree;
use super::vocabulary::{CompiledPath, CompiledStep, Vocabulary};
use super::window::{Lines, Window};
use crate::connector::feed::decode::Charset;
use crate::connector::{ConnectorError, Fingerprint};

/// How many element paths are remembered, for messages about what a document holds.
const PATHS_SEEN: usize = 40;

/// Where the items are and what is read of them.
#[derive(Debug)]
pub(crate) struct Outline {
    /// The way to the items; names without predicates.
    pub(crate) items: Vec<Step>,
    /// The way from an item to its variants.
    pub(crate) variants: Option<Vec<CompiledStep>>,
    /// The paths of the mapping, in its order.
    pub(crate) paths: Vec<CompiledPath>,
    /// All names of the paths.
    pub(crate) words: Vocabulary,
    /// Some path starts at the root.
    pub(crate) reads_outside: bool,
    /// Some path is `.`: the text of the item, or variant, itself.
    pub(crate) reads_itself: bool,
}

impl Outline {
    /// Looks all names up.
    pub(crate) fn new<'p>(
        items: Vec<Step>,
        variants: Option<&[Step]>,
        paths: impl Iterator<Item = &'p Path>,
    ) -> Outline {
        let mut words = Vocabulary::default();
        let paths: Vec<_> = paths.map(|path| words.compile_path(path)).collect();
        let is_itself = |path: &CompiledPath| path.steps.is_empty() && path.attribute.is_none();
        let reads_itself = paths.iter().any(is_itself);
        let variants = variants.map(|steps| words.compile(steps, reads_itself));
        let reads_outside = paths.iter().any(|path| path.start == Start::Root);
        Outline { items, variants, paths, words, reads_outside, reads_itself }
    }
}

/// One item as a walk hands it over.
pub(crate) struct Item<'t> {
    /// The item.
    pub(crate) tree: &'t Tree,
    /// What stands before the first item and around this one; changes with `outside_version`.
    pub(crate) outside: &'t Tree,
    /// Rises when `outside` changes.
    pub(crate) outside_version: u64,
    /// The line, from 1, that the item starts on.
    pub(crate) line: u64,
    /// A part of the document that holds the item, and where it starts in the document.
    pub(crate) source: &'t str,
    /// Where `source` starts in the document, in bytes.
    pub(crate) source_offset: u64,
    /// The same in characters, where a character of the file is one byte; else 0.
    pub(crate) source_chars: u64,
    /// The document says that its numbers have a decimal comma.
    pub(crate) has_decimal_comma: bool,
    /// The encoding, where the document holds bytes that are no characters of it: they stand in
    /// texts as NUL bytes.
    pub(crate) undecodable: Option<Charset>,
}

/// What a walk parses: a window, with its place in the document.
pub(crate) struct Source<'w> {
    pub(crate) outline: &'w Outline,
    pub(crate) text: &'w str,
    /// Where the text starts, in bytes and in characters.
    pub(crate) offset: u64,
    offset_chars: u64,
    pub(crate) lines: Lines,
    /// Where in the text bytes that are no characters were, in order.
    pub(crate) undecodable: &'w [usize],
    /// The encoding of a document that has had such bytes.
    damaged: Option<Charset>,
}

impl<'w> Source<'w> {
    /// What a window holds.
    pub(crate) fn new(outline: &'w Outline, window: &'w Window) -> Source<'w> {
        Source {
            outline,
            text: window.text(),
            offset: window.offset(),
            offset_chars: window.offset_chars(),
            lines: window.lines(),
            undecodable: window.undecodable(),
            damaged: window.is_damaged().then(|| window.charset()),
        }
    }

    /// The place in the document of one in the window.
    pub(crate) fn offset_of(&self, place: usize) -> u64 {
        self.offset + place as u64
    }

    /// An item of this window; `outside` is what stands outside of it, with its version.
    pub(crate) fn item<'t>(
        &self,
        line: u64,
        tree: &'t Tree,
        (outside, outside_version): (&'t Tree, u64),
    ) -> Item<'t>
    where
        'w: 't,
    {
        Item {
            tree,
            outside,
            outside_version,
            line,
            source: self.text,
            source_offset: self.offset,
            source_chars: self.offset_chars,
            has_decimal_comma: false,
            undecodable: self.damaged,
        }
    }
}

/// A walk over a document, item by item.
pub(crate) trait Walk: Send {
    /// Hands items over until `each` says `false`, or to the end: then the answer is `false`, and
    /// the document was whole.
    fn walk(&mut self, each: &mut dyn FnMut(Item<'_>) -> bool) -> Result<bool, ConnectorError>;

    /// The first element paths that were met, for messages and the memory of the delivery.
    fn paths_seen(&self) -> String;

    /// What was odd about the document, and no reason to refuse it.
    fn remarks(&self) -> &[String] {
        &[]
    }

    /// The encoding of the file.
    fn charset(&self) -> Charset;

    /// What the bytes were; an error where the file changed while it was read.
    fn finish(self: Box<Self>) -> Result<Option<Fingerprint>, ConnectorError>;
}

/// The first few element paths of a document.
#[derive(Debug, Default)]
pub(crate) struct PathsSeen {
    paths: Vec<String>,
    /// How many elements may still be looked at.
    looks: Looks,
}

#[derive(Debug)]
struct Looks(u32);

impl Default for Looks {
    fn default() -> Looks {
        Looks(10_000)
    }
}

impl PathsSeen {
    /// Takes note of an element's path; says whether it goes on looking.
    pub(crate) fn note(&mut self, path: impl FnOnce() -> String) -> bool {
        if self.paths.len() == PATHS_SEEN || self.looks.0 == 0 {
            return false;
        }
        self.looks.0 -= 1;
        let path = path();
        if !self.paths.contains(&path) {
            self.paths.push(path);
        }
        true
    }

    /// One path a line.
    pub(crate) fn text(&self) -> String {
        self.paths.join("\n")
    }
}

/// The names of the elements or keys that are open, without an allocation a name.
#[derive(Debug, Default)]
pub(crate) struct OpenNames {
    text: String,
    starts: Vec<usize>,
}

impl OpenNames {
    /// Adds a name.
    pub(crate) fn push(&mut self, name: &str) {
        self.starts.push(self.text.len());
        self.text.push_str(name);
    }

    /// Takes the last name off.
    pub(crate) fn pop(&mut self) {
        self.truncate(self.starts.len().saturating_sub(1));
    }

    /// Keeps only the first `count` names.
    pub(crate) fn truncate(&mut self, count: usize) {
        if let Some(start) = self.starts.get(count) {
            self.text.truncate(*start);
            self.starts.truncate(count);
        }
    }

    /// The last name.
    pub(crate) fn last(&self) -> Option<&str> {
        self.starts.last().map(|start| &self.text[*start..])
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// `/a/b/c`
    pub(crate) fn path(&self) -> String {
        let ends = self.starts.iter().skip(1).copied().chain([self.text.len()]);
        self.starts
            .iter()
            .zip(ends)
            .map(|(start, end)| format!("/{}", &self.text[*start..end]))
            .collect()
    }

    /// `/a/b`: the names without the empty ones, which stand for arrays.
    pub(crate) fn path_of_keys(&self) -> String {
        let path = self.path();
        let keys: Vec<_> = path.split('/').filter(|key| !key.is_empty()).collect();
        format!("/{}", keys.join("/"))
    }
}
