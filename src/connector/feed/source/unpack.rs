//! Packed files: recognised by their first bytes, never by their name, and unpacked as they are
//! read. What an archive calls its files is only ever compared and shown: nothing is written.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::GzDecoder;
use glob::Pattern;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::archive;

/// How much longer bytes may get by unpacking them, once they are longer than [`RATIO_BEYOND`].
const RATIO: u64 = 200;
/// In bytes.
const RATIO_BEYOND: u64 = 100 << 20;
/// Packings within each other: one for the way and one of the file, and one in an archive.
const MAX_LAYERS: usize = 3;
/// What is read of a packed file at once, in bytes.
const BLOCK: usize = 64 << 10;
/// Up to here a tar archive says that it is one.
const TAR_BYTES: usize = 262;

/// A reader of bytes on their way.
type Input = Box<dyn Read + Send>;

/// Why packed bytes are of no use: the end of a sentence that starts with the source's name.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unusable(pub(super) String);

impl From<Unusable> for io::Error {
    fn from(why: Unusable) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, why)
    }
}

/// What a file is packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
    Bzip2,
    Zip,
}

impl Packing {
    fn of(head: &[u8]) -> Option<Packing> {
        match head {
            [0x1f, 0x8b, ..] => Some(Packing::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Some(Packing::Zstd)
            }
            // A magic number of two letters alone would be a csv's header.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, ..] => Some(Packing::Bzip2),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Packing::Zip),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Bzip2 => "bzip2",
            Packing::Zip => "zip",
        }
    }
}

/// Whether these first bytes are those of something packed.
pub(super) fn is_packed(head: &[u8]) -> bool {
    Packing::of(head).is_some()
}

/// What becomes of zip archives.
#[derive(Clone, Copy)]
pub(super) enum Zips<'a> {
    /// One file out of them is read; the pattern picks it where there are several.
    Opened(Option<&'a Pattern>),
    /// They are what is to be read.
    Kept,
}

/// Whether these first bytes are those of something packed in another way than by zip.
pub(super) fn is_packed_around(head: &[u8]) -> bool {
    Packing::of(head).is_some_and(|packing| packing != Packing::Zip)
}

/// How long what is unpacked may get.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnpackLimit {
    /// In bytes, where the config says so (`max_unpacked`); else by the packed length.
    pub(super) max_bytes: Option<u64>,
}

impl UnpackLimit {
    /// The limit for so many packed bytes.
    pub(crate) fn bytes(self, packed: u64) -> u64 {
        self.max_bytes.unwrap_or_else(|| RATIO_BEYOND.max(packed.saturating_mul(RATIO)))
    }

    /// What is wrong with what gets longer, as the end of a sentence that starts with its name.
    pub(crate) fn words(self, packed: u64) -> String {
        match self.max_bytes {
            Some(max) => format!("unpacks to more than {max} bytes (`max_unpacked`)"),
            None => format!(
                "unpacks to more than {} MiB, over {RATIO} times its own size ({packed} bytes); \
                 that is no feed, and nothing of it was used. Where it is one, say how long it may \
                 get: max_unpacked = \"2GiB\"",
                RATIO_BEYOND >> 20,
            ),
        }
    }
}

/// An error for a tar archive, by its first bytes.
pub(super) fn check_is_no_tar(head: &[u8]) -> io::Result<()> {
    if head.get(257..262) != Some(b"ustar") {
        return Ok(());
    }
    let words = "is a tar archive, which is not read; pack the one file itself (gzip, zip)";
    Err(Unusable(words.to_owned()).into())
}

/// The unpacked bytes of a packed file, which is at its beginning; `length` in bytes.
pub(super) fn unpacked(
    file: &Arc<File>,
    length: u64,
    zips: Zips<'_>,
    limit: UnpackLimit,
) -> io::Result<Input> {
    let mut input: Input = Box::new(Arc::clone(file));
    for layer in 0..=MAX_LAYERS {
        let mut source = BufReader::with_capacity(BLOCK, input);
        let head = filled(&mut source, TAR_BYTES)?;
        check_is_no_tar(head)?;
        let packing = match (Packing::of(head), zips) {
            (Some(Packing::Zip), Zips::Kept) => None,
            (packing, _) => packing,
        };
        let Some(packing) = packing else {
            return Ok(Box::new(Limited { input: source, packed: length, unpacked: 0, limit }));
        };
        if layer == MAX_LAYERS {
            break;
        }
        input = match packing {
            Packing::Gzip => Box::new(Named { input: Gzip::new(source), packing }),
            Packing::Bzip2 => Box::new(Named { input: MultiBzDecoder::new(source), packing }),
            Packing::Zstd => Box::new(Zstd::new(source)),
            Packing::Zip => {
                if let (0, Zips::Opened(member)) = (layer, zips) {
                    input = archive::open(file, member)?;
                    continue;
                }
                return Err(Unusable(
                    "holds a zip archive within something packed, which is not read; deliver one \
                     or the other"
                        .to_owned(),
                )
                .into());
            }
        };
    }
    Err(Unusable(format!("is packed more than {MAX_LAYERS} times over")).into())
}

/// The beginning of what is read, as far as the buffer goes: at least `wanted` bytes where there
/// are so many.
fn filled(source: &mut BufReader<Input>, wanted: usize) -> io::Result<&[u8]> {
    // A decoder gives what it has: a short first read would hide what stands behind it.
    let mut head = Vec::with_capacity(wanted);
    (&mut *source).take(wanted as u64).read_to_end(&mut head)?;
    let rest = std::mem::replace(source, BufReader::new(Box::new(io::empty())));
    *source = BufReader::with_capacity(BLOCK, Box::new(io::Cursor::new(head).chain(rest)));
    source.fill_buf()
}

/// The bytes of an archive's file, which must not be too many for `packed` bytes.
pub(super) fn limited(input: impl Read, packed: u64, limit: UnpackLimit) -> impl Read {
    Limited { input, packed, unpacked: 0, limit }
}

/// Unpacked bytes, counted against the packed ones.
struct Limited<R> {
    input: R,
    packed: u64,
    unpacked: u64,
    limit: UnpackLimit,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(into)?;
        self.unpacked += count as u64;
        if self.unpacked > self.limit.bytes(self.packed) {
            return Err(Unusable(self.limit.words(self.packed)).into());
        }
        Ok(count)
    }
}

/// A decoder whose errors are told in words.
struct Named<R> {
    input: R,
    packing: Packing,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.input.read(into).map_err(|why| in_words(why, self.packing))
    }
}

fn in_words(why: io::Error, packing: Packing) -> io::Error {
    if why.get_ref().is_some_and(|inner| inner.is::<Unusable>()) {
        return why;
    }
    match why.kind() {
        io::ErrorKind::Interrupted => why,
        io::ErrorKind::UnexpectedEof => cut(packing),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
            damaged(packing)
        }
        _ => why,
    }
}

fn cut(packing: Packing) -> io::Error {
    let name = packing.name();
    Unusable(format!("is cut: its {name} data ends in the middle; deliver it again")).into()
}

fn damaged(packing: Packing) -> io::Error {
    Unusable(format!("is damaged: its {} data is broken; deliver it again", packing.name())).into()
}

/// Members of gzip, one after the other. Zeros behind the last one, up to the end of a block of a
/// tape or a disk, say nothing.
struct Gzip {
    /// `None` after the last member.
    decoder: Option<GzDecoder<BufReader<Input>>>,
}

impl Gzip {
    fn new(source: BufReader<Input>) -> Gzip {
        Gzip { decoder: Some(GzDecoder::new(source)) }
    }

    /// Goes on to the next member, if there is one.
    fn begin(&mut self, mut source: BufReader<Input>) -> io::Result<()> {
        loop {
            let left = source.fill_buf()?;
            let zeros = left.iter().take_while(|byte| **byte == 0).count();
            if left.is_empty() {
                return Ok(());
            }
            if zeros < left.len() {
                source.consume(zeros);
                self.decoder = Some(GzDecoder::new(source));
                return Ok(());
            }
            source.consume(zeros);
        }
    }
}

impl Read for Gzip {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(mut decoder) = self.decoder.take() {
            let count = decoder.read(into);
            if into.is_empty() || !matches!(count, Ok(0)) {
                self.decoder = Some(decoder);
                return count;
            }
            self.begin(decoder.into_inner())?;
        }
        Ok(0)
    }
}

/// Frames of zstd, one after the other.
struct Zstd {
    source: BufReader<Input>,
    decoder: Box<FrameDecoder>,
    is_in_frame: bool,
}

impl Zstd {
    fn new(source: BufReader<Input>) -> Zstd {
        Zstd { source, decoder: Box::new(FrameDecoder::new()), is_in_frame: false }
    }

    /// Begins the next frame; `false` at the end of all.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.is_in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut (&mut self.source).take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(cut(Packing::Zstd));
                    }
                }
                Err(FrameDecoderError::WindowSizeTooBig { .. }) => {
                    return Err(Unusable(
                        "is zstd data that needs more than 128 MiB of memory; pack it without \
                         `--long` and `--ultra`"
                            .to_owned(),
                    )
                    .into());
                }
                Err(_) => return Err(self.broken()?),
            }
        }
        Ok(false)
    }

    /// Ends a frame: what it says of its content must be so.
    fn end(&mut self) -> io::Result<()> {
        self.is_in_frame = false;
        match self.decoder.get_checksum_from_data() {
            Some(said) if self.decoder.get_calculated_checksum() != Some(said) => {
                Err(damaged(Packing::Zstd))
            }
            _ => Ok(()),
        }
    }

    /// A decoder that fails at the end of its bytes wanted more of them.
    fn broken(&mut self) -> io::Result<io::Error> {
        let is_at_end = self.source.fill_buf()?.is_empty();
        Ok(if is_at_end { cut(Packing::Zstd) } else { damaged(Packing::Zstd) })
    }
}

impl Read for Zstd {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(into);
            }
            if !self.is_in_frame {
                if !self.begin()? {
                    return Ok(0);
                }
            } else if self.decoder.is_finished() {
                self.end()?;
            } else {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                if self.decoder.decode_blocks(&mut self.source, one).is_err() {
                    return Err(self.broken()?);
                }
            }
        }
    }
}
