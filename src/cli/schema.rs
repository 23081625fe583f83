//! `invsync schema`.

use std::io::Write as _;

use anyhow::Result;
use clap::Args;

use super::output::Output;
use crate::config;
use crate::model::Exit;

/// Print the JSON Schema of the config, for editors
///
/// An editor that knows it (such as Even Better TOML, or taplo) completes keys, shows what each one
/// means, and marks wrong ones. It finds the schema by the first line of the config:
/// `#:schema ./invsync.schema.json`. `invsync init` writes both.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync schema > invsync.schema.json     beside the config")]
pub(super) struct Schema {}

impl Schema {
    pub(super) fn run(self, out: &mut Output) -> Result<Exit> {
        out.write_all(config::schema().as_bytes())?;
        Ok(Exit::Done)
    }
}
