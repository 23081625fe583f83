//! One item as a small tree, in an arena that is emptied and filled again for each item: nothing
//! is allocated a node once the arena has grown. Only what some path names is kept.

use std::ops::Range;

use super::vocabulary::{CompiledPath, CompiledPredicate, CompiledStep, Mention, Name, OTHER};

/// A place of text in the arena.
type Part = Range<u32>;

/// An element of XML, or a value of JSON under its key.
#[derive(Debug)]
struct Node {
    full: u16,
    local: u16,
    /// Behind the last node below this one.
    end: u32,
    /// How long the texts were when it was opened.
    text_at: u32,
    /// `None`: it has no text that any path could want, or is JSON's null, array or object.
    text: Option<Part>,
    attributes: Range<u32>,
    raw: Range<u64>,
}

#[derive(Debug)]
struct Attribute {
    full: u16,
    local: u16,
    text: Part,
    raw: Range<u64>,
}

/// A node of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

/// Some nodes in the order of the document, their attributes and their texts.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    /// Texts of elements in the order of the document: that of an element is one piece of it.
    text: String,
    attribute_text: String,
}

/// One thing that a path found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match<'t> {
    /// Its text; `None` for what has none, as JSON's null.
    pub(crate) text: Option<&'t str>,
    /// Where the value stands in the source, as bytes of the text that was read.
    pub(crate) raw: Range<u64>,
}

impl Tree {
    /// The first node.
    pub(crate) const TOP: NodeId = NodeId(0);

    /// Empties it, keeping the memory.
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.attributes.clear();
        self.text.clear();
        self.attribute_text.clear();
    }

    /// How many bytes it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
            + self.attribute_text.len()
            + self.nodes.len() * size_of::<Node>()
            + self.attributes.len() * size_of::<Attribute>()
    }

    /// The node that will be opened next.
    pub(crate) fn next_node(&self) -> NodeId {
        NodeId(index(self.nodes.len()))
    }

    /// Adds a node below the one that is open.
    pub(crate) fn open(&mut self, name: Option<Name>, raw_start: u64) -> NodeId {
        let id = index(self.nodes.len());
        let attributes = index(self.attributes.len());
        self.nodes.push(Node {
            full: name.map_or(OTHER, |name| name.full),
            local: name.map_or(OTHER, |name| name.local),
            end: id + 1,
            text_at: index(self.text.len()),
            text: None,
            attributes: attributes..attributes,
            raw: raw_start..raw_start,
        });
        NodeId(id)
    }

    /// Adds an attribute to the node just opened; `write` gives its text.
    pub(crate) fn add_attribute<E>(
        &mut self,
        name: Name,
        raw: Range<u64>,
        write: impl FnOnce(&mut String) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = index(self.attribute_text.len());
        write(&mut self.attribute_text)?;
        let text = start..index(self.attribute_text.len());
        self.attributes.push(Attribute { full: name.full, local: name.local, text, raw });
        if let Some(node) = self.nodes.last_mut() {
            node.attributes.end = index(self.attributes.len());
        }
        Ok(())
    }

    /// The length of all texts so far: where the text of the node just opened starts.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Adds to the texts of all nodes that are open.
    pub(crate) fn push_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The texts of all nodes that are open, to add to.
    pub(crate) fn text_mut(&mut self) -> &mut String {
        &mut self.text
    }

    /// The last byte of the texts.
    pub(crate) fn last_byte(&self) -> Option<u8> {
        self.text.as_bytes().last().copied()
    }

    /// Closes a node. `text_from` is where its text started, if it has one.
    pub(crate) fn close(&mut self, node: NodeId, text_from: Option<usize>, raw_end: u64) {
        let end = index(self.nodes.len());
        let text = text_from.map(|from| index(from)..index(self.text.len()));
        let node = &mut self.nodes[node.0 as usize];
        node.end = end;
        node.text = text;
        node.raw.end = raw_end;
    }

    /// Takes a node off again with all that came behind it.
    pub(crate) fn truncate(&mut self, node: NodeId) {
        let Some(first) = self.nodes.get(node.0 as usize) else { return };
        if let Some(attribute) = self.attributes.get(first.attributes.start as usize) {
            self.attribute_text.truncate(attribute.text.start as usize);
        }
        self.attributes.truncate(first.attributes.start as usize);
        self.text.truncate(first.text_at as usize);
        self.nodes.truncate(node.0 as usize);
    }

    /// Lets a node that is still open reach to the end, so that paths find what is in it so far.
    pub(crate) fn reach_end(&mut self, node: NodeId) {
        self.nodes[node.0 as usize].end = index(self.nodes.len());
    }

    /// Hands each thing that a path finds below `from` to `each`, in the order of the document,
    /// until that says `false`. Says whether it never did.
    pub(crate) fn find<'t>(
        &'t self,
        from: NodeId,
        steps: &[CompiledStep],
        attribute: Option<Mention>,
        each: &mut dyn FnMut(Match<'t>) -> bool,
    ) -> bool {
        self.find_nodes(from, steps, &mut |node| match attribute {
            None => each(self.value(node)),
            Some(name) => {
                self.attributes_of(node, name).all(|attribute| each(self.attribute(attribute)))
            }
        })
    }

    /// The first text that a path of one plain name finds below `from`. `None` says nothing: what
    /// other paths find only [`Tree::find`] knows.
    pub(crate) fn first(&self, from: NodeId, path: &CompiledPath) -> Option<&str> {
        match (path.steps.as_slice(), path.attribute) {
            ([], Some(name)) => {
                self.attributes_of(from, name).next().map(|found| self.attribute_text(found))
            }
            ([step], None) if step.predicates.is_empty() => {
                let name = step.name?;
                let fits = |node: &NodeId| {
                    let node = &self.nodes[node.0 as usize];
                    name.fits(node.full, node.local)
                };
                let found = self.children(from).find(fits)?;
                self.text_of(&self.nodes[found.0 as usize])
            }
            _ => None,
        }
    }

    /// Hands each node that steps find below `from` to `each`, until that says `false`.
    pub(crate) fn find_nodes(
        &self,
        from: NodeId,
        steps: &[CompiledStep],
        each: &mut dyn FnMut(NodeId) -> bool,
    ) -> bool {
        let Some((step, rest)) = steps.split_first() else { return each(from) };
        let Some(parent) = self.nodes.get(from.0 as usize) else { return true };
        let mut passed = Positions::default();
        let mut at = from.0 + 1;
        while at < parent.end {
            let node = &self.nodes[at as usize];
            if step.name.is_none_or(|name| name.fits(node.full, node.local))
                && self.satisfies(NodeId(at), &step.predicates, &mut passed)
            {
                let goes_on = match rest {
                    [] => each(NodeId(at)),
                    _ => self.find_nodes(NodeId(at), rest, each),
                };
                if !goes_on {
                    return false;
                }
            }
            at = node.end;
        }
        true
    }

    fn satisfies(
        &self,
        node: NodeId,
        predicates: &[CompiledPredicate],
        passed: &mut Positions,
    ) -> bool {
        predicates.iter().enumerate().all(|(at, predicate)| match predicate {
            CompiledPredicate::Position(position) => passed.count(at) == *position,
            CompiledPredicate::Attribute(name, text) => self
                .attributes_of(node, *name)
                .any(|attribute| self.attribute_text(attribute).trim() == text),
            CompiledPredicate::Child(name, text) => self.children(node).any(|child| {
                let child = &self.nodes[child.0 as usize];
                name.fits(child.full, child.local)
                    && self.text_of(child).unwrap_or("").trim() == text
            }),
        })
    }

    fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let end = self.nodes[node.0 as usize].end;
        let first = Some(node.0 + 1).filter(|at| *at < end);
        std::iter::successors(first, move |at| {
            Some(self.nodes[*at as usize].end).filter(|next| *next < end)
        })
        .map(NodeId)
    }

    fn attributes_of(&self, node: NodeId, name: Mention) -> impl Iterator<Item = &Attribute> {
        let all = self.nodes.get(node.0 as usize).map(|node| node.attributes.clone());
        let all = all.map_or(&[][..], |all| &self.attributes[all.start as usize..all.end as usize]);
        all.iter().filter(move |attribute| name.fits(attribute.full, attribute.local))
    }

    fn value(&self, node: NodeId) -> Match<'_> {
        match self.nodes.get(node.0 as usize) {
            Some(node) => Match { text: self.text_of(node), raw: node.raw.clone() },
            None => Match { text: None, raw: 0..0 },
        }
    }

    fn attribute(&self, attribute: &Attribute) -> Match<'_> {
        Match { text: Some(self.attribute_text(attribute)), raw: attribute.raw.clone() }
    }

    fn text_of(&self, node: &Node) -> Option<&str> {
        let part = node.text.clone()?;
        self.text.get(part.start as usize..part.end as usize)
    }

    fn attribute_text(&self, attribute: &Attribute) -> &str {
        let part = attribute.text.clone();
        self.attribute_text.get(part.start as usize..part.end as usize).unwrap_or("")
    }
}

/// How many nodes have come as far as each predicate of one step below one parent.
#[derive(Default)]
struct Positions(Vec<u32>);

impl Positions {
    fn count(&mut self, predicate: usize) -> u32 {
        if self.0.len() <= predicate {
            self.0.resize(predicate + 1, 0);
        }
        self.0[predicate] += 1;
        self.0[predicate]
    }
}

/// An item is at most 16 MiB, so that all its places fit.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::file::path::{Path, Start};
    use crate::connector::file::vocabulary::{Prefixes, Vocabulary};

    /// `<i c="1"><a k="x">1<z>0</z></a><a k="y">2<z>9</z></a><b>3</b></i>`, with `b` as `g:b`.
    fn tree(words: &Vocabulary) -> Tree {
        let mut tree = Tree::default();
        let top = tree.open(None, 0);
        attribute(&mut tree, words, "c", "1");
        for (key, value, inner) in [("x", "1", "0"), ("y", "2", "9")] {
            let a = tree.open(words.element("a", Prefixes::Namespaces), 0);
            attribute(&mut tree, words, "k", key);
            let from = tree.text_len();
            tree.push_text(value);
            if let Some(z) = words.element("z", Prefixes::Namespaces) {
                let z = tree.open(Some(z), 0);
                let from = tree.text_len();
                tree.push_text(inner);
                tree.close(z, Some(from), 0);
            }
            tree.close(a, Some(from), 0);
        }
        let b = tree.open(words.element("g:b", Prefixes::Namespaces), 0);
        let from = tree.text_len();
        tree.push_text("3");
        tree.close(b, Some(from), 0);
        tree.close(top, None, 0);
        tree
    }

    fn attribute(tree: &mut Tree, words: &Vocabulary, name: &str, text: &str) {
        if let Some(name) = words.attribute(name, Prefixes::Namespaces) {
            tree.add_attribute(name, 0..0, |to| {
                to.push_str(text);
                Ok::<(), ()>(())
            })
            .unwrap();
        }
    }

    fn found(path: &str) -> Vec<String> {
        let mut words = Vocabulary::default();
        let path = words.compile_path(&Path::parse(path).unwrap());
        assert_eq!(path.start, Start::Item);
        let tree = tree(&words);
        let mut all = Vec::new();
        tree.find(Tree::TOP, &path.steps, path.attribute, &mut |found| {
            all.push(found.text.unwrap_or("(none)").to_owned());
            true
        });
        all
    }

    #[test]
    fn paths_find_texts_and_attributes_in_the_order_of_the_document() {
        assert_eq!(found("@c"), ["1"]);
        assert_eq!(found("a"), ["1", "2"]);
        assert_eq!(found("a/@k"), ["x", "y"]);
        assert_eq!(found("b"), ["3"]);
        assert_eq!(found("g:b"), ["3"]);
        assert_eq!(found("h:b"), Vec::<String>::new());
        assert_eq!(found("a/z"), ["0", "9"]);
        assert_eq!(found("*/z"), ["0", "9"]);
        assert_eq!(found("z"), Vec::<String>::new());
    }

    #[test]
    fn predicates_filter_from_left_to_right() {
        assert_eq!(found("a[2]"), ["2"]);
        assert_eq!(found("a[@k='y']/z"), ["9"]);
        assert_eq!(found("a[z='0']/@k"), ["x"]);
        assert_eq!(found("a[@k='y'][1]/@k"), ["y"]);
        assert_eq!(found("a[1][@k='y']"), Vec::<String>::new());
        assert_eq!(found("*[3]"), ["3"]);
    }

    #[test]
    fn an_emptied_tree_finds_nothing() {
        let mut words = Vocabulary::default();
        let path = words.compile_path(&Path::parse("a").unwrap());
        let mut tree = tree(&words);
        tree.clear();
        assert!(tree.find(Tree::TOP, &path.steps, path.attribute, &mut |_| false));
    }
}
