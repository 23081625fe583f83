//! The frame of a run: errors and their exit codes, the lock, the run's own row, its end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::part::Source;
use super::problem_log::ProblemLog;
use super::{Session, Sink, UsageError};
use crate::around::Around;
use crate::config::{ConfigErrors, Integration, Part};
use crate::connector::{ConnectorError, ErrorKind};
use crate::inventory::{
    Access, Holder, Inventory, InventoryError, InventoryErrorKind, Lock, Purpose, StoredPlace, Tx,
    lock_path,
};
use crate::model::{ChangeStatus, Command, Exit, Place, RunStatus, RunSummary, Section, Timestamp};
use crate::report::RunReport;
use crate::settings::ConfigError;

/// How long another program's write to the inventory is waited for, unless `--wait` is longer.
const INVENTORY_WAIT: Duration = Duration::from_secs(300);
/// The same where runs of this command write at the same time: each may take its time.
const INVENTORY_WAIT_OF_JOBS: Duration = Duration::from_secs(3600);

/// Why a run failed, and the exit code for it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct RunError {
    pub exit: Exit,
    pub message: String,
    /// A saved plan was refused: what the run would have done was never tried.
    pub is_refusal: bool,
}

impl RunError {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> RunError {
        RunError { exit, message: message.into(), is_refusal: false }
    }

    pub(super) fn refusal(exit: Exit, message: impl Into<String>) -> RunError {
        RunError { is_refusal: true, ..RunError::new(exit, message) }
    }
}

impl From<ConnectorError> for RunError {
    fn from(error: ConnectorError) -> RunError {
        let exit = match error.kind {
            ErrorKind::Source | ErrorKind::Mapping => Exit::Failed,
            ErrorKind::Usage => Exit::Usage,
            ErrorKind::Temporary => Exit::Temporary,
            ErrorKind::Credentials => Exit::Credentials,
            ErrorKind::Interrupted => Exit::Interrupted,
        };
        RunError::new(exit, error.message)
    }
}

impl From<InventoryError> for RunError {
    fn from(error: InventoryError) -> RunError {
        RunError::new(error.exit(), error.message)
    }
}

/// What to do where there is no inventory yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IfMissing {
    /// Make one, with its seed; in a dry run only in memory.
    Create,
    /// Say so and do nothing.
    Refuse,
}

impl Session<'_> {
    pub(super) fn inventory_path(&self) -> Result<PathBuf, UsageError> {
        let text = &self.config.inventory.path;
        let path = text.resolve(&self.config.folder).map_err(|why| {
            UsageError(format!(
                "{}:{}: `inventory.path`: {why}",
                self.config.path.display(),
                text.line()
            ))
        })?;
        let path = Path::new(path.expose());
        // Messages name the file as the config does.
        let is_here = self.config.folder == Path::new(".");
        Ok(if is_here { path.to_owned() } else { self.config.folder.join(path) })
    }

    /// Opens the inventory for a command that may write, and makes it know what the config
    /// declares. In a dry run nothing is written anywhere.
    pub(super) fn open(&self, if_missing: IfMissing) -> anyhow::Result<Inventory> {
        let path = self.inventory_path()?;
        let access = if self.options.dry_run { Access::Read } else { Access::Write };
        let inventory = match Inventory::open(&path, access) {
            Err(error)
                if error.kind == InventoryErrorKind::Missing && if_missing == IfMissing::Create =>
            {
                self.make_inventory(&path)?
            }
            other => other?,
        };
        self.declare_places(&inventory)?;
        Ok(inventory)
    }

    /// Opens the inventory for a command that only reads.
    pub(super) fn open_to_read(&self) -> anyhow::Result<Inventory> {
        Ok(Inventory::open(&self.inventory_path()?, Access::Read)?)
    }

    /// Opens the inventory for a command that looks: where there is none yet, it looks at what the
    /// seed would make of it.
    pub(super) fn open_to_look(&self) -> anyhow::Result<Inventory> {
        match Inventory::open(&self.inventory_path()?, Access::Read) {
            Err(error) if error.kind == InventoryErrorKind::Missing => self.imagine_inventory(),
            opened => Ok(opened?),
        }
    }

    /// What a new inventory would be.
    fn imagine_inventory(&self) -> anyhow::Result<Inventory> {
        let inventory = Inventory::in_memory()?;
        super::products::seed(self, &inventory)?;
        Ok(inventory)
    }

    fn make_inventory(&self, path: &Path) -> anyhow::Result<Inventory> {
        if self.options.dry_run {
            return self.imagine_inventory();
        }
        if Inventory::create(path, |inventory| super::products::seed(self, inventory))? {
            self.progress.note(&format!("made the inventory {}", path.display()));
        }
        Ok(Inventory::open(path, Access::Write)?)
    }

    /// Makes the inventory know the declared warehouses and price groups.
    pub(super) fn declare_places(&self, inventory: &Inventory) -> anyhow::Result<()> {
        let is_known = self.check_places(inventory)?;
        if is_known || (self.options.dry_run && inventory.path().is_some()) {
            return Ok(());
        }
        let tx = self.begin_write(inventory)?;
        for (section, places) in self.declared_places() {
            tx.declare(section, places)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Whether the inventory knows all declared warehouses and price groups. A price group whose
    /// currency is not the inventory's is wrong usage.
    pub(super) fn check_places(&self, inventory: &Inventory) -> anyhow::Result<bool> {
        let tx = inventory.begin_read()?;
        let mut is_known = true;
        for (section, places) in self.declared_places() {
            is_known &= tx.knows(section, places).map_err(|error| match error.kind {
                InventoryErrorKind::Currency { line } => anyhow::Error::from(ConfigErrors {
                    path: self.config.path.clone(),
                    errors: vec![ConfigError::new(line, error.message)],
                    warnings: Vec::new(),
                }),
                _ => error.into(),
            })?;
        }
        Ok(is_known)
    }

    pub(super) fn declared_places(&self) -> [(Section, &[Place]); 2] {
        [(Section::Stock, &self.config.warehouses), (Section::Prices, &self.config.price_groups)]
    }

    /// The stored place of a key; in a dry run it may not be stored yet, or still under the key
    /// that it is renamed from.
    pub(super) fn stored_place(
        &self,
        tx: &Tx<'_>,
        section: Section,
        key: &str,
    ) -> Result<Option<StoredPlace>, InventoryError> {
        if let Some(place) = tx.place(section, key)? {
            return Ok(Some(place));
        }
        let declared = match section {
            Section::Prices => self.config.price_group(key),
            _ => self.config.warehouse(key),
        };
        match declared.and_then(|place| place.renamed_from.as_ref()) {
            Some(old) => tx.place(section, old),
            None => Ok(None),
        }
    }

    pub(super) fn begin_write<'i>(
        &self,
        inventory: &'i Inventory,
    ) -> Result<Tx<'i>, InventoryError> {
        let has_jobs = self.options.jobs > 1;
        let least = if has_jobs { INVENTORY_WAIT_OF_JOBS } else { INVENTORY_WAIT };
        let wait = self.options.wait.max(least);
        let interrupted = || self.is_interrupted();
        let note = |message: &str| match has_jobs {
            // Most likely it is one of our own.
            true => self.progress.detail(message),
            false => self.progress.note(message),
        };
        inventory.begin_write(&interrupted, wait, &note)
    }

    /// A transaction to plan in: it holds the inventory still until it is committed, unless
    /// nothing is to be written.
    pub(super) fn begin<'i>(&self, inventory: &'i Inventory) -> Result<Tx<'i>, InventoryError> {
        if self.options.dry_run { inventory.begin_read() } else { self.begin_write(inventory) }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    pub(super) fn check_interrupted(&self) -> Result<(), RunError> {
        if self.is_interrupted() {
            return Err(RunError::new(Exit::Interrupted, "interrupted by a signal"));
        }
        Ok(())
    }

    /// Takes the integration's lock; none in a dry run.
    pub(super) fn lock(
        &self,
        inventory: &Inventory,
        integration: &str,
        command: Command,
    ) -> Result<Result<Option<Lock>, Holder>, InventoryError> {
        let Some(path) = inventory.path().filter(|_| !self.options.dry_run) else {
            return Ok(Ok(None));
        };
        let path = lock_path(path, integration);
        let interrupted = || self.is_interrupted();
        Ok(Lock::take(&path, command.word(), self.options.wait, &interrupted)?.map(Some))
    }

    fn around(&self) -> Around {
        Around { progress: Arc::clone(&self.progress), interrupted: Arc::clone(&self.interrupted) }
    }

    /// Makes the connectors of those of an integration's sources that feed any of these sections:
    /// where that cannot be, nobody has been contacted.
    pub(super) fn connect<'i>(
        &self,
        integration: &'i Integration,
        sections: &[Section],
    ) -> Result<Vec<Source<'i>>, UsageError> {
        let fed = |part: &&Part| part.sections.iter().any(|section| sections.contains(section));
        self.connect_parts(integration, integration.parts.iter().filter(fed).collect())
    }

    /// Makes the connectors of all its sources; with `--offline` only of those on this machine.
    pub(super) fn connect_all<'i>(
        &self,
        integration: &'i Integration,
    ) -> Result<Vec<Source<'i>>, UsageError> {
        let may_be_asked = |part: &&Part| !(self.options.offline && part.settings.is_remote());
        self.connect_parts(integration, integration.parts.iter().filter(may_be_asked).collect())
    }

    /// Parts with the same settings stand side by side, and are made together.
    fn connect_parts<'i>(
        &self,
        integration: &'i Integration,
        parts: Vec<&'i Part>,
    ) -> Result<Vec<Source<'i>>, UsageError> {
        let mut sources = Vec::new();
        for parts in parts.chunk_by(|a, b| Arc::ptr_eq(&a.settings, &b.settings)) {
            let Some(first) = parts.first() else { continue };
            let of = first.of.map(|section| format!(".{}", section.word())).unwrap_or_default();
            let places: Vec<_> = parts.iter().map(|part| part.places.clone()).collect();
            let made = first.settings.connect_all(&self.around(), &places).map_err(|error| {
                UsageError(format!(
                    "{}:{}: {}{of}: {}",
                    self.config.path.display(),
                    integration.line,
                    integration.name,
                    error.message
                ))
            })?;
            let made = parts.iter().zip(made);
            sources.extend(made.map(|(part, connector)| Source { part, connector }));
        }
        Ok(sources)
    }
}

/// A run of an integration between its start and its end: its lock, its row, its numbers.
pub(super) struct OpenRun<'a> {
    pub inventory: &'a Inventory,
    /// `None` in a dry run on an inventory that does not know the integration.
    pub integration_id: Option<i64>,
    pub summary: RunSummary,
    _lock: Option<Lock>,
}

impl<'a> OpenRun<'a> {
    /// Takes the integration's lock, if it is of one, and records the start. The inner error is
    /// the report of a locked integration.
    fn start(
        session: &Session<'_>,
        start: Start<'a>,
    ) -> Result<Result<OpenRun<'a>, RunSummary>, RunError> {
        let Start { inventory, integration, command, purpose, .. } = start;
        let dry_run = session.options.dry_run;
        let mut summary = RunSummary::start(integration, command, dry_run);
        summary.at_store = purpose.at_store;
        let lock = match integration {
            None => Ok(None),
            Some(name) => session.lock(inventory, name, command)?,
        };
        let lock = match lock {
            Ok(lock) => lock,
            Err(holder) => {
                session.check_interrupted()?;
                let name = integration.unwrap_or_default();
                summary.status = RunStatus::Locked;
                summary.finished_at = Some(Timestamp::now());
                summary.error = Some(format!(
                    "{name} is locked: {} is working on it. Nothing was changed. Wait for it, or \
                     run this again with --wait 10m",
                    holder.description
                ));
                return Ok(Err(summary));
            }
        };
        let mut run = OpenRun { inventory, integration_id: None, summary, _lock: lock };
        if dry_run {
            let tx = inventory.begin_read()?;
            run.integration_id = match integration {
                Some(name) => tx.integration(name)?,
                None => None,
            };
        } else {
            run.record_start(session, integration, purpose)?;
        }
        Ok(Ok(run))
    }

    fn record_start(
        &mut self,
        session: &Session<'_>,
        integration: Option<&str>,
        purpose: &Purpose,
    ) -> Result<(), RunError> {
        let tx = session.begin_write(self.inventory)?;
        if let Some(name) = integration {
            let id = tx.declare_integration(name)?;
            for crashed in tx.unfinished_runs(id)? {
                tx.mark_crashed(crashed)?;
                session.progress.note(&format!(
                    "{name}: run {crashed} ended without an end (killed, or the power failed); \
                     `invsync runs {crashed}` shows it"
                ));
            }
            self.integration_id = Some(id);
        }
        self.summary.run_id = Some(tx.start_run(self.integration_id, purpose, &self.summary)?);
        let keep = session.config.inventory.keep_runs;
        // A few at each start: it keeps up, and no run has to wait for years of them.
        tx.prune(self.summary.started_at.earlier_by(keep), 20)?;
        tx.commit()?;
        Ok(())
    }

    /// Puts a failure into the summary; `state` says what was left unchanged.
    pub(super) fn note_failure(&mut self, error: &RunError, state: &str) {
        let name = self.summary.integration.clone().unwrap_or_default();
        let message = &error.message;
        let stop = if message.ends_with(['.', '?', '!']) { "" } else { "." };
        self.summary.status = match error.exit {
            Exit::Interrupted => RunStatus::Interrupted,
            _ => RunStatus::Failed,
        };
        self.summary.finished_at = Some(Timestamp::now());
        self.summary.error = Some(format!("{name}: {message}{stop} {state}."));
    }

    /// Records that the run failed: its own row and nothing else. A refused plan is forgotten: it
    /// must not make the section due, as a failed attempt would.
    fn fail(&mut self, session: &Session<'_>, error: &RunError, state: &str) -> Exit {
        self.note_failure(error, state);
        if let Some(run) = self.summary.run_id {
            let recorded = session.begin_write(self.inventory).and_then(|tx| {
                if error.is_refusal {
                    tx.forget_run(run)?;
                } else {
                    tx.finish_run(run, &self.summary)?;
                }
                tx.commit()
            });
            if let Err(why) = recorded {
                session.progress.note(&format!("the end of run {run} was not recorded: {why}"));
            }
            if error.is_refusal {
                self.summary.run_id = None;
            }
        }
        error.exit
    }
}

/// One run from its lock to its report. `work` does it, `report` shows what it did; where it fails,
/// `state` says what was left unchanged.
pub(super) fn in_run<T>(
    session: &Session<'_>,
    start: Start<'_>,
    sink: Sink<'_>,
    work: impl FnOnce(&mut OpenRun<'_>) -> Result<T, RunError>,
    report: impl FnOnce(&RunSummary, T, Sink<'_>) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let state = start.state;
    let mut run = match OpenRun::start(session, start)? {
        Ok(run) => run,
        Err(summary) => {
            sink(&RunReport::empty(summary))?;
            return Ok(Exit::Locked);
        }
    };
    match work(&mut run) {
        Ok(done) => report(&run.summary, done, sink),
        Err(error) => {
            let exit = run.fail(session, &error, state);
            sink(&RunReport::empty(run.summary))?;
            Ok(exit)
        }
    }
}

/// What a run starts with.
pub(super) struct Start<'a> {
    pub inventory: &'a Inventory,
    /// The integration that it locks and belongs to.
    pub integration: Option<&'a str>,
    pub command: Command,
    pub purpose: &'a Purpose,
    /// What a failure leaves unchanged.
    pub state: &'static str,
}

/// The parts of a finished run that decide its status and exit code.
#[derive(Default)]
pub(super) struct Ending {
    pub stopped: bool,
    pub held_back: u64,
    pub refused: u64,
    pub skipped: u64,
    pub uncertain: u64,
    pub problems_make_partial: bool,
}

impl Ending {
    pub(super) fn of(
        plans: &[super::plan::SectionPlan],
        verdict_stops: bool,
        problems: &ProblemLog,
    ) -> Ending {
        let count = |status| plans.iter().map(|plan| plan.count(status)).sum();
        Ending {
            stopped: verdict_stops || plans.iter().any(|plan| plan.stopped),
            held_back: count(ChangeStatus::HeldBack),
            refused: count(ChangeStatus::Refused),
            skipped: count(ChangeStatus::Skipped),
            uncertain: count(ChangeStatus::Uncertain),
            problems_make_partial: problems.makes_partial(),
        }
    }

    /// Both together.
    pub(super) fn and(self, other: Ending) -> Ending {
        Ending {
            stopped: self.stopped || other.stopped,
            held_back: self.held_back + other.held_back,
            refused: self.refused + other.refused,
            skipped: self.skipped + other.skipped,
            uncertain: self.uncertain + other.uncertain,
            problems_make_partial: self.problems_make_partial || other.problems_make_partial,
        }
    }

    pub(super) fn status(&self) -> RunStatus {
        let is_partial = self.held_back + self.refused + self.skipped + self.uncertain > 0
            || self.problems_make_partial;
        match (self.stopped, is_partial) {
            (true, _) => RunStatus::Blocked,
            (false, true) => RunStatus::Partial,
            (false, false) => RunStatus::Ok,
        }
    }

    pub(super) fn exit(&self) -> Exit {
        let mut exit = Exit::Done;
        if self.refused + self.skipped > 0 || self.problems_make_partial {
            exit = exit.max(Exit::Partial);
        }
        if self.stopped || self.held_back > 0 {
            exit = exit.max(Exit::Guarded);
        }
        if self.uncertain > 0 {
            exit = exit.max(Exit::Temporary);
        }
        exit
    }
}
