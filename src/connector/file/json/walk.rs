//! A walk over JSON text: the objects and arrays around the items token by token, so that they
//! may be of any size, each item as a tree.
//!
//! A key that an object has twice counts once, with its first value. When the window ends inside
//! of something, the walk goes back to its start and reads it anew in the next window.

use std::sync::Arc;

use super::fill::{Filler, add_key};
use super::scan::{Scanner, Trouble};
use crate::connector::feed::decode::Charset;
use crate::connector::file::outline::{Item, OpenNames, Outline, PathsSeen, Source, Walk};
use crate::connector::file::tree::{NodeId, Tree};
use crate::connector::file::vocabulary::{Name, Prefixes};
use crate::connector::file::window::{ITEM_BYTES, ITEM_TOO_LONG, Window};
use crate::connector::{ConnectorError, Fingerprint};

/// A walk over a JSON document, or several, one behind the other (NDJSON).
pub(super) struct JsonWalk {
    outline: Arc<Outline>,
    window: Window,
    /// How far the window has been parsed.
    at: usize,
    state: State,
}

struct State {
    /// The objects and arrays around the place that is read; the first stands for the document.
    frames: Vec<Frame>,
    keys: OpenNames,
    outside: Tree,
    outside_version: u64,
    /// How many of the frames, from the first, have had an item in them.
    with_items: usize,
    tree: Tree,
    values: u64,
    seen: PathsSeen,
}

/// An object or array around the place that is read.
#[derive(Clone, Copy)]
struct Frame {
    kind: FrameKind,
    /// How many steps of the way to the items lead here; `None` off the way.
    steps: Option<usize>,
    /// Its node among what stands outside of items, if some path may want it.
    node: Option<NodeId>,
    /// The first node that came with it.
    first_node: NodeId,
    /// What its elements are called, for an array: as itself.
    name: Option<Name>,
    is_empty: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FrameKind {
    Document,
    Object,
    Array,
}

/// A value that is about to be read.
struct Slot<'k> {
    steps: Option<usize>,
    key: Option<&'k str>,
    name: Option<Name>,
    /// The node that it would be below.
    parent: Option<NodeId>,
}

/// What a step of the walk came to.
enum Step {
    On,
    /// The receiver of the items has enough.
    Enough,
}

impl JsonWalk {
    /// A walk over the text of a window.
    pub(super) fn new(window: Window, outline: Arc<Outline>) -> JsonWalk {
        let mut outside = Tree::default();
        let document = outside.open(None, 0);
        let frame = Frame {
            kind: FrameKind::Document,
            steps: Some(0),
            node: outline.reads_outside.then_some(document),
            first_node: document,
            name: None,
            is_empty: true,
        };
        let state = State {
            frames: vec![frame],
            keys: OpenNames::default(),
            outside,
            outside_version: 0,
            with_items: 0,
            tree: Tree::default(),
            values: 0,
            seen: PathsSeen::default(),
        };
        JsonWalk { outline, window, at: 0, state }
    }

    /// Parses the window until the receiver of the items has enough, or for as far as it goes.
    fn parse_window(&mut self, each: &mut dyn FnMut(Item<'_>) -> bool) -> Result<(), Trouble> {
        let mut source = Source::new(&self.outline, &self.window);
        let stopped = loop {
            let scanner = Scanner::new(source.text, self.at);
            let mut scanner = scanner.with_undecodable(source.undecodable);
            match self.state.step(&mut scanner, &mut source, each) {
                Ok(step) => {
                    self.at = scanner.at;
                    if matches!(step, Step::Enough) {
                        break Ok(());
                    }
                }
                Err(trouble) => break Err(trouble),
            }
        };
        let lines = source.lines;
        self.window.set_lines(lines);
        stopped
    }

    /// Whether nothing is open and nothing is left.
    fn is_at_end(&self) -> bool {
        let rest = &self.window.text()[self.at..];
        self.window.is_last() && self.state.frames.len() == 1 && rest.trim_ascii().is_empty()
    }

    fn cut(&mut self) -> ConnectorError {
        let line = self.window.last_line();
        let message = if self.state.values == 0 && self.state.frames.len() == 1 {
            "the document is empty".to_owned()
        } else {
            format!("the document is cut: it ends on line {line} in the middle of a value")
        };
        self.window.error(&message)
    }
}

impl Walk for JsonWalk {
    fn walk(&mut self, each: &mut dyn FnMut(Item<'_>) -> bool) -> Result<bool, ConnectorError> {
        loop {
            match self.parse_window(each) {
                Ok(()) => return Ok(true),
                Err(Trouble::Fault(fault)) => {
                    let (at, message) = *fault;
                    return Err(self.window.error_at(at, &message));
                }
                Err(Trouble::Unfinished) if self.is_at_end() && self.state.values > 0 => {
                    return Ok(false);
                }
                Err(Trouble::Unfinished) if self.window.is_last() => return Err(self.cut()),
                Err(Trouble::Unfinished) => {
                    self.window.refill(self.at, "one item")?;
                    self.at = 0;
                }
            }
        }
    }

    fn paths_seen(&self) -> String {
        self.state.seen.text()
    }

    fn charset(&self) -> Charset {
        self.window.charset()
    }

    fn finish(self: Box<Self>) -> Result<Option<Fingerprint>, ConnectorError> {
        self.window.finish()
    }
}

impl State {
    /// Reads one value with what is before it, or the end of the innermost frame.
    ///
    /// Changes nothing when it is unfinished, but for a frame's own bracket.
    fn step(
        &mut self,
        scanner: &mut Scanner<'_>,
        source: &mut Source<'_>,
        each: &mut dyn FnMut(Item<'_>) -> bool,
    ) -> Result<Step, Trouble> {
        let Some(frame) = self.frames.last().copied() else { return Err(Trouble::Unfinished) };
        if self.closes(&frame, scanner)? {
            self.pop(source);
            return Ok(Step::On);
        }
        let key = match frame.kind {
            FrameKind::Object => Some(scanner.key()?.decode()?),
            FrameKind::Array | FrameKind::Document => None,
        };
        let slot = self.slot(&frame, key.as_deref(), source.outline);
        let is_item = slot.steps == Some(source.outline.items.len());
        let step = match scanner.peek()? {
            b'[' => self.push(FrameKind::Array, &slot, scanner, source)?,
            _ if is_item => self.item(&slot, scanner, source, each)?,
            b'{' => self.push(FrameKind::Object, &slot, scanner, source)?,
            _ => self.scalar(&slot, scanner, source)?,
        };
        Ok(step)
    }

    /// Takes a comma or the bracket that closes the frame; says which.
    fn closes(&self, frame: &Frame, scanner: &mut Scanner<'_>) -> Result<bool, Trouble> {
        let (bracket, wanted) = match frame.kind {
            FrameKind::Document => return scanner.peek().map(|_| false),
            FrameKind::Object => (b'}', "`,` or `}`"),
            FrameKind::Array => (b']', "`,` or `]`"),
        };
        if scanner.eat(bracket)? {
            return Ok(true);
        }
        if frame.is_empty || scanner.eat(b',')? {
            return Ok(false);
        }
        Err(scanner.unexpected(wanted))
    }

    fn slot<'k>(&self, frame: &Frame, key: Option<&'k str>, outline: &Outline) -> Slot<'k> {
        let Some(text) = key else {
            let parent = frame.node;
            return Slot { steps: frame.steps, key: None, name: frame.name, parent };
        };
        let fits = |steps: &usize| {
            outline.items.get(*steps).is_some_and(|step| step.fits(|wanted| wanted == text))
        };
        Slot {
            steps: frame.steps.filter(fits).map(|steps| steps + 1),
            key,
            name: outline.words.element(text, Prefixes::None),
            parent: frame.node,
        }
    }

    /// A value of the innermost frame has been read, or is about to be gone into.
    fn fill(&mut self) {
        self.values += 1;
        if let Some(frame) = self.frames.last_mut() {
            frame.is_empty = false;
        }
    }

    fn push(
        &mut self,
        kind: FrameKind,
        slot: &Slot<'_>,
        scanner: &mut Scanner<'_>,
        source: &Source<'_>,
    ) -> Result<Step, Trouble> {
        scanner.open(self.frames.len() - 1)?;
        self.fill();
        self.keys.push(slot.key.unwrap_or(""));
        if slot.key.is_some() {
            let keys = &self.keys;
            self.seen.note(|| keys.path_of_keys());
        }
        let first_node = self.outside.next_node();
        // An array has no node of its own: what is in it counts as being in its place.
        let node = match kind {
            FrameKind::Object => self.open_outside(slot, source),
            _ => slot.parent,
        };
        let (steps, name) = (slot.steps, slot.name);
        self.frames.push(Frame { kind, steps, node, first_node, name, is_empty: true });
        Ok(Step::On)
    }

    /// Opens a node among what stands outside of items, if a path may want it.
    fn open_outside(&mut self, slot: &Slot<'_>, source: &Source<'_>) -> Option<NodeId> {
        let parent = slot.parent?;
        if slot.key.is_none() && slot.name.is_none() {
            // An object at the top, or in an array there, is the document itself.
            return Some(parent);
        }
        slot.name?;
        self.outside_version += 1;
        let node = self.outside.open(slot.name, 0);
        add_key(&mut self.outside, source.outline, slot.key);
        Some(node)
    }

    fn pop(&mut self, source: &Source<'_>) {
        let Some(frame) = self.frames.pop() else { return };
        self.keys.pop();
        let depth = self.frames.len();
        let (had_items, parent_had) = (self.with_items > depth, self.with_items >= depth);
        self.with_items = self.with_items.min(depth);
        if frame.kind == FrameKind::Object && frame.node.is_some() {
            self.outside_version += 1;
            if frame.node == Some(frame.first_node) {
                self.outside.close(frame.first_node, None, 0);
            }
            if had_items || parent_had {
                // It says nothing about the items that follow.
                self.outside.truncate(frame.first_node);
            }
        }
        if depth == 1 && source.outline.reads_outside {
            // The next document has a beginning of its own.
            self.outside.clear();
            self.outside.open(None, 0);
            self.outside_version += 1;
        }
    }

    /// A value outside of items that holds no other.
    fn scalar(
        &mut self,
        slot: &Slot<'_>,
        scanner: &mut Scanner<'_>,
        source: &Source<'_>,
    ) -> Result<Step, Trouble> {
        let start = scanner.at;
        let scalar = scanner.scalar()?;
        self.fill();
        if slot.key.is_some() {
            self.keys.push(slot.key.unwrap_or(""));
            let keys = &self.keys;
            self.seen.note(|| keys.path_of_keys());
            self.keys.pop();
        }
        let is_before_items = self.with_items < self.frames.len();
        if let (Some(_), Some(name), true) = (slot.parent, slot.name, is_before_items) {
            self.outside_version += 1;
            let mut filler = Filler {
                outline: source.outline,
                tree: &mut self.outside,
                offset: 0,
                seen: &mut self.seen,
            };
            filler.scalar(name, slot.key, scalar, start, scanner.at)?;
            if self.outside.bytes() > ITEM_BYTES {
                let message = format!(
                    "what paths from the root name before the first item is longer than {} MiB",
                    ITEM_BYTES >> 20
                );
                return Err(Trouble::fault(start, message));
            }
        }
        Ok(Step::On)
    }

    fn item(
        &mut self,
        slot: &Slot<'_>,
        scanner: &mut Scanner<'_>,
        source: &mut Source<'_>,
        each: &mut dyn FnMut(Item<'_>) -> bool,
    ) -> Result<Step, Trouble> {
        let start = scanner.at;
        self.tree.clear();
        let depth = self.frames.len() - 1;
        let mut filler = Filler {
            outline: source.outline,
            tree: &mut self.tree,
            offset: source.offset,
            seen: &mut self.seen,
        };
        let is_null = filler.item(slot.key, scanner, depth)?;
        let may_be_none = slot.key.is_some()
            && source.outline.items.last().is_some_and(|step| step.name.is_some());
        if scanner.at - start > ITEM_BYTES {
            return Err(Trouble::fault(start, ITEM_TOO_LONG));
        }
        self.fill();
        if is_null && may_be_none {
            // `"items": null` stands for no items; a null among items was one.
            return Ok(Step::On);
        }
        self.with_items = self.frames.len();
        for frame in &self.frames {
            if let Some(node) = frame.node {
                self.outside.reach_end(node);
            }
        }
        let line = source.lines.at(source.text, start);
        let goes_on = each(source.item(line, &self.tree, (&self.outside, self.outside_version)));
        Ok(if goes_on { Step::On } else { Step::Enough })
    }
}
