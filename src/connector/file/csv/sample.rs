//! The first rows of a csv file that nobody has described yet.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1250};

use super::rows::Rows;
use super::settings::{CsvSettings, Layout};
use crate::around::Around;
use crate::connector::feed::decode::{Charset, read_encoding};
use crate::connector::feed::guess::{self, Cell, Cut, Line, Sample, quoted};
use crate::connector::feed::mapping::Mapping;
use crate::connector::feed::settings::FeedSettings;
use crate::connector::feed::source::{Bytes, Keep, SourceSettings};
use crate::connector::{ConnectorError, Context};
use crate::settings::Table;

/// How much of the beginning shows how the file is cut.
const LOOK_BYTES: usize = 256 << 10;

/// Which keys the config has already.
struct Given {
    delimiter: bool,
    header_row: bool,
    encoding: bool,
}

/// See [`guess::TakeSample`].
pub(crate) fn sample(
    table: &mut Table<'_>,
    context: &Context,
) -> Result<Option<Sample>, ConnectorError> {
    let given = Given {
        delimiter: table.has("delimiter"),
        header_row: table.has("header_row"),
        encoding: table.has("encoding"),
    };
    let (layout, encoding) = (Layout::read(table), read_encoding(table));
    let source = SourceSettings::read(table, context);
    let (Some(layout), Some(encoding), Some(settings)) = (layout, encoding, source) else {
        return Ok(None);
    };
    let source = settings.connect(&Around::nobody())?;
    let bytes = source.open(Keep::Nothing)?;
    let cut = cut_of(&bytes, layout, &given);
    let encoding = encoding.or_else(|| central_european(&bytes));
    let mut options = lines(&cut, &given);
    if let Some(encoding) = encoding.filter(|_| !given.encoding) {
        let name = quoted(&encoding.name().to_lowercase());
        options.push(Line::new("encoding", name, "by its letters; no encoding is declared"));
    }
    let layout = Layout {
        delimiter: u8::try_from(cut.delimiter).ok(),
        header_row: Some(cut.header_row),
        ..layout
    };
    let feed = FeedSettings {
        source: settings,
        complete: true,
        encoding,
        mapping: Mapping::default(),
        is_store: false,
    };
    let mut rows = Rows::of(&CsvSettings { feed, layout }, bytes)?;
    let mut sample = read(&mut rows, cut.header_row > 0)?;
    sample.options = options;
    Ok(Some(sample))
}

fn read(rows: &mut Rows, has_header: bool) -> Result<Sample, ConnectorError> {
    let names: Option<Vec<String>> = has_header.then(|| rows.names());
    let (mut texts, mut taken, mut is_all) = (Vec::new(), 0, true);
    while let Some(row) = rows.next()? {
        if texts.len() == guess::ITEMS || taken > guess::SAMPLE_BYTES {
            is_all = false;
            break;
        }
        let row = row.texts();
        taken += row.iter().map(String::len).sum::<usize>();
        texts.push(row.into_iter().map(Cell::from).collect());
    }
    Ok(Sample { is_all, ..guess::sample_of_rows(names.as_deref(), texts) })
}

fn cut_of(bytes: &Bytes, layout: Layout, given: &Given) -> Cut {
    let head = &bytes.head()[..bytes.head().len().min(LOOK_BYTES)];
    // Separators are ASCII, so that the encoding hardly matters.
    let encoding = Encoding::for_bom(head).map_or(UTF_8, |(encoding, _)| encoding);
    let (text, ..) = encoding.decode(head);
    let given_row = layout.header_row.filter(|_| given.header_row);
    let text = skipped(&text, given_row.unwrap_or(1));
    let delimiter = layout.delimiter.map(char::from);
    let quote = layout.quote.or(Some(b'"')).map(char::from);
    let cut = guess::cut(text, quote, delimiter);
    Cut { header_row: given_row.unwrap_or(cut.header_row), ..cut }
}

/// The text from a line on, counted from 1.
fn skipped(text: &str, line: u64) -> &str {
    let mut rest = text;
    for _ in 1..line {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest
}

fn lines(cut: &Cut, given: &Given) -> Vec<Line> {
    let mut lines = Vec::new();
    if !given.delimiter {
        let evidence = match cut.width {
            1 => "no separator was found; the file has one column".to_owned(),
            width => format!("{} of the first {} rows have {width} cells", cut.alike, cut.rows),
        };
        let delimiter = if cut.delimiter == '\t' {
            "\"\\t\"".to_owned()
        } else {
            quoted(&cut.delimiter.to_string())
        };
        lines.push(Line::new("delimiter", delimiter, evidence));
    }
    if !given.header_row && cut.header_row != 1 {
        let evidence = match cut.header_row {
            0 => "the first row has numbers or codes, so there are no names".to_owned(),
            row => format!("the {} lines above it are cut in another way", row - 1),
        };
        lines.push(Line::new("header_row", cut.header_row.to_string(), evidence));
    }
    lines
}

/// Windows-1250, where the bytes are no UTF-8 and stand for letters there and, elsewhere, for signs or
/// for letters that are hardly ever written: those of Polish, Czech and Slovak. Hungarian is told
/// by its words, for other languages have the letters that its own are elsewhere.
fn central_european(bytes: &Bytes) -> Option<&'static Encoding> {
    const LETTERS: [u8; 14] =
        [0xb3, 0xb9, 0xbf, 0x9c, 0x9f, 0xa3, 0xaf, 0x8c, 0x9a, 0x9e, 0x8a, 0x8e, 0x9d, 0x8d];
    const HUNGARIAN: [&str; 5] = ["cikksz", "készlet", "megnevez", "raktár", "nettó"];
    let head = bytes.head();
    if Charset::detect(head, bytes.head_is_all(), None).name() != "windows-1252" {
        return None;
    }
    let is_letter = |window: &[u8]| {
        let beside = window[0].is_ascii_alphabetic() || window[2].is_ascii_alphabetic();
        beside && LETTERS.contains(&window[1])
    };
    let is_hungarian = || {
        let (text, ..) = WINDOWS_1250.decode(&head[..head.len().min(LOOK_BYTES)]);
        let text = text.to_lowercase();
        HUNGARIAN.iter().any(|word| text.contains(word))
    };
    (head.windows(3).any(is_letter) || is_hungarian()).then_some(WINDOWS_1250)
}
