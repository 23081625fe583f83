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
use crate::engine::{self, LinkOrder, LinkRow, Session};
use crate::model::Exit;
use crate::report::{Cells, Column, Format, Listing, Object, Record, Style};

/// Links between an integration's items and the inventory's products
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync link auto store-a                link what fits by SKU or EAN, change no value\n  \
    invsync link set store-a 4711 MUG-01     link one item by hand\n  \
    invsync link export store-a > links.csv  keep the links in git\n  \
    invsync link import store-a links.csv    and put them back")]
pub(super) struct Link {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Read the integration and link what fits; values stay as they are
    Auto(Name),
    /// Show the links
    List(Name),
    /// Link one item to a product by hand
    Set(Set),
    /// Take away the link of one item, or the mark that says never
    Remove(Item),
    /// Merge links from a CSV `item_id,sku`; an empty SKU means: never link this item
    Import(Import),
    /// Print the links as CSV `item_id,sku`
    Export(Name),
}

#[derive(Debug, Args)]
struct Name {
    /// The integration
    #[arg(value_name = "NAME")]
    name: String,
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
            Action::Auto(of) | Action::List(of) | Action::Export(of) => &of.name,
            Action::Set(set) => &set.item.name,
            Action::Remove(item) => &item.name,
            Action::Import(import) => &import.name,
        }
    }
}

impl Link {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let integration = select::one(&config, self.action.name())?;
        let session = context.session(&config);
        match self.action {
            Action::Auto(_) => {
                context.report(out, &session, |sink| engine::link_auto(&session, integration, sink))
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
