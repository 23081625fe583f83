//! `invsync status`.

use anyhow::Result;
use clap::Args;

use super::context::Context;
use super::flags::Format;
use super::output::Output;
use super::select::Names;
use crate::engine;
use crate::model::{Direction, Exit};
use crate::report;

/// Show how each section stands: its last success, its age against `every`, what went wrong
///
/// Contacts nobody and needs no secrets. Exits 9 where a section is overdue: its last success is
/// older than twice its `every` (and its `jitter`), or there was none yet.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync status                           all integrations\n  \
    invsync status store-a --format json     one, for a script\n  \
    invsync status --quiet                   for cron: silent unless one is late\n  \
    invsync status --format prometheus       for Prometheus' node_exporter")]
pub(super) struct Status {
    #[command(flatten)]
    names: Names,
}

impl Status {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let config = context.config()?;
        let active = [Direction::Download, Direction::Send];
        let which = self.names.or_all().select(&config, &active, context.common.only())?;
        let status = engine::status(&context.session(&config), &which)?;
        match context.common.format {
            Format::Prometheus => report::prometheus(&status, out)?,
            _ => report::status(&context.style, &status, out)?,
        }
        let is_overdue = status.sections.iter().any(|section| section.is_overdue);
        Ok(if is_overdue { Exit::Overdue } else { Exit::Done })
    }
}
