//! `invsync pull`.

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::jobs::Jobs;
use super::output::Output;
use super::select::Names;
use crate::engine;
use crate::model::{Direction, Exit};

/// Take stock and prices from stores and wholesalers into the inventory
///
/// Runs the sections with direction = "download": the integration is superior, its values
/// overwrite the inventory's. A pull is applied whole or not at all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync pull store-a --dry-run            show what would change\n  \
    invsync pull store-a wholesaler-b         two of them\n  \
    invsync pull --all --only stock           only quantities\n  \
    invsync pull store-a --allow max_changed  accept what a guard stopped")]
pub(super) struct Pull {
    #[command(flatten)]
    names: Names,

    #[command(flatten)]
    jobs: Jobs,
}

impl Pull {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let which = self.names.select(&config, &[Direction::Download], context.common.only())?;
        let session = context.session_with(&config, self.jobs.options(context));
        context.report(out, &session, |sink| engine::pull(&session, &which, sink))
    }
}
