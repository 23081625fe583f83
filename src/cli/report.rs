//! `invsync report`.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::context::Context;
use super::output::Output;
use crate::around::Progress as _;
use crate::engine;
use crate::model::Exit;
use crate::report::{RunReport, html};
use crate::whole;

/// Write a recorded run as one page for a browser
///
/// Totals, guards, price movements, changes with a filter, and problems, in one file that needs
/// nothing else: it can be mailed, archived and printed. Of very many changes the first 5,000 are
/// shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync report 12 --html report.html         run 12 as a page\n  \
    invsync report 12 --html - > report.html     the same, on standard output\n  \
    invsync runs                                 which runs there are")]
pub(super) struct Report {
    /// The run
    #[arg(value_name = "ID")]
    id: i64,

    /// Where the page goes; `-`: standard output
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
}

impl Report {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let session = context.session(&config);
        let file = self.html.display();
        engine::run(&session, self.id, &mut |run| match self.html.as_path() {
            path if path == Path::new("-") => html(run, out),
            path if context.common.dry_run => {
                let found = if path.exists() { "would be replaced" } else { "would be written" };
                context.progress.note(&format!("{file} {found}; dry run: nothing was written"));
                Ok(())
            }
            path => {
                write(path, run)?;
                context.progress.note(&format!("wrote {file}"));
                Ok(())
            }
        })?;
        Ok(Exit::Done)
    }
}

fn write(path: &Path, run: &RunReport<'_>) -> Result<()> {
    whole::write(path, |out| html(run, out).map_err(io::Error::other))
        .with_context(|| format!("{} cannot be written", path.display()))
}
