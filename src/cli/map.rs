//! `invsync map`.

use std::io::Write as _;

use anyhow::Result;
use clap::Args;
use serde_json::{Value as Json, json};

use super::context::{Context, usage};
use super::list::{COLUMNS, Item};
use super::output::Output;
use crate::config;
use crate::connector::feed::guess::{FieldLine, Line};
use crate::engine::{self, Mapped};
use crate::model::Exit;
use crate::report::{Format, Listing, Records, Style};

/// Look at a feed and propose its mapping
///
/// The integration needs no `fields` for this: `type` and `source` are enough, `connector` and
/// options that are there are kept. The first items of the feed (up to 2,000) are looked at: how it
/// is cut, where its items are, what their columns or paths hold. The answer is TOML to paste, with
/// its evidence behind each line, and the first items as they are read with it. Nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync map wholesaler-b                 the mapping to paste, and why\n  \
    invsync map wholesaler-b --format json   the same for a script\n  \
    invsync init --from feeds/stock.csv      a config for a feed, with its mapping\n\n\
    Exit codes: 0 a usable mapping was found (a SKU or id, and a\n\
    quantity or price), 1 it was not.")]
pub(super) struct Map {
    /// The integration
    #[arg(value_name = "NAME")]
    name: String,
}

/// How many items are shown.
const SHOWN: usize = 5;

impl Map {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        if !matches!(context.style.format, Format::Table | Format::Json) {
            return Err(usage("`map` prints TOML, or an object with --format json"));
        }
        let path = config::find(context.common.config.as_deref())?;
        let document = config::document(&path)?;
        let mapped = engine::map(&document, &self.name)?;
        if context.style.format == Format::Json {
            serde_json::to_writer(&mut *out, &object(&self.name, &mapped))?;
            writeln!(out)?;
        } else {
            write!(out, "{}", toml(&self.name, &mapped)?)?;
        }
        Ok(verdict(context, &mapped))
    }
}

/// Says what to do where the mapping is not enough.
pub(super) fn verdict(context: &Context, mapped: &Mapped) -> Exit {
    if mapped.proposal.is_usable() && mapped.fault.is_none() {
        return Exit::Done;
    }
    let why = match &mapped.fault {
        Some(fault) => format!("the proposed mapping cannot be used as it is: {fault}"),
        None if mapped.proposal.items == 0 => "no items were found; say where they are with \
            `items`, or check that this is the right file"
            .to_owned(),
        None => "no usable mapping was found: it needs a sku or item_id, and a quantity or price. \
            Name the columns or paths that hold them yourself, in `fields`"
            .to_owned(),
    };
    context.progress.error(&why);
    Exit::Failed
}

/// The whole answer as TOML: what is to be pasted, all else in comments.
fn toml(name: &str, mapped: &Mapped) -> Result<String> {
    let mut text = heading(mapped);
    if !mapped.lines.is_empty() {
        text += &format!("# These lines belong into [integrations.{name}], right below its own:\n");
        text += &format!("{}\n", mapped.lines);
    }
    text += &mapped.table;
    if !mapped.has_sections {
        text += &sections(name, mapped, "#");
    }
    text += &items(mapped)?;
    Ok(text)
}

/// What was looked at.
pub(super) fn heading(mapped: &Mapped) -> String {
    let proposal = &mapped.proposal;
    let share = if proposal.is_all { "all" } else { "the first" };
    format!("# {}; items that were looked at: {share} {}\n", mapped.connector, proposal.items)
}

/// Sections for what the mapping provides.
pub(super) fn sections(name: &str, mapped: &Mapped, before: &str) -> String {
    let known = [
        ("quantity", "stock", "warehouse = \"main\""),
        ("price", "prices", "price_group = \"retail\""),
    ];
    let mut text = String::new();
    for (_, section, place) in known.iter().filter(|(field, ..)| mapped.proposal.has(field)) {
        text += &format!(
            "\n{before}[integrations.{name}.{section}]\n{before}direction = \"download\"\n\
             {before}{place}\n"
        );
    }
    text
}

/// The first items as comments.
pub(super) fn items(mapped: &Mapped) -> Result<String> {
    if mapped.items.is_empty() {
        return Ok(String::new());
    }
    let mut table = Vec::new();
    let style = Style { limit: None, color: false, width: Some(96), ..Style::default() };
    let listing = Listing { key: "items", one: "item", columns: COLUMNS.to_vec() };
    let mut records = Records::new(&style, listing, &mut table)?;
    for row in mapped.items.rows().take(SHOWN) {
        records.row(&Item { row: &row, usual: None })?;
    }
    records.end()?;
    let table = String::from_utf8_lossy(&table);
    let mut text = String::from("\n# The first items as they are read with this:\n#\n");
    let lines = table.lines().filter(|line| !line.ends_with(" items") && *line != "1 item");
    text.extend(lines.map(|line| format!("# {}\n", line.trim_end())));
    let problems = mapped.items.problems();
    if !problems.is_empty() {
        text += "#\n# What is wrong with some of them:\n";
    }
    text.extend(problems.iter().take(SHOWN).map(|found| {
        let message = crate::report::shown(&found.message);
        format!("# line {}: {message}\n", found.line)
    }));
    Ok(text)
}

fn object(name: &str, mapped: &Mapped) -> Json {
    let proposal = &mapped.proposal;
    let missing = proposal
        .missing
        .iter()
        .map(|(field, others)| json!({ "field": field, "alternatives": lines(others) }));
    let items = mapped.items.rows().take(SHOWN).map(|row| Item { row: &row, usual: None }.json());
    let problems = mapped.items.problems().iter().take(SHOWN);
    let problems = problems.map(|found| json!({ "line": found.line, "message": found.message }));
    json!({
        "schema_version": 1,
        "integration": name,
        "connector": mapped.connector,
        "usable": proposal.is_usable() && mapped.fault.is_none(),
        "items_looked_at": proposal.items,
        "all_items": proposal.is_all,
        "options": lines(&proposal.options),
        "fields": proposal.fields.iter().map(field).collect::<Vec<_>>(),
        "missing": missing.collect::<Vec<_>>(),
        "toml": format!("{}\n{}", mapped.lines, mapped.table),
        "items": items.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
        "error": mapped.fault,
    })
}

fn field(field: &FieldLine) -> Json {
    json!({
        "field": field.line.key,
        "value": field.line.value,
        "evidence": field.line.evidence,
        "doubt": field.doubt,
        "alternatives": lines(&field.alternatives),
    })
}

fn lines(lines: &[Line]) -> Vec<Json> {
    let line =
        |line: &Line| json!({ "key": line.key, "value": line.value, "evidence": line.evidence });
    lines.iter().map(line).collect()
}
