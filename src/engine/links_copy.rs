//! The links files of a command, each read once, and the inventory's copies of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Session;
use super::links_file::{LinksFile, Meaning, Unusable};
use super::run::{OpenRun, RunError};
use crate::config::{ConfigErrors, Integration};
use crate::inventory::{LinkChange, LinkState, Products, StoredLink, Tx};
use crate::model::{ChangeStatus, Exit, LinkedBy};
use crate::settings::ConfigError;

/// The links files of a command, each read once, so that all of a run sees the same.
#[derive(Clone, Default)]
pub struct LinksFiles(Arc<Mutex<BTreeMap<String, Arc<LinksFile>>>>);

impl LinksFiles {
    fn get(&self, integration: &str) -> Option<Arc<LinksFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(integration).cloned()
    }

    fn put(&self, file: LinksFile) -> Arc<LinksFile> {
        let file = Arc::new(file);
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(file.integration.clone(), Arc::clone(&file));
        file
    }
}

impl Session<'_> {
    /// The integration's links file; `None`: the inventory holds its links. The error is one of the
    /// config: nobody has been contacted.
    pub(super) fn links_file(
        &self,
        integration: &Integration,
    ) -> Result<Option<Arc<LinksFile>>, ConfigErrors> {
        match self.links_files.get(&integration.name) {
            Some(file) => Ok(Some(file)),
            None => self.read_links_file(integration),
        }
    }

    /// Reads it again: who edits it has to know what it is now.
    pub(super) fn read_links_file(
        &self,
        integration: &Integration,
    ) -> Result<Option<Arc<LinksFile>>, ConfigErrors> {
        let Some(path) = self.links_path(integration)? else { return Ok(None) };
        let file = LinksFile::read(&integration.name, &path).map_err(|unusable| {
            let why = match unusable {
                Unusable::Because(why) => why,
                Unusable::InLine(line, why) => {
                    let message = format!("{}: {why}", links_key(integration));
                    let error = ConfigError::in_file(&path, line, message);
                    return self.config_errors(vec![error]);
                }
                Unusable::Missing => format!(
                    "{} does not exist. `invsync link auto {} --write` makes it with what \
                     link_by proposes; an empty file is a start as well",
                    path.display(),
                    integration.name
                ),
            };
            self.links_error(integration, why)
        })?;
        Ok(Some(self.links_files.put(file)))
    }

    /// The same, where a file that is missing will be made, with its folder.
    pub(super) fn links_file_to_write(
        &self,
        integration: &Integration,
    ) -> Result<Option<Arc<LinksFile>>, ConfigErrors> {
        let Some(path) = self.links_path(integration)? else { return Ok(None) };
        if path.exists() {
            return self.read_links_file(integration);
        }
        Ok(Some(self.links_files.put(LinksFile::empty(&integration.name, &path))))
    }

    /// Reads the links files of all these integrations: every error at once.
    pub(super) fn read_links_files(&self, which: &[&Integration]) -> Result<(), ConfigErrors> {
        let mut errors = Vec::new();
        for integration in which {
            if let Err(found) = self.links_file(integration) {
                errors.extend(found.errors);
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(self.config_errors(errors)) }
    }

    fn links_path(&self, integration: &Integration) -> Result<Option<PathBuf>, ConfigErrors> {
        let Some(text) = &integration.links else { return Ok(None) };
        let path = text
            .resolve(&self.config.folder)
            .map_err(|why| self.links_error(integration, why.to_string()))?;
        // Messages name the file as the config does.
        let is_here = self.config.folder == Path::new(".");
        let path = Path::new(path.expose());
        Ok(Some(if is_here { path.to_owned() } else { self.config.folder.join(path) }))
    }

    fn links_error(&self, integration: &Integration, why: String) -> ConfigErrors {
        let line = integration.links.as_ref().map_or(integration.line, |text| text.line());
        let key = links_key(integration);
        self.config_errors(vec![ConfigError::new(line, format!("{key}: {why}"))])
    }

    fn config_errors(&self, errors: Vec<ConfigError>) -> ConfigErrors {
        ConfigErrors { path: self.config.path.clone(), errors, warnings: Vec::new() }
    }
}

fn links_key(integration: &Integration) -> String {
    format!("`integrations.{}.links`", integration.name)
}

impl From<ConfigErrors> for RunError {
    fn from(errors: ConfigErrors) -> RunError {
        RunError::new(Exit::Usage, errors.to_string())
    }
}

/// Brings the inventory's copy of the links to what the file says. What cannot be used is left as
/// it is there.
pub(super) fn adopt(
    session: &Session<'_>,
    integration: &Integration,
    tx: &Tx<'_>,
    run: &OpenRun<'_>,
    products: &Products,
) -> Result<(), RunError> {
    let Some(file) = session.links_file(integration)? else { return Ok(()) };
    adopt_file(&file, tx, run, products)
}

fn adopt_file(
    file: &LinksFile,
    tx: &Tx<'_>,
    run: &OpenRun<'_>,
    products: &Products,
) -> Result<(), RunError> {
    let (Some(run), Some(integration)) = (run.summary.run_id, run.integration_id) else {
        return Ok(());
    };
    let stored = tx.link_state(Some(integration))?;
    tx.adopt_links(run, integration, &adoption(file, products, &stored))?;
    Ok(())
}

/// What differs between the inventory's copy and the file.
fn adoption(file: &LinksFile, products: &Products, stored: &LinkState) -> Vec<LinkChange> {
    let mut changes = Vec::new();
    let mut push = |item_id: &str, before, after| {
        let (item_id, status) = (item_id.to_owned(), ChangeStatus::Planned);
        changes.push(LinkChange { item_id, before, after, status });
    };
    for row in file.firsts() {
        let before = stored.find(&row.item_id, |sku| products.find(sku));
        let product = match LinksFile::meaning(row, products) {
            Meaning::Nothing => continue,
            Meaning::Never => None,
            Meaning::Link(product) => Some(product),
        };
        if before.as_ref().is_some_and(|before| before.product == product) {
            continue;
        }
        let linked_by = match product {
            None => LinkedBy::Never,
            Some(product) if products.sku(product) == row.item_id => LinkedBy::Sku,
            Some(_) => LinkedBy::Hand,
        };
        push(&row.item_id, before, Some(StoredLink { product, linked_by, handle: None }));
    }
    for number in 0..stored.keys.end() {
        let item_id = stored.keys.text(number);
        if !file.has(item_id) {
            push(item_id, Some(stored.links[number as usize].clone()), None);
        }
    }
    for product in stored.by_sku.iter() {
        let sku = products.sku(product);
        if !file.has(sku) && stored.keys.find(sku.as_bytes()).is_none() {
            let link =
                StoredLink { product: Some(product), linked_by: LinkedBy::Sku, handle: None };
            push(sku, Some(link), None);
        }
    }
    changes
}

/// Makes changes in the file and in the inventory's copy.
pub(super) fn edit(
    file: &LinksFile,
    tx: &Tx<'_>,
    run: &OpenRun<'_>,
    products: &Products,
    changes: &mut [LinkChange],
) -> Result<(), RunError> {
    let Some(run_id) = run.summary.run_id else { return Ok(()) };
    let edited = file.edited(changes, products);
    edited.write()?;
    adopt_file(&edited, tx, run, products)?;
    for (n, change) in changes.iter_mut().enumerate() {
        change.status = ChangeStatus::Applied;
        tx.record_link(run_id, n, change)?;
    }
    Ok(())
}
