//! One product explained: where its values came from, and what the next runs would do with them.

use std::borrow::Cow;
use std::io::{self, Write};

use super::grid::{Fit, Grid, GridColumn, Tone, bold};
use super::json::Object;
use super::records::{Cells, Column, Listing, Record, Records};
use super::words::UNKNOWN;
use super::{Format, Style, escape};
use crate::model::{ChangeStatus, Command, Currency, Decimal, LinkedBy, Section, Timestamp, Value};

/// What is known of a product.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The SKU.
    pub sku: String,
    /// The EAN.
    pub ean: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// Its value in every declared warehouse and price group.
    pub values: Vec<Origin>,
    /// What the next runs would do; empty where nobody was asked.
    pub next: Vec<Step>,
}

/// One value, and where it came from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The section.
    pub section: Section,
    /// The key of the warehouse or price group.
    pub place: String,
    /// The price group's currency.
    pub currency: Option<Currency>,
    /// The value; `None`: unknown.
    pub value: Option<Decimal>,
    /// The run that wrote it; `None`: nobody has.
    pub written_by: Option<WrittenBy>,
}

/// The run that wrote a value.
#[derive(Clone, Debug)]
pub struct WrittenBy {
    /// Its id.
    pub run_id: i64,
    /// When it ended.
    pub at: Timestamp,
    /// Its command.
    pub command: Command,
    /// Its integration.
    pub integration: Option<String>,
    /// The item that the value came from.
    pub item_id: Option<String>,
    /// What the value was before; the outer `None`: that is not on record any more.
    pub before: Option<Option<Decimal>>,
}

/// What the next run of an integration would do with one value.
#[derive(Clone, Debug)]
pub struct Step {
    /// The integration.
    pub integration: String,
    /// `pull` or `push`; `None` where the section is switched off.
    pub command: Option<Command>,
    /// The section; `None` where the whole run fails.
    pub section: Option<Section>,
    /// The key of the warehouse or price group.
    pub place: Option<String>,
    /// The stock location at the store, as the config names it.
    pub location: Option<String>,
    /// The price group's currency.
    pub currency: Option<Currency>,
    /// The linked item.
    pub item_id: Option<String>,
    /// How it is linked.
    pub linked_by: Option<LinkedBy>,
    /// The value now where it would be written.
    pub before: Option<Decimal>,
    /// The superior side's value.
    pub after: Option<Decimal>,
    /// What would become of the change; `None`: there is none to make.
    pub status: Option<ChangeStatus>,
    /// The run fails before anything is known.
    pub is_failure: bool,
    /// Why.
    pub why: String,
}

/// Prints what is known of a product.
pub fn explain(style: &Style, explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    match style.format {
        Format::Json => json(explained, out),
        Format::Table => table(style, explained, out),
        Format::Csv | Format::Markdown => {
            let mut records = Records::new(style, listing("facts", &COLUMNS), out)?;
            explained.values.iter().try_for_each(|origin| records.row(&Fact(origin.cells())))?;
            explained.next.iter().try_for_each(|step| records.row(&Fact(step.cells())))?;
            records.end()
        }
    }
}

/// Of a value and of a step, in one table: what is a value has no command to come.
const COLUMNS: [Column; 13] = [
    Column::text("fact"),
    Column::text("section"),
    Column::text("target"),
    Column::text("before"),
    Column::text("after"),
    Column::text("status"),
    Column::text("integration"),
    Column::text("command"),
    Column::text("run_id"),
    Column::text("at"),
    Column::text("item_id"),
    Column::text("linked_by"),
    Column::text("why"),
];

fn listing(key: &'static str, columns: &[Column]) -> Listing {
    Listing { key, one: "row", columns: columns.to_vec() }
}

fn text(value: Option<Decimal>, currency: Option<Currency>) -> Option<String> {
    Value::from(value).text(currency)
}

impl Origin {
    /// The cells of [`COLUMNS`].
    fn cells(&self) -> Vec<Option<String>> {
        let by = self.written_by.as_ref();
        let before = by.and_then(|by| by.before).flatten();
        vec![
            Some("value".to_owned()),
            Some(self.section.word().to_owned()),
            Some(self.place.clone()),
            text(before, self.currency),
            text(self.value, self.currency),
            None,
            by.and_then(|by| by.integration.clone()),
            by.map(|by| by.command.word().to_owned()),
            by.map(|by| by.run_id.to_string()),
            by.map(|by| by.at.rfc3339()),
            by.and_then(|by| by.item_id.clone()),
            None,
            None,
        ]
    }

    /// `run 12: pull of store-a (item 17), 2026-11-24T08:00:00Z`.
    fn whence(&self) -> String {
        let Some(by) = &self.written_by else { return "nobody has said anything yet".to_owned() };
        let of = by.integration.as_deref().map(|name| format!(" of {name}")).unwrap_or_default();
        let item = by.item_id.as_deref().filter(|_| by.integration.is_some());
        let item = item.map(|item| format!(" (item {item})")).unwrap_or_default();
        format!("run {}: {}{of}{item}, {}", by.run_id, by.command.word(), by.at.rfc3339())
    }
}

impl Step {
    /// The cells of [`COLUMNS`].
    fn cells(&self) -> Vec<Option<String>> {
        vec![
            Some("next".to_owned()),
            self.section.map(|section| section.word().to_owned()),
            self.place.clone(),
            text(self.before, self.currency),
            text(self.after, self.currency),
            self.status_word().map(str::to_owned),
            Some(self.integration.clone()),
            self.command.map(|command| command.word().to_owned()),
            None,
            None,
            self.item_id.clone(),
            self.linked_by.map(|by| by.word().to_owned()),
            Some(self.why.clone()),
        ]
    }

    fn status_word(&self) -> Option<&'static str> {
        if self.is_failure { Some("failed") } else { self.status.map(ChangeStatus::word) }
    }

    /// `link by sku to item 17`.
    fn link(&self) -> Option<String> {
        let (item, by) = self.item_id.as_ref().zip(self.linked_by)?;
        Some(format!("item {item}, linked by {}", by.word()))
    }
}

/// A row of several columns.
struct Fact(Vec<Option<String>>);

impl Record for Fact {
    fn fields(&self, _: &mut Object<'_>) -> io::Result<()> {
        Ok(())
    }

    fn cells(&self) -> Cells<'_> {
        self.0.iter().map(|cell| cell.as_deref().map(Cow::Borrowed)).collect()
    }
}

fn table(style: &Style, explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    let texts = [Some(&explained.sku), explained.name.as_ref(), explained.ean.as_ref()];
    let texts: Vec<_> = texts.into_iter().flatten().map(|text| escape::shown(text)).collect();
    writeln!(out, "{}\n", bold(&texts.join("  "), style))?;
    let unknown = || Some(UNKNOWN.to_owned());
    let columns = [
        GridColumn::text("value", 2),
        GridColumn::number("before"),
        GridColumn::number("now"),
        GridColumn::text("from", 1).fitting(Fit::Wrap),
    ];
    let mut grid = Grid::new(style, columns.to_vec());
    for origin in &explained.values {
        let kind = if origin.section == Section::Stock { "stock" } else { "price" };
        let before = origin.written_by.as_ref().and_then(|by| by.before);
        let before = before.map(|before| text(before, origin.currency).or_else(unknown));
        let cells = vec![
            format!("{kind}.{}", origin.place),
            before.flatten().unwrap_or_default(),
            text(origin.value, origin.currency).or_else(unknown).unwrap_or_default(),
            escape::shown(&origin.whence()).into_owned(),
        ];
        grid.push(out, Tone::Plain, cells)?;
    }
    grid.flush(out)?;
    for (at, step) in explained.next.iter().enumerate() {
        if at == 0 {
            writeln!(out, "\n{}", bold("what the next runs would do", style))?;
        }
        let sentence = sentence(step);
        let lines = match style.width {
            Some(width) => escape::wrap(&sentence, width.saturating_sub(2)),
            None => vec![sentence],
        };
        writeln!(out, "{}", lines.join("\n  "))?;
    }
    out.flush()
}

/// `pull store-a, stock.main: 4 → 3, planned: store-a is superior (item 17, linked by sku)`.
fn sentence(step: &Step) -> String {
    let command = step.command.map(|command| format!("{} ", command.word())).unwrap_or_default();
    let mut line = format!("{command}{}", step.integration);
    if let Some(location) = &step.location {
        line += &format!("/{}", escape::shown(location));
    }
    if let Some(section) = step.section {
        let kind = if section == Section::Stock { "stock" } else { "price" };
        let place = step.place.as_deref().map(|place| format!(".{place}")).unwrap_or_default();
        line += &format!(", {kind}{place}");
    }
    line.push_str(": ");
    let side = |value| text(value, step.currency).unwrap_or_else(|| UNKNOWN.to_owned());
    match step.status_word() {
        Some("failed") => line += "failed: ",
        Some(status) => {
            let status = status.replace('_', " ");
            line += &format!("{} → {}, {status}: ", side(step.before), side(step.after));
        }
        None => {}
    }
    line += &escape::shown_lines(&step.why);
    if let Some(link) = step.link() {
        line += &format!(" ({})", escape::shown(&link));
    }
    line
}

fn json(explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    let mut object = Object::begin(out)?;
    object.field("schema_version", &1)?;
    object.field("sku", &explained.sku)?;
    object.field("ean", &explained.ean)?;
    object.field("name", &explained.name)?;
    let mut values = object.list("values")?;
    for origin in &explained.values {
        let mut item = values.item()?;
        place(&mut item, Some(origin.section), Some(&origin.place), origin.currency)?;
        item.field("value", &text(origin.value, origin.currency))?;
        let by = origin.written_by.as_ref();
        item.field("before", &text(by.and_then(|by| by.before).flatten(), origin.currency))?;
        item.field("run_id", &by.map(|by| by.run_id))?;
        item.field("at", &by.map(|by| by.at.rfc3339()))?;
        item.field("command", &by.map(|by| by.command))?;
        item.field("integration", &by.and_then(|by| by.integration.as_deref()))?;
        item.field("item_id", &by.and_then(|by| by.item_id.as_deref()))?;
        item.end()?;
    }
    values.end()?;
    let mut next = object.list("next")?;
    for step in &explained.next {
        let mut item = next.item()?;
        item.field("integration", &step.integration)?;
        item.field("command", &step.command)?;
        place(&mut item, step.section, step.place.as_deref(), step.currency)?;
        if let Some(location) = &step.location {
            item.field("location", location)?;
        }
        item.field("item_id", &step.item_id)?;
        item.field("linked_by", &step.linked_by)?;
        item.field("before", &text(step.before, step.currency))?;
        item.field("after", &text(step.after, step.currency))?;
        item.field("status", &step.status_word())?;
        item.field("message", &step.why)?;
        item.end()?;
    }
    next.end()?;
    object.end()?;
    out.write_all(b"\n")?;
    out.flush()
}

fn place(
    item: &mut Object<'_>,
    section: Option<Section>,
    place: Option<&str>,
    currency: Option<Currency>,
) -> io::Result<()> {
    item.field("section", &section)?;
    match section {
        Some(Section::Stock) => item.field("warehouse", &place),
        Some(Section::Prices) => {
            item.field("price_group", &place)?;
            item.field("currency", &currency)
        }
        _ => Ok(()),
    }
}
