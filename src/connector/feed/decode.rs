//! Encodings: which one a feed is in, and its bytes as text.
//!
//! Where every byte below 0x80 is the ASCII character (UTF-8 and the single-byte encodings) the
//! raw bytes are kept and only the texts that are used are decoded. All else is transcoded as it
//! is read.

use std::borrow::Cow;

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use super::source::Bytes;
use crate::connector::{ConnectorError, Fingerprint};
use crate::settings::Table;

/// Takes `encoding` out of a table. `None` where it is wrong, `Some(None)` where it is absent.
pub fn read_encoding(table: &mut Table<'_>) -> Option<Option<&'static Encoding>> {
    let name = table.name_of("encoding");
    let Some(entry) = table.take("encoding") else { return Some(None) };
    let (label, _) = entry.string(&name)?;
    let found = Encoding::for_label_no_replacement(label.as_bytes());
    if found.is_none() {
        entry.error(format!(
            "`{name}` is no known encoding; write one such as \"utf-8\", \"windows-1250\" or \
             \"iso-8859-2\""
        ));
    }
    found.map(Some)
}

/// What stands for bytes that are no characters in a whole stream that becomes UTF-8: one that no
/// UTF-8 has, so that whoever reads the text meets it where the file has the bad ones.
const UNDECODABLE: u8 = 0xff;

/// The encoding of a feed, and who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset {
    encoding: &'static Encoding,
    mark_bytes: usize,
    /// The encoding before it was transcoded, which is what messages name.
    original: &'static Encoding,
}

impl Charset {
    /// A byte order mark beats the config, the config beats looking at the beginning.
    pub fn detect(
        head: &[u8],
        head_is_all: bool,
        configured: Option<&'static Encoding>,
    ) -> Charset {
        if let Some((encoding, mark_bytes)) = Encoding::for_bom(head) {
            return Charset { encoding, mark_bytes, original: encoding };
        }
        let encoding = configured.unwrap_or_else(|| match std::str::from_utf8(head) {
            Ok(_) => UTF_8,
            // A character that the head cuts in two.
            Err(why) if why.error_len().is_none() && !head_is_all => UTF_8,
            Err(_) if is_damaged_utf_8(head) => UTF_8,
            Err(_) => encoding_rs::WINDOWS_1252,
        });
        Charset { encoding, mark_bytes: 0, original: encoding }
    }

    /// UTF-8 without a mark.
    pub const UTF_8: Charset = Charset { encoding: UTF_8, mark_bytes: 0, original: UTF_8 };

    /// The encoding.
    pub fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// The name of the encoding that the file is in.
    pub fn name(&self) -> &'static str {
        self.original.name()
    }

    /// The length of the byte order mark, 0 where there is none.
    pub fn mark_bytes(&self) -> usize {
        self.mark_bytes
    }

    /// Whether it is UTF-8.
    #[inline]
    pub fn is_utf_8(&self) -> bool {
        std::ptr::eq(self.encoding, UTF_8)
    }

    /// Whether raw bytes can be cut at ASCII characters, and so be written back byte by byte.
    pub fn is_raw(&self) -> bool {
        self.encoding == UTF_8 || self.encoding.is_single_byte()
    }

    /// A raw text. The error is the end of a sentence that starts with the field's name.
    pub fn text<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, str>, String> {
        let text = if self.is_utf_8() {
            std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
        } else {
            self.encoding.decode_without_bom_handling_and_without_replacement(bytes)
        };
        text.ok_or_else(|| self.fault())
    }

    /// What is wrong with a text that is none, as the end of a sentence that starts with the
    /// field's name.
    pub fn fault(&self) -> String {
        format!("is not valid {}; set `encoding`", self.name())
    }

    /// A text as raw bytes; `None` where the encoding lacks a character.
    pub fn bytes<'a>(&self, text: &'a str) -> Option<Cow<'a, [u8]>> {
        let (bytes, _, has_unmappable) = self.encoding.encode(text);
        (self.is_raw() && !has_unmappable).then_some(bytes)
    }
}

/// Whether text that is not UTF-8 is so with damage: a fifth at least of what is beyond ASCII are
/// characters of UTF-8. In other encodings hardly any two bytes look like one by chance.
fn is_damaged_utf_8(text: &[u8]) -> bool {
    let (mut characters, mut bad_bytes) = (0_usize, 0_usize);
    for chunk in text.utf8_chunks() {
        characters += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad_bytes += chunk.invalid().len();
    }
    characters > 0 && characters * 4 >= bad_bytes
}

/// The bytes of a source that a tokenizer can cut at ASCII characters.
pub struct Characters {
    bytes: Bytes,
    charset: Charset,
    transcoder: Option<Transcoder>,
    skipped_mark: bool,
}

impl std::fmt::Debug for Characters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Characters").field("charset", &self.charset).finish_non_exhaustive()
    }
}

impl Characters {
    /// Looks at the beginning and settles the encoding.
    pub fn new(bytes: Bytes, configured: Option<&'static Encoding>) -> Characters {
        let charset = Charset::detect(bytes.head(), bytes.head_is_all(), configured);
        let transcoder = (!charset.is_raw()).then(|| Transcoder {
            decoder: charset.encoding.new_decoder_with_bom_removal(),
            input: vec![0; 64 << 10],
            start: 0,
            end: 0,
            is_last: false,
            is_done: false,
            owes_mark: false,
        });
        Characters { bytes, charset, transcoder, skipped_mark: false }
    }

    /// The source's encoding.
    pub fn source_charset(&self) -> Charset {
        self.charset
    }

    /// The encoding of the bytes that [`Characters::read`] gives.
    pub fn charset(&self) -> Charset {
        match self.charset.is_raw() {
            true => self.charset,
            false => Charset { original: self.charset.encoding, ..Charset::UTF_8 },
        }
    }

    /// What is read.
    pub fn source(&self) -> &Bytes {
        &self.bytes
    }

    /// The next bytes, without the byte order mark; 0 at the end. `into` must not be tiny.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize, ConnectorError> {
        if let Some(transcoder) = &mut self.transcoder {
            return transcoder.read(&mut self.bytes, into);
        }
        if !self.skipped_mark {
            self.skipped_mark = true;
            let mut mark = [0; 3];
            // The head holds the mark whole, so that one call reads it.
            if self.charset.mark_bytes > 0 {
                self.bytes.read(&mut mark[..self.charset.mark_bytes])?;
            }
        }
        self.bytes.read(into)
    }

    /// See [`Bytes::finish`].
    pub fn finish(self) -> Result<Option<Fingerprint>, ConnectorError> {
        self.bytes.finish()
    }
}

/// A whole stream on its way to UTF-8.
struct Transcoder {
    decoder: Decoder,
    input: Vec<u8>,
    start: usize,
    end: usize,
    is_last: bool,
    is_done: bool,
    /// Bytes that are no characters came where there was no room to say so.
    owes_mark: bool,
}

impl Transcoder {
    fn read(&mut self, bytes: &mut Bytes, into: &mut [u8]) -> Result<usize, ConnectorError> {
        loop {
            if std::mem::take(&mut self.owes_mark) {
                into[0] = UNDECODABLE;
                return Ok(1);
            }
            if self.is_done {
                return Ok(0);
            }
            if self.start == self.end && !self.is_last {
                (self.start, self.end) = (0, bytes.read(&mut self.input)?);
                self.is_last = self.end == 0;
            }
            let (result, consumed, mut written) = self.decoder.decode_to_utf8_without_replacement(
                &self.input[self.start..self.end],
                into,
                self.is_last,
            );
            self.start += consumed;
            match result {
                DecoderResult::Malformed(..) if self.is_last => {
                    return Err(ConnectorError::source(format!(
                        "{} ends in the middle of a character of {}; it is cut, or `encoding` is \
                         wrong",
                        bytes.name(),
                        self.decoder.encoding().name()
                    )));
                }
                DecoderResult::Malformed(..) if written < into.len() => {
                    into[written] = UNDECODABLE;
                    written += 1;
                }
                DecoderResult::Malformed(..) => self.owes_mark = true,
                DecoderResult::InputEmpty => self.is_done = self.is_last,
                DecoderResult::OutputFull => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::feed::source::{Keep, Source};

    fn read(content: &[u8], label: Option<&str>) -> Result<(String, Charset), ConnectorError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed");
        std::fs::write(&path, content).unwrap();
        let configured = label.and_then(|label| Encoding::for_label(label.as_bytes()));
        let bytes = Source::file(path).open(Keep::Nothing)?;
        let mut characters = Characters::new(bytes, configured);
        let (mut all, mut buffer) = (Vec::new(), [0; 16]);
        loop {
            let count = characters.read(&mut buffer)?;
            if count == 0 {
                let text = characters.charset().text(&all).unwrap().into_owned();
                let charset = characters.source_charset();
                characters.finish()?;
                return Ok((text, charset));
            }
            all.extend_from_slice(&buffer[..count]);
        }
    }

    fn utf16(text: &str) -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn the_encoding_is_found_by_mark_then_config_then_looking() {
        let text = |content: &[u8], label| read(content, label).map(|(text, _)| text).unwrap();
        assert_eq!(text("żółw €".as_bytes(), None), "żółw €");
        assert_eq!(text(b"caf\xe9", None), "café");
        assert_eq!(text(b"\x9c\xe9", Some("windows-1250")), "śé");
        assert_eq!(text("\u{feff}żółw".as_bytes(), Some("windows-1250")), "żółw");
        assert_eq!(
            text(&utf16("sku;żółw 🐢 and more than a buffer"), None),
            "sku;żółw 🐢 and more than a buffer"
        );
    }

    #[test]
    fn a_character_cut_by_the_end_of_the_head_is_no_sign_of_another_encoding() {
        let head = &"aż".as_bytes()[..2];
        assert_eq!(Charset::detect(head, false, None).name(), "UTF-8");
        assert_eq!(Charset::detect(head, true, None).name(), "windows-1252");
    }

    #[test]
    fn cut_utf_16_is_refused() {
        let mut content = utf16("sku;qty");
        content.pop();
        assert!(read(&content, None).unwrap_err().message.contains("a character of UTF-16LE"));
    }

    #[test]
    fn a_field_that_is_no_text_says_what_to_set() {
        assert_eq!(Charset::UTF_8.text(b"\xff").unwrap_err(), "is not valid UTF-8; set `encoding`");
    }
}
