//! `invsync init`.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;

use super::context::{Context, usage};
use crate::around::Progress as _;
use crate::config::{self, Config};
use crate::engine;
use crate::model::Exit;

/// Make a starter config and an empty inventory
///
/// What is there already is kept as it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync init                             ./invsync.toml and the inventory beside it\n  \
    invsync --config shop/invsync.toml init  in another folder, which must exist")]
pub(super) struct Init {}

impl Init {
    pub(super) fn run(self, context: &Context) -> Result<Exit> {
        let path = config::locate(context.common.config.as_deref());
        if context.common.dry_run {
            let found = if path.exists() { "is there already" } else { "would be created" };
            context.progress.note(&format!("{} {found}", path.display()));
            context.progress.note("dry run: nothing was written");
            return Ok(Exit::Done);
        }
        let done = if create(&path)? { "created" } else { "kept" };
        context.progress.note(&format!("{done} {}", path.display()));
        let config = Config::load(&path)?;
        context.warn_of(&config);
        if !engine::create_inventory(&context.session(&config))? {
            context.progress.note("kept the inventory, which is there already");
        }
        Ok(Exit::Done)
    }
}

/// Writes the starter config where there is none, whole or not at all; says whether it did.
fn create(path: &Path) -> Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(usage(format!("the folder {} does not exist", folder.display())));
    }
    let failed = || format!("{} cannot be written", path.display());
    let mut file = match File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        created => created.with_context(failed)?,
    };
    let written = file.write_all(config::starter().as_bytes());
    if written.is_err() {
        // Half a config would be taken for a whole one by the next `init`.
        let _ = std::fs::remove_file(path);
    }
    written.with_context(failed)?;
    Ok(true)
}
