//! `invsync man`.

use std::io::Write as _;

use anyhow::Result;
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man as Page;

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
        let all = Cli::command();
        Page::new(all.clone()).render(out)?;
        write!(out, "{}", sections(&all, "invsync")?)?;
        Ok(Exit::Done)
    }
}

/// What each command below one says of itself, one after the other: all stand on one page. The flags
/// that all have stand at its top.
fn sections(command: &Command, path: &str) -> Result<String> {
    let mut text = String::new();
    for below in command.get_subcommands() {
        let path = format!("{path} {}", below.get_name());
        let page = Page::new(below.clone().bin_name(&path));
        let mut section = Vec::new();
        page.render_synopsis_section(&mut section)?;
        page.render_description_section(&mut section)?;
        page.render_options_section(&mut section)?;
        page.render_extra_section(&mut section)?;
        let section = format!("\n{}", String::from_utf8_lossy(&section));
        let section = section.replace("\n.SH EXTRA", "\n.SS EXAMPLES").replace("\n.SH ", "\n.SS ");
        text += &format!(".SH \"{}\"{section}", path.to_uppercase());
        text += &sections(below, &path)?;
    }
    Ok(text)
}
