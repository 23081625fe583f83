//! `invsync completions`.

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use super::output::Output;
use crate::model::Exit;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync completions bash > ~/.local/share/bash-completion/completions/invsync\n  \
    invsync completions fish > ~/.config/fish/completions/invsync.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, out: &mut Output) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "invsync", &mut script);
        out.write_all(&script)?;
        Ok(Exit::Done)
    }
}
