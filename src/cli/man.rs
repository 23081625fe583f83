//! `invsync man`.

use anyhow::Result;
use clap::{Args, CommandFactory as _};

use super::Cli;
use super::output::Output;
use crate::model::Exit;

/// Print the man page
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync man > ~/.local/share/man/man1/invsync.1")]
pub(super) struct Man {}

impl Man {
    pub(super) fn run(self, out: &mut Output) -> Result<Exit> {
        clap_mangen::Man::new(Cli::command()).render(out)?;
        Ok(Exit::Done)
    }
}
