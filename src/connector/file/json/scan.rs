//! The tokens of JSON, strictly as RFC 8259 has them, as slices of a window. Nothing is decoded
//! that nobody asks for, and numbers keep the digits they are written with.

use std::borrow::Cow;

/// Why scanning stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The text ends here; more of it may come.
    Unfinished,
    /// It is no JSON: where, in bytes, and what. Boxed, so that results stay small.
    Fault(Box<(usize, String)>),
}

impl Trouble {
    pub(super) fn fault(at: usize, message: impl Into<String>) -> Trouble {
        Trouble::Fault(Box::new((at, message.into())))
    }
}

/// A place in a text of JSON.
pub(super) struct Scanner<'a> {
    text: &'a str,
    /// How far it has been read.
    pub(super) at: usize,
    /// Where NUL bytes stand for bytes of the file that are no characters, in order.
    undecodable: &'a [usize],
}

/// A string as it is written, without its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawString<'a> {
    written: &'a str,
    has_escapes: bool,
    /// Where its first quote is.
    start: usize,
}

/// A value that holds no other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    Null,
    /// `true` or `false`.
    Word(&'a str),
    Number(&'a str),
    String(RawString<'a>),
}

impl<'a> RawString<'a> {
    /// The string itself.
    pub(super) fn decode(self) -> Result<Cow<'a, str>, Trouble> {
        if !self.has_escapes {
            return Ok(Cow::Borrowed(self.written));
        }
        let mut decoded = String::new();
        self.decode_to(&mut decoded)?;
        Ok(Cow::Owned(decoded))
    }

    /// Adds the string itself to a text.
    pub(super) fn decode_to(self, to: &mut String) -> Result<(), Trouble> {
        let mut rest = self.written;
        while self.has_escapes
            && let Some(at) = memchr::memchr(b'\\', rest.as_bytes())
        {
            to.push_str(&rest[..at]);
            let (character, length) = unescaped(&rest[at..]).ok_or_else(|| {
                Trouble::fault(self.start, "a broken `\\u` escape in this string")
            })?;
            to.push(character);
            rest = &rest[at + length..];
        }
        to.push_str(rest);
        Ok(())
    }
}

/// The character that the escape at the start of a text stands for, and the escape's length.
fn unescaped(text: &str) -> Option<(char, usize)> {
    let code = |at: usize| u32::from_str_radix(text.get(at..at + 4)?, 16).ok();
    let character = match text.as_bytes().get(1)? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let first = code(2)?;
            if !(0xd800..0xdc00).contains(&first) {
                return Some((char::from_u32(first)?, 6));
            }
            let second = text.get(6..8).filter(|next| *next == "\\u").and_then(|_| code(8))?;
            let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            return Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low)?, 12));
        }
        other => char::from(*other),
    };
    Some((character, 2))
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Scanner<'a> {
        Scanner { text, at, undecodable: &[] }
    }

    /// Lets strings hold the NUL bytes that stand at these places for what was no character.
    pub(super) fn with_undecodable(self, undecodable: &'a [usize]) -> Scanner<'a> {
        Scanner { undecodable, ..self }
    }

    /// The next byte that is no white space; it is not taken.
    pub(super) fn peek(&mut self) -> Result<u8, Trouble> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(Trouble::Unfinished),
            }
        }
    }

    /// Takes the next byte if it is this one.
    pub(super) fn eat(&mut self, wanted: u8) -> Result<bool, Trouble> {
        let is_there = self.peek()? == wanted;
        self.at += usize::from(is_there);
        Ok(is_there)
    }

    /// A fault at the next byte.
    pub(super) fn unexpected(&self, wanted: &str) -> Trouble {
        let found = self.text[self.at..].chars().next().unwrap_or(' ').escape_debug();
        Trouble::fault(self.at, format!("`{found}` where {wanted} is expected"))
    }

    /// A key with its colon.
    pub(super) fn key(&mut self) -> Result<RawString<'a>, Trouble> {
        if self.peek()? != b'"' {
            return Err(self.unexpected("a key in quotes"));
        }
        let key = self.string()?;
        if !self.eat(b':')? {
            return Err(self.unexpected("`:`"));
        }
        Ok(key)
    }

    /// A value that holds no other, and what must not be there.
    pub(super) fn scalar(&mut self) -> Result<Scalar<'a>, Trouble> {
        match self.peek()? {
            b'"' => self.string().map(Scalar::String),
            b'-' | b'0'..=b'9' => self.number().map(Scalar::Number),
            b't' => self.word("true").map(Scalar::Word),
            b'f' => self.word("false").map(Scalar::Word),
            b'n' => self.word("null").map(|_| Scalar::Null),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// Passes over a value, however deep, at `depth`.
    pub(super) fn skip(&mut self, depth: usize) -> Result<(), Trouble> {
        match self.peek()? {
            b'{' => self.members(depth, |scanner, _| scanner.skip(depth + 1)),
            b'[' => self.elements(depth, |scanner| scanner.skip(depth + 1)),
            _ => self.scalar().map(drop),
        }
    }

    /// Reads an object; `each` reads the value of a key.
    pub(super) fn members(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self, RawString<'a>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        self.open(depth)?;
        if self.eat(b'}')? {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            each(self, key)?;
            if self.ends(b'}', "`,` or `}`")? {
                return Ok(());
            }
        }
    }

    /// Reads an array; `each` reads an element.
    pub(super) fn elements(
        &mut self,
        depth: usize,
        mut each: impl FnMut(&mut Self) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        self.open(depth)?;
        if self.eat(b']')? {
            return Ok(());
        }
        loop {
            each(self)?;
            if self.ends(b']', "`,` or `]`")? {
                return Ok(());
            }
        }
    }

    /// Takes a comma or the closing bracket; says whether it was the bracket.
    fn ends(&mut self, bracket: u8, wanted: &str) -> Result<bool, Trouble> {
        let byte = self.peek()?;
        if byte != bracket && byte != b',' {
            return Err(self.unexpected(wanted));
        }
        self.at += 1;
        Ok(byte == bracket)
    }

    /// Takes the bracket of a value that holds others.
    pub(super) fn open(&mut self, depth: usize) -> Result<(), Trouble> {
        if depth >= super::DEPTH {
            let message = format!("values are nested more than {} deep", super::DEPTH);
            return Err(Trouble::fault(self.at, message));
        }
        self.at += 1;
        Ok(())
    }

    /// A string; the next byte is its quote.
    fn string(&mut self) -> Result<RawString<'a>, Trouble> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let (mut at, mut has_escapes) = (start + 1, false);
        loop {
            let end = at + plain_run(&bytes[at..]).ok_or(Trouble::Unfinished)?;
            match bytes[end] {
                b'"' => {
                    self.at = end + 1;
                    let written = &self.text[start + 1..end];
                    return Ok(RawString { written, has_escapes, start });
                }
                b'\\' => {
                    has_escapes = true;
                    at = end + self.escape(end)?;
                }
                0 if self.undecodable.binary_search(&end).is_ok() => at = end + 1,
                _ => {
                    let message = "a control character or line end inside a string";
                    return Err(Trouble::fault(end, message));
                }
            }
        }
    }

    /// The length of the escape at `at`.
    fn escape(&self, at: usize) -> Result<usize, Trouble> {
        let rest = &self.text.as_bytes()[at..];
        match rest.get(1) {
            None => Err(Trouble::Unfinished),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u') => match rest.iter().skip(2).take(4).all(u8::is_ascii_hexdigit) {
                true if rest.len() < 6 => Err(Trouble::Unfinished),
                true => Ok(6),
                false => Err(Trouble::fault(at, "`\\u` needs four hexadecimal digits")),
            },
            Some(_) => Err(Trouble::fault(at, "an escape that JSON does not know")),
        }
    }

    fn number(&mut self) -> Result<&'a str, Trouble> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let byte = |at: usize| bytes.get(at).copied().ok_or(Trouble::Unfinished);
        let digits = |mut at: usize| {
            let from = at;
            while byte(at)?.is_ascii_digit() {
                at += 1;
            }
            if at == from { Err(Trouble::fault(at, "a digit is missing")) } else { Ok(at) }
        };
        let whole = start + usize::from(bytes[start] == b'-');
        let mut at = digits(whole)?;
        if bytes[whole] == b'0' && at > whole + 1 {
            return Err(Trouble::fault(whole, "a number with a leading 0"));
        }
        if byte(at)? == b'.' {
            at = digits(at + 1)?;
        }
        if matches!(byte(at)?, b'e' | b'E') {
            at += 1 + usize::from(matches!(byte(at + 1)?, b'+' | b'-'));
            at = digits(at)?;
        }
        self.at = at;
        self.end_of_word(&self.text[start..at])
    }

    fn word(&mut self, word: &'static str) -> Result<&'a str, Trouble> {
        let rest = &self.text[self.at..];
        if !rest.starts_with(word) {
            return Err(match word.starts_with(rest) {
                true => Trouble::Unfinished,
                false => self.unexpected("a value"),
            });
        }
        self.at += word.len();
        self.end_of_word(&rest[..word.len()])
    }

    /// What was read, if nothing follows that would make it something else.
    fn end_of_word(&self, word: &'a str) -> Result<&'a str, Trouble> {
        match self.text.as_bytes().get(self.at) {
            None => Err(Trouble::Unfinished),
            Some(b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t') => Ok(word),
            Some(_) => Err(self.unexpected("`,` or the end of the value")),
        }
    }
}

/// How many plain characters of a string stand before what ends them: a quote, a backslash or a
/// control character. Looks at eight bytes at once.
fn plain_run(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let ends = ends_in(u64::from_le_bytes(*word));
        if ends != 0 {
            return Some(at * 8 + ends.trailing_zeros() as usize / 8);
        }
    }
    let ends_run = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    rest.iter().position(ends_run).map(|at| words.len() * 8 + at)
}

/// The high bit of each byte that ends a run of plain characters; only the lowest is for sure.
fn ends_in(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, limit: u8| word.wrapping_sub(EACH * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
    (below(word, b' ') | equal(b'"') | equal(b'\\')) & (EACH << 7)
}

/// The digits of a JSON number without an exponent: `1.5e2` is `150`. A number that would get
/// absurdly long is left as it is written.
pub(crate) fn plain_number(number: &str) -> Cow<'_, str> {
    const LONGEST: i64 = 60;
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else {
        return Cow::Borrowed(number);
    };
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{decimals}");
    if digits.bytes().all(|digit| digit == b'0') {
        return Cow::Borrowed("0");
    }
    let Ok(exponent) = exponent.parse::<i64>() else { return Cow::Borrowed(number) };
    // Where the point stands in `digits`; to the left of them when negative.
    let point = (whole.len() as i64).saturating_add(exponent);
    if !(-LONGEST..=LONGEST).contains(&point) || digits.len() as i64 > LONGEST {
        return Cow::Borrowed(number);
    }
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let all = format!("{}{digits}{}", zeros(1 - point), zeros(point - digits.len() as i64));
    let (whole, decimals) = all.split_at(usize::try_from(point.max(1)).unwrap_or(1));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let decimals = decimals.trim_end_matches('0');
    let dot = if decimals.is_empty() { "" } else { "." };
    Cow::Owned(format!("{sign}{whole}{dot}{decimals}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a whole text is one value.
    fn accepts(text: &str) -> bool {
        let text = format!("{text}\n");
        let mut scanner = Scanner::new(&text, 0);
        scanner.skip(0).is_ok() && scanner.peek() == Err(Trouble::Unfinished)
    }

    #[test]
    fn numbers_lose_their_exponent_and_nothing_else() {
        for (written, plain) in [
            ("0.10", "0.10"),
            ("1e2", "100"),
            ("1.5E+1", "15"),
            ("-1.25e1", "-12.5"),
            ("12.5e-3", "0.0125"),
            ("1e-7", "0.0000001"),
            ("0.05e2", "5"),
            ("0e99", "0"),
            ("1e999", "1e999"),
            ("9007199254740993e1", "90071992547409930"),
        ] {
            assert_eq!(plain_number(written), plain, "{written}");
        }
    }

    proptest! {
        #[test]
        fn strings_are_what_serde_json_reads(
            inner in "([a-zé\u{1}\"]|\\\\[\"\\\\/bfnrtx]|\\\\u(00[0-9a-f]{2}|d[89cd][0-9A-F]{2})){0,12}"
        ) {
            let text = format!("\"{inner}\"");
            let ours = match Scanner::new(&text, 0).string() {
                Ok(string) if string.written == inner => string.decode().ok(),
                _ => None,
            };
            let theirs = serde_json::from_str::<String>(&text).ok();
            prop_assert_eq!(ours.as_deref(), theirs.as_deref());
        }

        #[test]
        fn it_accepts_exactly_what_serde_json_accepts(
            text in "[\\[\\]{}:,\" 0-9eE.+-]{0,12}|[\\[\\]{}:,a\"\\\\u0tr\n-]{0,12}|\\PC{0,20}"
        ) {
            let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(accepts(&text), theirs, "{}", text);
        }

        #[test]
        fn plain_numbers_are_equal_to_what_they_were(number in "-?[1-9][0-9]{0,5}(\\.[0-9]{1,4})?e[+-]?[0-9]") {
            let plain = plain_number(&number).into_owned();
            prop_assert!(!plain.contains('e'));
            let (a, b) = (number.parse::<f64>().unwrap(), plain.parse::<f64>().unwrap());
            prop_assert!((a - b).abs() <= a.abs() * 1e-12, "{} {}", number, plain);
        }
    }
}
