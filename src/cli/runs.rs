//! `invsync runs`.

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::output::Output;
use crate::engine;
use crate::model::Exit;
use crate::report::{Listing, RUN_COLUMNS};

/// Show past runs, or one run with all its changes
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync runs                             the newest first\n  \
    invsync runs 12                          run 12 with its changes and problems\n  \
    invsync runs --format json               all of them, for a script")]
pub(super) struct Runs {
    /// The run
    #[arg(value_name = "ID")]
    id: Option<i64>,
}

impl Runs {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let session = context.session(&config);
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
