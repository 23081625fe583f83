//! `invsync runs`.

use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::context::Context;
use super::output::Output;
use crate::around::Progress as _;
use crate::engine;
use crate::model::Exit;
use crate::report::{Listing, RUN_COLUMNS};
use crate::settings::parse_duration;

/// Show past runs, or one run with all its changes
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync runs                             the newest first\n  \
    invsync runs 12                          run 12 with its changes and problems\n  \
    invsync runs --format json               all of them, for a script\n  \
    invsync runs prune --older-than 180d     drop the changes of old runs")]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Runs {
    /// The run
    #[arg(value_name = "ID")]
    id: Option<i64>,
    #[command(subcommand)]
    command: Option<RunsCommand>,
}

#[derive(Debug, Subcommand)]
enum RunsCommand {
    Prune(Prune),
}

/// Drop the changes of old runs, so that the inventory stays small
///
/// The rows of the runs stay, and so do runs with something uncertain. It happens by itself for
/// runs older than keep_runs under [inventory] (90 days).
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync runs prune --older-than 180d --dry-run\n  \
    invsync runs prune --older-than 180d")]
struct Prune {
    /// Runs that ended longer ago than this: 180d, 12h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Duration,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(str::to_owned)
}

impl Runs {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let session = context.session(&config);
        if let Some(RunsCommand::Prune(prune)) = self.command {
            let pruned = engine::prune(&session, prune.older_than)?;
            let verb = if context.common.dry_run { "would drop" } else { "dropped" };
            context.progress.note(&format!("{verb} the changes of {pruned} runs; their rows stay"));
            return Ok(Exit::Done);
        }
        if let Some(id) = self.id {
            context.show(out, |sink| engine::run(&session, id, sink))?;
            return Ok(Exit::Done);
        }
        let listing = Listing { key: "runs", one: "run", columns: RUN_COLUMNS.to_vec() };
        context.list(out, &context.style, listing, |each| {
            engine::runs(&session, &mut |run| each(run))
        })?;
        Ok(Exit::Done)
    }
}
