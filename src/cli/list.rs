//! `invsync list`.

use std::borrow::Cow;
use std::io;

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::output::Output;
use super::select;
use crate::connector::{self, RowView};
use crate::engine;
use crate::model::{Currency, Decimal, Exit, Problem, Value};
use crate::report::{Cells, Column, Listing, Object, Record};

/// Show an integration's items, straight from it
///
/// Neither the inventory nor the integration is touched.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync list store-a                     the first 50 items\n  \
    invsync list store-a --format csv        all of them, for a spreadsheet\n  \
    invsync list wholesaler-b --sku MUG-01   one of them")]
pub(super) struct List {
    /// The integration
    #[arg(value_name = "NAME")]
    name: String,
}

pub(super) const COLUMNS: [Column; 8] = [
    Column::text("item_id"),
    Column::optional("sku"),
    Column::optional("ean").going(1),
    Column::name("name"),
    Column::optional("parent_sku").going(0),
    Column::number("quantity"),
    Column::number("price"),
    Column::optional("currency"),
];

impl List {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let integration = select::one(&config, &self.name)?;
        let session = context.session(&config);
        let group =
            integration.prices.as_ref().and_then(|prices| config.price_group(&prices.place));
        let usual = group.and_then(|group| group.currency);
        let listing = Listing { key: "items", one: "item", columns: COLUMNS.to_vec() };
        let mut problems = 0;
        let exit = context.list(out, &context.style, listing, |each| {
            engine::list(
                &session,
                integration,
                &mut |row| each(&Item { row, usual }),
                &mut |found| {
                    problems += 1;
                    if context.style.limit.is_none_or(|limit| problems <= limit) {
                        let place = place_of(found);
                        context.progress.warning(&format!("{place}{}", found.message));
                    }
                    Ok(())
                },
            )
        })?;
        if let Some(more) = context.style.limit.and_then(|limit| problems.checked_sub(limit))
            && more > 0
        {
            context.progress.warning(&format!("… and {more} more problems (--limit 0 shows all)"));
        }
        Ok(exit)
    }
}

/// Where a problem is: its line, or else its item.
fn place_of(problem: &Problem) -> String {
    match (problem.line, &problem.item_id) {
        (Some(line), _) => format!("line {line}: "),
        (None, Some(item)) if problem.sku.as_ref().is_none_or(|sku| sku == item) => {
            format!("item {item}: ")
        }
        (None, Some(item)) => {
            format!("item {item} ({}): ", problem.sku.as_deref().unwrap_or_default())
        }
        (None, None) => String::new(),
    }
}

/// An item as it was read. `usual`: the currency of a price that names none.
pub(super) struct Item<'a> {
    pub(super) row: &'a RowView<'a>,
    pub(super) usual: Option<Currency>,
}

impl Item<'_> {
    fn id(&self) -> Option<Cow<'_, str>> {
        let own = self.row.item_id().or(self.row.sku()).map(Cow::Borrowed);
        own.or_else(|| self.row.ean().map(|ean| Cow::Owned(format!("ean:{ean}"))))
    }

    /// The item as an object.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "item_id": self.id(),
            "sku": self.row.sku(),
            "ean": self.row.ean(),
            "name": self.row.name(),
            "parent_sku": self.row.parent_sku(),
            "quantity": self.quantity(),
            "price": self.price(),
            "currency": self.row.currency().map(|currency| currency.to_string()),
        })
    }

    fn quantity(&self) -> Option<String> {
        Value::from(known(self.row.quantity())).text(None)
    }

    fn price(&self) -> Option<String> {
        Value::from(known(self.row.price())).text(self.row.currency().or(self.usual))
    }
}

fn known(value: connector::Value) -> Option<Decimal> {
    match value {
        connector::Value::Known(value) => Some(value),
        connector::Value::Unknown | connector::Value::Invalid => None,
    }
}

impl Record for Item<'_> {
    fn fields(&self, object: &mut Object<'_>) -> io::Result<()> {
        object.field("item_id", &self.id())?;
        object.field("sku", &self.row.sku())?;
        object.field("ean", &self.row.ean())?;
        object.field("name", &self.row.name())?;
        object.field("parent_sku", &self.row.parent_sku())?;
        object.field("quantity", &self.quantity())?;
        object.field("price", &self.price())?;
        object.field("currency", &self.row.currency())
    }

    fn cells(&self) -> Cells<'_> {
        vec![
            self.id(),
            self.row.sku().map(Cow::Borrowed),
            self.row.ean().map(Cow::Borrowed),
            self.row.name().map(Cow::Borrowed),
            self.row.parent_sku().map(Cow::Borrowed),
            self.quantity().map(Cow::Owned),
            self.price().map(Cow::Owned),
            self.row.currency().map(|currency| Cow::Owned(currency.to_string())),
        ]
    }
}
