//! The first rows of a workbook that nobody has described yet.

use super::archive::{Archive, COMPOUND_FILE};
use super::settings::read_sheet;
use super::sheet::{self, Kind, Sheet, SheetRow};
use crate::around::Around;
use crate::connector::feed::guess::{self, Cell, HEADER_WITHIN, Line, Sample, quoted};
use crate::connector::feed::number::trim;
use crate::connector::feed::source::{SourceSettings, WholeFile};
use crate::connector::{ConnectorError, Context};
use crate::settings::Table;

/// How many sheets are looked at.
const SHEETS: usize = 12;
/// How many columns are looked at.
const COLUMNS: usize = 300;

/// Whether a file that begins like this may be a workbook.
pub(crate) fn may_be_workbook(beginning: &[u8]) -> bool {
    beginning.starts_with(b"PK") || beginning.starts_with(COMPOUND_FILE)
}

/// Whether a file is a workbook, if maybe one that cannot be read.
pub(crate) fn is_workbook(whole: WholeFile) -> Result<bool, ConnectorError> {
    if whole.head().starts_with(COMPOUND_FILE) {
        return Ok(true);
    }
    // What an archive was around.
    if !may_be_workbook(whole.head()) {
        return Ok(false);
    }
    let archive = Archive::open(whole)?;
    Ok(archive.is_document() || archive.holds_workbooks())
}

/// What is looked at of one sheet.
struct Looked {
    name: String,
    header_row: u64,
    sample: Sample,
}

/// See [`guess::TakeSample`].
pub(crate) fn sample(
    table: &mut Table<'_>,
    context: &Context,
) -> Result<Option<Sample>, ConnectorError> {
    let wanted = read_sheet(table);
    let known_header = table.has("header_row");
    let header_row = table.integer("header_row", 0..10_001).filter(|_| known_header);
    let settings = SourceSettings::read(table, context);
    let (Some(wanted), Some(settings)) = (wanted, settings) else { return Ok(None) };
    let source = settings.connect(&Around::nobody())?;
    let mut archive = Archive::open(source.open_whole()?)?;
    let names = match &wanted {
        Some(name) => vec![name.clone()],
        None => sheet::names(&mut archive)?,
    };
    let Looked { name, header_row: found, mut sample } = best(&mut archive, &names, header_row)?;
    if wanted.is_none() && names.len() > 1 && names.first() != Some(&name) {
        let others: Vec<_> =
            names.iter().filter(|other| **other != name).take(5).cloned().collect();
        let evidence = format!("it looks most like items; the others are {}", others.join(", "));
        sample.options.push(Line::new("sheet", quoted(&name), evidence));
    }
    if !known_header && found != 1 {
        let evidence = match found {
            0 => "the first row has numbers or codes, so there are no names".to_owned(),
            _ => "the first row with the names of columns".to_owned(),
        };
        sample.options.push(Line::new("header_row", found.to_string(), evidence));
    }
    Ok(Some(sample))
}

/// The sheet that looks most like items; the first of equals.
fn best(
    archive: &mut Archive,
    names: &[String],
    header_row: Option<u64>,
) -> Result<Looked, ConnectorError> {
    let (mut best, mut failed) = (None, None);
    for name in names.iter().take(SHEETS) {
        match look(archive, name, header_row) {
            Ok(looked) => {
                let score = guess::score(&looked.sample);
                if best.as_ref().is_none_or(|(best, _)| score > *best) {
                    best = Some((score, looked));
                }
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match (best, failed) {
        (Some((_, looked)), _) => Ok(looked),
        (None, Some(error)) => Err(error),
        (None, None) => Err(archive.error("has no sheet with cells")),
    }
}

fn look(
    archive: &mut Archive,
    name: &str,
    header_row: Option<u64>,
) -> Result<Looked, ConnectorError> {
    let mut sheet = Sheet::open(archive, Some(trim(name)))?;
    let (mut rows, mut bytes, mut is_all) = (Vec::new(), 0, true);
    let most = guess::ITEMS + HEADER_WITHIN;
    while sheet.advance()? {
        let row = sheet.row();
        if row.is_blank() || header_row.is_some_and(|header| row.number < header) {
            continue;
        }
        if rows.len() == most || bytes > guess::SAMPLE_BYTES {
            is_all = false;
            break;
        }
        let cells = cells(row);
        bytes += cells.iter().map(|cell| cell.text.len()).sum::<usize>();
        rows.push((row.number, cells));
    }
    let header_row = header_row.unwrap_or_else(|| guess::header_row(&rows));
    let header = rows.iter().find(|(number, _)| *number == header_row);
    let header = header.map(|(_, cells)| names(cells)).filter(|_| header_row > 0);
    let rows: Vec<_> = rows.into_iter().filter(|(number, _)| *number > header_row).collect();
    let rows = rows.into_iter().take(guess::ITEMS).map(|(_, cells)| cells).collect();
    let sample = Sample { is_all, ..guess::sample_of_rows(header.as_deref(), rows) };
    Ok(Looked { name: sheet.name().to_owned(), header_row, sample })
}

fn names(cells: &[Cell]) -> Vec<String> {
    cells.iter().map(|cell| cell.text.clone()).collect()
}

fn cells(row: &SheetRow) -> Vec<Cell> {
    let cell = |column| match row.get(column) {
        Some((kind @ (Kind::Text | Kind::Number), text)) => {
            Cell { text: trim(text).to_owned(), is_number: kind == Kind::Number }
        }
        _ => Cell::default(),
    };
    (0..row.width().min(COLUMNS)).map(cell).collect()
}
