//! A walk over an XML document: events of `quick-xml` on slices of a window, the items as trees.
//!
//! When the window ends inside an item, the walk goes back to the item's start and parses it anew
//! in the next window; outside of items it goes on where it was.

use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};

use super::builder::Builder;
use super::tag::{Attributes, BARE_AND, Fault, decode_attribute, decode_reference, find_control};
use crate::connector::feed::decode::Charset;
use crate::connector::file::outline::{Item, OpenNames, Outline, PathsSeen, Source, Walk};
use crate::connector::file::path::Step;
use crate::connector::file::vocabulary::Prefixes;
use crate::connector::file::window::{FIELD_BYTES, ITEM_BYTES, ITEM_TOO_LONG, Window};
use crate::connector::{ConnectorError, Fingerprint};

/// How deep elements may be nested.
const DEPTH: usize = 256;

/// A walk over an XML document.
pub(super) struct XmlWalk {
    outline: Arc<Outline>,
    window: Window,
    /// How far the window has been parsed.
    at: usize,
    /// How far its characters have been checked.
    checked: usize,
    state: State,
}

/// All that a walk knows besides the window.
#[derive(Default)]
struct State {
    open: OpenNames,
    root_is_closed: bool,
    /// How many of the open elements are the way to the items.
    matched: usize,
    outside: Outside,
    item: Option<OpenItem>,
    tree: Builder,
    /// How many of the open elements, from the root, have had an item in them.
    with_items: usize,
    seen: PathsSeen,
}

/// The item that is being read.
#[derive(Clone, Copy)]
struct OpenItem {
    /// The place of its start tag in the window.
    start: usize,
    line: u64,
    /// How many elements were open around it.
    depth: usize,
}

/// What stands outside of items, as far as paths from the root want it.
#[derive(Default)]
struct Outside {
    tree: Builder,
    version: u64,
}

/// Why the parsing of a window ended.
enum Stop {
    /// The receiver of the items has enough.
    Enough,
    /// The window ends within something that starts here.
    Unfinished(usize),
    /// The document ended.
    End,
}

impl XmlWalk {
    /// A walk over the text of a window.
    pub(super) fn new(window: Window, outline: Arc<Outline>) -> XmlWalk {
        let mut state = State::default();
        state.outside.tree.open_document();
        XmlWalk { outline, window, at: 0, checked: 0, state }
    }

    fn parse_window(
        &mut self,
        each: &mut dyn FnMut(Item<'_>) -> bool,
    ) -> Result<Stop, (usize, String)> {
        let text = self.window.text();
        let base = self.at;
        let slice = &text[base..];
        let mut reader = Reader::from_str(slice);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        let place = |reader: &Reader<&[u8]>| base + slice.len() - reader.get_ref().len();
        let mut source = Source::new(&self.outline, &self.window);
        loop {
            let start = place(&reader);
            let event = match reader.read_event() {
                Ok(Event::Eof) => {
                    let ended = self.window.is_last() && self.state.item.is_none();
                    return Ok(if ended { Stop::End } else { self.state.unfinished(start) });
                }
                Ok(event) => event,
                Err(error) if !self.window.is_last() && is_unfinished(&error, &text[start..]) => {
                    return Ok(self.state.unfinished(start));
                }
                Err(error) => return Err((start, words(&error))),
            };
            let end = place(&reader);
            let goes_on = self
                .state
                .take(event, start, end, &mut source, each)
                .map_err(|fault| (fault.at, fault.message))?;
            self.at = end;
            if !goes_on {
                let lines = source.lines;
                self.window.set_lines(lines);
                return Ok(Stop::Enough);
            }
        }
    }

    /// Looks for what XML does not allow in the part of the window that is new.
    fn check_characters(&mut self) -> Result<(), ConnectorError> {
        while let Some(at) = find_control(&self.window.text()[self.checked..]) {
            let at = self.checked + at;
            if self.window.undecodable().binary_search(&at).is_err() {
                return Err(self.window.error_at(at, "a control character; XML allows none"));
            }
            self.checked = at + 1;
        }
        self.checked = self.window.text().len();
        Ok(())
    }

    /// The error of a document that ends too early.
    fn cut(&mut self) -> ConnectorError {
        let line = self.window.last_line();
        self.window.error(&match self.state.open.last() {
            Some(name) => {
                format!("the document is cut: it ends on line {line}, and <{name}> is not closed")
            }
            None => "the document is cut: it has no element".to_owned(),
        })
    }
}

impl Walk for XmlWalk {
    fn walk(&mut self, each: &mut dyn FnMut(Item<'_>) -> bool) -> Result<bool, ConnectorError> {
        loop {
            self.check_characters()?;
            let stop = match self.parse_window(each) {
                Ok(stop) => stop,
                Err((at, message)) => return Err(self.window.error_at(at, &message)),
            };
            match stop {
                Stop::Enough => return Ok(true),
                Stop::End if self.state.root_is_closed => return Ok(false),
                Stop::End => return Err(self.cut()),
                Stop::Unfinished(_) if self.window.is_last() => return Err(self.cut()),
                Stop::Unfinished(keep_from) => {
                    self.window.refill(keep_from, "one item or piece of markup")?;
                    self.at = 0;
                    self.checked -= keep_from;
                    self.state.go_back();
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
    /// Takes in one event, from `start` to `end` in the window. `false`: enough items for now.
    fn take(
        &mut self,
        event: Event<'_>,
        start: usize,
        end: usize,
        source: &mut Source<'_>,
        each: &mut dyn FnMut(Item<'_>) -> bool,
    ) -> Result<bool, Fault> {
        match event {
            Event::Start(tag) => self.open(&tag, start, end, source)?,
            Event::End(tag) => {
                let name: &str = tag.name().into_inner();
                return self.close(name, start, source, each);
            }
            Event::Empty(tag) => {
                self.open(&tag, start, end, source)?;
                self.builder().mark_self_closing();
                return self.close(tag.name().into_inner(), end, source, each);
            }
            Event::Text(text) => self.text(&text, start)?,
            Event::CData(text) => {
                self.text_outside_root(start)?;
                self.builder().text(&text);
            }
            Event::GeneralRef(reference) => {
                self.text_outside_root(start)?;
                let c = decode_reference(&reference).map_err(|why| Fault::new(start, why))?;
                self.builder().text(c.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(dtd) if declares_entities(&dtd) => {
                return Err(Fault::new(start, "a DTD that declares entities is refused"));
            }
            Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(true)
    }

    /// What texts go to.
    fn builder(&mut self) -> &mut Builder {
        if self.item.is_some() { &mut self.tree } else { &mut self.outside.tree }
    }

    fn text(&mut self, text: &str, start: usize) -> Result<(), Fault> {
        if self.open.is_empty() {
            let garbage = text.bytes().position(|b| !super::tag::is_space(b));
            return match garbage {
                Some(at) => self.text_outside_root(start + at),
                None => Ok(()),
            };
        }
        self.builder().text(text);
        Ok(())
    }

    fn text_outside_root(&self, start: usize) -> Result<(), Fault> {
        if self.open.is_empty() {
            return Err(Fault::new(start, "text outside of the document's root element"));
        }
        Ok(())
    }

    fn open(
        &mut self,
        tag: &BytesStart<'_>,
        start: usize,
        end: usize,
        source: &mut Source<'_>,
    ) -> Result<(), Fault> {
        let name: &str = tag.name().into_inner();
        self.check_open(name, start)?;
        let depth = self.open.len();
        self.open.push(name);
        self.note_paths(tag);
        if self.item.is_none() {
            self.enter(name, depth, start, source);
        }
        let is_kept = self.open_node(name, depth, source.offset_of(end), source.outline);
        if tag.attributes_raw().is_empty() {
            return Ok(());
        }
        let to = is_kept.then(|| self.builder());
        read_attributes(tag.attributes_raw(), start + 1 + name.len(), source, to)
    }

    /// Opens the node of an element; `false` where no path can want it.
    fn open_node(&mut self, name: &str, depth: usize, raw_start: u64, outline: &Outline) -> bool {
        match self.item {
            Some(item) if item.depth == depth => self.tree.open_item(raw_start, outline),
            None if !outline.reads_outside => self.outside.tree.ignore(),
            _ => {
                self.outside.version += u64::from(self.item.is_none());
                let name = outline.words.element(name, Prefixes::Namespaces);
                self.builder().open_element(name, raw_start)
            }
        }
    }

    fn check_open(&self, name: &str, start: usize) -> Result<(), Fault> {
        if self.root_is_closed {
            return Err(Fault::new(start, format!("<{name}> after the end of the root element")));
        }
        if name.is_empty() {
            return Err(Fault::new(start, "a bare `<`: it must be written `&lt;`"));
        }
        if self.open.len() >= DEPTH {
            return Err(Fault::new(start, format!("elements are nested more than {DEPTH} deep")));
        }
        Ok(())
    }

    /// Follows the way to the items.
    fn enter(&mut self, name: &str, depth: usize, start: usize, source: &mut Source<'_>) {
        if depth == self.matched
            && source.outline.items.get(depth).is_some_and(|step| step_fits(step, name))
        {
            self.matched += 1;
        }
        if self.matched == source.outline.items.len() && depth + 1 == self.matched {
            let line = source.lines.at(source.text, start);
            self.item = Some(OpenItem { start, line, depth });
            self.tree.clear();
        }
    }

    /// Takes note of an element and its attributes.
    fn note_paths(&mut self, tag: &BytesStart<'_>) {
        let open = &self.open;
        if !self.seen.note(|| open.path()) || tag.attributes_raw().is_empty() {
            return;
        }
        for attribute in tag.attributes().flatten() {
            let name = attribute.key.into_inner();
            self.seen.note(|| format!("{}/@{name}", open.path()));
        }
    }

    /// An end tag at `start`.
    fn close(
        &mut self,
        name: &str,
        start: usize,
        source: &mut Source<'_>,
        each: &mut dyn FnMut(Item<'_>) -> bool,
    ) -> Result<bool, Fault> {
        match self.open.last() {
            Some(expected) if expected == name => {}
            Some(expected) => {
                let message = format!("</{name}> where </{expected}> is expected");
                return Err(Fault::new(start, message));
            }
            None => return Err(Fault::new(start, format!("</{name}> closes nothing"))),
        }
        self.open.pop();
        let depth = self.open.len();
        let raw_end = source.offset_of(start);
        if self.builder().close(raw_end) > FIELD_BYTES {
            return Err(too_long(&format!("the text of <{name}>"), start));
        }
        let Some(item) = self.item else {
            self.leave(depth, start, source.outline)?;
            return Ok(true);
        };
        if item.depth < depth {
            return Ok(true);
        }
        if start - item.start > ITEM_BYTES {
            return Err(Fault::new(item.start, ITEM_TOO_LONG));
        }
        self.item = None;
        self.with_items = depth;
        self.matched = self.matched.min(depth);
        self.root_is_closed = depth == 0;
        self.outside.tree.reach_end();
        Ok(each(source.item(
            item.line,
            &self.tree.tree,
            (&self.outside.tree.tree, self.outside.version),
        )))
    }

    /// An element outside of items was closed.
    fn leave(&mut self, depth: usize, start: usize, outline: &Outline) -> Result<(), Fault> {
        self.matched = self.matched.min(depth);
        self.with_items = self.with_items.min(depth);
        self.root_is_closed = depth == 0;
        if outline.reads_outside {
            self.outside.version += 1;
            if self.with_items >= depth {
                // It came behind an item, or held items itself: it says nothing about those that
                // follow.
                self.outside.tree.forget_last();
            }
            if self.outside.tree.tree.bytes() > ITEM_BYTES {
                let message = format!(
                    "what paths from the root name before the first item is longer than {} MiB",
                    ITEM_BYTES >> 20
                );
                return Err(Fault::new(start, message));
            }
        }
        Ok(())
    }

    fn unfinished(&self, at: usize) -> Stop {
        Stop::Unfinished(self.item.map_or(at, |item| item.start))
    }

    /// Forgets the item that was not finished.
    fn go_back(&mut self) {
        if let Some(item) = self.item.take() {
            self.open.truncate(item.depth);
            self.matched = self.matched.min(item.depth);
            self.tree.clear();
        }
    }
}

/// Reads the attributes of a tag that stands at `tag_at` in the window; `to` keeps those that
/// some path mentions.
fn read_attributes(
    tag: &str,
    tag_at: usize,
    source: &Source<'_>,
    mut to: Option<&mut Builder>,
) -> Result<(), Fault> {
    let mut attributes = Attributes::new(tag);
    let in_window = |fault: Fault| Fault { at: fault.at + tag_at, ..fault };
    while let Some(attribute) = attributes.next().map_err(in_window)? {
        let value_at = tag_at + attribute.range.start;
        let in_window = |fault: Fault| Fault { at: fault.at + value_at, ..fault };
        let name = match to {
            // A declaration of a namespace is no attribute of the item.
            Some(_) if !attribute.name.starts_with("xmlns:") => {
                source.outline.words.attribute(attribute.name, Prefixes::Namespaces)
            }
            _ => None,
        };
        match (name, to.as_deref_mut()) {
            (Some(name), Some(to)) => {
                if attribute.value.len() > FIELD_BYTES {
                    return Err(too_long(&format!("the attribute {}", attribute.name), value_at));
                }
                let start = source.offset_of(value_at);
                let raw = start..start + attribute.value.len() as u64;
                to.tree
                    .add_attribute(name, raw, |text| decode_attribute(attribute.value, text))
                    .map_err(in_window)?;
            }
            _ if attribute.value.contains('&') => {
                decode_attribute(attribute.value, &mut String::new()).map_err(in_window)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a DTD declares entities for texts. Those that only the DTD itself uses (`%`) do nothing,
/// for it is never read.
pub(super) fn declares_entities(dtd: &str) -> bool {
    dtd.split("<!ENTITY").skip(1).any(|rest| !rest.trim_start().starts_with('%'))
}

fn too_long(what: &str, at: usize) -> Fault {
    Fault::new(at, format!("{what} is longer than {} MiB", FIELD_BYTES >> 20))
}

fn step_fits(step: &Step, name: &str) -> bool {
    let local = name.split_once(':').map_or(name, |(_, local)| local);
    step.fits(|wanted| wanted == if wanted.contains(':') { name } else { local })
}

/// Whether an error says no more than that the window ends here.
fn is_unfinished(error: &Error, rest: &str) -> bool {
    match error {
        // `<!` and the longest word that may follow.
        Error::Syntax(SyntaxError::InvalidBangMarkup) => rest.len() < "<![CDATA[".len(),
        Error::Syntax(_) => true,
        Error::IllFormed(IllFormedError::UnclosedReference) => {
            memchr::memchr3(b';', b'&', b'<', &rest.as_bytes()[1..]).is_none()
        }
        _ => false,
    }
}

pub(super) fn words(error: &Error) -> String {
    match error {
        Error::IllFormed(IllFormedError::UnclosedReference) => BARE_AND.to_owned(),
        Error::Syntax(_) => format!("the document is cut or not well-formed: {error}"),
        _ => error.to_string(),
    }
}
