//! `invsync explain`.

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::output::Output;
use super::select;
use crate::around::Progress as _;
use crate::engine::{self, Options};
use crate::model::Exit;
use crate::report;

/// Explain a product: where its values came from, and what happens to them next
///
/// For every value the run that wrote it, when, and what it was before. Then each integration is
/// read, and what its next pull or push would do with the product is told, and why: how it is
/// linked, what is equal, unknown or held back. Writes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync explain MUG-01                       everything\n  \
    invsync explain MUG-01 store-a               read only store-a\n  \
    invsync explain MUG-01 --offline             only what is on record\n  \
    invsync explain MUG-01 --only prices         only its prices")]
pub(super) struct Explain {
    /// The product
    #[arg(value_name = "SKU")]
    sku: String,

    /// Integrations to read; else every one
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Contact nobody: only what is on record
    #[arg(long)]
    offline: bool,
}

impl Explain {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let named: Result<Vec<_>> =
            self.names.iter().map(|name| select::one(&config, name)).collect();
        let mut which = named?;
        if which.is_empty() {
            which.extend(&config.integrations);
        }
        let options = Options { offline: self.offline, ..context.common.options() };
        let session = context.session_with(&config, options);
        let (explained, exit) = engine::explain(&session, &which, self.sku.trim())?;
        context.progress.end();
        report::explain(&context.style, &explained, out)?;
        Ok(exit)
    }
}
