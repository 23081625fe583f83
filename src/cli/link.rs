//! `invsync link`.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::context::Context;
use super::output::Output;
use super::select;
use crate::config::Integration;
use crate::engine::{self, LinkDifference, LinkOrder, LinkRow, LinkTo, Options, Session};
use crate::model::Exit;
use crate::report::{Cells, Column, Format, Listing, Object, Record, Style};

/// Links between an integration's items and the inventory's products
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync link auto store-a                link what fits, change no value\n  \
    invsync link set store-a 4711 MUG-01     link one item by hand\n  \
    invsync link export store-a > links.csv  keep the links in git\n  \
    invsync link import store-a links.csv    and put them back\n\n\
    Where the config has links = \"FILE\" the links stand in that file:\n  \
    invsync link auto store-a                show what fits and is not in it\n  \
    invsync link auto store-a --write        write that into it, for review\n  \
    invsync link diff store-a                what does not agree with it")]
pub(super) struct Link {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read the integration and link what fits; values stay as they are
    #[command(after_help = "Examples:\n  \
        invsync link auto store-a --dry-run      show what would be linked\n  \
        invsync link auto store-a                link it")]
    Auto(Auto),
    /// Show what links file, inventory and integration do not agree on
    #[command(after_help = "Examples:\n  \
        invsync link diff store-a                file, inventory and store-a\n  \
        invsync link diff store-a --offline      file and inventory only")]
    Diff(Diff),
    /// Show the links
    #[command(after_help = "Examples:\n  \
        invsync link list store-a --limit 0      all of them")]
    List(Name),
    /// Link one item to a product by hand
    #[command(after_help = "Examples:\n  \
        invsync link set store-a 4711 MUG-01     from now on they belong together\n  \
        invsync link set store-a 4712 \"\"         never link this item")]
    Set(Set),
    /// Take away the link of one item, or the mark that says never
    #[command(after_help = "Examples:\n  \
        invsync link remove store-a 4711         it is not linked again by itself\n  \
        invsync link remove store-a 4711         the second time: it may be")]
    Remove(Item),
    /// Merge links from a CSV `item_id,sku`; an empty SKU means: never link this item
    #[command(after_help = "Examples:\n  \
        invsync link import store-a links.csv --dry-run   what would change\n  \
        invsync link import store-a links.csv             take it over")]
    Import(Import),
    /// Print the links as CSV `item_id,sku`
    #[command(after_help = "Examples:\n  \
        invsync link export store-a > links.csv  sorted, fit for git")]
    Export(Name),
}

#[derive(Debug, Args)]
struct Name {
    /// The integration
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Debug, Args)]
struct Auto {
    /// The integration
    #[arg(value_name = "NAME")]
    name: String,
    /// Write what fits into the links file of the config
    #[arg(long)]
    write: bool,
}

#[derive(Debug, Args)]
struct Diff {
    /// The integration
    #[arg(value_name = "NAME")]
    name: String,
    /// Contact nobody: compare only the links file with the inventory
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Args)]
struct Item {
    /// The integration
    #[arg(value_name = "NAME")]
    name: String,
    /// The item's id, as `invsync list` shows it
    #[arg(value_name = "ITEM_ID")]
    item_id: String,
}

#[derive(Debug, Args)]
struct Set {
    #[command(flatten)]
    item: Item,
    /// The product's SKU; empty ("") means: never link this item
    #[arg(value_name = "SKU")]
    sku: String,
}

#[derive(Debug, Args)]
struct Import {
    /// The integration
    #[arg(value_name = "NAME")]
    name: String,
    /// The CSV
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Action {
    fn name(&self) -> &str {
        match self {
            Action::List(of) | Action::Export(of) => &of.name,
            Action::Auto(auto) => &auto.name,
            Action::Diff(diff) => &diff.name,
            Action::Set(set) => &set.item.name,
            Action::Remove(item) => &item.name,
            Action::Import(import) => &import.name,
        }
    }
}

impl Link {
    /// Whether it writes nothing anywhere.
    pub(super) fn only_looks(&self) -> bool {
        matches!(self.action, Action::Diff(_))
    }

    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let integration = select::one(&config, self.action.name())?;
        let session = context.session(&config);
        match self.action {
            Action::Auto(auto) => {
                let to = if auto.write { LinkTo::File } else { LinkTo::Inventory };
                context.report(out, &session, |sink| {
                    engine::link_auto(&session, integration, to, sink)
                })
            }
            Action::Diff(of) => {
                let options = Options { offline: of.offline, ..context.common.options() };
                let session = context.session_with(&config, options);
                diff(context, &session, integration, out)
            }
            Action::Set(set) => {
                let sku = Some(set.sku).filter(|sku| !sku.is_empty());
                let order = LinkOrder { item_id: set.item.item_id, sku, line: None };
                context.report(out, &session, |sink| {
                    engine::link_set(&session, integration, order, sink)
                })
            }
            Action::Remove(item) => context.report(out, &session, |sink| {
                engine::link_remove(&session, integration, &item.item_id, sink)
            }),
            Action::Import(import) => context.report(out, &session, |sink| {
                engine::link_import(&session, integration, &import.file, sink)
            }),
            Action::List(_) => list(context, &session, integration, out),
            Action::Export(_) => export(context, &session, integration, out),
        }
    }
}

fn list(
    context: &Context,
    session: &Session<'_>,
    integration: &Integration,
    out: &mut Output,
) -> Result<Exit> {
    let columns = vec![Column::text("item_id"), Column::text("sku"), Column::text("linked_by")];
    let listing = Listing { key: "links", one: "link", columns };
    context.list(out, &context.style, listing, |each| {
        engine::links(session, integration, &mut |link| each(&Listed(link)))
    })?;
    Ok(Exit::Done)
}

fn export(
    context: &Context,
    session: &Session<'_>,
    integration: &Integration,
    out: &mut Output,
) -> Result<Exit> {
    let columns = vec![Column::text("item_id"), Column::text("sku")];
    let listing = Listing { key: "links", one: "link", columns };
    let style = Style { format: Format::Csv, ..context.style };
    context.list(out, &style, listing, |each| {
        engine::links(session, integration, &mut |link| each(&Exported(link)))
    })?;
    Ok(Exit::Done)
}

fn diff(
    context: &Context,
    session: &Session<'_>,
    integration: &Integration,
    out: &mut Output,
) -> Result<Exit> {
    let columns = ["item_id", "in_file", "in_inventory", "proposed", "line", "state"];
    let columns = columns.map(|title| match title {
        "line" => Column::number(title),
        title => Column::text(title),
    });
    let listing = Listing { key: "differences", one: "difference", columns: columns.to_vec() };
    context.list(out, &context.style, listing, |each| {
        engine::link_diff(session, integration, &mut |found| each(&Different(found)))
    })
}

/// An item that links file, inventory and integration do not agree on.
struct Different<'a>(&'a LinkDifference<'a>);

impl Record for Different<'_> {
    fn fields(&self, object: &mut Object<'_>) -> io::Result<()> {
        let side = |side: Option<Option<&str>>| {
            side.map(|sku| serde_json::json!({ "sku": sku })).unwrap_or_default()
        };
        object.field("item_id", self.0.item_id)?;
        object.field("in_file", &side(self.0.in_file))?;
        object.field("in_inventory", &side(self.0.in_inventory))?;
        object.field("proposed", &self.0.proposed)?;
        object.field("line", &self.0.line)?;
        object.field("state", self.0.state)
    }

    fn cells(&self) -> Cells<'_> {
        let side = |side: Option<Option<&'_ str>>| {
            side.map(|sku| Cow::Owned(sku.unwrap_or("(never)").to_owned()))
        };
        vec![
            Some(Cow::Borrowed(self.0.item_id)),
            side(self.0.in_file),
            side(self.0.in_inventory),
            self.0.proposed.map(Cow::Borrowed),
            self.0.line.map(|line| Cow::Owned(line.to_string())),
            Some(Cow::Borrowed(self.0.state)),
        ]
    }
}

/// A link in a list.
struct Listed<'a>(&'a LinkRow<'a>);

impl Record for Listed<'_> {
    fn fields(&self, object: &mut Object<'_>) -> io::Result<()> {
        object.field("item_id", self.0.item_id)?;
        object.field("sku", &self.0.sku)?;
        object.field("linked_by", &self.0.linked_by)
    }

    fn cells(&self) -> Cells<'_> {
        vec![
            Some(Cow::Borrowed(self.0.item_id)),
            self.0.sku.map(Cow::Borrowed),
            Some(Cow::Borrowed(self.0.linked_by.word())),
        ]
    }
}

/// A link in the CSV that `link import` reads.
struct Exported<'a>(&'a LinkRow<'a>);

impl Record for Exported<'_> {
    fn fields(&self, object: &mut Object<'_>) -> io::Result<()> {
        object.field("item_id", self.0.item_id)?;
        object.field("sku", &self.0.sku)
    }

    fn cells(&self) -> Cells<'_> {
        vec![Some(Cow::Borrowed(self.0.item_id)), self.0.sku.map(Cow::Borrowed)]
    }
}
