//! `invsync history`.

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::output::Output;
use crate::engine;
use crate::model::Exit;
use crate::report::{HISTORY_COLUMNS, Listing, RecordedChange};

/// Show every recorded change of a product, oldest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync history MUG-01                   who changed what, and when\n  \
    invsync history MUG-01 --only prices     only its prices")]
pub(super) struct History {
    /// The product
    #[arg(value_name = "SKU")]
    sku: String,
}

impl History {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let session = context.session(&config);
        let only = context.common.only();
        let listing = Listing { key: "changes", one: "change", columns: HISTORY_COLUMNS.to_vec() };
        context.list(out, &context.style, listing, |each| {
            engine::history(&session, &self.sku, &mut |row| {
                if only.is_some_and(|only| only != row.change.section) {
                    return Ok(true);
                }
                each(&RecordedChange {
                    change: row.change,
                    run_id: row.run_id,
                    at: row.at,
                    integration: row.integration,
                    command: row.command,
                })
            })
        })?;
        Ok(Exit::Done)
    }
}
