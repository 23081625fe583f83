//! `invsync undo`.

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::output::Output;
use crate::engine;
use crate::model::Exit;

/// Put back what a run changed, where it has not changed since
///
/// Works for pull, push, import, set and link, and for an undo itself. A push is put back at the
/// store. Values that somebody changed since are skipped and listed (exit 3). Guards do not stop
/// it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync undo 12 --dry-run                show what would be put back\n  \
    invsync undo 12                          put back all that is still its own\n  \
    invsync undo 12 --only prices            only its prices\n  \
    invsync undo 12 --sku MUG-01             only one product")]
pub(super) struct Undo {
    /// The run; `invsync runs` lists them
    #[arg(value_name = "ID")]
    id: i64,
}

impl Undo {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let session = context.session(&config);
        context.report(out, &session, |sink| engine::undo(&session, self.id, sink))
    }
}
