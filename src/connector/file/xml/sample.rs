//! The beginning of an XML document that nobody has described yet.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::tag::{Attributes, Fault, decode_attribute, decode_reference};
use super::walk::{declares_entities, words};
use crate::connector::feed::decode::read_encoding;
use crate::connector::feed::guess::{NODES, Node, Sample, sample_of_tree};
use crate::connector::file::items::{Beginning, known_places};
use crate::connector::{ConnectorError, Context};
use crate::settings::Table;

/// Deeper elements are left out.
const DEPTH: usize = 64;
/// More text of one element is left out.
const TEXT_BYTES: usize = 4 << 10;

/// See [`crate::connector::feed::guess::TakeSample`].
pub(crate) fn sample(
    table: &mut Table<'_>,
    context: &Context,
) -> Result<Option<Sample>, ConnectorError> {
    let (items, variants) = known_places(table);
    let encoding = read_encoding(table);
    let Some(begin) = Beginning::read(table, context, encoding, super::declared)? else {
        return Ok(None);
    };
    let (mut open, mut is_all) = (Open::default(), begin.is_all);
    let mut reader = Reader::from_str(&begin.text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    loop {
        if open.count > NODES {
            is_all = false;
            break;
        }
        let start = begin.text.len() - reader.get_ref().len();
        let event = match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => event,
            Err(_) if !begin.is_all => break,
            Err(error) => return Err(begin.error_at(start, &words(&error))),
        };
        open.take(event, start).map_err(|fault| begin.error_at(fault.at, &fault.message))?;
    }
    if is_all && !open.nodes.is_empty() {
        return Err(begin.cut());
    }
    while open.close() {}
    let known = (items.as_deref(), variants.as_deref());
    Ok(Some(sample_of_tree(&open.root, is_all, known, false)))
}

/// The elements that are open.
#[derive(Default)]
struct Open {
    root: Node,
    nodes: Vec<Node>,
    /// How many there have been.
    count: usize,
    /// How many are open below those that are kept.
    ignored: usize,
}

impl Open {
    fn take(&mut self, event: Event<'_>, start: usize) -> Result<(), Fault> {
        match event {
            Event::Start(tag) => self.open(&tag, start)?,
            Event::Empty(tag) => {
                self.open(&tag, start)?;
                self.close();
            }
            Event::End(_) => drop(self.close()),
            Event::Text(text) => self.text(&text),
            Event::CData(text) => self.text(&text),
            Event::GeneralRef(reference) => {
                let c = decode_reference(&reference).map_err(|why| Fault::new(start, why))?;
                self.text(c.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(dtd) if declares_entities(&dtd) => {
                return Err(Fault::new(start, "a DTD that declares entities is refused"));
            }
            Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn open(&mut self, tag: &BytesStart<'_>, start: usize) -> Result<(), Fault> {
        if self.nodes.len() == DEPTH {
            self.ignored += 1;
            return Ok(());
        }
        let name: &str = tag.name().into_inner();
        let mut node = Node { name: name.to_owned(), ..Node::default() };
        let mut attributes = Attributes::new(tag.attributes_raw());
        let placed = |fault: Fault| Fault { at: start + 1 + name.len() + fault.at, ..fault };
        while let Some(attribute) = attributes.next().map_err(placed)? {
            if attribute.name.starts_with("xmlns") {
                continue;
            }
            let mut value = String::new();
            decode_attribute(attribute.value, &mut value).map_err(placed)?;
            node.attributes.push((attribute.name.to_owned(), value));
        }
        self.nodes.push(node);
        self.count += 1;
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(node) = self.nodes.last_mut().filter(|_| self.ignored == 0)
            && node.text.len() < TEXT_BYTES
        {
            node.text.push_str(text);
        }
    }

    /// Closes the innermost element; `false` where none is open.
    fn close(&mut self) -> bool {
        if self.ignored > 0 {
            self.ignored -= 1;
            return true;
        }
        let Some(mut node) = self.nodes.pop() else { return false };
        let text = crate::connector::feed::number::trim(&node.text);
        node.text = text.to_owned();
        self.nodes.last_mut().unwrap_or(&mut self.root).children.push(node);
        true
    }
}
