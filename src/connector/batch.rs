//! Rows on their way from a connector to the engine: an arena that is filled and emptied again
//! and again, so that a row costs no allocation.

use crate::model::{Cell, Currency, Decimal, ProblemKind};

/// A text in a batch; absent texts have no bytes and say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// No text.
    pub const ABSENT: Span = Span { start: u32::MAX, end: u32::MAX };

    /// Whether there is no text.
    pub fn is_absent(self) -> bool {
        self.start == u32::MAX
    }
}

/// A quantity or price as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Absent, empty, or a word for nothing.
    Unknown,
    /// A number.
    Known(Decimal),
    /// Nothing that can be used or written; the batch has a problem that says why.
    Invalid,
}

impl Value {
    /// Known values as a cell; an invalid one counts as unknown.
    pub fn cell(self) -> Cell {
        match self {
            Value::Known(value) => value.into(),
            _ => Cell::UNKNOWN,
        }
    }
}

/// What a price must stay clear of, or the store would end a sale by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaleBound {
    /// The sale price: a regular price at or below it would end the sale.
    Above(Decimal),
    /// The regular price: a sale price at or above it would end the sale.
    Below(Decimal),
}

impl SaleBound {
    /// Why this price would end the sale; `None`: it would not.
    pub fn objection(self, price: Decimal) -> Option<String> {
        match self {
            SaleBound::Above(sale) if price <= sale => Some(format!(
                "the sale price there is {sale}, and a regular price of {price} would end the sale"
            )),
            SaleBound::Below(regular) if price >= regular => Some(format!(
                "the regular price there is {regular}, and a sale price of {price} would end the \
                 sale"
            )),
            _ => None,
        }
    }
}

/// One delivered row. Texts are spans of the batch: trimmed, and absent instead of empty.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The connector's own id, where the mapping or store has one.
    pub item_id: Span,
    /// The SKU.
    pub sku: Span,
    /// The EAN as it stands in the source, valid or not.
    pub ean: Span,
    /// The name.
    pub name: Span,
    /// The SKU of the parent.
    pub parent_sku: Span,
    /// What the store needs beside the id.
    pub handle: Span,
    /// The quantity.
    pub quantity: Value,
    /// The price.
    pub price: Value,
    /// The price's currency, where the source names one.
    pub currency: Option<Currency>,
    /// The line in the source, from 1; 0 where it has no lines.
    pub line: u64,
}

impl Row {
    /// A row that says nothing.
    pub const EMPTY: Row = Row {
        item_id: Span::ABSENT,
        sku: Span::ABSENT,
        ean: Span::ABSENT,
        name: Span::ABSENT,
        parent_sku: Span::ABSENT,
        handle: Span::ABSENT,
        quantity: Value::Unknown,
        price: Value::Unknown,
        currency: None,
        line: 0,
    };
}

/// Something wrong with a row of the batch, or with a row that could not become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// The row's place in the batch; `None` for what is no item.
    pub row: Option<u32>,
    /// What kind.
    pub kind: ProblemKind,
    /// The line in the source, from 1; 0 where it has no lines.
    pub line: u64,
    /// What is wrong: the field, its text as far as it may be shown, what would be right.
    pub message: String,
}

/// Some rows, their texts and their problems.
#[derive(Debug, Default)]
pub struct RowBatch {
    text: String,
    rows: Vec<Row>,
    problems: Vec<RowProblem>,
    sale_bounds: Vec<(u32, SaleBound)>,
}

impl RowBatch {
    /// How many rows a reader should put into a batch before it hands it over.
    pub const ROWS: usize = 4096;

    /// Empties it, keeping the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.rows.clear();
        self.problems.clear();
        self.sale_bounds.clear();
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether it has as much as a reader should put into it.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= RowBatch::ROWS || self.text.len() >= 8 << 20
    }

    /// Adds a text. Empty texts are absent.
    pub fn add_text(&mut self, text: &str) -> Span {
        if text.is_empty() {
            return Span::ABSENT;
        }
        let start = self.text.len();
        self.text.push_str(text);
        match (u32::try_from(start), u32::try_from(self.text.len())) {
            (Ok(start), Ok(end)) if end < u32::MAX => Span { start, end },
            // Unreachable within the limits of `is_full` and of a single row.
            _ => Span::ABSENT,
        }
    }

    /// Adds a row; its spans are of this batch.
    pub fn add_row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds a problem of the row that will be added next.
    pub fn add_problem(&mut self, kind: ProblemKind, line: u64, message: String) {
        let row = u32::try_from(self.rows.len()).ok();
        self.problems.push(RowProblem { row, kind, line, message });
    }

    /// Adds a problem of the row that was added last.
    pub fn add_problem_of_last(&mut self, kind: ProblemKind, line: u64, message: String) {
        let row = self.rows.len().checked_sub(1).and_then(|row| u32::try_from(row).ok());
        self.problems.push(RowProblem { row, kind, line, message });
    }

    /// Adds a problem of something that is no item.
    pub fn add_lost_row(&mut self, kind: ProblemKind, line: u64, message: String) {
        self.problems.push(RowProblem { row: None, kind, line, message });
    }

    /// Says what the price of the row that was added last must stay clear of.
    pub fn bound_price_of_last(&mut self, bound: SaleBound) {
        if let Some(row) = self.rows.len().checked_sub(1).and_then(|row| u32::try_from(row).ok()) {
            self.sale_bounds.push((row, bound));
        }
    }

    /// The rows whose price must stay clear of something.
    pub fn sale_bounds(&self) -> impl Iterator<Item = (RowView<'_>, SaleBound)> {
        self.sale_bounds.iter().filter_map(|(row, bound)| Some((self.row(*row as usize)?, *bound)))
    }

    /// The problems, in the order of their rows.
    pub fn problems(&self) -> &[RowProblem] {
        &self.problems
    }

    /// The text of a span.
    pub fn text(&self, span: Span) -> Option<&str> {
        if span.is_absent() {
            return None;
        }
        self.text.get(span.start as usize..span.end as usize)
    }

    /// One row.
    pub fn row(&self, at: usize) -> Option<RowView<'_>> {
        self.rows.get(at).map(|row| RowView { batch: self, row })
    }

    /// One row, to change its values.
    pub(crate) fn row_mut(&mut self, at: usize) -> &mut Row {
        &mut self.rows[at]
    }

    /// How much text it holds, in bytes.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// All rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = RowView<'_>> + Clone {
        self.rows.iter().map(|row| RowView { batch: self, row })
    }
}

/// A row with its texts at hand.
#[derive(Clone, Copy)]
pub struct RowView<'a> {
    batch: &'a RowBatch,
    row: &'a Row,
}

impl<'a> RowView<'a> {
    /// The row, whose spans are of its batch.
    pub(crate) fn raw(&self) -> &'a Row {
        self.row
    }

    /// The connector's own id, where the source has one.
    pub fn item_id(&self) -> Option<&'a str> {
        self.batch.text(self.row.item_id)
    }

    /// The SKU.
    pub fn sku(&self) -> Option<&'a str> {
        self.batch.text(self.row.sku)
    }

    /// The EAN as it stands in the source.
    pub fn ean(&self) -> Option<&'a str> {
        self.batch.text(self.row.ean)
    }

    /// The name.
    pub fn name(&self) -> Option<&'a str> {
        self.batch.text(self.row.name)
    }

    /// The SKU of the parent.
    pub fn parent_sku(&self) -> Option<&'a str> {
        self.batch.text(self.row.parent_sku)
    }

    /// What the store needs beside the id.
    pub fn handle(&self) -> Option<&'a str> {
        self.batch.text(self.row.handle)
    }

    /// The quantity.
    pub fn quantity(&self) -> Value {
        self.row.quantity
    }

    /// The price.
    pub fn price(&self) -> Value {
        self.row.price
    }

    /// The price's currency, where the source names one.
    pub fn currency(&self) -> Option<Currency> {
        self.row.currency
    }

    /// The line in the source, from 1; 0 where it has no lines.
    pub fn line(&self) -> u64 {
        self.row.line
    }
}
