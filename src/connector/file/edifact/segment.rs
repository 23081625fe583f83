//! Segments of an interchange, their elements and components.

use std::borrow::Cow;

/// The signs that stand between the parts of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) component: u8,
    pub(super) element: u8,
    /// Makes the next character stand for itself.
    pub(super) release: Option<u8>,
    /// Between repetitions of an element.
    pub(super) repetition: Option<u8>,
    pub(super) terminator: u8,
    /// Whether decimals stand behind a comma.
    pub(super) has_decimal_comma: bool,
}

impl Default for Signs {
    fn default() -> Signs {
        Signs {
            component: b':',
            element: b'+',
            release: Some(b'?'),
            repetition: None,
            terminator: b'\'',
            has_decimal_comma: false,
        }
    }
}

impl Signs {
    /// The signs of a text that may start with `UNA`, and where its segments start.
    pub(super) fn of(text: &[u8]) -> (Signs, usize) {
        match text {
            [
                b'U',
                b'N',
                b'A',
                component,
                element,
                decimal,
                release,
                repetition,
                terminator,
                ..,
            ] => {
                let if_used = |sign: u8| Some(sign).filter(|sign| *sign != b' ');
                let signs = Signs {
                    component: *component,
                    element: *element,
                    release: if_used(*release),
                    repetition: if_used(*repetition),
                    terminator: *terminator,
                    has_decimal_comma: *decimal == b',',
                };
                (signs, 9)
            }
            _ => (Signs::default(), 0),
        }
    }

    /// Whether no sign means two things.
    pub(super) fn are_clear(&self) -> bool {
        let signs = [Some(self.component), Some(self.element), self.release, self.repetition];
        let mut signs: Vec<u8> = signs.into_iter().flatten().chain([self.terminator]).collect();
        let count = signs.len();
        signs.sort_unstable();
        signs.dedup();
        signs.len() == count
            && signs.iter().all(|sign| sign.is_ascii() && !sign.is_ascii_alphanumeric())
    }

    /// How long the segment is that a text starts with, without its terminator.
    pub(super) fn end_of_segment(&self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            at += match self.release {
                Some(release) => memchr::memchr2(self.terminator, release, &text[at..])?,
                None => memchr::memchr(self.terminator, &text[at..])?,
            };
            if text[at] == self.terminator {
                return Some(at);
            }
            at += 2;
            if at > text.len() {
                return None;
            }
        }
    }

    /// The parts of a text between signs that are not released.
    pub(super) fn split<'t>(&self, text: &'t str, sign: u8) -> Split<'t> {
        Split { rest: Some(text), sign, release: self.release }
    }

    /// A component as it is meant: without release signs, and without the line ends of a file that
    /// was cut into lines.
    pub(super) fn decoded<'t>(&self, raw: &'t str) -> Cow<'t, str> {
        let is_plain = raw.bytes().all(|b| Some(b) != self.release && b != b'\n' && b != b'\r');
        if is_plain {
            return Cow::Borrowed(raw);
        }
        let mut text = String::with_capacity(raw.len());
        let mut chars = raw.chars();
        while let Some(c) = chars.next() {
            match c {
                c if self.release.map(char::from) == Some(c) => text.extend(chars.next()),
                '\n' | '\r' => {}
                c => text.push(c),
            }
        }
        Cow::Owned(text)
    }
}

/// See [`Signs::split`].
pub(super) struct Split<'t> {
    rest: Option<&'t str>,
    sign: u8,
    release: Option<u8>,
}

impl<'t> Iterator for Split<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.rest?;
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if Some(*byte) == self.release {
                // What is released may be longer than a byte; its other bytes are no signs.
                at += 2;
            } else if *byte == self.sign {
                self.rest = Some(&text[at + 1..]);
                return Some(&text[..at]);
            } else {
                at += 1;
            }
        }
        self.rest = None;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_released_sign_is_a_character() {
        let signs = Signs::default();
        assert_eq!(signs.end_of_segment(b"A+O?'B??'C'"), Some(8));
        assert_eq!(signs.end_of_segment(b"A+O?'"), None);
        assert_eq!(signs.end_of_segment(b"A?"), None);
        assert_eq!(signs.split("A+B?+C+?", b'+').collect::<Vec<_>>(), ["A", "B?+C", "?"]);
        assert_eq!(signs.decoded("B?+C??"), "B+C?");
        assert_eq!(signs.decoded("5\r\n0"), "50");
    }

    #[test]
    fn una_names_the_signs() {
        let (signs, start) = Signs::of(b"UNA:+.? \nUNB");
        assert_eq!((signs, start), (Signs { terminator: b'\n', ..Signs::default() }, 9));
        let (signs, _) = Signs::of(b"UNA>|, *~");
        assert_eq!((signs.release, signs.repetition, signs.component), (None, Some(b'*'), b'>'));
        assert_eq!(Signs::of(b"UNB+UNOA"), (Signs::default(), 0));
        assert!(Signs::of(b"UNA:+.? '").0.are_clear());
        assert!(!Signs::of(b"UNA++.? '").0.are_clear());
        assert!(!Signs::of(b"UNA:+.?A'").0.are_clear());
    }

    proptest! {
        #[test]
        fn any_text_is_cut_without_a_panic(text in "[?+:'é\n]{0,20}") {
            let signs = Signs::default();
            let end = signs.end_of_segment(text.as_bytes());
            let segment = end.map_or(text.as_str(), |end| &text[..end]);
            for element in signs.split(segment, signs.element) {
                for component in signs.split(element, signs.component) {
                    let _ = signs.decoded(component);
                }
            }
        }
    }
}
