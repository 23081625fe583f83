//! `invsync apply`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::context::{Context, usage};
use super::output::Output;
use crate::engine::{self, SavedPlan, UsageError};
use crate::model::Exit;

/// Apply a plan that `invsync plan` saved: exactly its changes, or none
///
/// Reads and plans again, and compares. Where one change is not what would be done now, the plan is
/// stale: nothing is written, the first such changes are named, and the exit code is 1. Else this
/// is a pull or push like any other, recorded and with an undo. A plan that a guard stopped is
/// applied only if it was made with --allow.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync apply plan.json                      do what the plan says\n  \
    invsync apply plan.json --dry-run            does it still hold?\n  \
    invsync apply - < plan.json                  from standard input")]
pub(super) struct Apply {
    /// The plan; `-`: standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Apply {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let common = &context.common;
        if common.only.is_some() || !common.skus.is_empty() || !common.allow.is_empty() {
            return Err(usage(
                "--only, --sku and --allow belong to `invsync plan`, which keeps them in the plan",
            ));
        }
        let config = context.config()?;
        let plan = self.read()?;
        let session = context.session(&config);
        context.report(out, &session, |sink| engine::apply(&session, &plan, sink))
    }

    fn read(&self) -> Result<SavedPlan, UsageError> {
        if self.file == Path::new("-") {
            return SavedPlan::read(io::stdin().lock(), "standard input");
        }
        let name = self.file.display().to_string();
        let file = File::open(&self.file)
            .map_err(|why| UsageError(format!("{name} cannot be read: {why}")))?;
        SavedPlan::read(file, &name)
    }
}
