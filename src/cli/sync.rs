//! `invsync sync`.

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::jobs::Jobs;
use super::output::Output;
use super::question::Asking;
use super::select::Names;
use crate::engine::{self, Session};
use crate::model::{Direction, Exit};

/// Run all pulls, then all pushes
///
/// Each integration is read once. Its push runs whatever became of its pull.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync sync --all                       everything, now\n  \
    invsync sync --all --due --quiet         for cron: what `every` says is due\n  \
    invsync sync --all --jobs 4              four integrations at a time\n  \
    invsync sync store-a --dry-run           show both directions")]
pub(super) struct Sync {
    #[command(flatten)]
    names: Names,

    #[command(flatten)]
    jobs: Jobs,

    /// Only what `every` in the config says is due
    #[arg(long)]
    due: bool,

    #[command(flatten)]
    asking: Asking,
}

impl Sync {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let both = [Direction::Download, Direction::Send];
        let which = self.names.select(&config, &both, context.common.only())?;
        let confirm = self.asking.who(context)?;
        let options = self.jobs.options(context);
        let session = Session { confirm, ..context.session_with(&config, options) };
        context.report(out, &session, |sink| engine::sync(&session, &which, self.due, sink))
    }
}
