//! A walk over an interchange: one segment after the other, items as trees.
//!
//! An item is the segment that starts it, with the segments up to the next one of that name, UNS or
//! UNT below it. What stands before the first item of a message is outside of its items.

use std::fmt::Write as _;
use std::sync::Arc;

use super::segment::Signs;
use crate::connector::feed::decode::Charset;
use crate::connector::feed::shown;
use crate::connector::file::outline::{Item, Outline, PathsSeen, Source, Walk};
use crate::connector::file::tree::{NodeId, Tree};
use crate::connector::file::vocabulary::Prefixes;
use crate::connector::file::window::{FIELD_BYTES, ITEM_BYTES, ITEM_TOO_LONG, Window};
use crate::connector::{ConnectorError, Fingerprint};

/// How many oddities are told of.
const REMARKS: usize = 20;

/// A walk over the interchanges of a file.
pub(super) struct EdifactWalk {
    outline: Arc<Outline>,
    window: Window,
    /// How far the window has been parsed.
    at: usize,
    signs: Signs,
    state: State,
}

/// All that a walk knows besides the window.
struct State {
    place: Place,
    /// How many interchanges ended.
    interchanges: u64,
    message: Message,
    /// How many messages this interchange has had.
    messages: u64,
    outside: Tree,
    outside_version: u64,
    /// What of `outside` was there before the message.
    message_start: NodeId,
    item: Option<OpenItem>,
    tree: Tree,
    name: String,
    seen: PathsSeen,
    remarks: Vec<String>,
}

/// What is open around the next segment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing: an interchange may begin.
    Nowhere,
    Interchange,
    /// A message, before its first item.
    Header,
    Items,
    /// Behind UNS: what is said of the message as a whole.
    Summary,
}

#[derive(Default)]
struct Message {
    reference: String,
    segments: u64,
}

/// The item that is being read.
#[derive(Clone, Copy)]
struct OpenItem {
    node: NodeId,
    line: u64,
}

/// Why a segment cannot stand where it does.
type Fault = String;

impl EdifactWalk {
    /// A walk over the text of a window.
    pub(super) fn new(window: Window, outline: Arc<Outline>) -> EdifactWalk {
        let mut outside = Tree::default();
        outside.open(None, 0);
        let state = State {
            place: Place::Nowhere,
            interchanges: 0,
            message: Message::default(),
            messages: 0,
            message_start: outside.next_node(),
            outside,
            outside_version: 0,
            item: None,
            tree: Tree::default(),
            name: String::new(),
            seen: PathsSeen::default(),
            remarks: Vec::new(),
        };
        EdifactWalk { outline, window, at: 0, signs: Signs::default(), state }
    }

    /// Goes on to the next segment. `None`: it is not whole in this window.
    fn segment_end(&mut self) -> Result<Option<usize>, ConnectorError> {
        let text = self.window.text().as_bytes();
        let blank = text[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace());
        self.at += blank.count();
        // What UNA may be is only known from all of it.
        if self.state.place == Place::Nowhere && (text.len() - self.at > 9 || self.window.is_last())
        {
            let (signs, start) = Signs::of(&text[self.at..]);
            if !signs.are_clear() {
                let message = "UNA gives one sign two meanings";
                return Err(self.window.error_at(self.at, message));
            }
            // A file may name its signs once, for all its interchanges.
            if start > 0 || self.state.interchanges == 0 {
                self.signs = signs;
            }
            self.at += start;
            let blank = text[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace());
            self.at += blank.count();
        } else if self.state.place == Place::Nowhere {
            return Ok(None);
        }
        Ok(self.signs.end_of_segment(&text[self.at..]).map(|length| self.at + length))
    }

    /// The end of the text: an error unless an interchange ended there.
    fn end(&mut self) -> Result<bool, ConnectorError> {
        let rest = self.window.text()[self.at..].trim_matches(['\u{1a}', ' ', '\t', '\r', '\n']);
        if self.state.place == Place::Nowhere && self.state.interchanges > 0 && rest.is_empty() {
            return Ok(false);
        }
        let is_start = self.state.place == Place::Nowhere && self.state.interchanges == 0;
        if is_start && !rest.starts_with("UNB") {
            return Err(self
                .window
                .error("it is no EDIFACT interchange: it does not start with UNB"));
        }
        let line = self.window.last_line();
        Err(self.window.error(&format!(
            "the document is cut: it ends on line {line}, and the interchange has no UNZ"
        )))
    }
}

impl Walk for EdifactWalk {
    fn walk(&mut self, each: &mut dyn FnMut(Item<'_>) -> bool) -> Result<bool, ConnectorError> {
        loop {
            let Some(end) = self.segment_end()? else {
                if self.window.is_last() {
                    return self.end();
                }
                self.window.refill(self.at, "one segment")?;
                self.at = 0;
                continue;
            };
            let segment = &self.window.text()[self.at..end];
            let mut source = Source::new(&self.outline, &self.window);
            let line = source.lines.at(source.text, self.at);
            let taken = self.state.take(segment, line, &self.signs, &source, each);
            let lines = source.lines;
            self.window.set_lines(lines);
            let goes_on = taken.map_err(|why| self.window.error_at(self.at, &why))?;
            self.at = end + 1;
            if !goes_on {
                return Ok(true);
            }
        }
    }

    fn paths_seen(&self) -> String {
        self.state.seen.text()
    }

    fn remarks(&self) -> &[String] {
        &self.state.remarks
    }

    fn charset(&self) -> Charset {
        self.window.charset()
    }

    fn finish(self: Box<Self>) -> Result<Option<Fingerprint>, ConnectorError> {
        self.window.finish()
    }
}

impl State {
    /// Takes in one segment. `false`: the receiver of the items has enough.
    fn take(
        &mut self,
        segment: &str,
        line: u64,
        signs: &Signs,
        source: &Source<'_>,
        each: &mut dyn FnMut(Item<'_>) -> bool,
    ) -> Result<bool, Fault> {
        let mut elements = signs.split(segment, signs.element);
        let tag = elements.next().unwrap_or_default();
        let tag = signs.split(tag, signs.component).next().unwrap_or_default().trim();
        self.seen.note(|| format!("/{tag}"));
        let value = |element: usize| {
            let element = signs.split(segment, signs.element).nth(element).unwrap_or_default();
            let first = signs.split(element, signs.component).next().unwrap_or_default();
            signs.decoded(first).trim().to_owned()
        };
        self.message.segments += 1;
        let is_item = source.outline.items.iter().all(|step| step.fits(|wanted| wanted == tag));
        let mut goes_on = true;
        match (tag, self.place) {
            ("UNB", Place::Nowhere) => {
                (self.place, self.messages) = (Place::Interchange, 0);
                self.forget_all();
                self.message_start = self.outside.next_node();
                self.add(tag, segment, signs, source)?;
                self.message_start = self.outside.next_node();
            }
            (_, Place::Nowhere) if self.interchanges == 0 => {
                return Err(format!(
                    "no EDIFACT interchange: {} where UNB is expected",
                    shown(&tag.chars().take(20).collect::<String>())
                ));
            }
            ("UNZ", Place::Interchange) => {
                self.check_count("interchange", "messages", &value(1), self.messages, &value(2));
                (self.place, self.interchanges) = (Place::Nowhere, self.interchanges + 1);
            }
            ("UNG" | "UNE", Place::Interchange) => {}
            ("UNH", Place::Interchange) => {
                self.place = Place::Header;
                self.messages += 1;
                self.message = Message { reference: value(1), segments: 1 };
                self.outside.truncate(self.message_start);
                self.outside_version += 1;
                self.add(tag, segment, signs, source)?;
            }
            (_, Place::Nowhere | Place::Interchange) | ("UNB" | "UNZ" | "UNH", _) => {
                return Err(format!("{} does not belong here", shown(tag)));
            }
            ("UNT", _) => {
                goes_on = self.end_item(signs, source, each);
                self.place = Place::Interchange;
                let (segments, reference) = (self.message.segments, value(2));
                if reference != self.message.reference {
                    self.remark(format!(
                        "message {} ends as message {}",
                        shown(&self.message.reference),
                        shown(&reference)
                    ));
                }
                self.check_count("message", "segments", &value(1), segments, &reference);
            }
            ("UNS", _) => {
                goes_on = self.end_item(signs, source, each);
                self.place = Place::Summary;
            }
            _ if is_item => {
                goes_on = self.end_item(signs, source, each);
                self.place = Place::Items;
                self.tree.clear();
                let node = self.tree.open(None, 0);
                self.item = Some(OpenItem { node, line });
                add_values(&mut self.tree, &mut self.name, segment, signs, source.outline)?;
            }
            (_, Place::Summary) => {}
            _ => self.add(tag, segment, signs, source)?,
        }
        Ok(goes_on)
    }

    /// Adds a segment to the item, or to what stands outside of items.
    fn add(
        &mut self,
        tag: &str,
        segment: &str,
        signs: &Signs,
        source: &Source<'_>,
    ) -> Result<(), Fault> {
        let Some(name) = source.outline.words.element(tag, Prefixes::None) else { return Ok(()) };
        let tree = match self.item {
            Some(_) => &mut self.tree,
            None if source.outline.reads_outside => {
                self.outside_version += 1;
                &mut self.outside
            }
            None => return Ok(()),
        };
        let node = tree.open(Some(name), 0);
        add_values(tree, &mut self.name, segment, signs, source.outline)?;
        tree.close(node, None, 0);
        if tree.bytes() > ITEM_BYTES {
            return Err(ITEM_TOO_LONG.to_owned());
        }
        Ok(())
    }

    /// Hands the open item over, if there is one.
    fn end_item(
        &mut self,
        signs: &Signs,
        source: &Source<'_>,
        each: &mut dyn FnMut(Item<'_>) -> bool,
    ) -> bool {
        let Some(item) = self.item.take() else { return true };
        self.tree.close(item.node, None, 0);
        self.outside.reach_end(Tree::TOP);
        let mut item = source.item(item.line, &self.tree, (&self.outside, self.outside_version));
        item.has_decimal_comma = signs.has_decimal_comma;
        each(item)
    }

    fn forget_all(&mut self) {
        self.outside.clear();
        self.outside.open(None, 0);
        self.outside_version += 1;
    }

    /// Compares a count that the file says with what came.
    fn check_count(&mut self, what: &str, parts: &str, said: &str, came: u64, reference: &str) {
        if said.parse() != Ok(came) {
            self.remark(format!(
                "{what} {} says that it has {} {parts}, and has {came}",
                shown(reference),
                shown(said)
            ));
        }
    }

    fn remark(&mut self, remark: String) {
        if self.remarks.len() < REMARKS {
            self.remarks.push(format!("{remark}; something may be missing in the feed"));
        }
    }
}

/// Adds the components of a segment that some path wants to the node just opened.
fn add_values(
    tree: &mut Tree,
    name: &mut String,
    segment: &str,
    signs: &Signs,
    outline: &Outline,
) -> Result<(), Fault> {
    for (element_at, element) in signs.split(segment, signs.element).enumerate().skip(1) {
        let repetitions = match signs.repetition {
            Some(repetition) => signs.split(element, repetition),
            // Nothing is cut at the sign that ended the element.
            None => signs.split(element, signs.element),
        };
        for (at, component) in
            repetitions.flat_map(|element| signs.split(element, signs.component).enumerate())
        {
            name.clear();
            // Writing to a String cannot fail.
            let _ = write!(name, "{element_at}.{}", at + 1);
            let whole = if at == 0 { name.split('.').next() } else { None };
            for name in [Some(name.as_str()), whole].into_iter().flatten() {
                let Some(name) = outline.words.attribute(name, Prefixes::None) else { continue };
                if component.len() > FIELD_BYTES {
                    return Err(format!("a component is longer than {} MiB", FIELD_BYTES >> 20));
                }
                tree.add_attribute(name, 0..0, |text| {
                    text.push_str(&signs.decoded(component));
                    Ok::<(), Fault>(())
                })?;
            }
        }
    }
    Ok(())
}
