//! `invsync inventory`.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::context::Context;
use super::output::Output;
use crate::around::Progress as _;
use crate::config::Config;
use crate::engine::{self, ProductRow, Session};
use crate::model::{Decimal, Exit, Value};
use crate::report::{Cells, Column, Format, Listing, Object, Record, Style};

/// The inventory's products and their values
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync inventory list --sku MUG-01               one product\n  \
    invsync inventory search blue mug                 by SKU, EAN or name\n  \
    invsync inventory set MUG-01 stock.main=5 price.retail=12.30\n  \
    invsync inventory set MUG-01 stock.main=          make a value unknown\n  \
    invsync inventory export > inventory.csv          everything, by SKU\n  \
    invsync inventory import inventory.csv --dry-run  what would change\n  \
    invsync inventory backup inventory-backup.db      also while runs write")]
pub(super) struct Inventory {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the products
    #[command(after_help = "Examples:\n  \
        invsync inventory list                           the first 50\n  \
        invsync inventory list --sku MUG-01 --sku MUG-02\n  \
        invsync inventory list --limit 0 --format csv    all of them")]
    List,
    Search(Search),
    /// Set values of a product
    #[command(after_help = "Examples:\n  \
        invsync inventory set MUG-01 stock.main=5 price.retail=12.30\n  \
        invsync inventory set MUG-01 stock.main=         make it unknown")]
    Set(Set),
    /// Take products and values from a CSV; an empty cell changes nothing
    #[command(after_help = "Examples:\n  \
        invsync inventory import inventory.csv --dry-run\n  \
        invsync inventory import inventory.csv")]
    Import(File),
    /// Print all products as CSV
    #[command(after_help = "Examples:\n  \
        invsync inventory export > inventory.csv")]
    Export,
    /// Copy the whole inventory into a new file
    #[command(after_help = "Examples:\n  \
        invsync inventory backup inventory-backup.db     also while runs write")]
    Backup(File),
}

/// Find products by their SKU, EAN or name
///
/// Every word must occur somewhere in them; upper and lower case are the same.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync inventory search mug\n  \
    invsync inventory search blue mug --limit 10\n  \
    invsync inventory search 40123 --format csv")]
struct Search {
    /// What to look for
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
}

#[derive(Debug, Args)]
struct Set {
    /// The product
    #[arg(value_name = "SKU")]
    sku: String,
    /// stock.WAREHOUSE=NUMBER or price.PRICE_GROUP=NUMBER; without a number: unknown
    #[arg(value_name = "COLUMN=VALUE", required = true, value_parser = assignment)]
    values: Vec<(String, String)>,
}

#[derive(Debug, Args)]
struct File {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (column, value) = text
        .split_once('=')
        .ok_or("write stock.WAREHOUSE=NUMBER or price.PRICE_GROUP=NUMBER, such as stock.main=5")?;
    Ok((column.trim().to_owned(), value.trim().to_owned()))
}

impl Inventory {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let session = context.session(&config);
        match self.action {
            Action::List => products(context, &session, context.style, out, &engine::products),
            Action::Search(search) => {
                let words: Vec<String> = search
                    .text
                    .iter()
                    .flat_map(|text| text.split_whitespace())
                    .map(str::to_owned)
                    .collect();
                products(context, &session, context.style, out, &|session, each| {
                    engine::search(session, &words, each)
                })
            }
            Action::Export => {
                let style = Style { format: Format::Csv, ..context.style };
                products(context, &session, style, out, &engine::products)
            }
            Action::Set(set) => context
                .report(out, &session, |sink| engine::set(&session, &set.sku, &set.values, sink)),
            Action::Import(import) => {
                context.report(out, &session, |sink| engine::import(&session, &import.file, sink))
            }
            Action::Backup(_) if context.common.dry_run => {
                context.progress.note("dry run: nothing was written");
                Ok(Exit::Done)
            }
            Action::Backup(backup) => {
                engine::backup(&session, &backup.file)?;
                let file = backup.file.display();
                context.progress.note(&format!("copied the inventory to {file}"));
                Ok(Exit::Done)
            }
        }
    }
}

/// What is called with every product.
type Each<'e> = &'e mut dyn FnMut(&ProductRow<'_>) -> Result<bool>;

fn products(
    context: &Context,
    session: &Session<'_>,
    style: Style,
    out: &mut Output,
    stream: &dyn Fn(&Session<'_>, Each<'_>) -> Result<()>,
) -> Result<Exit> {
    let config = session.config;
    let listing = Listing { key: "products", one: "product", columns: columns(config) };
    context.list(out, &style, listing, |each| {
        stream(session, &mut |row| each(&Product { row, config }))
    })?;
    Ok(Exit::Done)
}

fn columns(config: &Config) -> Vec<Column> {
    let texts = [
        Column::text("sku"),
        Column::optional("ean").going(1),
        Column::name("name"),
        Column::optional("parent_sku").going(0),
    ];
    let stock = config.warehouses.iter().map(|place| format!("stock.{}", place.key));
    let prices = config.price_groups.iter().map(|place| format!("price.{}", place.key));
    texts.into_iter().chain(stock.chain(prices).map(Column::number_of)).collect()
}

/// A product with its values in the order of the config.
struct Product<'a> {
    row: &'a ProductRow<'a>,
    config: &'a Config,
}

impl Product<'_> {
    fn stock(&self) -> impl Iterator<Item = (&str, Option<String>)> {
        let keys = self.config.warehouses.iter().map(|place| place.key.as_str());
        keys.zip(
            self.row.stock.iter().map(|value: &Option<Decimal>| Value::from(*value).text(None)),
        )
    }

    fn prices(&self) -> impl Iterator<Item = (&str, Option<String>)> {
        let groups = self.config.price_groups.iter().zip(self.row.prices);
        groups.map(|(group, price)| (group.key.as_str(), Value::from(*price).text(group.currency)))
    }
}

impl Record for Product<'_> {
    fn fields(&self, object: &mut Object<'_>) -> io::Result<()> {
        object.field("sku", self.row.sku)?;
        object.field("ean", &self.row.ean)?;
        object.field("name", &self.row.name)?;
        object.field("parent_sku", &self.row.parent_sku)?;
        let mut stock = object.object("stock")?;
        for (key, value) in self.stock() {
            stock.field(key, &value)?;
        }
        stock.end()?;
        let mut prices = object.object("prices")?;
        for (key, value) in self.prices() {
            prices.field(key, &value)?;
        }
        prices.end()
    }

    fn cells(&self) -> Cells<'_> {
        let texts = [Some(self.row.sku), self.row.ean, self.row.name, self.row.parent_sku];
        let values = self.stock().chain(self.prices()).map(|(_, value)| value.map(Cow::Owned));
        texts.into_iter().map(|text| text.map(Cow::Borrowed)).chain(values).collect()
    }
}
