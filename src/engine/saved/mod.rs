//! Saved plans: what a run would do, in a file; and a run that does exactly that.
//!
//! Applying plans anew, the usual way, and compares with the file right before anything would be
//! written. What differs ends the run; the file never decides what is written.

mod file;
mod row;

use std::io::{self, Read, Write};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use self::file::{Header, PlannedPlace, RowsIn, RowsOut, hex};
use self::row::{Differences, NewLinks, column, compare, rows};
use super::plan::SectionPlan;
use super::read::Reading;
use super::run::RunError;
use super::{Options, Session, Sink, UsageError};
use crate::config::Integration;
use crate::model::{Command, Exit, Guard, GuardVerdict, RunStatus, RunSummary};

/// Who looks on where a run has planned, right before it would apply. Nobody does usually.
#[derive(Clone, Copy, Default)]
pub struct Onlooker<'a>(Option<&'a dyn Look>);

/// Looks at what one source's changes will be; an error ends the run.
pub(super) trait Look: Sync {
    fn look(&self, reading: &Reading, plans: &[SectionPlan]) -> Result<(), RunError>;
}

impl<'a> Onlooker<'a> {
    pub(super) fn of(onlooker: &'a dyn Look) -> Onlooker<'a> {
        Onlooker(Some(onlooker))
    }

    /// Shows what a source's changes will be.
    pub(super) fn show(&self, reading: &Reading, plans: &[SectionPlan]) -> Result<(), RunError> {
        self.0.map_or(Ok(()), |onlooker| onlooker.look(reading, plans))
    }

    /// Whether somebody must see everything, whether it is new or not.
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// A plan that was just made.
pub struct NewPlan {
    header: Header,
    rows: RowsOut,
}

impl NewPlan {
    /// Writes the file.
    pub fn write(self, out: &mut dyn Write) -> io::Result<()> {
        self.rows.write(&self.header, out)
    }
}

/// Plans a pull or push and writes nothing. `None`: it failed, and there is no plan.
pub(super) fn plan(
    session: &Session<'_>,
    integration: &Integration,
    command: Command,
    sink: Sink<'_>,
) -> anyhow::Result<(Exit, Option<NewPlan>)> {
    let recorder = Recorder::of(integration);
    let options = Options { dry_run: true, ..session.options.clone() };
    let onlooker = Onlooker::of(&recorder);
    let looked_on = Session { options: options.clone(), onlooker, ..session.clone() };
    let mut summary = None;
    let exit = run(&looked_on, integration, command, &mut |report| {
        summary = Some(report.summary.clone());
        sink(report)
    })?;
    let is_plan = |summary: &RunSummary| {
        matches!(summary.status, RunStatus::Ok | RunStatus::Partial | RunStatus::Blocked)
    };
    let Some(summary) = summary.filter(is_plan) else { return Ok((exit, None)) };
    let recorded = recorder.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Recorded { out, places, rows, .. } = recorded;
    let at = summary.started_at.rfc3339();
    let header = Header {
        only: options.only,
        skus: options.skus,
        allow: options.allow.iter().map(|guard| guard.word().to_owned()).collect(),
        config: config_mark(session, integration),
        inventory: inventory_mark(session),
        places,
        changed: summary.changed,
        held_back: summary.held_back,
        created: summary.created,
        guards: summary.guards,
        rows,
        ..Header::new(integration.name.clone(), command.word().to_owned(), at)
    };
    Ok((exit, Some(NewPlan { header, rows: out })))
}

fn run(
    session: &Session<'_>,
    integration: &Integration,
    command: Command,
    sink: Sink<'_>,
) -> anyhow::Result<Exit> {
    match command {
        Command::Push => super::push(session, &[integration], sink),
        _ => super::pull(session, &[integration], sink),
    }
}

/// Keeps what it sees.
struct Recorder(Mutex<Recorded>);

struct Recorded {
    out: RowsOut,
    places: Vec<PlannedPlace>,
    /// How many rows each source has.
    rows: Vec<u64>,
    links: NewLinks,
}

impl Recorder {
    fn of(integration: &Integration) -> Recorder {
        let (places, rows, links) = (Vec::new(), Vec::new(), NewLinks::new(integration));
        Recorder(Mutex::new(Recorded { out: RowsOut::new(), places, rows, links }))
    }
}

impl Look for Recorder {
    fn look(&self, reading: &Reading, plans: &[SectionPlan]) -> Result<(), RunError> {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        for row in rows(&reading.matched, plans, &mut recorded.links) {
            recorded.out.add(&row).map_err(|why| {
                let why = format!("the plan cannot be kept in a temporary file: {why}");
                RunError::new(Exit::Failed, why)
            })?;
            count += 1;
        }
        recorded.rows.push(count);
        recorded.places.extend(plans.iter().map(place));
        Ok(())
    }
}

fn place(plan: &SectionPlan) -> PlannedPlace {
    let (section, place) = (plan.section, plan.place.key.clone());
    PlannedPlace { section, place, revision: plan.place.revision }
}

/// What decides in the config what an integration's runs do, hashed. Lines that only moved do not
/// count; texts that may be secrets are not in it.
fn config_mark(session: &Session<'_>, integration: &Integration) -> String {
    let Integration { name, is_store, parts, link_by, unlinked, allow_empty, .. } = integration;
    let mut all =
        format!("{name:?} {is_store:?} {parts:?} {link_by:?} {unlinked:?} {allow_empty:?}");
    let mut at_store = String::new();
    for (section, settings) in integration.all_sections() {
        let (section, place) = (section.word(), &settings.place);
        let declared = session.config.price_group(place).and_then(|group| group.currency);
        let (direction, drift, guard) = (settings.direction, settings.on_drift, &settings.guard);
        all += &format!(" {section} {place:?} {declared:?} {direction:?} {drift:?} {guard:?}");
        // To the letter: a name may look like a line.
        at_store += &format!(" {section} {}", settings.places.to_text());
    }
    hex(&Sha256::digest(without_lines(&all) + &at_store))
}

/// The text without the numbers behind `line`.
fn without_lines(debug: &str) -> String {
    let mut parts = debug.split("line");
    let first = parts.next().unwrap_or_default().to_owned();
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, ':' | ' ');
    parts.fold(first, |text, part| text + "line " + part.trim_start_matches(is_number))
}

/// Which inventory this is: its first run, hashed. `None` where there is none yet.
fn inventory_mark(session: &Session<'_>) -> Option<String> {
    let inventory = session.open_to_read().ok()?;
    let first = inventory.begin_read().ok()?.run_summary(1).ok()??;
    let mark = format!("{} {}", first.command.word(), first.started_at.unix_ms);
    Some(hex(&Sha256::digest(mark)))
}

/// A plan that was read from its file and found whole.
pub struct SavedPlan {
    name: String,
    header: Header,
    rows: Mutex<RowsIn>,
}

impl SavedPlan {
    /// Reads a plan. `name` is what messages call it.
    pub fn read(from: impl Read, name: &str) -> Result<SavedPlan, UsageError> {
        let file::Opened { header, rows } = file::open(from, name)?;
        Ok(SavedPlan { name: name.to_owned(), header, rows: Mutex::new(rows) })
    }

    fn command(&self) -> Command {
        if self.header.command == Command::Push.word() { Command::Push } else { Command::Pull }
    }

    /// What the run is told: what the plan was made with, and what is said of this run.
    fn options(&self, given: &Options) -> Options {
        let allow = self.header.allow.iter().filter_map(|word| Guard::from_word(word)).collect();
        let Header { only, skus, .. } = &self.header;
        Options { only: *only, skus: skus.clone(), allow, ..given.clone() }
    }

    /// The plan's integration, where the plan belongs to this config and this inventory.
    fn integration<'c>(&self, session: &Session<'c>) -> Result<&'c Integration, UsageError> {
        let Header { integration: name, config, inventory, .. } = &self.header;
        let file = &self.name;
        let config_file = session.config.path.display();
        let integration = session.config.integration(name).ok_or_else(|| {
            UsageError(format!("{file} is of `{name}`, which {config_file} does not have"))
        })?;
        if *config != config_mark(session, integration) {
            return Err(UsageError(format!(
                "what {config_file} says of {name} is not what it said when {file} was made. Make \
                 the plan again"
            )));
        }
        if inventory.is_some() && *inventory != inventory_mark(session) {
            let path = session.inventory_path()?;
            return Err(UsageError(format!(
                "{file} was made on another inventory than {}. Make the plan again",
                path.display()
            )));
        }
        Ok(integration)
    }

    /// A plan that a guard stopped may not be applied.
    fn check_guards(&self) -> Result<(), RunError> {
        let stops = |verdict: &&GuardVerdict| {
            !verdict.allowed && Guard::from_word(&verdict.guard).is_none_or(Guard::stops_section)
        };
        let Some(verdict) = self.header.guards.iter().find(stops) else { return Ok(()) };
        let GuardVerdict { guard, section, limit, actual, .. } = verdict;
        let what = section.as_deref().unwrap_or("everything");
        Err(RunError::new(
            Exit::Guarded,
            format!(
                "{}: the guard {guard} stopped {what} when this plan was made: {actual} (limit \
                 {limit}). Nothing was changed. Look at the cause first; then plan again with \
                 --allow {guard}, or with --only and the other section",
                self.name
            ),
        ))
    }
}

/// Does exactly what a plan says, or nothing.
pub(super) fn apply(
    session: &Session<'_>,
    plan: &SavedPlan,
    sink: Sink<'_>,
) -> anyhow::Result<Exit> {
    let integration = plan.integration(session)?;
    plan.check_guards()?;
    let comparer = Comparer { plan, next: Mutex::new((0, NewLinks::new(integration))) };
    let options = plan.options(&session.options);
    let session = Session { options, onlooker: Onlooker::of(&comparer), ..session.clone() };
    run(&session, integration, plan.command(), sink)
}

/// Holds what it sees against a plan.
struct Comparer<'p> {
    plan: &'p SavedPlan,
    /// The source that comes next, and the links of those before it.
    next: Mutex<(usize, NewLinks)>,
}

impl Look for Comparer<'_> {
    fn look(&self, reading: &Reading, plans: &[SectionPlan]) -> Result<(), RunError> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, links) = &mut *next;
        let count = self.plan.header.rows.get(*at).copied().unwrap_or_default();
        *at += 1;
        let mut file = self.plan.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = (0..count).map(|_| file.next());
        let found = compare(planned, rows(&reading.matched, plans, links)).map_err(|why| {
            let name = &self.plan.name;
            RunError::new(Exit::Failed, format!("{name}: its changes cannot be read: {why}"))
        })?;
        if found.count > 0 {
            return Err(RunError::refusal(Exit::Failed, self.stale(&found, plans)));
        }
        if plans.iter().any(|plan| plan.stopped) {
            let why = "a guard stops now what it let pass when the plan was made; `invsync plan` \
                       shows which one";
            return Err(RunError::refusal(Exit::Guarded, why));
        }
        Ok(())
    }
}

impl Comparer<'_> {
    fn stale(&self, found: &Differences, plans: &[SectionPlan]) -> String {
        let Header { integration, command, places, .. } = &self.plan.header;
        let mut message = match found {
            Differences { now: 0, .. } => {
                String::from("the plan is stale: nothing of it is left to do. Was it applied?")
            }
            Differences { count: 1, .. } => {
                String::from("the plan is stale: one change is not what would be done now")
            }
            Differences { count, .. } => {
                format!("the plan is stale: {count} changes are not what would be done now")
            }
        };
        for line in &found.first {
            message += &format!("\n  {line}");
        }
        let more = found.count - found.first.len() as u64;
        if more > 0 {
            message += &format!("\n  … and {more} more");
        }
        for now in plans.iter().map(place).filter(|now| !places.contains(now)) {
            let place = column(now.section, &now.place);
            message += &format!("\n{place} was written to since the plan was made");
        }
        message += &format!("\nPlan again: invsync plan {integration} --{command}");
        message
    }
}

#[cfg(test)]
mod tests {
    use super::without_lines;

    #[test]
    fn lines_that_moved_do_not_count() {
        let of = |line: u32| without_lines(&format!("A {{ line: {line}, b: Text(line {line}) }}"));
        assert_eq!(of(7), of(12));
        assert_ne!(of(7), without_lines("A { line: 7, b: None }"));
    }
}
