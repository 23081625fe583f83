//! The rows of a sheet below its header, with the mapped columns at hand.

use std::cell::{Cell, RefCell};
use std::time::SystemTime;

use super::archive::Archive;
use super::settings::XlsxSettings;
use super::sheet::{Kind, Sheet};
use crate::connector::feed::generated::Generated;
use crate::connector::feed::mapping::{Lookup, Mapping, PathId, RowFate};
use crate::connector::feed::number::trim;
use crate::connector::feed::shown;
use crate::connector::feed::source::{Source, WholeFile};
use crate::connector::file::columns;
use crate::connector::{ConnectorError, RowBatch, Want};
use crate::model::ProblemKind;

/// An opened sheet.
pub(super) struct Rows {
    whole: WholeFile,
    sheet: Sheet,
    /// The column of each path of the mapping.
    columns: Vec<usize>,
    /// The names of the columns; none without a header.
    names: Vec<String>,
    header: String,
    /// The columns whose formulas without results were told of.
    told: Vec<usize>,
    /// The paths that decide what a row is or what a price means: they cannot count as unknown.
    deciding: Vec<PathId>,
    /// The row that is looked at was not read into a batch yet: there is no header.
    is_ahead: bool,
    generated: Generated,
}

impl Rows {
    /// Opens the workbook, and finds the sheet and the mapped columns.
    pub(super) fn open(settings: &XlsxSettings, source: &Source) -> Result<Rows, ConnectorError> {
        let mut archive = Archive::open(source.open_whole()?)?;
        let sheet = Sheet::open(&mut archive, settings.sheet.as_deref())?;
        let mut rows = Rows {
            whole: archive.into_whole(),
            sheet,
            columns: Vec::new(),
            names: Vec::new(),
            header: String::new(),
            told: Vec::new(),
            deciding: settings.feed.mapping.deciding_paths(),
            is_ahead: false,
            generated: Generated::default(),
        };
        rows.find_header(settings.header_row)?;
        let names = (settings.header_row > 0).then_some(rows.names.as_slice());
        rows.columns = columns::find(&settings.feed.mapping, names, &rows.place())?;
        Ok(rows)
    }

    /// The names of the columns, for the memory of the delivery.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// The name of the sheet.
    pub(super) fn sheet_name(&self) -> &str {
        self.sheet.name()
    }

    /// Goes to the next row. `false`: there is none.
    pub(super) fn advance(&mut self) -> Result<bool, ConnectorError> {
        if std::mem::take(&mut self.is_ahead) {
            return Ok(true);
        }
        self.sheet.advance()
    }

    /// Makes an item of the row, or a problem, or both.
    pub(super) fn evaluate(
        &mut self,
        mapping: &Mapping,
        want: Want,
        out: &mut RowBatch,
    ) -> RowFate {
        let line = self.sheet.row().number;
        let mut generated = std::mem::take(&mut self.generated);
        let view = View {
            rows: self,
            is_number: Cell::new(false),
            fault: RefCell::new(None),
            without_result: RefCell::new(Vec::new()),
        };
        generated.look(mapping, &view);
        let fate = mapping.row(&view, want, line, out);
        let without_result = view.without_result.into_inner();
        self.generated = generated;
        if fate != RowFate::Item {
            return fate;
        }
        for column in without_result {
            if !self.told.contains(&column) {
                self.told.push(column);
                let message = format!(
                    "column {} has formulas without a stored result, here and maybe below; they \
                     count as unknown. Open the file in a spreadsheet program and save it",
                    self.name_of(column)
                );
                out.add_problem_of_last(ProblemKind::InvalidValue, line, message);
            }
        }
        fate
    }

    /// When the workbook says that it was made; an error where the file was written to meanwhile.
    pub(super) fn finish(self, mapping: &Mapping) -> Result<Option<SystemTime>, ConnectorError> {
        let generated = self.generated.finish(mapping, self.whole.name())?;
        self.whole.finish()?;
        Ok(generated)
    }

    fn find_header(&mut self, header_row: u64) -> Result<(), ConnectorError> {
        let mut has_rows = self.sheet.advance()?;
        let is_blank = !has_rows;
        let first = self.sheet.row().number;
        while has_rows && self.sheet.row().number < header_row {
            has_rows = self.sheet.advance()?;
        }
        let row = self.sheet.row();
        if is_blank {
            return Err(ConnectorError::source(format!(
                "{}: nothing in it; nothing was delivered",
                self.place()
            )));
        }
        if header_row == 0 {
            self.is_ahead = true;
            return Ok(());
        }
        if !has_rows || row.number != header_row {
            return Err(ConnectorError::mapping(format!(
                "{}: row {header_row} is empty, and `header_row` must be the row of the header; \
                 the first row with something in it is {first}",
                self.place()
            )));
        }
        let name = |column| row.get(column).map_or("", |(_, text)| trim(text)).to_owned();
        self.names = (0..row.width()).map(name).collect();
        self.header = self.names.join("\t");
        Ok(())
    }

    fn place(&self) -> String {
        format!("{}, sheet {}", self.whole.name(), shown(self.sheet.name()))
    }

    fn name_of(&self, column: usize) -> String {
        match self.names.get(column) {
            Some(name) if !name.is_empty() => shown(name),
            _ => format!("\"#{}\"", column + 1),
        }
    }
}

/// What the fields of one row look at.
struct View<'a> {
    rows: &'a Rows,
    is_number: Cell<bool>,
    fault: RefCell<Option<String>>,
    without_result: RefCell<Vec<usize>>,
}

impl View<'_> {
    fn cell(&self, path: PathId) -> Option<(usize, Kind, &str)> {
        let column = *self.rows.columns.get(path.index())?;
        let (kind, text) = self.rows.sheet.row().get(column)?;
        Some((column, kind, text))
    }
}

impl Lookup for View<'_> {
    fn matches(&self, path: PathId, each: &mut dyn FnMut(&str) -> bool) {
        let Some((column, kind, text)) = self.cell(path) else { return };
        let fault = match kind {
            Kind::Text | Kind::Number => {
                self.is_number.set(kind == Kind::Number);
                each(text);
                return;
            }
            Kind::NoResult if self.rows.deciding.contains(&path) => {
                "is a formula without a stored result; open the file in a spreadsheet program and \
                 save it"
                    .to_owned()
            }
            Kind::NoResult => {
                self.without_result.borrow_mut().push(column);
                return;
            }
            Kind::Error => format!("is the error {}", shown(text)),
            Kind::Inexact => format!(
                "is the number {}, and a number cell cannot keep so many digits; store it as text",
                shown(text)
            ),
            Kind::Unreadable => format!("is a cell that cannot be read: {}", shown(text)),
            Kind::TooLong => "is longer than 1 MiB, or its row than 4 MiB".to_owned(),
        };
        *self.fault.borrow_mut() = Some(fault);
    }

    #[inline]
    fn at_hand(&self, path: PathId) -> Option<&str> {
        match self.cell(path)? {
            (_, Kind::Text | Kind::Number, text)
                if memchr::memchr(0, text.as_bytes()).is_none() =>
            {
                Some(text)
            }
            _ => None,
        }
    }

    #[inline]
    fn is_number(&self) -> bool {
        self.is_number.get()
    }

    fn take_fault(&self) -> Option<String> {
        self.fault.borrow_mut().take()
    }
}
