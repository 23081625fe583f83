//! The pass: the only room that knows the order of steps.
//!
//! ```text
//! lock → settle → read → match → plan → guard → apply → record → report
//! ```
//!
//! Every command goes this way; it chooses the ends, never another way. The middle (match, plan,
//! guard) does no I/O. A dry run is the same plan, not applied.

mod courier;
mod due;
mod explain;
mod guards;
mod jobs;
mod link_diff;
mod links;
mod links_copy;
mod links_file;
mod look;
mod map;
mod matching;
mod notify;
mod part;
mod plan;
mod problem_log;
mod products;
mod pull;
mod push;
mod read;
mod record;
mod run;
mod saved;
mod schedule;
mod send;
mod status;
mod unchanged;
mod undo;
mod view;

pub use links_copy::LinksFiles;
pub use map::{FittingPreset, Mapped, SourceTable, map};
pub use saved::{NewPlan, Onlooker, SavedPlan};

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;

use part::Source;
use problem_log::ProblemLog;
use pull::Kept;
use run::{IfMissing, RunError};

use crate::around::Progress;
use crate::config::{Config, Integration, Unlinked};
use crate::connector::RowView;
use crate::inventory::InventoryError;
use crate::model::{
    ChangeRow, Command, Dialect, Direction, Exit, Finding, Guard, Problem, RunStatus, RunSummary,
    Schedule, Section, Timestamp,
};
use crate::report::{Explained, RunReport, Status};

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
    /// Of `check` and `explain`: contact nobody.
    pub offline: bool,
    /// How many integrations are worked on at the same time; 0 counts as 1.
    pub jobs: usize,
}

/// Everything that a command works with.
#[derive(Clone)]
pub struct Session<'a> {
    /// The config.
    pub config: &'a Config,
    /// What the command line says.
    pub options: Options,
    /// Where progress and warnings go.
    pub progress: Arc<dyn Progress>,
    /// Set by a signal: stop at the next safe point.
    pub interrupted: Arc<AtomicBool>,
    /// Who is asked before anything is sent to a store; `None`: nobody.
    pub confirm: Option<Arc<dyn Confirm>>,
    /// Set where the seed of an inventory that was made had something wrong: the exit code is 3
    /// then, unless a worse one wins.
    pub seed_is_partial: &'a AtomicBool,
    /// The links files that were read.
    pub links_files: LinksFiles,
    /// Who looks on before a run applies what it planned; usually nobody.
    pub onlooker: Onlooker<'a>,
}

/// Who is asked before anything is sent.
pub trait Confirm: Send + Sync {
    /// Shows a push as it is planned, and asks whether to send so many changes. An error is a
    /// signal's.
    fn confirm(&self, plan: &RunReport<'_>, changes: u64) -> Result<bool, Interrupted>;
}

/// A signal came instead of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Interrupted;

/// Takes each run's report as the run ends, while what it needs is still in memory.
pub type Sink<'s> = &'s mut (dyn FnMut(&RunReport<'_>) -> Result<()> + Send);

/// The error that ends a command before anything was contacted: exit 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// The exit code that an error of a command (not of a single run) stands for.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    if let Some(error) = error.downcast_ref::<InventoryError>() {
        return error.exit();
    }
    if let Some(error) = error.downcast_ref::<RunError>() {
        return error.exit;
    }
    if error.downcast_ref::<UsageError>().is_some() { Exit::Usage } else { Exit::Failed }
}

/// Runs the sections with direction "download" of these integrations.
pub fn pull(session: &Session<'_>, which: &[&Integration], sink: Sink<'_>) -> Result<Exit> {
    let mut passes = connect(session, which, &[Direction::Download])?;
    jobs::run(session, &mut passes, sink, &|pass, sink| {
        let Pass { session, integration, sources, .. } = pass;
        let ended = pull::pull(session, integration, sources, None, sink);
        go_on(session, integration, Command::Pull, ended, sink)
    })
}

/// Runs the sections with direction "send" of these integrations.
pub fn push(session: &Session<'_>, which: &[&Integration], sink: Sink<'_>) -> Result<Exit> {
    let mut passes = connect(session, which, &[Direction::Send])?;
    jobs::run(session, &mut passes, sink, &|pass, sink| {
        let Pass { session, integration, sources, .. } = pass;
        let ended = push::push(session, integration, sources, None, sink);
        go_on(session, integration, Command::Push, ended, sink)
    })
}

/// All pulls, then all pushes, each integration read once. `due`: only what `every` says is due.
pub fn sync(
    session: &Session<'_>,
    which: &[&Integration],
    due: bool,
    sink: Sink<'_>,
) -> Result<Exit> {
    check_skus(session, which)?;
    let mut passes = Vec::new();
    for integration in which {
        let only = match due {
            true => due::due_sections(session, integration)?,
            false => due::Due::All,
        };
        // What is not due needs no secrets either.
        let Some(session) = only.narrow(session) else { continue };
        let both = [Direction::Download, Direction::Send];
        passes.extend(connect_to(&session, &[*integration], &both)?);
    }
    let pulled = jobs::run(session, &mut passes, sink, &|pass, sink| {
        let Pass { session, integration, sources, kept } = pass;
        if !has(session, integration, Direction::Download) {
            return Ok(Exit::Done);
        }
        let keep = has(session, integration, Direction::Send).then_some(kept);
        let ended = pull::pull(session, integration, sources, keep, sink);
        go_on(session, integration, Command::Pull, ended, sink)
    })?;
    let pushed = jobs::run(session, &mut passes, sink, &|pass, sink| {
        let Pass { session, integration, sources, kept } = pass;
        if !has(session, integration, Direction::Send) {
            return Ok(Exit::Done);
        }
        let ended = push::push(session, integration, sources, kept.take(), sink);
        go_on(session, integration, Command::Push, ended, sink)
    })?;
    Ok(pulled.max(pushed))
}

/// Plans the pull or the push of an integration for a file, and writes nothing anywhere. `None`: it
/// failed, and there is no plan.
pub fn plan(
    session: &Session<'_>,
    integration: &Integration,
    command: Command,
    sink: Sink<'_>,
) -> Result<(Exit, Option<NewPlan>)> {
    saved::plan(session, integration, command, sink)
}

/// Applies a saved plan: exactly its changes, or none where what it saw has changed since.
pub fn apply(session: &Session<'_>, plan: &SavedPlan, sink: Sink<'_>) -> Result<Exit> {
    saved::apply(session, plan, sink)
}

/// Explains one product: where its values came from, and what the next runs of these integrations
/// would do with them. The exit code is that of the integrations that could not be read. An unknown
/// SKU is a [`UsageError`].
pub fn explain(
    session: &Session<'_>,
    which: &[&Integration],
    sku: &str,
) -> Result<(Explained, Exit)> {
    explain::explain(session, which, sku)
}

/// A run that could not even start is a failed one; the other integrations run whatever became of
/// it. Wrong usage ends the command.
fn go_on(
    session: &Session<'_>,
    integration: &Integration,
    command: Command,
    ended: Result<Exit>,
    sink: Sink<'_>,
) -> Result<Exit> {
    let error = match ended {
        Err(error) if !matches!(exit_of(&error), Exit::Usage) && is_of_a_run(&error) => error,
        other => return other,
    };
    let mut summary = RunSummary::start(Some(&integration.name), command, session.options.dry_run);
    summary.status = match exit_of(&error) {
        Exit::Interrupted => RunStatus::Interrupted,
        _ => RunStatus::Failed,
    };
    summary.finished_at = Some(Timestamp::now());
    summary.error = Some(format!("{}: {error:#}. Nothing was changed.", integration.name));
    sink(&RunReport::empty(summary))?;
    Ok(exit_of(&error))
}

fn is_of_a_run(error: &anyhow::Error) -> bool {
    error.is::<InventoryError>() || error.is::<RunError>()
}

fn has(session: &Session<'_>, integration: &Integration, direction: Direction) -> bool {
    !pull::sections(session, integration, direction).is_empty()
}

/// One integration on its way: what its runs work with.
struct Pass<'s, 'i> {
    session: Session<'s>,
    integration: &'i Integration,
    sources: Vec<Source<'i>>,
    /// What its pull read, for its push.
    kept: Option<Kept>,
}

/// The integrations that have a section of one of these directions, each with its sources.
/// Before anybody is contacted, everything that the command line names and every links file is
/// checked.
fn connect<'s, 'i>(
    session: &Session<'s>,
    which: &[&'i Integration],
    directions: &[Direction],
) -> Result<Vec<Pass<'s, 'i>>> {
    check_skus(session, which)?;
    connect_to(session, which, directions)
}

fn connect_to<'s, 'i>(
    session: &Session<'s>,
    which: &[&'i Integration],
    directions: &[Direction],
) -> Result<Vec<Pass<'s, 'i>>> {
    session.read_links_files(which)?;
    let mut passes = Vec::new();
    for integration in which {
        let of = |direction: &Direction| pull::sections(session, integration, *direction);
        let sections = directions.iter().flat_map(of);
        let sections: Vec<Section> = sections.map(|(section, _)| section).collect();
        if !sections.is_empty() {
            let session = session.beside();
            let sources = session.connect(integration, &sections)?;
            passes.push(Pass { session, integration, sources, kept: None });
        }
    }
    Ok(passes)
}

/// `--sku` must name products, unless a pull may make them.
fn check_skus(session: &Session<'_>, which: &[&Integration]) -> Result<()> {
    let skus = &session.options.skus;
    if skus.is_empty() || which.iter().any(|i| i.unlinked == Unlinked::Create) {
        return Ok(());
    }
    let Ok(inventory) = session.open_to_read() else { return Ok(()) };
    let tx = inventory.begin_read()?;
    for sku in skus {
        if tx.product_id(sku)?.is_none() {
            return Err(products::unknown_sku(&tx.products()?, sku).into());
        }
    }
    Ok(())
}

/// Reads an integration's items past the inventory and hands each row to `each`, until it says
/// `false`; problems of rows go to `problem`.
pub fn list(
    session: &Session<'_>,
    integration: &Integration,
    each: &mut dyn FnMut(&RowView<'_>) -> Result<bool>,
    problem: &mut dyn FnMut(&Problem) -> Result<()>,
) -> Result<Exit> {
    look::list(session, integration, each, problem)
}

/// What `check` found in one integration.
pub struct Checked {
    /// The integration's name.
    pub integration: String,
    /// The line of its table in the config.
    pub config_line: u64,
    /// Items delivered.
    pub items: u64,
    /// Items with a link.
    pub linked: u64,
    /// How its sources are written: the section that has one for itself, and what was found.
    pub sources: Vec<(Option<Section>, Dialect)>,
    /// Whether a source was not read, because nobody was to be contacted.
    pub is_skipped: bool,
    /// Everything that was found.
    pub findings: Vec<Finding>,
    /// The error that kept it from being read, and its exit code.
    pub error: Option<(String, Exit)>,
}

/// Looks for errors in mappings and links; writes nothing.
pub fn check(session: &Session<'_>, which: &[&Integration]) -> Result<Vec<Checked>> {
    session.read_links_files(which)?;
    which
        .iter()
        .map(|integration| {
            let sources = session.connect_all(integration)?;
            look::check(session, integration, &sources)
        })
        .collect()
}

/// `inventory set SKU stock.main=5 price.retail=12.30`: each value by its column name.
pub fn set(
    session: &Session<'_>,
    sku: &str,
    values: &[(String, String)],
    sink: Sink<'_>,
) -> Result<Exit> {
    products::set(session, sku, values, sink)
}

/// `inventory import FILE`.
pub fn import(session: &Session<'_>, file: &Path, sink: Sink<'_>) -> Result<Exit> {
    products::import(session, file, sink)
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
    session: &Session<'_>,
    each: &mut dyn FnMut(&ProductRow<'_>) -> Result<bool>,
) -> Result<()> {
    products::list(session, each)
}

/// Streams the products in whose SKU, EAN or name all of these words occur, by SKU.
pub fn search(
    session: &Session<'_>,
    words: &[String],
    each: &mut dyn FnMut(&ProductRow<'_>) -> Result<bool>,
) -> Result<()> {
    products::search(session, words, each)
}

/// `inventory backup FILE`: a whole copy, also while runs write. The file must not exist.
pub fn backup(session: &Session<'_>, file: &Path) -> Result<()> {
    Ok(session.open_to_read()?.backup(file)?)
}

/// Creates the inventory if it is missing, with its seed; says whether it did.
pub fn create_inventory(session: &Session<'_>) -> Result<bool> {
    let is_there = session.inventory_path()?.exists();
    session.open(IfMissing::Create)?;
    Ok(!is_there)
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
    session: &Session<'_>,
    integration: &Integration,
    each: &mut dyn FnMut(&LinkRow<'_>) -> Result<bool>,
) -> Result<()> {
    links::list(session, integration, each)
}

/// Where `link auto` puts what fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkTo {
    /// Into the inventory; where a links file holds the links, what fits is only shown.
    Inventory,
    /// Into the links file, which is made where it is missing.
    File,
}

/// `link auto NAME`: reads the integration and links what fits; values stay as they are.
pub fn link_auto(
    session: &Session<'_>,
    integration: &Integration,
    to: LinkTo,
    sink: Sink<'_>,
) -> Result<Exit> {
    links::auto(session, integration, to, sink)
}

/// One item about which the links file, the inventory and the integration do not agree.
#[derive(Debug)]
pub struct LinkDifference<'a> {
    /// The item's id.
    pub item_id: &'a str,
    /// The SKU in the file; the inner `None`: never to be linked.
    pub in_file: Option<Option<&'a str>>,
    /// The SKU in the inventory's copy; the inner `None`: never to be linked.
    pub in_inventory: Option<Option<&'a str>>,
    /// The SKU that `link_by` proposes.
    pub proposed: Option<&'a str>,
    /// Its line in the file.
    pub line: Option<u64>,
    /// What the difference is, in a word or two.
    pub state: &'static str,
}

/// `link diff NAME`: streams what differs, by item id. With `--offline` the integration is not
/// asked.
pub fn link_diff(
    session: &Session<'_>,
    integration: &Integration,
    each: &mut dyn FnMut(&LinkDifference<'_>) -> Result<bool>,
) -> Result<Exit> {
    link_diff::diff(session, integration, each)
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
    session: &Session<'_>,
    integration: &Integration,
    order: LinkOrder,
    sink: Sink<'_>,
) -> Result<Exit> {
    let source = links::Source::Orders { orders: vec![order], strict: true };
    links::link(session, integration, source, ProblemLog::default(), sink)
}

/// `link remove NAME ITEM_ID`: takes away the link and leaves the mark that says never; of a marked
/// item it takes away the mark.
pub fn link_remove(
    session: &Session<'_>,
    integration: &Integration,
    item_id: &str,
    sink: Sink<'_>,
) -> Result<Exit> {
    let source = links::Source::Remove(item_id);
    links::link(session, integration, source, ProblemLog::default(), sink)
}

/// `link import NAME FILE`: merges a CSV `item_id,sku`.
pub fn link_import(
    session: &Session<'_>,
    integration: &Integration,
    file: &Path,
    sink: Sink<'_>,
) -> Result<Exit> {
    let (orders, problems) = links::read_orders(file)?;
    let source = links::Source::Orders { orders, strict: false };
    links::link(session, integration, source, problems, sink)
}

/// Streams all runs, newest first.
pub fn runs(
    session: &Session<'_>,
    each: &mut dyn FnMut(&RunSummary) -> Result<bool>,
) -> Result<()> {
    record::runs(session, each)
}

/// Hands one recorded run to the sink. An unknown id is a [`UsageError`].
pub fn run(session: &Session<'_>, id: i64, sink: Sink<'_>) -> Result<()> {
    record::run(session, id, sink)
}

/// Tells the program that the config names of a run that did not go well. Its failure is nobody
/// else's.
pub fn notify(session: &Session<'_>, run: &RunReport<'_>) -> Result<()> {
    notify::notify(session, run)
}

/// How these integrations stand: when each of their sections last went well, and what did not.
/// Contacts nobody.
pub fn status(session: &Session<'_>, which: &[&Integration]) -> Result<Status> {
    status::status(session, which)
}

/// How often a timer must run `sync --all --due`, so that no `every` of the config waits for it.
/// A config without any `every` is wrong usage.
pub fn schedule(config: &Config) -> Result<Schedule, UsageError> {
    schedule::schedule(config)
}

/// `runs prune`: drops the changes of runs that ended longer ago than this; gives how many runs.
pub fn prune(session: &Session<'_>, older_than: Duration) -> Result<u64> {
    record::prune(session, older_than)
}

/// `undo ID`: puts back what a run changed, where it has not changed since. An unknown id is a
/// [`UsageError`].
pub fn undo(session: &Session<'_>, id: i64, sink: Sink<'_>) -> Result<Exit> {
    undo::undo(session, id, sink)
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
    pub command: Command,
}

/// Streams every recorded change of a product, oldest first. An unknown SKU is a [`UsageError`].
pub fn history(
    session: &Session<'_>,
    sku: &str,
    each: &mut dyn FnMut(&HistoryRow<'_>) -> Result<bool>,
) -> Result<()> {
    record::history(session, sku, each)
}
