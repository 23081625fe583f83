//! The inside of a start tag, and references in texts and attribute values.

use std::ops::Range;

use quick_xml::events::BytesRef;

/// Something that is not well-formed: where, in bytes, and what.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::connector::file) struct Fault {
    pub(super) at: usize,
    pub(in crate::connector::file) message: String,
}

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into() }
    }
}

/// The attributes of a start tag, one after the other.
pub(in crate::connector::file) struct Attributes<'a> {
    tag: &'a str,
    at: usize,
}

/// An attribute as it is written, with the place of its value in the tag.
pub(in crate::connector::file) struct RawAttribute<'a> {
    pub(in crate::connector::file) name: &'a str,
    pub(in crate::connector::file) value: &'a str,
    pub(super) range: Range<usize>,
}

impl<'a> Attributes<'a> {
    /// `tag` is what stands in a start tag behind the element's name.
    pub(in crate::connector::file) fn new(tag: &'a str) -> Attributes<'a> {
        Attributes { tag, at: 0 }
    }

    /// The next attribute, or a fault with its place in the tag.
    pub(in crate::connector::file) fn next(&mut self) -> Result<Option<RawAttribute<'a>>, Fault> {
        let bytes = self.tag.as_bytes();
        let start = self.skip_space(self.at);
        if start == bytes.len() {
            return Ok(None);
        }
        let name_end = (start..bytes.len())
            .find(|at| {
                matches!(bytes[*at], b'=' | b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b'<')
            })
            .unwrap_or(bytes.len());
        let name = &self.tag[start..name_end];
        let equals = self.skip_space(name_end);
        if name.is_empty() || bytes.get(equals) != Some(&b'=') {
            return Err(Fault::new(start, "an attribute is written name=\"value\""));
        }
        let open = self.skip_space(equals + 1);
        let Some(quote @ (b'"' | b'\'')) = bytes.get(open).copied() else {
            return Err(Fault::new(start, format!("the value of `{name}` is not in quotes")));
        };
        let Some(length) = memchr::memchr(quote, &bytes[open + 1..]) else {
            return Err(Fault::new(start, format!("the value of `{name}` has no closing quote")));
        };
        let range = open + 1..open + 1 + length;
        let value = &self.tag[range.clone()];
        if let Some(at) = memchr::memchr(b'<', value.as_bytes()) {
            return Err(Fault::new(range.start + at, "`<` in an attribute must be `&lt;`"));
        }
        self.at = range.end + 1;
        Ok(Some(RawAttribute { name, value, range }))
    }

    fn skip_space(&self, from: usize) -> usize {
        let bytes = &self.tag.as_bytes()[from..];
        from + bytes.iter().position(|b| !is_space(*b)).unwrap_or(bytes.len())
    }
}

/// White space as XML means it.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Decodes an attribute's value into `to`. The place of a fault is one in `value`.
pub(in crate::connector::file) fn decode_attribute(
    value: &str,
    to: &mut String,
) -> Result<(), Fault> {
    let mut rest = value;
    while let Some(and) = memchr::memchr(b'&', rest.as_bytes()) {
        let at = value.len() - rest.len() + and;
        to.push_str(&rest[..and]);
        let Some(end) = memchr::memchr(b';', &rest.as_bytes()[and..]) else {
            return Err(Fault::new(at, BARE_AND));
        };
        to.push(decode_reference(&rest[and + 1..and + end]).map_err(|why| Fault::new(at, why))?);
        rest = &rest[and + end + 1..];
    }
    to.push_str(rest);
    Ok(())
}

/// What to say of an `&` that starts no reference.
pub(super) const BARE_AND: &str = "a bare `&`: it must be written `&amp;`";

/// The character that a reference stands for: one of the five that XML knows, or by number.
pub(in crate::connector::file) fn decode_reference(name: &str) -> Result<char, String> {
    match name {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ if name.starts_with('#') => match BytesRef::new(name).resolve_char_ref() {
            Ok(Some(c)) if is_allowed(c) => Ok(c),
            _ => Err(format!("`&{};` is no character", shorten(name))),
        },
        _ if name.bytes().all(|b| b.is_ascii_alphanumeric()) && !name.is_empty() => Err(format!(
            "the entity `&{};` is unknown; XML knows only &lt; &gt; &amp; &apos; &quot; and \
             characters by number",
            shorten(name)
        )),
        _ => Err(BARE_AND.to_owned()),
    }
}

fn shorten(name: &str) -> String {
    name.chars().take(20).map(|c| if c.is_control() { '�' } else { c }).collect()
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Where a text has a control character that XML does not allow.
pub(super) fn find_control(text: &str) -> Option<usize> {
    let is_bad = |b: u8| b < b' ' && !is_space(b);
    // In blocks, because a look at every byte of a block is faster than one that may stop.
    for (at, block) in text.as_bytes().chunks(256).enumerate() {
        if block.iter().fold(false, |bad, b| bad | is_bad(*b)) {
            return block.iter().position(|b| is_bad(*b)).map(|in_block| at * 256 + in_block);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(tag: &str) -> Result<Vec<(String, String)>, Fault> {
        let mut attributes = Attributes::new(tag);
        let mut found = Vec::new();
        while let Some(attribute) = attributes.next()? {
            assert_eq!(&tag[attribute.range.clone()], attribute.value);
            let mut value = String::new();
            decode_attribute(attribute.value, &mut value)?;
            found.push((attribute.name.to_owned(), value));
        }
        Ok(found)
    }

    #[test]
    fn attributes_are_read_however_they_are_quoted() {
        let found = all(" a=\"1\" b = 'x \"y\" &amp;&#x41;&#66;'\n\tg:c=''").unwrap();
        let expected = [("a", "1"), ("b", "x \"y\" &AB"), ("g:c", "")];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn what_is_not_well_formed_is_a_fault_with_its_place() {
        for (tag, at) in [
            (" a", 1),
            (" a=1", 1),
            (" a=\"1", 1),
            (" =\"1\"", 1),
            (" a=\"x & y\"", 2),
            (" a=\"&nbsp;\"", 0),
            (" a=\"&#0;\"", 0),
            (" a=\"<\"", 4),
        ] {
            assert_eq!(all(tag).unwrap_err().at, at, "{tag}");
        }
    }

    #[test]
    fn control_characters_are_found_wherever_they_are() {
        let text = format!("{}\u{1}", "x\t\n".repeat(100));
        assert_eq!(find_control(&text), Some(300));
        assert_eq!(find_control("a\r\n\tb"), None);
    }

    proptest! {
        #[test]
        fn any_tag_is_attributes_or_a_fault(tag in "[ a=\"'&;<#x0-9é]{0,30}") {
            let _ = all(&tag);
        }
    }
}
