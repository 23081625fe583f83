//! The XML of a member, event by event.

use std::borrow::Cow;
use std::io::BufReader;

use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesEnd, BytesStart, Event};

use super::archive::{Archive, Member};
use crate::connector::ConnectorError;
use crate::connector::file::window::ITEM_BYTES;
use crate::connector::file::xml::tag::{Attributes, decode_attribute, decode_reference};

/// How deep elements may be nested.
const DEPTH: usize = 256;

/// A member's events. Empty elements come as a start and an end.
pub(super) struct Xml {
    reader: Reader<BufReader<Member>>,
    buffer: Vec<u8>,
    place: Place,
    depth: usize,
    has_root: bool,
}

/// What a document is made of, as far as workbooks need it.
pub(super) enum Piece<'a> {
    /// A start tag.
    Start(Tag<'a>),
    /// An end tag.
    End(EndTag<'a>),
    /// A piece of text, decoded; what says nothing is an empty one.
    Text(Cow<'a, str>),
    /// A character that a reference stands for.
    Character(char),
    /// The end of the document, which is whole.
    Done,
}

/// A start tag.
pub(super) struct Tag<'a>(BytesStart<'a>);

/// An end tag.
pub(super) struct EndTag<'a>(BytesEnd<'a>);

/// Where an error is.
struct Place {
    file: String,
    member: String,
}

impl EndTag<'_> {
    /// The name without a prefix.
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }
}

impl Tag<'_> {
    /// The name without a prefix.
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// An attribute, named with its prefix. What is not well-formed has none.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        self.find(|found| found == name)
    }

    /// An attribute with any prefix but not without one.
    pub(super) fn prefixed_attribute(&self, name: &str) -> Option<String> {
        self.find(|found| found.split_once(':').is_some_and(|(_, local)| local == name))
    }

    /// An attribute that is a whole number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.attribute(name)?.trim().parse().ok()
    }

    /// Hands each attribute to `each`, undecoded.
    pub(super) fn each(&self, mut each: impl FnMut(&str, &str)) {
        let mut attributes = Attributes::new(self.0.attributes_raw());
        while let Ok(Some(attribute)) = attributes.next() {
            each(attribute.name, attribute.value);
        }
    }

    fn find(&self, is_it: impl Fn(&str) -> bool) -> Option<String> {
        let mut attributes = Attributes::new(self.0.attributes_raw());
        while let Ok(Some(attribute)) = attributes.next() {
            if is_it(attribute.name) {
                let mut text = String::new();
                return decode_attribute(attribute.value, &mut text).ok().map(|()| text);
            }
        }
        None
    }
}

impl Place {
    fn error(&self, why: &str) -> ConnectorError {
        ConnectorError::source(format!(
            "{} is cut or damaged: {}: {why}; fetch or save it anew",
            self.file, self.member
        ))
    }
}

impl Xml {
    /// A member's XML, from its beginning.
    pub(super) fn open(archive: &mut Archive, member: &str) -> Result<Xml, ConnectorError> {
        let mut reader = Reader::from_reader(BufReader::new(archive.member(member)?));
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.expand_empty_elements = true;
        let place = Place { file: archive.whole().name().to_owned(), member: member.to_owned() };
        Ok(Xml { reader, buffer: Vec::new(), place, depth: 0, has_root: false })
    }

    /// An error of this member.
    pub(super) fn error(&self, why: &str) -> ConnectorError {
        self.place.error(why)
    }

    /// The next piece; an error where the document is cut or no XML.
    pub(super) fn next(&mut self) -> Result<Piece<'_>, ConnectorError> {
        let Xml { reader, buffer, place, depth, has_root } = self;
        buffer.clear();
        reader.get_mut().get_mut().allow(ITEM_BYTES as u64);
        let event = match reader.read_event_into(buffer) {
            Ok(event) => event,
            Err(Error::Io(why)) => return Err(place.error(&why.to_string())),
            Err(_) => return Err(place.error("it is no well-formed XML")),
        };
        Ok(match event {
            Event::Start(tag) | Event::Empty(tag) => {
                (*depth, *has_root) = (*depth + 1, true);
                if *depth > DEPTH {
                    return Err(place.error("its elements are nested too deep"));
                }
                Piece::Start(Tag(tag))
            }
            Event::End(tag) => {
                let Some(less) = depth.checked_sub(1) else {
                    return Err(place.error("it is no well-formed XML"));
                };
                *depth = less;
                Piece::End(EndTag(tag))
            }
            Event::Text(text) => Piece::Text(text.into_inner()),
            Event::CData(text) => Piece::Text(text.into_inner()),
            Event::GeneralRef(name) => {
                Piece::Character(decode_reference(&name).map_err(|why| place.error(&why))?)
            }
            Event::Eof if *depth > 0 || !*has_root => return Err(place.error("its end is missing")),
            Event::Eof => Piece::Done,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                Piece::Text(Cow::Borrowed(""))
            }
        })
    }

    /// Reads to the end, which shows that the member is whole.
    pub(super) fn drain(&mut self) -> Result<(), ConnectorError> {
        while !matches!(self.next()?, Piece::Done) {}
        Ok(())
    }
}
