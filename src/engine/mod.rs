//! The pass: the only room that knows the order of steps.
//!
//! ```text
//! lock → settle → read → match → plan → guard → apply → record → report
//! ```
//!
//! Every command goes this way; it chooses the ends, never another way. The middle (match, plan,
//! guard) does no I/O. A dry run is the same plan, not applied.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;

use crate::config::{Config, Integration};
use crate::connector::RowView;
use crate::model::{ChangeRow, Exit, Guard, Problem, RunSummary, Section, Timestamp};
use crate::report::RunReport;

/// What a command was told on the command line.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Plan, and write nothing anywhere.
    pub dry_run: bool,
    /// With a dry run: exit 10 where there are differences.
    pub exit_code: bool,
    /// Only this section.
    pub only: Option<Section>,
    /// Only these products; absence then means nothing.
    pub skus: Vec<String>,
    /// Guards accepted for this run.
    pub allow: Vec<Guard>,
    /// How long to wait for a lock, and, where longer than its default, for the inventory.
    pub wait: Duration,
    /// Of `check`: contact nobody.
    pub offline: bool,
}

/// Everything that a command works with.
pub struct Session<'a> {
    /// The config.
    pub config: &'a Config,
    /// What the command line says.
    pub options: Options,
    /// Where progress and warnings go.
    pub progress: &'a dyn Progress,
    /// Set by a signal: stop at the next safe point.
    pub interrupted: &'a AtomicBool,
}

/// Who is told how far a run is. All of it goes to stderr.
pub trait Progress: Send + Sync {
    /// A long step begins: `reading store-a`. `total` where it is known.
    fn begin(&self, what: &str, total: Option<u64>);
    /// So many rows or changes of this step are done by now.
    fn advance(&self, done: u64);
    /// The step ended; nothing of it stays on the terminal.
    fn end(&self);
    /// Something that the user should know whatever happens: `created inventory.db`.
    fn note(&self, message: &str);
}

/// Takes each run's report as the run ends, while what it needs is still in memory.
pub type Sink<'s> = &'s mut dyn FnMut(&RunReport<'_>) -> Result<()>;

/// The error that ends a command before anything was contacted: exit 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// The exit code that an error of a command (not of a single run) stands for.
pub fn exit_of(_error: &anyhow::Error) -> Exit {
    Exit::Failed
}

/// Runs the sections with direction "download" of these integrations.
pub fn pull(_session: &Session<'_>, _which: &[&Integration], _sink: Sink<'_>) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// Runs the sections with direction "send" of these integrations.
pub fn push(_session: &Session<'_>, _which: &[&Integration], _sink: Sink<'_>) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// All pulls, then all pushes, each integration read once. `due`: only what `every` says is due.
pub fn sync(
    _session: &Session<'_>,
    _which: &[&Integration],
    _due: bool,
    _sink: Sink<'_>,
) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// Reads an integration's items past the inventory and hands each row to `each`, until it says
/// `false`; problems of rows go to `problem`.
pub fn list(
    _session: &Session<'_>,
    _integration: &Integration,
    _each: &mut dyn FnMut(&RowView<'_>) -> Result<bool>,
    _problem: &mut dyn FnMut(&Problem) -> Result<()>,
) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// What `check` found in one integration.
pub struct Checked {
    /// The integration's name.
    pub integration: String,
    /// Items delivered.
    pub items: u64,
    /// Items with a link.
    pub linked: u64,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
    /// The error that kept it from being read, and its exit code.
    pub error: Option<(String, Exit)>,
}

/// Looks for errors in mappings and links; writes nothing.
pub fn check(_session: &Session<'_>, _which: &[&Integration]) -> Result<Vec<Checked>> {
    anyhow::bail!("not built yet")
}

/// `inventory set SKU stock.main=5 price.retail=12.30`: each value by its column name.
pub fn set(
    _session: &Session<'_>,
    _sku: &str,
    _values: &[(String, String)],
    _sink: Sink<'_>,
) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// `inventory import FILE`.
pub fn import(_session: &Session<'_>, _file: &Path, _sink: Sink<'_>) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// One product with the values of all declared warehouses and price groups.
#[derive(Debug)]
pub struct ProductRow<'a> {
    /// The SKU.
    pub sku: &'a str,
    /// The EAN.
    pub ean: Option<&'a str>,
    /// The name.
    pub name: Option<&'a str>,
    /// The SKU of the parent.
    pub parent_sku: Option<&'a str>,
    /// One value for each declared warehouse, in the order of the config.
    pub stock: &'a [Option<crate::model::Decimal>],
    /// One value for each declared price group, in the order of the config.
    pub prices: &'a [Option<crate::model::Decimal>],
}

/// Streams all products by SKU (of the options' SKUs only, where there are any).
pub fn products(
    _session: &Session<'_>,
    _each: &mut dyn FnMut(&ProductRow<'_>) -> Result<bool>,
) -> Result<()> {
    anyhow::bail!("not built yet")
}

/// `inventory backup FILE`: a whole copy, also while runs write. The file must not exist.
pub fn backup(_session: &Session<'_>, _file: &Path) -> Result<()> {
    anyhow::bail!("not built yet")
}

/// Creates the inventory if it is missing, with its seed; says whether it did.
pub fn create_inventory(_session: &Session<'_>) -> Result<bool> {
    anyhow::bail!("not built yet")
}

/// One link of an integration.
#[derive(Debug)]
pub struct LinkRow<'a> {
    /// The item's id.
    pub item_id: &'a str,
    /// The product's SKU; `None` for an item that is never to be linked.
    pub sku: Option<&'a str>,
    /// How it was made.
    pub linked_by: crate::model::LinkedBy,
}

/// Streams an integration's links, sorted by the bytes of their item ids.
pub fn links(
    _session: &Session<'_>,
    _integration: &Integration,
    _each: &mut dyn FnMut(&LinkRow<'_>) -> Result<bool>,
) -> Result<()> {
    anyhow::bail!("not built yet")
}

/// `link auto NAME`: reads the integration and links what fits; values stay as they are.
pub fn link_auto(_s: &Session<'_>, _integration: &Integration, _sink: Sink<'_>) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// One line of a link command: the item, and the SKU to link it to. `None`: never link it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOrder {
    /// The item's id.
    pub item_id: String,
    /// The product's SKU; `None`: never link this item.
    pub sku: Option<String>,
    /// The line in the imported file.
    pub line: Option<u64>,
}

/// `link set NAME ITEM_ID SKU`: an unknown SKU is a [`UsageError`].
pub fn link_set(
    _session: &Session<'_>,
    _integration: &Integration,
    _order: LinkOrder,
    _sink: Sink<'_>,
) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// `link remove NAME ITEM_ID`: takes away the link, or the mark that says never.
pub fn link_remove(
    _session: &Session<'_>,
    _integration: &Integration,
    _item_id: &str,
    _sink: Sink<'_>,
) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// `link import NAME FILE`: merges a CSV `item_id,sku`.
pub fn link_import(
    _session: &Session<'_>,
    _integration: &Integration,
    _file: &Path,
    _sink: Sink<'_>,
) -> Result<Exit> {
    anyhow::bail!("not built yet")
}

/// Streams all runs, newest first.
pub fn runs(_s: &Session<'_>, _each: &mut dyn FnMut(&RunSummary) -> Result<bool>) -> Result<()> {
    anyhow::bail!("not built yet")
}

/// Hands one recorded run to the sink. An unknown id is a [`UsageError`].
pub fn run(_session: &Session<'_>, _id: i64, _sink: Sink<'_>) -> Result<()> {
    anyhow::bail!("not built yet")
}

/// A recorded change and the run that made it.
pub struct HistoryRow<'a> {
    /// The change.
    pub change: ChangeRow<'a>,
    /// The run.
    pub run_id: i64,
    /// When the run ended.
    pub at: Timestamp,
    /// The run's integration.
    pub integration: Option<&'a str>,
    /// The run's command.
    pub command: crate::model::Command,
}

/// Streams every recorded change of a product, oldest first. An unknown SKU is a [`UsageError`].
pub fn history(
    _session: &Session<'_>,
    _sku: &str,
    _each: &mut dyn FnMut(&HistoryRow<'_>) -> Result<bool>,
) -> Result<()> {
    anyhow::bail!("not built yet")
}
