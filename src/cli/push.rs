//! `invsync push`.

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::jobs::Jobs;
use super::output::Output;
use super::question::Asking;
use super::select::Names;
use crate::engine::{self, Session};
use crate::model::{Direction, Exit};

/// Send stock and prices of the inventory to stores
///
/// Runs the sections with direction = "send": the inventory is superior. Only quantities and
/// prices of linked items are ever written, and only where they differ.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync push store-a --dry-run --exit-code   exit 10 where it would send\n  \
    invsync push store-a --sku MUG-01            only one product\n  \
    invsync push store-a --interactive           show what would be sent, and ask\n  \
    invsync push --all --only prices             only prices")]
pub(super) struct Push {
    #[command(flatten)]
    names: Names,

    #[command(flatten)]
    jobs: Jobs,

    #[command(flatten)]
    asking: Asking,
}

impl Push {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let which = self.names.select(&config, &[Direction::Send], context.common.only())?;
        let confirm = self.asking.who(context)?;
        let options = self.jobs.options(context);
        let session = Session { confirm, ..context.session_with(&config, options) };
        context.report(out, &session, |sink| engine::push(&session, &which, sink))
    }
}
