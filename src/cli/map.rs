//! `invsync map`.

use std::io::Write as _;

use anyhow::Result;
use clap::Args;
use serde_json::{Value as Json, json};

use super::context::{Context, usage};
use super::list::{COLUMNS, Item};
use super::output::Output;
use crate::config;
use crate::connector::feed::guess::{self, FieldLine, Line};
use crate::engine::{self, FittingPreset, Mapped};
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
        let all = engine::map(&document, &self.name, &context.around())?;
        if context.style.format == Format::Json {
            serde_json::to_writer(&mut *out, &object(&self.name, &all))?;
            writeln!(out)?;
        } else {
            if let Some(first) = all.first().filter(|first| first.lacks_connector) {
                let connector = guess::quoted(&first.connector);
                let name = &self.name;
                writeln!(out, "# [integrations.{name}] itself needs a connector too:")?;
                writeln!(out, "connector = {connector}\n")?;
            }
            for (at, mapped) in all.iter().enumerate() {
                if at > 0 {
                    writeln!(out)?;
                }
                write!(out, "{}", toml(&self.name, mapped, all.len() > 1)?)?;
            }
        }
        let exits = all.iter().map(|mapped| verdict(context, &self.name, mapped, all.len() > 1));
        Ok(exits.fold(Exit::Done, Exit::max))
    }
}

/// Says what to do where a mapping is not enough. `is_one_of_several`: which it is must be said.
pub(super) fn verdict(
    context: &Context,
    name: &str,
    mapped: &Mapped,
    is_one_of_several: bool,
) -> Exit {
    if mapped.is_usable() {
        return Exit::Done;
    }
    let why = match &mapped.fault {
        Some(fault) => format!("the proposed mapping cannot be used as it is: {fault}"),
        None if mapped.proposal.items == 0 => "no items were found; say where they are with \
            `items`, or check that this is the right file"
            .to_owned(),
        None if mapped.table.join.is_some() => {
            "no usable mapping was found: it needs a `key`, the \
            column or path that holds the SKU, and what is to be taken from it in `fields`"
                .to_owned()
        }
        None => "no usable mapping was found: it needs a sku or item_id, and a quantity or price. \
            Name the columns or paths that hold them yourself, in `fields`"
            .to_owned(),
    };
    let place =
        if is_one_of_several { format!("{}: ", place(name, mapped)) } else { String::new() };
    context.progress.error(&format!("{place}{why}"));
    Exit::Failed
}

/// The table of the source, as one reads it: `[integrations.x.stock]`.
fn place(name: &str, mapped: &Mapped) -> String {
    let path = mapped.table.path(name);
    match mapped.table.join {
        None => format!("[{path}]"),
        Some(n) => format!("[[{path}]] number {n}"),
    }
}

/// The whole answer for one source as TOML: what is to be pasted, all else in comments.
fn toml(name: &str, mapped: &Mapped, is_one_of_several: bool) -> Result<String> {
    let mut text = heading(mapped);
    if is_one_of_several {
        text = format!("# {}\n{text}", place(name, mapped));
    }
    text += &presets(mapped);
    let mut lines = guess::lines(&mapped.proposal);
    if mapped.table.join.is_some() {
        lines += &guess::inline(&mapped.proposal);
    }
    if !lines.is_empty() {
        let place = place(name, mapped);
        text += &format!("# These lines belong into {place}, right below its own:\n{lines}\n");
    }
    if mapped.table.join.is_none() {
        text += &guess::table(&mapped.proposal, &mapped.table.path(name));
    }
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

/// The presets that can be used in place of the mapping.
pub(super) fn presets(mapped: &Mapped) -> String {
    let mut text = String::new();
    for preset in &mapped.presets {
        let FittingPreset { name, about, differs } = preset;
        text += &match differs.is_empty() {
            true => format!("# It fits a preset ({about}), which reads the same:\n"),
            false => format!(
                "# It fits a preset ({about}), which reads these otherwise: {}:\n",
                differs.join(", ")
            ),
        };
        text += &format!("#preset = {}\n", guess::quoted(name));
    }
    if !text.is_empty() {
        text += "# With that line, `connector`, `items`, `variants` and `fields` below are not needed.\n";
    }
    text
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

/// What a script gets: whether all of it can be used, all that is to be merged into the config, and
/// each source; the first one is also the object itself.
fn object(name: &str, all: &[Mapped]) -> Json {
    let sources: Vec<_> = all.iter().map(|mapped| source(name, mapped)).collect();
    let mut object = sources.first().cloned().unwrap_or_else(|| json!({}));
    object["schema_version"] = json!(1);
    object["integration"] = json!(name);
    object["usable"] = json!(all.iter().all(Mapped::is_usable));
    object["sources"] = json!(sources);
    object
}

fn source(name: &str, mapped: &Mapped) -> Json {
    let proposal = &mapped.proposal;
    let missing = proposal
        .missing
        .iter()
        .map(|(field, others)| json!({ "field": field, "alternatives": lines(others) }));
    let items = mapped.items.rows().take(SHOWN).map(|row| Item { row: &row, usual: None }.json());
    let problems = mapped.items.problems().iter().take(SHOWN);
    let problems = problems.map(|found| json!({ "line": found.line, "message": found.message }));
    json!({
        "table": mapped.table.path(name),
        "join": mapped.table.join,
        "connector": mapped.connector,
        "usable": mapped.is_usable(),
        "presets": mapped.presets.iter().map(preset).collect::<Vec<_>>(),
        "items_looked_at": proposal.items,
        "all_items": proposal.is_all,
        "options": lines(&proposal.options),
        "fields": proposal.fields.iter().map(field).collect::<Vec<_>>(),
        "missing": missing.collect::<Vec<_>>(),
        "toml": guess::all_keys(proposal),
        "items": items.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
        "error": mapped.fault,
    })
}

fn preset(preset: &FittingPreset) -> Json {
    json!({ "preset": preset.name, "about": preset.about, "differs": preset.differs })
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
