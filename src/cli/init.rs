//! `invsync init`.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;

use super::context::{Context, usage};
use super::map;
use super::output::Output;
use crate::around::Progress as _;
use crate::config::{self, Config};
use crate::connector::feed::guess::{self, quoted};
use crate::engine::{self, Mapped};
use crate::model::Exit;
use crate::settings::Document;

/// Make a starter config and an empty inventory
///
/// What is there already is kept as it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    invsync init                             ./invsync.toml and the inventory\n  \
    invsync --config shop/invsync.toml init  in another folder, which must exist\n  \
    invsync init --from feeds/stock.csv      with an integration for a feed")]
pub(super) struct Init {
    /// Look at this feed and put it into the config, with its mapping
    #[arg(long, value_name = "FILE|URL")]
    from: Option<String>,
}

impl Init {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<Exit> {
        let path = config::locate(context.common.config.as_deref());
        let mut text = config::starter().to_owned();
        if let Some(from) = &self.from {
            let feed = Feed::of(from, &path)?;
            let document = Document::new(&path, feed.table());
            let mut all = engine::map(&document, &feed.name, &context.around())?;
            let Some(mapped) = all.pop() else { return Ok(Exit::Failed) };
            let exit = map::verdict(context, &feed.name, &mapped, false);
            let integration = feed.integration(&mapped)?;
            if exit != Exit::Done || path.exists() || context.common.dry_run {
                write!(out, "{integration}")?;
            }
            if exit != Exit::Done {
                return Ok(exit);
            }
            text = config::starter_with(&integration, &currency(&mapped));
        }
        if context.common.dry_run {
            let found = if path.exists() { "is there already" } else { "would be created" };
            context.progress.note(&format!("{} {found}", path.display()));
            context.progress.note("dry run: nothing was written");
            return Ok(Exit::Done);
        }
        let is_new = create(&path, &text)?;
        let done = if is_new { "created" } else { "kept" };
        context.progress.note(&format!("{done} {}", path.display()));
        // Editors find it by the first line of the config that was just made.
        let schema = path.with_file_name(config::SCHEMA_NAME);
        if is_new && create(&schema, config::schema())? {
            context.progress.note(&format!("created {}, for your editor", schema.display()));
        }
        let config = Config::load(&path)?;
        context.warn_of(&config);
        if !engine::create_inventory(&context.session(&config))? {
            context.progress.note("kept the inventory, which is there already");
        }
        Ok(Exit::Done)
    }
}

/// A feed that is to stand in a new config.
struct Feed {
    name: String,
    source: String,
}

impl Feed {
    fn of(from: &str, config: &Path) -> Result<Feed> {
        let stem = Path::new(from).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let good = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name: String = stem.unwrap_or_default().chars().map(good).collect();
        let name = name.trim_matches('-').to_owned();
        let is_url = from.contains("://") || from == "-";
        let name = if name.is_empty() || is_url { "wholesaler-a".to_owned() } else { name };
        let folder = config.parent().filter(|folder| !folder.as_os_str().is_empty());
        // Paths of a config are relative to it, those of a command line to where it is typed.
        let source = match folder {
            Some(folder) if !is_url => {
                let path = std::path::absolute(from);
                let path = path.with_context(|| format!("{from} cannot be found"))?;
                let folder = std::path::absolute(folder).unwrap_or_default();
                let path = path.strip_prefix(folder).unwrap_or(&path);
                path.to_string_lossy().into_owned()
            }
            _ => from.to_owned(),
        };
        Ok(Feed { name, source })
    }

    /// Its table as far as it is known.
    fn table(&self) -> String {
        let Feed { name, source } = self;
        let source = quoted(source);
        format!("[integrations.{name}]\ntype = \"wholesaler\"\nsource = {source}\n")
    }

    /// All of its tables.
    fn integration(&self, mapped: &Mapped) -> Result<String> {
        Ok([
            map::heading(mapped).as_str(),
            &self.table(),
            "unlinked = \"create\"                     # make products of items that the inventory \
             does not know\n",
            &map::presets(mapped),
            &guess::lines(&mapped.proposal),
            "\n",
            &guess::table(&mapped.proposal, &mapped.table.path(&self.name)),
            &map::sections(&self.name, mapped, ""),
            &map::items(mapped)?,
        ]
        .concat())
    }
}

/// The currency of the first item that names one.
fn currency(mapped: &Mapped) -> String {
    let named = mapped.items.rows().find_map(|row| row.currency());
    named.map_or_else(|| "EUR".to_owned(), |found| found.code().to_owned())
}

/// Writes the starter config where there is none, whole or not at all; says whether it did.
fn create(path: &Path, text: &str) -> Result<bool> {
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
    let written = file.write_all(text.as_bytes());
    if written.is_err() {
        // Half a config would be taken for a whole one by the next `init`.
        let _ = std::fs::remove_file(path);
    }
    written.with_context(failed)?;
    Ok(true)
}
