//! The tree of an item, or of what stands outside of items, while its elements are read.

use crate::connector::file::outline::Outline;
use crate::connector::file::tree::{NodeId, Tree};
use crate::connector::file::vocabulary::Name;

/// A tree in the making.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) tree: Tree,
    open: Vec<OpenNode>,
    /// How many elements are open below the last one that is kept.
    ignored: usize,
    /// How many of the open nodes want their text.
    wants_text: usize,
    /// The node closed last, to take off again.
    closed: Option<NodeId>,
    /// An element ended or began since the last text.
    at_border: bool,
}

struct OpenNode {
    node: NodeId,
    /// Where its text starts, if some path reads it.
    text_from: Option<usize>,
}

impl Builder {
    pub(super) fn clear(&mut self) {
        self.tree.clear();
        self.open.clear();
        self.ignored = 0;
        self.wants_text = 0;
    }

    /// Opens the node that stands for the document itself.
    pub(super) fn open_document(&mut self) {
        let node = self.tree.open(None, 0);
        self.open.push(OpenNode { node, text_from: None });
    }

    /// Opens the node of an item. `outline` says whether some path reads its own text.
    pub(super) fn open_item(&mut self, raw_start: u64, outline: &Outline) -> bool {
        let node = self.tree.open(None, raw_start);
        let text_from = outline.reads_itself.then(|| self.tree.text_len());
        self.wants_text += usize::from(text_from.is_some());
        self.open.push(OpenNode { node, text_from });
        true
    }

    /// Opens an element; `false` where no path can want it.
    pub(super) fn open_element(&mut self, name: Option<Name>, raw_start: u64) -> bool {
        self.at_border = true;
        let Some(name) = name.filter(|_| self.ignored == 0) else {
            self.ignored += 1;
            return false;
        };
        let node = self.tree.open(Some(name), raw_start);
        let text_from = name.wants_text().then(|| self.tree.text_len());
        self.wants_text += usize::from(text_from.is_some());
        self.open.push(OpenNode { node, text_from });
        true
    }

    /// Opens an element that no path can want.
    pub(super) fn ignore(&mut self) -> bool {
        self.ignored += 1;
        false
    }

    /// `<a/>` has no text, unlike `<a></a>`, which has an empty one: it cannot be written into.
    pub(super) fn mark_self_closing(&mut self) {
        if self.ignored == 0
            && let Some(last) = self.open.last_mut()
            && last.text_from.take().is_some()
        {
            self.wants_text -= 1;
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.wants_text == 0 {
            return;
        }
        // Digits of two elements are not one number: `<a>1<b>5</b></a>` is not 15.
        if self.at_border
            && text.as_bytes().first().is_some_and(u8::is_ascii_digit)
            && self.tree.last_byte().is_some_and(|b| b.is_ascii_digit())
            && self.has_text_so_far()
        {
            self.tree.push_text("\n");
        }
        self.at_border = false;
        self.tree.push_text(text);
    }

    /// Whether the outermost node that wants text has any.
    fn has_text_so_far(&self) -> bool {
        let from = self.open.iter().find_map(|open| open.text_from);
        from.is_some_and(|from| from < self.tree.text_len())
    }

    /// Closes an element. The answer is the length of its text.
    pub(super) fn close(&mut self, raw_end: u64) -> usize {
        self.at_border = true;
        self.closed = None;
        if self.ignored > 0 {
            self.ignored -= 1;
            return 0;
        }
        let Some(open) = self.open.pop() else { return 0 };
        self.wants_text -= usize::from(open.text_from.is_some());
        self.tree.close(open.node, open.text_from, raw_end);
        self.closed = Some(open.node);
        open.text_from.map_or(0, |from| self.tree.text_len() - from)
    }

    /// Takes the node closed last off again.
    pub(super) fn forget_last(&mut self) {
        if let Some(node) = self.closed.take() {
            self.tree.truncate(node);
        }
    }

    /// Lets paths find what is in open nodes so far.
    pub(super) fn reach_end(&mut self) {
        for open in &self.open {
            self.tree.reach_end(open.node);
        }
    }
}
